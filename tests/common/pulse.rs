//! A sound card that is none: a PulseAudio of the test's own with two null sinks. What is played into `mouth` the
//! microphone hears; what the loudspeaker plays arrives at `ear`.

use std::fs;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

pub const REMEDY: &str = "run `make setup`: it installs pulseaudio, pulseaudio-utils and libasound2-plugins";
/// Samples a second of what is played and recorded here.
pub const RATE: u32 = 8_000;

/// A sound server, ended (by its own id) when dropped.
pub struct Pulse {
    server: Child,
    folder: tempfile::TempDir,
}

impl Pulse {
    /// Microphone and loudspeaker apart.
    pub fn start() -> Self {
        Self::with_loudspeaker("ear")
    }

    /// The microphone hears what the loudspeaker plays.
    pub fn looped() -> Self {
        Self::with_loudspeaker("mouth")
    }

    fn with_loudspeaker(sink: &str) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let (socket, script) = (folder.path().join("native"), folder.path().join("setup.pa"));
        // Without `norewinds` a null sink takes its first 2 s in one block, as no card does.
        let setup = format!(
            "load-module module-null-sink sink_name=mouth rate=48000 channels=2 norewinds=1\n\
             load-module module-null-sink sink_name=ear rate=48000 channels=2 norewinds=1\n\
             set-default-sink {sink}\n\
             set-default-source mouth.monitor\n\
             load-module module-native-protocol-unix auth-anonymous=1 socket={}\n",
            socket.display()
        );
        fs::write(&script, setup).expect("room on the disk");
        let mut command = Command::new("pulseaudio");
        command.args(["-n", "--daemonize=no", "--exit-idle-time=-1", "--use-pid-file=no", "--disable-shm"]);
        command.arg("--log-level=error").arg("-F").arg(&script);
        let home = folder.path();
        command.envs([("XDG_RUNTIME_DIR", home), ("HOME", home), ("PULSE_RUNTIME_PATH", home)]);
        let server = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).process_group(0).spawn();
        let server = server.unwrap_or_else(|error| panic!("pulseaudio cannot be started ({error}): {REMEDY}"));
        let started = Self { server, folder };
        let deadline = Instant::now() + Duration::from_secs(30);
        // A real server starts in its own time.
        while !socket.exists() {
            assert!(Instant::now() < deadline, "pulseaudio did not come up; {REMEDY}");
            std::thread::sleep(Duration::from_millis(20));
        }
        started
    }

    /// What `PULSE_SERVER` must be for a program that uses it.
    pub fn address(&self) -> String {
        format!("unix:{}", self.folder.path().join("native").display())
    }

    /// Says something into the microphone, from now on.
    pub fn say(&self, samples: &[i16]) -> Running {
        let file = self.folder.path().join("said.raw");
        let bytes: Vec<u8> = samples.iter().flat_map(|sample| sample.to_le_bytes()).collect();
        fs::write(&file, bytes).expect("room on the disk");
        self.run("pacat", &["--playback", "--device=mouth"], &file)
    }

    /// Writes down what the loudspeaker plays, from now on.
    pub fn listen(&self) -> Recording {
        let file = self.folder.path().join("heard.raw");
        Recording { running: self.run("pacat", &["--record", "--device=ear.monitor"], &file), file }
    }

    fn run(&self, program: &str, args: &[&str], file: &Path) -> Running {
        let mut command = Command::new(program);
        command.args(args).args(["--raw", "--format=s16le", "--channels=1", "--latency-msec=50"]);
        command.arg(format!("--rate={RATE}")).arg(file);
        command.env("PULSE_SERVER", self.address()).env("HOME", self.folder.path());
        let child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn();
        Running(child.unwrap_or_else(|error| panic!("{program} cannot be started ({error}): {REMEDY}")))
    }
}

impl Drop for Pulse {
    fn drop(&mut self) {
        end(&mut self.server);
    }
}

/// A player or recorder; killed (by its own id) when dropped.
pub struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        end(&mut self.0);
    }
}

pub struct Recording {
    running: Running,
    file: std::path::PathBuf,
}

impl Recording {
    /// Samples so far.
    pub fn heard(&self) -> Vec<i16> {
        let bytes = fs::read(&self.file).unwrap_or_default();
        bytes.chunks_exact(2).map(|pair| i16::from_le_bytes([pair[0], pair[1]])).collect()
    }

    pub fn stop(self) -> Vec<i16> {
        let heard = self.heard();
        drop(self.running);
        heard
    }
}

fn end(child: &mut Child) {
    let _ = child.kill(); // it may have ended
    let _ = child.wait();
}

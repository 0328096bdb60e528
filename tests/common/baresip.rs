//! baresip, a softphone, without a sound card: it registers as an agent (digest), answers when told to, plays a WAV
//! file or a sine, and records what it hears.
//!
//! ```ignore
//! let mut phone = Baresip::start(&Phone { user: "alice", password: "secret", registrar, sound: Sound::Sine(600.0), .. }).await;
//! phone.wait_for("REGISTER_OK", SECONDS).await;
//! phone.wait_for("CALL_INCOMING", SECONDS).await;
//! phone.accept().await;
//! ...
//! let heard = phone.stop().await;         // WAV samples and rate
//! ```
//! It is driven over its `ctrl_tcp` module: netstrings of JSON (documented in baresip's `modules/ctrl_tcp`).

use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::process::{Child, Command};
use tokio::time::{Instant, timeout_at};

/// Two minutes, in samples.
const MICROPHONE: u32 = 120 * 8_000;

/// What the phone's microphone hears.
pub enum Sound {
    /// Hz.
    Sine(f64),
    /// Samples, 8 kHz; once, after so much silence.
    Speech(Duration, Vec<i16>),
}

pub struct Phone<'a> {
    pub user: &'a str,
    pub password: &'a str,
    pub registrar: SocketAddr,
    pub tcp: bool,
    /// By TLS, and whose certificates it believes.
    pub believes: Option<&'a Path>,
    /// Seconds; 0 does not register.
    pub expires: u32,
    pub sound: Sound,
    /// Of `opus/48000/2`, `G722/16000/1`, `PCMU`, `PCMA`, in order of liking.
    pub codecs: &'a str,
    /// Further parameters of its account: `;mediaenc=srtp-mand`, `;ptime=40`.
    pub account: &'a str,
}

impl Default for Phone<'_> {
    fn default() -> Self {
        Self {
            user: "alice",
            password: "secret",
            registrar: SocketAddr::from(([127, 0, 0, 1], 5060)),
            tcp: false,
            believes: None,
            expires: 60,
            sound: Sound::Sine(600.0),
            codecs: "PCMU,PCMA",
            account: "",
        }
    }
}

/// A running phone; killed (by its own id) when dropped.
pub struct Baresip {
    child: Child,
    control: TcpStream,
    received: Vec<u8>,
    /// Everything it reported, oldest first.
    pub events: Vec<Value>,
    user: String,
    port: u16,
    microphones: u32,
    folder: tempfile::TempDir,
}

impl Baresip {
    pub async fn start(phone: &Phone<'_>) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let (port, control) = (super::free_port(), super::free_port());
        fs::write(folder.path().join("config"), config(phone, port, control, &folder)).expect("a configuration");
        let transport = match (phone.believes, phone.tcp) {
            (Some(_), _) => "tls",
            (None, true) => "tcp",
            (None, false) => "udp",
        };
        let account = format!(
            "<sip:{}@{};transport={transport}>;auth_pass={};regint={};answermode=manual;audio_codecs={}{}",
            phone.user, phone.registrar, phone.password, phone.expires, phone.codecs, phone.account
        );
        fs::write(folder.path().join("accounts"), "").expect("no accounts");
        fs::write(folder.path().join("contacts"), "").expect("no contacts");
        let log = fs::File::create(folder.path().join("log")).expect("a log");
        let mut command = Command::new(super::tool("baresip"));
        command.arg("-f").arg(folder.path()).stdin(Stdio::null());
        command.stderr(log.try_clone().expect("one more handle")).stdout(log).kill_on_drop(true);
        let child = command.spawn().expect("baresip starts");
        let until = Instant::now() + Duration::from_secs(10);
        let control = loop {
            match TcpStream::connect(("127.0.0.1", control)).await {
                Ok(stream) => break stream,
                Err(error) if Instant::now() > until => panic!("baresip does not listen: {error}"),
                Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
            }
        };
        let user = phone.user.to_owned();
        let mut started =
            Self { child, control, received: Vec::new(), events: Vec::new(), user, port, microphones: 0, folder };
        // Only now, so that no event of the registration is missed.
        started.command("uanew", &account).await;
        started
    }

    /// The address it listens on; it knows calls to its user only.
    pub fn uri(&self) -> String {
        format!("sip:{}@127.0.0.1:{}", self.user, self.port)
    }

    /// Reads events until one of this type has come (also if it came before), and gives it. Panics after `limit`.
    pub async fn wait_for(&mut self, kind: &str, limit: Duration) -> Value {
        let until = Instant::now() + limit;
        let mut seen = 0;
        loop {
            while let Some(event) = self.events.get(seen) {
                if event["type"] == kind {
                    return self.events.remove(seen);
                }
                seen += 1;
            }
            if timeout_at(until, self.read()).await.is_err() {
                panic!("baresip reported no {kind} within {limit:?} but {:#?}\n{}", self.events, self.log());
            }
        }
    }

    /// Answers the call that rings.
    pub async fn accept(&mut self) {
        self.command("accept", "").await;
    }

    pub async fn hang_up(&mut self) {
        self.command("hangup", "").await;
    }

    pub async fn dial(&mut self, uri: &str) {
        self.command("dial", uri).await;
    }

    /// From now on the microphone hears this, then silence.
    pub async fn hears(&mut self, sound: Sound) {
        self.microphones += 1;
        let file = self.folder.path().join(format!("microphone-{}.wav", self.microphones));
        microphone(&sound, &file);
        self.command("ausrc", &format!("aufile,{}", file.display())).await;
    }

    /// Presses keys during a call.
    pub async fn press(&mut self, keys: &str) {
        for key in keys.chars() {
            self.command("sndcode", &key.to_string()).await;
        }
    }

    /// Any long command of baresip's menu.
    pub async fn command(&mut self, command: &str, params: &str) {
        let text = json!({ "command": command, "params": params, "token": command }).to_string();
        let netstring = format!("{}:{text},", text.len());
        self.control.write_all(netstring.as_bytes()).await.expect("baresip takes a command");
    }

    /// What it heard so far: samples and rate, of all its calls in a row.
    pub fn heard(&self) -> (Vec<i16>, u32) {
        let mut files: Vec<_> = fs::read_dir(self.folder.path())
            .expect("its folder")
            .flatten()
            .map(|entry| entry.path())
            .filter(|path| path.to_string_lossy().ends_with("-dec.wav"))
            .collect();
        files.sort();
        let (mut samples, mut rate) = (Vec::new(), 8_000);
        for file in files {
            let bytes = fs::read(file).expect("a recording");
            rate = bytes.get(24..28).map_or(8_000, |b| u32::from_le_bytes([b[0], b[1], b[2], b[3]]));
            // Opus is heard by two channels of the same.
            let step = 2 * usize::from(bytes.get(22).copied().unwrap_or(1).max(1));
            // The header's lengths are written when the file is closed; the sound begins after 44 bytes.
            let sound = bytes.get(44..).unwrap_or_default();
            samples.extend(sound.chunks_exact(step).map(|b| i16::from_le_bytes([b[0], b[1]])));
        }
        (samples, rate)
    }

    /// Ends it as a user would (it unregisters), and gives what it heard.
    pub async fn stop(mut self) -> (Vec<i16>, u32) {
        self.command("quit", "").await;
        let ended = tokio::time::timeout(Duration::from_secs(5), self.child.wait()).await;
        assert!(ended.is_ok(), "baresip does not quit\n{}", self.log());
        self.heard()
    }

    pub fn log(&self) -> String {
        fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }

    /// Reads until at least one more event is there.
    async fn read(&mut self) {
        loop {
            let before = self.events.len();
            while let Some((message, rest)) = netstring(&self.received) {
                let message: Value = serde_json::from_slice(message).unwrap_or(Value::Null);
                let rest = rest.to_vec();
                if message["event"] == true {
                    self.events.push(message);
                }
                self.received = rest;
            }
            if self.events.len() > before {
                return;
            }
            let mut buffer = [0; 4_096];
            match self.control.read(&mut buffer).await {
                Ok(0) | Err(_) => panic!("baresip is gone\n{}", self.log()),
                Ok(n) => self.received.extend_from_slice(&buffer[..n]),
            }
        }
    }
}

/// `5:hello,`
fn netstring(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let colon = bytes.iter().position(|byte| *byte == b':')?;
    let len: usize = std::str::from_utf8(&bytes[..colon]).ok()?.parse().ok()?;
    let end = colon + 1 + len;
    (bytes.len() > end).then(|| (&bytes[colon + 1..end], &bytes[end + 1..]))
}

/// The file that stands for the microphone: it must not end before the call does.
pub fn microphone(sound: &Sound, file: &Path) {
    let spec = hound::WavSpec {
        channels: 1,
        sample_rate: 8_000,
        bits_per_sample: 16,
        sample_format: hound::SampleFormat::Int,
    };
    let mut wav = hound::WavWriter::create(file, spec).expect("a WAV file");
    let mut write = |sample: i16| wav.write_sample(sample).expect("room on the disk");
    match sound {
        Sound::Sine(hz) => (0..MICROPHONE).for_each(|n| {
            write((10_000.0 * (std::f64::consts::TAU * hz * f64::from(n) / 8_000.0).sin()) as i16);
        }),
        Sound::Speech(after, samples) => {
            (0..after.as_millis() * 8).for_each(|_| write(0));
            samples.iter().for_each(|sample| write(*sample));
            (0..MICROPHONE).for_each(|_| write(0));
        }
    }
    wav.finalize().expect("room on the disk");
}

fn config(phone: &Phone, port: u16, control: u16, folder: &tempfile::TempDir) -> String {
    microphone(&phone.sound, &folder.path().join("microphone.wav"));
    let (folder, rtp) = (folder.path().display(), super::free_port());
    let tls = phone.believes.map_or(String::new(), |file| {
        let file = file.display();
        format!("sip_cafile {file}\nsip_verify_server yes\n")
    });
    format!(
        "poll_method epoll\n\
         sip_listen 127.0.0.1:{port}\n\
         net_interface 127.0.0.1\n\
         rtp_ports {rtp}-{}\n\
         call_local_timeout 60\n\
         call_max_calls 4\n\
         audio_source aufile,{folder}/microphone.wav\n\
         audio_player aubridge,nowhere\n\
         audio_alert aubridge,nowhere\n\
         ausrc_srate 8000\n\
         auplay_srate 8000\n\
         ausrc_channels 1\n\
         auplay_channels 1\n\
         audio_buffer 20-160\n\
         jitter_buffer_delay 1-10\n\
         rtcp_mux no\n\
         module_path /usr/lib/baresip/modules\n\
         module g711.so\n\
         module g722.so\n\
         module opus.so\n\
         module srtp.so\n\
         module aufile.so\n\
         module aubridge.so\n\
         module sndfile.so\n\
         snd_path {folder}\n\
         module_tmp uuid.so\n\
         module_tmp account.so\n\
         module_app menu.so\n\
         module_app ctrl_tcp.so\n\
         ctrl_tcp_listen 127.0.0.1:{control}\n\
         {tls}",
        rtp + 14
    )
}

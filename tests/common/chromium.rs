//! Debian's Chromium, headless, driven by Playwright (`tests/browser/driver.mjs`). Its microphone is a WAV file that begins anew
//! whenever it is over.
//!
//! ```ignore
//! let mut page = Chromium::start(&speech(&[...])).await;
//! page.open(&engine.pages()).await;
//! page.click("Start call").await;
//! page.wait("window.__peers[0].connectionState == 'connected'").await;
//! ```

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};

/// Who measures sound has the machine's browsers to itself: two cores carry a few pages, and packets that come late are heard.
static ALONE: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());

/// Waits until no other test's browsers run; they wait until the guard is dropped.
pub async fn alone() -> tokio::sync::MutexGuard<'static, ()> {
    ALONE.lock().await
}

/// What one command may take.
const LIMIT: Duration = Duration::from_secs(60);

/// A running browser with one page; killed (by its own id) when dropped.
pub struct Chromium {
    child: Child,
    input: ChildStdin,
    output: Lines<BufReader<ChildStdout>>,
    _folder: tempfile::TempDir,
}

impl Chromium {
    /// `microphone`: 16 kHz samples.
    pub async fn start(microphone: &[i16]) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let sound = folder.path().join("microphone.wav");
        let spec = hound::WavSpec {
            channels: 1,
            sample_rate: 16_000,
            bits_per_sample: 16,
            sample_format: hound::SampleFormat::Int,
        };
        let mut writer = hound::WavWriter::create(&sound, spec).expect("a file");
        microphone.iter().for_each(|sample| writer.write_sample(*sample).expect("room on the disk"));
        writer.finalize().expect("a file");
        let tests = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/browser");
        assert!(
            tests.join("node_modules/playwright-core").is_dir(),
            "Playwright is not installed; run `scripts/setup test`"
        );
        let mut child = Command::new(super::tool("node"))
            .arg(tests.join("driver.mjs"))
            .arg(super::tool("chromium"))
            .arg(&sound)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .expect("node starts");
        let input = child.stdin.take().expect("it is piped");
        let output = BufReader::new(child.stdout.take().expect("it is piped")).lines();
        Self { child, input, output, _folder: folder }
    }

    async fn command(&mut self, command: Value) -> Result<Value, String> {
        self.input.write_all(format!("{command}\n").as_bytes()).await.expect("the driver runs");
        let reply = tokio::time::timeout(LIMIT, self.output.next_line()).await;
        let line =
            reply.unwrap_or_else(|_| panic!("no reply to {command}")).expect("its output").expect("the driver runs");
        let reply: Value = serde_json::from_str(&line).expect("JSON");
        match reply.get("ok") {
            Some(value) => Ok(value.clone()),
            None => Err(format!("{command}: {reply:#}")),
        }
    }

    async fn must(&mut self, command: Value) -> Value {
        self.command(command).await.unwrap_or_else(|error| panic!("{error}"))
    }

    pub async fn open(&mut self, url: &str) {
        self.must(json!({ "do": "open", "url": url })).await;
    }

    /// The value of an expression (a promise is waited for).
    pub async fn run(&mut self, js: &str) -> Value {
        self.must(json!({ "do": "run", "js": js })).await
    }

    /// Waits until an expression is true.
    pub async fn wait(&mut self, js: &str) {
        self.must(json!({ "do": "wait", "js": js })).await;
    }

    /// Presses a button by its accessible name, as one who cannot see it would.
    pub async fn click(&mut self, name: &str) {
        self.must(json!({ "do": "click", "name": name })).await;
    }

    pub async fn choose(&mut self, name: &str) {
        self.must(json!({ "do": "click", "role": "radio", "name": name })).await;
    }

    /// Writes into the field with this label.
    pub async fn fill(&mut self, label: &str, value: &str) {
        self.must(json!({ "do": "fill", "label": label, "value": value })).await;
    }

    /// Chooses from the list with this label.
    pub async fn select(&mut self, label: &str, value: &str) {
        self.must(json!({ "do": "select", "label": label, "value": value })).await;
    }

    /// A key of the keyboard.
    pub async fn key(&mut self, key: &str) {
        self.must(json!({ "do": "key", "key": key })).await;
    }

    /// The text of the first element with this role.
    pub async fn text(&mut self, role: &str) -> String {
        self.must(json!({ "do": "text", "role": role })).await.as_str().unwrap_or_default().to_owned()
    }

    /// Kept for who wants to look at it: `target/screenshots/NAME.png`.
    pub async fn shot(&mut self, name: &str) {
        let folder = std::env::var_os("CARGO_TARGET_DIR")
            .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("target"), PathBuf::from);
        let folder = folder.join("screenshots");
        std::fs::create_dir_all(&folder).expect("a folder");
        self.must(json!({ "do": "shot", "path": folder.join(format!("{name}.png")) })).await;
    }

    pub async fn dark(&mut self, dark: bool) {
        self.must(json!({ "do": "media", "colorScheme": if dark { "dark" } else { "light" } })).await;
    }

    pub async fn size(&mut self, width: u32, height: u32) {
        self.must(json!({ "do": "size", "width": width, "height": height })).await;
    }

    /// Closes the page as one who closes its tab.
    pub async fn leave(&mut self) {
        self.must(json!({ "do": "leave" })).await;
    }

    /// What the page wrote to its console.
    pub async fn console(&mut self) -> String {
        self.must(json!({ "do": "console" })).await.to_string()
    }

    /// Ends the browser with its whole family: no word to anybody.
    pub async fn kill(mut self) {
        let _ = self.child.kill().await;
    }

    /// Stops the browser, all its processes, as a laptop that sleeps; it goes on when what this gives is dropped.
    pub fn asleep(&self) -> Asleep {
        let node = self.child.id().expect("it runs");
        // Playwright starts the browser as the leader of a process group of its own.
        let groups = std::fs::read_dir("/proc").expect("processes").filter_map(|entry| {
            let stat = std::fs::read_to_string(entry.ok()?.path().join("stat")).ok()?;
            let mut fields = stat.rsplit_once(')')?.1.split_whitespace().skip(1).map(|field| field.parse::<u32>().ok());
            let (parent, group) = (fields.next()??, fields.next()??);
            (parent == node).then_some(group)
        });
        let group = groups.into_iter().find(|group| *group != node).expect("the browser runs");
        let group = rustix::process::Pid::from_raw(group as i32).expect("a process group");
        rustix::process::kill_process_group(group, rustix::process::Signal::STOP).expect("it stops");
        Asleep(group)
    }

    /// The level of what the page hears, 0..=1, over half a second; and how much of it is a tone of `hz`: the median of
    /// pieces of 20 ms, so that a late packet's joint does not count.
    pub async fn hears(&mut self, hz: f64) -> (f64, f64) {
        let js = format!(
            "(async () => {{
                const stream = new MediaStream(window.__peers.at(-1).getReceivers().map((one) => one.track));
                const context = new AudioContext();
                const analyser = context.createAnalyser();
                analyser.fftSize = 16384;
                context.createMediaStreamSource(stream).connect(analyser);
                await new Promise((done) => setTimeout(done, 500));
                const samples = new Float32Array(analyser.fftSize);
                analyser.getFloatTimeDomainData(samples);
                const size = 1024;
                const shares = [];
                let total = 0;
                for (let from = 0; from + size <= samples.length; from += size) {{
                    let [re, im, energy] = [0, 0, 0];
                    for (let n = 0; n < size; n++) {{
                        const sample = samples[from + n] * Math.sin((Math.PI * (n + 0.5)) / size) ** 2;
                        const phase = (2 * Math.PI * {hz} * n) / context.sampleRate;
                        re += sample * Math.cos(phase);
                        im += sample * Math.sin(phase);
                        energy += sample * sample;
                        total += samples[from + n] ** 2;
                    }}
                    // A Hann window spreads a tone: two thirds of it stand in one frequency.
                    shares.push((2 * 1.5 * (re * re + im * im)) / size / (energy + 1e-12));
                }}
                await context.close();
                shares.sort((a, b) => a - b);
                return [Math.sqrt(total / samples.length), shares[shares.length >> 1]];
            }})()"
        );
        let heard = self.run(&js).await;
        (heard[0].as_f64().unwrap_or(0.0), heard[1].as_f64().unwrap_or(0.0))
    }

    /// Unmutes where the microphone's recording pauses, so that it is heard from its beginning: waits for the pause after
    /// speech.
    pub async fn unmute_at_a_pause(&mut self) {
        self.run(
            "(async () => {
                const track = window.__peers.at(-1).getSenders()[0].track.clone();
                track.enabled = true;
                const context = new AudioContext();
                const analyser = context.createAnalyser();
                context.createMediaStreamSource(new MediaStream([track])).connect(analyser);
                const samples = new Float32Array(analyser.fftSize);
                let [spoke, quiet] = [false, 0];
                for (const until = Date.now() + 40_000; !spoke || quiet < 10; ) {
                    if (Date.now() > until) throw new Error('the microphone never spoke and paused');
                    await new Promise((done) => setTimeout(done, 100));
                    analyser.getFloatTimeDomainData(samples);
                    const loud = samples.some((sample) => Math.abs(sample) > 0.01);
                    spoke ||= loud;
                    quiet = loud ? 0 : quiet + 1;
                }
                track.stop();
                await context.close();
            })()",
        )
        .await;
        self.click("Unmute").await;
    }

    /// From now on the microphone hears a tone.
    pub async fn hums(&mut self, hz: f64) {
        self.run(&format!(
            "(async () => {{
                const context = window.__hum = new AudioContext();
                const tone = context.createOscillator();
                tone.frequency.value = {hz};
                const quieter = context.createGain();
                quieter.gain.value = 0.3;
                const out = context.createMediaStreamDestination();
                tone.connect(quieter).connect(out);
                tone.start();
                await window.__peers.at(-1).getSenders()[0].replaceTrack(out.stream.getAudioTracks()[0]);
            }})()"
        ))
        .await;
    }
}

/// A browser that is stopped.
pub struct Asleep(rustix::process::Pid);

impl Drop for Asleep {
    fn drop(&mut self) {
        let _ = rustix::process::kill_process_group(self.0, rustix::process::Signal::CONT); // gone: nothing sleeps
    }
}

/// Recordings from `audio_fixtures/`, each after so many seconds of silence, 16 kHz.
pub fn speech(parts: &[(f32, &str)]) -> Vec<i16> {
    let mut samples = Vec::new();
    for (silence, fixture) in parts {
        samples.resize(samples.len() + (silence * 16_000.0) as usize, 0);
        let path = format!("{}/audio_fixtures/{fixture}", env!("CARGO_MANIFEST_DIR"));
        samples.extend(frontdesk::media::file::read(path).expect("a recording").at_rate(16_000).samples);
    }
    samples
}

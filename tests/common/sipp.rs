//! SIPp, the SIP load tester, as caller or as phone: scenarios in `tests/sipp/*.xml`, each saying what it does.
//!
//! ```ignore
//! Sipp::new("caller", endpoint.listening()[0]).tcp().speaks_for(2_000).run().await;     // a caller, to its end
//! let phone = Sipp::phone("agent_answers").start();                                     // a phone, in the background
//! endpoint.invite(InviteRequest { to: Target::Uri(phone.uri()), .. }).await?;
//! phone.finish().await;
//! ```
//! Sound that SIPp receives it sends back (`-rtp_echo`). A scenario that fails panics with SIPp's own words.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use frontdesk::media::Codec;
use tokio::process::{Child, Command};

/// How long a scenario may take in all.
const LIMIT: Duration = Duration::from_secs(40);

pub struct Sipp {
    scenario: String,
    target: Option<SocketAddr>,
    tcp: bool,
    calls: u32,
    rate: u32,
    speaks_ms: u64,
    number: String,
    speech: Vec<u8>,
    port: u16,
}

impl Sipp {
    /// One call to `target`.
    pub fn new(scenario: &str, target: SocketAddr) -> Self {
        let port = super::free_port();
        Self {
            scenario: scenario.into(),
            target: Some(target),
            tcp: false,
            calls: 1,
            rate: 10,
            speaks_ms: 500,
            number: "800".into(),
            speech: Vec::new(),
            port,
        }
    }

    /// A phone that waits for one call.
    pub fn phone(scenario: &str) -> Self {
        Self { target: None, ..Self::new(scenario, SocketAddr::from(([127, 0, 0, 1], 9))) }
    }

    pub fn tcp(self) -> Self {
        Self { tcp: true, ..self }
    }

    /// What a scenario's `[service]` is.
    pub fn dials(self, number: &str) -> Self {
        Self { number: number.into(), ..self }
    }

    /// `calls` calls, `rate` begun a second.
    pub fn calls(self, calls: u32, rate: u32) -> Self {
        Self { calls, rate, ..self }
    }

    /// What a scenario's `<pause />` takes, ms.
    pub fn speaks_for(self, speaks_ms: u64) -> Self {
        Self { speaks_ms, ..self }
    }

    /// The number that `caller_plays` dials, and what it plays, 8 kHz.
    pub fn plays(self, number: &str, samples: &[i16]) -> Self {
        let mut speech = vec![0; samples.len()];
        Codec::Pcmu.encoder().encode(samples, &mut speech);
        Self { number: number.into(), speech, ..self }
    }

    /// Runs the scenario to its end.
    pub async fn run(self) {
        self.start().finish().await;
    }

    pub fn start(self) -> Running {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let errors = folder.path().join("errors.log");
        std::fs::write(folder.path().join("speech.raw"), &self.speech).expect("room on the disk");
        let scenario = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(format!("tests/sipp/{}.xml", self.scenario));
        let mut command = Command::new(super::tool("sipp"));
        command.args(self.target.map(|target| target.to_string()));
        let v6 = self.target.is_some_and(|target| target.is_ipv6());
        command.arg("-sf").arg(scenario).args(["-i", if v6 { "::1" } else { "127.0.0.1" }]);
        command.args(["-p", &self.port.to_string()]);
        command.args(["-m", &self.calls.to_string(), "-r", &self.rate.to_string()]);
        command.args(["-s", &self.number, "-t", if self.tcp { "t1" } else { "u1" }, "-d", &self.speaks_ms.to_string()]);
        // Its own port range for sound, above its signalling port.
        command.args(["-mp", &(self.port + 2).to_string(), "-nostdin"]);
        if self.speech.is_empty() {
            command.arg("-rtp_echo"); // one source of sound is enough
        }
        command.arg("-trace_err").arg("-error_file").arg(&errors).current_dir(folder.path());
        // Every message as SIPp saw it, for one who looks for a fault.
        if let Some(file) = std::env::var_os("FRONTDESK_TEST_SIPP_TRACE") {
            command.arg("-trace_msg").arg("-message_file").arg(file);
        }
        let child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).kill_on_drop(true).spawn();
        Running {
            child: child.expect("sipp starts"),
            scenario: self.scenario,
            port: self.port,
            tcp: self.tcp,
            errors,
            _folder: folder,
        }
    }
}

/// A scenario under way; killed (by its own id) when dropped.
pub struct Running {
    child: Child,
    scenario: String,
    port: u16,
    tcp: bool,
    errors: PathBuf,
    _folder: tempfile::TempDir,
}

impl Running {
    /// Where it can be called.
    pub fn uri(&self) -> String {
        format!("sip:agent@127.0.0.1:{}{}", self.port, if self.tcp { ";transport=tcp" } else { "" })
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    /// Waits until it takes TCP connections: nobody asks a second time, as by UDP. Looked up, so that it is not called.
    pub async fn listens(self) -> Self {
        let ours = format!(":{:04X} ", self.port);
        for _ in 0..200 {
            let sockets = std::fs::read_to_string("/proc/net/tcp").expect("the kernel's sockets");
            // Its second and fourth columns: our address, and 0A for one that listens.
            if sockets.lines().any(|line| line.contains(&ours) && line.contains(":0000 0A ")) {
                return self;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("{} does not listen", self.scenario);
    }

    /// Waits for the end of the scenario, which must be a success.
    pub async fn finish(mut self) {
        let ended = tokio::time::timeout(LIMIT, self.child.wait()).await;
        let errors = std::fs::read_to_string(&self.errors).unwrap_or_default();
        let status = ended.unwrap_or_else(|_| panic!("{} takes more than {LIMIT:?}\n{errors}", self.scenario));
        assert!(status.expect("sipp ends").success(), "scenario {} failed\n{errors}", self.scenario);
    }
}

impl Drop for Running {
    /// A test that fails for another reason may do so because SIPp did.
    fn drop(&mut self) {
        let errors = std::fs::read_to_string(&self.errors).unwrap_or_default();
        if std::thread::panicking() && !errors.is_empty() {
            eprintln!("{}: {errors}", self.scenario);
        }
    }
}

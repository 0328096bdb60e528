//! The engine as its users run it: the built binary on loopback, with the shipped conversations, the example back
//! office beside it, and its records open to look into.
//!
//! ```ignore
//! let engine = Engine::start().await;
//! ...                                                     // call engine.address
//! let entry = engine.wait_for("the transfer", SECONDS, |note| matches!(note, Note::Transfer { .. })).await;
//! let record = engine.finished(SECONDS).await;
//! engine.terminate().await;
//! ```

use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use frontdesk::call::{Entry, Logged, Note};
use frontdesk::dialog::flow::Flow;
use frontdesk::records::{Archive, CallRecord, Filter};
use tokio::process::{Child, Command};
use tokio::time::Instant;

/// The password of every agent's phone.
pub const PASSWORD: &str = "correct-horse-battery";
/// What a cold start may take: models, intents, prompts made ahead.
const START: Duration = Duration::from_secs(240);

pub struct Engine {
    child: Child,
    /// Killed when dropped.
    backend: Child,
    pub address: SocketAddr,
    folder: tempfile::TempDir,
}

impl Engine {
    /// With the agents anna (English: everything) and wang (Mandarin), who register by these names.
    pub async fn start() -> Self {
        Self::start_with("", "").await
    }

    /// With further agents for the bank's front desk, each at a SIP address, and more lines of configuration.
    pub async fn start_with(agents: &str, more: &str) -> Self {
        Self::start_changed(agents, more, |configuration| configuration).await
    }

    /// With another configuration, made of the usual one.
    pub async fn start_changed(agents: &str, more: &str, change: impl Fn(String) -> String) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let port = super::free_port();
        fs::write(folder.path().join("agents.secret"), PASSWORD).expect("a file");
        fs::write(folder.path().join("config.yaml"), change(configuration(port, agents, more))).expect("a file");
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let backend = Command::new(super::tool("python3"))
            .arg(root.join("examples/backend/server.py"))
            .args(["--port", &port.to_string()])
            .stdout(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .expect("python3 starts");
        let (child, address) = run(folder.path()).await;
        Self { child, backend, address, folder }
    }

    /// With callers of the front desk called back by a trunk on this port.
    pub async fn start_calling_back(trunk: u16) -> Self {
        let queue = "front-desk: { callback: { trunk: carrier, numbers: [\"555*\"], retry_s: 2 } }";
        let trunks = format!("trunks: {{ carrier: {{ host: \"127.0.0.1:{trunk}\", keep_alive_s: 0 }} }}");
        Self::start_changed("", &trunks, |configuration| configuration.replace("front-desk: {}", queue)).await
    }

    /// The same configuration and records, in a new process.
    pub async fn again(self) -> Self {
        let Self { mut child, backend, folder, .. } = self;
        let _ = child.kill().await; // gone already, usually
        let (child, address) = run(folder.path()).await;
        Self { child, backend, address, folder }
    }

    pub fn uri(&self, number: &str) -> String {
        format!("sip:{number}@{}", self.address)
    }

    /// Where browsers call, where the configuration has `browser`.
    pub fn pages(&self) -> String {
        let log = self.log();
        let rest = log.split("browsers call at ").nth(1).expect("a door for browsers");
        rest.split(' ').next().expect("its address").to_owned()
    }

    /// The agents' desk, where the configuration has `console`; and the link by which its administrator sets a password.
    pub fn desk(&self) -> (String, String) {
        let log = self.log();
        let rest = log.split("the agents' desk is at ").nth(1).expect("a desk");
        let link = log.split("within a day: ").nth(1).and_then(|rest| rest.lines().next()).unwrap_or_default();
        (rest.lines().next().expect("its address").to_owned(), link.to_owned())
    }

    pub fn records(&self) -> std::path::PathBuf {
        self.folder.path().join("records")
    }

    pub fn configuration(&self) -> std::path::PathBuf {
        self.folder.path().join("config.yaml")
    }

    pub async fn archive(&self) -> Archive {
        Archive::open(&self.records()).await.expect("records")
    }

    /// The newest call, as far as it is written down.
    pub async fn newest(&self) -> Option<CallRecord> {
        let archive = self.archive().await;
        let newest = archive.list(&Filter { limit: Some(1), ..Filter::default() }).await.expect("a list").pop()?;
        Some(archive.show(&newest.call).await.expect("its record"))
    }

    /// Waits until the newest call's timeline has such an entry.
    pub async fn wait_for(&self, what: &str, limit: Duration, wanted: impl Fn(&Note) -> bool) -> Entry {
        let until = Instant::now() + limit;
        loop {
            let record = self.newest().await;
            let timeline = record.as_ref().map(|record| record.timeline.as_slice()).unwrap_or_default();
            if let Some(entry) = timeline.iter().rfind(|entry| wanted(&entry.note)) {
                return entry.clone();
            }
            assert!(Instant::now() < until, "not within {limit:?}: {what}; {timeline:#?}\n{}", self.log());
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// Waits until the bot has come to a step.
    pub async fn at_step(&self, name: &str, limit: Duration) -> Entry {
        self.wait_for(name, limit, |note| matches!(note, Note::Step { step } if step == name)).await
    }

    /// The newest call's whole record, once it has ended.
    pub async fn finished(&self, limit: Duration) -> CallRecord {
        let until = Instant::now() + limit;
        loop {
            if let Some(record) = self.newest().await.filter(|record| record.summary.is_some()) {
                return record;
            }
            assert!(Instant::now() < until, "the call has not ended within {limit:?}\n{}", self.log());
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// A call's event log, and the flow it followed.
    pub async fn event_log(&self, record: &CallRecord) -> (Vec<Logged>, Flow) {
        let archive = self.archive().await;
        let flow = archive.flow(&record.head.flow_hash).await.expect("its flow");
        let log = archive.event_log(&record.head.call).await.expect("its event log");
        let line = |line: frontdesk::records::LoggedLine| Logged {
            at_ms: line.at_ms,
            event: serde_json::from_str(&line.event_json).expect("an event"),
            actions: serde_json::from_str(&line.actions_json).expect("actions"),
        };
        (log.into_iter().map(line).collect(), serde_json::from_str(&flow).expect("a flow"))
    }

    /// Replays the event log: the same actions, to the byte.
    pub async fn assert_replays(&self, record: &CallRecord) {
        let (log, flow) = self.event_log(record).await;
        assert!(!log.is_empty());
        let again = frontdesk::call::replay_log(std::sync::Arc::new(flow), &log);
        let bytes = |log: &[Logged]| serde_json::to_string(log).expect("JSON");
        assert_eq!(bytes(&again), bytes(&log));
    }

    pub fn signal(&self, signal: rustix::process::Signal) {
        let id = self.child.id().expect("it runs") as i32;
        let id = rustix::process::Pid::from_raw(id).expect("a process id");
        rustix::process::kill_process(id, signal).expect("a signal");
    }

    /// Waits for the process to end by itself.
    pub async fn ended(&mut self, limit: Duration) -> ExitStatus {
        match tokio::time::timeout(limit, self.child.wait()).await {
            Ok(status) => status.expect("a status"),
            Err(_) => panic!("the engine still runs after {limit:?}\n{}", self.log()),
        }
    }

    /// Stops it as an operator does.
    pub async fn terminate(mut self) {
        self.signal(rustix::process::Signal::TERM);
        let status = self.ended(Duration::from_secs(20)).await;
        assert!(status.success(), "{status}\n{}", self.log());
    }

    pub fn log(&self) -> String {
        fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }
}

async fn run(folder: &Path) -> (Child, SocketAddr) {
    let log = fs::File::create(folder.join("log")).expect("a file");
    // `make acceptance` measures the release binary.
    let binary = std::env::var_os("FRONTDESK").unwrap_or_else(|| env!("CARGO_BIN_EXE_frontdesk").into());
    let child = Command::new(binary)
        .args(["serve", "config.yaml"])
        .current_dir(folder)
        .env("FRONTDESK_LOG", "info,frontdesk=debug")
        .stdin(Stdio::null())
        .stdout(log.try_clone().expect("one more handle"))
        .stderr(log)
        .kill_on_drop(true)
        .spawn();
    let mut child = child.expect("the engine starts");
    let until = Instant::now() + START;
    loop {
        let log = fs::read_to_string(folder.join("log")).unwrap_or_default();
        if let Some(rest) = log.split("frontdesk answers at ").nth(1)
            && let Some(address) = rest.split(' ').next()
        {
            return (child, address.parse().expect("an address"));
        }
        let ended = child.try_wait().expect("its status");
        assert!(ended.is_none() && Instant::now() < until, "the engine did not start ({ended:?})\n{log}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// An agent of the bank's front desk whose telephone is always at this address.
pub fn desk_agent(name: &str, uri: &str) -> String {
    format!("  {name}: {{ uri: \"{uri}\", queues: [front-desk] }}\n")
}

fn configuration(backend: u16, agents: &str, more: &str) -> String {
    let flows = Path::new(env!("CARGO_MANIFEST_DIR")).join("config/flows");
    let flows = flows.display();
    format!(
        r#"
flows: ["{flows}/bank.yaml", "{flows}/parcel.yaml"]
knowledge: {{ parcel: {{ folder: "{flows}/../knowledge/parcel" }} }}
lines:
  bank: {{ numbers: ["1000"], flow: bank }}
  parcel: {{ numbers: ["2000"], flow: parcel }}
agents:
  anna:
    password: {{ file: agents.secret }}
    queues: [front-desk, cards]
    skills: [cards, mortgages]
    languages: [en]
  wang:
    password: {{ file: agents.secret }}
    queues: [service]
    skills: [complaints, pickups]
    languages: [zh]
{agents}
queues:
  front-desk: {{}}
  cards: {{}}
  service: {{}}
backends:
  balance: {{ url: "http://127.0.0.1:{backend}/accounts/{{account}}/balance", timeout_ms: 2000 }}
  parcel: {{ url: "http://127.0.0.1:{backend}/parcels/{{number}}", timeout_ms: 2000 }}
sip: {{ listen: "127.0.0.1:0", rtp_ports: 30000-39999 }}
http: {{ listen: "off" }}
records: {{ folder: records }}
{more}
"#
    )
}

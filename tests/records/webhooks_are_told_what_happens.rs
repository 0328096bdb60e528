//! What happens in calls is told to webhooks, signed, at least once: through failures, slowness, absence and a killed engine.
//! The receivers are real HTTP servers that let nothing in whose signature is wrong.

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::Bytes;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use chrono::Utc;
use frontdesk::call::{Caller, Cause, Fact, FactKind, LeftMessage, Outcome, Promise, Summary};
use frontdesk::config::{self, Config};
use frontdesk::dialog::Language;
use frontdesk::engine::{Patience, Webhooks};
use frontdesk::records::{CallbackState, Corrections, Ending, Keys, Leg, Repair, Store, StoredFlow};
use frontdesk::web::signature;
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::sync::watch;

const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const NUMBER: &str = "+4930555123";
const ALL: &str = "call_ended, wrapped_up, alert, message_left, callback_kept, callback_over";
const CHILD: &str = "FRONTDESK_TEST_WEBHOOKS_FOLDER";
const LIMIT: Duration = Duration::from_secs(20);

/// Quick, so that a test of a day takes a second.
const PATIENCE: Patience = Patience {
    answer: Duration::from_millis(500),
    first: Duration::from_millis(10),
    longest: Duration::from_millis(50),
    give_up: Duration::from_secs(3_600),
};

/// A receiver: what it took, and what it answers to the first requests.
#[derive(Clone, Default)]
struct Receiver {
    taken: Arc<Mutex<Vec<(String, Value)>>>,
    /// Ids of requests that it did not take, in order.
    refused: Arc<Mutex<Vec<String>>>,
    /// So many are answered by `with` first.
    first: Arc<AtomicUsize>,
    with: Arc<Mutex<Option<StatusCode>>>,
}

impl Receiver {
    /// That fails so often: by a status, or by saying nothing.
    fn failing(times: usize, with: Option<StatusCode>) -> Self {
        let receiver = Self::default();
        receiver.first.store(times, Ordering::Relaxed);
        *receiver.with.lock().unwrap() = with;
        receiver
    }

    async fn listen(&self, at: SocketAddr) -> SocketAddr {
        let receiver = self.clone();
        let take = move |headers: HeaderMap, body: Bytes| receiver.clone().take(headers, body);
        let listener = TcpListener::bind(at).await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move { axum::serve(listener, Router::new().route("/hook", post(take))).await });
        address
    }

    async fn take(self, headers: HeaderMap, body: Bytes) -> StatusCode {
        let secret = signature::secret(SECRET).unwrap();
        let id = headers.get("webhook-id").map(|id| id.to_str().unwrap().to_owned()).unwrap_or_default();
        if !signature::verify(&secret, &headers, &body, Utc::now().timestamp()) {
            self.refused.lock().unwrap().push(id);
            return StatusCode::UNAUTHORIZED;
        }
        if self.first.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1)).is_ok() {
            self.refused.lock().unwrap().push(id.clone());
            let with = *self.with.lock().unwrap();
            match with {
                Some(status) => return status,
                None => std::future::pending().await,
            }
        }
        self.taken.lock().unwrap().push((id, serde_json::from_slice(&body).unwrap()));
        StatusCode::NO_CONTENT
    }

    fn taken(&self) -> Vec<(String, Value)> {
        self.taken.lock().unwrap().clone()
    }

    async fn until(&self, what: &str, met: impl Fn(&Self) -> bool) {
        let until = Instant::now() + LIMIT;
        while !met(self) {
            assert!(Instant::now() < until, "{what}: {:?}, refused {:?}", self.taken(), self.refused.lock().unwrap());
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
}

fn anywhere() -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], 0))
}

/// A configuration with these webhooks: name, address, the rest.
fn configured(webhooks: &[(&str, SocketAddr, &str)]) -> Arc<Config> {
    let folder = tempfile::tempdir().unwrap();
    let mut text = String::from(
        r#"
lines: { main: { numbers: ["100"], flow: hello } }
agents: { anna: { uri: "sip:anna@10.0.0.1", queues: [desk] } }
queues: { desk: {} }
flows:
  - flow: hello
    language: en
    person: { queue: desk }
    start: desk
    steps: { desk: { transfer: desk } }
webhooks:
"#,
    );
    for (name, address, rest) in webhooks {
        text += &format!("  {name}: {{ url: \"http://{address}/hook\", secret: {{ file: secret }}, {rest} }}\n");
    }
    std::fs::write(folder.path().join("secret"), SECRET).unwrap();
    std::fs::write(folder.path().join("config.yaml"), text).unwrap();
    Arc::new(config::load(&folder.path().join("config.yaml")).unwrap())
}

/// Starts sending.
fn sending(store: &Store, config: Arc<Config>) -> watch::Sender<Arc<Config>> {
    let (today, follows) = watch::channel(config);
    tokio::spawn(Webhooks::new(store.clone(), follows, PATIENCE).run());
    today
}

fn begin(store: &Store, call: &str) {
    let caller = Caller { number: NUMBER.into(), line: "main".into(), dialled: "100".into(), ..Caller::default() };
    let flow = StoredFlow::new("hello", &serde_json::json!({ "steps": {} })).unwrap();
    store.begin(&call.to_owned(), &caller, Utc::now(), &flow);
}

fn end(store: &Store, call: &str) {
    let fact = |kind, text: &str| Fact { kind, text: text.into(), entry: 0 };
    let facts = vec![
        fact(FactKind::Caller, &format!("Calls from {NUMBER}.")),
        fact(FactKind::Wanted, "Wants the balance."),
        fact(FactKind::LastWords, "I live in Elm Street."),
    ];
    let summary = Summary { outcome: Some(Outcome::HandedOver), language: "en".into(), facts };
    store.finish(&call.to_owned(), Ending { cause: Cause::Completed, ended: Utc::now(), summary, quality: None });
}

fn a_call(store: &Store, call: &str) {
    begin(store, call);
    end(store, call);
}

#[tokio::test]
async fn a_failing_receiver_is_told_again_under_the_same_id_until_it_takes_it() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path()).await.unwrap();
    let receiver = Receiver::failing(3, Some(StatusCode::INTERNAL_SERVER_ERROR));
    let address = receiver.listen(anywhere()).await;
    let _today = sending(&store, configured(&[("crm", address, "events: [call_ended]")]));
    a_call(&store, "call");
    receiver.until("it is taken", |receiver| !receiver.taken().is_empty()).await;
    let (id, body) = receiver.taken().remove(0);
    assert_eq!(*receiver.refused.lock().unwrap(), vec![id; 3]);
    assert_eq!(body["type"], "call_ended");
    let data = &body["data"];
    assert_eq!(
        (&data["call"], &data["line"], &data["outcome"]),
        (&"call".into(), &"main".into(), &"handed_over".into())
    );
    assert_eq!(data["facts"], serde_json::json!([{ "kind": "wanted", "text": "Wants the balance." }]));
    tokio::time::sleep(Duration::from_millis(1_500)).await; // one more look
    assert_eq!(receiver.taken().len(), 1, "once taken is enough");
    store.close().await.unwrap();
}

#[tokio::test]
async fn a_slow_receiver_holds_up_no_other() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path()).await.unwrap();
    let (slow, quick) = (Receiver::failing(20, None), Receiver::default());
    let (a, b) = (slow.listen(anywhere()).await, quick.listen(anywhere()).await);
    let _today = sending(&store, configured(&[("a", a, "events: [call_ended]"), ("b", b, "events: [call_ended]")]));
    (0..20).for_each(|n| a_call(&store, &format!("call {n}")));
    quick.until("the quick one has all", |receiver| receiver.taken().len() == 20).await;
    assert!(slow.taken().len() < 20, "the slow one is still waited for");
    slow.until("the slow one has all, too", |receiver| receiver.taken().len() >= 20).await;
    store.close().await.unwrap();
}

#[tokio::test]
async fn personal_data_are_told_only_to_who_is_to_have_them() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path()).await.unwrap();
    let (bare, whole) = (Receiver::default(), Receiver::default());
    let (a, b) = (bare.listen(anywhere()).await, whole.listen(anywhere()).await);
    let all = format!("events: [{ALL}]");
    let config = configured(&[("bare", a, &all), ("whole", b, &format!("{all}, personal: true"))]);
    let _today = sending(&store, config);
    let call = "call".to_owned();
    begin(&store, &call);
    let text = "I live in Elm Street.".to_owned();
    store.message(&call, LeftMessage { queue: "desk".into(), from_ms: 1, to_ms: 2, text });
    let summary = Summary { outcome: None, language: "en".into(), facts: vec![] };
    let promise = Promise {
        queue: "desk".into(),
        skills: vec![],
        language: Language::new("en"),
        priority: 0,
        number: NUMBER.into(),
        recorded: true,
        summary,
    };
    store.promise(&call, promise, Utc::now(), Utc::now() + chrono::TimeDelta::hours(1)).await.unwrap();
    store.callback_is(&call, CallbackState::Reached);
    let leg =
        Leg { n: 1, agent: Some("anna".into()), began_ms: 1, answered_ms: Some(2), ended_ms: Some(3), quality: None };
    store.leg(&call, leg);
    end(&store, &call);
    store.flush().await.unwrap();
    let archive = store.archive().await.unwrap();
    let corrections = Corrections { headline: Some("Moves to Elm Street".into()), ..Corrections::default() };
    archive.wrap_up(&call, "anna", Some("settled"), "Moves to Elm Street.", &corrections).await.unwrap();
    for receiver in [&bare, &whole] {
        receiver.until("all five", |receiver| receiver.taken().len() == 5).await;
    }
    let told = |receiver: &Receiver, kind: &str| {
        receiver.taken().into_iter().find(|(_, body)| body["type"] == kind).map(|(_, body)| body).unwrap()
    };
    let everything = format!("{:?}", bare.taken());
    for personal in ["555123", "Elm Street"] {
        assert!(!everything.contains(personal), "{everything}");
    }
    assert_eq!(told(&bare, "wrapped_up")["data"]["disposition"], "settled");
    assert_eq!(told(&bare, "callback_over")["data"]["state"], "reached");
    assert_eq!(told(&bare, "call_ended")["data"]["agents"], serde_json::json!(["anna"]));
    assert_eq!(told(&whole, "wrapped_up")["data"]["notes"], "Moves to Elm Street.");
    assert_eq!(told(&whole, "wrapped_up")["data"]["corrections"]["headline"], "Moves to Elm Street");
    assert_eq!(told(&whole, "message_left")["data"]["text"], "I live in Elm Street.");
    assert_eq!(told(&whole, "callback_kept")["data"]["number"], NUMBER);
    assert_eq!(told(&whole, "call_ended")["data"]["caller"]["number"], NUMBER);
    store.close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_engine_tells_after_its_restart() {
    if let Some(folder) = std::env::var_os(CHILD) {
        return write_and_wait(Path::new(&folder)).await;
    }
    let folder = tempfile::tempdir().unwrap();
    let name = "webhooks_are_told_what_happens::a_killed_engine_tells_after_its_restart";
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", name, "--nocapture"])
        .env(CHILD, folder.path())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    assert!(lines.any(|line| line.unwrap().contains("written")), "the child writes");
    child.kill().unwrap(); // SIGKILL
    child.wait().unwrap();

    let receiver = Receiver::default();
    let address = receiver.listen(anywhere()).await;
    let config = configured(&[("crm", address, "events: [call_ended]")]);
    let keys = Keys::parse(&"ab".repeat(32)).unwrap();
    let store = Store::open_with(folder.path(), keys).await.unwrap();
    // As the engine does: who subscribes hears of calls that were cut off, too.
    let _today = sending(&store, config);
    let repair = Repair { recording: &|_| Ok(()), summary: &|_, _| None };
    assert_eq!(store.recover(&repair).await.unwrap().len(), 1);
    receiver.until("both calls", |receiver| receiver.taken().len() == 2).await;
    let mut causes: Vec<_> = receiver.taken().iter().map(|(_, body)| body["data"]["cause"].to_string()).collect();
    causes.sort();
    assert_eq!(causes, [r#""completed""#, r#""interrupted""#]);
    store.close().await.unwrap();
}

/// One call is over, and nobody listens; another is up.
async fn write_and_wait(folder: &Path) {
    let keys = Keys::parse(&"ab".repeat(32)).unwrap();
    let store = Store::open_with(folder, keys).await.unwrap();
    let nobody = TcpListener::bind(anywhere()).await.unwrap().local_addr().unwrap();
    let _today = sending(&store, configured(&[("crm", nobody, "events: [call_ended]")]));
    a_call(&store, "over");
    begin(&store, "up");
    store.flush().await.unwrap();
    tokio::time::sleep(Duration::from_millis(1_200)).await; // it is tried
    println!("written");
    std::future::pending::<()>().await;
}

#[tokio::test]
async fn who_comes_back_takes_what_was_missed_and_a_webhook_that_is_gone_is_forgotten() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path()).await.unwrap();
    let nobody = TcpListener::bind(anywhere()).await.unwrap().local_addr().unwrap();
    let both = configured(&[("crm", nobody, "events: [call_ended]"), ("old", nobody, "events: [call_ended]")]);
    let today = sending(&store, both);
    a_call(&store, "call");
    store.flush().await.unwrap();
    let archive = store.archive().await.unwrap();
    let later = Utc::now() + chrono::TimeDelta::days(1);
    let until = Instant::now() + LIMIT;
    while archive.due("crm", later, 9).await.unwrap()[0].attempts < 2 {
        assert!(Instant::now() < until, "it is not tried again");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(archive.due("old", later, 9).await.unwrap().len(), 1);
    let receiver = Receiver::default();
    receiver.listen(nobody).await; // it is there again
    today.send_replace(configured(&[("crm", nobody, "events: [call_ended]")]));
    receiver.until("it has what it missed", |receiver| receiver.taken().len() == 1).await;
    let until = Instant::now() + LIMIT;
    while !archive.due("old", later, 9).await.unwrap().is_empty() {
        assert!(Instant::now() < until, "it is kept for nobody");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    store.close().await.unwrap();
}

#[tokio::test]
async fn what_waits_is_sealed_bounded_and_erased_with_its_call() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open_with(folder.path(), Keys::parse(&"ab".repeat(32)).unwrap()).await.unwrap();
    let nobody = TcpListener::bind(anywhere()).await.unwrap().local_addr().unwrap();
    let (_, follows) = watch::channel(configured(&[("crm", nobody, "events: [message_left]")]));
    let _unsent = Webhooks::new(store.clone(), follows, PATIENCE);
    let call = "call".to_owned();
    begin(&store, &call);
    for n in 0..10_050 {
        let text = format!("I live in Elm Street {n}.");
        store.message(&call, LeftMessage { queue: "desk".into(), from_ms: 1, to_ms: 2, text });
    }
    end(&store, &call);
    store.flush().await.unwrap();
    let archive = store.archive().await.unwrap();
    let later = Utc::now() + chrono::TimeDelta::days(1);
    let waiting = archive.due("crm", later, u32::MAX).await.unwrap();
    assert_eq!(waiting.len(), 10_000);
    assert_eq!(waiting[0].detail["text"], "I live in Elm Street 0.");
    for file in std::fs::read_dir(folder.path()).unwrap() {
        let path = file.unwrap().path();
        if path.is_file() {
            let bytes = std::fs::read(&path).unwrap();
            assert!(!bytes.windows(10).any(|part| part == b"Elm Street"), "{}", path.display());
        }
    }
    assert_eq!(archive.erase_caller(NUMBER).await.unwrap().calls, 1);
    assert_eq!(archive.due("crm", later, 9).await.unwrap(), []);
    store.close().await.unwrap();
}

#[tokio::test]
async fn a_receiver_lets_no_forged_request_in() {
    let receiver = Receiver::default();
    let address = receiver.listen(anywhere()).await;
    let (url, now, body) = (format!("http://{address}/hook"), Utc::now().timestamp(), r#"{"type":"call_ended"}"#);
    let post = async |id: &str, signature: String| {
        let request = reqwest::Client::new().post(&url).header(signature::ID, id).header(signature::TIMESTAMP, now);
        request.header(signature::SIGNATURE, signature).body(body).send().await.unwrap().status()
    };
    let right = signature::secret(SECRET).unwrap();
    let good = signature::sign(&right, "one", now, body.as_bytes());
    assert_eq!(post("one", signature::sign(&[7; 24], "one", now, body.as_bytes())).await, 401, "another's secret");
    assert_eq!(post("two", good.clone()).await, 401, "another message's");
    assert_eq!(post("one", String::new()).await, 401);
    assert_eq!(post("one", good).await, 204);
}

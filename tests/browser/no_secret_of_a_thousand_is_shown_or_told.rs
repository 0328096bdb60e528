//! A thousand callers tell a card number, a PIN, a one-time code, an id or a telephone number to a menu, a question or a
//! message: none is shown by the desk, the wall or the records, to whatever role, nor told to a webhook, personal or not, nor in
//! a log line or a metric's label; in any grouping, in figures or words, nor any six digits of it. Who has no part in a call, or
//! may know of no caller, is not shown who called either. The same search finds them where nothing stands before the call.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::Bytes;
use axum::http::StatusCode;
use axum::routing::post;
use chrono::{DateTime, NaiveDate, Utc};
use frontdesk::answers::Meaning;
use frontdesk::call::{Action, Call, Event, Logged, summarise};
use frontdesk::config::{self, Config};
use frontdesk::dialog::flow::Flow;
use frontdesk::engine::{Patience, Webhooks};
use frontdesk::records::{Ending, Leg, LoggedLine, StoredFlow};
use frontdesk::telemetry::Metrics;
use regex::Regex;
use reqwest::Method;
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tracing_subscriber::EnvFilter;

use crate::desk::{Client, House, agent, colleague, settings};
use crate::script::secrets::{self, ALL, Place, Random};

/// Of each of six kinds, in each of two languages.
const EACH: usize = 84;
/// The caller's number, which the network tells.
const OWN: &str = "+442071234567";
const LIMIT: Duration = Duration::from_secs(60);

/// All that a page was sent by server-sent events, and of that what was not asked for yet.
#[derive(Clone, Default)]
struct Page(Arc<Mutex<Vec<u8>>>, Arc<Mutex<Vec<(String, Value)>>>);

impl Page {
    async fn open(client: &Client, path: &str) -> Self {
        let page = Self::default();
        let mut answer = client.request(Method::GET, path).send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::OK, "{path}");
        let sent = page.clone();
        tokio::spawn(async move {
            while let Ok(Some(chunk)) = answer.chunk().await {
                sent.0.lock().unwrap().extend_from_slice(&chunk);
            }
        });
        page
    }

    /// The events up to one of this kind, each with its data.
    async fn until(&self, kind: &str) -> Vec<(String, Value)> {
        let (mut all, until) = (self.events(), Instant::now() + LIMIT);
        loop {
            if let Some(at) = all.iter().position(|(of, _)| of == kind) {
                // Several come at once.
                self.1.lock().unwrap().extend(all.split_off(at + 1));
                return all;
            }
            assert!(Instant::now() < until, "no {kind} came");
            tokio::time::sleep(Duration::from_millis(1)).await;
            all.extend(self.events());
        }
    }

    /// Those that came whole since this was last asked.
    fn events(&self) -> Vec<(String, Value)> {
        let mut sent = self.0.lock().unwrap();
        let whole = sent.windows(2).rposition(|end| end == b"\n\n").map_or(0, |at| at + 2);
        let text = String::from_utf8(sent.drain(..whole).collect()).unwrap();
        let event = |event: &str| {
            let (kind, data) = event.split_once('\n').expect("a kind and its data");
            let data = data.strip_prefix("data: ").expect("data in one line");
            (kind.trim_start_matches("event: ").to_owned(), serde_json::from_str(data).expect("JSON"))
        };
        let events = text.split("\n\n").filter(|event| !event.is_empty()).map(event);
        std::mem::take(&mut *self.1.lock().unwrap()).into_iter().chain(events).collect()
    }
}

/// What stands on a desk after these events.
fn on_desk(events: Vec<(String, Value)>) -> Value {
    let mut shown = Value::Null;
    for (kind, data) in events {
        match kind.as_str() {
            "ring" | "call" => shown = data,
            "line" => shown["lines"].as_array_mut().expect("a call is shown").push(data["line"].clone()),
            _ => {}
        }
    }
    shown
}

/// Streams of digits of a document, text by text; of a call's lines, also turn after turn and key after key. Times are no
/// secrets, nor is what the network says of the caller.
fn seen(document: &Value) -> Vec<String> {
    let mut all = Vec::new();
    texts(document, &mut all);
    let lines = document["lines"].as_array().map_or(&[][..], Vec::as_slice);
    let one = |event: &str, field: &str| {
        let of = lines.iter().filter(|line| line["event"] == event);
        of.filter_map(|line| line[field].as_str()).map(secrets::digit_stream).collect()
    };
    all.extend([one("utterance", "text"), one("dtmf", "key")]);
    all
}

fn texts(value: &Value, into: &mut Vec<String>) {
    match value {
        Value::String(text) if DateTime::parse_from_rfc3339(text).is_ok() || text.parse::<NaiveDate>().is_ok() => {}
        Value::String(text) => into.push(secrets::digit_stream(&text.replace(OWN, ""))),
        Value::Array(items) => items.iter().for_each(|item| texts(item, into)),
        Value::Object(fields) => {
            let told = fields.iter().filter(|(name, _)| !matches!(name.as_str(), "caller" | "dialled" | "with"));
            told.for_each(|(_, field)| texts(field, into));
        }
        _ => {}
    }
}

/// Everything that is logged, before it is masked once more on its way out.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    fn listen() -> Self {
        let log = Self::default();
        let writer = log.clone();
        let filter = EnvFilter::new("info,frontdesk=trace,sqlx=error");
        let logs = tracing_subscriber::fmt().with_env_filter(filter).with_writer(move || writer.clone());
        logs.without_time().with_ansi(false).init();
        log
    }

    /// Its lines without addresses.
    fn lines(&self) -> Vec<String> {
        let log = String::from_utf8(self.0.lock().unwrap().clone()).unwrap();
        let addresses = Regex::new(r"\d+\.\d+\.\d+\.\d+(:\d+)?").unwrap();
        log.lines().map(|line| addresses.replace_all(line, "").into_owned()).collect()
    }
}

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }
    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

type Told = Arc<Mutex<Vec<(&'static str, Value)>>>;

/// What two webhooks are told: one with personal data, one without.
struct Hooks {
    told: Told,
    _today: watch::Sender<Arc<Config>>,
}

impl Hooks {
    async fn listen(house: &House) -> Self {
        let told = Told::default();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let take = |hook: &'static str, told: &Told| {
            let told = told.clone();
            post(move |body: Bytes| {
                told.lock().unwrap().push((hook, serde_json::from_slice(&body).unwrap()));
                std::future::ready(StatusCode::NO_CONTENT)
            })
        };
        let router = Router::new().route("/bare", take("bare", &told)).route("/personal", take("personal", &told));
        let at = listener.local_addr().unwrap();
        tokio::spawn(async move { axum::serve(listener, router).await });
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("secret"), "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap();
        let hook = |name: &str, personal: bool| {
            let events = "call_ended, wrapped_up, alert, message_left, callback_kept, callback_over";
            format!(
                "  {name}: {{ url: \"http://{at}/{name}\", secret: {{ file: secret }}, events: [{events}], personal: {personal} }}\n"
            )
        };
        let file = folder.path().join("config.yaml");
        let text = r#"
lines: { main: { numbers: ["100"], flow: hello } }
agents: { anna: { uri: "sip:anna@10.0.0.1", queues: [desk] } }
queues: { desk: {} }
flows: [{ flow: hello, language: en, person: { queue: desk }, start: desk, steps: { desk: { transfer: desk } } }]
webhooks:
"#;
        std::fs::write(&file, format!("{text}{}{}", hook("bare", false), hook("personal", true))).unwrap();
        let (today, follows) = watch::channel(Arc::new(config::load(&file).unwrap()));
        tokio::spawn(Webhooks::new(house.store.clone(), follows, Patience::default()).run());
        Self { told, _today: today }
    }

    /// Waits until both have been told of so many things.
    async fn until(&self, count: usize) -> Vec<(&'static str, Value)> {
        let until = Instant::now() + LIMIT;
        while self.told.lock().unwrap().len() < 2 * count {
            assert!(Instant::now() < until, "{} of {} came", self.told.lock().unwrap().len(), 2 * count);
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        self.told.lock().unwrap().clone()
    }
}

/// A name without digits.
fn name(call: usize) -> String {
    format!("{call:05}").bytes().map(|digit| char::from(digit - b'0' + b'a')).collect()
}

/// What the engine does with a call that has no sound.
struct Live<'h> {
    house: &'h House,
    name: String,
    call: Call,
    flow: Arc<Flow>,
    masked: bool,
    /// Messages that were left.
    messages: usize,
}

impl<'h> Live<'h> {
    fn new(house: &'h House, name: String, flow: &Arc<Flow>) -> Self {
        Self { house, name, call: Call::new(flow.clone()), flow: flow.clone(), masked: false, messages: 0 }
    }

    fn tell(&mut self, now: u64, event: &Event) {
        let House { store, board, .. } = self.house;
        let name = &self.name;
        if let Event::Arrived { caller, .. } = event {
            store.begin(name, caller, Utc::now(), &StoredFlow::new("flow", self.flow.as_ref()).unwrap());
            let (orders, _nobody) = tokio::sync::mpsc::channel(1);
            board.begin(name, caller, Utc::now(), &Meaning::default(), Vec::new(), orders);
        }
        let actions = self.call.handle(now, event.clone());
        let line = Logged::new(now, event.clone(), &actions, self.masked);
        let event_json = serde_json::to_string(&line.event).unwrap();
        store.log(
            name,
            LoggedLine { at_ms: now, event_json, actions_json: serde_json::to_string(&line.actions).unwrap() },
        );
        for action in actions {
            match action {
                Action::Note(entry) => {
                    store.note(name, &entry);
                    board.note(name, &entry);
                }
                Action::Forget { since_ms } => {
                    store.forget(name, since_ms);
                    board.forget(name, since_ms);
                }
                Action::KeepMessage(message) => {
                    store.message(name, message);
                    self.messages += 1;
                }
                Action::Mask => self.masked = true,
                Action::Unmask => self.masked = false,
                Action::Finished { summary, cause } => {
                    store.finish(name, Ending { cause, ended: Utc::now(), summary: *summary, quality: None });
                }
                _ => {}
            }
        }
    }

    /// Anna has part in it from here on.
    fn ring_anna(&self) {
        let leg = Leg {
            n: 1,
            agent: Some("anna".into()),
            began_ms: 1,
            answered_ms: Some(2),
            ended_ms: Some(3),
            quality: None,
        };
        self.house.store.leg(&self.name, leg);
        drop(self.house.board.ring(&self.name, "anna", &summarise(&self.flow, self.call.timeline())));
        self.house.board.answered(&self.name, "anna");
    }
}

async fn get(client: &Client, path: &str) -> Value {
    let (status, body) = client.send(Method::GET, path, Value::Null).await;
    assert_eq!(status, StatusCode::OK, "{path}: {body}");
    body
}

type Found = BTreeMap<&'static str, Vec<String>>;

/// A house with its agents, its supervisor and its webhooks, and what was found there.
struct Search {
    house: House,
    hooks: Hooks,
    anna: Client,
    ben: Client,
    sue: Client,
    ada: Client,
    found: Found,
}

impl Search {
    async fn begin() -> Self {
        let (house, admin) = crate::desk::open(settings()).await;
        let hooks = Hooks::listen(&house).await;
        let (anna, ben) = (agent(&admin, "anna").await, agent(&admin, "ben").await);
        let sue = colleague(&admin, "sue", "supervisor", None).await;
        let ada = colleague(&admin, "ada", "analyst", None).await;
        Self { house, hooks, anna, ben, sue, ada, found: BTreeMap::new() }
    }

    fn search(&mut self, place: &'static str, digits: &str, streams: &[String]) {
        if let Some(part) = streams.iter().find_map(|stream| secrets::leaked(digits, stream)) {
            self.found.entry(place).or_default().push(format!("{part} of {digits}"));
        }
    }

    /// So many callers of each kind and language: what was found, by place, and what each told.
    async fn run(mut self, each: usize, shielded: bool) -> (Found, Vec<String>) {
        let (annas, bens) = (Page::open(&self.anna, "/api/desk").await, Page::open(&self.ben, "/api/desk").await);
        let wall = Page::open(&self.sue, "/api/wall").await;
        annas.until("desk").await;
        let (mut random, mut told, mut messages) = (Random(7), Vec::new(), 0);
        for n in 0..2 * each * ALL.len() {
            let (secret, language) = (ALL[n / 2 % ALL.len()], if n % 2 == 0 { "en" } else { "zh" });
            let (digits, round) = (secrets::make(secret, &mut random), n / (2 * ALL.len()));
            let script = match round % 4 {
                3 => secrets::call_at(Place::Message, secret, &digits, language, shielded, &mut random),
                _ => secrets::call(secret, &digits, language, shielded, &mut random),
            };
            let name = name(n);
            let mut live = Live::new(&self.house, name.clone(), &script.flow);
            let (end, before) = script.log.split_last().expect("a call ends");
            // Lent to the bot by an agent, or put through to one.
            let rings_after = if round % 3 == 0 { 0 } else { before.len() - 1 };
            for (at, (now, event)) in before.iter().enumerate() {
                live.tell(*now, event);
                if at == rings_after {
                    live.ring_anna();
                }
            }
            let story = get(&self.sue, &format!("/api/calls/{name}")).await;
            live.tell(end.0, &end.1);
            messages += live.messages;
            self.house.board.end(&name);
            let desk = on_desk(annas.until("over").await);
            assert_eq!(desk["call"].as_str(), Some(name.as_str()), "anna's desk shows it");
            self.search("live story", &digits, &seen(&story));
            self.search("desk", &digits, &seen(&desk));
            told.push((name, digits));
            if n % 16 == 0 {
                self.house.store.flush().await.unwrap();
            }
        }
        self.house.store.flush().await.unwrap();

        let webhooks = self.hooks.until(told.len() + messages).await;
        for (name, digits) in &told {
            let path = format!("/api/records/{name}");
            for record in [get(&self.sue, &path).await, get(&self.anna, &path).await] {
                self.search("record", digits, &seen(&record));
            }
            for (hook, body) in webhooks.iter().filter(|(_, body)| body["data"]["call"] == name.as_str()) {
                self.search(hook, digits, &seen(&body["data"]));
            }
        }
        assert!(messages > 0 && webhooks.iter().any(|(_, body)| body["type"] == "message_left"));
        let listed = get(&self.sue, "/api/records").await;
        let walls = wall.events().into_iter().map(|(_, data)| data).collect();
        let everywhere: BTreeSet<String> = seen(&listed).into_iter().chain(seen(&Value::Array(walls))).collect();
        let everywhere: Vec<String> = everywhere.into_iter().filter(|stream| stream.len() >= 6).collect();
        for (_, digits) in told.iter().filter(|(_, digits)| digits.len() >= 6) {
            self.search("list or wall", digits, &everywhere);
        }

        // Ben has no part in any of them.
        for (name, _) in told.iter().step_by(100) {
            for (path, status) in [
                (format!("/api/records/{name}"), StatusCode::FORBIDDEN),
                (format!("/api/calls/{name}"), StatusCode::FORBIDDEN),
                (format!("/api/calls/{name}/earlier"), StatusCode::CONFLICT),
            ] {
                assert_eq!(self.ben.send(Method::GET, &path, Value::Null).await.0, status, "{path}");
            }
        }
        let directory = get(&self.ben, "/api/directory").await;
        let desk = format!("{:?}", bens.events());
        assert_eq!(get(&self.ben, "/api/records").await, serde_json::json!([]));
        let bare: Vec<&Value> = webhooks.iter().filter(|(hook, _)| *hook == "bare").map(|(_, body)| body).collect();
        // Ada reads them all, and learns of no caller; nor by asking for them.
        let mut read = vec![get(&self.ada, "/api/records").await];
        assert_eq!(read[0].as_array().map(Vec::len), listed.as_array().map(Vec::len));
        for (name, _) in told.iter().step_by(10) {
            read.push(get(&self.ada, &format!("/api/records/{name}")).await);
            let path = format!("/api/records/{name}/recording");
            assert_eq!(self.ada.send(Method::GET, &path, Value::Null).await.0, StatusCode::NOT_FOUND);
        }
        assert!(read[1]["lines"].as_array().is_some_and(|lines| !lines.is_empty()), "{}", read[1]);
        assert_eq!(get(&self.ada, "/api/records?text=Jo%20Doe").await, serde_json::json!([]));
        assert_ne!(get(&self.sue, "/api/records?text=Jo%20Doe").await, serde_json::json!([]));
        let read = Value::Array(read).to_string();
        for strangers in [directory.to_string(), desk, format!("{bare:?}"), read] {
            assert!(!strangers.contains(&OWN[1..]) && !strangers.contains("Jo Doe"), "{strangers}");
        }
        (self.found, told.into_iter().map(|(_, digits)| digits).collect())
    }
}

#[tokio::test]
async fn no_secret_of_a_thousand_is_shown_or_told() {
    let _alone = crate::common::chromium::alone().await;
    let (log, metrics) = (Log::listen(), Metrics::install().unwrap());
    let (found, told) = Search::begin().await.run(EACH, true).await;
    assert!(found.is_empty(), "{found:#?}");

    let lines = log.lines();
    assert!(lines.iter().any(|line| line.contains("the desk refuses a request")), "it is logged at all: {lines:#?}");
    let labels = Regex::new(r#"(\w+)="([^"]*)""#).unwrap();
    let page = metrics.render();
    let labels = labels.captures_iter(&page).filter(|label| &label[1] != "le").map(|label| label[2].to_owned());
    let labels: BTreeSet<String> = labels.collect();
    assert!(labels.contains("personal"), "it is counted at all: {page}");
    let streams: Vec<String> = lines.iter().chain(&labels).map(|text| secrets::digit_stream(text)).collect();
    // Four digits are there by chance.
    for digits in told.iter().filter(|digits| digits.len() >= 6) {
        let leaked = streams.iter().find(|stream| secrets::leaked(digits, stream).is_some());
        assert_eq!(leaked, None, "{digits}");
    }
}

#[tokio::test]
async fn the_search_finds_what_nothing_keeps_out() {
    let _alone = crate::common::chromium::alone().await;
    let (found, _) = Search::begin().await.run(4, false).await;
    for place in ["live story", "desk", "record", "personal"] {
        assert!(found.get(place).is_some_and(|found| found.len() >= 6), "{place}: {found:#?}");
    }
}

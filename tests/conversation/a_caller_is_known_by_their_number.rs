//! Callers that the house knows are greeted by name and go ahead in queues; the others lose nothing by it. What is known of
//! them is personal, and a backend that is slow to say holds nobody up.

use std::process::Command;
use std::time::{Duration, Instant};

use axum::extract::Query;
use axum::routing::get;
use axum::{Json, Router};
use frontdesk::answers::Backends;
use frontdesk::call::{Action, Caller, QueueRequest, hide_personal, summarise};
use frontdesk::config::{self, Config};
use frontdesk::engine::{backend_settings, known};
use serde_json::json;

use crate::script::{MONDAY, Script};

const HOUSE: &str = r#"
agents:
  anna: { uri: "sip:anna@10.0.0.1", queues: [desk] }
queues:
  desk: {}
lines:
  main: { numbers: ["100"], flow: hello }
people: PEOPLE
backends:
  crm: { url: "URL", timeout_ms: 5000 }
flows:
  - flow: hello
    language: en
    person: { queue: desk }
    start: who
    steps:
      who:
        decide: [{ all: [{ if: name, known: true }, { if: vip, is: "yes" }], next: welcome_back }]
        otherwise: welcome
      welcome_back: { say: "Welcome back, {name}.", next: what }
      welcome: { say: "Welcome.", next: what }
      what: { ask: "What is it about?", slot: topic, type: free, next: desk }
      desk: { transfer: desk, priority: 1 }
"#;
const TABLE: &str = "number,name,vip,points\n\
    +44 20 7123 4567,Ada Lovelace,yes,20\n\
    020 7123 0001,Charles Babbage,no,\n";
const BY_TABLE: &str = "{ file: people.csv, country_code: 44, priority: points }";

fn house(people: &str, url: &str) -> Config {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("config.yaml");
    std::fs::write(folder.path().join("people.csv"), TABLE).unwrap();
    std::fs::write(&path, HOUSE.replace("PEOPLE", people).replace("URL", url)).unwrap();
    config::load(&path).unwrap_or_else(|problems| panic!("{problems}"))
}

fn from(number: &str) -> Caller {
    Caller { number: number.into(), dialled: "100".into(), line: "main".into(), ..Caller::default() }
}

async fn asked(config: &Config, caller: Caller) -> Caller {
    let backends = Backends::new(config.backends.values().map(backend_settings)).unwrap();
    let on_file = known(config.people.as_ref(), &backends, &caller, "c1").await;
    Caller { on_file, ..caller }
}

fn call(config: &Config, caller: Caller) -> Script {
    let mut call = Script::from(config.flows["hello"].as_ref().clone(), MONDAY, caller);
    call.says("my engine").wait(8_000);
    call
}

fn priority(call: &Script) -> i32 {
    let entered = call.actions.iter().find_map(|action| match action {
        Action::Queue(QueueRequest::Enter { priority, .. }) => Some(*priority),
        _ => None,
    });
    entered.expect("the call is in a queue")
}

#[tokio::test]
async fn a_known_caller_is_greeted_by_name_and_goes_ahead() {
    let config = house(BY_TABLE, "http://127.0.0.1:1/");
    for (number, greeting, ahead) in [
        ("+442071234567", "Welcome back, Ada Lovelace.", 21),
        ("00442071234567", "Welcome back, Ada Lovelace.", 21),
        ("02071234567", "Welcome back, Ada Lovelace.", 21),
        ("+442071230001", "Welcome.", 1),
        ("+12071234567", "Welcome.", 1),
        ("", "Welcome.", 1),
    ] {
        let call = call(&config, asked(&config, from(number)).await);
        assert!(call.said()[0].starts_with(greeting), "{number}: {:?}", call.said());
        assert_eq!(priority(&call), ahead, "{number}");
    }
    let hidden = Caller { withheld: true, ..from("+442071234567") };
    assert!(asked(&config, hidden).await.on_file.is_empty(), "who wants to stay unnamed does");
}

#[tokio::test]
async fn what_is_known_is_personal() {
    let config = house(BY_TABLE, "http://127.0.0.1:1/");
    let call = call(&config, asked(&config, from("+442071234567")).await);
    let flow = serde_json::to_string(&call.flow).unwrap();
    let (mut timeline, mut summary) = (call.call.timeline().to_vec(), summarise(&call.flow, call.call.timeline()));
    let json = |timeline: &_, summary: &_| serde_json::to_string(&(timeline, summary)).unwrap();
    assert!(json(&timeline, &summary).contains("Ada"));
    assert!(hide_personal(&flow, &mut timeline, Some(&mut summary)));
    assert!(!json(&timeline, &summary).contains("Ada"), "{}", json(&timeline, &summary));
    assert!(!format!("{config:?}").contains("Ada"), "nor does the configuration print it");
}

#[tokio::test]
async fn a_backend_tells_who_calls_or_is_not_waited_for() {
    let router = Router::new()
        .route(
            "/quick",
            get(|Query(query): Query<std::collections::BTreeMap<String, String>>| async move {
                Json(json!({ "name": format!("Caller {}", query["number"]), "class": { "vip": "yes" }, "more": null }))
            }),
        )
        .route("/slow", get(|| async { std::future::pending::<()>().await }));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let at = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, router).await });
    let people =
        "{ backend: crm, save: { name: /name, vip: /class/vip, more: /more, else: /nowhere }, timeout_ms: 300 }";
    let quick = asked(&house(people, &format!("{at}/quick")), from("4711")).await;
    let expected = [("name", "Caller 4711"), ("vip", "yes")].map(|(name, value)| (name.to_owned(), value.to_owned()));
    assert_eq!(quick.on_file, expected.into());
    let began = Instant::now();
    let slow = asked(&house(people, &format!("{at}/slow")), from("4711")).await;
    assert!(slow.on_file.is_empty() && began.elapsed() < Duration::from_secs(3), "{:?}", began.elapsed());
}

#[test]
fn a_dialogue_test_knows_its_callers() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("people.csv"), TABLE).unwrap();
    let house = HOUSE.replace("PEOPLE", BY_TABLE).replace("URL", "http://127.0.0.1:1/");
    std::fs::write(folder.path().join("house.config"), house).unwrap();
    let scenarios = r#"
config: house.config
scenarios:
  - scenario: a customer of ours
    caller: "+442071234567"
    turns: [{ bot: "Welcome back, Ada Lovelace" }]
  - scenario: somebody else
    turns: [{ never: Welcome back, bot: Welcome }]
"#;
    std::fs::write(folder.path().join("people.yaml"), scenarios).unwrap();
    let test =
        Command::new(env!("CARGO_BIN_EXE_frontdesk")).args(["dialog", "test"]).arg(folder.path()).output().unwrap();
    let said = String::from_utf8_lossy(&test.stdout).into_owned() + &String::from_utf8_lossy(&test.stderr);
    assert!(test.status.success() && said.contains("2 of 2 scenarios pass"), "{said}");
}

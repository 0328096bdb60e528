//! A backend that is down, slow, broken or talks nonsense, over a real HTTP client: within two seconds of the answer the caller
//! hears something, is put through to a person who is told why, and the record of the call is whole. No time limit is
//! configured: what holds is the default.

use std::time::Duration;

use axum::Router;
use axum::http::StatusCode;
use axum::routing::get;
use frontdesk::call::{BackendFailure, FactKind, Note, Outcome};
use frontdesk::records::{CallRecord, Filter};
use frontdesk::sip::Endpoint;
use tokio::net::TcpListener;

use crate::common::engine::Engine;
use crate::common::people::AGENT;
use crate::common::talk::{Heard, talk};
use crate::common::{answered, called, ring, settings};

/// From the last key of the answer to the first word, ms of the call.
const PROMISED_MS: u64 = 2_000;
/// What a busy machine may add on the way to the caller's ear, ms.
const BUSY_MS: usize = 1_000;
const ACCOUNT: &str = "314159";
/// The keys are pressed one every 200 ms.
const LAST_KEY_MS: usize = 200 * ACCOUNT.len();
const CASES: [(&str, BackendFailure); 4] = [
    ("down", BackendFailure::Down),
    ("slow", BackendFailure::Timeout),
    ("nonsense", BackendFailure::Malformed),
    ("broken", BackendFailure::Down),
];

/// Where each backend is asked.
async fn backends() -> impl Fn(&str) -> String {
    let router = Router::new()
        .route("/slow", get(std::future::pending::<&str>))
        .route("/nonsense", get(async || "{\"balance\": [1, 2"))
        .route("/broken", get(async || StatusCode::INTERNAL_SERVER_ERROR));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let there = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, router).await });
    // Bound, then let go: nobody listens.
    let nowhere = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    move |name| format!("http://{}/{name}", if name == "down" { nowhere } else { there })
}

/// A line, a flow, a backend and an agent for each case.
fn configuration(url: impl Fn(&str) -> String, agents: &str) -> String {
    let mut text = String::from(
        "queues: { desk: { briefing: false } }\nsip: { listen: \"127.0.0.1:0\", rtp_ports: 30000-39999 }\nhttp: { listen: \"off\" }\n\
         records: { folder: records }\n",
    );
    let mut section = |name: &str, entry: &dyn Fn(&str) -> String| {
        text += &format!("{name}:\n");
        CASES.iter().for_each(|(case, _)| text += &entry(case));
    };
    section("lines", &|case| format!("  {case}: {{ numbers: [\"{case}\"], flow: {case} }}\n"));
    section("backends", &|case| format!("  {case}: {{ url: \"{}\" }}\n", url(case)));
    section("agents", &|case| format!("  for-{case}: {{ uri: \"sip:{case}@{agents}\", queues: [desk] }}\n"));
    section("flows", &|case| {
        format!(
            r#"  - flow: {case}
    language: en
    person: {{ queue: desk }}
    start: account
    steps:
      account: {{ ask: Your account number?, slot: account, type: digits, length: 6, next: look }}
      look: {{ fetch: {case}, with: {{ account: "{{account}}" }}, save: {{ balance: /balance }}, next: told, not_found: sorry, failed: sorry }}
      told: {{ hang_up: "It is {{balance:money}}." }}
      sorry: {{ transfer: desk }}
"#
        )
    });
    text
}

/// The records of all calls, once they are over.
async fn finished(engine: &Engine) -> Vec<CallRecord> {
    let archive = engine.archive().await;
    for _ in 0..400 {
        let mut records = Vec::new();
        for head in archive.list(&Filter::default()).await.unwrap() {
            records.push(archive.show(&head.call).await.unwrap());
        }
        if records.len() == CASES.len() && records.iter().all(|record| record.summary.is_some()) {
            return records;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("a call's record is not closed\n{}", engine.log());
}

#[tokio::test]
async fn a_failing_backend_keeps_no_caller_waiting() {
    let (endpoint, mut calls) = Endpoint::start(settings()).await.unwrap();
    let (url, agents) = (backends().await, endpoint.listening()[0].to_string());
    let engine = Engine::start_changed("", "", |_| configuration(&url, &agents)).await;
    let people = tokio::spawn(async move {
        let mut conversations = Vec::new();
        for _ in CASES {
            let leg = called(&mut calls).await.answer().await.unwrap();
            conversations.push(tokio::spawn(talk(leg, AGENT, "", Duration::from_secs(4))));
        }
        for conversation in conversations {
            conversation.await.unwrap();
        }
    });
    let call = async |line: &str| {
        let leg = answered(ring(&endpoint, engine.uri(line)).await).await;
        talk(leg, 0.0, ACCOUNT, Duration::from_secs(60)).await
    };
    let heard = tokio::join!(call(CASES[0].0), call(CASES[1].0), call(CASES[2].0), call(CASES[3].0));
    people.await.unwrap();

    let records = finished(&engine).await;
    for ((line, failure), heard) in CASES.into_iter().zip([heard.0, heard.1, heard.2, heard.3]) {
        let record = records.iter().find(|record| record.head.caller.line == line).expect(line);
        is_told_and_put_through(record, failure);
        engine.assert_replays(record).await;
        is_heard(line, &heard);
    }
    engine.terminate().await;
}

fn is_told_and_put_through(record: &CallRecord, failure: BackendFailure) {
    let timeline = &record.timeline;
    let asked = timeline.iter().find(|entry| matches!(entry.note, Note::Fetch { .. })).expect("the backend is asked");
    let says = timeline.iter().find(|entry| entry.seq > asked.seq && matches!(entry.note, Note::Say { .. }));
    let waited_ms = says.expect("something is said").at_ms - asked.at_ms;
    assert!(waited_ms <= PROMISED_MS, "{waited_ms} ms of silence: {timeline:#?}");
    let noted = |wanted: &dyn Fn(&Note) -> bool| timeline.iter().any(|entry| wanted(&entry.note));
    assert!(noted(&|note| matches!(note, Note::Reply { failure: Some(why), .. } if *why == failure)), "{timeline:#?}");
    assert!(noted(&|note| matches!(note, Note::Transfer { queue, .. } if queue == "desk")), "{timeline:#?}");
    assert!(noted(&|note| matches!(note, Note::Connected { .. })), "{timeline:#?}");
    // What the caller has told is not asked again, and why they come is known.
    let summary = record.summary.as_ref().expect("of a call that is over");
    let has = |kind, text: &str| summary.facts.iter().any(|fact| fact.kind == kind && fact.text.contains(text));
    assert!(has(FactKind::Collected, ACCOUNT) && has(FactKind::Tried, &record.head.caller.line), "{summary:?}");
    assert_eq!((summary.outcome, record.head.lost), (Some(Outcome::HandedOver), 0));
}

/// Words soon after the last key, and then a person.
fn is_heard(line: &str, heard: &Heard) {
    let at = |ms: usize| (8 * ms).min(heard.samples.len());
    let soon = &heard.samples[at(LAST_KEY_MS + 200)..at(LAST_KEY_MS + PROMISED_MS as usize + BUSY_MS)];
    let loud = soon.iter().filter(|sample| sample.unsigned_abs() > 1_000).count();
    assert!(loud > 400, "{line}: {loud} loud samples of {}", soon.len());
    assert!(heard.has_tone(AGENT, 500), "{line}: {} ms of the agent", heard.tone_ms(AGENT));
}

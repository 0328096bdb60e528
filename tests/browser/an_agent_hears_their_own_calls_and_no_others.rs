//! Recordings at the agents' desk: their own calls, with the words following the sound; another's only where the operator allows it and
//! its caller is on the desk; never silently.

use chrono::{TimeDelta, Utc};
use frontdesk::answers::Meaning;
use frontdesk::call::{Caller, Cause, Entry, Note, Outcome, Summary, Utterance};
use frontdesk::console::{AgentsHear, Settings};
use frontdesk::records::{Ending, Leg, Store, StoredFlow};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use tokio::sync::mpsc;

use crate::common::chromium::Chromium;
use crate::desk::{Client, PASSWORD, agent, colleague, open, settings};

const JO: &str = "+442071234567";

fn by(number: &str) -> Caller {
    Caller { number: number.into(), line: "bank".into(), ..Caller::default() }
}

fn summary() -> Summary {
    Summary { outcome: Some(Outcome::HandedOver), language: "en".into(), facts: vec![] }
}

/// A call of eight seconds that this agent took, recorded, the caller's words at two and at five.
async fn call(store: &Store, call: &str, number: &str, agent: &str) {
    let (name, began) = (call.to_owned(), Utc::now() - TimeDelta::hours(1));
    store.begin(&name, &by(number), began, &StoredFlow::new("bank", &"{}").unwrap());
    let words = [(2_000, "My card is gone"), (5_000, "It was stolen on the train")];
    for (seq, (start_ms, text)) in words.into_iter().enumerate() {
        let said = Utterance { text: text.into(), start_ms, end_ms: start_ms + 1_500, ..Utterance::default() };
        store.note(&name, &Entry { seq: seq as u32, at_ms: start_ms + 1_600, note: Note::Utterance(said) });
    }
    let leg =
        Leg { n: 1, agent: Some(agent.into()), answered_ms: Some(1_000), ended_ms: Some(8_000), ..Leg::default() };
    store.leg(&name, leg);
    let path = store.new_recording(&name, began, 0).await.unwrap();
    let spec = hound::WavSpec {
        channels: 2,
        sample_rate: 8_000,
        bits_per_sample: 16,
        sample_format: hound::SampleFormat::Int,
    };
    let mut wav = hound::WavWriter::create(path, spec).unwrap();
    (0..2 * 8 * 8_000).for_each(|n| wav.write_sample((n % 200 * 20) as i16).unwrap());
    wav.finalize().unwrap();
    let ended = began + TimeDelta::seconds(8);
    store.finish(&name, Ending { cause: Cause::CallerHungUp, ended, summary: summary(), quality: None });
    store.flush().await.unwrap();
}

async fn status(client: &Client, path: &str) -> StatusCode {
    client.request(Method::GET, path).send().await.unwrap().status()
}

#[tokio::test]
async fn an_agent_hears_their_own_calls_and_no_others() {
    let _alone = crate::common::chromium::alone().await;
    let (house, admin) = open(settings()).await;
    call(&house.store, "jo-with-anna", JO, "anna").await;
    call(&house.store, "jo-with-ben", JO, "ben").await;
    let anna = agent(&admin, "anna").await;

    let (_, listed) = anna.send(Method::GET, "/api/records?text=stolen", Value::Null).await;
    let listed: Vec<_> = listed.as_array().unwrap().iter().map(|call| call["call"].clone()).collect();
    assert_eq!(listed, ["jo-with-anna"]);
    let own = anna.request(Method::GET, "/api/records/jo-with-anna/recording").send().await.unwrap();
    assert_eq!((own.status(), own.headers()["content-type"].to_str().unwrap()), (StatusCode::OK, "audio/wav"));
    assert_eq!(own.bytes().await.unwrap().len(), 44 + 8 * 8_000 * 4);
    // Another's call, one that there is not, and one that is found by the beginning of its name.
    for call in ["jo-with-ben", "nobodys", "jo-with-b"] {
        assert_eq!(status(&anna, &format!("/api/records/{call}")).await, StatusCode::FORBIDDEN, "{call}");
        assert_eq!(status(&anna, &format!("/api/records/{call}/recording")).await, StatusCode::FORBIDDEN, "{call}");
    }
    // Its caller on the desk changes nothing by default.
    let _rings = rings(&house.board, "anna").await;
    let (_, earlier) = anna.send(Method::GET, "/api/calls/now/earlier", Value::Null).await;
    let mut hear: Vec<_> = earlier.as_array().unwrap().iter().map(|call| (&call["call"], &call["hear"])).collect();
    hear.sort_by_key(|(call, _)| call.to_string());
    assert_eq!(hear, [(&json!("jo-with-anna"), &json!(true)), (&json!("jo-with-ben"), &json!(false))]);
    assert_eq!(status(&anna, "/api/records/jo-with-ben/recording").await, StatusCode::FORBIDDEN);
    // The trail names who heard what.
    let (_, trail) = admin.send(Method::GET, "/api/audit", Value::Null).await;
    let heard: Vec<_> = trail.as_array().unwrap().iter().filter(|deed| deed["did"] == "heard_recording").collect();
    assert_eq!(heard.len(), 1, "{trail}");
    assert_eq!((&heard[0]["account"], &heard[0]["about"]), (&json!("anna"), &json!("jo-with-anna")));
}

#[tokio::test]
async fn an_analyst_reads_what_is_over_and_hears_nothing() {
    let _alone = crate::common::chromium::alone().await;
    let (house, admin) = open(settings()).await;
    call(&house.store, "jo-with-anna", JO, "anna").await;
    house.store.begin(&"live".to_owned(), &by(JO), Utc::now(), &StoredFlow::new("bank", &"{}").unwrap());
    house.store.flush().await.unwrap();
    let ada = colleague(&admin, "ada", "analyst", None).await;
    let (_, listed) = ada.send(Method::GET, "/api/records", Value::Null).await;
    let listed: Vec<_> = listed.as_array().unwrap().iter().map(|call| (&call["call"], &call["caller"])).collect();
    assert_eq!(listed, [(&json!("jo-with-anna"), &Value::Null)]);
    let (_, record) = ada.send(Method::GET, "/api/records/jo-with-anna", Value::Null).await;
    assert_eq!((&record["caller"]["number"], &record["recording_at_ms"]), (&Value::Null, &Value::Null), "{record}");
    for path in ["/api/records/jo-with-anna/recording", "/api/records/live", "/api/records/live/recording"] {
        assert_eq!(status(&ada, path).await, StatusCode::NOT_FOUND, "{path}");
    }
    assert_eq!(status(&admin, "/api/records/jo-with-anna/recording").await, StatusCode::OK, "there is one");
}

/// Jo is on this agent's desk.
async fn rings(board: &frontdesk::console::Board, agent: &str) -> mpsc::Receiver<frontdesk::console::Order> {
    let (orders, kept) = mpsc::channel(8);
    board.begin("now", &by(JO), Utc::now(), &Meaning::default(), Vec::new(), orders);
    board.ring("now", agent, &summary());
    kept
}

#[tokio::test]
async fn a_callers_other_calls_are_heard_where_the_operator_allows_it_while_they_are_on_the_desk() {
    let _alone = crate::common::chromium::alone().await;
    let (house, admin) = open(Settings { agents_hear: AgentsHear::Earlier, ..settings() }).await;
    call(&house.store, "jo-with-ben", JO, "ben").await;
    call(&house.store, "another", "+442070000000", "ben").await;
    let anna = agent(&admin, "anna").await;
    assert_eq!(status(&anna, "/api/records/jo-with-ben").await, StatusCode::FORBIDDEN, "Jo is not on the desk");
    let _rings = rings(&house.board, "anna").await;
    assert_eq!(status(&anna, "/api/records/jo-with-ben/recording").await, StatusCode::OK);
    assert_eq!(status(&anna, "/api/records/another/recording").await, StatusCode::FORBIDDEN);
    // While it is written up, and no longer.
    house.board.end("now");
    assert_eq!(status(&anna, "/api/records/jo-with-ben").await, StatusCode::OK);
    assert_eq!(anna.send(Method::POST, "/api/state", json!({ "state": "ready" })).await.0, StatusCode::NO_CONTENT);
    assert_eq!(status(&anna, "/api/records/jo-with-ben").await, StatusCode::FORBIDDEN);

    let (house, admin) = open(Settings { agents_hear: AgentsHear::Nothing, ..settings() }).await;
    call(&house.store, "jo-with-anna", JO, "anna").await;
    let anna = agent(&admin, "anna").await;
    for path in ["/api/records", "/api/records/jo-with-anna", "/api/records/jo-with-anna/recording"] {
        assert_eq!(status(&anna, path).await, StatusCode::FORBIDDEN, "{path}");
    }
}

#[tokio::test]
async fn the_words_follow_the_recording_on_the_agents_page() {
    let _alone = crate::common::chromium::alone().await;
    let (house, admin) = open(settings()).await;
    call(&house.store, "jo-with-anna", JO, "anna").await;
    let secret = admin.invite("anna", "agent", Some("anna")).await;
    assert_eq!(Client::new(&admin.at).accept(&secret, PASSWORD).await, StatusCode::OK);
    let mut page = Chromium::start(&[0; 16_000]).await;
    page.size(1_280, 800).await;
    page.open(&admin.at).await;
    page.wait("document.querySelector('input[name=username]')").await;
    page.fill("Name", "anna").await;
    page.fill("Password", PASSWORD).await;
    page.key("Enter").await;
    page.wait("document.querySelector('nav .tab')").await;
    page.click("Calls").await;
    page.wait("document.querySelector('.rows button')").await;
    // By keys alone from here on: the call, then its second line.
    page.run("document.querySelector('.rows button').focus()").await;
    page.key("Enter").await;
    page.wait("document.querySelector('.detail audio')?.readyState > 0").await;
    assert_eq!(page.run("document.querySelector('.detail audio').duration").await, json!(8));
    page.run("[...document.querySelectorAll('.detail .log button')].at(-1).focus()").await;
    page.key("Enter").await;
    page.wait("document.querySelector('.log li.now')?.innerText.includes('stolen on the train')").await;
    assert!(page.run("document.querySelector('.detail audio').currentTime").await.as_f64().unwrap() >= 5.0);
    page.shot("desk-records").await;

    // An earlier call, over the desk.
    page.click("Desk").await;
    let _rings = rings(&house.board, "anna").await;
    page.wait("document.querySelector('.earlier button')").await;
    page.click("Listen").await;
    page.wait("document.querySelector('dialog[open] audio')?.readyState > 0").await;
    page.key("Escape").await;
    page.wait("!document.querySelector('dialog')").await;
    page.run("[...document.querySelectorAll('header .plain')][0].click()").await;
    page.wait("document.querySelector('.earlier button')?.innerText == '收听'").await;
}

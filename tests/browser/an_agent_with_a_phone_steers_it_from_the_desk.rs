//! An agent who talks by telephone has the same desk: the story comes with the ring, and what is ordered there is done to the call
//! that the telephone has.

use std::time::Duration;

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::common;
use crate::desk::{Client, PAGES, PASSWORD, administrator};
use common::engine::Engine;
use common::people::{AGENT, SECONDS, agent, caller};
use common::talk::tone_ms;
use frontdesk::call::{Cause, Note};

/// The events of a desk, as they come.
struct Desk {
    answer: reqwest::Response,
    text: String,
}

impl Desk {
    async fn open(client: &Client) -> Self {
        let answer = client.request(Method::GET, "/api/desk").send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::OK);
        Self { answer, text: String::new() }
    }

    /// The next event of this kind that is so.
    async fn wait(&mut self, kind: &str, so: impl Fn(&Value) -> bool) -> Value {
        let wait = async {
            loop {
                while let Some((event, rest)) = self.text.split_once("\n\n") {
                    let (event, rest) = (event.to_owned(), rest.to_owned());
                    self.text = rest;
                    let field = |name: &str| event.lines().find_map(|line| line.strip_prefix(name)).map(str::trim);
                    if field("event:") == Some(kind) {
                        let value: Value = serde_json::from_str(field("data:").unwrap()).unwrap();
                        if so(&value) {
                            return value;
                        }
                    }
                }
                let chunk = self.answer.chunk().await.unwrap().expect("the desk is open");
                self.text.push_str(std::str::from_utf8(&chunk).unwrap());
            }
        };
        tokio::time::timeout(2 * SECONDS, wait).await.unwrap_or_else(|_| panic!("no `{kind}` came"))
    }
}

#[tokio::test]
async fn an_agent_with_a_phone_steers_it_from_the_desk() {
    let _alone = crate::common::chromium::alone().await;
    let engine = Engine::start_with("", PAGES).await;
    let admin = administrator(&engine).await;
    let secret = admin.invite("anna", "agent", Some("anna")).await;
    let mut anna = Client::new(&admin.at);
    assert_eq!(anna.accept(&secret, PASSWORD).await, StatusCode::OK);
    assert_eq!(anna.log_in("anna", PASSWORD).await.0, StatusCode::OK);
    let mut desk = Desk::open(&anna).await;
    let first = desk.wait("desk", |_| true).await;
    assert_eq!((&first["agent"]["state"], &first["call"]), (&json!("offline"), &Value::Null));
    let mut phone = agent(&engine, "anna").await;
    desk.wait("state", |state| state["state"] == "available").await;
    // Who pauses is not rung, and says so to everybody.
    let pause = json!({ "state": "paused", "reason": "lunch" });
    assert_eq!(anna.send(Method::POST, "/api/state", pause).await.0, StatusCode::NO_CONTENT);
    desk.wait("state", |state| state["state"] == "paused" && state["reason"] == "lunch").await;
    anna.send(Method::POST, "/api/state", json!({ "state": "ready" })).await;
    desk.wait("state", |state| state["state"] == "available").await;

    let mut customer = caller(&engine).await;
    customer.dial(&engine.uri("1000")).await;
    engine.at_step("menu", SECONDS).await;
    customer.press("1").await;
    engine.at_step("ask_account", SECONDS).await;
    customer.press("0").await;
    let ring = desk.wait("ring", |_| true).await;
    let rang = chrono::Utc::now();
    let call = ring["call"].as_str().unwrap().to_owned();
    assert!(ring["summary"]["headline"].as_str().unwrap().contains("balance"), "the story rings along: {ring}");
    assert_eq!((&ring["caller"]["number"], &ring["by"]), (&json!("5551234"), &json!("phone")));
    assert!(ring["lines"].as_array().unwrap().iter().any(|line| line["event"] == "say"));
    let order = async |what: Value| anna.send(Method::POST, &format!("/api/calls/{call}/order"), what).await.0;
    assert_eq!(order(json!({ "do": "hold", "on": true })).await, StatusCode::CONFLICT, "nobody talks yet");

    phone.accept().await;
    desk.wait("call", |call| call["stage"] == "talking" && call["party"]["recorded"] == true).await;
    assert_eq!(order(json!({ "do": "skip_briefing" })).await, StatusCode::ACCEPTED);
    desk.wait("line", |line| line["line"]["event"] == "connected").await;
    tokio::time::sleep(Duration::from_secs(1)).await; // of conversation
    assert_eq!(order(json!({ "do": "mute", "on": true })).await, StatusCode::ACCEPTED);
    desk.wait("party", |party| party["party"]["muted"] == true).await;
    let (before, rate) = customer.heard();
    tokio::time::sleep(Duration::from_secs(1)).await; // of silence
    let (after, _) = customer.heard();
    let heard = tone_ms(&after, rate, AGENT) - tone_ms(&before, rate, AGENT);
    assert!(tone_ms(&before, rate, AGENT) > 300 && heard < 400, "muted: {heard} ms more");
    assert_eq!(order(json!({ "do": "mute", "on": false })).await, StatusCode::ACCEPTED);
    assert_eq!(order(json!({ "do": "stop_recording" })).await, StatusCode::ACCEPTED);
    desk.wait("party", |party| party["party"]["recorded"] == false).await;
    assert_eq!(order(json!({ "do": "key", "key": "x" })).await, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(order(json!({ "do": "transfer", "to": "nobody" })).await, StatusCode::ACCEPTED);
    desk.wait("party", |party| party["party"]["transfer"]["status"] == 403).await;

    // Another caller's story is nobody else's business.
    let (status, earlier) = anna.send(Method::GET, &format!("/api/calls/{call}/earlier"), Value::Null).await;
    assert_eq!((status, earlier), (StatusCode::OK, json!([])));
    assert_eq!(order(json!({ "do": "hang_up" })).await, StatusCode::ACCEPTED);
    desk.wait("over", |over| over["talked"] == true).await;
    let written = json!({ "disposition": "settled", "notes": "Told the balance." });
    let path = format!("/api/calls/{call}/wrap-up");
    assert_eq!(anna.send(Method::PUT, &path, written).await.0, StatusCode::NO_CONTENT);
    let odd = json!({ "disposition": "whatever" });
    assert_eq!(anna.send(Method::PUT, &path, odd).await.0, StatusCode::UNPROCESSABLE_ENTITY);
    let record = engine.finished(SECONDS).await;
    let decided = record.timeline.iter().find(|entry| matches!(entry.note, Note::Transfer { .. })).unwrap().at_ms;
    let took = (rang - record.head.started).num_milliseconds() - decided as i64;
    println!("FIGURE 6.2-ring {took} ms limit <= 100 -- decision to transfer to the ring, with its story, at the desk");
    assert_eq!(record.head.cause, Some(Cause::AgentHungUp));
    assert_eq!(record.wrap_ups[0].notes, "Told the balance.");
    assert!(record.timeline.iter().any(|entry| matches!(entry.note, Note::TransferRefused { .. })));
    assert!(record.timeline.iter().any(|entry| entry.note == Note::RecordingRefused));
    engine.assert_replays(&record).await;

    // The next time the number calls, the desk knows.
    customer.dial(&engine.uri("1000")).await;
    engine.wait_for("another call", SECONDS, |note| matches!(note, Note::Step { step } if step == "menu")).await;
    customer.press("0").await;
    let ring = desk.wait("ring", |ring| ring["call"] != call.as_str()).await;
    let (_, earlier) =
        anna.send(Method::GET, &format!("/api/calls/{}/earlier", ring["call"].as_str().unwrap()), Value::Null).await;
    assert_eq!(earlier[0]["wrap_ups"][0]["disposition"], "settled", "{earlier}");
    assert!(!engine.log().contains("5551234"), "no number stands in the log");
    customer.hang_up().await;
    engine.finished(SECONDS).await;
    engine.terminate().await;
}

//! A PIN is checked by a backend: a good one makes the call verified, a wrong one may be tried so often in a call and no more,
//! whatever way leads back. The PIN itself is written nowhere.

use frontdesk::call::{BackendFailure, Event, Reply};
use frontdesk::config;
use frontdesk::dialog::flow::Flow;
use serde_json::json;

use crate::script::Script;

const BANK: &str = r#"
agents:
  anna: { uri: "sip:anna@10.0.0.1", queues: [desk] }
queues:
  desk: {}
lines:
  main: { numbers: ["100"], flow: bank }
backends:
  pins: { url: "http://127.0.0.1:1/pins", method: POST }
flows:
  - flow: bank
    language: en
    person: { queue: desk }
    start: pin
    steps:
      pin: { ask: "Please key in your PIN.", slot: pin, type: digits, length: 4, secret: true, next: check }
      check:
        fetch: pins
        with: { pin: "{pin}" }
        verifies: pin
        attempts: { most: 3, spent: locked }
        next: gate
        not_found: pin
        refused: { next: wrong }
        failed: sorry
      wrong: { say: "That PIN is wrong.", next: pin }
      gate: { decide: [{ if: verified, is: "yes", next: inside }], otherwise: pin }
      inside: { say: "You are in.", next: more }
      sorry: { say: "We cannot tell just now.", next: more }
      locked: { say: "That was too often.", next: more }
      more: { ask: "Anything else?", slot: more, type: free, next: gate }
"#;

fn bank() -> Flow {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("config.yaml");
    std::fs::write(&path, BANK).unwrap();
    let config = config::load(&path).unwrap_or_else(|problems| panic!("{problems}"));
    Flow::clone(&config.flows["bank"])
}

/// Keys a PIN, which the backend answers so.
fn tries(call: &mut Script, pin: &str, reply: Reply) {
    call.keys(pin);
    let (request, _, with) = call.fetches.last().expect("the backend is asked").clone();
    assert_eq!(with["pin"], pin);
    call.tell(Event::Replied { request, reply }).wait(3_000);
}

fn wrong() -> Reply {
    Reply::Refused(json!({ "detail": "wrong" }))
}

#[test]
fn a_good_pin_verifies_the_call() {
    let mut call = Script::new(bank());
    tries(&mut call, "1111", wrong());
    assert!(call.said().contains(&"That PIN is wrong.".to_owned()));
    tries(&mut call, "7294", Reply::Found(json!({})));
    assert!(call.said().contains(&"You are in.".to_owned()), "{:?}", call.said());
}

#[test]
fn after_the_last_try_nobody_is_asked_any_more() {
    let mut call = Script::new(bank());
    tries(&mut call, "1111", wrong());
    tries(&mut call, "2222", Reply::Failed(BackendFailure::NotFound));
    assert!(!call.said().contains(&"That was too often.".to_owned()));
    tries(&mut call, "3333", wrong());
    assert!(call.said().contains(&"That was too often.".to_owned()), "{:?}", call.said());
    assert_eq!(call.fetches.len(), 3);
    // Back to the PIN by the flow's own way: the right one is too late.
    call.says("something else").wait(3_000).keys("7294").wait(3_000);
    assert_eq!(call.fetches.len(), 3, "{:?}", call.said());
    assert!(!call.said().contains(&"You are in.".to_owned()));
}

#[test]
fn a_backend_that_is_down_costs_no_try() {
    let mut call = Script::new(bank());
    for _ in 0..4 {
        tries(&mut call, "1111", Reply::Failed(BackendFailure::Down));
        call.says("something else").wait(3_000);
    }
    assert_eq!(call.fetches.len(), 4);
}

#[test]
fn the_pin_is_written_nowhere() {
    let mut call = Script::new(bank());
    tries(&mut call, "7294", wrong());
    tries(&mut call, "7294", Reply::Found(json!({})));
    let written = serde_json::to_string(&(call.call.timeline(), &call.lines)).unwrap();
    assert!(!written.contains("7294") && written.contains("***"), "{written}");
    assert_eq!(frontdesk::call::replay_log(call.flow.clone(), &call.lines), call.lines);
}

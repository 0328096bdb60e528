//! A flow that others call: its steps are asked in the midst of theirs, its mistakes told in its own file.

use frontdesk::call::Note;
use frontdesk::config::{self, Config, Problems};

use crate::script::{MONDAY, Script};

const HOUSE: &str = r#"
agents:
  anna: { uri: "sip:anna@10.0.0.1", queues: [desk] }
queues:
  desk: {}
lines:
  main: { numbers: ["100"], flow: shop }
flows:
  - flow: shop
    language: en
    person: { queue: desk }
    start: who
    steps:
      who: { call: identify, next: what }
      what:
        menu: "A refund, or a person?"
        options:
          - { key: 1, phrases: [refund], next: again }
          - { key: 2, phrases: [colleague], next: desk }
      again: { call: identify, next: done }
      done: { hang_up: "Your refund goes to account {account:code}." }
      desk: { transfer: desk }
  - flow: identify
    language: en
    person: { queue: desk }
    start: ask
    steps:
      ask: { ask: "Your account, please?", slot: account, type: digits, length: 4, next: known }
      known:
        decide: [{ if: account, is: "1234", next: thanks }]
        otherwise: sorry
      sorry: { say: "I don't know that one.", next: ask }
      thanks: { say: "Thank you.", next: back }
      back: { return: true }
"#;

fn loaded(text: &str) -> Result<Config, Problems> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("config.yaml");
    std::fs::write(&path, text).unwrap();
    config::load(&path)
}

#[test]
fn a_called_flow_goes_back_to_where_it_was_called() {
    let flow = loaded(HOUSE).unwrap_or_else(|problems| panic!("{problems}")).flows["shop"].as_ref().clone();
    let mut call = Script::at(flow, MONDAY);
    call.keys("9999").quiet().keys("1234").quiet();
    assert_eq!(
        call.said(),
        [
            "Your account, please?",
            "I don't know that one.",
            "Your account, please?",
            "Thank you.",
            "A refund, or a person?"
        ]
    );
    call.says("refund").keys("1234").wait(20_000);
    assert_eq!(call.last_said(), "Your refund goes to account 1234.");
    let steps: Vec<String> = call
        .notes()
        .filter_map(|note| match note {
            Note::Step { step } => Some(step.clone()),
            _ => None,
        })
        .collect();
    assert!(steps.contains(&"who/ask".to_owned()) && steps.contains(&"again/ask".to_owned()), "{steps:?}");
}

#[test]
fn a_flow_that_nobody_called_ends_with_a_person() {
    let text = HOUSE.replace("flow: shop }", "flow: identify }");
    let flow = loaded(&text).unwrap_or_else(|problems| panic!("{problems}")).flows["identify"].as_ref().clone();
    let mut call = Script::at(flow, MONDAY);
    call.keys("1234").quiet();
    assert_eq!(call.queue(), Some("desk"));
}

#[test]
fn mistakes_about_calls_have_their_places() {
    let told = |from: &str, to: &str| {
        assert!(HOUSE.contains(from), "{from}");
        loaded(&HOUSE.replace(from, to)).unwrap_err().to_string()
    };
    for (from, to, expected) in [
        ("call: identify, next: what", "call: identity, next: what", "14:20: there is no flow `identity`"),
        ("next: back }", "next: menu }", "33:42: there is no step `menu`"),
        ("next: back }", "next: what }", "33:42: there is no step `what`"),
        ("call: identify, next: what", "call: identify, next: where", "there is no step `where`"),
        ("back: { return: true }", "back: { call: shop, next: ask }", "calls itself"),
        ("say: \"Thank you.\"", "say: \"Thank you, {name}.\"", "33:"),
    ] {
        let told = told(from, to);
        assert!(told.contains(expected), "{expected} is not in\n{told}");
    }
}

#[test]
fn what_is_personal_in_a_called_flow_is_so_in_its_callers() {
    let house = HOUSE.replace("slot: account, type", "slot: account, personal: true, type");
    let config = loaded(&house).unwrap_or_else(|problems| panic!("{problems}"));
    assert!(config.flows["shop"].personal.contains("account"));
    assert!(loaded(HOUSE).unwrap_or_else(|problems| panic!("{problems}")).flows["shop"].personal.is_empty());
}

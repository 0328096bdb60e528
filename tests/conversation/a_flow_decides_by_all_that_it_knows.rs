//! What a flow remembers, decides by several values at once, and tries on a part of its callers.

use std::process::Command;

use frontdesk::call::{Caller, Note, replay_log};
use frontdesk::config;
use frontdesk::dialog::flow::Flow;
use serde_json::json;

use crate::script::{MONDAY, Script};

const SHOP: &str = r#"
agents:
  anna: { uri: "sip:anna@10.0.0.1", queues: [desk] }
queues:
  desk: {}
lines:
  main: { numbers: ["100"], flow: shop }
backends:
  customers: { url: "http://127.0.0.1:1/{number}" }
flows:
  - flow: shop
    language: en
    person: { queue: desk }
    start: try
    steps:
      try: { experiment: { plain: 50, warm: 50 } }
      plain: { say: "The shop.", next: number }
      warm: { say: "Lovely that you call!", next: number }
      number: { ask: "Your number?", slot: number, type: digits, length: 4, next: look_up }
      look_up:
        fetch: customers
        with: { number: "{number}" }
        save: { owed: /owed, due: /due, tier: /tier }
        next: note
        not_found: desk
        failed: desk
      note:
        remember: { who: "customer {number}", kind: "{tier}", fee: 5 }
        next: which
      which:
        decide:
          - all:
              - { if: owed, at_least: 100 EUR }
              - { if: due, before: today }
              - not: { if: kind, in: [gold, silver] }
            next: overdue
          - any: [{ if: owed, above: 0 }, { if: kind, is: silver }]
            next: reminder
        otherwise: fine
      overdue: { say: "Dear {who}, {owed:money} is overdue, and {fee:number} more.", next: number }
      reminder: { say: "Dear {who}, a gentle reminder.", next: number }
      fine: { say: "All is fine, {who}.", next: number }
      desk: { transfer: desk }
"#;

fn shop() -> Flow {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("config.yaml");
    std::fs::write(&path, SHOP).unwrap();
    let config = config::load(&path).unwrap_or_else(|problems| panic!("{problems}"));
    Flow::clone(&config.flows["shop"])
}

#[test]
fn several_values_decide_together() {
    for (owed, due, tier, said) in [
        ("100 EUR", "2026-11-22", "none", "Dear customer 1234, 100 EUR is overdue, and 5 more."),
        ("100 EUR", "2026-11-23", "none", "Dear customer 1234, a gentle reminder."),
        ("100 EUR", "2026-11-22", "Gold", "Dear customer 1234, a gentle reminder."),
        ("100 USD", "2026-11-22", "none", "Dear customer 1234, a gentle reminder."),
        ("0 EUR", "2026-11-22", "silver", "Dear customer 1234, a gentle reminder."),
        ("0 EUR", "2026-11-22", "gold", "All is fine, customer 1234."),
    ] {
        let mut call = Script::new(shop());
        let reply = json!({ "owed": owed, "due": due, "tier": tier });
        call.backends.insert("customers".into(), Ok(reply));
        call.says("one two three four").wait(1_000);
        assert!(call.said().contains(&said.to_owned()), "{owed} {due} {tier}: {:?}", call.said());
    }
}

/// The way that a caller goes, and the log of the call.
fn way(caller: Caller) -> (String, Script) {
    let script = Script::from(shop(), MONDAY, Caller { dialled: "100".into(), line: "main".into(), ..caller });
    let way = script.notes().find_map(|note| match note {
        Note::Experiment { step, way } if step == "try" => Some(way.clone()),
        _ => None,
    });
    (way.expect("it is on the timeline"), script)
}

#[test]
fn each_caller_of_an_experiment_goes_one_way() {
    let from = |number: &str| way(Caller { number: number.into(), ..Caller::default() });
    let ways: Vec<String> = (0..40).map(|caller| from(&format!("+442071230{caller:03}")).0).collect();
    assert!(ways.contains(&"plain".to_owned()) && ways.contains(&"warm".to_owned()));
    for (caller, way) in ways.iter().enumerate() {
        assert_eq!(from(&format!("0044 20 7123 0{caller:03}")).0, *way, "the same number, written otherwise");
    }
    let (way, call) = from("+442071230001");
    let told = if way == "plain" { "The shop." } else { "Lovely that you call!" };
    assert!(call.said()[0].starts_with(told), "{way}: {:?}", call.said());
    assert_eq!(replay_log(call.flow.clone(), &call.lines), call.lines);
}

#[test]
fn who_shows_no_number_is_told_apart_by_the_call() {
    let hidden = || Caller { number: "anonymous".into(), withheld: true, ..Caller::default() };
    let other = Caller { number: "unavailable".into(), withheld: true, ..Caller::default() };
    assert_eq!(way(hidden()).0, way(other).0, "one call, one way, whatever stands for the number");
}

#[test]
fn a_dialogue_test_holds_such_a_flow() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("shop.config"), SHOP).unwrap();
    let scenarios = r#"
config: shop.config
backends:
  customers: { reply: { owed: 120 EUR, due: 2026-11-01, tier: bronze } }
scenarios:
  - scenario: who owes much is told so
    turns:
      - { presses: "1234", calls: { customers: { number: "1234" } }, bot: [Dear customer 1234, overdue], asks: number }
  - scenario: a backend that refuses leads to a person
    backends: { customers: { refuses: { detail: closed } } }
    turns:
      - { presses: "1234", transfers: desk }
"#;
    std::fs::write(folder.path().join("shop.yaml"), scenarios).unwrap();
    let test =
        Command::new(env!("CARGO_BIN_EXE_frontdesk")).args(["dialog", "test"]).arg(folder.path()).output().unwrap();
    let said = String::from_utf8_lossy(&test.stdout).into_owned() + &String::from_utf8_lossy(&test.stderr);
    assert!(test.status.success() && said.contains("2 of 2 scenarios pass"), "{said}");
}

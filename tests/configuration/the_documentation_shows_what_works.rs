//! The examples in docs/configuration.md can be copied as they stand.

use frontdesk::config::{self, Secrets};

const PAGE: &str = include_str!("../../docs/configuration.md");

/// The page's YAML blocks, in order.
fn blocks() -> Vec<&'static str> {
    PAGE.split("```yaml\n").skip(1).map(|rest| rest.split("```").next().unwrap()).collect()
}

/// The block that holds this.
fn block(part: &str) -> &'static str {
    blocks().into_iter().find(|block| block.contains(part)).unwrap_or_else(|| panic!("no example shows {part}"))
}

#[test]
fn the_least_that_works_does() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("config.yaml");
    std::fs::write(&path, blocks()[0]).unwrap();
    std::fs::write(folder.path().join("anna.secret"), "correct-horse").unwrap();
    let config = config::load(&path).unwrap_or_else(|problems| panic!("{problems}"));
    assert!(config.sip.allows("127.0.0.1".parse().unwrap()));
    assert!(!config.sip.allows("192.0.2.1".parse().unwrap()));
    assert!(blocks()[0].lines().count() <= 16, "the least is little");
}

#[test]
fn the_flow_shown_is_good() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("config.yaml");
    let around = r#"
lines: { bank: { numbers: ["1000"], flow: bank } }
agents: { anna: { password: { file: anna.secret }, queues: [front-desk] } }
queues: { front-desk: {} }
backends: { balance: { url: "http://127.0.0.1:8085/accounts/{account}/balance" } }
flows: [bank.yaml]
"#;
    std::fs::write(&path, around).unwrap();
    std::fs::write(folder.path().join("bank.yaml"), blocks()[1]).unwrap();
    let config = config::load_with(&path, Secrets::Optional).unwrap_or_else(|problems| panic!("{problems}"));
    assert_eq!(config.flows["bank"].steps.len(), 6);
}

#[test]
fn the_form_shown_is_good() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("config.yaml");
    let around = r#"
lines: { cafe: { numbers: ["1000"], flow: cafe } }
agents: { anna: { uri: "sip:anna@127.0.0.1", queues: [counter] } }
queues: { counter: {} }
flows:
  - flow: cafe
    language: en
    person: { queue: counter }
    start: order
    steps:
      place_order: { transfer: counter }
"#;
    std::fs::write(&path, format!("{around}{}", steps(block("form:")))).unwrap();
    let config = config::load(&path).unwrap_or_else(|problems| panic!("{problems}"));
    assert_eq!(config.flows["cafe"].steps.len(), 2);
}

/// Steps of a flow that is not shown, below it.
fn steps(shown: &str) -> String {
    shown.lines().map(|line| format!("    {line}\n")).collect()
}

#[test]
fn the_pin_shown_is_good() {
    let around = r#"
lines: { bank: { numbers: ["1000"], flow: bank } }
agents: { anna: { uri: "sip:anna@127.0.0.1", queues: [desk] } }
queues: { desk: {} }
backends: { pins: { url: "https://bank.example/pins", method: POST } }
flows:
  - flow: bank
    language: en
    person: { queue: desk }
    start: account
    steps:
      account: { ask: Which account?, slot: account, type: digits, length: 6, next: ask_pin }
      tell_balance: { say: "It is fine.", next: locked }
      locked: { transfer: desk }
"#;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("config.yaml");
    std::fs::write(&path, format!("{around}{}", steps(block("secret: true")))).unwrap();
    config::load(&path).unwrap_or_else(|problems| panic!("{problems}"));
    let save = "verifies: account\n        save: { verified: /ok }";
    let written = std::fs::read_to_string(&path).unwrap().replace("verifies: account", save);
    std::fs::write(&path, written).unwrap();
    let told = config::load(&path).unwrap_err().to_string();
    assert!(told.contains("only a backend makes a call `verified` (expected another name)"), "{told}");
}

#[test]
fn the_people_shown_are_good() {
    let around = r#"
lines: { main: { numbers: ["100"], flow: hello } }
agents: { anna: { uri: "sip:anna@127.0.0.1", queues: [desk] } }
queues: { desk: {} }
flows:
  - { flow: hello, language: en, person: { queue: desk }, start: desk, steps: { desk: { transfer: desk } } }
"#;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("config.yaml");
    std::fs::write(folder.path().join("people.csv"), "number,name,vip,points\n020 7123 4567,Ada,yes,20\n").unwrap();
    std::fs::write(&path, format!("{}{around}", block("people:"))).unwrap();
    let config = config::load(&path).unwrap_or_else(|problems| panic!("{problems}"));
    assert_eq!(config.people.unwrap().in_table("+442071234567")["vip"], "yes");
}

#[test]
fn the_decisions_shown_are_good() {
    let around = r#"
lines: { bank: { numbers: ["1000"], flow: bank } }
agents: { anna: { uri: "sip:anna@127.0.0.1", queues: [desk] } }
queues: { desk: {} }
backends: { accounts: { url: "https://bank.example/{account}" } }
flows:
  - flow: bank
    language: en
    person: { queue: desk }
    start: account
    steps:
      account: { ask: Which account?, slot: account, type: digits, length: 6, next: fetch }
      fetch:
        fetch: accounts
        with: { account: "{account}" }
        save: { balance: /balance, due: /due, tier: /tier }
        next: note
        not_found: menu
        failed: menu
      overdue: { say: "You owe us {fee:number} more, {who}.", next: menu }
      ask_tier: { ask: Which tier?, slot: tier, type: list, values: [gold, silver], next: menu }
      menu: { transfer: desk }
"#;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("config.yaml");
    std::fs::write(&path, format!("{around}{}", steps(block("remember:")))).unwrap();
    config::load(&path).unwrap_or_else(|problems| panic!("{problems}"));
}

#[test]
fn the_backend_shown_is_good() {
    let around = r#"
lines: { cafe: { numbers: ["1000"], flow: cafe } }
agents: { anna: { uri: "sip:anna@127.0.0.1", queues: [counter] } }
queues: { counter: {} }
flows:
  - flow: cafe
    language: en
    person: { queue: counter }
    start: order
    steps:
      order: { ask: What would you like?, slot: item, type: free, next: place_order }
      tell_order: { say: "Your order is number {order:code}.", next: sorry }
      tell_reason: { say: "{reason}", next: sorry }
      sorry: { transfer: counter }
"#;
    let (backends, step) = block("signing_secret").split_once("...\n").unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("config.yaml");
    std::fs::write(&path, format!("{backends}{around}{}", steps(step))).unwrap();
    let config = config::load_with(&path, Secrets::Optional).unwrap_or_else(|problems| panic!("{problems}"));
    assert!(config.backends["orders"].idempotent);
}

#[test]
fn the_emotion_policy_shown_is_the_one_built_in() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("config.yaml");
    let tell = block("disclose:").replace("next: menu", "next: desk");
    let around = format!(
        r#"
lines: {{ main: {{ numbers: ["100"], flow: hello }} }}
agents: {{ anna: {{ uri: "sip:anna@127.0.0.1", queues: [desk] }} }}
queues: {{ desk: {{}} }}
flows:
  - flow: hello
    language: en
    person: {{ queue: desk }}
    start: tell
    steps:
      desk: {{ transfer: desk }}
{}
"#,
        steps(&tell)
    );
    std::fs::write(&path, format!("{}{around}", block("emotion:\n"))).unwrap();
    let config = config::load(&path).unwrap_or_else(|problems| panic!("{problems}"));
    let shown = config.lines["main"].emotion.clone().unwrap();
    assert_eq!((shown.lists.complaint.len(), shown.lists.threat.len()), (1, 1));
    let built_in = frontdesk::emotion::policy::Policy::default();
    assert_eq!(shown, frontdesk::emotion::policy::Policy { lists: shown.lists.clone(), ..built_in });
    assert_eq!(config.flows["hello"].steps.len(), 2);
}

#[test]
fn the_telephone_side_shown_is_good() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("config.yaml");
    let around = r#"
lines: { main: { numbers: ["100"], flow: hello } }
queues: { desk: {} }
flows:
  - { flow: hello, language: en, person: { queue: desk }, start: desk, steps: { desk: { transfer: desk } } }
"#;
    std::fs::write(&path, format!("{}{around}", block("trunks:"))).unwrap();
    for file in ["cert.pem", "key.pem", "carrier.secret"] {
        std::fs::write(folder.path().join(file), "something").unwrap();
    }
    let config = config::load(&path).unwrap_or_else(|problems| panic!("{problems}"));
    assert_eq!((config.trunks.len(), config.sip.tls.listen.len()), (2, 2));
}

#[test]
fn the_queues_shown_are_good() {
    let around = r#"
lines: { main: { numbers: ["1"], flow: hello } }
flows:
  - flow: hello
    language: en
    person: { queue: desk }
    start: menu
    intents: { stolen: { examples: [a, b, c, d, e, f, g, h] } }
    steps:
      menu: { menu: "What is it?", options: [{ key: 1, intent: stolen, next: desk }] }
      desk: { transfer: desk }
"#;
    let shown = block("max_calls");
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("config.yaml");
    std::fs::write(&path, format!("{shown}{around}")).unwrap();
    let config = config::load_with(&path, Secrets::Optional).unwrap_or_else(|problems| panic!("{problems}"));
    assert_eq!(config.queues["desk"].max_calls, Some(20));
}

//! The examples in docs/configuration.md can be copied as they stand.

use frontdesk::config::{self, Secrets};

const PAGE: &str = include_str!("../../docs/configuration.md");

/// The page's YAML blocks, in order.
fn blocks() -> Vec<&'static str> {
    PAGE.split("```yaml\n").skip(1).map(|rest| rest.split("```").next().unwrap()).collect()
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
    let form: String = blocks()[2].lines().map(|line| format!("    {line}\n")).collect();
    std::fs::write(&path, format!("{around}{form}")).unwrap();
    let config = config::load(&path).unwrap_or_else(|problems| panic!("{problems}"));
    assert_eq!(config.flows["cafe"].steps.len(), 2);
}

#[test]
fn the_emotion_policy_shown_is_the_one_built_in() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("config.yaml");
    let tell = blocks()[5].replace("next: menu", "next: desk");
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
        tell.lines().map(|line| format!("    {line}\n")).collect::<String>()
    );
    std::fs::write(&path, format!("{}{around}", blocks()[4])).unwrap();
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
    std::fs::write(&path, format!("{}{around}", blocks()[3])).unwrap();
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
    let shown = blocks().into_iter().find(|block| block.contains("max_calls")).expect("queues are shown");
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("config.yaml");
    std::fs::write(&path, format!("{shown}{around}")).unwrap();
    let config = config::load_with(&path, Secrets::Optional).unwrap_or_else(|problems| panic!("{problems}"));
    assert_eq!(config.queues["desk"].max_calls, Some(20));
}

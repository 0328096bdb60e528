//! Trunk, withheld numbers and diversions are values like any other: a flow says them and decides by them, and the
//! record holds them. What was written before there were such still reads.

use std::sync::Arc;

use frontdesk::call::{Action, Call, Caller, Event, Note};
use frontdesk::config;

const CONFIG: &str = r#"
lines: { main: { numbers: ["100"], flow: hello } }
agents: { anna: { uri: "sip:anna@127.0.0.1", queues: [desk] } }
queues: { desk: {} }
flows:
  - flow: hello
    language: en
    person: { queue: desk }
    start: which
    steps:
      which:
        decide:
          - { if: caller_withheld, is: "yes", next: hidden }
          - { if: diverted_from, known: true, next: diverted }
        otherwise: plain
      hidden: { say: "Hello, whoever you are.", next: desk }
      diverted: { say: "You called {diverted_from} ({diverted_reason}) by {trunk}, {caller_name}.", next: desk }
      plain: { say: "Hello {caller_number}.", next: desk }
      desk: { transfer: desk }
"#;

fn greeted(caller: Caller) -> (String, Call) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("config.yaml");
    std::fs::write(&path, CONFIG).unwrap();
    let config = config::load(&path).unwrap_or_else(|problems| panic!("{problems}"));
    let mut call = Call::new(Arc::clone(&config.flows["hello"]));
    let at = "2026-11-21T10:00:00Z".parse().unwrap();
    let actions = call.handle(0, Event::Arrived { call: "one".into(), caller, at });
    let said = actions.into_iter().find_map(|action| match action {
        Action::Say { words, .. } => Some(words.text()),
        _ => None,
    });
    (said.expect("a greeting"), call)
}

#[test]
fn flows_say_and_decide_by_it() {
    let caller = Caller { number: "+4930123".into(), line: "main".into(), ..Caller::default() };
    assert_eq!(greeted(caller.clone()).0, "Hello +4930123.");
    let hidden = Caller { withheld: true, number: String::new(), ..caller.clone() };
    assert_eq!(greeted(hidden).0, "Hello, whoever you are.");
    let diverted = Caller {
        name: Some("Ada".into()),
        trunk: Some("carrier".into()),
        diverted_from: Some("+15550199".into()),
        diverted_reason: Some("no-answer".into()),
        ..caller
    };
    let (said, call) = greeted(diverted.clone());
    assert_eq!(said, "You called +15550199 (no-answer) by carrier, Ada.");
    assert!(call.timeline().iter().any(|entry| matches!(&entry.note, Note::Arrived(noted) if *noted == diverted)));
}

#[test]
fn what_was_recorded_before_still_reads() {
    let old = r#"{"number":"1","name":null,"dialled":"100","line":"main"}"#;
    let caller: Caller = serde_json::from_str(old).unwrap();
    assert_eq!(serde_json::to_string(&caller).unwrap(), old);
}

//! What callers may say at any question: an operator switches it off or adds words; a mistake is told with its place.

use crate::loaded;
use frontdesk::dialog::commands::{Command, Commands};

const HOUSE: &str = r#"
agents:
  anna: { uri: "sip:anna@10.0.0.1", queues: [desk] }
queues:
  desk: {}
lines:
  main: { numbers: ["100"], flow: hello }
flows:
  - flow: hello
    language: en
    person: { queue: desk }
    start: what
    steps:
      what: { ask: "What is it?", slot: matter, type: free, next: desk }
      desk: { transfer: desk }
"#;

#[test]
fn what_is_changed_comes_out_as_meant() {
    let config =
        loaded(&format!("{HOUSE}    commands: {{ repeat: [say what, 啥], back: false, help: true }}\n")).unwrap();
    let expected = Commands {
        off: [Command::Back].into(),
        words: [(Command::Repeat, vec!["say what".to_owned(), "啥".to_owned()])].into(),
    };
    assert_eq!(config.flows["hello"].commands, expected);
    assert_eq!(loaded(HOUSE).unwrap().flows["hello"].commands, Commands::default());
}

#[test]
fn mistakes_have_their_places() {
    let told = |commands: &str| loaded(&format!("{HOUSE}    commands: {commands}\n")).unwrap_err().to_string();
    for (commands, expected) in [
        ("{ repeat: [agent] }", ":16:26: \"agent\" asks for a person"),
        ("{ repeat: [\"?!\"] }", ":16:26: \"?!\" is no word"),
        ("{ rewind: true }", "rewind"),
        ("{ back: maybe }", ":16:"),
    ] {
        let told = told(commands);
        assert!(told.contains(expected), "{expected} is not in\n{told}");
    }
}

//! Two options of a menu whose examples mean the same cannot be told apart, whatever their words: `check --meaning` says so, at
//! the example's place, by the model that understands callers.

use std::path::Path;
use std::process::{Command, Output};

const CONFIGURATION: &str = r#"
agents: { anna: { uri: "sip:anna@10.0.0.1", queues: [desk] } }
queues: { desk: {} }
lines: { main: { numbers: ["100"], flow: bank } }
flows:
  - flow: bank
    language: en
    person: { queue: desk }
    start: menu
    intents:
      lost: { examples: ["I lost my card", "my card is missing", "I can't find my card"] }
      block: { examples: ["block my card", "somebody took my card", "EXAMPLE"] }
    steps:
      menu: { menu: "A lost card, or one to be blocked?", options: [{ intent: lost, next: desk }, { intent: block, next: desk }] }
      desk: { transfer: desk }
"#;

fn check(example: &str, meaning: bool) -> Output {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("config.yaml");
    std::fs::write(&path, CONFIGURATION.replace("EXAMPLE", example)).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_frontdesk"));
    command.arg("check").arg(Path::new(&path));
    command.args(meaning.then_some("--meaning")).output().unwrap()
}

#[test]
fn what_means_the_same_for_two_options_is_told_at_its_place() {
    const SAME: &str = "I have lost my bank card";
    let found = check(SAME, true);
    let text = String::from_utf8_lossy(&found.stdout);
    assert!(!found.status.success(), "{text}");
    assert!(text.contains("`I lost my card` means what `I have lost my bank card` of intent `block` does"), "{text}");
    assert!(text.contains("config.yaml:11:26:"), "{text}");
    assert!(check(SAME, false).status.success(), "without the model only the same words are the same");
    let apart = check("stop all payments with it", true);
    assert!(apart.status.success(), "{}", String::from_utf8_lossy(&apart.stdout));
}

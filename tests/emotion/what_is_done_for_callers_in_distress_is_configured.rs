//! The operator's emotion policy: built in where nothing is said, off by line, each mistake with its place.

use frontdesk::config::{self, Config, Secrets};
use frontdesk::dialog::flow::Step;
use frontdesk::emotion::policy::{Policy, Reaction};

fn load(lines: &str, emotion: &str, steps: &str) -> Result<Config, String> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("config.yaml");
    let text = format!(
        "lines:\n{lines}agents:\n  anna: {{ uri: \"sip:anna@127.0.0.1\", queues: [desk] }}\nqueues:\n  desk: {{}}\n{emotion}\
         flows:\n  - flow: hello\n    language: en\n    person: {{ queue: desk }}\n    start: first\n    steps:\n{steps}"
    );
    std::fs::write(&path, text).unwrap();
    config::load_with(&path, Secrets::Optional).map_err(|problems| problems.to_string())
}

const LINE: &str = "  main: { numbers: [\"1\"], flow: hello }\n";
const STEPS: &str = "      first: { transfer: desk }\n";

fn policy(emotion: &str) -> Policy {
    load(LINE, emotion, STEPS).unwrap().lines["main"].emotion.clone().unwrap()
}

#[test]
fn nobody_listens_unless_asked_to() {
    assert_eq!(load(LINE, "", STEPS).unwrap().lines["main"].emotion, None);
    assert_eq!(policy("emotion: {}\n"), Policy::default());
}

#[test]
fn a_line_may_be_off_or_have_a_policy_of_its_own() {
    let lines = "  main: { numbers: [\"1\"], flow: hello }\n  quiet: { numbers: [\"2\"], flow: hello, emotion: off }\n  \
                 own: { numbers: [\"3\"], flow: hello, emotion: { transfer: off, raise: 3 } }\n";
    let lines = load(lines, "emotion: { raise: 20 }\n", STEPS).unwrap().lines;
    assert_eq!(lines["main"].emotion.as_ref().unwrap().raise, 20);
    assert_eq!(lines["quiet"].emotion, None);
    let own = lines["own"].emotion.as_ref().unwrap();
    assert_eq!(own.raise, 3);
    assert!(!own.rules.contains_key(&Reaction::Transfer) && own.rules.contains_key(&Reaction::Comfort));
}

#[test]
fn thresholds_durations_and_words_are_the_operators() {
    let policy = policy(
        "emotion:\n  upset: { distress: 0.7 }\n  comfort: { distress: 0.5, for_s: 2.5 }\n  alert: { words: 0.9 }\n  words: { threat: [Rechtsanwalt] }\n",
    );
    assert_eq!((policy.upset.distress, policy.upset.for_ms), (0.7, 0));
    let comfort = policy.rules[&Reaction::Comfort];
    assert_eq!((comfort.sound.unwrap().distress, comfort.sound.unwrap().for_ms, comfort.words), (0.5, 2_500, None));
    let alert = policy.rules[&Reaction::Alert];
    assert_eq!((alert.sound, alert.words), (None, Some(0.9)));
    assert_eq!(policy.lists.threat, ["Rechtsanwalt"]);
}

#[test]
fn mistakes_are_told_with_their_place() {
    for (emotion, found) in [
        ("emotion: { comfort: {} }\n", "it is not said when `comfort` comes"),
        ("emotion: { alert: { for_s: 2, words: 0.5 } }\n", "`for_s` without `distress`"),
        ("emotion: { transfer: { distress: 2 } }\n", "distress"),
        ("emotion: { sooth: off }\n", "sooth"),
        ("emotion: { words: { threat: [\" \"] } }\n", "a phrase is empty"),
    ] {
        let problems = load(LINE, emotion, STEPS).unwrap_err();
        assert!(problems.contains(found) && problems.contains("config.yaml:"), "{emotion}: {problems}");
    }
}

#[test]
fn a_flow_discloses_and_its_key_is_its_own() {
    let steps = |key: &str| {
        format!(
            "      first: {{ disclose: We listen to how you sound., key: \"{key}\", next: ask }}\n      ask:\n        menu: What is it?\n        \
             options: [{{ key: 1, next: desk }}]\n      desk: {{ transfer: desk }}\n"
        )
    };
    let config = load(LINE, "emotion: {}\n", &steps("*")).unwrap();
    assert!(matches!(&config.flows["hello"].steps["first"], Step::Disclose { key: Some('*'), .. }));
    let problems = load(LINE, "emotion: {}\n", &steps("1")).unwrap_err();
    assert!(problems.contains("key 1 chooses an option of the menu that follows"), "{problems}");
}

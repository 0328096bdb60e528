//! From every question "0", "agent", "人工" and two failures lead to a person within two prompts, and a failing backend to a
//! question or a person: `check` tries it on the call itself. Each way is broken here once, and is shown at its place. That
//! "agent" and "人工" lead there no flow can undo: it can only want them to mean something else.

use frontdesk::config;

/// A bank of one menu, one question and one backend.
const GOOD: &str = r#"
lines: { main: { numbers: ["1"], flow: f } }
agents: { a: { uri: "sip:a@127.0.0.1:5070", queues: [q] } }
queues: { q: {} }
backends: { b: { url: "http://127.0.0.1:1/{account}" } }
flows:
  - flow: f
    language: en
    person: { queue: q }
    attempts: 2
    start: menu
    intents:
      balance: { examples: [what is my balance, how much money do I have, am I overdrawn] }
      hours: { examples: [when do you open, opening hours please, are you open today] }
    steps:
      menu:
        menu: Balance or hours?
        options:
          - { key: 1, intent: balance, phrases: [balance], next: account }
          - { key: 2, intent: hours, phrases: [hours], next: open }
      account: { ask: Your account number?, slot: account, type: digits, length: 6, next: fetch }
      fetch: { fetch: b, with: { account: "{account}" }, save: { balance: /balance }, next: told, not_found: sorry, failed: sorry }
      told: { say: "It is {balance:money}.", next: menu }
      sorry: { say: I cannot see it now., next: menu }
      open: { say: From nine to five., next: menu }
"#;

fn problems(mutations: &[(&str, &str)]) -> Vec<String> {
    let mut text = GOOD.to_owned();
    for (good, bad) in mutations {
        assert_eq!(text.matches(good).count(), 1, "`{good}` stands there once");
        text = text.replace(good, bad);
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("c.yaml");
    std::fs::write(&path, text).unwrap();
    let found = config::load(&path).err().map(|problems| problems.0).unwrap_or_default();
    let shown = found.iter().map(|problem| problem.to_string());
    shown.map(|shown| shown.split_once("c.yaml:").map_or(shown.clone(), |(_, rest)| rest.to_owned())).collect()
}

#[track_caller]
fn shown(mutations: &[(&str, &str)], expected: &[&str]) {
    let found = problems(mutations);
    for expected in expected {
        assert!(found.iter().any(|found| found.starts_with(expected)), "{expected} is not in {found:#?}");
    }
    assert_eq!(found.len(), expected.len(), "{found:#?}");
}

#[test]
fn a_good_flow_keeps_the_promise() {
    shown(&[], &[]);
}

#[test]
fn key_0_that_is_taken() {
    shown(&[("key: 2", "key: 0")], &["20:20: key 0 always leads to a person"]);
}

#[test]
fn key_0_that_refuses() {
    let disclosed = "      first: { disclose: We listen to how you sound., key: 0, next: menu }\n      menu:\n";
    shown(&[("start: menu", "start: first"), ("      menu:\n", disclosed)], &["16:60: key 0 cannot refuse"]);
}

#[test]
fn words_for_a_person_that_are_taken() {
    for word in ["agent", "insurance agent", "人工", "人工服务"] {
        let told = |place: &str| format!("{place}: `{word}` asks for a person, at any step");
        shown(&[("phrases: [hours]", &format!("phrases: [hours, {word}]"))], &[&told("20:55")]);
        let list = format!("type: list, values: [savings, {word}]");
        shown(&[("type: digits, length: 6", &list)], &[&told("21:90")]);
        let commands = format!("attempts: 2\n    commands: {{ repeat: [{word}] }}");
        shown(&[("attempts: 2", &commands)], &[&format!("11:26: \"{word}\" asks for a person")]);
    }
}

#[test]
fn a_person_who_is_nobody() {
    shown(&[("person: { queue: q }", "person: { queue: nobody }")], &["9:22: there is no queue `nobody`"]);
    let unstaffed =
        [("queues: { q: {} }", "queues: { q: {}, r: {} }"), ("person: { queue: q }", "person: { queue: r }")];
    shown(&unstaffed, &["4:18: nobody takes the calls of queue `r`"]);
}

#[test]
fn failures_that_go_on() {
    let at_both = [
        "10:15: a caller who is twice not understood at `account`",
        "10:15: a caller who is twice not understood at `menu`",
    ];
    shown(&[("attempts: 2", "attempts: 10")], &at_both);
}

#[test]
fn failures_that_end_in_a_hang_up() {
    let queue =
        "queues: { q: { callback: { trunk: t, numbers: [\"020*\"] } } }\ntrunks: { t: { host: \"127.0.0.1:5999\" } }";
    let steps = "open: { callback: q, declined: bye }\n      bye: { hang_up: Bye. }";
    shown(
        &[("queues: { q: {} }", queue), ("open: { say: From nine to five., next: menu }", steps)],
        &["26:7: a caller who is twice not understood here"],
    );
}

#[test]
fn a_backend_that_fails_at_length() {
    let long = "sorry: { say: I cannot see it now., next: sorry2 }\n      sorry2: { say: Really not., next: sorry3 }\n      sorry3: { say: So sorry., next: menu }";
    shown(&[("sorry: { say: I cannot see it now., next: menu }", long)], &["22:125: when the backend fails"]);
}

#[test]
fn a_backend_that_fails_into_a_hang_up() {
    let bye = "sorry: { hang_up: Bye. }";
    shown(
        &[("sorry: { say: I cannot see it now., next: menu }", bye)],
        &[
            "22:110: when the backend fails, the caller is hung up on",
            "22:125: when the backend fails, the caller is hung up on",
        ],
    );
}

#[test]
fn intents_that_share_an_example() {
    shown(
        &[
            ("are you open today]", "\"How much money have I, please?\"]"),
            ("how much money do I have,", "how much money have I,"),
        ],
        &["14:67: `How much money have I, please?` is said for intent `balance` too, in the menu `menu`"],
    );
    // The phrase of another option, with other words around it.
    shown(
        &[("am I overdrawn]", "I need the hours]")],
        &["13:75: `I need the hours` is said for intent `hours` too, in the menu `menu`"],
    );
}

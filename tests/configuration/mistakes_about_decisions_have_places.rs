//! What a flow's designer gets wrong about decisions, remembered values and experiments is told with its place.

use crate::loaded;

const HOUSE: &str = r#"
agents:
  anna: { uri: "sip:anna@10.0.0.1", queues: [desk] }
queues: { desk: {} }
lines:
  main: { numbers: ["100"], flow: hello }
flows:
  - flow: hello
    language: en
    person: { queue: desk }
    start: size
    steps:
      size: { ask: "Which size?", slot: size, type: list, values: [small, large], next: pin }
      pin: { ask: "Your PIN?", slot: pin, type: digits, length: 4, secret: true, next: keep }
      keep: { remember: { REMEMBER }, next: which }
      which:
        decide:
          - { CASE, next: desk }
        otherwise: try
      try: { experiment: { EXPERIMENT } }
      told: { say: "SAY", next: size }
      desk: { transfer: desk }
"#;

fn told(remember: &str, case: &str, experiment: &str, say: &str) -> String {
    let parts = [("REMEMBER", remember), ("CASE", case), ("EXPERIMENT", experiment), ("SAY", say)];
    let house = parts.iter().fold(HOUSE.to_owned(), |house, (key, part)| house.replace(key, part));
    loaded(&house).map_or_else(|problems| problems.to_string(), |_| String::new())
}

#[test]
fn every_mistake_has_its_place() {
    let good = "if: size, is: large";
    assert_eq!(told("usual: \"{size}\"", good, "told: 40, desk: 60", "Your {usual} one."), "");
    let mut cases = Vec::new();
    for (case, expected) in [
        ("if: size", "18:13: this case tests nothing (expected `if` and one test: `is`"),
        ("is: large", "18:13: this case tests no value (expected `if: NAME`)"),
        (
            "if: size, is: large, known: true",
            "18:13: this case tests more than one thing (expected one test; several in `all`",
        ),
        ("all: [{ if: size, is: large }, { if: sise, known: true }]", "18:52: nothing fills `sise`"),
        ("all: [{ if: size, is: large }, { known: true }]", "18:46: this condition tests no value"),
        ("if: size, is: larg", "18:29: `larg` is nothing that `size` may be; test it for what it may be"),
        ("not: { if: size, in: [large, huge] }", "18:44: `huge` is nothing that `size` may be"),
        ("if: size, above: 3 apples", "18:32: \"3 apples\" cannot be compared with (expected a number, or an amount"),
        ("if: size, before: soon", "18:33: \"soon\" cannot be compared with (expected a day"),
        ("any: []", "18:20: `any` is empty (expected at least one)"),
        ("if: size, iz: large", "18:25: unknown key `iz`"),
    ] {
        cases.push((told("usual: \"{size}\"", case, "told: 40, desk: 60", "Your {usual} one."), expected));
    }
    let with = |remember: &str, experiment: &str, say: &str| told(remember, good, experiment, say);
    cases.extend([
        (with("usual: \"{sise}\"", "told: 40, desk: 60", "Hello."), "15:35: nothing fills `sise`"),
        (with("\"a b\": x", "told: 40, desk: 60", "Hello."), "15:27: \"a b\" cannot be the name of a value"),
        (with("usual: \"{pin}\"", "told: 40, desk: 60", "{usual}"), "`usual` is a secret and is never spoken"),
        (with("usual: x", "told: 40, desk: 50", "{usual}"), "20:26: these percents sum to 90 (expected 100)"),
        (
            with("usual: x", "told: 40, dsk: 60", "{usual}"),
            "20:38: there is no step `dsk` (expected the name of a step of this flow); did you mean `desk`?",
        ),
        (with("usual: x", "told: 100", "{usual}"), "20:34: `told` is `100` (expected 1 to 99)"),
    ]);
    let missed = cases.iter().filter(|(told, expected)| !told.contains(expected));
    let missed: Vec<String> = missed.map(|(told, expected)| format!("{expected} is not in\n{told}")).collect();
    assert!(missed.is_empty(), "{}", missed.join("\n"));
}

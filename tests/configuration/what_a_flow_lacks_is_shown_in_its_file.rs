//! The proofs about a flow come back as places in the designer's file: the step, the line, the word.

use frontdesk::config;

/// A flow with these steps is asked for its problems, as `line:column: message`; the first step is in line 12.
#[track_caller]
fn shown(steps: &str, expected: &[&str]) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("c.yaml");
    let text = format!(
        r#"
lines: {{ main: {{ numbers: ["1"], flow: f }} }}
agents: {{ a: {{ uri: "sip:a@127.0.0.1:5070", queues: [q] }} }}
queues: {{ q: {{}} }}
backends: {{ b: {{ url: "http://127.0.0.1:1/x" }} }}
flows:
  - flow: f
    language: en
    person: {{ queue: q }}
    start: start
    steps:
{steps}"#
    );
    std::fs::write(&path, text).unwrap();
    let found: Vec<String> = match config::load(&path) {
        Ok(_) => vec![],
        Err(problems) => problems.0.iter().map(|problem| problem.to_string()).collect(),
    };
    assert_eq!(found.len(), expected.len(), "{found:#?}");
    for (found, expected) in found.iter().zip(expected) {
        let found = found.split_once("c.yaml:").map_or(found.as_str(), |(_, rest)| rest);
        assert!(found.starts_with(expected), "{found}");
    }
}

#[test]
fn a_good_flow_has_no_problems() {
    shown("      start: { say: Hello., next: out }\n      out: { transfer: q }\n", &[]);
}

#[test]
fn a_step_that_nothing_leads_to() {
    shown("      start: { transfer: q }\n      lost: { transfer: q }\n", &["13:7: "]);
}

#[test]
fn a_circle_without_a_question() {
    shown(
        "      start: { say: Hello., next: again }\n      again: { say: Hello., next: start }\n",
        &["13:7: the steps `again`, `start` go round without asking anything"],
    );
}

#[test]
fn an_end_without_a_chance() {
    shown("      start: { say: Hello., next: bye }\n      bye: { hang_up: Bye. }\n", &["13:7: "]);
}

#[test]
fn a_failure_that_hangs_up() {
    shown(
        "      start: { ask: Well?, slot: x, type: free, next: get }\n      get: { fetch: b, next: out, not_found: out, failed: bye }\n      out: { transfer: q }\n      bye: { hang_up: Bye. }\n",
        &["13:59: "],
    );
}

#[test]
fn a_way_to_a_person_that_is_long_only_while_it_is_open() {
    let flow = |open: &str, closed: &str| {
        let steps = r#"      start: { ask: Well?, slot: x, type: free, next: get }
      get: { fetch: b, next: out, not_found: out, failed: when }
      when: { hours: shop, open: _open_, closed: _closed_ }
      one: { say: One., next: two }
      two: { say: Two., next: three }
      three: { say: Three., next: out }
      out: { transfer: q }
    hours: { shop: { zone: Europe/Vienna, mon-fri: "09:00-17:00" } }
"#;
        steps.replace("_open_", open).replace("_closed_", closed)
    };
    let told = |clock: &str| {
        let what = "when the backend fails, the caller hears 4 prompts and neither a question nor a person";
        format!("13:59: {what} (tried on a {clock})")
    };
    shown(&flow("one", "out"), &[&told("Monday at 09:00")]);
    shown(&flow("out", "one"), &[&told("Monday at 01:00")]);
}

#[test]
fn values_that_are_not_there() {
    shown(
        "      start: { say: \"Hello {nam}, {caller_number}.\", next: get }\n      get: { ask: Name?, slot: name, type: free, next: out }\n      out: { transfer: q, say: \"Bye {name:cod}.\" }\n",
        &["12:28: nothing fills `nam`", "14:37: `{name:cod}`: `cod` is no way to read a value"],
    );
    shown(
        "      start:\n        menu: Well?\n        options: [{ key: 1, next: get }, { key: 2, next: out }]\n      get: { ask: Name?, slot: name, type: free, next: out }\n      out: { transfer: q, say: \"Bye {name}.\" }\n",
        &["16:37: `name` is not filled on every way to this step"],
    );
}

#[test]
fn options_that_cannot_be_told_apart() {
    shown(
        "      start:\n        menu: Well?\n        options:\n          - { key: 1, phrases: [yes please], next: out }\n          - { key: 1, phrases: [fine, Yes please], next: out }\n          - { key: 0, next: out }\n      out: { transfer: q }\n",
        &["16:20: key 1", "16:39: `Yes please`", "17:20: key 0 always leads to a person"],
    );
}

#[test]
fn a_form_of_many_kinds_is_read() {
    shown(
        r#"      start:
        form: What would you like?
        slots:
          - { slot: size, type: list, values: [small, { value: large, also: [big, 大杯], say: a large }], ask: What size? }
          - { slot: extras, type: list, many: true, values: [oat milk, caramel], ask: Anything extra? }
          - { slot: day, type: date, ask: On which day? }
          - { slot: price, type: money, currency: usd }
          - { slot: zip, type: postcode, country: us }
          - { slot: count, type: number, min: 1, max: 12 }
        confirm: "{size}, {extras}, {day:date}. Is that right?"
        next: who
      who: { ask: Who is it?, slot: who, type: name, values: [Anna Lindqvist, Ben Okafor], next: out }
      out: { transfer: q, say: "Thank you, {who}. {count:number} of {size}, {price:money}, {zip:code}." }
"#,
        &[],
    );
}

#[test]
fn what_is_wrong_with_the_kind_of_an_answer() {
    shown(
        r#"      start: { ask: How much?, slot: x, type: money, next: b }
      b: { ask: Which?, slot: y, type: list, next: c }
      c: { ask: Which?, slot: z, type: list, values: [one two, { value: three, also: [One two!] }], next: d }
      d: { ask: When?, slot: u, type: date, values: [x], currency: USD, next: e }
      e: { ask: Where?, slot: v, type: postcode, country: xx, next: f }
      f: { ask: Code?, slot: w, type: code, min: 1.5, max: 4, next: g }
      g: { form: Well?, slots: [{ slot: s, type: list, values: ["a, b"] }, { slot: s, type: free }], next: h }
      h: { transfer: q }
"#,
        &[
            "12:47: this type of answer needs its `currency`",
            "13:40: a list without values",
            "14:64: `One two!` stands for value 1 already",
            "15:45: `values` says nothing for this type of answer",
            "15:58: `currency` says nothing for this type of answer",
            "16:40: the postcodes of `xx` are not known",
            "17:50: `min` is no number of characters",
            "18:65: a comma in the value",
            "18:84: `s` is slot 1 already",
            "18:84: `s` can only be filled by asking for it",
        ],
    );
}

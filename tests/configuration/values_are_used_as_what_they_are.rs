//! What values are: said under `types`, or known by what is asked. Who reads one out, compares it or fills it as something
//! else is told where.

use crate::loaded;

const HOUSE: &str = r#"
agents:
  anna: { uri: "sip:anna@10.0.0.1", queues: [desk] }
queues: { desk: {} }
lines:
  main: { numbers: ["100"], flow: hello }
backends: { bills: { url: "http://127.0.0.1:9/bills/{account}" } }
flows:
  - flow: hello
    language: en
    person: { queue: desk }
    start: account
    types: { TYPES }
    steps:
      account: { ask: "Your account?", slot: account, type: digits, length: 4, next: day }
      day: { ask: "Which day?", slot: day, type: date, next: bill }
      bill: { fetch: bills, with: { account: "{account}" }, save: { fee: /fee, due: /due }, next: keep, not_found: desk, failed: desk }
      keep: { remember: { fruit: apple, when: "{day}", limit: LIMIT }, next: which }
      which:
        decide:
          - { CASE, next: desk }
        otherwise: told
      told: { say: "SAY", next: account }
      desk: { transfer: desk }
"#;

fn told(types: &str, limit: &str, case: &str, say: &str) -> String {
    let parts = [("TYPES", types), ("LIMIT", limit), ("CASE", case), ("SAY", say)];
    let house = parts.iter().fold(HOUSE.to_owned(), |house, (key, part)| house.replace(key, part));
    loaded(&house).map_or_else(|problems| problems.to_string(), |_| String::new())
}

#[test]
fn every_misuse_has_its_place() {
    let (types, case, say) =
        ("fee: money, due: date, limit: number", "if: fee, above: 20 EUR", "{fee:money}, {due:date}");
    assert_eq!(told(types, "3", case, say), "");
    let cases = [
        (
            told(types, "3", case, "{fee:date}"),
            "23:21: `{fee:date}`: `fee` is an amount of money; read it as what it is",
        ),
        (told(types, "3", case, "On {when:money}."), "23:24: `{when:money}`: `when` is a date"),
        (told(types, "3", case, "Eat {fruit:number}."), "23:25: `{fruit:number}`: `fruit` is \"apple\""),
        (told(types, "3", case, "{account:date}"), "23:21: `{account:date}`: `account` is digits"),
        (told(types, "three", case, say), "18:63: `limit` is a number, and this is \"three\""),
        (told(types, "3", "if: day, is: banana", say), "21:28: `banana` is nothing that `day` may be"),
        (told(types, "3", "if: fruit, is: pear", say), "`pear` is nothing that `fruit` may be"),
        (told(types, "3", "if: due, above: 3", say), "`due` is a date: nothing that is more or less"),
        (told(types, "3", "if: limit, above: 3 EUR", say), "`limit` is a number, and no amount of money"),
        (told(types, "3", "if: fee, before: today", say), "`fee` is an amount of money, and no date"),
        (told("fee: money, account: date", "3", case, say), "15:61: `account` is a date, and this is digits"),
        (told("fee: money, nobody: date", "3", case, say), "13:34: nothing fills `nobody`"),
        (told("fee: monny", "3", case, say), "13:19: `fee` is \"monny\" (expected one of `text`, `number`"),
    ];
    let missed = cases.iter().filter(|(told, expected)| !told.contains(expected));
    let missed: Vec<String> = missed.map(|(told, expected)| format!("{expected} is not in\n{told}")).collect();
    assert!(missed.is_empty(), "{}", missed.join("\n"));
}

#[test]
fn a_value_of_several_sources_may_be_any_of_them() {
    let two = |case: &str| {
        let house = HOUSE.replace("TYPES", "").replace("LIMIT", "3").replace("CASE", case).replace("SAY", "Hello.");
        let house =
            house.replace("told: { say", "told: { remember: { fruit: pear }, next: again }\n      again: { say");
        loaded(&house).map_or_else(|problems| problems.to_string(), |_| String::new())
    };
    assert_eq!(two("if: fruit, in: [apple, pear]"), "");
    assert_eq!(two("if: fruit, is: pear"), "");
    assert!(two("if: fruit, in: [apple, plum]").contains("`plum` is nothing that `fruit` may be"));
}

#[test]
fn what_is_not_said_may_be_anything() {
    let quiet = told("", "\"{fee} EUR\"", "if: fee, is: banana", "{fee:date}, {due:time}, {limit:money}");
    assert_eq!(quiet, "");
}

//! One look at a configuration with sixty mistakes in two files finds all of them, each at its line and column.

use frontdesk::config::{self, Secrets};

const CONFIG: &str = r#"
lines:
  bank:
    numbers: [1000, "1001"]
    flow: bnak
  second:
    numbers: ["1001", "+1 (212) 555"]
    flow: bank
    language: zh
  "third line":
    numbers: []
    flow: bank
agents:
  anna:
    password: hunter2
    queues: [front-dsk]
  ben:
    queues: [front-desk]
    uri: mailto:ben
  carl:
    queues: [front-desk]
    languages: [english]
    password: { env: FRONTDESK_TEST_NO_SUCH_VARIABLE }
queues:
  front-desk:
    ring_timeout_s: "20"
    waiting: rining
  empty:
    max_wait_s: 99999
backends:
  balance:
    url: htp://127.0.0.1/{account}
    metod: POST
    timeout_ms: soon
sip:
  listen: localhost
  allow: [10.0.0.0/40]
  rtp_ports: 5000
http:
  listen: 0.0.0.0:9060
drain_s: -1
flows: [flow.yaml, floww.yaml]
"#;

const FLOW: &str = r#"
flow: bank
language: en
person: { queue: front-desk, skills: [juggling] }
start: greting
intents:
  balance: { label: balance, examples: [how much, what is left] }
  hours: { examples: [when are you open, opening times, how late] }
  visit: { examples: [can I come, where are you, When are you open] }
hours:
  branch: { zone: America/NewYork, mon-fri: "9 to 5", satt: "10:00-14:00", closed: [25.12.2026] }
steps:
  greeting:
    say: "Hello {nobody}."
    nxt: menu
  menu:
    menu: "Balance {account:kode} or hours?"
    options:
      - { key: 0, next: ask_account }
      - { key: 2, intent: balanse, next: menu }
      - { key: 2, phrases: [hours], next: menu }
      - { phrases: [Hours], next: menuu }
      - { next: menu }
      - { key: 10, next: menu }
  ask_account:
    ask: "Your number?"
    slot: account
    type: digit
    length: 6
    next: fetch
  ask_pin:
    ask: { zh: 请输入密码 }
    slot: pin
    type: digits
    secret: true
    personal: true
    confirm: "{pin:code}?"
    next: fetch
  fetch:
    fetch: balence
    save: { new balance: balance }
    next: tell
    not_found: menu
    failed: menu
  second_fetch:
    fetch: balance
    next: tell
    not_found: menu
    failed: menu
  tell:
    say: "You have {balance"
    menu: "And now?"
    next: decide
  decide:
    decide:
      - { if: balance, above: 0, below: 9, next: menu }
    otherwise: nowhere
  sing:
    sings: la la
  person:
    transfer: back-office
  bye:
    hang_up: { file: prompts/bye.wav }
  bye:
    hang_up: ""
"#;

/// File, the text at whose first place the mistake is reported, and words of the report.
const MISTAKES: &[(&str, &str, &str)] = &[
    ("config.yaml", "bnak", "there is no flow `bnak` (expected the name of a flow); did you mean `bank`?"),
    ("config.yaml", "\"1001\", \"+1", "number `1001` reaches line `bank` already"),
    ("config.yaml", "\"+1 (212) 555\"", "\"+1 (212) 555\" cannot be dialled"),
    ("config.yaml", "zh", "flow `bank` does not speak `zh` (expected one of en)"),
    ("config.yaml", "\"third line\"", "\"third line\" cannot be a name"),
    ("config.yaml", "[]", "`numbers` is empty (expected at least one)"),
    ("config.yaml", "hunter2", "`password` is written out (expected where to find the secret); write `{ env: NAME }`"),
    ("config.yaml", "front-dsk", "there is no queue `front-dsk`"),
    ("config.yaml", "mailto:ben", "\"mailto:ben\" is no SIP address (expected such as `sip:"),
    (
        "config.yaml",
        "english",
        "\"english\" is no language (expected a language's tag: `en`, `zh`, `es`, ...); did you mean `en`?",
    ),
    ("config.yaml", "FRONTDESK_TEST_NO", "the environment variable FRONTDESK_TEST_NO_SUCH_VARIABLE is not set"),
    ("config.yaml", "\"20\"", "`ring_timeout_s` is \"20\" (expected a whole number); remove the quotes"),
    ("config.yaml", "rining", "`waiting` is \"rining\" (expected `ringing`, or a sound file"),
    ("config.yaml", "empty:", "nobody takes the calls of queue `empty` (expected an agent with `queues: [empty]`)"),
    ("config.yaml", "99999", "`max_wait_s` is `99999` (expected 5 to 7200)"),
    ("config.yaml", "htp://", "is no web address (expected `http://...` or `https://...`)"),
    (
        "config.yaml",
        "metod",
        "unknown key `metod` (expected one of `headers`, `idempotent`, `method`, `retries`, `signing_secret`, `timeout_ms`, `url`); did you mean `method`?",
    ),
    ("config.yaml", "soon", "`timeout_ms` is \"soon\" (expected a whole number)"),
    ("config.yaml", "localhost", "\"localhost\" is no address to listen on"),
    ("config.yaml", "10.0.0.0/40", "\"10.0.0.0/40\" is no address or network"),
    ("config.yaml", "5000", "\"5000\" is no range of ports for sound"),
    ("config.yaml", "0.0.0.0:9060", "0.0.0.0:9060 is open to everybody (expected who may ask"),
    ("config.yaml", "-1\n", "`drain_s` is `-1` (expected 0 to 86400)"),
    ("config.yaml", "floww.yaml", "there is no file"),
    ("flow.yaml", "juggling", "nobody in queue `front-desk` has the skill `juggling`"),
    (
        "flow.yaml",
        "greting",
        "there is no step `greting` (expected the name of a step of this flow); did you mean `greeting`?",
    ),
    ("flow.yaml", "[how much", "`examples` has 2 of at least 3"),
    ("flow.yaml", "When are you open]", "\"When are you open\" is an example of `hours` already"),
    (
        "flow.yaml",
        "America/NewYork",
        "there is no time zone \"America/NewYork\" (expected an IANA name, such as `Europe/Berlin`); did you mean `America/New_York`?",
    ),
    ("flow.yaml", "\"9 to 5\"", "\"9 to 5\" is no span of a day"),
    ("flow.yaml", "satt", "unknown key `satt`"),
    ("flow.yaml", "25.12.2026", "\"25.12.2026\" is no date (expected year-month-day"),
    ("flow.yaml", "nxt", "unknown key `nxt` (expected one of `next`, `say`); did you mean `next`?"),
    ("flow.yaml", "greeting:", "step `greeting` lacks `next`"),
    ("flow.yaml", "0, next: ask", "key 0 always leads to a person"),
    (
        "flow.yaml",
        "balanse",
        "there is no intent `balanse` (expected a name under the flow's `intents`); did you mean `balance`?",
    ),
    ("flow.yaml", "2, phrases", "key 2 chooses option 2 already (expected each once in a menu)"),
    ("flow.yaml", "Hours]", "`Hours` chooses option 3 already"),
    ("flow.yaml", "menuu", "there is no step `menuu`"),
    ("flow.yaml", "{ next: menu }", "nothing chooses this option"),
    ("flow.yaml", "10, next", "a telephone has no key \"10\""),
    (
        "flow.yaml",
        "digit\n",
        "`type` is \"digit\" (expected one of `digits`, `code`, `yes_no`, `free`, `number`, `date`, `time`, `money`, `phone`, `street_number`, `postcode`, `list`, `name`); did you mean `digits`?",
    ),
    ("flow.yaml", "zh: 请", "the flow does not speak `zh`"),
    ("flow.yaml", "{ zh", "this is not said in en"),
    ("flow.yaml", "{account:kode}", "`kode` is no way to read a value"),
    ("flow.yaml", "digits\n    secret", "it is not said how long the answer is"),
    ("flow.yaml", "personal", "a secret is kept nowhere: nobody could be shown it"),
    ("flow.yaml", "{pin:code}", "`pin` is a secret and is never spoken"),
    ("flow.yaml", "new balance", "\"new balance\" cannot be the name of a value"),
    ("flow.yaml", "balence", "there is no backend `balence`"),
    (
        "flow.yaml",
        "balance }",
        "\"balance\" is no place in a reply (expected a JSON pointer, such as `/balance`, or several with a space between); write `/balance`",
    ),
    ("flow.yaml", "fetch: balance", "backend `balance` is not told its `account`"),
    ("flow.yaml", "menu: \"And", "`menu` in a step that has `say` (expected one kind of step at a time)"),
    ("flow.yaml", "{balance\"", "a `{` has no `}` after it"),
    ("flow.yaml", "{ if: balance", "this case tests more than one thing"),
    ("flow.yaml", "nowhere", "there is no step `nowhere`"),
    ("flow.yaml", "sings", "step `sing` does nothing"),
    ("flow.yaml", "back-office", "there is no queue `back-office`"),
    ("flow.yaml", "prompts/bye.wav", "there is no file"),
    ("flow.yaml", "bye:\n    hang_up: \"\"", "`bye` is given twice (expected each key once)"),
];

#[test]
fn check_reports_every_mistake_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("config.yaml");
    std::fs::write(&path, CONFIG).unwrap();
    std::fs::write(folder.path().join("flow.yaml"), FLOW).unwrap();

    let problems = config::load_with(&path, Secrets::Needed).unwrap_err();
    println!("{problems}");

    let mut left = problems.0.clone();
    for &(file, needle, words) in MISTAKES {
        let text = if file == "config.yaml" { CONFIG } else { FLOW };
        let offset = text.find(needle).unwrap_or_else(|| panic!("{needle} stands in {file}"));
        let line = text[..offset].matches('\n').count() + 1;
        let column = text[..offset].rsplit('\n').next().unwrap().chars().count() + 1;
        let found = left.iter().position(|problem| {
            let at = (problem.place.line, problem.place.column) == (line, column);
            problem.place.file.ends_with(file) && at && problem.to_string().contains(words)
        });
        let Some(found) = found else { panic!("{file}:{line}:{column}: {words}: not among\n{problems}") };
        left.remove(found);
    }
    assert!(left.is_empty(), "reported without being listed here: {left:#?}");
    assert!(!problems.to_string().contains("hunter2"), "a secret was printed");
}

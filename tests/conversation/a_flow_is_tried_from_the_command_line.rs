//! What a designer types to try a flow: `chat` to talk with it, `understand` for what it makes of sentences, `graph` to see it.

use std::collections::BTreeSet;
use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

use frontdesk::config::{self, Secrets};
use serde_json::{Value, json};

const BANK: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/config/bank.yaml");
const PARCEL: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/config/parcel.yaml");
/// Monday, ten in the morning in New York.
const OPEN: &str = "2026-11-23T15:00:00Z";

/// `frontdesk` with these arguments, and what is typed until the end of the input.
fn frontdesk(arguments: &[&str], typed: &str) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_frontdesk"));
    command.args(arguments).env_remove("FRONTDESK_LOG");
    let mut child =
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it starts");
    child.stdin.take().expect("piped above").write_all(typed.as_bytes()).expect("it reads");
    child.wait_with_output().expect("its end")
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

/// What it printed; panics unless it did well.
fn printed(output: &Output) -> &str {
    assert_eq!(output.status.code(), Some(0), "{}{}", text(&output.stdout), text(&output.stderr));
    text(&output.stdout)
}

/// One JSON object a line.
fn lines(output: &Output) -> Vec<Value> {
    printed(output).lines().map(|line| serde_json::from_str(line).unwrap_or_else(|_| panic!("{line}"))).collect()
}

/// These stand there, one after the other.
#[track_caller]
fn in_order(text: &str, wanted: &[&str]) {
    let mut rest = text;
    for wanted in wanted {
        let found = rest.split_once(wanted);
        rest = found.unwrap_or_else(|| panic!("{wanted:?} is not in, or not there:\n{text}")).1;
    }
}

#[test]
fn a_caller_types_chooses_and_is_put_through() {
    let output = frontdesk(&["chat", BANK, "--at", OPEN], "#3\nagent\nnobody reads this\n");
    let wanted = [
        "bot: Welcome to Harbour Bank.",
        "bot: How can I help you?",
        "key 3",
        "intent opening_hours (by its key or words)",
        "bot: Our branch at 12 Harbour Street is open right now.",
        "bot: Is there anything else I can do for you?",
        "to a person: asked for a person",
        "into the queue front-desk",
        "bot: I'll put you through to a colleague.",
        "Wanted: opening hours and branch",
    ];
    in_order(printed(&output), &wanted);
    assert!(!printed(&output).contains("nobody reads this"), "a person has the call");
}

#[test]
fn words_choose_in_mandarin_too() {
    let output = frontdesk(&["chat", PARCEL], "人工\n");
    in_order(printed(&output), &["bot: ", "to a person: asked for a person", "into the queue service"]);
}

#[test]
fn who_types_no_more_has_hung_up() {
    for typed in ["", "#3\n", "\n"] {
        let output = frontdesk(&["chat", BANK, "--at", OPEN], typed);
        in_order(printed(&output), &["bot: How can I help you?", "the call ends: CallerHungUp", "the caller hung up"]);
    }
}

#[test]
fn a_chat_with_what_is_not_there_says_so() {
    let output = frontdesk(&["chat", BANK, "--line", "harbour"], "");
    assert_eq!((output.status.code(), text(&output.stdout)), (Some(1), ""));
    assert!(text(&output.stderr).contains("no line \"harbour\" (there are: bank)"), "{}", text(&output.stderr));
}

#[test]
fn sentences_are_understood_one_line_each() {
    let sentences = ["has my salary come in", "my account number is 314159", "which dinosaurs could fly"];
    let understood = lines(&frontdesk(
        &[
            &["understand", "--config", BANK, "--json"][..],
            &sentences.map(|sentence| ["--text", sentence]).into_iter().flatten().collect::<Vec<_>>(),
        ]
        .concat(),
        "",
    ));
    assert_eq!(understood.len(), sentences.len());
    for (line, sentence) in understood.iter().zip(sentences) {
        assert_eq!(line["text"], sentence);
        let score = line["score"].as_f64().expect("a number");
        assert!((0.0..=1.0).contains(&score), "{line}");
        let sure = score >= line["threshold"].as_f64().expect("a number");
        assert_eq!(line["intent"].is_string(), sure, "the best where it is sure enough: {line}");
    }
    assert_eq!((&understood[0]["intent"], &understood[0]["slots"]), (&json!("balance"), &json!({})));
    assert_eq!(understood[1]["slots"], json!({ "account": "314159" }));
    assert_eq!(understood[2]["intent"], Value::Null, "none of these");
}

#[test]
fn a_file_of_sentences_is_understood_in_mandarin() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("sentences.txt");
    let sentences = "我的包裹88001234现在在哪里\n恐龙是怎么灭绝的\n";
    std::fs::write(&file, sentences).unwrap();
    let arguments = ["understand", "--config", PARCEL, "--json", "--lines"];
    let understood = lines(&frontdesk(&[&arguments[..], &[file.to_str().unwrap()]].concat(), ""));
    assert_eq!(understood.len(), 2);
    assert_eq!(understood[0]["text"], "我的包裹88001234现在在哪里");
    assert_eq!((&understood[0]["intent"], &understood[0]["slots"]["number"]), (&json!("track"), &json!("88001234")));
    assert_eq!(understood[1]["intent"], Value::Null);
    let piped = lines(&frontdesk(&[&arguments[..], &["-"]].concat(), sentences));
    assert_eq!(piped, understood, "a file may be the standard input");
}

#[test]
fn a_flow_is_drawn_with_all_its_steps() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("bank.svg");
    let output = frontdesk(&["graph", BANK], "");
    let svg = printed(&output);
    assert!(svg.starts_with("<svg ") && svg.trim_end().ends_with("</svg>"));
    let drawn: BTreeSet<&str> =
        svg.split(" data-step=\"").skip(1).filter_map(|rest| Some(rest.split_once('"')?.0)).collect();
    let config = config::load_with(&PathBuf::from(BANK), Secrets::Optional).unwrap();
    assert_eq!(drawn, config.flows["bank"].steps.keys().map(String::as_str).collect());
    let saved = frontdesk(&["graph", BANK, "--flow", "bank", "--output", file.to_str().unwrap()], "");
    assert_eq!(printed(&saved), "");
    assert_eq!(std::fs::read_to_string(file).unwrap(), svg);
}

#[test]
fn a_broken_flow_is_not_drawn_but_told_with_its_place() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("bank.yaml");
    let flow = r#"
lines: { main: { numbers: ["1"], flow: hello } }
agents: { anna: { uri: "sip:anna@127.0.0.1:5070", queues: [desk] } }
queues: { desk: {} }
flows:
  - flow: hello
    language: en
    person: { queue: desk }
    start: what
    steps:
      what: { ask: What is it?, slot: matter, type: free, next: desc }
      desk: { transfer: desk }
"#;
    std::fs::write(&file, flow).unwrap();
    for command in [&["graph"][..], &["chat"], &["understand", "--text", "hello", "--config"]] {
        let output = frontdesk(&[command, &[file.to_str().unwrap()]].concat(), "");
        assert_eq!((output.status.code(), text(&output.stdout)), (Some(1), ""), "{command:?}");
        let told = format!("{}:11:65: there is no step `desc`", file.display());
        assert!(text(&output.stderr).starts_with(&told), "{}", text(&output.stderr));
    }
    let unknown = frontdesk(&["graph", BANK, "--flow", "hello"], "");
    assert_eq!(unknown.status.code(), Some(1));
    assert!(text(&unknown.stderr).contains("no flow \"hello\" (there are: bank)"), "{}", text(&unknown.stderr));
}

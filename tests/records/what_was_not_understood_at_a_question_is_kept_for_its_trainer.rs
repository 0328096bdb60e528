//! Answers that fitted no question are kept by what was asked: words for a list's values to paste, the rest to be heard again.
//! What was said where something secret or personal is asked for stands nowhere.

use frontdesk::call::Event;
use frontdesk::dialog::flow::{Flow, SlotKind, Step};
use frontdesk::learn::{Missed, Question, Reading};
use serde_json::Value;

use crate::learning::{configured, flow, learn, written};
use crate::script::Script;
use crate::script::flows::cafe;

const PARCELS: &str = r#"
flow: desk
language: en
person: { queue: desk }
start: menu
steps:
  menu:
    menu: Send a parcel, fetch one, or your account?
    options:
      - { key: 1, phrases: [send a parcel], next: speed }
      - { key: 2, phrases: [fetch a parcel], next: fetched }
      - { key: 3, phrases: [my account], next: pin }
  speed:
    ask: How fast shall it be?
    slot: speed
    type: list
    values:
      - express
      - { value: standard, say: { en: standard }, also: [normal] }
      - overnight
    next: account
  account: { ask: Your account number?, slot: account, type: digits, length: 6, confirm: "I heard {account:code}. Is that right?", next: done }
  fetched:
    form: When will you come, and who are you?
    slots:
      - { slot: hour, type: time, ask: At what time? }
      - { slot: who, type: name, values: [Ada Lovelace, Alan Turing], ask: What is your name?, personal: true }
    next: done
  pin: { ask: Please key your code., slot: code, type: digits, length: 4, secret: true, next: birth }
  birth: { ask: When were you born?, slot: birth, type: date, past: true, personal: true, next: done }
  done: { hang_up: Thank you. }
"#;

fn call(flow: &Flow, talk: impl Fn(&mut Script)) -> Script {
    let mut script = Script::new(flow.clone());
    talk(&mut script);
    script.quiet().tell(Event::CallerHungUp);
    script
}

/// The flow, without losing patience with who misses something at each of its questions.
fn patient(flow: &Flow) -> Flow {
    Flow { attempts: 9, ..flow.clone() }
}

/// Two callers who send a parcel.
fn senders(flow: &Flow) -> Vec<Script> {
    let flow = &patient(flow);
    let sends = |script: &mut Script| {
        script.keys("1").says("espresso please").says("I'd like espresso").says("by drone").says("express");
        script.says("it is on the letter").keys("407123");
        script.says("I would have to look").says("no").keys("407123").says("yes");
    };
    vec![
        call(flow, sends),
        call(flow, |script| {
            script.keys("1").says("by drone");
        }),
    ]
}

fn missed(script: &Script) -> Vec<Missed> {
    Reading::of(script.call.timeline(), Some(&script.flow)).missed
}

#[tokio::test]
async fn each_question_has_its_own_and_they_can_be_heard_again() {
    let folder = tempfile::tempdir().unwrap();
    let config = configured(folder.path(), PARCELS);
    written(&config, &senders(&flow(&config)), &[0]).await;
    let json: Value = serde_json::from_str(&learn(&["missed", "CONFIG", "--json"], &config)).unwrap();
    let mut found: Vec<(String, String, u64)> = Vec::new();
    for cluster in json["clusters"].as_array().unwrap() {
        for sentence in cluster["sentences"].as_array().unwrap() {
            assert_eq!(sentence["question"], cluster["question"], "{json:#}");
            let question = &cluster["question"];
            let asked = format!("{} {}", question["kind"].as_str().unwrap(), question["step"].as_str().unwrap());
            let said = sentence["said"].as_array().unwrap();
            found.push((asked, sentence["text"].as_str().unwrap().to_owned(), said.len() as u64));
            for said in said.iter().filter(|said| said["call"] == "call-0") {
                assert_eq!(said["recording_ms"].as_u64().unwrap() + 1_000, said["at_ms"].as_u64().unwrap(), "{said}");
            }
        }
    }
    found.sort();
    let expected = [
        ("read_back account", "I would have to look", 1),
        ("slot account", "it is on the letter", 1),
        ("slot speed", "I'd like espresso", 1),
        ("slot speed", "by drone", 2),
        ("slot speed", "espresso please", 1),
    ];
    let expected = expected.map(|(asked, text, count)| (asked.to_owned(), text.to_owned(), count));
    assert_eq!(found, expected, "a plain no is understood: {json:#}");

    let listed = learn(&["missed", "CONFIG"], &config);
    assert!(listed.contains("at speed, slot speed") && listed.contains("at account, read back"), "{listed}");
    let report: Value = serde_json::from_str(&learn(&["report", "CONFIG", "--json"], &config)).unwrap();
    assert_eq!(report["missed"], 6);
}

#[tokio::test]
async fn a_word_for_a_lists_value_is_pasted_and_from_then_on_understood() {
    let folder = tempfile::tempdir().unwrap();
    let config = configured(folder.path(), PARCELS);
    written(&config, &senders(&flow(&config)), &[]).await;
    let yaml = learn(&["missed", "CONFIG", "--yaml"], &config);
    let line = yaml.lines().find(|line| line.contains("value: express")).unwrap_or_else(|| panic!("{yaml}"));
    assert_eq!(line.trim(), "- { value: express, also: [espresso] } # espresso 2 times");
    assert!(yaml.contains("#   at speed, slot speed: also: [drone] # drone 2 times"), "sounds like no value: {yaml}");
    assert!(
        yaml.contains("#   at account, slot account: once") && yaml.contains("#   at account, read back: once"),
        "{yaml}"
    );
    assert!(yaml.contains("steps:\n  speed:\n    values:\n      - {"), "it stands there as in the flow: {yaml}");

    let pasted = PARCELS.replace("      - express", line);
    assert_ne!(pasted, PARCELS);
    std::fs::write(config.with_file_name("flow.yaml"), pasted).unwrap();
    let flow = patient(&flow(&config));
    let Some(Step::Ask(ask)) = flow.steps.get("speed") else { panic!("{:?}", flow.steps) };
    let SlotKind::List { values, .. } = &ask.kind else { panic!("{:?}", ask.kind) };
    assert_eq!(values[0].also, ["espresso"]);
    let now = call(&flow, |script| {
        script.keys("1").says("espresso please");
    });
    assert_eq!((missed(&now), now.last_said().as_str()), (vec![], "Your account number?"));
}

#[tokio::test]
async fn what_is_secret_or_personal_stands_nowhere() {
    let folder = tempfile::tempdir().unwrap();
    let config = configured(folder.path(), PARCELS);
    let flow = patient(&flow(&config));
    let calls = vec![
        call(&flow, |script| {
            script.keys("3").says("the code is four two one seven I think").keys("4217");
            script.says("the day when Wilhelmina married");
        }),
        call(&flow, |script| {
            script.keys("2").says("you know Josefine").says("at seven").says("Josefine it is");
        }),
        call(&flow, |script| {
            script.keys("1").says("my card is 4111 1111 1111 1111");
        }),
    ];
    // Not even where the record still has it.
    assert_eq!((missed(&calls[0]), missed(&calls[1])), (vec![], vec![]));
    written(&config, &calls, &[]).await;
    for args in [&["missed", "CONFIG"][..], &["missed", "CONFIG", "--json"], &["missed", "CONFIG", "--yaml"]] {
        let told = learn(args, &config);
        let gone = ["four two", "4217", "Wilhelmina", "Josefine", "4111", "slot code", "\"pin\"", "birth", "fetched"];
        for gone in gone {
            assert!(!told.contains(gone), "{gone}: {told}");
        }
    }
    let json = learn(&["missed", "CONFIG", "--json"], &config);
    assert!(json.contains("my card is"), "as it is on the timeline, masked: {json}");
    assert!(!learn(&["missed", "CONFIG", "--yaml"], &config).contains("card"), "and not to be pasted");
}

#[test]
fn a_form_is_followed_from_slot_to_slot() {
    let flow = Flow { attempts: 3, ..cafe() };
    let script = call(&flow, |script| {
        script.keys("2").says("blue sky").says("tomorrow").says("when my cat wakes").says("at seven");
        script.says("it is in your book").says("my number is 020 7946 0958").says("well who knows").says("yes");
    });
    let slot = |slot: &str| Question::Slot { step: "table".into(), slot: slot.into() };
    let form = Question::Form { step: "table".into() };
    let read_back = Question::ReadBack { step: "table".into() };
    let found: Vec<(Question, String)> =
        missed(&script).into_iter().map(|missed| (missed.question, missed.text)).collect();
    let expected = [
        (form, "blue sky"),
        (slot("hour"), "when my cat wakes"),
        (slot("phone"), "it is in your book"),
        (read_back, "well who knows"),
    ];
    let expected = expected.map(|(question, text)| (question, text.to_owned()));
    assert_eq!(found, expected, "{:#?}", script.said());
}

#[test]
fn who_denies_what_is_read_back_was_understood() {
    let flow = Flow { attempts: 1, ..cafe() };
    let script = call(&flow, |script| {
        script.keys("2").says("tomorrow at seven").says("my number is 020 7946 0958").says("no");
    });
    let reading = Reading::of(script.call.timeline(), Some(&script.flow));
    assert_eq!((reading.wanted, reading.missed), (vec!["not understood".to_owned()], vec![]));
}

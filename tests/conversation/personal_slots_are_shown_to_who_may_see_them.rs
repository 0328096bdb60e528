//! What is said to a personal slot stands in the record, and nowhere in what is shown to who may not see it: not in the
//! caller's words and keys, the bot's reading back, the slot, the summary; asked for, said ahead, or told again later.

use frontdesk::call::*;
use frontdesk::dialog::flow::{Flow, Step};
use frontdesk::media::Key;

use crate::script::flows::{bank, cafe, en};
use crate::script::{MONDAY, Script};

/// What is shown, as one text.
fn shown(script: &Script, flow: &str) -> (bool, String) {
    let mut timeline = script.call.timeline().to_vec();
    let mut summary = summarise(&script.flow, &timeline);
    let any = hide_personal(flow, &mut timeline, Some(&mut summary));
    (any, serde_json::to_string(&(timeline, summary)).unwrap())
}

fn json(flow: &Flow) -> String {
    serde_json::to_string(flow).unwrap()
}

/// A table for some day, the caller's number personal.
fn table() -> Flow {
    let mut flow = cafe();
    flow.personal = ["phone".to_owned()].into();
    flow.steps.insert("booked".into(), Step::Say { say: en("We call {phone:phone}."), next: "menu".into() });
    flow
}

#[test]
fn a_slot_of_a_form() {
    for turns in [
        vec!["tomorrow at seven", "my number is 020 7946 0958", "yes"],
        vec!["tomorrow at seven, and my number is 020 7946 0958", "yes"],
    ] {
        let mut script = Script::at(table(), MONDAY);
        script.keys("2");
        for turn in turns {
            script.says(turn);
        }
        assert!(script.said().iter().any(|said| said.starts_with("We call 0")), "{:?}", script.said());
        let (any, all) = shown(&script, &json(&cafe()));
        assert!(!any && all.contains("02079460958"), "nothing is marked there: {all}");
        let (any, shown) = shown(&script, &json(&script.flow));
        assert!(any && shown.contains("When would you like to come?"), "{shown}");
        for part in ["0207", "7946", "0958", "020 "] {
            assert!(!shown.contains(part), "{part}: {shown}");
        }
    }
}

#[test]
fn a_question_that_is_keyed() {
    let mut flow = bank();
    flow.personal = ["account".to_owned()].into();
    let mut script = Script::at(flow, MONDAY);
    script.keys("1").quiet().keys("407123").quiet();
    let account = |note: &Note| matches!(note, Note::Slot { value, .. } if value == "407123");
    assert!(script.notes().any(account), "{:?}", script.said());
    let (_, shown) = shown(&script, &json(&script.flow));
    assert!(!shown.contains("407123"), "{shown}");
    let keys: String = script
        .call
        .timeline()
        .iter()
        .filter_map(|entry| match &entry.note {
            Note::Dtmf { key } => Some(key.as_char()),
            _ => None,
        })
        .collect();
    assert_eq!(keys, "1407123", "the record has them");
    let mut timeline = script.call.timeline().to_vec();
    hide_personal(&json(&script.flow), &mut timeline, None);
    assert!(!timeline.iter().any(|entry| matches!(&entry.note, Note::Dtmf { key } if key.as_char() == '7')));
}

#[test]
fn who_called_is_hidden_wherever_it_stands() {
    let note = |(seq, note): (usize, Note)| Entry { seq: seq as u32, at_ms: 1_000 * seq as u64, note };
    let say = |text: &str| Note::Say { text: text.into() };
    let said = |text: &str| Note::Utterance(Utterance { text: text.into(), ..Utterance::default() });
    let key = |key| Note::Dtmf { key: Key::new(key).unwrap() };
    let earlier = CalledBack {
        call: "before".into(),
        queue: "counter".into(),
        skills: Vec::new(),
        priority: 0,
        language: frontdesk::dialog::Language::new("en"),
        recorded: true,
        facts: vec![Fact { kind: FactKind::Collected, text: "account number: 407123".into(), entry: 3 }],
    };
    let caller = Caller {
        number: "+442079460958".into(),
        name: Some("Ada Lovelace".into()),
        called_back: Some(Box::new(earlier)),
        ..Caller::default()
    };
    let notes = [
        Note::Arrived(caller),
        say("Good morning, Ada Lovelace."),
        said("a table please"),
        Note::Offered { choices: vec!["callback".into()] },
        say("Shall we call you back on 020 7946 0958?"),
        said("no, on oh seven seven hundred nine hundred one two three"),
        key('7'),
        Note::Callback { queue: "counter".into(), number: "07700900123".into() },
        say("We call you back on 07700 900123."),
        Note::Overheard { who: Talker::Caller, text: "I am in Leeds".into(), start_ms: 1, end_ms: 2 },
    ];
    let mut timeline: Vec<Entry> = notes.into_iter().enumerate().map(note).collect();
    let mut summary = summarise(&cafe(), &timeline);
    let before = serde_json::to_string(&(&timeline, &summary)).unwrap();
    hide_caller(&mut timeline, Some(&mut summary));
    let after = serde_json::to_string(&(&timeline, &summary)).unwrap();
    for told in ["Lovelace", "7946", "407123", "900123", "seven seven", "Leeds", "\"7\""] {
        assert!(before.contains(told) && !after.contains(told), "{told}: {after}");
    }
    assert!(after.contains("a table please"), "{after}");
}

#[test]
fn a_flow_that_cannot_be_read_shows_nothing_that_was_said() {
    let mut script = Script::at(cafe(), MONDAY);
    script.keys("1").says("A large latte, dark roast, with oat milk");
    let (any, shown) = shown(&script, "{}");
    assert!(any && !shown.contains("latte") && !shown.contains("oat"), "{shown}");
}

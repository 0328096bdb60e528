//! `dialog::check` against the call itself: flows at random; in those it finds nothing wrong with, a caller who at
//! some point only asks for a person, presses 0 or fails gets to one, whatever backends and clocks do; and nobody is
//! hung up on who was never asked anything during opening hours.

use std::collections::BTreeMap;

use crate::script;
use frontdesk::call::*;
use frontdesk::dialog::flow::*;
use frontdesk::dialog::{Language, ProblemKind, check};
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use script::{MONDAY, SUNDAY, Script, flows};
use serde_json::json;

const STEPS: usize = 6;

fn step() -> impl Strategy<Value = Step> {
    let to = || (0..STEPS).prop_map(|i| format!("s{i}"));
    let option = |key: char, phrase: &str, next: String| MenuOption {
        key: Some(key),
        intent: None,
        phrases: vec![phrase.to_owned()],
        next,
    };
    let ask = |kind: SlotKind, next: String| {
        Step::Ask(Ask {
            prompt: flows::en("Well?"),
            again: None,
            slot: "slot".into(),
            kind,
            confirm: None,
            secret: false,
            label: BTreeMap::new(),
            next,
        })
    };
    prop_oneof![
           2 => to().prop_map(|next| Step::Say { say: flows::en("Something."), next }),
           2 => (to(), to()).prop_map(move |(a, b)| Step::Menu {
               again: None,
    short: None,
               prompt: flows::en("Red or blue?"),
               options: vec![option('1', "red", a), option('2', "blue", b)],
           }),
           1 => to().prop_map(move |next| ask(SlotKind::Digits { min: 3, max: 4 }, next)),
           1 => to().prop_map(move |next| ask(SlotKind::YesNo, next)),
           2 => (to(), to(), to()).prop_map(|(next, not_found, failed)| Step::Fetch(Fetch {
               backend: "backend".into(), with: BTreeMap::new(), save: [("v".to_owned(), "/v".to_owned())].into(),
               wait: None, verifies: None, label: BTreeMap::new(), next, not_found, failed, refused: None, attempts: None,
           })),
           1 => (to(), to()).prop_map(|(next, otherwise)| Step::Decide {
               branches: vec![Branch { when: Condition::Value { variable: "line".into(), test: Test::Is("main".into()) }, next }], otherwise,
           }),
           1 => (to(), to()).prop_map(|(open, closed)| Step::Hours { hours: "hours".into(), open, closed }),
           2 => Just(Step::Transfer(flows::transfer("queue", &[]))),
           2 => Just(Step::HangUp { say: flows::en("Bye.") }),
       ]
}

fn flow() -> impl Strategy<Value = Flow> {
    prop::collection::vec(step(), STEPS).prop_map(|steps| Flow {
        name: "random".into(),
        language: Language::new("en"),
        start: "greeting".into(),
        steps: steps
            .into_iter()
            .enumerate()
            .map(|(i, step)| (format!("s{i}"), step))
            .chain([("greeting".to_owned(), Step::Say { say: flows::en("Hello."), next: "s0".into() })])
            .collect(),
        intents: BTreeMap::new(),
        hours: [("hours".to_owned(), flows::weekdays("UTC", 9, 17))].into(),
        person: flows::transfer("people", &[]),
        lines: FlowTexts::default(),
        attempts: 2,
        silence_ms: 5_000,
        swearing: true,
        recorded: false,
        types: Default::default(),
        emotion: None,
        detect_language: false,
        knowledge: None,
        commands: Default::default(),
        personal: Default::default(),
        desk_steps: Default::default(),
        people: None,
        instead: Default::default(),
    })
}

fn over(call: &Script) -> bool {
    call.queue().is_some() || call.finished().is_some()
}

/// A caller who answers for a while, then wants a person in one way only. How many moves that took.
fn calls(flow: &Flow, moment: &str, reply: u8, answers: &[u8], wish: u8) -> Option<u32> {
    let mut call = Script::at(flow.clone(), moment);
    let reply = match reply {
        0 => Ok(json!({ "v": 1 })),
        1 => Err(BackendFailure::NotFound),
        _ => Err(BackendFailure::Down),
    };
    call.backends.insert("backend".into(), reply);
    for answer in answers {
        call.quiet();
        if over(&call) {
            break;
        }
        match answer {
            0 => call.says("red"),
            1 => call.says("blue"),
            2 => call.says("one two three"),
            _ => call.says("yes"),
        };
    }
    let mut moves = 0;
    call.quiet();
    while !over(&call) {
        moves += 1;
        assert!(moves <= 2, "still with the bot after {moves} wishes: {:?}", call.said());
        match wish {
            0 => call.says("agent"),
            1 => call.keys("0").wait(4_000),
            _ => call.says("purple elephants"),
        };
        call.quiet();
    }
    if call.queue().is_none() {
        let asked = call.notes().any(
            |note| matches!(note, Note::Step { step } if matches!(flow.steps[step], Step::Menu { .. } | Step::Ask(_))),
        );
        assert!(asked || moment == SUNDAY, "hung up on without a question: {:?}", call.said());
        return None;
    }
    Some(moves)
}

#[test]
fn in_every_flow_that_is_proven() {
    let mut runner = TestRunner::deterministic();
    let (mut proven, mut refused, mut reached, mut by_wish) = (0, BTreeMap::new(), 0, 0);
    for _ in 0..3_000 {
        let flow = flow().new_tree(&mut runner).unwrap().current();
        // A dead step harms nobody.
        let problems: Vec<_> =
            check(&flow).into_iter().filter(|problem| problem.kind != ProblemKind::DeadStep).collect();
        for problem in &problems {
            *refused.entry(format!("{:?}", problem.kind)).or_insert(0) += 1;
        }
        if !problems.is_empty() {
            continue;
        }
        proven += 1;
        for moment in [MONDAY, SUNDAY] {
            for reply in 0..3 {
                for wish in 0..3 {
                    for answers in [&[][..], &[0, 3, 2], &[1, 0, 2, 3]] {
                        if let Some(moves) = calls(&flow, moment, reply, answers, wish) {
                            reached += 1;
                            by_wish += u32::from(moves > 0);
                        }
                    }
                }
            }
        }
    }
    println!(
        "{proven} flows proven, {reached} callers reached a person, {by_wish} by their wish; refused: {refused:?}"
    );
    assert!(proven > 500 && by_wish > 5_000);
    for kind in ["LoopWithoutQuestion", "HangUpWithoutChance", "FailureHangsUp"] {
        assert!(refused[kind] > 100, "{kind} is never found: {refused:?}");
    }
}

//! "0", a word for a person, or failing: from every step of both flows a caller gets to a queue.

use crate::script;
use frontdesk::call::{Action, Event, Note};
use frontdesk::dialog::flow::{Flow, Step};
use script::{Script, flows};

/// Ways into each step that listens, as the flows are written.
fn at_every_step() -> Vec<(&'static str, Script)> {
    let bank = || Script::new(flows::bank());
    let parcel = || Script::new(flows::parcel());
    let mut calls =
        vec![("greeting", bank()), ("menu", bank()), ("account", bank()), ("read back", bank()), ("pin", bank())];
    calls[1].1.quiet();
    calls[2].1.says("balance").quiet();
    calls[3].1.says("balance").says("407123").quiet();
    calls[4].1.says("balance").says("407123").says("yes").quiet();
    let mut fetching = bank();
    fetching.says("balance").says("407123").says("yes").keys("9876#");
    calls.push(("fetching", fetching));
    let mut card = bank();
    card.says("lost card").quiet();
    calls.push(("yes or no", card));
    let mut complaint = bank();
    complaint.says("complaint").quiet();
    calls.push(("own words", complaint));
    calls.push(("问候", parcel()));
    let mut number = parcel();
    number.says("查包裹").quiet();
    calls.push(("单号", number));
    calls
}

#[test]
fn by_a_word() {
    for word in ["Agent.", "I want to speak to a person", "operator", "人工", "转人工。", "接线员"] {
        for (step, mut call) in at_every_step() {
            call.interrupts(word);
            assert!(call.queue().is_some(), "{word:?} at {step}");
        }
    }
}

#[test]
fn by_swearing_at_the_bot() {
    for oath in ["You stupid machine!", "shut up", "他妈的"] {
        for (step, mut call) in at_every_step() {
            call.interrupts(oath);
            assert!(call.queue().is_some(), "{oath:?} at {step}");
        }
    }
    // Unless the flow says otherwise, or something else may have been said.
    let mut patient = Script::new(Flow { swearing: false, ..flows::bank() });
    patient.quiet().says("shut up");
    assert_eq!(patient.queue(), None);
    let mut unsure = Script::new(flows::bank());
    unsure.quiet().murmurs("shut up", 0.4);
    assert_eq!(unsure.queue(), None);
}

#[test]
fn by_key_0() {
    for (step, mut call) in at_every_step() {
        call.presses("0").wait(3_000);
        assert!(call.queue().is_some(), "0 at {step}");
    }
}

#[test]
fn by_failing_twice() {
    for (step, mut call) in at_every_step() {
        if matches!(step, "fetching" | "own words") {
            continue; // nothing is asked there, and any words will do
        }
        for _ in 0..2 {
            call.says("purple elephants");
        }
        assert_eq!(
            call.notes()
                .filter(|note| matches!(note, Note::PersonWanted { reason } if reason == "not understood"))
                .count(),
            1,
            "{step}"
        );
        assert!(call.queue().is_some(), "{step}");
    }
}

#[test]
fn by_noise_alone() {
    for (step, mut call) in at_every_step() {
        if step == "fetching" {
            continue;
        }
        for _ in 0..6 {
            call.wait(3_000).tell(Event::SpeechStarted);
            call.wait(500).tell(Event::NotHeard);
        }
        assert!(call.queue().is_some(), "{step}");
    }
}

#[test]
fn by_wrong_keys() {
    for (step, mut call) in at_every_step() {
        if step == "fetching" {
            continue;
        }
        for _ in 0..3 {
            call.presses("*7*8").wait(9_000);
        }
        assert!(call.queue().is_some(), "{step}");
    }
}

#[test]
fn by_pressing_0_again_and_again_everywhere_within_two_prompts() {
    for (step, mut call) in at_every_step() {
        let before = call.said().len();
        call.presses("0").wait(5_000);
        assert!(call.said().len() <= before + 2, "{step}: {:?}", call.said());
        assert!(call.queue().is_some(), "{step}");
    }
}

#[test]
fn a_zero_may_begin_a_number() {
    let mut call = Script::new(flows::bank());
    call.says("balance").keys("012345");
    assert_eq!(call.last_said(), "I heard 012345. Is that right?");
    let mut call = Script::new(flows::bank());
    call.says("balance").says("407123").says("yes").keys("0123#").quiet();
    assert_eq!(call.fetches.len(), 1, "a PIN with a zero in front");
}

#[test]
fn a_flow_that_loops_without_a_question_ends_at_a_person() {
    let say = |next: &str| Step::Say { say: flows::en("on we go"), next: next.into() };
    let mut flow = Flow { start: "a".into(), ..flows::bank() };
    flow.steps = [("a".to_owned(), say("b")), ("b".to_owned(), say("a"))].into();
    let mut call = Script::new(flow.clone());
    call.wait(10 * 60_000);
    assert_eq!(call.queue(), Some("service"));
    // Without a word to say, and with keys pressed into it.
    for step in flow.steps.values_mut() {
        if let Step::Say { say, .. } = step {
            *say = flows::en("");
        }
    }
    let mut call = Script::new(flow);
    assert_eq!(call.queue(), Some("service"));
    call.presses("1234");
    assert_eq!(call.count(|action| matches!(action, Action::Queue(_))), 1);
}

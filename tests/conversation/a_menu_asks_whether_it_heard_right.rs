//! Where only a poor or a less likely reading leads to an option, the bot asks whether it is meant: once a menu, and a
//! caller whom it does not hear reaches a person as soon as ever.

use crate::script::flows::bank;
use crate::script::{MONDAY, Script};
use frontdesk::call::{Action, Note, Weight};
use frontdesk::dialog::Expect;

const ASKED: &str = "I heard lost card. Is that right?";

fn chosen(script: &Script) -> Vec<String> {
    let notes = script.notes().filter_map(|note| match note {
        Note::Intent { chosen, .. } => chosen.clone(),
        Note::Choice { option } => Some(option.clone()),
        _ => None,
    });
    notes.collect()
}

fn asked() -> Script {
    let mut script = Script::at(bank(), MONDAY);
    script.says_one_of("Loves curry", &["somebody stole my wallet"]).quiet();
    assert_eq!(script.last_said(), ASKED);
    assert!(chosen(&script).is_empty(), "nothing is done before the caller has said so");
    script
}

#[test]
fn a_yes_chooses_what_another_reading_says() {
    let mut script = asked();
    script.says("Yes, please.").quiet();
    assert_eq!(
        (chosen(&script), script.last_said().as_str()),
        (vec!["lost_card".into()], "Shall I block your card now?")
    );
}

#[test]
fn who_says_it_again_means_it() {
    let mut script = asked();
    script.murmurs("lost card", 0.2);
    assert_eq!(chosen(&script), ["lost_card"]);
}

#[test]
fn a_no_may_say_what_is_meant_instead() {
    let mut script = asked();
    script.says("No, my balance.").quiet();
    assert_eq!(
        (chosen(&script), script.last_said().as_str()),
        (vec!["balance".into()], "What is your account number?")
    );
    let mut script = asked();
    script.says("opening hours");
    assert_eq!(chosen(&script), ["opening hours"]);
    let mut script = asked();
    script.keys("1");
    assert_eq!(chosen(&script), ["balance"], "keys are the menu's");
}

#[test]
fn what_the_answer_names_counts() {
    let mut script = asked();
    script.heard("Close. Opening hours.", &["lost card"], 0.9);
    assert_eq!(chosen(&script), ["opening hours"], "its likeliest reading");
    let mut script = asked();
    script.says("Yeah, opening hours.");
    assert_eq!(chosen(&script), ["opening hours"], "more than the yes before it");
    for no in ["No, not lost card.", "No, I haven't lost any card."] {
        let mut script = asked();
        script.intents.insert("I haven't lost any card.".into(), vec![("lost_card".into(), 0.9)]);
        script.says(no).quiet();
        assert!(chosen(&script).is_empty(), "{no}: {:?}", chosen(&script));
    }
}

#[test]
fn the_same_in_other_words_is_a_yes_and_never_the_next_best() {
    let scores = || vec![("lost_card".into(), 0.8), ("complaint".into(), 0.6)];
    for (text, wanted) in [("my card got stolen yesterday", Some("lost_card")), ("No, I haven't lost my card.", None)] {
        let mut script = asked();
        for text in [text, "I haven't lost my card."] {
            script.intents.insert(text.into(), scores());
        }
        script.says(text).quiet();
        assert_eq!(chosen(&script).first().map(String::as_str), wanted, "{text}");
    }
}

#[test]
fn it_is_asked_once_and_a_no_is_a_failure() {
    let mut script = asked();
    script.says("No.").quiet();
    assert!(script.last_said().starts_with("Sorry, I misheard."), "{}", script.last_said());
    script.says_one_of("Hobnob ring hours", &["opening hours"]).quiet();
    assert_eq!(script.queue(), Some("service"), "{:?}", script.said());
}

#[test]
fn what_was_heard_poorly_is_asked_about_and_noise_is_not() {
    let mut script = Script::at(bank(), MONDAY);
    script.quiet().murmurs("stolen card", 0.2).quiet();
    assert_eq!(script.last_said(), ASKED);
    let mut script = Script::at(bank(), MONDAY);
    script.quiet().murmurs("stolen card", 0.05).quiet();
    assert!(script.last_said().contains("I couldn't hear that"), "{}", script.last_said());
}

#[test]
fn two_readings_that_lead_apart_are_told_apart_by_a_question() {
    let two = |confidence| {
        let mut script = Script::at(bank(), MONDAY);
        script.quiet().heard("lost card", &["opening hours"], confidence).quiet();
        script
    };
    assert_eq!((two(0.5).last_said().as_str(), chosen(&two(0.5))), (ASKED, vec![]));
    assert_eq!(chosen(&two(0.8)), ["lost_card"], "heard well");
    let mut script = Script::at(bank(), MONDAY);
    script.quiet().heard("lost card", &["stolen card"], 0.5);
    assert_eq!(chosen(&script), ["lost_card"], "either means the same");
}

#[test]
fn what_a_reading_says_outright_comes_before_what_was_guessed_of_one() {
    let mut script = Script::at(bank(), MONDAY);
    script.intents.insert("Sam won stole my words".into(), vec![("complaint".into(), 0.9)]);
    script.quiet().heard("Sam won stole my words", &["somebody stole my wallet"], 0.5).quiet();
    assert_eq!((script.last_said().as_str(), chosen(&script)), (ASKED, vec![]));
}

#[test]
fn the_question_waits_for_a_yes() {
    let script = asked();
    let expected = script.actions.iter().rev().find_map(|action| match action {
        Action::Listen { expect, hints, .. } => Some((expect, hints)),
        _ => None,
    });
    let (expect, hints) = expected.unwrap();
    assert_eq!(*expect, Expect::Request);
    assert!(hints.iter().any(|hint| hint == "yes") && hints.iter().any(|hint| hint == "lost card"), "{hints:?}");
    let weights = ["Yes.", "lost card", "No, my balance."].map(|text| script.call.weigh(text, 0.9));
    assert_eq!(weights, [Weight::Complete, Weight::Complete, Weight::Words]);
}

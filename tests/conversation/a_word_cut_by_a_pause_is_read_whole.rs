//! Whoever pauses within a word of a long turn is understood: the pause cut it into a part, which was read while they
//! went on, and a tail that means nothing by itself.

use crate::babble::fixture;
use crate::script::flows;
use crate::stand_in::{Outcome, PROMPT_MS, call_read, hearing};
use frontdesk::call::{Note, Utterance};

/// The sound of a long turn, a short pause, and some sound more. `whole` is what the recogniser makes of it in one piece,
/// `tail` of what comes after the pause.
fn call(whole: (&str, f32), tail: (&str, f32)) -> Outcome {
    let long = [fixture("asterisk/en-auth-incorrect.wav"), fixture("asterisk/en-vm-reachoper.wav")].concat();
    let silence = |ms: u64| vec![0; ms as usize * 8];
    let cut_s = long.len() as f32 / 8_000.0;
    let sound = [silence(PROMPT_MS + 1_000), long, silence(400), fixture("asterisk/en-hours.wav"), silence(20_000)];
    call_read(flows::bank(), sound.concat(), |audio, _| match audio.len() as f32 / 16_000.0 {
        ..1.9 => hearing(tail.0, tail.1),
        s if s < cut_s + 0.9 => hearing("I have lost", 0.9),
        _ => hearing(whole.0, whole.1),
    })
}

/// What was understood, with the other readings.
#[track_caller]
fn utterance(outcome: &Outcome) -> &Utterance {
    let utterance = outcome.notes.iter().find_map(|entry| match &entry.note {
        Note::Utterance(utterance) => Some(utterance),
        _ => None,
    });
    utterance.unwrap_or_else(|| panic!("{:#?}", outcome.notes))
}

#[test]
fn a_tail_that_is_read_poorly_is_read_with_what_came_before_it() {
    let outcome = call(("I have lost my card", 0.8), ("cart", 0.1));
    let heard = utterance(&outcome);
    assert_eq!((heard.text.as_str(), heard.confidence), ("I have lost my card", 0.8));
    assert_eq!(heard.alternatives, [""; 0]);
}

#[test]
fn one_that_is_read_well_is_not() {
    let outcome = call(("something else", 0.9), ("my card", 0.8));
    assert_eq!(utterance(&outcome).text, "I have lost my card");
    assert_eq!(utterance(&outcome).alternatives, [""; 0]);
}

#[test]
fn nothing_is_lost_where_it_is_read_no_better_in_one_piece() {
    let outcome = call(("I Halloween", 0.05), ("my card", 0.4));
    assert_eq!(utterance(&outcome).text, "I have lost my card");
    assert_eq!(utterance(&call(("", 0.0), ("my card", 0.4))).text, "I have lost my card");
}

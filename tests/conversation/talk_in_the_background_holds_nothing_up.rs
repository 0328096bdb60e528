//! People talk behind the caller without a pause: no prompt waits for their end, no answer either, and who has been heard
//! once is heard again. What the recogniser would make of it stands in for the recogniser: nothing of the talk, and the
//! caller's words of whatever holds them.

use crate::babble::{babble, fixture, over, power};
use crate::script::flows;
use crate::stand_in::{CALL_MS, Outcome, call_read, hearing};
use frontdesk::call::Note;
use frontdesk::dialog::flow::{Flow, Message, Step};

fn speech() -> Vec<i16> {
    fixture("asterisk/en-speak-with-a-representative.wav")
}

/// A call with this sound; what is louder than half of the speech is read as these words, from a moment on.
fn call(flow: Flow, sound: Vec<i16>, words: &str, from_ms: u64) -> Outcome {
    let loud = power(&speech()) / 2.0 / 32_768.0f32.powi(2);
    call_read(flow, sound, |audio, now_ms| {
        let tenth = |piece: &[f32]| piece.iter().map(|s| s * s).sum::<f32>() / piece.len() as f32;
        let heard = audio.chunks(1_600).any(|piece| tenth(piece) > loud) && now_ms >= from_ms;
        hearing(if heard { words } else { "" }, if heard { 0.9 } else { 0.0 })
    })
}

fn background() -> Vec<i16> {
    babble(CALL_MS as usize * 8, &speech())
}

#[test]
fn a_prompt_goes_on_over_talk_that_is_not_for_us() {
    let silent = |outcome: &Outcome| outcome.first(|note| matches!(note, Note::Silence)).expect("nobody answered");
    let in_quiet = silent(&call(flows::bank(), vec![0; CALL_MS as usize * 8], "", 0));
    let in_talk = silent(&call(flows::bank(), background(), "", 0));
    assert!(in_talk < in_quiet + 5_000, "what was to be said took until {in_talk} ms, {in_quiet} without");
}

#[test]
fn an_answer_into_talk_is_heard_whenever_it_comes() {
    let speech = speech();
    // Before the talk is known for what it is, at its first reading, and long after.
    for from_ms in [1_500, 3_000, 8_000, 20_000] {
        let sound = over(background(), from_ms * 8, &speech);
        let outcome = call(flows::bank(), sound, "lost card", 0);
        let said_ms = (from_ms + speech.len() / 8) as u64;
        let chosen = outcome.chosen().unwrap_or_else(|| panic!("said at {from_ms} ms: {:#?}", outcome.notes));
        assert!(chosen < said_ms + 6_500, "said until {said_ms} ms, understood at {chosen}");
    }
}

#[test]
fn who_was_not_understood_once_is_heard_the_next_time() {
    let speech = speech();
    // The first time nothing is made of it: it passes for talk.
    for between_ms in [4_000, 8_000] {
        let again = 1_500 + speech.len() / 8 + between_ms;
        let loud = over(over(background(), 1_500 * 8, &speech), again * 8, &speech);
        let outcome = call(flows::bank(), loud, "lost card", again as u64);
        let chosen = outcome.chosen().unwrap_or_else(|| panic!("said again at {again} ms: {:#?}", outcome.notes));
        assert!(chosen < (again + speech.len() / 8) as u64 + 6_500, "said again at {again} ms, understood at {chosen}");
    }
}

#[test]
fn a_message_is_never_taken_for_talk_behind_it() {
    let mut flow = flows::bank();
    let step = Message { queue: "front-desk".into(), say: Some(flows::en("Please speak after me.")), next: None };
    flow.steps.insert("tell".into(), Step::Message(step));
    flow.start = "tell".into();
    // Twelve seconds without a pause, of which the recogniser makes nothing.
    let talk = background();
    let sound = [vec![0; 6_000 * 8], talk[..12_000 * 8].to_vec(), vec![0; 20_000 * 8]].concat();
    let message = call(flow, sound, "", 0).message.expect("a message");
    assert!(message.to_ms - message.from_ms >= 11_500, "{message:?}");
}

//! People talk behind the caller without a pause: no prompt waits for their end, no answer either, and who has been heard
//! once is heard again. What the recogniser would make of it stands in for the recogniser: nothing of the talk, and the
//! caller's words of whatever holds them.

use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::babble::{babble, fixture, over, power};
use crate::script::{self, flows};
use frontdesk::call::{Caller, Entry, Event, LeftMessage, Note};
use frontdesk::dialog::Language;
use frontdesk::dialog::flow::{Flow, Message, Step};
use frontdesk::engine::{Ports, Request, Session, To};
use frontdesk::local::FilePort;
use frontdesk::media::Sound;
use frontdesk::speech::{Hearing, Listener, ListenerSettings};

const RATE: u32 = 8_000;
/// Each thing that the bot says takes so long...
const PROMPT_MS: u64 = 5_000;
/// ...and each reading.
const READING_MS: u64 = 700;
const CALL_MS: u64 = 40_000;

#[derive(Default)]
struct Outcome {
    notes: Vec<Entry>,
    message: Option<LeftMessage>,
}

impl Outcome {
    fn first(&self, like: impl Fn(&Note) -> bool) -> Option<u64> {
        self.notes.iter().find(|entry| like(&entry.note)).map(|entry| entry.at_ms)
    }

    fn chosen(&self) -> Option<u64> {
        self.first(|note| matches!(note, Note::Intent { chosen: Some(intent), .. } if intent == "lost_card"))
    }
}

fn speech() -> Vec<i16> {
    fixture("asterisk/en-speak-with-a-representative.wav")
}

/// A call with this sound; what is louder than half of the speech is read as these words, from a moment on.
fn call(flow: Flow, sound: Vec<i16>, words: &str, from_ms: u64) -> Outcome {
    let loud = power(&speech()) / 2.0 / 32_768.0f32.powi(2);
    let listener = Listener::new(ListenerSettings::default());
    let mut session = Session::new(Arc::new(flow), RATE, listener, Arc::default());
    let mut caller = FilePort::new(&Sound { rate: RATE, samples: sound }, RATE);
    let (start, mut read, mut outcome) = (Instant::now(), Vec::new(), Outcome::default());
    session.tell(Event::Arrived { call: "1".into(), caller: Caller::default(), at: script::MONDAY.parse().unwrap() });
    for now_ms in (0..CALL_MS).step_by(20) {
        for request in session.requests() {
            match request {
                Request::Answer => session.answered(),
                Request::Speak { to: to @ To::Caller(_), .. } => {
                    let samples = vec![1_000; PROMPT_MS as usize * RATE as usize / 1_000];
                    session.sound(to, Arc::new(Sound { rate: RATE, samples }));
                    session.spoken(to, true);
                }
                Request::Hear { turn, audio, .. } => {
                    let tenth = |piece: &[f32]| piece.iter().map(|s| s * s).sum::<f32>() / piece.len() as f32;
                    let heard = audio.chunks(1_600).any(|piece| tenth(piece) > loud) && now_ms >= from_ms;
                    read.push((now_ms + READING_MS, turn, if heard { words } else { "" }));
                }
                Request::Note(entry) => outcome.notes.push(entry),
                Request::KeepMessage(message) => outcome.message = Some(message),
                Request::Finished { .. } => return outcome,
                _ => {}
            }
        }
        for (_, turn, text) in read.extract_if(.., |(due, ..)| *due <= now_ms).collect::<Vec<_>>() {
            session.heard(turn, Ok(hearing(text)));
        }
        session.beat(
            now_ms,
            start + Duration::from_millis(now_ms),
            Ports { caller: Some(&mut caller), ..Ports::default() },
        );
    }
    outcome
}

fn hearing(text: &str) -> Hearing {
    Hearing {
        text: text.into(),
        alternatives: Vec::new(),
        confidence: if text.is_empty() { 0.0 } else { 0.9 },
        no_speech: 0.0,
        language: Language::new("en"),
        cpu_s: 0.0,
    }
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

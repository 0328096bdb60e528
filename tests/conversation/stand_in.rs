//! A call through the session in which something stands in for the recogniser and the voice.

use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::script;
use frontdesk::call::{Caller, Entry, Event, LeftMessage, Note};
use frontdesk::dialog::Language;
use frontdesk::dialog::flow::Flow;
use frontdesk::engine::{Ports, Request, Session, To};
use frontdesk::local::FilePort;
use frontdesk::media::Sound;
use frontdesk::speech::{Hearing, Listener, ListenerSettings};

const RATE: u32 = 8_000;
/// Each thing that the bot says takes so long...
pub const PROMPT_MS: u64 = 5_000;
/// ...and each reading.
const READING_MS: u64 = 700;
pub const CALL_MS: u64 = 40_000;

#[derive(Default)]
pub struct Outcome {
    pub notes: Vec<Entry>,
    pub message: Option<LeftMessage>,
}

impl Outcome {
    pub fn first(&self, like: impl Fn(&Note) -> bool) -> Option<u64> {
        self.notes.iter().find(|entry| like(&entry.note)).map(|entry| entry.at_ms)
    }

    pub fn chosen(&self) -> Option<u64> {
        self.first(|note| matches!(note, Note::Intent { chosen: Some(intent), .. } if intent == "lost_card"))
    }
}

/// A call with this sound at 8 kHz. `read` is told a turn's samples at 16 kHz, and when.
pub fn call_read(flow: Flow, sound: Vec<i16>, reads: impl Fn(&[f32], u64) -> Hearing) -> Outcome {
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
                Request::Hear { turn, audio, .. } => read.push((now_ms + READING_MS, turn, reads(&audio, now_ms))),
                Request::Note(entry) => outcome.notes.push(entry),
                Request::KeepMessage(message) => outcome.message = Some(message),
                Request::Finished { .. } => return outcome,
                _ => {}
            }
        }
        for (_, turn, hearing) in read.extract_if(.., |(due, ..)| *due <= now_ms).collect::<Vec<_>>() {
            session.heard(turn, Ok(hearing));
        }
        session.beat(
            now_ms,
            start + Duration::from_millis(now_ms),
            Ports { caller: Some(&mut caller), ..Ports::default() },
        );
    }
    outcome
}

pub fn hearing(text: &str, confidence: f32) -> Hearing {
    Hearing {
        text: text.into(),
        alternatives: Vec::new(),
        confidence,
        no_speech: 0.0,
        language: Language::new("en"),
        cpu_s: 0.0,
    }
}

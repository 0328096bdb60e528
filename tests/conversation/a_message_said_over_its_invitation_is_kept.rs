//! Who speaks their message over the invitation to leave one, and hangs up before anybody has read a word of it.

use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::script;
use frontdesk::call::{Caller, Cause, Event, LeftMessage};
use frontdesk::dialog::Language;
use frontdesk::dialog::flow::{Message, Step};
use frontdesk::engine::{Ports, Request, Session, To};
use frontdesk::local::FilePort;
use frontdesk::media::{self, Sound};
use frontdesk::speech::{Hearing, Listener, ListenerSettings};
use script::flows;

const RATE: u32 = 8_000;
/// The caller begins to speak, ms of the call.
const SPEAKS_MS: u64 = 1_000;

#[test]
fn a_message_said_over_its_invitation_is_kept() {
    let speech = media::file::read("audio_fixtures/asterisk/en-speak-with-a-representative.wav").unwrap().at_rate(RATE);
    let lasts_ms = speech.samples.len() as u64 / 8;
    // In mid-sentence, as it ends, and a second later; each time it is read when they are gone.
    for hangs_up_ms in [SPEAKS_MS + 800, SPEAKS_MS + lasts_ms, SPEAKS_MS + lasts_ms + 1_000] {
        let (message, cause) = left(&speech, hangs_up_ms);
        let message = message.unwrap_or_else(|| panic!("no message of who hung up at {hangs_up_ms} ms"));
        assert_eq!(message.text, "I need a representative");
        assert!(message.from_ms <= SPEAKS_MS + 300, "its sound begins with its first words: {message:?}");
        assert_eq!(cause, Cause::CallerHungUp);
    }
    // And who says nothing leaves none, and is let go at once.
    let (message, cause) = left(&Sound { rate: RATE, samples: Vec::new() }, SPEAKS_MS + 800);
    assert_eq!((message, cause), (None, Cause::CallerHungUp));
}

/// What is kept of a caller who says this over a long invitation and hangs up then. Reading takes two seconds.
fn left(speech: &Sound, hangs_up_ms: u64) -> (Option<LeftMessage>, Cause) {
    let mut flow = flows::bank();
    let step = Message { queue: "front-desk".into(), say: Some(flows::en("Please speak after me.")), next: None };
    flow.steps.insert("tell".into(), Step::Message(step));
    flow.start = "tell".into();
    let listener = Listener::new(ListenerSettings::default());
    let mut session = Session::new(Arc::new(flow), RATE, listener, Arc::default());
    let samples = [vec![0; SPEAKS_MS as usize * 8], speech.samples.clone()].concat();
    let mut caller = FilePort::new(&Sound { rate: RATE, samples }, RATE);
    let (start, mut read, mut kept) = (Instant::now(), Vec::new(), None);
    session.tell(Event::Arrived { call: "1".into(), caller: Caller::default(), at: script::MONDAY.parse().unwrap() });
    for now_ms in (0..30_000).step_by(20) {
        for request in session.requests() {
            match request {
                Request::Answer => session.answered(),
                Request::Speak { to: to @ To::Caller(_), .. } => {
                    session.sound(to, Arc::new(Sound { rate: RATE, samples: vec![1_000; 12 * RATE as usize] }));
                    session.spoken(to, true);
                }
                Request::Hear { turn, .. } => read.push((now_ms + 2_000, turn)),
                Request::KeepMessage(message) => kept = Some(message),
                Request::Finished { cause, .. } => return (kept, cause),
                _ => {}
            }
        }
        if now_ms >= hangs_up_ms && now_ms < hangs_up_ms + 20 {
            session.tell(Event::CallerHungUp);
        }
        for (_, turn) in read.extract_if(.., |(due, _)| *due <= now_ms).collect::<Vec<_>>() {
            session.heard(turn, Ok(hearing()));
        }
        session.beat(
            now_ms,
            start + Duration::from_millis(now_ms),
            Ports { caller: Some(&mut caller), ..Ports::default() },
        );
    }
    panic!("the call went on for half a minute");
}

fn hearing() -> Hearing {
    Hearing {
        text: "I need a representative".into(),
        alternatives: Vec::new(),
        confidence: 0.9,
        no_speech: 0.0,
        language: Language::new("en"),
        cpu_s: 0.0,
    }
}

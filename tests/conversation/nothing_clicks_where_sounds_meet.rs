//! A whole call's sound to the caller, made of the worst: constant loud values of changing sign. Prompts begin, end
//! and are cut off, waiting music sets in and stops, an agent speaks and goes: nowhere does the sound step.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::script;
use frontdesk::call::{Caller, Event, QueueRequest};
use frontdesk::engine::{Ports, Request, Session, To, WaitingSounds};
use frontdesk::media::{Frame, Key, Port, Quality, Received, Sound};
use frontdesk::speech::{Listener, ListenerSettings};
use script::flows;

const RATE: u32 = 8_000;
const LOUD: i16 = 12_000;
/// Between two samples: the whole way from -12 000 to 12 000 as half a cosine over the 40 samples of 5 ms.
const STEEPEST: i32 = 24_000 * 158 / 40 / 100 + 310;

/// A phone that hears what it is sent, says the same sample all the time and presses keys.
struct Phone {
    says: i16,
    keys: VecDeque<Option<Key>>,
    heard: Vec<i16>,
}

impl Port for Phone {
    fn rate(&self) -> u32 {
        RATE
    }
    fn receive(&mut self, _: Instant, frame: &mut Frame) -> Received {
        frame.samples_mut().fill(self.says);
        Received { heard: true, key: self.keys.pop_front().flatten(), ..Received::default() }
    }
    fn send(&mut self, _: Instant, frame: Option<&Frame>) {
        self.heard.extend_from_slice(frame.unwrap_or(&Frame::silence(RATE)).samples());
    }
    fn send_key(&mut self, _: Key) {}
    fn quality(&self) -> Quality {
        Quality::default()
    }
}

fn sound(value: i16, ms: usize) -> Arc<Sound> {
    Arc::new(Sound { rate: RATE, samples: vec![value; ms * 8] })
}

#[test]
fn nothing_clicks_where_sounds_meet() {
    let music = ["service", "cards"].map(|queue| (queue.to_owned(), vec![sound(-LOUD, 330)]));
    let sounds = Arc::new(WaitingSounds(BTreeMap::from(music)));
    let mut session = Session::new(Arc::new(flows::bank()), RATE, Listener::new(ListenerSettings::default()), sounds);
    let mut caller = Phone { says: 0, keys: VecDeque::new(), heard: Vec::new() };
    let mut agent = Phone { says: LOUD, keys: VecDeque::new(), heard: Vec::new() };
    // Two keys cut a prompt in the middle, the third asks for a person.
    let press = [(30, '1'), (55, '*'), (90, '0')];
    caller.keys = (0..100).map(|n| press.iter().find(|(at, _)| *at == n).and_then(|(_, key)| Key::new(*key))).collect();

    let (start, mut prompts, mut later, mut agent_there, mut connected) = (Instant::now(), 0, Vec::new(), false, false);
    let at = script::MONDAY.parse().expect("a moment");
    session.tell(Event::Arrived { call: "1".into(), caller: Caller::default(), at });
    for n in 0..1_500u64 {
        let agent = agent_there.then_some(&mut agent as &mut dyn Port);
        let ports = Ports { caller: Some(&mut caller), agent, ..Ports::default() };
        session.beat(n * 20, start + Duration::from_millis(n * 20), ports);
        loop {
            let requests = session.requests();
            if requests.is_empty() {
                break;
            }
            for request in requests {
                match request {
                    Request::Answer => session.answered(),
                    Request::Speak { to, .. } => {
                        prompts += usize::from(matches!(to, To::Caller(_)));
                        // Two sentences, of either sign.
                        session.sound(to, sound(LOUD, 400));
                        session.sound(to, sound(-LOUD, 405));
                        session.spoken(to, true);
                    }
                    Request::Queue(QueueRequest::Enter { .. }) => {
                        later.push((n + 120, Event::AgentFound { agent: "ann".into(), brief: true }));
                    }
                    Request::RingAgent { .. } => later.push((n + 100, Event::AgentAnswered)),
                    Request::Queue(QueueRequest::Taken { .. }) => {
                        connected = true;
                        later.push((n + 200, Event::AgentHungUp));
                    }
                    Request::ReleaseAgent { .. } => agent_there = false,
                    _ => {}
                }
            }
        }
        for (_, event) in later.extract_if(.., |(due, _)| *due <= n).collect::<Vec<_>>() {
            if event == Event::AgentAnswered {
                agent_there = true;
                session.agent_answered(RATE);
            } else {
                session.tell(event);
            }
        }
        if session.finished() {
            break;
        }
    }
    assert!(prompts >= 4 && connected, "{prompts} prompts, connected: {connected}");
    let counted = |value: i16| caller.heard.iter().filter(|sample| **sample == value).count() / 8;
    assert!(counted(LOUD) > 2_000 && counted(-LOUD) > 2_000, "{} and {} ms", counted(LOUD), counted(-LOUD));
    let steps = caller.heard.windows(2).map(|pair| (i32::from(pair[1]) - i32::from(pair[0])).abs());
    let (place, steepest) = steps.enumerate().max_by_key(|(_, step)| *step).expect("sound");
    assert!(steepest <= STEEPEST, "a step of {steepest} at {} ms, at most {STEEPEST}", place / 8);
}

/// The first prompt waits until the caller's side sends something, or a quarter of a second: nothing of it is sent
/// into a way that is not open yet.
#[test]
fn the_first_syllable_waits_for_the_way_to_open() {
    for (opens_after, waits) in [(0u64, 0..=2), (5, 4..=7), (1_000, 11..=14)] {
        let listener = Listener::new(ListenerSettings::default());
        let mut session = Session::new(Arc::new(flows::bank()), RATE, listener, Arc::default());
        let mut caller =
            Late { phone: Phone { says: 0, keys: VecDeque::new(), heard: Vec::new() }, silent: opens_after };
        let at = script::MONDAY.parse().expect("a moment");
        session.tell(Event::Arrived { call: "1".into(), caller: Caller::default(), at });
        for n in 0..40 {
            for request in session.requests() {
                match request {
                    Request::Answer => session.answered(),
                    Request::Speak { to, .. } => {
                        session.sound(to, sound(LOUD, 300));
                        session.spoken(to, true);
                    }
                    _ => {}
                }
            }
            session.beat(n * 20, Instant::now(), Ports { caller: Some(&mut caller), ..Ports::default() });
        }
        let heard = &caller.phone.heard;
        let first = heard.chunks(160).position(|frame| frame.iter().any(|&s| s != 0)).expect("the prompt");
        assert!(waits.contains(&first), "{first} frames of silence when the way opens after {opens_after}");
        // Two prompts of 300 ms at least, each whole but for its fades.
        let whole = heard.iter().filter(|&&s| s == LOUD).count();
        assert!(whole >= 2 * (2_400 - 80) || first > 9, "{whole}");
        assert!(whole >= 2_400 - 80, "{whole}");
    }
}

/// A phone from which nothing comes at first.
struct Late {
    phone: Phone,
    silent: u64,
}

impl Port for Late {
    fn rate(&self) -> u32 {
        RATE
    }
    fn receive(&mut self, now: Instant, frame: &mut Frame) -> Received {
        let received = self.phone.receive(now, frame);
        self.silent = self.silent.saturating_sub(1);
        Received { heard: self.silent == 0 && received.heard, ..received }
    }
    fn send(&mut self, now: Instant, frame: Option<&Frame>) {
        self.phone.send(now, frame);
    }
    fn send_key(&mut self, _: Key) {}
    fn quality(&self) -> Quality {
        Quality::default()
    }
}

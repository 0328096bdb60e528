//! Any event in any state, in any order, early, late and doubled: a call never panics; ends once and then is
//! silent; rings only agents it was given and connects only one who answered; lets go of every agent; never goes
//! dead; keeps no secret; and its log replays to the byte.

use std::collections::BTreeSet;

use crate::script;
use frontdesk::call::*;
use frontdesk::dialog::flow::Flow;
use frontdesk::media::Key;
use proptest::prelude::*;
use script::{MONDAY, flows};
use serde_json::json;

/// The PIN that is keyed, and said: it must stand nowhere.
const PIN: &str = "073915";

const TIMERS: [TimerId; 6] =
    [TimerId::Silence, TimerId::InterKey, TimerId::Patience, TimerId::Comfort, TimerId::QueueLimit, TimerId::Drain];

const WORDS: [&str; 16] = [
    "balance",
    "lost card",
    "opening hours",
    "complaint",
    "407123",
    "four oh seven one two three",
    "yes",
    "no",
    "no, it's 408123",
    "agent",
    "查包裹",
    "幺二三四五六七八",
    "对",
    "不对",
    "人工",
    "",
];

fn event() -> impl Strategy<Value = Event> {
    let agent = || prop_oneof![Just("ann".to_owned()), Just("bob".to_owned())];
    let failure = prop_oneof![Just(AgentFailure::NoAnswer), Just(AgentFailure::Busy), Just(AgentFailure::LeftEarly)];
    let reply = prop_oneof![
        3 => Just(Reply::Found(json!({ "balance": "12.00 GBP", "status": "已签收", "date": "2026-11-20" }))),
        1 => Just(Reply::Found(json!(null))),
        1 => Just(Reply::Refused(json!({ "detail": "too late" }))),
        1 => Just(Reply::Failed(BackendFailure::NotFound)),
        1 => Just(Reply::Failed(BackendFailure::Down)),
    ];
    prop_oneof![
        4 => Just(Event::SpeechStarted),
        8 => (0..WORDS.len(), 0..10_u8).prop_map(|(i, confidence)| Event::Heard(Utterance {
            text: WORDS[i].into(), confidence: f32::from(confidence) / 10.0, language: "en".into(), ..Utterance::default()
        })),
        2 => Just(Event::NotHeard),
        1 => Just(Event::SpeechUnavailable),
        8 => "[0-9*#]".prop_map(|key| Event::Key { key: Key::new(key.chars().next().unwrap()).unwrap() }),
        10 => (0..30_u32, any::<bool>()).prop_map(|(prompt, finished)| Event::Said { prompt, finished }),
        6 => (0..TIMERS.len()).prop_map(|i| Event::Timer { timer: TIMERS[i] }),
        4 => (0..12_u32, 0..10_u8).prop_map(|(request, score)| Event::Understood { request, understanding: Understanding {
            intents: vec![IntentScore { intent: "balance".into(), score: f32::from(score) / 10.0 }], threshold: 0.5, answer: None,
        }}),
        5 => (0..12_u32, reply).prop_map(|(request, reply)| Event::Replied { request, reply }),
        1 => Just(Event::Emotion(Reading { distress: 0.8, ..Reading::default() })),
        2 => (1..4_u32).prop_map(|position| Event::Waiting { position, estimate_s: None }),
        4 => (agent(), any::<bool>()).prop_map(|(agent, brief)| Event::AgentFound { agent, brief }),
        1 => Just(Event::NobodyThere),
        1 => Just(Event::WaitOver),
        1 => Just(Event::AgentRinging),
        4 => Just(Event::AgentAnswered),
        2 => (agent(), failure).prop_map(|(agent, failure)| Event::AgentFailed { agent, failure }),
        3 => Just(Event::Briefed),
        1 => Just(Event::AgentHungUp),
        1 => prop_oneof![Just(HandoffBy::Refer), Just(HandoffBy::Attended)].prop_map(|by| Event::HandoffBy { by }),
        1 => agent().prop_map(|agent| Event::Referred { agent }),
        1 => agent().prop_map(|agent| Event::ReferFailed { agent, status: 603 }),
        3 => destination().prop_map(|to| Event::TransferAsked { to }),
        1 => Just(Event::TargetRinging),
        2 => Just(Event::TargetAnswered),
        1 => Just(Event::TargetFailed { failure: AgentFailure::Busy }),
        1 => agent().prop_map(|agent| Event::AgentReplaced { agent }),
        2 => Just(Event::DeskStepAsked { step: "pin".into() }),
        1 => Just(Event::DeskStepOver),
        1 => Just(Event::RecordingRefused),
        1 => Just(Event::CallerHungUp),
        1 => Just(Event::MediaLost),
        1 => (0..90_000_u64).prop_map(|within_ms| Event::Drain { within_ms }),
        1 => Just(arrived()),
    ]
}

fn destination() -> impl Strategy<Value = Option<Destination>> {
    prop_oneof![
        Just(None),
        Just(Some(Destination::Agent { agent: "bob".into() })),
        Just(Some(Destination::Queue { queue: "cards".into() })),
        Just(Some(Destination::Outside { number: "+4930123".into() })),
    ]
}

fn arrived() -> Event {
    Event::Arrived { call: "c".into(), caller: Caller::default(), at: MONDAY.parse().unwrap() }
}

/// What an onlooker makes of the actions.
#[derive(Default)]
struct Onlooker {
    found: BTreeSet<String>,
    rung: Option<String>,
    /// Whom the caller's telephone was sent to, rung by nobody here.
    referred_to: Option<String>,
    /// An agent's wish is under way.
    target: bool,
    answered: bool,
    connected: bool,
    queued: bool,
    saying: Option<PromptId>,
    last_prompt: PromptId,
    timers: BTreeSet<TimerId>,
    requests: BTreeSet<RequestId>,
    masked: bool,
    answers: u32,
    finished: u32,
    seq: u32,
}

impl Onlooker {
    fn event(&mut self, event: &Event) {
        match event {
            Event::AgentFound { agent, .. } => {
                self.found.insert(agent.clone());
            }
            Event::AgentReplaced { agent } if self.connected => self.rung = Some(agent.clone()),
            Event::AgentAnswered if self.rung.is_some() => self.answered = true,
            Event::Said { prompt, .. } if self.saying == Some(*prompt) => self.saying = None,
            Event::Timer { timer } => {
                self.timers.remove(timer);
            }
            Event::Understood { request, .. } | Event::Replied { request, .. } => {
                self.requests.remove(request);
            }
            _ => {}
        }
    }

    fn action(&mut self, action: &Action) {
        assert_eq!(self.finished, 0, "after the end: {action:?}");
        match action {
            Action::Answer => self.answers += 1,
            Action::Say { prompt, words, .. } => {
                assert!(*prompt > self.last_prompt && !words.pieces.is_empty());
                self.last_prompt = *prompt;
                self.saying = Some(*prompt);
                assert!(!self.connected, "the bot speaks into a conversation");
            }
            Action::StopSaying => assert!(self.saying.take().is_some(), "nothing is being said"),
            Action::SetTimer { timer, .. } => {
                self.timers.insert(*timer);
            }
            Action::CancelTimer { timer } => assert!(self.timers.remove(timer), "{timer:?} does not run"),
            Action::Understand { request, .. } | Action::Fetch { request, .. } => {
                assert!(self.requests.insert(*request));
            }
            Action::Queue(QueueRequest::Enter { .. }) => {
                assert!(self.rung.is_none());
                self.queued = true;
            }
            Action::Queue(QueueRequest::Leave | QueueRequest::Done { .. }) => self.queued = false,
            Action::Queue(QueueRequest::Taken { agent }) => {
                assert!(self.rung.as_ref().or(self.referred_to.as_ref()) == Some(agent));
            }
            Action::ReferCaller { agent, attended: true } => assert_eq!(self.rung.as_ref(), Some(agent)),
            Action::ReferCaller { agent, attended: false } => {
                assert!(self.rung.is_none() && self.found.contains(agent));
                self.referred_to = Some(agent.clone());
            }
            Action::RingTarget { .. } => assert!(!self.connected && !std::mem::replace(&mut self.target, true)),
            Action::ReleaseTarget => assert!(std::mem::take(&mut self.target), "nobody to let go"),
            Action::AnswerTransfer { status } if *status >= 200 => self.target = false,
            Action::ConnectTarget { name } => {
                assert!(self.rung.is_none() && !std::mem::replace(&mut self.connected, true));
                assert!(self.saying.is_none());
                self.rung = Some(name.clone());
            }
            Action::Queue(QueueRequest::NotTaken { agent, .. }) => {
                assert!(self.found.contains(agent));
                assert_ne!(self.rung.as_ref(), Some(agent), "released first");
            }
            Action::RingAgent { agent, .. } => {
                assert!(self.rung.is_none(), "two agents for one call");
                assert!(self.found.contains(agent), "nobody offered {agent}");
                self.rung = Some(agent.clone());
                self.answered = false;
            }
            Action::ReleaseAgent { agent } => {
                assert_eq!(self.rung.take().as_ref(), Some(agent));
                assert!(!self.connected, "disconnected first");
            }
            Action::Brief { .. } => assert!(self.answered),
            Action::Connect => {
                assert!(self.rung.is_some() && self.answered, "connected to nobody");
                assert!(!std::mem::replace(&mut self.connected, true));
                assert!(self.saying.is_none());
            }
            Action::Disconnect => assert!(std::mem::take(&mut self.connected)),
            Action::Note(entry) => {
                assert_eq!(entry.seq, self.seq);
                self.seq += 1;
            }
            Action::Mask => assert!(!std::mem::replace(&mut self.masked, true)),
            Action::Unmask => assert!(std::mem::take(&mut self.masked)),
            Action::Finished { .. } => {
                self.finished += 1;
                assert!(self.rung.is_none() && !self.connected && !self.masked && self.saying.is_none());
                assert!(self.timers.is_empty(), "{:?} still run", self.timers);
            }
            _ => {}
        }
    }

    /// Something is under way, or will come: nobody listens to nothing for ever.
    fn alive(&self) {
        let something = self.saying.is_some() || !self.timers.is_empty() || self.connected || self.finished > 0;
        assert!(something, "a dead call");
    }
}

fn run(flow: Flow, events: &[(Event, u64)]) {
    let flow = std::sync::Arc::new(flow);
    let mut call = Call::new(flow.clone());
    let mut onlooker = Onlooker::default();
    let mut now = 0;
    let mut log: Vec<Logged> = Vec::new();
    let mut pin = PIN.chars().cycle();
    // Lines of the log that hold a key of it.
    let mut hidden = Vec::new();
    for (event, later) in std::iter::once(&(arrived(), 0)).chain(events) {
        now += later;
        let mut event = event.clone();
        if onlooker.masked {
            // Whoever is asked for the PIN keys it, and says it.
            if let Event::Key { key } = &event
                && key.as_char().is_ascii_digit()
            {
                event = Event::Key { key: Key::new(pin.next().unwrap()).unwrap() };
                hidden.push(log.len());
            }
            if let Event::Heard(utterance) = &mut event {
                utterance.text = format!("{} it is {PIN}", utterance.text);
            }
        }
        onlooker.event(&event);
        let masked = onlooker.masked;
        let actions = call.handle(now, event.clone());
        log.push(Logged::new(now, event, &actions, masked));
        actions.iter().for_each(|action| onlooker.action(action));
        onlooker.alive();
    }
    // Left alone, it comes to its end.
    for _ in 0..400 {
        if onlooker.finished > 0 {
            break;
        }
        let event = match (onlooker.saying, onlooker.timers.first(), onlooker.connected) {
            (Some(prompt), ..) => Event::Said { prompt, finished: true },
            (_, _, true) => Event::AgentHungUp,
            (_, Some(timer), _) if onlooker.timers.len() > 1 && *timer == TimerId::Comfort => {
                Event::Timer { timer: *onlooker.timers.last().unwrap() }
            }
            (_, Some(timer), _) => Event::Timer { timer: *timer },
            _ => unreachable!("alive"),
        };
        now += 60_000;
        onlooker.event(&event);
        let masked = onlooker.masked;
        let actions = call.handle(now, event.clone());
        log.push(Logged::new(now, event, &actions, masked));
        actions.iter().for_each(|action| onlooker.action(action));
    }
    assert_eq!(onlooker.finished, 1, "it does not end");
    assert_eq!(onlooker.answers, 1);
    assert!(call.finished());
    for event in
        [arrived(), Event::CallerHungUp, Event::Timer { timer: TimerId::Silence }, Event::Drain { within_ms: 1 }]
    {
        assert_eq!(call.handle(now, event), []);
    }

    let written = serde_json::to_string(&log).unwrap();
    let mut strings = Vec::new();
    collect(&serde_json::to_value(&log).unwrap(), &mut strings);
    for fragment in PIN.as_bytes().windows(4) {
        let fragment = std::str::from_utf8(fragment).unwrap();
        assert!(!strings.iter().any(|text| text.contains(fragment)), "{fragment} of the PIN is in the log");
    }
    for line in hidden {
        let kept = matches!(log[line].event, Event::Key { key } if key.as_char() == '1');
        assert!(kept, "a key of the PIN stands in the log");
    }
    let read: Vec<Logged> = serde_json::from_str(&written).unwrap();
    let again = serde_json::to_string(&replay_log(flow, &read)).unwrap();
    assert!(written == again, "the replay decides otherwise");
}

fn collect(value: &serde_json::Value, strings: &mut Vec<String>) {
    match value {
        serde_json::Value::String(text) => strings.push(text.clone()),
        serde_json::Value::Array(items) => items.iter().for_each(|item| collect(item, strings)),
        serde_json::Value::Object(fields) => fields.values().for_each(|field| collect(field, strings)),
        _ => {}
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4_000, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn at_the_bank(events in prop::collection::vec((event(), 0..8_000_u64), 0..60)) {
        run(flows::bank(), &events);
    }

    #[test]
    fn at_the_parcel_carrier(events in prop::collection::vec((event(), 0..8_000_u64), 0..60)) {
        run(flows::parcel(), &events);
    }

    #[test]
    fn where_the_pin_is_asked_first(events in prop::collection::vec((event(), 0..8_000_u64), 0..60)) {
        run(Flow { start: "pin".into(), ..flows::bank() }, &events);
    }

    #[test]
    fn where_an_agent_sends_the_caller_back(events in prop::collection::vec((event(), 0..8_000_u64), 0..60)) {
        run(Flow { start: "service".into(), ..flows::bank_with_pin() }, &events);
    }

    #[test]
    fn before_the_call_arrives(events in prop::collection::vec((event(), 0..8_000_u64), 0..10)) {
        let mut call = Call::new(std::sync::Arc::new(flows::bank()));
        for (event, later) in events {
            if !matches!(event, Event::Arrived { .. } | Event::CallerHungUp) {
                prop_assert_eq!(call.handle(later, event), vec![]);
            }
        }
    }
}

//! What of a call's sound is taken for the caller's voice, by the session that every call runs through: their turns, a
//! reading each second of speech and at the end, before the words; never what we play, keys, or music; nothing once refused.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Instant;

use frontdesk::call::{Caller, Event, Note, Reading};
use frontdesk::dialog::Language;
use frontdesk::dialog::flow::*;
use frontdesk::emotion::policy::Policy;
use frontdesk::emotion::{Encoder, Model};
use frontdesk::engine::{Ports, Request, Session, WaitingSounds};
use frontdesk::media::{FRAME_MS, Frame, Key, Port, Quality, Received, Sound, file};
use frontdesk::speech::{Hearing, Listener, ListenerSettings};

/// The caller's telephone.
#[derive(Default)]
struct Telephone {
    says: VecDeque<i16>,
    keys: VecDeque<(u64, Key)>,
    ms: u64,
}

impl Port for Telephone {
    fn rate(&self) -> u32 {
        8_000
    }
    fn receive(&mut self, _: Instant, frame: &mut Frame) -> Received {
        frame.samples_mut().iter_mut().for_each(|sample| *sample = self.says.pop_front().unwrap_or(0));
        self.ms += 20;
        let key = self.keys.pop_front_if(|(at, _)| *at <= self.ms).map(|(_, key)| key);
        Received { heard: true, key, ..Received::default() }
    }
    fn send(&mut self, _: Instant, _: Option<&Frame>) {}
    fn send_key(&mut self, _: Key) {}
    fn quality(&self) -> Quality {
        Quality::default()
    }
}

fn voice(name: &str) -> Vec<i16> {
    let path = format!("{}/audio_fixtures/asterisk/{name}.wav", env!("CARGO_MANIFEST_DIR"));
    file::read(path).unwrap().at_rate(8_000).samples
}

/// One open question, said for so long.
fn flow(first: Step) -> Flow {
    let en = |words: &str| Text { texts: [(Language::new("en"), words.into())].into(), ..Text::default() };
    let ask = Ask {
        prompt: en("Go on."),
        again: None,
        slot: "s".into(),
        kind: SlotKind::Free,
        confirm: None,
        secret: false,
        label: Default::default(),
        next: "bye".into(),
    };
    let steps = [
        ("first".to_owned(), first),
        ("ask".to_owned(), Step::Ask(ask)),
        ("bye".to_owned(), Step::HangUp { say: en("Goodbye.") }),
    ];
    Flow {
        name: "f".into(),
        language: Language::new("en"),
        start: "first".into(),
        steps: steps.into(),
        intents: Default::default(),
        hours: Default::default(),
        person: Transfer { queue: "q".into(), skills: vec![], priority: 0, say: None },
        lines: FlowTexts::default(),
        attempts: 2,
        silence_ms: 60_000,
        swearing: true,
        recorded: false,
        types: Default::default(),
        detect_language: false,
        knowledge: None,
        commands: Default::default(),
        personal: Default::default(),
        desk_steps: Default::default(),
        people: None,
        instead: Default::default(),
        emotion: Some(Policy::default()),
    }
}

fn welcome() -> Step {
    let say = Text { texts: [(Language::new("en"), "Hello.".into())].into(), ..Text::default() };
    Step::Say { say, next: "ask".into() }
}

/// Runs a call of so many seconds in which every prompt is 400 ms of sound, or lasts to the end.
fn run(flow: Flow, mut telephone: Telephone, seconds: u64, endless: bool) -> (Vec<Reading>, Vec<String>) {
    let listener = Listener::new(ListenerSettings::default());
    let mut session = Session::new(Arc::new(flow), 8_000, listener, Arc::new(WaitingSounds::default()));
    session.tell(Event::Arrived { call: "c".into(), caller: Caller::default(), at: chrono::DateTime::UNIX_EPOCH });
    let (model, mut encoder) = (Model::shipped().unwrap(), Encoder::new());
    let (origin, mut readings, mut order) = (Instant::now(), vec![], vec![]);
    for beat in 0..seconds * 50 {
        for request in session.requests() {
            match request {
                Request::Answer => session.answered(),
                Request::Speak { to, rate, .. } => {
                    let ms = if endless { seconds * 1_000 } else { 400 };
                    session
                        .sound(to, Arc::new(Sound { rate, samples: vec![3_000; (rate as u64 * ms / 1_000) as usize] }));
                    session.spoken(to, true);
                }
                Request::Hear { turn, language, .. } => {
                    let text = "words".into();
                    let hearing =
                        Hearing { text, alternatives: vec![], confidence: 0.9, no_speech: 0.0, language, cpu_s: 0.0 };
                    session.heard(turn, Ok(hearing));
                }
                Request::Feel(feel) => {
                    let mut felt = feel.judge(&model, &mut encoder);
                    felt.reading = Reading { distress: 0.1, ..Reading::default() };
                    session.felt(felt.id, Some(felt));
                }
                Request::Note(entry) => match entry.note {
                    Note::Emotion(reading) => {
                        order.push(if reading.whole { "whole" } else { "meanwhile" }.to_owned());
                        readings.push(reading);
                    }
                    Note::Utterance(said) => order.push(said.text),
                    _ => {}
                },
                _ => {}
            }
        }
        let now = beat * u64::from(FRAME_MS);
        let ports = Ports { caller: Some(&mut telephone), ..Ports::default() };
        session.beat(now, origin + std::time::Duration::from_millis(now), ports);
    }
    (readings, order)
}

/// Two seconds for the prompts, then these sounds.
fn says(sound: Vec<i16>) -> Telephone {
    let mut says = VecDeque::from(vec![0; 16_000]);
    says.extend(sound);
    Telephone { says, ..Telephone::default() }
}

#[test]
fn each_second_of_speech_and_the_end_of_the_utterance_before_its_words() {
    let (readings, order) = run(flow(welcome()), says(voice("en-privacy-prompt")), 12, false);
    assert!(readings.len() >= 3, "{readings:?}");
    assert!(readings[0].speech_ms <= 1_500, "the first after {} ms of speech", readings[0].speech_ms);
    for pair in readings.windows(2) {
        assert!(pair[1].speech_ms.saturating_sub(pair[0].speech_ms) <= 1_500, "{pair:?}");
    }
    let last = readings.last().unwrap();
    assert!(last.whole && last.start_ms >= 1_500 && last.end_ms > last.start_ms + 1_000, "{last:?}");
    let words = order.iter().position(|what| what == "words").unwrap();
    assert_eq!(order[words - 1], "whole", "{order:?}");
}

#[test]
fn the_callers_own_calm_voice_comes_beside_later_readings() {
    let mut both = voice("en-conf-onlyperson");
    both.extend(vec![0; 24_000]);
    both.extend(voice("en-privacy-prompt"));
    let mut flow = flow(welcome());
    // The question again, for a second turn.
    if let Some(Step::Ask(ask)) = flow.steps.get_mut("ask") {
        ask.next = "again".into();
    }
    let Some(Step::Ask(again)) = flow.steps.get("ask").cloned() else { unreachable!("it is one") };
    flow.steps.insert("again".into(), Step::Ask(Ask { next: "bye".into(), ..again }));
    let (readings, _) = run(flow, says(both), 24, false);
    let first_whole = readings.iter().position(|reading| reading.whole).unwrap();
    assert!(readings[..=first_whole].iter().all(|reading| !reading.own_voice));
    assert!(readings[first_whole + 1..].iter().any(|reading| reading.own_voice), "{readings:?}");
}

#[test]
fn our_own_sound_is_nobodys_voice() {
    // What they say while we talk could be our echo.
    let mut flow = flow(welcome());
    flow.steps.insert(
        "first".into(),
        Step::HangUp {
            say: match welcome() {
                Step::Say { say, .. } => say,
                _ => unreachable!("it says"),
            },
        },
    );
    let (readings, _) = run(flow, says(voice("en-hours")), 12, true);
    assert_eq!(readings, []);
}

#[test]
fn music_is_nobodys_voice() {
    let roots = [262.0f32, 349.2, 392.0, 440.0];
    let sample = |n: usize| {
        let (t, root) = (n as f32 / 8_000.0, roots[n / 4_800 % roots.len()]);
        let tone = |ratio: f32| {
            (1..6).map(|k| (std::f32::consts::TAU * root * ratio * k as f32 * t).sin() / k as f32).sum::<f32>()
        };
        (1_800.0 * (tone(1.0) + tone(1.26) + tone(1.5))) as i16
    };
    let (readings, _) = run(flow(welcome()), says((0..80_000).map(sample).collect()), 14, false);
    assert!(readings.len() <= 1, "before two seconds it cannot be known: {readings:?}");
}

#[test]
fn a_key_takes_its_sound_with_it() {
    let tone = |n: usize| {
        let t = n as f32 / 8_000.0;
        (8_000.0 * ((std::f32::consts::TAU * 770.0 * t).sin() + (std::f32::consts::TAU * 1_336.0 * t).sin())) as i16
    };
    let mut sound = Vec::new();
    let mut telephone = Telephone::default();
    for press in 0..8u64 {
        telephone.keys.push_back((2_040 + press * 400, Key::new('5').unwrap()));
        sound.extend((0..1_600).map(tone));
        sound.extend(vec![0; 1_600]);
    }
    telephone.says = says(sound).says;
    let (readings, _) = run(flow(welcome()), telephone, 10, false);
    assert_eq!(readings, []);
}

#[test]
fn a_caller_who_refuses_is_not_listened_to() {
    let say = Text { texts: [(Language::new("en"), "We listen.".into())].into(), ..Text::default() };
    let flow = flow(Step::Disclose { say, of: [Disclosed::Emotion].into(), key: Some('*'), next: "ask".into() });
    let mut telephone = says(voice("en-hours"));
    telephone.keys.push_back((1_500, Key::new('*').unwrap()));
    let (readings, order) = run(flow, telephone, 12, false);
    assert_eq!(readings, []);
    assert_eq!(order, ["words"], "but understood as ever");
}

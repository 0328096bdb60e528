//! A flow that tells callers of the recording records nothing before, nothing once they refuse, and what they leave as a
//! message all the same; by the call's decisions and by the file that the session writes.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use frontdesk::call::{Action, CalledBack, Caller, Event, Note, Talker, Utterance};
use frontdesk::dialog::Language;
use frontdesk::dialog::flow::{Disclosed, Flow, Message, Step};
use frontdesk::emotion::policy::Policy;
use frontdesk::engine::{Ports, Request, Session, WaitingSounds};
use frontdesk::media::{FRAME_MS, Frame, Key, Port, Quality, Received, Recordings, Sound};
use frontdesk::speech::{Listener, ListenerSettings};

use crate::an_upset_caller_is_comforted_once_and_put_through::assert_replays;
use crate::script::{Script, flows};

/// The bank is open.
const MONDAY: &str = "2026-11-23T15:00:00Z";
const TOLD: &str = "This call is recorded. Say no, or press star, if you don't want that.";

/// The bank, which tells callers of these before its menu.
fn tells(of: &[Disclosed]) -> Flow {
    let mut flow = Flow { recorded: true, ..flows::bank() };
    let tell =
        Step::Disclose { say: flows::en(TOLD), of: of.iter().copied().collect(), key: Some('*'), next: "menu".into() };
    flow.steps.insert("tell".into(), tell);
    if let Some(Step::Say { next, .. }) = flow.steps.get_mut("greeting") {
        *next = "tell".into();
    }
    assert_eq!(frontdesk::dialog::check(&flow), []);
    flow
}

/// What was decided of the recording.
fn recording(call: &Script) -> Vec<Action> {
    let of_it = |action: &&Action| matches!(action, Action::RecordCall | Action::StopRecording { .. });
    call.actions.iter().filter(of_it).cloned().collect()
}

#[test]
fn a_call_is_recorded_once_the_caller_was_told() {
    let mut call = Script::new(tells(&[Disclosed::Recording]));
    assert_eq!(recording(&call), []);
    call.wait(12_000);
    assert!(call.said().iter().any(|said| said.contains(TOLD)));
    assert_eq!(recording(&call), [Action::RecordCall]);
    call.says("opening hours").says("no");
    assert_eq!(recording(&call), [Action::RecordCall], "that was an answer to something else");
    assert_replays(&call);
}

#[test]
fn it_may_be_refused_in_words_or_by_the_key_while_told_or_just_after() {
    type Refusal = fn(&mut Script);
    let ways: [Refusal; 5] = [
        |call| {
            call.wait(2_000).interrupts("no thank you");
        },
        |call| {
            call.wait(2_000).presses("*");
        },
        |call| {
            call.says("no");
        },
        |call| {
            call.says("I do not consent");
        },
        |call| {
            call.says("please don't record this call");
        },
    ];
    for (n, refuse) in ways.into_iter().enumerate() {
        let mut call = Script::new(tells(&[Disclosed::Recording]));
        refuse(&mut call);
        call.quiet();
        assert!(call.notes().any(|note| *note == Note::RecordingRefused), "way {n}: {:#?}", call.said());
        let last = recording(&call).last().cloned();
        assert!(matches!(last, Some(Action::StopRecording { since_ms: ..5_000 })), "way {n}: all of it: {last:?}");
        let said = call.last_said();
        assert!(said.starts_with("From here on, this call is not recorded.") && said.contains("do for you"), "{said}");
        call.says("opening hours");
        assert!(matches!(recording(&call).last(), Some(Action::StopRecording { .. })), "way {n}: it stays so");
        assert_replays(&call);
    }
}

#[test]
fn who_refuses_later_is_recorded_until_then() {
    let mut call = Script::new(tells(&[Disclosed::Recording]));
    call.says("opening hours");
    let before = call.now;
    call.says("stop recording");
    let Some(Action::StopRecording { since_ms }) = recording(&call).last().cloned() else {
        panic!("{:#?}", recording(&call))
    };
    assert!(since_ms >= before, "what was agreed to is kept: {since_ms} of {before}");
}

#[test]
fn who_is_faster_than_the_flow_is_told_first() {
    let mut call = Script::new(tells(&[Disclosed::Recording]));
    call.presses("3"); // opening hours, during the greeting
    assert!(call.last_said().contains(TOLD) && call.last_said().contains("nine to five"), "{}", call.last_said());
    assert_eq!(recording(&call), [], "they are being told");
    call.quiet();
    assert_eq!(recording(&call), [Action::RecordCall]);
    call.says("no");
    assert!(matches!(recording(&call)[..], [_, Action::StopRecording { .. }]), "{:#?}", recording(&call));
    // Faster still: the next question is answered, too, while they are told.
    let mut call = Script::new(tells(&[Disclosed::Recording]));
    call.presses("2").presses("2");
    assert_eq!(recording(&call), [Action::RecordCall], "{:#?}", call.said());
    // Put through before they were told: they never agreed.
    let mut call = Script::new(tells(&[Disclosed::Recording]));
    call.presses("0").wait(2_000).connect("anna").wait(60_000);
    assert_eq!(recording(&call), []);
    assert!(!call.said().iter().any(|said| said.contains(TOLD)), "{:#?}", call.said());
}

#[test]
fn who_refuses_while_waiting_or_to_the_agent_is_heeded() {
    let refuses = Utterance { text: "please don't record this".into(), start_ms: 9_000, ..Utterance::default() };
    let mut call = Script::new(tells(&[Disclosed::Recording]));
    call.says("opening hours").says("an agent please").wait(2_000).connect("anna");
    call.tell(Event::Overheard { who: Talker::Agent, utterance: refuses.clone() });
    assert_eq!(recording(&call), [Action::RecordCall], "it is the caller's to say");
    call.tell(Event::Overheard { who: Talker::Caller, utterance: refuses });
    assert_eq!(recording(&call)[1..], [Action::StopRecording { since_ms: 9_000 }]);
    assert_replays(&call);
}

#[test]
fn an_agent_passes_it_on_that_a_caller_refuses() {
    let mut call = Script::new(tells(&[Disclosed::Recording]));
    call.says("opening hours").says("an agent please").wait(2_000).connect("anna");
    call.tell(Event::RecordingRefused).tell(Event::RecordingRefused);
    assert!(matches!(recording(&call)[..], [Action::RecordCall, Action::StopRecording { .. }]), "once");
    assert_replays(&call);
    let mut call = Script::new(flows::bank());
    call.says("an agent please").wait(2_000).connect("anna").tell(Event::RecordingRefused);
    assert_eq!(recording(&call), [], "there is no recording");
}

#[test]
fn a_message_is_kept_whatever_is_refused_after_it() {
    let mut flow = tells(&[Disclosed::Recording]);
    let message =
        Message { queue: "service".into(), say: Some(flows::en("Leave a message.")), next: Some("menu".into()) };
    flow.steps.insert("note".into(), Step::Message(message));
    if let Some(Step::Disclose { next, .. }) = flow.steps.get_mut("tell") {
        *next = "note".into();
    }
    let mut call = Script::new(flow);
    call.wait(12_000).murmurs("my card was swallowed", 0.9).presses("#").quiet();
    let kept = call.count(|action| matches!(action, Action::KeepMessage(_)));
    assert_eq!(kept, 1, "{:#?}", call.said());
    let over = call.now;
    call.says("no").says("stop recording me");
    let since = recording(&call).into_iter().filter_map(|action| match action {
        Action::StopRecording { since_ms } => Some(since_ms),
        _ => None,
    });
    assert!(since.min().is_some_and(|since| since >= over), "{:#?}", recording(&call));
}

#[test]
fn a_no_that_is_an_answer_refuses_nothing() {
    let mut flow = tells(&[Disclosed::Recording]);
    if let Some(Step::Menu { options, .. }) = flow.steps.get_mut("menu") {
        options[3].phrases = vec!["no".into()];
    }
    let mut call = Script::new(flow);
    call.says("no");
    assert_eq!(recording(&call), [Action::RecordCall]);
    assert!(!call.notes().any(|note| *note == Note::RecordingRefused));
}

#[test]
fn a_secret_refuses_nothing() {
    let mut flow = tells(&[Disclosed::Recording]);
    if let Some(Step::Disclose { key, next, .. }) = flow.steps.get_mut("tell") {
        (*key, *next) = (Some('9'), "pin".into());
    }
    let problems = frontdesk::dialog::check(&flow);
    let keys: Vec<_> = problems.iter().filter(|problem| problem.step == "tell").map(|problem| problem.kind).collect();
    assert_eq!(keys, [frontdesk::dialog::ProblemKind::DuplicateKey], "{problems:#?}");
    let mut call = Script::new(flow);
    call.keys("9");
    assert!(!call.notes().any(|note| matches!(note, Note::RecordingRefused | Note::Dtmf { .. })));
}

#[test]
fn who_refused_is_not_recorded_when_called_back() {
    let back = |recorded| CalledBack {
        call: "earlier".into(),
        queue: "service".into(),
        skills: Vec::new(),
        priority: 0,
        language: Language::new("en"),
        recorded,
        facts: Vec::new(),
    };
    for (recorded, decided) in [(true, 2), (false, 0)] {
        let caller = Caller { called_back: Some(Box::new(back(recorded))), ..Caller::default() };
        let mut call = Script::from(Flow { recorded: true, ..flows::bank() }, MONDAY, caller);
        let refuses = Utterance { text: "don't record me".into(), ..Utterance::default() };
        call.tell(Event::Overheard { who: Talker::Caller, utterance: refuses });
        assert_eq!(recording(&call).len(), decided, "nothing is left to refuse where it was refused before");
    }
}

#[test]
fn a_flow_that_tells_of_nothing_still_lets_callers_refuse() {
    let mut call = Script::new(Flow { recorded: true, ..flows::bank() });
    call.says("do not record me please");
    assert!(call.notes().any(|note| *note == Note::RecordingRefused));
    let decided = recording(&call);
    assert!(matches!(decided[..], [Action::RecordCall, Action::StopRecording { since_ms: 1.. }]), "{decided:#?}");
}

#[test]
fn who_refuses_before_being_told_is_not_recorded_once_told() {
    // Keyed ahead of the disclosure, which is then still to be told.
    let mut flow = tells(&[Disclosed::Recording]);
    if let Some(Step::Disclose { next, .. }) = flow.steps.get_mut("tell") {
        *next = "account".into();
    }
    let mut call = Script::new(flow);
    call.wait(300).presses("4").wait(300).interrupts("don't record this").wait(20_000);
    assert!(call.notes().any(|note| *note == Note::RecordingRefused), "{:#?}", call.said());
    assert!(!recording(&call).contains(&Action::RecordCall), "{:#?}", recording(&call));
}

#[test]
fn who_refuses_while_told_to_wait_is_answered() {
    let sentence = "Somebody took my wallet";
    let mut call = Script::new(Flow { recorded: true, ..flows::bank() });
    call.intents.insert(sentence.into(), vec![("lost_card".into(), 0.9), ("balance".into(), 0.05)]);
    call.quiet();
    call.meaning_ms = 1_900;
    call.says(sentence).wait(1_600);
    assert_eq!(call.last_said(), "One moment, please.");
    call.wait(400).tell(Event::SpeechStarted).murmurs("don't record this", 0.9).wait(200);
    assert!(call.last_said().ends_with("Shall I block your card now?"), "{:#?}", call.said());
}

#[test]
fn nobody_is_told_of_what_is_not_done() {
    let mut call = Script::new(Flow { recorded: false, ..tells(&[Disclosed::Recording, Disclosed::Emotion]) });
    call.wait(12_000);
    assert!(!call.said().iter().any(|said| said.contains(TOLD)));
    call.says("please don't record this call");
    assert_eq!(recording(&call), []);
}

#[test]
fn one_no_refuses_all_that_was_told() {
    let both = Flow { emotion: Some(Policy::default()), ..tells(&[Disclosed::Recording, Disclosed::Emotion]) };
    let mut call = Script::new(both);
    call.says("no");
    let refused: Vec<_> =
        call.notes().filter(|note| matches!(note, Note::RecordingRefused | Note::EmotionRefused)).cloned().collect();
    assert_eq!(refused, [Note::RecordingRefused, Note::EmotionRefused]);
    assert_eq!(
        call.actions.iter().rfind(|action| matches!(action, Action::Analyse { .. })),
        Some(&Action::Analyse { on: false })
    );
}

/// Hums all the time, and presses star at this time.
struct Hummer {
    ms: u64,
    star_ms: Option<u64>,
}

impl Port for Hummer {
    fn rate(&self) -> u32 {
        8_000
    }
    fn receive(&mut self, _: Instant, frame: &mut Frame) -> Received {
        frame
            .samples_mut()
            .iter_mut()
            .enumerate()
            .for_each(|(n, sample)| *sample = if n % 40 < 20 { 900 } else { -900 });
        self.ms += u64::from(FRAME_MS);
        let star = self.star_ms.take_if(|at| *at <= self.ms);
        Received { heard: true, key: star.and_then(|_| Key::new('*')), ..Received::default() }
    }
    fn send(&mut self, _: Instant, _: Option<&Frame>) {}
    fn send_key(&mut self, _: Key) {}
    fn quality(&self) -> Quality {
        Quality::default()
    }
}

/// The first and last ms of the caller in the recording of a call of six seconds whose prompts take 1 s each.
fn heard_in_the_recording(star_ms: Option<u64>, path: &Path) -> Option<(u64, u64)> {
    let flow = tells(&[Disclosed::Recording]);
    let listener = Listener::new(ListenerSettings::default());
    let mut session = Session::new(Arc::new(flow), 8_000, listener, Arc::new(WaitingSounds::default()));
    session.tell(Event::Arrived { call: "c".into(), caller: Caller::default(), at: MONDAY.parse().unwrap() });
    let (recordings, origin) = (Recordings::start().unwrap(), Instant::now());
    let mut telephone = Hummer { ms: 0, star_ms };
    let mut opened_ms = None;
    for beat in 0..300 {
        let now = beat * u64::from(FRAME_MS);
        for request in session.requests() {
            match request {
                Request::Answer => session.answered(),
                Request::Speak { to, rate, .. } => {
                    session.sound(to, Arc::new(Sound { rate, samples: vec![0; rate as usize] }));
                    session.spoken(to, true);
                }
                Request::Record => {
                    assert!(opened_ms.replace(now).is_none(), "one call, one recording");
                    session.record(recordings.record(path, 8_000, 8_000).unwrap(), now);
                }
                _ => {}
            }
        }
        session.beat(
            now,
            origin + Duration::from_millis(now),
            Ports { caller: Some(&mut telephone), ..Ports::default() },
        );
    }
    let opened_ms = opened_ms?;
    session.stop_recording().unwrap().wait().unwrap();
    let pairs: Vec<i16> = hound::WavReader::open(path).unwrap().samples().map(Result::unwrap).collect();
    let loud = |pair: &[i16]| pair[0].abs() > 100;
    let first = pairs.chunks(2).position(loud)?;
    let last = pairs.chunks(2).rposition(loud)?;
    Some((opened_ms + first as u64 / 8, opened_ms + last as u64 / 8))
}

#[test]
fn the_file_holds_what_was_agreed_to() {
    let dir = tempfile::tempdir().unwrap();
    let (from, to) = heard_in_the_recording(None, &dir.path().join("agreed.wav")).unwrap();
    // A greeting of one second, and the telling of one.
    assert!((2_000..2_600).contains(&from) && to >= 5_900, "{from} {to}");
    assert_eq!(heard_in_the_recording(Some(1_500), &dir.path().join("at-once.wav")), None);
    // Recorded since the question after it was asked, and then refused.
    let path = dir.path().join("after.wav");
    assert_eq!(heard_in_the_recording(Some(2_800), &path), None);
    assert!(hound::WavReader::open(&path).unwrap().duration() > 8_000, "and all of it is silence");
}

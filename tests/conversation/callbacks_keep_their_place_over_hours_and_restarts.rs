//! A callback agreed on when nobody was there waits like any other call: it is dialled when an agent is free, in its
//! hours, as often as allowed, and a restart changes nothing of it.

use frontdesk::acd::{About, Agent, Callbacks, Floor, FloorAction, FloorEvent, NoCallback, Queue};
use frontdesk::dialog::Language;

const TERMS: Callbacks = Callbacks { attempts: 2, retry_ms: 60_000, ring_ms: 20_000, within_ms: 3_600_000 };

fn floor() -> Floor {
    let agent = Agent {
        name: "ann".into(),
        queues: ["desk".to_owned()].into(),
        skills: Default::default(),
        languages: Default::default(),
    };
    Floor::new([agent], [Queue { callbacks: Some(TERMS), ..Queue::new("desk") }])
}

fn wants(call: &str, attempts: u32, left_ms: Option<u64>) -> FloorEvent {
    let (call, queue, language) = (call.to_owned(), "desk".to_owned(), Language::new("en"));
    let about = About::default();
    FloorEvent::CallbackEntered { call, queue, skills: vec![], language, priority: 0, about, attempts, left_ms }
}

fn enters(call: &str) -> FloorEvent {
    let (call, queue, language) = (call.to_owned(), "desk".to_owned(), Language::new("en"));
    FloorEvent::Entered { call, queue, skills: vec![], language, priority: 0, about: About::default() }
}

fn leaves(call: &str) -> FloorEvent {
    FloorEvent::Left { call: call.to_owned() }
}

fn dialled(actions: &[FloorAction]) -> Vec<(&str, u32)> {
    let dial = |action| match action {
        &FloorAction::Dial { ref call, attempt, .. } => Some((call.as_str(), attempt)),
        _ => None,
    };
    actions.iter().filter_map(dial).collect()
}

#[test]
fn who_found_nobody_is_called_when_somebody_is_there_before_who_came_later() {
    let mut floor = floor();
    let given_up = floor.handle(0, enters("early"));
    assert!(
        given_up.iter().any(|action| matches!(action, FloorAction::GiveUp { .. })),
        "nobody is there: {given_up:?}"
    );
    let kept = floor.handle(20_000, wants("early", 0, None));
    assert!(matches!(kept[..], [FloorAction::CallbackKept { position: 1, .. }]), "{kept:?}");
    floor.handle(22_000, leaves("early"));
    floor.handle(25_000, wants("late", 0, None));
    floor.handle(26_000, leaves("late"));
    let actions = floor.handle(30_000, FloorEvent::LoggedIn { agent: "ann".into() });
    assert_eq!(dialled(&actions), [("early", 1)]);
    let actions = floor.handle(32_000, FloorEvent::CallbackAnswered { call: "early".into() });
    assert!(matches!(&actions[..], [FloorAction::Offer { call, agent, .. }] if call == "early" && agent == "ann"));
    floor.check().unwrap();
}

#[test]
fn nobody_is_called_out_of_hours() {
    let mut floor = floor();
    floor.handle(0, FloorEvent::CallbackHours { queue: "desk".into(), open: false });
    floor.handle(0, wants("one", 0, None));
    floor.handle(500, leaves("one"));
    let actions = floor.handle(1_000, FloorEvent::LoggedIn { agent: "ann".into() });
    assert_eq!(dialled(&actions), []);
    floor.check().unwrap();
    let actions = floor.handle(2_000, FloorEvent::CallbackHours { queue: "desk".into(), open: true });
    assert_eq!(dialled(&actions), [("one", 1)]);
    floor.check().unwrap();
}

#[test]
fn nobody_is_called_while_still_on_the_line() {
    let mut floor = floor();
    floor.handle(0, FloorEvent::LoggedIn { agent: "ann".into() });
    assert_eq!(dialled(&floor.handle(0, wants("one", 0, None))), [], "they hear that it is kept");
    floor.check().unwrap();
    assert_eq!(dialled(&floor.handle(9_000, leaves("one"))), [("one", 1)]);
    // Who does not hang up is called all the same, in the end.
    floor.handle(9_500, FloorEvent::CallbackCancelled { call: "one".into() });
    floor.handle(10_000, wants("two", 0, None));
    let due = floor.next_deadline().unwrap();
    assert_eq!(dialled(&floor.handle(due, FloorEvent::Tick)), [("two", 1)]);
    floor.check().unwrap();
}

#[test]
fn who_wants_a_person_after_all_waits_for_one() {
    let mut floor = floor();
    floor.handle(0, wants("one", 0, None));
    floor.handle(1_000, FloorEvent::LoggedIn { agent: "ann".into() });
    let actions = floor.handle(5_000, enters("one"));
    let over = FloorAction::CallbackOver { call: "one".into(), why: NoCallback::NotOffered };
    assert!(actions.contains(&over), "{actions:?}");
    assert!(
        actions.iter().any(|action| matches!(action, FloorAction::Offer { call, .. } if call == "one")),
        "{actions:?}"
    );
    floor.check().unwrap();
    // Agreed on twice, it is kept once, and each time said so.
    floor.handle(6_000, FloorEvent::LoggedOut { agent: "ann".into() });
    for _ in 0..2 {
        let kept = floor.handle(7_000, wants("two", 0, None));
        assert!(matches!(kept[..], [FloorAction::CallbackKept { position: 1, .. }]), "{kept:?}");
    }
    floor.check().unwrap();
}

#[test]
fn a_restart_goes_on_counting_calls_and_time() {
    let mut floor = floor();
    floor.handle(0, FloorEvent::LoggedIn { agent: "ann".into() });
    let actions = floor.handle(0, wants("one", 1, Some(100_000)));
    assert_eq!(dialled(&actions), [("one", 2)], "once before the restart");
    let actions = floor.handle(5_000, FloorEvent::CallbackFailed { call: "one".into() });
    let over = FloorAction::CallbackOver { call: "one".into(), why: NoCallback::NotReached };
    assert!(actions.contains(&over), "{actions:?}");

    floor.handle(6_000, FloorEvent::LoggedOut { agent: "ann".into() });
    floor.handle(6_000, wants("two", 0, Some(1_000)));
    let actions = floor.handle(7_000, FloorEvent::Tick);
    let over = FloorAction::CallbackOver { call: "two".into(), why: NoCallback::TooLate };
    assert!(actions.contains(&over), "{actions:?}");
    floor.check().unwrap();
}

#[test]
fn a_queue_without_callbacks_keeps_none() {
    let mut floor = Floor::new([], [Queue::new("desk")]);
    let refused = FloorAction::CallbackOver { call: "one".into(), why: NoCallback::NotOffered };
    assert_eq!(floor.handle(0, wants("one", 0, None)), [refused]);
}

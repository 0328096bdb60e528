//! A call whose priority is raised while it waits goes ahead of those that came before it, and keeps its new place.

use frontdesk::acd::{About, Agent, Floor, FloorAction, FloorEvent, Queue};
use frontdesk::dialog::Language;

fn enter(call: &str) -> FloorEvent {
    FloorEvent::Entered {
        call: call.into(),
        queue: "desk".into(),
        skills: vec![],
        language: Language::new("en"),
        priority: 0,
        about: About::default(),
    }
}

fn offered(actions: &[FloorAction]) -> Option<&str> {
    actions.iter().find_map(|action| match action {
        FloorAction::Offer { call, .. } => Some(call.as_str()),
        _ => None,
    })
}

#[test]
fn a_raised_call_goes_first() {
    let agent = Agent { name: "anna".into(), queues: ["desk".to_owned()].into(), ..Agent::default() };
    let mut floor = Floor::new([agent], [Queue::new("desk")]);
    floor.handle(0, FloorEvent::LoggedIn { agent: "anna".into() });
    assert_eq!(offered(&floor.handle(1, enter("first"))), Some("first"));
    floor.handle(2, FloorEvent::Taken { call: "first".into(), agent: "anna".into() });
    for (at, call) in [(3, "second"), (4, "third")] {
        floor.handle(at, enter(call));
    }
    let told = floor.handle(5, FloorEvent::Raised { call: "third".into(), priority: 10 });
    assert!(told.contains(&FloorAction::Waiting { call: "third".into(), position: 1, estimate_s: None }), "{told:?}");
    assert_eq!(floor.waiting("desk").collect::<Vec<_>>(), ["third", "second"]);
    floor.handle(6, FloorEvent::Done { call: "first".into(), agent: "anna".into() });
    assert_eq!(offered(&floor.handle(60_000, FloorEvent::Tick)), Some("third"));
    // Not taken, it comes back to its new place; and a call that is not there is no matter.
    let failure = frontdesk::call::AgentFailure::NoAnswer;
    floor.handle(60_001, FloorEvent::NotTaken { call: "third".into(), agent: "anna".into(), failure });
    assert_eq!(floor.waiting("desk").collect::<Vec<_>>(), ["third", "second"]);
    assert_eq!(floor.handle(60_002, FloorEvent::Raised { call: "fourth".into(), priority: 10 }), []);
}

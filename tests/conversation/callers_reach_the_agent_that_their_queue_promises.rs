//! What an operator may decide of a queue, one rule a test: who is rung, who goes first, where a call goes that cannot wait
//! here, who is called back, and when.

use std::collections::BTreeMap;

use frontdesk::acd::*;
use frontdesk::call::AgentFailure;
use frontdesk::dialog::Language;

fn agent(name: &str, queues: &[&str], skills: &[(&str, u8)]) -> Agent {
    Agent {
        name: name.into(),
        queues: queues.iter().map(|queue| (*queue).to_owned()).collect(),
        skills: skills.iter().map(|(skill, level)| ((*skill).to_owned(), *level)).collect(),
        ..Agent::default()
    }
}

/// A floor where everybody is logged in.
fn floor<const A: usize, const Q: usize>(agents: [Agent; A], queues: [Queue; Q], rules: Rules) -> Floor {
    let names = agents.clone().map(|agent| agent.name);
    let mut floor = Floor::new(agents, queues).with_rules(rules);
    for agent in names {
        floor.handle(0, FloorEvent::LoggedIn { agent });
    }
    floor
}

/// Every answer of the floor is looked through.
fn tell(floor: &mut Floor, now: u64, event: FloorEvent) -> Vec<FloorAction> {
    let actions = floor.handle(now, event);
    assert_eq!(floor.check(), Ok(()));
    actions
}

fn enters(call: &str, queue: &str) -> FloorEvent {
    about(call, queue, About::default())
}

fn about(call: &str, queue: &str, about: About) -> FloorEvent {
    let (call, queue, language) = (call.into(), queue.into(), Language::new("en"));
    FloorEvent::Entered { call, queue, skills: vec![], language, priority: 0, about }
}

fn because(reason: Reason) -> About {
    About { reasons: [reason].into(), ..About::default() }
}

fn taken(call: &str, agent: &str) -> FloorEvent {
    FloorEvent::Taken { call: call.into(), agent: agent.into() }
}

fn done(call: &str, agent: &str) -> FloorEvent {
    FloorEvent::Done { call: call.into(), agent: agent.into() }
}

fn not_taken(call: &str, agent: &str, failure: AgentFailure) -> FloorEvent {
    FloorEvent::NotTaken { call: call.into(), agent: agent.into(), failure }
}

/// Who is rung, for which call.
fn offers(actions: &[FloorAction]) -> Vec<(&str, &str)> {
    let offers = actions.iter().filter_map(|action| match action {
        FloorAction::Offer { call, agent, .. } => Some((call.as_str(), agent.as_str())),
        _ => None,
    });
    offers.collect()
}

/// A call that is answered at once and takes so long.
fn serve(floor: &mut Floor, now: u64, call: &str, queue: &str, takes: u64) -> String {
    let actions = tell(floor, now, enters(call, queue));
    let (_, agent) = offers(&actions)[0];
    tell(floor, now, taken(call, agent));
    tell(floor, now + takes, done(call, agent));
    agent.to_owned()
}

fn desk() -> Queue {
    Queue { wrap_up_ms: 0, ..Queue::new("desk") }
}

#[test]
fn the_agent_idle_longest_is_rung() {
    let mut floor = floor([agent("ann", &["desk"], &[]), agent("bob", &["desk"], &[])], [desk()], Rules::default());
    assert_eq!(serve(&mut floor, 0, "1", "desk", 5), "ann");
    assert_eq!(serve(&mut floor, 10, "2", "desk", 900), "bob");
    assert_eq!(serve(&mut floor, 1_000, "3", "desk", 5), "ann");
}

#[test]
fn the_agent_who_was_busy_least_is_rung() {
    let queue = Queue { strategy: Strategy::LeastOccupied, ..desk() };
    let mut floor = floor([agent("ann", &["desk"], &[]), agent("bob", &["desk"], &[])], [queue], Rules::default());
    assert_eq!(serve(&mut floor, 0, "1", "desk", 5), "ann");
    assert_eq!(serve(&mut floor, 10, "2", "desk", 900), "bob");
    // Idle longer is ann; then bob, if he were not the busier.
    assert_eq!(serve(&mut floor, 1_000, "3", "desk", 5), "ann");
    assert_eq!(serve(&mut floor, 2_000, "4", "desk", 5), "ann");
}

#[test]
fn the_most_skilled_agent_is_rung_and_the_unskilled_never() {
    let needs = [("cards".to_owned(), 3)].into();
    let queue = Queue { strategy: Strategy::BestSkill, skills: needs, ..desk() };
    let agents = [
        agent("ann", &["desk"], &[("cards", 4)]),
        agent("bob", &["desk"], &[("cards", 9)]),
        agent("cleo", &["desk"], &[("cards", 2)]),
    ];
    let mut floor = floor(agents, [queue], Rules::default());
    assert_eq!(offers(&tell(&mut floor, 0, enters("1", "desk"))), [("1", "bob")]);
    assert_eq!(offers(&tell(&mut floor, 0, enters("2", "desk"))), [("2", "ann")]);
    assert_eq!(offers(&tell(&mut floor, 0, enters("3", "desk"))), [], "cleo's level is too low");
}

#[test]
fn several_ring_and_the_first_to_answer_has_the_call() {
    let queue = Queue { strategy: Strategy::RingSeveral(2), ..desk() };
    let agents = ["ann", "bob", "cleo"].map(|name| agent(name, &["desk"], &[]));
    let mut floor = floor(agents, [queue], Rules::default());
    assert_eq!(offers(&tell(&mut floor, 0, enters("1", "desk"))), [("1", "ann"), ("1", "bob")]);
    let actions = tell(&mut floor, 5, taken("1", "bob"));
    let stop = FloorAction::Withdraw { call: "1".into(), agent: "ann".into(), failure: AgentFailure::NoAnswer };
    assert_eq!(actions, std::slice::from_ref(&stop));
    // Ann answered at the same moment: she is told once more, and has missed nothing.
    assert_eq!(tell(&mut floor, 6, taken("1", "ann")), [stop]);
    tell(&mut floor, 7, not_taken("1", "ann", AgentFailure::NoAnswer));
    assert_eq!(floor.agent("ann"), Some(&AgentState::Available { since_ms: 0 }));
    // Two calls and two agents: each call has one before any has two.
    tell(&mut floor, 8, FloorEvent::Paused { agent: "cleo".into(), reason: "break".into() });
    tell(&mut floor, 9, done("1", "bob"));
    tell(&mut floor, 10, FloorEvent::Paused { agent: "ann".into(), reason: "training".into() });
    tell(&mut floor, 10, FloorEvent::Paused { agent: "bob".into(), reason: "training".into() });
    assert_eq!(floor.agent("ann"), Some(&AgentState::Paused { reason: "training".into() }));
    tell(&mut floor, 11, enters("2", "desk"));
    tell(&mut floor, 11, enters("3", "desk"));
    assert_eq!(offers(&tell(&mut floor, 12, FloorEvent::Resumed { agent: "ann".into() })), [("2", "ann")]);
    assert_eq!(offers(&tell(&mut floor, 12, FloorEvent::Resumed { agent: "bob".into() })), [("3", "bob")]);
    assert_eq!(offers(&tell(&mut floor, 12, FloorEvent::Resumed { agent: "cleo".into() })), [("2", "cleo")]);
}

#[test]
fn a_caller_gets_the_agent_they_had_last() {
    let queue = Queue { sticky: Some(Sticky { within_ms: 1_000_000, hold_ms: 10_000 }), ..desk() };
    let mut floor = floor([agent("ann", &["desk"], &[]), agent("bob", &["desk"], &[])], [queue], Rules::default());
    let caller = || About { caller: Some("c".into()), ..About::default() };
    assert_eq!(offers(&tell(&mut floor, 0, about("1", "desk", caller()))), [("1", "ann")]);
    tell(&mut floor, 0, taken("1", "ann"));
    tell(&mut floor, 100, done("1", "ann"));
    // Bob is idle longer, and ann is theirs.
    assert_eq!(offers(&tell(&mut floor, 200, about("2", "desk", caller()))), [("2", "ann")]);
    tell(&mut floor, 200, taken("2", "ann"));
    // Busy: the call is kept for her, and holds up nobody else; but not for ever.
    assert_eq!(offers(&tell(&mut floor, 300, about("3", "desk", caller()))), []);
    assert_eq!(offers(&tell(&mut floor, 400, enters("4", "desk"))), [("4", "bob")]);
    tell(&mut floor, 400, taken("4", "bob"));
    tell(&mut floor, 500, done("4", "bob"));
    assert_eq!(floor.next_deadline(), Some(10_300));
    assert_eq!(offers(&tell(&mut floor, 10_300, FloorEvent::Tick)), [("3", "bob")]);
    // Who is gone is not waited for, and who is known from elsewhere is theirs too.
    tell(&mut floor, 10_400, taken("3", "bob"));
    tell(&mut floor, 10_500, done("3", "bob"));
    tell(&mut floor, 10_600, FloorEvent::LoggedOut { agent: "bob".into() });
    tell(&mut floor, 10_700, done("2", "ann"));
    assert_eq!(offers(&tell(&mut floor, 10_800, about("5", "desk", caller()))), [("5", "ann")]);
}

#[test]
fn reasons_find_the_right_queue_in_the_right_order() {
    let rules = Rules {
        points: BTreeMap::from([(Reason::Vip, 5), (Reason::Distress, 10), (Reason::Complaint, 3), (Reason::Fraud, 20)]),
        routes: BTreeMap::from([(Reason::Fraud, "fraud".to_owned()), (Reason::Complaint, "complaints".to_owned())]),
        point_ms: None,
    };
    let queues = [desk(), Queue::new("fraud"), Queue::new("complaints")];
    let agents = [agent("ann", &["desk"], &[]), agent("bob", &["fraud"], &[])];
    let mut floor = floor(agents, queues, rules);
    for (agent, call, queue) in [("ann", "0", "desk"), ("bob", "00", "fraud")] {
        tell(&mut floor, 0, enters(call, queue));
        tell(&mut floor, 0, taken(call, agent));
    }
    tell(&mut floor, 1, enters("plain", "desk"));
    tell(&mut floor, 2, about("vip", "desk", because(Reason::Vip)));
    let actions = tell(&mut floor, 3, about("fraud", "desk", because(Reason::Fraud)));
    let moved = FloorAction::Moved { call: "fraud".into(), to: "fraud".into(), reason: Some(Reason::Fraud) };
    assert!(actions.contains(&moved), "{actions:?}");
    // Nobody is there for complaints: the call stays where somebody is, ahead of the plain one.
    tell(&mut floor, 4, about("complaint", "desk", because(Reason::Complaint)));
    assert_eq!(floor.waiting("desk").collect::<Vec<_>>(), ["vip", "complaint", "plain"]);
    tell(&mut floor, 5, FloorEvent::Escalated { call: "plain".into(), reason: Reason::Distress });
    assert_eq!(floor.waiting("desk").collect::<Vec<_>>(), ["plain", "vip", "complaint"]);
    let actions = tell(&mut floor, 6, FloorEvent::Escalated { call: "vip".into(), reason: Reason::Fraud });
    assert!(
        matches!(&actions[0], FloorAction::Moved { call, to, .. } if call == "vip" && to == "fraud"),
        "{actions:?}"
    );
    // A VIP who is defrauded outranks one who is only that.
    assert_eq!(floor.waiting("fraud").collect::<Vec<_>>(), ["vip", "fraud"]);
}

#[test]
fn waiting_long_enough_outweighs_priority() {
    let enters = |call: &str, priority| FloorEvent::Entered {
        call: call.into(),
        queue: "desk".into(),
        skills: vec![],
        language: Language::new("en"),
        priority,
        about: About::default(),
    };
    for (point_ms, order) in [(None, ["late", "early"]), (Some(1_000), ["early", "late"])] {
        let rules = Rules { point_ms, ..Rules::default() };
        let mut floor = floor([agent("ann", &["desk"], &[])], [desk()], rules);
        tell(&mut floor, 0, enters("0", 0));
        tell(&mut floor, 0, enters("early", 0));
        tell(&mut floor, 10_001, enters("late", 10)); // ten points are worth 10 s
        assert_eq!(floor.waiting("desk").collect::<Vec<_>>(), order);
    }
}

#[test]
fn a_call_overflows_by_time_and_by_length() {
    let rule = |when, to: &str| Overflow { when, to: Outlet::Queue(to.into()) };
    let queue = Queue { overflow: vec![rule(When::Waited(20_000), "help"), rule(When::Length(2), "help")], ..desk() };
    let agents = [agent("ann", &["desk"], &[]), agent("bob", &["help"], &[])];
    let mut floor = floor(agents, [queue, Queue { wrap_up_ms: 0, ..Queue::new("help") }], Rules::default());
    tell(&mut floor, 0, enters("0", "desk"));
    tell(&mut floor, 0, taken("0", "ann"));
    assert_eq!(offers(&tell(&mut floor, 1, enters("1", "desk"))), []);
    assert_eq!(offers(&tell(&mut floor, 2, enters("2", "desk"))), []);
    let actions = tell(&mut floor, 3, enters("3", "desk"));
    assert_eq!(actions[0], FloorAction::Moved { call: "3".into(), to: "help".into(), reason: None });
    assert_eq!(offers(&actions), [("3", "bob")]);
    tell(&mut floor, 4, taken("3", "bob"));
    tell(&mut floor, 5, done("3", "bob"));
    assert_eq!(floor.next_deadline(), Some(20_001));
    let actions = tell(&mut floor, 20_001, FloorEvent::Tick);
    assert_eq!(actions[0], FloorAction::Widened { call: "1".into(), to: "help".into() });
    assert_eq!(offers(&actions), [("1", "bob")]);
    // Not taken, it is back at its own place, and both may have it.
    tell(&mut floor, 20_002, not_taken("1", "bob", AgentFailure::Declined));
    assert_eq!(floor.waiting("desk").collect::<Vec<_>>(), ["1", "2"]);
}

#[test]
fn a_call_that_cannot_wait_here_may_leave_a_message() {
    let rule = |when| Overflow { when, to: Outlet::Voicemail };
    let overflow = vec![rule(When::Closed), rule(When::NobodyThere), rule(When::Waited(60_000))];
    let queues = [Queue { overflow, ..desk() }, Queue::new("bare")];
    let mut floor = floor([agent("ann", &["desk", "bare"], &[])], queues, Rules::default());
    let out = |call: &str, why| FloorAction::GiveUp { call: call.into(), why };
    for queue in ["desk", "bare"] {
        tell(&mut floor, 0, FloorEvent::Hours { queue: queue.into(), open: false });
    }
    assert_eq!(tell(&mut floor, 1, enters("1", "desk")), [out("1", GiveUp::Voicemail)]);
    assert_eq!(tell(&mut floor, 1, enters("2", "bare")), [out("2", GiveUp::Closed)]);
    tell(&mut floor, 2, FloorEvent::Hours { queue: "desk".into(), open: true });
    assert_eq!(offers(&tell(&mut floor, 3, enters("3", "desk"))), [("3", "ann")]);
    tell(&mut floor, 3, taken("3", "ann"));
    tell(&mut floor, 4, enters("4", "desk"));
    // Who waits when it closes waits on.
    assert_eq!(tell(&mut floor, 5, FloorEvent::Hours { queue: "desk".into(), open: false }), []);
    assert_eq!(tell(&mut floor, 60_004, FloorEvent::Tick), [out("4", GiveUp::Voicemail)]);
    tell(&mut floor, 60_005, FloorEvent::Hours { queue: "desk".into(), open: true });
    tell(&mut floor, 60_006, enters("5", "desk"));
    let actions = tell(&mut floor, 60_007, FloorEvent::LoggedOut { agent: "ann".into() });
    assert_eq!(actions, [out("5", GiveUp::Voicemail)], "nobody is there");
}

#[test]
fn a_caller_whose_agent_vanished_goes_first_and_who_was_passed_on_keeps_the_place() {
    let mut floor = floor([agent("ann", &["desk"], &[]), agent("bob", &["desk"], &[])], [desk()], Rules::default());
    for (call, agent) in [("1", "ann"), ("2", "bob")] {
        tell(&mut floor, 0, enters(call, "desk"));
        tell(&mut floor, 0, taken(call, agent));
    }
    let vip = |call: &str| FloorEvent::Raised { call: call.into(), priority: 50 };
    tell(&mut floor, 1, enters("3", "desk"));
    tell(&mut floor, 2, enters("4", "desk"));
    tell(&mut floor, 2, vip("4"));
    // Ann passes her caller on: before those who came later, behind the one who matters more.
    tell(&mut floor, 3, FloorEvent::Paused { agent: "ann".into(), reason: "break".into() });
    tell(&mut floor, 4, done("1", "ann"));
    tell(&mut floor, 5, enters("1", "desk"));
    assert_eq!(floor.waiting("desk").collect::<Vec<_>>(), ["4", "1", "3"]);
    // Bob's laptop sleeps: his caller hears of it and goes before everybody.
    let actions = tell(&mut floor, 6, FloorEvent::Vanished { agent: "bob".into() });
    let lost = FloorAction::Withdraw { call: "2".into(), agent: "bob".into(), failure: AgentFailure::Unreachable };
    assert!(actions.contains(&lost), "{actions:?}");
    tell(&mut floor, 7, not_taken("2", "bob", AgentFailure::Unreachable));
    assert_eq!(floor.waiting("desk").collect::<Vec<_>>(), ["2", "4", "1", "3"]);
    assert_eq!(floor.agent("bob"), Some(&AgentState::Offline));
}

#[test]
fn a_caller_is_called_back_in_their_turn() {
    let callbacks = Callbacks { attempts: 2, retry_ms: 60_000, ring_ms: 30_000, within_ms: 3_600_000 };
    let queue = Queue { callbacks: Some(callbacks), ..desk() };
    let mut floor = floor([agent("ann", &["desk"], &[])], [queue, Queue::new("none")], Rules::default());
    let id = || "1".to_owned();
    tell(&mut floor, 0, FloorEvent::Expected { queue: "desk".into(), handling_ms: 100_000 });
    tell(&mut floor, 0, enters("0", "desk"));
    tell(&mut floor, 0, taken("0", "ann"));
    tell(&mut floor, 1, enters("1", "desk"));
    tell(&mut floor, 2, enters("2", "desk"));
    let kept = FloorAction::CallbackKept { call: id(), position: 1, estimate_s: Some(100) };
    assert_eq!(tell(&mut floor, 3, FloorEvent::CallbackAgreed { call: id() }), [kept]);
    assert_eq!(tell(&mut floor, 4, FloorEvent::Left { call: id() }), [], "the place is kept");
    // The agent is held, the caller dialled, in vain; the next caller does not wait for that.
    let dial = |attempt| FloorAction::Dial { call: id(), agent: "ann".into(), attempt };
    let dials = |actions: &[FloorAction], attempt| assert!(actions.contains(&dial(attempt)), "{actions:?}");
    dials(&tell(&mut floor, 5, done("0", "ann")), 1);
    assert_eq!(floor.agent("ann"), Some(&AgentState::Reserved { call: id(), until_ms: 30_005 }));
    let stop = FloorAction::StopDialling { call: id() };
    let actions = tell(&mut floor, 30_005, FloorEvent::Tick);
    assert!(actions.contains(&stop) && offers(&actions) == [("2", "ann")], "{actions:?}");
    tell(&mut floor, 30_006, taken("2", "ann"));
    tell(&mut floor, 30_007, FloorEvent::CallbackFailed { call: id() });
    tell(&mut floor, 40_000, done("2", "ann"));
    assert_eq!(floor.next_deadline(), Some(90_007), "the second attempt");
    // Not while the queue is closed.
    tell(&mut floor, 50_000, FloorEvent::Hours { queue: "desk".into(), open: false });
    assert_eq!(tell(&mut floor, 90_007, FloorEvent::Tick), []);
    dials(&tell(&mut floor, 100_000, FloorEvent::Hours { queue: "desk".into(), open: true }), 2);
    let actions = tell(&mut floor, 100_001, FloorEvent::CallbackAnswered { call: id() });
    assert_eq!(offers(&actions), [("1", "ann")]);
    tell(&mut floor, 100_002, taken("1", "ann"));
    tell(&mut floor, 100_003, done("1", "ann"));
    assert_eq!(floor.agent("ann"), Some(&AgentState::Available { since_ms: 100_003 }));
}

#[test]
fn a_callback_ends_when_it_cannot_be_made() {
    let callbacks = Callbacks { attempts: 1, retry_ms: 1, ring_ms: 30_000, within_ms: 50_000 };
    let offer = Overflow { when: When::Waited(10_000), to: Outlet::Callback };
    let queues = [Queue { callbacks: Some(callbacks), overflow: vec![offer], ..desk() }, Queue::new("none")];
    let mut floor = floor([agent("ann", &["desk", "none"], &[])], queues, Rules::default());
    let over = |call: &str, why| FloorAction::CallbackOver { call: call.into(), why };
    let agreed = |call: &str| FloorEvent::CallbackAgreed { call: call.into() };
    tell(&mut floor, 0, enters("0", "desk"));
    tell(&mut floor, 0, taken("0", "ann"));
    tell(&mut floor, 0, enters("1", "none"));
    assert_eq!(tell(&mut floor, 1, agreed("1")), [over("1", NoCallback::NotOffered)]);
    assert_eq!(floor.waiting("none").collect::<Vec<_>>(), ["1"], "and waits on");
    tell(&mut floor, 1, FloorEvent::Left { call: "1".into() });
    for call in ["2", "3", "4"] {
        tell(&mut floor, 2, enters(call, "desk"));
    }
    let actions = tell(&mut floor, 10_002, FloorEvent::Tick);
    assert_eq!(actions.len(), 3);
    assert_eq!(actions[0], FloorAction::OfferCallback { call: "2".into() });
    for call in ["2", "3", "4"] {
        tell(&mut floor, 10_002, agreed(call));
        tell(&mut floor, 10_002, FloorEvent::Left { call: call.into() });
    }
    let cancelled = tell(&mut floor, 10_003, FloorEvent::CallbackCancelled { call: "3".into() });
    assert_eq!(cancelled, [], "who does not want it is not called");
    // One attempt, in vain; the other is not made in time.
    tell(&mut floor, 10_004, done("0", "ann"));
    let actions = tell(&mut floor, 10_005, FloorEvent::CallbackFailed { call: "2".into() });
    assert_eq!(actions[0], over("2", NoCallback::NotReached));
    assert!(matches!(&actions[1], FloorAction::Dial { call, .. } if call == "4"), "{actions:?}");
    tell(&mut floor, 10_006, FloorEvent::LoggedOut { agent: "ann".into() });
    tell(&mut floor, 10_007, FloorEvent::CallbackFailed { call: "4".into() });
    assert_eq!(tell(&mut floor, 60_002, FloorEvent::Tick), [over("4", NoCallback::TooLate)]);
    assert_eq!(floor.next_deadline(), None);
}

#[test]
fn an_agent_who_is_found_for_a_busy_caller_takes_the_next_at_once() {
    let mut floor = floor([agent("ann", &["desk"], &[])], [desk()], Rules::default());
    tell(&mut floor, 0, enters("1", "desk"));
    tell(&mut floor, 1, enters("2", "desk"));
    // The first is just agreeing on a callback: Ann has the second meanwhile, and no rest.
    let actions = tell(&mut floor, 10, not_taken("1", "ann", AgentFailure::NotWanted));
    assert_eq!(offers(&actions), [("2", "ann")]);
    tell(&mut floor, 20, taken("2", "ann"));
    tell(&mut floor, 30, done("2", "ann"));
    // Nobody else waits: Ann is asked again when the first has had a moment, not over and over.
    assert_eq!(floor.agent("ann"), Some(&AgentState::Available { since_ms: 30 }));
    assert_eq!(floor.next_deadline(), Some(1_010));
    let actions = tell(&mut floor, 1_010, FloorEvent::Tick);
    assert_eq!(offers(&actions), [("1", "ann")]);
}

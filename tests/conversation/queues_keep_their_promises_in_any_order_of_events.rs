//! The floor under random events in random order, late, doubled and contradictory. After every event:
//! 1. an agent has at most one call, a call at most one agent, and only free, able, logged-in agents are rung;
//! 2. nobody is served before someone who came before them, with the same or a higher priority, and whom the agent
//!    could have taken as well; who comes again, passed on or patient, comes where they first did, and whose agent
//!    vanished comes first;
//! 3. a call that left, or was given up, is never heard of again; one that is done frees its agent;
//! 4. every caller who waits is told their place, and the places are 1, 2, 3, ... in the order of service;
//! 5. nobody waits beyond the queue's limit, nor for agents of whom none is logged in;
//! 6. an agent who is rung is let go by the ring time-out, if nothing comes before it;
//! 7. who is occupied by another agent's transfer is not rung, and what rang there already is taken back.

use std::collections::{BTreeMap, BTreeSet};

use frontdesk::acd::{About, Agent, AgentState, Floor, FloorAction, FloorEvent, GiveUp, Queue};
use frontdesk::call::AgentFailure;
use frontdesk::dialog::Language;
use proptest::prelude::*;

const AGENTS: [(&str, &[&str], &[&str]); 4] = [
    ("ann", &["sales", "service"], &["cards"]),
    ("bob", &["service"], &[]),
    ("cleo", &["service"], &["cards", "fraud"]),
    ("dan", &["sales"], &[]),
];
const CALLS: usize = 5;
const FAILURES: [AgentFailure; 5] = [
    AgentFailure::NoAnswer,
    AgentFailure::Busy,
    AgentFailure::Unreachable,
    AgentFailure::LeftEarly,
    AgentFailure::NotWanted,
];

fn set(names: &[&str]) -> BTreeSet<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

fn floor() -> Floor {
    let agents = AGENTS.map(|(name, queues, skills)| Agent {
        name: name.into(),
        queues: set(queues),
        skills: skills.iter().map(|skill| ((*skill).to_owned(), 5)).collect(),
        languages: BTreeSet::new(),
    });
    let sales = Queue { max_wait_ms: 60_000, wrap_up_ms: 0, ..Queue::new("sales") };
    let service = Queue { max_calls: Some(3), ..Queue::new("service") };
    Floor::new(agents, [sales, service])
}

fn event() -> impl Strategy<Value = FloorEvent> {
    let agent = || (0..AGENTS.len()).prop_map(|i| AGENTS[i].0.to_owned());
    let call = || (0..CALLS).prop_map(|i| format!("call{i}"));
    let queue = || prop_oneof![Just("sales"), Just("service"), Just("service"), Just("nowhere")];
    let skills = prop_oneof![Just(vec![]), Just(vec!["cards".to_owned()]), Just(vec!["fraud".to_owned()])];
    prop_oneof![
        3 => agent().prop_map(|agent| FloorEvent::LoggedIn { agent }),
        1 => agent().prop_map(|agent| FloorEvent::LoggedOut { agent }),
        1 => agent().prop_map(|agent| FloorEvent::Paused { agent, reason: "break".into() }),
        1 => agent().prop_map(|agent| FloorEvent::Resumed { agent }),
        1 => agent().prop_map(|agent| FloorEvent::Vanished { agent }),
        6 => (call(), queue(), skills, -1..2_i32).prop_map(|(call, queue, skills, priority)| FloorEvent::Entered {
            call, queue: queue.into(), skills, language: Language::new("en"), priority, about: About::default(),
        }),
        2 => call().prop_map(|call| FloorEvent::Left { call }),
        4 => (call(), agent()).prop_map(|(call, agent)| FloorEvent::Taken { call, agent }),
        3 => (call(), agent(), 0..4_usize)
            .prop_map(|(call, agent, i)| FloorEvent::NotTaken { call, agent, failure: FAILURES[i] }),
        3 => (call(), agent()).prop_map(|(call, agent)| FloorEvent::Done { call, agent }),
        2 => (0..3, agent(), queue()).prop_map(|(leg, agent, queue)| FloorEvent::Occupied {
            leg: format!("leg{leg}"), agent, queue: Some(queue.to_owned()),
        }),
        3 => (0..3, agent()).prop_map(|(leg, agent)| FloorEvent::Unoccupied { leg: format!("leg{leg}"), agent }),
        3 => Just(FloorEvent::Tick),
    ]
}

/// What an onlooker knows: written apart from the floor's own books.
#[derive(Default)]
struct Onlooker {
    now: u64,
    entered: u64,
    calls: BTreeMap<String, Seen>,
    /// Calls that may come again, and when they first came.
    first_came: BTreeMap<String, u64>,
    logged_in: BTreeSet<String>,
    leaving: BTreeSet<String>,
    rung_since: BTreeMap<String, u64>,
    /// Agent and leg.
    occupied: BTreeSet<(String, String)>,
}

struct Seen {
    queue: String,
    skills: BTreeSet<String>,
    priority: i32,
    front: bool,
    seq: u64,
    since: u64,
    agent: Option<String>,
    place: Option<u32>,
}

impl Seen {
    fn rank(&self) -> (bool, i32, u64) {
        (!self.front, -self.priority, self.seq)
    }
}

fn able(agent: &str, call: &Seen) -> bool {
    let (_, queues, skills) = AGENTS.iter().find(|(name, ..)| *name == agent).unwrap();
    queues.contains(&call.queue.as_str()) && call.skills.iter().all(|skill| skills.contains(&skill.as_str()))
}

impl Onlooker {
    fn tell(&mut self, floor: &mut Floor, event: &FloorEvent) {
        // Rung by a colleague while the floor rings: nothing was missed.
        let spared = match event {
            FloorEvent::NotTaken { call, agent, .. } if self.is_occupied(agent) => {
                let theirs = self.calls.get(call).is_some_and(|seen| seen.agent.as_ref() == Some(agent));
                theirs.then_some(agent)
            }
            _ => None,
        };
        self.before(event);
        let free: BTreeSet<String> = AGENTS
            .iter()
            .map(|a| a.0.to_owned())
            .filter(|a| !self.calls.values().any(|c| c.agent.as_ref() == Some(a)) && !self.is_occupied(a))
            .collect();
        let actions = floor.handle(self.now, event.clone());
        for action in &actions {
            self.after(action, &free);
        }
        if let Some(agent) = spared {
            assert!(!matches!(floor.agent(agent), Some(AgentState::Resting { .. })), "{agent} has missed nothing");
        }
        self.settled(floor);
    }

    fn is_occupied(&self, agent: &str) -> bool {
        self.occupied.iter().any(|(occupied, _)| occupied == agent)
    }

    fn before(&mut self, event: &FloorEvent) {
        match event {
            FloorEvent::Occupied { leg, agent, .. } => {
                self.occupied.insert((agent.clone(), leg.clone()));
            }
            FloorEvent::Unoccupied { leg, agent } => {
                self.occupied.remove(&(agent.clone(), leg.clone()));
            }
            FloorEvent::LoggedIn { agent } => {
                self.logged_in.insert(agent.clone());
                self.leaving.remove(agent);
            }
            FloorEvent::LoggedOut { agent } | FloorEvent::Vanished { agent } => {
                self.logged_in.remove(agent);
            }
            FloorEvent::Entered { call, queue, skills, priority, .. } if !self.calls.contains_key(call) => {
                let entered = &mut self.entered;
                let seq = *self.first_came.entry(call.clone()).or_insert_with(|| {
                    *entered += 1;
                    *entered
                });
                let seen = Seen {
                    queue: queue.clone(),
                    skills: skills.iter().cloned().collect(),
                    priority: *priority,
                    front: false,
                    seq,
                    since: self.now,
                    agent: None,
                    place: None,
                };
                self.calls.insert(call.clone(), seen);
            }
            FloorEvent::Left { call } => {
                self.first_came.remove(call);
                if let Some(agent) = self.calls.remove(call).and_then(|seen| seen.agent) {
                    self.rung_since.remove(&agent);
                }
            }
            FloorEvent::Taken { call, agent }
                if self.calls.get(call).is_some_and(|seen| seen.agent.as_ref() == Some(agent)) =>
            {
                self.rung_since.remove(agent);
            }
            FloorEvent::NotTaken { call, agent, failure } => {
                if let Some(seen) = self.calls.get_mut(call)
                    && seen.agent.as_ref() == Some(agent)
                {
                    let talked = !self.rung_since.contains_key(agent);
                    seen.front |= talked && *failure == AgentFailure::Unreachable;
                    seen.agent = None;
                    seen.place = None;
                    self.rung_since.remove(agent);
                }
            }
            FloorEvent::Done { call, agent } => {
                let talking = self.calls.get(call).is_some_and(|seen| seen.agent.as_ref() == Some(agent));
                if talking && !self.rung_since.contains_key(agent) {
                    self.calls.remove(call);
                }
            }
            _ => {}
        }
    }

    fn after(&mut self, action: &FloorAction, free: &BTreeSet<String>) {
        match action {
            FloorAction::Offer { call, agent, brief } => {
                assert!(brief, "the queues brief");
                assert!(free.contains(agent), "{agent} has a call already");
                assert!(!self.calls.values().any(|seen| seen.agent.as_ref() == Some(agent)), "{agent} is rung twice");
                assert!(self.logged_in.contains(agent), "{agent} is not logged in");
                let seen = self.calls.get(call).expect("a call that left is rung for");
                assert!(seen.agent.is_none(), "{call} has an agent already");
                assert!(able(agent, seen), "{agent} cannot take {call}");
                let rank = seen.rank();
                for (other, waiting) in &self.calls {
                    let before = waiting.rank() < rank;
                    let passed_over = before && waiting.agent.is_none() && able(agent, waiting);
                    assert!(!passed_over, "{other} came before {call}, and {agent} could have taken it");
                }
                self.calls.get_mut(call).unwrap().agent = Some(agent.clone());
                self.rung_since.insert(agent.clone(), self.now);
            }
            // Gone in mid-conversation: the call has yet to say so.
            FloorAction::Withdraw { call, agent, failure: AgentFailure::Unreachable }
                if !self.rung_since.contains_key(agent) =>
            {
                assert_eq!(self.calls[call].agent.as_ref(), Some(agent), "{agent} did not talk to {call}");
                assert!(!self.logged_in.contains(agent), "{agent} is there");
            }
            FloorAction::Withdraw { call, agent, .. } => {
                assert_eq!(self.calls[call].agent.as_ref(), Some(agent), "{agent} was not rung for {call}");
                assert!(self.rung_since.remove(agent).is_some(), "{agent} is not being rung");
                // Until the call says what came of it the agent is nobody else's.
                self.rung_since.insert(agent.clone(), u64::MAX);
            }
            FloorAction::Waiting { call, position, .. } => {
                let seen = self.calls.get_mut(call).expect("a call that left is told its place");
                assert!(seen.agent.is_none());
                seen.place = Some(*position);
            }
            FloorAction::GiveUp { call, why } => {
                let seen = self.calls.remove(call).expect("a call that left is given up");
                assert!(seen.agent.is_none());
                let hopeless = !self.logged_in.iter().any(|agent| seen.queue != "nowhere" && able(agent, &seen));
                match why {
                    GiveUp::NobodyThere => assert!(hopeless, "somebody could take {call}"),
                    GiveUp::TooLong => {
                        assert!(self.now - seen.since >= if seen.queue == "sales" { 60_000 } else { 300_000 })
                    }
                    GiveUp::Full => {
                        let waiting =
                            self.calls.values().filter(|other| other.queue == seen.queue && other.agent.is_none());
                        // A call that an agent did not take keeps its place, so there may be more.
                        assert!(seen.queue == "service" && waiting.count() >= 3);
                    }
                    GiveUp::Closed | GiveUp::Voicemail => panic!("{call}: always open, and no voicemail"),
                }
            }
            FloorAction::Resting { missed, .. } => assert!(*missed >= 3),
            other => panic!("{other:?}: not in these queues"),
        }
    }

    fn settled(&self, floor: &Floor) {
        assert_eq!(floor.check(), Ok(()));
        for (name, ..) in AGENTS {
            let theirs: Vec<&String> = self
                .calls
                .iter()
                .filter(|(_, seen)| seen.agent.as_deref() == Some(name))
                .map(|(call, _)| call)
                .collect();
            match floor.agent(name).unwrap() {
                AgentState::Offered { call, .. } => {
                    assert_eq!(theirs, [call]);
                    assert!(self.rung_since.contains_key(name));
                    assert!(!self.is_occupied(name) || self.rung_since[name] == u64::MAX, "{name} is occupied");
                }
                AgentState::OnCall { call, .. } => {
                    assert_eq!(theirs, [call]);
                    assert!(!self.rung_since.contains_key(name));
                }
                AgentState::Available { .. } => {
                    assert!(theirs.is_empty());
                    assert!(self.logged_in.contains(name));
                    let could = self.calls.iter().find(|(_, seen)| seen.agent.is_none() && able(name, seen));
                    assert!(
                        could.is_none() || self.is_occupied(name),
                        "{name} is free while {} waits",
                        could.unwrap().0
                    );
                }
                _ => assert!(theirs.is_empty(), "{name} has {theirs:?}"),
            }
        }
        for queue in ["sales", "service"] {
            let mut waiting: Vec<&Seen> =
                self.calls.values().filter(|seen| seen.queue == queue && seen.agent.is_none()).collect();
            waiting.sort_by_key(|seen| seen.rank());
            let places: Vec<Option<u32>> = waiting.iter().map(|seen| seen.place).collect();
            let wanted: Vec<Option<u32>> = (1..=waiting.len() as u32).map(Some).collect();
            assert_eq!(places, wanted, "{queue}");
            for seen in waiting {
                assert!(self.now - seen.since < if queue == "sales" { 60_000 } else { 300_000 }, "waits too long");
                assert!(self.logged_in.iter().any(|agent| able(agent, seen)), "waits for nobody");
            }
        }
        for (agent, since) in &self.rung_since {
            assert!(*since == u64::MAX || self.now - since < 20_000, "{agent} rings for ever");
        }
        if let Some(deadline) = floor.next_deadline() {
            assert!(deadline > self.now, "a deadline has passed unnoticed");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 10_000, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn any_order_of_events(events in prop::collection::vec((event(), 0..15_000_u64), 1..60)) {
        let mut floor = floor();
        let mut onlooker = Onlooker::default();
        for (event, later) in events {
            onlooker.now += later;
            onlooker.tell(&mut floor, &event);
        }
        // Left alone, everyone is served or sent off, and nobody rings on.
        for (agent, leg) in onlooker.occupied.clone() {
            onlooker.tell(&mut floor, &FloorEvent::Unoccupied { leg, agent });
        }
        while let Some(deadline) = floor.next_deadline() {
            onlooker.now = deadline;
            onlooker.tell(&mut floor, &FloorEvent::Tick);
        }
        prop_assert!(onlooker.calls.values().all(|seen| seen.agent.is_some()));
    }
}

#[test]
fn a_day_of_a_thousand_calls_takes_no_time() {
    let agents = (0..50).map(|i| Agent { name: format!("a{i}"), queues: set(&["service"]), ..Agent::default() });
    let mut floor = Floor::new(agents, [Queue { max_wait_ms: 3_600_000, ..Queue::new("service") }]);
    for i in 0..50 {
        floor.handle(0, FloorEvent::LoggedIn { agent: format!("a{i}") });
    }
    let started = std::time::Instant::now();
    let (mut now, mut served, mut next_call) = (0_u64, 0, 0_u64);
    let mut talking: BTreeMap<(u64, String), String> = BTreeMap::new();
    let mut queue: Vec<FloorAction> = Vec::new();
    while served < 1_000 {
        let arrival = (next_call < 1_000).then_some(next_call * 2_000);
        let end = talking.keys().next().map(|(at, _)| *at);
        let tick = floor.next_deadline();
        now = [arrival, end, tick].into_iter().flatten().min().unwrap().max(now);
        if arrival.is_some_and(|at| at <= now) {
            let call = format!("c{next_call}");
            next_call += 1;
            let entered = FloorEvent::Entered {
                call,
                queue: "service".into(),
                skills: vec![],
                language: Language::new("en"),
                priority: 0,
                about: About::default(),
            };
            queue.extend(floor.handle(now, entered));
        } else if end.is_some_and(|at| at <= now) {
            let ((_, agent), call) = talking.pop_first().unwrap();
            served += 1;
            queue.extend(floor.handle(now, FloorEvent::Done { call, agent }));
        } else {
            queue.extend(floor.handle(now, FloorEvent::Tick));
        }
        while let Some(action) = queue.pop() {
            match action {
                FloorAction::Offer { call, agent, .. } => {
                    talking.insert((now + 90_000 + (call.len() as u64) * 7_000, agent.clone()), call.clone());
                    queue.extend(floor.handle(now, FloorEvent::Taken { call, agent }));
                }
                FloorAction::Waiting { .. } => {}
                other => panic!("{other:?}"),
            }
        }
    }
    println!("1000 calls, 50 agents: {:?}", started.elapsed());
    assert!(started.elapsed().as_secs() < 2);
}

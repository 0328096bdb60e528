//! Several calls, two agents and the floor, with every message between them delayed at random (in order from each
//! sender, as the engine's channels keep it): hang-up against answer, time-out against answer, log-out against ring.
//! An agent's phone never belongs to two calls, and in the end every agent is free and no call is left on the floor.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use crate::script;
use frontdesk::acd::{About, Agent, AgentState, Floor, FloorAction, FloorEvent, Queue};
use frontdesk::call::*;
use proptest::prelude::*;
use script::{MONDAY, flows};

const CALLS: usize = 4;
const AGENTS: [&str; 2] = ["ann", "bob"];

/// What the world does next.
#[derive(Clone, Debug)]
enum Move {
    /// The floor reads its next message.
    Floor,
    /// This call reads its next message.
    Call(usize),
    Answers(usize),
    AgentHangsUp(usize),
    Fails(usize),
    Briefed(usize),
    CallerHangsUp(usize),
    LogOut(usize),
    LogIn(usize),
    Time(u64),
}

fn moves() -> impl Strategy<Value = Move> {
    let call = 0..CALLS;
    let agent = 0..AGENTS.len();
    prop_oneof![
        8 => Just(Move::Floor),
        8 => call.clone().prop_map(Move::Call),
        4 => agent.clone().prop_map(Move::Answers),
        1 => agent.clone().prop_map(Move::AgentHangsUp),
        1 => agent.clone().prop_map(Move::Fails),
        4 => call.clone().prop_map(Move::Briefed),
        1 => call.prop_map(Move::CallerHangsUp),
        1 => agent.clone().prop_map(Move::LogOut),
        2 => agent.prop_map(Move::LogIn),
        3 => (100..12_000_u64).prop_map(Move::Time),
    ]
}

struct World {
    now: u64,
    floor: Floor,
    calls: Vec<Call>,
    to_floor: VecDeque<FloorEvent>,
    to_call: Vec<VecDeque<Event>>,
    timers: Vec<BTreeMap<TimerId, u64>>,
    /// Agent -> the call whose leg the phone is on.
    phones: BTreeMap<String, usize>,
    connections: u32,
}

impl World {
    fn new() -> Self {
        let agent = |name: &str| Agent {
            name: name.into(),
            queues: ["service".to_owned(), "cards".to_owned()].into(),
            skills: [("fraud".to_owned(), 5)].into(),
            ..Agent::default()
        };
        let mut world = Self {
            now: 0,
            floor: Floor::new(AGENTS.map(agent), [Queue::new("service"), Queue::new("cards")]),
            calls: Vec::new(),
            to_floor: AGENTS.map(|name| FloorEvent::LoggedIn { agent: name.into() }).into(),
            to_call: vec![VecDeque::new(); CALLS],
            timers: vec![BTreeMap::new(); CALLS],
            phones: BTreeMap::new(),
            connections: 0,
        };
        let flow = Arc::new(flows::bank());
        for id in 0..CALLS {
            world.calls.push(Call::new(flow.clone()));
            let (call, caller) = (id.to_string(), Caller::default());
            world.tell(id, Event::Arrived { call, caller, at: MONDAY.parse().unwrap() });
            let wish = Utterance { text: "agent".into(), confidence: 0.9, ..Utterance::default() };
            world.tell(id, Event::Heard(wish));
        }
        world
    }

    fn tell(&mut self, id: usize, event: Event) {
        for action in self.calls[id].handle(self.now, event) {
            match action {
                Action::SetTimer { timer, after_ms } => {
                    self.timers[id].insert(timer, self.now + after_ms);
                }
                Action::CancelTimer { timer } => {
                    self.timers[id].remove(&timer);
                }
                Action::Say { prompt, .. } => self.to_call[id].push_back(Event::Said { prompt, finished: true }),
                Action::Queue(request) => {
                    self.to_floor.push_back(FloorEvent::from_call(id.to_string(), request, About::default()))
                }
                Action::RingAgent { agent, .. } => {
                    let before = self.phones.insert(agent.clone(), id);
                    assert_eq!(before, None, "{agent}'s phone is rung for call {id} while it is another's");
                }
                Action::ReleaseAgent { agent } => assert_eq!(self.phones.remove(&agent), Some(id)),
                Action::Connect => self.connections += 1,
                _ => {}
            }
        }
    }

    fn tell_floor(&mut self, event: FloorEvent) {
        for action in self.floor.handle(self.now, event) {
            if let Some((call, event)) = FloorAction::into_call_event(action) {
                self.to_call[call.parse::<usize>().unwrap()].push_back(event);
            }
        }
    }

    fn pass(&mut self, ms: u64) {
        self.now += ms;
        while self.floor.next_deadline().is_some_and(|deadline| deadline <= self.now) {
            self.tell_floor(FloorEvent::Tick);
        }
        for id in 0..CALLS {
            let due: Vec<TimerId> =
                self.timers[id].iter().filter(|(_, at)| **at <= self.now).map(|(timer, _)| *timer).collect();
            for timer in due {
                if self.timers[id].remove(&timer).is_some() {
                    self.tell(id, Event::Timer { timer });
                }
            }
        }
    }

    /// An agent's phone speaks to the call it belongs to at once, as the leg's task does.
    fn phone(&mut self, agent: usize, event: impl Fn(String) -> Event) {
        if let Some(id) = self.phones.get(AGENTS[agent]).copied() {
            self.tell(id, event(AGENTS[agent].into()));
        }
    }

    fn make(&mut self, step: &Move) {
        match step {
            Move::Floor => {
                if let Some(event) = self.to_floor.pop_front() {
                    self.tell_floor(event);
                }
            }
            Move::Call(id) => {
                if let Some(event) = self.to_call[*id].pop_front() {
                    self.tell(*id, event);
                }
            }
            Move::Answers(agent) => self.phone(*agent, |_| Event::AgentAnswered),
            Move::AgentHangsUp(agent) => self.phone(*agent, |_| Event::AgentHungUp),
            Move::Fails(agent) => self.phone(*agent, |agent| Event::AgentFailed { agent, failure: AgentFailure::Busy }),
            Move::Briefed(id) => self.tell(*id, Event::Briefed),
            Move::CallerHangsUp(id) => self.tell(*id, Event::CallerHungUp),
            Move::LogOut(agent) => self.to_floor.push_back(FloorEvent::LoggedOut { agent: AGENTS[*agent].into() }),
            Move::LogIn(agent) => self.to_floor.push_back(FloorEvent::LoggedIn { agent: AGENTS[*agent].into() }),
            Move::Time(ms) => self.pass(*ms),
        }
    }

    fn deliver_all(&mut self) {
        while !self.to_floor.is_empty() || self.to_call.iter().any(|queue| !queue.is_empty()) {
            self.make(&Move::Floor);
            for id in 0..CALLS {
                self.make(&Move::Call(id));
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4_000, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn nobody_is_forgotten(moves in prop::collection::vec(moves(), 0..160)) {
        let mut world = World::new();
        for step in &moves {
            world.make(step);
        }
        world.deliver_all();
        // What the calls believe of their agents, the floor believes too.
        for (agent, id) in world.phones.clone() {
            match world.floor.agent(&agent).unwrap() {
                AgentState::Offered { call, .. } | AgentState::OnCall { call, .. } => prop_assert_eq!(call, &id.to_string()),
                other => prop_assert!(false, "{} rings or talks for call {}, the floor says {:?}", agent, id, other),
            }
        }
        for id in 0..CALLS {
            world.make(&Move::CallerHangsUp(id));
        }
        world.deliver_all();
        prop_assert!(world.phones.is_empty());
        for _ in 0..3 {
            world.pass(200_000); // wrap-up and rests are over
        }
        world.deliver_all();
        for agent in AGENTS {
            let state = world.floor.agent(agent).unwrap();
            prop_assert!(matches!(state, AgentState::Available { .. } | AgentState::Offline), "{} is {:?}", agent, state);
        }
        prop_assert!(world.calls.iter().all(Call::finished));
        prop_assert_eq!(world.floor.waiting("service").count(), 0);
    }
}

#[test]
fn left_to_themselves_two_agents_serve_four_callers() {
    let mut world = World::new();
    for _ in 0..400 {
        world.deliver_all();
        for agent in 0..AGENTS.len() {
            world.make(&Move::Answers(agent));
        }
        for id in 0..CALLS {
            world.make(&Move::Briefed(id));
        }
        world.make(&Move::Time(1_000));
        if world.now.is_multiple_of(60_000) {
            for agent in 0..AGENTS.len() {
                world.make(&Move::AgentHangsUp(agent));
            }
        }
    }
    assert_eq!(world.connections, CALLS as u32);
    assert!(world.calls.iter().all(Call::finished));
}

//! The floor: every agent, every queue, every call that waits, rings or talks.
//!
//! Rules. Higher priority first, then first come, first served; a call that the free agents cannot take does not
//! hold up the next. Of the agents who can take a call, the one idle longest; but who missed this very call comes
//! after those who did not. A miss means a short rest, three in a row a longer one. An agent has at most one call
//! and a call at most one agent, and only the pair's own events part them. Who is occupied by another agent's transfer
//! or call gets none meanwhile.

use std::collections::{BTreeMap, BTreeSet};

use super::wait::History;
use super::{FloorAction, FloorEvent, GiveUp};
use crate::call::{AgentFailure, CallId};
use crate::dialog::Language;

/// Who does not take a call is not rung again within this time.
const REST_MS: u64 = 10_000;
/// So many misses in a row, and the agent is presumed away,
const MISSES: u32 = 3;
/// for this long, unless they report back (`Resumed`).
const AWAY_MS: u64 = 120_000;

/// A person who takes calls.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Agent {
    pub name: String,
    pub queues: BTreeSet<String>,
    pub skills: BTreeSet<String>,
    /// Empty: every language.
    pub languages: BTreeSet<Language>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Queue {
    pub name: String,
    /// Needed besides those of the call.
    pub skills: BTreeSet<String>,
    /// How long one agent's phone rings.
    pub ring_timeout_ms: u64,
    /// How long a call may wait.
    pub max_wait_ms: u64,
    /// How long an agent stays free of calls after one.
    pub wrap_up_ms: u64,
    /// How many calls may wait; `None`: any number.
    pub max_calls: Option<usize>,
    /// The agent hears a briefing before the caller is put through.
    pub briefing: bool,
}

impl Queue {
    /// A queue with the usual limits: 20 s of ringing, 5 min of waiting, 5 s of wrap-up.
    pub fn new(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            skills: BTreeSet::new(),
            ring_timeout_ms: 20_000,
            max_wait_ms: 300_000,
            wrap_up_ms: 5_000,
            max_calls: None,
            briefing: true,
        }
    }
}

/// What an agent is doing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AgentState {
    Offline,
    Paused,
    /// Free since.
    Available {
        since_ms: u64,
    },
    /// The phone rings. `until_ms` is none once the offer was withdrawn and the call has yet to say what came of it.
    Offered {
        call: CallId,
        until_ms: Option<u64>,
    },
    OnCall {
        call: CallId,
        since_ms: u64,
    },
    WrapUp {
        until_ms: u64,
    },
    /// Missed a call, or several.
    Resting {
        until_ms: u64,
    },
}

struct Desk {
    agent: Agent,
    state: AgentState,
    /// Misses in a row.
    missed: u32,
    /// What comes after the call that is rung or talked: `None` for being available.
    after: Option<AgentState>,
    /// Legs that are not the floor's doing: since when, and the queue that their caller came by.
    occupied: BTreeMap<String, (u64, Option<String>)>,
}

/// A call on the floor, from entering its queue to the end of its conversation.
struct Waiting {
    queue: String,
    skills: BTreeSet<String>,
    language: Language,
    priority: i32,
    /// Order of arrival; kept when an agent did not take the call.
    seq: u64,
    deadline_ms: u64,
    /// Agent -> times they did not take this call.
    missed: BTreeMap<String, u32>,
    /// Rung or talking.
    agent: Option<String>,
    /// The place last told.
    told: Option<u32>,
}

/// All queues and agents of one engine.
pub struct Floor {
    desks: BTreeMap<String, Desk>,
    queues: BTreeMap<String, Queue>,
    calls: BTreeMap<CallId, Waiting>,
    /// Calls without an agent, in the order they are served.
    order: BTreeMap<Rank, CallId>,
    histories: BTreeMap<String, History>,
    now_ms: u64,
    entered: u64,
    actions: Vec<FloorAction>,
}

/// Priority downwards, then order of arrival.
type Rank = (i64, u64);

impl Floor {
    /// A floor on which nobody is logged in.
    pub fn new(agents: impl IntoIterator<Item = Agent>, queues: impl IntoIterator<Item = Queue>) -> Self {
        Self {
            desks: agents.into_iter().map(|agent| (agent.name.clone(), Desk::new(agent))).collect(),
            queues: queues.into_iter().map(|queue| (queue.name.clone(), queue)).collect(),
            calls: BTreeMap::new(),
            order: BTreeMap::new(),
            histories: BTreeMap::new(),
            now_ms: 0,
            entered: 0,
            actions: Vec::new(),
        }
    }

    /// Tells the floor what happened and when (milliseconds, any origin, never backwards); it answers what to do.
    pub fn handle(&mut self, now_ms: u64, event: FloorEvent) -> Vec<FloorAction> {
        self.now_ms = self.now_ms.max(now_ms);
        match event {
            FloorEvent::LoggedIn { agent } => self.logged_in(&agent),
            FloorEvent::LoggedOut { agent } => self.away(&agent, AgentState::Offline),
            FloorEvent::Paused { agent } => self.away(&agent, AgentState::Paused),
            FloorEvent::Resumed { agent } => self.resumed(&agent),
            FloorEvent::Entered { call, queue, skills, language, priority } => {
                self.entered(call, queue, skills, language, priority);
            }
            FloorEvent::Raised { call, priority } => self.raised(&call, priority),
            FloorEvent::Left { call } => self.left(&call),
            FloorEvent::Taken { call, agent } => self.taken(&call, &agent),
            FloorEvent::NotTaken { call, agent, failure } => self.not_taken(&call, &agent, failure),
            FloorEvent::Done { call, agent } => self.done(&call, &agent),
            FloorEvent::Occupied { leg, agent, queue } => self.occupied(leg, &agent, queue),
            FloorEvent::Unoccupied { leg, agent } => self.unoccupied(&leg, &agent),
            FloorEvent::Reconfigured { agents, queues } => self.reconfigured(agents, queues),
            FloorEvent::Tick => {}
        }
        self.deadlines(); // after the event: an answer in the last moment counts
        self.give_up();
        self.assign();
        self.tell_positions();
        std::mem::take(&mut self.actions)
    }

    fn reconfigured(&mut self, agents: Vec<Agent>, queues: Vec<Queue>) {
        let gone: Vec<String> =
            self.desks.keys().filter(|name| !agents.iter().any(|agent| agent.name == **name)).cloned().collect();
        for name in gone {
            self.away(&name, AgentState::Offline);
            if self.desks.get(&name).is_some_and(|desk| desk.state == AgentState::Offline) {
                self.desks.remove(&name);
            }
        }
        for agent in agents {
            match self.desks.get_mut(&agent.name) {
                Some(desk) => desk.agent = agent,
                None => drop(self.desks.insert(agent.name.clone(), Desk::new(agent))),
            }
        }
        self.queues = queues.into_iter().map(|queue| (queue.name.clone(), queue)).collect();
    }

    /// When the floor wants a `Tick` at the latest, in the time of `handle`.
    pub fn next_deadline(&self) -> Option<u64> {
        let agents = self.desks.values().filter_map(|desk| match &desk.state {
            AgentState::Offered { until_ms, .. } => *until_ms,
            AgentState::WrapUp { until_ms } | AgentState::Resting { until_ms } => Some(*until_ms),
            _ => None,
        });
        let waiting = self.order.values().filter_map(|call| self.calls.get(call));
        agents.chain(waiting.map(|call| call.deadline_ms)).min()
    }

    /// What an agent is doing; `None` for a stranger.
    pub fn agent(&self, name: &str) -> Option<&AgentState> {
        self.desks.get(name).map(|desk| &desk.state)
    }

    /// Calls waiting in a queue, in the order they are served.
    pub fn waiting<'a>(&'a self, queue: &'a str) -> impl Iterator<Item = &'a CallId> {
        self.order.values().filter(move |call| self.calls.get(*call).is_some_and(|call| call.queue == queue))
    }

    fn deadlines(&mut self) {
        let now = self.now_ms;
        for (name, desk) in &mut self.desks {
            match &mut desk.state {
                AgentState::Offered { call, until_ms } if until_ms.is_some_and(|until| until <= now) => {
                    *until_ms = None;
                    let (call, agent) = (call.clone(), name.clone());
                    self.actions.push(FloorAction::Withdraw { call, agent, failure: AgentFailure::NoAnswer });
                }
                AgentState::WrapUp { until_ms } | AgentState::Resting { until_ms } if *until_ms <= now => {
                    desk.state = AgentState::Available { since_ms: *until_ms };
                }
                _ => {}
            }
        }
    }

    fn logged_in(&mut self, agent: &str) {
        let now = self.now_ms;
        let Some(desk) = self.desks.get_mut(agent) else { return };
        if desk.after == Some(AgentState::Offline) {
            desk.after = None; // gone and back during one call
        }
        if desk.state == AgentState::Offline {
            desk.state = AgentState::Available { since_ms: now };
            desk.missed = 0;
        }
    }

    fn resumed(&mut self, agent: &str) {
        let now = self.now_ms;
        let Some(desk) = self.desks.get_mut(agent) else { return };
        desk.missed = 0;
        if desk.after == Some(AgentState::Paused) {
            desk.after = None;
        }
        if matches!(desk.state, AgentState::Paused | AgentState::WrapUp { .. } | AgentState::Resting { .. }) {
            desk.state = AgentState::Available { since_ms: now };
        }
    }

    /// Logged out or paused: at once when free, after the call when not. A phone that rings stops.
    fn away(&mut self, agent: &str, state: AgentState) {
        let Some(desk) = self.desks.get_mut(agent) else { return };
        if state == AgentState::Paused && (desk.state == AgentState::Offline || desk.after == Some(AgentState::Offline))
        {
            return; // who is not there does not pause
        }
        match &mut desk.state {
            AgentState::OnCall { .. } => desk.after = Some(state),
            AgentState::Offered { call, until_ms } => {
                if until_ms.take().is_some() {
                    let (call, agent) = (call.clone(), agent.to_owned());
                    self.actions.push(FloorAction::Withdraw { call, agent, failure: AgentFailure::Unreachable });
                }
                desk.after = Some(state);
            }
            now => *now = state,
        }
    }

    fn entered(&mut self, call: CallId, queue: String, skills: Vec<String>, language: Language, priority: i32) {
        if self.calls.contains_key(&call) {
            return; // a call is in one queue at a time
        }
        let Some(configured) = self.queues.get(&queue) else {
            // `config` admits no transfer to a queue that is not there.
            return self.actions.push(FloorAction::GiveUp { call, why: GiveUp::NobodyThere });
        };
        let waiting = self.waiting(&queue).count();
        if configured.max_calls.is_some_and(|most| waiting >= most) {
            return self.actions.push(FloorAction::GiveUp { call, why: GiveUp::Full });
        }
        self.entered += 1;
        let waiting = Waiting {
            skills: skills.into_iter().chain(configured.skills.iter().cloned()).collect(),
            language,
            priority,
            seq: self.entered,
            deadline_ms: self.now_ms.saturating_add(configured.max_wait_ms),
            missed: BTreeMap::new(),
            agent: None,
            told: None,
            queue,
        };
        self.order.insert(waiting.rank(), call.clone());
        self.calls.insert(call, waiting);
    }

    /// A call that is rung or talks keeps its new priority for the case that it comes back.
    fn raised(&mut self, call: &str, priority: i32) {
        let Some(waiting) = self.calls.get_mut(call) else { return };
        let waits = self.order.remove(&waiting.rank()).is_some();
        waiting.priority = priority;
        if waits {
            self.order.insert(waiting.rank(), call.to_owned());
        }
    }

    /// The call is gone, and with it whatever it had.
    fn left(&mut self, call: &str) {
        let Some(waiting) = self.calls.remove(call) else { return };
        self.order.remove(&waiting.rank());
        if let Some(agent) = waiting.agent {
            self.free(&agent, &waiting.queue, false);
        }
    }

    fn taken(&mut self, call: &str, agent: &str) {
        let now = self.now_ms;
        let Some(desk) = self.desks.get_mut(agent) else { return };
        if matches!(&desk.state, AgentState::Offered { call: offered, .. } if offered == call) {
            desk.state = AgentState::OnCall { call: call.to_owned(), since_ms: now };
            desk.missed = 0;
        }
    }

    /// The call goes back to its place in the queue. (`LeftEarly` after answering is a miss like any other; who was rung by
    /// a colleague meanwhile has missed nothing.)
    fn not_taken(&mut self, call: &str, agent: &str, _failure: AgentFailure) {
        let Some(waiting) = self.calls.get_mut(call) else { return };
        if waiting.agent.as_deref() != Some(agent) {
            return;
        }
        waiting.agent = None;
        waiting.told = None;
        let missed = self.desks.get(agent).is_none_or(|desk| desk.occupied.is_empty());
        *waiting.missed.entry(agent.to_owned()).or_default() += u32::from(missed);
        self.order.insert(waiting.rank(), call.to_owned());
        let queue = waiting.queue.clone();
        self.free(agent, &queue, missed);
    }

    fn done(&mut self, call: &str, agent: &str) {
        if matches!(self.agent(agent), Some(AgentState::OnCall { call: talked, .. }) if talked == call) {
            self.left(call);
        }
    }

    /// The agent is busy without the floor's doing. What is offered meanwhile is taken back.
    fn occupied(&mut self, leg: String, agent: &str, queue: Option<String>) {
        let now = self.now_ms;
        let Some(desk) = self.desks.get_mut(agent) else { return };
        desk.occupied.insert(leg, (now, queue));
        if let AgentState::Offered { call, until_ms } = &mut desk.state
            && until_ms.take().is_some()
        {
            let (call, agent) = (call.clone(), agent.to_owned());
            self.actions.push(FloorAction::Withdraw { call, agent, failure: AgentFailure::Busy });
        }
    }

    fn unoccupied(&mut self, leg: &str, agent: &str) {
        let now = self.now_ms;
        let Some(desk) = self.desks.get_mut(agent) else { return };
        let Some((since, queue)) = desk.occupied.remove(leg) else { return };
        let queue = queue.and_then(|queue| self.queues.get(&queue));
        if let Some(queue) = queue {
            let history = self.histories.entry(queue.name.clone()).or_default();
            history.add(now, now.saturating_sub(since) + queue.wrap_up_ms);
        }
        if desk.available() {
            desk.state = match queue.map_or(0, |queue| queue.wrap_up_ms) {
                0 => AgentState::Available { since_ms: now },
                wrap_up => AgentState::WrapUp { until_ms: now + wrap_up },
            };
        }
    }

    /// The agent is rid of a call of this queue; `missed` by not taking it.
    fn free(&mut self, agent: &str, queue: &str, missed: bool) {
        let now = self.now_ms;
        let wrap_up = self.queues.get(queue).map_or(0, |queue| queue.wrap_up_ms);
        let Some(desk) = self.desks.get_mut(agent) else { return };
        let next = match desk.state {
            _ if missed => {
                desk.missed += 1;
                let mut rest = REST_MS;
                if desk.missed >= MISSES {
                    rest = AWAY_MS;
                    self.actions.push(FloorAction::Resting { agent: agent.to_owned(), missed: desk.missed });
                }
                AgentState::Resting { until_ms: now + rest }
            }
            AgentState::OnCall { since_ms, .. } => {
                let history = self.histories.entry(queue.to_owned()).or_default();
                history.add(now, now.saturating_sub(since_ms) + wrap_up);
                match wrap_up {
                    0 => AgentState::Available { since_ms: now },
                    _ => AgentState::WrapUp { until_ms: now + wrap_up },
                }
            }
            _ => AgentState::Available { since_ms: now },
        };
        desk.state = desk.after.take().unwrap_or(next);
    }

    /// Calls that waited too long, or that nobody could ever take.
    fn give_up(&mut self) {
        let mut out = Vec::new();
        for id in self.order.values() {
            let Some(call) = self.calls.get(id) else { continue };
            let served = self.queues.contains_key(&call.queue);
            if !served || !self.desks.values().any(|desk| desk.logged_in() && desk.can_take(call)) {
                out.push((id.clone(), GiveUp::NobodyThere));
            } else if call.deadline_ms <= self.now_ms {
                out.push((id.clone(), GiveUp::TooLong));
            }
        }
        for (call, why) in out {
            self.left(&call);
            self.actions.push(FloorAction::GiveUp { call, why });
        }
    }

    /// Gives every call that can have one an agent.
    fn assign(&mut self) {
        if !self.desks.values().any(Desk::available) {
            return;
        }
        let mut offered = Vec::new();
        for (rank, id) in &self.order {
            let Some(call) = self.calls.get_mut(id) else { continue };
            let free = self.desks.values_mut().filter(|desk| desk.available() && desk.can_take(call));
            let best = free.min_by_key(|desk| {
                let missed = call.missed.get(&desk.agent.name).copied().unwrap_or(0);
                (missed, desk.idle_since())
            });
            let Some(desk) = best else { continue };
            let queue = self.queues.get(&call.queue);
            let until = self.now_ms + queue.map_or(0, |queue| queue.ring_timeout_ms);
            desk.state = AgentState::Offered { call: id.clone(), until_ms: Some(until) };
            let agent = desk.agent.name.clone();
            call.agent = Some(agent.clone());
            offered.push(*rank);
            let brief = queue.is_none_or(|queue| queue.briefing);
            self.actions.push(FloorAction::Offer { call: id.clone(), agent, brief });
        }
        for rank in offered {
            self.order.remove(&rank);
        }
    }

    /// Tells each call whose place changed.
    fn tell_positions(&mut self) {
        let mut places: BTreeMap<&str, u32> = BTreeMap::new();
        let mut changed = Vec::new();
        for id in self.order.values() {
            let Some(call) = self.calls.get(id) else { continue };
            let place = places.entry(&call.queue).or_default();
            *place += 1;
            if call.told != Some(*place) {
                changed.push((id.clone(), *place, call.queue.clone()));
            }
        }
        for (id, position, queue) in changed {
            let serving = self.desks.values().filter(|desk| desk.serves(&queue)).count();
            let history = self.histories.get(&queue);
            let estimate_s = history.and_then(|history| history.estimate(self.now_ms, position, serving));
            if let Some(call) = self.calls.get_mut(&id) {
                call.told = Some(position);
            }
            self.actions.push(FloorAction::Waiting { call: id, position, estimate_s });
        }
    }
}

impl Waiting {
    fn rank(&self) -> Rank {
        (-i64::from(self.priority), self.seq)
    }
}

impl Desk {
    fn new(agent: Agent) -> Self {
        Self { agent, state: AgentState::Offline, missed: 0, after: None, occupied: BTreeMap::new() }
    }

    fn available(&self) -> bool {
        matches!(self.state, AgentState::Available { .. }) && self.occupied.is_empty()
    }

    fn logged_in(&self) -> bool {
        self.state != AgentState::Offline && self.after != Some(AgentState::Offline)
    }

    fn idle_since(&self) -> u64 {
        match self.state {
            AgentState::Available { since_ms } => since_ms,
            _ => u64::MAX,
        }
    }

    fn can_take(&self, call: &Waiting) -> bool {
        self.agent.queues.contains(&call.queue)
            && call.skills.is_subset(&self.agent.skills)
            && (self.agent.languages.is_empty() || self.agent.languages.contains(&call.language))
    }

    /// At work in this queue.
    fn serves(&self, queue: &str) -> bool {
        self.agent.queues.contains(queue) && self.logged_in() && self.state != AgentState::Paused
    }
}

//! The floor: every agent, every queue, every call that waits, rings or talks.
//!
//! Rules. Higher priority first, then first come, first served; a call that the free agents cannot take does not
//! hold up the next. Of the agents who can take a call, the one of the queue's strategy; but who missed this very call
//! comes after those who did not. A miss means a short rest, three in a row a longer one. An agent has at most one call
//! and a call at most one agent who talks, and only the pair's own events part them. Who is occupied by another agent's
//! transfer or call gets none meanwhile.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::hash::{Hash, Hasher};

use super::desk::{Agent, AgentState, Desk};
use super::ticket::{Rank, Ticket};
use super::wait::History;
use super::{About, FloorAction, FloorEvent, GiveUp, NoCallback, Outlet, Queue, Reason, Rules, When, choose};
use crate::call::{AgentFailure, CallId};
use crate::dialog::Language;

/// Who does not take a call is not rung again within this time.
const REST_MS: u64 = 10_000;
/// A call whose caller is busy with something else is given no agent within this time; its agents take others.
const LATER_MS: u64 = 1_000;
/// So many misses in a row, and the agent is presumed away,
const MISSES: u32 = 3;
/// for this long, unless they report back (`Resumed`).
const AWAY_MS: u64 = 120_000;
/// Calls that left the floor without leaving us (transferred, given up) whose arrival is remembered, and callers whose
/// last agent is.
const REMEMBERED: usize = 10_000;

/// All queues and agents of one engine.
#[derive(Clone, Debug, PartialEq)]
pub struct Floor {
    pub(super) desks: BTreeMap<String, Desk>,
    pub(super) queues: BTreeMap<String, Queue>,
    pub(super) rules: Rules,
    /// Queues outside their opening hours.
    pub(super) closed: BTreeSet<String>,
    /// Queues whose callers are not to be called back now.
    pub(super) quiet: BTreeSet<String>,
    pub(super) calls: BTreeMap<CallId, Ticket>,
    /// Calls without an agent, in the order they are served.
    pub(super) order: BTreeMap<Rank, CallId>,
    histories: BTreeMap<String, History>,
    /// Place and time of arrival of calls that may come again, and those calls, oldest first.
    arrivals: BTreeMap<CallId, (u64, u64)>,
    departed: VecDeque<CallId>,
    /// Caller -> the agent they had last, and when.
    known: BTreeMap<String, (String, u64)>,
    pub(super) now_ms: u64,
    entered: u64,
    pub(super) actions: Vec<FloorAction>,
}

impl Floor {
    /// A floor on which nobody is logged in.
    pub fn new(agents: impl IntoIterator<Item = Agent>, queues: impl IntoIterator<Item = Queue>) -> Self {
        Self {
            desks: agents.into_iter().map(|agent| (agent.name.clone(), Desk::new(agent))).collect(),
            queues: queues.into_iter().map(|queue| (queue.name.clone(), queue)).collect(),
            rules: Rules::default(),
            closed: BTreeSet::new(),
            quiet: BTreeSet::new(),
            calls: BTreeMap::new(),
            order: BTreeMap::new(),
            histories: BTreeMap::new(),
            arrivals: BTreeMap::new(),
            departed: VecDeque::new(),
            known: BTreeMap::new(),
            now_ms: 0,
            entered: 0,
            actions: Vec::new(),
        }
    }

    /// The same floor, with these rules.
    pub fn with_rules(mut self, rules: Rules) -> Self {
        self.rules = rules;
        self
    }

    /// Tells the floor what happened and when (milliseconds, any origin, never backwards); it answers what to do.
    pub fn handle(&mut self, now_ms: u64, event: FloorEvent) -> Vec<FloorAction> {
        self.now_ms = self.now_ms.max(now_ms);
        match event {
            FloorEvent::LoggedIn { agent } => self.logged_in(&agent),
            FloorEvent::LoggedOut { agent } => self.away(&agent, AgentState::Offline),
            FloorEvent::Vanished { agent } => self.vanished(&agent),
            FloorEvent::Paused { agent, reason } => self.away(&agent, AgentState::Paused { reason }),
            FloorEvent::Resumed { agent } => self.resumed(&agent),
            FloorEvent::Entered { call, queue, skills, language, priority, about } => {
                self.entered(call, queue, skills, language, priority, about);
            }
            FloorEvent::Raised { call, priority } => self.rerank(&call, |ticket| ticket.priority = priority),
            FloorEvent::Escalated { call, reason } => self.escalated(&call, reason),
            FloorEvent::Left { call } => self.left(&call),
            FloorEvent::Taken { call, agent } => self.taken(&call, &agent),
            FloorEvent::NotTaken { call, agent, failure } => self.not_taken(&call, &agent, failure),
            FloorEvent::Done { call, agent } => self.done(&call, &agent),
            FloorEvent::CallbackAgreed { call } => self.callback_agreed(&call),
            FloorEvent::CallbackEntered { call, queue, skills, language, priority, about, attempts, left_ms } => {
                match self.calls.get(&call) {
                    Some(ticket) if !ticket.is_callback() => self.callback_agreed(&call),
                    Some(_) => self.tell_kept(&call), // agreed on once more, with another number
                    None => {
                        let ticket = self.ticket(&call, skills, language, priority, about);
                        self.callback_entered(call, &queue, ticket, attempts, left_ms);
                    }
                }
            }
            FloorEvent::CallbackHours { queue, open: true } => drop(self.quiet.remove(&queue)),
            FloorEvent::CallbackHours { queue, open: false } => drop(self.quiet.insert(queue)),
            FloorEvent::CallbackAnswered { call } => self.callback_answered(&call),
            FloorEvent::CallbackFailed { call } => self.callback_failed(&call),
            FloorEvent::CallbackCancelled { call } => self.callback_cancelled(&call),
            FloorEvent::Hours { queue, open: true } => drop(self.closed.remove(&queue)),
            FloorEvent::Hours { queue, open: false } => drop(self.closed.insert(queue)),
            FloorEvent::Expected { queue, handling_ms } => {
                self.histories.entry(queue).or_default().expect(handling_ms);
            }
            FloorEvent::Occupied { leg, agent, queue } => self.occupied(leg, &agent, queue),
            FloorEvent::Unoccupied { leg, agent } => self.unoccupied(&leg, &agent),
            FloorEvent::Reconfigured { agents, queues, rules } => self.reconfigured(agents, queues, rules),
            FloorEvent::Tick => {}
        }
        self.deadlines(); // after the event: an answer in the last moment counts
        self.overflow();
        self.give_up();
        self.assign();
        self.tell_positions();
        std::mem::take(&mut self.actions)
    }

    /// When the floor wants a `Tick` at the latest, in the time of `handle`.
    pub fn next_deadline(&self) -> Option<u64> {
        let agents = self.desks.values().filter_map(|desk| match &desk.state {
            AgentState::Offered { until_ms, .. } => *until_ms,
            AgentState::WrapUp { until_ms }
            | AgentState::Resting { until_ms }
            | AgentState::Reserved { until_ms, .. } => Some(*until_ms),
            _ => None,
        });
        let waiting = self.order.values().filter_map(|call| self.calls.get(call));
        agents.chain(waiting.filter_map(|call| self.deadline(call))).min()
    }

    /// When something is to be done about a call that waits.
    fn deadline(&self, call: &Ticket) -> Option<u64> {
        if let Some(callback) = &call.callback {
            return Some(if callback.due_ms > self.now_ms { callback.due_ms } else { callback.until_ms });
        }
        let kept = call.sticky.as_ref().map(|(_, until)| *until).filter(|until| *until > self.now_ms);
        let overflow = self.queues.get(&call.queue).into_iter().flat_map(|queue| queue.overflow.iter().enumerate());
        let overflow = overflow.filter(|(i, _)| !call.overflowed.contains(i)).filter_map(|(_, rule)| match rule.when {
            When::Waited(ms) => Some(call.entered_ms.saturating_add(ms)),
            _ => None,
        });
        let later = Some(call.later_ms).filter(|later| *later > self.now_ms);
        overflow.chain(kept).chain(later).chain([call.deadline_ms]).min()
    }

    /// What an agent is doing; `None` for a stranger.
    pub fn agent(&self, name: &str) -> Option<&AgentState> {
        self.desks.get(name).map(|desk| &desk.state)
    }

    /// Calls waiting in a queue, in the order they are served.
    pub fn waiting<'a>(&'a self, queue: &'a str) -> impl Iterator<Item = &'a CallId> {
        self.order.values().filter(move |call| self.calls.get(*call).is_some_and(|call| call.queue == queue))
    }

    /// Within the queue's opening hours.
    pub fn is_open(&self, queue: &str) -> bool {
        !self.closed.contains(queue)
    }

    /// What a conversation of this queue keeps its agent, wrap-up included, as the announcements have it; for staffing.
    pub fn handling_ms(&self, queue: &str) -> Option<u64> {
        self.histories.get(queue).and_then(|history| history.handling_ms(self.now_ms))
    }

    fn reconfigured(&mut self, agents: Vec<Agent>, queues: Vec<Queue>, rules: Rules) {
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
        self.rules = rules;
        let waiting: Vec<CallId> = std::mem::take(&mut self.order).into_values().collect();
        for id in waiting {
            if let Some(call) = self.calls.get(&id) {
                self.order.insert(call.rank(&self.rules), id);
            }
        }
    }

    fn deadlines(&mut self) {
        let now = self.now_ms;
        let mut dialled = Vec::new();
        for (name, desk) in &mut self.desks {
            match &mut desk.state {
                AgentState::Offered { call, until_ms } if until_ms.is_some_and(|until| until <= now) => {
                    *until_ms = None;
                    let (call, agent) = (call.clone(), name.clone());
                    self.actions.push(FloorAction::Withdraw { call, agent, failure: AgentFailure::NoAnswer });
                }
                AgentState::Reserved { until_ms, .. } if *until_ms <= now => dialled.push(name.clone()),
                AgentState::WrapUp { until_ms } | AgentState::Resting { until_ms } if *until_ms <= now => {
                    let since_ms = *until_ms;
                    desk.turn(since_ms, AgentState::Available { since_ms });
                }
                _ => {}
            }
        }
        for agent in dialled {
            self.stop_dialling(&agent, true);
        }
    }

    fn logged_in(&mut self, agent: &str) {
        let now = self.now_ms;
        let Some(desk) = self.desks.get_mut(agent) else { return };
        if desk.after == Some(AgentState::Offline) {
            desk.after = None; // gone and back during one call
        }
        if desk.state == AgentState::Offline {
            desk.turn(now, AgentState::Available { since_ms: now });
            desk.missed = 0;
        }
    }

    fn resumed(&mut self, agent: &str) {
        let now = self.now_ms;
        let Some(desk) = self.desks.get_mut(agent) else { return };
        desk.missed = 0;
        if desk.after.as_ref().is_some_and(AgentState::paused) {
            desk.after = None;
        }
        if matches!(desk.state, AgentState::Paused { .. } | AgentState::WrapUp { .. } | AgentState::Resting { .. }) {
            desk.turn(now, AgentState::Available { since_ms: now });
        }
    }

    /// Logged out or paused: at once when free, after the call when not. A phone that rings stops.
    fn away(&mut self, agent: &str, state: AgentState) {
        let now = self.now_ms;
        self.stop_dialling(agent, false);
        self.stop_ringing(agent, AgentFailure::Unreachable);
        let Some(desk) = self.desks.get_mut(agent) else { return };
        if state.paused() && !desk.logged_in() {
            return; // who is not there does not pause
        }
        match &desk.state {
            AgentState::OnCall { .. } | AgentState::Offered { .. } => desk.after = Some(state),
            _ => desk.turn(now, state),
        }
    }

    /// The call is told that its agent is gone; it says `NotTaken` and goes to the front.
    fn vanished(&mut self, agent: &str) {
        self.away(agent, AgentState::Offline);
        if let Some(AgentState::OnCall { call, .. }) = self.agent(agent) {
            let (call, agent) = (call.clone(), agent.to_owned());
            self.actions.push(FloorAction::Withdraw { call, agent, failure: AgentFailure::Unreachable });
        }
    }

    pub(super) fn stop_ringing(&mut self, agent: &str, failure: AgentFailure) {
        let Some(desk) = self.desks.get_mut(agent) else { return };
        if let AgentState::Offered { call, until_ms } = &mut desk.state
            && until_ms.take().is_some()
        {
            let (call, agent) = (call.clone(), agent.to_owned());
            self.actions.push(FloorAction::Withdraw { call, agent, failure });
        }
    }

    fn entered(
        &mut self,
        call: CallId,
        queue: String,
        skills: Vec<String>,
        language: Language,
        priority: i32,
        about: About,
    ) {
        match self.calls.get(&call) {
            None => {}
            Some(ticket) if !ticket.is_callback() => return, // a call is in one queue at a time
            Some(ticket) => {
                // It was to be called back, is still on the line, and wants a person now.
                if ticket.callback.as_ref().is_some_and(|callback| callback.dialling) {
                    self.actions.push(FloorAction::StopDialling { call: call.clone() });
                }
                self.end_callback(&call, NoCallback::NotOffered);
            }
        }
        let now = self.now_ms;
        let mut ticket = self.ticket(&call, skills, language, priority, About { agent: None, ..about.clone() });
        let (seq, arrived_ms) = (ticket.seq, ticket.arrived_ms);
        let (settings, reason) = match (self.route(&ticket), self.place(&queue)) {
            (Some((reason, settings)), _) => (settings, Some(reason)),
            (None, Ok(settings)) => (settings, None),
            (None, Err(why)) => {
                self.remember(&call, (seq, arrived_ms));
                return self.actions.push(FloorAction::GiveUp { call, why });
            }
        };
        ticket.enter(settings, now);
        if let Some(sticky) = settings.sticky {
            let last = ticket.caller.as_ref().and_then(|caller| self.known.get(caller));
            let last = last.filter(|(_, at)| now.saturating_sub(*at) <= sticky.within_ms).map(|(agent, _)| agent);
            let agent = about.agent.or_else(|| last.cloned());
            ticket.sticky = agent.map(|agent| (agent, now.saturating_add(sticky.hold_ms)));
        }
        if ticket.queue != queue {
            let to = ticket.queue.clone();
            self.actions.push(FloorAction::Moved { call: call.clone(), to, reason });
        }
        self.order.insert(ticket.rank(&self.rules), call.clone());
        self.calls.insert(call, ticket);
    }

    /// A call that is in no queue yet.
    fn ticket(&mut self, call: &str, skills: Vec<String>, language: Language, priority: i32, about: About) -> Ticket {
        let now = self.now_ms;
        let (seq, arrived_ms) = self.arrivals.get(call).copied().unwrap_or_else(|| {
            self.entered += 1;
            (self.entered, now)
        });
        Ticket {
            queue: String::new(),
            also: BTreeSet::new(),
            wants: skills.into_iter().collect(),
            skills: BTreeMap::new(),
            language,
            priority,
            reasons: about.reasons,
            caller: about.caller,
            seq,
            arrived_ms,
            entered_ms: now,
            deadline_ms: 0,
            later_ms: 0,
            front: false,
            missed: BTreeMap::new(),
            rung: BTreeSet::new(),
            agent: None,
            told: None,
            overflowed: BTreeSet::new(),
            sticky: None,
            callback: None,
        }
    }

    /// The queue where a call that comes to this one now waits.
    fn place(&self, queue: &str) -> Result<&Queue, GiveUp> {
        let mut queue = queue;
        let mut seen = BTreeSet::new();
        loop {
            // `config` admits no transfer to a queue that is not there.
            let settings = self.queues.get(queue).ok_or(GiveUp::NobodyThere)?;
            let waiting = self.waiting(queue).count();
            let closed = self.closed.contains(queue);
            let full = settings.max_calls.is_some_and(|most| waiting >= most);
            let rule = settings.overflow.iter().find(|rule| match rule.when {
                When::Closed => closed && rule.to != Outlet::Callback,
                When::Length(calls) => waiting >= calls && rule.to != Outlet::Callback,
                _ => false,
            });
            match rule.map(|rule| &rule.to) {
                Some(Outlet::Voicemail) => return Err(GiveUp::Voicemail),
                // Round and round: where it is refused by none it stays.
                Some(Outlet::Queue(to)) if seen.insert(queue) && self.queues.contains_key(to) => queue = to,
                _ if closed => return Err(GiveUp::Closed),
                _ if full => return Err(GiveUp::Full),
                _ => return Ok(settings),
            }
        }
    }

    /// Where a call belongs for its reasons, if it is open and somebody is there. Fraud before complaint.
    fn route(&self, ticket: &Ticket) -> Option<(Reason, &Queue)> {
        let routes = ticket.reasons.iter().rev().filter_map(|reason| Some((*reason, self.rules.routes.get(reason)?)));
        routes.filter_map(|(reason, queue)| Some((reason, self.queues.get(queue)?))).find(|(_, queue)| {
            let needs = ticket.needs(queue);
            let able = |desk: &Desk| desk.serves(&queue.name) && desk.has(&needs) && desk.speaks(&ticket.language);
            let open = self.place(&queue.name).is_ok_and(|place| place.name == queue.name);
            (ticket.queue == queue.name || open) && self.desks.values().any(able)
        })
    }

    /// A call that is rung or talks keeps its new rank for the case that it comes back.
    fn rerank(&mut self, call: &str, change: impl FnOnce(&mut Ticket)) {
        let Some(ticket) = self.calls.get_mut(call) else { return };
        let waits = self.order.remove(&ticket.rank(&self.rules)).is_some();
        change(ticket);
        if waits {
            self.order.insert(ticket.rank(&self.rules), call.to_owned());
        }
    }

    fn escalated(&mut self, call: &str, reason: Reason) {
        self.rerank(call, |ticket| {
            ticket.reasons.insert(reason);
        });
        let Some(ticket) = self.calls.get(call).filter(|ticket| ticket.waits()) else { return };
        let Some((reason, queue)) = self.route(ticket).filter(|(_, queue)| queue.name != ticket.queue) else { return };
        let (now, queue) = (self.now_ms, queue.clone());
        if let Some(ticket) = self.calls.get_mut(call) {
            ticket.enter(&queue, now);
            self.actions.push(FloorAction::Moved { call: call.to_owned(), to: queue.name, reason: Some(reason) });
        }
    }

    /// The call is gone, and with it whatever it had. One that is to be called back was expected to go.
    fn left(&mut self, call: &str) {
        if let Some(ticket) = self.calls.get_mut(call).filter(|ticket| ticket.is_callback()) {
            let rung = std::mem::take(&mut ticket.rung);
            if let Some(callback) = &mut ticket.callback {
                // The line is free now.
                if callback.attempts == 0 {
                    callback.due_ms = callback.due_ms.min(self.now_ms);
                }
            }
            let (waits, rank, queue) = (ticket.waits(), ticket.rank(&self.rules), ticket.queue.clone());
            if waits {
                self.order.insert(rank, call.to_owned());
            }
            rung.iter().for_each(|agent| self.free(agent, &queue, false));
            return;
        }
        self.arrivals.remove(call);
        self.remove(call);
    }

    /// Takes the call off the floor, and frees its agents.
    pub(super) fn remove(&mut self, call: &str) -> Option<Ticket> {
        let ticket = self.calls.remove(call)?;
        self.order.remove(&ticket.rank(&self.rules));
        if let (Some(agent), Some(caller)) = (&ticket.agent, &ticket.caller) {
            self.met(caller.clone(), agent.clone());
        }
        let held = ticket.callback.as_ref().and_then(|callback| callback.agent.as_ref());
        for agent in ticket.agent.iter().chain(&ticket.rung).chain(held) {
            self.free(agent, &ticket.queue, false);
        }
        Some(ticket)
    }

    /// Where the call stands in the order of arrival, should it come again.
    pub(super) fn remember(&mut self, call: &str, arrival: (u64, u64)) {
        if self.arrivals.insert(call.to_owned(), arrival).is_none() {
            self.departed.push_back(call.to_owned());
        }
        if self.departed.len() > REMEMBERED
            && let Some(oldest) = self.departed.pop_front()
        {
            self.arrivals.remove(&oldest);
        }
    }

    fn met(&mut self, caller: String, agent: String) {
        if self.known.len() >= REMEMBERED && !self.known.contains_key(&caller) {
            let oldest = self.known.iter().min_by_key(|(_, (_, at))| *at).map(|(caller, _)| caller.clone());
            oldest.and_then(|oldest| self.known.remove(&oldest));
        }
        self.known.insert(caller, (agent, self.now_ms));
    }

    fn taken(&mut self, call: &str, agent: &str) {
        let now = self.now_ms;
        let (Some(desk), Some(ticket)) = (self.desks.get_mut(agent), self.calls.get_mut(call)) else { return };
        if !matches!(&desk.state, AgentState::Offered { call: offered, .. } if offered == call) {
            return;
        }
        if ticket.agent.is_some() {
            // Another was first: this one is let go.
            desk.state = AgentState::Offered { call: call.to_owned(), until_ms: None };
            let (call, agent) = (call.to_owned(), agent.to_owned());
            return self.actions.push(FloorAction::Withdraw { call, agent, failure: AgentFailure::NoAnswer });
        }
        desk.turn(now, AgentState::OnCall { call: call.to_owned(), since_ms: now });
        desk.missed = 0;
        ticket.rung.remove(agent);
        ticket.agent = Some(agent.to_owned());
        ticket.callback = None; // agreed on while the answer was on its way: the caller is still there
        for other in ticket.rung.clone() {
            self.stop_ringing(&other, AgentFailure::NoAnswer);
        }
    }

    /// The call goes back to its place in the queue, or to the front. (`LeftEarly` after answering is a miss like any
    /// other; who was rung by a colleague meanwhile, or was slower than another, has missed nothing.)
    fn not_taken(&mut self, call: &str, agent: &str, failure: AgentFailure) {
        let Some(ticket) = self.calls.get_mut(call) else { return };
        let talked = ticket.agent.as_deref() == Some(agent);
        if talked {
            ticket.agent = None;
            ticket.front |= failure == AgentFailure::Unreachable;
        } else if !ticket.rung.remove(agent) {
            return;
        }
        let not_wanted = !talked && failure == AgentFailure::NotWanted;
        if not_wanted {
            ticket.later_ms = self.now_ms + LATER_MS;
        }
        let spared = !talked && (not_wanted || ticket.agent.is_some() || ticket.is_callback());
        let missed = !spared && self.desks.get(agent).is_none_or(|desk| desk.occupied.is_empty());
        if missed {
            *ticket.missed.entry(agent.to_owned()).or_default() += 1;
        }
        ticket.told = None;
        if ticket.waits() {
            self.order.insert(ticket.rank(&self.rules), call.to_owned());
        }
        let queue = ticket.queue.clone();
        self.free(agent, &queue, missed);
    }

    fn done(&mut self, call: &str, agent: &str) {
        if matches!(self.agent(agent), Some(AgentState::OnCall { call: talked, .. }) if talked == call)
            && let Some(ticket) = self.remove(call)
        {
            self.remember(call, (ticket.seq, ticket.arrived_ms));
        }
    }

    /// The agent is busy without the floor's doing. What is offered meanwhile is taken back.
    fn occupied(&mut self, leg: String, agent: &str, queue: Option<String>) {
        let now = self.now_ms;
        let Some(desk) = self.desks.get_mut(agent) else { return };
        desk.occupied.insert(leg, (now, queue));
        self.stop_dialling(agent, false);
        self.stop_ringing(agent, AgentFailure::Busy);
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
            desk.was_occupied(now.saturating_sub(since));
            desk.finish(now, queue.map_or(0, |queue| queue.wrap_up_ms));
        }
    }

    /// The agent is rid of a call of this queue; `missed` by not taking it.
    fn free(&mut self, agent: &str, queue: &str, missed: bool) {
        let now = self.now_ms;
        let wrap_up = self.queues.get(queue).map_or(0, |queue| queue.wrap_up_ms);
        let Some(desk) = self.desks.get_mut(agent) else { return };
        if missed {
            desk.missed += 1;
            let mut rest = REST_MS;
            if desk.missed >= MISSES {
                rest = AWAY_MS;
                self.actions.push(FloorAction::Resting { agent: agent.to_owned(), missed: desk.missed });
            }
            desk.turn(now, AgentState::Resting { until_ms: now + rest });
        } else if let AgentState::OnCall { since_ms, .. } = desk.state {
            let history = self.histories.entry(queue.to_owned()).or_default();
            history.add(now, now.saturating_sub(since_ms) + wrap_up);
            desk.finish(now, wrap_up);
        } else {
            desk.turn(now, AgentState::Available { since_ms: desk.idle_ms });
        }
        if let Some(after) = desk.after.take() {
            desk.turn(now, after);
        }
    }

    /// Calls that waited long enough for something else to be done about them, or that nobody is there for.
    fn overflow(&mut self) {
        if self.queues.values().all(|queue| queue.overflow.is_empty()) {
            return;
        }
        let now = self.now_ms;
        let mut out = Vec::new();
        for id in self.order.values() {
            let Some(call) = self.calls.get(id).filter(|call| !call.is_callback()) else { continue };
            let Some(queue) = self.queues.get(&call.queue) else { continue };
            for (i, rule) in queue.overflow.iter().enumerate() {
                let due = match rule.when {
                    When::Waited(ms) => call.entered_ms.saturating_add(ms) <= now,
                    When::NobodyThere => !self.staffed(call),
                    When::Length(_) | When::Closed => false, // on arrival
                };
                if due && !call.overflowed.contains(&i) {
                    out.push((id.clone(), i, rule.to.clone()));
                }
            }
        }
        for (id, i, to) in out {
            let Some(call) = self.calls.get_mut(&id) else { continue }; // left a message by an earlier rule
            call.overflowed.insert(i);
            match to {
                Outlet::Queue(to) => {
                    call.also.insert(to.clone());
                    self.actions.push(FloorAction::Widened { call: id, to });
                }
                Outlet::Callback if self.calls_back(&self.calls[&id].queue) => {
                    self.actions.push(FloorAction::OfferCallback { call: id });
                }
                Outlet::Callback => {}
                Outlet::Voicemail => self.send_off(&id, GiveUp::Voicemail),
            }
        }
    }

    /// Somebody is logged in who could take the call.
    pub(super) fn staffed(&self, call: &Ticket) -> bool {
        self.queues.contains_key(&call.queue) && self.desks.values().any(|desk| desk.logged_in() && desk.can_take(call))
    }

    /// Calls that waited too long, or that nobody could ever take.
    fn give_up(&mut self) {
        let now = self.now_ms;
        let mut out = Vec::new();
        for id in self.order.values() {
            let Some(call) = self.calls.get(id) else { continue };
            if let Some(callback) = &call.callback {
                if callback.until_ms <= now || !self.queues.contains_key(&call.queue) {
                    out.push((id.clone(), None));
                }
            } else if !self.staffed(call) {
                out.push((id.clone(), Some(GiveUp::NobodyThere)));
            } else if call.deadline_ms <= now {
                out.push((id.clone(), Some(GiveUp::TooLong)));
            }
        }
        for (id, why) in out {
            match why {
                Some(why) => self.send_off(&id, why),
                None => self.end_callback(&id, NoCallback::TooLate),
            }
        }
    }

    fn send_off(&mut self, id: &str, why: GiveUp) {
        if let Some(ticket) = self.remove(id) {
            self.remember(id, (ticket.seq, ticket.arrived_ms));
            self.actions.push(FloorAction::GiveUp { call: id.to_owned(), why });
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
            if call.told != Some(*place) && !call.is_callback() {
                changed.push((id.clone(), *place, call.queue.clone()));
            }
        }
        for (id, position, queue) in changed {
            let estimate_s = self.estimate(&queue, position);
            if let Some(call) = self.calls.get_mut(&id) {
                call.told = Some(position);
            }
            self.actions.push(FloorAction::Waiting { call: id, position, estimate_s });
        }
    }

    pub(super) fn estimate(&self, queue: &str, position: u32) -> Option<u32> {
        let history = self.histories.get(queue)?;
        let serving = self.desks.values().filter(|desk| desk.serves(queue)).count();
        history.estimate(self.now_ms, position, serving)
    }

    /// Whether this call could be given to this agent now: for the invariants.
    pub(super) fn could_have(&self, call: &Ticket, desk: &Desk) -> bool {
        let now = self.now_ms;
        let due = call.ready(now) && (!call.is_callback() || self.may_dial(&call.queue));
        due && desk.available() && desk.can_take(call) && !choose::kept(&self.desks, call, now)
    }
}

/// What happened so far, without what the operator decided; for telling states apart when every one is visited.
impl Hash for Floor {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (&self.desks, &self.closed, &self.quiet, &self.calls, &self.order).hash(state);
        (&self.histories, &self.arrivals, &self.departed, &self.known, self.now_ms, self.entered).hash(state);
    }
}

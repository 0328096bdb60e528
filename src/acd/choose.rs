//! Who gets which call: the agents who are free now, and the calls in the order of service.

use std::collections::BTreeMap;

use super::desk::{AgentState, Desk};
use super::ticket::{Rank, Ticket};
use super::{Floor, FloorAction, Queue, Strategy};
use crate::call::CallId;

impl Floor {
    /// Gives every call that can have one an agent; then, where several are to ring, those whom nobody else needs.
    pub(super) fn assign(&mut self) {
        let mut free = self.desks.values().filter(|desk| desk.available()).count();
        let mut served: Vec<Rank> = Vec::new();
        for (rank, id) in &self.order {
            if free == 0 {
                break;
            }
            let Some(call) = self.calls.get_mut(id) else { continue };
            let may_dial = || !self.closed.contains(&call.queue) && !self.quiet.contains(&call.queue);
            if !call.ready(self.now_ms) || call.is_callback() && !may_dial() {
                continue;
            }
            let queue = self.queues.get(&call.queue);
            let strategy = queue.map_or(Strategy::LongestIdle, |queue| queue.strategy);
            let Some(agent) = choose(&self.desks, call, strategy, self.now_ms).map(str::to_owned) else { continue };
            let Some(desk) = self.desks.get_mut(&agent) else { continue };
            self.actions.push(give(self.now_ms, id, call, desk, queue));
            served.push(*rank);
            free -= 1;
        }
        for rank in served {
            self.order.remove(&rank);
        }
        if free > 0 && self.queues.values().any(|queue| queue.rings() > 1) {
            self.ring_more();
        }
    }

    fn ring_more(&mut self) {
        let mut ringing: Vec<(Rank, CallId)> = self
            .calls
            .iter()
            .filter(|(_, call)| !call.rung.is_empty() && call.agent.is_none() && !call.is_callback())
            .map(|(id, call)| (call.rank(&self.rules), id.clone()))
            .collect();
        ringing.sort();
        for (_, id) in ringing {
            let Some(call) = self.calls.get_mut(&id) else { continue };
            let Some(queue) = self.queues.get(&call.queue) else { continue };
            let rings = |agent: &&String| {
                let state = self.desks.get(*agent).map(|desk| &desk.state);
                matches!(state, Some(AgentState::Offered { until_ms: Some(_), .. }))
            };
            let live = call.rung.iter().filter(rings).count();
            // None who has just missed this call: they would be rung without an end.
            for _ in live..queue.rings() {
                let best = choose(&self.desks, call, queue.strategy, self.now_ms);
                let Some(agent) = best.filter(|agent| misses(call, agent) == 0).map(str::to_owned) else { break };
                let Some(desk) = self.desks.get_mut(&agent) else { break };
                self.actions.push(give(self.now_ms, &id, call, desk, Some(queue)));
            }
        }
    }
}

/// The agent for this call, of those who are free.
fn choose<'d>(desks: &'d BTreeMap<String, Desk>, call: &Ticket, strategy: Strategy, now_ms: u64) -> Option<&'d str> {
    if let Some(desk) = own_agent(desks, call) {
        if desk.available() {
            return Some(&desk.agent.name);
        }
        if kept(desks, call, now_ms) {
            return None;
        }
    }
    let free = desks.values().filter(|desk| desk.available() && desk.can_take(call));
    let best = free.min_by_key(|desk| {
        let measure = match strategy {
            Strategy::LongestIdle | Strategy::RingSeveral(_) => 0,
            Strategy::LeastOccupied => desk.occupancy_ppm(now_ms),
            Strategy::BestSkill => {
                let levels = call.skills.keys().filter_map(|skill| desk.agent.skills.get(skill));
                u64::MAX - levels.map(|&level| u64::from(level)).sum::<u64>()
            }
        };
        (misses(call, &desk.agent.name), measure, desk.idle_ms)
    });
    best.map(|desk| desk.agent.name.as_str())
}

/// The call is kept for its own agent, who is busy.
pub(super) fn kept(desks: &BTreeMap<String, Desk>, call: &Ticket, now_ms: u64) -> bool {
    call.sticky.as_ref().is_some_and(|(_, until)| now_ms < *until) && own_agent(desks, call).is_some()
}

/// The agent whom the call has a claim to, if they are at work and have not missed it.
fn own_agent<'d>(desks: &'d BTreeMap<String, Desk>, call: &Ticket) -> Option<&'d Desk> {
    let (agent, _) = call.sticky.as_ref()?;
    desks.get(agent).filter(|desk| desk.at_work() && desk.can_take(call) && misses(call, agent) == 0)
}

fn misses(call: &Ticket, agent: &str) -> u32 {
    call.missed.get(agent).copied().unwrap_or(0)
}

/// Agent and call have each other from here on.
fn give(now_ms: u64, id: &CallId, call: &mut Ticket, desk: &mut Desk, queue: Option<&Queue>) -> FloorAction {
    let agent = desk.agent.name.clone();
    if let Some(callback) = &mut call.callback {
        callback.attempts += 1;
        callback.dialling = true;
        callback.agent = Some(agent.clone());
        desk.turn(now_ms, AgentState::Reserved { call: id.clone(), until_ms: now_ms + callback.terms.ring_ms });
        return FloorAction::Dial { call: id.clone(), agent, attempt: callback.attempts };
    }
    offer(now_ms, id, call, desk, queue)
}

pub(super) fn offer(
    now_ms: u64,
    id: &CallId,
    call: &mut Ticket,
    desk: &mut Desk,
    queue: Option<&Queue>,
) -> FloorAction {
    let agent = desk.agent.name.clone();
    let until = now_ms + queue.map_or(0, |queue| queue.ring_timeout_ms);
    desk.turn(now_ms, AgentState::Offered { call: id.clone(), until_ms: Some(until) });
    call.rung.insert(agent.clone());
    FloorAction::Offer { call: id.clone(), agent, brief: queue.is_none_or(|queue| queue.briefing) }
}

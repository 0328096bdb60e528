//! Callers who hang up, keep their place and are called: when one is agreed on, dialled, tried again and given up.
//! Agent first: an agent is held while the caller's phone rings, so that who picks up is not made to wait.

use super::desk::AgentState;
use super::ticket::{Callback, Ticket};
use super::{Floor, FloorAction, NoCallback, choose};
use crate::call::AgentFailure;

/// Who agreed to be called back may still be on the line, with more to ask: their number is dialled when they have hung up, or
/// after this.
const STILL_THERE_MS: u64 = 120_000;

impl Floor {
    /// Whether callers of this queue may be asked now.
    pub fn calls_back(&self, queue: &str) -> bool {
        !self.closed.contains(queue) && self.queues.get(queue).is_some_and(|queue| queue.callbacks.is_some())
    }

    /// Callers of this queue may be called now.
    pub(super) fn may_dial(&self, queue: &str) -> bool {
        !self.closed.contains(queue) && !self.quiet.contains(queue)
    }

    /// A callback of a call that is not, or no longer, on the floor: agreed on when nobody was there, or before a restart.
    pub(super) fn callback_entered(
        &mut self,
        id: String,
        queue: &str,
        mut ticket: Ticket,
        attempts: u32,
        left_ms: Option<u64>,
    ) {
        let now = self.now_ms;
        let settings = self.queues.get(queue);
        let Some((settings, terms)) = settings.and_then(|queue| Some((queue, queue.callbacks?))) else {
            return self.actions.push(FloorAction::CallbackOver { call: id, why: NoCallback::NotOffered });
        };
        ticket.enter(settings, now);
        ticket.callback = Some(Callback {
            attempts: attempts.min(terms.attempts.saturating_sub(1)),
            due_ms: if left_ms.is_some() { now } else { now.saturating_add(STILL_THERE_MS) },
            until_ms: now.saturating_add(left_ms.unwrap_or(terms.within_ms)),
            agent: None,
            dialling: false,
            terms,
        });
        self.order.insert(ticket.rank(&self.rules), id.clone());
        self.calls.insert(id.clone(), ticket);
        self.tell_kept(&id);
    }

    /// It is kept, at this place.
    pub(super) fn tell_kept(&mut self, id: &str) {
        let Some(queue) = self.calls.get(id).map(|call| call.queue.clone()) else { return };
        let ahead = self.order.values().take_while(|other| *other != id);
        let ahead = ahead.filter(|other| self.calls.get(*other).is_some_and(|call| call.queue == queue)).count();
        let position = u32::try_from(ahead).unwrap_or(u32::MAX - 1) + 1;
        let estimate_s = self.estimate(&queue, position);
        self.actions.push(FloorAction::CallbackKept { call: id.to_owned(), position, estimate_s });
    }

    pub(super) fn callback_agreed(&mut self, id: &str) {
        let now = self.now_ms;
        let (offered, terms) = match self.calls.get(id) {
            // Talking already, or agreed on already: nothing to keep.
            Some(call) if call.agent.is_some() || call.is_callback() => return,
            Some(call) => {
                (self.calls_back(&call.queue), self.queues.get(&call.queue).and_then(|queue| queue.callbacks))
            }
            None => (false, None),
        };
        let (true, Some(terms), Some(call)) = (offered, terms, self.calls.get_mut(id)) else {
            let why = NoCallback::NotOffered;
            return self.actions.push(FloorAction::CallbackOver { call: id.to_owned(), why });
        };
        call.callback = Some(Callback {
            attempts: 0,
            due_ms: now.saturating_add(STILL_THERE_MS),
            until_ms: now.saturating_add(terms.within_ms),
            agent: None,
            dialling: false,
            terms,
        });
        call.told = None;
        // An agent was just about to have it: the caller is gone.
        for agent in call.rung.clone() {
            self.stop_ringing(&agent, AgentFailure::NoAnswer);
        }
        self.tell_kept(id);
    }

    pub(super) fn callback_answered(&mut self, id: &str) {
        let now = self.now_ms;
        let Some(call) = self.calls.get_mut(id) else {
            // Given up meanwhile.
            return self.actions.push(FloorAction::StopDialling { call: id.to_owned() });
        };
        let Some(callback) = call.callback.take() else { return };
        let queue = self.queues.get(&call.queue);
        call.deadline_ms = now.saturating_add(queue.map_or(0, |queue| queue.max_wait_ms));
        let held = callback.agent.and_then(|agent| self.desks.get_mut(&agent));
        match held {
            Some(desk) if matches!(&desk.state, AgentState::Reserved { call, .. } if call == id) => {
                self.actions.push(choose::offer(now, &id.to_owned(), call, desk, queue));
            }
            // The agent is gone, but the caller is there: next in line.
            _ => {
                self.order.remove(&call.rank(&self.rules));
                call.front = true;
                if call.waits() {
                    self.order.insert(call.rank(&self.rules), id.to_owned());
                }
            }
        }
    }

    pub(super) fn callback_failed(&mut self, id: &str) {
        let Some(call) = self.calls.get_mut(id) else { return };
        let Some(callback) = call.callback.as_mut().filter(|callback| callback.dialling) else { return };
        callback.dialling = false;
        callback.due_ms = self.now_ms.saturating_add(callback.terms.retry_ms);
        let tried = callback.attempts >= callback.terms.attempts;
        let held = callback.agent.take();
        if !tried {
            self.order.insert(call.rank(&self.rules), id.to_owned());
        }
        if let Some(agent) = held {
            self.release(&agent);
        }
        if tried {
            self.end_callback(id, NoCallback::NotReached);
        }
    }

    pub(super) fn callback_cancelled(&mut self, id: &str) {
        let Some(callback) = self.calls.get(id).and_then(|call| call.callback.as_ref()) else { return };
        if callback.dialling {
            self.actions.push(FloorAction::StopDialling { call: id.to_owned() });
        }
        self.remove(id);
    }

    /// The caller's phone rang long enough, or (`counts` not) the agent held for it is gone. `CallbackFailed` will say
    /// what came of it.
    pub(super) fn stop_dialling(&mut self, agent: &str, counts: bool) {
        let Some(AgentState::Reserved { call, .. }) = self.agent(agent) else { return };
        let id = call.clone();
        if let Some(callback) = self.calls.get_mut(&id).and_then(|call| call.callback.as_mut()) {
            callback.agent = None;
            callback.attempts -= u32::from(!counts);
        }
        self.release(agent);
        self.actions.push(FloorAction::StopDialling { call: id });
    }

    pub(super) fn end_callback(&mut self, id: &str, why: NoCallback) {
        if let Some(ticket) = self.remove(id) {
            self.remember(id, (ticket.seq, ticket.arrived_ms)); // who has not hung up yet may wait on
        }
        self.actions.push(FloorAction::CallbackOver { call: id.to_owned(), why });
    }

    /// The agent held for a callback is free again.
    fn release(&mut self, agent: &str) {
        let now = self.now_ms;
        if let Some(desk) = self.desks.get_mut(agent)
            && matches!(desk.state, AgentState::Reserved { .. })
        {
            let next = desk.after.take().unwrap_or(AgentState::Available { since_ms: desk.idle_ms });
            desk.turn(now, next);
        }
    }
}

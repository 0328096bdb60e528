//! A call on the floor, from entering its queue to the end of its conversation.

use std::collections::{BTreeMap, BTreeSet};

use super::{Queue, Reason, Rules};
use crate::dialog::Language;

/// Front first, then merit (see `Rules`), then order of arrival.
pub(super) type Rank = (bool, i64, u64);

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Ticket {
    pub queue: String,
    /// Queues whose agents may take it too: it overflowed.
    pub also: BTreeSet<String>,
    /// Skills that the call itself needs.
    pub wants: BTreeSet<String>,
    /// Those and the queue's, each with the lowest level that will do.
    pub skills: BTreeMap<String, u8>,
    pub language: Language,
    pub priority: i32,
    pub reasons: BTreeSet<Reason>,
    /// Whose call it is, by a name that tells nothing of them.
    pub caller: Option<String>,
    /// Order of first arrival; kept when an agent did not take the call, or passed it on.
    pub seq: u64,
    pub arrived_ms: u64,
    /// Into this queue.
    pub entered_ms: u64,
    pub deadline_ms: u64,
    /// The caller is busy with something else: no agent is found for it before this, ms.
    pub later_ms: u64,
    /// Its agent vanished in mid-conversation.
    pub front: bool,
    /// Agent -> times they did not take this call.
    pub missed: BTreeMap<String, u32>,
    /// Rung, with those who were told to stop and have yet to say so.
    pub rung: BTreeSet<String>,
    /// Talking.
    pub agent: Option<String>,
    /// The place last told.
    pub told: Option<u32>,
    /// Overflow rules that have had their say.
    pub overflowed: BTreeSet<usize>,
    /// Kept for this agent until, ms.
    pub sticky: Option<(String, u64)>,
    /// The caller hung up and is to be called.
    pub callback: Option<Callback>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Callback {
    /// Attempts made.
    pub attempts: u32,
    /// Not dialled before this, ms.
    pub due_ms: u64,
    /// Nor after this.
    pub until_ms: u64,
    /// Held for it while the caller is dialled.
    pub agent: Option<String>,
    pub dialling: bool,
    /// The queue's allowance when it was agreed on.
    pub terms: super::Callbacks,
}

impl Ticket {
    /// Into this queue; the place in the order stays.
    pub fn enter(&mut self, queue: &Queue, now_ms: u64) {
        self.queue.clone_from(&queue.name);
        self.skills = self.needs(queue);
        self.entered_ms = now_ms;
        self.deadline_ms = now_ms.saturating_add(queue.max_wait_ms);
        self.overflowed.clear();
        self.told = None;
    }

    /// What it needs of an agent in this queue.
    pub fn needs(&self, queue: &Queue) -> BTreeMap<String, u8> {
        let own = self.wants.iter().filter(|skill| !queue.skills.contains_key(*skill)).map(|skill| (skill.clone(), 1));
        own.chain(queue.skills.iter().map(|(skill, level)| (skill.clone(), *level))).collect()
    }

    pub fn rank(&self, rules: &Rules) -> Rank {
        (!self.front, rules.merit(rules.priority(self.priority, &self.reasons), self.arrived_ms), self.seq)
    }

    /// Waits for an agent. (A callback that is being dialled does not, though its agent may be gone.)
    pub fn waits(&self) -> bool {
        self.agent.is_none() && self.rung.is_empty() && self.callback.as_ref().is_none_or(|callback| !callback.dialling)
    }

    /// Nobody is on the line.
    pub fn is_callback(&self) -> bool {
        self.callback.is_some()
    }

    /// An agent may have it now, but for the opening hours of a callback's queue.
    pub fn ready(&self, now_ms: u64) -> bool {
        self.later_ms <= now_ms && self.callback.as_ref().is_none_or(|callback| callback.due_ms <= now_ms)
    }
}

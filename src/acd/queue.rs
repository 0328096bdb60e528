//! What an operator may decide of a queue, and of all queues together.

use std::collections::{BTreeMap, BTreeSet};

use super::Reason;

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Queue {
    pub name: String,
    /// Needed besides those of the call, and the lowest level of each that will do.
    pub skills: BTreeMap<String, u8>,
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
    pub strategy: Strategy,
    /// What is done when the queue is not the place to wait; the first that applies counts.
    pub overflow: Vec<Overflow>,
    /// Callers go to the agent they had last.
    pub sticky: Option<Sticky>,
    /// Callers may hang up, keep their place and be called.
    pub callbacks: Option<Callbacks>,
}

impl Queue {
    /// A queue with the usual limits: 20 s of ringing, 5 min of waiting, 5 s of wrap-up.
    pub fn new(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            skills: BTreeMap::new(),
            ring_timeout_ms: 20_000,
            max_wait_ms: 300_000,
            wrap_up_ms: 5_000,
            max_calls: None,
            briefing: true,
            strategy: Strategy::LongestIdle,
            overflow: Vec::new(),
            sticky: None,
            callbacks: None,
        }
    }

    /// How many agents ring at once for one call.
    pub(super) fn rings(&self) -> usize {
        match self.strategy {
            Strategy::RingSeveral(count) => count.max(1),
            _ => 1,
        }
    }
}

/// Which of the agents who can take a call is rung. Whoever missed this very call comes last, and where agents are
/// equal the one idle longest comes first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Strategy {
    #[default]
    LongestIdle,
    /// Who was busy for the smallest share of the time since logging in.
    LeastOccupied,
    /// Whose levels in the skills needed add up to most.
    BestSkill,
    /// So many at once, longest idle first; who answers first has the call. Whoever rings for the floor must not take an
    /// offer of a call's earlier stay for one of its next: such a call enters anew only when all that was on its way
    /// between it and the floor has arrived.
    RingSeveral(usize),
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Overflow {
    pub when: When,
    pub to: Outlet,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum When {
    /// The call has waited so long, ms.
    Waited(u64),
    /// So many calls wait already when it comes.
    Length(usize),
    /// It comes outside the opening hours.
    Closed,
    /// Nobody who is logged in could take it.
    NobodyThere,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Outlet {
    /// On arrival: it waits there. Later: the agents there may take it too, and it keeps its place here.
    Queue(String),
    /// The caller may leave a message (`GiveUp::Voicemail`).
    Voicemail,
    /// The caller is asked whether to be called back (`FloorAction::OfferCallback`), once, and waits on.
    Callback,
}

/// A caller's last agent is known for a while, and waited for a little.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Sticky {
    /// An older conversation does not count, ms.
    pub within_ms: u64,
    /// The call is kept for an agent who is busy so long, ms; then anybody's.
    pub hold_ms: u64,
}

/// How callers are called back: agent first, so that nobody who picks up is made to wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Callbacks {
    /// Dialled so often at most.
    pub attempts: u32,
    /// Time between attempts, ms. The call keeps its place meanwhile, and others go ahead.
    pub retry_ms: u64,
    /// How long the caller's phone rings, ms; an agent is held for it.
    pub ring_ms: u64,
    /// A callback that could not be made so long after it was agreed on is given up, ms.
    pub within_ms: u64,
}

/// Rules for all queues.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Rules {
    /// What each reason adds to the priority of a call.
    pub points: BTreeMap<Reason, i32>,
    /// The queue to which a call with this reason goes, if somebody is there who can take it.
    pub routes: BTreeMap<Reason, String>,
    /// So much earlier arrival, ms, outweighs one point of priority. `None`: a higher priority always goes first.
    pub point_ms: Option<u64>,
}

impl Rules {
    /// The priority of a call with these reasons.
    pub(super) fn priority(&self, own: i32, reasons: &BTreeSet<Reason>) -> i64 {
        i64::from(own) + reasons.iter().filter_map(|reason| self.points.get(reason)).map(|&p| i64::from(p)).sum::<i64>()
    }

    /// The middle of a rank: smaller is served first.
    pub(super) fn merit(&self, priority: i64, arrived_ms: u64) -> i64 {
        let arrived = i64::try_from(arrived_ms).unwrap_or(i64::MAX);
        match self.point_ms {
            None => -priority,
            Some(point) => arrived.saturating_sub(priority.saturating_mul(i64::try_from(point).unwrap_or(i64::MAX))),
        }
    }
}

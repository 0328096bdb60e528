//! An agent's desk: who sits there, what they are doing, and how long they were busy.

use std::collections::{BTreeMap, BTreeSet};
use std::hash::{Hash, Hasher};

use super::ticket::Ticket;
use crate::call::CallId;
use crate::dialog::Language;

/// A person who takes calls.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Agent {
    pub name: String,
    pub queues: BTreeSet<String>,
    /// Each with its level, 1 (knows of it) to 10 (best).
    pub skills: BTreeMap<String, u8>,
    /// Empty: every language.
    pub languages: BTreeSet<Language>,
}

/// What an agent is doing.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum AgentState {
    Offline,
    Paused {
        /// In the operator's words: "break", "training".
        reason: String,
    },
    /// Free since.
    Available {
        since_ms: u64,
    },
    /// Held while the caller of a callback is dialled.
    Reserved {
        call: CallId,
        until_ms: u64,
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

#[derive(Clone, Debug, PartialEq)]
pub(super) struct Desk {
    pub agent: Agent,
    pub state: AgentState,
    /// Misses in a row.
    pub missed: u32,
    /// What comes after the call that is held, rung or talked: `None` for being available.
    pub after: Option<AgentState>,
    /// Legs that are not the floor's doing: since when, and the queue that their caller came by.
    pub occupied: BTreeMap<String, (u64, Option<String>)>,
    /// Idle since, kept while the phone rings in vain through no fault of the agent's.
    pub idle_ms: u64,
    /// When the present state, login and busy time so far began and came to, ms.
    entered_ms: u64,
    login_ms: u64,
    busy_ms: u64,
}

impl Desk {
    pub fn new(agent: Agent) -> Self {
        Self {
            agent,
            state: AgentState::Offline,
            missed: 0,
            after: None,
            occupied: BTreeMap::new(),
            idle_ms: 0,
            entered_ms: 0,
            login_ms: 0,
            busy_ms: 0,
        }
    }

    /// The one way from state to state.
    pub fn turn(&mut self, now_ms: u64, state: AgentState) {
        if matches!(self.state, AgentState::OnCall { .. } | AgentState::WrapUp { .. }) {
            self.busy_ms += now_ms.saturating_sub(self.entered_ms);
        }
        if self.state == AgentState::Offline {
            (self.login_ms, self.busy_ms) = (now_ms, 0);
        }
        if let AgentState::Available { since_ms } = state {
            self.idle_ms = since_ms;
        }
        self.entered_ms = now_ms;
        self.state = state;
    }

    /// A conversation is over.
    pub fn finish(&mut self, now_ms: u64, wrap_up_ms: u64) {
        let next = match wrap_up_ms {
            0 => AgentState::Available { since_ms: now_ms },
            wrap_up => AgentState::WrapUp { until_ms: now_ms + wrap_up },
        };
        self.turn(now_ms, next);
    }

    /// Was busy elsewhere for so long.
    pub fn was_occupied(&mut self, ms: u64) {
        self.busy_ms += ms;
    }

    /// The share of the time since logging in that went to calls and wrap-up, in millionths.
    pub fn occupancy_ppm(&self, now_ms: u64) -> u64 {
        let span = u128::from(now_ms.saturating_sub(self.login_ms).max(1));
        u64::try_from(u128::from(self.busy_ms) * 1_000_000 / span).unwrap_or(u64::MAX)
    }

    pub fn available(&self) -> bool {
        matches!(self.state, AgentState::Available { .. }) && self.occupied.is_empty()
    }

    pub fn logged_in(&self) -> bool {
        self.state != AgentState::Offline && self.after != Some(AgentState::Offline)
    }

    /// Logged in, and back for the next call sooner or later.
    pub fn at_work(&self) -> bool {
        self.logged_in() && ![Some(&self.state), self.after.as_ref()].into_iter().flatten().any(AgentState::paused)
    }

    pub fn can_take(&self, call: &Ticket) -> bool {
        let serves = |queue: &String| self.agent.queues.contains(queue);
        (serves(&call.queue) || call.also.iter().any(serves)) && self.has(&call.skills) && self.speaks(&call.language)
    }

    pub fn has(&self, skills: &BTreeMap<String, u8>) -> bool {
        skills.iter().all(|(skill, level)| self.agent.skills.get(skill).is_some_and(|own| own >= level))
    }

    pub fn speaks(&self, language: &Language) -> bool {
        self.agent.languages.is_empty() || self.agent.languages.contains(language)
    }

    /// At work in this queue.
    pub fn serves(&self, queue: &str) -> bool {
        self.agent.queues.contains(queue) && self.at_work()
    }
}

/// As `Floor`'s.
impl Hash for Desk {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (&self.state, self.missed, &self.after, &self.occupied).hash(state);
        (self.idle_ms, self.entered_ms, self.login_ms, self.busy_ms).hash(state);
    }
}

impl AgentState {
    pub(super) fn paused(&self) -> bool {
        matches!(self, Self::Paused { .. })
    }
}

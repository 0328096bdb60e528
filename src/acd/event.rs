//! What the floor is told and what it decides, and how both translate to and from a call's own words.

use super::{Agent, Queue};
use crate::call::{AgentFailure, CallId, Event, QueueRequest};
use crate::dialog::Language;

/// What happened to an agent or a call. Agents and queues that the floor does not know are ignored.
#[derive(Clone, Debug, PartialEq)]
pub enum FloorEvent {
    /// The agent's phone is registered, or the agent logged in. Repeating it changes nothing.
    LoggedIn {
        agent: String,
    },
    LoggedOut {
        agent: String,
    },
    /// Logged in, but taking no calls.
    Paused {
        agent: String,
    },
    /// Back from a pause, from a rest after missed calls, or early from wrap-up.
    Resumed {
        agent: String,
    },
    Entered {
        call: CallId,
        queue: String,
        skills: Vec<String>,
        language: Language,
        priority: i32,
    },
    /// The call goes ahead of those of lower priority from here on.
    Raised {
        call: CallId,
        priority: i32,
    },
    /// The caller hung up or went elsewhere.
    Left {
        call: CallId,
    },
    /// The agent answered.
    Taken {
        call: CallId,
        agent: String,
    },
    /// The agent did not answer, or left before the caller was put through.
    NotTaken {
        call: CallId,
        agent: String,
        failure: AgentFailure,
    },
    /// The conversation is over.
    Done {
        call: CallId,
        agent: String,
    },
    /// The agent is rung, or talks, without the floor's doing: by another agent's transfer or call. With the queue that
    /// the caller came by the agent has its wrap-up afterwards. Saying it again of the same leg replaces what was said.
    Occupied {
        leg: String,
        agent: String,
        queue: Option<String>,
    },
    /// That leg is over.
    Unoccupied {
        leg: String,
        agent: String,
    },
    /// The operator's file has changed. Who is no longer in it ends their call and gets no more; who is new is not
    /// logged in yet. Calls in a queue that is gone are given up.
    Reconfigured {
        agents: Vec<Agent>,
        queues: Vec<Queue>,
    },
    /// `Floor::next_deadline` has come.
    Tick,
}

impl FloorEvent {
    /// What a call asks for, as the floor's event.
    pub fn from_call(call: CallId, request: QueueRequest) -> Self {
        match request {
            QueueRequest::Enter { queue, skills, language, priority } => {
                Self::Entered { call, queue, skills, language, priority }
            }
            QueueRequest::Raise { priority } => Self::Raised { call, priority },
            QueueRequest::Leave => Self::Left { call },
            QueueRequest::Taken { agent } => Self::Taken { call, agent },
            QueueRequest::NotTaken { agent, failure } => Self::NotTaken { call, agent, failure },
            QueueRequest::Done { agent } => Self::Done { call, agent },
        }
    }

    /// The call that needs nothing more of the floor after this.
    pub fn ended_call(&self) -> Option<&str> {
        match self {
            Self::Left { call } | Self::Done { call, .. } => Some(call),
            _ => None,
        }
    }
}

/// Why a call is out of its queue without an agent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GiveUp {
    /// No agent who is logged in could ever take it.
    NobodyThere,
    /// It waited as long as the queue lets a call wait.
    TooLong,
    /// The queue takes no more calls.
    Full,
}

#[derive(Clone, Debug, PartialEq)]
pub enum FloorAction {
    /// Ring this agent for this call.
    Offer {
        call: CallId,
        agent: String,
        /// The agent hears a briefing first.
        brief: bool,
    },
    /// Stop ringing: it rang long enough, or the agent is gone. Answered by `NotTaken`, or by `Taken` when the
    /// answer was on its way.
    Withdraw { call: CallId, agent: String, failure: AgentFailure },
    /// The call waits at this place (1 is next), for about so long, if history can tell.
    Waiting { call: CallId, position: u32, estimate_s: Option<u32> },
    /// The call is out of the queue.
    GiveUp { call: CallId, why: GiveUp },
    /// The agent missed so many calls in a row that they are given a rest.
    Resting { agent: String, missed: u32 },
}

impl FloorAction {
    /// What a call is to be told, if this concerns one.
    pub fn into_call_event(self) -> Option<(CallId, Event)> {
        Some(match self {
            Self::Offer { call, agent, brief } => (call, Event::AgentFound { agent, brief }),
            Self::Withdraw { call, agent, failure } => (call, Event::AgentFailed { agent, failure }),
            Self::Waiting { call, position, estimate_s } => (call, Event::Waiting { position, estimate_s }),
            Self::GiveUp { call, why: GiveUp::NobodyThere } => (call, Event::NobodyThere),
            Self::GiveUp { call, why: GiveUp::TooLong | GiveUp::Full } => (call, Event::WaitOver),
            Self::Resting { .. } => return None,
        })
    }
}

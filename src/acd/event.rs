//! What the floor is told and what it decides, and how both translate to and from a call's own words.

use std::collections::BTreeSet;

use super::{Agent, Queue, Rules};
use crate::call::{AgentFailure, CallId, Event, QueueRequest};
use crate::dialog::Language;

/// What happened to an agent or a call. Agents and queues that the floor does not know are ignored.
#[derive(Clone, Debug, PartialEq)]
pub enum FloorEvent {
    /// The agent's phone is registered, or the agent logged in. Repeating it changes nothing.
    LoggedIn { agent: String },
    /// No more calls; one that is talked goes on.
    LoggedOut { agent: String },
    /// The agent's phone or page is gone without a word. One who talked to it is put back to the front.
    Vanished { agent: String },
    /// Logged in, but taking no calls: why, in the operator's words.
    Paused { agent: String, reason: String },
    /// Back from a pause, from a rest after missed calls, or early from wrap-up.
    Resumed { agent: String },
    /// A call that was on the floor before, and neither `Left` nor was called back, keeps the place of its first arrival.
    Entered { call: CallId, queue: String, skills: Vec<String>, language: Language, priority: i32, about: About },
    /// The call goes ahead of those of lower priority from here on.
    Raised { call: CallId, priority: i32 },
    /// It turned out what the call is; it may be moved to another queue.
    Escalated { call: CallId, reason: Reason },
    /// The caller hung up or went elsewhere.
    Left { call: CallId },
    /// The agent answered.
    Taken { call: CallId, agent: String },
    /// The agent did not answer, or left before the caller was put through. With `Unreachable`, when they talked: the
    /// agent is gone, and the caller is put to the front.
    NotTaken { call: CallId, agent: String, failure: AgentFailure },
    /// The conversation is over.
    Done { call: CallId, agent: String },
    /// The caller consented to be called back, and may hang up now.
    CallbackAgreed { call: CallId },
    /// The caller is to be called back, whether the call was on the floor or not; with what is left of an earlier run: calls
    /// made so far, and ms until it is given up.
    CallbackEntered {
        call: CallId,
        queue: String,
        skills: Vec<String>,
        language: Language,
        priority: i32,
        about: About,
        attempts: u32,
        left_ms: Option<u64>,
    },
    /// Callers of the queue may be called back now, or not.
    CallbackHours { queue: String, open: bool },
    /// The caller has picked up: answers `FloorAction::Dial`.
    CallbackAnswered { call: CallId },
    /// The caller could not be reached: answers `FloorAction::Dial`, and may answer `StopDialling`.
    CallbackFailed { call: CallId },
    /// The caller does not want to be called any more.
    CallbackCancelled { call: CallId },
    /// The queue opens or closes. Who waits already waits on; callbacks are not dialled while it is closed.
    Hours { queue: String, open: bool },
    /// What a call of this queue will keep its agent, wrap-up included, as the forecast has it: what is announced rests
    /// on it until there are conversations enough.
    Expected { queue: String, handling_ms: u64 },
    /// The agent is rung, or talks, without the floor's doing: by another agent's transfer or call. With the queue that
    /// the caller came by the agent has its wrap-up afterwards. Saying it again of the same leg replaces what was said.
    Occupied { leg: String, agent: String, queue: Option<String> },
    /// That leg is over.
    Unoccupied { leg: String, agent: String },
    /// The operator's file has changed. Who is no longer in it ends their call and gets no more; who is new is not
    /// logged in yet. Calls in a queue that is gone are given up.
    Reconfigured { agents: Vec<Agent>, queues: Vec<Queue>, rules: Rules },
    /// `Floor::next_deadline` has come.
    Tick,
}

/// What is known of a call beyond what it needs.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct About {
    /// The caller, by a name that tells nothing of them (a keyed hash of the number): for their own agent.
    pub caller: Option<String>,
    /// The agent they should have, if that is known from elsewhere; else the one they had last.
    pub agent: Option<String>,
    pub reasons: BTreeSet<Reason>,
}

/// Why a call is more than a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Reason {
    Vip,
    Distress,
    Complaint,
    Fraud,
}

impl FloorEvent {
    /// What a call asks for, as the floor's event; `about` is for one that enters.
    pub fn from_call(call: CallId, request: QueueRequest, about: About) -> Self {
        match request {
            QueueRequest::Enter { queue, skills, language, priority } => {
                Self::Entered { call, queue, skills, language, priority, about }
            }
            QueueRequest::Raise { priority } => Self::Raised { call, priority },
            QueueRequest::Leave => Self::Left { call },
            QueueRequest::Taken { agent } => Self::Taken { call, agent },
            QueueRequest::NotTaken { agent, failure } => Self::NotTaken { call, agent, failure },
            QueueRequest::Done { agent } => Self::Done { call, agent },
            QueueRequest::CalledBack => Self::CallbackAnswered { call },
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
    /// Outside the opening hours.
    Closed,
    /// The caller may leave a message.
    Voicemail,
}

/// Why there is no callback.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoCallback {
    /// The queue has none, or is closed: the caller waits on as before.
    NotOffered,
    /// Dialled as often as allowed.
    NotReached,
    /// Not to be made in time.
    TooLate,
}

#[derive(Clone, Debug, PartialEq)]
pub enum FloorAction {
    /// Ring this agent for this call. Several may be rung for one call; `Taken` of the first withdraws the others.
    Offer {
        call: CallId,
        agent: String,
        /// The agent hears a briefing first.
        brief: bool,
    },
    /// Stop ringing: it rang long enough (`NoAnswer`), another answered first (likewise), the agent is busy elsewhere or
    /// gone. Answered by `NotTaken`, or by `Taken` when the answer was on its way: then, if another has the call already,
    /// it is said again. `Unreachable` of an agent who talks: the caller is to be told and `NotTaken` to be said.
    Withdraw { call: CallId, agent: String, failure: AgentFailure },
    /// The call waits at this place (1 is next), for about so long, if history can tell.
    Waiting { call: CallId, position: u32, estimate_s: Option<u32> },
    /// The call is out of the queue.
    GiveUp { call: CallId, why: GiveUp },
    /// The call waits in another queue than the one it entered or was in: for its reason, or by overflow.
    Moved { call: CallId, to: String, reason: Option<Reason> },
    /// The agents of another queue may take it too.
    Widened { call: CallId, to: String },
    /// Ask the caller whether to be called back. `CallbackAgreed` is the yes; a no needs no word.
    OfferCallback { call: CallId },
    /// Agreed: the caller may hang up and keeps this place.
    CallbackKept { call: CallId, position: u32, estimate_s: Option<u32> },
    /// Call the caller; this agent is held for them. Answered by `CallbackAnswered` or `CallbackFailed`.
    Dial { call: CallId, agent: String, attempt: u32 },
    /// It rang long enough, or the callback was cancelled.
    StopDialling { call: CallId },
    /// The call is out of the queue, and may enter it anew if the caller is still there. With `NotOffered` it was never a
    /// callback and waits on.
    CallbackOver { call: CallId, why: NoCallback },
    /// The agent missed so many calls in a row that they are given a rest.
    Resting { agent: String, missed: u32 },
}

impl FloorAction {
    /// What a call is to be told, if this concerns one that can hear it.
    pub fn into_call_event(self) -> Option<(CallId, Event)> {
        Some(match self {
            Self::Offer { call, agent, brief } => (call, Event::AgentFound { agent, brief }),
            Self::Withdraw { call, agent, failure } => (call, Event::AgentFailed { agent, failure }),
            Self::Waiting { call, position, estimate_s } => (call, Event::Waiting { position, estimate_s }),
            Self::GiveUp { call, why: GiveUp::NobodyThere | GiveUp::Closed } => (call, Event::NobodyThere),
            Self::GiveUp { call, why: GiveUp::TooLong | GiveUp::Full | GiveUp::Voicemail } => (call, Event::WaitOver),
            Self::OfferCallback { call } => (call, Event::CallbackOffered),
            Self::CallbackKept { call, position, estimate_s } => (call, Event::CallbackKept { position, estimate_s }),
            Self::CallbackOver { call, why: NoCallback::NotOffered } => (call, Event::CallbackRefused),
            // Who has picked up meanwhile hears of it; else there is nobody to tell.
            Self::StopDialling { call } => (call, Event::WaitOver),
            Self::Moved { .. }
            | Self::Widened { .. }
            | Self::Dial { .. }
            | Self::CallbackOver { .. }
            | Self::Resting { .. } => return None,
        })
    }
}

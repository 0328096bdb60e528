//! The state machine of one call: `Call::handle(now, Event) -> Vec<Action>`. No socket, no clock, no model.

mod action;
mod event;
mod timeline;

pub use action::{Action, Cause, QueueRequest, TimerId};
pub use event::{
    AgentFailure, BackendFailure, CallId, Caller, Event, IntentScore, PromptId, Reading, RequestId, Understanding,
    Utterance,
};
pub use timeline::{Entry, Fact, FactKind, Note, Outcome, Summary};

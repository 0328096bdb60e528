//! The state machine of one call: `Call::handle(now, Event) -> Vec<Action>`. No socket, no clock, no model.
//!
//! `state` holds the call and hands each event to the phase it is in; `bot` walks the flow, `question` reads
//! answers, `form` those that fill several slots, `handoff` brings caller and agent together, `transfer` moves them on,
//! `caring` acts on how callers sound, `ending` lets go; `guard` keeps secrets from reaching it, `personal` what
//! not everybody may see from being shown.

mod action;
mod bot;
mod caring;
mod commands;
mod ending;
mod event;
mod form;
mod guard;
mod handoff;
mod log;
mod personal;
mod question;
mod state;
mod summary;
mod timeline;
mod transfer;
mod weigh;

pub use action::{Action, Cause, QueueRequest, TimerId};
pub use event::{
    AgentFailure, Answer, BackendFailure, CallId, Caller, Event, IntentScore, Passing, PromptId, Reading, RequestId,
    Sign, Understanding, Utterance,
};
pub use guard::{Admitted, Shield};
pub use log::{Logged, replay, replay_log};
pub use personal::hide_personal;
pub use state::Call;
pub use summary::summarise;
pub use timeline::{Entry, Fact, FactKind, Note, Outcome, Summary};
pub use transfer::{Destination, HandoffBy};
pub use weigh::Weight;

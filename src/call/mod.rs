//! The state machine of one call: `Call::handle(now, Event) -> Vec<Action>`. No socket, no clock, no model.
//!
//! `state` holds the call and hands each event to the phase it is in; `bot` walks the flow, `question` reads
//! answers, `form` those that fill several slots, `handoff` brings caller and agent together, `transfer` moves them on,
//! `aside` lends the caller
//! back to the bot, `instead` agrees on callbacks and takes messages, `caring` acts on how callers sound, `ending` lets go; `guard` keeps
//! secrets from reaching it, `personal` what not everybody may see from being shown. `talk` runs a call without sound, and
//! `proof` tries by it what every flow promises.

mod action;
mod aside;
mod bot;
mod caring;
mod commands;
mod confirm;
mod consent;
mod ending;
mod event;
mod form;
mod guard;
mod handoff;
mod instead;
mod keyed;
mod log;
mod meant;
mod number;
mod personal;
mod proof;
mod question;
mod state;
mod summary;
pub mod talk;
mod timeline;
mod transfer;
mod weigh;

pub use action::{Action, Cause, LeftMessage, Promise, QueueRequest, TimerId};
pub use event::{
    AgentFailure, Answer, BackendFailure, CallId, CalledBack, Caller, Event, IntentScore, Passing, PromptId, Reading,
    Reply, RequestId, Sign, Supervision, Talker, Understanding, Utterance,
};
pub use guard::{Admitted, Shield};
pub use log::{Logged, replay, replay_log};
pub use number::comparable;
pub use personal::{hide_caller, hide_personal};
pub use proof::prove;
pub use state::Call;
pub use summary::summarise;
pub use timeline::{Entry, Fact, FactKind, Note, Outcome, Summary};
pub use transfer::{Destination, HandoffBy};
pub use weigh::Weight;

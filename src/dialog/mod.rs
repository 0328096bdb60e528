//! What the bot says and why: flows, prompts, slots, intents, escalation. No I/O, no clock, no model:
//! scores and backend replies come in as values.

pub mod backchannel;
pub(crate) mod check;
pub mod choice;
pub mod commands;
pub mod condition;
pub mod experiment;
pub mod flow;
mod hours;
pub mod instead;
pub mod numerals;
pub mod passages;
pub mod person;
mod prompt;
pub mod refusal;
pub mod slots;
pub mod sound;
pub mod template;
pub mod types;
pub mod values;
mod wording;
pub mod words;

pub use check::{Problem, ProblemKind, alike, check, prompts};
pub use prompt::{Expect, Language, Piece, Prompt};

//! What the bot says and why: flows, prompts, slots, intents, escalation. No I/O, no clock, no model:
//! scores and backend replies come in as values.

pub mod flow;
mod prompt;
mod wording;

pub use prompt::{Expect, Language, Piece, Prompt};

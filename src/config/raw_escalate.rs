//! The shape of `escalate`. Doc comments here are the operator's documentation.

use schemars::JsonSchema;
use serde::Deserialize;

use super::raw::Word;

/// Calls that are more than a call, by reason: what shows it, and what comes of it in the queues, while the caller waits too.
/// Where several reasons name a queue, fraud goes before complaint, complaint before distress, distress before VIP.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Escalate {
    /// Callers who are dear to you.
    pub vip: Option<Escalation>,
    /// Callers who sound upset, as the `emotion` policy has it (`upset`).
    pub distress: Option<Escalation>,
    /// Callers who complain.
    pub complaint: Option<Escalation>,
    /// Callers who speak of fraud.
    pub fraud: Option<Escalation>,
}

/// What shows that a call is such a one, any of it; and what comes of it.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Escalation {
    /// Callers' numbers: `+4420*` for all that begin so, or whole ones. A withheld number is nobody's.
    pub numbers: Vec<Word>,
    /// Intents that were chosen in a menu, by key or in the caller's words.
    pub intents: Vec<String>,
    /// Words: those of the `emotion` policy that it calls `complaint` or `fraud`. For these two, on lines with a policy. Default
    /// false: one such word is quickly said.
    pub words: Option<bool>,
    /// The queue that the call goes to instead of the one it was meant for, while that is open and has somebody who can take it.
    pub queue: Option<String>,
    /// What is added to the call's priority.
    #[schemars(range(min = -100, max = 100))]
    pub points: Option<i32>,
}

//! The shape of a file of dialogue tests. Doc comments here are their documentation.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use super::raw::Word;

/// Conversations with a flow and what must come of them: `frontdesk dialog test` holds them, without sound.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "frontdesk dialogue tests")]
pub struct File {
    /// The configuration, relative to this file.
    pub config: String,
    /// The line that is called. Default: the first.
    pub line: Option<String>,
    /// When the calls arrive, unless a scenario says otherwise: `2026-11-23T15:00:00Z`. Default: that very moment, a Monday.
    pub at: Option<String>,
    /// What backends reply, by name, unless a scenario says otherwise. One that is not named is down.
    #[serde(default)]
    pub backends: BTreeMap<String, Reply>,
    /// The conversations.
    #[schemars(length(min = 1))]
    pub scenarios: Vec<Scenario>,
}

/// What a backend replies: a JSON value, what it refuses with, or how it fails.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Reply {
    /// The reply's JSON.
    pub reply: Option<Value>,
    /// The JSON by which it refuses instead (status 400, 409 or 422).
    pub refuses: Option<Value>,
    /// How it fails instead.
    pub fails: Option<Failure>,
    /// Milliseconds that it takes. Default 300.
    #[schemars(range(min = 0, max = 100_000))]
    pub after_ms: Option<u64>,
}

/// How a backend fails.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
pub enum Failure {
    NotFound,
    Timeout,
    Down,
    Malformed,
}

/// One conversation.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Scenario {
    /// What it shows, in a few words.
    pub scenario: String,
    /// When the call arrives.
    pub at: Option<String>,
    /// The caller's number. Default `+15550100`.
    pub caller: Option<Word>,
    /// What backends reply in this conversation.
    #[serde(default)]
    pub backends: BTreeMap<String, Reply>,
    /// Queues in which nobody is there. Outside its `hours` nobody is in a queue anyway.
    #[serde(default)]
    pub nobody: Vec<String>,
    /// What the caller does and what must come of it, in order.
    #[schemars(length(min = 1))]
    pub turns: Vec<Turn>,
}

/// What the caller does (at most one thing, and how they sound doing it), and what must come of it.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Turn {
    /// The caller says this.
    pub says: Option<Word>,
    /// The caller presses these keys.
    pub presses: Option<Word>,
    /// The caller says nothing until that is noticed; or makes a noise that is no words.
    pub does: Option<Wordless>,
    /// How the caller sounds from here on. Default: calm.
    pub sounds: Option<Sound>,
    /// The bot says this, among other things (capitals do not count); or all of these.
    pub bot: Option<OneOrMore>,
    /// The bot says none of this.
    pub never: Option<OneOrMore>,
    /// The bot is now at this step of the flow.
    pub asks: Option<String>,
    /// It was taken for this intent; `none` for none of them.
    pub intent: Option<String>,
    /// These slots have these values.
    pub slots: BTreeMap<String, Word>,
    /// This backend was asked; or with these values.
    pub calls: Option<Called>,
    /// The answer came from the knowledge base, from a place whose name holds this.
    pub answers_from: Option<String>,
    /// The caller is on the way to a person, by this queue.
    pub transfers: Option<String>,
    /// The caller is to be called back on this number.
    pub calls_back: Option<Word>,
    /// The caller has left a message that holds this.
    pub message: Option<Word>,
    /// The bot has ended the call.
    pub ends: Option<bool>,
}

/// What callers do without words.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
pub enum Wordless {
    Silence,
    Noise,
}

/// How callers sound.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
pub enum Sound {
    Calm,
    Upset,
    Angry,
}

#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(untagged)]
#[schemars(inline)]
pub enum OneOrMore {
    One(Word),
    More(Vec<Word>),
}

#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(untagged)]
#[schemars(inline)]
pub enum Called {
    Backend(String),
    With(BTreeMap<String, BTreeMap<String, Word>>),
}

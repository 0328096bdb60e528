//! The shape of a flow: what a designer of conversations writes. Doc comments here are their documentation.

use std::collections::BTreeMap;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;

use super::raw::Word;
pub use super::raw_step::*;
pub use super::raw_text::*;

/// A conversation: steps that say, ask, look up and decide, and from every one of which a person can be reached.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "frontdesk flow")]
pub struct Flow {
    /// The flow's name, by which lines refer to it.
    pub flow: String,
    /// The language spoken: `en`, `zh`, `es`, ...
    pub language: String,
    /// Further languages in which every text is given.
    #[serde(default)]
    pub languages: Vec<String>,
    /// Go on in another of these languages when the caller speaks it. Default false.
    #[serde(default)]
    pub detect_language: bool,
    /// Where "a person, please" and key 0 lead, at any time.
    pub person: Person,
    /// The first step.
    pub start: String,
    /// The steps, by names of your choice.
    pub steps: BTreeMap<String, Step>,
    /// What callers may want, by names of your choice.
    #[serde(default)]
    pub intents: BTreeMap<String, Intent>,
    /// Opening hours, by names of your choice.
    #[serde(default)]
    pub hours: BTreeMap<String, Hours>,
    /// What values are, by their names: what a backend or a list of people tells, and what a step remembers. A reply whose value is
    /// none such counts as malformed, and the step goes its `failed` way; `check` tells where a value is read out, compared or
    /// filled as what it is not. What callers are asked for needs no type: `ask` says it.
    #[serde(default)]
    pub types: BTreeMap<String, Type>,
    /// What answers questions that no intent of a menu knows. What nothing is known about goes to a person.
    pub knowledge: Option<FreeQuestions>,
    /// What callers may say at any question, whatever it asks: to switch off, or to know more words for.
    #[serde(default)]
    pub commands: Commands,
    /// What agents may send a caller back for while they wait (`pin: check_pin`): flows that return, by the names that the
    /// desk shows. What such a flow asks and finds is on the agent's page.
    #[serde(default)]
    pub desk_steps: BTreeMap<String, String>,
    /// Words said outside any one step, where the built-in ones do not suit.
    #[serde(default)]
    pub texts: Texts,
    /// Failed attempts at one question that take the caller to a person. Default 2.
    #[schemars(range(min = 1, max = 10))]
    pub attempts: Option<u32>,
    /// What is done about callers who swear at the bot. Default `person`.
    #[serde(default)]
    pub swearing: Swearing,
    /// Seconds of silence after a question until it is asked again. Default 6.
    #[schemars(range(min = 2, max = 60))]
    pub silence_s: Option<u64>,
}

/// What is done about callers who swear at the bot.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
pub enum Swearing {
    /// They are put through to a person.
    #[default]
    Person,
    /// Nothing; it is a sign of distress for the line's `emotion`, if it has that.
    Ignore,
}

/// What a value is: `text` (any words), `number` (`3.5`), `money` (an amount with its currency: `12.50 EUR`), `date`
/// (`2026-11-03`; a time of day may follow), `time` (`15:30`), `phone`, `code` (letters and digits), `yes_no`.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Type {
    Text,
    Number,
    Money,
    Date,
    Time,
    Phone,
    Code,
    YesNo,
}

/// Free questions, and where a flow answers them from.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FreeQuestions {
    /// The knowledge base, by its name in the configuration.
    pub base: String,
    /// The step that follows an answer. Default: the menu that was asked, once more.
    pub next: Option<String>,
    /// What no passage answers surely is put to the configuration's `llm`, with the passages nearest to it. Its words are said
    /// only where every number and name in them stands in those passages. Default false.
    #[serde(default)]
    pub model: bool,
    /// Milliseconds that callers wait for the model at most. Default 2000.
    #[schemars(range(min = 300, max = 5000))]
    pub within_ms: Option<u64>,
}

/// Commands that callers may give at any question. Each knows words in English, Mandarin and Spanish; what a step offers
/// in the same words goes before it.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Commands {
    /// "Help", "what can I say?": the question, and how to answer it. `false`: off; or a list of further words.
    pub help: Option<Command>,
    /// "Repeat that", "pardon?", and key `*` where the step does not use it: once more. `false`: off; or further words.
    pub repeat: Option<Command>,
    /// "Slower, please": once more, and slower from there on. `false`: off; or further words.
    pub slower: Option<Command>,
    /// "Go back": the question before, its answer forgotten; at most to what was last fetched. `false`: off; or further
    /// words.
    pub back: Option<Command>,
    /// "Start over", "main menu": the flow from its first step, everything forgotten. `false`: off; or further words.
    pub start_over: Option<Command>,
    /// "English, please", "another language": on in that language, where the flow speaks it. `false`: off; or further
    /// words for the next of its languages.
    pub language: Option<Command>,
}

/// Whether a command is understood, or further words for it, in any language.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Command {
    Known(bool),
    Words(Vec<Word>),
}

/// Where callers go who want a person.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Person {
    /// The queue.
    pub queue: String,
    /// Skills the agent needs, besides the queue's own.
    #[serde(default)]
    pub skills: Vec<String>,
    /// Higher goes first. Default 0.
    #[schemars(range(min = -100, max = 100))]
    #[serde(default)]
    pub priority: i32,
    /// Said before the caller is put on the way.
    pub say: Option<Text>,
}

/// What callers may want, shown by example.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Intent {
    /// How the summary for the agent names it ("balance enquiry"). Default: the intent's name.
    pub label: Option<Label>,
    /// Sentences callers say when they want it; eight or more, as different as callers are.
    #[schemars(length(min = 3))]
    pub examples: Vec<String>,
}

/// Opening hours: days or ranges of days, each with times.
#[derive(Debug, Deserialize)]
pub struct Hours {
    pub zone: String,
    #[serde(default)]
    pub closed: Vec<String>,
    #[serde(flatten)]
    pub days: BTreeMap<String, Spans>,
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub enum Spans {
    One(String),
    Many(Vec<String>),
}

impl JsonSchema for Hours {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Hours".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "Opening hours.",
            "type": "object",
            "properties": {
                "zone": { "type": "string", "description": "The time zone: `Europe/Berlin`, `Asia/Shanghai`, ..." },
                "closed": {
                    "type": "array",
                    "items": { "type": "string" },
                    "default": [],
                    "description": "Dates that are closed all day: `2026-12-25`.",
                },
            },
            "patternProperties": {
                DAYS: {
                    "description": "A day (`sat`) or a range of days (`mon-fri`), with its hours: `\"09:00-17:00\"`, or a list of such. Hours that end before they begin run past midnight.",
                    "anyOf": [{ "type": "string" }, { "type": "array", "items": { "type": "string" }, "minItems": 1 }],
                },
            },
            "required": ["zone"],
            "additionalProperties": false,
        })
    }
}

/// A day or a range of days, as a pattern.
const DAYS: &str = "^(mon|tue|wed|thu|fri|sat|sun)(-(mon|tue|wed|thu|fri|sat|sun))?$";

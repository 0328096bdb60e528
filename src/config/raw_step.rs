//! The shape of a flow's steps. Doc comments here are their documentation.

use std::collections::BTreeMap;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;

use super::raw::Word;
use super::raw_decide::{Decide, Experiment, Remember};
use super::raw_text::{Label, Text};

/// One step. Its first key says which kind it is.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(untagged)]
#[allow(clippy::large_enum_variant)] // short-lived
pub enum Step {
    Say(Say),
    Disclose(Disclose),
    Menu(Menu),
    Ask(Ask),
    Form(Form),
    Fetch(Fetch),
    Remember(Remember),
    Decide(Decide),
    Experiment(Experiment),
    Hours(ByHours),
    Transfer(Transfer),
    Callback(CallbackStep),
    Message(MessageStep),
    Call(Call),
    Return(Return),
    HangUp(HangUp),
}

/// The keys that tell the kinds of steps apart.
pub(super) const STEP_KINDS: [&str; 16] = [
    "say",
    "disclose",
    "menu",
    "ask",
    "form",
    "fetch",
    "remember",
    "decide",
    "experiment",
    "hours",
    "transfer",
    "callback",
    "message",
    "call",
    "return",
    "hang_up",
];

/// Says something and goes on.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Say {
    /// What is said.
    pub say: Text,
    /// The step that follows.
    pub next: String,
}

/// Tells callers what is done with their voice: that it is analysed for how they sound, that the call is recorded. From here
/// on it is, where the line has an `emotion` policy and the house records calls, unless they refuse: by a "no" to this or to
/// the question that follows, or by a key. Where a flow has such a step, it is not done before. Who refuses to be recorded is
/// not, whoever they talk to; what they leave as a message is kept.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Disclose {
    /// What is said; tell how to refuse.
    pub disclose: Text,
    /// What of. Default `[emotion]`.
    #[serde(default = "of_emotion")]
    #[schemars(length(min = 1))]
    pub of: Vec<Disclosed>,
    /// The key that refuses; one that the menu that follows does not use: 1-9, `*` or `#`.
    pub key: Option<Word>,
    /// The step that follows.
    pub next: String,
}

/// What callers are told of: `emotion` (how they sound is analysed), `recording` (the call is recorded).
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Disclosed {
    Emotion,
    Recording,
}

fn of_emotion() -> Vec<Disclosed> {
    vec![Disclosed::Emotion]
}

/// Asks what the caller wants: by key, by word, or in their own words.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Menu {
    /// The question.
    pub menu: Text,
    /// The question where an answer was not understood, or none came. Default: the same once more.
    pub again: Option<Text>,
    /// What callers in distress are asked instead. Default: the question's first sentence.
    pub short: Option<Text>,
    /// The answers. Each needs a key, an intent or phrases.
    #[schemars(length(min = 1))]
    pub options: Vec<MenuOption>,
}

/// One answer of a menu.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MenuOption {
    /// The key on the telephone: 1-9, `*`, `#`. Key 0 always leads to a person.
    pub key: Option<Word>,
    /// The intent that chooses it, whatever the words.
    pub intent: Option<String>,
    /// Words that choose it outright.
    #[serde(default)]
    pub phrases: Vec<Word>,
    /// The step that follows.
    pub next: String,
}

/// Asks for one thing and keeps it under a name.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Ask {
    /// The question.
    pub ask: Text,
    /// The question where an answer was not understood, or none came. Default: the same once more.
    pub again: Option<Text>,
    /// The name under which the answer is kept, for `{name}` in texts.
    pub slot: String,
    /// What the answer is: `digits`, `code` (letters and digits), `yes_no`, `free` (whatever is said), `number`, `date`,
    /// `time`, `money`, `phone`, `street_number`, `postcode`, `list` (one of `values`), `name` (one of `values`, which
    /// are names of people).
    #[serde(rename = "type")]
    pub kind: AskKind,
    /// How many digits or characters it has.
    #[schemars(range(min = 1, max = 64))]
    pub length: Option<usize>,
    /// The fewest digits or characters, where `length` is not fixed; of a `number`, the least.
    pub min: Option<f64>,
    /// The most digits or characters, where `length` is not fixed; of a `number`, the greatest.
    pub max: Option<f64>,
    /// What a `list` or `name` may be.
    #[serde(default)]
    pub values: Vec<ListValue>,
    /// Several of a list's values may be said. Default false.
    #[serde(default)]
    pub many: bool,
    /// The currency of `money` where callers name none (ISO 4217): `USD`, `EUR`, `CNY`, ...
    pub currency: Option<String>,
    /// The country of a `postcode`: at, au, be, br, ca, ch, cn, de, dk, es, fr, gb, in, it, jp, kr, mx, nl, pl, pt, se, sg, us.
    pub country: Option<String>,
    /// A `date` without a year is the last such day, not the next; one that is to come is not taken. Default false.
    #[serde(default)]
    pub past: bool,
    /// Reads the answer back and asks whether it is right: `"I heard {account:code}. Is that right?"`.
    pub confirm: Option<Text>,
    /// By keys only, and kept nowhere: PINs. Default false.
    #[serde(default)]
    pub secret: bool,
    /// What is said here is shown only to who may see personal data; in the sealed record it stands. Default false.
    #[serde(default)]
    pub personal: bool,
    /// How the summary for the agent names it ("account number"). Default: the slot's name.
    pub label: Option<Label>,
    /// The step that follows.
    pub next: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
pub enum AskKind {
    Digits,
    Code,
    YesNo,
    Free,
    Number,
    Date,
    Time,
    Money,
    Phone,
    StreetNumber,
    Postcode,
    List,
    Name,
}

/// One value of a list: its word, or the word with what else it may be called.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
pub enum ListValue {
    One(Word),
    Named(NamedValue),
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NamedValue {
    pub value: Word,
    pub say: Option<Label>,
    #[serde(default)]
    pub also: Vec<Word>,
}

impl JsonSchema for ListValue {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "ListValue".into()
    }
    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let word = generator.subschema_for::<Word>();
        let label = generator.subschema_for::<Label>();
        json_schema!({
            "description": "One value of a list: its word, or the word with what else it may be called.",
            "anyOf": [
                word,
                {
                    "type": "object",
                    "properties": {
                        "value": { "description": "The word by which it is kept and sent to backends.", "anyOf": [word] },
                        "say": { "description": "How it is read out. Default: its word.", "anyOf": [label] },
                        "also": { "description": "Other words for it, in any language.", "type": "array", "items": word, "default": [] },
                    },
                    "required": ["value"],
                    "additionalProperties": false,
                },
            ],
        })
    }
}

/// Fills several slots from whatever the caller says, in any order, and asks only for what is missing. What was heard
/// poorly is read back; "no, make it large" corrects it.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Form {
    /// The question that is asked first: "What would you like?"
    pub form: Text,
    /// The question where an answer was not understood, or none came. Default: the same once more.
    pub again: Option<Text>,
    /// What is filled, in the order in which what is missing is asked for.
    #[schemars(length(min = 1))]
    pub slots: Vec<FormSlot>,
    /// Reads everything back and asks whether it is right. Default: only what was heard poorly is read back.
    pub confirm: Option<Text>,
    /// The step that follows.
    pub next: String,
}

/// One slot of a form.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FormSlot {
    /// The name under which the answer is kept, for `{name}` in texts.
    pub slot: String,
    /// Asks for this slot alone, where it is missing. Without it, it is not asked for and may stay empty.
    pub ask: Option<Text>,
    /// The question where an answer was not understood, or none came. Default: the same once more.
    pub again: Option<Text>,
    /// What the answer is: `digits`, `code` (letters and digits), `yes_no`, `free` (whatever is said), `number`, `date`,
    /// `time`, `money`, `phone`, `street_number`, `postcode`, `list` (one of `values`), `name` (one of `values`, which
    /// are names of people).
    #[serde(rename = "type")]
    pub kind: AskKind,
    /// How many digits or characters it has.
    #[schemars(range(min = 1, max = 64))]
    pub length: Option<usize>,
    /// The fewest digits or characters, where `length` is not fixed; of a `number`, the least.
    pub min: Option<f64>,
    /// The most digits or characters, where `length` is not fixed; of a `number`, the greatest.
    pub max: Option<f64>,
    /// What a `list` or `name` may be.
    #[serde(default)]
    pub values: Vec<ListValue>,
    /// Several of a list's values may be said. Default false.
    #[serde(default)]
    pub many: bool,
    /// The currency of `money` where callers name none (ISO 4217): `USD`, `EUR`, `CNY`, ...
    pub currency: Option<String>,
    /// The country of a `postcode`: at, au, be, br, ca, ch, cn, de, dk, es, fr, gb, in, it, jp, kr, mx, nl, pl, pt, se, sg, us.
    pub country: Option<String>,
    /// A `date` without a year is the last such day, not the next; one that is to come is not taken. Default false.
    #[serde(default)]
    pub past: bool,
    /// What is said here is shown only to who may see personal data; in the sealed record it stands. Default false.
    #[serde(default)]
    pub personal: bool,
    /// How the summary for the agent names it ("size"). Default: the slot's name.
    pub label: Option<Label>,
}

/// Asks a backend.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Fetch {
    /// The backend's name.
    pub fetch: String,
    /// What is sent: names of the backend's parameters, and their values, with `{slot}` for what was collected.
    #[serde(default)]
    pub with: BTreeMap<String, Word>,
    /// What is kept of the reply: a name of your choice, and where in the reply's JSON it stands (`/city`). Two places
    /// with a space between are joined: `/balance /currency` for an amount that is read as money.
    #[serde(default)]
    pub save: BTreeMap<String, String>,
    /// Said when the reply takes more than a moment.
    pub wait: Option<Text>,
    /// The slot that a good reply proves right, as a PIN proves an account: the summary says so, and the value `verified` is
    /// `yes` from then on, until such a step is answered otherwise.
    pub verifies: Option<String>,
    /// How the summary for the agent names what was done ("balance looked up"). Default: the backend's name.
    pub label: Option<Label>,
    /// The step that follows.
    pub next: String,
    /// The step that follows when the backend knows no such thing (HTTP 404).
    pub not_found: String,
    /// What follows when the backend will not do it (HTTP 400, 409 or 422). Default: as where it fails.
    pub refused: Option<Refused>,
    /// How often a call may be answered by `not_found` or `refused` here, as with a wrong PIN. Default: without limit.
    pub attempts: Option<Attempts>,
    /// The step that follows when the backend is down, late, or answers nonsense.
    pub failed: String,
}

/// A limit to tries at a backend, in one call.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Attempts {
    /// So many tries.
    #[schemars(range(min = 1, max = 10))]
    pub most: u32,
    /// The step that follows the last of them, in place of `not_found` and `refused`, and whenever the call comes here again:
    /// the backend is not asked any more.
    pub spent: String,
}

/// What follows when a backend will not do what it is asked.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Refused {
    /// What is kept of its reply, as by `save` of the step. What the reply lacks is empty.
    #[serde(default)]
    pub save: BTreeMap<String, String>,
    /// The step that follows.
    pub next: String,
}

/// Goes on by the clock.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ByHours {
    /// The name of the opening hours.
    pub hours: String,
    /// The step that follows inside them.
    pub open: String,
    /// The step that follows outside them.
    pub closed: String,
}

/// Takes the caller to a person.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Transfer {
    /// The queue.
    pub transfer: String,
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

/// Has the caller called back: the number is read back or asked for, and the caller keeps a place in the queue.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CallbackStep {
    /// The queue; it needs a `callback` of its own.
    pub callback: String,
    /// Skills the agent needs, besides the queue's own.
    #[serde(default)]
    pub skills: Vec<String>,
    /// Higher goes first. Default 0.
    #[schemars(range(min = -100, max = 100))]
    #[serde(default)]
    pub priority: i32,
    /// Said before the number is asked about.
    pub say: Option<Text>,
    /// The step that follows when it is agreed on. Default: goodbye.
    pub next: Option<String>,
    /// The step that follows when the caller does not want it. Default: goodbye.
    pub declined: Option<String>,
}

/// Takes a message: it is recorded, written down, and kept for the people of a queue (`frontdesk calls messages`).
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MessageStep {
    /// The queue.
    pub message: String,
    /// Said before it is recorded; tell that `#` or hanging up ends it. Default: the built-in words.
    pub say: Option<Text>,
    /// The step that follows. Default: goodbye.
    pub next: Option<String>,
}

/// Goes through another flow and comes back. Its steps, intents and hours count as this flow's; its `person`, `texts` and
/// other settings do not. Every value it keeps is known here, and the other way round.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Call {
    /// The flow, by its name.
    pub call: String,
    /// The step that follows its `return`.
    pub next: String,
}

/// Ends a flow that another one called: that one goes on. Where nobody called it, the caller goes to a person.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Return {
    /// `true`.
    #[serde(rename = "return")]
    pub back: bool,
}

/// Ends the call.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct HangUp {
    /// Said before hanging up.
    pub hang_up: Text,
}

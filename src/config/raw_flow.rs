//! The shape of a flow: what a designer of conversations writes. Doc comments here are their documentation.

use std::collections::BTreeMap;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;

use super::raw::Word;
use super::raw_decide::{Decide, Experiment, Remember};
use crate::dialog::{self, flow::FlowTexts};

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

/// What a value is.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Type {
    /// Any words.
    Text,
    /// `3.5`.
    Number,
    /// An amount with its currency: `12.50 EUR`.
    Money,
    /// `2026-11-03`; a time of day may follow.
    Date,
    /// `15:30`; seconds may follow.
    Time,
    /// A telephone number.
    Phone,
    /// Letters and digits.
    Code,
    /// `yes` or `no`.
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

/// A few words for the summary: one text, or one a language.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
pub enum Label {
    One(String),
    Each(BTreeMap<String, String>),
}

impl JsonSchema for Label {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Label".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "A few words for the summary: one text, or one for each language.",
            "anyOf": [
                { "type": "string", "minLength": 1 },
                {
                    "type": "object",
                    "patternProperties": { LANGUAGE: { "type": "string", "minLength": 1 } },
                    "additionalProperties": false,
                    "minProperties": 1,
                },
            ],
        })
    }
}

/// What is said: a text, a recording, or either for each language.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
pub enum Text {
    One(String),
    Recording(Recorded),
    Each(BTreeMap<String, Spoken>),
}

#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
pub enum Spoken {
    Text(String),
    Recording(Recorded),
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Recorded {
    pub file: String,
    /// What the recording says, for transcripts.
    pub text: Option<String>,
}

impl JsonSchema for Text {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Text".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let text = json_schema!({ "type": "string", "minLength": 1 });
        let recording = json_schema!({
            "type": "object",
            "properties": {
                "file": { "type": "string", "minLength": 1, "description": "A sound file (wav, mp3, ogg, flac), relative to the flow's file." },
                "text": { "type": "string", "minLength": 1, "description": "What it says, for the transcript." },
            },
            "required": ["file"],
            "additionalProperties": false,
        });
        json_schema!({
            "description": "What is said: a text, a recording `{ file: ... }`, or either for each language. A text may \
                hold values: `{account}`, or with how to read it `{account:code}`, `{balance:money}`; one of code, \
                phone, number, money, date, time.",
            "anyOf": [
                text,
                recording,
                {
                    "type": "object",
                    "patternProperties": { LANGUAGE: { "anyOf": [text, recording] } },
                    "additionalProperties": false,
                    "minProperties": 1,
                },
            ],
        })
    }
}

/// A language's tag (BCP 47), as a pattern. `file` and `text` are none.
const LANGUAGE: &str = "^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*$";

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

/// Defines `Texts` and its way into `FlowTexts`, field by field; a word that one lacks does not compile.
macro_rules! texts {
    ($($(#[doc = $doc:literal])+ $key:ident $(or $other:ident)?;)+) => {
        /// Words said outside any one step.
        #[derive(Debug, Default, Deserialize, JsonSchema)]
        #[serde(deny_unknown_fields, default)]
        pub struct Texts {
            $($(#[doc = $doc])+ pub $key: Option<Text>,)+
        }

        impl Texts {
            /// Every word: its key, what the operator gave, what may stand in for it.
            pub fn each(&self) -> Vec<Words<'_>> {
                vec![$(Words {
                    key: stringify!($key),
                    given: self.$key.as_ref(),
                    other: None$(.or(Some(stringify!($other))))?,
                },)+]
            }

            /// The same words of a flow, to be set; in the same order.
            pub fn places(words: &mut FlowTexts) -> Vec<&mut dialog::flow::Text> {
                let FlowTexts { $($key,)+ } = words;
                vec![$($key,)+]
            }
        }
    };
}

/// A word said outside any one step.
pub struct Words<'t> {
    pub key: &'static str,
    pub given: Option<&'t Text>,
    /// Stands in for it in languages that have neither this word built in nor given.
    pub other: Option<&'static str>,
}

texts! {
    /// When nothing could be heard in what came.
    not_heard;
    /// When the words were heard, but fit nothing.
    not_understood;
    /// When the caller says nothing.
    silence;
    /// On the way to a person.
    to_person;
    /// When everybody is on the phone.
    all_busy;
    /// When nobody can be reached.
    no_agent;
    /// Before hanging up.
    goodbye;
    /// When something does not work on our side.
    sorry;
    /// When hearing does not work, and keys must do.
    keys_only or not_heard;
    /// How to answer a menu, before the last attempt.
    hint_menu or not_understood;
    /// How to give digits, before the last attempt.
    hint_digits or not_understood;
    /// How to give a code, before the last attempt.
    hint_code or not_understood;
    /// How to say yes or no, before the last attempt.
    hint_yes_no or not_understood;
    /// How to answer freely, before the last attempt.
    hint_free or not_understood;
    /// How to give a secret, before the last attempt.
    hint_secret or not_understood;
    /// Reads back what was heard poorly, `{value}`, and asks whether it is right.
    read_back or not_understood;
    /// When the caller says that what was read back is wrong.
    misheard or not_understood;
    /// When the caller says that what was read back of a form is wrong, and not what.
    what_to_change or misheard;
    /// When a backend takes longer than a moment.
    patience or to_person;
    /// When it still does.
    still_looking or to_person;
    /// The place in the queue, `{position}`, from the second.
    position or all_busy;
    /// When the caller is next in the queue.
    next_in_line or all_busy;
    /// The wait expected, `{minutes}`, from two.
    estimate or all_busy;
    /// When the queue's longest wait is over: whether to keep trying (yes or no).
    still_busy or all_busy;
    /// When the engine shuts down.
    drain or sorry;
    /// When the engine shuts down, and a person is sought meanwhile.
    drain_to_person or to_person;
    /// To a caller in distress, once a call, before whatever is said next.
    comfort or sorry;
    /// Offers a person to a caller in distress; a yes is enough.
    offer_person or hint_menu;
    /// When a person was sought for a caller who had not asked for one, and nobody is there.
    nobody_yet or no_agent;
    /// When the caller does not want their voice to be analysed.
    not_analysed or patience;
    /// When the caller does not want to be recorded.
    not_recorded or patience;
    /// When nobody is there to take the call, before what else there is.
    nobody_there or no_agent;
    /// When the wait is long, before what else there is.
    long_wait or all_busy;
    /// Offers to call back: by key 1, or by "call me back". Where a language has no words for it, it is not offered.
    offer_callback;
    /// Offers to take a message: by key 2, or by "message". Where a language has no words for it, it is not offered.
    offer_message;
    /// Offers to wait on: by key 3, or by "wait".
    offer_wait;
    /// Whether to call back on `{number}` (yes or no).
    callback_number;
    /// On which number to call back.
    ask_number;
    /// When that number cannot be called.
    number_refused or sorry;
    /// When the callback is kept.
    callback_kept;
    /// When that number is to be called back already, and keeps that place.
    callback_stands or callback_kept;
    /// How to leave a message, which is recorded from then on.
    message_now;
    /// When the message is kept.
    message_kept or goodbye;
    /// To who was called back and has picked up.
    called_back or to_person;
}

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

/// What callers are told of.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Disclosed {
    /// How they sound is analysed.
    Emotion,
    /// The call is recorded.
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

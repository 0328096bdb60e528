//! A flow as checked values: what an operator's file becomes once every mistake in it has been reported.
//! `config` builds these; `dialog` walks them.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use super::Language;
use super::commands::Commands;
pub use super::condition::{Condition, Day, Limit, Test};
use super::template::{self, ReadAs};
use super::types::Type;
use super::values::Values;
use crate::emotion::policy::Policy;

/// One conversation plan. Invariants held by `config`: every step named exists, every text has every
/// configured language, every step has a way to a person.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Flow {
    pub name: String,
    /// Spoken at first, and where a text lacks nothing else.
    pub language: Language,
    pub start: String,
    pub steps: BTreeMap<String, Step>,
    pub intents: BTreeMap<String, Intent>,
    pub hours: BTreeMap<String, Hours>,
    /// Where "a person, please" leads, from every step.
    pub person: Transfer,
    pub lines: FlowTexts,
    /// Failed attempts at one question that take the caller to a person; 2 is usual. (Silence is counted apart.)
    pub attempts: u32,
    /// Silence after a question before it counts as a failed attempt, ms.
    pub silence_ms: u64,
    /// Who swears at the bot is put through to a person.
    #[serde(default = "yes")]
    pub swearing: bool,
    /// Calls are recorded.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub recorded: bool,
    /// What is done for callers in distress; none: nobody listens for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub emotion: Option<Policy>,
    /// The flow goes on in another of its languages when the caller speaks that one.
    #[serde(default)]
    pub detect_language: bool,
    /// What values are, of those of which the flow says so.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub types: BTreeMap<String, Type>,
    /// Where free questions are answered from; none: nowhere.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub knowledge: Option<FreeQuestions>,
    /// What was changed about "repeat", "go back" and their like.
    #[serde(default, skip_serializing_if = "is_unchanged")]
    pub commands: Commands,
    /// Slots that hold personal data: shown only to who may see them (`call::hide_personal`).
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub personal: BTreeSet<String>,
    /// What agents may send a caller back for: the first step of each, by its name at the desk. The last leads to
    /// [`DESK_RETURN`].
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub desk_steps: BTreeMap<String, String>,
    /// What may be known of callers when they call; none: nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub people: Option<KnownPeople>,
    /// What callers are offered whom nobody of a queue takes, by queue; none: nothing.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub instead: BTreeMap<String, Instead>,
}

fn yes() -> bool {
    true
}

/// Values that a call may have from its beginning, besides those that every call has.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KnownPeople {
    pub values: BTreeSet<String>,
    /// The one that is added to the priority of every queue.
    pub priority: Option<String>,
}

/// The step that leads a caller back to the agent who waits; to a person where none does.
pub const DESK_RETURN: &str = "(desk)/return";

impl Flow {
    /// Whether callers of this queue whom nobody takes are offered a callback, and whether a message, in this language: it
    /// must have the words.
    pub fn offers(&self, queue: &str, language: &Language) -> (bool, bool) {
        let Some(instead) = self.instead.get(queue) else { return (false, false) };
        let lines = &self.lines;
        let speaks = |texts: &[&Text]| texts.iter().all(|text| text.is_in(language));
        let callback = [&lines.offer_callback, &lines.callback_number, &lines.ask_number, &lines.callback_kept];
        let message = [&lines.offer_message, &lines.message_now, &lines.message_kept];
        (instead.callback.is_some() && speaks(&callback), instead.message && speaks(&message))
    }
}

/// What a caller may have instead of a person.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Instead {
    /// Numbers that may be called back (`+4420*`: all that begin so); none: nobody is called back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub callback: Option<Vec<String>>,
    /// A message may be left.
    pub message: bool,
}

impl Instead {
    /// Whether this number may be called back. Spaces and dashes do not count.
    pub fn calls(&self, number: &str) -> bool {
        self.callback.as_ref().is_some_and(|numbers| is_among(numbers, number))
    }
}

/// Whether a telephone number is one of these, or begins as one of them that ends in `*` does. Spaces and dashes do not count.
pub fn is_among(patterns: &[String], number: &str) -> bool {
    let Some(number) = dialled(number) else { return false };
    let fits = |pattern: &String| match pattern.strip_suffix('*') {
        Some(beginning) => number.starts_with(beginning),
        None => number == *pattern,
    };
    patterns.iter().any(fits)
}

/// A telephone number as it is dialled, without spaces and dashes; none: it is none.
pub(super) fn dialled(number: &str) -> Option<String> {
    let number: String = number.chars().filter(|c| !matches!(c, ' ' | '-' | '(' | ')' | '/')).collect();
    let digits = number.strip_prefix('+').unwrap_or(&number);
    (digits.len() >= 3 && digits.bytes().all(|c| c.is_ascii_digit())).then_some(number)
}

fn is_unchanged(commands: &Commands) -> bool {
    *commands == Commands::default()
}

/// A knowledge base that answers what fits no option of a menu.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FreeQuestions {
    /// Name of a configured base.
    pub base: String,
    /// The step after an answer; none: the menu once more.
    pub next: Option<String>,
    /// A language model may answer what no passage answers surely: how long callers wait for it, ms.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model_ms: Option<u64>,
}

impl Flow {
    /// The steps at which a caller comes in: at first, or sent by an agent.
    pub fn entries(&self) -> impl Iterator<Item = &str> {
        std::iter::once(&self.start).chain(self.desk_steps.values()).map(String::as_str)
    }

    /// Whether a value may be this, by what the flow says that it is.
    pub fn admits(&self, name: &str, value: &str) -> bool {
        self.types.get(name).is_none_or(|of| of.admits(value))
    }

    /// Whether a step tells callers of this: it is not done before.
    pub fn discloses(&self, what: Disclosed) -> bool {
        self.steps.values().any(|step| matches!(step, Step::Disclose { of, .. } if of.contains(&what)))
    }

    /// The languages it speaks, the present one first.
    pub fn languages(&self) -> Vec<Language> {
        let goodbye = &self.lines.goodbye; // has every one
        let others = goodbye.texts.keys().chain(goodbye.recordings.keys());
        let mut languages = vec![self.language.clone()];
        for language in others {
            if !languages.contains(language) {
                languages.push(language.clone());
            }
        }
        languages
    }

    /// The clock by which callers say "today": that of its first opening hours, else UTC.
    pub fn zone(&self) -> chrono_tz::Tz {
        self.hours.values().next().map_or(chrono_tz::UTC, |hours| hours.zone)
    }

    /// These values, and those that are remembered of them.
    pub fn made_of<'a>(&'a self, mut values: BTreeSet<&'a str>) -> BTreeSet<&'a str> {
        let kept = || {
            let steps = self.steps.values().filter_map(|step| match step {
                Step::Remember { values, .. } => Some(values),
                _ => None,
            });
            steps.flatten()
        };
        // Each round finds one more, or is the last.
        while let Some((name, _)) = kept().find(|(name, template)| {
            let of = |template: &String| template::names(template).iter().any(|name| values.contains(name.as_str()));
            !values.contains(name.as_str()) && of(template)
        }) {
            values.insert(name);
        }
        values
    }

    /// The same flow, spoken in another of its languages (for a line that begins in it).
    pub fn in_language(&self, language: &Language) -> Self {
        Self { language: language.clone(), ..self.clone() }
    }

    /// The first step from `step` on that neither decides nor remembers, as things stand.
    pub fn after_deciding<'a>(&'a self, step: &'a str, values: &Values, today: NaiveDate) -> &'a str {
        let (mut name, mut values) = (step, Cow::Borrowed(values));
        for _ in 0..self.steps.len() {
            match self.steps.get(name) {
                Some(Step::Decide { branches, otherwise }) => name = decided(branches, otherwise, &values, today),
                Some(Step::Remember { values: remembered, next }) => {
                    values.to_mut().remember(remembered);
                    name = next;
                }
                _ => break,
            }
        }
        name
    }
}

/// Where a decision leads.
pub fn decided<'a>(branches: &'a [Branch], otherwise: &'a str, values: &Values, today: NaiveDate) -> &'a str {
    branches.iter().find(|branch| branch.when.holds(values, today)).map_or(otherwise, |branch| &branch.next)
}

/// Words an operator may change, said outside any one step. `Default` has them in English and Mandarin
/// (`dialog::wording`); a language beyond these needs its own. Templates, as all texts.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct FlowTexts {
    pub not_heard: Text,
    pub not_understood: Text,
    pub silence: Text,
    pub to_person: Text,
    pub all_busy: Text,
    pub no_agent: Text,
    pub goodbye: Text,
    pub sorry: Text,
    /// The recogniser is not there: keys only from here on.
    pub keys_only: Text,
    /// How to answer, said before the last attempt at a question.
    pub hint_menu: Text,
    pub hint_digits: Text,
    pub hint_code: Text,
    pub hint_yes_no: Text,
    pub hint_free: Text,
    pub hint_secret: Text,
    /// Reads back what was heard poorly, `{value}`, and asks whether it is right.
    pub read_back: Text,
    /// The caller said that what was read back is wrong.
    pub misheard: Text,
    /// What was read back of a form is wrong: which of it?
    pub what_to_change: Text,
    /// A backend, or what the caller meant, takes longer than a moment.
    pub patience: Text,
    /// It still does.
    pub still_looking: Text,
    /// The place in the queue, `{position}`, from 2.
    pub position: Text,
    pub next_in_line: Text,
    /// The wait expected, `{minutes}`, from 2.
    pub estimate: Text,
    /// The queue's longest wait is over: keep trying? (yes or no)
    pub still_busy: Text,
    /// The engine shuts down.
    pub drain: Text,
    /// The engine shuts down, and a person is sought meanwhile.
    pub drain_to_person: Text,
    /// To a caller in distress, once a call.
    pub comfort: Text,
    /// Offers a person to a caller in distress (a yes is enough).
    pub offer_person: Text,
    /// A person was sought for a caller who had not asked, and nobody is there.
    pub nobody_yet: Text,
    /// The caller does not want their voice to be analysed.
    pub not_analysed: Text,
    /// The caller does not want to be recorded.
    pub not_recorded: Text,
    /// Nobody is there; what else there is follows.
    pub nobody_there: Text,
    /// The wait is long; what else there is follows.
    pub long_wait: Text,
    /// Offers a callback (key 1), a message (key 2), to keep waiting (key 3).
    pub offer_callback: Text,
    pub offer_message: Text,
    pub offer_wait: Text,
    /// Asks whether to call back on `{number}` (yes or no).
    pub callback_number: Text,
    /// Asks for a number to call back.
    pub ask_number: Text,
    /// That number cannot be called.
    pub number_refused: Text,
    /// The callback is kept.
    pub callback_kept: Text,
    /// The number was to be called back already, and keeps that place.
    pub callback_stands: Text,
    /// A message is recorded from here on.
    pub message_now: Text,
    pub message_kept: Text,
    /// To who was called back and has picked up.
    pub called_back: Text,
}

impl FlowTexts {
    /// Words for what callers may have instead of a person, by their keys: what a language has no words for is not
    /// offered in it.
    pub const INSTEAD: [&'static str; 13] = [
        "nobody_there",
        "long_wait",
        "offer_callback",
        "offer_message",
        "offer_wait",
        "callback_number",
        "ask_number",
        "number_refused",
        "callback_kept",
        "callback_stands",
        "message_now",
        "message_kept",
        "called_back",
    ];
}

/// A text in each language: a template with `{name}` or `{name:code}`, `{name:money}`, `{name:date}`,
/// `{name:time}`, `{name:phone}`, `{name:number}`; or recordings.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Text {
    pub texts: BTreeMap<Language, String>,
    /// Files that replace the text, by language.
    pub recordings: BTreeMap<Language, String>,
}

impl Text {
    /// Whether it can be said in this language.
    pub fn is_in(&self, language: &Language) -> bool {
        self.texts.contains_key(language) || self.recordings.contains_key(language)
    }
}

/// A request the bot knows, by examples.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Intent {
    /// How the summary names it ("balance enquiry").
    pub label: BTreeMap<Language, String>,
    pub examples: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "step", rename_all = "snake_case")]
pub enum Step {
    Say {
        say: Text,
        next: String,
    },
    /// Tells the caller what is done with their voice. From here on it is, unless they refuse: by a "no" to this or to the
    /// question that follows, or by this key.
    Disclose {
        say: Text,
        #[serde(default = "of_emotion")]
        of: BTreeSet<Disclosed>,
        key: Option<char>,
        next: String,
    },
    /// Choose by key, by phrase or by intent, in one question.
    Menu {
        prompt: Text,
        /// The question where an answer was not understood, or none came; none: the same once more.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        again: Option<Text>,
        /// For callers in distress; without it the prompt's first sentence.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        short: Option<Text>,
        options: Vec<MenuOption>,
    },
    /// Fill one slot.
    Ask(Ask),
    /// Fill several.
    Form(Form),
    /// Ask a backend; results become variables.
    Fetch(Fetch),
    /// Keeps values under names: each a template of what is known before the step.
    Remember {
        values: BTreeMap<String, String>,
        next: String,
    },
    /// One of several ways, by percent of the callers; each caller always the same.
    Experiment {
        ways: BTreeMap<String, u8>,
    },
    /// The first branch whose condition holds.
    Decide {
        branches: Vec<Branch>,
        otherwise: String,
    },
    /// By the clock on the wall.
    Hours {
        hours: String,
        open: String,
        closed: String,
    },
    Transfer(Transfer),
    /// Agrees on a callback, on the caller's number or another.
    Callback(Callback),
    /// Records a message.
    Message(Message),
    HangUp {
        say: Text,
    },
}

/// What is done with callers' voices that they may have a say in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Disclosed {
    /// How they sound is analysed.
    Emotion,
    /// They are recorded.
    Recording,
}

/// What a step told of before there was a choice.
fn of_emotion() -> BTreeSet<Disclosed> {
    [Disclosed::Emotion].into()
}

/// A callback that the flow itself offers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Callback {
    /// In whose place the caller waits; its `say` is said before the number is asked about.
    pub to: Transfer,
    /// The step that follows when it is agreed on; none: goodbye.
    pub next: Option<String>,
    /// The step for who does not want it; none: goodbye.
    pub declined: Option<String>,
}

/// A message for the people of a queue.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Message {
    pub queue: String,
    /// Said before it is recorded; none: the flow's own words.
    pub say: Option<Text>,
    /// The step that follows; none: goodbye.
    pub next: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MenuOption {
    /// `0`-`9`, `*`, `#`.
    pub key: Option<char>,
    pub intent: Option<String>,
    /// Words that choose it outright.
    pub phrases: Vec<String>,
    pub next: String,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Ask {
    pub prompt: Text,
    /// The question where an answer was not understood, or none came; none: the same once more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub again: Option<Text>,
    /// Variable that receives the value.
    pub slot: String,
    pub kind: SlotKind,
    /// Read the value back and ask whether it is right.
    pub confirm: Option<Text>,
    /// By keys only, and stored nowhere (PINs).
    pub secret: bool,
    /// How the summary names it ("account number").
    pub label: BTreeMap<Language, String>,
    pub next: String,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum SlotKind {
    Digits {
        min: usize,
        max: usize,
    },
    /// Letters and digits.
    Code {
        min: usize,
        max: usize,
    },
    YesNo,
    /// Whatever is said.
    Free,
    /// A whole or broken number within these bounds: "fifty", 三点五. Kept as `3.5`.
    Number {
        min: Option<f64>,
        max: Option<f64>,
    },
    /// A day, kept as `2026-11-03`. Where no year is said the next such day is meant, or with `past` the last.
    Date {
        past: bool,
    },
    /// A time of day, kept as `15:30`.
    Time,
    /// An amount, kept as `3.50 USD`; in this currency (ISO 4217) where none is said.
    Money {
        currency: String,
    },
    /// A telephone number, kept as digits, after a `+` where one is said.
    Phone,
    /// The number of a house: `12B`.
    StreetNumber,
    /// A postcode of this country (ISO 3166), kept as it is written there.
    Postcode {
        country: String,
    },
    /// One of these, or with `many` any number of them (kept with `, ` between).
    List {
        values: Vec<ListValue>,
        many: bool,
    },
    /// One of these people: by whole name, or by a part that only one of them has.
    Name {
        names: Vec<ListValue>,
    },
}

impl SlotKind {
    /// How a value of this kind is read out where the text does not say.
    pub fn read_as(&self) -> ReadAs {
        match self {
            Self::Digits { .. } | Self::Code { .. } | Self::StreetNumber | Self::Postcode { .. } => ReadAs::Code,
            Self::Number { .. } => ReadAs::Number,
            Self::Date { .. } => ReadAs::Date,
            Self::Time => ReadAs::Time,
            Self::Money { .. } => ReadAs::Money,
            Self::Phone => ReadAs::Phone,
            Self::YesNo | Self::Free | Self::List { .. } | Self::Name { .. } => ReadAs::Words,
        }
    }

    /// Told sign by sign, each of which counts.
    pub fn is_spelled(&self) -> bool {
        matches!(self, Self::Digits { .. } | Self::Code { .. } | Self::Phone)
    }

    /// May be answered by keys that are digits of it.
    pub fn is_keyed(&self) -> bool {
        matches!(self, Self::Digits { .. } | Self::Phone | Self::YesNo | Self::Number { .. })
    }

    /// The values of a list.
    pub fn listed(&self) -> &[ListValue] {
        match self {
            Self::List { values, .. } => values,
            Self::Name { names } => names,
            _ => &[],
        }
    }

    /// Any number of values.
    pub fn many(&self) -> bool {
        matches!(self, Self::List { many: true, .. })
    }
}

/// One value of an operator's list.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ListValue {
    /// As it is kept and sent to backends; said so, too, where `say` has no other words.
    pub value: String,
    /// How it is read out, by language.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub say: BTreeMap<Language, String>,
    /// Other words for it, of any language.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub also: Vec<String>,
}

impl ListValue {
    /// Everything that it may be called.
    pub fn phrases(&self) -> impl Iterator<Item = &str> {
        std::iter::once(&self.value).chain(self.say.values()).chain(&self.also).map(String::as_str)
    }

    /// What a caller may call it in a language.
    pub fn spoken(&self, language: &Language) -> impl Iterator<Item = &str> {
        let own = std::iter::once(&self.value).chain(self.say.get(language)).chain(&self.also);
        own.enumerate().filter(|(at, phrase)| *at == 0 || **phrase != self.value).map(|(_, phrase)| phrase.as_str())
    }

    pub fn said_in(&self, language: &Language) -> &str {
        self.say.get(language).unwrap_or(&self.value)
    }
}

/// Fills several slots: whatever of them a sentence holds, in any order, and then asks for what is missing.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Form {
    /// Asked first.
    pub prompt: Text,
    /// The question where an answer was not understood, or none came; none: the same once more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub again: Option<Text>,
    pub slots: Vec<FormSlot>,
    /// Reads everything back and asks whether it is right; without it only what was heard poorly is read back.
    pub confirm: Option<Text>,
    pub next: String,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FormSlot {
    pub slot: String,
    pub kind: SlotKind,
    /// Asks for this slot alone; none: it is not asked for, and stays empty unless it is said.
    pub ask: Option<Text>,
    /// That question where an answer was not understood, or none came; none: the same once more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub again: Option<Text>,
    pub label: BTreeMap<Language, String>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Fetch {
    /// Name of a configured backend.
    pub backend: String,
    /// Parameter -> template.
    pub with: BTreeMap<String, String>,
    /// Variable <- JSON pointer (RFC 6901) into the reply; several, parted by a space, are joined by one.
    pub save: BTreeMap<String, String>,
    /// Said when the reply takes longer than a moment.
    pub wait: Option<Text>,
    /// What a good reply verifies, for the summary (a slot's name).
    pub verifies: Option<String>,
    /// What was done for the caller, for the summary ("balance told").
    pub label: BTreeMap<Language, String>,
    pub next: String,
    /// The backend answered that there is no such thing (HTTP 404).
    pub not_found: String,
    /// The backend will not do it (HTTP 400, 409, 422); none: as if it had failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refused: Option<Refused>,
    /// How often a call may be told "not found" or "refused" here; none: without limit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attempts: Option<Attempts>,
    /// The backend is down, slow or wrong.
    pub failed: String,
}

/// A limit to tries, as those at a PIN.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Attempts {
    pub most: u32,
    /// The step that follows the last of them, and each later visit without asking the backend.
    pub spent: String,
}

/// What follows a backend's refusal.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Refused {
    /// As `Fetch::save`, of what it says; what it does not say is empty.
    pub save: BTreeMap<String, String>,
    pub next: String,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Branch {
    #[serde(flatten)]
    pub when: Condition,
    pub next: String,
}

/// To a person, by way of a queue.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Transfer {
    pub queue: String,
    pub skills: Vec<String>,
    /// Higher goes first; 0 is ordinary.
    pub priority: i32,
    pub say: Option<Text>,
}

/// Opening hours: weekly spans in a time zone, and closed dates.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Hours {
    /// IANA name ("Asia/Shanghai"). The call's start time arrives already in UTC with this zone's rules applied
    /// by `dialog::hours`.
    pub zone: chrono_tz::Tz,
    /// Monday first; minutes of the day [from, to).
    pub week: [Vec<(u16, u16)>; 7],
    pub closed: Vec<NaiveDate>,
}

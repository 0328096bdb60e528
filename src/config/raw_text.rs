//! The shape of what is said: texts in each language, the words outside any one step. Doc comments here are their
//! documentation.

use std::collections::BTreeMap;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;

use crate::dialog::{self, flow::FlowTexts};

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
    /// When a backend, or what the caller meant, takes longer than a moment.
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

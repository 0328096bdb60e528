//! What is to be spoken, and what is then listened for.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// A language by its BCP 47 primary tag: `en`, `zh`, `es`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Language(Arc<str>);

impl Language {
    pub fn new(tag: &str) -> Self {
        Self(tag.to_ascii_lowercase().into())
    }
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Display for Language {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

/// A part of a prompt and how it is to be read. The voice turns values into words of the prompt's language.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "as", content = "value", rename_all = "snake_case")]
pub enum Piece {
    /// Running text; numbers, amounts, dates in it are read by the language's ordinary rules.
    Text(String),
    /// One character after another: account numbers, order codes ("4 7 A").
    Code(String),
    /// A telephone number, in the language's usual groups.
    Phone(String),
    /// A plain number, as digits with an optional sign and decimal point.
    Number(String),
    /// An amount: decimal digits, then an ISO 4217 code ("1234.50 USD").
    Money(String),
    /// An ISO 8601 date ("2026-11-21").
    Date(String),
    /// A time of day ("14:05").
    Time(String),
    /// A recorded file (wav, mp3, ogg, flac) instead of synthesis.
    Recording(String),
}

/// Something the bot says, in one go.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Prompt {
    pub language: Language,
    pub pieces: Vec<Piece>,
}

impl Prompt {
    /// What is said, as a reader would write it; a recording without words is left out.
    pub fn text(&self) -> String {
        let mut text = String::new();
        for piece in &self.pieces {
            match piece {
                Piece::Text(words)
                | Piece::Code(words)
                | Piece::Phone(words)
                | Piece::Number(words)
                | Piece::Money(words)
                | Piece::Date(words)
                | Piece::Time(words) => text.push_str(words),
                Piece::Recording(_) => {}
            }
        }
        text.trim().to_owned()
    }
}

/// What the bot waits for after a prompt. Sets how long a pause ends the turn and steers the recogniser.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Expect {
    /// A choice among phrases the step lists.
    Choice { phrases: Vec<String> },
    /// Digits only.
    Digits { min: usize, max: usize },
    /// Letters and digits.
    Code { min: usize, max: usize },
    /// A value in a sentence, or several if so many are missing: a date, an amount, what the step's lists hold.
    Values {
        /// What may be said of each slot that takes one of a list; first of what was asked for just now, if that does.
        lists: Vec<Vec<String>>,
        #[serde(default)]
        several: bool,
    },
    /// Yes or no.
    YesNo,
    /// Yes or no to digits or a code that were read back, or these once more.
    Confirm { of: Box<Expect> },
    /// What the caller wants, in own words.
    Request,
    /// Anything: a story.
    Free,
}

impl Expect {
    /// Phrases that may be said, `most` at most: of each list as many, as long as it has any.
    pub fn phrases(&self, most: usize) -> Vec<&str> {
        let lists = match self {
            Self::Choice { phrases } => std::slice::from_ref(phrases),
            Self::Values { lists, .. } => lists.as_slice(),
            _ => &[],
        };
        let longest = lists.iter().map(Vec::len).max().unwrap_or(0);
        let total = |each: &usize| lists.iter().map(|list| list.len().min(*each)).sum::<usize>();
        let each = (1..=longest).take_while(|each| total(each) <= most).last().unwrap_or(0);
        lists.iter().flat_map(|list| list.iter().take(each)).map(String::as_str).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_list_crowds_out_another() {
        let list = |name: &str, n: usize| (0..n).map(|at| format!("{name}{at}")).collect::<Vec<_>>();
        let values = Expect::Values { lists: vec![list("size", 9), list("milk", 2), list("extra", 5)], several: true };
        assert_eq!(values.phrases(100).len(), 16);
        assert_eq!(values.phrases(8), ["size0", "size1", "size2", "milk0", "milk1", "extra0", "extra1", "extra2"]);
        assert_eq!(values.phrases(2), [""; 0], "three lists and no room for one of each");
        assert_eq!(Expect::Choice { phrases: list("choice", 4) }.phrases(3).len(), 3);
        assert!(Expect::Free.phrases(9).is_empty());
    }
}

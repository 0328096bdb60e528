//! What a turn is worth that may not be over yet: whether to wait for more of it, and whether a prompt stops for it.
//! Changes nothing: the session asks while the caller pauses.

use super::bot::{Bot, Stage};
use super::form::expected;
use super::question::HEARD_WELL;
use super::state::{Call, Phase};
use crate::dialog::choice::{self, Choice};
use crate::dialog::flow::{Ask, SlotKind, Step};
use crate::dialog::slots::{self, yes_no};
use crate::dialog::words::{self, Words};
use crate::dialog::{Expect, backchannel, commands, person};

/// What the words heard so far amount to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Weight {
    /// No words.
    Nothing,
    /// "uh-huh", where that answers nothing.
    Backchannel,
    /// The beginning of what was asked for: three of four digits.
    Unfinished,
    /// Some of the values that were asked for at once.
    Part,
    /// It can mean only one thing, whatever follows.
    Complete,
    Words,
}

/// Below this confidence no answer is taken before its time.
const SURE: f32 = 0.6;
/// The same for digits and codes: half a number, read as though it were a whole one, repeats itself and sounds like that.
const SURE_SIGNS: f32 = 0.9;
/// A few words heard more poorly than this are a hum or a cough to which the recogniser gave words. A word of Mandarin
/// is two characters.
fn heard_from(text: &str) -> f32 {
    let words = Words::of(text);
    let characters = words.iter().filter(|word| word.text.chars().any(words::is_han)).count();
    match words.len() - characters + characters.div_ceil(2) {
        0..=2 => 0.6,
        3 => 0.3,
        4..=5 => 0.15,
        _ => 0.0,
    }
}
/// Two syllables of Mandarin that answer nothing: Whisper hears other ones in them too often.
const SURE_SYLLABLES: f32 = 0.85;

impl Call {
    /// Weighs the reading of a turn against what the call waits for.
    pub fn weigh(&self, text: &str, confidence: f32) -> Weight {
        if text.trim().is_empty() {
            return Weight::Nothing;
        }
        let command = || commands::said(text, &self.flow.commands).map(|_| Weight::Words);
        let weight = match self.meant(text).or_else(command) {
            None if backchannel::is(text) => Weight::Backchannel,
            None if self.foreign(text) => Weight::Nothing,
            None if confidence < SURE_SYLLABLES && !self.asks() && is_syllables(text) => Weight::Nothing,
            None => Weight::Words,
            Some(weight) => weight,
        };
        let signs =
            matches!(self.listening, Some((Expect::Digits { .. } | Expect::Code { .. } | Expect::Confirm { .. }, ..)));
        let other = || person::wanted(text) || answer_to_yes_no(text).is_some();
        let values = || self.says_several(text, confidence);
        match weight {
            Weight::Words | Weight::Part if confidence < heard_from(text) && !values() => Weight::Nothing,
            Weight::Complete if confidence < if signs && !other() { SURE_SIGNS } else { SURE } => Weight::Words,
            weight => weight,
        }
    }

    /// Whether these words, however they were heard, are a number or code in place of a yes or no: more silence is
    /// waited for than after one of these.
    pub fn spells(&self, text: &str) -> bool {
        match &self.listening {
            Some((Expect::Confirm { of }, ..)) => answer_to_yes_no(text).is_none() && of_signs(of, text).is_some(),
            _ => false,
        }
    }

    /// A word or two in Latin letters where Mandarin is spoken: what the recogniser makes of "哦" and of coughs.
    fn foreign(&self, text: &str) -> bool {
        self.flow.language.as_str().starts_with("zh") && Words::of(text).len() <= 2 && !text.chars().any(words::is_han)
    }

    /// A question was put, and its answer may be anything.
    pub(super) fn asks(&self) -> bool {
        matches!(&self.phase, Phase::Bot(Bot { stage: Stage::Asking, .. }))
    }

    /// Its weight as an answer; `None` when it is none.
    fn meant(&self, text: &str) -> Option<Weight> {
        if person::wanted(text) || self.swears(text, HEARD_WELL) {
            return Some(Weight::Complete);
        }
        match &self.listening {
            Some((Expect::YesNo, ..)) => return answer_to_yes_no(text),
            Some((Expect::Confirm { of }, ..)) => return answer_to_yes_no(text).or_else(|| of_signs(of, text)),
            _ => {}
        }
        let Phase::Bot(Bot { stage, step, .. }) = &self.phase else { return None };
        let step = match stage {
            Stage::Asking => self.flow.steps.get(step)?,
            // "Is that right?" of a menu; the choice itself answers it as well.
            Stage::Confirming { .. } => match self.flow.steps.get(step)? {
                menu @ Step::Menu { .. } => match answer_to_yes_no(text) {
                    None => menu,
                    answer => return answer,
                },
                _ => return None,
            },
            // Callers who know the way answer the menu that follows.
            Stage::Saying { next } => self.flow.steps.get(next).filter(|step| matches!(step, Step::Menu { .. }))?,
            _ => return None,
        };
        match step {
            Step::Menu { options, .. } => match choice::choose(options, text) {
                Choice::Sure(_) => Some(Weight::Complete),
                Choice::Mentioned(_) => Some(Weight::Words),
                Choice::Open => None,
            },
            Step::Ask(Ask { kind, .. }) => match kind {
                SlotKind::YesNo => answer_to_yes_no(text),
                SlotKind::Digits { .. } | SlotKind::Code { .. } => of_signs(&expected(kind, self.language()), text),
                SlotKind::Free => None,
                kind => {
                    let value = slots::value(kind, text, self.today())?;
                    let whole = !kind.listed().is_empty() && !kind.many() && value.sure;
                    Some(if whole && is_short(text) { Weight::Complete } else { Weight::Words })
                }
            },
            Step::Form(_) => self.form_weight(text),
            _ => None,
        }
    }
}

/// No longer than a plain answer.
fn is_short(text: &str) -> bool {
    Words::of(text).len() <= 4
}

fn is_syllables(text: &str) -> bool {
    (1..=2).contains(&text.chars().filter(|c| c.is_alphanumeric()).count()) && text.chars().any(words::is_han)
}

fn answer_to_yes_no(text: &str) -> Option<Weight> {
    let answer = yes_no(text)?;
    // "No, it's ..." goes on.
    Some(if answer.rest.is_empty() { Weight::Complete } else { Weight::Words })
}

/// Digits or a code, whole or begun.
fn of_signs(expect: &Expect, text: &str) -> Option<Weight> {
    match expect {
        Expect::Digits { min, max } => of_length(*min, *max, |min, max| slots::digits(text, min, max)),
        Expect::Code { min, max } => of_length(*min, *max, |min, max| slots::code(text, min, max)),
        _ => None,
    }
}

/// A string that may grow up to `max` characters.
fn of_length(min: usize, max: usize, read: impl Fn(usize, usize) -> Option<String>) -> Option<Weight> {
    if let Some(value) = read(min, max) {
        return Some(if value.chars().count() == max { Weight::Complete } else { Weight::Words });
    }
    let begun = min > 1 && read(1, min - 1).is_some();
    begun.then_some(Weight::Unfinished)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_whole_when_it_has_all_its_digits() {
        let weight = |text: &str| of_length(4, 6, |min, max| slots::digits(text, min, max));
        assert_eq!(weight("one two three"), Some(Weight::Unfinished));
        assert_eq!(weight("one two three four"), Some(Weight::Words), "two more may come");
        assert_eq!(weight("1 2 3 4 5 6"), Some(Weight::Complete));
        assert_eq!(weight("hello"), None);
    }

    #[test]
    fn a_plain_yes_needs_no_waiting() {
        assert_eq!(answer_to_yes_no("Yes."), Some(Weight::Complete));
        assert_eq!(answer_to_yes_no("No, it's four oh eight"), Some(Weight::Words));
        assert_eq!(answer_to_yes_no("Well"), None);
    }

    #[test]
    fn two_characters_weigh_as_a_word() {
        assert_eq!(heard_from("算了吧"), heard_from("Forget it"));
        assert_eq!(heard_from("我要查余额"), heard_from("Check my balance"));
        assert_eq!(heard_from("我想问一下我的账户还有多少钱"), 0.0);
    }

    #[test]
    fn two_syllables_are_little() {
        assert!(is_syllables("许等。") && is_syllables("嗯") && !is_syllables("许等等") && !is_syllables("OK"));
    }
}

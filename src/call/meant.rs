//! "I heard lost or stolen card. Is that right?": an option of a menu that only a poor or a less likely reading leads
//! to is not acted upon, nor is the caller made to say it again. A yes settles it; anything else is an answer to the menu.

use super::bot::Stage;
use super::question::{HEARD, HEARD_WELL};
use super::state::{Call, Phase};
use super::{Note, Utterance};
use crate::dialog::Piece;
use crate::dialog::choice::{self, Choice};
use crate::dialog::flow::{MenuOption, Step};
use crate::dialog::slots::yes_no;
use crate::dialog::values::Rendered;

/// Below this confidence the likeliest reading is not even asked about.
const LIKELY: f32 = 0.1;

impl Call {
    /// Asks whether an option is meant that these words, or else one of their other readings, choose outright. Whether it
    /// has asked.
    pub(super) fn asks_whether_meant(&mut self, utterance: &Utterance) -> bool {
        let Some(Step::Menu { options, .. }) = self.step() else { return false };
        let likeliest = self.matters(options, utterance).next().map(str::to_owned);
        likeliest.is_some_and(|value| self.asks_whether(value))
    }

    /// Asks the same before an option that was heard none too well is taken, where another reading leads elsewhere. What
    /// a reading chooses outright comes before what was guessed of one.
    pub(super) fn asks_in_doubt(&mut self, option: &MenuOption, confidence: f32) -> bool {
        let Some(Step::Menu { options, .. }) = self.step() else { return false };
        let Some(words) = self.last_words().filter(|_| confidence < HEARD_WELL) else { return false };
        let elsewhere = self.matters(options, words).any(|other| other != matter(option));
        elsewhere && self.asks_whether_last_words_meant()
    }

    /// Once a menu.
    fn asks_whether(&mut self, value: String) -> bool {
        match &mut self.phase {
            Phase::Bot(bot) if !bot.asked_whether => bot.asked_whether = true,
            _ => return false,
        }
        self.set_stage(Stage::Confirming { value });
        self.ask();
        true
    }

    /// What the readings choose outright, the likeliest first.
    fn matters<'a>(&'a self, options: &'a [MenuOption], utterance: &'a Utterance) -> impl Iterator<Item = &'a str> {
        let likely = Some(&utterance.text).filter(|_| utterance.confidence >= LIKELY);
        likely.into_iter().chain(&utterance.alternatives).filter_map(|text| match choice::choose(options, text) {
            Choice::Sure(at) => Some(matter(&options[at])),
            Choice::Mentioned(_) | Choice::Open => self.exemplified(options, text).map(matter),
        })
    }

    /// The same for the last words heard.
    pub(super) fn asks_whether_last_words_meant(&mut self) -> bool {
        self.last_words().cloned().is_some_and(|utterance| self.asks_whether_meant(&utterance))
    }

    pub(super) fn last_words(&self) -> Option<&Utterance> {
        self.notes.iter().rev().find_map(|entry| match &entry.note {
            Note::Utterance(utterance) => Some(utterance),
            _ => None,
        })
    }

    /// The question for it.
    pub(super) fn whether_meant(&self, matter: &str) -> Rendered {
        let options = match self.step() {
            Some(Step::Menu { options, .. }) => options.as_slice(),
            _ => &[],
        };
        let option = options.iter().find(|option| self::matter(option) == matter);
        let label = || self.flow.intents.get(matter)?.label.get(self.language()).cloned();
        let phrase = || option?.phrases.first().cloned();
        let said = label().or_else(phrase).unwrap_or_else(|| matter.to_owned());
        self.values.render_with(&self.flow.lines.read_back, self.language(), &[("value", vec![Piece::Text(said)])])
    }

    /// The answer to it. What else the answer names counts for more than a yes, and a no for more than a name in it.
    pub(super) fn confirm_meant(&mut self, options: &[MenuOption], asked: &str, utterance: &Utterance) {
        let answer = yes_no(&utterance.text).filter(|_| utterance.confidence >= HEARD);
        let yes = answer.as_ref().map(|answer| answer.yes);
        let words = match answer {
            Some(answer) => Utterance { text: answer.rest, alternatives: Vec::new(), ..utterance.clone() },
            None => utterance.clone(),
        };
        let named = self.matters(options, &words).next();
        let same = named == Some(asked);
        let meant = match yes {
            Some(yes) => yes && (named.is_none() || same),
            None => same,
        };
        if let Some(option) = options.iter().find(|option| meant && matter(option) == asked) {
            return self.chosen(option);
        }
        if yes == Some(false) && (same || words.text.trim().is_empty()) {
            return self.denied();
        }
        if let Phase::Bot(bot) = &mut self.phase {
            if yes == Some(false) {
                bot.denied.push(asked.to_owned());
            }
            bot.stage = Stage::Asking;
        }
        self.answer(&words, true);
    }
}

/// What an option is about, in whatever language the call is.
pub(super) fn matter(option: &MenuOption) -> &str {
    option.intent.as_ref().or(option.phrases.first()).unwrap_or(&option.next)
}

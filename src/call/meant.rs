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
    /// Asks whether an option is meant that these words, or else one of their other readings, choose outright: once a
    /// menu. Whether it has asked.
    pub(super) fn asks_whether_meant(&mut self, utterance: &Utterance) -> bool {
        let Phase::Bot(bot) = &self.phase else { return false };
        let Some(Step::Menu { options, .. }) = self.flow.steps.get(&bot.step) else { return false };
        let Some(value) = self.matters(options, utterance).next().filter(|_| bot.denied.is_empty()) else {
            return false;
        };
        self.set_stage(Stage::Confirming { value });
        self.ask();
        true
    }

    /// Asks the same of an option that was heard none too well, where another reading leads elsewhere.
    pub(super) fn asks_in_doubt(&mut self, option: &MenuOption, confidence: f32) -> bool {
        let Phase::Bot(bot) = &self.phase else { return false };
        let Some(Step::Menu { options, .. }) = self.flow.steps.get(&bot.step) else { return false };
        let value = self.matter(option);
        let elsewhere = |words: &Utterance| self.matters(options, words).any(|matter| matter != value);
        if confidence >= HEARD_WELL || !bot.denied.is_empty() || !self.last_words().is_some_and(elsewhere) {
            return false;
        }
        self.set_stage(Stage::Confirming { value });
        self.ask();
        true
    }

    /// What the readings choose outright, the likeliest first.
    fn matters<'a>(&'a self, options: &'a [MenuOption], utterance: &'a Utterance) -> impl Iterator<Item = String> + 'a {
        let likely = Some(&utterance.text).filter(|_| utterance.confidence >= LIKELY);
        likely.into_iter().chain(&utterance.alternatives).filter_map(|text| match choice::choose(options, text) {
            Choice::Sure(at) => Some(self.matter(&options[at])),
            Choice::Mentioned(_) | Choice::Open => self.exemplified(options, text).map(|option| self.matter(option)),
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
        let pieces = vec![Piece::Text(matter.to_owned())];
        self.values.render_with(&self.flow.lines.read_back, self.language(), &[("value", pieces)])
    }

    pub(super) fn confirm_meant(&mut self, options: &[MenuOption], value: &str, utterance: &Utterance) {
        let answer = yes_no(&utterance.text).filter(|_| utterance.confidence >= HEARD);
        let meant = match &answer {
            Some(answer) => answer.yes,
            None => self.matters(options, utterance).any(|matter| matter == value),
        };
        if let Some(option) = options.iter().find(|option| meant && self.matter(option) == value) {
            return self.chosen(option);
        }
        let other = match answer {
            Some(answer) if answer.rest.trim().is_empty() => return self.denied(),
            Some(answer) => Utterance { text: answer.rest, alternatives: Vec::new(), ..utterance.clone() },
            None => utterance.clone(),
        };
        if let Phase::Bot(bot) = &mut self.phase {
            bot.denied.push(value.to_owned());
            bot.stage = Stage::Asking;
        }
        self.answer(&other, true);
    }

    /// What an option is about, as it can be said.
    fn matter(&self, option: &MenuOption) -> String {
        let label = || self.flow.intents.get(option.intent.as_ref()?)?.label.get(self.language()).cloned();
        label().unwrap_or_else(|| option.phrases.first().unwrap_or(&option.next).clone())
    }
}

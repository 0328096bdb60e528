//! Answers to what was read back of a question: a yes, a no, or the right value.

use super::bot::{Bot, Stage};
use super::question::{HEARD, SPELLED, is_value};
use super::state::{Call, Phase};
use super::{Note, Utterance};
use crate::dialog::flow::{Ask, Step};
use crate::dialog::slots::{self, yes_no};

impl Call {
    /// Yes, no, "no, it's ...", or the value said once more.
    pub(super) fn confirm(&mut self, value: &str, utterance: &Utterance) {
        self.interrupt();
        let flow = self.flow.clone();
        let Phase::Bot(bot) = &self.phase else { return };
        let ask = match flow.steps.get(&bot.step) {
            Some(Step::Ask(ask)) => ask,
            Some(Step::Form(_)) => return self.confirm_form(utterance),
            Some(Step::Menu { options, .. }) => return self.confirm_meant(options, value, utterance),
            _ => return,
        };
        if utterance.confidence < HEARD {
            return match self.spelled_again(ask, value, utterance) {
                Some(other) => self.corrected(ask, other),
                None => self.failed(&flow.lines.not_heard),
            };
        }
        let today = self.today();
        let other = |text: &str| slots::value(&ask.kind, text, today).filter(|_| is_value(&ask.kind));
        match yes_no(&utterance.text) {
            // "Right, make that four oh nine": what is said outright goes before the yes.
            Some(answer) if answer.yes => match other(&answer.rest).filter(|other| other.sure && other.text != value) {
                Some(other) => self.corrected(ask, other.text),
                None => self.confirmed(ask, value),
            },
            Some(answer) => match other(&answer.rest).filter(|other| other.text != value) {
                Some(other) => self.corrected(ask, other.text),
                None => self.denied(),
            },
            None => match other(&utterance.text) {
                Some(other) if other.text == value => self.confirmed(ask, value),
                Some(other) => self.corrected(ask, other.text),
                None => self.not_understood(),
            },
        }
    }

    /// A number or code said once more, and heard poorly again: one that is nearly what was heard before, or else one
    /// that may be heard as poorly as the first time, is worth reading back.
    fn spelled_again(&self, ask: &Ask, value: &str, utterance: &Utterance) -> Option<String> {
        let Phase::Bot(bot) = &self.phase else { return None };
        let spelled = ask.kind.is_spelled() && yes_no(&utterance.text).is_none();
        let readings = std::iter::once(&utterance.text).chain(&utterance.alternatives).filter(|_| spelled);
        let others: Vec<String> = readings
            .filter_map(|text| slots::value(&ask.kind, text, self.today()))
            .map(|other| other.text)
            .filter(|other| other != value && !bot.denied.contains(other))
            .collect();
        let near = others.iter().find(|other| differing(other, value) <= value.chars().count() / 3);
        near.or(others.first().filter(|_| utterance.confidence >= SPELLED)).cloned()
    }

    pub(super) fn confirmed(&mut self, ask: &Ask, value: &str) {
        self.note(Note::Slot { slot: ask.slot.clone(), value: value.to_owned(), confirmed: true });
        self.enter(&ask.next);
    }

    /// Another value instead: read back in its turn, and counted, so that it does not go on for ever.
    fn corrected(&mut self, ask: &Ask, value: String) {
        let Some(bot) = self.bot_mut() else { return };
        bot.attempts += 1;
        if let Stage::Confirming { value } = &bot.stage {
            bot.denied.push(value.clone());
        }
        if self.attempts_left() == 0 {
            self.taken_back(&ask.slot);
            return self.seek_person("not understood", None);
        }
        self.filled(ask, value, false);
    }

    pub(super) fn taken_back(&mut self, slot: &str) {
        self.values.clear(slot);
        self.note(Note::Slot { slot: slot.to_owned(), value: String::new(), confirmed: false });
    }

    pub(super) fn denied(&mut self) {
        if let Some(Bot { stage: Stage::Confirming { value }, denied, .. }) = self.bot_mut() {
            denied.push(value.clone());
        }
        self.ask_anew();
    }

    /// The value is gone, and asked for again.
    pub(super) fn ask_anew(&mut self) {
        let flow = self.flow.clone();
        let Some(bot) = self.bot_mut() else { return };
        bot.stage = Stage::Asking;
        if let Some(Step::Ask(ask)) = flow.steps.get(&bot.step) {
            self.taken_back(&ask.slot);
        }
        self.failed(&flow.lines.misheard);
    }
}

/// In how many places two of one length differ.
fn differing(one: &str, other: &str) -> usize {
    match one.chars().count() == other.chars().count() {
        true => one.chars().zip(other.chars()).filter(|(a, b)| a != b).count(),
        false => usize::MAX,
    }
}

//! Answers by key: an option, a yes or no, a string of digits.

use super::bot::Stage;
use super::state::{Call, Phase};
use super::{Note, TimerId};
use crate::dialog::commands::{Command, Said};
use crate::dialog::flow::{SlotKind, Step};
use crate::dialog::slots;
use crate::media::Key;

/// The pause between keys that ends an entry which is too short, and one which could be whole.
const INTER_KEY_MS: u64 = 5_000;
const INTER_KEY_WHOLE_MS: u64 = 2_500;
/// Keys of a number that has no upper bound.
const LONGEST_NUMBER: usize = 9;

impl Call {
    /// A key as an answer to the question that is asked.
    pub(super) fn answer_key(&mut self, key: Key) {
        self.cancel_timer(TimerId::Silence);
        self.cancel_timer(TimerId::Patience);
        self.interrupt();
        if !self.masked {
            self.note(Note::Dtmf { key });
        }
        let flow = self.flow.clone();
        let star = key.as_char() == '*' && self.star_repeats();
        let wanted = self.asked_kind().and_then(keyed);
        let yes_or_no = matches!(self.asked_kind(), Some(SlotKind::YesNo));
        let Some(bot) = self.bot_mut() else { return };
        bot.silences = 0;
        bot.hearing = false;
        if star {
            self.command(Said { command: Command::Repeat, language: None });
            return;
        }
        if matches!(bot.stage, Stage::Understanding { .. }) {
            bot.stage = Stage::Asking;
        }
        let confirming = match &bot.stage {
            Stage::Confirming { value } => Some(value.clone()),
            _ => None,
        };
        match (flow.steps.get(&bot.step), confirming, key.as_char()) {
            (Some(Step::Ask(ask)), Some(value), '1' | '#') => self.confirmed(ask, &value),
            (Some(Step::Ask(_)), Some(_), '2') => self.denied(),
            (Some(Step::Form(_)), Some(_), '1' | '#') => self.form_confirmed(),
            (Some(Step::Form(_)), Some(_), '2') => self.form_denied(),
            (Some(_), None, c) if wanted.is_some() => self.gather(c, wanted.map_or(0, |(_, max)| max)),
            (_, _, '0') => self.seek_person("key 0", None),
            (Some(Step::Menu { options, .. }), _, c) => match options.iter().find(|option| option.key == Some(c)) {
                Some(option) => self.chosen(option),
                None => self.not_understood(),
            },
            (Some(step), None, '1') if yes_or_no => self.keyed(step, slots::YES.into()),
            (Some(step), None, '2') if yes_or_no => self.keyed(step, slots::NO.into()),
            _ => self.not_understood(),
        }
    }

    /// Gathers digits up to `#`, to the longest that is asked for, or to a pause. `*` begins anew.
    fn gather(&mut self, key: char, max: usize) {
        let now_ms = self.now_ms;
        let Some(bot) = self.bot_mut() else { return };
        match key {
            '#' => return self.keys_done(),
            '*' => bot.keys.clear(),
            c => bot.keys.push(c),
        }
        let length = bot.keys.len();
        // A lone 0 may yet be a number's first digit, or a wish for a person: a pause tells.
        if length >= max && length > 1 || (max == 1 && length == 1 && key != '0') {
            bot.complete_ms = Some(now_ms);
            return self.keys_done();
        }
        let whole = length > 1 && self.keyed_value().is_some();
        self.set_timer(TimerId::InterKey, if whole || length == 1 { INTER_KEY_WHOLE_MS } else { INTER_KEY_MS });
    }

    /// The string of keys is over. A lone 0 asks for a person. At a secret a lone key does, whichever it is: what
    /// was keyed there decides nothing, so a log without it replays the same.
    pub(super) fn keys_done(&mut self) {
        self.cancel_timer(TimerId::InterKey);
        let masked = self.masked;
        let flow = self.flow.clone();
        let single = self.asked_kind().and_then(keyed).is_some_and(|(_, max)| max == 1);
        let number = matches!(self.asked_kind(), Some(SlotKind::Number { .. }));
        let value = self.keyed_value();
        let Some(bot) = self.bot_mut() else { return };
        let keys = std::mem::take(&mut bot.keys);
        let Some(step) = flow.steps.get(&bot.step) else { return };
        let zeros = !masked && !keys.is_empty() && keys.bytes().all(|key| key == b'0') && (number || value.is_none());
        if keys == "0" || zeros || (masked && keys.len() == 1 && !single) {
            return self.seek_person("key 0", None);
        }
        match value {
            Some(value) => self.keyed(step, value),
            None => self.not_understood(),
        }
    }

    /// What the question asks for: a form's own asks for nothing of its slots before the others.
    fn asked_kind(&self) -> Option<&SlotKind> {
        let Phase::Bot(bot) = &self.phase else { return None };
        match self.flow.steps.get(&bot.step)? {
            Step::Ask(ask) => Some(&ask.kind),
            Step::Form(form) => Some(&form.slots.get(bot.form.asked?)?.kind),
            _ => None,
        }
    }

    /// The value that the keys make, as far as they have come.
    fn keyed_value(&self) -> Option<String> {
        let Phase::Bot(bot) = &self.phase else { return None };
        let kind = self.asked_kind()?;
        let (min, max) = keyed(kind)?;
        let fits = !bot.keys.is_empty() && (min..=max).contains(&bot.keys.len());
        match kind {
            SlotKind::Number { min, max } => {
                let value: u32 = bot.keys.parse().ok()?;
                let low = min.is_none_or(|min| f64::from(value) >= min);
                let high = max.is_none_or(|max| f64::from(value) <= max);
                (fits && low && high).then(|| value.to_string())
            }
            _ => fits.then(|| bot.keys.clone()),
        }
    }

    /// What a question asks for was keyed.
    fn keyed(&mut self, step: &Step, value: String) {
        match step {
            Step::Ask(ask) => self.filled(ask, value, true),
            Step::Form(form) => self.form_keyed(form, value),
            _ => {}
        }
    }
}

/// Least and most keys of an answer that may be keyed.
pub(super) fn keyed(kind: &SlotKind) -> Option<(usize, usize)> {
    match kind {
        SlotKind::Digits { min, max } | SlotKind::Code { min, max } => Some((*min, *max)),
        SlotKind::Phone => Some((7, 15)),
        // A negative one, or one with a fraction, has to be said.
        SlotKind::Number { max, .. } => Some((1, max.map_or(LONGEST_NUMBER, |max| (max as u32).to_string().len()))),
        _ => None,
    }
}

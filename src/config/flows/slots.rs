//! What a flow asks for: `ask` steps, forms, and the kinds of answers with the keys that belong to each.

use std::collections::BTreeMap;

use super::super::problem::Problem;
use super::super::raw_flow::{self as raw, AskKind, Label};
use super::super::tree::At;
use super::Checker;
use crate::dialog::Language;
use crate::dialog::flow::{Ask, Form, FormSlot, ListValue, SlotKind};
use crate::dialog::slots::MANY;

impl Checker<'_> {
    pub(super) fn ask(&mut self, ask: &raw::Ask, at: At) -> Ask {
        self.variable(&ask.slot, at.get("slot").place());
        let answer = Answer {
            kind: ask.kind,
            length: ask.length,
            min: ask.min,
            max: ask.max,
            values: &ask.values,
            many: ask.many,
            currency: ask.currency.as_deref(),
            country: ask.country.as_deref(),
            past: ask.past,
        };
        Ask {
            prompt: self.text(&ask.ask, at.get("ask")),
            slot: ask.slot.clone(),
            kind: self.kind(&answer, at),
            confirm: ask.confirm.as_ref().map(|confirm| self.text(confirm, at.get("confirm"))),
            secret: ask.secret,
            label: self.label(&ask.label, &ask.slot, at.get("label")),
            next: ask.next.clone(),
        }
    }

    pub(super) fn form(&mut self, form: &raw::Form, at: At) -> Form {
        let mut slots = vec![];
        for (slot, at) in form.slots.iter().zip(at.get("slots").items()) {
            self.variable(&slot.slot, at.get("slot").place());
            let answer = Answer {
                kind: slot.kind,
                length: slot.length,
                min: slot.min,
                max: slot.max,
                values: &slot.values,
                many: slot.many,
                currency: slot.currency.as_deref(),
                country: slot.country.as_deref(),
                past: slot.past,
            };
            slots.push(FormSlot {
                slot: slot.slot.clone(),
                kind: self.kind(&answer, at),
                ask: slot.ask.as_ref().map(|ask| self.text(ask, at.get("ask"))),
                label: self.label(&slot.label, &slot.slot, at.get("label")),
            });
        }
        Form {
            prompt: self.text(&form.form, at.get("form")),
            slots,
            confirm: form.confirm.as_ref().map(|confirm| self.text(confirm, at.get("confirm"))),
            next: form.next.clone(),
        }
    }

    /// What an answer is; keys that say nothing for its type are reported.
    fn kind(&mut self, answer: &Answer, at: At) -> SlotKind {
        use AskKind::*;
        const MEANT: [(&str, &[AskKind], &str); 8] = [
            ("length", &[Digits, Code], "`digits` and `code`"),
            ("min", &[Digits, Code, Number], "`digits`, `code` and `number`"),
            ("max", &[Digits, Code, Number], "`digits`, `code` and `number`"),
            ("values", &[List, Name], "`list` and `name`"),
            ("many", &[List], "`list`"),
            ("currency", &[Money], "`money`"),
            ("country", &[Postcode], "`postcode`"),
            ("past", &[Date], "`date`"),
        ];
        for (key, kinds, list) in MEANT {
            if at.find(key).is_some() && !kinds.contains(&answer.kind) {
                let problem = Problem::new(at.place_of(key), format!("`{key}` says nothing for this type of answer"));
                self.problems.push(problem.expected(format!("it with {list} only")).remedy("remove it"));
            }
        }
        match answer.kind {
            Digits => {
                let (min, max) = self.size(answer, at);
                SlotKind::Digits { min, max }
            }
            Code => {
                let (min, max) = self.size(answer, at);
                SlotKind::Code { min, max }
            }
            YesNo => SlotKind::YesNo,
            Free => SlotKind::Free,
            Number => SlotKind::Number { min: answer.min, max: answer.max },
            Date => SlotKind::Date { past: answer.past },
            Time => SlotKind::Time,
            Phone => SlotKind::Phone,
            StreetNumber => SlotKind::StreetNumber,
            Money => {
                let currency = self.needed(answer.currency, "currency", "`currency: USD`", at);
                SlotKind::Money { currency: currency.to_uppercase() }
            }
            Postcode => {
                let country = self.needed(answer.country, "country", "`country: us`", at);
                SlotKind::Postcode { country: country.to_lowercase() }
            }
            List => SlotKind::List { values: self.values(answer.values, at.get("values")), many: answer.many },
            Name => SlotKind::Name { names: self.values(answer.values, at.get("values")) },
        }
    }

    /// A key without which a type of answer means nothing.
    fn needed(&mut self, value: Option<&str>, key: &str, expected: &str, at: At) -> String {
        if value.is_none() {
            let problem = at.get("type").problem(format!("this type of answer needs its `{key}`"));
            self.problems.push(problem.expected(expected.to_owned()));
        }
        // A faulty flow is not used; what stands here is only not to be found wrong a second time.
        value.unwrap_or(if key == "currency" { "USD" } else { "us" }).to_owned()
    }

    fn values(&mut self, values: &[raw::ListValue], at: At) -> Vec<ListValue> {
        let mut checked = vec![];
        for (value, at) in values.iter().zip(at.items()) {
            let (word, say, also) = match value {
                raw::ListValue::One(word) => (word, None, &[][..]),
                raw::ListValue::Named(named) => (&named.value, named.say.as_ref(), named.also.as_slice()),
            };
            for word in std::iter::once(word).chain(also).filter(|word| !word.0.chars().any(char::is_alphanumeric)) {
                let problem = at.problem(format!("\"{}\" is no word", word.0));
                self.problems.push(problem.expected("words that callers say"));
            }
            if word.0.contains(MANY.trim()) {
                let problem = at.problem(format!("a comma in the value \"{}\"", word.0));
                let problem = problem.expected("a word without commas: they part several values");
                self.problems.push(problem.remedy("read it out with one by `say`"));
            }
            let say = match say {
                None => BTreeMap::new(),
                Some(Label::One(words)) => [(self.languages[0].clone(), words.clone())].into(), // never empty
                Some(Label::Each(each)) => {
                    each.iter().map(|(tag, words)| (Language::new(tag), words.clone())).collect()
                }
            };
            let also = also.iter().map(|word| word.0.trim().to_owned()).collect();
            checked.push(ListValue { value: word.0.trim().to_owned(), say, also });
        }
        checked
    }

    /// How many digits or characters.
    fn size(&mut self, ask: &Answer, at: At) -> (usize, usize) {
        let mut whole = |key: &str, n: Option<f64>| {
            let fits = n.is_none_or(|n| n.fract() == 0.0 && (1.0..=64.0).contains(&n));
            if !fits {
                let problem = at.get(key).problem(format!("`{key}` is no number of characters"));
                self.problems.push(problem.expected("a whole number from 1 to 64"));
            }
            n.filter(|_| fits).map(|n| n as usize)
        };
        let (min, max) = (whole("min", ask.min), whole("max", ask.max));
        if (min.is_none() && ask.min.is_some()) || (max.is_none() && ask.max.is_some()) {
            return FAULTY;
        }
        match (ask.length, min, max) {
            (Some(length), None, None) => (length, length),
            (None, min, Some(max)) => {
                let min = min.unwrap_or(1);
                if min > max {
                    let problem = at.get("min").problem(format!("`min` {min} is more than `max` {max}"));
                    self.problems.push(problem.expected(format!("at most {max}")));
                }
                (min, max.max(min))
            }
            (Some(_), _, _) => {
                let extra = if ask.min.is_some() { "min" } else { "max" };
                let problem = Problem::new(at.place_of(extra), format!("`{extra}` beside `length`"));
                self.problems.push(problem.expected("`length`, or `min` and `max`"));
                FAULTY
            }
            (None, _, None) => {
                let problem = at.get("type").problem("it is not said how long the answer is");
                self.problems.push(problem.expected("`length: 6`, or `min: 4` and `max: 8`"));
                FAULTY
            }
        }
    }
}

/// What an `ask` step and a form's slot have in common.
struct Answer<'a> {
    kind: AskKind,
    length: Option<usize>,
    min: Option<f64>,
    max: Option<f64>,
    values: &'a [raw::ListValue],
    many: bool,
    currency: Option<&'a str>,
    country: Option<&'a str>,
    past: bool,
}

/// Stands for a length that was found wrong.
const FAULTY: (usize, usize) = (3, 3);

//! What a caller is being asked, followed through a timeline. It says what a sentence that was not understood there can
//! teach: an intent, a word for a value, or that the question is put badly.

use std::collections::BTreeSet;
use std::fmt;

use serde::Serialize;

use crate::dialog::flow::{Flow, Step};
use crate::dialog::values::HIDDEN;

/// What was asked where something was not understood.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Question {
    /// What the caller wants; of any menu.
    Menu,
    /// The value of one slot.
    Slot { step: String, slot: String },
    /// A form's own question, to be answered with values of several slots.
    Form { step: String },
    /// Whether what was heard is right, or what of it is not.
    ReadBack { step: String },
}

impl fmt::Display for Question {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Menu => f.write_str("menus"),
            Self::Slot { step, slot } => write!(f, "{step}, slot {slot}"),
            Self::Form { step } => write!(f, "{step}, several slots at once"),
            Self::ReadBack { step } => write!(f, "{step}, read back"),
        }
    }
}

/// How far a call is with the step that it is at.
#[derive(Default)]
pub(super) struct Asking<'t> {
    flow: Option<&'t Flow>,
    step: &'t str,
    /// Slots that have a value since the step was come to.
    given: BTreeSet<&'t str>,
    /// A form asks for its slots one by one once it knows anything of them.
    begun: bool,
}

impl<'t> Asking<'t> {
    pub fn of(flow: Option<&'t Flow>) -> Self {
        Self { flow, ..Self::default() }
    }

    pub fn step(&mut self, step: &'t str) {
        *self = Self { step, ..Self::of(self.flow) };
    }

    /// A slot got this value, or lost it; `back` when the caller wanted to go back.
    pub fn slot(&mut self, slot: &'t str, value: &str, back: bool) {
        self.begun = true;
        // "No extras" is a value, too.
        let none = value.is_empty() && (back || !self.takes_many(slot));
        if none || value == HIDDEN {
            self.given.remove(slot)
        } else {
            self.given.insert(slot)
        };
    }

    /// The question that is asked; none where nothing is, or something secret or personal.
    pub fn question(&self) -> Option<Question> {
        let flow = self.flow?;
        let step = || self.step.to_owned();
        let slot = |slot: &String| Question::Slot { step: step(), slot: slot.clone() };
        match flow.steps.get(self.step)? {
            Step::Menu { .. } => Some(Question::Menu),
            Step::Ask(ask) if ask.secret || flow.personal.contains(&ask.slot) => None,
            Step::Ask(ask) if self.given.contains(ask.slot.as_str()) => Some(Question::ReadBack { step: step() }),
            Step::Ask(ask) => Some(slot(&ask.slot)),
            Step::Form(form) if form.slots.iter().any(|own| flow.personal.contains(&own.slot)) => None,
            Step::Form(_) if !self.begun => Some(Question::Form { step: step() }),
            Step::Form(form) => {
                let mut missing = form.slots.iter().filter(|own| !self.given.contains(own.slot.as_str()));
                let asked = missing.find(|own| own.ask.is_some());
                Some(asked.map_or_else(|| Question::ReadBack { step: step() }, |own| slot(&own.slot)))
            }
            _ => None,
        }
    }

    fn takes_many(&self, slot: &str) -> bool {
        match self.flow.and_then(|flow| flow.steps.get(self.step)) {
            Some(Step::Form(form)) => form.slots.iter().any(|own| own.slot == slot && own.kind.many()),
            _ => false,
        }
    }
}

//! A call as it is shown to who may not see personal data: what the flow's personal slots hold is hidden, with the words and
//! keys that it was given by and the bot's sentences that tell it. The record itself keeps it.

use std::collections::BTreeSet;

use super::{Entry, FactKind, Note, Summary, Utterance};
use crate::dialog::flow::{Flow, Step, Text};
use crate::dialog::slots::{NO, YES};
use crate::dialog::values::HIDDEN;
use crate::media::Key;
use crate::privacy::digits_of;

/// Values shorter than this are no words of their own: they are hidden where they were given, and not looked for elsewhere.
const SHORT: usize = 3;

/// Hides what the personal slots of a flow (its JSON, as stored) hold; whether it has any. A flow that cannot be read any more
/// may have them all: then everything that was said is hidden.
pub fn hide_personal(flow: &str, timeline: &mut [Entry], summary: Option<&mut Summary>) -> bool {
    let flow: Option<Flow> = serde_json::from_str(flow).ok();
    if flow.as_ref().is_some_and(|flow| flow.personal.is_empty()) {
        return false;
    }
    let personal = Personal::new(flow.as_ref(), timeline);
    let hidden = personal.hide(timeline);
    for fact in summary.into_iter().flat_map(|summary| &mut summary.facts) {
        if !hidden.contains(&fact.entry) {
            personal.hide_in(&mut fact.text);
        } else if fact.kind == FactKind::Collected && personal.mentions(&fact.text) {
            personal.hide_in(&mut fact.text); // the slot's name stays
        } else {
            fact.text = HIDDEN.into();
        }
    }
    true
}

/// Hides who called as well: their number and name and where they are to be called back, what they said and keyed where
/// nobody was there for them, what they and an agent said to each other, and the facts of the call before.
pub fn hide_caller(timeline: &mut Vec<Entry>, summary: Option<&mut Summary>) {
    let told = |entry: &Entry| match &entry.note {
        Note::Arrived(caller) => [Some(caller.number.clone()), caller.name.clone()].into_iter().flatten().collect(),
        Note::Callback { number, .. } => vec![number.clone()],
        _ => Vec::new(),
    };
    let values = timeline.iter().flat_map(told).filter(|value| value.chars().count() >= SHORT).collect();
    let personal = Personal { flow: None, values };
    let messages: Vec<(u64, u64)> = timeline
        .iter()
        .filter_map(|entry| match &entry.note {
            Note::Message { from_ms, to_ms, .. } => Some((*from_ms, *to_ms)),
            _ => None,
        })
        .collect();
    let (mut hidden, mut arrived, mut offered) = (BTreeSet::new(), BTreeSet::new(), false);
    for entry in &mut *timeline {
        let of_a_message = |at_ms: u64| messages.iter().any(|(from_ms, to_ms)| (*from_ms..=*to_ms).contains(&at_ms));
        match &entry.note {
            Note::Offered { .. } => offered = true,
            Note::Step { .. } | Note::Transfer { .. } | Note::Connected { .. } => offered = false,
            Note::Arrived(_) => drop(arrived.insert(entry.seq)),
            _ => {}
        }
        let gone = match &entry.note {
            Note::Utterance(said) => offered || of_a_message(said.start_ms) || of_a_message(said.end_ms),
            Note::Part { .. } | Note::Dtmf { .. } => offered || of_a_message(entry.at_ms),
            Note::Callback { .. } | Note::Message { .. } | Note::Overheard { .. } => true,
            // The number, as it is read out.
            Note::Say { text } => offered && digits_of(text).len() > SHORT,
            _ => false,
        };
        if gone {
            hide(&mut entry.note);
        }
        if gone || personal.hide_told(&mut entry.note) {
            hidden.insert(entry.seq);
        }
    }
    timeline.retain(|entry| !matches!(entry.note, Note::Arrived(_) | Note::Overheard { .. }));
    if let Some(summary) = summary {
        summary.facts.retain(|fact| fact.kind != FactKind::Caller && !arrived.contains(&fact.entry));
        for fact in &mut summary.facts {
            match hidden.contains(&fact.entry) && fact.kind == FactKind::LastWords {
                true => fact.text = HIDDEN.into(),
                false => personal.hide_in(&mut fact.text),
            }
        }
    }
}

struct Personal<'f> {
    flow: Option<&'f Flow>,
    /// What the slots held at any time.
    values: Vec<String>,
}

impl<'f> Personal<'f> {
    fn new(flow: Option<&'f Flow>, timeline: &[Entry]) -> Self {
        let mut personal = Self { flow, values: Vec::new() };
        let on_file = timeline.iter().flat_map(|entry| match &entry.note {
            Note::Arrived(caller) => caller.on_file.values().collect(),
            _ => Vec::new(),
        });
        let values = timeline.iter().filter_map(|entry| match &entry.note {
            Note::Slot { slot, value, .. } if personal.is(slot) && !matches!(value.as_str(), YES | NO | HIDDEN) => {
                Some(value)
            }
            _ => None,
        });
        let values: BTreeSet<&String> = values.chain(on_file).filter(|value| value.chars().count() >= SHORT).collect();
        personal.values = values.into_iter().cloned().collect();
        personal
    }

    fn is(&self, slot: &str) -> bool {
        self.flow.is_none_or(|flow| flow.personal.contains(slot))
    }

    /// The step asks for one of them.
    fn asked_at(&self, step: &str) -> bool {
        let Some(flow) = self.flow else { return true };
        match flow.steps.get(step) {
            Some(Step::Ask(ask)) => self.is(&ask.slot),
            Some(Step::Form(form)) => form.slots.iter().any(|slot| self.is(&slot.slot)),
            _ => false,
        }
    }

    /// What is said at the step names one of them.
    fn told_at(&self, step: &str) -> bool {
        let Some(flow) = self.flow else { return true };
        let text = match flow.steps.get(step) {
            None => return false,
            // Read back when it was given.
            Some(Step::Ask(ask)) => serde_json::to_string(&ask.prompt),
            Some(Step::Form(form)) => {
                let asks: Vec<&Text> = form.slots.iter().filter_map(|slot| slot.ask.as_ref()).collect();
                serde_json::to_string(&(&form.prompt, asks))
            }
            Some(step) => serde_json::to_string(step),
        };
        let text = text.unwrap_or_default(); // texts are maps of strings
        flow.personal.iter().any(|slot| text.contains(&format!("{{{slot}}}")) || text.contains(&format!("{{{slot}:")))
    }

    /// Which entries (`seq`) lost something.
    fn hide(&self, timeline: &mut [Entry]) -> BTreeSet<u32> {
        let mut hidden = BTreeSet::new();
        let (mut asked, mut told) = (self.asked_at(""), self.told_at(""));
        // The caller's last words: they may have held a value before it was asked for.
        let mut words = None;
        for at in 0..timeline.len() {
            let gone = match &timeline[at].note {
                Note::Step { step } => {
                    (asked, told) = (self.asked_at(step), self.told_at(step));
                    false
                }
                Note::Utterance(_) | Note::Part { .. } | Note::Dtmf { .. } => {
                    words = Some(at);
                    asked
                }
                Note::Slot { slot, value, .. } => {
                    let given = self.is(slot) && !value.is_empty();
                    told |= given && asked; // read back
                    if let Some(words) = words.filter(|_| given) {
                        hide(&mut timeline[words].note);
                        hidden.insert(timeline[words].seq);
                    }
                    given
                }
                Note::Arrived(caller) => !caller.on_file.is_empty() || caller.called_back.is_some(),
                // Two people speak of anything.
                Note::Overheard { .. } => true,
                Note::Say { .. } => told,
                _ => false,
            };
            let entry = &mut timeline[at];
            if gone {
                hide(&mut entry.note);
            }
            if gone || self.hide_told(&mut entry.note) {
                hidden.insert(entry.seq);
            }
        }
        hidden
    }

    /// Wherever a value is told, by whom ever.
    fn hide_told(&self, note: &mut Note) -> bool {
        let (Note::Say { text }
        | Note::Part { text }
        | Note::Overheard { text, .. }
        | Note::Utterance(Utterance { text, .. })) = note
        else {
            return false;
        };
        let told = self.mentions(text);
        self.hide_in(text);
        if let (true, Note::Utterance(utterance)) = (told, note) {
            utterance.alternatives.clear();
        }
        told
    }

    fn mentions(&self, text: &str) -> bool {
        let (lower, digits) = (text.to_lowercase(), digits_of(text));
        self.values.iter().any(|value| {
            let number = digits_of(value);
            lower.contains(&value.to_lowercase()) || (number.len() >= SHORT && digits.contains(&number))
        })
    }

    fn hide_in(&self, text: &mut String) {
        for value in &self.values {
            *text = text.replace(value, HIDDEN);
        }
        if self.mentions(text) {
            *text = HIDDEN.into(); // said in other words, or in other letters
        }
    }
}

fn hide(note: &mut Note) {
    match note {
        Note::Arrived(caller) => {
            let earlier = caller.called_back.iter_mut().flat_map(|earlier| &mut earlier.facts);
            caller
                .on_file
                .values_mut()
                .chain(earlier.map(|fact| &mut fact.text))
                .for_each(|text| *text = HIDDEN.into());
        }
        Note::Utterance(utterance) => {
            utterance.text = HIDDEN.into();
            utterance.alternatives.clear();
        }
        Note::Say { text } | Note::Part { text } | Note::Overheard { text, .. } | Note::Message { text, .. } => {
            *text = HIDDEN.into();
        }
        Note::Slot { value: words, .. } | Note::Callback { number: words, .. } => *words = HIDDEN.into(),
        Note::Dtmf { key } => *key = Key::new('1').expect("a telephone has a 1"),
        _ => {}
    }
}

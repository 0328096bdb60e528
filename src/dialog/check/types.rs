//! Values: is each read out, compared and filled as what it is?

use std::collections::BTreeSet;

use super::texts::{fills, uses};
use super::{Problem, ProblemKind, problem};
use crate::dialog::flow::{Branch, Flow, Step};
use crate::dialog::template::{self, Part};
use crate::dialog::types::Known;
use crate::dialog::values::BUILT_IN;

pub(super) fn check(flow: &Flow, problems: &mut Vec<Problem>) {
    for name in flow.types.keys() {
        let people = flow.people.as_ref().is_some_and(|people| people.values.contains(name));
        let filled = flow.steps.values().any(|step| fills(step).contains(&name.as_str()));
        if !people && !filled && !BUILT_IN.contains(&name.as_str()) {
            let message = format!("nothing fills `{name}`");
            let remedy = "leave it out, or fill it";
            problems.push(problem("", format!("types/{name}"), ProblemKind::UnknownValue, message, remedy));
        }
    }
    for (name, step) in &flow.steps {
        filled(flow, name, step, problems);
        read(flow, name, step, problems);
        if let Step::Decide { branches, .. } = step {
            never(flow, name, branches, problems);
        }
    }
}

/// A value that the flow says is one thing, and a step fills with another.
fn filled(flow: &Flow, name: &str, step: &Step, problems: &mut Vec<Problem>) {
    let given: Vec<(String, &str, Vec<Known>)> = match step {
        Step::Ask(ask) => vec![("kind".to_owned(), &ask.slot, vec![Known::Asked(&ask.kind)])],
        Step::Form(form) => {
            let slots = form.slots.iter().enumerate();
            slots.map(|(at, slot)| (format!("slots/{at}/kind"), &*slot.slot, vec![Known::Asked(&slot.kind)])).collect()
        }
        Step::Remember { values, .. } => {
            let kept = values.iter().map(|(name, template)| {
                (format!("values/{name}"), name.as_str(), made(flow, template, &mut BTreeSet::new()))
            });
            kept.collect()
        }
        _ => Vec::new(),
    };
    for (field, value, known) in given {
        let Some(wanted) = flow.types.get(value) else { continue };
        if let Some(other) = known.iter().find(|known| !known.is(*wanted)) {
            let message = format!("`{value}` is {wanted}, and this is {other}");
            let remedy = "fill it with what `types` says, or say there what it is";
            problems.push(problem(name, field, ProblemKind::WrongType, message, remedy));
        }
    }
}

/// Values read out as what they are not.
fn read(flow: &Flow, name: &str, step: &Step, problems: &mut Vec<Problem>) {
    for used in uses(step).iter().filter(|used| used.text.is_some()) {
        let parts = used.templates.iter().flat_map(|template| template::parse(template).unwrap_or_default());
        for part in parts {
            let Part::Value { name: value, read } = part else { continue };
            let known = known(flow, &value, &mut BTreeSet::new());
            if let Some(other) = known.iter().find(|known| !known.reads(read)) {
                let message = format!("`{{{value}:{}}}`: `{value}` is {other}", read.name());
                problems.push(problem(name, &used.field, ProblemKind::WrongType, message, "read it as what it is"));
            }
        }
    }
}

/// Tests that hold of nothing that a value may be.
fn never(flow: &Flow, step: &str, branches: &[Branch], problems: &mut Vec<Problem>) {
    for (at, branch) in branches.iter().enumerate() {
        for (within, value, test) in branch.when.tests() {
            let known = known(flow, value, &mut BTreeSet::new());
            if let Some(message) = test.never_of(&known, value) {
                let field = format!("branches/{at}/{within}{}", test.key());
                let remedy = "test it for what it may be";
                problems.push(problem(step, field, ProblemKind::TestNeverHolds, message, remedy));
            }
        }
    }
}

/// Each thing that a value may be; none where it may be anything.
fn known<'f>(flow: &'f Flow, value: &str, seen: &mut BTreeSet<String>) -> Vec<Known<'f>> {
    if let Some(own) = flow.types.get(value) {
        return vec![Known::Typed(*own)];
    }
    if flow.people.as_ref().is_some_and(|people| people.values.contains(value)) || !seen.insert(value.to_owned()) {
        return Vec::new();
    }
    let mut all = Vec::new();
    for step in flow.steps.values().filter(|step| fills(step).contains(&value)) {
        let known = match step {
            Step::Ask(ask) => vec![Known::Asked(&ask.kind)],
            Step::Form(form) => {
                let of_it = form.slots.iter().filter(|slot| slot.slot == value);
                of_it.map(|slot| Known::Asked(&slot.kind)).collect()
            }
            Step::Remember { values, .. } => {
                values.get(value).map(|template| made(flow, template, seen)).unwrap_or_default()
            }
            _ => Vec::new(),
        };
        if known.is_empty() {
            return known;
        }
        all.extend(known);
    }
    all
}

/// What a template comes to: these words, or what its one value is.
fn made<'f>(flow: &'f Flow, template: &'f str, seen: &mut BTreeSet<String>) -> Vec<Known<'f>> {
    match template::parse(template).unwrap_or_default().as_slice() {
        [Part::Text(_)] if !template.contains(['{', '}']) => vec![Known::Written(template)],
        [Part::Value { name, .. }] => known(flow, name, seen),
        _ => Vec::new(),
    }
}

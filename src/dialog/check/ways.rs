//! Where steps lead: names, dead steps, loops, hang-ups.

use std::collections::{BTreeMap, BTreeSet};

use super::{Problem, ProblemKind, WayKind, asks, problem, reached, ways};
use crate::dialog::flow::{Flow, Step};

pub(super) fn check(flow: &Flow, problems: &mut Vec<Problem>) {
    names(flow, problems);
    let reached = reached(flow);
    for name in flow.steps.keys().filter(|name| !reached.contains(name.as_str())) {
        let message = "no way leads to this step".to_owned();
        problems.push(problem(name, "", ProblemKind::DeadStep, message, "lead to it from another step, or remove it"));
    }
    loops(flow, &reached, problems);
    hang_ups(flow, &reached, problems);
}

fn names(flow: &Flow, problems: &mut Vec<Problem>) {
    let unknown = |to: &str| {
        let near = nearest(to, flow.steps.keys());
        (
            format!("there is no step `{to}`"),
            near.map_or("name a step of this flow".into(), |near| format!("did you mean `{near}`?")),
        )
    };
    if !flow.steps.contains_key(&flow.start) {
        let (message, remedy) = unknown(&flow.start);
        problems.push(problem("", "start", ProblemKind::UnknownStep, message, &remedy));
    }
    for (name, step) in &flow.steps {
        for way in ways(step) {
            if !flow.steps.contains_key(way.to) {
                let (message, remedy) = unknown(way.to);
                problems.push(problem(name, way.field, ProblemKind::UnknownStep, message, &remedy));
            }
        }
        if let Step::Hours { hours, .. } = step
            && !flow.hours.contains_key(hours)
        {
            let message = format!("there are no opening hours `{hours}`");
            problems.push(problem(name, "hours", ProblemKind::UnknownHours, message, "name hours of this flow"));
        }
    }
}

/// The name that was probably meant.
pub(super) fn nearest<'a>(name: &str, known: impl Iterator<Item = &'a String>) -> Option<&'a str> {
    let likeness = |known: &str| strsim::normalized_levenshtein(name, known);
    known
        .map(|known| (likeness(known), known.as_str()))
        .filter(|(like, _)| *like > 0.6)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, known)| known)
}

/// Rounds of steps that ask nothing: each is named once, at its first step by name.
fn loops(flow: &Flow, reached: &BTreeSet<&str>, problems: &mut Vec<Problem>) {
    let silent = |name: &str| flow.steps.get(name).is_some_and(|step| !asks(step));
    let mut told: BTreeSet<&str> = BTreeSet::new();
    for &name in reached.iter().filter(|name| silent(name)) {
        // What can be reached from here without a question.
        let mut seen: BTreeMap<&str, &str> = BTreeMap::new();
        let mut open = vec![name];
        while let Some(from) = open.pop() {
            for way in flow.steps.get(from).map(ways).unwrap_or_default() {
                if silent(way.to) && !seen.contains_key(way.to) {
                    seen.insert(way.to, from);
                    open.push(way.to);
                }
            }
        }
        let Some(mut at) = seen.get(name).copied() else { continue };
        let mut around = vec![name];
        while at != name {
            around.insert(1, at);
            at = seen[at];
        }
        if around.iter().any(|step| told.contains(step)) {
            continue;
        }
        told.extend(&around);
        let message = format!(
            "the steps {} go round without asking anything",
            around.iter().map(|s| format!("`{s}`")).collect::<Vec<_>>().join(", ")
        );
        let remedy = "ask the caller something on the way, or lead out of it";
        problems.push(problem(name, "", ProblemKind::LoopWithoutQuestion, message, remedy));
    }
}

fn hang_ups(flow: &Flow, reached: &BTreeSet<&str>, problems: &mut Vec<Problem>) {
    // Steps to which some way leads on which the caller was asked nothing.
    let unasked = |closed: bool| {
        let mut unasked: BTreeSet<&str> = BTreeSet::new();
        let mut open = vec![flow.start.as_str()];
        while let Some(name) = open.pop() {
            let Some(step) = flow.steps.get(name) else { continue };
            if unasked.insert(name) && !asks(step) {
                open.extend(ways(step).iter().filter(|way| closed || way.kind != WayKind::Closed).map(|way| way.to));
            }
        }
        unasked
    };
    let ends = |name: &&&str| matches!(flow.steps.get(**name), Some(Step::HangUp { .. }));
    let (always, closed) = (unasked(false), unasked(true));
    for name in closed.iter().filter(ends) {
        let (message, remedy) = match always.contains(name) {
            true => (
                "a caller can come here without ever having been asked anything",
                "ask before, or transfer instead (a hang-up is fine after a question)",
            ),
            false => (
                "out of hours a caller comes here without a choice",
                "offer a `callback` or a `message` before, or a menu",
            ),
        };
        problems.push(problem(name, "", ProblemKind::HangUpWithoutChance, message.to_owned(), remedy));
    }
    for &name in reached {
        let Some(step @ Step::Fetch(_)) = flow.steps.get(name) else { continue };
        for way in ways(step).into_iter().filter(|way| way.kind == WayKind::Failed) {
            let mut seen = BTreeSet::new();
            let mut open = vec![way.to];
            while let Some(to) = open.pop() {
                match flow.steps.get(to) {
                    Some(Step::HangUp { .. }) => {
                        let message = format!("when the backend fails, the caller is hung up on (at `{to}`)");
                        let remedy = "lead to a transfer or to a question";
                        problems.push(problem(name, way.field, ProblemKind::FailureHangsUp, message, remedy));
                        break;
                    }
                    Some(step) if !asks(step) && seen.insert(to) => open.extend(ways(step).iter().map(|way| way.to)),
                    _ => {}
                }
            }
        }
    }
}

//! What `dialog::check` proves or finds wrong about a flow, put to its place in the designer's file.

use std::collections::BTreeSet;

use super::Meaning;
use super::flows::Called;
use super::problem::Problem;
use super::tree::{At, Kind};
use crate::call;
use crate::dialog::flow::{Flow, Step};
use crate::dialog::values::BUILT_IN;
use crate::dialog::{self, ProblemKind};

/// Proves the flow. `at` is what it was made of, `whole` the same with what was misshapen.
pub(super) fn check(
    flow: &Flow,
    at: At,
    whole: At,
    called: &Called,
    meaning: Option<Meaning>,
    problems: &mut Vec<Problem>,
) {
    let steps = written(whole, "steps");
    let (intents, hours) = (written(whole, "intents"), written(whole, "hours"));
    let own = flow.steps.keys().filter(|name| !name.contains('/')).count();
    let mut found = dialog::check(flow);
    if found.is_empty() {
        found = call::prove(flow);
        found.extend(meaning.map(|meaning| dialog::alike(flow, meaning)).unwrap_or_default());
    }
    // Where steps are missing or lead nowhere, what follows from that is no news.
    let torn = own < steps.len() || found.iter().any(|found| found.kind == ProblemKind::UnknownStep);
    let values = values(flow);
    for found in found {
        // A step of a called flow stands in that one's file.
        let inside = found.step.rfind('/').and_then(|end| called.get(&found.step[..=end]));
        let there = inside.map(|inside| written(inside.whole, "steps"));
        let (at, steps) = (inside.map_or(at, |inside| inside.at), there.as_ref().unwrap_or(&steps));
        let at = locate(flow, at, &found.step, &found.field);
        let wrong = at.text().unwrap_or_default();
        let problem = match found.kind {
            ProblemKind::UnknownStep => {
                // The ways of an experiment are keys.
                let key = found.field.strip_prefix("ways/");
                unknown(at, key.or(at.text()), "step", steps, "the name of a step of this flow")
            }
            ProblemKind::UnknownIntent => {
                unknown(at, at.text(), "intent", &intents, "a name under the flow's `intents`")
            }
            ProblemKind::UnknownHours => unknown(at, at.text(), "hours", &hours, "a name under the flow's `hours`"),
            // Said with its languages when the text was read, or the text is misshapen.
            ProblemKind::MissingLanguage => None,
            ProblemKind::UnknownValue if torn => None,
            ProblemKind::DeadStep
            | ProblemKind::LoopWithoutQuestion
            | ProblemKind::HangUpWithoutChance
            | ProblemKind::FailureHangsUp
            | ProblemKind::UnfilledValue
                if torn =>
            {
                None
            }
            ProblemKind::OptionWithoutWay if at.find("key").is_some() => None,
            kind => {
                let quoted = found.message.split('`').nth(1).unwrap_or_default();
                let place = narrow(at, quoted);
                let place = if found.field.is_empty() { at.name_place() } else { place };
                let problem = Problem::new(place, found.message.clone());
                let problem = match expected(kind) {
                    Some(expected) => problem.expected(expected),
                    None => problem,
                };
                let known = values.iter().copied().chain(BUILT_IN);
                Some(match kind {
                    ProblemKind::UnknownValue => problem.suggest(if wrong == quoted { wrong } else { quoted }, known),
                    ProblemKind::BadTemplate => problem, // what is expected says it all
                    _ => problem.remedy(found.remedy.clone()),
                })
            }
        };
        problems.extend(problem);
    }
}

/// The names under a section of a flow's file.
fn written<'t>(whole: At<'t>, section: &str) -> BTreeSet<&'t str> {
    whole.get(section).entries().map(|(name, _)| name.text.as_str()).collect()
}

/// A name that is not among `known`; nothing when it is, for then its definition is what is wrong.
fn unknown(at: At, name: Option<&str>, what: &str, known: &BTreeSet<&str>, expected: &str) -> Option<Problem> {
    let name = name.unwrap_or_default();
    let article = if what == "hours" { "are" } else { "is" };
    let place = if at.text() == Some(name) { at.place() } else { at.name_place() };
    let problem = || Problem::new(place, format!("there {article} no {what} `{name}`")).expected(expected);
    // A `return` names none: what it leads to is told where the flow is called.
    (!name.is_empty() && !known.contains(name)).then(|| problem().suggest(name, known.iter().copied()))
}

fn expected(kind: ProblemKind) -> Option<&'static str> {
    Some(match kind {
        ProblemKind::DeadStep => "a way that leads to every step",
        ProblemKind::LoopWithoutQuestion => "a question, a transfer or an end on every way round",
        ProblemKind::HangUpWithoutChance => "a question before the end, so that callers can ask for a person",
        ProblemKind::FailureHangsUp => "a question or a transfer after a failure",
        ProblemKind::PersonOutOfReach => "a person within two prompts",
        ProblemKind::OptionWithoutWay => "a `key`, an `intent` or `phrases`",
        ProblemKind::KeyZeroTaken | ProblemKind::BadKey => "1-9, `*` or `#`",
        ProblemKind::DuplicateKey | ProblemKind::DuplicatePhrase | ProblemKind::DuplicateIntent => {
            "each once in a menu"
        }
        ProblemKind::OverlappingIntents => "examples that no other option of the menu knows",
        ProblemKind::EmptyList => "`values: [...]`",
        ProblemKind::DuplicateValue | ProblemKind::SoundAlike => "each word for one value of a list",
        ProblemKind::DuplicateSlot => "each slot once in a form",
        ProblemKind::SecretNotByKeys => "`type: digits`",
        ProblemKind::UnknownValue => {
            "the `slot` of an `ask` or `form` step, or a name under a step's `save` or `remember`"
        }
        ProblemKind::UnfilledValue => "it asked or fetched on every way to here",
        ProblemKind::BadTemplate => "`{name}`, or `{name:code}` with code, phone, number, money, date or time",
        _ => return None,
    })
}

/// Names of the values that steps set.
fn values(flow: &Flow) -> BTreeSet<&str> {
    flow.steps.values().flat_map(dialog::check::fills).collect()
}

/// From a field of `dialog::flow` to the key that an operator wrote for it.
fn locate<'t>(flow: &Flow, at: At<'t>, step: &str, field: &str) -> At<'t> {
    let kind = flow.steps.get(step);
    let name = step.rsplit('/').next().unwrap_or_default();
    let base = if step.is_empty() { at } else { at.get("steps").get(name) };
    field.split('/').filter(|part| !part.is_empty()).fold(base, |at, part| {
        let key = match (part, kind) {
            ("prompt", Some(Step::Menu { .. })) => "menu",
            ("prompt", Some(Step::Ask(_))) => "ask",
            ("prompt", Some(Step::Form(_))) => "form",
            ("kind", Some(Step::Ask(_) | Step::Form(_))) => "type",
            ("branches", _) => "decide",
            ("values", Some(Step::Remember { .. })) => "remember",
            ("ways", _) => "experiment",
            ("variable", _) => "if",
            ("say", Some(Step::HangUp { .. })) => "hang_up",
            ("say", Some(Step::Disclose { .. })) => "disclose",
            ("queue", Some(Step::Transfer(_))) => "transfer",
            ("queue", Some(Step::Callback(_))) => "callback",
            ("queue", Some(Step::Message(_))) => "message",
            ("lines", None) => "texts",
            (part, _) => part,
        };
        at.follow([key])
    })
}

/// The part of a text, or the item of a list, that `quoted` names.
fn narrow(at: At, quoted: &str) -> super::Place {
    if let Kind::List(_) = &at.node.kind {
        return at.items().find(|item| item.text() == Some(quoted)).unwrap_or(at).place();
    }
    let braced = format!("{{{}", quoted.trim_start_matches('{'));
    at.problem_at(&braced, "").place
}

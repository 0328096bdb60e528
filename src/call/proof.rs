//! What every flow promises, tried on the call itself: whoever asks for a person at any question, presses 0 or twice gives no
//! answer is on the way to one, within two prompts; and whoever's backend fails is within two prompts at a question, or with
//! a person. It is tried whenever the flow's opening hours make a difference: when some are open and others closed.
//! `dialog::check` proves where steps lead; this proves that the call goes there.

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::{DateTime, NaiveDate, NaiveTime, TimeDelta, Utc};

use super::talk::{End, Talk, World};
use super::{BackendFailure, Caller, Note, Reply, Understanding};
use crate::dialog::check::{asks, reached};
use crate::dialog::flow::{Flow, Step};
use crate::dialog::{Problem, ProblemKind};

/// Prompts that a caller hears at most before being on the way to a person.
const PROMPTS: usize = 2;
/// How callers ask for a person, everywhere; every language's words count in every flow.
const WISHES: Wishes = Wishes { key: "0", words: &["agent", "人工", "转人工"] };
const FAILURES: [BackendFailure; 3] = [BackendFailure::Down, BackendFailure::Timeout, BackendFailure::Malformed];

struct Wishes {
    key: &'static str,
    words: &'static [&'static str],
}

/// What of the promise a flow breaks, and where. It should be free of [`crate::dialog::check`]'s problems.
pub fn prove(flow: &Flow) -> Vec<Problem> {
    let mut problems: Vec<Problem> = Vec::new();
    let moments = moments(flow);
    for (clock, at) in &moments {
        let mut found = Vec::new();
        for name in reached(flow) {
            match &flow.steps[name] {
                Step::Menu { .. } | Step::Ask(_) | Step::Form(_) | Step::Callback(_) => {
                    question(flow, name, &WISHES, *at, &mut found)
                }
                Step::Fetch(_) => fetch(flow, name, *at, &mut found),
                _ => {}
            }
        }
        let same = |one: &Problem, other: &Problem| {
            (&one.step, &one.field, &one.remedy) == (&other.step, &other.field, &other.remedy)
        };
        found.retain(|problem| problems.iter().all(|known| !same(known, problem)));
        if moments.len() > 1 {
            found.iter_mut().for_each(|problem| problem.message += &format!(" ({clock})"));
        }
        problems.extend(found);
    }
    problems
}

/// A moment of an ordinary week for each way in which the flow's hours can be open and closed, and how to tell it.
fn moments(flow: &Flow) -> Vec<(String, DateTime<Utc>)> {
    let monday = NaiveDate::from_ymd_opt(2026, 1, 12).unwrap_or_default().and_time(NaiveTime::MIN).and_utc();
    let mut moments: BTreeMap<Vec<bool>, (String, DateTime<Utc>)> = BTreeMap::new();
    // Hours begin and end at any minute; half an hour is as short as they get.
    for at in (0..7 * 48).map(|half| monday + TimeDelta::minutes(30 * half)) {
        let open = flow.hours.values().map(|hours| hours.open_at(at)).collect();
        let clock = || at.with_timezone(&flow.zone()).format("tried on a %A at %H:%M").to_string();
        moments.entry(open).or_insert_with(|| (clock(), at));
    }
    moments.into_values().collect()
}

fn question(flow: &Flow, name: &str, wishes: &Wishes, when: DateTime<Utc>, problems: &mut Vec<Problem>) {
    let mut broken = |field: &str, what: &str, prompts: usize, remedy: &str| {
        let message = format!("a caller who {what} here is not on the way to a person after {prompts} prompts");
        let kind = ProblemKind::PersonOutOfReach;
        problems.push(Problem {
            step: if field.is_empty() { name.to_owned() } else { String::new() },
            field: field.to_owned(),
            kind,
            message: if field.is_empty() { message } else { message.replace("here", &format!("at `{name}`")) },
            remedy: remedy.to_owned(),
        });
    };
    let plain = "shorten the way: fewer prompts between here and `person`";
    if let Err(prompts) = reaches(flow, name, when, |talk| talk.presses(wishes.key)) {
        broken("", &format!("presses {}", wishes.key), prompts, plain);
    }
    for wish in wishes.words {
        if let Err(prompts) = reaches(flow, name, when, |talk| talk.says(wish)) {
            broken("", &format!("says \"{wish}\""), prompts, plain);
        }
    }
    let twice = |talk: &mut Talk<Failing>| {
        talk.mumbles();
        talk.mumbles();
    };
    if let Err(prompts) = reaches(flow, name, when, twice) {
        let (field, remedy) = match flow.attempts {
            ..=2 => ("", "let what follows lead to a transfer"),
            _ => ("attempts", "let two failures lead to a person: `attempts: 2`"),
        };
        broken(field, "is twice not understood", prompts, remedy);
    }
}

fn fetch(flow: &Flow, name: &str, when: DateTime<Utc>, problems: &mut Vec<Problem>) {
    for failure in FAILURES {
        let talk = at(flow, name, when, failure);
        let asked = talk.timeline().iter().any(|entry| match &entry.note {
            Note::Step { step } => flow.steps.get(step).is_some_and(asks),
            _ => false,
        });
        let there = asked || matches!(talk.ended(), Some(End::Person { .. }));
        let prompts = prompts(&talk, 0);
        // Out of hours it may be told and end; hanging up else is `dialog::check`'s to find.
        let over = talk.ended().is_some() && !there;
        if !over && (!there || prompts > PROMPTS) {
            problems.push(Problem {
                step: name.to_owned(),
                field: "failed".to_owned(),
                kind: ProblemKind::PersonOutOfReach,
                message: format!(
                    "when the backend fails, the caller hears {prompts} prompts and neither a question nor a person"
                ),
                remedy: "lead to a transfer or to a question, by one prompt at most".to_owned(),
            });
            return;
        }
    }
}

/// Whether the wish leads to a person; else how many prompts were heard.
fn reaches(flow: &Flow, name: &str, when: DateTime<Utc>, wish: impl FnOnce(&mut Talk<Failing>)) -> Result<(), usize> {
    let mut talk = at(flow, name, when, BackendFailure::Down);
    let before = talk.timeline().len();
    wish(&mut talk);
    let prompts = prompts(&talk, before);
    match talk.ended() {
        Some(End::Person { .. }) if prompts <= PROMPTS => Ok(()),
        _ => Err(prompts),
    }
}

fn prompts(talk: &Talk<Failing>, from: usize) -> usize {
    talk.timeline()[from..].iter().filter(|entry| matches!(entry.note, Note::Say { .. })).count()
}

/// A call that begins at a step.
fn at(flow: &Flow, step: &str, when: DateTime<Utc>, failure: BackendFailure) -> Talk<Failing> {
    let flow = Arc::new(Flow { start: step.to_owned(), ..flow.clone() });
    Talk::new(flow, Caller::default(), when, Failing(failure))
}

/// Nothing is understood, and every backend fails.
struct Failing(BackendFailure);

impl World for Failing {
    fn understand(&mut self, _: &str, _: &[String]) -> Understanding {
        Understanding { intents: Vec::new(), threshold: 1.0, answer: None }
    }

    fn fetch(&mut self, _: &str, _: &BTreeMap<String, String>) -> (u64, Reply) {
        (100, Reply::Failed(self.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dialog::Language;
    use crate::dialog::flow::{FlowTexts, MenuOption, Text, Transfer};

    fn flow() -> Flow {
        let text = |words: &str| Text { texts: [(Language::new("en"), words.into())].into(), ..Text::default() };
        let option = MenuOption { key: Some('1'), intent: None, phrases: vec!["hours".into()], next: "hours".into() };
        let steps = [
            ("menu", Step::Menu { prompt: text("Hours?"), again: None, short: None, options: vec![option] }),
            ("hours", Step::Say { say: text("Nine to five."), next: "menu".into() }),
        ];
        Flow {
            name: "f".into(),
            language: Language::new("en"),
            start: "menu".into(),
            steps: steps.into_iter().map(|(name, step)| (name.to_owned(), step)).collect(),
            intents: BTreeMap::new(),
            hours: BTreeMap::new(),
            person: Transfer { queue: "people".into(), skills: Vec::new(), priority: 0, say: None },
            lines: FlowTexts::default(),
            attempts: 2,
            silence_ms: 5_000,
            swearing: true,
            recorded: false,
            types: Default::default(),
            emotion: None,
            detect_language: false,
            knowledge: None,
            commands: Default::default(),
            personal: Default::default(),
            instead: Default::default(),
            desk_steps: Default::default(),
            people: None,
        }
    }

    #[test]
    fn each_wish_reaches_a_person_and_what_is_none_is_found_out() {
        let broken = |wishes: &Wishes| {
            let mut problems = Vec::new();
            question(&flow(), "menu", wishes, DateTime::<Utc>::UNIX_EPOCH, &mut problems);
            problems.into_iter().map(|problem| (problem.step, problem.message)).collect::<Vec<_>>()
        };
        assert_eq!(broken(&WISHES), []);
        // Were these the words and the key for a person, no call would know it.
        let deaf = Wishes { key: "9", words: &["elephants", "大象"] };
        let broken = broken(&deaf);
        for what in ["presses 9", "says \"elephants\"", "says \"大象\""] {
            let told = format!("a caller who {what} here is not on the way to a person");
            let at: Vec<&str> =
                broken.iter().filter(|(_, found)| found.starts_with(&told)).map(|(step, _)| step.as_str()).collect();
            assert_eq!(at, ["menu"], "{what}: {broken:?}");
        }
        assert_eq!(broken.len(), 3);
    }

    #[test]
    fn two_failures_that_lead_nowhere_are_found_out() {
        let found = prove(&Flow { attempts: 3, ..flow() });
        assert_eq!(found.len(), 1);
        assert_eq!((found[0].field.as_str(), found[0].kind), ("attempts", ProblemKind::PersonOutOfReach));
    }
}

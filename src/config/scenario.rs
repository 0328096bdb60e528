//! Operators' dialogue tests as checked values, each expectation with its place.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::time::Duration;

use chrono::{DateTime, Utc};

use super::problem::{Place, Problem, Problems};
use super::raw_scenario::{self as raw, Called, OneOrMore, Sound, Wordless};
use super::shape;
use super::tree::{At, Source};
use crate::call::{BackendFailure, Reply};

/// A file of dialogue tests.
#[derive(Clone, Debug)]
pub struct Scenarios {
    pub config: PathBuf,
    pub line: Option<String>,
    pub scenarios: Vec<Scenario>,
}

#[derive(Clone, Debug)]
pub struct Scenario {
    pub name: String,
    pub place: Place,
    pub at: DateTime<Utc>,
    pub caller: String,
    pub backends: BTreeMap<String, (Duration, Reply)>,
    /// Queues in which nobody is there.
    pub nobody: BTreeSet<String>,
    pub turns: Vec<Turn>,
}

/// What the caller does, and what must come of it.
#[derive(Clone, Debug)]
pub struct Turn {
    pub place: Place,
    pub does: Option<Does>,
    pub sounds: Option<Feeling>,
    pub expected: Vec<(Place, Expected)>,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Does {
    Says(String),
    Presses(String),
    Silence,
    Noise,
}

/// Distress in the caller's voice.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Feeling(pub f32);

#[derive(Clone, Debug, PartialEq)]
pub enum Expected {
    Says(String),
    Never(String),
    AtStep(String),
    Intent(Option<String>),
    Slot(String, String),
    Calls(String, BTreeMap<String, String>),
    AnswersFrom(String),
    Transfers(String),
    CallsBack(String),
    Message(String),
    /// Ended by the bot, or not.
    Ends(bool),
}

const MONDAY: &str = "2026-11-23T15:00:00Z";
const CALLER: &str = "+15550100";
const REPLY_MS: u64 = 300;

/// Reads a file of dialogue tests.
pub fn scenarios(path: &Path) -> Result<Scenarios, Problems> {
    let mut problems = Vec::new();
    let source = Source::read(path).map_err(|problem| Problems(vec![problem]))?;
    let read = source.parse(&mut problems).and_then(|mut node| {
        let file: raw::File = shape::SCENARIOS.read(&source, &mut node, &mut problems)?;
        Some(checked(&file, At::root(&source, &node), &mut problems))
    });
    match read {
        Some(read) if problems.is_empty() => Ok(read),
        _ => Err(Problems(problems)),
    }
}

fn checked(file: &raw::File, at: At, problems: &mut Vec<Problem>) -> Scenarios {
    let usual_at = file.at.as_deref().unwrap_or(MONDAY);
    let scenarios = file.scenarios.iter().zip(at.get("scenarios").items()).map(|(scenario, own)| {
        let (text, place) = match &scenario.at {
            Some(text) => (text.as_str(), own.get("at")),
            None => (usual_at, at.get("at")),
        };
        let moment = text.parse().unwrap_or_else(|_| {
            let problem = place.problem(format!("\"{text}\" is no moment"));
            problems.push(problem.expected("date and time with its zone, such as `2026-11-23T15:00:00Z`"));
            DateTime::UNIX_EPOCH
        });
        let mut backends = BTreeMap::new();
        for (replies, at) in [(&file.backends, at.get("backends")), (&scenario.backends, own.get("backends"))] {
            for (name, reply) in replies {
                backends.insert(name.clone(), backend(reply, at.get(name), problems));
            }
        }
        let turns = scenario.turns.iter().zip(own.get("turns").items());
        Scenario {
            name: scenario.scenario.clone(),
            place: own.get("scenario").place(),
            at: moment,
            caller: scenario.caller.as_ref().map_or(CALLER, |caller| &caller.0).to_owned(),
            backends,
            nobody: scenario.nobody.iter().cloned().collect(),
            turns: turns.map(|(turn, at)| checked_turn(turn, at, problems)).collect(),
        }
    });
    let scenarios = scenarios.collect();
    Scenarios { config: super::check::beside(at.file(), &file.config), line: file.line.clone(), scenarios }
}

fn backend(reply: &raw::Reply, at: At, problems: &mut Vec<Problem>) -> (Duration, Reply) {
    let fails = reply.fails.map(|fails| match fails {
        raw::Failure::NotFound => BackendFailure::NotFound,
        raw::Failure::Timeout => BackendFailure::Timeout,
        raw::Failure::Down => BackendFailure::Down,
        raw::Failure::Malformed => BackendFailure::Malformed,
    });
    let found = reply.reply.clone().map(Reply::Found);
    let refuses = reply.refuses.clone().map(Reply::Refused);
    let mut all = [found, refuses, fails.map(Reply::Failed)].into_iter().flatten();
    let (first, second) = (all.next(), all.next());
    if first.is_none() || second.is_some() {
        let problem = at.problem("a backend replies, refuses or fails");
        problems.push(problem.expected("one of `reply`, `refuses` and `fails`"));
    }
    let after = Duration::from_millis(reply.after_ms.unwrap_or(REPLY_MS));
    (after, first.unwrap_or(Reply::Failed(BackendFailure::Down)))
}

fn checked_turn(turn: &raw::Turn, at: At, problems: &mut Vec<Problem>) -> Turn {
    let says = turn.says.as_ref().map(|says| Does::Says(says.0.clone()));
    let presses = turn.presses.as_ref().map(|keys| Does::Presses(keys.0.clone()));
    let wordless = turn.does.map(|does| match does {
        Wordless::Silence => Does::Silence,
        Wordless::Noise => Does::Noise,
    });
    let mut does = [says, presses, wordless].into_iter().flatten();
    let (first, second) = (does.next(), does.next());
    if second.is_some() {
        let problem = at.problem("a caller does one thing at a time");
        problems.push(problem.expected("one of `says`, `presses` and `does` in a turn"));
    }
    let wrong = |key: &char| crate::media::Key::new(*key).is_none();
    if let Some(key) = turn.presses.as_ref().and_then(|keys| keys.0.chars().find(wrong)) {
        problems
            .push(at.get("presses").problem(format!("a telephone has no key \"{key}\"")).expected("0-9, `*` or `#`"));
    }
    let mut expected = Vec::new();
    let mut expect = |key: &str, one: Expected| expected.push((at.place_of(key), one));
    for text in each(&turn.bot) {
        expect("bot", Expected::Says(text));
    }
    for text in each(&turn.never) {
        expect("never", Expected::Never(text));
    }
    if let Some(step) = &turn.asks {
        expect("asks", Expected::AtStep(step.clone()));
    }
    if let Some(intent) = &turn.intent {
        expect("intent", Expected::Intent(Some(intent.clone()).filter(|intent| intent != "none")));
    }
    for (slot, value) in &turn.slots {
        expect("slots", Expected::Slot(slot.clone(), value.0.clone()));
    }
    match &turn.calls {
        Some(Called::Backend(backend)) => expect("calls", Expected::Calls(backend.clone(), BTreeMap::new())),
        Some(Called::With(each)) => {
            for (backend, with) in each {
                let with = with.iter().map(|(name, value)| (name.clone(), value.0.clone())).collect();
                expect("calls", Expected::Calls(backend.clone(), with));
            }
        }
        None => {}
    }
    if let Some(place) = &turn.answers_from {
        expect("answers_from", Expected::AnswersFrom(place.clone()));
    }
    if let Some(queue) = &turn.transfers {
        expect("transfers", Expected::Transfers(queue.clone()));
    }
    if let Some(number) = &turn.calls_back {
        expect("calls_back", Expected::CallsBack(number.0.clone()));
    }
    if let Some(text) = &turn.message {
        expect("message", Expected::Message(text.0.clone()));
    }
    if let Some(ends) = turn.ends {
        expect("ends", Expected::Ends(ends));
    }
    let sounds = turn.sounds.map(|sound| match sound {
        Sound::Calm => Feeling(0.1),
        Sound::Upset => Feeling(0.75),
        Sound::Angry => Feeling(0.95),
    });
    Turn { place: at.place(), does: first, sounds, expected }
}

fn each(texts: &Option<OneOrMore>) -> Vec<String> {
    match texts {
        None => Vec::new(),
        Some(OneOrMore::One(text)) => vec![text.0.clone()],
        Some(OneOrMore::More(texts)) => texts.iter().map(|text| text.0.clone()).collect(),
    }
}

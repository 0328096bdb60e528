//! Proofs about a flow, made before any call follows it. From every step that can be reached a caller who only
//! asks for a person, presses 0 or fails gets to one:
//! - questions (menu, ask, form) always listen for a wish for a person, and two failures lead there: they need no proof;
//! - every other step leads on, without a loop of steps that ask nothing, to a question, to a transfer, or to a
//!   hang-up that the caller had a chance to avoid: after a question, which out of hours may be a callback or message;
//! - a backend's failure never leads to a hang-up without a question or a transfer between.
//!
//! (`call::prove` tries the same on the call itself.)
//!
//! Besides, that every name is known, every step reached, every value filled before it is used, every text there
//! in every language, every option of a menu can be told from the others, and every value is used as what it is.

mod answers;
mod texts;
mod types;
mod ways;

pub use answers::alike;
pub(crate) use texts::fills;
pub use texts::prompts;

use super::flow::{Flow, Step};

/// A mistake in a flow, in its designer's words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Name of the step; empty when it is the flow's own.
    pub step: String,
    /// The part of the step (`next`, `options/2/key`), as in `flow`'s types; empty for the whole.
    pub field: String,
    pub kind: ProblemKind,
    /// What is wrong.
    pub message: String,
    /// What to do about it.
    pub remedy: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ProblemKind {
    UnknownStep,
    UnknownIntent,
    UnknownHours,
    /// No way leads there.
    DeadStep,
    LoopWithoutQuestion,
    HangUpWithoutChance,
    FailureHangsUp,
    /// Tried on the call itself: a person takes too long to reach, or is never reached.
    PersonOutOfReach,
    EmptyMenu,
    /// An option with neither key nor words nor intent.
    OptionWithoutWay,
    DuplicateKey,
    DuplicatePhrase,
    DuplicateIntent,
    /// Two intents of a menu have an example in common.
    OverlappingIntents,
    /// Key 0 leads to a person, always.
    KeyZeroTaken,
    BadKey,
    BadLength,
    /// A list without values, or a form without slots.
    EmptyList,
    /// One word for two values of a list.
    DuplicateValue,
    /// Two values of a list that sound the same.
    SoundAlike,
    /// A value, or an option of a menu, whose words ask for a person: they can never choose it.
    ValueIsPerson,
    /// A form fills the same slot twice.
    DuplicateSlot,
    /// A slot of a form that can only be filled when it is asked for, and is not.
    SlotNeverAsked,
    /// No currency (ISO 4217) or no country whose postcodes are known.
    UnknownUnit,
    /// A value read out as, or filled with, what it is not.
    WrongType,
    /// A decision's test that holds of no value of this kind.
    TestNeverHolds,
    SecretNotByKeys,
    SecretSpoken,
    /// Nothing fills this value.
    UnknownValue,
    /// Something fills this value, but not on every way here.
    UnfilledValue,
    MissingLanguage,
    BadTemplate,
}

impl std::fmt::Display for Problem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match (self.step.is_empty(), self.field.is_empty()) {
            (true, true) => {}
            (true, false) => write!(f, "{}: ", self.field)?,
            (false, true) => write!(f, "step `{}`: ", self.step)?,
            (false, false) => write!(f, "step `{}`, {}: ", self.step, self.field)?,
        }
        write!(f, "{}; {}", self.message, self.remedy)
    }
}

/// Every mistake in a flow; none is the proof.
pub fn check(flow: &Flow) -> Vec<Problem> {
    let mut problems = Vec::new();
    ways::check(flow, &mut problems);
    answers::check(flow, &mut problems);
    texts::check(flow, &mut problems);
    types::check(flow, &mut problems);
    problems
}

fn problem(step: &str, field: impl Into<String>, kind: ProblemKind, message: String, remedy: &str) -> Problem {
    Problem { step: step.to_owned(), field: field.into(), kind, message, remedy: remedy.to_owned() }
}

/// A way from one step to the next.
struct Way<'a> {
    field: String,
    to: &'a str,
    kind: WayKind,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum WayKind {
    On,
    /// Out of opening hours.
    Closed,
    /// A backend failed or found nothing.
    Failed,
}

/// Where a step leads.
fn ways(step: &Step) -> Vec<Way<'_>> {
    let way = |field: &str, to, kind| Way { field: field.to_owned(), to, kind };
    match step {
        Step::Say { next, .. } | Step::Disclose { next, .. } => vec![way("next", next, WayKind::On)],
        Step::Menu { options, .. } => {
            let option = |(at, next)| way(&format!("options/{at}/next"), next, WayKind::On);
            options.iter().map(|option| option.next.as_str()).enumerate().map(option).collect()
        }
        Step::Ask(ask) => vec![way("next", &ask.next, WayKind::On)],
        Step::Form(form) => vec![way("next", &form.next, WayKind::On)],
        Step::Fetch(fetch) => {
            let refused = fetch.refused.as_ref().map(|refused| way("refused/next", &refused.next, WayKind::Failed));
            let ways = [
                way("next", &fetch.next, WayKind::On),
                way("not_found", &fetch.not_found, WayKind::Failed),
                way("failed", &fetch.failed, WayKind::Failed),
            ];
            let spent = fetch.attempts.as_ref().map(|attempts| way("attempts/spent", &attempts.spent, WayKind::Failed));
            ways.into_iter().chain(refused).chain(spent).collect()
        }
        Step::Remember { next, .. } => vec![way("next", next, WayKind::On)],
        Step::Experiment { ways } => {
            ways.keys().map(|to| way(&format!("ways/{}", plain(to)), to, WayKind::On)).collect()
        }
        Step::Decide { branches, otherwise } => {
            let branch = |(at, next)| way(&format!("branches/{at}/next"), next, WayKind::On);
            let mut ways: Vec<Way<'_>> =
                branches.iter().map(|branch| branch.next.as_str()).enumerate().map(branch).collect();
            ways.push(way("otherwise", otherwise, WayKind::On));
            ways
        }
        Step::Hours { open, closed, .. } => {
            vec![way("open", open, WayKind::On), way("closed", closed, WayKind::Closed)]
        }
        Step::Callback(callback) => {
            let ways = [("next", &callback.next), ("declined", &callback.declined)];
            ways.into_iter().filter_map(|(field, to)| Some(way(field, to.as_ref()?, WayKind::On))).collect()
        }
        Step::Message(message) => message.next.iter().map(|next| way("next", next, WayKind::On)).collect(),
        Step::Transfer(_) | Step::HangUp { .. } => Vec::new(),
    }
}

/// A step's name without what stands before it in a called flow.
fn plain(step: &str) -> &str {
    step.rsplit('/').next().unwrap_or(step)
}

/// Whether the step waits for an answer, and so for a wish for a person; or is itself what there is instead of one.
pub(crate) fn asks(step: &Step) -> bool {
    matches!(step, Step::Menu { .. } | Step::Ask(_) | Step::Form(_) | Step::Callback(_) | Step::Message(_))
}

/// The steps that a call can come to.
pub(crate) fn reached(flow: &Flow) -> std::collections::BTreeSet<&str> {
    let mut reached = std::collections::BTreeSet::new();
    let mut open: Vec<&str> = flow.entries().collect();
    while let Some(name) = open.pop() {
        if let Some(step) = flow.steps.get(name)
            && reached.insert(name)
        {
            open.extend(ways(step).iter().map(|way| way.to));
            // A free question asked at a menu.
            if let (Step::Menu { .. }, Some(free)) = (step, &flow.knowledge) {
                open.extend(free.next.as_deref());
            }
        }
    }
    reached
}

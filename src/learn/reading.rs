//! One call's timeline, read for what went wrong in it.

use std::collections::BTreeMap;

use super::question::{Asking, Question};
use crate::call::{Entry, IntentScore, Note, Utterance};
use crate::dialog::commands::Command;
use crate::dialog::flow::{Flow, Text};
use crate::dialog::slots::yes_no;

/// A second intent this near to the first makes the choice doubtful.
const CLOSE: f32 = 0.2;

/// Why a question had to be asked again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fallback {
    NotHeard,
    NotUnderstood,
    Silence,
}

/// Where a caller is.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    /// Before the first step.
    Arriving,
    Step(String),
    /// Waiting for a person.
    Queue(String),
    /// Talking to one.
    Agent,
}

/// A sentence that was no answer: at a menu no option was chosen by it and no page answered it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Missed {
    pub question: Question,
    pub step: String,
    pub text: String,
    pub language: String,
    /// Its sound, in ms of the call.
    pub start_ms: u64,
    pub end_ms: u64,
}

/// A sentence that was nearly taken for something else, or was taken for the wrong thing.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Doubt {
    pub intent: String,
    /// The second best; or what the caller chose after going back.
    pub other: String,
    /// The caller went back and chose otherwise.
    pub corrected: bool,
}

/// What one call tells.
#[derive(Debug)]
pub struct Reading {
    /// Steps in the order they were come to.
    pub steps: Vec<String>,
    /// At which step, and why.
    pub fallbacks: Vec<(String, Fallback)>,
    pub missed: Vec<Missed>,
    /// Why a person was wanted, each time.
    pub wanted: Vec<String>,
    pub doubts: Vec<Doubt>,
    /// What the caller first wanted.
    pub intent: Option<String>,
    /// The experiments that the call came to, by their steps.
    pub experiments: BTreeMap<String, Way>,
    pub last: Place,
}

/// How an experiment took a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Way {
    pub way: String,
    /// How many of the call's fall-backs came before it: they are none of its doing.
    pub fallbacks_before: usize,
}

impl Reading {
    /// `flow` is the one that the call ran through; without it only what the timeline says outright is known.
    pub fn of<'t>(timeline: &'t [Entry], flow: Option<&'t Flow>) -> Self {
        let reading = Self {
            steps: Vec::new(),
            fallbacks: Vec::new(),
            missed: Vec::new(),
            wanted: Vec::new(),
            doubts: Vec::new(),
            intent: None,
            experiments: BTreeMap::new(),
            last: Place::Arriving,
        };
        let asking = Asking::of(flow);
        let mut reader = Reader { flow, asking, said: None, told: false, chosen: None, went_back: false, reading };
        let mut notes = timeline.iter().map(|entry| &entry.note).peekable();
        let mut before: Option<&Note> = None;
        while let Some(note) = notes.next() {
            reader.read(note, before, notes.peek().copied());
            before = Some(note);
        }
        reader.reading
    }
}

struct Reader<'t> {
    flow: Option<&'t Flow>,
    asking: Asking<'t>,
    /// The caller's last sentence, until it is known what came of it.
    said: Option<&'t Utterance>,
    /// The fallback that the next prompt apologises for is counted.
    told: bool,
    /// The intent that the last sentence was taken for.
    chosen: Option<&'t str>,
    went_back: bool,
    reading: Reading,
}

impl<'t> Reader<'t> {
    fn read(&mut self, note: &'t Note, before: Option<&Note>, next: Option<&Note>) {
        match note {
            Note::Step { step } => {
                self.reading.steps.push(step.clone());
                self.reading.last = Place::Step(step.clone());
                self.asking.step(step);
            }
            Note::Experiment { step, way } => {
                let fallbacks_before = self.reading.fallbacks.len();
                let way = Way { way: way.clone(), fallbacks_before };
                self.reading.experiments.entry(step.clone()).or_insert(way);
            }
            Note::Slot { slot, value, .. } => {
                let back = matches!(before, Some(Note::Command { command: Command::Back }));
                self.asking.slot(slot, value, back);
                if value.is_empty() {
                    self.said = None; // taken back by these words
                }
            }
            Note::Utterance(utterance) => self.said = Some(utterance),
            Note::NotHeard => self.fell_back(Fallback::NotHeard),
            Note::Silence => self.fell_back(Fallback::Silence),
            Note::Say { text } => self.bot_says(text),
            Note::Intent { chosen, scores } => {
                let answered = matches!(next, Some(Note::AnsweredFrom { .. }));
                self.understood(chosen.as_deref(), scores, answered);
            }
            Note::Command { command: Command::Back | Command::StartOver } => self.went_back = true,
            Note::PersonWanted { reason } => {
                if matches!(reason.as_str(), "not understood" | "no answer is known") && !self.told {
                    if self.denies() {
                        self.said = None;
                    }
                    self.fell_back(Fallback::NotUnderstood);
                }
                self.reading.wanted.push(reason.clone());
            }
            Note::Transfer { queue, .. } => {
                let asked = matches!(before, Some(Note::PersonWanted { .. }));
                if let (false, Place::Step(step)) = (asked, &self.reading.last) {
                    self.reading.wanted.push(format!("the flow leads there: {step}"));
                }
                self.reading.last = Place::Queue(queue.clone());
            }
            Note::Connected { .. } | Note::Referred { .. } => self.reading.last = Place::Agent,
            _ => {}
        }
    }

    fn step(&self) -> Option<&str> {
        match &self.reading.last {
            Place::Step(step) => Some(step),
            _ => None,
        }
    }

    /// Counted once for each time that the bot must ask again.
    fn fell_back(&mut self, why: Fallback) {
        let Some(step) = self.step().map(str::to_owned) else { return };
        self.told = true;
        if let (Fallback::NotUnderstood, Some(question)) = (why, self.asking.question()) {
            self.missed(question);
        }
        self.reading.fallbacks.push((step, why));
    }

    /// Who says once too often that what is read back is wrong is understood well enough.
    fn denies(&self) -> bool {
        let no = self.said.and_then(|said| yes_no(&said.text)).is_some_and(|answer| !answer.yes);
        no && matches!(self.asking.question(), Some(Question::ReadBack { .. }))
    }

    /// What was said and not understood has no entry of its own: the bot's apology tells.
    fn bot_says(&mut self, text: &str) {
        if let (false, Some(flow)) = (std::mem::take(&mut self.told), self.flow) {
            let is =
                |words: &Text| words.texts.values().any(|words| !words.is_empty() && text.contains(words.as_str()));
            if is(&flow.lines.not_understood) {
                self.fell_back(Fallback::NotUnderstood);
            } else if is(&flow.lines.not_heard) {
                self.fell_back(Fallback::NotHeard);
            }
            self.told = false;
        }
        self.said = None;
    }

    fn understood(&mut self, chosen: Option<&'t str>, scores: &[IntentScore], answered: bool) {
        let Some(chosen) = chosen else {
            if !answered {
                self.missed(Question::Menu); // they alone ask for intents
            }
            return;
        };
        if let Some(wrong) = self.chosen.filter(|wrong| self.went_back && *wrong != chosen) {
            self.doubt(wrong, chosen, true);
        }
        self.went_back = false;
        // Keys and phrases have no scores: they are no guess.
        self.chosen = (!scores.is_empty()).then_some(chosen);
        if let [first, second, ..] = scores
            && first.score - second.score <= CLOSE
        {
            self.doubt(&first.intent, &second.intent, false);
        }
        self.reading.intent.get_or_insert_with(|| chosen.to_owned());
    }

    fn doubt(&mut self, intent: &str, other: &str, corrected: bool) {
        self.reading.doubts.push(Doubt { intent: intent.to_owned(), other: other.to_owned(), corrected });
    }

    fn missed(&mut self, question: Question) {
        let Some(utterance) = self.said.take() else { return };
        let Some(step) = self.step().map(str::to_owned) else { return };
        self.reading.missed.push(Missed {
            question,
            step,
            text: utterance.text.clone(),
            language: utterance.language.clone(),
            start_ms: utterance.start_ms,
            end_ms: utterance.end_ms,
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reading(notes: Vec<Note>) -> Reading {
        let entries = notes.into_iter().enumerate();
        let timeline: Vec<Entry> = entries.map(|(seq, note)| Entry { seq: seq as u32, at_ms: 0, note }).collect();
        Reading::of(&timeline, None)
    }

    fn intent(chosen: Option<&str>, scores: &[(&str, f32)]) -> Note {
        let scores = scores.iter().map(|(intent, score)| IntentScore { intent: (*intent).into(), score: *score });
        Note::Intent { chosen: chosen.map(Into::into), scores: scores.collect() }
    }

    fn said(text: &str) -> Note {
        Note::Utterance(Utterance { text: text.into(), ..Utterance::default() })
    }

    fn step(step: &str) -> Note {
        Note::Step { step: step.into() }
    }

    #[test]
    fn who_goes_back_and_chooses_otherwise_was_mistaken() {
        let reading = reading(vec![
            step("menu"),
            said("my card"),
            intent(Some("balance"), &[("balance", 0.9), ("card", 0.1)]),
            Note::Command { command: Command::Back },
            intent(Some("card"), &[]),
        ]);
        let doubt = Doubt { intent: "balance".into(), other: "card".into(), corrected: true };
        assert_eq!((reading.doubts, reading.intent.as_deref()), (vec![doubt], Some("balance")));
    }

    #[test]
    fn what_the_pages_answer_is_not_missed() {
        let answer = Note::AnsweredFrom { source: "prices.md".into(), score: 0.9 };
        let reading = reading(vec![
            step("menu"),
            said("what does it cost"),
            intent(None, &[]),
            answer,
            said("and what about dogs"),
            intent(None, &[]),
            Note::PersonWanted { reason: "no answer is known".into() },
            Note::Transfer { queue: "desk".into(), skills: vec![], priority: 0 },
        ]);
        let missed: Vec<&str> = reading.missed.iter().map(|missed| missed.text.as_str()).collect();
        assert_eq!(missed, ["and what about dogs"]);
        assert_eq!(reading.fallbacks, [("menu".to_owned(), Fallback::NotUnderstood)]);
        assert_eq!(
            (reading.wanted, reading.last),
            (vec!["no answer is known".to_owned()], Place::Queue("desk".into()))
        );
    }

    #[test]
    fn a_step_that_transfers_is_a_reason_of_its_own() {
        let to = |queue: &str| Note::Transfer { queue: queue.into(), skills: vec![], priority: 0 };
        // The second: the agent did not answer, and the call is queued again.
        let reading = reading(vec![step("lost_card"), to("cards"), to("cards")]);
        assert_eq!(reading.wanted, ["the flow leads there: lost_card"]);
    }
}

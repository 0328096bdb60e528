//! What a caller's distress leads to, as the operator wants it: thresholds and durations on how they sound, a threshold
//! on what they say, and for each a reaction, once a call, with its reasons. A plain value: `call` tells it what was
//! heard and does what it answers.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::trend::{Threshold, Trend, Watch};
use super::words::{Lists, WordSign, Wording};
use crate::call::{Reading, Sign, Utterance};

/// What may be done for a caller in distress.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reaction {
    /// A comforting line before whatever is said next.
    Comfort,
    /// Menus are asked in their first sentence from here on.
    Shorter,
    /// They go ahead of others in every queue.
    Priority,
    /// A person is offered; a yes is enough.
    Offer,
    /// Supervisors are told.
    Alert,
    /// To a person at once.
    Transfer,
}

impl Reaction {
    pub const ALL: [Reaction; 6] = [
        Reaction::Comfort,
        Reaction::Shorter,
        Reaction::Priority,
        Reaction::Offer,
        Reaction::Alert,
        Reaction::Transfer,
    ];

    /// As in the operator's file, the timeline and the metrics.
    pub fn name(self) -> &'static str {
        ["comfort", "shorter", "priority", "offer", "alert", "transfer"][self as usize]
    }
}

/// When a reaction comes: by sound, by words, or by either.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Rule {
    pub sound: Option<Threshold>,
    /// Least score of words, 0..=1.
    pub words: Option<f32>,
}

/// An operator's policy for a line.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Policy {
    /// From when on a caller is called upset in timeline and summary.
    pub upset: Threshold,
    /// Reactions that are not in it never come.
    pub rules: BTreeMap<Reaction, Rule>,
    /// Added to the priority of every queue, by `Reaction::Priority`.
    pub raise: i32,
    /// Words that tell of distress, besides the built-in ones.
    #[serde(default)]
    pub lists: Lists,
}

impl Default for Policy {
    /// One clear outburst brings a kind word, shorter questions, a better place and the offer of a person; if it goes
    /// on, or the words say so too, supervisors are told and a person takes over. 0.7 over 800 ms is the lowest level at
    /// which no more than 5 % of calm, happy, loud or noisy turns of training speakers pass, in both corpora heard
    /// (`cargo bench --bench emotion_live -- LABELS --split train --listen`).
    fn default() -> Self {
        let rule = |distress, for_ms, words| Rule { sound: Some(Threshold { distress, for_ms }), words: Some(words) };
        Self {
            upset: Threshold { distress: 0.7, for_ms: 800 },
            rules: [
                (Reaction::Comfort, rule(0.7, 800, 0.5)),
                (Reaction::Shorter, rule(0.7, 800, 0.5)),
                (Reaction::Priority, rule(0.7, 800, 0.5)),
                (Reaction::Offer, rule(0.7, 800, 0.5)),
                (Reaction::Alert, rule(0.75, 3_000, 0.75)),
                (Reaction::Transfer, rule(0.75, 3_000, 0.75)),
            ]
            .into(),
            raise: 10,
            lists: Lists::default(),
        }
    }
}

/// `distress 0.81 over 2.2 s of speech (pitch, 80th percentile; loudness)`, or what was said.
impl std::fmt::Display for Why {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (seconds, list): (f32, Vec<String>) = match self.by {
            By::Sound => {
                write!(f, "distress {:.2}", self.level)?;
                let telling = self.signs.iter().filter(|sign| sign.weight > 0.0);
                (self.for_ms as f32 / 1e3, telling.map(|sign| sign.name.clone()).collect())
            }
            By::Words => {
                write!(f, "words {:.2}", self.words)?;
                (0.0, self.word_signs.iter().map(WordSign::to_string).collect())
            }
        };
        if seconds > 0.0 {
            write!(f, " over {seconds:.1} s of speech")?;
        }
        if list.is_empty() { Ok(()) } else { write!(f, " ({})", list.join("; ")) }
    }
}

/// Whether a caller sounds upset, from when.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Mood {
    pub upset: bool,
    /// Beginning of the speech that made it so, ms of the call.
    pub since_ms: u64,
    /// Smoothed distress, 0..=1.
    pub level: f32,
}

/// The reasons of a reaction.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Why {
    /// `sound` or `words`: which threshold was passed.
    pub by: By,
    /// Smoothed distress, 0..=1, and the speech it has lasted, ms.
    pub level: f32,
    pub for_ms: u32,
    /// The last readings: end of the sound (ms of the call) and distress.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub readings: Vec<(u64, f32)>,
    /// What in the voice the last reading stands on, most telling first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub signs: Vec<Sign>,
    /// The score of words, 0..=1, and what it stands on.
    pub words: f32,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub word_signs: Vec<WordSign>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum By {
    Sound,
    Words,
}

/// What came of something heard, in the order of [`Reaction::ALL`].
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Outcome {
    /// The caller has become upset, or calm again.
    pub mood: Option<Mood>,
    pub reactions: Vec<(Reaction, Why)>,
}

/// One call under a policy.
#[derive(Clone, Debug)]
pub struct Care {
    policy: Policy,
    trend: Trend,
    upset: Watch,
    watches: BTreeMap<Reaction, Watch>,
    wording: Wording,
    /// Of the last reading that had any.
    signs: Vec<Sign>,
    done: BTreeSet<Reaction>,
}

impl Care {
    pub fn new(policy: Policy) -> Self {
        let watch = |(reaction, rule): (&Reaction, &Rule)| Some((*reaction, Watch::new(rule.sound?)));
        Self {
            trend: Trend::default(),
            upset: Watch::new(policy.upset),
            watches: policy.rules.iter().filter_map(watch).collect(),
            wording: Wording::new(policy.lists.clone()),
            signs: Vec::new(),
            done: BTreeSet::new(),
            policy,
        }
    }

    /// How they sounded.
    pub fn sounded(&mut self, reading: &Reading) -> Outcome {
        self.trend.hear(reading);
        if !reading.signs.is_empty() {
            self.signs.clone_from(&reading.signs);
        }
        let before = self.upset.passed();
        self.upset.look(&self.trend, reading);
        self.watches.values_mut().for_each(|watch| watch.look(&self.trend, reading));
        let upset = self.upset.passed();
        let mood = (upset != before).then(|| Mood {
            upset,
            since_ms: self.upset.since_ms().unwrap_or(reading.start_ms),
            level: round(self.trend.level()),
        });
        let due: Vec<Reaction> =
            self.watches.iter().filter(|(_, watch)| watch.passed()).map(|(reaction, _)| *reaction).collect();
        Outcome { mood, reactions: self.react(due, By::Sound) }
    }

    /// What they said. The score and its signs are for the timeline.
    pub fn said(&mut self, utterance: &Utterance) -> (f32, Vec<WordSign>, Outcome) {
        let signs = self.wording.hear(&utterance.text, utterance.start_ms, utterance.end_ms);
        let score = self.wording.score();
        let passed = |rule: &Rule| rule.words.is_some_and(|least| !signs.is_empty() && score >= least);
        let due: Vec<Reaction> =
            self.policy.rules.iter().filter(|(_, rule)| passed(rule)).map(|(reaction, _)| *reaction).collect();
        let reactions = self.react(due, By::Words);
        (round(score), signs, Outcome { mood: None, reactions })
    }

    /// Sounds upset now.
    pub fn upset(&self) -> bool {
        self.upset.passed()
    }

    /// What `Reaction::Priority` adds.
    pub fn raise(&self) -> i32 {
        if self.done.contains(&Reaction::Priority) { self.policy.raise } else { 0 }
    }

    /// This reaction has come.
    pub fn has(&self, reaction: Reaction) -> bool {
        self.done.contains(&reaction)
    }

    fn react(&mut self, due: Vec<Reaction>, by: By) -> Vec<(Reaction, Why)> {
        let fresh: Vec<Reaction> = due.into_iter().filter(|reaction| self.done.insert(*reaction)).collect();
        fresh.into_iter().map(|reaction| (reaction, self.why(reaction, by))).collect()
    }

    fn why(&self, reaction: Reaction, by: By) -> Why {
        Why {
            by,
            level: round(self.trend.level()),
            for_ms: self.watches.get(&reaction).map_or(0, Watch::above_ms),
            readings: self.trend.readings().into_iter().map(|(at, distress)| (at, round(distress))).collect(),
            signs: self.signs.clone(),
            words: round(self.wording.score()),
            word_signs: self.wording.signs().to_vec(),
        }
    }
}

/// Thousandths: what a reader can use, and the same bytes at every replay.
pub fn round(value: f32) -> f32 {
    (value * 1_000.0).round() / 1_000.0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reading(start_ms: u64, speech_ms: u32, distress: f32) -> Reading {
        Reading {
            distress,
            start_ms,
            end_ms: start_ms + u64::from(speech_ms),
            speech_ms,
            whole: true,
            ..Reading::default()
        }
    }

    fn said(text: &str, start_ms: u64) -> Utterance {
        let end_ms = start_ms + 2_000;
        Utterance {
            text: text.into(),
            confidence: 0.9,
            language: "en".into(),
            start_ms,
            end_ms,
            ..Utterance::default()
        }
    }

    fn names(outcome: &Outcome) -> Vec<&str> {
        outcome.reactions.iter().map(|(reaction, _)| reaction.name()).collect()
    }

    #[test]
    fn a_calm_caller_meets_no_reaction() {
        let mut care = Care::new(Policy::default());
        for at in 0..20 {
            assert_eq!(care.sounded(&reading(at * 9_000, 2_000, 0.2)), Outcome::default());
            assert_eq!(care.said(&said("I'd like to know my balance", at * 9_000 + 4_000)).2.reactions, []);
        }
        assert!(!care.upset());
    }

    #[test]
    fn each_reaction_comes_once_and_says_why() {
        let mut care = Care::new(Policy::default());
        care.sounded(&reading(1_000, 2_000, 0.1));
        let first = care.sounded(&reading(10_000, 2_500, 0.9));
        assert_eq!(names(&first), ["comfort", "shorter", "priority", "offer"]);
        assert_eq!(first.mood.unwrap().since_ms, 10_000);
        let why = &first.reactions[0].1;
        assert_eq!((why.by, why.for_ms, why.readings.last()), (By::Sound, 2_500, Some(&(12_500, 0.9))));
        let second = care.sounded(&reading(20_000, 2_500, 0.9));
        assert_eq!((names(&second), second.mood), (vec!["alert", "transfer"], None));
        for at in 3..9 {
            assert_eq!(care.sounded(&reading(at * 10_000, 2_500, 0.95)), Outcome::default());
        }
    }

    #[test]
    fn words_alone_lead_to_the_same() {
        let mut care = Care::new(Policy::default());
        let (score, signs, outcome) = care.said(&said("this is ridiculous, I will call my lawyer", 1_000));
        assert!(score >= 0.5 && signs.len() == 2, "{score} {signs:?}");
        assert_eq!(names(&outcome)[0], "comfort");
        assert_eq!((outcome.reactions[0].1.by, outcome.reactions[0].1.level), (By::Words, 0.0));
        assert!(!care.upset(), "the two scores stay apart");
    }

    #[test]
    fn what_the_policy_leaves_out_never_comes() {
        let mut policy = Policy::default();
        policy.rules.retain(|reaction, _| *reaction == Reaction::Alert);
        let mut care = Care::new(policy);
        let all: Vec<Reaction> = (0..9)
            .flat_map(|at| care.sounded(&reading(at * 10_000, 3_000, 1.0)).reactions)
            .map(|(reaction, _)| reaction)
            .collect();
        assert_eq!(all, [Reaction::Alert]);
    }

    #[test]
    fn a_policy_survives_the_records() {
        let json = serde_json::to_string(&Policy::default()).unwrap();
        assert_eq!(serde_json::from_str::<Policy>(&json).unwrap(), Policy::default());
    }
}

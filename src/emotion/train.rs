//! A model from an operator's own recordings: heard over clean and damaged telephone lines, fitted on some speakers,
//! judged on others, and put in place only when it is at least as good there as the model in use.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use rand::SeedableRng;
use rand::rngs::Xoshiro256PlusPlus;
use sha2::{Digest, Sha256};

use super::clips::{Clip, Crowd, Hearing};
use super::degrade::Line;
use super::eval::{self, Evaluation, Judged};
use super::labels::Label;
use super::metrics::Interval;
use super::{Card, Class, Error, Example, Model, Progress, Settings, fit};

/// Names in the folder that a model is trained into. The first is what an engine loads.
pub const MODEL: &str = "emotion.model";
pub const BEFORE: &str = "emotion.model.before";
pub const REFUSED: &str = "emotion.model.refused";
pub const REPORT: &str = "emotion-report.html";

/// How a model is trained.
#[derive(Clone, Debug)]
pub struct Options {
    /// Share of the speakers that are kept for judging when the table has no `split`, 0..1.
    pub held_out: f64,
    /// Damaged copies of each recording beside the clean telephone line.
    pub copies: usize,
    /// At least 1.
    pub threads: usize,
    pub fit: Settings,
    /// Neutral recordings that make a caller's baseline.
    pub baseline_of: usize,
    /// For the model's card.
    pub name: String,
    pub terms: String,
    pub trained_on: String,
    /// RFC 3339.
    pub date: String,
}

/// How far it is.
#[derive(Clone, Copy, Debug)]
pub enum Stage {
    /// One more of so many recordings was heard.
    Heard {
        of: usize,
    },
    Fitting(Progress),
    Judging,
}

/// What came of it. Nothing is written yet.
pub struct Outcome {
    pub model: Model,
    /// Card of the model that was in use.
    pub in_use: Card,
    /// Both on the held-out recordings over the clean telephone line.
    pub new_scores: Evaluation,
    pub in_use_scores: Evaluation,
    /// Distress UAR of the new model less that of the one in use, without baseline, paired by recording.
    pub difference: Option<Interval>,
    /// Main figures (`Evaluation::main_figure`): new, in use.
    pub main: (f64, f64),
    /// At least as good as the one in use.
    pub better: bool,
    pub trained: Side,
    pub judged: Side,
    /// Recordings passed over: table line and reason.
    pub unheard: Vec<(usize, String)>,
    pub curve: Vec<Progress>,
}

/// What one side of the split holds.
#[derive(Clone, Debug, Default)]
pub struct Side {
    pub recordings: usize,
    pub people: BTreeSet<String>,
    pub classes: BTreeMap<&'static str, usize>,
}

#[derive(Debug, thiserror::Error)]
pub enum TrainError {
    #[error(
        "speaker {person} is on both sides of the split (lines {train} and {dev} of the table): a model must be judged \
         on people it never heard"
    )]
    Shared { person: String, train: usize, dev: usize },
    #[error("{0}")]
    TooLittle(String),
    #[error(transparent)]
    Model(#[from] Error),
    #[error("cannot write {path}: {source}", path = .path.display())]
    Write { path: PathBuf, source: std::io::Error },
}

/// Trains on `labels` and judges the result beside `in_use`; `told` follows it.
pub fn train(
    labels: &[Label],
    in_use: &Model,
    options: &Options,
    told: &(dyn Fn(Stage) + Sync),
) -> Result<Outcome, TrainError> {
    let (learn, held) = split(labels, options.held_out)?;
    let total = learn.len() + held.len();
    let one_more = || told(Stage::Heard { of: total });
    let crowd = Crowd::of(&learn, options.fit.seed);
    let lines = |label: &Label| lines_of(label, options.copies, options.fit.seed);
    let hearing = Hearing { lines: &lines, crowd: &crowd, seed: options.fit.seed, threads: options.threads };
    let to_learn = hearing.hear(&learn, &one_more);
    let telephone = |_: &Label| vec![Line::telephone()];
    let to_judge = Hearing { lines: &telephone, ..hearing }.hear(&held, &one_more);

    let mut curve = Vec::new();
    let mut follow = |progress: Progress| {
        curve.push(progress);
        told(Stage::Fitting(progress));
    };
    let mut model = fit(&examples(&learn, &to_learn.clips), &options.fit, &mut follow)?;

    told(Stage::Judging);
    let judge = |model: &Model| eval::evaluate(model, &held, &to_judge.clips, options.baseline_of);
    let (new_scores, in_use_scores) = (judge(&model), judge(in_use));
    let (Some(new), Some(old)) = (new_scores.main_figure(), in_use_scores.main_figure()) else {
        let lacking = "the speakers kept for judging have no distressed (angry, fear) or no calm (neutral, sad) recording \
                       that can be heard: models cannot be compared on them";
        return Err(TrainError::TooLittle(lacking.into()));
    };
    let pairs: Vec<(Judged, Judged)> = eval::judge_all(in_use, &held, &to_judge.clips)
        .into_iter()
        .zip(eval::judge_all(&model, &held, &to_judge.clips))
        .collect();
    model.card = card(options, &new_scores);
    let told_apart = |labels: &[Label], unheard: Vec<(usize, String)>| -> Vec<(usize, String)> {
        unheard.into_iter().map(|(label, why)| (labels[label].line, why)).collect()
    };
    let (trained, judged) = (side(&learn, &to_learn.clips), side(&held, &to_judge.clips));
    let mut unheard = told_apart(&learn, to_learn.unheard);
    unheard.extend(told_apart(&held, to_judge.unheard));
    unheard.sort();
    Ok(Outcome {
        difference: eval::gain(&held, &pairs),
        main: (new.0, old.0),
        better: new >= old,
        in_use: in_use.card.clone(),
        model,
        new_scores,
        in_use_scores,
        trained,
        judged,
        unheard,
        curve,
    })
}

/// Puts the model into `folder`: as the one in use (the one before is kept beside it), or beside it when it is worse.
/// Gives the path written.
pub fn install(outcome: &Outcome, folder: &Path) -> Result<PathBuf, TrainError> {
    let write = |path: &Path| {
        let path = path.to_owned();
        move |source| TrainError::Write { path, source }
    };
    std::fs::create_dir_all(folder).map_err(write(folder))?;
    if !outcome.better {
        let path = folder.join(REFUSED);
        outcome.model.save(&path)?;
        return Ok(path);
    }
    let path = folder.join(MODEL);
    if path.exists() {
        // A copy, not a move: at no moment is there no model.
        std::fs::copy(&path, folder.join(BEFORE)).map_err(write(&folder.join(BEFORE)))?;
    }
    outcome.model.save(&path)?;
    Ok(path)
}

/// Recordings to learn from and to judge by, no speaker in both: by the table's `split` (`dev` is for judging, `train`
/// and nothing for learning, anything else is left alone), or by drawing `share` of the speakers. The draw hangs on
/// the names alone: who was held out once stays so when recordings are added or a model is trained again.
pub fn split(labels: &[Label], share: f64) -> Result<(Vec<Label>, Vec<Label>), TrainError> {
    if labels.iter().any(|label| label.split == "dev") {
        return by_table(labels);
    }
    let mut people: BTreeMap<String, BTreeSet<Option<bool>>> = BTreeMap::new();
    for label in labels {
        people.entry(label.person()).or_default().insert(label.class.distress());
    }
    if people.len() < 3 {
        let found = people.len();
        return Err(TrainError::TooLittle(format!(
            "{found} speaker(s) are too few: two are needed to learn from and one to judge by; name each person in the \
             `speaker` column"
        )));
    }
    let mut drawn: Vec<&String> = people.keys().collect();
    drawn.sort_by_key(|person| Sha256::digest(person.as_bytes()));
    let wanted = ((people.len() as f64 * share).round() as usize).clamp(1, people.len() - 2);
    // Those who show both distress and calm come first, or nothing could be judged.
    drawn.sort_by_key(|person| !(people[*person].contains(&Some(true)) && people[*person].contains(&Some(false))));
    let held: BTreeSet<String> = drawn.into_iter().take(wanted).cloned().collect();
    Ok(labels.iter().cloned().partition(|label| !held.contains(&label.person())))
}

fn by_table(labels: &[Label]) -> Result<(Vec<Label>, Vec<Label>), TrainError> {
    let part = |names: &[&str]| -> Vec<Label> {
        labels.iter().filter(|label| names.contains(&label.split.as_str())).cloned().collect()
    };
    let (learn, held) = (part(&["train", ""]), part(&["dev"]));
    for dev in &held {
        if let Some(train) = learn.iter().find(|label| label.person() == dev.person()) {
            return Err(TrainError::Shared { person: dev.person(), train: train.line, dev: dev.line });
        }
    }
    if learn.is_empty() {
        return Err(TrainError::TooLittle("every recording of the table is `dev`: none is left to learn from".into()));
    }
    Ok((learn, held))
}

/// The clean telephone line, then damaged ones, a noisy and a mild one by turns: a person's recordings share them, as their calls would.
pub fn lines_of(label: &Label, copies: usize, seed: u64) -> Vec<Line> {
    let digest = Sha256::digest(label.person().as_bytes());
    let person = digest.iter().take(8).fold(0u64, |sum, &byte| sum << 8 | u64::from(byte));
    let mut random = Xoshiro256PlusPlus::seed_from_u64(seed ^ person);
    let damaged = (0..copies).map(|copy| Line::any(copy % 2 == 0, &mut random));
    std::iter::once(Line::telephone()).chain(damaged).collect()
}

/// What `fit` learns of recordings heard: people and corpora by number.
pub fn examples(labels: &[Label], clips: &[Clip]) -> Vec<Example> {
    let number = |names: BTreeSet<String>| -> BTreeMap<String, u32> { names.into_iter().zip(0..).collect() };
    let people = number(labels.iter().map(Label::person).collect());
    let corpora = number(labels.iter().map(|label| label.corpus.clone()).collect());
    clips
        .iter()
        .map(|clip| {
            let label = &labels[clip.label];
            Example {
                features: clip.features.clone(),
                class: label.class,
                speaker: people[&label.person()],
                corpus: corpora[&label.corpus],
                line: clip.line as u32,
            }
        })
        .collect()
}

fn side(labels: &[Label], clips: &[Clip]) -> Side {
    let mut side = Side::default();
    for label in clips.iter().filter(|clip| clip.line == 0).map(|clip| &labels[clip.label]) {
        side.recordings += 1;
        side.people.insert(label.person());
        *side.classes.entry(label.class.name()).or_default() += 1;
    }
    side
}

fn card(options: &Options, scores: &Evaluation) -> Card {
    let mut figures = BTreeMap::new();
    for (way, scores) in [("", Some(&scores.plain)), ("_with_baseline", scores.baseline.as_ref())] {
        let Some(scores) = scores else { continue };
        let distress = scores.distress.as_ref();
        let four = scores.four.as_ref().filter(|four| four.confusion.classes.len() == eval::FOUR.len());
        for (name, value) in [
            ("distress_uar", distress.map(|d| d.uar.value)),
            ("distress_auc", distress.and_then(|d| d.auc)),
            ("distress_ece", distress.and_then(|d| d.ece)),
            ("four_class_uar", four.map(|four| four.uar)),
        ] {
            if let Some(value) = value {
                figures.insert(format!("{name}{way}"), (value * 1e4).round() / 1e4);
            }
        }
    }
    Card {
        name: options.name.clone(),
        terms: options.terms.clone(),
        trained_on: vec![options.trained_on.clone()],
        scores: figures,
        date: options.date.clone(),
    }
}

/// Which classes a table has at all, most frequent first.
pub fn classes(labels: &[Label]) -> Vec<(Class, usize)> {
    let mut counts: BTreeMap<Class, usize> = BTreeMap::new();
    labels.iter().for_each(|label| *counts.entry(label.class).or_default() += 1);
    let mut counts: Vec<_> = counts.into_iter().collect();
    counts.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    counts
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(people: usize, split: impl Fn(usize) -> &'static str) -> Vec<Label> {
        (0..people * 4)
            .map(|n| Label {
                line: n + 2,
                file: format!("{n}.wav").into(),
                corpus: "calls".into(),
                speaker: format!("s{}", n / 4),
                class: [Class::Angry, Class::Neutral, Class::Happy, Class::Sad][n % 4],
                language: String::new(),
                gender: String::new(),
                text: String::new(),
                split: split(n).into(),
            })
            .collect()
    }

    fn people(labels: &[Label]) -> BTreeSet<String> {
        labels.iter().map(Label::person).collect()
    }

    #[test]
    fn nobody_is_on_both_sides_and_who_is_held_out_stays_so() {
        let (learn, held) = split(&table(20, |_| ""), 0.2).unwrap();
        assert_eq!((people(&learn).len(), people(&held).len()), (16, 4));
        assert!(people(&learn).is_disjoint(&people(&held)));
        // Five more speakers: whoever is held out of the old ones now was held out before.
        let (_, more) = split(&table(25, |_| ""), 0.2).unwrap();
        let old: BTreeSet<String> = people(&table(20, |_| ""));
        assert!(people(&more).intersection(&old).all(|person| people(&held).contains(person)));
        assert!(matches!(split(&table(2, |_| ""), 0.5), Err(TrainError::TooLittle(_))));
        let (learn, held) = split(&table(3, |_| ""), 0.01).unwrap();
        assert_eq!((people(&learn).len(), people(&held).len()), (2, 1));
    }

    #[test]
    fn a_tables_own_split_is_kept_and_checked() {
        let (learn, held) = split(&table(5, |n| if n < 8 { "dev" } else { "train" }), 0.9).unwrap();
        assert_eq!((learn.len(), held.len()), (12, 8));
        let (learn, _) = split(&table(5, |n| ["dev", "train", "test"][(n / 8).min(2)]), 0.9).unwrap();
        assert_eq!(learn.len(), 8, "a third part is left alone");
        let shared = split(&table(5, |n| if n < 6 { "dev" } else { "train" }), 0.2).unwrap_err().to_string();
        assert!(shared.contains("calls/s1") && shared.contains("lines 8 and 6"), "{shared}");
        assert!(matches!(split(&table(3, |_| "dev"), 0.2), Err(TrainError::TooLittle(_))));
    }

    #[test]
    fn one_persons_recordings_come_over_the_same_lines() {
        let labels = table(2, |_| "");
        let lines = lines_of(&labels[0], 3, 1);
        assert_eq!((lines.len(), lines[0]), (4, Line::telephone()));
        assert_eq!(lines, lines_of(&labels[3], 3, 1));
        assert_ne!(lines, lines_of(&labels[4], 3, 1));
    }
}

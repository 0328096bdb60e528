//! How well a model hears labelled recordings: the figures of `metrics` over all, by corpus, language, gender and
//! speaker, with and without the caller's own baseline.

use std::collections::BTreeMap;

use serde::Serialize;

use super::clips::Clip;
use super::labels::Label;
use super::metrics::{self, Bin, Confusion, Interval};
use super::{Baseline, Class, Model};

/// The classes of the four-class figures.
pub const FOUR: [Class; 4] = [Class::Angry, Class::Happy, Class::Neutral, Class::Sad];
/// Bins of the calibration figures.
const BINS: usize = 10;
const ROUNDS: usize = 1_000;

/// One recording judged.
#[derive(Clone, Debug)]
pub struct Judged {
    pub label: usize,
    pub class: Class,
    /// 0..=1.
    pub distress: f64,
    /// By class, in the order of `Class::ALL`.
    pub probabilities: [f64; Class::ALL.len()],
}

/// What a set of judgements is worth. A figure is absent where the recordings do not allow it.
#[derive(Clone, Debug, Serialize)]
pub struct Scores {
    /// Recordings judged.
    pub files: usize,
    pub distress: Option<Distress>,
    /// Angry, happy, neutral, sad; the other classes left out.
    pub four: Option<Classes>,
    /// All classes of the recordings.
    pub all: Option<Classes>,
    /// Expected calibration error of the most probable class.
    pub class_ece: Option<f64>,
}

/// Anger and fear against neutral, calm and sad, at 0.5.
#[derive(Clone, Debug, Serialize)]
pub struct Distress {
    pub files: usize,
    /// With its 95 % interval by bootstrap over speakers.
    pub uar: Interval,
    pub auc: Option<f64>,
    pub ece: Option<f64>,
    /// Share of the distressed recognised.
    pub recall: Option<f64>,
    /// Share of the others taken for distressed.
    pub false_alarms: Option<f64>,
    pub reliability: Vec<Bin>,
    #[serde(skip)]
    pub roc: Vec<(f64, f64)>,
}

#[derive(Clone, Debug, Serialize)]
pub struct Classes {
    pub files: usize,
    pub uar: f64,
    pub confusion: Confusion,
}

/// One corpus, language, gender or speaker.
#[derive(Clone, Debug, Serialize)]
pub struct Group {
    /// `corpus`, `language`, `gender` or `speaker`.
    pub by: &'static str,
    pub name: String,
    pub plain: Scores,
    pub baseline: Option<Scores>,
}

/// Everything `frontdesk emotion eval` prints and the report page draws.
#[derive(Clone, Debug, Serialize)]
pub struct Evaluation {
    /// Each recording for itself, all recordings.
    pub plain: Scores,
    /// With the caller's baseline: without the recordings it was made of and speakers who have none.
    pub baseline: Option<Scores>,
    /// How much the baseline adds to the distress UAR on the same recordings, by paired bootstrap over speakers.
    pub baseline_gain: Option<Interval>,
    pub groups: Vec<Group>,
}

impl Evaluation {
    /// What decides between two models on the same recordings: distress UAR, the mean of both ways; its AUC if equal.
    pub fn main_figure(&self) -> Option<(f64, f64)> {
        let ways = [Some(&self.plain), self.baseline.as_ref()];
        let distress: Vec<&Distress> = ways.into_iter().flatten().filter_map(|s| s.distress.as_ref()).collect();
        let n = distress.len() as f64;
        (n > 0.0).then(|| {
            let uar = distress.iter().map(|d| d.uar.value).sum::<f64>() / n;
            (uar, distress.iter().filter_map(|d| d.auc).sum::<f64>() / n)
        })
    }
}

/// Each of `clips` for itself.
pub fn judge_all(model: &Model, labels: &[Label], clips: &[Clip]) -> Vec<Judged> {
    clips.iter().map(|clip| judge(model, labels, clip, None)).collect()
}

/// Judges `clips` (one line each) by `model`. A speaker's baseline is made of the first neutral recordings in the
/// table's order: `baseline_of` at most, and never more than half of them.
pub fn evaluate(model: &Model, labels: &[Label], clips: &[Clip], baseline_of: usize) -> Evaluation {
    let plain = judge_all(model, labels, clips);
    let pairs = judge_both(model, labels, clips, baseline_of);
    let with: Vec<Judged> = pairs.iter().map(|(_, with)| with.clone()).collect();
    let baseline_gain = gain(labels, &pairs);
    let groups = groups(labels, &plain, &with);
    Evaluation {
        plain: scores(labels, &plain.iter().collect::<Vec<_>>()),
        baseline: (!with.is_empty()).then(|| scores(labels, &with.iter().collect::<Vec<_>>())),
        baseline_gain,
        groups,
    }
}

/// The same recordings without and with the caller's baseline (as in `evaluate`).
pub fn judge_both(model: &Model, labels: &[Label], clips: &[Clip], baseline_of: usize) -> Vec<(Judged, Judged)> {
    let baselines = baselines(labels, clips, baseline_of);
    let taken: Vec<usize> = calm_clips(labels, clips, baseline_of).into_values().flatten().collect();
    let left = clips.iter().enumerate().filter(|(n, _)| !taken.contains(n));
    left.filter_map(|(_, clip)| {
        let baseline = baselines.get(&labels[clip.label].person())?;
        Some((judge(model, labels, clip, None), judge(model, labels, clip, Some(baseline))))
    })
    .collect()
}

/// Person -> their baseline, of the first neutral recordings.
pub fn baselines(labels: &[Label], clips: &[Clip], baseline_of: usize) -> BTreeMap<String, Baseline> {
    let calm = calm_clips(labels, clips, baseline_of).into_iter();
    calm.map(|(person, calm)| (person, calm.iter().map(|&clip| &clips[clip].features).collect())).collect()
}

/// By how much `pairs`' second judgements beat the first in distress UAR, bootstrapped by speaker.
pub fn gain(labels: &[Label], pairs: &[(Judged, Judged)]) -> Option<Interval> {
    let people: Vec<String> = pairs.iter().map(|(one, _)| labels[one.label].person()).collect();
    metrics::bootstrap(&people, ROUNDS, 1, |items| {
        let uar =
            |second: bool| distress_uar(items.iter().map(|&item| if second { &pairs[item].1 } else { &pairs[item].0 }));
        Some(uar(true)? - uar(false)?)
    })
}

fn judge(model: &Model, labels: &[Label], clip: &Clip, baseline: Option<&Baseline>) -> Judged {
    let reading = model.read(&clip.features, baseline);
    let probability = |class: Class| f64::from(reading.probabilities.get(class.name()).copied().unwrap_or(0.0));
    Judged {
        label: clip.label,
        class: labels[clip.label].class,
        distress: f64::from(reading.distress),
        probabilities: Class::ALL.map(probability),
    }
}

/// Person -> the clips of their baseline.
fn calm_clips(labels: &[Label], clips: &[Clip], most: usize) -> BTreeMap<String, Vec<usize>> {
    let mut calm: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    for (n, clip) in clips.iter().enumerate() {
        let label = &labels[clip.label];
        if label.class == Class::Neutral {
            calm.entry(label.person()).or_default().push(n);
        }
    }
    calm.retain(|_, clips| {
        clips.truncate(most.min(clips.len() / 2));
        !clips.is_empty()
    });
    calm
}

fn groups(labels: &[Label], plain: &[Judged], with: &[Judged]) -> Vec<Group> {
    type Of = fn(&Label) -> String;
    let ways: [(&'static str, Of); 4] = [
        ("corpus", |label| label.corpus.clone()),
        ("language", |label| label.language.clone()),
        ("gender", |label| label.gender.clone()),
        ("speaker", Label::person),
    ];
    let mut groups = Vec::new();
    for (by, of) in ways {
        let split = |judged: &'_ [Judged]| -> BTreeMap<String, Vec<usize>> {
            let mut parts: BTreeMap<String, Vec<usize>> = BTreeMap::new();
            for (n, judged) in judged.iter().enumerate() {
                parts.entry(of(&labels[judged.label])).or_default().push(n);
            }
            parts
        };
        let (plain_parts, with_parts) = (split(plain), split(with));
        for (name, items) in plain_parts.into_iter().filter(|(name, _)| !name.is_empty()) {
            let of_items = |all: &[Judged], items: &[usize]| {
                scores(labels, &items.iter().map(|&item| &all[item]).collect::<Vec<_>>())
            };
            let baseline = with_parts.get(&name).map(|items| of_items(with, items));
            groups.push(Group { by, plain: of_items(plain, &items), baseline, name });
        }
    }
    groups
}

/// The figures of some judgements.
pub fn scores(labels: &[Label], judged: &[&Judged]) -> Scores {
    let told: Vec<(f64, bool)> = judged
        .iter()
        .map(|judged| {
            let best = most_probable(judged, &Class::ALL);
            (judged.probabilities[best as usize], best == judged.class)
        })
        .collect();
    Scores {
        files: judged.len(),
        distress: distress(labels, judged),
        four: classes(judged, &FOUR),
        all: classes(judged, &Class::ALL),
        class_ece: metrics::calibration_error(&metrics::reliability(&told, BINS)),
    }
}

fn distress(labels: &[Label], judged: &[&Judged]) -> Option<Distress> {
    let counted: Vec<&Judged> = judged.iter().copied().filter(|judged| judged.class.distress().is_some()).collect();
    let scored: Vec<(f64, bool)> =
        counted.iter().filter_map(|judged| Some((judged.distress, judged.class.distress()?))).collect();
    let people: Vec<String> = counted.iter().map(|judged| labels[judged.label].person()).collect();
    let uar = metrics::bootstrap(&people, ROUNDS, 1, |items| distress_uar(items.iter().map(|&item| counted[item])))?;
    let share = |of: bool| {
        let all: Vec<_> = scored.iter().filter(|(_, is)| *is == of).collect();
        let hit = all.iter().filter(|(score, _)| *score >= 0.5).count();
        (!all.is_empty()).then(|| hit as f64 / all.len() as f64)
    };
    let reliability = metrics::reliability(&scored, BINS);
    Some(Distress {
        files: scored.len(),
        uar,
        auc: metrics::auc(&scored),
        ece: metrics::calibration_error(&reliability),
        recall: share(true),
        false_alarms: share(false),
        reliability,
        roc: metrics::roc(&scored).unwrap_or_default(),
    })
}

fn distress_uar<'a>(judged: impl Iterator<Item = &'a Judged>) -> Option<f64> {
    let mut confusion = Confusion { classes: vec![String::new(); 2], counts: vec![vec![0; 2]; 2] };
    for judged in judged {
        if let Some(is) = judged.class.distress() {
            confusion.add(usize::from(is), usize::from(judged.distress >= 0.5));
        }
    }
    confusion.uar()
}

/// Judged among `among` alone; the others' recordings are left out.
fn classes(judged: &[&Judged], among: &[Class]) -> Option<Classes> {
    let present: Vec<Class> =
        among.iter().copied().filter(|class| judged.iter().any(|judged| judged.class == *class)).collect();
    let mut confusion = Confusion::new(present.iter().map(|class| class.name()));
    for judged in judged {
        if let Some(meant) = present.iter().position(|class| *class == judged.class) {
            let heard = most_probable(judged, &present);
            confusion.add(meant, present.iter().position(|class| *class == heard).unwrap_or(meant));
        }
    }
    Some(Classes { files: confusion.total() as usize, uar: confusion.uar()?, confusion })
}

fn most_probable(judged: &Judged, among: &[Class]) -> Class {
    let by = |class: &Class| judged.probabilities[*class as usize];
    among.iter().copied().max_by(|a, b| by(a).total_cmp(&by(b))).unwrap_or(Class::Neutral)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn label(speaker: &str, class: Class) -> Label {
        Label {
            line: 0,
            file: "x".into(),
            corpus: "c".into(),
            speaker: speaker.into(),
            class,
            language: String::new(),
            gender: String::new(),
            text: String::new(),
            split: String::new(),
        }
    }

    fn judged(label: usize, class: Class, distress: f64, heard: Class) -> Judged {
        let mut probabilities = [0.05; Class::ALL.len()];
        probabilities[heard as usize] = 0.7;
        Judged { label, class, distress, probabilities }
    }

    #[test]
    fn distress_and_classes_are_counted_apart() {
        use Class::*;
        let labels: Vec<Label> =
            [Angry, Fear, Neutral, Sad, Happy, Happy].into_iter().map(|class| label("a", class)).collect();
        let all = [
            judged(0, Angry, 0.9, Angry),
            judged(1, Fear, 0.4, Sad),
            judged(2, Neutral, 0.1, Neutral),
            judged(3, Sad, 0.2, Sad),
            judged(4, Happy, 0.8, Angry),
            judged(5, Happy, 0.3, Happy),
        ];
        let scores = scores(&labels, &all.iter().collect::<Vec<_>>());
        let distress = scores.distress.unwrap();
        // Happy ones do not count: one of two distressed found, no false alarm among two.
        assert_eq!((distress.files, distress.uar.value, distress.auc), (4, 0.75, Some(1.0)));
        assert_eq!((distress.recall, distress.false_alarms), (Some(0.5), Some(0.0)));
        let four = scores.four.unwrap();
        assert_eq!((four.files, four.uar), (5, (1.0 + 0.5 + 1.0 + 1.0) / 4.0));
        assert_eq!(four.confusion.classes, ["angry", "happy", "neutral", "sad"]);
        let all_classes = scores.all.unwrap();
        assert_eq!((all_classes.files, all_classes.uar), (6, (1.0 + 0.5 + 1.0 + 1.0 + 0.0) / 5.0));
        // Told 0.7 six times, four true.
        assert!((scores.class_ece.unwrap() - (0.7 - 4.0 / 6.0)).abs() < 1e-9);
    }

    #[test]
    fn the_gain_is_of_the_same_recordings() {
        let labels: Vec<Label> = (0..4).map(|n| label(["a", "b"][n % 2], Class::Angry)).collect();
        let pair = |n: usize, class, before, after| (judged(n, class, before, class), judged(n, class, after, class));
        let pairs = [
            pair(0, Class::Angry, 0.2, 0.8),
            pair(1, Class::Angry, 0.2, 0.8),
            pair(2, Class::Sad, 0.2, 0.2),
            pair(3, Class::Sad, 0.2, 0.2),
        ];
        let gain = gain(&labels, &pairs).unwrap();
        assert_eq!((gain.value, gain.low, gain.high), (0.5, 0.5, 0.5));
    }

    #[test]
    fn what_the_recordings_do_not_allow_is_absent() {
        let labels = [label("a", Class::Happy)];
        let one = judged(0, Class::Happy, 0.5, Class::Happy);
        let scores = scores(&labels, &[&one]);
        assert!(scores.distress.is_none() && scores.four.is_none() && scores.all.is_none());
        assert_eq!(scores.files, 1);
    }
}

//! How good scores are, by the field's figures: unweighted average recall (UAR, the mean of the classes' recalls; no
//! class counts more for being frequent), area under the ROC curve, confusion, calibration (Guo et al. 2017), and
//! intervals by bootstrap over speakers, because utterances of one person are not independent.

use rand::rngs::Xoshiro256PlusPlus;
use rand::{RngExt, SeedableRng};
use serde::Serialize;

/// What was meant (rows) against what was heard (columns).
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Confusion {
    pub classes: Vec<String>,
    /// `counts[meant][heard]`.
    pub counts: Vec<Vec<u32>>,
}

impl Confusion {
    pub fn new<S: Into<String>>(classes: impl IntoIterator<Item = S>) -> Self {
        let classes: Vec<String> = classes.into_iter().map(Into::into).collect();
        let counts = vec![vec![0; classes.len()]; classes.len()];
        Self { classes, counts }
    }

    pub fn add(&mut self, meant: usize, heard: usize) {
        self.counts[meant][heard] += 1;
    }

    /// Share of a class that was heard as such; `None` when it never occurred.
    pub fn recall(&self, class: usize) -> Option<f64> {
        let all: u32 = self.counts[class].iter().sum();
        (all > 0).then(|| f64::from(self.counts[class][class]) / f64::from(all))
    }

    /// Mean recall of the classes that occurred; `None` when fewer than two did.
    pub fn uar(&self) -> Option<f64> {
        let recalls: Vec<f64> = (0..self.classes.len()).filter_map(|class| self.recall(class)).collect();
        (recalls.len() > 1).then(|| recalls.iter().sum::<f64>() / recalls.len() as f64)
    }

    /// How many were judged.
    pub fn total(&self) -> u32 {
        self.counts.iter().flatten().sum()
    }
}

/// Area under the ROC curve: the chance that a positive scores above a negative, ties by halves (Mann and Whitney).
/// `None` unless both occur.
pub fn auc(scored: &[(f64, bool)]) -> Option<f64> {
    let curve = roc(scored)?;
    Some(curve.windows(2).map(|w| (w[1].0 - w[0].0) * (w[1].1 + w[0].1) / 2.0).sum())
}

/// The ROC curve as (false alarms, hits), both 0..=1, from (0, 0) to (1, 1); equal scores make one step.
pub fn roc(scored: &[(f64, bool)]) -> Option<Vec<(f64, f64)>> {
    let positives = scored.iter().filter(|(_, is)| *is).count();
    let negatives = scored.len() - positives;
    if positives == 0 || negatives == 0 {
        return None;
    }
    let mut sorted = scored.to_vec();
    sorted.sort_by(|a, b| b.0.total_cmp(&a.0));
    let (mut hits, mut alarms) = (0, 0);
    let mut curve = vec![(0.0, 0.0)];
    for same in sorted.chunk_by(|a, b| a.0 == b.0) {
        let positive = same.iter().filter(|(_, is)| *is).count();
        hits += positive;
        alarms += same.len() - positive;
        curve.push((alarms as f64 / negatives as f64, hits as f64 / positives as f64));
    }
    Some(curve)
}

/// Scores of one tenth (or whatever share) of 0..=1, and what came true.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Bin {
    /// Lower edge.
    pub from: f64,
    pub count: usize,
    /// Mean of the probabilities told.
    pub told: f64,
    /// Share that was true.
    pub was: f64,
}

/// Probabilities (0..=1) against what was true, in `bins` (1 or more) bins of equal width; empty ones are left out.
pub fn reliability(scored: &[(f64, bool)], bins: usize) -> Vec<Bin> {
    let bin_of = |p: f64| ((p * bins as f64) as usize).min(bins - 1);
    (0..bins)
        .filter_map(|bin| {
            let inside: Vec<_> = scored.iter().filter(|(p, _)| bin_of(*p) == bin).collect();
            let count = inside.len();
            (count > 0).then(|| Bin {
                from: bin as f64 / bins as f64,
                count,
                told: inside.iter().map(|(p, _)| p).sum::<f64>() / count as f64,
                was: inside.iter().filter(|(_, is)| *is).count() as f64 / count as f64,
            })
        })
        .collect()
}

/// Expected calibration error: the bins' distance between told and true, weighted by their counts; 0 is perfect.
/// `None` without scores.
pub fn calibration_error(bins: &[Bin]) -> Option<f64> {
    let all: usize = bins.iter().map(|bin| bin.count).sum();
    (all > 0).then(|| bins.iter().map(|bin| bin.count as f64 * (bin.told - bin.was).abs()).sum::<f64>() / all as f64)
}

/// A figure with the range in which 95 of 100 repetitions with other speakers would lie.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Interval {
    pub value: f64,
    pub low: f64,
    pub high: f64,
}

/// Bootstrap by speaker: `rounds` times as many speakers are drawn with repetition as there are, and `figure` is taken
/// of all their items. `speakers` names each item's speaker; `figure` gets item numbers and gives `None` when it
/// cannot be had (a class did not occur), which leaves the round out. Give a difference of two models' figures for a
/// paired comparison. `None` when the figure cannot be had of all items.
pub fn bootstrap<S: Ord>(
    speakers: &[S],
    rounds: usize,
    seed: u64,
    figure: impl Fn(&[usize]) -> Option<f64>,
) -> Option<Interval> {
    let mut by_speaker: std::collections::BTreeMap<&S, Vec<usize>> = Default::default();
    for (item, speaker) in speakers.iter().enumerate() {
        by_speaker.entry(speaker).or_default().push(item);
    }
    let groups: Vec<Vec<usize>> = by_speaker.into_values().collect();
    let value = figure(&groups.concat())?;
    let mut random = Xoshiro256PlusPlus::seed_from_u64(seed);
    let mut values: Vec<f64> = (0..rounds)
        .filter_map(|_| {
            let drawn = (0..groups.len()).flat_map(|_| &groups[random.random_range(0..groups.len())]).copied();
            figure(&drawn.collect::<Vec<_>>())
        })
        .collect();
    values.sort_by(f64::total_cmp);
    let at = |share: f64| values.get((share * values.len() as f64) as usize).copied().unwrap_or(value);
    Some(Interval { value, low: at(0.025), high: at(0.975) })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn close(a: Option<f64>, b: f64) {
        assert!(a.is_some_and(|a| (a - b).abs() < 1e-9), "{a:?} is not {b}");
    }

    #[test]
    fn recalls_are_averaged_over_classes_not_over_utterances() {
        let mut confusion = Confusion::new(["angry", "neutral", "sad"]);
        // Nine of ten neutral ones right, one of two angry ones right, no sad one there.
        for (meant, heard, times) in [(1, 1, 9), (1, 0, 1), (0, 0, 1), (0, 2, 1)] {
            (0..times).for_each(|_| confusion.add(meant, heard));
        }
        close(confusion.recall(0), 0.5);
        close(confusion.recall(1), 0.9);
        assert_eq!(confusion.recall(2), None);
        close(confusion.uar(), 0.7);
        assert_eq!(confusion.total(), 12);
        assert_eq!(Confusion::new(["a", "b"]).uar(), None);
    }

    #[test]
    fn the_area_under_the_curve_is_the_chance_of_the_right_order() {
        // Positives .9 .7 .4, negatives .8 .3: pairs in order are .9>.8 .9>.3 .7>.3 .4>.3, 4 of 6.
        let scored = [(0.9, true), (0.8, false), (0.7, true), (0.4, true), (0.3, false)];
        close(auc(&scored), 4.0 / 6.0);
        let curve = roc(&scored).unwrap();
        assert_eq!(curve.len(), 6);
        assert_eq!((curve[0], curve[2], curve[5]), ((0.0, 0.0), (0.5, 1.0 / 3.0), (1.0, 1.0)));
        // A tie counts half: .5>.2 and .5=.5.
        close(auc(&[(0.5, true), (0.5, false), (0.2, false)]), 0.75);
        close(auc(&[(0.1, true), (0.9, false)]), 0.0);
        assert_eq!(auc(&[(0.1, true)]), None);
        assert_eq!(auc(&[]), None);
    }

    #[test]
    fn calibration_weighs_each_bin_by_its_count() {
        // Told .9 four times, true three times (off by .15); told .1 once, never true (off by .1).
        let scored = [(0.9, true), (0.9, true), (0.9, true), (0.9, false), (0.1, false)];
        let bins = reliability(&scored, 5);
        assert_eq!(bins.len(), 2);
        assert_eq!((bins[1].from, bins[1].count, bins[1].was), (0.8, 4, 0.75));
        close(calibration_error(&bins), (4.0 * 0.15 + 0.1) / 5.0);
        close(calibration_error(&reliability(&[(1.0, true), (0.0, false)], 10)), 0.0);
        assert_eq!(calibration_error(&[]), None);
    }

    #[test]
    fn a_bootstrap_draws_speakers_not_items() {
        // Two speakers, all right and all wrong: by speaker the mean may be 0, 1/2 or 1, a quarter of rounds at each end.
        let speakers: Vec<u32> = (0..200).map(|i| i / 100).collect();
        let right = |items: &[usize]| Some(items.iter().filter(|&&i| i < 100).count() as f64 / items.len() as f64);
        let interval = bootstrap(&speakers, 1_000, 1, right).unwrap();
        assert_eq!((interval.value, interval.low, interval.high), (0.5, 0.0, 1.0));
        assert_eq!(bootstrap(&speakers, 1_000, 1, right), Some(interval), "the same seed, the same interval");
        // Forty speakers, three quarters right: the mean's deviation is sqrt(.75 * .25 / 40) = .068.
        let speakers: Vec<u32> = (0..400).map(|i| i / 10).collect();
        let right = |items: &[usize]| Some(items.iter().filter(|&&i| i < 300).count() as f64 / items.len() as f64);
        let Interval { value, low, high } = bootstrap(&speakers, 4_000, 1, right).unwrap();
        assert_eq!(value, 0.75);
        assert!((low - 0.6).abs() < 0.03 && (high - 0.875).abs() < 0.03, "{low} {high}");
        assert_eq!(bootstrap(&speakers, 10, 1, |_| None), None);
    }
}

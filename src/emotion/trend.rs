//! How a caller's distress develops over a call: smoothed over speech, with hysteresis, so that one loud word does not
//! alarm and one calm word does not hide anything. A plain value: no clock, no model.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

use crate::call::Reading;

/// Speech after which a change of voice counts for 1 - 1/e of itself, ms. Of 300, 500, 800 and 1,200 the one that lets
/// most angry turns pass with fewest calm ones on long utterances; very short ones would do better with 300.
const TAU_MS: f32 = 800.0;
/// A threshold once passed is left only this far below it.
pub const HYSTERESIS: f32 = 0.15;
/// Readings kept to tell why.
const KEPT: usize = 6;

/// A threshold with a duration: distress of at least `distress` over at least `for_ms` of speech.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Threshold {
    /// Smoothed distress, 0..=1.
    pub distress: f32,
    /// Speech, pauses not counted, ms.
    pub for_ms: u32,
}

/// The distress in a reading that is not joy or surprise: the model tells distress from calm and never learned what
/// joy is to it, but its classes did.
pub fn strain(reading: &Reading) -> f32 {
    let of = |names: &[&str]| names.iter().filter_map(|name| reading.probabilities.get(*name)).sum::<f32>();
    let (bad, other) = (of(&["angry", "fear"]), of(&["happy", "surprise"]));
    let share = if bad + other > 0.0 { bad / (bad + other) } else { 1.0 };
    (reading.distress * share).clamp(0.0, 1.0)
}

/// One caller's distress so far.
#[derive(Clone, Debug, Default)]
pub struct Trend {
    /// Smoothed distress at the end of the last whole utterance.
    settled: f32,
    level: f32,
    /// Beginning of the utterance that is being read.
    utterance_ms: Option<u64>,
    readings: VecDeque<(u64, f32)>,
}

impl Trend {
    /// Takes one more reading in. Later readings of an utterance replace its earlier ones, which had heard less.
    pub fn hear(&mut self, reading: &Reading) {
        if self.utterance_ms.is_some_and(|start_ms| start_ms != reading.start_ms) {
            self.settled = self.level; // its last reading never came
        }
        let share = 1.0 - (-(reading.speech_ms as f32) / TAU_MS).exp();
        let strain = strain(reading);
        self.level = self.settled + share * (strain - self.settled);
        self.utterance_ms = Some(reading.start_ms);
        if reading.whole {
            self.settled = self.level;
            self.utterance_ms = None;
        }
        self.readings.push_back((reading.end_ms, strain));
        if self.readings.len() > KEPT {
            self.readings.pop_front();
        }
    }

    /// Smoothed distress, 0..=1.
    pub fn level(&self) -> f32 {
        self.level
    }

    /// The last readings: end of the sound (ms of the call) and distress.
    pub fn readings(&self) -> Vec<(u64, f32)> {
        self.readings.iter().copied().collect()
    }
}

/// Whether a trend is above a threshold, and since when.
#[derive(Clone, Debug)]
pub struct Watch {
    threshold: Threshold,
    /// Speech of whole utterances above it, ms.
    settled_ms: u32,
    above_ms: u32,
    since_ms: Option<u64>,
    passed: bool,
}

impl Watch {
    pub fn new(threshold: Threshold) -> Self {
        Self { threshold, settled_ms: 0, above_ms: 0, since_ms: None, passed: false }
    }

    /// After `trend` has heard `reading`.
    pub fn look(&mut self, trend: &Trend, reading: &Reading) {
        let least = self.threshold.distress - if self.passed { HYSTERESIS } else { 0.0 };
        if trend.level() >= least {
            self.above_ms = self.settled_ms + reading.speech_ms;
            self.since_ms.get_or_insert(reading.start_ms);
            self.passed |= self.above_ms >= self.threshold.for_ms;
        } else if trend.level() < self.threshold.distress - HYSTERESIS {
            (self.above_ms, self.since_ms, self.passed) = (0, None, false);
        }
        if reading.whole {
            self.settled_ms = self.above_ms;
        }
    }

    /// Above the threshold for as long as it asks for, and not yet clearly below again.
    pub fn passed(&self) -> bool {
        self.passed
    }

    /// Beginning of the speech that is above it, ms of the call.
    pub fn since_ms(&self) -> Option<u64> {
        self.since_ms
    }

    /// Speech above it so far, ms.
    pub fn above_ms(&self) -> u32 {
        self.above_ms
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reading(start_ms: u64, speech_ms: u32, distress: f32, whole: bool) -> Reading {
        Reading { distress, start_ms, end_ms: start_ms + u64::from(speech_ms), speech_ms, whole, ..Reading::default() }
    }

    fn hear(trend: &mut Trend, watch: &mut Watch, reading: Reading) {
        trend.hear(&reading);
        watch.look(trend, &reading);
    }

    const UPSET: Threshold = Threshold { distress: 0.6, for_ms: 1_500 };

    #[test]
    fn one_loud_word_does_not_alarm() {
        let (mut trend, mut watch) = (Trend::default(), Watch::new(UPSET));
        hear(&mut trend, &mut watch, reading(1_000, 2_000, 0.1, true));
        hear(&mut trend, &mut watch, reading(9_000, 450, 0.99, true));
        assert!(trend.level() < 0.6 && !watch.passed(), "{trend:?}");
        hear(&mut trend, &mut watch, reading(15_000, 2_000, 0.1, true));
        assert!(trend.level() < 0.2 && !watch.passed());
    }

    #[test]
    fn lasting_distress_does_and_counts_from_its_beginning() {
        let (mut trend, mut watch) = (Trend::default(), Watch::new(UPSET));
        hear(&mut trend, &mut watch, reading(1_000, 2_000, 0.1, true));
        for at in [1_000, 2_000, 3_000] {
            hear(&mut trend, &mut watch, reading(42_000, at, 0.9, at == 3_000));
            assert_eq!(watch.passed(), at >= 2_000, "after {at} ms");
        }
        assert_eq!((watch.since_ms(), watch.above_ms()), (Some(42_000), 3_000));
    }

    #[test]
    fn what_was_passed_is_left_well_below_only() {
        let (mut trend, mut watch) = (Trend::default(), Watch::new(UPSET));
        hear(&mut trend, &mut watch, reading(0, 4_000, 0.8, true));
        hear(&mut trend, &mut watch, reading(9_000, 4_000, 0.5, true));
        assert!(watch.passed(), "0.5 is near 0.6");
        assert_eq!(watch.since_ms(), Some(0));
        hear(&mut trend, &mut watch, reading(20_000, 4_000, 0.2, true));
        assert!(!watch.passed() && watch.since_ms().is_none());
    }

    #[test]
    fn two_short_outbursts_add_up() {
        let (mut trend, mut watch) = (Trend::default(), Watch::new(UPSET));
        for (start, passed) in [(1_000, false), (5_000, true)] {
            hear(&mut trend, &mut watch, reading(start, 1_000, 0.95, true));
            assert_eq!(watch.passed(), passed, "{watch:?}");
        }
    }

    #[test]
    fn joy_is_no_distress() {
        let probabilities = [("angry".to_owned(), 0.1), ("fear".to_owned(), 0.1), ("happy".to_owned(), 0.6)].into();
        let happy = Reading { distress: 0.9, probabilities, ..Reading::default() };
        assert!((strain(&happy) - 0.225).abs() < 1e-6);
        assert_eq!(strain(&Reading { distress: 0.9, ..Reading::default() }), 0.9);
    }

    #[test]
    fn the_readings_of_one_utterance_do_not_add_up() {
        let mut once = Trend::default();
        once.hear(&reading(0, 2_000, 0.7, true));
        let mut often = Trend::default();
        for at in [500, 1_000, 1_500, 2_000] {
            often.hear(&reading(0, at, 0.7, at == 2_000));
        }
        assert_eq!(once.level(), often.level());
    }
}

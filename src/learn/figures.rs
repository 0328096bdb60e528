//! Figures over many calls.

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, Utc};
use serde::Serialize;

use super::reading::{Fallback, Place, Reading};
use crate::call::Outcome;
use crate::dialog::flow::{Flow, Step};
use crate::records::CallRecord;

/// Durations of all calls, whatever their outcome.
pub const ALL: &str = "all";

/// Counts calls one by one; `report` tells.
#[derive(Debug, Default)]
pub struct Figures {
    calls: usize,
    open: usize,
    days: BTreeMap<NaiveDate, (usize, usize)>,
    flows: BTreeMap<String, Ends>,
    steps: BTreeMap<(String, String), [usize; 4]>,
    left: BTreeMap<(String, Place), usize>,
    wanted: BTreeMap<String, usize>,
    doubts: BTreeMap<(String, String), [usize; 2]>,
    dispositions: BTreeMap<(String, String), usize>,
    lasted_s: BTreeMap<&'static str, Vec<f64>>,
    experiments: BTreeMap<(String, String, String), (Ends, usize)>,
    missed: usize,
}

/// How calls ended (`call::Outcome`).
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Ends {
    pub calls: usize,
    pub contained: usize,
    pub handed_over: usize,
    pub promised: usize,
    pub abandoned: usize,
    pub unserved: usize,
    /// Contained of all that are over.
    pub containment: Option<f64>,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Day {
    pub day: NaiveDate,
    pub calls: usize,
    pub contained: usize,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct StepFigures {
    pub flow: String,
    pub step: String,
    /// How often calls came to it.
    pub visits: usize,
    pub not_heard: usize,
    pub not_understood: usize,
    pub silence: usize,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Left {
    pub flow: String,
    /// `step menu`, `queue desk`, `before the first step`.
    pub place: String,
    pub calls: usize,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Wanted {
    pub reason: String,
    pub times: usize,
}

/// Two intents that are taken for one another.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Confusion {
    pub chosen: String,
    pub other: String,
    /// The other's score was close behind.
    pub close: usize,
    /// The caller went back and chose the other, or the agent said afterwards that it was the other.
    pub corrected: usize,
}

/// What the bot took a call for, and what the agent noted it to be.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Noted {
    pub intent: String,
    pub disposition: String,
    pub calls: usize,
}

/// Seconds from arrival to end, by nearest rank.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Durations {
    /// `all`, or an outcome.
    pub calls_that: String,
    pub calls: usize,
    pub p10: f64,
    pub p50: f64,
    pub p90: f64,
    pub p95: f64,
    pub p99: f64,
}

/// What became of calls that an experiment took one way.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct WayFigures {
    pub flow: String,
    /// The experiment's step.
    pub step: String,
    /// The step that it leads to.
    pub way: String,
    #[serde(flatten)]
    pub ends: Ends,
    /// How often a question failed there or later.
    pub fallbacks: usize,
    /// From where to where its containment lies with a probability of 95 %; none without calls.
    pub containment_95: Option<[f64; 2]>,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Report {
    /// Calls from then on; none: all there are.
    pub since: Option<DateTime<Utc>>,
    /// Calls that could not be read: they are in no figure.
    pub unreadable: usize,
    /// Calls that are still up: likewise.
    pub open: usize,
    pub all: Ends,
    pub days: Vec<Day>,
    pub flows: BTreeMap<String, Ends>,
    pub steps: Vec<StepFigures>,
    pub left: Vec<Left>,
    pub wanted: Vec<Wanted>,
    pub confusions: Vec<Confusion>,
    pub dispositions: Vec<Noted>,
    pub durations: Vec<Durations>,
    /// By flow, step and way.
    pub experiments: Vec<WayFigures>,
    /// Sentences that were not understood (`frontdesk learn missed`).
    pub missed: usize,
}

impl Figures {
    /// Counts a call. `day` is the one it began on, where the operator lives.
    pub fn add(&mut self, call: &CallRecord, flow: Option<&Flow>, day: NaiveDate) {
        let (Some(seconds), Some(_)) = (call.head.duration_s(), call.head.cause) else {
            self.open += 1;
            return;
        };
        self.calls += 1;
        let name = &call.head.flow;
        let reading = Reading::of(&call.timeline, flow);
        let contained = usize::from(call.head.outcome == Some(Outcome::Contained));
        let today = self.days.entry(day).or_default();
        *today = (today.0 + 1, today.1 + contained);
        self.flows.entry(name.clone()).or_default().count(call.head.outcome);
        self.lasted_s.entry(ALL).or_default().push(seconds);
        if let Some(outcome) = call.head.outcome {
            self.lasted_s.entry(words(outcome)).or_default().push(seconds);
        }
        for step in &reading.steps {
            self.steps.entry((name.clone(), step.clone())).or_default()[0] += 1;
        }
        for (step, why) in &reading.fallbacks {
            let at = match why {
                Fallback::NotHeard => 1,
                Fallback::NotUnderstood => 2,
                Fallback::Silence => 3,
            };
            self.steps.entry((name.clone(), step.clone())).or_default()[at] += 1;
        }
        for (step, taken) in &reading.experiments {
            let key = |way: &str| (name.clone(), step.clone(), way.to_owned());
            if let Some(Step::Experiment { ways }) = flow.and_then(|flow| flow.steps.get(step)) {
                // A way that nobody has gone yet is told as such.
                for way in ways.keys() {
                    self.experiments.entry(key(way)).or_default();
                }
            }
            let (ends, fallbacks) = self.experiments.entry(key(&taken.way)).or_default();
            ends.count(call.head.outcome);
            *fallbacks += reading.fallbacks.len() - taken.fallbacks_before;
        }
        if call.head.outcome == Some(Outcome::Abandoned) {
            *self.left.entry((name.clone(), reading.last)).or_default() += 1;
        }
        for reason in reading.wanted {
            *self.wanted.entry(reason).or_default() += 1;
        }
        for doubt in reading.doubts {
            self.doubts.entry((doubt.intent, doubt.other)).or_default()[usize::from(doubt.corrected)] += 1;
        }
        // Of two agents' words both count: each had the caller.
        let corrections = call.wrap_ups.iter().filter_map(|wrap_up| wrap_up.corrections.intent.as_ref());
        for (taken, meant) in corrections.filter_map(|meant| Some((reading.intent.as_ref()?, meant))) {
            if taken != meant {
                self.doubts.entry((taken.clone(), meant.clone())).or_default()[1] += 1;
            }
        }
        let noted = call.wrap_ups.iter().filter_map(|wrap_up| wrap_up.disposition.clone());
        for (intent, disposition) in reading.intent.iter().zip(noted) {
            *self.dispositions.entry((intent.clone(), disposition)).or_default() += 1;
        }
        self.missed += reading.missed.len();
    }

    /// The most frequent first.
    pub fn report(self, since: Option<DateTime<Utc>>, unreadable: usize) -> Report {
        let mut all = Ends::default();
        self.flows.values().for_each(|ends| all.add(ends));
        let mut flows = self.flows;
        flows.values_mut().chain([&mut all]).for_each(Ends::share);
        let mut steps: Vec<StepFigures> = self.steps.into_iter().map(step_figures).collect();
        steps.sort_by_key(|step| std::cmp::Reverse(step.not_heard + step.not_understood + step.silence));
        let mut lasted: Vec<Durations> =
            self.lasted_s.into_iter().map(|(that, seconds)| durations(that, seconds)).collect();
        lasted.sort_by_key(|durations| durations.calls_that != ALL);
        let left = |((flow, place), calls)| Left { flow, place: told(&place), calls };
        let confusion =
            |((chosen, other), [close, corrected]): (_, [usize; 2])| Confusion { chosen, other, close, corrected };
        let noted = |((intent, disposition), calls)| Noted { intent, disposition, calls };
        Report {
            since,
            unreadable,
            open: self.open,
            all,
            days: every_day(&self.days),
            flows,
            steps,
            left: ranked(self.left.into_iter().map(left), |left| left.calls),
            wanted: ranked(self.wanted.into_iter().map(|(reason, times)| Wanted { reason, times }), |wanted| {
                wanted.times
            }),
            confusions: ranked(self.doubts.into_iter().map(confusion), |pair| pair.close + pair.corrected),
            dispositions: ranked(self.dispositions.into_iter().map(noted), |noted| noted.calls),
            durations: lasted,
            experiments: self.experiments.into_iter().map(way_figures).collect(),
            missed: self.missed,
        }
    }
}

impl Ends {
    fn count(&mut self, outcome: Option<Outcome>) {
        self.calls += 1;
        match outcome {
            Some(Outcome::Contained) => self.contained += 1,
            Some(Outcome::HandedOver) => self.handed_over += 1,
            Some(Outcome::Promised) => self.promised += 1,
            Some(Outcome::Abandoned) => self.abandoned += 1,
            Some(Outcome::Unserved) | None => self.unserved += 1,
        }
    }

    fn add(&mut self, other: &Self) {
        self.calls += other.calls;
        self.contained += other.contained;
        self.handed_over += other.handed_over;
        self.promised += other.promised;
        self.abandoned += other.abandoned;
        self.unserved += other.unserved;
    }

    fn share(&mut self) {
        self.containment = (self.calls > 0).then(|| self.contained as f64 / self.calls as f64);
    }
}

/// From the first day with calls to the last, those without any too.
fn every_day(counted: &BTreeMap<NaiveDate, (usize, usize)>) -> Vec<Day> {
    let (Some((first, _)), Some((last, _))) = (counted.first_key_value(), counted.last_key_value()) else {
        return Vec::new();
    };
    let day = |day: NaiveDate| {
        let (calls, contained) = counted.get(&day).copied().unwrap_or_default();
        Day { day, calls, contained }
    };
    first.iter_days().take_while(|day| day <= last).map(day).collect()
}

fn step_figures(
    ((flow, step), [visits, not_heard, not_understood, silence]): ((String, String), [usize; 4]),
) -> StepFigures {
    StepFigures { flow, step, visits, not_heard, not_understood, silence }
}

fn way_figures(((flow, step, way), (mut ends, fallbacks)): ((String, String, String), (Ends, usize))) -> WayFigures {
    ends.share();
    let containment_95 = wilson(ends.contained, ends.calls);
    WayFigures { flow, step, way, ends, fallbacks, containment_95 }
}

/// The 95 % interval of a share by its score (Wilson 1927, "Probable inference"): sound for few calls, and near 0 and 1.
fn wilson(hits: usize, of: usize) -> Option<[f64; 2]> {
    const Z: f64 = 1.959_964; // of the normal distribution, 2.5 % at each end
    if of == 0 {
        return None;
    }
    let n = of as f64;
    let (share, z2n) = (hits as f64 / n, Z * Z / n);
    let middle = (share + z2n / 2.0) / (1.0 + z2n);
    let half = Z / (1.0 + z2n) * (share * (1.0 - share) / n + z2n / (4.0 * n)).sqrt();
    Some([(middle - half).max(0.0), (middle + half).min(1.0)])
}

/// The most frequent first; what is equal keeps its order.
fn ranked<T>(values: impl Iterator<Item = T>, count: impl Fn(&T) -> usize) -> Vec<T> {
    let mut values: Vec<T> = values.collect();
    values.sort_by_key(|value| std::cmp::Reverse(count(value)));
    values
}

fn told(place: &Place) -> String {
    match place {
        Place::Arriving => "before the first step".into(),
        Place::Step(step) => format!("step {step}"),
        Place::Queue(queue) => format!("queue {queue}"),
        Place::Agent => "with an agent".into(),
    }
}

fn words(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Contained => "contained",
        Outcome::HandedOver => "handed over",
        Outcome::Promised => "promised",
        Outcome::Abandoned => "abandoned",
        Outcome::Unserved => "unserved",
    }
}

fn durations(calls_that: &str, mut seconds: Vec<f64>) -> Durations {
    seconds.sort_by(f64::total_cmp);
    let at = |percent: usize| {
        let rank = (seconds.len() * percent).div_ceil(100).max(1);
        seconds.get(rank - 1).copied().unwrap_or_default()
    };
    let (p10, p50, p90, p95, p99) = (at(10), at(50), at(90), at(95), at(99));
    Durations { calls_that: calls_that.into(), calls: seconds.len(), p10, p50, p90, p95, p99 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_without_calls_are_days_too() {
        let day = |day| NaiveDate::from_ymd_opt(2026, 11, day).unwrap();
        let days = every_day(&BTreeMap::from([(day(20), (3, 1)), (day(22), (2, 2))]));
        let calls: Vec<(NaiveDate, usize)> = days.iter().map(|day| (day.day, day.calls)).collect();
        assert_eq!(calls, [(day(20), 3), (day(21), 0), (day(22), 2)]);
    }

    #[test]
    fn percentiles_are_by_nearest_rank() {
        let of_ten = durations("all", (1..=10).rev().map(f64::from).collect());
        assert_eq!((of_ten.p10, of_ten.p50, of_ten.p90, of_ten.p95, of_ten.p99), (1.0, 5.0, 9.0, 10.0, 10.0));
        assert_eq!(durations("all", vec![7.0]).p10, 7.0);
    }

    #[test]
    fn few_calls_leave_a_share_open() {
        // Newcombe 1998, table I, method 3.
        for (hits, of, low, high) in [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611)] {
            let [from, to] = wilson(hits, of).unwrap();
            assert!((from - low).abs() < 5e-5 && (to - high).abs() < 5e-5, "{hits} of {of}: {from} to {to}");
        }
        assert_eq!(wilson(0, 0), None);
    }
}

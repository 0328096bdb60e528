//! Training: labelled features in, a calibrated model out. Seeded: the same examples and settings give the same
//! model. Sound is read, degraded and turned into features outside.

use std::collections::BTreeMap;

use rand::rngs::Xoshiro256PlusPlus;
use rand::seq::SliceRandom;
use rand::{Rng, RngExt, SeedableRng};

use super::kernel::{Answer, Head, KINDS, Kernel, Sums, width};
use super::model::{Calibration, DISTRESS, OUTPUTS, Scale, kinds, shares, softmax};
use super::{Baseline, Class, Error, FEATURES, Features, Model};

/// One labelled utterance (or a degraded copy of one) to learn from.
#[derive(Clone, Debug)]
pub struct Example {
    pub features: Features,
    pub class: Class,
    /// Who speaks, numbered over all corpora: folds never share a speaker.
    pub speaker: u32,
    /// Which corpus: each counts alike, however many recordings it has.
    pub corpus: u32,
    /// The line it came over (0 the plain telephone line, others degraded): a caller's baseline is made of neutral
    /// utterances on the same line, so degrade all of one speaker's recordings alike for one number.
    pub line: u32,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Settings {
    pub seed: u64,
    /// Folds over speakers: what is learned of the others is calibrated on each.
    pub folds: usize,
    /// How much happiness, surprise and disgust count as the opposite of distress.
    pub others: f32,
    /// How much a recording over the plain telephone line counts, one over a damaged line being 1.
    pub plain: f32,
    /// How much recordings on quiet lines count in what is learned for noisy ones.
    pub quiet: f32,
}

impl Default for Settings {
    fn default() -> Self {
        Self { seed: 1, folds: 4, others: 0.2, plain: 3.0, quiet: 0.3 }
    }
}

/// How far the training is: one fold of the speakers is left out, and more and more of the others are learned from.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Progress {
    pub fold: usize,
    pub folds: usize,
    /// Folds learned from so far, of `folds - 1`.
    pub learned: usize,
    /// Mean squared error on recordings learned from and on the fold left out; 1 is an answer of nought.
    pub loss: f32,
    pub left_out: f32,
}

/// No example counts for more than so many.
const HEAVIEST: f32 = 6.0;
/// Neutral utterances a baseline is made of, at most.
const CALM_TURNS: usize = 4;
/// Corpora that are a manner of their own have so many examples, and are so many, at most.
const LARGE: usize = 200;
const MANNERS: usize = 8;
/// Examples that each loss is the mean of, at most.
const JUDGED: usize = 300;

/// Learns a model. Refuses fewer than two speakers or fewer than ten examples of distress or of its opposite.
pub fn fit(examples: &[Example], settings: &Settings, progress: &mut dyn FnMut(Progress)) -> Result<Model, Error> {
    let speakers = folds(examples, settings);
    if speakers.len() < 2 {
        return Err(Error::TooLittle(format!("{} speaker(s); at least two are needed", speakers.len())));
    }
    for (side, name) in [(true, "anger or fear"), (false, "neutral, calm or sad voice")] {
        let count = examples.iter().filter(|example| example.class.distress() == Some(side)).count();
        if count < 10 {
            return Err(Error::TooLittle(format!("{count} recording(s) of {name}; at least ten are needed")));
        }
    }
    let folds = settings.folds.clamp(2, speakers.len());
    let of_fold =
        |fold: usize| (0..examples.len()).filter(|&n| speakers[&examples[n].speaker] % folds == fold).collect();
    let parts: Vec<Vec<usize>> = (0..folds).map(of_fold).collect();
    let task = Task::new(examples, settings);
    let mut random = Xoshiro256PlusPlus::seed_from_u64(settings.seed);
    let mut kernels = [0, 1].map(|way| Kernel::blank(random.next_u64(), &shares(way)));
    let mut judged = [Vec::new(), Vec::new()];
    for (way, (kernel, judged)) in kernels.iter_mut().zip(&mut judged).enumerate() {
        let inputs = task.inputs(way, &mut random);
        // The noisy kind learns of all lines, and is followed.
        let noisy = task.learn(kernel, 1, &inputs, &parts, &mut |told| {
            if way == 0 {
                progress(told);
            }
        });
        let any_quiet = examples.iter().any(|example| kinds(example.features.noisiness())[0] > 0.0);
        let quiet = match any_quiet {
            true => task.learn(kernel, 0, &inputs, &parts, &mut |_| ()),
            false => noisy.clone(),
        };
        for (heads, part) in quiet.iter().zip(&noisy).zip(&parts) {
            for &n in part {
                if let Some(input) = &inputs[n] {
                    let waves = kernel.waves(input);
                    judged.push((n, [heads.0.answer(&waves), heads.1.answer(&waves)]));
                }
            }
        }
        let last = |mut heads: Vec<Head>| heads.remove(parts.len());
        kernel.heads = [last(quiet), last(noisy)];
    }
    // With a baseline both machines answer.
    let plain: BTreeMap<usize, [Answer; KINDS]> = judged[0].iter().cloned().collect();
    for (n, answers) in &mut judged[1] {
        answers.iter_mut().zip(&plain[n]).for_each(|(own, plain)| own.mix(plain));
    }
    let calibration = judged.map(|judged| std::array::from_fn(|kind| task.calibrate(kind, &judged)));
    Ok(Model { card: Default::default(), scale: task.scale, kernels, calibration })
}

/// Speaker -> number, such that numbers modulo the folds spread each corpus's speakers evenly.
fn folds(examples: &[Example], settings: &Settings) -> BTreeMap<u32, usize> {
    let mut corpora: BTreeMap<u32, Vec<u32>> = BTreeMap::new();
    for example in examples {
        let speakers = corpora.entry(example.corpus).or_default();
        if !speakers.contains(&example.speaker) {
            speakers.push(example.speaker);
        }
    }
    let mut random = Xoshiro256PlusPlus::seed_from_u64(settings.seed);
    let mut numbers = BTreeMap::new();
    for speakers in corpora.values_mut() {
        speakers.sort_unstable();
        speakers.shuffle(&mut random);
        for speaker in speakers {
            let next = numbers.len();
            numbers.entry(*speaker).or_insert(next);
        }
    }
    numbers
}

/// What is learned with weights of its own.
#[derive(Clone, Copy, PartialEq)]
enum Side {
    Classes,
    Distress,
}

fn total<'a>(mut parts: impl Iterator<Item = &'a Sums>) -> Sums {
    // A fold leaves at least one part, and a part has at least the examples of no manner.
    let mut all = parts.next().expect("something to sum up").clone();
    parts.for_each(|part| all.add(part));
    all
}

/// The largest corpora, where there are several large ones.
fn manners(examples: &[Example]) -> Vec<u32> {
    let mut sizes: BTreeMap<u32, usize> = BTreeMap::new();
    examples.iter().for_each(|example| *sizes.entry(example.corpus).or_default() += 1);
    let mut large: Vec<(u32, usize)> = sizes.into_iter().filter(|(_, size)| *size >= LARGE).collect();
    large.sort_by_key(|(corpus, size)| (std::cmp::Reverse(*size), *corpus));
    large.truncate(MANNERS);
    if large.len() > 1 { large.into_iter().map(|(corpus, _)| corpus).collect() } else { Vec::new() }
}

/// What all folds share.
struct Task<'a> {
    examples: &'a [Example],
    settings: &'a Settings,
    scale: Scale,
    /// How much each example counts, for its class and for distress.
    weights: Vec<(f32, f32)>,
    /// Neutral examples by speaker and line.
    calm: BTreeMap<(u32, u32), Vec<usize>>,
    /// Corpora that are a manner of speaking of their own (`kernel::Head`): large ones, where there are several.
    manners: Vec<u32>,
}

impl<'a> Task<'a> {
    fn new(examples: &'a [Example], settings: &'a Settings) -> Self {
        let mut calm: BTreeMap<(u32, u32), Vec<usize>> = BTreeMap::new();
        for (n, example) in examples.iter().enumerate().filter(|(_, example)| example.class == Class::Neutral) {
            calm.entry((example.speaker, example.line)).or_default().push(n);
        }
        let mut task = Self {
            examples,
            settings,
            scale: Scale { mean: vec![0.0; FEATURES], spread: vec![1.0; FEATURES], difference: vec![1.0; FEATURES] },
            weights: weights(examples, settings.others),
            calm,
            manners: manners(examples),
        };
        task.measure();
        task
    }

    /// Means and spreads of the features and of their differences to baselines.
    fn measure(&mut self) {
        let mut random = Xoshiro256PlusPlus::seed_from_u64(0);
        let mut sums = vec![[0f64; 3]; FEATURES];
        let (mut count, mut pairs) = (0.0, 0.0);
        for (n, example) in self.examples.iter().enumerate() {
            let baseline = self.baseline(n, &mut random);
            count += 1.0;
            pairs += f64::from(u8::from(baseline.is_some()));
            for (k, sums) in sums.iter_mut().enumerate() {
                let value = f64::from(example.features.values[k]);
                let difference = baseline.as_ref().map_or(0.0, |baseline| value - f64::from(baseline[k]));
                let squares = [value, value * value, difference * difference];
                sums.iter_mut().zip(squares).for_each(|(sum, value)| *sum += value);
            }
        }
        for (k, [sum, squares, differences]) in sums.into_iter().enumerate() {
            let mean = sum / count;
            self.scale.mean[k] = mean as f32;
            self.scale.spread[k] = ((squares / count - mean * mean).max(0.0).sqrt() as f32).max(1e-4);
            self.scale.difference[k] =
                if pairs > 0.0 { ((differences / pairs).sqrt() as f32).max(1e-4) } else { self.scale.spread[k] };
        }
    }

    /// A baseline for this example: the mean of a few other neutral utterances of its speaker on its line.
    fn baseline(&self, n: usize, random: &mut Xoshiro256PlusPlus) -> Option<[f32; FEATURES]> {
        let calm = self.calm.get(&(self.examples[n].speaker, self.examples[n].line))?;
        let others = calm.len() - usize::from(self.examples[n].class == Class::Neutral);
        if others == 0 {
            return None;
        }
        let wanted = random.random_range(1..=CALM_TURNS).min(others);
        let mut chosen = Vec::with_capacity(wanted);
        while chosen.len() < wanted {
            let candidate = calm[random.random_range(0..calm.len())];
            if candidate != n && !chosen.contains(&candidate) {
                chosen.push(candidate);
            }
        }
        Some(*chosen.into_iter().map(|n| &self.examples[n].features).collect::<Baseline>().mean())
    }

    /// What a machine sees of each example, without or with a baseline.
    fn inputs(&self, way: usize, random: &mut Xoshiro256PlusPlus) -> Vec<Option<Vec<f32>>> {
        let values = |n: usize| &self.examples[n].features.values;
        let all = 0..self.examples.len();
        if way == 0 {
            return all.map(|n| Some(self.scale.input(values(n), None))).collect();
        }
        let baselines: Vec<_> = all.clone().map(|n| self.baseline(n, random)).collect();
        if baselines.iter().all(Option::is_none) {
            // Nobody has one: differences teach nothing.
            return all.map(|n| Some(self.scale.input(values(n), Some(values(n))))).collect();
        }
        let pairs = baselines.iter().enumerate();
        pairs.map(|(n, baseline)| Some(self.scale.input(values(n), Some(baseline.as_ref()?)))).collect()
    }

    /// Answers for one kind of line: learned without each of the `parts` in turn, and last of all.
    fn learn(
        &self,
        kernel: &Kernel,
        kind: usize,
        inputs: &[Option<Vec<f32>>],
        parts: &[Vec<usize>],
        told: &mut dyn FnMut(Progress),
    ) -> Vec<Head> {
        let manners = self.manners.len();
        let mut heads = vec![Head::new(manners); parts.len() + 1];
        for side in [Side::Classes, Side::Distress] {
            // By part, by manner (those of none last).
            let sums: Vec<Vec<Sums>> = parts
                .iter()
                .map(|part| (0..=manners).map(|manner| self.sums(kernel, kind, side, inputs, part, manner)).collect())
                .collect();
            for (left, head) in heads.iter_mut().enumerate() {
                let heard: Vec<usize> =
                    (1..=parts.len()).map(|n| (left + n) % parts.len()).filter(|&n| n != left).collect();
                if side == Side::Classes && left < parts.len() {
                    self.follow(kernel, inputs, parts, (left, &heard), &sums, told);
                }
                let of_manner = |manner: usize| total(heard.iter().map(|&part| &sums[part][manner]));
                let own: Vec<Sums> = (0..=manners).map(of_manner).collect();
                let common = total(own.iter()).solve(None);
                self.write(head, side, None, &common);
                for (manner, own) in own[..manners].iter().enumerate() {
                    self.write(head, side, Some(manner), &own.solve(Some(&common)));
                }
            }
        }
        heads
    }

    /// What one manner's examples among `part` teach of one side.
    fn sums(
        &self,
        kernel: &Kernel,
        kind: usize,
        side: Side,
        inputs: &[Option<Vec<f32>>],
        part: &[usize],
        manner: usize,
    ) -> Sums {
        let (mut rows, mut wanted, mut weights) = (Vec::new(), Vec::new(), Vec::new());
        for &n in part.iter().filter(|&&n| self.manner(n) == manner) {
            let example = &self.examples[n];
            let [quiet, noisy] = kinds(example.features.noisiness());
            let share = if kind == 0 { quiet } else { noisy.max(self.settings.quiet) };
            let times = if example.line == 0 { self.settings.plain } else { 1.0 };
            let (of_class, of_distress) = self.weights[n];
            let weight = share * times * if side == Side::Classes { of_class } else { of_distress };
            if let Some(input) = inputs[n].as_ref().filter(|_| weight > 0.0) {
                rows.extend_from_slice(input);
                self.wanted(n, side, &mut wanted);
                weights.push(weight);
            }
        }
        let answers = self.answers(side);
        // An empty table has no width to tell.
        if weights.is_empty() { Sums::none(answers) } else { Sums::of(&kernel.waves(&rows), &wanted, &weights) }
    }

    /// How many answers one side has: the classes and the manners, or distress.
    fn answers(&self, side: Side) -> usize {
        if side == Side::Classes { DISTRESS + self.manners.len() } else { 1 }
    }

    /// Which of the manners an example is of; their number when of none.
    fn manner(&self, n: usize) -> usize {
        let corpus = self.examples[n].corpus;
        self.manners.iter().position(|manner| *manner == corpus).unwrap_or(self.manners.len())
    }

    /// Adds the right answers to an example.
    fn wanted(&self, n: usize, side: Side, to: &mut Vec<f32>) {
        let class = self.examples[n].class;
        match side {
            Side::Classes => {
                to.extend((0..DISTRESS).map(|k| if k == class as usize { 1.0 } else { -1.0 }));
                to.extend((0..self.manners.len()).map(|manner| if manner == self.manner(n) { 1.0 } else { -1.0 }));
            }
            Side::Distress => to.push(match class.distress() {
                Some(true) => 1.0,
                Some(false) => -1.0,
                None => -2.0 * self.settings.others,
            }),
        }
    }

    /// Writes what was solved into a head: the common answers, or a manner's as its difference to them.
    fn write(&self, head: &mut Head, side: Side, manner: Option<usize>, solved: &[f32]) {
        let (wide, answers) = (width(head.manners), self.answers(side));
        let first = if side == Side::Classes { 0 } else { DISTRESS };
        for (row, solved) in head.weights.chunks_exact_mut(wide).zip(solved.chunks_exact(answers)) {
            let (common, own) = row.split_at_mut(OUTPUTS);
            let outputs = answers.min(DISTRESS);
            match manner {
                None => {
                    common[first..first + outputs].copy_from_slice(&solved[..outputs]);
                    own[..answers - outputs].copy_from_slice(&solved[outputs..]);
                }
                Some(manner) => {
                    let at = self.manners.len() + manner * OUTPUTS + first;
                    let differences = solved.iter().zip(&common[first..first + outputs]);
                    own[at..at + outputs].iter_mut().zip(differences).for_each(|(own, (s, c))| *own = s - c);
                }
            }
        }
    }

    /// Learns the classes of more and more of the other parts, and tells how well it does.
    fn follow(
        &self,
        kernel: &Kernel,
        inputs: &[Option<Vec<f32>>],
        parts: &[Vec<usize>],
        (left, heard): (usize, &[usize]),
        sums: &[Vec<Sums>],
        told: &mut dyn FnMut(Progress),
    ) {
        for learned in 1..=heard.len() {
            let heard = &heard[..learned];
            let solved = total(heard.iter().flat_map(|&part| &sums[part])).solve(None);
            let mut head = Head::new(self.manners.len());
            self.write(&mut head, Side::Classes, None, &solved);
            let loss = |of: Vec<usize>| {
                let (mut sum, mut count) = (0.0, 0.0);
                for &n in of.iter().step_by(of.len().div_ceil(JUDGED).max(1)) {
                    let Some(input) = &inputs[n] else { continue };
                    let mut wanted = Vec::new();
                    self.wanted(n, Side::Classes, &mut wanted);
                    let out = head.answer(&kernel.waves(input)).out;
                    sum += out.iter().zip(&wanted[..DISTRESS]).map(|(a, b)| (a - b).powi(2)).sum::<f32>();
                    count += DISTRESS as f32;
                }
                sum / f32::max(count, 1.0)
            };
            let of_heard = heard.iter().flat_map(|&part| &parts[part]).copied().collect();
            let (loss, left_out) = (loss(of_heard), loss(parts[left].clone()));
            told(Progress { fold: left, folds: parts.len(), learned, loss, left_out });
        }
    }

    /// Platt's line for distress and one sharpness for the classes, on examples whose speakers the judging machine did
    /// not hear and as far as their lines are of this kind; both sides and all classes count alike, so that one half is
    /// the fair threshold.
    fn calibrate(&self, kind: usize, judged: &[(usize, [Answer; KINDS])]) -> Calibration {
        // The other kind's say a little: there may be none of this one.
        let share = |n: usize| kinds(self.examples[n].features.noisiness())[kind].max(0.02);
        let mut calibration = Calibration::default();
        let sides: Vec<Told> = judged
            .iter()
            .filter_map(|(n, out)| {
                let side = self.examples[*n].class.distress()?;
                // In the order of the calibration: slope, shift, noise, manners.
                let mut terms = vec![f64::from(out[kind].out[DISTRESS]), 1.0];
                terms.push(f64::from(self.examples[*n].features.noisiness()));
                terms.extend(out[kind].manners.iter().map(|&share| f64::from(share)));
                let weight = f64::from(share(*n) * self.weights[*n].1);
                Some(Told { terms, wanted: f64::from(u8::from(side)), weight })
            })
            .collect();
        if sides.iter().any(|side| side.wanted > 0.5) && sides.iter().any(|side| side.wanted < 0.5) {
            let found = platt(&sides);
            [calibration.slope, calibration.shift, calibration.noisy] = [found[0], found[1], found[2]];
            calibration.manners = found[3..].to_vec();
        }
        let loss = |sharpness: f32| -> f32 {
            judged
                .iter()
                .map(|(n, out)| {
                    let of_kind = share(*n);
                    let share = softmax(&out[kind].out[..DISTRESS], sharpness)[self.examples[*n].class as usize];
                    -of_kind * self.weights[*n].0 * share.max(1e-7).ln()
                })
                .sum()
        };
        if !judged.is_empty() {
            let candidates = (2..=60).map(|n| n as f32 * 0.1);
            calibration.sharpness = candidates.min_by(|a, b| loss(*a).total_cmp(&loss(*b))).unwrap_or(1.0);
        }
        calibration
    }
}

/// What the log odds of an answer are made of, and what was right.
struct Told {
    terms: Vec<f64>,
    wanted: f64,
    weight: f64,
}

/// What each term counts by weighted logistic regression, by Newton's steps.
fn platt(sides: &[Told]) -> Vec<f32> {
    let terms = sides.first().map_or(0, |told| told.terms.len());
    // Kept near an untouched output where there is little to learn from; lines may all be clean.
    let prior = |n: usize| if n == 0 { 1.0 } else { 0.0 };
    let hold = |n: usize| if n < 2 { 1e-3 } else { 1.0 };
    let mut found: Vec<f64> = (0..terms).map(prior).collect();
    for _ in 0..30 {
        let mut g: Vec<f64> = (0..terms).map(|n| hold(n) * (found[n] - prior(n))).collect();
        let mut h = vec![vec![0.0f64; terms]; terms];
        (0..terms).for_each(|n| h[n][n] = hold(n) + 1e-9);
        for told in sides {
            let odds: f64 = found.iter().zip(&told.terms).map(|(f, x)| f * x).sum();
            let p = 1.0 / (1.0 + (-odds).exp());
            let (error, curve) = (told.weight * (p - told.wanted), told.weight * p * (1.0 - p));
            for (n, x) in told.terms.iter().enumerate() {
                g[n] += error * x;
                h[n].iter_mut().zip(&told.terms).for_each(|(h, other)| *h += curve * x * other);
            }
        }
        for (found, step) in found.iter_mut().zip(eliminate(h, g)) {
            *found = (*found - step.clamp(-1.0, 1.0)).clamp(-20.0, 20.0);
        }
        found[0] = found[0].max(0.05);
    }
    found.into_iter().map(|value| value as f32).collect()
}

/// `h x = g` of a positive definite `h`, by elimination.
fn eliminate(mut h: Vec<Vec<f64>>, mut g: Vec<f64>) -> Vec<f64> {
    let n = g.len();
    for a in 0..n {
        let (above, below) = h.split_at_mut(a + 1);
        for (b, row) in below.iter_mut().enumerate() {
            let share = row[a] / above[a][a];
            row[a..].iter_mut().zip(&above[a][a..]).for_each(|(x, y)| *x -= share * y);
            g[a + 1 + b] -= share * g[a];
        }
    }
    for a in (0..n).rev() {
        g[a] = (g[a] - (a + 1..n).map(|c| h[a][c] * g[c]).sum::<f64>()) / h[a][a];
    }
    g
}

/// Each corpus counts by the root of its size, each class of it alike.
fn weights(examples: &[Example], others: f32) -> Vec<(f32, f32)> {
    let side = |class: Class| match class.distress() {
        Some(true) => 0,
        Some(false) => 1,
        None => 2,
    };
    let mut corpora: BTreeMap<u32, f32> = BTreeMap::new();
    let mut classes: BTreeMap<(u32, Class), f32> = BTreeMap::new();
    let mut sides: BTreeMap<(u32, u8), f32> = BTreeMap::new();
    for example in examples {
        *corpora.entry(example.corpus).or_default() += 1.0;
        *classes.entry((example.corpus, example.class)).or_default() += 1.0;
        *sides.entry((example.corpus, side(example.class))).or_default() += 1.0;
    }
    let mut weights: Vec<(f32, f32)> = examples
        .iter()
        .map(|example| {
            let size = corpora[&example.corpus].sqrt();
            let of_class = size / classes[&(example.corpus, example.class)];
            let share = if side(example.class) == 2 { others } else { 1.0 };
            (of_class, share * size / sides[&(example.corpus, side(example.class))])
        })
        .collect();
    let count = examples.len().max(1) as f32;
    let (of_class, of_distress) = weights.iter().fold((0.0, 0.0), |(a, b), (c, d)| (a + c / count, b + d / count));
    for weight in &mut weights {
        weight.0 = (weight.0 / of_class).min(HEAVIEST);
        weight.1 = (weight.1 / of_distress).min(HEAVIEST);
    }
    weights
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Features that tell of one class.
    const TELLING: usize = 12;

    /// Voices of which twelve features tell each class, and the first the speaker.
    fn examples(speakers: u32) -> Vec<Example> {
        let mut random = Xoshiro256PlusPlus::seed_from_u64(9);
        let mut examples = Vec::new();
        for speaker in 0..speakers {
            for n in 0..40 {
                let class = Class::ALL[n % 4];
                let mut values = [0.0; FEATURES];
                values.iter_mut().for_each(|value| *value = random.random::<f32>());
                let telling = 1 + TELLING * class as usize;
                values[telling..telling + TELLING].iter_mut().for_each(|value| *value += 1.5);
                values[0] += speaker as f32;
                let features = Features { values, speech_ms: 1_000 };
                examples.push(Example { features, class, speaker, corpus: 0, line: 0 });
            }
        }
        examples
    }

    fn quick() -> Settings {
        Settings { folds: 3, ..Settings::default() }
    }

    #[test]
    fn what_is_learnt_holds_for_speakers_never_heard() {
        let mut all = examples(6);
        let unseen = all.split_off(5 * 40);
        let mut last = None;
        let model = fit(&all, &quick(), &mut |progress| last = Some(progress)).unwrap();
        let last = last.unwrap();
        assert_eq!((last.fold, last.learned), (2, 2));
        assert!(last.loss < last.left_out && last.left_out < 0.8, "{last:?}");
        let calm: Baseline = unseen.iter().filter(|e| e.class == Class::Neutral).map(|e| &e.features).collect();
        for baseline in [None, Some(&calm)] {
            let right = unseen.iter().filter(|example| {
                let reading = model.read(&example.features, baseline);
                (reading.distress > 0.5) == (example.class == Class::Angry) || example.class.distress().is_none()
            });
            let right = right.count();
            assert!(right >= 36, "{right} of 40, {} baseline", if baseline.is_some() { "with" } else { "without" });
        }
        let reading = model.read(&unseen[0].features, None);
        let telling = &super::super::names()[1..1 + TELLING];
        let named = reading.signs.iter().find(|sign| super::super::names().contains(&sign.name)).unwrap();
        assert!(telling.contains(&named.name), "{:?}", reading.signs);
    }

    #[test]
    fn the_same_seed_gives_the_same_model_and_its_file_keeps_it() {
        let all = examples(3);
        let settings = quick();
        let model = fit(&all, &settings, &mut |_| ()).unwrap();
        assert_eq!(model, fit(&all, &settings, &mut |_| ()).unwrap());
        assert_ne!(model, fit(&all, &Settings { seed: 2, ..settings }, &mut |_| ()).unwrap());
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("own.model");
        model.save(&path).unwrap();
        assert_eq!(Model::load(&path).unwrap(), model);

        let bytes = model.to_bytes();
        for (damaged, why) in [
            (&bytes[..bytes.len() - 4], "cut short"),
            (&bytes[..10], "no head"),
            (b"{\"format\":\"something\"}\n", "head"),
        ] {
            let error = Model::parse("own.model", damaged).unwrap_err().to_string();
            assert!(error.contains("own.model") && error.contains(why), "{error}");
        }
    }

    #[test]
    fn too_few_recordings_are_refused() {
        let error = fit(&examples(1), &quick(), &mut |_| ()).unwrap_err().to_string();
        assert!(error.contains("at least two"), "{error}");
        let calm: Vec<Example> = examples(3).into_iter().filter(|e| e.class != Class::Angry).collect();
        let error = fit(&calm, &quick(), &mut |_| ()).unwrap_err().to_string();
        assert!(error.contains("anger or fear"), "{error}");
    }
}

//! Training: labelled features in, a calibrated model out. Seeded: the same examples and settings give the same
//! model. Sound is read, degraded and turned into features outside.

use std::collections::BTreeMap;

use rand::rngs::Xoshiro256PlusPlus;
use rand::seq::SliceRandom;
use rand::{RngExt, SeedableRng};

use super::kernel::{Kernel, Sums};
use super::model::{Calibration, DISTRESS, INPUTS, OUTPUTS, Scale, join, logistic, softmax};
use super::net::{Learner, Net};
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
    /// Folds over speakers: as many members the ensemble has, each calibrated on the fold it did not hear.
    pub folds: usize,
    /// Passes over the recordings; a pass hears each recording over one of its lines, by chance.
    pub epochs: usize,
    /// Widths of the hidden layers.
    pub hidden: Vec<usize>,
    /// Share of hidden units left out at each step.
    pub drop: f32,
    /// Share of the inputs left out at each step.
    pub drop_inputs: f32,
    /// Share of examples that come with the speaker's baseline.
    pub with_baseline: f32,
    /// Adam's first step size and weight decay.
    pub rate: f32,
    pub decay: f32,
    /// How mixed examples are (mixup, Zhang et al. 2018): both shares come from Beta(mix, mix); 0 mixes none.
    pub mix: f32,
    /// How much happiness, surprise and disgust count as the opposite of distress.
    pub others: f32,
    /// How much a recording over the plain telephone line counts, one over a damaged line being 1.
    pub plain: usize,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            seed: 1,
            folds: 5,
            epochs: 100,
            hidden: vec![96, 48],
            drop: 0.3,
            drop_inputs: 0.1,
            with_baseline: 0.65,
            rate: 2e-3,
            decay: 1e-2,
            mix: 0.15,
            others: 0.2,
            plain: 3,
        }
    }
}

/// How far the training is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Progress {
    pub fold: usize,
    pub folds: usize,
    pub epoch: usize,
    pub epochs: usize,
    /// Mean loss of this epoch, on the examples learned from and on the fold left out.
    pub loss: f32,
    pub left_out: f32,
}

const BATCH: usize = 128;
/// Targets keep this much doubt: labels are opinions.
const DOUBT: f32 = 0.1;
/// No example counts for more than so many.
const HEAVIEST: f32 = 6.0;
/// Neutral utterances a baseline is made of, at most.
const CALM_TURNS: usize = 4;
/// Left-out examples that each epoch is judged by, at most.
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
    let folds = settings.folds.clamp(2, speakers.len().max(2));
    let task = Task::new(examples, settings);
    let mut members = Vec::with_capacity(folds);
    let mut judged = [Vec::new(), Vec::new()];
    let of_fold =
        |fold: usize| (0..examples.len()).filter(|&n| speakers[&examples[n].speaker] % folds == fold).collect();
    let parts: Vec<Vec<usize>> = (0..folds).map(of_fold).collect();
    let mut random = Xoshiro256PlusPlus::seed_from_u64(settings.seed.wrapping_mul(1_000) + 999);
    let mut kernel = Kernel::random(&mut random);
    let sums: Vec<Sums> = parts.iter().map(|part| task.sums(&kernel, part, &mut random)).collect();
    for (fold, out) in parts.iter().enumerate() {
        let learned: Vec<usize> =
            parts.iter().enumerate().filter(|(n, _)| *n != fold).flat_map(|(_, p)| p).copied().collect();
        solve(&mut kernel, sums.iter().enumerate().filter(|(n, _)| *n != fold).map(|(_, sums)| sums));
        let mut random = Xoshiro256PlusPlus::seed_from_u64(settings.seed.wrapping_mul(1_000) + fold as u64);
        let net = task.learn(&learned, out, &mut random, &mut |epoch, loss, left_out| {
            progress(Progress { fold, folds, epoch, epochs: settings.epochs, loss, left_out });
        });
        for &n in out {
            let mut input = vec![0.0; INPUTS];
            for (with, judged) in judged.iter_mut().enumerate() {
                let baseline = (with == 1).then(|| task.baseline(n, &mut random)).flatten();
                if with == 1 && baseline.is_none() {
                    continue;
                }
                task.scale.write(&examples[n].features.values, baseline.as_ref().map(Baseline::mean), &mut input);
                judged.push((n, join(&net.run(&input), &kernel.run(&input))));
            }
        }
        members.push(net);
    }
    solve(&mut kernel, sums.iter());
    let calibration = judged.map(|judged| task.calibrate(&judged));
    Ok(Model { card: Default::default(), scale: task.scale, members, kernel, calibration })
}

fn solve<'a>(kernel: &mut Kernel, parts: impl Iterator<Item = &'a Sums>) {
    let mut all = Sums::new();
    parts.for_each(|part| all.add(part));
    all.solve(kernel);
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

/// What all folds share.
struct Task<'a> {
    examples: &'a [Example],
    settings: &'a Settings,
    scale: Scale,
    /// How much each example counts, for its class and for distress.
    weights: Vec<(f32, f32)>,
    /// Neutral examples by speaker and line.
    calm: BTreeMap<(u32, u32), Vec<usize>>,
    lines: usize,
}

impl<'a> Task<'a> {
    fn new(examples: &'a [Example], settings: &'a Settings) -> Self {
        let mut calm: BTreeMap<(u32, u32), Vec<usize>> = BTreeMap::new();
        for (n, example) in examples.iter().enumerate().filter(|(_, example)| example.class == Class::Neutral) {
            calm.entry((example.speaker, example.line)).or_default().push(n);
        }
        let lines = examples.iter().map(|example| example.line).collect::<std::collections::BTreeSet<_>>().len();
        let mut task = Self {
            examples,
            settings,
            scale: Scale { mean: vec![0.0; FEATURES], spread: vec![1.0; FEATURES], difference: vec![1.0; FEATURES] },
            weights: weights(examples, settings.others),
            calm,
            lines: lines.max(1),
        };
        task.measure();
        task
    }

    /// Means and spreads of the features and of their differences to baselines.
    fn measure(&mut self) {
        let mut random = Xoshiro256PlusPlus::seed_from_u64(0);
        let mut sums = vec![[0f64; 4]; FEATURES];
        let (mut count, mut pairs) = (0.0, 0.0);
        for (n, example) in self.examples.iter().enumerate() {
            let baseline = self.baseline(n, &mut random);
            count += 1.0;
            pairs += f64::from(u8::from(baseline.is_some()));
            for (k, sums) in sums.iter_mut().enumerate() {
                let value = f64::from(example.features.values[k]);
                let difference = baseline.as_ref().map_or(0.0, |baseline| value - f64::from(baseline.mean()[k]));
                let squares = [value, value * value, difference * difference, 0.0];
                sums.iter_mut().zip(squares).for_each(|(sum, value)| *sum += value);
            }
        }
        for (k, [sum, squares, differences, _]) in sums.into_iter().enumerate() {
            let mean = sum / count;
            self.scale.mean[k] = mean as f32;
            self.scale.spread[k] = ((squares / count - mean * mean).max(0.0).sqrt() as f32).max(1e-4);
            self.scale.difference[k] =
                if pairs > 0.0 { ((differences / pairs).sqrt() as f32).max(1e-4) } else { self.scale.spread[k] };
        }
    }

    /// A baseline for this example: a few other neutral utterances of its speaker on its line.
    fn baseline(&self, n: usize, random: &mut Xoshiro256PlusPlus) -> Option<Baseline> {
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
        Some(chosen.into_iter().map(|n| &self.examples[n].features).collect())
    }

    /// What the kernel machine learns of `part`.
    fn sums(&self, kernel: &Kernel, part: &[usize], random: &mut Xoshiro256PlusPlus) -> Sums {
        let mut sums = Sums::new();
        let mut input = vec![0.0; INPUTS];
        for &n in part {
            self.input(n, random, &mut input);
            let example = &self.examples[n];
            let mut wanted = [-1.0; OUTPUTS];
            wanted[example.class as usize] = 1.0;
            wanted[DISTRESS] = match example.class.distress() {
                Some(true) => 1.0,
                Some(false) => -1.0,
                None => -2.0 * self.settings.others,
            };
            sums.take(kernel, &input, &wanted, self.weights[n].0 * self.times(n) as f32);
        }
        sums.settle();
        sums
    }

    /// An example as a member sees it, with a baseline by chance.
    fn input(&self, n: usize, random: &mut Xoshiro256PlusPlus, input: &mut [f32]) {
        let with = random.random::<f32>() < self.settings.with_baseline;
        let baseline = if with { self.baseline(n, random) } else { None };
        self.scale.write(&self.examples[n].features.values, baseline.as_ref().map(Baseline::mean), input);
    }

    /// How often an example counts.
    fn times(&self, n: usize) -> usize {
        if self.examples[n].line == 0 { self.settings.plain.max(1) } else { 1 }
    }

    fn learn(
        &self,
        learned: &[usize],
        left_out: &[usize],
        random: &mut Xoshiro256PlusPlus,
        told: &mut dyn FnMut(usize, f32, f32),
    ) -> Net {
        let settings = self.settings;
        let sizes: Vec<usize> = [INPUTS].into_iter().chain(settings.hidden.iter().copied()).chain([OUTPUTS]).collect();
        let mut learner = Learner::new(Net::random(&sizes, random), settings.drop);
        let a_pass = (learned.len() / self.lines).max(BATCH.min(learned.len()));
        let steps = (settings.epochs * a_pass.div_ceil(BATCH)).max(1) as f32;
        let warm_up = (steps / 10.0).clamp(1.0, 50.0);
        let mut order: Vec<usize> = learned.iter().flat_map(|&n| std::iter::repeat_n(n, self.times(n))).collect();
        let (mut input, mut mixed) = (vec![0.0; INPUTS], vec![0.0; INPUTS]);
        let keep = 1.0 / (1.0 - settings.drop_inputs);
        let mut step = 0.0;
        for epoch in 0..settings.epochs {
            let (chosen, _) = order.partial_shuffle(random, a_pass);
            let mut sum = 0.0;
            for batch in chosen.chunks(BATCH) {
                for &n in batch {
                    self.input(n, random, &mut input);
                    // Another's share of this example: it is judged as both.
                    let (other, share) = match settings.mix > 0.0 {
                        true => (batch[random.random_range(0..batch.len())], 1.0 - beta(settings.mix, random)),
                        false => (n, 0.0),
                    };
                    if other != n {
                        self.input(other, random, &mut mixed);
                        input.iter_mut().zip(&mixed).for_each(|(x, other)| *x += share * (other - *x));
                    }
                    for x in &mut input[..2 * FEATURES] {
                        *x = if random.random::<f32>() < settings.drop_inputs { 0.0 } else { *x * keep };
                    }
                    learner.take(&input, random, |out, slope| {
                        sum += (1.0 - share) * self.loss(n, out, Some(slope));
                        if share > 0.0 {
                            let mut others = [0.0; OUTPUTS];
                            sum += share * self.loss(other, out, Some(&mut others));
                            slope.iter_mut().zip(others).for_each(|(s, other)| *s += share * (other - *s));
                        }
                    });
                }
                step += 1.0;
                let rate = settings.rate * 0.5 * (1.0 + (std::f32::consts::PI * step / steps).cos());
                learner.step(batch.len(), rate * (step / warm_up).min(1.0), settings.decay);
            }
            let mut judged = 0.0;
            let every = left_out.len().div_ceil(JUDGED).max(1);
            for &n in left_out.iter().step_by(every) {
                let out = learner.net.run(&self.scale.input(&self.examples[n].features.values, None));
                judged += self.loss(n, &out, None);
            }
            told(epoch, sum / chosen.len() as f32, judged / left_out.len().div_ceil(every).max(1) as f32);
        }
        learner.net
    }

    /// Cross entropy of the class and of distress, weighted; writes the outputs' slopes.
    fn loss(&self, n: usize, out: &[f32], slope: Option<&mut [f32]>) -> f32 {
        let class = self.examples[n].class;
        let (of_class, of_distress) = self.weights[n];
        let shares = softmax(&out[..DISTRESS], 1.0);
        let wanted = if class.distress() == Some(true) { 1.0 - DOUBT / 2.0 } else { DOUBT / 2.0 };
        let distress = logistic(out[DISTRESS]);
        if let Some(slope) = slope {
            for (k, (slope, share)) in slope.iter_mut().zip(&shares).enumerate() {
                let wanted = DOUBT / DISTRESS as f32 + if k == class as usize { 1.0 - DOUBT } else { 0.0 };
                *slope = of_class * (share - wanted);
            }
            slope[DISTRESS] = of_distress * (distress - wanted);
        }
        let log = |x: f32| x.max(1e-7).ln();
        -of_class * log(shares[class as usize])
            - of_distress * (wanted * log(distress) + (1.0 - wanted) * log(1.0 - distress))
    }

    /// Platt's line for distress and one sharpness for the classes, on examples whose speakers the judging member did
    /// not hear; both sides and all classes count alike, so that one half is the fair threshold.
    fn calibrate(&self, judged: &[(usize, Vec<f32>)]) -> Calibration {
        let mut calibration = Calibration::default();
        let sides: Vec<Told> = judged
            .iter()
            .filter_map(|(n, out)| {
                let side = self.examples[*n].class.distress()?;
                let noisy = self.examples[*n].features.noisiness();
                Some(Told {
                    output: out[DISTRESS],
                    noisy,
                    wanted: f32::from(u8::from(side)),
                    weight: self.weights[*n].1,
                })
            })
            .collect();
        if sides.iter().any(|side| side.wanted > 0.5) && sides.iter().any(|side| side.wanted < 0.5) {
            [calibration.slope, calibration.shift, calibration.noisy] = platt(&sides);
        }
        let loss = |sharpness: f32| -> f32 {
            judged
                .iter()
                .map(|(n, out)| {
                    let share = softmax(&out[..DISTRESS], sharpness)[self.examples[*n].class as usize];
                    -self.weights[*n].0 * share.max(1e-7).ln()
                })
                .sum()
        };
        if !judged.is_empty() {
            let candidates = (4..=100).map(|n| n as f32 * 0.05);
            calibration.sharpness = candidates.min_by(|a, b| loss(*a).total_cmp(&loss(*b))).unwrap_or(1.0);
        }
        calibration
    }
}

/// A draw from Beta(`shape`, `shape`) (Joehnk 1964), for shapes up to 1.
fn beta(shape: f32, random: &mut Xoshiro256PlusPlus) -> f32 {
    // Each round ends it with more than even odds.
    for _ in 0..64 {
        let (a, b) = (random.random::<f32>().powf(shape.recip()), random.random::<f32>().powf(shape.recip()));
        if a + b > 0.0 && a + b <= 1.0 {
            return a / (a + b);
        }
    }
    0.5
}

/// An output for distress, how noisy the line was, and what was right.
struct Told {
    output: f32,
    noisy: f32,
    wanted: f32,
    weight: f32,
}

/// Slope, shift and noise's share of weighted logistic regression, by Newton's steps.
fn platt(sides: &[Told]) -> [f32; 3] {
    // Kept near an untouched output where there is little to learn from; lines may all be clean.
    let (prior, hold) = ([1.0, 0.0, 0.0], [1e-3, 1e-3, 1.0]);
    let mut found = [1.0f64, 0.0, 0.0];
    for _ in 0..30 {
        let mut g: [f64; 3] = std::array::from_fn(|a| hold[a] * (found[a] - prior[a]));
        let mut h = [[0.0f64; 3]; 3];
        (0..3).for_each(|a| h[a][a] = hold[a] + 1e-9);
        for told in sides {
            let x = [f64::from(told.output), 1.0, f64::from(told.noisy)];
            let p = 1.0 / (1.0 + (-(0..3).map(|a| found[a] * x[a]).sum::<f64>()).exp());
            let weight = f64::from(told.weight);
            let (error, curve) = (weight * (p - f64::from(told.wanted)), weight * p * (1.0 - p));
            for a in 0..3 {
                g[a] += error * x[a];
                (0..3).for_each(|b| h[a][b] += curve * x[a] * x[b]);
            }
        }
        let step = solve3(h, g);
        (0..3).for_each(|a| found[a] = (found[a] - step[a].clamp(-1.0, 1.0)).clamp(-20.0, 20.0));
        found[0] = found[0].max(0.05);
    }
    found.map(|value| value as f32)
}

/// `h x = g` of a positive definite `h`, by elimination.
fn solve3(mut h: [[f64; 3]; 3], mut g: [f64; 3]) -> [f64; 3] {
    for a in 0..3 {
        for b in a + 1..3 {
            let share = h[b][a] / h[a][a];
            (a..3).for_each(|c| h[b][c] -= share * h[a][c]);
            g[b] -= share * g[a];
        }
    }
    for a in (0..3).rev() {
        g[a] = (g[a] - (a + 1..3).map(|c| h[a][c] * g[c]).sum::<f64>()) / h[a][a];
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
        Settings { folds: 3, epochs: 60, hidden: vec![16], ..Settings::default() }
    }

    #[test]
    fn what_is_learnt_holds_for_speakers_never_heard() {
        let mut all = examples(6);
        let unseen = all.split_off(5 * 40);
        let mut last = None;
        let model = fit(&all, &quick(), &mut |progress| last = Some(progress)).unwrap();
        let last = last.unwrap();
        assert_eq!((last.fold, last.epoch), (2, 59));
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
        assert!(telling.contains(&reading.signs[0].name), "{:?}", reading.signs);
    }

    #[test]
    fn the_same_seed_gives_the_same_model_and_its_file_keeps_it() {
        let all = examples(3);
        let settings = Settings { epochs: 2, ..quick() };
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

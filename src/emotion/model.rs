//! The classifier: features in, a reading out. Two kernel machines, of which one also sees the differences to the caller's
//! baseline and answers where there is one; each with answers for quiet and for noisy lines that the line's noise weighs;
//! calibrated on speakers left out (`fit`). Weights come from one file that an operator may replace.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::kernel::{Answer, DIRECTIONS, Head as Answers, KINDS, Kernel, PLAIN, WAVES, width};
use super::{Class, Error, FEATURES, FIGURES, Features, names};
use crate::call::{Reading, Sign};

/// Figures a machine sees: each feature; with a baseline also its difference to it.
pub(super) const INPUTS: [usize; 2] = [FEATURES, 2 * FEATURES];
/// The output for distress comes after those of the classes.
pub(super) const DISTRESS: usize = Class::ALL.len();
pub(super) const OUTPUTS: usize = DISTRESS + 1;
/// Normalised inputs are held within this many standard deviations.
const CLIP: f32 = 4.0;
/// Signs kept with a reading.
const SIGNS: usize = 5;
/// What the timbre is called among them.
const TIMBRE: &str = "timbre, unlike the usual";
const FORMAT: &str = "frontdesk emotion model 4";

/// What a model says of itself: the head of its file.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Card {
    /// `shipped`, or what the operator called it.
    pub name: String,
    /// One line: under which terms the recordings, and so the weights, may be used.
    pub terms: String,
    /// Corpora or label files it was trained on.
    pub trained_on: Vec<String>,
    /// What was measured on recordings it never heard, by name (`distress_uar`, ...).
    pub scores: BTreeMap<String, f64>,
    /// RFC 3339 date of training.
    pub date: String,
}

/// A trained classifier. Shared by all calls; a reading costs well under a millisecond.
#[derive(Clone, Debug, PartialEq)]
pub struct Model {
    pub card: Card,
    pub(super) scale: Scale,
    /// Without and with a baseline.
    pub(super) kernels: [Kernel; 2],
    /// Without and with a baseline; by kind of line.
    pub(super) calibration: [[Calibration; KINDS]; 2],
}

/// What makes the features comparable: their means and spreads over the training examples.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Scale {
    pub mean: Vec<f32>,
    pub spread: Vec<f32>,
    /// Of the difference to the baseline.
    pub difference: Vec<f32>,
}

/// From a machine's outputs to probabilities.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Calibration {
    /// Log odds of distress: `slope * output + shift + noisy * Features::noisiness` (Platt 1999; noise sounds aroused),
    /// and what each manner adds as far as the voice is of it.
    pub slope: f32,
    pub shift: f32,
    pub noisy: f32,
    pub manners: Vec<f32>,
    /// Classes' outputs are multiplied by this (Guo et al. 2017).
    pub sharpness: f32,
}

impl Default for Calibration {
    fn default() -> Self {
        Self { slope: 1.0, shift: 0.0, noisy: 0.0, manners: Vec::new(), sharpness: 1.0 }
    }
}

/// The first line of a model's file; the numbers follow as little-endian f32.
#[derive(Serialize, Deserialize)]
struct Head {
    format: String,
    card: Card,
    /// Names of the features in order: a model fits only an extractor that computes just these.
    features: Vec<String>,
    classes: Vec<Class>,
    /// Of each kernel machine, and the manners it knows (`kernel::Head`).
    directions: usize,
    seeds: [u64; 2],
    manners: usize,
    calibration: [[Calibration; KINDS]; 2],
}

impl Model {
    /// The operator's model (`emotion.model` in the models folder), else the one that ships.
    pub fn installed() -> Result<Model, Error> {
        let own = Self::path();
        if own.exists() { Self::load(own) } else { Self::shipped() }
    }

    /// The model that comes with frontdesk. Its `card.terms` bind whoever uses it.
    pub fn shipped() -> Result<Model, Error> {
        Self::parse("the shipped emotion model", include_bytes!("../../models/emotion.model"))
    }

    /// Where an operator's model is looked for.
    pub fn path() -> PathBuf {
        crate::models::dir().join("emotion.model")
    }

    pub fn load(path: impl AsRef<Path>) -> Result<Model, Error> {
        let path = path.as_ref();
        let bytes = std::fs::read(path).map_err(|source| Error::Io { path: path.into(), source })?;
        Self::parse(&path.display().to_string(), &bytes)
    }

    /// Reads a model's file; `origin` stands in the error.
    pub fn parse(origin: &str, bytes: &[u8]) -> Result<Model, Error> {
        let wrong = |problem: &str| Error::Format { origin: origin.into(), problem: problem.into() };
        let end = bytes.iter().position(|&byte| byte == b'\n').ok_or_else(|| wrong("it has no head"))?;
        let head: Head = serde_json::from_slice(&bytes[..end]).map_err(|error| wrong(&format!("its head: {error}")))?;
        if head.format != FORMAT {
            return Err(wrong(&format!("it is a {:?}", head.format)));
        }
        if head.features != names() || head.classes != Class::ALL {
            return Err(wrong("it was trained on other features; train it again"));
        }
        if head.directions != DIRECTIONS || head.manners > 64 {
            return Err(wrong("its machines are not of the size of this version's"));
        }
        if head.calibration.iter().flatten().any(|calibration| calibration.manners.len() > head.manners) {
            return Err(wrong("its calibration is not of its machines"));
        }
        let answers = WAVES * width(head.manners);
        let floats = 3 * FEATURES + INPUTS.len() * KINDS * answers;
        let body = &bytes[end + 1..];
        let mut numbers = body.chunks_exact(4).map(|four| f32::from_le_bytes(four.try_into().unwrap_or_default()));
        if body.len() != 4 * floats || !numbers.clone().all(f32::is_finite) {
            return Err(wrong("it is cut short or damaged"));
        }
        let mut take = |n: usize| numbers.by_ref().take(n).collect::<Vec<f32>>();
        let scale = Scale { mean: take(FEATURES), spread: take(FEATURES), difference: take(FEATURES) };
        if scale.spread.iter().chain(&scale.difference).any(|&spread| spread <= 0.0) {
            return Err(wrong("a spread is not above zero"));
        }
        let kernels = [0, 1].map(|way| {
            let mut answers = || Answers { manners: head.manners, weights: take(answers) };
            Kernel::new(head.seeds[way], &shares(way), [answers(), answers()])
        });
        Ok(Model { card: head.card, scale, kernels, calibration: head.calibration })
    }

    /// The file's content, as `parse` reads it.
    pub fn to_bytes(&self) -> Vec<u8> {
        let head = Head {
            format: FORMAT.into(),
            card: self.card.clone(),
            features: names().to_vec(),
            classes: Class::ALL.to_vec(),
            directions: DIRECTIONS,
            seeds: [0, 1].map(|way| self.kernels[way].seed),
            manners: self.kernels[0].heads[0].manners,
            calibration: self.calibration.clone(),
        };
        // Strings, numbers and lists of them: always writable.
        let mut bytes = serde_json::to_vec(&head).expect("a head is plain data");
        bytes.push(b'\n');
        let mut put = |numbers: &[f32]| numbers.iter().for_each(|n| bytes.extend(n.to_le_bytes()));
        put(&self.scale.mean);
        put(&self.scale.spread);
        put(&self.scale.difference);
        self.kernels.iter().flat_map(|kernel| &kernel.heads).for_each(|head| put(&head.weights));
        bytes
    }

    /// Writes the file `load` reads, whole or not at all.
    pub fn save(&self, path: impl AsRef<Path>) -> Result<(), Error> {
        let path = path.as_ref();
        let part = path.with_extension("part");
        std::fs::write(&part, self.to_bytes())
            .and_then(|()| std::fs::rename(&part, path))
            .map_err(|source| Error::Io { path: path.into(), source })
    }

    /// How these features sound. With the caller's `baseline` the reading looks at the difference too.
    pub fn read(&self, features: &Features, baseline: Option<&Baseline>) -> Reading {
        let baseline = baseline.filter(|baseline| baseline.utterances > 0).map(|baseline| &baseline.mean);
        let way = usize::from(baseline.is_some());
        let input = self.scale.input(&features.values, baseline);
        let calibration = &self.calibration[way];
        let noise = features.noisiness();
        let kinds = kinds(noise);
        let slopes = std::array::from_fn(|kind| kinds[kind] * calibration[kind].slope);
        let (mut odds, mut outputs) = (0.0, [0.0; DISTRESS]);
        let waves = self.kernels[way].waves(&input);
        let mut answers = self.kernels[way].run(&waves);
        let mut gradient = self.kernels[way].gradient(&waves, DISTRESS, slopes);
        if baseline.is_some() {
            let plain = &self.kernels[0];
            let waves = plain.waves(&input[..FEATURES]);
            answers.iter_mut().zip(&plain.run(&waves)).for_each(|(own, plain)| own.mix(plain));
            gradient.iter_mut().for_each(|slope| *slope *= 1.0 - PLAIN);
            let of_plain = plain.gradient(&waves, DISTRESS, slopes);
            gradient.iter_mut().zip(of_plain).for_each(|(slope, plain)| *slope += PLAIN * plain);
        }
        for ((answer, calibration), share) in answers.iter().zip(calibration).zip(kinds) {
            odds += share * calibration.odds(answer, noise);
            outputs.iter_mut().zip(answer.out).for_each(|(sum, out)| *sum += share * calibration.sharpness * out);
        }
        let classes = softmax(&outputs, 1.0);
        let (mut arousal, mut valence) = (0.0, 0.0);
        for (class, share) in Class::ALL.into_iter().zip(&classes) {
            let place = class.arousal_valence();
            arousal += share * place.0;
            valence += share * place.1;
        }
        Reading {
            distress: logistic(odds),
            arousal,
            valence,
            probabilities: Class::ALL.into_iter().map(|class| class.name().to_owned()).zip(classes).collect(),
            speech_ms: features.speech_ms,
            signs: signs(&input, &gradient),
            ..Reading::default()
        }
    }
}

/// How much each input counts: the figures together as much as the timbre.
pub(super) fn shares(way: usize) -> Vec<f32> {
    let share = |n: usize| {
        let width = if n % FEATURES < FIGURES { FIGURES } else { FEATURES - FIGURES };
        (FEATURES as f32 / 2.0 / width as f32).sqrt()
    };
    (0..INPUTS[way]).map(share).collect()
}

/// The features whose departure from the usual moved distress most: the slope there times the departure. No part of the
/// timbre has a name that says anything: it is told as one.
fn signs(input: &[f32], gradient: &[f32]) -> Vec<Sign> {
    let differences = &input[FEATURES..];
    let weight = |n: usize| {
        let of_difference = differences.get(n).map_or(0.0, |difference| difference * gradient[FEATURES + n]);
        gradient[n] * input[n] + of_difference
    };
    let deviation = |n: usize| *differences.get(n).unwrap_or(&input[n]);
    let mut signs: Vec<Sign> =
        (0..FIGURES).map(|n| Sign { name: names()[n].clone(), deviation: deviation(n), weight: weight(n) }).collect();
    let timbre = FIGURES..FEATURES;
    let squares: f32 = timbre.clone().map(|n| deviation(n).powi(2)).sum();
    let deviation = (squares / timbre.len() as f32).sqrt();
    signs.push(Sign { name: TIMBRE.into(), deviation, weight: timbre.map(weight).sum() });
    signs.sort_by(|a, b| b.weight.abs().total_cmp(&a.weight.abs()));
    signs.truncate(SIGNS);
    signs
}

/// How much the answers for quiet and for noisy lines count on a line of this noisiness (`Features::noisiness`): the
/// first alone while the voice is 19 dB over the noise, the second alone from 13 dB down.
pub(super) fn kinds(noisiness: f32) -> [f32; KINDS] {
    let noisy = ((noisiness - 0.24) / 0.24).clamp(0.0, 1.0);
    [1.0 - noisy, noisy]
}

impl Calibration {
    /// Log odds of distress.
    pub fn odds(&self, answer: &Answer, noisiness: f32) -> f32 {
        let manners: f32 = self.manners.iter().zip(&answer.manners).map(|(shift, share)| shift * share).sum();
        self.slope * answer.out[DISTRESS] + self.shift + self.noisy * noisiness + manners
    }
}

impl Scale {
    /// What a machine sees of these features.
    pub fn input(&self, values: &[f32; FEATURES], baseline: Option<&[f32; FEATURES]>) -> Vec<f32> {
        let mut input = Vec::with_capacity(INPUTS[usize::from(baseline.is_some())]);
        let held = |distance: f32, spread: f32| (distance / spread).clamp(-CLIP, CLIP);
        input.extend((0..FEATURES).map(|n| held(values[n] - self.mean[n], self.spread[n])));
        input[Features::LEVEL] = 0.0;
        if let Some(baseline) = baseline {
            input.extend((0..FEATURES).map(|n| held(values[n] - baseline[n], self.difference[n])));
        }
        input
    }
}

pub(super) fn logistic(x: f32) -> f32 {
    1.0 / (1.0 + (-x).exp())
}

pub(super) fn softmax(outputs: &[f32], sharpness: f32) -> Vec<f32> {
    let top = outputs.iter().copied().fold(f32::MIN, f32::max);
    let powers: Vec<f32> = outputs.iter().map(|out| ((out - top) * sharpness).exp()).collect();
    let sum: f32 = powers.iter().sum();
    powers.into_iter().map(|power| power / sum).collect()
}

/// The caller's own calm voice: the mean features of the first calm utterances.
#[derive(Clone, Debug, PartialEq)]
pub struct Baseline {
    mean: [f32; FEATURES],
    utterances: u32,
}

impl Default for Baseline {
    fn default() -> Self {
        Self { mean: [0.0; FEATURES], utterances: 0 }
    }
}

impl Baseline {
    /// Takes one more calm utterance in.
    pub fn add(&mut self, features: &Features) {
        self.utterances += 1;
        let share = 1.0 / self.utterances as f32;
        self.mean.iter_mut().zip(&features.values).for_each(|(mean, value)| *mean += share * (value - *mean));
    }

    /// How many utterances it holds; 0 is no baseline.
    pub fn utterances(&self) -> u32 {
        self.utterances
    }

    pub fn mean(&self) -> &[f32; FEATURES] {
        &self.mean
    }
}

impl<'a> FromIterator<&'a Features> for Baseline {
    fn from_iter<I: IntoIterator<Item = &'a Features>>(all: I) -> Self {
        let mut baseline = Baseline::default();
        all.into_iter().for_each(|features| baseline.add(features));
        baseline
    }
}

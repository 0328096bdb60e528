//! The classifier: features in, a reading out. An ensemble of small networks, each trained without one fold of the
//! speakers, and a kernel machine; calibrated on speakers left out (`fit`). Weights come from one file that an operator
//! may replace.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::kernel::{DIRECTIONS, Kernel};
use super::net::{Layer, Net};
use super::{Class, Error, FEATURES, Features, names};
use crate::call::{Reading, Sign};

/// Figures a network sees: each feature, its difference to the baseline, and whether there is one.
pub(super) const INPUTS: usize = 2 * FEATURES + 1;
/// The output for distress comes after those of the classes.
pub(super) const DISTRESS: usize = Class::ALL.len();
pub(super) const OUTPUTS: usize = DISTRESS + 1;
/// Normalised inputs are held within this many standard deviations.
const CLIP: f32 = 4.0;
/// How much networks and kernel machine count; a regression's answers are smaller than log odds. For distress both are
/// as good, for the classes the networks are better.
const OF_CLASSES: (f32, f32) = (0.8, 0.4);
const OF_DISTRESS: (f32, f32) = (0.5, 1.0);
/// Signs kept with a reading.
const SIGNS: usize = 5;
const FORMAT: &str = "frontdesk emotion model 2";

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
    pub(super) members: Vec<Net>,
    pub(super) kernel: Kernel,
    /// Without and with a baseline.
    pub(super) calibration: [Calibration; 2],
}

/// What makes the features comparable: their means and spreads over the training examples.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Scale {
    pub mean: Vec<f32>,
    pub spread: Vec<f32>,
    /// Of the difference to the baseline.
    pub difference: Vec<f32>,
}

/// From the ensemble's outputs to probabilities.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Calibration {
    /// Log odds of distress: `slope * output + shift + noisy * Features::noisiness` (Platt 1999; noise sounds aroused).
    pub slope: f32,
    pub shift: f32,
    pub noisy: f32,
    /// Classes' outputs are multiplied by this (Guo et al. 2017).
    pub sharpness: f32,
}

impl Default for Calibration {
    fn default() -> Self {
        Self { slope: 1.0, shift: 0.0, noisy: 0.0, sharpness: 1.0 }
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
    /// Widths of the layers, of every member.
    layers: Vec<usize>,
    members: usize,
    calibration: [Calibration; 2],
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
        let ends = (head.layers.first(), head.layers.last());
        let sizes_fit = ends == (Some(&INPUTS), Some(&OUTPUTS)) && head.layers.len() > 1;
        if !sizes_fit || head.layers.iter().any(|&width| width > 4_096) || !(1..=64).contains(&head.members) {
            return Err(wrong("its layers are not those of such a model"));
        }
        let mut numbers =
            bytes[end + 1..].chunks_exact(4).map(|four| f32::from_le_bytes(four.try_into().unwrap_or_default()));
        let member: usize = head.layers.windows(2).map(|pair| pair[0] * pair[1] + pair[1]).sum();
        let kernel = INPUTS * DIRECTIONS + (2 * DIRECTIONS + 1) * OUTPUTS;
        let wanted = 3 * FEATURES + member * head.members + kernel;
        if bytes.len() - end - 1 != wanted * 4 || !numbers.clone().all(f32::is_finite) {
            return Err(wrong("it is cut short or damaged"));
        }
        let mut take = |n: usize| numbers.by_ref().take(n).collect::<Vec<f32>>();
        let scale = Scale { mean: take(FEATURES), spread: take(FEATURES), difference: take(FEATURES) };
        if scale.spread.iter().chain(&scale.difference).any(|&spread| spread <= 0.0) {
            return Err(wrong("a spread is not above zero"));
        }
        let mut layer = |inputs: usize, outputs: usize| {
            let weights = take(inputs * outputs);
            Layer { inputs, outputs, weights, bias: take(outputs) }
        };
        let members = (0..head.members)
            .map(|_| Net { layers: head.layers.windows(2).map(|pair| layer(pair[0], pair[1])).collect() })
            .collect();
        let directions = Layer {
            inputs: INPUTS,
            outputs: DIRECTIONS,
            weights: take(INPUTS * DIRECTIONS),
            bias: vec![0.0; DIRECTIONS],
        };
        let weights = take(2 * DIRECTIONS * OUTPUTS);
        let heads = Layer { inputs: 2 * DIRECTIONS, outputs: OUTPUTS, weights, bias: take(OUTPUTS) };
        let kernel = Kernel { directions, heads };
        Ok(Model { card: head.card, scale, members, kernel, calibration: head.calibration })
    }

    /// The file's content, as `parse` reads it.
    pub fn to_bytes(&self) -> Vec<u8> {
        let layers = &self.members[0].layers;
        let head = Head {
            format: FORMAT.into(),
            card: self.card.clone(),
            features: names().to_vec(),
            classes: Class::ALL.to_vec(),
            layers: std::iter::once(INPUTS).chain(layers.iter().map(|layer| layer.outputs)).collect(),
            members: self.members.len(),
            calibration: self.calibration,
        };
        // Strings, numbers and lists of them: always writable.
        let mut bytes = serde_json::to_vec(&head).expect("a head is plain data");
        bytes.push(b'\n');
        let mut put = |numbers: &[f32]| numbers.iter().for_each(|n| bytes.extend(n.to_le_bytes()));
        put(&self.scale.mean);
        put(&self.scale.spread);
        put(&self.scale.difference);
        for layer in self.members.iter().flat_map(|member| &member.layers) {
            put(&layer.weights);
            put(&layer.bias);
        }
        put(&self.kernel.directions.weights);
        put(&self.kernel.heads.weights);
        put(&self.kernel.heads.bias);
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
        let input = self.scale.input(&features.values, baseline);
        let outputs = self.outputs(&input);
        let calibration = self.calibration[usize::from(baseline.is_some())];
        let classes = softmax(&outputs[..DISTRESS], calibration.sharpness);
        let (mut arousal, mut valence) = (0.0, 0.0);
        for (class, share) in Class::ALL.into_iter().zip(&classes) {
            let place = class.arousal_valence();
            arousal += share * place.0;
            valence += share * place.1;
        }
        Reading {
            distress: logistic(
                calibration.slope * outputs[DISTRESS] + calibration.shift + calibration.noisy * features.noisiness(),
            ),
            arousal,
            valence,
            probabilities: Class::ALL.into_iter().map(|class| class.name().to_owned()).zip(classes).collect(),
            speech_ms: features.speech_ms,
            signs: self.signs(&input, calibration.slope),
            ..Reading::default()
        }
    }

    /// The networks' mean outputs, joined by the kernel machine's.
    fn outputs(&self, input: &[f32]) -> Vec<f32> {
        let mut sum = vec![0.0; OUTPUTS];
        for member in &self.members {
            sum.iter_mut().zip(member.run(input)).for_each(|(sum, out)| *sum += out / self.members.len() as f32);
        }
        join(&sum, &self.kernel.run(input))
    }

    /// The features whose departure from the usual moved distress most: the slope there times the departure.
    fn signs(&self, input: &[f32], slope: f32) -> Vec<Sign> {
        let mut gradient = vec![0.0; INPUTS];
        for member in &self.members {
            let share = slope / self.members.len() as f32;
            gradient.iter_mut().zip(member.gradient(input, DISTRESS)).for_each(|(sum, g)| *sum += share * g);
        }
        let of_kernel = self.kernel.gradient(input, DISTRESS);
        let (nets, kernels) = OF_DISTRESS;
        gradient.iter_mut().zip(of_kernel).for_each(|(sum, g)| *sum = nets * *sum + kernels * slope * g);
        let has_baseline = input[2 * FEATURES] > 0.0;
        let weight = |n: usize| gradient[n] * input[n] + gradient[FEATURES + n] * input[FEATURES + n];
        let mut order: Vec<usize> = (0..FEATURES).collect();
        order.sort_by(|&a, &b| weight(b).abs().total_cmp(&weight(a).abs()));
        let sign = |&n: &usize| Sign {
            name: names()[n].clone(),
            deviation: if has_baseline { input[FEATURES + n] } else { input[n] },
            weight: weight(n),
        };
        order[..SIGNS].iter().map(sign).collect()
    }
}

/// Outputs of networks and kernel machine together.
pub(super) fn join(of_nets: &[f32], of_kernel: &[f32]) -> Vec<f32> {
    let pairs = of_nets.iter().zip(of_kernel).enumerate();
    let joined = pairs.map(|(n, (net, kernel))| {
        let (nets, kernels) = if n < DISTRESS { OF_CLASSES } else { OF_DISTRESS };
        nets * net + kernels * kernel
    });
    joined.collect()
}

impl Scale {
    /// What a network sees of these features.
    pub fn input(&self, values: &[f32; FEATURES], baseline: Option<&[f32; FEATURES]>) -> Vec<f32> {
        let mut input = vec![0.0; INPUTS];
        self.write(values, baseline, &mut input);
        input
    }

    pub fn write(&self, values: &[f32; FEATURES], baseline: Option<&[f32; FEATURES]>, input: &mut [f32]) {
        for n in 0..FEATURES {
            let raw = ((values[n] - self.mean[n]) / self.spread[n]).clamp(-CLIP, CLIP);
            input[n] = if n == Features::LEVEL { 0.0 } else { raw };
            input[FEATURES + n] = match baseline {
                Some(baseline) => ((values[n] - baseline[n]) / self.difference[n]).clamp(-CLIP, CLIP),
                None => 0.0,
            };
        }
        input[2 * FEATURES] = if baseline.is_some() { 1.0 } else { 0.0 };
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

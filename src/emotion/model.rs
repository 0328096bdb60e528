//! The classifier: features in, a reading out. Weights come from one file that an operator may replace.

use std::path::Path;

use serde::{Deserialize, Serialize};

use super::{Error, FEATURES, Features};
use crate::call::Reading;

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
    pub scores: std::collections::BTreeMap<String, f64>,
    /// RFC 3339 date of training.
    pub date: String,
}

/// A trained classifier. Shared by all calls; a reading costs well under a millisecond.
#[derive(Clone, Debug)]
pub struct Model {
    pub card: Card,
}

impl Model {
    /// The operator's model (`emotion.model` in the models folder), else the one that ships.
    pub fn installed() -> Result<Model, Error> {
        let own = Self::path();
        if own.exists() { Self::load(own) } else { Ok(Model { card: Card::default() }) }
    }

    /// Where an operator's model is looked for.
    pub fn path() -> std::path::PathBuf {
        crate::models::dir().join("emotion.model")
    }

    pub fn load(path: impl AsRef<Path>) -> Result<Model, Error> {
        let path = path.as_ref();
        let bytes = std::fs::read(path).map_err(|source| Error::Io { path: path.into(), source })?;
        Self::parse(&path.display().to_string(), &bytes)
    }

    /// Reads a model's file; `origin` stands in the error.
    pub fn parse(origin: &str, _bytes: &[u8]) -> Result<Model, Error> {
        Err(Error::Format { origin: origin.into(), problem: "not read yet".into() })
    }

    /// The file `load` reads, whole or not at all.
    pub fn save(&self, _path: impl AsRef<Path>) -> Result<(), Error> {
        Ok(())
    }

    /// How these features sound. With the caller's `baseline` the reading looks at the difference too.
    pub fn read(&self, _features: &Features, _baseline: Option<&Baseline>) -> Reading {
        Reading::default()
    }
}

/// The caller's own calm voice: the mean features of the first calm utterances.
#[derive(Clone, Debug)]
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

//! From examples to a calibrated head.

use std::collections::BTreeMap;
use std::path::Path;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::head::{Examples, Head, softmax};
use super::whitening::{Whitening, belief};
use super::{Embedder, Progress};
use crate::answers::e5::{E5, dot};

/// Part of the cache's key: raise it when training changes.
const VERSION: u32 = 2;
/// Inverse strength of the penalty, per example (scikit-learn's C): with a few examples, and with many.
const C: (f32, f32) = (30.0, 10.0);
/// What all of "none" counts, in examples of an ordinary intent.
const NONE_WEIGHT: f32 = 4.0;
/// A background sentence this like an example (cosine about the background's mean) is left out.
const TOO_LIKE: f32 = 0.6;
/// Rounds of cross-validation, and fewer where there is enough to judge by.
const FOLDS: usize = 5;
const FEW_FOLDS: usize = 3;
const ENOUGH: usize = 3_000;
/// A sentence less like the middle of every intent than this (cosine) is the less likely to be any of them ...
const NEAR: f32 = 0.45;
/// ... by so much in the odds' logarithm for all the way to a cosine of 1 lower; less with fewer examples than `MANY`.
const FAR: f32 = 20.0;
/// The score from which an intent counts as meant. An operator's few examples are trusted less: from `USUAL` at none it
/// falls to this at `MANY` of them.
const THRESHOLD: f32 = 0.25;
const USUAL: f32 = 0.4;
const MANY: usize = 500;

/// What was learned.
#[derive(Serialize, Deserialize)]
pub struct Trained {
    names: Vec<String>,
    /// Subtracted from every embedding: what all sentences have in common.
    mean: Vec<f32>,
    whitening: Whitening,
    /// One class a name, and "none" last.
    head: Head,
    /// The middle of each intent, whitened, of length 1.
    middles: Vec<Vec<f32>>,
    far: f32,
    temperature: f32,
    pub threshold: f32,
}

/// All that the result depends on, as a file name.
pub fn fingerprint(model: &E5, intents: &BTreeMap<String, Vec<String>>) -> String {
    let mut hash = Sha256::new();
    hash.update(VERSION.to_le_bytes());
    hash.update(model.fingerprint());
    hash.update(include_str!("background.txt"));
    for (name, examples) in intents {
        for text in std::iter::once(name).chain(examples) {
            hash.update((text.len() as u64).to_le_bytes());
            hash.update(text);
        }
        hash.update(u64::MAX.to_le_bytes());
    }
    hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Threads to learn with. Calls go on meanwhile: half of the processors are theirs.
pub fn threads() -> usize {
    (std::thread::available_parallelism().map_or(1, usize::from) / 2).max(1)
}

pub fn background() -> Vec<&'static str> {
    include_str!("background.txt").lines().filter(|line| !line.starts_with('#')).collect()
}

pub fn train(
    embedder: &Embedder,
    intents: &BTreeMap<String, Vec<String>>,
    progress: &(dyn Fn(Progress) + Sync),
) -> Trained {
    let threads = threads();
    let examples: Vec<(usize, &str)> = intents
        .values()
        .enumerate()
        .flat_map(|(class, texts)| texts.iter().map(move |text| (class, text.as_str())))
        .collect();
    let titles: Vec<(usize, String)> =
        intents.keys().enumerate().filter_map(|(class, name)| Some((class, title(name)?))).collect();
    let texts: Vec<&str> =
        examples.iter().map(|(_, text)| *text).chain(titles.iter().map(|(_, text)| text.as_str())).collect();
    let of = texts.len();
    let model = embedder.model();
    let mut rows = model.embed_all(&texts, threads, &|done| progress(Progress::Embedding { done, of }));
    let mut background_rows = embedder.background(threads).to_vec();
    let mean = mean(&background_rows);
    rows.iter_mut().chain(&mut background_rows).for_each(|row| centre(row, &mean));
    let title_rows = rows.split_off(examples.len());

    let none = intents.len();
    let mut set: Vec<(usize, &[f32])> =
        examples.iter().zip(&rows).map(|((class, _), row)| (*class, row.as_slice())).collect();
    let unlike = |row: &&Vec<f32>| rows.iter().all(|example| dot(example, row) < TOO_LIKE);
    set.extend(background_rows.iter().filter(unlike).map(|row| (none, row.as_slice())));
    let titles: Vec<(usize, &[f32])> =
        titles.iter().zip(&title_rows).map(|((class, _), row)| (*class, row.as_slice())).collect();
    let names = intents.keys().cloned().collect();
    learn(names, mean, &set, &titles, threads, &|done, of| progress(Progress::Training { done, of }))
}

/// An intent's name as words: an operator who calls it `lost_card` has said something about it,
/// whatever the language of the examples.
fn title(name: &str) -> Option<String> {
    let words = name.to_lowercase().replace(['_', '-', '.'], " ");
    (words.chars().filter(|c| c.is_alphabetic()).count() >= 3).then_some(words)
}

/// `set`: class and centred row; the last class is "none". `titles` are learned like examples, but nothing is judged by
/// them.
fn learn(
    names: Vec<String>,
    mean: Vec<f32>,
    set: &[(usize, &[f32])],
    titles: &[(usize, &[f32])],
    threads: usize,
    done: &dyn Fn(usize, usize),
) -> Trained {
    let classes = names.len() + 1;
    let rounds = if set.len() > ENOUGH { FEW_FOLDS } else { FOLDS };
    let folds = fold(set, classes, rounds);
    let mut held_out: Vec<(usize, Vec<f32>)> = Vec::with_capacity(set.len());
    for out in 0..rounds {
        let learn: Vec<_> = set.iter().zip(&folds).filter(|(_, fold)| **fold != out).map(|(one, _)| *one).collect();
        let fitted = fit(&learn, titles, classes, threads);
        let test = set.iter().zip(&folds).filter(|(_, fold)| **fold == out);
        held_out.extend(test.map(|((class, row), _)| (*class, fitted.head.logits(&fitted.whitening.apply(row)))));
        done(out + 1, rounds + 1);
    }
    let temperature = temperature(&held_out);
    let Fitted { whitening, head, middles } = fit(set, titles, classes, threads);
    done(rounds + 1, rounds + 1);
    let examples = set.iter().filter(|(class, _)| *class < names.len()).count();
    let share = examples.min(MANY) as f32 / MANY as f32;
    let threshold = USUAL + (THRESHOLD - USUAL) * share;
    Trained { names, mean, whitening, head, middles, far: FAR * share, temperature, threshold }
}

impl Trained {
    /// Intents and how likely each is; what is missing to 1 is "none of these".
    pub fn scores(&self, embedding: &[f32]) -> impl Iterator<Item = (&str, f32)> {
        let mut row = embedding.to_vec();
        centre(&mut row, &self.mean);
        let row = self.whitening.apply(&row);
        let mut p = self.head.logits(&row);
        let nearest = self.middles.iter().map(|middle| dot(middle, &row)).fold(f32::NEG_INFINITY, f32::max);
        if let Some(none) = p.last_mut() {
            *none += self.far * (NEAR - nearest).max(0.0);
        }
        softmax(&mut p, self.temperature);
        self.names.iter().map(String::as_str).zip(p)
    }

    /// From the cache; a file that is missing or unreadable is learned anew.
    pub fn read(path: &Path) -> Option<Self> {
        let trained: Self = serde_json::from_slice(&std::fs::read(path).ok()?).ok()?;
        let width = trained.mean.len();
        let whole = trained.whitening.fits(width)
            && trained.head.fits(width, trained.names.len() + 1)
            && trained.middles.iter().all(|middle| middle.len() == width);
        whole.then_some(trained)
    }
}

struct Fitted {
    whitening: Whitening,
    head: Head,
    middles: Vec<Vec<f32>>,
}

fn fit(set: &[(usize, &[f32])], titles: &[(usize, &[f32])], classes: usize, threads: usize) -> Fitted {
    let none = classes - 1;
    let whitening = Whitening::of(set, none);
    let all = || set.iter().chain(titles);
    let rows: Vec<Vec<f32>> = all().map(|(_, row)| whitening.apply(row)).collect();
    let background = set.iter().filter(|(class, _)| *class == none).count();
    let examples = set.len() - background;
    let per_intent = (rows.len() - background).max(1) as f32 / none.max(1) as f32;
    let none_weight = NONE_WEIGHT * per_intent / background.max(1) as f32;
    let learned = Examples {
        rows: rows.iter().map(Vec::as_slice).collect(),
        classes: all().map(|(class, _)| *class).collect(),
        weights: all().map(|(class, _)| if *class == none { none_weight } else { 1.0 }).collect(),
    };
    let total: f32 = learned.weights.iter().sum();
    let c = C.0 + (C.1 - C.0) * belief(examples);
    let head = Head::train(&learned, classes, 1.0 / (c * total), threads);
    let mut middles = vec![vec![0.0; rows.first().map_or(0, Vec::len)]; none];
    for ((class, _), row) in set.iter().zip(&rows).filter(|((class, _), _)| *class < none) {
        middles[*class].iter_mut().zip(row).for_each(|(m, x)| *m += x);
    }
    for middle in &mut middles {
        let length = dot(middle, middle).max(1e-12).sqrt();
        middle.iter_mut().for_each(|x| *x /= length);
    }
    Fitted { whitening, head, middles }
}

/// Deals each class's rows over the folds in turn.
fn fold(set: &[(usize, &[f32])], classes: usize, folds: usize) -> Vec<usize> {
    let mut next: Vec<usize> = (0..classes).collect();
    set.iter()
        .map(|(class, _)| {
            next[*class] += 1;
            next[*class] % folds
        })
        .collect()
}

/// The temperature (Guo et al. 2017, arXiv:1706.04599) under which the held-out rows are likeliest.
fn temperature(held_out: &[(usize, Vec<f32>)]) -> f32 {
    let surprise = |temperature: f32| -> f64 {
        let of = |(class, logits): &(usize, Vec<f32>)| {
            let mut p = logits.clone();
            softmax(&mut p, temperature);
            -f64::from(p[*class].max(1e-12)).ln()
        };
        held_out.iter().map(of).sum()
    };
    let grid = (-16..=16).map(|i| 2.0_f32.powf(i as f32 / 8.0));
    grid.map(|t| (t, surprise(t))).min_by(|a, b| a.1.total_cmp(&b.1)).map_or(1.0, |(t, _)| t)
}

pub fn mean(rows: &[Vec<f32>]) -> Vec<f32> {
    let mut mean = vec![0.0; rows.first().map_or(0, Vec::len)];
    for row in rows {
        mean.iter_mut().zip(row).for_each(|(m, x)| *m += x / rows.len() as f32);
    }
    mean
}

/// Subtracts what all sentences have in common, then to length 1.
pub fn centre(row: &mut [f32], mean: &[f32]) {
    row.iter_mut().zip(mean).for_each(|(x, m)| *x -= m);
    let length = dot(row, row).max(1e-12).sqrt();
    row.iter_mut().for_each(|x| *x /= length);
}

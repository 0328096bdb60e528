//! From examples to a calibrated head.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::Path;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::head::{Examples, Head, softmax};
use super::{Embedder, Progress};
use crate::answers::e5::{E5, dot};

/// Part of the cache's key: raise it when training changes.
const VERSION: u32 = 1;
/// Inverse strength of the penalty, per example (scikit-learn's C).
const C: f32 = 30.0;
/// What all of "none" counts, in examples of an ordinary intent.
const NONE_WEIGHT: f32 = 4.0;
/// A background sentence this like an example (cosine about the background's mean) is left out.
const TOO_LIKE: f32 = 0.6;
const FOLDS: usize = 5;
/// How many examples it takes for their threshold to count as much as the usual one.
const PRIOR: f32 = 50.0;
const USUAL_THRESHOLD: f32 = 0.5;

/// What was learned.
#[derive(Serialize, Deserialize)]
pub struct Trained {
    names: Vec<String>,
    /// Subtracted from every embedding: what all sentences have in common.
    mean: Vec<f32>,
    /// One class a name, and "none" last.
    head: Head,
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

fn background() -> Vec<&'static str> {
    include_str!("background.txt").lines().filter(|line| !line.starts_with('#')).collect()
}

pub fn train(
    embedder: &Embedder,
    intents: &BTreeMap<String, Vec<String>>,
    progress: &(dyn Fn(Progress) + Sync),
) -> Trained {
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let examples: Vec<(usize, &str)> = intents
        .values()
        .enumerate()
        .flat_map(|(class, texts)| texts.iter().map(move |text| (class, text.as_str())))
        .collect();
    let texts: Vec<&str> = examples.iter().map(|(_, text)| *text).collect();
    let of = texts.len();
    let model = embedder.model();
    let mut examples_rows = model.embed_all(&texts, threads, &|done| progress(Progress::Embedding { done, of }));
    let mut background_rows =
        embedder.background.get_or_init(|| model.embed_all(&background(), threads, &|_| {})).clone();
    let mean = mean(&background_rows);
    examples_rows.iter_mut().chain(&mut background_rows).for_each(|row| centre(row, &mean));

    let none = intents.len();
    let mut set: Vec<(usize, &[f32])> =
        examples.iter().zip(&examples_rows).map(|((class, _), row)| (*class, row.as_slice())).collect();
    let unlike = |row: &&Vec<f32>| examples_rows.iter().all(|example| dot(example, row) < TOO_LIKE);
    set.extend(background_rows.iter().filter(unlike).map(|row| (none, row.as_slice())));
    let names = intents.keys().cloned().collect();
    learn(names, mean, &set, threads, &|done| progress(Progress::Training { done, of: FOLDS + 1 }))
}

/// `set`: class and centred row; the last class is "none".
pub fn learn(
    names: Vec<String>,
    mean: Vec<f32>,
    set: &[(usize, &[f32])],
    threads: usize,
    done: &dyn Fn(usize),
) -> Trained {
    let classes = names.len() + 1;
    let folds = fold(set, classes);
    let mut held_out: Vec<(usize, Vec<f32>)> = Vec::with_capacity(set.len());
    for out in 0..FOLDS {
        let learn: Vec<_> = set.iter().zip(&folds).filter(|(_, fold)| **fold != out).map(|(one, _)| *one).collect();
        let head = fit(&learn, classes, threads);
        let test = set.iter().zip(&folds).filter(|(_, fold)| **fold == out);
        held_out.extend(test.map(|((class, row), _)| (*class, head.logits(row))));
        done(out + 1);
    }
    let temperature = temperature(&held_out);
    let threshold = threshold(&held_out, classes - 1, temperature);
    let head = fit(set, classes, threads);
    done(FOLDS + 1);
    Trained { names, mean, head, temperature, threshold }
}

impl Trained {
    /// Intents and how likely each is; what is missing to 1 is "none of these".
    pub fn scores(&self, embedding: &[f32]) -> impl Iterator<Item = (&str, f32)> {
        let mut row = embedding.to_vec();
        centre(&mut row, &self.mean);
        let mut p = self.head.logits(&row);
        softmax(&mut p, self.temperature);
        self.names.iter().map(String::as_str).zip(p)
    }

    /// From the cache; a file that is missing or unreadable is learned anew.
    pub fn read(path: &Path) -> Option<Self> {
        serde_json::from_slice(&std::fs::read(path).ok()?).ok()
    }

    /// Into the cache, whole or not at all.
    pub fn write(&self, path: &Path) -> std::io::Result<()> {
        let folder = path.parent().unwrap_or(Path::new("."));
        std::fs::create_dir_all(folder)?;
        let part = path.with_extension(format!("{}.part", std::process::id()));
        let mut file = std::fs::File::create(&part)?;
        serde_json::to_writer(&mut file, self)?;
        file.flush()?;
        std::fs::rename(part, path)
    }
}

fn fit(set: &[(usize, &[f32])], classes: usize, threads: usize) -> Head {
    let none = classes - 1;
    let background = set.iter().filter(|(class, _)| *class == none).count().max(1) as f32;
    let per_intent = (set.len() as f32 - background).max(1.0) / none.max(1) as f32;
    let none_weight = NONE_WEIGHT * per_intent / background;
    let examples = Examples {
        rows: set.iter().map(|(_, row)| *row).collect(),
        classes: set.iter().map(|(class, _)| *class).collect(),
        weights: set.iter().map(|(class, _)| if *class == none { none_weight } else { 1.0 }).collect(),
    };
    let total: f32 = examples.weights.iter().sum();
    Head::train(&examples, classes, 1.0 / (C * total), threads)
}

/// Deals each class's rows over the folds in turn.
fn fold(set: &[(usize, &[f32])], classes: usize) -> Vec<usize> {
    let mut next: Vec<usize> = (0..classes).collect();
    set.iter()
        .map(|(class, _)| {
            next[*class] += 1;
            next[*class] % FOLDS
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

/// The score that best parts right answers from wrong ones and from "none", held out; near the usual one while the
/// examples are few.
fn threshold(held_out: &[(usize, Vec<f32>)], none: usize, temperature: f32) -> f32 {
    let scored: Vec<(bool, bool, f32)> = held_out
        .iter()
        .map(|(class, logits)| {
            let mut p = logits.clone();
            softmax(&mut p, temperature);
            let best = (0..none).max_by(|&a, &b| p[a].total_cmp(&p[b])).unwrap_or(0);
            (*class == none, *class == best, p[best])
        })
        .collect();
    let inside = scored.iter().filter(|(none, ..)| !none).count() as f32;
    let outside = scored.len() as f32 - inside;
    let worth = |threshold: f32| {
        let right = scored.iter().filter(|(none, right, score)| !none && *right && *score >= threshold).count() as f32;
        let refused = scored.iter().filter(|(none, _, score)| *none && *score < threshold).count() as f32;
        2.0 * right / inside.max(1.0) + refused / outside.max(1.0)
    };
    let grid = (4..=16).map(|i| i as f32 / 20.0);
    // Of equals, the one nearest the usual.
    let best = grid
        .map(|t| (t, worth(t) - 0.01 * (t - USUAL_THRESHOLD).abs()))
        .max_by(|a, b| a.1.total_cmp(&b.1))
        .map_or(USUAL_THRESHOLD, |(t, _)| t);
    (best * inside + USUAL_THRESHOLD * PRIOR) / (inside + PRIOR)
}

fn mean(rows: &[Vec<f32>]) -> Vec<f32> {
    let mut mean = vec![0.0; rows.first().map_or(0, Vec::len)];
    for row in rows {
        mean.iter_mut().zip(row).for_each(|(m, x)| *m += x / rows.len() as f32);
    }
    mean
}

/// Subtracts what all sentences have in common, then to length 1.
fn centre(row: &mut [f32], mean: &[f32]) {
    row.iter_mut().zip(mean).for_each(|(x, m)| *x -= m);
    let length = dot(row, row).max(1e-12).sqrt();
    row.iter_mut().for_each(|x| *x /= length);
}

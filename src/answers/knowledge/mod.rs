//! Free questions answered from the operators' own pages: passages found by meaning (sentence embeddings) and by keywords
//! (BM25) together, and how likely the best one is the answer. What is said are the operators' words; nothing is made up.

mod keywords;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::e5::dot;
use super::intents::{Embedder, Progress};
use crate::dialog::passages::Passage;
use keywords::Keywords;

/// Part of the cache's key: raise it when what is kept changes.
const VERSION: u32 = 1;
/// What a passage's keywords count beside its meaning when passages are put in order.
const KEYWORDS: f32 = 0.3;
/// How likely the first passage is the answer: logistic in its likeness (cosine about the background's mean), how far it
/// leads, and the share of the question's keywords in it. Fitted on Banking77 (PolyAI, CC BY 4.0): bases of 40 subjects
/// with three questions each, asked 15 others about each, 300 about the 37 subjects left out and 300 about anything.
const LIKENESS: f32 = 6.85;
const LEAD: f32 = 9.64;
const SHARED: f32 = 2.47;
const BIAS: f32 = -6.34;
/// An answer less likely right than this is not given.
const THRESHOLD: f32 = 0.5;
/// Answers suggested to an agent.
const SUGGESTED: usize = 3;

/// One base, ready to be asked. Cloning is cheap.
#[derive(Clone)]
pub struct Knowledge {
    embedder: Embedder,
    index: Arc<Index>,
}

struct Index {
    passages: Vec<Passage>,
    rows: Rows,
    keywords: Keywords,
}

/// What is kept on disk: embeddings of each passage's questions and its answer.
#[derive(Serialize, Deserialize)]
struct Rows {
    mean: Vec<f32>,
    of: Vec<Vec<Vec<f32>>>,
}

/// A passage that may answer a question.
#[derive(Clone, Debug, PartialEq)]
pub struct Found<'k> {
    pub passage: &'k Passage,
    /// How likely it is the answer, 0..=1.
    pub score: f32,
}

#[derive(Debug, thiserror::Error)]
#[error("cannot keep what was learned in {path}")]
pub struct Error {
    path: PathBuf,
    source: std::io::Error,
}

impl Knowledge {
    /// Embeds the passages, or finds in `cache` that they were before.
    pub fn load(
        embedder: &Embedder,
        passages: Vec<Passage>,
        cache: &Path,
        progress: &(dyn Fn(Progress) + Sync),
    ) -> Result<Self, Error> {
        let path = cache.join(format!("{}.json", fingerprint(embedder, &passages)));
        let rows = match Rows::read(&path, passages.len()) {
            Some(rows) => rows,
            None => {
                let rows = Rows::make(embedder, &passages, progress);
                super::write_whole(&path, &rows).map_err(|source| Error { path, source })?;
                rows
            }
        };
        let keywords = Keywords::of(passages.iter().map(|passage| {
            passage.questions.iter().map(String::as_str).chain([passage.answer.as_str()]).collect::<Vec<_>>().join(" ")
        }));
        Ok(Self { embedder: embedder.clone(), index: Arc::new(Index { passages, rows, keywords }) })
    }

    /// The answer to a question, if there is one that is likely enough right.
    pub fn answer(&self, question: &str) -> Option<Found<'_>> {
        self.answer_of(question, &self.embedder.model().embed(question))
    }

    /// The same of a question that was embedded already.
    pub fn answer_of(&self, question: &str, embedding: &[f32]) -> Option<Found<'_>> {
        self.search(question, embedding, 1).into_iter().find(|found| found.score >= THRESHOLD)
    }

    /// What an agent might say to this, best first; at most three, however unlikely.
    pub fn suggest(&self, words: &str) -> Vec<Found<'_>> {
        self.search(words, &self.embedder.model().embed(words), SUGGESTED)
    }

    fn search(&self, question: &str, embedding: &[f32], most: usize) -> Vec<Found<'_>> {
        let Index { passages, rows, keywords } = &*self.index;
        let mut row = embedding.to_vec();
        super::intents::centre(&mut row, &rows.mean);
        let shared = keywords.shares(question);
        let mut found: Vec<(usize, f32, f32)> = rows
            .of
            .iter()
            .zip(&shared)
            .enumerate()
            .map(|(at, (own, &shared))| {
                let likeness = own.iter().map(|own| dot(own, &row)).fold(-1.0, f32::max);
                (at, likeness, shared)
            })
            .collect();
        let worth = |(_, likeness, shared): &(usize, f32, f32)| likeness + KEYWORDS * shared;
        found.sort_by(|a, b| worth(b).total_cmp(&worth(a)));
        let leads: Vec<f32> = found
            .iter()
            .enumerate()
            .map(|(at, one)| worth(one) - found.get(if at == 0 { 1 } else { 0 }).map_or(0.0, worth))
            .collect();
        let scored = found.iter().zip(leads).take(most).map(|((at, likeness, shared), lead)| {
            let odds = BIAS + LIKENESS * likeness + LEAD * lead + SHARED * shared;
            Found { passage: &passages[*at], score: 1.0 / (1.0 + (-odds).exp()) }
        });
        scored.collect()
    }
}

impl Rows {
    fn make(embedder: &Embedder, passages: &[Passage], progress: &(dyn Fn(Progress) + Sync)) -> Self {
        let threads = super::intents::threads();
        let texts: Vec<&str> = passages.iter().flat_map(texts).collect();
        let of = texts.len();
        let mut rows = embedder.model().embed_all(&texts, threads, &|done| progress(Progress::Embedding { done, of }));
        let mean = super::intents::mean(embedder.background(threads));
        rows.iter_mut().for_each(|row| super::intents::centre(row, &mean));
        let mut rows = rows.into_iter();
        let of = passages.iter().map(|passage| rows.by_ref().take(texts_of(passage)).collect()).collect();
        Self { mean, of }
    }

    fn read(path: &Path, passages: usize) -> Option<Self> {
        let rows: Self = serde_json::from_slice(&std::fs::read(path).ok()?).ok()?;
        let width = rows.mean.len();
        let whole = rows.of.len() == passages && rows.of.iter().flatten().all(|row| row.len() == width);
        whole.then_some(rows)
    }
}

fn texts(passage: &Passage) -> impl Iterator<Item = &str> {
    passage.questions.iter().map(String::as_str).chain([passage.answer.as_str()])
}

fn texts_of(passage: &Passage) -> usize {
    passage.questions.len() + 1
}

fn fingerprint(embedder: &Embedder, passages: &[Passage]) -> String {
    let mut hash = Sha256::new();
    hash.update(VERSION.to_le_bytes());
    hash.update(embedder.model().fingerprint());
    for passage in passages {
        for text in texts(passage) {
            hash.update((text.len() as u64).to_le_bytes());
            hash.update(text);
        }
        hash.update(u64::MAX.to_le_bytes());
    }
    hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

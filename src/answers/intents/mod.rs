//! What a sentence means: intents learned from operators' examples, in any language the embeddings know.
//!
//! At load, a linear head is trained on the examples' embeddings, whitened within the intents, with a class "none of
//! these" learned from everyday sentences (`background.txt`) and made likelier by the distance to every intent;
//! cross-validation over the examples calibrates the probabilities, so that one threshold serves every flow. The result
//! is cached on disk by the hash of all that went into it.

mod head;
mod training;
mod whitening;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};
use std::time::Instant;

use tokio::sync::Semaphore;

use super::e5::E5;
use crate::call::{IntentScore, Understanding};
use crate::telemetry::names;
use training::Trained;
pub(super) use training::{centre, mean, threads};

/// Sentences that may wait for a worker; more are refused: the call then goes by words and keys.
const WAITING: usize = 32;
/// Intents named in an answer.
const NAMED: usize = 5;

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("intent {0:?} has no examples")]
    NoExamples(String),
    #[error("cannot keep what was learned in {path}")]
    Cache { path: PathBuf, source: std::io::Error },
}

/// How far loading is: sentences embedded, then rounds of training done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    Embedding { done: usize, of: usize },
    Training { done: usize, of: usize },
}

/// The model and the workers that all flows share.
#[derive(Clone)]
pub struct Embedder {
    model: Arc<E5>,
    places: Arc<Semaphore>,
    workers: Arc<Semaphore>,
    /// Of the everyday sentences; made when first learning.
    background: Arc<OnceLock<Vec<Vec<f32>>>>,
}

impl Embedder {
    /// At most `workers` sentences at once; a few more wait.
    pub fn new(model: E5, workers: usize) -> Self {
        let workers = workers.max(1);
        let places = Arc::new(Semaphore::new(workers + WAITING));
        Self { model: Arc::new(model), places, workers: Arc::new(Semaphore::new(workers)), background: Arc::default() }
    }

    pub fn model(&self) -> &E5 {
        &self.model
    }

    /// Of the everyday sentences, embedded when first asked for.
    pub(super) fn background(&self, threads: usize) -> &[Vec<f32>] {
        self.background.get_or_init(|| self.model.embed_all(&training::background(), threads, &|_| {}))
    }

    /// What sentences mean, as rows of length 1 about the mean of everyday sentences: the product of two is how like they
    /// are. Some 20 ms of CPU a sentence, and five seconds before the first.
    pub fn centred(&self, texts: &[&str]) -> Vec<Vec<f32>> {
        let threads = threads();
        let mean = mean(self.background(threads));
        let mut rows = self.model.embed_all(texts, threads, &|_| {});
        rows.iter_mut().for_each(|row| centre(row, &mean));
        rows
    }

    /// Does it on a worker. Nothing comes of it when too many sentences wait, or when it breaks off.
    pub(super) async fn at_work<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Option<T> {
        let began = Instant::now();
        let Ok(_place) = self.places.try_acquire() else {
            metrics::counter!(names::UNDERSTANDING_REFUSED).increment(1);
            return None;
        };
        // The semaphores are never closed.
        let Ok(_worker) = self.workers.acquire().await else { return None };
        let done = tokio::task::spawn_blocking(work).await;
        metrics::histogram!(names::UNDERSTANDING_SECONDS).record(began.elapsed().as_secs_f64());
        done.inspect_err(|error| tracing::error!(%error, "a sentence could not be understood")).ok()
    }
}

/// One flow's intents, learned. Cloning is cheap.
#[derive(Clone)]
pub struct Understander {
    embedder: Embedder,
    trained: Arc<Trained>,
}

impl Understander {
    /// Learns `intents` (name -> examples), or finds in `cache` that they were learned before. Takes a second for a
    /// flow of a few dozen examples and minutes for thousands: call it off the async threads.
    pub fn load(
        embedder: &Embedder,
        intents: &BTreeMap<String, Vec<String>>,
        cache: &Path,
        progress: &(dyn Fn(Progress) + Sync),
    ) -> Result<Self, Error> {
        if let Some((name, _)) = intents.iter().find(|(_, examples)| examples.is_empty()) {
            return Err(Error::NoExamples(name.clone()));
        }
        let path = cache.join(format!("{}.json", training::fingerprint(embedder.model(), intents)));
        let trained = match Trained::read(&path) {
            Some(trained) => trained,
            None => {
                let trained = training::train(embedder, intents, progress);
                super::write_whole(&path, &trained).map_err(|source| Error::Cache { path, source })?;
                trained
            }
        };
        Ok(Self { embedder: embedder.clone(), trained: Arc::new(trained) })
    }

    /// What `text` may mean, of `allowed` (all intents when empty), on a worker. Empty when too many sentences wait.
    pub async fn understand(&self, text: &str, allowed: &[String]) -> Understanding {
        let (this, text, allowed) = (self.clone(), text.to_owned(), allowed.to_vec());
        self.embedder.at_work(move || this.understand_now(&text, &allowed)).await.unwrap_or_default()
    }

    /// The same at once, on this thread: some 20 ms of CPU.
    pub fn understand_now(&self, text: &str, allowed: &[String]) -> Understanding {
        self.understand_embedded(&self.embedder.model.embed(text), allowed)
    }

    /// The same of a sentence that was embedded already.
    pub(super) fn understand_embedded(&self, embedding: &[f32], allowed: &[String]) -> Understanding {
        let mut intents: Vec<IntentScore> = self
            .trained
            .scores(embedding)
            .filter(|(intent, _)| allowed.is_empty() || allowed.iter().any(|name| name == intent))
            .map(|(intent, score)| IntentScore { intent: intent.to_owned(), score })
            .collect();
        intents.sort_by(|a, b| b.score.total_cmp(&a.score));
        intents.truncate(NAMED);
        Understanding { intents, threshold: self.trained.threshold, answer: None }
    }
}

//! Everything one flow makes of a sentence: its intents, and what its knowledge base answers.

use super::Adviser;
use super::intents::{Embedder, Understander};
use super::knowledge::{Found, Knowledge};
use crate::call::{Answer, Understanding};

/// A flow that knows neither intents nor answers makes nothing of any sentence. Cloning is cheap.
#[derive(Clone, Default)]
pub struct Meaning {
    embedder: Option<Embedder>,
    intents: Option<Understander>,
    knowledge: Option<Knowledge>,
    adviser: Option<Adviser>,
}

impl Meaning {
    pub fn new(embedder: Embedder, intents: Option<Understander>, knowledge: Option<Knowledge>) -> Self {
        Self { embedder: Some(embedder), intents, knowledge, adviser: None }
    }

    /// A language model may answer what no passage answers surely.
    pub fn advised(self, adviser: Adviser) -> Self {
        Self { adviser: Some(adviser), ..self }
    }

    /// The flow's knowledge base.
    pub fn knowledge(&self) -> Option<&Knowledge> {
        self.knowledge.as_ref()
    }

    /// What `text` may mean, of the intents `allowed` (all when empty), on a worker. Nothing when too many sentences wait.
    pub async fn of(&self, text: &str, allowed: &[String]) -> Understanding {
        let Some(embedder) = &self.embedder else { return Understanding::default() };
        let (this, words, allowed) = (self.clone(), text.to_owned(), allowed.to_vec());
        let understood = embedder.at_work(move || this.now(&words, &allowed)).await.unwrap_or_default();
        let known = understood.intents.first().is_some_and(|best| best.score >= understood.threshold);
        let Some(adviser) = self.adviser.as_ref().filter(|_| !known && understood.answer.is_none()) else {
            return understood;
        };
        let near = self.suggest(text).await;
        Understanding { answer: adviser.answer(text, &near).await.ok(), ..understood }
    }

    /// What an agent might say to this, best first, on a worker. Nothing without a knowledge base, or when too many sentences
    /// wait.
    pub async fn suggest(&self, words: &str) -> Vec<Answer> {
        let (Some(embedder), Some(knowledge)) = (&self.embedder, &self.knowledge) else { return Vec::new() };
        let (knowledge, words) = (knowledge.clone(), words.to_owned());
        let found = embedder.at_work(move || {
            let found = knowledge.suggest(&words).into_iter();
            found.map(answer).collect()
        });
        found.await.unwrap_or_default()
    }

    /// What it means, at once, on this thread: some 20 ms of CPU.
    pub fn now(&self, text: &str, allowed: &[String]) -> Understanding {
        let Some(embedder) = &self.embedder else { return Understanding::default() };
        let embedding = embedder.model().embed(text);
        let intents = self.intents.as_ref().map(|intents| intents.understand_embedded(&embedding, allowed));
        let found = self.knowledge.as_ref().and_then(|knowledge| knowledge.answer_of(text, &embedding));
        Understanding { answer: found.map(answer), ..intents.unwrap_or_default() }
    }
}

fn answer(found: Found<'_>) -> Answer {
    Answer { source: found.passage.source.clone(), text: found.passage.answer.clone(), score: found.score }
}

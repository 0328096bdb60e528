//! An OpenAI-compatible language model may put a summary into smoother words. It never delays a call: the summary is
//! complete without it, `rewrite` gives a task whose result is used only if it comes in time and says nothing that
//! the facts do not say.

use std::sync::Arc;

use tokio::sync::Semaphore;

use super::{Kept, Llm, faithful};
use crate::call::Summary;
use crate::telemetry::names;

/// Summaries at the model at once; more are refused, not queued.
const AT_ONCE: usize = 4;
/// Characters that an agent reads in a moment.
const LONGEST: usize = 600;

#[derive(Clone)]
pub struct Rewriter {
    llm: Llm,
    places: Arc<Semaphore>,
}

impl Rewriter {
    pub fn new(llm: Llm) -> Self {
        Self { llm, places: Arc::new(Semaphore::new(AT_ONCE)) }
    }

    /// The summary in the model's words, within the time limit: to be spawned beside the call.
    pub fn rewrite(&self, summary: &Summary) -> impl Future<Output = Result<String, Kept>> + Send + 'static {
        let (this, summary) = (self.clone(), summary.clone());
        async move {
            let result = this.ask(&summary).await;
            metrics::counter!(names::REWRITES, "result" => super::label(&result)).increment(1);
            result
        }
    }

    async fn ask(&self, summary: &Summary) -> Result<String, Kept> {
        let _place = self.places.try_acquire().map_err(|_| Kept::Busy)?;
        let language = if summary.language.starts_with("zh") { "Mandarin Chinese" } else { "the facts' own language" };
        let task = format!(
            "You brief a call-centre agent. Put the facts into two or three short sentences in {language}. Add nothing: no \
             name, number, date or promise that is not in the facts. Answer with the sentences alone."
        );
        let listed: Vec<String> =
            summary.facts.iter().map(|fact| format!("- {:?}: {}", fact.kind, fact.text)).collect();
        let words = self.llm.ask(&task, &listed.join("\n"), self.llm.timeout()).await?;
        let facts = summary.facts.iter().map(|fact| fact.text.as_str()).collect::<Vec<_>>().join("\n");
        if faithful(&words, &facts, LONGEST) { Ok(words) } else { Err(Kept::Unfaithful) }
    }
}

//! An OpenAI-compatible language model, if the operator has one: it may put a summary into better words (`rewriter`), and answer
//! a caller's question out of the operator's own pages (`adviser`). Nothing needs it, and nothing that it says is used unless
//! it came in time and holds no number and no name that its sources lack (`faithful`).
//!
//! One POST with two fields read from the answer: plain reqwest is less than a client library's types.

mod adviser;
mod faithful;
mod rewriter;

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};

use super::{Error, body};
pub use adviser::Adviser;
pub use faithful::faithful;
pub use rewriter::Rewriter;

/// A reply larger than this is none.
const LARGEST: usize = 1024 * 1024;

#[derive(Clone)]
pub struct LlmSettings {
    /// Up to the version: `http://127.0.0.1:8000/v1`.
    pub url: String,
    pub model: String,
    /// Sent as a bearer token.
    pub key: Option<String>,
    /// Over all.
    pub timeout: Duration,
}

/// Why what the model says is not used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kept {
    /// It is asked as much as it may be.
    Busy,
    Late,
    /// No connection, an error status, or an answer of another form.
    Failed,
    /// The words say more than their sources, or are none.
    Unfaithful,
}

/// The model, to be asked. Cloning is cheap.
#[derive(Clone)]
pub struct Llm {
    client: reqwest::Client,
    settings: Arc<LlmSettings>,
}

impl Llm {
    pub fn new(settings: LlmSettings) -> Result<Self, Error> {
        let client = reqwest::Client::builder()
            .timeout(settings.timeout)
            .redirect(reqwest::redirect::Policy::none()) // it would carry what callers said to where nobody configured
            .build()
            .map_err(Error::Client)?;
        Ok(Self { client, settings: Arc::new(settings) })
    }

    fn timeout(&self) -> Duration {
        self.settings.timeout
    }

    /// The model's words, trimmed. It is offered no tool.
    async fn ask(&self, task: &str, given: &str, within: Duration) -> Result<String, Kept> {
        let settings = &self.settings;
        let url = format!("{}/chat/completions", settings.url.trim_end_matches('/'));
        let mut request = self.client.post(url).json(&json!({
            "model": settings.model,
            "temperature": 0,
            "max_tokens": 200,
            "messages": [{ "role": "system", "content": task }, { "role": "user", "content": given }],
        }));
        if let Some(key) = &settings.key {
            request = request.bearer_auth(key);
        }
        let failed = |error: reqwest::Error| if error.is_timeout() { Kept::Late } else { Kept::Failed };
        let answer = tokio::time::timeout(within, async {
            let response = request.send().await.map_err(failed)?.error_for_status().map_err(failed)?;
            let body = body(response, LARGEST).await.map_err(failed)?.ok_or(Kept::Failed)?;
            serde_json::from_slice::<Value>(&body).map_err(|_| Kept::Failed)
        });
        let answer = answer.await.map_err(|_| Kept::Late)??;
        let words = answer.pointer("/choices/0/message/content").and_then(Value::as_str).ok_or(Kept::Failed)?;
        Ok(words.trim().to_owned())
    }
}

/// How a metric names what became of it.
fn label<T>(result: &Result<T, Kept>) -> &'static str {
    match result {
        Ok(_) => "used",
        Err(Kept::Late) => "late",
        Err(Kept::Unfaithful) => "refused",
        Err(Kept::Busy | Kept::Failed) => "failed",
    }
}

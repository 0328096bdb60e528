//! What a call asks of the outside: operators' HTTP backends, the meaning of a sentence, an answer from the operators'
//! own pages, a language model that may word either. Results return to the call as events; nothing here decides.

mod backends;
pub mod e5;
mod intents;
mod knowledge;
mod llm;
mod meaning;

use std::io::Write;
use std::path::Path;

pub use backends::{BackendSettings, Backends, Method};
pub use intents::{Embedder, Error as IntentError, Progress, Understander};
pub use knowledge::{Error as KnowledgeError, Found, Knowledge};
pub use llm::{Adviser, Kept, Llm, LlmSettings, Rewriter};
pub use meaning::Meaning;

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("backend {backend:?}: {why}")]
    Backend { backend: String, why: String },
    #[error("the HTTP client cannot be made")]
    Client(#[source] reqwest::Error),
}

/// What an HTTP reply carries; none if that is more than `largest` bytes. Takes no more memory than these.
async fn body(mut response: reqwest::Response, largest: usize) -> reqwest::Result<Option<Vec<u8>>> {
    let announced = response.content_length().unwrap_or(0);
    if announced > largest as u64 {
        return Ok(None);
    }
    let mut body = Vec::with_capacity(announced as usize);
    while let Some(chunk) = response.chunk().await? {
        if body.len() + chunk.len() > largest {
            return Ok(None);
        }
        body.extend_from_slice(&chunk);
    }
    Ok(Some(body))
}

/// Writes JSON into a cache, whole or not at all.
fn write_whole(path: &Path, what: &impl serde::Serialize) -> std::io::Result<()> {
    std::fs::create_dir_all(path.parent().unwrap_or(Path::new(".")))?;
    let part = path.with_extension(format!("{}.part", std::process::id()));
    let mut file = std::io::BufWriter::new(std::fs::File::create(&part)?);
    serde_json::to_writer(&mut file, what)?;
    file.flush()?;
    std::fs::rename(part, path)
}

//! What a call asks of the outside: operators' HTTP backends, the meaning of a sentence, a language model that may
//! put a summary into better words. Results return to the call as events; nothing here decides.

mod backends;
pub mod e5;
mod intents;
mod rewriter;

pub use backends::{BackendSettings, Backends, Method};
pub use intents::{Embedder, Error as IntentError, Progress, Understander};
pub use rewriter::{Kept, Rewriter, RewriterSettings};

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("backend {backend:?}: {why}")]
    Backend { backend: String, why: String },
    #[error("the HTTP client cannot be made")]
    Client(#[source] reqwest::Error),
}

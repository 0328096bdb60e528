//! How the caller sounds: from 8 kHz speech to class probabilities, distress, arousal and valence.
//!
//! `Extractor` turns samples into `Features` (statistics of the voice over what was said), `Model` turns those into
//! a `call::Reading`, with the caller's own calm voice (`Baseline`) beside them where there is one. Training uses
//! exactly this code: `fit` makes a `Model` from labelled `Features`. In a call, `live` says which sound is the caller's and
//! when a reading is due; `trend`, `words` and `policy` are plain values that decide what distress leads to.

mod class;
pub mod clips;
pub mod degrade;
mod descriptors;
mod encoder;
pub mod eval;
mod features;
mod fit;
mod floor;
mod functionals;
mod kernel;
pub mod labels;
pub mod live;
pub mod metrics;
mod model;
mod music;
pub mod policy;
pub mod report;
pub mod train;
pub mod trend;
pub mod words;

pub use class::Class;
pub use encoder::{Encoder, Timbre};
pub use features::{Extractor, FEATURES, FIGURES, Features, Figures, HOP, Heard, RATE, names};
pub use fit::{Example, Progress, Settings, fit};
pub use model::{Baseline, Card, Model};

/// What can go wrong with emotion models and their training.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("{path}: {source}", path = .path.display())]
    Io { path: std::path::PathBuf, source: std::io::Error },
    #[error("{origin} is not an emotion model this version reads: {problem}")]
    Format { origin: String, problem: String },
    #[error("the recordings do not suffice to train on: {0}")]
    TooLittle(String),
}

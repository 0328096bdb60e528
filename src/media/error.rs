//! What can go wrong with sound.

use std::path::PathBuf;

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("cannot convert {from} Hz to {to} Hz in frames of 20 ms; a rate must be a multiple of 50 up to 384 000")]
    Rate { from: u32, to: u32 },
    #[error("cannot open {path}: {source}")]
    Open { path: PathBuf, source: std::io::Error },
    #[error("{path} is no sound file that frontdesk reads (wav, flac, mp3, ogg vorbis): {why}")]
    Format { path: PathBuf, why: String },
    #[error("{path} holds no sound")]
    Empty { path: PathBuf },
    #[error("{path} has {channels} channel(s), so none numbered {wanted} (from 0)")]
    Channel { path: PathBuf, channels: usize, wanted: usize },
    #[error("cannot write the recording {path}: {source}")]
    Recording { path: PathBuf, source: std::io::Error },
    #[error("{path} cannot be repaired: {why}")]
    Repair { path: PathBuf, why: String },
}

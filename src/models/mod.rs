//! Model files: manifest, fetching, verifying, importing.

use std::path::PathBuf;

pub mod import;

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("model file {0} is missing: run `frontdesk models fetch`")]
    Missing(PathBuf),
}

/// Where model files live: `$FRONTDESK_MODELS`, else `~/.cache/frontdesk/models`.
pub fn dir() -> PathBuf {
    std::env::var_os("FRONTDESK_MODELS").map_or_else(
        || PathBuf::from(std::env::var_os("HOME").unwrap_or_default()).join(".cache/frontdesk/models"),
        PathBuf::from,
    )
}

/// Path of an installed model file.
pub fn file(name: &str) -> Result<PathBuf, Error> {
    let path = dir().join(name);
    if path.exists() { Ok(path) } else { Err(Error::Missing(path)) }
}

//! Model files: manifest, fetching, verifying, importing.

use std::path::PathBuf;

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("the model file {0} is missing; run `frontdesk models fetch`")]
    Missing(PathBuf),
}

/// `$FRONTDESK_MODELS`, else `~/.cache/frontdesk/models`.
pub fn dir() -> PathBuf {
    let folder = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    folder("FRONTDESK_MODELS").unwrap_or_else(|| folder("HOME").unwrap_or_default().join(".cache/frontdesk/models"))
}

/// The path of a model file that is there.
pub fn file(name: &str) -> Result<PathBuf, Error> {
    let path = dir().join(name);
    if path.is_file() { Ok(path) } else { Err(Error::Missing(path)) }
}

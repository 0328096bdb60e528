//! Model files: where they are.

pub mod import;

use std::path::PathBuf;

/// Why a model file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("the model file {0} is missing: run `frontdesk models fetch`")]
    Missing(PathBuf),
}

/// Folder of the model files: `$FRONTDESK_MODELS`, else `~/.cache/frontdesk/models`.
pub fn dir() -> PathBuf {
    if let Some(dir) = std::env::var_os("FRONTDESK_MODELS") {
        return dir.into();
    }
    let home = std::env::var_os("HOME").map(PathBuf::from).unwrap_or_else(|| ".".into());
    home.join(".cache/frontdesk/models")
}

/// Path of a model file that is there.
pub fn file(name: &str) -> Result<PathBuf, Error> {
    let path = dir().join(name);
    if path.is_file() { Ok(path) } else { Err(Error::Missing(path)) }
}

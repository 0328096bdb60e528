//! Is a model file there, whole and the right one?

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::Path;

use sha2::{Digest, Sha256};

use super::{Error, FileSpec, at};

/// How a model file stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    Present,
    Missing,
    /// It has this many bytes instead of those in the manifest.
    Size(u64),
    /// Right size, wrong sha256. Only `verify` finds this.
    Content,
}

/// A look at the size alone: files are put in place only after their sha256 was checked.
pub fn state(dir: &Path, file: &FileSpec) -> Result<State, Error> {
    let path = dir.join(&file.path);
    match fs::metadata(&path) {
        Ok(meta) if meta.len() == file.size && meta.is_file() => Ok(State::Present),
        Ok(meta) => Ok(State::Size(meta.len())),
        Err(e) if matches!(e.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => Ok(State::Missing),
        Err(e) => Err(at(&path)(e)),
    }
}

/// Reads the whole file and compares its sha256 (about 1 s per GB).
pub fn verify(dir: &Path, file: &FileSpec) -> Result<State, Error> {
    Ok(match state(dir, file)? {
        State::Present if sha256(&dir.join(&file.path))? != file.sha256 => State::Content,
        state => state,
    })
}

/// The sha256 of a file in lower-case hex.
pub(super) fn sha256(path: &Path) -> Result<String, Error> {
    let mut file = File::open(path).map_err(at(path))?;
    let (mut hasher, mut buffer) = (Sha256::new(), vec![0; 1 << 20]);
    loop {
        match file.read(&mut buffer).map_err(at(path))? {
            0 => break,
            n => hasher.update(&buffer[..n]),
        }
    }
    Ok(hasher.finalize().iter().map(|byte| format!("{byte:02x}")).collect())
}

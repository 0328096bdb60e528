//! Model files: where they are, what they are, and how they get here.
//!
//! `models/manifest.toml` lists every file with purpose, licence, size, sha256 and ordered sources; it is
//! compiled in. Weights are never committed and never fetched behind the operator's back: a command does it
//! (`frontdesk models fetch`), and an engine that misses one says so.

mod archive;
mod fetch;
mod http;
pub mod import;
mod manifest;
mod registry;
mod verify;

use std::io;
use std::path::{Path, PathBuf};

pub use fetch::{Options, Step, fetch};
pub use manifest::{At, FileSpec, Import, Manifest, Model, Part, Set, Source};
pub use verify::{State, state, verify};

/// What can go wrong with model files.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("model {name} is not there ({path}); get it with: frontdesk models fetch {model}", path = .path.display())]
    Missing { name: String, model: String, path: PathBuf },
    #[error("model {name} is damaged: {path} has {found} bytes instead of {expected}; get it again with: frontdesk models fetch {model}", path = .path.display())]
    Damaged { name: String, model: String, path: PathBuf, found: u64, expected: u64 },
    #[error("no model is called {name}; frontdesk models list shows what there is")]
    Unknown { name: String },
    #[error("model manifest {origin}: {problem}")]
    Manifest { origin: String, problem: String },
    #[error("{path}: {source}", path = .path.display())]
    Io { path: PathBuf, source: io::Error },
    #[error("no room left in {path}: {needed} needs {size} bytes there", path = .path.display())]
    NoRoom { path: PathBuf, needed: String, size: u64 },
    #[error("no permission to write {path}; choose another folder with FRONTDESK_MODELS", path = .path.display())]
    NoPermission { path: PathBuf },
    #[error("not fetched: {}", .0.iter().map(Unfetched::to_string).collect::<Vec<_>>().join("\nnot fetched: "))]
    Unfetched(Vec<Unfetched>),
}

/// A model that no source gave, with what each source said.
#[derive(Debug)]
pub struct Unfetched {
    pub model: String,
    /// (source, reason), in the order tried.
    pub tried: Vec<(String, String)>,
}

impl std::fmt::Display for Unfetched {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.model)?;
        for (source, why) in &self.tried {
            write!(f, "\n  {source}: {why}")?;
        }
        Ok(())
    }
}

/// The folder of the model files: `$FRONTDESK_MODELS`, else `~/.cache/frontdesk/models`.
pub fn dir() -> PathBuf {
    match std::env::var_os("FRONTDESK_MODELS") {
        Some(dir) if !dir.is_empty() => PathBuf::from(dir),
        _ => std::env::home_dir().unwrap_or_else(|| PathBuf::from(".")).join(".cache/frontdesk/models"),
    }
}

/// The path of a model file (`silero-vad.onnx`, `tts-en-hibari/hibari.onnx`) or of a model's folder
/// (`tts-en-hibari`). Checks that it is there in full size; `verify` reads it all.
pub fn file(name: &str) -> Result<PathBuf, Error> {
    file_in(&dir(), Manifest::shipped(), name)
}

fn file_in(root: &Path, manifest: &Manifest, name: &str) -> Result<PathBuf, Error> {
    let mut wanted = manifest
        .models
        .iter()
        .flat_map(|model| model.files.iter().map(move |file| (model, file)))
        .filter(|(model, file)| file.path == name || model.name == name)
        .peekable();
    if wanted.peek().is_none() {
        return Err(Error::Unknown { name: name.to_owned() });
    }
    for (model, file) in wanted {
        let (name, model, path) = (file.path.clone(), model.name.clone(), root.join(&file.path));
        match state(root, file)? {
            State::Present => {}
            State::Missing => return Err(Error::Missing { name, model, path }),
            State::Size(found) => return Err(Error::Damaged { name, model, path, found, expected: file.size }),
            State::Content => unreachable!("`state` looks at the size alone"),
        }
    }
    Ok(root.join(name))
}

fn at(path: &Path) -> impl Fn(io::Error) -> Error {
    move |source| match source.kind() {
        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
            Error::NoPermission { path: path.to_owned() }
        }
        _ => Error::Io { path: path.to_owned(), source },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_error_for_a_missing_or_cut_model_names_the_remedy() {
        let manifest = Manifest::parse("test", SMALL).unwrap();
        let root = tempfile::tempdir().unwrap();
        let error = file_in(root.path(), &manifest, "voice").unwrap_err().to_string();
        assert!(error.contains("frontdesk models fetch voice"), "{error}");

        std::fs::create_dir(root.path().join("voice")).unwrap();
        std::fs::write(root.path().join("voice/a.bin"), "ab").unwrap();
        let error = file_in(root.path(), &manifest, "voice/a.bin").unwrap_err().to_string();
        assert!(error.contains("2 bytes instead of 3"), "{error}");

        std::fs::write(root.path().join("voice/a.bin"), "abc").unwrap();
        assert_eq!(file_in(root.path(), &manifest, "voice/a.bin").unwrap(), root.path().join("voice/a.bin"));
        assert_eq!(file_in(root.path(), &manifest, "voice").unwrap(), root.path().join("voice"));
        assert!(matches!(file_in(root.path(), &manifest, "vice"), Err(Error::Unknown { .. })));
    }

    const SMALL: &str = r#"
        [[model]]
        name = "voice"
        set = "default"
        purpose = "a test"
        licence = "MIT"
        [[model.file]]
        path = "voice/a.bin"
        size = 3
        sha256 = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        [[model.source]]
        [[model.source.part]]
        url = "http://127.0.0.1/a.bin"
    "#;
}

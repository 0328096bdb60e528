//! Recordings to measure with, from wherever a bench is told they lie.

use std::path::{Path, PathBuf};

/// The folders a bench was told, without cargo's own options.
pub fn folders() -> Vec<PathBuf> {
    std::env::args().skip(1).filter(|arg| !arg.starts_with("--")).map(Into::into).collect()
}

/// All recordings in these folders and below, in order.
pub fn gather<'a>(folders: impl IntoIterator<Item = &'a PathBuf>) -> Vec<PathBuf> {
    let mut files = Vec::new();
    folders.into_iter().for_each(|folder| add(folder, &mut files));
    files.sort();
    files
}

fn add(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        match path.extension().and_then(|ending| ending.to_str()) {
            _ if path.is_dir() => add(&path, files),
            Some("wav" | "flac" | "mp3" | "ogg") => files.push(path),
            _ => {}
        }
    }
}

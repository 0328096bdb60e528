//! Spoken sentences kept: in memory for those a flow says again and again, on disk so that the next start is
//! quick. Only `Voice::prepare` writes here, from the operator's own texts: what is said to one caller
//! (values, names) is never kept, neither in memory nor on disk.
//!
//! A file is a magic, rate, sample count, sha256 of the samples, samples (i16, little
//! endian), under the sha256 of voice, version, language and words. A file that does not check out is made anew.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use sha2::{Digest, Sha256};

use super::Chunk;

const MAGIC: &[u8; 8] = b"fdprmpt1";
/// Of how sentences are levelled and trimmed: after a change of that, what is kept is made anew.
const FORM: &str = "P.56, 10 ms before";
const HEADER: usize = 8 + 4 + 4 + 32;

/// A sentence's name in the cache.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Key([u8; 32]);

impl Key {
    /// `voice` names the voice and its version.
    pub fn new(voice: &str, language: &str, words: &str) -> Self {
        let mut hash = Sha256::new();
        for part in [FORM, voice, language, words] {
            hash.update((part.len() as u64).to_le_bytes());
            hash.update(part);
        }
        Self(hash.finalize().into())
    }

    fn file_name(&self) -> String {
        let hex: String = self.0.iter().map(|byte| format!("{byte:02x}")).collect();
        format!("{hex}.pcm")
    }
}

pub struct Cache {
    /// `None`: memory only.
    folder: Option<PathBuf>,
    /// Of all files together, bytes.
    limit: u64,
    memory: Mutex<Memory>,
}

#[derive(Default)]
struct Memory {
    chunks: HashMap<Key, Chunk>,
    samples: usize,
}

/// Samples kept in memory at most (128 MB); what goes beyond is read from disk when it is said.
const MEMORY_SAMPLES: usize = 64 << 20;

impl Cache {
    pub fn new(folder: Option<PathBuf>, limit: u64) -> Self {
        Self { folder, limit, memory: Mutex::default() }
    }

    /// What is at hand without touching the disk.
    pub fn at_hand(&self, key: &Key) -> Option<Chunk> {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner).chunks.get(key).cloned()
    }

    /// Takes a sentence from disk into memory, if it is there and whole.
    pub fn load(&self, key: &Key) -> Option<Chunk> {
        if let Some(chunk) = self.at_hand(key) {
            return Some(chunk);
        }
        let path = self.folder.as_ref()?.join(key.file_name());
        let bytes = std::fs::read(&path).ok()?;
        let Some(chunk) = decode(&bytes) else {
            tracing::warn!(path = %path.display(), "a cached prompt is damaged and is made anew");
            let _ = std::fs::remove_file(&path); // a file that stays is overwritten by `store`
            return None;
        };
        // Touched, so that what is in use is not the oldest.
        if let Ok(file) = std::fs::File::options().append(true).open(&path) {
            let _ = file.set_modified(SystemTime::now()); // only its place in the queue is lost
        }
        self.keep(*key, chunk.clone());
        Some(chunk)
    }

    /// Keeps a sentence. A disk that cannot be written costs time at the next start, nothing else.
    pub fn store(&self, key: Key, chunk: &Chunk) {
        self.keep(key, chunk.clone());
        let Some(folder) = &self.folder else { return };
        if let Err(error) = write(folder, &key.file_name(), &encode(chunk)) {
            tracing::warn!(%error, folder = %folder.display(), "a prompt could not be cached");
        }
    }

    /// Removes the oldest files above the limit.
    pub fn trim(&self) {
        let Some(folder) = &self.folder else { return };
        let mut files: Vec<(SystemTime, u64, PathBuf)> = std::fs::read_dir(folder)
            .into_iter()
            .flatten()
            .filter_map(|entry| {
                let entry = entry.ok()?;
                let about = entry.metadata().ok()?;
                let ours = entry.path().extension().is_some_and(|e| e == "pcm" || e == "part");
                ours.then_some((about.modified().ok()?, about.len(), entry.path()))
            })
            .collect();
        files.sort();
        let mut total: u64 = files.iter().map(|(_, len, _)| len).sum();
        for (_, len, path) in files {
            if total <= self.limit {
                break;
            }
            if std::fs::remove_file(path).is_ok() {
                total -= len;
            }
        }
    }

    fn keep(&self, key: Key, chunk: Chunk) {
        let mut memory = self.memory.lock().unwrap_or_else(PoisonError::into_inner);
        if memory.samples + chunk.samples.len() <= MEMORY_SAMPLES {
            memory.samples += chunk.samples.len();
            memory.chunks.insert(key, chunk);
        }
    }
}

/// Written beside and renamed: a reader sees the whole file or none.
fn write(folder: &Path, name: &str, bytes: &[u8]) -> std::io::Result<()> {
    std::fs::create_dir_all(folder)?;
    let part = folder.join(format!("{name}.{}.part", std::process::id()));
    std::fs::write(&part, bytes)?;
    std::fs::rename(&part, folder.join(name))
}

fn encode(chunk: &Chunk) -> Vec<u8> {
    let samples: Vec<u8> = chunk.samples.iter().flat_map(|sample| sample.to_le_bytes()).collect();
    let mut bytes = Vec::with_capacity(HEADER + samples.len());
    bytes.extend_from_slice(MAGIC);
    bytes.extend_from_slice(&chunk.rate.to_le_bytes());
    bytes.extend_from_slice(&(chunk.samples.len() as u32).to_le_bytes());
    bytes.extend_from_slice(&Sha256::digest(&samples));
    bytes.extend_from_slice(&samples);
    bytes
}

fn decode(bytes: &[u8]) -> Option<Chunk> {
    let (header, samples) = bytes.split_at_checked(HEADER)?;
    let number = |at: usize| Some(u32::from_le_bytes(header.get(at..at + 4)?.try_into().ok()?));
    let (rate, count) = (number(8)?, number(12)?);
    let whole = header.starts_with(MAGIC)
        && samples.len() == count as usize * 2
        && (8_000..=48_000).contains(&rate)
        && header[16..] == Sha256::digest(samples)[..];
    let samples: Arc<[i16]> = samples.chunks_exact(2).map(|pair| i16::from_le_bytes([pair[0], pair[1]])).collect();
    whole.then_some(Chunk { rate, samples })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chunk(n: i16) -> Chunk {
        Chunk { rate: 24_000, samples: (0..2_000).map(|s| s * n % 999).collect() }
    }

    fn cache(folder: &Path, limit: u64) -> Cache {
        Cache::new(Some(folder.into()), limit)
    }

    #[test]
    fn a_sentence_is_found_again_after_a_restart() {
        let folder = tempfile::tempdir().unwrap();
        let key = Key::new("v1", "en", "Good morning.");
        cache(folder.path(), 1 << 20).store(key, &chunk(3));
        let found = cache(folder.path(), 1 << 20).load(&key).unwrap();
        assert_eq!((found.rate, &found.samples), (24_000, &chunk(3).samples));
        assert!(cache(folder.path(), 1 << 20).load(&Key::new("v2", "en", "Good morning.")).is_none());
    }

    #[test]
    fn a_damaged_file_is_no_sentence() {
        let folder = tempfile::tempdir().unwrap();
        let key = Key::new("v1", "en", "Good morning.");
        let path = folder.path().join(key.file_name());
        cache(folder.path(), 1 << 20).store(key, &chunk(3));
        let whole = std::fs::read(&path).unwrap();
        let mut flipped = whole.clone();
        flipped[HEADER + 7] ^= 1;
        for damaged in [&whole[..whole.len() - 1], &whole[..20], &[], &flipped] {
            std::fs::write(&path, damaged).unwrap();
            assert!(cache(folder.path(), 1 << 20).load(&key).is_none());
            assert!(!path.exists());
        }
    }

    #[test]
    fn the_oldest_go_first() {
        let folder = tempfile::tempdir().unwrap();
        let cache = cache(folder.path(), 3 * 4_100);
        let keys: Vec<Key> = (0..5).map(|n| Key::new("v1", "en", &n.to_string())).collect();
        for (age, key) in keys.iter().enumerate() {
            cache.store(*key, &chunk(1));
            let file = std::fs::File::options().append(true).open(folder.path().join(key.file_name())).unwrap();
            file.set_modified(SystemTime::now() - std::time::Duration::from_secs(100 - age as u64)).unwrap();
        }
        cache.trim();
        let left: Vec<bool> = keys.iter().map(|key| folder.path().join(key.file_name()).exists()).collect();
        assert_eq!(left, [false, false, true, true, true]);
    }
}

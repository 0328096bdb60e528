//! The prompt cache: rendered once, found after a restart, made anew when its file is damaged.

use std::path::Path;

use frontdesk::dialog::{Language, Piece, Prompt};
use frontdesk::speech::voice::{Options, Voice};

fn voice(cache: &Path) -> Voice {
    let languages = vec![Language::new("en")];
    Voice::load(&Options { languages, cache: Some(cache.into()), ..Options::default() }).unwrap()
}

fn spoken(voice: &Voice, prompt: &Prompt) -> Vec<i16> {
    voice.speak(prompt).unwrap().flat_map(|chunk| chunk.unwrap().samples.to_vec()).collect()
}

fn files(folder: &Path) -> Vec<std::path::PathBuf> {
    let mut files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
}

#[test]
fn a_prepared_prompt_is_at_hand_and_made_anew_when_damaged() {
    let folder = tempfile::tempdir().unwrap();
    let cache = folder.path().join("prompts");
    let pieces = vec![Piece::Text("Welcome to Northern Bank. Please hold.".into())];
    let prompt = Prompt { language: Language::new("en"), pieces };

    let first = voice(&cache);
    let fresh = spoken(&first, &prompt);
    assert!(!cache.exists(), "speaking keeps nothing");
    let mut progress = Vec::new();
    first.prepare(std::slice::from_ref(&prompt), |done, of| progress.push((done, of))).unwrap();
    assert_eq!(progress, [(0, 2), (1, 2), (2, 2)]);
    assert_eq!(files(&cache).len(), 2);
    let mut speaking = first.speak(&prompt).unwrap();
    assert!(matches!(speaking.try_next(), Ok(Some(Ok(_)))), "at hand without waiting");
    assert_eq!(spoken(&first, &prompt), fresh, "kept sound is the sound");

    // Damaged and cut files are noticed; what is said is the same.
    let kept: Vec<Vec<u8>> = files(&cache).iter().map(|file| std::fs::read(file).unwrap()).collect();
    let mut damaged = kept[0].clone();
    let middle = damaged.len() / 2;
    damaged[middle] ^= 0x55;
    std::fs::write(&files(&cache)[0], damaged).unwrap();
    std::fs::write(&files(&cache)[1], &kept[1][..kept[1].len() / 2]).unwrap();
    let second = voice(&cache);
    second.prepare(std::slice::from_ref(&prompt), |_, _| {}).unwrap();
    assert_eq!(spoken(&second, &prompt), fresh);
    let repaired: Vec<Vec<u8>> = files(&cache).iter().map(|file| std::fs::read(file).unwrap()).collect();
    assert_eq!(repaired, kept, "made anew, byte for byte");
}

//! Recorded prompts come as wav, mp3, ogg or flac, of any rate and channel count; one that is no sound ends with an
//! error that names the file once.

use frontdesk::dialog::{Language, Piece, Prompt};
use frontdesk::media::{Sound, file};
use frontdesk::speech::voice::{Chunk, Options, Voice, VoiceError};

fn spoken(voice: &Voice, path: &str) -> Vec<Result<Chunk, VoiceError>> {
    let pieces = vec![Piece::Recording(path.into())];
    voice.speak(&Prompt { language: Language::new("es"), pieces }).unwrap().collect()
}

/// Of one sound and the same at another level: 1.0 when nothing but the level differs.
fn likeness(a: &[i16], b: &[i16]) -> f64 {
    let dot = |a: &[i16], b: &[i16]| a.iter().zip(b).map(|(&a, &b)| f64::from(a) * f64::from(b)).sum::<f64>();
    dot(a, b) / (dot(a, a) * dot(b, b)).sqrt()
}

#[test]
fn a_recorded_prompt_may_be_any_usual_sound_file() {
    let voice = Voice::load(&Options { languages: Vec::new(), cache: None, ..Options::default() }).unwrap();
    for (name, rate) in [
        ("22050-mono.mp3", 22_050),
        ("48000-mono.ogg", 48_000),
        ("44100-stereo.flac", 44_100),
        ("8000-mu-law.wav", 8_000),
    ] {
        let path = format!("{}/audio_fixtures/formats/{name}", env!("CARGO_MANIFEST_DIR"));
        let chunks: Vec<Chunk> = spoken(&voice, &path).into_iter().map(Result::unwrap).collect();
        let [chunk] = &chunks[..] else { panic!("{name}: {} chunks", chunks.len()) };
        let Sound { samples, .. } = file::read(&path).unwrap();
        assert_eq!((chunk.rate, chunk.samples.len()), (rate, samples.len()), "{name}");
        assert!(likeness(&chunk.samples, &samples) > 0.999, "{name}: {}", likeness(&chunk.samples, &samples));
    }
}

#[test]
fn what_is_no_sound_is_named_once() {
    let voice = Voice::load(&Options { languages: Vec::new(), cache: None, ..Options::default() }).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("greeting.mp3");
    std::fs::write(&path, "these are words, not sound. ".repeat(200)).unwrap();
    let path = path.to_str().unwrap();
    let errors: Vec<String> = spoken(&voice, path).into_iter().map(|chunk| chunk.unwrap_err().to_string()).collect();
    let [error] = &errors[..] else { panic!("{errors:?}") };
    assert_eq!(error.matches(path).count(), 1, "{error}");
}

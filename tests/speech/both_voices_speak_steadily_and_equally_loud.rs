//! The voices themselves: the same text gives the same samples, sentence by sentence, at the telephone's level.

use frontdesk::dialog::{Language, Piece, Prompt};
use frontdesk::media::{level, resample};
use frontdesk::speech::voice::{Chunk, Options, Pace, Voice};

/// Active speech level (ITU-T P.56) as the telephone carries it, dBov.
fn loudness(chunk: &Chunk) -> f64 {
    let heard = resample(&chunk.samples, chunk.rate, 8_000);
    let samples: Vec<f32> = heard.iter().map(|&sample| f32::from(sample) / 32_768.0).collect();
    level::active_level(&samples, 8_000).unwrap()
}

#[test]
fn both_voices_speak_steadily_and_equally_loud() {
    let options = Options { cache: None, ..Options::default() };
    let voices = [Voice::load(&options).unwrap(), Voice::load(&options).unwrap()];
    let cases = [
        ("en", "Thank you for calling. Your parcel arrives on November 21st, at 3:15 pm.", 2),
        ("zh", "您好，感谢您的来电。您的包裹将于十一月二十一日下午三点送达。", 2),
    ];
    for (language, text, sentences) in cases {
        let prompt = Prompt { language: Language::new(language), pieces: vec![Piece::Text(text.into())] };
        let [first, second] = voices.each_ref().map(|voice| {
            let chunks = voice.speak(&prompt).unwrap().map(|chunk| chunk.unwrap());
            chunks.collect::<Vec<_>>()
        });
        // A pause stands between two sentences.
        assert_eq!(first.len(), 2 * sentences - 1, "{language}");
        for (a, b) in first.iter().zip(&second) {
            assert_eq!((a.rate, &a.samples), (b.rate, &b.samples), "{language}: the same text, the same samples");
        }
        // Who asks for it hears the same words take longer, pauses and all.
        let slower: Vec<Chunk> =
            voices[0].speak_at(&prompt, Pace::Slower).unwrap().map(|chunk| chunk.unwrap()).collect();
        for (usual, slower) in first.iter().zip(&slower) {
            let longer = slower.samples.len() as f64 / usual.samples.len() as f64;
            assert!((1.15..1.5).contains(&longer), "{language}: {longer} times as long");
        }
        for chunk in first.iter().step_by(2) {
            let seconds = chunk.samples.len() as f64 / f64::from(chunk.rate);
            assert!((0.5..12.0).contains(&seconds), "{language}: {seconds} s");
            let loudness = loudness(chunk);
            assert!((loudness - level::SPEECH_DBOV).abs() < 1.0, "{language}: {loudness} dBov");
        }
    }
    assert!(
        voices[0].terms().iter().any(|terms| terms.contains("non-commercial")),
        "the Mandarin voice names its terms"
    );
}

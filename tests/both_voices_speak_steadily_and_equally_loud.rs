//! The voices themselves: the same text gives the same samples, sentence by sentence, at the telephone's level.

use frontdesk::dialog::{Language, Piece, Prompt};
use frontdesk::speech::voice::{Chunk, Options, Voice};

/// Power over the loud half of the 20 ms windows, dBov.
fn loudness(chunk: &Chunk) -> f64 {
    let window = (chunk.rate / 50) as usize;
    let power = |part: &[i16]| part.iter().map(|&s| (f64::from(s) / 32_768.0).powi(2)).sum::<f64>() / part.len() as f64;
    let mut powers: Vec<f64> = chunk.samples.chunks_exact(window).map(power).collect();
    powers.sort_by(f64::total_cmp);
    let loud = &powers[powers.len() / 2..];
    10.0 * (loud.iter().sum::<f64>() / loud.len() as f64).log10()
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
        for chunk in first.iter().step_by(2) {
            let seconds = chunk.samples.len() as f64 / f64::from(chunk.rate);
            assert!((0.5..12.0).contains(&seconds), "{language}: {seconds} s");
            let loudness = loudness(chunk);
            assert!((loudness + 24.5).abs() < 2.5, "{language}: {loudness} dBov");
        }
    }
    assert!(
        voices[0].terms().iter().any(|terms| terms.contains("non-commercial")),
        "the Mandarin voice names its terms"
    );
}

//! A third language: texts need recordings, and the error says so; recordings are played at the common level.

use frontdesk::dialog::{Language, Piece, Prompt};
use frontdesk::speech::voice::{Options, Voice, VoiceError};

#[test]
fn a_language_without_a_voice_speaks_by_recordings() {
    let voice = Voice::load(&Options { languages: Vec::new(), cache: None, ..Options::default() }).unwrap();
    let spanish = |piece| Prompt { language: Language::new("es"), pieces: vec![piece] };

    let error = voice.speak(&spanish(Piece::Text("Buenos días.".into()))).err().unwrap();
    assert!(matches!(error, VoiceError::NoVoice { .. }));
    let said = error.to_string();
    assert!(said.contains("`es`") && said.contains("recording"), "{said}");

    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("hola.wav");
    let spec = hound::WavSpec {
        channels: 1,
        sample_rate: 8_000,
        bits_per_sample: 16,
        sample_format: hound::SampleFormat::Int,
    };
    let mut file = hound::WavWriter::create(&path, spec).unwrap();
    for n in 0..8_000 {
        file.write_sample((f64::from(n) * 0.7).sin().mul_add(300.0, 0.0) as i16).unwrap(); // -44 dBov: too soft
    }
    file.finalize().unwrap();
    let path = path.to_str().unwrap().to_owned();
    let chunks: Vec<_> = voice.speak(&spanish(Piece::Recording(path))).unwrap().map(|chunk| chunk.unwrap()).collect();
    let [chunk] = &chunks[..] else { panic!("{} chunks", chunks.len()) };
    assert_eq!((chunk.rate, chunk.samples.len()), (8_000, 8_000));
    let power = chunk.samples.iter().map(|&s| (f64::from(s) / 32_768.0).powi(2)).sum::<f64>() / 8_000.0;
    assert!((10.0 * power.log10() + 26.0).abs() < 1.0, "{} dBov", 10.0 * power.log10());

    let missing = voice.speak(&spanish(Piece::Recording("/nowhere/hola.wav".into()))).unwrap();
    let errors: Vec<_> = missing.filter_map(Result::err).collect();
    assert!(matches!(&errors[..], [VoiceError::Recording { path, .. }] if path == "/nowhere/hola.wav"));
}

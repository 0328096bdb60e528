//! The same sentence in every coding, rate and channel count that operators hand in reads as the same sound.

use frontdesk::media::{Sound, file};

fn fixture(name: &str) -> String {
    format!("{}/audio_fixtures/{name}", env!("CARGO_MANIFEST_DIR"))
}

/// Highest normalised correlation of two sounds at 8 kHz, shifted by up to 60 ms (encoders add a lead-in).
fn likeness(a: &Sound, b: &Sound) -> f64 {
    let (a, b) = (a.at_rate(8_000).samples, b.at_rate(8_000).samples);
    let dot = |a: &[i16], b: &[i16]| a.iter().zip(b).map(|(&a, &b)| f64::from(a) * f64::from(b)).sum::<f64>();
    let like = |a: &[i16], b: &[i16]| {
        let n = a.len().min(b.len());
        dot(&a[..n], &b[..n]) / (dot(&a[..n], &a[..n]) * dot(&b[..n], &b[..n])).sqrt()
    };
    (0..480).map(|shift| like(&a, &b[shift..]).max(like(&a[shift..], &b))).fold(0.0, f64::max)
}

#[test]
fn a_sound_file_of_any_usual_kind_is_read() {
    let original = file::read(fixture("pocketsphinx/librivox-0880.wav")).unwrap();
    assert_eq!((original.rate, original.ms()), (16_000, 2_990));
    for (name, rate, ms, least) in [
        ("44100-stereo.flac", 44_100, 2_990, 0.99),
        ("22050-mono.mp3", 22_050, 2_990, 0.98),
        ("48000-mono.ogg", 48_000, 2_990, 0.93),
        ("8000-mu-law.wav", 8_000, 2_990, 0.98),
        ("8000-a-law.wav", 8_000, 2_990, 0.98),
        ("11025-8bit.wav", 11_025, 2_990, 0.95),
        ("44100-24bit.wav", 44_100, 1_000, 0.99),
    ] {
        let sound = file::read(fixture(&format!("formats/{name}"))).unwrap();
        assert_eq!(sound.rate, rate, "{name}");
        assert!(sound.ms().abs_diff(ms) <= 60, "{name}: {} ms", sound.ms());
        let likeness = likeness(&original, &sound);
        assert!(likeness >= least, "{name}: {likeness:.4}");
    }
}

#[test]
fn every_recording_of_the_fixtures_has_its_row_and_is_read() {
    let readme = std::fs::read_to_string(fixture("README.md")).unwrap();
    let mut count = 0;
    for folder in ["asterisk", "pocketsphinx", "digits", "formats"] {
        for entry in std::fs::read_dir(fixture(folder)).unwrap() {
            let path = entry.unwrap().path();
            let name = format!("`{folder}/{}`", path.file_name().unwrap().to_str().unwrap());
            let family = ["`digits/N_jackson_3.wav`", "`formats/*`"];
            let listed = readme.contains(&name) || family.iter().any(|row| row.starts_with(&format!("`{folder}/")));
            assert!(listed, "{name} has no row in audio_fixtures/README.md");
            assert!(file::read(&path).unwrap().ms() > 200, "{name}");
            count += 1;
        }
    }
    assert!(count >= 30, "{count}");
}

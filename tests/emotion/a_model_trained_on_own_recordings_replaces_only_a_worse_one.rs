//! `frontdesk emotion train` on generated voices: learns what is in the labels, puts a model in place, and refuses one
//! that learned the wrong thing. The voices are buzzes through formants; what makes them angry or sad is what the
//! literature says of acted voices (pitch, loudness, tempo, brightness), exaggerated.

use std::path::Path;
use std::process::{Command, Output};

use rand::rngs::Xoshiro256PlusPlus;
use rand::{RngExt, SeedableRng};

const RATE: f32 = 8_000.0;
const EMOTIONS: [&str; 4] = ["angry", "happy", "neutral", "sad"];
const SPEAKERS: usize = 6;
const EACH: usize = 4;

/// Somebody saying something: `pitch` in Hz, loudness 0..1, syllables a second, and up to which frequency it is bright.
struct Manner {
    pitch: f32,
    melody: f32,
    loudness: f32,
    tempo: f32,
    bright: f32,
}

fn manner(emotion: &str) -> Manner {
    match emotion {
        "angry" => Manner { pitch: 1.8, melody: 0.15, loudness: 0.9, tempo: 6.5, bright: 3_000.0 },
        "happy" => Manner { pitch: 1.5, melody: 0.45, loudness: 0.5, tempo: 5.5, bright: 1_800.0 },
        "neutral" => Manner { pitch: 1.0, melody: 0.1, loudness: 0.3, tempo: 4.5, bright: 1_000.0 },
        _ => Manner { pitch: 0.85, melody: 0.05, loudness: 0.12, tempo: 3.0, bright: 500.0 },
    }
}

fn utterance(speaker: usize, emotion: &str, seed: u64) -> Vec<i16> {
    let mut random = Xoshiro256PlusPlus::seed_from_u64(seed);
    let voice = 95.0 + 22.0 * speaker as f32;
    let Manner { pitch, melody, loudness, tempo, bright } = manner(emotion);
    let mut sound: Vec<f32> = Vec::new();
    let mut phase = 0.0f32;
    while sound.len() < 2 * RATE as usize {
        let length = (RATE / tempo * random.random_range(0.8..1.2)) as usize;
        let target = voice * pitch * (1.0 + melody * random.random_range(-1.0..1.0));
        let first = random.random_range(350.0..800.0) * (1.0 + 0.03 * speaker as f32);
        let second = random.random_range(1_100.0..2_200.0);
        let (mut low, mut a, mut b) = (0.0, [0.0; 2], [0.0; 2]);
        for n in 0..length {
            let along = n as f32 / length as f32;
            phase += target * (1.0 + 0.08 * (along * 6.0).sin()) / RATE;
            let pulse = if phase >= 1.0 { 1.0 } else { 0.0 };
            phase = phase.fract();
            let source = pulse + 0.004 * random.random_range(-1.0..1.0);
            low += (1.0 - (-std::f32::consts::TAU * bright / RATE).exp()) * (source - low);
            let sounding = resonate(low, first, 90.0, &mut a) + 0.6 * resonate(low, second, 140.0, &mut b);
            let loud = (along * std::f32::consts::PI).sin().powf(0.5);
            sound.push(sounding * loud);
        }
        let pause = if random.random_bool(0.2) { 0.15 } else { 0.03 };
        sound.extend(std::iter::repeat_n(0.0, (RATE * pause) as usize));
    }
    let top = sound.iter().fold(0.0f32, |top, s| top.max(s.abs()));
    sound.iter().map(|s| (s / top * loudness * 24_000.0 + random.random_range(-8.0..8.0)) as i16).collect()
}

fn resonate(input: f32, hz: f32, width: f32, memory: &mut [f32; 2]) -> f32 {
    let radius = (-std::f32::consts::PI * width / RATE).exp();
    let out =
        input + 2.0 * radius * (std::f32::consts::TAU * hz / RATE).cos() * memory[0] - radius * radius * memory[1];
    *memory = [out, memory[0]];
    out
}

/// Recordings of everybody, and a table whose labels of the speakers to learn from are as `told` says.
fn recordings(folder: &Path) {
    let spec = hound::WavSpec {
        channels: 1,
        sample_rate: 8_000,
        bits_per_sample: 16,
        sample_format: hound::SampleFormat::Int,
    };
    for speaker in 0..SPEAKERS {
        for (e, emotion) in EMOTIONS.iter().enumerate() {
            for n in 0..EACH {
                let path = folder.join(format!("s{speaker}-{emotion}-{n}.wav"));
                let mut writer = hound::WavWriter::create(path, spec).unwrap();
                let samples = utterance(speaker, emotion, (speaker * 100 + e * 10 + n) as u64);
                samples.iter().for_each(|&sample| writer.write_sample(sample).unwrap());
                writer.finalize().unwrap();
            }
        }
    }
}

fn table(path: &Path, told: impl Fn(&'static str) -> &'static str) {
    let mut rows = "file\tspeaker\temotion\tsplit\n".to_owned();
    for speaker in 0..SPEAKERS {
        let dev = speaker % 3 == 2;
        for emotion in EMOTIONS {
            for n in 0..EACH {
                let (label, split) = if dev { (emotion, "dev") } else { (told(emotion), "train") };
                rows += &format!("s{speaker}-{emotion}-{n}.wav\ts{speaker}\t{label}\t{split}\n");
            }
        }
    }
    std::fs::write(path, rows).unwrap();
}

fn emotion(models: &Path, args: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_frontdesk"));
    command.arg("emotion").args(args).env("FRONTDESK_MODELS", models).env_remove("FRONTDESK_LOG");
    command.output().expect("frontdesk starts")
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

#[test]
fn a_better_model_is_installed_and_a_worse_one_refused() {
    let folder = tempfile::tempdir().unwrap();
    let (voices, models) = (folder.path(), folder.path().join("models"));
    recordings(voices);
    let (right, wrong) = (voices.join("right.tsv"), voices.join("wrong.tsv"));
    table(&right, |emotion| emotion);
    table(&wrong, |emotion| match emotion {
        "angry" => "sad",
        "happy" => "neutral",
        "neutral" => "happy",
        _ => "angry",
    });
    let train = |labels: &Path| {
        let (labels, out) = (labels.to_str().unwrap(), models.to_str().unwrap());
        emotion(&models, &["train", "--labels", labels, "--out", out, "--copies", "1", "--name", "ours"])
    };

    let first = train(&right);
    assert!(first.status.success(), "{}\n{}", text(&first.stdout), text(&first.stderr));
    let said = text(&first.stdout);
    assert!(said.contains("installed:") && said.contains("engines use it from their next start"), "{said}");
    let installed = std::fs::read(models.join("emotion.model")).unwrap();
    let page = std::fs::read_to_string(models.join("emotion-report.html")).unwrap();
    assert!(page.contains("<svg") && page.contains("recordings/s5") && page.contains("installed:"));

    // It is the one used now, and it learned: over the telephone and on people it never heard.
    let measured =
        emotion(&models, &["eval", "--labels", right.to_str().unwrap(), "--telephone", "--split", "dev", "--json"]);
    let measured: serde_json::Value = serde_json::from_slice(&measured.stdout).unwrap();
    assert_eq!(measured["model"]["name"], "ours");
    let uar = measured["plain"]["distress"]["uar"]["value"].as_f64().unwrap();
    assert!(uar >= 0.9, "{uar}");

    let second = train(&wrong);
    assert_eq!(second.status.code(), Some(1), "{}", text(&second.stdout));
    let said = text(&second.stderr);
    assert!(said.contains("refused: the new model is worse than the one in use"), "{said}");
    assert_eq!(std::fs::read(models.join("emotion.model")).unwrap(), installed, "the one in use stays");
    assert!(std::fs::read_to_string(models.join("emotion-report.html")).unwrap().contains("refused:"));
    let voice = voices.join("s0-angry-0.wav");
    let refused = models.join("emotion.model.refused");
    let look = emotion(&models, &["score", voice.to_str().unwrap(), "--model", refused.to_str().unwrap()]);
    assert!(look.status.success(), "the refused one can be looked at: {}", text(&look.stderr));
}

#[test]
fn what_cannot_be_learned_from_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let wav = folder.path().join("a.wav");
    std::fs::copy("audio_fixtures/asterisk/en-hours.wav", &wav).unwrap();
    let labels = folder.path().join("labels.tsv");
    std::fs::write(&labels, "file\tspeaker\temotion\na.wav\tanna\tangry\n").unwrap();
    let out = folder.path().join("out");
    let train = || emotion(&out, &["train", "--labels", labels.to_str().unwrap(), "--out", out.to_str().unwrap()]);
    let output = train();
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output.stderr).contains("1 speaker(s) are too few"), "{}", text(&output.stderr));
    assert!(!out.exists());
}

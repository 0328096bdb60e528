//! `frontdesk emotion score` and `eval` as an operator meets them: what is printed is in range and whole, and every
//! mistake in a table is told with its line.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;

const CLASSES: [&str; 7] = ["angry", "happy", "neutral", "sad", "fear", "surprise", "disgust"];

fn emotion(args: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_frontdesk"));
    command.arg("emotion").args(args).env_remove("FRONTDESK_LOG").output().expect("frontdesk starts")
}

fn fixture(name: &str) -> String {
    format!("{}/audio_fixtures/{name}", env!("CARGO_MANIFEST_DIR"))
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

/// Its lines, each a JSON object.
fn lines(output: &Output) -> Vec<Value> {
    text(&output.stdout).lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn in_range(scored: &Value) {
    for name in ["distress", "arousal", "valence"] {
        let value = scored[name].as_f64().unwrap_or_else(|| panic!("{name} in {scored}"));
        assert!((0.0..=1.0).contains(&value), "{name} {value}");
    }
    let probabilities = scored["probabilities"].as_object().unwrap();
    let sum: f64 = probabilities.values().map(|value| value.as_f64().unwrap()).sum();
    assert!((sum - 1.0).abs() < 0.01, "probabilities add up to {sum}");
    assert!(probabilities.keys().all(|class| CLASSES.contains(&class.as_str())), "{probabilities:?}");
    for class in ["angry", "happy", "neutral", "sad"] {
        assert!(probabilities.contains_key(class), "{class} in {probabilities:?}");
    }
}

#[test]
fn each_file_is_one_line_of_json_with_readings_over_time() {
    let (long, short) = (fixture("pocketsphinx/librivox-0880.wav"), fixture("formats/22050-mono.mp3"));
    let output = emotion(&["score", "--json", "--telephone", &long, &short]);
    assert!(output.status.success(), "{}", text(&output.stderr));
    let lines = lines(&output);
    assert_eq!(lines.len(), 2);
    for (line, file) in lines.iter().zip([&long, &short]) {
        assert_eq!(line["file"], file.as_str());
        in_range(line);
        let readings = line["readings"].as_array().unwrap();
        let times: Vec<f64> = readings.iter().map(|reading| reading["time"].as_f64().unwrap()).collect();
        // Three seconds of speech: one for each second at least.
        assert!(times.len() >= 2 && times.is_sorted() && times[times.len() - 1] <= 3.1, "{times:?}");
        readings.iter().for_each(in_range);
    }
    // The same recording as wav and as mp3 sounds much the same.
    let distress = |line: &Value| line["distress"].as_f64().unwrap();
    assert!((distress(&lines[0]) - distress(&lines[1])).abs() < 0.3, "{} {}", lines[0], lines[1]);
}

#[test]
fn a_calm_voice_of_the_same_person_changes_the_reading() {
    let (file, calm) = (fixture("asterisk/en-privacy-prompt.wav"), fixture("asterisk/en-vm-reachoper.wav"));
    let alone = lines(&emotion(&["score", "--json", &file]));
    let compared = lines(&emotion(&["score", "--json", &file, "--baseline", &calm]));
    in_range(&compared[0]);
    assert_ne!(alone[0]["probabilities"], compared[0]["probabilities"]);
    let table = emotion(&["score", &file, "--baseline", &calm]);
    assert!(text(&table.stdout).contains("distress") && text(&table.stdout).contains("most probable"));
}

#[test]
fn what_holds_no_speech_is_told_and_fails_but_stops_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let silent = wav(folder.path(), "silent.wav", &[0; 16_000]);
    let (silent, speech) = (silent.to_str().unwrap(), fixture("asterisk/en-vm-reachoper.wav"));
    let output = emotion(&["score", "--json", silent, &speech, "no-such-file.wav"]);
    assert_eq!(output.status.code(), Some(1));
    let lines = lines(&output);
    assert_eq!(lines.len(), 3);
    assert!(lines[0]["distress"].is_null() && lines[0]["error"].as_str().unwrap().contains("too little speech"));
    in_range(&lines[1]);
    assert!(lines[2]["error"].as_str().unwrap().contains("no-such-file.wav"));
    assert!(text(&output.stderr).contains("silent.wav"));
}

#[test]
fn every_mistake_in_a_table_is_told_with_its_line() {
    let folder = tempfile::tempdir().unwrap();
    wav(folder.path(), "a.wav", &[0; 800]);
    let table = folder.path().join("labels.tsv");
    std::fs::write(&table, "file\tspeaker\temotion\na.wav\tanna\tfurious\nb.wav\tanna\tsad\n").unwrap();
    for command in [vec!["eval"], vec!["train", "--out", "unused"]] {
        let output = emotion(&[&command[..], &["--labels", table.to_str().unwrap()]].concat());
        assert_eq!(output.status.code(), Some(1));
        let said = text(&output.stderr);
        assert!(said.contains("labels.tsv:2: `furious` is no emotion known here"), "{said}");
        assert!(said.contains("labels.tsv:3: there is no file"), "{said}");
    }
    assert!(!Path::new("unused").exists());
}

#[test]
fn a_table_of_recordings_is_measured() {
    let folder = tempfile::tempdir().unwrap();
    let table = folder.path().join("labels.tsv");
    let row = |file: &str, speaker: &str, emotion: &str| format!("{}\t{speaker}\t{emotion}\tdev\n", fixture(file));
    // Not felt: what is tested is the counting.
    let rows = [
        row("asterisk/en-privacy-prompt.wav", "allison", "neutral"),
        row("asterisk/en-vm-reachoper.wav", "allison", "neutral"),
        row("asterisk/en-conf-onlyperson.wav", "allison", "angry"),
        row("asterisk/en-auth-incorrect.wav", "allison", "happy"),
        row("pocketsphinx/librivox-0880.wav", "reader", "sad"),
    ];
    std::fs::write(&table, format!("file\tspeaker\temotion\tsplit\n{}", rows.concat())).unwrap();
    let page = folder.path().join("page.html");
    let table = table.to_str().unwrap();
    let output = emotion(&[
        "eval",
        "--labels",
        table,
        "--telephone",
        "--noise",
        "20",
        "--noise-kind",
        "street",
        "--loss",
        "5",
        "--split",
        "dev",
        "--json",
        "--report",
        page.to_str().unwrap(),
    ]);
    assert!(output.status.success(), "{}", text(&output.stderr));
    let all = &lines(&output)[0];
    assert_eq!(all["plain"]["files"], 5);
    assert_eq!(all["plain"]["distress"]["files"], 4, "happy does not count");
    // One of the two neutral ones is the baseline; the reader has none and is left out.
    assert_eq!(all["baseline"]["files"], 3);
    let uar = all["plain"]["distress"]["uar"]["value"].as_f64().unwrap();
    assert!(
        [0.0, 1.0 / 6.0, 1.0 / 3.0, 0.5, 2.0 / 3.0, 5.0 / 6.0, 1.0].iter().any(|u| (u - uar).abs() < 1e-9),
        "{uar}"
    );
    assert_eq!(all["plain"]["four"]["confusion"]["classes"], serde_json::json!(["angry", "happy", "neutral", "sad"]));
    assert_eq!(all["line"], "300-3400 Hz, G.711 mu-law, street at 20 dB, 5 % loss");
    assert!(std::fs::read_to_string(page).unwrap().contains("<svg"));

    let output = emotion(&["eval", "--labels", table, "--speaker", "allison"]);
    let said = text(&output.stdout);
    assert!(said.contains("4 recordings") && said.contains("told") && said.contains("four classes"), "{said}");
    let output = emotion(&["eval", "--labels", table, "--split", "test"]);
    assert!(text(&output.stderr).contains("none of the 5 recordings"), "{}", text(&output.stderr));
}

fn wav(folder: &Path, name: &str, samples: &[i16]) -> PathBuf {
    let path = folder.join(name);
    let spec = hound::WavSpec {
        channels: 1,
        sample_rate: 8_000,
        bits_per_sample: 16,
        sample_format: hound::SampleFormat::Int,
    };
    let mut writer = hound::WavWriter::create(&path, spec).unwrap();
    samples.iter().for_each(|&sample| writer.write_sample(sample).unwrap());
    writer.finalize().unwrap();
    path
}

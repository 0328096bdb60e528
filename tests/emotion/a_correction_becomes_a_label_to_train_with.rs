//! What a person says of a caller's voice becomes a table with the sound cut out of the recording, as the trainer reads it.

use std::path::Path;

use frontdesk::call::{Caller, Cause, Entry, Note, Outcome, Reading, Summary};
use frontdesk::emotion::Class;
use frontdesk::media::file;
use frontdesk::records::{Ending, Label, Store, StoredFlow};

const RATE: usize = 8_000;

/// A call of 10 s with two utterances; the caller's side holds a tone in the second alone.
async fn recorded_call(store: &Store, call: &str, number: &str) {
    let (call, started) = (call.to_owned(), chrono::Utc::now());
    let caller = Caller { number: number.into(), line: "main".into(), ..Caller::default() };
    store.begin(&call, &caller, started, &StoredFlow::new("flow", &"{}").unwrap());
    for (seq, (start_ms, end_ms, distress)) in [(1_000, 3_000, 0.1), (6_000, 8_500, 0.9)].into_iter().enumerate() {
        let reading = Reading { distress, start_ms, end_ms, whole: true, speech_ms: 2_000, ..Reading::default() };
        store.note(&call, &Entry { seq: seq as u32, at_ms: end_ms, note: Note::Emotion(reading) });
    }
    let path = store.new_recording(&call, started, 0).await.unwrap();
    write(&path);
    let summary = Summary { outcome: Some(Outcome::Abandoned), language: "en".into(), facts: vec![] };
    store.finish(&call, Ending { cause: Cause::CallerHungUp, ended: started, summary, quality: None });
    store.flush().await.unwrap();
}

fn write(path: &Path) {
    let spec = hound::WavSpec {
        channels: 2,
        sample_rate: RATE as u32,
        bits_per_sample: 16,
        sample_format: hound::SampleFormat::Int,
    };
    let mut wav = hound::WavWriter::create(path, spec).unwrap();
    for n in 0..10 * RATE {
        let speaks = (6 * RATE..8 * RATE + RATE / 2).contains(&n);
        let caller = if speaks { 8_000.0 * (n as f32 * 0.3).sin() } else { 0.0 };
        wav.write_sample(caller as i16).unwrap();
        wav.write_sample(-1i16).unwrap();
    }
    wav.finalize().unwrap();
}

fn frontdesk(records: &Path, args: &[&str]) -> std::process::Output {
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_frontdesk"));
    command.args(["calls", "--records"]).arg(records).args(args).output().unwrap()
}

fn said(output: &std::process::Output) -> String {
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{err}");
    out.into_owned()
}

#[tokio::test]
async fn a_correction_becomes_a_label_to_train_with() {
    let folder = tempfile::tempdir().unwrap();
    let records = folder.path().join("records");
    let store = Store::open(&records).await.unwrap();
    recorded_call(&store, "call-1", "+49301234567").await;
    recorded_call(&store, "call-2", "+49301234567").await;

    // By default the utterance that sounded worst; or the one at a time.
    assert_eq!(said(&frontdesk(&records, &["correct", "call-1", "--emotion", "happy"])), "0:06.0 to 0:08.5: happy\n");
    assert_eq!(
        said(&frontdesk(&records, &["correct", "call-2", "--emotion", "neutral", "--at", "0:02", "--by", "anna"])),
        "0:01.0 to 0:03.0: neutral\n"
    );
    // Said again, it replaces what was said.
    said(&frontdesk(&records, &["correct", "call-1", "--emotion", "angry"]));
    let wrong = frontdesk(&records, &["correct", "call-1", "--emotion", "hungry"]);
    assert!(!wrong.status.success() && String::from_utf8_lossy(&wrong.stderr).contains("angry, happy"));

    let out = folder.path().join("labels");
    said(&frontdesk(&records, &["labels", "--out", out.to_str().unwrap()]));
    let table = std::fs::read_to_string(out.join("labels.tsv")).unwrap();
    let rows: Vec<Vec<&str>> = table.lines().map(|line| line.split('\t').collect()).collect();
    assert_eq!(rows[0], ["corpus", "language", "file", "speaker", "gender", "emotion", "text", "split"]);
    assert_eq!(rows.len(), 3, "{table}");
    assert_eq!((rows[1][5], rows[2][5]), ("angry", "neutral"));
    assert_eq!(rows[1][3], rows[2][3], "one number is one speaker");
    assert!(!table.contains("301234567"), "and is not told");

    let angry = file::read(out.join(rows[1][2])).unwrap();
    let neutral = file::read(out.join(rows[2][2])).unwrap();
    assert!((2_400..3_000).contains(&(angry.samples.len() * 1_000 / RATE)), "{}", angry.samples.len());
    assert!(angry.samples.iter().any(|s| s.abs() > 5_000), "the caller's side");
    assert!(neutral.samples.iter().all(|s| *s == 0), "where they were silent");

    let labels = store.archive().await.unwrap().labels().await.unwrap();
    let by: Vec<(&str, Class)> = labels.iter().map(|label: &Label| (label.by.as_str(), label.emotion)).collect();
    assert_eq!(by, [("", Class::Angry), ("anna", Class::Neutral)]);
    store.close().await.unwrap();
}

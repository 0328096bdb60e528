//! With a key, nothing that a caller said or is stands readable in the folder, recordings included; the key opens it, another
//! says so, a new one takes over; a killed writer leaves what was sealed.

use std::path::Path;

use chrono::Utc;
use frontdesk::call::{Caller, Cause, Entry, Note, Outcome, Summary, Utterance};
use frontdesk::media::{Frame, Recordings, Tone};
use frontdesk::records::{Archive, Ending, Error, Keys, LoggedLine, Repair, Store, StoredFlow};

const NUMBER: &str = "+442071234567";
const WORDS: &str = "where is my grand piano";

pub fn keys(bytes: &[u8]) -> Keys {
    Keys::parse(&bytes.iter().map(|byte| format!("{byte:02x}").repeat(32)).collect::<Vec<_>>().join("\n")).unwrap()
}

/// A call with three seconds of sound; not `finished`: the engine was killed in the middle of it.
pub async fn call(folder: &Path, keys: Keys, call: &str, finished: bool) {
    let store = Store::open_with(folder, keys).await.unwrap();
    let flow = StoredFlow::new("bank", &serde_json::json!({ "secret_flow": 1 })).unwrap();
    let (call, caller) = (call.to_string(), Caller { number: NUMBER.into(), line: "bank".into(), ..Caller::default() });
    store.begin(&call, &caller, Utc::now(), &flow);
    let said = Utterance { text: WORDS.into(), confidence: 0.9, ..Utterance::default() };
    store.note(&call, &Entry { seq: 0, at_ms: 0, note: Note::Arrived(caller) });
    store.note(&call, &Entry { seq: 1, at_ms: 900, note: Note::Utterance(said) });
    let event_json = format!("{{\"text\":\"{WORDS}\"}}");
    store.log(&call, LoggedLine { at_ms: 900, event_json, actions_json: "[]".into() });
    let path = store.new_recording(&call, Utc::now(), 0).await.unwrap();
    let recordings = Recordings::start().unwrap();
    let mut recorder = recordings.record_sealed(&path, 8_000, 8_000, store.recording_seal(&call)).unwrap();
    let (mut tone, mut frame, other) = (Tone::sine(440.0, -20.0), Frame::silence(8_000), Frame::silence(8_000));
    for n in 0..150 {
        tone.next(&mut frame);
        recorder.write(&frame, &other);
        if n == 100 {
            recorder.blank(1_000, 1_500);
        }
    }
    recorder.finish().wait().unwrap();
    if finished {
        let summary = Summary { outcome: Some(Outcome::Contained), language: "en".into(), facts: Vec::new() };
        store.finish(&call, Ending { cause: Cause::Completed, ended: Utc::now(), summary, quality: None });
    }
    store.close().await.unwrap();
}

/// Every file of the folder.
pub fn bytes(folder: &Path) -> Vec<(std::path::PathBuf, Vec<u8>)> {
    let mut files = Vec::new();
    let mut folders = vec![folder.to_path_buf()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            match path.is_dir() {
                true => folders.push(path),
                false => files.push((path.clone(), std::fs::read(path).unwrap())),
            }
        }
    }
    files
}

/// Which files have these bytes.
pub fn with(folder: &Path, what: &[u8]) -> Vec<std::path::PathBuf> {
    let has = |bytes: &[u8]| bytes.windows(what.len()).any(|window| window == what);
    bytes(folder).into_iter().filter(|(_, bytes)| has(bytes)).map(|(path, _)| path).collect()
}

#[tokio::test]
async fn sealed_records_open_with_their_key_alone() {
    let folder = tempfile::tempdir().unwrap();
    call(folder.path(), keys(&[1]), "0198-a", true).await;
    for what in [NUMBER, WORDS, "grand piano", "secret_flow", "RIFF"] {
        assert_eq!(with(folder.path(), what.as_bytes()), Vec::<std::path::PathBuf>::new(), "{what}");
    }
    let archive = Archive::open_with(folder.path(), keys(&[1])).await.unwrap();
    let record = archive.show("last").await.unwrap();
    assert_eq!(record.head.caller.number, NUMBER);
    assert!(record.transcript().iter().any(|line| line.text == WORDS));
    assert!(archive.event_log("last").await.unwrap()[0].event_json.contains(WORDS));
    let sound = archive.sound(&record.recordings[0], 0).unwrap();
    assert_eq!((sound.rate, sound.ms()), (8_000, 3_000));
    assert!(sound.samples[8_000..12_000].iter().all(|&s| s == 0), "a secret was silenced in its place");
    assert!(sound.samples[..8_000].iter().any(|&s| s.abs() > 3_000));
    assert!(sound.samples[12_000..].iter().any(|&s| s.abs() > 3_000));
    let out = folder.path().join("out");
    archive.export("last", &out).await.unwrap();
    assert_eq!(hound::WavReader::open(out.join("recording.wav")).unwrap().duration(), 24_000);

    for wrong in [Keys::default(), keys(&[2])] {
        let error = Archive::open_with(folder.path(), wrong.clone()).await.err().expect("no other key opens it");
        assert!(matches!(error, Error::Sealed(_)), "{error}");
        assert!(error.to_string().contains("records.key"), "{error}");
    }
    let unsealed = Store::open_with(folder.path(), Keys::default()).await;
    assert!(matches!(unsealed, Err(Error::Sealed(_))), "nothing is written in plain beside what is sealed");
}

#[tokio::test]
async fn a_new_key_takes_over() {
    let folder = tempfile::tempdir().unwrap();
    call(folder.path(), Keys::default(), "0198-a", true).await;
    assert!(!with(folder.path(), WORDS.as_bytes()).is_empty(), "the search above can fail");
    call(folder.path(), keys(&[1]), "0198-b", true).await;
    call(folder.path(), keys(&[2, 1]), "0198-c", true).await;
    let archive = Archive::open_with(folder.path(), keys(&[2, 1])).await.unwrap();
    let resealed = archive.reseal().await.unwrap();
    assert!(resealed.values > 10 && resealed.recordings == 2 && resealed.left.is_empty(), "{resealed:?}");
    let again = archive.reseal().await.unwrap();
    assert_eq!((again.values, again.recordings), (0, 0), "all is sealed by the new key");
    drop(archive);
    assert_eq!(with(folder.path(), WORDS.as_bytes()), Vec::<std::path::PathBuf>::new());
    let archive = Archive::open_with(folder.path(), keys(&[2])).await.unwrap();
    for call in ["0198-a", "0198-b", "0198-c"] {
        let record = archive.show(call).await.unwrap();
        assert!(record.transcript().iter().any(|line| line.text == WORDS), "{call}");
        assert_eq!(archive.sound(&record.recordings[0], 0).unwrap().ms(), 3_000, "{call}");
    }
}

#[tokio::test]
async fn what_was_sealed_before_a_crash_is_there_after_it() {
    let folder = tempfile::tempdir().unwrap();
    call(folder.path(), keys(&[1]), "0198-a", false).await;
    // The last piece was half written.
    let (path, whole) = bytes(folder.path()).into_iter().find(|(path, _)| path.ends_with("0198-a.sealed")).unwrap();
    std::fs::write(&path, &whole[..whole.len() - 70]).unwrap();
    let store = Store::open_with(folder.path(), keys(&[1])).await.unwrap();
    let repair = Repair { recording: &|_| Err("no WAV file".into()), summary: &|_, _| None };
    assert_eq!(store.recover(&repair).await.unwrap().len(), 1);
    let archive = store.archive().await.unwrap();
    let record = archive.show("last").await.unwrap();
    assert_eq!((record.head.cause, record.recordings[0].state.as_str()), (Some(Cause::Interrupted), "cut"));
    let ms = archive.sound(&record.recordings[0], 0).unwrap().ms();
    assert!((1..3_000).contains(&ms), "{ms}");
    store.close().await.unwrap();
}

#[tokio::test]
async fn a_recording_that_somebody_cut_does_not_pass_for_whole() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["0198-a", "0198-b"] {
        call(folder.path(), keys(&[1]), name, true).await;
    }
    let archive = Archive::open_with(folder.path(), keys(&[1])).await.unwrap();
    let recording = archive.show("0198-a").await.unwrap().recordings.remove(0);
    assert_eq!(recording.state, "closed");
    // Its end is an empty piece: length, nonce, tag.
    let whole = std::fs::read(&recording.path).unwrap();
    std::fs::write(&recording.path, &whole[..whole.len() - 44]).unwrap();
    let cut = archive.show("0198-a").await.unwrap().recordings.remove(0);
    assert_eq!((cut.state.as_str(), archive.sound(&cut, 0).unwrap().ms()), ("cut", 3_000));
    drop(archive);
    let archive = Archive::open_with(folder.path(), keys(&[2, 1])).await.unwrap();
    archive.reseal().await.unwrap();
    let cut = archive.show("0198-a").await.unwrap().recordings.remove(0);
    assert_eq!((cut.state.as_str(), archive.sound(&cut, 0).unwrap().ms()), ("cut", 3_000), "sealed anew it stays cut");
    // Another call's sound in its place.
    let other = archive.show("0198-b").await.unwrap().recordings.remove(0);
    std::fs::copy(&other.path, &cut.path).unwrap();
    assert!(matches!(archive.sound(&cut, 0), Err(Error::Damaged)));
}

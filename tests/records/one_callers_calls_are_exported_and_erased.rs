//! All of one caller's calls come out as files, and go for good: no byte of number, words or sound is left in the folder,
//! not in the database's free pages nor in its log; other callers' stay. What is past its time goes as well.

use std::path::Path;

use chrono::{DateTime, TimeDelta, Utc};
use frontdesk::call::{Caller, Cause, Entry, Note, Outcome, Summary, Utterance};
use frontdesk::records::{Archive, Ending, LoggedLine, Store, StoredFlow};

use crate::sealed_records_open_with_their_key_alone::with;

const ERASED: &str = "+49 30 5550199";
const OTHER: &str = "+4989555777";

async fn written(folder: &Path, now: DateTime<Utc>) -> Store {
    let store = Store::open(folder).await.unwrap();
    let flow = StoredFlow::new("bank", &serde_json::json!({})).unwrap();
    let calls = [
        ("0198-a", "+49305550199", 40),
        ("0198-b", OTHER, 30),
        ("0198-c", "0049305550199", 1),
        ("0198-d", "+49305550199", 0),
    ];
    for (call, number, days) in calls {
        let call = call.to_string();
        let caller = Caller { number: number.into(), line: "bank".into(), ..Caller::default() };
        let began = now - TimeDelta::days(days);
        store.begin(&call, &caller, began, &flow);
        let text = format!("the words of {number} ").repeat(40);
        let said = Utterance { text: text.clone(), ..Utterance::default() };
        store.note(&call, &Entry { seq: 0, at_ms: 0, note: Note::Arrived(caller) });
        store.note(&call, &Entry { seq: 1, at_ms: 9, note: Note::Utterance(said) });
        store.log(
            &call,
            LoggedLine { at_ms: 9, event_json: serde_json::json!(text).to_string(), actions_json: "[]".into() },
        );
        let path = store.new_recording(&call, began, 0).await.unwrap();
        std::fs::write(path, format!("RIFF the voice of {number}")).unwrap();
        // The last one is still up.
        if days > 0 {
            let summary = Summary { outcome: Some(Outcome::Contained), language: "en".into(), facts: Vec::new() };
            store.finish(&call, Ending { cause: Cause::Completed, ended: began, summary, quality: None });
        }
    }
    store.flush().await.unwrap();
    store
}

#[tokio::test]
async fn one_callers_calls_are_exported_and_erased() {
    let folder = tempfile::tempdir().unwrap();
    let (records, now) = (folder.path().join("records"), Utc::now());
    let store = written(&records, now).await;
    let archive = Archive::open(&records).await.unwrap();
    assert!(with(&records, b"49305550199").len() >= 3, "the search below can fail");

    let out = folder.path().join("out");
    assert_eq!(archive.export_caller(ERASED, &out).await.unwrap(), 3);
    for call in ["0198-a", "0198-c", "0198-d"] {
        assert!(
            std::fs::read_to_string(out.join(call).join("recording.wav")).unwrap().contains("the voice of"),
            "{call}"
        );
    }
    assert!(!out.join("0198-b").exists() && with(&out, OTHER.as_bytes()).is_empty());

    let erased = archive.erase_caller(ERASED).await.unwrap();
    assert_eq!((erased.calls, erased.recordings, erased.open), (2, 2, 1), "one is still up");
    let summary = Summary { outcome: None, language: "en".into(), facts: Vec::new() };
    store.finish(&"0198-d".into(), Ending { cause: Cause::Completed, ended: now, summary, quality: None });
    store.flush().await.unwrap();
    assert_eq!(archive.erase_caller(ERASED).await.unwrap().calls, 1);
    assert_eq!(archive.calls_of(ERASED).await.unwrap(), []);
    // While the engine runs: nothing waits for its end.
    for what in ["49305550199", "5550199"] {
        assert_eq!(with(&records, what.as_bytes()), Vec::<std::path::PathBuf>::new(), "{what}");
    }
    assert!(!with(&records, OTHER.as_bytes()).is_empty() && archive.show("0198-b").await.is_ok());
    store.close().await.unwrap();
}

#[tokio::test]
async fn what_is_past_its_time_is_erased() {
    let folder = tempfile::tempdir().unwrap();
    let now = Utc::now();
    let store = written(folder.path(), now).await;
    let archive = Archive::open(folder.path()).await.unwrap();
    let erased = archive.erase_before(now - TimeDelta::days(7)).await.unwrap();
    assert_eq!((erased.calls, erased.recordings), (2, 2));
    assert_eq!(archive.list(&Default::default()).await.unwrap().len(), 2);
    assert_eq!(with(folder.path(), OTHER.as_bytes()), Vec::<std::path::PathBuf>::new());
    store.close().await.unwrap();
}

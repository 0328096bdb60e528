//! All of one caller's calls come out as files, and go for good: no byte of number, words or sound is left in the folder,
//! not in the database's free pages nor in its log; other callers' stay. What is past its time goes as well.

use std::path::Path;

use chrono::{DateTime, TimeDelta, Utc};
use frontdesk::call::{Caller, Cause, Entry, Note, Outcome, Summary, Utterance};
use frontdesk::records::{Archive, Ending, LoggedLine, Store, StoredFlow};

use crate::sealed_records_open_with_their_key_alone::{call, keys, with};
use crate::what_cannot_be_read_stops_nothing::database;

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

#[tokio::test]
async fn what_a_reader_keeps_is_not_called_erased() {
    let folder = tempfile::tempdir().unwrap();
    let store = written(folder.path(), Utc::now()).await;
    let archive = Archive::open(folder.path()).await.unwrap();
    let others = database(folder.path()).await;
    let mut reader = others.begin().await.unwrap();
    let _: i64 = sqlx::query_scalar("SELECT COUNT(*) FROM calls").fetch_one(&mut *reader).await.unwrap();
    let erased = archive.erase_caller(OTHER).await.unwrap();
    assert_eq!((erased.calls, erased.in_log), (1, true), "said as it is");
    assert!(!with(folder.path(), OTHER.as_bytes()).is_empty());
    drop(reader);
    others.close().await;
    let erased = archive.erase_caller(OTHER).await.unwrap();
    assert_eq!((erased.calls, erased.in_log), (0, false), "once more, when they are done");
    assert_eq!(with(folder.path(), OTHER.as_bytes()), Vec::<std::path::PathBuf>::new());
    store.close().await.unwrap();
}

#[tokio::test]
async fn a_recording_that_no_call_names_is_erased_with_its_day() {
    let folder = tempfile::tempdir().unwrap();
    let now = Utc::now();
    let store = written(folder.path(), now).await;
    let day =
        |days: i64| folder.path().join("recordings").join((now - TimeDelta::days(days)).format("%Y-%m-%d").to_string());
    let long_ago = std::time::SystemTime::now() - std::time::Duration::from_secs(40 * 86_400);
    // A crash came before their rows did; one is of yesterday, one is perhaps being written.
    for (days, name, written) in [(40, "stray.wav", long_ago), (1, "young.wav", long_ago), (39, "live.wav", now.into())]
    {
        std::fs::create_dir_all(day(days)).unwrap();
        let path = day(days).join(name);
        std::fs::write(&path, "RIFF nobody's voice").unwrap();
        std::fs::File::options().write(true).open(&path).unwrap().set_modified(written).unwrap();
    }
    let archive = Archive::open(folder.path()).await.unwrap();
    let erased = archive.erase_before(now - TimeDelta::days(7)).await.unwrap();
    assert_eq!((erased.calls, erased.recordings), (2, 3));
    assert!(!day(40).exists() && day(1).join("young.wav").exists() && day(39).join("live.wav").exists());
    assert!(day(1).join("0198-c.wav").exists(), "a call's own");
    store.close().await.unwrap();
}

#[tokio::test]
async fn a_call_that_cannot_be_read_is_told_and_goes_with_its_time() {
    let folder = tempfile::tempdir().unwrap();
    call(folder.path(), keys(&[1]), "0198-a", true).await;
    call(folder.path(), keys(&[2]), "0198-b", true).await;
    let archive = Archive::open_with(folder.path(), keys(&[2])).await.unwrap();
    let erased = archive.erase_caller("+442071234567").await.unwrap();
    assert_eq!((erased.calls, erased.unreadable), (1, 1), "whose the other is cannot be told");
    let erased = archive.erase_before(Utc::now() + TimeDelta::days(1)).await.unwrap();
    assert_eq!((erased.calls, erased.recordings), (1, 1));
}

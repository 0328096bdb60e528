//! A key taken out of `records.key` too early, or a damaged row, costs what it was about and nothing else: the engine starts,
//! closes what a crash left open, shows the rest, and keeps what it cannot read. What is to be forgotten goes all the same.

use std::path::Path;

use chrono::Utc;
use frontdesk::call::{Caller, Cause, Entry, Note, Utterance};
use frontdesk::records::{Archive, Error, Repair, Store, StoredFlow};
use sqlx::sqlite::{SqliteConnectOptions, SqlitePool};

use crate::sealed_records_open_with_their_key_alone::{call, keys};

const REPAIR: Repair<'static> = Repair { recording: &|_| Err("no WAV file".into()), summary: &|_, _| None };

pub async fn database(folder: &Path) -> SqlitePool {
    SqlitePool::connect_with(SqliteConnectOptions::new().filename(folder.join("calls.db"))).await.unwrap()
}

async fn rows(database: &SqlitePool) -> i64 {
    let count =
        "SELECT (SELECT COUNT(*) FROM calls) + (SELECT COUNT(*) FROM timeline) + (SELECT COUNT(*) FROM event_log)";
    sqlx::query_scalar(count).fetch_one(database).await.unwrap()
}

#[tokio::test]
async fn a_key_retired_too_early() {
    let folder = tempfile::tempdir().unwrap();
    call(folder.path(), keys(&[1]), "0198-a", true).await;
    call(folder.path(), keys(&[1]), "0198-b", false).await; // cut off by a crash
    let before = rows(&database(folder.path()).await).await;

    let store = Store::open_with(folder.path(), keys(&[2])).await.unwrap();
    let recovered = store.recover(&REPAIR).await.unwrap();
    assert_eq!((recovered.len(), recovered[0].entries, recovered[0].unreadable), (1, 0, 2));
    store.close().await.unwrap();
    call(folder.path(), keys(&[2]), "0198-c", true).await;

    let archive = Archive::open_with(folder.path(), keys(&[2])).await.unwrap();
    let calls = archive.list(&Default::default()).await.unwrap();
    let seen: Vec<(&str, bool)> = calls.iter().map(|call| (call.call.as_str(), call.unreadable)).collect();
    assert_eq!(seen, [("0198-c", false), ("0198-b", true), ("0198-a", true)]);
    assert!(matches!(archive.show("0198-a").await, Err(Error::Sealed(_))));
    drop(archive);

    // The key is put back: all is there.
    let archive = Archive::open_with(folder.path(), keys(&[2, 1])).await.unwrap();
    assert_eq!(archive.show("0198-a").await.unwrap().timeline.len(), 2, "all of it");
    let interrupted = archive.show("0198-b").await.unwrap();
    assert_eq!((interrupted.head.cause, interrupted.timeline.len()), (Some(Cause::Interrupted), 3));
    assert_eq!(rows(&database(folder.path()).await).await, before + 1 + 4, "an entry that closes, and a call");
}

#[tokio::test]
async fn a_row_that_is_damaged() {
    let folder = tempfile::tempdir().unwrap();
    call(folder.path(), keys(&[1]), "0198-a", true).await;
    call(folder.path(), keys(&[1]), "0198-b", false).await;
    let damage = database(folder.path()).await;
    for harm in [
        "UPDATE calls SET caller = CAST(substr(caller, 1, 40) AS BLOB) WHERE id = '0198-a'",
        "UPDATE timeline SET entry = CAST(substr(entry, 1, 40) AS BLOB) WHERE call = '0198-b' AND seq = 1",
        "UPDATE flows SET flow = X'01'",
    ] {
        assert!(sqlx::query(harm).execute(&damage).await.unwrap().rows_affected() > 0);
    }
    let before = rows(&damage).await;
    damage.close().await;

    let store = Store::open_with(folder.path(), keys(&[1])).await.unwrap();
    let recovered = store.recover(&REPAIR).await.unwrap();
    assert_eq!((recovered.len(), recovered[0].entries, recovered[0].unreadable), (1, 1, 1));
    let calls = store.archive().await.unwrap().list(&Default::default()).await.unwrap();
    let seen: Vec<_> = calls.iter().map(|call| (call.call.as_str(), call.unreadable, call.cause)).collect();
    assert_eq!(seen, [("0198-b", false, Some(Cause::Interrupted)), ("0198-a", true, Some(Cause::Completed))]);
    let text = frontdesk::records::Filter { text: Some("piano".into()), ..Default::default() };
    assert_eq!(store.archive().await.unwrap().list(&text).await.unwrap(), [], "what cannot be read has no words");
    let shown = store.archive().await.unwrap().show("0198-b").await.unwrap();
    assert_eq!((shown.timeline.len(), shown.unreadable), (2, 1));
    // Another call is written as ever.
    store.close().await.unwrap();
    call(folder.path(), keys(&[1]), "0198-c", true).await;
    assert_eq!(rows(&database(folder.path()).await).await, before + 1 + 4);
}

#[tokio::test]
async fn a_damaged_row_among_what_is_to_be_forgotten() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open_with(folder.path(), keys(&[1])).await.unwrap();
    let call = "0198-a".to_string();
    store.begin(&call, &Caller::default(), Utc::now(), &StoredFlow::new("bank", &"{}").unwrap());
    for (seq, text) in ["good morning", "4539 5787", "the piano"].into_iter().enumerate() {
        let said = Utterance { text: text.into(), ..Utterance::default() };
        store.note(&call, &Entry { seq: seq as u32, at_ms: 1_000 * seq as u64, note: Note::Utterance(said) });
    }
    store.flush().await.unwrap();
    let damage = database(folder.path()).await;
    sqlx::query("UPDATE timeline SET entry = CAST(substr(entry, 1, 60) AS BLOB) WHERE seq = 1")
        .execute(&damage)
        .await
        .unwrap();
    store.forget(&call, 900);
    store.note(&call, &Entry { seq: 3, at_ms: 9_000, note: Note::Silence });
    store.flush().await.expect("the writer goes on");
    let seqs: Vec<i64> = sqlx::query_scalar("SELECT seq FROM timeline ORDER BY seq").fetch_all(&damage).await.unwrap();
    assert_eq!(seqs, [0, 2, 3], "what cannot be scrubbed goes whole");
    assert_eq!(store.archive().await.unwrap().show(&call).await.unwrap().head.lost, 1);
    store.close().await.unwrap();
}

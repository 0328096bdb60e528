//! After a crash: calls left open are closed as interrupted at their last entry, summed up from
//! their timeline, and the headers of their recordings are mended.

use std::path::Path;

use sqlx::SqlitePool;

use super::Result;
use super::archive::time;
use super::disk::Folder;
use super::store::Ending;
use super::vault;
use super::writer::{write_ending, write_entry};
use crate::call::{Cause, Entry, Fact, FactKind, Note, Outcome, Summary};

/// A call that was found open.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recovered {
    pub call: String,
    /// Entries of its timeline that were on disk and could be read.
    pub entries: usize,
    /// Those that could not: their key is not here, or they are damaged. They are kept.
    pub unreadable: usize,
    /// Milliseconds of the call at the last thing known of it.
    pub last_ms: u64,
}

/// Why a recording could not be mended.
pub type Unmended = Box<dyn std::error::Error + Send + Sync>;

/// What the rooms above know how to do with what a crash left.
pub struct Repair<'a> {
    /// Mends a recording whose end was never written (`media::repair_wav`), or says why it cannot.
    pub recording: &'a (dyn Fn(&Path) -> std::result::Result<(), Unmended> + Sync),
    /// The summary that a flow (its JSON, as stored) and a timeline come to (`call::summarise`); none when that flow
    /// can no longer be read: then the bare facts of the timeline stand in.
    pub summary: &'a (dyn Fn(&str, &[Entry]) -> Option<Summary> + Sync),
}

/// A call that cannot be closed stays open and is tried again at the next start: it keeps nobody else waiting.
pub async fn recover(
    database: &SqlitePool,
    folder: &Folder,
    calls: Vec<String>,
    repair: &Repair<'_>,
) -> Result<Vec<Recovered>> {
    let mut recovered = Vec::new();
    for call in calls {
        match close(database, folder, &call, repair).await {
            Ok(done) => {
                let Recovered { entries, unreadable, .. } = done;
                tracing::warn!(call, entries, unreadable, "call was interrupted; its record is closed");
                recovered.push(done);
            }
            Err(error) => tracing::error!(call, %error, "call was interrupted; its record could not be closed"),
        }
    }
    Ok(recovered)
}

async fn close(database: &SqlitePool, folder: &Folder, call: &str, repair: &Repair<'_>) -> Result<Recovered> {
    let (started_ms, last_ms, next): (i64, i64, u32) = sqlx::query_as(
        "SELECT started_ms, MAX(COALESCE((SELECT MAX(at_ms) FROM timeline WHERE call = id), 0), \
         COALESCE((SELECT MAX(at_ms) FROM event_log WHERE call = id), 0)), \
         COALESCE((SELECT MAX(seq) + 1 FROM timeline WHERE call = id), 0) FROM calls WHERE id = ?",
    )
    .bind(call)
    .fetch_one(database)
    .await?;
    let rows: Vec<Vec<u8>> = sqlx::query_scalar("SELECT entry FROM timeline WHERE call = ? ORDER BY seq")
        .bind(call)
        .fetch_all(database)
        .await?;
    let (mut timeline, unreadable) = folder.unseal_all::<Entry>(call, rows)?;
    let entries = timeline.len();
    let ended = Note::Ended { cause: Cause::Interrupted };
    timeline.push(Entry { seq: next, at_ms: last_ms as u64, note: ended });
    let (hash, flow): (String, Vec<u8>) =
        sqlx::query_as("SELECT hash, flows.flow FROM flows JOIN calls ON flows.hash = calls.flow WHERE id = ?")
            .bind(call)
            .fetch_one(database)
            .await?;
    let flow = match folder.keys().unseal(&hash, flow) {
        Err(error) if error.is_unreadable() => None,
        flow => Some(String::from_utf8_lossy(&flow?).into_owned()),
    };
    let summary = flow.and_then(|flow| (repair.summary)(&flow, &timeline)).unwrap_or_else(|| bare_facts(&timeline));
    let ended = time(started_ms + last_ms);
    let ending = Ending { cause: Cause::Interrupted, ended, summary, quality: None };
    let states = mend_recordings(database, folder, call, repair).await?;
    let mut transaction = database.begin().await?;
    if let Some(entry) = timeline.last() {
        write_entry(&mut transaction, folder, call, entry).await?;
    }
    for (path, state) in states {
        sqlx::query("UPDATE recordings SET state = ?3 WHERE call = ?1 AND path = ?2")
            .bind(call)
            .bind(path)
            .bind(state)
            .execute(&mut *transaction)
            .await?;
    }
    write_ending(&mut transaction, folder, call, &ending).await?;
    transaction.commit().await?;
    Ok(Recovered { call: call.to_owned(), entries, unreadable, last_ms: last_ms as u64 })
}

async fn mend_recordings(
    database: &SqlitePool,
    folder: &Folder,
    call: &str,
    repair: &Repair<'_>,
) -> Result<Vec<(String, &'static str)>> {
    let paths: Vec<String> = sqlx::query_scalar("SELECT path FROM recordings WHERE call = ? AND state = 'open'")
        .bind(call)
        .fetch_all(database)
        .await?;
    let mended = |path: String| {
        let full = folder.path(&path);
        let mended = match vault::is_sealed(&full) {
            // It may have ended before the crash. Nothing is cut off it: what reads it stops at the last whole piece.
            Ok(true) => match vault::whole(folder.keys(), call, &full) {
                Ok(Some(true)) => Ok("closed"),
                _ => Ok("cut"),
            },
            Ok(false) => (repair.recording)(&full).map(|()| "repaired"),
            Err(error) => Err(Box::new(error) as Unmended),
        };
        let state = match mended {
            Ok(state) => state,
            Err(error) => {
                tracing::warn!(call, %error, "its recording cannot be mended");
                "lost"
            }
        };
        (path, state)
    };
    Ok(paths.into_iter().map(mended).collect())
}

/// What the timeline alone shows; every fact points to the entry it stands on.
fn bare_facts(timeline: &[Entry]) -> Summary {
    let mut facts = Vec::new();
    let mut outcome = Outcome::Unserved;
    let mut language = String::new();
    let mut last_words = None;
    for entry in timeline {
        let fact = |kind, text: String| Fact { kind, text, entry: entry.seq };
        match &entry.note {
            Note::Arrived(caller) => facts.push(fact(FactKind::Caller, caller.number.clone())),
            Note::Utterance(utterance) => {
                language = utterance.language.clone();
                last_words = Some(fact(FactKind::LastWords, utterance.text.clone()));
            }
            Note::Intent { chosen: Some(intent), .. } => facts.push(fact(FactKind::Wanted, intent.clone())),
            Note::Slot { slot, value, .. } => facts.push(fact(FactKind::Collected, format!("{slot}: {value}"))),
            Note::Connected { .. } => outcome = Outcome::HandedOver,
            Note::Ended { .. } => {
                facts.push(fact(FactKind::Open, "The call was interrupted by a failure of the engine.".into()));
            }
            _ => {}
        }
    }
    facts.extend(last_words);
    Summary { outcome: Some(outcome), language, facts }
}

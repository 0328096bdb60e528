//! The task that writes: collects jobs for at most a fifth of a second, then one transaction for all of them.
//! A transaction that fails (disk full, locked) is kept and tried again; a job that fails by itself (a note for a call that
//! the database does not know, a row that cannot be read) is counted and left out: nothing waits for it.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use chrono::{DateTime, Utc};
use serde_json::{Value, json};
use sqlx::{Sqlite, SqlitePool, Transaction};
use tokio::sync::{mpsc, oneshot};
use tokio::time::Instant;

use super::disk::{Folder, cut_log};
use super::store::{Ending, Leg, LoggedLine, StoredFlow, lock};
use super::{Error, Occasion, Result, outbox, promises, word};
use crate::call::{CallId, Caller, Entry};
use crate::emotion::policy::Why;
use crate::privacy::scrub;
use crate::telemetry::names;

/// From a batch's first job to its commit's start. With the commit itself (milliseconds) and the batch before it,
/// a killed process loses well under the second that is promised.
const COLLECT: Duration = Duration::from_millis(200);
/// Jobs in one transaction: tens of milliseconds.
const BATCH: usize = 2_048;
/// Between tries of a transaction that failed.
const RETRY: Duration = Duration::from_millis(500);
/// Between tries to empty the database's log of what was forgotten, when somebody reads.
const RECUT: Duration = Duration::from_secs(5);
/// How long such a try may keep the writer.
const CUT: &str = "PRAGMA busy_timeout = 500";
const USUAL: &str = "PRAGMA busy_timeout = 5000";

/// The writer's end of what is waiting.
pub struct Queue {
    pub jobs: mpsc::UnboundedReceiver<Job>,
    /// How many there are; who takes some counts them off.
    pub waiting: Arc<AtomicUsize>,
    /// What found no room, by call.
    pub lost: Arc<Mutex<HashMap<CallId, u64>>>,
}

impl Queue {
    /// Waits for jobs; 0 when no more will come.
    async fn take(&mut self, into: &mut Vec<Job>, limit: usize) -> usize {
        let taken = self.jobs.recv_many(into, limit).await;
        self.waiting.fetch_sub(taken, Ordering::Relaxed);
        taken
    }
}

pub enum Job {
    Begin { call: CallId, caller: Box<Caller>, started: DateTime<Utc>, flow: StoredFlow },
    Note { call: CallId, entry: Box<Entry> },
    Log { call: CallId, line: LoggedLine },
    Leg { call: CallId, leg: Box<Leg> },
    Recording { call: CallId, path: String, at_ms: u64 },
    Finish { call: CallId, ending: Box<Ending> },
    Reword { call: CallId, words: String },
    Promise { call: CallId, what: promises::Write },
    Alert { call: CallId, reason: String, why: Box<Why> },
    Forget { call: CallId, since_ms: u64 },
    Flush(oneshot::Sender<Result<()>>),
    Stop,
}

impl Job {
    pub fn call(&self) -> Option<&CallId> {
        match self {
            Job::Begin { call, .. }
            | Job::Note { call, .. }
            | Job::Log { call, .. }
            | Job::Leg { call, .. }
            | Job::Recording { call, .. }
            | Job::Finish { call, .. }
            | Job::Reword { call, .. }
            | Job::Promise { call, .. }
            | Job::Alert { call, .. }
            | Job::Forget { call, .. } => Some(call),
            Job::Flush(_) | Job::Stop => None,
        }
    }
}

/// Runs until `Job::Stop`, or until every `Store` is gone.
pub async fn run(database: SqlitePool, folder: Folder, mut queue: Queue) {
    let mut batch = Vec::with_capacity(BATCH);
    let (mut running, mut uncut) = (true, false);
    while running {
        running = match uncut {
            true => tokio::time::timeout(RECUT, collect(&mut queue, &mut batch)).await.unwrap_or(true),
            false => collect(&mut queue, &mut batch).await,
        };
        metrics::gauge!(names::RECORDS_QUEUE).set(queue.jobs.len() as f64);
        let mut flushes = Vec::new();
        batch.retain_mut(|job| match job {
            Job::Flush(done) => {
                flushes.push(std::mem::replace(done, oneshot::channel().0));
                false
            }
            _ => true,
        });
        let losses = std::mem::take(&mut *lock(&queue.lost));
        while let Err(error) = write(&database, &folder, &batch, &losses).await {
            tracing::error!(%error, jobs = batch.len(), "records cannot be written; trying again");
            metrics::counter!(names::RECORDS_FAILED).increment(1);
            for done in flushes.drain(..) {
                let _ = done.send(Err(Error::Unwritten(error.to_string())));
            }
            if !running {
                return; // told to stop, and the disk does not come back
            }
            tokio::time::sleep(RETRY).await;
        }
        if uncut || batch.iter().any(|job| matches!(job, Job::Forget { .. })) {
            let cut = cut(&database).await.unwrap_or(false);
            if !cut && !uncut {
                // The log of changes has it until it is cut.
                tracing::warn!(
                    "somebody reads the records: what was to be forgotten stands in the database's log until then"
                );
            }
            uncut = !cut;
        }
        batch.clear();
        for done in flushes {
            let _ = done.send(Ok(()));
        }
    }
}

/// Empties the database's log, if that can be had soon.
async fn cut(database: &SqlitePool) -> Result<bool> {
    sqlx::query(CUT).execute(database).await?; // the pool has this one connection
    let cut = cut_log(database).await;
    sqlx::query(USUAL).execute(database).await?;
    cut
}

/// Fills `batch`; `false` when it is the last.
async fn collect(queue: &mut Queue, batch: &mut Vec<Job>) -> bool {
    if queue.take(batch, BATCH).await == 0 {
        return false;
    }
    let until = Instant::now() + COLLECT;
    loop {
        if let Some(stop) = batch.iter().position(|job| matches!(job, Job::Stop)) {
            batch.truncate(stop);
            return false;
        }
        let urgent = batch.iter().any(|job| matches!(job, Job::Flush(_)));
        if urgent || batch.len() >= BATCH {
            return true;
        }
        match tokio::time::timeout_at(until, queue.take(batch, BATCH - batch.len())).await {
            Ok(0) => return false,
            Ok(_) => {}
            Err(_) => return true,
        }
    }
}

async fn write(database: &SqlitePool, folder: &Folder, batch: &[Job], losses: &HashMap<CallId, u64>) -> Result<()> {
    if batch.is_empty() && losses.is_empty() {
        return Ok(());
    }
    let began = std::time::Instant::now();
    let mut transaction = database.begin().await?;
    for job in batch {
        match write_job(&mut transaction, folder, job).await {
            Err(Error::Database(error)) if !refused(&error) => return Err(error.into()),
            // This job alone is at fault, and its statement alone was undone.
            Err(error) => {
                tracing::warn!(call = job.call(), %error, "a record was refused");
                metrics::counter!(names::RECORDS_LOST).increment(1);
            }
            Ok(()) => {}
        }
    }
    for (call, lost) in losses {
        sqlx::query("UPDATE calls SET lost = lost + ?2 WHERE id = ?1")
            .bind(call)
            .bind(*lost as i64)
            .execute(&mut *transaction)
            .await?;
    }
    transaction.commit().await?;
    metrics::histogram!(names::RECORDS_COMMIT_SECONDS).record(began.elapsed().as_secs_f64());
    Ok(())
}

/// What was given is at fault, or what stands in one row; not the disk.
fn refused(error: &sqlx::Error) -> bool {
    use sqlx::error::ErrorKind::{CheckViolation, ForeignKeyViolation, NotNullViolation, UniqueViolation};
    match error {
        sqlx::Error::Database(error) => {
            matches!(error.kind(), CheckViolation | ForeignKeyViolation | NotNullViolation | UniqueViolation)
        }
        sqlx::Error::ColumnDecode { .. } | sqlx::Error::Decode(_) | sqlx::Error::Encode(_) => true,
        _ => false,
    }
}

async fn write_job(to: &mut Transaction<'_, Sqlite>, folder: &Folder, job: &Job) -> Result<()> {
    let seal_bytes = |about: &str, text: &str| folder.keys().seal(about, text.as_bytes().to_vec());
    match job {
        Job::Begin { call, caller, started, flow } => {
            sqlx::query("INSERT OR IGNORE INTO flows (hash, name, flow) VALUES (?, ?, ?)")
                .bind(&flow.0.hash)
                .bind(&flow.0.name)
                .bind(seal_bytes(&flow.0.hash, &flow.0.json))
                .execute(&mut **to)
                .await?;
            sqlx::query("INSERT INTO calls (id, started_ms, line, flow, caller) VALUES (?, ?, ?, ?, ?)")
                .bind(call)
                .bind(started.timestamp_millis())
                .bind(&caller.line)
                .bind(&flow.0.hash)
                .bind(folder.seal(call, caller)?)
                .execute(&mut **to)
                .await?;
            write_leg(to, call, &Leg::default()).await
        }
        Job::Note { call, entry } => write_entry(to, folder, call, entry).await,
        Job::Log { call, line } => {
            sqlx::query("INSERT INTO event_log (call, at_ms, event, actions) VALUES (?, ?, ?, ?)")
                .bind(call)
                .bind(line.at_ms as i64)
                .bind(seal_bytes(call, &line.event_json))
                .bind(seal_bytes(call, &line.actions_json))
                .execute(&mut **to)
                .await?;
            Ok(())
        }
        Job::Leg { call, leg } => write_leg(to, call, leg).await,
        Job::Recording { call, path, at_ms } => {
            sqlx::query("INSERT INTO recordings (call, path, at_ms, state) VALUES (?, ?, ?, 'open')")
                .bind(call)
                .bind(path)
                .bind(*at_ms as i64)
                .execute(&mut **to)
                .await?;
            Ok(())
        }
        Job::Finish { call, ending } => write_ending(to, folder, call, ending).await,
        Job::Reword { call, words } => {
            sqlx::query("UPDATE calls SET reworded = ?2 WHERE id = ?1")
                .bind(call)
                .bind(folder.seal(call, words)?)
                .execute(&mut **to)
                .await?;
            Ok(())
        }
        Job::Promise { call, what } => promises::write(to, folder, call, what).await,
        Job::Alert { call, reason, why } => {
            let detail = json!({ "reason": reason, "by": why.by, "level": why.level, "words": why.words });
            outbox::put(to, folder, call, Occasion::Alert, &detail).await
        }
        Job::Forget { call, since_ms } => forget(to, folder, call, *since_ms).await,
        Job::Flush(_) | Job::Stop => Ok(()),
    }
}

/// Scrubs what is there already; what waits behind this in the queue was made without it. A row that cannot be read cannot
/// be scrubbed: it goes whole, and counts as lost.
async fn forget(to: &mut Transaction<'_, Sqlite>, folder: &Folder, call: &str, since_ms: u64) -> Result<()> {
    let scrubbed = |sealed: Vec<u8>| -> Result<Option<Vec<u8>>> {
        let mut value = match folder.unseal(call, sealed) {
            Err(error) if error.is_unreadable() => return Ok(None),
            value => value?,
        };
        scrub(&mut value);
        folder.seal(call, &value).map(Some)
    };
    let mut gone = 0;
    let notes: Vec<(i64, Vec<u8>)> = sqlx::query_as("SELECT seq, entry FROM timeline WHERE call = ? AND at_ms >= ?")
        .bind(call)
        .bind(since_ms as i64)
        .fetch_all(&mut **to)
        .await?;
    for (seq, entry) in notes {
        let query = match scrubbed(entry)? {
            Some(entry) => sqlx::query("UPDATE timeline SET entry = ?3 WHERE call = ?1 AND seq = ?2")
                .bind(call)
                .bind(seq)
                .bind(entry),
            None => {
                gone += 1;
                sqlx::query("DELETE FROM timeline WHERE call = ?1 AND seq = ?2").bind(call).bind(seq)
            }
        };
        query.execute(&mut **to).await?;
    }
    let lines: Vec<(i64, Vec<u8>, Vec<u8>)> =
        sqlx::query_as("SELECT id, event, actions FROM event_log WHERE call = ? AND at_ms >= ?")
            .bind(call)
            .bind(since_ms as i64)
            .fetch_all(&mut **to)
            .await?;
    for (id, event, actions) in lines {
        let query = match (scrubbed(event)?, scrubbed(actions)?) {
            (Some(event), Some(actions)) => sqlx::query("UPDATE event_log SET event = ?2, actions = ?3 WHERE id = ?1")
                .bind(id)
                .bind(event)
                .bind(actions),
            _ => {
                gone += 1;
                sqlx::query("DELETE FROM event_log WHERE id = ?1").bind(id)
            }
        };
        query.execute(&mut **to).await?;
    }
    if gone > 0 {
        tracing::warn!(call, rows = gone, "rows that were to lose a secret could not be read: they are gone");
        sqlx::query("UPDATE calls SET lost = lost + ?2 WHERE id = ?1").bind(call).bind(gone).execute(&mut **to).await?;
    }
    Ok(())
}

pub async fn write_entry(to: &mut Transaction<'_, Sqlite>, folder: &Folder, call: &str, entry: &Entry) -> Result<()> {
    let value = serde_json::to_value(entry)?;
    sqlx::query("INSERT INTO timeline (call, seq, at_ms, event, entry) VALUES (?, ?, ?, ?, ?)")
        .bind(call)
        .bind(entry.seq)
        .bind(entry.at_ms as i64)
        .bind(value["event"].as_str().unwrap_or_default()) // `Note` is tagged `event`
        .bind(folder.seal(call, entry)?)
        .execute(&mut **to)
        .await?;
    Ok(())
}

async fn write_leg(to: &mut Transaction<'_, Sqlite>, call: &str, leg: &Leg) -> Result<()> {
    sqlx::query(
        "INSERT OR REPLACE INTO legs (call, n, agent, began_ms, answered_ms, ended_ms, quality) \
         VALUES (?, ?, ?, ?, ?, ?, ?)",
    )
    .bind(call)
    .bind(leg.n)
    .bind(&leg.agent)
    .bind(leg.began_ms as i64)
    .bind(leg.answered_ms.map(|ms| ms as i64))
    .bind(leg.ended_ms.map(|ms| ms as i64))
    .bind(leg.quality.as_ref().map(serde_json::to_string).transpose()?)
    .execute(&mut **to)
    .await?;
    Ok(())
}

pub async fn write_ending(
    to: &mut Transaction<'_, Sqlite>,
    folder: &Folder,
    call: &str,
    ending: &Ending,
) -> Result<()> {
    sqlx::query("UPDATE calls SET ended_ms = ?2, cause = ?3, outcome = ?4, language = ?5, summary = ?6 WHERE id = ?1")
        .bind(call)
        .bind(ending.ended.timestamp_millis())
        .bind(word(&ending.cause))
        .bind(ending.summary.outcome.as_ref().and_then(word))
        .bind(&ending.summary.language)
        .bind(folder.seal(call, &ending.summary)?)
        .execute(&mut **to)
        .await?;
    sqlx::query(
        "UPDATE legs SET quality = COALESCE(?2, quality), ended_ms = COALESCE(ended_ms, \
         (SELECT ended_ms - started_ms FROM calls WHERE id = ?1)) WHERE call = ?1 AND n = 0",
    )
    .bind(call)
    .bind(ending.quality.as_ref().map(serde_json::to_string).transpose()?)
    .execute(&mut **to)
    .await?;
    sqlx::query("UPDATE recordings SET state = 'closed' WHERE call = ?1 AND state = 'open'")
        .bind(call)
        .execute(&mut **to)
        .await?;
    outbox::put(to, folder, call, Occasion::CallEnded, &Value::Null).await
}

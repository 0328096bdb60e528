//! Writing calls down. Every call here returns at once: what is to be written goes into a bounded queue that one task
//! empties (`writer`). When the disk is too slow and the queue full, entries are dropped, counted in the call's own
//! record and in the metrics; an eighth of the queue is kept for the beginnings and ends of calls, and what is to be
//! forgotten always finds room.

use std::collections::HashMap;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use sqlx::SqlitePool;
use sqlx::sqlite::SqlitePoolOptions;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;

use super::disk::{Folder, cut_log};
use super::promises::{CallbackState, Write};
use super::recover::{self, Repair};
use super::vault::Keys;
use super::writer::{self, Job, Queue};
use super::{Archive, Error, Recovered, Result, Subscriber};
use crate::call::{CallId, Caller, Cause, Entry, LeftMessage, Promise, Summary};
use crate::emotion::policy::Why;
use crate::media::{Quality, Seal};
use crate::telemetry::names;

/// Jobs that may wait for the disk: some 80 s of 100 busy calls.
const QUEUE: usize = 16_384;
/// Of these, kept for what a record cannot do without.
const RESERVE: usize = QUEUE / 8;

/// What `close` allows the writer for its last batch.
const PATIENCE: Duration = Duration::from_secs(5);

/// A flow as the records keep it: once, by the hash of its JSON.
#[derive(Clone, Debug)]
pub struct StoredFlow(pub(super) Arc<FlowText>);

#[derive(Debug)]
pub(super) struct FlowText {
    pub name: String,
    pub hash: String,
    pub json: String,
}

impl StoredFlow {
    /// `flow` is serialised here; make one a flow, not one a call.
    pub fn new(name: &str, flow: &impl Serialize) -> Result<Self> {
        let json = serde_json::to_string(flow)?;
        let hash = Sha256::digest(json.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect();
        Ok(Self(Arc::new(FlowText { name: name.into(), hash, json })))
    }

    pub fn hash(&self) -> &str {
        &self.0.hash
    }
}

/// One step of the deciding code: what it was told and what it answered, as JSON.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LoggedLine {
    /// Milliseconds since the call arrived.
    pub at_ms: u64,
    pub event_json: String,
    pub actions_json: String,
}

/// One leg of a call; written again, it replaces what was written.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Leg {
    /// 0 is the caller's; agents' follow in the order they were rung.
    pub n: u32,
    /// `None` for the caller.
    pub agent: Option<String>,
    /// Milliseconds of the call.
    pub began_ms: u64,
    pub answered_ms: Option<u64>,
    pub ended_ms: Option<u64>,
    pub quality: Option<Quality>,
}

/// How a call ended.
#[derive(Clone, Debug)]
pub struct Ending {
    pub cause: Cause,
    pub ended: DateTime<Utc>,
    pub summary: Summary,
    /// Of the caller's leg, where it is known.
    pub quality: Option<Quality>,
}

/// The writing end of the records. Cloning it is cheap; `close` one before the process ends.
#[derive(Clone)]
pub struct Store {
    inner: Arc<Inner>,
}

struct Inner {
    folder: Folder,
    /// Bounded by `waiting`, not by itself.
    jobs: mpsc::UnboundedSender<Job>,
    /// Jobs given and not yet taken by the writer, and how many there may be.
    waiting: Arc<AtomicUsize>,
    room: usize,
    /// Entries dropped since the writer last looked, by call. Touched only when the queue is full.
    lost: Arc<Mutex<HashMap<CallId, u64>>>,
    database: SqlitePool,
    left_open: Mutex<Vec<CallId>>,
    writer: Mutex<Option<JoinHandle<()>>>,
    /// Keeps other engines out until `close`.
    claim: Mutex<Option<File>>,
}

impl Store {
    /// Opens or makes the records in `folder`, and brings an older database up to date. Must be called inside a tokio
    /// runtime; one engine at a time.
    pub async fn open(folder: &Path) -> Result<Self> {
        Self::open_with(folder, Keys::default()).await
    }

    /// As `open`; what is written is sealed by the first of the keys.
    pub async fn open_with(folder: &Path, keys: Keys) -> Result<Self> {
        Self::open_with_queue(folder, keys, QUEUE).await
    }

    pub(super) async fn open_with_queue(folder: &Path, keys: Keys, room: usize) -> Result<Self> {
        let (folder, claim) = Folder::claim(folder, keys)?;
        let database = SqlitePoolOptions::new().max_connections(1).connect_with(folder.database()).await?;
        sqlx::migrate!().run(&database).await?;
        let (unknown, _) = folder.unknown_keys(&database).await?;
        for (error, calls) in unknown {
            // Without any key, what comes now would stand unsealed beside what is sealed: nobody means that.
            if folder.keys().is_empty() {
                return Err(error);
            }
            tracing::error!(calls, %error, "calls that cannot be read until then are kept as they are");
        }
        let left_open = sqlx::query_scalar("SELECT id FROM calls WHERE cause IS NULL ORDER BY started_ms")
            .fetch_all(&database)
            .await?;
        // A crash may have come between erasing and this.
        if !cut_log(&database).await? {
            tracing::warn!(
                "somebody reads the records: what was erased last may stand in the database's log for a while"
            );
        }
        let (jobs, queue) = mpsc::unbounded_channel();
        let (lost, waiting) = (Arc::default(), Arc::default());
        let queue = Queue { jobs: queue, waiting: Arc::clone(&waiting), lost: Arc::clone(&lost) };
        let writer = tokio::spawn(writer::run(database.clone(), folder.clone(), queue));
        Ok(Self {
            inner: Arc::new(Inner {
                folder,
                jobs,
                waiting,
                room,
                lost,
                database,
                left_open: Mutex::new(left_open),
                writer: Mutex::new(Some(writer)),
                claim: Mutex::new(Some(claim)),
            }),
        })
    }

    /// Closes the records of calls that a crash left open, sums them up and mends their recordings. Once, after
    /// `open`.
    pub async fn recover(&self, repair: &Repair<'_>) -> Result<Vec<Recovered>> {
        let left_open = std::mem::take(&mut *lock(&self.inner.left_open));
        recover::recover(&self.inner.database, &self.inner.folder, left_open, repair).await
    }

    /// A call has arrived.
    pub fn begin(&self, call: &CallId, caller: &Caller, started: DateTime<Utc>, flow: &StoredFlow) {
        let (call, caller, flow) = (call.clone(), Box::new(caller.clone()), flow.clone());
        self.submit(Job::Begin { call, caller, started, flow }, 0);
    }

    /// One more line of its timeline.
    pub fn note(&self, call: &CallId, entry: &Entry) {
        self.submit(Job::Note { call: call.clone(), entry: Box::new(entry.clone()) }, RESERVE);
    }

    /// One more line of its event log.
    pub fn log(&self, call: &CallId, line: LoggedLine) {
        self.submit(Job::Log { call: call.clone(), line }, RESERVE);
    }

    /// A leg, whole; again when it has changed.
    pub fn leg(&self, call: &CallId, leg: Leg) {
        self.submit(Job::Leg { call: call.clone(), leg: Box::new(leg) }, RESERVE);
    }

    /// Makes the private, empty file that a call is to be recorded in, and notes it, so that a crash finds it.
    /// `at_ms` is the call's time at the first sample. Waits for the disk: not for a media task.
    pub async fn new_recording(&self, call: &CallId, started: DateTime<Utc>, at_ms: u64) -> Result<PathBuf> {
        let (folder, name) = (self.inner.folder.clone(), call.clone());
        let path = tokio::task::spawn_blocking(move || folder.new_recording(&name, started))
            .await
            .map_err(|_| Error::Stopped)??;
        let relative = path.to_string_lossy().into_owned();
        let full = self.inner.folder.path(&relative);
        self.submit(Job::Recording { call: call.clone(), path: relative, at_ms }, 0);
        Ok(full)
    }

    /// What seals a new recording of this call; none where records are not sealed.
    pub fn recording_seal(&self, call: &CallId) -> Option<Box<dyn Seal>> {
        self.inner.folder.keys().recording(call)
    }

    /// What was noted and logged since then proved to be a secret: its numbers are taken out.
    pub fn forget(&self, call: &CallId, since_ms: u64) {
        self.push(Job::Forget { call: call.clone(), since_ms });
    }

    /// The call is over and its recording, if any, closed.
    pub fn finish(&self, call: &CallId, ending: Ending) {
        self.submit(Job::Finish { call: call.clone(), ending: Box::new(ending) }, 0);
    }

    /// The summary in a language model's words, checked against its facts; may come after `finish`.
    pub fn reword(&self, call: &CallId, words: String) {
        self.submit(Job::Reword { call: call.clone(), words }, RESERVE);
    }

    /// This call's caller is to be called back. Answers when that is on disk: from then on no crash loses it.
    pub async fn promise(
        &self,
        call: &CallId,
        promise: Promise,
        agreed: DateTime<Utc>,
        until: DateTime<Utc>,
    ) -> Result<()> {
        let what = Write::Promise { promise: Box::new(promise), agreed, until };
        self.push(Job::Promise { call: call.clone(), what });
        self.flush().await?;
        // A row that was refused is none.
        let there = sqlx::query_scalar::<_, i64>("SELECT 1 FROM callbacks WHERE call = ? AND agreed_ms = ?")
            .bind(call)
            .bind(agreed.timestamp_millis())
            .fetch_optional(&self.inner.database)
            .await?;
        there.map(drop).ok_or_else(|| Error::NoSuchCall(call.clone()))
    }

    /// It was dialled for the so-manieth time.
    pub fn callback_attempt(&self, call: &CallId, attempts: u32) {
        self.push(Job::Promise { call: call.clone(), what: Write::Attempt { attempts } });
    }

    /// What became of it.
    pub fn callback_is(&self, call: &CallId, state: CallbackState) {
        self.push(Job::Promise { call: call.clone(), what: Write::State(state) });
    }

    /// A message was left.
    pub fn message(&self, call: &CallId, message: LeftMessage) {
        self.push(Job::Promise { call: call.clone(), what: Write::Message(message) });
    }

    /// Supervisors are told of this call: why, in the policy's words, and how it stands.
    pub fn alert(&self, call: &CallId, reason: &str, why: &Why) {
        let (reason, why) = (reason.to_owned(), Box::new(why.clone()));
        self.submit(Job::Alert { call: call.clone(), reason, why }, RESERVE);
    }

    /// Who is told, by webhook, of what is written from now on.
    pub fn subscribe(&self, subscribers: Vec<Subscriber>) {
        self.inner.folder.subscribe(subscribers);
    }

    /// Waits until everything given so far is on disk.
    pub async fn flush(&self) -> Result<()> {
        let (done, answer) = oneshot::channel();
        self.push(Job::Flush(done));
        answer.await.map_err(|_| Error::Stopped)?
    }

    /// Writes what is waiting and closes the database. What other clones give after this is lost (and counted).
    pub async fn close(&self) -> Result<()> {
        // A disk that does not come back must not keep the process.
        let flushed = tokio::time::timeout(PATIENCE, self.flush()).await.unwrap_or(Err(Error::Stopped));
        let writer = lock(&self.inner.writer).take();
        if let Some(mut writer) = writer {
            let stopped = async {
                self.push(Job::Stop);
                let _ = (&mut writer).await;
            };
            if tokio::time::timeout(PATIENCE, stopped).await.is_err() {
                writer.abort();
            }
        }
        self.inner.database.close().await;
        if let Some(claim) = lock(&self.inner.claim).take() {
            // Closing would not do while a child process has yet to close its copy.
            let _ = claim.unlock(); // it is ours
        }
        flushed
    }

    /// For reading the same records.
    pub async fn archive(&self) -> Result<Archive> {
        Archive::of(self.inner.folder.clone()).await
    }

    /// Jobs waiting for the disk.
    pub fn waiting(&self) -> usize {
        self.inner.waiting.load(Ordering::Relaxed)
    }

    /// Never waits. `reserve` places stay free for those that ask for none.
    fn submit(&self, job: Job, reserve: usize) {
        let room = self.inner.room - reserve.min(self.inner.room / 8);
        if self.inner.waiting.load(Ordering::Relaxed) < room {
            self.push(job);
        } else {
            self.lost(&job);
        }
    }

    /// Whether there is room or not.
    fn push(&self, job: Job) {
        self.inner.waiting.fetch_add(1, Ordering::Relaxed);
        if let Err(mpsc::error::SendError(job)) = self.inner.jobs.send(job) {
            self.inner.waiting.fetch_sub(1, Ordering::Relaxed);
            self.lost(&job); // closed
        }
    }

    fn lost(&self, job: &Job) {
        if let Some(call) = job.call() {
            *lock(&self.inner.lost).entry(call.clone()).or_default() += 1;
            metrics::counter!(names::RECORDS_LOST).increment(1);
        }
    }
}

/// A poisoned lock means a panic between two plain assignments, which cannot leave these values half made.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::call::{Note, Utterance};

    // The queue of a disk that stands still: the writer cannot get the one connection while the test holds it.
    #[tokio::test]
    async fn a_full_queue_drops_notes_before_ends_never_waits_and_says_so_in_the_record() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open_with_queue(folder.path(), Keys::default(), 64).await.unwrap();
        let flow = StoredFlow::new("flow", &"{}").unwrap();
        let call = "call".to_string();
        store.begin(&call, &Caller::default(), Utc::now(), &flow);
        store.flush().await.unwrap();

        let disk = store.inner.database.acquire().await.unwrap();
        for seq in 0..200 {
            store.note(&call, &Entry { seq, at_ms: 0, note: Note::Silence });
        }
        let summary = Summary { outcome: None, language: "en".into(), facts: Vec::new() };
        store.finish(&call, Ending { cause: Cause::Completed, ended: Utc::now(), summary, quality: None });
        drop(disk);
        store.flush().await.unwrap();
        store.flush().await.unwrap(); // losses are written with the batch after them

        let record = store.archive().await.unwrap().show("call").await.unwrap();
        assert_eq!(record.head.cause, Some(Cause::Completed), "the end had its reserved place");
        assert_eq!(record.timeline.len(), 56);
        assert_eq!(record.head.lost, 144);
        store.close().await.unwrap();
    }

    #[tokio::test]
    async fn a_full_queue_never_drops_what_is_to_be_forgotten() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open_with_queue(folder.path(), Keys::default(), 64).await.unwrap();
        let flow = StoredFlow::new("flow", &"{}").unwrap();
        let call = "call".to_string();
        store.begin(&call, &Caller::default(), Utc::now(), &flow);
        store.flush().await.unwrap();

        let disk = store.inner.database.acquire().await.unwrap();
        let said = Utterance { text: "order 45395787".into(), ..Utterance::default() };
        store.note(&call, &Entry { seq: 0, at_ms: 500, note: Note::Utterance(said) });
        for n in 0..200 {
            store.begin(&format!("other {n}"), &Caller::default(), Utc::now(), &flow);
        }
        assert_eq!(store.waiting(), 64, "not one more finds room");
        store.forget(&call, 400);
        drop(disk);
        store.flush().await.unwrap();

        let record = store.archive().await.unwrap().show("call").await.unwrap();
        assert_eq!(record.transcript()[0].text, "order ***");
        store.close().await.unwrap();
    }
}

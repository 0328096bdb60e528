//! Callbacks that are to be made and messages that were left: written before the caller is told that they are kept, and
//! there again after a crash.

use std::path::Path;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::json;
use sqlx::{FromRow, Sqlite, Transaction};

use super::archive::time;
use super::disk::Folder;
use super::labels::write_wav;
use super::{Archive, Error, Occasion, Result, from_word, outbox, word};
use crate::call::{CallId, Caller, LeftMessage, Promise};
use crate::media::Sound;

/// What has become of a callback.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CallbackState {
    /// It is to be made.
    Waiting,
    Reached,
    /// Called as often as allowed.
    NotReached,
    /// Not made in time.
    TooLate,
    Cancelled,
}

/// A callback on record.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Callback {
    /// The call in which it was agreed on.
    pub call: CallId,
    pub line: String,
    pub agreed: DateTime<Utc>,
    pub until: DateTime<Utc>,
    pub attempts: u32,
    pub state: CallbackState,
    /// None: its key is not here.
    pub promise: Option<Promise>,
}

/// A message on record; where its sound is, the call's recordings tell.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Message {
    pub call: CallId,
    pub line: String,
    /// When it began.
    pub at: DateTime<Utc>,
    pub queue: String,
    pub from_ms: u64,
    pub to_ms: u64,
    /// None: their key is not here.
    pub caller: Option<Caller>,
    pub text: Option<String>,
}

/// Writing, one row.
pub(super) enum Write {
    Promise { promise: Box<Promise>, agreed: DateTime<Utc>, until: DateTime<Utc> },
    Attempt { attempts: u32 },
    State(CallbackState),
    Message(LeftMessage),
}

pub(super) async fn write(to: &mut Transaction<'_, Sqlite>, folder: &Folder, call: &str, what: &Write) -> Result<()> {
    let query = match what {
        Write::Promise { promise, agreed, until } => sqlx::query(
            "INSERT OR REPLACE INTO callbacks (call, queue, agreed_ms, until_ms, state, promise) \
             VALUES (?, ?, ?, ?, 'waiting', ?)",
        )
        .bind(call)
        .bind(promise.queue.clone())
        .bind(agreed.timestamp_millis())
        .bind(until.timestamp_millis())
        .bind(folder.seal(call, promise)?),
        Write::Attempt { attempts } => {
            sqlx::query("UPDATE callbacks SET attempts = ?2 WHERE call = ?1").bind(call).bind(*attempts)
        }
        Write::State(state) => {
            sqlx::query("UPDATE callbacks SET state = ?2 WHERE call = ?1").bind(call).bind(word(state))
        }
        Write::Message(message) => {
            sqlx::query("INSERT INTO messages (call, queue, from_ms, to_ms, message) VALUES (?, ?, ?, ?, ?)")
                .bind(call)
                .bind(message.queue.clone())
                .bind(message.from_ms as i64)
                .bind(message.to_ms as i64)
                .bind(folder.seal(call, &message.text)?)
        }
    };
    query.execute(&mut **to).await?;
    let (occasion, detail) = match what {
        Write::Promise { promise, agreed, until } => {
            let Promise { queue, number, .. } = &**promise;
            (Occasion::CallbackKept, json!({ "queue": queue, "agreed": agreed, "until": until, "number": number }))
        }
        Write::State(state) => (Occasion::CallbackOver, json!({ "state": state })),
        Write::Message(message) => (Occasion::MessageLeft, json!(message)),
        Write::Attempt { .. } => return Ok(()),
    };
    outbox::put(to, folder, call, occasion, &detail).await
}

#[derive(FromRow)]
struct CallbackRow {
    call: String,
    line: String,
    agreed_ms: i64,
    until_ms: i64,
    attempts: u32,
    state: String,
    promise: Vec<u8>,
}

#[derive(FromRow)]
struct MessageRow {
    call: String,
    line: String,
    started_ms: i64,
    queue: String,
    from_ms: i64,
    to_ms: i64,
    caller: Vec<u8>,
    message: Vec<u8>,
}

const CALLBACKS: &str = "SELECT callbacks.call, line, agreed_ms, until_ms, attempts, state, promise \
     FROM callbacks JOIN calls ON calls.id = callbacks.call";

impl Archive {
    /// Callbacks, in the order they were agreed on: those still to be made, or all.
    pub async fn callbacks(&self, all: bool) -> Result<Vec<Callback>> {
        let some = if all { "" } else { " WHERE state = 'waiting'" };
        let query = format!("{CALLBACKS}{some} ORDER BY agreed_ms, call");
        let rows: Vec<CallbackRow> = sqlx::query_as(sqlx::AssertSqlSafe(query)).fetch_all(self.database()).await?;
        Ok(rows.into_iter().map(|row| self.callback_of(row)).collect())
    }

    /// The callback that was agreed on in this call.
    pub async fn callback(&self, call: &str) -> Result<Option<Callback>> {
        let query = format!("{CALLBACKS} WHERE callbacks.call = ?");
        let row: Option<CallbackRow> =
            sqlx::query_as(sqlx::AssertSqlSafe(query)).bind(call).fetch_optional(self.database()).await?;
        Ok(row.map(|row| self.callback_of(row)))
    }

    fn callback_of(&self, row: CallbackRow) -> Callback {
        Callback {
            promise: self.folder().unseal(&row.call, row.promise).ok(),
            call: row.call,
            line: row.line,
            agreed: time(row.agreed_ms),
            until: time(row.until_ms),
            attempts: row.attempts,
            state: from_word(Some(row.state)).ok().flatten().unwrap_or(CallbackState::Cancelled), // of a later version
        }
    }

    /// Takes a callback off the list; false where none waits. An engine that runs looks before it dials.
    pub async fn cancel_callback(&self, call: &str) -> Result<bool> {
        let done = sqlx::query("UPDATE callbacks SET state = 'cancelled' WHERE call = ? AND state = 'waiting'")
            .bind(call)
            .execute(self.database())
            .await?;
        Ok(done.rows_affected() > 0)
    }

    /// Writes the sound of a message, private to its owner; false where there is none.
    pub async fn write_message(&self, message: &Message, to: &Path) -> Result<bool> {
        let record = self.show(&message.call).await?;
        let Some(recording) = record.recordings.first() else { return Ok(false) };
        let sound = self.sound(recording, 0)?;
        let at = |ms: u64| {
            let sample = ms.saturating_sub(recording.at_ms) as usize * sound.rate as usize / 1_000;
            sample.min(sound.samples.len())
        };
        let samples = sound.samples[at(message.from_ms)..at(message.to_ms)].to_vec();
        if samples.is_empty() {
            return Ok(false);
        }
        write_wav(to, &Sound { rate: sound.rate, samples }).map_err(|error| match error {
            hound::Error::IoError(source) => Error::Export { path: to.into(), source },
            other => Error::Export { path: to.into(), source: std::io::Error::other(other) },
        })?;
        Ok(true)
    }

    /// Messages, newest first.
    pub async fn messages(&self) -> Result<Vec<Message>> {
        let rows: Vec<MessageRow> = sqlx::query_as(
            "SELECT messages.call, line, started_ms, queue, from_ms, to_ms, caller, message FROM messages \
             JOIN calls ON calls.id = messages.call ORDER BY started_ms + from_ms DESC, messages.id DESC",
        )
        .fetch_all(self.database())
        .await?;
        let message = |row: MessageRow| Message {
            at: time(row.started_ms + row.from_ms),
            caller: self.folder().unseal(&row.call, row.caller).ok(),
            text: self.folder().unseal(&row.call, row.message).ok(),
            call: row.call,
            line: row.line,
            queue: row.queue,
            from_ms: row.from_ms as u64,
            to_ms: row.to_ms as u64,
        };
        Ok(rows.into_iter().map(message).collect())
    }
}

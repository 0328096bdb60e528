//! Reading records, by the engine itself or by a command beside it.

use std::path::{Path, PathBuf};

use chrono::{DateTime, Utc};
use serde::Serialize;
use sqlx::sqlite::{SqlitePoolOptions, SqliteRow};
use sqlx::{Row, SqlitePool};

use super::disk::Folder;
use super::vault::{self, Keys};
use super::{Error, Leg, LoggedLine, Result, WrapUp, from_word, word};
use crate::call::{Caller, Cause, Entry, Note, Outcome, Summary, Talker, hide_caller, hide_personal};
use crate::media::{Sound, file};

/// Samples a second in a sealed recording.
pub(super) const SEALED_RATE: u32 = 8_000;

/// Which calls; every field narrows the choice.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    pub since: Option<DateTime<Utc>>,
    pub until: Option<DateTime<Utc>>,
    /// Name of the line in the configuration.
    pub line: Option<String>,
    pub cause: Option<Cause>,
    /// Who talked in it.
    pub agent: Option<String>,
    /// Somewhere in caller, summary or transcript, in any case of letters.
    pub text: Option<String>,
    /// As `CallRecord::without_caller` shows them, those that are over; `text` is looked for in no more than that.
    pub without_caller: bool,
    /// At most so many, the newest; none means all.
    pub limit: Option<usize>,
}

/// A call in one line.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct CallHead {
    pub call: String,
    pub started: DateTime<Utc>,
    /// `None` while the call is open.
    pub ended: Option<DateTime<Utc>>,
    pub caller: Caller,
    pub flow: String,
    pub flow_hash: String,
    pub cause: Option<Cause>,
    pub outcome: Option<Outcome>,
    pub language: Option<String>,
    /// Entries and log lines that could not be kept because the disk was too slow.
    pub lost: u64,
    /// Its key is not here, or it is damaged: who called is not known, and what was said cannot be shown.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub unreadable: bool,
}

impl CallHead {
    /// It tells what was dialled, and not by whom.
    fn hide_caller(&mut self) {
        let Caller { dialled, line, trunk, .. } = std::mem::take(&mut self.caller);
        self.caller = Caller { dialled, line, trunk, ..Caller::default() };
    }

    /// Seconds from arrival to end.
    pub fn duration_s(&self) -> Option<f64> {
        self.ended.map(|ended| (ended - self.started).num_milliseconds() as f64 / 1000.0)
    }
}

/// All that is known of a call but its event log.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct CallRecord {
    #[serde(flatten)]
    pub head: CallHead,
    pub summary: Option<Summary>,
    /// The summary in a language model's words.
    pub reworded: Option<String>,
    pub legs: Vec<Leg>,
    pub recordings: Vec<Recording>,
    /// What agents wrote about it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub wrap_ups: Vec<WrapUp>,
    pub timeline: Vec<Entry>,
    /// Entries of the timeline that cannot be read: damaged, or sealed by a key that is not here.
    pub unreadable: usize,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Recording {
    #[serde(skip)]
    pub call: String,
    pub path: PathBuf,
    /// Milliseconds of the call at the first sample.
    pub at_ms: u64,
    /// `open`, `closed`, `repaired` (its header was mended after a crash), `cut` (it ends before its end: where a crash
    /// was, or where somebody cut it) or `lost`.
    pub state: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Speaker {
    Bot,
    Caller,
    Agent,
}

/// One line of a transcript.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Line {
    pub at_ms: u64,
    pub speaker: Speaker,
    /// Words, or the key pressed.
    pub text: String,
}

impl CallRecord {
    /// As it is shown to who may not see personal data: what the flow's personal slots hold is hidden, and the recording, in
    /// which it can be heard, is not named. `flow` is the flow's JSON.
    pub fn without_personal(mut self, flow: &str) -> Self {
        if hide_personal(flow, &mut self.timeline, self.summary.as_mut()) {
            self.reworded = None;
            self.recordings.clear();
            self.wrap_ups.iter_mut().for_each(WrapUp::hide_words);
        }
        self
    }

    /// As it is shown to who may know of no caller: without what is personal, who called, what they left or agreed on where
    /// nobody was there, what they and the agent talked about, agents' own words, and sound.
    pub fn without_caller(self, flow: &str) -> Self {
        let mut record = self.without_personal(flow);
        record.head.hide_caller();
        record.reworded = None;
        record.recordings.clear();
        record.wrap_ups.iter_mut().for_each(WrapUp::hide_words);
        hide_caller(&mut record.timeline, record.summary.as_mut());
        record
    }

    /// What was said by whom, with times.
    pub fn transcript(&self) -> Vec<Line> {
        self.timeline.iter().filter_map(Line::of).collect()
    }
}

impl Line {
    fn of(entry: &Entry) -> Option<Self> {
        let (at_ms, speaker, text) = match &entry.note {
            Note::Say { text } => (entry.at_ms, Speaker::Bot, text.clone()),
            Note::Utterance(utterance) => (utterance.start_ms, Speaker::Caller, utterance.text.clone()),
            Note::Overheard { who: Talker::Caller, text, start_ms, .. } => (*start_ms, Speaker::Caller, text.clone()),
            Note::Overheard { who: Talker::Agent, text, start_ms, .. } => (*start_ms, Speaker::Agent, text.clone()),
            Note::Dtmf { key } => (entry.at_ms, Speaker::Caller, format!("[{}]", key.as_char())),
            _ => return None,
        };
        Some(Self { at_ms, speaker, text })
    }
}

/// The reading end of the records; several may be open, also while an engine writes.
#[derive(Clone)]
pub struct Archive {
    folder: Folder,
    database: SqlitePool,
}

/// The columns of a `CallHead`, and what follows FROM.
macro_rules! heads {
    ($rest:literal) => {
        concat!(
            "SELECT calls.id, started_ms, ended_ms, cause, outcome, language, caller, lost, flows.name, flows.hash \
             FROM calls JOIN flows ON flows.hash = calls.flow ",
            $rest
        )
    };
}

impl Archive {
    /// The records in `folder`, which an engine must have made, where they are not sealed.
    pub async fn open(folder: &Path) -> Result<Self> {
        Self::open_with(folder, Keys::default()).await
    }

    /// As `open`, where they are.
    pub async fn open_with(folder: &Path, keys: Keys) -> Result<Self> {
        let archive = Self::of(Folder::find(folder, keys)?).await?;
        let (mut unknown, known) = archive.folder.unknown_keys(&archive.database).await?;
        match unknown.pop() {
            Some((error, _)) if known == 0 => Err(error),
            _ => Ok(archive), // what can be read is; the rest says that it cannot
        }
    }

    pub(super) async fn of(folder: Folder) -> Result<Self> {
        let options = folder.database().create_if_missing(false);
        let database = SqlitePoolOptions::new().max_connections(2).connect_with(options).await?;
        Ok(Self { folder, database })
    }

    /// The calls chosen, newest first; those that cannot be read are among them and say so. A `text` is looked for in
    /// every call that the rest of the filter leaves, where it can be read.
    pub async fn list(&self, filter: &Filter) -> Result<Vec<CallHead>> {
        let rows = sqlx::query(heads!(
            "WHERE (?1 IS NULL OR started_ms >= ?1) AND (?2 IS NULL OR started_ms < ?2) \
             AND (?3 IS NULL OR line = ?3) AND (?4 IS NULL OR cause = ?4) \
             AND (?6 IS NULL OR EXISTS (SELECT 1 FROM legs WHERE legs.call = calls.id AND legs.agent = ?6 \
             AND legs.answered_ms IS NOT NULL)) AND (NOT ?7 OR ended_ms IS NOT NULL) \
             ORDER BY started_ms DESC, calls.id DESC LIMIT ?5"
        ))
        .bind(filter.since.map(|time| time.timestamp_millis()))
        .bind(filter.until.map(|time| time.timestamp_millis()))
        .bind(&filter.line)
        .bind(filter.cause.as_ref().and_then(word))
        // A text is looked for in as many as it takes.
        .bind(filter.limit.filter(|_| filter.text.is_none()).map_or(-1, |limit| limit as i64))
        .bind(&filter.agent)
        .bind(filter.without_caller)
        .fetch_all(&self.database)
        .await?;
        let text = filter.text.as_ref().map(|text| text.to_lowercase());
        let mut calls = Vec::new();
        for row in rows {
            if filter.limit.is_some_and(|limit| calls.len() >= limit) {
                break;
            }
            let mut head = match self.caller(&row) {
                Err(error) if error.is_unreadable() => CallHead { unreadable: true, ..head(&row, Caller::default())? },
                caller => head(&row, caller?)?,
            };
            if filter.without_caller {
                head.hide_caller();
            }
            let fits = match &text {
                Some(text) if !head.unreadable => self.mentions(&head, text, filter.without_caller).await?,
                text => text.is_none(),
            };
            if fits {
                calls.push(head);
            }
        }
        Ok(calls)
    }

    /// One call, by its name, the beginning of it, or `last`.
    pub async fn show(&self, call: &str) -> Result<CallRecord> {
        let call = self.resolve(call).await?;
        let row = sqlx::query(heads!("WHERE calls.id = ?")).bind(&call).fetch_one(&self.database).await?;
        let (summary, reworded): (Option<Vec<u8>>, Option<Vec<u8>>) =
            sqlx::query_as("SELECT summary, reworded FROM calls WHERE id = ?")
                .bind(&call)
                .fetch_one(&self.database)
                .await?;
        let (timeline, unreadable) = self.timeline(&call).await?;
        Ok(CallRecord {
            head: head(&row, self.caller(&row)?)?,
            summary: summary.map(|sealed| self.folder.unseal(&call, sealed)).transpose()?,
            reworded: reworded.map(|sealed| self.folder.unseal(&call, sealed)).transpose()?,
            legs: self.legs(&call).await?,
            recordings: self.recordings(&call).await?,
            wrap_ups: self.wrap_ups(&call).await?,
            timeline,
            unreadable,
        })
    }

    /// What the deciding code was told and what it answered, in order, to the byte.
    pub async fn event_log(&self, call: &str) -> Result<Vec<LoggedLine>> {
        let call = self.resolve(call).await?;
        let rows: Vec<(i64, Vec<u8>, Vec<u8>)> =
            sqlx::query_as("SELECT at_ms, event, actions FROM event_log WHERE call = ? ORDER BY id")
                .bind(&call)
                .fetch_all(&self.database)
                .await?;
        rows.into_iter()
            .map(|(at_ms, event, actions)| {
                let text = |sealed| self.text(&call, sealed);
                Ok(LoggedLine { at_ms: at_ms as u64, event_json: text(event)?, actions_json: text(actions)? })
            })
            .collect()
    }

    /// The flow that a call ran through, as JSON.
    pub async fn flow(&self, hash: &str) -> Result<String> {
        let sealed: Option<Vec<u8>> = sqlx::query_scalar("SELECT flow FROM flows WHERE hash = ?")
            .bind(hash)
            .fetch_optional(&self.database)
            .await?;
        self.text(hash, sealed.ok_or_else(|| Error::NoSuchCall(hash.into()))?)
    }

    /// One side of a recording (0: the caller), sealed or not.
    pub fn sound(&self, recording: &Recording, channel: usize) -> Result<Sound> {
        let failed = |source| Error::Sound { path: recording.path.clone(), source };
        match vault::read(self.folder.keys(), &recording.call, &recording.path)? {
            Some(heard) => {
                let samples = heard.pairs.into_iter().map(|pair| pair[channel.min(1)]).collect();
                Ok(Sound { rate: SEALED_RATE, samples })
            }
            None => file::read_channel(&recording.path, channel).map_err(failed),
        }
    }

    pub(super) fn folder(&self) -> &Folder {
        &self.folder
    }

    pub(super) fn database(&self) -> &SqlitePool {
        &self.database
    }

    async fn resolve(&self, call: &str) -> Result<String> {
        let found: Vec<String> = if call == "last" {
            sqlx::query_scalar("SELECT id FROM calls ORDER BY started_ms DESC, id DESC LIMIT 1")
        } else {
            sqlx::query_scalar("SELECT id FROM calls WHERE substr(id, 1, length(?1)) = ?1 ORDER BY id <> ?1 LIMIT 2")
                .bind(call)
        }
        .fetch_all(&self.database)
        .await?;
        match found.as_slice() {
            _ if call.is_empty() => Err(Error::NoSuchCall(call.into())),
            [] => Err(Error::NoSuchCall(call.into())),
            [only] => Ok(only.clone()),
            [exact, _] if exact == call => Ok(exact.clone()),
            _ => Err(Error::Ambiguous(call.into())),
        }
    }

    /// And how many entries cannot be read.
    async fn timeline(&self, call: &str) -> Result<(Vec<Entry>, usize)> {
        let rows: Vec<Vec<u8>> = sqlx::query_scalar("SELECT entry FROM timeline WHERE call = ? ORDER BY seq")
            .bind(call)
            .fetch_all(&self.database)
            .await?;
        self.folder.unseal_all(call, rows)
    }

    async fn legs(&self, call: &str) -> Result<Vec<Leg>> {
        let rows = sqlx::query(
            "SELECT n, agent, began_ms, answered_ms, ended_ms, quality FROM legs WHERE call = ? ORDER BY n",
        )
        .bind(call)
        .fetch_all(&self.database)
        .await?;
        rows.iter()
            .map(|row| {
                let quality: Option<String> = row.try_get(5)?;
                Ok(Leg {
                    n: row.try_get(0)?,
                    agent: row.try_get(1)?,
                    began_ms: row.try_get::<i64, _>(2)? as u64,
                    answered_ms: row.try_get::<Option<i64>, _>(3)?.map(|ms| ms as u64),
                    ended_ms: row.try_get::<Option<i64>, _>(4)?.map(|ms| ms as u64),
                    quality: quality.map(|json| serde_json::from_str(&json)).transpose()?,
                })
            })
            .collect()
    }

    async fn recordings(&self, call: &str) -> Result<Vec<Recording>> {
        let rows: Vec<(String, i64, String)> =
            sqlx::query_as("SELECT path, at_ms, state FROM recordings WHERE call = ? ORDER BY at_ms")
                .bind(call)
                .fetch_all(&self.database)
                .await?;
        let recording = |(path, at_ms, state): (String, i64, String)| {
            let path = self.folder.path(&path);
            let ended = matches!(state.as_str(), "closed" | "repaired");
            let cut = ended && matches!(vault::whole(self.folder.keys(), call, &path), Ok(Some(false)));
            let state = if cut { "cut".into() } else { state };
            Recording { call: call.into(), path, at_ms: at_ms as u64, state }
        };
        Ok(rows.into_iter().map(recording).collect())
    }

    fn caller(&self, row: &SqliteRow) -> Result<Caller> {
        self.folder.unseal(row.try_get(0)?, row.try_get(6)?)
    }

    fn text(&self, about: &str, sealed: Vec<u8>) -> Result<String> {
        // It went in as a String.
        Ok(String::from_utf8_lossy(&self.folder.keys().unseal(about, sealed)?).into_owned())
    }

    /// `text` in lower case.
    async fn mentions(&self, head: &CallHead, text: &str, without_caller: bool) -> Result<bool> {
        let caller = [Some(&head.caller.number), head.caller.name.as_ref(), Some(&head.caller.dialled)];
        if caller.into_iter().flatten().any(|part| part.to_lowercase().contains(text)) {
            return Ok(true);
        }
        let mut record = match self.show(&head.call).await {
            Err(error) if error.is_unreadable() => return Ok(false),
            record => record?,
        };
        if without_caller {
            let flow = match self.flow(&head.flow_hash).await {
                Err(error) if error.is_unreadable() => String::new(), // hides all
                flow => flow?,
            };
            record = record.without_caller(&flow);
        }
        let facts = record.summary.iter().flat_map(|summary| summary.facts.iter().map(|fact| fact.text.clone()));
        let lines = record.transcript().into_iter().map(|line| line.text);
        Ok(facts.chain(record.reworded.clone()).chain(lines).any(|part| part.to_lowercase().contains(text)))
    }
}

fn head(row: &SqliteRow, caller: Caller) -> Result<CallHead> {
    Ok(CallHead {
        call: row.try_get(0)?,
        started: time(row.try_get(1)?),
        ended: row.try_get::<Option<i64>, _>(2)?.map(time),
        cause: from_word(row.try_get(3)?)?,
        outcome: from_word(row.try_get(4)?)?,
        language: row.try_get(5)?,
        caller,
        lost: row.try_get::<i64, _>(7)? as u64,
        unreadable: false,
        flow: row.try_get(8)?,
        flow_hash: row.try_get(9)?,
    })
}

pub(super) fn time(ms: i64) -> DateTime<Utc> {
    DateTime::from_timestamp_millis(ms).unwrap_or_default()
}

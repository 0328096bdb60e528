//! What webhooks are yet to be told, written in the transaction of what happened: no crash parts the two. A row says what
//! happened in which call; the body is made of the record when it is sent.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sqlx::{Sqlite, Transaction};

use super::archive::time;
use super::disk::Folder;
use super::{Archive, Result, from_word, word};
use crate::telemetry::names;

/// Messages that may wait for one webhook; what comes beyond that is lost, and counted.
const ROOM: i64 = 10_000;

/// What a webhook may be told of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
pub enum Occasion {
    CallEnded,
    WrappedUp,
    Alert,
    MessageLeft,
    CallbackKept,
    CallbackOver,
}

/// A webhook, and what it is told of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subscriber {
    pub hook: String,
    pub occasions: BTreeSet<Occasion>,
}

/// A message that is due.
#[derive(Clone, Debug, PartialEq)]
pub struct Delivery {
    pub id: String,
    pub occasion: Occasion,
    pub call: String,
    pub at: DateTime<Utc>,
    /// How often it was sent in vain.
    pub attempts: u32,
    /// What the record does not say by itself. `Null`: its key is not here.
    pub detail: Value,
}

/// Something happened in a call: a row for each webhook that is to be told.
pub(super) async fn put(
    to: &mut Transaction<'_, Sqlite>,
    folder: &Folder,
    call: &str,
    occasion: Occasion,
    detail: &Value,
) -> Result<()> {
    let subscribers = folder.subscribers();
    for Subscriber { hook, .. } in subscribers.iter().filter(|one| one.occasions.contains(&occasion)) {
        let put = sqlx::query(
            "INSERT INTO outbox (id, hook, occasion, call, at_ms, due_ms, detail) SELECT ?1, ?2, ?3, ?4, ?5, ?5, ?6 \
             WHERE (SELECT COUNT(*) FROM outbox WHERE hook = ?2) < ?7",
        )
        .bind(uuid::Uuid::now_v7().to_string())
        .bind(hook)
        .bind(word(&occasion))
        .bind(call)
        .bind(Utc::now().timestamp_millis())
        .bind(folder.seal(call, detail)?)
        .bind(ROOM)
        .execute(&mut **to)
        .await?;
        if put.rows_affected() == 0 {
            tracing::error!(call, webhook = hook, "too much waits for this webhook: it will not hear of this call");
            metrics::counter!(names::WEBHOOKS, "webhook" => hook.clone(), "result" => "lost").increment(1);
        }
    }
    Ok(())
}

type Row = (String, String, String, i64, u32, Vec<u8>);

impl Archive {
    /// What this webhook is to be told now, oldest first, `limit` at most.
    pub async fn due(&self, hook: &str, now: DateTime<Utc>, limit: u32) -> Result<Vec<Delivery>> {
        let rows: Vec<Row> = sqlx::query_as(
            "SELECT id, occasion, call, at_ms, attempts, detail FROM outbox WHERE hook = ? AND due_ms <= ? \
             ORDER BY due_ms, id LIMIT ?",
        )
        .bind(hook)
        .bind(now.timestamp_millis())
        .bind(limit)
        .fetch_all(self.database())
        .await?;
        let delivery = |(id, occasion, call, at, attempts, detail): Row| {
            let occasion = from_word(Some(occasion)).ok().flatten()?; // of a later version
            let detail = self.folder().unseal(&call, detail).unwrap_or_default();
            Some(Delivery { id, occasion, call, at: time(at), attempts, detail })
        };
        Ok(rows.into_iter().filter_map(delivery).collect())
    }

    /// It was told, or never will be.
    pub async fn dismiss(&self, delivery: &str) -> Result<()> {
        sqlx::query("DELETE FROM outbox WHERE id = ?").bind(delivery).execute(self.database()).await?;
        Ok(())
    }

    /// It was sent in vain, once more.
    pub async fn postpone(&self, delivery: &str, until: DateTime<Utc>) -> Result<()> {
        sqlx::query("UPDATE outbox SET attempts = attempts + 1, due_ms = ?2 WHERE id = ?1")
            .bind(delivery)
            .bind(until.timestamp_millis())
            .execute(self.database())
            .await?;
        Ok(())
    }

    /// Forgets what waits for webhooks that are not among these; how much that was.
    pub async fn dismiss_but(&self, hooks: &[String]) -> Result<u64> {
        let gone = sqlx::query("DELETE FROM outbox WHERE hook NOT IN (SELECT value FROM json_each(?))")
            .bind(serde_json::to_string(hooks)?)
            .execute(self.database())
            .await?;
        Ok(gone.rows_affected())
    }
}

//! What agents wrote about their calls, and what a caller's earlier calls came to.

use chrono::{DateTime, Utc};
use serde::Serialize;

use super::archive::time;
use super::{Archive, CallHead, Filter, Result};
use crate::call::comparable;

/// The newest calls in which a caller's earlier ones are looked for: who called is sealed, so each is opened.
const SEARCHED: usize = 5_000;

/// What an agent left about a call.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct WrapUp {
    pub agent: String,
    /// What the call came to, of the operator's list.
    pub disposition: Option<String>,
    pub notes: String,
    pub made: DateTime<Utc>,
}

/// A caller's earlier call.
#[derive(Clone, Debug, Serialize)]
pub struct Earlier {
    #[serde(flatten)]
    pub head: CallHead,
    /// The summary on one line; empty where there is none.
    pub headline: String,
    pub wrap_ups: Vec<WrapUp>,
}

impl Archive {
    /// Writes down what an agent leaves about a call; said again, it replaces what was said.
    pub async fn wrap_up(&self, call: &str, agent: &str, disposition: Option<&str>, notes: &str) -> Result<()> {
        sqlx::query(
            "INSERT INTO wrap_ups (call, agent, disposition, notes, made_ms) VALUES (?, ?, ?, ?, ?) \
             ON CONFLICT (call, agent) DO UPDATE SET disposition = excluded.disposition, notes = excluded.notes, \
             made_ms = excluded.made_ms",
        )
        .bind(call)
        .bind(agent)
        .bind(disposition)
        .bind(self.folder().seal(call, &notes)?)
        .bind(Utc::now().timestamp_millis())
        .execute(self.database())
        .await?;
        Ok(())
    }

    pub(super) async fn wrap_ups(&self, call: &str) -> Result<Vec<WrapUp>> {
        let rows: Vec<(String, Option<String>, Vec<u8>, i64)> =
            sqlx::query_as("SELECT agent, disposition, notes, made_ms FROM wrap_ups WHERE call = ? ORDER BY made_ms")
                .bind(call)
                .fetch_all(self.database())
                .await?;
        let wrap_up = |(agent, disposition, notes, made)| {
            Ok(WrapUp { agent, disposition, notes: self.folder().unseal(call, notes)?, made: time(made) })
        };
        rows.into_iter().map(wrap_up).collect()
    }

    /// Whether this agent talked in this call.
    pub async fn talked(&self, call: &str, agent: &str) -> Result<bool> {
        let found: Option<i64> =
            sqlx::query_scalar("SELECT 1 FROM legs WHERE call = ? AND agent = ? AND answered_ms IS NOT NULL LIMIT 1")
                .bind(call)
                .bind(agent)
                .fetch_optional(self.database())
                .await?;
        Ok(found.is_some())
    }

    /// Calls of this number that are over, newest first, `limit` at most.
    pub async fn earlier(&self, number: &str, limit: usize) -> Result<Vec<Earlier>> {
        let wanted = comparable(number);
        if wanted.is_empty() {
            return Ok(Vec::new());
        }
        let newest = self.list(&Filter { limit: Some(SEARCHED), ..Filter::default() }).await?;
        let theirs =
            newest.into_iter().filter(|call| call.cause.is_some() && comparable(&call.caller.number) == wanted);
        let mut earlier = Vec::new();
        for head in theirs.take(limit) {
            let record = self.show(&head.call).await?;
            let headline = record.summary.map(|summary| summary.headline()).unwrap_or_default();
            earlier.push(Earlier { head, headline, wrap_ups: record.wrap_ups });
        }
        Ok(earlier)
    }
}

//! What the past tells of the days to come: how long conversations took.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use chrono::{DateTime, Utc};

use super::{Archive, Result};
use crate::call::{Entry, Note};

/// The newest conversations that are looked at: which queue each came by is sealed, so each is opened.
const SEARCHED: u32 = 5_000;

/// Conversations of one queue.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Conversations {
    pub count: u64,
    /// From the agent's answer to the end of their leg.
    pub mean: Duration,
}

impl Archive {
    /// What agents' conversations took since then, by the queue that the caller was sent to. Those that cannot be read do not
    /// count.
    pub async fn conversations(&self, since: DateTime<Utc>) -> Result<BTreeMap<String, Conversations>> {
        let legs: Vec<(String, i64, i64)> = sqlx::query_as(
            "SELECT call, answered_ms, legs.ended_ms FROM legs JOIN calls ON calls.id = call \
             WHERE started_ms >= ?1 AND agent IS NOT NULL AND answered_ms IS NOT NULL AND legs.ended_ms IS NOT NULL \
             ORDER BY started_ms DESC LIMIT ?2",
        )
        .bind(since.timestamp_millis())
        .bind(SEARCHED)
        .fetch_all(self.database())
        .await?;
        let mut sent: HashMap<String, Vec<(u64, String)>> = HashMap::new();
        let mut sums: BTreeMap<String, (u64, u64)> = BTreeMap::new();
        for (call, answered_ms, ended_ms) in legs {
            let (answered_ms, ended_ms) = (answered_ms as u64, ended_ms as u64);
            if !sent.contains_key(&call) {
                sent.insert(call.clone(), self.sent_to(&call).await?);
            }
            let queue = sent[&call].iter().rev().find(|(at_ms, _)| *at_ms <= answered_ms);
            let Some((_, queue)) = queue else { continue }; // by a colleague, or sealed by another key
            let (count, took_ms) = sums.entry(queue.clone()).or_default();
            *count += 1;
            *took_ms += ended_ms.saturating_sub(answered_ms);
        }
        let mean = |(count, took_ms): (u64, u64)| Conversations { count, mean: Duration::from_millis(took_ms / count) };
        Ok(sums.into_iter().map(|(queue, sum)| (queue, mean(sum))).collect())
    }

    /// The queues that a call was sent to, and when (ms of the call).
    async fn sent_to(&self, call: &str) -> Result<Vec<(u64, String)>> {
        let rows = sqlx::query_scalar("SELECT entry FROM timeline WHERE call = ? AND event = 'transfer' ORDER BY seq")
            .bind(call)
            .fetch_all(self.database())
            .await?;
        let (entries, _) = self.folder().unseal_all::<Entry>(call, rows)?;
        let sent = entries.into_iter().filter_map(|entry| match entry.note {
            Note::Transfer { queue, .. } => Some((entry.at_ms, queue)),
            _ => None,
        });
        Ok(sent.collect())
    }
}

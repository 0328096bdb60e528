//! What the past tells of the days to come: when callers were sent to which queue, and how long conversations took.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::time::Duration;

use chrono::{DateTime, Utc};

use super::archive::time;
use super::{Archive, Result};
use crate::call::{Entry, Note};

/// The newest conversations that are looked at: which queue each came by is sealed, so each is opened.
const SEARCHED: u32 = 5_000;

/// Likewise of callers who were sent to one.
const SENT: u32 = 50_000;

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

    /// When callers were sent to each queue since then, oldest first; a call counts once a queue.
    pub async fn sent(&self, since: DateTime<Utc>) -> Result<BTreeMap<String, Vec<DateTime<Utc>>>> {
        let rows: Vec<(String, i64, Vec<u8>)> = sqlx::query_as(
            "SELECT call, started_ms + at_ms, entry FROM timeline JOIN calls ON calls.id = call \
             WHERE event = 'transfer' AND started_ms >= ?1 ORDER BY started_ms DESC, seq DESC LIMIT ?2",
        )
        .bind(since.timestamp_millis())
        .bind(SENT)
        .fetch_all(self.database())
        .await?;
        let (mut seen, mut sent) = (HashSet::new(), BTreeMap::<String, Vec<DateTime<Utc>>>::new());
        for (call, at_ms, entry) in rows.into_iter().rev() {
            let entry: Entry = match self.folder().unseal(&call, entry) {
                Err(error) if error.is_unreadable() => continue,
                entry => entry?,
            };
            if let Note::Transfer { queue, .. } = entry.note
                && seen.insert((call, queue.clone()))
            {
                sent.entry(queue).or_default().push(time(at_ms));
            }
        }
        Ok(sent)
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

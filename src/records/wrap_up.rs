//! What agents wrote about their calls, and what a caller's earlier calls came to.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::archive::time;
use super::{Archive, CallHead, CallRecord, Filter, Label, Occasion, Result, outbox};
use crate::call::comparable;
use crate::dialog::{Language, flow::Flow};
use crate::emotion::Class;

/// The newest calls in which a caller's earlier ones are looked for: who called is sealed, so each is opened.
const SEARCHED: usize = 5_000;

/// What an agent left about a call.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct WrapUp {
    pub agent: String,
    /// What the call came to, of the operator's list.
    pub disposition: Option<String>,
    pub notes: String,
    #[serde(skip_serializing_if = "Corrections::is_empty")]
    pub corrections: Corrections,
    pub made: DateTime<Utc>,
}

impl WrapUp {
    /// Without what the agent put in words of their own.
    pub fn hide_words(&mut self) {
        self.notes.clear();
        self.corrections.headline = None;
    }
}

/// What was otherwise than the engine made of it, as the agent says who talked to the caller. None: it was right.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Corrections {
    /// What the caller wanted, of the flow's intents.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub intent: Option<String>,
    /// How they sounded where they sounded most upset.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub emotion: Option<Class>,
    /// The call in one line.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub headline: Option<String>,
}

impl Corrections {
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// A caller's earlier call.
#[derive(Clone, Debug, Serialize)]
pub struct Earlier {
    #[serde(flatten)]
    pub head: CallHead,
    /// The summary on one line; empty where there is none.
    pub headline: String,
    /// Who talked in it.
    pub agents: Vec<String>,
    pub wrap_ups: Vec<WrapUp>,
}

impl CallRecord {
    /// The call in one line: as an agent has put it last, else as its summary does; empty where there is none.
    pub fn headline(&self) -> String {
        let put = self.wrap_ups.iter().rev().find_map(|wrap_up| wrap_up.corrections.headline.clone());
        put.or_else(|| self.summary.as_ref().map(|summary| summary.headline())).unwrap_or_default()
    }
}

impl Archive {
    /// Writes down what an agent leaves about a call; said again, it replaces what was said. How the caller sounded becomes a
    /// label to train with.
    pub async fn wrap_up(
        &self,
        call: &str,
        agent: &str,
        disposition: Option<&str>,
        notes: &str,
        corrections: &Corrections,
    ) -> Result<()> {
        let before = self.wrap_ups(call).await?.into_iter().find(|before| before.agent == agent);
        let mut transaction = self.database().begin().await?;
        sqlx::query(
            "INSERT INTO wrap_ups (call, agent, disposition, notes, corrections, made_ms) VALUES (?, ?, ?, ?, ?, ?) \
             ON CONFLICT (call, agent) DO UPDATE SET disposition = excluded.disposition, notes = excluded.notes, \
             corrections = excluded.corrections, made_ms = excluded.made_ms",
        )
        .bind(call)
        .bind(agent)
        .bind(disposition)
        .bind(self.folder().seal(call, &notes)?)
        .bind(self.folder().seal(call, corrections)?)
        .bind(Utc::now().timestamp_millis())
        .execute(&mut *transaction)
        .await?;
        outbox::put(&mut transaction, self.folder(), call, Occasion::WrappedUp, &json!({ "agent": agent })).await?;
        transaction.commit().await?;
        let heard = before.and_then(|before| before.corrections.emotion);
        if heard != corrections.emotion {
            self.correct_loudest(call, agent, corrections.emotion).await?;
        }
        Ok(())
    }

    /// The caller's most upset utterance was heard so by this agent, or not otherwise than it was read, after all.
    async fn correct_loudest(&self, call: &str, agent: &str, emotion: Option<Class>) -> Result<()> {
        let Some((from_ms, to_ms, _)) = self.show(call).await?.most_upset() else { return Ok(()) }; // nobody listened
        let (call, by) = (call.to_owned(), agent.to_owned());
        match emotion {
            Some(emotion) => self.correct(&Label { call, from_ms, to_ms, emotion, by, made: Utc::now() }).await,
            None => self.uncorrect(&call, from_ms, to_ms).await,
        }
    }

    pub(super) async fn wrap_ups(&self, call: &str) -> Result<Vec<WrapUp>> {
        type Row = (String, Option<String>, Vec<u8>, Option<Vec<u8>>, i64);
        let rows: Vec<Row> = sqlx::query_as(
            "SELECT agent, disposition, notes, corrections, made_ms FROM wrap_ups WHERE call = ? ORDER BY made_ms",
        )
        .bind(call)
        .fetch_all(self.database())
        .await?;
        let wrap_up = |(agent, disposition, notes, corrections, made): Row| {
            let corrections = corrections.map(|sealed| self.folder().unseal(call, sealed)).transpose()?;
            Ok(WrapUp {
                agent,
                disposition,
                notes: self.folder().unseal(call, notes)?,
                corrections: corrections.unwrap_or_default(),
                made: time(made),
            })
        };
        rows.into_iter().map(wrap_up).collect()
    }

    /// The intents of the flow that a call ran through, each with its label by language.
    pub async fn intents(&self, call: &str) -> Result<BTreeMap<String, BTreeMap<Language, String>>> {
        let hash: String =
            sqlx::query_scalar("SELECT flow FROM calls WHERE id = ?").bind(call).fetch_one(self.database()).await?;
        let flow: Flow = serde_json::from_str(&self.flow(&hash).await?)?;
        Ok(flow.intents.into_iter().map(|(name, intent)| (name, intent.label)).collect())
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
            let headline = record.headline();
            let talked = record.legs.into_iter().filter(|leg| leg.answered_ms.is_some());
            let agents = talked.filter_map(|leg| leg.agent).collect();
            earlier.push(Earlier { head, headline, agents, wrap_ups: record.wrap_ups });
        }
        Ok(earlier)
    }
}

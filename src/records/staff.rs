//! Who may log in at the desk, and the trail of what they did there.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use sqlx::Row;
use sqlx::sqlite::SqliteRow;

use super::archive::time;
use super::{Archive, Result, from_word, word};

/// What an account may do; from the agent on each may what those before may.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Reads all calls that are over, without who called and what is personal in them.
    Analyst,
    Agent,
    Supervisor,
    Administrator,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Account {
    pub name: String,
    pub role: Role,
    /// Whose desk it is: an agent of the configuration.
    pub agent: Option<String>,
    /// A PHC string; none until a password was set.
    #[serde(skip)]
    pub password: Option<String>,
    pub made: DateTime<Utc>,
}

/// One line of the trail.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Deed {
    pub at: DateTime<Utc>,
    pub account: String,
    pub did: String,
    /// A call, an account, a state, ...; empty where there is nothing to name.
    pub about: String,
}

impl Archive {
    pub async fn accounts(&self) -> Result<Vec<Account>> {
        let rows = sqlx::query("SELECT name, role, agent, password, made_ms FROM accounts ORDER BY name")
            .fetch_all(self.database())
            .await?;
        rows.iter().map(account).filter_map(Result::transpose).collect()
    }

    pub async fn account(&self, name: &str) -> Result<Option<Account>> {
        let row = sqlx::query("SELECT name, role, agent, password, made_ms FROM accounts WHERE name = ?")
            .bind(name)
            .fetch_optional(self.database())
            .await?;
        Ok(row.as_ref().map(account).transpose()?.flatten())
    }

    /// Makes an account, or changes what one may; its password stays.
    pub async fn put_account(&self, name: &str, role: Role, agent: Option<&str>) -> Result<()> {
        sqlx::query(
            "INSERT INTO accounts (name, role, agent, made_ms) VALUES (?, ?, ?, ?) \
             ON CONFLICT (name) DO UPDATE SET role = excluded.role, agent = excluded.agent",
        )
        .bind(name)
        .bind(word(&role))
        .bind(agent)
        .bind(Utc::now().timestamp_millis())
        .execute(self.database())
        .await?;
        Ok(())
    }

    /// True when it was there.
    pub async fn remove_account(&self, name: &str) -> Result<bool> {
        let removed = sqlx::query("DELETE FROM accounts WHERE name = ?").bind(name).execute(self.database()).await?;
        Ok(removed.rows_affected() > 0)
    }

    /// A link (by its SHA-256) sets this account's password until then; older ones of the account are void.
    pub async fn invite(&self, name: &str, digest: &[u8], until: DateTime<Utc>) -> Result<()> {
        let mut transaction = self.database().begin().await?;
        sqlx::query("DELETE FROM invitations WHERE account = ? OR until_ms < ?")
            .bind(name)
            .bind(Utc::now().timestamp_millis())
            .execute(&mut *transaction)
            .await?;
        sqlx::query("INSERT INTO invitations (digest, account, until_ms) VALUES (?, ?, ?)")
            .bind(digest)
            .bind(name)
            .bind(until.timestamp_millis())
            .execute(&mut *transaction)
            .await?;
        transaction.commit().await?;
        Ok(())
    }

    /// Whose password this link may set now.
    pub async fn invited(&self, digest: &[u8]) -> Result<Option<String>> {
        Ok(sqlx::query_scalar("SELECT account FROM invitations WHERE digest = ? AND until_ms >= ?")
            .bind(digest)
            .bind(Utc::now().timestamp_millis())
            .fetch_optional(self.database())
            .await?)
    }

    /// Sets a password by a link, which is void from then on; whose it was. `None`: the link is void.
    pub async fn accept_invitation(&self, digest: &[u8], password: &str) -> Result<Option<String>> {
        let mut transaction = self.database().begin().await?;
        let account: Option<String> =
            sqlx::query_scalar("DELETE FROM invitations WHERE digest = ? AND until_ms >= ? RETURNING account")
                .bind(digest)
                .bind(Utc::now().timestamp_millis())
                .fetch_optional(&mut *transaction)
                .await?;
        if let Some(account) = &account {
            sqlx::query("UPDATE accounts SET password = ? WHERE name = ?")
                .bind(password)
                .bind(account)
                .execute(&mut *transaction)
                .await?;
        }
        transaction.commit().await?;
        Ok(account)
    }

    /// Writes down that somebody did something.
    pub async fn did(&self, account: &str, did: &str, about: &str) -> Result<()> {
        sqlx::query("INSERT INTO audit (at_ms, account, did, about) VALUES (?, ?, ?, ?)")
            .bind(Utc::now().timestamp_millis())
            .bind(account)
            .bind(did)
            .bind(about)
            .execute(self.database())
            .await?;
        Ok(())
    }

    /// The newest lines of the trail, newest first.
    pub async fn deeds(&self, limit: u32) -> Result<Vec<Deed>> {
        let rows: Vec<(i64, String, String, String)> =
            sqlx::query_as("SELECT at_ms, account, did, about FROM audit ORDER BY id DESC LIMIT ?")
                .bind(limit)
                .fetch_all(self.database())
                .await?;
        Ok(rows.into_iter().map(|(at, account, did, about)| Deed { at: time(at), account, did, about }).collect())
    }
}

/// `None`: its role is one of a later version.
fn account(row: &SqliteRow) -> Result<Option<Account>> {
    let Ok(Some(role)) = from_word(row.try_get(1)?) else { return Ok(None) };
    let (name, agent, password) = (row.try_get(0)?, row.try_get(2)?, row.try_get(3)?);
    Ok(Some(Account { name, role, agent, password, made: time(row.try_get(4)?) }))
}

//! Calls that are to be gone: one caller's, those past their time; and one caller's calls for the caller to have.

use std::fs::{self, DirBuilder};
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use chrono::{DateTime, Utc};

use super::{Archive, CallHead, Error, Filter, Result};

/// What was erased.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Erased {
    pub calls: usize,
    pub recordings: usize,
    /// Calls that are still up: they are to be erased when they are over.
    pub open: usize,
}

impl Archive {
    /// The calls of one number, newest first; spaces, dashes and a leading `+` or `00` do not count.
    pub async fn calls_of(&self, number: &str) -> Result<Vec<CallHead>> {
        let wanted = plain(number);
        let calls = self.list(&Filter::default()).await?;
        Ok(calls.into_iter().filter(|call| !wanted.is_empty() && plain(&call.caller.number) == wanted).collect())
    }

    /// Writes all calls of one number into a new folder, one folder a call. How many there are.
    pub async fn export_caller(&self, number: &str, to: &Path) -> Result<usize> {
        let failed = |source| Error::Export { path: to.into(), source };
        if to.exists() {
            return Err(failed(io::ErrorKind::AlreadyExists.into()));
        }
        let calls = self.calls_of(number).await?;
        DirBuilder::new().recursive(true).mode(0o700).create(to).map_err(failed)?;
        for call in &calls {
            self.export(&call.call, &to.join(&call.call)).await?;
        }
        Ok(calls.len())
    }

    /// Erases all calls of one number and their recordings, for good.
    pub async fn erase_caller(&self, number: &str) -> Result<Erased> {
        let calls = self.calls_of(number).await?;
        let (over, open): (Vec<_>, Vec<_>) = calls.into_iter().partition(|call| call.cause.is_some());
        let mut erased = self.erase(over.into_iter().map(|call| call.call).collect()).await?;
        erased.open = open.len();
        Ok(erased)
    }

    /// Erases all calls that began before then and are over.
    pub async fn erase_before(&self, before: DateTime<Utc>) -> Result<Erased> {
        let calls = sqlx::query_scalar("SELECT id FROM calls WHERE started_ms < ? AND cause IS NOT NULL")
            .bind(before.timestamp_millis())
            .fetch_all(self.database())
            .await?;
        self.erase(calls).await
    }

    /// Recordings first: what a crash interrupts is still in the database, and found again.
    async fn erase(&self, calls: Vec<String>) -> Result<Erased> {
        let mut erased = Erased::default();
        for call in &calls {
            let paths: Vec<String> = sqlx::query_scalar("SELECT path FROM recordings WHERE call = ?")
                .bind(call)
                .fetch_all(self.database())
                .await?;
            for path in paths {
                let path = self.folder().path(&path);
                erased.recordings += usize::from(remove(&path)?);
            }
            sqlx::query("DELETE FROM calls WHERE id = ?").bind(call).execute(self.database()).await?;
            erased.calls += 1;
        }
        if erased.calls > 0 {
            // What is deleted is overwritten (`secure_delete`), but the log of changes has it until it is cut.
            sqlx::query("PRAGMA incremental_vacuum").execute(self.database()).await?;
            sqlx::query("PRAGMA wal_checkpoint(TRUNCATE)").execute(self.database()).await?;
        }
        Ok(erased)
    }

    /// Seals with the key in use all that another key sealed, or none did. Returns how many values and recordings were
    /// sealed anew.
    pub async fn reseal(&self) -> Result<usize> {
        const COLUMNS: [(&str, &str, &str); 7] = [
            ("flows", "hash", "flow"),
            ("calls", "id", "caller"),
            ("calls", "id", "summary"),
            ("calls", "id", "reworded"),
            ("timeline", "call", "entry"),
            ("event_log", "call", "event"),
            ("event_log", "call", "actions"),
        ];
        let mut count = 0;
        for (table, about, column) in COLUMNS.into_iter().chain([("labels", "call", "said_by")]) {
            let select = format!(
                "SELECT rowid, {about}, {column} FROM {table} WHERE {column} IS NOT NULL AND rowid > ? ORDER BY rowid LIMIT 500"
            );
            let update = format!("UPDATE {table} SET {column} = ?2 WHERE rowid = ?1");
            let mut last = i64::MIN;
            loop {
                let rows: Vec<(i64, String, Vec<u8>)> =
                    sqlx::query_as(sqlx::AssertSqlSafe(select.clone())).bind(last).fetch_all(self.database()).await?;
                let Some((end, ..)) = rows.last() else { break };
                last = *end;
                let mut transaction = self.database().begin().await?;
                for (row, about, sealed) in rows {
                    if self.folder().keys().current(&sealed) {
                        continue;
                    }
                    let plain = self.folder().keys().unseal(&about, sealed)?;
                    sqlx::query(sqlx::AssertSqlSafe(update.clone()))
                        .bind(row)
                        .bind(self.folder().keys().seal(&about, plain))
                        .execute(&mut *transaction)
                        .await?;
                    count += 1;
                }
                transaction.commit().await?;
            }
        }
        sqlx::query("PRAGMA wal_checkpoint(TRUNCATE)").execute(self.database()).await?;
        Ok(count + self.reseal_recordings().await?)
    }

    async fn reseal_recordings(&self) -> Result<usize> {
        let rows: Vec<(String, String)> = sqlx::query_as("SELECT call, path FROM recordings WHERE state <> 'open'")
            .fetch_all(self.database())
            .await?;
        let mut count = 0;
        for (call, path) in rows {
            let full = self.folder().path(&path);
            let new = PathBuf::from(&path).with_extension("sealed");
            if !super::vault::reseal(self.folder().keys(), &call, &full, &full.with_extension("sealed"))? {
                continue;
            }
            sqlx::query("UPDATE recordings SET path = ?3 WHERE call = ?1 AND path = ?2")
                .bind(call)
                .bind(&path)
                .bind(new.to_string_lossy())
                .execute(self.database())
                .await?;
            if new != Path::new(&path) {
                remove(&full)?;
            }
            count += 1;
        }
        Ok(count)
    }
}

/// True when it was there.
fn remove(path: &Path) -> Result<bool> {
    match fs::remove_file(path) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(source) => Err(Error::Folder { path: path.into(), source }),
    }
}

fn plain(number: &str) -> String {
    let kept: String = number.chars().filter(|c| c.is_alphanumeric()).collect();
    kept.strip_prefix("00").map(str::to_owned).unwrap_or(kept)
}

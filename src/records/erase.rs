//! Calls that are to be gone: one caller's, those past their time; and one caller's calls for the caller to have.

use std::collections::HashSet;
use std::fs::{self, DirBuilder};
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::Path;
use std::time::Duration;

use chrono::{DateTime, Days, NaiveTime, Utc};

use super::archive::time;
use super::disk::{cut_log, forms, remove};
use super::{Archive, CallHead, Error, Filter, Result};
use crate::call::comparable;

/// A recording that was written to this lately may be one whose row is still to come.
const LATELY: Duration = Duration::from_secs(3_600);

/// What was erased.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Erased {
    pub calls: usize,
    /// With those that no call names any more.
    pub recordings: usize,
    /// Calls that are still up: they are to be erased when they are over.
    pub open: usize,
    /// Calls that cannot be read: whether they are this caller's is not known.
    pub unreadable: usize,
    /// What was erased still stands in the database's log of changes, for somebody reads: erase again when they are done.
    pub in_log: bool,
}

impl Archive {
    /// The calls of one number, newest first; spaces, dashes and a leading `+` or `00` do not count.
    pub async fn calls_of(&self, number: &str) -> Result<Vec<CallHead>> {
        Ok(of(self.list(&Filter::default()).await?, number))
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
        let all = self.list(&Filter::default()).await?;
        let unreadable = all.iter().filter(|call| call.unreadable).count();
        let (over, open): (Vec<_>, Vec<_>) = of(all, number).into_iter().partition(|call| call.cause.is_some());
        let open = open.len();
        let erased = self.erase(over.into_iter().map(|call| call.call).collect()).await?;
        Ok(Erased { open, unreadable, ..self.settle(erased).await? })
    }

    /// Erases all calls that began before then and are over, but for those whose callback is still to be made, and the recordings of days before it that no call names (a
    /// crash, or a full disk, came between file and row).
    pub async fn erase_before(&self, before: DateTime<Utc>) -> Result<Erased> {
        let calls = sqlx::query_scalar(
            "SELECT id FROM calls WHERE started_ms < ? AND cause IS NOT NULL \
             AND id NOT IN (SELECT call FROM callbacks WHERE state = 'waiting')",
        )
        .bind(before.timestamp_millis())
        .fetch_all(self.database())
        .await?;
        let mut erased = self.erase(calls).await?;
        erased.recordings += self.erase_strays(before).await?;
        self.settle(erased).await
    }

    /// Recordings first: what a crash interrupts is still in the database, and found again.
    async fn erase(&self, calls: Vec<String>) -> Result<Erased> {
        let mut erased = Erased::default();
        for call in &calls {
            let paths: Vec<String> = sqlx::query_scalar("SELECT path FROM recordings WHERE call = ?")
                .bind(call)
                .fetch_all(self.database())
                .await?;
            let started: i64 = sqlx::query_scalar("SELECT started_ms FROM calls WHERE id = ?")
                .bind(call)
                .fetch_one(self.database())
                .await?;
            // Its file may have no row, and may stand there in another form.
            let expected = self.folder().recording(call, time(started));
            let paths: HashSet<_> = paths.iter().map(Path::new).chain([expected.as_path()]).collect();
            for path in paths {
                let gone = forms(&self.folder().path(path)).into_iter().map(|path| remove(&path));
                erased.recordings += usize::from(gone.collect::<Result<Vec<_>>>()?.contains(&true));
            }
            sqlx::query("DELETE FROM calls WHERE id = ?").bind(call).execute(self.database()).await?;
            erased.calls += 1;
        }
        if erased.calls > 0 {
            sqlx::query("PRAGMA incremental_vacuum").execute(self.database()).await?;
        }
        Ok(erased)
    }

    /// What is deleted is overwritten (`secure_delete`), but the log of changes has it until it is cut: also when this time
    /// nothing was erased, for the last time it may not have come to that.
    async fn settle(&self, erased: Erased) -> Result<Erased> {
        let in_log = !cut_log(self.database()).await?;
        Ok(Erased { in_log, ..erased })
    }

    /// How many recordings of days that were over by then belong to no call, and are gone now.
    async fn erase_strays(&self, before: DateTime<Utc>) -> Result<usize> {
        let over = |day: chrono::NaiveDate| {
            day.checked_add_days(Days::new(1)).is_some_and(|next| next.and_time(NaiveTime::MIN).and_utc() <= before)
        };
        let days: Vec<_> = self.folder().recording_days()?.into_iter().filter(|(day, _)| over(*day)).collect();
        if days.is_empty() {
            return Ok(0);
        }
        let paths: Vec<String> = sqlx::query_scalar("SELECT path FROM recordings").fetch_all(self.database()).await?;
        let named: HashSet<_> = paths.iter().flat_map(|path| forms(&self.folder().path(path))).collect();
        let mut strays = HashSet::new();
        for (_, day) in days {
            let failed = |source| Error::Folder { path: day.clone(), source };
            for file in fs::read_dir(&day).map_err(failed)? {
                let file = file.map_err(failed)?;
                let path = file.path();
                let written = file.metadata().and_then(|about| about.modified()).map_err(failed)?;
                let lately = written.elapsed().map_or(true, |ago| ago < LATELY);
                if !named.contains(&path) && !lately && remove(&path)? {
                    strays.insert(path.with_extension(""));
                }
            }
            let _ = fs::remove_dir(&day); // when it is empty
        }
        Ok(strays.len())
    }
}

fn of(calls: Vec<CallHead>, number: &str) -> Vec<CallHead> {
    let wanted = comparable(number);
    let theirs = |call: &CallHead| !call.unreadable && comparable(&call.caller.number) == wanted;
    calls.into_iter().filter(|call| !wanted.is_empty() && theirs(call)).collect()
}

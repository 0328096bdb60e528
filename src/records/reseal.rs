//! Sealing anew: all that an older key sealed, or none, gets the key in use. What cannot be read is left as it is and named;
//! the rest goes on.

use std::collections::HashSet;
use std::path::Path;

use super::disk::{cut_log, forms, remove};
use super::{Archive, Error, Result, vault};

/// Columns that hold personal data, with the one that says whose.
const COLUMNS: [(&str, &str, &str); 13] = [
    ("flows", "hash", "flow"),
    ("calls", "id", "caller"),
    ("calls", "id", "summary"),
    ("calls", "id", "reworded"),
    ("timeline", "call", "entry"),
    ("event_log", "call", "event"),
    ("event_log", "call", "actions"),
    ("labels", "call", "said_by"),
    ("wrap_ups", "call", "notes"),
    ("wrap_ups", "call", "corrections"),
    ("callbacks", "call", "promise"),
    ("messages", "call", "message"),
    ("outbox", "call", "detail"),
];

/// What was sealed anew.
#[derive(Debug, Default)]
pub struct Resealed {
    pub values: usize,
    pub recordings: usize,
    /// What is as it was, and why: a call's name with a table's, or a recording's path.
    pub left: Vec<(String, Error)>,
    /// The database's log of changes still has what was there before, for somebody reads: do it again when they are done.
    pub in_log: bool,
}

impl Archive {
    /// Seals with the key in use all that another key sealed, or none did. No engine may run meanwhile, and none can.
    pub async fn reseal(&self) -> Result<Resealed> {
        let _engines_out = self.folder().lock()?;
        let mut resealed = Resealed::default();
        for column in COLUMNS {
            self.reseal_column(column, &mut resealed).await?;
        }
        resealed.in_log = !cut_log(self.database()).await?;
        self.reseal_recordings(&mut resealed).await?;
        self.reseal_strays(&mut resealed).await?;
        Ok(resealed)
    }

    async fn reseal_column(&self, (table, about, column): (&str, &str, &str), resealed: &mut Resealed) -> Result<()> {
        let select = format!(
            "SELECT rowid, {about}, {column} FROM {table} WHERE {column} IS NOT NULL AND rowid > ? ORDER BY rowid LIMIT 500"
        );
        let update = format!("UPDATE {table} SET {column} = ?2 WHERE rowid = ?1");
        let keys = self.folder().keys();
        let mut last = i64::MIN;
        loop {
            let rows: Vec<(i64, String, Vec<u8>)> =
                sqlx::query_as(sqlx::AssertSqlSafe(select.clone())).bind(last).fetch_all(self.database()).await?;
            let Some((end, ..)) = rows.last() else { return Ok(()) };
            last = *end;
            let mut transaction = self.database().begin().await?;
            for (row, about, sealed) in rows {
                if keys.current(&sealed) {
                    continue;
                }
                match keys.unseal(&about, sealed) {
                    Ok(plain) => {
                        sqlx::query(sqlx::AssertSqlSafe(update.clone()))
                            .bind(row)
                            .bind(keys.seal(&about, plain))
                            .execute(&mut *transaction)
                            .await?;
                        resealed.values += 1;
                    }
                    Err(error) => resealed.left.push((format!("{about} ({table})"), error)),
                }
            }
            transaction.commit().await?;
        }
    }

    async fn reseal_recordings(&self, resealed: &mut Resealed) -> Result<()> {
        let rows: Vec<(String, String, String)> =
            sqlx::query_as("SELECT call, path, state FROM recordings").fetch_all(self.database()).await?;
        for (call, path, state) in rows {
            let full = self.folder().path(&path);
            let sealed = full.with_extension("sealed");
            if state == "open" {
                resealed.left.push((path, Error::LeftOpen));
                continue;
            }
            match self.reseal_recording(&call, &full) {
                Ok(anew) => {
                    let new = Path::new(&path).with_extension("sealed");
                    if anew && new != Path::new(&path) {
                        sqlx::query("UPDATE recordings SET path = ?3 WHERE call = ?1 AND path = ?2")
                            .bind(&call)
                            .bind(&path)
                            .bind(new.to_string_lossy())
                            .execute(self.database())
                            .await?;
                    }
                    resealed.recordings += usize::from(anew);
                    if sealed.is_file() {
                        drop_other_forms(&sealed)?;
                    }
                }
                Err(error) => resealed.left.push((path, error)),
            }
        }
        Ok(())
    }

    /// True when it was sealed anew; what stands at its sealed path can be read then.
    fn reseal_recording(&self, call: &str, from: &Path) -> Result<bool> {
        let (keys, to) = (self.folder().keys(), from.with_extension("sealed"));
        let anew = vault::reseal(keys, call, from, &to)?;
        // What it was made of goes next, perhaps left there by a crash: not on trust.
        if to.is_file() && forms(&to).iter().any(|form| *form != to && form.is_file()) {
            vault::read(keys, call, &to)?;
        }
        Ok(anew)
    }

    /// Recordings that no call names, in plain; their file's name is all that tells whose they were.
    async fn reseal_strays(&self, resealed: &mut Resealed) -> Result<()> {
        let paths: Vec<String> = sqlx::query_scalar("SELECT path FROM recordings").fetch_all(self.database()).await?;
        let named: HashSet<_> = paths.iter().flat_map(|path| forms(&self.folder().path(path))).collect();
        for (_, day) in self.folder().recording_days()? {
            let failed = |source| Error::Folder { path: day.clone(), source };
            for file in std::fs::read_dir(&day).map_err(failed)? {
                let path = file.map_err(failed)?.path();
                let Some(name) = path.file_stem().map(|name| name.to_string_lossy().into_owned()) else { continue };
                if named.contains(&path) || path.extension().is_some_and(|form| form == "new") {
                    continue;
                }
                match self.reseal_recording(&name, &path) {
                    Ok(true) => {
                        resealed.recordings += 1;
                        drop_other_forms(&path.with_extension("sealed"))?;
                    }
                    Ok(false) => {}
                    Err(error) => resealed.left.push((path.display().to_string(), error)),
                }
            }
        }
        Ok(())
    }
}

fn drop_other_forms(sealed: &Path) -> Result<()> {
    forms(sealed).iter().filter(|form| *form != sealed).try_for_each(|form| remove(form).map(drop))
}

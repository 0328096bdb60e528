//! The one place where records meet the disk: the folder and its permissions, the database file, and the keys by which
//! every personal value is sealed on its way to a column and unsealed on its way back.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use chrono::{DateTime, NaiveDate, Utc};
use serde::{Serialize, de::DeserializeOwned};
use sqlx::SqlitePool;
use sqlx::sqlite::{SqliteAutoVacuum, SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous};

use super::vault::Keys;
use super::{Error, Result, Subscriber};

const DATABASE: &str = "calls.db";
const RECORDINGS: &str = "recordings";
/// A folder of recordings is named by the day its calls began, in UTC.
const DAY: &str = "%Y-%m-%d";

/// `$XDG_DATA_HOME/frontdesk`, else `~/.local/share/frontdesk`.
pub fn default_folder() -> PathBuf {
    let folder = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    folder("XDG_DATA_HOME")
        .or_else(|| folder("HOME").map(|home| home.join(".local/share")))
        .unwrap_or_default()
        .join("frontdesk")
}

/// The folder of records: 0700 when made here, its files 0600.
#[derive(Clone, Debug)]
pub struct Folder {
    root: PathBuf,
    keys: Keys,
    /// Who is told of what is written here.
    subscribers: Arc<ArcSwap<Vec<Subscriber>>>,
}

impl Folder {
    /// For writing: makes the folder, locks it against other engines for as long as the file returned is open.
    pub fn claim(root: &Path, keys: Keys) -> Result<(Self, File)> {
        let failed = |source| Error::Folder { path: root.into(), source };
        if root.is_dir() {
            let mode = fs::metadata(root).map_err(failed)?.permissions().mode();
            if mode & 0o077 != 0 {
                tracing::warn!(mode = format!("{:o}", mode & 0o777), "the records folder is open to other users");
            }
        } else {
            DirBuilder::new().recursive(true).mode(0o700).create(root).map_err(failed)?;
        }
        let root = root.canonicalize().map_err(failed)?;
        let lock = lock(&root)?;
        private_file(&root.join(DATABASE)).map_err(failed)?; // SQLite gives its log files the database's mode
        Ok((Self { root, keys, subscribers: Arc::default() }, lock))
    }

    /// For reading what is there.
    pub fn find(root: &Path, keys: Keys) -> Result<Self> {
        let root = root.canonicalize().map_err(|_| Error::NoRecords(root.into()))?;
        if !root.join(DATABASE).is_file() {
            return Err(Error::NoRecords(root));
        }
        Ok(Self { root, keys, subscribers: Arc::default() })
    }

    /// How to open the database. FULL: every commit is on the platter, so that even a power cut costs no more than a
    /// batch; at four commits a second that is four fsyncs.
    pub fn database(&self) -> SqliteConnectOptions {
        SqliteConnectOptions::new()
            .filename(self.root.join(DATABASE))
            .auto_vacuum(SqliteAutoVacuum::Incremental)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .foreign_keys(true)
            .busy_timeout(Duration::from_secs(5))
            .pragma("secure_delete", "on") // what is erased is overwritten
    }

    /// Where a call's recording goes, relative to the folder; its file is there, empty and private.
    pub fn new_recording(&self, call: &str, started: DateTime<Utc>) -> Result<PathBuf> {
        let path = self.recording(call, started);
        let full = self.root.join(&path);
        let failed = |source| Error::Folder { path: full.clone(), source };
        if let Some(day) = full.parent() {
            DirBuilder::new().recursive(true).mode(0o700).create(day).map_err(failed)?;
        }
        private_file(&full).map_err(failed)?;
        Ok(path)
    }

    /// The path of a call's recording, relative to the folder.
    pub fn recording(&self, call: &str, started: DateTime<Utc>) -> PathBuf {
        let day = started.format(DAY).to_string();
        Path::new(RECORDINGS).join(day).join(file_name(call, !self.keys.is_empty()))
    }

    /// The folders of recordings, a day each.
    pub fn recording_days(&self) -> Result<Vec<(NaiveDate, PathBuf)>> {
        let root = self.root.join(RECORDINGS);
        let failed = |source| Error::Folder { path: root.clone(), source };
        let entries = match fs::read_dir(&root) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            entries => entries.map_err(failed)?.collect::<io::Result<Vec<_>>>().map_err(failed)?,
        };
        let day = |entry: fs::DirEntry| {
            let name = entry.file_name();
            let day = NaiveDate::parse_from_str(name.to_str()?, DAY).ok()?;
            entry.path().is_dir().then(|| (day, entry.path()))
        };
        Ok(entries.into_iter().filter_map(day).collect())
    }

    /// Keeps engines and other commands that change all of it out, for as long as the file returned is open.
    pub fn lock(&self) -> Result<File> {
        lock(&self.root)
    }

    pub fn path(&self, relative: impl AsRef<Path>) -> PathBuf {
        self.root.join(relative)
    }

    pub fn keys(&self) -> &Keys {
        &self.keys
    }

    pub fn subscribers(&self) -> Arc<Vec<Subscriber>> {
        self.subscribers.load_full()
    }

    pub fn subscribe(&self, subscribers: Vec<Subscriber>) {
        self.subscribers.store(Arc::new(subscribers));
    }

    /// A personal value as the bytes that stand in the database; `about` names the call (or flow) it belongs to.
    pub fn seal(&self, about: &str, value: &impl Serialize) -> Result<Vec<u8>> {
        Ok(self.keys.seal(about, serde_json::to_vec(value)?))
    }

    pub fn unseal<T: DeserializeOwned>(&self, about: &str, sealed: Vec<u8>) -> Result<T> {
        Ok(serde_json::from_slice(&self.keys.unseal(about, sealed)?)?)
    }

    /// What can be unsealed of these, and how many cannot.
    pub fn unseal_all<T: DeserializeOwned>(&self, about: &str, sealed: Vec<Vec<u8>>) -> Result<(Vec<T>, usize)> {
        let (all, mut values) = (sealed.len(), Vec::with_capacity(sealed.len()));
        for sealed in sealed {
            match self.unseal(about, sealed) {
                Err(error) if error.is_unreadable() => {}
                value => values.push(value?),
            }
        }
        let unreadable = all - values.len();
        Ok((values, unreadable))
    }

    /// Calls that no key here opens, by what is wrong with each key; and how many calls can be opened.
    pub async fn unknown_keys(&self, database: &SqlitePool) -> Result<(Vec<(Error, i64)>, i64)> {
        let seals: Vec<(Vec<u8>, i64)> =
            sqlx::query_as("SELECT substr(caller, 1, 5), COUNT(*) FROM calls GROUP BY 1").fetch_all(database).await?;
        let (mut unknown, mut known) = (Vec::new(), 0);
        for (seal, calls) in seals {
            match self.keys.know(&seal) {
                Ok(()) => known += calls,
                Err(error) => unknown.push((error, calls)),
            }
        }
        Ok((unknown, known))
    }
}

fn lock(root: &Path) -> Result<File> {
    let lock = private_file(&root.join("lock")).map_err(|source| Error::Folder { path: root.into(), source })?;
    lock.try_lock().map_err(|_| Error::InUse(root.into()))?;
    Ok(lock)
}

/// Empties the database's log of changes (SQLite: WAL), which holds what was erased until then. False where somebody who
/// reads keeps it from being emptied: then it is still there.
pub async fn cut_log(database: &SqlitePool) -> Result<bool> {
    let (busy, _, _): (i64, i64, i64) = sqlx::query_as("PRAGMA wal_checkpoint(TRUNCATE)").fetch_one(database).await?;
    Ok(busy == 0)
}

/// True when it was there.
pub fn remove(path: &Path) -> Result<bool> {
    match fs::remove_file(path) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(source) => Err(Error::Folder { path: path.into(), source }),
    }
}

/// The forms in which one recording may stand, one of them while it is sealed anew: sealed, plain, unfinished.
pub fn forms(path: &Path) -> [PathBuf; 3] {
    ["sealed", "wav", "new"].map(|form| path.with_extension(form))
}

/// A name safe for a file, whatever the call's own.
fn file_name(call: &str, sealed: bool) -> String {
    let safe = |c: char| if c.is_ascii_alphanumeric() || c == '-' { c } else { '_' };
    format!("{}.{}", call.chars().map(safe).collect::<String>(), if sealed { "sealed" } else { "wav" })
}

/// Opens or makes a file that only its owner may read.
pub fn private_file(path: &Path) -> io::Result<File> {
    let file = OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(0o600).open(path)?;
    file.set_permissions(fs::Permissions::from_mode(0o600))?;
    Ok(file)
}

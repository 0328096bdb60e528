//! Calls on disk: records, timeline, event log, recordings; one SQLite database and a folder of sound files, sealed
//! (`vault`) where there is a key.
//!
//! `Store` writes, from one task behind a bounded queue, so that no call ever waits for a disk; `Archive` reads, also
//! while another process writes. `disk` is the only file through which personal data pass to the disk and back.

mod archive;
mod disk;
mod erase;
mod export;
mod history;
mod labels;
mod outbox;
mod promises;
mod recover;
mod reseal;
mod staff;
mod store;
mod vault;
mod wrap_up;
mod writer;

use std::path::PathBuf;

pub use archive::{Archive, CallHead, CallRecord, Filter, Line, Recording, Speaker};
pub use disk::default_folder;
pub use erase::Erased;
pub use history::Conversations;
pub use labels::{Label, Written};
pub use outbox::{Delivery, Occasion, Subscriber};
pub use promises::{Callback, CallbackState, Message};
pub use recover::{Recovered, Repair, Unmended};
pub use reseal::Resealed;
pub use staff::{Account, Deed, Role};
pub use store::{Ending, Leg, LoggedLine, Store, StoredFlow};
pub use vault::Keys;
pub use wrap_up::{Corrections, Earlier, WrapUp};

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("no records in {0}")]
    NoRecords(PathBuf),
    #[error("{0} is in use by another frontdesk: one folder of records serves one engine")]
    InUse(PathBuf),
    #[error("cannot use {path}")]
    Folder { path: PathBuf, source: std::io::Error },
    #[error("the records' database failed")]
    Database(#[from] sqlx::Error),
    #[error("the records' database could not be brought up to date")]
    Migration(#[from] sqlx::migrate::MigrateError),
    #[error("no call {0:?}")]
    NoSuchCall(String),
    #[error("{0:?} is the beginning of several calls' names")]
    Ambiguous(String),
    /// What the database gave back is not what was once put in.
    #[error("a record cannot be read")]
    Unreadable(#[from] serde_json::Error),
    #[error("the writer has stopped")]
    Stopped,
    #[error("not yet on disk: {0}")]
    Unwritten(String),
    #[error("a key of the records is 64 hexadecimal digits: `openssl rand -hex 32` makes one")]
    Key,
    #[error(
        "the records were sealed with another key (its id is {0}): put that key into the file or variable of \
         `records.key`, below the one in use"
    )]
    Sealed(String),
    #[error("a sealed record is damaged, or is another call's")]
    Damaged,
    #[error("its call was left open by a crash: start the engine once, then do this again")]
    LeftOpen,
    #[error("the recording {path} cannot be read")]
    Sound { path: PathBuf, source: crate::media::Error },
    #[error("nothing was recorded of call {0} at that time")]
    NoSound(String),
    #[error("cannot write {path}")]
    Export { path: PathBuf, source: std::io::Error },
}

impl Error {
    /// One record is the trouble, not the database: its key is not here, or it is damaged.
    pub fn is_unreadable(&self) -> bool {
        matches!(self, Error::Unreadable(_) | Error::Sealed(_) | Error::Damaged)
    }
}

pub type Result<T, E = Error> = std::result::Result<T, E>;

/// A unit variant's name, as serde writes it.
fn word(value: &impl serde::Serialize) -> Option<String> {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(word)) => Some(word),
        _ => None,
    }
}

/// The reverse of [`word`].
fn from_word<T: serde::de::DeserializeOwned>(word: Option<String>) -> Result<Option<T>> {
    Ok(word.map(|word| serde_json::from_value(serde_json::Value::String(word))).transpose()?)
}

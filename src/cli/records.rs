//! `frontdesk records`: what is kept of one caller, for the caller to have or to be gone; retention; a change of keys.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context;
use chrono::{TimeDelta, Utc};
use clap::Subcommand;

use crate::records::{Archive, Erased, Keys, Resealed, default_folder};

/// Where the records are, and what opens them.
#[derive(clap::Args)]
pub struct Place {
    /// The folder of records [default: $XDG_DATA_HOME/frontdesk, else ~/.local/share/frontdesk]
    #[arg(long, global = true, env = "FRONTDESK_RECORDS", value_name = "FOLDER")]
    records: Option<PathBuf>,
    /// The file of `records.key`, where records are sealed; or the key itself in $FRONTDESK_RECORDS_KEY
    #[arg(long, global = true, env = "FRONTDESK_RECORDS_KEY_FILE", value_name = "FILE")]
    key_file: Option<PathBuf>,
}

impl Place {
    pub async fn open(self) -> anyhow::Result<Archive> {
        let key = match &self.key_file {
            Some(path) => Some(std::fs::read_to_string(path).with_context(|| path.display().to_string())?),
            None => std::env::var("FRONTDESK_RECORDS_KEY").ok().filter(|key| !key.trim().is_empty()),
        };
        let keys = key.map(|key| Keys::parse(&key)).transpose()?.unwrap_or_default();
        Ok(Archive::open_with(&self.records.unwrap_or_else(default_folder), keys).await?)
    }
}

/// Export or erase all that is kept of one caller, or of calls past their time; change the key.
#[derive(clap::Args)]
pub struct Args {
    #[command(flatten)]
    place: Place,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Write every call of one number as files, a folder a call (as `calls export` does)
    Export {
        /// The caller's number; spaces, dashes and a leading + or 00 do not count
        #[arg(long, value_name = "NUMBER")]
        caller: String,
        /// A folder to make
        #[arg(long, value_name = "FOLDER")]
        to: PathBuf,
    },
    /// Erase calls, their recordings and all that was written about them, for good
    Erase {
        /// Every call of this number
        #[arg(long, value_name = "NUMBER", required_unless_present = "older_than_days")]
        caller: Option<String>,
        /// Every call that began more days ago
        #[arg(long, value_name = "DAYS", conflicts_with = "caller")]
        older_than_days: Option<u32>,
    },
    /// Seal with the key in use (the first) all that an older key sealed, or none; no engine can run meanwhile
    Reseal,
}

pub async fn run(args: Args) -> anyhow::Result<ExitCode> {
    let archive = args.place.open().await?;
    match args.command {
        Command::Export { caller, to } => {
            let calls = archive.export_caller(&caller, &to).await?;
            println!("{calls} calls in {}", to.display());
        }
        Command::Erase { caller: Some(caller), .. } => return Ok(tell(archive.erase_caller(&caller).await?)),
        Command::Erase { older_than_days, .. } => {
            let days = older_than_days.context("which calls?")?; // clap asks for one of both
            return Ok(tell(archive.erase_before(Utc::now() - TimeDelta::days(days.into())).await?));
        }
        Command::Reseal => return Ok(tell_resealed(archive.reseal().await?)),
    }
    Ok(ExitCode::SUCCESS)
}

/// Fails where something is left to erase.
fn tell(erased: Erased) -> ExitCode {
    println!("{} calls and {} recordings erased", erased.calls, erased.recordings);
    if erased.open > 0 {
        eprintln!("{} calls of this number are still up: erase them when they are over", erased.open);
    }
    if erased.unreadable > 0 {
        eprintln!(
            "{} calls cannot be read, for their key is not here or they are damaged: whether they are of this number is not known",
            erased.unreadable
        );
    }
    told_of_log(erased.in_log);
    if erased.open > 0 || erased.unreadable > 0 || erased.in_log { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

/// Fails where something is left as it was.
fn tell_resealed(resealed: Resealed) -> ExitCode {
    println!("{} values and {} recordings sealed anew", resealed.values, resealed.recordings);
    for (what, error) in &resealed.left {
        eprintln!("{what} is as it was: {error}");
    }
    told_of_log(resealed.in_log);
    if resealed.left.is_empty() && !resealed.in_log { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn told_of_log(in_log: bool) {
    if in_log {
        eprintln!("what was there before stands in the database's log until who reads it is done: do this again then");
    }
}

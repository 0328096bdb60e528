//! `frontdesk calls callbacks` and `calls messages`: who is to be called back, and what was left to be heard.

use std::path::{Path, PathBuf};

use anyhow::Context;
use chrono::Local;

use crate::records::{Archive, Callback, CallbackState, Message};

/// Callers who are to be called back, in the order they agreed to it
#[derive(clap::Args)]
pub struct Callbacks {
    /// With those that are over
    #[arg(long)]
    all: bool,
    /// Take this one off the list: the name of the call in which it was agreed on
    #[arg(long, value_name = "CALL")]
    cancel: Option<String>,
    /// One JSON object a line
    #[arg(long)]
    json: bool,
}

/// Messages that callers left, newest first
#[derive(clap::Args)]
pub struct Messages {
    /// Write the sound of each into this folder, as WAV
    #[arg(long, value_name = "FOLDER")]
    save: Option<PathBuf>,
    /// One JSON object a line
    #[arg(long)]
    json: bool,
}

pub async fn callbacks(archive: &Archive, args: &Callbacks) -> anyhow::Result<()> {
    if let Some(call) = &args.cancel {
        anyhow::ensure!(archive.cancel_callback(call).await?, "no callback of call {call} waits");
        println!("{call} is not called back any more");
        return Ok(());
    }
    for callback in archive.callbacks(args.all).await? {
        println!("{}", if args.json { serde_json::to_string(&callback)? } else { callback_line(&callback) });
    }
    Ok(())
}

fn callback_line(callback: &Callback) -> String {
    let Callback { call, line, agreed, attempts, state, promise, .. } = callback;
    let number = promise.as_ref().map_or("cannot be read: its key is not here", |promise| &promise.number);
    let about = promise.as_ref().map_or_else(String::new, |promise| promise.summary.headline());
    let state = match state {
        CallbackState::Waiting => format!("waiting, called {attempts} times"),
        CallbackState::Reached => "reached".into(),
        CallbackState::NotReached => format!("not reached in {attempts} calls"),
        CallbackState::TooLate => "not made in time".into(),
        CallbackState::Cancelled => "cancelled".into(),
    };
    let queue = promise.as_ref().map_or("", |promise| &promise.queue);
    format!("{call}  {}  {line}/{queue}  {number}  {state}  {about}", local(*agreed))
}

pub async fn messages(archive: &Archive, args: &Messages) -> anyhow::Result<()> {
    if let Some(folder) = &args.save {
        std::fs::create_dir_all(folder).with_context(|| folder.display().to_string())?;
    }
    for message in archive.messages().await? {
        let sound = match &args.save {
            Some(folder) => save(archive, &message, folder).await?,
            None => None,
        };
        let shown = match args.json {
            true => serde_json::to_string(&message)?,
            false => message_line(&message),
        };
        println!("{shown}");
        if let (Some(sound), false) = (sound, args.json) {
            println!("    {}", sound.display());
        }
    }
    Ok(())
}

fn message_line(message: &Message) -> String {
    let Message { call, line, at, queue, from_ms, to_ms, caller, text } = message;
    let from = caller.as_ref().map_or("cannot be read", |caller| match caller.number.as_str() {
        "" => "number withheld",
        number => number,
    });
    let text = match text.as_deref() {
        Some("") => "(not understood: listen to it)",
        Some(text) => text,
        None => "cannot be read: its key is not here",
    };
    let seconds = to_ms.saturating_sub(*from_ms) / 1_000;
    format!("{call}  {}  {line}/{queue}  {from}  {seconds} s from {} s: {text}", local(*at), from_ms / 1_000)
}

async fn save(archive: &Archive, message: &Message, folder: &Path) -> anyhow::Result<Option<PathBuf>> {
    let path = folder.join(format!("{}-{}.wav", message.call, message.from_ms));
    let there = archive.write_message(message, &path).await.with_context(|| path.display().to_string())?;
    if !there {
        eprintln!("{} has no recording", message.call);
    }
    Ok(there.then_some(path))
}

fn local(at: chrono::DateTime<chrono::Utc>) -> String {
    at.with_timezone(&Local).format("%Y-%m-%d %H:%M:%S").to_string()
}

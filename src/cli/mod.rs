//! Commands: argument parsing and wiring, nothing else. One file a command.

mod call;
mod calls;
mod chat;
mod check;
mod curve;
mod dialog;
mod emotion;
mod graph;
mod learn;
mod models;
mod promises;
mod records;
mod replay;
mod schema;
mod serve;
mod speak;
mod transcribe;
mod understand;

use std::io::Write;
use std::path::Path;
use std::process::ExitCode;

use anyhow::Context;
use clap::{Parser, Subcommand};

use crate::config::{self, Config, Secrets};

/// A voice call-centre IVR engine: hears, answers, soothes, and hands live calls to people.
#[derive(Parser)]
#[command(name = "frontdesk", version, propagate_version = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Serve(serve::Args),
    Call(call::Args),
    Replay(replay::Args),
    Check(check::Args),
    Schema(schema::Args),
    Models(models::Args),
    Transcribe(transcribe::Args),
    Speak(speak::Args),
    Calls(calls::Args),
    Records(records::Args),
    Emotion(emotion::Args),
    Understand(understand::Args),
    Chat(chat::Args),
    Dialog(dialog::Args),
    Graph(graph::Args),
    Learn(learn::Args),
}

/// A configuration, or the code to exit with once its mistakes are told.
fn configuration(path: &Path, secrets: Secrets) -> Result<Config, ExitCode> {
    config::load_with(path, secrets).map_err(|problems| {
        eprintln!("{problems}");
        ExitCode::FAILURE
    })
}

/// `frontdesk check FILE | head`: a command whose output nobody reads any more ends without a word. (Rust's default is an
/// error at the next print.) One that holds calls goes on.
fn end_with_the_pipe() {
    #[cfg(unix)]
    // SAFETY: it takes no handler of ours, and nothing else in this process sets this signal.
    unsafe {
        libc::signal(libc::SIGPIPE, libc::SIG_DFL);
    }
}

/// Writes a document to a file, or prints it where none is named.
fn write_to(output: Option<&Path>, text: &str) -> anyhow::Result<()> {
    match output {
        Some(path) => std::fs::write(path, text).with_context(|| path.display().to_string()),
        None => Ok(std::io::stdout().write_all(text.as_bytes())?),
    }
}

/// Runs the command line; an error is printed with its causes and exits 1, a usage error exits 2.
pub async fn run() -> ExitCode {
    let command = Cli::parse().command;
    if !matches!(command, Command::Serve(_) | Command::Call(_)) {
        end_with_the_pipe();
    }
    let done = match command {
        Command::Serve(args) => serve::run(args).await,
        Command::Call(args) => call::run(args).await,
        Command::Replay(args) => replay::run(args).await,
        Command::Check(args) => check::run(args).await,
        Command::Schema(args) => schema::run(args).await,
        Command::Models(args) => models::run(args).await,
        Command::Transcribe(args) => transcribe::run(args).await,
        Command::Speak(args) => speak::run(args).await,
        Command::Calls(args) => calls::run(args).await,
        Command::Records(args) => records::run(args).await,
        Command::Emotion(args) => emotion::run(args).await,
        Command::Understand(args) => understand::run(args).await,
        Command::Chat(args) => chat::run(args).await,
        Command::Dialog(args) => dialog::run(args).await,
        Command::Graph(args) => graph::run(args).await,
        Command::Learn(args) => learn::run(args).await,
    };
    done.unwrap_or_else(|error| {
        eprintln!("frontdesk: {error:#}");
        ExitCode::FAILURE
    })
}

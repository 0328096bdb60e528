//! `frontdesk understand`: what a flow makes of a sentence, without a call.

use std::collections::BTreeMap;
use std::io::{BufRead, Write};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Instant;

use anyhow::{Context, bail};
use serde::Serialize;

use crate::call::{IntentScore, Understanding};
use crate::config::{Config, Secrets};
use crate::dialog::flow::{Flow, SlotKind, Step};
use crate::dialog::slots;
use crate::engine;

/// Show what a flow makes of a sentence: the intent or none of them, the values in it, and how sure.
///
/// With --json one line a sentence: {"text", "intent", "score", "slots", "scores", "threshold"}, and "answer" and "source" where
/// the knowledge base has one; `intent` is null when it is none of these. How fast it was is told on standard error.
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  \
    frontdesk understand --config config/bank.yaml --text \"has my salary come in\"\n  \
    frontdesk understand --config config/bank.yaml --lines sentences.txt --json")]
pub struct Args {
    /// Configuration (YAML)
    #[arg(long, short, value_name = "FILE")]
    config: PathBuf,
    /// The flow to ask; by default that of the first line
    #[arg(long)]
    flow: Option<String>,
    /// A sentence
    #[arg(long, value_name = "TEXT", required_unless_present = "lines", conflicts_with = "lines")]
    text: Vec<String>,
    /// A file with a sentence a line; - is standard input
    #[arg(long, value_name = "FILE")]
    lines: Option<PathBuf>,
    /// One JSON object a sentence
    #[arg(long)]
    json: bool,
}

/// One sentence's line; the field names are part of the interface.
#[derive(Serialize)]
struct Line<'a> {
    text: &'a str,
    intent: Option<&'a str>,
    /// How likely it is meant, or the likeliest of those that are not, 0..=1.
    score: f32,
    /// Values of the flow's questions that stand in the sentence.
    slots: BTreeMap<&'a str, String>,
    /// The likeliest intents.
    scores: &'a [IntentScore],
    threshold: f32,
    /// What the flow's knowledge base says to it.
    #[serde(skip_serializing_if = "Option::is_none")]
    answer: Option<&'a str>,
    /// Where that stands; `model, from ...`: in the words of the configuration's language model.
    #[serde(skip_serializing_if = "Option::is_none")]
    source: Option<&'a str>,
}

pub async fn run(args: Args) -> anyhow::Result<ExitCode> {
    tokio::task::spawn_blocking(move || understand(&args)).await?
}

fn understand(args: &Args) -> anyhow::Result<ExitCode> {
    let config = match super::configuration(&args.config, Secrets::Optional) {
        Ok(config) => config,
        Err(code) => return Ok(code),
    };
    let flow = flow_of(&config, args.flow.as_deref())?;
    let meaning = engine::meaning(&config, &flow, &|what| eprintln!("  {what} ..."))?;
    let sentences: Vec<String> = match &args.lines {
        Some(path) => read_lines(path)?,
        None => args.text.clone(),
    };
    let runtime = tokio::runtime::Handle::current();
    let mut out = std::io::BufWriter::new(std::io::stdout().lock());
    let (began, cpu) = (Instant::now(), cpu_s());
    for text in &sentences {
        let understanding = runtime.block_on(meaning.of(text, &[]));
        let line = line(&flow, text, &understanding);
        match args.json {
            true => writeln!(out, "{}", serde_json::to_string(&line)?)?,
            false => writeln!(out, "{}", in_words(&line))?,
        }
    }
    out.flush()?;
    let (wall, cpu, n) = (began.elapsed().as_secs_f64(), cpu_s() - cpu, sentences.len().max(1) as f64);
    eprintln!(
        "{} sentences in {wall:.2} s: {:.1} ms of CPU a sentence, {:.0} sentences a second",
        sentences.len(),
        1e3 * cpu / n,
        n / wall.max(1e-9)
    );
    Ok(ExitCode::SUCCESS)
}

/// The flow named, else the first line's, else the only one.
pub(super) fn flow_of(config: &Config, named: Option<&str>) -> anyhow::Result<Arc<Flow>> {
    let first = || config.lines.values().next().map(|line| line.flow.as_str());
    let name = named.or_else(first).context("the configuration has no line: name a flow with --flow")?;
    let Some(flow) = config.flows.get(name) else {
        let flows: Vec<_> = config.flows.keys().map(String::as_str).collect();
        bail!("no flow {name:?} (there are: {})", flows.join(", "));
    };
    Ok(flow.clone())
}

fn read_lines(path: &std::path::Path) -> anyhow::Result<Vec<String>> {
    if path.as_os_str() == "-" {
        return Ok(std::io::stdin().lock().lines().collect::<Result<_, _>>()?);
    }
    let text = std::fs::read_to_string(path).with_context(|| path.display().to_string())?;
    Ok(text.lines().map(str::to_owned).collect())
}

fn line<'a>(flow: &'a Flow, text: &'a str, understanding: &'a Understanding) -> Line<'a> {
    let best = understanding.intents.first();
    Line {
        text,
        intent: best.filter(|best| best.score >= understanding.threshold).map(|best| best.intent.as_str()),
        score: best.map_or(0.0, |best| best.score),
        slots: slots_in(flow, text),
        scores: &understanding.intents,
        threshold: understanding.threshold,
        answer: understanding.answer.as_ref().map(|answer| answer.text.as_str()),
        source: understanding.answer.as_ref().map(|answer| answer.source.as_str()),
    }
}

/// Values of the flow's questions and forms in a sentence; whatever is said, a yes and a no are answers to a question only,
/// and secrets are not said.
fn slots_in<'f>(flow: &'f Flow, text: &str) -> BTreeMap<&'f str, String> {
    let mut slots: Vec<(&str, &SlotKind)> = Vec::new();
    for step in flow.steps.values() {
        match step {
            Step::Ask(ask) if !ask.secret => slots.push((&ask.slot, &ask.kind)),
            Step::Form(form) => slots.extend(form.slots.iter().map(|slot| (slot.slot.as_str(), &slot.kind))),
            _ => {}
        }
    }
    slots.retain(|(_, kind)| !matches!(kind, SlotKind::Free | SlotKind::YesNo));
    let kinds: Vec<&SlotKind> = slots.iter().map(|(_, kind)| *kind).collect();
    let today = chrono::Utc::now().with_timezone(&flow.zone()).date_naive();
    let found = slots::read(text, &kinds, None, today).found;
    let said = found.into_iter().filter(|found| !found.negated);
    said.filter_map(|found| Some((slots.get(found.slot)?.0, found.value))).collect()
}

fn in_words(line: &Line) -> String {
    let mut words = match line.intent {
        Some(intent) => format!("{intent}  {:.2}", line.score),
        None => match line.scores.first() {
            Some(nearest) => format!("none  (nearest: {} {:.2})", nearest.intent, nearest.score),
            None => "none".into(),
        },
    };
    for (slot, value) in &line.slots {
        words += &format!("  {slot}={value}");
    }
    if let Some(answer) = line.answer {
        words += &format!("  answer: {answer}");
    }
    format!("{words}  | {}", line.text)
}

/// CPU seconds of this process, all threads.
fn cpu_s() -> f64 {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: the call writes to `time` alone.
    match unsafe { libc::clock_gettime(libc::CLOCK_PROCESS_CPUTIME_ID, &mut time) } {
        0 => time.tv_sec as f64 + time.tv_nsec as f64 / 1e9,
        _ => 0.0,
    }
}

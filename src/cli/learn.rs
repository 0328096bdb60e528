//! `frontdesk learn`: what recorded calls teach about their flows.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, bail};
use chrono::{DateTime, Local, TimeDelta, Utc};
use clap::Subcommand;

use crate::call::{Note, Utterance};
use crate::config::{Config, Secrets};
use crate::dialog::flow::Flow;
use crate::dialog::values::HIDDEN;
use crate::engine;
use crate::learn::{
    Cluster, Figures, Likeness, Question, Reading, Report, Sentence, by_letters, gathered, page, yaml as pasted,
};
use crate::records::{Archive, CallRecord, Filter};

/// Places of each sentence that are told on a screen; `--json` has all.
const TOLD: usize = 3;

/// Learn from recorded calls: figures, what was not understood, and how it sounded.
///
/// Reads the records that the configuration names, with its key where they are sealed. What personal slots hold is
/// hidden, as `frontdesk calls show --without-personal` hides it; what is masked in the records stays so.
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  \
    frontdesk learn report config/bank.yaml --since 30 --output report.html\n  \
    frontdesk learn missed config/bank.yaml\n  \
    frontdesk learn missed config/bank.yaml --yaml >> intents.yaml\n  \
    frontdesk learn hear config/bank.yaml 0198f2 --at 12300 --output said.wav")]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// A page with figures: containment, where questions fail, where callers leave, which intents are confused, experiments
    Report {
        #[command(flatten)]
        calls: Calls,
        /// Where to write it [default: standard output]
        #[arg(long, short, value_name = "FILE.html")]
        output: Option<PathBuf>,
        /// The figures as one JSON object instead of a page
        #[arg(long)]
        json: bool,
    },
    /// Sentences that were not understood, by the question and by what they mean
    Missed {
        #[command(flatten)]
        calls: Calls,
        /// The flow whose calls are read; by default that of the first line
        #[arg(long, value_name = "NAME")]
        flow: Option<String>,
        /// As intents, and as words for the values of lists, to paste into the flow
        #[arg(long)]
        yaml: bool,
        /// As one JSON object, with every call in which a sentence was said
        #[arg(long, conflicts_with = "yaml")]
        json: bool,
    },
    /// Write how a caller said a sentence as a sound file
    Hear {
        /// Configuration (YAML)
        config: PathBuf,
        /// The call's name, the beginning of it, or `last`
        call: String,
        /// Where in its recording, in milliseconds, as `learn missed` tells it
        #[arg(long, value_name = "MS")]
        at: u64,
        /// Where to write it; nothing is overwritten
        #[arg(long, short, value_name = "FILE.wav")]
        output: PathBuf,
    },
}

/// Which calls.
#[derive(clap::Args)]
struct Calls {
    /// Configuration (YAML)
    config: PathBuf,
    /// Calls of so many days up to now [default: all]
    #[arg(long, value_name = "DAYS")]
    since: Option<u32>,
}

impl Calls {
    fn since(&self) -> anyhow::Result<Option<DateTime<Utc>>> {
        let ago = |days: u32| Utc::now().checked_sub_signed(TimeDelta::days(days.into()));
        self.since.map(|days| ago(days).context("that is too long ago")).transpose()
    }
}

pub async fn run(args: Args) -> anyhow::Result<ExitCode> {
    let path = match &args.command {
        Command::Report { calls, .. } | Command::Missed { calls, .. } => &calls.config,
        Command::Hear { config, .. } => config,
    };
    let config = match super::configuration(path, Secrets::Optional) {
        Ok(config) => config,
        Err(code) => return Ok(code),
    };
    let archive = Archive::open_with(&config.records.folder, config.records.keys()).await?;
    match &args.command {
        Command::Report { calls, output, json } => {
            let report = report(&archive, calls.since()?).await?;
            let told = format!("{}, made {}", path.display(), Local::now().format("%Y-%m-%d %H:%M"));
            let text = if *json { serde_json::to_string_pretty(&report)? + "\n" } else { page(&report, &told) };
            super::write_to(output.as_deref(), &text)?;
        }
        Command::Missed { calls, flow, yaml, json } => {
            let flow = super::understand::flow_of(&config, flow.as_deref())?;
            let sentences = missed(&archive, calls.since()?, &flow.name).await?;
            let (likeness, clusters) = clustered(&config, &flow, &sentences);
            let text = if *yaml {
                pasted(&clusters, &flow)
            } else if *json {
                let found = serde_json::json!({
                    "flow": flow.name, "likeness": likeness, "threshold": likeness.threshold(), "clusters": clusters,
                });
                serde_json::to_string_pretty(&found)? + "\n"
            } else {
                listed(&clusters, likeness)
            };
            super::write_to(None, &text)?;
        }
        Command::Hear { call, at, output, .. } => hear(&archive, call, *at, output).await?,
    }
    Ok(ExitCode::SUCCESS)
}

/// Each call that is over, without what personal slots hold, with when its recording begins (ms of the call) and its flow.
/// How many could not be read.
async fn each(
    archive: &Archive,
    since: Option<DateTime<Utc>>,
    mut read: impl FnMut(&CallRecord, Option<u64>, Option<&Flow>),
) -> anyhow::Result<usize> {
    let mut flows: BTreeMap<String, (String, Option<Flow>)> = BTreeMap::new();
    let mut unreadable = 0;
    for head in archive.list(&Filter { since, ..Filter::default() }).await? {
        if head.unreadable {
            unreadable += 1;
            continue;
        }
        let known = flows.contains_key(&head.flow_hash);
        let loaded = async {
            if !known {
                let json = archive.flow(&head.flow_hash).await?;
                let flow = serde_json::from_str(&json).ok(); // of a version that is gone: the timeline is still read
                flows.insert(head.flow_hash.clone(), (json, flow));
            }
            archive.show(&head.call).await
        };
        match loaded.await {
            Ok(record) => {
                let (json, flow) = &flows[&head.flow_hash];
                let recorded_from_ms = record.recordings.first().map(|recording| recording.at_ms);
                read(&record.without_personal(json), recorded_from_ms, flow.as_ref());
            }
            Err(error) if error.is_unreadable() => unreadable += 1,
            Err(error) => return Err(error.into()),
        }
    }
    Ok(unreadable)
}

async fn report(archive: &Archive, since: Option<DateTime<Utc>>) -> anyhow::Result<Report> {
    let mut figures = Figures::default();
    let add = |call: &CallRecord, _, flow: Option<&Flow>| {
        figures.add(call, flow, call.head.started.with_timezone(&Local).date_naive());
    };
    let unreadable = each(archive, since, add).await?;
    Ok(figures.report(since, unreadable))
}

async fn missed(archive: &Archive, since: Option<DateTime<Utc>>, name: &str) -> anyhow::Result<Vec<Sentence>> {
    let mut missed = Vec::new();
    let add = |call: &CallRecord, recorded_from_ms, flow: Option<&Flow>| {
        if call.head.flow == name {
            let found = Reading::of(&call.timeline, flow).missed.into_iter();
            missed.extend(found.map(|missed| (call.head.call.clone(), recorded_from_ms, missed)));
        }
    };
    let unreadable = each(archive, since, add).await?;
    if unreadable > 0 {
        eprintln!("{unreadable} calls cannot be read: their key is not here, or they are damaged");
    }
    Ok(gathered(missed.into_iter()))
}

/// By meaning where the model is installed, else by letters.
fn clustered(config: &Config, flow: &Flow, sentences: &[Sentence]) -> (Likeness, Vec<Cluster>) {
    let texts: Vec<&str> = sentences.iter().map(|sentence| sentence.text.as_str()).collect();
    let (likeness, rows) = match engine::embedder(config) {
        Ok(embedder) if !texts.is_empty() => (Likeness::Meaning, embedder.centred(&texts)),
        Ok(_) => (Likeness::Meaning, Vec::new()),
        Err(error) => {
            eprintln!(
                "sentences are compared by their letters, not by what they mean: {:#}",
                anyhow::Error::from(error)
            );
            (Likeness::Letters, texts.iter().map(|text| by_letters(text)).collect())
        }
    };
    let taken = flow.intents.keys().cloned().collect();
    (likeness, Cluster::of(sentences, &rows, likeness.threshold(), &taken))
}

/// On a screen.
fn listed(clusters: &[Cluster], likeness: Likeness) -> String {
    if clusters.is_empty() {
        return "every sentence was understood\n".into();
    }
    let mut text = String::new();
    // Writing to a String cannot fail.
    for Cluster { question, name, count, steps, sentences } in clusters {
        let at = match question {
            Question::Menu => steps.iter().map(String::as_str).collect::<Vec<_>>().join(", "),
            question => question.to_string(),
        };
        let _ = writeln!(text, "{name}: {count}, at {at}");
        for sentence in sentences {
            let _ = writeln!(text, "  {:>4}  {}", sentence.said.len(), sentence.text);
            for said in sentence.said.iter().take(TOLD) {
                let _ = match said.recording_ms {
                    Some(ms) => writeln!(text, "          {} --at {ms}", said.call),
                    None => writeln!(text, "          {}, not recorded", said.call),
                };
            }
        }
    }
    let by = match likeness {
        Likeness::Meaning => "meaning",
        Likeness::Letters => "letters",
    };
    let (found, least) = (clusters.len(), likeness.threshold());
    let _ = writeln!(text, "\n{found} clusters of sentences whose mean cosine by {by} is {least} or more");
    text
}

async fn hear(archive: &Archive, call: &str, at_ms: u64, output: &Path) -> anyhow::Result<()> {
    /// How far beside an utterance a time may be.
    const NEAR_MS: u64 = 1_000;
    let record = archive.show(call).await?;
    let recording = record.recordings.first().context("this call was not recorded")?;
    let at_ms = recording.at_ms + at_ms;
    let flow = archive.flow(&record.head.flow_hash).await?;
    let shown = record.clone().without_personal(&flow);
    let beside = |said: &Utterance| said.start_ms.saturating_sub(at_ms).max(at_ms.saturating_sub(said.end_ms));
    let said = shown.timeline.iter().filter_map(|entry| match &entry.note {
        Note::Utterance(utterance) => Some(utterance),
        _ => None,
    });
    let near = said.min_by_key(|said| beside(said)).filter(|said| beside(said) <= NEAR_MS);
    let said = near.context("the caller said nothing at that time")?;
    if said.text.contains(HIDDEN) {
        bail!("what was said there is hidden: `frontdesk calls export` has the recording, for who may hear it");
    }
    archive.write_sound(&record, said.start_ms, said.end_ms, output)?;
    println!("{}: {}", output.display(), said.text);
    Ok(())
}

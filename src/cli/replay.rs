//! `frontdesk replay`

use std::collections::{BTreeMap, VecDeque};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Context, bail};
use chrono::{DateTime, Utc};

use crate::call::{Caller, Entry, Event, Note};
use crate::config::{Config, Secrets};
use crate::engine::{self, Script};
use crate::local::FilePort;
use crate::media::{Key, Sound, file};
use crate::records::Archive;
use crate::telemetry::{self, Format};

/// Play a recording through the whole pipeline as the caller, faster than real time, and print the timeline.
///
/// The same code hears it that hears a live call; only time is virtual, so two runs agree. The replay ends with
/// the call, or where a person would take over.
///
///   frontdesk replay caller.wav --config config/bank.yaml --key 4000:1
///   frontdesk replay --call 0199 --config config/bank.yaml      a call that was recorded, by its name or the start of it
#[derive(clap::Args)]
#[command(verbatim_doc_comment)]
pub struct Args {
    /// What the caller says: wav, flac, mp3 or ogg of any rate
    #[arg(required_unless_present = "call", conflicts_with = "call")]
    audio: Option<PathBuf>,
    /// A recorded call: its caller's side, keys, backends' replies, line and time
    #[arg(long, value_name = "CALL")]
    call: Option<String>,
    /// Configuration (YAML)
    #[arg(long, short, value_name = "FILE")]
    config: PathBuf,
    /// Line to call; by default the recorded call's, or the first
    #[arg(long)]
    line: Option<String>,
    /// Keys to press, as MS:KEY, e.g. --key 4000:1 --key 9000:#
    #[arg(long = "key", value_name = "MS:KEY", value_parser = parse_key)]
    keys: Vec<(u64, Key)>,
    /// The caller's number
    #[arg(long)]
    from: Option<String>,
    /// Wall-clock time of the call (RFC 3339), for opening hours; by default the recorded call's, or now
    #[arg(long, value_name = "TIME")]
    at: Option<DateTime<Utc>>,
    /// One JSON object a line (docs/timeline.md)
    #[arg(long)]
    json: bool,
    /// Write what the caller heard to this WAV file
    #[arg(long, value_name = "WAV")]
    heard: Option<PathBuf>,
}

pub async fn run(args: Args) -> anyhow::Result<ExitCode> {
    telemetry::init_at(Format::Text, "warn")?;
    let config = match super::configuration(&args.config, Secrets::Optional) {
        Ok(config) => config,
        Err(code) => return Ok(code),
    };
    let (sound, mut script) = match &args.call {
        Some(call) => recorded(&config, call).await?,
        None => (file::read(args.audio.as_deref().context("no recording")?)?, Script::default()),
    };
    let recorded = Some(&script.caller.line).filter(|line| config.lines.contains_key(*line));
    let first = || config.lines.keys().next();
    let line = args.line.as_ref().or(recorded).or_else(first).context("the configuration has no line")?.clone();
    let (shared, flows, _) =
        engine::load(&Arc::new(config.clone()), false, None, |what| eprintln!("  {what} ...")).await?;
    let Some(flow) = flows.get(&line) else {
        let lines: Vec<_> = config.lines.keys().map(String::as_str).collect();
        bail!("no line {line:?} (there are: {})", lines.join(", "));
    };
    script.keys.extend(args.keys);
    script.keys.sort_by_key(|(at, _)| *at);
    script.at = args.at.or(script.at);
    if let Some(from) = args.from {
        script.caller.number = from;
    }
    if script.caller.dialled.is_empty() {
        script.caller.dialled = config.lines[&line].numbers.first().cloned().unwrap_or_default();
    }
    script.caller.line = line;
    let json = args.json;
    let port = FilePort::new(&sound, 8_000);
    let done = engine::replay(shared, flow.clone(), port, script, |entry| print(entry, json)).await;
    if let Some(path) = &args.heard {
        write_wav(path, &done.heard.samples).with_context(|| path.display().to_string())?;
    }
    match json {
        true => println!("{}", serde_json::json!({ "event": "summary", "summary": done.summary, "cause": done.cause })),
        false => {
            println!("\n{}", done.summary.headline());
            done.summary.facts.iter().for_each(|fact| println!("  {:?}: {}", fact.kind, fact.text));
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// The caller's side of a call in the records, and what a recording does not hold.
async fn recorded(config: &Config, call: &str) -> anyhow::Result<(Sound, Script)> {
    let archive = Archive::open_with(&config.records.folder, config.records.keys()).await?;
    let record = archive.show(call).await?;
    let recording = record.recordings.first().context("this call was not recorded")?;
    let sound = archive.sound(recording, 0)?;
    let (mut keys, mut replies, mut on_file) = (Vec::new(), VecDeque::new(), BTreeMap::new());
    for line in archive.event_log(&record.head.call).await? {
        match serde_json::from_str(&line.event_json)? {
            Event::Arrived { caller, .. } => on_file = caller.on_file,
            Event::Key { key } => keys.push((line.at_ms, key)),
            Event::Replied { reply, .. } => replies.push_back(reply),
            _ => {}
        }
    }
    let at = Some(record.head.started);
    Ok((sound, Script { caller: Caller { on_file, ..record.head.caller }, keys, replies: Some(replies), at }))
}

fn print(entry: &Entry, json: bool) {
    match json {
        true => println!("{}", serde_json::to_string(entry).unwrap_or_default()), // entries are plain data
        false => println!("{:>8.2} s  {}", entry.at_ms as f64 / 1e3, in_words(&entry.note)),
    }
}

/// `intent  chosen=lost_card`: an entry's name and what it holds.
fn in_words(note: &Note) -> String {
    let Ok(serde_json::Value::Object(mut fields)) = serde_json::to_value(note) else { return String::new() };
    let event = fields.remove("event");
    let name = event.as_ref().and_then(|event| event.as_str()).unwrap_or_default();
    let held = fields.iter().filter(|(_, value)| !value.is_null() && !value.is_array());
    let held: Vec<String> = held.map(|(name, value)| format!("{name}={value}")).collect();
    format!("{name:<14} {}", held.join("  "))
}

fn write_wav(path: &std::path::Path, samples: &[i16]) -> Result<(), hound::Error> {
    let spec = hound::WavSpec {
        channels: 1,
        sample_rate: 8_000,
        bits_per_sample: 16,
        sample_format: hound::SampleFormat::Int,
    };
    let mut wav = hound::WavWriter::create(path, spec)?;
    samples.iter().try_for_each(|&sample| wav.write_sample(sample))?;
    wav.finalize()
}

fn parse_key(text: &str) -> Result<(u64, Key), String> {
    let (at, key) = text.split_once(':').ok_or("expected MS:KEY, e.g. 4000:1")?;
    let at = at.parse().map_err(|_| format!("{at:?} is no number of milliseconds"))?;
    let mut keys = key.chars();
    let one = keys.next().filter(|_| keys.next().is_none()).and_then(Key::new);
    let key = one.ok_or_else(|| format!("{key:?} is no telephone key; give one key each time"))?;
    Ok((at, key))
}

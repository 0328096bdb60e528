//! `frontdesk replay`

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Context, bail};
use chrono::{DateTime, Utc};

use crate::call::{Caller, Entry, Note};
use crate::config::{self, Secrets};
use crate::engine::{self, Script};
use crate::local::FilePort;
use crate::media::{Key, file};
use crate::telemetry::{self, Format};

/// Play a recording through the whole pipeline as the caller, faster than real time, and print the timeline.
///
/// The same code hears it that hears a live call; only time is virtual, so two runs agree. The replay ends with
/// the call, or where a person would take over.
#[derive(clap::Args)]
pub struct Args {
    /// What the caller says: wav, flac, mp3 or ogg of any rate; of a stereo call recording the left channel
    audio: PathBuf,
    /// Configuration (YAML)
    #[arg(long, short, value_name = "FILE")]
    config: PathBuf,
    /// Line to call; by default the first
    #[arg(long)]
    line: Option<String>,
    /// Keys to press, as MS:KEY, e.g. --key 4000:1 --key 9000:#
    #[arg(long = "key", value_name = "MS:KEY", value_parser = parse_key)]
    keys: Vec<(u64, Key)>,
    /// The caller's number
    #[arg(long, default_value = "replay")]
    from: String,
    /// Wall-clock time of the call (RFC 3339), for opening hours; default now
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
    telemetry::init(Format::Text)?;
    let config = match config::load_with(&args.config, Secrets::Optional) {
        Ok(config) => config,
        Err(problems) => {
            eprint!("{problems}");
            return Ok(ExitCode::FAILURE);
        }
    };
    let line = match &args.line {
        Some(name) => name.clone(),
        None => config.lines.keys().next().context("the configuration has no line")?.clone(),
    };
    let (shared, flows, _) =
        engine::load(&Arc::new(config.clone()), false, None, |what| eprintln!("  {what} ...")).await?;
    let Some(flow) = flows.get(&line) else {
        let lines: Vec<_> = config.lines.keys().map(String::as_str).collect();
        bail!("no line {line:?} (there are: {})", lines.join(", "));
    };
    let sound = file::read(&args.audio)?;
    let mut keys = args.keys;
    keys.sort_by_key(|(at, _)| *at);
    let dialled = config.lines[&line].numbers.first().cloned().unwrap_or_default();
    let script = Script {
        caller: Caller { number: args.from, name: None, dialled, line },
        keys,
        at: args.at,
        ..Script::default()
    };
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
    let key = key.chars().next().and_then(Key::new).ok_or_else(|| format!("{key:?} is no telephone key"))?;
    Ok((at, key))
}

//! `frontdesk emotion score`

use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, bail};
use serde::Serialize;

use crate::call::{Reading, Sign};
use crate::emotion::degrade::Line;
use crate::emotion::{Baseline, Encoder, Extractor, Features, Model, RATE, Timbre};
use crate::media;

/// A reading is taken so often, over so much of the sound before it.
const EVERY_MS: u32 = 1_000;
const WINDOW_MS: u32 = 4_000;
/// Speech after which a stretch of a long recording is judged for itself.
const STRETCH_MS: u32 = 10_000;

/// Say how the speaker of each audio file sounds.
///
/// Reads wav, flac, mp3 and ogg of any rate. Prints a table, or with --json one line a file: {"file", "distress",
/// "arousal", "valence" (0..1 each), "probabilities" {"angry": .., "happy": .., ..}, "speech_ms", "signs" (what in the
/// voice spoke for or against distress), "readings": [{"time" (seconds), "distress", ..}]}. A file's own figures are
/// of all its speech; readings are taken each second over the last 4 s. A file without speech has nulls
/// and an "error".
///
/// With --baseline the voice is compared to the same person's calm voice too, which helps: give one to three calm
/// utterances, recorded over the same kind of line.
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  \
    frontdesk emotion score complaint.wav\n  \
    frontdesk emotion score --json --telephone *.mp3\n  \
    frontdesk emotion score turn7.wav turn8.wav --baseline turn1.wav turn2.wav\n  \
    frontdesk emotion score --channel 0 recordings/2026-11-21/call.wav     the caller's side of a recorded call")]
pub struct Args {
    /// Audio files
    #[arg(value_name = "AUDIO", required = true)]
    files: Vec<PathBuf>,
    /// One JSON line a file
    #[arg(long)]
    json: bool,
    /// Send the sound through a telephone line first: 300-3400 Hz, G.711 mu-law
    #[arg(long)]
    telephone: bool,
    /// Calm speech of the same person; put these after the files to score
    #[arg(long, value_name = "CALM_AUDIO", num_args = 1..)]
    baseline: Vec<PathBuf>,
    /// Hear one channel, from 0, instead of all mixed; in frontdesk's own recordings the caller is 0
    #[arg(long, value_name = "N")]
    channel: Option<usize>,
    /// Model to use instead of the installed one
    #[arg(long, value_name = "FILE")]
    model: Option<PathBuf>,
}

/// One file's line; the field names are part of the interface.
#[derive(Serialize)]
struct Scored<'a> {
    file: &'a str,
    distress: Option<f32>,
    arousal: Option<f32>,
    valence: Option<f32>,
    probabilities: Option<BTreeMap<String, f32>>,
    speech_ms: u32,
    signs: Vec<Sign>,
    readings: Vec<At>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
}

#[derive(Serialize)]
struct At {
    /// Seconds from the file's beginning to the end of what was heard.
    time: f64,
    #[serde(flatten)]
    reading: Reading,
}

pub(super) fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let model = super::model(args.model.as_ref())?;
    let mut encoder = Encoder::new();
    let baseline = baseline(args, &mut encoder)?;
    let mut failed = false;
    for file in &args.files {
        let name = super::readable(file)?;
        let scored =
            sound(file, args).and_then(|samples| score(name, &samples, &model, baseline.as_ref(), &mut encoder));
        match scored {
            Ok(scored) if args.json => print_json(&scored)?,
            Ok(scored) => print(&scored)?,
            Err(error) => {
                failed = true;
                eprintln!("frontdesk: {error:#}");
                if args.json {
                    print_json(&Scored::none(name, format!("{error:#}")))?;
                }
            }
        }
    }
    Ok(if failed { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

impl<'a> Scored<'a> {
    fn none(file: &'a str, error: String) -> Self {
        Self {
            file,
            distress: None,
            arousal: None,
            valence: None,
            probabilities: None,
            speech_ms: 0,
            signs: Vec::new(),
            readings: Vec::new(),
            error: Some(error),
        }
    }
}

fn sound(file: &Path, args: &Args) -> anyhow::Result<Vec<i16>> {
    let read = match args.channel {
        Some(channel) => media::file::read_channel(file, channel),
        None => media::file::read(file),
    };
    let sound = read.context("cannot score")?;
    let line = if args.telephone { Line::telephone() } else { Line::default() };
    Ok(line.carry(&sound.samples, sound.rate, &[], 0))
}

fn baseline(args: &Args, encoder: &mut Encoder) -> anyhow::Result<Option<Baseline>> {
    let mut baseline = Baseline::default();
    for file in &args.baseline {
        let stretches = stretches(&sound(file, args)?, encoder);
        if stretches.is_empty() {
            bail!("{} holds too little speech for a baseline", file.display());
        }
        stretches.iter().for_each(|features| baseline.add(features));
    }
    Ok((baseline.utterances() > 0).then_some(baseline))
}

fn score<'a>(
    file: &'a str,
    samples: &[i16],
    model: &Model,
    baseline: Option<&Baseline>,
    encoder: &mut Encoder,
) -> anyhow::Result<Scored<'a>> {
    let parts: Vec<Reading> =
        stretches(samples, encoder).iter().map(|features| model.read(features, baseline)).collect();
    let Some(whole) = mean(&parts) else { bail!("{file} holds too little speech (0.4 s at least)") };
    Ok(Scored {
        file,
        distress: Some(whole.distress),
        arousal: Some(whole.arousal),
        valence: Some(whole.valence),
        probabilities: Some(whole.probabilities),
        speech_ms: whole.speech_ms,
        signs: whole.signs,
        readings: readings(samples, model, baseline, encoder),
        error: None,
    })
}

/// The features of a recording's speech, in stretches no longer than an extractor remembers.
fn stretches(samples: &[i16], encoder: &mut Encoder) -> Vec<Features> {
    let mut extractor = Extractor::new();
    let mut stretches = Vec::new();
    for frame in samples.chunks(RATE as usize / 50) {
        extractor.push(frame);
        if extractor.speech_ms() >= STRETCH_MS {
            stretches.extend(extractor.heard(true).map(|heard| encoder.features(&heard, &mut Timbre::default())));
            extractor.reset();
        }
    }
    stretches.extend(extractor.heard(true).map(|heard| encoder.features(&heard, &mut Timbre::default())));
    stretches
}

/// What a call would have known, second by second, and at the end.
fn readings(samples: &[i16], model: &Model, baseline: Option<&Baseline>, encoder: &mut Encoder) -> Vec<At> {
    let (mut extractor, mut timbre) = (Extractor::new(), Timbre::default());
    let step = (RATE * EVERY_MS / 1_000) as usize;
    let mut at = 0;
    let mut readings = Vec::new();
    for second in samples.chunks(step) {
        extractor.push(second);
        at += second.len();
        // The rest of a second is worth a reading of its own only where there is no other.
        if second.len() < step / 2 && !readings.is_empty() {
            break;
        }
        if let Some(heard) = extractor.heard_of_last(WINDOW_MS, true) {
            let features = encoder.features(&heard, &mut timbre);
            let time = round(at as f64 / f64::from(RATE));
            readings.push(At { time, reading: Reading { signs: Vec::new(), ..model.read(&features, baseline) } });
        }
    }
    readings
}

/// Mean by the speech in each; the signs are the most distressed part's.
fn mean(parts: &[Reading]) -> Option<Reading> {
    let speech_ms: u32 = parts.iter().map(|part| part.speech_ms.max(1)).sum();
    let mut mean = parts.iter().max_by(|a, b| a.distress.total_cmp(&b.distress))?.clone();
    if parts.len() == 1 {
        return Some(mean);
    }
    let share = |part: &Reading| part.speech_ms.max(1) as f32 / speech_ms as f32;
    let sum = |of: fn(&Reading) -> f32| parts.iter().map(|part| share(part) * of(part)).sum::<f32>();
    mean.distress = sum(|part| part.distress);
    mean.arousal = sum(|part| part.arousal);
    mean.valence = sum(|part| part.valence);
    for (class, value) in &mut mean.probabilities {
        *value = parts.iter().map(|part| share(part) * part.probabilities.get(class).copied().unwrap_or(0.0)).sum();
    }
    mean.speech_ms = speech_ms;
    Some(mean)
}

fn print_json(scored: &Scored) -> anyhow::Result<()> {
    Ok(writeln!(std::io::stdout().lock(), "{}", serde_json::to_string(scored)?)?)
}

fn print(scored: &Scored) -> anyhow::Result<()> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{}", scored.file)?;
    let value = |value: Option<f32>| value.unwrap_or(0.0);
    let mut classes: Vec<_> = scored.probabilities.iter().flatten().collect();
    classes.sort_by(|a, b| b.1.total_cmp(a.1));
    let classes: Vec<String> = classes.iter().map(|(class, p)| format!("{class} {p:.2}")).collect();
    writeln!(
        out,
        "  distress {:.2}   arousal {:.2}   valence {:.2}   ({:.1} s of speech)",
        value(scored.distress),
        value(scored.arousal),
        value(scored.valence),
        f64::from(scored.speech_ms) / 1_000.0
    )?;
    writeln!(out, "  {}", classes.join("   "))?;
    for sign in &scored.signs {
        let side = if sign.weight > 0.0 { "towards" } else { "away from" };
        writeln!(out, "  {side} distress: {} {:+.1} deviations", sign.name, sign.deviation)?;
    }
    if scored.readings.len() > 1 {
        writeln!(out, "  time     distress               arousal  valence  most probable")?;
        for At { time, reading } in &scored.readings {
            let bar = "#".repeat((reading.distress * 20.0).round() as usize);
            let best = reading.probabilities.iter().max_by(|a, b| a.1.total_cmp(b.1)).map_or("", |(class, _)| class);
            let Reading { distress, arousal, valence, .. } = reading;
            writeln!(out, "  {time:5.1} s  {distress:.2} {bar:<20}  {arousal:.2}     {valence:.2}     {best}")?;
        }
    }
    Ok(())
}

fn round(value: f64) -> f64 {
    (value * 1_000.0).round() / 1_000.0
}

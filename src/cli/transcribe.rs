//! `frontdesk transcribe`: the ear alone, file by file, as text or JSON lines, or against what was really said.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Context, bail};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde::Serialize;

use crate::dialog::{Expect, Language};
use crate::media::{self, Frame};
use crate::speech::wer::{self, Errors};
use crate::speech::{Ear, EarSettings, HearRequest, Heard, Listener, ListenerSettings, Samples};

/// Of what the ear hears.
const RATE: u32 = 16_000;

/// Hear audio files as text.
///
/// Reads wav, flac, mp3 and ogg of any rate and length; long recordings are cut at pauses. Prints one block a file,
/// or with --json one line a file: {"file", "text", "confidence", "language", "audio_s", "cpu_s"}.
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  \
    frontdesk transcribe call.wav\n  \
    frontdesk transcribe --lang zh --telephone --json *.flac\n  \
    frontdesk transcribe --labels prompts.tsv")]
pub struct Args {
    /// Audio files
    #[arg(value_name = "AUDIO", required_unless_present = "labels")]
    files: Vec<PathBuf>,
    /// Language spoken, by its tag (en, zh, es, ...); found out by the model when not given
    #[arg(long, value_name = "LANG")]
    lang: Option<String>,
    /// Send the sound through an 8 kHz G.711 mu-law telephone line first
    #[arg(long)]
    telephone: bool,
    /// ... that loses this many of a hundred packets
    #[arg(long, value_name = "PERCENT", default_value_t = 0.0, requires = "telephone")]
    loss: f64,
    /// ... and delays each by up to this many ms
    #[arg(long, value_name = "MS", default_value_t = 0.0, requires = "telephone")]
    jitter: f64,
    /// One JSON line a file
    #[arg(long)]
    json: bool,
    /// Measure instead: a table of FILE<tab>TEXT lines (relative to the table); prints word error rate and CPU time
    #[arg(long, value_name = "TSV", conflicts_with = "files")]
    labels: Option<PathBuf>,
    /// Speech model to use instead of the installed one (a ggml file)
    #[arg(long, value_name = "FILE")]
    model: Option<PathBuf>,
}

/// One file's line; the field names are part of the interface.
#[derive(Serialize)]
struct Line<'a> {
    file: &'a str,
    text: String,
    confidence: f32,
    language: String,
    audio_s: f64,
    cpu_s: f64,
}

pub async fn run(args: Args) -> anyhow::Result<ExitCode> {
    tokio::task::spawn_blocking(move || transcribe(&args)).await?
}

fn transcribe(args: &Args) -> anyhow::Result<ExitCode> {
    let labels = args.labels.as_deref().map(read_labels).transpose()?;
    let files: Vec<PathBuf> = match &labels {
        Some(labels) => labels.iter().map(|(file, _)| file.clone()).collect(),
        None => args.files.clone(),
    };
    let mut settings = match &args.model {
        Some(model) => EarSettings { model: model.clone(), workers: 1, queue: 1, alternatives: 0 },
        None => EarSettings::installed()?,
    };
    settings.alternatives = 0;
    let ear = Ear::open(&settings)?;
    let bar = progress(files.len());
    let mut failed = false;
    let mut measured = Measured::default();
    for (i, file) in files.iter().enumerate() {
        let name = file.to_string_lossy();
        bar.set_message(name.to_string());
        match hear_file(&ear, file, args) {
            Ok(line) => {
                let label = labels.as_ref().map(|l| l[i].1.as_str());
                bar.suspend(|| print(&line, label, args.json))?;
                measured.add(&line, label);
            }
            Err(error) => {
                failed = true;
                bar.suspend(|| eprintln!("frontdesk: {error:#}"));
            }
        }
        bar.inc(1);
    }
    bar.finish_and_clear();
    if labels.is_some() {
        measured.print(args.json)?;
    }
    Ok(if failed { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

fn hear_file<'a>(ear: &Ear, file: &'a Path, args: &Args) -> anyhow::Result<Line<'a>> {
    let name = file.to_str().with_context(|| format!("{} is not a readable name", file.display()))?;
    let sound = media::file::read(file).with_context(|| format!("cannot read {name}"))?;
    let audio_s = sound.samples.len() as f64 / f64::from(sound.rate);
    let (samples, rate) = match args.telephone {
        true if args.loss > 0.0 || args.jitter > 0.0 => {
            (bad_line(args, &sound).received(&sound.at_rate(8000).samples), 8000)
        }
        true => (media::telephone_channel(&sound.samples, sound.rate), 8000),
        false => (sound.samples, sound.rate),
    };
    let samples = media::resample(&samples, rate, RATE);
    let language = args.lang.as_deref().map(Language::new);
    let mut whole =
        Line { file: name, text: String::new(), confidence: 0.0, language: String::new(), audio_s, cpu_s: 0.0 };
    let mut weight = 0.0;
    for audio in turns(&samples) {
        // One language a file: the first turn with words in it tells.
        let known = (!whole.text.is_empty()).then(|| Language::new(&whole.language));
        let request = HearRequest {
            audio,
            language: language.clone().or(known),
            hints: Vec::new(),
            expect: Expect::Free,
            likely: Arc::default(),
            languages: Vec::new(),
        };
        let hearing = ear.hear(request)?.wait().with_context(|| format!("cannot hear {name}"))?;
        whole.cpu_s += f64::from(hearing.cpu_s);
        if whole.text.is_empty() {
            whole.language = hearing.language.to_string();
        }
        if hearing.text.is_empty() {
            continue;
        }
        let spaced = !whole.text.is_empty() && !wer::by_character(&whole.language);
        whole.text += if spaced { " " } else { "" };
        whole.text += &hearing.text;
        let letters = hearing.text.chars().count() as f32;
        whole.confidence = (whole.confidence * weight + hearing.confidence * letters) / (weight + letters);
        weight += letters;
    }
    whole.confidence = (whole.confidence * 1000.0).round() / 1000.0;
    (whole.audio_s, whole.cpu_s) = (round(audio_s), round(whole.cpu_s));
    Ok(whole)
}

/// A line as bad as asked for. Each recording has its own, and the same one each time.
fn bad_line(args: &Args, sound: &media::Sound) -> media::Line {
    let seed = sound.samples.iter().fold(1u64, |sum, &s| sum.wrapping_mul(31).wrapping_add(u64::from(s as u16)));
    let good = media::Line::good(media::Codec::Pcmu);
    media::Line { loss: args.loss / 100.0, jitter_ms: args.jitter, seed, ..good }
}

/// The recording in pieces that can be heard at once: all of it, or cut at its pauses as a call would be.
fn turns(samples: &[i16]) -> Vec<Samples> {
    let settings = ListenerSettings::default();
    if samples.len() <= settings.longest_ms as usize * RATE as usize / 1000 {
        return vec![samples.iter().map(|&s| f32::from(s) / 32_768.0).collect()];
    }
    let mut listener = Listener::new(settings);
    let mut turns = Vec::new();
    let mut keep = |event: Heard| {
        if let Heard::TurnEnded { audio, .. } = event {
            turns.push(audio);
        }
    };
    for (frame, samples) in samples.chunks(RATE as usize / 50).enumerate() {
        let now_ms = frame as u64 * u64::from(media::FRAME_MS);
        listener.hear(now_ms, &Frame::from_samples(RATE, samples)).for_each(&mut keep);
    }
    listener.finish().into_iter().for_each(keep);
    turns
}

fn print(line: &Line, label: Option<&str>, json: bool) -> anyhow::Result<()> {
    let mut out = std::io::stdout().lock();
    if json {
        return Ok(writeln!(out, "{}", serde_json::to_string(line)?)?);
    }
    writeln!(out, "{}", line.file)?;
    if let Some(label) = label {
        let errors = wer::errors(label, &line.text, &line.language);
        if errors.total() > 0 {
            writeln!(out, "  said:  {label}")?;
            writeln!(
                out,
                "  heard: {}   ({} of {} wrong, confidence {:.2})",
                line.text,
                errors.total(),
                errors.reference,
                line.confidence
            )?;
        } else {
            writeln!(out, "  right: {}   (confidence {:.2})", line.text, line.confidence)?;
        }
        return Ok(());
    }
    let text = if line.text.is_empty() { "(nothing said)" } else { &line.text };
    writeln!(out, "  {text}")?;
    writeln!(
        out,
        "  {}, confidence {:.2}, {:.1} s of sound, {:.2} s of CPU",
        line.language, line.confidence, line.audio_s, line.cpu_s
    )?;
    Ok(())
}

#[derive(Default)]
struct Measured {
    files: usize,
    right: usize,
    errors: Errors,
    by_character: bool,
    audio_s: f64,
    cpu_s: f64,
}

impl Measured {
    fn add(&mut self, line: &Line, label: Option<&str>) {
        let Some(label) = label else { return };
        let errors = wer::errors(label, &line.text, &line.language);
        self.files += 1;
        self.right += usize::from(errors.total() == 0);
        self.errors += errors;
        self.by_character |= wer::by_character(&line.language);
        self.audio_s += line.audio_s;
        self.cpu_s += line.cpu_s;
    }

    fn print(&self, json: bool) -> anyhow::Result<()> {
        let mut out = std::io::stdout().lock();
        let name = if self.by_character { "cer" } else { "wer" };
        let per_second = if self.audio_s > 0.0 { self.cpu_s / self.audio_s } else { 0.0 };
        if json {
            let sum = serde_json::json!({
                "files": self.files, "right": self.right, name: round(self.errors.rate()),
                "substituted": self.errors.substituted, "deleted": self.errors.deleted,
                "inserted": self.errors.inserted, "reference": self.errors.reference,
                "audio_s": round(self.audio_s), "cpu_s": round(self.cpu_s), "cpu_s_per_audio_s": round(per_second),
            });
            return Ok(writeln!(out, "{sum}")?);
        }
        let Errors { substituted, deleted, inserted, reference } = self.errors;
        writeln!(
            out,
            "{} {:.2} % ({substituted} wrong, {deleted} missing, {inserted} too many of {reference}); \
             {} of {} files right; {per_second:.3} CPU seconds a second of sound ({:.1} s)",
            name.to_uppercase(),
            100.0 * self.errors.rate(),
            self.right,
            self.files,
            self.audio_s,
        )?;
        Ok(())
    }
}

/// `file<tab>text` lines; a first line `file<tab>text`, empty lines and `#` lines are passed over.
fn read_labels(path: &Path) -> anyhow::Result<Vec<(PathBuf, String)>> {
    let text = std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    let folder = path.parent().unwrap_or(Path::new(""));
    let mut labels = Vec::new();
    for (number, line) in text.lines().enumerate() {
        if line.trim().is_empty() || line.starts_with('#') || (number == 0 && line.starts_with("file\t")) {
            continue;
        }
        let Some((file, text)) = line.split_once('\t') else {
            bail!("{}:{}: expected FILE<tab>TEXT, found {line:?}", path.display(), number + 1);
        };
        labels.push((folder.join(file.trim()), text.trim().to_owned()));
    }
    Ok(labels)
}

fn progress(files: usize) -> ProgressBar {
    if files < 3 {
        return ProgressBar::hidden();
    }
    let bar = ProgressBar::with_draw_target(Some(files as u64), ProgressDrawTarget::stderr());
    // The template is a constant that parses.
    bar.with_style(ProgressStyle::with_template("{pos}/{len} {wide_msg} {eta}").expect("a valid template"))
}

fn round(value: f64) -> f64 {
    (value * 1000.0).round() / 1000.0
}

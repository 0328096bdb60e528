//! `frontdesk speak`

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;

use anyhow::{Context, bail};
use clap::ValueEnum;

use crate::dialog::{Language, Piece, Prompt};
use crate::media;
use crate::speech::voice::{Options, Voice, spoken};

/// Speak a text into a WAV file.
///
/// Numbers, amounts, dates, times, telephone numbers and abbreviations in the text are read as people say
/// them; `--as` says what a bare value is. What you hear is what a caller hears.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  frontdesk speak 'Good morning. Your parcel arrives at 3 pm.'
  frontdesk speak --lang zh '您好，请输入您的运单号。' -o greeting.wav
  frontdesk speak --as money '1234.50 USD'
  frontdesk speak --as code 4F7-1093 --telephone
  frontdesk speak --lines prompts.txt --out-dir prompts/      one WAV a line: 001.wav, 002.wav, ...")]
pub struct Args {
    /// What to say
    #[arg(required_unless_present = "lines")]
    text: Option<String>,
    /// Language of the text: en or zh
    #[arg(long, default_value = "en")]
    lang: String,
    /// File to write
    #[arg(short, long, default_value = "out.wav")]
    output: PathBuf,
    /// As a telephone carries it: 8 kHz, G.711 mu-law there and back
    #[arg(long)]
    telephone: bool,
    /// What the text is; running text when not given
    #[arg(long = "as", value_name = "KIND")]
    kind: Option<Kind>,
    /// Speak every line of this file (empty lines are skipped)
    #[arg(long, value_name = "FILE", requires = "out_dir", conflicts_with = "text")]
    lines: Option<PathBuf>,
    /// Folder for the WAV files of --lines
    #[arg(long, value_name = "DIR")]
    out_dir: Option<PathBuf>,
    /// Print the words that are spoken, their sounds, and the speed
    #[arg(short, long)]
    verbose: bool,
}

#[derive(Clone, Copy, ValueEnum)]
enum Kind {
    /// Letters and digits one by one
    Code,
    /// "1234.50 USD"
    Money,
    /// "2026-11-21"
    Date,
    /// "14:05"
    Time,
    /// A telephone number
    Phone,
    /// "-3.5"
    Number,
}

pub async fn run(args: Args) -> anyhow::Result<ExitCode> {
    tokio::task::spawn_blocking(move || speak(&args)).await?
}

fn speak(args: &Args) -> anyhow::Result<ExitCode> {
    let language = Language::new(&args.lang);
    // Mandarin texts may hold English words.
    let languages =
        if args.lang == "zh" { vec![Language::new("en"), language.clone()] } else { vec![language.clone()] };
    let options = Options { languages, cache: None, ..Options::default() };
    let voice = Voice::load(&options)?;
    for terms in voice.terms() {
        eprintln!("note: {terms}");
    }
    if let (Some(lines), Some(folder)) = (&args.lines, &args.out_dir) {
        let text = std::fs::read_to_string(lines).with_context(|| format!("cannot read {}", lines.display()))?;
        std::fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
        for (n, line) in text.lines().map(str::trim).filter(|line| !line.is_empty()).enumerate() {
            one(args, &voice, &language, line, &folder.join(format!("{:03}.wav", n + 1)))?;
        }
    } else if let Some(text) = &args.text {
        one(args, &voice, &language, text, &args.output)?;
    }
    Ok(ExitCode::SUCCESS)
}

fn one(args: &Args, voice: &Voice, language: &Language, text: &str, path: &Path) -> anyhow::Result<()> {
    let text = text.to_owned();
    let piece = match args.kind {
        None => Piece::Text(text),
        Some(Kind::Code) => Piece::Code(text),
        Some(Kind::Money) => Piece::Money(text),
        Some(Kind::Date) => Piece::Date(text),
        Some(Kind::Time) => Piece::Time(text),
        Some(Kind::Phone) => Piece::Phone(text),
        Some(Kind::Number) => Piece::Number(text),
    };
    let words = args.verbose.then(|| spoken::words(&piece, language).unwrap_or_default());
    let prompt = Prompt { language: language.clone(), pieces: vec![piece] };
    if let Some(words) = words {
        eprintln!("{}: {words}\n  {}", path.display(), voice.phonemes(&prompt).replace('\n', "\n  "));
    }
    let begun = Instant::now();
    let mut first = None;
    let mut rate = 0;
    let mut samples = Vec::new();
    for chunk in voice.speak(&prompt)? {
        let chunk = chunk?;
        first.get_or_insert_with(|| begun.elapsed());
        rate = chunk.rate;
        samples.extend_from_slice(&chunk.samples);
    }
    if samples.is_empty() {
        bail!("there is nothing to say in this text");
    }
    let took = begun.elapsed().as_secs_f64();
    let seconds = samples.len() as f64 / f64::from(rate);
    if args.telephone {
        samples = media::telephone_channel(&samples, rate);
        rate = 8_000;
    }
    write(path, rate, &samples).with_context(|| format!("cannot write {}", path.display()))?;
    if args.verbose {
        let first = first.unwrap_or_default().as_millis();
        eprintln!("  {seconds:.2} s of speech, {:.3} x real time, first sound after {first} ms", took / seconds);
    }
    Ok(())
}

fn write(path: &Path, rate: u32, samples: &[i16]) -> hound::Result<()> {
    let spec =
        hound::WavSpec { channels: 1, sample_rate: rate, bits_per_sample: 16, sample_format: hound::SampleFormat::Int };
    let mut writer = hound::WavWriter::create(path, spec)?;
    for &sample in samples {
        writer.write_sample(sample)?;
    }
    writer.finalize()
}

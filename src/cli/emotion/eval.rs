//! `frontdesk emotion eval`

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::bail;
use serde_json::json;

use crate::emotion::clips::{Crowd, Hearing};
use crate::emotion::degrade::{Coding, Line, Noise};
use crate::emotion::eval::{self, Classes, Evaluation, Group, Scores};
use crate::emotion::labels::{self, Label};
use crate::emotion::{Model, report};

/// Measure the model on labelled recordings.
///
/// Prints unweighted average recall (UAR: the mean of the classes' recalls) and area under the ROC curve (AUC) of
/// distress, UAR of angry/happy/neutral/sad and of all classes, confusions, calibration (ECE: how far told
/// probabilities are from what was true), by corpus, language and gender; each recording for itself, and with the
/// caller's baseline: the first neutral recordings of the same speaker, which are then not scored. Distress is anger
/// and fear against neutral, calm and sad, at 0.5; other emotions do not count in it. Intervals are 95 %, by bootstrap
/// over speakers.
///
/// The table is tab-separated with a heading; it must name file, speaker and emotion, and may name corpus, language,
/// gender, text and split. Files are relative to it.
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  \
    frontdesk emotion eval --labels labels.tsv --telephone --split dev\n  \
    frontdesk emotion eval --labels labels.tsv --telephone --noise 10 --noise-kind street --loss 5\n  \
    frontdesk emotion eval --labels labels.tsv --telephone --corpus calls --json | jq .plain.distress.uar\n\n\
    file            speaker  emotion\n  \
    calls/0001.wav  anna     angry        (parted by tabs)")]
pub struct Args {
    /// Table of recordings
    #[arg(long, value_name = "TSV")]
    labels: PathBuf,
    /// Send the sound through a telephone line first: 300-3400 Hz, G.711 mu-law
    #[arg(long)]
    telephone: bool,
    /// Through a low-rate codec (about 8 kbit/s, in the manner of G.729) in place of G.711
    #[arg(long)]
    low_rate: bool,
    /// Add noise, so many dB below the speech
    #[arg(long, value_name = "DB", allow_negative_numbers = true)]
    noise: Option<f32>,
    /// Which noise
    #[arg(long, value_name = "KIND", default_value = "babble", requires = "noise")]
    noise_kind: Noise,
    /// Lose so many percent of the packets (20 ms each) and conceal them
    #[arg(long, value_name = "PCT", default_value_t = 0.0)]
    loss: f32,
    /// Make the voice louder or softer by so many dB first
    #[arg(long, value_name = "DB", default_value_t = 0.0, allow_negative_numbers = true)]
    gain: f32,
    /// Only recordings of this split (train, dev)
    #[arg(long)]
    split: Option<String>,
    /// Only recordings of this corpus; may be given again
    #[arg(long)]
    corpus: Vec<String>,
    /// Only recordings in this language
    #[arg(long)]
    language: Option<String>,
    /// Only recordings of this speaker; may be given again
    #[arg(long)]
    speaker: Vec<String>,
    /// Neutral recordings that make a caller's baseline
    #[arg(long, value_name = "N", default_value_t = 3)]
    baseline: usize,
    /// Show each speaker, too
    #[arg(long)]
    speakers: bool,
    /// One JSON object instead of tables
    #[arg(long)]
    json: bool,
    /// Write a page with pictures (confusions, curves), too
    #[arg(long, value_name = "HTML")]
    report: Option<PathBuf>,
    /// Model to use instead of the installed one
    #[arg(long, value_name = "FILE")]
    model: Option<PathBuf>,
    /// Of noise and losses
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Cores to use [default: all]
    #[arg(long, value_name = "N")]
    threads: Option<usize>,
}

pub(super) fn run(args: &Args) -> anyhow::Result<ExitCode> {
    if !(0.0..=100.0).contains(&args.loss) {
        bail!("--loss is a share of the packets in percent, 0 to 100, not {}", args.loss);
    }
    let model = super::model(args.model.as_ref())?;
    let all = labels::read(&args.labels)?;
    let labels: Vec<Label> = all.iter().filter(|label| wanted(label, args)).cloned().collect();
    if labels.is_empty() {
        bail!("none of the {} recordings in {} is of the kind asked for", all.len(), args.labels.display());
    }
    let line = line(args);
    // Noise may come from those who are not scored, too.
    let crowd = match line.noise {
        Some((Noise::Babble, _)) => Crowd::of(&all, args.seed),
        _ => Crowd::default(),
    };
    let bar = super::progress(labels.len() as u64 as usize, "{pos}/{len} recordings {wide_bar} {eta}");
    let lines = |_: &Label| vec![line];
    let hearing = Hearing { lines: &lines, crowd: &crowd, seed: args.seed, threads: super::threads(args.threads) };
    let heard = hearing.hear(&labels, &|| bar.inc(1));
    bar.finish_and_clear();
    for (label, why) in &heard.unheard {
        eprintln!("{}:{}: not scored: {why}", args.labels.display(), labels[*label].line);
    }
    if heard.clips.is_empty() {
        bail!("not one of the recordings could be heard");
    }
    let evaluation = eval::evaluate(&model, &labels, &heard.clips, args.baseline);
    if let Some(path) = &args.report {
        let page = report::evaluation_page(&title(&model), &said(&line), &evaluation);
        std::fs::write(path, page).map_err(|error| anyhow::anyhow!("cannot write {}: {error}", path.display()))?;
    }
    if args.json {
        let mut all = serde_json::to_value(&evaluation)?;
        all["model"] = json!({"name": model.card.name, "terms": model.card.terms});
        all["line"] = json!(said(&line));
        all["unheard"] = json!(
            heard
                .unheard
                .iter()
                .map(|(label, why)| json!({"line": labels[*label].line, "why": why}))
                .collect::<Vec<_>>()
        );
        println!("{}", serde_json::to_string(&all)?);
    } else {
        println!("model: {}; line: {}; {} recordings", title(&model), said(&line), heard.clips.len());
        print(&evaluation, args.speakers);
    }
    Ok(if heard.unheard.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn wanted(label: &Label, args: &Args) -> bool {
    let is = |wanted: &Option<String>, found: &str| wanted.as_ref().is_none_or(|wanted| wanted == found);
    let one_of = |wanted: &[String], found: &str| wanted.is_empty() || wanted.iter().any(|wanted| wanted == found);
    is(&args.split, &label.split)
        && is(&args.language, &label.language)
        && one_of(&args.corpus, &label.corpus)
        && one_of(&args.speaker, &label.speaker)
}

fn line(args: &Args) -> Line {
    Line {
        gain_db: args.gain,
        noise: args.noise.map(|db| (args.noise_kind, db)),
        band: args.telephone,
        coding: match (args.low_rate, args.telephone) {
            (true, _) => Coding::LowRate,
            (false, true) => Coding::MuLaw,
            (false, false) => Coding::None,
        },
        loss_pct: args.loss,
    }
}

/// A line in words.
fn said(line: &Line) -> String {
    let mut words = vec![if line.band { "300-3400 Hz" } else { "8 kHz" }.to_owned()];
    match line.coding {
        Coding::None => {}
        Coding::MuLaw => words.push("G.711 mu-law".into()),
        Coding::LowRate => words.push("low-rate coding".into()),
    }
    if let Some((noise, db)) = line.noise {
        words.push(format!("{} at {db} dB", format!("{noise:?}").to_lowercase()));
    }
    if line.loss_pct > 0.0 {
        words.push(format!("{} % loss", line.loss_pct));
    }
    if line.gain_db != 0.0 {
        words.push(format!("{:+} dB", line.gain_db));
    }
    words.join(", ")
}

fn title(model: &Model) -> String {
    if model.card.name.is_empty() { "unnamed".into() } else { model.card.name.clone() }
}

/// Both ways side by side, groups below, confusions last.
pub(super) fn print(evaluation: &Evaluation, speakers: bool) {
    heading("");
    row("all", &evaluation.plain, evaluation.baseline.as_ref());
    for by in ["corpus", "language", "gender", "speaker"] {
        let groups: Vec<&Group> = evaluation.groups.iter().filter(|group| group.by == by).collect();
        if groups.len() > 1 && (by != "speaker" || speakers) {
            heading(by);
            groups.iter().for_each(|group| row(&group.name, &group.plain, group.baseline.as_ref()));
        }
    }
    if let Some(gain) = evaluation.baseline_gain {
        println!(
            "\nthe caller's baseline adds {:+.3} to the distress UAR on the same recordings (95 %: {:+.3} to {:+.3})",
            gain.value, gain.low, gain.high
        );
    }
    for (way, scores) in [
        ("each recording for itself", Some(&evaluation.plain)),
        ("with the caller's baseline", evaluation.baseline.as_ref()),
    ] {
        let Some(scores) = scores else { continue };
        println!("\n{way}");
        details(scores);
    }
}

fn heading(by: &str) {
    println!("\n{:24}|       each recording for itself       |      with the caller's baseline", "");
    println!("{by:24}|  files distress   AUC   ECE  four   all |  files distress   AUC   ECE  four   all");
}

fn row(name: &str, plain: &Scores, baseline: Option<&Scores>) {
    println!("{name:24}|{} |{}", cells(plain), baseline.map_or(String::new(), cells));
}

fn cells(scores: &Scores) -> String {
    let distress = scores.distress.as_ref();
    let short = |value: Option<f64>| value.map_or("-".into(), |value| format!("{value:.3}"));
    let uar = |classes: &Option<Classes>| classes.as_ref().map(|classes| classes.uar);
    format!(
        "{:>7}{:>9}{:>6}{:>6}{:>6}{:>6}",
        scores.files,
        short(distress.map(|d| d.uar.value)),
        short(distress.and_then(|d| d.auc)),
        short(distress.and_then(|d| d.ece)),
        short(uar(&scores.four)),
        short(uar(&scores.all)),
    )
}

fn details(scores: &Scores) {
    if let Some(distress) = &scores.distress {
        println!(
            "  distress UAR {:.3} (95 %: {:.3} to {:.3}); {} of the distressed heard, {} of the others taken for distressed",
            distress.uar.value,
            distress.uar.low,
            distress.uar.high,
            percent(distress.recall),
            percent(distress.false_alarms),
        );
        println!(
            "  calibration of distress (ECE {}), of the most probable class {}",
            super::figure(distress.ece),
            super::figure(scores.class_ece)
        );
        println!("    told      was   files");
        for bin in &distress.reliability {
            println!("    {:.2}     {:.2}  {:>6}", bin.told, bin.was, bin.count);
        }
    }
    for (name, classes) in [("four classes", &scores.four), ("all classes", &scores.all)] {
        let Some(classes) = classes else { continue };
        println!("  {name}: UAR {:.3}; meant (rows), heard (columns), recall", classes.uar);
        let confusion = &classes.confusion;
        let head: String = confusion.classes.iter().map(|class| format!("{class:>9}")).collect();
        println!("    {:9}{head}", "");
        for (n, class) in confusion.classes.iter().enumerate() {
            let cells: String = confusion.counts[n].iter().map(|count| format!("{count:>9}")).collect();
            println!("    {class:9}{cells}     {}", percent(confusion.recall(n)));
        }
    }
}

fn percent(share: Option<f64>) -> String {
    share.map_or("-".into(), |share| format!("{:.0} %", 100.0 * share))
}

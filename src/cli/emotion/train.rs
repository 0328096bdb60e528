//! `frontdesk emotion train`

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use anyhow::bail;
use indicatif::{HumanDuration, ProgressBar};

use crate::emotion::labels;
use crate::emotion::train::{self, MODEL, Options, Outcome, REPORT, Stage};
use crate::emotion::{Error, Model, Settings, report};

/// Train a model on your own recordings and put it in place if it is better.
///
/// Takes the table that `emotion eval` takes: tab-separated, with a heading that names at least file, speaker and
/// emotion. `frontdesk calls labels` writes the corrections of agents in that form. A fifth of the speakers is kept for
/// judging (or those whose `split` is `dev`); the others are heard over a clean telephone line and over damaged ones
/// (noise, lost packets, low-rate coding, levels), and learned from.
///
/// The new model and the one in use are then compared on the speakers kept: by distress UAR, mean of with and without
/// the caller's baseline. If the new one is at least as good it becomes DIR/emotion.model (the one before is kept as
/// emotion.model.before). If it is worse it is refused: it is written as emotion.model.refused, the one in use stays,
/// and the command ends with 1. Either way DIR/emotion-report.html shows both, with pictures.
///
/// An engine loads emotion.model from the models folder ($FRONTDESK_MODELS, else ~/.cache/frontdesk/models) when it
/// starts; give that folder as --out to use the model, another to look first.
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  \
    frontdesk emotion train --labels recordings/labels.tsv --out ~/.cache/frontdesk/models\n  \
    frontdesk emotion train --labels labels.tsv --out /tmp/look --name bank-2026 --terms 'own calls, internal use'\n\n\
    file            speaker  emotion\n  \
    calls/0001.wav  anna     angry        (parted by tabs; angry, happy, neutral, calm, sad, fear, surprise, disgust)")]
pub struct Args {
    /// Table of recordings
    #[arg(long, value_name = "TSV")]
    labels: PathBuf,
    /// Folder for model and report; the model in use is DIR/emotion.model, else the installed one
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Share of the speakers kept for judging, in percent; who they are hangs on their names alone
    #[arg(long, value_name = "PCT", default_value_t = 20.0)]
    held_out: f64,
    /// Damaged copies of each recording; more take longer and make the model sturdier
    #[arg(long, value_name = "N", default_value_t = 4)]
    copies: usize,
    /// Name for the model, shown wherever it is used [default: the table's name]
    #[arg(long)]
    name: Option<String>,
    /// Under which terms the recordings, and so the model, may be used
    #[arg(long, default_value = "the operator's own recordings; not for others")]
    terms: String,
    /// Another seed, another (usually equally good) model
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Cores to use for hearing the recordings [default: all]
    #[arg(long, value_name = "N")]
    threads: Option<usize>,
}

pub(super) fn run(args: &Args) -> anyhow::Result<ExitCode> {
    if !(args.held_out > 0.0 && args.held_out < 100.0) {
        bail!("--held-out is a share of the speakers in percent, above 0 and below 100, not {}", args.held_out);
    }
    let labels = labels::read(&args.labels)?;
    let counts: Vec<String> =
        train::classes(&labels).iter().map(|(class, count)| format!("{} {count}", class.name())).collect();
    eprintln!("{} recordings: {}", labels.len(), counts.join(", "));
    let in_use = in_use(&args.out)?;
    let table = args.labels.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    let options = Options {
        held_out: args.held_out / 100.0,
        copies: args.copies,
        threads: super::threads(args.threads),
        fit: Settings { seed: args.seed, ..Settings::default() },
        baseline_of: 3,
        name: args.name.clone().unwrap_or_else(|| table.clone()),
        terms: args.terms.clone(),
        trained_on: table,
        date: chrono::Utc::now().to_rfc3339_opts(chrono::SecondsFormat::Secs, true),
    };
    let show = Show::default();
    let outcome = train::train(&labels, &in_use, &options, &|stage| show.stage(stage));
    show.end();
    let outcome = outcome?;
    for (line, why) in &outcome.unheard {
        eprintln!("{}:{line}: passed over: {why}", args.labels.display());
    }
    let written = train::install(&outcome, &args.out)?;
    let verdict = verdict(&outcome, &written);
    let notes: Vec<String> = outcome.unheard.iter().map(|(line, why)| format!("line {line}: {why}")).collect();
    let page = args.out.join(REPORT);
    std::fs::write(&page, report::training_page(&outcome, &verdict, &notes))
        .map_err(|error| anyhow::anyhow!("cannot write {}: {error}", page.display()))?;
    println!("new model, on {} speakers it never heard:", outcome.judged.people.len());
    super::eval::print(&outcome.new_scores, true);
    println!("\nreport with pictures: {}", page.display());
    if outcome.better {
        println!("{verdict}");
        Ok(ExitCode::SUCCESS)
    } else {
        eprintln!("frontdesk: {verdict}");
        Ok(ExitCode::FAILURE)
    }
}

/// The model that a new one must not fall behind. One that this version cannot read (its features were others) is in
/// nobody's use: then the shipped one.
fn in_use(folder: &Path) -> anyhow::Result<Model> {
    let here = folder.join(MODEL);
    match if here.exists() { Model::load(here) } else { Model::installed() } {
        Err(error @ Error::Format { .. }) => {
            eprintln!("note: {error}; the shipped model stands in for it");
            Ok(Model::shipped()?)
        }
        found => Ok(found?),
    }
}

fn verdict(outcome: &Outcome, written: &Path) -> String {
    let (new, old) = outcome.main;
    let same = |path: &Path| path.canonicalize().ok();
    let loaded = same(written).is_some_and(|path| same(&Model::path()) == Some(path));
    let (written, in_use) = (written.display(), &outcome.in_use.name);
    if outcome.better {
        let gain = new - old;
        let used =
            if loaded { "engines use it from their next start" } else { "copy it into the models folder to use it" };
        format!(
            "installed: {written}; distress UAR {new:.3} on the speakers kept for judging, {gain:+.3} to the model that was in use \
             ({in_use}, {old:.3}); {used}"
        )
    } else {
        format!(
            "refused: the new model is worse than the one in use: distress UAR {new:.3} against {old:.3} ({in_use}) on the \
             speakers kept for judging; nothing was changed, the new one lies in {written} for a look"
        )
    }
}

/// One bar after the other: hearing, learning. Where nobody sees a bar, a line now and then.
#[derive(Default)]
struct Show {
    bar: Mutex<Option<Shown>>,
}

struct Shown {
    name: &'static str,
    bar: ProgressBar,
    /// When a line was written last, where lines are.
    said: Instant,
}

const BETWEEN_LINES: Duration = Duration::from_secs(15);

impl Show {
    fn stage(&self, stage: Stage) {
        match stage {
            Stage::Heard { of } => self.bar("hearing", of, |bar| bar.inc(1)),
            Stage::Fitting(step) => self.bar("learning", step.folds * (step.folds - 1), |bar| {
                bar.set_position((step.fold * (step.folds - 1) + step.learned) as u64);
                bar.set_message(format!("error {:.3}, on speakers left out {:.3}", step.loss, step.left_out));
            }),
            Stage::Judging => self.bar("judging", 1, |_| {}),
        }
    }

    fn bar(&self, name: &'static str, of: usize, change: impl Fn(&ProgressBar)) {
        let mut shown = self.bar.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        if let Some(former) = shown.take_if(|shown| shown.name != name) {
            former.bar.finish_and_clear();
        }
        let shown = shown.get_or_insert_with(|| {
            let bar = super::progress(of, "{prefix} {pos}/{len} {wide_bar} {eta} {msg}");
            bar.set_prefix(name);
            Shown { name, bar, said: Instant::now() }
        });
        change(&shown.bar);
        if shown.bar.is_hidden() && shown.said.elapsed() >= BETWEEN_LINES {
            shown.said = Instant::now();
            let left = HumanDuration(shown.bar.eta());
            eprintln!("{name}: {} of {of}, {left} left", shown.bar.position());
        }
    }

    fn end(&self) {
        if let Some(Shown { bar, .. }) = self.bar.lock().unwrap_or_else(|poisoned| poisoned.into_inner()).take() {
            bar.finish_and_clear();
        }
    }
}

//! `frontdesk check`

use std::io::{IsTerminal, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use crate::config::{self, Config, Problem, Secrets};
use crate::engine;

/// Check a configuration: every error at once, with its place and what was expected.
#[derive(clap::Args)]
pub struct Args {
    /// The configuration file (YAML).
    config: PathBuf,
    /// Print a JSON object: `problems`, or what the configuration holds.
    #[arg(long)]
    json: bool,
    /// Accept that secrets (environment variables, files) are not there: to check on another machine.
    #[arg(long)]
    without_secrets: bool,
    /// Compare the examples of each menu's intents by what they mean, too, by the model that understands callers: two that
    /// mean the same, for two options, cannot be told apart. Some 20 ms a sentence.
    #[arg(long)]
    meaning: bool,
}

/// Exits 0 when the configuration is good, 1 when it is not.
pub async fn run(args: Args) -> anyhow::Result<ExitCode> {
    let secrets = if args.without_secrets { Secrets::Optional } else { Secrets::Needed };
    let mut checked = config::load_with(&args.config, secrets);
    if let (true, Ok(config)) = (args.meaning, &checked) {
        let embedder = engine::embedder(config)?;
        checked = config::load_by_meaning(&args.config, secrets, &|texts| embedder.centred(texts));
    }
    let mut out = std::io::stdout().lock();
    if args.json {
        let json = match &checked {
            Ok(config) => serde_json::json!({ "ok": true, "problems": [], "summary": summary(config) }),
            Err(problems) => serde_json::json!({ "ok": false, "problems": problems }),
        };
        writeln!(out, "{json}")?;
    } else {
        match &checked {
            Ok(config) => writeln!(out, "{}", summary(config))?,
            Err(problems) => {
                let colours = out.is_terminal() && std::env::var_os("NO_COLOR").is_none();
                for problem in &problems.0 {
                    writeln!(out, "{}\n", show(problem, colours))?;
                }
                let count = problems.0.len();
                writeln!(out, "{count} problem{}", if count == 1 { "" } else { "s" })?;
            }
        }
    }
    Ok(if checked.is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// What a good configuration holds, in a line.
fn summary(config: &Config) -> String {
    let some = |count: usize, one: &str| format!("{count} {one}{}", if count == 1 { "" } else { "s" });
    let steps = config.flows.values().map(|flow| flow.steps.len()).sum();
    format!(
        "good: {}, {} ({}; every one reaches a person), {}, {}, {}",
        some(config.lines.len(), "line"),
        some(config.flows.len(), "flow"),
        some(steps, "step"),
        some(config.queues.len(), "queue"),
        some(config.agents.len(), "agent"),
        some(config.backends.len(), "backend"),
    )
}

/// The problem, and below it the line with a caret under what is meant.
fn show(problem: &Problem, colours: bool) -> String {
    let paint = |text: &str, code: &str| if colours { format!("\x1b[{code}m{text}\x1b[0m") } else { text.to_owned() };
    let line = problem.to_string();
    let place = format!("{}:{}:{}:", problem.place.file.display(), problem.place.line, problem.place.column);
    let line = match line.strip_prefix(&place) {
        Some(rest) => format!("{}{rest}", paint(&place, "1")),
        None => line,
    };
    let source = problem.place.source.replace('\t', " ");
    if source.is_empty() {
        return line;
    }
    let (source, column) = window(&source, problem.place.column - 1);
    let width = |text: &str| unicode_width::UnicodeWidthStr::width(text);
    let before: String = source.chars().take(column).collect();
    let meant: String = source.chars().skip(column).take(problem.place.length).collect();
    let caret = "^".repeat(width(&meant).max(1));
    format!("{line}\n    {source}\n    {}{}", " ".repeat(width(&before)), paint(&caret, "31;1"))
}

/// The part of a long line around a column, and the column in it.
fn window(source: &str, column: usize) -> (String, usize) {
    const WIDTH: usize = 110;
    let length = source.chars().count();
    if length <= WIDTH {
        return (source.to_owned(), column);
    }
    let from = column.saturating_sub(WIDTH / 2).min(length - WIDTH);
    let cut: String = source.chars().skip(from).take(WIDTH).collect();
    let (head, tail) = (if from > 0 { "…" } else { "" }, if from + WIDTH < length { "…" } else { "" });
    (format!("{head}{cut}{tail}"), column - from + head.chars().count())
}

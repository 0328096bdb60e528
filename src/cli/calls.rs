//! `frontdesk calls`: what the records hold, for people and (with `--json`) for programs.

use std::fmt::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context;
use chrono::{DateTime, Local, NaiveDate, TimeDelta, Utc};
use clap::Subcommand;

use super::curve::curve;
use super::promises;
use super::records::Place;
use crate::call::{Cause, FactKind};
use crate::emotion::Class;
use crate::media::Quality;
use crate::records::{CallHead, CallRecord, Corrections, Filter, Label, Leg, Speaker};

/// List, show and export recorded calls.
#[derive(clap::Args)]
pub struct Args {
    #[command(flatten)]
    place: Place,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// One line a call, newest first
    List(List),
    /// A call on a screen: summary, transcript, legs, recording
    Show {
        /// The call's name, the beginning of it, or `last`
        call: String,
        /// The whole record as one JSON object
        #[arg(long)]
        json: bool,
        /// For who may not see personal data: hides what slots marked `personal` hold, and the recording
        #[arg(long)]
        without_personal: bool,
    },
    /// Write a call as files: record.json, timeline.jsonl, event_log.jsonl, flow.json, recording.wav
    Export {
        /// The call's name, the beginning of it, or `last`
        call: String,
        /// A folder to make, or a file whose name ends in .tar [default: a folder of the call's name]
        #[arg(long, value_name = "PATH")]
        to: Option<PathBuf>,
        /// Print the record as JSON when done
        #[arg(long)]
        json: bool,
    },
    /// Callers who are to be called back, in the order they agreed to it
    Callbacks(promises::Callbacks),
    /// Messages that callers left, newest first
    Messages(promises::Messages),
    /// Say how a caller really sounded: a label to train the emotion model with
    Correct(Correct),
    /// Write all such labels, with the callers' sound cut out, for `frontdesk emotion train`
    Labels {
        /// A folder to make
        #[arg(long, value_name = "FOLDER")]
        out: PathBuf,
    },
}

/// Which sound of a call a correction means.
#[derive(clap::Args)]
struct Correct {
    /// The call's name, the beginning of it, or `last`
    call: String,
    /// How the caller sounded: angry, happy, neutral, sad, fear, surprise or disgust
    #[arg(long, value_parser = emotion)]
    emotion: Class,
    /// In the utterance at this time, as `calls show` tells it (0:42) [default: the one with the most distress]
    #[arg(long, value_parser = clock_time, value_name = "M:SS", conflicts_with = "all")]
    at: Option<u64>,
    /// In every utterance of the caller's
    #[arg(long)]
    all: bool,
    /// Who says so
    #[arg(long, default_value = "")]
    by: String,
}

#[derive(clap::Args)]
struct List {
    /// Calls that began then or later: 2026-11-21, 2026-11-21T08:00:00Z, or a time ago such as 90m, 24h, 7d
    #[arg(long, value_parser = moment, value_name = "TIME")]
    since: Option<DateTime<Utc>>,
    /// Calls that began before then
    #[arg(long, value_parser = moment, value_name = "TIME")]
    until: Option<DateTime<Utc>>,
    /// Calls of this line of the configuration
    #[arg(long)]
    line: Option<String>,
    /// Calls that ended so: completed, caller_hung_up, agent_hung_up, silent, no_agent, media_lost, transferred, shutdown, interrupted
    #[arg(long, value_parser = cause)]
    cause: Option<Cause>,
    /// Calls whose caller, summary or transcript has this text
    #[arg(long)]
    text: Option<String>,
    /// At most so many
    #[arg(long, default_value_t = 50)]
    limit: usize,
    /// One JSON object a line
    #[arg(long)]
    json: bool,
}

pub async fn run(args: Args) -> anyhow::Result<ExitCode> {
    let archive = args.place.open().await?;
    match args.command {
        Command::List(list) => {
            let json = list.json;
            let filter = Filter {
                since: list.since,
                until: list.until,
                line: list.line,
                cause: list.cause,
                agent: None,
                text: list.text,
                without_caller: false,
                limit: Some(list.limit),
            };
            for call in archive.list(&filter).await? {
                println!("{}", if json { serde_json::to_string(&call)? } else { one_line(&call) });
            }
        }
        Command::Show { call, json, without_personal } => {
            let mut record = archive.show(&call).await?;
            if without_personal {
                let flow = archive.flow(&record.head.flow_hash).await?;
                record = record.without_personal(&flow);
            }
            println!("{}", if json { serde_json::to_string_pretty(&record)? } else { page(&record) });
        }
        Command::Export { call, to, json } => {
            let name = archive.show(&call).await?.head.call;
            let to = to.unwrap_or_else(|| PathBuf::from(&name));
            let record = archive.export(&name, &to).await?;
            println!("{}", if json { serde_json::to_string(&record)? } else { to.display().to_string() });
        }
        Command::Callbacks(args) => promises::callbacks(&archive, &args).await?,
        Command::Messages(args) => promises::messages(&archive, &args).await?,
        Command::Correct(correct) => {
            let record = archive.show(&correct.call).await?;
            for (from_ms, to_ms) in meant(&record, &correct)? {
                let (call, emotion, by) = (record.head.call.clone(), correct.emotion, correct.by.clone());
                archive.correct(&Label { call, from_ms, to_ms, emotion, by, made: Utc::now() }).await?;
                println!("{} to {}: {}", clock(from_ms), clock(to_ms), emotion.name());
            }
        }
        Command::Labels { out } => {
            let written = archive.write_labels(&out).await?;
            println!("{} labels in {}", written.labels, out.join("labels.tsv").display());
            for call in &written.without_sound {
                eprintln!("{call} has no recording");
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// The spans of sound that a correction means.
fn meant(record: &CallRecord, correct: &Correct) -> anyhow::Result<Vec<(u64, u64)>> {
    let (utterances, loudest) = (record.utterances(), record.most_upset());
    let chosen: Vec<_> = match correct.at {
        Some(at) => utterances
            .iter()
            .filter(|(from, to, _)| (from.saturating_sub(1_000)..to + 1_000).contains(&at))
            .take(1)
            .collect(),
        None if correct.all => utterances.iter().collect(),
        None => loudest.iter().collect(),
    };
    anyhow::ensure!(
        !utterances.is_empty(),
        "nobody listened to how this caller sounded (`emotion` was off, or they said nothing)"
    );
    anyhow::ensure!(!chosen.is_empty(), "the caller said nothing at that time");
    Ok(chosen.into_iter().map(|(from, to, _)| (*from, *to)).collect())
}

fn one_line(call: &CallHead) -> String {
    format!(
        "{}  {}  {:>7}  {:<16}  {:<12}  {}",
        call.call,
        call.started.with_timezone(&Local).format("%Y-%m-%d %H:%M:%S"),
        call.duration_s().map_or_else(|| "open".into(), |seconds| clock((seconds * 1000.0) as u64)),
        call.cause.map_or_else(|| "-".into(), words),
        call.caller.line,
        who(call),
    )
}

fn who(call: &CallHead) -> String {
    if call.unreadable {
        return "cannot be read: its key is not here, or it is damaged".into();
    }
    let number = if call.caller.number.is_empty() { "number withheld" } else { &call.caller.number };
    match &call.caller.name {
        Some(name) => format!("{number} ({name})"),
        None => number.into(),
    }
}

/// The record as a person reads it.
fn page(record: &CallRecord) -> String {
    let head = &record.head;
    let mut page = String::new();
    let mut row = |name: &str, value: String| {
        let _ = writeln!(page, "{name:<10} {value}"); // writing to a String cannot fail
    };
    row("call", head.call.clone());
    row("from", who(head));
    row("to", format!("{} (line {})", head.caller.dialled, head.caller.line));
    row("began", head.started.with_timezone(&Local).format("%Y-%m-%d %H:%M:%S %:z").to_string());
    row("lasted", head.duration_s().map_or_else(|| "still open".into(), |seconds| clock((seconds * 1000.0) as u64)));
    let outcome = head.outcome.map_or_else(String::new, |outcome| format!(" ({})", words(outcome)));
    row("ended", head.cause.map_or_else(|| "-".into(), |cause| words(cause) + &outcome));
    row("flow", format!("{} ({:.12})", head.flow, head.flow_hash));
    if head.lost > 0 {
        row("lost", format!("{} entries: the disk was too slow", head.lost));
    }
    if record.unreadable > 0 {
        row("unreadable", format!("{} entries: damaged, or their key is not here", record.unreadable));
    }
    for recording in &record.recordings {
        row("recording", format!("{} ({})", recording.path.display(), recording.state));
    }
    page + &summary(record) + &curve(&record.timeline) + &transcript(record) + &legs(&record.legs)
}

fn summary(record: &CallRecord) -> String {
    let mut text = String::from("\nSummary\n");
    let Some(summary) = &record.summary else { return text + "  none: the call is open\n" };
    if let Some(words) = &record.reworded {
        let _ = writeln!(text, "  {words}\n");
    }
    for fact in &summary.facts {
        let at = record.timeline.iter().find(|entry| entry.seq == fact.entry).map_or(0, |entry| entry.at_ms);
        let _ = writeln!(text, "  {:<12} {}  [#{} at {}]", label(fact.kind), fact.text, fact.entry, clock(at));
    }
    for wrap_up in &record.wrap_ups {
        let disposition = wrap_up.disposition.as_deref().unwrap_or("no disposition");
        let _ = writeln!(
            text,
            "  {:<12} {disposition}: {}",
            wrap_up.agent,
            wrap_up.notes.replace('\n', "\n               ")
        );
        let Corrections { intent, emotion, headline } = &wrap_up.corrections;
        let corrected = [
            intent.as_ref().map(|intent| format!("wanted {intent}")),
            emotion.map(|emotion| format!("sounded {}", emotion.name())),
            headline.clone(),
        ];
        for corrected in corrected.into_iter().flatten() {
            let _ = writeln!(text, "  {:<12} corrects: {corrected}", wrap_up.agent);
        }
    }
    text
}

fn transcript(record: &CallRecord) -> String {
    let mut text = String::from("\nTranscript\n");
    for line in record.transcript() {
        let speaker = match line.speaker {
            Speaker::Bot => "bot",
            Speaker::Caller => "caller",
            Speaker::Agent => "agent",
        };
        let _ = writeln!(text, "  {:>8}  {speaker:<6}  {}", clock(line.at_ms), line.text);
    }
    text
}

fn legs(legs: &[Leg]) -> String {
    let mut text = String::from("\nLegs\n");
    for leg in legs {
        let span = |ms: Option<u64>| ms.map_or_else(|| "-".into(), clock);
        let _ = write!(
            text,
            "  {:<12}  began {}, answered {}, ended {}",
            leg.agent.as_deref().unwrap_or("caller"),
            clock(leg.began_ms),
            span(leg.answered_ms),
            span(leg.ended_ms)
        );
        if let Some(q) = &leg.quality {
            let _ = write!(
                text,
                "; {} packets in, {} lost, {} late, {} bad, {} out, jitter {:.1} ms, buffer {:.0} ms, {:.2} % concealed",
                q.packets_received,
                q.packets_lost,
                q.packets_late,
                q.packets_bad,
                q.packets_sent,
                q.jitter_ms,
                q.buffer_ms,
                q.concealed * 100.0
            );
            text.push_str(&more(q));
        }
        text.push('\n');
    }
    text
}

/// Codec, encryption, the way there and back, and how it must have sounded.
fn more(quality: &Quality) -> String {
    let mut text = String::new();
    if let Some(codec) = quality.codec {
        let _ = write!(text, "; {}{}", codec.name(), if quality.encrypted { " encrypted" } else { "" });
    }
    if quality.packets_unauthentic > 0 {
        let _ = write!(text, ", {} unauthentic", quality.packets_unauthentic);
    }
    if quality.packets_foreign > 0 {
        let _ = write!(text, ", {} from elsewhere", quality.packets_foreign);
    }
    if let Some(ms) = quality.round_trip_ms {
        let _ = write!(text, ", round trip {ms:.0} ms");
    }
    if let Some(mos) = quality.mos {
        let _ = write!(text, ", MOS {mos:.1}");
    }
    if let Some(lost) = quality.peer_lost {
        let jitter = quality.peer_jitter_ms.unwrap_or(0.0);
        let _ = write!(text, "; the other side lost {:.2} %, jitter {jitter:.1} ms", lost * 100.0);
        if let Some(mos) = quality.peer_mos {
            let _ = write!(text, ", MOS {mos:.1}");
        }
    }
    text
}

fn label(kind: FactKind) -> &'static str {
    match kind {
        FactKind::Caller => "caller",
        FactKind::Wanted => "wanted",
        FactKind::Collected => "collected",
        FactKind::Verified => "verified",
        FactKind::Tried => "tried",
        FactKind::Sounded => "sounded",
        FactKind::Open => "open",
        FactKind::LastWords => "last words",
    }
}

/// A unit variant as words: `caller_hung_up` -> "caller hung up".
fn words(value: impl serde::Serialize) -> String {
    serde_json::to_value(value).ok().and_then(|value| Some(value.as_str()?.replace('_', " "))).unwrap_or_default()
}

/// Milliseconds as minutes, seconds and tenths.
fn clock(ms: u64) -> String {
    format!("{}:{:02}.{}", ms / 60_000, ms / 1000 % 60, ms / 100 % 10)
}

fn emotion(text: &str) -> anyhow::Result<Class> {
    Class::parse(text).with_context(|| {
        let all: Vec<&str> = Class::ALL.iter().map(|class| class.name()).collect();
        format!("one of {}", all.join(", "))
    })
}

/// `0:42`, `1:05.3` or seconds, as ms.
fn clock_time(text: &str) -> anyhow::Result<u64> {
    let (minutes, seconds) = text.split_once(':').unwrap_or(("0", text));
    let (minutes, seconds): (u64, f64) = match (minutes.parse(), seconds.parse()) {
        (Ok(minutes), Ok(seconds)) if (0.0..86_400.0).contains(&seconds) && minutes < 10_000 => (minutes, seconds),
        _ => anyhow::bail!("a time of the call is written 0:42"),
    };
    Ok(minutes * 60_000 + (seconds * 1e3) as u64)
}

fn cause(text: &str) -> anyhow::Result<Cause> {
    serde_json::from_value(serde_json::Value::String(text.into())).context("not a cause that a call ends by")
}

fn moment(text: &str) -> anyhow::Result<DateTime<Utc>> {
    if let Ok(time) = DateTime::parse_from_rfc3339(text) {
        return Ok(time.to_utc());
    }
    if let Ok(date) = text.parse::<NaiveDate>() {
        let midnight = date.and_time(chrono::NaiveTime::MIN).and_local_timezone(Local).earliest();
        return midnight.map(|time| time.to_utc()).context("that day has no midnight here");
    }
    let (number, unit) = text.split_at(text.len() - text.chars().last().map_or(0, char::len_utf8));
    let seconds = match unit {
        "s" => 1,
        "m" => 60,
        "h" => 3_600,
        "d" => 86_400,
        "w" => 604_800,
        _ => anyhow::bail!("not a date (2026-11-21), a time (2026-11-21T08:00:00Z) or a time ago (90m, 24h, 7d)"),
    };
    let number: i64 = number.parse().context("a time ago is a whole number and s, m, h, d or w")?;
    let ago = number.checked_mul(seconds).and_then(TimeDelta::try_seconds).context("that is too long ago")?;
    Utc::now().checked_sub_signed(ago).context("that is too long ago")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_may_be_a_date_a_moment_or_a_time_ago() {
        assert_eq!(moment("2026-11-21T08:00:00+08:00").unwrap().to_rfc3339(), "2026-11-21T00:00:00+00:00");
        assert_eq!(
            moment("2026-11-21").unwrap().with_timezone(&Local).format("%F %T").to_string(),
            "2026-11-21 00:00:00"
        );
        let ago = Utc::now() - moment("90m").unwrap();
        assert!((ago.num_seconds() - 5_400).abs() <= 1, "{ago}");
        for wrong in ["", "yesterday", "7", "h", "9223372036854775807d", "7日"] {
            assert!(moment(wrong).is_err(), "{wrong:?} was taken");
        }
    }

    #[test]
    fn a_cause_is_named_as_in_the_record() {
        assert_eq!(cause("caller_hung_up").unwrap(), Cause::CallerHungUp);
        assert!(cause("tired").is_err());
        assert_eq!(words(Cause::CallerHungUp), "caller hung up");
    }
}

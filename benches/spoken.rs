//! What callers say, through the whole of it on virtual time: line, listening, recogniser, slots and menus. Each row of a
//! list is one call of one turn; where the bot asks back the caller answers once, so that "right at first hearing" and
//! "right after at most one question" can be told apart.
//!
//!     SPOKEN=list.tsv cargo bench --bench spoken          (`acceptance/46-spoken` makes the list)
//!
//! A row: set, flow, what must come of it (`slot=value;slot=value`, or `step:name` to be entered first), decibels of speech
//! above the noise (empty: clean), sound of the turn, sound of the caller saying it again, what is said (for reading).
//! The configuration stands beside the list as `config.yaml`. Prints a figure a set; `SPOKEN_LIMITS` is
//! `set=first,after;...` in percent. `SPOKEN_ONLY=9,17` plays only these calls, and prints all that happened in them.

use std::collections::{BTreeMap, VecDeque};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use frontdesk::call::{Entry, Note};
use frontdesk::dialog::flow::Step;
use frontdesk::emotion::degrade::{Line, Noise};
use frontdesk::engine::{self, ReadyFlow, Script, Shared};
use frontdesk::local::FilePort;
use frontdesk::media::{Sound, file};

const RATE: u32 = 8_000;
/// The caller answers so long after the bot is silent, ms.
const THINKS_MS: u64 = 500;
/// Silence that ends what the bot has to say, ms.
const BOT_DONE_MS: usize = 700;
/// Who has said something waits so long for an answer, ms; and so long, where none comes, until the bot asks again.
const WAITS_MS: u64 = 3_000;
const LONG_MS: u64 = 12_000;
/// Longer than any of these calls, ms.
const CALL_MS: usize = 90_000;

struct Row {
    set: String,
    flow: String,
    /// Slots and values, or a step.
    wanted: Wanted,
    noise_db: Option<f32>,
    turn: PathBuf,
    again: PathBuf,
    said: String,
}

enum Wanted {
    Slots(BTreeMap<String, String>),
    Step(String),
}

#[derive(Default)]
struct Score {
    calls: usize,
    first: usize,
    after: usize,
}

#[tokio::main]
async fn main() {
    let Some(list) = std::env::var_os("SPOKEN").map(PathBuf::from) else {
        println!("which list? SPOKEN=list.tsv cargo bench --bench spoken (acceptance/46-spoken makes one)");
        return;
    };
    let folder = list.parent().unwrap_or(Path::new("."));
    let config = frontdesk::config::load(&folder.join("config.yaml")).unwrap_or_else(|problems| panic!("{problems}"));
    let (shared, flows, _) =
        engine::load(&Arc::new(config), true, None, |_| {}).await.unwrap_or_else(|error| panic!("{error}"));
    let rows = rows(&list);
    let mut sounds = Sounds { yes: file::read(folder.join("yes.wav")).expect("yes.wav"), babble: babble(&rows) };
    let mut scores: BTreeMap<String, Score> = BTreeMap::new();
    let mut greetings: BTreeMap<String, u64> = BTreeMap::new();
    let only = std::env::var("SPOKEN_ONLY").unwrap_or_default();
    let only: Vec<usize> = only.split(',').filter_map(|n| n.parse().ok()).collect();
    for (n, row) in rows.iter().enumerate().filter(|(n, _)| only.is_empty() || only.contains(n)) {
        let flow = flows[&row.flow].clone();
        if !greetings.contains_key(&row.flow) {
            let heard = call(&shared, &flow, Vec::new()).await.1;
            greetings.insert(row.flow.clone(), silent_from(&heard, 0).unwrap_or(0) + THINKS_MS);
        }
        let (first, after) = play(&shared, &flow, row, greetings[&row.flow], &mut sounds, n).await;
        let score = scores.entry(row.set.clone()).or_default();
        score.calls += 1;
        score.first += usize::from(first);
        score.after += usize::from(after);
        if n % 50 == 49 {
            eprintln!("{} of {}", n + 1, rows.len());
        }
    }
    let limits = std::env::var("SPOKEN_LIMITS").unwrap_or_default();
    let limits: BTreeMap<&str, (&str, &str)> = limits
        .split(';')
        .filter_map(|part| part.split_once('='))
        .filter_map(|(set, l)| Some((set, l.split_once(',')?)))
        .collect();
    for (set, Score { calls, first, after }) in &scores {
        let percent = |n: usize| 100.0 * n as f64 / *calls as f64;
        let limit =
            |limit: Option<&str>| limit.filter(|l| !l.is_empty()).map_or(String::new(), |l| format!(" limit >= {l}"));
        let (at_first, at_last) = limits.get(set.as_str()).map_or((None, None), |(a, b)| (Some(*a), Some(*b)));
        println!(
            "FIGURE 5.2-{set}-first {:.1} %{} -- of {calls} calls right at first hearing",
            percent(*first),
            limit(at_first)
        );
        println!(
            "FIGURE 5.2-{set}-after {:.1} %{} -- of {calls} calls right after at most one question",
            percent(*after),
            limit(at_last)
        );
    }
}

struct Sounds {
    yes: Sound,
    babble: Vec<Vec<i16>>,
}

/// Whether the call was right at first hearing, and after at most one question.
async fn play(
    shared: &Arc<Shared>,
    flow: &Arc<ReadyFlow>,
    row: &Row,
    begin_ms: u64,
    sounds: &mut Sounds,
    number: usize,
) -> (bool, bool) {
    let read = |path: &Path| {
        file::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display())).at_rate(RATE).samples
    };
    let line = Line { noise: row.noise_db.map(|db| (Noise::ALL[number % Noise::ALL.len()], db)), ..Line::telephone() };
    let babble: Vec<&[i16]> = sounds.babble.iter().map(Vec::as_slice).collect();
    let mut samples = vec![0; (begin_ms * 8) as usize];
    samples.extend(read(&row.turn));
    let spoken_ms = samples.len() as u64 / 8;
    // The same noise however long the call, and whatever is answered: that is not to change what was heard.
    samples.resize(CALL_MS * 8, 0);
    let line_with_turn = line.carry(&samples, RATE, &babble, number as u64);
    let waited = |ms: u64| line_with_turn[..((spoken_ms + ms) * 8) as usize].to_vec();
    let with_answer = |from_ms: u64, answer: &[i16]| {
        let answer = Line::telephone().carry(&as_loud(answer, &samples), RATE, &[], 0);
        let from = (from_ms * 8) as usize;
        let mut heard = line_with_turn[..from + answer.len() + (WAITS_MS * 8) as usize].to_vec();
        heard[from..].iter_mut().zip(answer).for_each(|(heard, answer)| *heard = heard.saturating_add(answer));
        heard
    };
    let (mut timeline, mut heard) = call(shared, flow, waited(WAITS_MS)).await;
    if silent_from(&heard, spoken_ms).is_none() {
        (timeline, heard) = call(shared, flow, waited(LONG_MS)).await;
    }
    if std::env::var_os("SPOKEN_ONLY").is_some() {
        println!("   spoken until {spoken_ms}, the bot silent again at {:?}", silent_from(&heard, spoken_ms));
    }
    let first = right(&row.wanted, &timeline);
    let asked = match &row.wanted {
        Wanted::Slots(_) => asked_back(&timeline, spoken_ms),
        Wanted::Step(_) => !first && first_step(&timeline).is_none(),
    };
    let mut after = first && !asked;
    if asked && let Some(silent) = silent_from(&heard, spoken_ms) {
        let agrees = first || asked_whether(flow, &row.wanted, &timeline, begin_ms);
        let answer = if agrees { sounds.yes.at_rate(RATE).samples } else { read(&row.again) };
        timeline = call(shared, flow, with_answer(silent + THINKS_MS, &answer)).await.0;
        after = right(&row.wanted, &timeline);
    }
    if std::env::var_os("SPOKEN_ONLY").is_some() {
        for Entry { at_ms, note, .. } in &timeline {
            println!("   {at_ms} {note:?}");
        }
    }
    if !first || !after {
        let texts: Vec<String> = timeline
            .iter()
            .filter_map(|entry| match &entry.note {
                Note::Utterance(u) => Some(format!("{:?} {:.2} {:?}", u.text, u.confidence, u.alternatives)),
                Note::Slot { slot, value, .. } => Some(format!("{slot}={value}")),
                _ => None,
            })
            .collect();
        println!(
            "{} {number}: {:?}{} first {first} after {after}: {}",
            row.set,
            row.said,
            row.noise_db.map_or(String::new(), |db| format!(" at {db} dB")),
            texts.join(" | ")
        );
    }
    (first, after)
}

/// The same as loud at its loudest as another.
fn as_loud(sound: &[i16], other: &[i16]) -> Vec<i16> {
    let most = |sound: &[i16]| sound.iter().map(|s| s.unsigned_abs()).max().unwrap_or(0).max(1);
    let gain = f32::from(most(other)) / f32::from(most(sound));
    sound.iter().map(|&s| (f32::from(s) * gain) as i16).collect()
}

/// What the call came to.
fn right(wanted: &Wanted, timeline: &[Entry]) -> bool {
    match wanted {
        Wanted::Slots(slots) => {
            let mut found: BTreeMap<&str, &str> = BTreeMap::new();
            for entry in timeline {
                if let Note::Slot { slot, value, .. } = &entry.note {
                    found.insert(slot, value);
                }
            }
            slots.iter().all(|(slot, value)| found.get(slot.as_str()).is_some_and(|found| found == value))
                && found.iter().all(|(slot, value)| value.is_empty() || slots.contains_key(*slot))
        }
        Wanted::Step(step) => first_step(timeline) == Some(step),
    }
}

/// Where what the caller said has led: the first step after an option was chosen.
fn first_step(timeline: &[Entry]) -> Option<&str> {
    let mut chosen = false;
    timeline.iter().find_map(|entry| match &entry.note {
        Note::Intent { chosen: Some(_), .. } | Note::Choice { .. } => {
            chosen = true;
            None
        }
        Note::Step { step } if chosen => Some(step.as_str()),
        Note::PersonWanted { .. } => Some("person"),
        _ => None,
    })
}

/// The bot wanted to know more after the turn: the flow's step `done` was not reached with what was said.
fn asked_back(timeline: &[Entry], spoken_ms: u64) -> bool {
    let done = timeline.iter().find(|entry| {
        matches!(&entry.note, Note::Step { step } if step == "done") || matches!(entry.note, Note::Transfer { .. })
    });
    // Without an answer the bot asks again after some seconds, and then gives up.
    done.is_none_or(|done| done.at_ms > spoken_ms + 6_000)
}

/// Whether the bot asked after this moment if what is wanted of a menu is meant.
fn asked_whether(flow: &ReadyFlow, wanted: &Wanted, timeline: &[Entry], since_ms: u64) -> bool {
    let Wanted::Step(wanted) = wanted else { return false };
    let options = flow.flow.steps.values().filter_map(|step| match step {
        Step::Menu { options, .. } => Some(options),
        _ => None,
    });
    let intents = options.flatten().filter(|option| option.next == *wanted).filter_map(|option| option.intent.as_ref());
    let labels: Vec<&String> = intents.flat_map(|intent| flow.flow.intents[intent].label.values()).collect();
    timeline.iter().filter(|entry| entry.at_ms > since_ms).any(|entry| match &entry.note {
        Note::Say { text } => labels.iter().any(|label| text.contains(&format!("I heard {label}."))),
        _ => false,
    })
}

/// When the bot, after this moment, has spoken and is silent, ms.
fn silent_from(heard: &Sound, after_ms: u64) -> Option<u64> {
    let loud: Vec<bool> = heard.samples.chunks(160).map(|frame| frame.iter().any(|s| s.unsigned_abs() > 30)).collect();
    let begins = (after_ms as usize / 20..loud.len()).find(|&at| loud[at])?;
    let quiet = BOT_DONE_MS / 20;
    (begins..loud.len()).find(|&at| loud[at..].iter().take(quiet).all(|loud| !loud)).map(|at| at as u64 * 20)
}

async fn call(shared: &Arc<Shared>, flow: &Arc<ReadyFlow>, samples: Vec<i16>) -> (Vec<Entry>, Sound) {
    let port = FilePort::new(&Sound { rate: RATE, samples }, RATE);
    // A Monday, so that "Friday" has one meaning.
    let at = chrono::DateTime::from_timestamp(1_772_442_000, 0);
    let script = Script { replies: Some(VecDeque::new()), at, ..Script::default() };
    let done = engine::replay(shared.clone(), flow.clone(), port, script, |_| {}).await;
    (done.timeline, done.heard)
}

/// Other people's speech, for babble.
fn babble(rows: &[Row]) -> Vec<Vec<i16>> {
    let every = (rows.len() / 6).max(1);
    rows.iter().step_by(every).filter_map(|row| Some(file::read(&row.turn).ok()?.at_rate(RATE).samples)).collect()
}

fn rows(list: &Path) -> Vec<Row> {
    let folder = list.parent().unwrap_or(Path::new("."));
    let text = std::fs::read_to_string(list).unwrap_or_else(|error| panic!("{}: {error}", list.display()));
    let row = |line: &str| {
        let parts: Vec<&str> = line.split('\t').collect();
        let [set, flow, wanted, noise, turn, again, said] = parts[..] else { panic!("not seven columns: {line}") };
        let wanted = match wanted.strip_prefix("step:") {
            Some(step) => Wanted::Step(step.into()),
            None => {
                let slot = |part: &str| part.split_once('=').map(|(slot, value)| (slot.into(), value.into()));
                Wanted::Slots(wanted.split(';').filter_map(slot).collect())
            }
        };
        Row {
            set: set.into(),
            flow: flow.into(),
            wanted,
            noise_db: noise.parse().ok(),
            turn: folder.join(turn),
            again: folder.join(again),
            said: said.into(),
        }
    };
    text.lines().filter(|line| !line.is_empty()).map(row).collect()
}

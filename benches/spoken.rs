//! What callers say, through the whole of it on virtual time: line, listening, recogniser, slots and menus. Each row of a
//! list is one call of one turn; where the bot asks back the caller answers once, so that "right at first hearing" and
//! "right after at most one question" can be told apart: a yes has to settle what was right; what was wrong has to be
//! right once it was said again, whether it is read back once more or not.
//!
//!     SPOKEN=list.tsv cargo bench --bench spoken          (`acceptance/46-spoken` makes the list)
//!
//! A row: set, flow, what must come of it (`slot=value;slot=value`, or `step:name` to be entered first), decibels of speech
//! above the noise (empty: clean), sound of the turn, sound of the caller saying it again, what is said (for reading).
//! The configuration stands beside the list as `config.yaml`. Prints a figure a set; `SPOKEN_LIMITS` is
//! `set=first,after;...` in percent. `SPOKEN_ONLY=9,17` plays only these calls, and prints all that happened in them.
//! What came of each call goes to the file `SPOKEN_DONE`; calls that stand there are not played again.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Instant;

use frontdesk::call::{Entry, Note};
use frontdesk::dialog::flow::Step;
use frontdesk::emotion::degrade::{Line, Noise};
use frontdesk::engine::{self, Player, ReadyFlow, Script, Shared};
use frontdesk::local::FilePort;
use frontdesk::media::{FRAME_MS, Frame, Key, Port, Quality, Received, Sound, file};

const RATE: u32 = 8_000;
/// A prompt that the caller's last words broke into has fallen silent so long after them, ms.
const CUT_MS: u64 = 300;
/// Silence that ends what the bot has to say: then the caller speaks, ms.
const BOT_DONE_MS: u64 = 700;
/// The line stays open so long after the caller's last word; and so long where the bot says nothing, until it asks again, ms.
const WAITS_MS: u64 = 3_000;
const LONG_MS: u64 = 12_000;
/// Longer than any of these calls, ms.
const CALL_MS: usize = 90_000;

struct Row {
    /// As it stands in the list.
    line: String,
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
    let yes = |language| (language, file::read(folder.join(format!("yes-{language}.wav"))).expect("a yes"));
    let sounds = Sounds { yes: ["en", "zh"].map(yes).into(), babble: babble(&rows) };
    let mut scores: BTreeMap<String, Score> = BTreeMap::new();
    let mut greetings: BTreeMap<String, u64> = BTreeMap::new();
    let kept = std::env::var_os("SPOKEN_DONE").map(PathBuf::from);
    let done = kept.as_deref().map(done).unwrap_or_default();
    let only = std::env::var("SPOKEN_ONLY").unwrap_or_default();
    let only: Vec<usize> = only.split(',').filter_map(|n| n.parse().ok()).collect();
    for (n, row) in rows.iter().enumerate().filter(|(n, _)| only.is_empty() || only.contains(n)) {
        let score = scores.entry(row.set.clone()).or_default();
        score.calls += 1;
        if let Some((first, after)) = done.get(&row.line).filter(|_| only.is_empty()) {
            score.first += usize::from(*first);
            score.after += usize::from(*after);
            continue;
        }
        let flow = flows[&row.flow].clone();
        if !greetings.contains_key(&row.flow) {
            greetings.insert(row.flow.clone(), greeting(&shared, &flow).await);
        }
        let (first, after) = play(&shared, &flow, row, greetings[&row.flow], &sounds, n).await;
        score.first += usize::from(first);
        score.after += usize::from(after);
        if let Some(kept) = &kept {
            let mut file = File::options().create(true).append(true).open(kept).expect("SPOKEN_DONE");
            writeln!(file, "{first}\t{after}\t{}", row.line).expect("SPOKEN_DONE");
        }
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

/// What came of calls that were played before: right at first, and after.
fn done(kept: &Path) -> HashMap<String, (bool, bool)> {
    let text = std::fs::read_to_string(kept).unwrap_or_default();
    let call = |line: &str| {
        let (first, rest) = line.split_once('\t')?;
        let (after, row) = rest.split_once('\t')?;
        Some((row.to_owned(), (first == "true", after == "true")))
    };
    text.lines().filter_map(call).collect()
}

struct Sounds {
    /// In each language.
    yes: BTreeMap<&'static str, Sound>,
    babble: Vec<Vec<i16>>,
}

/// A caller who says the turn, and once the bot has spoken answers at most once.
struct Telephone<A> {
    /// What comes over the line, the answer excepted.
    line: Vec<i16>,
    /// End of the turn, ms.
    spoken_ms: u64,
    /// What is answered, if anything.
    answer: Option<A>,
    /// Frames so far; whether the bot spoke after the turn; its frames of silence since.
    beat: usize,
    spoke: bool,
    silence: u64,
    over_ms: u64,
    heard: Vec<i16>,
}

impl<A: FnOnce() -> Option<Vec<i16>> + Send> Port for Telephone<A> {
    fn rate(&self) -> u32 {
        RATE
    }

    fn receive(&mut self, _now: Instant, frame: &mut Frame) -> Received {
        let (n, now_ms) = (frame.len(), self.now_ms());
        let at = self.beat * n;
        if now_ms >= self.spoken_ms {
            let told = self.heard.get(at.saturating_sub(n)..).unwrap_or_default();
            let loud = told.iter().any(|sample| sample.unsigned_abs() > 30);
            self.spoke |= loud && now_ms >= self.spoken_ms + CUT_MS;
            self.silence = if loud { 0 } else { self.silence + u64::from(FRAME_MS) };
            if self.spoke
                && self.silence >= BOT_DONE_MS
                && let Some(answer) = self.answer.take()
            {
                let answer = answer().unwrap_or_default();
                self.line[at..].iter_mut().zip(&answer).for_each(|(line, said)| *line = line.saturating_add(*said));
                self.over_ms = now_ms + answer.len() as u64 / 8 + WAITS_MS;
            }
        }
        frame.samples_mut().fill(0);
        let open = (self.over_ms as usize * 8).min(self.line.len());
        let line = self.line.get(at..open).unwrap_or_default();
        let heard = line.len().min(n);
        frame.samples_mut()[..heard].copy_from_slice(&line[..heard]);
        self.beat += 1;
        Received { heard: heard > 0, key: None, timed_out: false, ended: heard == 0 }
    }

    fn send(&mut self, _now: Instant, frame: Option<&Frame>) {
        let Some(frame) = frame else { return };
        let at = self.beat.saturating_sub(1) * frame.len();
        self.heard.resize(at.max(self.heard.len()), 0);
        self.heard.extend_from_slice(frame.samples());
    }

    fn send_key(&mut self, _key: Key) {}

    fn quality(&self) -> Quality {
        Quality::default()
    }
}

impl<A> Telephone<A> {
    fn now_ms(&self) -> u64 {
        self.beat as u64 * u64::from(FRAME_MS)
    }
}

impl<A: FnOnce() -> Option<Vec<i16>> + Send> Player for Telephone<A> {
    fn over(&self) -> bool {
        self.now_ms() > self.over_ms
    }

    fn heard(&self) -> Sound {
        Sound { rate: RATE, samples: self.heard.clone() }
    }
}

/// Whether the call was right at first hearing, and after at most one question.
async fn play(
    shared: &Arc<Shared>,
    flow: &Arc<ReadyFlow>,
    row: &Row,
    begin_ms: u64,
    sounds: &Sounds,
    number: usize,
) -> (bool, bool) {
    let read = |path: &Path| {
        file::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display())).at_rate(RATE).samples
    };
    let noisy = Line { noise: row.noise_db.map(|db| (Noise::ALL[number % Noise::ALL.len()], db)), ..Line::telephone() };
    let babble: Vec<&[i16]> = sounds.babble.iter().map(Vec::as_slice).collect();
    let mut samples = vec![0; (begin_ms * 8) as usize];
    samples.extend(read(&row.turn));
    let spoken_ms = samples.len() as u64 / 8;
    // The same noise however long the call, and whatever is answered: that is not to change what was heard.
    samples.resize(CALL_MS * 8, 0);
    let line = noisy.carry(&samples, RATE, &babble, number as u64);
    let answers = |said: &[i16]| Line::telephone().carry(&as_loud(said, &samples), RATE, &[], 0);
    let yes = sounds.yes[flow.flow.language.as_str()].at_rate(RATE).samples;
    let (yes, again) = (answers(&yes), answers(&read(&row.again)));
    let so_far: Mutex<Vec<Entry>> = Mutex::default();
    let judged = |timeline: &[Entry]| {
        let first = right(&row.wanted, timeline);
        let asked = match &row.wanted {
            Wanted::Slots(_) => asked_back(timeline, spoken_ms),
            Wanted::Step(_) => !first && first_step(timeline).is_none(),
        };
        (first, asked)
    };
    let verdict: Mutex<Option<(bool, bool)>> = Mutex::default();
    let answer = || {
        let timeline = so_far.lock().unwrap();
        let (first, asked) = *verdict.lock().unwrap().insert(judged(&timeline));
        asked.then(|| if first || asked_whether(flow, &row.wanted, &timeline, begin_ms) { yes } else { again })
    };
    let telephone = Telephone {
        line,
        spoken_ms,
        answer: Some(answer),
        beat: 0,
        spoke: false,
        silence: 0,
        over_ms: spoken_ms + LONG_MS,
        heard: Vec::new(),
    };
    let note = |entry: &Entry| so_far.lock().unwrap().push(entry.clone());
    let timeline = engine::replay(shared.clone(), flow.clone(), telephone, script(), note).await.timeline;
    let answered = *verdict.lock().unwrap();
    let (first, asked) = answered.unwrap_or_else(|| judged(&timeline));
    let after = match asked {
        // What was right has to be settled by the yes.
        true if first => answered.is_some() && right(&row.wanted, &timeline) && settled(&row.wanted, &timeline),
        true => answered.is_some() && right(&row.wanted, &timeline),
        false => first,
    };
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

/// The flow went on from the question to its end.
fn settled(wanted: &Wanted, timeline: &[Entry]) -> bool {
    let done = |entry: &Entry| matches!(&entry.note, Note::Step { step } if step == "done");
    matches!(wanted, Wanted::Step(_)) || timeline.iter().any(done)
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
        Note::Say { text } => labels.iter().any(|label| {
            [format!("I heard {label}."), format!("我听到的是{label}，")].iter().any(|asks| text.contains(asks))
        }),
        _ => false,
    })
}

/// When the bot has greeted and is silent, ms.
async fn greeting(shared: &Arc<Shared>, flow: &Arc<ReadyFlow>) -> u64 {
    let port = FilePort::new(&Sound { rate: RATE, samples: Vec::new() }, RATE);
    let heard = engine::replay(shared.clone(), flow.clone(), port, script(), |_| {}).await.heard;
    let loud: Vec<bool> = heard.samples.chunks(160).map(|frame| frame.iter().any(|s| s.unsigned_abs() > 30)).collect();
    let begins = loud.iter().position(|loud| *loud).unwrap_or(0);
    let frames = (BOT_DONE_MS / u64::from(FRAME_MS)) as usize;
    let silent = |&at: &usize| loud[at..].iter().take(frames).all(|loud| !loud);
    (begins..loud.len()).find(silent).unwrap_or(0) as u64 * u64::from(FRAME_MS) + BOT_DONE_MS
}

fn script() -> Script {
    // A Monday, so that "Friday" has one meaning.
    let at = chrono::DateTime::from_timestamp(1_772_442_000, 0);
    Script { replies: Some(VecDeque::new()), at, ..Script::default() }
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
            line: line.into(),
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

//! Calls with a recording spliced in after calm turns of the same speaker, through the session that live calls run
//! through, on virtual time: does an angry one bring the comforting line, the priority and a person, and does a calm, a
//! happy or a loud one bring nothing? What is said is not looked at here (every turn is read as the same two words), so
//! that the voice alone decides. `acceptance/75-emotion-live` runs it with the recordings that it names.
//!
//!     cargo bench --bench emotion_live -- LABELS.tsv [--split dev] [--corpus ravdess] [--dump FILE] [--every N]
//!     cargo bench --bench emotion_live -- LABELS.tsv --split train --listen       what each threshold would bring

use std::collections::{BTreeMap, VecDeque};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use frontdesk::call::{Caller, Event, Note, QueueRequest, Reading};
use frontdesk::dialog::Language;
use frontdesk::dialog::flow::{Ask, Flow, FlowTexts, SlotKind, Step, Text, Transfer};
use frontdesk::emotion::degrade::{Line, Noise};
use frontdesk::emotion::policy::{Policy, Reaction};
use frontdesk::emotion::trend::{Threshold, Trend, Watch};
use frontdesk::emotion::{Encoder, Model};
use frontdesk::engine::{Ports, Request, Session, WaitingSounds};
use frontdesk::media::{FRAME_MS, Frame, Key, Port, Quality, Received, Sound, file};
use frontdesk::speech::{Hearing, Listener, ListenerSettings};

/// Calm turns before the splice.
const CALM_TURNS: usize = 3;
/// The caller answers this long after the bot has ended, ms.
const THINKS_MS: u64 = 900;
/// Speech of the noisy line is so much louder than its noise, dB.
const NOISY_DB: f32 = 10.0;
/// A loud recording is so much louder, dB.
const LOUD_DB: f32 = 12.0;

/// A recording and what it is labelled.
struct Take {
    speaker: String,
    emotion: String,
    sentence: String,
    path: PathBuf,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    Angry,
    Calm,
    Happy,
    Loud,
    Noisy,
}

impl Kind {
    const ALL: [Kind; 5] = [Kind::Angry, Kind::Calm, Kind::Happy, Kind::Loud, Kind::Noisy];

    fn name(self) -> &'static str {
        ["angry", "calm", "happy", "loud", "noisy"][self as usize]
    }

    fn takes(self, emotion: &str) -> bool {
        match self {
            Kind::Angry => emotion == "angry",
            Kind::Happy => emotion == "happy",
            Kind::Calm | Kind::Loud | Kind::Noisy => matches!(emotion, "neutral" | "calm"),
        }
    }
}

/// What became of one call.
#[derive(Default)]
struct Came {
    comfort: bool,
    priority: bool,
    handed: bool,
    /// Anything at all was done.
    any: bool,
    /// The summary says so.
    named: bool,
    /// Of calm speech heard, before and in the splice.
    seconds: f64,
    readings: Vec<(Reading, bool)>,
    first_reading_ms: Option<u32>,
}

fn main() {
    let args: Vec<String> = std::env::args().skip(1).filter(|arg| arg != "--bench").collect();
    let option = |name: &str| args.iter().position(|arg| arg == name).and_then(|at| args.get(at + 1)).cloned();
    let Some(labels) = args.first().filter(|arg| !arg.starts_with("--")) else {
        // `cargo test` and `cargo bench` without arguments run every bench.
        println!("which recordings? cargo bench --bench emotion_live -- LABELS.tsv [--split dev] [--corpus ravdess]");
        return;
    };
    let split = option("--split").unwrap_or_else(|| "dev".into());
    let model = Model::installed().expect("an emotion model");
    let mut dump = option("--dump").map(|path| std::fs::File::create(path).expect("a file to dump to"));
    // To choose thresholds: readings alone, nothing done.
    let policy = match args.iter().any(|arg| arg == "--listen") {
        true => Policy { rules: BTreeMap::new(), ..Policy::default() },
        false => Policy::default(),
    };
    let every: usize = option("--every").and_then(|n| n.parse().ok()).unwrap_or(1);
    for (corpus, takes) in read_labels(Path::new(labels), &split, option("--corpus").as_deref()) {
        run_corpus(&corpus, &takes, (&model, &policy), every, &mut dump);
    }
}

fn run_corpus(corpus: &str, takes: &[Take], means: (&Model, &Policy), every: usize, dump: &mut Option<std::fs::File>) {
    let mut speakers: BTreeMap<&str, Vec<&Take>> = BTreeMap::new();
    takes.iter().for_each(|take| speakers.entry(&take.speaker).or_default().push(take));
    let mut all: BTreeMap<Kind, Vec<Came>> = BTreeMap::new();
    type Sounds<'a> = BTreeMap<&'a Path, Vec<i16>>;
    let (mut clean, mut noisy) = (Sounds::new(), Sounds::new());
    for (number, (speaker, own)) in speakers.iter().enumerate() {
        // A babble is made of the next speaker's voice.
        let other = speakers.values().nth((number + 1) % speakers.len()).expect("one more speaker");
        let babble = sound(other[0].path.as_path(), Line::telephone(), &[]);
        let calm: Vec<&Take> = own.iter().filter(|take| Kind::Calm.takes(&take.emotion)).copied().collect();
        for kind in Kind::ALL {
            for (n, splice) in own.iter().filter(|take| kind.takes(&take.emotion)).step_by(every).enumerate() {
                // Calm turns are other takes, of other sentences where there are enough.
                let mut before: Vec<&&Take> = calm.iter().filter(|take| take.path != splice.path).collect();
                before.sort_by_key(|take| (take.sentence == splice.sentence, take.path.clone()));
                if before.len() < CALM_TURNS {
                    continue;
                }
                let line = match kind {
                    Kind::Noisy => Line { noise: Some((Noise::ALL[n % 3], NOISY_DB)), ..Line::telephone() },
                    _ => Line::telephone(),
                };
                let last = Line { gain_db: if kind == Kind::Loud { LOUD_DB } else { 0.0 }, ..line };
                let cache = if kind == Kind::Noisy { &mut noisy } else { &mut clean };
                let mut turns: Vec<Vec<i16>> = Vec::new();
                for take in &before[..CALM_TURNS] {
                    let turn = cache.entry(&take.path).or_insert_with(|| sound(&take.path, line, &[&babble]));
                    turns.push(turn.clone());
                }
                turns.push(sound(&splice.path, last, &[&babble]));
                let came = call(turns, means.0, means.1);
                if let Some(dump) = dump {
                    let reading = |(reading, splice): &(Reading, bool)| {
                        serde_json::json!({
                            "start": reading.start_ms, "end": reading.end_ms, "speech": reading.speech_ms,
                            "distress": reading.distress, "whole": reading.whole, "own": reading.own_voice,
                            "splice": splice, "p": reading.probabilities,
                        })
                    };
                    let readings: Vec<serde_json::Value> = came.readings.iter().map(reading).collect();
                    let line = serde_json::json!({
                        "corpus": corpus, "speaker": speaker, "kind": kind.name(), "file": splice.path,
                        "comfort": came.comfort, "any": came.any, "handed": came.handed, "readings": readings,
                    });
                    writeln!(dump, "{line}").expect("room on the disk");
                }
                all.entry(kind).or_default().push(came);
            }
        }
        eprintln!("{corpus} {speaker}: done");
    }
    if means.1.rules.is_empty() {
        sweep(corpus, &all);
    } else {
        figures(corpus, &all);
    }
}

/// What each threshold would have brought: for choosing one, on training speakers.
fn sweep(corpus: &str, all: &BTreeMap<Kind, Vec<Came>>) {
    println!("{corpus}: distress for_ms  angry  calm  happy  loud  noisy (% of splices)");
    for for_ms in [0, 800, 1_200, 2_000] {
        for hundredths in (30..95).step_by(5) {
            let threshold = Threshold { distress: hundredths as f32 / 100.0, for_ms };
            let passed = |came: &Came| {
                let (mut trend, mut watch) = (Trend::default(), Watch::new(threshold));
                came.readings.iter().any(|(reading, _)| {
                    trend.hear(reading);
                    watch.look(&trend, reading);
                    watch.passed()
                })
            };
            let share = |kind: &Kind| {
                let calls = all.get(kind).map(Vec::as_slice).unwrap_or_default();
                100.0 * calls.iter().filter(|came| passed(came)).count() as f64 / calls.len().max(1) as f64
            };
            let shares: Vec<String> = Kind::ALL.iter().map(|kind| format!("{:5.1}", share(kind))).collect();
            println!("  {:.2} {for_ms:5}  {}", threshold.distress, shares.join("  "));
        }
    }
}

fn figures(corpus: &str, all: &BTreeMap<Kind, Vec<Came>>) {
    let percent = |n: usize, of: usize| 100.0 * n as f64 / of.max(1) as f64;
    for (kind, calls) in all {
        let of = calls.len();
        let name = kind.name();
        if *kind == Kind::Angry {
            let triggered = calls.iter().filter(|came| came.comfort && came.priority && came.handed).count();
            let named = calls.iter().filter(|came| came.comfort && came.named).count();
            let missed = calls.iter().filter(|came| came.comfort).count() - named;
            println!(
                "FIGURE 4.4-{corpus}-angry {:.1} % limit >= 80 -- of {of} angry splices that bring comfort, priority and a person",
                percent(triggered, of)
            );
            println!(
                "FIGURE 4.4-{corpus}-unnamed {missed} calls limit == 0 -- calls with a comforting line whose summary does not name it"
            );
            let first = calls.iter().filter_map(|came| came.first_reading_ms).max().unwrap_or(0);
            println!(
                "FIGURE 4.3-{corpus}-first-reading {first} ms limit <= 1500 -- most speech before a call's first reading"
            );
        } else {
            let alarmed = calls.iter().filter(|came| came.any).count();
            println!(
                "FIGURE 4.4-{corpus}-{name} {:.1} % limit <= 5 -- of {of} {name} splices that bring anything",
                percent(alarmed, of)
            );
        }
    }
    let calm =
        || all.iter().filter(|(kind, _)| matches!(kind, Kind::Calm | Kind::Noisy | Kind::Loud)).flat_map(|(_, c)| c);
    let hours = calm().map(|came| came.seconds).sum::<f64>() / 3_600.0;
    let alarms = calm().filter(|came| came.any).count();
    println!(
        "FIGURE 4.4-{corpus}-false-alarms {:.2} per-hour -- calls alarmed in {hours:.2} h of calm speech, clean, loud and noisy",
        alarms as f64 / hours.max(1e-9)
    );
}

fn read_labels(path: &Path, split: &str, corpus: Option<&str>) -> BTreeMap<String, Vec<Take>> {
    let text = std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let mut lines = text.lines().map(|line| line.split('\t').collect::<Vec<_>>());
    let heading = lines.next().expect("a heading");
    let column =
        |name: &str| heading.iter().position(|head| *head == name).unwrap_or_else(|| panic!("no column {name}"));
    let (c, f, s, e, t, p) =
        (column("corpus"), column("file"), column("speaker"), column("emotion"), column("text"), column("split"));
    let folder = path.parent().unwrap_or(Path::new(""));
    let mut corpora: BTreeMap<String, Vec<Take>> = BTreeMap::new();
    for row in lines.filter(|row| row[p] == split && corpus.is_none_or(|corpus| row[c] == corpus)) {
        let (speaker, emotion, sentence) = (row[s].into(), row[e].into(), row[t].into());
        corpora.entry(row[c].into()).or_default().push(Take { speaker, emotion, sentence, path: folder.join(row[f]) });
    }
    corpora
}

fn sound(path: &Path, line: Line, others: &[&[i16]]) -> Vec<i16> {
    let sound = file::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    line.carry(&sound.samples, sound.rate, others, 7)
}

/// One question after the other, each answered by whatever is said.
fn flow(policy: &Policy) -> Flow {
    let text = |words: &str| Text { texts: [(Language::new("en"), words.into())].into(), recordings: BTreeMap::new() };
    let ask = |n: usize| {
        let ask = Ask {
            prompt: text("Please go on."),
            again: None,
            slot: format!("s{n}"),
            kind: SlotKind::Free,
            confirm: None,
            secret: false,
            label: BTreeMap::new(),
            next: format!("q{}", n + 1),
        };
        (format!("q{n}"), Step::Ask(ask))
    };
    let last = CALM_TURNS + 4;
    let mut steps: BTreeMap<String, Step> = (0..last).map(ask).collect();
    steps.insert(format!("q{last}"), Step::HangUp { say: text("Goodbye.") });
    Flow {
        name: "splices".into(),
        language: Language::new("en"),
        start: "q0".into(),
        steps,
        intents: BTreeMap::new(),
        hours: BTreeMap::new(),
        person: Transfer { queue: "desk".into(), skills: Vec::new(), priority: 0, say: None },
        lines: FlowTexts::default(),
        attempts: 2,
        silence_ms: 6_000,
        swearing: true,
        recorded: false,
        types: Default::default(),
        detect_language: false,
        knowledge: None,
        commands: Default::default(),
        personal: Default::default(),
        desk_steps: Default::default(),
        people: None,
        instead: Default::default(),
        emotion: Some(policy.clone()),
    }
}

/// The caller's telephone: silence, or what they say.
struct Telephone {
    says: VecDeque<i16>,
}

impl Port for Telephone {
    fn rate(&self) -> u32 {
        8_000
    }
    fn receive(&mut self, _: Instant, frame: &mut Frame) -> Received {
        frame.samples_mut().iter_mut().for_each(|sample| *sample = self.says.pop_front().unwrap_or(0));
        Received { heard: true, ..Received::default() }
    }
    fn send(&mut self, _: Instant, _: Option<&Frame>) {}
    fn send_key(&mut self, _: Key) {}
    fn quality(&self) -> Quality {
        Quality::default()
    }
}

/// A whole call with these turns; the last is the splice.
fn call(turns: Vec<Vec<i16>>, model: &Model, policy: &Policy) -> Came {
    let mut encoder = Encoder::new();
    let mut came = Came { seconds: turns.iter().map(|turn| turn.len() as f64 / 8_000.0).sum(), ..Came::default() };
    let listener = Listener::new(ListenerSettings::default());
    let mut session = Session::new(Arc::new(flow(policy)), 8_000, listener, Arc::new(WaitingSounds::default()));
    let mut telephone = Telephone { says: VecDeque::new() };
    let mut turns = VecDeque::from(turns);
    let (mut now_ms, mut quiet_ms) = (0u64, 0u64);
    let mut spliced = false;
    let origin = Instant::now();
    session.tell(Event::Arrived { call: "c".into(), caller: Caller::default(), at: chrono::DateTime::UNIX_EPOCH });
    loop {
        let requests = session.requests();
        if requests.is_empty() {
            if telephone.says.is_empty() && now_ms > quiet_ms + THINKS_MS {
                let Some(turn) = turns.pop_front() else {
                    if now_ms > quiet_ms + 30_000 {
                        return came; // and nobody came
                    }
                    advance(&mut session, &mut telephone, &mut now_ms, origin);
                    continue;
                };
                spliced = turns.is_empty();
                telephone.says.extend(turn);
                // The next turn waits for the bot's answer to this one.
                quiet_ms = now_ms + telephone.says.len() as u64 / 8 + 3_000;
            }
            advance(&mut session, &mut telephone, &mut now_ms, origin);
            continue;
        }
        for request in requests {
            match request {
                Request::Answer => session.answered(),
                Request::Speak { to, words, rate, .. } => {
                    let ms = 300 + 60 * words.text().chars().count() as u64;
                    let samples = vec![2_000; (rate as u64 * ms / 1_000) as usize];
                    session.sound(to, Arc::new(Sound { rate, samples }));
                    session.spoken(to, true);
                    quiet_ms = quiet_ms.max(now_ms + ms);
                }
                Request::Hear { turn, language, .. } => {
                    let hearing = Hearing {
                        text: "number one".into(),
                        alternatives: Vec::new(),
                        confidence: 0.9,
                        no_speech: 0.0,
                        language,
                        cpu_s: 0.0,
                    };
                    session.heard(turn, Ok(hearing));
                }
                Request::Feel(feel) => {
                    session.felt(feel.id, Some(feel.judge(model, &mut encoder)));
                }
                Request::Queue(QueueRequest::Enter { priority, .. }) => {
                    came.handed = spliced && priority > 0;
                    came.named = named(&mut session);
                    return came;
                }
                Request::Note(entry) => match &entry.note {
                    Note::Emotion(reading) => {
                        came.first_reading_ms.get_or_insert(reading.speech_ms);
                        came.readings.push((reading.clone(), spliced));
                    }
                    Note::Reaction { reaction, .. } => {
                        came.any = true;
                        came.comfort |= spliced && *reaction == Reaction::Comfort;
                        came.priority |= spliced && *reaction == Reaction::Priority;
                    }
                    _ => {}
                },
                Request::Finished { .. } => return came,
                _ => {}
            }
        }
    }
}

fn advance(session: &mut Session, telephone: &mut Telephone, now_ms: &mut u64, origin: Instant) {
    *now_ms += u64::from(FRAME_MS);
    let at = origin + std::time::Duration::from_millis(*now_ms);
    session.beat(*now_ms, at, Ports { caller: Some(telephone), ..Ports::default() });
}

/// Whether the summary for the agent says it.
fn named(session: &mut Session) -> bool {
    session.tell(Event::AgentFound { agent: "anna".into(), brief: true });
    let rung = session.requests().into_iter().find_map(|request| match request {
        Request::RingAgent { summary, .. } => Some(summary),
        _ => None,
    });
    rung.is_some_and(|summary| summary.facts.iter().any(|fact| fact.text.starts_with("caller sounds upset since 0:")))
}

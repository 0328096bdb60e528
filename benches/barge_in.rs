//! What stops a prompt, and what does not: sounds thrown into prompts, through the session on virtual time. Each set is
//! cut in halves of different recordings: thresholds may be chosen by the one, the other is reported.
//!
//! `BARGE_IN_SOUNDS=folder cargo bench --bench barge_in` with the folders `cough`, `noise`, `backchannel`,
//! `backchannel-zh`, `interruption`, `shout` in it (`acceptance/59-barge-in` assembles them); echoes are made here, of the
//! prompts themselves. `CASES=n` sets the size of each set (200); needs the installed models.

use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use frontdesk::call::{Action, Event, Passing};
use frontdesk::engine::{self, ReadyFlow, Replayed, Script, Shared};
use frontdesk::local::FilePort;
use frontdesk::media::{Sound, file, telephone_channel};

const PROMPTS: [(&str, &str, &str); 5] = [
    (
        "en",
        "opening",
        "Our branches are open from Monday to Friday between nine in the morning and five in the afternoon, and on the first Saturday of each month until noon.",
    ),
    (
        "en",
        "parcel",
        "Your parcel has left the warehouse this morning and is on its way to the delivery office. The driver will ring at your door tomorrow between ten and twelve.",
    ),
    (
        "en",
        "card",
        "A new card takes about five working days to arrive by post. Until then you can pay with your telephone, or fetch a temporary card at any of our counters.",
    ),
    (
        "zh",
        "kaihu",
        "办理开户需要携带本人有效身份证件，到任意营业网点柜台办理，工作日上午九点至下午五点都可以办理，节假日请提前预约。",
    ),
    (
        "zh",
        "kuaidi",
        "您的快递今天上午已经从仓库发出，正在运往派送站点，快递员会在明天上午十点到十二点之间给您打电话，请保持电话畅通。",
    ),
];
const RATE: u32 = 8_000;

struct House {
    shared: Arc<Shared>,
    flows: Vec<(&'static str, Arc<ReadyFlow>)>,
}

/// One sound thrown into one prompt.
struct Case {
    name: String,
    flow: usize,
    /// Level of the sound, dB of full scale; when it comes, ms after the call's arrival.
    sound: Option<(PathBuf, f32, u64)>,
    /// Delay in ms and level in dB of the prompt heard back.
    echo: Option<(u64, f32)>,
    /// In the half that is reported.
    reported: bool,
}

/// What came of it.
#[derive(Default)]
struct Outcome {
    stopped: bool,
    held: bool,
    /// What the call was told.
    texts: Vec<String>,
    /// The sound's beginning to the last of the prompt that was sent, ms.
    silent_after: Option<u64>,
}

#[tokio::main]
async fn main() {
    let house = house().await;
    let cases: usize = std::env::var("CASES").ok().and_then(|n| n.parse().ok()).unwrap_or(200);
    let folder = std::env::var_os("BARGE_IN_SOUNDS").map(PathBuf::from);
    let only = std::env::var("SETS").unwrap_or_default();
    let wanted = |name: &str| only.is_empty() || only.split(',').any(|set| set == name);
    if wanted("echo") {
        run(&house, "echo", echoes(cases)).await;
        run(&house, "echo-and-interruption", with_echo(sounds(&folder, &["interruption"], cases, &[0, 1, 2]))).await;
    }
    for (set, folders, flows) in [
        ("cough", &["cough"][..], &[0, 1, 2, 3, 4][..]),
        ("noise", &["noise"], &[0, 1, 2, 3, 4]),
        ("backchannel", &["backchannel"], &[0, 1, 2]),
        ("backchannel-zh", &["backchannel-zh"], &[3, 4]),
        ("interruption", &["interruption"], &[0, 1, 2]),
        ("shout", &["shout"], &[0, 1, 2]),
    ] {
        if wanted(set) {
            run(&house, set, sounds(&folder, folders, cases, flows)).await;
        }
    }
}

async fn run(house: &House, set: &str, cases: Vec<Case>) {
    let wanted = set.ends_with("interruption") || set == "shout";
    let mut outcomes = Vec::new();
    for (n, case) in cases.iter().enumerate() {
        let outcome = play(house, case).await;
        if outcome.stopped != wanted {
            let what = if wanted { "not noticed" } else { "stopped the prompt" };
            println!("{set} {n}: {} {what} {:?}", case.name, outcome.texts);
        }
        outcomes.push((case.reported, outcome));
    }
    let (reported, chosen_by): (Vec<_>, Vec<_>) = outcomes.into_iter().partition(|(reported, _)| *reported);
    for (part, outcomes) in [("chosen by", chosen_by), ("reported", reported)] {
        let outcomes: Vec<Outcome> = outcomes.into_iter().map(|(_, outcome)| outcome).collect();
        let of = outcomes.len().max(1) as f64;
        let stopped = 100.0 * outcomes.iter().filter(|outcome| outcome.stopped).count() as f64 / of;
        let held = 100.0 * outcomes.iter().filter(|outcome| outcome.held).count() as f64 / of;
        let mut silent: Vec<u64> = outcomes.iter().filter_map(|outcome| outcome.silent_after).collect();
        silent.sort_unstable();
        let at =
            |share: f64| silent.get((share * (silent.len().max(1) - 1) as f64).round() as usize).copied().unwrap_or(0);
        println!(
            "{set} ({part}): {} cases, {stopped:.1} % stopped, {held:.1} % held up and carried on, sound to silence: median {} ms, p95 {} ms",
            outcomes.len(),
            at(0.5),
            at(0.95)
        );
        if part == "reported" {
            let (limit, name) = match wanted {
                // Game characters shouting: most of it is hard to understand for people, too.
                true if set == "shout" => ("", "caught"),
                true => (" limit >= 98", "caught"),
                false => (" limit <= 2", "wrong"),
            };
            println!(
                "FIGURE 3.3-bargein-{set}-{name} {stopped:.1} %{limit} -- prompts stopped by {set}, {} of {} cases, the others chose the thresholds",
                outcomes.len(),
                cases.len()
            );
            match wanted {
                true => println!(
                    "FIGURE 3.3-bargein-{set}-p95 {} ms -- first sound of the caller to the last of the prompt, without the network, 95 of 100",
                    at(0.95)
                ),
                false => println!(
                    "FIGURE 3.3-bargein-{set}-held {held:.1} % -- prompts that {set} held up for a moment, and that went on"
                ),
            }
        }
    }
}

/// Plays a case: the caller's side of the call as a sound, the prompt as it goes.
async fn play(house: &House, case: &Case) -> Outcome {
    let mut samples = vec![0i16; RATE as usize * 3];
    let mut begins_ms = 0;
    if let Some((path, level, at)) = &case.sound {
        let (sound, first) = levelled(path, *level);
        let begins = (*at * 8) as usize;
        begins_ms = at + first as u64 / 8;
        samples.resize(samples.len().max(begins + sound.len() + 4_000), 0);
        samples[begins..begins + sound.len()].copy_from_slice(&sound);
    }
    let mut port = FilePort::new(&Sound { rate: RATE, samples: telephone_channel(&samples, RATE) }, RATE);
    if let Some((delay, level)) = case.echo {
        port = port.with_echo(room(delay, level));
    }
    let script = Script { replies: Some(VecDeque::new()), ..Script::default() };
    let flow = house.flows[case.flow].1.clone();
    let done = engine::replay(house.shared.clone(), flow, port, script, |_| {}).await;
    outcome(&done, begins_ms)
}

fn outcome(done: &Replayed, begins_ms: u64) -> Outcome {
    let stops = |action: &Action| matches!(action, Action::StopSaying);
    let stopped = done.log.iter().any(|line| line.actions.iter().any(stops));
    let held = done
        .log
        .iter()
        .any(|line| matches!(line.event, Event::CarriedOn { because: Passing::Noise | Passing::Backchannel }));
    let texts = done.log.iter().filter_map(|line| match &line.event {
        Event::Heard(utterance) => Some(format!("{} ({:.2})", utterance.text, utterance.confidence)),
        _ => None,
    });
    let texts = texts.collect();
    // The first 400 ms of silence after the sound began.
    let frames: Vec<bool> =
        done.heard.samples.chunks(160).map(|frame| frame.iter().any(|s| s.unsigned_abs() > 30)).collect();
    let from = (begins_ms / 20) as usize;
    let quiet = (from..frames.len()).find(|&at| frames[at..].iter().take(20).all(|loud| !loud));
    let last = quiet.and_then(|at| frames[..at].iter().rposition(|loud| *loud));
    Outcome { stopped, held, texts, silent_after: last.map(|at| (at as u64 * 20 + 20).saturating_sub(begins_ms)) }
}

/// A sound at a level (dB of full scale over its louder half), cut to 6 s; where it first is loud.
fn levelled(path: &Path, level: f32) -> (Vec<i16>, usize) {
    let mut samples = file::read(path).unwrap_or_else(|e| panic!("{}: {e}", path.display())).at_rate(RATE).samples;
    samples.truncate(RATE as usize * 6);
    let power = |frame: &[i16]| frame.iter().map(|&s| f64::from(s).powi(2)).sum::<f64>() / frame.len() as f64;
    let powers: Vec<f64> = samples.chunks(160).map(power).collect();
    let loudest = powers.iter().copied().fold(1.0, f64::max);
    let active: Vec<f64> = powers.iter().copied().filter(|p| *p > loudest / 100.0).collect();
    let rms = (active.iter().sum::<f64>() / active.len().max(1) as f64).sqrt();
    let gain = 32_768.0 * 10f64.powf(f64::from(level) / 20.0) / rms.max(1.0);
    let loud = powers.iter().position(|p| *p > loudest / 1_000.0).unwrap_or(0) * 160;
    (samples.iter().map(|&s| (f64::from(s) * gain).clamp(-32_000.0, 32_000.0) as i16).collect(), loud)
}

/// A room's answer: the direct way, then reflections that die away within 150 ms.
fn room(delay_ms: u64, level: f32) -> Vec<(usize, f32)> {
    let mut seed = delay_ms as u32 * 7_919 + 1;
    let mut dice = || {
        seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (seed >> 8) as f32 / (1 << 24) as f32
    };
    let mut reflections = vec![(0usize, 1.0f32)];
    reflections.extend((0..24).map(|_| {
        let late = 8 + (dice() * 1_200.0) as usize;
        (late, (dice() - 0.5) * 0.8 * (-(late as f32) / 350.0).exp())
    }));
    let power: f32 = reflections.iter().map(|(_, gain)| gain * gain).sum();
    let gain = 10f32.powf(level / 20.0) / power.sqrt();
    reflections.into_iter().map(|(late, share)| (delay_ms as usize * 8 + late, share * gain)).collect()
}

/// Delays of 20 to 300 ms, over all prompts, at -20 dB.
fn echoes(cases: usize) -> Vec<Case> {
    let delay = |n: usize| 20 + (n as u64 * 37) % 281;
    let name = |n: usize| format!("{} ms, {}", delay(n), PROMPTS[n % PROMPTS.len()].1);
    (0..cases)
        .map(|n| Case {
            name: name(n),
            flow: n % PROMPTS.len(),
            sound: None,
            echo: Some((delay(n), -20.0)),
            reported: n % 2 == 1,
        })
        .collect()
}

fn with_echo(cases: Vec<Case>) -> Vec<Case> {
    let echo = |n: usize| Some((20 + (n as u64 * 53) % 281, -20.0));
    cases.into_iter().enumerate().map(|(n, case)| Case { echo: echo(n), ..case }).collect()
}

/// The sounds of these folders, again and again at other levels and moments until there are enough cases.
fn sounds(folder: &Option<PathBuf>, sets: &[&str], cases: usize, flows: &[usize]) -> Vec<Case> {
    let folder = folder.as_ref().expect("BARGE_IN_SOUNDS names the folder that acceptance/59-barge-in made");
    let mut files = Vec::new();
    for set in sets {
        let entries = std::fs::read_dir(folder.join(set)).unwrap_or_else(|e| panic!("{set}: {e}"));
        files.extend(entries.filter_map(|entry| Some(entry.ok()?.path())));
    }
    files.sort();
    assert!(!files.is_empty(), "{sets:?} hold no sound");
    // Spread over the folder, so that both halves hear different recordings.
    let case = |n: usize| {
        let file = (n * files.len() / cases + (n * files.len() % cases + n) / cases.max(1)) % files.len();
        let path = files[file].clone();
        let level = [-26.0, -30.0, -22.0, -34.0][n % 4];
        let at = 900 + (n as u64 * 463) % 3_700;
        let name = format!("{} at {level} dB, {at} ms", path.file_name().unwrap_or_default().to_string_lossy());
        Case { name, flow: flows[n % flows.len()], sound: Some((path, level, at)), echo: None, reported: file % 2 == 1 }
    };
    (0..cases).map(case).collect()
}

async fn house() -> House {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let flow = |(language, name, text): &(&str, &str, &str)| {
        let (more, bye) =
            if *language == "zh" { ("还有呢？", "再见。") } else { ("Anything else?", "Goodbye.") };
        format!(
            "  - flow: {name}\n    language: {language}\n    person: {{ queue: desk }}\n    silence_s: 2\n    start: tell\n    steps:\n      \
             tell: {{ say: \"{text}\", next: more }}\n      more: {{ ask: \"{more}\", slot: more, type: free, next: bye }}\n      \
             bye: {{ hang_up: \"{bye}\" }}\n"
        )
    };
    let flows: String = PROMPTS.iter().map(flow).collect();
    let line =
        |(n, (_, name, _)): (usize, &(&str, &str, &str))| format!("  {name}: {{ numbers: [\"{n}\"], flow: {name} }}\n");
    let lines: String = PROMPTS.iter().enumerate().map(line).collect();
    let text = format!(
        "flows:\n{flows}lines:\n{lines}queues: {{ desk: {{}} }}\nagents: {{ nobody: {{ uri: \"sip:nobody@127.0.0.1:9\", queues: [desk] }} }}\n\
         sip: {{ listen: \"127.0.0.1:0\" }}\nhttp: {{ listen: \"off\" }}\n"
    );
    let path = folder.path().join("config.yaml");
    std::fs::write(&path, text).expect("a file");
    let config = frontdesk::config::load(&path).unwrap_or_else(|problems| panic!("{problems}"));
    let (shared, flows, _) =
        engine::load(&Arc::new(config), true, None, |_| {}).await.unwrap_or_else(|e| panic!("{e}"));
    let flows = PROMPTS.iter().map(|(_, name, _)| (*name, flows[*name].clone())).collect();
    House { shared, flows }
}

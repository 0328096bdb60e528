//! The same splices as `emotion_live`, over real SIP: baresip calls the built engine, speaks calmly three times in a
//! speaker's recorded voice and then angrily. The comforting line, the priority and the agent's telephone must follow, the
//! summary must name it and `frontdesk calls show` draw it. One call a speaker; `acceptance/75-emotion-live` runs it.
//!
//!     cargo bench --bench emotion_sip -- LABELS.tsv [--split dev] [--corpus ravdess] [--calls 6]

#[path = "../tests/common/mod.rs"]
mod common;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use common::baresip::Sound;
use common::engine::Engine;
use common::people::{SECONDS, agent, caller};
use frontdesk::call::Note;
use frontdesk::emotion::policy::Reaction;
use frontdesk::media::file;

const CALM_TURNS: usize = 3;

#[derive(Default)]
struct Speaker {
    calm: Vec<PathBuf>,
    angry: Vec<PathBuf>,
}

#[tokio::main]
async fn main() {
    let args: Vec<String> = std::env::args().skip(1).filter(|arg| arg != "--bench").collect();
    let option = |name: &str| args.iter().position(|arg| arg == name).and_then(|at| args.get(at + 1)).cloned();
    let Some(labels) = args.first().filter(|arg| !arg.starts_with("--")) else {
        println!("which recordings? cargo bench --bench emotion_sip -- LABELS.tsv [--split dev] [--corpus ravdess]");
        return;
    };
    let split = option("--split").unwrap_or_else(|| "dev".into());
    let corpus = option("--corpus").unwrap_or_else(|| "ravdess".into());
    let most = option("--calls").and_then(|n| n.parse().ok()).unwrap_or(6);
    let speakers = read_labels(Path::new(labels), &split, &corpus);

    let folder = tempfile::tempdir().expect("a folder");
    let story = folder.path().join("story.yaml");
    std::fs::write(&story, configuration()).expect("a file");
    let more = format!("include: [\"{}\"]\nemotion: {{}}\n", story.display());
    let engine = Engine::start_with("", &more).await;
    let (mut calls, mut whole) = (0, 0);
    for (name, speaker) in speakers.iter().filter(|(_, s)| s.calm.len() > CALM_TURNS && !s.angry.is_empty()).take(most)
    {
        // Not the mildest take, which the labels list first, and not a chosen one: the middle.
        let angry = &speaker.angry[speaker.angry.len() / 2];
        let came = one_call(&engine, &speaker.calm[..CALM_TURNS], angry).await;
        println!("{name}: {came:?}");
        calls += 1;
        whole += usize::from(came.iter().all(|(_, is)| *is));
    }
    engine.terminate().await;
    println!(
        "FIGURE 4.4-sip-{corpus} {:.1} % limit >= 80 -- of {calls} calls over real SIP with comfort, priority, agent, summary and curve",
        100.0 * whole as f64 / calls.max(1) as f64
    );
}

async fn one_call(engine: &Engine, calm: &[PathBuf], angry: &Path) -> Vec<(&'static str, bool)> {
    let mut agent = agent(engine, "anna").await;
    let mut caller = caller(engine).await;
    caller.dial(&engine.uri("3000")).await;
    caller.wait_for("CALL_ESTABLISHED", SECONDS).await;
    for (n, path) in calm.iter().map(PathBuf::as_path).chain([angry]).enumerate() {
        engine.at_step(&format!("q{n}"), 3 * SECONDS).await;
        tokio::time::sleep(Duration::from_secs(5)).await; // the question, and a thought
        caller.hears(recording(path)).await;
    }
    // Silence, or the next question unanswered, until a person takes over.
    let ring = tokio::time::timeout(Duration::from_secs(60), engine_rings(engine)).await;
    if ring.is_ok() {
        agent.accept().await;
        let connected = |note: &Note| matches!(note, Note::Connected { .. });
        let briefed = engine.wait_for("both to be joined", Duration::from_secs(60), connected);
        let _ = tokio::time::timeout(Duration::from_secs(30), briefed).await; // the record tells
        tokio::time::sleep(Duration::from_secs(2)).await;
    }
    caller.hang_up().await;
    let record = engine.finished(2 * SECONDS).await;
    let (_, _) = (agent.stop().await, caller.stop().await);

    let has = |wanted: &dyn Fn(&Note) -> bool| record.timeline.iter().any(|entry| wanted(&entry.note));
    let summary = record.summary.as_ref().expect("the call has ended");
    let shown = std::process::Command::new(env!("CARGO_BIN_EXE_frontdesk"))
        .args(["calls", "--records"])
        .arg(engine.records())
        .args(["show", &record.head.call])
        .output()
        .expect("frontdesk runs");
    let shown = String::from_utf8_lossy(&shown.stdout).into_owned();
    let curve: Vec<&str> = shown.lines().skip_while(|line| !line.starts_with("Sound")).take(8).collect();
    println!("{}", curve.join("\n"));
    vec![
        ("comfort", has(&|note| matches!(note, Note::Reaction { reaction: Reaction::Comfort, .. }))),
        (
            "said",
            has(&|note| matches!(note, Note::Say { text } if text.starts_with("I can hear that this is upsetting"))),
        ),
        ("priority", has(&|note| matches!(note, Note::Transfer { priority, .. } if *priority > 0))),
        ("agent", has(&|note| matches!(note, Note::Connected { .. }))),
        ("summary", summary.facts.iter().any(|fact| fact.text.starts_with("caller sounds upset since 0:"))),
        (
            "curve",
            curve.iter().any(|line| {
                line.trim_start().starts_with("distress")
                    && line.contains('▇') | line.contains('█') | line.contains('▆')
            }),
        ),
    ]
}

async fn engine_rings(engine: &Engine) {
    engine
        .wait_for("an agent's telephone", Duration::from_secs(60), |note| matches!(note, Note::AgentRinging { .. }))
        .await;
}

fn recording(path: &Path) -> Sound {
    let sound = file::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    Sound::Speech(Duration::from_millis(100), sound.at_rate(8_000).samples)
}

fn read_labels(path: &Path, split: &str, corpus: &str) -> BTreeMap<String, Speaker> {
    let labels = frontdesk::emotion::labels::read(path).unwrap_or_else(|error| panic!("{error}"));
    let mut speakers: BTreeMap<String, Speaker> = BTreeMap::new();
    for label in labels.into_iter().filter(|label| label.split == split && label.corpus == corpus) {
        let speaker = speakers.entry(label.speaker).or_default();
        match label.class {
            frontdesk::emotion::Class::Angry => speaker.angry.push(label.file),
            frontdesk::emotion::Class::Neutral => speaker.calm.push(label.file),
            _ => {}
        }
    }
    speakers
}

/// A line whose flow asks one open question after the other.
fn configuration() -> String {
    let steps: String = (0..8)
        .map(|n| format!("      q{n}: {{ ask: Please go on., slot: s{n}, type: free, next: q{} }}\n", n + 1))
        .collect();
    format!(
        "lines:\n  story: {{ numbers: [\"3000\"], flow: story }}\nflows:\n  - flow: story\n    language: en\n    \
         person: {{ queue: front-desk }}\n    start: q0\n    silence_s: 8\n    steps:\n{steps}      q8: {{ hang_up: Goodbye. }}\n"
    )
}

//! The people of a call: who phones in, who takes it, and an ear of our own to hear what was said.

use std::sync::Arc;
use std::time::Duration;

use frontdesk::call::Note;
use frontdesk::dialog::{Expect, Language, Piece, Prompt};
use frontdesk::media::{Sound as Samples, file};
use frontdesk::records::CallRecord;
use frontdesk::speech::voice::{Options, Voice};
use frontdesk::speech::{Ear, EarSettings, HearRequest};

use super::baresip::{Baresip, Phone, Sound};
use super::engine::{Engine, PASSWORD};
use super::talk::tone_ms;

pub const SECONDS: Duration = Duration::from_secs(20);
/// What the caller's telephone sends when a person is there, Hz; and the agent's.
pub const CALLER: f64 = 440.0;
pub const AGENT: f64 = 600.0;

/// What no busy machine takes to connect two legs. The limit proper is judged by `make acceptance`.
const MOMENT_MS: usize = 1_000;

/// An agent's softphone, registered.
pub async fn agent(engine: &Engine, user: &str) -> Baresip {
    let (registrar, sound) = (engine.address, Sound::Sine(AGENT));
    let mut phone = Baresip::start(&Phone { user, password: PASSWORD, registrar, sound, ..Phone::default() }).await;
    phone.wait_for("REGISTER_OK", SECONDS).await;
    phone
}

/// A softphone whose user is silent at first.
pub async fn caller(engine: &Engine) -> Baresip {
    let sound = Sound::Speech(Duration::ZERO, Vec::new());
    Baresip::start(&Phone { user: "5551234", registrar: engine.address, expires: 0, sound, ..Phone::default() }).await
}

/// A recorded human voice from `audio_fixtures/`, as it comes out of a telephone's microphone.
pub fn recorded(fixture: &str) -> Sound {
    let path = format!("{}/audio_fixtures/{fixture}", env!("CARGO_MANIFEST_DIR"));
    Sound::Speech(Duration::from_millis(300), file::read(path).unwrap().at_rate(8_000).samples)
}

/// Our own voice in the part of the caller, where there is no recording of a human one.
pub async fn synthetic(language: &str, text: &str) -> Sound {
    let language = Language::new(language);
    let voice = Voice::load(&Options { languages: vec![language.clone()], ..Options::default() }).unwrap();
    let mut speaking = voice.speak(&Prompt { language, pieces: vec![Piece::Text(text.into())] }).unwrap();
    let mut samples = Vec::new();
    while let Some(chunk) = speaking.next().await {
        let chunk = chunk.unwrap();
        samples.extend(Samples { rate: chunk.rate, samples: chunk.samples.to_vec() }.at_rate(8_000).samples);
    }
    Sound::Speech(Duration::from_millis(300), samples)
}

/// For [`Engine::wait_for`]: the bot says something with these words.
pub fn says(words: &str) -> impl Fn(&Note) -> bool {
    move |note| matches!(note, Note::Say { text } if text.contains(words))
}

/// What our ear makes of a stretch of sound.
pub async fn transcript(sound: &Samples, from_ms: u64, to_ms: u64, language: &str) -> String {
    let wide = sound.at_rate(16_000);
    let at = |ms: u64| (ms as usize * 16).min(wide.samples.len());
    let audio: frontdesk::speech::Samples =
        wide.samples[at(from_ms)..at(to_ms)].iter().map(|sample| f32::from(*sample) / 32_768.0).collect();
    let ear = Ear::open(&EarSettings::installed().unwrap()).unwrap();
    let language = Some(Language::new(language));
    let request = HearRequest {
        audio,
        language,
        hints: Vec::new(),
        expect: Expect::Free,
        likely: Arc::default(),
        languages: Vec::new(),
    };
    ear.hear(request).unwrap().await.unwrap().text
}

/// A tone each way, at both telephones, and soon: the briefing's end is the gap before the caller's tone at the agent.
pub fn assert_both_heard(name: &str, record: &CallRecord, caller: &(Vec<i16>, u32), agent: &(Vec<i16>, u32)) {
    let (heard, rate) = caller;
    assert!(tone_ms(heard, *rate, AGENT) > 1_000, "the caller heard {} ms of the agent", tone_ms(heard, *rate, AGENT));
    let (told, rate) = agent;
    assert!(tone_ms(told, *rate, CALLER) > 1_000, "the agent heard {} ms of the caller", tone_ms(told, *rate, CALLER));
    let block = *rate as usize / 50;
    let first = told.chunks_exact(block).position(|block| tone_ms(block, *rate, CALLER) > 0).unwrap();
    // A last "s" is all but lost on a telephone, but it is the briefing still.
    let loud = |block: &[i16]| block.iter().any(|sample| sample.unsigned_abs() > 60);
    let last = told.chunks_exact(block).take(first).rposition(loud).expect("a briefing");
    let gap = 20 * (first - last);
    println!(
        "FIGURE 2.1-to-agent-{name} {gap} ms limit <= 200 -- briefing's last sound to the caller's, at the agent's"
    );
    assert!(gap <= MOMENT_MS, "{gap} ms");

    let connected = record.timeline.iter().find(|entry| matches!(entry.note, Note::Connected { .. })).unwrap().at_ms;
    let right = file::read_channel(&record.recordings[0].path, 1).unwrap();
    let block = right.rate as usize / 50;
    let first = right.samples.chunks_exact(block).position(|block| tone_ms(block, right.rate, AGENT) > 0).unwrap();
    let gap = (20 * first as u64).saturating_sub(connected);
    println!(
        "FIGURE 2.1-to-caller-{name} {gap} ms limit <= 200 -- connection to the agent's sound on the way to the caller"
    );
    assert!(gap as usize <= MOMENT_MS, "{gap} ms");
}

/// The caller's side of the recording, played through the same pipeline again, means the same.
pub async fn assert_recording_replays(engine: &Engine, record: &CallRecord) {
    let output = tokio::process::Command::new(env!("CARGO_BIN_EXE_frontdesk"))
        .args(["replay", "--json", "--call", &record.head.call, "--config"])
        .arg(engine.configuration())
        .output()
        .await
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let replayed: Vec<serde_json::Value> =
        String::from_utf8(output.stdout).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let lived: Vec<serde_json::Value> =
        record.timeline.iter().map(|entry| serde_json::to_value(entry).unwrap()).collect();
    for (event, field) in [("intent", "chosen"), ("choice", "option"), ("slot", "value"), ("transfer", "queue")] {
        let of = |entries: &[serde_json::Value]| -> Vec<String> {
            entries.iter().filter(|entry| entry["event"] == event).map(|entry| entry[field].to_string()).collect()
        };
        assert_eq!(of(&replayed), of(&lived), "{event} of {replayed:#?}");
    }
}

/// A configuration to include: callers of 3000 go to a queue whose one agent, dora, has an address of her own. `line` and
/// `queue` are more keys of these.
pub fn direct_to_dora(folder: &std::path::Path, at: &str, line: &str, queue: &str) -> String {
    let extra = format!(
        r#"
lines:
  direct: {{ numbers: ["3000"], flow: direct, {line} }}
queues:
  direct: {{ {queue} }}
agents:
  dora: {{ uri: "{at}", queues: [direct] }}
flows:
  - flow: direct
    language: en
    person: {{ queue: direct }}
    start: hello
    steps:
      hello: {{ say: "You are being connected.", next: through }}
      through: {{ transfer: direct }}
"#
    );
    let file = folder.join("extra.yaml");
    std::fs::write(&file, extra).unwrap();
    format!("include: [\"{}\"]", file.display())
}

//! The whole of it, by telephones that are not ours: baresip calls the bank and plays recorded human speech, is
//! understood and answered aloud, asks for a person; the agent's baresip rings with a summary, hears the briefing, and
//! both hear each other. The record holds it all, its event log replays to the byte, its recording to the same end.

mod common;

use std::sync::Arc;
use std::time::Duration;

use common::baresip::{Baresip, Phone, Sound};
use common::engine::{Engine, PASSWORD};
use common::talk::tone_ms;
use frontdesk::call::{Cause, FactKind, Note, Outcome};
use frontdesk::dialog::{Expect, Language};
use frontdesk::media::file;
use frontdesk::records::CallRecord;
use frontdesk::speech::{Ear, EarSettings, HearRequest};

const SECONDS: Duration = Duration::from_secs(20);

#[tokio::test]
async fn in_english() {
    let engine = Engine::start().await;
    let mut agent = agent(&engine, "anna").await;
    let mut caller = caller(&engine).await;
    caller.dial(&engine.uri("1000")).await;
    caller.wait_for("CALL_ESTABLISHED", SECONDS).await;

    engine.at_step("menu", SECONDS).await;
    caller.hears(said("asterisk/en-hours.wav")).await;
    let answer = engine.wait_for("the opening hours", SECONDS, says("12 Harbour Street")).await;
    engine.at_step("anything_else", SECONDS).await;
    let asked = engine.wait_for("the question", SECONDS, says("anything else")).await;
    caller.hears(said("asterisk/en-speak-with-a-representative.wav")).await;

    let ring = agent.wait_for("CALL_INCOMING", SECONDS).await;
    assert!(ring.to_string().contains("opening hours"), "the phone shows what the call is about: {ring}");
    caller.hears(Sound::Sine(440.0)).await;
    agent.accept().await;
    engine.wait_for("the connection", SECONDS, |note| matches!(note, Note::Connected { .. })).await;
    tokio::time::sleep(Duration::from_secs(2)).await;
    agent.hang_up().await;
    let record = engine.finished(SECONDS).await;

    understood(&record);
    // What the bot said, as the caller's telephone received it, is what it meant to say.
    let (heard, rate) = caller.stop().await;
    let (at, to) = (answer.at_ms as usize, asked.at_ms as usize);
    let left = file::read_channel(&record.recordings[0].path, 1).unwrap().at_rate(16_000);
    let text = transcript(&left.samples[at * 16..to * 16], 16_000).await.to_lowercase();
    assert!(text.contains("12 harbo") && text.contains("monday to friday"), "{text}");
    let received = transcript_of_middle(&heard, rate, at, to).await.to_lowercase();
    assert!(received.contains("monday to friday"), "{received}");

    both_hear_each_other(&record, &heard, rate, agent.stop().await);
    engine.assert_replays(&record).await;
    replays_from_its_recording(&engine, &record).await;
    engine.terminate().await;
}

fn says(words: &str) -> impl Fn(&Note) -> bool {
    move |note| matches!(note, Note::Say { text } if text.contains(words))
}

async fn agent(engine: &Engine, user: &str) -> Baresip {
    let registrar = engine.address;
    let sound = Sound::Sine(600.0);
    let mut phone = Baresip::start(&Phone { user, password: PASSWORD, registrar, sound, ..Phone::default() }).await;
    phone.wait_for("REGISTER_OK", SECONDS).await;
    phone
}

async fn caller(engine: &Engine) -> Baresip {
    let sound = Sound::Speech(Duration::ZERO, Vec::new());
    Baresip::start(&Phone { user: "5551234", registrar: engine.address, expires: 0, sound, ..Phone::default() }).await
}

/// A recorded human voice, as it comes out of a telephone's microphone.
fn said(fixture: &str) -> Sound {
    let path = format!("{}/audio_fixtures/{fixture}", env!("CARGO_MANIFEST_DIR"));
    Sound::Speech(Duration::from_millis(300), file::read(path).unwrap().at_rate(8_000).samples)
}

fn understood(record: &CallRecord) {
    let summary = record.summary.as_ref().unwrap();
    assert_eq!((record.head.cause, summary.outcome), (Some(Cause::AgentHungUp), Some(Outcome::HandedOver)));
    let has = |wanted: &dyn Fn(&Note) -> bool| record.timeline.iter().any(|entry| wanted(&entry.note));
    assert!(has(&|note| matches!(note, Note::Intent { chosen: Some(intent), .. } if intent == "opening_hours")));
    assert!(has(&|note| matches!(note, Note::PersonWanted { .. })));
    assert!(has(&|note| matches!(note, Note::Transfer { queue, .. } if queue == "front-desk")));
    let fact = |kind| summary.facts.iter().find(|fact| fact.kind == kind).map(|fact| fact.text.to_lowercase());
    assert!(fact(FactKind::Caller).unwrap().contains("5551234"));
    assert!(fact(FactKind::Wanted).unwrap().contains("opening hours"));
    assert!(fact(FactKind::LastWords).unwrap().contains("representative"));
    assert_eq!(record.legs.len(), 2);
    assert!(record.legs.iter().all(|leg| leg.quality.is_some_and(|quality| quality.packets_received > 50)));
    assert_eq!(record.recordings[0].state, "closed");
}

/// A tone each way, at both telephones, and soon: the briefing's end is the agent's gap before the caller's tone.
fn both_hear_each_other(record: &CallRecord, heard: &[i16], rate: u32, agent: (Vec<i16>, u32)) {
    assert!(tone_ms(heard, rate, 600.0) > 1_000, "the caller heard {} ms of the agent", tone_ms(heard, rate, 600.0));
    let (told, rate) = agent;
    assert!(tone_ms(&told, rate, 440.0) > 1_000, "the agent heard {} ms of the caller", tone_ms(&told, rate, 440.0));
    let block = rate as usize / 50;
    let first = told.chunks_exact(block).position(|block| tone_ms(block, rate, 440.0) > 0).unwrap();
    let loud = |block: &[i16]| block.iter().any(|sample| sample.unsigned_abs() > 300);
    let last = told.chunks_exact(block).take(first).rposition(loud).expect("a briefing");
    let gap = 20 * (first - last);
    println!("briefing's last sound to the caller's voice at the agent: {gap} ms");
    assert!(gap <= 200, "{gap} ms");

    let connected = record.timeline.iter().find(|entry| matches!(entry.note, Note::Connected { .. })).unwrap().at_ms;
    let right = file::read_channel(&record.recordings[0].path, 1).unwrap();
    let block = right.rate as usize / 50;
    let first = right.samples.chunks_exact(block).position(|block| tone_ms(block, right.rate, 600.0) > 0).unwrap();
    let gap = (20 * first as u64).saturating_sub(connected);
    println!("connection to the agent's voice at the caller: {gap} ms");
    assert!(gap <= 200, "{gap} ms");
}

async fn transcript(samples: &[i16], rate: u32) -> String {
    let sound = file::Sound { rate, samples: samples.to_vec() }.at_rate(16_000);
    let ear = Ear::open(&EarSettings::installed().unwrap()).unwrap();
    let audio: Arc<[f32]> = sound.samples.iter().map(|sample| f32::from(*sample) / 32_768.0).collect();
    let language = Some(Language::new("en"));
    ear.hear(HearRequest { audio, language, hints: Vec::new(), expect: Expect::Free }).unwrap().await.unwrap().text
}

/// The caller's telephone began to record when it was answered, not when the call arrived.
async fn transcript_of_middle(samples: &[i16], rate: u32, from_ms: usize, to_ms: usize) -> String {
    let at = |ms: usize| (ms * rate as usize / 1_000).min(samples.len());
    transcript(&samples[at(from_ms.saturating_sub(1_000))..at(to_ms)], rate).await
}

/// The caller's side of the recording, played through the same pipeline again, means the same.
async fn replays_from_its_recording(engine: &Engine, record: &CallRecord) {
    let output = tokio::process::Command::new(env!("CARGO_BIN_EXE_frontdesk"))
        .args(["replay", "--json", "--line", "bank", "--call", &record.head.call])
        .arg("--config")
        .arg(engine.configuration())
        .output()
        .await
        .unwrap();
    let log = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{log}");
    let replayed: Vec<serde_json::Value> =
        String::from_utf8(output.stdout).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let of = |event: &str, field: &str| -> Vec<String> {
        replayed.iter().filter(|entry| entry["event"] == event).map(|entry| entry[field].to_string()).collect()
    };
    let lived: Vec<serde_json::Value> =
        record.timeline.iter().map(|entry| serde_json::to_value(entry).unwrap()).collect();
    let live = |event: &str, field: &str| -> Vec<String> {
        lived.iter().filter(|entry| entry["event"] == event).map(|entry| entry[field].to_string()).collect()
    };
    for (event, field) in [("intent", "chosen"), ("choice", "option"), ("slot", "value"), ("transfer", "queue")] {
        assert_eq!(of(event, field), live(event, field), "{event} of {replayed:#?}");
    }
}

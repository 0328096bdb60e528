//! A supervisor in a live call, in three browsers: hears both and is heard by neither, then by the agent alone, then by both,
//! and at last has the caller. What was whispered is in no recording.

use std::time::Duration;

use reqwest::Method;
use serde_json::Value;

use crate::common;
use crate::desk::{
    BEN, BEN_HUMS, PAGES, administrator, assert_deaf, assert_hears, assert_hears_only, at_work, in_a_call, logged_in,
};
use common::engine::Engine;
use common::people::{CALLER, SECONDS};
use frontdesk::call::{Note, Supervision};
use frontdesk::media::file;

/// What the supervisor's microphone sends, Hz.
const SUE_HUMS: f64 = 1_200.0;
const SUE: &str = "  sue: { desk: true, display_name: Sue Park, queues: [cards] }\n";

/// The share of the time (in steps of 20 ms) in which a tone of `hz` has a fifth of the energy or more, 0..=1.
fn hums(samples: &[i16], rate: u32, hz: f64) -> f64 {
    let step = std::f64::consts::TAU * hz / f64::from(rate);
    let hums = |block: &&[i16]| {
        let (mut re, mut im, mut energy) = (0.0, 0.0, 0.0);
        for (n, &sample) in block.iter().enumerate() {
            re += f64::from(sample) * (step * n as f64).cos();
            im += f64::from(sample) * (step * n as f64).sin();
            energy += f64::from(sample).powi(2);
        }
        energy > 0.0 && 2.0 * (re * re + im * im) / block.len() as f64 > 0.2 * energy
    };
    let blocks = samples.chunks_exact(rate as usize / 50);
    blocks.clone().filter(hums).count() as f64 / blocks.len().max(1) as f64
}

#[tokio::test]
async fn a_supervisor_listens_whispers_joins_in_and_takes_over() {
    let _alone = crate::common::chromium::alone().await;
    let engine = Engine::start_with(&format!("{BEN}{SUE}"), PAGES).await;
    let admin = administrator(&engine).await;
    let mut ben = at_work(&admin, "ben").await;
    let mut sue = logged_in(&admin, "sue", "supervisor").await;
    let mut caller = in_a_call(&engine, &mut ben).await;

    sue.wait("document.querySelector('nav')").await;
    sue.click("Wall").await;
    sue.wait("document.querySelector('.wall tbody td button')").await;
    sue.click("Show").await;
    sue.wait("document.querySelector('.supervise')").await;
    sue.click("Listen").await;
    sue.wait("document.querySelector('.supervise .status').innerText.startsWith('You listen')").await;
    sue.hums(SUE_HUMS).await;
    tokio::time::sleep(Duration::from_secs(1)).await; // of conversation
    sue.shot("supervise-listen").await;
    assert_hears("the supervisor", &mut sue, CALLER).await;
    assert_hears("the supervisor", &mut sue, BEN_HUMS).await;
    assert_deaf("the agent", &mut ben, SUE_HUMS).await;
    assert_deaf("the caller", &mut caller, SUE_HUMS).await;

    sue.click("Whisper").await;
    ben.wait("document.querySelector('.acts').innerText.includes('sue talks to you')").await;
    tokio::time::sleep(Duration::from_secs(1)).await; // of conversation
    ben.shot("supervise-whisper-at-the-agent").await;
    assert_hears("the agent", &mut ben, SUE_HUMS).await;
    assert_hears("the agent", &mut ben, CALLER).await;
    assert_deaf("the caller", &mut caller, SUE_HUMS).await;

    sue.click("Barge in").await;
    ben.wait("document.querySelector('.acts').innerText.includes('sue is in the conversation')").await;
    tokio::time::sleep(Duration::from_secs(1)).await; // of conversation
    sue.shot("supervise-barge").await;
    for (who, page, heard) in [
        ("the agent", &mut ben, [CALLER, SUE_HUMS]),
        ("the caller", &mut caller, [BEN_HUMS, SUE_HUMS]),
        ("the supervisor", &mut sue, [CALLER, BEN_HUMS]),
    ] {
        assert_hears(who, page, heard[0]).await;
        assert_hears(who, page, heard[1]).await;
    }

    sue.click("Take over").await;
    sue.wait("document.querySelector('.acts h2')?.innerText == 'In a call'").await;
    ben.wait("document.querySelector('.acts h2')?.innerText == 'Call ended'").await;
    ben.wait("document.querySelector('.pill.wrap_up')").await;
    let has_caller = |note: &Note| matches!(note, Note::Connected { agent } if agent == "sue");
    engine.wait_for("the supervisor's connection", SECONDS, has_caller).await;
    tokio::time::sleep(Duration::from_secs(1)).await; // of conversation
    sue.shot("supervise-taken-over").await;
    assert_hears_only("the caller", &mut caller, SUE_HUMS).await;
    assert_hears_only("the supervisor", &mut sue, CALLER).await;
    sue.click("Hang up").await;
    for page in [&mut ben, &mut sue] {
        let console = page.console().await;
        assert!(!console.contains("error"), "{console}");
    }

    let record = engine.finished(SECONDS).await;
    let parts = record.timeline.iter().filter_map(|entry| match &entry.note {
        Note::Supervised { supervisor, part } if supervisor == "sue" => Some((*part, entry.at_ms)),
        _ => None,
    });
    let (parts, at): (Vec<_>, Vec<u64>) = parts.unzip();
    let told = [Some(Supervision::Listen), Some(Supervision::Whisper), Some(Supervision::Barge), None];
    assert_eq!(parts, told, "the timeline says who was there, and how");
    let told = file::read_channel(&record.recordings[0].path, 1).unwrap();
    let hummed = |from: u64, to: u64| {
        let sample = |ms: u64| (ms as usize * told.rate as usize / 1_000).min(told.samples.len());
        hums(&told.samples[sample(from)..sample(to)], told.rate, SUE_HUMS)
    };
    let (before, after) = (hummed(at[0], at[2]), hummed(at[2], at[3]));
    assert!(
        before < 0.05 && after > 0.5,
        "what was whispered is not recorded, what the caller heard is: {before} {after}"
    );
    engine.assert_replays(&record).await;
    let (_, trail) = admin.send(Method::GET, "/api/audit", Value::Null).await;
    let did: Vec<_> = trail.as_array().unwrap().iter().filter_map(|deed| deed["did"].as_str()).collect();
    for deed in ["saw_call", "listened_in", "whispered", "barged_in", "took_over"] {
        assert!(did.contains(&deed), "the trail has {deed}: {did:?}");
    }
    engine.terminate().await;
}

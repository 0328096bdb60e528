//! The whole of it, by telephones that are not ours: baresip calls the bank and plays recorded human speech, is
//! understood and answered aloud, asks for a person; the agent's baresip rings with a summary, hears the briefing, and
//! both hear each other. The record holds it all, its event log replays to the byte, its recording to the same end.

use std::time::Duration;

use crate::common;
use common::baresip::Sound;
use common::engine::Engine;
use common::people::*;
use frontdesk::call::{Cause, FactKind, Note, Outcome};
use frontdesk::media::{Sound as Samples, file};
use frontdesk::records::CallRecord;

#[tokio::test]
async fn a_caller_to_the_bank_is_heard_answered_and_put_through() {
    let engine = Engine::start().await;
    let mut agent = agent(&engine, "anna").await;
    let mut caller = caller(&engine).await;
    caller.dial(&engine.uri("1000")).await;
    caller.wait_for("CALL_ESTABLISHED", SECONDS).await;

    engine.at_step("menu", SECONDS).await;
    caller.hears(recorded("asterisk/en-hours.wav")).await;
    let answer = engine.wait_for("the opening hours", SECONDS, says("12 Harbour Street")).await;
    let asked = engine.wait_for("the question", SECONDS, says("anything else")).await;
    caller.hears(recorded("asterisk/en-speak-with-a-representative.wav")).await;

    let ring = agent.wait_for("CALL_INCOMING", SECONDS).await;
    assert!(ring.to_string().contains("opening hours"), "the phone shows what the call is about: {ring}");
    caller.hears(Sound::Sine(CALLER)).await;
    agent.accept().await;
    engine.wait_for("the connection", SECONDS, |note| matches!(note, Note::Connected { .. })).await;
    tokio::time::sleep(Duration::from_secs(2)).await; // of conversation
    agent.hang_up().await;
    let record = engine.finished(SECONDS).await;
    understood(&record);

    // What the bot said is what it meant to say: as sent, and as the caller's telephone received it (whose recording
    // began when it was answered, not when the call arrived).
    let sent = file::read_channel(&record.recordings[0].path, 1).unwrap();
    let text = transcript(&sent, answer.at_ms, asked.at_ms, "en").await.to_lowercase();
    assert!(text.contains("12 harbo") && text.contains("monday to friday"), "{text}");
    let heard = caller.stop().await;
    let received = Samples { rate: heard.1, samples: heard.0.clone() };
    let text = transcript(&received, answer.at_ms.saturating_sub(500), asked.at_ms, "en").await.to_lowercase();
    assert!(text.contains("monday to friday"), "{text}");

    assert_both_heard("en", &record, &heard, &agent.stop().await);
    engine.assert_replays(&record).await;
    assert_recording_replays(&engine, &record).await;
    engine.terminate().await;
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
    assert!(fact(FactKind::LastWords).unwrap().contains("hours"), "a bare wish for a person is no matter");
    assert_eq!(record.legs.len(), 2);
    assert!(record.legs.iter().all(|leg| leg.quality.is_some_and(|quality| quality.packets_received > 50)));
    assert_eq!(record.recordings[0].state, "closed");
}

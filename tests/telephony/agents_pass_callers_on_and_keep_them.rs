//! Transfers with telephones that are not ours (baresip): an agent has the caller connected to another, fails to, or
//! puts them on hold; a queue whose callers go to the agent by themselves; a line that is heard before it answers.

use std::time::Duration;

use crate::common;
use common::baresip::{Baresip, Phone, Sound};
use common::engine::Engine;
use common::people::*;
use common::talk::tone_ms;
use frontdesk::call::{Cause, Note, Outcome};

const OTHER: f64 = 900.0;

#[tokio::test]
async fn agents_pass_callers_on_and_keep_them() {
    let folder = tempfile::tempdir().unwrap();
    let sound = Sound::Sine(OTHER);
    let registrar = ([127, 0, 0, 1], 9).into();
    let mut dora = Baresip::start(&Phone { user: "dora", expires: 0, registrar, sound, ..Phone::default() }).await;
    let engine =
        Engine::start_with("", &direct_to_dora(folder.path(), &dora.uri(), "early_media: true", "handoff: refer"))
            .await;

    by_the_agent(&engine).await;

    // By the caller's own telephone, after what it hears for nothing.
    let mut caller = caller(&engine).await;
    caller.dial(&engine.uri("3000")).await;
    caller.wait_for("CALL_PROGRESS", SECONDS).await;
    caller.wait_for("CALL_ESTABLISHED", SECONDS).await;
    dora.wait_for("CALL_INCOMING", SECONDS).await;
    dora.accept().await;
    let record = engine.finished(SECONDS).await;
    assert_eq!(record.head.cause, Some(Cause::Transferred), "{:#?}", record.timeline);
    assert_eq!(record.summary.unwrap().outcome, Some(Outcome::HandedOver));
    let answered_ms = record.legs[0].answered_ms.expect("answered");
    let heard_ms = record.timeline.iter().find(|entry| matches!(entry.note, Note::Say { .. })).unwrap().at_ms;
    assert!(answered_ms > heard_ms + 500, "answered at {answered_ms} ms, spoken from {heard_ms} ms");
    tokio::time::sleep(Duration::from_secs(1)).await; // of conversation, without us
    let (heard, rate) = caller.stop().await;
    assert!(tone_ms(&heard, rate, OTHER) > 300, "{} ms", tone_ms(&heard, rate, OTHER));
    drop(dora);
    engine.terminate().await;
}

/// A caller whom anna talks to.
async fn talks_to_anna(engine: &Engine, anna: &mut Baresip) -> Baresip {
    let mut caller = caller(engine).await;
    caller.dial(&engine.uri("1000")).await;
    caller.wait_for("CALL_ESTABLISHED", SECONDS).await;
    caller.press("0").await;
    anna.wait_for("CALL_INCOMING", SECONDS).await;
    caller.hears(Sound::Sine(CALLER)).await;
    anna.accept().await;
    anna.wait_for("CALL_ESTABLISHED", SECONDS).await;
    anna.press("1").await; // enough of the briefing
    engine.wait_for("the connection", SECONDS, |note| matches!(note, Note::Connected { .. })).await;
    caller
}

/// anna has the caller connected to somebody the rules do not know, to wang who declines, to wang who answers. Her
/// telephone hangs up by itself when it hears that a transfer failed, so each takes a call of its own.
async fn by_the_agent(engine: &Engine) {
    let mut anna = agent(engine, "anna").await;
    let mut wang = agent(engine, "wang").await;
    wang.hears(Sound::Sine(OTHER)).await;

    let caller = talks_to_anna(engine, &mut anna).await;
    anna.command("transfer", "sip:nobody@192.0.2.1").await;
    engine.wait_for("a refusal", SECONDS, |note| matches!(note, Note::TransferRefused { .. })).await;
    anna.wait_for("TRANSFER_FAILED", SECONDS).await;
    assert_eq!(engine.finished(SECONDS).await.head.cause, Some(Cause::AgentHungUp));
    drop(caller);

    let caller = talks_to_anna(engine, &mut anna).await;
    anna.command("transfer", &engine.uri("wang")).await;
    engine.wait_for("the wish", SECONDS, |note| matches!(note, Note::TransferAsked { .. })).await;
    wang.wait_for("CALL_INCOMING", SECONDS).await;
    wang.hang_up().await;
    engine.wait_for("a failure", SECONDS, |note| matches!(note, Note::TransferFailed { .. })).await;
    anna.wait_for("TRANSFER_FAILED", SECONDS).await;
    assert_eq!(engine.finished(SECONDS).await.head.cause, Some(Cause::AgentHungUp));
    drop(caller);

    let mut caller = talks_to_anna(engine, &mut anna).await;
    anna.command("transfer", &engine.uri("wang")).await;
    wang.wait_for("CALL_INCOMING", SECONDS).await;
    wang.accept().await;
    engine
        .wait_for("the other agent", SECONDS, |note| matches!(note, Note::Connected { agent } if agent == "wang"))
        .await;
    anna.wait_for("CALL_CLOSED", SECONDS).await;
    tokio::time::sleep(Duration::from_secs(1)).await; // of conversation
    caller.hang_up().await;
    let record = engine.finished(SECONDS).await;
    assert_eq!(record.summary.as_ref().unwrap().outcome, Some(Outcome::HandedOver));
    engine.assert_replays(&record).await;
    let (heard, rate) = caller.stop().await;
    assert!(tone_ms(&heard, rate, OTHER) > 300, "{} ms of the other agent", tone_ms(&heard, rate, OTHER));
    anna.stop().await;
    wang.stop().await;
}

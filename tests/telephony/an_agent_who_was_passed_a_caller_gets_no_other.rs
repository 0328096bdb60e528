//! An agent who talks to a caller that another agent has passed on is as busy as one whom the queue gave the caller: the
//! next caller waits until the conversation is over and wrapped up.

use crate::common;
use common::baresip::{Baresip, Phone, Sound};
use common::engine::Engine;
use common::people::*;
use frontdesk::call::Note;

#[tokio::test]
async fn the_next_caller_waits_for_the_end_of_the_conversation() {
    let folder = tempfile::tempdir().unwrap();
    let (registrar, sound) = (([127, 0, 0, 1], 9).into(), Sound::Sine(AGENT));
    let mut dora = Baresip::start(&Phone { user: "dora", expires: 0, registrar, sound, ..Phone::default() }).await;
    let engine =
        Engine::start_with("", &direct_to_dora(folder.path(), &dora.uri(), "", "wrap_up_s: 2, briefing: false")).await;
    let mut anna = agent(&engine, "anna").await;

    let mut first = caller(&engine).await;
    first.dial(&engine.uri("1000")).await;
    first.wait_for("CALL_ESTABLISHED", SECONDS).await;
    first.press("0").await;
    anna.wait_for("CALL_INCOMING", SECONDS).await;
    anna.accept().await;
    anna.wait_for("CALL_ESTABLISHED", SECONDS).await;
    anna.press("1").await; // enough of the briefing
    engine.wait_for("the connection", SECONDS, |note| matches!(note, Note::Connected { .. })).await;
    anna.command("transfer", &engine.uri("dora")).await;
    dora.wait_for("CALL_INCOMING", SECONDS).await;
    dora.accept().await;
    engine
        .wait_for("the other agent", SECONDS, |note| matches!(note, Note::Connected { agent } if agent == "dora"))
        .await;

    let mut second = caller(&engine).await;
    second.dial(&engine.uri("3000")).await;
    second.wait_for("CALL_ESTABLISHED", SECONDS).await;
    engine.wait_for("a place in the queue", SECONDS, |note| matches!(note, Note::Waiting { position: 1, .. })).await;
    first.hang_up().await;
    dora.wait_for("CALL_CLOSED", SECONDS).await;
    let rang = dora.events.iter().any(|event| event["type"] == "CALL_INCOMING");
    assert!(!rang, "rung for the second while the first was there: {:#?}", dora.events);
    dora.wait_for("CALL_INCOMING", SECONDS).await;
    dora.accept().await;
    engine.wait_for("the second", SECONDS, |note| matches!(note, Note::Connected { agent } if agent == "dora")).await;
    second.hang_up().await;
    engine.finished(SECONDS).await;
    engine.terminate().await;
}

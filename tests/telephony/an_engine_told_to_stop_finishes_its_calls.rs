//! SIGTERM: new calls are refused with 503 and Retry-After; a live call is handed over, or let go with an honest word,
//! within the time set.

use std::time::{Duration, Instant};

use crate::common;
use common::baresip::Sound;
use common::engine::Engine;
use common::people::*;
use common::sipp::Sipp;
use frontdesk::call::{Cause, Note, Outcome};
use rustix::process::Signal;

#[tokio::test]
async fn a_live_call_is_handed_over() {
    let mut engine = Engine::start().await;
    let mut agent = agent(&engine, "anna").await;
    let mut caller = caller(&engine).await;
    caller.dial(&engine.uri("1000")).await;
    caller.wait_for("CALL_ESTABLISHED", SECONDS).await;
    engine.at_step("menu", SECONDS).await;
    engine.signal(Signal::TERM);
    engine.wait_for("the news of the shutdown", SECONDS, |note| matches!(note, Note::Drain)).await;
    Sipp::new("caller_is_put_off", engine.address).run().await;

    agent.wait_for("CALL_INCOMING", SECONDS).await;
    caller.hears(Sound::Sine(CALLER)).await;
    agent.accept().await;
    engine.wait_for("the connection", SECONDS, |note| matches!(note, Note::Connected { .. })).await;
    tokio::time::sleep(Duration::from_secs(2)).await; // of conversation
    caller.hang_up().await;
    let status = engine.ended(SECONDS).await;
    assert!(status.success(), "{status}\n{}", engine.log());
    let record = engine.newest().await.unwrap();
    assert_eq!(record.summary.as_ref().unwrap().outcome, Some(Outcome::HandedOver));
    agent.wait_for("CALL_CLOSED", SECONDS).await;
    // Not `stop`: there is nobody left to unregister from.
    assert_both_heard("stop", &record, &caller.heard(), &agent.heard());
    engine.assert_replays(&record).await;
}

#[tokio::test]
async fn a_call_that_nobody_can_take_ends_in_time() {
    let mut engine = Engine::start_with("", "drain_s: 8").await;
    let mut caller = caller(&engine).await;
    caller.dial(&engine.uri("1000")).await;
    caller.wait_for("CALL_ESTABLISHED", SECONDS).await;
    engine.at_step("menu", SECONDS).await;
    let told = Instant::now();
    engine.signal(Signal::TERM);
    let status = engine.ended(SECONDS).await;
    assert!(status.success(), "{status}\n{}", engine.log());
    assert!(told.elapsed() < Duration::from_secs(18), "{:?}", told.elapsed());
    caller.wait_for("CALL_CLOSED", SECONDS).await;
    let record = engine.newest().await.unwrap();
    assert_eq!(record.head.cause, Some(Cause::Shutdown));
    engine.assert_replays(&record).await;
}

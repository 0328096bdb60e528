//! Processors that do not keep up: the calls that are up keep their sound, new ones are refused with 503 and Retry-After
//! until there is room again.

use std::time::Duration;

use crate::common;
use common::engine::Engine;
use common::eventually;
use common::people::*;
use common::sipp::Sipp;
use frontdesk::call::Cause;
use rustix::process::Signal;

#[tokio::test]
async fn new_calls_are_put_off_until_there_is_room() {
    let engine = Engine::start().await;
    let mut first = caller(&engine).await;
    first.dial(&engine.uri("1000")).await;
    first.wait_for("CALL_ESTABLISHED", SECONDS).await;
    engine.at_step("menu", SECONDS).await;

    // All its processors are somebody else's for a while.
    engine.signal(Signal::STOP);
    tokio::time::sleep(Duration::from_secs(3)).await;
    engine.signal(Signal::CONT);
    eventually("it has noticed", SECONDS, || engine.log().contains("new calls are refused")).await;
    Sipp::new("caller_is_put_off", engine.address).run().await;
    eventually("there is room again", SECONDS, || engine.log().contains("new calls are taken")).await;

    first.hang_up().await;
    let record = engine.finished(SECONDS).await;
    assert_eq!(record.head.cause, Some(Cause::CallerHungUp), "it was not cut off");
    engine.assert_replays(&record).await;
    let mut second = caller(&engine).await;
    second.dial(&engine.uri("1000")).await;
    second.wait_for("CALL_ESTABLISHED", SECONDS).await;
}

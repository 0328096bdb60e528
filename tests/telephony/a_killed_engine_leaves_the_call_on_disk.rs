//! `kill -9` in the middle of a call: after a restart the record is there, marked interrupted, with all but its last
//! second, and so is the recording, with a header that fits.

use std::time::{Duration, Instant};

use crate::common;
use chrono::Utc;
use common::engine::Engine;
use common::people::*;
use frontdesk::call::{Cause, Event, Outcome};
use rustix::process::Signal;

#[tokio::test]
async fn a_killed_engine_leaves_the_call_on_disk() {
    let mut engine = Engine::start().await;
    let mut caller = caller(&engine).await;
    caller.dial(&engine.uri("1000")).await;
    caller.wait_for("CALL_ESTABLISHED", SECONDS).await;
    engine.at_step("menu", SECONDS).await;
    // Something to lose at every moment.
    let until = Instant::now() + Duration::from_secs(4);
    while Instant::now() < until {
        caller.press("5").await;
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    engine.signal(Signal::KILL);
    let killed = Utc::now();
    engine.ended(Duration::from_secs(2)).await;

    let engine = engine.again().await;
    let record = engine.newest().await.unwrap();
    let lived_ms = (killed - record.head.started).num_milliseconds();
    assert_eq!(record.head.cause, Some(Cause::Interrupted));
    assert_eq!(record.summary.as_ref().unwrap().outcome, Some(Outcome::Unserved));
    let (log, _) = engine.event_log(&record).await;
    let last_key = log.iter().rfind(|line| matches!(line.event, Event::Key { .. })).unwrap();
    let lost_ms = lived_ms - last_key.at_ms as i64;
    let recording = hound::WavReader::open(&record.recordings[0].path).expect("a valid header");
    let recorded_ms = i64::from(recording.duration()) / 8;
    let unrecorded_ms = lived_ms - recorded_ms;
    println!("FIGURE 2.4-log-lost {lost_ms} ms limit <= 1000 -- killed: from the last key logged, of one every 200 ms");
    println!("FIGURE 2.4-recording-lost {unrecorded_ms} ms limit <= 1000 -- killed: sound missing at the end");
    assert!(lost_ms < 1_000 + 200, "the last key logged came {lost_ms} ms before the end (one comes every 200 ms)");
    assert!(unrecorded_ms < 1_000, "{recorded_ms} of {lived_ms} ms recorded");
    assert_eq!(record.recordings[0].state, "repaired");
    engine.assert_replays(&record).await;
    engine.terminate().await;
}

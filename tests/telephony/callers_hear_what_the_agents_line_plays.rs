//! While an agent's line rings it may play a sound of its own (a carrier's ringing, "this number is busy"): a 183 with a
//! description, and sound before any answer. The caller hears that instead of our waiting sound.

use std::time::Duration;

use crate::common;
use common::engine::Engine;
use common::people::*;
use common::sipp::Sipp;
use common::talk::tone_ms;
use frontdesk::call::Note;
use frontdesk::media::{Frame, Tone};

const LINE: f64 = 900.0;

#[tokio::test]
async fn a_waiting_caller_hears_the_line_that_is_rung() {
    let folder = tempfile::tempdir().unwrap();
    let (mut tone, mut samples) = (Tone::sine(LINE, -12.0), Vec::new());
    for _ in 0..50 * 20 {
        let mut frame = Frame::silence(8_000);
        tone.next(&mut frame);
        samples.extend_from_slice(frame.samples());
    }
    let line = Sipp::phone("agent_rings_with_sound").plays("800", &samples).start();
    let engine = Engine::start_with("", &direct_to_dora(folder.path(), &line.uri(), "", "")).await;
    let mut caller = caller(&engine).await;
    caller.dial(&engine.uri("3000")).await;
    caller.wait_for("CALL_ESTABLISHED", SECONDS).await;
    engine.wait_for("ringing", SECONDS, |note| matches!(note, Note::AgentRinging { .. })).await;
    tokio::time::sleep(Duration::from_secs(3)).await; // of listening
    caller.hang_up().await;
    engine.finished(SECONDS).await;
    line.finish().await;
    let (heard, rate) = caller.stop().await;
    let tone = tone_ms(&heard, rate, LINE);
    assert!(tone > 1_500, "{tone} ms of the agent's line");
    engine.terminate().await;
}

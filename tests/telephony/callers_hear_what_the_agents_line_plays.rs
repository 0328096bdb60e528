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

fn more(folder: &std::path::Path, at: &str) -> String {
    let extra = format!(
        r#"
lines:
  direct: {{ numbers: ["3000"], flow: direct }}
queues:
  direct: {{}}
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
    let engine = Engine::start_with("", &more(folder.path(), &line.uri())).await;
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

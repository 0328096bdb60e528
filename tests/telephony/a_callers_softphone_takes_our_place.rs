//! `handoff: attended` with softphones (Linphone's, as caller and as agent): the agent is rung and briefed by us, then the
//! caller's telephone follows our REFER with an INVITE with Replaces, the agent's takes it in the place of our call, and
//! both talk without us.

use std::time::Duration;

use crate::common;
use common::baresip::Sound;
use common::engine::{Engine, PASSWORD};
use common::linphone::{Linphone, Phone};
use common::people::*;
use common::talk::tone_ms;
use frontdesk::call::{Cause, Note, Outcome};

fn more(folder: &std::path::Path) -> String {
    let extra = r#"
lines:
  direct: { numbers: ["3000"], flow: direct }
queues:
  direct: { handoff: attended }
agents:
  dora: { password: { file: agents.secret }, queues: [direct] }
flows:
  - flow: direct
    language: en
    person: { queue: direct }
    start: hello
    steps:
      hello: { say: "You are being connected.", next: through }
      through: { transfer: direct }
"#;
    let file = folder.join("extra.yaml");
    std::fs::write(&file, extra).unwrap();
    std::fs::write(folder.join("agents.secret"), PASSWORD).unwrap();
    format!("include: [\"{}\"]", file.display())
}

#[tokio::test]
async fn a_callers_softphone_takes_our_place_at_the_agents() {
    let folder = tempfile::tempdir().unwrap();
    let engine = Engine::start_with("", &more(folder.path())).await;
    let registrar = engine.address;
    let at_work = Phone { user: "dora", password: PASSWORD, registrar, sound: Sound::Sine(AGENT), ..Phone::default() };
    let mut dora = Linphone::start(&at_work).await;
    dora.registered(SECONDS).await;
    let at_home = Phone { user: "carl", password: "", registrar, sound: Sound::Sine(CALLER), ..Phone::default() };
    let mut carl = Linphone::start(&at_home).await;

    carl.dial(&engine.uri("3000")).await;
    dora.wait_for("Receiving new incoming call", SECONDS).await;
    dora.accept().await;
    dora.wait_for("Media streams established", SECONDS).await;
    engine.wait_for("the briefing", SECONDS, |note| matches!(note, Note::AgentAnswered { .. })).await;
    dora.press("1").await; // enough of it
    let record = engine.finished(SECONDS).await;
    assert_eq!(record.head.cause, Some(Cause::Transferred), "{:#?}\n{}", record.timeline, carl.log());
    assert_eq!(record.summary.unwrap().outcome, Some(Outcome::HandedOver));
    dora.wait_for("Media streams established", SECONDS).await;
    tokio::time::sleep(Duration::from_secs(2)).await; // of conversation, without us
    let (told, rate) = dora.stop().await;
    assert!(tone_ms(&told, rate, CALLER) > 500, "the agent heard {} ms of the caller", tone_ms(&told, rate, CALLER));
    let (heard, rate) = carl.stop().await;
    assert!(tone_ms(&heard, rate, AGENT) > 500, "the caller heard {} ms of the agent", tone_ms(&heard, rate, AGENT));
    engine.terminate().await;
}

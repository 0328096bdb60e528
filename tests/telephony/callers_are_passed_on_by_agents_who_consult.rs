//! The ways in which one agent hands a caller to another, with telephones that are not ours (Linphone, baresip, SIPp): after
//! a consultation through us (REFER with Replaces), by the other's telephone stepping in (INVITE with Replaces), with a
//! second try after a refused one.

use std::time::Duration;

use crate::common;
use common::baresip::Sound;
use common::engine::{Engine, PASSWORD};
use common::linphone::{Linphone, Phone};
use common::people::*;
use common::sipp::Sipp;
use common::talk::tone_ms;
use frontdesk::call::{Note, Outcome};

const OTHER: f64 = 900.0;
const CONVERSATION: Duration = Duration::from_millis(1_200);

/// Lines whose callers go to a person at once: to anna, and to one whose telephone is at `tina`.
fn more(folder: &std::path::Path, tina: &str) -> String {
    let flow = |name: &str, queue: &str| {
        format!(
            r#"
  - flow: {name}
    language: en
    person: {{ queue: {queue} }}
    start: hello
    steps:
      hello: {{ say: "You are being connected.", next: through }}
      through: {{ transfer: {queue} }}
"#
        )
    };
    let extra = format!(
        r#"
lines:
  anna: {{ numbers: ["3300"], flow: to-anna }}
  tina: {{ numbers: ["3100"], flow: to-tina }}
queues:
  tries: {{}}
agents:
  tina: {{ uri: "{tina}", queues: [tries] }}
flows:
{}{}"#,
        flow("to-anna", "front-desk"),
        flow("to-tina", "tries"),
    );
    let file = folder.join("extra.yaml");
    std::fs::write(&file, extra).unwrap();
    format!("include: [\"{}\"]", file.display())
}

#[tokio::test]
async fn however_agents_pass_a_caller_on() {
    let folder = tempfile::tempdir().unwrap();
    let tina = Sipp::phone("agent_transfers_twice").start();
    let engine = Engine::start_with("", &more(folder.path(), &tina.uri())).await;

    again_after_a_refusal(&engine, tina).await;
    after_a_consultation(&engine).await;
    by_stepping_in(&engine).await;
    engine.terminate().await;
}

async fn registered(engine: &Engine, user: &str, sound: f64) -> Linphone {
    let phone =
        Phone { user, password: PASSWORD, registrar: engine.address, sound: Sound::Sine(sound), ..Phone::default() };
    let phone = Linphone::start(&phone).await;
    phone.registered(SECONDS).await;
    phone
}

async fn connected(engine: &Engine, name: &str) {
    engine.wait_for(name, SECONDS, |note| matches!(note, Note::Connected { agent } if agent == name)).await;
}

/// tina's first wish is refused, and her call goes on; her second one is done.
async fn again_after_a_refusal(engine: &Engine, tina: common::sipp::Running) {
    let mut wang = agent(engine, "wang").await;
    wang.hears(Sound::Sine(OTHER)).await;
    let mut caller = caller(engine).await;
    caller.dial(&engine.uri("3100")).await;
    caller.wait_for("CALL_ESTABLISHED", SECONDS).await;
    wang.wait_for("CALL_INCOMING", SECONDS).await;
    wang.accept().await;
    connected(engine, "wang").await;
    tina.finish().await;
    tokio::time::sleep(CONVERSATION).await;
    caller.hang_up().await;
    let record = engine.finished(SECONDS).await;
    let place = |wanted: &dyn Fn(&Note) -> bool| record.timeline.iter().position(|entry| wanted(&entry.note));
    let refused = place(&|note| matches!(note, Note::TransferRefused { agent } if agent == "tina"));
    let asked = place(&|note| matches!(note, Note::TransferAsked { agent, .. } if agent == "tina"));
    assert!(refused.is_some() && refused < asked, "{:#?}", record.timeline);
    assert_eq!(record.summary.as_ref().unwrap().outcome, Some(Outcome::HandedOver));
    engine.assert_replays(&record).await;
    let (heard, rate) = caller.stop().await;
    assert!(tone_ms(&heard, rate, OTHER) > 300, "{} ms of wang", tone_ms(&heard, rate, OTHER));
    wang.stop().await;
}

/// anna's telephone (Linphone), with a caller put through.
async fn talks_to(engine: &Engine, anna: &mut Linphone) -> common::baresip::Baresip {
    let mut caller = caller(engine).await;
    caller.hears(Sound::Sine(CALLER)).await;
    caller.dial(&engine.uri("3300")).await;
    caller.wait_for("CALL_ESTABLISHED", SECONDS).await;
    anna.wait_for("Receiving new incoming call", SECONDS).await;
    anna.accept().await;
    anna.wait_for("Media streams established", SECONDS).await;
    anna.press("1").await; // enough of the briefing
    connected(engine, "anna").await;
    tokio::time::sleep(CONVERSATION).await;
    anna.command("pause").await;
    anna.wait_for("is now paused", SECONDS).await;
    caller
}

/// anna holds the caller, calls wang through us, and joins the two.
async fn after_a_consultation(engine: &Engine) {
    let mut anna = registered(engine, "anna", AGENT).await;
    let mut wang = agent(engine, "wang").await;
    wang.hears(Sound::Sine(OTHER)).await;
    let mut caller = talks_to(engine, &mut anna).await;

    anna.dial(&engine.uri("wang")).await;
    wang.wait_for("CALL_INCOMING", SECONDS).await;
    wang.accept().await;
    anna.wait_for("Media streams established", SECONDS).await;
    tokio::time::sleep(CONVERSATION).await;
    anna.command("transfer 1 --to-call 2").await;
    connected(engine, "wang").await;
    tokio::time::sleep(CONVERSATION).await;
    caller.hang_up().await;
    let record = engine.finished(SECONDS).await;
    assert_eq!(record.summary.as_ref().unwrap().outcome, Some(Outcome::HandedOver));
    engine.assert_replays(&record).await;

    let (heard, rate) = caller.stop().await;
    let (first, second) = (tone_ms(&heard, rate, AGENT), tone_ms(&heard, rate, OTHER));
    assert!(first > 300 && second > 300, "the caller heard {first} ms of anna, {second} ms of wang");
    let (heard, rate) = anna.stop().await;
    let (first, second) = (tone_ms(&heard, rate, CALLER), tone_ms(&heard, rate, OTHER));
    assert!(first > 300 && second > 300, "anna heard {first} ms of the caller, {second} ms of wang");
    let (heard, rate) = wang.stop().await;
    let (first, second) = (tone_ms(&heard, rate, AGENT), tone_ms(&heard, rate, CALLER));
    assert!(first > 300 && second > 300, "wang heard {first} ms of anna, {second} ms of the caller");
}

/// anna calls wang's telephone directly and sends it into her place with the caller.
async fn by_stepping_in(engine: &Engine) {
    let mut anna = registered(engine, "anna", AGENT).await;
    let mut wang = registered(engine, "wang", OTHER).await;
    let mut caller = talks_to(engine, &mut anna).await;

    // By a name: what looks like her registrar her telephone would send there.
    anna.dial(&wang.uri().replace("127.0.0.1", "localhost")).await;
    wang.wait_for("Receiving new incoming call", SECONDS).await;
    wang.accept().await;
    anna.wait_for("Media streams established", SECONDS).await;
    anna.command("transfer 2 --to-call 1").await;
    connected(engine, "wang").await;
    tokio::time::sleep(CONVERSATION).await;
    caller.hang_up().await;
    let record = engine.finished(SECONDS).await;
    engine.assert_replays(&record).await;
    let (heard, rate) = caller.stop().await;
    let (first, second) = (tone_ms(&heard, rate, AGENT), tone_ms(&heard, rate, OTHER));
    assert!(first > 300 && second > 300, "the caller heard {first} ms of anna, {second} ms of wang");
    anna.stop().await;
    let (heard, rate) = wang.stop().await;
    assert!(tone_ms(&heard, rate, CALLER) > 300, "wang heard {} ms of the caller", tone_ms(&heard, rate, CALLER));
}

//! Nobody is there: a caller agrees by keys to be called back, the engine is killed and started again, an agent comes, and
//! the caller's telephone (SIPp, behind a trunk) is rung and put through to them. Another leaves a message and hangs up: it
//! is on record with its words and its sound.

use std::process::Command;
use std::time::Duration;

use crate::common;
use common::baresip::Baresip;
use common::engine::Engine;
use common::people::*;
use common::sipp::Sipp;
use frontdesk::call::{Note, Outcome};
use frontdesk::media::file;
use frontdesk::records::CallbackState;

fn calls(engine: &Engine, what: &[&str]) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_frontdesk"))
        .args(["calls", "--records"])
        .arg(engine.records())
        .args(what)
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// A caller who wants a person, is told that nobody is there, and has the choice of what to do instead.
async fn offered(engine: &Engine) -> Baresip {
    let mut caller = caller(engine).await;
    caller.dial(&engine.uri("1000")).await;
    caller.wait_for("CALL_ESTABLISHED", SECONDS).await;
    engine.at_step("menu", SECONDS).await;
    caller.press("0").await;
    engine.wait_for("the choice", SECONDS, |note| matches!(note, Note::Offered { .. })).await;
    caller
}

#[tokio::test]
async fn a_callback_survives_a_crash_and_reaches_an_agent() {
    let phone = Sipp::phone("trunk_is_called_back").start();
    let engine = Engine::start_calling_back(phone.port()).await;
    let mut caller = offered(&engine).await;
    caller.press("1").await;
    engine.wait_for("the number", SECONDS, says("call you back on")).await;
    caller.press("1").await;
    engine.wait_for("the promise", SECONDS, |note| matches!(note, Note::Callback { .. })).await;
    engine.signal(rustix::process::Signal::KILL);
    drop(caller); // its BYE would find nobody

    let engine = engine.again().await;
    let waiting = calls(&engine, &["callbacks"]);
    assert!(waiting.contains("5551234") && waiting.contains("waiting"), "{waiting}");
    let mut agent = agent(&engine, "anna").await;
    agent.wait_for("CALL_INCOMING", SECONDS).await;
    agent.accept().await;
    engine
        .wait_for("the connection", SECONDS, |note| matches!(note, Note::Connected { agent } if agent == "anna"))
        .await;
    tokio::time::sleep(Duration::from_secs(1)).await; // of conversation
    agent.hang_up().await;
    phone.finish().await;
    let record = engine.finished(SECONDS).await;
    assert_eq!(record.summary.as_ref().unwrap().outcome, Some(Outcome::HandedOver));
    assert!(record.head.caller.called_back.is_some());
    engine.assert_replays(&record).await;
    let all = engine.archive().await.callbacks(true).await.unwrap();
    assert_eq!((all.len(), all[0].state, all[0].attempts), (1, CallbackState::Reached, 1));
    assert_eq!(calls(&engine, &["callbacks"]), "", "none waits");
    engine.terminate().await;
}

#[tokio::test]
async fn a_number_is_promised_one_callback() {
    let phone = Sipp::phone("trunk_is_called_back").start();
    let engine = Engine::start_calling_back(phone.port()).await;
    for told in ["as soon as it is your turn", "on that number already"] {
        let mut caller = offered(&engine).await;
        caller.press("1").await;
        engine.wait_for("the number", SECONDS, says("call you back on 5")).await;
        caller.press("1").await;
        engine.wait_for("what is told", SECONDS, says(told)).await;
        let record = engine.finished(SECONDS).await;
        assert_eq!(record.summary.as_ref().unwrap().outcome, Some(Outcome::Promised));
        drop(caller.stop().await);
    }
    let all = engine.archive().await.callbacks(true).await.unwrap();
    assert_eq!((all.len(), all[0].state), (1, CallbackState::Waiting), "one promise");
    engine.terminate().await;
}

#[tokio::test]
async fn a_message_is_recorded_written_down_and_listed() {
    let engine = Engine::start().await;
    let mut caller = offered(&engine).await;
    caller.press("2").await;
    engine.wait_for("the invitation", SECONDS, says("leave your message")).await;
    caller.hears(recorded("asterisk/en-speak-with-a-representative.wav")).await;
    tokio::time::sleep(Duration::from_secs(7)).await; // it lasts 3, and on a slow machine it is read after its end
    caller.hang_up().await;
    let record = engine.finished(SECONDS).await;
    assert_eq!(record.summary.as_ref().unwrap().outcome, Some(Outcome::Promised));
    engine.assert_replays(&record).await;

    let folder = tempfile::tempdir().unwrap();
    let listed = calls(&engine, &["messages", "--save", folder.path().to_str().unwrap()]);
    assert!(listed.contains("5551234") && listed.to_lowercase().contains("representative"), "{listed}");
    let saved = std::fs::read_dir(folder.path()).unwrap().next().unwrap().unwrap().path();
    let sound = file::read_channel(&saved, 0).unwrap();
    let loud = sound.samples.iter().filter(|sample| sample.unsigned_abs() > 1_000).count();
    assert!(loud > 1_000, "{loud} loud samples of {}", sound.samples.len());
    drop(caller.stop().await);
    engine.terminate().await;
}

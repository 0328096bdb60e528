//! Back to the bot: the agent sends the caller to give a PIN, hears nothing of it, and has them back.

use std::time::Duration;

use crate::common;
use crate::desk::{BEN, BEN_HUMS, PAGES, administrator, assert_deaf, assert_hears, at_work, in_a_call};
use common::engine::Engine;
use common::people::{CALLER, SECONDS};
use frontdesk::call::Note;

const FLOWS: &str = r#"
    { flow: lending, language: en, person: { queue: front-desk }, start: menu, desk_steps: { pin: check_pin }, steps: {
      menu: { menu: "Sales?", options: [{ key: 1, phrases: [sales], next: sales }] },
      sales: { transfer: front-desk } } },
    { flow: check_pin, language: en, person: { queue: front-desk }, start: ask, steps: {
      ask: { ask: "Your PIN?", slot: pin, type: digits, length: 4, secret: true, next: back },
      back: { return: true } } }"#;

#[tokio::test]
async fn an_agent_lends_a_caller_to_the_bot() {
    let _alone = crate::common::chromium::alone().await;
    let lending = |configuration: String| {
        configuration
            .replace("parcel.yaml\"]", &format!("parcel.yaml\",{FLOWS}]"))
            .replace("[\"1000\"], flow: bank", "[\"1000\"], flow: lending")
    };
    let engine = Engine::start_changed(BEN, PAGES, lending).await;
    let admin = administrator(&engine).await;
    let mut ben = at_work(&admin, "ben").await;
    let mut caller = in_a_call(&engine, &mut ben).await;
    ben.click("pin").await;
    ben.wait("document.querySelector('.acts header .soft')?.innerText.includes('The assistant has the caller')").await;
    engine.at_step("(desk)/pin/ask", SECONDS).await;
    tokio::time::sleep(Duration::from_secs(1)).await; // of listening
    ben.shot("lend-under-way").await;
    assert_deaf("the agent", &mut ben, CALLER).await;
    for key in ["4", "7", "1", "1"] {
        caller.key(key).await;
    }
    engine.wait_for("the end", SECONDS, |note| matches!(note, Note::DeskStepOver { done: true, .. })).await;
    ben.wait("document.querySelector('.acts header .soft')?.innerText.includes('talk to the caller')").await;
    ben.wait("document.querySelector('.log').innerText.includes('***')").await;
    tokio::time::sleep(Duration::from_secs(1)).await; // of conversation
    ben.shot("lend-back").await;
    assert_hears("the agent", &mut ben, CALLER).await;
    assert_hears("the caller", &mut caller, BEN_HUMS).await;
    ben.click("Hang up").await;
    let console = ben.console().await;
    assert!(!console.contains("error"), "{console}");

    let record = engine.finished(SECONDS).await;
    engine.assert_replays(&record).await;
    engine.terminate().await;
}

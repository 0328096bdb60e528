//! An agent's page closes in mid-call, or the whole browser sleeps: the caller is told, kept, and the next to be served.

use std::time::{Duration, Instant};

use reqwest::{Method, StatusCode};
use serde_json::json;

use crate::common;
use crate::desk::{BEN, Client, PAGES, PASSWORD, administrator, at_work};
use common::baresip::Baresip;
use common::chromium::Chromium;
use common::engine::Engine;
use common::people::{SECONDS, agent, caller};
use frontdesk::call::{AgentFailure, Note};

#[tokio::test]
async fn an_agent_whose_browser_is_gone_costs_the_caller_no_place() {
    let _alone = crate::common::chromium::alone().await;
    let engine = Engine::start_with(BEN, PAGES).await;
    let (mut page, colleague, mut anna, _phone) = a_caller_for_ben(&engine).await;
    talks(&engine, &mut page).await;

    page.leave().await;
    let lost = |note: &Note| matches!(note, Note::AgentFailed { agent, failure } if agent == "ben" && *failure == AgentFailure::Unreachable);
    let at = engine.wait_for("the agent's loss", SECONDS, lost).await;
    let told = engine
        .wait_for("the apology", SECONDS, |note| matches!(note, Note::Say { text } if text.contains("sorry")))
        .await;
    assert!(told.seq > at.seq);
    // The next agent who is free takes the same caller.
    anna_takes_over(&engine, &colleague, &mut anna).await;
    tokio::time::sleep(Duration::from_millis(500)).await; // of conversation
    anna.hang_up().await;
    assert_kept_in_the_queue(engine).await;
}

const LUNCH: &str = "lunch";

/// Ben at a page, ready; Anna with a phone, at lunch; and a caller who has asked for a person.
async fn a_caller_for_ben(engine: &Engine) -> (Chromium, Client, Baresip, Baresip) {
    let admin = administrator(engine).await;
    let anna = agent(engine, "anna").await;
    let secret = admin.invite("anna", "agent", Some("anna")).await;
    let mut colleague = Client::new(&admin.at);
    assert_eq!(colleague.accept(&secret, PASSWORD).await, StatusCode::OK);
    assert_eq!(colleague.log_in("anna", PASSWORD).await.0, StatusCode::OK);
    let lunch = json!({ "state": "paused", "reason": LUNCH });
    assert_eq!(colleague.send(Method::POST, "/api/state", lunch).await.0, StatusCode::NO_CONTENT);
    let mut page = at_work(&admin, "ben").await;
    let mut phone = caller(engine).await;
    phone.dial(&engine.uri("1000")).await;
    engine.at_step("menu", SECONDS).await;
    phone.press("0").await;
    page.wait("document.querySelector('.acts h2')?.innerText == 'Incoming call'").await;
    (page, colleague, anna, phone)
}

/// Ben answers, and talks to the caller.
async fn talks(engine: &Engine, page: &mut Chromium) {
    page.click("Answer").await;
    engine.wait_for("the answer", SECONDS, |note| matches!(note, Note::AgentAnswered { .. })).await;
    page.click("Skip briefing").await;
    engine.wait_for("the connection", SECONDS, |note| matches!(note, Note::Connected { .. })).await;
}

/// What the call's record says in the end.
async fn assert_kept_in_the_queue(engine: Engine) {
    let record = engine.finished(SECONDS).await;
    let transfers = record.timeline.iter().filter(|entry| matches!(entry.note, Note::Transfer { .. })).count();
    assert_eq!(transfers, 1, "the caller never left the queue");
    engine.assert_replays(&record).await;
    engine.terminate().await;
}

/// Anna is back and has the caller, whom Ben lost.
async fn anna_takes_over(engine: &Engine, colleague: &Client, anna: &mut Baresip) {
    assert_eq!(colleague.send(Method::POST, "/api/state", json!({ "state": "ready" })).await.0, StatusCode::NO_CONTENT);
    anna.wait_for("CALL_INCOMING", 2 * SECONDS).await;
    anna.accept().await;
    let anna_has = |note: &Note| matches!(note, Note::Connected { agent } if agent == "anna");
    engine.wait_for("the next agent", SECONDS, anna_has).await;
}

/// The page tells its agent this, and takes calls again.
async fn tells_and_works(page: &mut Chromium, told: &str) {
    page.wait(&format!("document.querySelector('.status.bad[role=alert]')?.innerText.includes('{told}')")).await;
    page.wait("document.querySelector('.pill.available')").await;
    page.wait("!document.querySelector('.tools .status').innerText").await;
}

#[tokio::test]
async fn a_laptop_that_sleeps_in_a_call_loses_it_to_a_colleague() {
    let _alone = crate::common::chromium::alone().await;
    let engine = Engine::start_with(BEN, PAGES).await;
    let (mut page, colleague, mut anna, _phone) = a_caller_for_ben(&engine).await;
    talks(&engine, &mut page).await;

    let (asleep, since) = (page.asleep(), Instant::now());
    let lost = |note: &Note| matches!(note, Note::AgentFailed { agent, failure } if agent == "ben" && *failure == AgentFailure::Unreachable);
    let at = engine.wait_for("the agent's loss", SECONDS, lost).await;
    let gone_s = since.elapsed().as_secs();
    assert!((8..16).contains(&gone_s), "missed after {gone_s} s: three for the network, and eight");
    let sorry = |note: &Note| matches!(note, Note::Say { text } if text.contains("sorry"));
    assert!(engine.wait_for("the apology", SECONDS, sorry).await.seq > at.seq);
    anna_takes_over(&engine, &colleague, &mut anna).await;
    tokio::time::sleep(Duration::from_secs(20).saturating_sub(since.elapsed())).await;
    drop(asleep);
    tells_and_works(&mut page, "front of the queue").await;
    page.shot("desk-lost").await;

    anna.hang_up().await;
    assert_kept_in_the_queue(engine).await;
}

#[tokio::test]
async fn a_laptop_that_sleeps_while_it_rings_holds_up_nobody() {
    let _alone = crate::common::chromium::alone().await;
    let engine = Engine::start_with(BEN, PAGES).await;
    let (mut page, colleague, mut anna, _phone) = a_caller_for_ben(&engine).await;
    let (asleep, since) = (page.asleep(), Instant::now());
    let lost = |note: &Note| matches!(note, Note::AgentFailed { agent, .. } if agent == "ben");
    engine.wait_for("that Ben does not take it", 2 * SECONDS, lost).await;
    assert!(since.elapsed() < Duration::from_secs(25), "{:?}", since.elapsed());
    anna_takes_over(&engine, &colleague, &mut anna).await;
    tokio::time::sleep(Duration::from_secs(20).saturating_sub(since.elapsed())).await;
    drop(asleep);
    tells_and_works(&mut page, "went on to somebody else").await;
    anna.hang_up().await;
    engine.finished(SECONDS).await;
    engine.terminate().await;
}

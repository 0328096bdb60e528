//! An agent's page closes in mid-call: the caller is told, kept, and the next to be served.

use std::time::Duration;

use reqwest::{Method, StatusCode};
use serde_json::json;

use crate::common;
use crate::desk::{BEN, Client, PAGES, PASSWORD, administrator, at_work};
use common::engine::Engine;
use common::people::{SECONDS, agent, caller};
use frontdesk::call::{AgentFailure, Note};

#[tokio::test]
async fn an_agent_whose_browser_is_gone_costs_the_caller_no_place() {
    let _alone = crate::common::chromium::alone().await;
    let engine = Engine::start_with(BEN, PAGES).await;
    let admin = administrator(&engine).await;
    // A colleague who has lunch.
    let mut anna = agent(&engine, "anna").await;
    let secret = admin.invite("anna", "agent", Some("anna")).await;
    let mut colleague = Client::new(&admin.at);
    assert_eq!(colleague.accept(&secret, PASSWORD).await, StatusCode::OK);
    assert_eq!(colleague.log_in("anna", PASSWORD).await.0, StatusCode::OK);
    let lunch = json!({ "state": "paused", "reason": "lunch" });
    assert_eq!(colleague.send(Method::POST, "/api/state", lunch).await.0, StatusCode::NO_CONTENT);
    let mut page = at_work(&admin, "ben").await;
    let mut phone = caller(&engine).await;
    phone.dial(&engine.uri("1000")).await;
    engine.at_step("menu", SECONDS).await;
    phone.press("0").await;
    page.wait("document.querySelector('.acts h2')?.innerText == 'Incoming call'").await;
    page.click("Answer").await;
    engine.wait_for("the answer", SECONDS, |note| matches!(note, Note::AgentAnswered { .. })).await;
    page.click("Skip briefing").await;
    engine.wait_for("the connection", SECONDS, |note| matches!(note, Note::Connected { .. })).await;

    page.leave().await;
    let lost = |note: &Note| matches!(note, Note::AgentFailed { agent, failure } if agent == "ben" && *failure == AgentFailure::Unreachable);
    let at = engine.wait_for("the agent's loss", SECONDS, lost).await;
    let told = engine
        .wait_for("the apology", SECONDS, |note| matches!(note, Note::Say { text } if text.contains("sorry")))
        .await;
    assert!(told.seq > at.seq);
    // The next agent who is free takes the same caller.
    assert_eq!(colleague.send(Method::POST, "/api/state", json!({ "state": "ready" })).await.0, StatusCode::NO_CONTENT);
    anna.wait_for("CALL_INCOMING", 2 * SECONDS).await;
    anna.accept().await;
    let anna_has = |note: &Note| matches!(note, Note::Connected { agent } if agent == "anna");
    engine.wait_for("the next agent", SECONDS, anna_has).await;
    tokio::time::sleep(Duration::from_millis(500)).await; // of conversation
    anna.hang_up().await;
    let record = engine.finished(SECONDS).await;
    let transfers = record.timeline.iter().filter(|entry| matches!(entry.note, Note::Transfer { .. })).count();
    assert_eq!(transfers, 1, "the caller never left the queue");
    engine.assert_replays(&record).await;
    engine.terminate().await;
}

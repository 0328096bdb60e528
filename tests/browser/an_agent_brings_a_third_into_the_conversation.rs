//! A conference: the agent asks a colleague, joins all three, drops the colleague; brings them in once more and leaves, and the
//! other two go on.

use std::time::Duration;

use crate::common;
use crate::desk::{
    BEN, BEN_HUMS, PAGES, administrator, assert_deaf, assert_hears, assert_hears_only, at_work, in_a_call,
};
use common::engine::Engine;
use common::people::{AGENT, CALLER, SECONDS, agent as colleague};
use frontdesk::call::Note;

#[tokio::test]
async fn an_agent_brings_a_third_into_the_conversation() {
    let _alone = crate::common::chromium::alone().await;
    let engine = Engine::start_with(BEN, PAGES).await;
    let admin = administrator(&engine).await;
    let mut ben = at_work(&admin, "ben").await;
    let mut caller = in_a_call(&engine, &mut ben).await;

    let mut anna = colleague(&engine, "anna").await;
    for round in ["dropped", "stays"] {
        ben.click("Transfer").await;
        ben.fill("Whom to", "anna").await;
        ben.click("Talk first").await;
        anna.wait_for("CALL_INCOMING", SECONDS).await;
        anna.accept().await;
        ben.wait("document.querySelector('.acts header .soft')?.innerText.includes('You talk to anna')").await;
        tokio::time::sleep(Duration::from_secs(1)).await; // of conversation
        assert_hears("the agent", &mut ben, AGENT).await;
        assert_deaf("the agent", &mut ben, CALLER).await;
        assert_deaf("the caller", &mut caller, AGENT).await;

        ben.click("Join all").await;
        ben.wait("document.querySelector('.acts header .soft')?.innerText.includes('hear each other')").await;
        tokio::time::sleep(Duration::from_secs(1)).await; // of conversation
        ben.shot("conference").await;
        assert_hears("the caller", &mut caller, BEN_HUMS).await;
        assert_hears("the caller", &mut caller, AGENT).await;
        assert_hears("the agent", &mut ben, CALLER).await;
        assert_hears("the agent", &mut ben, AGENT).await;
        if round == "dropped" {
            ben.click("Drop anna").await;
            ben.wait("document.querySelector('.acts header .soft')?.innerText.includes('talk to the caller')").await;
            tokio::time::sleep(Duration::from_secs(1)).await; // of conversation
            assert_deaf("the caller", &mut caller, AGENT).await;
            assert_hears("the caller", &mut caller, BEN_HUMS).await;
        }
    }
    ben.click("Leave the two").await;
    ben.wait("document.querySelector('.acts h2')?.innerText == 'Call ended'").await;
    let anna_has = |note: &Note| matches!(note, Note::Connected { agent } if agent == "anna");
    engine.wait_for("the colleague's connection", SECONDS, anna_has).await;
    tokio::time::sleep(Duration::from_secs(1)).await; // of conversation
    assert_hears_only("the caller", &mut caller, AGENT).await;
    anna.hang_up().await;

    let record = engine.finished(SECONDS).await;
    let told = record.timeline.iter().filter_map(|entry| match &entry.note {
        Note::ThirdJoined { third } => Some(format!("{third} joins")),
        Note::ThirdLeft { third } => Some(format!("{third} leaves")),
        Note::AgentLeft { agent } => Some(format!("{agent} has left")),
        _ => None,
    });
    let told: Vec<_> = told.collect();
    assert_eq!(told, ["anna joins", "anna leaves", "anna joins", "ben has left", "anna has left"]);
    engine.assert_replays(&record).await;
    engine.terminate().await;
}

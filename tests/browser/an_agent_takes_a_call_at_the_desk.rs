//! From the administrator's first link to the notes after the call, in three browsers: a caller's page asks for a person in
//! recorded words, the agent's page shows the whole story while it rings, both hear each other,
//! a colleague with a telephone is consulted and takes over, the record holds it all.

use std::time::Duration;

use reqwest::Method;
use serde_json::Value;

use crate::common;
use crate::desk::{BEN, BEN_HUMS, Client, PAGES, PASSWORD, assert_hears_no_more, assert_hears_only};
use common::chromium::{Chromium, speech};
use common::engine::Engine;
use common::people::{AGENT, CALLER, SECONDS, agent as colleague};
use common::talk::tone_ms;
use frontdesk::call::{Note, Outcome};
use frontdesk::media::{Codec, Key};

#[tokio::test]
async fn an_agent_takes_a_call_at_the_desk() {
    let _alone = crate::common::chromium::alone().await;
    let engine = Engine::start_with(BEN, PAGES).await;
    let (at, link) = engine.desk();

    // The administrator, by the link that the first start printed.
    let mut boss = Chromium::start(&[0; 16_000]).await;
    boss.size(1_280, 800).await;
    boss.open(&link).await;
    boss.wait("document.querySelector('h1')?.innerText == 'Welcome'").await;
    boss.shot("desk-welcome").await;
    boss.fill("Password", PASSWORD).await;
    boss.fill("The same again", PASSWORD).await;
    boss.click("Set password").await;
    boss.wait("document.querySelector('input[name=username]')").await;
    boss.shot("desk-log-in").await;
    boss.fill("Name", "admin").await;
    boss.fill("Password", PASSWORD).await;
    boss.click("Log in").await;
    boss.wait("document.querySelector('.figures')").await;
    boss.click("Staff").await;
    boss.wait("document.querySelector('.staff form')").await;
    boss.fill("Name", "ben").await;
    boss.select("Agent in the configuration", "ben").await;
    boss.click("Add or change").await;
    boss.wait("document.querySelector('.given input')?.value.includes('#welcome=')").await;
    boss.shot("desk-staff").await;
    let link = boss.run("document.querySelector('.given input').value").await;

    // The agent, by the link that the administrator passed on.
    let mut agent = Chromium::start(&[0; 16_000]).await;
    agent.size(1_280, 800).await;
    agent.open(link.as_str().unwrap()).await;
    agent.wait("document.querySelector('h1')?.innerText == 'Welcome'").await;
    agent.fill("Password", PASSWORD).await;
    agent.fill("The same again", PASSWORD).await;
    agent.click("Set password").await;
    agent.wait("document.querySelector('input[name=username]')").await;
    agent.fill("Name", "ben").await;
    agent.fill("Password", PASSWORD).await;
    agent.click("Log in").await;
    agent.wait("document.querySelector('.idle .wide')").await;
    agent.shot("desk-off-duty").await;
    agent.run("document.querySelector('.idle .wide').click()").await;
    agent.wait("document.querySelector('.pill.available')").await;
    agent.shot("desk-ready").await;

    // The caller.
    let mut caller = Chromium::start(&speech(&[(5.0, "asterisk/en-speak-with-a-representative.wav")])).await;
    caller.open(&engine.pages()).await;
    caller.wait("document.querySelector('frontdesk-call').lines.length == 1").await;
    caller.click("Start call").await;
    caller.click("Mute").await;
    engine.at_step("menu", SECONDS).await;
    caller.key("1").await;
    engine.wait_for("the key", SECONDS, |note| matches!(note, Note::Dtmf { key } if Some(*key) == Key::new('1'))).await;
    engine.at_step("ask_account", SECONDS).await;
    boss.click("Wall").await;
    boss.wait("document.querySelector('.wall tbody tr')").await;
    caller.unmute_at_a_pause().await;

    // The story is on the page as it rings, before anybody answers.
    agent.wait("document.querySelector('.acts h2')?.innerText == 'Incoming call'").await;
    let told =
        agent.run("[document.querySelector('.headline').innerText, document.querySelector('.log').innerText]").await;
    assert!(told[0].as_str().unwrap().contains("balance"), "what it is about is on the page: {told}");
    assert!(told[1].as_str().unwrap().contains("represent"), "so are the caller's words: {told}");
    let connected = |note: &Note| matches!(note, Note::Connected { .. });
    let record = engine.newest().await.unwrap();
    assert!(!record.timeline.iter().any(|entry| connected(&entry.note)), "nobody has answered yet");
    tokio::time::sleep(Duration::from_millis(600)).await; // for the wall, and to be looked at
    agent.shot("desk-ringing").await;
    boss.shot("desk-wall").await;

    agent.click("Answer").await;
    agent.wait("document.querySelector('.acts h2')?.innerText == 'In a call'").await;
    caller.hums(CALLER).await;
    agent.hums(BEN_HUMS).await;
    agent.shot("desk-briefing").await;
    agent.click("Skip briefing").await;
    engine.wait_for("the connection", SECONDS, connected).await;
    tokio::time::sleep(Duration::from_secs(1)).await; // of conversation
    assert_hears_only("the agent", &mut agent, CALLER).await;
    assert_hears_only("the caller", &mut caller, BEN_HUMS).await;
    agent.shot("desk-talking").await;

    agent.click("Hold").await;
    agent.wait("document.querySelector('.acts header .soft')?.innerText.includes('on hold')").await;
    assert_hears_no_more("a caller on hold", &mut caller, BEN_HUMS).await;
    agent.click("Resume").await;
    agent.wait("document.querySelector('.acts header .soft')?.innerText.includes('talk to the caller')").await;
    agent.click("Keypad").await;
    agent.shot("desk-keypad").await;

    // A colleague with a telephone is asked first, and then has the caller.
    let mut anna = colleague(&engine, "anna").await;
    agent.click("Transfer").await;
    agent.wait("document.querySelectorAll('.person').length > 2").await;
    agent.shot("desk-transfer").await;
    agent.fill("Whom to", "anna").await;
    agent.click("Talk first").await;
    anna.wait_for("CALL_INCOMING", SECONDS).await;
    anna.accept().await;
    agent.wait("document.querySelector('.acts header .soft')?.innerText.includes('You talk to anna')").await;
    agent.shot("desk-consult").await;
    assert_hears_only("the agent", &mut agent, AGENT).await;
    assert_hears_no_more("the caller", &mut caller, AGENT).await;
    agent.click("Hand over").await;
    let handed = |note: &Note| matches!(note, Note::Connected { agent } if agent == "anna");
    engine.wait_for("the colleague's connection", SECONDS, handed).await;
    tokio::time::sleep(Duration::from_secs(1)).await; // of conversation
    assert_hears_only("the caller", &mut caller, AGENT).await;

    agent.wait("document.querySelector('.acts h2')?.innerText == 'Call ended'").await;
    agent.select("The call came to", "follow_up").await;
    agent.fill("Notes", "Balance told; sends the form tomorrow.").await;
    agent.run("document.querySelector('.corrections').open = true").await;
    agent.wait("document.querySelector('.corrections select').options.length > 3").await;
    let wants = "document.querySelector('.corrections select')";
    agent.run(&format!("({wants}.value = 'mortgage', {wants}.dispatchEvent(new Event('change')))")).await;
    agent.fill("In one line", "Balance, and a mortgage").await;
    agent.shot("desk-wrap-up").await;
    agent.click("Save, and ready").await;
    agent.wait("document.querySelector('.pill.available')").await;
    anna.hang_up().await;
    agent.click("中文").await;
    agent.wait("document.querySelector('.idle h2')?.innerText == '您已就绪'").await;
    agent.dark(true).await;
    agent.shot("desk-ready-zh-dark").await;
    for page in [&mut agent, &mut boss] {
        let console = page.console().await;
        assert!(!console.contains("error"), "{console}");
    }

    let record = engine.finished(SECONDS).await;
    assert_eq!(record.summary.as_ref().unwrap().outcome, Some(Outcome::HandedOver));
    let written = &record.wrap_ups[0];
    assert_eq!((written.agent.as_str(), written.disposition.as_deref()), ("ben", Some("follow_up")));
    assert_eq!(written.notes, "Balance told; sends the form tomorrow.");
    assert_eq!(written.corrections.intent.as_deref(), Some("mortgage"));
    assert_eq!(record.headline(), "Balance, and a mortgage");
    let quality = record.legs[1].quality.unwrap();
    assert_eq!(record.legs[1].agent.as_deref(), Some("ben"));
    assert!(quality.encrypted && quality.codec == Some(Codec::Opus) && quality.packets_received > 100, "{quality:?}");
    assert_eq!(record.legs[2].agent.as_deref(), Some("anna"));
    let (heard, rate) = anna.stop().await;
    assert!(tone_ms(&heard, rate, BEN_HUMS) > 200 && tone_ms(&heard, rate, CALLER) > 500, "anna heard both");
    engine.assert_replays(&record).await;

    // What was said can be read and listened to.
    boss.click("Calls").await;
    boss.wait("document.querySelector('.rows button')").await;
    boss.run("document.querySelector('.rows button').click()").await;
    boss.wait("document.querySelector('.detail audio')?.duration > 5").await;
    boss.run("document.querySelectorAll('.detail .log button')[2].click()").await;
    boss.wait("document.querySelector('.detail audio').currentTime > 0 && document.querySelector('.log li.now')").await;
    boss.shot("desk-records").await;
    boss.click("Staff").await;
    boss.wait("document.querySelectorAll('.staff tbody').length == 2").await;
    boss.shot("desk-trail").await;
    let console = boss.console().await;
    assert!(!console.contains("error"), "{console}");

    let mut admin = Client::new(&at);
    assert_eq!(admin.log_in("admin", PASSWORD).await.0, 200);
    let (_, trail) = admin.send(Method::GET, "/api/audit", Value::Null).await;
    let did: Vec<_> = trail.as_array().unwrap().iter().filter_map(|deed| deed["did"].as_str()).collect();
    for deed in ["answered", "consulted", "transferred", "wrote_wrap_up", "ready", "put_account", "set_password"] {
        assert!(did.contains(&deed), "the trail has {deed}: {did:?}");
    }
    engine.terminate().await;
}

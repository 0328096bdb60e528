//! The whole of it in a real browser: the page calls, the bot is heard and its words are read, a key reaches the menu, a
//! recorded human wish is understood, an agent's softphone rings with a summary, both hear each other, the record holds it all.

use std::time::Duration;

use crate::common;
use crate::desk::assert_hears_only;
use common::chromium::{Chromium, speech};
use common::engine::Engine;
use common::people::{AGENT, CALLER, SECONDS, agent};
use common::talk::tone_ms;
use frontdesk::call::{Cause, Note, Outcome};
use frontdesk::media::{Codec, Key, file};

#[tokio::test]
async fn a_browser_caller_is_heard_answered_and_put_through() {
    let _alone = crate::common::chromium::alone().await;
    let browser = "browser: { listen: \"127.0.0.1:0\", udp: \"127.0.0.1:0\", lines: [bank, parcel] }";
    let engine = Engine::start_with("", browser).await;
    let mut agent = agent(&engine, "anna").await;
    // Said over and over, whenever the microphone is not muted.
    let mut page = Chromium::start(&speech(&[(5.0, "asterisk/en-speak-with-a-representative.wav")])).await;
    page.open(&engine.pages()).await;
    page.wait("document.querySelector('frontdesk-call').lines.length == 2").await;
    page.shot("call-page").await;
    page.choose("中文").await;
    assert!(page.text("button").await.contains("开始通话"), "the page speaks the language of the line chosen");
    page.shot("call-page-zh").await;
    page.dark(true).await;
    page.shot("call-page-dark").await;
    page.dark(false).await;
    page.choose("English").await;

    page.click("Start call").await;
    page.click("Mute").await;
    engine.at_step("menu", SECONDS).await;
    // It pauses between its sentences.
    let (mut level, mut looks) = (0.0, 0);
    while level < 0.003 && looks < 20 {
        (level, _) = page.hears(AGENT).await;
        looks += 1;
    }
    assert!(level > 0.003, "the bot is heard: {level}");
    page.wait("document.querySelector('frontdesk-call').shadowRoot.querySelector('li.bot')?.innerText.includes('Harbour Bank')").await;
    assert!(page.text("status").await.contains("Connected"));
    page.click("Keypad").await;
    page.shot("call-keypad").await;
    page.click("Key 1").await;
    engine.wait_for("the key", SECONDS, |note| matches!(note, Note::Dtmf { key } if Some(*key) == Key::new('1'))).await;
    engine.at_step("ask_account", SECONDS).await;
    // By the keyboard, too.
    page.key("7").await;
    engine.wait_for("the key", SECONDS, |note| matches!(note, Note::Dtmf { key } if Some(*key) == Key::new('7'))).await;
    page.click("Keypad").await;
    page.unmute_at_a_pause().await;

    let ring = agent.wait_for("CALL_INCOMING", 2 * SECONDS).await;
    assert!(ring.to_string().contains("balance"), "the phone shows what the call is about: {ring}");
    let said = "[...document.querySelector('frontdesk-call').shadowRoot.querySelectorAll('li.caller')]";
    page.wait(&format!("{said}.some((words) => words.innerText.includes('represent'))")).await;
    assert!(page.text("status").await.contains("Ringing"));
    page.shot("call-ringing").await;
    page.hums(CALLER).await;
    agent.accept().await;
    engine.wait_for("the connection", SECONDS, |note| matches!(note, Note::Connected { .. })).await;
    tokio::time::sleep(Duration::from_secs(2)).await; // of conversation
    assert_hears_only("the page", &mut page, AGENT).await;
    page.shot("call-person").await;
    agent.hang_up().await;
    page.wait("document.querySelector('frontdesk-call').call == null").await;
    assert_eq!(page.text("status").await, "Call ended");
    page.shot("call-ended").await;
    let console = page.console().await;
    assert!(!console.contains("error"), "{console}");

    let record = engine.finished(SECONDS).await;
    let summary = record.summary.as_ref().unwrap();
    assert_eq!((record.head.cause, summary.outcome), (Some(Cause::AgentHungUp), Some(Outcome::HandedOver)));
    let pages = engine.pages();
    assert!(pages.contains(&record.head.caller.dialled), "the record says by which site: {:?}", record.head.caller);
    assert_eq!(record.legs.len(), 2);
    let quality = record.legs[0].quality.unwrap();
    assert!(quality.encrypted && quality.codec == Some(Codec::Opus), "{quality:?}");
    assert!(quality.packets_received > 200 && quality.packets_bad == 0, "{quality:?}");
    let (heard, rate) = agent.stop().await;
    assert!(
        tone_ms(&heard, rate, CALLER) > 1_000,
        "the agent heard {} ms of the caller",
        tone_ms(&heard, rate, CALLER)
    );
    let sent = file::read_channel(&record.recordings[0].path, 1).unwrap();
    assert!(tone_ms(&sent.samples, sent.rate, AGENT) > 1_000, "so the recording has it");
    engine.assert_replays(&record).await;
    engine.terminate().await;
}

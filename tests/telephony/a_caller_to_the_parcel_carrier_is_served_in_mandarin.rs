//! The parcel carrier, in Mandarin, by telephones that are not ours: what the caller wants is heard, the number comes
//! by keys, the back office is asked, the answer spoken, and the agent gets the call with its summary. The caller's
//! voice is our own synthetic one: no recording of a human Mandarin speaker may be shipped.

use std::time::Duration;

use crate::common;
use common::baresip::Sound;
use common::engine::Engine;
use common::people::*;
use frontdesk::call::{FactKind, Note, Outcome};
use frontdesk::media::file;

#[tokio::test]
async fn a_caller_to_the_parcel_carrier_is_served_in_mandarin() {
    let engine = Engine::start().await;
    let mut agent = agent(&engine, "wang").await;
    let mut caller = caller(&engine).await;
    caller.dial(&engine.uri("2000")).await;
    caller.wait_for("CALL_ESTABLISHED", SECONDS).await;

    engine.at_step("menu", SECONDS).await;
    caller.hears(synthetic("zh", "我要查快递").await).await;
    engine.at_step("ask_number", SECONDS).await;
    caller.press("88001234").await;
    engine.wait_for("the number read back", SECONDS, says("88001234")).await;
    caller.press("1").await;
    let answer = engine.wait_for("the answer", SECONDS, says("上海")).await;
    let asked = engine.at_step("anything_else", SECONDS).await;
    caller.hears(synthetic("zh", "我要找人工客服").await).await;

    let ring = agent.wait_for("CALL_INCOMING", SECONDS).await;
    caller.hears(Sound::Sine(CALLER)).await;
    agent.accept().await;
    engine.wait_for("the connection", SECONDS, |note| matches!(note, Note::Connected { .. })).await;
    tokio::time::sleep(Duration::from_secs(2)).await; // of conversation
    caller.hang_up().await;
    let record = engine.finished(SECONDS).await;

    let summary = record.summary.as_ref().unwrap();
    assert_eq!((summary.outcome, summary.language.as_str()), (Some(Outcome::HandedOver), "zh"));
    let has = |wanted: &dyn Fn(&Note) -> bool| record.timeline.iter().any(|entry| wanted(&entry.note));
    assert!(has(&|note| matches!(note, Note::Intent { chosen: Some(intent), .. } if intent == "track")));
    assert!(has(&|note| matches!(note, Note::Slot { value, confirmed: true, .. } if value == "88001234")));
    assert!(has(&|note| matches!(note, Note::Reply { failure: None, .. })));
    assert!(has(&|note| matches!(note, Note::Transfer { queue, .. } if queue == "service")));
    let verified = summary.facts.iter().find(|fact| fact.kind == FactKind::Verified).unwrap();
    assert!(verified.text.contains("运单号"), "{verified:?}");
    assert!(ring.to_string().contains("查"), "the phone shows what the call is about: {ring}");

    let sent = file::read_channel(&record.recordings[0].path, 1).unwrap();
    let text = transcript(&sent, answer.at_ms, asked.at_ms, "zh").await;
    println!("said 您的快递已经到上海了，快递员正在派送，请您保持电话畅通。 heard {text}");
    assert!(text.contains("上海"), "{text}");
    assert_both_heard("zh", &record, &caller.stop().await, &agent.stop().await);
    engine.assert_replays(&record).await;
    assert_recording_replays(&engine, &record).await;
    engine.terminate().await;
}

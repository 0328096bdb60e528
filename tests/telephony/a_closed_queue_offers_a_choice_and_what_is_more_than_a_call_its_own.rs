//! The front desk is closed, though its agent is there: who asks for a person is told so and may leave a message. Who chose what
//! the operator calls fraud goes to the queue that is open for it, and is put through.

use chrono::{Days, Utc};
use frontdesk::call::Note;

use crate::common::engine::Engine;
use crate::common::people::*;

const CONFIGURATION: &str = r#"
lines: { shop: { numbers: ["1000"], flow: shop } }
agents: { anna: { password: { file: agents.secret }, queues: [desk, theft] } }
queues:
  desk: { hours: { zone: UTC, mon-sun: "00:00-24:00", closed: [CLOSED] } }
  theft: {}
escalate: { fraud: { intents: [stolen], queue: theft } }
flows:
  - flow: shop
    language: en
    person: { queue: desk }
    start: menu
    intents: { stolen: { examples: [it was stolen, somebody took it, a thief has it, my bag is gone, I was robbed] } }
    steps:
      menu: { menu: "If something was stolen, press 4.", options: [{ key: 4, intent: stolen, next: desk }] }
      desk: { transfer: desk }
sip: { listen: "127.0.0.1:0", rtp_ports: 30000-39999 }
http: { listen: "off" }
records: { folder: records }
"#;

#[tokio::test]
async fn a_closed_queue_offers_a_choice_and_what_is_more_than_a_call_its_own() {
    let today = Utc::now().date_naive();
    let closed = [today, today + Days::new(1)].map(|day| format!("\"{day}\"")).join(", ");
    let engine = Engine::start_changed("", "", |_| CONFIGURATION.replace("CLOSED", &closed)).await;
    let mut agent = agent(&engine, "anna").await;

    let mut caller = caller(&engine).await;
    caller.dial(&engine.uri("1000")).await;
    caller.wait_for("CALL_ESTABLISHED", SECONDS).await;
    engine.at_step("menu", SECONDS).await;
    caller.press("0").await;
    let offered = engine.wait_for("the choice", SECONDS, |note| matches!(note, Note::Offered { .. })).await;
    assert_eq!(offered.note, Note::Offered { choices: vec!["message".into()] });
    caller.hang_up().await;
    let record = engine.finished(SECONDS).await;
    assert_eq!(record.legs.len(), 1, "nobody was rung");

    caller.dial(&engine.uri("1000")).await;
    caller.wait_for("CALL_ESTABLISHED", SECONDS).await;
    engine.at_step("menu", SECONDS).await;
    caller.press("4").await;
    agent.wait_for("CALL_INCOMING", SECONDS).await;
    agent.accept().await;
    engine.wait_for("the connection", SECONDS, |note| matches!(note, Note::Connected { .. })).await;
    caller.hang_up().await;
    let record = engine.finished(SECONDS).await;
    engine.assert_replays(&record).await;
    assert!(engine.log().contains("a call waits in another queue"), "{}", engine.log());
    drop((caller.stop().await, agent.stop().await));
    engine.terminate().await;
}

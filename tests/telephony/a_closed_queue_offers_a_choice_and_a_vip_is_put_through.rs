//! The desk is closed, though its agent is there: who calls is told so and may leave a message. A VIP goes to the queue that is
//! open for them, and is put through.

use std::time::Duration;

use chrono::{Days, Utc};
use frontdesk::call::Note;

use crate::common::baresip::{Baresip, Phone, Sound};
use crate::common::engine::Engine;
use crate::common::people::*;

const CONFIGURATION: &str = r#"
lines: { shop: { numbers: ["1000"], flow: shop } }
agents: { anna: { password: { file: agents.secret }, queues: [desk, club] } }
queues:
  desk: { hours: { zone: UTC, mon-sun: "00:00-24:00", closed: [CLOSED] } }
  club: {}
escalate: { vip: { numbers: ["5551*"], queue: club } }
flows:
  - flow: shop
    language: en
    person: { queue: desk }
    start: desk
    steps: { desk: { transfer: desk } }
sip: { listen: "127.0.0.1:0", rtp_ports: 30000-39999 }
http: { listen: "off" }
records: { folder: records }
"#;

#[tokio::test]
async fn a_closed_queue_offers_a_choice_and_a_vip_is_put_through() {
    let today = Utc::now().date_naive();
    let closed = [today, today + Days::new(1)].map(|day| format!("\"{day}\"")).join(", ");
    let engine = Engine::start_changed("", "", |_| CONFIGURATION.replace("CLOSED", &closed)).await;
    let mut agent = agent(&engine, "anna").await;

    let sound = Sound::Speech(Duration::ZERO, Vec::new());
    let stranger = Phone { user: "5550000", registrar: engine.address, expires: 0, sound, ..Phone::default() };
    let mut stranger = Baresip::start(&stranger).await;
    stranger.dial(&engine.uri("1000")).await;
    let offered = engine.wait_for("the choice", SECONDS, |note| matches!(note, Note::Offered { .. })).await;
    assert_eq!(offered.note, Note::Offered { choices: vec!["message".into()] });
    stranger.hang_up().await;
    let record = engine.finished(SECONDS).await;
    assert_eq!(record.legs.len(), 1, "nobody was rung");

    let mut caller = caller(&engine).await;
    caller.dial(&engine.uri("1000")).await;
    agent.wait_for("CALL_INCOMING", SECONDS).await;
    agent.accept().await;
    engine.wait_for("the connection", SECONDS, |note| matches!(note, Note::Connected { .. })).await;
    caller.hang_up().await;
    let record = engine.finished(SECONDS).await;
    engine.assert_replays(&record).await;
    assert!(engine.log().contains("a call waits in another queue"), "{}", engine.log());
    drop((stranger.stop().await, caller.stop().await, agent.stop().await));
    engine.terminate().await;
}

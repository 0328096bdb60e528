//! A month of calls on record: the wall shows the calls to expect today and the agents they need, beside those who are logged in
//! and the calls that come.

use chrono::{Days, TimeDelta, Timelike, Utc};
use frontdesk::call::{Caller, Cause, Entry, Note, Outcome, Summary};
use frontdesk::records::{Ending, Leg, Store, StoredFlow};

use crate::common::chromium::Chromium;
use crate::common::engine::Engine;
use crate::common::people::{SECONDS, caller};
use crate::desk::{PASSWORD, administrator};

const CONFIGURATION: &str = r#"
lines: { shop: { numbers: ["1000"], flow: shop } }
agents:
  ben: { desk: true, display_name: Ben Carter, queues: [desk, cards] }
  eva: { desk: true, display_name: Eva Lind, queues: [desk] }
queues:
  desk: { hours: { zone: UTC, mon-sun: "00:00-24:00" } }
  cards: { hours: { zone: UTC, mon-sun: "00:00-24:00", closed: [CLOSED] } }
flows:
  - flow: shop
    language: en
    person: { queue: desk }
    start: desk
    steps: { desk: { transfer: desk } }
sip: { listen: "127.0.0.1:0", rtp_ports: 30000-39999 }
http: { listen: "off" }
console: { listen: "127.0.0.1:0" }
records: { folder: "RECORDS" }
"#;

/// Thirty days, busy by day: three to nine calls a half-hour, each of three minutes with an agent.
async fn a_month(folder: &std::path::Path) {
    let store = Store::open(folder).await.unwrap();
    let flow = StoredFlow::new("shop", &"{}").unwrap();
    let today = Utc::now().date_naive();
    for (ago, slot) in (1..=30_u64).flat_map(|ago| (0..48_i64).map(move |slot| (ago, slot))) {
        let calls = 3 + 6 * i64::from((16..36).contains(&slot));
        for n in 0..calls {
            let call = format!("{ago}-{slot}-{n}");
            let midnight = (today - Days::new(ago)).and_hms_opt(0, 0, 0).unwrap().and_utc();
            let began = midnight + TimeDelta::minutes(30 * slot + n);
            store.begin(&call, &Caller { line: "shop".into(), ..Caller::default() }, began, &flow);
            let note = Note::Transfer { queue: "desk".into(), skills: vec![], priority: 0 };
            store.note(&call, &Entry { seq: 0, at_ms: 1_000, note });
            let agent = Some("ben".to_owned());
            let leg =
                Leg { n: 1, agent, began_ms: 1_500, answered_ms: Some(4_000), ended_ms: Some(184_000), quality: None };
            store.leg(&call, leg);
            let summary = Summary { outcome: Some(Outcome::HandedOver), language: "en".into(), facts: vec![] };
            let ended = began + TimeDelta::seconds(184);
            store.finish(&call, Ending { cause: Cause::CallerHungUp, ended, summary, quality: None });
        }
        if slot % 12 == 0 {
            store.flush().await.unwrap(); // the queue is bounded
        }
    }
    store.close().await.unwrap();
}

#[tokio::test]
async fn the_wall_shows_the_day_and_what_is_to_come() {
    let _alone = crate::common::chromium::alone().await;
    let records = tempfile::tempdir().unwrap();
    a_month(records.path()).await;
    let now = Utc::now();
    let closed = [now.date_naive(), now.date_naive() + Days::new(1)].map(|day| format!("\"{day}\"")).join(", ");
    let configuration = CONFIGURATION.replace("CLOSED", &closed).replace("RECORDS", &records.path().to_string_lossy());
    let engine = Engine::start_changed("", "", |_| configuration.clone()).await;
    let admin = administrator(&engine).await;
    let mut caller = caller(&engine).await;
    caller.dial(&engine.uri("1000")).await;
    caller.wait_for("CALL_ESTABLISHED", SECONDS).await;
    caller.hang_up().await;
    drop(caller.stop().await);

    let mut page = Chromium::start(&[0; 16_000]).await;
    page.size(1_280, 1_100).await;
    page.open(&admin.at).await;
    page.wait("document.querySelector('input[name=username]')").await;
    page.fill("Name", "admin").await;
    page.fill("Password", PASSWORD).await;
    page.click("Log in").await;
    page.wait("document.querySelector('.charts path.expected')").await;
    page.wait("document.querySelector('.charts rect.bar')").await;
    page.wait("!document.querySelector('.charts').innerText.includes('– needed')").await;
    let told = page.run("[...document.querySelectorAll('.charts figcaption')].map((one) => one.innerText)").await;
    // By day nine calls of 185 s in half an hour are 0.93 erlangs: three agents; by night three calls: two.
    let busy = (16..36).contains(&(now.hour() * 2 + now.minute() / 30));
    let needed = if busy { "now: 3 needed, 0 logged in" } else { "now: 2 needed, 0 logged in" };
    assert!(told[1].as_str().unwrap().contains(needed), "{told}");
    let expected = told[0].as_str().unwrap().split(", ").nth(1).unwrap().split(' ').next().unwrap();
    let expected: f64 = expected.parse().unwrap();
    assert!((expected - if busy { 9.0 } else { 3.0 }).abs() < 0.5, "{told}");
    let rows = page.run("[...document.querySelectorAll('.two tbody tr')].map((row) => row.innerText)").await;
    assert!(rows[0].as_str().unwrap().contains("cards") && rows[0].as_str().unwrap().contains("closed"), "{rows}");
    assert!(!rows[1].as_str().unwrap().contains("closed"), "{rows}");
    page.shot("wall-day").await;
    page.click("中文").await;
    page.dark(true).await;
    page.shot("wall-day-zh-dark").await;
    let console = page.console().await;
    assert!(!console.contains("error"), "{console}");
    engine.terminate().await;
}

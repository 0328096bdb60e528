//! How much the records take: entries a second until all is on disk, how long a call's task waits for one (it must
//! not), and how far the disk is behind while 200 calls write 10 lines a second each.

use std::time::{Duration, Instant};

use chrono::Utc;
use frontdesk::call::{Caller, Cause, Entry, Note, Summary};
use frontdesk::records::{Ending, LoggedLine, Store, StoredFlow};

const CALLS: usize = 200;
const LINES: u32 = 50;

#[tokio::main]
async fn main() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let store = Store::open(folder.path()).await.expect("records");
    let flow = StoredFlow::new("bench", &"{}").expect("a flow");
    let caller = Caller { number: "+15550100".into(), line: "bench".into(), ..Caller::default() };
    let calls: Vec<String> = (0..CALLS).map(|_| uuid::Uuid::now_v7().to_string()).collect();
    let mut waits = Vec::with_capacity(CALLS * LINES as usize);
    let mut most_waiting = 0;
    let began = Instant::now();
    for call in &calls {
        store.begin(call, &caller, Utc::now(), &flow);
    }
    for seq in 0..LINES {
        for call in &calls {
            let text = format!("This is line {seq} of what a caller is told in a call of usual length.");
            let one = Instant::now();
            store.note(call, &Entry { seq, at_ms: u64::from(seq) * 100, note: Note::Say { text } });
            let event_json = r#"{"event":"said","prompt":1,"finished":true}"#.to_owned();
            let actions_json = r#"[{"action":"set_timer","timer":"silence","after_ms":7000}]"#.to_owned();
            store.log(call, LoggedLine { at_ms: u64::from(seq) * 100, event_json, actions_json });
            waits.push(one.elapsed());
        }
        most_waiting = most_waiting.max(store.waiting());
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let summary = Summary { outcome: None, language: "en".into(), facts: Vec::new() };
    for call in &calls {
        let ending = Ending { cause: Cause::Completed, ended: Utc::now(), summary: summary.clone(), quality: None };
        store.finish(call, ending);
    }
    let handed_over = began.elapsed();
    store.flush().await.expect("all on disk");
    let lag = began.elapsed() - handed_over;
    let kept: usize = {
        let archive = store.archive().await.expect("an archive");
        let mut kept = 0;
        for call in &calls {
            kept += archive.show(call).await.expect("the call").timeline.len();
        }
        kept
    };
    let wanted = CALLS * LINES as usize;
    println!("{CALLS} calls x {LINES} entries and log lines, 10 a second each: {:.1} s", handed_over.as_secs_f64());
    println!(
        "FIGURE 2.4-records-lost {} entries limit == 0 -- of {wanted} written by {CALLS} calls at 10 a second each",
        wanted - kept
    );
    waits.sort_unstable();
    let wait = |share: f64| waits[((waits.len() - 1) as f64 * share) as usize].as_secs_f64() * 1e6;
    println!(
        "FIGURE 2.4-records-wait {:.0} us limit <= 1000 -- a call waits for its record, 99.9 % of the same (at most {:.0} us)",
        wait(0.999),
        wait(1.0)
    );
    println!(
        "FIGURE 2.4-records-queue {most_waiting} entries limit < 16384 -- waiting for the disk at most, of a queue of 16384"
    );
    println!(
        "FIGURE 2.4-records-lag {:.0} ms limit <= 1000 -- from the last entry written to all on disk",
        lag.as_secs_f64() * 1e3
    );
    store.close().await.expect("closed");

    // A burst: as fast as the queue takes it.
    let store = Store::open(folder.path()).await.expect("records");
    let call = "burst".to_owned();
    store.begin(&call, &caller, Utc::now(), &flow);
    store.flush().await.expect("on disk");
    let began = Instant::now();
    for seq in 0..10_000 {
        store.note(&call, &Entry { seq, at_ms: 0, note: Note::Silence });
    }
    store.flush().await.expect("all on disk");
    let burst = 10_000.0 / began.elapsed().as_secs_f64();
    println!("FIGURE 2.4-records-burst {burst:.0} entries/s -- 10000 at once until all are on disk");
    store.close().await.expect("closed");
}

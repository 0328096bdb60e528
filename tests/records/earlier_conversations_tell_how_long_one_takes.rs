//! What a conversation takes is told by those of the past, each counted for the queue that its caller was sent to last before
//! the agent answered.

use std::time::Duration;

use chrono::{TimeDelta, Utc};
use frontdesk::call::{Caller, Entry, Note};
use frontdesk::records::{Conversations, Keys, Leg, Store, StoredFlow};

#[tokio::test]
async fn earlier_conversations_tell_how_long_one_takes() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open_with(folder.path(), Keys::parse(&"ab".repeat(32)).unwrap()).await.unwrap();
    let flow = StoredFlow::new("flow", &"{}").unwrap();
    let now = Utc::now();
    let call = |id: &str, weeks: i64, sent: &[(u64, &str)], legs: &[(u64, Option<u64>, u64)]| {
        let id = id.to_owned();
        store.begin(&id, &Caller::default(), now - TimeDelta::weeks(weeks), &flow);
        for (seq, (at_ms, queue)) in sent.iter().enumerate() {
            let note = Note::Transfer { queue: (*queue).into(), skills: vec![], priority: 0 };
            store.note(&id, &Entry { seq: seq as u32, at_ms: *at_ms, note });
        }
        for (n, (began_ms, answered_ms, ended_ms)) in legs.iter().enumerate() {
            let (agent, ended_ms) = (Some("anna".to_owned()), Some(*ended_ms));
            let (began_ms, answered_ms) = (*began_ms, *answered_ms);
            store.leg(&id, Leg { n: n as u32 + 1, agent, began_ms, answered_ms, ended_ms, quality: None });
        }
    };
    call("one", 0, &[(1_000, "desk")], &[(2_000, None, 22_000), (23_000, Some(30_000), 90_000)]);
    call(
        "two",
        1,
        &[(1_000, "desk"), (50_000, "cards")],
        &[(2_000, Some(10_000), 50_000), (51_000, Some(60_000), 160_000)],
    );
    call("old", 9, &[(1_000, "desk")], &[(2_000, Some(3_000), 900_000)]);
    call("direct", 0, &[], &[(2_000, Some(3_000), 900_000)]);
    store.flush().await.unwrap();
    let archive = store.archive().await.unwrap();
    let known = archive.conversations(now - TimeDelta::weeks(4)).await.unwrap();
    let took = |count, seconds| Conversations { count, mean: Duration::from_secs(seconds) };
    assert_eq!(known, [("cards".to_owned(), took(1, 100)), ("desk".to_owned(), took(2, 50))].into());
    store.close().await.unwrap();
}

//! Half a card number that looked like an order's is on disk when the other half comes: then it is gone from the timeline,
//! the event log, the summary and every byte of the database, and the recording is silent there.

use std::path::Path;
use std::sync::Arc;

use chrono::Utc;
use frontdesk::call::Logged;
use frontdesk::call::{Action, Call, Caller, Event, Shield, Utterance};
use frontdesk::media::Key;
use frontdesk::records::{Archive, Ending, LoggedLine, Store, StoredFlow};

use crate::script::{MONDAY, flows, secrets};
use crate::sealed_records_open_with_their_key_alone::with;
use crate::what_cannot_be_read_stops_nothing::database;

/// What the engine does with a call that has no sound.
struct Live {
    call: Call,
    shield: Shield,
    store: Store,
    now: u64,
    blanks: Vec<(u64, u64)>,
}

impl Live {
    async fn begin(folder: &Path) -> Self {
        let store = Store::open(folder).await.unwrap();
        let flow = Arc::new(flows::bank());
        let caller = Caller { number: "+442071234567".into(), line: "bank".into(), ..Caller::default() };
        store.begin(&"c1".into(), &caller, Utc::now(), &StoredFlow::new("bank", flow.as_ref()).unwrap());
        let mut live = Self { call: Call::new(flow), shield: Shield::default(), store, now: 0, blanks: Vec::new() };
        live.tell(Event::Arrived { call: "c1".into(), caller, at: MONDAY.parse().unwrap() });
        live
    }

    fn tell(&mut self, event: Event) {
        let admitted = self.shield.admit(&self.call, self.now, event);
        self.blanks.extend(admitted.blank);
        let call = "c1".to_string();
        for event in admitted.events {
            let actions = self.call.handle(self.now, event.clone());
            let line = Logged::new(self.now, event, &actions, false);
            let event_json = serde_json::to_string(&line.event).unwrap();
            let actions_json = serde_json::to_string(&line.actions).unwrap();
            self.store.log(&call, LoggedLine { at_ms: self.now, event_json, actions_json });
            for action in actions {
                match action {
                    Action::Note(entry) => self.store.note(&call, &entry),
                    Action::Forget { since_ms } => self.store.forget(&call, since_ms),
                    Action::Finished { summary, cause } => {
                        self.store.finish(&call, Ending { cause, ended: Utc::now(), summary: *summary, quality: None });
                    }
                    _ => {}
                }
            }
        }
        self.now += 250;
    }

    fn says(&mut self, text: &str) {
        let start_ms = self.now;
        self.now += 4_000;
        let (text, language) = (text.to_owned(), "en".to_owned());
        let said = Utterance { text, confidence: 0.9, language, start_ms, end_ms: self.now, ..Utterance::default() };
        self.tell(Event::Heard(said));
    }

    fn presses(&mut self, keys: &str) {
        keys.chars().for_each(|key| self.tell(Event::Key { key: Key::new(key).unwrap() }));
    }
}

/// All digits that the records of the call still show.
async fn shown(folder: &Path) -> String {
    let archive = Archive::open(folder).await.unwrap();
    let record = archive.show("c1").await.unwrap();
    let mut texts = Vec::new();
    secrets::texts(&serde_json::to_value(&record.timeline[1..]).unwrap(), &mut texts);
    secrets::texts(&serde_json::to_value(&record.summary.unwrap().facts[1..]).unwrap(), &mut texts);
    for line in &archive.event_log("c1").await.unwrap()[1..] {
        for json in [&line.event_json, &line.actions_json] {
            secrets::texts(&serde_json::from_str(json).unwrap(), &mut texts);
        }
    }
    texts.iter().map(|text| secrets::digit_stream(&text.replace("+442071234567", ""))).collect::<Vec<_>>().join(" ")
}

#[tokio::test]
async fn a_card_said_in_two_turns() {
    let folder = tempfile::tempdir().unwrap();
    let mut live = Live::begin(folder.path()).await;
    live.says("it is about order number 45395787");
    live.store.flush().await.unwrap();
    assert!(!with(folder.path(), b"45395787").is_empty(), "half of it is on disk");
    live.says("6362 1486");
    live.tell(Event::CallerHungUp);
    live.store.flush().await.unwrap();
    for half in ["45395787", "6362 1486"] {
        assert_eq!(with(folder.path(), half.as_bytes()), Vec::<std::path::PathBuf>::new(), "{half}");
    }
    let shown = shown(folder.path()).await;
    assert_eq!(secrets::leaked("4539578763621486", &shown), None, "{shown}");
    assert!(live.blanks.iter().any(|(from, to)| *from < 300 && *to >= 8_000), "{:?}", live.blanks);
    live.store.close().await.unwrap();
}

#[tokio::test]
async fn a_card_keyed_for_an_account_number() {
    let folder = tempfile::tempdir().unwrap();
    let mut live = Live::begin(folder.path()).await;
    live.presses("1");
    live.presses("453957");
    live.store.flush().await.unwrap();
    assert!(!with(folder.path(), b"453957").is_empty(), "its beginning is on disk, as an account's number");
    live.presses("8763621486");
    live.tell(Event::CallerHungUp);
    live.store.flush().await.unwrap();
    assert_eq!(with(folder.path(), b"453957"), Vec::<std::path::PathBuf>::new());
    let shown = shown(folder.path()).await;
    assert_eq!(secrets::leaked("4539578763621486", &shown.replace(' ', "")), None, "{shown}");
    live.store.close().await.unwrap();
}

#[tokio::test]
async fn while_somebody_reads_the_records() {
    let folder = tempfile::tempdir().unwrap();
    let mut live = Live::begin(folder.path()).await;
    live.says("it is about order number 45395787");
    live.store.flush().await.unwrap();
    let others = database(folder.path()).await;
    let mut reader = others.begin().await.unwrap();
    let _: i64 = sqlx::query_scalar("SELECT COUNT(*) FROM calls").fetch_one(&mut *reader).await.unwrap();
    live.says("6362 1486");
    live.store.flush().await.unwrap();
    assert!(!with(folder.path(), b"45395787").is_empty(), "the reader's view of it is kept");
    drop(reader);
    others.close().await;
    live.tell(Event::CallerHungUp); // whatever is written next
    live.store.flush().await.unwrap();
    assert_eq!(with(folder.path(), b"45395787"), Vec::<std::path::PathBuf>::new());
    live.store.close().await.unwrap();
}

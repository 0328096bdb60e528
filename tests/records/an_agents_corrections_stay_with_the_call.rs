//! An agent who talked to the caller says what was otherwise: intent, emotion, headline. It stays with the call, sealed; the
//! emotion is a label to train with until it is taken back; erasing the call takes all of it.

use chrono::Utc;
use frontdesk::call::{Caller, Cause, Entry, Fact, FactKind, Note, Outcome, Reading, Summary};
use frontdesk::emotion::Class;
use frontdesk::records::{Corrections, Ending, Keys, Store, StoredFlow};

#[tokio::test]
async fn an_agents_corrections_stay_with_the_call() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open_with(folder.path(), Keys::parse(&"ab".repeat(32)).unwrap()).await.unwrap();
    let call = "call".to_owned();
    let caller = Caller { number: "+4930555123".into(), ..Caller::default() };
    store.begin(&call, &caller, Utc::now(), &StoredFlow::new("flow", &"{}").unwrap());
    for (seq, (start_ms, distress)) in [(1_000, 0.2), (5_000, 0.9), (9_000, 0.4)].into_iter().enumerate() {
        let end_ms = start_ms + 2_000;
        let reading = Reading { distress, start_ms, end_ms, whole: true, ..Reading::default() };
        store.note(&call, &Entry { seq: seq as u32, at_ms: end_ms, note: Note::Emotion(reading) });
    }
    let facts = vec![Fact { kind: FactKind::Wanted, text: "Wants the balance.".into(), entry: 0 }];
    let summary = Summary { outcome: Some(Outcome::HandedOver), language: "en".into(), facts };
    store.finish(&call, Ending { cause: Cause::Completed, ended: Utc::now(), summary, quality: None });
    store.flush().await.unwrap();
    let archive = store.archive().await.unwrap();
    assert!(archive.show(&call).await.unwrap().headline().contains("balance"));

    let corrections = Corrections {
        intent: Some("lost_card".into()),
        emotion: Some(Class::Happy),
        headline: Some("Card lost in Elm Street".into()),
    };
    archive.wrap_up(&call, "anna", None, "", &corrections).await.unwrap();
    let record = archive.show(&call).await.unwrap();
    assert_eq!(record.wrap_ups[0].corrections, corrections);
    assert_eq!(record.headline(), "Card lost in Elm Street");
    assert_eq!(archive.earlier("+4930555123", 1).await.unwrap()[0].headline, "Card lost in Elm Street");
    let labels = archive.labels().await.unwrap();
    assert_eq!(labels.len(), 1);
    assert_eq!((labels[0].from_ms, labels[0].emotion, labels[0].by.as_str()), (5_000, Class::Happy, "anna"));
    let to = folder.path().join("export");
    archive.export(&call, &to).await.unwrap();
    assert!(std::fs::read_to_string(to.join("record.json")).unwrap().contains("Card lost in Elm Street"));
    for name in ["calls.db", "calls.db-wal"] {
        let bytes = std::fs::read(folder.path().join(name)).unwrap();
        assert!(!bytes.windows(10).any(|part| part == b"Elm Street"), "{name}");
    }

    archive.wrap_up(&call, "anna", None, "", &Corrections::default()).await.unwrap();
    let record = archive.show(&call).await.unwrap();
    assert!(record.wrap_ups[0].corrections.is_empty() && record.headline().contains("balance"));
    assert_eq!(archive.labels().await.unwrap(), [], "taken back");

    archive.wrap_up(&call, "anna", None, "", &corrections).await.unwrap();
    archive.erase_caller("+4930555123").await.unwrap();
    assert_eq!(archive.labels().await.unwrap(), []);
    assert!(archive.show(&call).await.is_err());
    store.close().await.unwrap();
}

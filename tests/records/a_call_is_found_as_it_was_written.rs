//! What the engine writes about a call comes back from the records unchanged: by list, show, event log and export.

use std::collections::HashMap;
use std::io::Read;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use chrono::{DateTime, TimeDelta, Utc};
use frontdesk::call::{Caller, Cause, Entry, Fact, FactKind, IntentScore, Note, Outcome, Reading, Summary, Utterance};
use frontdesk::media::{Key, Quality};
use frontdesk::records::{Archive, Ending, Error, Filter, Leg, LoggedLine, Speaker, Store, StoredFlow};

fn caller(number: &str, line: &str) -> Caller {
    Caller {
        number: number.into(),
        name: Some("Ada Lovelace".into()),
        dialled: "600".into(),
        line: line.into(),
        ..Caller::default()
    }
}

fn timeline(caller: &Caller) -> Vec<Entry> {
    let heard = Utterance {
        text: "I'd like my balance, 余额".into(),
        alternatives: vec!["I'd like my ballads".into()],
        confidence: 0.83,
        language: "en".into(),
        start_ms: 2_100,
        end_ms: 3_900,
    };
    let notes = [
        (0, Note::Arrived(caller.clone())),
        (40, Note::Answered),
        (60, Note::Say { text: "How may I help?".into() }),
        (4_000, Note::Utterance(heard)),
        (
            4_050,
            Note::Intent {
                chosen: Some("balance".into()),
                scores: vec![IntentScore { intent: "balance".into(), score: 0.91 }],
            },
        ),
        (6_000, Note::Dtmf { key: Key::new('#').unwrap() }),
        (6_100, Note::Emotion(Reading { distress: 0.1, ..Reading::default() })),
        (9_000, Note::Ended { cause: Cause::CallerHungUp }),
    ];
    notes.into_iter().enumerate().map(|(seq, (at_ms, note))| Entry { seq: seq as u32, at_ms, note }).collect()
}

fn summary() -> Summary {
    Summary {
        outcome: Some(Outcome::Abandoned),
        language: "en".into(),
        facts: vec![Fact { kind: FactKind::Wanted, text: "balance enquiry".into(), entry: 4 }],
    }
}

fn quality() -> Quality {
    Quality { packets_received: 450, packets_lost: 3, jitter_ms: 1.5, ..Quality::default() }
}

/// Two calls on two lines, an hour apart; the first recorded.
async fn written(folder: &Path) -> (Store, DateTime<Utc>, Vec<LoggedLine>) {
    let store = Store::open(folder).await.unwrap();
    let flow = StoredFlow::new("bank", &serde_json::json!({ "z": 1, "a": [2.5] })).unwrap();
    let noon: DateTime<Utc> = "2026-11-21T12:00:00.250Z".parse().unwrap();
    let log: Vec<LoggedLine> = (0..3)
        .map(|n| LoggedLine {
            at_ms: n * 20,
            event_json: format!("{{\"event\":\"answer\", \"spaced\": {n}.50}}"),
            actions_json: "[ {\"action\":\"answer\"} ]".into(),
        })
        .collect();
    for (call, number, line, after) in [("0198-a", "+441", "bank", 0), ("0198-b", "+442", "parcels", 60)] {
        let caller = caller(number, line);
        let (call, began) = (call.to_string(), noon + TimeDelta::minutes(after));
        store.begin(&call, &caller, began, &flow);
        if after == 0 {
            let path = store.new_recording(&call, began, 20).await.unwrap();
            std::fs::write(path, b"RIFF").unwrap();
        }
        for entry in timeline(&caller) {
            store.note(&call, &entry);
        }
        for line in &log {
            store.log(&call, line.clone());
        }
        store.leg(&call, Leg { n: 1, agent: Some("anna".into()), began_ms: 7_000, ..Leg::default() });
        let ended = began + TimeDelta::milliseconds(9_000);
        let cause = if after == 0 { Cause::CallerHungUp } else { Cause::Completed };
        store.finish(&call, Ending { cause, ended, summary: summary(), quality: Some(quality()) });
    }
    store.flush().await.unwrap();
    (store, noon, log)
}

#[tokio::test]
async fn a_call_is_found_as_it_was_written() {
    let folder = tempfile::tempdir().unwrap();
    let (store, noon, log) = written(folder.path()).await;
    let archive = Archive::open(folder.path()).await.unwrap();
    let record = archive.show("0198-a").await.unwrap();
    assert_eq!(record.head.started, noon);
    assert_eq!(record.head.duration_s(), Some(9.0));
    assert_eq!(record.head.caller, caller("+441", "bank"));
    assert_eq!(record.head.cause, Some(Cause::CallerHungUp));
    assert_eq!(record.head.outcome, Some(Outcome::Abandoned));
    assert_eq!(record.head.lost, 0);
    assert_eq!(record.timeline, timeline(&caller("+441", "bank")));
    assert_eq!(record.summary, Some(summary()));
    assert_eq!(record.legs[0].quality, Some(quality()));
    assert_eq!((record.legs[0].agent.as_deref(), record.legs[0].ended_ms), (None, Some(9_000)));
    assert_eq!(record.legs[1].agent.as_deref(), Some("anna"));
    assert_eq!((record.recordings[0].state.as_str(), record.recordings[0].at_ms), ("closed", 20));
    assert_eq!(archive.event_log("0198-a").await.unwrap(), log, "to the byte");
    assert_eq!(archive.flow(&record.head.flow_hash).await.unwrap(), r#"{"a":[2.5],"z":1}"#);

    let lines: Vec<_> = record.transcript().into_iter().map(|line| (line.at_ms, line.speaker, line.text)).collect();
    assert_eq!(
        lines,
        [
            (60, Speaker::Bot, "How may I help?".to_string()),
            (2_100, Speaker::Caller, "I'd like my balance, 余额".to_string()),
            (6_000, Speaker::Caller, "[#]".to_string()),
        ]
    );

    store.reword(&"0198-a".to_string(), "Ada asked for her balance.".into());
    store.flush().await.unwrap();
    assert_eq!(archive.show("0198-a").await.unwrap().reworded.as_deref(), Some("Ada asked for her balance."));
    store.close().await.unwrap();
}

#[tokio::test]
async fn calls_are_chosen_by_time_line_cause_and_text() {
    let folder = tempfile::tempdir().unwrap();
    let (store, noon, _) = written(folder.path()).await;
    let archive = store.archive().await.unwrap();
    let found = async |filter: Filter| -> Vec<String> {
        archive.list(&filter).await.unwrap().into_iter().map(|call| call.call).collect()
    };
    assert_eq!(found(Filter::default()).await, ["0198-b", "0198-a"], "newest first");
    assert_eq!(found(Filter { limit: Some(1), ..Filter::default() }).await, ["0198-b"]);
    let later = Some(noon + TimeDelta::minutes(1));
    assert_eq!(found(Filter { since: later, ..Filter::default() }).await, ["0198-b"]);
    assert_eq!(found(Filter { until: later, ..Filter::default() }).await, ["0198-a"]);
    assert_eq!(found(Filter { line: Some("bank".into()), ..Filter::default() }).await, ["0198-a"]);
    assert_eq!(found(Filter { cause: Some(Cause::Completed), ..Filter::default() }).await, ["0198-b"]);
    for (text, calls) in [("+442", 1), ("BALANCE ENQ", 2), ("余额", 2), ("lovelace", 2), ("parachute", 0)] {
        assert_eq!(found(Filter { text: Some(text.into()), ..Filter::default() }).await.len(), calls, "{text}");
    }
    let nameless =
        |text: Option<&str>| Filter { text: text.map(Into::into), without_caller: true, ..Filter::default() };
    for (text, calls) in [(None, 2), (Some("+442"), 0), (Some("lovelace"), 0)] {
        let heads = archive.list(&nameless(text)).await.unwrap();
        assert_eq!(heads.len(), calls, "{text:?}");
        assert!(heads.iter().all(|head| head.caller.number.is_empty() && head.caller.name.is_none()), "{heads:?}");
    }
    assert!(matches!(archive.show("0198").await, Err(Error::Ambiguous(_))));
    assert!(matches!(archive.show("0199").await, Err(Error::NoSuchCall(_))));
    assert!(matches!(archive.show("").await, Err(Error::NoSuchCall(_))));
    assert_eq!(archive.show("last").await.unwrap().head.call, "0198-b");
    store.close().await.unwrap();
}

#[tokio::test]
async fn an_export_holds_the_whole_call_and_is_private() {
    let folder = tempfile::tempdir().unwrap();
    let (store, ..) = written(&folder.path().join("records")).await;
    let archive = store.archive().await.unwrap();
    let out = folder.path().join("out");
    archive.export("0198-a", &out).await.unwrap();
    archive.export("0198-a", &folder.path().join("out.tar")).await.unwrap();

    let mut packed = HashMap::new();
    for entry in tar::Archive::new(std::fs::File::open(folder.path().join("out.tar")).unwrap()).entries().unwrap() {
        let mut entry = entry.unwrap();
        let mut bytes = Vec::new();
        entry.read_to_end(&mut bytes).unwrap();
        packed.insert(entry.path().unwrap().display().to_string(), bytes);
    }
    for name in ["record.json", "timeline.jsonl", "event_log.jsonl", "flow.json", "recording.wav"] {
        assert_eq!(packed[name], std::fs::read(out.join(name)).unwrap(), "{name}");
        assert_eq!(out.join(name).metadata().unwrap().permissions().mode() & 0o777, 0o600, "{name}");
    }
    let entries: Vec<Entry> = String::from_utf8(packed["timeline.jsonl"].clone())
        .unwrap()
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(entries, timeline(&caller("+441", "bank")));
    assert!(matches!(archive.export("0198-a", &out).await, Err(Error::Export { .. })), "nothing is overwritten");
    store.close().await.unwrap();
}

#[tokio::test]
async fn the_folder_and_every_file_in_it_are_private_and_serve_one_engine() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("records");
    let (store, ..) = written(&root).await;
    let mut seen = 0;
    let mut folders = vec![root.clone()];
    while let Some(folder) = folders.pop() {
        assert_eq!(folder.metadata().unwrap().permissions().mode() & 0o777, 0o700, "{}", folder.display());
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o600, "{}", path.display());
                seen += 1;
            }
        }
    }
    assert!(seen >= 4, "database, its logs, lock, recording: {seen}");
    assert!(matches!(Store::open(&root).await, Err(Error::InUse(_))));
    store.close().await.unwrap();
    Store::open(&root).await.unwrap().close().await.unwrap();
    assert!(matches!(Archive::open(&folder.path().join("elsewhere")).await, Err(Error::NoRecords(_))));
}

//! Calls that really took place, on record, and what `frontdesk learn` prints of them.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use frontdesk::call::Caller;
use frontdesk::config::{self, Secrets};
use frontdesk::dialog::flow::Flow;
use frontdesk::media::{Frame, Recordings, Tone};
use frontdesk::records::{Ending, Keys, Store, StoredFlow};

use crate::script::Script;

pub const KEY: &str = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";

/// A configuration whose records are sealed, with its flow `desk` in a file of its own.
pub fn configured(folder: &Path, flow: &str) -> PathBuf {
    let path = folder.join("desk.yaml");
    std::fs::write(folder.join("flow.yaml"), flow).unwrap();
    std::fs::write(folder.join("records.key"), KEY).unwrap();
    let config = "
lines: { desk: { numbers: ['1'], flow: desk } }
agents: { anna: { password: { env: NOWHERE }, queues: [desk] } }
queues: { desk: {} }
flows: [flow.yaml]
records: { folder: records, key: { file: records.key } }
";
    std::fs::write(&path, config).unwrap();
    path
}

pub fn flow(config: &Path) -> Arc<Flow> {
    let config = config::load_with(config, Secrets::Optional).unwrap_or_else(|problems| panic!("{problems}"));
    config.flows["desk"].clone()
}

/// Writes down calls that are over, `call-0` and so on, a minute apart from an hour ago. The `recorded` ones have a recording
/// that begins a second into the call.
pub async fn written(config: &Path, calls: &[Script], recorded: &[usize]) -> DateTime<Utc> {
    let flow = flow(config);
    let folder = config.with_file_name("records");
    let store = Store::open_with(&folder, Keys::parse(KEY).unwrap()).await.unwrap();
    let stored = StoredFlow::new(&flow.name, &*flow).unwrap();
    let began = Utc::now() - TimeDelta::hours(1);
    for (n, script) in calls.iter().enumerate() {
        let (call, began) = (format!("call-{n}"), began + TimeDelta::minutes(n as i64));
        let (summary, cause) = script.finished().expect("they all ended");
        store.begin(&call, &Caller::default(), began, &stored);
        script.call.timeline().iter().for_each(|entry| store.note(&call, entry));
        if recorded.contains(&n) {
            let path = store.new_recording(&call, began, 1_000).await.unwrap();
            let recordings = Recordings::start().unwrap();
            let mut recorder = recordings.record_sealed(&path, 8_000, 8_000, store.recording_seal(&call)).unwrap();
            let (mut tone, mut frame, other) = (Tone::sine(440.0, -20.0), Frame::silence(8_000), Frame::silence(8_000));
            for _ in 0..180 {
                tone.next(&mut frame);
                recorder.write(&frame, &other);
            }
            recorder.finish().wait().unwrap();
        }
        let ended = began + TimeDelta::milliseconds(script.now as i64);
        store.finish(&call, Ending { cause, ended, summary: summary.clone(), quality: None });
    }
    store.close().await.unwrap();
    began
}

/// What the command prints; models are nowhere, so that sentences are compared by letters.
pub fn learn(args: &[&str], config: &Path) -> String {
    let nowhere = config.with_file_name("no-models");
    let done = Command::new(env!("CARGO_BIN_EXE_frontdesk"))
        .arg("learn")
        .args(args.iter().map(|arg| if *arg == "CONFIG" { config.to_str().unwrap() } else { arg }))
        .env("FRONTDESK_MODELS", nowhere)
        .output()
        .unwrap();
    assert!(done.status.success(), "{args:?}: {}", String::from_utf8_lossy(&done.stderr));
    String::from_utf8(done.stdout).unwrap()
}

//! `frontdesk call --local`: one command, no second terminal; the bank speaks from the loudspeaker.

use std::path::Path;
use std::time::{Duration, Instant};

use crate::common;
use common::command::Terminal;
use common::pulse::{self, Pulse};

/// Loading models, and making prompts that are not on the disk yet, on a busy machine.
const LOADED: Duration = Duration::from_secs(540);
const SOON: Duration = Duration::from_secs(30);

#[tokio::test]
async fn the_bank_greets_its_caller_and_is_hung_up() {
    let (pulse, folder) = (Pulse::start(), tempfile::tempdir().unwrap());
    let config = bank(folder.path());
    let args = ["call", "--local", "--line", "bank", "--config", &config];
    let mut call = Terminal::run(&args, &[("PULSE_SERVER", &pulse.address())]);
    call.says("calling sip:1000@127.0.0.1:", LOADED).await;
    call.says("answered", SOON).await;
    let (heard, answered) = (pulse.listen(), Instant::now());
    loop {
        // Louder than any noise, in frames of 20 ms: a second of it is a sentence, and no tone sounds any more.
        let frames = heard.heard();
        let loud = |frame: &&[i16]| frame.iter().any(|sample| sample.unsigned_abs() > 1_000);
        if frames.chunks_exact(pulse::RATE as usize / 50).filter(loud).count() >= 50 {
            break;
        }
        assert!(answered.elapsed() < SOON, "no greeting within {SOON:?}");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    call.interrupt().await;
    let (said, code) = call.ends(SOON).await;
    assert_eq!((said.last().map(String::as_str), code), (Some("you hung up"), Some(0)), "{said:#?}");
}

#[tokio::test]
async fn who_does_not_wait_for_the_models_is_let_go_at_once() {
    let (pulse, folder) = (Pulse::start(), tempfile::tempdir().unwrap());
    let (config, models) = (bank(folder.path()), frontdesk::models::dir());
    // Nothing made ahead is at hand: learning and speaking would take minutes.
    let (cache, models) = (folder.path().display().to_string(), models.display().to_string());
    let address = pulse.address();
    let env = [("PULSE_SERVER", address.as_str()), ("XDG_CACHE_HOME", &cache), ("FRONTDESK_MODELS", &models)];
    let mut call = Terminal::run(&["call", "--local", "--config", &config], &env);
    call.says("starting an engine", SOON).await;
    tokio::time::sleep(Duration::from_secs(3)).await; // it loads
    call.interrupt().await;
    let (said, code) = call.ends(Duration::from_secs(8)).await;
    assert_eq!((said.len(), code), (1, Some(1)), "{said:#?}");
}

/// Before a sound card is looked for, or a model loaded.
#[tokio::test]
async fn a_line_that_is_not_there_is_told_with_those_that_are() {
    let config = concat!(env!("CARGO_MANIFEST_DIR"), "/config/example.yaml");
    let args = ["call", "--local", "--line", "shop", "--config", config];
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_frontdesk")).args(args).output().unwrap();
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(told.contains("no line \"shop\" (there are: bank, parcel)"), "{told}");
    assert_eq!(output.status.code(), Some(1));
}

/// The bank's line, its records in `folder`. The agents' passwords are not there (unless this checkout has run): an
/// engine for one call needs none.
fn bank(folder: &Path) -> String {
    let config = folder.join("config.yaml");
    let bank = concat!(env!("CARGO_MANIFEST_DIR"), "/config/bank.yaml");
    let text = format!("include: [{bank}]\nrecords: {{ folder: {}/records }}\n", folder.display());
    std::fs::write(&config, text).unwrap();
    config.display().to_string()
}

//! A process that records a call is killed with SIGKILL: at most one second is lost, the header is valid.

use std::{
    io::{BufRead as _, BufReader, Write as _},
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use frontdesk::media::{Frame, Recordings, Tone, file, repair_wav};

const FILE: &str = "FRONTDESK_TEST_RECORDING";

#[test]
fn a_killed_process_leaves_a_playable_recording() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("call.wav");
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args([
            "--exact",
            "a_killed_process_leaves_a_playable_recording::the_process_that_records",
            "--ignored",
            "--nocapture",
        ])
        .env(FILE, &path)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    // The child says how much it has recorded; after a bit more than 2 s it dies in the middle of a sentence.
    let mut told_ms = 0;
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    while told_ms < 2_140 {
        let line = lines.next().expect("the child records").unwrap();
        if let Some(ms) = line.strip_prefix("recorded ") {
            told_ms = ms.parse().unwrap();
        }
    }
    child.kill().unwrap(); // SIGKILL
    child.wait().unwrap();

    let reader = hound::WavReader::open(&path).expect("the header is valid as it was left");
    let kept_ms = u64::from(reader.duration()) / 8;
    assert!(kept_ms + 1_000 >= told_ms, "{kept_ms} of {told_ms} ms kept");
    let repaired = repair_wav(&path).unwrap();
    assert!(repaired.ms >= kept_ms);
    let caller = file::read_channel(&path, 0).unwrap();
    assert_eq!(caller.ms(), repaired.ms);
    let level = caller.samples.iter().map(|&s| f64::from(s).powi(2)).sum::<f64>() / caller.samples.len() as f64;
    assert!((level.sqrt() - 3_276.8).abs() < 100.0, "the caller's tone of -20 dBov is in it");
}

#[test]
#[ignore = "run and killed by the test above"]
fn the_process_that_records() {
    let path = std::env::var_os(FILE).expect("started by the test above");
    let mut recorder = Recordings::start().unwrap().record(path, 8_000, 8_000).unwrap();
    let (mut tone, mut caller, other) = (Tone::sine(440.0, -20.0), Frame::silence(8_000), Frame::silence(8_000));
    let start = Instant::now();
    for beat in 1..1_000u32 {
        tone.next(&mut caller);
        recorder.write(&caller, &other);
        println!("recorded {}", beat * 20);
        std::io::stdout().flush().unwrap();
        // A recording is a matter of wall time: this process lives as a call does.
        std::thread::sleep((start + Duration::from_millis(20) * beat).saturating_duration_since(Instant::now()));
    }
}

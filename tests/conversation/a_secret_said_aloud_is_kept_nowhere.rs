//! A caller who says the PIN while keying it: not a word of it reaches the timeline, though the last key ends the
//! masking while they still speak.

use std::process::Command;

use frontdesk::media::file;

const FLOW: &str = r#"
lines: { main: { numbers: ["100"], flow: pin } }
agents: { anna: { uri: "sip:anna@127.0.0.1:5070", queues: [desk] } }
queues: { desk: {} }
backends: { check: { url: "http://127.0.0.1:9/pin", method: POST, timeout_ms: 200 } }
flows:
  - flow: pin
    language: en
    person: { queue: desk }
    start: code
    steps:
      code: { ask: Key in your four digit code., slot: pin, type: digits, length: 4, secret: true, label: code, next: look }
      look: { fetch: check, with: { pin: "{pin}" }, save: {}, next: more, not_found: more, failed: more }
      more: { ask: What is this about?, slot: matter, type: free, label: matter, next: bye }
      bye: { hang_up: Goodbye. }
"#;

#[test]
fn a_secret_said_aloud_is_kept_nowhere() {
    let folder = tempfile::tempdir().unwrap();
    let (config, audio) = (folder.path().join("config.yaml"), folder.path().join("caller.wav"));
    std::fs::write(&config, FLOW).unwrap();
    let spec = hound::WavSpec {
        channels: 1,
        sample_rate: 8_000,
        bits_per_sample: 16,
        sample_format: hound::SampleFormat::Int,
    };
    let mut wav = hound::WavWriter::create(&audio, spec).unwrap();
    // Silence, then 1 2 3 4 and once more 1 2 3 4 in one go, 4 s to about 8 s.
    let digit = |digit: u32| {
        let path = format!("{}/audio_fixtures/digits/{digit}_jackson_3.wav", env!("CARGO_MANIFEST_DIR"));
        file::read(path).unwrap().at_rate(8_000).samples
    };
    let mut samples = vec![0; 4 * 8_000];
    [1, 2, 3, 4, 1, 2, 3, 4].into_iter().for_each(|n| samples.extend(digit(n)));
    let spoken_ms = samples.len() as u64 / 8 - 4_000;
    samples.extend([0; 2 * 8_000]);
    samples.into_iter().for_each(|sample| wav.write_sample(sample).unwrap());
    wav.finalize().unwrap();

    let keys = (0..4).flat_map(|n| ["--key".into(), format!("{}:{}", 4_000 + (n + 1) * spoken_ms / 8, n + 1)]);
    let output = Command::new(env!("CARGO_BIN_EXE_frontdesk"))
        .args(["replay", "--json", "--config"])
        .args([&config, &audio])
        .args(keys)
        .output()
        .unwrap();
    let timeline = String::from_utf8(output.stdout).unwrap();
    assert!(
        timeline.contains(r#""slot":"pin","value":"***""#),
        "{timeline}{}",
        String::from_utf8_lossy(&output.stderr)
    );
    assert!(!timeline.contains(r#""event":"utterance""#), "{timeline}");
}

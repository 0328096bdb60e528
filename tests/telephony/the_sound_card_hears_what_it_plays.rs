//! The sound card's port against a virtual card: PulseAudio's null sink, whose monitor is the microphone.

use std::{
    process::Command,
    time::{Duration, Instant},
};

use crate::common;
use common::pulse::{Pulse, REMEDY};
use frontdesk::{
    local::{SoundCard, devices},
    media::{Frame, Port, Tone},
};

/// ALSA reads where the server is from the environment, so what uses it runs in a process of its own.
fn in_a_process_of_its_own(test: &str, server: &str) {
    let test = format!("the_sound_card_hears_what_it_plays::{test}");
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", &test, "--ignored", "--nocapture"])
        .env("PULSE_SERVER", server)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && said.contains("1 passed"), "{said}");
}

#[test]
fn the_sound_card_hears_what_it_plays() {
    let pulse = Pulse::looped();
    in_a_process_of_its_own("a_tone_makes_the_round", &pulse.address());
}

#[test]
fn without_a_sound_card_the_error_says_what_to_do() {
    in_a_process_of_its_own("nothing_is_there", "unix:/nonexistent/frontdesk-test");
}

#[test]
#[ignore = "run by a test above, with a sound server"]
fn a_tone_makes_the_round() {
    let listed = devices().unwrap();
    assert!(listed.iter().any(|device| device.input && device.output), "{listed:?}; {REMEDY}");
    for (rate, name) in [(8_000, None), (16_000, Some("pulse"))] {
        let mut card = SoundCard::open(rate, name, name).unwrap_or_else(|error| panic!("{error}; {REMEDY}"));
        let (mut low, mut heard) = (Tone::sine(1_000.0, -12.0), vec![]);
        let (mut frame, start) = (Frame::silence(rate), Instant::now());
        // Silence for half a second, the tone for one, silence again; a sound card lives in real time.
        for beat in 0..125u32 {
            let now = Instant::now();
            card.receive(now, &mut frame);
            heard.push((power_at(&frame, 1_000.0), frame.level()));
            let mut out = Frame::silence(rate);
            if (25..75).contains(&beat) {
                low.next(&mut out);
            }
            card.send(now, Some(&out));
            let next = start + Duration::from_millis(20) * (beat + 1);
            std::thread::sleep(next.saturating_duration_since(Instant::now()));
        }
        let quality = card.quality();
        let loud = |&(power, level): &(f64, f32)| level > 0.1 && power > 0.9 * f64::from(level);
        let begins = heard.iter().position(loud).unwrap_or_else(|| panic!("no tone was heard: {quality:?}"));
        let count = heard.iter().filter(|frame| loud(frame)).count();
        println!(
            "{rate} Hz: tone heard {} ms after it was sent, {count} of 50 frames; {quality:?}",
            (begins - 25) * 20
        );
        assert!(begins >= 25, "not before it was sent");
        assert!(begins - 25 <= 25, "within half a second there and back: {} ms", (begins - 25) * 20);
        assert!(count >= 40, "{count} of 50 frames of tone; {quality:?}");
        assert!(heard[..25].iter().all(|frame| !loud(frame)));
    }
    let error = SoundCard::open(8_000, Some("no such card"), None).err().unwrap().to_string();
    assert!(error.contains("no microphone named \"no such card\"") && error.contains("pulse"), "{error}");
}

#[test]
#[ignore = "run by a test above, without a sound server"]
fn nothing_is_there() {
    let error = SoundCard::open(8_000, None, None).err().expect("no sound server, no card").to_string();
    assert!(error.contains("microphone") && error.contains("headset") && error.contains("frontdesk replay"), "{error}");
}

/// Effective level of one frequency in a frame, by correlation.
fn power_at(frame: &Frame, hz: f64) -> f64 {
    let (mut a, mut b) = (0.0, 0.0);
    for (n, &sample) in frame.samples().iter().enumerate() {
        let phase = n as f64 * hz * std::f64::consts::TAU / f64::from(frame.rate());
        a += f64::from(sample) / 32_768.0 * phase.cos();
        b += f64::from(sample) / 32_768.0 * phase.sin();
    }
    (a.powi(2) + b.powi(2)).sqrt() * 2f64.sqrt() / frame.len() as f64
}

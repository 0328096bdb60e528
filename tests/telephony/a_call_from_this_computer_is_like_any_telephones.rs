//! `frontdesk call` with a microphone and a loudspeaker (PulseAudio's null sinks) against telephones that are not
//! this command: a softphone, SIPp, and an endpoint that writes down what it hears.

use std::process::Command;
use std::time::Duration;

use crate::common;
use common::baresip::{Baresip, Phone, Sound};
use common::command::Terminal;
use common::pulse::{self, Pulse};
use common::sipp::Sipp;
use common::talk::{talk, tone_ms};
use common::{called, eventually, free_port, nothing_is_left, settings};
use frontdesk::media::{Frame, Tone};
use frontdesk::sip::{Endpoint, LegEvent};

/// Anything that a healthy call does at once, on a busy machine.
const SOON: Duration = Duration::from_secs(20);

fn sine(hz: f64, seconds: usize) -> Vec<i16> {
    let (mut tone, mut samples) = (Tone::sine(hz, -12.0), vec![]);
    for _ in 0..seconds * 50 {
        let mut frame = Frame::silence(pulse::RATE);
        tone.next(&mut frame);
        samples.extend_from_slice(frame.samples());
    }
    samples
}

#[tokio::test]
async fn a_softphone_rings_is_heard_hears_and_hangs_up() {
    let pulse = Pulse::start();
    let phone = Phone { expires: 0, sound: Sound::Sine(600.0), ..Phone::default() };
    let mut phone = Baresip::start(&phone).await;
    let (_voice, heard_here) = (pulse.say(&sine(1_000.0, 60)), pulse.listen());
    let mut call = Terminal::run(&["call", &phone.uri()], &[("PULSE_SERVER", &pulse.address())]);
    call.says("ringing", SOON).await;
    phone.wait_for("CALL_INCOMING", SOON).await;
    eventually("the ringing tone is heard here", SOON, || tone_ms(&heard_here.heard(), pulse::RATE, 425.0) >= 500)
        .await;
    phone.accept().await;
    call.says("answered", SOON).await;
    eventually("the phone is heard here", SOON, || tone_ms(&heard_here.heard(), pulse::RATE, 600.0) >= 1_000).await;
    eventually("this computer is heard there", SOON, || {
        let (samples, rate) = phone.heard();
        tone_ms(&samples, rate, 1_000.0) >= 1_000
    })
    .await;
    phone.hang_up().await;
    let (said, code) = call.ends(SOON).await;
    assert_eq!((said.last().map(String::as_str), code), (Some("the other side hung up"), Some(0)), "{said:#?}");
    phone.stop().await;
}

#[tokio::test]
async fn keys_are_sent_and_ctrl_c_hangs_up() {
    let pulse = Pulse::start();
    let (endpoint, mut calls) = Endpoint::start(settings()).await.unwrap();
    let _voice = pulse.say(&sine(1_000.0, 60));
    let uri = format!("sip:1000@{}", endpoint.listening()[0]);
    let args = ["call", &uri, "--from", "+441632960961", "--input", "pulse", "--output", "pulse"];
    let mut call = Terminal::run(&args, &[("PULSE_SERVER", &pulse.address())]);
    let incoming = called(&mut calls).await;
    assert_eq!((incoming.from_number.as_str(), incoming.to_number.as_str()), ("+441632960961", "1000"));
    let leg = incoming.answer().await.unwrap();
    let heard = tokio::spawn(talk(leg, 600.0, "", Duration::from_secs(60)));
    call.says("answered", SOON).await;
    call.types("1 2x\n#\n").await;
    call.says("'x' is no telephone key", SOON).await;
    tokio::time::sleep(Duration::from_secs(2)).await; // the call goes on for a while
    call.interrupt().await;
    let (said, code) = call.ends(SOON).await;
    assert_eq!((said.last().map(String::as_str), code), (Some("you hung up"), Some(0)), "{said:#?}");
    let heard = heard.await.unwrap();
    assert_eq!(heard.events, [LegEvent::HungUp], "BYE arrived");
    assert_eq!(heard.keys, "12#");
    assert!(heard.has_tone(1_000.0, 1_000), "{} ms of tone; {:?}", heard.tone_ms(1_000.0), heard.quality);
    nothing_is_left(&endpoint).await;
}

#[tokio::test]
async fn who_gives_up_stops_the_ringing() {
    let pulse = Pulse::start();
    let phone = Sipp::phone("agent_rings_only").start();
    let mut call = Terminal::run(&["call", &phone.uri()], &[("PULSE_SERVER", &pulse.address())]);
    call.says("ringing", SOON).await;
    call.interrupt().await;
    let (said, code) = call.ends(SOON).await;
    assert_eq!((said.last().map(String::as_str), code), (Some("given up before it was answered"), Some(1)));
    phone.finish().await; // it has seen CANCEL, and ACK for its 487
}

#[tokio::test]
async fn who_is_not_let_in_is_told_why() {
    let pulse = Pulse::start();
    for (scenario, why) in [("agent_is_busy", "failed: busy"), ("agent_declines", "failed: declined")] {
        let phone = Sipp::phone(scenario).start();
        let call = Terminal::run(&["call", &phone.uri()], &[("PULSE_SERVER", &pulse.address())]);
        let (said, code) = call.ends(SOON).await;
        assert!(said.last().is_some_and(|line| line.starts_with(why)), "{said:#?}");
        assert_eq!(code, Some(1));
        phone.finish().await;
    }
    let nobody = format!("sip:1000@127.0.0.1:{}", free_port());
    let call = Terminal::run(&["call", &nobody], &[("PULSE_SERVER", &pulse.address())]);
    let (said, code) = call.ends(SOON).await;
    assert!(said.last().is_some_and(|line| line.contains("nothing answers at that address")), "{said:#?}");
    assert_eq!(code, Some(1));
}

/// Nobody is rung, no model loaded: the phone that is called sees nothing.
#[tokio::test]
async fn without_a_sound_card_nobody_is_rung() {
    let (endpoint, mut calls) = Endpoint::start(settings()).await.unwrap();
    let uri = format!("sip:1000@{}", endpoint.listening()[0]);
    let no_server = ("PULSE_SERVER", "unix:/nonexistent/frontdesk-test");
    let no_alsa = ("ALSA_CONFIG_PATH", "/nonexistent/alsa.conf");
    for (args, env) in
        [(vec!["call", &uri], no_server), (vec!["call", &uri], no_alsa), (vec!["call", "--local"], no_server)]
    {
        let output = Command::new(env!("CARGO_BIN_EXE_frontdesk")).args(&args).envs([env]).output().unwrap();
        let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert_eq!(output.status.code(), Some(1), "{args:?} {env:?}: {out}{err}");
        assert!(out.is_empty(), "{out}");
        let lines: Vec<_> = err.lines().collect();
        assert!(lines.len() == 1 && lines[0].contains("microphone") && lines[0].contains("headset"), "{args:?}: {err}");
    }
    assert!(calls.try_recv().is_err());
}

#[tokio::test]
async fn the_devices_are_listed_by_what_they_can_do() {
    let pulse = Pulse::start();
    let call = Terminal::run(&["call", "--devices"], &[("PULSE_SERVER", &pulse.address())]);
    let (said, code) = call.ends(SOON).await;
    assert!(
        said.iter().any(|line| line.starts_with("pulse") && line.contains("microphone and loudspeaker")),
        "{said:#?}"
    );
    assert_eq!(code, Some(0));
}

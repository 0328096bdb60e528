//! What is said first after the answer reaches the caller's telephone whole: nothing is sent before the ACK.

use std::time::Duration;

use crate::common;
use common::baresip::{Baresip, Phone, Sound};
use common::sipp::Sipp;
use common::talk::{speak, tone_ms};
use common::{called, nothing_is_left, settings};
use frontdesk::media::{Frame, Tone};
use frontdesk::sip::Endpoint;

const SECONDS: Duration = Duration::from_secs(10);
/// Milliseconds of tone that are the first thing said.
const FIRST_MS: usize = 400;

#[tokio::test]
async fn at_a_softphone() {
    let (endpoint, mut calls) = Endpoint::start(settings()).await.unwrap();
    let registrar = endpoint.listening()[0];
    let sound = Sound::Speech(Duration::ZERO, Vec::new());
    let mut caller = Baresip::start(&Phone { registrar, expires: 0, sound, ..Phone::default() }).await;
    caller.dial(&format!("sip:1000@{registrar}")).await;
    let incoming = called(&mut calls).await;
    incoming.ring().await;
    let mut leg = incoming.answer().await.unwrap();
    // A tone that is over before a clipped beginning could hide in it.
    let (mut tone, mut beat) = (Tone::sine(700.0, -10.0), tokio::time::interval(Duration::from_millis(20)));
    for n in 0..FIRST_MS / 20 + 50 {
        beat.tick().await;
        let mut frame = Frame::silence(8_000);
        leg.port.receive(std::time::Instant::now(), &mut Frame::silence(8_000));
        if n < FIRST_MS / 20 {
            tone.next(&mut frame);
        }
        leg.port.send(std::time::Instant::now(), Some(&frame));
    }
    leg.hang_up().await;
    caller.wait_for("CALL_CLOSED", SECONDS).await;
    let (heard, rate) = caller.stop().await;
    let heard_ms = tone_ms(&heard, rate, 700.0);
    assert!(heard_ms + 20 >= FIRST_MS, "{heard_ms} of {FIRST_MS} ms");
    nothing_is_left(&endpoint).await;
}

#[tokio::test]
async fn at_a_caller_whose_ack_is_late() {
    let (endpoint, mut calls) = Endpoint::start(settings()).await.unwrap();
    let caller = Sipp::new("caller_acknowledges_late", endpoint.listening()[0]).start();
    let began = std::time::Instant::now();
    let mut leg = called(&mut calls).await.answer().await.unwrap();
    let waited = began.elapsed();
    assert!(waited >= Duration::from_millis(380), "sound may begin after {waited:?}, before the ACK");
    speak(&mut leg, 440.0, "", Duration::from_secs(5)).await;
    caller.finish().await;
    drop(leg);
    nothing_is_left(&endpoint).await;
}

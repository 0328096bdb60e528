//! A real SIP client (SIPp) calls over UDP and TCP, with an early and a late offer; sound and keys go both ways.

use std::time::Duration;

use crate::common;
use common::sipp::Sipp;
use common::talk::{Heard, talk};
use common::{called, nothing_is_left, settings};
use frontdesk::sip::{Endpoint, LegEvent};

const LIMIT: Duration = Duration::from_secs(10);

/// Answers one call of `caller` with a tone and two keys, all of which SIPp sends back.
async fn call(caller: impl FnOnce(std::net::SocketAddr) -> Sipp) -> Heard {
    let (endpoint, mut calls) = Endpoint::start(settings()).await.unwrap();
    let caller = caller(endpoint.listening()[0]).start();
    let incoming = called(&mut calls).await;
    assert_eq!(incoming.from_number, "5551234");
    assert_eq!(incoming.from_name.as_deref(), Some("Ann Caller"));
    assert_eq!(incoming.to_number, "800");
    assert!(!format!("{incoming:?}").contains("5551234"), "numbers are not for logs");
    incoming.ring().await;
    let leg = incoming.answer().await.unwrap();
    assert_eq!((endpoint.counts().calls, endpoint.counts().rtp_ports), (1, 1));
    let heard = talk(leg, 440.0, "5#", LIMIT).await;
    caller.finish().await;
    nothing_is_left(&endpoint).await;
    endpoint.shutdown().await;
    heard
}

fn is_good(heard: &Heard) {
    assert_eq!(heard.events, [LegEvent::HungUp]);
    assert!(heard.has_tone(440.0, 800), "{} ms of tone, {:?}", heard.tone_ms(440.0), heard.quality);
    assert_eq!(heard.keys, "5#");
    let quality = heard.quality;
    assert!(quality.packets_received > 60 && quality.packets_sent > 60, "{quality:?}");
    assert_eq!((quality.packets_bad, quality.packets_lost), (0, 0), "{quality:?}");
    assert!(quality.jitter_ms < 20.0 && quality.concealed < 0.2, "{quality:?}");
}

#[tokio::test]
async fn over_udp() {
    is_good(&call(|target| Sipp::new("caller", target).speaks_for(2_000)).await);
}

#[tokio::test]
async fn over_tcp() {
    is_good(&call(|target| Sipp::new("caller", target).tcp().speaks_for(2_000)).await);
}

#[tokio::test]
async fn with_the_offer_left_to_us() {
    is_good(&call(|target| Sipp::new("caller_late_offer", target).speaks_for(2_000)).await);
}

#[tokio::test]
async fn and_we_may_hang_up_first() {
    for tcp in [false, true] {
        let (endpoint, mut calls) = Endpoint::start(settings()).await.unwrap();
        let caller = Sipp::new("caller_waits", endpoint.listening()[0]);
        let caller = if tcp { caller.tcp() } else { caller }.start();
        let leg = called(&mut calls).await.answer().await.unwrap();
        let heard = talk(leg, 440.0, "", Duration::from_millis(300)).await;
        assert_eq!(heard.events, []);
        caller.finish().await;
        nothing_is_left(&endpoint).await;
    }
}

#[tokio::test]
async fn a_leg_that_is_dropped_hangs_up() {
    let (endpoint, mut calls) = Endpoint::start(settings()).await.unwrap();
    let caller = Sipp::new("caller_waits", endpoint.listening()[0]).start();
    drop(called(&mut calls).await.answer().await.unwrap());
    caller.finish().await;
    nothing_is_left(&endpoint).await;
}

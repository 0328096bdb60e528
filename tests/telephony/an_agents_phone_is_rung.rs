//! Calls that go out: answered, hung up by either side, busy, declined, not answered, not there.

use std::time::Duration;

use crate::common;
use common::sipp::Sipp;
use common::talk::talk;
use common::{free_port, nothing_is_left, settings};
use frontdesk::sip::{Endpoint, Error, FailureReason, InviteRequest, Leg, LegEvent, Outgoing, OutgoingEvent, Target};

fn request(to: Target, ring_ms: u64) -> InviteRequest {
    InviteRequest {
        to,
        from_display: "Bank, balance \"due\"".into(),
        headers: vec![("X-Frontdesk-Call".into(), "call-7".into())],
        ring_timeout: Duration::from_millis(ring_ms),
    }
}

async fn ring(endpoint: &Endpoint, uri: String, ring_ms: u64) -> Outgoing {
    endpoint.invite(request(Target::Uri(uri), ring_ms)).await.unwrap()
}

/// Whether it rang, and how it ended.
async fn outcome(outgoing: &mut Outgoing) -> (bool, Result<Leg, (u16, FailureReason)>) {
    let mut rang = false;
    loop {
        match outgoing.events.recv().await.expect("an end") {
            OutgoingEvent::Ringing => rang = true,
            OutgoingEvent::Answered(leg) => return (rang, Ok(leg)),
            OutgoingEvent::Failed { status, reason } => return (rang, Err((status, reason))),
        }
    }
}

#[tokio::test]
async fn and_answers_and_both_hear() {
    for tcp in [false, true] {
        let (endpoint, _calls) = Endpoint::start(settings()).await.unwrap();
        let phone = Sipp::phone("agent_answers");
        let phone = if tcp { phone.tcp().start().listens().await } else { phone.start() };
        let mut outgoing = ring(&endpoint, phone.uri(), 5_000).await;
        let (rang, leg) = outcome(&mut outgoing).await;
        assert!(rang, "by TCP: {tcp}, {:?}", leg.err());
        let heard = talk(leg.unwrap(), 800.0, "7", Duration::from_millis(1_500)).await;
        assert!(heard.has_tone(800.0, 500), "{:?}", heard.quality);
        assert_eq!(heard.keys, "7");
        phone.finish().await;
        nothing_is_left(&endpoint).await;
    }
}

#[tokio::test]
async fn and_the_agent_hangs_up() {
    let (endpoint, _calls) = Endpoint::start(settings()).await.unwrap();
    let phone = Sipp::phone("agent_answers_and_leaves").speaks_for(500).start();
    let mut outgoing = ring(&endpoint, phone.uri(), 5_000).await;
    let leg = outcome(&mut outgoing).await.1.unwrap();
    let heard = talk(leg, 800.0, "", Duration::from_secs(5)).await;
    assert_eq!(heard.events, [LegEvent::HungUp]);
    phone.finish().await;
    nothing_is_left(&endpoint).await;
}

#[tokio::test]
async fn and_is_busy_or_declines_or_speaks_another_codec() {
    for (scenario, rings, status, reason) in [
        ("agent_is_busy", false, 486, FailureReason::Busy),
        ("agent_declines", true, 603, FailureReason::Declined),
        ("agent_answers_without_sound", false, 488, FailureReason::Unreachable),
    ] {
        let (endpoint, _calls) = Endpoint::start(settings()).await.unwrap();
        let phone = Sipp::phone(scenario).start();
        let (rang, end) = outcome(&mut ring(&endpoint, phone.uri(), 5_000).await).await;
        assert_eq!((rang, end.err()), (rings, Some((status, reason))), "{scenario}");
        phone.finish().await;
        nothing_is_left(&endpoint).await;
    }
}

#[tokio::test]
async fn and_nobody_answers_or_we_give_up() {
    let (endpoint, _calls) = Endpoint::start(settings()).await.unwrap();
    let phone = Sipp::phone("agent_rings_only").start();
    let (rang, end) = outcome(&mut ring(&endpoint, phone.uri(), 1_000).await).await;
    assert_eq!((rang, end.err()), (true, Some((408, FailureReason::NoAnswer))));
    phone.finish().await;

    let phone = Sipp::phone("agent_rings_only").start();
    let mut outgoing = ring(&endpoint, phone.uri(), 20_000).await;
    assert!(matches!(outgoing.events.recv().await, Some(OutgoingEvent::Ringing)));
    outgoing.cancel().await;
    phone.finish().await; // it has seen CANCEL and ACK
    nothing_is_left(&endpoint).await;
}

#[tokio::test]
async fn and_is_not_there() {
    let (endpoint, _calls) = Endpoint::start(settings()).await.unwrap();
    let nobody = endpoint.invite(request(Target::Registered("alice".into()), 5_000)).await;
    assert!(matches!(nobody.err(), Some(Error::NotRegistered)));
    let nonsense = endpoint.invite(request(Target::Uri("tel:+123".into()), 5_000)).await;
    assert!(matches!(nonsense.err(), Some(Error::Uri)));
    let started = std::time::Instant::now();
    for transport in ["udp", "tcp"] {
        let uri = format!("sip:agent@127.0.0.1:{};transport={transport}", free_port());
        let (rang, end) = outcome(&mut ring(&endpoint, uri, 60_000).await).await;
        assert_eq!(
            (rang, end.err().map(|(_, reason)| reason)),
            (false, Some(FailureReason::Unreachable)),
            "{transport}"
        );
    }
    assert!(started.elapsed() < Duration::from_secs(13), "a phone that is not there does not hold up a caller");
    nothing_is_left(&endpoint).await;
}

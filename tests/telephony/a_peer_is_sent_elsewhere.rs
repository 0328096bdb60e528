//! REFER and Replaces on the wire (RFC 3515, 3891): asked of a caller's telephone, and asked by one of ours.

use std::sync::Arc;
use std::time::Duration;

use crate::common;
use common::sipp::Sipp;
use common::{answered, called, nothing_is_left, ring, settings};
use frontdesk::sip::{Endpoint, Leg, LegEvent, Replaces, TransferRequest};
use tokio::net::UdpSocket;
use tokio::sync::Notify;
use tokio::time::timeout;

const SECONDS: Duration = Duration::from_secs(10);
const AGENT: &str = "sip:agent@192.0.2.7";

fn named() -> Replaces {
    Replaces { call_id: "call-7@192.0.2.7".into(), to_tag: "t1".into(), from_tag: "f1".into(), early_only: false }
}

async fn next(leg: &mut Leg) -> LegEvent {
    timeout(SECONDS, leg.events.recv()).await.expect("news of the leg in time").expect("a leg that lives")
}

#[tokio::test]
async fn a_caller_follows_a_refer_and_its_progress_is_told() {
    let (endpoint, mut calls) = Endpoint::start(settings()).await.unwrap();
    let caller = Sipp::new("caller_follows_a_refer", endpoint.listening()[0]).start();
    let mut leg = called(&mut calls).await.answer().await.unwrap();
    leg.control.refer(AGENT, Some(&named())).unwrap();
    for status in [100, 180, 200] {
        assert_eq!(next(&mut leg).await, LegEvent::Referred(status));
    }
    leg.hang_up().await;
    caller.finish().await;
    nothing_is_left(&endpoint).await;
}

#[tokio::test]
async fn a_caller_who_does_not_follow_is_still_there() {
    let (endpoint, mut calls) = Endpoint::start(settings()).await.unwrap();
    let caller = Sipp::new("caller_follows_no_refer", endpoint.listening()[0]).start();
    let mut leg = called(&mut calls).await.answer().await.unwrap();
    // SIPp's own two NOTIFYs come first.
    tokio::time::sleep(Duration::from_millis(500)).await;
    for status in [603, 486] {
        leg.control.refer(AGENT, None).unwrap();
        assert_eq!(next(&mut leg).await, LegEvent::Referred(status));
    }
    assert_eq!(next(&mut leg).await, LegEvent::HungUp);
    caller.finish().await;
    assert!(leg.control.refer("tel:123", None).is_err());
    assert!(leg.control.refer("sip:a@b?Replaces=1", None).is_err(), "nothing of a target's own making");
    drop(leg);
    nothing_is_left(&endpoint).await;
}

#[tokio::test]
async fn a_phone_of_ours_asks_and_is_told() {
    let (endpoint, _calls) = Endpoint::start(settings()).await.unwrap();
    let phone = Sipp::phone("phone_asks_for_transfers").start();
    let mut leg = answered(ring(&endpoint, phone.uri()).await).await;
    leg.control.allow_transfers();
    assert_eq!(next(&mut leg).await, LegEvent::TransferUnreadable, "we call no telephone number by itself");
    let first = transfer(next(&mut leg).await);
    assert_eq!((first.to.as_str(), &first.replaces), ("wang", &None));
    first.progress(180);
    first.progress(486);
    let second = transfer(next(&mut leg).await);
    assert_eq!((second.to.as_str(), &second.replaces), ("anna", &Some(named())));
    second.progress(200);
    tokio::time::sleep(Duration::from_millis(300)).await; // SIPp hears of it before the BYE
    leg.hang_up().await;
    phone.finish().await;
    nothing_is_left(&endpoint).await;
}

/// As in the engine, where each request may be handled by another thread: the wish is heard of before the end.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_phone_that_asks_and_hangs_up_at_once_has_asked() {
    let (endpoint, _calls) = Endpoint::start(settings()).await.unwrap();
    for _ in 0..20 {
        let (phone, asks) = (UdpSocket::bind("127.0.0.1:0").await.unwrap(), Arc::new(Notify::new()));
        let uri = format!("sip:agent@{}", phone.local_addr().unwrap());
        let phone = tokio::spawn(asks_and_leaves(phone, asks.clone()));
        let mut leg = answered(ring(&endpoint, uri).await).await;
        leg.control.allow_transfers();
        asks.notify_one();
        assert_eq!(transfer(next(&mut leg).await).to, "wang");
        assert_eq!(next(&mut leg).await, LegEvent::HungUp);
        phone.await.unwrap();
    }
    nothing_is_left(&endpoint).await;
}

/// A telephone by hand: it answers a call, and sends REFER and BYE in one breath.
async fn asks_and_leaves(phone: UdpSocket, asks: Arc<Notify>) {
    let at = phone.local_addr().unwrap();
    let mut buffer = [0; 4_096];
    let (len, from) = phone.recv_from(&mut buffer).await.unwrap();
    let invite = String::from_utf8_lossy(&buffer[..len]).into_owned();
    let line = |name: &str| invite.lines().find(|line| line.starts_with(name)).expect("a line of it").to_owned();
    let (theirs, ours) = (line("From: ")[6..].to_owned(), format!("{};tag=t7", &line("To: ")[4..]));
    let body = format!(
        "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio {} RTP/AVP 0\r\n",
        at.port()
    );
    let answer = format!(
        "SIP/2.0 200 OK\r\n{}\r\nFrom: {theirs}\r\nTo: {ours}\r\n{}\r\n{}\r\nContact: <sip:agent@{at}>\r\n\
         Content-Type: application/sdp\r\nContent-Length: {}\r\n\r\n{body}",
        line("Via: "),
        line("Call-ID: "),
        line("CSeq: "),
        body.len()
    );
    phone.send_to(answer.as_bytes(), from).await.unwrap();
    asks.notified().await;
    for (n, method, more) in [(1, "REFER", "Refer-To: <sip:wang@127.0.0.1>\r\n"), (2, "BYE", "")] {
        let request = format!(
            "{method} sip:frontdesk@{from} SIP/2.0\r\nVia: SIP/2.0/UDP {at};branch=z9hG4bK{n}x{}\r\nFrom: {ours}\r\n\
             To: {theirs}\r\n{}\r\nCSeq: {n} {method}\r\nContact: <sip:agent@{at}>\r\nMax-Forwards: 70\r\n{more}\
             Content-Length: 0\r\n\r\n",
            at.port(),
            line("Call-ID: "),
        );
        phone.send_to(request.as_bytes(), from).await.unwrap();
    }
    // Until the BYE is answered; what else comes is nothing to one who left.
    loop {
        let len = phone.recv(&mut buffer).await.unwrap();
        let text = String::from_utf8_lossy(&buffer[..len]);
        if text.starts_with("SIP/2.0 200") && text.contains("BYE") {
            return;
        }
    }
}

#[tokio::test]
async fn a_stranger_steps_into_no_call() {
    let (endpoint, mut calls) = Endpoint::start(settings()).await.unwrap();
    Sipp::new("caller_steps_in_without_right", endpoint.listening()[0]).run().await;
    assert!(calls.try_recv().is_err());
    nothing_is_left(&endpoint).await;
}

fn transfer(event: LegEvent) -> TransferRequest {
    match event {
        LegEvent::Transfer(request) => request,
        other => panic!("{other:?}"),
    }
}

//! Reliable provisional answers (RFC 3262) and early media, from either side; UPDATE before the answer; forked calls.

use std::time::Duration;

use crate::common;
use common::sipp::Sipp;
use common::talk::{speak, talk};
use common::{answered, called, nothing_is_left, ring, settings};
use frontdesk::sip::{Endpoint, LegEvent, Settings};

#[tokio::test]
async fn a_caller_who_requires_it_gets_reliable_ringing() {
    let (endpoint, mut calls) = Endpoint::start(settings()).await.unwrap();
    for scenario in ["caller_requires_reliable", "caller_leaves_the_offer_reliably"] {
        let caller = Sipp::new(scenario, endpoint.listening()[0]).start();
        let incoming = called(&mut calls).await;
        incoming.ring().await;
        let heard = talk(incoming.answer().await.unwrap(), 440.0, "", Duration::from_secs(5)).await;
        caller.finish().await;
        assert!(heard.has_tone(440.0, 100), "{scenario}: {:?}", heard.quality);
        nothing_is_left(&endpoint).await;
    }
}

#[tokio::test]
async fn reliable_ringing_is_repeated_until_it_is_acknowledged() {
    let (endpoint, mut calls) = Endpoint::start(settings()).await.unwrap();
    let caller = tokio::net::UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let (to, from) = (endpoint.listening()[0], caller.local_addr().unwrap());
    let line = |text: &str| format!("{text}\r\n");
    let head = |method: &str, branch: u8, extra: &str| -> String {
        [
            line(&format!("{method} sip:800@{to} SIP/2.0")),
            line(&format!("Via: SIP/2.0/UDP {from};branch=z9hG4bKreliable{branch};rport")),
            line(&format!("From: <sip:ann@{from}>;tag=1")),
            line("Call-ID: reliable"),
            line(&format!("CSeq: {branch} {method}")),
            line(&format!("Contact: <sip:ann@{from}>")),
            line("Max-Forwards: 70"),
            extra.to_owned(),
            line("Content-Length: 0"),
            line(""),
        ]
        .concat()
    };
    let invite = head("INVITE", 1, &(line(&format!("To: <sip:800@{to}>")) + &line("Require: 100rel")));
    caller.send_to(invite.as_bytes(), to).await.unwrap();
    let incoming = called(&mut calls).await;
    incoming.ring().await;
    // Repeated after 0.5 and 1.5 s.
    let (mut rung, mut buffer, mut last) = (0, [0; 4_096], String::new());
    let until = tokio::time::Instant::now() + Duration::from_millis(1_800);
    while let Ok(Ok((len, _))) = tokio::time::timeout_at(until, caller.recv_from(&mut buffer)).await {
        let text = String::from_utf8_lossy(&buffer[..len]).into_owned();
        if text.starts_with("SIP/2.0 183") {
            rung += 1;
            last = text;
        }
    }
    assert_eq!(rung, 3);
    let header = |name: &str| last.lines().find_map(|line| line.strip_prefix(name)).unwrap().trim().to_owned();
    let extra = line(&format!("To:{}", header("To:"))) + &line(&format!("RAck: {} 1 INVITE", header("RSeq:")));
    caller.send_to(head("PRACK", 2, &extra).as_bytes(), to).await.unwrap();
    let until = tokio::time::Instant::now() + Duration::from_millis(2_600);
    let mut after = Vec::new();
    while let Ok(Ok((len, _))) = tokio::time::timeout_at(until, caller.recv_from(&mut buffer)).await {
        after.push(String::from_utf8_lossy(&buffer[..12.min(len)]).into_owned());
    }
    assert_eq!(after, ["SIP/2.0 200 "], "the PRACK is answered, and no ringing repeated");
    incoming.reject(486, None).await;
}

#[tokio::test]
async fn early_media_is_heard_and_goes_on_after_the_answer() {
    let (endpoint, mut calls) = Endpoint::start(settings()).await.unwrap();
    for scenario in ["caller_hears_early", "caller_hears_early_anyway"] {
        let caller = Sipp::new(scenario, endpoint.listening()[0]).start();
        let incoming = called(&mut calls).await;
        incoming.ring().await;
        let (mut leg, answer) = incoming.open_early().await.map_err(|(_, error)| error).unwrap();
        // SIPp sends back what it hears.
        let before = speak(&mut leg, 440.0, "", Duration::from_millis(900)).await;
        assert!(before.has_tone(440.0, 300), "{scenario}: {:?}", before.quality);
        answer.answer().await.unwrap();
        let after = talk(leg, 440.0, "", Duration::from_secs(5)).await;
        caller.finish().await;
        assert!(after.has_tone(440.0, 300), "{scenario}: {:?}", after.quality);
        assert_eq!(after.events.last(), Some(&LegEvent::HungUp), "{scenario}");
        nothing_is_left(&endpoint).await;
    }
}

#[tokio::test]
async fn one_who_hears_us_early_may_still_be_refused() {
    let (endpoint, mut calls) = Endpoint::start(settings()).await.unwrap();
    let caller = Sipp::new("caller_is_refused_after_early_media", endpoint.listening()[0]).start();
    let (mut leg, answer) = called(&mut calls).await.open_early().await.map_err(|(_, error)| error).unwrap();
    speak(&mut leg, 440.0, "", Duration::from_millis(300)).await;
    answer.reject(486, None).await;
    drop(leg);
    caller.finish().await;
    nothing_is_left(&endpoint).await;
}

#[tokio::test]
async fn a_phone_may_answer_reliably_and_change_its_mind_before() {
    let (endpoint, _calls) = Endpoint::start(settings()).await.unwrap();
    let phone = Sipp::phone("phone_answers_reliably").start();
    let heard = talk(answered(ring(&endpoint, phone.uri()).await).await, 800.0, "", Duration::from_secs(1)).await;
    phone.finish().await;
    assert!(heard.has_tone(800.0, 500), "{:?}", heard.quality);
    nothing_is_left(&endpoint).await;
}

#[tokio::test]
async fn of_two_phones_that_answer_the_second_is_hung_up() {
    let settings = Settings { reliable_ringing: true, ..settings() };
    let (endpoint, _calls) = Endpoint::start(settings).await.unwrap();
    let phone = Sipp::phone("phone_forks").start();
    let heard = talk(answered(ring(&endpoint, phone.uri()).await).await, 800.0, "", Duration::from_secs(1)).await;
    phone.finish().await;
    assert!(heard.has_tone(800.0, 500), "{:?}", heard.quality);
    nothing_is_left(&endpoint).await;
}

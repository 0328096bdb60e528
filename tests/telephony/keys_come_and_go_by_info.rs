//! Keys in INFO requests, for telephones and trunks that know no telephone events.

use std::time::Duration;

use crate::common;
use common::sipp::Sipp;
use common::talk::talk;
use common::{called, nothing_is_left, settings};
use frontdesk::sip::{Endpoint, InviteRequest, OutgoingEvent, Target};

#[tokio::test]
async fn from_a_caller() {
    let (endpoint, mut calls) = Endpoint::start(settings()).await.unwrap();
    let caller = Sipp::new("caller_presses_by_info", endpoint.listening()[0]).start();
    let leg = called(&mut calls).await.answer().await.unwrap();
    let heard = talk(leg, 440.0, "", Duration::from_secs(5)).await;
    caller.finish().await;
    assert_eq!(heard.keys, "12#");
    nothing_is_left(&endpoint).await;
}

#[tokio::test]
async fn to_a_phone() {
    let (endpoint, _calls) = Endpoint::start(settings()).await.unwrap();
    let phone = Sipp::phone("phone_takes_keys_by_info").start();
    let request = InviteRequest {
        to: Target::Uri(phone.uri()),
        from_display: "Bank".into(),
        headers: Vec::new(),
        ring_timeout: Duration::from_secs(10),
    };
    let mut outgoing = endpoint.invite(request).await.unwrap();
    let leg = loop {
        match outgoing.events.recv().await.expect("an end") {
            OutgoingEvent::Ringing => {}
            OutgoingEvent::Answered(leg) => break leg,
            OutgoingEvent::Failed { status, .. } => panic!("{status}"),
        }
    };
    talk(leg, 800.0, "7#", Duration::from_millis(1_200)).await;
    phone.finish().await;
    nothing_is_left(&endpoint).await;
}

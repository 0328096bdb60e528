//! Closed by default: who is neither allowed nor known is refused, and looking around brings nothing.

mod common;

use std::time::Duration;

use common::sipp::Sipp;
use common::talk::talk;
use common::{nothing_is_left, settings};
use frontdesk::sip::{Endpoint, PhoneAccount, Settings};
use tokio::net::UdpSocket;

#[tokio::test]
async fn an_address_that_is_not_allowed_is_forbidden() {
    let (endpoint, mut calls) = Endpoint::start(Settings { allow: Vec::new(), ..settings() }).await.unwrap();
    Sipp::new("caller_is_forbidden", endpoint.listening()[0]).run().await;
    Sipp::new("caller_is_forbidden", endpoint.listening()[0]).tcp().run().await;
    assert!(calls.try_recv().is_err());
    assert_eq!((endpoint.counts().calls, endpoint.counts().refused), (0, 2));
    // It may be allowed while everything runs.
    endpoint.reconfigure(settings());
    let caller = Sipp::new("caller_waits", endpoint.listening()[0]).start();
    calls.recv().await.unwrap().answer().await.unwrap().hang_up().await;
    caller.finish().await;
    nothing_is_left(&endpoint).await;
}

#[tokio::test]
async fn a_phone_at_a_strange_address_proves_itself() {
    let phones = vec![PhoneAccount::new("alice", "desk", "secret")];
    let settings = Settings { allow: Vec::new(), phones, ..settings() };
    let (endpoint, mut calls) = Endpoint::start(settings).await.unwrap();
    let caller = Sipp::new("caller_proves_itself", endpoint.listening()[0]).start();
    let leg = calls.recv().await.unwrap().answer().await.unwrap();
    let heard = talk(leg, 440.0, "", Duration::from_secs(5)).await;
    assert!(heard.has_tone(440.0, 200));
    caller.finish().await;
    nothing_is_left(&endpoint).await;
}

#[tokio::test]
async fn a_scanner_hears_nothing() {
    let (endpoint, _calls) = Endpoint::start(Settings { allow: Vec::new(), ..settings() }).await.unwrap();
    let target = endpoint.listening()[0];
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let port = socket.local_addr().unwrap().port();
    for method in ["OPTIONS", "SUBSCRIBE", "MESSAGE", "PUBLISH"] {
        let request = format!(
            "{method} sip:100@{target} SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:{port};branch=z9hG4bK{method}\r\n\
             From: <sip:scan@x>;tag=1\r\nTo: <sip:100@x>\r\nCall-ID: {method}\r\nCSeq: 1 {method}\r\n\
             Contact: <sip:scan@127.0.0.1:{port}>\r\nMax-Forwards: 70\r\nContent-Length: 0\r\n\r\n"
        );
        socket.send_to(request.as_bytes(), target).await.unwrap();
    }
    let mut answer = [0; 2_000];
    let heard = tokio::time::timeout(Duration::from_secs(1), socket.recv(&mut answer)).await;
    assert!(heard.is_err(), "{}", String::from_utf8_lossy(&answer));
    common::eventually("they are counted", Duration::from_secs(2), || endpoint.counts().refused == 4).await;
}

#[tokio::test]
async fn an_address_that_cannot_be_listened_on_is_named_with_a_remedy() {
    let (endpoint, _calls) = Endpoint::start(settings()).await.unwrap();
    let taken = Settings { listen: endpoint.listening().to_vec(), ..settings() };
    let error = Endpoint::start(taken).await.err().unwrap().to_string();
    assert!(error.contains(&endpoint.listening()[0].to_string()) && error.contains("configure another"), "{error}");
    let elsewhere = Settings { listen: vec!["192.0.2.77:5060".parse().unwrap()], ..settings() };
    let error = Endpoint::start(elsewhere).await.err().unwrap().to_string();
    assert!(error.contains("192.0.2.77:5060") && error.contains("no such address"), "{error}");
    assert!(Endpoint::start(Settings { listen: vec![], ..settings() }).await.is_err());
    // What was bound is free again after the end.
    endpoint.shutdown().await;
    let again = Settings { listen: endpoint.listening().to_vec(), ..settings() };
    Endpoint::start(again).await.unwrap().0.shutdown().await;
}

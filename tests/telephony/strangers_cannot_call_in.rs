//! Closed by default: who is neither allowed nor known is refused, and looking around brings nothing.

use std::time::Duration;

use crate::common;
use common::sipp::Sipp;
use common::talk::talk;
use common::{called, nothing_is_left, settings};
use frontdesk::sip::{Algorithm, Endpoint, Limits, PhoneAccount, Settings};
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
    called(&mut calls).await.answer().await.unwrap().hang_up().await;
    caller.finish().await;
    nothing_is_left(&endpoint).await;
}

#[tokio::test]
async fn a_phone_at_a_strange_address_proves_itself() {
    let phones = vec![PhoneAccount::new("alice", "desk", "secret")];
    // SIPp knows MD5 only.
    let settings = Settings { allow: Vec::new(), phones, digest: vec![Algorithm::Md5], ..settings() };
    let (endpoint, mut calls) = Endpoint::start(settings).await.unwrap();
    let caller = Sipp::new("caller_proves_itself", endpoint.listening()[0]).start();
    let leg = called(&mut calls).await.answer().await.unwrap();
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

fn options(n: u32, target: std::net::SocketAddr, from: std::net::SocketAddr, agent: &str) -> String {
    format!(
        "OPTIONS sip:100@{target} SIP/2.0\r\nVia: SIP/2.0/UDP {from};branch=z9hG4bK{n}\r\n\
         From: <sip:scan@x>;tag=1\r\nTo: <sip:100@x>\r\nCall-ID: {n}\r\nCSeq: 1 OPTIONS\r\nUser-Agent: {agent}\r\n\
         Contact: <sip:scan@{from}>\r\nMax-Forwards: 70\r\nContent-Length: 0\r\n\r\n"
    )
}

fn silenced(endpoint: &Endpoint, reason: &str) -> u64 {
    endpoint.silenced().into_iter().find(|(name, _)| *name == reason).unwrap().1
}

async fn hears(socket: &UdpSocket) -> bool {
    tokio::time::timeout(Duration::from_millis(500), socket.recv(&mut [0; 2_000])).await.is_ok()
}

#[tokio::test]
async fn a_known_scanner_is_blocked_at_its_first_word_and_a_friend_never() {
    // 127.0.0.1 may call in; the scanner comes from elsewhere.
    let allow = vec!["127.0.0.1/32".parse().unwrap()];
    let (endpoint, _calls) = Endpoint::start(Settings { allow, ..settings() }).await.unwrap();
    let target = endpoint.listening()[0];
    let scanner = UdpSocket::bind("127.0.0.66:0").await.unwrap();
    let from = scanner.local_addr().unwrap();
    scanner.send_to(options(1, target, from, "friendly-scanner").as_bytes(), target).await.unwrap();
    common::eventually("known by its name", Duration::from_secs(2), || silenced(&endpoint, "scanner") == 1).await;
    assert_eq!(endpoint.counts().blocked, 1);
    // From now on it may say what it likes: an INVITE is not even refused.
    let invite = options(2, target, from, "Softphone").replace("OPTIONS", "INVITE");
    scanner.send_to(invite.as_bytes(), target).await.unwrap();
    common::eventually("not even parsed", Duration::from_secs(2), || silenced(&endpoint, "blocked") == 1).await;
    assert!(!hears(&scanner).await);
    let by_tcp = tokio::net::TcpSocket::new_v4().unwrap();
    by_tcp.bind("127.0.0.66:0".parse().unwrap()).unwrap();
    let mut by_tcp = by_tcp.connect(target).await.unwrap();
    let end = tokio::io::AsyncReadExt::read(&mut by_tcp, &mut [0; 10]).await;
    assert!(matches!(end, Ok(0) | Err(_)), "its connections are closed");

    let friend = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let request = options(3, target, friend.local_addr().unwrap(), "friendly-scanner");
    friend.send_to(request.as_bytes(), target).await.unwrap();
    assert!(hears(&friend).await, "an operator may test with any tool");
}

#[tokio::test]
async fn who_sends_too_much_or_noise_is_met_with_silence() {
    let limits = Limits { requests: 5.0, block: Duration::from_secs(1), ..Limits::default() };
    let allow = vec!["127.0.0.1/32".parse().unwrap()];
    let phones = vec![PhoneAccount::new("alice", "desk", "secret")];
    let (endpoint, _calls) = Endpoint::start(Settings { allow, limits, phones, ..settings() }).await.unwrap();
    let target = endpoint.listening()[0];
    // A flood: ten requests (two seconds' worth) are looked at, the rest is not, and the tenth of those blocks.
    let flood = UdpSocket::bind("127.0.0.67:0").await.unwrap();
    let from = flood.local_addr().unwrap();
    for n in 0..40 {
        let request = options(n, target, from, "Softphone").replace("OPTIONS", "REGISTER");
        flood.send_to(request.as_bytes(), target).await.unwrap();
    }
    common::eventually("the flood is cut off", Duration::from_secs(5), || {
        silenced(&endpoint, "flood") >= 10 && endpoint.counts().blocked >= 1
    })
    .await;
    let mut challenged = 0;
    while hears(&flood).await {
        challenged += 1;
    }
    assert!((1..=25).contains(&challenged), "{challenged}");
    // Noise is counted, and blocks as well.
    let noise = UdpSocket::bind("127.0.0.68:0").await.unwrap();
    for _ in 0..12 {
        noise.send_to(b"\x00\x01\x00\x00\x21\x12\xa4\x42", target).await.unwrap();
    }
    common::eventually("noise is counted", Duration::from_secs(5), || silenced(&endpoint, "malformed") >= 10).await;
    // A block ends.
    common::eventually("the block is over", Duration::from_secs(5), || endpoint.counts().blocked == 0).await;
    let request = options(99, target, from, "Softphone").replace("OPTIONS", "REGISTER");
    flood.send_to(request.as_bytes(), target).await.unwrap();
    assert!(hears(&flood).await, "a phone that was configured wrongly comes in again");
}

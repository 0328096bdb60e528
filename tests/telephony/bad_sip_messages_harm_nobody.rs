//! Four hundred good messages with random damage: no crash, and calls are taken after them as before. What is
//! malformed on purpose is in `malformed_input_is_refused_and_harms_nobody`.

use std::net::SocketAddr;
use std::time::Duration;

use crate::common;
use common::sipp::Sipp;
use common::talk::talk;
use common::{called, nothing_is_left, settings};
use frontdesk::sip::Endpoint;
use tokio::net::UdpSocket;

/// An INVITE that is good in all respects.
fn good(n: usize, target: SocketAddr, port: u16) -> String {
    let body = format!(
        "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio {port} RTP/AVP 0\r\n"
    );
    format!(
        "INVITE sip:800@{target} SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:{port};branch=z9hG4bKx{n};rport\r\n\
         From: <sip:bad@127.0.0.1>;tag=t{n}\r\nTo: <sip:800@{target}>\r\nCall-ID: bad-{n}\r\nCSeq: 1 INVITE\r\n\
         Contact: <sip:bad@127.0.0.1:{port}>\r\nMax-Forwards: 70\r\nContent-Type: application/sdp\r\n\
         Content-Length: {}\r\n\r\n{body}",
        body.len()
    )
}

#[tokio::test]
async fn random_bytes_in_a_good_message() {
    let (endpoint, mut calls) = Endpoint::start(settings()).await.unwrap();
    let target = endpoint.listening()[0];
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let port = socket.local_addr().unwrap().port();
    // A fixed seed: a failure can be repeated.
    let mut random = 0x2545_f491u32;
    let mut next = || {
        random ^= random << 13;
        random ^= random >> 17;
        random ^= random << 5;
        random as usize
    };
    for n in 0..400 {
        let mut message = good(n, target, port).into_bytes();
        for _ in 0..=next() % 6 {
            let at = next() % message.len();
            match next() % 3 {
                0 => message[at] = next() as u8,
                1 => drop(message.splice(at..(at + next() % 20).min(message.len()), [])),
                _ => drop(message.splice(at..at, std::iter::repeat_n(next() as u8, next() % 9))),
            }
        }
        let _ = socket.send_to(&message, target).await;
        while let Ok(incoming) = calls.try_recv() {
            drop(incoming);
        }
        if n % 50 == 0 {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
    let caller = Sipp::new("caller", target).start();
    let leg = loop {
        let incoming = called(&mut calls).await;
        if incoming.from_number == "5551234" {
            break incoming.answer().await.unwrap();
        }
    };
    let heard = talk(leg, 440.0, "", Duration::from_secs(5)).await;
    assert!(heard.has_tone(440.0, 200));
    caller.finish().await;
    while let Ok(incoming) = calls.try_recv() {
        drop(incoming);
    }
    nothing_is_left(&endpoint).await;
}

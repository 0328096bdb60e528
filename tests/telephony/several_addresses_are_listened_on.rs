//! Several addresses, IPv6 among them: calls come in by each, and what we send leaves by the one that leads there.

use std::time::Duration;

use crate::common;
use common::sipp::Sipp;
use common::talk::speak;
use common::{called, nothing_is_left, settings};
use frontdesk::sip::{Endpoint, InviteRequest, OutgoingEvent, Settings, Target};

#[tokio::test]
async fn calls_come_and_go_by_ipv4_and_ipv6() {
    let listen = || ["127.0.0.1:0", "[::1]:0"].map(|address| address.parse().unwrap()).to_vec();
    let (endpoint, mut calls) = Endpoint::start(Settings { listen: listen(), ..settings() }).await.unwrap();
    assert_eq!(endpoint.listening().len(), 2);
    for address in endpoint.listening().to_vec() {
        for tcp in [false, true] {
            let caller = Sipp::new("caller_waits", address);
            let caller = if tcp { caller.tcp() } else { caller }.start();
            let mut leg = called(&mut calls).await.answer().await.unwrap();
            let heard = speak(&mut leg, 440.0, "", Duration::from_millis(300)).await;
            assert!(heard.quality.packets_received > 0, "sound comes back by {address}");
            leg.hang_up().await;
            caller.finish().await;
        }
    }
    // Its first listener is IPv4, too.
    let (there, mut arriving) = Endpoint::start(Settings { listen: listen(), ..settings() }).await.unwrap();
    for address in there.listening().to_vec() {
        for transport in ["udp", "tcp"] {
            let to = Target::Uri(format!("sip:800@{address};transport={transport}"));
            let ring_timeout = Duration::from_secs(10);
            let request = InviteRequest { to, from_display: String::new(), headers: Vec::new(), ring_timeout };
            let mut outgoing = endpoint.invite(request).await.unwrap();
            let incoming = tokio::time::timeout(ring_timeout, arriving.recv()).await.expect("a call").unwrap();
            assert_eq!(incoming.source.is_ipv6(), address.is_ipv6());
            let leg = incoming.answer().await.unwrap();
            let answered = loop {
                match outgoing.events.recv().await {
                    Some(OutgoingEvent::Answered(answered)) => break answered,
                    Some(OutgoingEvent::Ringing) => {}
                    _ => panic!("no answer from {address} by {transport}"),
                }
            };
            // The BYE finds its way, too.
            answered.hang_up().await;
            drop(leg);
            nothing_is_left(&there).await;
        }
    }
    nothing_is_left(&endpoint).await;
    endpoint.shutdown().await;
    there.shutdown().await;
}

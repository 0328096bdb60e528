//! Many calls at once, by UDP and TCP: all are heard, and no call, dialog, port or connection is left.

use std::time::Duration;

use crate::common;
use common::sipp::Sipp;
use common::talk::talk;
use common::{called, eventually, nothing_is_left, settings};
use frontdesk::sip::Endpoint;

const CALLS: u32 = 100;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hundred() {
    let (endpoint, mut calls) = Endpoint::start(settings()).await.unwrap();
    let target = endpoint.listening()[0];
    let half = |sipp: Sipp| sipp.calls(CALLS / 2, 10).speaks_for(600).start();
    let (udp, tcp) = (half(Sipp::new("caller", target)), half(Sipp::new("caller", target).tcp()));
    let mut talks = Vec::new();
    for n in 0..CALLS {
        let incoming = called(&mut calls).await;
        talks.push(tokio::spawn(async move {
            if n % 2 == 0 {
                incoming.ring().await;
            }
            let leg = incoming.answer().await.unwrap();
            talk(leg, 440.0, "", Duration::from_secs(10)).await
        }));
    }
    udp.finish().await;
    tcp.finish().await;
    let mut sent = 0;
    for talk in talks {
        sent += talk.await.unwrap().quality.packets_sent;
    }
    assert!(sent > u64::from(CALLS) * 20, "{sent} packets in {CALLS} calls");
    nothing_is_left(&endpoint).await;
    eventually("TCP connections are given back", Duration::from_secs(5), || endpoint.counts().connections == 0).await;
    endpoint.shutdown().await;
}

//! Re-negotiation during a call: hold, resume with another codec, UPDATE, re-INVITE without an offer.

use std::time::Duration;

use crate::common;
use common::sipp::Sipp;
use common::talk::talk;
use common::{called, nothing_is_left, settings};
use frontdesk::sip::{Endpoint, LegEvent};

#[tokio::test]
async fn hold_and_resume() {
    for tcp in [false, true] {
        let (endpoint, mut calls) = Endpoint::start(settings()).await.unwrap();
        let caller = Sipp::new("caller_holds", endpoint.listening()[0]);
        let caller = if tcp { caller.tcp() } else { caller }.start();
        let leg = called(&mut calls).await.answer().await.unwrap();
        let heard = talk(leg, 440.0, "", Duration::from_secs(10)).await;
        caller.finish().await;
        assert_eq!(heard.events, [LegEvent::Held, LegEvent::Resumed, LegEvent::HungUp]);
        // 600 ms before the hold and 900 ms after it are echoed, with either codec; 600 ms of hold are not.
        let tone = heard.tone_ms(440.0);
        let total = heard.samples.len() / 8;
        assert!((1_000..=total - 450).contains(&tone), "{tone} ms of tone in {total}, {:?}", heard.quality);
        assert_eq!(heard.quality.packets_bad, 0, "{:?}", heard.quality);
        nothing_is_left(&endpoint).await;
    }
}

#[tokio::test]
async fn however_the_caller_holds() {
    let (endpoint, mut calls) = Endpoint::start(settings()).await.unwrap();
    let caller = Sipp::new("caller_holds_every_way", endpoint.listening()[0]).start();
    let leg = called(&mut calls).await.answer().await.unwrap();
    let heard = talk(leg, 440.0, "", Duration::from_secs(10)).await;
    caller.finish().await;
    let turns = (0..4).flat_map(|_| [LegEvent::Held, LegEvent::Resumed]);
    let expected: Vec<_> = turns.chain([LegEvent::HungUp]).collect();
    assert_eq!(heard.events, expected);
    nothing_is_left(&endpoint).await;
}

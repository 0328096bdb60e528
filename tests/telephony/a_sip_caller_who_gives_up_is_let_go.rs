//! CANCEL, refusals by the engine, and calls that nobody wants.

use std::time::Duration;

use crate::common;
use common::sipp::Sipp;
use common::{called, nothing_is_left, settings};
use frontdesk::sip::{Endpoint, Error};

#[tokio::test]
async fn cancel_before_the_answer_is_seen_and_answered() {
    for tcp in [false, true] {
        let (endpoint, mut calls) = Endpoint::start(settings()).await.unwrap();
        let caller = Sipp::new("caller_gives_up", endpoint.listening()[0]);
        let caller = if tcp { caller.tcp() } else { caller }.start();
        let incoming = called(&mut calls).await;
        incoming.ring().await;
        tokio::time::timeout(Duration::from_secs(5), incoming.cancelled()).await.expect("the caller gives up");
        assert!(matches!(incoming.answer().await.err(), Some(Error::Cancelled)));
        caller.finish().await;
        nothing_is_left(&endpoint).await;
    }
}

#[tokio::test]
async fn so_is_bye_before_the_answer() {
    let (endpoint, mut calls) = Endpoint::start(settings()).await.unwrap();
    let caller = Sipp::new("caller_hangs_up_early", endpoint.listening()[0]).start();
    let incoming = called(&mut calls).await;
    incoming.ring().await;
    tokio::time::timeout(Duration::from_secs(5), incoming.cancelled()).await.expect("the caller gives up");
    caller.finish().await;
    drop(incoming);
    nothing_is_left(&endpoint).await;
}

#[tokio::test]
async fn a_rejected_call_is_told_when_to_try_again() {
    let (endpoint, mut calls) = Endpoint::start(settings()).await.unwrap();
    let caller = Sipp::new("caller_finds_busy", endpoint.listening()[0]).start();
    let incoming = called(&mut calls).await;
    incoming.ring().await;
    incoming.reject(486, Some(9)).await;
    caller.finish().await;
    nothing_is_left(&endpoint).await;
}

#[tokio::test]
async fn what_cannot_be_answered_is_refused_with_the_reason() {
    let (endpoint, mut calls) = Endpoint::start(settings()).await.unwrap();
    for scenario in ["caller_with_g729_only", "caller_with_nonsense", "caller_requires_gruu"] {
        Sipp::new(scenario, endpoint.listening()[0]).run().await;
    }
    Sipp::new("asks_options", endpoint.listening()[0]).run().await;
    Sipp::new("asks_options", endpoint.listening()[0]).tcp().run().await;
    assert!(calls.try_recv().is_err(), "none of these is a call");
    assert_eq!(endpoint.counts().refused, 3);
    nothing_is_left(&endpoint).await;
}

#[tokio::test]
async fn while_draining_new_calls_are_put_off_and_live_ones_stay() {
    let (endpoint, mut calls) = Endpoint::start(settings()).await.unwrap();
    let live = Sipp::new("caller", endpoint.listening()[0]).speaks_for(1_500).start();
    let leg = called(&mut calls).await.answer().await.unwrap();
    endpoint.refuse_new(Duration::from_secs(17));
    Sipp::new("caller_is_put_off", endpoint.listening()[0]).run().await;
    let heard = common::talk::talk(leg, 440.0, "", Duration::from_secs(5)).await;
    assert!(heard.has_tone(440.0, 400), "the live call goes on");
    live.finish().await;
    nothing_is_left(&endpoint).await;
}

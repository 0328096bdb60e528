//! Session timers (RFC 4028): who refreshes, by what, and what happens when nobody does.

use std::time::{Duration, Instant};

use crate::common;
use common::sipp::Sipp;
use common::talk::talk;
use common::{answered, called, nothing_is_left, ring, settings};
use frontdesk::sip::{Endpoint, LegEvent, SessionTimer, Settings};

/// Seconds instead of minutes.
fn brief(expires: u32) -> Settings {
    Settings { session_timer: SessionTimer { expires, min: 1 }, ..settings() }
}

const LONG: Duration = Duration::from_secs(15);

#[tokio::test]
async fn a_caller_who_leaves_it_to_us_is_refreshed_by_update_or_re_invite() {
    for scenario in ["caller_is_refreshed", "caller_is_refreshed_by_invite"] {
        let (endpoint, mut calls) = Endpoint::start(brief(60)).await.unwrap();
        let caller = Sipp::new(scenario, endpoint.listening()[0]).start();
        let leg = called(&mut calls).await.answer().await.unwrap();
        let heard = talk(leg, 440.0, "", LONG).await;
        caller.finish().await;
        assert_eq!(heard.events, [LegEvent::HungUp], "{scenario}: a refresh is no news");
        nothing_is_left(&endpoint).await;
    }
}

#[tokio::test]
async fn a_caller_who_does_not_refresh_is_hung_up_in_time() {
    let (endpoint, mut calls) = Endpoint::start(brief(60)).await.unwrap();
    let caller = Sipp::new("caller_never_refreshes", endpoint.listening()[0]).start();
    let leg = called(&mut calls).await.answer().await.unwrap();
    let began = Instant::now();
    let heard = talk(leg, 440.0, "", LONG).await;
    assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
    assert_eq!(heard.events, [LegEvent::HungUp]);
    caller.finish().await;
    nothing_is_left(&endpoint).await;
}

#[tokio::test]
async fn a_caller_who_wants_too_short_sessions_is_told() {
    let (endpoint, mut calls) = Endpoint::start(settings()).await.unwrap();
    let caller = Sipp::new("caller_is_too_brief", endpoint.listening()[0]).start();
    let leg = called(&mut calls).await.answer().await.unwrap();
    talk(leg, 440.0, "", LONG).await;
    caller.finish().await;
    nothing_is_left(&endpoint).await;
}

#[tokio::test]
async fn a_phone_may_want_longer_sessions_and_is_refreshed() {
    let (endpoint, _calls) = Endpoint::start(brief(2)).await.unwrap();
    let phone = Sipp::phone("phone_wants_longer_sessions").start();
    let leg = answered(ring(&endpoint, phone.uri()).await).await;
    let heard = talk(leg, 440.0, "", Duration::from_millis(5_000)).await;
    assert_eq!(heard.events, []);
    phone.finish().await;
    nothing_is_left(&endpoint).await;
}

#[tokio::test]
async fn a_phone_that_does_not_refresh_is_hung_up_in_time() {
    let (endpoint, _calls) = Endpoint::start(brief(2)).await.unwrap();
    let phone = Sipp::phone("phone_never_refreshes").start();
    let leg = answered(ring(&endpoint, phone.uri()).await).await;
    let heard = talk(leg, 440.0, "", LONG).await;
    assert_eq!(heard.events, [LegEvent::HungUp]);
    phone.finish().await;
    nothing_is_left(&endpoint).await;
}

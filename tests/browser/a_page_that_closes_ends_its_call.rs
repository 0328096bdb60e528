//! However a caller goes: by the button, with the tab, or without a word (then the network is waited for).

use std::time::{Duration, Instant};

use tokio_util::sync::CancellationToken;

use crate::common::chromium::{Chromium, speech};
use crate::common::eventually;
use crate::desk::assert_hears_only;
use crate::door::{answer, called, open, settings};
use frontdesk::sip::LegEvent;

#[tokio::test]
async fn a_page_that_closes_ends_its_call() {
    let _alone = crate::common::chromium::alone().await;
    let (door, mut calls, url) = open(settings()).await;
    let mut page = Chromium::start(&speech(&[(0.2, "pocketsphinx/goforward.wav")])).await;

    page.open(&url).await;
    page.click("Start call").await;
    let heard = answer(called(&mut calls).await, CancellationToken::new());
    page.wait("window.__peers.at(-1)?.connectionState == 'connected'").await;
    tokio::time::sleep(Duration::from_secs(1)).await; // of speech
    assert_hears_only("the page", &mut page, 600.0).await;
    page.key("5").await;
    page.key("#").await;
    tokio::time::sleep(Duration::from_secs(1)).await; // of two keys
    page.click("Hang up").await;
    let heard = heard.await.unwrap();
    assert_eq!(heard.events, [LegEvent::HungUp]);
    assert_eq!(heard.keys, "5#");
    assert!(heard.samples.iter().any(|sample| sample.unsigned_abs() > 1_000), "the microphone is heard");
    assert!(heard.quality.packets_received > 50 && heard.quality.encrypted, "{:?}", heard.quality);
    assert_eq!(heard.quality.packets_bad, 0, "{:?}", heard.quality);

    page.click("Call again").await;
    let heard = answer(called(&mut calls).await, CancellationToken::new());
    page.wait("window.__peers.at(-1).connectionState == 'connected'").await;
    page.leave().await;
    assert_eq!(heard.await.unwrap().events, [LegEvent::HungUp]);

    let mut page = Chromium::start(&speech(&[(0.2, "pocketsphinx/goforward.wav")])).await;
    page.open(&url).await;
    page.click("Start call").await;
    let heard = answer(called(&mut calls).await, CancellationToken::new());
    page.wait("window.__peers.at(-1)?.connectionState == 'connected'").await;
    let gone = Instant::now();
    page.kill().await;
    let heard = heard.await.unwrap();
    assert!(heard.events.ends_with(&[LegEvent::HungUp]), "{:?}", heard.events);
    println!("ended {:?} after its browser, {:?}", gone.elapsed(), heard.events);
    eventually("nothing is left", Duration::from_secs(5), || door.calls() == 0).await;
}

#[tokio::test]
async fn a_call_that_we_end_is_over_on_the_page() {
    let _alone = crate::common::chromium::alone().await;
    let (door, mut calls, url) = open(settings()).await;
    let mut page = Chromium::start(&speech(&[(0.2, "pocketsphinx/goforward.wav")])).await;
    page.open(&url).await;
    page.click("Start call").await;
    let hang_up = CancellationToken::new();
    let heard = answer(called(&mut calls).await, hang_up.clone());
    page.wait("window.__peers.at(-1)?.connectionState == 'connected'").await;
    hang_up.cancel();
    heard.await.unwrap();
    page.wait("document.querySelector('frontdesk-call').call == null").await;
    assert_eq!(page.text("status").await, "Call ended");

    // One that nobody wants.
    page.click("Call again").await;
    called(&mut calls).await.reject();
    page.wait("document.querySelector('frontdesk-call').call == null").await;
    assert!(page.text("status").await.contains("busy"));
    page.shot("call-refused").await;
    eventually("nothing is left", Duration::from_secs(5), || door.calls() == 0).await;
}

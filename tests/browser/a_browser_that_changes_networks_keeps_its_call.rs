//! A browser that finds itself in another network begins ICE anew: same call, same keys for its sound, other addresses.

use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::common::chromium::{Chromium, speech};
use crate::desk::assert_hears_only;
use crate::door::{answer, called, open, settings};

const UFRAG: &str = "/a=ice-ufrag:(.*)/.exec(window.__peers[0].remoteDescription.sdp)[1].trim()";

#[tokio::test]
async fn a_browser_that_changes_networks_keeps_its_call() {
    let _alone = crate::common::chromium::alone().await;
    let (door, mut calls, url) = open(settings()).await;
    let mut page = Chromium::start(&speech(&[(0.2, "pocketsphinx/goforward.wav")])).await;
    page.open(&url).await;
    page.click("Start call").await;
    let hang_up = CancellationToken::new();
    let heard = answer(called(&mut calls).await, hang_up.clone());
    page.wait("window.__peers.at(-1)?.connectionState == 'connected'").await;
    for _ in 0..2 {
        let before = page.run(UFRAG).await;
        // What a browser says when a network has come.
        page.run("void dispatchEvent(new Event('online'))").await;
        page.wait(&format!("{UFRAG} != {before}")).await;
        page.wait(
            "window.__peers[0].connectionState == 'connected' && window.__peers[0].iceConnectionState == 'connected'",
        )
        .await;
        tokio::time::sleep(Duration::from_millis(500)).await; // of sound that goes the new way
        assert_hears_only("the page", &mut page, 600.0).await;
        page.wait("!document.querySelector('frontdesk-call').call.restarting").await;
    }
    assert_eq!(door.calls(), 1);
    page.key("8").await;
    tokio::time::sleep(Duration::from_millis(700)).await; // of a key
    hang_up.cancel();
    let heard = heard.await.unwrap();
    assert_eq!(heard.keys, "8");
    let second = &heard.samples[heard.samples.len() - 16_000..];
    assert!(second.iter().any(|sample| sample.unsigned_abs() > 500), "and hears");
}

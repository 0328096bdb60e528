//! One script tag makes a call button on any site that the operator named, under the strictest policy that lets the script in;
//! on others it calls nobody.

use axum::Router;
use axum::http::header::CONTENT_SECURITY_POLICY;
use axum::response::Html;
use axum::routing::get;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::common::chromium::{Chromium, speech};
use crate::desk::assert_hears_only;
use crate::door::{answer, called, open, settings};
use frontdesk::webrtc::Settings;

/// A shop with our script; its address.
async fn shop(listener: TcpListener, door: &str) -> String {
    let url = format!("http://{}", listener.local_addr().unwrap());
    let html = format!(
        "<!doctype html><title>Shop</title><h1>Boots &amp; Hats</h1><p>Boots from 79, hats from 19.</p>\
         <script src=\"{door}frontdesk.js\" data-label=\"Ask the shop\" defer></script>"
    );
    let policy =
        format!("default-src 'none'; script-src {door}; connect-src {door}; require-trusted-types-for 'script'");
    let page = get(async move || ([(CONTENT_SECURITY_POLICY, policy)], Html(html)));
    tokio::spawn(async { axum::serve(listener, Router::new().route("/", page)).await.unwrap() });
    url
}

#[tokio::test]
async fn another_sites_page_calls_only_when_it_may() {
    let _alone = crate::common::chromium::alone().await;
    let ours = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let origins = vec![format!("http://{}", ours.local_addr().unwrap())];
    let (_door, mut calls, url) = open(Settings { origins, ..settings() }).await;
    let named = shop(ours, &url).await;
    let stranger = shop(TcpListener::bind("127.0.0.1:0").await.unwrap(), &url).await;

    let mut page = Chromium::start(&speech(&[(0.2, "pocketsphinx/goforward.wav")])).await;
    page.size(1000, 700).await;
    page.open(&named).await;
    page.click("Ask the shop").await;
    page.shot("shop").await;
    page.click("Start call").await;
    let incoming = called(&mut calls).await;
    assert_eq!(format!("http://{}", incoming.site), named);
    let hang_up = CancellationToken::new();
    let heard = answer(incoming, hang_up.clone());
    page.wait("window.__peers.at(-1)?.connectionState == 'connected'").await;
    assert_hears_only("the page", &mut page, 600.0).await;
    // Captions come across sites, too.
    page.wait("document.querySelector('frontdesk-call').phase").await;
    page.shot("shop-call").await;
    hang_up.cancel();
    heard.await.unwrap();
    page.wait("document.querySelector('frontdesk-call').call == null").await;

    page.open(&stranger).await;
    page.click("Ask the shop").await;
    page.click("Start call").await;
    page.wait("document.querySelector('frontdesk-call').call == null && document.querySelector('frontdesk-call').past")
        .await;
    assert!(page.text("status").await.contains("could not be connected"));
    assert!(calls.try_recv().is_err(), "nobody was called");
}

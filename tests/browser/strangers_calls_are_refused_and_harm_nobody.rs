//! What comes over HTTP from who knows whom is judged before it costs anything: refused in the standard's words (RFC 9457), and
//! the next good call is taken.

use std::time::Duration;

use reqwest::{Client, Method, Response, StatusCode};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::door::{called, open, settings};
use frontdesk::webrtc::{Credential, IceServer, Settings};

/// What Chromium offers, shortened.
const OFFER: &str = "v=0\r\no=- 4611731400430051336 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=group:BUNDLE 0\r\n\
    m=audio 9 UDP/TLS/RTP/SAVPF 111 110 126\r\nc=IN IP4 0.0.0.0\r\na=rtcp:9 IN IP4 0.0.0.0\r\na=ice-ufrag:Lh4q\r\n\
    a=ice-pwd:0123456789abcdefghijklmn\r\na=ice-options:trickle\r\na=fingerprint:sha-256 \
    7B:8B:F0:65:5F:78:E2:51:3B:AC:6F:F3:3F:46:1B:35:DC:B8:5F:64:1A:24:C2:43:F0:A1:58:D0:A1:2C:19:08\r\n\
    a=setup:actpass\r\na=mid:0\r\na=sendrecv\r\na=msid:s t\r\na=rtcp-mux\r\na=rtpmap:111 opus/48000/2\r\n\
    a=fmtp:111 minptime=10;useinbandfec=1\r\na=rtpmap:110 telephone-event/48000\r\na=rtpmap:126 telephone-event/8000\r\n\
    a=ssrc:3735928559 cname:c\r\na=ssrc:3735928559 msid:s t\r\n";

struct Site {
    client: Client,
    url: String,
}

impl Site {
    async fn ask(&self, method: Method, path: &str, kind: &str, body: impl Into<reqwest::Body>) -> Response {
        let request = self.client.request(method, format!("{}{path}", self.url)).header("content-type", kind);
        request.header("origin", self.url.trim_end_matches('/')).body(body).send().await.unwrap()
    }

    async fn offer(&self, body: impl Into<reqwest::Body>) -> Response {
        self.ask(Method::POST, "call", "application/sdp", body).await
    }
}

async fn refused(response: Response, status: u16) {
    assert_eq!(response.status().as_u16(), status);
    assert_eq!(response.headers()["content-type"], "application/problem+json");
    let problem: serde_json::Value = response.json().await.unwrap();
    assert_eq!(problem["status"], status);
    assert!(problem["title"].is_string() && problem["detail"].is_string(), "{problem}");
}

#[tokio::test]
async fn strangers_calls_are_refused_and_harm_nobody() {
    let _alone = crate::common::chromium::alone().await;
    let secret =
        IceServer { urls: vec!["turn:turn.example.org".into()], credential: Some(Credential::Shared("s".into())) };
    let limited = Settings { calls_per_address: 2, ice_servers: vec![secret], ..settings() };
    let (door, mut calls, url) = open(limited).await;
    let site = Site { client: Client::new(), url };

    // No origin, or another's.
    let bare = site.client.post(format!("{}call", site.url)).header("content-type", "application/sdp").body(OFFER);
    refused(bare.send().await.unwrap(), 403).await;
    let other = site.client.post(format!("{}call", site.url)).header("origin", "https://evil.example");
    refused(other.header("content-type", "application/sdp").body(OFFER).send().await.unwrap(), 403).await;
    // No offers.
    refused(site.ask(Method::POST, "call", "text/plain", OFFER).await, 415).await;
    refused(site.offer("x".repeat(40_000)).await, 413).await;
    refused(site.offer(vec![0xff; 100]).await, 400).await;
    refused(site.offer("v=0\r\n").await, 400).await;
    for (from, to) in [
        ("m=audio", "m=video"),
        ("opus/48000/2", "opus/8000"),
        ("a=rtcp-mux\r\n", ""),
        ("a=ice-ufrag:Lh4q", "a=ice-ufrag:x"),
        ("a=fingerprint:", "a=finger:"),
        ("a=mid:0", "a=mid:"),
        ("o=- 4611731400430051336", "o=x"),
    ] {
        refused(site.offer(OFFER.replace(from, to)).await, 400).await;
    }
    // Nothing there.
    refused(site.ask(Method::POST, "call?line=secret", "application/sdp", OFFER).await, 404).await;
    refused(site.ask(Method::DELETE, "call/0123", "", "").await, 404).await;
    refused(site.ask(Method::GET, "call/0123/events", "", "").await, 404).await;
    refused(site.ask(Method::GET, "call/../../etc/passwd", "", "").await, 404).await;
    refused(site.ask(Method::PUT, "call", "application/sdp", OFFER).await, 405).await;
    assert!(calls.try_recv().is_err());
    assert_eq!(door.calls(), 0);

    // A good one, and what may be wrong with its changes.
    let answer = site.offer(OFFER).await;
    assert_eq!(answer.status(), StatusCode::CREATED);
    let incoming = called(&mut calls).await;
    let at = answer.headers()["location"].to_str().unwrap().trim_start_matches('/').to_owned();
    assert_eq!(at.len(), "call/".len() + 32, "nobody guesses it");
    let relay = answer.headers()["link"].to_str().unwrap().to_owned();
    assert!(relay.starts_with("<turn:turn.example.org>; rel=\"ice-server\"; username=\""), "{relay}");
    let tag = answer.headers()["etag"].to_str().unwrap().to_owned();
    let described = answer.text().await.unwrap();
    assert!(described.contains("a=candidate") && described.contains("a=fingerprint:sha-256"), "{described}");
    assert!(described.contains(&format!(" 127.0.0.1 {} typ host", door.udp.port())), "one port for all: {described}");
    let fragment = "application/trickle-ice-sdpfrag";
    let candidate =
        "m=audio 9 UDP/TLS/RTP/SAVPF 0\r\na=mid:0\r\na=candidate:1 1 udp 2113937151 127.0.0.1 9 typ host\r\n";
    assert_eq!(site.ask(Method::PATCH, &at, fragment, candidate).await.status(), 204);
    let wrong = "a=candidate:nonsense\r\na=candidate:1 1 udp 1 some.local 9 typ host\r\n";
    assert_eq!(
        site.ask(Method::PATCH, &at, fragment, wrong).await.status(),
        204,
        "candidates of no use are passed over"
    );
    refused(site.ask(Method::PATCH, &at, "application/sdp", candidate).await, 415).await;
    refused(site.ask(Method::PATCH, &at, fragment, "a=ice-ufrag:?\r\n").await, 400).await;
    refused(site.ask(Method::PATCH, &at, fragment, "a=candidate:1\r\n".repeat(50)).await, 400).await;
    let stale = site.client.patch(format!("{}{at}", site.url)).header("origin", site.url.trim_end_matches('/'));
    refused(
        stale.header("content-type", fragment).header("if-match", "\"old\"").body(candidate).send().await.unwrap(),
        412,
    )
    .await;
    let fresh = site.client.patch(format!("{}{at}", site.url)).header("origin", site.url.trim_end_matches('/'));
    let fresh = fresh.header("content-type", fragment).header("if-match", tag).body(candidate).send().await.unwrap();
    assert_eq!(fresh.status(), 204);

    // No more than an address may have.
    assert_eq!(site.offer(OFFER).await.status(), StatusCode::CREATED);
    let third = site.offer(OFFER).await;
    assert!(third.headers().contains_key("retry-after"));
    refused(third, 429).await;
    assert_eq!(site.ask(Method::DELETE, &at, "", "").await.status(), 200);
    tokio::time::timeout(Duration::from_secs(5), incoming.cancelled()).await.expect("the call hears of it");
    crate::common::eventually("its place is free", Duration::from_secs(5), || door.calls() == 1).await;
    assert_eq!(site.offer(OFFER).await.status(), StatusCode::CREATED);
}

#[tokio::test]
async fn one_who_begins_too_many_calls_waits() {
    let _alone = crate::common::chromium::alone().await;
    let (_door, _calls, url) = open(Settings { calls_per_minute: 3, ..settings() }).await;
    let site = Site { client: Client::new(), url };
    let mut last = None;
    for _ in 0..4 {
        last = Some(site.offer("v=0").await);
    }
    refused(last.unwrap(), 429).await;
}

#[tokio::test]
async fn one_who_dawdles_is_cut_off_and_holds_up_nobody() {
    let _alone = crate::common::chromium::alone().await;
    let (door, _calls, url) = open(settings()).await;
    let mut slow = tokio::net::TcpStream::connect(door.listening).await.unwrap();
    slow.write_all(b"POST /call HTTP/1.1\r\nHost: x\r\n").await.unwrap();
    let site = Site { client: Client::new(), url };
    refused(site.offer("v=0").await, 400).await;
    let mut rest = Vec::new();
    let cut = tokio::time::timeout(Duration::from_secs(20), slow.read_to_end(&mut rest)).await;
    assert!(cut.is_ok(), "a head that never ends is not waited for");
}

//! What tests of the telephone side share: real peers (`sipp`, `baresip`), and a stand-in for the engine that
//! answers a leg with a tone and writes down what it hears.
#![allow(dead_code)] // each test uses its own part

pub mod baresip;
pub mod certificates;
pub mod chromium;
pub mod command;
pub mod engine;
pub mod heard;
pub mod kamailio;
pub mod linphone;
pub mod names;
pub mod people;
pub mod pulse;
pub mod sipp;
pub mod talk;

use std::net::{SocketAddr, TcpListener, UdpSocket};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use frontdesk::sip::{Counts, Endpoint, Incoming, InviteRequest, Leg, Outgoing, OutgoingEvent, Settings, Target};
use tokio::sync::mpsc;

/// Settings of a test's own endpoint: loopback, any free port.
pub fn settings() -> Settings {
    Settings { listen: vec![SocketAddr::from(([127, 0, 0, 1], 0))], rtp_ports: 40_000..=49_999, ..Settings::default() }
}

/// A port that is free for UDP and TCP on loopback, the first of a block of its own: phones take those that follow for
/// sound (SIPp four of them). Another program may take one before it is used; tests that meet this fail loudly and pass the
/// next time.
pub fn free_port() -> u16 {
    const BLOCK: u32 = 16;
    // Outside the range that the kernel hands out by itself, and even: RTP may use it.
    const BLOCKS: u32 = 10_000 / BLOCK;
    static NEXT: OnceLock<AtomicU32> = OnceLock::new();
    let next = NEXT.get_or_init(|| AtomicU32::new(rand::random::<u32>() % BLOCKS));
    loop {
        let block = next.fetch_add(1, Ordering::Relaxed) % BLOCKS;
        let port = (20_000 + block * BLOCK) as u16;
        let free =
            |port| UdpSocket::bind(("127.0.0.1", port)).is_ok() && TcpListener::bind(("127.0.0.1", port)).is_ok();
        if (port..port + BLOCK as u16).all(free) {
            return port;
        }
    }
}

/// The next call that comes; a caller's program that did not start must not hold the tests up for ever.
pub async fn called(calls: &mut mpsc::Receiver<Incoming>) -> Incoming {
    let call = tokio::time::timeout(Duration::from_secs(30), calls.recv()).await;
    call.expect("a call within 30 s").expect("an endpoint that runs")
}

/// Rings this URI as the bank.
pub async fn ring(endpoint: &Endpoint, uri: String) -> Outgoing {
    let request = InviteRequest {
        to: Target::Uri(uri),
        from_display: "Bank".into(),
        headers: Vec::new(),
        ring_timeout: Duration::from_secs(10),
    };
    endpoint.invite(request).await.unwrap()
}

pub async fn answered(mut outgoing: Outgoing) -> Leg {
    loop {
        match outgoing.events.recv().await.expect("an end") {
            OutgoingEvent::Ringing => {}
            OutgoingEvent::Answered(leg) => return leg,
            OutgoingEvent::Failed { status, .. } => panic!("{status}"),
        }
    }
}

/// Looks until `wanted` holds; panics with `what` after `limit`.
pub async fn eventually(what: &str, limit: Duration, mut wanted: impl FnMut() -> bool) {
    let until = Instant::now() + limit;
    while !wanted() {
        assert!(Instant::now() < until, "not within {limit:?}: {what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Everything a call holds was given back. Transactions are kept for a while by the protocol, so not these.
pub async fn nothing_is_left(endpoint: &Endpoint) {
    let idle = |counts: Counts| (counts.calls, counts.dialogs, counts.rtp_ports) == (0, 0, 0);
    eventually("calls, dialogs and ports are given back", Duration::from_secs(5), || idle(endpoint.counts())).await;
}

/// A tool from the distribution, or a failure that says how to get it.
pub fn tool(name: &str) -> std::path::PathBuf {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path)
        .map(|folder| folder.join(name))
        .find(|file| file.is_file())
        .unwrap_or_else(|| panic!("{name} is not installed; run `scripts/setup test`"))
}

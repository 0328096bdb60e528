//! Some three hundred malformed SIP messages, session descriptions, RTP and RTCP packets, after RFC 4475, RFC 5118 and
//! of our own (`malformed/cases.tsv` has one a line, with what may come of it), by UDP and TCP while two calls go on:
//! no crash, the right refusals, and neither call notices.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use crate::common;
use common::sipp::Sipp;
use common::{called, free_port, nothing_is_left, settings};
use frontdesk::media::{Codec, Frame, Tone};
use frontdesk::sip::{Endpoint, Leg};
use futures_util::StreamExt;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpStream, UdpSocket};
use tokio::sync::watch;

const CASES: &str = include_str!("../malformed/cases.tsv");
/// An answer that takes longer counts as none.
const ANSWER: Duration = Duration::from_millis(1_500);
/// Cases under way at once.
const AT_ONCE: usize = 24;
/// Of the peer's sound; the cases name it, too.
const SSRC: u32 = 0x5eed_0001;

struct Case {
    number: usize,
    kind: &'static str,
    name: &'static str,
    source: &'static str,
    expected: Vec<&'static str>,
    recipe: Vec<&'static str>,
}

impl Case {
    /// Expected, or a departure that the table names.
    fn allows(&self, came: &str) -> bool {
        self.expected.iter().any(|expected| expected.trim_start_matches('~') == came)
    }
}

fn cases() -> Vec<Case> {
    let lines = CASES.lines().filter(|line| !line.starts_with('#'));
    let case = |(number, line): (usize, &'static str)| {
        let mut fields = line.split('\t');
        let mut field = || fields.next().unwrap_or_else(|| panic!("too few fields: {line}"));
        let (kind, name, source) = (field(), field(), field());
        let expected = field().split(' ').collect();
        Case { number, kind, name, source, expected, recipe: fields.collect() }
    };
    lines.enumerate().map(case).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn three_hundred_of_them_while_two_calls_go_on() {
    let cases = cases();
    assert!(cases.len() >= 300, "{} cases", cases.len());
    let (endpoint, mut calls) = Endpoint::start(settings()).await.unwrap();
    let target = endpoint.listening()[0];
    let (over, end) = watch::channel(false);

    let live = Sipp::new("caller_waits", target).start();
    let other = tokio::spawn(talk(called(&mut calls).await.answer().await.unwrap(), end.clone()));
    let calling = tokio::spawn(Peer::call(target));
    let leg = called(&mut calls).await.answer().await.unwrap();
    let peer = calling.await.unwrap();
    let (attacked, speaking) = (tokio::spawn(talk(leg, end.clone())), tokio::spawn(peer.speak(end)));
    // Those that are calls after all ring, and are refused at the end.
    let ringing = tokio::spawn(async move {
        let mut all = Vec::new();
        while let Some(incoming) = calls.recv().await {
            incoming.ring().await;
            all.push(incoming);
        }
    });

    let signalling = cases.iter().filter(|case| matches!(case.kind, "sip" | "sdp"));
    let mut wrong: Vec<String> = futures_util::stream::iter(signalling.map(|case| signal(case, target)))
        .buffer_unordered(AT_ONCE)
        .concat()
        .await;
    for case in cases.iter().filter(|case| matches!(case.kind, "rtp" | "rtcp")) {
        wrong.extend(packet(case, &peer, &endpoint).await);
    }
    wrong.sort();
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), cases.len(), wrong.join("\n"));

    over.send(true).unwrap();
    for (whose, call) in [("the other call", other), ("the call attacked", attacked)] {
        let (tone, total) = call.await.unwrap();
        assert!(tone * 10 >= total * 8, "{whose}: {tone} ms of tone in {total} ms");
    }
    speaking.await.unwrap();
    live.finish().await;
    // Everything still works.
    Sipp::new("asks_options", target).run().await;
    Sipp::new("asks_options", target).tcp().run().await;
    ringing.abort();
    let _ = ringing.await;
    nothing_is_left(&endpoint).await;
}

/// Sends a tone and listens for one until the end; ms of tone heard, and ms in all.
async fn talk(mut leg: Leg, end: watch::Receiver<bool>) -> (usize, usize) {
    let (mut tone, mut total) = (0, 0);
    while !*end.borrow() {
        let heard = common::talk::speak(&mut leg, 440.0, "", Duration::from_millis(500)).await;
        assert_eq!(heard.events, [], "the call goes on");
        (tone, total) = (tone + heard.tone_ms(440.0), total + heard.samples.len() / 8);
    }
    leg.hang_up().await;
    (tone, total)
}

/// A case of signalling by UDP and by TCP; what came of it, where that is not what should.
async fn signal(case: &Case, target: SocketAddr) -> Vec<String> {
    let (udp, tcp) = (by_udp(case, target).await, by_tcp(case, target).await);
    let fits = |status: &str| case.allows(status);
    // A stream that has lost its way is closed: no answer is right for each that may be malformed.
    let good = fits(&udp) && (fits(&tcp) || tcp == "none");
    let Case { name, source, expected, .. } = case;
    if good { vec![] } else { vec![format!("{name} ({source}): {udp} by UDP, {tcp} by TCP; expected {expected:?}")] }
}

async fn by_udp(case: &Case, target: SocketAddr) -> String {
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let message = message(case, case.number, target, socket.local_addr().unwrap().port(), "UDP");
    if socket.send_to(&message, target).await.is_err() {
        return "none".into(); // too long for a datagram: it cannot come by UDP at all
    }
    let (until, mut buffer) = (tokio::time::Instant::now() + ANSWER, [0; 65_536]);
    while let Ok(Ok(n)) = tokio::time::timeout_at(until, socket.recv(&mut buffer)).await {
        if let Some(status) = status(&buffer[..n]) {
            return status;
        }
    }
    "none".into()
}

async fn by_tcp(case: &Case, target: SocketAddr) -> String {
    let mut stream = TcpStream::connect(target).await.expect("TCP is still served");
    let port = stream.local_addr().unwrap().port();
    let _ = stream.write_all(&message(case, case.number + 1_000, target, port, "TCP")).await; // it may be closed in our face
    let (until, mut answers, mut buffer) = (tokio::time::Instant::now() + ANSWER, Vec::new(), [0; 4_096]);
    while let Ok(Ok(n @ 1..)) = tokio::time::timeout_at(until, stream.read(&mut buffer)).await {
        answers.extend_from_slice(&buffer[..n]);
        if let Some(status) = status(&answers) {
            return status;
        }
    }
    "none".into()
}

/// The first status above 100.
fn status(answers: &[u8]) -> Option<String> {
    let text = String::from_utf8_lossy(answers);
    let mut statuses = text.split("SIP/2.0 ").skip(1).filter_map(|rest| Some(rest.get(..3)?.to_owned()));
    statuses.find(|status| status.as_str() > "100" && status.bytes().all(|byte| byte.is_ascii_digit()))
}

/// A good INVITE, changed as the case says.
fn message(case: &Case, n: usize, target: SocketAddr, port: u16, transport: &str) -> Vec<u8> {
    let mut start = "INVITE sip:800@<target> SIP/2.0".to_owned();
    let mut headers: Vec<(String, String)> = [
        ("Via", "Via: SIP/2.0/UDP 127.0.0.1:<port>;branch=z9hG4bKx<n>;rport"),
        ("From", "From: <sip:bad@127.0.0.1>;tag=t<n>"),
        ("To", "To: <sip:800@<target>>"),
        ("Call-ID", "Call-ID: bad-<n>"),
        ("CSeq", "CSeq: 1 INVITE"),
        ("Contact", "Contact: <sip:bad@127.0.0.1:<port>>"),
        ("Max-Forwards", "Max-Forwards: 70"),
        ("Content-Type", "Content-Type: application/sdp"),
        ("Content-Length", ""),
    ]
    .map(|(name, line)| (name.to_owned(), line.to_owned()))
    .to_vec();
    let mut body = "v=0\\r\\no=- 1 1 IN IP4 127.0.0.1\\r\\ns=-\\r\\nc=IN IP4 127.0.0.1\\r\\nt=0 0\\r\\n\
                    m=audio <port> RTP/AVP 0\\r\\n"
        .to_owned();
    let written = |text: &str| written(text, n, target, port);
    let (mut raw, mut cut, mut append, mut subs) = (None, usize::MAX, "", Vec::new());
    for step in &case.recipe {
        let (what, value) = step.split_once('=').unwrap_or_else(|| panic!("{}: {step:?} is no step", case.name));
        match what {
            "start" => start = value.to_owned(),
            "body" => body = value.to_owned(),
            "raw" => raw = Some(value),
            "cut" => cut = value.parse().expect("a number"),
            "append" => append = value,
            "sub" => subs.push(value.split_once("=>").expect("A=>B")),
            added if added.starts_with('+') => {
                let at = headers.iter().position(|(name, _)| name == "Max-Forwards" || name == "Contact").unwrap_or(0);
                headers.insert(at, (added.into(), value.into()));
            }
            name => {
                let at = headers.iter().position(|(known, _)| known == name);
                headers[at.unwrap_or_else(|| panic!("{}: no header {name}", case.name))].1 = value.to_owned();
                // An empty one goes: see below. A Content-Length that is given stays.
            }
        }
    }
    let body = written(&body);
    let mut text = written(&start) + "\r\n";
    for (name, line) in headers {
        let given = case.recipe.iter().any(|step| step.starts_with(&format!("{name}=")));
        let line =
            if name == "Content-Length" && !given { format!("Content-Length: {}", body.chars().count()) } else { line };
        if !line.is_empty() {
            text += &(written(&line) + "\r\n");
        }
    }
    text += "\r\n";
    text += &body;
    for (from, to) in subs {
        text = text.replace(&written(from), &written(to));
    }
    text += &written(append);
    let text = raw.map_or(text, written).replace("SIP/2.0/UDP", &format!("SIP/2.0/{transport}"));
    // Each character stands for a byte.
    text.chars().map(|c| c as u8).take(cut).collect()
}

/// Repetitions, places and escapes carried out; one character is one byte.
fn written(text: &str, n: usize, target: SocketAddr, port: u16) -> String {
    let mut repeated = String::new();
    let mut rest = text;
    while let Some(at) = rest.find('{') {
        repeated += &rest[..at];
        let inside = &rest[at + 1..];
        let times = inside.split_once('*').and_then(|(times, _)| times.parse::<usize>().ok());
        match (times, inside.find('}')) {
            (Some(times), Some(end)) => {
                let (_, part) = inside[..end].split_once('*').expect("found above");
                repeated += &part.repeat(times);
                rest = &inside[end + 1..];
            }
            _ => {
                repeated.push('{');
                rest = inside;
            }
        }
    }
    repeated += rest;
    let placed = repeated
        .replace("<target>", &target.to_string())
        .replace("<port>", &port.to_string())
        .replace("<n>", &n.to_string());
    let (mut out, mut chars) = (String::new(), placed.chars());
    while let Some(c) = chars.next() {
        out.push(match (c, c == '\\') {
            (c, false) => c,
            _ => match chars.next() {
                Some('r') => '\r',
                Some('n') => '\n',
                Some('t') => '\t',
                Some('x') => {
                    let hex: String = chars.by_ref().take(2).collect();
                    u8::from_str_radix(&hex, 16).expect("two hexadecimal digits").into()
                }
                Some(other) => other,
                None => '\\',
            },
        });
    }
    out
}

/// A case of a packet; what came of it, where that is not what should.
async fn packet(case: &Case, peer: &Peer, endpoint: &Endpoint) -> Option<String> {
    let before = endpoint.counts().bad_packets;
    let bytes = bytes(case.recipe.first().unwrap_or(&""));
    let (socket, to) = match case.kind {
        "rtp" => (&peer.rtp, peer.to),
        _ => (&peer.rtcp, SocketAddr::new(peer.to.ip(), peer.to.port() + 1)),
    };
    socket.send_to(&bytes, to).await.unwrap();
    // RTP is taken every 20 ms, RTCP every 200.
    let limit = Duration::from_millis(if case.kind == "rtp" { 400 } else { 800 });
    let (began, patience) = (Instant::now(), if case.allows("ok") { limit / 2 } else { limit });
    while endpoint.counts().bad_packets == before && began.elapsed() < patience {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let came = match endpoint.counts().bad_packets - before {
        0 => "ok",
        1 => "bad",
        _ => "bad more than once",
    };
    let Case { kind, name, source, expected, .. } = case;
    (!case.allows(came)).then(|| format!("{kind}: {name} ({source}): {came}, expected {expected:?}"))
}

fn bytes(recipe: &str) -> Vec<u8> {
    let mut all = Vec::new();
    for part in recipe.split_whitespace() {
        let (hex, times) =
            part.split_once('*').map_or((part, 1), |(hex, times)| (hex, times.parse().expect("a number")));
        let once: Vec<u8> = (0..hex.len() / 2)
            .map(|at| {
                u8::from_str_radix(&hex[2 * at..2 * at + 2], 16).unwrap_or_else(|_| panic!("{part:?} is not hex"))
            })
            .collect();
        (0..times).for_each(|_| all.extend_from_slice(&once));
    }
    all
}

/// A caller whose sockets for sound are ours to misuse.
#[derive(Clone)]
struct Peer {
    sip: std::sync::Arc<UdpSocket>,
    rtp: std::sync::Arc<UdpSocket>,
    rtcp: std::sync::Arc<UdpSocket>,
    /// Where the engine listens.
    to: SocketAddr,
}

impl Peer {
    /// Calls, and is answered.
    async fn call(target: SocketAddr) -> Self {
        let port = free_port();
        let bind = |port: u16| async move { std::sync::Arc::new(UdpSocket::bind(("127.0.0.1", port)).await.unwrap()) };
        let (sip, rtp, rtcp) = (bind(0).await, bind(port).await, bind(port + 1).await);
        let own = sip.local_addr().unwrap().port();
        let body = format!(
            "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio {port} RTP/AVP 0 101\r\n\
             a=rtpmap:101 telephone-event/8000\r\n"
        );
        let head = |method: &str, to: &str, branch: u8| {
            format!(
                "{method} sip:800@{target} SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:{own};branch=z9hG4bKpeer{branch};rport\r\n\
                 From: <sip:peer@127.0.0.1>;tag=peer\r\n{to}\r\nCall-ID: peer\r\nCSeq: 1 {method}\r\n\
                 Contact: <sip:peer@127.0.0.1:{own}>\r\nMax-Forwards: 70\r\n"
            )
        };
        let invite = format!(
            "{}Content-Type: application/sdp\r\nContent-Length: {}\r\n\r\n{body}",
            head("INVITE", &format!("To: <sip:800@{target}>"), 1),
            body.len()
        );
        sip.send_to(invite.as_bytes(), target).await.unwrap();
        let mut buffer = [0; 4_096];
        let answer = loop {
            let answer = tokio::time::timeout(Duration::from_secs(10), sip.recv(&mut buffer)).await;
            let text = String::from_utf8_lossy(&buffer[..answer.expect("an answer").unwrap()]).into_owned();
            if text.starts_with("SIP/2.0 200") {
                break text;
            }
        };
        let line = |name: &str| answer.lines().find(|line| line.starts_with(name)).expect("a line of it").to_owned();
        let ack = head("ACK", &line("To:"), 2) + "Content-Length: 0\r\n\r\n";
        sip.send_to(ack.as_bytes(), target).await.unwrap();
        let theirs = line("m=audio").split(' ').nth(1).and_then(|port| port.parse().ok()).expect("a port");
        Self { sip, rtp, rtcp, to: SocketAddr::new(target.ip(), theirs) }
    }

    /// A tone by RTP until the end, which is the engine's BYE.
    fn speak(&self, end: watch::Receiver<bool>) -> impl Future<Output = ()> + use<> {
        let peer = self.clone();
        async move {
            let mut beat = tokio::time::interval(Duration::from_millis(20));
            let (mut tone, mut encoder) = (Tone::sine(440.0, -16.0), Codec::Pcmu.encoder());
            for n in 0u32.. {
                beat.tick().await;
                if *end.borrow() {
                    break;
                }
                let mut frame = Frame::silence(8_000);
                tone.next(&mut frame);
                let mut packet = vec![0x80, 0];
                packet.extend_from_slice(&(1_000 + n as u16).to_be_bytes());
                packet.extend_from_slice(&(n * 160).to_be_bytes());
                packet.extend_from_slice(&SSRC.to_be_bytes());
                packet.resize(12 + 160, 0);
                encoder.encode(frame.samples(), &mut packet[12..]);
                peer.rtp.send_to(&packet, peer.to).await.unwrap();
            }
            peer.answer_bye().await;
        }
    }

    /// Left without an answer, a BYE keeps its dialog until the transaction gives up (RFC 3261, 17.1.2.2: 32 s).
    async fn answer_bye(&self) {
        let mut buffer = [0; 4_096];
        loop {
            let came = tokio::time::timeout(Duration::from_secs(10), self.sip.recv_from(&mut buffer)).await;
            let (n, from) = came.expect("a BYE").unwrap();
            let text = String::from_utf8_lossy(&buffer[..n]);
            if text.starts_with("BYE ") {
                let copied = |line: &&str| {
                    ["Via:", "From:", "To:", "Call-ID:", "CSeq:"].iter().any(|name| line.starts_with(name))
                };
                let headers: String = text.lines().filter(copied).map(|line| line.to_owned() + "\r\n").collect();
                let answer = format!("SIP/2.0 200 OK\r\n{headers}Content-Length: 0\r\n\r\n");
                self.sip.send_to(answer.as_bytes(), from).await.unwrap();
                return;
            }
        }
    }
}

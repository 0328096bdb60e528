//! Forty nasty messages by UDP and TCP while a call goes on: no crash, the call does not notice, what can be answered
//! is refused rightly.

mod common;

use std::net::SocketAddr;
use std::time::Duration;

use common::sipp::Sipp;
use common::talk::talk;
use common::{nothing_is_left, settings};
use frontdesk::sip::Endpoint;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpStream, UdpSocket};

/// An INVITE that is good in all respects.
fn good(n: usize, target: SocketAddr, port: u16) -> String {
    let body = format!(
        "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio {port} RTP/AVP 0\r\n"
    );
    format!(
        "INVITE sip:800@{target} SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:{port};branch=z9hG4bKx{n};rport\r\n\
         From: <sip:bad@127.0.0.1>;tag=t{n}\r\nTo: <sip:800@{target}>\r\nCall-ID: bad-{n}\r\nCSeq: 1 INVITE\r\n\
         Contact: <sip:bad@127.0.0.1:{port}>\r\nMax-Forwards: 70\r\nContent-Type: application/sdp\r\n\
         Content-Length: {}\r\n\r\n{body}",
        body.len()
    )
}

type Change = fn(String) -> Vec<u8>;

/// What is done to a good message, and which status may come back (0: none).
fn nasty() -> Vec<(&'static str, Change, &'static [u16])> {
    fn line(message: &str, name: &str, with: &str) -> Vec<u8> {
        let kept: Vec<_> = message
            .split("\r\n")
            .map(|line| if line.starts_with(name) { with.to_owned() } else { line.to_owned() })
            .collect();
        let kept = kept.join("\r\n");
        if with.is_empty() { kept.replacen("\r\n\r\n", "\r\n", 1).into_bytes() } else { kept.into_bytes() }
    }
    vec![
        ("empty", |_| Vec::new(), &[0]),
        ("zeros", |_| vec![0; 2_000], &[0]),
        ("high bytes", |_| vec![0xff; 1_400], &[0]),
        ("no header", |_| b"INVITE sip:800@x SIP/2.0\r\n\r\n".to_vec(), &[0, 400]),
        ("half a message", |m| m.into_bytes()[..150].to_vec(), &[0]),
        ("bare line feeds", |m| m.replace("\r\n", "\n").into_bytes(), &[0, 400]),
        ("not UTF-8", |m| [m.as_bytes(), &[0xc3, 0x28, 0xfe]].concat(), &[0, 400, 488, 180]),
        ("a foreign version", |m| m.replace("SIP/2.0\r\nVia", "SIP/7.0\r\nVia").into_bytes(), &[0, 400, 505]),
        ("an unknown method", |m| m.replace("INVITE", "NEWMETHOD").into_bytes(), &[0, 405, 501]),
        ("another method in CSeq", |m| line(&m, "CSeq", "CSeq: 1 BYE"), &[0, 400, 180]),
        ("no CSeq", |m| line(&m, "CSeq", "X: y"), &[0, 400]),
        ("CSeq without a number", |m| line(&m, "CSeq", "CSeq: INVITE"), &[0, 400]),
        ("CSeq beyond 32 bits", |m| line(&m, "CSeq", "CSeq: 36893488147419103232 INVITE"), &[0, 400]),
        ("negative CSeq", |m| line(&m, "CSeq", "CSeq: -1 INVITE"), &[0, 400]),
        ("no Via", |m| line(&m, "Via", "X: y"), &[0]),
        ("a Via of nonsense", |m| line(&m, "Via", "Via: ;;;"), &[0]),
        ("a Via without a branch", |m| line(&m, "Via", "Via: SIP/2.0/UDP 127.0.0.1"), &[0, 400, 180]),
        ("a Via to nowhere", |m| line(&m, "Via", "Via: SIP/2.0/UDP host.invalid;branch=z9hG4bKn"), &[0, 180]),
        ("no From", |m| line(&m, "From", "X: y"), &[0, 400]),
        ("From without a tag", |m| line(&m, "From", "From: <sip:bad@127.0.0.1>"), &[0, 400]),
        ("From never closed", |m| line(&m, "From", "From: \"<sip:bad@127.0.0.1;tag=1"), &[0, 400]),
        (
            "From of many quotes",
            |m| line(&m, "From", &format!("From: {}<sip:a@b>;tag=q", "\"\\".repeat(500))),
            &[0, 400, 180],
        ),
        ("no To", |m| line(&m, "To", "X: y"), &[0, 400]),
        ("To of another dialog", |m| line(&m, "To", "To: <sip:800@x>;tag=nobody"), &[481]),
        ("no Call-ID", |m| line(&m, "Call-ID", "X: y"), &[0, 400]),
        ("no Contact", |m| line(&m, "Contact", "X: y"), &[400]),
        ("Contact star", |m| line(&m, "Contact", "Contact: *"), &[0, 400, 180]),
        ("a Contact of nonsense", |m| line(&m, "Contact", "Contact: <<<>>>"), &[0, 400, 180]),
        ("a request URI of nonsense", |m| m.replacen("sip:800@", "sip:%%%@@:::", 1).into_bytes(), &[0, 400, 180]),
        ("a long request URI", |m| m.replacen("800", &"8".repeat(4_000), 1).into_bytes(), &[0, 414, 180]),
        ("a Content-Length beyond the end", |m| line(&m, "Content-Length", "Content-Length: 9999"), &[0, 400, 180]),
        ("a Content-Length of minus one", |m| line(&m, "Content-Length", "Content-Length: -1"), &[0, 400, 180]),
        (
            "a Content-Length of 2^64",
            |m| line(&m, "Content-Length", "Content-Length: 18446744073709551615"),
            &[0, 400, 180],
        ),
        ("a body of another kind", |m| line(&m, "Content-Type", "Content-Type: text/plain"), &[415]),
        ("a description cut short", |m| m.replace("m=audio", "m=au\r\nx").into_bytes(), &[488]),
        ("a port of 99999", |m| m.replacen("m=audio ", "m=audio 9", 1).into_bytes(), &[0, 488, 180]),
        (
            "two thousand headers",
            |m| m.replacen("Contact", &format!("{}Contact", "X: y\r\n".repeat(2_000)), 1).into_bytes(),
            &[0, 180],
        ),
        (
            "a header of 30 000 bytes",
            |m| m.replacen("Contact", &format!("X: {}\r\nContact", "y".repeat(30_000)), 1).into_bytes(),
            &[0, 180],
        ),
        (
            "folded lines",
            |m| m.replace("Max-Forwards: 70", "Max-Forwards:\r\n 70\r\n \t\r\n x").into_bytes(),
            &[0, 400, 180],
        ),
        ("colons only", |m| line(&m, "Max-Forwards", ":::::::"), &[0, 180]),
        ("Require of everything", |m| line(&m, "Max-Forwards", "Require: a, b, c"), &[420]),
        ("a response to nothing", |m| m.replacen("INVITE sip:", "SIP/2.0 200 ", 1).into_bytes(), &[0]),
        ("a response without a code", |m| format!("SIP/2.0\r\n{m}").into_bytes(), &[0]),
        ("ACK to nothing", |m| m.replace("INVITE", "ACK").into_bytes(), &[0]),
        ("CANCEL of nothing", |m| m.replace("INVITE", "CANCEL").into_bytes(), &[481]),
        ("BYE of nothing", |m| m.replace("INVITE", "BYE").into_bytes(), &[481]),
        (
            "REGISTER with strange credentials",
            |m| line(&m.replace("INVITE", "REGISTER"), "Max-Forwards", "Authorization: Digest ====\",\""),
            &[403],
        ),
        ("REGISTER without credentials", |m| m.replace("INVITE", "REGISTER").into_bytes(), &[401]),
    ]
}

/// The first final or ringing status that comes back; 0: none.
fn status(answers: &[u8]) -> u16 {
    let text = String::from_utf8_lossy(answers);
    let statuses = text.split("SIP/2.0 ").skip(1).filter_map(|rest| rest.get(..3)?.parse().ok());
    statuses.filter(|status| *status > 100).min().unwrap_or(0)
}

async fn by_udp(message: &[u8], socket: &UdpSocket, target: SocketAddr) -> u16 {
    if socket.send_to(message, target).await.is_err() {
        return 0; // too long for a datagram: it cannot come by UDP at all
    }
    let mut answers = Vec::new();
    let mut buffer = [0; 65_536];
    while let Ok(Ok(n)) = tokio::time::timeout(Duration::from_millis(150), socket.recv(&mut buffer)).await {
        answers.extend_from_slice(&buffer[..n]);
    }
    status(&answers)
}

async fn by_tcp(message: &[u8], target: SocketAddr) -> u16 {
    let mut stream = TcpStream::connect(target).await.expect("TCP is still served");
    let _ = stream.write_all(message).await; // it may be closed in our face
    let mut answers = Vec::new();
    let mut buffer = [0; 4_096];
    while let Ok(Ok(n)) = tokio::time::timeout(Duration::from_millis(150), stream.read(&mut buffer)).await {
        if n == 0 {
            break;
        }
        answers.extend_from_slice(&buffer[..n]);
    }
    status(&answers)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn forty_of_them_by_udp_and_tcp() {
    let (endpoint, mut calls) = Endpoint::start(settings()).await.unwrap();
    let target = endpoint.listening()[0];
    let live = Sipp::new("caller_waits", target).start();
    let leg = calls.recv().await.unwrap().answer().await.unwrap();
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let talking = tokio::spawn(async move {
        let mut leg = leg;
        let mut tone = 0;
        let mut total = 0;
        let mut stopped = std::pin::pin!(stopped);
        loop {
            let heard = common::talk::speak(&mut leg, 440.0, "", Duration::from_millis(500)).await;
            assert_eq!(heard.events, [], "the call goes on");
            (tone, total) = (tone + heard.tone_ms(440.0), total + heard.samples.len() / 8);
            if futures_util::poll!(stopped.as_mut()).is_ready() {
                leg.hang_up().await;
                return (tone, total);
            }
        }
    });
    // Those that are calls after all ring, and are refused at the end.
    let ringing = tokio::spawn(async move {
        let mut all = Vec::new();
        while let Some(incoming) = calls.recv().await {
            incoming.ring().await;
            all.push(incoming);
        }
    });

    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let port = socket.local_addr().unwrap().port();
    let mut wrong = Vec::new();
    for (n, (what, change, allowed)) in nasty().into_iter().enumerate() {
        let message = change(good(n, target, port));
        let udp = by_udp(&message, &socket, target).await;
        let message = change(good(n + 1_000, target, port).replace("/UDP", "/TCP"));
        let tcp = by_tcp(&message, target).await;
        if !allowed.contains(&udp) || !(allowed.contains(&tcp) || tcp == 0) {
            wrong.push(format!("{what}: {udp} by UDP, {tcp} by TCP; expected one of {allowed:?}"));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");

    stop.send(()).unwrap();
    let (tone, total) = talking.await.unwrap();
    assert!(tone * 10 >= total * 8, "{tone} ms of tone in {total} ms");
    live.finish().await;
    // Everything still works.
    Sipp::new("asks_options", target).run().await;
    Sipp::new("asks_options", target).tcp().run().await;
    ringing.abort();
    let _ = ringing.await;
    nothing_is_left(&endpoint).await;
}

#[tokio::test]
async fn random_bytes_in_a_good_message() {
    let (endpoint, mut calls) = Endpoint::start(settings()).await.unwrap();
    let target = endpoint.listening()[0];
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let port = socket.local_addr().unwrap().port();
    // A fixed seed: a failure can be repeated.
    let mut random = 0x2545_f491u32;
    let mut next = || {
        random ^= random << 13;
        random ^= random >> 17;
        random ^= random << 5;
        random as usize
    };
    for n in 0..400 {
        let mut message = good(n, target, port).into_bytes();
        for _ in 0..=next() % 6 {
            let at = next() % message.len();
            match next() % 3 {
                0 => message[at] = next() as u8,
                1 => drop(message.splice(at..(at + next() % 20).min(message.len()), [])),
                _ => drop(message.splice(at..at, std::iter::repeat_n(next() as u8, next() % 9))),
            }
        }
        let _ = socket.send_to(&message, target).await;
        while let Ok(incoming) = calls.try_recv() {
            drop(incoming);
        }
        if n % 50 == 0 {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
    let caller = Sipp::new("caller", target).start();
    let leg = loop {
        let incoming = calls.recv().await.unwrap();
        if incoming.from_number == "5551234" {
            break incoming.answer().await.unwrap();
        }
    };
    let heard = talk(leg, 440.0, "", Duration::from_secs(5)).await;
    assert!(heard.has_tone(440.0, 200));
    caller.finish().await;
    while let Ok(incoming) = calls.try_recv() {
        drop(incoming);
    }
    nothing_is_left(&endpoint).await;
}

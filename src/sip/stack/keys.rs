//! Keys in INFO requests (RFC 6086; the two bodies that phones really send have no RFC of their own):
//! `application/dtmf-relay` (`Signal=5`, `Duration=160`) and `application/dtmf` (`5`). They join the leg's sound at its
//! port, where a press that also came as telephone-event counts once.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use rsipstack::sip::{Header, Request, headers};
use tracing::debug;

use super::super::rtp_port::RtpPort;
use super::leg::Session;
use crate::media::{Frame, Key, Port, Quality, Received};

/// Presses that may wait for the next beat; a peer that sends more is cut short.
const WAITING: usize = 16;
const RELAY: &str = "application/dtmf-relay";
const PLAIN: &str = "application/dtmf";
/// What our own INFO says a press took, ms.
const HELD_MS: u32 = 160;

/// From signalling to the port. Looked at once a beat without a lock while nothing waits.
#[derive(Default)]
pub(super) struct Presses {
    some: AtomicBool,
    waiting: Mutex<VecDeque<Key>>,
}

impl Presses {
    pub fn push(&self, key: Key) {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner); // keys, never half changed
        if waiting.len() < WAITING {
            waiting.push_back(key);
            self.some.store(true, Relaxed);
        }
    }

    fn pop(&self) -> Option<Key> {
        if !self.some.load(Relaxed) {
            return None;
        }
        // Signalling holds it for a push only; should it do so now, the next beat is soon enough.
        let mut waiting = self.waiting.try_lock().ok()?;
        let key = waiting.pop_front();
        self.some.store(!waiting.is_empty(), Relaxed);
        key
    }
}

/// A leg's sound, with the keys that come and go by INFO.
pub(super) struct KeyPort {
    port: RtpPort,
    session: Arc<Session>,
}

impl KeyPort {
    pub fn new(port: RtpPort, session: Arc<Session>) -> Self {
        Self { port, session }
    }
}

impl Port for KeyPort {
    fn rate(&self) -> u32 {
        self.port.rate()
    }

    fn receive(&mut self, now: Instant, frame: &mut Frame) -> Received {
        if let Some(key) = self.session.keys.pop() {
            self.port.pressed(now, key);
        }
        self.port.receive(now, frame)
    }

    fn send(&mut self, now: Instant, frame: Option<&Frame>) {
        self.port.send(now, frame);
    }

    fn send_key(&mut self, key: Key) {
        // By sound where the peer takes events; else by INFO where it takes those.
        if self.session.plan.load().events_out.is_none() && self.session.abilities().info {
            self.session.send_key(key);
        } else {
            self.port.send_key(key);
        }
    }

    fn quality(&self) -> Quality {
        self.port.quality()
    }
}

/// The key in an INFO; `Ok(None)` for a body that is none of ours to read (hook flash, nothing), `Err` for another type.
pub(super) fn read(request: &Request) -> Result<Option<Key>, ()> {
    let kind = request.headers.iter().find_map(|header| match header {
        Header::ContentType(kind) => {
            Some(kind.value().split(';').next().unwrap_or_default().trim().to_ascii_lowercase())
        }
        _ => None,
    });
    let body = String::from_utf8_lossy(&request.body);
    let signal = match kind.as_deref() {
        Some(RELAY) => body.lines().find_map(|line| {
            let (name, value) = line.split_once(['=', ':'])?;
            name.trim().eq_ignore_ascii_case("signal").then(|| value.trim().to_owned())
        }),
        Some(PLAIN) => Some(body.trim().to_owned()),
        // RFC 6086, 4.2.2: an INFO without a body is answered 200.
        _ if request.body.is_empty() => None,
        _ => return Err(()),
    };
    Ok(signal.as_deref().and_then(key))
}

/// `5`, `*`, `#`, `A`; some phones write the event's number for the keys that are no digits (`10`, `11`).
fn key(signal: &str) -> Option<Key> {
    let mut chars = signal.chars();
    match (chars.next(), chars.next()) {
        (Some(key), None) => Key::new(key),
        _ => signal.parse().ok().and_then(Key::from_event),
    }
}

/// Presses a key at the peer, by INFO.
pub(super) async fn send(session: &Session, key: Key) {
    let headers = vec![Header::ContentType(headers::ContentType::new(RELAY))];
    let body = format!("Signal={}\r\nDuration={HELD_MS}\r\n", key.as_char());
    let sent = session.dialog.info(Some(headers), Some(body.into_bytes())).await;
    if !matches!(sent, Ok(Some(response)) if response.status_code.code() < 300) {
        debug!(call = session.call_id, "a key sent by INFO was not taken");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn info(kind: &str, body: &str) -> Request {
        let text = format!(
            "INFO sip:1@192.0.2.9 SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1\r\nFrom: <sip:a@b>;tag=1\r\n\
             To: <sip:1@192.0.2.9>;tag=2\r\nCall-ID: 1\r\nCSeq: 2 INFO\r\n{kind}Content-Length: {}\r\n\r\n{body}",
            body.len()
        );
        Request::try_from(text.as_str()).unwrap()
    }

    #[test]
    fn keys_are_read_as_phones_write_them() {
        for (kind, body, key) in [
            ("application/dtmf-relay", "Signal=5\r\nDuration=160", Some('5')),
            ("application/dtmf-relay", "Signal= #\r\nDuration= 250\r\n", Some('#')),
            ("Application/DTMF-Relay; x=y", "Duration=100\nsignal=*\n", Some('*')),
            ("application/dtmf-relay", "Signal=11\r\n", Some('#')),
            ("application/dtmf-relay", "Duration=160", None),
            ("application/dtmf-relay", "Signal=16", None),
            ("application/dtmf-relay", "", None),
            ("application/dtmf", "7", Some('7')),
            ("application/dtmf", "a\r\n", Some('A')),
            ("application/dtmf", "10", Some('*')),
            ("application/dtmf", "!", None),
        ] {
            let read = read(&info(&format!("Content-Type: {kind}\r\n"), body));
            assert_eq!(read, Ok(key.and_then(Key::new)), "{kind} {body:?}");
        }
        assert_eq!(read(&info("", "")), Ok(None));
        assert_eq!(read(&info("Content-Type: text/plain\r\n", "5")), Err(()));
    }

    #[test]
    fn presses_come_out_in_their_order_and_no_more_than_fit() {
        let presses = Presses::default();
        assert_eq!(presses.pop(), None);
        "1234567890*#1234567890".chars().filter_map(Key::new).for_each(|key| presses.push(key));
        let out: String = std::iter::from_fn(|| presses.pop()).map(Key::as_char).collect();
        assert_eq!(out, "1234567890*#1234");
    }
}

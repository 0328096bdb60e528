//! Who may send how much: a token bucket of requests and one of INVITEs for every source address, a list of sources
//! that are met with silence for a while, and the marks of scanners. A plain value: addresses and times go in,
//! verdicts come out. Memory is bounded whatever addresses are forged.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::time::{Duration, Instant};

/// Sources remembered in each of two generations.
const SOURCES: usize = 4_096;
/// Offences within [`OFFENCE_WINDOW`] that put a source on the block list.
const OFFENCES: u32 = 10;
const OFFENCE_WINDOW: Duration = Duration::from_secs(60);
/// A full block list is looked through this often at most.
const SWEEP: Duration = Duration::from_secs(1);
/// Seconds' worth of requests that may come at once.
const BURST: f64 = 2.0;

/// What programs that look for open telephone systems call themselves.
const SCANNERS: &[&str] = &[
    "friendly-scanner",
    "sipvicious",
    "friendly-request",
    "sundayddr",
    "sip-scan",
    "sipsak",
    "sipcli",
    "pplsip",
    "iwar",
    "vaxsipuseragent",
    "sivus",
    "siparmyknife",
    "smap",
    "gulp",
    "csipsimple-scan",
    "fork-scan",
];

/// How much a source may send, a second.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Limits {
    pub requests: f64,
    pub invites: f64,
    /// The same for addresses that may call in: allowed ones, trunks, registered phones.
    pub trusted_requests: f64,
    pub trusted_invites: f64,
    /// How long an offender is met with silence.
    pub block: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            requests: 20.0,
            invites: 5.0,
            trusted_requests: 2_000.0,
            trusted_invites: 200.0,
            block: Duration::from_secs(600),
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Invite,
    /// Any other request.
    Request,
}

/// Why something is answered with silence.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Silence {
    /// On the block list.
    Blocked,
    /// More than its share.
    Flood,
    /// Calls itself a scanner.
    Scanner,
    /// No SIP at all.
    Malformed,
}

impl Silence {
    pub const ALL: [Self; 4] = [Self::Blocked, Self::Flood, Self::Scanner, Self::Malformed];

    /// For a metric's label.
    pub fn name(self) -> &'static str {
        match self {
            Self::Blocked => "blocked",
            Self::Flood => "flood",
            Self::Scanner => "scanner",
            Self::Malformed => "malformed",
        }
    }
}

/// The state of all sources.
#[derive(Default)]
pub struct Gate {
    young: HashMap<IpAddr, Source>,
    old: HashMap<IpAddr, Source>,
    blocked: HashMap<IpAddr, Instant>,
    swept: Option<Instant>,
}

#[derive(Clone, Copy)]
struct Source {
    requests: Bucket,
    invites: Bucket,
    offences: u32,
    offended: Instant,
}

#[derive(Clone, Copy)]
struct Bucket {
    tokens: f64,
    at: Instant,
}

impl Bucket {
    fn take(&mut self, now: Instant, rate: f64) -> bool {
        let full = (rate * BURST).max(1.0);
        let waited = now.saturating_duration_since(self.at).as_secs_f64();
        self.tokens = (self.tokens + waited * rate).min(full);
        self.at = now;
        let enough = self.tokens >= 1.0;
        if enough {
            self.tokens -= 1.0;
        }
        enough
    }
}

impl Gate {
    /// Whether a source is on the block list.
    pub fn is_blocked(&self, now: Instant, ip: IpAddr) -> bool {
        self.blocked.get(&source(ip)).is_some_and(|until| *until > now)
    }

    /// Takes a request's share. `Err`: not a word of answer.
    pub fn take(
        &mut self,
        now: Instant,
        ip: IpAddr,
        kind: Kind,
        trusted: bool,
        limits: &Limits,
    ) -> Result<(), Silence> {
        if !trusted && self.is_blocked(now, ip) {
            return Err(Silence::Blocked);
        }
        let (requests, invites) = match trusted {
            true => (limits.trusted_requests, limits.trusted_invites),
            false => (limits.requests, limits.invites),
        };
        let known = self.source(now, ip, requests.max(1.0) * BURST, invites.max(1.0) * BURST);
        let within = known.requests.take(now, requests) && (kind != Kind::Invite || known.invites.take(now, invites));
        match within {
            true => Ok(()),
            false => {
                if !trusted {
                    self.offend(now, ip, limits);
                }
                Err(Silence::Flood)
            }
        }
    }

    /// A stranger did what only those do who look for a way in. Enough of it blocks the source; whether it did now.
    pub fn offend(&mut self, now: Instant, ip: IpAddr, limits: &Limits) -> bool {
        let known = self.source(now, ip, limits.requests.max(1.0) * BURST, limits.invites.max(1.0) * BURST);
        if now.saturating_duration_since(known.offended) > OFFENCE_WINDOW {
            known.offences = 0;
        }
        if known.offences == 0 {
            known.offended = now;
        }
        known.offences += 1;
        let enough = known.offences >= OFFENCES;
        if enough {
            self.block(now, ip, limits);
        }
        enough
    }

    /// Puts a source on the block list.
    pub fn block(&mut self, now: Instant, ip: IpAddr, limits: &Limits) {
        // Looking for entries that are over takes a while: not for every forged address.
        if self.blocked.len() >= SOURCES && self.swept.is_none_or(|swept| now >= swept + SWEEP) {
            self.blocked.retain(|_, until| *until > now);
            self.swept = Some(now);
        }
        // A list full of living entries is an attack by forged addresses: the limits hold without it.
        if self.blocked.len() < SOURCES {
            self.blocked.insert(source(ip), now + limits.block);
        }
    }

    /// Sources on the block list.
    pub fn blocked(&self, now: Instant) -> usize {
        self.blocked.values().filter(|until| **until > now).count()
    }

    /// Sources remembered.
    #[cfg(test)]
    fn len(&self) -> usize {
        self.young.len() + self.old.len() + self.blocked.len()
    }

    fn source(&mut self, now: Instant, ip: IpAddr, requests: f64, invites: f64) -> &mut Source {
        let ip = source(ip);
        if !self.young.contains_key(&ip) && self.young.len() >= SOURCES {
            self.old = std::mem::take(&mut self.young);
        }
        let full = |tokens| Bucket { tokens, at: now };
        let fresh = || Source { requests: full(requests), invites: full(invites), offences: 0, offended: now };
        let old = &mut self.old;
        self.young.entry(ip).or_insert_with(|| old.remove(&ip).unwrap_or_else(fresh))
    }
}

/// Whether a User-Agent is a scanner's.
pub fn is_scanner(user_agent: &str) -> bool {
    let name = user_agent.to_ascii_lowercase();
    SCANNERS.iter().any(|scanner| name.contains(scanner))
}

/// Whether a datagram could be SIP: a first line that says so, or a keep-alive (RFC 5626, 3.5.1).
pub fn could_be_sip(datagram: &[u8]) -> bool {
    // Empty lines before a message are to be overlooked (RFC 3261, 7.5).
    let datagram = datagram.trim_ascii_start();
    if datagram.is_empty() {
        return true;
    }
    let line = datagram.split(|byte| *byte == b'\n').next().unwrap_or_default().trim_ascii_end();
    let begins = |word: &[u8]| word.get(..4).is_some_and(|word| word.eq_ignore_ascii_case(b"SIP/"));
    // Another version is for the stack to refuse.
    begins(line) || line.rsplit(|byte| *byte == b' ').next().is_some_and(begins)
}

/// One source: an IPv4 address, or an IPv6 network of 64 bits, which is what one customer has at least.
fn source(ip: IpAddr) -> IpAddr {
    match ip.to_canonical() {
        IpAddr::V6(v6) => IpAddr::V6(Ipv6Addr::from_bits(v6.to_bits() & !u128::from(u64::MAX))),
        v4 => v4,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limits() -> Limits {
        Limits { requests: 10.0, invites: 2.0, ..Limits::default() }
    }

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn a_source_has_its_share_a_second_and_a_burst() {
        let (start, mut gate, limits) = (Instant::now(), Gate::default(), limits());
        let sent = |gate: &mut Gate, at: Duration, kind, n: usize| {
            (0..n).filter(|_| gate.take(start + at, ip("192.0.2.1"), kind, false, &limits).is_ok()).count()
        };
        assert_eq!(sent(&mut gate, Duration::ZERO, Kind::Invite, 8), 4, "two seconds' worth at once");
        assert_eq!(sent(&mut gate, Duration::from_millis(1_500), Kind::Invite, 5), 3);
        assert!(gate.take(start, ip("192.0.2.2"), Kind::Invite, false, &limits).is_ok(), "another source");
        let trusted = (0..150).filter(|_| gate.take(start, ip("192.0.2.3"), Kind::Invite, true, &limits).is_ok());
        assert_eq!(trusted.count(), 150);
    }

    #[test]
    fn an_offender_is_blocked_for_a_while_and_a_friend_never() {
        let (start, mut gate, limits) = (Instant::now(), Gate::default(), limits());
        let bad = ip("192.0.2.66");
        for n in 1..=OFFENCES {
            assert_eq!(gate.offend(start, bad, &limits), n == OFFENCES);
        }
        assert_eq!(gate.take(start, bad, Kind::Request, false, &limits), Err(Silence::Blocked));
        assert_eq!(gate.take(start, bad, Kind::Request, true, &limits), Ok(()), "an allowed address is never blocked");
        assert_eq!(gate.blocked(start), 1);
        assert!(!gate.is_blocked(start + limits.block, bad));
        // Slow offences are forgotten.
        let slow = ip("192.0.2.67");
        for n in 0..2 * u64::from(OFFENCES) {
            assert!(!gate.offend(start + Duration::from_secs(61 * n), slow, &limits));
        }
    }

    #[test]
    fn neighbours_of_an_ipv6_address_share_its_bucket() {
        let (start, mut gate, limits) = (Instant::now(), Gate::default(), limits());
        for host in 0..4 {
            let from = ip(&format!("2001:db8:1:2::{host:x}"));
            assert!(gate.take(start, from, Kind::Invite, false, &limits).is_ok());
        }
        assert!(gate.take(start, ip("2001:db8:1:2:ffff::1"), Kind::Invite, false, &limits).is_err());
        assert!(gate.take(start, ip("2001:db8:1:3::1"), Kind::Invite, false, &limits).is_ok());
    }

    #[test]
    fn a_million_forged_addresses_take_no_more_memory_than_a_few_thousand() {
        let (start, mut gate, limits) = (Instant::now(), Gate::default(), limits());
        for n in 0..1_000_000u32 {
            let from = IpAddr::from(n.to_be_bytes());
            let _ = gate.take(start, from, Kind::Request, false, &limits);
            gate.block(start, from, &limits);
        }
        assert!(gate.len() <= 3 * SOURCES, "{}", gate.len());
    }

    #[test]
    fn scanners_and_noise_are_told_from_phones() {
        for scanner in ["friendly-scanner", "SIPVicious 0.3", "sipcli/v1.8", "VaxSIPUserAgent/3.1"] {
            assert!(is_scanner(scanner), "{scanner}");
        }
        for phone in ["Linphone/5.1", "baresip v1.0.0 (x86_64/linux)", "Yealink SIP-T46S", "snom870/8.7", "Zoiper", ""]
        {
            assert!(!is_scanner(phone), "{phone}");
        }
        assert!(could_be_sip(b"OPTIONS sip:a@b SIP/2.0\r\nVia: x\r\n\r\n"));
        assert!(could_be_sip(b"\r\nSIP/2.0 200 OK\r\n\r\n") && could_be_sip(b"\r\n\r\n") && could_be_sip(b""));
        for noise in
            [&b"GET / HTTP/1.1\r\n\r\n"[..], b"\x00\x01\x00\x00\x21\x12\xa4\x42", b"OPTIONS sip:a@b HTTP/1.1\r\n"]
        {
            assert!(!could_be_sip(noise));
        }
    }
}

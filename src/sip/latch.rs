//! Whose sound to believe (symmetric RTP, RFC 4961, and latching, RFC 7362) without letting a stranger in.
//!
//! The signalled address always wins. Another one is believed only when it is plausible (the peer's signalling
//! address, or anything where the signalled address is a private one that cannot be meant), sends a steady stream,
//! and the address believed so far has gone quiet. Once sound flows, a stranger changes nothing.

use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

/// Packets in sequence that a new address must send.
const PROOF: u8 = 3;
/// The address believed so far must have been quiet this long.
const QUIET: Duration = Duration::from_millis(500);

#[derive(Debug, Default)]
pub struct Latch {
    signalled: Option<SocketAddr>,
    signalling_ip: Option<IpAddr>,
    believed: Option<SocketAddr>,
    heard_at: Option<Instant>,
    candidate: Option<Candidate>,
    /// Where the sound was before signalling moved it: what still comes from there is an echo of the past.
    former: Option<SocketAddr>,
}

#[derive(Debug)]
struct Candidate {
    source: SocketAddr,
    ssrc: u32,
    sequence: u16,
    packets: u8,
}

impl Latch {
    /// Signalling named a (new) address: begin again with it.
    pub fn signalled(&mut self, address: Option<SocketAddr>, signalling_ip: Option<IpAddr>) {
        if self.signalled != address {
            *self = Self { signalled: address, former: self.target(), ..Self::default() };
        }
        self.signalling_ip = signalling_ip;
    }

    /// Whether a packet from `source` is the peer's.
    pub fn admits(&mut self, now: Instant, source: SocketAddr, ssrc: u32, sequence: u16) -> bool {
        if self.signalled == Some(source) || self.believed == Some(source) && self.signalled.is_some() {
            // The signalled address taking over from a latched one ends the latter's turn.
            if self.believed != Some(source) && self.signalled == Some(source) {
                self.believed = Some(source);
                self.candidate = None;
            }
            self.heard_at = Some(now);
            return true;
        }
        let quiet = self.heard_at.is_none_or(|heard| now.saturating_duration_since(heard) >= QUIET);
        if !quiet || self.former == Some(source) || !self.plausible(source.ip()) {
            return false;
        }
        match &mut self.candidate {
            Some(c) if c.source == source && c.ssrc == ssrc && c.sequence.wrapping_add(1) == sequence => {
                c.sequence = sequence;
                c.packets += 1;
                if c.packets < PROOF {
                    return false;
                }
                self.believed = Some(source);
                self.heard_at = Some(now);
                self.candidate = None;
                true
            }
            _ => {
                self.candidate = Some(Candidate { source, ssrc, sequence, packets: 1 });
                false
            }
        }
    }

    /// Whether this is an address of the peer's, as far as it is known.
    pub fn knows(&self, source: SocketAddr) -> bool {
        self.signalled == Some(source) || self.believed == Some(source) || self.former == Some(source)
    }

    /// Where to send.
    pub fn target(&self) -> Option<SocketAddr> {
        self.believed.or(self.signalled)
    }

    fn plausible(&self, ip: IpAddr) -> bool {
        let Some(signalled) = self.signalled else { return false };
        ip == signalled.ip()
            || self.signalling_ip == Some(ip)
            // A private address named by a peer that signals from a public one: it sits behind NAT.
            || is_private(signalled.ip()) && self.signalling_ip.is_some_and(|ip| !is_private(ip)) && !is_private(ip)
    }
}

/// Not reachable from the internet at large.
pub fn is_private(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => {
            let [a, b, ..] = ip.octets();
            // RFC 6598: shared address space of carriers.
            ip.is_private()
                || ip.is_loopback()
                || ip.is_link_local()
                || ip.is_unspecified()
                || (a == 100 && b & 0xc0 == 64)
        }
        IpAddr::V6(ip) => ip.is_loopback() || ip.is_unspecified() || ip.is_unique_local() || ip.is_unicast_link_local(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(address: &str) -> SocketAddr {
        address.parse().unwrap()
    }

    fn latch(signalled: &str, signalling: &str) -> Latch {
        let mut latch = Latch::default();
        latch.signalled(Some(at(signalled)), Some(signalling.parse().unwrap()));
        latch
    }

    /// Feeds packets `from..to` of one stream, 20 ms apart; gives how many were admitted.
    fn feed(latch: &mut Latch, start: Instant, source: &str, ssrc: u32, from: u16, to: u16) -> usize {
        (from..to)
            .filter(|n| latch.admits(start + Duration::from_millis(20 * u64::from(*n)), at(source), ssrc, *n))
            .count()
    }

    #[test]
    fn the_signalled_address_is_believed_at_once() {
        let (start, mut latch) = (Instant::now(), latch("192.0.2.1:4000", "192.0.2.1"));
        assert_eq!(feed(&mut latch, start, "192.0.2.1:4000", 1, 0, 5), 5);
        assert_eq!(latch.target(), Some(at("192.0.2.1:4000")));
    }

    #[test]
    fn a_phone_behind_nat_is_found_by_its_stream() {
        let (start, mut latch) = (Instant::now(), latch("10.0.0.5:4000", "203.0.113.7"));
        assert_eq!(feed(&mut latch, start, "203.0.113.7:61000", 1, 0, 10), 8);
        assert_eq!(latch.target(), Some(at("203.0.113.7:61000")));
    }

    #[test]
    fn a_stranger_changes_nothing_while_the_peer_speaks() {
        let (start, mut latch) = (Instant::now(), latch("192.0.2.1:4000", "192.0.2.1"));
        for n in 0..50u16 {
            let now = start + Duration::from_millis(20 * u64::from(n));
            assert!(latch.admits(now, at("192.0.2.1:4000"), 1, n));
            assert!(!latch.admits(now, at("198.51.100.1:9"), 2, n), "an unknown address");
            assert!(!latch.admits(now, at("192.0.2.1:9"), 2, n), "another port of the peer");
        }
        assert_eq!(latch.target(), Some(at("192.0.2.1:4000")));
    }

    #[test]
    fn a_stranger_is_never_believed_even_in_silence() {
        let (start, mut latch) = (Instant::now(), latch("192.0.2.1:4000", "192.0.2.1"));
        assert_eq!(feed(&mut latch, start, "198.51.100.1:9", 2, 0, 200), 0);
        // Nor single packets out of a stream from the right host.
        for n in [3, 9, 27] {
            assert!(!latch.admits(start, at("192.0.2.1:9"), 2, n));
        }
    }

    #[test]
    fn a_rebound_nat_is_followed_and_the_signalled_address_comes_back() {
        let (start, mut latch) = (Instant::now(), latch("192.0.2.1:4000", "192.0.2.1"));
        assert_eq!(feed(&mut latch, start, "192.0.2.1:4000", 1, 0, 50), 50);
        // Quiet for half a second (until packet 74) and a proof of three packets later the new port is believed.
        let admitted = feed(&mut latch, start, "192.0.2.1:5555", 1, 60, 100);
        assert!((22..=24).contains(&admitted), "{admitted}");
        assert_eq!(latch.target(), Some(at("192.0.2.1:5555")));
        assert!(latch.admits(start + Duration::from_secs(3), at("192.0.2.1:4000"), 1, 200));
        assert_eq!(latch.target(), Some(at("192.0.2.1:4000")));
    }

    #[test]
    fn a_new_address_from_signalling_starts_anew() {
        let (start, mut latch) = (Instant::now(), latch("192.0.2.1:4000", "192.0.2.1"));
        feed(&mut latch, start, "192.0.2.1:4000", 1, 0, 5);
        latch.signalled(Some(at("192.0.2.2:6000")), None);
        assert_eq!(latch.target(), Some(at("192.0.2.2:6000")));
        assert!(!latch.admits(start + Duration::from_secs(1), at("192.0.2.1:4000"), 1, 6));
        assert!(latch.admits(start + Duration::from_secs(1), at("192.0.2.2:6000"), 1, 7));
    }
}

//! How much one address may ask for: calls (or log-ins) begun (a token bucket), calls at once. A plain value: addresses and times go in,
//! verdicts come out; memory is bounded whatever addresses come.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::time::{Duration, Instant};

/// Addresses remembered. With more, the oldest marks are forgotten: live calls are not.
const ADDRESSES: usize = 8_192;
const MINUTE: Duration = Duration::from_secs(60);

#[derive(Default)]
pub struct Guard {
    addresses: HashMap<IpAddr, Mark>,
    live: usize,
}

struct Mark {
    /// Calls that may begin now, and since when that many.
    tokens: f64,
    at: Instant,
    live: usize,
}

/// Why a call is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refused {
    /// The address begins calls too fast; seconds after which it may begin one.
    TooFast(u64),
    /// It has as many as it may have.
    TooMany,
    /// All browsers together have.
    Full,
}

#[derive(Clone, Copy, Debug)]
pub struct Limits {
    pub max_calls: usize,
    pub per_address: usize,
    pub per_minute: u32,
}

impl Guard {
    /// Counts a call of this address that begins now; [`Guard::end`] ends it.
    pub fn begin(&mut self, now: Instant, address: IpAddr, limits: Limits) -> Result<(), Refused> {
        let full = f64::from(limits.per_minute.max(1));
        if self.live >= limits.max_calls {
            return Err(Refused::Full);
        }
        self.make_room(now);
        let mark = self.addresses.entry(network(address)).or_insert(Mark { tokens: full, at: now, live: 0 });
        let waited = now.saturating_duration_since(mark.at).as_secs_f64();
        mark.tokens = (mark.tokens + waited * full / MINUTE.as_secs_f64()).min(full);
        mark.at = now;
        if mark.live >= limits.per_address {
            return Err(Refused::TooMany);
        }
        if mark.tokens < 1.0 {
            let wait = (1.0 - mark.tokens) * MINUTE.as_secs_f64() / full;
            return Err(Refused::TooFast(wait.ceil() as u64));
        }
        mark.tokens -= 1.0;
        mark.live += 1;
        self.live += 1;
        Ok(())
    }

    pub fn end(&mut self, address: IpAddr) {
        if let Some(mark) = self.addresses.get_mut(&network(address)) {
            mark.live = mark.live.saturating_sub(1);
            self.live = self.live.saturating_sub(1);
        }
    }

    fn make_room(&mut self, now: Instant) {
        if self.addresses.len() >= ADDRESSES {
            self.addresses.retain(|_, mark| mark.live > 0 || now.saturating_duration_since(mark.at) < MINUTE);
        }
        if self.addresses.len() >= ADDRESSES {
            self.addresses.retain(|_, mark| mark.live > 0);
        }
    }
}

/// One who has an IPv6 address has 2^64 of them.
pub fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => Ipv6Addr::from(u128::from(address) >> 64 << 64).into(),
        v4 => v4,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: Limits = Limits { max_calls: 5, per_address: 2, per_minute: 3 };

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn an_address_may_begin_so_many_a_minute() {
        let (mut guard, now, ip) = (Guard::default(), Instant::now(), ip("192.0.2.1"));
        for _ in 0..3 {
            assert_eq!(guard.begin(now, ip, LIMITS), Ok(()));
            guard.end(ip);
        }
        assert_eq!(guard.begin(now, ip, LIMITS), Err(Refused::TooFast(20)));
        assert_eq!(guard.begin(now + Duration::from_secs(21), ip, LIMITS), Ok(()));
    }

    #[test]
    fn and_have_so_many_at_once_and_all_together_too() {
        let (mut guard, now) = (Guard::default(), Instant::now());
        let mut begin = |text| guard.begin(now, ip(text), LIMITS);
        assert_eq!((begin("192.0.2.1"), begin("192.0.2.1")), (Ok(()), Ok(())));
        assert_eq!(begin("192.0.2.1"), Err(Refused::TooMany));
        // An IPv6 caller is a network of them; an IPv4 one may come in IPv6's clothes.
        assert_eq!((begin("2001:db8::1"), begin("2001:db8::2")), (Ok(()), Ok(())));
        assert_eq!(begin("2001:db8::3"), Err(Refused::TooMany));
        assert_eq!(begin("::ffff:192.0.2.1"), Err(Refused::TooMany));
        assert_eq!(begin("192.0.2.2"), Ok(()));
        assert_eq!(begin("192.0.2.3"), Err(Refused::Full));
        guard.end(ip("192.0.2.2"));
        assert_eq!(guard.begin(now, ip("192.0.2.3"), LIMITS), Ok(()));
    }

    #[test]
    fn memory_is_bounded() {
        let (mut guard, now) = (Guard::default(), Instant::now());
        let limits = Limits { max_calls: 1 << 20, ..LIMITS };
        for n in 0..20_000_u32 {
            let ip = IpAddr::from(n.to_be_bytes());
            assert_eq!(guard.begin(now, ip, limits), Ok(()));
            guard.end(ip);
        }
        assert!(guard.addresses.len() <= ADDRESSES);
        assert_eq!(guard.live, 0);
    }
}

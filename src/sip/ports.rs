//! The one range of UDP ports for sound. Pairs are taken at a random place (a guesser must not know where the next
//! call will be) and come back by themselves when a leg ends. For a moment they rest: what is still on its way to who had
//! them is not to reach the next call.

use std::collections::{HashSet, VecDeque};
use std::io;
use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::ops::RangeInclusive;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use rand::RngExt;

/// A peer that was hung up on sends on for a round trip or two. Without other free pairs none rests.
const REST: Duration = Duration::from_secs(2);

/// Hands out pairs of sockets: RTP on an even port, RTCP one above. Cheap to clone.
#[derive(Clone)]
pub struct RtpPorts {
    pool: Arc<Mutex<Pool>>,
}

struct Pool {
    range: RangeInclusive<u16>,
    taken: HashSet<u16>,
    /// Given back lately, oldest first.
    resting: VecDeque<(Instant, u16)>,
}

/// Two bound, non-blocking sockets.
pub struct RtpSockets {
    pub rtp: UdpSocket,
    pub rtcp: UdpSocket,
    lease: Arc<Lease>,
}

struct Lease {
    pool: Arc<Mutex<Pool>>,
    port: u16,
    /// It was ours to receive on.
    bound: bool,
}

impl RtpPorts {
    pub fn new(range: RangeInclusive<u16>) -> Self {
        Self { pool: Arc::new(Mutex::new(Pool { range, taken: HashSet::new(), resting: VecDeque::new() })) }
    }

    /// A free pair on `ip`. An error of kind `AddrInUse` says that the whole range is taken.
    pub fn take(&self, ip: IpAddr) -> io::Result<RtpSockets> {
        let (first, pairs) = self.locked().pairs();
        if pairs == 0 {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "the range of RTP ports holds no even-odd pair"));
        }
        let start = rand::rng().random_range(0..pairs);
        for n in 0..2 * pairs {
            let port = (first + 2 * ((start + n) % pairs)) as u16; // within the range, which ends at 65 535
            let Some(mut lease) = self.lease(port, n >= pairs) else { continue };
            match bind_pair(ip, port) {
                Ok((rtp, rtcp)) => {
                    lease.bound = true;
                    return Ok(RtpSockets { rtp, rtcp, lease: Arc::new(lease) });
                }
                // Another program has one of the two.
                Err(error) if error.kind() == io::ErrorKind::AddrInUse => {}
                Err(error) => return Err(error),
            }
        }
        Err(io::Error::new(io::ErrorKind::AddrInUse, "every RTP port is taken"))
    }

    /// Pairs in use.
    pub fn in_use(&self) -> usize {
        self.locked().taken.len()
    }

    /// One that rests only where `all` may be had.
    fn lease(&self, port: u16, all: bool) -> Option<Lease> {
        let mut pool = self.locked();
        let free = (all || !pool.rests(port)) && pool.taken.insert(port);
        free.then(|| Lease { pool: self.pool.clone(), port, bound: false })
    }

    fn locked(&self) -> std::sync::MutexGuard<'_, Pool> {
        self.pool.lock().unwrap_or_else(PoisonError::into_inner) // a set of numbers cannot be half changed
    }
}

impl RtpSockets {
    /// Throws away what has arrived so far.
    pub fn flush(&self) {
        for socket in [&self.rtp, &self.rtcp] {
            // As many as a socket's buffer holds; a flood must not hold up the call.
            for _ in 0..4_096 {
                if socket.recv(&mut [0; 1]).is_err() {
                    break;
                }
            }
        }
    }

    /// The same pair once more: what one takes, the other does not see. The ports come back with the last of them.
    pub fn again(&self) -> io::Result<Self> {
        Ok(Self { rtp: self.rtp.try_clone()?, rtcp: self.rtcp.try_clone()?, lease: self.lease.clone() })
    }

    /// The RTP port.
    pub fn port(&self) -> u16 {
        self.lease.port
    }
}

impl Pool {
    /// First even port, and how many pairs follow.
    fn pairs(&self) -> (u32, u32) {
        let first = u32::from(*self.range.start()).next_multiple_of(2);
        let end = u32::from(*self.range.end());
        (first, (end + 1).saturating_sub(first) / 2)
    }

    fn rests(&mut self, port: u16) -> bool {
        while self.resting.front().is_some_and(|(since, _)| since.elapsed() >= REST) {
            self.resting.pop_front();
        }
        self.resting.iter().any(|(_, resting)| *resting == port)
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        let mut pool = self.pool.lock().unwrap_or_else(PoisonError::into_inner);
        pool.taken.remove(&self.port);
        if self.bound {
            pool.resting.push_back((Instant::now(), self.port));
        }
    }
}

fn bind_pair(ip: IpAddr, port: u16) -> io::Result<(UdpSocket, UdpSocket)> {
    let bind = |port| -> io::Result<UdpSocket> {
        let socket = UdpSocket::bind(SocketAddr::new(ip, port))?;
        socket.set_nonblocking(true)?;
        Ok(socket)
    };
    Ok((bind(port)?, bind(port + 1)?)) // `port` is even
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;

    #[test]
    fn every_pair_is_handed_out_once_and_comes_back() {
        let ports = RtpPorts::new(61_001..=61_011);
        let ip = Ipv4Addr::LOCALHOST.into();
        let sockets: Vec<_> = (0..5).map(|_| ports.take(ip).unwrap()).collect();
        let mut numbers: Vec<_> = sockets.iter().map(RtpSockets::port).collect();
        numbers.sort_unstable();
        assert_eq!(numbers, [61_002, 61_004, 61_006, 61_008, 61_010]);
        assert_eq!(ports.take(ip).err().map(|e| e.kind()), Some(io::ErrorKind::AddrInUse));
        assert_eq!(ports.in_use(), 5);
        drop(sockets);
        assert_eq!(ports.in_use(), 0);
        assert!(ports.take(ip).is_ok());
    }

    #[test]
    fn a_pair_just_given_back_is_the_last_to_be_taken() {
        let (ports, ip) = (RtpPorts::new(61_202..=61_209), Ipv4Addr::LOCALHOST.into());
        for _ in 0..20 {
            let before = ports.take(ip).unwrap().port();
            let next: Vec<_> = (0..4).map(|_| ports.take(ip).unwrap()).collect();
            assert_eq!(next[3].port(), before);
            ports.locked().resting.clear();
            drop(next);
            ports.locked().resting.clear();
        }
    }

    #[test]
    fn a_pair_held_by_another_program_is_passed_over() {
        let ip: IpAddr = Ipv4Addr::LOCALHOST.into();
        let _other = UdpSocket::bind((ip, 61_103)).unwrap();
        let ports = RtpPorts::new(61_102..=61_105);
        assert_eq!(ports.take(ip).unwrap().port(), 61_104);
        assert_eq!(ports.in_use(), 0, "the pair passed over is not kept");
        assert_eq!(RtpPorts::new(61_103..=61_103).take(ip).err().map(|e| e.kind()), Some(io::ErrorKind::InvalidInput));
    }
}

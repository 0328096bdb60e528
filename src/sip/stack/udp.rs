//! UDP sockets with several addresses: a request of ours leaves by the socket that leads to its destination (the stack
//! would take the first one), a response by the one its request came to. What the door keeps out is not even parsed.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use async_trait::async_trait;
use rsipstack::platform::net::UdpSocket;

use super::door::Door;
use super::route_to;

/// One of our UDP sockets, and the others that a request may leave by.
pub(super) struct Socket {
    own: usize,
    all: Arc<Vec<(SocketAddr, tokio::net::UdpSocket)>>,
    door: Arc<Door>,
}

impl Socket {
    pub fn each(sockets: Vec<(SocketAddr, tokio::net::UdpSocket)>, door: &Arc<Door>) -> Vec<Self> {
        let all = Arc::new(sockets);
        (0..all.len()).map(|own| Self { own, all: all.clone(), door: door.clone() }).collect()
    }
}

#[async_trait]
impl UdpSocket for Socket {
    async fn recv_from(&self, buffer: &mut [u8]) -> rsipstack::Result<(usize, SocketAddr)> {
        loop {
            let (len, from) = self.all[self.own].1.recv_from(buffer).await?;
            if self.door.lets_datagram_in(from, &buffer[..len]) {
                return Ok((len, from));
            }
        }
    }

    async fn send_to(&self, message: &[u8], to: SocketAddr) -> rsipstack::Result<usize> {
        let way = match message.starts_with(b"SIP/2.0 ") {
            true => self.own,
            false => way_out(self.all.iter().map(|(address, _)| *address), to.ip()).unwrap_or(self.own),
        };
        Ok(self.all[way].1.send_to(message, to).await?)
    }

    fn local_addr(&self) -> rsipstack::Result<SocketAddr> {
        Ok(self.all[self.own].0)
    }
}

/// Which of our addresses leads to `to`: the one the kernel would route by, else one for every address, else any of
/// its family. `None`: none can.
pub(super) fn way_out(ours: impl Iterator<Item = SocketAddr>, to: IpAddr) -> Option<usize> {
    let mut family = ours.enumerate().filter(|(_, address)| address.is_ipv6() == to.is_ipv6()).peekable();
    let first = family.next()?;
    if family.peek().is_none() {
        return Some(first.0);
    }
    let family: Vec<_> = std::iter::once(first).chain(family).collect();
    let routed = route_to(to);
    let by = |wanted: &dyn Fn(IpAddr) -> bool| family.iter().find(|(_, address)| wanted(address.ip())).map(|(n, _)| *n);
    by(&|ip| Some(ip) == routed).or_else(|| by(&|ip| ip.is_unspecified())).or(Some(first.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_leaves_by_the_address_that_leads_there() {
        let ours = |list: &[&str]| list.iter().map(|a| a.parse().unwrap()).collect::<Vec<SocketAddr>>();
        let way = |list: &[&str], to: &str| way_out(ours(list).into_iter(), to.parse().unwrap());
        assert_eq!(way(&["192.0.2.1:5060", "127.0.0.1:5060"], "127.0.0.1"), Some(1));
        assert_eq!(way(&["127.0.0.1:5060", "[::1]:5060"], "::1"), Some(1));
        assert_eq!(way(&["192.0.2.1:5060", "0.0.0.0:5060"], "127.0.0.9"), Some(1));
        assert_eq!(way(&["127.0.0.1:5060"], "::1"), None);
    }
}

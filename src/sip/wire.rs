//! What an RTP port sends and receives by: a pair of sockets of its own, or a connection that another part keeps
//! (ICE and DTLS of a browser's call).

use std::net::SocketAddr;

use super::ports::RtpSockets;

/// Carries datagrams. Never waits: what has not come is not there, what cannot be sent is lost.
pub(crate) trait Wire: Send {
    /// The next RTP packet that has come, at the start of `buffer`: its length and where it is from.
    fn receive(&mut self, buffer: &mut [u8]) -> Option<(usize, SocketAddr)>;
    /// The next RTCP packet.
    fn receive_rtcp(&mut self, buffer: &mut [u8]) -> Option<(usize, SocketAddr)>;
    /// Whether it went.
    fn send(&mut self, datagram: &[u8], to: SocketAddr) -> bool;
    /// A report that is lost is followed by another.
    fn send_rtcp(&mut self, datagram: &[u8], to: SocketAddr);
    /// What it carries is encrypted on its way, whatever the port does itself.
    fn is_secure(&self) -> bool {
        false
    }
}

impl Wire for RtpSockets {
    // Any error is "nothing there": a closed port at the other end shows here, too, and says nothing.
    fn receive(&mut self, buffer: &mut [u8]) -> Option<(usize, SocketAddr)> {
        self.rtp.recv_from(buffer).ok()
    }

    fn receive_rtcp(&mut self, buffer: &mut [u8]) -> Option<(usize, SocketAddr)> {
        self.rtcp.recv_from(buffer).ok()
    }

    fn send(&mut self, datagram: &[u8], to: SocketAddr) -> bool {
        self.rtp.send_to(datagram, to).is_ok()
    }

    fn send_rtcp(&mut self, datagram: &[u8], to: SocketAddr) {
        let _ = self.rtcp.send_to(datagram, to);
    }
}

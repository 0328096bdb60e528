//! The UDP socket that all browser calls share: one port to open in a firewall. The crate's multiplexer gives each datagram
//! to the call whose address or ICE name (RFC 8445, 7.3) it bears.

use std::any::Any;
use std::net::SocketAddr;
use std::sync::Arc;

use async_trait::async_trait;
use socket2::SockRef;
use tokio::net::UdpSocket;
use webrtc::ice::udp_mux::{UDPMux, UDPMuxDefault, UDPMuxParams};
use webrtc::util::Conn;

use super::Error;

/// Bytes that may wait in the socket, in the kernel's count: some 750 a packet of sound. Linux's usual 208 KiB hold a tenth
/// of a second of fifty calls, and what comes while a busy machine lets us wait longer is lost.
const WAITING: usize = 2 << 20;

/// Opens the socket.
pub async fn open(address: SocketAddr) -> Result<(Arc<dyn UDPMux + Send + Sync>, SocketAddr), Error> {
    let failed = |source| Error::Listen { address, source };
    let socket = UdpSocket::bind(address).await.map_err(failed)?;
    // Or less, as the system grants.
    if let Err(error) = SockRef::from(&socket).set_recv_buffer_size(WAITING) {
        tracing::debug!(%error, "the socket's buffer stays as it is");
    }
    let address = socket.local_addr().map_err(failed)?;
    Ok((UDPMuxDefault::new(UDPMuxParams::new(Lasting(socket))), address))
}

/// The multiplexer stops for good at the first error of its socket, and an ICMP message of anybody's can cause one.
struct Lasting(UdpSocket);

#[async_trait]
impl Conn for Lasting {
    async fn connect(&self, address: SocketAddr) -> webrtc::util::Result<()> {
        Ok(self.0.connect(address).await?)
    }

    async fn recv(&self, buffer: &mut [u8]) -> webrtc::util::Result<usize> {
        Ok(self.recv_from(buffer).await?.0)
    }

    async fn recv_from(&self, buffer: &mut [u8]) -> webrtc::util::Result<(usize, SocketAddr)> {
        loop {
            if let Ok(received) = self.0.recv_from(buffer).await {
                return Ok(received);
            }
            // Should errors come without end, others get their turn.
            tokio::task::yield_now().await;
        }
    }

    async fn send(&self, buffer: &[u8]) -> webrtc::util::Result<usize> {
        Ok(self.0.send(buffer).await?)
    }

    async fn send_to(&self, buffer: &[u8], target: SocketAddr) -> webrtc::util::Result<usize> {
        Ok(self.0.send_to(buffer, target).await?)
    }

    fn local_addr(&self) -> webrtc::util::Result<SocketAddr> {
        Ok(self.0.local_addr()?)
    }

    fn remote_addr(&self) -> Option<SocketAddr> {
        None
    }

    async fn close(&self) -> webrtc::util::Result<()> {
        Ok(())
    }

    fn as_any(&self) -> &(dyn Any + Send + Sync) {
        self
    }
}

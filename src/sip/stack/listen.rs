//! Sockets. UDP is read by the stack; TCP connections are accepted here, because the stack binds its own TCP
//! listeners late and only logs what goes wrong.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use rsipstack::sip::Transport;
use rsipstack::transaction::Endpoint;
use rsipstack::transport::tcp::TcpConnection;
use rsipstack::transport::udp::UdpConnection;
use rsipstack::transport::{SipAddr, TcpListenerConnection};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tracing::warn;

use super::{Error, Shared};

/// Connections held at once; more are closed at once.
const MAX_CONNECTIONS: usize = 2_000;
/// Tries to find a port that is free for both UDP and TCP.
const TRIES: usize = 20;

pub(super) struct Listener {
    pub address: SocketAddr,
    udp: UdpConnection,
    tcp: TcpListener,
}

pub(super) async fn bind(addresses: &[SocketAddr], stop: &CancellationToken) -> Result<Vec<Listener>, Error> {
    let mut listeners = Vec::new();
    for address in addresses {
        listeners.push(bind_both(*address, stop).await?);
    }
    Ok(listeners)
}

async fn bind_both(wanted: SocketAddr, stop: &CancellationToken) -> Result<Listener, Error> {
    let mut tries = if wanted.port() == 0 { TRIES } else { 1 };
    loop {
        tries -= 1;
        let socket = std::net::UdpSocket::bind(wanted)
            .and_then(|socket| socket.set_nonblocking(true).map(|()| socket))
            .and_then(tokio::net::UdpSocket::from_std)
            .map_err(|source| Error::Listen { address: wanted, transport: "UDP", source })?;
        let address =
            socket.local_addr().map_err(|source| Error::Listen { address: wanted, transport: "UDP", source })?;
        let tcp = match TcpListener::bind(address).await {
            Ok(tcp) => tcp,
            Err(_) if tries > 0 => continue,
            Err(source) => return Err(Error::Listen { address, transport: "TCP", source }),
        };
        let udp = UdpConnection::from_socket(Arc::new(socket), None, Some(stop.child_token()))
            .await
            .map_err(|_| Error::Stack("the UDP socket has no address"))?;
        return Ok(Listener { address, udp, tcp });
    }
}

/// Hands the sockets over and starts the stack.
pub(super) async fn serve(shared: &Arc<Shared>, endpoint: Endpoint, listeners: Vec<Listener>) {
    let layer = &shared.core.transport_layer;
    let mut accepting = Vec::new();
    for listener in listeners {
        layer.add_transport(listener.udp.into());
        accepting.push((listener.address, listener.tcp));
    }
    let stop = shared.stop.clone();
    let mut stack = Box::pin(async move {
        tokio::select! {
            () = endpoint.serve() => {}
            () = stop.cancelled() => {}
        }
    });
    // The first poll starts the UDP readers and only those: what is added after it is advertised (Via, Contact) and
    // not bound a second time.
    if futures_util::poll!(stack.as_mut()).is_ready() {
        warn!("the SIP stack did not start");
    }
    for (address, tcp) in accepting {
        if let Ok(advertised) = TcpListenerConnection::new(address, None).await {
            shared.core.transport_layer.add_transport(advertised.into());
        }
        shared.tasks.spawn(accept(shared.clone(), address, tcp));
    }
    shared.tasks.spawn(stack);
}

async fn accept(shared: Arc<Shared>, local: SocketAddr, listener: TcpListener) {
    let local = SipAddr { r#type: Some(Transport::Tcp), addr: local.into() };
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = shared.stop.cancelled() => return,
        };
        let stream = match accepted {
            Ok((stream, _)) => stream,
            Err(error) => {
                warn!(%error, "a TCP connection was lost at the door");
                // Out of file descriptors: give calls time to end.
                tokio::time::sleep(Duration::from_millis(100)).await;
                continue;
            }
        };
        let layer = &shared.core.transport_layer;
        if layer.connections_count() >= MAX_CONNECTIONS {
            continue;
        }
        if let Ok(connection) = TcpConnection::from_stream(stream, local.clone(), Some(shared.stop.child_token())) {
            layer.add_connection(connection.into());
        }
    }
}

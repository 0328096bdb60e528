//! Sockets. UDP is read by the stack; TCP and TLS connections are accepted here, because the stack binds its own
//! listeners late and only logs what goes wrong. Connections of ours are made here too, before a request needs one:
//! the stack would wait its 32 s for a server that is not there, and check a certificate against an address.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use rsipstack::sip::Transport as StackTransport;
use rsipstack::transaction::Endpoint;
use rsipstack::transport::tcp::TcpConnection;
use rsipstack::transport::tls::TlsConnection;
use rsipstack::transport::udp::UdpConnection;
use rsipstack::transport::{SipAddr, SipConnection, TcpListenerConnection, TlsConfig, TlsListenerConnection};
use tokio::net::{TcpListener, TcpStream, UdpSocket};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tracing::{debug, warn};

use super::super::registrar::Transport;
use super::udp::Socket;
use super::{Error, Shared, stack_transport};

/// Connections held at once; more are closed at once.
const MAX_CONNECTIONS: usize = 2_000;
/// TLS handshakes at once.
const MAX_HANDSHAKES: usize = 64;
/// Tries to find a port that is free for both UDP and TCP.
const TRIES: usize = 20;
/// A TCP connection of ours that takes longer is none.
const CONNECT: Duration = Duration::from_secs(4);

/// Everything that is listened on.
pub(super) struct Listeners {
    udp: Vec<(SocketAddr, UdpSocket)>,
    tcp: Vec<(SocketAddr, TcpListener)>,
    tls: Vec<(SocketAddr, TcpListener)>,
}

impl Listeners {
    /// Addresses of UDP and TCP, and those of TLS.
    pub fn addresses(&self) -> (Vec<SocketAddr>, Vec<SocketAddr>) {
        let plain = self.udp.iter().map(|(address, _)| *address).collect();
        (plain, self.tls.iter().map(|(address, _)| *address).collect())
    }
}

pub(super) async fn bind(addresses: &[SocketAddr], tls: &[SocketAddr]) -> Result<Listeners, Error> {
    let mut listeners = Listeners { udp: Vec::new(), tcp: Vec::new(), tls: Vec::new() };
    for address in addresses {
        let (address, udp, tcp) = bind_both(*address).await?;
        listeners.udp.push((address, udp));
        listeners.tcp.push((address, tcp));
    }
    for address in tls {
        let failed = |source| Error::Listen { address: *address, transport: "TLS", source };
        let listener = TcpListener::bind(address).await.map_err(failed)?;
        listeners.tls.push((listener.local_addr().map_err(failed)?, listener));
    }
    Ok(listeners)
}

async fn bind_both(wanted: SocketAddr) -> Result<(SocketAddr, UdpSocket, TcpListener), Error> {
    let mut tries = if wanted.port() == 0 { TRIES } else { 1 };
    loop {
        tries -= 1;
        let failed = |source| Error::Listen { address: wanted, transport: "UDP", source };
        let udp = UdpSocket::bind(wanted).await.map_err(failed)?;
        let address = udp.local_addr().map_err(failed)?;
        match TcpListener::bind(address).await {
            Ok(tcp) => return Ok((address, udp, tcp)),
            Err(_) if tries > 0 => {}
            Err(source) => return Err(Error::Listen { address, transport: "TCP", source }),
        }
    }
}

/// Hands the sockets over and starts the stack.
pub(super) async fn serve(shared: &Arc<Shared>, endpoint: Endpoint, listeners: Listeners) -> Result<(), Error> {
    let layer = &shared.core.transport_layer;
    for socket in Socket::each(listeners.udp, &shared.door) {
        let connection = UdpConnection::from_socket(Arc::new(socket), None, Some(shared.stop.child_token())).await;
        layer.add_transport(connection.map_err(|_| Error::Stack("the UDP socket has no address"))?.into());
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
    for (address, listener) in listeners.tcp {
        if let Ok(advertised) = TcpListenerConnection::new(address, None).await {
            layer.add_transport(advertised.into());
        }
        shared.tasks.spawn(accept(shared.clone(), listener, address, Transport::Tcp));
    }
    for (address, listener) in listeners.tls {
        if let Ok(advertised) = TlsListenerConnection::new(address, None, TlsConfig::default()).await {
            layer.add_transport(SipConnection::TlsListener(advertised));
        }
        shared.tasks.spawn(accept(shared.clone(), listener, address, Transport::Tls));
    }
    shared.tasks.spawn(stack);
    Ok(())
}

async fn accept(shared: Arc<Shared>, listener: TcpListener, local: SocketAddr, transport: Transport) {
    let local = SipAddr { r#type: Some(stack_transport(transport)), addr: local.into() };
    let handshakes = Arc::new(Semaphore::new(MAX_HANDSHAKES));
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = shared.stop.cancelled() => return,
        };
        let (stream, from) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                warn!(%error, "a connection was lost at the door");
                // Out of file descriptors: give calls time to end.
                tokio::time::sleep(Duration::from_millis(100)).await;
                continue;
            }
        };
        let layer = &shared.core.transport_layer;
        if layer.connections_count() >= MAX_CONNECTIONS || !shared.door.lets_connection_in(from.ip()) {
            continue;
        }
        if transport == Transport::Tcp {
            if let Ok(connection) = TcpConnection::from_stream(stream, local.clone(), Some(shared.stop.child_token())) {
                layer.add_connection(connection.into());
            }
            continue;
        }
        let Ok(permit) = handshakes.clone().try_acquire_owned() else { continue };
        let (all, local) = (shared.clone(), local.clone());
        shared.spawn(async move {
            if let Err(error) = shake_hands(&all, stream, from, local).await {
                debug!(%error, "a TLS connection did not come about");
                all.door.offend(from.ip());
            }
            drop(permit);
        });
    }
}

async fn shake_hands(shared: &Shared, stream: TcpStream, from: SocketAddr, local: SipAddr) -> io::Result<()> {
    let stream = shared.tls.accept(stream).await?;
    let remote = SipAddr { r#type: Some(StackTransport::Tls), addr: from.into() };
    let stop = Some(shared.stop.child_token());
    let connection = TlsConnection::from_server_stream(stream, local, remote, stop).await;
    let connection = connection.map_err(|_| io::Error::other("no connection for the stack"))?;
    shared.core.transport_layer.add_connection(SipConnection::Tls(connection));
    Ok(())
}

/// Sees to it that there is a connection to a peer, who must prove to be `name` (TLS). Nothing to do for UDP.
pub(super) async fn connect(
    shared: &Shared,
    to: SocketAddr,
    transport: Transport,
    name: Option<&str>,
) -> io::Result<()> {
    if transport == Transport::Udp || shared.door.is_linked(to, transport) {
        return Ok(());
    }
    let remote = SipAddr { r#type: Some(stack_transport(transport)), addr: to.into() };
    let stop: Option<CancellationToken> = Some(shared.stop.child_token());
    let lost = |_| io::Error::other("no connection for the stack");
    let connection = match transport {
        Transport::Tls => {
            let stream = shared.tls.connect(to, name).await?;
            SipConnection::Tls(TlsConnection::from_client_stream(stream, remote, stop).await.map_err(lost)?)
        }
        _ => {
            let stream = tokio::time::timeout(CONNECT, TcpStream::connect(to)).await??;
            let local = SipAddr { r#type: Some(StackTransport::Tcp), addr: stream.local_addr()?.into() };
            SipConnection::Tcp(TcpConnection::from_stream(stream, local, stop).map_err(lost)?)
        }
    };
    shared.core.transport_layer.add_connection(connection);
    Ok(())
}

//! The one place that touches `rsipstack`: listeners, dispatch of requests, and the face of the telephone side.

mod incoming;
mod keys;
mod leg;
mod listen;
mod nat;
mod outgoing;
mod refer;
mod refresh;
mod register;
mod reliable;
mod screen;
mod way;
mod within;

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::sync::atomic::{AtomicU32, AtomicU64, AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant};

use arc_swap::ArcSwap;
use rsipstack::EndpointBuilder;
use rsipstack::dialog::dialog_layer::DialogLayer;
use rsipstack::sip::{Header, HeadersExt, Method, Param, StatusCode, Uri, headers};
use rsipstack::transaction::endpoint::{EndpointInnerRef, EndpointOption};
use rsipstack::transaction::transaction::Transaction;
use rsipstack::transaction::{CallIdFormat, TransactionReceiver};
use tokio::runtime::Handle;
use tokio::sync::{broadcast, mpsc};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tracing::{debug, info};

pub use incoming::{Early, Incoming};
pub use leg::{Leg, LegControl, LegEvent};
pub use outgoing::{FailureReason, InviteRequest, Outgoing, OutgoingEvent, Target};
pub use refer::{Replaces, TransferRequest};
pub use way::way_to;

use super::digest::Digest;
use super::latch::is_private;
use super::ports::RtpPorts;
use super::registrar::{Registrar, Transport};
use super::{Error, Registration, Settings};

/// Calls that may wait for the engine to look at them; the next is refused with 503.
const BACKLOG: usize = 64;
/// What a shutdown waits for BYEs to be answered.
const GOODBYE: Duration = Duration::from_secs(2);
const ALLOW: &str = "INVITE, ACK, BYE, CANCEL, OPTIONS, UPDATE, PRACK, INFO, REFER, NOTIFY";
/// Extensions that a peer may use or require.
const SUPPORTED: &str = "100rel, timer, replaces";
const SDP: &str = "application/sdp";

/// The telephone side. Cheap to clone; it lives until [`Endpoint::shutdown`].
#[derive(Clone)]
pub struct Endpoint {
    shared: Arc<Shared>,
}

/// How much there is of what must not leak.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Legs, ringing ones included.
    pub calls: usize,
    /// Dialogs the stack holds.
    pub dialogs: usize,
    /// Transactions the stack holds.
    pub transactions: usize,
    /// Pairs of RTP ports taken.
    pub rtp_ports: usize,
    /// Phones' registrations.
    pub registrations: usize,
    /// Open TCP connections.
    pub connections: usize,
    /// Bad RTP and RTCP packets since the start.
    pub bad_packets: u64,
    /// Requests refused or dropped at the door since the start.
    pub refused: u64,
}

struct Shared {
    settings: ArcSwap<Settings>,
    /// Really bound (ports known).
    bound: Vec<SocketAddr>,
    core: EndpointInnerRef,
    dialogs: DialogLayer,
    /// Dialogs of ours, by Call-ID and our tag.
    sessions: Mutex<HashMap<(String, String), Weak<leg::Session>>>,
    registrar: Arc<Mutex<Registrar>>,
    digest: Mutex<Digest>,
    registrations: broadcast::Sender<Registration>,
    ports: RtpPorts,
    incoming: mpsc::Sender<Incoming>,
    /// Seconds for Retry-After while no new call is taken; 0: calls are taken.
    refusing: AtomicU32,
    calls: AtomicUsize,
    bad_packets: Arc<AtomicU64>,
    refused: AtomicU64,
    tasks: TaskTracker,
    /// Ends calls, then everything.
    closing: CancellationToken,
    stop: CancellationToken,
    runtime: Handle,
}

impl Endpoint {
    /// Binds every address and begins to serve. Calls come out of the receiver.
    pub async fn start(settings: Settings) -> Result<(Endpoint, mpsc::Receiver<Incoming>), Error> {
        if settings.listen.is_empty() {
            return Err(Error::NoAddress);
        }
        let stop = CancellationToken::new();
        let registrar = Arc::new(Mutex::new(Registrar::default()));
        let listeners = listen::bind(&settings.listen, &stop).await?;
        let bound = listeners.iter().map(|listener| listener.address).collect();
        let endpoint = EndpointBuilder::new()
            .with_user_agent(&settings.user_agent)
            .with_cancel_token(stop.clone())
            // The stack's default names its maker's domain in every Call-ID.
            .with_option(EndpointOption { callid_format: CallIdFormat::Uuid, ..EndpointOption::default() })
            .with_inspector(Box::new(nat::ContactFix))
            .with_target_locator(Box::new(nat::Routes(registrar.clone())))
            .build();
        let transactions = endpoint.incoming_transactions().map_err(|_| Error::Stack("no way in"))?;
        let core = endpoint.inner.clone();
        let (incoming, calls) = mpsc::channel(BACKLOG);
        let shared = Arc::new(Shared {
            bound,
            dialogs: DialogLayer::new(core.clone()),
            core,
            sessions: Mutex::default(),
            registrar,
            digest: Mutex::new(Digest::new(rand::random(), Instant::now())),
            registrations: broadcast::channel(256).0,
            ports: RtpPorts::new(settings.rtp_ports.clone()),
            incoming,
            refusing: AtomicU32::new(0),
            calls: AtomicUsize::new(0),
            bad_packets: Arc::default(),
            refused: AtomicU64::new(0),
            tasks: TaskTracker::new(),
            closing: CancellationToken::new(),
            stop,
            runtime: Handle::current(),
            settings: ArcSwap::from_pointee(settings),
        });
        listen::serve(&shared, endpoint, listeners).await;
        shared.tasks.spawn(dispatch(shared.clone(), transactions));
        shared.tasks.spawn(register::expire(shared.clone()));
        for address in &shared.bound {
            info!(%address, "listening for SIP by UDP and TCP");
        }
        Ok((Endpoint { shared }, calls))
    }

    /// The addresses listened on, with the ports really taken.
    pub fn listening(&self) -> &[SocketAddr] {
        &self.shared.bound
    }

    /// Changes of registrations from now on. One that lags behind loses the oldest and asks [`Self::registered`].
    pub fn registrations(&self) -> broadcast::Receiver<Registration> {
        self.shared.registrations.subscribe()
    }

    /// Phones that can be rung now.
    pub fn registered(&self) -> Vec<Registration> {
        self.shared.registrar().reachable(Instant::now())
    }

    /// Rings a phone. What comes of it arrives as events of the [`Outgoing`].
    pub async fn invite(&self, request: InviteRequest) -> Result<Outgoing, Error> {
        outgoing::invite(&self.shared, request)
    }

    /// From now on new calls are answered 503 with this Retry-After (at least a second). Live calls go on.
    pub fn refuse_new(&self, retry_after: Duration) {
        self.shared.refusing.store(retry_after.as_secs().clamp(1, 86_400) as u32, Relaxed);
    }

    /// Takes new phones, allowed sources, limits. Addresses and RTP ports stay as they were at the start.
    pub fn reconfigure(&self, settings: Settings) {
        let known = |user: &str| settings.phones.iter().any(|phone| phone.user == user);
        let gone = self.shared.registrar().keep_only(known);
        self.shared.announce(gone);
        self.shared.settings.store(Arc::new(settings));
    }

    pub fn counts(&self) -> Counts {
        let stats = self.shared.core.get_stats();
        Counts {
            calls: self.shared.calls.load(Relaxed),
            dialogs: self.shared.dialogs.len(),
            transactions: stats.running_transactions,
            rtp_ports: self.shared.ports.in_use(),
            registrations: self.shared.registrar().len(),
            connections: self.shared.core.transport_layer.connections_count(),
            bad_packets: self.shared.bad_packets.load(Relaxed),
            refused: self.shared.refused.load(Relaxed),
        }
    }

    /// Refuses new calls, hangs up live ones, closes the sockets.
    pub async fn shutdown(&self) {
        self.refuse_new(Duration::from_secs(60));
        self.shared.closing.cancel();
        let until = tokio::time::Instant::now() + GOODBYE;
        while self.shared.calls.load(Relaxed) > 0 && tokio::time::Instant::now() < until {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        self.shared.stop.cancel();
        self.shared.tasks.close();
        let _ = tokio::time::timeout(GOODBYE, self.shared.tasks.wait()).await;
        // The stack would keep the sockets open as long as anyone holds this endpoint.
        for address in self.shared.core.transport_layer.get_listen_addrs() {
            self.shared.core.transport_layer.del_transport(&address);
        }
    }
}

impl Shared {
    fn registrar(&self) -> MutexGuard<'_, Registrar> {
        self.registrar.lock().unwrap_or_else(PoisonError::into_inner) // no method of it can stop half way
    }

    fn sessions(&self) -> MutexGuard<'_, HashMap<(String, String), Weak<leg::Session>>> {
        self.sessions.lock().unwrap_or_else(PoisonError::into_inner) // likewise
    }

    fn digest(&self) -> MutexGuard<'_, Digest> {
        self.digest.lock().unwrap_or_else(PoisonError::into_inner) // likewise
    }

    fn announce(&self, changes: Vec<Registration>) {
        for change in changes {
            debug!(reachable = !change.expires.is_zero(), "a phone's registration changed");
            let _ = self.registrations.send(change); // nobody may be listening
        }
    }

    /// Spawns from anywhere, also outside the runtime (drops). Ends with the endpoint: a transaction of a stack that
    /// has stopped would never end by itself.
    fn spawn(&self, future: impl Future<Output = ()> + Send + 'static) {
        let stop = self.stop.clone();
        let until_stopped = async move {
            tokio::select! {
                () = future => {}
                () = stop.cancelled() => {}
            }
        };
        self.tasks.spawn_on(until_stopped, &self.runtime);
    }

    /// The address to bind for sound with this peer, and the one to tell it.
    fn our_address(&self, peer: IpAddr) -> (IpAddr, IpAddr) {
        let family = |address: &&SocketAddr| address.is_ipv6() == peer.is_ipv6();
        let specific = || self.bound.iter().filter(family).filter(|address| !address.ip().is_unspecified());
        let ours = specific()
            .find(|address| address.ip().is_loopback() == peer.is_loopback())
            .map(SocketAddr::ip)
            .or_else(|| route_to(peer))
            .or_else(|| specific().next().map(SocketAddr::ip))
            .unwrap_or_else(|| self.bound[0].ip()); // `start` demands one
        match self.settings.load().external {
            Some(external) if !is_private(peer) => (ours, external),
            _ => (ours, ours),
        }
    }

    /// Where this peer reaches us again.
    fn contact(&self, peer: SocketAddr, transport: Transport) -> Uri {
        let (bound, told) = self.our_address(peer.ip());
        let port = self
            .bound
            .iter()
            .find(|address| address.ip() == bound)
            .or_else(|| self.bound.iter().find(|address| address.is_ipv6() == peer.is_ipv6()))
            .unwrap_or(&self.bound[0])
            .port();
        Uri {
            scheme: Some(rsipstack::sip::Scheme::Sip),
            auth: Some(self.settings.load().user.as_str().into()),
            host_with_port: SocketAddr::new(told, port).into(),
            params: vec![Param::Transport(stack_transport(transport))],
            headers: Vec::new(),
        }
    }
}

/// Our address on the way to `peer`, as the kernel would route it (connecting a UDP socket sends nothing).
fn route_to(peer: IpAddr) -> Option<IpAddr> {
    let any: IpAddr = if peer.is_ipv6() { [0u16; 8].into() } else { [0u8; 4].into() };
    let socket = UdpSocket::bind((any, 0)).ok()?;
    socket.connect((peer, 9)).ok()?;
    socket.local_addr().ok().map(|address| address.ip()).filter(|ip| !ip.is_unspecified())
}

fn stack_transport(transport: Transport) -> rsipstack::sip::Transport {
    match transport {
        Transport::Udp => rsipstack::sip::Transport::Udp,
        Transport::Tcp => rsipstack::sip::Transport::Tcp,
    }
}

/// Who sent a request, and how.
fn source_of(tx: &Transaction) -> Option<(SocketAddr, Transport)> {
    let connection = tx.connection.as_ref()?;
    let source = connection.get_remote_addr()?.get_socketaddr().ok()?;
    Some((source, if connection.is_reliable() { Transport::Tcp } else { Transport::Udp }))
}

fn allow() -> Header {
    Header::Allow(headers::Allow::new(ALLOW))
}

fn supported() -> Header {
    Header::Supported(headers::Supported::new(SUPPORTED))
}

/// Our address, as the dialog began with it.
fn contact_header(session: &leg::Session) -> Header {
    Header::Contact(headers::Contact::new(format!("<{}>", session.contact)))
}

fn accept() -> Header {
    Header::Accept(headers::Accept::new(SDP))
}

fn content_type() -> Header {
    Header::ContentType(headers::ContentType::new(SDP))
}

async fn dispatch(shared: Arc<Shared>, mut transactions: TransactionReceiver) {
    while let Some(tx) = tokio::select! {
        tx = transactions.recv() => tx,
        () = shared.stop.cancelled() => None,
    } {
        shared.spawn(handle(shared.clone(), tx));
    }
}

/// Answers one request. What is malformed is answered 400 where an answer can be built, else dropped.
async fn handle(shared: Arc<Shared>, mut tx: Transaction) {
    let Some((source, transport)) = source_of(&tx) else { return };
    let in_dialog = tx.original.to_header().and_then(|to| to.tag()).ok().flatten().is_some();
    let method = tx.original.method;
    let answered = if in_dialog {
        within::request(&shared, tx).await
    } else {
        match method {
            Method::Invite => incoming::invite(&shared, tx, source, transport).await,
            Method::Register => register::register(&shared, tx, source, transport).await,
            Method::Options if screen::is_welcome(&shared, source, transport) => {
                let status =
                    if shared.refusing.load(Relaxed) > 0 { StatusCode::ServiceUnavailable } else { StatusCode::OK };
                tx.reply_with(status, vec![allow(), accept(), supported()], None).await
            }
            Method::Bye | Method::Update | Method::Info | Method::Refer | Method::PRack | Method::Notify => {
                tx.reply(StatusCode::CallTransactionDoesNotExist).await
            }
            _ if screen::is_welcome(&shared, source, transport) => {
                tx.reply_with(StatusCode::MethodNotAllowed, vec![allow()], None).await
            }
            // A stranger who only looks around learns nothing.
            _ => {
                shared.refused.fetch_add(1, Relaxed);
                Ok(())
            }
        }
    };
    if answered.is_err() {
        // The error's text may quote the message.
        debug!(%method, "a request was answered badly or not at all");
    }
}

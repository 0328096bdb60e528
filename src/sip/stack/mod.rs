//! The one place that touches `rsipstack`: listeners, dispatch of requests, and the face of the telephone side.

mod ask;
mod dns;
mod door;
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
mod tidy;
mod tls;
mod trunks;
mod udp;
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
use rsipstack::transport::TlsConfig;
use tokio::runtime::Handle;
use tokio::sync::{broadcast, mpsc};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tracing::{debug, info, warn};

pub use incoming::{Early, Incoming};
pub use leg::{Leg, LegControl, LegEvent};
pub use outgoing::{FailureReason, InviteRequest, Outgoing, OutgoingEvent, Target};
pub use refer::{Replaces, TransferRequest};
pub use trunks::TrunkStatus;
pub use way::way_to;

use super::digest::Digest;
use super::latch::is_private;
use super::ports::RtpPorts;
use super::registrar::{Registrar, Transport};
use super::{Error, Registration, Settings};
use dns::Dns;
use door::Door;
use tls::Tls;
use trunks::Trunks;

/// Calls that may wait for the engine to look at them; the next is refused with 503.
const BACKLOG: usize = 64;
/// What a shutdown waits for BYEs to be answered.
const GOODBYE: Duration = Duration::from_secs(2);
const ALLOW: &str = "INVITE, ACK, BYE, CANCEL, OPTIONS, UPDATE, PRACK, INFO, REFER, NOTIFY";
/// Extensions that a peer may use or require.
const SUPPORTED: &str = "100rel, timer, replaces";
/// How often files of certificates are looked at.
const CERTIFICATES: Duration = Duration::from_secs(5);
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
    /// Sources on the block list.
    pub blocked: usize,
}

struct Shared {
    settings: Arc<ArcSwap<Settings>>,
    /// Really bound by UDP and TCP (ports known).
    bound: Vec<SocketAddr>,
    /// The same by TLS.
    secure: Vec<SocketAddr>,
    tls: Tls,
    dns: Dns,
    trunks: Trunks,
    door: Arc<Door>,
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
        let tls = settings.tls.clone().unwrap_or_default();
        let listeners = listen::bind(&settings.listen, &tls.listen).await?;
        let tls = Tls::load(&tls)?;
        let (bound, secure) = listeners.addresses();
        let settings = Arc::new(ArcSwap::from_pointee(settings));
        let door = Arc::new(Door::new(settings.clone(), registrar.clone()));
        let given = settings.load_full();
        let endpoint = EndpointBuilder::new()
            .with_user_agent(&given.user_agent)
            .with_cancel_token(stop.clone())
            // The stack's default names its maker's domain in every Call-ID.
            .with_option(EndpointOption { callid_format: CallIdFormat::Uuid, ..EndpointOption::default() })
            .with_inspector(Box::new(nat::Wire { ours: bound.clone() }))
            .with_transport_inspector(Box::new(door::Doorman(door.clone())))
            .with_target_locator(Box::new(nat::Routes(registrar.clone())))
            .build();
        let transactions = endpoint.incoming_transactions().map_err(|_| Error::Stack("no way in"))?;
        let core = endpoint.inner.clone();
        let (incoming, calls) = mpsc::channel(BACKLOG);
        let shared = Arc::new(Shared {
            bound,
            secure,
            tls,
            dns: Dns::new(&given.dns),
            trunks: Trunks::default(),
            door,
            dialogs: DialogLayer::new(core.clone()),
            core,
            sessions: Mutex::default(),
            registrar,
            digest: Mutex::new(Digest::new(rand::random(), Instant::now())),
            registrations: broadcast::channel(256).0,
            ports: RtpPorts::new(given.rtp_ports.clone()),
            incoming,
            refusing: AtomicU32::new(0),
            calls: AtomicUsize::new(0),
            bad_packets: Arc::default(),
            refused: AtomicU64::new(0),
            tasks: TaskTracker::new(),
            closing: CancellationToken::new(),
            stop,
            runtime: Handle::current(),
            settings,
        });
        shared.tell_stack_whom_to_believe();
        listen::serve(&shared, endpoint, listeners).await?;
        shared.tasks.spawn(dispatch(shared.clone(), transactions));
        shared.tasks.spawn(register::expire(shared.clone()));
        shared.spawn(follow_certificates(shared.clone()));
        shared.spawn(register::keep_alive(shared.clone()));
        trunks::set(&shared, &given.trunks);
        for address in &shared.bound {
            info!(%address, "listening for SIP by UDP and TCP");
        }
        for address in &shared.secure {
            info!(%address, "listening for SIP by TLS");
        }
        Ok((Endpoint { shared }, calls))
    }

    /// The addresses listened on, with the ports really taken.
    pub fn listening(&self) -> &[SocketAddr] {
        &self.shared.bound
    }

    /// The same for TLS.
    pub fn listening_by_tls(&self) -> &[SocketAddr] {
        &self.shared.secure
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

    /// Takes new phones, allowed sources, limits, and certificates from their files, which on any mistake stay as they
    /// were. Addresses and RTP ports stay as they were at the start.
    pub fn reconfigure(&self, settings: Settings) {
        match self.shared.tls.reload(&settings.tls.clone().unwrap_or_default()) {
            Ok(()) => self.shared.tell_stack_whom_to_believe(),
            Err(error) => warn!(%error, "the certificates in use are kept"),
        }
        let known = |user: &str| settings.phones.iter().any(|phone| phone.user == user);
        let gone = self.shared.registrar().keep_only(known);
        self.shared.announce(gone);
        let settings = Arc::new(settings);
        self.shared.settings.store(settings.clone());
        trunks::set(&self.shared, &settings.trunks);
    }

    /// How every trunk is.
    pub fn trunks(&self) -> Vec<TrunkStatus> {
        self.shared.trunks.statuses()
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
            blocked: self.shared.door.blocked(),
        }
    }

    /// Messages met with silence since the start, by reason (`blocked`, `flood`, `scanner`, `malformed`).
    pub fn silenced(&self) -> [(&'static str, u64); 4] {
        self.shared.door.silenced()
    }

    /// Refuses new calls, hangs up live ones, closes the sockets.
    pub async fn shutdown(&self) {
        self.refuse_new(Duration::from_secs(60));
        self.shared.closing.cancel();
        // Trunks are told first that no call is to come here.
        trunks::leave(&self.shared).await;
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

    /// The stack makes connections of its own to where a peer's Contact leads.
    fn tell_stack_whom_to_believe(&self) {
        let ca_certs = self.tls.authorities();
        self.core.transport_layer.set_tls_config(TlsConfig { ca_certs, ..TlsConfig::default() });
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
        // One who listens by TLS nowhere is reached again by the connection he made.
        let ours = if transport == Transport::Tls && !self.secure.is_empty() { &self.secure } else { &self.bound };
        let port = ours
            .iter()
            .find(|address| address.ip() == bound)
            .or_else(|| ours.iter().find(|address| address.is_ipv6() == peer.is_ipv6()))
            .unwrap_or(&ours[0])
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
        Transport::Tls => rsipstack::sip::Transport::Tls,
    }
}

fn our_transport(transport: rsipstack::sip::Transport) -> Option<Transport> {
    match transport {
        rsipstack::sip::Transport::Udp => Some(Transport::Udp),
        rsipstack::sip::Transport::Tcp => Some(Transport::Tcp),
        rsipstack::sip::Transport::Tls => Some(Transport::Tls),
        _ => None,
    }
}

/// Takes certificates that were renewed.
async fn follow_certificates(shared: Arc<Shared>) {
    let mut every = tokio::time::interval(CERTIFICATES);
    loop {
        every.tick().await;
        match shared.tls.reload_if_changed() {
            Ok(false) => {}
            Ok(true) => {
                shared.tell_stack_whom_to_believe();
                info!("changed certificates are in use");
            }
            Err(error) => warn!(%error, "the certificates in use are kept"),
        }
    }
}

/// Who sent a request, and how.
fn source_of(tx: &Transaction) -> Option<(SocketAddr, Transport)> {
    door::peer_of(tx.connection.as_ref()?)
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
        let in_order = tx.original.method == Method::Refer;
        let mut handled = Box::pin(handle(shared.clone(), tx));
        // A telephone may hang up right after it asked for a transfer: its BYE must not overtake.
        if !in_order || futures_util::poll!(handled.as_mut()).is_pending() {
            shared.spawn(handled);
        }
    }
}

/// Answers one request. What is malformed is answered 400 where an answer can be built, else dropped.
async fn handle(shared: Arc<Shared>, mut tx: Transaction) {
    let Some((source, transport)) = source_of(&tx) else { return };
    let in_dialog = tx.original.to_header().and_then(|to| to.tag()).ok().flatten().is_some();
    let method = tx.original.method;
    // To an ACK there is no answer; a stranger's flaws are nobody's business but his own.
    let flaw = screen::flaw(&tx.original)
        .filter(|_| method != Method::Ack && (in_dialog || screen::is_welcome(&shared, source, transport)));
    let answered = if let Some(status) = flaw {
        shared.refused.fetch_add(1, Relaxed);
        let answered = tx.reply(status).await;
        // Where the next message of a stream begins nobody knows then (RFC 3261, 18.3).
        if let (Some(connection), false) = (&tx.connection, screen::is_whole(&tx.original)) {
            let _ = connection.close().await; // gone, then
        }
        answered
    } else if in_dialog {
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
                shared.door.offend(source.ip());
                Ok(())
            }
        }
    };
    if answered.is_err() {
        // The error's text may quote the message.
        debug!(%method, "a request was answered badly or not at all");
    }
}

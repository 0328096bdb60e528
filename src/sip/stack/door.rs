//! The door: what comes off the wire is judged here before the stack makes anything of it. Silence costs nothing and
//! tells nothing. Also keeps count of open connections, which the stack does not tell.

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use arc_swap::ArcSwap;
use async_trait::async_trait;
use rsipstack::sip::{Header, Method, Request, SipMessage};
use rsipstack::transaction::endpoint::TransportEventInspector;
use rsipstack::transport::{SipAddr, SipConnection, TransportEvent};
use tracing::{debug, info};

use super::super::Settings;
use super::super::gate::{self, Gate, Kind, Silence};
use super::super::registrar::{Registrar, Transport};
use super::our_transport;
use super::tidy::tidy;

pub(super) struct Door {
    settings: Arc<ArcSwap<Settings>>,
    registrar: Arc<Mutex<Registrar>>,
    /// Addresses that trunks' names stand for.
    looked_up: ArcSwap<HashMap<IpAddr, String>>,
    gate: Mutex<Gate>,
    /// Messages met with silence, by [`Silence`].
    silenced: [AtomicU64; 4],
    /// Open connections by the peer's end.
    links: Mutex<HashMap<(Transport, SocketAddr), usize>>,
}

impl Door {
    pub fn new(settings: Arc<ArcSwap<Settings>>, registrar: Arc<Mutex<Registrar>>) -> Self {
        Self {
            settings,
            registrar,
            looked_up: ArcSwap::default(),
            gate: Mutex::default(),
            silenced: Default::default(),
            links: Mutex::default(),
        }
    }

    /// The trunk that calls from here belong to.
    pub fn trunk_of(&self, ip: IpAddr) -> Option<String> {
        let ip = ip.to_canonical();
        let settings = self.settings.load();
        let listed = settings.trunks.iter().find(|trunk| trunk.allow.iter().any(|net| net.contains(&ip)));
        listed.map(|trunk| trunk.name.clone()).or_else(|| self.looked_up.load().get(&ip).cloned())
    }

    /// What the names of trunks without a list of their own stand for now.
    pub fn trunks_are_at(&self, addresses: HashMap<IpAddr, String>) {
        self.looked_up.store(Arc::new(addresses));
    }

    /// Whether calls from this address are taken on its word: allowed, or a trunk's.
    pub fn is_allowed(&self, ip: IpAddr) -> bool {
        let ip = ip.to_canonical();
        self.settings.load().allow.iter().any(|net| net.contains(&ip)) || self.trunk_of(ip).is_some()
    }

    /// Whether the limits for friends hold: allowed, or a phone's that is registered.
    fn is_trusted(&self, ip: IpAddr) -> bool {
        self.is_allowed(ip) || self.registrar().knows_address(Instant::now(), ip)
    }

    /// Judges a datagram by its first line, before it is parsed.
    pub fn lets_datagram_in(&self, from: SocketAddr, datagram: &[u8]) -> bool {
        let (now, ip) = (Instant::now(), from.ip());
        if self.gate().is_blocked(now, ip) && !self.is_trusted(ip) {
            return self.silent(Silence::Blocked);
        }
        if !gate::could_be_sip(datagram) {
            self.offend(ip);
            return self.silent(Silence::Malformed);
        }
        true
    }

    /// Whether a connection may be opened from here.
    pub fn lets_connection_in(&self, ip: IpAddr) -> bool {
        !self.gate().is_blocked(Instant::now(), ip) || self.is_trusted(ip) || self.silent(Silence::Blocked)
    }

    fn lets_request_in(&self, request: &Request, ip: IpAddr) -> bool {
        // They end what was begun with a share of its own.
        if matches!(request.method, Method::Ack | Method::Cancel) {
            return true;
        }
        let (now, trusted, settings) = (Instant::now(), self.is_trusted(ip), self.settings.load());
        if !trusted && user_agent(request).is_some_and(gate::is_scanner) {
            self.gate().block(now, ip, &settings.limits);
            info!("a scanner is met with silence from now on");
            return self.silent(Silence::Scanner);
        }
        // A friend's INVITE too many is told so: see `has_share`.
        let kind = if request.method == Method::Invite && !trusted { Kind::Invite } else { Kind::Request };
        let outcome = self.gate().take(now, ip, kind, trusted, &settings.limits);
        outcome.map_or_else(|silence| self.silent(silence), |()| true)
    }

    /// Whether a friend may place one more call now.
    pub fn has_share(&self, ip: IpAddr) -> bool {
        let limits = self.settings.load().limits;
        !self.is_trusted(ip) || self.gate().take(Instant::now(), ip, Kind::Invite, true, &limits).is_ok()
    }

    /// A stranger tried what only those do who look for a way in.
    pub fn offend(&self, ip: IpAddr) {
        if !self.is_trusted(ip) {
            let limits = self.settings.load().limits;
            if self.gate().offend(Instant::now(), ip, &limits) {
                info!("a source that keeps trying is met with silence from now on");
            }
        }
    }

    /// Messages met with silence since the start, by reason.
    pub fn silenced(&self) -> [(&'static str, u64); 4] {
        Silence::ALL.map(|why| (why.name(), self.silenced[why as usize].load(Relaxed)))
    }

    /// Sources on the block list.
    pub fn blocked(&self) -> usize {
        self.gate().blocked(Instant::now())
    }

    /// Whether a connection to there is open.
    pub fn is_linked(&self, to: SocketAddr, transport: Transport) -> bool {
        self.links().contains_key(&(transport, to))
    }

    fn silent(&self, why: Silence) -> bool {
        self.silenced[why as usize].fetch_add(1, Relaxed);
        debug!(reason = why.name(), "met with silence");
        false
    }

    fn link(&self, connection: &SipConnection, opened: bool) {
        let Some((to, transport)) = peer_of(connection) else { return };
        let mut links = self.links();
        let count = links.entry((transport, to)).or_default();
        *count = if opened { *count + 1 } else { count.saturating_sub(1) };
        if *count == 0 {
            links.remove(&(transport, to));
        }
    }

    fn gate(&self) -> MutexGuard<'_, Gate> {
        self.gate.lock().unwrap_or_else(PoisonError::into_inner) // no method of it can stop half way
    }

    fn links(&self) -> MutexGuard<'_, HashMap<(Transport, SocketAddr), usize>> {
        self.links.lock().unwrap_or_else(PoisonError::into_inner) // plain numbers
    }

    fn registrar(&self) -> MutexGuard<'_, Registrar> {
        self.registrar.lock().unwrap_or_else(PoisonError::into_inner) // likewise
    }
}

/// The door as the stack knows it.
pub(super) struct Doorman(pub Arc<Door>);

#[async_trait]
impl TransportEventInspector for Doorman {
    async fn handle(&self, mut event: TransportEvent) -> Option<TransportEvent> {
        let passes = match &mut event {
            TransportEvent::Incoming(SipMessage::Request(request), _, from) => match from.get_socketaddr() {
                Ok(from) => {
                    tidy(request);
                    self.0.lets_request_in(request, from.ip())
                }
                Err(_) => false,
            },
            TransportEvent::Incoming(SipMessage::Response(response), ..) => {
                tidy(response);
                true
            }
            TransportEvent::New(connection) => {
                self.0.link(connection, true);
                true
            }
            TransportEvent::Closed(connection) => {
                self.0.link(connection, false);
                true
            }
        };
        passes.then_some(event)
    }
}

/// The peer's end of a connection.
pub(super) fn peer_of(connection: &SipConnection) -> Option<(SocketAddr, Transport)> {
    let address: &SipAddr = connection.get_remote_addr()?;
    Some((address.get_socketaddr().ok()?, our_transport(connection.transport())?))
}

pub(super) fn user_agent(request: &Request) -> Option<&str> {
    request.headers.iter().find_map(|header| match header {
        Header::UserAgent(agent) => Some(agent.value()),
        _ => None,
    })
}

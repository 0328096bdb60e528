//! One INVITE dialog of ours, whichever side began it: re-negotiation while it lives, and its end.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use rsipstack::dialog::dialog::{Dialog, DialogState, DialogStateReceiver, TransactionHandle};
use rsipstack::dialog::invite_dialog::InviteDialog;
use rsipstack::sip::uri::ParamsExt;
use rsipstack::sip::{Header, HeadersExt, Method, Request, StatusCode, ToTypedHeader};
use rsipstack::transaction::key::TransactionRole;
use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;
use tracing::debug;

use super::super::Error;
use super::super::plan::{Plan, SharedPlan};
use super::super::ports::RtpSockets;
use super::super::registrar::Transport;
use super::super::rtp_port::RtpPort;
use super::super::sdes::Keys;
use super::super::sdp::{self, Local, Remote};
use super::super::session_timer::Timer;
use super::keys::{self, KeyPort};
use super::refer::TransferRequest;
use super::reliable::Reliable;
use super::{Shared, allow, content_type, refresh, screen, supported};
use crate::media::{Key, Port};

/// What [`LegControl::hang_up`] waits for the BYE to be answered; it is repeated in the background after that.
const BYE_WAIT: Duration = Duration::from_secs(1);
const EVENTS: usize = 32;

/// An answered call. Dropping it hangs up.
pub struct Leg {
    /// The sound, both ways at the rate of the codec agreed first (8 or 16 kHz).
    pub port: Box<dyn Port>,
    pub events: mpsc::Receiver<LegEvent>,
    pub control: LegControl,
}

/// What the peer does. The channel ends after [`LegEvent::HungUp`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LegEvent {
    HungUp,
    /// The peer does not listen any more (hold); the port sends nothing until it resumes.
    Held,
    Resumed,
    /// The peer asks for its other party to be connected elsewhere (only where [`LegControl::allow_transfers`] was called).
    Transfer(TransferRequest),
    /// It asked for one in words that cannot be read, and was refused.
    TransferUnreadable,
    /// How the transfer goes that the peer was asked for ([`LegControl::refer`]), as a SIP status; from 200 on its end.
    Referred(u16),
}

/// Ends a leg. The last one dropped hangs up.
pub struct LegControl {
    pub(super) session: Arc<Session>,
}

impl Leg {
    pub fn port(&mut self) -> &mut dyn Port {
        self.port.as_mut()
    }

    /// The SIP Call-ID.
    pub fn id(&self) -> &str {
        self.control.id()
    }

    pub async fn hang_up(self) {
        self.control.hang_up().await;
    }
}

impl LegControl {
    pub fn id(&self) -> &str {
        &self.session.call_id
    }

    /// Sends BYE; returns when it was answered, after a second at most. Twice does no harm.
    pub async fn hang_up(&self) {
        let bye = self.session.bye();
        let (done, finished) = tokio::sync::oneshot::channel::<()>();
        self.session.shared.spawn(async move {
            bye.await;
            let _ = done.send(()); // nobody may wait any more
        });
        let _ = tokio::time::timeout(BYE_WAIT, finished).await;
    }
}

impl Drop for LegControl {
    fn drop(&mut self) {
        self.session.shared.spawn(self.session.bye());
    }
}

/// An INVITE dialog and what was agreed in it.
pub(super) struct Session {
    pub shared: Arc<Shared>,
    pub call_id: String,
    pub dialog: InviteDialog,
    pub peer: SocketAddr,
    pub plan: SharedPlan,
    /// No more sound or signalling will come.
    pub ended: CancellationToken,
    local: Mutex<Local>,
    /// An offer of ours awaits its answer in an ACK (or PRACK).
    pub offered: AtomicBool,
    agreed: watch::Sender<bool>,
    bye_sent: AtomicBool,
    /// The peer has our answer for sure: its ACK came, or we are the caller.
    pub confirmed: CancellationToken,
    pub exchange: Mutex<Exchange>,
    pub timer: watch::Sender<Option<Timer>>,
    /// What the peer said it understands.
    pub abilities: Mutex<Abilities>,
    pub reliable: Reliable,
    /// Keys that came by INFO, on their way to the port.
    pub keys: keys::Presses,
    /// The newest CSeq number in a request of the peer's.
    pub cseq: AtomicU32,
    /// What requests and answers of ours name as Contact.
    pub contact: rsipstack::sip::Uri,
    /// The description sent last, to be sent again where nothing changes.
    described: Mutex<String>,
    /// Proxies stand between, which asked to be on the way (Record-Route).
    pub routed: AtomicBool,
    pub takes_transfers: AtomicBool,
    /// Transfers asked for by the peer so far.
    pub transfers: AtomicU32,
    /// A REFER of ours has yet to come to its end.
    pub referring: AtomicBool,
    events: OnceLock<mpsc::Sender<LegEvent>>,
    /// What the owner was told last.
    held: AtomicBool,
}

/// Whose re-negotiation is under way: one at a time (RFC 3261, 14; RFC 3311, 5).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Exchange {
    #[default]
    None,
    /// An INVITE or an offer of ours waits for its answer.
    Ours,
    /// One of the peer's waits for ours.
    Theirs,
}

/// From the peer's `Allow` and `Supported`.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Abilities {
    pub update: bool,
    pub info: bool,
    /// Reliable provisional answers: understood, and demanded.
    pub reliable: bool,
    pub reliable_required: bool,
}

impl Abilities {
    /// A message without an `Allow` line says nothing new about methods.
    pub fn read(&mut self, message: &impl HeadersExt) {
        let headers = message.headers();
        let mut allowed = headers.iter().filter_map(|header| match header {
            Header::Allow(allow) => Some(allow.value().to_ascii_uppercase()),
            _ => None,
        });
        if let Some(first) = allowed.next() {
            let all = allowed.fold(first, |all, more| all + "," + &more);
            let has = |method| all.split(',').any(|word| word.trim() == method);
            (self.update, self.info) = (has("UPDATE"), has("INFO"));
        }
        let says = |name, option| message.header_contains_token(name, option);
        self.reliable_required |= says("Require", "100rel");
        self.reliable |= self.reliable_required || says("Supported", "100rel");
    }
}

impl Session {
    pub fn new(
        shared: &Arc<Shared>,
        dialog: InviteDialog,
        peer: SocketAddr,
        contact: rsipstack::sip::Uri,
        local: Local,
    ) -> Arc<Self> {
        let session = Arc::new(Self {
            shared: shared.clone(),
            call_id: dialog.id().call_id,
            dialog,
            peer,
            plan: Plan::silent().shared(),
            ended: CancellationToken::new(),
            local: Mutex::new(local),
            offered: AtomicBool::new(false),
            agreed: watch::channel(false).0,
            bye_sent: AtomicBool::new(false),
            confirmed: CancellationToken::new(),
            exchange: Mutex::default(),
            timer: watch::channel(None).0,
            abilities: Mutex::default(),
            reliable: Reliable::default(),
            keys: keys::Presses::default(),
            cseq: AtomicU32::new(0),
            contact,
            described: Mutex::default(),
            routed: AtomicBool::new(false),
            takes_transfers: AtomicBool::new(false),
            transfers: AtomicU32::new(0),
            referring: AtomicBool::new(false),
            events: OnceLock::new(),
            held: AtomicBool::new(false),
        });
        shared.sessions().insert(session.key(), Arc::downgrade(&session));
        session
    }

    /// How requests within the dialog name it: Call-ID and our tag.
    pub fn key(&self) -> (String, String) {
        (self.call_id.clone(), self.dialog.id().local_tag)
    }

    pub fn abilities(&self) -> Abilities {
        *self.abilities.lock().unwrap_or_else(PoisonError::into_inner) // plain flags
    }

    pub fn learn(&self, message: &impl HeadersExt) {
        self.abilities.lock().unwrap_or_else(PoisonError::into_inner).read(message);
    }

    pub fn exchange(&self) -> MutexGuard<'_, Exchange> {
        self.exchange.lock().unwrap_or_else(PoisonError::into_inner) // likewise
    }

    /// Begins a re-negotiation of ours; `false` while another is under way.
    pub fn begin_exchange(&self) -> bool {
        let mut exchange = self.exchange();
        let free = *exchange == Exchange::None && !self.offered.load(Relaxed);
        if free {
            *exchange = Exchange::Ours;
        }
        free
    }

    pub fn end_exchange(&self) {
        *self.exchange() = Exchange::None;
    }

    /// A re-INVITE or UPDATE of the peer's may name a new address for requests of ours (RFC 3261, 12.2.2); the stack
    /// itself takes it from the first 2xx only.
    pub fn retarget(&self, message: &impl HeadersExt) {
        let Ok(contact) = message.contact_header() else { return };
        let Some(mut uri) = contact.typed().ok().map(|typed| typed.uri) else { return };
        // A connection that is there is kept to, whatever the Contact leaves out. Behind a proxy it is the proxy's, and says
        // nothing of how the peer is reached.
        let routed = self.routed.load(Relaxed);
        let initial = self.dialog.initial_request();
        let over = initial.top_via_header().ok().and_then(|via| via.typed().ok()).map(|via| via.transport);
        let over = over.filter(|over| !routed && *over != rsipstack::sip::Transport::Udp);
        if let (None, Some(over)) = (uri.transport(), over) {
            uri.params.push(rsipstack::sip::Param::Transport(over));
        }
        Dialog::Invite(self.dialog.clone()).set_remote_target(uri, Some(contact.clone()));
    }

    /// The message that made the dialog names the way, where proxies want to be on it.
    pub fn follow_route(&self, message: &impl HeadersExt) {
        if message.headers().iter().any(|header| matches!(header, Header::RecordRoute(_))) {
            self.routed.store(true, Relaxed);
            self.retarget(message);
        }
    }

    pub fn local(&self) -> MutexGuard<'_, Local> {
        self.local.lock().unwrap_or_else(PoisonError::into_inner) // plain numbers
    }

    /// Our answer to an offer; the port follows it from now on.
    pub fn answer(&self, offer: &Remote) -> Result<String, sdp::Error> {
        let local = self.local().clone();
        if offer.is_ipv6() != local.address.is_ipv6() && !offer.is_without_address() {
            return Err(sdp::Error::Address("another family than ours".into()));
        }
        let (body, plan) = offer.answer(&local, Some(self.peer.ip()))?;
        self.agree(plan);
        self.describe(&body);
        Ok(body)
    }

    /// Remembers what was sent.
    pub fn describe(&self, body: &str) {
        body.clone_into(&mut self.described.lock().unwrap_or_else(PoisonError::into_inner)); // text, replaced whole
    }

    pub fn described(&self) -> String {
        self.described.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Our offer, whose answer comes in the ACK.
    pub fn offer(&self) -> String {
        self.offered.store(true, Relaxed);
        let body = sdp::offer(&self.local());
        self.describe(&body);
        body
    }

    /// The port follows it from now on; one that says nothing new leaves the port alone.
    pub fn agree(&self, mut plan: Plan) {
        let before = self.plan.load();
        plan.version = before.version;
        if plan != **before {
            plan.version += 1;
            self.plan.store(Arc::new(plan));
        }
        self.agreed.send_replace(true);
    }

    pub fn is_agreed(&self) -> bool {
        *self.agreed.borrow()
    }

    /// A provisional answer of a call of ours that rings. Only a reliable one can be relied on (RFC 3262, 5).
    pub fn take_early(&self, response: &rsipstack::sip::Response) {
        self.learn(response);
        if response.header_contains_token("Require", "100rel")
            && let Ok(answer) = Remote::parse(&response.body)
            && self.take_answer(&answer).is_ok()
        {
            self.end_exchange();
        }
    }

    /// A call of ours that nobody follows came to nothing.
    pub fn give_up(&self) {
        self.shared.sessions().remove(&self.key());
        self.ended.cancel();
    }

    /// Waits until both sides have described their sound.
    pub async fn agreement(&self) -> Result<(), Error> {
        let mut agreed = self.agreed.subscribe();
        tokio::select! {
            biased;
            met = agreed.wait_for(|met| *met) => met.map(|_| ()).map_err(|_| Error::Cancelled),
            () = self.ended.cancelled() => Err(Error::Cancelled),
        }
    }

    /// The leg, once there is one, with sound of `rate` whatever codec will be agreed.
    pub fn leg(self: &Arc<Self>, rate: u32, sockets: RtpSockets, events: mpsc::Receiver<LegEvent>) -> Leg {
        Leg { port: self.port(rate, sockets), events, control: self.control() }
    }

    /// The sound, from now on: what came before is old.
    pub fn port(self: &Arc<Self>, rate: u32, sockets: RtpSockets) -> Box<dyn Port> {
        sockets.flush();
        let settings = self.shared.settings.load();
        let bad = self.shared.bad_packets.clone();
        let port = RtpPort::new(sockets, rate, self.plan.clone(), settings.media_timeout, bad)
            .with_inband_keys(settings.inband_keys);
        Box::new(KeyPort::new(port, self.clone()))
    }

    pub fn control(self: &Arc<Self>) -> LegControl {
        LegControl { session: self.clone() }
    }

    /// Sends a key in an INFO, to a peer that takes them in no other way.
    pub fn send_key(self: &Arc<Self>, key: Key) {
        let session = self.clone();
        self.shared.spawn(async move { keys::send(&session, key).await });
    }

    /// Ends an answered dialog. A future of its own, so that it outlives its asker.
    pub fn bye(self: &Arc<Self>) -> impl Future<Output = ()> + Send + 'static {
        let session = self.clone();
        async move {
            // A call that is not answered yet is refused by who holds it, not hung up.
            if session.dialog.role() == TransactionRole::Server && session.dialog.state().can_cancel() {
                return;
            }
            if session.ended.is_cancelled() || session.bye_sent.swap(true, Relaxed) {
                return session.ended.cancelled().await;
            }
            if session.dialog.bye().await.is_err() {
                debug!(call = session.call_id, "BYE was not answered");
            }
            session.ended.cancel();
        }
    }

    /// Follows the dialog to its end; counted as a call from now on.
    pub fn follow(
        self: Arc<Self>,
        states: DialogStateReceiver,
        events: mpsc::Sender<LegEvent>,
    ) -> impl Future<Output = ()> + Send + 'static {
        self.shared.calls.fetch_add(1, Relaxed);
        // At once: the peer may ask for something before the task that follows has run.
        let _ = self.events.set(events.clone()); // follows but once
        self.to_the_end(states, events)
    }

    async fn to_the_end(self: Arc<Self>, mut states: DialogStateReceiver, events: mpsc::Sender<LegEvent>) {
        let mut timer = self.timer.subscribe();
        loop {
            let due = timer.borrow_and_update().map(|timer| timer.next());
            let state = tokio::select! {
                state = states.recv() => state,
                () = self.ended.cancelled() => None,
                () = self.shared.closing.cancelled(), if !self.bye_sent.load(Relaxed) && self.is_answered() => {
                    self.shared.spawn(self.bye());
                    continue;
                }
                () = self.shared.stop.cancelled() => None,
                _ = timer.changed() => continue,
                what = refresh::due(due) => {
                    refresh::act(&self, what);
                    continue;
                }
            };
            match state {
                None | Some(DialogState::Terminated(..)) => break,
                Some(DialogState::Confirmed(..)) => {
                    self.confirmed.cancel();
                    self.take_late_answer();
                }
                Some(DialogState::Updated(_, request, handle)) => self.renegotiate(&request, handle).await,
                // `within` keeps every other request from the stack.
                Some(
                    DialogState::Options(_, _, handle)
                    | DialogState::Info(_, _, handle)
                    | DialogState::Message(_, _, handle)
                    | DialogState::Notify(_, _, handle)
                    | DialogState::Refer(_, _, handle)
                    | DialogState::Publish(_, _, handle),
                ) => reply(handle, StatusCode::MethodNotAllowed, vec![allow()], None).await,
                Some(_) => {}
            }
        }
        self.shared.dialogs.remove_dialog(&self.dialog.id());
        self.shared.sessions().remove(&self.key());
        self.ended.cancel();
        self.timer.send_replace(None);
        self.shared.calls.fetch_sub(1, Relaxed);
        debug!(call = self.call_id, "leg ended");
        let _ = events.try_send(LegEvent::HungUp); // the end of the channel says the same
    }

    /// Tells the leg's owner.
    pub fn tell(&self, event: LegEvent) {
        if let Some(events) = self.events.get() {
            let _ = events.try_send(event); // one who does not look for 32 events does not care for the 33rd
        }
    }

    /// Tells the owner of hold and resumption, when the plan says another thing than before.
    pub fn tell_of_hold(&self) {
        let now = self.plan.load().held();
        if self.held.swap(now, Relaxed) != now {
            self.tell(if now { LegEvent::Held } else { LegEvent::Resumed });
        }
    }

    fn is_answered(&self) -> bool {
        *self.agreed.borrow() || self.offered.load(Relaxed)
    }

    /// The answer to our offer in a 2xx is in the ACK (RFC 3264, 4; RFC 3261, 13.2.1).
    fn take_late_answer(self: &Arc<Self>) {
        if !self.offered.swap(false, Relaxed) {
            return;
        }
        let answer = self.dialog.last_remote_ack().map(|ack| Remote::parse(&ack.body));
        let answer = answer.map(|answer| self.take_answer(&answer?));
        match answer {
            Some(Ok(())) => {}
            _ => {
                debug!(call = self.call_id, "no usable answer came with the ACK");
                self.shared.spawn(self.bye());
            }
        }
    }

    /// The peer's answer to an offer of ours.
    pub fn take_answer(&self, answer: &Remote) -> Result<(), sdp::Error> {
        let plan = answer.accepted(&self.local(), Some(self.peer.ip()))?;
        self.agree(plan);
        self.tell_of_hold();
        Ok(())
    }

    /// A re-INVITE: another address, codec or direction, or nothing new.
    async fn renegotiate(&self, request: &Request, handle: TransactionHandle) {
        let (status, headers, body) = match self.answer_to(request) {
            Ok((headers, body)) => (StatusCode::OK, headers, body),
            Err(refusal) => (refusal.status, refusal.headers, None),
        };
        reply(handle, status, headers, body).await;
        self.end_exchange();
        self.tell_of_hold();
    }

    /// What a re-INVITE or UPDATE is answered: headers and description of the 200, or a refusal, which changes nothing.
    pub fn answer_to(&self, request: &Request) -> Result<(Vec<Header>, Option<String>), screen::Refusal> {
        let offer = screen::offer(request)?;
        let timer = refresh::grant(&self.shared, request, self.timer.borrow().map(|timer| timer.we_refresh()))?;
        if offer.is_some() || request.method == Method::Invite {
            self.local().version += 1;
        }
        let body = match offer {
            Some(offer) => Some(self.answer(&offer).map_err(screen::not_acceptable)?),
            None if request.method == Method::Invite => Some(self.offer()),
            None => None,
        };
        self.learn(request);
        self.retarget(request);
        let mut headers = vec![allow(), supported()];
        headers.extend(refresh::start(self, timer));
        Ok((headers, body))
    }
}

async fn reply(handle: TransactionHandle, status: StatusCode, mut headers: Vec<Header>, body: Option<String>) {
    headers.extend(body.is_some().then(content_type));
    // The stack answers 501 by itself when its transaction is gone.
    let _ = handle.respond(status, Some(headers), body.map(String::into_bytes)).await;
}

/// A channel for a leg's events.
pub(super) fn events() -> (mpsc::Sender<LegEvent>, mpsc::Receiver<LegEvent>) {
    mpsc::channel(EVENTS)
}

/// Our description of a new leg.
pub(super) fn describe(shared: &Shared, peer: SocketAddr, transport: Transport, sockets: &RtpSockets) -> Local {
    Local {
        address: shared.our_address(peer.ip()).1,
        rtp_port: sockets.port(),
        sound: shared.settings.load().sound.clone(),
        secure: transport.is_secure(),
        keys: Keys::random(),
        // RFC 8866, 5.2: any number; 62 bits survive peers that read it as signed.
        session: rand::random::<u64>() >> 2,
        version: 1,
    }
}

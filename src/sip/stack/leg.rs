//! One INVITE dialog of ours, whichever side began it: re-negotiation while it lives, and its end.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rsipstack::dialog::dialog::{DialogState, DialogStateReceiver, TransactionHandle};
use rsipstack::dialog::invite_dialog::InviteDialog;
use rsipstack::sip::{Header, Method, Request, StatusCode};
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
use super::{Shared, accept, allow, content_type, screen};
use crate::media::Port;

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
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LegEvent {
    HungUp,
    /// The peer does not listen any more (hold); the port sends nothing until it resumes.
    Held,
    Resumed,
}

/// Ends a leg. The last one dropped hangs up.
pub struct LegControl {
    session: Arc<Session>,
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
    /// An offer of ours awaits its answer in an ACK.
    offered: AtomicBool,
    agreed: watch::Sender<bool>,
    bye_sent: AtomicBool,
}

impl Session {
    pub fn new(shared: &Arc<Shared>, dialog: InviteDialog, peer: SocketAddr, local: Local) -> Arc<Self> {
        shared.calls.fetch_add(1, Relaxed);
        Arc::new(Self {
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
        })
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
        Ok(body)
    }

    /// Our offer, whose answer comes in the ACK.
    pub fn offer(&self) -> String {
        self.offered.store(true, Relaxed);
        sdp::offer(&self.local())
    }

    pub fn agree(&self, plan: Plan) {
        self.plan.store(Arc::new(plan));
        self.agreed.send_replace(true);
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
        let timeout = self.shared.settings.load().media_timeout;
        let port = RtpPort::new(sockets, rate, self.plan.clone(), timeout, self.shared.bad_packets.clone());
        Leg { port: Box::new(port), events, control: LegControl { session: self.clone() } }
    }

    /// Ends an answered dialog. A future of its own, so that it outlives its asker.
    pub fn bye(self: &Arc<Self>) -> impl Future<Output = ()> + Send + 'static {
        let session = self.clone();
        async move {
            if session.ended.is_cancelled() || session.bye_sent.swap(true, Relaxed) {
                return session.ended.cancelled().await;
            }
            if session.dialog.bye().await.is_err() {
                debug!(call = session.call_id, "BYE was not answered");
            }
            session.ended.cancel();
        }
    }

    /// Follows the dialog to its end.
    pub async fn follow(self: Arc<Self>, mut states: DialogStateReceiver, events: mpsc::Sender<LegEvent>) {
        let mut held = false;
        loop {
            let state = tokio::select! {
                state = states.recv() => state,
                () = self.ended.cancelled() => None,
                () = self.shared.closing.cancelled(), if !self.bye_sent.load(Relaxed) && self.is_answered() => {
                    self.shared.spawn(self.bye());
                    continue;
                }
                () = self.shared.stop.cancelled() => None,
            };
            let event = match state {
                None | Some(DialogState::Terminated(..)) => break,
                Some(DialogState::Confirmed(..)) => {
                    self.take_late_answer();
                    None
                }
                Some(DialogState::Updated(_, request, handle)) => {
                    self.renegotiate(&request, handle).await;
                    let now = self.plan.load().held();
                    let changed = now != held;
                    held = now;
                    changed.then_some(if now { LegEvent::Held } else { LegEvent::Resumed })
                }
                Some(DialogState::Options(_, _, handle)) => {
                    reply(handle, StatusCode::OK, vec![allow(), accept()], None).await;
                    None
                }
                Some(
                    DialogState::Info(_, _, handle)
                    | DialogState::Message(_, _, handle)
                    | DialogState::Notify(_, _, handle)
                    | DialogState::Refer(_, _, handle)
                    | DialogState::Publish(_, _, handle),
                ) => {
                    reply(handle, StatusCode::MethodNotAllowed, vec![allow()], None).await;
                    None
                }
                Some(_) => None,
            };
            if let Some(event) = event {
                let _ = events.try_send(event); // one who does not look for 32 events does not care for the 33rd
            }
        }
        self.shared.dialogs.remove_dialog(&self.dialog.id());
        self.ended.cancel();
        self.shared.calls.fetch_sub(1, Relaxed);
        debug!(call = self.call_id, "leg ended");
        let _ = events.try_send(LegEvent::HungUp); // the end of the channel says the same
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
        let plan = answer.map(|answer| answer?.accepted(&self.local(), Some(self.peer.ip())));
        match plan {
            Some(Ok(plan)) => self.agree(plan),
            _ => {
                debug!(call = self.call_id, "no usable answer came with the ACK");
                self.shared.spawn(self.bye());
            }
        }
    }

    /// A re-INVITE or UPDATE: another address, codec or direction, or nothing new.
    async fn renegotiate(&self, request: &Request, handle: TransactionHandle) {
        let offer = match screen::offer(request) {
            Ok(offer) => offer,
            Err(refusal) => return reply(handle, refusal.status, refusal.headers, None).await,
        };
        self.local().version += 1;
        let body = match offer {
            Some(offer) => match self.answer(&offer) {
                Ok(body) => Some(body),
                Err(error) => {
                    let refusal = screen::not_acceptable(error);
                    return reply(handle, refusal.status, refusal.headers, None).await;
                }
            },
            None if request.method == Method::Invite => Some(self.offer()),
            None => None,
        };
        reply(handle, StatusCode::OK, vec![allow()], body).await;
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

//! Calls that come in.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use rsipstack::dialog::dialog::{DialogState, TerminatedReason};
use rsipstack::sip::headers::UntypedHeader;
use rsipstack::sip::{Header, HeadersExt, Request, Scheme, StatusCode, ToTypedHeader};
use rsipstack::transaction::transaction::{Transaction, TransactionEvent, TransactionEventSender};
use tokio::sync::mpsc;
use tracing::debug;

use super::super::Error;
use super::super::identity::{self, Identity};
use super::super::ports::RtpSockets;
use super::super::registrar::Transport;
use super::super::sdp::Remote;
use super::leg::Exchange;
use super::leg::{self, Leg, LegEvent, Session};
use super::screen::{self, Refusal};
use super::{Shared, allow, content_type, refresh, reliable, supported, trunks};

/// What sound waits for the caller's ACK: one that is lost comes again after half a second.
const ACK_WAIT: Duration = Duration::from_millis(1_200);

/// A call that wants an answer. Dropping it refuses it (480).
pub struct Incoming {
    /// The SIP Call-ID.
    pub call_id: String,
    /// As in `identity`; empty when withheld.
    pub from_number: String,
    pub from_name: Option<String>,
    /// What was dialled.
    pub to_number: String,
    pub source: SocketAddr,
    /// The user of the phone that calls, where it is registered here or has proved itself.
    pub phone: Option<String>,
    /// The Call-ID of the leg of ours whose place this call is to take (RFC 3891).
    pub replaces: Option<String>,
    /// All that the network says of the caller.
    pub identity: Identity,
    /// The trunk by which it comes.
    pub trunk: Option<String>,
    session: Arc<Session>,
    transaction: TransactionEventSender,
    offer: Option<Remote>,
    /// Taken when the call is answered.
    parts: Option<(RtpSockets, mpsc::Receiver<LegEvent>)>,
    decided: bool,
}

/// The answer that a caller who hears us already waits for. Dropping it refuses the call (480).
#[derive(Debug)]
pub struct Early(Incoming);

impl Incoming {
    /// The rate that the sound of this call will have, Hz; what the best codec we offer has, where the offer is left to us.
    pub fn rate(&self) -> u32 {
        let sound = self.session.local().sound.clone();
        let ours = || sound.codecs.first().map_or(8_000, |codec| codec.rate());
        self.offer.as_ref().and_then(|offer| offer.rate(&sound)).unwrap_or_else(ours)
    }

    /// 180 Ringing; reliably where the caller demands it, or understands it and the settings want it. A caller who left
    /// the offer to us gets it with the first reliable answer (RFC 3262, 5).
    pub async fn ring(&self) {
        let reliable = self.is_reliable(self.session.shared.settings.load().reliable_ringing);
        let body = (reliable && self.offer.is_none() && !self.is_described()).then(|| self.session.offer());
        reliable::provisional(&self.session, body, reliable).await;
    }

    fn is_reliable(&self, wanted: bool) -> bool {
        let caller = self.session.abilities();
        caller.reliable_required || (caller.reliable && wanted)
    }

    /// A description of ours has gone out.
    fn is_described(&self) -> bool {
        !self.session.described().is_empty()
    }

    /// 183 with our description: sound flows, and nothing is charged yet (early media). Most callers' telephones send no
    /// sound before the answer. A caller who left the offer to us can have it only by reliable answers; from others the
    /// call comes back as it was.
    pub async fn open_early(mut self) -> Result<(Leg, Early), (Box<Incoming>, Error)> {
        let reliable = self.is_reliable(true);
        let body = match &self.offer {
            Some(_) if self.is_described() => None,
            Some(offer) => match self.session.answer(offer) {
                Ok(body) => Some(body),
                Err(error) => return Err((Box::new(self), Error::Description(error.to_string()))),
            },
            None if self.is_described() => None,
            None if reliable => Some(self.session.offer()),
            None => return Err((Box::new(self), Error::Description("the caller made no offer".into()))),
        };
        if body.is_some() {
            reliable::provisional(&self.session, body, reliable).await;
            if self.offer.is_some() {
                self.session.end_exchange();
            }
        }
        let agreed = self.session.agreement().await;
        let parts = if agreed.is_ok() { self.parts.take() } else { None };
        match parts {
            Some((sockets, events)) => Ok((self.session.leg(self.rate(), sockets, events), Early(self))),
            None => Err((Box::new(self), Error::Cancelled)),
        }
    }

    /// Resolves when the caller gives up before an answer.
    pub async fn cancelled(&self) {
        self.session.ended.cancelled().await;
    }

    /// 200 with our description. Where the caller left the offer to us this waits for its answer (in the ACK).
    pub async fn answer(mut self) -> Result<Leg, Error> {
        if self.session.ended.is_cancelled() {
            return Err(Error::Cancelled);
        }
        self.accept().await?;
        // Before any wait: from here on dropping the leg says BYE.
        let control = self.session.control();
        let Some((sockets, events)) = self.parts.take() else { return Err(Error::Cancelled) };
        self.heard_of_it().await?;
        Ok(Leg { port: self.session.port(self.rate(), sockets), events, control })
    }

    /// 200.
    async fn accept(&mut self) -> Result<(), Error> {
        // RFC 3262, 3: a 2xx waits for the PRACK.
        if !self.session.reliable.settled().await || self.session.ended.is_cancelled() {
            return Err(Error::Cancelled);
        }
        let body = match &self.offer {
            // Once sent reliably it is said; else the 2xx says the same again (RFC 3261, 13.2.1).
            _ if self.is_described() => (!self.session.abilities().reliable).then(|| self.session.described()),
            Some(offer) => match self.session.answer(offer) {
                Ok(body) => Some(body),
                Err(error) => {
                    self.refuse(488, None);
                    return Err(Error::Description(error.to_string()));
                }
            },
            None => Some(self.session.offer()),
        };
        self.decided = true;
        let mut headers = vec![allow(), supported()];
        headers.extend(body.is_some().then(content_type));
        // Judged when the call came in; another configuration since then may refuse now, and the call is to have no timer.
        let request = self.session.dialog.initial_request();
        let granted = refresh::grant(&self.session.shared, &request, None).unwrap_or(None);
        let timer = refresh::start(&self.session, granted);
        headers.extend(timer);
        let accepted = self.session.dialog.accept(Some(headers), body.map(String::into_bytes));
        self.session.end_exchange();
        accepted.map_err(|_| Error::Cancelled)
    }

    /// Waits until the caller has our answer: what was said before that, many telephones would not play.
    async fn heard_of_it(&self) -> Result<(), Error> {
        self.session.agreement().await?;
        let confirmed = self.session.confirmed.clone();
        tokio::select! {
            _ = tokio::time::timeout(ACK_WAIT, confirmed.cancelled()) => Ok(()),
            () = self.session.ended.cancelled() => Err(Error::Cancelled),
        }
    }

    /// A final refusal (4xx, 5xx, 6xx; anything else is sent as 480), with Retry-After in seconds.
    pub async fn reject(mut self, status: u16, retry_after: Option<u32>) {
        self.refuse(status, retry_after);
    }

    fn refuse(&mut self, status: u16, retry_after: Option<u32>) {
        if std::mem::replace(&mut self.decided, true) || self.session.ended.is_cancelled() {
            return;
        }
        let status = StatusCode::from(if (400..700).contains(&status) { status } else { 480 });
        let headers = retry_after.map(screen::retry_after).into_iter().collect();
        respond(&self.session, &self.transaction, status.clone(), headers);
        // The stack sends this one only if ours did not go; it also ends the dialog.
        let _ = self.session.dialog.reject(Some(status), None);
    }
}

impl Early {
    /// 200; the leg goes on as it is.
    pub async fn answer(mut self) -> Result<(), Error> {
        self.0.accept().await
    }

    /// As [`Incoming::reject`].
    pub async fn reject(self, status: u16, retry_after: Option<u32>) {
        self.0.reject(status, retry_after).await;
    }
}

impl Drop for Incoming {
    fn drop(&mut self) {
        self.refuse(480, None);
    }
}

impl std::fmt::Debug for Incoming {
    // Numbers and names are the caller's own.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Incoming").field("call_id", &self.call_id).finish_non_exhaustive()
    }
}

/// Judges a new INVITE, hands it out, and drives its transaction until its ACK.
pub(super) async fn invite(
    shared: &Arc<Shared>,
    mut tx: Transaction,
    source: SocketAddr,
    transport: Transport,
) -> rsipstack::Result<()> {
    let admitted = screen::invite(shared, &tx.original, source, transport).and_then(|(offer, phone)| {
        let replaces = screen::replaces(shared, &tx.original, phone.as_deref())?;
        refresh::grant(shared, &tx.original, None)?;
        let permit = shared.incoming.clone().try_reserve_owned().map_err(|_| Refusal::busy(5))?;
        let sockets = shared.ports.take(shared.our_address(source.ip()).0).map_err(|_| Refusal::busy(5))?;
        Ok((offer, phone, replaces, permit, sockets))
    });
    let (offer, phone, replaces, permit, sockets) = match admitted {
        Ok(admitted) => admitted,
        Err(refusal) => {
            shared.refused.fetch_add(1, Relaxed);
            // The stack answers repeated INVITEs with the same words, and swallows the ACK.
            return tx.reply_with(refusal.status, refusal.headers, None).await;
        }
    };
    let local = leg::describe(shared, source, transport, &sockets);
    let (states, changes) = shared.dialogs.new_dialog_state_channel();
    let mut contact = shared.contact(source, transport);
    // To a `sips:` address only a `sips:` Contact will do (RFC 3261, 12.1.1).
    if tx.original.uri.scheme == Some(Scheme::Sips) {
        contact.scheme = Some(Scheme::Sips);
    }
    let Ok(mut dialog) = shared.dialogs.get_or_create_server_invite(&tx, states, None, Some(contact.clone())) else {
        // No Contact, no From tag, ...
        return tx.reply(StatusCode::BadRequest).await;
    };
    let session = Session::new(shared, dialog.clone(), source, contact, local);
    session.learn(&tx.original);
    // The stack would call the peer behind a proxy by the transport that leads to the proxy.
    session.follow_route(&tx.original);
    session.cseq.store(tx.original.cseq_header().and_then(|cseq| cseq.seq()).unwrap_or(0), Relaxed);
    if offer.is_some() {
        *session.exchange() = Exchange::Theirs;
    }
    let (events, leg_events) = leg::events();
    let trunk = shared.door.trunk_of(source.ip());
    let identity = identify(shared, &tx.original, trunk.as_deref());
    let incoming = Incoming {
        call_id: session.call_id.clone(),
        from_number: identity.number.clone(),
        from_name: identity.name.clone(),
        to_number: identity.dialled.clone(),
        source,
        phone,
        replaces,
        identity,
        trunk,
        session: session.clone(),
        transaction: tx.tu_sender.clone(),
        offer,
        parts: Some((sockets, leg_events)),
        decided: false,
    };
    debug!(call = incoming.call_id, "call came in");
    shared.spawn(watch_early_bye(session.clone(), tx.tu_sender.clone()));
    shared.spawn(session.follow(changes, events));
    permit.send(incoming);
    let handled = dialog.handle(&mut tx).await;
    // A refusal is repeated until its ACK has come (or can come no more).
    while tx.receive().await.is_some() {}
    handled
}

/// A BYE before the answer ends the dialog, but the stack leaves the INVITE open: it is answered 487 (RFC 3261, 15.1.2).
async fn watch_early_bye(session: Arc<Session>, transaction: TransactionEventSender) {
    session.ended.cancelled().await;
    if matches!(session.dialog.state(), DialogState::Terminated(_, TerminatedReason::UacBye)) {
        // Does nothing where the INVITE was answered.
        respond(&session, &transaction, StatusCode::RequestTerminated, Vec::new());
    }
}

/// Queues a response to the INVITE with headers of ours.
fn respond(session: &Session, transaction: &TransactionEventSender, status: StatusCode, headers: Vec<Header>) {
    let request = session.dialog.initial_request();
    let mut response = session.shared.core.make_response(&request, status, None);
    let tag = session.dialog.id().local_tag;
    for header in response.headers.iter_mut() {
        if let Header::To(to) = header
            && let Ok(typed) = to.typed()
        {
            *header = typed.with_tag(tag.as_str().into()).into();
        }
    }
    response.headers.extend(headers);
    // The transaction may be over: then there is nothing to say.
    let _ = transaction.send(TransactionEvent::Respond(response));
}

/// Who calls, as the message and the way it came say it.
fn identify(shared: &Shared, request: &Request, trunk: Option<&str>) -> Identity {
    let settings = shared.settings.load();
    let trunk = trunk.and_then(|name| settings.trunks.iter().find(|trunk| trunk.name == name));
    let ours = trunk.filter(|trunk| trunk.register.is_some()).map(|trunk| trunks::user_of(trunk, shared));
    let (mut asserted, mut privacy, mut diversion, mut history) = (vec![], vec![], vec![], vec![]);
    for header in request.headers.iter() {
        match header {
            Header::PAssertedIdentity(value) => asserted.push(value.value()),
            Header::Privacy(value) => privacy.push(value.value()),
            Header::Diversion(value) => diversion.push(value.value()),
            Header::HistoryInfo(value) => history.push(value.value()),
            _ => {}
        }
    }
    let headers = identity::Headers {
        from: request.from_header().map(UntypedHeader::value).unwrap_or_default(),
        to: request.to_header().map(UntypedHeader::value).unwrap_or_default(),
        dialled: request.uri.user().unwrap_or_default(),
        asserted,
        privacy,
        diversion,
        history,
    };
    identity::read(&headers, trunk.is_some(), ours.as_deref())
}

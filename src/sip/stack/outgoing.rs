//! Calls that go out, to agents' phones.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::{Duration, Instant};

use rsipstack::dialog::dialog::{Dialog, DialogState, DialogStateReceiver, DialogStateSender};
use rsipstack::dialog::invitation::InviteOption;
use rsipstack::sip::headers::make_header;
use rsipstack::sip::{Header, Host, Response, StatusCodeKind, Uri, uri::ParamsExt};
use rsipstack::transport::SipAddr;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use tracing::debug;

use super::super::Error;
use super::super::plan::SharedPlan;
use super::super::ports::RtpSockets;
use super::super::registrar::Transport;
use super::super::rtp_port::RtpPort;
use super::super::sdp::{self, Local, Remote};
use super::super::session_timer::Limits;
use super::super::settings::TrunkSettings;
use super::super::targets::{self, Target as Server};
use super::leg::{self, Leg, Session};
use super::listen;
use super::trunks::{self, Line};
use super::{Shared, allow, refresh, stack_transport, supported};
use crate::media::Port;

/// A phone that has not said anything by then is not there (the stack alone would wait 32 s).
const FIRST_SIGN: Duration = Duration::from_secs(5);
/// What a shutdown may wait for a CANCEL to be answered.
const CANCEL_WAIT: Duration = Duration::from_secs(2);
/// Longest header value or display name we write, bytes: a UDP message should stay below 1 300 bytes
/// (RFC 3261, 18.1.1).
const TEXT: usize = 400;

pub struct InviteRequest {
    pub to: Target,
    /// Shown by the phone as the caller's name.
    pub from_display: String,
    /// Further headers. Those that the protocol itself sets are left out; values are cut at 400 bytes.
    pub headers: Vec<(String, String)>,
    /// Given up when not answered by then.
    pub ring_timeout: Duration,
}

pub enum Target {
    /// A registered user; each device in turn, the latest to register first.
    Registered(String),
    /// `sip:user@host[:port][;transport=tcp|tls]`, `sips:...`; a name is looked up (RFC 3263).
    Uri(String),
    /// A number of the public network, by a trunk. The call carries none of our own headers and no name: what a
    /// carrier need not know it is not told.
    Trunk { trunk: String, number: String },
}

/// A call that rings, or will. Dropping it cancels it.
pub struct Outgoing {
    /// Ends after `Answered` or `Failed`, and at once when cancelled.
    pub events: mpsc::Receiver<OutgoingEvent>,
    /// What the far end lets be heard before it answers (RFC 3960), once there is such. Only to be listened to, and to be let
    /// go when the call is answered or fails: the leg that comes then has the sound to itself.
    pub early_sound: mpsc::Receiver<Box<dyn Port>>,
    hears_early: Arc<AtomicBool>,
    cancel: CancellationToken,
}

pub enum OutgoingEvent {
    Ringing,
    Answered(Leg),
    Failed {
        /// The SIP status; 408 when nobody answered in time.
        status: u16,
        reason: FailureReason,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FailureReason {
    Busy,
    NoAnswer,
    Declined,
    /// Not there, or it cannot speak with us.
    Unreachable,
}

impl Outgoing {
    /// Asks for [`Self::early_sound`], which nobody makes otherwise.
    pub fn hear_early(&self) {
        self.hears_early.store(true, Relaxed);
    }

    /// Gives up: the phone stops ringing; a call answered in the same moment is hung up.
    pub async fn cancel(self) {}
}

impl Drop for Outgoing {
    fn drop(&mut self) {
        self.cancel.cancel();
    }
}

/// The way to who wanted the call.
struct News {
    events: mpsc::Sender<OutgoingEvent>,
    sounds: mpsc::Sender<Box<dyn Port>>,
    hears_early: Arc<AtomicBool>,
}

/// What one attempt lets be heard before its answer.
struct EarlySound<'a> {
    sockets: &'a RtpSockets,
    news: &'a News,
    plan: Option<SharedPlan>,
}

impl EarlySound<'_> {
    /// A provisional answer with a description, reliable or not; another one takes its place (a forked call).
    fn hear(&mut self, session: &Session, response: &Response) {
        if !self.news.hears_early.load(Relaxed) {
            return;
        }
        let Ok(answer) = Remote::parse(&response.body) else { return };
        let Ok(mut plan) = answer.accepted(&session.local(), Some(session.peer.ip())) else { return };
        plan.sending = false;
        if let Some(shared) = &self.plan {
            plan.version = shared.load().version + 1;
            return shared.store(Arc::new(plan));
        }
        let Ok(sockets) = self.sockets.again() else { return };
        let (rate, shared) = (plan.codec.rate(), plan.shared());
        let settings = session.shared.settings.load();
        let bad = session.shared.bad_packets.clone();
        let port = RtpPort::new(sockets, rate, shared.clone(), settings.media_timeout, bad);
        self.plan = Some(shared);
        let _ = self.news.sounds.try_send(Box::new(port)); // one device after the other: nobody listens
    }
}

/// Where one attempt goes.
struct Device {
    uri: Uri,
    address: SocketAddr,
    transport: Transport,
    /// Whose certificate must be shown (TLS); none: the address's.
    server: Option<String>,
    /// The trunk it goes by.
    trunk: Option<Arc<TrunkSettings>>,
}

/// What is to be tried, as far as it is known without asking anybody.
enum Devices {
    Known(Vec<Device>),
    /// A name that must be looked up.
    Named {
        uri: Uri,
        host: String,
        port: Option<u16>,
        transport: Option<Transport>,
    },
}

impl Devices {
    async fn find(self, shared: &Shared) -> Vec<Device> {
        match self {
            Self::Known(devices) => devices,
            Self::Named { uri, host, port, transport } => {
                let targets = shared.dns.targets(&host, port, transport).await;
                let device = |Server { address, transport }| Device {
                    uri: uri.clone(),
                    address,
                    transport,
                    server: Some(host.clone()),
                    trunk: None,
                };
                targets.into_iter().map(device).collect()
            }
        }
    }
}

pub(super) fn invite(shared: &Arc<Shared>, request: InviteRequest) -> Result<Outgoing, Error> {
    if shared.closing.is_cancelled() {
        return Err(Error::Closing);
    }
    let devices = devices(shared, &request.to)?;
    let (events, out) = mpsc::channel(8);
    let (sounds, early_sound) = mpsc::channel(2);
    let (cancel, hears_early) = (CancellationToken::new(), Arc::new(AtomicBool::new(false)));
    let news = News { events, sounds, hears_early: hears_early.clone() };
    shared.spawn(ring(shared.clone(), devices, request, news, cancel.clone()));
    Ok(Outgoing { events: out, early_sound, hears_early, cancel })
}

fn devices(shared: &Shared, target: &Target) -> Result<Devices, Error> {
    match target {
        Target::Registered(user) => {
            let bindings = shared.registrar().bindings(Instant::now(), user);
            let devices: Vec<_> = bindings
                .into_iter()
                .filter_map(|binding| {
                    Some(Device {
                        uri: Uri::try_from(binding.contact.as_str()).ok()?,
                        address: binding.source,
                        transport: binding.transport,
                        server: None,
                        trunk: None,
                    })
                })
                .collect();
            if devices.is_empty() { Err(Error::NotRegistered) } else { Ok(Devices::Known(devices)) }
        }
        Target::Trunk { trunk, number } => {
            let line = shared.trunks.line(trunk).filter(|line| !line.ways.is_empty());
            let Line { settings, ways } = line.ok_or_else(|| Error::Trunk(trunk.clone()))?;
            let auth = Some(number.as_str().into());
            let uri = Uri { auth, ..trunks::account_uri(&settings, shared) };
            let device = |Server { address, transport }| Device {
                uri: uri.clone(),
                address,
                transport,
                server: Some(settings.host.clone()),
                trunk: Some(settings.clone()),
            };
            Ok(Devices::Known(ways.into_iter().map(device).collect()))
        }
        Target::Uri(uri) => {
            let uri = Uri::try_from(uri.as_str()).map_err(|_| Error::Uri)?;
            let secure = uri.scheme == Some(rsipstack::sip::Scheme::Sips);
            if !secure && uri.scheme != Some(rsipstack::sip::Scheme::Sip) {
                return Err(Error::Uri);
            }
            let transport = match (uri.transport(), secure) {
                (Some(rsipstack::sip::Transport::Tls), _) | (_, true) => Some(Transport::Tls),
                (Some(rsipstack::sip::Transport::Tcp), false) => Some(Transport::Tcp),
                (Some(rsipstack::sip::Transport::Udp), false) => Some(Transport::Udp),
                _ => None,
            };
            let port = uri.host_with_port.port.as_ref().map(|port| port.value());
            match &uri.host_with_port.host {
                Host::IpAddr(ip) => {
                    let transport = transport.unwrap_or(Transport::Udp);
                    let port = port.unwrap_or(targets::default_port(transport));
                    let address = SocketAddr::new(*ip, port);
                    Ok(Devices::Known(vec![Device { uri, address, transport, server: None, trunk: None }]))
                }
                Host::Domain(domain) => {
                    let host = domain.0.clone();
                    Ok(Devices::Named { uri, host, port, transport })
                }
            }
        }
    }
}

/// Tries one device after the other until one says more than that it is not there.
async fn ring(shared: Arc<Shared>, devices: Devices, request: InviteRequest, news: News, cancel: CancellationToken) {
    let _counted = Ringing::new(&shared);
    let until = tokio::time::Instant::now() + request.ring_timeout;
    let mut failure = (480, FailureReason::Unreachable);
    let devices = tokio::select! {
        devices = devices.find(&shared) => devices,
        () = cancel.cancelled() => return,
        () = shared.closing.cancelled() => return,
    };
    for device in &devices {
        let (states, mut changes) = shared.dialogs.new_dialog_state_channel();
        let outcome = tokio::select! {
            outcome = attempt(&shared, device, &request, &news, until, (states, &mut changes)) => Some(outcome),
            // Dropping the attempt makes the stack CANCEL it, or BYE what was answered meanwhile.
            () = cancel.cancelled() => None,
            () = shared.closing.cancelled() => None,
        };
        let outcome = match outcome {
            Some(Ok(accepted)) => answered(&shared, accepted, changes).await.ok_or((488, FailureReason::Unreachable)),
            Some(Err(failed)) => Err(failed),
            None => {
                // The dialog lets go of its channel when the phone knows: a shutdown must not come before.
                let _ = tokio::time::timeout(CANCEL_WAIT, async { while changes.recv().await.is_some() {} }).await;
                return;
            }
        };
        match outcome {
            Ok(leg) => {
                // A leg that nobody takes hangs up by itself.
                let _ = news.events.send(OutgoingEvent::Answered(leg)).await;
                return;
            }
            Err(failed) => failure = failed,
        }
        if !goes_on(device, failure) {
            break;
        }
    }
    let (status, reason) = failure;
    debug!(status, ?reason, "an outgoing call failed");
    let _ = news.events.send(OutgoingEvent::Failed { status, reason }).await;
}

/// Whether the next device may do better. A trunk's other servers only, when this one is not there, broken or
/// overloaded (RFC 3263, 4.3): what it says of the number, the others would say, too.
fn goes_on(device: &Device, (status, reason): (u16, FailureReason)) -> bool {
    let server_failed = matches!(status, 408 | 430 | 500 | 502..=504);
    reason == FailureReason::Unreachable && (device.trunk.is_none() || server_failed)
}

/// Counts a call that rings, for as long as it lives.
struct Ringing<'a>(&'a Shared);

impl<'a> Ringing<'a> {
    fn new(shared: &'a Shared) -> Self {
        shared.calls.fetch_add(1, Relaxed);
        Self(shared)
    }
}

impl Drop for Ringing<'_> {
    fn drop(&mut self) {
        self.0.calls.fetch_sub(1, Relaxed);
    }
}

/// An INVITE that was answered 2xx, with what we offered.
struct Accepted {
    session: Arc<Session>,
    response: Response,
    sockets: RtpSockets,
}

/// Ends the session of an attempt that came to nothing.
struct Attempted(Option<Arc<Session>>);

impl Drop for Attempted {
    fn drop(&mut self) {
        if let Some(session) = self.0.take() {
            session.give_up();
        }
    }
}

async fn attempt(
    shared: &Arc<Shared>,
    device: &Device,
    request: &InviteRequest,
    news: &News,
    until: tokio::time::Instant,
    channel: (DialogStateSender, &mut DialogStateReceiver),
) -> Result<Accepted, (u16, FailureReason)> {
    let unreachable = |status| (status, FailureReason::Unreachable);
    let sockets = shared.ports.take(shared.our_address(device.address.ip()).0).map_err(|_| unreachable(503))?;
    listen::connect(shared, device.address, device.transport, device.server.as_deref())
        .await
        .map_err(|_| unreachable(503))?;
    let local = leg::describe(shared, device.address, device.transport, &sockets);
    let mut limits = shared.settings.load().session_timer;
    // The same for every attempt at this phone (RFC 4028, 7.4).
    let call_id = format!("{:032x}", rand::random::<u128>());
    let (states, changes) = channel;
    let mut early = EarlySound { sockets: &sockets, news, plan: None };
    loop {
        let option =
            InviteOption { call_id: Some(call_id.clone()), ..option(shared, device, request, &local, &limits) };
        let mut attempted = Attempted(None);
        let told = (&news.events, &mut early);
        let outcome = one(shared, device, option, &local, told, until, (states.clone(), &mut *changes), &mut attempted);
        let response = outcome.await?;
        if let Some(more) = refresh::ask_again(&limits, &response) {
            limits = more; // 422: the far end wants longer sessions
            continue;
        }
        if response.status_code.kind() != StatusCodeKind::Successful {
            if let Some(trunk) = &device.trunk {
                let server = Server { address: device.address, transport: device.transport };
                trunks::call_refused(shared, &trunk.name, server, &response);
            }
            let status = response.status_code.code();
            return Err((status, reason(status)));
        }
        let session = attempted.0.take().ok_or(unreachable(500))?; // there was one before any answer
        return Ok(Accepted { session, response, sockets });
    }
}

/// One INVITE to its final answer.
#[allow(clippy::too_many_arguments)] // one step of `attempt`, by its own name
async fn one(
    shared: &Arc<Shared>,
    device: &Device,
    option: InviteOption,
    local: &Local,
    (events, sound): (&mpsc::Sender<OutgoingEvent>, &mut EarlySound<'_>),
    until: tokio::time::Instant,
    (states, changes): (DialogStateSender, &mut DialogStateReceiver),
    attempted: &mut Attempted,
) -> Result<Response, (u16, FailureReason)> {
    let unreachable = |status| (status, FailureReason::Unreachable);
    let (contact, offer) = (option.contact.clone(), option.offer.clone().unwrap_or_default());
    let mut answer = Box::pin(shared.dialogs.do_invite(option, states));
    let mut silent_until = tokio::time::Instant::now() + FIRST_SIGN;
    let mut ringing = false;
    let mut answered = None;
    loop {
        let state = match answered {
            None => tokio::select! {
                biased; // what came before the answer is looked at before it
                Some(state) = changes.recv() => state,
                answer = &mut answer => {
                    answered = Some(answer.map_err(|_| unreachable(500))?);
                    continue;
                }
                () = tokio::time::sleep_until(silent_until.min(until)) => {
                    let gone = silent_until < until && !ringing;
                    return Err((408, if gone { FailureReason::Unreachable } else { FailureReason::NoAnswer }));
                }
            },
            // On a busy machine both come in one go. What is said of the call after its answer is left to the leg.
            Some(_) => match changes.try_recv() {
                Ok(state @ (DialogState::Calling(_) | DialogState::Trying(_) | DialogState::Early(..))) => state,
                _ => break,
            },
        };
        match state {
            DialogState::Calling(id) if attempted.0.is_none() => {
                let dialog = match (&answered, shared.dialogs.get_dialog(&id)) {
                    (Some((dialog, _)), _) => dialog.clone(),
                    (None, Some(Dialog::Invite(dialog))) => dialog,
                    (None, _) => continue,
                };
                let session = Session::new(shared, dialog, device.address, contact.clone(), local.clone());
                session.describe(&String::from_utf8_lossy(&offer));
                session.begin_exchange();
                attempted.0 = Some(session);
            }
            DialogState::Trying(_) => silent_until = until,
            DialogState::Early(_, early) => {
                silent_until = until;
                let rings = matches!(early.status_code.code(), 180..=183);
                if rings && !std::mem::replace(&mut ringing, true) {
                    let _ = events.send(OutgoingEvent::Ringing).await; // see `Answered`
                }
                if let Some(session) = &attempted.0 {
                    session.take_early(&early);
                    sound.hear(session, &early);
                }
            }
            _ => {}
        }
    }
    let response = answered.and_then(|(_, response)| response);
    response.ok_or(unreachable(408))
}

/// Makes a leg of an answered dialog; one without a usable description is hung up.
async fn answered(
    shared: &Arc<Shared>,
    Accepted { session, response, sockets }: Accepted,
    changes: DialogStateReceiver,
) -> Option<Leg> {
    session.learn(&response);
    session.follow_route(&response);
    session.confirmed.cancel();
    session.end_exchange();
    refresh::take(&session, &response);
    let (events, leg_events) = leg::events();
    shared.spawn(session.clone().follow(changes, events));
    let taken = Remote::parse(&response.body).and_then(|answer| session.take_answer(&answer));
    let leg = session.leg(session.plan.load().codec.rate(), sockets, leg_events);
    match taken {
        Ok(()) => Some(leg),
        // It was said reliably before (RFC 3262, 5).
        Err(_) if response.body.is_empty() && session.is_agreed() => Some(leg),
        Err(error) => {
            debug!(call = session.call_id, %error, "the answer cannot be used");
            leg.hang_up().await;
            None
        }
    }
}

fn option(shared: &Shared, device: &Device, request: &InviteRequest, local: &Local, limits: &Limits) -> InviteOption {
    let mut contact = shared.contact(device.address, device.transport);
    let mut headers = vec![allow(), supported()];
    headers.extend(refresh::ask(limits));
    let (caller, caller_display_name, credential) = match &device.trunk {
        Some(trunk) => {
            contact.auth = Some(trunks::user_of(trunk, shared).as_str().into());
            let mut caller = trunks::account_uri(trunk, shared);
            if let Some(number) = &trunk.number {
                caller.auth = Some(number.as_str().into());
            }
            (caller, None, trunks::credential(trunk))
        }
        None => {
            headers.extend(request.headers.iter().filter_map(|(name, value)| header(name, value)));
            let name = Some(display(&request.from_display)).filter(|name| !name.is_empty());
            (Uri { params: Vec::new(), ..contact.clone() }, name, None)
        }
    };
    // To a `sips:` address only a `sips:` Contact will do (RFC 3261, 8.1.1.8).
    if device.uri.scheme == Some(rsipstack::sip::Scheme::Sips) {
        contact.scheme = Some(rsipstack::sip::Scheme::Sips);
    }
    InviteOption {
        caller_display_name,
        caller,
        callee: device.uri.clone(),
        destination: Some(SipAddr { r#type: Some(stack_transport(device.transport)), addr: device.address.into() }),
        offer: Some(sdp::offer(local).into_bytes()),
        contact,
        credential,
        headers: Some(headers),
        ..InviteOption::default()
    }
}

/// A header of the engine's; `None` for a name that is none, or that the protocol needs for itself.
fn header(name: &str, value: &str) -> Option<Header> {
    let token = |c: char| c.is_ascii_alphanumeric() || "-.!%*_+`'~".contains(c);
    let header = make_header(name, line(value));
    let free = matches!(
        header,
        Header::Other(..)
            | Header::Subject(_)
            | Header::CallInfo(_)
            | Header::AlertInfo(_)
            | Header::UserToUser(_)
            | Header::PAssertedIdentity(_)
            | Header::Priority(_)
    );
    (free && !name.is_empty() && name.chars().all(token)).then_some(header)
}

/// One line of text: nothing in it may begin another header.
fn line(text: &str) -> String {
    let text: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    text[..text.floor_char_boundary(TEXT)].trim().to_owned()
}

/// Text for between quotes.
fn display(text: &str) -> String {
    line(text).replace(['"', '\\'], "'")
}

fn reason(status: u16) -> FailureReason {
    match status {
        486 | 600 => FailureReason::Busy,
        408 | 480 | 487 => FailureReason::NoAnswer,
        403 | 603 => FailureReason::Declined,
        _ => FailureReason::Unreachable,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_text_of_ours_begins_another_header() {
        assert_eq!(line("a\r\nContact: <sip:evil>"), "a  Contact: <sip:evil>");
        assert_eq!(display("say \"hi\" \\ \u{7}"), "say 'hi' '");
        assert_eq!(line(&"x".repeat(1_000)).len(), TEXT);
        assert!(
            header("X-Frontdesk-Summary", "账单查询\n")
                .is_some_and(|h| h.to_string() == "X-Frontdesk-Summary: 账单查询")
        );
        for name in ["", "Via", "v", "Contact", "Content-Length", "Route", "X-A: b\r\nVia", "From"] {
            assert!(header(name, "x").is_none(), "{name}");
        }
    }
}

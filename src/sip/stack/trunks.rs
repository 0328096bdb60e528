//! Trunks at work: one task each does what its [`Trunk`] says. Here it meets DNS, the stack and the clock.

use std::collections::{BTreeMap, HashMap};
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use rsipstack::dialog::authenticate::Credential;
use rsipstack::sip::headers::{self, CallId};
use rsipstack::sip::{
    Header, HeadersExt, HostWithPort, Method, Response, Scheme, StatusCode, StatusCodeKind, Uri, typed,
};
use tokio_util::sync::CancellationToken;
use tracing::{debug, info, warn};

use super::super::settings::TrunkSettings;
use super::super::targets::Target;
use super::super::trunk::{Refusal, State, Task, Trunk};
use super::Shared;
use super::ask::{Question, ask};

/// A domain's records are asked for again after this long, though nothing failed.
const LOOK_AGAIN: Duration = Duration::from_secs(600);
/// What a shutdown waits for trunks to take note of it.
pub(super) const GOODBYE: Duration = Duration::from_secs(2);

/// How a trunk is, for an operator.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrunkStatus {
    pub name: String,
    pub state: State,
    /// The final status of the last REGISTER; none before the first, or when nobody answered it.
    pub last_status: Option<u16>,
    /// Servers known.
    pub servers: usize,
    /// Those of them that asked to be left alone for now (503 with Retry-After).
    pub resting: usize,
}

#[derive(Default)]
pub(super) struct Trunks {
    running: Mutex<BTreeMap<String, Running>>,
}

struct Running {
    settings: Arc<TrunkSettings>,
    trunk: Trunk,
    last_status: Option<u16>,
    said: State,
    stop: CancellationToken,
    gone: CancellationToken,
}

/// What a call out by a trunk needs.
pub(super) struct Line {
    pub settings: Arc<TrunkSettings>,
    pub ways: Vec<Target>,
}

impl Trunks {
    fn running(&self) -> MutexGuard<'_, BTreeMap<String, Running>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner) // no method of it can stop half way
    }

    pub fn line(&self, name: &str) -> Option<Line> {
        let running = self.running();
        let one = running.get(name)?;
        Some(Line { settings: one.settings.clone(), ways: one.trunk.ways(Instant::now()) })
    }

    pub fn statuses(&self) -> Vec<TrunkStatus> {
        let now = Instant::now();
        let status = |(name, one): (&String, &Running)| TrunkStatus {
            name: name.clone(),
            state: one.trunk.state(now),
            last_status: one.last_status,
            servers: one.trunk.servers().count(),
            resting: one.trunk.resting(now),
        };
        self.running().iter().map(status).collect()
    }

    fn with<T>(&self, name: &str, act: impl FnOnce(&mut Running) -> T) -> Option<T> {
        self.running().get_mut(name).map(act)
    }

    /// Takes note of a server that wants to be left alone (RFC 3261, 21.5.4).
    fn heed(&self, name: &str, target: Target, answer: &Response) {
        if let Some(seconds) = rest(answer) {
            self.with(name, |one| one.trunk.rests(Instant::now(), target, seconds));
        }
    }

    /// Addresses of trunks that have no list of their own.
    fn addresses(&self) -> HashMap<IpAddr, String> {
        let running = self.running();
        let without = running.iter().filter(|(_, one)| one.settings.allow.is_empty());
        without
            .flat_map(|(name, one)| one.trunk.servers().map(|at| (at.address.ip().to_canonical(), name.clone())))
            .collect()
    }
}

/// Starts what is new, ends what is gone, leaves alone what stays as it was.
pub(super) fn set(shared: &Arc<Shared>, wanted: &[TrunkSettings]) {
    let mut running = shared.trunks.running();
    let mut leaving = BTreeMap::new();
    running.retain(|name, one| {
        let stays = wanted.contains(&one.settings);
        if !stays {
            one.stop.cancel();
            leaving.insert(name.clone(), one.gone.clone());
        }
        stays
    });
    for settings in wanted {
        if running.contains_key(&settings.name) {
            continue;
        }
        let settings = Arc::new(settings.clone());
        let (stop, gone) = (CancellationToken::new(), CancellationToken::new());
        let one = Running {
            settings: settings.clone(),
            trunk: Trunk::new(Instant::now(), settings.register, settings.keep_alive),
            last_status: None,
            said: State::Starting,
            stop: stop.clone(),
            gone: gone.clone(),
        };
        running.insert(settings.name.clone(), one);
        // A late goodbye of its forerunner would take the new registration with it.
        let forerunner = leaving.remove(&settings.name);
        let work = work(shared.clone(), settings, stop);
        shared.spawn(async move {
            if let Some(forerunner) = forerunner {
                let _ = tokio::time::timeout(GOODBYE, forerunner.cancelled()).await; // it may have nobody to tell
            }
            work.await;
            gone.cancel();
        });
    }
    drop(running);
    shared.door.trunks_are_at(shared.trunks.addresses());
}

/// Unregisters everywhere, within [`GOODBYE`].
pub(super) async fn leave(shared: &Arc<Shared>) {
    let gone: Vec<_> = shared.trunks.running().values().map(|one| (one.stop.clone(), one.gone.clone())).collect();
    for (stop, _) in &gone {
        stop.cancel();
    }
    let all = async {
        for (_, gone) in &gone {
            gone.cancelled().await;
        }
    };
    let _ = tokio::time::timeout(GOODBYE, all).await; // who does not answer finds out by itself
}

async fn work(shared: Arc<Shared>, settings: Arc<TrunkSettings>, stop: CancellationToken) {
    let mut account = Account::new(&settings);
    let name = &settings.name;
    while let Some((at, task)) = shared.trunks.with(name, |one| one.trunk.next()) {
        tokio::select! {
            () = tokio::time::sleep_until(at.into()) => {}
            () = stop.cancelled() => break,
        }
        // The server may have asked for rest meanwhile.
        if shared.trunks.with(name, |one| one.trunk.next()) != Some((at, task)) {
            continue;
        }
        tokio::select! {
            () = perform(&shared, &mut account, task) => {}
            () = stop.cancelled() => break,
        }
        say(&shared, name);
    }
    // A changed trunk of this name may run by now: what is known of the old one is with its account.
    if let Some(home) = account.home.take() {
        account.register(&shared, home, 0).await;
    }
}

async fn perform(shared: &Arc<Shared>, account: &mut Account, task: Task) {
    let settings = account.settings.clone();
    let name = settings.name.as_str();
    match task {
        Task::Lookup => {
            let found = shared.dns.targets(&settings.host, settings.port, settings.transport).await;
            shared.trunks.with(name, |one| match found.is_empty() {
                true => one.trunk.not_found(Instant::now(), rand::random()),
                false => one.trunk.found(Instant::now(), found, LOOK_AGAIN),
            });
            shared.door.trunks_are_at(shared.trunks.addresses());
        }
        Task::Register(target, seconds) => {
            let answer = account.register(shared, target, seconds).await;
            let status = answer.as_ref().map(|answer| answer.status_code.code());
            let granted = answer.as_ref().filter(|answer| answer.status_code.kind() == StatusCodeKind::Successful);
            let granted = granted.map(|answer| granted_seconds(answer, &account.contact, seconds));
            account.home = granted.map(|_| target).or(account.home.filter(|home| *home != target));
            let least = answer.as_ref().and_then(min_expires);
            if let Some(answer) = &answer {
                shared.trunks.heed(name, target, answer);
            }
            shared.trunks.with(name, |one| {
                one.last_status = status;
                match granted {
                    Some(granted) => one.trunk.registered(Instant::now(), target, granted),
                    None => one.trunk.refused(Instant::now(), target, Refusal::of(status, least), rand::random()),
                }
            });
            if granted.is_none() {
                warn!(trunk = name, ?status, "a registration was refused or not answered");
            }
        }
        Task::Probe(target) => {
            let alive = account.probe(shared, target).await;
            shared.trunks.with(name, |one| match alive {
                true => one.trunk.answered(Instant::now(), target),
                false => one.trunk.missed(Instant::now(), target),
            });
        }
    }
}

/// Logs a change of state, once.
fn say(shared: &Shared, name: &str) {
    let now = Instant::now();
    let change = shared.trunks.with(name, |one| {
        let state = one.trunk.state(now);
        let before = std::mem::replace(&mut one.said, state);
        (before != state).then_some(state)
    });
    match change.flatten() {
        Some(State::Down) => warn!(trunk = name, "the trunk is down"),
        Some(state) => info!(trunk = name, state = state.name(), "the trunk's state changed"),
        None => {}
    }
}

/// Our account at a trunk, and the identity of its registration (RFC 3261, 10.2: one Call-ID, a rising CSeq).
struct Account {
    settings: Arc<TrunkSettings>,
    credential: Option<Credential>,
    call_id: CallId,
    sequence: u32,
    contact: String,
    home: Option<Target>,
}

impl Account {
    fn new(settings: &Arc<TrunkSettings>) -> Self {
        let call_id = format!("{:032x}", rand::random::<u128>());
        Self {
            settings: settings.clone(),
            credential: credential(settings),
            call_id: CallId::new(call_id),
            sequence: 0,
            contact: String::new(),
            home: None,
        }
    }

    async fn register(&mut self, shared: &Arc<Shared>, target: Target, seconds: u32) -> Option<Response> {
        let mut contact = shared.contact(target.address, target.transport);
        contact.auth = Some(user_of(&self.settings, shared).as_str().into());
        self.contact = contact.to_string();
        let ours = account_uri(&self.settings, shared);
        let question = Question {
            method: Method::Register,
            uri: Uri { auth: None, ..ours.clone() },
            target,
            server: Some(&self.settings.host),
            from: ours.clone(),
            to: ours,
            headers: vec![
                Header::Contact(headers::Contact::new(format!("<{}>", self.contact))),
                Header::Expires(headers::Expires::new(seconds.to_string())),
            ],
            credential: self.credential.as_ref(),
            call_id: Some(self.call_id.clone()),
        };
        ask(shared, question, &mut self.sequence).await
    }

    /// Whether a server answers; what it answers does not matter, unless it says that it can do nothing.
    async fn probe(&self, shared: &Arc<Shared>, target: Target) -> bool {
        let ours = account_uri(&self.settings, shared);
        let question = Question {
            method: Method::Options,
            uri: Uri { auth: None, ..ours.clone() },
            target,
            server: Some(&self.settings.host),
            from: ours.clone(),
            to: Uri { auth: None, ..ours },
            headers: Vec::new(),
            credential: None,
            call_id: None,
        };
        let answer = ask(shared, question, &mut 0).await;
        if let Some(answer) = &answer {
            shared.trunks.heed(&self.settings.name, target, answer);
        }
        let status = answer.map(|answer| answer.status_code.code());
        debug!(trunk = self.settings.name, ?status, "a server was asked whether it is there");
        status.is_some_and(|status| !matches!(status, 408 | 503))
    }
}

/// What proves us to a trunk.
pub(super) fn credential(settings: &TrunkSettings) -> Option<Credential> {
    let username = settings.user.clone()?;
    Some(Credential { username, password: settings.password.clone(), ..Credential::default() })
}

/// Under which user part a trunk knows us.
pub(super) fn user_of(settings: &TrunkSettings, shared: &Shared) -> String {
    settings.user.clone().unwrap_or_else(|| shared.settings.load().user.clone())
}

/// `sip:user@host` of our account.
pub(super) fn account_uri(settings: &TrunkSettings, shared: &Shared) -> Uri {
    Uri {
        scheme: Some(Scheme::Sip),
        auth: Some(user_of(settings, shared).as_str().into()),
        host_with_port: host(settings),
        ..Uri::default()
    }
}

/// The trunk's domain, with its port where one was configured.
pub(super) fn host(settings: &TrunkSettings) -> HostWithPort {
    let bare = settings.host.trim_matches(['[', ']']);
    let host = match bare.parse::<IpAddr>() {
        Ok(ip) => ip.into(),
        Err(_) => rsipstack::sip::Domain::from(bare).into(),
    };
    HostWithPort { host, port: settings.port.map(Into::into) }
}

/// Seconds granted to our own contact among those in a 200 (RFC 3261, 10.3), else to all of them.
fn granted_seconds(answer: &Response, ours: &str, wished: u32) -> u32 {
    let mut contacts = Vec::new();
    for line in answer.contact_headers() {
        contacts.extend(typed::Contact::parse_header_list(headers::UntypedHeader::value(line)).unwrap_or_default());
    }
    let own = contacts.iter().find(|contact| contact.uri.to_string() == ours).or(match contacts.as_slice() {
        [only] => Some(only),
        _ => None,
    });
    let general = || answer.expires_header().and_then(|expires| expires.value().trim().parse().ok());
    own.and_then(typed::Contact::expires).or_else(general).unwrap_or(wished)
}

/// A trunk's server refused a call: one that wants to be left alone is, by calls.
pub(super) fn call_refused(shared: &Shared, name: &str, target: Target, answer: &Response) {
    if let Some(seconds) = rest(answer) {
        shared.trunks.with(name, |one| one.trunk.takes_no_calls(Instant::now(), target, seconds));
        say(shared, name);
    }
}

/// For how long a 503 asks to be left alone: `Retry-After: 120 (maintenance);duration=60`.
fn rest(answer: &Response) -> Option<u32> {
    if answer.status_code != StatusCode::ServiceUnavailable {
        return None;
    }
    answer.headers.iter().find_map(|header| match header {
        Header::RetryAfter(after) => {
            let value = after.value().trim();
            let digits = value.find(|c: char| !c.is_ascii_digit()).unwrap_or(value.len());
            (digits > 0).then(|| value[..digits].parse().unwrap_or(u32::MAX)) // more than that is as good as that
        }
        _ => None,
    })
}

fn min_expires(answer: &Response) -> Option<u32> {
    answer.headers.iter().find_map(|header| match header {
        Header::MinExpires(least) => least.value().trim().parse().ok(),
        _ => None,
    })
}

//! The desk's HTTP API: its doors, locks and sessions. `calls` has what agents do, `staff` what administrators do, `openapi`
//! describes all of it.
//!
//! A request that changes something comes from our own page (`Sec-Fetch-Site`, `Origin`), with the session's cookie
//! (`HttpOnly`, `SameSite=Strict`) and the token that only our page can read. What is refused is logged and counted, without a
//! word of who asked.

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use arc_swap::ArcSwap;
use axum::body::Body;
use axum::extract::{ConnectInfo, FromRequestParts, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Extension, Json, Router};
use chrono::{TimeDelta, Utc};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use tokio::task::JoinHandle;
use tracing::{error, info, warn};

use super::board::Board;
use super::calls::Talks;
use super::password::{self, Passwords};
use super::sessions::{self, Locks, Session, Sessions};
use super::{AgentsHear, Error, Settings, archive, calls, openapi, pages, staff, supervise};
use crate::records::{Archive, Role};
use crate::telemetry::names;
use crate::web::{self, Guard, Limits, Problem, Refused};
use crate::webrtc::{IceServer, Sound};

/// The longest JSON body, bytes: a page of notes.
const BODY: usize = 32 * 1024;
/// The link that is printed at a start without an administrator.
const FIRST_LINK: TimeDelta = TimeDelta::hours(24);
/// Names of accounts are shorter, characters.
const NAME: usize = 65;
const TOKEN: &str = "x-frontdesk-token";

/// The desk's door. Pages lose it when it is dropped.
pub struct Console {
    /// The port that was found, when 0 was asked for.
    pub listening: SocketAddr,
    /// Where the administrator sets a password, when there is none yet.
    pub link: Option<String>,
    shared: Shared,
    task: JoinHandle<()>,
}

/// Says that a page was heard of.
pub type Heard = Box<dyn Fn() + Send + Sync>;

/// What every request holds.
#[derive(Clone)]
pub struct Shared(Arc<Inner>);

pub struct Inner {
    pub settings: Settings,
    /// STUN and TURN servers that pages are told of from now on.
    pub relays: ArcSwap<Vec<IceServer>>,
    pub board: Board,
    pub archive: Archive,
    pub sound: Sound,
    pub passwords: Passwords,
    pub talks: Talks,
    secure: bool,
    sessions: Mutex<Sessions>,
    locks: Mutex<Locks>,
    guard: Mutex<Guard>,
    /// Pages that are open, by their stream: whose, and how to say that they are heard of.
    pub streams: Mutex<HashMap<u64, (String, Heard)>>,
}

impl std::ops::Deref for Shared {
    type Target = Inner;

    fn deref(&self) -> &Inner {
        &self.0
    }
}

impl Console {
    pub async fn start(mut settings: Settings, board: Board, archive: Archive, sound: Sound) -> Result<Self, Error> {
        let server = web::Server::bind(settings.listen, settings.tls.as_ref()).await?;
        let listening = server.listening;
        let scheme = if server.is_secure() { "https" } else { "http" };
        let secret = administrator(&archive).await?;
        let link = secret.map(|secret| format!("{scheme}://{listening}/#welcome={secret}"));
        // Browsers keep a cookie that is marked so to HTTPS, ours or the proxy's.
        let secure = server.is_secure() || !settings.proxies.is_empty();
        let shared = Shared(Arc::new(Inner {
            relays: ArcSwap::from_pointee(std::mem::take(&mut settings.ice_servers)),
            settings,
            board,
            archive,
            sound,
            passwords: Passwords::default(),
            talks: Talks::default(),
            secure,
            sessions: Mutex::default(),
            locks: Mutex::default(),
            guard: Mutex::default(),
            streams: Mutex::default(),
        }));
        let task = tokio::spawn(server.serve(router(shared.clone())));
        Ok(Self { listening, link, shared, task })
    }

    /// Other relays for calls that ring from now on. All else stays as it is.
    pub fn reconfigure(&self, settings: Settings) {
        self.shared.relays.store(Arc::new(settings.ice_servers));
    }
}

impl Drop for Console {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Without an administrator who has a password: the secret of a new link for one.
async fn administrator(archive: &Archive) -> Result<Option<String>, Error> {
    let accounts = archive.accounts().await?;
    let mut administrators = accounts.iter().filter(|account| account.role == Role::Administrator);
    if administrators.clone().any(|account| account.password.is_some()) {
        return Ok(None);
    }
    let name = administrators.next().map_or("admin", |account| &account.name).to_owned();
    archive.put_account(&name, Role::Administrator, None).await?;
    let secret = sessions::secret();
    archive.invite(&name, &sessions::digest(&secret), Utc::now() + FIRST_LINK).await?;
    Ok(Some(secret))
}

fn router(shared: Shared) -> Router {
    let api = Router::new()
        .route("/api/session", get(session))
        .route("/api/log-in", post(log_in))
        .route("/api/log-out", post(log_out))
        .route("/api/password", post(set_password))
        .route("/api/openapi.json", get(async || Json(openapi::document())))
        .merge(calls::router())
        .merge(supervise::router())
        .merge(staff::router())
        .merge(archive::router())
        .layer(middleware::from_fn_with_state(shared.clone(), guarded));
    let hosts = web::Hosts {
        secure: shared.settings.tls.is_some(),
        names: shared.settings.names.clone(),
        proxies: shared.settings.proxies.clone(),
    };
    web::by_name(web::complete(pages::router().merge(api)).with_state(shared), "console.names", move || hosts.clone())
}

/// Who asks: the address, and the cookie if there is one.
#[derive(Clone)]
struct From {
    address: IpAddr,
    cookie: Option<String>,
}

/// Only our own pages may ask.
async fn guarded(
    State(shared): State<Shared>,
    Extension(ConnectInfo(peer)): Extension<ConnectInfo<SocketAddr>>,
    mut request: Request,
    next: Next,
) -> Response {
    let headers = request.headers();
    let origin = web::text(headers, header::ORIGIN);
    let site = web::text(headers, "sec-fetch-site");
    let reads = matches!(*request.method(), Method::GET | Method::HEAD);
    let allowed = match (origin, site) {
        // The browser's own word; a proxy may have changed the name that was asked.
        (_, Some("same-origin")) => true,
        (Some(origin), None) => web::is_own(origin, headers, request.uri()),
        // Typed in by hand, or no browser: it may read what its cookie may.
        (None, None | Some("none")) => reads,
        _ => false,
    };
    let trusted = |from: IpAddr| shared.settings.proxies.iter().any(|proxy| proxy.contains(&from));
    let address = web::asker(peer.ip(), headers, trusted);
    let cookie = cookie(headers, shared.cookie_name());
    let mut response = match allowed {
        true => {
            request.extensions_mut().insert(From { address, cookie });
            next.run(request).await
        }
        false => refuse("origin", StatusCode::FORBIDDEN, "only our own pages may ask here").into_response(),
    };
    let headers = response.headers_mut();
    web::keep_private(headers);
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    response
}

fn cookie(headers: &HeaderMap, name: &str) -> Option<String> {
    let all = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    let mut pairs = all.flat_map(|text| text.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.find(|(key, _)| *key == name).map(|(_, value)| value.to_owned())
}

/// A refusal, counted and logged without who it was.
pub fn refuse(reason: &'static str, status: StatusCode, detail: &'static str) -> Problem {
    info!(reason, "the desk refuses a request");
    metrics::counter!(names::DESK_REFUSED, "reason" => reason).increment(1);
    Problem::new(status, detail)
}

/// A JSON body.
pub async fn body<T: DeserializeOwned>(headers: &HeaderMap, body: Body) -> Result<T, Problem> {
    web::typed(headers, "application/json")?;
    let text = web::read(body, BODY).await.inspect_err(|problem| {
        if problem.status() == StatusCode::PAYLOAD_TOO_LARGE {
            let _ = refuse("size", problem.status(), "");
        }
    })?;
    serde_json::from_str(&text).map_err(|_| Problem::new(StatusCode::BAD_REQUEST, "not the JSON that is wanted"))
}

pub fn failed(error: &crate::records::Error) -> Problem {
    error!(%error, "the desk's records");
    Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "the records cannot be used now")
}

impl Shared {
    fn sessions(&self) -> MutexGuard<'_, Sessions> {
        self.sessions.lock().unwrap_or_else(PoisonError::into_inner) // a map, never half changed
    }

    fn locks(&self) -> MutexGuard<'_, Locks> {
        self.locks.lock().unwrap_or_else(PoisonError::into_inner) // likewise
    }

    fn cookie_name(&self) -> &'static str {
        if self.secure { "__Host-frontdesk" } else { "frontdesk" }
    }

    fn cookie(&self, value: &str, seconds: u64) -> String {
        let secure = if self.secure { "; Secure" } else { "" };
        format!("{}={value}; Path=/; HttpOnly; SameSite=Strict; Max-Age={seconds}{secure}", self.cookie_name())
    }

    /// Whether the session goes on: a call that its agent has is not cut by its end.
    pub fn is_logged_in(&self, me: &Me) -> bool {
        let (now, mut sessions) = (Instant::now(), self.sessions());
        if me.session.agent.as_ref().is_some_and(|agent| self.board.has_call(agent)) {
            sessions.has_a_call(now, &me.cookie);
        }
        sessions.of(now, &me.cookie).is_some()
    }

    pub fn end_sessions(&self, account: &str) {
        self.sessions().end_all(account);
        self.board.dismiss(account);
    }

    /// Into the trail. What cannot be written down was done all the same.
    pub async fn did(&self, account: &str, did: &str, about: &str) {
        if let Err(error) = self.archive.did(account, did, about).await {
            warn!(%error, "the trail of the desk has a gap");
        }
    }

    /// May this address try (to log in) now?
    fn try_from(&self, address: IpAddr) -> Result<(), Problem> {
        let limits =
            Limits { max_calls: usize::MAX, per_address: usize::MAX, per_minute: self.settings.log_ins_per_minute };
        let mut guard = self.guard.lock().unwrap_or_else(PoisonError::into_inner); // a map, never half changed
        guard.begin(Instant::now(), address, limits).map_err(|why| {
            let seconds = if let Refused::TooFast(seconds) = why { seconds } else { 5 };
            refuse("log_in_rate", StatusCode::TOO_MANY_REQUESTS, "too many tries from here").after(seconds)
        })?;
        guard.end(address);
        Ok(())
    }
}

/// Who is logged in. A request that changes something has proven to be of our page.
pub struct Me {
    session: Session,
    cookie: String,
}

impl Me {
    pub fn name(&self) -> &str {
        &self.session.account
    }

    pub fn agent(&self) -> Result<&str, Problem> {
        let none = || refuse("role", StatusCode::FORBIDDEN, "this account has no desk");
        self.session.agent.as_deref().ok_or_else(none)
    }

    /// The role, without a refusal.
    pub fn role(&self) -> Role {
        self.session.role
    }

    /// At a desk, or in a call that is supervised.
    pub fn may_talk(&self) -> Result<(), Problem> {
        match self.session.role >= Role::Supervisor {
            true => Ok(()),
            false => self.agent().map(drop),
        }
    }

    pub fn at_least(&self, role: Role) -> Result<(), Problem> {
        match self.session.role >= role {
            true => Ok(()),
            false => Err(refuse("role", StatusCode::FORBIDDEN, "this account may not do that")),
        }
    }
}

impl FromRequestParts<Shared> for Me {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, shared: &Shared) -> Result<Self, Problem> {
        let from = parts.extensions.get::<From>();
        let cookie = from.and_then(|from| from.cookie.clone()).unwrap_or_default();
        let session = shared.sessions().of(Instant::now(), &cookie).cloned();
        let session = session.ok_or_else(|| refuse("session", StatusCode::UNAUTHORIZED, "log in first"))?;
        let given = web::text(&parts.headers, TOKEN).unwrap_or_default();
        if !matches!(parts.method, Method::GET | Method::HEAD) && !sessions::is_token(&cookie, given) {
            return Err(refuse("token", StatusCode::FORBIDDEN, "the page's token is missing: load it anew"));
        }
        Ok(Self { session, cookie })
    }
}

/// Who I am, and what pages need to know besides; nobody, for a page whose first question this is.
async fn session(State(shared): State<Shared>, Extension(from): Extension<From>) -> Json<Value> {
    let cookie = from.cookie.unwrap_or_default();
    let session = shared.sessions().of(Instant::now(), &cookie).cloned();
    Json(session.map_or(json!({ "account": null }), |session| who(&shared, &Me { session, cookie })))
}

fn who(shared: &Shared, me: &Me) -> Value {
    let agent = me.session.agent.as_ref().filter(|agent| shared.board.knows(agent));
    json!({
        "account": me.session.account, "role": me.session.role, "agent": agent, "token": sessions::token(&me.cookie),
        "records": me.role() != Role::Agent || (agent.is_some() && shared.settings.agents_hear > AgentsHear::Nothing),
        "dispositions": shared.settings.dispositions, "pauses": shared.settings.pauses,
    })
}

#[derive(Deserialize)]
struct LogIn {
    name: String,
    password: String,
}

async fn log_in(
    State(shared): State<Shared>,
    Extension(from): Extension<From>,
    headers: HeaderMap,
    given: Body,
) -> Result<Response, Problem> {
    shared.try_from(from.address)?; // before anything is read: reading costs, too
    let LogIn { name, password } = body(&headers, given).await?;
    let name: String = name.trim().chars().take(NAME).collect();
    let account = shared.archive.account(&name).await.map_err(|error| failed(&error))?;
    let locks = shared.locks().begin(Instant::now(), &name, account.is_some()).map_err(|seconds| {
        let problem = refuse("locked", StatusCode::TOO_MANY_REQUESTS, "too many wrong passwords: this account waits");
        problem.after(seconds)
    })?;
    let stored = account.as_ref().and_then(|account| account.password.clone());
    let password: String = password.chars().take(password::LONGEST).collect();
    let busy = || refuse("busy", StatusCode::SERVICE_UNAVAILABLE, "too many log-ins at once").after(2);
    let Some(right) = shared.passwords.is(password, stored).await else {
        shared.locks().untried(&name);
        return Err(busy());
    };
    let Some(account) = account.filter(|_| right) else {
        if locks {
            warn!("an account of the desk is locked for a while: too many wrong passwords");
        }
        return Err(refuse("password", StatusCode::UNAUTHORIZED, "name or password is wrong"));
    };
    shared.locks().right(&name);
    let (lasts, role, agent) = (shared.settings.session, account.role, account.agent);
    let cookie = shared.sessions().begin(Instant::now(), lasts, &account.name, role, agent).ok_or_else(busy)?;
    shared.did(&account.name, "log_in", "").await;
    let session = shared.sessions().of(Instant::now(), &cookie).cloned().ok_or_else(busy)?;
    let mut response = Json(who(&shared, &Me { session, cookie: cookie.clone() })).into_response();
    web::insert(
        response.headers_mut(),
        header::SET_COOKIE,
        &shared.cookie(&cookie, (lasts + sessions::OVERTIME).as_secs()),
    );
    Ok(response)
}

async fn log_out(State(shared): State<Shared>, me: Me) -> Response {
    shared.sessions().end(&me.cookie);
    if let Some(agent) = &me.session.agent {
        shared.board.wish(agent, super::Wish::Off);
    }
    shared.board.dismiss(me.name());
    shared.did(me.name(), "log_out", "").await;
    let mut response = StatusCode::NO_CONTENT.into_response();
    web::insert(response.headers_mut(), header::SET_COOKIE, &shared.cookie("", 0));
    response
}

#[derive(Deserialize)]
struct NewPassword {
    /// The secret of a link.
    link: String,
    password: String,
}

async fn set_password(
    State(shared): State<Shared>,
    Extension(from): Extension<From>,
    headers: HeaderMap,
    given: Body,
) -> Result<Json<Value>, Problem> {
    shared.try_from(from.address)?;
    let NewPassword { link, password } = body(&headers, given).await?;
    let void = || refuse("link", StatusCode::FORBIDDEN, "this link is void: it was used, replaced or is too old");
    let digest = sessions::digest(&link);
    let invited = shared.archive.invited(&digest).await.map_err(|error| failed(&error))?;
    let account = invited.ok_or_else(void)?;
    let length = password.chars().count();
    if !(password::SHORTEST..=password::LONGEST).contains(&length) || password.eq_ignore_ascii_case(&account) {
        return Err(Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "a password has 10 letters or more"));
    }
    let busy = || refuse("busy", StatusCode::SERVICE_UNAVAILABLE, "too many log-ins at once").after(2);
    let hash = shared.passwords.hash(password).await.ok_or_else(busy)?;
    let set = shared.archive.accept_invitation(&digest, &hash).await.map_err(|error| failed(&error))?;
    let account = set.ok_or_else(void)?;
    shared.end_sessions(&account);
    shared.locks().right(&account);
    shared.did(&account, "set_password", "").await;
    Ok(Json(json!({ "account": account })))
}

/// How long a silent page is looked after.
pub const PING: Duration = Duration::from_secs(5);

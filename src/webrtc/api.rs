//! Signalling by HTTP: WHIP (RFC 9725) with the sound going both ways, so that its tools can call too. An offer is POSTed to
//! `/call`, the answer comes with the call's own address, where candidates are PATCHed, captions followed and the call is
//! DELETEd. That address is the key to the call: 128 random bits, in no log.

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use arc_swap::ArcSwap;
use axum::body::{Body, to_bytes};
use axum::extract::{ConnectInfo, Path, Query, Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::sse::{KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Extension, Router};
use serde::Deserialize;
use serde_json::json;
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tracing::{debug, info};

use super::call::{Call, Incoming, watch_over};
use super::fragment::{self, Fragment};
use super::guard::{Guard, Limits, Refused};
use super::peer::Maker;
use super::screen::Screen;
use super::{Error, Settings, mux, pages, server};
use crate::telemetry::names;

/// The longest body taken, bytes: Chromium's longest offer of sound is a quarter of it.
const BODY: usize = 32 * 1024;
/// What a body may take to arrive.
const BODY_TIME: Duration = Duration::from_secs(10);
/// After its end a call's events can still be read for this long.
const LINGER: Duration = Duration::from_secs(5);
/// Calls that wait for the engine to look at them.
const BACKLOG: usize = 64;
const SDP: &str = "application/sdp";
const SDP_FRAGMENT: &str = "application/trickle-ice-sdpfrag";

/// Whether a call may come now; else after how many seconds to try again.
pub type Admit = Arc<dyn Fn() -> Result<(), u32> + Send + Sync>;

/// Where browsers' calls come in. They end when it is dropped.
pub struct Door {
    /// Where pages are served, and where sound comes in: the ports that were found, when 0 was asked for.
    pub listening: SocketAddr,
    pub udp: SocketAddr,
    shared: Shared,
    task: JoinHandle<()>,
}

/// What every request holds.
#[derive(Clone)]
pub struct Shared(Arc<Inner>);

struct Inner {
    settings: ArcSwap<Settings>,
    maker: Maker,
    guard: Mutex<Guard>,
    calls: Mutex<HashMap<String, Arc<Call>>>,
    incoming: mpsc::Sender<Incoming>,
    admit: Admit,
}

impl Door {
    pub async fn start(settings: Settings, admit: Admit) -> Result<(Self, mpsc::Receiver<Incoming>), Error> {
        // DTLS's library links a second provider of TLS's ciphers: which one is meant has to be said.
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        let tls = settings.tls.as_ref().map(|(chain, key)| server::tls((chain, key))).transpose()?;
        let address = settings.listen;
        let failed = |source| Error::Listen { address, what: "pages (TCP)", source };
        let listener = TcpListener::bind(address).await.map_err(failed)?;
        let listening = listener.local_addr().map_err(failed)?;
        let (mux, udp) = mux::open(settings.udp).await?;
        let maker = Maker::new(mux, udp.ip(), &settings.external, settings.reconnect)?;
        let (sender, incoming) = mpsc::channel(BACKLOG);
        let shared = Shared(Arc::new(Inner {
            settings: ArcSwap::from_pointee(settings),
            maker,
            guard: Mutex::default(),
            calls: Mutex::default(),
            incoming: sender,
            admit,
        }));
        let task = tokio::spawn(server::serve(listener, tls, router(shared.clone())));
        Ok((Self { listening, udp, shared, task }, incoming))
    }

    /// Other settings for calls that come from now on. Addresses, TLS and the time to reconnect stay as they are.
    pub fn reconfigure(&self, settings: Settings) {
        self.shared.0.settings.store(Arc::new(settings));
    }

    /// Calls from browsers now.
    pub fn calls(&self) -> usize {
        self.shared.calls().values().filter(|call| !call.ended.is_cancelled()).count()
    }
}

impl Drop for Door {
    fn drop(&mut self) {
        self.task.abort();
        for call in self.shared.calls().values() {
            call.ended.cancel();
        }
    }
}

impl Shared {
    pub fn settings(&self) -> Arc<Settings> {
        self.0.settings.load_full()
    }

    fn calls(&self) -> MutexGuard<'_, HashMap<String, Arc<Call>>> {
        self.0.calls.lock().unwrap_or_else(PoisonError::into_inner) // a map, never half changed
    }

    fn guard(&self) -> MutexGuard<'_, Guard> {
        self.0.guard.lock().unwrap_or_else(PoisonError::into_inner) // likewise
    }

    fn call(&self, id: &str) -> Result<Arc<Call>, Problem> {
        self.calls().get(id).cloned().ok_or(Problem::new(StatusCode::NOT_FOUND, "there is no such call (any more)"))
    }
}

fn router(shared: Shared) -> Router {
    let signalling = Router::new()
        .route("/lines", get(pages::lines).options(preflight))
        .route("/call", post(begin).options(preflight))
        .route("/call/{id}", axum::routing::patch(change).delete(end).options(preflight))
        .route("/call/{id}/events", get(events).options(preflight))
        .layer(middleware::from_fn_with_state(shared.clone(), guarded));
    pages::router()
        .merge(signalling)
        .fallback(async || Problem::new(StatusCode::NOT_FOUND, "nothing is here"))
        .method_not_allowed_fallback(async || Problem::new(StatusCode::METHOD_NOT_ALLOWED, "not by this method"))
        .with_state(shared)
}

/// Only pages of ours and of the sites that the operator named may call (RFC 6454, the fetch standard's CORS).
async fn guarded(
    State(shared): State<Shared>,
    Extension(ConnectInfo(peer)): Extension<ConnectInfo<SocketAddr>>,
    mut request: Request,
    next: Next,
) -> Response {
    let settings = shared.settings();
    let headers = request.headers();
    let text = |name: HeaderName| headers.get(name).and_then(|value| value.to_str().ok());
    let origin = text(header::ORIGIN).map(str::to_owned);
    // A browser leaves `Origin` out of a GET to where the page is from, and says so another way.
    let same_site =
        request.method() == Method::GET && text(HeaderName::from_static("sec-fetch-site")) == Some("same-origin");
    let own = |origin: &str| {
        let host = text(header::HOST).or(request.uri().authority().map(|authority| authority.as_str()));
        origin.split_once("://").map(|(_, at)| at) == host
    };
    let named = origin.as_deref().is_some_and(|origin| settings.origins.iter().any(|site| site == origin));
    let allowed = named || origin.as_deref().map_or(same_site, own);
    let forwarded = text(HeaderName::from_static("x-forwarded-for"));
    let trusted = |from: IpAddr| settings.proxies.iter().any(|proxy| proxy.contains(&from));
    let from = server::caller(peer.ip(), forwarded, trusted);
    let mut response = if !allowed {
        refused("origin");
        Problem::new(StatusCode::FORBIDDEN, "this site may not call here: `browser.origins` names those that may")
            .into_response()
    } else {
        let site = origin.as_deref().and_then(|origin| origin.split_once("://")).map(|(_, site)| site.to_owned());
        request.extensions_mut().insert(From { address: from, site: site.unwrap_or_default() });
        next.run(request).await
    };
    let headers = response.headers_mut();
    headers.insert(header::VARY, HeaderValue::from_static("origin"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    if let Some(origin) = origin.filter(|_| named).and_then(|origin| HeaderValue::from_str(&origin).ok()) {
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
        let shown = HeaderValue::from_static("location, link, etag, retry-after");
        headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, shown);
    }
    response
}

/// Who asks.
#[derive(Clone)]
struct From {
    address: IpAddr,
    site: String,
}

/// What other sites' pages may send.
async fn preflight() -> Response {
    let headers = [
        (header::ACCESS_CONTROL_ALLOW_METHODS, "POST, PATCH, DELETE, GET"),
        (header::ACCESS_CONTROL_ALLOW_HEADERS, "content-type, if-match, last-event-id"),
        (header::ACCESS_CONTROL_MAX_AGE, "3600"),
        (HeaderName::from_static("accept-post"), SDP),
    ];
    (StatusCode::NO_CONTENT, headers).into_response()
}

#[derive(Deserialize)]
struct Wish {
    line: Option<String>,
}

async fn begin(
    State(shared): State<Shared>,
    Query(wish): Query<Wish>,
    Extension(from): Extension<From>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    typed(&headers, SDP)?;
    let settings = shared.settings();
    let line = match wish.line.as_deref().filter(|name| !name.is_empty()) {
        Some(name) => settings.lines.iter().find(|line| line.name == name),
        None => settings.lines.first(),
    };
    let Some(line) = line.map(|line| line.name.clone()) else {
        return Err(Problem::new(StatusCode::NOT_FOUND, "browsers may not call this line"));
    };
    (shared.0.admit)().map_err(|seconds| {
        refused("full");
        Problem::new(StatusCode::SERVICE_UNAVAILABLE, "no call can be taken now").after(seconds.into())
    })?;
    let limits = Limits {
        max_calls: settings.max_calls,
        per_address: settings.calls_per_address,
        per_minute: settings.calls_per_minute,
    };
    // Counted before anything is read: reading costs, too.
    let place = Place::take(&shared, from.address, limits)?;
    let offer = read(body).await?;
    fragment::judge(&offer).map_err(|why| Problem::new(StatusCode::BAD_REQUEST, why))?;
    let maker = shared.clone();
    // A task of its own: should the crate panic at an offer, this call is over and no other.
    let answered = tokio::spawn(async move { maker.0.maker.answer(offer).await }).await;
    let (peer, wire, answer) = answered.map_err(|_| Error::Offer("it cannot be answered")).flatten()?;

    let id = format!("{:032x}", rand::random::<u128>());
    let etag = etag(&peer.session().await);
    let ended = CancellationToken::new();
    let call = Arc::new(Call { id, peer, screen: Screen::default(), ended });
    let (events, leg_events) = mpsc::channel(super::call::EVENTS);
    let incoming = Incoming::new(line, from.site, call.clone(), wire, leg_events, settings.reconnect);
    if shared.0.incoming.try_send(incoming).is_err() {
        refused("full");
        call.peer.close().await;
        return Err(Problem::new(StatusCode::SERVICE_UNAVAILABLE, "no call can be taken now").after(5));
    }
    shared.calls().insert(call.id.clone(), call.clone());
    tokio::spawn(look_after(shared.clone(), call.clone(), events, settings.reconnect, place));

    let mut response = (StatusCode::CREATED, answer).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(SDP));
    insert(headers, header::LOCATION, &format!("/call/{}", call.id));
    insert(headers, header::ETAG, &etag);
    headers.insert(HeaderName::from_static("accept-patch"), HeaderValue::from_static(SDP_FRAGMENT));
    links(headers, &settings);
    Ok(response)
}

/// A call's entry lasts a little longer than the call: its page is to read how it ended.
async fn look_after(
    shared: Shared,
    call: Arc<Call>,
    events: mpsc::Sender<crate::sip::LegEvent>,
    grace: Duration,
    place: Place,
) {
    watch_over(call.clone(), events, grace).await;
    drop(place);
    tokio::time::sleep(LINGER).await;
    shared.calls().remove(&call.id);
}

/// STUN and TURN servers (RFC 9725, 4.6).
fn links(headers: &mut HeaderMap, settings: &Settings) {
    for server in &settings.ice_servers {
        let login = server.login(SystemTime::now());
        for url in &server.urls {
            let mut link = format!("<{url}>; rel=\"ice-server\"");
            if let Some((username, password)) = &login {
                link += &format!("; username=\"{username}\"; credential=\"{password}\"; credential-type=\"password\"");
            }
            if let Ok(link) = HeaderValue::from_str(&link) {
                headers.append(header::LINK, link);
            }
        }
    }
}

/// Candidates, or new credentials: ICE begins anew (RFC 9725, 4.4).
async fn change(
    State(shared): State<Shared>,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    typed(&headers, SDP_FRAGMENT)?;
    let call = shared.call(&id)?;
    let text = read(body).await?;
    let fragment =
        Fragment::read(&text).ok_or(Problem::new(StatusCode::BAD_REQUEST, "it is no ICE fragment (RFC 8840)"))?;
    let session = call.peer.session().await;
    let wanted = headers.get(header::IF_MATCH).and_then(|value| value.to_str().ok());
    match wanted {
        Some("*") if fragment.ufrag.is_some() && fragment.password.is_some() => {
            let (task, given) = (call.clone(), fragment.clone());
            let renewed = tokio::spawn(async move { task.peer.restart(&given).await }).await;
            let ours = renewed.map_err(|_| Error::Offer("ICE cannot begin anew with it")).flatten()?;
            debug!("a browser begins ICE anew");
            let mut response = (StatusCode::OK, ours.write()).into_response();
            response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(SDP_FRAGMENT));
            insert(response.headers_mut(), header::ETAG, &etag(&call.peer.session().await));
            Ok(response)
        }
        Some(given) if given != "*" && given != etag(&session) => Err(Error::Stale.into()),
        _ => {
            call.peer.trickle(&fragment).await;
            Ok(StatusCode::NO_CONTENT.into_response())
        }
    }
}

async fn end(State(shared): State<Shared>, Path(id): Path<String>) -> Result<Response, Problem> {
    shared.call(&id)?.ended.cancel();
    Ok(StatusCode::OK.into_response())
}

async fn events(State(shared): State<Shared>, Path(id): Path<String>, headers: HeaderMap) -> Result<Response, Problem> {
    let call = shared.call(&id)?;
    let seen = headers.get("last-event-id").and_then(|seen| seen.to_str().ok()?.parse().ok()).unwrap_or(0);
    Ok(Sse::new(call.screen.follow(seen))
        .keep_alive(KeepAlive::new().interval(Duration::from_secs(15)))
        .into_response())
}

async fn read(body: Body) -> Result<String, Problem> {
    let bytes = tokio::time::timeout(BODY_TIME, to_bytes(body, BODY)).await;
    let bytes = bytes.map_err(|_| Problem::new(StatusCode::REQUEST_TIMEOUT, "the body did not arrive in time"))?;
    let bytes =
        bytes.map_err(|_| Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "the body is too long, or was cut off"))?;
    String::from_utf8(bytes.into()).map_err(|_| Problem::new(StatusCode::BAD_REQUEST, "the body is no UTF-8 text"))
}

fn typed(headers: &HeaderMap, wanted: &'static str) -> Result<(), Problem> {
    let given = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    match given.split(';').next().unwrap_or_default().trim().eq_ignore_ascii_case(wanted) {
        true => Ok(()),
        false => Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, wanted)),
    }
}

fn etag(session: &str) -> String {
    format!("\"{session}\"")
}

fn insert(headers: &mut HeaderMap, name: HeaderName, value: &str) {
    // Letters and digits of our own making.
    if let Ok(value) = HeaderValue::from_str(value) {
        headers.insert(name, value);
    }
}

fn refused(reason: &'static str) {
    info!(reason, "a browser's call is refused");
    metrics::counter!(names::CALLS_REFUSED, "reason" => reason).increment(1);
}

/// A call's place among those that its address may have.
struct Place(Shared, IpAddr);

impl Place {
    fn take(shared: &Shared, address: IpAddr, limits: Limits) -> Result<Self, Problem> {
        let begun = shared.guard().begin(Instant::now(), address, limits);
        begun.map(|()| Self(shared.clone(), address)).map_err(|why| {
            refused(if why == Refused::Full { "full" } else { "flood" });
            match why {
                Refused::Full => Problem::new(StatusCode::SERVICE_UNAVAILABLE, "no call can be taken now").after(5),
                Refused::TooMany => Problem::new(StatusCode::TOO_MANY_REQUESTS, "this address has its calls").after(30),
                Refused::TooFast(seconds) => {
                    Problem::new(StatusCode::TOO_MANY_REQUESTS, "this address calls too often").after(seconds)
                }
            }
        })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.0.guard().end(self.1);
    }
}

/// An error as clients read it (RFC 9457).
struct Problem {
    status: StatusCode,
    detail: &'static str,
    retry_after: Option<u64>,
}

impl Problem {
    fn new(status: StatusCode, detail: &'static str) -> Self {
        Self { status, detail, retry_after: None }
    }

    fn after(self, seconds: u64) -> Self {
        Self { retry_after: Some(seconds), ..self }
    }
}

impl std::convert::From<Error> for Problem {
    fn from(error: Error) -> Self {
        match error {
            Error::Offer(why) => Self::new(StatusCode::BAD_REQUEST, why),
            Error::Stale => Self::new(StatusCode::PRECONDITION_FAILED, "that ICE session is over"),
            _ => Self::new(StatusCode::INTERNAL_SERVER_ERROR, "it could not be done"),
        }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let title = self.status.canonical_reason().unwrap_or_default();
        let body =
            json!({ "type": "about:blank", "title": title, "status": self.status.as_u16(), "detail": self.detail });
        let mut response = (self.status, body.to_string()).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        if let Some(seconds) = self.retry_after {
            insert(headers, header::RETRY_AFTER, &seconds.to_string());
        }
        response
    }
}

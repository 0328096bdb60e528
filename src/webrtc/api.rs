//! Signalling by HTTP: WHIP (RFC 9725) with the sound going both ways, so that its tools can call too. An offer is POSTed to
//! `/call`, the answer comes with the call's own address, where candidates are PATCHed, captions followed and the call is
//! DELETEd. That address is the key to the call: 128 random bits, in no log.

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use arc_swap::ArcSwap;
use axum::body::Body;
use axum::extract::{ConnectInfo, Path, Query, Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::sse::{KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Extension, Router};
use serde::Deserialize;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tracing::info;

use super::call::Incoming;
use super::sound::{SDP, Session, Sound};
use super::{Error, Settings, pages};
use crate::telemetry::names;
use crate::web::{self, Guard, Limits, Problem, Refused, typed};

/// After its end a call's events can still be read for this long.
const LINGER: Duration = Duration::from_secs(5);
/// Calls that wait for the engine to look at them.
const BACKLOG: usize = 64;

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
    sound: Sound,
    guard: Mutex<Guard>,
    calls: Mutex<HashMap<String, Session>>,
    incoming: mpsc::Sender<Incoming>,
    admit: Admit,
}

impl Door {
    pub async fn start(settings: Settings, admit: Admit) -> Result<(Self, mpsc::Receiver<Incoming>), Error> {
        let sound = Sound::open(settings.udp, &settings.external, settings.reconnect).await?;
        Self::start_with(settings, admit, sound).await
    }

    /// As `start`; the sound goes by a socket that is open already.
    pub async fn start_with(
        settings: Settings,
        admit: Admit,
        sound: Sound,
    ) -> Result<(Self, mpsc::Receiver<Incoming>), Error> {
        let server = web::Server::bind(settings.listen, settings.tls.as_ref()).await?;
        let (listening, udp) = (server.listening, sound.udp());
        let (sender, incoming) = mpsc::channel(BACKLOG);
        let shared = Shared(Arc::new(Inner {
            settings: ArcSwap::from_pointee(settings),
            sound,
            guard: Mutex::default(),
            calls: Mutex::default(),
            incoming: sender,
            admit,
        }));
        let task = tokio::spawn(server.serve(router(shared.clone())));
        Ok((Self { listening, udp, shared, task }, incoming))
    }

    /// Other settings for calls that come from now on. Addresses, TLS and the time to reconnect stay as they are.
    pub fn reconfigure(&self, settings: Settings) {
        self.shared.0.settings.store(Arc::new(settings));
    }

    /// Calls from browsers now.
    pub fn calls(&self) -> usize {
        self.shared.calls().values().filter(|call| !call.is_over()).count()
    }
}

impl Drop for Door {
    fn drop(&mut self) {
        self.task.abort();
        for call in self.shared.calls().values() {
            call.end();
        }
    }
}

impl Shared {
    pub fn settings(&self) -> Arc<Settings> {
        self.0.settings.load_full()
    }

    fn calls(&self) -> MutexGuard<'_, HashMap<String, Session>> {
        self.0.calls.lock().unwrap_or_else(PoisonError::into_inner) // a map, never half changed
    }

    fn guard(&self) -> MutexGuard<'_, Guard> {
        self.0.guard.lock().unwrap_or_else(PoisonError::into_inner) // likewise
    }

    fn call(&self, id: &str) -> Result<Session, Problem> {
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
    let pages = web::complete(pages::router().merge(signalling)).with_state(shared.clone());
    web::by_name(pages, "browser.names", move || {
        let settings = shared.settings();
        let (names, proxies) = (settings.names.clone(), settings.proxies.clone());
        web::Hosts { secure: settings.tls.is_some(), names, proxies }
    })
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
    let origin = web::text(headers, header::ORIGIN).map(str::to_owned);
    // A browser leaves `Origin` out of a GET to where the page is from, and says so another way.
    let same_site = request.method() == Method::GET && web::text(headers, "sec-fetch-site") == Some("same-origin");
    let own = |origin: &str| web::is_own(origin, headers, request.uri());
    let named = origin.as_deref().is_some_and(|origin| settings.origins.iter().any(|site| site == origin));
    let allowed = named || origin.as_deref().map_or(same_site, own);
    let trusted = |from: IpAddr| settings.proxies.iter().any(|proxy| proxy.contains(&from));
    let from = web::asker(peer.ip(), headers, trusted);
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
    web::keep_private(headers);
    headers.insert(header::VARY, HeaderValue::from_static("origin"));
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
    let taken = shared.0.sound.take(body, line, from.site).await?;
    if shared.0.incoming.try_send(taken.incoming).is_err() {
        refused("full");
        return Err(Problem::new(StatusCode::SERVICE_UNAVAILABLE, "no call can be taken now").after(5));
    }
    let call = taken.session;
    shared.calls().insert(call.id().to_owned(), call.clone());
    tokio::spawn(look_after(shared.clone(), call.clone(), taken.over, place));
    Ok(call.created(taken.answer, &format!("/call/{}", call.id()), &settings.ice_servers).await)
}

/// A call's entry lasts a little longer than the call: its page is to read how it ended.
async fn look_after(shared: Shared, call: Session, over: JoinHandle<()>, place: Place) {
    let _ = over.await; // a panic of the crate's ends it, too
    drop(place);
    tokio::time::sleep(LINGER).await;
    shared.calls().remove(call.id());
}

/// Candidates, or new credentials.
async fn change(
    State(shared): State<Shared>,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    shared.call(&id)?.change(&headers, body).await
}

async fn end(State(shared): State<Shared>, Path(id): Path<String>) -> Result<Response, Problem> {
    shared.call(&id)?.end();
    Ok(StatusCode::OK.into_response())
}

async fn events(State(shared): State<Shared>, Path(id): Path<String>, headers: HeaderMap) -> Result<Response, Problem> {
    let call = shared.call(&id)?;
    let seen = headers.get("last-event-id").and_then(|seen| seen.to_str().ok()?.parse().ok()).unwrap_or(0);
    Ok(Sse::new(call.screen().follow(seen))
        .keep_alive(KeepAlive::new().interval(Duration::from_secs(15)))
        .into_response())
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

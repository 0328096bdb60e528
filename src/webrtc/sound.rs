//! The sound of pages: offers are taken on the one UDP socket, and each becomes a call with a [`Session`] by which its page
//! changes and ends it (WHIP, RFC 9725). Callers' and agents' pages share it.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use axum::body::Body;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tracing::debug;

use super::call::{Call, EVENTS, Incoming, watch_over};
use super::fragment::{self, Fragment};
use super::peer::Maker;
use super::screen::Screen;
use super::{Error, IceServer, mux};
use crate::web::{Problem, insert, read, text, typed};

/// The longest body taken, bytes: Chromium's longest offer of sound is a quarter of it.
pub const BODY: usize = 32 * 1024;
pub const SDP: &str = "application/sdp";
const SDP_FRAGMENT: &str = "application/trickle-ice-sdpfrag";

/// Cheap to clone.
#[derive(Clone)]
pub struct Sound(Arc<Inner>);

struct Inner {
    maker: Maker,
    udp: SocketAddr,
    reconnect: Duration,
}

/// An offer that was answered.
pub struct Taken {
    pub incoming: Incoming,
    pub session: Session,
    /// Our answer (SDP), for [`Session::created`].
    pub answer: String,
    /// Ends when the call has.
    pub over: JoinHandle<()>,
}

/// A page's end of a call.
#[derive(Clone)]
pub struct Session(Arc<Call>);

impl Sound {
    /// Opens the socket `udp`. `external` addresses are named in place of this machine's, one of a family at most; a page
    /// whose network is gone is waited for as long as `reconnect`.
    pub async fn open(udp: SocketAddr, external: &[IpAddr], reconnect: Duration) -> Result<Self, Error> {
        // DTLS's library links a second provider of TLS's ciphers: which one is meant has to be said.
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        let (mux, udp) = mux::open(udp).await?;
        let maker = Maker::new(mux, udp.ip(), external, reconnect)?;
        Ok(Self(Arc::new(Inner { maker, udp, reconnect })))
    }

    /// Where it comes in: the port that was found, when 0 was asked for.
    pub fn udp(&self) -> SocketAddr {
        self.0.udp
    }

    /// Reads an offer and answers it; `line` and `site` are for the call.
    pub async fn take(&self, body: Body, line: String, site: String) -> Result<Taken, Problem> {
        self.take_within(body, line, site, self.0.reconnect).await
    }

    /// As `take`; a page whose network is gone is waited for this long.
    pub async fn take_within(
        &self,
        body: Body,
        line: String,
        site: String,
        reconnect: Duration,
    ) -> Result<Taken, Problem> {
        let offer = read(body, BODY).await?;
        fragment::judge(&offer).map_err(|why| Problem::new(StatusCode::BAD_REQUEST, why))?;
        let maker = self.0.clone();
        // A task of its own: should the crate panic at an offer, this call is over and no other.
        let answered = tokio::spawn(async move { maker.maker.answer(offer).await }).await;
        let (peer, wire, answer) = answered.map_err(|_| Error::Offer("it cannot be answered")).flatten()?;
        let id = format!("{:032x}", rand::random::<u128>());
        let call = Arc::new(Call { id, peer, screen: Screen::default(), ended: CancellationToken::new() });
        let (events, leg_events) = mpsc::channel(EVENTS);
        let incoming = Incoming::new(line, site, call.clone(), wire, leg_events, reconnect);
        let over = tokio::spawn(watch_over(call.clone(), events, reconnect));
        Ok(Taken { incoming, session: Session(call), answer, over })
    }
}

impl Session {
    /// The key to the call: 128 random bits, for no log.
    pub fn id(&self) -> &str {
        &self.0.id
    }

    pub fn screen(&self) -> &Screen {
        &self.0.screen
    }

    pub fn is_over(&self) -> bool {
        self.0.ended.is_cancelled()
    }

    pub fn end(&self) {
        self.0.ended.cancel();
    }

    /// What the page gets for its offer; `path` is where its session is changed and ended.
    pub async fn created(&self, answer: String, path: &str, servers: &[IceServer]) -> Response {
        let mut response = (StatusCode::CREATED, answer).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(SDP));
        insert(headers, header::LOCATION, path);
        insert(headers, header::ETAG, &self.etag().await);
        headers.insert(HeaderName::from_static("accept-patch"), HeaderValue::from_static(SDP_FRAGMENT));
        links(headers, servers);
        response
    }

    /// Candidates, or new credentials: ICE begins anew (RFC 9725, 4.4).
    pub async fn change(&self, headers: &HeaderMap, body: Body) -> Result<Response, Problem> {
        typed(headers, SDP_FRAGMENT)?;
        let given = read(body, BODY).await?;
        let fragment =
            Fragment::read(&given).ok_or(Problem::new(StatusCode::BAD_REQUEST, "it is no ICE fragment (RFC 8840)"))?;
        match text(headers, header::IF_MATCH) {
            Some("*") if fragment.ufrag.is_some() && fragment.password.is_some() => {
                let (task, given) = (self.0.clone(), fragment.clone());
                let renewed = tokio::spawn(async move { task.peer.restart(&given).await }).await;
                let ours = renewed.map_err(|_| Error::Offer("ICE cannot begin anew with it")).flatten()?;
                debug!("a browser begins ICE anew");
                let mut response = (StatusCode::OK, ours.write()).into_response();
                response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(SDP_FRAGMENT));
                insert(response.headers_mut(), header::ETAG, &self.etag().await);
                Ok(response)
            }
            Some(given) if given != "*" && given != self.etag().await => Err(Error::Stale.into()),
            _ => {
                self.0.peer.trickle(&fragment).await;
                Ok(StatusCode::NO_CONTENT.into_response())
            }
        }
    }

    async fn etag(&self) -> String {
        format!("\"{}\"", self.0.peer.session().await)
    }
}

/// STUN and TURN servers (RFC 9725, 4.6).
fn links(headers: &mut HeaderMap, servers: &[IceServer]) {
    for server in servers {
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

impl std::convert::From<Error> for Problem {
    fn from(error: Error) -> Self {
        match error {
            Error::Offer(why) => Self::new(StatusCode::BAD_REQUEST, why),
            Error::Stale => Self::new(StatusCode::PRECONDITION_FAILED, "that ICE session is over"),
            _ => Self::new(StatusCode::INTERNAL_SERVER_ERROR, "it could not be done"),
        }
    }
}

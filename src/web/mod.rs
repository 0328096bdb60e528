//! HTTP to strangers, for every page that we serve: a bounded server with TLS (`server`), how much one address may ask for
//! (`guard`), by which names (`hosts`), bodies that are bounded in size and time, files from the binary, refusals as problem details (RFC 9457), and
//! messages between servers that prove who sent them (`signature`). Knows nothing of calls.

mod guard;
mod hosts;
mod problem;
mod server;
pub mod signature;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};

pub use guard::{Guard, Limits, Refused, network};
pub use hosts::{Hosts, by_name};
pub use problem::Problem;
pub use server::{Server, asker};

/// What a body may take to arrive.
const BODY_TIME: Duration = Duration::from_secs(10);

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("cannot listen on {address} for pages (TCP): {source}")]
    Listen { address: SocketAddr, source: std::io::Error },
    #[error("TLS for browsers: {0}")]
    Tls(String),
}

/// Files of a certificate chain and of its key, PEM.
pub type Certificate = (PathBuf, PathBuf);

/// A body as text, of `most` bytes at most.
pub async fn read(body: Body, most: usize) -> Result<String, Problem> {
    let bytes = tokio::time::timeout(BODY_TIME, to_bytes(body, most)).await;
    let bytes = bytes.map_err(|_| Problem::new(StatusCode::REQUEST_TIMEOUT, "the body did not arrive in time"))?;
    let bytes =
        bytes.map_err(|_| Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "the body is too long, or was cut off"))?;
    String::from_utf8(bytes.into()).map_err(|_| Problem::new(StatusCode::BAD_REQUEST, "the body is no UTF-8 text"))
}

/// A router of pages, complete: what is not there, or not by this method, is answered as a problem.
pub fn complete<S: Clone + Send + Sync + 'static>(router: Router<S>) -> Router<S> {
    router
        .fallback(async || Problem::new(StatusCode::NOT_FOUND, "nothing is here"))
        .method_not_allowed_fallback(async || Problem::new(StatusCode::METHOD_NOT_ALLOWED, "not by this method"))
}

/// Whether an origin (RFC 6454) is the very host that was asked.
pub fn is_own(origin: &str, headers: &HeaderMap, uri: &Uri) -> bool {
    let host = text(headers, header::HOST).or(uri.authority().map(|authority| authority.as_str()));
    host.is_some() && origin.split_once("://").map(|(_, at)| at) == host
}

/// Headers of an answer that is nobody's to keep, nor anything but what it says it is.
pub fn keep_private(headers: &mut HeaderMap) {
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
}

/// The body must be of this type.
pub fn typed(headers: &HeaderMap, wanted: &'static str) -> Result<(), Problem> {
    let given = text(headers, header::CONTENT_TYPE).unwrap_or_default();
    match given.split(';').next().unwrap_or_default().trim().eq_ignore_ascii_case(wanted) {
        true => Ok(()),
        false => Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, wanted)),
    }
}

/// A header's text, where it has one.
pub fn text(headers: &HeaderMap, name: impl header::AsHeaderName) -> Option<&str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

/// Sets a header to letters and digits of our own making.
pub fn insert(headers: &mut HeaderMap, name: HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        headers.insert(name, value);
    }
}

/// A page, script or picture of ours: it runs our scripts alone, talks to us alone, and is shown in nobody's frame.
pub fn file(kind: &'static str, content: &'static str) -> Response {
    const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; media-src 'self'; \
        connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
    let mut response = ([(header::CONTENT_TYPE, kind)], content).into_response();
    for (name, value) in [
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::CACHE_CONTROL, "no-cache"),
        (HeaderName::from_static("permissions-policy"), "microphone=(self), camera=(), geolocation=()"),
        (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    ] {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response
}

//! The call page, and the script that puts the same call into any site. From the binary; nothing is fetched from elsewhere.

use axum::extract::State;
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use serde_json::json;

use super::api::Shared;

const PAGE: &str = include_str!("page/index.html");
const STYLE: &str = include_str!("page/page.css");
const SCRIPT: &str = include_str!("page/frontdesk.js");
const ICON: &str = include_str!("page/icon.svg");

/// The page runs our script alone, talks to us alone, and is shown in nobody's frame.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; \
    base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

pub fn router() -> Router<Shared> {
    Router::new()
        .route("/", get(async || file("text/html; charset=utf-8", PAGE)))
        .route("/page.css", get(async || file("text/css; charset=utf-8", STYLE)))
        .route("/icon.svg", get(async || file("image/svg+xml", ICON)))
        .route("/frontdesk.js", get(script))
}

fn file(kind: &'static str, content: &'static str) -> Response {
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

/// Other sites may show it: that they may call is another matter.
async fn script() -> Response {
    let mut response = file("text/javascript; charset=utf-8", SCRIPT);
    let name = HeaderName::from_static("cross-origin-resource-policy");
    response.headers_mut().insert(name, HeaderValue::from_static("cross-origin"));
    response
}

/// What may be called, the first by default.
pub async fn lines(State(shared): State<Shared>) -> Response {
    let lines: Vec<_> =
        shared.settings().lines.iter().map(|line| json!({ "line": line.name, "language": line.language })).collect();
    (StatusCode::OK, [(header::CACHE_CONTROL, "no-cache")], Json(json!({ "lines": lines }))).into_response()
}

//! The call page, and the script that puts the same call into any site. From the binary; nothing is fetched from elsewhere.

use axum::extract::State;
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use serde_json::json;

use super::api::Shared;
use crate::web::file;

const PAGE: &str = include_str!("page/index.html");
const STYLE: &str = include_str!("page/page.css");
/// With what the desk's page does too, in a function of its own: other sites' pages keep their names.
const SCRIPT: &str = concat!("(() => {\n", include_str!("page/ice.js"), include_str!("page/frontdesk.js"), "})();\n");
const ICON: &str = include_str!("page/icon.svg");

pub fn router() -> Router<Shared> {
    Router::new()
        .route("/", get(async || file("text/html; charset=utf-8", PAGE)))
        .route("/page.css", get(async || file("text/css; charset=utf-8", STYLE)))
        .route("/icon.svg", get(async || file("image/svg+xml", ICON)))
        .route("/frontdesk.js", get(script))
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

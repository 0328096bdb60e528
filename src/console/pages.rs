//! The pages: plain files from the binary; nothing is fetched from elsewhere.

use axum::Router;
use axum::routing::get;

use super::api::Shared;
use crate::web::file;

const JS: &str = "text/javascript; charset=utf-8";
/// With what the call page does too.
const SOUND: &str = concat!(include_str!("../webrtc/page/ice.js"), include_str!("page/sound.js"));

pub fn router() -> Router<Shared> {
    Router::new()
        .route("/", get(async || file("text/html; charset=utf-8", include_str!("page/index.html"))))
        .route("/console.css", get(async || file("text/css; charset=utf-8", include_str!("page/console.css"))))
        .route("/icon.svg", get(async || file("image/svg+xml", include_str!("../webrtc/page/icon.svg"))))
        .route("/console.js", get(async || file(JS, include_str!("page/console.js"))))
        .route("/words.js", get(async || file(JS, include_str!("page/words.js"))))
        .route("/parts.js", get(async || file(JS, include_str!("page/parts.js"))))
        .route("/sound.js", get(async || file(JS, SOUND)))
        .route("/desk.js", get(async || file(JS, include_str!("page/desk.js"))))
        .route("/wall.js", get(async || file(JS, include_str!("page/wall.js"))))
        .route("/supervise.js", get(async || file(JS, include_str!("page/supervise.js"))))
        .route("/records.js", get(async || file(JS, include_str!("page/records.js"))))
        .route("/staff.js", get(async || file(JS, include_str!("page/staff.js"))))
}

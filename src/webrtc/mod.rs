//! Callers in a browser: a page (or any site's, by one script tag) calls by WebRTC, and the call is one like any other.
//!
//! [`Door`] is the whole face: it serves the page, takes offers by HTTP (WHIP, RFC 9725) and hands out [`Incoming`] calls,
//! whose [`Leg`] has the same [`crate::media::Port`] as a telephone's: the RTP port of `sip`, on another wire. ICE, DTLS and SRTP
//! are done by the crate `webrtc`, which only `peer`, `mux` and `track` touch. `docs/webrtc.md` lists what is supported, by
//! RFC and test.

mod api;
mod call;
mod fragment;
mod mux;
mod pages;
mod peer;
mod screen;
mod settings;
mod sound;
mod track;
mod wire;

pub use api::{Admit, Door};
pub use call::{Incoming, Leg};
pub use screen::{Screen, Stage, Who};
pub use settings::{Credential, IceServer, LineChoice, Settings};
pub use sound::{SDP, Session, Sound, Taken};

/// What can go wrong, for the operator. Never names a caller.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("cannot listen on {address} for browsers' sound (UDP): {source}")]
    Listen { address: std::net::SocketAddr, source: std::io::Error },
    #[error(transparent)]
    Web(#[from] crate::web::Error),
    #[error("the caller gave up before the call was answered")]
    Cancelled,
    #[error("the page's description of its sound cannot be used: {0}")]
    Offer(&'static str),
    #[error("the call has no such ICE session any more")]
    Stale,
    #[error("WebRTC: {0}")]
    Stack(&'static str),
}

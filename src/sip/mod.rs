//! The telephone side: phones register here, calls come in and go out, sound flows by RTP.
//!
//! [`Endpoint`] is the whole face; a [`Leg`] is one answered call whose sound is a [`crate::media::Port`].
//! Signalling is done by `rsipstack`, which only `stack/` touches; what it lacks is beside it: the registrar and
//! its digest, session descriptions, RTP. `docs/sip.md` lists what is supported, by RFC and test.
//!
//! rsipstack writes whole messages to the log at level info and below: a subscriber must hold it to
//! [`LOG_DIRECTIVE`], whatever else is asked for.

mod digest;
mod gate;
mod identity;
mod latch;
mod plan;
mod ports;
mod registrar;
mod rtcp;
mod rtp;
mod rtp_port;
mod sdes;
mod sdp;
mod session_timer;
mod settings;
pub mod srtp;
mod stack;
mod targets;
mod trunk;
mod wire;

pub use digest::Algorithm;
pub use gate::Limits;
pub use identity::Identity;
pub use registrar::{Registration, Transport};
pub use sdp::{Preferences, Srtp};
pub use session_timer::Limits as SessionTimer;
pub use settings::{InbandKeys, PhoneAccount, Settings, TlsSettings, TrunkSettings};
pub use stack::{
    Counts, Early, Endpoint, FailureReason, Incoming, InviteRequest, Leg, LegControl, LegEvent, Outgoing,
    OutgoingEvent, Replaces, Target, TransferRequest, TrunkStatus, way_to,
};
pub use trunk::State as TrunkState;
// What a browser's call shares with a telephone's.
pub(crate) use plan::Plan;
pub(crate) use rtp::{Packet as RtpPacket, write_header};
pub(crate) use rtp_port::RtpPort;
pub(crate) use wire::Wire;

/// For `EnvFilter`: below `warn` the SIP stack logs numbers, names and addresses of callers.
pub const LOG_DIRECTIVE: &str = "rsipstack=warn";

/// What can go wrong, for the operator. Never names a caller.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("cannot listen on {address} ({transport}): {source}; {}", remedy(source))]
    Listen { address: std::net::SocketAddr, transport: &'static str, source: std::io::Error },
    #[error("no address to listen on is configured")]
    NoAddress,
    #[error("TLS: {0}")]
    Tls(String),
    #[error("no pair of ports for sound is free ({0}); widen `rtp_ports`")]
    RtpPorts(std::io::Error),
    #[error("that phone is not registered")]
    NotRegistered,
    #[error("there is no trunk {0:?}, or nobody told yet where its servers are")]
    Trunk(String),
    #[error("not a SIP address that can be called")]
    Uri,
    #[error("the host {host:?} has no address that can be reached from here{}", because(source))]
    Host { host: String, source: Option<std::io::Error> },
    #[error("the caller gave up before the call was answered")]
    Cancelled,
    #[error("the peer's description of its sound cannot be used: {0}")]
    Description(String),
    #[error("the telephone side is shutting down")]
    Closing,
    #[error("the SIP stack refused: {0}")]
    Stack(&'static str),
}

fn remedy(error: &std::io::Error) -> &'static str {
    match error.kind() {
        std::io::ErrorKind::AddrInUse => "another program has this port: stop it or configure another",
        std::io::ErrorKind::AddrNotAvailable => "this computer has no such address: `ip address` lists those it has",
        std::io::ErrorKind::PermissionDenied => "ports below 1024 need the right to bind them",
        _ => "check the address and the port",
    }
}

fn because(source: &Option<std::io::Error>) -> String {
    source.as_ref().map_or_else(String::new, |error| format!(" ({error})"))
}

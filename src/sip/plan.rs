//! What signalling has agreed for the sound of one leg. The signalling side replaces it as a whole when the peer
//! re-negotiates; the port looks at it once a frame without a lock (`arc-swap`).

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use arc_swap::ArcSwap;

use super::srtp::MasterKey;
use crate::media::{Codec, OpusWishes};

/// RTP payload type of comfort noise (RFC 3389).
pub const COMFORT_NOISE: u8 = 13;

/// Shared between a leg's signalling and its port.
pub type SharedPlan = Arc<ArcSwap<Plan>>;

/// Agreed sound of a leg.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    /// Rises with every change.
    pub version: u64,
    /// Where the peer wants to hear us; none when it gave no usable address (held the old way, c=0.0.0.0).
    pub remote: Option<SocketAddr>,
    pub remote_rtcp: Option<SocketAddr>,
    /// Where the peer's signalling comes from: sound from there is believable too (NAT).
    pub signalled_from: Option<IpAddr>,
    pub codec: Codec,
    /// The peer's number for `codec`.
    pub payload_type: u8,
    /// Payload types that may come in.
    pub accepted: Vec<(u8, Codec)>,
    /// Telephone-event (RFC 4733) payload types: towards the peer with its clock rate, and those it may use.
    pub events_out: Option<(u8, u32)>,
    pub events_in: Vec<u8>,
    /// What the peer wants of our Opus.
    pub opus: OpusWishes,
    /// In pauses of ours the peer is told of comfort noise, or of nothing where the codec sees to it, instead of
    /// being sent silence.
    pub comfort_noise: bool,
    /// SRTP: our master key and the peer's.
    pub crypto: Option<Crypto>,
    /// The peer wants to be told how our side hears it (RTCP XR, RFC 3611).
    pub voip_metrics: bool,
    /// Length of a packet we send, ms (10-60).
    pub ptime_ms: u32,
    /// Whether the peer wants to hear us, and whether it will speak (false: on hold).
    pub sending: bool,
    pub receiving: bool,
}

/// Both directions' keys.
#[derive(Clone, Debug, PartialEq)]
pub struct Crypto {
    pub ours: MasterKey,
    pub theirs: MasterKey,
}

impl Plan {
    /// Nothing agreed yet.
    pub fn silent() -> Self {
        Self {
            version: 0,
            remote: None,
            remote_rtcp: None,
            signalled_from: None,
            codec: Codec::Pcmu,
            payload_type: Codec::Pcmu.payload_type(),
            accepted: Vec::new(),
            events_out: None,
            events_in: Vec::new(),
            opus: OpusWishes::default(),
            comfort_noise: false,
            crypto: None,
            voip_metrics: false,
            ptime_ms: 20,
            sending: false,
            receiving: false,
        }
    }

    /// The peer does not want to hear us.
    pub fn held(&self) -> bool {
        !self.sending
    }

    pub fn shared(self) -> SharedPlan {
        Arc::new(ArcSwap::from_pointee(self))
    }

    pub fn codec_of(&self, payload_type: u8) -> Option<Codec> {
        self.accepted.iter().find(|(number, _)| *number == payload_type).map(|(_, codec)| *codec)
    }
}

//! What every way into frontdesk looks like to a call: a port that is pulled and pushed once a frame.
//!
//! A port owns its socket or device and never waits: `receive` takes what has arrived since the last frame
//! (jitter buffer, loss concealment inside) and always yields a frame, so one 20 ms beat drives a whole call.

use std::time::Instant;

use serde::{Deserialize, Serialize};

use super::{Codec, Frame};

/// A telephone key: `0`-`9`, `*`, `#`, `A`-`D` (RFC 4733 events 0-15).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "char", into = "char")]
pub struct Key(char);

impl Key {
    /// The key for a character, `None` when a telephone has no such key.
    pub fn new(key: char) -> Option<Self> {
        let key = key.to_ascii_uppercase();
        matches!(key, '0'..='9' | '*' | '#' | 'A'..='D').then_some(Self(key))
    }

    /// The key of an RFC 4733 event code (0-15).
    pub fn from_event(code: u8) -> Option<Self> {
        "0123456789*#ABCD".chars().nth(code.into()).map(Self)
    }

    /// The RFC 4733 event code.
    pub fn event(self) -> u8 {
        "0123456789*#ABCD".chars().position(|c| c == self.0).unwrap_or(0) as u8 // `new` admits these only
    }

    /// The key as printed on the telephone.
    pub fn as_char(self) -> char {
        self.0
    }
}

impl TryFrom<char> for Key {
    type Error = String;
    fn try_from(key: char) -> Result<Self, String> {
        Self::new(key).ok_or_else(|| format!("{key:?} is not a telephone key (0-9, *, #, A-D)"))
    }
}

impl From<Key> for char {
    fn from(key: Key) -> char {
        key.0
    }
}

/// What came with a frame.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Received {
    /// A packet (or samples) really arrived for this frame; `false` when it was concealed or silence was made up.
    pub heard: bool,
    /// A key was pressed; each press is reported once, at its first sight.
    pub key: Option<Key>,
    /// The other side has sent nothing for the port's media timeout.
    pub timed_out: bool,
    /// A finite source (an audio file) is over.
    pub ended: bool,
}

/// How the line was, for the call record.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Quality {
    pub packets_received: u64,
    pub packets_lost: u64,
    pub packets_late: u64,
    pub packets_sent: u64,
    /// Packets that were no valid RTP or not from the peer.
    pub packets_bad: u64,
    /// Of these, the ones that no key of the call has made: wrong keys, forged, damaged, or heard before (SRTP).
    #[serde(default)]
    pub packets_unauthentic: u64,
    /// And those that came from an address that is not the peer's: strangers', or what was on its way to who had our port
    /// before us. The peer has no part in them.
    #[serde(default)]
    pub packets_foreign: u64,
    /// Interarrival jitter, milliseconds (RFC 3550, 6.4.1).
    pub jitter_ms: f32,
    /// Mean delay of the jitter buffer, milliseconds.
    pub buffer_ms: f32,
    /// Share of frames that were concealed, 0..=1.
    pub concealed: f32,
    /// The codec spoken last.
    #[serde(default)]
    pub codec: Option<Codec>,
    /// The sound was encrypted (SRTP), last.
    #[serde(default)]
    pub encrypted: bool,
    /// There and back, ms, by the peer's last RTCP report (RFC 3550, 6.4.1).
    #[serde(default)]
    pub round_trip_ms: Option<f32>,
    /// What the peer says of our sound: the share of packets lost, 0..=1, and the jitter, ms.
    #[serde(default)]
    pub peer_lost: Option<f32>,
    #[serde(default)]
    pub peer_jitter_ms: Option<f32>,
    /// Estimated mean opinion score (ITU-T G.107), 1..=4.5: of what we heard, and of what the peer did.
    #[serde(default)]
    pub mos: Option<f32>,
    #[serde(default)]
    pub peer_mos: Option<f32>,
}

/// One leg's sound, both ways.
pub trait Port: Send {
    /// Samples a second of the frames given and taken.
    fn rate(&self) -> u32;
    /// Fills `frame` (of this port's rate) with the next 20 ms from the other side. Never waits.
    fn receive(&mut self, now: Instant, frame: &mut Frame) -> Received;
    /// Sends 20 ms to the other side. `None` is a pause (nothing to say: the port may send comfort noise,
    /// silence or nothing). Never waits; what cannot be sent is counted.
    fn send(&mut self, now: Instant, frame: Option<&Frame>);
    /// Presses a key towards the other side.
    fn send_key(&mut self, key: Key);
    /// Figures so far.
    fn quality(&self) -> Quality;
}

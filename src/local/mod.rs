//! Callers that need no telephone: an audio file (for replay and tests), and this computer's microphone and
//! loudspeaker. Both are ports like any other.

mod card;
mod file;
mod handset;

pub use card::{Device, SoundCard, devices};
pub use file::{FilePort, Pressed};
pub use handset::{Beat, Handset};

use crate::media;

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("no {what} was found on this computer. {REMEDY}")]
    NoDevice { what: &'static str },
    #[error("there is no {what} named {name:?}; this computer has: {there}")]
    NoSuchDevice { what: &'static str, name: String, there: String },
    #[error("the {what} {name:?} cannot be used: {why}. {REMEDY}")]
    Device { what: &'static str, name: String, why: String },
    #[error(transparent)]
    Media(#[from] media::Error),
}

const REMEDY: &str = "Connect a headset or microphone and loudspeaker, check that a sound server (PulseAudio, PipeWire) \
    runs for this user, or name other devices; without a sound card, call from any SIP telephone, or let a recording be the caller: `frontdesk replay`";

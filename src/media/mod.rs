//! Sound as it flows through a call: frames, codecs, buffers, tones, files. Knows nothing of calls.
//!
//! Everything here that runs once a frame or packet neither allocates nor waits after it was built;
//! `benches/codecs.rs` and `benches/jitter.rs` count it.

mod bursts;
pub mod codec;
mod delay;
pub mod dtmf;
mod error;
pub mod file;
mod frame;
mod jitter;
pub mod keys;
pub mod level;
mod line;
mod mix;
mod mixer;
pub mod mos;
mod noise;
mod player;
mod plc;
mod port;
mod presses;
mod priority;
mod recorder;
mod resample;
mod seam;
pub mod tone;

pub use bursts::{Bursts, GMIN};
pub use codec::{Codec, Decoder, Encoder, OpusWishes, telephone_channel};
pub use error::Error;
pub use file::Sound;
pub use frame::{FRAME_MS, Frame, MAX_SAMPLES};
pub use jitter::{Arrival, JitterBuffer, JitterSettings, JitterStats, MAX_PAYLOAD, Packet};
pub use line::Line;
pub use mix::{Bridge, mix};
pub use mixer::{Mixer, PARTIES};
pub use noise::ComfortNoise;
pub use player::Player;
pub use plc::Concealment;
pub use port::{Key, Port, Quality, Received};
pub use presses::{Presses, Way};
pub use priority::{go_first, go_in_line};
pub use recorder::{Recorded, Recorder, Recording, Recordings, Repaired, Seal, repair_wav};
pub use resample::{Converter, Resampler, resample};
pub use seam::Seam;
pub use tone::Tone;

//! Sound as it flows through a call: frames, codecs, buffers, tones, files. Knows nothing of calls.

pub mod codec;
mod error;
pub mod file;
mod frame;
mod port;
mod resample;

pub use codec::{Codec, Decoder, Encoder, telephone_channel};
pub use error::Error;
pub use file::Sound;
pub use frame::{FRAME_MS, Frame, MAX_SAMPLES};
pub use port::{Key, Port, Quality, Received};
pub use resample::{Resampler, resample};

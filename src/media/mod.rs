//! Sound as it flows through a call: frames, codecs, buffers, tones, files. Knows nothing of calls.

mod frame;
mod port;

pub use frame::{FRAME_MS, Frame, MAX_SAMPLES};
pub use port::{Key, Port, Quality, Received};

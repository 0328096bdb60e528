//! Voice activity, end of turn, speech-to-text, text-to-speech, prompt cache.

mod cpu;
mod ear;
mod guard;
mod pool;
pub mod wer;
mod whisper;

pub use cpu::thread_cpu;
pub use ear::{Ear, EarSettings, HearError, HearRequest, Hearing, Pending};
pub use pool::{Overloaded, Stopped};

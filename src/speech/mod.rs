//! Voice activity, end of turn, speech-to-text, text-to-speech, prompt cache.

mod apart;
mod bpe;
mod cpu;
mod ear;
mod echo;
mod grammar;
mod guard;
mod listener;
pub mod mel;
mod pool;
mod samples;
mod turn;
pub mod vad;
pub mod voice;
pub mod wer;
mod whisper;

pub use cpu::thread_cpu;
pub use ear::{DEFAULT_MODEL, Ear, EarSettings, HearError, HearRequest, Hearing, Pending};
pub use echo::EchoGate;
pub use listener::{Events, Heard, Listener, ListenerSettings, Meaning, TurnId};
pub use pool::{Overloaded, Pool, Stopped, Work};
pub use samples::Samples;
pub use turn::{TURN_MODEL, TurnError, TurnJudge, TurnModel};

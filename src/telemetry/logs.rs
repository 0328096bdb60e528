//! Logs on standard error, for people or as JSON lines; `FRONTDESK_LOG` filters them
//! (tracing-subscriber's `EnvFilter`: `warn,frontdesk::sip=debug`).

use std::io::{IsTerminal, Write};

use tracing_subscriber::EnvFilter;
use tracing_subscriber::util::SubscriberInitExt;

use super::Error;
use crate::privacy::mask_line;

/// What is written unless `FRONTDESK_LOG` says otherwise.
const DEFAULT: &str = "info";
/// Libraries that report a caller's ordinary behaviour as trouble, or print whole messages with numbers in them.
/// (Whisper's own errors come back as values; what it logs is mostly an utterance that is no longer wanted.)
const QUIETER: &[&str] = &[
    "rsipstack=error",
    "webrtc_util=error",
    "webrtc=off",
    "webrtc_ice=off",
    "webrtc_srtp=off",
    "webrtc_mdns=off",
    "dtls=off",
    "interceptor=off",
    "sqlx=warn",
    "hyper=warn",
    "reqwest=warn",
    "whisper_rs=off",
];

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Format {
    #[default]
    Text,
    /// One JSON object a line.
    Json,
}

/// Starts writing logs; once a process.
pub fn init(format: Format) -> Result<(), Error> {
    init_at(format, DEFAULT)
}

/// As [`init`], with another filter where `FRONTDESK_LOG` says nothing: a command at which a person sits wants
/// `warn`.
pub fn init_at(format: Format, default: &str) -> Result<(), Error> {
    let filter = filter(std::env::var("FRONTDESK_LOG").ok().as_deref(), default)?;
    let logs = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(std::io::stderr().is_terminal())
        .with_writer(|| Masking(std::io::stderr()));
    let taken = |_| Error::LogsTaken;
    match format {
        Format::Text => logs.finish().try_init().map_err(taken),
        Format::Json => logs.json().flatten_event(true).finish().try_init().map_err(taken),
    }
}

/// Takes card and telephone numbers out of each line, whatever part or library wrote it. No line of ours has any:
/// this is for those that are not ours, and for mistakes.
struct Masking<W>(W);

impl<W: Write> Write for Masking<W> {
    /// One whole event, as the subscriber writes it.
    fn write(&mut self, event: &[u8]) -> std::io::Result<usize> {
        match std::str::from_utf8(event) {
            Ok(line) => self.0.write_all(mask_line(line).as_bytes())?,
            Err(_) => self.0.write_all(event)?,
        }
        Ok(event.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.0.flush()
    }
}

/// The operator's filter; a library that it does not name stays quiet.
fn filter(wanted: Option<&str>, default: &str) -> Result<EnvFilter, Error> {
    let wanted = wanted.filter(|text| !text.trim().is_empty()).unwrap_or(default);
    let wrong = |error: tracing_subscriber::filter::ParseError| Error::Filter(error.to_string());
    let mut filter = EnvFilter::try_new(wanted).map_err(wrong)?;
    for directive in QUIETER {
        let library = directive.split('=').next().unwrap_or_default();
        if !wanted.split(',').any(|named| named.trim().split(['=', ':']).next() == Some(library)) {
            filter = filter.add_directive(directive.parse().map_err(wrong)?);
        }
    }
    Ok(filter)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_number_of_a_person_gets_through() {
        let mut written = Vec::new();
        Masking(&mut written)
            .write_all(b"INFO call=0199 from=sip:+442071234567@192.0.2.7 4111 1111 1111 1111\n")
            .unwrap();
        assert_eq!(written, b"INFO call=0199 from=sip:+***@192.0.2.7 ***\n");
    }

    #[test]
    fn a_chatty_library_is_quiet_unless_named() {
        assert!(filter(None, DEFAULT).unwrap().to_string().contains("rsipstack=error"));
        assert!(filter(Some("warn,frontdesk=debug"), DEFAULT).unwrap().to_string().contains("rsipstack=error"));
        let named = filter(Some("info,rsipstack=debug"), DEFAULT).unwrap().to_string();
        assert!(named.contains("rsipstack=debug") && !named.contains("rsipstack=error"), "{named}");
        assert!(filter(Some("frontdesk=loud"), DEFAULT).is_err());
    }
}

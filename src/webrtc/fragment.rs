//! Reading of what browsers send: the session description of a call (RFC 8829), as far as we judge it before the crate does,
//! and fragments that trickle candidates or begin ICE anew (RFC 8840).

use crate::media::{Codec, OpusWishes};

/// Candidates a browser may name in one message. Ten networks of both families are twenty.
const CANDIDATES: usize = 40;
/// A candidate's longest line.
const LINE: usize = 400;

/// A fragment, or the part of a description that one could say.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Fragment {
    pub ufrag: Option<String>,
    pub password: Option<String>,
    /// Without `a=`.
    pub candidates: Vec<String>,
    pub mid: Option<String>,
}

impl Fragment {
    /// `None`: no fragment, or one of unreasonable size.
    pub fn read(text: &str) -> Option<Self> {
        let mut fragment = Self::default();
        for line in lines(text) {
            let Some(attribute) = line.strip_prefix("a=") else { continue };
            let (name, value) = attribute.split_once(':').unwrap_or((attribute, ""));
            match name {
                "ice-ufrag" => fragment.ufrag = Some(ice_word(value, 4)?),
                "ice-pwd" => fragment.password = Some(ice_word(value, 22)?),
                "mid" => fragment.mid = Some(value.to_owned()).filter(|mid| mid.len() <= 32),
                "candidate" if fragment.candidates.len() < CANDIDATES && line.len() <= LINE => {
                    fragment.candidates.push(attribute.to_owned());
                }
                "candidate" => return None,
                _ => {}
            }
        }
        Some(fragment)
    }

    /// As it is sent (RFC 8840, 9.1), with the kind of the one section that our calls have.
    pub fn write(&self) -> String {
        let mut text = String::new();
        for (name, value) in [("ice-ufrag", &self.ufrag), ("ice-pwd", &self.password)] {
            if let Some(value) = value {
                text += &format!("a={name}:{value}\r\n");
            }
        }
        text += "m=audio 9 UDP/TLS/RTP/SAVPF 0\r\n";
        if let Some(mid) = &self.mid {
            text += &format!("a=mid:{mid}\r\n");
        }
        for candidate in &self.candidates {
            text += &format!("a={candidate}\r\n");
        }
        text + "a=end-of-candidates\r\n"
    }

    /// `description` with these credentials and candidates in place of its own: what a browser that begins ICE anew would have
    /// said in full (RFC 9725, 4.4.2).
    pub fn renew(&self, description: &str) -> String {
        let mut renewed = String::new();
        for line in lines(description) {
            let said = match line.split_once(':').map_or(line, |(name, _)| name) {
                "a=ice-ufrag" => self.ufrag.as_ref().map(|ufrag| format!("a=ice-ufrag:{ufrag}")),
                "a=ice-pwd" => self.password.as_ref().map(|password| format!("a=ice-pwd:{password}")),
                "a=candidate" | "a=end-of-candidates" => continue,
                _ => None,
            };
            renewed += said.as_deref().unwrap_or(line);
            renewed += "\r\n";
        }
        for candidate in &self.candidates {
            renewed += &format!("a={candidate}\r\n"); // in the last section: there is but one
        }
        renewed
    }
}

/// RFC 8839, 5.4: so many characters at least, 256 at most.
fn ice_word(value: &str, least: usize) -> Option<String> {
    let good = (least..=256).contains(&value.len())
        && value.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/'));
    good.then(|| value.to_owned())
}

/// What is wrong with an offer, before any of it is believed; in words for whoever wrote the page.
pub fn judge(offer: &str) -> Result<(), &'static str> {
    let media: Vec<&str> = lines(offer).filter_map(|line| line.strip_prefix("m=")).collect();
    let has = |wanted: &str| lines(offer).any(|line| line.starts_with(wanted));
    match () {
        () if !offer.starts_with("v=0") => Err("it is no session description (RFC 8866)"),
        () if media.len() != 1 || !media[0].starts_with("audio ") => Err("one section, of sound, is wanted"),
        () if !has("a=ice-ufrag:") || !has("a=ice-pwd:") => Err("it has no ICE credentials (RFC 8839)"),
        () if !has("a=fingerprint:") => Err("it has no certificate's fingerprint (RFC 8122)"),
        () if !has("a=rtcp-mux") => Err("RTP and RTCP share a port here (RFC 5761)"),
        () if has("a=recvonly") || has("a=inactive") => Err("a caller is to be heard"),
        () if number_of(offer, "opus", 48_000).is_none() => Err("Opus (RFC 7587) is the codec here"),
        () if Fragment::read(offer).is_none() => Err("its ICE attributes are none, or too many"),
        () => Ok(()),
    }
}

/// The payload types of a description.
#[derive(Clone, Debug, PartialEq)]
pub struct Numbers {
    pub opus: u8,
    /// Telephone-events, whatever their clock.
    pub events: Vec<u8>,
    pub wishes: OpusWishes,
}

/// What was agreed, by our answer; the caller's wishes are in the offer.
pub fn numbers(offer: &str, answer: &str) -> Option<Numbers> {
    let opus = number_of(answer, "opus", Codec::Opus.clock_rate())?;
    let events = [8_000, 16_000, 48_000].into_iter().filter_map(|clock| number_of(answer, "telephone-event", clock));
    let prefix = format!("a=fmtp:{} ", number_of(offer, "opus", Codec::Opus.clock_rate())?);
    let parameters = lines(offer).find_map(|line| line.strip_prefix(&prefix)).unwrap_or_default();
    let given = |name: &str| {
        parameters.split(';').filter_map(|one| one.trim().split_once('=')).find(|(key, _)| *key == name).map(|(_, v)| v)
    };
    let number = |name, default| given(name).and_then(|value| value.parse().ok()).unwrap_or(default);
    let defaults = OpusWishes::default();
    let wishes = OpusWishes {
        fec: given("useinbandfec") == Some("1"),
        dtx: given("usedtx") == Some("1"),
        cbr: given("cbr") == Some("1"),
        max_rate: number("maxplaybackrate", defaults.max_rate),
        max_bitrate: number("maxaveragebitrate", defaults.max_bitrate),
    };
    Some(Numbers { opus, events: events.collect(), wishes })
}

/// The payload type of a format.
fn number_of(description: &str, name: &str, clock: u32) -> Option<u8> {
    lines(description).filter_map(|line| line.strip_prefix("a=rtpmap:")).find_map(|map| {
        let (number, format) = map.split_once(' ')?;
        let mut parts = format.split('/');
        let fits = parts.next()?.eq_ignore_ascii_case(name) && parts.next()?.parse() == Ok(clock);
        number.parse().ok().filter(|number| fits && *number < 128)
    })
}

fn lines(text: &str) -> impl Iterator<Item = &str> {
    text.split('\n').map(|line| line.trim_end_matches('\r')).filter(|line| !line.is_empty())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const OFFER: &str = "v=0\r\no=- 1 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=group:BUNDLE 0\r\n\
        m=audio 9 UDP/TLS/RTP/SAVPF 111 110 126\r\nc=IN IP4 0.0.0.0\r\na=ice-ufrag:abcd\r\na=ice-pwd:0123456789abcdefghijkl\r\n\
        a=fingerprint:sha-256 00\r\na=setup:actpass\r\na=mid:0\r\na=sendrecv\r\na=rtcp-mux\r\n\
        a=rtpmap:111 opus/48000/2\r\na=fmtp:111 minptime=10;useinbandfec=1;maxaveragebitrate=20000\r\n\
        a=rtpmap:110 telephone-event/48000\r\na=rtpmap:126 telephone-event/8000\r\n\
        a=candidate:1 1 udp 1 192.0.2.1 5000 typ host\r\n";

    #[test]
    fn a_browsers_offer_is_good_and_what_it_lacks_is_named() {
        assert_eq!(judge(OFFER), Ok(()));
        for lacking in ["a=ice-pwd:0123456789abcdefghijkl", "a=fingerprint:sha-256 00", "a=rtcp-mux", "m=audio", "v=0"]
        {
            assert!(judge(&OFFER.replace(lacking, "x=")).is_err(), "{lacking}");
        }
        assert!(judge(&OFFER.replace("opus/48000/2", "PCMU/8000")).is_err());
        assert!(judge(&OFFER.replace("a=sendrecv", "a=recvonly")).is_err());
        assert!(judge(&format!("{OFFER}m=video 9 UDP/TLS/RTP/SAVPF 96\r\n")).is_err());
        assert!(judge(&format!("{OFFER}{}", "a=candidate:1 1 udp 1 192.0.2.1 5000 typ host\r\n".repeat(40))).is_err());
    }

    #[test]
    fn payload_types_and_wishes_are_found() {
        let wishes = OpusWishes { max_bitrate: 20_000, ..OpusWishes::default() };
        let numbers = numbers(OFFER, OFFER).unwrap();
        assert_eq!(numbers, Numbers { opus: 111, events: vec![126, 110], wishes });
    }

    #[test]
    fn ice_begun_anew_keeps_all_else() {
        let text = "a=ice-ufrag:wxyz\r\na=ice-pwd:lkjihgfedcba9876543210\r\nm=audio 9 UDP/TLS/RTP/SAVPF 0\r\na=mid:0\r\n\
            a=candidate:2 1 udp 1 192.0.2.9 6000 typ host\r\na=end-of-candidates\r\n";
        let fragment = Fragment::read(text).unwrap();
        assert_eq!(fragment.write(), text);
        let renewed = fragment.renew(OFFER);
        let expected = OFFER
            .replace("abcd\r\n", "wxyz\r\n")
            .replace("pwd:0123456789abcdefghijkl", "pwd:lkjihgfedcba9876543210")
            .replace("1 1 udp 1 192.0.2.1 5000", "2 1 udp 1 192.0.2.9 6000");
        assert_eq!(renewed, expected);
    }

    #[test]
    fn credentials_that_are_none_are_refused() {
        for bad in ["a=ice-ufrag:abc", "a=ice-pwd:short", "a=ice-ufrag:with space", "a=ice-ufrag:\u{1}\u{2}\u{3}\u{4}"]
        {
            assert_eq!(Fragment::read(bad), None, "{bad}");
        }
    }

    proptest! {
        #[test]
        fn nothing_makes_it_panic(text in "(a=|m=|v=)?[ -~\r\n:]{0,200}") {
            let _ = (judge(&text), numbers(&text, &text), Fragment::read(&text).map(|fragment| fragment.renew(&text)));
        }
    }
}

//! Keys of SRTP in the description: `a=crypto` lines (SDES, RFC 4568). A line that asks for what is not done here (a key
//! identifier, a derivation rate, parts left unprotected) is passed over.

use std::fmt::Write as _;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig};
use sdp_types::Media;
use zeroize::Zeroizing;

use super::srtp::{MasterKey, Suite};

/// With padding as RFC 4568 has it; phones that leave it out are understood.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &base64::alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);
/// Lines looked at; more say nothing new.
const LINES: usize = 16;

/// A line of the peer's that can be used.
#[derive(Clone, Debug, PartialEq)]
pub struct Line {
    pub tag: u32,
    pub key: MasterKey,
}

/// Our master keys of one leg, one a suite, made once: a key must never protect two streams of the same counters.
#[derive(Clone)]
pub struct Keys(Arc<[MasterKey; Suite::ALL.len()]>);

impl Keys {
    pub fn random() -> Self {
        Self(Arc::new(Suite::ALL.map(MasterKey::random)))
    }

    /// The one for a suite.
    pub fn of(&self, suite: Suite) -> &MasterKey {
        self.0.iter().find(|key| key.suite() == suite).unwrap_or(&self.0[0]) // there is one for each
    }

    /// All, with their tags, in the order they are offered.
    pub fn all(&self) -> impl Iterator<Item = (u32, &MasterKey)> {
        (1..).zip(self.0.iter())
    }

    /// The one that was offered with this tag.
    pub fn tagged(&self, tag: u32) -> Option<&MasterKey> {
        self.all().find(|(of, _)| *of == tag).map(|(_, key)| key)
    }
}

impl std::fmt::Debug for Keys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Keys")
    }
}

/// The lines of a stream that can be used, in the peer's order of liking.
pub fn lines(media: &Media) -> Vec<Line> {
    media.get_attribute_values("crypto").flatten().take(LINES).filter_map(parse).collect()
}

/// `1 AES_CM_128_HMAC_SHA1_80 inline:...`
pub fn line(tag: u32, key: &MasterKey) -> String {
    let mut line = format!("{tag} {} inline:", key.suite().name());
    let mut text = Zeroizing::new(String::new());
    BASE64.encode_string(key.expose(), &mut text);
    let _ = line.write_str(&text); // memory takes it
    line
}

fn parse(value: &str) -> Option<Line> {
    let mut words = value.split_ascii_whitespace();
    let tag = words.next()?.parse().ok()?;
    let suite = Suite::from_name(words.next()?)?;
    let inline = words.next()?;
    let (method, parameters) = inline.split_at_checked("inline:".len())?;
    if !method.eq_ignore_ascii_case("inline:") || parameters.contains(';') {
        return None; // several keys need an identifier in each packet
    }
    let mut parameters = parameters.split('|');
    let key = Zeroizing::new(BASE64.decode(parameters.next()?).ok()?);
    // A lifetime (`2^20`) is longer than any call; an identifier (`1:4`) would lengthen each packet.
    if parameters.any(|parameter| parameter.contains(':')) {
        return None;
    }
    // Window size is a hint, and what begins with `-` may be passed over (RFC 4568, 6.3).
    let harmless = |word: &str| word.starts_with('-') || word.to_ascii_uppercase().starts_with("WSH=");
    words.all(harmless).then_some(())?;
    Some(Line { tag, key: MasterKey::new(suite, &key)? })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_of_ours_is_read_as_it_was_meant() {
        let keys = Keys::random();
        for (tag, key) in keys.all() {
            let text = line(tag, key);
            assert_eq!(parse(&text), Some(Line { tag, key: key.clone() }), "{}", key.suite().name());
            assert_eq!(keys.tagged(tag), Some(key));
            assert_eq!(keys.of(key.suite()), key);
        }
        assert_eq!(keys.tagged(0), None);
    }

    /// The example of RFC 4568, 6.1 (its lifetime and window), and ways to ask for what is not done here.
    #[test]
    fn lines_that_ask_for_more_are_passed_over() {
        const KEY: &str = "WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz";
        let crypto = |rest: &str| parse(&format!("1 AES_CM_128_HMAC_SHA1_80 {rest}"));
        let plain = crypto(&format!("inline:{KEY}")).unwrap();
        assert_eq!(plain.key.expose(), b"YS___semctl () {\t220;}\n}\nunles");
        for same in [
            format!("inline:{KEY}|2^20"),
            format!("INLINE:{KEY}|2^20 WSH=60"),
            format!("inline:{KEY} -FEC_ORDER=SRTP_FEC"),
        ] {
            assert_eq!(crypto(&same).as_ref(), Some(&plain), "{same}");
        }
        for not in [
            format!("inline:{KEY}|2^20|1:4"),
            format!("inline:{KEY}|1:4"),
            format!("inline:{KEY};inline:{KEY}"),
            format!("inline:{KEY} KDR=1"),
            format!("inline:{KEY} UNENCRYPTED_SRTP"),
            format!("inline:{KEY} UNENCRYPTED_SRTCP"),
            format!("inline:{KEY} UNAUTHENTICATED_SRTP"),
            format!("inline:{}", &KEY[..36]),
            "inline:====".into(),
            "inline:".into(),
            "ünline:".into(),
            "uri:http://192.0.2.1/key".into(),
            String::new(),
        ] {
            assert_eq!(crypto(&not), None, "{not}");
        }
        assert_eq!(parse(&format!("1 F8_128_HMAC_SHA1_80 inline:{KEY}")), None);
        assert_eq!(parse(&format!("one AES_CM_128_HMAC_SHA1_80 inline:{KEY}")), None);
    }

    #[test]
    fn no_key_is_shown() {
        let keys = Keys::random();
        let (tag, key) = keys.all().next().unwrap();
        let secret = line(tag, key);
        let secret = secret.rsplit(':').next().unwrap();
        let shown = format!("{keys:?} {:?} {:?}", key, parse(&line(tag, key)));
        assert!(!shown.contains(secret) && shown.contains("AES_CM_128_HMAC_SHA1_80"), "{shown}");
    }
}

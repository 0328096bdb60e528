//! Signed messages between servers, as Standard Webhooks has them (<https://www.standardwebhooks.com>, version 1): who sent
//! them, that nobody changed them, and when. HMAC-SHA256 (RFC 2104) over `id.timestamp.body`; HTTP itself is not signed.

use axum::http::HeaderMap;
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// Names the message: the same on every attempt to deliver it.
pub const ID: &str = "webhook-id";
/// Of the attempt, seconds since 1970.
pub const TIMESTAMP: &str = "webhook-timestamp";
pub const SIGNATURE: &str = "webhook-signature";

/// Bytes of a secret at least, as the scheme asks for.
const LEAST: usize = 24;
/// A message older or newer than this, in seconds, may be somebody's who overheard one.
const TOLERANCE: i64 = 300;

/// The bytes of a secret: base64 behind `whsec_`, else the text itself. None where it is no base64, or shorter than 24 bytes.
pub fn key(secret: &str) -> Option<Vec<u8>> {
    let bytes = match secret.strip_prefix("whsec_") {
        Some(encoded) => BASE64.decode(encoded).ok()?,
        None => secret.as_bytes().to_vec(),
    };
    (bytes.len() >= LEAST).then_some(bytes)
}

/// The value of `webhook-signature` for a message.
pub fn sign(secret: &[u8], id: &str, timestamp: i64, body: &[u8]) -> String {
    format!("v1,{}", BASE64.encode(mac(secret, id, timestamp, body).finalize().into_bytes()))
}

/// Whether one of the message's signatures is by this secret, and it was sent about `now` (seconds since 1970). Compares in
/// constant time.
pub fn verify(secret: &[u8], headers: &HeaderMap, body: &[u8], now: i64) -> bool {
    let text = |name| super::text(headers, name);
    let (Some(id), Some(timestamp), Some(signatures)) = (text(ID), text(TIMESTAMP), text(SIGNATURE)) else {
        return false;
    };
    let Ok(sent) = timestamp.parse::<i64>() else { return false };
    let by_us = |signature: &str| {
        let bytes = signature.strip_prefix("v1,").and_then(|encoded| BASE64.decode(encoded).ok());
        bytes.is_some_and(|bytes| mac(secret, id, sent, body).verify_slice(&bytes).is_ok())
    };
    // Several where the secret is being changed.
    now.abs_diff(sent) <= TOLERANCE as u64 && signatures.split(' ').any(by_us)
}

fn mac(secret: &[u8], id: &str, timestamp: i64, body: &[u8]) -> Hmac<Sha256> {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret).expect("HMAC takes keys of any length");
    mac.update(format!("{id}.{timestamp}.").as_bytes());
    mac.update(body);
    mac
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    const MESSAGE: &str = "msg_p5jXN8AQM9LWM0D4loKWxJek";
    const BODY: &[u8] = br#"{"test": 2432232314}"#;
    const AT: i64 = 1_614_265_330;

    fn headers(signature: &str) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(ID, MESSAGE.parse().unwrap());
        headers.insert(TIMESTAMP, AT.to_string().parse().unwrap());
        headers.insert(SIGNATURE, signature.parse().unwrap());
        headers
    }

    #[test]
    fn a_message_is_signed_as_the_reference_libraries_sign_it() {
        // The example of the scheme's own libraries.
        let signed = sign(&key(SECRET).unwrap(), MESSAGE, AT, BODY);
        assert_eq!(signed, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }

    #[test]
    fn only_the_senders_own_fresh_words_are_believed() {
        let secret = key(SECRET).unwrap();
        let signed = sign(&secret, MESSAGE, AT, BODY);
        assert!(verify(&secret, &headers(&signed), BODY, AT + 299));
        assert!(verify(&secret, &headers(&format!("v1,AAAA v2,x {signed}")), BODY, AT));
        assert!(!verify(&secret, &headers(&signed), BODY, AT + 301), "too old");
        assert!(!verify(&secret, &headers(&signed), BODY, i64::MIN), "from another time");
        assert!(!verify(&secret, &headers(&signed), b"{}", AT), "changed");
        assert!(!verify(b"another secret, long enough", &headers(&signed), BODY, AT));
        for signature in ["", "v1,", "v1,****", &signed[3..], &signed.replace("v1", "v2")] {
            assert!(!verify(&secret, &headers(signature), BODY, AT), "{signature:?}");
        }
        assert!(!verify(&secret, &HeaderMap::new(), BODY, AT));
    }

    #[test]
    fn a_secret_is_base64_behind_its_prefix_or_itself_and_never_short() {
        assert_eq!(key("a text of twenty-four bytes").unwrap(), b"a text of twenty-four bytes");
        assert_eq!((key("whsec_***"), key("whsec_c2hvcnQ="), key("short")), (None, None, None));
    }
}

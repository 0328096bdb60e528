//! Requests between servers, signed by a shared secret: Standard Webhooks 1.0 (standardwebhooks.com, "Symmetric"). The
//! signature is HMAC-SHA256 (RFC 2104) over `id.timestamp.body`, in base64; the id names the message through all its
//! repetitions, the timestamp keeps an old request from being sent again by somebody else.

use axum::http::HeaderMap;
use base64::{Engine, engine::general_purpose::STANDARD};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

pub const ID: &str = "webhook-id";
pub const TIMESTAMP: &str = "webhook-timestamp";
pub const SIGNATURE: &str = "webhook-signature";

/// A request whose clock is further off than this is refused, seconds.
const TOLERANCE_S: i64 = 300;
/// The bytes that a secret may have.
const LENGTHS: std::ops::RangeInclusive<usize> = 24..=64;
const PREFIX: &str = "whsec_";

/// The bytes of a secret as it is written down: `whsec_` and 24 to 64 bytes in base64. None: it is none. (Without its mark
/// libraries differ in what they take for the bytes.)
pub fn secret(written: &str) -> Option<Vec<u8>> {
    let bytes = STANDARD.decode(written.strip_prefix(PREFIX)?).ok()?;
    LENGTHS.contains(&bytes.len()).then_some(bytes)
}

/// The value of `webhook-signature`; `timestamp` is in seconds since 1970.
pub fn sign(secret: &[u8], id: &str, timestamp: i64, body: &[u8]) -> String {
    format!("v1,{}", STANDARD.encode(mac(secret, id, timestamp, body).finalize().into_bytes()))
}

/// Whether who sent this has the secret, and sent it by `now` (seconds since 1970), five minutes more or less. Of several
/// signatures one is enough: secrets are changed so.
pub fn verify(secret: &[u8], headers: &HeaderMap, body: &[u8], now: i64) -> bool {
    let text = |name| super::text(headers, name);
    let (Some(id), Some(timestamp), Some(signatures)) = (text(ID), text(TIMESTAMP), text(SIGNATURE)) else {
        return false;
    };
    let Ok(timestamp) = timestamp.parse::<i64>() else { return false };
    if now.abs_diff(timestamp) > TOLERANCE_S.unsigned_abs() {
        return false;
    }
    let given = signatures.split(' ').filter_map(|one| STANDARD.decode(one.strip_prefix("v1,")?).ok());
    // In constant time.
    given.into_iter().any(|given| mac(secret, id, timestamp, body).verify_slice(&given).is_ok())
}

fn mac(secret: &[u8], id: &str, timestamp: i64, body: &[u8]) -> Hmac<Sha256> {
    let mut mac = <Hmac<Sha256>>::new_from_slice(secret).expect("HMAC takes keys of any length");
    mac.update(format!("{id}.{timestamp}.").as_bytes());
    mac.update(body);
    mac
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of the Standard Webhooks libraries.
    const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    const MESSAGE: &str = "msg_p5jXN8AQM9LWM0D4loKWxJek";
    const AT: i64 = 1_614_265_330;
    const BODY: &[u8] = br#"{"test": 2432232314}"#;

    fn headers(signature: &str) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in [(ID, MESSAGE), (TIMESTAMP, "1614265330"), (SIGNATURE, signature)] {
            headers.insert(name, value.parse().unwrap());
        }
        headers
    }

    #[test]
    fn the_example_of_the_standard_is_signed_as_it_says() {
        let signature = sign(&secret(SECRET).unwrap(), MESSAGE, AT, BODY);
        assert_eq!(signature, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
        assert!(verify(&secret(SECRET).unwrap(), &headers(&signature), BODY, AT + 299));
    }

    #[test]
    fn what_is_forged_changed_or_old_is_refused() {
        let key = secret(SECRET).unwrap();
        let good = sign(&key, MESSAGE, AT, BODY);
        assert!(!verify(&key, &headers(&good), BODY, AT + 301), "old");
        assert!(!verify(&key, &headers(&good), BODY, AT - 301), "of tomorrow");
        assert!(!verify(&key, &headers(&good), br#"{"test": 1}"#, AT), "another body");
        assert!(!verify(b"another secret", &headers(&good), BODY, AT));
        let mut renamed = headers(&good);
        renamed.insert(ID, "msg_other".parse().unwrap());
        assert!(!verify(&key, &renamed, BODY, AT), "another id");
        for wrong in ["", "v1,", "v2,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=", "v1,AAAA", "g0hM9SsE+OTPJTGt"] {
            assert!(!verify(&key, &headers(wrong), BODY, AT), "{wrong:?}");
        }
        assert!(!verify(&key, &HeaderMap::new(), BODY, AT));
        assert!(verify(&key, &headers(&format!("v1,AAAA {good}")), BODY, AT), "while the secret is changed");
    }

    #[test]
    fn a_secret_is_marked_and_long_enough() {
        for wrong in ["", "whsec_", "whsec_c2hvcnQ=", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_not base64"] {
            assert_eq!(secret(wrong), None, "{wrong}");
        }
        assert_eq!(secret(SECRET).unwrap().len(), 24);
    }
}

//! Digest authentication (RFC 7616, RFC 8760) with SHA-256 and MD5. As a server: challenges, nonces that expire, replay
//! protection by nonce count. The stack's own helpers read the nonce count as one byte and print it in decimal, so
//! phones that stay registered are refused at the tenth request: checked here from the raw header. As a client: which
//! of several challenges the stack is to answer.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use md5::{Digest as _, Md5};
use sha2::Sha256;

/// A nonce is good for this long; then the phone is told it is stale and tries again by itself.
pub const NONCE_LIFETIME: Duration = Duration::from_secs(300);
/// Nonces in use at once; beyond it the oldest are forgotten (their phones are told "stale").
const MAX_NONCES: usize = 10_000;

/// H(user:realm:password), hex.
pub fn ha1(algorithm: Algorithm, user: &str, realm: &str, password: &str) -> String {
    algorithm.hash(&[user, realm, password])
}

/// How passwords are hashed; the stronger is greater.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Algorithm {
    Md5,
    Sha256,
}

impl Algorithm {
    /// As it stands on the wire.
    pub fn name(self) -> &'static str {
        match self {
            Self::Md5 => "MD5",
            Self::Sha256 => "SHA-256",
        }
    }

    fn parse(name: &str) -> Option<Self> {
        [Self::Md5, Self::Sha256].into_iter().find(|algorithm| algorithm.name().eq_ignore_ascii_case(name))
    }

    /// Hash of the parts with `:` between them, lower-case hex.
    fn hash(self, parts: &[&str]) -> String {
        match self {
            Self::Md5 => hash::<Md5>(parts),
            Self::Sha256 => hash::<Sha256>(parts),
        }
    }
}

/// Of several challenges to us the strongest that can be answered, alone and in words the stack reads: RFC 8760, 2.4
/// lets a client choose, the stack takes the first and stumbles over `qop="auth,auth-int"`.
pub fn strongest<'a>(challenges: impl Iterator<Item = &'a str>) -> Option<String> {
    let known = challenges.filter_map(|challenge| {
        let (scheme, rest) = challenge.trim().split_once(char::is_whitespace)?;
        let params = params(rest)?;
        let get = |name: &str| params.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| *value);
        let algorithm = Algorithm::parse(get("algorithm").unwrap_or("MD5"))?;
        let (realm, nonce) = (get("realm")?, get("nonce")?);
        let qop = match get("qop") {
            None => "",
            Some(qop) if qop.split(',').any(|one| one.trim().eq_ignore_ascii_case("auth")) => ", qop=\"auth\"",
            Some(_) => return None,
        };
        let opaque = get("opaque").map(|opaque| format!(", opaque=\"{opaque}\"")).unwrap_or_default();
        let stale =
            if get("stale").is_some_and(|stale| stale.eq_ignore_ascii_case("true")) { ", stale=true" } else { "" };
        let name = algorithm.name();
        let text = format!("Digest realm=\"{realm}\", nonce=\"{nonce}\", algorithm={name}{qop}{opaque}{stale}");
        scheme.eq_ignore_ascii_case("digest").then_some((algorithm, text))
    });
    // Of equals the first: the server's own order.
    known.reduce(|best, next| if next.0 > best.0 { next } else { best }).map(|(_, text)| text)
}

/// What came of looking at credentials.
#[derive(Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Proved to be this user.
    User(String),
    /// Right or not, the nonce is too old or unknown: challenge again with `stale=true`.
    Stale,
    /// Wrong, replayed, or not digest at all.
    Refused,
}

/// Makes challenges and checks the answers.
pub struct Digest {
    secret: [u8; 32],
    epoch: Instant,
    /// Nonces that proved someone: highest count seen, and when the nonce was made.
    used: HashMap<String, (u32, Duration)>,
}

impl Digest {
    /// `secret` must be random; `epoch` is when this process began.
    pub fn new(secret: [u8; 32], epoch: Instant) -> Self {
        Self { secret, epoch, used: HashMap::new() }
    }

    /// The values of `WWW-Authenticate` headers, in the order given. `salt` is any fresh random number.
    pub fn challenges(
        &self,
        now: Instant,
        realm: &str,
        algorithms: &[Algorithm],
        stale: bool,
        salt: u64,
    ) -> Vec<String> {
        let nonce = self.nonce(now.saturating_duration_since(self.epoch).as_millis() as u64, salt);
        let stale = if stale { ", stale=true" } else { "" };
        let challenge = |algorithm: &Algorithm| {
            let name = algorithm.name();
            format!("Digest realm=\"{realm}\", nonce=\"{nonce}\", algorithm={name}, qop=\"auth\"{stale}")
        };
        algorithms.iter().map(challenge).collect()
    }

    /// Checks the value of an `Authorization` header for a request of `method`. `ha1_of` gives the secret of a user
    /// in a realm; an unknown user takes as long as a wrong password.
    pub fn verify(
        &mut self,
        now: Instant,
        method: &str,
        header: &str,
        ha1_of: impl Fn(Algorithm, &str, &str) -> Option<String>,
    ) -> Verdict {
        let Some(answer) = Answer::parse(header) else { return Verdict::Refused };
        let now = now.saturating_duration_since(self.epoch);
        let Some(made) = self.made_at(answer.nonce).filter(|made| now.saturating_sub(*made) < NONCE_LIFETIME) else {
            return Verdict::Stale;
        };
        let algorithm = answer.algorithm;
        let known = ha1_of(algorithm, answer.username, answer.realm);
        let secret = known.clone().unwrap_or_else(|| algorithm.hash(&[answer.username, answer.nonce]));
        let ha2 = algorithm.hash(&[method, answer.uri]);
        let expected = algorithm.hash(&[&secret, answer.nonce, answer.nc, answer.cnonce, "auth", &ha2]);
        if !same(&expected, &answer.response.to_ascii_lowercase()) || known.is_none() {
            return Verdict::Refused;
        }
        let Ok(count) = u32::from_str_radix(answer.nc, 16) else { return Verdict::Refused };
        if self.used.get(answer.nonce).is_some_and(|(highest, _)| count <= *highest) {
            return Verdict::Refused; // heard before
        }
        self.remember(answer.nonce, count, made, now);
        Verdict::User(answer.username.to_owned())
    }

    fn remember(&mut self, nonce: &str, count: u32, made: Duration, now: Duration) {
        if self.used.len() >= MAX_NONCES {
            self.used.retain(|_, (_, made)| now.saturating_sub(*made) < NONCE_LIFETIME);
        }
        if self.used.len() >= MAX_NONCES {
            // Everyone starts anew; old answers must not become good again.
            self.used.clear();
            self.secret = Sha256::digest(self.secret).into();
            return;
        }
        self.used.insert(nonce.to_owned(), (count, made));
    }

    /// Milliseconds since the epoch, a salt, and a seal over both: no table of nonces handed out is needed.
    fn nonce(&self, at_ms: u64, salt: u64) -> String {
        let seal = Sha256::new()
            .chain_update(self.secret)
            .chain_update(at_ms.to_be_bytes())
            .chain_update(salt.to_be_bytes())
            .finalize();
        format!("{at_ms:016x}{salt:016x}{}", hex(&seal[..16]))
    }

    fn made_at(&self, nonce: &str) -> Option<Duration> {
        let at_ms = u64::from_str_radix(nonce.get(..16)?, 16).ok()?;
        let salt = u64::from_str_radix(nonce.get(16..32)?, 16).ok()?;
        same(&self.nonce(at_ms, salt), nonce).then(|| Duration::from_millis(at_ms))
    }
}

struct Answer<'a> {
    algorithm: Algorithm,
    username: &'a str,
    realm: &'a str,
    nonce: &'a str,
    uri: &'a str,
    response: &'a str,
    nc: &'a str,
    cnonce: &'a str,
}

impl<'a> Answer<'a> {
    /// Only `qop=auth`: an answer without a nonce count could be replayed.
    fn parse(header: &'a str) -> Option<Self> {
        let (scheme, rest) = header.trim().split_once(char::is_whitespace)?;
        if !scheme.eq_ignore_ascii_case("digest") {
            return None;
        }
        let params = params(rest)?;
        let get = |name: &str| params.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| *value);
        if !get("qop")?.eq_ignore_ascii_case("auth") {
            return None;
        }
        Some(Self {
            algorithm: Algorithm::parse(get("algorithm").unwrap_or("MD5"))?,
            username: get("username")?,
            realm: get("realm")?,
            nonce: get("nonce")?,
            uri: get("uri")?,
            response: get("response")?,
            nc: get("nc").filter(|nc| nc.len() == 8)?,
            cnonce: get("cnonce")?,
        })
    }
}

/// `key=value, key="value"`; commas may stand inside quotes.
fn params(mut rest: &str) -> Option<Vec<(&str, &str)>> {
    let mut params = Vec::new();
    loop {
        rest = rest.trim_start_matches([',', ' ', '\t']);
        if rest.is_empty() {
            return Some(params);
        }
        let (key, after) = rest.split_once('=')?;
        let after = after.trim_start();
        let value;
        (value, rest) = match after.strip_prefix('"') {
            Some(quoted) => quoted.split_once('"')?,
            None => after.split_once(',').unwrap_or((after, "")),
        };
        params.push((key.trim(), value.trim()));
    }
}

fn hash<H: md5::Digest>(parts: &[&str]) -> String {
    let mut hash = H::new();
    for (n, part) in parts.iter().enumerate() {
        if n > 0 {
            hash.update(b":");
        }
        hash.update(part.as_bytes());
    }
    hex(&hash.finalize())
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Comparison whose time does not depend on where the strings differ.
fn same(a: &str, b: &str) -> bool {
    a.len() == b.len() && a.bytes().zip(b.bytes()).fold(0, |diff, (a, b)| diff | (a ^ b)) == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn nonce_of(challenge: &str) -> String {
        challenge.split("nonce=\"").nth(1).and_then(|rest| rest.split('"').next()).map(str::to_owned).unwrap()
    }

    fn answer(user: &str, password: &str, nonce: &str, nc: u32) -> String {
        answer_by(Algorithm::Md5, user, password, nonce, nc)
    }

    fn answer_by(algorithm: Algorithm, user: &str, password: &str, nonce: &str, nc: u32) -> String {
        let ha2 = algorithm.hash(&["REGISTER", "sip:desk"]);
        let nc = format!("{nc:08x}");
        let ha1 = ha1(algorithm, user, "desk", password);
        let response = algorithm.hash(&[&ha1, nonce, &nc, "c0", "auth", &ha2]);
        format!(
            "Digest username=\"{user}\", realm=\"desk\", nonce=\"{nonce}\", uri=\"sip:desk\", \
             response=\"{response}\", algorithm={}, qop=auth, nc={nc}, cnonce=\"c0\"",
            algorithm.name()
        )
    }

    fn secrets(algorithm: Algorithm, user: &str, realm: &str) -> Option<String> {
        (user == "alice" && realm == "desk").then(|| ha1(algorithm, "alice", "desk", "secret"))
    }

    fn challenge(digest: &Digest, now: Instant, stale: bool) -> String {
        digest.challenges(now, "desk", &[Algorithm::Md5], stale, 1).remove(0)
    }

    #[test]
    fn the_example_of_rfc_2617() {
        // RFC 2617, 3.5: the only published vector with MD5 and qop.
        let md5 = Algorithm::Md5;
        let ha1 = ha1(md5, "Mufasa", "testrealm@host.com", "Circle Of Life");
        assert_eq!(ha1, "939e7578ed9e3c518a452acee763bce9");
        let ha2 = md5.hash(&["GET", "/dir/index.html"]);
        let response = md5.hash(&[&ha1, "dcd98b7102dd2f0e8b11d0f600bfb0c093", "00000001", "0a4f113b", "auth", &ha2]);
        assert_eq!(response, "6629fae49393a05397450978507c4ef1");
    }

    #[test]
    fn the_examples_of_rfc_7616() {
        // RFC 7616, 3.9.1: the same request answered with either algorithm.
        for (algorithm, expected) in [
            (Algorithm::Md5, "8ca523f5e9506fed4657c9700eebdbec"),
            (Algorithm::Sha256, "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"),
        ] {
            let ha1 = ha1(algorithm, "Mufasa", "http-auth@example.org", "Circle of Life");
            let ha2 = algorithm.hash(&["GET", "/dir/index.html"]);
            let (nonce, cnonce) =
                ("7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v", "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ");
            assert_eq!(algorithm.hash(&[&ha1, nonce, "00000001", cnonce, "auth", &ha2]), expected);
        }
    }

    #[test]
    fn either_algorithm_proves_a_user_and_the_strongest_is_offered_first() {
        let start = Instant::now();
        let mut digest = Digest::new([7; 32], start);
        let both = digest.challenges(start, "desk", &[Algorithm::Sha256, Algorithm::Md5], false, 1);
        assert!(both[0].contains("algorithm=SHA-256") && both[1].contains("algorithm=MD5"), "{both:?}");
        for (nc, challenge, algorithm) in [(1, &both[0], Algorithm::Sha256), (2, &both[1], Algorithm::Md5)] {
            let header = answer_by(algorithm, "alice", "secret", &nonce_of(challenge), nc);
            assert_eq!(digest.verify(start, "REGISTER", &header, secrets), Verdict::User("alice".into()));
        }
        // A hash of one kind is none of the other.
        let header = answer("alice", "secret", &nonce_of(&both[0]), 3).replace("MD5", "SHA-256");
        assert_eq!(digest.verify(start, "REGISTER", &header, secrets), Verdict::Refused);
    }

    #[test]
    fn of_several_challenges_the_strongest_known_is_answered() {
        let md5 = "Digest realm=\"a, b\", nonce=\"n\", algorithm=MD5, qop=\"auth,auth-int\", opaque=\"o\"";
        let sha = "Digest realm=\"a, b\", nonce=\"m\", algorithm=SHA-256, qop=auth, stale=TRUE";
        let unknown = "Digest realm=\"a\", nonce=\"m\", algorithm=SHA-512-256, qop=\"auth\"";
        let best = |list: &[&str]| strongest(list.iter().copied());
        let expected = "Digest realm=\"a, b\", nonce=\"m\", algorithm=SHA-256, qop=\"auth\", stale=true";
        assert_eq!(best(&[unknown, md5, sha]).as_deref(), Some(expected));
        let expected = "Digest realm=\"a, b\", nonce=\"n\", algorithm=MD5, qop=\"auth\", opaque=\"o\"";
        assert_eq!(best(&[md5, unknown]).as_deref(), Some(expected));
        // RFC 2069 servers name neither algorithm nor qop.
        assert_eq!(
            best(&["Digest realm=\"a\", nonce=\"n\""]).unwrap(),
            "Digest realm=\"a\", nonce=\"n\", algorithm=MD5"
        );
        for hopeless in
            [unknown, "Basic realm=\"a\"", "Digest realm=\"a", "", "Digest realm=\"a\", nonce=\"n\", qop=\"auth-int\""]
        {
            assert_eq!(best(&[hopeless]), None, "{hopeless}");
        }
    }

    #[test]
    fn right_credentials_pass_once_for_each_count() {
        let start = Instant::now();
        let mut digest = Digest::new([7; 32], start);
        let nonce = nonce_of(&challenge(&digest, start, false));
        let first = answer("alice", "secret", &nonce, 1);
        assert_eq!(digest.verify(start, "REGISTER", &first, secrets), Verdict::User("alice".into()));
        assert_eq!(digest.verify(start, "REGISTER", &first, secrets), Verdict::Refused, "a replay");
        // A phone may use one nonce for hundreds of requests, and skip counts.
        for count in [2, 9, 10, 300] {
            let next = answer("alice", "secret", &nonce, count);
            assert_eq!(digest.verify(start, "REGISTER", &next, secrets), Verdict::User("alice".into()));
        }
        assert_eq!(
            digest.verify(start, "REGISTER", &answer("alice", "secret", &nonce, 299), secrets),
            Verdict::Refused
        );
    }

    #[test]
    fn unknown_users_and_wrong_passwords_look_the_same() {
        let start = Instant::now();
        let mut digest = Digest::new([7; 32], start);
        let nonce = nonce_of(&challenge(&digest, start, false));
        for header in [
            answer("alice", "wrong", &nonce, 1),
            answer("mallory", "secret", &nonce, 1),
            answer("alice", "secret", &nonce, 1).replace("MD5", "SHA-256"),
            answer("alice", "secret", &nonce, 1).replace("qop=auth, ", ""),
            "Basic YWxpY2U6c2VjcmV0".into(),
            "Digest".into(),
            "Digest username=\"alice".into(),
            String::new(),
        ] {
            assert_eq!(digest.verify(start, "REGISTER", &header, secrets), Verdict::Refused, "{header}");
        }
        // Credentials for one method are no good for another.
        let right = answer("alice", "secret", &nonce, 1);
        assert_eq!(digest.verify(start, "INVITE", &right, secrets), Verdict::Refused);
    }

    #[test]
    fn old_and_invented_nonces_are_stale() {
        let start = Instant::now();
        let mut digest = Digest::new([7; 32], start);
        let nonce = nonce_of(&challenge(&digest, start, false));
        let header = answer("alice", "secret", &nonce, 1);
        assert_eq!(digest.verify(start + NONCE_LIFETIME, "REGISTER", &header, secrets), Verdict::Stale);
        let invented = answer("alice", "secret", &"0".repeat(64), 1);
        assert_eq!(digest.verify(start, "REGISTER", &invented, secrets), Verdict::Stale);
        let foreign = nonce_of(&challenge(&Digest::new([8; 32], start), start, false));
        assert_eq!(digest.verify(start, "REGISTER", &answer("alice", "secret", &foreign, 1), secrets), Verdict::Stale);
        assert!(challenge(&digest, start, true).ends_with("stale=true"));
    }
}

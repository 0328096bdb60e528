//! Who is logged in, and who tried too often. Plain values: secrets, addresses and times go in, verdicts come out; memory is
//! bounded whatever comes.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use crate::records::Role;

/// Sessions at once: more than any call centre has people.
const SESSIONS: usize = 10_000;
/// Who has a call when their session is over keeps it so long, at most,
pub const OVERTIME: Duration = Duration::from_secs(4 * 3_600);
/// and so long after it, to write it up.
const AFTERWARDS: Duration = Duration::from_secs(60);
/// Wrong passwords in a row before an account is locked,
const TRIES: u32 = 5;
/// for this long, and twice as long each further time,
const LOCKED: Duration = Duration::from_secs(30);
/// up to this.
const LONGEST: Duration = Duration::from_secs(15 * 60);
/// Accounts whose tries are remembered.
const REMEMBERED: usize = 10_000;

/// 256 random bits in hexadecimal digits: a session's, a page's, a link's.
pub fn secret() -> String {
    let (high, low): (u128, u128) = (rand::random(), rand::random());
    format!("{high:032x}{low:032x}")
}

/// What is kept of a secret.
pub fn digest(secret: &str) -> [u8; 32] {
    Sha256::digest(secret.as_bytes()).into()
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    pub account: String,
    pub role: Role,
    pub agent: Option<String>,
    until: Instant,
    /// Not beyond this, whatever happens.
    at_most: Instant,
}

/// What every change must bring along: other sites cannot know it, for they see neither the cookie nor our answers.
pub fn token(cookie: &str) -> String {
    digest(&format!("token of {cookie}")).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Whether this is the token of the pages of this session.
pub fn is_token(cookie: &str, given: &str) -> bool {
    token(cookie).as_bytes().ct_eq(given.as_bytes()).into()
}

/// By the digest of the cookie: a copy of our memory logs nobody in.
#[derive(Default)]
pub struct Sessions(HashMap<[u8; 32], Session>);

impl Sessions {
    /// A new session: its cookie. `None`: there are too many.
    pub fn begin(
        &mut self,
        now: Instant,
        lasts: Duration,
        account: &str,
        role: Role,
        agent: Option<String>,
    ) -> Option<String> {
        self.0.retain(|_, session| session.until > now);
        if self.0.len() >= SESSIONS {
            return None;
        }
        let cookie = secret();
        let session =
            Session { account: account.to_owned(), role, agent, until: now + lasts, at_most: now + lasts + OVERTIME };
        self.0.insert(digest(&cookie), session);
        Some(cookie)
    }

    pub fn of(&self, now: Instant, cookie: &str) -> Option<&Session> {
        self.0.get(&digest(cookie)).filter(|session| session.until > now)
    }

    /// Whose session it is has a call now.
    pub fn has_a_call(&mut self, now: Instant, cookie: &str) {
        if let Some(session) = self.0.get_mut(&digest(cookie)).filter(|session| session.until > now) {
            session.until = session.until.max(session.at_most.min(now + AFTERWARDS));
        }
    }

    pub fn end(&mut self, cookie: &str) {
        self.0.remove(&digest(cookie));
    }

    /// The account is gone, or may something else from now on.
    pub fn end_all(&mut self, account: &str) {
        self.0.retain(|_, session| session.account != account);
    }
}

/// Passwords tried and not found right, by account.
#[derive(Default)]
pub struct Locks(HashMap<String, Tries>);

struct Tries {
    wrong: u32,
    until: Instant,
}

impl Locks {
    /// A password is about to be tried: it counts as wrong until [`Locks::right`] says otherwise, so that tries which come
    /// together count like those one after the other. True when the account is locked by this one; else the seconds for which it
    /// is locked already. `known`: there is such an account.
    pub fn begin(&mut self, now: Instant, account: &str, known: bool) -> Result<bool, u64> {
        if let Some(tries) = self.0.get(account).filter(|tries| tries.wrong >= TRIES && tries.until > now) {
            return Err((tries.until - now).as_secs() + 1);
        }
        if self.0.len() >= REMEMBERED {
            self.0.retain(|_, tries| tries.until + LONGEST > now);
        }
        if self.0.len() >= REMEMBERED && !known && !self.0.contains_key(account) {
            return Ok(false); // what is remembered of names that are nobody's is only for the look of it
        }
        let tries = self.0.entry(account.to_owned()).or_insert(Tries { wrong: 0, until: now });
        tries.wrong += 1;
        let again = tries.wrong.saturating_sub(TRIES).min(10);
        let locked = tries.wrong >= TRIES;
        tries.until = now + if locked { LONGEST.min(LOCKED * 2_u32.pow(again)) } else { Duration::ZERO };
        Ok(locked)
    }

    pub fn right(&mut self, account: &str) {
        self.0.remove(account);
    }

    /// It was not tried after all.
    pub fn untried(&mut self, account: &str) {
        if let Some(tries) = self.0.get_mut(account) {
            tries.wrong = tries.wrong.saturating_sub(1);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: Duration = Duration::from_secs(3_600);

    #[test]
    fn a_session_is_its_cookies_for_its_time() {
        let (mut sessions, now) = (Sessions::default(), Instant::now());
        let cookie = sessions.begin(now, HOUR, "anna", Role::Agent, Some("anna".into())).unwrap();
        assert_eq!(sessions.of(now, &cookie).unwrap().role, Role::Agent);
        let token = token(&cookie);
        assert!(is_token(&cookie, &token) && !is_token(&cookie, &cookie) && !is_token(&cookie, ""));
        assert_eq!(sessions.of(now, &token), None, "a token is no cookie");
        assert_eq!(sessions.of(now + HOUR, &cookie), None);
        sessions.end_all("anna");
        assert_eq!(sessions.of(now, &cookie), None);
    }

    #[test]
    fn a_session_outlasts_a_call_but_not_for_ever() {
        let (mut sessions, now) = (Sessions::default(), Instant::now());
        let [talks, idle] = ["anna", "ben"].map(|name| sessions.begin(now, HOUR, name, Role::Agent, None).unwrap());
        let seconds = |n: u64| now + HOUR - Duration::from_secs(5) + Duration::from_secs(n);
        (0..600).step_by(5).for_each(|n| sessions.has_a_call(seconds(n), &talks));
        assert!(sessions.of(seconds(600), &talks).is_some() && sessions.of(seconds(600), &idle).is_none());
        assert!(sessions.of(seconds(640), &talks).is_some(), "a moment to write it up");
        assert_eq!(sessions.of(seconds(660), &talks), None, "and it is over");
        sessions.has_a_call(seconds(660), &talks);
        assert_eq!(sessions.of(seconds(661), &talks), None, "what is over stays so");

        let talks = sessions.begin(now, HOUR, "anna", Role::Agent, None).unwrap();
        (0..20 * 3_600).step_by(5).for_each(|n| sessions.has_a_call(now + Duration::from_secs(n), &talks));
        assert!(sessions.of(now + HOUR + OVERTIME - Duration::from_secs(1), &talks).is_some());
        assert_eq!(sessions.of(now + HOUR + OVERTIME, &talks), None, "no call is that long");
    }

    #[test]
    fn five_wrong_passwords_lock_an_account_for_longer_and_longer() {
        let (mut locks, now) = (Locks::default(), Instant::now());
        assert!((0..4).all(|_| locks.begin(now, "anna", true) == Ok(false)));
        assert_eq!(locks.begin(now, "anna", true), Ok(true), "the fifth is tried, and locks");
        assert_eq!((locks.begin(now, "anna", true), locks.begin(now, "ben", true)), (Err(31), Ok(false)));
        let later = now + Duration::from_secs(31);
        assert_eq!(locks.begin(later, "anna", true), Ok(true), "one more try");
        assert_eq!(locks.begin(later, "anna", true), Err(61));
        locks.right("anna");
        assert_eq!(locks.begin(later, "anna", true), Ok(false));
    }

    #[test]
    fn what_was_not_tried_does_not_count() {
        let (mut locks, now) = (Locks::default(), Instant::now());
        for _ in 0..20 {
            assert_eq!(locks.begin(now, "anna", true), Ok(false));
            locks.untried("anna");
        }
    }

    #[test]
    fn memory_is_bounded() {
        let (mut locks, now) = (Locks::default(), Instant::now());
        for n in 0..30_000 {
            let _ = locks.begin(now, &n.to_string(), false);
        }
        assert!(locks.0.len() <= REMEMBERED);
        // Strangers' names leave room for who has an account.
        assert!((0..5).all(|n| locks.begin(now, "anna", true) == Ok(n == 4)));
        assert!(locks.begin(now, "anna", true).is_err());
    }
}

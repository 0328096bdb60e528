//! Passwords: argon2id (RFC 9106) with the crate's parameters (OWASP's: 19 MiB, two passes), a few at once, off the runtime's
//! threads. No rule but length: NIST SP 800-63B, 5.1.1.

use std::sync::{Arc, LazyLock};

use argon2::Argon2;
use argon2::password_hash::rand_core::OsRng;
use argon2::password_hash::{PasswordHash, PasswordHasher, PasswordVerifier, SaltString};
use tokio::sync::Semaphore;

pub const SHORTEST: usize = 10;
pub const LONGEST: usize = 200;
/// So many at once: each takes some 20 ms of a core and 19 MiB.
const AT_ONCE: usize = 2;

/// Bounds what log-ins cost. Cheap to clone.
#[derive(Clone)]
pub struct Passwords(Arc<Semaphore>);

impl Default for Passwords {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(AT_ONCE)))
    }
}

/// Verified against when there is no such account, so that nobody learns from the time it takes which there are.
static NOBODY: LazyLock<String> = LazyLock::new(|| hash("nobody has this password").unwrap_or_default());

impl Passwords {
    /// `None` when too many are being looked at, or it cannot be hashed.
    pub async fn hash(&self, password: String) -> Option<String> {
        self.run(move || hash(&password)).await.flatten()
    }

    /// `None` when too many are being looked at.
    pub async fn is(&self, password: String, stored: Option<String>) -> Option<bool> {
        self.run(move || {
            let known = stored.is_some();
            let stored = stored.as_deref().unwrap_or(&NOBODY);
            let right = PasswordHash::new(stored)
                .is_ok_and(|stored| Argon2::default().verify_password(password.as_bytes(), &stored).is_ok());
            right && known
        })
        .await
    }

    async fn run<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Option<T> {
        let place = tokio::time::timeout(std::time::Duration::from_secs(2), self.0.clone().acquire_owned()).await;
        let place = place.ok()?.ok()?; // it is never closed
        let done = tokio::task::spawn_blocking(move || {
            let done = work();
            drop(place);
            done
        });
        done.await.ok()
    }
}

fn hash(password: &str) -> Option<String> {
    let salt = SaltString::generate(&mut OsRng);
    Argon2::default().hash_password(password.as_bytes(), &salt).ok().map(|hash| hash.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn only_the_password_is_right_and_nobodys_is_never() {
        let passwords = Passwords::default();
        let hash = passwords.hash("correct horse".into()).await.unwrap();
        assert!(hash.starts_with("$argon2id$"), "{hash}");
        assert_eq!(passwords.is("correct horse".into(), Some(hash.clone())).await, Some(true));
        assert_eq!(passwords.is("correct house".into(), Some(hash)).await, Some(false));
        assert_eq!(passwords.is("nobody has this password".into(), None).await, Some(false));
        assert_eq!(passwords.is("x".into(), Some("no hash".into())).await, Some(false));
    }
}

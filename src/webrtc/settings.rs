//! What an operator decides about browser calls, checked.

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use ipnet::IpNet;
use sha1::Sha1;

/// How long credentials for a relay are good, seconds: a call's set-up and every reconnection within an hour.
const CREDENTIAL_S: u64 = 3_600;

#[derive(Clone, Debug)]
pub struct Settings {
    /// Where pages and signalling are served.
    pub listen: SocketAddr,
    /// Certificate chain and key, PEM files; none: plain HTTP.
    pub tls: Option<(PathBuf, PathBuf)>,
    /// The one UDP socket that the sound of every call goes through.
    pub udp: SocketAddr,
    /// Addresses to name to browsers in place of this machine's own, one of a family at most.
    pub external: Vec<IpAddr>,
    /// What pages may call; the first is meant where a page does not say.
    pub lines: Vec<LineChoice>,
    /// Sites, besides our own page, whose pages may call (`https://www.example.org`).
    pub origins: Vec<String>,
    pub ice_servers: Vec<IceServer>,
    /// Names by which it may be asked without TLS, besides `localhost` and addresses.
    pub names: Vec<String>,
    /// Reverse proxies whose word for a caller's address is taken.
    pub proxies: Vec<IpNet>,
    /// Calls at once: in all, and of one address.
    pub max_calls: usize,
    pub calls_per_address: usize,
    /// Calls begun in a minute by one address.
    pub calls_per_minute: u32,
    /// How long a caller whose network is gone is waited for.
    pub reconnect: Duration,
}

/// A line that pages may call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LineChoice {
    pub name: String,
    /// The language it answers in.
    pub language: String,
}

/// A STUN or TURN server that pages are told of.
#[derive(Clone, Debug)]
pub struct IceServer {
    /// `stun:`, `turn:` or `turns:` (RFC 7064, RFC 7065).
    pub urls: Vec<String>,
    pub credential: Option<Credential>,
}

/// How a page proves itself to a relay.
#[derive(Clone)]
pub enum Credential {
    Fixed {
        username: String,
        password: String,
    },
    /// Shared with the relay: each page gets a credential of its own that ends after an hour (coturn's `use-auth-secret`).
    Shared(String),
}

impl std::fmt::Debug for Credential {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Credential(***)")
    }
}

impl IceServer {
    /// Username and password to be used now.
    pub fn login(&self, now: SystemTime) -> Option<(String, String)> {
        match self.credential.as_ref()? {
            Credential::Fixed { username, password } => Some((username.clone(), password.clone())),
            Credential::Shared(secret) => {
                let now = now.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
                let username = format!("{}:frontdesk", now + CREDENTIAL_S);
                let mut mac = <Hmac<Sha1>>::new_from_slice(secret.as_bytes()).ok()?; // it takes keys of any length
                mac.update(username.as_bytes());
                let password = STANDARD.encode(mac.finalize().into_bytes());
                Some((username, password))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_relays_credential_is_what_coturn_expects() {
        let server = IceServer { urls: vec![], credential: Some(Credential::Shared("north".into())) };
        let (username, password) = server.login(UNIX_EPOCH + Duration::from_secs(1_433_891_665)).unwrap();
        assert_eq!(username, "1433895265:frontdesk");
        // printf %s 1433895265:frontdesk | openssl dgst -sha1 -hmac north -binary | base64
        assert_eq!(password, "bFJTyjYpiKArvmcUwV40O1Z7/io=");
        assert!(!format!("{server:?}").contains("north"));
    }
}

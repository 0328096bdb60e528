//! What an operator decides about the telephone side.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::ops::RangeInclusive;
use std::time::Duration;

use ipnet::IpNet;

use super::digest;
use super::session_timer;

/// Settings of one endpoint. `Default` is closed: loopback only, no phones.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Each address is listened on by UDP and by TCP. Port 0 takes a free one (the same for both).
    pub listen: Vec<SocketAddr>,
    /// Our address as peers outside see it (behind 1:1 NAT); told to peers that are not private themselves.
    pub external: Option<IpAddr>,
    /// UDP ports for sound: RTP on even ports, RTCP one above (RFC 3550, 11).
    pub rtp_ports: RangeInclusive<u16>,
    /// Phones that may register (agents).
    pub phones: Vec<PhoneAccount>,
    /// Sources that may call in without registering.
    pub allow: Vec<IpNet>,
    /// A leg whose peer sends nothing this long is reported as lost.
    pub media_timeout: Duration,
    /// Lifetime of a registration, seconds: a shorter wish is refused (423), a longer one cut.
    pub registration: RangeInclusive<u32>,
    pub user_agent: String,
    /// How long a call may go on without a sign that both sides still hold it (RFC 4028).
    pub session_timer: session_timer::Limits,
    /// Ringing is answered reliably (RFC 3262) wherever the caller understands that; else only where it is required.
    pub reliable_ringing: bool,
    /// User part of our own address (From and Contact of calls that go out).
    pub user: String,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            listen: vec![SocketAddr::from((Ipv4Addr::LOCALHOST, 5060))],
            external: None,
            rtp_ports: 16_384..=32_767,
            phones: Vec::new(),
            allow: loopback(),
            media_timeout: Duration::from_secs(30),
            registration: 30..=3_600,
            user_agent: concat!("frontdesk/", env!("CARGO_PKG_VERSION")).to_owned(),
            session_timer: session_timer::Limits::default(),
            reliable_ringing: false,
            user: "frontdesk".into(),
        }
    }
}

impl Settings {
    /// The secret of a user in a realm. An account without a password is nobody's: it lets nobody in.
    pub(super) fn ha1_of(&self, user: &str, realm: &str) -> Option<String> {
        let account = self.phones.iter().find(|phone| phone.user == user && phone.realm == realm)?;
        let open = account.ha1.is_empty() || account.ha1 == digest::ha1(user, realm, "");
        (!open).then(|| account.ha1.clone())
    }
}

/// This computer alone.
pub fn loopback() -> Vec<IpNet> {
    // Both prefix lengths are within their families' limits.
    vec![
        IpNet::new(Ipv4Addr::LOCALHOST.into(), 8).unwrap_or(IpNet::from(IpAddr::from(Ipv4Addr::LOCALHOST))),
        IpNet::from(IpAddr::from(Ipv6Addr::LOCALHOST)),
    ]
}

/// A phone's account. The password itself is never kept.
#[derive(Clone, PartialEq, Eq)]
pub struct PhoneAccount {
    pub user: String,
    pub realm: String,
    /// MD5(user:realm:password) in lower-case hex (RFC 7616, 3.4.2).
    pub ha1: String,
}

impl PhoneAccount {
    pub fn new(user: &str, realm: &str, password: &str) -> Self {
        Self { user: user.into(), realm: realm.into(), ha1: digest::ha1(user, realm, password) }
    }

    /// An account whose secret is stored as HA1, as other registrars export it.
    pub fn with_ha1(user: &str, realm: &str, ha1: &str) -> Self {
        Self { user: user.into(), realm: realm.into(), ha1: ha1.to_ascii_lowercase() }
    }
}

impl std::fmt::Debug for PhoneAccount {
    // HA1 is as good as the password.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PhoneAccount").field("realm", &self.realm).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_account_without_a_password_has_no_secret() {
        let phones = vec![
            PhoneAccount::new("alice", "desk", "secret"),
            PhoneAccount::new("ben", "desk", ""),
            PhoneAccount::with_ha1("carol", "desk", ""),
            PhoneAccount::with_ha1("dora", "desk", &digest::ha1("dora", "desk", "").to_uppercase()),
        ];
        let settings = Settings { phones, ..Settings::default() };
        assert_eq!(settings.ha1_of("alice", "desk"), Some(digest::ha1("alice", "desk", "secret")));
        for user in ["ben", "carol", "dora", "nobody"] {
            assert_eq!(settings.ha1_of(user, "desk"), None, "{user}");
        }
    }
}

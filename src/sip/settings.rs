//! What an operator decides about the telephone side.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::time::Duration;

use ipnet::IpNet;

use super::digest::{self, Algorithm};
use super::gate::Limits;
use super::registrar::Transport;
use super::sdp::Preferences;
use super::session_timer;

/// Settings of one endpoint. `Default` is closed: loopback only, no phones.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Each address is listened on by UDP and by TCP. Port 0 takes a free one (the same for both).
    pub listen: Vec<SocketAddr>,
    /// TLS, where it is wanted.
    pub tls: Option<TlsSettings>,
    /// The way to the public network.
    pub trunks: Vec<TrunkSettings>,
    /// Name servers to ask; none: the system's.
    pub dns: Vec<SocketAddr>,
    /// How phones may prove themselves, offered in this order.
    pub digest: Vec<Algorithm>,
    /// How often registered phones are asked whether they are still there; zero: never.
    pub keep_alive: Duration,
    pub limits: Limits,
    /// Our address as peers outside see it (behind 1:1 NAT); told to peers that are not private themselves.
    pub external: Option<IpAddr>,
    /// UDP ports for sound: RTP on even ports, RTCP one above (RFC 3550, 11).
    pub rtp_ports: RangeInclusive<u16>,
    /// Phones that may register (agents).
    pub phones: Vec<PhoneAccount>,
    /// Sources that may call in without registering.
    pub allow: Vec<IpNet>,
    /// Codecs, encryption, silence.
    pub sound: Preferences,
    /// A leg whose peer sends nothing this long is reported as lost.
    pub media_timeout: Duration,
    /// Whether keys are listened for in the sound.
    pub inband_keys: InbandKeys,
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

/// Whether keys are listened for in the sound (ITU-T Q.24).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum InbandKeys {
    /// Where the peer knows no telephone events.
    #[default]
    Auto,
    /// Always: some gateways agree on events and then leave the tones in the sound.
    On,
    Off,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            listen: vec![SocketAddr::from((Ipv4Addr::LOCALHOST, 5060))],
            tls: None,
            trunks: Vec::new(),
            dns: Vec::new(),
            digest: vec![Algorithm::Sha256, Algorithm::Md5],
            keep_alive: Duration::from_secs(60),
            limits: Limits::default(),
            external: None,
            rtp_ports: 16_384..=32_767,
            phones: Vec::new(),
            allow: loopback(),
            sound: Preferences::default(),
            media_timeout: Duration::from_secs(30),
            inband_keys: InbandKeys::default(),
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
    pub(super) fn ha1_of(&self, algorithm: Algorithm, user: &str, realm: &str) -> Option<String> {
        let account = self.phones.iter().find(|phone| phone.user == user && phone.realm == realm)?;
        let ha1 = match algorithm {
            Algorithm::Md5 => &account.ha1,
            Algorithm::Sha256 => account.sha256.as_ref()?,
        };
        let open = ha1.is_empty() || *ha1 == digest::ha1(algorithm, user, realm, "");
        (!open).then(|| ha1.clone())
    }
}

/// Certificates and keys, as PEM files.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TlsSettings {
    /// Where TLS is listened on; needs an `identity`. Port 0 takes a free one.
    pub listen: Vec<SocketAddr>,
    /// Our certificate (with those between it and the authority) and its key; also shown to trunks that ask.
    pub identity: Option<(PathBuf, PathBuf)>,
    /// Whose certificates are believed when we connect; none: the system's list.
    pub authorities: Option<PathBuf>,
    /// When given, only who shows a certificate of these may connect to us.
    pub client_authorities: Option<PathBuf>,
}

/// A way to the public network, or to another telephone system.
#[derive(Clone, PartialEq)]
pub struct TrunkSettings {
    pub name: String,
    /// Domain or address of the registrar or proxy; looked up by RFC 3263 where `port` is none.
    pub host: String,
    pub port: Option<u16>,
    /// None: what the domain's records say, else UDP.
    pub transport: Option<Transport>,
    /// Our account there.
    pub user: Option<String>,
    pub password: String,
    /// Whether we register; seconds wished for.
    pub register: Option<u32>,
    /// Sources whose calls are this trunk's; none: the addresses that `host` stands for.
    pub allow: Vec<IpNet>,
    /// How often each of its servers is asked whether it is there; zero: never.
    pub keep_alive: Duration,
    /// The number shown by calls that go out; none: `user`.
    pub number: Option<String>,
}

impl std::fmt::Debug for TrunkSettings {
    // Password and account stay out.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TrunkSettings").field("name", &self.name).field("host", &self.host).finish_non_exhaustive()
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
    /// The same by SHA-256; an account without it proves itself by MD5 only.
    pub sha256: Option<String>,
}

impl PhoneAccount {
    pub fn new(user: &str, realm: &str, password: &str) -> Self {
        let hash = |algorithm| digest::ha1(algorithm, user, realm, password);
        let (ha1, sha256) = (hash(Algorithm::Md5), Some(hash(Algorithm::Sha256)));
        Self { user: user.into(), realm: realm.into(), ha1, sha256 }
    }

    /// An account whose secret is stored as HA1 (MD5), as other registrars export it.
    pub fn with_ha1(user: &str, realm: &str, ha1: &str) -> Self {
        Self { user: user.into(), realm: realm.into(), ha1: ha1.to_ascii_lowercase(), sha256: None }
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
            PhoneAccount::with_ha1("dora", "desk", &digest::ha1(Algorithm::Md5, "dora", "desk", "").to_uppercase()),
        ];
        let settings = Settings { phones, ..Settings::default() };
        for algorithm in [Algorithm::Md5, Algorithm::Sha256] {
            let ha1 = digest::ha1(algorithm, "alice", "desk", "secret");
            assert_eq!(settings.ha1_of(algorithm, "alice", "desk"), Some(ha1));
            for user in ["ben", "carol", "dora", "nobody"] {
                assert_eq!(settings.ha1_of(algorithm, user, "desk"), None, "{user}");
            }
        }
    }
}

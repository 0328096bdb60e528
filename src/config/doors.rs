//! Where frontdesk can be reached and what it reaches: addresses, ports, URLs. What listens to more than this
//! machine must say to whom.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use super::check::{Checker, beside};
use super::tree::At;
use super::values::parse_net;
use super::{Digest, Http, Limits, Sip, Tls, builtin, raw};
use crate::dialog::template::{self, Part, ReadAs};
use crate::media::Codec;
use crate::sip;

/// Takes the place of a value in a URL that is looked at.
const STAND_IN: &str = "frontdesk-value";

/// What is liked of a call's sound.
fn sound(raw: &raw::Sip) -> sip::Preferences {
    let defaults = sip::Preferences::default();
    let mut codecs: Vec<Codec> = Vec::new();
    for codec in raw.codecs.iter().flatten() {
        let codec = match codec {
            raw::Codec::Opus => Codec::Opus,
            raw::Codec::G722 => Codec::G722,
            raw::Codec::Pcmu => Codec::Pcmu,
            raw::Codec::Pcma => Codec::Pcma,
        };
        // Named twice is named once.
        if !codecs.contains(&codec) {
            codecs.push(codec);
        }
    }
    sip::Preferences {
        codecs: if codecs.is_empty() { defaults.codecs } else { codecs },
        srtp: raw.srtp.map_or(defaults.srtp, |srtp| match srtp {
            raw::Srtp::Off => sip::Srtp::Off,
            raw::Srtp::Offered => sip::Srtp::Offered,
            raw::Srtp::Required => sip::Srtp::Required,
        }),
        silence_suppression: raw.silence_suppression.unwrap_or(defaults.silence_suppression),
    }
}

impl Checker<'_> {
    pub(super) fn sip(&mut self) -> Option<Sip> {
        let given = self.single("sip", |file| file.sip.as_ref());
        let nothing = raw::Sip::default();
        let (raw, at) = given.map_or((&nothing, None), |(raw, at)| (raw, Some(at)));
        let listen = self.addresses(raw.listen.as_ref(), builtin::SIP_LISTEN, at);
        let allow = self.nets(&raw.allow, at);
        let has_trunks = !self.names("trunks").is_empty();
        for (index, listen) in listen.iter().enumerate().filter(|_| !has_trunks) {
            if let Some(at) = at {
                let at = at.get("listen").items().nth(index).unwrap_or(at.get("listen"));
                self.guarded(*listen, &raw.allow, at, "your trunk's addresses, such as `allow: [192.0.2.0/24]`");
            }
        }
        let external = match (&raw.external, at) {
            (Some(text), Some(at)) => match text.parse::<IpAddr>() {
                Ok(address) if !address.is_unspecified() => Some(address),
                _ => {
                    let problem = at.get("external").problem(format!("\"{text}\" is no address the outside could use"));
                    self.problems.push(problem.expected("an IP address, such as `203.0.113.5`"));
                    None
                }
            },
            _ => None,
        };
        let rtp_ports = match (&raw.rtp_ports, at) {
            (Some(text), Some(at)) => self.ports(&text.0, at.get("rtp_ports")),
            _ => Some(builtin::RTP_PORTS),
        };
        let (first, last) = rtp_ports.unwrap_or(builtin::RTP_PORTS);
        let tls = self.tls(raw.tls.as_ref(), &listen, at);
        for port in listen.iter().chain(&tls.listen).map(SocketAddr::port) {
            if let Some(at) = at.filter(|_| (first..=last).contains(&port)) {
                let problem = at.get("rtp_ports").problem(format!("`rtp_ports` holds the port of `listen`, {port}"));
                self.problems.push(problem.expected("ports of their own"));
            }
        }
        let media_timeout = raw.media_timeout_s.map_or(builtin::MEDIA_TIMEOUT, Duration::from_secs);
        let max_calls = raw.max_calls.unwrap_or(builtin::MAX_CALLS);
        let min = raw.min_session_expires_s.unwrap_or(builtin::MIN_SESSION_EXPIRES_S);
        let expires = raw.session_expires_s.unwrap_or(builtin::SESSION_EXPIRES_S.max(min));
        if let (true, Some(at)) = ((1..min).contains(&expires), at) {
            let problem = at
                .get("session_expires_s")
                .problem(format!("{expires} s is shorter than the shortest that is admitted"));
            self.problems.push(problem.expected(format!("0, or at least {min}")));
        }
        let limits = raw.limits.as_ref();
        Some(Sip {
            listen,
            tls,
            digest: raw
                .digest
                .as_deref()
                .unwrap_or(&[raw::Digest::Sha256, raw::Digest::Md5])
                .iter()
                .map(digest)
                .collect(),
            keep_alive: raw.keep_alive_s.map_or(builtin::PHONE_KEEP_ALIVE, Duration::from_secs),
            limits: Limits {
                requests_per_s: limits.and_then(|limits| limits.requests_per_s).unwrap_or(builtin::REQUESTS_PER_S),
                invites_per_s: limits.and_then(|limits| limits.invites_per_s).unwrap_or(builtin::INVITES_PER_S),
                block: limits.and_then(|limits| limits.block_s).map_or(builtin::BLOCK, Duration::from_secs),
            },
            dns: self.name_servers(&raw.dns, at),
            external,
            rtp_ports: first..=last,
            allow,
            max_calls,
            media_timeout,
            inband_keys: raw.inband_keys.unwrap_or(raw::InbandKeys::Auto),
            session_expires_s: expires,
            min_session_expires_s: min,
            reliable_ringing: raw.reliable_ringing.unwrap_or(false),
            sound: sound(raw),
        })
    }

    /// TLS: its addresses need a certificate, a certificate its key, and every file must be there.
    fn tls(&mut self, raw: Option<&raw::Tls>, plain: &[SocketAddr], at: Option<At>) -> Tls {
        let (Some(raw), Some(at)) = (raw, at) else { return Tls::default() };
        let at = at.get("tls");
        let mut file = |key: &str, given: &Option<String>| {
            let given = given.as_ref()?;
            let path = beside(at.file(), given);
            if !path.is_file() {
                let problem = at.get(key).problem(format!("there is no file {}", path.display()));
                self.problems.push(problem.expected("a file in PEM form"));
            }
            Some(path)
        };
        let certificate = file("certificate", &raw.certificate);
        let key = file("key", &raw.key);
        let authorities = file("authorities", &raw.authorities);
        let client_authorities = file("client_authorities", &raw.client_authorities);
        for (one, other, lacks) in
            [("certificate", "key", key.is_none()), ("key", "certificate", certificate.is_none())]
        {
            let given = if one == "key" { &raw.key } else { &raw.certificate };
            if lacks && given.is_some() {
                let problem = at.get(one).problem(format!("`{one}` without `{other}`"));
                self.problems.push(problem.expected("both"));
            }
        }
        let identity = certificate.zip(key);
        let listen = match &raw.listen {
            Some(listen) => self.addresses(Some(listen), "0.0.0.0:5061", Some(at)),
            None if identity.is_some() => {
                plain.iter().map(|address| SocketAddr::new(address.ip(), builtin::TLS_PORT)).collect()
            }
            None => Vec::new(),
        };
        if raw.listen.is_some() && raw.certificate.is_none() && raw.key.is_none() {
            let problem = at.get("listen").problem("nobody can connect by TLS without a certificate");
            self.problems.push(problem.expected("`certificate` and `key` beside it"));
        }
        for address in listen.iter().filter(|address| plain.contains(address)) {
            let problem = at.get("listen").problem(format!("{address} is listened on by TCP already"));
            self.problems.push(problem.expected("a port of its own, such as 5061"));
        }
        Tls { listen: if identity.is_some() { listen } else { Vec::new() }, identity, authorities, client_authorities }
    }

    fn name_servers(&mut self, given: &[String], at: Option<At>) -> Vec<SocketAddr> {
        let mut servers = vec![];
        for (index, text) in given.iter().enumerate() {
            let address = text.parse().ok().or_else(|| Some(SocketAddr::new(text.parse::<IpAddr>().ok()?, 53)));
            match (address, at) {
                (Some(address), _) => servers.push(address),
                (None, Some(at)) => {
                    let problem = at.get("dns").item(index).problem(format!("\"{text}\" is no name server's address"));
                    self.problems.push(problem.expected("such as `192.0.2.53` or `192.0.2.53:5353`"));
                }
                (None, None) => {}
            }
        }
        servers
    }

    pub(super) fn http(&mut self) -> Option<Http> {
        let given = self.single("http", |file| file.http.as_ref());
        let nothing = raw::Http::default();
        let (raw, at) = given.map_or((&nothing, None), |(raw, at)| (raw, Some(at)));
        let allow = self.nets(&raw.allow, at);
        if raw.listen.as_deref() == Some("off") {
            return Some(Http { listen: None, allow });
        }
        let text = raw.listen.as_deref().unwrap_or(builtin::HTTP_LISTEN);
        let listen = self.address(text, builtin::HTTP_LISTEN, at.map(|at| at.get("listen")))?;
        if let Some(at) = at {
            self.guarded(listen, &raw.allow, at.get("listen"), "who may ask, such as `allow: [10.0.0.0/8]`");
        }
        Some(Http { listen: Some(listen), allow })
    }

    /// Addresses and ports to listen on.
    fn addresses(&mut self, given: Option<&raw::Addresses>, default: &str, at: Option<At>) -> Vec<SocketAddr> {
        let at = at.map(|at| at.get("listen"));
        let several = match given {
            None => return self.address(default, default, None).into_iter().collect(),
            Some(raw::Addresses::One(one)) => return self.address(one, default, at).into_iter().collect(),
            Some(raw::Addresses::Many(several)) => several,
        };
        let mut all: Vec<SocketAddr> = vec![];
        for (index, text) in several.iter().enumerate() {
            let at = at.map(|at| at.item(index));
            let Some(address) = self.address(text, default, at) else { continue };
            if let Some(at) = at.filter(|_| all.contains(&address)) {
                self.problems.push(at.problem(format!("{address} is listed twice")).expected("each address once"));
            }
            all.push(address);
        }
        if let Some(at) = at.filter(|_| several.is_empty()) {
            self.problems
                .push(at.problem("nothing to listen on").expected(format!("at least one, such as `{default}`")));
        }
        all
    }

    /// An address and port to listen on.
    pub(super) fn address(&mut self, text: &str, default: &str, at: Option<At>) -> Option<SocketAddr> {
        if let Ok(address) = text.parse() {
            return Some(address);
        }
        let problem = at?.problem(format!("\"{text}\" is no address to listen on"));
        let problem = problem.expected(format!("an IP address and a port, such as `{default}`"));
        self.problems.push(match text.parse::<IpAddr>() {
            Ok(IpAddr::V6(address)) => problem.remedy(format!("write `[{address}]:5060`")),
            Ok(address) => problem.remedy(format!("write `{address}:5060`")),
            Err(_) if text.starts_with("localhost") => problem.remedy("write `127.0.0.1` for `localhost`"),
            Err(_) => problem,
        });
        None
    }

    /// What listens to more than this machine must say to whom.
    fn guarded(&mut self, listen: SocketAddr, allow: &[String], at: At, expected: &str) {
        if !listen.ip().is_loopback() && allow.is_empty() {
            let problem = at.problem(format!("{listen} is open to everybody"));
            self.problems.push(problem.expected(expected));
        }
    }

    pub(super) fn nets(&mut self, given: &[String], at: Option<At>) -> Vec<ipnet::IpNet> {
        let mut nets = vec![];
        for (index, text) in given.iter().enumerate() {
            match (parse_net(text), at) {
                (Some(net), _) => nets.push(net),
                (None, Some(at)) => {
                    let problem = at.get("allow").item(index).problem(format!("\"{text}\" is no address or network"));
                    self.problems.push(problem.expected("such as `192.0.2.7` or `192.0.2.0/24`"));
                }
                (None, None) => {}
            }
        }
        nets
    }

    fn ports(&mut self, text: &str, at: At) -> Option<(u16, u16)> {
        let parse = || {
            let (first, last) = text.split_once('-')?;
            let range: (u16, u16) = (first.trim().parse().ok()?, last.trim().parse().ok()?);
            (range.0 >= 1024 && range.0.is_multiple_of(2) && range.1 > range.0).then_some(range)
        };
        let range = parse();
        if range.is_none() {
            let problem = at.problem(format!("\"{text}\" is no range of ports for sound"));
            self.problems.push(problem.expected("from-to, the first even and 1024 or more, such as `16384-17383`"));
        }
        range
    }

    pub(super) fn sip_uri(&mut self, uri: &str, at: At) -> bool {
        let rest = uri.strip_prefix("sip:").or_else(|| uri.strip_prefix("sips:"));
        let good = rest.is_some_and(|rest| {
            let host = rest.rsplit_once('@').map_or(rest, |(_, host)| host);
            !host.is_empty()
                && !rest.starts_with('@')
                && !rest.contains(|c: char| c.is_whitespace() || "<>\"".contains(c))
        });
        if !good {
            self.problems
                .push(at.problem(format!("\"{uri}\" is no SIP address")).expected("such as `sip:anna@192.0.2.10`"));
        }
        good
    }

    /// A URL with `{parameters}` behind the host.
    pub(super) fn backend_url(&mut self, url: &str, at: At) {
        let parts = match template::parse(url) {
            Ok(parts) => parts,
            Err(error) => {
                self.problems.push(at.problem(error.to_string()).expected("`{name}` where a value goes"));
                return;
            }
        };
        let mut plain = String::new();
        for part in parts {
            match part {
                Part::Text(text) => plain.push_str(&text),
                Part::Value { read: ReadAs::Words, .. } => plain.push_str(STAND_IN),
                Part::Value { name, read } => {
                    let problem = at.problem_at(&format!("{{{name}:"), format!("`{name}` is not read out here"));
                    let expected = format!("`{{{name}}}` without `:{read}`");
                    self.problems.push(problem.expected(expected));
                    return;
                }
            }
        }
        if let Some(parsed) = self.url(plain, url, at)
            && parsed.host_str().is_some_and(|host| host.contains(STAND_IN))
        {
            let problem = at.problem("what callers say would choose the host");
            self.problems.push(problem.expected("`{...}` behind the host only"));
        }
    }

    /// An http or https URL; `shown` is how it was written.
    pub(super) fn url(&mut self, url: String, shown: &str, at: At) -> Option<reqwest::Url> {
        match reqwest::Url::parse(&url) {
            Ok(parsed) if matches!(parsed.scheme(), "http" | "https") && parsed.has_host() => return Some(parsed),
            Ok(_) => self
                .problems
                .push(at.problem(format!("\"{shown}\" is no web address")).expected("`http://...` or `https://...`")),
            Err(error) => {
                let problem = at.problem(format!("\"{shown}\" is no web address: {error}"));
                self.problems.push(problem.expected("`http://...` or `https://...`"));
            }
        }
        None
    }
}

fn digest(raw: &raw::Digest) -> Digest {
    match raw {
        raw::Digest::Sha256 => Digest::Sha256,
        raw::Digest::Md5 => Digest::Md5,
    }
}

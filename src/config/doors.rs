//! Where frontdesk can be reached and what it reaches: addresses, ports, URLs. What listens to more than this
//! machine must say to whom.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use super::check::Checker;
use super::tree::At;
use super::values::parse_net;
use super::{Http, Sip, builtin, raw};
use crate::dialog::template::{self, Part, ReadAs};

/// Takes the place of a value in a URL that is looked at.
const STAND_IN: &str = "frontdesk-value";

impl Checker<'_> {
    pub(super) fn sip(&mut self) -> Option<Sip> {
        let given = self.single("sip", |file| file.sip.as_ref());
        let nothing = raw::Sip::default();
        let (raw, at) = given.map_or((&nothing, None), |(raw, at)| (raw, Some(at)));
        let listen = self.listen(raw.listen.as_deref(), builtin::SIP_LISTEN, at);
        let allow = self.nets(&raw.allow, at);
        if let (Some(listen), Some(at)) = (listen, at) {
            self.guarded(listen, &raw.allow, at, "your trunk's addresses, such as `allow: [192.0.2.0/24]`");
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
        if let (Some(listen), Some(at)) = (listen, at)
            && (first..=last).contains(&listen.port())
        {
            let problem =
                at.get("rtp_ports").problem(format!("`rtp_ports` holds the port of `listen`, {}", listen.port()));
            self.problems.push(problem.expected("ports of their own"));
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
        Some(Sip {
            listen: listen?,
            external,
            rtp_ports: first..=last,
            allow,
            max_calls,
            media_timeout,
            session_expires_s: expires,
            min_session_expires_s: min,
            reliable_ringing: raw.reliable_ringing.unwrap_or(false),
        })
    }

    pub(super) fn http(&mut self) -> Option<Http> {
        let given = self.single("http", |file| file.http.as_ref());
        let nothing = raw::Http::default();
        let (raw, at) = given.map_or((&nothing, None), |(raw, at)| (raw, Some(at)));
        let allow = self.nets(&raw.allow, at);
        if raw.listen.as_deref() == Some("off") {
            return Some(Http { listen: None, allow });
        }
        let listen = self.listen(raw.listen.as_deref(), builtin::HTTP_LISTEN, at)?;
        if let Some(at) = at {
            self.guarded(listen, &raw.allow, at, "who may ask, such as `allow: [10.0.0.0/8]`");
        }
        Some(Http { listen: Some(listen), allow })
    }

    /// An address and port to listen on.
    fn listen(&mut self, given: Option<&str>, default: &str, at: Option<At>) -> Option<SocketAddr> {
        let text = given.unwrap_or(default);
        if let Ok(address) = text.parse() {
            return Some(address);
        }
        let problem = at?.get("listen").problem(format!("\"{text}\" is no address to listen on"));
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
            let problem = at.get("listen").problem(format!("{listen} is open to everybody"));
            self.problems.push(problem.expected(expected));
        }
    }

    fn nets(&mut self, given: &[String], at: Option<At>) -> Vec<ipnet::IpNet> {
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

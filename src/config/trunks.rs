//! Trunks, and the agents who are reached by them: do their hosts, accounts and numbers make sense?

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use super::check::Checker;
use super::tree::At;
use super::{Phone, Transport, Trunk, builtin, raw};

impl Checker<'_> {
    pub(super) fn trunks(&mut self) -> BTreeMap<String, Trunk> {
        let mut trunks = BTreeMap::new();
        for (name, raw, at) in self.section("trunks", |file| &file.trunks) {
            let host = host(&raw.host);
            if host.is_none() {
                let problem = at.get("host").problem(format!("\"{}\" is no host", raw.host));
                let problem = problem.expected("a name or an address, such as `sip.example.com` or `192.0.2.7:5080`");
                let scheme = raw.host.starts_with("sip:") || raw.host.starts_with("sips:");
                self.problems.push(match scheme {
                    true => problem.remedy("leave out the `sip:`; for `sips:` write `transport: tls`"),
                    false => problem,
                });
            }
            let register = raw.register.unwrap_or(raw.password.is_some());
            if register && raw.user.is_none() {
                let place = if raw.register.is_some() { at.get("register") } else { at.get("password") };
                let problem = place.problem(format!("trunk `{name}` registers without an account"));
                self.problems.push(problem.expected("a `user` beside it"));
            }
            if let (Some(user), None) = (&raw.user, &raw.password)
                && register
            {
                let problem = at.get("user").problem(format!("`{}` registers without a password", user.0));
                self.problems.push(problem.expected("a `password` beside it"));
            }
            let (host, port) = host.unwrap_or_default();
            let trunk = Trunk {
                name: name.into(),
                host,
                port,
                user: raw.user.as_ref().map(|user| user.0.clone()),
                password: raw.password.as_ref().map(|password| self.secret(password, at.get("password"))),
                transport: raw.transport.map(|transport| match transport {
                    raw::Transport::Udp => Transport::Udp,
                    raw::Transport::Tcp => Transport::Tcp,
                    raw::Transport::Tls => Transport::Tls,
                }),
                register: register
                    .then(|| raw.expires_s.map_or(builtin::TRUNK_EXPIRES, |s| Duration::from_secs(s.into()))),
                allow: self.nets(&raw.allow, Some(at)),
                keep_alive: raw.keep_alive_s.map_or(builtin::TRUNK_KEEP_ALIVE, Duration::from_secs),
                number: raw.number.as_ref().map(|number| number.0.clone()),
            };
            trunks.insert(name.to_owned(), trunk);
        }
        trunks
    }

    /// The telephone of an agent who is at a number outside.
    pub(super) fn outside(&mut self, uri: &str, trunk: &str, at: At) -> Option<Phone> {
        let known = self.names("trunks");
        self.resolve("trunk", trunk, at.get("trunk"), &known);
        let number: String =
            uri.strip_prefix("tel:").unwrap_or(uri).chars().filter(|c| !" -.()/".contains(*c)).collect();
        let digits = number.strip_prefix('+').unwrap_or(&number);
        if digits.len() < 2 || !digits.chars().all(|c| c.is_ascii_digit() || "*#".contains(c)) {
            let problem = at.get("uri").problem(format!("\"{uri}\" is no number that a trunk could call"));
            self.problems.push(problem.expected("such as `tel:+49301234`"));
            return None;
        }
        Some(Phone::Outside { number, trunk: trunk.into() })
    }
}

/// A name or address, and its port.
fn host(text: &str) -> Option<(String, Option<u16>)> {
    if let Ok(address) = text.parse::<SocketAddr>() {
        return Some((address.ip().to_string(), Some(address.port())));
    }
    if let Ok(address) = text.parse::<IpAddr>() {
        return Some((address.to_string(), None));
    }
    if let Some(address) = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')) {
        return address.parse::<Ipv6Addr>().ok().map(|address| (address.to_string(), None));
    }
    let (name, port) = match text.rsplit_once(':') {
        Some((name, port)) => (name, Some(port.parse().ok().filter(|port| *port > 0)?)),
        None => (text, None),
    };
    let label = |label: &str| {
        !label.is_empty() && label.len() < 64 && label.chars().all(|c| c.is_ascii_alphanumeric() || "-_".contains(c))
    };
    let name = name.strip_suffix('.').unwrap_or(name);
    (name.len() < 254 && name.split('.').all(label)).then(|| (name.to_owned(), port))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_are_names_or_addresses_with_or_without_a_port() {
        for (text, name, port) in [
            ("sip.example.com", "sip.example.com", None),
            ("sip.example.com:5080", "sip.example.com", Some(5080)),
            ("192.0.2.7", "192.0.2.7", None),
            ("192.0.2.7:5080", "192.0.2.7", Some(5080)),
            ("2001:db8::7", "2001:db8::7", None),
            ("[2001:db8::7]", "2001:db8::7", None),
            ("[2001:db8::7]:5080", "2001:db8::7", Some(5080)),
        ] {
            assert_eq!(host(text), Some((name.to_owned(), port)), "{text}");
        }
        for text in ["", "sip:a.example", "a b", "a..b", "host:0", "host:99999", "user@host", "<x>"] {
            assert_eq!(host(text), None, "{text}");
        }
    }
}

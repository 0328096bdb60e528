//! Calls from web pages: what they may call, from where, and by which addresses.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use ipnet::IpNet;

use super::check::{Checker, beside};
use super::tree::At;
use super::values::parse_net;
use super::{Browser, Config, IceLogin, IceServer, Line, builtin, raw};

impl Checker<'_> {
    pub(super) fn browser(&mut self, lines: &BTreeMap<String, Line>) -> Option<Browser> {
        let (raw, at) = self.single("browser", |file| file.browser.as_ref())?;
        let text = raw.listen.as_deref().unwrap_or(builtin::BROWSER_LISTEN);
        let listen = self.address(text, builtin::BROWSER_LISTEN, Some(at.get("listen")));
        let udp = match (&raw.udp, listen) {
            (Some(text), _) => self.address(text, builtin::BROWSER_LISTEN, Some(at.get("udp"))),
            (None, listen) => listen.map(|listen| SocketAddr::new(listen.ip(), builtin::BROWSER_UDP_PORT)),
        };
        let tls = raw.tls.as_ref().map(|tls| self.certificate(tls, at.get("tls")));
        if let Some(listen) = listen.filter(|listen| !listen.ip().is_loopback())
            && tls.is_none()
            && raw.proxies.is_empty()
        {
            let problem =
                at.get("listen").problem(format!("browsers give no microphone to a page of {listen} by HTTP"));
            self.problems.push(problem.expected("`tls` beside it, or the proxy that does HTTPS under `proxies`"));
        }
        let known: BTreeSet<&str> = lines.keys().map(String::as_str).chain(self.names("lines")).collect();
        for (index, name) in raw.lines.iter().enumerate() {
            self.resolve("line", name, at.get("lines").item(index), &known);
        }
        if raw.lines.is_empty() {
            let problem = at.get("lines").problem("no line that browsers may call");
            self.problems.push(problem.expected("`lines` with the names of those they may"));
        }
        let external = self.external(&raw.external, at.get("external"));
        let origins = self.origins(&raw.origins, at.get("origins"));
        let servers = at.get("ice_servers");
        let ice_servers =
            raw.ice_servers.iter().enumerate().map(|(n, server)| self.ice_server(server, servers.item(n))).collect();
        Some(Browser {
            listen: listen?,
            tls,
            udp: udp?,
            external,
            lines: raw.lines.clone(),
            origins,
            ice_servers,
            names: self.host_names(&raw.names, at.get("names")),
            proxies: self.proxies(&raw.proxies, at.get("proxies")),
            max_calls: raw.max_calls.unwrap_or(builtin::BROWSER_CALLS),
            calls_per_address: raw.calls_per_address.unwrap_or(builtin::BROWSER_CALLS_PER_ADDRESS),
            calls_per_minute: raw.calls_per_minute.unwrap_or(builtin::BROWSER_CALLS_PER_MINUTE),
            reconnect: raw.reconnect_s.map_or(builtin::RECONNECT, Duration::from_secs),
        })
    }

    pub(super) fn certificate(&mut self, tls: &raw::Certificate, at: At) -> (PathBuf, PathBuf) {
        let mut file = |key: &str, given: &str| {
            let (path, at) = (beside(at.file(), given), at.get(key));
            if !path.is_file() {
                let problem = at.problem(format!("there is no file {}", path.display()));
                self.problems.push(problem.expected("a file in PEM form"));
            }
            path
        };
        (file("certificate", &tls.certificate), file("key", &tls.key))
    }

    pub(super) fn external(&mut self, given: &[String], at: At) -> Vec<IpAddr> {
        let mut addresses: Vec<IpAddr> = vec![];
        for (index, text) in given.iter().enumerate() {
            match text.parse::<IpAddr>() {
                Ok(address) if addresses.iter().any(|other| other.is_ipv4() == address.is_ipv4()) => {
                    let problem = at.item(index).problem("a second address of this family");
                    self.problems.push(problem.expected("one of IPv4 and one of IPv6 at most"));
                }
                Ok(address) if !address.is_unspecified() => addresses.push(address),
                _ => {
                    let problem = at.item(index).problem(format!("\"{text}\" is no address the outside could use"));
                    self.problems.push(problem.expected("an IP address, such as `203.0.113.5`"));
                }
            }
        }
        addresses
    }

    pub(super) fn proxies(&mut self, given: &[String], at: At) -> Vec<IpNet> {
        let mut nets = vec![];
        for (index, text) in given.iter().enumerate() {
            match parse_net(text) {
                Some(net) => nets.push(net),
                None => {
                    let problem = at.item(index).problem(format!("\"{text}\" is no address or network"));
                    self.problems.push(problem.expected("such as `192.0.2.7` or `192.0.2.0/24`"));
                }
            }
        }
        nets
    }

    /// Names of hosts, without scheme and port.
    pub(super) fn host_names(&mut self, given: &[String], at: At) -> Vec<String> {
        let good = |name: &str| {
            let letters = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'.';
            !name.is_empty() && name.bytes().all(letters) && !name.starts_with('.')
        };
        for (index, name) in given.iter().enumerate().filter(|(_, name)| !good(name)) {
            let problem = at.item(index).problem(format!("\"{name}\" is no name of a host"));
            self.problems.push(problem.expected("such as `desk.example.org`, without `https://` and port"));
        }
        given.to_vec()
    }

    /// As browsers write them (RFC 6454, 6.2): no path, no default port, small letters.
    fn origins(&mut self, given: &[String], at: At) -> Vec<String> {
        let mut origins = vec![];
        for (index, text) in given.iter().enumerate() {
            let Some(url) = self.url(text.clone(), text, at.item(index)) else { continue };
            let origin = url.origin().ascii_serialization();
            if origin != *text {
                let problem = at.item(index).problem(format!("\"{text}\" is not how a browser names a site"));
                self.problems.push(problem.expected("scheme and host alone").remedy(format!("write `{origin}`")));
            }
            origins.push(origin);
        }
        origins
    }

    pub(super) fn ice_server(&mut self, raw: &raw::IceServer, at: At) -> IceServer {
        for (index, url) in raw.urls.iter().enumerate() {
            let good = ["stun:", "stuns:", "turn:", "turns:"].iter().any(|scheme| {
                let rest = url.strip_prefix(scheme);
                rest.is_some_and(|host| {
                    !host.is_empty() && host.bytes().all(|b| b.is_ascii_graphic() && !b"<>\"/".contains(&b))
                })
            });
            if !good {
                let problem = at.get("urls").item(index).problem(format!("\"{url}\" is no STUN or TURN server"));
                self.problems.push(problem.expected("such as `stun:stun.example.org` or `turns:turn.example.org:443`"));
            }
        }
        let login = match (&raw.username, &raw.password, &raw.secret) {
            (None, None, None) => None,
            (None, None, Some(secret)) => Some(IceLogin::Shared(self.secret(secret, at.get("secret")))),
            (Some(username), Some(password), None) => {
                let password = self.secret(password, at.get("password"));
                Some(IceLogin::Fixed { username: username.clone(), password })
            }
            _ => {
                let problem = at.problem("half a login, or two");
                self.problems.push(problem.expected("`secret` alone, or `username` with `password`"));
                None
            }
        };
        IceServer { urls: raw.urls.clone(), login }
    }

    /// What browsers are connected to cannot change under them.
    pub(super) fn unchanged_browser(&mut self, current: &Config, new: Option<&Browser>) {
        let fixed = |browser: &Browser| {
            (browser.listen, browser.tls.clone(), browser.udp, browser.external.clone(), browser.reconnect)
        };
        if current.browser.as_ref().map(fixed) != new.map(fixed) {
            let documents = &self.gathered.documents;
            let at = documents.iter().find_map(|document| document.sound().find("browser"));
            if let Some(at) = at.or(documents.first().map(|document| document.sound())) {
                let problem = at.problem("`browser` addresses, TLS and `reconnect_s` cannot change while calls are up");
                self.problems.push(problem.expected("what is running").remedy("restart to change it"));
            }
        }
    }
}

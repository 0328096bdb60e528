//! The agents' desk: where it is served, and that agents who talk by it have one.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

use super::check::Checker;
use super::problem::Problem;
use super::{Agent, Browser, Config, Console, Phone, builtin, raw};
use crate::console::AgentsHear;

/// The longest disposition or reason, letters.
const LONGEST: usize = 60;

impl Checker<'_> {
    pub(super) fn console(&mut self, browser: Option<&Browser>) -> Option<Console> {
        let (raw, at) = self.single("console", |file| file.console.as_ref())?;
        let text = raw.listen.as_deref().unwrap_or(builtin::CONSOLE_LISTEN);
        let listen = self.address(text, builtin::CONSOLE_LISTEN, Some(at.get("listen")));
        let tls = raw.tls.as_ref().map(|tls| self.certificate(tls, at.get("tls")));
        if let Some(listen) = listen.filter(|listen| !listen.ip().is_loopback())
            && tls.is_none()
            && raw.proxies.is_empty()
        {
            let problem = at.get("listen").problem(format!("passwords would come to {listen} in the clear"));
            self.problems.push(problem.expected("`tls` beside it, or the proxy that does HTTPS under `proxies`"));
        }
        let external = self.external(&raw.external, at.get("external"));
        let udp = match (&raw.udp, browser, listen) {
            (Some(text), ..) => self.address(text, builtin::CONSOLE_LISTEN, Some(at.get("udp"))),
            (None, Some(_), _) => None,
            (None, None, listen) => listen.map(|listen| SocketAddr::new(listen.ip(), builtin::CONSOLE_UDP_PORT)),
        };
        if udp.is_none() && !raw.external.is_empty() {
            let problem = at.get("external").problem("the sound goes by `browser`, which has its own `external`");
            self.problems.push(problem.expected("`udp` beside it").remedy("or leave it out"));
        }
        let servers = at.get("ice_servers");
        let mut ice_servers: Vec<_> =
            raw.ice_servers.iter().enumerate().map(|(n, server)| self.ice_server(server, servers.item(n))).collect();
        if ice_servers.is_empty() {
            ice_servers = browser.map(|browser| browser.ice_servers.clone()).unwrap_or_default();
        }
        for key in ["dispositions", "pauses"] {
            let given = if key == "pauses" { &raw.pauses } else { &raw.dispositions };
            for (index, name) in given.iter().enumerate() {
                if name.trim().is_empty() || name.chars().count() > LONGEST {
                    let problem = at.get(key).item(index).problem("this cannot be chosen from a list");
                    self.problems.push(problem.expected(format!("1 to {LONGEST} letters")));
                }
            }
        }
        let or = |given: &[String], default: [&str; 5]| match given.is_empty() {
            true => default.map(str::to_owned).to_vec(),
            false => given.to_vec(),
        };
        Some(Console {
            listen: listen?,
            tls,
            udp: udp.map(|udp| (udp, external)),
            ice_servers,
            names: self.host_names(&raw.names, at.get("names")),
            proxies: self.proxies(&raw.proxies, at.get("proxies")),
            dispositions: or(&raw.dispositions, builtin::DISPOSITIONS),
            pauses: or(&raw.pauses, builtin::PAUSES),
            transcript: raw.transcript.unwrap_or(true),
            session: raw.session_h.map_or(builtin::SESSION, |hours| Duration::from_secs(hours * 3_600)),
            agents_hear: match raw.agents_hear {
                Some(raw::AgentsHear::None) => AgentsHear::Nothing,
                Some(raw::AgentsHear::Earlier) => AgentsHear::Earlier,
                Some(raw::AgentsHear::Own) | None => AgentsHear::Own,
            },
            sound_lost: raw.sound_lost_s.map_or(builtin::SOUND_LOST, Duration::from_secs),
            page_silent: raw.page_silent_s.map_or(builtin::PAGE_SILENT, Duration::from_secs),
            page_back: raw.page_back_s.map_or(builtin::PAGE_BACK, Duration::from_secs),
            log_ins_per_minute: raw.log_ins_per_minute.unwrap_or(builtin::LOG_INS_PER_MINUTE),
        })
    }

    /// Who talks by the desk needs one.
    pub(super) fn desks(&mut self, agents: &BTreeMap<String, Agent>, console: Option<&Console>) {
        let without = console.is_none() && !self.names("console").is_empty();
        if console.is_some() || without {
            return; // there, or misshapen and reported
        }
        for (name, raw, at) in self.section("agents", |file| &file.agents) {
            if raw.desk == Some(true) && agents.get(name).is_some_and(|agent| agent.phone == Phone::Desk) {
                let problem = Problem::new(at.place_of("desk"), format!("there is no desk for agent `{name}`"));
                self.problems.push(problem.expected("the section `console`").remedy("write `console: {}`"));
            }
        }
    }

    /// What pages are connected to cannot change under them; relays are for calls to come.
    pub(super) fn unchanged_console(&mut self, current: &Config, new: Option<&Console>) {
        let connected = |console: &Console| Console { ice_servers: Vec::new(), ..console.clone() };
        if current.console.as_ref().map(connected) != new.map(connected) {
            let documents = &self.gathered.documents;
            let at = documents.iter().find_map(|document| document.sound().find("console"));
            if let Some(at) = at.or(documents.first().map(|document| document.sound())) {
                let problem = at.problem("`console` cannot change while people are logged in");
                self.problems.push(problem.expected("what is running").remedy("restart to change it"));
            }
        }
    }
}

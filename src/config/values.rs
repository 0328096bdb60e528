//! The checked configuration: what the engine works with. Every name it holds is resolved, every number in
//! range, every file there; it never changes, a reload makes another one.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, SocketAddr};
use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use ipnet::IpNet;

pub use super::raw::InbandKeys;
use crate::acd;
use crate::call::{Destination, HandoffBy};
use crate::dialog::Language;
use crate::dialog::flow::{Flow, Hours};
use crate::dialog::passages::Passage;
use crate::emotion::policy::Policy;
use crate::records::{Keys, Occasion};

#[derive(Clone, Debug, PartialEq)]
pub struct Config {
    /// By name; numbers do not overlap.
    pub lines: BTreeMap<String, Line>,
    pub agents: BTreeMap<String, Agent>,
    /// Each has at least one agent.
    pub queues: BTreeMap<String, Queue>,
    pub backends: BTreeMap<String, Backend>,
    /// Who is told what happens.
    pub webhooks: BTreeMap<String, Webhook>,
    /// What shows that a call is more than a call, and what comes of it.
    pub escalate: BTreeMap<acd::Reason, Escalation>,
    /// Who callers are, where that is known.
    pub people: Option<super::People>,
    /// So much earlier arrival outweighs one point of priority; `None`: none does.
    pub priority_point: Option<Duration>,
    /// What free questions are answered from, by name.
    pub knowledge: BTreeMap<String, Arc<Vec<Passage>>>,
    /// Numbers that agents may transfer to, and the trunk or SIP address of each.
    pub transfers: BTreeMap<String, String>,
    pub flows: BTreeMap<String, Arc<Flow>>,
    pub sip: Sip,
    pub trunks: BTreeMap<String, Trunk>,
    pub records: Records,
    pub speech: Speech,
    pub http: Http,
    /// Calls from web pages, where there are any.
    pub browser: Option<Browser>,
    /// The agents' desk, where there is one.
    pub console: Option<Console>,
    /// Rewrites summaries, when there is one.
    pub llm: Option<Llm>,
    /// After SIGTERM: how long live calls may take to finish or to be handed over.
    pub drain: Duration,
    /// Every file that was read, to watch for changes.
    pub files: Vec<PathBuf>,
}

impl Config {
    /// The line that a dialled number (user part of the request URI) reaches.
    pub fn line_for(&self, dialled: &str) -> Option<&Line> {
        let exact = |line: &&Line| line.numbers.iter().any(|number| number == dialled);
        let any = |line: &&Line| line.numbers.iter().any(|number| number == Line::ANY);
        self.lines.values().find(exact).or_else(|| self.lines.values().find(any))
    }

    /// Whether a line names this number (and does not just take all that others leave).
    pub fn is_line(&self, dialled: &str) -> bool {
        self.lines.values().any(|line| line.numbers.iter().any(|number| number == dialled))
    }

    /// Where an agent's telephone may have a caller connected to: an agent by name or user, a queue, or a number that the
    /// rules allow. Nothing else.
    pub fn destination(&self, to: &str) -> Option<Destination> {
        let user = |agent: &&Agent| matches!(&agent.phone, Phone::Registers { user, .. } if user == to);
        if let Some(agent) = self.agents.get(to).or_else(|| self.agents.values().find(user)) {
            return Some(Destination::Agent { agent: agent.name.clone() });
        }
        if self.queues.contains_key(to) {
            return Some(Destination::Queue { queue: to.to_owned() });
        }
        self.outside(to).map(|_| Destination::Outside { number: to.to_owned() })
    }

    /// How an outside number is reached, by the longest pattern that fits.
    pub fn outside(&self, number: &str) -> Option<Phone> {
        let plain = !number.is_empty() && number.chars().all(|c| c.is_ascii_digit() || "+*#".contains(c));
        let fits = |pattern: &&String| match pattern.strip_suffix('*') {
            Some(prefix) => number.starts_with(prefix) && number.len() > prefix.len(),
            None => number == *pattern,
        };
        let best = self.transfers.keys().filter(fits).max_by_key(|pattern| (!pattern.ends_with('*'), pattern.len()));
        let by = best.filter(|_| plain).map(|pattern| &self.transfers[pattern])?;
        Some(match self.trunks.contains_key(by) {
            true => Phone::Outside { number: number.to_owned(), trunk: by.clone() },
            false => Phone::At { uri: by.replace("{number}", number) },
        })
    }

    /// The zone by whose midnights days are counted: that of the first opening hours of a queue, else of a flow, else UTC.
    pub fn zone(&self) -> chrono_tz::Tz {
        let queues = self.queues.values().flat_map(|queue| {
            let calls = queue.callback.as_ref().and_then(|callback| callback.hours.as_ref());
            queue.hours.iter().chain(calls)
        });
        let flows = self.flows.values().flat_map(|flow| flow.hours.values());
        queues.chain(flows).next().map_or(chrono_tz::UTC, |hours| hours.zone)
    }

    /// The flow of a line.
    pub fn flow_of(&self, line: &Line) -> &Arc<Flow> {
        &self.flows[&line.flow] // `load` admits no line without its flow
    }

    /// The queue whose people take a caller who comes to this one at this time: its own, or the one that stands in for it; none:
    /// nobody is there. `empty` are queues without anybody.
    pub fn taken_by<'q>(&'q self, queue: &'q str, at: DateTime<Utc>, empty: &BTreeSet<String>) -> Option<&'q str> {
        let mut name = queue;
        for _ in 0..=self.queues.len() {
            let Some(queue) = self.queues.get(name) else { return Some(name) };
            let closed = queue.hours.as_ref().is_some_and(|hours| !hours.open_at(at));
            if !closed && !empty.contains(name) {
                return Some(name);
            }
            let helps = |overflow: &&acd::Overflow| match overflow.when {
                acd::When::Closed => closed,
                acd::When::NobodyThere => !closed,
                _ => false,
            };
            match queue.overflow.iter().find(helps).map(|overflow| &overflow.to) {
                Some(acd::Outlet::Queue(other)) => name = other,
                _ => return None,
            }
        }
        None
    }

    /// It as it runs there: in the line's language, with its care for callers in distress, and with what the house does.
    pub fn flow_on(&self, line: &Line) -> Flow {
        let flow = self.flow_of(line).in_language(&line.language);
        Flow { emotion: line.emotion.clone(), recorded: self.records.recording, ..flow }
    }
}

/// A number that callers dial.
#[derive(Clone, Debug, PartialEq)]
pub struct Line {
    pub name: String,
    /// User parts of the request URI that reach it; `*` takes every number that no other line has.
    pub numbers: Vec<String>,
    /// Name of its flow.
    pub flow: String,
    /// Language spoken first; one of the flow's.
    pub language: Language,
    /// What is done for callers in distress; none: nobody listens for it.
    pub emotion: Option<Policy>,
    /// The first prompt is heard before the answer.
    pub early_media: bool,
}

impl Line {
    /// The number that stands for every other number.
    pub const ANY: &'static str = "*";
}

/// A person with a telephone.
#[derive(Clone, Debug, PartialEq)]
pub struct Agent {
    pub name: String,
    pub display_name: String,
    pub phone: Phone,
    pub skills: BTreeSet<String>,
    /// 1 to 10, for each of the skills.
    pub skill_levels: BTreeMap<String, u8>,
    pub languages: BTreeSet<Language>,
    /// Names of the queues whose calls they take.
    pub queues: BTreeSet<String>,
}

/// How an agent's telephone is reached.
#[derive(Clone, Debug, PartialEq)]
pub enum Phone {
    /// It registers here, by digest authentication.
    Registers { user: String, password: Secret },
    /// It is always at this SIP URI.
    At { uri: String },
    /// It has this number of the public network, which is called by a trunk.
    Outside { number: String, trunk: String },
    /// There is none: the agent talks by the browser that shows the desk.
    Desk,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Queue {
    pub name: String,
    /// Names of the agents who take its calls.
    pub agents: BTreeSet<String>,
    /// Skills that every call of this queue asks for, besides those of its transfer.
    pub skills: BTreeSet<String>,
    /// How long one agent's phone rings.
    pub ring_timeout: Duration,
    /// How long a caller waits before being told that nobody is free.
    pub max_wait: Duration,
    /// How long an agent stays free of calls after one.
    pub wrap_up: Duration,
    pub strategy: acd::Strategy,
    /// How many calls may wait.
    pub max_calls: Option<usize>,
    pub overflow: Vec<acd::Overflow>,
    /// Callers get the agent whom they had last.
    pub same_agent: Option<acd::Sticky>,
    pub waiting: Waiting,
    /// The agent hears a short spoken briefing before the caller is put through.
    pub briefing: bool,
    pub handoff: HandoffBy,
    /// How its callers are called back; none: they are not.
    pub callback: Option<Callback>,
    /// Callers whom nobody takes may leave a message.
    pub messages: bool,
    /// When callers are put through; none: whenever somebody is there.
    pub hours: Option<Hours>,
    /// What a call keeps an agent, wrap-up included, until history tells.
    pub handling: Option<Duration>,
}

/// What shows that a call is more than a call, and what comes of it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Escalation {
    /// Callers' numbers, or how they begin.
    pub numbers: Vec<String>,
    /// Intents that were chosen.
    pub intents: BTreeSet<String>,
    /// The caller's words say so.
    pub words: bool,
    /// Where it goes.
    pub queue: Option<String>,
    /// Added to its priority.
    pub points: i32,
}

/// How a queue's callers are called back.
#[derive(Clone, Debug, PartialEq)]
pub struct Callback {
    pub trunk: String,
    /// How numbers begin that may be called.
    pub numbers: Vec<String>,
    /// They are asked after waiting so long.
    pub offer_after: Duration,
    pub terms: acd::Callbacks,
    /// When they are called; none: at any time.
    pub hours: Option<Hours>,
}

/// What a waiting caller hears.
#[derive(Clone, Debug, PartialEq)]
pub enum Waiting {
    /// The ringing tone of the line's country.
    Ringing,
    /// A sound file, over and over.
    File(PathBuf),
}

/// An HTTP endpoint that answers one question.
#[derive(Clone, Debug, PartialEq)]
pub struct Backend {
    pub name: String,
    /// With `{parameter}` in path or query, filled (percent-encoded) from the step's `with`; parameters without
    /// a place in it become query parameters (GET) or the JSON body's fields (POST).
    pub url: String,
    pub method: Method,
    /// For all attempts together.
    pub timeout: Duration,
    /// Further attempts after a connection error, a time-out or a 5xx status.
    pub retries: u32,
    /// A POST is done once, however often it comes with the same key.
    pub idempotent: bool,
    /// Signs every request.
    pub signing_secret: Option<Secret>,
    pub headers: BTreeMap<String, Secret>,
}

/// An HTTP address that is told what happens.
#[derive(Clone, Debug, PartialEq)]
pub struct Webhook {
    pub name: String,
    pub url: String,
    /// As it is written down; for `web::signature`.
    pub secret: Secret,
    pub occasions: BTreeSet<Occasion>,
    /// It is told personal data.
    pub personal: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    Get,
    Post,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Sip {
    /// UDP and TCP; at least one.
    pub listen: Vec<SocketAddr>,
    pub tls: Tls,
    /// How phones may prove themselves, in order.
    pub digest: Vec<Digest>,
    /// How often registered phones are asked whether they are there; zero: never.
    pub keep_alive: Duration,
    pub limits: Limits,
    /// Name servers; empty: the system's.
    pub dns: Vec<SocketAddr>,
    /// The address to put into SDP and Contact, behind NAT.
    pub external: Option<IpAddr>,
    /// Media ports; the first is even.
    pub rtp_ports: RangeInclusive<u16>,
    /// Who may send calls without being a registered agent. Empty only when listening on loopback.
    pub allow: Vec<IpNet>,
    /// Calls at once.
    pub max_calls: usize,
    /// A call is over when nothing has arrived for this long.
    pub media_timeout: Duration,
    pub inband_keys: InbandKeys,
    /// Session timers (RFC 4028), seconds: asked for (0: none), and the least admitted.
    pub session_expires_s: u32,
    pub min_session_expires_s: u32,
    /// Ringing is told reliably to every caller that understands it.
    pub reliable_ringing: bool,
    /// Codecs, encryption, silence.
    pub sound: crate::sip::Preferences,
}

/// TLS; empty where it is not wanted.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Tls {
    /// Only with an identity.
    pub listen: Vec<SocketAddr>,
    /// Certificate and key.
    pub identity: Option<(PathBuf, PathBuf)>,
    pub authorities: Option<PathBuf>,
    pub client_authorities: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Digest {
    Sha256,
    Md5,
}

/// What one address may send.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Limits {
    pub requests_per_s: u32,
    pub invites_per_s: u32,
    pub block: Duration,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transport {
    Udp,
    Tcp,
    Tls,
}

/// A way to the public network.
#[derive(Clone, Debug, PartialEq)]
pub struct Trunk {
    pub name: String,
    /// A domain, or an address.
    pub host: String,
    pub port: Option<u16>,
    pub user: Option<String>,
    pub password: Option<Secret>,
    pub transport: Option<Transport>,
    /// How long a registration shall hold; none: we do not register.
    pub register: Option<Duration>,
    /// Empty: the addresses of `host`.
    pub allow: Vec<IpNet>,
    /// Zero: never.
    pub keep_alive: Duration,
    pub number: Option<String>,
}

impl Sip {
    /// Whether a caller at this address may place calls.
    pub fn allows(&self, address: IpAddr) -> bool {
        allows(&self.allow, address)
    }
}

/// An empty list admits this machine only.
fn allows(list: &[IpNet], address: IpAddr) -> bool {
    let address = address.to_canonical();
    if list.is_empty() { address.is_loopback() } else { list.iter().any(|net| net.contains(&address)) }
}

/// A range of addresses from `192.0.2.0/24`, or one address from `192.0.2.7`.
pub(super) fn parse_net(text: &str) -> Option<IpNet> {
    text.parse().ok().or_else(|| text.parse::<IpAddr>().ok().map(IpNet::from))
}

#[derive(Clone, Debug, PartialEq)]
pub struct Records {
    /// Database and recordings.
    pub folder: PathBuf,
    /// Whether calls are recorded as sound.
    pub recording: bool,
    /// Seals them: one or several keys, for `records::Keys`.
    pub key: Option<Secret>,
    /// Days that calls are kept.
    pub keep_days: Option<u32>,
}

impl Records {
    /// The keys that seal and unseal; none where there is no key, or where it was not needed and is missing.
    pub fn keys(&self) -> Keys {
        self.key.as_ref().and_then(|key| Keys::parse(key.expose()).ok()).unwrap_or_default()
    }
}

#[derive(Clone, Debug, PartialEq)]
pub struct Speech {
    /// Threads that run speech models.
    pub workers: usize,
    /// Of every language that a flow speaks.
    pub languages: BTreeMap<Language, SpeechLanguage>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct SpeechLanguage {
    /// Model file of the recogniser.
    pub ear: String,
    /// Model of the voice; `None`: the language speaks by recordings only.
    pub voice: Option<String>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Http {
    /// Metrics and health; `None` when switched off.
    pub listen: Option<SocketAddr>,
    pub allow: Vec<IpNet>,
}

impl Http {
    pub fn allows(&self, address: IpAddr) -> bool {
        allows(&self.allow, address)
    }
}

/// Calls from web pages.
#[derive(Clone, Debug, PartialEq)]
pub struct Browser {
    pub listen: SocketAddr,
    /// Certificate chain and key.
    pub tls: Option<(PathBuf, PathBuf)>,
    pub udp: SocketAddr,
    /// One of each family at most.
    pub external: Vec<IpAddr>,
    /// Names of lines; at least one.
    pub lines: Vec<String>,
    /// Scheme, host and port, as browsers write them.
    pub origins: Vec<String>,
    pub ice_servers: Vec<IceServer>,
    pub names: Vec<String>,
    pub proxies: Vec<IpNet>,
    pub max_calls: usize,
    pub calls_per_address: usize,
    pub calls_per_minute: u32,
    pub reconnect: Duration,
}

/// The agents' desk.
#[derive(Clone, Debug, PartialEq)]
pub struct Console {
    pub listen: SocketAddr,
    /// Certificate chain and key.
    pub tls: Option<(PathBuf, PathBuf)>,
    /// The sound's own socket and the addresses it is told by; none: `browser`'s.
    pub udp: Option<(SocketAddr, Vec<IpAddr>)>,
    pub ice_servers: Vec<IceServer>,
    pub names: Vec<String>,
    pub proxies: Vec<IpNet>,
    pub dispositions: Vec<String>,
    pub pauses: Vec<String>,
    /// Conversations of caller and agent are read along.
    pub transcript: bool,
    pub session: Duration,
    pub log_ins_per_minute: u32,
    pub agents_hear: crate::console::AgentsHear,
    /// An agent's sound may be gone, a page be silent, and an agent away for so long.
    pub sound_lost: Duration,
    pub page_silent: Duration,
    pub page_back: Duration,
}

/// A STUN or TURN server.
#[derive(Clone, Debug, PartialEq)]
pub struct IceServer {
    pub urls: Vec<String>,
    pub login: Option<IceLogin>,
}

/// How pages log in to a TURN server.
#[derive(Clone, Debug, PartialEq)]
pub enum IceLogin {
    Fixed {
        username: String,
        password: Secret,
    },
    /// Each page by a login of its own, made from this.
    Shared(Secret),
}

/// An OpenAI-compatible endpoint.
#[derive(Clone, Debug, PartialEq)]
pub struct Llm {
    /// Base, ending before `/chat/completions`.
    pub url: String,
    pub model: String,
    pub key: Option<Secret>,
    pub timeout: Duration,
}

/// A password, key or header that no log, error or debug print shows.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Arc<str>);

impl Secret {
    pub fn new(secret: &str) -> Self {
        Self(secret.into())
    }

    /// The secret itself, for the one place that needs it. Empty when it was optional and is missing.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_list_admits_this_machine_only() {
        let here = "127.0.0.1".parse().unwrap();
        let mapped = "::ffff:192.0.2.7".parse().unwrap();
        let far = "203.0.113.1".parse().unwrap();
        assert!(allows(&[], here) && !allows(&[], far));
        let list = [parse_net("192.0.2.7").unwrap(), parse_net("2001:db8::/32").unwrap()];
        assert!(allows(&list, mapped) && !allows(&list, far) && !allows(&list, here));
    }

    #[test]
    fn a_secret_is_not_printed() {
        assert!(!format!("{:?}", Secret::new("hunter2")).contains("hunter2"));
    }
}

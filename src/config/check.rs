//! Does a well-shaped configuration make sense? Names resolved, numbers disjoint, doors closed, files there.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use super::flows::Written;
use super::gather::Gathered;
use super::problem::Problem;
use super::raw::{self, File, FlowRef};
use super::tree::At;
use super::{
    Agent, Backend, Callback, Config, Http, Line, Llm, Meaning, Phone, Queue, Records, Secret, Secrets, Sip, Speech,
    SpeechLanguage, Waiting, builtin, emotion, flows,
};
use crate::acd;
use crate::call::HandoffBy;
use crate::dialog::Language;
use crate::dialog::flow::Flow;
use crate::records::Keys;

/// The configuration; where there are problems it may be incomplete or none.
pub(super) fn check(
    gathered: &Gathered,
    secrets: Secrets,
    current: Option<&Config>,
    meaning: Option<Meaning>,
    problems: &mut Vec<Problem>,
) -> Option<Config> {
    let mut checker = Checker { gathered, secrets, meaning, problems };
    let speech = checker.speech();
    let agents = checker.agents();
    let queues = checker.queues(&agents);
    let backends = checker.backends();
    let (people, people_file) = checker.people();
    let (knowledge, knowledge_files) = checker.knowledge();
    let webhooks = checker.webhooks();
    let transfers = checker.transfers();
    let priority_point = checker.single("priority_point_s", |file| file.priority_point_s.as_ref());
    let flows = checker.flows(&agents, &queues, &backends, people.as_ref(), &speech);
    let lines = checker.lines(&flows, &agents, &queues);
    let escalate = checker.escalate(&flows, &lines);
    let (sip, http) = (checker.sip(), checker.http());
    let browser = checker.browser(&lines);
    let console = checker.console(browser.as_ref());
    checker.desks(&agents, console.as_ref());
    let trunks = checker.trunks();
    let records = checker.records();
    let llm = checker.llm();
    let drain = checker.single("drain_s", |file| file.drain_s.as_ref());
    if let Some(current) = current {
        checker.unchanged_browser(current, browser.as_ref());
        checker.unchanged_console(current, console.as_ref());
        checker.unchanged(current, &sip, &http, &records, &spoken(&flows, &speech), speech.workers);
    }
    let config = Config {
        lines,
        agents,
        queues,
        backends,
        webhooks,
        escalate,
        people,
        priority_point: priority_point.map(|(&seconds, _)| Duration::from_secs(seconds)),
        knowledge: knowledge.into_iter().map(|(name, passages)| (name, Arc::new(passages))).collect(),
        transfers,
        speech: Speech { languages: spoken(&flows, &speech), workers: speech.workers },
        flows: flows.into_iter().map(|(name, flow)| (name, Arc::new(flow))).collect(),
        sip: sip?,
        trunks,
        records,
        http: http?,
        browser,
        console,
        llm,
        drain: drain.map_or(builtin::DRAIN, |(&seconds, _)| Duration::from_secs(seconds)),
        files: gathered.files.iter().cloned().chain(knowledge_files).chain(people_file).collect(),
    };
    Some(config)
}

/// The languages of the flows, each with its models.
fn spoken(flows: &BTreeMap<String, Flow>, speech: &Speech) -> BTreeMap<Language, SpeechLanguage> {
    flows.values().flat_map(flows::languages).map(|language| (language.clone(), models(speech, &language))).collect()
}

/// A language's models: as configured, else built in.
pub(super) fn models(speech: &Speech, language: &Language) -> SpeechLanguage {
    speech.languages.get(language).cloned().unwrap_or_else(|| SpeechLanguage {
        ear: builtin::EAR.into(),
        voice: builtin::voice(language).map(str::to_owned),
    })
}

pub(super) struct Checker<'g> {
    pub(super) gathered: &'g Gathered,
    secrets: Secrets,
    meaning: Option<Meaning<'g>>,
    pub(super) problems: &'g mut Vec<Problem>,
}

impl<'g> Checker<'g> {
    fn agents(&mut self) -> BTreeMap<String, Agent> {
        let known = self.names("queues");
        let mut users: BTreeMap<String, String> = BTreeMap::new();
        let mut agents = BTreeMap::new();
        for (name, raw, at) in self.section("agents", |file| &file.agents) {
            for (queue, at) in raw.queues.iter().zip(at.get("queues").items()) {
                self.resolve("queue", queue, at, &known);
            }
            let languages = raw.languages.iter().zip(at.get("languages").items());
            let languages = languages.filter_map(|(tag, at)| self.language(tag, at)).collect();
            let user = raw.user.as_ref().map_or(name, |user| &user.0).to_owned();
            if let (Some(_), None) = (&raw.trunk, &raw.uri) {
                let problem = at.get("trunk").problem(format!("agent `{name}` has a trunk but no number"));
                self.problems.push(problem.expected("the number under `uri`, such as `uri: tel:+49301234`"));
            }
            let phone = match (&raw.password, &raw.uri) {
                (None, None) if raw.desk == Some(true) => Some(Phone::Desk),
                _ if raw.desk == Some(true) => {
                    let problem =
                        Problem::new(at.place_of("desk"), format!("agent `{name}` has a telephone and `desk`"));
                    let remedy = "leave `desk` out: every agent with an account has a desk, whatever they talk by";
                    self.problems.push(problem.expected("one").remedy(remedy));
                    None
                }
                (Some(password), None) => {
                    if let Some(other) = users.insert(user.clone(), name.to_owned()) {
                        let problem = at.get("user").problem(format!("agent `{other}` registers as `{user}` too"));
                        self.problems.push(problem.expected("a user name of its own"));
                    }
                    if user.is_empty() || !user.chars().all(|c| c.is_ascii_alphanumeric() || "-_.+".contains(c)) {
                        let problem = at.get("user").problem(format!("`{user}` cannot be a SIP user name"));
                        self.problems
                            .push(problem.expected("letters, digits, `-`, `_`, `.`, `+`").remedy("give a `user`"));
                    }
                    Some(Phone::Registers { user, password: self.secret(password, at.get("password")) })
                }
                (None, Some(uri)) => match &raw.trunk {
                    Some(trunk) => self.outside(uri, trunk, at),
                    None => self.sip_uri(uri, at.get("uri")).then(|| Phone::At { uri: uri.clone() }),
                },
                (Some(_), Some(_)) => {
                    let problem =
                        Problem::new(at.place_of("uri"), format!("agent `{name}` has both `password` and `uri`"));
                    self.problems.push(problem.expected("one").remedy("keep `password` if the phone registers here"));
                    None
                }
                (None, None) => {
                    let problem = Problem::new(at.name_place(), format!("agent `{name}` has no telephone"));
                    let problem = problem.expected("a `password` to register with, a `uri`, or `desk: true`");
                    let misshapen = ["password", "uri"].iter().any(|key| self.wrote("agents", name, key));
                    self.problems.extend((!misshapen).then_some(problem));
                    None
                }
            };
            let agent = Agent {
                name: name.into(),
                display_name: raw.display_name.clone().unwrap_or_else(|| name.into()),
                phone: phone.unwrap_or(Phone::At { uri: String::new() }), // reported above
                skills: raw.skills.iter().cloned().collect(),
                skill_levels: self.levels(raw, at),
                languages,
                queues: raw.queues.iter().cloned().collect(),
            };
            agents.insert(name.to_owned(), agent);
        }
        agents
    }

    fn levels(&mut self, raw: &raw::Agent, at: At) -> BTreeMap<String, u8> {
        for skill in raw.skill_levels.keys().filter(|skill| !raw.skills.contains(skill)) {
            let problem = Problem::new(at.get("skill_levels").place_of(skill), format!("there is no skill `{skill}`"));
            let problem = problem.expected("one of the agent's `skills`");
            self.problems.push(problem.suggest(skill, raw.skills.iter().map(String::as_str)));
        }
        let level = |skill: &String| raw.skill_levels.get(skill).map_or(builtin::SKILL_LEVEL, |level| level.0);
        raw.skills.iter().map(|skill| (skill.clone(), level(skill))).collect()
    }

    /// When another queue helps out, as the floor's rules.
    fn overflow(&mut self, queue: &str, raw: &raw::Overflow, hours: bool, at: At) -> Vec<acd::Overflow> {
        let known = self.names("queues");
        self.resolve("queue", &raw.to, at.get("to"), &known);
        if raw.to == queue {
            let problem = at.get("to").problem(format!("queue `{queue}` cannot help itself"));
            self.problems.push(problem.expected("another queue"));
        }
        let waited = raw.after_s.map(|seconds| acd::When::Waited(seconds * 1_000));
        let length = raw.calls.map(|calls| acd::When::Length(calls as usize));
        let closed = (raw.closed == Some(true)).then_some(acd::When::Closed);
        if closed.is_some() && !hours {
            let problem = at.get("closed").problem(format!("queue `{queue}` is never closed"));
            self.problems.push(problem.expected("the queue's `hours`"));
        }
        if waited.or(length).or(closed).is_none() {
            let problem = Problem::new(at.place_of("to"), format!("queue `{queue}` overflows at no time"));
            self.problems.push(problem.expected("some of `after_s`, `calls` and `closed`"));
        }
        let to = |when| acd::Overflow { when, to: acd::Outlet::Queue(raw.to.clone()) };
        closed.into_iter().chain(waited).chain(length).map(to).collect()
    }

    /// How callers are called back.
    fn callback(&mut self, raw: &raw::Callback, at: At) -> Callback {
        let known = self.names("trunks");
        self.resolve("trunk", &raw.trunk, at.get("trunk"), &known);
        self.number_patterns(&raw.numbers, at);
        let ms = |given: Option<u64>, default: u64| given.unwrap_or(default) * 1_000;
        Callback {
            trunk: raw.trunk.clone(),
            numbers: raw.numbers.iter().map(|number| number.0.clone()).collect(),
            offer_after: raw.offer_after_s.map_or(builtin::OFFER_AFTER, Duration::from_secs),
            terms: acd::Callbacks {
                attempts: raw.attempts.unwrap_or(3),
                retry_ms: ms(raw.retry_s, 900),
                ring_ms: ms(raw.ring_s, 30),
                within_ms: ms(raw.within_h, 24) * 3_600,
            },
            hours: raw.hours.as_ref().and_then(|raw| flows::opening_hours(raw, at.get("hours"), self.problems)),
        }
    }

    /// `numbers`: whole ones, or how they begin.
    pub(super) fn number_patterns(&mut self, numbers: &[raw::Word], at: At) {
        for (number, at) in numbers.iter().zip(at.get("numbers").items()) {
            let digits = number.0.strip_suffix('*').unwrap_or(&number.0);
            let plain = digits.strip_prefix('+').unwrap_or(digits);
            if plain.is_empty() || !plain.bytes().all(|c| c.is_ascii_digit()) {
                let problem = at.problem(format!("\"{}\" is no beginning of telephone numbers", number.0));
                self.problems.push(problem.expected("digits, with `*` behind for all that begin so: `+4420*`, `020*`"));
            }
        }
    }

    fn queues(&mut self, agents: &BTreeMap<String, Agent>) -> BTreeMap<String, Queue> {
        let all_agents_known = agents.len() == self.names("agents").len();
        let mut queues = BTreeMap::new();
        for (name, raw, at) in self.section("queues", |file| &file.queues) {
            let members: BTreeSet<String> =
                agents.values().filter(|agent| agent.queues.contains(name)).map(|agent| agent.name.clone()).collect();
            let skills: BTreeSet<String> = raw.skills.iter().cloned().collect();
            if all_agents_known && members.is_empty() {
                let problem = Problem::new(at.name_place(), format!("nobody takes the calls of queue `{name}`"));
                self.problems.push(problem.expected(format!("an agent with `queues: [{name}]`")));
            } else if all_agents_known && !skills.is_empty() {
                self.able(name, &skills, agents, at.get("skills"));
            }
            let seconds = |given: Option<u64>, default| given.map_or(default, Duration::from_secs);
            let ring_timeout = seconds(raw.ring_timeout_s, builtin::RING_TIMEOUT);
            let max_wait = seconds(raw.max_wait_s, builtin::MAX_WAIT);
            if ring_timeout > max_wait {
                let found = format!("`max_wait_s` ({}) is shorter than one ring", max_wait.as_secs());
                let place = if raw.max_wait_s.is_some() { at.get("max_wait_s") } else { at.get("ring_timeout_s") };
                self.problems.push(place.problem(found).expected(format!("at least {}", ring_timeout.as_secs())));
            }
            let waiting = match &raw.waiting {
                Some(raw::Waiting::File(sound)) => {
                    Waiting::File(self.sound(&sound.file, at.get("waiting").get("file")))
                }
                Some(raw::Waiting::Known(raw::WaitingSound::Ringing)) | None => Waiting::Ringing,
            };
            let handoff = match raw.handoff {
                None | Some(raw::Handoff::Bridge) => HandoffBy::Bridge,
                Some(raw::Handoff::Refer) => HandoffBy::Refer,
                Some(raw::Handoff::Attended) => HandoffBy::Attended,
            };
            let registers =
                |member: &&String| agents.get(*member).is_some_and(|agent| !matches!(agent.phone, Phone::At { .. }));
            if let (HandoffBy::Refer, Some(member)) = (handoff, members.iter().find(registers)) {
                let problem =
                    at.get("handoff").problem(format!("agent `{member}` has no address that callers could call"));
                self.problems.push(problem.expected("agents with a `uri`").remedy("or choose `handoff: bridge`"));
            }
            let strategy = match raw.strategy {
                None | Some(raw::Strategy::LongestIdle) => acd::Strategy::LongestIdle,
                Some(raw::Strategy::LeastOccupied) => acd::Strategy::LeastOccupied,
                Some(raw::Strategy::BestSkill) => acd::Strategy::BestSkill,
            };
            let overflow = raw.overflow.as_ref();
            let overflow = overflow.map(|over| self.overflow(name, over, raw.hours.is_some(), at.get("overflow")));
            if raw.hours.is_some() && raw.messages == Some(false) && raw.callback.is_none() {
                let found = format!("queue `{name}` has nothing to offer who calls outside its hours");
                let problem = Problem::new(at.place_of("hours"), found).expected("a `callback` or `messages`");
                self.problems.push(problem.remedy("leave `messages: false` out: callers may leave a message then"));
            }
            let same_agent = raw.same_agent.as_ref().map(|raw| acd::Sticky {
                within_ms: raw.within_h * 3_600_000,
                hold_ms: raw.wait_s.unwrap_or(0) * 1_000,
            });
            let queue = Queue {
                name: name.into(),
                strategy,
                max_calls: raw.max_calls.map(|calls| calls as usize),
                overflow: overflow.unwrap_or_default(),
                same_agent,
                agents: members,
                skills,
                ring_timeout,
                max_wait,
                wrap_up: seconds(raw.wrap_up_s, builtin::WRAP_UP),
                waiting,
                briefing: raw.briefing.unwrap_or(true),
                handoff,
                callback: raw.callback.as_ref().map(|raw| self.callback(raw, at.get("callback"))),
                messages: raw.messages.unwrap_or(true),
                hours: raw.hours.as_ref().and_then(|raw| flows::opening_hours(raw, at.get("hours"), self.problems)),
                handling: raw.handling_s.map(Duration::from_secs),
            };
            queues.insert(name.to_owned(), queue);
        }
        queues
    }

    /// Reports skills that no single member of a queue has.
    fn able(&mut self, queue: &str, skills: &BTreeSet<String>, agents: &BTreeMap<String, Agent>, at: At) {
        self.problems.extend(flows::unable(queue, skills, agents, at));
    }

    fn transfers(&mut self) -> BTreeMap<String, String> {
        let mut transfers = BTreeMap::new();
        let gathered = self.gathered;
        for document in &gathered.documents {
            let whole = document.sound().get("transfers");
            for (pattern, uri) in &document.read.transfers {
                let prefix = pattern.strip_suffix('*').unwrap_or(pattern);
                if prefix.is_empty() || !prefix.chars().all(|c| c.is_ascii_digit() || "+#".contains(c)) {
                    let problem =
                        Problem::new(whole.place_of(pattern), format!("\"{pattern}\" is no pattern of numbers"));
                    self.problems.push(problem.expected("digits, with `+` in front and `*` at the end: `\"+4930*\"`"));
                }
                if self.names("trunks").contains(uri.as_str()) {
                    transfers.insert(pattern.clone(), uri.clone());
                    continue;
                }
                if !uri.contains("{number}") && pattern.ends_with('*') {
                    let problem = whole.get(pattern).problem("every number would reach the same address");
                    self.problems.push(problem.expected("`{number}` in it: `sip:{number}@192.0.2.1`"));
                }
                self.sip_uri(&uri.replace("{number}", "1"), whole.get(pattern));
                transfers.insert(pattern.clone(), uri.clone());
            }
        }
        transfers
    }

    /// Names of all flows, the faulty ones' too.
    pub(super) fn flow_names(&self) -> BTreeSet<&'g str> {
        let gathered = self.gathered;
        let here = gathered.documents.iter().flat_map(|document| document.whole().get("flows").items());
        let alone = gathered.flow_files.iter().map(|flow| flow.whole());
        here.chain(alone).filter_map(|flow| flow.find("flow").and_then(At::text)).collect()
    }

    fn flows(
        &mut self,
        agents: &BTreeMap<String, Agent>,
        queues: &BTreeMap<String, Queue>,
        backends: &BTreeMap<String, Backend>,
        people: Option<&super::People>,
        speech: &Speech,
    ) -> BTreeMap<String, Flow> {
        let mut all = vec![];
        for document in &self.gathered.documents {
            let flows = document.read.flows.iter().zip(document.sound().get("flows").items());
            for (flow, at) in flows {
                if let FlowRef::Here(flow) = flow {
                    let named = |whole: &At| whole.find("flow").and_then(At::text) == Some(&flow.flow);
                    let whole = document.whole().get("flows").items().find(named).unwrap_or(at);
                    all.push(Written { raw: flow, at, whole });
                }
            }
        }
        let files = self.gathered.flow_files.iter();
        all.extend(files.map(|flow| Written { raw: &flow.read, at: flow.sound(), whole: flow.whole() }));
        let house = flows::House {
            flows: all.iter().map(|written| (written.raw.flow.as_str(), *written)).collect(),
            flow_names: self.flow_names(),
            called: flows::called(all.iter().map(|written| written.raw)),
            queues,
            queue_names: self.names("queues"),
            agents,
            agents_known: agents.len() == self.names("agents").len(),
            backends,
            people,
            backend_names: self.names("backends"),
            knowledge_names: self.names("knowledge"),
            llm: self.gathered.documents.iter().any(|document| document.whole().find("llm").is_some()),
            speech,
            meaning: self.meaning,
        };
        let mut flows: BTreeMap<String, (Flow, At)> = BTreeMap::new();
        for written in all {
            let Written { raw, at, .. } = written;
            let before = self.problems.len();
            let flow = flows::check(written, &house, self.problems);
            // What is wrong in a called flow is found by each of its callers.
            let found = self.problems.split_off(before);
            let news = found.into_iter().filter(|problem| !self.problems.contains(problem)).collect::<Vec<_>>();
            self.problems.extend(news);
            if let Some((_, first)) = flows.get(&raw.flow) {
                let problem = at.get("flow").problem(format!("there is another flow `{}`", raw.flow));
                self.problems.push(
                    problem.expected("each name once").remedy(format!("the first is in {}", first.file().display())),
                );
            } else {
                flows.insert(raw.flow.clone(), (flow, at));
            }
        }
        flows.into_iter().map(|(name, (flow, _))| (name, flow)).collect()
    }

    fn lines(
        &mut self,
        flows: &BTreeMap<String, Flow>,
        agents: &BTreeMap<String, Agent>,
        queues: &BTreeMap<String, Queue>,
    ) -> BTreeMap<String, Line> {
        let everywhere = self.single("emotion", |file| file.emotion.as_ref());
        let everywhere = everywhere.and_then(|(raw, at)| emotion::policy(raw, at, self.problems));
        let known: BTreeSet<&str> = flows.keys().map(String::as_str).collect();
        let mut numbers: BTreeMap<&str, &str> = BTreeMap::new();
        let mut lines = BTreeMap::new();
        for (name, raw, at) in self.section("lines", |file| &file.lines) {
            for (number, at) in raw.numbers.iter().zip(at.get("numbers").items()) {
                if let Some(other) = numbers.insert(&number.0, name) {
                    let problem = at.problem(format!("number `{}` reaches line `{other}` already", number.0));
                    self.problems.push(problem.expected("each number on one line"));
                }
                let plain = |c: char| c.is_ascii_alphanumeric() || "+-_.".contains(c);
                if number.0 != Line::ANY && (number.0.is_empty() || !number.0.chars().all(plain)) {
                    let problem = at.problem(format!("\"{}\" cannot be dialled", number.0));
                    let remedy = "write it without spaces, brackets and `sip:`";
                    self.problems.push(problem.expected("digits, with `+` in front, a name, or `*`").remedy(remedy));
                }
            }
            let before = self.problems.len();
            self.resolve("flow", &raw.flow, at.get("flow"), &known);
            if !self.gathered.flows_complete {
                // It may be in a file that could not be read, unless it is a slip of a known name.
                let slip = |problem: &Problem| problem.remedy.as_ref().is_some_and(|text| text.starts_with("did"));
                let tail = self.problems.split_off(before);
                self.problems.extend(tail.into_iter().filter(slip));
            }
            let Some(flow) = flows.get(&raw.flow) else { continue };
            let language = raw.language.as_ref().map_or(flow.language.clone(), |tag| Language::new(tag));
            let spoken = flows::languages(flow);
            if !spoken.contains(&language) {
                let problem = at.get("language").problem(format!("flow `{}` does not speak `{language}`", raw.flow));
                let list: Vec<&str> = spoken.iter().map(Language::as_str).collect();
                self.problems.push(problem.expected(format!("one of {}", list.join(", "))));
            }
            self.problems.extend(flows::unspoken(flow, &language, agents, queues, at));
            self.problems.extend(flows::unoffered(flow, queues, at));
            let line = Line {
                name: name.into(),
                numbers: raw.numbers.iter().map(|number| number.0.clone()).collect(),
                flow: raw.flow.clone(),
                language,
                early_media: raw.early_media.unwrap_or(false),
                emotion: match &raw.emotion {
                    Some(own) => emotion::policy(own, at.get("emotion"), self.problems),
                    None => everywhere.clone(),
                },
            };
            lines.insert(name.to_owned(), line);
        }
        if self.names("lines").is_empty()
            && let Some(document) = self.gathered.documents.first()
        {
            let problem = document.sound().problem("there is no line: nobody could call");
            self.problems.push(problem.expected("`lines`, each with `numbers` and a `flow`"));
        }
        lines
    }

    fn records(&mut self) -> Records {
        let given = self.single("records", |file| file.records.as_ref());
        let folder = match given.and_then(|(raw, at)| Some((raw.folder.as_ref()?, at.get("folder")))) {
            Some((folder, at)) => {
                let folder = beside(at.file(), folder);
                if folder.exists() && !folder.is_dir() {
                    self.problems.push(at.problem(format!("{} is no folder", folder.display())).expected("a folder"));
                }
                folder
            }
            None => default_folder(),
        };
        let key = given.and_then(|(raw, at)| Some(self.records_key(raw.key.as_ref()?, at.get("key"))));
        let keep_days = given.and_then(|(raw, _)| raw.keep_days);
        Records { folder, recording: given.and_then(|(raw, _)| raw.recording).unwrap_or(true), key, keep_days }
    }

    fn records_key(&mut self, key: &raw::Secret, at: At) -> Secret {
        let secret = self.secret(key, at);
        // An empty one was reported, or is not needed now.
        if !secret.expose().is_empty() && Keys::parse(secret.expose()).is_err() {
            let problem = at.problem("this is no key for records").expected("64 hexadecimal digits, one key a line");
            self.problems.push(problem.remedy("make one: `openssl rand -hex 32`"));
        }
        secret
    }

    fn speech(&mut self) -> Speech {
        let given = self.single("speech", |file| file.speech.as_ref());
        let cores = std::thread::available_parallelism().map_or(1, |cores| cores.get());
        let mut languages = BTreeMap::new();
        if let Some((raw, at)) = given {
            for (tag, raw) in &raw.languages {
                let at = at.get("languages");
                if raw.ear.is_none() && !known_language(tag) {
                    let place = at.place_of(tag);
                    self.problems.push(unknown_language(
                        Problem::new(place, format!("`{tag}` is no language that Whisper hears")),
                        tag,
                    ));
                }
                let language = Language::new(tag);
                let models = SpeechLanguage {
                    ear: raw.ear.clone().unwrap_or_else(|| builtin::EAR.into()),
                    voice: raw.voice.clone().or_else(|| builtin::voice(&language).map(str::to_owned)),
                };
                languages.insert(language, models);
            }
        }
        let workers = given.and_then(|(raw, _)| raw.workers).unwrap_or((cores - 1).max(1));
        Speech { workers, languages }
    }

    fn llm(&mut self) -> Option<Llm> {
        let (raw, at) = self.single("llm", |file| file.llm.as_ref())?;
        self.url(raw.url.clone(), &raw.url, at.get("url"));
        Some(Llm {
            url: raw.url.trim_end_matches('/').to_owned(),
            model: raw.model.clone(),
            key: raw.key.as_ref().map(|key| self.secret(key, at.get("key"))),
            timeout: raw.timeout_ms.map_or(builtin::LLM_TIMEOUT, Duration::from_millis),
        })
    }

    /// Reports what cannot change while the engine runs.
    fn unchanged(
        &mut self,
        current: &Config,
        sip: &Option<Sip>,
        http: &Option<Http>,
        records: &Records,
        languages: &BTreeMap<Language, SpeechLanguage>,
        workers: usize,
    ) {
        let mut changed = |section: &str, key: &str, same: bool| {
            let at = self.gathered.documents.iter().find_map(|document| document.sound().find(section));
            if let (Some(at), false) = (at.or(self.gathered.documents.first().map(|document| document.sound())), same) {
                let problem = at.get(key).problem(format!("`{section}.{key}` cannot change while calls are up"));
                self.problems.push(problem.expected("what is running").remedy("restart to change it"));
            }
        };
        if let Some(sip) = sip {
            changed("sip", "listen", sip.listen == current.sip.listen);
            changed("sip", "tls", sip.tls.listen == current.sip.tls.listen);
            changed("sip", "dns", sip.dns == current.sip.dns);
            changed("sip", "rtp_ports", sip.rtp_ports == current.sip.rtp_ports);
        }
        if let Some(http) = http {
            changed("http", "listen", http.listen == current.http.listen);
        }
        changed("records", "folder", records.folder == current.records.folder);
        changed("records", "key", records.key == current.records.key);
        changed("speech", "workers", workers == current.speech.workers);
        let ears = |languages: &BTreeMap<Language, SpeechLanguage>| -> BTreeSet<String> {
            languages.values().map(|language| language.ear.clone()).collect()
        };
        changed("speech", "languages", ears(languages).is_subset(&ears(&current.speech.languages)));
    }

    /// The entries of a section of named things, over all files; a second one of a name is reported.
    pub(super) fn section<T>(
        &mut self,
        section: &str,
        pick: fn(&File) -> &BTreeMap<String, T>,
    ) -> Vec<(&'g str, &'g T, At<'g>)> {
        let mut entries: Vec<(&str, &T, At)> = vec![];
        let gathered = self.gathered;
        for document in &gathered.documents {
            let whole = document.sound().get(section);
            for (name, raw) in pick(&document.read) {
                let at = whole.get(name);
                let place = whole.place_of(name);
                if let Some((_, _, first)) = entries.iter().find(|(other, ..)| other == name) {
                    let message = format!("`{name}` is defined in {} already", first.file().display());
                    self.problems.push(Problem::new(place.clone(), message).expected("each name once"));
                    continue;
                }
                entries.push((name, raw, at));
            }
            let written = document.whole().find(section);
            for (name, at) in written.into_iter().flat_map(At::entries).filter(|(name, _)| !is_name(&name.text)) {
                let problem = Problem::new(at.name_place(), format!("\"{}\" cannot be a name", name.text));
                self.problems.push(problem.expected("letters, digits, `-`, `_` and `.`, without spaces"));
            }
        }
        entries
    }

    /// A section that may stand in one file only.
    pub(super) fn single<T>(&mut self, key: &str, pick: fn(&File) -> Option<&T>) -> Option<(&'g T, At<'g>)> {
        let mut found: Option<(&T, At)> = None;
        let gathered = self.gathered;
        for document in &gathered.documents {
            let Some(value) = pick(&document.read) else { continue };
            let at = document.sound();
            match found {
                None => found = Some((value, at.get(key))),
                Some((_, first)) => {
                    let message = format!("`{key}` is set in {} already", first.file().display());
                    self.problems.push(Problem::new(at.place_of(key), message).expected("it in one file"));
                }
            }
        }
        found
    }

    /// The names that a section defines, also of what is misshapen.
    pub(super) fn names(&self, section: &str) -> BTreeSet<&'g str> {
        let documents = self.gathered.documents.iter();
        documents
            .filter_map(|document| document.whole().find(section))
            .flat_map(|at| at.entries().map(|(name, _)| name.text.as_str()))
            .collect()
    }

    /// Whether a key was written at all, well-shaped or not.
    fn wrote(&self, section: &str, name: &str, key: &str) -> bool {
        let documents = self.gathered.documents.iter();
        let mut entries = documents.filter_map(|document| document.whole().find(section)?.find(name));
        entries.any(|entry| entry.find(key).is_some())
    }

    pub(super) fn resolve(&mut self, kind: &str, name: &str, at: At, known: &BTreeSet<&str>) {
        if !known.contains(name) {
            let problem = at.problem(format!("there is no {kind} `{name}`"));
            let article = if kind.starts_with(['a', 'e', 'i', 'o']) { "an" } else { "a" };
            let expected = format!("the name of {article} {kind}");
            self.problems.push(problem.expected(expected).suggest(name, known.iter().copied()));
        }
    }

    fn language(&mut self, tag: &str, at: At) -> Option<Language> {
        if known_language(tag) {
            return Some(Language::new(tag));
        }
        self.problems.push(unknown_language(at.problem(format!("\"{tag}\" is no language")), tag));
        None
    }

    fn sound(&mut self, file: &str, at: At) -> PathBuf {
        let path = beside(at.file(), file);
        self.problems.extend(sound_problem(&path, at));
        path
    }

    /// What a secret's place holds.
    pub(super) fn secret(&mut self, secret: &raw::Secret, at: At) -> Secret {
        let (value, problem) = match secret {
            raw::Secret::Env(raw::EnvSecret { env }) => {
                let problem = || {
                    let problem = at.get("env").problem(format!("the environment variable {env} is not set"));
                    problem.expected("the secret in it").remedy(format!("set it before the start: `export {env}=...`"))
                };
                (std::env::var(env).ok(), problem())
            }
            raw::Secret::File(raw::FileSecret { file }) => {
                let path = beside(at.file(), file);
                let problem = at.get("file").problem(format!("the secret cannot be read from {}", path.display()));
                let remedy = format!("write it there: `openssl rand -hex 32 > {}`", path.display());
                (std::fs::read_to_string(&path).ok(), problem.expected("a file that holds the secret").remedy(remedy))
            }
        };
        match value.map(|value| value.trim().to_owned()).filter(|value| !value.is_empty()) {
            Some(value) => Secret::new(&value),
            None => {
                if self.secrets == Secrets::Needed {
                    self.problems.push(problem);
                }
                Secret::new("")
            }
        }
    }
}

/// A path as seen from the file that names it.
pub(super) fn beside(file: &Path, path: &str) -> PathBuf {
    file.parent().unwrap_or(Path::new("")).join(path)
}

/// What is wrong with a sound file, if anything.
pub(super) fn sound_problem(path: &Path, at: At) -> Option<Problem> {
    let known = path.extension().and_then(|ending| ending.to_str()).map(str::to_ascii_lowercase);
    if !matches!(known.as_deref(), Some("wav" | "mp3" | "ogg" | "flac")) {
        return Some(at.problem(format!("{} is no sound file", path.display())).expected("wav, mp3, ogg or flac"));
    }
    (!path.is_file()).then(|| at.problem(format!("there is no file {}", path.display())).expected("a sound file"))
}

pub(super) fn is_name(name: &str) -> bool {
    !name.is_empty() && name.chars().count() <= 64 && name.chars().all(|c| c.is_alphanumeric() || "-_.".contains(c))
}

pub(super) fn known_language(tag: &str) -> bool {
    let primary = tag.split('-').next().unwrap_or_default();
    builtin::LANGUAGES.contains(&primary) && tag.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')
}

/// Adds what a language's tag looks like.
pub(super) fn unknown_language(problem: Problem, tag: &str) -> Problem {
    let problem = problem.expected("a language's tag: `en`, `zh`, `es`, ...");
    let names = [
        ("english", "en"),
        ("chinese", "zh"),
        ("mandarin", "zh"),
        ("cn", "zh"),
        ("spanish", "es"),
        ("german", "de"),
        ("french", "fr"),
    ];
    match names.iter().find(|(name, _)| tag.to_lowercase().starts_with(name)) {
        Some((_, tag)) => problem.remedy(format!("did you mean `{tag}`?")),
        None => problem,
    }
}

/// Where records go by default: the XDG data folder.
fn default_folder() -> PathBuf {
    let absolute = |path: std::ffi::OsString| Some(PathBuf::from(path)).filter(|path| path.is_absolute());
    let data = std::env::var_os("XDG_DATA_HOME").and_then(absolute);
    let home = || std::env::var_os("HOME").and_then(absolute).map(|home| home.join(".local/share"));
    data.or_else(home).unwrap_or_else(|| PathBuf::from("/var/lib")).join("frontdesk")
}

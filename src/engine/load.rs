//! From a checked configuration to what calls share: models on their pools, intents learned, prompts made, the floor
//! and the telephone side set.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use super::waiting::WaitingSounds;
use super::{ReadyFlow, Shared};
use crate::answers::{
    self, Adviser, BackendSettings, Backends, Embedder, Knowledge, Llm, LlmSettings, Meaning, Progress, Rewriter,
    Understander, e5,
};
use crate::config::{Agent, Config, InbandKeys, Method, Phone, Waiting};
use crate::dialog::{Language, flow::Flow, prompts};
use crate::emotion::{self, live::Judge};
use crate::media::{self, file};
use crate::speech::voice::{self, Voice, VoiceError};
use crate::speech::{Ear, EarSettings, HearError, ListenerSettings, TurnError, TurnJudge};
use crate::{acd, config, console, models, records, sip, webrtc};

/// Line name -> what runs on it.
pub type Flows = HashMap<String, Arc<ReadyFlow>>;

/// Samples a second of what waiting callers hear: those of our codecs.
const RATES: [u32; 2] = [8_000, 16_000];
/// Pauses that may wait for the turn model; later ones are judged by silence alone.
const JUDGED: usize = 16;
const EMBEDDINGS: &str = "e5-small-q4.bin";
/// How much more than strangers those may send who may call in.
const TRUST: f64 = 100.0;
/// The realm of phones' passwords (RFC 7616): changing it voids every stored HA1.
pub const REALM: &str = "frontdesk";

#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    #[error(transparent)]
    Missing(#[from] models::Error),
    #[error("speech to text: {0}")]
    Ear(#[from] HearError),
    #[error("end of turn: {0}")]
    Turn(#[from] TurnError),
    #[error("text to speech: {0}")]
    Voice(#[from] VoiceError),
    #[error("sentence embeddings: {0}")]
    Embeddings(#[from] e5::Error),
    #[error(
        "emotion: {0}\ntrain a model with `frontdesk emotion train`, remove the file to use the one that ships, or set `emotion: off`"
    )]
    Emotion(#[from] emotion::Error),
    #[error("intents of the flow {flow:?}: {source}")]
    Intents { flow: String, source: answers::IntentError },
    #[error("knowledge base {base:?}: {source}")]
    Knowledge { base: String, source: answers::KnowledgeError },
    #[error(transparent)]
    Answers(#[from] answers::Error),
    #[error("waiting sound: {0}")]
    Sound(#[from] media::Error),
    #[error("a flow cannot be kept in the records: {0}")]
    Flow(#[from] records::Error),
    #[error("a part of the loading broke off")]
    Broken,
}

/// Models that outlive a change of the configuration.
pub struct Loaded {
    ear: Arc<Ear>,
    judge: Arc<TurnJudge>,
    /// Loaded with the first flow that has intents.
    embedder: OnceLock<Embedder>,
    /// Loaded with the first line that has an emotion policy.
    emotion: OnceLock<Arc<Judge>>,
    voice: Voice,
}

/// Loads everything; `progress` is told what is being waited for. `ahead`: make the fixed prompts now (they are kept
/// on disk), so that the first caller hears them at once. `loaded`: models of an earlier load, to be used again.
pub async fn load(
    config: &Arc<Config>,
    ahead: bool,
    loaded: Option<Arc<Loaded>>,
    progress: impl Fn(&str) + Send + Sync + 'static,
) -> Result<(Arc<Shared>, Flows, Arc<Loaded>), LoadError> {
    let config = config.clone();
    let load = move || load_now(&config, ahead, loaded, &progress);
    tokio::task::spawn_blocking(load).await.map_err(|_| LoadError::Broken)?
}

fn load_now(
    config: &Config,
    ahead: bool,
    loaded: Option<Arc<Loaded>>,
    progress: &(dyn Fn(&str) + Sync),
) -> Result<(Arc<Shared>, Flows, Arc<Loaded>), LoadError> {
    let loaded = match loaded {
        Some(loaded) => loaded,
        None => Arc::new(load_models(config, progress)?),
    };
    let mut flows = Flows::new();
    let mut learned: BTreeMap<&str, Meaning> = BTreeMap::new();
    for line in config.lines.values() {
        let flow = config.flow_of(line);
        let meaning = match learned.get(line.flow.as_str()) {
            Some(known) => known.clone(),
            None if knows_nothing(flow) => Meaning::default(),
            None => learn(flow, config, &loaded.embedder(config.speech.workers, progress)?, progress)?,
        };
        learned.insert(&line.flow, meaning.clone());
        let flow = Arc::new(config.flow_on(line));
        let stored = records::StoredFlow::new(&line.flow, flow.as_ref())?;
        flows.insert(line.name.clone(), Arc::new(ReadyFlow { likely: likely(&flow), flow, meaning, stored }));
    }
    let voice = ready_voice(config, &loaded, ahead, &flows, progress)?;
    let shared = Shared {
        ear: loaded.ear.clone(),
        judge: loaded.judge.clone(),
        voice,
        backends: Backends::new(config.backends.values().map(backend_settings))?,
        emotion: match config.lines.values().any(|line| line.emotion.is_some()) {
            true => Some(loaded.emotion(progress)?),
            false => None,
        },
        rewriter: config.llm.as_ref().map(|settings| llm(settings).map(Rewriter::new)).transpose()?,
        waiting_sounds: Arc::new(waiting_sounds(config)?),
        listening: ListenerSettings::default(),
    };
    Ok((Arc::new(shared), flows, loaded))
}

fn load_models(config: &Config, progress: &(dyn Fn(&str) + Sync)) -> Result<Loaded, LoadError> {
    let (ear, voice) = speech(config, progress)?;
    let judge = Arc::new(TurnJudge::installed(JUDGED)?);
    Ok(Loaded { ear, judge, embedder: OnceLock::new(), emotion: OnceLock::new(), voice })
}

/// The recogniser and the voices of a configuration, without the rest that calls need.
pub fn speech(config: &Config, progress: &(dyn Fn(&str) + Sync)) -> Result<(Arc<Ear>, Voice), LoadError> {
    progress("loading speech to text");
    // One recogniser for all languages: `config` admits no others yet.
    let model = config.speech.languages.values().map(|language| &language.ear).next();
    let installed = EarSettings::installed()?;
    let settings = EarSettings {
        model: match model {
            Some(name) => models::file(name)?,
            None => installed.model.clone(),
        },
        workers: config.speech.workers.max(1),
        queue: 4 * config.speech.workers.max(1),
        ..installed
    };
    let ear = Arc::new(Ear::open(&settings)?);
    progress("loading text to speech");
    let voice = Voice::load(&voice::Options { languages: spoken(config), ..voice::Options::default() })?;
    Ok((ear, voice))
}

/// Languages with a synthetic voice, as configured, in order.
fn spoken(config: &Config) -> Vec<Language> {
    let voiced = config.speech.languages.iter().filter(|(_, settings)| settings.voice.is_some());
    voiced.map(|(language, _)| language.clone()).collect()
}

impl Loaded {
    fn emotion(&self, progress: &(dyn Fn(&str) + Sync)) -> Result<Arc<Judge>, LoadError> {
        if let Some(judge) = self.emotion.get() {
            return Ok(judge.clone());
        }
        progress("loading the emotion model");
        let judge = Arc::new(Judge::installed()?);
        Ok(self.emotion.get_or_init(|| judge).clone())
    }

    fn embedder(&self, workers: usize, progress: &(dyn Fn(&str) + Sync)) -> Result<Embedder, LoadError> {
        if let Some(embedder) = self.embedder.get() {
            return Ok(embedder.clone());
        }
        progress("loading sentence embeddings");
        let embedder = load_embedder(workers)?;
        Ok(self.embedder.get_or_init(|| embedder).clone())
    }
}

/// The model that tells what sentences mean.
pub fn embedder(config: &Config) -> Result<Embedder, LoadError> {
    load_embedder(config.speech.workers)
}

fn load_embedder(workers: usize) -> Result<Embedder, LoadError> {
    Ok(Embedder::new(e5::E5::load(&models::file(EMBEDDINGS)?)?, workers.max(1)))
}

/// What a flow makes of sentences, without the rest that calls need.
pub fn meaning(config: &Config, flow: &Flow, progress: &(dyn Fn(&str) + Sync)) -> Result<Meaning, LoadError> {
    if knows_nothing(flow) {
        return Ok(Meaning::default());
    }
    let embedder = embedder(config)?;
    learn(flow, config, &embedder, progress)
}

/// Examples of a flow's intents for the recogniser, as many of each, so many in all.
pub fn likely(flow: &Flow) -> Arc<[String]> {
    const MOST: usize = 1_000;
    let each = MOST / flow.intents.len().max(1);
    flow.intents.values().flat_map(|intent| intent.examples.iter().take(each)).cloned().collect()
}

fn knows_nothing(flow: &Flow) -> bool {
    flow.intents.is_empty() && flow.knowledge.is_none()
}

fn learn(
    flow: &Flow,
    config: &Config,
    embedder: &Embedder,
    progress: &(dyn Fn(&str) + Sync),
) -> Result<Meaning, LoadError> {
    // Thousands of sentences take minutes: tell now and then.
    let told = |what: String| {
        move |at: Progress| match at {
            Progress::Embedding { done, of } if done % 1_000 == 0 || done == of => {
                progress(&format!("{what}: {done} of {of} sentences read"));
            }
            Progress::Training { done, of } if of > 1 => progress(&format!("{what}: round {done} of {of}")),
            _ => {}
        }
    };
    let mut intents = None;
    if !flow.intents.is_empty() {
        let examples: BTreeMap<_, _> =
            flow.intents.iter().map(|(name, intent)| (name.clone(), intent.examples.clone())).collect();
        let told = told(format!("learning the intents of the flow {}", flow.name));
        let learned = Understander::load(embedder, &examples, &cache("intents"), &told);
        intents = Some(learned.map_err(|source| LoadError::Intents { flow: flow.name.clone(), source })?);
    }
    let mut knowledge = None;
    // `check` admits no name of a base that is not there.
    if let Some((free, passages)) =
        flow.knowledge.as_ref().and_then(|free| Some((free, config.knowledge.get(&free.base)?)))
    {
        let told = told(format!("reading the knowledge base {}", free.base));
        let read = Knowledge::load(embedder, passages.to_vec(), &cache("knowledge"), &told);
        knowledge = Some(read.map_err(|source| LoadError::Knowledge { base: free.base.clone(), source })?);
    }
    let meaning = Meaning::new(embedder.clone(), intents, knowledge);
    let model_ms = flow.knowledge.as_ref().and_then(|free| free.model_ms);
    Ok(match config.llm.as_ref().zip(model_ms) {
        Some((settings, ms)) => meaning.advised(Adviser::new(llm(settings)?, Duration::from_millis(ms))),
        None => meaning,
    })
}

fn ready_voice(
    config: &Config,
    loaded: &Loaded,
    ahead: bool,
    flows: &Flows,
    progress: &(dyn Fn(&str) + Sync),
) -> Result<Voice, LoadError> {
    let languages = spoken(config);
    let voice = match loaded.voice.languages() == languages {
        true => loaded.voice.clone(),
        // A reload brought or took a language.
        false => Voice::load(&voice::Options { languages, ..voice::Options::default() })?,
    };
    if ahead {
        let spoken = voice.languages();
        let prompts: Vec<_> = flows
            .values()
            .flat_map(|flow| prompts(&flow.flow))
            .filter(|prompt| spoken.contains(&prompt.language))
            .collect();
        voice.prepare(&prompts, |done, of| {
            if of > 0 && (done % 10 == 0 || done == of) {
                progress(&format!("making prompts ahead: {done} of {of}"));
            }
        })?;
    }
    Ok(voice)
}

/// A folder for what can be made again.
fn cache(what: &str) -> PathBuf {
    let base = std::env::var_os("XDG_CACHE_HOME").map(PathBuf::from).filter(|path| path.is_absolute());
    let home = || std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".cache"));
    base.or_else(home).unwrap_or_else(std::env::temp_dir).join("frontdesk").join(what)
}

fn waiting_sounds(config: &Config) -> Result<WaitingSounds, LoadError> {
    let mut sounds = BTreeMap::new();
    for queue in config.queues.values() {
        if let Waiting::File(path) = &queue.waiting {
            let sound = media::level::normalised(file::read(path)?);
            let at_rates = RATES.map(|rate| Arc::new(sound.clone().at_rate(rate)));
            sounds.insert(queue.name.clone(), at_rates.to_vec());
        }
    }
    Ok(WaitingSounds(sounds))
}

/// A backend as configured.
pub fn backend_settings(backend: &crate::config::Backend) -> BackendSettings {
    BackendSettings {
        name: backend.name.clone(),
        url: backend.url.clone(),
        method: match backend.method {
            Method::Get => answers::Method::Get,
            Method::Post => answers::Method::Post,
        },
        timeout: backend.timeout,
        retries: backend.retries,
        idempotent: backend.idempotent,
        signing_secret: backend
            .signing_secret
            .as_ref()
            .map(|secret| secret.expose().to_owned())
            .filter(|s| !s.is_empty()),
        headers: backend.headers.iter().map(|(name, value)| (name.clone(), value.expose().to_owned())).collect(),
    }
}

fn llm(llm: &crate::config::Llm) -> Result<Llm, answers::Error> {
    Llm::new(LlmSettings {
        url: llm.url.clone(),
        model: llm.model.clone(),
        key: llm.key.as_ref().map(|key| key.expose().to_owned()),
        timeout: llm.timeout,
    })
}

/// The telephone side as configured.
pub fn sip_settings(config: &Config) -> sip::Settings {
    let phones = config.agents.values().filter_map(|agent| match &agent.phone {
        Phone::Registers { user, password } => Some(sip::PhoneAccount::new(user, REALM, password.expose())),
        Phone::At { .. } | Phone::Outside { .. } | Phone::Desk => None,
    });
    let defaults = sip::Settings::default();
    let sip = &config.sip;
    sip::Settings {
        listen: sip.listen.clone(),
        tls: Some(sip::TlsSettings {
            listen: sip.tls.listen.clone(),
            identity: sip.tls.identity.clone(),
            authorities: sip.tls.authorities.clone(),
            client_authorities: sip.tls.client_authorities.clone(),
        }),
        trunks: config.trunks.values().map(trunk).collect(),
        dns: sip.dns.clone(),
        digest: sip.digest.iter().map(digest).collect(),
        keep_alive: sip.keep_alive,
        limits: sip::Limits {
            requests: sip.limits.requests_per_s.into(),
            invites: sip.limits.invites_per_s.into(),
            trusted_requests: f64::from(sip.limits.requests_per_s) * TRUST,
            trusted_invites: f64::from(sip.limits.invites_per_s) * TRUST,
            block: sip.limits.block,
        },
        external: sip.external,
        rtp_ports: sip.rtp_ports.clone(),
        phones: phones.collect(),
        // An empty list admits this machine only.
        allow: if sip.allow.is_empty() { defaults.allow.clone() } else { sip.allow.clone() },
        media_timeout: sip.media_timeout,
        inband_keys: match sip.inband_keys {
            InbandKeys::Auto => sip::InbandKeys::Auto,
            InbandKeys::On => sip::InbandKeys::On,
            InbandKeys::Off => sip::InbandKeys::Off,
        },
        sound: sip.sound.clone(),
        session_timer: sip::SessionTimer { expires: sip.session_expires_s, min: sip.min_session_expires_s },
        reliable_ringing: sip.reliable_ringing,
        ..defaults
    }
}

fn trunk(trunk: &config::Trunk) -> sip::TrunkSettings {
    sip::TrunkSettings {
        name: trunk.name.clone(),
        host: trunk.host.clone(),
        port: trunk.port,
        transport: trunk.transport.map(|transport| match transport {
            config::Transport::Udp => sip::Transport::Udp,
            config::Transport::Tcp => sip::Transport::Tcp,
            config::Transport::Tls => sip::Transport::Tls,
        }),
        user: trunk.user.clone(),
        password: trunk.password.as_ref().map(|password| password.expose().to_owned()).unwrap_or_default(),
        register: trunk.register.map(|expiry| expiry.as_secs() as u32),
        allow: trunk.allow.clone(),
        keep_alive: trunk.keep_alive,
        number: trunk.number.clone(),
    }
}

fn digest(digest: &config::Digest) -> sip::Algorithm {
    match digest {
        config::Digest::Sha256 => sip::Algorithm::Sha256,
        config::Digest::Md5 => sip::Algorithm::Md5,
    }
}

/// What browsers may call, where they may.
pub fn browser_settings(config: &Config) -> Option<webrtc::Settings> {
    let browser = config.browser.as_ref()?;
    let line = |name: &String| {
        let line = config.lines.get(name)?; // the check admits no other
        Some(webrtc::LineChoice { name: name.clone(), language: line.language.as_str().to_owned() })
    };
    Some(webrtc::Settings {
        listen: browser.listen,
        tls: browser.tls.clone(),
        udp: browser.udp,
        external: browser.external.clone(),
        lines: browser.lines.iter().filter_map(line).collect(),
        origins: browser.origins.clone(),
        ice_servers: browser.ice_servers.iter().map(ice_server).collect(),
        names: browser.names.clone(),
        proxies: browser.proxies.clone(),
        max_calls: browser.max_calls,
        calls_per_address: browser.calls_per_address,
        calls_per_minute: browser.calls_per_minute,
        reconnect: browser.reconnect,
    })
}

fn ice_server(server: &config::IceServer) -> webrtc::IceServer {
    webrtc::IceServer {
        urls: server.urls.clone(),
        credential: server.login.as_ref().map(|login| match login {
            config::IceLogin::Fixed { username, password } => {
                webrtc::Credential::Fixed { username: username.clone(), password: password.expose().to_owned() }
            }
            config::IceLogin::Shared(secret) => webrtc::Credential::Shared(secret.expose().to_owned()),
        }),
    }
}

/// The agents' desk, where there is one.
pub fn console_settings(config: &Config) -> Option<console::Settings> {
    let console = config.console.as_ref()?;
    Some(console::Settings {
        listen: console.listen,
        tls: console.tls.clone(),
        ice_servers: console.ice_servers.iter().map(ice_server).collect(),
        names: console.names.clone(),
        proxies: console.proxies.clone(),
        dispositions: console.dispositions.clone(),
        pauses: console.pauses.clone(),
        session: console.session,
        log_ins_per_minute: console.log_ins_per_minute,
        agents_hear: console.agents_hear,
        sound_lost: console.sound_lost,
    })
}

/// How long agents' pages are waited for.
pub fn patience(config: &Config) -> console::Patience {
    let (silent, back) =
        config.console.as_ref().map_or_else(Default::default, |desk| (desk.page_silent, desk.page_back));
    console::Patience { silent, back }
}

/// Who may have a desk, and what else its pages name.
pub fn people(config: &Config) -> console::People {
    let agent = |agent: &Agent| console::Member {
        display_name: agent.display_name.clone(),
        by_browser: agent.phone == Phone::Desk,
        queues: agent.queues.clone(),
    };
    console::People {
        agents: config.agents.iter().map(|(name, person)| (name.clone(), agent(person))).collect(),
        queues: config.queues.keys().cloned().collect(),
        zone: config.zone(),
    }
}

/// Agents, queues and their rules, as the floor knows them.
pub fn floor_settings(config: &Config) -> (Vec<acd::Agent>, Vec<acd::Queue>, acd::Rules) {
    let agents = config.agents.values().map(|agent| acd::Agent {
        name: agent.name.clone(),
        queues: agent.queues.clone(),
        skills: agent.skill_levels.clone(),
        languages: agent.languages.clone(),
    });
    let ms = |time: Duration| time.as_millis() as u64;
    let queues = config.queues.values().map(|queue| acd::Queue {
        skills: queue.skills.iter().map(|skill| (skill.clone(), 1)).collect(),
        ring_timeout_ms: ms(queue.ring_timeout),
        max_wait_ms: ms(queue.max_wait),
        wrap_up_ms: ms(queue.wrap_up),
        briefing: queue.briefing,
        strategy: queue.strategy,
        max_calls: queue.max_calls,
        overflow: overflow(queue),
        callbacks: queue.callback.as_ref().map(|callback| callback.terms),
        sticky: queue.same_agent,
        ..acd::Queue::new(&queue.name)
    });
    let routes = config.escalate.iter().filter_map(|(reason, rule)| Some((*reason, rule.queue.clone()?)));
    let rules = acd::Rules {
        points: config.escalate.iter().map(|(reason, rule)| (*reason, rule.points)).collect(),
        routes: routes.collect(),
        point_ms: config.priority_point.map(ms),
    };
    (agents.collect(), queues.collect(), rules)
}

/// When a call is not to wait where it is, or is asked whether to be called back.
fn overflow(queue: &config::Queue) -> Vec<acd::Overflow> {
    let offers = queue.callback.as_ref().map(|callback| acd::Overflow {
        when: acd::When::Waited(callback.offer_after.as_millis() as u64),
        to: acd::Outlet::Callback,
    });
    queue.overflow.iter().cloned().chain(offers).collect()
}

/// Agents whose phone this user name is.
pub fn agents_of<'a>(config: &'a Config, user: &'a str) -> impl Iterator<Item = &'a Agent> {
    config
        .agents
        .values()
        .filter(move |agent| matches!(&agent.phone, Phone::Registers { user: own, .. } if own == user))
}

/// Agents who are reached without registering.
pub fn fixed_agents(config: &Config) -> BTreeSet<&str> {
    let fixed = |agent: &&Agent| matches!(agent.phone, Phone::At { .. } | Phone::Outside { .. });
    let fixed = config.agents.values().filter(fixed);
    fixed.map(|agent| agent.name.as_str()).collect()
}

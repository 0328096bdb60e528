//! The process: loads what calls share, opens the doors, gives each call a task, and closes in good order.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use chrono::{TimeDelta, Utc};
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::{mpsc, watch};
use tokio_util::task::TaskTracker;
use tracing::{error, info, warn};

use super::callbacks::Callbacks;
use super::caller::Arrival;
use super::floor::FloorHandle;
use super::live::{self, House};
use super::load::{self, Flows, LoadError, Loaded};
use super::pulse::Pulse;
use super::timetable::Timetable;
use super::transfer::Switchboard;
use super::webhooks::{Patience, Webhooks};
use super::{ReadyFlow, Shared};
use crate::acd::{Floor, FloorEvent};
use crate::call::{Entry, Note, Outcome, Summary, summarise};
use crate::config::{self, Config, Problems};
use crate::console::{self, Board, Console};
use crate::dialog::flow::{Disclosed, Flow};
use crate::media::{Recordings, repair_wav};
use crate::records::{self, Erased, Repair, Store};
use crate::sip;
use crate::telemetry::{self, Health, Metrics, State, names};
use crate::webrtc::{self, Sound};

/// After the drain's end, how long goodbyes may take.
const GOODBYE: Duration = Duration::from_secs(10);
/// How long ICE tries to reach an agent's browser again; the caller is not kept for so long.
const RECONNECT: Duration = Duration::from_secs(20);
/// A caller who finds nobody at home may try again after this many seconds.
pub const TRY_AGAIN: u32 = 5;

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("{0}")]
    Config(#[from] Problems),
    #[error(transparent)]
    Load(#[from] LoadError),
    #[error(transparent)]
    Records(#[from] records::Error),
    #[error(transparent)]
    Sip(#[from] sip::Error),
    #[error(transparent)]
    Browser(#[from] webrtc::Error),
    #[error(transparent)]
    Console(#[from] console::Error),
    #[error(transparent)]
    Telemetry(#[from] telemetry::Error),
    #[error("recordings: {0}")]
    Recordings(#[source] std::io::Error),
}

/// What may change while calls are up: swapped whole, and each call keeps what it began with.
struct Running {
    config: Arc<Config>,
    shared: Arc<Shared>,
    flows: Flows,
    loaded: Arc<Loaded>,
}

/// A running engine.
pub struct Server {
    doors: Doors,
    drain: watch::Sender<Option<Duration>>,
    today: watch::Sender<Arc<Config>>,
    calls: TaskTracker,
    health: Health,
    browsers: Option<webrtc::Door>,
    console: Option<Console>,
    _telemetry: Option<telemetry::Server>,
}

/// What every part of the process holds.
#[derive(Clone)]
struct Doors {
    running: Arc<ArcSwap<Running>>,
    endpoint: sip::Endpoint,
    store: Store,
    recordings: Recordings,
    floor: FloorHandle,
    switchboard: Switchboard,
    board: Board,
    pulse: Pulse,
}

impl Server {
    /// Loads models, opens the records and starts to listen. `progress` is told what is being waited for.
    pub async fn start(config: Config, progress: impl Fn(&str) + Send + Sync + 'static) -> Result<Self, Error> {
        let config = Arc::new(config);
        let health = Health::default();
        let telemetry = telemetry(&config, &health).await?;
        health.set("models", State::Starting);
        progress("opening the records");
        let keys = config.records.keys();
        if keys.is_empty() {
            warn!("records and recordings are kept unencrypted: `records.key` names the key that seals them");
        }
        let store = Store::open_with(&config.records.folder, keys).await?;
        let (today, _) = watch::channel(config.clone());
        // Before calls that were cut off are closed: webhooks hear of those, too.
        tokio::spawn(Webhooks::new(store.clone(), today.subscribe(), Patience::default()).run());
        let interrupted = store.recover(&Repair { recording: &mend, summary: &sum_up }).await?;
        if !interrupted.is_empty() {
            let calls = interrupted.len();
            warn!(calls, "an earlier run was cut off; its open calls are marked interrupted");
        }
        let recordings = Recordings::start().map_err(Error::Recordings)?;
        let (shared, flows, loaded) = load::load(&config, true, None, progress).await?;
        for terms in shared.voice.terms() {
            info!("{terms}");
        }
        if let Some(judge) = &shared.emotion {
            let card = judge.card();
            info!(model = card.name, "emotion model: {}", card.terms);
        }
        for line in config.lines.values() {
            let flow = config.flow_of(line);
            let untold = |what| !flow.discloses(what);
            if line.emotion.is_some() && untold(Disclosed::Emotion) {
                warn!(
                    line = line.name,
                    "callers' voices are analysed here and no step of the flow tells them: add a `disclose` step"
                );
            }
            if config.records.recording && untold(Disclosed::Recording) {
                info!(
                    line = line.name,
                    "calls are recorded here and no step of the flow tells callers: where the law wants it, add a \
                     `disclose` step with `of: [recording]`"
                );
            }
        }
        health.set("models", State::Ready);

        let (agents, queues, rules) = load::floor_settings(&config);
        let console_settings = load::console_settings(&config);
        let (board, wishes) = match &console_settings {
            Some(_) => Board::new(load::people(&config), load::patience(&config)),
            None => (Board::default(), mpsc::unbounded_channel().1),
        };
        let (floor, dialled) = FloorHandle::start(Floor::new(agents, queues).with_rules(rules), board.clone());
        tokio::spawn(grant(wishes, floor.clone()));
        let timetable =
            Timetable { floor: floor.clone(), board: board.clone(), store: store.clone(), today: today.subscribe() };
        timetable.tell_hours().await; // before the first call
        tokio::spawn(timetable.run());
        for agent in load::fixed_agents(&config) {
            floor.tell(FloorEvent::LoggedIn { agent: agent.to_owned() }).await;
        }
        let (endpoint, incoming) = sip::Endpoint::start(load::sip_settings(&config)).await?;
        health.set("telephone", State::Ready);
        let running = Running { config, shared, flows, loaded };
        let running = Arc::new(ArcSwap::from_pointee(running));
        let switchboard = Switchboard::default();
        let doors = Doors { running, endpoint, store, recordings, floor, switchboard, board, pulse: Pulse::start() };
        let (drain, _) = watch::channel(None);
        let calls = TaskTracker::new();
        tokio::spawn(doors.clone().follow_registrations());
        tokio::spawn(doors.clone().watch(health.clone()));
        tokio::spawn(doors.clone().expire());
        tokio::spawn(doors.callbacks(&drain, &today, &calls).run(dialled));
        let (mut browsers, mut console) = (None, None);
        let config = doors.running.load().config.clone();
        let browser_settings = load::browser_settings(&config);
        let sound = match &browser_settings {
            Some(browser) => Some(Sound::open(browser.udp, &browser.external, browser.reconnect).await?),
            None => None,
        };
        if let Some(settings) = console_settings {
            // The callers' socket does for agents too, unless theirs is another.
            let own = config.console.as_ref().and_then(|console| console.udp.clone());
            let sound = match (own, &sound) {
                (Some((udp, external)), _) => Sound::open(udp, &external, RECONNECT).await?,
                (None, Some(sound)) => sound.clone(),
                (None, None) => Sound::open(settings.listen, &[], RECONNECT).await?, // the check gives it one of its own
            };
            let archive = doors.store.archive().await?;
            console = Some(Console::start(settings, doors.board.clone(), archive, sound).await?);
        }
        if let (Some(settings), Some(sound)) = (browser_settings, sound) {
            let (door, arrivals) = webrtc::Door::start_with(settings, doors.admits(&drain, &calls), sound).await?;
            tokio::spawn(doors.clone().accept_browsers(arrivals, drain.clone(), today.clone(), calls.clone()));
            browsers = Some(door);
        }
        tokio::spawn(doors.clone().accept(incoming, drain.clone(), today.clone(), calls.clone()));
        Ok(Self { doors, drain, today, calls, health, browsers, console, _telemetry: telemetry })
    }

    /// The address that calls are sent to.
    pub fn listening(&self) -> SocketAddr {
        self.doors.endpoint.listening()[0] // it starts with one address
    }

    /// Where browsers call: the address of pages and signalling, and that of the sound.
    pub fn browsers(&self) -> Option<(SocketAddr, SocketAddr)> {
        self.browsers.as_ref().map(|door| (door.listening, door.udp))
    }

    /// Where the agents' desk is served, and the link by which the administrator sets a first password, if there is none.
    pub fn console(&self) -> Option<(SocketAddr, Option<&str>)> {
        self.console.as_ref().map(|console| (console.listening, console.link.as_deref()))
    }

    /// Calls in progress.
    pub fn calls(&self) -> usize {
        self.calls.len()
    }

    /// The telephone side, for its figures.
    pub fn endpoint(&self) -> &sip::Endpoint {
        &self.doors.endpoint
    }

    /// Takes a changed configuration for new calls; on any mistake the running one stays.
    pub async fn reload(&self, path: &Path) -> Result<(), Error> {
        let current = self.doors.running.load_full();
        let config = Arc::new(config::reload(path, &current.config)?);
        let (shared, flows, loaded) =
            load::load(&config, true, Some(current.loaded.clone()), |what| info!("{what}")).await?;
        self.doors.endpoint.reconfigure(load::sip_settings(&config));
        if let (Some(door), Some(settings)) = (&self.browsers, load::browser_settings(&config)) {
            door.reconfigure(settings);
        }
        if let (Some(console), Some(settings)) = (&self.console, load::console_settings(&config)) {
            console.reconfigure(settings);
        }
        let (agents, queues, rules) = load::floor_settings(&config);
        self.doors.board.reconfigure(load::people(&config));
        self.doors.running.store(Arc::new(Running { config: config.clone(), shared, flows, loaded }));
        self.today.send_replace(config);
        self.doors.floor.tell(FloorEvent::Reconfigured { agents, queues, rules }).await;
        self.doors.log_in_all().await;
        Ok(())
    }

    /// Refuses new calls (503, Retry-After), lets live ones finish or be handed over within the configured time, then
    /// writes the last records. Dropping this future half-way ends at once.
    pub async fn drain(self) {
        let within = self.doors.running.load().config.drain;
        info!(calls = self.calls.len(), within_s = within.as_secs(), "stopping: no new calls are taken");
        self.health.set("telephone", State::Draining);
        self.doors.endpoint.refuse_new(within.max(Duration::from_secs(TRY_AGAIN.into())));
        self.drain.send_replace(Some(within));
        self.calls.close();
        if tokio::time::timeout(within + GOODBYE, self.calls.wait()).await.is_err() {
            error!(calls = self.calls.len(), "calls were still up at the end of the time to stop");
        }
        self.doors.endpoint.shutdown().await;
        if let Err(error) = self.doors.store.close().await {
            error!(%error, "the last records may be lost");
        }
    }
}

impl Doors {
    async fn accept(
        self,
        mut incoming: mpsc::Receiver<sip::Incoming>,
        drain: watch::Sender<Option<Duration>>,
        today: watch::Sender<Arc<Config>>,
        calls: TaskTracker,
    ) {
        while let Some(call) = incoming.recv().await {
            if drain.borrow().is_some() {
                refuse(call, 503, "stopping").await;
                continue;
            }
            let running = self.running.load_full();
            if calls.len() >= running.config.sip.max_calls {
                refuse(call, 503, "full").await;
                continue;
            }
            if call.replaces.is_some() {
                self.switchboard.step_in(call).await;
                continue;
            }
            // An agent's telephone reaches by name or number whom it could transfer a caller to.
            if let (Some(_), false) = (&call.phone, running.config.is_line(&call.to_number))
                && let Some(to) = running.config.destination(&call.to_number)
            {
                let config = running.config.clone();
                calls.spawn(self.switchboard.clone().consult(
                    self.endpoint.clone(),
                    self.floor.clone(),
                    config,
                    call,
                    to,
                ));
                continue;
            }
            if self.pulse.is_late() {
                refuse(call, 503, "starved").await;
                continue;
            }
            let Some((line, flow)) = line_of(&running, &call.to_number) else {
                refuse(call, 404, "no such number").await;
                continue;
            };
            let house = self.house(&running, &drain, &today);
            calls.spawn(live::take(house, flow, line, Arrival::Phone(Box::new(call))));
        }
    }

    fn house(
        &self,
        running: &Running,
        drain: &watch::Sender<Option<Duration>>,
        today: &watch::Sender<Arc<Config>>,
    ) -> House {
        House {
            config: running.config.clone(),
            shared: running.shared.clone(),
            store: self.store.clone(),
            recordings: self.recordings.clone(),
            endpoint: self.endpoint.clone(),
            floor: self.floor.clone(),
            switchboard: self.switchboard.clone(),
            today: today.subscribe(),
            board: self.board.clone(),
            drain: drain.subscribe(),
        }
    }

    /// Calls back whom the floor wants called.
    fn callbacks(
        &self,
        drain: &watch::Sender<Option<Duration>>,
        today: &watch::Sender<Arc<Config>>,
        calls: &TaskTracker,
    ) -> Callbacks {
        let (doors, calls, drains, days) = (self.clone(), calls.clone(), drain.clone(), today.clone());
        let take = move |line: &str, arrival: Arrival| {
            let running = doors.running.load_full();
            let Some(flow) = running.flows.get(line).cloned() else { return false };
            calls.spawn(live::take(doors.house(&running, &drains, &days), flow, line.to_owned(), arrival));
            true
        };
        Callbacks {
            store: self.store.clone(),
            endpoint: self.endpoint.clone(),
            floor: self.floor.clone(),
            today: today.subscribe(),
            drain: drain.subscribe(),
            take: Arc::new(take),
        }
    }

    /// Whether a browser's call can be taken now: it is told before it goes to any trouble.
    fn admits(&self, drain: &watch::Sender<Option<Duration>>, calls: &TaskTracker) -> webrtc::Admit {
        let (running, drain, calls, pulse) =
            (self.running.clone(), drain.subscribe(), calls.clone(), self.pulse.clone());
        let full = move || calls.len() >= running.load().config.sip.max_calls;
        Arc::new(move || match drain.borrow().is_some() || pulse.is_late() || full() {
            true => Err(TRY_AGAIN),
            false => Ok(()),
        })
    }

    async fn accept_browsers(
        self,
        mut arrivals: mpsc::Receiver<webrtc::Incoming>,
        drain: watch::Sender<Option<Duration>>,
        today: watch::Sender<Arc<Config>>,
        calls: TaskTracker,
    ) {
        while let Some(call) = arrivals.recv().await {
            let running = self.running.load_full();
            let full = drain.borrow().is_some() || calls.len() >= running.config.sip.max_calls;
            // The configuration may have changed since the page asked.
            match running.flows.get(&call.line).filter(|_| !full).cloned() {
                Some(flow) => {
                    let (house, line) = (self.house(&running, &drain, &today), call.line.clone());
                    calls.spawn(live::take(house, flow, line, Arrival::Browser(Box::new(call))));
                }
                None => {
                    metrics::counter!(names::CALLS_REFUSED, "reason" => "full").increment(1);
                    call.reject();
                }
            }
        }
    }

    /// Tells the floor which agents' phones can be reached.
    async fn follow_registrations(self) {
        let mut changes = self.endpoint.registrations();
        loop {
            match changes.recv().await {
                Ok(change) => {
                    let config = self.running.load().config.clone();
                    // One of several phones may go while another stays.
                    let there = self.endpoint.registered().iter().any(|phone| phone.user == change.user);
                    for agent in load::agents_of(&config, &change.user) {
                        let agent = agent.name.clone();
                        self.floor
                            .tell(match there {
                                true => FloorEvent::LoggedIn { agent },
                                false => FloorEvent::LoggedOut { agent },
                            })
                            .await;
                    }
                }
                Err(RecvError::Lagged(_)) => self.log_in_all().await,
                Err(RecvError::Closed) => return,
            }
        }
    }

    /// Brings the floor up to date with who can be rung.
    async fn log_in_all(&self) {
        let config = self.running.load().config.clone();
        let registered = self.endpoint.registered();
        for agent in config.agents.values() {
            let reachable = match &agent.phone {
                config::Phone::At { .. } | config::Phone::Outside { .. } => true,
                config::Phone::Registers { user, .. } => registered.iter().any(|phone| phone.user == *user),
                config::Phone::Desk => continue, // says so itself
            };
            let agent = agent.name.clone();
            let event = if reachable { FloorEvent::LoggedIn { agent } } else { FloorEvent::LoggedOut { agent } };
            self.floor.tell(event).await;
        }
    }

    /// Erases calls that were kept as long as they may be: at the start, and every hour.
    async fn expire(self) {
        let mut every = tokio::time::interval(Duration::from_secs(3_600));
        loop {
            every.tick().await;
            let Some(days) = self.running.load().config.records.keep_days else { continue };
            let before = Utc::now() - TimeDelta::days(days.into());
            let erased = match self.store.archive().await {
                Ok(archive) => archive.erase_before(before).await,
                Err(error) => Err(error),
            };
            match erased {
                Ok(erased) => {
                    let Erased { calls, recordings, in_log, .. } = erased;
                    if calls + recordings > 0 {
                        info!(calls, recordings, days, "calls past their time are erased");
                    }
                    if in_log {
                        warn!(
                            "somebody reads the records: what was erased stands in the database's log; trying again in an hour"
                        );
                    }
                }
                Err(error) => error!(%error, "calls past their time could not be erased; trying again in an hour"),
            }
        }
    }

    /// Figures that nobody reports by themselves.
    async fn watch(self, health: Health) {
        let mut every = tokio::time::interval(Duration::from_secs(1));
        loop {
            every.tick().await;
            metrics::gauge!(names::SPEECH_QUEUE).set(self.running.load().shared.ear.waiting() as f64);
            metrics::gauge!(names::RECORDS_QUEUE).set(self.store.waiting() as f64);
            for (reason, count) in self.endpoint.silenced() {
                metrics::counter!(names::SIP_SILENCED, "reason" => reason).absolute(count);
            }
            let counts = self.endpoint.counts();
            metrics::gauge!(names::SIP_BLOCKED).set(counts.blocked as f64);
            metrics::gauge!(names::SIP_REGISTRATIONS).set(counts.registrations as f64);
            let trunks = self.endpoint.trunks();
            for trunk in &trunks {
                let up = if trunk.state == sip::TrunkState::Up { 1.0 } else { 0.0 };
                metrics::gauge!(names::TRUNK_UP, "trunk" => trunk.name.clone()).set(up);
            }
            if !trunks.is_empty() {
                // Calls may come by the others, and by none: a trunk that is down is no reason to restart.
                let all_up = trunks.iter().all(|trunk| trunk.state == sip::TrunkState::Up);
                health.set("trunks", if all_up { State::Ready } else { State::Degraded });
            }
            if !self.floor.is_alive() {
                error!("the queues have stopped: callers are told that nobody is there; restart the engine");
                health.set("queues", State::Failed);
                return;
            }
        }
    }
}

/// Tells the floor what agents say at their desks.
async fn grant(mut wishes: mpsc::UnboundedReceiver<FloorEvent>, floor: FloorHandle) {
    while let Some(wish) = wishes.recv().await {
        floor.tell(wish).await;
    }
}

async fn telemetry(config: &Config, health: &Health) -> Result<Option<telemetry::Server>, Error> {
    let Some(listen) = config.http.listen else { return Ok(None) };
    let http = config.http.clone();
    let metrics = Metrics::install()?;
    Ok(Some(telemetry::serve(listen, move |from| http.allows(from), metrics, health.clone()).await?))
}

fn line_of(running: &Running, dialled: &str) -> Option<(String, Arc<ReadyFlow>)> {
    let line = running.config.line_for(dialled)?;
    let flow = running.flows.get(&line.name)?; // `load` makes one for every line
    Some((line.name.clone(), flow.clone()))
}

async fn refuse(call: sip::Incoming, status: u16, reason: &'static str) {
    metrics::counter!(names::CALLS_REFUSED, "reason" => reason).increment(1);
    call.reject(status, (status == 503).then_some(TRY_AGAIN)).await;
}

fn mend(recording: &Path) -> Result<(), records::Unmended> {
    Ok(repair_wav(recording).map(drop)?)
}

/// What a call that was cut off comes to.
fn sum_up(flow: &str, timeline: &[Entry]) -> Option<Summary> {
    let flow: Flow = serde_json::from_str(flow).ok()?;
    let reached = timeline.iter().any(|entry| matches!(entry.note, Note::Connected { .. }));
    let outcome = Some(if reached { Outcome::HandedOver } else { Outcome::Unserved });
    Some(Summary { outcome, ..summarise(&flow, timeline) })
}

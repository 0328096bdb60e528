//! A live call: one task that owns the session, both legs and the beat.

mod agents;
mod supervisor;

use std::sync::Arc;
use std::time::{Duration, Instant};

use chrono::{DateTime, TimeDelta, Utc};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::{MissedTickBehavior, interval};
use tracing::{debug, info, warn};

use self::agents::{AgentNews, AgentSide, next_of_agent, rings};
use self::supervisor::{Supervisor, next_of_supervisor};
use super::callbacks::promised;
use super::caller::{self, Arrival, Opened, PartyLeg};
use super::errand::{self, Return};
use super::floor::{FloorHandle, Occupied};
use super::known::known;
use super::reasons::Reasons;
use super::serve::TRY_AGAIN;
use super::session::{Ports, Request, Session};
use super::transfer::{Claim, Switchboard};
use super::{ReadyFlow, Shared};
use crate::acd::{About, FloorEvent};
use crate::call::{AgentFailure, CallId, Cause, Event, Note, Outcome, Promise, Summary};
use crate::config::Config;
use crate::console::{Board, ORDERS, Order};
use crate::media::{FRAME_MS, Port, Recordings};
use crate::records::{self, CallbackState, Ending, LoggedLine, Store};
use crate::sip::{self, LegEvent};
use crate::speech::Listener;
use crate::telemetry::names;
use crate::webrtc::Screen;

/// Results that may wait for a call between two beats.
const BACKLOG: usize = 512;
/// A recording's last half second may take this long to reach the disk.
const RECORDING_LIMIT: Duration = Duration::from_secs(5);

/// What a call needs of the process.
#[derive(Clone)]
pub struct House {
    pub config: Arc<Config>,
    pub shared: Arc<Shared>,
    pub store: Store,
    pub recordings: Recordings,
    pub endpoint: sip::Endpoint,
    pub floor: FloorHandle,
    /// Which calls an agent's telephone may name to be transferred to, or to step into.
    pub switchboard: Switchboard,
    /// The configuration in force by now: queues and agents are always today's.
    pub today: watch::Receiver<Arc<Config>>,
    /// What desks and walls show.
    pub board: Board,
    /// Set once when the engine is told to stop: how long calls may still take.
    pub drain: watch::Receiver<Option<Duration>>,
}

/// Takes an incoming call to its end.
pub async fn take(house: House, flow: Arc<ReadyFlow>, line: String, incoming: Arrival) {
    let call: CallId = uuid::Uuid::now_v7().to_string();
    info!(%call, line, "call arrived");
    let arrived = Instant::now();
    metrics::counter!(names::CALLS_STARTED, "line" => line.clone()).increment(1);
    let ticket = incoming.ticket().unwrap_or(&call).to_owned();
    let _present = Present::new(&house, &call, ticket);
    let (cause, outcome) = Live::new(house, flow, call.clone(), arrived).run(line, incoming).await;
    metrics::histogram!(names::CALL_SECONDS).record(arrived.elapsed().as_secs_f64());
    metrics::counter!(names::CALLS_ENDED, "cause" => cause.clone(), "outcome" => outcome.clone()).increment(1);
    info!(%call, cause, outcome, "call ended");
}

/// A call that is under way. Whatever ends its task, a fault of ours too, frees its agent and closes its record.
struct Present {
    floor: FloorHandle,
    store: Store,
    board: Board,
    call: CallId,
    ticket: CallId,
}

impl Present {
    fn new(house: &House, call: &CallId, ticket: CallId) -> Self {
        metrics::gauge!(names::CALLS_ACTIVE).increment(1.0);
        let House { floor, store, board, .. } = house.clone();
        Self { floor, store, board, call: call.clone(), ticket }
    }
}

impl Drop for Present {
    fn drop(&mut self) {
        metrics::gauge!(names::CALLS_ACTIVE).decrement(1.0);
        self.board.end(&self.call);
        if std::thread::panicking() {
            self.floor.lost(&self.ticket);
            let summary = Summary { outcome: Some(Outcome::Unserved), language: String::new(), facts: Vec::new() };
            let ending = Ending { cause: Cause::Interrupted, ended: Utc::now(), summary, quality: None };
            self.store.finish(&self.call, ending);
        }
    }
}

struct Live {
    house: House,
    flow: Arc<ReadyFlow>,
    call: CallId,
    /// Its name on the floor: that of the call in which a callback was agreed on, else its own.
    ticket: CallId,
    /// Samples a second of the caller's leg.
    rate: u32,
    /// A recording was begun.
    recording: bool,
    /// What desks show: the call is being recorded.
    shown_recorded: bool,
    /// The caller's side has said that it is over.
    hung_up: bool,
    arrived: Instant,
    started: DateTime<Utc>,
    line: String,
    back: mpsc::Sender<Return>,
    returns: mpsc::Receiver<Return>,
    caller: CallerSide,
    /// What a caller's page shows.
    screen: Option<Screen>,
    agent: AgentSide,
    /// Whom the agent has the caller connected to.
    target: AgentSide,
    /// Whom the agent talks to meanwhile; the caller does, too, where they have `joined`.
    consult: AgentSide,
    joined: bool,
    supervisor: Supervisor,
    /// What agents were rung with last.
    summary: Option<Summary>,
    /// What agents order at their desks.
    give_orders: mpsc::Sender<Order>,
    orders: mpsc::Receiver<Order>,
    /// The floor gives them no other call: the agent who came by a transfer, and the target.
    agent_busy: Option<Occupied>,
    target_busy: Option<Occupied>,
    consult_busy: Option<Occupied>,
    /// The caller's number, if it is shown.
    number: Option<String>,
    /// Why it is more than a call.
    reasons: Reasons,
    /// The queue that the caller came by last.
    queue: Option<String>,
    /// The agent's wish for it, to be told how it goes.
    transfer: Option<sip::TransferRequest>,
    /// It came to its end just now: the agent's telephone is hearing of it.
    told_transfer: Option<sip::TransferRequest>,
    /// Whose telephone the caller's was asked to call.
    referred_to: Option<String>,
    /// The caller hears us, and has yet to be answered.
    early: Option<sip::Early>,
    /// Telephones that want to step into the agent's place.
    steps_in: mpsc::Receiver<sip::Incoming>,
    stand: mpsc::Sender<sip::Incoming>,
    /// Holds the agent's leg's place on the switchboard.
    claim: Option<Claim>,
    agent_news: mpsc::Sender<AgentNews>,
    agents: mpsc::Receiver<AgentNews>,
    /// Legs so far, for the records; 0 is the caller's.
    legs: u32,
    ended: Option<(Box<Summary>, Cause)>,
    /// A callback was agreed on in this call.
    promised: bool,
}

/// The caller's side of a call.
#[allow(clippy::large_enum_variant)] // one a call, and never moved on a beat
enum CallerSide {
    Ringing(Arrival),
    Answering(oneshot::Receiver<Result<PartyLeg, caller::Error>>),
    Opening(oneshot::Receiver<Opened>),
    There(PartyLeg, records::Leg),
    Gone,
}

/// What may happen to the caller's side.
enum CallerNews {
    Cancelled,
    /// None: the engine stops.
    Answered(Option<Result<PartyLeg, caller::Error>>),
    Opened(Box<Opened>),
    Leg(Option<LegEvent>),
}

impl Live {
    fn new(house: House, flow: Arc<ReadyFlow>, call: CallId, arrived: Instant) -> Self {
        let (back, returns) = mpsc::channel(BACKLOG);
        let (agent_news, agents) = mpsc::channel(16);
        let (stand, steps_in) = mpsc::channel(4);
        let (give_orders, orders) = mpsc::channel(ORDERS);
        let reasons = Reasons::new(&house.config, None);
        Self {
            house,
            flow,
            ticket: call.clone(),
            rate: 8_000,
            recording: false,
            shown_recorded: false,
            hung_up: false,
            call,
            arrived,
            started: Utc::now(),
            line: String::new(),
            back,
            returns,
            caller: CallerSide::Gone,
            screen: None,
            agent: AgentSide::None,
            target: AgentSide::None,
            consult: AgentSide::None,
            joined: false,
            supervisor: Supervisor::None,
            summary: None,
            give_orders,
            orders,
            agent_busy: None,
            target_busy: None,
            consult_busy: None,
            number: None,
            reasons,
            queue: None,
            transfer: None,
            told_transfer: None,
            referred_to: None,
            early: None,
            steps_in,
            stand,
            claim: None,
            agent_news,
            agents,
            legs: 1,
            ended: None,
            promised: false,
        }
    }

    /// To the call's end; its cause and outcome, for the metrics.
    async fn run(mut self, line: String, incoming: Arrival) -> (String, String) {
        let early_media = self.house.config.lines.get(&line).is_some_and(|line| line.early_media);
        let mut caller = incoming.caller(line);
        self.screen = incoming.screen();
        self.line.clone_from(&caller.line);
        self.number = caller.shown_number().map(str::to_owned);
        self.reasons = Reasons::new(&self.house.config, self.number.as_deref());
        self.house.store.begin(&self.call, &caller, self.started, &self.flow.stored);
        let (board, meaning) = (&self.house.board, &self.flow.meaning);
        let desk_steps = self.flow.flow.desk_steps.keys().cloned().collect();
        board.begin(&self.call, &caller, self.started, meaning, desk_steps, self.give_orders.clone());
        incoming.ring().await;
        let House { config, shared, .. } = &self.house;
        caller.on_file = known(config.people.as_ref(), &shared.backends, &caller, &self.call).await;
        let rate = incoming.rate();
        self.rate = rate;
        let called_back = incoming.ticket().map(str::to_owned);
        if let Some(ticket) = &called_back {
            self.ticket.clone_from(ticket);
        }
        self.caller = CallerSide::Ringing(incoming);
        let listener = Listener::new(self.house.shared.listening.clone());
        let mut session =
            Session::new(self.flow.flow.clone(), rate, listener, self.house.shared.waiting_sounds.clone());
        if early_media {
            session.open_early();
        }
        if self.house.config.console.as_ref().is_some_and(|console| console.transcript) {
            session.overhear(&self.house.shared.listening);
        }
        session.tell(Event::Arrived { call: self.call.clone(), caller, at: self.started });
        let mut drain = self.house.drain.clone();
        if let Some(within) = *drain.borrow_and_update() {
            session.tell(Event::Drain { within_ms: within.as_millis() as u64 });
        }
        self.perform_all(&mut session).await;

        let mut beat = interval(Duration::from_millis(u64::from(FRAME_MS)));
        beat.set_missed_tick_behavior(MissedTickBehavior::Burst);
        while !session.finished() {
            tokio::select! {
                biased;
                _ = beat.tick() => self.beat(&mut session),
                Some(done) = self.returns.recv() => done.deliver(&mut session),
                Some(news) = self.agents.recv() => self.agent_news(news, &mut session).await,
                news = next_of_caller(&mut self.caller), if !self.hung_up => self.caller_news(news, &mut session),
                event = next_of_agent(&mut self.agent) => self.agent_does(event, &mut session).await,
                event = next_of_agent(&mut self.target) => {
                    // Answered, and gone before it was put through.
                    if matches!(event, Some(LegEvent::HungUp) | None) {
                        self.let_target_go().await;
                        session.tell(Event::TargetFailed { failure: AgentFailure::LeftEarly });
                    }
                }
                event = next_of_agent(&mut self.consult) => {
                    if matches!(event, Some(LegEvent::HungUp) | None) {
                        self.consult_ends(&mut session).await;
                    }
                }
                news = next_of_supervisor(&mut self.supervisor) => self.supervisor_does(news, &mut session),
                Some(order) = self.orders.recv() => match order {
                    Order::Agent { agent, what } => self.ordered(agent, what, &mut session).await,
                    Order::Supervisor { account, what } => self.supervised(account, what, &mut session).await,
                },
                Some(incoming) = self.steps_in.recv() => self.step_in(incoming, &mut session).await,
                Ok(()) = drain.changed() => {
                    let within = *drain.borrow_and_update();
                    if let Some(within) = within {
                        session.tell(Event::Drain { within_ms: within.as_millis() as u64 });
                    }
                }
            }
            self.perform_all(&mut session).await;
            if std::mem::replace(&mut self.shown_recorded, session.is_recording()) != self.shown_recorded {
                self.house.board.recorded(&self.call, self.shown_recorded);
            }
        }
        // Told to stop before anybody spoke to them: it is made after the restart. One agreed on anew is another one.
        let stopped = self.ended.as_ref().is_some_and(|(_, cause)| *cause == Cause::Shutdown);
        if called_back.is_some() && !self.promised && !stopped {
            self.house.store.callback_is(&self.ticket, CallbackState::Reached);
        }
        self.close(session).await
    }

    fn about(&self) -> About {
        self.house.floor.about(self.number.as_deref(), &self.reasons)
    }

    fn now_ms(&self) -> u64 {
        self.arrived.elapsed().as_millis() as u64
    }

    fn beat(&mut self, session: &mut Session) {
        crate::media::go_first();
        let (now_ms, at) = (self.now_ms(), Instant::now());
        if let Some(frame) = rings(&mut self.agent, at).or_else(|| rings(&mut self.target, at)) {
            session.rings(&frame);
        }
        let caller: Option<&mut dyn Port> = match &mut self.caller {
            CallerSide::There(leg, _) => Some(leg.port()),
            _ => None,
        };
        let supervisor: Option<&mut dyn Port> = match &mut self.supervisor {
            Supervisor::There { leg, .. } => Some(leg.port()),
            _ => None,
        };
        let (agent, third) = (self.agent.port(), self.consult.port());
        session.beat(now_ms, at, Ports { caller, agent, supervisor, third });
    }

    /// Doing one request may make the session ask for more.
    async fn perform_all(&mut self, session: &mut Session) {
        loop {
            let requests = session.requests();
            if requests.is_empty() {
                return;
            }
            for request in requests {
                self.perform(request).await;
            }
        }
    }

    async fn perform(&mut self, request: Request) {
        match request {
            Request::KeepCallback(promise) => self.keep_callback(*promise),
            Request::Record if !self.recording => self.open_recording(self.rate),
            Request::Record => {}
            Request::KeepMessage(message) => self.house.store.message(&self.call, message),
            Request::Answer => self.answer(),
            Request::OpenEarly => self.open_early(),
            Request::Note(entry) => {
                if let Some(screen) = &self.screen {
                    caller::show(screen, &entry);
                }
                self.house.board.note(&self.call, &entry);
                // At once: a crash in the midst of the conversation must not have them called again.
                if matches!(entry.note, Note::Connected { .. }) && self.ticket != self.call {
                    self.house.store.callback_is(&self.ticket, CallbackState::Reached);
                }
                self.house.store.note(&self.call, &entry);
                for reason in self.reasons.follow(&entry.note) {
                    // Where it is not on the floor yet, it goes there with its reasons.
                    self.house.floor.tell(FloorEvent::Escalated { call: self.ticket.clone(), reason }).await;
                }
            }
            Request::Log(line) => match (serde_json::to_string(&line.event), serde_json::to_string(&line.actions)) {
                (Ok(event_json), Ok(actions_json)) => {
                    self.house.store.log(&self.call, LoggedLine { at_ms: line.at_ms, event_json, actions_json });
                }
                _ => warn!(call = %self.call, "a line of the event log has no JSON form"),
            },
            Request::Forget { since_ms } => {
                self.house.store.forget(&self.call, since_ms);
                self.house.board.forget(&self.call, since_ms);
            }
            Request::Queue(request) => {
                self.tell_handoff(&request).await;
                self.house.floor.request(self.ticket.clone(), self.about(), request, self.back.clone()).await;
            }
            Request::RingAgent { agent, summary } => self.ring(agent, &summary).await,
            Request::ReleaseAgent { agent } => {
                let at = match &self.agent {
                    AgentSide::None => None,
                    AgentSide::Ringing { leg, .. } | AgentSide::There { leg, .. } => leg.agent.as_ref(),
                };
                if at == Some(&agent) {
                    self.let_agent_go().await;
                }
            }
            Request::Alert { reason, why } => {
                let (call, level, words) = (&self.call, why.level, why.words);
                self.house.board.alert(call, &reason);
                self.house.store.alert(call, &reason, &why);
                warn!(%call, reason, level, words, "a caller needs a supervisor's attention");
                metrics::counter!(names::ALERTS, "line" => self.line.clone()).increment(1);
            }
            Request::ReferCaller { agent, attended } => self.refer_caller(agent, attended).await,
            Request::RingTarget { to, summary } => self.ring_target(to, &summary).await,
            Request::ReleaseTarget => self.let_target_go().await,
            Request::ConnectTarget { .. } => {
                // The agent before was let go, unless they left first.
                let (side, busy) = (std::mem::replace(&mut self.target, AgentSide::None), self.target_busy.take());
                self.seat(side, busy).await;
            }
            Request::AnswerTransfer { status } => {
                if let Some(transfer) = &self.transfer {
                    transfer.progress(status);
                }
                if let (None, Some(agent)) = (&self.transfer, self.agent.name()) {
                    self.house.board.transfers(&self.call, agent, status); // asked for at the desk
                }
                if status >= 200 {
                    self.told_transfer = self.transfer.take();
                }
            }
            Request::HangUp => {} // at the end, when the last frame was sent
            Request::Finished { summary, cause } => self.ended = Some((summary, cause)),
            errand => {
                let (shared, flow, back) = (self.house.shared.clone(), self.flow.clone(), self.back.clone());
                tokio::spawn(errand::run(shared, flow, self.call.clone(), errand, back));
            }
        }
    }

    /// On disk first, then on the floor, which answers the call.
    fn keep_callback(&mut self, promise: Promise) {
        self.promised = true;
        let agreed = Utc::now();
        let within = {
            let today = self.house.today.borrow();
            let terms = today.queues.get(&promise.queue).and_then(|queue| queue.callback.as_ref());
            terms.map(|callback| TimeDelta::milliseconds(callback.terms.within_ms as i64))
        };
        let (house, call, about, back) = (self.house.clone(), self.ticket.clone(), self.about(), self.back.clone());
        let Some(within) = within else {
            // The operator has taken callbacks away meanwhile.
            tokio::spawn(async move { drop(back.send(Return::Event(Event::CallbackRefused)).await) });
            return;
        };
        tokio::spawn(async move {
            // One after the other: who asks by two telephones at once asks once.
            static KEEPING: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());
            let _alone = KEEPING.lock().await;
            if let Some((earlier, promise)) = promised(&house.store, &call, &promise).await {
                info!(%call, %earlier, "the number is to be called back already");
                house.floor.lost(&call); // its place is the earlier one
                let _ = back.send(Return::Event(Event::CallbackStands)).await; // the call may be over
                return house.floor.promise(earlier, about, promise, back).await;
            }
            match house.store.promise(&call, promise.clone(), agreed, agreed + within).await {
                Ok(()) => house.floor.promise(call, about, promise, back).await,
                Err(error) => {
                    warn!(%call, %error, "a callback could not be written down");
                    // The writer may try again: the caller was told otherwise.
                    house.store.callback_is(&call, CallbackState::Cancelled);
                    let _ = back.send(Return::Event(Event::CallbackRefused)).await; // the call may be over
                }
            }
        });
    }

    /// A new recording comes back as soon as its file is there: the disk must not hold up the call.
    fn open_recording(&mut self, rate: u32) {
        self.recording = true;
        let from_ms = self.now_ms();
        let (house, call, started, back) = (self.house.clone(), self.call.clone(), self.started, self.back.clone());
        tokio::spawn(async move {
            // A full disk costs the recording, not the caller the call.
            let path = match house.store.new_recording(&call, started, from_ms).await {
                Ok(path) => path,
                Err(error) => return warn!(%call, %error, "the call is not recorded"),
            };
            let (recordings, seal) = (house.recordings.clone(), house.store.recording_seal(&call));
            match tokio::task::spawn_blocking(move || recordings.record_sealed(path, rate, rate, seal)).await {
                Ok(Ok(recorder)) => drop(back.send(Return::Recorder(Box::new(recorder), from_ms)).await),
                Ok(Err(error)) => warn!(%call, %error, "the call is not recorded"),
                Err(error) => warn!(%call, %error, "the call is not recorded"),
            }
        });
    }

    fn open_early(&mut self) {
        match std::mem::replace(&mut self.caller, CallerSide::Gone) {
            CallerSide::Ringing(incoming) => {
                let (opened, leg) = oneshot::channel();
                tokio::spawn(async move { drop(opened.send(incoming.open_early().await)) });
                self.caller = CallerSide::Opening(leg);
            }
            other => self.caller = other,
        }
    }

    fn answer(&mut self) {
        if let Some(early) = self.early.take() {
            let now_ms = self.now_ms();
            if let CallerSide::There(_, record) = &mut self.caller {
                record.answered_ms = Some(now_ms);
                self.house.store.leg(&self.call, record.clone());
            }
            let call = self.call.clone();
            // Should it fail, the leg says that it is over.
            tokio::spawn(async move {
                if let Err(error) = early.answer().await {
                    warn!(%call, %error, "the caller's leg could not be answered");
                }
            });
            return;
        }
        match std::mem::replace(&mut self.caller, CallerSide::Gone) {
            CallerSide::Ringing(incoming) => {
                self.caller = CallerSide::Answering(caller::answering(incoming));
            }
            other => self.caller = other,
        }
    }

    fn caller_news(&mut self, news: CallerNews, session: &mut Session) {
        match news {
            CallerNews::Answered(Some(Ok(leg))) => {
                let now_ms = self.now_ms();
                let record = records::Leg { answered_ms: Some(now_ms), ..records::Leg::default() };
                self.house.store.leg(&self.call, record.clone());
                self.caller = CallerSide::There(leg, record);
                session.answered();
            }
            CallerNews::Opened(opened) => match *opened {
                Ok((leg, early)) => {
                    let record = records::Leg::default();
                    self.house.store.leg(&self.call, record.clone());
                    self.caller = CallerSide::There(leg, record);
                    self.early = Some(early);
                    session.answered();
                }
                // Gone: the call hears of it when it answers. Or early media cannot be had: then it is answered at once.
                Err((incoming, error)) => {
                    debug!(call = %self.call, %error, "no sound before the answer");
                    self.caller = CallerSide::Ringing(incoming);
                    self.answer();
                }
            },
            CallerNews::Answered(failed) => {
                if let Some(Err(error)) = failed
                    && !error.is_cancelled()
                {
                    warn!(call = %self.call, %error, "the caller's leg could not be answered");
                }
                self.caller = CallerSide::Gone;
                session.tell(Event::CallerHungUp);
            }
            CallerNews::Cancelled => {
                self.caller = CallerSide::Gone;
                session.tell(Event::CallerHungUp);
            }
            CallerNews::Leg(Some(LegEvent::HungUp) | None) => {
                self.hung_up = true;
                session.tell(Event::CallerHungUp);
            }
            CallerNews::Leg(Some(LegEvent::Held)) => session.caller_holds(true),
            CallerNews::Leg(Some(LegEvent::Resumed)) => session.caller_holds(false),
            CallerNews::Leg(Some(LegEvent::Referred(status))) => {
                if let Some(agent) = self.referred_to.take_if(|_| status >= 200) {
                    session.tell(match status {
                        200..300 => Event::Referred { agent },
                        _ => Event::ReferFailed { agent, status },
                    });
                }
            }
            CallerNews::Leg(Some(LegEvent::Transfer(_) | LegEvent::TransferUnreadable)) => {} // never allowed on this leg
        }
    }

    /// Hangs up on everybody and closes the record.
    async fn close(mut self, mut session: Session) -> (String, String) {
        let mut quality = None;
        if let Some(early) = self.early.take() {
            // Never answered.
            match self.ended {
                Some((_, Cause::Shutdown)) => early.reject(503, Some(TRY_AGAIN)).await,
                _ => early.reject(480, None).await,
            }
        }
        match std::mem::replace(&mut self.caller, CallerSide::Gone) {
            CallerSide::Ringing(incoming) => match self.ended {
                Some((_, Cause::Shutdown)) => incoming.reject(503, Some(TRY_AGAIN)).await,
                _ => incoming.reject(480, None).await,
            },
            CallerSide::There(mut leg, record) => {
                let figures = leg.port().quality();
                count(&figures);
                let ended_ms = Some(self.now_ms());
                self.house.store.leg(&self.call, records::Leg { ended_ms, quality: Some(figures), ..record });
                quality = Some(figures);
                tokio::spawn(leg.hang_up());
            }
            CallerSide::Answering(_) | CallerSide::Opening(_) | CallerSide::Gone => {}
        }
        self.let_agent_go().await;
        self.let_target_go().await;
        if let Some(recording) = session.stop_recording() {
            let waited = tokio::task::spawn_blocking(move || recording.wait());
            match tokio::time::timeout(RECORDING_LIMIT, waited).await {
                Ok(Ok(Ok(recorded))) if recorded.overflow > 0 => {
                    warn!(call = %self.call, frames = recorded.overflow, "the disk was too slow for the recording");
                }
                Ok(Ok(Ok(_))) => {}
                _ => warn!(call = %self.call, "the recording could not be completed"),
            }
        }
        // A session finishes only by saying how.
        let Some((summary, cause)) = self.ended.take() else { return Default::default() };
        let outcome = summary.outcome;
        self.reword(&summary);
        self.house.store.finish(&self.call, Ending { cause, ended: Utc::now(), summary: *summary, quality });
        (label(cause), label(outcome))
    }
}

/// A value's name as it stands in records and metrics.
fn label(value: impl serde::Serialize) -> String {
    serde_json::to_value(value).ok().and_then(|value| Some(value.as_str()?.to_owned())).unwrap_or_default()
}

/// A leg's figures, into the metrics.
fn count(quality: &crate::media::Quality) {
    metrics::counter!(names::RTP_RECEIVED).increment(quality.packets_received);
    metrics::counter!(names::RTP_LOST).increment(quality.packets_lost);
    metrics::counter!(names::RTP_LATE).increment(quality.packets_late);
    metrics::counter!(names::RTP_BAD).increment(quality.packets_bad);
    metrics::counter!(names::RTP_UNAUTHENTIC).increment(quality.packets_unauthentic);
    metrics::counter!(names::RTP_FOREIGN).increment(quality.packets_foreign);
    metrics::histogram!(names::RTP_JITTER_SECONDS).record(f64::from(quality.jitter_ms) / 1e3);
    metrics::histogram!(names::RTP_BUFFER_SECONDS).record(f64::from(quality.buffer_ms) / 1e3);
    if let Some(ms) = quality.round_trip_ms {
        metrics::histogram!(names::RTP_ROUND_TRIP_SECONDS).record(f64::from(ms) / 1e3);
    }
    if let Some(mos) = quality.mos {
        metrics::histogram!(names::RTP_MOS).record(f64::from(mos));
    }
}

async fn next_of_caller(caller: &mut CallerSide) -> CallerNews {
    match caller {
        CallerSide::Ringing(incoming) => {
            incoming.cancelled().await;
            CallerNews::Cancelled
        }
        CallerSide::Opening(opened) => match opened.await {
            Ok(opened) => CallerNews::Opened(Box::new(opened)),
            Err(_) => CallerNews::Cancelled,
        },
        CallerSide::Answering(leg) => CallerNews::Answered(leg.await.ok()),
        CallerSide::There(leg, _) => CallerNews::Leg(leg.event().await),
        CallerSide::Gone => std::future::pending().await,
    }
}

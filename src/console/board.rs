//! The live state that desks and walls show: calls with their stories, agents, queues. The engine writes it as things happen
//! (each call returns at once), pages follow it. What a page orders goes to the call's own task; what it means for the queues,
//! to the floor.

mod presence;
mod story;
mod supervise;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use chrono::{DateTime, TimeDelta, Utc};
use chrono_tz::Tz;
use serde_json::{Value, json};
use tokio::sync::{mpsc, oneshot, watch};

pub use self::presence::{Became, Patience, Presence};
pub use self::supervise::{Supervise, Unsupervised};

use self::supervise::Supervisor;
use super::figures::Figures;
use super::outlook::{self, Outlook};
use super::view;
use crate::acd::{AgentState, Floor, FloorEvent};
use crate::answers::Meaning;
use crate::call::{Caller, Entry, Note, Summary};
use crate::webrtc::Incoming;

/// News that may wait for one page; a page that takes none is let go, and catches up when it comes back.
const BACKLOG: usize = 256;
/// Lines of one call's story kept for pages.
const KEPT: usize = 2_000;
/// Orders that may wait for a call.
pub const ORDERS: usize = 32;

/// Cheap to clone. The default is for an engine without a console: nothing is kept.
#[derive(Clone, Default)]
pub struct Board(Option<Arc<Inner>>);

struct Inner {
    state: Mutex<State>,
    /// Rises whenever a wall would look different.
    changed: watch::Sender<u64>,
    floor: mpsc::UnboundedSender<FloorEvent>,
    started: Instant,
    patience: Patience,
    streams: AtomicU64,
}

/// Who may have a desk, and what else pages name.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct People {
    pub agents: BTreeMap<String, Member>,
    pub queues: BTreeSet<String>,
    /// Days begin at its midnight.
    pub zone: Tz,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct Member {
    pub display_name: String,
    /// Talks by the browser that shows the desk, not by telephone.
    pub by_browser: bool,
    pub queues: BTreeSet<String>,
}

#[derive(Default)]
struct State {
    people: People,
    agents: BTreeMap<String, Seat>,
    calls: HashMap<String, Call>,
    waiting: BTreeMap<String, usize>,
    closed: BTreeSet<String>,
    /// What a conversation takes, by queue, as announcements have it, ms.
    handling: BTreeMap<String, u64>,
    figures: Figures,
    outlook: Outlook,
}

/// An agent at work.
struct Seat {
    state: Shown,
    since: DateTime<Utc>,
    until: Option<DateTime<Utc>>,
    pages: Vec<Page>,
    /// What the agent chose last; for those who talk by their browser.
    wish: Wish,
    /// The number of the caller who is on their desk, or was last: until they go on.
    caller: Option<String>,
    /// What became of the call that their browser was gone in, until they go on.
    lost: Option<Value>,
}

impl Default for Seat {
    fn default() -> Self {
        let since = Utc::now();
        Self {
            state: Shown::default(),
            since,
            until: None,
            pages: Vec::new(),
            wish: Wish::Off,
            caller: None,
            lost: None,
        }
    }
}

/// An agent's state, as pages name it.
#[derive(Clone, Debug, PartialEq)]
struct Shown {
    name: &'static str,
    reason: Option<String>,
    call: Option<String>,
}

impl Default for Shown {
    fn default() -> Self {
        Self { name: "offline", reason: None, call: None }
    }
}

/// What an agent wants to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wish {
    Off,
    Ready,
    Paused(String),
}

struct Page {
    id: u64,
    news: mpsc::Sender<News>,
}

/// Something that a page is to know: its kind, and JSON.
#[derive(Clone, Debug)]
pub struct News {
    pub kind: &'static str,
    pub json: Arc<str>,
}

impl News {
    fn new(kind: &'static str, value: &Value) -> Self {
        Self { kind, json: value.to_string().into() }
    }
}

struct Call {
    /// Where the call's flow has a knowledge base.
    meaning: Option<Meaning>,
    desk_steps: Vec<String>,
    started: DateTime<Utc>,
    caller: Caller,
    orders: mpsc::Sender<Order>,
    /// With the time at which each was written, ms of the call.
    entries: Vec<(u64, Value)>,
    queue: Option<String>,
    waits_since: Option<DateTime<Utc>>,
    /// `bot`, `waiting`, `ringing`, `person`.
    stage: &'static str,
    distress: Option<f32>,
    /// Is being recorded, not for a message alone.
    recorded: bool,
    /// Why supervisors were told.
    alert: Option<String>,
    summary: Option<Value>,
    parties: BTreeMap<String, Party>,
    supervisor: Option<Supervisor>,
}

/// An agent's part in a call.
#[derive(Default)]
struct Party {
    talks: bool,
    /// Takes the agent's sound, while their desk rings.
    answer: Option<oneshot::Sender<Incoming>>,
    held: bool,
    muted: bool,
    consult: Option<Value>,
    transfer: Option<Value>,
}

/// What an agent wants done in a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum What {
    /// Hang up; while it rings: do not take it.
    HangUp,
    /// The caller hears what waiting callers hear, and is not heard.
    Hold(bool),
    Mute(bool),
    /// The caller does not want to be recorded.
    StopRecording,
    Key(char),
    /// The caller is to be connected to an agent, a queue or a number.
    Transfer(String),
    /// The agent talks to somebody while the caller waits.
    Consult(String),
    ConsultOver,
    /// Agent, caller and who is consulted are to hear each other.
    JoinAll,
    /// The caller is to go through these steps of the flow while the agent waits.
    DeskStep(String),
    /// The caller is to come back from them.
    DeskStepOver,
    /// The caller is to be connected to who is consulted.
    ConsultDone,
    SkipBriefing,
}

/// What somebody at a desk or a wall wants done in a call.
#[derive(Debug)]
pub enum Order {
    Agent { agent: String, what: What },
    Supervisor { account: String, what: Supervise },
}

/// There is no such call, or this agent has no part in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotTheirs;

impl Board {
    /// And what pages mean for the floor.
    pub fn new(people: People, patience: Patience) -> (Self, mpsc::UnboundedReceiver<FloorEvent>) {
        let (floor, events) = mpsc::unbounded_channel();
        let agents = people.agents.keys().map(|name| (name.clone(), Seat::default())).collect();
        let mut state = State { people, agents, ..State::default() };
        state.figures.in_zone(state.people.zone);
        let inner = Inner {
            state: Mutex::new(state),
            changed: watch::channel(0).0,
            floor,
            started: Instant::now(),
            patience,
            streams: AtomicU64::new(1),
        };
        (Self(Some(Arc::new(inner))), events)
    }

    /// The operator's file has changed.
    pub fn reconfigure(&self, people: People) {
        self.with(|state| {
            state.agents.retain(|name, seat| people.agents.contains_key(name) || !seat.pages.is_empty());
            for name in people.agents.keys() {
                state.agents.entry(name.clone()).or_default();
            }
            state.waiting.retain(|queue, _| people.queues.contains(queue));
            state.figures.in_zone(people.zone);
            state.people = people;
        });
    }

    // ---- what the engine tells

    /// A call has arrived; `meaning` is its flow's, and so are the steps that a desk offers.
    pub fn begin(
        &self,
        call: &str,
        caller: &Caller,
        started: DateTime<Utc>,
        meaning: &Meaning,
        desk_steps: Vec<String>,
        orders: mpsc::Sender<Order>,
    ) {
        self.with(|state| {
            let shown = Call {
                meaning: meaning.knowledge().map(|_| meaning.clone()),
                desk_steps,
                started,
                caller: caller.clone(),
                orders,
                entries: Vec::new(),
                queue: None,
                waits_since: None,
                stage: "bot",
                distress: None,
                recorded: false,
                alert: None,
                summary: None,
                parties: BTreeMap::new(),
                supervisor: None,
            };
            state.calls.insert(call.to_owned(), shown);
        });
    }

    /// One more line of the call's story.
    pub fn note(&self, call: &str, entry: &Entry) {
        self.with(|state| {
            let State { calls, agents, figures, .. } = state;
            let Some(shown) = calls.get_mut(call) else { return };
            figures.note(call, &entry.note, Utc::now());
            shown.follow(&entry.note);
            if matches!(entry.note, Note::Supervised { .. }) {
                return; // pages show what is so now, to who may see it
            }
            let Some(line) = view::line(entry) else { return };
            let news = json!({ "call": call, "line": line });
            if shown.entries.len() < KEPT {
                shown.entries.push((entry.at_ms, line));
            }
            let news = News::new("line", &news);
            shown.parties.keys().for_each(|agent| send(agents, agent, &news));
        });
    }

    /// What was told of it since then proved to be a secret: pages show the call without it.
    pub fn forget(&self, call: &str, since_ms: u64) {
        self.with(|state| {
            let State { calls, agents, people, .. } = state;
            let Some(shown) = calls.get_mut(call) else { return };
            shown.forget(since_ms);
            for agent in shown.parties.keys() {
                let by_browser = people.agents.get(agent).is_some_and(|member| member.by_browser);
                send(agents, agent, &News::new("call", &shown.json(call, agent, by_browser)));
            }
        });
    }

    pub fn alert(&self, call: &str, reason: &str) {
        self.with(|state| {
            if let Some(call) = state.calls.get_mut(call) {
                call.alert = Some(reason.to_owned());
            }
        });
    }

    /// The call is being recorded from now on, or no more.
    pub fn recorded(&self, call: &str, recorded: bool) {
        self.with(|state| {
            let State { calls, agents, .. } = state;
            let Some(shown) = calls.get_mut(call) else { return };
            shown.recorded = recorded;
            for (agent, party) in &shown.parties {
                send(agents, agent, &News::new("party", &json!({ "call": call, "party": shown.party(party) })));
            }
        });
    }

    /// It waits in another queue than it was sent to.
    pub fn moved(&self, call: &str, queue: &str) {
        self.with(|state| {
            if let Some(call) = state.calls.get_mut(call) {
                call.queue = Some(queue.to_owned());
            }
        });
    }

    /// An agent is rung: the whole story goes with it. What the agent's browser answers with comes back, if it is by the
    /// browser that they talk; `None`: there is no such browser now.
    pub fn ring(&self, call: &str, agent: &str, summary: &Summary) -> Option<oneshot::Receiver<Incoming>> {
        let mut answered = None;
        self.with(|state| {
            let Some(member) = state.people.agents.get(agent) else { return };
            let here = state.agents.get(agent).is_some_and(|seat| !seat.pages.is_empty());
            let talks =
                |(id, other): (&String, &Call)| id != call && other.parties.get(agent).is_some_and(|party| party.talks);
            if state.calls.iter().any(talks) {
                return; // a colleague chose them: their desk shows the call that they have
            }
            let Some(shown) = state.calls.get_mut(call) else { return };
            shown.summary = Some(view::summary(summary));
            let mut party = Party::default();
            if member.by_browser && here {
                let (answer, answer_in) = oneshot::channel();
                party.answer = Some(answer);
                answered = Some(answer_in);
            }
            shown.parties.insert(agent.to_owned(), party);
            let seat = state.agents.entry(agent.to_owned()).or_default();
            (seat.caller, seat.lost) = (shown.caller.shown_number().map(str::to_owned), None);
            let news = News::new("ring", &shown.json(call, agent, member.by_browser));
            send(&mut state.agents, agent, &news);
        });
        answered
    }

    /// The agent talks.
    pub fn answered(&self, call: &str, agent: &str) {
        self.party(call, agent, true, |party| {
            party.talks = true;
            party.answer = None;
        });
    }

    /// The agent has no more part in the call.
    pub fn gone(&self, call: &str, agent: &str) {
        self.with(|state| {
            let Some(party) = state.calls.get_mut(call).and_then(|call| call.parties.remove(agent)) else { return };
            let news = News::new("over", &json!({ "call": call, "talked": party.talks }));
            send(&mut state.agents, agent, &news);
        });
    }

    pub fn held(&self, call: &str, agent: &str, held: bool) {
        self.party(call, agent, false, |party| party.held = held);
    }

    pub fn muted(&self, call: &str, agent: &str, muted: bool) {
        self.party(call, agent, false, |party| party.muted = muted);
    }

    /// Whom the agent consults, and how that stands (`ringing`, `talking`, `joined`, `failed`); none: nobody.
    pub fn consults(&self, call: &str, agent: &str, consult: Option<(&str, &str)>) {
        let consult = consult.map(|(to, state)| json!({ "to": to, "state": state }));
        self.party(call, agent, false, |party| party.consult = consult);
    }

    /// How the transfer that the agent asked for goes (SIP status).
    pub fn transfers(&self, call: &str, agent: &str, status: u16) {
        self.party(call, agent, false, |party| party.transfer = Some(json!({ "status": status })));
    }

    /// The call is over.
    pub fn end(&self, call: &str) {
        self.with(|state| {
            let Some(shown) = state.calls.remove(call) else { return };
            state.figures.end(call, Utc::now());
            for (agent, party) in shown.parties {
                let news = News::new("over", &json!({ "call": call, "talked": party.talks, "ended": true }));
                send(&mut state.agents, &agent, &news);
            }
        });
    }

    /// What the queues and agents are doing now; `now_ms` is the floor's time.
    pub fn floor(&self, floor: &Floor, now_ms: u64) {
        let Some(inner) = &self.0 else { return };
        let mut state = inner.state();
        let now = Utc::now();
        let mut changed = false;
        let State { agents, people, waiting, closed, handling, calls, .. } = &mut *state;
        for (name, seat) in agents.iter_mut() {
            let (shown, until_ms) = show(floor.agent(name));
            if seat.state == shown {
                continue;
            }
            let until = until_ms.map(|until| now + TimeDelta::milliseconds(until.saturating_sub(now_ms) as i64));
            (seat.state, seat.since, seat.until) = (shown, now, until);
            changed = true;
            let news = News::new("state", &seat.json(name, people, calls));
            seat.pages.retain(|page| page.news.try_send(news.clone()).is_ok());
        }
        for queue in &people.queues {
            let length = floor.waiting(queue).count();
            changed |= waiting.insert(queue.clone(), length) != Some(length);
            changed |= match floor.is_open(queue) {
                true => closed.remove(queue),
                false => closed.insert(queue.clone()),
            };
            if let Some(ms) = floor.handling_ms(queue) {
                handling.insert(queue.clone(), ms);
            }
        }
        drop(state);
        if changed {
            inner.wake();
        }
    }

    /// The calls to expect today.
    pub fn expects(&self, outlook: Outlook) {
        self.with(|state| state.outlook = outlook);
    }

    // ---- what pages ask

    /// What the agent wants to do from now on. The floor decides what comes of it.
    pub fn wish(&self, agent: &str, wish: Wish) {
        let Some(inner) = &self.0 else { return };
        let mut state = inner.state();
        let by_browser = state.people.agents.get(agent).is_some_and(|member| member.by_browser);
        let Some(seat) = state.agents.get_mut(agent) else { return };
        let name = agent.to_owned();
        let tell = |event| drop(inner.floor.send(event)); // the floor outlives us
        match &wish {
            Wish::Off if by_browser => tell(FloorEvent::LoggedOut { agent: name }),
            Wish::Off => tell(FloorEvent::Paused { agent: name, reason: "logged_out".into() }),
            Wish::Ready => {
                if by_browser {
                    tell(FloorEvent::LoggedIn { agent: name.clone() });
                }
                tell(FloorEvent::Resumed { agent: name });
            }
            Wish::Paused(reason) => tell(FloorEvent::Paused { agent: name, reason: reason.clone() }),
        }
        (seat.wish, seat.caller, seat.lost) = (wish, None, None);
    }

    /// The agent's browser takes the call that rings.
    pub fn answer(&self, call: &str, agent: &str, sound: Incoming) -> Result<(), NotTheirs> {
        let inner = self.0.as_ref().ok_or(NotTheirs)?;
        let answer = {
            let mut state = inner.state();
            let party = state.calls.get_mut(call).and_then(|call| call.parties.get_mut(agent)).ok_or(NotTheirs)?;
            party.answer.take().ok_or(NotTheirs)?
        };
        answer.send(sound).map_err(|_| NotTheirs) // it rings no more
    }

    /// Whether this call rings at this agent's browser now.
    pub fn rings(&self, call: &str, agent: &str) -> bool {
        let Some(inner) = &self.0 else { return false };
        let state = inner.state();
        let party = state.calls.get(call).and_then(|call| call.parties.get(agent));
        party.is_some_and(|party| party.answer.is_some())
    }

    /// What the agent orders goes to the call.
    pub fn order(&self, call: &str, agent: &str, what: What) -> Result<(), NotTheirs> {
        let inner = self.0.as_ref().ok_or(NotTheirs)?;
        let state = inner.state();
        let call = state.calls.get(call).ok_or(NotTheirs)?;
        let party = call.parties.get(agent).ok_or(NotTheirs)?;
        if !party.talks && !matches!(what, What::HangUp) {
            return Err(NotTheirs);
        }
        // Full: a call that takes none is on its way out.
        call.orders.try_send(Order::Agent { agent: agent.to_owned(), what }).map_err(|_| NotTheirs)
    }

    /// Whether a call rings at this agent, or is theirs.
    pub fn has_call(&self, agent: &str) -> bool {
        let Some(inner) = &self.0 else { return false };
        inner.state().calls.values().any(|call| call.parties.contains_key(agent))
    }

    /// The caller's number, where this agent has part in the call.
    pub fn number(&self, call: &str, agent: &str) -> Result<Option<String>, NotTheirs> {
        let inner = self.0.as_ref().ok_or(NotTheirs)?;
        let state = inner.state();
        let call = state.calls.get(call).filter(|call| call.parties.contains_key(agent)).ok_or(NotTheirs)?;
        Ok(call.caller.shown_number().map(str::to_owned))
    }

    /// The number of the caller on this agent's desk, until the agent is ready for the next.
    pub fn caller_at(&self, agent: &str) -> Option<String> {
        self.0.as_ref()?.state().agents.get(agent)?.caller.clone()
    }

    /// What knows the answers, where this agent has part in the call.
    pub fn meaning(&self, call: &str, agent: &str) -> Result<Option<Meaning>, NotTheirs> {
        let inner = self.0.as_ref().ok_or(NotTheirs)?;
        let state = inner.state();
        let call = state.calls.get(call).filter(|call| call.parties.contains_key(agent)).ok_or(NotTheirs)?;
        Ok(call.meaning.clone())
    }

    /// Whom a caller may be passed on to: colleagues with their states, and queues.
    pub fn directory(&self, agent: &str) -> Value {
        let Some(inner) = &self.0 else { return Value::Null };
        let state = inner.state();
        let colleagues = state.people.agents.iter().filter(|(name, _)| *name != agent);
        let colleagues: Vec<_> = colleagues
            .map(|(name, member)| {
                let shown = state.agents.get(name).map_or("offline", |seat| seat.state.name);
                json!({ "name": name, "display_name": member.display_name, "state": shown })
            })
            .collect();
        json!({ "agents": colleagues, "queues": state.people.queues })
    }

    /// Whether there is such an agent.
    pub fn knows(&self, agent: &str) -> bool {
        self.0.as_ref().is_some_and(|inner| inner.state().people.agents.contains_key(agent))
    }

    pub fn agents(&self) -> Vec<String> {
        self.0.as_ref().map(|inner| inner.state().people.agents.keys().cloned().collect()).unwrap_or_default()
    }

    /// Says when the wall would look different.
    pub fn changes(&self) -> Option<watch::Receiver<u64>> {
        self.0.as_ref().map(|inner| inner.changed.subscribe())
    }

    /// Everything at a glance, for supervisors.
    pub fn wall(&self) -> Value {
        let Some(inner) = &self.0 else { return Value::Null };
        let state = inner.state();
        let mut calls: Vec<_> = state.calls.iter().collect();
        calls.sort_by_key(|(_, call)| call.started);
        let calls: Vec<_> = calls.into_iter().map(|(id, call)| call.brief(id)).collect();
        let agents: Vec<_> =
            state.agents.iter().map(|(name, seat)| seat.json(name, &state.people, &state.calls)).collect();
        let now = Utc::now();
        let local = now.with_timezone(&state.people.zone);
        let outlook =
            Some(&state.outlook).filter(|outlook| outlook.date == local.date_naive() && !outlook.queues.is_empty());
        let here = |seat: &&Seat| !matches!(seat.state.name, "offline" | "paused");
        let logged_in = state.agents.values().filter(here).count();
        let oldest = |queue: &str| {
            let waits = |call: &&Call| call.stage == "waiting" && call.queue.as_deref() == Some(queue);
            state.calls.values().filter(waits).filter_map(|call| call.waits_since).min()
        };
        let queues: Vec<_> = state
            .people
            .queues
            .iter()
            .map(|queue| {
                let length = state.waiting.get(queue).copied().unwrap_or(0);
                let members = state.people.agents.iter().filter(|(_, member)| member.queues.contains(queue));
                let states: Vec<&str> =
                    members.filter_map(|(name, _)| Some(state.agents.get(name)?.state.name)).collect();
                let of = |name: &str| states.iter().filter(|state| **state == name).count();
                json!({
                    "queue": queue, "waiting": length, "oldest": oldest(queue), "free": of("available"),
                    "busy": of("talking") + of("ringing") + of("wrap_up") + of("occupied"),
                    "away": of("paused") + of("resting"), "figures": state.figures.of(queue),
                    "closed": state.closed.contains(queue),
                    "needs": outlook.and_then(|day| day.needs(queue, outlook::slot(&local), state.handling.get(queue).copied())),
                })
            })
            .collect();
        let mut day = state.figures.day();
        day["slot"] = json!(outlook::slot(&local));
        day["expected"] = json!(outlook.map(|outlook| outlook.json(&state.handling)));
        json!({
            "now": now, "calls": calls, "agents": agents, "queues": queues, "figures": state.figures.json(), "day": day,
            "logged_in": logged_in,
        })
    }

    /// One live call as a supervisor sees it.
    pub fn story(&self, call: &str) -> Option<Value> {
        let inner = self.0.as_ref()?;
        let state = inner.state();
        let shown = state.calls.get(call)?;
        Some(shown.json(call, "", false))
    }

    fn party(&self, call: &str, agent: &str, make: bool, change: impl FnOnce(&mut Party)) {
        self.with(|state| {
            let Some(member) = state.people.agents.get(agent) else { return };
            let Some(shown) = state.calls.get_mut(call) else { return };
            if make {
                shown.parties.entry(agent.to_owned()).or_default();
            }
            let Some(party) = shown.parties.get_mut(agent) else { return };
            change(party);
            let (shown, party) = (&*shown, &shown.parties[agent]);
            let news = match make {
                true => News::new("call", &shown.json(call, agent, member.by_browser)),
                false => News::new("party", &json!({ "call": call, "party": shown.party(party) })),
            };
            send(&mut state.agents, agent, &news);
        });
    }

    fn with(&self, change: impl FnOnce(&mut State)) {
        if let Some(inner) = &self.0 {
            change(&mut inner.state());
            inner.wake();
        }
    }
}

impl Inner {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner) // what is shown wrong for once is shown anew
    }

    fn wake(&self) {
        self.changed.send_modify(|version| *version += 1);
    }

    fn now_ms(&self) -> u64 {
        self.started.elapsed().as_millis() as u64
    }
}

impl Seat {
    fn json(&self, name: &str, people: &People, calls: &HashMap<String, Call>) -> Value {
        let member = people.agents.get(name);
        let with = self.state.call.as_ref().and_then(|call| calls.get(call)).map(|call| call.who());
        json!({
            "name": name,
            "display_name": member.map_or(name, |member| &member.display_name),
            "by": if member.is_some_and(|member| member.by_browser) { "browser" } else { "phone" },
            "queues": member.map(|member| &member.queues),
            "state": self.state.name, "reason": self.state.reason, "call": self.state.call, "with": with,
            "since": self.since, "until": self.until, "desk": !self.pages.is_empty(),
        })
    }
}

/// A page that takes no news is let go: it comes back and is told all.
fn send(agents: &mut BTreeMap<String, Seat>, agent: &str, news: &News) {
    if let Some(seat) = agents.get_mut(agent) {
        seat.pages.retain(|page| page.news.try_send(news.clone()).is_ok());
    }
}

/// A state of the floor's as pages name it, and when it ends by itself (the floor's ms).
fn show(state: Option<&AgentState>) -> (Shown, Option<u64>) {
    let plain = |name| (Shown { name, ..Shown::default() }, None);
    let with = |name, call: &String| (Shown { name, reason: None, call: Some(call.clone()) }, None);
    match state {
        None | Some(AgentState::Offline) => plain("offline"),
        Some(AgentState::Paused { reason }) => {
            (Shown { name: "paused", reason: Some(reason.clone()), call: None }, None)
        }
        Some(AgentState::Available { .. }) => plain("available"),
        Some(AgentState::Reserved { call, until_ms }) => (with("reserved", call).0, Some(*until_ms)),
        Some(AgentState::Offered { call, .. }) => with("ringing", call),
        Some(AgentState::OnCall { call, .. }) => with("talking", call),
        Some(AgentState::WrapUp { until_ms }) => (plain("wrap_up").0, Some(*until_ms)),
        Some(AgentState::Resting { until_ms }) => (plain("resting").0, Some(*until_ms)),
    }
}

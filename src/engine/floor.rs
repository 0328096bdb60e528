//! The floor's task: carries what happens to calls and agents to the pure `acd::Floor`, and its decisions back.

use std::collections::{HashMap, VecDeque};
use std::hash::{BuildHasher, RandomState};
use std::time::{Duration, Instant};

use tokio::sync::mpsc;
use tokio::time::sleep_until;
use tracing::{info, warn};

use super::errand::Return;
use super::reasons::Reasons;
use crate::acd::{About, Floor, FloorAction, FloorEvent};
use crate::call::{CallId, Event, Promise, QueueRequest};
use crate::console::Board;

/// Messages that may wait for the floor; it decides in microseconds.
const BACKLOG: usize = 4_096;

/// The way to the floor; clones share it.
#[derive(Clone)]
pub struct FloorHandle {
    messages: mpsc::Sender<Message>,
    /// Makes names of callers' numbers that mean nothing outside this run.
    names: RandomState,
}

enum Message {
    /// What a call asks; what the floor decides about the call goes to `back`.
    Call {
        call: CallId,
        event: FloorEvent,
        /// None: the floor has it already.
        back: Option<mpsc::Sender<Return>>,
    },
    Event(FloorEvent),
}

impl FloorHandle {
    /// Starts the floor's task; it ends when the last handle is gone. `board` is told what agents and queues do. Whom the
    /// floor wants called back, or not any more, comes by the receiver.
    pub fn start(floor: Floor, board: Board) -> (Self, mpsc::Receiver<FloorAction>) {
        let (messages, inbox) = mpsc::channel(BACKLOG);
        let (outwards, actions) = mpsc::channel(BACKLOG);
        tokio::spawn(run(floor, inbox, outwards, board));
        (Self { messages, names: RandomState::new() }, actions)
    }

    /// The floor still decides. (It ends before its handles only by a fault of ours.)
    pub fn is_alive(&self) -> bool {
        !self.messages.is_closed()
    }

    /// A call is gone without a word. Never waits.
    pub fn lost(&self, call: &CallId) {
        let _ = self.messages.try_send(Message::Event(FloorEvent::Left { call: call.clone() })); // full: its agent waits for a restart
    }

    /// A call's request to its queue. Without a floor nobody is there to take it.
    pub async fn request(&self, call: CallId, about: About, request: QueueRequest, back: mpsc::Sender<Return>) {
        let enters = matches!(request, QueueRequest::Enter { .. } | QueueRequest::CalledBack);
        let event = FloorEvent::from_call(call.clone(), request, about);
        let message = Message::Call { call, event, back: enters.then(|| back.clone()) };
        if self.messages.send(message).await.is_err() && enters {
            let _ = back.try_send(Return::Event(Event::NobodyThere)); // the call's own channel, all but empty
        }
    }

    /// The caller is to be called back, as is written down.
    pub async fn promise(&self, call: CallId, about: About, promise: Promise, back: mpsc::Sender<Return>) {
        let Promise { queue, skills, language, priority, .. } = promise;
        let (attempts, left_ms) = (0, None);
        let event = FloorEvent::CallbackEntered {
            call: call.clone(),
            queue,
            skills,
            language,
            priority,
            about,
            attempts,
            left_ms,
        };
        let _ = self.messages.send(Message::Call { call, event, back: Some(back) }).await; // it is made after a restart
    }

    /// What the floor is to know of a caller; `number` is theirs, if it is shown.
    pub fn about(&self, number: Option<&str>, reasons: &Reasons) -> About {
        let caller = number.map(|number| format!("{:016x}", self.names.hash_one(number)));
        About { caller, agent: None, reasons: reasons.found().clone() }
    }

    /// Agents are busy without the floor's doing as long as what this gives lives. `leg` is a name of its own.
    pub async fn occupy(&self, leg: String, agents: Vec<String>, queue: Option<String>) -> Occupied {
        let occupied = Occupied { floor: self.clone(), leg, agents };
        occupied.come_by(queue).await;
        occupied
    }

    /// Something happened to an agent.
    pub async fn tell(&self, event: FloorEvent) {
        let _ = self.messages.send(Message::Event(event)).await; // `is_alive` tells of a floor that is gone
    }
}

/// Agents who are rung or talk by another agent's transfer or call.
pub struct Occupied {
    floor: FloorHandle,
    leg: String,
    agents: Vec<String>,
}

impl Occupied {
    /// They talk to a caller who came by this queue: a wrap-up follows.
    pub async fn come_by(&self, queue: Option<String>) {
        for agent in &self.agents {
            let (leg, agent, queue) = (self.leg.clone(), agent.clone(), queue.clone());
            self.floor.tell(FloorEvent::Occupied { leg, agent, queue }).await;
        }
    }
}

impl Drop for Occupied {
    fn drop(&mut self) {
        for agent in self.agents.drain(..) {
            let (floor, event) = (self.floor.clone(), FloorEvent::Unoccupied { leg: self.leg.clone(), agent });
            // Outside the runtime the process is on its way out.
            if let Ok(runtime) = tokio::runtime::Handle::try_current() {
                runtime.spawn(async move { floor.tell(event).await });
            }
        }
    }
}

async fn run(mut floor: Floor, mut inbox: mpsc::Receiver<Message>, outwards: mpsc::Sender<FloorAction>, board: Board) {
    let started = Instant::now();
    let mut calls: HashMap<CallId, mpsc::Sender<Return>> = HashMap::new();
    loop {
        let deadline = floor.next_deadline().map(|ms| started + Duration::from_millis(ms));
        let due = async {
            match deadline {
                Some(deadline) => sleep_until(deadline.into()).await,
                None => std::future::pending().await,
            }
        };
        let event = tokio::select! {
            message = inbox.recv() => match message {
                None => return,
                Some(Message::Event(event)) => event,
                Some(Message::Call { call, event, back }) => {
                    if let Some(back) = back {
                        calls.insert(call, back);
                    }
                    event
                }
            },
            () = due => FloorEvent::Tick,
        };
        let mut events = VecDeque::from([event]);
        while let Some(event) = events.pop_front() {
            let gone = event.ended_call().map(str::to_owned);
            // Milliseconds are cut off: a tick must not come just before its deadline.
            let now_ms = started.elapsed().as_micros().div_ceil(1_000) as u64;
            for action in floor.handle(now_ms, event) {
                // Nobody waits for these in a call that is over.
                let given_up = match &action {
                    FloorAction::GiveUp { call, .. }
                    | FloorAction::CallbackKept { call, .. }
                    | FloorAction::StopDialling { call } => Some(call.clone()),
                    FloorAction::Moved { call, to, reason } => {
                        info!(%call, queue = to, ?reason, "a call waits in another queue");
                        board.moved(call, to);
                        None
                    }
                    FloorAction::Resting { agent, missed } => {
                        warn!(agent, missed, "an agent missed several calls in a row and gets a rest");
                        None
                    }
                    _ => None,
                };
                if let FloorAction::Dial { call, .. }
                | FloorAction::StopDialling { call }
                | FloorAction::CallbackOver { call, .. } = &action
                {
                    let (call, dial) = (call.clone(), matches!(action, FloorAction::Dial { .. }));
                    if outwards.try_send(action.clone()).is_err() && dial {
                        events.push_back(FloorEvent::CallbackFailed { call });
                    }
                }
                tell(&mut calls, action, &mut events);
                given_up.inspect(|call| drop(calls.remove(call)));
            }
            if let Some(call) = gone {
                calls.remove(&call);
            }
        }
        board.floor(&floor, started.elapsed().as_millis() as u64);
    }
}

/// Tells a call what was decided about it. One whose channel is full (it holds seconds of work) or closed is dead, and
/// its agent free: the floor must not wait.
fn tell(calls: &mut HashMap<CallId, mpsc::Sender<Return>>, action: FloorAction, events: &mut VecDeque<FloorEvent>) {
    let Some((call, event)) = action.into_call_event() else { return };
    if calls.get(&call).is_some_and(|back| back.try_send(Return::Event(event)).is_err()) {
        calls.remove(&call);
        events.push_back(FloorEvent::Left { call });
    }
}

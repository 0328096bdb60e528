//! The floor's task: carries what happens to calls and agents to the pure `acd::Floor`, and its decisions back.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use tokio::sync::mpsc;
use tokio::time::sleep_until;
use tracing::warn;

use super::errand::Return;
use crate::acd::{Floor, FloorAction, FloorEvent};
use crate::call::{CallId, QueueRequest};

/// Messages that may wait for the floor; it decides in microseconds.
const BACKLOG: usize = 4_096;

/// The way to the floor; clones share it.
#[derive(Clone)]
pub struct FloorHandle(mpsc::Sender<Message>);

enum Message {
    /// What a call asks; what the floor decides about the call goes to `back`.
    Call {
        call: CallId,
        request: QueueRequest,
        back: mpsc::Sender<Return>,
    },
    Event(FloorEvent),
}

impl FloorHandle {
    /// Starts the floor's task; it ends when the last handle is gone.
    pub fn start(floor: Floor) -> Self {
        let (messages, inbox) = mpsc::channel(BACKLOG);
        tokio::spawn(run(floor, inbox));
        Self(messages)
    }

    /// A call's request to its queue.
    pub async fn request(&self, call: CallId, request: QueueRequest, back: mpsc::Sender<Return>) {
        let _ = self.0.send(Message::Call { call, request, back }).await; // the floor outlives every handle
    }

    /// Something happened to an agent.
    pub async fn tell(&self, event: FloorEvent) {
        let _ = self.0.send(Message::Event(event)).await; // likewise
    }
}

async fn run(mut floor: Floor, mut inbox: mpsc::Receiver<Message>) {
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
                Some(Message::Call { call, request, back }) => {
                    calls.insert(call.clone(), back);
                    FloorEvent::from_call(call, request)
                }
            },
            () = due => FloorEvent::Tick,
        };
        let gone = event.ended_call().map(str::to_owned);
        // Milliseconds are cut off: a tick must not come just before its deadline.
        let now_ms = started.elapsed().as_micros().div_ceil(1_000) as u64;
        for action in floor.handle(now_ms, event) {
            if let FloorAction::Resting { agent, missed } = &action {
                warn!(agent, missed, "an agent missed several calls in a row and gets a rest");
            }
            if let Some((call, event)) = action.into_call_event()
                && let Some(back) = calls.get(&call)
                && back.try_send(Return::Event(event)).is_err()
            {
                // Its channel holds seconds of work: the call's task is dead or gone, and the floor must not wait.
                calls.remove(&call);
            }
        }
        if let Some(call) = gone {
            calls.remove(&call);
        }
    }
}

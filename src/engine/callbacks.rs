//! Callbacks, outwards: whom the floor wants called is dialled by the queue's trunk, and who picks up becomes a call of
//! ours. What is to be done stands in the records; the floor hears of it again after a restart.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use chrono::Utc;
use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use super::caller::{Arrival, Called};
use super::floor::FloorHandle;
use super::reasons::Reasons;
use crate::acd::{FloorAction, FloorEvent, NoCallback};
use crate::call::{CallId, CalledBack, Promise, comparable};
use crate::config::Config;
use crate::dialog::flow::Instead;
use crate::records::{self, CallbackState, Store};
use crate::sip::{Endpoint, InviteRequest, OutgoingEvent, Target};

/// The floor ends ringing well before this (120 s at most).
const RING_LIMIT: Duration = Duration::from_secs(180);

type Take = Arc<dyn Fn(&str, Arrival) -> bool + Send + Sync>;

/// What callbacks need of the process.
#[derive(Clone)]
pub struct Callbacks {
    pub store: Store,
    pub endpoint: Endpoint,
    pub floor: FloorHandle,
    pub today: watch::Receiver<Arc<Config>>,
    pub drain: watch::Receiver<Option<Duration>>,
    /// Makes a call of who has picked up, on this line; false where there is none such any more.
    pub take: Take,
}

impl Callbacks {
    /// Until the floor is gone.
    pub async fn run(self, mut actions: mpsc::Receiver<FloorAction>) {
        if let Err(error) = self.restore().await {
            warn!(%error, "callbacks of an earlier run could not be read: they are made after the next restart");
        }
        let mut ringing: HashMap<CallId, CancellationToken> = HashMap::new();
        while let Some(action) = actions.recv().await {
            match action {
                FloorAction::Dial { call, attempt, .. } => {
                    ringing.retain(|_, gone| !gone.is_cancelled());
                    let gone = CancellationToken::new();
                    ringing.insert(call.clone(), gone.clone());
                    tokio::spawn(self.clone().dial(call, attempt, gone));
                }
                FloorAction::StopDialling { call } => {
                    if let Some(gone) = ringing.remove(&call) {
                        gone.cancel();
                    }
                }
                FloorAction::CallbackOver { call, why } => {
                    let state = match why {
                        NoCallback::NotReached => CallbackState::NotReached,
                        NoCallback::TooLate => CallbackState::TooLate,
                        NoCallback::NotOffered => CallbackState::Cancelled,
                    };
                    info!(%call, ?state, "a callback is over");
                    self.store.callback_is(&call, state);
                }
                _ => {}
            }
        }
    }

    /// Tells the floor of what an earlier run has left.
    async fn restore(&self) -> records::Result<()> {
        let waiting = self.store.archive().await?.callbacks(false).await?;
        let now = Utc::now();
        for callback in waiting {
            let Some(promise) = callback.promise else {
                warn!(call = %callback.call, "a callback cannot be read: its key is not here");
                continue;
            };
            let about =
                self.floor.about(Some(&promise.number), &Reasons::new(&self.today.borrow(), Some(&promise.number)));
            let left_ms = u64::try_from((callback.until - now).num_milliseconds()).unwrap_or(0);
            let event = FloorEvent::CallbackEntered {
                call: callback.call,
                queue: promise.queue,
                skills: promise.skills,
                language: promise.language,
                priority: promise.priority,
                about,
                attempts: callback.attempts,
                left_ms: Some(left_ms),
            };
            self.floor.tell(event).await;
        }
        Ok(())
    }

    async fn dial(self, call: CallId, attempt: u32, gone: CancellationToken) {
        // Told to stop: it is made after the restart.
        if self.drain.borrow().is_some() {
            return;
        }
        if !self.reach(&call, attempt, &gone).await {
            self.floor.tell(FloorEvent::CallbackFailed { call }).await;
        }
        gone.cancel();
    }

    /// Whether somebody has picked up; then they are a call of their own.
    async fn reach(&self, call: &CallId, attempt: u32, gone: &CancellationToken) -> bool {
        let read = async { self.store.archive().await?.callback(call).await };
        let callback = match read.await {
            Ok(Some(callback)) if callback.state == CallbackState::Waiting => callback,
            Ok(_) => {
                // Erased, with the caller's other records.
                self.floor.tell(FloorEvent::CallbackCancelled { call: call.clone() }).await;
                return false;
            }
            Err(error) => {
                warn!(%call, %error, "a callback cannot be read");
                return false;
            }
        };
        let Some(promise) = callback.promise else { return false };
        // By today's configuration: whom it may call may have been narrowed since, and it may just have closed.
        let (trunk, open, may) = {
            let today = self.today.borrow();
            let Some(terms) = today.queues.get(&promise.queue).and_then(|queue| queue.callback.as_ref()) else {
                return false;
            };
            let open = terms.hours.as_ref().is_none_or(|hours| hours.open_at(Utc::now()));
            let instead = Instead { callback: Some(terms.numbers.clone()), message: false };
            (terms.trunk.clone(), open, instead.calls(&promise.number))
        };
        if !may {
            warn!(%call, "a callback is not made: its number may not be called any more");
            self.store.callback_is(call, CallbackState::Cancelled);
            self.floor.tell(FloorEvent::CallbackCancelled { call: call.clone() }).await;
        }
        if !may || !open {
            return false;
        }
        self.store.callback_attempt(call, attempt);
        info!(%call, attempt, trunk, "calling back");
        let invite = InviteRequest {
            to: Target::Trunk { trunk, number: promise.number.clone() },
            from_display: String::new(),
            headers: Vec::new(),
            ring_timeout: RING_LIMIT,
        };
        let mut outgoing = match self.endpoint.invite(invite).await {
            Ok(outgoing) => outgoing,
            Err(error) => {
                warn!(%call, %error, "a callback could not be dialled");
                return false;
            }
        };
        let leg = loop {
            let event = tokio::select! {
                () = gone.cancelled() => {
                    outgoing.cancel().await;
                    return false;
                }
                event = outgoing.events.recv() => event,
            };
            match event {
                Some(OutgoingEvent::Ringing) => {}
                Some(OutgoingEvent::Answered(leg)) => break leg,
                Some(OutgoingEvent::Failed { status, .. }) => {
                    info!(%call, status, "a callback was not answered");
                    return false;
                }
                None => return false,
            }
        };
        let back = CalledBack {
            call: call.clone(),
            queue: promise.queue,
            skills: promise.skills,
            priority: promise.priority,
            language: promise.language,
            recorded: promise.recorded,
            facts: promise.summary.facts,
        };
        let called = Called::new(leg, promise.number, back);
        (self.take)(&callback.line, Arrival::Called(Box::new(called)))
    }
}

/// An earlier call that left the same number to be called back in the same queue.
pub(super) async fn promised(store: &Store, call: &CallId, wanted: &Promise) -> Option<(CallId, Promise)> {
    let read = async { store.archive().await?.callbacks(false).await };
    let waiting = read.await.inspect_err(|error| warn!(%call, %error, "earlier callbacks cannot be read")).ok()?;
    let number = comparable(&wanted.number);
    waiting.into_iter().filter(|callback| callback.call != *call).find_map(|callback| {
        let same = |promise: &Promise| promise.queue == wanted.queue && comparable(&promise.number) == number;
        Some((callback.call, callback.promise.filter(same)?))
    })
}

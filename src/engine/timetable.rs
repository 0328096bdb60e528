//! What clock and calendar tell: the floor, which queues are open, whose callers may be called back, and what a conversation of
//! each takes, as history has it; the wall, which calls are to come.

use std::sync::Arc;
use std::time::Duration;

use chrono::{TimeDelta, Utc};
use tokio::sync::watch;
use tokio::time::{Instant, interval};
use tracing::warn;

use super::floor::FloorHandle;
use crate::acd::FloorEvent;
use crate::config::Config;
use crate::console::{Board, Outlook, outlook_since};
use crate::records::Store;

/// How often the hours are looked at.
const LOOK: Duration = Duration::from_secs(15);
/// How often history is.
const LEARN: Duration = Duration::from_secs(3_600);
/// Older conversations say little of today's.
const HISTORY: TimeDelta = TimeDelta::weeks(4);
/// Fewer are chance: then the operator's figure counts.
const ENOUGH: u64 = 5;

pub struct Timetable {
    pub floor: FloorHandle,
    pub board: Board,
    pub store: Store,
    pub today: watch::Receiver<Arc<Config>>,
}

impl Timetable {
    /// Until there is no configuration any more.
    pub async fn run(mut self) {
        let mut look = interval(LOOK);
        let (mut learn, mut day) = (Instant::now(), None);
        loop {
            tokio::select! {
                changed = self.today.changed() => {
                    if changed.is_err() {
                        return;
                    }
                    learn = Instant::now();
                }
                _ = look.tick() => {}
            }
            self.tell_hours().await;
            // A new day has its own forecast.
            let date = Utc::now().with_timezone(&self.today.borrow().zone()).date_naive();
            if learn <= Instant::now() || day != Some(date) {
                day = Some(date);
                self.tell_expected().await;
                self.tell_outlook().await;
                learn = Instant::now() + LEARN;
            }
        }
    }

    /// Every queue: one may have lost its hours by a reload.
    pub async fn tell_hours(&self) {
        let (config, now) = (self.today.borrow().clone(), Utc::now());
        for queue in config.queues.values() {
            let open = queue.hours.as_ref().is_none_or(|hours| hours.open_at(now));
            self.floor.tell(FloorEvent::Hours { queue: queue.name.clone(), open }).await;
            let calls = queue.callback.as_ref().and_then(|callback| callback.hours.as_ref());
            let open = calls.is_none_or(|hours| hours.open_at(now));
            self.floor.tell(FloorEvent::CallbackHours { queue: queue.name.clone(), open }).await;
        }
    }

    async fn tell_outlook(&self) {
        let config = self.today.borrow().clone();
        if config.console.is_none() {
            return;
        }
        let (zone, now) = (config.zone(), Utc::now());
        let sent = async { self.store.archive().await?.sent(outlook_since(now)).await };
        let sent = match sent.await {
            Ok(sent) => sent,
            Err(error) => return warn!(%error, "earlier calls cannot be read: the wall has no forecast"),
        };
        let learned =
            tokio::task::spawn_blocking(move || Outlook::learn(&sent, zone, now.with_timezone(&zone).date_naive()));
        if let Ok(outlook) = learned.await {
            self.board.expects(outlook);
        }
    }

    async fn tell_expected(&self) {
        let known = async { self.store.archive().await?.conversations(Utc::now() - HISTORY).await };
        let known = known.await.unwrap_or_else(|error| {
            warn!(%error, "earlier conversations cannot be read: waits are told by today's alone");
            Default::default()
        });
        let config = self.today.borrow().clone();
        for queue in config.queues.values() {
            let known = known.get(&queue.name).filter(|known| known.count >= ENOUGH);
            let known = known.map(|known| known.mean + queue.wrap_up);
            if let Some(expected) = known.or(queue.handling) {
                let (queue, handling_ms) = (queue.name.clone(), expected.as_millis() as u64);
                self.floor.tell(FloorEvent::Expected { queue, handling_ms }).await;
            }
        }
    }
}

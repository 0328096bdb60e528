//! Whether an agent's page is there: opened, silent, closed, back again; and what the floor is told of it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::sync::mpsc;

use super::{BACKLOG, Board, Inner, News, Page, Seat, State, Wish};
use crate::acd::FloorEvent;

/// An agent whose last page closed has this long to open another (a page that is loaded anew).
const GRACE: Duration = Duration::from_secs(4);
/// Why an agent whose browser is gone takes no calls.
const LOST: &str = "connection_lost";

/// How long agents' pages are waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Patience {
    /// A page that says nothing for so long is gone (a laptop that sleeps closes nothing).
    pub silent: Duration,
    /// An agent who is gone has so long to be at work again: until then the caller who was cut off is kept, though nobody else
    /// may be there.
    pub back: Duration,
}

/// What became of a call whose agent's browser was gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Became {
    /// The caller is at the front of the queue.
    Requeued,
    /// Who was in the conversation has the caller.
    Joined,
}

impl Board {
    /// A page of this agent's desk: what it shows first, and its news. The page is there as long as the second value lives.
    pub fn open(&self, agent: &str) -> Option<(Value, mpsc::Receiver<News>, Presence)> {
        let inner = self.0.as_ref()?;
        let (sender, news) = mpsc::channel(BACKLOG);
        let id = inner.streams.fetch_add(1, Ordering::Relaxed);
        let mut state = inner.state();
        let by_browser = state.people.agents.get(agent)?.by_browser;
        let State { agents, people, calls, .. } = &mut *state;
        let seat = agents.entry(agent.to_owned()).or_default();
        seat.pages.push(Page { id, news: sender });
        if by_browser && seat.wish == Wish::Ready {
            // Back. (The floor outlives us.)
            let _ = inner.floor.send(FloorEvent::LoggedIn { agent: agent.to_owned() });
            if seat.state.reason.as_deref() == Some(LOST) {
                let _ = inner.floor.send(FloorEvent::Resumed { agent: agent.to_owned() });
            }
        }
        let mut first = json!({ "stream": id, "agent": seat.json(agent, people, calls), "lost": seat.lost });
        let theirs = calls.iter().find(|(_, call)| call.parties.contains_key(agent));
        first["call"] = theirs.map_or(Value::Null, |(id, call)| call.json(id, agent, by_browser));
        drop(state);
        let here = Arc::new(AtomicU64::new(inner.now_ms()));
        inner.wake();
        Some((first, news, Presence { inner: inner.clone(), agent: agent.to_owned(), id, here }))
    }

    /// The agent's browser is gone in a call: what the floor is to be told. The agent is told when they are back.
    pub fn vanished(&self, call: &str, agent: &str, became: Became) -> Vec<FloorEvent> {
        let Some(inner) = &self.0 else { return Vec::new() };
        let mut state = inner.state();
        let off = state.agents.get_mut(agent).is_some_and(|seat| {
            let became = if became == Became::Joined { "joined" } else { "requeued" };
            let lost = json!({ "call": call, "became": became });
            let news = News::new("lost", &lost);
            seat.lost = Some(lost);
            seat.pages.retain(|page| page.news.try_send(news.clone()).is_ok());
            seat.wish == Wish::Off
        });
        drop(state);
        inner.expect_back(agent.to_owned());
        // Who logged out is not to be counted as there.
        gone_in_a_call(agent).into_iter().take(if off { 1 } else { 3 }).collect()
    }
}

impl Inner {
    /// Who does not come back is off duty.
    fn expect_back(self: &Arc<Self>, agent: String) {
        let inner = self.clone();
        tokio::spawn(async move {
            tokio::time::sleep(inner.patience.back).await;
            let still = |seat: &Seat| seat.pages.is_empty() && seat.state.reason.as_deref() == Some(LOST);
            if inner.state().agents.get(&agent).is_some_and(still) {
                let _ = inner.floor.send(FloorEvent::LoggedOut { agent }); // it outlives us
            }
        });
    }
}

/// A page that is open.
pub struct Presence {
    inner: Arc<Inner>,
    agent: String,
    id: u64,
    /// When it was heard of last.
    here: Arc<AtomicU64>,
}

impl Presence {
    /// It has said nothing for so long that it must be gone.
    pub fn is_silent(&self) -> bool {
        self.inner.now_ms().saturating_sub(self.here.load(Ordering::Relaxed))
            > self.inner.patience.silent.as_millis() as u64
    }

    /// To be told when it is heard of.
    pub fn heard(&self) -> impl Fn() + Send + Sync + use<> {
        let (inner, here, agent) = (self.inner.clone(), self.here.clone(), self.agent.clone());
        move || {
            here.store(inner.now_ms(), Ordering::Relaxed);
            // The page came back before its old sound was missed: nothing else would make the agent ready again.
            let back = |seat: &Seat| seat.wish == Wish::Ready && seat.state.reason.as_deref() == Some(LOST);
            if inner.state().agents.get(&agent).is_some_and(back) {
                let _ = inner.floor.send(FloorEvent::Resumed { agent: agent.clone() }); // it outlives us
            }
        }
    }

    pub fn stream(&self) -> u64 {
        self.id
    }
}

impl Drop for Presence {
    fn drop(&mut self) {
        let (inner, agent) = (self.inner.clone(), self.agent.clone());
        let last = {
            let mut state = inner.state();
            let seat = state.agents.get_mut(&agent);
            seat.is_some_and(|seat| {
                seat.pages.retain(|page| page.id != self.id);
                seat.pages.is_empty()
            })
        };
        // Outside the runtime the process is on its way out.
        if let (true, Ok(runtime)) = (last, tokio::runtime::Handle::try_current()) {
            runtime.spawn(async move {
                tokio::time::sleep(GRACE).await;
                let mut state = inner.state();
                let by_browser = state.people.agents.get(&agent).is_some_and(|member| member.by_browser);
                let Some(seat) = state.agents.get_mut(&agent).filter(|seat| by_browser && seat.pages.is_empty()) else {
                    return;
                };
                if seat.wish != Wish::Off {
                    // Back at work by themselves, if they were ready.
                    if seat.wish != Wish::Ready {
                        seat.wish = Wish::Off;
                    }
                    let tell = match seat.state.name {
                        _ if seat.state.reason.as_deref() == Some(LOST) => 0, // the call's task has
                        "ringing" | "talking" => 3,
                        _ => 1,
                    };
                    let events = gone_in_a_call(&agent).into_iter().take(tell);
                    events.for_each(|event| drop(inner.floor.send(event))); // the floor outlives us
                    drop(state);
                    inner.expect_back(agent);
                }
            });
        }
    }
}

/// The floor takes the call back from an agent who is gone; who is logged in but pauses, and may be back, keeps it from
/// telling the caller that nobody is there.
fn gone_in_a_call(agent: &str) -> [FloorEvent; 3] {
    let agent = || agent.to_owned();
    [
        FloorEvent::Vanished { agent: agent() },
        FloorEvent::LoggedIn { agent: agent() },
        FloorEvent::Paused { agent: agent(), reason: LOST.into() },
    ]
}

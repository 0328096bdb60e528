//! A recording as the caller, through the same session on virtual time: every errand is done before the next beat, so
//! the outcome does not depend on the machine's speed.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use tokio::sync::mpsc;

use super::errand::{self, Return};
use super::session::{Ports, Request, Session};
use super::{ReadyFlow, Shared};
use crate::call::{
    BackendFailure, CallId, Caller, Cause, Entry, Event, Logged, Outcome, QueueRequest, Reply, Summary, summarise,
};
use crate::local::FilePort;
use crate::media::{FRAME_MS, Key, Port, Sound};
use crate::speech::Listener;

/// A caller who is played: what it says may hang on what it hears.
pub trait Player: Port {
    /// It has nothing more to say.
    fn over(&self) -> bool;
    /// Everything it was told, from the call's arrival on; what was not sent is silence.
    fn heard(&self) -> Sound;
}

impl Player for FilePort {
    fn over(&self) -> bool {
        self.played_ms() >= self.ms()
    }

    fn heard(&self) -> Sound {
        self.sent()
    }
}

/// Silence after the recording that ends a replay whose flow does not end by itself, ms.
const PATIENCE_MS: u64 = 60_000;

/// What there is of the call besides what the recording holds.
#[derive(Clone, Debug, Default)]
pub struct Script {
    pub caller: Caller,
    /// Keys pressed, by millisecond of the call, in order.
    pub keys: Vec<(u64, Key)>,
    /// Backends' replies in the order asked; one asked beyond them is down. None: the real backends are asked.
    pub replies: Option<VecDeque<Reply>>,
    /// The wall clock at the call's arrival; the real one if none.
    pub at: Option<DateTime<Utc>>,
}

/// What came of it.
pub struct Replayed {
    pub timeline: Vec<Entry>,
    pub log: Vec<Logged>,
    pub summary: Summary,
    /// None where a person takes over.
    pub cause: Option<Cause>,
    /// What the caller heard, from the call's arrival on.
    pub heard: Sound,
}

/// Plays `port` through the flow; its first sample is the moment of the call's arrival. `note` sees each timeline
/// entry as it is made. The replay ends with the call, or where a person would take over, or a minute after all was said.
pub async fn replay(
    shared: Arc<Shared>,
    flow: Arc<ReadyFlow>,
    mut port: impl Player,
    script: Script,
    mut note: impl FnMut(&Entry),
) -> Replayed {
    let Script { caller, keys, mut replies, at } = script;
    let mut keys = VecDeque::from(keys);
    let listener = Listener::new(shared.listening.clone());
    let mut session = Session::new(flow.flow.clone(), port.rate(), listener, shared.waiting_sounds.clone());
    let (mut timeline, mut log, mut ended) = (Vec::new(), Vec::new(), None);
    let origin = Instant::now();
    let (mut now_ms, mut recording_over) = (0, None);
    // What a backend is asked now is not what it was asked by an earlier replay.
    let call: CallId = uuid::Uuid::now_v7().to_string();
    session.tell(Event::Arrived { call: "replay".into(), caller, at: at.unwrap_or_else(Utc::now) });
    let (summary, cause) = loop {
        loop {
            let requests = session.requests();
            if requests.is_empty() {
                break;
            }
            for request in requests {
                match request {
                    Request::Answer => session.answered(),
                    Request::Note(entry) => {
                        note(&entry);
                        timeline.push(entry);
                    }
                    Request::Log(line) => log.push(line),
                    // Nobody is there to ring: the rest is a person's.
                    Request::Queue(QueueRequest::Enter { .. }) => {
                        let outcome = Some(Outcome::HandedOver);
                        ended = Some((Summary { outcome, ..summarise(&flow.flow, &timeline) }, None));
                    }
                    Request::Finished { summary, cause } => ended = Some((*summary, Some(cause))),
                    Request::Fetch { request, backend, with, repeats } => match &mut replies {
                        Some(replies) => {
                            let reply = replies.pop_front().unwrap_or(Reply::Failed(BackendFailure::Down));
                            session.tell(Event::Replied { request, reply });
                        }
                        None => {
                            let fetch = Request::Fetch { request, backend, with, repeats };
                            do_now(&shared, &flow, &call, fetch, &mut session).await;
                        }
                    },
                    Request::Forget { .. }
                    | Request::Queue(_)
                    | Request::Alert { .. }
                    | Request::RingAgent { .. }
                    | Request::ReleaseAgent { .. }
                    | Request::HangUp => {}
                    Request::OpenEarly => session.answered(),
                    errand => do_now(&shared, &flow, &call, errand, &mut session).await,
                }
            }
        }
        if let Some(ended) = ended.take() {
            break ended;
        }
        while let Some((_, key)) = keys.pop_front_if(|(at, _)| *at <= now_ms) {
            session.tell(Event::Key { key });
        }
        let at = origin + Duration::from_millis(now_ms);
        session.beat(now_ms, at, Ports { caller: Some(&mut port), ..Ports::default() });
        if port.over() {
            recording_over.get_or_insert(now_ms);
        }
        if recording_over.is_some_and(|over| now_ms > over + PATIENCE_MS) {
            session.tell(Event::CallerHungUp);
        }
        now_ms += u64::from(FRAME_MS);
    };
    Replayed { timeline, log, summary, cause, heard: port.heard() }
}

/// An errand to its end, and what it brought in order.
async fn do_now(shared: &Arc<Shared>, flow: &Arc<ReadyFlow>, call: &CallId, errand: Request, session: &mut Session) {
    let (back, mut returns) = mpsc::channel::<Return>(512);
    let collect = async {
        let mut all = Vec::new();
        while let Some(done) = returns.recv().await {
            all.push(done);
        }
        all
    };
    let ((), all) = tokio::join!(errand::run(shared.clone(), flow.clone(), call.clone(), errand, back), collect);
    all.into_iter().for_each(|done| done.deliver(session));
}

//! Where the rooms meet: one task a call around the pure `call::Call`, one for the floor, one 20 ms beat a call for its
//! media. Models, disk and network are reached through bounded pools and queues only.

mod callbacks;
mod caller;
mod errand;
mod floor;
mod known;
mod live;
mod load;
mod parts;
mod pulse;
mod reasons;
mod replay;
mod serve;
mod session;
mod stages;
mod timetable;
mod transfer;
mod waiting;
mod webhooks;

use std::sync::Arc;

use crate::answers::{Backends, Meaning, Rewriter};
use crate::dialog::flow::Flow;
use crate::emotion::live::Judge;
use crate::records::StoredFlow;
use crate::speech::voice::Voice;
use crate::speech::{Ear, ListenerSettings, TurnJudge};

pub use known::known;
pub use load::{Flows, LoadError, backend_settings, embedder, likely, load, meaning, speech};
pub use replay::{Player, Replayed, Script, replay};
pub use serve::{Error, Server};
pub use session::{Ports, Request, Session, To, Unheard};
pub use waiting::WaitingSounds;
pub use webhooks::{Patience, Webhooks};

/// A line's flow ready to run: what an operator wrote, and what was learned from its examples.
pub struct ReadyFlow {
    pub flow: Arc<Flow>,
    pub meaning: Meaning,
    /// What callers are known to say: examples of its intents.
    pub likely: Arc<[String]>,
    pub stored: StoredFlow,
}

/// What the calls of this process share. All of it is bounded: a pool that is full says so at once.
pub struct Shared {
    pub ear: Arc<Ear>,
    pub judge: Arc<TurnJudge>,
    pub voice: Voice,
    pub backends: Backends,
    pub rewriter: Option<Rewriter>,
    /// None where no line listens for how callers sound.
    pub emotion: Option<Arc<Judge>>,
    pub waiting_sounds: Arc<WaitingSounds>,
    pub listening: ListenerSettings,
}

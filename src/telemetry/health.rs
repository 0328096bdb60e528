//! Whether this process is alive, and whether it should be given calls.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use serde::Serialize;

/// How one part of the engine does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Not there yet; calls would find it missing.
    Starting,
    Ready,
    /// Works with less: keys instead of speech, say.
    Degraded,
    Failed,
    /// Finishing what it has, taking no more.
    Draining,
}

/// What every part of the engine says of itself; clones share it.
#[derive(Clone, Debug, Default)]
pub struct Health {
    parts: Arc<Mutex<BTreeMap<&'static str, State>>>,
}

impl Health {
    pub fn set(&self, part: &'static str, state: State) {
        self.parts().insert(part, state);
    }

    /// Whether calls may come: every part is ready, or at least works with less. Not before any part has spoken.
    pub fn is_ready(&self) -> bool {
        let parts = self.parts();
        !parts.is_empty() && parts.values().all(|state| matches!(state, State::Ready | State::Degraded))
    }

    pub fn snapshot(&self) -> BTreeMap<&'static str, State> {
        self.parts().clone()
    }

    fn parts(&self) -> std::sync::MutexGuard<'_, BTreeMap<&'static str, State>> {
        self.parts.lock().unwrap_or_else(PoisonError::into_inner) // an insert that panicked changed nothing
    }
}

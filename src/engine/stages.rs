//! When a turn went through its stages, for the record of how long callers wait: one line in the log (level debug,
//! target `frontdesk::turns`) a turn answered. Numbers only.

/// Ms of the call; the beat's grain.
#[derive(Clone, Copy, Debug, Default)]
pub struct Stages {
    /// The caller's last sound, as voice activity sees it.
    pub ended: u64,
    /// The pause that ended the turn was noticed, and reading began.
    pub paused: u64,
    /// The turn model's word was there.
    pub judged: Option<u64>,
    /// The text was there.
    pub read: u64,
    /// The turn was over.
    pub over: u64,
    /// The call was told.
    pub told: u64,
    /// The call had decided what to say.
    pub decided: Option<u64>,
    /// The voice had its first sound.
    pub sounded: Option<u64>,
}

impl Stages {
    /// The first sound of the answer is on its way.
    pub fn answered(&self, now: u64) {
        metrics::histogram!(crate::telemetry::names::ANSWER_SECONDS)
            .record(now.saturating_sub(self.ended) as f64 / 1e3);
        let since = |at: u64| at.saturating_sub(self.ended);
        tracing::debug!(
            target: "frontdesk::turns",
            paused = since(self.paused),
            judged = self.judged.map(since),
            read = since(self.read),
            over = since(self.over),
            told = since(self.told),
            decided = self.decided.map(since),
            sounded = self.sounded.map(since),
            out = since(now),
            "answered; ms since the caller's last sound"
        );
    }
}

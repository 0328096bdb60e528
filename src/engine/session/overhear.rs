//! What caller and agent say to each other, cut into turns for the recogniser. Nobody answers it: it is for the screen and the
//! record, and gets what the recogniser has left.

use crate::call::Talker;
use crate::media::Frame;
use crate::speech::{Heard, Listener, ListenerSettings, Samples};

pub(super) struct Overhear {
    caller: Listener,
    agent: Listener,
}

impl Overhear {
    pub fn new(settings: &ListenerSettings) -> Self {
        Self { caller: Listener::new(settings.clone()), agent: Listener::new(settings.clone()) }
    }

    /// 20 ms of both; `somebody`: the caller's side is more than the agent's echo. Turns that are over: whose, their sound, and
    /// from when to when, ms of the call.
    pub fn hear(
        &mut self,
        now_ms: u64,
        (caller, somebody): (&Frame, bool),
        agent: &Frame,
    ) -> impl Iterator<Item = (Talker, Samples, u64, u64)> + use<> {
        let theirs = self.caller.hear_gated(now_ms, caller, somebody).map(|heard| (Talker::Caller, heard));
        let ours = self.agent.hear(now_ms, agent).map(|heard| (Talker::Agent, heard));
        theirs.chain(ours).filter_map(|(who, heard)| match heard {
            Heard::TurnEnded { audio, start_ms, end_ms, .. } => Some((who, audio, start_ms, end_ms)),
            _ => None,
        })
    }
}

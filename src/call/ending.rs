//! Letting go: goodbyes, shutdown, and the one way out.

use super::handoff::Stage;
use super::state::{Call, Drain, Phase};
use super::{Action, AgentFailure, Cause, Event, Note, QueueRequest, TimerId, summarise};
use crate::dialog::flow::Text;
use crate::dialog::values::Rendered;

/// The last prompt may take this long; then the call ends all the same.
const CLOSING_LIMIT_MS: u64 = 60_000;
/// Of the time to be done in, this much is kept for a goodbye.
const GOODBYE_MS: u64 = 10_000;

impl Call {
    /// Says a last thing and hangs up.
    pub(super) fn close(&mut self, texts: &[&Text], cause: Cause) {
        let texts = texts.iter().map(|text| self.words(text)).collect();
        self.close_with(texts, cause);
    }

    pub(super) fn close_with(&mut self, texts: Vec<Rendered>, cause: Cause) {
        if cause != Cause::Shutdown && self.back_to_agent(cause == Cause::Completed) {
            return;
        }
        self.let_go();
        self.phase = Phase::Closing(cause);
        if self.say(texts, false) {
            self.set_timer(TimerId::Silence, CLOSING_LIMIT_MS);
        } else {
            self.end(cause);
        }
    }

    /// Everything that a phase may have begun is over: listening, timers, queue, agent, waiting sound, masking.
    pub(super) fn let_go(&mut self) {
        self.cancel_timers();
        self.stop_listening();
        self.past_refusing();
        self.mask(false);
        self.keep_message();
        self.let_aside_go();
        let phase = std::mem::replace(&mut self.phase, Phase::New);
        if let Phase::Instead(instead) = &phase
            && instead.queued()
        {
            self.act(Action::Queue(QueueRequest::Leave));
        }
        if let Phase::Handoff(handoff) = phase {
            match handoff.stage {
                Stage::Waiting => self.act(Action::Queue(QueueRequest::Leave)),
                Stage::Ringing { agent } | Stage::Briefing { agent } => {
                    self.act(Action::ReleaseAgent { agent });
                    self.act(Action::Queue(QueueRequest::Leave));
                }
                Stage::Connected { agent } => {
                    self.act(Action::Disconnect);
                    self.dismiss(agent);
                }
                Stage::Referring(referring) if referring.attended => self.dismiss(referring.agent),
                // Nobody was rung by us.
                Stage::Referring(_) => self.act(Action::Queue(QueueRequest::Leave)),
                Stage::Transferring(transferring) => {
                    self.act(Action::ReleaseTarget);
                    if !transferring.agent_gone {
                        self.dismiss(transferring.agent);
                    }
                }
                Stage::Offering => {}
            }
            if handoff.waiting_sound {
                self.act(Action::StopWaiting);
            }
        }
    }

    /// The one way out of a call.
    pub(super) fn end(&mut self, cause: Cause) {
        self.let_go();
        if self.served.promised {
            self.act(Action::Queue(QueueRequest::Leave)); // the line is free for who calls back
        }
        self.cancel_timer(TimerId::Drain);
        if self.speaking.take().is_some() {
            self.act(Action::StopSaying);
        }
        self.phase = Phase::Ended;
        self.note(Note::Ended { cause });
        if cause != Cause::CallerHungUp {
            self.act(Action::HangUp { cause });
        }
        let mut summary = summarise(&self.flow, &self.notes);
        summary.outcome = Some(self.outcome(cause));
        self.act(Action::Finished { summary: Box::new(summary), cause });
    }

    /// The engine shuts down within this time: who talks to the bot is told, and put through to a person; who waits
    /// or talks to one goes on; all of it until the time is nearly over.
    pub(super) fn drain(&mut self, within_ms: u64) {
        if self.drain.is_some() {
            return;
        }
        self.note(Note::Drain);
        self.drain = Some(Drain::ToTell);
        self.set_timer(TimerId::Drain, within_ms.saturating_sub(GOODBYE_MS));
        if matches!(self.phase, Phase::Bot(_)) && self.speaking.is_none() {
            self.tell_of_drain();
        }
    }

    /// What a caller is told who was talking to the bot.
    pub(super) fn tell_of_drain(&mut self) {
        self.drain = Some(Drain::Told);
        let text = self.flow.lines.drain_to_person.clone();
        self.seek_person("shutdown", Some(text));
    }

    pub(super) fn drain_over(&mut self) {
        match &self.phase {
            Phase::Closing(_) => {}
            // Two people are talking: nothing can be said to them, so they have the time to its end.
            Phase::Handoff(handoff) if matches!(handoff.stage, Stage::Connected { .. }) && !handoff.last_moments => {
                if let Phase::Handoff(handoff) = &mut self.phase {
                    handoff.last_moments = true;
                }
                self.set_timer(TimerId::Drain, GOODBYE_MS / 2);
            }
            Phase::Handoff(handoff) if matches!(handoff.stage, Stage::Connected { .. }) => self.end(Cause::Shutdown),
            _ => {
                let drain = self.flow.lines.drain.clone();
                self.close(&[&drain], Cause::Shutdown);
            }
        }
    }

    /// An agent found for a call that no longer waits must not be left ringing for nobody.
    pub(super) fn refuse_agent(&mut self, event: Event) {
        if let Event::AgentFound { agent, .. } = event {
            self.act(Action::Queue(QueueRequest::NotTaken { agent, failure: AgentFailure::NotWanted }));
        }
    }
}

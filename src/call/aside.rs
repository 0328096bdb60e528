//! Back to the bot: an agent sends the caller through steps of the flow (a PIN, a survey) and waits. Whatever becomes of them,
//! the caller is with the agent again, or, where the agent is gone meanwhile, told goodbye or put through to another.

use super::bot::Bot;
use super::handoff::Handoff;
use super::state::{Call, Phase};
use super::{Action, AgentFailure, Cause, Event, Note};

/// An agent waits for the caller.
pub(super) struct Aside {
    agent: String,
    /// As the desk calls it.
    step: String,
    /// The conversation, to go on with.
    handoff: Handoff,
    gone: Option<Gone>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Gone {
    HungUp,
    /// Their sound is gone, not their goodwill.
    Lost,
}

impl Call {
    /// The agent sends the caller through these steps. The desk offers none but the flow's.
    pub(super) fn desk_step_asked(&mut self, agent: String, step: String) {
        let Some(first) = self.flow.desk_steps.get(&step).cloned() else { return };
        let Phase::Handoff(handoff) = std::mem::replace(&mut self.phase, Phase::Bot(Bot::default())) else { return };
        self.note(Note::DeskStep { agent: agent.clone(), step: step.clone() });
        self.act(Action::Disconnect);
        self.aside = Some(Aside { agent, step, handoff, gone: None });
        self.commanded.done();
        self.enter(&first);
    }

    /// The step at which the caller starts over, while an agent waits.
    pub(super) fn aside_start(&self) -> Option<String> {
        self.flow.desk_steps.get(&self.aside.as_ref()?.step).cloned()
    }

    /// What the waiting agent does; false where it is nothing of theirs.
    pub(super) fn aside(&mut self, event: &Event) -> bool {
        let Some(Aside { agent, gone, .. }) = &mut self.aside else { return false };
        let left = match event {
            Event::DeskStepOver => return self.back_to_agent(false),
            Event::TransferAsked { .. } => {
                self.act(Action::AnswerTransfer { status: 403 }); // there is no conversation to be passed on
                return true;
            }
            _ if gone.is_some() => return false,
            Event::AgentFound { agent: again, .. } => return agent == again, // we have them
            Event::AgentHungUp => (Gone::HungUp, Note::AgentLeft { agent: agent.clone() }),
            // The floor took the offer back, and that crossed the answer on its way.
            Event::AgentFailed { failure: AgentFailure::NoAnswer | AgentFailure::Busy, .. } => return true,
            Event::AgentFailed { agent: failed, failure } if agent == failed => {
                (Gone::Lost, Note::AgentFailed { agent: agent.clone(), failure: *failure })
            }
            _ => return false,
        };
        let agent = agent.clone();
        *gone = Some(left.0);
        self.note(left.1);
        self.dismiss(agent);
        true
    }

    /// The steps are over, `done` or not: caller and agent go on. False where no agent waits.
    pub(super) fn back_to_agent(&mut self, done: bool) -> bool {
        let Some(Aside { agent, step, handoff, gone }) = self.aside.take() else { return false };
        self.unheard_since_ms = None;
        self.note(Note::DeskStepOver { step, done });
        match gone {
            // Who leaves while a survey runs has done with the caller.
            Some(Gone::HungUp) if done => {
                let goodbye = self.flow.lines.goodbye.clone();
                self.close(&[&goodbye], Cause::AgentHungUp);
                return true;
            }
            Some(_) => return false,
            None => {}
        }
        self.cancel_timers();
        self.stop_listening();
        self.mask(false);
        self.preface.clear();
        if self.speaking.take().is_some() {
            self.act(Action::StopSaying);
        }
        self.commanded.done();
        self.phase = Phase::Handoff(handoff);
        self.act(Action::Connect);
        self.note(Note::Connected { agent });
        true
    }

    /// Nobody is left waiting for a call that goes another way.
    pub(super) fn let_aside_go(&mut self) {
        if let Some(Aside { agent, gone: None, .. }) = self.aside.take() {
            self.dismiss(agent);
        }
    }
}

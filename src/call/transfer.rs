//! Transfers that the telephone network does: the caller's telephone is sent to the agent (REFER), or an agent has the
//! caller connected elsewhere. Whatever fails, the caller is still here: with the agent, or back in the queue.

use serde::{Deserialize, Serialize};

use super::handoff::{Handoff, Stage};
use super::state::{Call, Phase};
use super::{Action, AgentFailure, Cause, Event, Note, QueueRequest, TimerId, summarise};

/// A REFER whose end is never told counts as failed after this long.
const REFER_LIMIT_MS: u64 = 90_000;
/// An agent's phone that was replaced says goodbye to us; the news of it follows within this time.
const REPLACED_LIMIT_MS: u64 = 10_000;
/// A person whom an agent transfers to has this long to answer.
const TARGET_LIMIT_MS: u64 = 45_000;

/// How a queue's callers reach the agent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HandoffBy {
    /// Both legs stay here, joined.
    #[default]
    Bridge,
    /// The caller's telephone is told to call the agent itself; nobody briefs the agent.
    Refer,
    /// The agent is rung and briefed here; then the caller's telephone takes our place.
    Attended,
}

/// Where an agent wants the caller to be connected to, as far as the rules allow.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Destination {
    Agent {
        agent: String,
    },
    Queue {
        queue: String,
    },
    /// A number outside that the rules allow.
    Outside {
        number: String,
    },
    /// The far end of a call that the agent made meanwhile.
    Consulted {
        name: String,
    },
}

impl Destination {
    /// The agent's, queue's or number's name.
    pub fn name(&self) -> &str {
        match self {
            Self::Agent { agent: name }
            | Self::Queue { queue: name }
            | Self::Outside { number: name }
            | Self::Consulted { name } => name,
        }
    }
}

/// A REFER of ours under way.
pub(super) struct Referring {
    pub agent: String,
    pub attended: bool,
    /// The agent's phone is gone: replaced, or just hung up.
    agent_gone: bool,
    /// The floor took the offer back meanwhile.
    withdrawn: Option<AgentFailure>,
}

/// A transfer that an agent asked for.
pub(super) struct Transferring {
    pub agent: String,
    to: Destination,
    /// The agent did not wait for the end of it.
    pub agent_gone: bool,
}

impl Call {
    /// Sends the caller's telephone to the agent.
    pub(super) fn refer(&mut self, agent: String, attended: bool) {
        self.cancel_timer(TimerId::Comfort);
        self.note(Note::Referring { agent: agent.clone(), attended });
        self.act(Action::ReferCaller { agent: agent.clone(), attended });
        self.set_timer(TimerId::Patience, REFER_LIMIT_MS);
        self.stage(Stage::Referring(Referring { agent, attended, agent_gone: false, withdrawn: None }));
    }

    pub(super) fn referring(&mut self, event: Event) {
        let Phase::Handoff(Handoff { stage: Stage::Referring(referring), .. }) = &mut self.phase else { return };
        match event {
            Event::Referred { agent } if agent == referring.agent => {
                let attended = referring.attended;
                if !attended {
                    self.act(Action::Queue(QueueRequest::Taken { agent: agent.clone() }));
                }
                self.note(Note::Referred { agent: agent.clone() });
                self.served.connected = true;
                self.end(Cause::Transferred);
            }
            Event::ReferFailed { agent, status } if agent == referring.agent => self.refer_failed(status),
            Event::Timer { timer: TimerId::Patience } => self.refer_failed(408),
            Event::AgentHungUp if referring.attended => {
                referring.agent_gone = true;
                self.set_timer(TimerId::Patience, REPLACED_LIMIT_MS);
            }
            Event::AgentFailed { agent, failure } if agent == referring.agent => referring.withdrawn = Some(failure),
            _ => {}
        }
    }

    /// The caller is still here: they reach the agent the other way.
    fn refer_failed(&mut self, status: u16) {
        self.cancel_timer(TimerId::Patience);
        let Phase::Handoff(handoff) = &mut self.phase else { return };
        handoff.by = HandoffBy::Bridge;
        let Stage::Referring(Referring { agent, attended, agent_gone, withdrawn }) =
            std::mem::replace(&mut handoff.stage, Stage::Waiting)
        else {
            return; // only `referring` comes here
        };
        self.note(Note::ReferFailed { agent: agent.clone(), status });
        match withdrawn {
            _ if agent_gone => self.lost(agent, AgentFailure::LeftEarly),
            Some(failure) if !attended => {
                self.note(Note::AgentFailed { agent: agent.clone(), failure });
                self.not_taken(agent, failure);
            }
            _ if attended => self.connect(agent),
            _ => self.ring(agent),
        }
    }

    /// The agent wants the caller connected elsewhere; `None`: the rules do not allow it.
    pub(super) fn transfer_asked(&mut self, agent: String, to: Option<Destination>) {
        let to = to.filter(|to| *to != Destination::Agent { agent: agent.clone() });
        let Some(to) = to else {
            self.note(Note::TransferRefused { agent });
            return self.act(Action::AnswerTransfer { status: 403 });
        };
        self.note(Note::TransferAsked { agent: agent.clone(), to: to.clone() });
        self.act(Action::Disconnect);
        if let Destination::Queue { queue } = to {
            self.act(Action::AnswerTransfer { status: 200 });
            self.dismiss(agent);
            return self.back_to_queue(Some(queue));
        }
        self.play_waiting();
        let summary = Box::new(summarise(&self.flow, &self.notes));
        self.act(Action::RingTarget { to: to.clone(), summary });
        self.set_timer(TimerId::Patience, TARGET_LIMIT_MS);
        self.stage(Stage::Transferring(Transferring { agent, to, agent_gone: false }));
    }

    pub(super) fn transferring(&mut self, event: Event) {
        let Phase::Handoff(Handoff { stage: Stage::Transferring(transferring), .. }) = &mut self.phase else { return };
        match event {
            Event::TargetRinging => self.act(Action::AnswerTransfer { status: 180 }),
            Event::TargetAnswered => self.transferred(),
            Event::TargetFailed { failure } => self.transfer_failed(failure),
            Event::Timer { timer: TimerId::Patience } => {
                self.act(Action::ReleaseTarget);
                self.transfer_failed(AgentFailure::NoAnswer);
            }
            Event::TransferAsked { .. } => {} // one at a time: the shell has refused it
            Event::AgentHungUp if !std::mem::replace(&mut transferring.agent_gone, true) => {
                let agent = transferring.agent.clone();
                self.note(Note::AgentLeft { agent: agent.clone() });
                self.dismiss(agent);
            }
            // Their browser is gone: nobody is left to go back to.
            Event::AgentFailed { agent, failure: failure @ AgentFailure::Unreachable }
                if agent == transferring.agent && !std::mem::replace(&mut transferring.agent_gone, true) =>
            {
                self.note(Note::AgentFailed { agent: agent.clone(), failure });
                self.dismiss(agent);
            }
            _ => {}
        }
    }

    fn transferred(&mut self) {
        self.cancel_timer(TimerId::Patience);
        let Phase::Handoff(handoff) = &mut self.phase else { return };
        let Stage::Transferring(Transferring { agent, to, agent_gone }) =
            std::mem::replace(&mut handoff.stage, Stage::Waiting)
        else {
            return; // only `transferring` comes here
        };
        self.act(Action::AnswerTransfer { status: 200 });
        if !agent_gone {
            self.dismiss(agent);
        }
        self.stop_waiting();
        self.leave_floor();
        let name = to.name().to_owned();
        self.act(Action::ConnectTarget { name: name.clone() });
        self.note(Note::Connected { agent: name.clone() });
        self.stage(Stage::Connected { agent: name });
    }

    /// Back to the agent, or to the queue when the agent did not wait.
    fn transfer_failed(&mut self, failure: AgentFailure) {
        self.cancel_timer(TimerId::Patience);
        let Phase::Handoff(handoff) = &mut self.phase else { return };
        let Stage::Transferring(Transferring { agent, to, agent_gone }) =
            std::mem::replace(&mut handoff.stage, Stage::Waiting)
        else {
            return; // likewise
        };
        self.note(Note::TransferFailed { to, failure });
        let status = match failure {
            AgentFailure::Busy => 486,
            AgentFailure::Declined => 603,
            AgentFailure::NoAnswer => 408,
            AgentFailure::Unreachable | AgentFailure::LeftEarly | AgentFailure::NotWanted => 480,
        };
        self.act(Action::AnswerTransfer { status });
        if agent_gone {
            return self.back_to_queue(None);
        }
        self.stop_waiting();
        self.act(Action::Connect);
        self.stage(Stage::Connected { agent });
    }

    /// Another of our telephones took the agent's place.
    pub(super) fn agent_replaced(&mut self, before: String, agent: String) {
        self.note(Note::AgentLeft { agent: before.clone() });
        self.act(Action::Queue(QueueRequest::Done { agent: before }));
        self.leave_floor();
        self.note(Note::Connected { agent: agent.clone() });
        self.stage(Stage::Connected { agent });
    }

    fn leave_floor(&mut self) {
        if let Phase::Handoff(handoff) = &mut self.phase {
            handoff.off_floor = true;
        }
    }

    /// An apology where it is owed, and into a queue: another one, or the one the caller came from.
    pub(super) fn back_to_queue(&mut self, queue: Option<String>) {
        let Phase::Handoff(handoff) = &mut self.phase else { return };
        let lines = self.flow.lines.clone();
        let mut texts = Vec::new();
        match queue {
            // What the flow asked for was asked of its own queue.
            Some(queue) => {
                handoff.transfer.queue = queue;
                handoff.transfer.skills.clear();
            }
            None => texts.push(self.words(&lines.sorry)),
        }
        let Phase::Handoff(handoff) = &self.phase else { return };
        let transfer = handoff.transfer.clone();
        self.note(Note::Transfer { queue: transfer.queue, skills: transfer.skills, priority: transfer.priority });
        texts.push(self.words(&lines.to_person));
        self.say(texts, true);
        self.enter_queue();
    }
}

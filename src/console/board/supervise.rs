//! Supervisors in live calls: who may come in, and what pages are shown of it.

use serde_json::{Value, json};

use super::{Board, Call, News, Order, Party, State, send};
use crate::call::Supervision;
use crate::webrtc::Incoming;

/// What a supervisor wants in a call.
#[derive(Debug)]
pub enum Supervise {
    /// To come in by this sound, and listen.
    Join(Box<Incoming>),
    As(Supervision),
    /// The agent's place, as this agent.
    TakeOver(String),
    Leave,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unsupervised {
    /// There is no such call (any more).
    Over,
    /// Another supervisor is in it: one at a time.
    Another,
    /// This supervisor is not in it.
    NotIn,
    /// No agent talks to the caller.
    NoAgent,
    /// The supervisor's own agent has a call.
    Busy,
}

/// Who supervises a call, and how.
pub(super) struct Supervisor {
    account: String,
    part: Supervision,
}

impl Board {
    /// Whether this supervisor may come into the call.
    pub fn lets_in(&self, call: &str, account: &str) -> Result<(), Unsupervised> {
        let inner = self.0.as_ref().ok_or(Unsupervised::Over)?;
        inner.state().calls.get(call).ok_or(Unsupervised::Over)?.lets_in(account)
    }

    /// What a supervisor wants goes to the call.
    pub fn supervise(&self, call: &str, account: &str, what: Supervise) -> Result<(), Unsupervised> {
        let inner = self.0.as_ref().ok_or(Unsupervised::Over)?;
        let mut state = inner.state();
        if let Supervise::TakeOver(agent) = &what
            && state.has_call(agent)
        {
            return Err(Unsupervised::Busy);
        }
        let shown = state.calls.get_mut(call).ok_or(Unsupervised::Over)?;
        let talks = shown.parties.values().any(|party| party.talks);
        match &what {
            Supervise::Join(_) => {
                shown.lets_in(account)?;
                shown.supervisor = Some(Supervisor { account: account.to_owned(), part: Supervision::Listen });
            }
            _ if shown.supervisor.as_ref().is_none_or(|supervisor| supervisor.account != account) => {
                return Err(Unsupervised::NotIn);
            }
            Supervise::As(Supervision::Whisper | Supervision::Barge) | Supervise::TakeOver(_) if !talks => {
                return Err(Unsupervised::NoAgent);
            }
            Supervise::As(_) | Supervise::TakeOver(_) | Supervise::Leave => {}
        }
        // Full: a call that takes none is on its way out.
        let order = Order::Supervisor { account: account.to_owned(), what };
        shown.orders.try_send(order).map_err(|_| Unsupervised::Over)
    }

    /// The supervisor has this part in the call now; none: there is no supervisor any more. Agents see who is heard.
    pub fn supervised(&self, call: &str, supervisor: Option<(&str, Supervision)>) {
        self.with(|state| {
            let Some(shown) = state.calls.get_mut(call) else { return };
            shown.supervisor = supervisor.map(|(account, part)| Supervisor { account: account.to_owned(), part });
            for (agent, party) in &shown.parties {
                let news = News::new("party", &json!({ "call": call, "party": shown.party(party) }));
                send(&mut state.agents, agent, &news);
            }
        });
    }

    /// Who is logged out hears nothing more.
    pub fn dismiss(&self, account: &str) {
        let Some(inner) = &self.0 else { return };
        for shown in inner.state().calls.values() {
            if shown.supervisor.as_ref().is_some_and(|supervisor| supervisor.account == account) {
                let order = Order::Supervisor { account: account.to_owned(), what: Supervise::Leave };
                let _ = shown.orders.try_send(order); // full: on its way out
            }
        }
    }
}

impl State {
    /// The agent talks, is rung, or will be in a moment.
    fn has_call(&self, agent: &str) -> bool {
        self.calls.values().any(|call| call.parties.contains_key(agent))
            || self.agents.get(agent).is_some_and(|seat| seat.state.call.is_some())
    }
}

impl Call {
    fn lets_in(&self, account: &str) -> Result<(), Unsupervised> {
        match &self.supervisor {
            Some(other) if other.account != account => Err(Unsupervised::Another),
            _ => Ok(()),
        }
    }

    /// As walls show it.
    pub(super) fn supervisor(&self) -> Option<Value> {
        self.supervisor.as_ref().map(Supervisor::json)
    }

    /// An agent's part, as the agent's desk shows it: who only listens is not for the agent to see.
    pub(super) fn party(&self, party: &Party) -> Value {
        let heard = self.supervisor.as_ref().filter(|supervisor| supervisor.part != Supervision::Listen);
        json!({
            "held": party.held, "muted": party.muted, "recorded": self.recorded, "consult": party.consult, "transfer": party.transfer,
            "supervisor": heard.map(Supervisor::json),
        })
    }
}

impl Supervisor {
    fn json(&self) -> Value {
        json!({ "account": self.account, "part": self.part })
    }
}

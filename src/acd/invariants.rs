//! What the floor's own books must show after every event (the numbers are those of the room's page, `acd`).

use super::Floor;
use super::desk::AgentState;

/// An invariant that does not hold: a fault of ours.
#[derive(Clone, Debug, PartialEq, Eq, Hash, thiserror::Error)]
pub enum Broken {
    #[error("1, pairs: agent {agent} has {state}, but call {call} does not know of it")]
    AgentAlone { agent: String, call: String, state: &'static str },
    #[error("1, pairs: call {call} has agent {agent}, who does not know of it")]
    CallAlone { agent: String, call: String },
    #[error("1, pairs: {other} still rings for call {call}, which {agent} has")]
    RingsOn { agent: String, other: String, call: String },
    #[error("2, order: call {call} waits in {places} places, and should in {wanted}")]
    Place { call: String, places: usize, wanted: usize },
    #[error("2, order: call {call} stands where it does not belong")]
    Misplaced { call: String },
    #[error("3, work: {agent} is free while call {call} waits")]
    Idle { agent: String, call: String },
    #[error("4, patience: call {call} waits for nobody, or beyond its time")]
    Impatient { call: String },
    #[error("6, freedom: a deadline at {deadline_ms} ms has passed unnoticed")]
    Overdue { deadline_ms: u64 },
    #[error("6, freedom: {agent} has something to do after a call, and no call")]
    Bound { agent: String },
    #[error("7, presence: {agent} is rung while occupied elsewhere, or beyond the ring time-out")]
    RungAway { agent: String },
    #[error("8, callbacks: callback {call} was dialled {attempts} times")]
    Dialled { call: String, attempts: u32 },
    #[error("8, callbacks: callback {call} has an agent and is not dialled, or talks without a caller")]
    HeldForNothing { call: String },
    #[error("9, places: call {call} is at place {place} and was told {told:?}")]
    Told { call: String, place: u32, told: Option<u32> },
}

impl Floor {
    /// Whether the invariants hold that can be seen from the floor's own books.
    pub fn check(&self) -> Result<(), Broken> {
        self.check_desks()?;
        self.check_calls()?;
        self.check_order()?;
        match self.next_deadline() {
            Some(deadline_ms) if deadline_ms <= self.now_ms => Err(Broken::Overdue { deadline_ms }),
            _ => Ok(()),
        }
    }

    fn check_desks(&self) -> Result<(), Broken> {
        for (name, desk) in &self.desks {
            let agent = name.clone();
            let alone =
                |call: &String, state| Err(Broken::AgentAlone { agent: name.clone(), call: call.clone(), state });
            match &desk.state {
                AgentState::Offered { call, until_ms } => {
                    if !self.calls.get(call).is_some_and(|ticket| ticket.rung.contains(name)) {
                        return alone(call, "a ring");
                    }
                    let away = !desk.occupied.is_empty() || desk.after.is_some();
                    if until_ms.is_some_and(|until| away || until <= self.now_ms) {
                        return Err(Broken::RungAway { agent });
                    }
                }
                AgentState::OnCall { call, .. }
                    if self.calls.get(call).and_then(|ticket| ticket.agent.as_ref()) != Some(name) =>
                {
                    return alone(call, "a conversation");
                }
                AgentState::OnCall { .. } => {}
                AgentState::Reserved { call, .. } => {
                    let callback = self.calls.get(call).and_then(|ticket| ticket.callback.as_ref());
                    if callback.and_then(|callback| callback.agent.as_ref()) != Some(name) {
                        return alone(call, "a reservation");
                    }
                }
                _ if desk.after.is_some() => return Err(Broken::Bound { agent }),
                _ => {}
            }
        }
        Ok(())
    }

    fn check_calls(&self) -> Result<(), Broken> {
        for (id, ticket) in &self.calls {
            let call = id.clone();
            let state = |agent: &str| self.desks.get(agent).map(|desk| &desk.state);
            for agent in &ticket.rung {
                match state(agent) {
                    Some(AgentState::Offered { call: theirs, until_ms }) if theirs == id => {
                        // A callback's caller is gone, and one who talks is enough.
                        if let (Some(_), Some(first)) = (until_ms, ticket.agent.as_ref()) {
                            let (agent, other) = (first.clone(), agent.clone());
                            return Err(Broken::RingsOn { agent, other, call });
                        }
                        if until_ms.is_some() && ticket.is_callback() {
                            return Err(Broken::HeldForNothing { call });
                        }
                    }
                    _ => return Err(Broken::CallAlone { agent: agent.clone(), call }),
                }
            }
            if let Some(agent) = &ticket.agent
                && !matches!(state(agent), Some(AgentState::OnCall { call: theirs, .. }) if theirs == id)
            {
                return Err(Broken::CallAlone { agent: agent.clone(), call });
            }
            if let Some(callback) = &ticket.callback {
                let held = callback.agent.as_ref().map(
                    |agent| matches!(state(agent), Some(AgentState::Reserved { call: theirs, .. }) if theirs == id),
                );
                if held == Some(false) || held.is_some() && !callback.dialling || ticket.agent.is_some() {
                    return Err(Broken::HeldForNothing { call });
                }
                if callback.attempts > callback.terms.attempts {
                    return Err(Broken::Dialled { call, attempts: callback.attempts });
                }
            }
            let (places, wanted) =
                (self.order.values().filter(|other| *other == id).count(), usize::from(ticket.waits()));
            if places != wanted {
                return Err(Broken::Place { call, places, wanted });
            }
        }
        Ok(())
    }

    fn check_order(&self) -> Result<(), Broken> {
        let mut places = std::collections::BTreeMap::<&str, u32>::new();
        for (rank, id) in &self.order {
            let call = id.clone();
            let Some(ticket) = self.calls.get(id).filter(|ticket| ticket.rank(&self.rules) == *rank) else {
                return Err(Broken::Misplaced { call });
            };
            if let Some((agent, _)) = self.desks.iter().find(|(_, desk)| self.could_have(ticket, desk)) {
                return Err(Broken::Idle { agent: agent.clone(), call });
            }
            let over = match &ticket.callback {
                Some(callback) => callback.until_ms <= self.now_ms,
                None => ticket.deadline_ms <= self.now_ms || !self.staffed(ticket),
            };
            if over {
                return Err(Broken::Impatient { call });
            }
            let place = places.entry(&ticket.queue).or_default();
            *place += 1;
            if !ticket.is_callback() && ticket.told != Some(*place) {
                return Err(Broken::Told { call, place: *place, told: ticket.told });
            }
        }
        Ok(())
    }
}

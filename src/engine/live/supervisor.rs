//! A supervisor in a live call: listens, whispers to the agent, joins in, or takes the agent's place.

use tokio::sync::oneshot;

use super::Live;
use super::agents::AgentSide;
use crate::call::{Event, Supervision};
use crate::console::Supervise;
use crate::engine::Session;
use crate::engine::caller::{self, Arrival, PartyLeg};
use crate::sip::LegEvent;

/// The supervisor's side of a call.
pub(super) enum Supervisor {
    None,
    /// Their sound is being connected; the part they have from then on.
    Coming {
        account: String,
        part: Supervision,
        leg: oneshot::Receiver<Result<PartyLeg, caller::Error>>,
    },
    There {
        account: String,
        leg: PartyLeg,
    },
}

/// What happens to it.
pub(super) enum SupervisorNews {
    /// None: it could not be connected.
    Connected(Option<PartyLeg>),
    Gone,
}

impl Live {
    /// What a supervisor wants; the board has seen to it that it is theirs to want.
    pub(super) async fn supervised(&mut self, supervisor: String, what: Supervise, session: &mut Session) {
        match what {
            Supervise::Join(sound) => {
                self.supervisor_leaves(session); // their own earlier sound: a page that was loaded anew
                let leg = caller::answering(Arrival::Browser(sound));
                self.supervisor = Supervisor::Coming { account: supervisor, part: Supervision::Listen, leg };
            }
            Supervise::As(part) => self.take_part(part, session),
            Supervise::TakeOver(agent) => self.take_over(agent, session).await,
            Supervise::Leave => self.supervisor_leaves(session),
        }
    }

    pub(super) fn supervisor_does(&mut self, news: SupervisorNews, session: &mut Session) {
        match (std::mem::replace(&mut self.supervisor, Supervisor::None), news) {
            (Supervisor::Coming { account, part, .. }, SupervisorNews::Connected(Some(leg))) => {
                self.supervisor = Supervisor::There { account, leg };
                self.take_part(part, session);
            }
            (before, _) => {
                self.supervisor = before;
                self.supervisor_leaves(session);
            }
        }
    }

    fn take_part(&mut self, part: Supervision, session: &mut Session) {
        let account = match &mut self.supervisor {
            Supervisor::None => return,
            Supervisor::Coming { part: wished, .. } => return *wished = part,
            Supervisor::There { account, .. } => account,
        };
        session.supervise(Some(part));
        session.tell(Event::Supervised { supervisor: account.clone(), part: Some(part) });
        self.house.board.supervised(&self.call, Some((account, part)));
    }

    fn supervisor_leaves(&mut self, session: &mut Session) {
        if let Some(leg) = self.without_supervisor(session) {
            tokio::spawn(leg.hang_up());
        }
    }

    /// The call goes on without supervision; what sound the supervisor had.
    fn without_supervisor(&mut self, session: &mut Session) -> Option<PartyLeg> {
        let before = std::mem::replace(&mut self.supervisor, Supervisor::None);
        if !matches!(before, Supervisor::None) {
            self.house.board.supervised(&self.call, None);
        }
        let Supervisor::There { account, leg } = before else { return None };
        session.supervise(None);
        session.tell(Event::Supervised { supervisor: account, part: None });
        Some(leg)
    }

    /// The supervisor has the caller from here on, as this agent; the agent before is in wrap-up.
    async fn take_over(&mut self, agent: String, session: &mut Session) {
        // An agent who is briefed or passes the caller on has no caller to give.
        if session.is_bridged()
            && matches!(self.agent, AgentSide::There { .. })
            && let Some(leg) = self.without_supervisor(session)
        {
            let now_ms = self.now_ms();
            self.replace_agent(agent, leg, now_ms, session).await;
        }
    }
}

pub(super) async fn next_of_supervisor(supervisor: &mut Supervisor) -> SupervisorNews {
    match supervisor {
        Supervisor::None => std::future::pending().await,
        Supervisor::Coming { leg, .. } => SupervisorNews::Connected(leg.await.ok().and_then(Result::ok)),
        Supervisor::There { leg, .. } => loop {
            if let Some(LegEvent::HungUp) | None = leg.event().await {
                return SupervisorNews::Gone;
            }
        },
    }
}

//! The agents' side of a live call: telephones are rung, put through, passed on and let go.

use std::time::{Duration, Instant};

use tokio::sync::mpsc;

use super::{CallerSide, Live};
use crate::call::{AgentFailure, Destination, Event, HandoffBy, QueueRequest, Summary};
use crate::engine::Session;
use crate::engine::errand::Return;
use crate::engine::floor::Occupied;
use crate::engine::transfer::way_to;
use crate::media::{Frame, Port};
use crate::records;
use crate::sip::{self, FailureReason, LegEvent, OutgoingEvent, Target};

/// The floor ends ringing well before this.
const RING_LIMIT: Duration = Duration::from_secs(240);
/// A telephone that was told the end of its transfer is left this long to hang up by itself.
const FAREWELL: Duration = Duration::from_secs(2);

/// The agent's side of a call.
pub(super) enum AgentSide {
    None,
    Ringing {
        leg: records::Leg,
        cancel: mpsc::Sender<()>,
        /// What is heard of them before they answer.
        sound: Option<Box<dyn Port>>,
    },
    There {
        leg: records::Leg,
        phone: sip::Leg,
    },
}

/// What an agent's phone does, by the number of its leg: news of one already let go mean nothing.
pub(super) enum AgentNews {
    Ringing(u32),
    Sound(u32, Box<dyn Port>),
    Answered(u32, sip::Leg),
    Failed(u32, AgentFailure),
}

impl Live {
    pub(super) async fn ring(&mut self, agent: String, summary: &Summary) {
        let to = self.way_to_agent(&agent);
        self.agent = self.dial(agent, to, summary).await;
        self.reword(summary);
    }

    fn way_to_agent(&self, agent: &str) -> Option<Target> {
        way_to(&self.house.today.borrow(), &Destination::Agent { agent: agent.to_owned() })
    }

    /// Another leg, on record.
    fn record_leg(&mut self, name: String, began_ms: u64, answered_ms: Option<u64>) -> records::Leg {
        let leg = records::Leg { n: self.legs, agent: Some(name), began_ms, answered_ms, ..records::Leg::default() };
        self.legs += 1;
        self.house.store.leg(&self.call, leg.clone());
        leg
    }

    /// Rings a telephone; what comes of it arrives by `agent_news`.
    async fn dial(&mut self, name: String, to: Option<Target>, summary: &Summary) -> AgentSide {
        let leg = self.record_leg(name, self.now_ms(), None);
        let n = leg.n;
        let (cancel, cancelled) = mpsc::channel(1);
        match to {
            None => {
                let _ = self.agent_news.send(AgentNews::Failed(n, AgentFailure::Unreachable)).await; // we hold the other end
            }
            Some(to) => {
                let invite = sip::InviteRequest {
                    to,
                    from_display: summary.headline(),
                    headers: vec![
                        ("X-Frontdesk-Call".into(), self.call.clone()),
                        ("X-Frontdesk-Summary".into(), summary.briefing().text()),
                        ("Subject".into(), summary.headline_ascii()),
                    ],
                    ring_timeout: RING_LIMIT,
                };
                tokio::spawn(ring_agent(self.house.endpoint.clone(), invite, n, self.agent_news.clone(), cancelled));
            }
        }
        AgentSide::Ringing { leg, cancel, sound: None }
    }

    /// A language model may word the summary for the record. The connection waits for nothing of it.
    pub(super) fn reword(&self, summary: &Summary) {
        let Some(rewriter) = &self.house.shared.rewriter else { return };
        let (rewritten, store, call) = (rewriter.rewrite(summary), self.house.store.clone(), self.call.clone());
        tokio::spawn(async move {
            if let Ok(words) = rewritten.await {
                store.reword(&call, words);
            }
        });
    }

    pub(super) async fn agent_news(&mut self, news: AgentNews, session: &mut Session) {
        let rings = |side: &AgentSide| match side {
            AgentSide::Ringing { leg, .. } => Some(leg.n),
            _ => None,
        };
        let (AgentNews::Ringing(n) | AgentNews::Sound(n, _) | AgentNews::Answered(n, _) | AgentNews::Failed(n, _)) =
            &news;
        let is_target = rings(&self.target) == Some(*n);
        if !is_target && rings(&self.agent) != Some(*n) {
            // Let go meanwhile.
            if let AgentNews::Answered(_, phone) = news {
                tokio::spawn(phone.hang_up());
            }
            return;
        }
        let now_ms = self.now_ms();
        let side = if is_target { &mut self.target } else { &mut self.agent };
        match news {
            AgentNews::Ringing(_) => session.tell(if is_target { Event::TargetRinging } else { Event::AgentRinging }),
            AgentNews::Sound(_, port) => {
                if let AgentSide::Ringing { sound, .. } = side {
                    *sound = Some(port);
                }
            }
            AgentNews::Answered(_, mut phone) => {
                let AgentSide::Ringing { mut leg, .. } = std::mem::replace(side, AgentSide::None) else {
                    return; // it rings, as looked at above
                };
                leg.answered_ms = Some(now_ms);
                self.house.store.leg(&self.call, leg.clone());
                let rate = phone.port().rate();
                *side = AgentSide::There { leg, phone };
                if is_target {
                    session.tell(Event::TargetAnswered);
                } else {
                    self.attend();
                    session.agent_answered(rate);
                }
            }
            AgentNews::Failed(_, failure) => {
                let AgentSide::Ringing { mut leg, .. } = std::mem::replace(side, AgentSide::None) else {
                    return; // likewise
                };
                if is_target {
                    self.target_busy = None;
                }
                leg.ended_ms = Some(now_ms);
                let agent = leg.agent.clone().unwrap_or_default();
                self.house.store.leg(&self.call, leg);
                session.tell(match is_target {
                    true => Event::TargetFailed { failure },
                    false => Event::AgentFailed { agent, failure },
                });
            }
        }
    }

    /// The agent's telephone may have the caller connected elsewhere, and another of ours may take its place.
    pub(super) fn attend(&mut self) {
        self.claim = None;
        if let AgentSide::There { phone, .. } = &self.agent {
            phone.control.allow_transfers();
            self.claim = Some(self.house.switchboard.stand(phone.id(), self.stand.clone()));
        }
    }

    pub(super) async fn agent_does(&mut self, event: Option<LegEvent>, session: &mut Session) {
        match event {
            Some(LegEvent::HungUp) | None => {
                self.let_agent_go().await;
                session.tell(Event::AgentHungUp);
            }
            Some(LegEvent::Held) => session.agent_holds(true),
            Some(LegEvent::Resumed) => session.agent_holds(false),
            // One at a time.
            Some(LegEvent::Transfer(request)) if self.transfer.is_some() => request.progress(491),
            Some(LegEvent::TransferUnreadable) if self.transfer.is_some() => {}
            Some(LegEvent::TransferUnreadable) => session.tell(Event::TransferAsked { to: None }),
            Some(LegEvent::Transfer(request)) => {
                let to = match &request.replaces {
                    // Only a call that an agent made through us.
                    Some(replaces) => {
                        self.house.switchboard.consulted(&replaces.call_id).map(|name| Destination::Consulted { name })
                    }
                    None => self.house.today.borrow().destination(&request.to),
                };
                self.transfer = Some(request);
                session.tell(Event::TransferAsked { to });
            }
            Some(LegEvent::Referred(_)) => {}
        }
    }

    /// How callers of a queue reach its agents is today's configuration.
    pub(super) async fn tell_handoff(&mut self, request: &QueueRequest) {
        if let QueueRequest::Enter { queue, .. } = request {
            self.queue = Some(queue.clone());
            let by = self.house.today.borrow().queues.get(queue).map_or(HandoffBy::Bridge, |queue| queue.handoff);
            if by != HandoffBy::Bridge {
                // Before anything that the floor says.
                let _ = self.back.send(Return::Event(Event::HandoffBy { by })).await; // we hold the other end
            }
        }
    }

    pub(super) async fn refer_caller(&mut self, agent: String, attended: bool) {
        let to = match (&self.agent, self.way_to_agent(&agent)) {
            (AgentSide::There { phone, .. }, _) if attended => {
                phone.control.peer_uri().map(|uri| (uri, Some(phone.control.named_to_peer())))
            }
            (_, Some(Target::Uri(uri))) if !attended => Some((uri, None)),
            _ => None,
        };
        let referred = match (&self.caller, to) {
            (CallerSide::There(leg, _), Some((uri, replaces))) => {
                leg.control().is_some_and(|control| control.refer(&uri, replaces.as_ref()).is_ok())
            }
            _ => false,
        };
        if referred {
            self.referred_to = Some(agent);
        } else {
            let _ = self.back.send(Return::Event(Event::ReferFailed { agent, status: 404 })).await; // likewise
        }
    }

    pub(super) async fn ring_target(&mut self, to: Destination, summary: &Summary) {
        self.target_busy = match &to {
            Destination::Agent { agent: name } | Destination::Consulted { name } => {
                Some(self.occupy(name.clone(), None).await)
            }
            Destination::Queue { .. } | Destination::Outside { .. } => None,
        };
        let consulted = match (&to, &self.transfer) {
            (Destination::Consulted { .. }, Some(sip::TransferRequest { replaces: Some(replaces), .. })) => {
                self.house.switchboard.take(&replaces.call_id).await
            }
            _ => None,
        };
        if let Some(phone) = consulted {
            let now = self.now_ms();
            let leg = self.record_leg(to.name().to_owned(), now, Some(now));
            self.target = AgentSide::There { leg, phone };
            let _ = self.back.send(Return::Event(Event::TargetAnswered)).await; // likewise
            return;
        }
        let target = way_to(&self.house.today.borrow(), &to);
        self.target = self.dial(to.name().to_owned(), target, summary).await;
    }

    /// Keeps the floor from giving this agent another call; for the leg that is made next.
    fn occupy(&self, agent: String, queue: Option<String>) -> impl Future<Output = Occupied> + Send + use<> {
        let (floor, leg) = (self.house.floor.clone(), format!("{}/{}", self.call, self.legs));
        async move { floor.occupy(leg, vec![agent], queue).await }
    }

    /// A telephone of ours takes the agent's place (INVITE with Replaces).
    pub(super) async fn step_in(&mut self, incoming: sip::Incoming, session: &mut Session) {
        let here =
            matches!(&self.agent, AgentSide::There { phone, .. } if Some(phone.id()) == incoming.replaces.as_deref());
        if !here {
            return incoming.reject(481, None).await;
        }
        let user = incoming.phone.clone().unwrap_or_default();
        let name = match self.house.today.borrow().destination(&user) {
            Some(Destination::Agent { agent }) => agent,
            _ => user,
        };
        let began_ms = self.now_ms();
        // The caller is heard by nobody while this waits for the ACK: a moment.
        let Ok(phone) = incoming.answer().await else { return };
        self.let_agent_go().await;
        self.agent_busy = Some(self.occupy(name.clone(), self.queue.clone()).await);
        let leg = self.record_leg(name.clone(), began_ms, Some(self.now_ms()));
        self.agent = AgentSide::There { leg, phone };
        self.attend();
        session.agent_holds(false);
        session.tell(Event::AgentReplaced { agent: name });
    }

    pub(super) async fn let_agent_go(&mut self) {
        self.claim = None;
        let side = std::mem::replace(&mut self.agent, AgentSide::None);
        self.let_go(side).await;
        self.agent_busy = None;
    }

    pub(super) async fn let_target_go(&mut self) {
        let side = std::mem::replace(&mut self.target, AgentSide::None);
        self.let_go(side).await;
        self.target_busy = None;
    }

    async fn let_go(&mut self, side: AgentSide) {
        let leg = match side {
            AgentSide::None => return,
            AgentSide::Ringing { leg, cancel, .. } => {
                let _ = cancel.send(()).await; // already over: nothing to cancel
                leg
            }
            AgentSide::There { leg, mut phone } => {
                let quality = Some(phone.port().quality());
                tokio::spawn(self.farewell(phone));
                records::Leg { quality, ..leg }
            }
        };
        self.house.store.leg(&self.call, records::Leg { ended_ms: Some(self.now_ms()), ..leg });
    }

    /// Hangs up; a telephone that waits for the end of its transfer hears of that first, and mostly hangs up by itself.
    fn farewell(&mut self, mut phone: sip::Leg) -> impl Future<Output = ()> + Send + 'static {
        let told = self.told_transfer.take();
        async move {
            if told.is_some() {
                let over = async { while !matches!(phone.events.recv().await, Some(LegEvent::HungUp) | None) {} };
                let _ = tokio::time::timeout(FAREWELL, over).await;
            }
            phone.hang_up().await;
        }
    }
}

/// Rings an agent's phone until it is answered, fails or is cancelled.
async fn ring_agent(
    endpoint: sip::Endpoint,
    invite: sip::InviteRequest,
    n: u32,
    news: mpsc::Sender<AgentNews>,
    mut cancelled: mpsc::Receiver<()>,
) {
    // A closed channel means that the call is over: what rings is dropped, which cancels it.
    let mut outgoing = match endpoint.invite(invite).await {
        Ok(outgoing) => outgoing,
        Err(_) => return drop(news.send(AgentNews::Failed(n, AgentFailure::Unreachable)).await),
    };
    outgoing.hear_early();
    loop {
        let event = tokio::select! {
            _ = cancelled.recv() => return outgoing.cancel().await,
            event = outgoing.events.recv() => event,
            Some(port) = outgoing.early_sound.recv() => {
                if news.send(AgentNews::Sound(n, port)).await.is_err() {
                    return;
                }
                continue;
            }
        };
        let (told, over) = match event {
            Some(OutgoingEvent::Ringing) => (AgentNews::Ringing(n), false),
            Some(OutgoingEvent::Answered(leg)) => (AgentNews::Answered(n, leg), true),
            Some(OutgoingEvent::Failed { reason, .. }) => (AgentNews::Failed(n, failure(reason)), true),
            None => (AgentNews::Failed(n, AgentFailure::Unreachable), true),
        };
        if news.send(told).await.is_err() || over {
            return;
        }
    }
}

fn failure(reason: FailureReason) -> AgentFailure {
    match reason {
        FailureReason::Busy => AgentFailure::Busy,
        FailureReason::NoAnswer => AgentFailure::NoAnswer,
        FailureReason::Declined => AgentFailure::Declined,
        FailureReason::Unreachable => AgentFailure::Unreachable,
    }
}

/// What is heard of a telephone that rings, on this beat.
pub(super) fn rings(agent: &mut AgentSide, at: Instant) -> Option<Frame> {
    let AgentSide::Ringing { sound: Some(port), .. } = agent else { return None };
    let mut frame = Frame::silence(port.rate());
    port.receive(at, &mut frame).heard.then_some(frame)
}

pub(super) async fn next_of_agent(agent: &mut AgentSide) -> Option<LegEvent> {
    match agent {
        AgentSide::There { phone, .. } => phone.events.recv().await,
        _ => std::future::pending().await,
    }
}

//! The agents' side of a live call: telephones are rung, put through, passed on and let go.

use std::time::{Duration, Instant};

use tokio::sync::{mpsc, oneshot};

use super::{CallerSide, Live};
use crate::call::{AgentFailure, Destination, Event, HandoffBy, QueueRequest, Summary};
use crate::console::{Became, What};
use crate::engine::Session;
use crate::engine::caller::PartyLeg;
use crate::engine::errand::Return;
use crate::engine::floor::Occupied;
use crate::engine::transfer::{Way, way_to};
use crate::media::{Frame, Key, Port};
use crate::records;
use crate::sip::{self, FailureReason, LegEvent, OutgoingEvent, Target};
use crate::webrtc;

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
        phone: PartyLeg,
    },
}

/// What an agent's phone does, by the number of its leg: news of one already let go mean nothing.
pub(super) enum AgentNews {
    Ringing(u32),
    Sound(u32, Box<dyn Port>),
    Answered(u32, PartyLeg),
    Failed(u32, AgentFailure),
}

/// Which of them.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Side {
    Agent,
    Target,
    Consult,
}

impl AgentSide {
    fn leg(&self) -> Option<&records::Leg> {
        match self {
            AgentSide::None => None,
            AgentSide::Ringing { leg, .. } | AgentSide::There { leg, .. } => Some(leg),
        }
    }

    /// Whose it is.
    pub(super) fn name(&self) -> Option<&str> {
        self.leg().and_then(|leg| leg.agent.as_deref())
    }

    /// The sound of who has answered.
    pub(super) fn port(&mut self) -> Option<&mut dyn Port> {
        match self {
            AgentSide::There { phone, .. } => Some(phone.port()),
            _ => None,
        }
    }

    fn rings(&self, n: u32) -> bool {
        matches!(self, AgentSide::Ringing { leg, .. } if leg.n == n)
    }
}

impl Live {
    pub(super) async fn ring(&mut self, agent: String, summary: &Summary) {
        let to = self.way_to_agent(&agent);
        self.summary = Some(summary.clone());
        self.agent = self.dial(agent, to, summary).await;
        self.reword(summary);
    }

    fn way_to_agent(&self, agent: &str) -> Option<Way> {
        way_to(&self.house.today.borrow(), &Destination::Agent { agent: agent.to_owned() })
    }

    /// Another leg, on record.
    fn record_leg(&mut self, name: String, began_ms: u64, answered_ms: Option<u64>) -> records::Leg {
        let leg = records::Leg { n: self.legs, agent: Some(name), began_ms, answered_ms, ..records::Leg::default() };
        self.legs += 1;
        self.house.store.leg(&self.call, leg.clone());
        leg
    }

    /// Rings a telephone or a browser; what comes of it arrives by `agent_news`. The desk of who is rung shows it either way.
    async fn dial(&mut self, name: String, to: Option<Way>, summary: &Summary) -> AgentSide {
        let answered = self.house.board.ring(&self.call, &name, summary);
        let leg = self.record_leg(name, self.now_ms(), None);
        let n = leg.n;
        let (cancel, cancelled) = mpsc::channel(1);
        match (to, answered) {
            (Some(Way::Desk), Some(answered)) => {
                tokio::spawn(ring_desk(answered, n, self.agent_news.clone(), cancelled));
            }
            (None | Some(Way::Desk), _) => {
                let _ = self.agent_news.send(AgentNews::Failed(n, AgentFailure::Unreachable)).await; // we hold the other end
            }
            (Some(Way::Telephone(to)), _) => {
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
        let (AgentNews::Ringing(n) | AgentNews::Sound(n, _) | AgentNews::Answered(n, _) | AgentNews::Failed(n, _)) =
            &news;
        let sides = [(Side::Agent, &self.agent), (Side::Target, &self.target), (Side::Consult, &self.consult)];
        let Some((which, _)) = sides.into_iter().find(|(_, side)| side.rings(*n)) else {
            // Let go meanwhile.
            if let AgentNews::Answered(_, phone) = news {
                tokio::spawn(phone.hang_up());
            }
            return;
        };
        let now_ms = self.now_ms();
        let side = match which {
            Side::Agent => &mut self.agent,
            Side::Target => &mut self.target,
            Side::Consult => &mut self.consult,
        };
        match news {
            AgentNews::Ringing(_) => match which {
                Side::Agent => session.tell(Event::AgentRinging),
                Side::Target => session.tell(Event::TargetRinging),
                Side::Consult => {}
            },
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
                self.house.board.answered(&self.call, leg.agent.as_deref().unwrap_or_default());
                let rate = phone.port().rate();
                *side = AgentSide::There { leg, phone };
                match which {
                    Side::Target => session.tell(Event::TargetAnswered),
                    Side::Consult => self.consulting(),
                    Side::Agent => {
                        self.attend();
                        session.agent_answered(rate);
                    }
                }
            }
            AgentNews::Failed(_, failure) => {
                let AgentSide::Ringing { mut leg, .. } = std::mem::replace(side, AgentSide::None) else {
                    return; // likewise
                };
                leg.ended_ms = Some(now_ms);
                let agent = leg.agent.clone().unwrap_or_default();
                self.house.board.gone(&self.call, &agent);
                self.house.store.leg(&self.call, leg);
                match which {
                    Side::Agent => session.tell(Event::AgentFailed { agent, failure }),
                    Side::Target => {
                        self.target_busy = None;
                        session.tell(Event::TargetFailed { failure });
                    }
                    Side::Consult => {
                        self.consult_busy = None;
                        session.agent_holds(false);
                        if let Some(consulting) = self.agent.name() {
                            self.house.board.consults(&self.call, consulting, Some((&agent, "failed")));
                            self.house.board.held(&self.call, consulting, false);
                        }
                    }
                }
            }
        }
    }

    /// Agent and who is consulted hear each other; the caller waits.
    fn consulting(&self) {
        if let (Some(agent), Some(to)) = (self.agent.name(), self.consult.name()) {
            self.house.board.consults(&self.call, agent, Some((to, "talking")));
        }
    }

    /// What an agent orders at the desk.
    pub(super) async fn ordered(&mut self, agent: String, what: What, session: &mut Session) {
        if self.agent.name() != Some(&agent) {
            let part = [self.consult.name(), self.target.name()].contains(&Some(&*agent));
            match what {
                What::HangUp => self.declined(&agent, session).await,
                // Who is consulted by a browser is silent by its own doing; the page waits to be told so.
                What::Mute(on) if part => self.house.board.muted(&self.call, &agent, on),
                What::StopRecording if part => session.tell(Event::RecordingRefused),
                _ => {}
            }
            return;
        }
        let there = matches!(self.agent, AgentSide::There { .. });
        match what {
            // The other two go on.
            What::HangUp | What::ConsultDone if self.joined => self.third_takes_over(session).await,
            What::HangUp => {
                self.let_agent_go().await;
                session.tell(match there {
                    true => Event::AgentHungUp,
                    false => Event::AgentFailed { agent, failure: AgentFailure::Declined },
                });
            }
            _ if !there => {}
            What::Hold(on) => {
                let on = on || self.consults();
                session.agent_holds(on);
                self.house.board.held(&self.call, &agent, on);
            }
            What::Mute(on) => {
                session.agent_mutes(on);
                self.house.board.muted(&self.call, &agent, on);
            }
            What::Key(key) => {
                if let Some(key) = Key::new(key) {
                    session.agent_presses(key);
                }
            }
            What::StopRecording => session.tell(Event::RecordingRefused),
            What::SkipBriefing => session.agent_skips_briefing(),
            What::Transfer(_) if self.joined => {} // not over the head of who is in the conversation
            What::Transfer(to) => {
                self.let_consult_go().await;
                let to = self.house.today.borrow().destination(&to);
                session.tell(Event::TransferAsked { to });
            }
            What::Consult(_) if !session.is_bridged() => {} // while the caller is elsewhere
            What::Consult(to) => self.consult(agent, &to, session).await,
            What::ConsultOver => self.consult_ends(session).await,
            What::JoinAll => self.join_all(session),
            What::DeskStep(step) if matches!(self.consult, AgentSide::None) => {
                session.agent_holds(false); // the caller is to hear the bot, and the agent again after it
                self.house.board.held(&self.call, &agent, false);
                session.tell(Event::DeskStepAsked { step });
            }
            What::DeskStep(_) => {}
            What::DeskStepOver => session.tell(Event::DeskStepOver),
            What::ConsultDone => {
                if let (AgentSide::There { .. }, Some(name)) = (&self.consult, self.consult.name()) {
                    let to = Some(Destination::Consulted { name: name.to_owned() });
                    session.tell(Event::TransferAsked { to });
                }
            }
        }
    }

    /// A colleague who is rung for a transfer or to be consulted does not want to, or has done.
    async fn declined(&mut self, agent: &str, session: &mut Session) {
        if self.target.name() == Some(agent) {
            self.let_target_go().await;
            session.tell(Event::TargetFailed { failure: AgentFailure::Declined });
        } else if self.consult.name() == Some(agent) {
            self.consult_ends(session).await;
        }
    }

    /// Who is consulted is not for the caller's ears.
    fn consults(&self) -> bool {
        !matches!(self.consult, AgentSide::None) && !self.joined
    }

    /// Agent, caller and who is consulted hear each other.
    fn join_all(&mut self, session: &mut Session) {
        let (AgentSide::There { .. }, Some(third)) = (&self.consult, self.consult.name()) else { return };
        if self.joined || !session.is_bridged() {
            return;
        }
        session.agent_holds(false);
        session.tell(Event::ThirdJoined { third: third.to_owned() });
        if let Some(agent) = self.agent.name() {
            self.house.board.held(&self.call, agent, false);
            self.house.board.consults(&self.call, agent, Some((third, "joined")));
        }
        self.joined = true;
    }

    /// The agent leaves a conversation of three: the caller stays with the third.
    async fn third_takes_over(&mut self, session: &mut Session) {
        let (third, busy) = self.take_third();
        let Some(name) = third.name().map(str::to_owned) else { return };
        self.let_agent_go().await;
        self.seat(third, busy).await;
        session.agent_holds(false);
        session.agent_mutes(false);
        session.tell(Event::AgentReplaced { agent: name });
    }

    fn take_third(&mut self) -> (AgentSide, Option<Occupied>) {
        self.joined = false;
        (std::mem::replace(&mut self.consult, AgentSide::None), self.consult_busy.take())
    }

    /// Who is there already has the caller from here on.
    pub(super) async fn seat(&mut self, side: AgentSide, busy: Option<Occupied>) {
        self.agent = side;
        self.agent_busy = busy;
        if let Some(busy) = &self.agent_busy {
            busy.come_by(self.queue.clone()).await;
        }
        self.attend();
    }

    /// Who was consulted is gone; the agent is back with the caller.
    pub(super) async fn consult_ends(&mut self, session: &mut Session) {
        if let (true, Some(third)) = (self.joined, self.consult.name()) {
            session.tell(Event::ThirdLeft { third: third.to_owned() });
        }
        self.let_consult_go().await;
        session.agent_holds(false);
        if let Some(agent) = self.agent.name() {
            self.house.board.held(&self.call, agent, false);
        }
    }

    /// The agent talks to somebody while the caller waits.
    async fn consult(&mut self, agent: String, to: &str, session: &mut Session) {
        if !matches!(self.consult, AgentSide::None) || !matches!(self.target, AgentSide::None) {
            return; // one at a time
        }
        let destination = self.house.today.borrow().destination(to).filter(|to| to.name() != agent);
        let way = destination.as_ref().and_then(|to| way_to(&self.house.today.borrow(), to));
        let (Some(destination), Some(way)) = (destination, way) else {
            return self.house.board.consults(&self.call, &agent, Some((to, "failed")));
        };
        if let Destination::Agent { agent: name } = &destination {
            self.consult_busy = Some(self.occupy(name.clone(), None).await);
        }
        session.agent_holds(true);
        self.house.board.held(&self.call, &agent, true);
        self.house.board.consults(&self.call, &agent, Some((destination.name(), "ringing")));
        // An agent who talks was rung with it.
        let Some(summary) = self.summary.clone() else { return };
        self.consult = self.dial(destination.name().to_owned(), Some(way), &summary).await;
    }

    /// The agent's telephone may have the caller connected elsewhere, and another of ours may take its place.
    pub(super) fn attend(&mut self) {
        self.claim = None;
        if let AgentSide::There { phone: PartyLeg::Phone(phone), .. } = &self.agent {
            phone.control.allow_transfers();
            self.claim = Some(self.house.switchboard.stand(phone.id(), self.stand.clone()));
        }
    }

    pub(super) async fn agent_does(&mut self, event: Option<LegEvent>, session: &mut Session) {
        match event {
            Some(LegEvent::HungUp) | None => {
                // A browser does not hang up: its agent does, by an order. It closed, or its network is gone.
                let vanished = matches!(&self.agent, AgentSide::There { phone: PartyLeg::Browser(_), .. });
                let agent = self.agent.name().unwrap_or_default().to_owned();
                let joined = self.joined;
                if joined {
                    self.third_takes_over(session).await;
                } else {
                    self.let_agent_go().await;
                }
                let became = if joined { Became::Joined } else { Became::Requeued };
                if vanished {
                    for event in self.house.board.vanished(&self.call, &agent, became) {
                        self.house.floor.tell(event).await;
                    }
                }
                if joined {
                    // The caller has somebody.
                } else if vanished {
                    session.tell(Event::AgentFailed { agent, failure: AgentFailure::Unreachable });
                } else {
                    session.tell(Event::AgentHungUp);
                }
            }
            Some(LegEvent::Held) => self.agent_holds(true, session),
            Some(LegEvent::Resumed) => self.agent_holds(false, session),
            // One at a time.
            Some(LegEvent::Transfer(request)) if self.transfer.is_some() || self.joined => request.progress(491),
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

    fn agent_holds(&self, holds: bool, session: &mut Session) {
        session.agent_holds(holds || self.consults());
        if let Some(agent) = self.agent.name() {
            self.house.board.held(&self.call, agent, holds);
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
            (AgentSide::There { phone: PartyLeg::Phone(phone), .. }, _) if attended => {
                phone.control.peer_uri().map(|uri| (uri, Some(phone.control.named_to_peer())))
            }
            (_, Some(Way::Telephone(Target::Uri(uri)))) if !attended => Some((uri, None)),
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
        if matches!((&to, self.consult.name()), (Destination::Consulted { name }, Some(other)) if name == other) {
            // At the desk: they talk already, and are in the books.
            self.target = std::mem::replace(&mut self.consult, AgentSide::None);
            self.consult_busy = None;
            let _ = self.back.send(Return::Event(Event::TargetAnswered)).await; // likewise
            return;
        }
        let consulted = match (&to, &self.transfer) {
            (Destination::Consulted { .. }, Some(sip::TransferRequest { replaces: Some(replaces), .. })) => {
                self.house.switchboard.take(&replaces.call_id).await
            }
            _ => None,
        };
        if let Some(phone) = consulted {
            let now = self.now_ms();
            let leg = self.record_leg(to.name().to_owned(), now, Some(now));
            self.house.board.answered(&self.call, to.name());
            self.target = AgentSide::There { leg, phone: PartyLeg::Phone(phone) };
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
        let here = matches!(&self.agent, AgentSide::There { phone: PartyLeg::Phone(phone), .. } if Some(phone.id()) == incoming.replaces.as_deref());
        // There is a conversation to step into.
        if !here || !session.is_bridged() {
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
        self.replace_agent(name, PartyLeg::Phone(phone), began_ms, session).await;
    }

    /// This agent has the caller from here on.
    pub(super) async fn replace_agent(&mut self, name: String, phone: PartyLeg, began_ms: u64, session: &mut Session) {
        // Who is in the conversation stays.
        let third = self.joined.then(|| self.take_third());
        self.let_agent_go().await;
        let busy = self.occupy(name.clone(), None).await;
        let leg = self.record_leg(name.clone(), began_ms, Some(self.now_ms()));
        self.house.board.answered(&self.call, &name);
        self.seat(AgentSide::There { leg, phone }, Some(busy)).await;
        if let Some((third, busy)) = third {
            (self.consult, self.consult_busy, self.joined) = (third, busy, true);
            self.house.board.consults(&self.call, &name, self.consult.name().map(|third| (third, "joined")));
        }
        session.agent_holds(false);
        session.agent_mutes(false);
        session.tell(Event::AgentReplaced { agent: name });
    }

    pub(super) async fn let_agent_go(&mut self) {
        self.let_consult_go().await;
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

    pub(super) async fn let_consult_go(&mut self) {
        self.joined = false;
        let side = std::mem::replace(&mut self.consult, AgentSide::None);
        if let (Some(agent), AgentSide::Ringing { .. } | AgentSide::There { .. }) = (self.agent.name(), &side) {
            self.house.board.consults(&self.call, agent, None);
        }
        self.let_go(side).await;
        self.consult_busy = None;
    }

    async fn let_go(&mut self, side: AgentSide) {
        if let Some(agent) = side.name() {
            self.house.board.gone(&self.call, agent);
        }
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
    fn farewell(&mut self, mut phone: PartyLeg) -> impl Future<Output = ()> + Send + 'static {
        let told = self.told_transfer.take();
        async move {
            if told.is_some() {
                let over = async { while !matches!(phone.event().await, Some(LegEvent::HungUp) | None) {} };
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
            Some(OutgoingEvent::Answered(leg)) => (AgentNews::Answered(n, PartyLeg::Phone(leg)), true),
            Some(OutgoingEvent::Failed { reason, .. }) => (AgentNews::Failed(n, failure(reason)), true),
            None => (AgentNews::Failed(n, AgentFailure::Unreachable), true),
        };
        if news.send(told).await.is_err() || over {
            return;
        }
    }
}

/// Rings an agent's browser until its sound is there, it fails or is cancelled.
async fn ring_desk(
    answered: oneshot::Receiver<webrtc::Incoming>,
    n: u32,
    news: mpsc::Sender<AgentNews>,
    mut cancelled: mpsc::Receiver<()>,
) {
    let _ = news.send(AgentNews::Ringing(n)).await; // closed: so is what follows
    let sound = async {
        let incoming = answered.await.ok()?;
        incoming.answer().await.ok()
    };
    let leg = tokio::select! {
        _ = cancelled.recv() => return, // an answer that crossed this is refused as it is dropped
        leg = sound => leg,
    };
    let told = match leg {
        Some(leg) => AgentNews::Answered(n, PartyLeg::Browser(leg)),
        None => AgentNews::Failed(n, AgentFailure::Unreachable),
    };
    let _ = news.send(told).await; // closed: the call is over, and the leg ends with it
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
        AgentSide::There { phone, .. } => phone.event().await,
        _ => std::future::pending().await,
    }
}

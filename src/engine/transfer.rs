//! What agents' telephones do among themselves: consulting calls made through us, and which call such a telephone means
//! when it names one (REFER with Replaces, INVITE with Replaces).

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::{mpsc, oneshot};
use tokio::time::{MissedTickBehavior, interval};
use tracing::{debug, info};

use super::floor::FloorHandle;
use super::load::agents_of;
use crate::call::Destination;
use crate::config::{Config, Phone};
use crate::media::{Bridge, FRAME_MS, Frame, Port};
use crate::sip::{self, LegEvent, OutgoingEvent, Target};

/// Who is consulted has this long to answer.
const RING_LIMIT: Duration = Duration::from_secs(60);
/// A consulting call gives its far leg away within a beat or two.
const HANDOVER: Duration = Duration::from_secs(1);

/// Legs by SIP Call-ID. Cheap to clone.
#[derive(Clone, Default)]
pub struct Switchboard(Arc<Mutex<Places>>);

#[derive(Default)]
struct Places {
    /// Legs of agents in calls with callers, and where a telephone that steps in goes.
    stands: HashMap<String, mpsc::Sender<sip::Incoming>>,
    /// Legs of agents in consulting calls.
    consults: HashMap<String, Consult>,
}

struct Consult {
    /// Whom the agent talks to.
    name: String,
    take: mpsc::Sender<oneshot::Sender<sip::Leg>>,
}

/// A leg's entry; gone when dropped.
pub struct Claim {
    board: Switchboard,
    call_id: String,
}

impl Drop for Claim {
    fn drop(&mut self) {
        let mut places = self.board.places();
        places.stands.remove(&self.call_id);
        places.consults.remove(&self.call_id);
    }
}

impl Switchboard {
    fn places(&self) -> MutexGuard<'_, Places> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner) // maps, never half changed
    }

    fn claim(&self, call_id: &str) -> Claim {
        Claim { board: self.clone(), call_id: call_id.to_owned() }
    }

    /// An agent talks to a caller by this leg.
    pub fn stand(&self, call_id: &str, stand: mpsc::Sender<sip::Incoming>) -> Claim {
        self.places().stands.insert(call_id.to_owned(), stand);
        self.claim(call_id)
    }

    /// A telephone wants the place of the leg that it names; it is refused when there is none.
    pub async fn step_in(&self, incoming: sip::Incoming) {
        let stand = incoming.replaces.as_ref().and_then(|call_id| self.places().stands.get(call_id).cloned());
        let refused = match stand {
            Some(stand) => stand.try_send(incoming).err().map(|error| match error {
                mpsc::error::TrySendError::Full(incoming) | mpsc::error::TrySendError::Closed(incoming) => incoming,
            }),
            None => Some(incoming),
        };
        if let Some(incoming) = refused {
            incoming.reject(481, None).await;
        }
    }

    /// Whom an agent consults by this leg; none when it is no consulting call.
    pub fn consulted(&self, call_id: &str) -> Option<String> {
        self.places().consults.get(call_id).map(|consult| consult.name.clone())
    }

    /// Takes over the far end of a consulting call; the agent's end is hung up.
    pub async fn take(&self, call_id: &str) -> Option<sip::Leg> {
        let take = self.places().consults.get(call_id).map(|consult| consult.take.clone())?;
        let (give, far) = oneshot::channel();
        take.send(give).await.ok()?;
        tokio::time::timeout(HANDOVER, far).await.ok()?.ok()
    }

    /// An agent's telephone calls through us: an agent, or a number outside that the rules allow.
    /// Both agents are busy meanwhile.
    pub async fn consult(
        self,
        endpoint: sip::Endpoint,
        floor: FloorHandle,
        config: Arc<Config>,
        incoming: sip::Incoming,
        to: Destination,
    ) {
        let near = incoming.phone.iter().flat_map(|user| agents_of(&config, user)).map(|agent| agent.name.clone());
        let both = near.chain([to.name().to_owned()]).collect();
        let _busy = floor.occupy(incoming.call_id.clone(), both, None).await;
        let target = match way_to(&config, &to) {
            Some(Way::Telephone(target)) => target,
            // A browser is rung with a caller's story alone.
            Some(Way::Desk) => return incoming.reject(480, None).await,
            None => return incoming.reject(404, None).await,
        };
        let from_display = incoming.from_name.clone().or_else(|| incoming.phone.clone()).unwrap_or_default();
        let request = sip::InviteRequest { to: target, from_display, headers: Vec::new(), ring_timeout: RING_LIMIT };
        let Ok(mut outgoing) = endpoint.invite(request).await else { return incoming.reject(480, None).await };
        info!("an agent consults another");
        let far = loop {
            let event = tokio::select! {
                event = outgoing.events.recv() => event,
                () = incoming.cancelled() => return outgoing.cancel().await,
            };
            match event {
                Some(OutgoingEvent::Ringing) => incoming.ring().await,
                Some(OutgoingEvent::Answered(leg)) => break leg,
                Some(OutgoingEvent::Failed { status, .. }) => return incoming.reject(status, None).await,
                None => return incoming.reject(480, None).await,
            }
        };
        match incoming.answer().await {
            Ok(near) => self.talk(near, far, to.name().to_owned()).await,
            Err(error) => {
                debug!(%error, "the consulting agent is gone");
                far.hang_up().await;
            }
        }
    }

    /// Two legs hear each other until one hangs up, or a call takes the far one over.
    async fn talk(self, mut near: sip::Leg, mut far: sip::Leg, name: String) {
        let (take, mut taken) = mpsc::channel(1);
        self.places().consults.insert(near.id().to_owned(), Consult { name, take });
        let _claim = self.claim(near.id());
        let Ok(mut bridge) = Bridge::new(near.port().rate(), far.port().rate()) else { return };
        let mut beat = interval(Duration::from_millis(FRAME_MS.into()));
        beat.set_missed_tick_behavior(MissedTickBehavior::Burst);
        loop {
            tokio::select! {
                biased;
                _ = beat.tick() => {
                    let at = Instant::now();
                    if !pass(at, near.port(), far.port(), &mut bridge) {
                        break;
                    }
                }
                event = near.events.recv() => match event {
                    Some(LegEvent::HungUp) | None => break,
                    Some(_) => {}
                },
                event = far.events.recv() => match event {
                    Some(LegEvent::HungUp) | None => break,
                    Some(_) => {}
                },
                Some(give) = taken.recv() => {
                    if let Err(far) = give.send(far) {
                        far.hang_up().await;
                    }
                    return near.hang_up().await;
                }
            }
        }
        tokio::join!(near.hang_up(), far.hang_up());
    }
}

/// How somebody is rung.
pub enum Way {
    Telephone(Target),
    /// At the agent's desk, in the browser.
    Desk,
}

/// How this destination is rung, as today's rules have it; none for what cannot be.
pub fn way_to(config: &Config, to: &Destination) -> Option<Way> {
    match to {
        Destination::Agent { agent } => config.agents.get(agent).map(|agent| way_of(agent.phone.clone())),
        Destination::Outside { number } => config.outside(number).map(way_of),
        Destination::Queue { .. } | Destination::Consulted { .. } => None,
    }
}

fn way_of(phone: Phone) -> Way {
    Way::Telephone(match phone {
        Phone::Registers { user, .. } => Target::Registered(user),
        Phone::At { uri } => Target::Uri(uri),
        Phone::Outside { number, trunk } => Target::Trunk { trunk, number },
        Phone::Desk => return Way::Desk,
    })
}

/// 20 ms each way; `false` when one has fallen silent for good.
pub fn pass(at: Instant, near: &mut dyn Port, far: &mut dyn Port, bridge: &mut Bridge) -> bool {
    let (mut from_near, mut from_far) = (Frame::silence(near.rate()), Frame::silence(far.rate()));
    let (left, right) = (near.receive(at, &mut from_near), far.receive(at, &mut from_far));
    near.send(at, Some(&bridge.b_to_a(&from_far)));
    far.send(at, Some(&bridge.a_to_b(&from_near)));
    if let Some(key) = left.key {
        far.send_key(key);
    }
    if let Some(key) = right.key {
        near.send_key(key);
    }
    !left.timed_out && !right.timed_out
}

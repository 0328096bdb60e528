//! The caller's end of a call, whatever it came by: a telephone, or a page in a browser. The rest of the engine knows no
//! difference.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use tokio::sync::oneshot;

use crate::call::{CalledBack, Caller, Entry, Note, Talker};
use crate::media::Port;
use crate::sip::{self, LegEvent};
use crate::webrtc::{self, Screen, Stage, Who};

/// A call that wants an answer. Dropping it refuses it.
pub enum Arrival {
    Phone(Box<sip::Incoming>),
    Browser(Box<webrtc::Incoming>),
    /// We called, and it was answered.
    Called(Box<Called>),
}

/// Somebody who was called back and has picked up.
pub struct Called {
    /// Locked by nobody: a port may be sent to another thread, and not be shared with one.
    leg: Mutex<sip::Leg>,
    number: String,
    back: CalledBack,
    rate: u32,
}

impl Called {
    pub fn new(mut leg: sip::Leg, number: String, back: CalledBack) -> Self {
        let rate = leg.port().rate();
        Self { leg: Mutex::new(leg), number, back, rate }
    }

    fn leg(self) -> sip::Leg {
        self.leg.into_inner().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Somebody's end of a call that is answered: the caller's, or an agent's. Dropping it hangs up.
pub enum PartyLeg {
    Phone(sip::Leg),
    Browser(webrtc::Leg),
}

/// Early media, or the call as it was.
pub type Opened = Result<(PartyLeg, sip::Early), (Arrival, Error)>;

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error(transparent)]
    Phone(#[from] sip::Error),
    #[error(transparent)]
    Browser(#[from] webrtc::Error),
    #[error("a browser hears nothing before the answer")]
    NoEarlyMedia,
}

impl Error {
    /// The caller gave up: no fault of anybody's.
    pub fn is_cancelled(&self) -> bool {
        matches!(self, Error::Phone(sip::Error::Cancelled) | Error::Browser(webrtc::Error::Cancelled))
    }
}

impl Arrival {
    /// Who calls, and whom.
    pub fn caller(&self, line: String) -> Caller {
        match self {
            Arrival::Phone(call) => Caller {
                number: call.from_number.clone(),
                name: call.from_name.clone(),
                dialled: call.to_number.clone(),
                line,
                trunk: call.trunk.clone(),
                withheld: call.identity.withheld,
                asserted: call.identity.asserted,
                diverted_from: call.identity.diverted_from.clone(),
                diverted_reason: call.identity.diverted_reason.clone(),
                on_file: BTreeMap::new(),
                called_back: None,
            },
            Arrival::Called(called) => Caller {
                number: called.number.clone(),
                line,
                called_back: Some(Box::new(called.back.clone())),
                ..Caller::default()
            },
            // Nobody vouches for who sits at a page.
            Arrival::Browser(call) => Caller {
                number: String::new(),
                name: None,
                dialled: call.site.clone(),
                line,
                trunk: None,
                withheld: false,
                asserted: false,
                diverted_from: None,
                diverted_reason: None,
                on_file: BTreeMap::new(),
                called_back: None,
            },
        }
    }

    pub async fn ring(&self) {
        match self {
            Arrival::Phone(call) => call.ring().await,
            Arrival::Called(_) => {}
            Arrival::Browser(_) => {} // the page rings by itself until it hears us
        }
    }

    /// The rate that its sound will have, Hz.
    pub fn rate(&self) -> u32 {
        match self {
            Arrival::Phone(call) => call.rate(),
            Arrival::Browser(call) => call.rate(),
            Arrival::Called(called) => called.rate,
        }
    }

    /// What the call's page shows, where there is one.
    pub fn screen(&self) -> Option<Screen> {
        match self {
            Arrival::Phone(_) | Arrival::Called(_) => None,
            Arrival::Browser(call) => Some(call.screen.clone()),
        }
    }

    /// Resolves when the caller gives up before an answer.
    pub async fn cancelled(&self) {
        match self {
            Arrival::Phone(call) => call.cancelled().await,
            Arrival::Browser(call) => call.cancelled().await,
            // A hang-up is heard once it is a leg like any other: at the first sound.
            Arrival::Called(_) => std::future::pending().await,
        }
    }

    /// The earlier call whose place on the floor is kept for it.
    pub fn ticket(&self) -> Option<&str> {
        match self {
            Arrival::Called(called) => Some(&called.back.call),
            Arrival::Phone(_) | Arrival::Browser(_) => None,
        }
    }

    pub async fn answer(self) -> Result<PartyLeg, Error> {
        Ok(match self {
            Arrival::Phone(call) => PartyLeg::Phone(call.answer().await?),
            Arrival::Browser(call) => PartyLeg::Browser(call.answer().await?),
            Arrival::Called(called) => PartyLeg::Phone(called.leg()),
        })
    }

    pub async fn open_early(self) -> Opened {
        match self {
            Arrival::Phone(call) => match call.open_early().await {
                Ok((leg, early)) => Ok((PartyLeg::Phone(leg), early)),
                Err((call, error)) => Err((Arrival::Phone(call), error.into())),
            },
            other => Err((other, Error::NoEarlyMedia)),
        }
    }

    /// Refuses with a SIP status, and Retry-After in seconds.
    pub async fn reject(self, status: u16, retry_after: Option<u32>) {
        match self {
            Arrival::Phone(call) => call.reject(status, retry_after).await,
            Arrival::Browser(call) => call.reject(),
            Arrival::Called(called) => called.leg().hang_up().await,
        }
    }
}

impl PartyLeg {
    pub fn port(&mut self) -> &mut dyn Port {
        match self {
            PartyLeg::Phone(leg) => leg.port(),
            PartyLeg::Browser(leg) => leg.port(),
        }
    }

    pub async fn event(&mut self) -> Option<LegEvent> {
        match self {
            PartyLeg::Phone(leg) => leg.events.recv().await,
            PartyLeg::Browser(leg) => leg.events.recv().await,
        }
    }

    /// Where it can be asked to call another telephone.
    pub fn control(&self) -> Option<&sip::LegControl> {
        match self {
            PartyLeg::Phone(leg) => Some(&leg.control),
            PartyLeg::Browser(_) => None,
        }
    }

    pub async fn hang_up(self) {
        match self {
            PartyLeg::Phone(leg) => leg.hang_up().await,
            PartyLeg::Browser(leg) => leg.hang_up(),
        }
    }
}

/// An answer under way in the background.
pub fn answering(arrival: Arrival) -> oneshot::Receiver<Result<PartyLeg, Error>> {
    let (answered, leg) = oneshot::channel();
    tokio::spawn(async move { drop(answered.send(arrival.answer().await)) });
    leg
}

/// What of the timeline a caller's page shows: what the bot and they said, as the record has it (no secret is in either), and
/// where the call stands.
pub fn show(screen: &Screen, entry: &Entry) {
    match &entry.note {
        Note::Say { text } => screen.caption(Who::Bot, text),
        Note::Utterance(utterance) => screen.caption(Who::Caller, &utterance.text),
        Note::Overheard { who: Talker::Caller, text, .. } => screen.caption(Who::Caller, text),
        Note::Overheard { who: Talker::Agent, text, .. } => screen.caption(Who::Person, text),
        Note::Interrupted => screen.stage(&Stage::Interrupted),
        Note::Language { language } => screen.stage(&Stage::Language { language: language.clone() }),
        Note::Transfer { .. } => screen.stage(&Stage::Waiting { position: None, estimate_s: None }),
        Note::Waiting { position, estimate_s } => {
            screen.stage(&Stage::Waiting { position: Some(*position), estimate_s: *estimate_s });
        }
        Note::AgentRinging { .. } => screen.stage(&Stage::Ringing),
        Note::Connected { .. } => screen.stage(&Stage::Person),
        _ => {}
    }
}

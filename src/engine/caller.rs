//! The caller's end of a call, whatever it came by: a telephone, or a page in a browser. The rest of the engine knows no
//! difference.

use tokio::sync::oneshot;

use crate::call::{Caller, Entry, Note};
use crate::media::Port;
use crate::sip::{self, LegEvent};
use crate::webrtc::{self, Screen, Stage, Who};

/// A call that wants an answer. Dropping it refuses it.
pub enum Arrival {
    Phone(Box<sip::Incoming>),
    Browser(Box<webrtc::Incoming>),
}

/// An answered one. Dropping it hangs up.
pub enum CallerLeg {
    Phone(sip::Leg),
    Browser(webrtc::Leg),
}

/// Early media, or the call as it was.
pub type Opened = Result<(CallerLeg, sip::Early), (Arrival, Error)>;

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
            },
        }
    }

    pub async fn ring(&self) {
        match self {
            Arrival::Phone(call) => call.ring().await,
            Arrival::Browser(_) => {} // the page rings by itself until it hears us
        }
    }

    /// The rate that its sound will have, Hz.
    pub fn rate(&self) -> u32 {
        match self {
            Arrival::Phone(call) => call.rate(),
            Arrival::Browser(call) => call.rate(),
        }
    }

    /// What the call's page shows, where there is one.
    pub fn screen(&self) -> Option<Screen> {
        match self {
            Arrival::Phone(_) => None,
            Arrival::Browser(call) => Some(call.screen.clone()),
        }
    }

    /// Resolves when the caller gives up before an answer.
    pub async fn cancelled(&self) {
        match self {
            Arrival::Phone(call) => call.cancelled().await,
            Arrival::Browser(call) => call.cancelled().await,
        }
    }

    pub async fn answer(self) -> Result<CallerLeg, Error> {
        Ok(match self {
            Arrival::Phone(call) => CallerLeg::Phone(call.answer().await?),
            Arrival::Browser(call) => CallerLeg::Browser(call.answer().await?),
        })
    }

    pub async fn open_early(self) -> Opened {
        match self {
            Arrival::Phone(call) => match call.open_early().await {
                Ok((leg, early)) => Ok((CallerLeg::Phone(leg), early)),
                Err((call, error)) => Err((Arrival::Phone(call), error.into())),
            },
            browser => Err((browser, Error::NoEarlyMedia)),
        }
    }

    /// Refuses with a SIP status, and Retry-After in seconds.
    pub async fn reject(self, status: u16, retry_after: Option<u32>) {
        match self {
            Arrival::Phone(call) => call.reject(status, retry_after).await,
            Arrival::Browser(call) => call.reject(),
        }
    }
}

impl CallerLeg {
    pub fn port(&mut self) -> &mut dyn Port {
        match self {
            CallerLeg::Phone(leg) => leg.port(),
            CallerLeg::Browser(leg) => leg.port(),
        }
    }

    pub async fn event(&mut self) -> Option<LegEvent> {
        match self {
            CallerLeg::Phone(leg) => leg.events.recv().await,
            CallerLeg::Browser(leg) => leg.events.recv().await,
        }
    }

    /// Where it can be asked to call another telephone.
    pub fn control(&self) -> Option<&sip::LegControl> {
        match self {
            CallerLeg::Phone(leg) => Some(&leg.control),
            CallerLeg::Browser(_) => None,
        }
    }

    pub async fn hang_up(self) {
        match self {
            CallerLeg::Phone(leg) => leg.hang_up().await,
            CallerLeg::Browser(leg) => leg.hang_up(),
        }
    }
}

/// An answer under way in the background.
pub fn answering(arrival: Arrival) -> oneshot::Receiver<Result<CallerLeg, Error>> {
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

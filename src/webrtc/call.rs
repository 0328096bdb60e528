//! A browser's call as the engine sees it: [`Incoming`], and once answered a [`Leg`] like a telephone's.

use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;
use tracing::debug;

use super::Error;
use super::peer::{Peer, State};
use super::screen::{Screen, Stage};
use super::wire::{PEER, RingWire};
use crate::media::{Codec, Port};
use crate::sip::{LegEvent, Plan, RtpPort};

/// A page that offered and then cannot connect: firewalls, or nobody there any more.
const SET_UP: Duration = Duration::from_secs(20);
/// Sound may be missing this much longer than the network may be gone: the end of a lost call is told by ICE.
const SLACK: Duration = Duration::from_secs(10);
/// Opus sounds like this inside.
const RATE: u32 = 16_000;
pub(super) const EVENTS: usize = 32;

/// One call's entry, held by the door while it lasts.
pub(super) struct Call {
    pub id: String,
    pub peer: Peer,
    pub screen: Screen,
    /// Either side has hung up.
    pub ended: CancellationToken,
}

/// A call that wants an answer. Dropping it ends it.
pub struct Incoming {
    /// The line that the page wants.
    pub line: String,
    /// The site whose page it is: its host.
    pub site: String,
    pub screen: Screen,
    call: Arc<Call>,
    /// Taken when it is answered; nobody ever waits for this lock.
    wire: Mutex<Option<RingWire>>,
    events: Option<mpsc::Receiver<LegEvent>>,
    grace: Duration,
    decided: bool,
}

/// An answered call. Dropping it hangs up.
pub struct Leg {
    pub port: Box<dyn Port>,
    pub events: mpsc::Receiver<LegEvent>,
    pub screen: Screen,
    hang_up: HangUp,
}

struct HangUp(Arc<Call>);

impl Drop for HangUp {
    fn drop(&mut self) {
        self.0.ended.cancel();
    }
}

impl Incoming {
    pub(super) fn new(
        line: String,
        site: String,
        call: Arc<Call>,
        wire: RingWire,
        events: mpsc::Receiver<LegEvent>,
        grace: Duration,
    ) -> Self {
        let screen = call.screen.clone();
        Self { line, site, screen, call, wire: Mutex::new(Some(wire)), events: Some(events), grace, decided: false }
    }

    /// The rate of its sound, Hz.
    pub fn rate(&self) -> u32 {
        RATE
    }

    /// Resolves when the caller gives up before an answer.
    pub async fn cancelled(&self) {
        self.call.ended.cancelled().await;
    }

    /// Waits until sound can flow.
    pub async fn answer(mut self) -> Result<Leg, Error> {
        let ssrc = tokio::select! {
            ssrc = self.call.peer.connected() => ssrc.ok_or(Error::Cancelled)?,
            () = self.call.ended.cancelled() => return Err(Error::Cancelled),
        };
        let (Ok(Some(mut wire)), Some(events)) = (self.wire.get_mut().map(Option::take), self.events.take()) else {
            return Err(Error::Cancelled); // taken here alone
        };
        self.decided = true;
        let numbers = &self.call.peer.numbers;
        let plan = Plan {
            remote: Some(PEER),
            remote_rtcp: Some(PEER),
            codec: Codec::Opus,
            payload_type: numbers.opus,
            accepted: vec![(numbers.opus, Codec::Opus)],
            // Browsers play no events: a key of an agent's is sent as its tone.
            events_out: None,
            events_in: numbers.events.clone(),
            opus: numbers.wishes,
            sending: true,
            receiving: true,
            ..Plan::silent()
        };
        wire.flush();
        let bad = Arc::new(AtomicU64::new(0));
        let port = RtpPort::new(wire, RATE, plan.shared(), self.grace + SLACK, bad).with_ssrc(ssrc);
        self.screen.stage(&Stage::Answered);
        let hang_up = HangUp(self.call.clone());
        Ok(Leg { port: Box::new(port), events, screen: self.screen.clone(), hang_up })
    }

    /// There is nobody to talk to now.
    pub fn reject(mut self) {
        self.refuse();
    }

    fn refuse(&mut self) {
        if !std::mem::replace(&mut self.decided, true) {
            self.screen.stage(&Stage::Refused);
            self.call.ended.cancel();
        }
    }
}

impl Drop for Incoming {
    fn drop(&mut self) {
        self.refuse();
    }
}

impl std::fmt::Debug for Incoming {
    // The call's id is the key to it.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Incoming").field("line", &self.line).finish_non_exhaustive()
    }
}

impl Leg {
    pub fn port(&mut self) -> &mut dyn Port {
        self.port.as_mut()
    }

    pub fn hang_up(self) {
        drop(self.hang_up);
    }
}

/// Follows a call from its offer to its end, which it brings about when the browser stays away longer than `grace`.
pub(super) async fn watch_over(call: Arc<Call>, events: mpsc::Sender<LegEvent>, grace: Duration) {
    let mut state = call.peer.state.clone();
    let mut deadline = Some(Instant::now() + SET_UP);
    let mut lost = false;
    loop {
        let over = async {
            match deadline {
                Some(deadline) => sleep_until(deadline).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = call.ended.cancelled() => break,
            () = over => {
                debug!("a browser did not come (back) in time");
                break;
            }
            now = next(&mut state) => match now {
                State::New => {}
                State::Connected => {
                    deadline = None;
                    if std::mem::take(&mut lost) {
                        call.screen.stage(&Stage::Back);
                        let _ = events.try_send(LegEvent::Resumed); // a leg that takes none is not there yet
                    }
                }
                State::Lost if !lost => {
                    lost = true;
                    deadline = Some(Instant::now() + grace);
                    call.screen.stage(&Stage::Lost);
                    let _ = events.try_send(LegEvent::Held); // likewise
                }
                State::Lost => {}
                State::Closed => break,
            },
        }
    }
    call.ended.cancel();
    let _ = events.try_send(LegEvent::HungUp); // the end of the channel says the same
    call.screen.stage(&Stage::Ended);
    call.peer.close().await;
}

async fn next(state: &mut watch::Receiver<State>) -> State {
    match state.changed().await {
        Ok(()) => *state.borrow_and_update(),
        Err(_) => State::Closed,
    }
}

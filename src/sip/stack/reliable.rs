//! Provisional answers that must arrive (RFC 3262), as the side that is called: `RSeq`, repetition until the PRACK, and
//! descriptions in both. (As the side that calls, the stack sends the PRACKs.)

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rsipstack::sip::{Header, Method, Request, StatusCode, headers};
use tokio::sync::watch;
use tracing::debug;

use super::super::sdp::Remote;
use super::leg::Session;
use super::{allow, content_type, screen, supported};

/// First repetition, and the last moment (RFC 3262, 3).
const T1: Duration = Duration::from_millis(500);
const LIMIT: Duration = Duration::from_secs(32);

/// The provisional answers of one dialog.
pub(super) struct Reliable {
    last: Mutex<u32>,
    /// `RSeq` of the one that waits for its PRACK.
    waiting: watch::Sender<Option<u32>>,
}

impl Default for Reliable {
    fn default() -> Self {
        // Anything up to 2^31 - 1 to begin with.
        Self { last: Mutex::new(rand::random::<u32>() >> 2), waiting: watch::channel(None).0 }
    }
}

impl Reliable {
    fn next(&self) -> u32 {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner); // a number
        *last += 1;
        *last
    }

    /// Waits until nothing waits for a PRACK; `false` when it did not come in time.
    pub async fn settled(&self) -> bool {
        let mut waiting = self.waiting.subscribe();
        let settled = waiting.wait_for(Option::is_none);
        matches!(tokio::time::timeout(LIMIT, settled).await, Ok(Ok(_)))
    }
}

/// Sends 180, or 183 with a description; reliably when `reliable`. One at a time: the next waits for the PRACK.
pub(super) async fn provisional(session: &Arc<Session>, body: Option<String>, reliable: bool) {
    let mut headers = vec![allow(), supported()];
    headers.extend(body.is_some().then(content_type));
    let body = body.map(String::into_bytes);
    if !reliable {
        // No longer there: `ended` says so.
        let _ = session.dialog.ringing(Some(headers), body);
        return;
    }
    if !session.reliable.settled().await {
        return;
    }
    let number = session.reliable.next();
    session.reliable.waiting.send_replace(Some(number));
    headers.push(Header::Require(headers::Require::new("100rel")));
    headers.push(Header::RSeq(headers::RSeq::new(number.to_string())));
    let repeated = session.clone();
    session.shared.spawn(async move {
        let (mut acknowledged, mut pause, began) =
            (repeated.reliable.waiting.subscribe(), T1, tokio::time::Instant::now());
        loop {
            let _ = repeated.dialog.ringing(Some(headers.clone()), body.clone()); // likewise
            tokio::select! {
                _ = acknowledged.wait_for(|waiting| *waiting != Some(number)) => return,
                () = repeated.ended.cancelled() => return,
                () = tokio::time::sleep(pause) => pause *= 2,
            }
            if began.elapsed() >= LIMIT {
                debug!(call = repeated.call_id, "a provisional answer was never acknowledged");
                let _ = repeated.dialog.reject(Some(StatusCode::ServerTimeOut), None); // RFC 3262, 3
                return;
            }
        }
    });
}

/// What a PRACK is answered: a description where it brought an offer, or 481 when it acknowledges nothing.
pub(super) fn acknowledged(session: &Session, request: &Request) -> Result<Option<String>, screen::Refusal> {
    use rsipstack::sip::HeadersExt;
    let initial = session.dialog.initial_request();
    let cseq = initial.cseq_header().ok().and_then(|cseq| cseq.seq().ok());
    let named = request.rack_value();
    let waiting = *session.reliable.waiting.borrow();
    let matches =
        named.is_some_and(|(rseq, seq, method)| Some(rseq) == waiting && Some(seq) == cseq && method == Method::Invite);
    if !matches {
        return Err(screen::Refusal::new(StatusCode::CallTransactionDoesNotExist));
    }
    let body = match screen::offer(request)? {
        // Our offer was in the provisional answer: this is its answer.
        Some(answer) if session.offered.swap(false, std::sync::atomic::Ordering::Relaxed) => {
            session.take_answer(&answer).map_err(screen::not_acceptable)?;
            None
        }
        Some(offer) => Some(describe(session, &offer)?),
        None => None,
    };
    session.reliable.waiting.send_replace(None);
    Ok(body)
}

fn describe(session: &Session, offer: &Remote) -> Result<String, screen::Refusal> {
    session.local().version += 1;
    session.answer(offer).map_err(screen::not_acceptable)
}

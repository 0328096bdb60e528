//! Session timers on the wire (RFC 4028): headers, our refreshes by UPDATE (re-INVITE where the peer takes none), and the
//! BYE when nobody refreshed in time. What is decided stands in `session_timer`.

use std::sync::Arc;
use std::time::{Duration, Instant};

use rsipstack::sip::{HasHeaders, Header, HeadersExt, Request, Response, StatusCode, headers};
use rsipstack::transaction::key::TransactionRole;
use tracing::debug;

use super::super::sdp::Remote;
use super::super::session_timer::{self, Asked, Due, Expires, Granted, Limits, Timer};
use super::leg::Session;
use super::screen::Refusal;
use super::{Shared, allow, content_type, supported};

/// A refresh that met trouble is tried again after this long.
const TROUBLE: Duration = Duration::from_secs(5);

/// `Session-Expires` of a message, also in its short form.
fn expires(message: &impl HasHeaders) -> Option<Expires> {
    message.headers().iter().find_map(|header| match header {
        Header::SessionExpires(value) => Expires::parse(value.value()),
        Header::Other(name, value) if name.eq_ignore_ascii_case("x") => Expires::parse(value),
        _ => None,
    })
}

fn min_se(message: &impl HasHeaders) -> u32 {
    let value = message.headers().iter().find_map(|header| match header {
        Header::MinSE(value) => value.value().split(';').next().unwrap_or_default().trim().parse().ok(),
        _ => None,
    });
    value.unwrap_or(0)
}

/// What our answer to a request says of the timer; 422 when the peer wants it too short.
pub(super) fn grant(shared: &Shared, request: &Request, we_refresh: Option<bool>) -> Result<Option<Granted>, Refusal> {
    let asked = Asked {
        supported: request.header_contains_token("Supported", "timer")
            || request.header_contains_token("Require", "timer"),
        expires: expires(request),
        min: min_se(request),
    };
    session_timer::grant(&shared.settings.load().session_timer, &asked, we_refresh).map_err(|too_brief| {
        let least = Header::MinSE(headers::MinSE::new(too_brief.0.to_string()));
        Refusal::with(StatusCode::SessionIntervalTooSmall, least)
    })
}

/// Starts (or ends) the timer as granted; the headers that say so in the 2xx.
pub(super) fn start(session: &Session, granted: Option<Granted>) -> Vec<Header> {
    let Some(Granted { seconds, refresher, require }) = granted else {
        session.timer.send_replace(None);
        return Vec::new();
    };
    let we_refresh = refresher == session_timer::Refresher::Uas;
    session.timer.send_replace(Some(Timer::start(Instant::now(), seconds, we_refresh)));
    let mut headers = vec![value(format!("{seconds};refresher={}", refresher.name()))];
    headers.extend(require.then(|| Header::Require(headers::Require::new("timer"))));
    headers
}

/// What an INVITE of ours asks for.
pub(super) fn ask(limits: &Limits) -> Vec<Header> {
    if limits.expires == 0 {
        return Vec::new();
    }
    let mut headers = vec![value(limits.expires.to_string())];
    headers.extend(least(limits));
    headers
}

/// `Min-SE`, where it says more than the RFC does.
fn least(limits: &Limits) -> Option<Header> {
    (limits.min != session_timer::LEAST).then(|| Header::MinSE(headers::MinSE::new(limits.min.to_string())))
}

/// What to ask for after a 422.
pub(super) fn ask_again(limits: &Limits, response: &Response) -> Option<Limits> {
    let too_brief = response.status_code == StatusCode::SessionIntervalTooSmall;
    too_brief.then(|| session_timer::after_too_brief(limits, limits.expires, min_se(response)))?
}

/// The timer by the 2xx to a request of ours.
pub(super) fn take(session: &Session, response: &Response) {
    let timer = session_timer::agreed(expires(response));
    let now = Instant::now();
    session.timer.send_replace(timer.map(|(seconds, we_refresh)| Timer::start(now, seconds, we_refresh)));
}

fn value(text: String) -> Header {
    Header::SessionExpires(headers::SessionExpires::new(text))
}

/// Resolves when something is to be done; never without a timer.
pub(super) async fn due(next: Option<(Instant, Due)>) -> Due {
    match next {
        Some((at, due)) => {
            tokio::time::sleep_until(at.into()).await;
            due
        }
        None => std::future::pending().await,
    }
}

/// Does what is due.
pub(super) fn act(session: &Arc<Session>, due: Due) {
    match due {
        Due::End => {
            debug!(call = session.call_id, "the session was not refreshed in time");
            session.timer.send_replace(None);
            session.shared.spawn(session.bye());
        }
        Due::Refresh => {
            session.timer.send_modify(|timer| {
                if let Some(timer) = timer {
                    timer.asking();
                }
            });
            let session = session.clone();
            session.shared.clone().spawn(async move { refresh(&session).await });
        }
    }
}

async fn refresh(session: &Arc<Session>) {
    let Some(timer) = *session.timer.borrow() else { return };
    if !session.begin_exchange() {
        return again(session, TROUBLE); // the peer's own re-negotiation refreshes, too
    }
    // We stay the refresher: in this transaction we are the UAC.
    let mut headers = vec![value(format!("{};refresher=uac", timer.seconds())), allow(), supported()];
    headers.extend(least(&session.shared.settings.load().session_timer));
    let answered = if session.abilities().update {
        session.dialog.update(Some(headers), None).await
    } else {
        // The same description again, of the same version: nothing changes (RFC 4028, 7.4).
        headers.push(content_type());
        session.dialog.reinvite(Some(headers), Some(session.described().into_bytes())).await
    };
    session.end_exchange();
    let response = match answered {
        Ok(Some(response)) => response,
        // No answer at all: the timer's own end comes. (`Ok(None)`: the call is over.)
        _ => return,
    };
    match response.status_code.code() {
        200..300 => {
            session.learn(&response);
            session.retarget(&response);
            // One that cannot be used leaves the sound as it was.
            if let Ok(answer) = Remote::parse(&response.body) {
                let _ = session.take_answer(&answer);
            }
            take(session, &response);
        }
        // RFC 4028, 10; RFC 3261, 12.2.1.2: there is no such call any more.
        408 | 481 => session.shared.spawn(session.bye()),
        // RFC 3261, 14.1: who made the Call-ID waits longer.
        491 if session.dialog.role() == TransactionRole::Client => again(session, millis(2_100, 4_000)),
        491 => again(session, millis(0, 2_000)),
        422 => {
            let told = min_se(&response);
            session.timer.send_modify(|timer| {
                if let Some(old) = timer.filter(|old| told > old.seconds()) {
                    *timer = Some(Timer::start(Instant::now(), told, old.we_refresh()));
                }
            });
            again(session, Duration::ZERO);
        }
        _ => again(session, TROUBLE),
    }
}

fn again(session: &Session, after: Duration) {
    session.timer.send_modify(|timer| {
        if let Some(timer) = timer {
            timer.again(Instant::now(), after);
        }
    });
}

/// Somewhere between, in steps of 10 ms.
fn millis(from: u64, to: u64) -> Duration {
    Duration::from_millis(from + 10 * (rand::random::<u64>() % ((to - from) / 10 + 1)))
}

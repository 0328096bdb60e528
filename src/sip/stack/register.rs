//! REGISTER: digest first, then the registrar decides. Registered phones are asked now and then whether they are there.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::{Duration, Instant};

use rsipstack::sip::{
    Header, HeadersExt, Method, Request as SipRequest, Scheme, StatusCode, ToTypedHeader, Uri, headers,
};
use rsipstack::transaction::transaction::Transaction;
use tokio::sync::Semaphore;

use super::super::registrar::{Binding, Contacts, Refused, Request, Transport};
use super::super::targets::Target;
use super::Shared;
use super::ask::{Question, ask};
use super::screen::{self, Credentials};

/// Phones asked at once.
const QUESTIONS: usize = 32;

pub(super) async fn register(
    shared: &Arc<Shared>,
    mut tx: Transaction,
    source: SocketAddr,
    transport: Transport,
) -> rsipstack::Result<()> {
    let user = match screen::credentials(shared, &tx.original) {
        Credentials::Of(user) => user,
        Credentials::None { stale } => {
            let refusal = screen::challenge(shared, &tx.original, stale);
            return tx.reply_with(refusal.status, refusal.headers, None).await;
        }
        // The same for a user who does not exist.
        Credentials::Wrong => {
            shared.refused.fetch_add(1, Relaxed);
            shared.door.offend(source.ip());
            return tx.reply(StatusCode::Forbidden).await;
        }
    };
    let Some((aor, request)) = read(&tx.original, &user, source, transport) else {
        return tx.reply(StatusCode::BadRequest).await;
    };
    // A phone registers itself, nobody else.
    if aor != user {
        shared.refused.fetch_add(1, Relaxed);
        return tx.reply(StatusCode::Forbidden).await;
    }
    let now = Instant::now();
    let limits = shared.settings.load().registration.clone();
    let outcome = shared.registrar().register(now, &limits, &request);
    match outcome {
        Ok(changes) => {
            let bindings = shared.registrar().registered(now, &user);
            let headers = bindings.iter().map(|binding| {
                let left = binding.expires_at.saturating_duration_since(now).as_secs();
                Header::Contact(headers::Contact::new(format!("<{}>;expires={left}", binding.contact)))
            });
            let headers = headers.collect();
            tx.reply_with(StatusCode::OK, headers, None).await?;
            shared.announce(changes);
            Ok(())
        }
        Err(Refused::TooBrief(least)) => {
            let least = Header::MinExpires(headers::MinExpires::new(least.to_string()));
            tx.reply_with(StatusCode::IntervalTooBrief, vec![least], None).await
        }
        Err(Refused::BadRequest) => tx.reply(StatusCode::BadRequest).await,
        Err(Refused::OutOfOrder) => tx.reply(StatusCode::ServerInternalError).await,
    }
}

/// The user registered, and the rest; `None` when it cannot be read.
fn read(request: &SipRequest, user: &str, source: SocketAddr, transport: Transport) -> Option<(String, Request)> {
    let to = request.to_header().ok()?.typed().ok()?;
    let aor = to.uri.user()?.to_owned();
    let mut contacts = Vec::new();
    let mut all = false;
    for line in request.contact_headers() {
        for contact in rsipstack::sip::typed::Contact::parse_header_list(line.value()).ok()? {
            if matches!(&contact.uri.scheme, Some(Scheme::Other(star)) if star == "*") {
                all = true;
                continue;
            }
            if contacts.len() >= 16 || contact.uri.to_string().len() > 512 {
                return None;
            }
            contacts.push((contact.uri.to_string(), contact.expires()));
        }
    }
    if all && !contacts.is_empty() {
        return None;
    }
    let request = Request {
        user: user.to_owned(),
        call_id: request.call_id_header().ok()?.value().to_owned(),
        cseq: request.cseq_header().ok()?.seq().ok()?,
        source,
        transport,
        expires: request.expires_header().and_then(|expires| expires.value().trim().parse().ok()),
        contacts: if all { Contacts::All } else { Contacts::Some(contacts) },
    };
    Some((aor, request))
}

/// Asks registered phones by OPTIONS whether they are still there. Any answer will do.
pub(super) async fn keep_alive(shared: Arc<Shared>) {
    let questions = Arc::new(Semaphore::new(QUESTIONS));
    let mut beat = tokio::time::interval(Duration::from_secs(1));
    loop {
        beat.tick().await;
        let every = shared.settings.load().keep_alive;
        if every.is_zero() {
            continue;
        }
        let to_ask = shared.registrar().due_to_ask(Instant::now(), every);
        for binding in to_ask {
            let Ok(permit) = questions.clone().acquire_owned().await else { return };
            let all = shared.clone();
            shared.spawn(async move {
                let answered = is_there(&all, &binding).await;
                let change = all.registrar().told(Instant::now(), &binding, answered);
                all.announce(change.into_iter().collect());
                drop(permit);
            });
        }
    }
}

async fn is_there(shared: &Shared, binding: &Binding) -> bool {
    // A phone's connection cannot be made anew from here: without it the phone is gone.
    if binding.transport != Transport::Udp && !shared.door.is_linked(binding.source, binding.transport) {
        return false;
    }
    let Ok(uri) = Uri::try_from(binding.contact.as_str()) else { return false };
    let mut ours = shared.contact(binding.source, binding.transport);
    ours.params.clear();
    let question = Question {
        method: Method::Options,
        uri: uri.clone(),
        target: Target { address: binding.source, transport: binding.transport },
        server: None,
        from: ours,
        to: uri,
        headers: vec![super::accept()],
        credential: None,
        call_id: None,
    };
    ask(shared, question, &mut 0).await.is_some_and(|answer| answer.status_code != StatusCode::ServiceUnavailable)
}

/// Forgets registrations that ran out, and says so.
pub(super) async fn expire(shared: Arc<Shared>) {
    let mut beat = tokio::time::interval(Duration::from_secs(1));
    while !shared.stop.is_cancelled() {
        tokio::select! {
            _ = beat.tick() => {
                let gone = shared.registrar().expire(Instant::now());
                shared.announce(gone);
            }
            () = shared.stop.cancelled() => return,
        }
    }
}

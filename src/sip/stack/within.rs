//! Requests within a dialog. ACK, BYE and a re-INVITE that may proceed go to the stack; the rest is answered here, because
//! the stack leaves UPDATE and INFO unanswered before the call is, acknowledges any PRACK, and knows no glare.

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

use rsipstack::dialog::DialogId;
use rsipstack::dialog::dialog::{Dialog, DialogState};
use rsipstack::sip::{Header, HeadersExt, Method, StatusCode, headers};
use rsipstack::transaction::transaction::Transaction;

use super::leg::{Exchange, Session};
use super::{Shared, accept, allow, contact_header, content_type, keys, refer, reliable, screen};

pub(super) async fn request(shared: &Arc<Shared>, mut tx: Transaction) -> rsipstack::Result<()> {
    let method = tx.original.method;
    let Some(session) = session_of(shared, &tx) else {
        return match method {
            Method::Ack => Ok(()),
            _ => tx.reply(StatusCode::CallTransactionDoesNotExist).await,
        };
    };
    if !matches!(method, Method::Ack | Method::Cancel) {
        let number = tx.original.cseq_header().and_then(|cseq| cseq.seq()).unwrap_or(0);
        // Repetitions never come here; what is older than the newest is out of order (RFC 3261, 12.2.2).
        if session.cseq.fetch_max(number, Relaxed) >= number {
            return tx.reply(StatusCode::ServerInternalError).await;
        }
    }
    match method {
        Method::Ack | Method::Bye | Method::Cancel => to_the_stack(&session, &mut tx).await,
        Method::Invite => match begin(&session, true) {
            Err(refusal) => tx.reply_with(refusal.status, refusal.headers, None).await,
            Ok(()) => {
                let handled = to_the_stack(&session, &mut tx).await;
                // Whatever became of it, it is over.
                if *session.exchange() == Exchange::Theirs {
                    session.end_exchange();
                }
                handled
            }
        },
        Method::Update => update(&session, &mut tx).await,
        Method::PRack => match reliable::acknowledged(&session, &tx.original) {
            Ok(body) => respond(&session, &mut tx, vec![allow()], body).await,
            Err(refusal) => tx.reply_with(refusal.status, refusal.headers, None).await,
        },
        Method::Info => match keys::read(&tx.original) {
            Ok(key) => {
                if let Some(key) = key {
                    session.keys.push(key);
                }
                tx.reply(StatusCode::OK).await
            }
            Err(()) => {
                let known = Header::Accept(headers::Accept::new("application/dtmf-relay, application/dtmf"));
                tx.reply_with(StatusCode::UnsupportedMediaType, vec![known], None).await
            }
        },
        Method::Refer => refer::asked(&session, &mut tx).await,
        Method::Notify => refer::told(&session, &mut tx).await,
        Method::Options => tx.reply_with(StatusCode::OK, vec![allow(), accept()], None).await,
        _ => tx.reply_with(StatusCode::MethodNotAllowed, vec![allow()], None).await,
    }
}

/// By Call-ID and our tag: a call of ours that rings knows no tag of the peer's yet.
fn session_of(shared: &Shared, tx: &Transaction) -> Option<Arc<Session>> {
    let id = DialogId::try_from(tx).ok()?;
    let session = shared.sessions().get(&(id.call_id.clone(), id.local_tag.clone()))?.upgrade()?;
    let theirs = session.dialog.id().remote_tag;
    // An answered call is one dialog only: another branch of a forked call was hung up.
    (theirs == id.remote_tag || theirs.is_empty() || session.dialog.state().can_cancel()).then_some(session)
}

async fn to_the_stack(session: &Arc<Session>, tx: &mut Transaction) -> rsipstack::Result<()> {
    Dialog::Invite(session.dialog.clone()).handle(tx).await
}

/// Whether the peer may re-negotiate now: 491 while an offer of ours is open, 500 while one of its own is.
fn begin(session: &Session, invite: bool) -> Result<(), screen::Refusal> {
    let answered = matches!(session.dialog.state(), DialogState::Confirmed(..));
    let mut exchange = session.exchange();
    let later = || {
        let seconds = Header::RetryAfter(headers::RetryAfter::new((rand::random::<u32>() % 10 + 1).to_string()));
        Err(screen::Refusal::with(StatusCode::ServerInternalError, seconds))
    };
    match *exchange {
        Exchange::Ours => return Err(screen::Refusal::new(StatusCode::RequestPending)),
        _ if session.offered.load(Relaxed) => return Err(screen::Refusal::new(StatusCode::RequestPending)),
        Exchange::Theirs => return later(),
        // The ACK has yet to come.
        Exchange::None if invite && !answered => return later(),
        Exchange::None => {}
    }
    *exchange = Exchange::Theirs;
    Ok(())
}

/// RFC 3311: before the answer and after it; with an offer, or to refresh the session only.
async fn update(session: &Arc<Session>, tx: &mut Transaction) -> rsipstack::Result<()> {
    let offers = !tx.original.body.is_empty();
    if offers && let Err(refusal) = begin(session, false) {
        return tx.reply_with(refusal.status, refusal.headers, None).await;
    }
    let answer = session.answer_to(&tx.original);
    if offers {
        session.end_exchange();
    }
    match answer {
        Ok((headers, body)) => {
            respond(session, tx, headers, body).await?;
            session.tell_of_hold();
            Ok(())
        }
        Err(refusal) => tx.reply_with(refusal.status, refusal.headers, None).await,
    }
}

/// 200 with our address and, where there is one, a description.
async fn respond(
    session: &Session,
    tx: &mut Transaction,
    mut headers: Vec<Header>,
    body: Option<String>,
) -> rsipstack::Result<()> {
    headers.push(contact_header(session));
    headers.extend(body.is_some().then(content_type));
    tx.reply_with(StatusCode::OK, headers, body.map(String::into_bytes)).await
}

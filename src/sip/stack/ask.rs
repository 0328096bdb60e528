//! One question of ours outside any call (REGISTER, OPTIONS) and its answer, digest included.

use std::time::Duration;

use rsipstack::dialog::authenticate::{AuthRetry, Credential, handle_client_authenticate};
use rsipstack::sip::headers::CallId;
use rsipstack::sip::{Header, Method, Response, SipMessage, StatusCode, StatusCodeKind, Uri, typed};
use rsipstack::transaction::key::{TransactionKey, TransactionRole};
use rsipstack::transaction::make_tag;
use rsipstack::transaction::transaction::Transaction;
use rsipstack::transport::SipAddr;

use super::super::targets::Target;
use super::{Shared, listen, stack_transport};

/// No answer by then is none.
pub(super) const PATIENCE: Duration = Duration::from_secs(5);

pub(super) struct Question<'a> {
    pub method: Method,
    /// The request URI, and where it really goes.
    pub uri: Uri,
    pub target: Target,
    /// Whose certificate must be shown (TLS); none: the address's.
    pub server: Option<&'a str>,
    pub from: Uri,
    pub to: Uri,
    pub headers: Vec<Header>,
    pub credential: Option<&'a Credential>,
    pub call_id: Option<CallId>,
}

/// The final answer; none: nobody answered in time, or no connection came about. `sequence` counts on.
pub(super) async fn ask(shared: &Shared, question: Question<'_>, sequence: &mut u32) -> Option<Response> {
    tokio::time::timeout(PATIENCE, ask_now(shared, question, sequence)).await.ok().flatten()
}

async fn ask_now(shared: &Shared, question: Question<'_>, sequence: &mut u32) -> Option<Response> {
    let Question { method, uri, target, server, from, to, headers, credential, call_id } = question;
    listen::connect(shared, target.address, target.transport, server).await.ok()?;
    let core = &shared.core;
    let destination = SipAddr { r#type: Some(stack_transport(target.transport)), addr: target.address.into() };
    // The Via names what the request leaves by: some servers drop one that says UDP and comes by TCP.
    let (connection, _) = core.transport_layer.lookup(&destination, None).await.ok()?;
    let via = core.get_via(Some(connection.get_addr().clone()), None).ok()?;
    let from = typed::From { display_name: None, uri: from, params: Vec::new() }.with_tag(make_tag());
    let to = typed::To { display_name: None, uri: to, params: Vec::new() };
    *sequence += 1;
    let mut request = core.make_request(method, uri, via, from, to, *sequence, call_id);
    request.headers.extend(headers);
    let key = TransactionKey::from_request(&request, TransactionRole::Client).ok()?;
    let mut transaction = Transaction::new_client(key, request, core.clone(), None);
    transaction.destination = Some(destination);
    transaction.send().await.ok()?;
    let mut attempts = AuthRetry::new();
    while let Some(message) = transaction.receive().await {
        let SipMessage::Response(response) = message else { continue };
        if response.status_code.kind() == StatusCodeKind::Provisional {
            continue;
        }
        let challenged =
            matches!(response.status_code, StatusCode::Unauthorized | StatusCode::ProxyAuthenticationRequired);
        match credential {
            Some(credential) if challenged && attempts.should_answer(&response) => {
                *sequence += 1;
                transaction = handle_client_authenticate(*sequence, &transaction, response, credential).await.ok()?;
                transaction.send().await.ok()?;
            }
            _ => return Some(response),
        }
    }
    None
}

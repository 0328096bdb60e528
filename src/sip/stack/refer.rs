//! REFER (RFC 3515): asking a peer to call somebody else, and being asked to; `Replaces` (RFC 3891) names the call that
//! the new one takes the place of. Where a transfer leads, and whether it may, is decided by the leg's owner: here it is
//! carried, and its progress told as `message/sipfrag`.

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use rsipstack::dialog::dialog::Dialog;
use rsipstack::sip::{Header, Request, Scheme, StatusCode, Uri, headers};
use rsipstack::transaction::transaction::Transaction;
use tokio::sync::mpsc;
use tracing::debug;

use super::super::Error;
use super::leg::{LegControl, LegEvent, Session};
use super::{allow, contact_header};

const FRAGMENT: &str = "message/sipfrag;version=2.0";
/// What a REFER waits for the call to be answered.
const ANSWERED: Duration = Duration::from_secs(10);
/// Longest Refer-To taken, bytes.
const LONGEST: usize = 1_024;
/// What a URI's header part may not hold as it is (RFC 3261, 25.1: `hvalue`).
const NO_HVALUE: &AsciiSet =
    &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'!').remove(b'~').remove(b'*');

/// Names a dialog to one of its sides: `to_tag` is that side's own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Replaces {
    pub call_id: String,
    pub to_tag: String,
    pub from_tag: String,
    /// Only while it rings.
    pub early_only: bool,
}

impl Replaces {
    /// Reads the header's value; `None` for what is none.
    pub fn parse(value: &str) -> Option<Self> {
        let mut parts = value.split(';').map(str::trim);
        let call_id = parts.next().filter(|id| !id.is_empty())?.to_owned();
        let (mut to_tag, mut from_tag, mut early_only) = (None, None, false);
        for part in parts {
            match part.split_once('=').map(|(name, value)| (name.trim().to_ascii_lowercase(), value.trim())) {
                Some((name, value)) if name == "to-tag" => to_tag = Some(value.to_owned()),
                Some((name, value)) if name == "from-tag" => from_tag = Some(value.to_owned()),
                _ => early_only |= part.eq_ignore_ascii_case("early-only"),
            }
        }
        Some(Self { call_id, to_tag: to_tag?, from_tag: from_tag?, early_only })
    }
}

impl std::fmt::Display for Replaces {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{};to-tag={};from-tag={}", self.call_id, self.to_tag, self.from_tag)?;
        if self.early_only { write!(f, ";early-only") } else { Ok(()) }
    }
}

/// A peer asks for the other party of its call to be connected elsewhere. When the last clone goes without a final
/// status, the peer is told that it failed.
#[derive(Clone)]
pub struct TransferRequest {
    /// User part of where to: a number or a name.
    pub to: String,
    /// All of it.
    pub uri: String,
    /// The call whose far end is meant.
    pub replaces: Option<Replaces>,
    progress: mpsc::UnboundedSender<u16>,
}

impl TransferRequest {
    /// Tells the peer what becomes of it, as a SIP status; from 200 on that is the end.
    pub fn progress(&self, status: u16) {
        let _ = self.progress.send(status); // over: nobody waits for it
    }
}

impl PartialEq for TransferRequest {
    fn eq(&self, other: &Self) -> bool {
        (&self.to, &self.uri, &self.replaces) == (&other.to, &other.uri, &other.replaces)
    }
}

impl Eq for TransferRequest {}

impl std::fmt::Debug for TransferRequest {
    // A number may be a private one.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TransferRequest").field("attended", &self.replaces.is_some()).finish_non_exhaustive()
    }
}

impl LegControl {
    /// From now on this peer may ask for transfers ([`LegEvent::Transfer`]); until then it is refused (403).
    pub fn allow_transfers(&self) {
        self.session.takes_transfers.store(true, Relaxed);
    }

    /// Asks the peer to call `to` itself; with `replaces`, in the place of that call. What becomes of it comes as
    /// [`LegEvent::Referred`]. The call with us goes on until somebody hangs up.
    pub fn refer(&self, to: &str, replaces: Option<&Replaces>) -> Result<(), Error> {
        let uri = Uri::try_from(to).map_err(|_| Error::Uri)?;
        if uri.scheme != Some(Scheme::Sip) || to.contains(['?', '<', '>', '"']) {
            return Err(Error::Uri);
        }
        let to = match replaces {
            Some(replaces) => format!("<{to}?Replaces={}>", escape(&replaces.to_string())),
            None => format!("<{to}>"),
        };
        let session = self.session.clone();
        session.referring.store(true, Relaxed);
        let by = Header::Other("Referred-By".into(), format!("<{}>", session.contact));
        session.shared.clone().spawn(async move {
            // Nothing can be asked in a call whose ACK is still on its way.
            let _ = tokio::time::timeout(ANSWERED, session.confirmed.cancelled()).await;
            let answered = session.dialog.refer(headers::ReferTo::new(to), Some(vec![by, allow()]), None).await;
            let status = match answered {
                Ok(Some(response)) => response.status_code.code(),
                _ => 408,
            };
            if status >= 300 && session.referring.swap(false, Relaxed) {
                session.tell(LegEvent::Referred(status));
            }
        });
        Ok(())
    }

    /// How another names this leg's dialog to the peer, to take its place.
    pub fn named_to_peer(&self) -> Replaces {
        let id = self.session.dialog.id();
        Replaces { call_id: id.call_id, to_tag: id.remote_tag, from_tag: id.local_tag, early_only: false }
    }

    /// Where the peer says that it can be called.
    pub fn peer_uri(&self) -> Option<String> {
        let uri = Dialog::Invite(self.session.dialog.clone()).remote_contact()?;
        Some(uri.to_string())
    }
}

/// A REFER of the peer's. The leg's owner hears of it before the peer hears anything: a telephone that hangs up at once has
/// still asked.
pub(super) async fn asked(session: &Arc<Session>, tx: &mut Transaction) -> rsipstack::Result<()> {
    if !session.takes_transfers.load(Relaxed) {
        return tx.reply_with(StatusCode::Forbidden, vec![allow()], None).await;
    }
    let Some((uri, to, replaces)) = target(&tx.original) else {
        session.tell(LegEvent::TransferUnreadable);
        return tx.reply(StatusCode::BadRequest).await;
    };
    // The first subscription needs no name (RFC 3515, 2.4.6); its number tells the later ones apart.
    let number = session.cseq.load(Relaxed);
    let event = match session.transfers.fetch_add(1, Relaxed) {
        0 => "refer".to_owned(),
        _ => format!("refer;id={number}"),
    };
    let (progress, statuses) = mpsc::unbounded_channel();
    session.tell(LegEvent::Transfer(TransferRequest { to, uri, replaces, progress }));
    tx.reply_with(StatusCode::Accepted, vec![allow(), contact_header(session)], None).await?;
    session.shared.spawn(notify(session.clone(), event, statuses));
    Ok(())
}

/// Tells the peer how its transfer goes, one NOTIFY after the other; 100 at once.
async fn notify(session: Arc<Session>, event: String, mut statuses: mpsc::UnboundedReceiver<u16>) {
    let mut status = 100;
    loop {
        let over = status >= 200;
        let state = if over { "terminated;reason=noresource" } else { "active;expires=180" };
        let headers = vec![
            Header::Event(headers::Event::new(event.clone())),
            Header::SubscriptionState(headers::SubscriptionState::new(state)),
            Header::ContentType(headers::ContentType::new(FRAGMENT)),
        ];
        let text = StatusCode::from(status).to_string();
        let body = match text.starts_with(char::is_numeric) {
            true => format!("SIP/2.0 {text}\r\n"),
            false => format!("SIP/2.0 {status} {text}\r\n"),
        };
        if session.dialog.notify(Some(headers), Some(body.into_bytes())).await.is_err() {
            debug!(call = session.call_id, "a transfer's progress was not taken");
        }
        if over {
            return;
        }
        status = tokio::select! {
            next = statuses.recv() => next.unwrap_or(503), // forgotten by its owner
            () = session.ended.cancelled() => return,
        };
    }
}

/// A NOTIFY of the peer's: how our REFER goes.
pub(super) async fn told(session: &Arc<Session>, tx: &mut Transaction) -> rsipstack::Result<()> {
    let value = |wanted: &str| {
        let mut headers = tx.original.headers.iter();
        headers.find(|header| {
            let name = header.name();
            name.eq_ignore_ascii_case(wanted) || (wanted == "Event" && name.eq_ignore_ascii_case("o"))
        })
    };
    let event = value("Event").map(|header| header.value().to_ascii_lowercase()).unwrap_or_default();
    if event.split(';').next().unwrap_or_default().trim() != "refer" {
        return tx.reply(StatusCode::BadEvent).await;
    }
    if !session.referring.load(Relaxed) {
        return tx.reply(StatusCode::CallTransactionDoesNotExist).await;
    }
    let state = value("Subscription-State").map(|header| header.value().to_ascii_lowercase()).unwrap_or_default();
    let over = state.trim_start().starts_with("terminated");
    let status = fragment(&tx.original.body);
    tx.reply(StatusCode::OK).await?;
    let status = match status {
        Some(status) if status >= 200 || !over => status,
        // It ended without a word of success.
        _ if over => 503,
        _ => return Ok(()),
    };
    if status >= 200 {
        session.referring.store(false, Relaxed);
    }
    session.tell(LegEvent::Referred(status));
    Ok(())
}

/// The status in a `message/sipfrag`.
fn fragment(body: &[u8]) -> Option<u16> {
    let text = std::str::from_utf8(body.get(..body.len().min(64))?).ok()?;
    let mut words = text.split_ascii_whitespace();
    words.next().filter(|version| version.eq_ignore_ascii_case("SIP/2.0"))?;
    words.next()?.parse().ok().filter(|status| (100..700).contains(status))
}

/// The one Refer-To: its URI, the user part, and the call named in it.
fn target(request: &Request) -> Option<(String, String, Option<Replaces>)> {
    let mut all = request
        .headers
        .iter()
        .filter(|header| matches!(header, Header::ReferTo(_)) || header.name().eq_ignore_ascii_case("r"));
    let (Some(one), None) = (all.next(), all.next()) else { return None };
    refer_to(one.value())
}

fn refer_to(value: &str) -> Option<(String, String, Option<Replaces>)> {
    if value.len() > LONGEST {
        return None;
    }
    let inner = match (value.find('<'), value.rfind('>')) {
        (Some(open), Some(close)) if open < close => &value[open + 1..close],
        (None, None) => value.split(';').next()?,
        _ => return None,
    };
    let (uri, extra) = inner.trim().split_once('?').unwrap_or((inner.trim(), ""));
    let parsed = Uri::try_from(uri).ok()?;
    if parsed.scheme != Some(Scheme::Sip) {
        return None;
    }
    let to = parsed.user().map(|user| unescape(user.split(';').next().unwrap_or_default())).unwrap_or_default();
    let replaces = extra.split('&').find_map(|header| {
        let (name, value) = header.split_once('=')?;
        name.eq_ignore_ascii_case("replaces").then(|| unescape(value))
    });
    // One that names a call we cannot read is not to become a blind transfer.
    let replaces = match replaces {
        Some(value) => Some(Replaces::parse(&value)?),
        None => None,
    };
    Some((uri.to_owned(), to, replaces))
}

fn escape(text: &str) -> String {
    utf8_percent_encode(text, NO_HVALUE).to_string()
}

fn unescape(text: &str) -> String {
    percent_decode_str(text).decode_utf8_lossy().chars().filter(|c| !c.is_control()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refer_to_is_read_however_it_is_written() {
        let replaces =
            Replaces { call_id: "12@192.0.2.1".into(), to_tag: "a".into(), from_tag: "b".into(), early_only: false };
        for (value, uri, to, attended) in [
            ("<sip:wang@192.0.2.9>", "sip:wang@192.0.2.9", "wang", false),
            ("sip:+4930123@192.0.2.9;method=INVITE", "sip:+4930123@192.0.2.9", "+4930123", false),
            (
                "\"Wang\" <sip:wang@192.0.2.9:5070;transport=tcp>;x=y",
                "sip:wang@192.0.2.9:5070;transport=tcp",
                "wang",
                false,
            ),
            (
                "<sip:anna@192.0.2.9?Replaces=12%40192.0.2.1%3Bto-tag%3Da%3Bfrom-tag%3Db>",
                "sip:anna@192.0.2.9",
                "anna",
                true,
            ),
        ] {
            let expected = (uri.to_owned(), to.to_owned(), attended.then(|| replaces.clone()));
            assert_eq!(refer_to(value), Some(expected), "{value}");
        }
        for value in
            ["", "<>", "tel:123", "<sip:a@b", "sip:a@b>", "<sip:a@b?Replaces=12%3Bto-tag%3Da>", &"x".repeat(2_000)]
        {
            assert_eq!(refer_to(value), None, "{value}");
        }
    }

    #[test]
    fn a_call_named_is_the_call_read() {
        let named =
            Replaces { call_id: "ä 1@x".into(), to_tag: "t-1".into(), from_tag: "f.2".into(), early_only: true };
        assert_eq!(Replaces::parse(&named.to_string()), Some(named.clone()));
        assert_eq!(unescape(&escape(&named.to_string())), named.to_string());
        for value in ["", ";to-tag=1;from-tag=2", "1;to-tag=1", "1;from-tag=1"] {
            assert_eq!(Replaces::parse(value), None, "{value}");
        }
        assert_eq!(unescape("100%"), "100%");
        assert_eq!(unescape("%zz%4"), "%zz%4");
    }

    #[test]
    fn progress_is_read_from_the_fragment() {
        for (body, status) in [
            ("SIP/2.0 200 OK\r\n", Some(200)),
            ("SIP/2.0 180 Ringing", Some(180)),
            ("sip/2.0 603", Some(603)),
            ("SIP/2.0 99 x", None),
            ("HTTP/1.1 200 OK", None),
            ("", None),
        ] {
            assert_eq!(fragment(body.as_bytes()), status, "{body}");
        }
        assert_eq!(fragment(&[0xff; 100]), None);
    }
}

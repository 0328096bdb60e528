//! Who may call in: phones that are registered or prove who they are, and allowed sources. Nobody else.

use std::net::SocketAddr;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Instant;

use rsipstack::sip::headers::UntypedHeader;
use rsipstack::sip::{Header, HeadersExt, Host, Request, Scheme, StatusCode, ToTypedHeader, Uri, headers};

use super::super::digest::{Algorithm, Verdict};
use super::super::registrar::Transport;
use super::super::sdp::{self, Remote};
use super::refer::Replaces;
use super::{SDP, SUPPORTED, Shared, accept, door};

/// How a request is turned away.
pub(super) struct Refusal {
    pub status: StatusCode,
    pub headers: Vec<Header>,
}

impl Refusal {
    pub fn new(status: StatusCode) -> Self {
        Self { status, headers: Vec::new() }
    }

    pub fn with(status: StatusCode, header: Header) -> Self {
        Self { status, headers: vec![header] }
    }

    /// Nothing that an honest stranger would repeat.
    fn is_offence(&self) -> bool {
        self.status == StatusCode::Forbidden
    }

    pub fn busy(retry_after: u32) -> Self {
        Self::with(StatusCode::ServiceUnavailable, self::retry_after(retry_after))
    }
}

pub(super) fn retry_after(seconds: u32) -> Header {
    Header::RetryAfter(headers::RetryAfter::new(seconds.to_string()))
}

/// An allowed address, or a registered phone's.
pub(super) fn is_welcome(shared: &Shared, source: SocketAddr, transport: Transport) -> bool {
    shared.door.is_allowed(source.ip()) || shared.registrar().knows_source(Instant::now(), source, transport)
}

/// What is wrong with a request's own words, whatever it asks for: a `CSeq` of another method (RFC 3261, 8.1.1.5), or a
/// Request-URI that leads nowhere by SIP (8.2.2.1), a quotation without an end (25.1), a body shorter than it says or of
/// two lengths (18.3, 20.14). The stack looks at none of them.
pub(super) fn flaw(request: &Request) -> Option<StatusCode> {
    if request.cseq_header().and_then(|cseq| cseq.method()).ok() != Some(request.method) {
        return Some(StatusCode::BadRequest);
    }
    let unquoted = |value: &str| value.replace("\\\\", "").replace("\\\"", "").matches('"').count() % 2 == 1;
    let names = [request.to_header().map(UntypedHeader::value), request.from_header().map(UntypedHeader::value)];
    if names.into_iter().flatten().any(unquoted) || is_no_uri(&request.uri) || !is_whole(request) {
        return Some(StatusCode::BadRequest);
    }
    match &request.uri.scheme {
        Some(Scheme::Sip | Scheme::Sips) => None,
        Some(Scheme::Other(scheme)) if scheme.eq_ignore_ascii_case("tel") => None,
        Some(Scheme::Other(_)) => Some(StatusCode::UnsupportedUriScheme),
        None => Some(StatusCode::BadRequest),
    }
}

/// An IPv6 address without its brackets (RFC 5118, 4.2): the stack takes it for a name; control characters.
fn is_no_uri(uri: &Uri) -> bool {
    matches!(&uri.host_with_port.host, Host::Domain(domain) if domain.0.contains(':'))
        || uri.to_string().contains(char::is_control)
        || uri.user().is_some_and(|user| user.contains(char::is_control)) // it writes these escaped
}

/// Every Content-Length is a number, all the same, and no more than there is.
pub(super) fn is_whole(request: &Request) -> bool {
    let lengths = request.headers.iter().filter_map(|header| match header {
        Header::ContentLength(length) => Some(length.value().trim().parse::<u64>().ok()),
        _ => None,
    });
    let mut lengths = lengths.peekable();
    let first = lengths.peek().copied();
    lengths.all(|length| Some(length) == first)
        && first.is_none_or(|length| length.is_some_and(|length| length <= request.body.len() as u64))
}

/// Everything about a new INVITE that can be judged before resources are spent on it. Gives its offer, if any, and the
/// user of the phone that it comes from, where that is known.
pub(super) fn invite(
    shared: &Shared,
    request: &Request,
    source: SocketAddr,
    transport: Transport,
) -> Result<(Option<Remote>, Option<String>), Refusal> {
    let from = request.from_header().ok().and_then(|from| from.typed().ok());
    let from = from.as_ref().and_then(|from| from.uri.user()).unwrap_or_default();
    let mut phone = shared.registrar().user_at(Instant::now(), source, transport, from);
    if !is_welcome(shared, source, transport) {
        let proven = proves_itself(shared, request).inspect_err(|refusal| {
            if refusal.is_offence() {
                shared.door.offend(source.ip());
            }
        })?;
        phone = Some(proven);
    }
    if !shared.door.has_share(source.ip()) {
        return Err(Refusal::busy(1));
    }
    match shared.refusing.load(Relaxed) {
        0 => {}
        seconds => return Err(Refusal::busy(seconds)),
    }
    let required = request.headers.iter().filter_map(|header| match header {
        Header::Require(require) => Some(require.value()),
        _ => None,
    });
    let known = |option: &&str| SUPPORTED.split(", ").any(|known| known.eq_ignore_ascii_case(option));
    let required = required.flat_map(|list| list.split(',')).map(str::trim);
    let required = required.filter(|option| !option.is_empty() && !known(option)).collect::<Vec<_>>().join(", ");
    if !required.is_empty() {
        return Err(Refusal::with(StatusCode::BadExtension, Header::Unsupported(headers::Unsupported::new(required))));
    }
    let offer = offer(request)?;
    if let Some(offer) = &offer {
        offer.suits(&shared.settings.load().sound).map_err(not_acceptable)?;
        if !offer.is_without_address() && offer.is_ipv6() != source.ip().to_canonical().is_ipv6() {
            return Err(not_acceptable(sdp::Error::Address("another family than ours".into())));
        }
    }
    Ok((offer, phone))
}

/// The description in a request's body.
pub(super) fn offer(request: &Request) -> Result<Option<Remote>, Refusal> {
    if request.body.is_empty() {
        return Ok(None);
    }
    let kind = request.headers.iter().find_map(|header| match header {
        Header::ContentType(kind) => Some(kind.value().split(';').next().unwrap_or_default().trim()),
        _ => None,
    });
    if !kind.unwrap_or(SDP).eq_ignore_ascii_case(SDP) {
        return Err(Refusal::with(StatusCode::UnsupportedMediaType, accept()));
    }
    Remote::parse(&request.body).map(Some).map_err(not_acceptable)
}

/// 488, with a warning that says which part (RFC 3261, 20.43).
pub(super) fn not_acceptable(error: sdp::Error) -> Refusal {
    let (code, text) = match error {
        sdp::Error::Malformed(_) => (399, "Unreadable session description"),
        sdp::Error::NoAudio => (304, "Media type not available"),
        sdp::Error::NoCodec => (305, "Incompatible media format"),
        sdp::Error::NoCrypto => (302, "Incompatible transport protocol"),
        sdp::Error::Address(_) => (301, "Incompatible network address formats"),
    };
    let warning = format!("{code} frontdesk \"{text}\"");
    Refusal::with(StatusCode::NotAcceptableHere, Header::Warning(headers::Warning::new(warning)))
}

/// A stranger's INVITE passes only with a phone's credentials.
fn proves_itself(shared: &Shared, request: &Request) -> Result<String, Refusal> {
    if shared.settings.load().phones.is_empty() {
        return Err(Refusal::new(StatusCode::Forbidden));
    }
    match credentials(shared, request) {
        Credentials::Of(user) => Ok(user),
        Credentials::Wrong => Err(Refusal::new(StatusCode::Forbidden)),
        Credentials::None { stale } => Err(challenge(shared, request, stale)),
    }
}

/// The leg of ours that a call is to take the place of: only a phone of ours may do that, and only of an answered call.
pub(super) fn replaces(shared: &Shared, request: &Request, phone: Option<&str>) -> Result<Option<String>, Refusal> {
    let mut named = request.headers.iter().filter_map(|header| match header {
        Header::Replaces(value) => Some(value.value()),
        _ => None,
    });
    let Some(value) = named.next() else { return Ok(None) };
    // RFC 3891, 3: one only.
    let (Some(named), None) = (Replaces::parse(value), named.next()) else {
        return Err(Refusal::new(StatusCode::BadRequest));
    };
    if phone.is_none() {
        return Err(Refusal::new(StatusCode::Forbidden));
    }
    let session = shared.sessions().get(&(named.call_id.clone(), named.to_tag)).and_then(std::sync::Weak::upgrade);
    match session.filter(|session| session.dialog.id().remote_tag == named.from_tag) {
        Some(session) if !session.is_agreed() => Err(Refusal::new(StatusCode::CallTransactionDoesNotExist)),
        Some(_) if named.early_only => Err(Refusal::new(StatusCode::BusyHere)),
        Some(session) => Ok(Some(session.call_id.clone())),
        None => Err(Refusal::new(StatusCode::CallTransactionDoesNotExist)),
    }
}

/// What a request proves about its sender.
pub(super) enum Credentials {
    Of(String),
    Wrong,
    None { stale: bool },
}

pub(super) fn credentials(shared: &Shared, request: &Request) -> Credentials {
    let Some(header) = request.authorization_header() else { return Credentials::None { stale: false } };
    let settings = shared.settings.load();
    let ha1 = |algorithm: Algorithm, user: &str, realm: &str| {
        settings.digest.contains(&algorithm).then(|| settings.ha1_of(algorithm, user, realm)).flatten()
    };
    match shared.digest().verify(Instant::now(), &request.method.to_string(), header.value(), ha1) {
        Verdict::User(user) => Credentials::Of(user),
        Verdict::Refused => Credentials::Wrong,
        Verdict::Stale => Credentials::None { stale: true },
    }
}

/// Phones that give up at a challenge they cannot answer, even beside one they can (libre before 2.0), by their
/// User-Agent. They are offered MD5 alone, where it is allowed at all.
const MD5_ONLY: &[&str] = &["baresip v0.", "baresip v1."];

pub(super) fn challenge(shared: &Shared, request: &Request, stale: bool) -> Refusal {
    // All phones of a site share a realm; the first one's stands for it, so that no user's own is told to strangers.
    let settings = shared.settings.load();
    let realm = settings.phones.first().map_or("frontdesk", |phone| &phone.realm);
    let agent = door::user_agent(request).unwrap_or_default();
    let md5 = [Algorithm::Md5];
    let old = MD5_ONLY.iter().any(|phone| agent.starts_with(phone)) && settings.digest.contains(&Algorithm::Md5);
    let offered: &[Algorithm] = if old { &md5 } else { &settings.digest };
    let values = shared.digest().challenges(Instant::now(), realm, offered, stale, rand::random());
    let headers = values.into_iter().map(|value| Header::WwwAuthenticate(headers::WwwAuthenticate::new(value)));
    Refusal { status: StatusCode::Unauthorized, headers: headers.collect() }
}

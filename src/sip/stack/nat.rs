//! Messages put right on their way through. Peers behind NAT name addresses that only they can reach: where a message
//! came straight from such a peer, the address it came from is put in the place of the one it named, so that ACK, BYE
//! and re-INVITE find it. Of several digest challenges only the strongest is let through to the stack.

use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use rsipstack::sip::headers::UntypedHeader;
use rsipstack::sip::{
    HasHeaders, Header, HeadersExt, Host, Method, Request, Response, SipMessage, StatusCode, StatusCodeKind,
    ToTypedHeader, Transport, Uri, headers,
};
use rsipstack::transaction::endpoint::{MessageInspector, TargetLocator};
use rsipstack::transport::SipAddr;

use super::super::digest;
use super::super::latch::is_private;
use super::super::registrar::Registrar;
use super::stack_transport;
use super::udp::way_out;

pub(super) struct Wire {
    /// What we listen on by UDP.
    pub ours: Vec<SocketAddr>,
}

impl MessageInspector for Wire {
    fn before_send(&self, mut message: SipMessage, to: Option<&SipAddr>) -> SipMessage {
        if let SipMessage::Request(request) = &mut message {
            if let Some(to) = to.and_then(|to| to.get_socketaddr().ok()) {
                name_the_way_out(request, &self.ours, to.ip());
            }
            put_answer_right(request);
        }
        message
    }

    fn after_received(&self, mut message: SipMessage, from: Option<&SipAddr>) -> SipMessage {
        let Some(from) = from else { return message };
        match &mut message {
            // More than one Via: a proxy stands between, and knows the way.
            SipMessage::Request(request)
                if matches!(request.method, Method::Invite | Method::Update) && !request.has_multiple_vias() =>
            {
                correct(request, from);
            }
            SipMessage::Response(response)
                if matches!(
                    response.status_code,
                    StatusCode::Unauthorized | StatusCode::ProxyAuthenticationRequired
                ) =>
            {
                keep_the_strongest_challenge(response);
            }
            SipMessage::Response(response) if response.status_code.kind() != StatusCodeKind::Provisional => {
                let method = response.cseq_header().and_then(|cseq| cseq.method());
                if matches!(method, Ok(Method::Invite | Method::Update)) {
                    correct(response, from);
                }
            }
            _ => {}
        }
        message
    }
}

/// The stack writes the first listener into every Via; with several the one that the request leaves by is meant
/// (RFC 3261, 18.1.1).
fn name_the_way_out(request: &mut Request, ours: &[SocketAddr], to: IpAddr) {
    if ours.len() < 2 {
        return;
    }
    let Some(way) = way_out(ours.iter().copied(), to) else { return };
    for header in request.headers.iter_mut() {
        let Header::Via(via) = header else { continue };
        let Ok(mut typed) = via.typed() else { return };
        if typed.transport == Transport::Udp && !ours[way].ip().is_unspecified() {
            typed.uri.host_with_port = ours[way].into();
            *header = typed.into();
        }
        return;
    }
}

/// How the stack calls SHA-256, which on the wire has a hyphen (RFC 7616, 6.1).
const STACK_SHA_256: &str = "algorithm=SHA256";
const WIRE_SHA_256: &str = "algorithm=SHA-256";

/// `qop` stands without quotes in an answer (RFC 7616, 3.4); some servers insist.
fn put_answer_right(request: &mut Request) {
    for header in request.headers.iter_mut() {
        let plain = |value: &str| value.replace("qop=\"auth\"", "qop=auth").replace(STACK_SHA_256, WIRE_SHA_256);
        match header {
            Header::Authorization(value) => *value = headers::Authorization::new(plain(value.value())),
            Header::ProxyAuthorization(value) => *value = headers::ProxyAuthorization::new(plain(value.value())),
            _ => {}
        }
    }
}

fn keep_the_strongest_challenge(response: &mut Response) {
    let readable = |value: String| value.replace(WIRE_SHA_256, STACK_SHA_256);
    let challenges =
        |wanted: fn(&Header) -> Option<&str>| digest::strongest(response.headers.iter().filter_map(wanted));
    let www = challenges(|header| match header {
        Header::WwwAuthenticate(value) => Some(value.value()),
        _ => None,
    });
    let proxy = challenges(|header| match header {
        Header::ProxyAuthenticate(value) => Some(value.value()),
        _ => None,
    });
    response.headers.retain(|header| !matches!(header, Header::WwwAuthenticate(_) | Header::ProxyAuthenticate(_)));
    let www = www.map(readable).map(|value| Header::WwwAuthenticate(headers::WwwAuthenticate::new(value)));
    let proxy = proxy.map(readable).map(|value| Header::ProxyAuthenticate(headers::ProxyAuthenticate::new(value)));
    response.headers.extend(www.into_iter().chain(proxy).collect());
}

fn correct(message: &mut impl HasHeaders, from: &SipAddr) {
    let Host::IpAddr(source) = from.addr.host else { return };
    if message.headers().iter().any(|header| matches!(header, Header::RecordRoute(_))) {
        return;
    }
    for header in message.headers_mut().iter_mut() {
        let Header::Contact(contact) = header else { continue };
        let Ok(mut typed) = rsipstack::sip::typed::Contact::parse(UntypedHeader::value(contact)) else {
            return;
        };
        if is_unreachable(&typed.uri.host_with_port.host, source) {
            typed.uri.host_with_port = from.addr.clone();
            *header = typed.into();
        }
        return;
    }
}

fn is_unreachable(named: &Host, source: IpAddr) -> bool {
    match named {
        Host::IpAddr(named) => *named != source && is_private(*named),
        Host::Domain(domain) => domain.0.ends_with(".invalid"),
    }
}

/// Sends requests for a registered contact to where its REGISTER came from.
pub(super) struct Routes(pub Arc<Mutex<Registrar>>);

#[async_trait]
impl TargetLocator for Routes {
    async fn locate(&self, uri: &Uri) -> rsipstack::Result<SipAddr> {
        let route = self.0.lock().unwrap_or_else(PoisonError::into_inner).route(&uri.to_string());
        match route {
            Some((source, transport)) => Ok(SipAddr { r#type: Some(stack_transport(transport)), addr: source.into() }),
            None => SipAddr::try_from(uri),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn contact(message: &str, from: &str) -> String {
        let message = SipMessage::try_from(message).unwrap();
        let from = SipAddr::from(from.parse::<std::net::SocketAddr>().unwrap());
        let message = Wire { ours: Vec::new() }.after_received(message, Some(&from));
        let contact = message.contact_header().unwrap();
        UntypedHeader::value(contact).to_owned()
    }

    fn invite(contact: &str, extra: &str) -> String {
        format!(
            "INVITE sip:800@192.0.2.9 SIP/2.0\r\nVia: SIP/2.0/UDP 10.0.0.5;branch=z9hG4bK1\r\n{extra}\
             From: <sip:a@b>;tag=1\r\nTo: <sip:800@192.0.2.9>\r\nCall-ID: 1\r\nCSeq: 1 INVITE\r\n\
             Contact: <sip:a@{contact}>\r\nContent-Length: 0\r\n\r\n"
        )
    }

    #[test]
    fn the_stack_reads_the_strongest_challenge_and_its_answer_is_put_right() {
        let challenged = "SIP/2.0 401 Unauthorized\r\nVia: SIP/2.0/UDP 192.0.2.9;branch=z9hG4bK1\r\n\
             From: <sip:a@b>;tag=1\r\nTo: <sip:a@b>;tag=2\r\nCall-ID: 1\r\nCSeq: 1 REGISTER\r\n\
             WWW-Authenticate: Digest realm=\"x\", nonce=\"1\", algorithm=MD5, qop=\"auth\"\r\n\
             WWW-Authenticate: Digest realm=\"x\", nonce=\"1\", algorithm=SHA-256, qop=\"auth,auth-int\"\r\n\
             Content-Length: 0\r\n\r\n";
        let from = SipAddr::from("192.0.2.1:5060".parse::<SocketAddr>().unwrap());
        let wire = Wire { ours: Vec::new() };
        let SipMessage::Response(response) =
            wire.after_received(SipMessage::try_from(challenged).unwrap(), Some(&from))
        else {
            panic!("a response stays one")
        };
        let challenge = response.www_authenticate_header().unwrap().typed().unwrap();
        assert_eq!(challenge.algorithm, Some(rsipstack::sip::headers::auth::Algorithm::Sha256));
        assert_eq!(response.headers.iter().filter(|header| matches!(header, Header::WwwAuthenticate(_))).count(), 1);
        let answer =
            invite("10.0.0.5", "Authorization: Digest username=\"a\", algorithm=SHA256, qop=\"auth\", nc=00000001\r\n");
        let sent = wire.before_send(SipMessage::try_from(answer.as_str()).unwrap(), Some(&from)).to_string();
        assert!(sent.contains("algorithm=SHA-256, qop=auth, nc=00000001"), "{sent}");
    }

    #[test]
    fn a_private_contact_from_outside_is_replaced_by_its_source() {
        let outside = "203.0.113.7:61000";
        assert_eq!(contact(&invite("10.0.0.5:5060", ""), outside), "<sip:a@203.0.113.7:61000>");
        assert_eq!(contact(&invite("abc.invalid", ""), outside), "<sip:a@203.0.113.7:61000>");
        let answer = invite("10.0.0.5", "").replacen("INVITE sip:800@192.0.2.9 SIP/2.0", "SIP/2.0 200 OK", 1);
        assert_eq!(contact(&answer, outside), "<sip:a@203.0.113.7:61000>");
    }

    #[test]
    fn a_contact_that_can_be_meant_stays() {
        let outside = "203.0.113.7:61000";
        for (message, from) in [
            (invite("203.0.113.7:5060", ""), outside),
            (invite("198.51.100.1", ""), outside),
            (invite("pbx.example", ""), outside),
            (invite("10.0.0.5:5070", ""), "10.0.0.5:5060"),
            (invite("10.0.0.5", "Via: SIP/2.0/UDP 10.0.0.6;branch=z9hG4bK2\r\n"), outside),
            (invite("10.0.0.5", "Record-Route: <sip:203.0.113.7;lr>\r\n"), outside),
        ] {
            let before = message.split("Contact: ").nth(1).and_then(|rest| rest.split("\r\n").next()).unwrap();
            assert_eq!(contact(&message, from), before);
        }
    }
}

//! Session descriptions (RFC 8866) and the offer/answer model (RFC 3264): one audio stream of PCMU or PCMA with
//! telephone-event. Lines are read and written by the crate `sdp-types` (strict about meaning, lax about order,
//! never panics on bad input; `webrtc-sdp` demands what only browsers send). Any other stream is refused with port 0.

use std::net::{IpAddr, SocketAddr};

use sdp_types::{Attribute, Connection, Media, Origin, Session, Time};

use super::plan::{COMFORT_NOISE, Plan};
use crate::media::Codec;

/// Our number for telephone-event when we offer.
const EVENTS: u8 = 101;
const MAX_BODY: usize = 16 * 1024;

#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    #[error("not a session description: {0}")]
    Malformed(String),
    #[error("no audio stream over RTP/AVP")]
    NoAudio,
    #[error("no codec in common (PCMU and PCMA are spoken here)")]
    NoCodec,
    #[error("address {0:?} cannot be used")]
    Address(String),
}

/// Which way sound flows, as its writer sees it (RFC 3264, 5.1).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Direction {
    #[default]
    SendRecv,
    SendOnly,
    RecvOnly,
    Inactive,
}

impl Direction {
    fn new(sends: bool, receives: bool) -> Self {
        match (sends, receives) {
            (true, true) => Self::SendRecv,
            (true, false) => Self::SendOnly,
            (false, true) => Self::RecvOnly,
            (false, false) => Self::Inactive,
        }
    }
    fn sends(self) -> bool {
        matches!(self, Self::SendRecv | Self::SendOnly)
    }
    fn receives(self) -> bool {
        matches!(self, Self::SendRecv | Self::RecvOnly)
    }
    fn name(self) -> &'static str {
        match self {
            Self::SendRecv => "sendrecv",
            Self::SendOnly => "sendonly",
            Self::RecvOnly => "recvonly",
            Self::Inactive => "inactive",
        }
    }
    fn parse(name: &str) -> Option<Self> {
        [Self::SendRecv, Self::SendOnly, Self::RecvOnly, Self::Inactive].into_iter().find(|d| d.name() == name)
    }
}

/// Our own side of a description.
#[derive(Clone, Debug)]
pub struct Local {
    pub address: IpAddr,
    pub rtp_port: u16,
    /// `sess-id` of the origin line, the same for the life of the leg.
    pub session: u64,
    /// `sess-version`, raised with every description sent.
    pub version: u64,
}

/// The peer's description, as far as it concerns us.
#[derive(Clone, Debug)]
pub struct Remote {
    session: Session,
    /// Which `m=` line we use.
    audio: usize,
    address: Option<SocketAddr>,
    rtcp: Option<SocketAddr>,
    /// Codecs we speak, in the peer's order of liking, under the peer's numbers.
    codecs: Vec<(u8, Codec)>,
    events: Option<u8>,
    comfort_noise: bool,
    direction: Direction,
    ptime_ms: u32,
}

impl Remote {
    /// Reads an offer or an answer.
    pub fn parse(body: &[u8]) -> Result<Self, Error> {
        if body.len() > MAX_BODY {
            return Err(Error::Malformed(format!("{} bytes long", body.len())));
        }
        // The parser's own words may quote the line: addresses are no secret, but keep them out of logs.
        let session = Session::parse(body).map_err(|_| Error::Malformed("cannot be read".into()))?;
        let usable = |media: &Media| {
            media.media.eq_ignore_ascii_case("audio") && media.proto.eq_ignore_ascii_case("RTP/AVP") && media.port != 0
        };
        let audio = session.medias.iter().position(usable).ok_or(Error::NoAudio)?;
        let media = &session.medias[audio];
        let address = address_of(media.connections.first().or(session.connection.as_ref()), media.port)?;
        let formats = formats(media);
        let codecs: Vec<_> =
            formats.iter().filter_map(|f| Some((f.number, Codec::from_name(&f.name, f.clock_rate)?))).collect();
        if codecs.is_empty() {
            return Err(Error::NoCodec);
        }
        let clock = codecs[0].1.clock_rate();
        let is_event = |f: &&Format| f.name.eq_ignore_ascii_case("telephone-event") && f.clock_rate == clock;
        Ok(Self {
            audio,
            rtcp: rtcp_address(media, address),
            address,
            events: formats.iter().find(is_event).map(|f| f.number),
            comfort_noise: formats.iter().any(|f| f.number == COMFORT_NOISE),
            direction: direction(media).or_else(|| direction_in(&session.attributes)).unwrap_or_default(),
            ptime_ms: ptime(media),
            codecs,
            session,
        })
    }

    /// Our answer to this offer, and what is agreed by it.
    pub fn answer(&self, local: &Local, from: Option<IpAddr>) -> (String, Plan) {
        let (number, codec) = self.codecs[0]; // `parse` admits no description without one
        let mut plan = self.plan(number, codec, from);
        plan.version = local.version;
        // Every codec in common stays acceptable: the peer may change between them at will (RFC 3264, 6.1).
        plan.accepted = self.codecs.clone();
        plan.events_in = self.events;
        let direction = Direction::new(plan.sending, plan.receiving);
        let medias = self.session.medias.iter().enumerate().map(|(n, media)| match n == self.audio {
            true => ours(local, &plan, &self.codecs, self.comfort_noise, direction),
            false => refused(media),
        });
        (write(local, medias), plan)
    }

    /// What is agreed when this is the answer to `offer`.
    pub fn accepted(&self, local: &Local, from: Option<IpAddr>) -> Plan {
        let (number, codec) = self.codecs[0];
        let mut plan = self.plan(number, codec, from);
        plan.version = local.version;
        plan.accepted = Codec::ALL.into_iter().map(|codec| (codec.payload_type(), codec)).collect();
        // Most peers number events as we offered; those who do not expect their own number.
        plan.events_in = self.events.map(|_| EVENTS);
        plan
    }

    fn plan(&self, payload_type: u8, codec: Codec, from: Option<IpAddr>) -> Plan {
        Plan {
            version: 0,
            remote: self.address,
            remote_rtcp: self.rtcp,
            signalled_from: from,
            codec,
            payload_type,
            accepted: Vec::new(),
            events_out: self.events,
            events_in: None,
            ptime_ms: self.ptime_ms,
            sending: self.direction.receives() && self.address.is_some(),
            receiving: self.direction.sends(),
        }
    }

    /// The family that our address must be of.
    pub fn is_ipv6(&self) -> bool {
        self.address.is_some_and(|address| address.is_ipv6())
    }

    /// Held the old way: no family at all.
    pub fn is_without_address(&self) -> bool {
        self.address.is_none()
    }
}

/// Our offer: everything we speak, both ways.
pub fn offer(local: &Local) -> String {
    let codecs: Vec<_> = Codec::ALL.into_iter().map(|codec| (codec.payload_type(), codec)).collect();
    let plan = Plan { events_in: Some(EVENTS), ..Plan::silent() };
    write(local, std::iter::once(ours(local, &plan, &codecs, false, Direction::SendRecv)))
}

fn write(local: &Local, medias: impl Iterator<Item = Media>) -> String {
    let mut session = Session::new(Origin::with_ip_addr(local.session, local.version, local.address), "frontdesk");
    session.origin.username = Some("-".into());
    session.set_connection(Connection::from(local.address));
    session.add_time(Time::new(0, 0));
    session.add_medias(medias);
    let mut bytes = Vec::new();
    // Writing to memory cannot fail; what we put in is all text of ours.
    let _ = session.write(&mut bytes);
    String::from_utf8_lossy(&bytes).into_owned()
}

fn ours(local: &Local, plan: &Plan, codecs: &[(u8, Codec)], comfort_noise: bool, direction: Direction) -> Media {
    let mut numbers: Vec<u8> = codecs.iter().map(|(number, _)| *number).collect();
    numbers.extend(comfort_noise.then_some(COMFORT_NOISE));
    numbers.extend(plan.events_in);
    let list = numbers.iter().map(u8::to_string).collect::<Vec<_>>().join(" ");
    let mut media = blank("audio", local.rtp_port, "RTP/AVP", &list);
    for (number, codec) in codecs {
        media.add_attribute_with_value("rtpmap", format!("{number} {}/{}", codec.name(), codec.clock_rate()));
    }
    if comfort_noise {
        media.add_attribute_with_value("rtpmap", format!("{COMFORT_NOISE} CN/8000"));
    }
    if let Some(number) = plan.events_in {
        media.add_attribute_with_value("rtpmap", format!("{number} telephone-event/8000"));
        media.add_attribute_with_value("fmtp", format!("{number} 0-15"));
    }
    media.add_attribute_with_value("ptime", plan.ptime_ms);
    media.add_attribute_with_value("rtcp", u32::from(local.rtp_port) + 1);
    media.attributes.push(Attribute::new(direction.name()));
    media
}

/// A stream we do not take keeps its line, with port 0 (RFC 3264, 6).
fn refused(media: &Media) -> Media {
    blank(&media.media, 0, &media.proto, &media.fmt)
}

fn blank(kind: &str, port: u16, proto: &str, fmt: &str) -> Media {
    Media {
        media: kind.into(),
        port,
        num_ports: None,
        proto: proto.into(),
        fmt: fmt.into(),
        media_title: None,
        connections: Vec::new(),
        bandwidths: Vec::new(),
        key: None,
        attributes: Vec::new(),
    }
}

struct Format {
    number: u8,
    name: String,
    clock_rate: u32,
}

/// The formats of an `m=` line in their order; static payload types need no `rtpmap` (RFC 3551, table 4).
fn formats(media: &Media) -> Vec<Format> {
    let mapped = |number: u8| {
        media.get_attribute_values("rtpmap").flatten().find_map(|value| {
            let (mapped, encoding) = value.trim().split_once(' ')?;
            if mapped.parse() != Ok(number) {
                return None;
            }
            let mut parts = encoding.trim().split('/');
            let (name, clock) = (parts.next()?, parts.next()?);
            // A second channel would be another codec to us.
            let mono = parts.next().is_none_or(|channels| channels == "1");
            mono.then(|| Some(Format { number, name: name.into(), clock_rate: clock.trim().parse().ok()? }))?
        })
    };
    let known = |number: u8| {
        let codec = Codec::from_payload_type(number)?;
        Some(Format { number, name: codec.name().into(), clock_rate: codec.clock_rate() })
    };
    let noise = |number| (number == COMFORT_NOISE).then(|| Format { number, name: "CN".into(), clock_rate: 8_000 });
    media
        .fmt
        .split_ascii_whitespace()
        .filter_map(|number| number.parse::<u8>().ok().filter(|number| *number < 128))
        .filter_map(|number| mapped(number).or_else(|| known(number)).or_else(|| noise(number)))
        .take(32)
        .collect()
}

/// `Ok(None)`: the old way to hold (c=0.0.0.0, RFC 3264, 8.4).
fn address_of(connection: Option<&Connection>, port: u16) -> Result<Option<SocketAddr>, Error> {
    let connection = connection.ok_or_else(|| Error::Malformed("no c= line".into()))?;
    let bad = || Error::Address(connection.connection_address.clone());
    let ip = connection.try_address().map_err(|_| bad())?.ip;
    if ip.is_multicast() {
        return Err(bad());
    }
    Ok((!ip.is_unspecified()).then(|| SocketAddr::new(ip, port)))
}

/// `a=rtcp:` (RFC 3605), else one port above.
fn rtcp_address(media: &Media, rtp: Option<SocketAddr>) -> Option<SocketAddr> {
    let rtp = rtp?;
    let given = media.get_attribute_values("rtcp").flatten().next().and_then(|value| {
        let mut words = value.split_ascii_whitespace();
        let port = words.next()?.parse().ok().filter(|port| *port != 0)?;
        let ip = words.nth(2).and_then(|ip| ip.parse().ok()).unwrap_or(rtp.ip());
        Some(SocketAddr::new(ip, port))
    });
    given.or_else(|| Some(SocketAddr::new(rtp.ip(), rtp.port().checked_add(1)?)))
}

fn direction(media: &Media) -> Option<Direction> {
    direction_in(&media.attributes)
}

fn direction_in(attributes: &[Attribute]) -> Option<Direction> {
    attributes.iter().find_map(|attribute| Direction::parse(&attribute.attribute))
}

/// The packet length the peer likes, within what we do: 10-60 ms in steps of 10.
fn ptime(media: &Media) -> u32 {
    let number = |name| media.get_attribute_values(name).flatten().next().and_then(|v| v.trim().parse::<f32>().ok());
    let wanted = number("ptime").unwrap_or(20.0).min(number("maxptime").unwrap_or(60.0));
    ((wanted / 10.0) as u32 * 10).clamp(10, 60)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn local() -> Local {
        Local { address: "192.0.2.9".parse().unwrap(), rtp_port: 20_000, session: 42, version: 1 }
    }

    const PHONE: &str = "v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\n\
        m=audio 40000 RTP/AVP 9 8 0 96\r\na=rtpmap:9 G722/8000\r\na=rtpmap:8 PCMA/8000\r\na=rtpmap:0 PCMU/8000\r\n\
        a=rtpmap:96 telephone-event/8000\r\na=fmtp:96 0-16\r\na=ptime:30\r\n";

    fn parse(body: &str) -> Result<Remote, Error> {
        Remote::parse(body.as_bytes())
    }

    #[test]
    fn an_answer_takes_the_peers_favourite_we_speak() {
        let (answer, plan) = parse(PHONE).unwrap().answer(&local(), None);
        assert_eq!((plan.codec, plan.payload_type), (Codec::Pcma, 8));
        assert_eq!(plan.accepted, [(8, Codec::Pcma), (0, Codec::Pcmu)]);
        assert_eq!((plan.events_in, plan.events_out), (Some(96), Some(96)));
        assert_eq!(plan.remote, Some("192.0.2.1:40000".parse().unwrap()));
        assert_eq!(plan.remote_rtcp, Some("192.0.2.1:40001".parse().unwrap()));
        assert_eq!((plan.ptime_ms, plan.sending, plan.receiving), (30, true, true));
        assert!(answer.contains("m=audio 20000 RTP/AVP 8 0 96\r\n"), "{answer}");
        assert!(answer.contains("o=- 42 1 IN IP4 192.0.2.9\r\n"), "{answer}");
        assert!(answer.contains("a=ptime:30\r\n") && answer.contains("a=rtcp:20001\r\n"));
        assert!(!answer.contains("G722"));
    }

    #[test]
    fn our_offer_is_answered_by_our_own_reading() {
        let offer = offer(&local());
        let (answer, theirs) = parse(&offer).unwrap().answer(&Local { rtp_port: 30_000, ..local() }, None);
        let ours = parse(&answer).unwrap().accepted(&local(), None);
        assert_eq!(ours.codec, theirs.codec);
        assert_eq!((ours.events_in, ours.events_out), (Some(101), Some(101)));
        assert_eq!(ours.remote, Some("192.0.2.9:30000".parse().unwrap()));
    }

    #[test]
    fn hold_in_its_three_ways() {
        let answer = |line: &str| parse(&format!("{PHONE}{line}")).unwrap().answer(&local(), None);
        let (text, plan) = answer("a=sendonly\r\n");
        assert!(plan.held() && plan.receiving && text.contains("a=recvonly\r\n"));
        let (text, plan) = answer("a=inactive\r\n");
        assert!(plan.held() && !plan.receiving && text.contains("a=inactive\r\n"));
        let (_, plan) = parse(&PHONE.replace("c=IN IP4 192.0.2.1", "c=IN IP4 0.0.0.0")).unwrap().answer(&local(), None);
        assert!(plan.held() && plan.remote.is_none());
        // A direction at session level counts where the stream has none.
        let (_, plan) = parse(&PHONE.replace("t=0 0\r\n", "t=0 0\r\na=sendonly\r\n")).unwrap().answer(&local(), None);
        assert!(plan.held());
    }

    #[test]
    fn other_streams_are_refused_each_on_its_line() {
        let body = format!("{PHONE}m=video 40002 RTP/AVP 97\r\na=rtpmap:97 H264/90000\r\n");
        let (answer, _) = parse(&body).unwrap().answer(&local(), None);
        assert!(answer.contains("m=video 0 RTP/AVP 97\r\n"));
        let first = body.replace("m=audio 40000", "m=audio 0").replace("m=video 40002", "m=audio 40002");
        assert_eq!(parse(&first).unwrap_err(), Error::NoCodec);
    }

    #[test]
    fn what_cannot_be_answered_says_why() {
        for (body, error) in [
            (
                PHONE.replace("8 0 96", "9").replace("a=rtpmap:8 PCMA/8000\r\na=rtpmap:0 PCMU/8000\r\n", ""),
                Error::NoCodec,
            ),
            (
                PHONE.replace("PCMA/8000", "PCMA/16000").replace("PCMU/8000", "PCMU/8000/2").replace("8 0 96", "8"),
                Error::NoCodec,
            ),
            (PHONE.replace("RTP/AVP", "RTP/SAVP"), Error::NoAudio),
            (PHONE.replace("m=audio 40000", "m=audio 0"), Error::NoAudio),
            (PHONE.replace("c=IN IP4 192.0.2.1", "c=IN IP4 224.2.1.1"), Error::Address("224.2.1.1".into())),
            (PHONE.replace("c=IN IP4 192.0.2.1", "c=IN IP4 phone.example"), Error::Address("phone.example".into())),
            (PHONE.replace("c=IN IP4 192.0.2.1\r\n", ""), Error::Malformed("no c= line".into())),
            ("v=1\r\n".into(), Error::Malformed("cannot be read".into())),
            (String::new(), Error::Malformed("cannot be read".into())),
            (format!("{PHONE}{}", "a=x\r\n".repeat(5_000)), Error::Malformed("25287 bytes long".into())),
        ] {
            match (parse(&body).unwrap_err(), error) {
                (Error::Malformed(_), Error::Malformed(_)) => {}
                (got, wanted) => assert_eq!(got, wanted, "{}", &body[..body.len().min(300)]),
            }
        }
    }

    #[test]
    fn oddities_seen_in_the_field() {
        // Bare line feeds, no rtpmap for static types, an rtcp attribute, a dynamic number for mu-law.
        let body = "v=0\no=- 1 1 IN IP4 192.0.2.1\ns=-\nc=IN IP4 192.0.2.1\nt=0 0\nm=audio 40000/1 RTP/AVP 97 0 13\n\
            a=rtpmap:97 pcmu/8000/1\na=rtcp:50001 IN IP4 192.0.2.2\na=ptime:200\na=maxptime:40\n";
        let (answer, plan) = parse(body).unwrap().answer(&local(), None);
        assert_eq!((plan.payload_type, plan.codec, plan.ptime_ms), (97, Codec::Pcmu, 40));
        assert_eq!(plan.remote_rtcp, Some("192.0.2.2:50001".parse().unwrap()));
        assert_eq!(plan.events_out, None);
        assert!(answer.contains(" 13\r\n") || answer.contains(" 13 "), "comfort noise was offered: {answer}");
    }

    proptest! {
        #[test]
        fn no_description_makes_it_panic(cut in 0usize..400, at in 0usize..400, bytes in prop::collection::vec(any::<u8>(), 0..40)) {
            let mut body = PHONE.as_bytes().to_vec();
            body.truncate(cut.max(1));
            let at = at.min(body.len());
            body.splice(at..at, bytes);
            if let Ok(remote) = Remote::parse(&body) {
                let (answer, _) = remote.answer(&local(), None);
                prop_assert!(Remote::parse(answer.as_bytes()).is_ok(), "{answer}");
            }
        }
    }
}

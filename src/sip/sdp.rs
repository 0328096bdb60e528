//! Session descriptions (RFC 8866) and the offer/answer model (RFC 3264): one audio stream of the codecs preferred,
//! with telephone-event, plain or by SRTP with keys in the description (SDES, `sdes.rs`). Lines are read and written by
//! the crate `sdp-types` (strict about meaning, lax about order, never panics on bad input; `webrtc-sdp` demands what
//! only browsers send). Any other stream is refused with port 0.

use std::net::{IpAddr, SocketAddr};

use sdp_types::{Attribute, Connection, Media, Origin, Session, Time};

use super::plan::{COMFORT_NOISE, Crypto, Plan};
use super::sdes::{self, Keys, Line};
use crate::media::{Codec, OpusWishes};

/// Our numbers for telephone-event when we offer, by clock rate.
const EVENTS: [(u8, u32); 2] = [(101, 8_000), (110, 48_000)];
const MAX_BODY: usize = 16 * 1024;

#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    #[error("not a session description: {0}")]
    Malformed(String),
    #[error("no audio stream over RTP/AVP")]
    NoAudio,
    #[error("no codec in common")]
    NoCodec,
    #[error("no encryption in common")]
    NoCrypto,
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

/// Whether sound is encrypted (SRTP, RFC 3711, with keys by SDES, RFC 4568).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Srtp {
    /// Never; a peer that demands it is refused.
    Off,
    /// Where the peer offers it; we offer it ourselves where signalling is encrypted.
    #[default]
    Offered,
    /// Always; a peer without it is refused.
    Required,
}

/// What an operator likes of a leg's sound.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Preferences {
    /// The codecs spoken; offered in this order. An answer follows the order of the offer (RFC 3264, 6.1).
    pub codecs: Vec<Codec>,
    pub srtp: Srtp,
    /// Nothing but comfort noise is sent in our own pauses to a peer that knows it, and our Opus may use DTX.
    pub silence_suppression: bool,
}

impl Default for Preferences {
    fn default() -> Self {
        Self { codecs: Codec::ALL.to_vec(), srtp: Srtp::default(), silence_suppression: false }
    }
}

/// Our own side of a description.
#[derive(Clone, Debug)]
pub struct Local {
    pub address: IpAddr,
    pub rtp_port: u16,
    pub sound: Preferences,
    /// The way of our signalling is encrypted: keys may be offered on it.
    pub secure: bool,
    /// Our master keys, one a suite, for the life of the leg.
    pub keys: Keys,
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
    /// Codecs known here, in the peer's order of liking, under the peer's numbers.
    codecs: Vec<(u8, Codec)>,
    /// Telephone-event by clock rate.
    events: Vec<(u8, u32)>,
    opus: OpusWishes,
    comfort_noise: bool,
    /// The profile demands encryption.
    secure: bool,
    crypto: Vec<Line>,
    direction: Direction,
    voip_metrics: bool,
    ptime_ms: u32,
}

impl Remote {
    /// Reads an offer or an answer.
    pub fn parse(body: &[u8]) -> Result<Self, Error> {
        if body.len() > MAX_BODY {
            return Err(Error::Malformed(format!("{} bytes long", body.len())));
        }
        // RFC 8866, 5: one version and one origin; the parser takes any number.
        let lines = |kind: &[u8]| body.split(|byte| *byte == b'\n').filter(|line| line.starts_with(kind)).count();
        if lines(b"v=") != 1 || lines(b"o=") != 1 {
            return Err(Error::Malformed("not one version and one origin".into()));
        }
        // The parser's own words may quote the line: addresses are no secret, but keep them out of logs.
        let session = Session::parse(body).map_err(|_| Error::Malformed("cannot be read".into()))?;
        let audio = audio_stream(&session).ok_or(Error::NoAudio)?;
        let media = &session.medias[audio];
        let address = address_of(media.connections.first().or(session.connection.as_ref()), media.port)?;
        let formats = formats(media);
        let codecs: Vec<_> =
            formats.iter().filter_map(|f| Some((f.number, Codec::from_name(&f.name, f.clock_rate)?))).collect();
        if codecs.is_empty() {
            return Err(Error::NoCodec);
        }
        let is_event = |f: &&Format| {
            let clocks = || codecs.iter().map(|(_, codec)| codec.clock_rate());
            f.name.eq_ignore_ascii_case("telephone-event") && clocks().any(|clock| clock == f.clock_rate)
        };
        // Opus with its keys at 8 kHz only: common, though the clocks should agree.
        let any_event = |f: &&Format| f.name.eq_ignore_ascii_case("telephone-event") && f.clock_rate == 8_000;
        let mut events: Vec<_> = formats.iter().filter(is_event).map(|f| (f.number, f.clock_rate)).collect();
        if events.is_empty() {
            events.extend(formats.iter().filter(any_event).map(|f| (f.number, f.clock_rate)));
        }
        let opus =
            codecs.iter().find(|(_, codec)| *codec == Codec::Opus).map(|(number, _)| opus_wishes(media, *number));
        Ok(Self {
            audio,
            rtcp: rtcp_address(media, address),
            address,
            events,
            opus: opus.unwrap_or_default(),
            comfort_noise: formats.iter().any(|f| f.number == COMFORT_NOISE),
            secure: is_secure(media),
            crypto: sdes::lines(media),
            direction: direction(media).or_else(|| direction_in(&session.attributes)).unwrap_or_default(),
            voip_metrics: wants_metrics(&media.attributes) || wants_metrics(&session.attributes),
            ptime_ms: ptime(media),
            codecs,
            session,
        })
    }

    /// Whether this offer can be answered at all, before anything is spent on it.
    pub fn suits(&self, sound: &Preferences) -> Result<(), Error> {
        self.spoken(sound).next().ok_or(Error::NoCodec)?;
        self.line(sound).map(|_| ())
    }

    /// The rate of the codec that an answer to this offer would take, Hz.
    pub fn rate(&self, sound: &Preferences) -> Option<u32> {
        self.spoken(sound).next().map(|(_, codec)| codec.rate())
    }

    /// Our answer to this offer, and what is agreed by it.
    pub fn answer(&self, local: &Local, from: Option<IpAddr>) -> Result<(String, Plan), Error> {
        let codecs: Vec<_> = self.spoken(&local.sound).collect();
        let (number, codec) = *codecs.first().ok_or(Error::NoCodec)?;
        let line = self.line(&local.sound)?;
        let mut plan = self.plan(local, number, codec, from);
        plan.crypto =
            line.map(|line| Crypto { ours: local.keys.of(line.key.suite()).clone(), theirs: line.key.clone() });
        let clock = |clock: u32| codecs.iter().any(|(_, codec)| codec.clock_rate() == clock);
        let mut events: Vec<_> = self.events.iter().copied().filter(|(_, rate)| clock(*rate)).collect();
        if events.is_empty() {
            events.clone_from(&self.events);
        }
        plan.events_in = events.iter().map(|(number, _)| *number).collect();
        let direction = Direction::new(plan.sending, plan.receiving);
        let crypto: Vec<_> = line.map(|line| (line.tag, local.keys.of(line.key.suite()))).into_iter().collect();
        let ours = Ours {
            secure: self.secure,
            codecs: &codecs,
            events: &events,
            comfort_noise: self.comfort_noise,
            voip_metrics: self.voip_metrics,
            ptime_ms: plan.ptime_ms,
            crypto: &crypto,
            direction,
        };
        let medias = self.session.medias.iter().enumerate().map(|(n, media)| match n == self.audio {
            true => ours.write(local),
            false => refused(media),
        });
        let text = write(local, medias);
        // Every codec in common stays acceptable: the peer may change between them at will (RFC 3264, 6.1).
        plan.accepted = codecs;
        Ok((text, plan))
    }

    /// What is agreed when this is the answer to our offer.
    pub fn accepted(&self, local: &Local, from: Option<IpAddr>) -> Result<Plan, Error> {
        let (number, codec) = self.spoken(&local.sound).next().ok_or(Error::NoCodec)?;
        let mut plan = self.plan(local, number, codec, from);
        plan.accepted = local.sound.codecs.iter().map(|codec| (codec.payload_type(), *codec)).collect();
        // Most peers number events as we offered; those who do not expect their own number.
        let offered = EVENTS.into_iter().filter(|(_, clock)| self.events.iter().any(|(_, theirs)| theirs == clock));
        plan.events_in = offered.map(|(number, _)| number).collect();
        // The answer has one line, with the tag of ours that it takes.
        plan.crypto = match (self.line(&local.sound)?, offers_crypto(local)) {
            (Some(line), true) => {
                let ours = local.keys.tagged(line.tag).filter(|ours| ours.suite() == line.key.suite());
                Some(Crypto { ours: ours.ok_or(Error::NoCrypto)?.clone(), theirs: line.key.clone() })
            }
            (Some(_), false) => return Err(Error::NoCrypto),
            (None, _) => None,
        };
        Ok(plan)
    }

    fn plan(&self, local: &Local, payload_type: u8, codec: Codec, from: Option<IpAddr>) -> Plan {
        let same_clock = |event: &&(u8, u32)| event.1 == codec.clock_rate();
        let suppress = local.sound.silence_suppression;
        Plan {
            version: local.version,
            remote: self.address,
            remote_rtcp: self.rtcp,
            signalled_from: from,
            codec,
            payload_type,
            accepted: Vec::new(),
            events_out: self.events.iter().find(same_clock).or(self.events.first()).copied(),
            events_in: Vec::new(),
            opus: OpusWishes { dtx: self.opus.dtx && suppress, ..self.opus },
            comfort_noise: suppress && if codec == Codec::Opus { self.opus.dtx } else { self.comfort_noise },
            crypto: None,
            voip_metrics: self.voip_metrics,
            ptime_ms: codec.packet_ms(self.ptime_ms),
            sending: self.direction.receives() && self.address.is_some(),
            receiving: self.direction.sends(),
        }
    }

    fn spoken<'a>(&'a self, sound: &'a Preferences) -> impl Iterator<Item = (u8, Codec)> + 'a {
        self.codecs.iter().copied().filter(|(_, codec)| sound.codecs.contains(codec))
    }

    /// The line of keys to use, if encryption is to be.
    fn line(&self, sound: &Preferences) -> Result<Option<&Line>, Error> {
        let line = self.crypto.first();
        match sound.srtp {
            Srtp::Off if self.secure => Err(Error::NoCrypto),
            Srtp::Off => Ok(None),
            Srtp::Offered if !self.secure => Ok(line),
            Srtp::Offered | Srtp::Required => line.map(Some).ok_or(Error::NoCrypto),
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
    let codecs: Vec<_> = local.sound.codecs.iter().map(|codec| (codec.payload_type(), *codec)).collect();
    let clock = |clock: u32| codecs.iter().any(|(_, codec)| codec.clock_rate() == clock);
    let events: Vec<_> = EVENTS.into_iter().filter(|(_, rate)| clock(*rate)).collect();
    let crypto: Vec<_> = if offers_crypto(local) { local.keys.all().collect() } else { Vec::new() };
    let ours = Ours {
        secure: local.sound.srtp == Srtp::Required,
        codecs: &codecs,
        events: &events,
        comfort_noise: local.sound.silence_suppression,
        voip_metrics: true,
        ptime_ms: 20,
        crypto: &crypto,
        direction: Direction::SendRecv,
    };
    write(local, std::iter::once(ours.write(local)))
}

/// Keys are offered where nobody on the way can read them, or where the operator wants no sound without.
fn offers_crypto(local: &Local) -> bool {
    match local.sound.srtp {
        Srtp::Off => false,
        Srtp::Offered => local.secure,
        Srtp::Required => true,
    }
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

/// Our `m=` line and what belongs to it.
struct Ours<'a> {
    secure: bool,
    codecs: &'a [(u8, Codec)],
    events: &'a [(u8, u32)],
    comfort_noise: bool,
    voip_metrics: bool,
    ptime_ms: u32,
    crypto: &'a [(u32, &'a super::srtp::MasterKey)],
    direction: Direction,
}

impl Ours<'_> {
    fn write(&self, local: &Local) -> Media {
        let mut numbers: Vec<u8> = self.codecs.iter().map(|(number, _)| *number).collect();
        numbers.extend(self.comfort_noise.then_some(COMFORT_NOISE));
        numbers.extend(self.events.iter().map(|(number, _)| *number));
        let list = numbers.iter().map(u8::to_string).collect::<Vec<_>>().join(" ");
        let mut media = blank("audio", local.rtp_port, if self.secure { SAVP } else { AVP }, &list);
        for (tag, key) in self.crypto {
            media.add_attribute_with_value("crypto", sdes::line(*tag, key));
        }
        for (number, codec) in self.codecs {
            // RFC 7587, 7: always two channels, whatever is inside.
            let channels = if *codec == Codec::Opus { "/2" } else { "" };
            let encoding = format!("{number} {}/{}{channels}", codec.name(), codec.clock_rate());
            media.add_attribute_with_value("rtpmap", encoding);
            if *codec == Codec::Opus {
                let dtx = if local.sound.silence_suppression { ";usedtx=1" } else { "" };
                let rate = codec.rate();
                let wishes = format!("{number} maxplaybackrate={rate};sprop-maxcapturerate={rate};useinbandfec=1{dtx}");
                media.add_attribute_with_value("fmtp", wishes);
            }
        }
        if self.comfort_noise {
            media.add_attribute_with_value("rtpmap", format!("{COMFORT_NOISE} CN/8000"));
        }
        for (number, clock) in self.events {
            media.add_attribute_with_value("rtpmap", format!("{number} telephone-event/{clock}"));
            media.add_attribute_with_value("fmtp", format!("{number} 0-15"));
        }
        media.add_attribute_with_value("ptime", self.ptime_ms);
        media.add_attribute_with_value("rtcp", u32::from(local.rtp_port) + 1);
        if self.voip_metrics {
            media.add_attribute_with_value("rtcp-xr", "voip-metrics");
        }
        media.attributes.push(Attribute::new(self.direction.name()));
        media
    }
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

const AVP: &str = "RTP/AVP";
const SAVP: &str = "RTP/SAVP";

fn is_secure(media: &Media) -> bool {
    media.proto.eq_ignore_ascii_case(SAVP)
}

/// The stream we would take: the first encrypted one with a key that can be used, else the first plain one, else an
/// encrypted one that says why not.
fn audio_stream(session: &Session) -> Option<usize> {
    let find = |wanted: &dyn Fn(&Media) -> bool| {
        let audio = |media: &Media| media.media.eq_ignore_ascii_case("audio") && media.port != 0;
        session.medias.iter().position(|media| audio(media) && wanted(media))
    };
    find(&|media| is_secure(media) && !sdes::lines(media).is_empty())
        .or_else(|| find(&|media| media.proto.eq_ignore_ascii_case(AVP)))
        .or_else(|| find(&is_secure))
}

/// The peer's `fmtp` of Opus (RFC 7587, 6.1): what it wants to hear.
fn opus_wishes(media: &Media, number: u8) -> OpusWishes {
    let mut wishes = OpusWishes { fec: false, ..OpusWishes::default() };
    let given = media.get_attribute_values("fmtp").flatten().find_map(|value| {
        let (of, parameters) = value.trim().split_once(' ')?;
        (of.parse() == Ok(number)).then_some(parameters)
    });
    for parameter in given.unwrap_or_default().split(';') {
        let Some((name, value)) = parameter.split_once('=') else { continue };
        let Ok(value) = value.trim().parse::<u32>() else { continue };
        match name.trim().to_ascii_lowercase().as_str() {
            "useinbandfec" => wishes.fec = value == 1,
            "usedtx" => wishes.dtx = value == 1,
            "cbr" => wishes.cbr = value == 1,
            "maxplaybackrate" => wishes.max_rate = value,
            "maxaveragebitrate" => wishes.max_bitrate = value,
            _ => {}
        }
    }
    wishes
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
            // A second channel would be another codec to us; only Opus says it always (RFC 7587, 7).
            let opus = name.eq_ignore_ascii_case(Codec::Opus.name());
            let mono = parts.next().is_none_or(|channels| channels == "1" || (opus && channels == "2"));
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
    let family = if ip.is_ipv6() { sdp_types::AddrType::Ip6 } else { sdp_types::AddrType::Ip4 };
    if ip.is_multicast() || connection.addrtype != family {
        return Err(bad());
    }
    Ok((!ip.is_unspecified()).then(|| SocketAddr::new(ip, port)))
}

/// `a=rtcp-xr:voip-metrics` (RFC 3611, 5.1): its writer wants them sent.
fn wants_metrics(attributes: &[Attribute]) -> bool {
    let values = attributes.iter().filter(|attribute| attribute.attribute == "rtcp-xr");
    values
        .filter_map(|attribute| attribute.value.as_deref())
        .any(|value| value.split(' ').any(|word| word == "voip-metrics"))
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
        Local {
            address: "192.0.2.9".parse().unwrap(),
            rtp_port: 20_000,
            sound: Preferences { codecs: vec![Codec::Pcmu, Codec::Pcma], ..Preferences::default() },
            secure: false,
            keys: Keys::random(),
            session: 42,
            version: 1,
        }
    }

    /// One who speaks everything.
    fn fluent() -> Local {
        Local { sound: Preferences::default(), ..local() }
    }

    const PHONE: &str = "v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\n\
        m=audio 40000 RTP/AVP 9 8 0 96\r\na=rtpmap:9 G722/8000\r\na=rtpmap:8 PCMA/8000\r\na=rtpmap:0 PCMU/8000\r\n\
        a=rtpmap:96 telephone-event/8000\r\na=fmtp:96 0-16\r\na=ptime:30\r\n";

    fn parse(body: &str) -> Result<Remote, Error> {
        Remote::parse(body.as_bytes())
    }

    #[test]
    fn an_answer_takes_the_peers_favourite_we_speak() {
        let (answer, plan) = parse(PHONE).unwrap().answer(&local(), None).unwrap();
        assert_eq!((plan.codec, plan.payload_type), (Codec::Pcma, 8));
        assert_eq!(plan.accepted, [(8, Codec::Pcma), (0, Codec::Pcmu)]);
        assert_eq!((plan.events_in, plan.events_out), (vec![96], Some((96, 8_000))));
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
        let (answer, theirs) = parse(&offer).unwrap().answer(&Local { rtp_port: 30_000, ..local() }, None).unwrap();
        let ours = parse(&answer).unwrap().accepted(&local(), None).unwrap();
        assert_eq!(ours.codec, theirs.codec);
        assert_eq!((ours.events_in, ours.events_out), (vec![101], Some((101, 8_000))));
        assert_eq!(ours.remote, Some("192.0.2.9:30000".parse().unwrap()));
    }

    #[test]
    fn metrics_are_promised_to_who_wants_them() {
        let wish = "a=rtcp-xr:voip-metrics\r\n";
        assert!(offer(&local()).contains(wish));
        let (plain, plan) = parse(PHONE).unwrap().answer(&local(), None).unwrap();
        assert!(!plan.voip_metrics && !plain.contains("rtcp-xr"));
        let asks = format!("{PHONE}a=rtcp-xr:rcvr-rtt=all:10000 stat-summary=loss,dup,jitt,TTL voip-metrics\r\n");
        let (answer, plan) = parse(&asks).unwrap().answer(&local(), None).unwrap();
        assert!(plan.voip_metrics && answer.contains(wish), "{answer}");
    }

    #[test]
    fn hold_in_its_three_ways() {
        let answer = |line: &str| parse(&format!("{PHONE}{line}")).unwrap().answer(&local(), None).unwrap();
        let (text, plan) = answer("a=sendonly\r\n");
        assert!(plan.held() && plan.receiving && text.contains("a=recvonly\r\n"));
        let (text, plan) = answer("a=inactive\r\n");
        assert!(plan.held() && !plan.receiving && text.contains("a=inactive\r\n"));
        let (_, plan) =
            parse(&PHONE.replace("c=IN IP4 192.0.2.1", "c=IN IP4 0.0.0.0")).unwrap().answer(&local(), None).unwrap();
        assert!(plan.held() && plan.remote.is_none());
        // A direction at session level counts where the stream has none.
        let (_, plan) =
            parse(&PHONE.replace("t=0 0\r\n", "t=0 0\r\na=sendonly\r\n")).unwrap().answer(&local(), None).unwrap();
        assert!(plan.held());
    }

    #[test]
    fn other_streams_are_refused_each_on_its_line() {
        let body = format!("{PHONE}m=video 40002 RTP/AVP 97\r\na=rtpmap:97 H264/90000\r\n");
        let (answer, _) = parse(&body).unwrap().answer(&local(), None).unwrap();
        assert!(answer.contains("m=video 0 RTP/AVP 97\r\n"));
        let first = body.replace("m=audio 40000", "m=audio 0").replace("m=video 40002", "m=audio 40002");
        assert_eq!(parse(&first).unwrap_err(), Error::NoCodec);
    }

    #[test]
    fn what_cannot_be_answered_says_why() {
        for (body, error) in [
            (
                PHONE.replace("9 8 0 96", "18").replace("a=rtpmap:8 PCMA/8000\r\na=rtpmap:0 PCMU/8000\r\n", ""),
                Error::NoCodec,
            ),
            (
                PHONE.replace("PCMA/8000", "PCMA/16000").replace("PCMU/8000", "PCMU/8000/2").replace("9 8 0 96", "8"),
                Error::NoCodec,
            ),
            (PHONE.replace("RTP/AVP", "RTP/AVPF"), Error::NoAudio),
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
        let (answer, plan) = parse(body).unwrap().answer(&local(), None).unwrap();
        assert_eq!((plan.payload_type, plan.codec, plan.ptime_ms), (97, Codec::Pcmu, 40));
        assert_eq!(plan.remote_rtcp, Some("192.0.2.2:50001".parse().unwrap()));
        assert_eq!(plan.events_out, None);
        assert!(answer.contains(" 13\r\n") || answer.contains(" 13 "), "comfort noise was offered: {answer}");
    }

    const WIDE: &str = "v=0\r\no=- 1 1 IN IP6 2001:db8::1\r\ns=-\r\nc=IN IP6 2001:db8::1\r\nt=0 0\r\n\
        m=audio 40000 RTP/AVP 96 9 0 13 101 102\r\na=rtpmap:96 opus/48000/2\r\n\
        a=fmtp:96 maxplaybackrate=8000;useinbandfec=1; usedtx=1;cbr=1;stereo=1;maxaveragebitrate=16000\r\n\
        a=rtpmap:101 telephone-event/48000\r\na=rtpmap:102 telephone-event/8000\r\na=ptime:30\r\n";

    #[test]
    fn opus_is_spoken_as_the_peer_wishes() {
        let local = Local { address: "2001:db8::9".parse().unwrap(), ..fluent() };
        let (answer, plan) = parse(WIDE).unwrap().answer(&local, None).unwrap();
        assert_eq!((plan.codec, plan.payload_type, plan.ptime_ms), (Codec::Opus, 96, 20), "Opus has no 30 ms");
        let opus = OpusWishes { fec: true, dtx: false, cbr: true, max_rate: 8_000, max_bitrate: 16_000 };
        assert_eq!(plan.opus, opus, "no DTX without leave of ours");
        assert_eq!((plan.events_out, &plan.events_in[..]), (Some((101, 48_000)), &[101, 102][..]));
        assert!(answer.contains("m=audio 20000 RTP/AVP 96 9 0 13 101 102\r\n"), "{answer}");
        assert!(answer.contains("a=rtpmap:96 opus/48000/2\r\n") && answer.contains("a=rtpmap:9 G722/8000\r\n"));
        assert!(answer.contains("a=fmtp:96 maxplaybackrate=16000;sprop-maxcapturerate=16000;useinbandfec=1\r\n"));
        assert!(answer.contains("c=IN IP6 2001:db8::9\r\n") && answer.contains("o=- 42 1 IN IP6 2001:db8::9\r\n"));
        assert!(answer.contains("a=rtpmap:101 telephone-event/48000\r\n"));
        let quiet = Local { sound: Preferences { silence_suppression: true, ..Preferences::default() }, ..local };
        let (answer, plan) = parse(WIDE).unwrap().answer(&quiet, None).unwrap();
        assert!(plan.opus.dtx && plan.comfort_noise && answer.contains("useinbandfec=1;usedtx=1\r\n"));
        // Chosen by the clock: G.722 is 8 kHz on the wire.
        let (_, plan) = parse(&WIDE.replace("AVP 96 9", "AVP 9 96")).unwrap().answer(&fluent(), None).unwrap();
        assert_eq!((plan.codec, plan.events_out), (Codec::G722, Some((102, 8_000))));
        // Keys at 8 kHz alone serve Opus, too.
        let (_, plan) = parse(&WIDE.replace("13 101 102", "13 102")).unwrap().answer(&fluent(), None).unwrap();
        assert_eq!((plan.codec, plan.events_out, &plan.events_in[..]), (Codec::Opus, Some((102, 8_000)), &[102][..]));
    }

    #[test]
    fn only_what_the_operator_likes_is_spoken() {
        let offer = parse(WIDE).unwrap();
        let only = |codecs: &[Codec]| Preferences { codecs: codecs.to_vec(), ..Preferences::default() };
        assert_eq!(offer.suits(&only(&[Codec::Pcma])), Err(Error::NoCodec));
        assert_eq!((offer.rate(&only(&[Codec::Pcmu])), offer.rate(&only(&Codec::ALL))), (Some(8_000), Some(16_000)));
        let local = Local { sound: only(&[Codec::Pcmu, Codec::G722]), ..local() };
        let (answer, plan) = offer.answer(&local, None).unwrap();
        assert_eq!(plan.codec, Codec::G722, "the order of the offer");
        assert!(answer.contains("m=audio 20000 RTP/AVP 9 0 13 102\r\n"), "{answer}");
        assert!(super::offer(&local).contains("m=audio 20000 RTP/AVP 0 9 101\r\n"), "the order of ours");
        assert!(super::offer(&fluent()).contains("m=audio 20000 RTP/AVP 111 9 0 8 101 110\r\n"));
    }

    const KEY: &str = "inline:WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz";

    #[test]
    fn encryption_is_answered_as_offered_and_as_wanted() {
        let with = |srtp, secure| Local { sound: Preferences { srtp, ..local().sound }, secure, ..local() };
        let secured = format!("{PHONE}a=crypto:4 AEAD_X inline:AAAA\r\na=crypto:7 AES_CM_128_HMAC_SHA1_32 {KEY}\r\n");
        let strict = secured.replace("RTP/AVP", "RTP/SAVP");
        for srtp in [Srtp::Offered, Srtp::Required] {
            for (body, profile) in [(&secured, "RTP/AVP"), (&strict, "RTP/SAVP")] {
                let local = with(srtp, false);
                let (answer, plan) = parse(body).unwrap().answer(&local, None).unwrap();
                let crypto = plan.crypto.unwrap();
                let ours = sdes::line(7, &crypto.ours);
                assert!(answer.contains(&format!("m=audio 20000 {profile} 8 0 96\r\na=crypto:{ours}\r\n")), "{answer}");
                assert_eq!(answer.matches("a=crypto").count(), 1);
                assert_eq!(crypto.theirs.expose(), b"YS___semctl () {\t220;}\n}\nunles");
                let again = parse(body).unwrap().answer(&local, None).unwrap().1.crypto.unwrap();
                assert_eq!(crypto, again, "the key stays for the leg's life");
            }
        }
        let refused = |body: &str, srtp| parse(body).unwrap().answer(&with(srtp, true), None).unwrap_err();
        assert_eq!(refused(&strict, Srtp::Off), Error::NoCrypto);
        assert_eq!(refused(PHONE, Srtp::Required), Error::NoCrypto);
        assert_eq!(refused(&PHONE.replace("RTP/AVP", "RTP/SAVP"), Srtp::Offered), Error::NoCrypto, "no key");
        let (answer, plan) = parse(&secured).unwrap().answer(&with(Srtp::Off, true), None).unwrap();
        assert!(plan.crypto.is_none() && !answer.contains("crypto"));
        let (_, plan) = parse(PHONE).unwrap().answer(&with(Srtp::Offered, true), None).unwrap();
        assert!(plan.crypto.is_none());
        // Of two streams for the same sound the encrypted one.
        let both = format!("{PHONE}m=audio 40010 RTP/SAVP 0\r\na=crypto:1 AES_CM_128_HMAC_SHA1_80 {KEY}\r\n");
        let (answer, plan) = parse(&both).unwrap().answer(&with(Srtp::Offered, false), None).unwrap();
        assert_eq!(plan.remote.unwrap().port(), 40_010);
        assert!(answer.contains("m=audio 0 RTP/AVP") && answer.contains("m=audio 20000 RTP/SAVP 0\r\n"), "{answer}");
    }

    #[test]
    fn encryption_is_offered_where_nobody_reads_along() {
        let with = |srtp, secure| Local { sound: Preferences { srtp, ..local().sound }, secure, ..local() };
        for (srtp, secure, profile, lines) in [
            (Srtp::Offered, false, "RTP/AVP", 0),
            (Srtp::Offered, true, "RTP/AVP", 4),
            (Srtp::Required, false, "RTP/SAVP", 4),
            (Srtp::Off, true, "RTP/AVP", 0),
        ] {
            let ours = with(srtp, secure);
            let offer = offer(&ours);
            assert!(offer.contains(&format!("m=audio 20000 {profile} ")), "{offer}");
            assert_eq!(offer.matches("a=crypto:").count(), lines, "{offer}");
            if lines > 0 {
                let theirs = Local { rtp_port: 30_000, keys: Keys::random(), ..with(Srtp::Offered, false) };
                let (answer, at_peer) = parse(&offer).unwrap().answer(&theirs, None).unwrap();
                let at_us = parse(&answer).unwrap().accepted(&ours, None).unwrap();
                let (at_us, at_peer) = (at_us.crypto.unwrap(), at_peer.crypto.unwrap());
                assert_eq!((at_us.ours, at_us.theirs), (at_peer.theirs, at_peer.ours));
                // A tag that was never offered, or of another suite.
                for tag in ["9", "2"] {
                    let lie = answer.replace("a=crypto:1 ", &format!("a=crypto:{tag} "));
                    assert_eq!(parse(&lie).unwrap().accepted(&ours, None).unwrap_err(), Error::NoCrypto);
                }
            }
        }
        let plain = parse(PHONE).unwrap();
        assert!(plain.accepted(&with(Srtp::Offered, true), None).unwrap().crypto.is_none());
        assert_eq!(plain.accepted(&with(Srtp::Required, true), None).unwrap_err(), Error::NoCrypto);
    }

    proptest! {
        #[test]
        fn no_description_makes_it_panic(cut in 0usize..400, at in 0usize..400, bytes in prop::collection::vec(any::<u8>(), 0..40)) {
            let mut body = PHONE.as_bytes().to_vec();
            body.truncate(cut.max(1));
            let at = at.min(body.len());
            body.splice(at..at, bytes);
            if let Ok(remote) = Remote::parse(&body) {
                match (remote.suits(&local().sound), remote.answer(&local(), None)) {
                    (Ok(()), Ok((answer, _))) => prop_assert!(Remote::parse(answer.as_bytes()).is_ok(), "{answer}"),
                    (suits, answer) => prop_assert_eq!(suits.unwrap_err(), answer.unwrap_err()),
                }
            }
        }
    }
}

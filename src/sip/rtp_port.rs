//! The sound of one leg over RTP: a port that owns its two sockets and is asked once a frame.
//!
//! `receive` takes what the sockets hold and lets the jitter buffer make 20 ms of it; `send` packetises at the
//! agreed length. Neither waits, locks nor allocates (RTCP, every five seconds, does allocate). What signalling
//! agrees arrives as a new [`Plan`].

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant, SystemTime};

use arc_swap::ArcSwap;
use tracing::debug;

use super::latch::Latch;
use super::plan::{COMFORT_NOISE, Plan, SharedPlan};
use super::ports::RtpSockets;
use super::rtcp::{Heard, PeerReport, Reporter, Sent};
use super::rtp::{self, HEADER};
use crate::media::{Arrival, Encoder, Frame, JitterBuffer, JitterSettings, Key, Packet, Port, Quality, Received, keys};

const RATE: u32 = 8_000;
/// Timestamp units in a frame.
const BEAT: u32 = RATE / 50;
/// 60 ms of G.711 and a frame that waits.
const PENDING: usize = 640;
/// Longest datagram taken; what is longer is cut and refused.
const DATAGRAM: usize = 1_500;
/// Packets taken in one beat at most: a flood must not hold up the call.
const PER_BEAT: usize = 64;
/// RTCP is looked for this often, in beats.
const RTCP_BEATS: u32 = 10;
/// Keys heard and not yet reported.
const KEYS: usize = 16;

pub struct RtpPort {
    sockets: RtpSockets,
    plan: arc_swap::Cache<Arc<ArcSwap<Plan>>, Arc<Plan>>,
    /// Of the plan that is in force here.
    version: Option<u64>,
    media_timeout: Duration,
    latch: Latch,
    reporter: Reporter,
    bad: Arc<AtomicU64>,

    jitter: JitterBuffer,
    event_receiver: keys::Receiver,
    keys: [Option<Key>; KEYS],
    remote_ssrc: Option<u32>,
    heard_at: Option<Instant>,
    packets_bad: u64,
    beats: u32,

    encoder: Encoder,
    event_sender: keys::Sender,
    ssrc: u32,
    sequence: u16,
    timestamp: u32,
    /// Encoded, not yet a packet; the timestamp of its first byte.
    pending: [u8; PENDING],
    pending_len: usize,
    pending_timestamp: u32,
    /// The next packet of sound begins a talkspurt.
    marker: bool,
    talking: bool,
    sent: Sent,
    unsent: u64,
}

impl RtpPort {
    /// A port on `sockets` that follows `plan`; `bad` counts bad packets of the whole endpoint.
    pub fn new(sockets: RtpSockets, plan: SharedPlan, media_timeout: Duration, bad: Arc<AtomicU64>) -> Self {
        let ssrc = rand::random();
        let first = plan.load_full();
        Self {
            sockets,
            plan: arc_swap::Cache::new(plan),
            version: None,
            media_timeout,
            latch: Latch::default(),
            reporter: Reporter::new(ssrc, RATE),
            bad,
            jitter: JitterBuffer::new(RATE, JitterSettings::default()),
            event_receiver: keys::Receiver::new(),
            keys: [None; KEYS],
            remote_ssrc: None,
            heard_at: None,
            packets_bad: 0,
            beats: 0,
            encoder: first.codec.encoder(),
            event_sender: keys::Sender::new(),
            ssrc,
            sequence: rand::random(),
            timestamp: rand::random(),
            pending: [0; PENDING],
            pending_len: 0,
            pending_timestamp: 0,
            marker: true,
            talking: false,
            sent: Sent::default(),
            unsent: 0,
        }
    }

    /// Takes over a new plan, and gives the one in force.
    fn plan(&mut self) -> Arc<Plan> {
        let plan = self.plan.load().clone();
        if self.version != Some(plan.version) {
            self.version = Some(plan.version);
            self.latch.signalled(plan.remote, plan.signalled_from);
            self.encoder = plan.codec.encoder();
            self.pending_len = 0;
            self.marker = true;
        }
        plan
    }

    /// A key that came by signalling.
    pub fn pressed(&mut self, _now: Instant, key: Key) {
        if let Some(free) = self.keys.iter_mut().find(|slot| slot.is_none()) {
            *free = Some(key);
        }
    }

    fn drain_rtp(&mut self, now: Instant, plan: &Plan) {
        let mut buffer = [0; DATAGRAM];
        for _ in 0..PER_BEAT {
            // Any error is "nothing there": a closed port at the other end shows here, too, and says nothing.
            let Ok((len, source)) = self.sockets.rtp.recv_from(&mut buffer) else { return };
            if plan.receiving && !self.take(now, plan, source, &buffer[..len]) {
                self.count_bad();
            }
        }
    }

    /// Takes one datagram; false when it is no good.
    fn take(&mut self, now: Instant, plan: &Plan, source: SocketAddr, datagram: &[u8]) -> bool {
        let Some(packet) = rtp::parse(datagram) else { return false };
        if !self.latch.admits(now, source, packet.ssrc, packet.sequence) {
            return false;
        }
        self.heard_at = Some(now);
        if plan.events_in == Some(packet.payload_type) {
            self.jitter.skip(packet.ssrc, packet.sequence);
            return match self.event_receiver.receive(packet.timestamp, packet.payload) {
                Ok(key) => {
                    if let (Some(key), Some(free)) = (key, self.keys.iter_mut().find(|slot| slot.is_none())) {
                        *free = Some(key);
                    }
                    true
                }
                Err(keys::Malformed) => false,
            };
        }
        if packet.payload_type == COMFORT_NOISE {
            self.jitter.skip(packet.ssrc, packet.sequence);
            return true;
        }
        let Some(codec) = plan.codec_of(packet.payload_type) else { return false };
        let packet = Packet {
            ssrc: packet.ssrc,
            sequence: packet.sequence,
            timestamp: packet.timestamp,
            marker: packet.marker,
            codec,
            payload: packet.payload,
        };
        let arrival = self.jitter.push(now, &packet);
        if arrival != Arrival::Refused && self.remote_ssrc != Some(packet.ssrc) {
            self.remote_ssrc = Some(packet.ssrc);
            self.event_receiver.reset();
        }
        arrival != Arrival::Refused
    }

    fn drain_rtcp(&mut self, now: Instant, plan: &Plan) {
        let mut buffer = [0; DATAGRAM];
        for _ in 0..PER_BEAT {
            let Ok((len, source)) = self.sockets.rtcp.recv_from(&mut buffer) else { return };
            let known = plan.remote_rtcp == Some(source)
                || [self.latch.target(), plan.remote].into_iter().flatten().any(|peer| peer.ip() == source.ip());
            if known && self.reporter.receive(now, SystemTime::now(), &buffer[..len]) {
                self.heard_at = Some(now);
            } else {
                self.count_bad();
            }
        }
    }

    fn count_bad(&mut self) {
        self.packets_bad += 1;
        self.bad.fetch_add(1, Relaxed);
    }

    /// Sends what `buffer` holds after the header.
    fn transmit(&mut self, plan: &Plan, buffer: &mut [u8], payload_type: u8, marker: bool, timestamp: u32) {
        let header =
            rtp::Packet { payload_type, marker, sequence: self.sequence, timestamp, ssrc: self.ssrc, payload: &[] };
        rtp::write_header(buffer, &header);
        self.sequence = self.sequence.wrapping_add(1);
        let sent = plan.sending.then(|| self.latch.target()).flatten().map(|to| self.sockets.rtp.send_to(buffer, to));
        match sent {
            Some(Ok(_)) => {
                self.sent.packets = self.sent.packets.wrapping_add(1);
                self.sent.bytes = self.sent.bytes.wrapping_add((buffer.len() - HEADER) as u32);
            }
            _ => self.unsent += 1,
        }
    }

    /// As many packets as are full.
    fn packetise(&mut self, plan: &Plan) {
        let len = (plan.ptime_ms * RATE / 1_000) as usize;
        while self.pending_len >= len {
            let mut buffer = [0; HEADER + PENDING];
            buffer[HEADER..HEADER + len].copy_from_slice(&self.pending[..len]);
            let marker = std::mem::take(&mut self.marker);
            self.transmit(plan, &mut buffer[..HEADER + len], plan.payload_type, marker, self.pending_timestamp);
            self.pending.copy_within(len..self.pending_len, 0);
            self.pending_len -= len;
            self.pending_timestamp = self.pending_timestamp.wrapping_add(len as u32);
        }
    }

    fn report(&mut self, now: Instant, plan: &Plan) {
        if !self.reporter.is_due(now) {
            return;
        }
        let stats = self.jitter.stats();
        let heard = self.remote_ssrc.map(|ssrc| Heard {
            ssrc,
            received: stats.received,
            lost: stats.lost,
            highest_sequence: stats.highest_sequence,
            jitter_units: stats.jitter_units,
        });
        let sent = Sent { timestamp: self.timestamp, ..self.sent };
        if let (Some(report), Some(to)) =
            (self.reporter.report(now, SystemTime::now(), sent, heard), self.rtcp_target(plan))
        {
            // A report that is lost is followed by another.
            let _ = self.sockets.rtcp.send_to(&report, to);
        }
    }

    fn rtcp_target(&self, plan: &Plan) -> Option<SocketAddr> {
        match (self.latch.target(), plan.remote) {
            // Found elsewhere than signalled: RTCP, too, is one port above there.
            (Some(found), signalled) if signalled != Some(found) => {
                Some(SocketAddr::new(found.ip(), found.port().checked_add(1)?))
            }
            _ => plan.remote_rtcp,
        }
    }
}

impl Port for RtpPort {
    fn rate(&self) -> u32 {
        RATE
    }

    fn receive(&mut self, now: Instant, frame: &mut Frame) -> Received {
        let plan = self.plan();
        self.drain_rtp(now, &plan);
        self.beats = self.beats.wrapping_add(1);
        if self.beats.is_multiple_of(RTCP_BEATS) {
            self.drain_rtcp(now, &plan);
        }
        if !plan.receiving {
            self.heard_at = Some(now); // nothing is expected of a peer that put us on hold
        }
        let heard_at = *self.heard_at.get_or_insert(now);
        let heard = self.jitter.pull(now, frame);
        let key = self.keys[0].take();
        self.keys.rotate_left(1);
        Received { heard, key, timed_out: now.saturating_duration_since(heard_at) >= self.media_timeout, ended: false }
    }

    fn send(&mut self, now: Instant, frame: Option<&Frame>) {
        let plan = self.plan();
        let timestamp = self.timestamp;
        self.timestamp = timestamp.wrapping_add(BEAT);
        let busy = self.event_sender.is_busy();
        if let (Some(event), Some(number)) = (self.event_sender.beat(timestamp), plan.events_out) {
            let mut buffer = [0; HEADER + keys::EVENT_BYTES];
            buffer[HEADER..].copy_from_slice(&event.payload);
            self.transmit(&plan, &mut buffer, number, event.marker, event.timestamp);
        }
        if busy {
            // Sound resumes after the key as a new talkspurt (RFC 4733, 2.5.1.1).
            self.pending_len = 0;
            self.marker = true;
        } else {
            let talking = frame.is_some();
            self.marker |= talking && !self.talking;
            self.talking = talking;
            // A pause is sent as silence: phones and borders take a stream that stops for a dead one.
            let silence = Frame::silence(RATE);
            let frame = frame.filter(|frame| frame.rate() == RATE).unwrap_or(&silence);
            if self.pending_len == 0 {
                self.pending_timestamp = timestamp;
            }
            self.pending_len += self.encoder.encode(frame.samples(), &mut self.pending[self.pending_len..]);
            self.packetise(&plan);
        }
        self.report(now, &plan);
    }

    fn send_key(&mut self, key: Key) {
        if self.plan().events_out.is_none() || !self.event_sender.press(key) {
            self.unsent += 1;
        }
    }

    fn quality(&self) -> Quality {
        let stats = self.jitter.stats();
        Quality {
            packets_received: stats.received,
            packets_lost: stats.lost,
            packets_late: stats.late,
            packets_sent: self.sent.packets.into(),
            packets_bad: self.packets_bad,
            jitter_ms: stats.jitter_ms,
            buffer_ms: stats.buffer_ms,
            concealed: stats.concealed,
        }
    }
}

impl Drop for RtpPort {
    fn drop(&mut self) {
        if let Some(PeerReport { fraction_lost, jitter_ms, round_trip }) = self.reporter.peer() {
            debug!(fraction_lost, jitter_ms, ?round_trip, "the peer's last report on our sound");
        }
        let plan = self.plan.load().clone();
        if let (true, Some(bye), Some(to)) = (self.sent.packets > 0, self.reporter.bye(), self.rtcp_target(&plan)) {
            let _ = self.sockets.rtcp.send_to(&bye, to);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::{IpAddr, Ipv4Addr, UdpSocket};

    use super::super::ports::RtpPorts;
    use super::*;
    use crate::media::{Codec, Tone};

    const IP: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
    const BEAT: Duration = Duration::from_millis(20);

    fn plan(version: u64, to: u16) -> Plan {
        Plan {
            version,
            remote: Some(SocketAddr::new(IP, to)),
            remote_rtcp: Some(SocketAddr::new(IP, to + 1)),
            signalled_from: Some(IP),
            accepted: Codec::ALL.into_iter().map(|codec| (codec.payload_type(), codec)).collect(),
            events_out: Some(101),
            events_in: Some(101),
            sending: true,
            receiving: true,
            ..Plan::silent()
        }
    }

    struct Side {
        port: RtpPort,
        plan: SharedPlan,
        number: u16,
        bad: Arc<AtomicU64>,
    }

    /// A port that speaks with `to` (0: itself).
    fn side(ports: &RtpPorts, to: u16) -> Side {
        let sockets = ports.take(IP).unwrap();
        let number = sockets.port();
        let plan = plan(1, if to == 0 { number } else { to }).shared();
        let bad = Arc::new(AtomicU64::new(0));
        let port = RtpPort::new(sockets, plan.clone(), Duration::from_secs(2), bad.clone());
        Side { port, plan, number, bad }
    }

    fn pair(ports: &RtpPorts) -> (Side, Side) {
        let a = side(ports, 0);
        let b = side(ports, a.number);
        a.plan.store(Arc::new(plan(2, b.number)));
        (a, b)
    }

    /// One beat of both sides: each hears, then speaks. Gives what b received.
    fn beat(a: &mut Side, b: &mut Side, now: Instant, from_a: Option<&Frame>, heard: &mut Frame) -> Received {
        let received = b.port.receive(now, heard);
        a.port.receive(now, &mut Frame::silence(RATE));
        a.port.send(now, from_a);
        b.port.send(now, None);
        received
    }

    #[test]
    fn a_tone_arrives_whole_at_every_packet_length_and_codec() {
        let ports = RtpPorts::new(62_000..=62_199);
        for (codec, ptime_ms) in [(Codec::Pcmu, 20), (Codec::Pcma, 10), (Codec::Pcmu, 30), (Codec::Pcma, 60)] {
            let (mut a, mut b) = pair(&ports);
            let plan = Plan { codec, payload_type: codec.payload_type(), ptime_ms, ..plan(3, b.number) };
            a.plan.store(Arc::new(plan));
            let (mut tone, start, mut loud) = (Tone::sine(440.0, -10.0), Instant::now(), 0);
            for n in 0..100 {
                let (mut frame, mut heard) = (Frame::silence(RATE), Frame::silence(RATE));
                tone.next(&mut frame);
                let received = beat(&mut a, &mut b, start + n * BEAT, Some(&frame), &mut heard);
                loud += usize::from(received.heard && heard.level() > 0.2);
            }
            assert!(loud >= 90, "{codec:?} {ptime_ms} ms: {loud} of 100 frames");
            let (sent, quality) = (a.port.quality().packets_sent, b.port.quality());
            assert_eq!(sent, u64::from(100 * 20 / ptime_ms), "{ptime_ms} ms");
            assert_eq!((quality.packets_bad, quality.packets_lost), (0, 0));
        }
        assert_eq!(ports.in_use(), 0, "ports come back");
    }

    #[test]
    fn markers_timestamps_and_keys_on_the_wire() {
        let ports = RtpPorts::new(62_200..=62_299);
        let wire = UdpSocket::bind((IP, 0)).unwrap();
        wire.set_nonblocking(true).unwrap();
        let mut a = side(&ports, wire.local_addr().unwrap().port());
        let (start, mut tone) = (Instant::now(), Tone::sine(440.0, -10.0));
        a.port.send_key(Key::new('7').unwrap());
        let mut buffer = [0; 200];
        let mut packets = Vec::new();
        for n in 0..30 {
            let mut frame = Frame::silence(RATE);
            tone.next(&mut frame);
            let speaks = !(18..24).contains(&n);
            a.port.send(start + n * BEAT, speaks.then_some(&frame));
            while let Ok(len) = wire.recv(&mut buffer) {
                let packet = rtp::parse(&buffer[..len]).unwrap();
                packets.push((n, packet.payload_type, packet.marker, packet.timestamp, packet.sequence, len));
            }
        }
        let events: Vec<_> = packets.iter().filter(|packet| packet.1 == 101).collect();
        let sound: Vec<_> = packets.iter().filter(|packet| packet.1 == 0).collect();
        assert_eq!((events.len(), events[0].2, events[0].5), (7, true, 16), "5 updates, the end three times in all");
        assert!(events.iter().all(|event| event.3 == events[0].3), "one timestamp a press");
        let first = sound[0];
        assert_eq!((first.2, first.5), (true, 172), "sound after a key begins a talkspurt");
        assert!(sound.iter().all(|packet| packet.3 == first.3.wrapping_add(160 * (packet.0 - first.0))), "{sound:?}");
        let marked: Vec<_> = sound.iter().filter(|packet| packet.2).map(|packet| packet.0).collect();
        assert_eq!(marked, [first.0, 24], "after a pause, too");
        assert!(packets.windows(2).all(|pair| pair[1].4 == pair[0].4.wrapping_add(1)), "sequence numbers run on");
        assert_eq!(a.bad.load(Relaxed), 0);
    }

    #[test]
    fn keys_are_reported_once_each_in_order() {
        let ports = RtpPorts::new(62_300..=62_399);
        let (mut a, mut b) = pair(&ports);
        for key in "1234567890*#AD".chars() {
            a.port.send_key(Key::new(key).unwrap());
        }
        let (start, mut keys) = (Instant::now(), String::new());
        for n in 0..250 {
            let received = beat(&mut a, &mut b, start + n * BEAT, None, &mut Frame::silence(RATE));
            keys.extend(received.key.map(Key::as_char));
        }
        assert_eq!(keys, "1234567890*#AD");
        assert_eq!(b.port.quality().packets_lost, 0, "event packets are not missed as sound");
    }

    #[test]
    fn a_held_side_hears_nothing_and_nobody_calls_it_lost() {
        let ports = RtpPorts::new(62_400..=62_499);
        let (mut a, mut b) = pair(&ports);
        a.plan.store(Arc::new(Plan { sending: false, receiving: false, remote_rtcp: None, ..plan(5, b.number) }));
        let (start, loud) = (Instant::now(), Frame::from_samples(RATE, &[9_000; 160]));
        let mut lost = None;
        for n in 0..150u32 {
            let now = start + n * BEAT;
            let received = b.port.receive(now, &mut Frame::silence(RATE));
            assert!(!received.heard);
            lost = lost.or(received.timed_out.then_some(n));
            assert!(!a.port.receive(now, &mut Frame::silence(RATE)).timed_out, "on hold silence is no loss");
            a.port.send(now, Some(&loud));
            b.port.send(now, Some(&loud));
        }
        assert_eq!(a.port.quality().packets_sent, 0);
        assert_eq!(lost, Some(100), "the other side misses it after its media timeout of 2 s");
    }

    #[test]
    fn sound_follows_a_new_address_and_codec_at_once() {
        let ports = RtpPorts::new(62_700..=62_799);
        let (mut a, mut b) = pair(&ports);
        let mut c = side(&ports, a.number);
        let (start, tone) = (Instant::now(), Frame::from_samples(RATE, &[9_000; 160]));
        let (mut heard_b, mut heard_c) = (0, 0);
        for n in 0..100u32 {
            let now = start + n * BEAT;
            if n == 50 {
                let moved = Plan { codec: Codec::Pcma, payload_type: 8, ..plan(9, c.number) };
                a.plan.store(Arc::new(moved));
            }
            heard_b += u32::from(beat(&mut a, &mut b, now, Some(&tone), &mut Frame::silence(RATE)).heard);
            heard_c += u32::from(c.port.receive(now, &mut Frame::silence(RATE)).heard);
        }
        assert!((45..=54).contains(&heard_b) && (45..=50).contains(&heard_c), "{heard_b} {heard_c}");
        assert_eq!(c.port.quality().packets_bad, 0);
        // The peer that was left speaks on, and is no longer heard.
        assert!(a.bad.load(Relaxed) > 40, "{}", a.bad.load(Relaxed));
    }

    #[test]
    fn strangers_nonsense_and_giants_are_counted_not_heard() {
        let ports = RtpPorts::new(62_500..=62_599);
        let (mut a, mut b) = pair(&ports);
        let stranger = UdpSocket::bind((IP, 0)).unwrap();
        let (start, target) = (Instant::now(), SocketAddr::new(IP, b.number));
        let mut nasty = vec![vec![], vec![0x80], vec![0xff; 1_500], vec![0x80; 12], vec![0x9f; 60]];
        let mut giant = vec![0; HEADER + 1_400];
        let header = rtp::Packet { payload_type: 0, marker: false, sequence: 9, timestamp: 0, ssrc: 1, payload: &[] };
        rtp::write_header(&mut giant, &header);
        nasty.push(giant);
        let tone = Frame::from_samples(RATE, &[9_000; 160]);
        for n in 0..100u32 {
            let now = start + n * BEAT;
            if n == 50 {
                for datagram in &nasty {
                    stranger.send_to(datagram, target).unwrap();
                    // The same from the right address.
                    a.port.sockets.rtp.send_to(datagram, target).unwrap();
                }
                stranger.send_to(&[0; 8], SocketAddr::new(IP, b.number + 1)).unwrap();
            }
            let received = beat(&mut a, &mut b, now, Some(&tone), &mut Frame::silence(RATE));
            assert!(n < 10 || received.heard, "sound goes on at beat {n}");
        }
        let quality = b.port.quality();
        assert_eq!(quality.packets_bad, 2 * nasty.len() as u64 + 1);
        assert_eq!(b.bad.load(Relaxed), quality.packets_bad);
        assert_eq!(quality.packets_lost, 0);
    }

    #[test]
    fn both_sides_report_and_learn_the_other_report() {
        let ports = RtpPorts::new(62_600..=62_699);
        let (mut a, mut b) = pair(&ports);
        let (start, tone) = (Instant::now(), Frame::from_samples(RATE, &[9_000; 160]));
        for n in 0..1_000 {
            beat(&mut a, &mut b, start + n * BEAT, Some(&tone), &mut Frame::silence(RATE));
        }
        let report = a.port.reporter.peer().expect("a report within 20 s");
        assert!(report.fraction_lost < 0.01 && report.jitter_ms < 20.0, "{report:?}");
        assert!(b.port.reporter.peer().is_some());
        assert_eq!(b.port.quality().packets_bad, 0);
        // The end is said, too: a goes, and b's RTCP socket holds its BYE.
        drop(a);
        let mut buffer = [0; 500];
        let mut last = Vec::new();
        while let Ok((len, _)) = b.port.sockets.rtcp.recv_from(&mut buffer) {
            last = buffer[..len].to_vec();
        }
        assert!(last.windows(2).any(|pair| pair == [0x81, 203]), "BYE: {last:02x?}");
    }
}

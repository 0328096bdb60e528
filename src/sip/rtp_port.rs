//! The sound of one leg over RTP or SRTP: a port that owns its wire (mostly two sockets) and is asked once a frame.
//!
//! `receive` takes what the wire holds and lets the jitter buffer make 20 ms of it; `send` packetises at the
//! agreed length. Neither waits, locks nor allocates (RTCP, every five seconds, does allocate, and so does another
//! codec or key). What signalling agrees arrives as a new [`Plan`]. The port's rate is that of the codec agreed first;
//! where a later one has another, sound is converted here.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant, SystemTime};

use arc_swap::ArcSwap;
use tracing::debug;

use super::latch::Latch;
use super::plan::{COMFORT_NOISE, Plan, SharedPlan};
use super::rtcp::{Heard, Metrics, PeerReport, Reporter, Sent};
use super::rtp::{self, HEADER};
use super::settings::InbandKeys;
use super::srtp;
use super::wire::Wire;
use crate::media::{
    Arrival, Codec, Converter, Encoder, Frame, JitterBuffer, JitterSettings, Key, OpusWishes, Packet, Port, Presses,
    Quality, Received, Way, dtmf, keys, mos,
};

/// 60 ms at 16 kHz and a frame that waits, samples.
const PENDING: usize = 1_280;
/// Payload of a packet of ours at most.
const PAYLOAD: usize = 640;
/// Longest datagram taken; what is longer is cut and refused.
const DATAGRAM: usize = 1_500;
/// How loud our own pauses are said to be, -dBov: a quiet room.
const PAUSE_LEVEL: u8 = 75;
/// Beats between the packets that say so.
const PAUSE_BEATS: u32 = 25;
/// A pause that the peer has announced may last so many media timeouts: it need not repeat itself.
const ANNOUNCED: u32 = 3;
/// Packets taken in one beat at most: a flood must not hold up the call.
const PER_BEAT: usize = 64;
/// RTCP is looked for this often, in beats.
const RTCP_BEATS: u32 = 10;
/// Keys heard and not yet reported.
const KEYS: usize = 16;
/// A line gives back a tone of ours as echo this long, at most.
const ECHO: Duration = Duration::from_millis(400);

pub struct RtpPort {
    wire: Box<dyn Wire>,
    plan: arc_swap::Cache<Arc<ArcSwap<Plan>>, Arc<Plan>>,
    /// Of the plan that is in force here.
    version: Option<u64>,
    media_timeout: Duration,
    latch: Latch,
    reporter: Reporter,
    bad: Arc<AtomicU64>,
    rate: u32,

    jitter: JitterBuffer,
    event_receiver: keys::Receiver,
    inband: InbandKeys,
    detector: dtmf::Detector,
    presses: Presses,
    /// Pressed, in order, not yet reported.
    keys: [Option<Key>; KEYS],
    /// The sound heard is that of a key.
    muted: bool,
    remote_ssrc: Option<u32>,
    heard_at: Option<Instant>,
    /// The last packet announced a pause.
    paused: bool,
    encrypted: bool,
    packets_bad: u64,
    packets_unauthentic: u64,
    packets_foreign: u64,
    beats: u32,
    /// From the codec's rate to the port's, and back.
    from_codec: Converter,
    to_codec: Converter,
    opener: Option<srtp::Receiver>,
    protector: Option<srtp::Sender>,

    encoding: (Codec, OpusWishes),
    encoder: Encoder,
    event_sender: keys::Sender,
    /// For a peer that takes no events.
    tone_sender: dtmf::Tones,
    /// The last tone of ours and when it was sent.
    own_tone: Option<(Key, Instant)>,
    ssrc: u32,
    sequence: u16,
    timestamp: u32,
    /// Sound at the codec's rate, not yet a packet; the timestamp of its first sample.
    pending: [i16; PENDING],
    pending_len: usize,
    pending_timestamp: u32,
    /// The next packet of sound begins a talkspurt.
    marker: bool,
    talking: bool,
    /// Beats since our own pause was announced to the peer.
    announced: Option<u32>,
    sent: Sent,
    unsent: u64,
}

impl RtpPort {
    /// A port on `wire` with frames of `rate` Hz that follows `plan`; `bad` counts bad packets of the whole endpoint.
    pub fn new(
        wire: impl Wire + 'static,
        rate: u32,
        plan: SharedPlan,
        media_timeout: Duration,
        bad: Arc<AtomicU64>,
    ) -> Self {
        let ssrc = rand::random();
        let first = plan.load_full();
        Self {
            wire: Box::new(wire),
            plan: arc_swap::Cache::new(plan),
            version: None,
            media_timeout,
            latch: Latch::default(),
            reporter: Reporter::new(ssrc, first.codec.clock_rate()),
            bad,
            rate,
            jitter: JitterBuffer::new(first.codec.rate(), JitterSettings::default()),
            event_receiver: keys::Receiver::new(),
            inband: InbandKeys::default(),
            detector: dtmf::Detector::new(),
            presses: Presses::new(),
            keys: [None; KEYS],
            muted: false,
            remote_ssrc: None,
            heard_at: None,
            paused: false,
            encrypted: false,
            packets_bad: 0,
            packets_unauthentic: 0,
            packets_foreign: 0,
            beats: 0,
            from_codec: Converter::default(),
            to_codec: Converter::default(),
            opener: None,
            protector: None,
            encoding: (first.codec, first.opus),
            encoder: first.codec.encoder_with(first.opus),
            event_sender: keys::Sender::new(),
            tone_sender: dtmf::Tones::new(),
            own_tone: None,
            ssrc,
            sequence: first_sequence(),
            timestamp: rand::random(),
            pending: [0; PENDING],
            pending_len: 0,
            pending_timestamp: 0,
            marker: true,
            talking: false,
            announced: None,
            sent: Sent::default(),
            unsent: 0,
        }
    }

    /// Hears keys in the sound, too, as far as `inband` says.
    pub fn with_inband_keys(mut self, inband: InbandKeys) -> Self {
        self.inband = inband;
        self
    }

    /// Sends as this source, which was agreed by signalling.
    pub fn with_ssrc(mut self, ssrc: u32) -> Self {
        self.ssrc = ssrc;
        self.reporter = Reporter::new(ssrc, self.encoding.0.clock_rate());
        self
    }

    /// A key came by signalling (SIP INFO). It is reported with the next frames, unless the same press is known
    /// already.
    pub fn pressed(&mut self, now: Instant, key: Key) {
        self.press(now, Way::Info, key);
    }

    /// Takes over a new plan, and gives the one in force.
    fn plan(&mut self) -> Arc<Plan> {
        let plan = self.plan.load().clone();
        if self.version != Some(plan.version) {
            self.version = Some(plan.version);
            self.latch.signalled(plan.remote, plan.signalled_from);
            self.follow_codec(&plan);
            self.encrypted = plan.crypto.is_some() || self.wire.is_secure();
            if let Some(crypto) = &plan.crypto {
                // A key that stays keeps its roll-overs and its replay window.
                if !self.opener.as_ref().is_some_and(|opener| opener.is_of(&crypto.theirs)) {
                    self.opener = Some(srtp::Receiver::new(&crypto.theirs));
                }
                if !self.protector.as_ref().is_some_and(|protector| protector.is_of(&crypto.ours)) {
                    self.protector = Some(srtp::Sender::new(&crypto.ours));
                }
            }
        }
        plan
    }

    fn follow_codec(&mut self, plan: &Plan) {
        let (before, wanted) = (self.encoding.0, (plan.codec, plan.opus));
        if self.encoding == wanted {
            return;
        }
        self.encoding = wanted;
        self.encoder = plan.codec.encoder_with(plan.opus);
        self.pending_len = 0;
        self.marker = true;
        if before.clock_rate() != plan.codec.clock_rate() {
            // Another clock wants another stream (RFC 7160, 4.1).
            self.ssrc = rand::random();
            self.sequence = first_sequence();
            self.reporter.begin_anew(self.ssrc, plan.codec.clock_rate());
        }
    }

    fn drain_rtp(&mut self, now: Instant, plan: &Plan) {
        let mut buffer = [0; DATAGRAM];
        for _ in 0..PER_BEAT {
            let Some((len, source)) = self.wire.receive(&mut buffer) else { return };
            if rtp::is_stun(&buffer[..len]) {
                continue;
            }
            if !plan.receiving {
                continue;
            }
            if let Err(why) = self.take(now, plan, source, &mut buffer[..len]) {
                self.count_bad(why, !self.latch.knows(source));
            }
        }
    }

    /// Takes one datagram, or says why it is no good.
    fn take(&mut self, now: Instant, plan: &Plan, source: SocketAddr, datagram: &mut [u8]) -> Result<(), &'static str> {
        let len = match (&plan.crypto, &mut self.opener) {
            (None, _) => datagram.len(),
            // Before all else: what is not the peer's must not move the latch either.
            (Some(_), Some(opener)) => match opener.open(datagram) {
                Ok(len) => len,
                Err(srtp::Refused::Doubled) => return Ok(()),
                Err(srtp::Refused::Forged) => {
                    self.packets_unauthentic += 1;
                    return Err("no key of the call made it");
                }
            },
            (Some(_), None) => return Err("there is no key"), // `plan` has made one
        };
        let packet = rtp::parse(&datagram[..len]).ok_or("it is no RTP")?;
        if !self.latch.admits(now, source, packet.ssrc, packet.sequence) {
            return Err("it is not the peer's");
        }
        self.heard_at = Some(now);
        self.paused = packet.payload_type == COMFORT_NOISE;
        if plan.events_in.contains(&packet.payload_type) {
            self.jitter.skip(packet.ssrc, packet.sequence);
            let event = self.event_receiver.receive(packet.timestamp, packet.payload);
            match event.map_err(|keys::Malformed| "its event is malformed")? {
                Some(key) => self.press(now, Way::Event, key),
                None => self.presses.held(now, Way::Event),
            }
            return Ok(());
        }
        if packet.payload_type == COMFORT_NOISE {
            self.jitter.pause(packet.ssrc, packet.sequence, packet.payload);
            return Ok(());
        }
        let codec = plan.codec_of(packet.payload_type).ok_or("its payload type was not agreed")?;
        let packet = Packet {
            ssrc: packet.ssrc,
            sequence: packet.sequence,
            timestamp: packet.timestamp,
            marker: packet.marker,
            codec,
            payload: packet.payload,
        };
        if self.jitter.push(now, &packet) == Arrival::Refused {
            return Err("it is empty, too long, or not of the stream");
        }
        if self.remote_ssrc != Some(packet.ssrc) {
            self.remote_ssrc = Some(packet.ssrc);
            self.event_receiver.reset();
        }
        Ok(())
    }

    /// A press that is not known by another way yet waits to be reported.
    fn press(&mut self, now: Instant, way: Way, key: Key) {
        if self.presses.report(now, way, key)
            && let Some(free) = self.keys.iter_mut().find(|slot| slot.is_none())
        {
            *free = Some(key);
        }
    }

    /// Finds keys in the sound of `frame`, and takes their tones out of it: nobody shall hear as speech, or as a key
    /// for the second time, what is reported as a key.
    fn hear_tones(&mut self, now: Instant, plan: &Plan, frame: &mut Frame, made_up: bool) {
        if self.inband == InbandKeys::Off {
            return;
        }
        let heard = self.detector.hear(frame, made_up);
        let reports = self.inband == InbandKeys::On || plan.events_in.is_empty();
        let echo = |key| self.own_tone.is_some_and(|(own, at)| own == key && now.saturating_duration_since(at) < ECHO);
        if let Some(key) = heard.pressed.filter(|key| reports && !echo(*key)) {
            self.press(now, Way::Tones, key);
        }
        if heard.down {
            self.presses.held(now, Way::Tones);
        }
        let mute = heard.tone && (reports || self.presses.is_fresh(now, Way::Event));
        let was = std::mem::replace(&mut self.muted, mute);
        if was || mute {
            fade(frame, !was, !mute);
        }
    }

    fn drain_rtcp(&mut self, now: Instant, plan: &Plan) {
        let mut buffer = [0; DATAGRAM];
        for _ in 0..PER_BEAT {
            let Some((len, source)) = self.wire.receive_rtcp(&mut buffer) else { return };
            if rtp::is_stun(&buffer[..len]) {
                continue;
            }
            let known = plan.remote_rtcp == Some(source)
                || [self.latch.target(), plan.remote].into_iter().flatten().any(|peer| peer.ip() == source.ip());
            let opened = match (&plan.crypto, &mut self.opener) {
                (None, _) => Some(len),
                (Some(_), Some(opener)) => match opener.open_rtcp(&mut buffer[..len]) {
                    Ok(len) => Some(len),
                    Err(srtp::Refused::Doubled) => continue,
                    Err(srtp::Refused::Forged) => None,
                },
                (Some(_), None) => None, // `plan` has made one
            };
            self.packets_unauthentic += u64::from(opened.is_none());
            let good = opened.is_some_and(|len| self.reporter.receive(now, SystemTime::now(), &buffer[..len]));
            if known && good {
                self.heard_at = Some(now);
            } else {
                let next = |at: SocketAddr| Some(SocketAddr::new(at.ip(), at.port().checked_add(1)?));
                let theirs = [plan.remote_rtcp, self.latch.target(), self.latch.target().and_then(next)];
                let why = if opened.is_none() { "no key of the call made it" } else { "it is no RTCP of the peer's" };
                self.count_bad(why, !theirs.contains(&Some(source)));
            }
        }
    }

    fn count_bad(&mut self, why: &'static str, foreign: bool) {
        if self.packets_bad == 0 {
            debug!(why, foreign, "a packet is refused, the first of its leg");
        }
        self.packets_bad += 1;
        self.packets_foreign += u64::from(foreign);
        self.bad.fetch_add(1, Relaxed);
    }

    /// Sends the `len` bytes of payload that `buffer` holds after room for the header.
    fn transmit(&mut self, plan: &Plan, buffer: &mut Datagram, len: usize, payload_type: u8, at: (bool, u32)) {
        let (marker, timestamp) = at;
        let header =
            rtp::Packet { payload_type, marker, sequence: self.sequence, timestamp, ssrc: self.ssrc, payload: &[] };
        rtp::write_header(buffer, &header);
        self.sequence = self.sequence.wrapping_add(1);
        let to = plan.sending.then(|| self.latch.target()).flatten();
        let whole = match (&plan.crypto, &mut self.protector) {
            (None, _) => Some(HEADER + len),
            // Never in the clear once keys are agreed.
            (Some(_), protector) => protector.as_mut().and_then(|keys| keys.protect(buffer, HEADER + len)),
        };
        let sent = to.zip(whole).is_some_and(|(to, whole)| self.wire.send(&buffer[..whole], to));
        if sent {
            self.sent.packets = self.sent.packets.wrapping_add(1);
            self.sent.bytes = self.sent.bytes.wrapping_add(len as u32);
        } else {
            self.unsent += 1;
        }
    }

    /// As many packets as are full.
    fn packetise(&mut self, plan: &Plan) {
        let ms = plan.codec.packet_ms(plan.ptime_ms);
        let (len, units) = ((ms * plan.codec.rate() / 1_000) as usize, ms * plan.codec.clock_rate() / 1_000);
        while self.pending_len >= len {
            let mut buffer = [0; HEADER + PAYLOAD + srtp::OVERHEAD];
            let coded = self.encoder.encode(&self.pending[..len], &mut buffer[HEADER..HEADER + PAYLOAD]);
            if coded > 0 {
                let marker = std::mem::take(&mut self.marker);
                self.transmit(plan, &mut buffer, coded, plan.payload_type, (marker, self.pending_timestamp));
            } else {
                self.marker = true; // the codec says nothing in a pause: sound begins anew after it
            }
            self.pending.copy_within(len..self.pending_len, 0);
            self.pending_len -= len;
            self.pending_timestamp = self.pending_timestamp.wrapping_add(units);
        }
    }

    /// A pause of ours by comfort noise: true when nothing more is to be sent on this beat.
    fn announce(&mut self, plan: &Plan, timestamp: u32) -> bool {
        if !plan.comfort_noise || plan.codec == Codec::Opus {
            return false;
        }
        // The last sound goes out whole.
        let beats = self.announced.unwrap_or(PAUSE_BEATS);
        if self.pending_len > 0 && self.announced.is_none() {
            return false;
        }
        self.announced = Some(if beats >= PAUSE_BEATS { 1 } else { beats + 1 });
        if beats >= PAUSE_BEATS {
            let mut buffer = [0; HEADER + PAYLOAD + srtp::OVERHEAD];
            buffer[HEADER] = PAUSE_LEVEL;
            self.transmit(plan, &mut buffer, 1, COMFORT_NOISE, (false, timestamp));
        }
        true
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
            metrics: plan.voip_metrics.then(|| self.metrics()),
        });
        let sent = Sent { timestamp: self.timestamp, ..self.sent };
        if let (Some(report), Some(to)) =
            (self.reporter.report(now, SystemTime::now(), sent, heard), self.rtcp_target(plan))
        {
            self.send_rtcp(plan, &report, to);
        }
    }

    /// How the peer sounds here.
    fn metrics(&self) -> Metrics {
        let (stats, quality, codec) = (self.jitter.stats(), self.quality(), self.encoding.0);
        let all = (stats.received + stats.lost).max(1) as f32;
        let longest_buffer_ms = JitterSettings::default().max_ms as f32;
        Metrics {
            lost: stats.lost as f32 / all,
            late: stats.late as f32 / all,
            bursts: stats.bursts,
            packet_ms: stats.packet_ms,
            round_trip_ms: quality.round_trip_ms.unwrap_or(0.0),
            delay_ms: stats.buffer_ms + codec.delay_ms() + stats.packet_ms,
            buffer_ms: stats.target_ms,
            longest_buffer_ms,
            r_factor: mos::r_factor(codec, self.delay_ms() + stats.buffer_ms, stats.concealed),
            mos_listening: mos::mos(mos::r_factor(codec, 0.0, stats.concealed)),
            mos_talking: quality.mos.unwrap_or(1.0),
        }
    }

    /// From mouth to ear without the buffer: half the way there and back, a packet, the codec.
    fn delay_ms(&self) -> f32 {
        let round_trip = self.reporter.peer().and_then(|peer| peer.round_trip);
        round_trip.map_or(0.0, |trip| trip.as_secs_f32() * 1e3) / 2.0 + 20.0 + self.encoding.0.delay_ms()
    }

    fn send_rtcp(&mut self, plan: &Plan, packet: &[u8], to: SocketAddr) {
        let mut buffer = [0; DATAGRAM];
        let len = packet.len().min(DATAGRAM - srtp::OVERHEAD);
        buffer[..len].copy_from_slice(&packet[..len]);
        let whole = match (&plan.crypto, &mut self.protector) {
            (None, _) => Some(len),
            (Some(_), protector) => protector.as_mut().and_then(|keys| keys.protect_rtcp(&mut buffer, len)),
        };
        if let Some(whole) = whole {
            self.wire.send_rtcp(&buffer[..whole], to);
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

/// Lets a frame begin heard or not, and be heard or not after 5 ms.
fn fade(frame: &mut Frame, begins: bool, goes_on: bool) {
    let ramp = (frame.rate() / 200) as usize;
    let (from, to) = (i32::from(begins), i32::from(goes_on));
    for (n, sample) in frame.samples_mut().iter_mut().enumerate() {
        let n = n.min(ramp) as i32;
        let ramp = ramp.max(1) as i32;
        *sample = (i32::from(*sample) * (from * (ramp - n) + to * n) / ramp) as i16;
    }
}

/// Payload after a header, with room for protection.
type Datagram = [u8; HEADER + PAYLOAD + srtp::OVERHEAD];

/// In the lower half, so that no peer mistakes the first roll-over (RFC 4568, 6.4).
fn first_sequence() -> u16 {
    rand::random::<u16>() >> 1
}

impl Port for RtpPort {
    fn rate(&self) -> u32 {
        self.rate
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
        let heard = if self.jitter.rate() == frame.rate() {
            self.jitter.pull(now, frame)
        } else {
            let mut coded = Frame::silence(self.jitter.rate());
            let heard = self.jitter.pull(now, &mut coded);
            self.from_codec.run(&coded, frame);
            heard
        };
        self.hear_tones(now, &plan, frame, !heard);
        let key = self.keys[0].take();
        self.keys.rotate_left(1);
        let patience = if self.paused { self.media_timeout * ANNOUNCED } else { self.media_timeout };
        Received { heard, key, timed_out: now.saturating_duration_since(heard_at) >= patience, ended: false }
    }

    fn send(&mut self, now: Instant, frame: Option<&Frame>) {
        let plan = self.plan();
        let timestamp = self.timestamp;
        self.timestamp = timestamp.wrapping_add(plan.codec.clock_rate() / 50);
        let busy = self.event_sender.is_busy();
        if let Some((number, clock)) = plan.events_out
            && let Some(event) = self.event_sender.beat_of(clock / 50, timestamp)
        {
            let mut buffer = [0; HEADER + PAYLOAD + srtp::OVERHEAD];
            buffer[HEADER..HEADER + keys::EVENT_BYTES].copy_from_slice(&event.payload);
            self.transmit(&plan, &mut buffer, keys::EVENT_BYTES, number, (event.marker, event.timestamp));
        }
        if busy {
            // Sound resumes after the key as a new talkspurt (RFC 4733, 2.5.1.1).
            self.pending_len = 0;
            self.marker = true;
        } else if frame.is_some() || self.tone_sender.sending().is_some() || !self.announce(&plan, timestamp) {
            let mut tone = Frame::silence(self.rate);
            if let Some(key) = self.tone_sender.sending() {
                self.own_tone = Some((key, now));
            }
            let frame = if self.tone_sender.next(&mut tone) { Some(&tone) } else { frame };
            let talking = frame.is_some();
            self.marker |= talking && !self.talking;
            self.talking = talking;
            if talking {
                self.announced = None;
            }
            if self.pending_len == 0 {
                self.pending_timestamp = timestamp;
            }
            // A pause is sent as silence: phones and borders take a stream that stops for a dead one.
            let mut coded = Frame::silence(plan.codec.rate());
            match frame {
                Some(frame) if frame.rate() == coded.rate() => coded = *frame,
                Some(frame) => self.to_codec.run(frame, &mut coded),
                None => {}
            }
            let end = self.pending_len + coded.len();
            if let Some(room) = self.pending.get_mut(self.pending_len..end) {
                room.copy_from_slice(coded.samples());
                self.pending_len = end;
            }
            self.packetise(&plan);
        } else {
            self.talking = false;
        }
        self.report(now, &plan);
    }

    fn send_key(&mut self, key: Key) {
        let taken = match self.plan().events_out {
            Some(_) => self.event_sender.press(key),
            None => self.tone_sender.press(key),
        };
        self.unsent += u64::from(!taken);
    }

    fn quality(&self) -> Quality {
        let (stats, peer, codec) = (self.jitter.stats(), self.reporter.peer(), self.encoding.0);
        let round_trip_ms = peer.and_then(|peer| peer.round_trip).map(|trip| trip.as_secs_f32() * 1e3);
        let way = self.delay_ms();
        let heard = stats.received > 0;
        let peer_lost = peer.map(|peer| (peer.lost as f32 / self.sent.packets.max(1) as f32).min(1.0));
        let score = |delay, lost| mos::mos(mos::r_factor(codec, delay, lost));
        Quality {
            packets_received: stats.received,
            packets_lost: stats.lost,
            packets_late: stats.late,
            packets_sent: self.sent.packets.into(),
            packets_bad: self.packets_bad,
            packets_unauthentic: self.packets_unauthentic,
            packets_foreign: self.packets_foreign,
            jitter_ms: stats.jitter_ms,
            buffer_ms: stats.buffer_ms,
            concealed: stats.concealed,
            codec: (self.sent.packets > 0 || heard).then_some(codec),
            encrypted: self.encrypted,
            round_trip_ms,
            peer_lost,
            peer_jitter_ms: peer.map(|peer| peer.jitter_ms),
            mos: heard.then(|| score(way + stats.buffer_ms, stats.concealed)),
            // Its buffer is its own affair: at least the jitter it sees.
            peer_mos: peer
                .zip(peer_lost)
                .map(|(peer, lost)| peer.mos.unwrap_or_else(|| score(way + 2.0 * peer.jitter_ms, lost))),
        }
    }
}

impl Drop for RtpPort {
    fn drop(&mut self) {
        if let Some(PeerReport { fraction_lost, jitter_ms, round_trip, .. }) = self.reporter.peer() {
            debug!(fraction_lost, jitter_ms, ?round_trip, "the peer's last report on our sound");
        }
        let plan = self.plan.load().clone();
        if let (true, Some(bye), Some(to)) = (self.sent.packets > 0, self.reporter.bye(), self.rtcp_target(&plan)) {
            self.send_rtcp(&plan, &bye, to);
        }
    }
}

#[cfg(test)]
#[path = "rtp_port_tests.rs"]
mod tests;

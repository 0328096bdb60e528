//! The jitter buffer: RTP packets in as they come, 20 ms of sound out on every beat.
//!
//! Packets wait encoded in fixed slots and are decoded in order when their time comes. The delay follows the
//! network: it aims at the 97th percentile of the packets' extra transit time (relative to the quickest of
//! the last 5-10 s), so about 3 % of packets may come late while jitter lasts; 20-30 ms on a calm line, 200 ms
//! at most. It is changed by taking out or repeating one pitch period, or freely in a pause. Sequence and jitter
//! arithmetic follow RFC 3550 (6.4.1, A.1, A.8); silence suppression (RFC 3551, 4.1) is not loss, and where comfort
//! noise (RFC 3389) was announced for it, that is heard. Lost Opus comes out of the next packet's redundancy where
//! there is some, else of libopus's own concealment.

use std::time::Instant;

use super::bursts::{BurstCounter, Bursts};
use super::{
    Codec, ComfortNoise, Concealment, Decoder, Frame, Quality,
    delay::Delay,
    plc::{best_lag, blend, similarity},
};

/// Bytes of payload a slot holds: 60 ms of G.711 or G.722, 60 ms of Opus at 170 kbit/s.
pub const MAX_PAYLOAD: usize = 1_280;
const SLOTS: usize = 64;
/// Longest packet, ms (RFC 7587, 3).
const LONGEST_MS: usize = 120;
/// Made up without a break for so long, sound is over, ms.
const DRY_MS: usize = 60;

/// One packet of sound, its RTP header parsed.
#[derive(Clone, Copy, Debug)]
pub struct Packet<'a> {
    pub ssrc: u32,
    pub sequence: u16,
    /// In units of the codec's clock rate.
    pub timestamp: u32,
    pub marker: bool,
    pub codec: Codec,
    pub payload: &'a [u8],
}

/// What became of a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Arrival {
    Queued,
    /// Came before.
    Duplicate,
    /// Its time is over.
    Late,
    /// Not of the stream being played (yet), empty, or too large.
    Refused,
}

/// Limits of the delay, ms.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct JitterSettings {
    pub min_ms: u32,
    pub max_ms: u32,
    /// Used until ten packets have shown how the line is.
    pub initial_ms: u32,
}

impl Default for JitterSettings {
    fn default() -> Self {
        Self { min_ms: 20, max_ms: 200, initial_ms: 40 }
    }
}

/// Figures since the buffer was built.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct JitterStats {
    pub received: u64,
    /// Sequence numbers that never came (RFC 3550, A.3; never below 0).
    pub lost: u64,
    pub late: u64,
    pub duplicates: u64,
    pub refused: u64,
    /// Times that the stream began anew (another SSRC, a jump of timestamps, a lasting change of delay).
    pub restarts: u64,
    /// Highest sequence number with its cycles (RFC 3550, 6.4.1), for receiver reports.
    pub highest_sequence: u32,
    /// Interarrival jitter, ms and in timestamp units.
    pub jitter_ms: f32,
    pub jitter_units: u32,
    /// What the delay aims at, and its mean so far, ms.
    pub target_ms: f32,
    pub buffer_ms: f32,
    /// Share of the sound given out that was made up for loss, 0..=1.
    pub concealed: f32,
    /// How loss came, as of what was played, and how long a packet is.
    pub bursts: Bursts,
    pub packet_ms: f32,
}

impl From<JitterStats> for Quality {
    /// The receiving side of a call's quality; what was sent is for the port to add.
    fn from(stats: JitterStats) -> Self {
        Quality {
            packets_received: stats.received,
            packets_lost: stats.lost,
            packets_late: stats.late,
            packets_bad: stats.refused,
            jitter_ms: stats.jitter_ms,
            buffer_ms: stats.buffer_ms,
            concealed: stats.concealed,
            ..Quality::default()
        }
    }
}

/// A jitter buffer for one stream of sound. Allocates only when built, and when a codec is heard for the first time.
pub struct JitterBuffer {
    /// Of the codec heard now: its sound's, and its timestamps'.
    rate: u32,
    clock: u32,
    settings: JitterSettings,
    epoch: Option<Instant>,
    stream: Option<Stream>,
    /// The last packet that did not fit the stream: the next one of its kind begins a new stream.
    suspect: Option<(u32, u16)>,
    slots: Box<[Slot]>,
    decoder: Decoder,
    /// The one before, kept for a peer that goes to and fro.
    other_decoder: Option<Decoder>,
    concealment: Concealment,
    /// Of the other rate, likewise.
    other_concealment: Option<Concealment>,
    noise: ComfortNoise,
    /// Made up since the last packet was decoded, samples.
    dry: usize,
    /// Decoded and not yet given out. What is left in it after a beat is always heard sound, never made up.
    ready: Vec<i16>,
    delay: Delay,
    counts: Counts,
    bursts: BurstCounter,
    /// Of the packet played last.
    packet_ms: f32,
}

/// Positions are in samples of the buffer's rate, from the RTP timestamp with its cycles.
struct Stream {
    ssrc: u32,
    highest: i64,
    first: i64,
    received: u64,
    /// Bit n: sequence number `highest - n` has come.
    seen: u128,
    /// Newest timestamp with its cycles, in units of the clock.
    timestamp: i64,
    /// Sequence number decoded last.
    played: i64,
    /// Sequence number of the newest comfort noise.
    noise: Option<i64>,
    /// The position after `ready`; none while the first packets gather.
    next: Option<i64>,
    began_us: i64,
    late_in_a_row: u32,
    /// Made up while nothing was there: loss or a pause? The next packet tells.
    undecided: u64,
    transit_us: Option<i64>,
    jitter_us: f64,
}

struct Slot {
    /// Sequence number with cycles; none when free.
    sequence: Option<i64>,
    position: i64,
    samples: i64,
    codec: Codec,
    len: usize,
    payload: [u8; MAX_PAYLOAD],
}

#[derive(Default)]
struct Counts {
    received: u64,
    lost_before: u64,
    late: u64,
    duplicates: u64,
    refused: u64,
    restarts: u64,
    given: u64,
    concealed: u64,
    beats: u64,
    delay_us: f64,
    since_change: u32,
}

impl JitterBuffer {
    /// Gives frames of `rate` Hz at first, later of the rate of the codec it hears.
    pub fn new(rate: u32, settings: JitterSettings) -> Self {
        let slot =
            || Slot { sequence: None, position: 0, samples: 0, codec: Codec::Pcmu, len: 0, payload: [0; MAX_PAYLOAD] };
        Self {
            rate,
            clock: Codec::Pcmu.clock_rate(),
            settings,
            epoch: None,
            stream: None,
            suspect: None,
            slots: (0..SLOTS).map(|_| slot()).collect(),
            decoder: Codec::Pcmu.decoder(),
            other_decoder: None,
            concealment: Concealment::new(rate),
            other_concealment: None,
            noise: ComfortNoise::default(),
            dry: 0,
            // At 16 kHz: a beat's 20 ms, one more to shorten, one packet, one period.
            ready: Vec::with_capacity(16 * (40 + LONGEST_MS + 20)),
            delay: Delay::new(settings),
            counts: Counts::default(),
            bursts: BurstCounter::default(),
            packet_ms: 20.0,
        }
    }

    /// Samples a second of the frames it fills now. Changes only in `push`.
    pub fn rate(&self) -> u32 {
        self.rate
    }

    /// Takes a packet that arrived at `now`.
    pub fn push(&mut self, now: Instant, packet: &Packet) -> Arrival {
        let samples = packet.codec.samples(packet.payload);
        let longest = packet.codec.rate() as usize * LONGEST_MS / 1_000;
        if samples == 0 || samples > longest || packet.payload.len() > MAX_PAYLOAD {
            self.counts.refused += 1;
            return Arrival::Refused;
        }
        let samples = samples as i64;
        if (packet.codec.rate(), packet.codec.clock_rate()) != (self.rate, self.clock) {
            self.retune(packet.codec);
        }
        let now = self.micros(now);
        let Some((sequence, position)) = self.place(now, packet) else {
            self.counts.refused += 1;
            return Arrival::Refused;
        };
        // `place` made sure that there is a stream.
        let Some(stream) = &mut self.stream else { return Arrival::Refused };
        match stream.note(sequence) {
            Noted::New => self.counts.received += 1,
            Noted::Again => {
                self.counts.duplicates += 1;
                return Arrival::Duplicate;
            }
            Noted::TooOld => {
                self.counts.late += 1;
                return Arrival::Late;
            }
        }
        let transit = now - micros_of(position, self.rate);
        stream.measure(transit);
        let base_before = self.delay.base();
        self.delay.arrived(now, transit);
        self.delay.shift_base(base_before);
        if sequence <= stream.played {
            self.counts.late += 1; // what follows it was heard already
            return Arrival::Late;
        }

        if let Some(next) = stream.next {
            let starved = self.dry >= self.rate as usize * DRY_MS / 1_000
                && self.slots.iter().all(|slot| slot.sequence.is_none());
            let in_reach = transit - self.delay.base() <= i64::from(self.settings.max_ms) * 1_000;
            if starved && in_reach {
                // The silence may be as long as we like: play this packet at the delay we aim at.
                let aim = samples_of(now - self.delay.base() - self.delay.target_us(), self.rate);
                stream.decide(position >= next && stream.nothing_missing_before(sequence), &mut self.counts);
                stream.next = Some(aim.min(position));
                self.ready.clear();
                self.delay.restart();
            } else if position + samples <= next {
                stream.decide(false, &mut self.counts);
                self.counts.late += 1;
                stream.late_in_a_row += 1;
                if stream.late_in_a_row < 5 {
                    return Arrival::Late;
                }
                // The way has become longer for good: measure and gather anew.
                (stream.next, stream.began_us) = (None, now);
                self.ready.clear();
                self.delay = Delay::new(self.settings);
                self.delay.arrived(now, transit);
                self.counts.restarts += 1;
            } else {
                stream.decide(position >= next && stream.nothing_missing_before(sequence), &mut self.counts);
            }
        }
        stream.late_in_a_row = 0;
        self.store(packet, sequence, position, samples);
        Arrival::Queued
    }

    /// Takes note of a packet of the same stream that carries no sound (a telephone event, comfort noise), so that
    /// its sequence number is not missed.
    pub fn skip(&mut self, ssrc: u32, sequence: u16) {
        self.noted(ssrc, sequence);
    }

    /// Takes comfort noise (RFC 3389): once the sound sent before it was played, this is heard until sound follows.
    pub fn pause(&mut self, ssrc: u32, sequence: u16, payload: &[u8]) {
        let Some(sequence) = self.noted(ssrc, sequence) else { return };
        let newer = |stream: &&mut Stream| stream.noise.is_none_or(|noise| noise < sequence);
        if let Some(stream) = self.stream.as_mut().filter(newer) {
            stream.noise = Some(sequence);
            self.noise.tune(payload);
        }
    }

    /// Marks a sequence number of the stream as come; gives it with its cycles when that is news.
    fn noted(&mut self, ssrc: u32, sequence: u16) -> Option<i64> {
        let stream = self.stream.as_mut().filter(|stream| stream.ssrc == ssrc)?;
        let sequence = stream.unwrap_sequence(sequence);
        matches!(stream.note(sequence), Noted::New).then(|| {
            self.counts.received += 1;
            sequence
        })
    }

    /// Fills `frame` (of the buffer's rate) with the next 20 ms; true when at least a part of it really arrived.
    /// To be called once every 20 ms.
    pub fn pull(&mut self, now: Instant, frame: &mut Frame) -> bool {
        debug_assert_eq!(frame.rate(), self.rate, "frames of the buffer's rate");
        let now = self.micros(now);
        let wanted = frame.len();
        if !self.playing(now) {
            frame.samples_mut().fill(0);
            return false;
        }
        let change = self.plan(now, wanted);
        let made_up = self.fill(wanted);
        match change {
            Change::Shorten if made_up == 0 => self.shorten(wanted),
            Change::Lengthen if made_up == 0 => self.lengthen(wanted),
            _ => {}
        }
        frame.samples_mut().copy_from_slice(&self.ready[..wanted]);
        self.ready.copy_within(wanted.., 0);
        self.ready.truncate(self.ready.len() - wanted);
        self.counts.given += wanted as u64;
        made_up < wanted
    }

    /// Figures so far.
    pub fn stats(&self) -> JitterStats {
        let counts = &self.counts;
        let (lost, jitter, highest) =
            self.stream.as_ref().map_or((0, 0.0, 0), |stream| (stream.lost(), stream.jitter_us, stream.highest as u32));
        JitterStats {
            received: counts.received,
            lost: counts.lost_before + lost,
            late: counts.late,
            duplicates: counts.duplicates,
            refused: counts.refused,
            restarts: counts.restarts,
            highest_sequence: highest,
            jitter_ms: (jitter / 1_000.0) as f32,
            jitter_units: (jitter * f64::from(self.clock) / 1e6) as u32,
            target_ms: self.delay.target_us() as f32 / 1_000.0,
            buffer_ms: if counts.beats == 0 { 0.0 } else { (counts.delay_us / counts.beats as f64 / 1_000.0) as f32 },
            concealed: if counts.given == 0 { 0.0 } else { counts.concealed as f32 / counts.given as f32 },
            bursts: self.bursts.bursts(),
            packet_ms: self.packet_ms,
        }
    }

    /// Where a packet stands in the stream (sequence number and position), beginning a new stream where needed.
    /// `None`: it fits neither, for now.
    fn place(&mut self, now: i64, packet: &Packet) -> Option<(i64, i64)> {
        let Some(stream) = &self.stream else {
            return Some(self.restart(now, packet));
        };
        let sequence = stream.unwrap_sequence(packet.sequence);
        let timestamp = stream.unwrap_timestamp(packet.timestamp);
        let position = self.position(timestamp);
        let known = packet.ssrc == stream.ssrc;
        let ahead = sequence - stream.highest;
        let early = self.delay.base() - (now - micros_of(position, self.rate));
        // RFC 3550, A.1: MAX_DROPOUT and MAX_MISORDER; a packet also has to be of its time.
        let fits = known && (-100..3_000).contains(&ahead) && (-1_000_000..200_000).contains(&early);
        if fits {
            self.suspect = None;
            if ahead > 0 {
                self.stream.as_mut()?.timestamp = timestamp;
            }
            return Some((sequence, position));
        }
        let continues = known && ahead == 1;
        let repeated = self.suspect == Some((packet.ssrc, packet.sequence.wrapping_sub(1)));
        if continues || repeated {
            return Some(self.restart(now, packet));
        }
        self.suspect = Some((packet.ssrc, packet.sequence));
        None
    }

    /// Where a timestamp with its cycles is, in samples.
    fn position(&self, timestamp: i64) -> i64 {
        (timestamp * i64::from(self.rate)).div_euclid(i64::from(self.clock))
    }

    /// Forgets the stream for one of another rate or clock.
    fn retune(&mut self, codec: Codec) {
        self.end_stream();
        if codec.rate() != self.rate {
            let other = self.other_concealment.take().unwrap_or_else(|| Concealment::new(codec.rate()));
            self.other_concealment = Some(std::mem::replace(&mut self.concealment, other));
            self.concealment.reset();
        }
        (self.rate, self.clock) = (codec.rate(), codec.clock_rate());
        self.ready.clear();
    }

    fn end_stream(&mut self) {
        if let Some(old) = self.stream.take() {
            self.counts.lost_before += old.lost();
            self.counts.restarts += 1;
        }
        for slot in &mut self.slots {
            slot.sequence = None;
        }
    }

    /// Begins anew at this packet.
    fn restart(&mut self, now: i64, packet: &Packet) -> (i64, i64) {
        self.end_stream();
        let (sequence, timestamp) = (i64::from(packet.sequence), i64::from(packet.timestamp));
        self.suspect = None;
        self.ready.clear();
        self.delay = Delay::new(self.settings);
        self.stream = Some(Stream {
            ssrc: packet.ssrc,
            highest: sequence - 1,
            first: sequence,
            received: 0,
            seen: 0,
            timestamp,
            played: sequence - 1,
            noise: None,
            next: None,
            began_us: now,
            late_in_a_row: 0,
            undecided: 0,
            transit_us: None,
            jitter_us: 0.0,
        });
        (sequence, self.position(timestamp))
    }

    fn store(&mut self, packet: &Packet, sequence: i64, position: i64, samples: i64) {
        // Full slots mean that nobody pulls: the oldest has waited in vain.
        let free = (0..SLOTS).find(|&n| self.slots[n].sequence.is_none());
        let n = free.or_else(|| (0..SLOTS).min_by_key(|&n| self.slots[n].position)).unwrap_or(0);
        let slot = &mut self.slots[n];
        (slot.sequence, slot.position, slot.samples) = (Some(sequence), position, samples);
        (slot.codec, slot.len) = (packet.codec, packet.payload.len());
        slot.payload[..packet.payload.len()].copy_from_slice(packet.payload);
    }

    /// Whether sound runs; begins it once the first packets have waited long enough.
    fn playing(&mut self, now: i64) -> bool {
        let Some(oldest) = self.slots.iter().filter(|slot| slot.sequence.is_some()).map(|slot| slot.position).min()
        else {
            return self.stream.as_ref().is_some_and(|stream| stream.next.is_some());
        };
        let Some(stream) = &mut self.stream else { return false };
        if stream.next.is_none() && now - stream.began_us >= self.delay.target_us() {
            stream.next = Some(oldest);
            self.delay.restart();
        }
        stream.next.is_some()
    }

    /// Compares the delay with its aim; leaps when it is beyond all bounds.
    fn plan(&mut self, now: i64, wanted: usize) -> Change {
        let rate = self.rate;
        let Some(stream) = &mut self.stream else { return Change::Keep };
        let Some(next) = stream.next.as_mut() else { return Change::Keep };
        let left = self.ready.len();
        // A packet is wanted when the beat begins, though its first sample may be due only within the beat.
        let packet = self.slots.iter().filter(|slot| slot.sequence.is_some()).map(|slot| slot.samples as usize).min();
        let offset = match packet {
            Some(packet) if left < wanted => left + (wanted - 1 - left) / packet.max(1) * packet.max(1),
            _ => 0,
        };
        let current = now - self.delay.base() - micros_of(*next - left as i64, rate);
        let (aim, mean) = self.delay.played(current, micros_of(offset as i64, rate));
        self.counts.beats += 1;
        self.counts.delay_us += current as f64;
        self.counts.since_change += 1;
        if current > i64::from(self.settings.max_ms) * 1_000 + 60_000 {
            *next += samples_of(current - aim, rate) - left as i64;
            self.ready.clear();
            self.delay.restart();
            // The next sound heard is blended in after the leap.
            self.concealment.conceal(&mut [0; 8]);
            return Change::Keep;
        }
        if self.counts.since_change < 2 {
            return Change::Keep;
        }
        if mean > aim + (aim / 4).max(10_000) {
            Change::Shorten
        } else if mean < aim - 2_500 {
            Change::Lengthen
        } else {
            Change::Keep
        }
    }

    /// Brings `ready` to at least `wanted` samples; gives how many had to be made up.
    fn fill(&mut self, wanted: usize) -> usize {
        let mut made_up = 0;
        while self.ready.len() < wanted {
            if self.decode_next() {
                continue;
            }
            let Some(stream) = &mut self.stream else { break };
            let Some(next) = stream.next else { break };
            let missing = wanted - self.ready.len();
            let following = self.slots.iter().filter(|slot| slot.sequence.is_some()).min_by_key(|slot| slot.position);
            let following = following.and_then(|slot| Some((slot.sequence?, slot)));
            let gap = following.map_or(usize::MAX, |(_, slot)| (slot.position - next).max(1) as usize);
            let whole = following.is_none_or(|(sequence, _)| stream.nothing_missing_before(sequence));
            // A pause that noise was announced for, and nothing but it since.
            let noisy = stream.noise.is_some_and(|noise| {
                noise > stream.played && following.is_none_or(|(sequence, _)| noise < sequence && whole)
            });
            // The codec's own means want whole steps, and the redundancy of the packet that follows a whole loss.
            let hole = match self.decoder.hole_step() {
                Some(step) if !noisy && (gap == usize::MAX || gap.is_multiple_of(step)) => {
                    if gap <= 4 * wanted && !whole { gap } else { missing.next_multiple_of(step).min(gap) }
                }
                _ => missing.min(gap),
            };
            let at = self.ready.len();
            self.ready.resize(at + hole, 0);
            let made = &mut self.ready[at..];
            if noisy {
                self.noise.fill(made);
                self.concealment.heard(made);
            } else {
                let redundant = following.filter(|_| !whole).map(|(_, slot)| &slot.payload[..slot.len]);
                if self.decoder.conceal(redundant, made) {
                    self.concealment.heard(made);
                } else {
                    self.concealment.conceal(made);
                }
            }
            match following {
                _ if noisy || (following.is_some() && whole) => {}
                Some(_) => self.counts.concealed += hole as u64,
                None => stream.undecided += hole as u64,
            }
            stream.next = Some(next + hole as i64);
            self.dry += hole;
            made_up += hole;
        }
        made_up.min(wanted)
    }

    /// Decodes the packet that is due, if it is there.
    fn decode_next(&mut self) -> bool {
        let Some(stream) = &mut self.stream else { return false };
        let Some(next) = stream.next else { return false };
        let due = |slot: &&mut Slot| slot.sequence.is_some() && slot.position <= next;
        let Some(slot) = self.slots.iter_mut().filter(due).min_by_key(|slot| slot.position) else { return false };
        let sequence = slot.sequence.take().unwrap_or(stream.played);
        if sequence > stream.played {
            // What has not come by now is lost to the listener, though it may come yet.
            for n in (stream.played + 1).max(sequence - 127)..sequence {
                if stream.has(n) { self.bursts.received() } else { self.bursts.lost() }
            }
            self.bursts.received();
            self.packet_ms = slot.samples as f32 * 1e3 / self.rate as f32;
            stream.played = sequence;
        }
        let overlap = next - slot.position;
        if overlap >= slot.samples {
            return true; // concealed meanwhile
        }
        if slot.codec != self.decoder.codec() {
            let kept = self.other_decoder.take().filter(|other| other.codec() == slot.codec);
            let mut decoder = kept.unwrap_or_else(|| slot.codec.decoder());
            decoder.reset();
            self.other_decoder = Some(std::mem::replace(&mut self.decoder, decoder));
        }
        let at = self.ready.len();
        self.ready.resize(at + slot.samples as usize, 0);
        // What a damaged packet does not give is silence.
        let _ = self.decoder.decode(&slot.payload[..slot.len], &mut self.ready[at..]);
        self.ready.copy_within(at + overlap as usize.., at);
        self.ready.truncate(at + (slot.samples - overlap) as usize);
        self.concealment.heard(&mut self.ready[at..]);
        self.dry = 0;
        stream.next = Some(next + slot.samples - overlap);
        true
    }

    /// Takes out one pitch period, if there is sound enough.
    fn shorten(&mut self, wanted: usize) {
        while self.ready.len() < wanted * 2 && self.decode_next() {}
        let longest = (self.ready.len() - wanted).min(self.ready.len() / 2).min(self.rate as usize * 15 / 1_000);
        if let Some(lag) = self.period(longest) {
            for i in 0..lag {
                self.ready[i] = blend(self.ready[i], self.ready[i + lag], (i + 1) as f32 / (lag + 1) as f32);
            }
            self.ready.copy_within(lag * 2.., lag);
            self.ready.truncate(self.ready.len() - lag);
            self.delay.changed(-micros_of(lag as i64, self.rate));
            self.counts.since_change = 0;
        }
    }

    /// Repeats one pitch period.
    fn lengthen(&mut self, wanted: usize) {
        let longest = (wanted / 2).min(self.rate as usize * 15 / 1_000);
        if let Some(lag) = self.period(longest) {
            let before = self.ready.len();
            self.ready.resize(before + lag, 0);
            self.ready.copy_within(lag..before, lag * 2);
            for i in 0..lag {
                self.ready[lag + i] = blend(self.ready[lag * 2 + i], self.ready[i], (i + 1) as f32 / (lag + 1) as f32);
            }
            self.delay.changed(micros_of(lag as i64, self.rate));
            self.counts.since_change = 0;
        }
    }

    /// The length of the period at the start of `ready`; anything will do in silence, nothing in unvoiced sound.
    fn period(&self, longest: usize) -> Option<usize> {
        let shortest = self.rate as usize * 25 / 10_000;
        if longest < shortest {
            return None;
        }
        let level: i64 = self.ready[..longest * 2].iter().map(|&s| i64::from(s).abs()).sum();
        if level < 64 * longest as i64 * 2 {
            return Some(longest);
        }
        let (lag, likeness) =
            best_lag(shortest, longest, |lag| similarity(&self.ready[..longest], &self.ready[lag..lag + longest]));
        (likeness > 0.6).then_some(lag)
    }

    fn micros(&mut self, now: Instant) -> i64 {
        let epoch = *self.epoch.get_or_insert(now);
        now.saturating_duration_since(epoch).as_micros() as i64
    }
}

#[derive(Clone, Copy, PartialEq)]
enum Change {
    Keep,
    Shorten,
    Lengthen,
}

enum Noted {
    New,
    Again,
    TooOld,
}

impl Stream {
    fn unwrap_sequence(&self, sequence: u16) -> i64 {
        self.highest + i64::from(sequence.wrapping_sub(self.highest as u16) as i16)
    }

    fn unwrap_timestamp(&self, timestamp: u32) -> i64 {
        self.timestamp + i64::from(timestamp.wrapping_sub(self.timestamp as u32) as i32)
    }

    fn note(&mut self, sequence: i64) -> Noted {
        let ahead = sequence - self.highest;
        if ahead > 0 {
            self.seen = if ahead < 128 { self.seen << ahead } else { 0 } | 1;
            self.highest = sequence;
        } else if ahead <= -128 {
            return Noted::TooOld;
        } else if self.has(sequence) {
            return Noted::Again;
        } else {
            self.seen |= 1 << -ahead;
            self.first = self.first.min(sequence);
        }
        self.received += 1;
        Noted::New
    }

    fn has(&self, sequence: i64) -> bool {
        let back = self.highest - sequence;
        (0..128).contains(&back) && self.seen >> back & 1 == 1
    }

    /// Every packet between the one decoded last and this one has come: a hole before it is a pause of the sender.
    fn nothing_missing_before(&self, sequence: i64) -> bool {
        sequence - self.played < 128 && (self.played + 1..sequence).all(|n| self.has(n))
    }

    /// What was made up while nothing was there turns out to have been a pause, or loss.
    fn decide(&mut self, pause: bool, counts: &mut Counts) {
        let undecided = std::mem::take(&mut self.undecided);
        if !pause {
            counts.concealed += undecided;
        }
    }

    fn measure(&mut self, transit_us: i64) {
        if let Some(last) = self.transit_us.replace(transit_us) {
            self.jitter_us += ((transit_us - last).abs() as f64 - self.jitter_us) / 16.0;
        }
    }

    fn lost(&self) -> u64 {
        ((self.highest - self.first + 1) as u64).saturating_sub(self.received)
    }
}

fn micros_of(samples: i64, rate: u32) -> i64 {
    samples * 1_000_000 / i64::from(rate)
}

fn samples_of(micros: i64, rate: u32) -> i64 {
    micros * i64::from(rate) / 1_000_000
}

#[cfg(test)]
#[path = "jitter_tests.rs"]
mod tests;

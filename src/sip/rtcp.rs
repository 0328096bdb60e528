//! RTCP for one leg (RFC 3550, 6): a report about every five seconds, BYE at the end, and what the peer reports.
//! Packets by the crate `rtcp`. Time is an argument.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use rtcp::extended_report::{ExtendedReport, VoIPMetricsReportBlock};
use rtcp::goodbye::Goodbye;
use rtcp::packet::Packet;
use rtcp::receiver_report::ReceiverReport;
use rtcp::reception_report::ReceptionReport;
use rtcp::sender_report::SenderReport;
use rtcp::source_description::{SdesType, SourceDescription, SourceDescriptionChunk, SourceDescriptionItem};
use webrtc_util::marshal::Unmarshal;

use crate::media::{Bursts, GMIN};

/// Mean time between reports; each is between half and one and a half of it (RFC 3550, 6.3.1).
pub const INTERVAL: Duration = Duration::from_secs(5);
/// From 1900 (NTP) to 1970 (Unix), seconds.
const NTP_EPOCH: u64 = 2_208_988_800;
/// Longer datagrams are no RTCP of a two-party call.
const MAX_DATAGRAM: usize = 1_500;

type Compound = Vec<Box<dyn Packet + Send + Sync>>;

/// What the peer says about our stream.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct PeerReport {
    /// 0..=1, since its last report.
    pub fraction_lost: f32,
    /// Since the beginning, packets.
    pub lost: u32,
    pub jitter_ms: f32,
    pub round_trip: Option<Duration>,
    /// Its own estimate of how we sound to it, delay included, 1..=5 (RFC 3611, 4.7.5).
    pub mos: Option<f32>,
}

/// The peer's stream as we hear it.
#[derive(Clone, Copy, Debug, Default)]
pub struct Heard {
    pub ssrc: u32,
    pub received: u64,
    pub lost: u64,
    pub highest_sequence: u32,
    pub jitter_units: u32,
    /// For a peer that wants to know.
    pub metrics: Option<Metrics>,
}

/// How a stream sounds here (RFC 3611, 4.7).
#[derive(Clone, Copy, Debug, Default)]
pub struct Metrics {
    /// Shares of all packets, 0..=1: never come, and come too late.
    pub lost: f32,
    pub late: f32,
    pub bursts: Bursts,
    pub packet_ms: f32,
    pub round_trip_ms: f32,
    /// From the packet's arrival to the ear, and what the buffer aims at and may come to.
    pub delay_ms: f32,
    pub buffer_ms: f32,
    pub longest_buffer_ms: f32,
    /// 0..=100, and the opinion scores of listening and of talking.
    pub r_factor: f32,
    pub mos_listening: f32,
    pub mos_talking: f32,
}

impl Metrics {
    fn block(&self, ssrc: u32) -> VoIPMetricsReportBlock {
        const UNKNOWN: u8 = 127;
        // Concealment better than repetition; an adaptive buffer.
        const RX_CONFIG: u8 = 0b1011_0000;
        let share = |part: f32| (part * 256.0).clamp(0.0, 255.0) as u8;
        let ms = |ms: f32| ms.clamp(0.0, 65_535.0) as u16;
        VoIPMetricsReportBlock {
            ssrc,
            loss_rate: share(self.lost),
            discard_rate: share(self.late),
            burst_density: share(self.bursts.burst_density),
            gap_density: share(self.bursts.gap_density),
            burst_duration: ms(self.bursts.burst_packets * self.packet_ms),
            gap_duration: ms(self.bursts.gap_packets * self.packet_ms),
            round_trip_delay: ms(self.round_trip_ms),
            end_system_delay: ms(self.delay_ms),
            signal_level: UNKNOWN,
            noise_level: UNKNOWN,
            rerl: UNKNOWN,
            gmin: GMIN as u8,
            rfactor: self.r_factor.clamp(0.0, 100.0) as u8,
            ext_rfactor: UNKNOWN,
            mos_lq: (self.mos_listening * 10.0).clamp(10.0, 50.0).round() as u8,
            mos_cq: (self.mos_talking * 10.0).clamp(10.0, 50.0).round() as u8,
            rx_config: RX_CONFIG,
            reserved: 0,
            jb_nominal: ms(self.buffer_ms),
            jb_maximum: ms(self.buffer_ms),
            jb_abs_max: ms(self.longest_buffer_ms),
        }
    }
}

/// What we have sent.
#[derive(Clone, Copy, Debug, Default)]
pub struct Sent {
    pub packets: u32,
    pub bytes: u32,
    pub timestamp: u32,
}

pub struct Reporter {
    ssrc: u32,
    clock_rate: f32,
    due: Option<Instant>,
    random: u32,
    before: (u64, u64),
    sent_before: u32,
    /// Middle 32 bits of the peer's last sender report's time, and when it came.
    peer_sr: Option<(u32, Instant)>,
    peer: Option<PeerReport>,
    mos: Option<f32>,
}

impl Reporter {
    pub fn new(ssrc: u32, clock_rate: u32) -> Self {
        Self {
            ssrc,
            clock_rate: clock_rate as f32,
            due: None,
            random: ssrc | 1,
            before: (0, 0),
            sent_before: 0,
            peer_sr: None,
            peer: None,
            mos: None,
        }
    }

    /// Our stream goes on as another one, by another clock.
    pub fn begin_anew(&mut self, ssrc: u32, clock_rate: u32) {
        (self.ssrc, self.clock_rate) = (ssrc, clock_rate as f32);
    }

    /// Whether a report should be sent now.
    pub fn is_due(&mut self, now: Instant) -> bool {
        match self.due {
            Some(due) if due > now => false,
            due => {
                // The first one comes after half an interval (6.2); peers who all start at once drift apart.
                let base = if due.is_some() { INTERVAL } else { INTERVAL / 2 };
                self.due = Some(now + base.mul_f32(0.5 + self.random()));
                due.is_some()
            }
        }
    }

    /// A sender report when sound was sent since the last one, else a receiver report; with a CNAME.
    pub fn report(&mut self, now: Instant, wall: SystemTime, sent: Sent, heard: Option<Heard>) -> Option<Bytes> {
        let reports: Vec<_> = heard.map(|heard| self.reception(now, heard)).into_iter().collect();
        let first: Box<dyn Packet + Send + Sync> = if sent.packets != self.sent_before {
            self.sent_before = sent.packets;
            Box::new(SenderReport {
                ssrc: self.ssrc,
                ntp_time: ntp(wall),
                rtp_time: sent.timestamp,
                packet_count: sent.packets,
                octet_count: sent.bytes,
                reports,
                ..SenderReport::default()
            })
        } else {
            Box::new(ReceiverReport { ssrc: self.ssrc, reports, ..ReceiverReport::default() })
        };
        let mut parts = vec![first, self.description()];
        if let Some((metrics, ssrc)) = heard.and_then(|heard| Some((heard.metrics?, heard.ssrc))) {
            let reports: Compound = vec![Box::new(metrics.block(ssrc))];
            parts.push(Box::new(ExtendedReport { sender_ssrc: self.ssrc, reports }));
        }
        write(parts)
    }

    /// The last words of a leg.
    pub fn bye(&self) -> Option<Bytes> {
        let empty = ReceiverReport { ssrc: self.ssrc, ..ReceiverReport::default() };
        // Three letters: the crate pads other lengths against RFC 3550, 6.4.1 (0.17.2), and tells so in the header.
        let bye = Goodbye { sources: vec![self.ssrc], reason: "end".into() };
        write(vec![Box::new(empty), self.description(), Box::new(bye)])
    }

    /// Takes a datagram; false when it is no valid RTCP.
    pub fn receive(&mut self, now: Instant, wall: SystemTime, datagram: &[u8]) -> bool {
        let Some(known) = known_parts(datagram) else { return false };
        self.mos = mos_of(datagram, self.ssrc).or(self.mos);
        if let (Some(peer), Some(mos)) = (&mut self.peer, self.mos) {
            peer.mos = Some(mos);
        }
        if known.is_empty() {
            return true;
        }
        let Ok(packets) = rtcp::packet::unmarshal(&mut Bytes::from(known)) else { return false };
        for packet in &packets {
            let reports = if let Some(report) = packet.as_any().downcast_ref::<SenderReport>() {
                self.peer_sr = Some(((report.ntp_time >> 16) as u32, now));
                &report.reports
            } else if let Some(report) = packet.as_any().downcast_ref::<ReceiverReport>() {
                &report.reports
            } else {
                continue;
            };
            for report in reports.iter().filter(|report| report.ssrc == self.ssrc) {
                self.peer = Some(PeerReport {
                    fraction_lost: f32::from(report.fraction_lost) / 256.0,
                    // Signed, 24 bits: doubled packets make it negative (RFC 3550, 6.4.1).
                    lost: Some(report.total_lost).filter(|lost| *lost < 1 << 23).unwrap_or(0),
                    jitter_ms: report.jitter as f32 * 1_000.0 / self.clock_rate,
                    // One report may lack it: the last that was measured stands.
                    round_trip: round_trip(wall, report).or(self.peer.and_then(|peer| peer.round_trip)),
                    mos: self.mos,
                });
            }
        }
        true
    }

    pub fn peer(&self) -> Option<PeerReport> {
        self.peer
    }

    fn reception(&mut self, now: Instant, heard: Heard) -> ReceptionReport {
        // A stream that began anew must not make the differences negative.
        let received = heard.received.saturating_sub(self.before.0);
        let lost = heard.lost.saturating_sub(self.before.1);
        self.before = (heard.received, heard.lost);
        let fraction = (lost * 256).checked_div(received + lost).unwrap_or(0).min(255) as u8;
        let (last_sender_report, delay) = self
            .peer_sr
            .map_or((0, 0), |(sr, came)| (sr, (now.saturating_duration_since(came).as_secs_f64() * 65_536.0) as u32));
        ReceptionReport {
            ssrc: heard.ssrc,
            fraction_lost: fraction,
            total_lost: heard.lost.min(0x7f_ffff) as u32,
            last_sequence_number: heard.highest_sequence,
            jitter: heard.jitter_units,
            last_sender_report,
            delay,
        }
    }

    /// A CNAME that says nothing about anyone (RFC 7022, 4.2), of a length (21) that needs no padding.
    fn description(&self) -> Box<dyn Packet + Send + Sync> {
        let cname = format!("{:08x}@desk.invalid", self.ssrc.rotate_left(16) ^ 0x5a5a_5a5a);
        let items = vec![SourceDescriptionItem { sdes_type: SdesType::SdesCname, text: cname.into() }];
        Box::new(SourceDescription { chunks: vec![SourceDescriptionChunk { source: self.ssrc, items }] })
    }

    /// 0..1 (xorshift: spreads reports, guards nothing).
    fn random(&mut self) -> f32 {
        self.random ^= self.random << 13;
        self.random ^= self.random >> 17;
        self.random ^= self.random << 5;
        (self.random >> 8) as f32 / (1 << 24) as f32
    }
}

fn write(packets: Compound) -> Option<Bytes> {
    rtcp::packet::marshal(&packets).ok()
}

/// RFC 3550, A.2: version 2, the first part without padding, the parts' lengths adding up; beginning with a report is
/// not insisted on (phones open their way through NAT with a lone APP packet, and end with a BYE). Gives the parts that a
/// telephone call knows: only those are shown to the crate. Feedback (RFC 4585), extended reports (RFC 3611) and what
/// else is registered is stepped over (6.1).
fn known_parts(datagram: &[u8]) -> Option<Vec<u8>> {
    let padded = datagram.first().is_some_and(|first| first & 0x20 != 0);
    if datagram.len() > MAX_DATAGRAM || datagram.is_empty() || padded {
        return None;
    }
    let mut known = Vec::with_capacity(datagram.len());
    let mut rest = datagram;
    while !rest.is_empty() {
        let &[first, kind, high, low] = rest.get(..4)? else { return None };
        let length = 4 * (usize::from(u16::from_be_bytes([high, low])) + 1);
        if first >> 6 != 2 || rest.len() < length {
            return None;
        }
        match kind {
            200..=204 => known.extend_from_slice(&rest[..length]), // SR, RR, SDES, BYE, APP
            205 | 206 if length < 12 => return None,
            192..=195 | 205..=223 => {}
            _ => return None,
        }
        rest = &rest[length..];
    }
    Some(known)
}

/// The opinion score of talking, else of listening, in a VoIP metrics block on our stream; 127 is none.
fn mos_of(datagram: &[u8], ours: u32) -> Option<f32> {
    let mut found = None;
    for_each_part(datagram, |kind, part| {
        let mut blocks = if kind == 207 { part.get(8..).unwrap_or_default() } else { &[] };
        while let Some(&[block, _, high, low]) = blocks.get(..4) {
            let length = 4 * (usize::from(u16::from_be_bytes([high, low])) + 1);
            let Some(whole) = blocks.get(..length) else { return };
            if block == 7
                && let Ok(metrics) = VoIPMetricsReportBlock::unmarshal(&mut &whole[..])
                && metrics.ssrc == ours
            {
                let score = [metrics.mos_cq, metrics.mos_lq].into_iter().find(|score| (10..=50).contains(score));
                found = score.map(|score| f32::from(score) / 10.0).or(found);
            }
            blocks = &blocks[length..];
        }
    });
    found
}

/// Of a datagram whose lengths add up: kind and bytes of each part.
fn for_each_part(datagram: &[u8], mut see: impl FnMut(u8, &[u8])) {
    let mut rest = datagram;
    while let Some(&[_, kind, high, low]) = rest.get(..4) {
        let length = 4 * (usize::from(u16::from_be_bytes([high, low])) + 1);
        let Some(part) = rest.get(..length) else { return };
        see(kind, part);
        rest = &rest[length..];
    }
}

fn ntp(wall: SystemTime) -> u64 {
    let since = wall.duration_since(UNIX_EPOCH).unwrap_or_default();
    ((since.as_secs() + NTP_EPOCH) << 32) | ((u64::from(since.subsec_nanos()) << 32) / 1_000_000_000)
}

/// RFC 3550, 6.4.1: now, less the time of our report, less how long the peer kept it.
fn round_trip(wall: SystemTime, report: &ReceptionReport) -> Option<Duration> {
    if report.last_sender_report == 0 {
        return None;
    }
    let now = (ntp(wall) >> 16) as u32;
    let units = now.wrapping_sub(report.last_sender_report).wrapping_sub(report.delay);
    // Clocks that were set meanwhile give nonsense: more than ten seconds is none.
    (units < 10 << 16).then(|| Duration::from_secs_f64(f64::from(units) / 65_536.0))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const HEARD: Heard =
        Heard { ssrc: 2, received: 90, lost: 10, highest_sequence: 65_636, jitter_units: 16, metrics: None };

    #[test]
    fn two_ends_learn_loss_jitter_and_round_trip() {
        let (start, wall) = (Instant::now(), SystemTime::now());
        let (mut a, mut b) = (Reporter::new(1, 8_000), Reporter::new(2, 8_000));
        let after = |ms| (start + Duration::from_millis(ms), wall + Duration::from_millis(ms));
        let sr = a.report(start, wall, Sent { packets: 100, bytes: 16_000, timestamp: 9 }, None).unwrap();
        let (now, clock) = after(30);
        assert!(b.receive(now, clock, &sr));
        let (now, clock) = after(1_030);
        let rr = b.report(now, clock, Sent::default(), Some(Heard { ssrc: 1, ..HEARD })).unwrap();
        assert_eq!(rr[1], 201, "nothing sent: a receiver report");
        let (now, clock) = after(1_060);
        assert!(a.receive(now, clock, &rr));
        let peer = a.peer().unwrap();
        assert!((peer.fraction_lost - 0.1).abs() < 0.01);
        assert!((peer.jitter_ms - 2.0).abs() < 0.01);
        let trip = peer.round_trip.unwrap().as_millis();
        assert!((59..=61).contains(&trip), "{trip} ms");
        assert!(b.receive(now, clock, &a.bye().unwrap()));
    }

    #[test]
    fn metrics_are_told_to_who_wants_them() {
        let (now, wall) = (Instant::now(), SystemTime::now());
        let (mut a, mut b) = (Reporter::new(1, 8_000), Reporter::new(2, 8_000));
        let metrics = Metrics { r_factor: 80.4, mos_listening: 4.1, mos_talking: 3.96, ..Metrics::default() };
        let heard = Heard { ssrc: 1, metrics: Some(metrics), ..HEARD };
        let report = b.report(now, wall, Sent::default(), Some(heard)).unwrap();
        let at = report.windows(4).position(|four| four == [7, 0, 0, 8]).expect("a VoIP metrics block (RFC 3611, 4.7)");
        assert_eq!(report.len() - at, 36);
        assert_eq!((report[at + 24], report[at + 26], report[at + 27]), (80, 41, 40));
        assert!(a.receive(now, wall, &report));
        assert_eq!(a.peer().unwrap().mos, Some(4.0));
        // On somebody else's stream it says nothing of ours.
        let mut c = Reporter::new(3, 8_000);
        assert!(c.receive(now, wall, &report));
        assert_eq!(c.peer(), None);
        let plain = b.report(now, wall, Sent::default(), Some(Heard { ssrc: 1, ..HEARD })).unwrap();
        assert_eq!(report.len() - plain.len(), 44);
    }

    #[test]
    fn reports_are_due_about_every_five_seconds() {
        let (start, mut reporter) = (Instant::now(), Reporter::new(7, 8_000));
        let due: Vec<_> =
            (0..60_000u64).step_by(20).filter(|ms| reporter.is_due(start + Duration::from_millis(*ms))).collect();
        assert!((8..=20).contains(&due.len()), "{due:?}");
        assert!(due.windows(2).all(|pair| (2_500..=7_540).contains(&(pair[1] - pair[0]))), "{due:?}");
    }

    #[test]
    fn what_is_no_compound_packet_is_refused() {
        let mut reporter = Reporter::new(1, 8_000);
        let good = reporter.bye().unwrap().to_vec();
        let mut bad = vec![good[..good.len() - 1].to_vec(), good[4..].to_vec(), vec![], vec![0x80], vec![0; 1_600]];
        bad.extend([0x00, 0xff].map(|byte| [&[byte], &good[1..]].concat()));
        for datagram in bad {
            assert!(!reporter.receive(Instant::now(), SystemTime::now(), &datagram), "{datagram:02x?}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2_000))]
        #[test]
        fn nothing_makes_it_panic(
            kinds in prop::collection::vec((any::<u8>(), 190u8..=225, prop::collection::vec(any::<u8>(), 0..40)), 1..4),
            lie in prop::option::of((0usize..60, any::<u8>())),
        ) {
            let mut datagram = Vec::new();
            for (first, kind, mut body) in kinds {
                body.resize(body.len().next_multiple_of(4), 0);
                datagram.extend_from_slice(&[0x80 | first & 0x3f, kind, 0, (body.len() / 4) as u8]);
                datagram.extend_from_slice(&body);
            }
            if let Some((at, byte)) = lie && at < datagram.len() {
                datagram[at] = byte;
            }
            let _ = Reporter::new(1, 8_000).receive(Instant::now(), SystemTime::now(), &datagram);
        }
    }
}

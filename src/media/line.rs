//! A telephone line on paper: what a line with loss and jitter makes of a recording, by the very jitter buffer,
//! concealment and codecs that a call goes through, on a clock of its own. For measuring; the same seed gives the same
//! line.

use std::time::{Duration, Instant};

use super::{Codec, FRAME_MS, Frame, JitterBuffer, JitterSettings, Packet};

/// How bad a line is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Line {
    pub codec: Codec,
    /// Share of packets that never come, 0..=1, each by itself.
    pub loss: f64,
    /// Each packet takes up to this longer than the quickest, ms, evenly spread; packets may overtake each other.
    pub jitter_ms: f64,
    pub seed: u64,
}

/// Samples in a packet of 20 ms.
const PACKET: usize = 160;

impl Line {
    /// A line that loses and delays nothing.
    pub fn good(codec: Codec) -> Self {
        Self { codec, loss: 0.0, jitter_ms: 0.0, seed: 1 }
    }

    /// What arrives of `samples` (8 kHz), a frame at a time, with whether something of it really arrived. The buffer's
    /// delay comes first.
    pub fn carry(&self, samples: &[i16], mut hear: impl FnMut(&Frame, bool)) {
        let (mut random, start) = (Random(self.seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1), Instant::now());
        let mut encoder = self.codec.encoder();
        let mut payload = [0; PACKET];
        let mut way: Vec<(Duration, u32, [u8; PACKET])> = Vec::new();
        for (n, chunk) in samples.chunks(PACKET).enumerate() {
            let frame = Frame::from_samples(self.codec.rate(), chunk);
            encoder.encode(frame.samples(), &mut payload);
            let jitter = Duration::from_secs_f64(random.next() * self.jitter_ms / 1_000.0);
            if random.next() >= self.loss {
                way.push((beat(n) + jitter, n as u32, payload));
            }
        }
        way.sort_by_key(|packet| packet.0);
        let mut buffer = JitterBuffer::new(self.codec.rate(), JitterSettings::default());
        let mut arriving = way.iter().peekable();
        let beats = samples.len().div_ceil(PACKET) + JitterSettings::default().max_ms as usize / FRAME_MS as usize;
        for n in 0..beats {
            while let Some((at, number, payload)) = arriving.next_if(|packet| packet.0 <= beat(n)) {
                let packet = Packet {
                    ssrc: 1,
                    sequence: *number as u16,
                    timestamp: number.wrapping_mul(PACKET as u32),
                    marker: *number == 0,
                    codec: self.codec,
                    payload,
                };
                buffer.push(start + *at, &packet);
            }
            let mut frame = Frame::silence(self.codec.rate());
            let heard = buffer.pull(start + beat(n), &mut frame);
            hear(&frame, heard);
        }
    }

    /// What arrives of a recording as one, 8 kHz.
    pub fn received(&self, samples: &[i16]) -> Vec<i16> {
        let mut received = Vec::with_capacity(samples.len());
        self.carry(samples, |frame, _| received.extend_from_slice(frame.samples()));
        received
    }
}

fn beat(n: usize) -> Duration {
    Duration::from_millis(n as u64 * u64::from(FRAME_MS))
}

/// xorshift64
struct Random(u64);

impl Random {
    /// 0..1
    fn next(&mut self) -> f64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) as f64 / (1u64 << 53) as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn speech() -> Vec<i16> {
        let voice = |n: usize| (n as f64 * 0.11).sin() * (n as f64 * 0.000_6).sin().abs() * 8_000.0;
        (0..80_000).map(|n| voice(n) as i16).collect()
    }

    #[test]
    fn a_good_line_changes_nothing_but_the_codec() {
        let sound = speech();
        let received = Line::good(Codec::Pcmu).received(&sound);
        let coded = crate::media::telephone_channel(&sound, 8_000);
        // From the middle, where the buffer's delay has settled.
        let wanted = &coded[40_000..41_600];
        let delay = (40_000..received.len() - 1_600).find(|&at| &received[at..at + 1_600] == wanted);
        assert!(delay.is_some_and(|at| at - 40_000 <= 800), "{delay:?}");
    }

    #[test]
    fn a_bad_line_loses_what_it_should_and_is_the_same_each_time() {
        let (sound, bad) = (speech(), Line { loss: 0.05, jitter_ms: 40.0, ..Line::good(Codec::Pcma) });
        let (mut frames, mut heard) = (0, 0);
        bad.carry(&sound, |_, really| (frames, heard) = (frames + 1, heard + usize::from(really)));
        assert!((500..520).contains(&frames) && (440..=500).contains(&heard), "{heard} of {frames}");
        assert_eq!(bad.received(&sound), bad.received(&sound));
        assert_ne!(bad.received(&sound), Line { seed: 2, ..bad }.received(&sound));
    }
}

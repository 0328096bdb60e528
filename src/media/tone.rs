//! Tones a caller knows: ringing while an agent's phone rings, and plain sines for tests.
//! Frequencies and cadences after ITU-T E.180, supplement 2.

use super::Frame;

/// One or two frequencies in a cadence. Endless; each start and end is ramped over 5 ms.
#[derive(Clone, Debug)]
pub struct Tone {
    hz: [f64; 2],
    /// Peak of each frequency, full scale 1.
    peak: f64,
    on_ms: u64,
    off_ms: u64,
    /// Samples since the start.
    position: u64,
}

const RAMP_MS: f64 = 5.0;

impl Tone {
    /// `hz` sounds `on_ms`, then `off_ms` of silence, and so on; 0 ms off never pauses. A second frequency of 0 is
    /// none. `level_dbov` is the level of the whole tone while it sounds (0 dBov: a full-scale square wave).
    pub fn new(hz: [f64; 2], on_ms: u64, off_ms: u64, level_dbov: f64) -> Self {
        let voices = hz.iter().filter(|&&hz| hz > 0.0).count().max(1) as f64;
        let peak = 10f64.powf(level_dbov / 20.0) * (2.0 / voices).sqrt();
        Self { hz, peak: peak.clamp(0.0, 1.0), on_ms: on_ms.max(1), off_ms, position: 0 }
    }

    /// Ringing as in China and most of Europe: 425 Hz, one second in five.
    pub fn ringing() -> Self {
        Self::new([425.0, 0.0], 1_000, 4_000, -20.0)
    }

    /// Ringing as in North America: 440 and 480 Hz, two seconds in six.
    pub fn ringing_us() -> Self {
        Self::new([440.0, 480.0], 2_000, 4_000, -20.0)
    }

    /// A sine without end.
    pub fn sine(hz: f64, level_dbov: f64) -> Self {
        Self::new([hz, 0.0], 1_000, 0, level_dbov)
    }

    /// The next 20 ms, at the frame's rate (always the same one).
    pub fn next(&mut self, frame: &mut Frame) {
        let rate = f64::from(frame.rate());
        let per_ms = rate / 1_000.0;
        let (on, period) = (self.on_ms as f64 * per_ms, (self.on_ms + self.off_ms) as f64 * per_ms);
        for sample in frame.samples_mut() {
            let at = self.position as f64;
            let in_period = if self.off_ms == 0 { at } else { at % period };
            let until_end = if self.off_ms == 0 { f64::INFINITY } else { on - in_period };
            let ramp = (in_period.min(until_end) / (RAMP_MS * per_ms)).clamp(0.0, 1.0);
            *sample = if ramp > 0.0 { (ramp * self.value(at / rate) * 32_767.0) as i16 } else { 0 };
            self.position += 1;
        }
    }

    fn value(&self, seconds: f64) -> f64 {
        let voice = |hz: f64| if hz > 0.0 { (seconds * hz * std::f64::consts::TAU).sin() } else { 0.0 };
        (self.peak * (voice(self.hz[0]) + voice(self.hz[1]))).clamp(-1.0, 1.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn levels(mut tone: Tone, seconds: usize) -> Vec<f32> {
        (0..seconds * 50)
            .map(|_| {
                let mut frame = Frame::silence(8_000);
                tone.next(&mut frame);
                frame.level()
            })
            .collect()
    }

    #[test]
    fn ringing_keeps_its_cadence() {
        for (tone, on, period) in [(Tone::ringing(), 50, 250), (Tone::ringing_us(), 100, 300)] {
            for (n, level) in levels(tone, 12).into_iter().enumerate() {
                // Two frequencies beat 40 times a second, so a frame's level may be anything above silence.
                assert_eq!(level > 0.005, n % period < on, "frame {n}: level {level}");
            }
        }
    }

    #[test]
    fn a_sine_has_the_level_asked_for_and_no_pause() {
        for level in &levels(Tone::sine(1_000.0, -20.0), 2)[1..] {
            assert!((20.0 * level.log10() + 20.0).abs() < 0.1, "{level}");
        }
    }

    #[test]
    fn edges_are_ramps() {
        let mut tone = Tone::ringing();
        let mut last = 0i32;
        for _ in 0..500 {
            let mut frame = Frame::silence(8_000);
            tone.next(&mut frame);
            for &sample in frame.samples() {
                // A 425 Hz sine of -20 dBov climbs at most 1 550 a sample at 8 kHz.
                assert!((i32::from(sample) - last).abs() < 1_600);
                last = sample.into();
            }
        }
    }
}

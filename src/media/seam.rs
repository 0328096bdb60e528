//! No click where one sound gives way to another: prompts that are cut, waiting music, the agent's voice. Knows only
//! that the source has changed; the step is spread over 5 ms.

use super::Frame;

/// The end of what was played, at one place.
#[derive(Clone, Copy, Debug, Default)]
pub struct Seam {
    last: i16,
}

impl Seam {
    /// Takes the next frame to be played. `changed`: it comes from another source than the last, so it is bent to go on
    /// from the last sample. True when that made sound of it.
    pub fn join(&mut self, frame: &mut Frame, changed: bool) -> bool {
        let ramp = (frame.rate() / 200) as usize;
        let samples = frame.samples_mut();
        let step = f32::from(self.last) - f32::from(samples[0]);
        let bends = changed && step != 0.0;
        if bends {
            for (n, sample) in samples.iter_mut().take(ramp).enumerate() {
                // Half a cosine: flat at both ends.
                let share = 0.5 + 0.5 * (std::f32::consts::PI * n as f32 / ramp as f32).cos();
                *sample = (f32::from(*sample) + step * share).round() as i16; // `as` saturates
            }
        }
        self.last = samples[samples.len() - 1];
        bends
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The largest step from one sample to the next.
    fn steepest(samples: &[i16]) -> i32 {
        samples.windows(2).map(|w| (i32::from(w[1]) - i32::from(w[0])).abs()).max().unwrap_or(0)
    }

    #[test]
    fn sources_meet_without_a_step() {
        for rate in [8_000, 16_000] {
            let flat = |value| Frame::from_samples(rate, &vec![value; rate as usize / 50]);
            let (mut seam, mut played, mut before) = (Seam::default(), Vec::new(), 0);
            for value in [20_000, 20_000, -20_000, 0, 0, 15_000, 14_000] {
                let mut frame = flat(value);
                assert_eq!(seam.join(&mut frame, value != before), value != before, "{value}");
                before = value;
                played.extend_from_slice(frame.samples());
            }
            // 40 000 over 5 ms, at most pi/2 times as steep as a line.
            assert!(steepest(&played) <= 40_000 * 160 / (rate as i32 / 200) / 100, "{}", steepest(&played));
            assert_eq!(played[rate as usize / 50 - 1], 20_000, "and soon it is the new sound alone");
        }
    }

    #[test]
    fn one_source_is_left_as_it_is() {
        let mut seam = Seam::default();
        let frame = Frame::from_samples(8_000, &[9_000, -9_000, 9_000]);
        let mut joined = frame;
        assert!(!seam.join(&mut joined, false));
        assert_eq!(joined.samples(), frame.samples());
    }
}

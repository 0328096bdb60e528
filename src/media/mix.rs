//! Two legs that hear each other, and several voices in one.

use super::{Error, Frame, Resampler};

/// Adds `other` into `frame` (equal rates); loud sums are cut at full scale.
pub fn mix(frame: &mut Frame, other: &Frame) {
    debug_assert_eq!(frame.rate(), other.rate(), "mixed frames have one rate");
    for (sample, &more) in frame.samples_mut().iter_mut().zip(other.samples()) {
        *sample = sample.saturating_add(more);
    }
}

/// Carries sound between two legs of any frame rates; a resampler each way where the rates differ.
pub struct Bridge {
    a_to_b: Resampler,
    b_to_a: Resampler,
}

impl Bridge {
    /// Between a leg of `a` Hz and one of `b` Hz.
    pub fn new(a: u32, b: u32) -> Result<Self, Error> {
        Ok(Self { a_to_b: Resampler::new(a, b)?, b_to_a: Resampler::new(b, a)? })
    }

    /// What leg B is to hear of leg A.
    pub fn a_to_b(&mut self, heard: &Frame) -> Frame {
        carry(&mut self.a_to_b, heard)
    }

    /// What leg A is to hear of leg B.
    pub fn b_to_a(&mut self, heard: &Frame) -> Frame {
        carry(&mut self.b_to_a, heard)
    }
}

fn carry(resampler: &mut Resampler, heard: &Frame) -> Frame {
    let mut out = Frame::silence(resampler.rates().1);
    resampler.run(heard, &mut out);
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::media::Tone;

    #[test]
    fn loud_voices_are_cut_not_wrapped() {
        let mut frame = Frame::from_samples(8_000, &[30_000, -30_000, 5]);
        mix(&mut frame, &Frame::from_samples(8_000, &[10_000, -10_000, -7]));
        assert_eq!(&frame.samples()[..3], &[i16::MAX, i16::MIN, -2]);
    }

    #[test]
    fn legs_of_different_rates_hear_each_other() {
        let mut bridge = Bridge::new(8_000, 48_000).unwrap();
        let (mut low, mut high) = (Tone::sine(500.0, -20.0), Tone::sine(1_000.0, -20.0));
        let (mut at_b, mut at_a) = (Frame::silence(48_000), Frame::silence(8_000));
        for _ in 0..10 {
            let (mut a, mut b) = (Frame::silence(8_000), Frame::silence(48_000));
            low.next(&mut a);
            high.next(&mut b);
            (at_b, at_a) = (bridge.a_to_b(&a), bridge.b_to_a(&b));
        }
        let crossings = |f: &Frame| f.samples().windows(2).filter(|w| (w[0] < 0) != (w[1] < 0)).count();
        assert_eq!((at_b.rate(), at_a.rate()), (48_000, 8_000));
        assert!((19..=21).contains(&crossings(&at_b)), "500 Hz crosses zero 20 times in 20 ms");
        assert!((39..=41).contains(&crossings(&at_a)));
    }
}

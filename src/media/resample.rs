//! Sample rates, by the crate `rubato` (FFT, fixed ratio): frame to frame for live sound, and whole files.
//!
//! A live resampler works in halves of a frame, so each 20 ms in give exactly 20 ms out, 5 ms later
//! (half a block); its filter (Blackman-Harris) passes up to 0.9 of the lower Nyquist frequency.

use rubato::{
    Fft, FixedSync, Resampler as _, WindowFunction, audioadapter::Adapter as _,
    audioadapter_buffers::direct::SequentialSlice,
};

use super::{Error, Frame};

/// 20 ms at one rate to 20 ms at another; allocates only when built.
pub struct Resampler {
    from: u32,
    to: u32,
    /// Absent when the rates are equal.
    fft: Option<Fft<f32>>,
    input: Vec<f32>,
    output: Vec<f32>,
}

/// Frames of any rate to those of another; what that takes is built when the first of a new rate comes.
#[derive(Default)]
pub struct Converter(Option<Resampler>);

impl Converter {
    /// Into the rate of `to`.
    pub fn run(&mut self, from: &Frame, to: &mut Frame) {
        if from.rate() == to.rate() {
            *to = *from;
            return;
        }
        if self.0.as_ref().is_none_or(|made| made.rates() != (from.rate(), to.rate())) {
            self.0 = Resampler::new(from.rate(), to.rate()).ok(); // rates of frames can all be converted
        }
        match &mut self.0 {
            Some(made) => made.run(from, to),
            None => to.samples_mut().fill(0),
        }
    }

    /// Forgets what it heard.
    pub fn reset(&mut self) {
        if let Some(made) = &mut self.0 {
            made.reset();
        }
    }
}

impl Resampler {
    /// For frames of `from` Hz to frames of `to` Hz: 8 000, 16 000, 24 000, 48 000, or a sound card's rate
    /// (44 100); any multiple of 50.
    pub fn new(from: u32, to: u32) -> Result<Self, Error> {
        let usable = |rate: u32| rate > 0 && rate.is_multiple_of(50) && rate <= 384_000;
        if !usable(from) || !usable(to) {
            return Err(Error::Rate { from, to });
        }
        let (input, output) = ((from / 50) as usize, (to / 50) as usize);
        let fft = if from == to { None } else { Some(fft(from, to, input, 2)?) };
        Ok(Self { from, to, fft, input: vec![0.0; input], output: vec![0.0; output] })
    }

    /// Rate of the frames it takes and of those it gives, Hz.
    pub fn rates(&self) -> (u32, u32) {
        (self.from, self.to)
    }

    /// One frame of the first rate into one of the second. A frame of another rate is a bug of the caller and
    /// gives silence.
    pub fn run(&mut self, from: &Frame, to: &mut Frame) {
        debug_assert_eq!((from.rate(), to.rate()), (self.from, self.to), "frames of the resampler's rates");
        self.run_samples(from.samples(), to.samples_mut());
    }

    /// As `run`, for rates no frame may have: exactly 20 ms in, exactly 20 ms out.
    pub fn run_samples(&mut self, from: &[i16], to: &mut [i16]) {
        if from.len() != self.input.len() || to.len() != self.output.len() {
            to.fill(0);
            return;
        }
        let Some(fft) = &mut self.fft else {
            to.copy_from_slice(from);
            return;
        };
        for (float, &sample) in self.input.iter_mut().zip(from) {
            *float = f32::from(sample);
        }
        let (frames_in, frames_out) = (self.input.len(), self.output.len());
        // The slices are as long as stated, and a chunk is exactly one frame: neither step can fail.
        let written = match (
            SequentialSlice::new(&self.input, 1, frames_in),
            SequentialSlice::new_mut(&mut self.output, 1, frames_out),
        ) {
            (Ok(input), Ok(mut output)) => fft.process_into_buffer(&input, &mut output, None).map_or(0, |(_, n)| n),
            _ => 0,
        };
        debug_assert_eq!(written, frames_out);
        for (sample, &float) in to.iter_mut().zip(&self.output) {
            *sample = round(float);
        }
    }

    /// Forgets what it heard.
    pub fn reset(&mut self) {
        if let Some(fft) = &mut self.fft {
            fft.reset();
        }
    }
}

/// A whole recording at another rate (both above 0 Hz): no delay, `len * to / from` samples.
pub fn resample(samples: &[i16], from: u32, to: u32) -> Vec<i16> {
    if from == to || samples.is_empty() {
        return samples.to_vec();
    }
    let input: Vec<f32> = samples.iter().map(|&s| f32::from(s)).collect();
    let converted = fft(from, to, 1_024, 1).ok().and_then(|mut fft| {
        let input = SequentialSlice::new(&input, 1, input.len()).ok()?;
        let output = fft.process_all(&input, samples.len(), None).ok()?;
        (0..output.frames()).map(|n| output.read_sample(0, n).map(round)).collect()
    });
    // Only a rate of 0 Hz gets here without a result, and such a recording has no duration.
    converted.unwrap_or_default()
}

fn fft(from: u32, to: u32, chunk: usize, parts: usize) -> Result<Fft<f32>, Error> {
    let window = WindowFunction::BlackmanHarris;
    Fft::new_custom(from as usize, to as usize, chunk, parts, 1, window, FixedSync::Input)
        .map_err(|_| Error::Rate { from, to })
}

fn round(sample: f32) -> i16 {
    sample.round() as i16 // `as` saturates
}

#[cfg(test)]
mod tests {
    use super::*;

    const RATES: [u32; 4] = [8_000, 16_000, 24_000, 48_000];

    fn tone(rate: u32, hz: f64, n: usize) -> Vec<i16> {
        (0..n).map(|n| (8_000.0 * (n as f64 * hz * std::f64::consts::TAU / f64::from(rate)).sin()) as i16).collect()
    }

    fn rms(samples: &[i16]) -> f64 {
        (samples.iter().map(|&s| f64::from(s).powi(2)).sum::<f64>() / samples.len() as f64).sqrt()
    }

    fn live(from: u32, to: u32, samples: &[i16]) -> Vec<i16> {
        let mut resampler = Resampler::new(from, to).unwrap();
        let mut out = Vec::new();
        for chunk in samples.chunks_exact((from / 50) as usize) {
            let mut frame = Frame::silence(to);
            resampler.run(&Frame::from_samples(from, chunk), &mut frame);
            out.extend_from_slice(frame.samples());
        }
        out
    }

    /// Share of the energy that is not the sine at `hz`, in dB.
    fn distortion(samples: &[i16], rate: u32, hz: f64) -> f64 {
        let (mut a, mut b) = (0.0, 0.0);
        let phase = |n: usize| n as f64 * hz * std::f64::consts::TAU / f64::from(rate);
        for (n, &s) in samples.iter().enumerate() {
            a += f64::from(s) * phase(n).cos() * 2.0 / samples.len() as f64;
            b += f64::from(s) * phase(n).sin() * 2.0 / samples.len() as f64;
        }
        let rest: f64 = samples
            .iter()
            .enumerate()
            .map(|(n, &s)| (f64::from(s) - a * phase(n).cos() - b * phase(n).sin()).powi(2))
            .sum();
        10.0 * (rest / samples.iter().map(|&s| f64::from(s).powi(2)).sum::<f64>()).log10()
    }

    #[test]
    fn a_tone_keeps_level_and_purity_between_all_rates() {
        for from in RATES {
            for to in RATES {
                for hz in [300.0, 1_000.0, 3_300.0] {
                    let out = live(from, to, &tone(from, hz, from as usize));
                    assert_eq!(out.len(), to as usize);
                    let steady = &out[(to / 10) as usize..(to * 9 / 10) as usize];
                    let level = 20.0 * (rms(steady) / (8_000.0 / 2f64.sqrt())).log10();
                    assert!(level.abs() < 0.3, "{from} -> {to}, {hz} Hz: {level:.2} dB");
                    let noise = distortion(steady, to, hz);
                    assert!(noise < -60.0, "{from} -> {to}, {hz} Hz: rest {noise:.1} dB");
                }
            }
        }
    }

    #[test]
    fn what_the_lower_rate_cannot_hold_is_removed() {
        for (from, hz) in [(16_000, 4_800.0), (24_000, 6_000.0), (48_000, 5_000.0), (48_000, 15_000.0)] {
            let out = live(from, 8_000, &tone(from, hz, from as usize));
            assert!(rms(&out[800..]) < 8.0, "{from} Hz, {hz} Hz leaks {:.1}", rms(&out[800..]));
        }
    }

    #[test]
    fn live_sound_comes_five_milliseconds_late() {
        for (from, to) in [(8_000, 16_000), (16_000, 8_000), (48_000, 8_000), (8_000, 48_000), (24_000, 8_000)] {
            let mut click = vec![0; from as usize / 5];
            click[from as usize / 10] = 30_000;
            let out = live(from, to, &click);
            let (peak, _) = out.iter().enumerate().max_by_key(|(_, s)| s.unsigned_abs()).unwrap();
            let delay = peak as f64 / f64::from(to) - 0.1;
            assert!((delay - 0.005).abs() < 0.000_2, "{from} -> {to}: {delay:.4} s");
        }
    }

    #[test]
    fn a_sound_cards_rate_fits_into_frames_too() {
        let mut resampler = Resampler::new(44_100, 16_000).unwrap();
        let input = tone(44_100, 440.0, 44_100);
        let mut out = Vec::new();
        for chunk in input.chunks_exact(882) {
            let mut frame = Frame::silence(16_000);
            resampler.run_samples(chunk, frame.samples_mut());
            out.extend_from_slice(frame.samples());
        }
        assert!(distortion(&out[1_600..14_400], 16_000, 440.0) < -60.0);
        assert!(matches!(Resampler::new(11_025, 8_000), Err(Error::Rate { .. })));
        assert!(matches!(Resampler::new(0, 8_000), Err(Error::Rate { .. })));
    }

    #[test]
    fn whole_files_of_any_rate() {
        for from in [8_000, 11_025, 22_050, 44_100, 48_000] {
            let out = resample(&tone(from, 440.0, from as usize), from, 16_000);
            assert!((out.len() as i64 - 16_000).abs() <= 1, "{from}: {}", out.len());
            assert!(distortion(&out[1_600..14_400], 16_000, 440.0) < -60.0, "{from}");
        }
        assert!(resample(&[], 8_000, 16_000).is_empty());
        assert_eq!(resample(&[1, 2, 3], 8_000, 8_000), [1, 2, 3]);
    }
}

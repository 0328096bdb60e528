//! Log-mel features as Whisper hears: 25 ms windows every 10 ms, 80 Slaney mel bands, 16 kHz.

use std::sync::Arc;

use rustfft::num_complex::Complex;
use rustfft::{Fft, FftPlanner};

use crate::models::import::mel_filters;

const WINDOW: usize = 400;
const HOP: usize = 160;
const BINS: usize = WINDOW / 2 + 1;

/// Makes features; holds the transform and the filters.
pub struct LogMel {
    fft: Arc<dyn Fft<f64>>,
    window: Vec<f64>,
    /// Per band: first bin and the weights from there.
    bands: Vec<(usize, Vec<f64>)>,
}

impl LogMel {
    pub fn new(n_mels: usize) -> Self {
        let turn = std::f64::consts::TAU / WINDOW as f64;
        let bands = mel_filters(n_mels).chunks(BINS).map(band).collect();
        Self {
            fft: FftPlanner::new().plan_fft_forward(WINDOW),
            window: (0..WINDOW).map(|i| 0.5 - 0.5 * (turn * i as f64).cos()).collect(),
            bands,
        }
    }

    /// Features of `audio` (16 kHz), band by band: `n_mels` rows of `audio.len() / 160` frames, as Hugging Face's
    /// `WhisperFeatureExtractor` makes them: log10, no more than 8 below the peak, then (x + 4) / 4.
    pub fn features(&self, audio: &[f32]) -> Vec<f32> {
        let frames = audio.len() / HOP;
        let mut out = vec![0.0; self.bands.len() * frames];
        let mut scratch = vec![Complex::default(); self.fft.get_inplace_scratch_len()];
        let mut buffer = vec![Complex::default(); WINDOW];
        let mut peak = f32::NEG_INFINITY;
        // The transform is complex and the sound is not: two frames go through at once.
        for frame in (0..frames).step_by(2) {
            for (i, slot) in buffer.iter_mut().enumerate() {
                let sample = |frame: usize| self.window[i] * mirrored(audio, (frame * HOP + i) as isize - 200);
                *slot = Complex::new(sample(frame), sample(frame + 1));
            }
            self.fft.process_with_scratch(&mut buffer, &mut scratch);
            let power = |bin: usize| {
                let (a, b) = (buffer[bin], buffer[(WINDOW - bin) % WINDOW].conj());
                [((a + b) * 0.5).norm_sqr(), ((a - b) * 0.5).norm_sqr()]
            };
            for (row, (first, weights)) in self.bands.iter().enumerate() {
                let mut sums = [0f64; 2];
                for (i, weight) in weights.iter().enumerate() {
                    let powers = power(first + i);
                    sums[0] += weight * powers[0];
                    sums[1] += weight * powers[1];
                }
                for (ahead, sum) in sums.into_iter().enumerate().take(frames - frame) {
                    let log = sum.max(1e-10).log10() as f32;
                    out[row * frames + frame + ahead] = log;
                    peak = peak.max(log);
                }
            }
        }
        out.iter_mut().for_each(|v| *v = (v.max(peak - 8.0) + 4.0) / 4.0);
        out
    }
}

fn band(row: &[f32]) -> (usize, Vec<f64>) {
    let first = row.iter().position(|&w| w > 0.0).unwrap_or(0);
    let last = row.iter().rposition(|&w| w > 0.0).unwrap_or(0);
    (first, row[first..=last].iter().map(|&w| f64::from(w)).collect())
}

/// The sample there; before the first and after the last the sound is mirrored.
fn mirrored(audio: &[f32], at: isize) -> f64 {
    let last = audio.len() as isize - 1;
    let at = at.abs();
    let at = if at > last { (2 * last - at).max(0) } else { at };
    audio.get(at as usize).copied().unwrap_or(0.0).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn filters_are_whispers() {
        // Values of OpenAI's mel_filters.npz, 80 filters.
        let filters = mel_filters(80);
        assert_eq!(filters.len(), 80 * 201);
        assert!((filters[1] - 0.024_862_593).abs() < 1e-7, "{}", filters[1]);
        assert_eq!(filters[0].to_bits(), 0, "positive zero, everywhere");
    }

    #[test]
    fn a_tone_stands_out_in_its_band() {
        let tone: Vec<f32> = (0..8000).map(|i| (std::f32::consts::TAU * 1000.0 * i as f32 / 16_000.0).sin()).collect();
        let features = LogMel::new(80).features(&tone);
        let column: Vec<f32> = (0..80).map(|row| features[row * 50 + 25]).collect();
        let loudest = (0..80).max_by(|&a, &b| column[a].total_cmp(&column[b])).unwrap();
        assert!((25..=28).contains(&loudest), "{loudest}");
    }
}

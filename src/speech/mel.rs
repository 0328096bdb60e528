//! Log-mel features as Whisper hears: 25 ms windows every 10 ms, 80 Slaney mel bands, 16 kHz.

use std::sync::Arc;

use rustfft::num_complex::Complex;
use rustfft::{Fft, FftPlanner};

const WINDOW: usize = 400;
const HOP: usize = 160;
const BINS: usize = WINDOW / 2 + 1;

/// Slaney's mel filter bank, `n_mels` rows of 201 bins: librosa's `filters.mel`, which OpenAI's `mel_filters.npz` was
/// made with.
pub fn filters(n_mels: usize) -> Vec<f32> {
    const LINEAR: f64 = 200.0 / 3.0; // Hz a mel below 1 kHz
    let log_step = 6.4f64.ln() / 27.0; // above
    let to_hz = |mel: f64| if mel < 15.0 { mel * LINEAR } else { 1000.0 * (log_step * (mel - 15.0)).exp() };
    let top = 15.0 + (8000.0f64 / 1000.0).ln() / log_step;
    // As numpy's linspace: a step first, then multiples; the end exact.
    let step = top / (n_mels + 1) as f64;
    let edges: Vec<f64> = (0..n_mels + 2).map(|i| to_hz(if i == n_mels + 1 { top } else { i as f64 * step })).collect();

    let mut filters = Vec::with_capacity(n_mels * BINS);
    for mel in edges.windows(3) {
        let area = 2.0 / (mel[2] - mel[0]);
        for bin in 0..BINS {
            let hz = bin as f64 * 40.0; // 16 kHz / 400
            let rising = (hz - mel[0]) / (mel[1] - mel[0]);
            let falling = (mel[2] - hz) / (mel[2] - mel[1]);
            let height = rising.min(falling);
            let height = if height > 0.0 { height as f32 } else { 0.0 }; // not `max`: the sign of its zero is open
            filters.push((f64::from(height) * area) as f32); // rounded twice, as librosa does
        }
    }
    filters
}

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
        let bands = filters(n_mels).chunks(BINS).map(band).collect();
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
        let filters = filters(80);
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

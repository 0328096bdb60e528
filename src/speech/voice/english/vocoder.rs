//! Spectra to sound, for the hibari voice: per 12.5 ms frame the network gives five spectra and a pitch; a pulse
//! train at that pitch filtered by the harmonic part, shaped noise, and a free-phase part are added and
//! brought back by one inverse STFT (FFT 1200, hop 300, Hann, 24 kHz). Formulas from hibari-tts (Apache-2.0).

use std::f32::consts::{PI, TAU};
use std::sync::Arc;

use rustfft::num_complex::Complex32;
use rustfft::{Fft, FftPlanner};

const FFT: usize = 1200;
const HOP: usize = 300;
const BINS: usize = FFT / 2 + 1;
const RATE: f64 = 24_000.0;
/// Below this a frame is unvoiced, Hz.
const VOICED: f32 = 40.0;
/// Highest harmonic of the pulse train, Hz.
const HIGHEST: f32 = 11_000.0;

/// What the network gives, each `601 x frames`, bins outside.
pub struct Spectra<'a> {
    pub harmonic: &'a [f32],
    pub turn: &'a [f32],
    pub noise: &'a [f32],
    pub rest: &'a [f32],
    pub phase: &'a [f32],
    /// Pitch, Hz, one a frame.
    pub pitch: &'a [f32],
}

pub struct Vocoder {
    forward: Arc<dyn Fft<f32>>,
    inverse: Arc<dyn Fft<f32>>,
    window: Vec<f32>,
}

impl Vocoder {
    pub fn new() -> Self {
        let mut planner = FftPlanner::new();
        let window = (0..FFT).map(|n| 0.5 - 0.5 * (TAU * n as f32 / FFT as f32).cos()).collect();
        Self { forward: planner.plan_fft_forward(FFT), inverse: planner.plan_fft_inverse(FFT), window }
    }

    /// `frames * 300` samples at 24 kHz, full scale 1.0. The noise is the same at every call.
    pub fn sound(&self, spectra: &Spectra) -> Vec<f32> {
        let frames = spectra.pitch.len();
        let source = pulses(spectra.pitch);
        let mut out = vec![0.0f32; frames * HOP + FFT];
        let mut weight = vec![0.0f32; frames * HOP + FFT];
        let mut noise = Noise::new();
        let mut bins = vec![Complex32::default(); FFT];
        for frame in 0..frames {
            for (n, bin) in bins.iter_mut().enumerate() {
                let at = mirrored((frame * HOP + n) as isize - (FFT / 2) as isize, source.len());
                // Scaled so that a unit cosine has magnitude one.
                *bin = Complex32::new(source[at] * self.window[n] / (FFT as f32 / 4.0), 0.0);
            }
            self.forward.process(&mut bins);
            for (k, bin) in bins.iter_mut().enumerate().take(BINS) {
                let at = k * frames + frame;
                let turned = Complex32::from_polar(grow(spectra.harmonic[at]), PI * spectra.turn[at].tanh());
                let free = Complex32::from_polar(grow(spectra.rest[at]), spectra.phase[at]);
                *bin = *bin * turned + noise.next() * grow(spectra.noise[at]) + free;
            }
            // A real signal: the upper half mirrors the lower.
            bins[0].im = 0.0;
            bins[FFT / 2].im = 0.0;
            for k in 1..FFT / 2 {
                bins[FFT - k] = bins[k].conj();
            }
            self.inverse.process(&mut bins);
            for (n, bin) in bins.iter().enumerate() {
                let window = self.window[n];
                out[frame * HOP + n] += bin.re / FFT as f32 * window;
                weight[frame * HOP + n] += window * window;
            }
        }
        let middle = FFT / 2..FFT / 2 + frames * HOP;
        out[middle.clone()].iter().zip(&weight[middle]).map(|(sample, weight)| sample / weight.max(1e-11)).collect()
    }
}

fn grow(log: f32) -> f32 {
    log.min(7.0).exp()
}

/// Index of sample `at` with the signal reflected at both ends.
fn mirrored(at: isize, len: usize) -> usize {
    let last = len as isize - 1;
    let at = at.abs();
    let at = if at > last { 2 * last - at } else { at };
    at.clamp(0, last) as usize
}

/// Every harmonic below 11 kHz at unit amplitude: sum of cos(h t) = sin((H + 1/2) t) / (2 sin(t / 2)) - 1/2.
fn pulses(pitch: &[f32]) -> Vec<f32> {
    let mut turns = 0.0f64;
    let mut out = Vec::with_capacity(pitch.len() * HOP);
    for frame in 0..pitch.len() {
        let here = pitch[frame];
        let before = pitch[frame.saturating_sub(1)];
        let after = pitch[(frame + 1).min(pitch.len() - 1)];
        for j in 0..HOP {
            let place = (j as f32 + 0.5) / HOP as f32 - 0.5;
            let hz =
                if place < 0.0 { before * -place + here * (1.0 + place) } else { here * (1.0 - place) + after * place };
            let steady = hz.max(VOICED);
            turns = (turns + f64::from(steady) / RATE).fract();
            let angle = turns as f32 * TAU;
            let harmonics = (HIGHEST / steady).floor() + 0.5;
            let below = 2.0 * (angle * 0.5).sin();
            let sum = if below.abs() <= 2e-3 { harmonics } else { (harmonics * angle).sin() / below };
            out.push(if hz > VOICED { sum - 0.5 } else { 0.0 });
        }
    }
    out
}

/// Gaussian noise, always the same: splitmix64 and Box-Muller.
struct Noise(u64);

impl Noise {
    fn new() -> Self {
        Self(0x6672_6f6e_7464_6573)
    }

    fn uniform(&mut self) -> f32 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) >> 40) as f32 / (1u32 << 24) as f32
    }

    /// Both parts of variance one.
    fn next(&mut self) -> Complex32 {
        let radius = (-2.0 * (1.0 - self.uniform()).ln()).sqrt();
        Complex32::from_polar(radius, TAU * self.uniform())
    }
}

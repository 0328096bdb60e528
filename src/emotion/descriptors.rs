//! What is measured of one frame of a voice, 40 ms of 8 kHz sound: pitch, level, spectral balance, formants, cepstrum,
//! voice quality. The choice follows eGeMAPS (Eyben et al. 2016), fitted to the telephone's 300-3400 Hz: nothing rests
//! on a fundamental or a sibilant the line cut off. After `new` nothing is allocated.

use std::sync::Arc;

use rustfft::num_complex::Complex32;
use rustfft::{Fft, FftPlanner};

use super::features::RATE;

/// Samples a frame looks at: 40 ms, two and a half periods of the deepest voice.
pub(super) const WINDOW: usize = 320;
/// Long enough that the autocorrelation does not wrap up to the longest lag.
const FFT: usize = 512;
/// Lags of 500 Hz and 62.5 Hz.
const LAGS: std::ops::Range<usize> = 16..128;
const MELS: usize = 22;
const CEPSTRA: usize = 12;
const LPC: usize = 9;
/// Places at which the LPC spectrum is looked at, 0 to 4 kHz.
const LPC_GRID: usize = 80;

/// Frames up to so many dB over the floor are the line's noise.
const NOISE_REACHES: f32 = 3.0;
/// dB.
const NOISE_FALLS: f32 = 6.0;
/// Share of a frame of noise in the estimate.
const NOISE_FOLLOWS: f32 = 0.08;
/// How often the noise is taken out, and the share of a line of the spectrum that always stays.
const NOISE_TAKEN: f32 = 1.5;
const NOISE_LEFT: f32 = 0.06;
/// Gains move so far towards what a frame wants: without, what is left of the noise twinkles.
const GAIN_FOLLOWS: f32 = 0.25;

/// The descriptors of a frame, by place in `Frame::values`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(usize)]
pub(super) enum Lld {
    /// Level, dB re full scale.
    Level,
    /// Semitones above 50 Hz.
    Pitch,
    /// Harmonics to noise, dB.
    Harmonicity,
    Jitter,
    Shimmer,
    /// 300-1000 Hz over 1-3.4 kHz, dB.
    Alpha,
    /// Strongest line below over above 2 kHz, dB.
    Hammarberg,
    /// Slope 300-1000 Hz, 1-3.4 kHz, dB a kHz.
    SlopeLow,
    SlopeHigh,
    /// Hz / 1000.
    Centroid,
    Flux,
    /// Log ratio of geometric to arithmetic mean.
    Flatness,
    /// Prominence of the cepstral peak.
    Prominence,
    /// kHz.
    Formant1,
    Formant2,
    Formant3,
    Cepstrum1,
}

pub(super) const LLDS: usize = Lld::Cepstrum1 as usize + CEPSTRA;

#[derive(Clone, Copy, Debug)]
pub(super) struct Frame {
    pub values: [f32; LLDS],
    pub voiced: bool,
}

/// One frame's descriptors; holds tables and the frame before.
#[derive(Clone)]
pub(super) struct Analysis {
    fft: Arc<dyn Fft<f32>>,
    window: [f32; WINDOW],
    /// Autocorrelation of the window itself, to divide by (Boersma 1993).
    window_lags: [f32; LAGS.end + 1],
    bands: Vec<(usize, Vec<f32>)>,
    dct: [[f32; MELS]; CEPSTRA],
    /// cos and sin of (grid place x LPC coefficient).
    turns: Vec<[(f32, f32); LPC]>,
    spectrum: Vec<Complex32>,
    power: [f32; FFT / 2 + 1],
    scratch: Vec<Complex32>,
    /// The line's noise, and its level, dB.
    noise: [f32; FFT / 2 + 1],
    noise_level: f32,
    /// How much of each line of the spectrum was kept of the frame before.
    gains: [f32; FFT / 2 + 1],
    mels_before: [f32; MELS],
    /// Lag of the frame before, 0 if it was unvoiced.
    lag_before: f32,
}

impl Analysis {
    pub fn new() -> Self {
        let fft = FftPlanner::new().plan_fft_forward(FFT);
        let mut window = [0.0; WINDOW];
        for (i, w) in window.iter_mut().enumerate() {
            *w = 0.5 - 0.5 * (std::f32::consts::TAU * (i as f32 + 0.5) / WINDOW as f32).cos();
        }
        let mut window_lags = [0.0; LAGS.end + 1];
        for (lag, value) in window_lags.iter_mut().enumerate() {
            *value = window.iter().zip(&window[lag..]).map(|(a, b)| a * b).sum();
        }
        let whole = window_lags[0];
        window_lags.iter_mut().for_each(|value| *value /= whole);
        let mut dct = [[0.0; MELS]; CEPSTRA];
        for (n, row) in dct.iter_mut().enumerate() {
            for (m, value) in row.iter_mut().enumerate() {
                let angle = std::f32::consts::PI * (n + 1) as f32 * (m as f32 + 0.5) / MELS as f32;
                *value = angle.cos() * (2.0 / MELS as f32).sqrt();
            }
        }
        let turns = (0..LPC_GRID)
            .map(|place| {
                std::array::from_fn(|k| {
                    let angle = std::f32::consts::PI * place as f32 / LPC_GRID as f32 * (k + 1) as f32;
                    (angle.cos(), angle.sin())
                })
            })
            .collect();
        Self {
            scratch: vec![Complex32::default(); fft.get_inplace_scratch_len()],
            fft,
            window,
            window_lags,
            bands: mel_bands(),
            dct,
            turns,
            spectrum: vec![Complex32::default(); FFT],
            power: [0.0; FFT / 2 + 1],
            noise: [0.0; FFT / 2 + 1],
            noise_level: 0.0,
            gains: [1.0; FFT / 2 + 1],
            mels_before: [0.0; MELS],
            lag_before: 0.0,
        }
    }

    pub fn reset(&mut self) {
        self.mels_before = [0.0; MELS];
        self.lag_before = 0.0;
    }

    /// `floor`: the line's noise, dB, where it is known.
    pub fn run(&mut self, samples: &[f32; WINDOW], floor: Option<f32>) -> Frame {
        let mut values = [0.0; LLDS];
        let energy: f32 = samples.iter().zip(&self.window).map(|(x, w)| x * x * w).sum::<f32>() / (WINDOW as f32 * 0.5);
        values[Lld::Level as usize] = 10.0 * (energy + 1e-10).log10();

        for (slot, (x, w)) in self.spectrum.iter_mut().zip(samples.iter().zip(&self.window)) {
            *slot = Complex32::new(x * w, 0.0);
        }
        self.spectrum[WINDOW..].fill(Complex32::default());
        self.fft.process_with_scratch(&mut self.spectrum, &mut self.scratch);
        for (power, value) in self.power.iter_mut().zip(&self.spectrum) {
            *power = value.norm_sqr();
        }
        if let Some(floor) = floor {
            self.quieten(values[Lld::Level as usize], floor);
        }
        self.balance(&mut values);
        self.cepstrum(&mut values);

        // Two real and even functions share one transform: the power gives the autocorrelation, its logarithm the
        // cepstrum for the prominence of the pitch.
        for bin in 0..FFT {
            let power = self.power[bin.min(FFT - bin)];
            self.spectrum[bin] = Complex32::new(power, (power + 1e-9).ln());
        }
        self.fft.process_with_scratch(&mut self.spectrum, &mut self.scratch);
        let (lag, strength) = self.pitch();
        let voiced = lag > 0.0;
        values[Lld::Prominence as usize] = self.prominence();
        if voiced {
            values[Lld::Pitch as usize] = 12.0 * (RATE as f32 / lag / 50.0).log2();
            let strength = strength.clamp(0.05, 0.995);
            values[Lld::Harmonicity as usize] = 10.0 * (strength / (1.0 - strength)).log10();
            let (jitter, shimmer) = perturbation(samples, lag);
            values[Lld::Jitter as usize] = jitter;
            values[Lld::Shimmer as usize] = shimmer;
        }
        self.formants(&mut values);
        self.lag_before = lag;
        Frame { values, voiced }
    }

    /// Takes the line's noise out of the spectrum (Boll 1979, with a floor in place of silence).
    fn quieten(&mut self, level: f32, floor: f32) {
        if level < floor + NOISE_REACHES {
            // A floor found anew, far below: what was taken for noise was a voice.
            let share = if level + NOISE_FALLS < self.noise_level { 1.0 } else { NOISE_FOLLOWS };
            self.noise_level += share * (level - self.noise_level);
            self.noise.iter_mut().zip(&self.power).for_each(|(noise, power)| *noise += share * (power - *noise));
        }
        for ((power, noise), gain) in self.power.iter_mut().zip(&self.noise).zip(&mut self.gains) {
            let wanted = (1.0 - NOISE_TAKEN * noise / (*power + 1e-12)).max(NOISE_LEFT);
            *gain += GAIN_FOLLOWS * (wanted - *gain);
            *power *= *gain;
        }
    }

    /// Balance of the spectrum inside the telephone's band.
    fn balance(&self, values: &mut [f32; LLDS]) {
        let band = |from: f32, to: f32| &self.power[bin(from)..bin(to)];
        let db = |power: f32| 10.0 * (power + 1e-9).log10();
        let sum = |from, to| band(from, to).iter().sum::<f32>();
        let peak = |from, to| band(from, to).iter().copied().fold(0.0, f32::max);
        values[Lld::Alpha as usize] = db(sum(300.0, 1_000.0)) - db(sum(1_000.0, 3_400.0));
        values[Lld::Hammarberg as usize] = db(peak(300.0, 2_000.0)) - db(peak(2_000.0, 3_400.0));
        values[Lld::SlopeLow as usize] = self.slope(300.0, 1_000.0);
        values[Lld::SlopeHigh as usize] = self.slope(1_000.0, 3_400.0);
        let first = bin(300.0);
        let (mut sum, mut moment) = (1e-9, 0.0);
        for (n, power) in band(300.0, 3_400.0).iter().enumerate() {
            let magnitude = power.sqrt();
            sum += magnitude;
            moment += magnitude * (first + n) as f32;
        }
        values[Lld::Centroid as usize] = moment / sum * (RATE as f32 / FFT as f32) / 1_000.0;
    }

    /// Slope of the level by least squares over 100 Hz steps, dB a kHz.
    fn slope(&self, from: f32, to: f32) -> f32 {
        let (mut n, mut sx, mut sy, mut sxx, mut sxy) = (0.0, 0.0, 0.0, 0.0, 0.0);
        let mut at = from;
        while at < to {
            let power: f32 = self.power[bin(at)..bin(at + 100.0)].iter().sum();
            let (x, y) = (at / 1_000.0, 10.0 * (power + 1e-9).log10());
            n += 1.0;
            sx += x;
            sy += y;
            sxx += x * x;
            sxy += x * y;
            at += 100.0;
        }
        (n * sxy - sx * sy) / (n * sxx - sx * sx)
    }

    fn cepstrum(&mut self, values: &mut [f32; LLDS]) {
        let mut mels = [0.0; MELS];
        let mut sum = 1e-9;
        for (mel, (first, weights)) in mels.iter_mut().zip(&self.bands) {
            let power: f32 = weights.iter().zip(&self.power[*first..]).map(|(w, p)| w * p).sum();
            sum += power;
            *mel = (power + 1e-7).ln();
        }
        let mean_log = mels.iter().sum::<f32>() / MELS as f32;
        values[Lld::Flatness as usize] = mean_log - (sum / MELS as f32).ln();
        for (n, row) in self.dct.iter().enumerate() {
            values[Lld::Cepstrum1 as usize + n] = row.iter().zip(&mels).map(|(a, b)| a * b).sum();
        }
        let flux = mels.iter().zip(&self.mels_before).map(|(a, b)| (a - b).abs()).sum::<f32>() / MELS as f32;
        values[Lld::Flux as usize] = if self.mels_before == [0.0; MELS] { 0.0 } else { flux };
        self.mels_before = mels;
    }

    /// Period in samples (0: unvoiced) and the strength of the periodicity, by the normalised autocorrelation
    /// (Boersma 1993), with a bonus for going on where the frame before was.
    fn pitch(&self) -> (f32, f32) {
        let whole = self.spectrum[0].re;
        if whole < 1e-5 {
            return (0.0, 0.0);
        }
        let r = |lag: usize| self.spectrum[lag].re / whole / self.window_lags[lag];
        let mut best = (0.0, 0.0, 0.0);
        for lag in LAGS {
            let (before, here, after) = (r(lag - 1), r(lag), r(lag + 1));
            if here < 0.3 || here < before || here < after {
                continue;
            }
            let bend = before - 2.0 * here + after;
            let shift = if bend.abs() > 1e-9 { 0.5 * (before - after) / bend } else { 0.0 };
            let (place, strength) = (lag as f32 + shift, (here - 0.25 * (before - after) * shift).min(1.0));
            // Short periods are preferred (their multiples match as well), jumps cost.
            let mut score = strength - 0.06 * (place / LAGS.start as f32).log2();
            if self.lag_before > 0.0 {
                score -= 0.12 * (place / self.lag_before).log2().abs().min(1.5);
            }
            if score > best.0 {
                best = (score, place, strength);
            }
        }
        let threshold = if self.lag_before > 0.0 { 0.42 } else { 0.5 };
        if best.2 > threshold { (best.1, best.2) } else { (0.0, best.2) }
    }

    /// Height of the cepstrum's peak over its mean, in the range of pitch (Hillenbrand 1994), without dimension.
    fn prominence(&self) -> f32 {
        let (mut peak, mut sum) = (f32::MIN, 0.0);
        for lag in LAGS {
            let value = self.spectrum[lag].im / FFT as f32;
            peak = peak.max(value);
            sum += value.abs();
        }
        peak - sum / LAGS.len() as f32
    }

    /// The first three peaks of the linear-prediction spectrum, kHz.
    fn formants(&self, values: &mut [f32; LLDS]) {
        const EMPHASIS: f32 = 0.9;
        // Autocorrelation of the pre-emphasised sound, from that of the sound; a little white noise keeps it stable.
        let r: [f32; LPC + 1] = std::array::from_fn(|k| {
            let at = |lag: usize| self.spectrum[lag].re;
            let before = if k == 0 { at(1) } else { at(k - 1) };
            (1.0 + EMPHASIS * EMPHASIS) * at(k) - EMPHASIS * (before + at(k + 1))
        });
        let Some(a) = levinson(&r) else {
            [Lld::Formant1, Lld::Formant2, Lld::Formant3]
                .into_iter()
                .zip([0.5, 1.5, 2.5])
                .for_each(|(formant, usual)| values[formant as usize] = usual);
            return;
        };
        let mut inverse = [0.0; LPC_GRID];
        for (value, turns) in inverse.iter_mut().zip(&self.turns) {
            let (mut re, mut im) = (1.0, 0.0);
            for (a, (cos, sin)) in a.iter().zip(turns) {
                re += a * cos;
                im += a * sin;
            }
            *value = re * re + im * im;
        }
        for (formant, from, to, usual) in [
            (Lld::Formant1, 250.0, 1_050.0, 0.5),
            (Lld::Formant2, 1_050.0, 2_300.0, 1.5),
            (Lld::Formant3, 2_100.0, 3_500.0, 2.6),
        ] {
            let place = |hz: f32| (hz / 4_000.0 * LPC_GRID as f32) as usize;
            let mut best = (f32::MAX, usual);
            for n in place(from).max(1)..place(to) {
                let (before, here, after) = (inverse[n - 1], inverse[n], inverse[n + 1]);
                if here <= before && here <= after && here < best.0 {
                    let bend = before - 2.0 * here + after;
                    let shift = if bend > 1e-12 { 0.5 * (before - after) / bend } else { 0.0 };
                    best = (here, (n as f32 + shift) * 4.0 / LPC_GRID as f32);
                }
            }
            values[formant as usize] = best.1;
        }
    }
}

fn bin(hz: f32) -> usize {
    (hz / RATE as f32 * FFT as f32).round() as usize
}

/// Triangles even on the mel scale (HTK's), 200 to 3600 Hz: first bin and weights.
fn mel_bands() -> Vec<(usize, Vec<f32>)> {
    let mel = |hz: f32| 1_127.0 * (1.0 + hz / 700.0).ln();
    let (low, high) = (mel(200.0), mel(3_600.0));
    let edge = |n: usize| low + (high - low) * n as f32 / (MELS + 1) as f32;
    (0..MELS)
        .map(|n| {
            let (left, middle, right) = (edge(n), edge(n + 1), edge(n + 2));
            let weight = |bin: usize| {
                let at = mel(bin as f32 * RATE as f32 / FFT as f32);
                ((at - left) / (middle - left)).min((right - at) / (right - middle)).max(0.0)
            };
            let first = (0..=FFT / 2).find(|&bin| weight(bin) > 0.0).unwrap_or(0);
            (first, (first..=FFT / 2).map(weight).take_while(|&w| w > 0.0).collect())
        })
        .collect()
}

/// Predictor coefficients (Levinson-Durbin); none of silence.
fn levinson(r: &[f32; LPC + 1]) -> Option<[f32; LPC]> {
    let mut a = [0.0f32; LPC];
    let mut error = r[0] * 1.000_1;
    if error < 1e-6 {
        return None;
    }
    for i in 0..LPC {
        let reach: f32 = r[i + 1] + (0..i).map(|j| a[j] * r[i - j]).sum::<f32>();
        let k = -reach / error;
        let before = a;
        for j in 0..i {
            a[j] = before[j] + k * before[i - 1 - j];
        }
        a[i] = k;
        error *= 1.0 - k * k;
        if error <= 0.0 {
            return None;
        }
    }
    Some(a)
}

/// Jitter and shimmer inside one frame: mean change from one period to the next of its length and of its peak, as
/// shares of their means. Peaks are sought where the period expects them.
fn perturbation(samples: &[f32; WINDOW], lag: f32) -> (f32, f32) {
    let peak_in = |from: usize, to: usize| {
        let to = to.min(WINDOW);
        (from < to).then(|| {
            let (place, value) = samples[from..to]
                .iter()
                .enumerate()
                .fold((0, f32::MIN), |best, (n, &x)| if x > best.1 { (n, x) } else { best });
            let at = from + place;
            let refined = if at > 0 && at + 1 < WINDOW {
                let (b, h, a) = (samples[at - 1], samples[at], samples[at + 1]);
                let bend = b - 2.0 * h + a;
                if bend < -1e-9 { at as f32 + (0.5 * (b - a) / bend).clamp(-0.5, 0.5) } else { at as f32 }
            } else {
                at as f32
            };
            (refined, value)
        })
    };
    let margin = 0.2 * lag;
    let Some(mut here) = peak_in(0, lag as usize + 1) else { return (0.0, 0.0) };
    let (mut period_before, mut peak_before) = (0.0, here.1);
    let (mut lengths, mut heights, mut height, mut count) = (0.0, 0.0, here.1, 0.0);
    loop {
        let from = here.0 + lag - margin;
        if from + 2.0 * margin >= WINDOW as f32 {
            break;
        }
        let Some(next) = peak_in(from as usize, (from + 2.0 * margin) as usize + 1) else { break };
        let period = next.0 - here.0;
        if period_before > 0.0 {
            lengths += (period - period_before).abs() / lag;
        }
        heights += (next.1 - peak_before).abs();
        height += next.1;
        count += 1.0;
        (period_before, peak_before, here) = (period, next.1, next);
    }
    if count < 1.0 {
        return (0.0, 0.0);
    }
    let mean = (height / (count + 1.0)).max(1e-6);
    let jitter = if count > 1.0 { lengths / (count - 1.0) } else { 0.0 };
    (jitter.min(0.4), (heights / count / mean).min(2.0))
}

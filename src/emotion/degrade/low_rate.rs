//! What a low-rate codec leaves of a voice: code-excited linear prediction at about 8 kbit/s, encoder and decoder in
//! one, in the manner of G.729 (ITU-T G.729, 1996; own, simplified, and not compatible with it). Only the damage
//! matters here: a spectrum in few bits, a residual of one pitch lag and four pulses each 5 ms. Differences from G.729:
//! log-area ratios every 20 ms instead of line spectra every 10, whole lags, no postfilter.

/// Samples in 5 ms.
const SUBFRAME: usize = 40;
/// Samples in 20 ms.
const FRAME: usize = 4 * SUBFRAME;
const ORDER: usize = 10;
const LAGS: std::ops::RangeInclusive<usize> = 20..=143;
const LONGEST: usize = 143;
/// Log-area ratios are coded between these limits in so many bits: 37 each frame.
const RATIOS: [(f32, f32, u32); ORDER] = [
    (-4.8, 2.0, 6),
    (-2.0, 4.0, 5),
    (-2.2, 2.2, 5),
    (-1.6, 2.2, 4),
    (-2.0, 1.6, 4),
    (-1.4, 1.6, 3),
    (-1.4, 1.4, 3),
    (-1.2, 1.4, 3),
    (-1.0, 1.0, 2),
    (-0.8, 0.8, 2),
];
/// Gains of the pitch part, 3 bits.
const PITCH_GAINS: [f32; 8] = [0.0, 0.2, 0.35, 0.5, 0.65, 0.8, 0.95, 1.1];
/// Of the weighting filter A(z/.94) / A(z/.6) that hides noise under the voice (G.729, 3.3).
const WEIGHTS: (f32, f32) = (0.94, 0.6);

type Predictor = [f32; ORDER];

/// `samples` (8 kHz) coded and decoded, as many as given, without delay.
pub fn low_rate(samples: &[i16]) -> Vec<i16> {
    let mut input: Vec<f32> = samples.iter().map(|&s| f32::from(s)).collect();
    input.resize(samples.len().next_multiple_of(FRAME), 0.0);
    let mut codec = Celp::default();
    let mut before = [0.0; ORDER];
    let mut output = Vec::with_capacity(input.len());
    for frame in (0..input.len()).step_by(FRAME) {
        let ratios = quantised(log_area_ratios(&input, frame));
        for subframe in 0..4 {
            // The second half is the frame's own, the first leads over from the one before.
            let weight = [0.5, 0.75, 1.0, 1.0][subframe];
            let mixed = std::array::from_fn(|i| before[i] + weight * (ratios[i] - before[i]));
            let at = frame + subframe * SUBFRAME;
            output.extend(codec.subframe(&input[at..at + SUBFRAME], &predictor(mixed)));
        }
        before = ratios;
    }
    output.truncate(samples.len());
    output.into_iter().map(|s| s.round() as i16).collect() // `as` saturates
}

struct Celp {
    /// Excitation so far, newest last.
    past: [f32; LONGEST],
    /// Last sound given out, last error, and last weighted error, newest first.
    spoken: [f32; ORDER],
    error: [f32; ORDER],
    weighted: [f32; ORDER],
    /// Base-2 logarithm of the pulses' last gain.
    level: f32,
}

impl Default for Celp {
    fn default() -> Self {
        let none = [0.0; ORDER];
        Self { past: [0.0; LONGEST], spoken: none, error: none, weighted: none, level: 0.0 }
    }
}

impl Celp {
    fn subframe(&mut self, speech: &[f32], a: &Predictor) -> [f32; SUBFRAME] {
        let (near, far) = (spread(a, WEIGHTS.0), spread(a, WEIGHTS.1));
        let response = impulse_response(a, &near, &far);
        // What is still to be said once the filter has rung out, as the weighting hears it.
        let ringing = synthesise(a, &[0.0; SUBFRAME], &mut self.spoken.clone());
        let rest: [f32; SUBFRAME] = std::array::from_fn(|i| speech[i] - ringing[i]);
        let target = weigh(&near, &far, &rest, &mut self.error.clone(), &mut self.weighted.clone());

        let (pitch, heard) = self.pitch(&target, &response);
        let pitch_gain = nearest(&PITCH_GAINS, ratio(&target, &heard));
        let target: [f32; SUBFRAME] = std::array::from_fn(|i| target[i] - pitch_gain * heard[i]);
        let pulses = pulses(&target, &response);
        let pulse_gain = self.pulse_gain(ratio(&target, &convolve(&pulses, &response)));

        let excitation: [f32; SUBFRAME] = std::array::from_fn(|i| pitch_gain * pitch[i] + pulse_gain * pulses[i]);
        let spoken = synthesise(a, &excitation, &mut self.spoken);
        let error: [f32; SUBFRAME] = std::array::from_fn(|i| speech[i] - spoken[i]);
        weigh(&near, &far, &error, &mut self.error, &mut self.weighted);
        self.past.copy_within(SUBFRAME.., 0);
        self.past[LONGEST - SUBFRAME..].copy_from_slice(&excitation);
        spoken
    }

    /// The past excitation, one lag ago, that comes nearest to the target; and how it is heard through the filters.
    fn pitch(&self, target: &[f32; SUBFRAME], response: &[f32; SUBFRAME]) -> ([f32; SUBFRAME], [f32; SUBFRAME]) {
        let mut best = (0.0, [0.0; SUBFRAME], [0.0; SUBFRAME]);
        for lag in LAGS {
            let mut part = [0.0; SUBFRAME];
            for i in 0..SUBFRAME {
                part[i] = if i < lag { self.past[LONGEST - lag + i] } else { part[i - lag] };
            }
            let heard = convolve(&part, response);
            let (match_, energy) = (dot(target, &heard), dot(&heard, &heard));
            let score = if match_ > 0.0 && energy > 0.0 { match_ * match_ / energy } else { 0.0 };
            if score > best.0 {
                best = (score, part, heard);
            }
        }
        (best.1, best.2)
    }

    /// 4 bits: steps of 3.6 dB around a leaky memory of the last gain.
    fn pulse_gain(&mut self, gain: f32) -> f32 {
        let expected = 0.8 * self.level;
        let step = ((gain.max(0.02).log2() - expected) / 0.6).round().clamp(-9.0, 6.0);
        self.level = expected + 0.6 * step;
        self.level.exp2()
    }
}

/// Four pulses of height 1 on four interleaved tracks (G.729, 3.8), found one after the other, each track once first.
fn pulses(target: &[f32; SUBFRAME], response: &[f32; SUBFRAME]) -> [f32; SUBFRAME] {
    // Match of a pulse at each place, and energy of each pair of pulses.
    let matches: [f32; SUBFRAME] = std::array::from_fn(|n| dot(&target[n..], response));
    let energy = |a: usize, b: usize| {
        let (low, high) = (a.min(b), a.max(b));
        dot(&response[high - low..SUBFRAME - low], &response[..SUBFRAME - high])
    };
    let track = |track: usize| (0..SUBFRAME).filter(move |n| (n % 5).min(3) == track);
    let own: [f32; SUBFRAME] = std::array::from_fn(|n| energy(n, n));
    let mut best = (-1.0, [0.0; SUBFRAME]);
    for first in 0..4 {
        let (mut chosen, mut match_, mut power): (Vec<usize>, f32, f32) = (Vec::with_capacity(4), 0.0, 0.0);
        for turn in 0..4 {
            let mut found = (-1.0, 0, 0.0, 0.0);
            for n in track((first + turn) % 4) {
                let with: f32 = chosen
                    .iter()
                    .map(|&m: &usize| 2.0 * matches[m].signum() * matches[n].signum() * energy(m, n))
                    .sum();
                let (m, p) = (match_ + matches[n].abs(), power + own[n] + with);
                let score = m * m / p.max(1e-9);
                if score > found.0 {
                    found = (score, n, m, p);
                }
            }
            chosen.push(found.1);
            (match_, power) = (found.2, found.3);
        }
        let score = match_ * match_ / power.max(1e-9);
        if score > best.0 {
            let mut pulses = [0.0; SUBFRAME];
            chosen.iter().for_each(|&n| pulses[n] = matches[n].signum());
            best = (score, pulses);
        }
    }
    best.1
}

/// Log-area ratios of the 30 ms around a frame: windowed autocorrelation, 60 Hz lag window, Levinson and Durbin.
fn log_area_ratios(input: &[f32], frame: usize) -> [f32; ORDER] {
    const WINDOW: usize = FRAME * 3 / 2;
    let windowed: [f32; WINDOW] = std::array::from_fn(|i| {
        let sample = (frame + i).checked_sub((WINDOW - FRAME) / 2).and_then(|at| input.get(at)).copied();
        sample.unwrap_or(0.0) * (0.54 - 0.46 * (std::f32::consts::TAU * (i as f32 + 0.5) / WINDOW as f32).cos())
    });
    let mut r: [f32; ORDER + 1] = std::array::from_fn(|lag| dot(&windowed[lag..], &windowed));
    for (lag, r) in r.iter_mut().enumerate().skip(1) {
        *r *= (-0.5 * (std::f32::consts::TAU * 60.0 * lag as f32 / 8_000.0).powi(2)).exp();
    }
    r[0] = r[0] * 1.0001 + 1.0;
    let (mut a, mut error) = ([0.0; ORDER], r[0]);
    std::array::from_fn(|i| {
        let sum: f32 = (0..i).map(|j| a[j] * r[i - j]).sum();
        let k = (-(r[i + 1] + sum) / error).clamp(-0.99, 0.99);
        step_up(&mut a, i, k);
        error *= 1.0 - k * k;
        ((1.0 + k) / (1.0 - k)).ln()
    })
}

fn quantised(ratios: [f32; ORDER]) -> [f32; ORDER] {
    std::array::from_fn(|i| {
        let (low, high, bits) = RATIOS[i];
        let step = (high - low) / ((1 << bits) - 1) as f32;
        low + step * ((ratios[i].clamp(low, high) - low) / step).round()
    })
}

/// Always stable: every log-area ratio stands for a reflection coefficient between -1 and 1.
fn predictor(ratios: [f32; ORDER]) -> Predictor {
    let mut a = [0.0; ORDER];
    for (i, ratio) in ratios.into_iter().enumerate() {
        step_up(&mut a, i, (ratio / 2.0).tanh());
    }
    a
}

/// A predictor of order `i` becomes one of order `i + 1` by its reflection coefficient.
fn step_up(a: &mut Predictor, i: usize, k: f32) {
    let before = *a;
    for j in 0..i {
        a[j] += k * before[i - 1 - j];
    }
    a[i] = k;
}

/// A(z/factor).
fn spread(a: &Predictor, factor: f32) -> Predictor {
    std::array::from_fn(|i| a[i] * factor.powi(i as i32 + 1))
}

/// Through 1/A(z). `memory`: its last outputs, newest first.
fn synthesise(a: &Predictor, input: &[f32; SUBFRAME], memory: &mut [f32; ORDER]) -> [f32; SUBFRAME] {
    input.map(|x| {
        let y = x - dot(a, memory);
        push(memory, y);
        y
    })
}

/// Through A(z/near) / A(z/far). Memories: last inputs and outputs, newest first.
fn weigh(
    near: &Predictor,
    far: &Predictor,
    input: &[f32; SUBFRAME],
    inputs: &mut [f32; ORDER],
    outputs: &mut [f32; ORDER],
) -> [f32; SUBFRAME] {
    input.map(|x| {
        let y = x + dot(near, inputs) - dot(far, outputs);
        push(inputs, x);
        push(outputs, y);
        y
    })
}

/// Of synthesis and weighting together.
fn impulse_response(a: &Predictor, near: &Predictor, far: &Predictor) -> [f32; SUBFRAME] {
    let mut impulse = [0.0; SUBFRAME];
    impulse[0] = 1.0;
    let weighted = weigh(near, far, &impulse, &mut [0.0; ORDER], &mut [0.0; ORDER]);
    synthesise(a, &weighted, &mut [0.0; ORDER])
}

fn convolve(x: &[f32; SUBFRAME], h: &[f32; SUBFRAME]) -> [f32; SUBFRAME] {
    let mut y = [0.0; SUBFRAME];
    for (i, &x) in x.iter().enumerate().filter(|(_, x)| **x != 0.0) {
        for (y, h) in y[i..].iter_mut().zip(h) {
            *y += x * h;
        }
    }
    y
}

/// By which factor `part` comes nearest to `target`.
fn ratio(target: &[f32; SUBFRAME], part: &[f32; SUBFRAME]) -> f32 {
    let energy = dot(part, part);
    if energy > 0.0 { dot(target, part) / energy } else { 0.0 }
}

fn nearest(table: &[f32], value: f32) -> f32 {
    // The table is a constant that is not empty.
    table.iter().copied().min_by(|a, b| (a - value).abs().total_cmp(&(b - value).abs())).unwrap_or(0.0)
}

/// Over as many as both have.
fn dot(a: &[f32], b: &[f32]) -> f32 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

fn push(memory: &mut [f32; ORDER], newest: f32) {
    memory.copy_within(..ORDER - 1, 1);
    memory[0] = newest;
}

#[cfg(test)]
mod tests {
    use super::*;

    fn speech(file: &str) -> Vec<i16> {
        let sound = crate::media::file::read(format!("audio_fixtures/{file}")).unwrap();
        crate::media::resample(&sound.samples, sound.rate, 8_000)
    }

    /// Mean over the loud 20 ms pieces of signal against difference, dB.
    fn segmental_snr(a: &[i16], b: &[i16]) -> f32 {
        let power = |s: &[f32]| s.iter().map(|s| s * s).sum::<f32>();
        let snrs: Vec<f32> = a
            .chunks(FRAME)
            .zip(b.chunks(FRAME))
            .filter_map(|(a, b)| {
                let a: Vec<f32> = a.iter().map(|&s| f32::from(s)).collect();
                let rest: Vec<f32> = a.iter().zip(b).map(|(a, &b)| a - f32::from(b)).collect();
                (power(&a) > 500f32.powi(2) * FRAME as f32).then(|| 10.0 * (power(&a) / power(&rest).max(1.0)).log10())
            })
            .collect();
        snrs.iter().sum::<f32>() / snrs.len() as f32
    }

    #[test]
    fn a_voice_is_kept_as_well_as_such_a_codec_keeps_it_and_no_better() {
        for file in ["pocketsphinx/librivox-0880.wav", "asterisk/en-privacy-prompt.wav"] {
            let speech = speech(file);
            let coded = low_rate(&speech);
            assert_eq!(coded.len(), speech.len());
            let snr = segmental_snr(&speech, &coded);
            // Codecs of this rate have some 7 to 17 dB by voice; G.711 has 37.
            assert!((6.0..18.0).contains(&snr), "{file}: {snr:.1} dB");
            let floats = |s: &[i16]| s.iter().map(|&s| f32::from(s)).collect::<Vec<_>>();
            let level = |s: &[i16]| super::super::speech_level(&floats(s)).unwrap();
            assert!((level(&speech) - level(&coded)).abs() < 1.0, "{file}: level");
        }
    }

    #[test]
    fn silence_stays_silent_and_full_scale_does_not_run_away() {
        let silent = low_rate(&[0; 4_000]);
        assert!(silent.iter().all(|s| s.abs() <= 2), "{:?}", silent.iter().max());
        let square: Vec<i16> = (0..8_000).map(|i| if i / 20 % 2 == 0 { i16::MAX } else { i16::MIN }).collect();
        let coded = low_rate(&[&square[..], &[0; 4_000]].concat());
        assert!(coded[11_000..].iter().all(|s| s.abs() < 100), "it rings out");
        assert!(low_rate(&[]).is_empty());
        assert_eq!(low_rate(&[5; 7]).len(), 7);
    }
}

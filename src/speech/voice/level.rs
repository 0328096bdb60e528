//! One loudness for all that is said: speech is brought to an active level of -26 dBov, so that both voices
//! and every recording sound alike. The measure follows ITU-T P.56 (method B) in its idea: an envelope, and
//! the level over the time in which it lies within 15.9 dB below that level. And one habit of pausing: silence
//! at the ends is cut, so that an answer begins at once and the pauses between sentences are ours.

/// Active speech level aimed at, dB relative to full scale.
pub const TARGET_DBOV: f32 = -26.0;
/// P.56's margin between the active level and the threshold of activity, dB.
const MARGIN_DB: f32 = 15.9;
/// Smoothing of the envelope and time it is held, seconds (P.56).
const SMOOTHING_S: f32 = 0.03;
const HANGOVER_S: f32 = 0.2;
/// No gain makes a sample exceed this share of full scale.
const PEAK: f32 = 0.95;
/// Silence: windows of 10 ms below -54 dBov; 40 ms of it are left at each end.
const SILENCE: f32 = 0.002;
const WINDOW_S: f32 = 0.01;
const KEPT_S: f32 = 0.04;

/// Brings `samples` (full scale 1.0) to the common level. Silence stays silence.
pub fn normalise(samples: &mut [f32], rate: u32) {
    let Some(level) = active_level(samples, rate) else { return };
    let peak = samples.iter().fold(0.0f32, |peak, sample| peak.max(sample.abs()));
    let gain = 10f32.powf((TARGET_DBOV - level) / 20.0).min(PEAK / peak.max(1e-9));
    for sample in samples {
        *sample *= gain;
    }
}

/// Cuts what is silent at both ends, but for a little; a synthetic voice leaves up to half a second. Expects the
/// common level.
pub fn trim(samples: &mut Vec<f32>, rate: u32) {
    let window = (WINDOW_S * rate as f32) as usize;
    let loud = |part: &[f32]| part.iter().map(|s| s * s).sum::<f32>() / part.len() as f32 > SILENCE * SILENCE;
    let Some(first) = samples.chunks(window).position(loud) else { return };
    let last = samples.chunks(window).rposition(loud).unwrap_or(first);
    let left = (KEPT_S * rate as f32) as usize;
    samples.truncate(((last + 1) * window + left).min(samples.len()));
    samples.drain(..(first * window).saturating_sub(left));
}

/// Active speech level, dBov; `None` for silence (below -80 dBov).
pub fn active_level(samples: &[f32], rate: u32) -> Option<f32> {
    let energy: f64 = samples.iter().map(|&s| f64::from(s) * f64::from(s)).sum();
    let envelope = envelope(samples, rate);
    // Thresholds 1 dB apart, from loud to soft: the level of what is above falls, the distance grows.
    let mut last = None;
    for step in 0..80 {
        let threshold_db = -(step as f32);
        let threshold = 10f32.powf(threshold_db / 20.0);
        let active = active_samples(&envelope, threshold, (HANGOVER_S * rate as f32) as usize);
        if active == 0 {
            continue;
        }
        let level_db = 10.0 * (energy / active as f64).log10() as f32;
        last = Some(level_db);
        if level_db - threshold_db >= MARGIN_DB {
            break;
        }
    }
    last.filter(|&level| level > -80.0)
}

/// Two one-pole filters over the absolute value.
fn envelope(samples: &[f32], rate: u32) -> Vec<f32> {
    let keep = (-1.0 / (SMOOTHING_S * rate as f32)).exp();
    let (mut p, mut q) = (0.0f32, 0.0f32);
    let smooth = |sample: &f32| {
        p = keep * p + (1.0 - keep) * sample.abs();
        q = keep * q + (1.0 - keep) * p;
        q
    };
    samples.iter().map(smooth).collect()
}

fn active_samples(envelope: &[f32], threshold: f32, hangover: usize) -> usize {
    let mut held = 0usize;
    let mut active = 0;
    for &level in envelope {
        if level >= threshold {
            held = hangover + 1;
        }
        if held > 0 {
            held -= 1;
            active += 1;
        }
    }
    active
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tone(amplitude: f32, seconds: f32) -> Vec<f32> {
        (0..(seconds * 8000.0) as usize).map(|n| amplitude * (n as f32 * 0.7).sin()).collect()
    }

    #[test]
    fn a_steady_tone_has_its_power_as_level() {
        let level = active_level(&tone(0.1, 2.0), 8000).unwrap();
        assert!((level - -23.0).abs() < 0.5, "{level}");
    }

    #[test]
    fn pauses_do_not_count() {
        let mut speech = tone(0.1, 1.0);
        speech.extend(vec![0.0; 16_000]);
        let level = active_level(&speech, 8000).unwrap();
        assert!((level - -23.0).abs() < 1.5, "{level}");
    }

    #[test]
    fn loud_and_soft_meet() {
        for amplitude in [0.003, 0.05, 0.9] {
            let mut samples = tone(amplitude, 1.0);
            normalise(&mut samples, 8000);
            let level = active_level(&samples, 8000).unwrap();
            assert!((level - TARGET_DBOV).abs() < 0.5, "{amplitude}: {level}");
        }
    }

    #[test]
    fn long_silence_at_the_ends_is_cut() {
        let mut samples = vec![0.0; 4_000];
        samples.extend(tone(0.1, 0.5));
        samples.extend(vec![0.0005; 4_000]);
        trim(&mut samples, 8_000);
        assert!((4_000..=4_000 + 2 * 320 + 160).contains(&samples.len()), "{}", samples.len());
        assert!(samples[..300].iter().all(|&s| s == 0.0));
    }

    #[test]
    fn silence_stays_silence() {
        let mut samples = vec![0.0; 800];
        normalise(&mut samples, 8000);
        assert!(samples.iter().all(|&s| s == 0.0));
    }
}

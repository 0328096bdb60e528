//! One habit of pausing: silence at the ends of what a voice says is cut, so that an answer begins at once and the
//! pauses between sentences are ours.

/// Silence: windows of 10 ms below -54 dBov; a breath of it is left at each end, hardly any in front:
/// callers wait for the first sound.
const SILENCE: f32 = 0.002;
const WINDOW_S: f32 = 0.01;
const KEPT_FIRST_S: f32 = 0.01;
const KEPT_LAST_S: f32 = 0.04;

/// Cuts what is silent at both ends, but for a little; a synthetic voice leaves up to half a second. Expects the
/// common level.
pub fn trim(samples: &mut Vec<f32>, rate: u32) {
    let window = (WINDOW_S * rate as f32) as usize;
    let loud = |part: &[f32]| part.iter().map(|s| s * s).sum::<f32>() / part.len() as f32 > SILENCE * SILENCE;
    let Some(first) = samples.chunks(window).position(loud) else { return };
    let last = samples.chunks(window).rposition(loud).unwrap_or(first);
    let kept = |seconds: f32| (seconds * rate as f32) as usize;
    samples.truncate(((last + 1) * window + kept(KEPT_LAST_S)).min(samples.len()));
    samples.drain(..(first * window).saturating_sub(kept(KEPT_FIRST_S)));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tone(amplitude: f32, seconds: f32) -> Vec<f32> {
        (0..(seconds * 8000.0) as usize).map(|n| amplitude * (n as f32 * 0.7).sin()).collect()
    }

    #[test]
    fn long_silence_at_the_ends_is_cut() {
        let mut samples = vec![0.0; 4_000];
        samples.extend(tone(0.1, 0.5));
        samples.extend(vec![0.0005; 4_000]);
        trim(&mut samples, 8_000);
        assert!((4_000..=4_000 + 80 + 320 + 160).contains(&samples.len()), "{}", samples.len());
        assert!(samples[..70].iter().all(|&s| s == 0.0));
    }
}

//! How loud speech is, and making it as loud as wanted: the active speech level of ITU-T P.56 (method B), and a gain
//! with a limiter that never clips. For whole pieces of sound, made or read before they are played.
//!
//! P.56 takes the level over the time in which somebody speaks: where the envelope, held for 0.2 s, lies above a
//! threshold 15.9 dB below that very level, found between thresholds an octave apart.

/// Level that all we say is brought to, dBov (0 dBov: a square wave that fills the scale).
pub const SPEECH_DBOV: f64 = -26.0;

/// P.56, 5.2: time constant of the envelope and hangover, seconds; margin, dB.
const SMOOTHING_S: f64 = 0.03;
const HANGOVER_S: f64 = 0.2;
const MARGIN_DB: f64 = 15.9;
/// Thresholds: 1/2, 1/4, ... of full scale.
const THRESHOLDS: usize = 15;
/// What is softer than this is no speech.
const SILENCE_DBOV: f64 = -75.0;

/// The meter of P.56, method B (6.2): takes samples as they come.
pub struct Meter {
    keep: f64,
    hangover: u64,
    p: f64,
    q: f64,
    energy: f64,
    samples: u64,
    /// For each threshold: samples with activity, and samples since the envelope was last above it.
    active: [u64; THRESHOLDS],
    since: [u64; THRESHOLDS],
}

impl Meter {
    /// For samples of `rate` Hz.
    pub fn new(rate: u32) -> Self {
        let hangover = (HANGOVER_S * f64::from(rate)).round() as u64;
        Self {
            keep: (-1.0 / (SMOOTHING_S * f64::from(rate))).exp(),
            hangover,
            p: 0.0,
            q: 0.0,
            energy: 0.0,
            samples: 0,
            active: [0; THRESHOLDS],
            since: [hangover; THRESHOLDS],
        }
    }

    /// Takes samples, full scale 1.0.
    pub fn hear(&mut self, samples: impl IntoIterator<Item = f32>) {
        for sample in samples {
            let sample = f64::from(sample);
            self.energy += sample * sample;
            self.samples += 1;
            self.p = self.keep * self.p + (1.0 - self.keep) * sample.abs();
            self.q = self.keep * self.q + (1.0 - self.keep) * self.p;
            let mut threshold = 1.0;
            for (active, since) in self.active.iter_mut().zip(&mut self.since) {
                threshold /= 2.0;
                if self.q >= threshold {
                    *active += 1;
                    *since = 0;
                } else if *since < self.hangover {
                    *active += 1;
                    *since += 1;
                }
            }
        }
    }

    /// Active speech level so far, dBov; `None` when there was no speech.
    pub fn level(&self) -> Option<f64> {
        // From loud thresholds to soft ones activity grows, so the level falls and its distance grows.
        let mut last: Option<(f64, f64)> = None;
        for (n, &active) in self.active.iter().enumerate().filter(|(_, active)| **active > 0) {
            let level = decibels(self.energy / active as f64);
            let distance = level - 20.0 * 0.5f64.powi(n as i32 + 1).log10();
            if distance >= MARGIN_DB {
                let level = match last {
                    Some((above, nearer)) => level + (above - level) * (distance - MARGIN_DB) / (distance - nearer),
                    None => level,
                };
                return Some(level).filter(|level| *level > SILENCE_DBOV);
            }
            last = Some((level, distance));
        }
        last.map(|(level, _)| level).filter(|level| *level > SILENCE_DBOV)
    }

    /// Share of the time in which somebody spoke, 0..=1 (P.56: activity factor).
    pub fn activity(&self) -> f64 {
        match self.level() {
            Some(level) => 10f64.powf((decibels(self.energy / self.samples.max(1) as f64) - level) / 10.0),
            None => 0.0,
        }
    }
}

fn decibels(power: f64) -> f64 {
    10.0 * power.log10()
}

/// Active speech level of a piece of sound (full scale 1.0), dBov; `None` for silence.
pub fn active_level(samples: &[f32], rate: u32) -> Option<f64> {
    let mut meter = Meter::new(rate);
    meter.hear(samples.iter().copied());
    meter.level()
}

/// Brings sound to [`SPEECH_DBOV`]. Silence stays silence. Peaks that would clip are limited, which costs a few of the
/// loudest sounds a little, and the whole nothing: so a voice of many peaks is as loud as any other.
pub fn normalise(samples: &mut [f32], rate: u32) {
    // What the limiter takes, further rounds give back.
    for _ in 0..5 {
        let Some(level) = active_level(samples, rate) else { return };
        let gain = 10f64.powf((SPEECH_DBOV - level) / 20.0) as f32;
        samples.iter_mut().for_each(|sample| *sample *= gain);
        if !limit(samples, rate) {
            return;
        }
    }
}

/// As [`normalise`], for a sound as it is played.
pub fn normalised(mut sound: super::Sound) -> super::Sound {
    let mut samples: Vec<f32> = sound.samples.iter().map(|&sample| f32::from(sample) / 32_768.0).collect();
    normalise(&mut samples, sound.rate);
    sound.samples = samples.iter().map(|&sample| to_i16(sample)).collect();
    sound
}

/// A sample of full scale 1.0 as 16 bits.
pub fn to_i16(sample: f32) -> i16 {
    (sample * 32_768.0).round() as i16 // `as` saturates
}

/// Highest peak that is left, full scale 1.0: -0.45 dBov, so that no codec's rounding clips.
const CEILING: f32 = 0.95;
/// The gain goes down before a peak and comes back after it, each within this time, seconds.
const REACH_S: f32 = 0.005;

/// Keeps peaks below the ceiling by a gain without steps; true when there were any.
fn limit(samples: &mut [f32], rate: u32) -> bool {
    let reach = ((REACH_S * rate as f32) as usize).max(1);
    let mut gains = vec![1.0f32; samples.len()];
    let mut any = false;
    for (n, sample) in samples.iter().enumerate() {
        let peak = sample.abs();
        if peak <= CEILING {
            continue;
        }
        any = true;
        let wanted = CEILING / peak;
        let (from, to) = (n.saturating_sub(reach - 1), (n + reach).min(samples.len()));
        for (at, gain) in (from..to).zip(&mut gains[from..to]) {
            // Half a cosine, flat at the peak and at the ends.
            let away = at.abs_diff(n) as f32 / reach as f32;
            let shape = 0.5 + 0.5 * (std::f32::consts::PI * away).cos();
            *gain = gain.min(1.0 - (1.0 - wanted) * shape);
        }
    }
    if any {
        samples.iter_mut().zip(&gains).for_each(|(sample, gain)| *sample *= gain);
    }
    any
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sine(hz: f32, dbov: f32, seconds: f32, rate: u32) -> Vec<f32> {
        let amplitude = 10f32.powf(dbov / 20.0) * 2f32.sqrt();
        let step = std::f32::consts::TAU * hz / rate as f32;
        (0..(seconds * rate as f32) as usize).map(|n| amplitude * (step * n as f32).sin()).collect()
    }

    #[test]
    fn a_steady_tone_is_as_loud_as_its_power() {
        for rate in [8_000, 24_000, 48_000] {
            for dbov in [-10.0, -26.0, -45.0] {
                let level = active_level(&sine(1_000.0, dbov, 10.0, rate), rate).unwrap();
                assert!((level - f64::from(dbov)).abs() < 0.1, "{rate} Hz, {dbov}: {level}");
            }
        }
    }

    /// Bursts of 1 s and pauses: the level is that of the bursts with their hangover (0.2 s and the envelope's
    /// fall), the activity their share of the time.
    #[test]
    fn pauses_do_not_make_speech_softer() {
        for pause_s in [0.5, 2.0, 5.0] {
            let mut sound = Vec::new();
            for _ in 0..6 {
                sound.extend(sine(440.0, -20.0, 1.0, 8_000));
                sound.resize(sound.len() + (pause_s * 8_000.0) as usize, 0.0);
            }
            let mut meter = Meter::new(8_000);
            meter.hear(sound);
            let held = 1.0 + (0.2f64 + 0.1).min(pause_s);
            let expected = -20.0 - 10.0 * held.log10();
            let level = meter.level().unwrap();
            assert!((level - expected).abs() < 0.4, "pauses of {pause_s} s: {level}, expected {expected}");
            let activity = held / (1.0 + pause_s);
            assert!((meter.activity() - activity).abs() < 0.06, "{} {activity}", meter.activity());
        }
    }

    /// P.56: noise more than the margin below the speech is not taken for it.
    #[test]
    fn soft_noise_between_words_does_not_count() {
        let mut sound = Vec::new();
        for _ in 0..5 {
            sound.extend(sine(500.0, -20.0, 1.0, 8_000));
            sound.extend(sine(3_000.0, -55.0, 3.0, 8_000));
        }
        let level = active_level(&sound, 8_000).unwrap();
        assert!((level - -21.1).abs() < 0.5, "{level}");
        assert_eq!(active_level(&sine(500.0, -85.0, 1.0, 8_000), 8_000), None);
        assert_eq!(active_level(&[], 8_000), None);
    }

    #[test]
    fn loud_and_soft_sounds_meet_at_the_wanted_level() {
        for dbov in [-60.0, -30.0, -3.1] {
            for rate in [8_000, 24_000] {
                let mut sound = sine(300.0, dbov, 2.0, rate);
                normalise(&mut sound, rate);
                let level = active_level(&sound, rate).unwrap();
                assert!((level - SPEECH_DBOV).abs() < 0.1, "{dbov}: {level}");
            }
        }
        let mut silence = vec![0.0; 8_000];
        normalise(&mut silence, 8_000);
        assert!(silence.iter().all(|&s| s == 0.0));
    }

    /// A sound of rare high peaks: its level wants more than the scale has.
    #[test]
    fn peaks_are_limited_without_clipping_and_without_a_step() {
        let mut sound = sine(200.0, -36.0, 4.0, 8_000);
        for n in (400..sound.len()).step_by(8_000) {
            sound[n..n + 8].iter_mut().for_each(|s| *s += 0.4);
        }
        let smooth = sound.clone();
        normalise(&mut sound, 8_000);
        let peak = sound.iter().fold(0.0f32, |peak, s| peak.max(s.abs()));
        assert!(peak <= CEILING + 1e-4 && peak > 0.9, "{peak}");
        let level = active_level(&sound, 8_000).unwrap();
        assert!((level - SPEECH_DBOV).abs() < 0.6, "{level}");
        // The gain itself never jumps: neighbours of like size stay of like size.
        for (before, after) in smooth.windows(2).zip(sound.windows(2)) {
            if before.iter().all(|s| s.abs() > 0.01) {
                let gains = (after[0] / before[0], after[1] / before[1]);
                assert!((gains.0 / gains.1 - 1.0).abs() < 0.12, "{gains:?}");
            }
        }
    }
}

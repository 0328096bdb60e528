//! Noises of the places that people call from, synthesised. Their level means nothing here: the line sets it.

use rand::rngs::Xoshiro256PlusPlus;
use rand::{Rng, RngExt};

use super::{RATE, Section, amplitude, speech_level};

/// What is heard behind the caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Noise {
    /// Several people talking at once
    Babble,
    /// Traffic: a rumble that swells and fades as cars pass, and now and then a horn
    Street,
    /// Mains hum with its harmonics, and a hiss
    Hum,
}

/// Voices in a babble: with fewer, single words stand out; with more, it turns into steady noise.
const TALKERS: usize = 7;

impl Noise {
    pub const ALL: [Noise; 3] = [Noise::Babble, Noise::Street, Noise::Hum];

    /// `length` samples at 8 kHz.
    pub(super) fn make(self, length: usize, others: &[&[i16]], random: &mut Xoshiro256PlusPlus) -> Vec<f32> {
        match self {
            Noise::Babble => babble(length, others, random),
            Noise::Street => street(length, random),
            Noise::Hum => hum(length, random),
        }
    }
}

/// Voices drawn from `others`, brought to one level, each begun somewhere in its middle and going round.
fn babble(length: usize, others: &[&[i16]], random: &mut Xoshiro256PlusPlus) -> Vec<f32> {
    let mut sum = vec![0.0; length];
    for _ in 0..TALKERS {
        let talker: Vec<f32> = match others {
            [] => talker(2 * RATE as usize, random),
            others => others[random.random_range(0..others.len())].iter().map(|&s| f32::from(s)).collect(),
        };
        let Some(level) = speech_level(&talker) else { continue };
        let gain = amplitude(-26.0 - level + random.random_range(-3.0..3.0));
        let start = random.random_range(0..talker.len());
        for (s, t) in sum.iter_mut().zip(talker.iter().cycle().skip(start)) {
            *s += gain * t;
        }
    }
    sum
}

/// Somebody talking nonsense: a buzz of wandering pitch through two wandering formants, cut into syllables.
fn talker(length: usize, random: &mut Xoshiro256PlusPlus) -> Vec<f32> {
    let voice = random.random_range(90.0..240.0f32);
    let mut sound = Vec::with_capacity(length);
    let mut phase = 0.0f32;
    while sound.len() < length {
        let syllable = random.random_range(900..2_000);
        let pitch = voice * random.random_range(0.85..1.2);
        let glide = random.random_range(-0.15..0.15f32);
        let mut piece: Vec<f32> = (0..syllable)
            .map(|i| {
                let along = i as f32 / syllable as f32;
                phase += pitch * (1.0 + glide * along) / RATE as f32;
                let pulse = if phase >= 1.0 { 1.0 } else { 0.0 };
                phase = phase.fract();
                (pulse + 0.02 * white(random)) * (along * std::f32::consts::PI).sin()
            })
            .collect();
        let mut second = piece.clone();
        Section::band_pass(random.random_range(300.0..850.0), 5.0).run(&mut piece);
        Section::band_pass(random.random_range(900.0..2_400.0), 8.0).run(&mut second);
        sound.extend(piece.iter().zip(&second).map(|(a, b)| 8_000.0 * (a + 0.5 * b)));
        if random.random_bool(0.2) {
            sound.extend(std::iter::repeat_n(0.0, random.random_range(400..2_400)));
        }
    }
    sound.truncate(length);
    sound
}

/// Pink-like noise; each passing car opens its upper band for a moment.
fn street(length: usize, random: &mut Xoshiro256PlusPlus) -> Vec<f32> {
    let mut rumble: Vec<f32> = (0..length).map(|_| white(random)).collect();
    let mut tyres = rumble.clone();
    for hz in [150.0, 600.0] {
        Section::low_pass(hz, 0.5).run(&mut rumble);
    }
    Section::band_pass(1_000.0, 0.5).run(&mut tyres);
    let seconds = length as f32 / RATE as f32;
    let cars: Vec<(f32, f32)> = (0..(seconds / 3.0).ceil() as usize + 1)
        .map(|_| (random.random_range(-1.0..seconds + 1.0), random.random_range(0.4..1.5)))
        .collect();
    let horn = random
        .random_bool(0.25)
        .then(|| (random.random_range(0.0..seconds.max(0.1)), random.random_range(380.0..480.0f32)));
    (0..length)
        .map(|i| {
            let t = i as f32 / RATE as f32;
            let away = cars.iter().map(|(at, width)| ((t - at) / width).powi(2));
            let near: f32 = away.filter(|away| *away < 9.0).map(|away| (-away).exp()).sum();
            let horn = horn.filter(|(at, _)| (*at..at + 0.4).contains(&t)).map_or(0.0, |(_, hz)| {
                let turn = std::f32::consts::TAU * hz * t;
                turn.sin() + 0.6 * (2.0 * turn).sin() + 0.4 * (3.0 * turn).sin()
            });
            4_000.0 * (8.0 * rumble[i] + (0.15 + near) * tyres[i] + 0.1 * horn)
        })
        .collect()
}

/// 50 or 60 Hz with harmonics up to the band's end, odd ones stronger, on a hiss.
fn hum(length: usize, random: &mut Xoshiro256PlusPlus) -> Vec<f32> {
    let mains = if random.random_bool(0.5) { 50.0 } else { 60.0f32 };
    let harmonics: Vec<(f32, f32, f32)> = (1..=(3_400.0 / mains) as usize)
        .map(|n| {
            let strength = if n % 2 == 1 { 1.0 } else { 0.4 };
            let level = strength * random.random_range(0.5..1.0) / (n as f32).powf(0.7);
            (mains * n as f32, level, random.random_range(0.0..std::f32::consts::TAU))
        })
        .collect();
    (0..length)
        .map(|i| {
            let t = i as f32 / RATE as f32;
            let hum: f32 =
                harmonics.iter().map(|(hz, level, phase)| level * (std::f32::consts::TAU * hz * t + phase).sin()).sum();
            2_000.0 * (hum + 0.1 * white(random))
        })
        .collect()
}

/// -1..1, all frequencies alike.
fn white(random: &mut impl Rng) -> f32 {
    random.random_range(-1.0..1.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::SeedableRng;

    /// Share of the power in the band, by a filter around it.
    fn share(sound: &[f32], hz: f32, q: f32) -> f32 {
        let mut part = sound.to_vec();
        Section::band_pass(hz, q).run(&mut part);
        part.iter().map(|s| s * s).sum::<f32>() / sound.iter().map(|s| s * s).sum::<f32>()
    }

    #[test]
    fn each_noise_sounds_like_itself() {
        let make = |noise: Noise| noise.make(40_000, &[], &mut Xoshiro256PlusPlus::seed_from_u64(5));
        for noise in Noise::ALL {
            let sound = make(noise);
            assert_eq!(sound.len(), 40_000);
            assert!(sound.iter().all(|s| s.is_finite()) && speech_level(&sound).is_some(), "{noise:?}");
        }
        let hum = make(Noise::Hum);
        assert!(share(&hum, 50.0, 20.0) + share(&hum, 60.0, 20.0) > 0.3, "a hum is mostly its mains frequency");
        let street = make(Noise::Street);
        assert!(share(&street, 100.0, 0.7) > 3.0 * share(&street, 2_500.0, 2.0), "traffic rumbles");
        let babble = make(Noise::Babble);
        let powers: Vec<f32> = babble.chunks(800).map(|c| c.iter().map(|s| s * s).sum()).collect();
        let mean = powers.iter().sum::<f32>() / powers.len() as f32;
        let spread = (powers.iter().map(|p| (p / mean - 1.0).powi(2)).sum::<f32>() / powers.len() as f32).sqrt();
        assert!((0.1..1.5).contains(&spread), "babble moves as syllables come and go: {spread}");
    }

    #[test]
    fn babble_is_made_of_the_voices_given() {
        // Talkers that only whistle at 1 kHz make a babble of whistling.
        let whistle: Vec<i16> =
            (0..8_000).map(|i| (9_000.0 * (std::f32::consts::FRAC_PI_4 * i as f32).sin()) as i16).collect();
        let babble = Noise::Babble.make(16_000, &[&whistle], &mut Xoshiro256PlusPlus::seed_from_u64(1));
        assert!(share(&babble, 1_000.0, 10.0) > 0.95);
    }
}

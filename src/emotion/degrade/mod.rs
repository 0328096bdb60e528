//! What a telephone does to a voice, made on purpose and the same for the same seed: band, coding, noise, lost
//! packets, level. Training hears its examples through it and `frontdesk emotion eval` measures through it; no live
//! call uses it. Order as on a real line: level, room noise, 300-3400 Hz, coding, loss and concealment.

mod low_rate;
mod noise;

use rand::rngs::Xoshiro256PlusPlus;
use rand::{RngExt, SeedableRng, seq::SliceRandom};

pub use low_rate::low_rate;
pub use noise::Noise;

use crate::media::{self, Codec, Concealment};

/// Of everything that leaves this room, Hz.
pub const RATE: u32 = 8_000;
/// Samples in a packet: 20 ms.
const PACKET: usize = (RATE / 50) as usize;

/// How samples become bytes and samples again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Coding {
    #[default]
    None,
    /// G.711 mu-law (ITU-T G.711).
    MuLaw,
    /// About 8 kbit/s by linear prediction and a coded residual in the manner of G.729, not compatible with it.
    LowRate,
}

/// One line with its damage. The default is a clean line: nothing but 8 kHz.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Line {
    /// Of the voice before anything else, dB; what then exceeds 16 bits is clipped.
    pub gain_db: f32,
    /// Noise, and by how many dB the active speech (see `speech_level`) is louder than it, within the band.
    pub noise: Option<(Noise, f32)>,
    /// 300-3400 Hz, fourth order on each side.
    pub band: bool,
    pub coding: Coding,
    /// Packets of 20 ms that never come, 0..=100 percent. Concealed as a live call conceals them.
    pub loss_pct: f32,
}

impl Line {
    /// What the figures of the project call the telephone: 300-3400 Hz, G.711 mu-law.
    pub fn telephone() -> Self {
        Self { band: true, coding: Coding::MuLaw, ..Self::default() }
    }

    /// A line as it may come, for training: `noisy` ones from a loud place, others with a few mild damages.
    pub fn any(noisy: bool, random: &mut Xoshiro256PlusPlus) -> Self {
        // Babble is the hardest: half of the noisy lines have it, in mild ones all are alike.
        let noises = [Noise::Babble, Noise::Street, Noise::Hum, Noise::Babble];
        let noise = match noisy {
            true => Some((noises[random.random_range(0..4)], random.random_range(5.0..20.0))),
            false => {
                random.random_bool(0.3).then(|| (noises[random.random_range(0..3)], random.random_range(15.0..30.0)))
            }
        };
        Self {
            gain_db: random.random_range(-12.0..6.0),
            noise,
            band: random.random_bool(0.8),
            coding: if random.random_bool(0.25) { Coding::LowRate } else { Coding::MuLaw },
            loss_pct: if random.random_bool(0.35) { random.random_range(0.5..8.0) } else { 0.0 },
        }
    }

    /// A recording (mono i16 at `rate` Hz) through this line: 8 kHz. Babble is made of `others`, speech at 8 kHz of
    /// people other than the one heard (at least one is wanted; without any, of synthetic talkers).
    pub fn carry(&self, samples: &[i16], rate: u32, others: &[&[i16]], seed: u64) -> Vec<i16> {
        let mut random = Xoshiro256PlusPlus::seed_from_u64(seed);
        let narrow = media::resample(samples, rate, RATE);
        let mut sound: Vec<f32> = narrow.iter().map(|&s| f32::from(s) * amplitude(self.gain_db)).collect();
        if self.band {
            telephone_band(&mut sound);
        }
        if let Some((noise, snr_db)) = self.noise {
            let mut noise = noise.make(sound.len(), others, &mut random);
            if self.band {
                telephone_band(&mut noise);
            }
            add_noise(&mut sound, &noise, snr_db);
        }
        let mut sound: Vec<i16> = sound.iter().map(|&s| s.round() as i16).collect(); // `as` saturates
        match self.coding {
            Coding::None => {}
            Coding::MuLaw => mu_law(&mut sound),
            Coding::LowRate => sound = low_rate(&sound),
        }
        if self.loss_pct > 0.0 {
            lose(&mut sound, self.loss_pct, &mut random);
        }
        sound
    }
}

/// Level of the speech in a recording, dB below full scale (a square wave of 32 768 is 0 dB), pauses not counted:
/// the mean power of the 20 ms pieces above a threshold 15.9 dB below that very level (after ITU-T P.56, method B,
/// with pieces in place of an envelope). `None` when all is silent.
pub fn speech_level(sound: &[f32]) -> Option<f32> {
    let powers: Vec<f32> =
        sound.chunks(PACKET).map(|piece| piece.iter().map(|s| s * s).sum::<f32>() / piece.len() as f32).collect();
    let mean_above = |threshold: f32| {
        let (sum, n) =
            powers.iter().filter(|&&p| p >= threshold).fold((0.0f64, 0u32), |(sum, n), &p| (sum + f64::from(p), n + 1));
        (sum / f64::from(n.max(1))) as f32
    };
    let mut level = mean_above(0.0);
    if level <= 0.0 {
        return None;
    }
    // Each round drops pieces and so raises the level: it ends, and in practice after three or four.
    for _ in 0..powers.len() {
        let next = mean_above(level * amplitude(-15.9).powi(2));
        if next <= level {
            break;
        }
        level = next;
    }
    Some(10.0 * (level / 32_768f32.powi(2)).log10())
}

/// Adds noise (any level) so that the active speech in `sound` is `snr_db` louder than it. Silence stays silence.
fn add_noise(sound: &mut [f32], noise: &[f32], snr_db: f32) {
    let power = noise.iter().map(|s| f64::from(s * s)).sum::<f64>() / noise.len().max(1) as f64;
    let Some(level) = speech_level(sound).filter(|_| power > 0.0) else { return };
    let wanted = 32_768.0 * amplitude(level - snr_db);
    let gain = wanted / power.sqrt() as f32;
    for (s, n) in sound.iter_mut().zip(noise) {
        *s += n * gain;
    }
}

fn mu_law(sound: &mut [i16]) {
    let mut payload = vec![0; sound.len()];
    Codec::Pcmu.encoder().encode(sound, &mut payload);
    Codec::Pcmu.decoder().decode(&payload, sound);
}

/// Takes out `percent` of all packets but the first and conceals them. The share is exact: what is left of a whole
/// packet is drawn, so that it is right in the mean over many recordings. Gives how many went.
fn lose(sound: &mut [i16], percent: f32, random: &mut Xoshiro256PlusPlus) -> usize {
    let packets = sound.len().div_ceil(PACKET);
    let wanted = packets as f32 * percent.clamp(0.0, 100.0) / 100.0;
    let count = wanted as usize + usize::from(random.random_bool(f64::from(wanted.fract())));
    let mut numbers: Vec<usize> = (1..packets).collect();
    numbers.shuffle(random);
    numbers.truncate(count);
    numbers.sort_unstable();
    let mut concealment = Concealment::new(RATE);
    for (number, packet) in sound.chunks_mut(PACKET).enumerate() {
        match numbers.binary_search(&number) {
            Ok(_) => concealment.conceal(packet),
            Err(_) => concealment.heard(packet),
        }
    }
    numbers.len()
}

/// dB to a factor of amplitudes.
fn amplitude(db: f32) -> f32 {
    10f32.powf(db / 20.0)
}

/// 300-3400 Hz: Butterworth, 24 dB an octave on each side, 3 dB down at the edges (G.712's mask in short).
fn telephone_band(sound: &mut [f32]) {
    // The two quality factors of a fourth-order Butterworth filter.
    for q in [0.541_2, 1.306_6] {
        Section::high_pass(300.0, q).run(sound);
        Section::low_pass(3_400.0, q).run(sound);
    }
}

/// A second-order filter at 8 kHz (bilinear transform, R. Bristow-Johnson's formulas).
struct Section {
    b: [f32; 3],
    a: [f32; 2],
}

impl Section {
    fn low_pass(hz: f32, q: f32) -> Self {
        let (sin, cos) = (std::f32::consts::TAU * hz / RATE as f32).sin_cos();
        let b = (1.0 - cos) / 2.0;
        Self::normal([b, 2.0 * b, b], cos, sin / (2.0 * q))
    }

    fn high_pass(hz: f32, q: f32) -> Self {
        let (sin, cos) = (std::f32::consts::TAU * hz / RATE as f32).sin_cos();
        let b = (1.0 + cos) / 2.0;
        Self::normal([b, -2.0 * b, b], cos, sin / (2.0 * q))
    }

    /// Passes `hz`, with skirts as wide as `q` says.
    fn band_pass(hz: f32, q: f32) -> Self {
        let (sin, cos) = (std::f32::consts::TAU * hz / RATE as f32).sin_cos();
        let alpha = sin / (2.0 * q);
        Self::normal([alpha, 0.0, -alpha], cos, alpha)
    }

    fn normal(b: [f32; 3], cos: f32, alpha: f32) -> Self {
        let a0 = 1.0 + alpha;
        Self { b: b.map(|b| b / a0), a: [-2.0 * cos / a0, (1.0 - alpha) / a0] }
    }

    fn run(&self, sound: &mut [f32]) {
        let (mut z1, mut z2) = (0.0, 0.0);
        for s in sound {
            let x = *s;
            let y = self.b[0] * x + z1;
            z1 = self.b[1] * x - self.a[0] * y + z2;
            z2 = self.b[2] * x - self.a[1] * y;
            *s = y;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn speech() -> Vec<i16> {
        let sound = media::file::read("audio_fixtures/pocketsphinx/librivox-0880.wav").unwrap();
        media::resample(&sound.samples, sound.rate, RATE)
    }

    fn floats(samples: &[i16]) -> Vec<f32> {
        samples.iter().map(|&s| f32::from(s)).collect()
    }

    fn tone(hz: f32, n: usize) -> Vec<f32> {
        (0..n).map(|i| 8_000.0 * (std::f32::consts::TAU * hz * i as f32 / RATE as f32).sin()).collect()
    }

    fn rms(sound: &[f32]) -> f32 {
        (sound.iter().map(|s| s * s).sum::<f32>() / sound.len() as f32).sqrt()
    }

    #[test]
    fn the_band_passes_300_to_3400_hz() {
        let level = |hz| {
            let mut sound = tone(hz, 8_000);
            telephone_band(&mut sound);
            20.0 * (rms(&sound[4_000..]) / 5_656.9).log10()
        };
        for (hz, low, high) in [
            (50.0, -99.0, -55.0),
            (150.0, -30.0, -22.0),
            (300.0, -3.6, -2.4),
            (1_000.0, -0.3, 0.1),
            (3_000.0, -1.0, 0.1),
            (3_400.0, -3.6, -2.4),
            (3_800.0, -99.0, -15.0),
        ] {
            assert!((low..=high).contains(&level(hz)), "{hz} Hz: {:.2} dB", level(hz));
        }
    }

    #[test]
    fn the_level_of_speech_does_not_count_its_pauses() {
        let mut sound = tone(1_000.0, 8_000);
        let level = speech_level(&sound).unwrap();
        assert!((level - 20.0 * (5_656.9f32 / 32_768.0).log10()).abs() < 0.05, "{level}");
        sound.extend(vec![3.0; 24_000]);
        assert!((speech_level(&sound).unwrap() - level).abs() < 0.05);
        assert_eq!(speech_level(&[0.0; 800]), None);
        assert_eq!(speech_level(&[]), None);
    }

    #[test]
    fn noise_is_as_far_below_speech_as_asked() {
        let speech = speech();
        let others = [&speech[..]];
        for noise in Noise::ALL {
            for band in [false, true] {
                for snr_db in [0.0, 10.0, 20.0] {
                    let clean = Line { band, ..Line::default() };
                    let noisy = Line { noise: Some((noise, snr_db)), ..clean };
                    let clean = floats(&clean.carry(&speech, RATE, &others, 7));
                    let noisy = floats(&noisy.carry(&speech, RATE, &others, 7));
                    let rest: Vec<f32> = noisy.iter().zip(&clean).map(|(n, c)| n - c).collect();
                    let found = speech_level(&clean).unwrap() - 20.0 * (rms(&rest) / 32_768.0).log10();
                    assert!((found - snr_db).abs() < 0.3, "{noise:?} at {snr_db} dB is {found:.2} dB");
                }
            }
        }
    }

    #[test]
    fn as_many_packets_are_lost_as_asked() {
        let packets = 1_000;
        for percent in [0.0, 1.0, 5.0, 20.0, 50.0] {
            // Every packet says its number; what does not is made up.
            let mut sound: Vec<i16> = (0..packets).flat_map(|n| [n as i16 + 1; PACKET]).collect();
            let lost = lose(&mut sound, percent, &mut Xoshiro256PlusPlus::seed_from_u64(3));
            assert_eq!(lost, (packets as f32 * percent / 100.0) as usize);
            let changed = sound.chunks(PACKET).enumerate().filter(|(n, p)| p[PACKET - 1] != *n as i16 + 1).count();
            assert!(changed >= lost * 9 / 10 && changed <= lost, "{percent} %: {changed} of {lost}");
        }
        // Parts of a packet are drawn: 5 % of 10 packets is half a packet.
        let mut random = Xoshiro256PlusPlus::seed_from_u64(4);
        let lost: usize = (0..400).map(|_| lose(&mut vec![100; PACKET * 10], 5.0, &mut random)).sum();
        assert!((160..=240).contains(&lost), "{lost}");
    }

    #[test]
    fn the_same_seed_makes_the_same_sound_and_another_seed_another() {
        let speech = speech();
        let mut random = Xoshiro256PlusPlus::seed_from_u64(1);
        for _ in 0..6 {
            let line = Line { loss_pct: 5.0, ..Line::any(true, &mut random) };
            let carry = |seed| line.carry(&speech, RATE, &[], seed);
            assert_eq!(carry(1), carry(1), "{line:?}");
            assert_ne!(carry(1), carry(2), "{line:?}");
            assert_eq!(carry(1).len(), speech.len(), "{line:?}");
        }
        assert_eq!(Line::default().carry(&speech, RATE, &[], 0), speech, "a clean line changes nothing");
        assert!(Line::telephone().carry(&[], 16_000, &[], 0).is_empty());
    }

    #[test]
    fn a_level_is_moved_by_as_many_db_and_clipped_at_full_scale() {
        let speech = speech();
        let level = |gain_db: f32| {
            speech_level(&floats(&Line { gain_db, ..Line::default() }.carry(&speech, RATE, &[], 0))).unwrap()
        };
        assert!((level(-10.0) - level(0.0) + 10.0).abs() < 0.1);
        let loud = Line { gain_db: 60.0, ..Line::default() }.carry(&speech, RATE, &[], 0);
        assert!(loud.contains(&i16::MAX) && loud.contains(&i16::MIN));
    }
}

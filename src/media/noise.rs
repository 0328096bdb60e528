//! Comfort noise (RFC 3389): what is heard while a peer that suppresses silence sends nothing. Level and spectrum
//! come from its packets; a pause without any sounds like a dead line.

/// Reflection coefficients taken; RFC 3389 leaves the order open, codecs send at most 10.
const ORDER: usize = 12;

/// Noise of the last announced level and spectrum. Allocates nothing.
#[derive(Debug)]
pub struct ComfortNoise {
    /// Peak of the excitation, and what it moves to.
    peak: f32,
    aim: f32,
    reflection: [f32; ORDER],
    order: usize,
    lattice: [f32; ORDER + 1],
    random: u32,
}

impl Default for ComfortNoise {
    fn default() -> Self {
        Self { peak: 0.0, aim: 0.0, reflection: [0.0; ORDER], order: 0, lattice: [0.0; ORDER + 1], random: 0x9e37_79b9 }
    }
}

impl ComfortNoise {
    /// Takes a payload: the level in -dBov, then reflection coefficients. An empty one changes nothing.
    pub fn tune(&mut self, payload: &[u8]) {
        let Some((level, spectrum)) = payload.split_first() else { return };
        self.order = spectrum.len().min(ORDER);
        let mut gain = 1.0f32;
        for (k, &byte) in self.reflection.iter_mut().zip(spectrum) {
            // RFC 3389, 3.2; 255 is no value of it.
            *k = (258.0 * (f32::from(byte) - 127.0) / 32_768.0).clamp(-0.999, 0.999);
            gain *= 1.0 - *k * *k;
        }
        // 0 dBov is the level of a full-scale square; even noise has its peak sqrt(3) above its level.
        let rms = 32_767.0 * 10f32.powf(-f32::from(level & 0x7f) / 20.0);
        self.aim = rms * gain.sqrt() * 3f32.sqrt();
    }

    /// Fills `samples`. The announced spectrum is that of 8 kHz sound; at 16 kHz it spreads over the wider band.
    pub fn fill(&mut self, samples: &mut [i16]) {
        for sample in samples {
            // A new level is reached within a few ms.
            self.peak += (self.aim - self.peak) / 32.0;
            let mut forward = self.peak * self.even();
            for n in (0..self.order).rev() {
                forward -= self.reflection[n] * self.lattice[n];
                self.lattice[n + 1] = self.lattice[n] + self.reflection[n] * forward;
            }
            self.lattice[0] = forward;
            *sample = forward as i16; // `as` saturates
        }
    }

    /// -1..1 (xorshift).
    fn even(&mut self) -> f32 {
        self.random ^= self.random << 13;
        self.random ^= self.random >> 17;
        self.random ^= self.random << 5;
        self.random as i32 as f32 / (1u32 << 31) as f32
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn noise(payload: &[u8]) -> Vec<i16> {
        let mut noise = ComfortNoise::default();
        noise.tune(payload);
        let mut samples = vec![0; 16_000];
        noise.fill(&mut samples);
        samples.split_off(8_000)
    }

    fn dbov(samples: &[i16]) -> f64 {
        let power = samples.iter().map(|&s| f64::from(s).powi(2)).sum::<f64>() / samples.len() as f64;
        10.0 * (power / 32_767f64.powi(2)).log10()
    }

    #[test]
    fn the_level_is_the_one_announced_whatever_the_spectrum() {
        for level in [20u8, 40, 60] {
            for spectrum in [&[][..], &[0xb0, 0x60], &[10, 200, 127, 90, 140, 120, 130, 127, 127, 127]] {
                let got = dbov(&noise(&[&[level], spectrum].concat()));
                assert!((got + f64::from(level)).abs() < 1.5, "{level} {spectrum:?}: {got:.1} dBov");
            }
        }
        assert!(noise(&[127]).iter().all(|&sample| sample == 0), "-127 dBov is silence in 16 bits");
    }

    /// A(z) = 1 + k z^-1: a negative coefficient leans to low frequencies, a positive one to high ones.
    #[test]
    fn the_spectrum_leans_as_announced() {
        let neighbours = |samples: &[i16]| {
            let product: f64 = samples.windows(2).map(|w| f64::from(w[0]) * f64::from(w[1])).sum();
            product / samples.iter().map(|&s| f64::from(s).powi(2)).sum::<f64>()
        };
        // k = -0.75 and 0.75
        assert!((neighbours(&noise(&[20, 32])) - 0.75).abs() < 0.05);
        assert!((neighbours(&noise(&[20, 222])) + 0.75).abs() < 0.05);
        assert!(neighbours(&noise(&[20])).abs() < 0.05);
    }

    #[test]
    fn an_empty_or_endless_payload_does_no_harm() {
        assert!(noise(&[]).iter().all(|&sample| sample == 0));
        assert_eq!(noise(&[255; 400]).len(), 8_000);
    }
}

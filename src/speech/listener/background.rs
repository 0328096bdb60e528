//! Other people's talk behind the caller, once it is known for that: what does not stand out of it is not heard.

use crate::speech::vad::{CHUNK, CHUNK_MS};

/// What stands out is louder than half of the background's chunks by this much (13 dB, as mean squares), or...
const ABOVE_MEDIAN: f32 = 20.0;
/// ...than its loudest chunk by this much (2 dB).
const ABOVE_LOUDEST: f32 = 1.6;
/// After so much time without a turn it is heard whether the background still is as loud.
const WINDOW: usize = 3_000 / CHUNK_MS as usize;

/// By the median a word of the caller's within it does not count.
pub struct Background {
    /// Mean square below which nobody is heard.
    threshold: f32,
    /// Mean squares of the chunks since the last turn, or window.
    window: [f32; WINDOW],
    filled: usize,
}

impl Default for Background {
    fn default() -> Self {
        Self { threshold: 0.0, window: [0.0; WINDOW], filled: 0 }
    }
}

impl Background {
    pub fn threshold(&self) -> f32 {
        self.threshold
    }

    /// This sound, 16 kHz, was nothing that is said to us.
    pub fn learn(&mut self, sound: &[i16]) {
        let mut powers: Vec<f32> = sound.chunks(CHUNK).map(power).collect();
        self.threshold = threshold(&mut powers);
        self.filled = 0;
    }

    /// Takes a chunk outside of all turns.
    pub fn follow(&mut self, power: f32) {
        self.window[self.filled] = power;
        self.filled += 1;
        if self.filled == WINDOW {
            self.threshold = self.threshold.min(threshold(&mut self.window));
            self.filled = 0;
        }
    }

    /// A turn begins.
    pub fn interrupted(&mut self) {
        self.filled = 0;
    }
}

fn threshold(powers: &mut [f32]) -> f32 {
    if powers.is_empty() {
        return 0.0;
    }
    let loudest = powers.iter().copied().fold(0.0, f32::max);
    let middle = powers.len() / 2;
    let (_, median, _) = powers.select_nth_unstable_by(middle, f32::total_cmp);
    (*median * ABOVE_MEDIAN).min(loudest * ABOVE_LOUDEST)
}

/// Mean square.
pub fn power(chunk: &[i16]) -> f32 {
    chunk.iter().map(|&s| f32::from(s) * f32::from(s)).sum::<f32>() / chunk.len().max(1) as f32
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Chunks as loud as these.
    fn sound(amplitudes: &[i16]) -> Vec<i16> {
        amplitudes.iter().flat_map(|&a| (0..CHUNK).map(move |n| if n % 2 == 0 { a } else { -a })).collect()
    }

    #[test]
    fn a_word_within_the_background_is_none_of_it() {
        let mut background = Background::default();
        let talk: Vec<i16> = (0..60).map(|n| 100 + 20 * (n % 5)).collect();
        background.learn(&sound(&talk));
        let alone = background.threshold();
        assert!(alone > 180.0f32.powi(2) && alone < 250.0f32.powi(2), "2 dB above its loudest: {}", alone.sqrt());
        let with_word: Vec<i16> = talk.iter().enumerate().map(|(n, &a)| if n < 20 { 2_000 } else { a }).collect();
        background.learn(&sound(&with_word));
        assert!(background.threshold() < 1_000.0f32.powi(2), "who spoke in it is heard again");
    }

    #[test]
    fn what_was_taken_for_the_background_by_mistake_is_heard_again() {
        let mut background = Background::default();
        background.learn(&sound(&[2_000; 80])); // a hum of the caller's
        assert!(background.threshold() > 2_000.0f32.powi(2));
        for n in 0..WINDOW {
            background.follow(if n % 5 < 2 { 2_000.0f32.powi(2) } else { 10.0 }); // words, too faint now
        }
        assert!(background.threshold() < 100.0f32.powi(2), "{}", background.threshold());
    }
}

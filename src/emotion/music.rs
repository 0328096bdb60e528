//! Is it music? Speech is cut into syllables: a good part of its frames is far quieter than the rest (Scheirer and
//! Slaney 1997, "percentage of low-energy frames"), and its spectrum moves on. Music on a telephone line keeps its level
//! and holds its tones. Both are judged over the last two seconds of sound.
//!
//! Of 2 s windows of five pieces of hold music half meet the limits below, and those come every few seconds; of 3,000
//! windows of prompts, read and acted speech in three languages none did.

/// Frames of 20 ms that are judged together: 2 s.
const WINDOW: usize = 100;
/// Softer than this, in mean square of full scale 1, is no sound (about -60 dB).
const FLOOR: f32 = 1e-6;
/// A quiet frame has less than this share of the mean power; speech has at least one in twenty.
const QUIET: f32 = 0.1;
const FEW_QUIET: f32 = 0.03;
/// A frame is held when its spectrum is so like the one before (cosine); music has many.
const LIKE: f32 = 0.97;
const MANY_HELD: f32 = 0.25;
/// Music that was heard goes on for so many frames: 4 s.
const GOES_ON: usize = 200;
/// Frames between two judgements.
const EVERY: usize = 10;
/// Goertzel bins, Hz: a third of an octave apart over the telephone band.
const BINS: [f32; 12] = [250., 315., 400., 500., 630., 800., 1_000., 1_250., 1_600., 2_000., 2_500., 3_150.];

/// Listens for music on one line.
#[derive(Clone, Debug)]
pub struct Music {
    frames: [Heard; WINDOW],
    at: usize,
    n: usize,
    last: [f32; BINS.len()],
    /// Frames for which it still counts as playing.
    left: usize,
}

#[derive(Clone, Copy, Debug, Default)]
struct Heard {
    power: f32,
    held: bool,
}

impl Default for Music {
    fn default() -> Self {
        Self { frames: [Heard::default(); WINDOW], at: 0, n: 0, last: [0.0; BINS.len()], left: 0 }
    }
}

impl Music {
    /// Takes 20 ms, 8 kHz.
    pub fn hear(&mut self, samples: &[i16]) {
        let energy: f32 = samples.iter().map(|&s| (f32::from(s) / 32_768.0).powi(2)).sum();
        let shape = shape(samples);
        let held = shape.iter().zip(&self.last).map(|(a, b)| a * b).sum::<f32>() > LIKE;
        self.last = shape;
        self.frames[self.at] = Heard { power: energy / samples.len().max(1) as f32, held };
        self.at = (self.at + 1) % WINDOW;
        self.n = (self.n + 1).min(WINDOW);
        self.left = self.left.saturating_sub(1);
        if self.at.is_multiple_of(EVERY) && self.judge() {
            self.left = GOES_ON;
        }
    }

    /// Music plays, or did just now.
    pub fn plays(&self) -> bool {
        self.left > 0
    }

    fn judge(&self) -> bool {
        let mean = self.frames.iter().map(|frame| frame.power).sum::<f32>() / WINDOW as f32;
        if self.n < WINDOW || mean < FLOOR {
            return false;
        }
        let share =
            |is: &dyn Fn(&Heard) -> bool| self.frames.iter().filter(|frame| is(frame)).count() as f32 / WINDOW as f32;
        share(&|frame| frame.power < QUIET * mean) < FEW_QUIET && share(&|frame| frame.held) > MANY_HELD
    }
}

/// Magnitudes at `BINS`, of length 1.
fn shape(samples: &[i16]) -> [f32; BINS.len()] {
    let mut shape = [0.0; BINS.len()];
    for (out, hz) in shape.iter_mut().zip(BINS) {
        let k = 2.0 * (std::f32::consts::TAU * hz / 8_000.0).cos();
        let (mut a, mut b) = (0.0f32, 0.0f32);
        for &sample in samples {
            (a, b) = (f32::from(sample) + k * a - b, a);
        }
        *out = (a * a + b * b - k * a * b).max(0.0).sqrt();
    }
    let length = shape.iter().map(|m| m * m).sum::<f32>().sqrt().max(1e-9);
    shape.map(|m| m / length)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Chords of three tones with their overtones, a new one each 600 ms, seconds long.
    fn chords(seconds: usize) -> Vec<i16> {
        let roots = [262.0f32, 349.2, 392.0, 440.0];
        let sample = |n: usize| {
            let (t, root) = (n as f32 / 8_000.0, roots[n / 4_800 % roots.len()]);
            let tone = |ratio: f32| {
                (1..4).map(|k| (std::f32::consts::TAU * root * ratio * k as f32 * t).sin() / k as f32).sum::<f32>()
            };
            (1_800.0 * (tone(1.0) + tone(1.26) + tone(1.5))) as i16
        };
        (0..seconds * 8_000).map(sample).collect()
    }

    fn plays(sound: &[i16]) -> bool {
        let mut music = Music::default();
        sound.chunks_exact(160).any(|frame| {
            music.hear(frame);
            music.plays()
        })
    }

    #[test]
    fn chords_are_music_and_a_voice_is_none() {
        assert!(plays(&chords(4)));
        let mut heard = 0;
        for file in std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/audio_fixtures/asterisk")).unwrap() {
            let path = file.unwrap().path();
            if path.extension().is_some_and(|ending| ending == "wav") {
                // Three times in a row: long enough to be judged, and without a pause that would excuse it.
                let voice = crate::media::file::read(&path).unwrap().at_rate(8_000).samples;
                assert!(!plays(&voice.repeat(3)), "{}", path.display());
                heard += 1;
            }
        }
        assert!(heard > 3, "{heard} voices");
    }

    #[test]
    fn silence_is_no_music() {
        assert!(!plays(&[0; 32_000]));
    }
}

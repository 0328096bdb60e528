//! Listens to a voice: frames of `descriptors` every 10 ms, of which `functionals` makes figures for an utterance, and
//! the sound itself, a second at a time, for `encoder`.

use super::descriptors::{Analysis, Frame, Lld, WINDOW};
use super::encoder::{SECOND, SOUND, STEPS, Second};
use super::floor::Floor;
use super::functionals::{self, Scratch};
pub use super::functionals::{FEATURES, FIGURES, Features, Figures, names};

/// Samples a second an `Extractor` takes.
pub const RATE: u32 = 8_000;
/// Samples from one analysis frame to the next (10 ms).
pub const HOP: usize = 80;
/// Frames kept: 12 s.
pub(super) const KEPT: usize = 1_200;
/// Samples kept, of the same 12 s.
const SOUND_KEPT: usize = KEPT * HOP + WINDOW;
/// A second with fewer steps of speech than this is not worth the encoder's time.
const FEWEST_STEPS: usize = 3;

/// What a voice is judged by (`Encoder::features`): its figures, and the sound whose timbre was not asked for yet.
#[derive(Clone, Debug)]
pub struct Heard {
    pub figures: Figures,
    /// Whole seconds with speech in them that are new.
    pub(super) seconds: Vec<Second>,
    /// What came after the last whole second.
    pub(super) rest: Option<Second>,
    /// How many whole seconds, new and old, count.
    pub(super) whole: usize,
}

/// Listens to one voice. Feed it the caller alone: no prompts, keys or music.
#[derive(Clone)]
pub struct Extractor {
    analysis: Analysis,
    /// The last `WINDOW` samples, and how many of them are new since the last frame.
    tail: [f32; WINDOW],
    fresh: usize,
    /// Samples seen since `reset`, at most a window's: a frame needs a whole one.
    filled: usize,
    high_pass: HighPass,
    /// The last `KEPT` frames as a ring, `next` the oldest once full.
    frames: Vec<Frame>,
    next: usize,
    /// Frames made since `reset`.
    made: usize,
    /// The last samples as they came, a ring, and how many came since `reset`.
    sound: Vec<i16>,
    came: usize,
    /// Seconds asked for since `reset`, and in which of them there was speech.
    asked: usize,
    spoken: Vec<usize>,
    /// The line's noise.
    floor: Floor,
    scratch: Scratch,
}

impl Default for Extractor {
    fn default() -> Self {
        Self::new()
    }
}

impl Extractor {
    pub fn new() -> Self {
        Self {
            analysis: Analysis::new(),
            tail: [0.0; WINDOW],
            fresh: 0,
            filled: 0,
            high_pass: HighPass::default(),
            frames: Vec::with_capacity(KEPT),
            next: 0,
            made: 0,
            sound: vec![0; SOUND_KEPT],
            came: 0,
            asked: 0,
            spoken: Vec::new(),
            floor: Floor::default(),
            scratch: Scratch::new(),
        }
    }

    /// Takes samples (8 kHz, any number at a time; 20 ms frames are usual).
    pub fn push(&mut self, samples: &[i16]) {
        for piece in samples.chunks(HOP) {
            let mut piece = piece;
            while !piece.is_empty() {
                let (now, later) = piece.split_at(piece.len().min(HOP - self.fresh));
                self.tail.copy_within(now.len().., 0);
                for (slot, &sample) in self.tail[WINDOW - now.len()..].iter_mut().zip(now) {
                    *slot = self.high_pass.run(f32::from(sample) / 32_768.0);
                    self.sound[self.came % SOUND_KEPT] = sample;
                    self.came += 1;
                }
                self.fresh += now.len();
                self.filled = (self.filled + now.len()).min(WINDOW);
                if self.fresh == HOP {
                    self.fresh = 0;
                    if self.filled == WINDOW {
                        self.frame();
                    }
                }
                piece = later;
            }
        }
    }

    fn frame(&mut self) {
        let frame = self.analysis.run(&self.tail, self.floor.known());
        let level = frame.values[Lld::Level as usize];
        self.floor.hear(level);
        self.made += 1;
        if self.frames.len() < KEPT {
            self.frames.push(frame);
        } else {
            self.frames[self.next] = frame;
            self.next = (self.next + 1) % KEPT;
        }
    }

    /// Speech heard since the last `reset` (pauses not counted), ms; at most what is kept (12 s).
    pub fn speech_ms(&self) -> u32 {
        let (old, new) = (&self.frames[self.next..], &self.frames[..self.next]);
        functionals::speech_ms(old, new, self.floor.db())
    }

    /// The voice since the last `reset`, at most its last 12 s. None under 400 ms of speech. `to_the_end`: the timbre
    /// of what came after the last whole second counts too, which costs as much as a second's.
    pub fn heard(&mut self, to_the_end: bool) -> Option<Heard> {
        self.heard_of_last(u32::MAX, to_the_end)
    }

    /// As `heard`, over the last `ms` of sound alone.
    pub fn heard_of_last(&mut self, ms: u32, to_the_end: bool) -> Option<Heard> {
        let figures = self.figures_of_last(ms)?;
        let (old, new) = (&self.frames[self.next..], &self.frames[..self.next]);
        let from = functionals::speech_level(old, new, self.floor.db());
        let mut seconds = Vec::new();
        while self.made >= (self.asked + 1) * SECOND {
            if let Some(second) = self.second(self.asked, from) {
                seconds.push(second);
                self.spoken.push(self.asked);
            }
            self.asked += 1;
        }
        let first = self.made.saturating_sub((ms / 10) as usize).div_ceil(SECOND);
        let whole = self.spoken.iter().filter(|&&second| second >= first).count();
        let rest = if to_the_end || whole == 0 { self.second(self.asked, from) } else { None };
        Some(Heard { figures, seconds, rest, whole })
    }

    /// The sound of this second since `reset`, as far as it came; steps from this level on are speech.
    fn second(&self, number: usize, speech_from: f32) -> Option<Second> {
        let first = number * SECOND;
        let frames = self.made.min(first + SECOND).saturating_sub(first);
        let from = first * HOP;
        let to = (from + SOUND).min(self.came);
        if self.came > from + SOUND_KEPT || self.made > first + KEPT {
            return None; // forgotten
        }
        let is_speech = |step: usize| {
            let two = (first + 2 * step..first + 2 * step + 2).filter(|&n| n < first + frames);
            two.into_iter().any(|n| self.frames[n % KEPT].values[Lld::Level as usize] >= speech_from)
        };
        let speech: [bool; STEPS] = std::array::from_fn(is_speech);
        if speech.iter().filter(|&&speech| speech).count() < FEWEST_STEPS {
            return None;
        }
        Some(Second { samples: (from..to).map(|n| self.sound[n % SOUND_KEPT]).collect(), speech })
    }

    /// The figures alone, of all that is kept. Allocates nothing.
    pub fn figures(&mut self) -> Option<Figures> {
        self.figures_of_last(u32::MAX)
    }

    fn figures_of_last(&mut self, ms: u32) -> Option<Figures> {
        let wanted = (ms / 10) as usize;
        let (mut old, mut new) = (&self.frames[self.next..], &self.frames[..self.next]);
        let surplus = (old.len() + new.len()).saturating_sub(wanted);
        let of_old = surplus.min(old.len());
        old = &old[of_old..];
        new = &new[surplus - of_old..];
        functionals::figures(old, new, self.floor.db(), &mut self.scratch)
    }

    /// Forgets what was said; the line's noise floor stays known. At the start of each utterance.
    pub fn reset(&mut self) {
        self.frames.clear();
        self.next = 0;
        self.made = 0;
        self.came = 0;
        self.asked = 0;
        self.spoken.clear();
        self.filled = 0;
        self.fresh = 0;
        self.floor.reset();
        self.analysis.reset();
    }
}

impl std::fmt::Debug for Extractor {
    // Never the descriptors: a caller's voice is personal data.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Extractor({} frames)", self.frames.len())
    }
}

/// First-order high-pass at about 60 Hz: mains hum's fundamental and offsets of old codecs.
#[derive(Clone, Copy, Default)]
struct HighPass {
    input: f32,
    output: f32,
}

impl HighPass {
    fn run(&mut self, x: f32) -> f32 {
        self.output = x - self.input + 0.953 * self.output;
        self.input = x;
        self.output
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn voice(hz: impl Fn(f32) -> f32, seconds: f32) -> Vec<i16> {
        // Harmonics falling by 1/n, as a glottis gives them.
        let mut phase = 0.0f32;
        (0..(seconds * RATE as f32) as usize)
            .map(|n| {
                let f = hz(n as f32 / RATE as f32);
                phase += f / RATE as f32;
                let harmonics = (3_400.0 / f) as usize;
                let sum: f32 =
                    (1..=harmonics).map(|k| (std::f32::consts::TAU * phase * k as f32).sin() / k as f32).sum();
                (sum * 6_000.0) as i16
            })
            .collect()
    }

    fn heard(samples: &[i16]) -> Vec<Frame> {
        let mut extractor = Extractor::new();
        samples.chunks(160).for_each(|frame| extractor.push(frame));
        extractor.frames
    }

    #[test]
    fn pitch_is_right_to_a_quarter_of_a_semitone() {
        for hz in [80.0, 120.0, 210.0, 350.0, 450.0] {
            for frame in &heard(&voice(|_| hz, 0.5))[5..] {
                assert!(frame.voiced, "{hz}");
                let found = 50.0 * 2f32.powf(frame.values[Lld::Pitch as usize] / 12.0);
                assert!((12.0 * (found / hz).log2()).abs() < 0.25, "{hz}: {found}");
            }
        }
    }

    #[test]
    fn noise_has_no_pitch() {
        let mut state = 1u32;
        let noise: Vec<i16> = (0..16_000)
            .map(|_| {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                ((state >> 16) as i16) / 8
            })
            .collect();
        let frames = heard(&noise);
        let voiced = frames.iter().filter(|frame| frame.voiced).count();
        assert!(voiced * 10 < frames.len(), "{voiced} of {}", frames.len());
    }

    #[test]
    fn any_cut_of_the_sound_gives_the_same_features() {
        let sound = voice(|t| 150.0 + 40.0 * (t * 5.0).sin(), 1.5);
        let mut whole = Extractor::new();
        whole.push(&sound);
        let mut pieces = Extractor::new();
        let mut rest = &sound[..];
        for size in [1, 7, 160, 81, 333].into_iter().cycle() {
            if rest.is_empty() {
                break;
            }
            let (now, later) = rest.split_at(size.min(rest.len()));
            pieces.push(now);
            rest = later;
        }
        assert_eq!(whole.figures().unwrap(), pieces.figures().unwrap());
    }

    #[test]
    fn silence_and_too_little_have_no_features() {
        let mut extractor = Extractor::new();
        extractor.push(&[0; 16_000]);
        assert_eq!(extractor.figures(), None);
        assert_eq!(extractor.speech_ms(), 0);
        extractor.reset();
        extractor.push(&voice(|_| 120.0, 0.3));
        assert_eq!(extractor.figures(), None);
    }
}

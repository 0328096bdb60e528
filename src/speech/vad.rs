//! Voice activity: how likely each 32 ms of sound hold speech, and when speaking begins and pauses.
//!
//! Scores come from Silero VAD. The much lighter crate `earshot` was tried: as good in silence, but on a telephone
//! line with noise 10 dB below the voice it calls a third of the noise speech, and turns would not end.

mod silero;

pub use silero::CHUNK;
/// Milliseconds in a chunk of `CHUNK` samples at 16 kHz.
pub const CHUNK_MS: u32 = 32;

/// The detector of one call. Hearing a chunk allocates nothing and takes less than 100 us (`benches/ear.rs`).
pub struct Vad {
    silero: Box<silero::Silero>,
}

impl Vad {
    pub fn new() -> Self {
        Self { silero: Box::new(silero::Silero::new()) }
    }

    /// How likely the chunk (16 kHz) holds speech, 0..=1.
    pub fn score(&mut self, chunk: &[i16; CHUNK]) -> f32 {
        self.silero.score(chunk.iter().map(|&s| f32::from(s) / 32_768.0))
    }
}

impl Default for Vad {
    fn default() -> Self {
        Self::new()
    }
}

/// From scores to speaking and silent. A beginning wants several chunks of voice close together, so that a click
/// is no word; a pause is counted from the last chunk with voice.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ActivitySettings {
    /// Score from which a chunk counts towards a beginning.
    pub on: f32,
    /// Score below which a chunk is silent once somebody speaks.
    pub off: f32,
    /// Chunks with voice, of the last four, that make a beginning.
    pub onset: u32,
}

impl Default for ActivitySettings {
    fn default() -> Self {
        Self { on: 0.5, off: 0.35, onset: 2 }
    }
}

/// What a chunk changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// Speaking began this many chunks ago, this one included.
    Began {
        chunks: u32,
    },
    None,
}

/// Onset and hangover over scores; knows neither sound nor clock.
#[derive(Clone, Debug)]
pub struct Activity {
    settings: ActivitySettings,
    speaking: bool,
    /// The last four chunks, newest in the lowest bit: set where there was voice.
    recent: u8,
    /// Chunks since the last one with voice.
    silent: u32,
}

impl Activity {
    pub fn new(settings: ActivitySettings) -> Self {
        Self { settings, speaking: false, recent: 0, silent: 0 }
    }

    /// Takes the next chunk's score.
    pub fn hear(&mut self, score: f32) -> Change {
        let threshold = if self.speaking && self.silent == 0 { self.settings.off } else { self.settings.on };
        let voice = score >= threshold;
        self.recent = (self.recent << 1 | u8::from(voice)) & 0b1111;
        self.silent = if voice && self.speaking { 0 } else { self.silent.saturating_add(1) };
        if self.speaking || self.recent.count_ones() < self.settings.onset {
            return Change::None;
        }
        self.speaking = true;
        self.silent = 0;
        Change::Began { chunks: 8 - self.recent.leading_zeros() }
    }

    /// Somebody speaks, or paused and has not been `rest`ed.
    pub fn speaking(&self) -> bool {
        self.speaking
    }

    /// Chunks of silence since the last one with voice.
    pub fn silent(&self) -> u32 {
        self.silent
    }

    /// The turn is over: the next speech is a new beginning.
    pub fn rest(&mut self) {
        self.speaking = false;
        self.recent = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(scores: &[f32]) -> (Activity, Vec<(usize, Change)>) {
        let mut activity = Activity::new(ActivitySettings { on: 0.5, off: 0.3, onset: 3 });
        let changes = scores.iter().map(|&s| activity.hear(s)).enumerate();
        let changes = changes.filter(|(_, c)| *c != Change::None).collect();
        (activity, changes)
    }

    #[test]
    fn a_click_is_no_word() {
        let (activity, changes) = run(&[0.0, 0.9, 0.9, 0.0, 0.0, 0.0, 0.9, 0.0]);
        assert_eq!(changes, []);
        assert!(!activity.speaking());
    }

    #[test]
    fn a_beginning_reaches_back_to_its_first_chunk() {
        let (_, changes) = run(&[0.0, 0.9, 0.2, 0.9, 0.9]);
        assert_eq!(changes, [(4, Change::Began { chunks: 4 })]);
    }

    #[test]
    fn silence_is_counted_from_the_last_voice() {
        let (activity, _) = run(&[0.9, 0.9, 0.9, 0.4, 0.2, 0.4, 0.1]);
        assert_eq!(activity.silent(), 3, "0.4 goes on with speech, but does not take it up again");
        assert!(activity.speaking());
    }
}

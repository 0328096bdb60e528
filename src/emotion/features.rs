//! Features of a voice over an utterance or its last seconds, from 8 kHz samples; nothing allocated after `new`.

/// Samples a second an `Extractor` takes.
pub const RATE: u32 = 8_000;
/// Samples from one analysis frame to the next (10 ms).
pub const HOP: usize = 80;
/// How many figures describe an utterance.
pub const FEATURES: usize = 16;

/// Statistics of a voice over some speech, each in its natural unit (`names` says which).
#[derive(Clone, Debug, PartialEq)]
pub struct Features {
    pub values: [f32; FEATURES],
    /// Speech they were taken from (pauses not counted), ms.
    pub speech_ms: u32,
}

/// The features' names, in order.
pub fn names() -> &'static [String] {
    static NAMES: std::sync::OnceLock<Vec<String>> = std::sync::OnceLock::new();
    NAMES.get_or_init(|| (0..FEATURES).map(|n| format!("f{n}")).collect())
}

/// Listens to one voice. Feed it the caller alone: no prompts, keys or music.
#[derive(Clone, Debug, Default)]
pub struct Extractor {}

impl Extractor {
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes samples (8 kHz, any number at a time; 20 ms frames are usual).
    pub fn push(&mut self, _samples: &[i16]) {}

    /// Speech heard since the last `reset` (pauses not counted), ms; at most what the window holds (12 s).
    pub fn speech_ms(&self) -> u32 {
        0
    }

    /// The voice since the last `reset`, at most its last 12 s. None under 400 ms of speech.
    pub fn features(&mut self) -> Option<Features> {
        None
    }

    /// As `features`, over the last `ms` of sound alone.
    pub fn features_of_last(&mut self, _ms: u32) -> Option<Features> {
        None
    }

    /// Forgets what was said; the line's noise floor stays known. At the start of each utterance.
    pub fn reset(&mut self) {}
}

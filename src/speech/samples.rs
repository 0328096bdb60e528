//! Sound that is handed on between threads, and never printed.

use std::ops::Deref;
use std::sync::Arc;

/// Mono, 16 kHz, full scale 1.0; clones share it. What a caller said is no business of a log: printed is its length alone.
#[derive(Clone, Default, PartialEq)]
pub struct Samples(Arc<[f32]>);

impl Deref for Samples {
    type Target = [f32];

    fn deref(&self) -> &[f32] {
        &self.0
    }
}

impl From<Vec<f32>> for Samples {
    fn from(samples: Vec<f32>) -> Self {
        Self(samples.into())
    }
}

impl From<&[f32]> for Samples {
    fn from(samples: &[f32]) -> Self {
        Self(samples.into())
    }
}

impl FromIterator<f32> for Samples {
    fn from_iter<I: IntoIterator<Item = f32>>(samples: I) -> Self {
        Self(samples.into_iter().collect())
    }
}

impl std::fmt::Debug for Samples {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} samples", self.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dialog::Expect;
    use crate::engine::Request;
    use crate::speech::{HearRequest, Heard};

    #[test]
    fn no_sample_is_printed() {
        let sound = Samples::from(vec![0.123_456; 320]);
        let events = [
            format!("{:?}", Heard::TurnEnded { id: 1, audio: sound.clone(), start_ms: 0, end_ms: 20 }),
            format!("{:?}", Heard::Paused { turn: sound.clone(), start_ms: 0, end_ms: 20, id: 1 }),
            format!("{:?}", Request::Judge { turn: 1, audio: sound.clone(), gone: Default::default() }),
        ];
        let request = HearRequest {
            audio: sound,
            language: None,
            hints: Vec::new(),
            expect: Expect::Free,
            likely: Arc::default(),
            languages: Vec::new(),
        };
        for printed in events.into_iter().chain([format!("{request:?}")]) {
            assert!(!printed.contains("0.123") && printed.contains("320 samples"), "{printed}");
        }
    }
}

//! The level of a line while nobody speaks.

/// Below this there is digital silence (nothing came, or comfort noise of one bit), not a line's noise.
const LEVEL_OF_NOTHING: f32 = -85.0;

/// The mean level of what is heard while nobody speaks (minimum statistics, Martin 2001, in short): the lowest mean
/// over a pause's length. A babble's quietest moment is some 10 dB below its mean and would count it as speech.
#[derive(Clone, Debug, Default)]
pub(super) struct Floor {
    /// Powers of the last frames, and how many came since the last reset.
    last: [f32; Floor::PAUSE],
    heard: usize,
    /// Lowest mean over a pause and lowest frame, dB.
    mean: Option<f32>,
    quietest: Option<f32>,
}

impl Floor {
    /// Frames: longer than a stop consonant.
    const PAUSE: usize = 16;
    /// A voice without pauses tells the mean wrongly; noise does not move by more than this, dB.
    const MOVES: f32 = 10.0;
    /// dB a frame: 3 dB a second, speech is never long enough to lift it far.
    const RISES: f32 = 0.03;

    pub fn hear(&mut self, level: f32) {
        if level <= LEVEL_OF_NOTHING {
            return;
        }
        let follow = |floor: &mut Option<f32>, level: f32| {
            *floor = Some(floor.map_or(level, |floor| level.min(floor + Self::RISES)));
        };
        follow(&mut self.quietest, level);
        self.last[self.heard % Self::PAUSE] = 10f32.powf(level / 10.0);
        self.heard += 1;
        if self.heard >= Self::PAUSE {
            follow(&mut self.mean, 10.0 * (self.last.iter().sum::<f32>() / Self::PAUSE as f32).log10());
        }
    }

    /// `0.0` (full scale) while unknown: then the voice's own peaks alone say what is speech.
    pub fn db(&self) -> f32 {
        let quietest = self.quietest.map_or(0.0, |level| level + Self::MOVES);
        self.mean.unwrap_or(0.0).min(quietest)
    }

    /// As `db`, once a pause's length was heard.
    pub fn known(&self) -> Option<f32> {
        self.mean.map(|_| self.db())
    }

    /// Another utterance: pauses do not reach across.
    pub fn reset(&mut self) {
        self.heard = 0;
    }
}

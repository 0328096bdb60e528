//! What a waiting caller hears: ringing, or a queue's own sound over and over.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::media::{Frame, Player, Sound, Tone};

/// Each queue's sound, at every rate that a line may have; a queue without one rings.
#[derive(Debug, Default)]
pub struct WaitingSounds(pub BTreeMap<String, Vec<Arc<Sound>>>);

impl WaitingSounds {
    /// At this rate, else at another: the player converts it.
    pub fn of(&self, queue: &str, rate: u32) -> Option<&Arc<Sound>> {
        let sounds = self.0.get(queue)?;
        sounds.iter().find(|sound| sound.rate == rate).or(sounds.first())
    }
}

/// One caller's place in the sound.
pub enum Waiting {
    Ringing(Tone),
    Sound(Player),
}

impl Waiting {
    pub fn start(sound: Option<&Arc<Sound>>, rate: u32) -> Self {
        match sound {
            Some(sound) => Self::Sound(Player::looped(rate, sound.clone())),
            None => Self::Ringing(Tone::ringing()),
        }
    }

    /// The next 20 ms; always sound, be it a pause in the ringing.
    pub fn next(&mut self, frame: &mut Frame) -> bool {
        match self {
            Self::Ringing(tone) => tone.next(frame),
            Self::Sound(player) => {
                player.next(frame);
            }
        }
        true
    }
}

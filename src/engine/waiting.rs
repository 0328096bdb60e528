//! What a waiting caller hears: ringing, a queue's own sound over and over, or what the line of the agent lets be heard.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::media::{Converter, Frame, Player, Sound, Tone};

/// A line from which nothing came for so long is not listened to any more.
const GAP_MS: u64 = 400;

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

/// The sound of a line that rings, for as long as it goes on.
#[derive(Default)]
pub struct LineSound {
    next: Option<Frame>,
    heard_ms: Option<u64>,
    converter: Converter,
}

impl LineSound {
    /// Takes 20 ms of any rate for the next frame of `rate`.
    pub fn hear(&mut self, now_ms: u64, frame: &Frame, rate: u32) {
        self.heard_ms = Some(now_ms);
        let mut next = Frame::silence(rate);
        self.converter.run(frame, &mut next);
        self.next = Some(next);
    }

    pub fn sounds(&self, now_ms: u64) -> bool {
        self.heard_ms.is_some_and(|heard| now_ms < heard + GAP_MS)
    }

    /// The next 20 ms; `false`: nothing came.
    pub fn next(&mut self, frame: &mut Frame) -> bool {
        match self.next.take() {
            Some(next) => *frame = next,
            None => return false,
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_heard_while_sound_comes_and_a_little_longer() {
        let (mut line, mut frame, mut out) = (LineSound::default(), Frame::silence(16_000), Frame::silence(8_000));
        assert!(!line.sounds(0));
        frame.samples_mut().fill(1_000);
        for n in 0..5 {
            line.hear(20 * n, &frame, 8_000);
            assert!(line.sounds(20 * n) && line.next(&mut out));
        }
        assert!((900..1_100).contains(&out.samples()[80]), "{}", out.samples()[80]);
        assert!(!line.next(&mut out), "each frame once");
        assert!(line.sounds(80 + GAP_MS - 1) && !line.sounds(80 + GAP_MS));
    }
}

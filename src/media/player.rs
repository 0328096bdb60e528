//! Plays recordings and synthesised sentences as frames. Sentences are pushed as they become ready; each piece
//! starts and ends with a fade of 5 ms, and so does a cut, so that nothing clicks.

use std::{collections::VecDeque, sync::Arc};

use super::{FRAME_MS, Frame, Sound, resample};

/// A queue of pieces, played at one rate. `next` allocates nothing.
pub struct Player {
    rate: u32,
    pieces: VecDeque<Arc<Sound>>,
    /// Samples of the first piece already played.
    at: usize,
    looped: bool,
    /// No more pieces will come.
    finished: bool,
    stopping: bool,
    hold: Hold,
    /// Where the first piece was taken up again: it fades in from there.
    from: usize,
    played: u64,
}

/// Whether it waits for `resume`.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Hold {
    No,
    /// The next frame fades out.
    Begins,
    Holds,
}

impl Player {
    /// Plays into frames of `rate` Hz.
    pub fn new(rate: u32) -> Self {
        Self {
            rate,
            pieces: VecDeque::new(),
            at: 0,
            looped: false,
            finished: false,
            stopping: false,
            hold: Hold::No,
            from: 0,
            played: 0,
        }
    }

    /// One recording.
    pub fn once(rate: u32, sound: Arc<Sound>) -> Self {
        let mut player = Self::new(rate);
        player.play(sound);
        player.finish();
        player
    }

    /// One recording over and over, until stopped.
    pub fn looped(rate: u32, sound: Arc<Sound>) -> Self {
        let mut player = Self::once(rate, sound);
        player.looped = true;
        player
    }

    /// Adds a piece: a sentence, or any stretch that begins and ends in a pause. Converts it to the player's rate
    /// here (about 1 ms for 3 s), so push what is long from outside the media's beat, as `play` of a prepared sound.
    pub fn push(&mut self, rate: u32, samples: &[i16]) {
        self.play(Arc::new(Sound { rate, samples: samples.to_vec() }));
    }

    /// As `push`, without a copy when the sound has the player's rate already.
    pub fn play(&mut self, sound: Arc<Sound>) {
        let sound = if sound.rate == self.rate {
            sound
        } else {
            Arc::new(Sound { rate: self.rate, samples: resample(&sound.samples, sound.rate, self.rate) })
        };
        if !sound.samples.is_empty() && !self.stopping {
            self.pieces.push_back(sound);
        }
    }

    /// No more pieces will come: the player is over after those it has.
    pub fn finish(&mut self) {
        self.finished = true;
    }

    /// Drops what is left. The next frame fades out within 5 ms, and that is the end.
    pub fn stop(&mut self) {
        self.stopping = true;
        self.finished = true;
        self.pieces.truncate(1);
        if self.at == 0 {
            self.pieces.clear();
        }
    }

    /// Falls silent within 5 ms of the next frame, until `resume`.
    pub fn pause(&mut self) {
        if self.hold == Hold::No {
            self.hold = if self.at == 0 { Hold::Holds } else { Hold::Begins };
        }
    }

    /// Goes on where it was: at the last gap between words, at most 0.7 s before the place of the pause.
    pub fn resume(&mut self) {
        if std::mem::replace(&mut self.hold, Hold::No) != Hold::No && self.at > 0 {
            let piece = self.pieces.front().map_or(&[][..], |piece| &piece.samples);
            let block = (self.rate / 50) as usize;
            let earliest = self.at.saturating_sub(35 * block);
            let loudness = |at: usize| piece[at..at + block].iter().map(|&s| i64::from(s).pow(2)).sum::<i64>();
            let starts = (earliest..(self.at + 1).saturating_sub(block)).step_by(block / 2);
            self.at = starts.min_by_key(|&at| (loudness(at), usize::MAX - at)).unwrap_or(self.at);
            self.from = self.at;
        }
    }

    /// It waits for `resume`.
    pub fn is_paused(&self) -> bool {
        self.hold != Hold::No
    }

    /// Everything was played, or stopped. A player that waits for its next piece is not over.
    pub fn is_over(&self) -> bool {
        self.finished && self.pieces.is_empty()
    }

    /// Sound played so far, ms, without the waiting.
    pub fn played_ms(&self) -> u64 {
        self.played * 1_000 / u64::from(self.rate)
    }

    /// Fills `frame` (of the player's rate) with the next 20 ms; false, and silence, when there is nothing to play now:
    /// it is over, or the next piece is late.
    pub fn next(&mut self, frame: &mut Frame) -> bool {
        debug_assert_eq!(frame.rate(), self.rate, "frames of the player's rate");
        let fade = (self.rate / 200) as usize;
        let out = frame.samples_mut();
        let mut filled = 0;
        if self.hold == Hold::Holds && !self.stopping {
            out.fill(0);
            return false;
        }
        let fading = self.stopping || self.hold == Hold::Begins;
        if self.hold == Hold::Holds {
            self.pieces.clear(); // stopped in silence
        }
        while filled < out.len() {
            let Some(piece) = self.pieces.front() else { break };
            let samples = &piece.samples;
            let n = (samples.len() - self.at).min(out.len() - filled);
            for (i, sample) in out[filled..filled + n].iter_mut().enumerate() {
                let at = self.at + i;
                let edge = (at + 1).saturating_sub(self.from).min(samples.len() - at);
                let cut = if fading { fade.saturating_sub(filled + i) } else { fade };
                *sample = (i32::from(samples[at]) * edge.min(fade).min(cut) as i32 / fade.max(1) as i32) as i16;
            }
            filled += n;
            self.at += n;
            self.played += n as u64;
            if self.at == samples.len() {
                (self.at, self.from) = (0, 0);
                if !self.looped || self.stopping {
                    self.pieces.pop_front();
                }
            }
        }
        out[filled..].fill(0);
        if self.stopping {
            self.pieces.clear();
        }
        if self.hold == Hold::Begins {
            self.hold = Hold::Holds;
        }
        filled > 0
    }

    /// Frames until everything pushed so far is played.
    pub fn frames_left(&self) -> u64 {
        let samples: usize = self.pieces.iter().map(|piece| piece.samples.len()).sum::<usize>() - self.at;
        (samples as u64).div_ceil(u64::from(self.rate * FRAME_MS / 1_000))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn play(player: &mut Player, frames: usize) -> (Vec<i16>, Vec<bool>) {
        let (mut samples, mut sounded) = (vec![], vec![]);
        for _ in 0..frames {
            let mut frame = Frame::silence(8_000);
            sounded.push(player.next(&mut frame));
            samples.extend_from_slice(frame.samples());
        }
        (samples, sounded)
    }

    fn steepest(samples: &[i16]) -> i32 {
        samples.windows(2).map(|w| (i32::from(w[1]) - i32::from(w[0])).abs()).max().unwrap_or(0)
    }

    #[test]
    fn sentences_follow_each_other_without_a_click_or_a_gap() {
        let mut player = Player::new(8_000);
        player.push(8_000, &[10_000; 200]);
        player.push(8_000, &[-10_000; 240]);
        assert_eq!(player.frames_left(), 3);
        player.finish();
        let (samples, sounded) = play(&mut player, 4);
        assert_eq!(sounded, [true, true, true, false]);
        assert!(player.is_over());
        assert_eq!((samples[100], samples[320]), (10_000, -10_000));
        assert_eq!(player.played_ms(), 55);
        assert!(steepest(&samples) <= 500, "a fade is 40 steps at 8 kHz, two meet at a join: {}", steepest(&samples));
    }

    #[test]
    fn a_late_sentence_is_waited_for_in_silence() {
        let mut player = Player::new(8_000);
        assert!(!player.next(&mut Frame::silence(8_000)) && !player.is_over());
        player.push(8_000, &[500; 160]);
        assert!(player.next(&mut Frame::silence(8_000)));
        assert!(!player.next(&mut Frame::silence(8_000)) && !player.is_over());
        player.push(8_000, &[500; 160]);
        player.finish();
        assert!(player.next(&mut Frame::silence(8_000)) && player.is_over());
    }

    #[test]
    fn a_cut_fades_within_five_milliseconds() {
        let mut player = Player::new(8_000);
        player.push(8_000, &[10_000; 1_600]);
        player.push(8_000, &[10_000; 1_600]);
        let before = play(&mut player, 3).0;
        player.stop();
        assert!(!player.is_over());
        let (after, sounded) = play(&mut player, 2);
        assert_eq!(sounded, [true, false]);
        assert!(player.is_over() && after[40..].iter().all(|&s| s == 0));
        assert!(steepest(&[before, after].concat()) <= 250);
        player.push(8_000, &[1; 160]);
        assert!(player.is_over(), "a stopped player stays stopped");
    }

    #[test]
    fn a_player_stopped_before_its_first_frame_says_nothing() {
        let mut player = Player::new(8_000);
        player.push(8_000, &[10_000; 1_600]);
        player.stop();
        assert!(player.is_over() && !player.next(&mut Frame::silence(8_000)));
    }

    #[test]
    fn a_paused_prompt_goes_on_at_the_last_gap() {
        // Each swells and fades over 5 ms.
        let word = |loud: i16| -> Vec<i16> {
            let swell = |n: i16| loud / 40 * n.min(40).min(1_600 - n);
            (0..1_600).map(swell).chain([0; 320]).collect()
        };
        let sound: Vec<i16> = (1..=4).flat_map(|n| word(n * 2_000)).collect();
        let mut player = Player::new(8_000);
        player.push(8_000, &sound);
        player.finish();
        let before = play(&mut player, 26).0; // in the third word
        player.pause();
        let (held, sounded) = play(&mut player, 10);
        assert!(sounded[0] && sounded[1..].iter().all(|&s| !s) && !player.is_over() && player.is_paused());
        player.resume();
        let after = play(&mut player, 30).0;
        assert!(steepest(&[before, held, after.clone()].concat()) <= 250);
        let third = after.iter().filter(|&&s| s == 6_000).count();
        assert!(third >= 1_521, "the third word, from its beginning: {third} of its samples");
        assert!(after.contains(&8_000) && player.is_over());
    }

    #[test]
    fn a_paused_prompt_may_be_stopped() {
        let mut player = Player::new(8_000);
        player.push(8_000, &[10_000; 1_600]);
        play(&mut player, 3);
        player.pause();
        play(&mut player, 3);
        player.stop();
        assert!(!play(&mut player, 1).1[0] && player.is_over());
    }

    #[test]
    fn music_goes_round() {
        let mut player = Player::looped(8_000, Arc::new(Sound { rate: 16_000, samples: vec![1_000; 1_000] }));
        let (samples, sounded) = play(&mut player, 100);
        assert!(sounded.iter().all(|&s| s) && !player.is_over());
        assert!(samples.chunks(500).all(|round| round[250].abs_diff(1_000) < 20));
        player.stop();
        player.next(&mut Frame::silence(8_000));
        assert!(player.is_over());
    }

    #[test]
    fn very_short_pieces_are_played_too() {
        let mut player = Player::new(8_000);
        for n in 0..50 {
            player.push(8_000, &vec![100; n]);
        }
        player.finish();
        let left = player.frames_left() as usize;
        let (_, sounded) = play(&mut player, left);
        assert!(sounded.iter().all(|&s| s) && player.is_over());
    }
}

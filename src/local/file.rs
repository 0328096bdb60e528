//! A recording that plays the caller, for `frontdesk replay` and tests: exact frames, as fast as they are pulled.

use std::{path::Path, time::Instant};

use crate::media::{Error, FRAME_MS, Frame, Key, Port, Quality, Received, Sound};

/// Plays a sound as the caller, then silence; keeps what it is sent. Its time is the number of frames pulled.
pub struct FilePort {
    rate: u32,
    samples: Vec<i16>,
    /// Frames received so far.
    beat: u64,
    /// Keys to press, soonest last.
    keys: Vec<(u64, Key)>,
    /// What it is sent comes back: after so many samples, this much of it.
    echo: Vec<(usize, f32)>,
    sent: Vec<i16>,
    pressed: Vec<Pressed>,
    frames_sent: u64,
}

/// A key that was pressed towards the port.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pressed {
    pub at_ms: u64,
    pub key: Key,
}

impl FilePort {
    /// Plays `sound` in frames of `rate` Hz.
    pub fn new(sound: &Sound, rate: u32) -> Self {
        let samples = sound.at_rate(rate).samples;
        Self { rate, samples, beat: 0, keys: vec![], echo: vec![], sent: vec![], pressed: vec![], frames_sent: 0 }
    }

    /// Plays the file at `path`, its channels mixed.
    pub fn open(path: impl AsRef<Path>, rate: u32) -> Result<Self, Error> {
        Ok(Self::new(&crate::media::file::read(path)?, rate))
    }

    /// Presses keys too, each at a time from the start.
    pub fn with_keys(mut self, keys: impl IntoIterator<Item = (u64, Key)>) -> Self {
        self.keys = keys.into_iter().collect();
        self.keys.reverse(); // the sort is stable: of equal times the first given stays last in the list
        self.keys.sort_by_key(|&(at_ms, _)| std::cmp::Reverse(at_ms));
        self
    }

    /// Hears what it is sent, too, as a telephone on a table does: each reflection so many samples (at least a
    /// frame) late and so much as loud.
    pub fn with_echo(mut self, reflections: impl IntoIterator<Item = (usize, f32)>) -> Self {
        self.echo = reflections.into_iter().collect();
        self
    }

    fn reflected(&self, at: usize) -> f32 {
        let sent = |late: usize| self.sent.get(at.checked_sub(late)?);
        self.echo.iter().filter_map(|&(late, gain)| Some(f32::from(*sent(late)?) * gain)).sum()
    }

    /// Length of the recording, ms.
    pub fn ms(&self) -> u64 {
        self.samples.len() as u64 * 1_000 / u64::from(self.rate)
    }

    /// Where the frame begins that was received last, ms.
    pub fn played_ms(&self) -> u64 {
        self.beat.saturating_sub(1) * u64::from(FRAME_MS)
    }

    /// Everything sent to the caller so far, from the first beat on: what was not sent is silence.
    pub fn sent(&self) -> Sound {
        Sound { rate: self.rate, samples: self.sent.clone() }
    }

    /// Keys pressed towards the caller.
    pub fn pressed(&self) -> &[Pressed] {
        &self.pressed
    }
}

impl Port for FilePort {
    fn rate(&self) -> u32 {
        self.rate
    }

    /// `ended` from the first frame on that holds nothing of the recording, once all keys are pressed.
    fn receive(&mut self, _now: Instant, frame: &mut Frame) -> Received {
        let n = frame.len();
        let at = (self.beat as usize).saturating_mul(n).min(self.samples.len());
        let rest = &self.samples[at..];
        let heard = rest.len().min(n);
        frame.samples_mut()[..heard].copy_from_slice(&rest[..heard]);
        frame.samples_mut()[heard..].fill(0);
        if !self.echo.is_empty() {
            let begins = self.beat as usize * n;
            let samples = frame.samples_mut().iter_mut().enumerate();
            samples.for_each(|(i, sample)| *sample = sample.saturating_add(self.reflected(begins + i) as i16));
        }
        let now_ms = self.beat * u64::from(FRAME_MS);
        let key = self.keys.pop_if(|(at_ms, _)| *at_ms <= now_ms).map(|(_, key)| key);
        self.beat += 1;
        Received { heard: heard > 0, key, timed_out: false, ended: heard == 0 && key.is_none() && self.keys.is_empty() }
    }

    fn send(&mut self, _now: Instant, frame: Option<&Frame>) {
        // Frames are laid down by beat, so that `sent` lines up with what the caller said.
        let n = (self.rate / 50) as usize;
        let at = (self.beat.max(1) as usize - 1) * n;
        if let Some(frame) = frame {
            self.sent.resize(at.max(self.sent.len()), 0);
            self.sent.extend_from_slice(frame.samples());
            self.frames_sent += 1;
        }
    }

    fn send_key(&mut self, key: Key) {
        self.pressed.push(Pressed { at_ms: self.played_ms(), key });
    }

    fn quality(&self) -> Quality {
        let of_file = self.samples.len().div_ceil((self.rate / 50) as usize) as u64;
        Quality { packets_received: self.beat.min(of_file), packets_sent: self.frames_sent, ..Quality::default() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_recording_comes_in_exact_frames_and_then_ends() {
        let sound = Sound { rate: 8_000, samples: (1..=400).collect() };
        let mut port = FilePort::new(&sound, 8_000);
        let now = Instant::now();
        let mut frame = Frame::silence(8_000);
        let mut heard = vec![];
        for expected in [true, true, true, false, false] {
            let received = port.receive(now, &mut frame);
            assert_eq!((received.heard, received.ended), (expected, !expected));
            heard.extend_from_slice(frame.samples());
        }
        assert_eq!(heard[..400], sound.samples);
        assert!(heard[400..].iter().all(|&s| s == 0));
    }

    #[test]
    fn what_is_sent_is_kept_at_its_time() {
        let mut port = FilePort::new(&Sound { rate: 8_000, samples: vec![0; 800] }, 8_000);
        let now = Instant::now();
        let mut frame = Frame::silence(8_000);
        for beat in 0..5 {
            port.receive(now, &mut frame);
            let answer = Frame::from_samples(8_000, &[7; 160]);
            port.send(now, (beat % 2 == 1).then_some(&answer));
        }
        port.send_key(Key::new('5').unwrap());
        let sent = port.sent().samples;
        assert_eq!(sent.len(), 640);
        assert!(sent.iter().enumerate().all(|(n, &s)| s == if n / 160 % 2 == 1 { 7 } else { 0 }));
        assert_eq!(port.pressed(), [Pressed { at_ms: 80, key: Key::new('5').unwrap() }]);
    }

    #[test]
    fn what_is_sent_comes_back_as_an_echo() {
        let mut port = FilePort::new(&Sound { rate: 8_000, samples: vec![100; 1_600] }, 8_000).with_echo([(240, 0.5)]);
        let mut heard = vec![];
        for _ in 0..4 {
            let mut frame = Frame::silence(8_000);
            port.receive(Instant::now(), &mut frame);
            heard.extend_from_slice(frame.samples());
            port.send(Instant::now(), Some(&Frame::from_samples(8_000, &[1_000; 160])));
        }
        assert!(heard[..240].iter().all(|&s| s == 100) && heard[240..].iter().all(|&s| s == 600), "{heard:?}");
    }

    #[test]
    fn keys_come_at_their_time_and_hold_the_end_back() {
        let keys = [(60, '2'), (0, '1'), (60, '3')].map(|(at, key)| (at, Key::new(key).unwrap()));
        let mut port = FilePort::new(&Sound { rate: 8_000, samples: vec![1; 160] }, 8_000).with_keys(keys);
        let mut frame = Frame::silence(8_000);
        let mut seen = vec![];
        let beats = (0..9).position(|beat| {
            let received = port.receive(Instant::now(), &mut frame);
            seen.extend(received.key.map(|key| (beat * 20, key.as_char())));
            received.ended
        });
        seen.sort();
        assert_eq!(seen, [(0, '1'), (60, '2'), (80, '3')]);
        assert_eq!(beats, Some(5));
    }
}

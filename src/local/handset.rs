//! The handset of a call from this computer: a sound card (or any other port) and, once there is one, the line,
//! joined on the 20 ms beat. It keeps no time and waits for nothing: who owns it beats it.

use std::time::Instant;

use crate::media::{Bridge, Error, Frame, Port, Received, Tone};

/// One beat of either side is one frame in and one out, so the person's device and the line stay in step; what the
/// two clocks drift apart is the ports' affair.
pub struct Handset {
    card: Box<dyn Port>,
    ringing: Option<Tone>,
    bridge: Option<Bridge>,
}

/// What came with a beat.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Beat {
    /// Of the person at this computer.
    pub card: Received,
    /// Of the other side; nothing before there is a line.
    pub line: Received,
}

impl Handset {
    /// Silent, not connected.
    pub fn new(card: Box<dyn Port>) -> Self {
        Self { card, ringing: None, bridge: None }
    }

    /// The ringing tone sounds until the call is answered. Saying it again changes nothing.
    pub fn ring(&mut self) {
        if self.bridge.is_none() {
            self.ringing.get_or_insert_with(Tone::ringing);
        }
    }

    /// The call was answered, its line has frames of `rate` Hz.
    pub fn connect(&mut self, rate: u32) -> Result<(), Error> {
        self.ringing = None;
        self.bridge = Some(Bridge::new(self.card.rate(), rate)?);
        Ok(())
    }

    /// 20 ms: both ways with a `line` (after [`Self::connect`]); else the ringing tone or silence.
    pub fn beat(&mut self, now: Instant, line: Option<&mut dyn Port>) -> Beat {
        let mut spoken = Frame::silence(self.card.rate());
        // Pulled even while nobody hears it: what is said before the answer must not be heard after it.
        let card = self.card.receive(now, &mut spoken);
        match (line, &mut self.bridge) {
            (Some(line), Some(bridge)) => {
                let mut heard = Frame::silence(line.rate());
                let received = line.receive(now, &mut heard);
                line.send(now, Some(&bridge.a_to_b(&spoken)));
                self.card.send(now, Some(&bridge.b_to_a(&heard)));
                Beat { card, line: received }
            }
            _ => {
                let mut tone = Frame::silence(self.card.rate());
                if let Some(ringing) = &mut self.ringing {
                    ringing.next(&mut tone);
                }
                self.card.send(now, Some(&tone));
                Beat { card, line: Received::default() }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;
    use crate::local::FilePort;
    use crate::media::{Key, Quality, Sound};

    /// A file port that can still be looked at while a handset owns it.
    #[derive(Clone)]
    struct Card(Arc<Mutex<FilePort>>);

    impl Card {
        fn playing(sound: &Sound, rate: u32) -> Self {
            Self(Arc::new(Mutex::new(FilePort::new(sound, rate))))
        }

        fn heard(&self) -> Vec<i16> {
            self.0.lock().unwrap().sent().samples
        }
    }

    impl Port for Card {
        fn rate(&self) -> u32 {
            self.0.lock().unwrap().rate()
        }
        fn receive(&mut self, now: Instant, frame: &mut Frame) -> Received {
            self.0.lock().unwrap().receive(now, frame)
        }
        fn send(&mut self, now: Instant, frame: Option<&Frame>) {
            self.0.lock().unwrap().send(now, frame);
        }
        fn send_key(&mut self, _key: Key) {}
        fn quality(&self) -> Quality {
            Quality::default()
        }
    }

    fn tone(hz: f64, rate: u32, frames: usize) -> Sound {
        let (mut tone, mut samples) = (Tone::sine(hz, -12.0), vec![]);
        for _ in 0..frames {
            let mut frame = Frame::silence(rate);
            tone.next(&mut frame);
            samples.extend_from_slice(frame.samples());
        }
        Sound { rate, samples }
    }

    /// Hz, by zero crossings.
    fn pitch(samples: &[i16], rate: u32) -> f64 {
        let crossings = samples.windows(2).filter(|pair| (pair[0] < 0) != (pair[1] < 0)).count();
        crossings as f64 / 2.0 * f64::from(rate) / samples.len() as f64
    }

    #[test]
    fn both_sides_hear_each_other_at_any_rates() {
        for (card_rate, line_rate) in [(8_000, 8_000), (16_000, 8_000), (8_000, 48_000)] {
            let card = Card::playing(&tone(500.0, card_rate, 50), card_rate);
            let mut line = FilePort::new(&tone(1_200.0, line_rate, 50), line_rate);
            let mut handset = Handset::new(Box::new(card.clone()));
            handset.connect(line_rate).unwrap();
            let now = Instant::now();
            for _ in 0..50 {
                let beat = handset.beat(now, Some(&mut line));
                assert!(beat.card.heard && beat.line.heard);
            }
            let (here, there) = (card.heard(), line.sent().samples);
            assert_eq!((here.len(), there.len()), (card_rate as usize, line_rate as usize), "a second each");
            let (here, there) = (pitch(&here, card_rate), pitch(&there, line_rate));
            assert!((here - 1_200.0).abs() < 15.0 && (there - 500.0).abs() < 15.0, "{here} Hz, {there} Hz");
        }
    }

    #[test]
    fn it_rings_only_when_told_and_until_the_answer() {
        let card = Card::playing(&Sound { rate: 8_000, samples: vec![] }, 8_000);
        let mut line = FilePort::new(&Sound { rate: 8_000, samples: vec![] }, 8_000);
        let mut handset = Handset::new(Box::new(card.clone()));
        let now = Instant::now();
        let level = |handset: &mut Handset, line: Option<&mut dyn Port>| {
            handset.beat(now, line);
            let heard = card.heard();
            Frame::from_samples(8_000, &heard[heard.len() - 160..]).level()
        };
        assert!((0..10).all(|_| level(&mut handset, None) == 0.0), "silent while it is being dialled");
        handset.ring();
        handset.ring();
        assert!((0..50).all(|_| level(&mut handset, None) > 0.01), "a second of tone");
        assert!((0..10).all(|_| level(&mut handset, None) < 0.01), "then its pause");
        handset.connect(8_000).unwrap();
        handset.ring();
        assert!((0..300).all(|_| level(&mut handset, Some(&mut line)) == 0.0), "answered: it rings no more");
    }

    #[test]
    fn what_was_said_before_the_answer_is_not_heard_after_it() {
        let mut said = tone(500.0, 8_000, 10);
        said.samples.resize(8_000, 0);
        let mut handset = Handset::new(Box::new(Card::playing(&said, 8_000)));
        let mut line = FilePort::new(&Sound { rate: 8_000, samples: vec![] }, 8_000);
        for _ in 0..10 {
            handset.beat(Instant::now(), None);
        }
        handset.connect(8_000).unwrap();
        for _ in 0..10 {
            handset.beat(Instant::now(), Some(&mut line));
        }
        assert!(line.sent().samples.iter().all(|&sample| sample == 0));
    }
}

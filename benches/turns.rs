//! How long the end of a turn takes to be noticed, and how often a caller who only paused is taken to be done, on
//! recorded sentences over a telephone line. A text that decides nothing comes 150 ms after the pause, the turn model's
//! word 80 ms after it was asked.
//!
//! `cargo bench --bench turns -- FOLDER ...`: each holds recordings of sentences (wav, flac, mp3, ogg), one voice a
//! file. Asterisk's prompts hold several sentences in some files: a pause between two of them that lasts as long as one
//! at an end counts as a cut, and cannot be told from it.

#[path = "recordings/mod.rs"]
mod recordings;

use std::path::Path;

use frontdesk::dialog::Expect;
use frontdesk::media::{self, FRAME_MS, Frame};
use frontdesk::models;
use frontdesk::speech::{Heard, Listener, ListenerSettings, TURN_MODEL, TurnId, TurnModel};

/// From a pause to its text, and from the question to the turn model's word, ms.
const READING_MS: u64 = 150;
const JUDGING_MS: u64 = 80;
/// At most so many files of a folder, spread over it.
const MOST: usize = 60;
const RATE: u32 = 8_000;

fn main() {
    let folders = recordings::folders();
    if folders.is_empty() {
        println!("which recordings? cargo bench --bench turns -- FOLDER ...");
        return;
    }
    let model = TurnModel::load(&models::file(TURN_MODEL).expect("the turn model")).expect("the turn model loads");
    let mut sentences = Vec::new();
    for folder in &folders {
        let files = recordings::gather([folder]);
        let step = files.len().div_ceil(MOST).max(1);
        sentences.extend(files.iter().step_by(step).filter_map(|file| Sentence::read(file)));
    }
    let choice = Expect::Choice { phrases: Vec::new() };
    for (name, expect) in
        [("yes-no", Expect::YesNo), ("choice", choice), ("request", Expect::Request), ("free", Expect::Free)]
    {
        let (mut waits, mut cut) = (Vec::new(), 0);
        for sentence in &sentences {
            match sentence.heard(&model, &expect) {
                Some(ended_ms) if ended_ms < sentence.end_ms => cut += 1,
                Some(ended_ms) => waits.push(ended_ms - sentence.end_ms),
                None => {}
            }
        }
        waits.sort_unstable();
        let at = |percent: usize| waits.get(waits.len() * percent / 100).copied().unwrap_or_default();
        let n = sentences.len();
        println!(
            "FIGURE 3.3-turn-end-{name}-median {} ms -- from the end of speech to the end of the turn, no delay of the line, {n} sentences",
            at(50)
        );
        println!("FIGURE 3.3-turn-end-{name}-p95 {} ms -- the same, 95 of 100", at(95));
        println!(
            "FIGURE 3.3-turn-cut-{name} {:.1} % -- of these taken to be over at a pause within",
            100.0 * cut as f64 / n as f64
        );
    }
}

struct Sentence {
    frames: Vec<Frame>,
    /// Its last 20 ms within 30 dB of the loudest.
    end_ms: u64,
}

impl Sentence {
    fn read(file: &Path) -> Option<Self> {
        let sound = media::file::read(file).ok()?;
        let speech = media::telephone_channel(&sound.samples, sound.rate);
        let seconds = speech.len() as f32 / RATE as f32;
        if !(1.0..14.0).contains(&seconds) {
            return None;
        }
        let all: Vec<i16> = std::iter::repeat_n(0, 4_800).chain(speech).chain(std::iter::repeat_n(0, 24_000)).collect();
        let frames: Vec<Frame> = all
            .chunks_exact((RATE / 1_000 * FRAME_MS) as usize)
            .map(|samples| Frame::from_samples(RATE, samples))
            .collect();
        let power = |frame: &Frame| frame.samples().iter().map(|&s| f64::from(s).powi(2)).sum::<f64>();
        let loudest = frames.iter().map(power).fold(0.0, f64::max);
        let last = frames.iter().rposition(|frame| power(frame) > loudest * 0.001)?;
        Some(Self { frames, end_ms: (last as u64 + 1) * u64::from(FRAME_MS) })
    }

    /// When its first turn ended.
    fn heard(&self, model: &TurnModel, expect: &Expect) -> Option<u64> {
        let mut listener = Listener::new(ListenerSettings::default());
        listener.expect(expect.clone());
        let mut read: Option<(u64, TurnId)> = None;
        let mut judged: Option<(u64, TurnId, f32)> = None;
        for (n, frame) in self.frames.iter().enumerate() {
            let now_ms = n as u64 * u64::from(FRAME_MS);
            let (text, word) = (read.take_if(|(due, _)| *due <= now_ms), judged.take_if(|(due, ..)| *due <= now_ms));
            let answers = [
                text.and_then(|(_, id)| listener.meaning(id, None)),
                word.and_then(|(_, id, probability)| listener.turn_probability(id, probability)),
            ];
            for event in answers.into_iter().flatten().chain(listener.hear(now_ms, frame)) {
                match event {
                    Heard::Paused { id, .. } => read = Some((now_ms + READING_MS, id)),
                    Heard::Lasting { turn, id } => {
                        judged = model.probability(&turn).map(|p| (now_ms + JUDGING_MS, id, p));
                    }
                    Heard::TurnEnded { .. } => return Some(now_ms + u64::from(FRAME_MS)),
                    _ => {}
                }
            }
        }
        None
    }
}

//! Labelled recordings, heard: decoded, carried over telephone lines, turned into features, on all cores. What cannot
//! be read or holds too little speech is named, not passed over in silence.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use rand::rngs::Xoshiro256PlusPlus;
use rand::{SeedableRng, seq::SliceRandom};

use super::degrade::{self, Line};
use super::labels::Label;
use super::{Encoder, Extractor, Features, Timbre};
use crate::media;

/// One recording as one line carried it.
#[derive(Clone, Debug)]
pub struct Clip {
    /// Which of the labels.
    pub label: usize,
    /// Which of that label's lines.
    pub line: usize,
    pub features: Features,
}

/// Recordings heard, in the labels' order, and those that could not be, with the reason.
#[derive(Clone, Debug, Default)]
pub struct Heard {
    pub clips: Vec<Clip>,
    pub unheard: Vec<(usize, String)>,
}

/// How recordings are heard.
pub struct Hearing<'a> {
    /// The lines that a recording is sent over, at least one.
    pub lines: &'a (dyn Fn(&Label) -> Vec<Line> + Sync),
    /// Who is heard in the background of a babble.
    pub crowd: &'a Crowd,
    pub seed: u64,
    /// At least 1.
    pub threads: usize,
}

impl Hearing<'_> {
    /// Hears all `labels`; `told` is called after each.
    pub fn hear(&self, labels: &[Label], told: &(dyn Fn() + Sync)) -> Heard {
        let next = AtomicUsize::new(0);
        let all = Mutex::new(Heard::default());
        std::thread::scope(|scope| {
            for _ in 0..self.threads.max(1) {
                scope.spawn(|| {
                    let mut encoder = Encoder::new();
                    loop {
                        let number = next.fetch_add(1, Ordering::Relaxed);
                        let Some(label) = labels.get(number) else { break };
                        let heard = self.one(number, label, &mut encoder);
                        let mut all = all.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
                        match heard {
                            Ok(clips) => all.clips.extend(clips),
                            Err(why) => all.unheard.push((number, why)),
                        }
                        drop(all);
                        told();
                    }
                });
            }
        });
        let mut all = all.into_inner().unwrap_or_else(|poisoned| poisoned.into_inner());
        all.clips.sort_by_key(|clip| (clip.label, clip.line));
        all.unheard.sort();
        all
    }

    fn one(&self, number: usize, label: &Label, encoder: &mut Encoder) -> Result<Vec<Clip>, String> {
        let sound = media::file::read(&label.file).map_err(|error| error.to_string())?;
        let narrow = media::resample(&sound.samples, sound.rate, degrade::RATE);
        let others = self.crowd.without(&label.person());
        let clips: Vec<Clip> = (self.lines)(label)
            .iter()
            .enumerate()
            .filter_map(|(line, damage)| {
                let seed = self.seed ^ ((number as u64) << 8) ^ line as u64;
                let carried = damage.carry(&narrow, degrade::RATE, &others, seed);
                Some(Clip { label: number, line, features: features(&carried, encoder)? })
            })
            .collect();
        // A damaged copy may lose its speech; the recording itself must have some.
        if clips.is_empty() { Err(format!("{} holds too little speech", label.file.display())) } else { Ok(clips) }
    }
}

/// Features of a whole recording of one utterance at 8 kHz; `None` when it holds too little speech.
pub fn features(samples: &[i16], encoder: &mut Encoder) -> Option<Features> {
    let mut extractor = Extractor::new();
    extractor.push(samples);
    Some(encoder.features(&extractor.heard(true)?, &mut Timbre::default()))
}

/// Voices for a babble.
#[derive(Clone, Debug, Default)]
pub struct Crowd(Vec<(String, Vec<i16>)>);

impl Crowd {
    /// As many recordings as make a varied babble, of as many people as there are.
    const SIZE: usize = 48;

    /// Draws from `labels`; files that cannot be read are left out.
    pub fn of(labels: &[Label], seed: u64) -> Self {
        let mut drawn: Vec<&Label> = labels.iter().collect();
        drawn.shuffle(&mut Xoshiro256PlusPlus::seed_from_u64(seed));
        let mut count = std::collections::HashMap::new();
        // Everyone's first recording comes before anyone's second.
        let mut ranked: Vec<(usize, &Label)> = drawn
            .into_iter()
            .map(|label| {
                let rank = count.entry(label.person()).or_insert(0usize);
                *rank += 1;
                (*rank, label)
            })
            .collect();
        ranked.sort_by_key(|(rank, _)| *rank);
        let voices = ranked.into_iter().take(Self::SIZE).filter_map(|(_, label)| {
            let sound = media::file::read(&label.file).ok()?;
            Some((label.person(), media::resample(&sound.samples, sound.rate, degrade::RATE)))
        });
        Self(voices.collect())
    }

    /// Everybody but one; nobody (and so synthetic talkers) when fewer than three recordings would be left.
    fn without(&self, person: &str) -> Vec<&[i16]> {
        let others: Vec<&[i16]> = self.0.iter().filter(|(who, _)| who != person).map(|(_, voice)| &voice[..]).collect();
        if others.len() < 3 { Vec::new() } else { others }
    }
}

//! The timbre of a voice: how the first layer of a speech recogniser's encoder answers to it, mean and spread over what
//! was said. The layer is Smart Turn's (BSD-2, by Daily), which began as Whisper tiny's (MIT); `scripts/emotion_encoder.py`
//! cuts it out. Early layers hear the manner of speaking, late ones the words (Pasad et al. 2021).
//!
//! It hears a second at a time, each brought to the same loudness: what was heard once is kept as sums, so that it costs the
//! same however long a caller speaks.

use std::collections::VecDeque;
use std::sync::Arc;

use rten::{Model, RunOptions, ThreadPool};
use rten_tensor::NdTensor;
use rten_tensor::prelude::*;
use rustfft::num_complex::Complex32;
use rustfft::{Fft, FftPlanner};

use super::Features;
use super::features::{HOP, Heard, KEPT};
use crate::models::import::mel_filters;

/// Numbers the layer gives every 20 ms.
const STATES: usize = 384;
/// How many figures tell the timbre: means, then spreads.
pub const TIMBRE: usize = 2 * STATES;
/// Frames of 10 ms the layer hears at once, and steps of 20 ms it answers with.
pub(super) const SECOND: usize = 100;
pub(super) const STEPS: usize = SECOND / 2;
/// Samples of a frame: 25 ms.
const WINDOW: usize = 200;
/// Samples that the frames of a second look at.
pub(super) const SOUND: usize = (SECOND - 1) * HOP + WINDOW;
const BINS: usize = WINDOW / 2 + 1;
const MELS: usize = 80;
/// The loudest band of a second is put here (log10), and no band is further below it than this.
const LOUDEST: f32 = 2.0;
const DEEPEST: f32 = 8.0;

/// A second of sound or less, and which steps of it are speech.
#[derive(Clone)]
pub(super) struct Second {
    pub samples: Box<[i16]>,
    pub speech: [bool; STEPS],
}

/// The layer, ready to run. Each thread wants one of its own.
pub struct Encoder {
    layer: Model,
    options: RunOptions,
    fft: Arc<dyn Fft<f32>>,
    window: [f32; WINDOW],
    /// Per band: first bin and the weights from there.
    bands: Vec<(usize, Vec<f32>)>,
    spectrum: Vec<Complex32>,
    scratch: Vec<Complex32>,
}

/// What was heard of an utterance so far, second by second.
#[derive(Clone, Debug, Default)]
pub struct Timbre {
    seconds: VecDeque<Sums>,
}

/// Sums of the steps that are speech.
#[derive(Clone)]
struct Sums {
    steps: f32,
    /// Of the values, then of their squares.
    sums: Box<[f32; TIMBRE]>,
}

impl Default for Encoder {
    fn default() -> Self {
        Self::new()
    }
}

impl Encoder {
    pub fn new() -> Self {
        let bytes = include_bytes!("../../models/emotion-encoder.onnx");
        // Ours, and tested.
        let layer = Model::load_static_slice(bytes).expect("the encoder that ships is whole");
        let threads = Arc::new(ThreadPool::with_num_threads(1));
        let fft = FftPlanner::new().plan_fft_forward(WINDOW);
        let turn = std::f32::consts::TAU / WINDOW as f32;
        Self {
            layer,
            options: RunOptions::default().with_thread_pool(Some(threads)),
            scratch: vec![Complex32::default(); fft.get_inplace_scratch_len()],
            fft,
            window: std::array::from_fn(|i| 0.5 - 0.5 * (turn * i as f32).cos()),
            // Whisper's bands at 16 kHz: 40 Hz a bin in 400 samples, as in 200 at 8 kHz; nothing is above 4 kHz.
            bands: mel_filters(MELS).chunks(2 * (BINS - 1) + 1).map(|row| band(&row[..BINS])).collect(),
            spectrum: vec![Complex32::default(); WINDOW],
        }
    }

    /// The figures of a voice and its timbre: the seconds that are new go into `timbre`, which is an utterance's own.
    pub fn features(&mut self, heard: &Heard, timbre: &mut Timbre) -> Features {
        for second in &heard.seconds {
            if timbre.seconds.len() == KEPT / SECOND {
                timbre.seconds.pop_front();
            }
            let sums = self.hear(second);
            timbre.seconds.push_back(sums);
        }
        let rest = heard.rest.as_ref().map(|second| self.hear(second));
        let older = timbre.seconds.len().saturating_sub(heard.whole);
        let (mut steps, mut sums) = (0.0, [0.0; TIMBRE]);
        for part in timbre.seconds.iter().skip(older).chain(&rest) {
            steps += part.steps;
            sums.iter_mut().zip(part.sums.iter()).for_each(|(sum, part)| *sum += part);
        }
        if steps > 0.0 {
            let (means, squares) = sums.split_at_mut(STATES);
            for (mean, square) in means.iter_mut().zip(squares) {
                *mean /= steps;
                *square = (*square / steps - *mean * *mean).max(0.0).sqrt();
            }
        }
        Features::new(&heard.figures, &sums)
    }

    fn hear(&mut self, second: &Second) -> Sums {
        let mut out = Sums { steps: 0.0, sums: Box::new([0.0; TIMBRE]) };
        let mels = NdTensor::from_data([1, MELS, SECOND], self.mels(&second.samples));
        let states = self.layer.run_one(mels.view().into(), Some(self.options.clone()));
        let Some(states) = states.ok().and_then(|states| NdTensor::<f32, 3>::try_from(states).ok()) else { return out };
        let Some(states) = states.data() else { return out };
        for (state, _) in states.chunks_exact(STATES).zip(second.speech).filter(|(_, speech)| *speech) {
            let (sums, squares) = out.sums.split_at_mut(STATES);
            for ((sum, square), value) in sums.iter_mut().zip(squares).zip(state) {
                *sum += value;
                *square += value * value;
            }
            out.steps += 1.0;
        }
        out
    }

    /// Log-mel bands as Whisper's, band by band; frames that are not there are silence.
    fn mels(&mut self, samples: &[i16]) -> Vec<f32> {
        let frames = if samples.len() < WINDOW { 0 } else { ((samples.len() - WINDOW) / HOP + 1).min(SECOND) };
        let mut out = vec![f32::NEG_INFINITY; MELS * SECOND];
        let mut loudest = f32::NEG_INFINITY;
        // The transform is complex and the sound is not: two frames go through at once.
        for frame in (0..frames).step_by(2) {
            let second = (frame + 1).min(frames - 1);
            for (i, slot) in self.spectrum.iter_mut().enumerate() {
                let sample = |frame: usize| self.window[i] * f32::from(samples[frame * HOP + i]) / 32_768.0;
                *slot = Complex32::new(sample(frame), sample(second));
            }
            self.fft.process_with_scratch(&mut self.spectrum, &mut self.scratch);
            for (row, (first, weights)) in self.bands.iter().enumerate() {
                let mut sums = [0f32; 2];
                for (bin, weight) in (*first..).zip(weights) {
                    let (a, b) = (self.spectrum[bin], self.spectrum[(WINDOW - bin) % WINDOW].conj());
                    sums[0] += weight * ((a + b) * 0.5).norm_sqr();
                    sums[1] += weight * ((a - b) * 0.5).norm_sqr();
                }
                for (at, sum) in [frame, second].into_iter().zip(sums) {
                    let log = sum.max(1e-10).log10();
                    out[row * SECOND + at] = log;
                    loudest = loudest.max(log);
                }
            }
        }
        let shift = LOUDEST - loudest;
        out.iter_mut().for_each(|log| *log = ((*log + shift).max(LOUDEST - DEEPEST) + 4.0) / 4.0);
        out
    }
}

impl std::fmt::Debug for Encoder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Encoder")
    }
}

impl std::fmt::Debug for Sums {
    // Never the sums: a caller's voice is personal data.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} steps", self.steps)
    }
}

impl std::fmt::Debug for Second {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} samples", self.samples.len())
    }
}

fn band(row: &[f32]) -> (usize, Vec<f32>) {
    let first = row.iter().position(|&w| w > 0.0).unwrap_or(0);
    let last = row.iter().rposition(|&w| w > 0.0).map_or(0, |last| last + 1);
    (first, row.get(first..last).unwrap_or_default().to_vec())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::emotion::{Extractor, FEATURES};
    use crate::media;

    fn voice() -> Vec<i16> {
        let sound = media::file::read("audio_fixtures/pocketsphinx/librivox-0880.wav").unwrap();
        media::telephone_channel(&sound.samples, sound.rate)
    }

    fn timbre(features: &Features) -> &[f32] {
        &features.values[FEATURES - TIMBRE..]
    }

    fn distance(a: &Features, b: &Features) -> f32 {
        let squares: f32 = timbre(a).iter().zip(timbre(b)).map(|(a, b)| (a - b).powi(2)).sum();
        (squares / TIMBRE as f32).sqrt()
    }

    #[test]
    fn a_voice_heard_in_pieces_or_louder_has_the_same_timbre_and_another_has_not() {
        let mut encoder = Encoder::new();
        let voice = &voice();
        let whole = |encoder: &mut Encoder, voice: &[i16]| {
            let mut extractor = Extractor::new();
            extractor.push(voice);
            encoder.features(&extractor.heard(true).unwrap(), &mut Timbre::default())
        };
        let once = whole(&mut encoder, voice);
        let (mut extractor, mut kept, mut last) = (Extractor::new(), Timbre::default(), None);
        for frame in voice.chunks(160) {
            extractor.push(frame);
            if extractor.speech_ms() % 700 == 0 {
                last = extractor.heard(false).map(|heard| encoder.features(&heard, &mut kept)).or(last);
            }
        }
        last = extractor.heard(true).map(|heard| encoder.features(&heard, &mut kept)).or(last);
        let louder: Vec<i16> = voice.iter().map(|s| s.saturating_mul(2)).collect();
        let rougher: Vec<i16> = voice.iter().scan(0, |b, &s| Some(s.saturating_sub(std::mem::replace(b, s)))).collect();
        let (pieces, louder) = (last.unwrap(), whole(&mut encoder, &louder));
        let bright = whole(&mut encoder, &rougher);
        let far = distance(&once, &bright);
        assert!(distance(&once, &pieces) < far / 5.0, "{} {far}", distance(&once, &pieces));
        assert!(distance(&once, &louder) < far / 5.0, "{} {far}", distance(&once, &louder));
        assert!(timbre(&once).iter().all(|value| value.is_finite()) && far > 0.01);
    }

    #[test]
    fn silence_and_scraps_break_nothing() {
        let mut encoder = Encoder::new();
        for samples in [vec![], vec![0; 100], vec![0; SOUND], vec![i16::MIN; SOUND]] {
            let sums = encoder.hear(&Second { samples: samples.into(), speech: [true; STEPS] });
            assert!(sums.sums.iter().all(|sum| sum.is_finite()) && sums.steps == STEPS as f32);
        }
    }
}

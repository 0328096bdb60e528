//! Is the turn over? Smart Turn v3.2 (BSD-2, by Daily) on the last 8 s of sound, run by `rten` on one thread.
//!
//! It hears intonation and words, not the length of the silence; `listener` weighs it together with that.

use std::path::Path;
use std::sync::Arc;

use rten::{Model, RunOptions, ThreadPool};
use rten_tensor::NdTensor;
use rten_tensor::prelude::*;

use super::cpu::cores;
use super::mel::LogMel;
use super::pool::{Overloaded, Pending, Pool, Work};
use super::samples::Samples;
use crate::models;

/// Name of the installed model.
pub const TURN_MODEL: &str = "smart-turn-v3.2.onnx";
/// Samples the model hears: 8 s at 16 kHz.
const SAMPLES: usize = 8 * 16_000;
const MELS: usize = 80;

#[derive(Debug, thiserror::Error)]
pub enum TurnError {
    #[error(transparent)]
    Missing(#[from] models::Error),
    #[error("the turn model does not load: {0}")]
    Load(String),
}

/// A word took 160 ms on one thread and 57 on two; more than a few would only be in others' way.
const MOST_THREADS: usize = 4;

/// The loaded model.
pub struct TurnModel {
    model: Model,
    mel: LogMel,
    options: RunOptions,
}

impl TurnModel {
    pub fn load(path: &Path) -> Result<Self, TurnError> {
        let model = Model::load_file(path).map_err(|e| TurnError::Load(e.to_string()))?;
        let threads = Arc::new(ThreadPool::with_num_threads(cores().min(MOST_THREADS)));
        Ok(Self { model, mel: LogMel::new(MELS), options: RunOptions::default().with_thread_pool(Some(threads)) })
    }

    /// How likely the speaker has finished, 0..=1, by the last 8 s of `audio` (16 kHz mono, full scale 1.0) which end
    /// with the pause. `None` when the model breaks on it.
    pub fn probability(&self, audio: &[f32]) -> Option<f32> {
        let features = NdTensor::from_data([1, MELS, SAMPLES / 160], self.features(audio));
        let out = self.model.run_one(features.view().into(), Some(self.options.clone())).ok()?;
        let out: rten_tensor::Tensor<f32> = out.try_into().ok()?;
        out.iter().next().copied().filter(|p| p.is_finite())
    }

    /// As upstream: silence in front to 8 s, zero mean and unit variance, log-mel.
    fn features(&self, audio: &[f32]) -> Vec<f32> {
        let audio = &audio[audio.len().saturating_sub(SAMPLES)..];
        let mut padded = vec![0f32; SAMPLES - audio.len()];
        padded.extend(audio);
        let mean = padded.iter().map(|&s| f64::from(s)).sum::<f64>() / SAMPLES as f64;
        let variance = padded.iter().map(|&s| (f64::from(s) - mean).powi(2)).sum::<f64>() / SAMPLES as f64;
        let scale = 1.0 / (variance + 1e-7).sqrt();
        padded.iter_mut().for_each(|s| *s = ((f64::from(*s) - mean) * scale) as f32);
        self.mel.features(&padded)
    }
}

/// The turn model on its own thread, for all calls. A full queue means that silence alone decides.
pub struct TurnJudge {
    pool: Pool<Samples, f32>,
}

impl TurnJudge {
    /// Starts the installed model on one thread with `queue` places to wait.
    pub fn installed(queue: usize) -> Result<Self, TurnError> {
        Self::open(&models::file(TURN_MODEL)?, queue)
    }

    pub fn open(path: &Path, queue: usize) -> Result<Self, TurnError> {
        let model = Arc::new(TurnModel::load(path)?);
        let pool = Pool::start("turn", 1, queue, move || {
            let model = model.clone();
            let work: Work<Samples, f32> = Box::new(move |audio, _| model.probability(&audio));
            Ok::<_, TurnError>(work)
        })?;
        Ok(Self { pool })
    }

    /// How likely the turn that pauses here is over; for `Listener::turn_probability`.
    pub fn judge(&self, audio: Samples) -> Result<Pending<f32>, Overloaded> {
        self.pool.submit(audio)
    }
}

//! Recorded prompts: any file that `media` reads (wav, mp3, ogg, flac).

use super::VoiceError;
use crate::media::{self, file};

/// Samples (mono, full scale 1.0) and their rate.
pub fn read(path: &str) -> Result<(Vec<f32>, u32), VoiceError> {
    let sound = file::read(path).map_err(|error| VoiceError::Recording { path: path.into(), reason: reason(error) })?;
    Ok((sound.samples.iter().map(|&sample| f32::from(sample) / 32_768.0).collect(), sound.rate))
}

/// The error without the path, which ours names already.
fn reason(error: media::Error) -> String {
    match error {
        media::Error::Open { source, .. } => source.to_string(),
        media::Error::Format { why, .. } => why,
        media::Error::Empty { .. } => "it holds no sound".into(),
        other => other.to_string(),
    }
}

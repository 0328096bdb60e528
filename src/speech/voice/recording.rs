//! Recorded prompts.

use super::VoiceError;

/// Samples (mono, full scale 1.0) and their rate.
pub fn read(path: &str) -> Result<(Vec<f32>, u32), VoiceError> {
    let failed = |error: hound::Error| VoiceError::Recording { path: path.into(), reason: error.to_string() };
    let mut reader = hound::WavReader::open(path).map_err(failed)?;
    let spec = reader.spec();
    let all: Result<Vec<f32>, _> = match spec.sample_format {
        hound::SampleFormat::Float => reader.samples::<f32>().collect(),
        hound::SampleFormat::Int => {
            let full = (1i64 << (spec.bits_per_sample - 1)) as f32;
            reader.samples::<i32>().map(|sample| Ok(sample? as f32 / full)).collect()
        }
    };
    let all = all.map_err(failed)?;
    let channels = usize::from(spec.channels.max(1));
    Ok((
        all.chunks_exact(channels).map(|frame| frame.iter().sum::<f32>() / channels as f32).collect(),
        spec.sample_rate,
    ))
}

//! Reading audio files.

use std::path::Path;

/// A whole recording, mono.
pub struct Sound {
    pub rate: u32,
    pub samples: Vec<i16>,
}

pub fn read(path: &Path) -> Result<Sound, hound::Error> {
    let mut reader = hound::WavReader::open(path)?;
    let spec = reader.spec();
    let all = reader.samples::<i16>().collect::<Result<Vec<_>, _>>()?;
    let samples = all.chunks(spec.channels.into()).map(|c| c[0]).collect();
    Ok(Sound { rate: spec.sample_rate, samples })
}

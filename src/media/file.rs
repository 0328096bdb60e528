//! Sound files in (wav with PCM, G.711 or ADPCM inside, flac, mp3, ogg vorbis; any rate, any channels), by the
//! crate `symphonia`.

use std::{fs::File, path::Path};

use symphonia::core::{
    audio::GenericAudioBufferRef,
    codecs::audio::AudioDecoderOptions,
    errors::Error as SymphoniaError,
    formats::{FormatOptions, TrackType, probe::Hint},
    io::MediaSourceStream,
    meta::MetadataOptions,
};

use super::Error;

/// A recording.
#[derive(Clone, PartialEq, Eq)]
pub struct Sound {
    /// Samples a second, above 0.
    pub rate: u32,
    /// Mono.
    pub samples: Vec<i16>,
}

impl Sound {
    /// Duration in ms.
    pub fn ms(&self) -> u64 {
        self.samples.len() as u64 * 1_000 / u64::from(self.rate.max(1))
    }

    /// The same sound at another rate (above 0).
    pub fn at_rate(&self, rate: u32) -> Sound {
        Sound { rate, samples: super::resample(&self.samples, self.rate, rate) }
    }
}

impl std::fmt::Debug for Sound {
    // Never the samples: a caller's voice is personal data.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Sound({} Hz, {} ms)", self.rate, self.ms())
    }
}

/// Reads a file, its channels mixed to one.
pub fn read(path: impl AsRef<Path>) -> Result<Sound, Error> {
    decode(path.as_ref(), None)
}

/// Reads one channel of a file: 0 is the caller's side of our recordings, 1 the other.
pub fn read_channel(path: impl AsRef<Path>, channel: usize) -> Result<Sound, Error> {
    decode(path.as_ref(), Some(channel))
}

fn decode(path: &Path, channel: Option<usize>) -> Result<Sound, Error> {
    let file = File::open(path).map_err(|source| Error::Open { path: path.into(), source })?;
    if file.metadata().is_ok_and(|data| data.is_dir()) {
        return Err(Error::Format { path: path.into(), why: "it is a folder".into() });
    }
    let broken = |why: String| Error::Format { path: path.into(), why };
    let mut hint = Hint::new();
    if let Some(extension) = path.extension().and_then(|extension| extension.to_str()) {
        hint.with_extension(extension);
    }
    let stream = MediaSourceStream::new(Box::new(file), Default::default());
    let mut format = symphonia::default::get_probe()
        .probe(&hint, stream, FormatOptions::default(), MetadataOptions::default())
        .map_err(|error| broken(error.to_string()))?;
    let track = format.default_track(TrackType::Audio).ok_or_else(|| broken("it has no sound track".into()))?;
    let track_id = track.id;
    let parameters = track
        .codec_params
        .as_ref()
        .and_then(|parameters| parameters.audio())
        .ok_or_else(|| broken("it does not say how its sound is coded".into()))?;
    let mut decoder = symphonia::default::get_codecs()
        .make_audio_decoder(parameters, &AudioDecoderOptions::default())
        .map_err(|error| broken(error.to_string()))?;

    let mut sound = Sound { rate: 0, samples: Vec::new() };
    let mut interleaved: Vec<f32> = Vec::new();
    let mut damage = None;
    loop {
        let packet = match format.next_packet() {
            Ok(Some(packet)) => packet,
            Ok(None) => break,
            // A file cut short (a recording whose writer was killed) is worth what it holds.
            Err(SymphoniaError::IoError(error)) if error.kind() == std::io::ErrorKind::UnexpectedEof => break,
            Err(error) => {
                damage = Some(error.to_string());
                break;
            }
        };
        if packet.track_id != track_id {
            continue;
        }
        match decoder.decode(&packet) {
            Ok(buffer) => take(path, &buffer, channel, &mut interleaved, &mut sound)?,
            Err(SymphoniaError::DecodeError(why)) => damage = Some(why.to_string()),
            Err(error) => return Err(broken(error.to_string())),
        }
    }
    match (sound.samples.is_empty(), damage) {
        (false, _) => Ok(sound),
        (true, Some(why)) => Err(broken(why)),
        (true, None) => Err(Error::Empty { path: path.into() }),
    }
}

fn take(
    path: &Path,
    buffer: &GenericAudioBufferRef<'_>,
    channel: Option<usize>,
    interleaved: &mut Vec<f32>,
    sound: &mut Sound,
) -> Result<(), Error> {
    let channels = buffer.num_planes();
    if buffer.frames() == 0 || channels == 0 {
        return Ok(());
    }
    if let Some(wanted) = channel.filter(|&wanted| wanted >= channels) {
        return Err(Error::Channel { path: path.into(), channels, wanted });
    }
    let rate = buffer.spec().rate();
    if rate == 0 || (sound.rate != 0 && sound.rate != rate) {
        return Err(Error::Format { path: path.into(), why: "its sample rate is zero or changes".into() });
    }
    sound.rate = rate;
    interleaved.resize(buffer.samples_interleaved(), 0.0);
    buffer.copy_to_slice_interleaved(&mut interleaved[..]);
    sound.samples.extend(interleaved.chunks_exact(channels).map(|frame| {
        let sample = match channel {
            Some(channel) => frame[channel],
            None => frame.iter().sum::<f32>() / channels as f32,
        };
        (sample * 32_768.0).round() as i16 // `as` saturates
    }));
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_say_what_is_wrong() {
        let dir = tempfile::tempdir().unwrap();
        let path = |name: &str| dir.path().join(name);
        let said = |path: &Path| read(path).unwrap_err().to_string();
        assert!(said(&path("none.wav")).contains("cannot open"));
        assert!(said(dir.path()).contains("folder"));
        std::fs::write(path("text.wav"), "this is no sound, just words. ".repeat(200)).unwrap();
        assert!(said(&path("text.wav")).contains("no sound file that frontdesk reads"));
        std::fs::write(path("zero.mp3"), []).unwrap();
        assert!(matches!(read(path("zero.mp3")), Err(Error::Format { .. })));
        let spec = hound::WavSpec {
            channels: 1,
            sample_rate: 8_000,
            bits_per_sample: 16,
            sample_format: hound::SampleFormat::Int,
        };
        hound::WavWriter::create(path("empty.wav"), spec).unwrap().finalize().unwrap();
        assert!(matches!(read(path("empty.wav")), Err(Error::Empty { .. })));
    }

    #[test]
    fn bits_and_channels_of_wav_files() {
        let dir = tempfile::tempdir().unwrap();
        for (bits, channels) in [(8, 1), (16, 1), (16, 2), (24, 2), (32, 6)] {
            let path = dir.path().join(format!("{bits}-{channels}.wav"));
            let spec = hound::WavSpec {
                channels,
                sample_rate: 22_050,
                bits_per_sample: bits,
                sample_format: hound::SampleFormat::Int,
            };
            let mut writer = hound::WavWriter::create(&path, spec).unwrap();
            // A quarter of full scale in the first channel, silence in the others.
            for _ in 0..100 {
                for channel in 0..channels {
                    writer.write_sample(if channel == 0 { 1i32 << (bits - 3) } else { 0 }).unwrap();
                }
            }
            writer.finalize().unwrap();
            let sound = read(&path).unwrap();
            assert_eq!((sound.rate, sound.samples.len()), (22_050, 100));
            let quarter = f64::from(8_192 / i32::from(channels as i16));
            assert!((f64::from(sound.samples[50]) - quarter).abs() <= 1.0, "{bits} bits, {channels} channels");
            assert_eq!(read_channel(&path, 0).unwrap().samples[50], 8_192);
            assert!(matches!(read_channel(&path, 6), Err(Error::Channel { wanted: 6, .. })));
        }
    }
}

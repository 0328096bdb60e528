//! Sound as it flows through a call: frames, codecs, buffers, tones, files. Knows nothing of calls.

pub mod file;
mod frame;
mod port;

pub use frame::{FRAME_MS, Frame, MAX_SAMPLES};
pub use port::{Key, Port, Quality, Received};

pub fn resample(samples: &[i16], from: u32, to: u32) -> Vec<i16> {
    if from == to { samples.to_vec() } else { audio_codec::resample(samples, from, to) }
}

pub fn telephone_channel(samples: &[i16], rate: u32) -> Vec<i16> {
    use audio_codec::{Decoder, Encoder, pcmu};
    let coded = pcmu::PcmuEncoder::new().encode(&resample(samples, rate, 8000));
    pcmu::PcmuDecoder::new().decode(&coded)
}

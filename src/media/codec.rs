//! Line codecs: G.711 mu-law and A-law (ITU-T G.711), by the crate `audio-codec`, whose slice calls
//! allocate nothing. Only its A-law encoder is replaced: it rounds negative samples 8 too high and turns -8..=-1
//! positive. An encoder or decoder is a value of its own because later codecs (G.722, Opus) have memory.

use audio_codec::{
    Decoder as _, Encoder as _,
    pcma::PcmaDecoder,
    pcmu::{PcmuDecoder, PcmuEncoder},
};

/// How sound travels on a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Codec {
    /// G.711 mu-law.
    Pcmu,
    /// G.711 A-law.
    Pcma,
}

impl Codec {
    /// Every codec we speak, best liked first.
    pub const ALL: [Codec; 2] = [Codec::Pcmu, Codec::Pcma];

    /// The static RTP payload type (RFC 3551, table 4).
    pub fn payload_type(self) -> u8 {
        match self {
            Codec::Pcmu => 0,
            Codec::Pcma => 8,
        }
    }

    /// The encoding name in SDP (RFC 3551).
    pub fn name(self) -> &'static str {
        match self {
            Codec::Pcmu => "PCMU",
            Codec::Pcma => "PCMA",
        }
    }

    /// RTP timestamp units a second.
    pub fn clock_rate(self) -> u32 {
        8_000
    }

    /// Samples a second of the sound inside.
    pub fn rate(self) -> u32 {
        8_000
    }

    /// The codec of a static payload type.
    pub fn from_payload_type(payload_type: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|codec| codec.payload_type() == payload_type)
    }

    /// The codec of an SDP `rtpmap` name (any case) and clock rate.
    pub fn from_name(name: &str, clock_rate: u32) -> Option<Self> {
        Self::ALL.into_iter().find(|codec| codec.name().eq_ignore_ascii_case(name) && codec.clock_rate() == clock_rate)
    }

    /// Samples that `bytes` of payload become.
    pub fn samples(self, bytes: usize) -> usize {
        match self {
            Codec::Pcmu | Codec::Pcma => bytes,
        }
    }

    pub fn encoder(self) -> Encoder {
        match self {
            Codec::Pcmu => Encoder::Pcmu(PcmuEncoder::new()),
            Codec::Pcma => Encoder::Pcma,
        }
    }

    pub fn decoder(self) -> Decoder {
        match self {
            Codec::Pcmu => Decoder::Pcmu(PcmuDecoder::new()),
            Codec::Pcma => Decoder::Pcma(PcmaDecoder::new()),
        }
    }
}

/// Sound to payload. One per stream.
pub enum Encoder {
    Pcmu(PcmuEncoder),
    Pcma,
}

impl Encoder {
    /// Encodes `samples` (at the codec's rate) into the start of `payload`; gives the bytes written.
    /// What does not fit is left out: G.711 needs one byte a sample.
    pub fn encode(&mut self, samples: &[i16], payload: &mut [u8]) -> usize {
        let samples = &samples[..samples.len().min(payload.len())];
        match self {
            // With room made above, the only error (a short buffer) cannot happen.
            Encoder::Pcmu(encoder) => encoder.encode_into(samples, payload).unwrap_or(0),
            Encoder::Pcma => {
                for (byte, &sample) in payload.iter_mut().zip(samples) {
                    *byte = a_law(sample);
                }
                samples.len()
            }
        }
    }
}

/// Payload to sound. One per stream.
pub enum Decoder {
    Pcmu(PcmuDecoder),
    Pcma(PcmaDecoder),
}

impl Decoder {
    /// Decodes `payload` into the start of `samples`; gives the samples written, at the codec's rate.
    /// What does not fit is left out: G.711 needs one sample a byte.
    pub fn decode(&mut self, payload: &[u8], samples: &mut [i16]) -> usize {
        let payload = &payload[..payload.len().min(samples.len())];
        match self {
            Decoder::Pcmu(decoder) => decoder.decode_into(payload, samples).unwrap_or(0),
            Decoder::Pcma(decoder) => decoder.decode_into(payload, samples).unwrap_or(0),
        }
    }
}

/// A-law of a sample (G.711, table 1a): 12 bits of magnitude to a chord and 4 bits, every other bit inverted.
fn a_law(sample: i16) -> u8 {
    let (sign, magnitude) = if sample >= 0 { (0x80, sample >> 4) } else { (0, !sample >> 4) };
    let bits = 16 - magnitude.leading_zeros() as i16;
    let code = if bits < 5 { magnitude } else { ((bits - 4) << 4) | ((magnitude >> (bits - 5)) & 0x0f) };
    (sign | code as u8) ^ 0x55 // `code` is below 128
}

/// What a telephone line makes of a recording: 8 kHz, through mu-law and back. Samples of any rate in, 8 kHz out.
pub fn telephone_channel(samples: &[i16], rate: u32) -> Vec<i16> {
    let mut narrow = super::resample(samples, rate, 8_000);
    let mut payload = vec![0; narrow.len()];
    Codec::Pcmu.encoder().encode(&narrow, &mut payload);
    Codec::Pcmu.decoder().decode(&payload, &mut narrow);
    narrow
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Code words from ITU-T G.711, tables 1 and 2 (the 14 and 13 bit values of the tables, scaled to 16 bits).
    #[test]
    fn known_code_words() {
        let encode = |codec: Codec, sample: i16| {
            let mut byte = [0];
            codec.encoder().encode(&[sample], &mut byte);
            byte[0]
        };
        for (sample, byte) in [(0, 0xff), (32_124, 0x80), (-32_124, 0x00), (16_764, 0x8f), (-16_764, 0x0f), (132, 0xef)]
        {
            assert_eq!(encode(Codec::Pcmu, sample), byte, "mu-law of {sample}");
        }
        for (sample, byte) in [(8, 0xd5), (-8, 0x55), (32_256, 0xaa), (-32_256, 0x2a), (1_008, 0xfa)] {
            assert_eq!(encode(Codec::Pcma, sample), byte, "A-law of {sample}");
        }
    }

    #[test]
    fn every_code_word_survives_the_way_there_and_back() {
        for codec in Codec::ALL {
            let payload: Vec<u8> = (0..=255).collect();
            let (mut samples, mut again) = ([0; 256], [0; 256]);
            assert_eq!(codec.decoder().decode(&payload, &mut samples), 256);
            assert_eq!(codec.encoder().encode(&samples, &mut again), 256);
            for (&byte, &back) in payload.iter().zip(&again) {
                // mu-law has two zeros; the negative one comes back as the positive.
                assert!(byte == back || (codec == Codec::Pcmu && (byte, back) == (0x7f, 0xff)), "{codec:?} {byte:#x}");
            }
        }
    }

    #[test]
    fn names_and_payload_types_find_their_codec() {
        for codec in Codec::ALL {
            assert_eq!(Codec::from_payload_type(codec.payload_type()), Some(codec));
            assert_eq!(Codec::from_name(&codec.name().to_lowercase(), codec.clock_rate()), Some(codec));
        }
        assert_eq!(Codec::from_payload_type(9), None);
        assert_eq!(Codec::from_name("PCMU", 16_000), None);
    }

    #[test]
    fn a_telephone_line_keeps_the_voice_band_and_drops_the_rest() {
        let tone = |hz: f64| -> Vec<i16> {
            (0..48_000).map(|n| (10_000.0 * (n as f64 * hz * std::f64::consts::TAU / 48_000.0).sin()) as i16).collect()
        };
        let rms = |s: &[i16]| (s.iter().map(|&v| f64::from(v).powi(2)).sum::<f64>() / s.len() as f64).sqrt();
        let kept = telephone_channel(&tone(1_000.0), 48_000);
        assert_eq!(kept.len(), 8_000);
        assert!((rms(&kept[800..7_200]) / 7_071.0 - 1.0).abs() < 0.03);
        assert!(rms(&telephone_channel(&tone(6_000.0), 48_000)[800..7_200]) < 10.0);
    }

    #[test]
    fn every_sample_becomes_its_nearest_code_word() {
        for codec in Codec::ALL {
            let (mut encoder, mut decoder) = (codec.encoder(), codec.decoder());
            let codes: Vec<u8> = (0..=255).collect();
            let mut words = [0; 256];
            decoder.decode(&codes, &mut words);
            for sample in i16::MIN..=i16::MAX {
                let (mut byte, mut back) = ([0], [0]);
                encoder.encode(&[sample], &mut byte);
                decoder.decode(&byte, &mut back);
                let error = |word: i16| (i32::from(word) - i32::from(sample)).abs();
                let least = words.iter().map(|&word| error(word)).min().unwrap();
                // Where two chords meet, the decision value is not midway between their words.
                let slack = i32::from(sample).abs() / 40 + 1;
                assert!(error(back[0]) <= least + slack, "{codec:?}: {sample} becomes {}", back[0]);
                assert!(back[0] == 0 || (back[0] < 0) == (sample < 0), "{codec:?}: {sample} keeps its sign");
            }
        }
    }
}

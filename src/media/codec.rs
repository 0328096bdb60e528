//! Line codecs: G.711 mu-law and A-law, G.722, Opus. An encoder or decoder is a value of its own, one a stream:
//! G.722 and Opus have memory. Their slice calls allocate nothing.
//!
//! G.711 and G.722 by the crate `audio-codec`; only its A-law encoder is replaced: it rounds negative samples 8 too high
//! and turns -8..=-1 positive. Opus by libopus (crate `opus`), built from its bundled source: the pure Rust ones conceal
//! loss poorly or not at all. Opus runs at 16 kHz here: the recogniser hears no more, and no telephone sends more voice.

use audio_codec::{
    Decoder as _, Encoder as _,
    g722::{G722Decoder, G722Encoder},
    pcma::PcmaDecoder,
    pcmu::{PcmuDecoder, PcmuEncoder},
};
use serde::{Deserialize, Serialize};

/// How sound travels on a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Codec {
    /// G.711 mu-law.
    Pcmu,
    /// G.711 A-law.
    Pcma,
    /// G.722 at 64 kbit/s: 16 kHz sound, though its RTP clock is 8 kHz by an old mistake (RFC 3551, 4.5.2).
    G722,
    /// Opus (RFC 6716, RFC 7587): its RTP clock is 48 kHz whatever its sound.
    Opus,
}

impl Codec {
    /// Every codec we speak, best liked first.
    pub const ALL: [Codec; 4] = [Codec::Opus, Codec::G722, Codec::Pcmu, Codec::Pcma];

    /// The static RTP payload type (RFC 3551, table 4); Opus has none, so the one that most use.
    pub fn payload_type(self) -> u8 {
        match self {
            Codec::Pcmu => 0,
            Codec::Pcma => 8,
            Codec::G722 => 9,
            Codec::Opus => 111,
        }
    }

    /// The encoding name in SDP (RFC 3551, RFC 7587).
    pub fn name(self) -> &'static str {
        match self {
            Codec::Pcmu => "PCMU",
            Codec::Pcma => "PCMA",
            Codec::G722 => "G722",
            Codec::Opus => "opus",
        }
    }

    /// RTP timestamp units a second.
    pub fn clock_rate(self) -> u32 {
        match self {
            Codec::Opus => 48_000,
            _ => 8_000,
        }
    }

    /// Samples a second of the sound inside.
    pub fn rate(self) -> u32 {
        match self {
            Codec::Pcmu | Codec::Pcma => 8_000,
            Codec::G722 | Codec::Opus => 16_000,
        }
    }

    /// The codec of a static payload type.
    pub fn from_payload_type(payload_type: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|codec| *codec != Codec::Opus && codec.payload_type() == payload_type)
    }

    /// The codec of an SDP `rtpmap` name (any case) and clock rate.
    pub fn from_name(name: &str, clock_rate: u32) -> Option<Self> {
        Self::ALL.into_iter().find(|codec| codec.name().eq_ignore_ascii_case(name) && codec.clock_rate() == clock_rate)
    }

    /// Samples that a payload becomes, at the codec's rate; 0 for one that is none of this codec.
    pub fn samples(self, payload: &[u8]) -> usize {
        match self {
            Codec::Pcmu | Codec::Pcma => payload.len(),
            Codec::G722 => payload.len() * 2,
            // A packet may say whatever length it likes; `opus` wants at least the byte that says it.
            Codec::Opus if payload.is_empty() => 0,
            Codec::Opus => opus::packet::get_nb_samples(payload, self.rate()).unwrap_or(0),
        }
    }

    /// What coding and decoding alone delay, ms: G.722's filters (G.722, 1.3), Opus's look-ahead (RFC 6716, 2.1.4).
    pub fn delay_ms(self) -> f32 {
        match self {
            Codec::Pcmu | Codec::Pcma => 0.0,
            Codec::G722 => 1.5,
            Codec::Opus => 6.5,
        }
    }

    /// The longest packet that may be sent in place of `ms` (10-60, in tens), ms: Opus has no packets of one frame of
    /// 30 or 50 ms (RFC 6716, 2.1.4).
    pub fn packet_ms(self, ms: u32) -> u32 {
        match (self, ms) {
            (Codec::Opus, 30) => 20,
            (Codec::Opus, 50) => 40,
            _ => ms,
        }
    }

    /// An encoder as nobody asked for anything special.
    pub fn encoder(self) -> Encoder {
        self.encoder_with(OpusWishes::default())
    }

    /// An encoder; `wishes` concern Opus alone.
    pub fn encoder_with(self, wishes: OpusWishes) -> Encoder {
        match self {
            Codec::Pcmu => Encoder::Pcmu(PcmuEncoder::new()),
            Codec::Pcma => Encoder::Pcma,
            Codec::G722 => Encoder::G722(Box::new(G722Encoder::new())),
            Codec::Opus => Encoder::Opus(opus_encoder(wishes)),
        }
    }

    pub fn decoder(self) -> Decoder {
        match self {
            Codec::Pcmu => Decoder::Pcmu(PcmuDecoder::new()),
            Codec::Pcma => Decoder::Pcma(PcmaDecoder::new()),
            Codec::G722 => Decoder::G722(Box::new(G722Decoder::new())),
            // Rate and channels are ones that Opus has; else only memory can fail, which ends any program.
            Codec::Opus => Decoder::Opus(
                opus::Decoder::new(self.rate(), opus::Channels::Mono).expect("Opus has 16 kHz and one channel"),
            ),
        }
    }
}

/// What the peer asked of our Opus (RFC 7587, 6.1) and how its line is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OpusWishes {
    /// Redundancy for lost packets (`useinbandfec`).
    pub fec: bool,
    /// Nothing is sent in pauses (`usedtx`).
    pub dtx: bool,
    /// Packets of constant size (`cbr`).
    pub cbr: bool,
    /// The highest rate the peer can play (`maxplaybackrate`), Hz.
    pub max_rate: u32,
    /// The most it wants to receive (`maxaveragebitrate`), bit/s.
    pub max_bitrate: u32,
}

impl Default for OpusWishes {
    fn default() -> Self {
        Self { fec: true, dtx: false, cbr: false, max_rate: 48_000, max_bitrate: 510_000 }
    }
}

/// Bit/s of our Opus: wideband speech is transparent from 20 k on (RFC 7587, 3.1.1 has 16-20 k without redundancy); below
/// 36 k libopus adds none at this effort.
const OPUS_BITRATE: u32 = 36_000;
/// libopus's effort, 0-10. PESQ (wide band, five recordings) finds 4.16 for this, 4.14 for 5 at 28 kbit/s, which costs 1.7
/// times as much.
const OPUS_COMPLEXITY: i32 = 1;
/// Loss to be prepared for, percent: redundancy costs nothing below 1 and is worth little beyond 10.
const OPUS_LOSS: i32 = 5;

fn opus_encoder(wishes: OpusWishes) -> opus::Encoder {
    let mut encoder = opus::Encoder::new(16_000, opus::Channels::Mono, opus::Application::Voip)
        .expect("Opus has 16 kHz and one channel"); // see `decoder`
    let bandwidth = if wishes.max_rate < 12_000 {
        opus::Bandwidth::Narrowband
    } else if wishes.max_rate < 16_000 {
        opus::Bandwidth::Mediumband
    } else {
        opus::Bandwidth::Wideband
    };
    let bitrate = OPUS_BITRATE.min(wishes.max_bitrate).max(6_000) as i32;
    // Each is a value that libopus knows; one refused would leave its default, which is speech as well.
    let _ = encoder.set_bitrate(opus::Bitrate::Bits(bitrate));
    let _ = encoder.set_complexity(OPUS_COMPLEXITY);
    let _ = encoder.set_signal(opus::Signal::Voice);
    let _ = encoder.set_max_bandwidth(bandwidth);
    let _ = encoder.set_vbr(!wishes.cbr);
    let _ = encoder.set_inband_fec(wishes.fec);
    let _ = encoder.set_packet_loss_perc(if wishes.fec { OPUS_LOSS } else { 0 });
    let _ = encoder.set_dtx(wishes.dtx);
    encoder
}

/// Sound to payload. One per stream.
pub enum Encoder {
    Pcmu(PcmuEncoder),
    Pcma,
    G722(Box<G722Encoder>),
    Opus(opus::Encoder),
}

impl Encoder {
    /// Encodes `samples` (at the codec's rate; for Opus exactly a packet of 10, 20, 40 or 60 ms) into the start of
    /// `payload`; gives the bytes written. What does not fit is left out: G.711 needs a byte a sample, G.722 one for
    /// two. Opus gives 0 in a pause that need not be sent.
    pub fn encode(&mut self, samples: &[i16], payload: &mut [u8]) -> usize {
        let fitting = |each: usize| &samples[..samples.len().min(payload.len() * each)];
        match self {
            // With room made above, the only error (a short buffer) cannot happen.
            Encoder::Pcmu(encoder) => encoder.encode_into(fitting(1), payload).unwrap_or(0),
            Encoder::Pcma => {
                let samples = fitting(1);
                for (byte, &sample) in payload.iter_mut().zip(samples) {
                    *byte = a_law(sample);
                }
                samples.len()
            }
            Encoder::G722(encoder) => encoder.encode_into(fitting(2), payload).unwrap_or(0),
            // Two bytes and less need not be sent (libopus, opus_encode).
            Encoder::Opus(encoder) => encoder.encode(samples, payload).ok().filter(|len| *len > 2).unwrap_or(0),
        }
    }
}

/// Payload to sound. One per stream.
pub enum Decoder {
    Pcmu(PcmuDecoder),
    Pcma(PcmaDecoder),
    G722(Box<G722Decoder>),
    Opus(opus::Decoder),
}

impl Decoder {
    pub fn codec(&self) -> Codec {
        match self {
            Decoder::Pcmu(_) => Codec::Pcmu,
            Decoder::Pcma(_) => Codec::Pcma,
            Decoder::G722(_) => Codec::G722,
            Decoder::Opus(_) => Codec::Opus,
        }
    }

    /// Decodes `payload` into the start of `samples`; gives the samples written, at the codec's rate.
    /// What does not fit is left out: G.711 needs one sample a byte, G.722 two.
    pub fn decode(&mut self, payload: &[u8], samples: &mut [i16]) -> usize {
        let fitting = |each: usize| &payload[..payload.len().min(samples.len() / each)];
        match self {
            Decoder::Pcmu(decoder) => decoder.decode_into(fitting(1), samples).unwrap_or(0),
            Decoder::Pcma(decoder) => decoder.decode_into(fitting(1), samples).unwrap_or(0),
            Decoder::G722(decoder) => decoder.decode_into(fitting(2), samples).unwrap_or(0),
            Decoder::Opus(_) if payload.is_empty() => 0, // would be taken for a loss
            Decoder::Opus(decoder) => decoder.decode(payload, samples, false).unwrap_or(0),
        }
    }

    /// Fills a hole by the codec's own means: from the redundancy in the packet that `follows` the hole, else from its
    /// memory. False when the codec has none (then `Concealment` has to) or the hole is no whole number of
    /// [`Decoder::hole_step`]s.
    pub fn conceal(&mut self, follows: Option<&[u8]>, hole: &mut [i16]) -> bool {
        let Some(step) = self.hole_step() else { return false };
        let Decoder::Opus(decoder) = self else { return false };
        if hole.is_empty() || !hole.len().is_multiple_of(step) {
            return false;
        }
        // 120 ms is the most that libopus makes at once; the redundancy is for what comes right before its packet.
        let (most, follows) = (step * 48, follows.filter(|packet| !packet.is_empty()));
        let last = (hole.len() - 1) / most;
        hole.chunks_mut(most).enumerate().all(|(n, part)| match follows.filter(|_| n == last) {
            Some(packet) => decoder.decode(packet, part, true).is_ok_and(|made| made == part.len()),
            None => decoder.decode(&[], part, false).is_ok_and(|made| made == part.len()),
        })
    }

    /// Samples that a hole filled by `conceal` must be a multiple of; none where the codec fills no holes.
    pub fn hole_step(&self) -> Option<usize> {
        matches!(self, Decoder::Opus(_)).then_some(40) // 2.5 ms
    }

    /// Forgets what it heard.
    pub fn reset(&mut self) {
        match self {
            Decoder::Pcmu(_) | Decoder::Pcma(_) => {}
            Decoder::G722(decoder) => **decoder = G722Decoder::new(),
            Decoder::Opus(decoder) => drop(decoder.reset_state()), // it has only one way to fail: no decoder
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
        for codec in [Codec::Pcmu, Codec::Pcma] {
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
            assert_eq!(Codec::from_payload_type(codec.payload_type()), Some(codec).filter(|c| *c != Codec::Opus));
            assert_eq!(Codec::from_name(&codec.name().to_lowercase(), codec.clock_rate()), Some(codec));
        }
        assert_eq!(Codec::from_payload_type(18), None);
        assert_eq!(Codec::from_payload_type(111), None, "a number of Opus's is agreed, never known");
        assert_eq!(Codec::from_name("G722", 16_000), None, "its clock is 8 kHz");
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
        for codec in [Codec::Pcmu, Codec::Pcma] {
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

    /// Harmonics of a pitch that glides, in syllables: what stands still is no voice to Opus.
    fn voice(rate: u32, n: usize) -> Vec<i16> {
        let mut phase = 0.0f64;
        (0..n)
            .map(|n| {
                let t = n as f64 / f64::from(rate);
                phase += (140.0 + 40.0 * (t * 5.0).sin()) / f64::from(rate) * std::f64::consts::TAU;
                let pitch: f64 = (1..30).map(|k| (phase * f64::from(k)).sin() / f64::from(k)).sum();
                (6_000.0 * pitch * (t * 3.0 * std::f64::consts::PI).sin().powi(2)) as i16
            })
            .collect()
    }

    /// Highest normalised correlation of `out` with `original`, at any delay below 20 ms.
    fn likeness(original: &[i16], out: &[i16], rate: u32) -> f64 {
        let float = |s: &[i16]| s.iter().map(|&s| f64::from(s)).collect::<Vec<_>>();
        let (original, out) = (float(original), float(out));
        (0..rate as usize / 50)
            .map(|lag| {
                let n = out.len() - lag;
                let dot: f64 = original[..n].iter().zip(&out[lag..]).map(|(a, b)| a * b).sum();
                let energy = |s: &[f64]| s.iter().map(|s| s * s).sum::<f64>().sqrt();
                dot / (energy(&original[..n]) * energy(&out[lag..])).max(1.0)
            })
            .fold(0.0, f64::max)
    }

    #[test]
    fn wideband_codecs_carry_a_voice_nearly_as_it_was() {
        for (codec, least) in [(Codec::G722, 0.98), (Codec::Opus, 0.8)] {
            let sound = voice(codec.rate(), 32_000);
            let (mut encoder, mut decoder, mut out) = (codec.encoder(), codec.decoder(), vec![0; sound.len()]);
            let (mut payload, mut bytes) = ([0; 640], 0);
            for (frame, out) in sound.chunks(320).zip(out.chunks_mut(320)) {
                let len = encoder.encode(frame, &mut payload);
                bytes += len;
                assert_eq!(codec.samples(&payload[..len]), 320);
                assert_eq!(decoder.decode(&payload[..len], out), 320);
            }
            let like = likeness(&sound[3_200..], &out[3_200..], codec.rate());
            assert!(like > least, "{codec:?}: {like:.3}");
            assert!(codec == Codec::G722 || bytes / 250 < 40, "Opus below 40 kbit/s: {bytes} bytes in 2 s");
        }
    }

    #[test]
    fn a_lost_opus_packet_comes_back_out_of_the_next() {
        let sound = voice(16_000, 32_000);
        let (mut encoder, mut payloads) = (Codec::Opus.encoder(), Vec::new());
        for frame in sound.chunks(320) {
            let mut payload = [0; 640];
            let len = encoder.encode(frame, &mut payload);
            payloads.push(payload[..len].to_vec());
        }
        let run = |redundancy: Option<bool>| {
            let (mut decoder, mut out) = (Codec::Opus.decoder(), vec![0; sound.len()]);
            for (n, out) in out.chunks_mut(320).enumerate() {
                if n < 20 || n % 10 != 5 || redundancy.is_none() {
                    assert_eq!(decoder.decode(&payloads[n], out), 320);
                } else {
                    assert!(decoder.conceal(redundancy.filter(|yes| *yes).map(|_| &payloads[n + 1][..]), out));
                }
            }
            out
        };
        let whole = run(None);
        let error = |out: Vec<i16>| {
            let lost = (20..100).filter(|n| n % 10 == 5).flat_map(|n| n * 320..(n + 1) * 320);
            lost.map(|n| (f64::from(out[n]) - f64::from(whole[n])).powi(2)).sum::<f64>().sqrt()
        };
        let (without, with) = (error(run(Some(false))), error(run(Some(true))));
        assert!(with < without * 0.7, "{with:.0} with redundancy, {without:.0} without");
        assert!(!Codec::G722.decoder().conceal(None, &mut [0; 320]), "others leave it to us");
        assert!(!Codec::Opus.decoder().conceal(None, &mut [0; 33]), "no whole step");
    }

    #[test]
    fn opus_sends_nothing_in_a_pause_when_it_may() {
        let packets = |dtx| {
            let mut encoder = Codec::Opus.encoder_with(OpusWishes { dtx, ..OpusWishes::default() });
            (0..100).filter(|_| encoder.encode(&[0; 320], &mut [0; 640]) > 0).count()
        };
        assert_eq!(packets(false), 100);
        assert!(packets(true) < 30, "{}", packets(true));
    }

    #[test]
    fn what_is_no_opus_is_no_sound_and_no_panic() {
        let (mut decoder, mut out) = (Codec::Opus.decoder(), [7; 1_920]);
        for bad in [&[][..], &[0xff], &[0x03, 0xff, 0xff], &[0xfb; 3], &[0x7f; 1_275]] {
            let samples = Codec::Opus.samples(bad);
            assert!(samples <= 1_920, "{bad:02x?}: {samples}");
            assert!(decoder.decode(bad, &mut out) <= 1_920);
        }
    }
}

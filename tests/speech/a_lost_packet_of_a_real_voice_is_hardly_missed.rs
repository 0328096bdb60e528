//! Real speech with every tenth packet lost: what the jitter buffer makes up is nearly as loud as the voice, nearer to it
//! than silence is (sample by sample, which a repeated period cannot be much), and no seam stands out.

use std::time::{Duration, Instant};

use frontdesk::media::{Codec, Frame, JitterBuffer, JitterSettings, Packet, file};

#[test]
fn a_lost_packet_of_a_real_voice_is_hardly_missed() {
    let (mut kept, mut silence, mut loud, mut clicks) = (0.0, 0.0, 0.0, 0);
    for name in ["asterisk/en-privacy-prompt.wav", "asterisk/es-conf-getpin.wav", "pocketsphinx/librivox-0930.wav"] {
        let sound = file::read(format!("{}/audio_fixtures/{name}", env!("CARGO_MANIFEST_DIR"))).unwrap().at_rate(8_000);
        let whole = heard(&sound.samples, |_| false);
        for phase in 0..10 {
            let lossy = heard(&sound.samples, |n| n % 10 == phase);
            assert_eq!(whole.len(), lossy.len());
            for (a, b) in whole.iter().zip(&lossy) {
                if a != b {
                    silence += f64::from(*a).powi(2);
                    loud += f64::from(*b).powi(2);
                }
                kept += (f64::from(*a) - f64::from(*b)).powi(2);
            }
            let steepest = |s: &[i16]| s.windows(2).map(|w| w[0].abs_diff(w[1])).max().unwrap();
            clicks += usize::from(steepest(&lossy) > steepest(&whole) * 3 / 2);
        }
    }
    let (error, level) = (kept / silence, loud / silence);
    println!(
        "made up: {level:.2} of the voice's energy, error {error:.2} of that of silence, {clicks} of 30 runs click"
    );
    assert!(error < 0.95, "{error:.2}");
    assert!((0.7..1.2).contains(&level), "{level:.2}");
    assert_eq!(clicks, 0);
}

/// What the buffer gives out for a stream of 20 ms packets of which some are lost.
fn heard(samples: &[i16], lost: impl Fn(usize) -> bool) -> Vec<i16> {
    let mut buffer = JitterBuffer::new(8_000, JitterSettings { min_ms: 40, ..JitterSettings::default() });
    let (mut encoder, start, mut out) = (Codec::Pcmu.encoder(), Instant::now(), vec![]);
    for (n, chunk) in samples.chunks_exact(160).enumerate() {
        let now = start + Duration::from_millis(20) * n as u32;
        let mut payload = [0; 160];
        encoder.encode(chunk, &mut payload);
        let packet = Packet {
            ssrc: 1,
            sequence: n as u16,
            timestamp: n as u32 * 160,
            marker: n == 0,
            codec: Codec::Pcmu,
            payload: &payload,
        };
        if n == 0 || !lost(n) {
            buffer.push(now, &packet);
        }
        let mut frame = Frame::silence(8_000);
        buffer.pull(now, &mut frame);
        out.extend_from_slice(frame.samples());
    }
    out
}

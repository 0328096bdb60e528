//! What one frame of 20 ms costs in each step of the media's beat, beside the frame's own length; with the
//! allocations counted. `cargo bench --bench codecs`; the limit of every row is 1 % of a frame, 200 us, so that one core
//! carries a hundred calls whatever they do.

#[path = "counting/mod.rs"]
mod counting;

use std::hint::black_box;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use counting::{measure, measure_rounds};
use frontdesk::media::{Bridge, Codec, Concealment, Frame, Player, Recordings, Resampler, Tone, mix};

const LIMIT_US: f64 = 200.0;
static ALLOCATIONS: AtomicU64 = AtomicU64::new(0);

/// What `make acceptance` keeps: row and name.
const FIGURES: [(&str, &str); 7] = [
    ("encode PCMU", "encode-pcmu"),
    ("decode PCMU", "decode-pcmu"),
    ("resample 8000 to 16000 Hz", "8-to-16-khz"),
    ("resample 24000 to 8000 Hz", "24-to-8-khz"),
    ("bridge 8 and 48 kHz, both ways", "bridge"),
    ("a frame heard and one concealed", "conceal"),
    ("record both sides", "record"),
];

fn main() {
    println!("{:<36}{:>12}{:>12}{:>16}", "a frame of 20 ms", "us", "limit us", "allocations");
    let mut voice = Frame::silence(8_000);
    Tone::new([180.0, 1_250.0], 1_000, 0, -20.0).next(&mut voice);
    let mut payload = [0; 160];
    for codec in Codec::ALL {
        let (mut encoder, mut decoder) = (codec.encoder(), codec.decoder());
        row(&format!("encode {}", codec.name()), || {
            encoder.encode(black_box(&voice).samples(), black_box(&mut payload));
        });
        let mut frame = Frame::silence(8_000);
        row(&format!("decode {}", codec.name()), || {
            decoder.decode(black_box(&payload), black_box(&mut frame).samples_mut());
        });
    }
    for (from, to) in [(8_000, 16_000), (16_000, 8_000), (24_000, 8_000), (8_000, 48_000), (48_000, 8_000)] {
        let mut resampler = Resampler::new(from, to).expect("rates of frames");
        let (mut input, mut output) = (Frame::silence(from), Frame::silence(to));
        Tone::sine(440.0, -20.0).next(&mut input);
        row(&format!("resample {from} to {to} Hz"), || resampler.run(black_box(&input), black_box(&mut output)));
    }
    let mut bridge = Bridge::new(8_000, 48_000).expect("rates of frames");
    row("bridge 8 and 48 kHz, both ways", || {
        let wide = bridge.a_to_b(&voice);
        bridge.b_to_a(&wide);
    });
    let mut sum = voice;
    row("mix", || mix(black_box(&mut sum), black_box(&voice)));
    let mut concealment = Concealment::new(8_000);
    row("a frame heard and one concealed", || {
        let mut frame = voice;
        concealment.heard(frame.samples_mut());
        concealment.conceal(frame.samples_mut());
    });
    let mut ringing = Tone::ringing_us();
    let mut frame = Frame::silence(8_000);
    row("ringing tone", || ringing.next(&mut frame));
    let mut player =
        Player::looped(8_000, std::sync::Arc::new(frontdesk::media::Sound { rate: 8_000, samples: vec![9; 9_999] }));
    row("player", || {
        player.next(&mut frame);
    });
    let dir = tempfile::tempdir().expect("a temporary folder");
    let recordings = Recordings::start().expect("a thread");
    let mut recorder = recordings.record(dir.path().join("call.wav"), 8_000, 8_000).expect("a file");
    // The ring takes 4 s; its writer empties it between the rounds.
    let record = || recorder.write(&voice, &voice);
    print("record both sides", measure_rounds(5, std::time::Duration::from_millis(600), record));
    let allocations = ALLOCATIONS.load(Relaxed);
    println!(
        "FIGURE 2.0-media-allocations {allocations} allocations limit == 0 -- in all rows above, on the beat's thread"
    );
    counting::end();
}

fn row(what: &str, work: impl FnMut()) {
    print(what, measure(work));
}

fn print(what: &str, (us, allocations): (f64, u64)) {
    println!("{what:<36}{us:>12.2}{LIMIT_US:>12.0}{allocations:>16}");
    if let Some((_, name)) = FIGURES.iter().find(|(row, _)| *row == what) {
        println!(
            "FIGURE 2.0-media-{name} {us:.2} us limit < {LIMIT_US} -- {what}, a frame of 20 ms, best of rounds of 100"
        );
    }
    ALLOCATIONS.fetch_add(allocations, Relaxed);
    counting::check(us < LIMIT_US && allocations == 0, what);
}

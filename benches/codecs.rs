//! What one frame of 20 ms costs in each step of the media's beat, beside the frame's own length; with the
//! allocations counted. `cargo bench --bench codecs`; the limit of every row is 1 % of a frame, 200 us, so that one core
//! carries a hundred calls whatever they do.

#[path = "counting/mod.rs"]
mod counting;

use std::hint::black_box;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use counting::{measure, measure_rounds};
use frontdesk::media::{Bridge, Codec, Concealment, Frame, Mixer, PARTIES, Player, Recordings, Resampler, Tone, mix};
use frontdesk::sip::srtp::{MasterKey, OVERHEAD, Receiver, Sender, Suite};

const LIMIT_US: f64 = 200.0;
static ALLOCATIONS: AtomicU64 = AtomicU64::new(0);

/// What `make acceptance` keeps: row and name.
const FIGURES: &[(&str, &str)] = &[
    ("encode PCMU", "2.0-media-encode-pcmu"),
    ("decode PCMU", "2.0-media-decode-pcmu"),
    ("resample 8000 to 16000 Hz", "2.0-media-8-to-16-khz"),
    ("resample 24000 to 8000 Hz", "2.0-media-24-to-8-khz"),
    ("bridge 8 and 48 kHz, both ways", "2.0-media-bridge"),
    ("mix a conversation of two, for one of them", "6.0-media-mix-two"),
    ("mix a conversation of three, for one of them", "6.0-media-mix-three"),
    ("mix a conversation of four, for one of them", "6.0-media-mix-four"),
    ("mix a conversation of two, for all of them", "6.0-media-mix-two-all"),
    ("mix a conversation of three, for all of them", "6.0-media-mix-three-all"),
    ("mix a conversation of four, for all of them", "6.0-media-mix-four-all"),
    ("a frame heard and one concealed", "2.0-media-conceal"),
    ("record both sides", "2.0-media-record"),
    ("encode G722", "3.0-media-encode-g722"),
    ("decode G722", "3.0-media-decode-g722"),
    ("encode opus", "3.0-media-encode-opus"),
    ("decode opus", "3.0-media-decode-opus"),
    ("conceal opus", "3.0-media-conceal-opus"),
    ("protect and open, AES_CM_128_HMAC_SHA1_80", "3.0-media-srtp-aes-cm"),
    ("protect and open, AEAD_AES_128_GCM", "3.0-media-srtp-gcm"),
];

fn main() {
    println!("{:<44}{:>12}{:>12}{:>16}", "a frame of 20 ms", "us", "limit us", "allocations");
    let mut voice = Frame::silence(8_000);
    Tone::new([180.0, 1_250.0], 1_000, 0, -20.0).next(&mut voice);
    let mut payload = [0; 640];
    for codec in Codec::ALL {
        let (mut encoder, mut decoder) = (codec.encoder(), codec.decoder());
        // A voice goes on: a codec with memory must not be shown one frame over and over.
        let (mut sound, mut frame, mut len) =
            (Tone::new([180.0, 1_250.0], 90, 40, -20.0), Frame::silence(codec.rate()), 0);
        row(&format!("encode {}", codec.name()), || {
            sound.next(&mut frame);
            len = encoder.encode(black_box(&frame).samples(), black_box(&mut payload));
        });
        row(&format!("decode {}", codec.name()), || {
            decoder.decode(black_box(&payload[..len]), black_box(&mut frame).samples_mut());
        });
        if decoder.hole_step().is_some() {
            row(&format!("conceal {}", codec.name()), || {
                decoder.conceal(None, black_box(&mut frame).samples_mut());
            });
        }
    }
    for suite in Suite::ALL {
        let key = MasterKey::random(suite);
        let (mut sender, mut receiver) = (Sender::new(&key), Receiver::new(&key));
        let (mut packet, mut sequence) = ([0x80; 12 + 160 + OVERHEAD], 0u16);
        row(&format!("protect and open, {}", suite.name()), || {
            packet[2..4].copy_from_slice(&sequence.to_be_bytes());
            sequence = sequence.wrapping_add(1);
            let len = sender.protect(black_box(&mut packet), 12 + 160).expect("room for the tag");
            receiver.open(&mut packet[..len]).expect("a packet of its own key");
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
    // As in a call: the caller's telephone, an agent's and a supervisor's browser, another telephone. Each in turn hears all others.
    let voices = [8_000, 16_000, 16_000, 8_000].map(|rate| {
        let mut voice = Frame::silence(rate);
        Tone::new([180.0, 1_250.0], 1_000, 0, -20.0).next(&mut voice);
        voice
    });
    for (parties, name) in [(2, "two"), (3, "three"), (PARTIES, "four")] {
        let (mut mixer, mut listener) = (Mixer::default(), 0);
        let mut mix = || {
            listener = (listener + 1) % parties;
            let mut out = Frame::silence(voices[listener].rate());
            let others = voices[..parties].iter().enumerate().filter(|(place, _)| *place != listener);
            mixer.hear(listener, black_box(others), black_box(&mut out));
        };
        (0..parties).for_each(|_| mix()); // converters are made
        row(&format!("mix a conversation of {name}, for one of them"), &mut mix);
        row(&format!("mix a conversation of {name}, for all of them"), || (0..parties).for_each(|_| mix()));
    }
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
    println!("{what:<44}{us:>12.2}{LIMIT_US:>12.0}{allocations:>16}");
    if let Some((_, name)) = FIGURES.iter().find(|(row, _)| *row == what) {
        println!("FIGURE {name} {us:.2} us limit < {LIMIT_US} -- {what}, a frame of 20 ms, best of rounds of 100");
    }
    ALLOCATIONS.fetch_add(allocations, Relaxed);
    counting::check(us < LIMIT_US && allocations == 0, what);
}

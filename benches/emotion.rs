//! What hearing a caller's feeling costs: descriptors each frame of 20 ms, figures and a reading each second of
//! speech, together as a share of one core; and how much speech the first reading needs. `cargo bench --bench emotion`;
//! the limits are issue 4's: 0.3 % of a core, no allocation a frame, 1.5 s.

#[path = "counting/mod.rs"]
mod counting;

use std::hint::black_box;

use counting::{check, end, measure};
use frontdesk::emotion::{Baseline, Encoder, Extractor, Model, RATE, Timbre};
use frontdesk::media;

const FRAME: usize = RATE as usize / 50;

fn main() {
    let sound = media::file::read("audio_fixtures/pocketsphinx/librivox-0880.wav").expect("a fixture");
    let voice = media::telephone_channel(&sound.samples, sound.rate);
    let frames: Vec<&[i16]> = voice.chunks_exact(FRAME).collect();
    let model = Model::installed().expect("a model");

    let mut extractor = Extractor::new();
    let mut at = 0;
    let (frame_us, frame_allocations) = measure(|| {
        extractor.push(black_box(frames[at % frames.len()]));
        at += 1;
    });
    // The window (12 s) is full by now: the dearest case.
    let (figures_us, figures_allocations) = measure(|| {
        black_box(extractor.figures());
    });
    // A second of sound that the encoder has not heard, as each reading brings; the figures are made with it.
    let (mut encoder, mut timbre) = (Encoder::new(), Timbre::default());
    extractor.reset();
    let (second_us, _) = measure(|| {
        if extractor.speech_ms() > 11_000 {
            extractor.reset();
        }
        frames.iter().cycle().skip(at % frames.len()).take(50).for_each(|frame| extractor.push(frame));
        at += 50;
        if let Some(heard) = extractor.heard(false) {
            black_box(encoder.features(&heard, &mut timbre));
        }
    });
    let features = extractor.heard(true).map(|heard| encoder.features(&heard, &mut timbre)).expect("speech");
    let baseline = Baseline::from_iter([&features]);
    let (reading_us, _) = measure(|| {
        black_box(model.read(&features, Some(&baseline)));
    });

    println!("a frame of 20 ms      {frame_us:>9.2} us {frame_allocations:>6} allocations");
    println!("figures of 12 s       {figures_us:>9.2} us {figures_allocations:>6} allocations");
    println!("a second, all of it   {second_us:>9.2} us");
    println!("a reading             {reading_us:>9.2} us");
    let share = (second_us + reading_us) / 1e6 * 100.0;
    println!(
        "FIGURE 4.3-emotion-cost {share:.3} % limit <= 0.3 -- of one core per call that speaks all the time: 50 frames, \
         figures, timbre and one reading a second, best of rounds of 100"
    );
    println!("FIGURE 4.3-emotion-allocations {frame_allocations} allocations limit == 0 -- in 2,000 frames of 20 ms");
    check(share <= 0.3, "the cost");
    check(frame_allocations == 0 && figures_allocations == 0, "frames and features without allocation");

    let mut extractor = Extractor::new();
    let mut first = None;
    for frame in &frames {
        extractor.push(frame);
        if extractor.figures().is_some() {
            first = Some(extractor.speech_ms());
            break;
        }
    }
    let first = first.expect("a reading");
    println!("FIGURE 4.3-emotion-first-reading {first} ms limit <= 1500 -- speech before the first reading");
    check(first <= 1_500, "the first reading");
    end();
}

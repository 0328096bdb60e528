//! What hearing costs: voice activity a chunk (limit 100 us, no allocation), the listener a frame of silence, the turn
//! model a decision, the recogniser a second of sound. `cargo bench --bench ear`; needs the installed models.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::hint::black_box;
use std::sync::Arc;
use std::time::Instant;

use frontdesk::dialog::{Expect, Language};
use frontdesk::media::{self, Frame};
use frontdesk::models;
use frontdesk::speech::vad::{CHUNK, Vad};
use frontdesk::speech::{Ear, EarSettings, HearRequest, Listener, ListenerSettings, Samples, TURN_MODEL, TurnModel};

struct Counting;
thread_local!(static ALLOCATIONS: Cell<u64> = const { Cell::new(0) });
// SAFETY: everything is left to the system's allocator.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.with(|n| n.set(n.get() + 1));
        // SAFETY: as the caller promises.
        unsafe { System.alloc(layout) }
    }
    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        // SAFETY: as the caller promises.
        unsafe { System.dealloc(memory, layout) }
    }
}
#[global_allocator]
static ALLOCATOR: Counting = Counting;

fn main() {
    let sound = media::file::read("audio_fixtures/pocketsphinx/librivox-0880.wav").expect("a fixture");
    let narrow = media::telephone_channel(&sound.samples, sound.rate);
    let wide = media::resample(&narrow, 8_000, 16_000);
    let audio: Samples = wide.iter().map(|&s| f32::from(s) / 32_768.0).collect();
    voice_activity(&wide);
    listener(&narrow);
    turn_model(&audio);
    recogniser(&audio);
}

/// Median of many, so that a busy machine tells the same.
fn median(mut times: Vec<f64>) -> f64 {
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}

fn voice_activity(sound: &[i16]) {
    let mut vad = Vad::new();
    let (chunks, _) = sound.as_chunks::<CHUNK>();
    black_box(vad.score(&chunks[0]));
    let mut times = Vec::with_capacity(chunks.len() * 20);
    let counted = ALLOCATIONS.get();
    for chunk in chunks.iter().cycle().take(chunks.len() * 20) {
        let began = Instant::now();
        black_box(vad.score(chunk));
        times.push(began.elapsed().as_secs_f64() * 1e6);
    }
    let allocations = ALLOCATIONS.get() - counted;
    println!(
        "FIGURE 2.0-vad {:.1} us limit <= 100 -- voice activity, a chunk of 32 ms (silero's ONNX by rten: 300-500)",
        median(times)
    );
    println!(
        "FIGURE 2.0-vad-allocations {allocations} allocations limit == 0 -- voice activity, {} chunks",
        chunks.len() * 20
    );
}

fn listener(sound: &[i16]) {
    let mut listener = Listener::new(ListenerSettings::default());
    let silence = Frame::silence(8_000);
    let mut now_ms = 0;
    let mut hear = |frame: &Frame| {
        now_ms += 20;
        listener.hear(now_ms, frame).count()
    };
    let frames: Vec<Frame> = sound.chunks(160).map(|s| Frame::from_samples(8_000, s)).collect();
    // Until its buffers have grown.
    frames.iter().for_each(|f| _ = hear(f));
    (0..200).for_each(|_| _ = hear(&silence));
    let counted = ALLOCATIONS.get();
    let began = Instant::now();
    (0..1000).for_each(|_| _ = hear(&silence));
    let us = began.elapsed().as_secs_f64() * 1e3;
    let allocations = ALLOCATIONS.get() - counted;
    println!(
        "FIGURE 2.0-listener {us:.1} us limit <= 200 -- the listener in silence, a frame of 20 ms, voice activity included"
    );
    println!(
        "FIGURE 2.0-listener-allocations {allocations} allocations limit == 0 -- the listener in silence, 1000 frames"
    );
}

fn turn_model(audio: &[f32]) {
    let model = models::file(TURN_MODEL).map(|file| TurnModel::load(&file));
    let model = model.unwrap_or_else(|e| panic!("{e}")).expect("the installed model loads");
    let mut times = Vec::new();
    for _ in 0..10 {
        let began = Instant::now();
        black_box(model.probability(audio));
        times.push(began.elapsed().as_secs_f64() * 1e3);
    }
    println!("FIGURE 2.0-turn-model {:.0} ms -- the turn model, a decision (found before: 160-230)", median(times));
}

fn recogniser(audio: &Samples) {
    let settings = EarSettings::installed().unwrap_or_else(|e| panic!("{e}"));
    let ear = Ear::open(&EarSettings { workers: 1, ..settings }).expect("the installed model loads");
    let seconds = audio.len() as f64 / 16_000.0;
    let mut times = Vec::new();
    for _ in 0..5 {
        let request = HearRequest {
            audio: audio.clone(),
            language: Some(Language::new("en")),
            hints: Vec::new(),
            expect: Expect::Free,
            likely: Arc::default(),
            languages: Vec::new(),
        };
        let hearing = ear.hear(request).expect("room for one").wait().expect("it reads");
        times.push(f64::from(hearing.cpu_s) / seconds);
    }
    println!(
        "FIGURE 2.0-ear {:.3} s/s -- CPU to read a second of {seconds:.1} s of English (found before: 0.22-0.26)",
        median(times)
    );
}

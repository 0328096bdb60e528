//! A minute of a caller's voice through the emotion's ear, frame by frame, with the allocator counted: once built,
//! neither descriptors nor the figures made of them allocate, in speech, pauses and silence.

use std::{
    alloc::{GlobalAlloc, Layout, System},
    cell::Cell,
};

use frontdesk::{emotion::Extractor, media};

struct Counting;

thread_local! {
    static ALLOCATIONS: Cell<u64> = const { Cell::new(0) };
}

// Of this thread only: the test harness may allocate in its own.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let _ = ALLOCATIONS.try_with(|count| count.set(count.get() + 1));
        // SAFETY: handed on unchanged.
        unsafe { System.alloc(layout) }
    }
    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: handed on unchanged.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

#[test]
fn hearing_how_a_caller_sounds_allocates_nothing_a_frame() {
    let sound = media::file::read("audio_fixtures/pocketsphinx/librivox-0880.wav").unwrap();
    let voice = media::telephone_channel(&sound.samples, sound.rate);
    let mut extractor = Extractor::new();
    let mut readings = 0;

    let before = ALLOCATIONS.get();
    for (n, frame) in voice.chunks(160).chain([&[0i16; 160][..]; 100]).cycle().take(3_000).enumerate() {
        extractor.push(frame);
        if n % 50 == 49 {
            readings += u32::from(extractor.figures().is_some());
        }
        if n == 2_000 {
            extractor.reset();
        }
    }
    assert_eq!(ALLOCATIONS.get() - before, 0, "allocations in 3000 frames");
    assert!(readings > 40, "only {readings} readings");
}

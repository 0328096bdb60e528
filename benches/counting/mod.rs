//! Time and allocations of a piece of work, for benches: an allocator that counts, and the best of several rounds.

use std::{
    alloc::{GlobalAlloc, Layout, System},
    cell::Cell,
    sync::atomic::{AtomicBool, Ordering},
    time::{Duration, Instant},
};

struct Counting;

thread_local! {
    static ALLOCATIONS: Cell<u64> = const { Cell::new(0) };
}

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
static FAILED: AtomicBool = AtomicBool::new(false);

/// Microseconds of one run (the best of 20 rounds of 100), and allocations on this thread in all of them.
pub fn measure(work: impl FnMut()) -> (f64, u64) {
    measure_rounds(20, Duration::ZERO, work)
}

/// The same with a pause before each round.
#[allow(dead_code)] // each bench is a crate of its own and need not use all
pub fn measure_rounds(rounds: usize, pause: Duration, mut work: impl FnMut()) -> (f64, u64) {
    work();
    let (mut best, mut allocations) = (f64::MAX, 0);
    for _ in 0..rounds {
        std::thread::sleep(pause);
        let (before, start) = (ALLOCATIONS.get(), Instant::now());
        for _ in 0..100 {
            work();
        }
        best = best.min(start.elapsed().as_secs_f64() * 1e6 / 100.0);
        allocations += ALLOCATIONS.get() - before;
    }
    (best, allocations)
}

/// Notes a row that missed its limit.
pub fn check(good: bool, what: &str) {
    if !good {
        println!("  ^ {what} misses its limit");
        FAILED.store(true, Ordering::Relaxed);
    }
}

/// Ends the bench, with an error if any row missed its limit.
pub fn end() {
    if FAILED.load(Ordering::Relaxed) {
        std::process::exit(1);
    }
}

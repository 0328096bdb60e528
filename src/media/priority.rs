//! Whose turn is first when processors are short: threads that carry sound, before models and everybody else's work.

use std::cell::Cell;
use std::sync::OnceLock;

/// How far before other work threads go that carry sound, in steps of `nice`.
const BEFORE: i32 = 10;

thread_local! {
    static FIRST: Cell<bool> = const { Cell::new(false) };
}

/// Puts this thread before others, once: it carries sound, which cannot wait. Where the system does not let us
/// (setpriority(2): it takes CAP_SYS_NICE, or a limit of `nice`), it stays in line.
pub fn go_first() {
    if !FIRST.replace(true) {
        nice(usual() - BEFORE);
    }
}

/// Puts this thread in line with others: threads begin with the priority of who starts them.
pub fn go_in_line() {
    FIRST.set(false);
    nice(usual());
}

/// What the process was started with.
fn usual() -> i32 {
    static USUAL: OnceLock<i32> = OnceLock::new();
    // SAFETY: no memory is involved. Linux takes 0 for the calling thread.
    *USUAL.get_or_init(|| unsafe { libc::getpriority(libc::PRIO_PROCESS, 0) })
}

fn nice(value: i32) {
    // SAFETY: as above. A refusal leaves things as they are.
    let _ = unsafe { libc::setpriority(libc::PRIO_PROCESS, 0, value) };
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn a_thread_that_carries_sound_goes_first_and_those_it_starts_do_not() {
        // SAFETY: no memory is involved.
        let now = || unsafe { libc::getpriority(libc::PRIO_PROCESS, 0) };
        go_in_line();
        let before = now();
        go_first();
        let allowed = now() != before;
        assert_eq!(now(), if allowed { before - BEFORE } else { before });
        let started = std::thread::spawn(move || {
            go_in_line();
            now()
        });
        assert_eq!(started.join().unwrap(), before);
    }
}

//! Whether the processors keep up. A media clock that comes late is heard by every caller at once, so it is what new calls
//! are refused by: those that are up keep their sound.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::Duration;

use tokio::time::{Instant, MissedTickBehavior};
use tracing::{info, warn};

use crate::telemetry::names;

/// As often as a packet is sent.
const BEAT: Duration = Duration::from_millis(20);
/// Share of a beat in the mean: that of about two seconds.
const SHARE: f64 = 0.01;
/// Mean lateness that no jitter buffer of a telephone covers, s.
const TOO_LATE_S: f64 = 0.150;
/// ... and below which there is room for another call again, s.
const WELL_S: f64 = 0.030;

/// What is told of the pulse; clones share it.
#[derive(Clone, Debug, Default)]
pub struct Pulse(Arc<AtomicBool>);

impl Pulse {
    /// Begins to measure on the runtime that carries the calls.
    pub fn start() -> Self {
        let pulse = Self::default();
        tokio::spawn(pulse.clone().beat());
        pulse
    }

    /// No new call should be taken.
    pub fn is_late(&self) -> bool {
        self.0.load(Relaxed)
    }

    async fn beat(self) {
        let mut clock = tokio::time::interval(BEAT);
        clock.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut lateness = Lateness::default();
        loop {
            let due = clock.tick().await;
            let changed = lateness.note(Instant::now().saturating_duration_since(due));
            metrics::gauge!(names::CLOCK_LATE).set(lateness.mean_s);
            if changed {
                self.0.store(lateness.starved, Relaxed);
                match lateness.starved {
                    true => warn!(late_ms = 1e3 * lateness.mean_s, "processors do not keep up: new calls are refused"),
                    false => info!("processors keep up again: new calls are taken"),
                }
            }
        }
    }
}

#[derive(Debug, Default)]
struct Lateness {
    mean_s: f64,
    starved: bool,
}

impl Lateness {
    /// True when the judgement has changed.
    fn note(&mut self, late: Duration) -> bool {
        // What comes a second late has missed fifty turns.
        let beats = (late.as_secs_f64() / BEAT.as_secs_f64()).max(1.0);
        let share = 1.0 - (1.0 - SHARE).powf(beats);
        self.mean_s += share * (late.as_secs_f64() - self.mean_s);
        let before = self.starved;
        self.starved = self.mean_s > if before { WELL_S } else { TOO_LATE_S };
        before != self.starved
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(lateness: &mut Lateness, beats: usize, late_ms: u64) -> bool {
        for _ in 0..beats {
            lateness.note(Duration::from_millis(late_ms));
        }
        lateness.starved
    }

    #[test]
    fn a_clock_that_stays_late_is_starved_and_recovers_only_well() {
        let mut lateness = Lateness::default();
        assert!(!after(&mut lateness, 1, 500), "one hiccup");
        assert!(!after(&mut lateness, 1_000, 80), "a busy machine");
        assert!(after(&mut lateness, 100, 400));
        assert!(after(&mut lateness, 1_000, 50), "not yet room for another call");
        assert!(!after(&mut lateness, 1_000, 2));
    }

    #[test]
    fn what_is_very_late_counts_for_all_the_turns_it_missed() {
        let mut lateness = Lateness::default();
        assert!(after(&mut lateness, 2, 1_000));
    }
}

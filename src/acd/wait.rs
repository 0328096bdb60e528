//! How long a caller is likely to wait: from the conversations this queue has had and what the forecast expects of them.
//! The same figure serves the announcements (`Floor`) and staffing (`erlang`, by `Floor::handling_ms`).

use std::collections::VecDeque;

use super::erlang;

/// Conversations needed before anything is estimated; what is expected counts as so many.
const ENOUGH: u64 = 5;
/// Conversations remembered.
const REMEMBERED: usize = 50;
/// Older ones say nothing about now, ms.
const FRESH_MS: u64 = 2 * 3_600_000;

/// What a queue's conversations took, wrap-up included: when they ended and how long, ms.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct History {
    took: VecDeque<(u64, u64)>,
    expected_ms: Option<u64>,
}

impl History {
    /// A conversation that ended at `at_ms` kept its agent for `took_ms`.
    pub fn add(&mut self, at_ms: u64, took_ms: u64) {
        self.took.push_back((at_ms, took_ms));
        if self.took.len() > REMEMBERED {
            self.took.pop_front();
        }
    }

    /// What the forecast has for them.
    pub fn expect(&mut self, took_ms: u64) {
        self.expected_ms = Some(took_ms);
    }

    /// The mean, ms; `None` when there is too little to go by.
    pub fn handling_ms(&self, now_ms: u64) -> Option<u64> {
        let fresh = self.took.iter().filter(|(at, _)| now_ms.saturating_sub(*at) <= FRESH_MS).map(|(_, took)| *took);
        let (count, sum) = fresh.fold((0_u64, 0_u64), |(count, sum), took| (count + 1, sum.saturating_add(took)));
        let (count, sum) = match self.expected_ms {
            Some(expected) => (count + ENOUGH, sum.saturating_add(expected.saturating_mul(ENOUGH))),
            None => (count, sum),
        };
        (count >= ENOUGH).then(|| sum / count)
    }

    /// Seconds until the call at `position` (1 is next) is answered when `agents` share the queue's calls, all of
    /// them busy. `None` when there is too little history, or nobody to serve.
    pub fn estimate(&self, now_ms: u64, position: u32, agents: usize) -> Option<u32> {
        let handling_s = self.handling_ms(now_ms)? as f64 / 1_000.0;
        erlang::wait_at(position, handling_s, agents).map(|seconds| seconds.ceil() as u32)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_estimated_from_too_little() {
        let mut history = History::default();
        for i in 0..4 {
            history.add(i, 60_000);
        }
        assert_eq!(history.estimate(10, 1, 1), None);
        history.add(4, 60_000);
        assert_eq!(history.estimate(10, 1, 1), Some(60));
        assert_eq!(history.estimate(10, 3, 2), Some(90));
        assert_eq!(history.estimate(10, 3, 0), None);
        assert_eq!(history.estimate(FRESH_MS + 10, 1, 1), None, "yesterday's calls");
    }

    #[test]
    fn what_is_expected_serves_until_it_is_known_better() {
        let mut history = History::default();
        history.expect(100_000);
        assert_eq!(history.estimate(0, 2, 4), Some(50));
        for _ in 0..45 {
            history.add(0, 200_000);
        }
        assert_eq!(history.handling_ms(0), Some(190_000));
    }
}

//! How long a caller is likely to wait: from the conversations this queue has had, and only from those.

use std::collections::VecDeque;

/// Conversations needed before anything is estimated.
const ENOUGH: u64 = 5;
/// Conversations remembered.
const REMEMBERED: usize = 50;
/// Older ones say nothing about now, ms.
const FRESH_MS: u64 = 2 * 3_600_000;

/// What a queue's conversations took, wrap-up included: when they ended and how long, ms.
#[derive(Debug, Default)]
pub(super) struct History(VecDeque<(u64, u64)>);

impl History {
    /// A conversation that ended at `at_ms` kept its agent for `took_ms`.
    pub fn add(&mut self, at_ms: u64, took_ms: u64) {
        self.0.push_back((at_ms, took_ms));
        if self.0.len() > REMEMBERED {
            self.0.pop_front();
        }
    }

    /// Seconds until the call at `position` (1 is next) is answered when `agents` share the queue's calls, all of
    /// them busy: one of them becomes free every mean/agents, as in Erlang C with all servers busy. `None` when
    /// there is too little history, or nobody to serve.
    pub fn estimate(&self, now_ms: u64, position: u32, agents: usize) -> Option<u32> {
        let fresh = self.0.iter().filter(|(at, _)| now_ms.saturating_sub(*at) <= FRESH_MS).map(|(_, took)| *took);
        let (count, sum) = fresh.fold((0_u64, 0_u64), |(count, sum), took| (count + 1, sum + took));
        if count < ENOUGH || agents == 0 {
            return None;
        }
        let mean_s = sum as f64 / count as f64 / 1_000.0;
        Some((mean_s * f64::from(position) / agents as f64).ceil() as u32)
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
}

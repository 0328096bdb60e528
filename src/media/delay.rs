//! How long packets should wait in the jitter buffer: the 97th percentile of their extra transit time, from a histogram
//! that forgets. Knows times only.

use super::JitterSettings;

/// How long packets should wait. Times are microseconds; transit times have an arbitrary zero.
pub(super) struct Delay {
    settings: JitterSettings,
    /// Quickest transit in this and the last window of 5 s.
    quickest: [i64; 2],
    window_ends: i64,
    /// Share of packets by extra transit time, `BIN_US` each, forgetting with a time constant of 200 packets.
    late: [f32; BINS],
    packets: u32,
    /// What the jitter alone asks for.
    wish: i64,
    mean: Option<i64>,
    offset: i64,
}

const BINS: usize = 100;
const BIN_US: i64 = 5_000;
const WINDOW_US: i64 = 5_000_000;

impl Delay {
    pub(super) fn new(settings: JitterSettings) -> Self {
        Self {
            settings,
            quickest: [i64::MAX; 2],
            window_ends: i64::MIN,
            late: [0.0; BINS],
            packets: 0,
            wish: 0,
            mean: None,
            offset: 0,
        }
    }

    pub(super) fn base(&self) -> i64 {
        self.quickest[0].min(self.quickest[1])
    }

    pub(super) fn arrived(&mut self, now: i64, transit: i64) {
        if now >= self.window_ends {
            self.quickest = [transit, self.quickest[0]];
            self.window_ends = now + WINDOW_US;
        }
        self.quickest[0] = self.quickest[0].min(transit);
        let bin = ((transit - self.base()) / BIN_US).clamp(0, BINS as i64 - 1) as usize;
        self.packets += 1;
        let weight = (1.0 / self.packets as f32).max(0.005);
        for share in &mut self.late {
            *share *= 1.0 - weight;
        }
        self.late[bin] += weight;

        let mut sum = 0.0;
        let percentile = self.late.iter().position(|share| {
            sum += share;
            sum >= 0.97
        });
        self.wish = (percentile.unwrap_or(BINS - 1) as i64 + 1) * BIN_US;
    }

    /// The mean delay is relative to the base, so it moves when the base has.
    pub(super) fn shift_base(&mut self, before: i64) {
        let after = self.base();
        if before != i64::MAX
            && let Some(mean) = &mut self.mean
        {
            *mean += before - after;
        }
    }

    /// The delay to aim at.
    pub(super) fn target_us(&self) -> i64 {
        let least = if self.packets < 10 { self.settings.initial_ms } else { self.settings.min_ms };
        let (least, most) = (i64::from(least) * 1_000, i64::from(self.settings.max_ms) * 1_000);
        (self.wish + self.offset).min(most).max(least)
    }

    /// Notes the delay of this beat; gives the aim and the mean delay over about 8 beats.
    pub(super) fn played(&mut self, current: i64, offset: i64) -> (i64, i64) {
        let mean = self.mean.get_or_insert(current);
        *mean += (current - *mean) / 8;
        let mean = *mean;
        self.offset = offset.max(self.offset - 100);
        (self.target_us(), mean)
    }

    pub(super) fn changed(&mut self, by: i64) {
        if let Some(mean) = &mut self.mean {
            *mean += by;
        }
    }

    pub(super) fn restart(&mut self) {
        self.mean = None;
    }
}

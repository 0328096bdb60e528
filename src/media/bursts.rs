//! Whether what was lost was lost in bursts: the four-state count of RFC 3611, 4.7.2 and A.2, fed packet by packet.

/// So many packets in a row that came end a burst.
pub const GMIN: u32 = 16;

/// Loss, told as bursts and the gaps between them.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Bursts {
    /// Share of the packets lost within bursts and within gaps, 0..=1.
    pub burst_density: f32,
    pub gap_density: f32,
    /// Their mean lengths, packets.
    pub burst_packets: f32,
    pub gap_packets: f32,
}

/// Transitions between: 1 received in a gap, 2 received in a burst, 3 lost in a burst, 4 lost in a gap.
#[derive(Clone, Copy, Debug, Default)]
pub struct BurstCounter {
    /// Received since the last loss; lost in the burst that may be under way.
    received: u32,
    lost: u32,
    c11: u64,
    c13: u64,
    c14: u64,
    c22: u64,
    c23: u64,
    c33: u64,
}

impl BurstCounter {
    pub fn received(&mut self) {
        self.received = self.received.saturating_add(1);
    }

    pub fn lost(&mut self) {
        let received = std::mem::take(&mut self.received);
        if received >= GMIN {
            // A single loss between two long runs belongs to the gap.
            match self.lost {
                1 => self.c14 += 1,
                _ => self.c13 += 1,
            }
            self.lost = 1;
            self.c11 += u64::from(received);
        } else {
            self.lost += 1;
            if received == 0 {
                self.c33 += 1;
            } else {
                self.c23 += 1;
                self.c22 += u64::from(received - 1);
            }
        }
    }

    pub fn bursts(&self) -> Bursts {
        let Self { c11, c13, c14, c22, c23, c33, .. } = *self;
        let share = |part: u64, of: u64| if of == 0 { 0.0 } else { part as f32 / of as f32 };
        // As often into a burst as out of it.
        let (c31, c32) = (c13, c23);
        let total = c11 + c14 + c13 + c22 + c23 + c31 + c32 + c33;
        let p32 = share(c32, c31 + c32 + c33);
        let p23 = if c22 + c23 == 0 { 1.0 } else { 1.0 - share(c22, c22 + c23) };
        let gap = share(c11 + c14 + c13, c13);
        Bursts {
            burst_density: if c13 + c23 + c33 == 0 { 0.0 } else { p23 / (p23 + p32) },
            gap_density: share(c14, c11 + c14),
            burst_packets: (share(total, c13) - gap).max(0.0),
            gap_packets: gap,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(pattern: impl Iterator<Item = bool>) -> Bursts {
        let mut counter = BurstCounter::default();
        pattern.for_each(|came| if came { counter.received() } else { counter.lost() });
        counter.bursts()
    }

    #[test]
    fn single_losses_far_apart_are_no_bursts() {
        let bursts = of((0..10_000).map(|n| n % 100 != 99));
        assert!(bursts.burst_packets <= 1.0, "{bursts:?}");
        assert!((bursts.gap_density - 0.01).abs() < 0.002, "{bursts:?}");
    }

    #[test]
    fn ten_lost_in_a_row_are_one() {
        let bursts = of((0..10_000).map(|n| n % 200 >= 10));
        assert!(bursts.burst_density > 0.95, "{bursts:?}");
        assert!((9.0..=11.0).contains(&bursts.burst_packets), "{bursts:?}");
        assert!((185.0..=195.0).contains(&bursts.gap_packets), "{bursts:?}");
    }

    #[test]
    fn every_other_lost_is_half_a_burst_and_nothing_lost_is_none() {
        let bursts = of((0..4_000).map(|n| n % 100 >= 40 || n % 2 == 0));
        assert!((0.4..=0.6).contains(&bursts.burst_density), "{bursts:?}");
        assert_eq!(of(std::iter::repeat_n(true, 1_000)), Bursts::default());
    }
}

//! Where every way of pressing a key meets, so that a press counts once: many gateways send it as a telephone event
//! and leave the tones in the sound, some add a SIP INFO. Knows neither packets nor sound.
//!
//! A report is matched with the oldest press of the same key that its way has not reported yet, as long as the press is
//! fresh and the way's order is kept. So two ways that both report `1 1` make two presses, not one and not four,
//! whichever of them is quicker, and a report that one of them lost does no harm.

use std::time::{Duration, Instant};

use super::Key;

/// How a press became known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// RTP telephone event (RFC 4733).
    Event,
    /// Tones in the sound (ITU-T Q.23).
    Tones,
    /// SIP INFO.
    Info,
}

impl Way {
    fn bit(self) -> u8 {
        1 << self as u8
    }

    /// How late this way may be behind the others. Tones pass the jitter buffer (200 ms at most) and the detector, an
    /// event may wait for a gateway's detector, and an INFO for its repetition after 500 ms.
    fn patience(self) -> Duration {
        Duration::from_millis(match self {
            Way::Event | Way::Tones => 400,
            Way::Info => 1_000,
        })
    }
}

/// The presses of one leg. Allocates nothing.
#[derive(Debug, Default)]
pub struct Presses {
    /// Newest first.
    recent: [Option<Press>; 16],
}

#[derive(Clone, Copy, Debug)]
struct Press {
    key: Key,
    /// Bits of the ways that have reported it.
    ways: u8,
    /// Last sign of it: a key that is held stays fresh.
    seen: Instant,
}

impl Presses {
    pub fn new() -> Self {
        Self::default()
    }

    /// A press is reported; true when it is a new one, to be counted.
    pub fn report(&mut self, now: Instant, way: Way, key: Key) -> bool {
        let fresh = |press: &Press| now.saturating_duration_since(press.seen) <= way.patience().max(press.patience());
        let unreported = self.recent.iter_mut().flatten().take_while(|press| press.ways & way.bit() == 0);
        if let Some(same) = unreported.filter(|press| press.key == key && fresh(press)).last() {
            same.ways |= way.bit();
            return false;
        }
        self.recent.rotate_right(1);
        self.recent[0] = Some(Press { key, ways: way.bit(), seen: now });
        true
    }

    /// The last press that this way reported still goes on.
    pub fn held(&mut self, now: Instant, way: Way) {
        if let Some(press) = self.recent.iter_mut().flatten().find(|press| press.ways & way.bit() != 0) {
            press.seen = now;
        }
    }

    /// Whether this way has shown a sign of a press a moment ago: what the sound holds of it is no news.
    pub fn is_fresh(&self, now: Instant, way: Way) -> bool {
        let mut presses = self.recent.iter().flatten().filter(|press| press.ways & way.bit() != 0);
        presses.any(|press| now.saturating_duration_since(press.seen) <= way.patience())
    }
}

impl Press {
    /// The slowest way that knows of it already is how far behind it may have been.
    fn patience(&self) -> Duration {
        let ways = [Way::Event, Way::Tones, Way::Info].into_iter();
        ways.filter(|way| self.ways & way.bit() != 0).map(Way::patience).max().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::Way::{Event, Info, Tones};
    use super::*;

    /// Reports as (ms, way, key); gives the presses counted.
    fn counted(reports: &[(u64, Way, char)]) -> String {
        let (mut presses, start) = (Presses::new(), Instant::now());
        let key = |key| Key::new(key).unwrap();
        let new =
            reports.iter().filter(|(ms, way, c)| presses.report(start + Duration::from_millis(*ms), *way, key(*c)));
        new.map(|report| report.2).collect()
    }

    #[test]
    fn one_way_alone_is_counted_as_it_reports() {
        for way in [Event, Tones, Info] {
            assert_eq!(counted(&[(0, way, '1'), (80, way, '1'), (160, way, '2'), (240, way, '1')]), "1121");
        }
    }

    #[test]
    fn two_ways_that_report_the_same_count_once() {
        for (quick, slow) in [(Event, Tones), (Tones, Event), (Info, Event), (Event, Info), (Tones, Info)] {
            for late in [0, 60, 150, 390] {
                let mut reports = Vec::new();
                for (n, key) in "1122#1".chars().enumerate() {
                    let ms = n as u64 * 100;
                    reports.extend([(ms, quick, key), (ms + late, slow, key)]);
                }
                reports.sort_by_key(|report| report.0);
                assert_eq!(counted(&reports), "1122#1", "{slow:?} {late} ms behind {quick:?}");
            }
        }
    }

    #[test]
    fn all_three_ways_count_once() {
        assert_eq!(counted(&[(0, Event, '5'), (70, Tones, '5'), (600, Info, '5'), (700, Event, '5')]), "55");
    }

    #[test]
    fn what_one_way_lost_the_other_counts() {
        // The second press is no event, the third has no tones.
        let reports = [(0, Event, '1'), (60, Tones, '1'), (360, Tones, '2'), (600, Event, '3'), (900, Event, '4')];
        assert_eq!(counted(&reports), "1234");
    }

    #[test]
    fn an_old_press_takes_nothing_more() {
        assert_eq!(counted(&[(0, Event, '1'), (500, Tones, '1')]), "11");
        assert_eq!(counted(&[(0, Event, '1'), (1_100, Info, '1')]), "11");
    }

    #[test]
    fn a_key_held_for_long_is_still_one_press() {
        let (mut presses, start, key) = (Presses::new(), Instant::now(), Key::new('9').unwrap());
        let at = |ms| start + Duration::from_millis(ms);
        assert!(presses.report(at(0), Event, key));
        (0..5_000).step_by(20).for_each(|ms| presses.held(at(ms), Event));
        assert!(!presses.report(at(5_300), Info, key), "some phones send INFO when the key is let go");
        assert!(presses.is_fresh(at(5_300), Event) && !presses.is_fresh(at(5_500), Event));
        assert!(presses.report(at(5_400), Event, key));
    }

    #[test]
    fn more_presses_than_are_remembered() {
        let keys = "123456789*0#ABCD".repeat(5);
        let reports: Vec<_> = keys.chars().enumerate().map(|(n, key)| (n as u64 * 2, Tones, key)).collect();
        assert_eq!(counted(&reports), keys);
    }
}

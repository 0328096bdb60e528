//! Calls by half-hour of the days to come, from those of the past: a day's calls times each half-hour's share of them.
//!
//! The day's calls are level, trend, weekday, holiday and the day after one, which multiply; they are found by Poisson
//! regression (P. McCullagh and J. Nelder, "Generalized Linear Models", 1989: iterated weighted least squares), in which
//! older days count less. The shares are those of the same weekday, drawn towards those of all days as far as there are
//! few calls to tell. That day volume and day profile multiply is the model of J. Weinberg, L. Brown and J. Stroud, "Bayesian forecasting of an inhomogeneous Poisson process with applications to call center
//! data", JASA 102 (2007); on its rank among others R. Ibrahim, H. Ye, P. L'Ecuyer and H. Shen, "Modeling and
//! forecasting call center arrivals", Int. J. of Forecasting 32 (2016).

use std::collections::{BTreeMap, BTreeSet};

use chrono::{Datelike, NaiveDate};

use super::erlang::{Staffing, Target, staff};

/// Half-hours of a day.
pub const SLOTS: usize = 48;
/// A half-hour, s.
pub const SLOT_S: f64 = 1_800.0;
/// Days needed before anything is forecast: every weekday twice.
const ENOUGH_DAYS: usize = 14;
/// A day so long ago counts half, days.
const HALF_LIFE: f64 = 84.0;
/// The profile of all days counts as so many calls of a weekday.
const PROFILE_CALLS: f64 = 300.0;
/// What is known of an effect beforehand: that it is probably small. It counts as so many calls.
const RIDGE: f64 = 20.0;
/// No trend beyond this a day is believed (the logarithm; tenfold in half a year).
const STEEPEST: f64 = 0.0128;
/// Nor continued longer than this, days.
const AHEAD: f64 = 92.0;

/// Steps of the regression; it is at rest after five or six.
const ROUNDS: usize = 10;
/// No day has more calls than e to this.
const MOST: f64 = 20.0;
/// Level, trend, six weekdays beside Monday, holiday, the day after one.
const EFFECTS: usize = 10;

/// What came in the past: each day's calls by half-hour of local time. Days that are missing are unknown, not empty.
#[derive(Clone, Debug, Default)]
pub struct Past {
    pub days: BTreeMap<NaiveDate, [u32; SLOTS]>,
    /// Holidays, past and to come.
    pub holidays: BTreeSet<NaiveDate>,
}

/// What is learned of it.
#[derive(Clone, Debug)]
pub struct Forecast {
    last: NaiveDate,
    effects: [f64; EFFECTS],
    /// By weekday, Monday first: each half-hour's share of the day.
    profiles: [[f64; SLOTS]; 7],
    holidays: BTreeSet<NaiveDate>,
}

impl Forecast {
    /// Learns from the past; `None` when it has fewer than 14 days, or no calls.
    pub fn learn(past: &Past) -> Option<Self> {
        let (last, _) = past.days.last_key_value()?;
        let total = |day: &[u32; SLOTS]| day.iter().map(|&calls| f64::from(calls)).sum::<f64>();
        if past.days.len() < ENOUGH_DAYS || past.days.values().all(|day| total(day) == 0.0) {
            return None;
        }
        let days = past.days.iter();
        let days = days.map(|(date, day)| Observed {
            x: Self::row(*date, *last, &past.holidays),
            calls: total(day),
            weight: age(*date, *last),
        });
        let mut effects = regress(&days.collect::<Vec<_>>())?;
        effects[1] = effects[1].clamp(-STEEPEST * TREND_DAYS, STEEPEST * TREND_DAYS);
        Some(Self { last: *last, effects, profiles: profiles(past, *last), holidays: past.holidays.clone() })
    }

    /// The calls to expect in each half-hour of a day.
    pub fn day(&self, date: NaiveDate) -> [f64; SLOTS] {
        let x = Self::row(date, self.last, &self.holidays);
        let log: f64 = x.iter().zip(&self.effects).map(|(x, effect)| x * effect).sum();
        let calls = log.min(MOST).exp();
        self.profiles[date.weekday().num_days_from_monday() as usize].map(|share| calls * share)
    }

    /// The agents that each half-hour of a day needs when a call keeps one for `handling_s` (`Floor::handling_ms` has
    /// what callers are told by). `None` as `erlang::staff`.
    pub fn staffing(&self, date: NaiveDate, handling_s: f64, target: Target) -> Option<Vec<Staffing>> {
        self.day(date).iter().map(|&calls| staff(calls, SLOT_S, handling_s, target)).collect()
    }

    fn row(date: NaiveDate, last: NaiveDate, holidays: &BTreeSet<NaiveDate>) -> [f64; EFFECTS] {
        let mut x = [0.0; EFFECTS];
        x[0] = 1.0;
        x[1] = ((date - last).num_days() as f64).min(AHEAD) / TREND_DAYS;
        let holiday = holidays.contains(&date);
        match date.weekday().num_days_from_monday() as usize {
            0 => {}
            weekday => x[1 + weekday] = 1.0,
        }
        x[8] = f64::from(u8::from(holiday));
        let after = date.pred_opt().is_some_and(|before| holidays.contains(&before));
        x[9] = f64::from(u8::from(after && !holiday));
        x
    }
}

/// The trend is counted in these, so that it is of the size of the other effects, days.
const TREND_DAYS: f64 = 91.0;

fn age(date: NaiveDate, last: NaiveDate) -> f64 {
    0.5_f64.powf((last - date).num_days() as f64 / HALF_LIFE)
}

fn profiles(past: &Past, last: NaiveDate) -> [[f64; SLOTS]; 7] {
    let mut all = [0.0; SLOTS];
    let mut by_weekday = [[0.0; SLOTS]; 7];
    for (date, day) in &past.days {
        let weekday = &mut by_weekday[date.weekday().num_days_from_monday() as usize];
        for slot in 0..SLOTS {
            let calls = f64::from(day[slot]) * age(*date, last);
            weekday[slot] += calls;
            all[slot] += calls;
        }
    }
    let sum: f64 = all.iter().sum(); // some day has calls
    by_weekday.map(|weekday| {
        let own: f64 = weekday.iter().sum();
        std::array::from_fn(|slot| (weekday[slot] + PROFILE_CALLS * all[slot] / sum) / (own + PROFILE_CALLS))
    })
}

struct Observed {
    x: [f64; EFFECTS],
    calls: f64,
    weight: f64,
}

/// The effects under which the days seen are likeliest, drawn towards none.
fn regress(days: &[Observed]) -> Option<[f64; EFFECTS]> {
    let mut effects: Option<[f64; EFFECTS]> = None;
    for _ in 0..ROUNDS {
        let mut normal = [[0.0; EFFECTS]; EFFECTS];
        let mut right = [0.0; EFFECTS];
        for (i, row) in normal.iter_mut().enumerate().skip(1) {
            row[i] = RIDGE;
        }
        for day in days {
            let log = match &effects {
                Some(effects) => {
                    day.x.iter().zip(effects).map(|(x, effect)| x * effect).sum::<f64>().clamp(-MOST, MOST)
                }
                None => (day.calls + 0.5).ln(),
            };
            let mean = log.exp();
            let weight = day.weight * mean;
            let towards = log + (day.calls - mean) / mean;
            for (i, (row, right)) in normal.iter_mut().zip(&mut right).enumerate() {
                *right += weight * day.x[i] * towards;
                for (cell, x) in row.iter_mut().zip(&day.x) {
                    *cell += weight * day.x[i] * x;
                }
            }
        }
        effects = Some(solve(normal, right)?);
    }
    effects
}

/// Gauss with pivots; `None` when the rows do not tell the effects apart.
fn solve(mut a: [[f64; EFFECTS]; EFFECTS], mut b: [f64; EFFECTS]) -> Option<[f64; EFFECTS]> {
    for i in 0..EFFECTS {
        let pivot = (i..EFFECTS).max_by(|&p, &q| a[p][i].abs().total_cmp(&a[q][i].abs()))?;
        a.swap(i, pivot);
        b.swap(i, pivot);
        if a[i][i].abs() < 1e-12 {
            return None;
        }
        let (upper, lower) = a.split_at_mut(i + 1);
        for (offset, row) in lower.iter_mut().enumerate() {
            let factor = row[i] / upper[i][i];
            for (x, y) in row.iter_mut().zip(&upper[i]).skip(i) {
                *x -= factor * y;
            }
            b[i + 1 + offset] -= factor * b[i];
        }
    }
    let mut x = [0.0; EFFECTS];
    for i in (0..EFFECTS).rev() {
        let known: f64 = (i + 1..EFFECTS).map(|j| a[i][j] * x[j]).sum();
        x[i] = (b[i] - known) / a[i][i];
    }
    Some(x)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A call centre's days: trend, weekday, holidays, the day's shape, and chance.
    struct Generated {
        past: Past,
        first: NaiveDate,
        expected: BTreeMap<NaiveDate, [f64; SLOTS]>,
    }

    /// SplitMix64 (Steele, Lea, Flood 2014).
    struct Chance(u64);

    impl Chance {
        fn next(&mut self) -> f64 {
            self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
            let mut z = self.0;
            z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
            z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
            ((z ^ (z >> 31)) >> 11) as f64 / (1_u64 << 53) as f64
        }

        fn poisson(&mut self, mean: f64) -> u32 {
            let (limit, mut product, mut count) = ((-mean).exp(), self.next(), 0);
            while product > limit {
                product *= self.next();
                count += 1;
            }
            count
        }
    }

    fn generate(seed: u64, days: u64) -> Generated {
        let mut chance = Chance(seed);
        let first = NaiveDate::from_ymd_opt(2024, 1, 1).unwrap();
        let trend = (chance.next() - 0.4) * 0.006;
        let weekdays: [f64; 7] =
            std::array::from_fn(|day| [1.2, 1.0, 1.0, 0.95, 0.9, 0.4, 0.25][day] * (0.9 + 0.2 * chance.next()));
        let level = 300.0 + 500.0 * chance.next();
        let holiday = 0.2 + 0.4 * chance.next();
        let mut past = Past::default();
        for _ in 0..days / 18 {
            past.holidays.insert(first + chrono::Days::new((chance.next() * days as f64) as u64));
        }
        let mut expected = BTreeMap::new();
        for n in 0..days {
            let date = first + chrono::Days::new(n);
            let weekday = date.weekday().num_days_from_monday() as usize;
            let mut calls = level * (trend * n as f64).exp() * weekdays[weekday];
            if past.holidays.contains(&date) {
                calls *= holiday;
            } else if past.holidays.contains(&date.pred_opt().unwrap()) {
                calls *= 1.25;
            }
            calls *= 1.0 + 0.08 * (chance.next() + chance.next() - 1.0); // what no model knows
            let shape: [f64; SLOTS] = std::array::from_fn(|slot| {
                let hour = slot as f64 / 2.0;
                let peak = |at: f64, width: f64| (-((hour - at) / width).powi(2)).exp();
                let open = if (8.0..20.0).contains(&hour) { 1.0 } else { 0.02 };
                open * (0.2 + peak(10.5, 1.8) + peak(if weekday < 5 { 15.0 } else { 13.0 }, 2.2))
            });
            let sum: f64 = shape.iter().sum();
            let day = shape.map(|share| calls * share / sum);
            past.days.insert(date, day.map(|mean| chance.poisson(mean)));
            expected.insert(date, day);
        }
        Generated { past, first, expected }
    }

    /// Sum of absolute errors against the calls that came.
    fn errors(generated: &Generated, from: u64, to: u64, forecast: impl Fn(NaiveDate) -> [f64; SLOTS]) -> f64 {
        (from..to)
            .map(|n| {
                let date = generated.first + chrono::Days::new(n);
                let came = &generated.past.days[&date];
                forecast(date).iter().zip(came).map(|(f, c)| (f - f64::from(*c)).abs()).sum::<f64>()
            })
            .sum()
    }

    /// Each week is forecast from the weeks before it.
    fn rolling(generated: &Generated, weeks: u64, learn: impl Fn(&Past) -> Forecast) -> (f64, f64) {
        let days = generated.past.days.len() as u64;
        let (mut ours, mut naive) = (0.0, 0.0);
        for week in (0..weeks).rev() {
            let from = days - 7 * (week + 1);
            let mut past = generated.past.clone();
            past.days = past.days.into_iter().take(from as usize).collect();
            let forecast = learn(&past);
            ours += errors(generated, from, from + 7, |date| forecast.day(date));
            naive += errors(generated, from, from + 7, |date| {
                generated.past.days[&(date - chrono::Days::new(7))].map(f64::from)
            });
        }
        (ours, naive)
    }

    #[test]
    fn better_than_the_same_half_hour_last_week() {
        let mut worst = 0.0_f64;
        for seed in 0..20 {
            let generated = generate(seed, 200 + 20 * seed);
            let (ours, naive) = rolling(&generated, 8, |past| Forecast::learn(past).unwrap());
            worst = worst.max(ours / naive);
            assert!(ours < 0.85 * naive, "seed {seed}: {ours} of {naive}");
        }
        println!("error beside that of last week, worst of 20: {worst:.3}");
    }

    #[test]
    fn who_knows_no_holidays_does_worse() {
        let (mut with, mut without) = (0.0, 0.0);
        for seed in 0..10 {
            let generated = generate(seed, 300);
            with += rolling(&generated, 8, |past| Forecast::learn(past).unwrap()).0;
            without += rolling(&generated, 8, |past| {
                Forecast::learn(&Past { holidays: BTreeSet::new(), ..past.clone() }).unwrap()
            })
            .0;
        }
        assert!(with < without, "{with} against {without}");
    }

    #[test]
    fn trend_weekday_and_holiday_are_found() {
        let generated = generate(3, 364);
        let mut past = generated.past.clone();
        past.days = past.days.into_iter().take(336).collect();
        let forecast = Forecast::learn(&past).unwrap();
        let (mut found, mut wanted) = (0.0, 0.0);
        for n in 336..364 {
            let date = generated.first + chrono::Days::new(n);
            let (day, expected): (f64, f64) = (forecast.day(date).iter().sum(), generated.expected[&date].iter().sum());
            assert!((day / expected - 1.0).abs() < 0.3, "{date}: {day} of {expected}");
            found += day;
            wanted += expected;
        }
        assert!((found / wanted - 1.0).abs() < 0.1, "{found} of {wanted}");
        let staffing = forecast.staffing(generated.first + chrono::Days::new(340), 240.0, Target::default()).unwrap();
        assert!(staffing[21].agents > staffing[40].agents && staffing[40].agents <= 2, "{staffing:?}");
    }

    #[test]
    fn too_little_is_no_forecast() {
        let generated = generate(1, 13);
        assert!(Forecast::learn(&generated.past).is_none());
        let mut empty = generate(1, 30).past;
        empty.days.values_mut().for_each(|day| *day = [0; SLOTS]);
        assert!(Forecast::learn(&empty).is_none());
        // A day that never has calls has none to come.
        let mut closed = generate(1, 100).past;
        for (date, day) in &mut closed.days {
            if date.weekday() == chrono::Weekday::Sun {
                *day = [0; SLOTS];
            }
        }
        let forecast = Forecast::learn(&closed).unwrap();
        let sunday = NaiveDate::from_ymd_opt(2024, 4, 14).unwrap();
        assert!(forecast.day(sunday).iter().sum::<f64>() < 40.0, "{:?}", forecast.day(sunday).iter().sum::<f64>());
    }
}

//! The day ahead for the wall: the calls to expect of each queue by half-hour, and the agents they need, by what announcements
//! take a conversation to last.

use std::collections::BTreeMap;

use chrono::{DateTime, Days, NaiveDate, Timelike, Utc};
use chrono_tz::Tz;
use serde_json::{Value, json};

use crate::acd::erlang::{Target, staff};
use crate::acd::forecast::{Forecast, Past, SLOT_S, SLOTS};

/// Which half-hour of its day this is.
pub fn slot(local: &impl Timelike) -> usize {
    (local.hour() * 2 + local.minute() / 30) as usize % SLOTS
}

/// Calls to expect on one day, by queue and half-hour; queues with too little past are not in it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Outlook {
    pub date: NaiveDate,
    pub queues: BTreeMap<String, [f64; SLOTS]>,
}

impl Outlook {
    /// From when callers were sent to each queue. Days without any were quiet, from the first of all queues on; the day
    /// itself is not over, and teaches nothing.
    pub fn learn(sent: &BTreeMap<String, Vec<DateTime<Utc>>>, zone: Tz, date: NaiveDate) -> Self {
        let local = |at: &DateTime<Utc>| at.with_timezone(&zone).naive_local();
        let first = sent.values().flatten().map(|at| local(at).date()).min().unwrap_or(date);
        let days = |first: NaiveDate| first.iter_days().take_while(move |day| *day < date);
        let queues = sent.iter().filter_map(|(queue, moments)| {
            let mut past = Past { days: days(first).map(|day| (day, [0; SLOTS])).collect(), ..Past::default() };
            for at in moments.iter().map(local) {
                if let Some(day) = past.days.get_mut(&at.date()) {
                    day[slot(&at)] += 1;
                }
            }
            Some((queue.clone(), Forecast::learn(&past)?.day(date)))
        });
        Self { date, queues: queues.collect() }
    }

    /// Agents that a queue needs in a half-hour, where a conversation keeps one for `handling_ms`.
    pub fn needs(&self, queue: &str, slot: usize, handling_ms: Option<u64>) -> Option<usize> {
        agents(self.queues.get(queue)?[slot], handling_ms? as f64 / 1e3)
    }

    /// The whole day, all queues together: calls, and the agents they need if each could take every call.
    pub fn json(&self, handling_ms: &BTreeMap<String, u64>) -> Value {
        let calls: Vec<f64> = (0..SLOTS).map(|slot| self.queues.values().map(|day| day[slot]).sum()).collect();
        let needed = (0..SLOTS).map(|slot| {
            let known =
                self.queues.iter().filter_map(|(queue, day)| Some((day[slot], *handling_ms.get(queue)? as f64 / 1e3)));
            let (calls, work) = known.fold((0.0, 0.0), |(calls, work), (n, each)| (calls + n, work + n * each));
            if calls > 0.0 { agents(calls, work / calls) } else { None }
        });
        json!({ "date": self.date, "calls": calls, "agents": needed.collect::<Vec<_>>() })
    }
}

fn agents(calls: f64, handling_s: f64) -> Option<usize> {
    // Less than a tenth of a call is none.
    let calls = if calls < 0.1 { 0.0 } else { calls };
    staff(calls, SLOT_S, handling_s, Target::default()).map(|staffing| staffing.agents)
}

/// The day before which history is of no use to a forecast.
pub fn since(now: DateTime<Utc>) -> DateTime<Utc> {
    now.checked_sub_days(Days::new(7 * 26)).unwrap_or(now)
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::TimeZone;

    #[test]
    fn a_steady_past_is_expected_again_and_staffed() {
        let zone = chrono_tz::Europe::London;
        let today = NaiveDate::from_ymd_opt(2026, 6, 24).unwrap();
        // Twenty callers from ten to half past, every day for eight weeks, by the clock on the wall.
        let moments = (1..=56).rev().flat_map(|ago| {
            let day = today - Days::new(ago);
            (0..20).map(move |n| zone.from_local_datetime(&day.and_hms_opt(10, n, 0).unwrap()).unwrap().to_utc())
        });
        let sent = [("desk".to_owned(), moments.collect()), ("new".to_owned(), vec![])].into();
        let outlook = Outlook::learn(&sent, zone, today);
        let day = outlook.queues["desk"];
        assert!((day[20] - 20.0).abs() < 2.0, "{day:?}");
        assert!(day.iter().sum::<f64>() - day[20] < 0.5, "{day:?}");
        assert!(!outlook.queues.contains_key("new"));
        // 20 calls of 3 minutes in half an hour are two erlangs: four agents answer 80 % in 20 s.
        assert_eq!(outlook.needs("desk", 20, Some(180_000)), Some(4));
        assert_eq!(outlook.needs("desk", 3, Some(180_000)), Some(0));
        assert_eq!(outlook.needs("desk", 20, None), None, "nobody knows what a conversation takes");
        let json = outlook.json(&[("desk".to_owned(), 180_000)].into());
        assert_eq!((&json["agents"][20], json["calls"].as_array().unwrap().len()), (&json!(4), 48));
    }

    #[test]
    fn too_little_is_no_outlook() {
        let today = NaiveDate::from_ymd_opt(2026, 6, 24).unwrap();
        let sent = [("desk".to_owned(), vec![(today - Days::new(9)).and_hms_opt(9, 0, 0).unwrap().and_utc()])].into();
        assert_eq!(Outlook::learn(&sent, chrono_tz::UTC, today).queues.len(), 0);
    }
}

//! Opening hours: is it open at this instant, by the clock on that wall?

use chrono::{DateTime, Datelike, Timelike, Utc};

use super::flow::Hours;

impl Hours {
    /// Whether `at` falls into the hours: converted to the zone with the daylight-saving rules of that day. A span
    /// that ends at or before its start runs past midnight; it belongs to the day on which it begins.
    pub fn open_at(&self, at: DateTime<Utc>) -> bool {
        let local = at.with_timezone(&self.zone);
        let minute = (local.hour() * 60 + local.minute()) as u16; // below 1440
        let today = local.date_naive();
        let here = !self.closed.contains(&today)
            && self.spans(today).iter().any(|&(from, to)| minute >= from && (minute < to || to <= from));
        let since_yesterday = today.pred_opt().is_some_and(|yesterday| {
            !self.closed.contains(&yesterday)
                && self.spans(yesterday).iter().any(|&(from, to)| to <= from && minute < to)
        });
        here || since_yesterday
    }

    fn spans(&self, day: chrono::NaiveDate) -> &[(u16, u16)] {
        &self.week[day.weekday().num_days_from_monday() as usize]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::NaiveDate;

    fn hours(zone: &str, spans: &[(u16, u16)]) -> Hours {
        let mut week: [Vec<(u16, u16)>; 7] = Default::default();
        for day in week.iter_mut().take(5) {
            *day = spans.to_vec();
        }
        Hours { zone: zone.parse().unwrap(), week, closed: vec![NaiveDate::from_ymd_opt(2026, 12, 25).unwrap()] }
    }

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    #[test]
    fn nine_to_five_in_berlin_follows_daylight_saving() {
        let hours = hours("Europe/Berlin", &[(9 * 60, 17 * 60)]);
        // Winter: UTC+1. Summer: UTC+2. The change was on 29 March 2026.
        assert!(!hours.open_at(at("2026-03-27T07:30:00Z")));
        assert!(hours.open_at(at("2026-03-27T08:00:00Z")));
        assert!(hours.open_at(at("2026-03-30T07:30:00Z")));
        assert!(!hours.open_at(at("2026-03-30T15:00:00Z")));
    }

    #[test]
    fn the_day_is_the_zones_own() {
        let hours = hours("Asia/Shanghai", &[(8 * 60, 12 * 60)]);
        assert!(hours.open_at(at("2026-11-23T00:30:00Z")), "Monday 08:30 in Shanghai");
        assert!(hours.open_at(at("2026-11-22T23:59:00Z").checked_add_signed(chrono::TimeDelta::minutes(1)).unwrap()));
        assert!(!hours.open_at(at("2026-11-22T02:00:00Z")), "Sunday");
        assert!(!hours.open_at(at("2026-12-25T02:00:00Z")), "closed that day");
    }

    #[test]
    fn a_night_shift_runs_past_midnight() {
        let hours = hours("UTC", &[(22 * 60, 6 * 60)]);
        assert!(hours.open_at(at("2026-11-20T23:00:00Z")), "Friday night");
        assert!(hours.open_at(at("2026-11-21T05:59:00Z")), "into Saturday");
        assert!(!hours.open_at(at("2026-11-21T06:00:00Z")) && !hours.open_at(at("2026-11-21T23:00:00Z")));
        let all_day = self::hours("UTC", &[(0, 24 * 60)]);
        assert!(all_day.open_at(at("2026-11-20T23:59:59Z")) && !all_day.open_at(at("2026-11-21T00:00:00Z")));
    }
}

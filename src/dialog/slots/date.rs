//! Dates as people say them: "the third of November", "November 3rd, twenty twenty-six", "next Tuesday", "in two weeks",
//! 二零二六年十一月三号, 下周二, 后天; and as recognisers write them (`11/3/2026` is November 3rd, as Americans write;
//! where the first cannot be a month, the day). Weeks begin on Monday: on a Monday, "next Tuesday" and 下周二 are eight
//! days off, "Tuesday" and "this Tuesday" are tomorrow. A weekday alone is the next one, never today.

use chrono::{Datelike, Days, Months, NaiveDate};

use super::super::numerals::{self, MONTHS};
use super::number::{cardinal, mandarin};

/// The date that begins here and how many words it takes. One without a year is the next such date from `today` on, or
/// with `past` the last one up to `today`.
pub fn date(words: &[&str], today: NaiveDate, past: bool) -> Option<(NaiveDate, usize)> {
    let at = Reader { today, past };
    [at.numeric(words), at.relative(words), at.by_weekday(words), at.english(words), at.mandarin(words)]
        .into_iter()
        .flatten()
        .max_by_key(|(_, length)| *length)
}

const WEEKDAYS: [&str; 7] = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];

fn month(word: &str) -> Option<u32> {
    let short = |name: &&str| name.get(..word.len()).is_some_and(|start| start.eq_ignore_ascii_case(word));
    let known = || MONTHS.iter().position(short).filter(|_| matches!(word.len(), 3..=4)).map(|at| at as u32 + 1);
    numerals::month(word).or_else(known)
}

fn weekday(word: &str) -> Option<u32> {
    let word = word.strip_suffix('s').filter(|word| word.len() > 5).unwrap_or(word);
    let known = |name: &&str| *name == word || (matches!(word.len(), 3..=4) && name.starts_with(word));
    WEEKDAYS.iter().position(known).map(|at| at as u32)
}

/// "third", "twenty first", "3rd", and the number of words.
fn ordinal(words: &[&str]) -> Option<(u32, usize)> {
    const ORDINALS: [&str; 20] = [
        "first",
        "second",
        "third",
        "fourth",
        "fifth",
        "sixth",
        "seventh",
        "eighth",
        "ninth",
        "tenth",
        "eleventh",
        "twelfth",
        "thirteenth",
        "fourteenth",
        "fifteenth",
        "sixteenth",
        "seventeenth",
        "eighteenth",
        "nineteenth",
        "twentieth",
    ];
    let first = words.first()?;
    let written = ["st", "nd", "rd", "th"].iter().find_map(|end| first.strip_suffix(end)?.parse().ok());
    if let Some(n) = written {
        return Some((n, 1));
    }
    let spelled = |word: &str| ORDINALS.iter().position(|known| *known == word).map(|at| at as u32 + 1);
    let tens = match *first {
        "twenty" => 20,
        "thirty" => 30,
        "thirtieth" => return Some((30, 1)),
        _ => return spelled(first).map(|n| (n, 1)),
    };
    words.get(1).and_then(|word| spelled(word)).filter(|n| *n < 10).map(|n| (tens + n, 2))
}

/// A day of the month: "third", "the 3rd", "three".
fn day(words: &[&str]) -> Option<(u32, usize)> {
    let skip = usize::from(words.first() == Some(&"the"));
    let rest = words.get(skip..)?;
    let (n, length) =
        ordinal(rest).or_else(|| cardinal(rest).and_then(|(n, length)| Some((u32::try_from(n).ok()?, length))))?;
    (1..=31).contains(&n).then_some((n, length + skip))
}

/// "2026", "twenty twenty six", "two thousand and six", "nineteen eighty".
fn year(words: &[&str]) -> Option<(i32, usize)> {
    let skip = usize::from(matches!(words.first(), Some(&"of" | &"in")));
    let rest = words.get(skip..)?;
    let (n, length) = cardinal(rest)?;
    if (1900..2100).contains(&n) {
        return Some((n as i32, length + skip));
    }
    if matches!(n, 19 | 20) && length == 1 {
        let tail = rest.get(1..)?;
        let (low, more) = match tail {
            ["oh" | "o", digit, ..] => (cardinal(&[digit])?.0, 2),
            _ => cardinal(tail).filter(|(low, _)| (10..100).contains(low))?,
        };
        return Some(((n * 100 + low) as i32, skip + 1 + more));
    }
    None
}

struct Reader {
    today: NaiveDate,
    past: bool,
}

impl Reader {
    /// The year that is meant where none is said.
    fn in_some_year(&self, month: u32, day: u32) -> Option<NaiveDate> {
        let years = self.today.year()..=self.today.year() + 8; // for February 29th
        let mut dates = years.filter_map(|year| NaiveDate::from_ymd_opt(year, month, day));
        match self.past {
            false => dates.find(|date| *date >= self.today),
            true => (self.today.year() - 8..=self.today.year())
                .rev()
                .filter_map(|year| NaiveDate::from_ymd_opt(year, month, day))
                .find(|date| *date <= self.today),
        }
    }

    /// A year of two digits: the nearest one, or the last one where the past is asked for.
    fn in_some_century(&self, year: i32, month: u32, day: u32) -> Option<NaiveDate> {
        let fits = |date: &NaiveDate| match self.past {
            true => *date <= self.today,
            false => date.year() < self.today.year() + 50,
        };
        let century = self.today.year() / 100 * 100;
        let years = [century + 100, century, century - 100].into_iter().map(|century| century + year);
        years.filter_map(|year| NaiveDate::from_ymd_opt(year, month, day)).find(fits)
    }

    /// The year after a day and its month, as a date: "2026", "of next year", and of a birth "sixty five".
    fn with_year(&self, words: &[&str], month: u32, day: u32) -> Option<(NaiveDate, usize)> {
        let of = usize::from(words.first() == Some(&"of"));
        let this = self.today.year();
        let said = match words.get(of..)? {
            ["next", "year", ..] => Some(this + 1),
            ["this", "year", ..] => Some(this),
            ["last", "year", ..] => Some(this - 1),
            _ => None,
        };
        if let Some(year) = said {
            return NaiveDate::from_ymd_opt(year, month, day).map(|date| (date, of + 2));
        }
        if let Some((year, length)) = year(words) {
            return NaiveDate::from_ymd_opt(year, month, day).map(|date| (date, length));
        }
        let (year, length) = match words.get(of..)? {
            _ if !self.past => return None, // what follows may count anything
            ["oh" | "o", digit, ..] => (cardinal(&[digit])?.0, 2),
            rest => cardinal(rest).filter(|(year, _)| (10..100).contains(year))?,
        };
        let date = self.in_some_century(i32::try_from(year).ok()?, month, day)?;
        Some((date, of + length))
    }

    /// A day of the month alone.
    fn in_some_month(&self, day: u32) -> Option<NaiveDate> {
        let first = self.today.with_day(1)?;
        let month = |n| match self.past {
            false => first.checked_add_months(Months::new(n)),
            true => first.checked_sub_months(Months::new(n)),
        };
        let fits = |date: &NaiveDate| if self.past { *date <= self.today } else { *date >= self.today };
        (0..4).filter_map(month).filter_map(|first| first.with_day(day)).find(fits)
    }

    /// Monday of the week that is `weeks` from this one.
    fn week(&self, weeks: i64) -> Option<NaiveDate> {
        let days = weeks * 7 - i64::from(self.today.weekday().num_days_from_monday());
        self.today.checked_add_signed(chrono::TimeDelta::days(days))
    }

    fn days(&self, days: i64) -> Option<NaiveDate> {
        self.today.checked_add_signed(chrono::TimeDelta::try_days(days)?)
    }

    /// The next such weekday after today (the last one before, where the past is asked for).
    fn coming(&self, weekday: u32) -> Option<NaiveDate> {
        let off = (7 + i64::from(weekday) - i64::from(self.today.weekday().num_days_from_monday())) % 7;
        match (self.past, off) {
            (false, 0) => self.days(7),
            (false, off) => self.days(off),
            (true, off) => self.days(off - 7),
        }
    }

    /// `2026-11-03`, `11/3/2026`, `3.11.2026`, `11/3`.
    fn numeric(&self, words: &[&str]) -> Option<(NaiveDate, usize)> {
        let word = words.first()?;
        let parts: Vec<u32> = word.split(['-', '/', '.']).map(|part| part.parse().ok()).collect::<Option<_>>()?;
        let american = word.contains('/');
        let date = match *parts.as_slice() {
            [year, month, day] if year >= 1900 => NaiveDate::from_ymd_opt(year as i32, month, day),
            [a, b, year] => {
                let (month, day) = if american && a <= 12 { (a, b) } else { (b, a) };
                match year {
                    ..100 => self.in_some_century(year as i32, month, day),
                    year => NaiveDate::from_ymd_opt(i32::try_from(year).ok()?, month, day),
                }
            }
            [a, b] if american => {
                let (month, day) = if a <= 12 { (a, b) } else { (b, a) };
                self.in_some_year(month, day)
            }
            _ => None,
        };
        date.map(|date| (date, 1))
    }

    fn relative(&self, words: &[&str]) -> Option<(NaiveDate, usize)> {
        const FIXED: &[(&[&str], i64)] = &[
            (&["the", "day", "after", "tomorrow"], 2),
            (&["day", "after", "tomorrow"], 2),
            (&["the", "day", "before", "yesterday"], -2),
            (&["a", "week", "from", "today"], 7),
            (&["a", "week", "from", "tomorrow"], 8),
            (&["today"], 0),
            (&["tonight"], 0),
            (&["tomorrow"], 1),
            (&["yesterday"], -1),
            (&["今", "天"], 0),
            (&["今", "日"], 0),
            (&["今", "晚"], 0),
            (&["明", "天"], 1),
            (&["明", "日"], 1),
            (&["明", "晚"], 1),
            (&["明", "早"], 1),
            (&["大", "后", "天"], 3),
            (&["大", "後", "天"], 3),
            (&["后", "天"], 2),
            (&["後", "天"], 2),
            (&["昨", "天"], -1),
            (&["大", "前", "天"], -3),
            (&["前", "天"], -2),
        ];
        if let Some((phrase, days)) = FIXED.iter().find(|(phrase, _)| words.starts_with(phrase)) {
            return Some((self.days(*days)?, phrase.len()));
        }
        // "in two weeks", "two weeks from now", "three days ago", 三天后.
        let into = usize::from(words.first() == Some(&"in"));
        let rest = words.get(into..)?;
        let (n, length) = match rest {
            ["a" | "one", ..] => (1, 1),
            _ => cardinal(rest)?,
        };
        let n = i64::try_from(n).ok().filter(|n| *n <= 1_000)?;
        let after = rest.get(length..)?;
        let (unit, more) = match after {
            ["day" | "days", ..] => (1, 1),
            ["week" | "weeks", ..] => (7, 1),
            ["天", ..] => (1, 1),
            ["周", ..] | ["週", ..] => (7, 1),
            ["个" | "個", "星" | "礼" | "禮", "期" | "拜", ..] => (7, 3),
            _ => return None,
        };
        let so_far = into + length + more;
        let (forward, tail) = match words.get(so_far..)? {
            ["from", "now" | "today", ..] => (true, 2),
            // "a week from Tuesday", "a week on Friday", "two days after the third".
            ["from" | "on" | "after", rest @ ..] => {
                let (date, more) = self.by_weekday(rest).or_else(|| self.english(rest))?;
                let date = date.checked_add_signed(chrono::TimeDelta::try_days(n * unit)?)?;
                return Some((date, so_far + 1 + more));
            }
            ["ago", ..] => (false, 1),
            ["以" | "之", "后" | "後", ..] => (true, 2),
            ["后" | "後", ..] => (true, 1),
            ["以" | "之", "前", ..] => (false, 2),
            ["前", ..] => (false, 1),
            _ if into == 1 => (true, 0),
            _ => return None,
        };
        Some((self.days(if forward { n * unit } else { -n * unit })?, so_far + tail))
    }

    fn by_weekday(&self, words: &[&str]) -> Option<(NaiveDate, usize)> {
        let skip = usize::from(matches!(words.first(), Some(&"on")));
        let rest = words.get(skip..)?;
        let (weeks, length) = match rest {
            ["next", ..] => (Some(1), 1),
            ["last", ..] => (Some(-1), 1),
            ["this" | "coming", ..] => (None, 1),
            ["the", "coming", ..] => (None, 2),
            _ => (None, 0),
        };
        if let Some(day) = rest.get(length).and_then(|word| weekday(word)) {
            let end = skip + length + 1;
            let date = match weeks {
                Some(weeks) => self.week(weeks)?.checked_add_days(Days::new(day.into()))?,
                None => self.coming(day)?,
            };
            // "Tuesday the third of November": the date says it; the weekday goes with it.
            let tail = usize::from(words.get(end) == Some(&"the"));
            if let Some((date, more)) = words.get(end + tail..).and_then(|rest| self.english(rest)) {
                return Some((date, end + tail + more));
            }
            return Some((date, end));
        }
        let (weeks, length) = match rest {
            ["下", "下", ..] => (Some(2), 2),
            ["下", ..] => (Some(1), 1),
            ["上", ..] => (Some(-1), 1),
            ["这" | "這" | "本", ..] => (Some(0), 1),
            _ => (None, 0),
        };
        let length = length + usize::from(length > 0 && matches!(rest.get(length), Some(&"个" | &"個")));
        let name = match rest.get(length..)? {
            ["周" | "週", ..] => 1,
            ["星", "期", ..] | ["礼" | "禮", "拜", ..] => 2,
            _ => return None,
        };
        let day = match *rest.get(length + name)? {
            "日" | "天" => 6,
            word => cardinal(&[word]).map(|(n, _)| n).filter(|n| (1..=6).contains(n))? - 1,
        };
        let date = match weeks {
            Some(weeks) => self.week(weeks)?.checked_add_days(Days::new(day))?,
            None => self.coming(day as u32)?,
        };
        Some((date, skip + length + name + 1))
    }

    /// "November third, 2026", "the third of November", "the third".
    fn english(&self, words: &[&str]) -> Option<(NaiveDate, usize)> {
        let skip = usize::from(words.first() == Some(&"on"));
        let rest = words.get(skip..)?;
        let (month, day, length) = if let Some(month) = rest.first().and_then(|word| month(word)) {
            let of = usize::from(rest.get(1) == Some(&"of"));
            let (day, length) = day(rest.get(1 + of..)?)?;
            (month, day, 1 + of + length)
        } else {
            let (day, length) = day(rest)?;
            let of = usize::from(rest.get(length) == Some(&"of"));
            match rest.get(length + of).and_then(|word| month(word)) {
                Some(month) => (month, day, length + of + 1),
                None => {
                    let next = rest.get(length..)?.starts_with(&["of", "next", "month"]);
                    if next {
                        let date = self.today.with_day(1)?.checked_add_months(Months::new(1))?.with_day(day)?;
                        return Some((date, skip + length + 3));
                    }
                    // "the third", "21st"; a bare number is no date, nor "just a second", "the first time".
                    const THINGS: &[&str] =
                        &["one", "time", "thing", "half", "place", "floor", "option", "street", "avenue", "of"];
                    let thing = rest.get(length).is_some_and(|next| THINGS.contains(next));
                    let vague = matches!(rest[0], "first" | "second");
                    let said = !thing && (rest[0] == "the" || (ordinal(rest).is_some() && !vague));
                    let counts = ordinal(&rest[usize::from(rest[0] == "the")..]).is_some();
                    return (said && counts)
                        .then(|| self.in_some_month(day))
                        .flatten()
                        .map(|date| (date, skip + length));
                }
            }
        };
        match rest.get(length..).and_then(|rest| self.with_year(rest, month, day)) {
            Some((date, more)) => Some((date, skip + length + more)),
            None => self.in_some_year(month, day).map(|date| (date, skip + length)),
        }
    }

    /// 二零二六年十一月三号, 明年五月一日, 下个月五号, 三号.
    fn mandarin(&self, words: &[&str]) -> Option<(NaiveDate, usize)> {
        let this = self.today.year();
        let (year, mut at) = match words {
            ["今", "年", ..] => (Some(this), 2),
            ["明", "年", ..] => (Some(this + 1), 2),
            ["后" | "後", "年", ..] => (Some(this + 2), 2),
            ["去", "年", ..] => (Some(this - 1), 2),
            _ => match mandarin(words) {
                Some((n, length)) if words.get(length) == Some(&"年") => (Some(i32::try_from(n).ok()?), length + 1),
                _ => (None, 0),
            },
        };
        let number = |at: usize| words.get(at..).filter(|rest| !rest.is_empty()).and_then(mandarin);
        let mut relative = None;
        let mut month = None;
        match words.get(at..)? {
            ["下", "个" | "個", "月", ..] => (relative, at) = (Some(1), at + 3),
            ["下", "月", ..] => (relative, at) = (Some(1), at + 2),
            ["这" | "這", "个" | "個", "月", ..] => (relative, at) = (Some(0), at + 3),
            ["本" | "这" | "這", "月", ..] => (relative, at) = (Some(0), at + 2),
            _ => {
                if let Some((n, length)) = number(at)
                    && matches!(words.get(at + length), Some(&"月"))
                {
                    month = Some(u32::try_from(n).ok()?);
                    at += length + 1;
                }
            }
        }
        let (day, length) = number(at)?;
        let day = u32::try_from(day).ok()?;
        let marked = matches!(words.get(at + length), Some(&"号" | &"號" | &"日"));
        if !marked && month.is_none() {
            return None;
        }
        let end = at + length + usize::from(marked);
        let date = match (year, month, relative) {
            (Some(year @ 0..100), Some(month), _) => self.in_some_century(year, month, day),
            (Some(year), Some(month), _) => NaiveDate::from_ymd_opt(year, month, day),
            (None, Some(month), _) => self.in_some_year(month, day),
            (_, None, Some(months)) => self.today.with_day(1)?.checked_add_months(Months::new(months))?.with_day(day),
            (None, None, None) => self.in_some_month(day),
            (Some(_), None, None) => None,
        };
        date.map(|date| (date, end))
    }
}

#[cfg(test)]
mod tests {
    use super::super::tokens::tokens;
    use super::*;

    #[track_caller]
    fn reads(text: &str, wanted: &str) {
        let tokens = tokens(text);
        let words: Vec<&str> = tokens.iter().map(String::as_str).collect();
        let monday = NaiveDate::from_ymd_opt(2026, 11, 23).unwrap();
        let found = date(&words, monday, false);
        assert_eq!(
            found.map(|(date, length)| (date.to_string(), length)),
            Some((wanted.into(), words.len())),
            "{text}"
        );
    }

    #[test]
    fn english_dates() {
        for (text, wanted) in [
            ("the third of November 2027", "2027-11-03"),
            ("November 3rd, twenty twenty-seven", "2027-11-03"),
            ("November third", "2027-11-03"),
            ("December the first", "2026-12-01"),
            ("Nov 30", "2026-11-30"),
            ("today", "2026-11-23"),
            ("the day after tomorrow", "2026-11-25"),
            ("Tuesday", "2026-11-24"),
            ("this Tuesday", "2026-11-24"),
            ("next Tuesday", "2026-12-01"),
            ("on Monday", "2026-11-30"),
            ("last Friday", "2026-11-20"),
            ("in two weeks", "2026-12-07"),
            ("ten days from now", "2026-12-03"),
            ("a week from today", "2026-11-30"),
            ("the first of next month", "2026-12-01"),
            ("the twenty-fifth", "2026-11-25"),
            ("Tuesday the first of December", "2026-12-01"),
            ("2026-12-24", "2026-12-24"),
            ("12/24/2026", "2026-12-24"),
            ("24.12.2026", "2026-12-24"),
            ("the 4th of July nineteen eighty", "1980-07-04"),
            ("May first two thousand and six", "2006-05-01"),
            ("a week from Tuesday", "2026-12-01"),
            ("two weeks from Friday", "2026-12-11"),
            ("May 5th next year", "2027-05-05"),
            ("the fifth of May of next year", "2027-05-05"),
            ("12/24/85", "1985-12-24"),
            ("12/24/31", "2031-12-24"),
        ] {
            reads(text, wanted);
        }
    }

    #[test]
    fn mandarin_dates() {
        for (text, wanted) in [
            ("二零二六年十一月三号", "2026-11-03"),
            ("2026年11月3号", "2026-11-03"),
            ("十一月三十号", "2026-11-30"),
            ("十二月三日", "2026-12-03"),
            ("明年五月一号", "2027-05-01"),
            ("下个月五号", "2026-12-05"),
            ("二十五号", "2026-11-25"),
            ("明天", "2026-11-24"),
            ("大后天", "2026-11-26"),
            ("下周二", "2026-12-01"),
            ("周二", "2026-11-24"),
            ("下个星期天", "2026-12-06"),
            ("礼拜三", "2026-11-25"),
            ("三天后", "2026-11-26"),
            ("两个星期以后", "2026-12-07"),
        ] {
            reads(text, wanted);
        }
    }

    #[test]
    fn every_day_is_read_again_in_both_languages() {
        const ORDINALS: [&str; 31] = [
            "first",
            "second",
            "third",
            "fourth",
            "fifth",
            "sixth",
            "seventh",
            "eighth",
            "ninth",
            "tenth",
            "eleventh",
            "twelfth",
            "thirteenth",
            "fourteenth",
            "fifteenth",
            "sixteenth",
            "seventeenth",
            "eighteenth",
            "nineteenth",
            "twentieth",
            "twenty-first",
            "twenty-second",
            "twenty-third",
            "twenty-fourth",
            "twenty-fifth",
            "twenty-sixth",
            "twenty-seventh",
            "twenty-eighth",
            "twenty-ninth",
            "thirtieth",
            "thirty-first",
        ];
        const HAN: [&str; 10] = ["零", "一", "二", "三", "四", "五", "六", "七", "八", "九"];
        let han = |n: u32| match (n / 10, n % 10) {
            (0, ones) => HAN[ones as usize].to_owned(),
            (1, 0) => "十".into(),
            (1, ones) => format!("十{}", HAN[ones as usize]),
            (tens, 0) => format!("{}十", HAN[tens as usize]),
            (tens, ones) => format!("{}十{}", HAN[tens as usize], HAN[ones as usize]),
        };
        let first = NaiveDate::from_ymd_opt(2023, 11, 23).unwrap();
        for date in first.iter_days().take(3 * 366) {
            let (month, ordinal) = (MONTHS[date.month0() as usize], ORDINALS[date.day0() as usize]);
            let wanted = date.to_string();
            reads(&format!("the {ordinal} of {month} twenty {}", date.year() - 2000), &wanted);
            reads(&format!("{month} {} {}", date.day(), date.year()), &wanted);
            let year: String = date.year().to_string().bytes().map(|b| HAN[usize::from(b - b'0')]).collect();
            reads(&format!("{year}年{}月{}号", han(date.month()), han(date.day())), &wanted);
        }
    }

    #[test]
    fn what_is_past_is_past() {
        let monday = NaiveDate::from_ymd_opt(2026, 11, 23).unwrap();
        let found = |words: &[&str]| date(words, monday, true).unwrap().0.to_string();
        assert_eq!(found(&["december", "first"]), "2025-12-01");
        assert_eq!(found(&["friday"]), "2026-11-20");
        assert_eq!(found(&["the", "24th"]), "2026-10-24");
        assert_eq!(found(&["12/24/65"]), "1965-12-24");
        assert_eq!(found(&["12/24/26"]), "1926-12-24");
        assert_eq!(found(&["march", "fifth", "eighty", "five"]), "1985-03-05");
        assert_eq!(found(&["march", "fifth", "oh", "five"]), "2005-03-05");
        assert_eq!(found(&["八", "五", "年", "三", "月", "五", "号"]), "1985-03-05");
        assert_eq!(found(&["零", "五", "年", "三", "月", "五", "号"]), "2005-03-05");
    }

    #[test]
    fn no_date_is_none() {
        let monday = NaiveDate::from_ymd_opt(2026, 11, 23).unwrap();
        let found = |text: &str, anywhere: bool| {
            let tokens = tokens(text);
            let words: Vec<&str> = tokens.iter().map(String::as_str).collect();
            let starts = if anywhere { words.len() } else { 1 };
            (0..starts).find_map(|at| date(&words[at..], monday, false))
        };
        for text in ["fifty", "may I", "the balance", "february 31st", "三块五", "13/13/2026", "on"] {
            assert_eq!(found(text, false), None, "{text}");
        }
        for text in ["second", "just a second", "one second please", "the first time", "first of all"] {
            assert_eq!(found(text, true), None, "{text}");
        }
    }
}

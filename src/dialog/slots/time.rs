//! Times of day as people say them: "half past three", "quarter to five", "3:30 pm", "three in the afternoon", 下午三点半,
//! 差五分三点. Where nobody says which half of the day, an office's: one to six is the afternoon, seven to twelve as said.

use super::number::cardinal;

/// The time that begins here (hour, minute), how many words it takes, and whether anything but a bare number said so.
/// The day `before` it may have named the half: "tonight at eight", 今晚八点.
pub fn time(before: &[&str], words: &[&str]) -> Option<((u32, u32), usize, bool)> {
    let skip = usize::from(matches!(words.first(), Some(&"at" | &"around" | &"about")));
    let rest = words.get(skip..).filter(|rest| !rest.is_empty())?;
    let half = half_before(before);
    let found = mandarin(rest, half).or_else(|| english(rest, half))?;
    Some((found.0, found.1 + skip, found.2 || skip > 0 && words[0] == "at"))
}

#[derive(Clone, Copy, PartialEq)]
enum Half {
    Unsaid,
    Morning,
    /// Afternoon and evening.
    Later,
    Noon,
    /// From the evening to the small hours.
    Night,
}

fn half_before(words: &[&str]) -> Half {
    let words = match words {
        [words @ .., "at" | "around" | "about"] => words,
        words => words,
    };
    match words {
        [.., "good", _] => Half::Unsaid,
        [.., "morning" | "早"] => Half::Morning,
        [.., "afternoon" | "evening"] => Half::Later,
        [.., "tonight" | "晚"] => Half::Night,
        _ => Half::Unsaid,
    }
}

fn placed(hour: u32, minute: u32, half: Half) -> Option<(u32, u32)> {
    if minute > 59 {
        return None;
    }
    let hour = match (half, hour) {
        (_, 13..=23) => hour,
        (_, 24) => 0,
        (Half::Unsaid, 1..=6) | (Half::Later, 1..=11) => hour + 12,
        (Half::Noon, 1..=3) => hour + 12,
        (Half::Morning | Half::Night, 12) => 0,
        (Half::Night, 5..=11) => hour + 12,
        (_, 0..=12) => hour,
        _ => return None,
    };
    Some((hour, minute))
}

fn hour(words: &[&str]) -> Option<(u32, usize)> {
    let (n, length) = cardinal(words)?;
    // "three thirty" is no 33: only the hour's own words.
    let (n, length) = if n > 24 { cardinal(&words[..1])? } else { (n, length) };
    u32::try_from(n).ok().filter(|n| *n <= 24).map(|n| (n, length))
}

fn english(words: &[&str], before: Half) -> Option<((u32, u32), usize, bool)> {
    match words {
        ["noon" | "midday", ..] => return Some(((12, 0), 1, true)),
        ["midnight", ..] => return Some(((0, 0), 1, true)),
        _ => {}
    }
    let (hour_said, minute, at, plain) = if let Some((hour, minute)) = words[0].split_once([':', '.'])
        && let (Ok(hour), Ok(minute), 2) = (hour.parse(), minute.parse(), minute.len())
        && hour <= 24
    {
        (hour, minute, 1, !words[0].contains(':'))
    } else if let Some((minutes, before, at)) = offset(words) {
        let (n, length) = hour(words.get(at..).filter(|rest| !rest.is_empty())?)?;
        let (n, minute) = if before { ((n + 23) % 24, 60 - minutes) } else { (n, minutes) };
        let n = if n == 0 { 12 } else { n };
        (n, minute, at + length, false)
    } else {
        let (n, length) = hour(words)?;
        let rest = &words[length..];
        let (minute, more) = match rest {
            ["oh" | "o" | "zero", digit, ..] => match cardinal(&[digit]) {
                Some((n, _)) if n < 10 => (n as u32, 2),
                _ => (0, 0),
            },
            ["hundred", "hours", ..] => (0, 2),
            _ => match cardinal(rest.get(..2.min(rest.len()))?) {
                Some((n, more)) if (10..60).contains(&n) && n as u32 != 0 => (n as u32, more),
                _ => (0, 0),
            },
        };
        // "fifteen hundred" was read as a number of its own.
        (n, minute, length + more, more == 0)
    };
    let mut at = at;
    let oclock = matches!(words.get(at), Some(&"oclock"));
    at += usize::from(oclock);
    let (half, more) = match words.get(at..)? {
        ["a", "m", ..] => (Half::Morning, 2),
        ["p", "m", ..] => (Half::Later, 2),
        ["am", ..] => (Half::Morning, 1),
        ["pm", ..] => (Half::Later, 1),
        ["in", "the", "morning", ..] => (Half::Morning, 3),
        ["this" | "tomorrow", "morning", ..] => (Half::Morning, 0),
        ["in", "the", "afternoon" | "evening", ..] => (Half::Later, 3),
        ["at", "night", ..] => (Half::Night, 2),
        ["tonight", ..] => (Half::Later, 0),
        _ => (before, 0),
    };
    let time = placed(hour_said, minute, half)?;
    Some((time, at + more, oclock || half != Half::Unsaid || !plain))
}

/// "half past", "quarter to", "ten to", "five minutes past": minutes, whether before the hour, words.
fn offset(words: &[&str]) -> Option<(u32, bool, usize)> {
    let (minutes, at) = match words {
        ["half", "past" | "after", ..] => (30, 1),
        ["a", "quarter", ..] => (15, 2),
        ["quarter", ..] => (15, 1),
        _ => {
            let (n, length) = cardinal(words)?;
            let named = usize::from(matches!(words.get(length), Some(&"minutes" | &"minute")));
            (u32::try_from(n).ok().filter(|n| *n < 60)?, length + named)
        }
    };
    match words.get(at) {
        Some(&"past" | &"after") => Some((minutes, false, at + 1)),
        Some(&"to" | &"till" | &"til" | &"before") if minutes > 0 && minutes <= 30 => Some((minutes, true, at + 1)),
        _ => None,
    }
}

fn mandarin(words: &[&str], before: Half) -> Option<((u32, u32), usize, bool)> {
    let (half, skip) = match words {
        ["凌" | "清", "晨", ..] => (Half::Morning, 2),
        ["早", "上" | "晨", ..] | ["上", "午", ..] => (Half::Morning, 2),
        ["中", "午", ..] => (Half::Noon, 2),
        ["下", "午", ..] | ["傍", "晚", ..] => (Half::Later, 2),
        ["晚", "上", ..] | ["夜", "里" | "裡" | "晚", ..] | ["半" | "深", "夜", ..] => (Half::Night, 2),
        _ => (before, 0),
    };
    let rest = words.get(skip..)?;
    if half == Half::Noon && !matches!(rest.first(), Some(word) if word.contains(':') || cardinal(&[word]).is_some()) {
        return Some(((12, 0), skip, true));
    }
    if skip > 0
        && !rest.is_empty()
        && let Some((hour, minute)) = rest[0].split_once(':')
        && let (Ok(hour), Ok(minute)) = (hour.parse(), minute.parse())
    {
        return Some((placed(hour, minute, half)?, skip + 1, true));
    }
    // 差五分三点
    let (before, mut at) = match rest.first() {
        Some(&"差") => {
            let (n, length) = match rest.get(1..)? {
                ["一", "刻", ..] => (15, 2),
                tail => cardinal(tail)?,
            };
            let at = 1 + length + usize::from(rest.get(1 + length) == Some(&"分"));
            (u32::try_from(n).ok()?, at)
        }
        _ => (0, 0),
    };
    let (n, length) = hour(rest.get(at..).filter(|rest| !rest.is_empty())?)?;
    at += length;
    match rest.get(at..)? {
        ["点" | "點" | "时" | "時", ..] => at += 1,
        _ => return None,
    }
    let (minute, more) = match rest.get(at..)? {
        ["半", ..] => (30, 1),
        ["一", "刻", ..] => (15, 2),
        ["三", "刻", ..] => (45, 2),
        ["钟" | "鐘" | "整", ..] => (0, 1),
        ["零", digit, ..] if cardinal(&[digit]).is_some() => (cardinal(&[digit])?.0 as u32, 2),
        tail => match cardinal(tail) {
            Some((n, more)) if n < 60 && are_minutes(tail, more) => (n as u32, more),
            _ => (0, 0),
        },
    };
    at += more;
    at += usize::from(more > 0 && rest.get(at) == Some(&"分"));
    let time = placed(n, minute, half)?;
    let minutes = (time.0 * 60 + time.1 + 24 * 60 - before.min(59)) % (24 * 60);
    Some(((minutes / 60, minutes % 60), skip + at, true))
}

/// Whether the number of so many words after 点 tells minutes: 十点二十, and not 三点四个人, at three for four.
fn are_minutes(words: &[&str], length: usize) -> bool {
    match words.get(length) {
        Some(&"分") => true,
        Some(&("个" | "個" | "位" | "人" | "名" | "口")) => false,
        _ => length > 1 || words[0].contains('十') || words[0].len() == 2 && words[0].is_ascii(),
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
        let found = time(&[], &words).filter(|found| found.1 == words.len());
        assert_eq!(found.map(|((h, m), ..)| format!("{h:02}:{m:02}")).as_deref(), Some(wanted), "{text}: {words:?}");
    }

    #[test]
    fn guests_are_no_minutes() {
        for text in ["三点四个人", "三点二十位", "三点四位", "三点两个人"] {
            let tokens = tokens(text);
            let words: Vec<&str> = tokens.iter().map(String::as_str).collect();
            assert_eq!(time(&[], &words).map(|found| found.0), Some((15, 0)), "{text}: {words:?}");
        }
    }

    #[test]
    fn english_times() {
        for (text, wanted) in [
            ("half past three", "15:30"),
            ("quarter to five", "16:45"),
            ("a quarter past nine", "09:15"),
            ("ten to eight", "07:50"),
            ("ten to one", "12:50"),
            ("three thirty", "15:30"),
            ("nine oh five", "09:05"),
            ("three o'clock", "15:00"),
            ("3pm", "15:00"),
            ("3:30", "15:30"),
            ("10:45 a.m.", "10:45"),
            ("8.15 pm", "20:15"),
            ("at five", "17:00"),
            ("seven in the evening", "19:00"),
            ("eleven forty five in the morning", "11:45"),
            ("noon", "12:00"),
            ("12 am", "00:00"),
            ("fourteen thirty", "14:30"),
            ("two at night", "02:00"),
            ("eleven at night", "23:00"),
            ("twelve at night", "00:00"),
        ] {
            reads(text, wanted);
        }
    }

    #[test]
    fn mandarin_times() {
        for (text, wanted) in [
            ("下午三点半", "15:30"),
            ("早上九点", "09:00"),
            ("晚上八点一刻", "20:15"),
            ("三点零五分", "15:05"),
            ("差五分三点", "14:55"),
            ("十点二十", "10:20"),
            ("十点十分", "10:10"),
            ("十点十五", "10:15"),
            ("三点五分", "15:05"),
            ("下午三点20", "15:20"),
            ("中午十二点", "12:00"),
            ("中午", "12:00"),
            ("凌晨两点", "02:00"),
            ("夜里两点", "02:00"),
            ("夜里十一点", "23:00"),
            ("半夜三点半", "03:30"),
            ("晚上十二点", "00:00"),
            ("下午3:20", "15:20"),
            ("上午10点钟", "10:00"),
        ] {
            reads(text, wanted);
        }
    }

    #[test]
    fn the_day_named_before_says_which_half() {
        for (before, text, wanted) in [
            ("tonight at", "eight", Some((20, 0))),
            ("tomorrow evening", "at half past seven", Some((19, 30))),
            ("good morning", "two", Some((14, 0))),
            ("monday morning at", "six", Some((6, 0))),
            ("今晚", "八点", Some((20, 0))),
            ("明早", "六点半", Some((6, 30))),
            ("今晚", "上午十点", Some((10, 0))),
        ] {
            let (before, words) = (tokens(before), tokens(text));
            let [before, words] = [&before, &words].map(|said| said.iter().map(String::as_str).collect::<Vec<_>>());
            assert_eq!(time(&before, &words).map(|(at, ..)| at), wanted, "{before:?} {text}");
        }
    }
}

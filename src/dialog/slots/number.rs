//! Whole and broken numbers as people say them: "a hundred and twenty", "twelve hundred", "three point five",
//! 三百二, 两万五, 三点五, 半, and as recognisers write them: `250`, `3.5`, `3万`.

use super::super::numerals::{digit, teen, ten};

/// A number of up to twelve digits before the point.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Number {
    pub whole: u64,
    /// Digits after the point; often none.
    pub fraction: String,
}

impl Number {
    pub fn text(&self) -> String {
        match self.fraction.as_str() {
            "" => self.whole.to_string(),
            fraction => format!("{}.{fraction}", self.whole),
        }
    }

    /// Times a power of ten; none where that is too large.
    fn times(&self, scale: u64) -> Option<Self> {
        let places = scale.ilog10() as usize;
        let (over, left) = self.fraction.split_at(self.fraction.len().min(places));
        let over: u64 = format!("{over:0<places$}").parse().ok()?;
        let whole = self.whole.checked_mul(scale)?.checked_add(over).filter(|whole| *whole < LIMIT)?;
        Some(Self { whole, fraction: left.trim_end_matches('0').to_owned() })
    }
}

/// Twelve digits.
const LIMIT: u64 = 1_000_000_000_000;

/// The number that begins here, and how many words it takes.
pub fn number(words: &[&str]) -> Option<(Number, usize)> {
    let (number, at) = unscaled(words)?;
    if number.fraction.is_empty() {
        return Some((number, at)); // `cardinal` knows its scales
    }
    // "2.5 million", 1.5万, 三点五千万, "half a million".
    let a = usize::from(words[at - 1] == "half" && words.get(at) == Some(&"a"));
    let after = words.get(at + a..).unwrap_or_default();
    let english = after.first().and_then(|word| english_scale(word));
    let scales = || after.iter().map_while(|word| han_scale(word).filter(|scale| *scale >= 100));
    match (english, scales().count()) {
        (Some(scale), _) => Some((number.times(scale)?, at + a + 1)),
        (None, 0) => Some((number, at)),
        (None, more) => {
            let scale = scales().try_fold(1_u64, |all, scale| all.checked_mul(scale))?;
            Some((number.times(scale)?, at + more))
        }
    }
}

/// A number, whole or broken, without the scale that may follow.
fn unscaled(words: &[&str]) -> Option<(Number, usize)> {
    if let Some((before, after)) = words.first()?.split_once('.')
        && let (Some(whole), true) = (written(before), after.bytes().all(|b| b.is_ascii_digit()))
    {
        let number = Number { whole, fraction: after.to_owned() };
        return Some((number, 1));
    }
    let (whole, mut at) = match words {
        ["point", next, ..] if digit(next).is_some() => (0, 0),
        ["半" | "half", ..] => return Some((Number { whole: 0, fraction: "5".into() }, 1)),
        _ => cardinal(words)?,
    };
    let mut fraction = String::new();
    if let Some("point" | "点" | "點") = words.get(at).copied() {
        let digits: String = words[at + 1..].iter().map_while(|word| digit(word).filter(|_| word.len() <= 5)).collect();
        if !digits.is_empty() {
            at += 1 + digits.chars().count();
            fraction = digits;
        }
    } else if let Some(["and", "a", "half"]) = words.get(at..at + 3) {
        (at, fraction) = (at + 3, "5".into());
    }
    Some((Number { whole, fraction }, at))
}

fn written(word: &str) -> Option<u64> {
    let plain = !word.is_empty() && word.len() <= 12 && word.bytes().all(|b| b.is_ascii_digit());
    plain.then(|| word.parse().ok()).flatten()
}

/// The whole number that begins here, below 10^12.
pub fn cardinal(words: &[&str]) -> Option<(u64, usize)> {
    let first = words.first()?;
    if is_han_number(first) || (written(first).is_some() && words.get(1).is_some_and(|word| han_scale(word).is_some()))
    {
        return mandarin(words);
    }
    english(words).filter(|(n, _)| *n < LIMIT)
}

fn is_han_number(word: &str) -> bool {
    !word.is_ascii() && (han_digit(word).is_some() || han_scale(word).is_some_and(|scale| scale == 10))
}

/// The value of a word below a hundred.
fn small(words: &[&str]) -> Option<(u64, usize)> {
    let first = words.first()?;
    if let Some(n) = teen(first) {
        return Some((n.into(), 1));
    }
    if let Some(tens) = ten(first) {
        let unit = words.get(1).and_then(|word| unit(word));
        return Some(unit.map_or((tens.into(), 1), |unit| (u64::from(tens) + unit, 2)));
    }
    unit(first).map(|unit| (unit, 1))
}

/// One to nine, as a word.
fn unit(word: &str) -> Option<u64> {
    let spelled = word.is_ascii() && word.len() > 2 || matches!(word, "幺");
    digit(word).filter(|&c| spelled && c != '0').and_then(|c| c.to_digit(10)).map(u64::from)
}

fn english_scale(word: &str) -> Option<u64> {
    Some(match word {
        "thousand" => 1_000,
        "million" => 1_000_000,
        "billion" => 1_000_000_000,
        _ => return None,
    })
}

fn english(words: &[&str]) -> Option<(u64, usize)> {
    if matches!(words[0], "zero" | "nought" | "nil") {
        return Some((0, 1));
    }
    let (mut total, mut at, mut below) = (0_u64, 0, u64::MAX);
    loop {
        // A group: what stands before "thousand" and its like, or at the end.
        let skip = usize::from(at > 0 && words.get(at) == Some(&"and"));
        let Some((group, length)) = words.get(at + skip..).and_then(group) else { break };
        let next = at + skip + length;
        match words.get(next).and_then(|word| english_scale(word)) {
            Some(scale) if scale < below => {
                total = total.checked_add(group.checked_mul(scale)?)?;
                (at, below) = (next + 1, scale);
            }
            _ if at == 0 || group < below => {
                return Some((total.checked_add(group)?, next));
            }
            _ => break,
        }
    }
    (at > 0).then_some((total, at))
}

/// "a hundred and twelve", "twelve hundred", "fifty six", "250".
fn group(words: &[&str]) -> Option<(u64, usize)> {
    if let ["a", scale, ..] = words {
        if *scale == "hundred" {
            return Some(hundreds(1, 2, words));
        }
        return english_scale(scale).map(|_| (1, 1));
    }
    let (n, length) = match words.first().and_then(|word| written(word)) {
        Some(n) => (n, 1),
        None => small(words)?,
    };
    match words.get(length) {
        Some(&"hundred") if n < 100 => Some(hundreds(n, length + 1, words)),
        _ => Some((n, length)),
    }
}

fn hundreds(n: u64, at: usize, words: &[&str]) -> (u64, usize) {
    let skip = usize::from(words.get(at) == Some(&"and"));
    match words.get(at + skip..).and_then(small) {
        Some((rest, length)) => (n * 100 + rest, at + skip + length),
        None => (n * 100, at),
    }
}

fn han_digit(word: &str) -> Option<u64> {
    digit(word).filter(|_| !word.is_ascii() && is_numeral(word)).and_then(|c| c.to_digit(10)).map(u64::from)
}

/// `digits` also takes characters that only sound like a digit (妖, 腰, 勾); as numbers they are not meant.
fn is_numeral(word: &str) -> bool {
    !matches!(word, "妖" | "腰" | "邀" | "么" | "拐" | "勾" | "洞")
}

fn han_scale(word: &str) -> Option<u64> {
    Some(match word {
        "十" | "拾" => 10,
        "百" | "佰" => 100,
        "千" | "仟" => 1_000,
        "万" | "萬" => 10_000,
        "亿" | "億" => 100_000_000,
        _ => return None,
    })
}

/// 三百零五, 两万五 (25,000), 四百五 (450), 十二, 3万2; digit by digit (二零二六) is 2026.
pub(super) fn mandarin(words: &[&str]) -> Option<(u64, usize)> {
    let value = |word: &str| han_digit(word).or_else(|| written(word));
    let single = |word: &str| han_digit(word).is_some();
    let digits = words.iter().take_while(|word| single(word)).count();
    // 十 may follow the last of them: 一三十 is no number, so the digits stand alone.
    if digits > 1 && words.get(digits).is_none_or(|word| han_scale(word).is_none()) {
        let text: String = words[..digits.min(12)].iter().filter_map(|word| digit(word)).collect();
        return text.parse().ok().map(|n| (n, digits.min(12)));
    }
    // total: 万 and 亿 done with; section: below 万; open: a digit that waits for its scale.
    let (mut total, mut section, mut open, mut at) = (0_u64, 0_u64, None::<u64>, 0);
    let (mut last, mut zero) = (u64::MAX, false);
    while let Some(word) = words.get(at) {
        if let Some(n) = value(word).filter(|_| open.is_none()) {
            if n == 0 && at > 0 && last < u64::MAX {
                zero = true;
            } else if n >= last {
                break;
            } else {
                open = Some(n);
            }
        } else if let Some(scale) = han_scale(word) {
            if scale >= 10_000 {
                if section == 0 && open.is_none() && total == 0 {
                    break;
                }
                let part = section.checked_add(open.take().unwrap_or(0))?;
                total = match scale {
                    10_000 => total.checked_add(part.checked_mul(scale)?)?,
                    _ => total.checked_add(part)?.checked_mul(scale)?,
                };
                section = 0;
            } else {
                if scale >= last && section > 0 || (open.is_none() && scale > 10) {
                    break;
                }
                section = section.checked_add(open.take().unwrap_or(1).checked_mul(scale)?)?;
            }
            (last, zero) = (scale, false);
        } else {
            break;
        }
        at += 1;
    }
    if let Some(n) = open {
        // 四百五 is 450, 两万五 25,000; after 零, or after ten, it is a one.
        let shorthand = last > 10 && last < u64::MAX && !zero && n < 10;
        section = section.checked_add(if shorthand { n * last / 10 } else { n })?;
    } else if zero && at > 0 {
        at -= 1; // a 零 that leads to nothing
    }
    let number = total.checked_add(section).filter(|n| *n < LIMIT)?;
    (at > 0).then_some((number, at))
}

#[cfg(test)]
mod tests {
    use super::super::super::numerals::{ONES, TENS};
    use super::super::tokens::tokens;
    use super::*;

    #[track_caller]
    fn reads(text: &str, wanted: &str) {
        let tokens = tokens(text);
        let words: Vec<&str> = tokens.iter().map(String::as_str).collect();
        let found = number(&words).filter(|(_, length)| *length == words.len());
        assert_eq!(found.map(|(number, _)| number.text()).as_deref(), Some(wanted), "{text}");
    }

    #[test]
    fn english_numbers() {
        for (text, wanted) in [
            ("fifty", "50"),
            ("twenty-one", "21"),
            ("a hundred and twenty", "120"),
            ("twelve hundred", "1200"),
            ("three thousand and five", "3005"),
            ("two million three hundred thousand and six", "2300006"),
            ("1,250", "1250"),
            ("3 hundred", "300"),
            ("2.5 ", "2.5"),
            ("three point one four", "3.14"),
            ("two and a half", "2.5"),
            ("zero", "0"),
            ("2.5 million", "2500000"),
            ("two point five million", "2500000"),
            ("two and a half thousand", "2500"),
            ("half a million", "500000"),
            ("1.23456 thousand", "1234.56"),
        ] {
            reads(text, wanted);
        }
    }

    /// As people say it, "and" included.
    fn in_english(n: u64) -> String {
        let with = |scale: u64, name: &str, and: &str| match n % scale {
            0 => format!("{} {name}", in_english(n / scale)),
            rest => format!("{} {name} {and}{}", in_english(n / scale), in_english(rest)),
        };
        match n {
            0..20 => ONES[n as usize].into(),
            20..100 if n.is_multiple_of(10) => TENS[n as usize / 10].into(),
            20..100 => format!("{}-{}", TENS[n as usize / 10], ONES[n as usize % 10]),
            100..1_000 => with(100, "hundred", "and "),
            1_000..1_000_000 => with(1_000, "thousand", if n % 1_000 < 100 { "and " } else { "" }),
            _ => with(1_000_000, "million", if n % 1_000_000 < 100 { "and " } else { "" }),
        }
    }

    fn in_mandarin(n: u64) -> String {
        const DIGITS: [&str; 10] = ["零", "一", "二", "三", "四", "五", "六", "七", "八", "九"];
        let with = |scale: u64, name: &str| {
            let rest = match n % scale {
                0 => String::new(),
                rest if rest < scale / 10 => format!("零{}", in_mandarin(rest)),
                rest => in_mandarin(rest),
            };
            let before = in_mandarin(n / scale);
            // 一百一十, not 一百十
            let rest = if rest.starts_with('十') && scale >= 100 { format!("一{rest}") } else { rest };
            format!(
                "{}{name}{}",
                if before == "一" && scale == 10 { "" } else { &before },
                rest.replace("零十", "零一十")
            )
        };
        match n {
            0..10 => DIGITS[n as usize].into(),
            10..100 => with(10, "十"),
            100..1_000 => with(100, "百"),
            1_000..10_000 => with(1_000, "千"),
            10_000..100_000_000 => with(10_000, "万"),
            _ => with(100_000_000, "亿"),
        }
    }

    #[test]
    fn what_is_spoken_is_read_again_in_both_languages() {
        let some =
            (0..3_000).chain((3_000..100_000_000).step_by(76_543)).chain([10_010, 100_110, 1_000_000, 20_003_000]);
        for n in some {
            reads(&in_english(n), &n.to_string());
            reads(&in_mandarin(n), &n.to_string());
        }
    }

    #[test]
    fn mandarin_numbers() {
        for (text, wanted) in [
            ("五十", "50"),
            ("十二", "12"),
            ("三百零五", "305"),
            ("三百二", "320"),
            ("两万五", "25000"),
            ("一亿两千万", "120000000"),
            ("一千零一十", "1010"),
            ("三点五", "3.5"),
            ("3万2", "32000"),
            ("二零二六", "2026"),
            ("零", "0"),
            ("1.5万", "15000"),
            ("三点五万", "35000"),
            ("1.5千万", "15000000"),
            ("3万5000", "35000"),
            ("1亿5000万", "150000000"),
        ] {
            reads(text, wanted);
        }
    }

    #[test]
    fn what_is_too_large_is_no_number_and_overflows_nothing() {
        for text in ["999999999999 billion", "999999999.9 billion", "999999999999亿", "九亿亿亿亿", "999999999999千万"]
        {
            let tokens = tokens(text);
            let words: Vec<&str> = tokens.iter().map(String::as_str).collect();
            assert!(number(&words).is_none_or(|(number, _)| number.whole < LIMIT), "{text}");
        }
    }
}

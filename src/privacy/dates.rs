//! Numbers that count something or say when: dates, times of day, amounts. They are no secrets, unless a word says so.

use super::numbers::{Token, english, group, spanish, tens, unit};
use crate::dialog::numerals::{month, teen};

/// "march 2024", "june of twenty twenty-seven": how many words it takes.
pub(super) fn month_and_year(words: &[&str]) -> Option<usize> {
    let named = month(words[0]).is_some() || SHORT_MONTHS.contains(&words[0]) || MESES.contains(&words[0]);
    let of = 1 + usize::from(matches!(words.get(1), Some(&"of" | &"de")));
    year(words.get(of..)?).filter(|_| named).map(|(_, length)| of + length)
}

/// A year of today's callers, and how many words it takes.
fn year(words: &[&str]) -> Option<(String, usize)> {
    let known = |year: u32| (1900..2100).contains(&year).then(|| year.to_string());
    let first = *words.first()?;
    if first.len() == 4 && first.bytes().all(|c| c.is_ascii_digit()) {
        return Some((known(first.parse().ok()?)?, 1));
    }
    let century = match first {
        "nineteen" => 1900,
        "twenty" => 2000,
        _ => {
            let (year, length, _) = english(words).or_else(|| spanish(words))?;
            return Some((known(year.parse().ok()?)?, length));
        }
    };
    let (n, length) = match words.get(1..).filter(|rest| !rest.is_empty())? {
        ["oh" | "o", second, ..] => (unit(second)?, 2),
        rest => tens(rest)?,
    };
    Some((known(century + n)?, 1 + length))
}

/// "in 2024", "at ten forty five", after the word before it: its digits and how many words it takes. What goes on is no date
/// and no time.
pub(super) fn said_when(before: &str, words: &[&str]) -> Option<(String, usize)> {
    let when = match before {
        "in" | "since" | "until" | "year" | "of" | "desde" => year(words),
        "at" | "around" | "by" | "before" | "after" | "till" | "from" => time_of_day(words),
        _ => None,
    };
    when.filter(|(_, length)| words.get(*length..).is_none_or(|rest| group(rest).is_none()))
}

/// "ten forty five", "two oh five".
fn time_of_day(words: &[&str]) -> Option<(String, usize)> {
    let hour = teen(words[0]).or_else(|| unit(words[0])).filter(|hour| *hour <= 12)?;
    let (minutes, length) = match words.get(1..).filter(|rest| !rest.is_empty())? {
        ["oh" | "o", second, ..] => (unit(second)?, 2),
        rest => tens(rest).filter(|(minutes, _)| *minutes < 60)?,
    };
    Some((format!("{hour}{minutes:02}"), 1 + length))
}

const SHORT_MONTHS: &[&str] = &["jan", "feb", "mar", "apr", "jun", "jul", "aug", "sep", "sept", "oct", "nov", "dec"];
const MESES: &[&str] = &[
    "enero",
    "febrero",
    "marzo",
    "abril",
    "mayo",
    "junio",
    "julio",
    "agosto",
    "septiembre",
    "octubre",
    "noviembre",
    "diciembre",
];

/// "9:30", "21/11/2026", "2026-11-21": how many tokens it takes.
pub(super) fn date_or_time(text: &str, tokens: &[Token]) -> Option<usize> {
    let number = |at: usize| tokens.get(at).filter(|token| token.text.chars().all(|c| c.is_ascii_digit()));
    let between = |at: usize| Some(&text[tokens.get(at)?.span.end..tokens.get(at + 1)?.span.start]);
    let below = |at: usize, digits: usize, limit: u32| {
        number(at).is_some_and(|n| n.text.len() <= digits && n.text.parse::<u32>().is_ok_and(|n| n <= limit))
    };
    if between(0) == Some(":") && below(0, 2, 24) && below(1, 2, 59) {
        return Some(2);
    }
    if month(&tokens[0].text).is_some() && below(1, 2, 31) {
        let ordinal = usize::from(tokens.get(2).is_some_and(|t| matches!(t.text.as_str(), "st" | "nd" | "rd" | "th")));
        let year = number(2 + ordinal).is_some_and(|n| n.text.len() == 4 && matches!(&n.text[..2], "19" | "20"));
        return Some(2 + ordinal + usize::from(year));
    }
    if between(0) == Some("/") && below(0, 2, 12) && below(1, 2, 31) && between(1).is_none_or(|b| b.starts_with(' ')) {
        return Some(2);
    }
    let separator = between(0).filter(|between| matches!(*between, "-" | "/" | "."))?;
    if between(1) != Some(separator) {
        return None;
    }
    let follows = matches!(between(2), Some("-" | "/" | "." | " ")) && number(3).is_some();
    let year = |at: usize| {
        number(at).is_some_and(|n| n.text.len() == 4 && (n.text.starts_with("19") || n.text.starts_with("20")))
    };
    let days = |a: usize, b: usize| below(a, 2, 31) && below(b, 2, 31);
    let date = (year(0) && days(1, 2)) || (days(0, 1) && (year(2) || (number(2)?.text.len() == 2 && separator == "/")));
    (date && !follows).then_some(3)
}

/// "$1,500,000", "1,500 dollars".
pub(super) fn thousands(text: &str, tokens: &[Token], after: &[&str]) -> Option<(String, usize)> {
    let number = |token: &Token| token.text.chars().all(|c| c.is_ascii_digit());
    let first = tokens.first().filter(|token| number(token) && token.text.len() <= 3)?;
    let more = tokens.windows(2).take_while(|pair| {
        number(&pair[1]) && pair[1].text.len() == 3 && &text[pair[0].span.end..pair[1].span.start] == ","
    });
    let length = 1 + more.count();
    let last = &tokens[length - 1];
    let counts = length > 1 && amount(text, first.span.start, last.span.end, after.get(length - 1).copied());
    counts.then(|| (tokens[..length].iter().map(|token| token.text.as_str()).collect(), length))
}

/// Whether the digits from `from` to `to` count something.
pub(super) fn amount(text: &str, from: usize, to: usize, next: Option<&str>) -> bool {
    const UNITS: &[&str] = &[
        "dollars", "dollar", "bucks", "pounds", "pound", "euros", "euro", "cents", "pence", "percent", "yuan", "rmb",
        "元", "块", "塊", "美", "欧", "镑", "分", "角", "毛", "年", "月", "日", "岁", "度", "天", "小", "公", "am",
        "pm", "usd", "gbp", "eur", "cny", "kilos", "kg", "miles", "minutes", "hours", "days",
    ];
    let before = text[..from].trim_end().chars().next_back();
    let after = text[to..].trim_start().chars().next();
    matches!(before, Some('$' | '€' | '£' | '¥' | '￥'))
        || matches!(after, Some('%' | '€' | '£' | '$' | '％'))
        || next.is_some_and(|word| UNITS.contains(&word))
}

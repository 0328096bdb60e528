//! English as it is said on American telephones. A letter to be named is written as a capital by itself
//! ("A four seven"); the article is therefore always small.

pub(in crate::speech) mod tables;

use std::sync::LazyLock;

use chrono::{Datelike, NaiveDate};
use regex::Captures;

use super::{Rule, amount, date, rewrite, tidy, time, units_and_cents};
use crate::dialog::Piece;
use tables::{ABBREVIATIONS, CURRENCIES, MONTHS, ONES, TENS, UNITS};

pub fn words(piece: &Piece) -> String {
    match piece {
        Piece::Text(value) => text(value),
        Piece::Code(value) => code(value),
        Piece::Phone(value) => phone(value),
        Piece::Number(value) => plain_number(value).unwrap_or_else(|| text(value)),
        Piece::Money(value) => money(value).unwrap_or_else(|| text(value)),
        Piece::Date(value) => date(value).map(calendar_date).unwrap_or_else(|| text(value)),
        Piece::Time(value) => time(value).map(|(h, m)| clock(h, m)).unwrap_or_else(|| text(value)),
        Piece::Recording(_) => String::new(),
    }
}

pub fn text(text: &str) -> String {
    let begins = |before: Option<char>, here: char| match before {
        Some(b) if b.is_alphanumeric() => !(here.is_alphanumeric() || "-.'".contains(here)),
        _ => true,
    };
    let flat: String = text.chars().map(plain_mark).collect();
    let read = rewrite(&flat, &RULES, begins);
    // What no rule has read: digits glued to something odd are named one by one.
    let mut out = String::with_capacity(read.len());
    for c in read.chars() {
        match c.to_digit(10) {
            Some(digit) => out.push_str(&format!(" {} ", ONES[digit as usize])),
            None => out.push(c),
        }
    }
    small_article(&tidy(&out))
}

/// A capital A that begins a sentence is the article, unless it is listed ("A or B").
fn small_article(text: &str) -> String {
    let words: Vec<&str> = text.split(' ').collect();
    let mut out: Vec<&str> = Vec::with_capacity(words.len());
    for (i, &word) in words.iter().enumerate() {
        let begins = i == 0 || words[i - 1].ends_with(['.', '!', '?', ':']);
        let next = words.get(i + 1).copied().unwrap_or_default();
        let noun = next.starts_with(char::is_lowercase) && !matches!(next, "or" | "and" | "to" | "is" | "for" | "dash");
        out.push(if word == "A" && begins && noun { "a" } else { word });
    }
    out.join(" ")
}

/// Full-width and typographic forms as their plain ones.
fn plain_mark(c: char) -> char {
    match c {
        '\u{ff01}'..='\u{ff5e}' => char::from_u32(c as u32 - 0xfee0).unwrap_or(c),
        '’' | '‘' => '\'',
        '−' | '‑' => '-',
        '\u{a0}' | '\u{202f}' => ' ',
        '。' => '.',
        '、' => ',',
        c => c,
    }
}

static RULES: LazyLock<Vec<Rule>> = LazyLock::new(|| {
    const NUMBER: &str = r"\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?|\.\d+";
    const MONTH: &str = r"(Jan(?:uary)?|Feb(?:ruary)?|Mar(?:ch)?|Apr(?:il)?|May|June?|July?|Aug(?:ust)?|Sept?(?:ember)?|Oct(?:ober)?|Nov(?:ember)?|Dec(?:ember)?)";
    const MERIDIEM: &str = r"([AaPp])(?:\.[Mm]\.|[Mm]\b)";
    let units = UNITS.iter().map(|u| regex::escape(u.0)).collect::<Vec<_>>().join("|");
    let codes = CURRENCIES.iter().map(|c| c.0).collect::<Vec<_>>().join("|");
    let abbreviations = ABBREVIATIONS.iter().map(|a| regex::escape(a.0)).collect::<Vec<_>>().join("|");
    vec![
        Rule::new(r"[\w.+-]+@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*\.[A-Za-z]{2,}", |c, _| Some(address(&c[0]))),
        Rule::new(r"https?://([\w.-]+[^\s,;!?]*[\w/])", |c, _| Some(address(c[1].trim_end_matches('/')))),
        Rule::new(r"www\.[\w.-]+[\w](?:/[^\s,;!?]*[\w/])?", |c, _| Some(address(c[0].trim_end_matches('/')))),
        Rule::new(
            r"[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*\.(?:com|org|net|edu|gov|io|co\.uk|info)\b(?:/[^\s,;!?]*[\w/])?",
            |c, _| Some(address(c[0].trim_end_matches('/'))),
        ),
        Rule::new(r"24/7\b", |_, _| Some("twenty-four seven".into())),
        // Telephone numbers: +1 212 555 0100, (212) 555-0100, 1-800-555-0100, 555-0100.
        Rule::new(r"\+\d[\d .()-]{6,}\d\b", |c, _| Some(phone(&c[0]))),
        Rule::new(r"(?:1[ .-])?\(?\d{3}\)?[ .-]\d{3}[ .-]\d{4}\b", |c, _| Some(phone(&c[0]))),
        Rule::new(r"\d{3}-\d{4}\b", |c, rest| (!rest.starts_with('-')).then(|| phone(&c[0]))),
        // Dates.
        Rule::new(r"(\d{4})[-/](\d{1,2})[-/](\d{1,2})\b", |c, _| ymd(&c[1], &c[2], &c[3]).map(calendar_date)),
        Rule::new(r"(\d{1,2})/(\d{1,2})/(\d{4}|\d{2})\b", |c, _| {
            let year = if c[3].len() == 2 { format!("20{}", &c[3]) } else { c[3].into() };
            ymd(&year, &c[1], &c[2]).or_else(|| ymd(&year, &c[2], &c[1])).map(calendar_date)
        }),
        Rule::new(&format!(r"{MONTH}\.? (\d{{1,2}})(?:st|nd|rd|th)?\b(?:,? (\d{{4}})\b)?"), |c, rest| {
            let day: u64 = c[2].parse().ok().filter(|d| (1..=31).contains(d))?;
            let percent = rest.starts_with([':', '%'])
                || (rest.starts_with('.') && rest[1..].starts_with(|c: char| c.is_ascii_digit()));
            let year = c.get(3).map(|y| format!(", {}", year(y.as_str().parse().unwrap_or(0)))).unwrap_or_default();
            (!percent).then(|| format!("{} {}{year}", month(&c[1]), ordinal(day)))
        }),
        Rule::new(&format!(r"(\d{{1,2}})(?:st|nd|rd|th)? (?:of )?{MONTH}\b\.?(?:,? (\d{{4}})\b)?"), |c, _| {
            let day: u64 = c[1].parse().ok().filter(|d| (1..=31).contains(d))?;
            // "5 May have" is no date.
            let year = c.get(3).map(|y| format!(", {}", year(y.as_str().parse().unwrap_or(0)))).unwrap_or_default();
            Some(format!("the {} of {}{year}", ordinal(day), month(&c[2])))
        }),
        // Times.
        Rule::new(
            &format!(r"(\d{{1,2}})(?::(\d{{2}}))?\s?{MERIDIEM}\s?[-–]\s?(\d{{1,2}})(?::(\d{{2}}))?\s?{MERIDIEM}"),
            |c, rest| {
                let from = meridiem(&c[1], c.get(2).map(|m| m.as_str()), &c[3])?;
                let to = meridiem(&c[4], c.get(5).map(|m| m.as_str()), &c[6])?;
                Some(format!("{from} to {to}{}", full_stop(c, rest)))
            },
        ),
        Rule::new(&format!(r"(\d{{1,2}})(?:[:.](\d{{2}}))?\s?{MERIDIEM}"), |c, rest| {
            Some(meridiem(&c[1], c.get(2).map(|m| m.as_str()), &c[3])? + full_stop(c, rest))
        }),
        Rule::new(r"(\d{1,2}:\d{2})(?::\d{2})?\b", |c, _| time(&c[1]).map(|(h, m)| clock(h, m))),
        // Amounts.
        Rule::new(
            &format!(r"(-?)(US\$|[$£€¥₹₩])\s?({NUMBER})(?:\s?(thousand|million|billion|trillion|[kKmMbB]n?)\b)?"),
            |c, _| {
                let code = match &c[2] {
                    "£" => "GBP",
                    "€" => "EUR",
                    "¥" => "JPY",
                    "₹" => "INR",
                    "₩" => "KRW",
                    _ => "USD",
                };
                amount_of(!c[1].is_empty(), &c[3], c.get(4).map(|m| m.as_str()), code)
            },
        ),
        Rule::new(&format!(r"({codes})\s?({NUMBER})\b"), |c, _| amount_of(false, &c[2], None, &c[1])),
        Rule::new(&format!(r"(-?)({NUMBER})(?:\s(thousand|million|billion))?\s?({codes})\b"), |c, _| {
            amount_of(!c[1].is_empty(), &c[2], c.get(3).map(|m| m.as_str()), &c[4])
        }),
        Rule::new(r"(\d+)\s?¢", |c, _| {
            Some(format!("{} {}", cardinal(c[1].parse().ok()?), if &c[1] == "1" { "cent" } else { "cents" }))
        }),
        // Shares and measures.
        Rule::new(&format!(r"([-+]?)({NUMBER})\s?%"), |c, _| {
            Some(format!("{}{} percent", sign(&c[1]), decimal(&c[2])?))
        }),
        Rule::new(&format!(r"([-+]?)({NUMBER})\s?°\s?([CF])?\b?"), |c, _| {
            let scale = match c.get(3).map(|m| m.as_str()) {
                Some("C") => " Celsius",
                Some("F") => " Fahrenheit",
                _ => "",
            };
            let degrees = if &c[2] == "1" { "degree" } else { "degrees" };
            Some(format!("{}{} {degrees}{scale}", sign(&c[1]), decimal(&c[2])?))
        }),
        Rule::new(&format!(r"({NUMBER})\s?({units})\b"), |c, _| {
            let unit = UNITS.iter().find(|unit| unit.0 == &c[2])?;
            Some(format!("{} {}", decimal(&c[1])?, if &c[1] == "1" { unit.1 } else { unit.2 }))
        }),
        // Numbers with something around them.
        Rule::new(r"(?:No\.|Nos\.|no\.|#)\s?(\d[\d,]*)\b", |c, _| Some(format!("number {}", running_number(&c[1])?))),
        Rule::new(r"(\d{1,4})(st|nd|rd|th)\b", |c, _| Some(ordinal(c[1].parse().ok()?))),
        Rule::new(r"(\d{2}(?:\d0))s\b", |c, _| Some(decade(&c[1]))),
        Rule::new(r"'?(\d0)s\b", |c, _| plural_tens(c[1].parse().ok()?)),
        Rule::new(r"(\d{1,2})/(\d{1,2})\b", |c, rest| (!rest.starts_with('/')).then(|| fraction(&c[1], &c[2]))?),
        Rule::new(r"(\d{1,4})\s?[-–]\s?(\d{1,4})\b", |c, rest| {
            let plain = !rest.starts_with(['-', '–']) || !rest[1..].starts_with(|c: char| c.is_ascii_digit());
            Some(format!("{} to {}", running_number(&c[1])?, running_number(&c[2])?)).filter(|_| plain)
        }),
        Rule::new(r"\d+(?:[-–]\d+){2,}\b", |c, _| Some(phone(&c[0]))),
        Rule::new(r"\d+(?:\.\d+){2,}\b", |c, _| {
            let parts: Option<Vec<_>> = c[0].split('.').map(running_number).collect();
            Some(parts?.join(" point "))
        }),
        // Codes: AB-1234, B12, 4G, MP3, 7A.
        Rule::new(r"[A-Z]{1,4}-?\d[A-Z0-9-]*\b", |c, _| Some(mixed(c[0].trim_end_matches('-')))),
        Rule::new(r"\d+[A-Z][A-Z0-9]*\b", |c, _| Some(mixed(&c[0]))),
        Rule::new(r"\d+x\b", |c, _| Some(format!("{} times", running_number(c[0].trim_end_matches('x'))?))),
        Rule::new(r"[A-Za-z0-9]*\d[A-Za-z0-9]*[A-Za-z][A-Za-z0-9]*\b|[A-Za-z]+\d[A-Za-z0-9]*\b", |c, _| {
            Some(mixed(&c[0]))
        }),
        Rule::new(&format!(r"([-+]?)({NUMBER})\b"), |c, _| Some(format!("{}{}", sign(&c[1]), running_number(&c[2])?))),
        // Abbreviations.
        Rule::new(r"Dr\.", |_, rest| Some(if capital(rest) { "Doctor".into() } else { stop_after("Drive", rest) })),
        Rule::new(r"St\.", |_, rest| Some(if capital(rest) { "Saint".into() } else { stop_after("Street", rest) })),
        Rule::new(r"e\.g\.,?", |_, _| Some("for example,".into())),
        Rule::new(r"i\.e\.,?", |_, _| Some("that is,".into())),
        Rule::new(&abbreviations, |c, rest| {
            let word = ABBREVIATIONS.iter().find(|a| a.0 == &c[0])?.1;
            // A name follows a title; anything else may end the sentence.
            let title = word.starts_with(char::is_uppercase)
                && !matches!(word, "Junior" | "Senior" | "Incorporated" | "Limited");
            Some(if rest.trim().is_empty() || !(title && capital(rest)) { stop_after(word, rest) } else { word.into() })
        }),
        Rule::new(r"(?:[A-Za-z]\.){2,}", |c, rest| {
            let letters: Vec<String> = c[0].split('.').filter(|l| !l.is_empty()).map(str::to_uppercase).collect();
            Some(stop_after(&letters.join(" "), rest))
        }),
        Rule::new(r"w/o\b", |_, _| Some("without".into())),
        Rule::new(r"w/", |_, _| Some("with ".into())),
        // Marks that have names.
        Rule::new(r"\s?&\s?", |_, _| Some(" and ".into())),
        Rule::new(r"\s?@\s?", |_, _| Some(" at ".into())),
        Rule::new(r"\s?\+\s?", |_, _| Some(" plus ".into())),
        Rule::new(r"\s?=\s?", |_, _| Some(" equals ".into())),
        Rule::new(r"\s?[<]\s?", |_, _| Some(" less than ".into())),
        Rule::new(r"\s?[>]\s?", |_, _| Some(" greater than ".into())),
        Rule::new(r"\s?%", |_, _| Some(" percent".into())),
        Rule::new(r"#", |_, _| Some(" pound ".into())),
        Rule::new(r"\*", |_, _| Some(" star ".into())),
        Rule::new(r"\s?×\s?", |_, _| Some(" times ".into())),
        Rule::new(r"[½¼¾]", |c, _| {
            Some(match &c[0] {
                "½" => " and a half".into(),
                "¼" => " and a quarter".into(),
                _ => " and three quarters".into(),
            })
        }),
        Rule::new(r"\s?[/_|\\^~]\s?", |_, _| Some(" ".into())),
        Rule::new(r#"[™®©•"“”«»\[\]{}`]"#, |_, _| Some(" ".into())),
    ]
});

/// The full stop that an abbreviation at the end of a sentence shares with it.
fn stop_after(word: &str, rest: &str) -> String {
    if rest.trim().is_empty() || capital(rest) { format!("{word}.") } else { word.into() }
}

fn full_stop(c: &Captures, rest: &str) -> &'static str {
    if c[0].ends_with('.') && (rest.trim().is_empty() || capital(rest)) { "." } else { "" }
}

fn capital(rest: &str) -> bool {
    rest.strip_prefix(' ').is_some_and(|rest| rest.starts_with(char::is_uppercase))
}

fn sign(mark: &str) -> &'static str {
    match mark {
        "-" => "minus ",
        "+" => "plus ",
        _ => "",
    }
}

/// "one thousand two hundred thirty-four", as Americans say it.
fn cardinal(n: u64) -> String {
    const SCALES: [&str; 7] = ["", " thousand", " million", " billion", " trillion", " quadrillion", " quintillion"];
    if n == 0 {
        return ONES[0].into();
    }
    let mut groups = Vec::new();
    let mut rest = n;
    for scale in SCALES {
        if !rest.is_multiple_of(1000) {
            groups.push(format!("{}{scale}", below_thousand(rest % 1000)));
        }
        rest /= 1000;
    }
    groups.reverse();
    groups.join(" ")
}

fn below_thousand(n: u64) -> String {
    let tens = |n: u64| match (n / 10, n % 10) {
        (0 | 1, _) => ONES[n as usize].into(),
        (tens, 0) => TENS[tens as usize].into(),
        (tens, ones) => format!("{}-{}", TENS[tens as usize], ONES[ones as usize]),
    };
    match (n / 100, n % 100) {
        (0, rest) => tens(rest),
        (hundreds, 0) => format!("{} hundred", ONES[hundreds as usize]),
        (hundreds, rest) => format!("{} hundred {}", ONES[hundreds as usize], tens(rest)),
    }
}

fn ordinal(n: u64) -> String {
    let words = cardinal(n);
    let (head, last) = words.rfind([' ', '-']).map_or(("", &*words), |at| words.split_at(at + 1));
    let last = match last {
        "one" => "first".into(),
        "two" => "second".into(),
        "three" => "third".into(),
        "five" => "fifth".into(),
        "eight" => "eighth".into(),
        "nine" => "ninth".into(),
        "twelve" => "twelfth".into(),
        last => last.strip_suffix('y').map_or_else(|| format!("{last}th"), |stem| format!("{stem}ieth")),
    };
    format!("{head}{last}")
}

/// 1905 "nineteen oh five", 2005 "two thousand five", 2026 "twenty twenty-six".
fn year(n: u64) -> String {
    match (n / 100, n % 100) {
        (10 | 20 | 30, 0..=9) | (0..=9, _) | (100.., _) => cardinal(n),
        (century, 0) => format!("{} hundred", cardinal(century)),
        (century, rest @ 1..=9) => format!("{} oh {}", cardinal(century), cardinal(rest)),
        (century, rest) => format!("{} {}", cardinal(century), cardinal(rest)),
    }
}

fn decade(digits: &str) -> String {
    let n: u64 = digits.parse().unwrap_or(0);
    match n % 100 {
        0 => format!("{}s", year(n)),
        tens => format!("{} {}", cardinal(n / 100), plural_tens(tens).unwrap_or_default()),
    }
}

fn plural_tens(n: u64) -> Option<String> {
    let word = if n == 10 { "ten" } else { TENS.get(n as usize / 10).copied().filter(|word| !word.is_empty())? };
    Some(word.strip_suffix('y').map_or_else(|| format!("{word}s"), |stem| format!("{stem}ies")))
}

/// Digits with an optional point, commas allowed.
fn decimal(number: &str) -> Option<String> {
    let number = number.replace(',', "");
    let (whole, decimals) = number.split_once('.').unwrap_or((&number, ""));
    let whole = if whole.is_empty() { ONES[0].into() } else { big(whole) };
    Some(if decimals.is_empty() { whole } else { format!("{whole} point {}", digits(decimals)) })
}

fn big(run: &str) -> String {
    run.parse().map_or_else(|_| grouped(run), cardinal)
}

fn digits(digits: &str) -> String {
    let names = digits.chars().filter_map(|c| c.to_digit(10)).map(|d| ONES[d as usize]);
    names.collect::<Vec<_>>().join(" ")
}

/// A number in running text: four digits may be a year, seven and more or a leading zero a reference.
fn running_number(number: &str) -> Option<String> {
    if number.contains(['.', ',']) {
        return decimal(number);
    }
    if number.len() > 1 && number.starts_with('0') || number.len() >= 7 {
        return Some(grouped(number));
    }
    let n: u64 = number.parse().ok()?;
    Some(match n {
        1100..=2099 => year(n),
        2100..=9999 if n.is_multiple_of(100) && !n.is_multiple_of(1000) => format!("{} hundred", cardinal(n / 100)),
        n => cardinal(n),
    })
}

fn plain_number(value: &str) -> Option<String> {
    let value = value.trim();
    let (minus, number) = value.strip_prefix(['-', '−']).map_or(("", value), |number| ("minus ", number));
    let number = number.strip_prefix('+').unwrap_or(number);
    let plain = number.contains(|c: char| c.is_ascii_digit())
        && number.chars().all(|c| c.is_ascii_digit() || c == ',' || c == '.')
        && number.matches('.').count() < 2;
    if plain { Some(format!("{minus}{}", decimal(number)?)) } else { None }
}

fn money(value: &str) -> Option<String> {
    let amount = amount(value)?;
    let code = amount.code.to_ascii_uppercase();
    let minus = if amount.negative { "minus " } else { "" };
    let Some((_, one, many, cent, cents)) = CURRENCIES.iter().find(|c| c.0 == code) else {
        let number = if amount.cents == 0 {
            cardinal(amount.units)
        } else {
            decimal(&format!("{}.{:02}", amount.units, amount.cents))?
        };
        return Some(format!("{minus}{number} {}", spaced(&code)));
    };
    let units = format!("{} {}", cardinal(amount.units), if amount.units == 1 { one } else { many });
    let small = format!("{} {}", cardinal(amount.cents.into()), if amount.cents == 1 { cent } else { cents });
    Some(match (amount.units, amount.cents) {
        (_, 0) => format!("{minus}{units}"),
        (0, _) => format!("{minus}{small}"),
        _ => format!("{minus}{units} and {small}"),
    })
}

/// "$3.2 million", "$12.50".
fn amount_of(negative: bool, number: &str, scale: Option<&str>, code: &str) -> Option<String> {
    let number = number.replace(',', "");
    let number = number.strip_prefix('.').map_or(number.clone(), |decimals| format!("0.{decimals}"));
    let scale = match scale {
        None => None,
        Some("thousand" | "k" | "K") => Some("thousand"),
        Some("million" | "m" | "M" | "mn" | "Mn") => Some("million"),
        Some("trillion") => Some("trillion"),
        Some(_) => Some("billion"),
    };
    let minus = if negative { "minus " } else { "" };
    match scale {
        Some(scale) => {
            let many = CURRENCIES.iter().find(|c| c.0 == code)?.2;
            Some(format!("{minus}{} {scale} {many}", decimal(&number)?))
        }
        None => {
            units_and_cents(&number)?;
            money(&format!("{}{number} {code}", if negative { "-" } else { "" }))
        }
    }
}

fn ymd(year: &str, month: &str, day: &str) -> Option<NaiveDate> {
    NaiveDate::from_ymd_opt(year.parse().ok()?, month.parse().ok()?, day.parse().ok()?)
}

fn calendar_date(date: NaiveDate) -> String {
    let name = MONTHS[date.month0() as usize];
    format!("{name} {}, {}", ordinal(date.day().into()), year(date.year().unsigned_abs().into()))
}

fn month(name: &str) -> &'static str {
    MONTHS.iter().find(|month| name.len() >= 3 && month.starts_with(&name[..3])).unwrap_or(&MONTHS[0]) // the pattern admits months only
}

/// 14:05 "two oh five P M", 12:00 "noon".
fn clock(hour: u32, minute: u32) -> String {
    match (hour, minute) {
        (0, 0) => return "midnight".into(),
        (12, 0) => return "noon".into(),
        _ => {}
    }
    let half = if hour < 12 { "A M" } else { "P M" };
    let twelve = (u64::from(hour) + 11) % 12 + 1;
    match minute {
        0 => format!("{} {half}", cardinal(twelve)),
        1..=9 => format!("{} oh {} {half}", cardinal(twelve), cardinal(minute.into())),
        _ => format!("{} {} {half}", cardinal(twelve), cardinal(minute.into())),
    }
}

/// "3 pm", "3:30 p.m."; `None` when the hour is none.
fn meridiem(hour: &str, minute: Option<&str>, half: &str) -> Option<String> {
    let hour: u32 = hour.parse().ok().filter(|h| (1..=12).contains(h))?;
    let minute: u32 = minute.unwrap_or("0").parse().ok().filter(|m| *m < 60)?;
    let half = half.to_ascii_uppercase();
    let words = cardinal(hour.into());
    Some(match minute {
        0 => format!("{words} {half} M"),
        1..=9 => format!("{words} oh {} {half} M", cardinal(minute.into())),
        _ => format!("{words} {} {half} M", cardinal(minute.into())),
    })
}

fn fraction(upper: &str, lower: &str) -> Option<String> {
    let (upper, lower): (u64, u64) = (upper.parse().ok()?, lower.parse().ok()?);
    let part = match lower {
        2 => {
            if upper == 1 {
                "half".into()
            } else {
                "halves".into()
            }
        }
        4 => {
            if upper == 1 {
                "quarter".into()
            } else {
                "quarters".into()
            }
        }
        3 | 5..=20 | 100 => format!("{}{}", ordinal(lower), if upper == 1 { "" } else { "s" }),
        _ => return Some(format!("{} over {}", cardinal(upper), cardinal(lower))),
    };
    (upper > 0 && upper < lower)
        .then(|| format!("{} {part}", cardinal(upper)))
        .or_else(|| Some(format!("{} {}", cardinal(upper), cardinal(lower))))
}

/// Letters and digits by name, long runs of digits in groups as people dictate them.
fn code(value: &str) -> String {
    let mut parts: Vec<String> = Vec::new();
    let mut run = String::new();
    let value: Vec<char> = value.chars().map(plain_mark).collect();
    for (i, &c) in value.iter().enumerate() {
        if c.is_ascii_digit() {
            run.push(c);
            if value.get(i + 1).is_some_and(char::is_ascii_digit) {
                continue;
            }
            parts.push(grouped(&run));
            run.clear();
            continue;
        }
        parts.push(match c {
            c if c.is_alphabetic() => c.to_uppercase().to_string(),
            '-' | '–' => "dash".into(),
            '/' => "slash".into(),
            '.' => "dot".into(),
            '_' => "underscore".into(),
            '#' => "pound".into(),
            '*' => "star".into(),
            '+' => "plus".into(),
            '@' => "at".into(),
            '&' => "and".into(),
            _ => ",".into(),
        });
    }
    let joined = parts.join(" ");
    tidy(joined.replace(", ,", ",").trim_matches([',', ' ']))
}

/// Runs of more than four digits with pauses: fours where they fit, else threes and a rest of two to four.
fn grouped(run: &str) -> String {
    // By characters: what stands in a code need not be ASCII.
    let run: Vec<char> = run.chars().collect();
    let size = if run.len().is_multiple_of(4) { 4 } else { 3 };
    let mut parts = Vec::new();
    let mut rest = run.as_slice();
    while rest.len() > 4 {
        let (group, after) = rest.split_at(size);
        parts.push(digits(&String::from_iter(group)));
        rest = after;
    }
    if !rest.is_empty() {
        parts.push(digits(&String::from_iter(rest)));
    }
    parts.join(", ")
}

/// A code in running text: short numbers in it are said as numbers ("gate B twelve").
fn mixed(value: &str) -> String {
    let spelled =
        value.chars().filter(|c| c.is_alphabetic()).all(char::is_uppercase) || !value.contains(char::is_lowercase);
    let mut out = Vec::new();
    let mut rest = value;
    while let Some(first) = rest.chars().next() {
        let kind = |c: char| (c.is_ascii_digit(), c.is_alphabetic());
        let end = rest.find(|c| kind(c) != kind(first)).unwrap_or(rest.len());
        let (run, tail) = rest.split_at(end);
        if first.is_ascii_digit() {
            out.push(if run.len() <= 2 && !run.starts_with('0') { big(run) } else { grouped(run) });
        } else if first.is_alphabetic() {
            out.push(if spelled || run.chars().count() == 1 { spaced(&run.to_uppercase()) } else { run.into() });
        }
        rest = tail;
    }
    out.join(" ")
}

fn spaced(letters: &str) -> String {
    letters.chars().map(String::from).collect::<Vec<_>>().join(" ")
}

/// Groups as written, else 3-3-4; "eight hundred" for freephone.
fn phone(value: &str) -> String {
    let lower = value.to_ascii_lowercase();
    let (value, extension) = match lower.find(['x', 'e']) {
        Some(at) => (&value[..at], value[at..].chars().filter(char::is_ascii_digit).collect()),
        None => (value, String::new()),
    };
    let mut groups: Vec<String> =
        value.split(|c: char| !c.is_ascii_digit()).filter(|g| !g.is_empty()).map(String::from).collect();
    if let [all] = &groups[..] {
        let all = all.clone();
        groups = match all.len() {
            7 => vec![all[..3].into(), all[3..].into()],
            10 => vec![all[..3].into(), all[3..6].into(), all[6..].into()],
            11 if all.starts_with('1') => vec!["1".into(), all[1..4].into(), all[4..7].into(), all[7..].into()],
            _ => vec![all],
        };
    }
    let mut parts: Vec<String> = Vec::new();
    for (i, group) in groups.iter().enumerate() {
        let freephone = i < 2 && group == "800" && groups.len() > 2;
        parts.push(if freephone { "eight hundred".into() } else { grouped(group) });
    }
    let mut words = parts.join(", ");
    if value.trim_start().starts_with('+') {
        words.insert_str(0, "plus ");
    }
    if !extension.is_empty() {
        words.push_str(&format!(", extension {}", digits(&extension)));
    }
    words
}

/// A web or mail address: names of its marks, letters only where it cannot be said.
fn address(address: &str) -> String {
    let mut out = String::new();
    for part in address.split_inclusive(|c: char| !c.is_alphanumeric()) {
        let word = part.trim_end_matches(|c: char| !c.is_alphanumeric());
        let vowels = word.contains(|c: char| "aeiouyAEIOUY".contains(c));
        if word.contains(|c: char| c.is_ascii_digit()) {
            out.push_str(&mixed(word));
        } else if matches!(word, "uk" | "io" | "eu" | "us") || (word.chars().count() > 1 && !vowels) || word == "www" {
            out.push_str(&spaced(&word.to_uppercase()));
        } else if word.chars().count() == 1 {
            out.push_str(&word.to_uppercase());
        } else {
            out.push_str(word);
        }
        out.push_str(match &part[word.len()..] {
            "@" => " at ",
            "." => " dot ",
            "-" => " dash ",
            "_" => " underscore ",
            "/" => " slash ",
            "+" => " plus ",
            "=" => " equals ",
            "?" => " question mark ",
            "&" => " and ",
            _ => " ",
        });
    }
    tidy(&out)
}

//! Turning what is written into what is said: values of a prompt, and the numbers, amounts, dates, times,
//! addresses and abbreviations in running text. Plain text in, plain words with punctuation out; the voices
//! and the scoring of what was heard back both read these words.

pub(in crate::speech) mod english;
mod mandarin;

use regex::{Captures, Regex};

use crate::dialog::{Language, Piece};

/// A piece as words of `language`; `None` for a recording. A value that is not what its kind says (a date
/// without a month) is read as running text: a caller hears something sensible rather than nothing.
/// Languages other than English and Mandarin are given back as written.
pub fn words(piece: &Piece, language: &Language) -> Option<String> {
    let words = match (language.as_str(), piece) {
        (_, Piece::Recording(_)) => return None,
        ("en", piece) => english::words(piece),
        ("zh", piece) => mandarin::words(piece),
        (
            _,
            Piece::Text(text)
            | Piece::Code(text)
            | Piece::Phone(text)
            | Piece::Number(text)
            | Piece::Money(text)
            | Piece::Date(text)
            | Piece::Time(text),
        ) => text.clone(),
    };
    Some(words)
}

/// Running text as words.
pub fn text(text: &str, language: &Language) -> String {
    match language.as_str() {
        "en" => english::text(text),
        "zh" => mandarin::text(text),
        _ => text.into(),
    }
}

/// A written form and how it is read. The pattern is anchored where a word may begin; `None` from `read`
/// means "not this after all" and the next rule is tried.
struct Rule {
    pattern: Regex,
    read: fn(&Captures, &str) -> Option<String>,
}

impl Rule {
    /// `read` gets the match and the text behind it.
    fn new(pattern: &str, read: fn(&Captures, &str) -> Option<String>) -> Self {
        // The patterns are constants, each compiled by the tests.
        Self { pattern: Regex::new(&format!("^(?:{pattern})")).expect("a constant pattern"), read }
    }
}

/// Reads `text` from left to right, the first rule that fits at each place. `begins` says whether a rule may
/// start at a character, given the one before it.
fn rewrite(text: &str, rules: &[Rule], begins: fn(Option<char>, char) -> bool) -> String {
    let mut out = String::with_capacity(text.len() * 2);
    let mut rest = text;
    let mut before = None;
    while let Some(here) = rest.chars().next() {
        let found = rules.iter().filter(|_| begins(before, here)).find_map(|rule| {
            let captures = rule.pattern.captures(rest)?;
            let len = captures[0].len();
            Some((len, (rule.read)(&captures, &rest[len..]).filter(|_| len > 0)?))
        });
        match found {
            Some((len, words)) => {
                out.push_str(&words);
                before = rest[..len].chars().next_back();
                rest = &rest[len..];
            }
            None => {
                out.push(here);
                before = Some(here);
                rest = &rest[here.len_utf8()..];
            }
        }
    }
    out
}

/// Single blanks, none before a mark, none at the ends.
fn tidy(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for word in text.split_whitespace() {
        if !out.is_empty() && !word.starts_with([',', '.', ';', ':', '!', '?']) {
            out.push(' ');
        }
        out.push_str(word);
    }
    out
}

/// An amount of an ISO 4217 currency: whole units and hundredths.
struct Amount<'a> {
    negative: bool,
    units: u64,
    /// Hundredths; more decimals are rounded.
    cents: u32,
    code: &'a str,
}

/// "1234.50 USD", "USD 1,234.5", "-3 EUR".
fn amount(text: &str) -> Option<Amount<'_>> {
    let text = text.trim();
    let letters = |s: &str| s.len() == 3 && s.bytes().all(|b| b.is_ascii_alphabetic());
    let (number, code) = match text.split_once(char::is_whitespace) {
        Some((number, code)) if letters(code.trim()) => (number, code.trim()),
        Some((code, number)) if letters(code) => (number.trim(), code),
        _ => return None,
    };
    let (negative, number) = match number.strip_prefix(['-', '−']) {
        Some(number) => (true, number),
        None => (false, number),
    };
    let (units, cents) = units_and_cents(&number.replace([',', ' '], ""))?;
    Some(Amount { negative, units, cents, code })
}

fn units_and_cents(number: &str) -> Option<(u64, u32)> {
    let (units, decimals) = number.split_once('.').unwrap_or((number, ""));
    let units: u64 = units.parse().ok()?;
    if !decimals.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let digit = |at: usize| decimals.as_bytes().get(at).map_or(0, |b| u32::from(b - b'0'));
    let cents = digit(0) * 10 + digit(1) + u32::from(digit(2) >= 5);
    Some(if cents == 100 { (units.checked_add(1)?, 0) } else { (units, cents) })
}

/// "2026-11-21" as a date that exists.
fn date(text: &str) -> Option<chrono::NaiveDate> {
    let day = text.trim().split(['T', ' ']).next()?;
    chrono::NaiveDate::parse_from_str(day, "%Y-%m-%d").ok()
}

/// "14:05" or "14:05:30" as hour and minute; 24:00 is allowed.
fn time(text: &str) -> Option<(u32, u32)> {
    let mut parts = text.trim().split(':');
    let hour: u32 = parts.next()?.parse().ok()?;
    let minute: u32 = parts.next()?.parse().ok()?;
    (minute < 60 && (hour < 24 || (hour == 24 && minute == 0))).then_some((hour % 24, minute))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_code_may_hold_any_script() {
        for text in ["𐒢2", "é2é2é2é", "２𐒢𐒢𐒢𐒢𐒢"] {
            for language in ["en", "zh"] {
                assert!(words(&Piece::Code(text.into()), &Language::new(language)).is_some(), "{text}");
                assert!(words(&Piece::Text(text.into()), &Language::new(language)).is_some(), "{text}");
            }
        }
    }

    proptest! {
        /// Whatever an operator or a backend writes is read without panic, and no digit is left unread.
        #[test]
        fn anything_can_be_read(text in "\\PC{0,60}", kind in 0..7) {
            let piece = match kind {
                0 => Piece::Text(text),
                1 => Piece::Code(text),
                2 => Piece::Phone(text),
                3 => Piece::Number(text),
                4 => Piece::Money(text),
                5 => Piece::Date(text),
                _ => Piece::Time(text),
            };
            for language in ["en", "zh"] {
                let words = words(&piece, &Language::new(language)).unwrap();
                prop_assert!(!words.contains(|c: char| c.is_ascii_digit()), "{words}");
            }
        }

        /// Amounts keep their cents.
        #[test]
        fn amounts_are_exact(units in 0u64..10_000_000, cents in 0u32..100) {
            let text = format!("{units}.{cents:02} USD");
            let read = amount(&text).unwrap();
            prop_assert_eq!((read.units, read.cents, read.code), (units, cents, "USD"));
        }
    }
}

//! Whether a model's words say only what their sources say.

use std::collections::HashSet;
use std::sync::LazyLock;

use jieba_rs::Jieba;

use crate::dialog::numerals::{ONES, TENS};

/// Whether `words`, of `longest` characters at most, hold no number and no name that the sources lack. Strict: what it refuses
/// by mistake costs a plainer sentence, what it let through would cost a caller's trust.
pub fn faithful(words: &str, sources: &str, longest: usize) -> bool {
    let length = words.chars().count();
    if length == 0 || length > longest {
        return false;
    }
    let (known_digits, known_words) = (digit_runs(sources), lower_words(sources));
    let digits_known = digit_runs(words).iter().all(|run| known_digits.iter().any(|known| known == run));
    let numbers_known = lower_words(words).iter().filter(|word| is_number(word)).all(|word| known_words.contains(word));
    digits_known
        && numbers_known
        && capitalised(words).all(|word| OPENERS.contains(&word.as_str()) || known_words.contains(&word))
        && han_numbers(words).is_subset(&han_numbers(sources))
        && chinese_names(words).all(|word| sources.contains(&word))
}

/// Digits in a row, with what people put between them (`1,234`, `3-1-4`) taken out, but for a decimal point.
fn digit_runs(text: &str) -> HashSet<String> {
    let mut runs = HashSet::new();
    let mut run = String::new();
    let mut gap = None;
    for c in text.chars().chain(['\n']) {
        match c.to_digit(10) {
            Some(_) => {
                run.extend(gap.take().filter(|gap| *gap == '.'));
                run.push(c);
            }
            None if matches!(c, ',' | '.' | '-' | ' ' | ':' | '/') && gap.is_none() && !run.is_empty() => gap = Some(c),
            None => {
                if !run.is_empty() {
                    runs.insert(std::mem::take(&mut run));
                }
                gap = None;
            }
        }
    }
    runs
}

fn lower_words(text: &str) -> HashSet<String> {
    words_of(text).map(str::to_lowercase).collect()
}

fn words_of(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !c.is_alphanumeric() && c != '\'')
        .map(|word| word.trim_end_matches("'s"))
        .filter(|w| !w.is_empty())
}

/// Words with a capital, in lower case: names, and the first of each sentence.
fn capitalised(text: &str) -> impl Iterator<Item = String> {
    words_of(text).filter(|word| word.chars().next().is_some_and(char::is_uppercase)).map(str::to_lowercase)
}

/// Numerals in Chinese characters; 一 alone is also said of nothing (一下, 一些).
fn han_numbers(text: &str) -> HashSet<&str> {
    let runs = text.split(|c| !"零〇一二三四五六七八九十百千万亿两幺半".contains(c));
    runs.filter(|run| !run.is_empty() && *run != "一").collect()
}

/// People, places and organisations of two characters and more, as jieba's dictionary sees them.
fn chinese_names(text: &str) -> impl Iterator<Item = String> {
    static JIEBA: LazyLock<Jieba> = LazyLock::new(Jieba::new);
    let chinese = text.chars().any(|c| ('\u{4e00}'..='\u{9fff}').contains(&c));
    let tagged = if chinese { JIEBA.tag(text, true) } else { Vec::new() };
    let wanted: Vec<String> = tagged
        .into_iter()
        .filter(|tag| {
            let name = tag.tag.starts_with("nr") || tag.tag.starts_with("ns") || tag.tag.starts_with("nt");
            name && tag.word.chars().nth(1).is_some()
        })
        .map(|tag| tag.word.to_owned())
        .collect();
    wanted.into_iter()
}

/// An English numeral; "zero" and "one" are also said of nothing and of people.
fn is_number(word: &str) -> bool {
    const ALSO: [&str; 7] = ["hundred", "thousand", "million", "billion", "dozen", "twice", "half"];
    ONES[2..].iter().chain(&TENS[2..]).chain(&ALSO).any(|known| *known == word)
}

/// What English sentences of a briefing begin with, and names that say nothing of the caller.
const OPENERS: &[&str] = &[
    "a",
    "account",
    "after",
    "all",
    "an",
    "and",
    "as",
    "at",
    "before",
    "but",
    "call",
    "caller",
    "calling",
    "customer",
    "during",
    "for",
    "he",
    "her",
    "his",
    "however",
    "i",
    "in",
    "it",
    "its",
    "last",
    "no",
    "not",
    "on",
    "open",
    "currently",
    "previously",
    "please",
    "she",
    "so",
    "that",
    "the",
    "their",
    "then",
    "there",
    "they",
    "this",
    "to",
    "we",
    "when",
    "while",
    "who",
    "with",
    "yet",
    "you",
    "your",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_the_facts_say_is_faithful() {
        let bank = "Ada Lovelace, +44 20 7946 0018\naccount number 314159, read back\nbalance 1,234.50 USD told";
        for good in [
            "Ada Lovelace asked about account 314159. The balance of 1234.50 USD was told.",
            "The caller, on +442079460018, has account 3-1-4-1-5-9.",
            "She wants to know her balance; it was told to Ada.",
        ] {
            assert!(faithful(good, bank, 600), "{good}");
        }
        for bad in [
            "",
            "Ada's balance is 1,234.60 USD.",
            "Account 31415 belongs to Ada.",
            "Ada called twice.",
            "Ada owes fifty USD.",
            "Charles Babbage asked for a balance.",
            "Ada called from London.",
            "Ada's balance is 1,23450 USD.",
            &"very ".repeat(200),
        ] {
            assert!(!faithful(bad, bank, 600), "{bad}");
        }
    }

    #[test]
    fn chinese_names_places_and_numbers_must_be_in_the_facts_too() {
        let parcel = "来电号码 13800138000\n包裹号 88001234，已核对\n包裹正在上海派送";
        assert!(faithful("客户询问包裹88001234，包裹正在上海派送。", parcel, 600));
        for bad in
            ["包裹88001234正在北京派送。", "客户王小明询问包裹。", "包裹还有二十五分钟到上海。", "包裹88001235在上海。"]
        {
            assert!(!faithful(bad, parcel, 600), "{bad}");
        }
    }

    #[test]
    fn a_decimal_point_and_a_lone_numeral_count() {
        assert!(faithful("It is 1.5 km away.", "The tower is 1.5 km away.", 100));
        assert!(!faithful("It is 15 km away.", "The tower is 1.5 km away.", 100));
        assert!(faithful("七天内可以退货。", "购买后七天内可以退货，请带小票。", 100));
        assert!(!faithful("三天内可以退货。", "购买后七天内可以退货，请带小票。", 100));
        assert!(!faithful("十五元。", "门票二十五元。", 100));
    }
}

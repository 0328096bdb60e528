//! Digits as people say them. English: "four oh seven", "double five", "twenty three", "four hundred and twelve".
//! Mandarin: 幺 for one on the telephone, 两, "两个五", 二十三, 四百一十二. Spanish: digit by digit.

use super::super::numerals::{digit, teen, ten};
use super::super::words::Words;
use super::{INSIDE, Item, assemble, correction};

/// The digits in a sentence, `min..=max` of them. A correction ("no, I mean ...") replaces what came before it.
pub fn digits(text: &str, min: usize, max: usize) -> Option<String> {
    let words = Words::of(text);
    let texts = words.texts();
    // "twenty three" is 23; where that does not fit, it may have been 20 and 3.
    [true, false].into_iter().find_map(|join_tens| assemble(&items(&texts, join_tens), min, max))
}

/// Words that sound like a digit.
fn homophone(word: &str) -> Option<char> {
    Some(match word {
        "won" => '1',
        "to" | "too" => '2',
        "tree" => '3',
        "for" => '4',
        "sex" | "sics" => '6',
        "ate" => '8',
        _ => return None,
    })
}

fn items(words: &[&str], join_tens: bool) -> Vec<Item> {
    let mut items = Vec::new();
    let mut at = 0;
    while at < words.len() {
        let rest = &words[at..];
        if let Some(length) = correction(rest) {
            items.push(Item::Correction);
            at += length;
        } else if let Some((chars, length)) = number(rest, join_tens) {
            items.push(Item::Chars(chars));
            at += length;
        } else {
            match homophone(rest[0]) {
                Some(c) => items.push(Item::Perhaps(c)),
                None if INSIDE.contains(&rest[0]) => {}
                None => items.push(Item::Other),
            }
            at += 1;
        }
    }
    items
}

/// The number that begins here, as digits, and how many words it takes.
pub(super) fn number(words: &[&str], join_tens: bool) -> Option<(String, usize)> {
    repeated(words)
        .or_else(|| mandarin_number(words))
        .or_else(|| english_number(words))
        .or_else(|| tens(words, join_tens))
        .or_else(|| digit(words[0]).map(|c| (c.to_string(), 1)))
        .or_else(|| words[0].chars().all(|c| c.is_ascii_digit()).then(|| (words[0].to_owned(), 1)))
}

/// "double five", "triple oh", "两个五".
fn repeated(words: &[&str]) -> Option<(String, usize)> {
    let (times, skip) = match words {
        ["double", ..] => (2, 1),
        ["triple" | "treble", ..] => (3, 1),
        ["两" | "兩" | "二" | "2", "个" | "個", ..] => (2, 2),
        ["三" | "3", "个" | "個", ..] => (3, 2),
        ["四" | "4", "个" | "個", ..] => (4, 2),
        _ => return None,
    };
    digit(words.get(skip)?).map(|c| (c.to_string().repeat(times), skip + 1))
}

fn unit(word: &str) -> Option<u32> {
    digit(word).and_then(|c| c.to_digit(10)).filter(|&n| n > 0)
}

/// "fourteen", "twenty", "twenty three".
fn tens(words: &[&str], join: bool) -> Option<(String, usize)> {
    if let Some(n) = teen(words[0]) {
        return Some((n.to_string(), 1));
    }
    let n = ten(words[0])?;
    match words.get(1).and_then(|word| unit(word)) {
        Some(unit) if join => Some(((n + unit).to_string(), 2)),
        _ => Some((n.to_string(), 1)),
    }
}

/// Below a hundred: value and words.
fn below_hundred(words: &[&str]) -> Option<(u32, usize)> {
    let (text, length) = tens(words, true).or_else(|| unit(words[0]).map(|n| (n.to_string(), 1)))?;
    text.parse().ok().map(|n| (n, length))
}

/// "four hundred", "four hundred and twelve", "two thousand three hundred", "nineteen hundred".
fn english_number(words: &[&str]) -> Option<(String, usize)> {
    let mut total = 0;
    let mut at = 0;
    let mut scaled = false;
    for (scale, name) in [(1000, "thousand"), (100, "hundred")] {
        let rest = words.get(at..).filter(|rest| !rest.is_empty());
        if let Some((n, length)) = rest.and_then(below_hundred)
            && words.get(at + length) == Some(&name)
        {
            total += n * scale;
            at += length + 1;
            scaled = true;
        }
    }
    if !scaled {
        return None;
    }
    let skip = usize::from(words.get(at) == Some(&"and"));
    if let Some((n, length)) = words.get(at + skip..).filter(|rest| !rest.is_empty()).and_then(below_hundred) {
        // "four hundred five six" is 400, 5, 6 only when more digits follow; else 405.
        total += n;
        at += skip + length;
    }
    Some((total.to_string(), at))
}

/// 二十三, 四百一十二, 三千零五: a numeral with 十, 百, 千 or 万 in it.
fn mandarin_number(words: &[&str]) -> Option<(String, usize)> {
    let scale = |word: &str| match word {
        "十" | "拾" => Some(10),
        "百" | "佰" => Some(100),
        "千" | "仟" => Some(1000),
        "万" | "萬" => Some(10_000),
        _ => None,
    };
    let han_digit = |word: &str| digit(word).filter(|_| !word.is_ascii()).and_then(|c| c.to_digit(10));
    // Digit by digit ("四零七") is no numeral: a numeral's scale stands first or second.
    let first_scale = scale(words[0]).map(|_| 0).or_else(|| {
        han_digit(words[0])?;
        scale(words.get(1)?).map(|_| 1)
    })?;
    if first_scale == 0 && words[0] != "十" {
        return None;
    }
    let (mut total, mut section, mut at) = (0_u64, 0_u64, 0);
    let mut last_scale = u64::MAX;
    while at < words.len() {
        let n = han_digit(words[at]);
        let scale_at = if n.is_some() { at + 1 } else { at };
        match (n, words.get(scale_at).and_then(|word| scale(word))) {
            // A word repeated without end is no number.
            (n, Some(10_000)) if total < 1 << 40 => {
                total = (total + section + u64::from(n.unwrap_or(0))) * 10_000;
                section = 0;
                last_scale = 10_000;
                at = scale_at + 1;
            }
            (n, Some(by)) if by < last_scale => {
                section += u64::from(n.unwrap_or(1)) * by;
                last_scale = by;
                at = scale_at + 1;
            }
            (Some(0), _) if last_scale > 10 && words.get(at + 1).is_some_and(|word| han_digit(word).is_some()) => {
                last_scale = last_scale.min(100);
                at += 1;
            }
            (Some(n), _) if last_scale == 10 || (n > 0 && words[at - 1] == "零") => {
                section += u64::from(n);
                at += 1;
                break;
            }
            // 四百五 is 450.
            (Some(n), _) if n > 0 && (100..10_000).contains(&last_scale) => {
                section += u64::from(n) * last_scale / 10;
                at += 1;
                break;
            }
            _ => break,
        }
    }
    Some(((total + section).to_string(), at))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn reads(text: &str, wanted: &str) {
        assert_eq!(digits(text, wanted.len(), wanted.len()).as_deref(), Some(wanted), "{text}");
    }

    #[test]
    fn a_word_repeated_without_end_is_no_number() {
        for word in ["万", "一万", "一千万", "nine ", "hundred "] {
            digits(&word.repeat(60), 4, 12);
        }
    }

    #[test]
    fn english() {
        reads("Four oh seven.", "407");
        reads("4-0-7, 1 2 3", "407123");
        reads("407123", "407123");
        reads("double five oh triple seven", "550777");
        reads("twenty three forty one", "2341");
        reads("twenty three", "203");
        reads("fourteen oh two", "1402");
        reads("four hundred", "400");
        reads("four hundred and twelve", "412");
        reads("two thousand three hundred", "2300");
        reads("nineteen hundred", "1900");
        reads("four one for two", "4142");
        reads("for one five two", "4152");
        reads("one ate five", "185");
        reads("My account number is, um, four oh seven one two three please", "407123");
        reads("it's four oh seven, and then, nine", "4079");
        reads("I have 2 accounts, the number is 4 0 7 1", "4071");
    }

    #[test]
    fn mandarin() {
        reads("四零七。", "407");
        reads("幺二三四五六", "123456");
        reads("两个五零三个七", "550777");
        reads("我的账号是四零七一二三", "407123");
        reads("二十三", "23");
        reads("十二", "12");
        reads("四百一十二", "412");
        reads("三千零五", "3005");
        reads("四百零五", "405");
        reads("四百五", "450");
        reads("一万二千", "12000");
        reads("４０７１２３", "407123");
        reads("一三八，零零一三，八零零零", "13800138000");
        reads("单号是一二十三", "123");
    }

    #[test]
    fn corrections_replace_what_came_before() {
        reads("four oh seven, no, four oh eight", "408");
        reads("four oh seven sorry I mean four oh nine", "409");
        reads("四零七，不对，四零八", "408");
        reads("No. four oh seven", "407");
        assert_eq!(digits("four oh seven, no", 3, 3), None);
    }

    #[test]
    fn what_does_not_fit_is_no_value() {
        for text in ["", "hello", "four oh", "four oh seven one", "for me to you", "账号"] {
            assert_eq!(digits(text, 3, 3), None, "{text}");
        }
        assert_eq!(digits("407 or 408", 3, 3), None, "two numbers: which?");
        assert_eq!(digits("", 0, 9), None);
    }
}

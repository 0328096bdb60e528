//! Numbers in a transcript, however they are written or said, with the bytes they stand on: "4111-1111", "four one
//! double one", "forty-one eleven", 幺三八两个零, 四十一. Wider than `dialog::slots`, which reads a value that was asked
//! for: what is only probably a digit counts here, for here a miss is a leak.

use std::ops::Range;

use super::cues::{Cue, FILLERS, cue, starts};
use super::dates::{amount, date_or_time, month_and_year, said_when, thousands};
use crate::dialog::numerals::{digit, teen, ten};
use crate::dialog::slots::correction;
use crate::dialog::words::{is_han, plain};

/// One word of the text.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Piece {
    /// Digits, perhaps an X behind 17 of them. `quantity`: an amount, a time or a date, not a number by name.
    Digits {
        text: String,
        quantity: bool,
    },
    Cue(Cue),
    /// "um", "and": ends no number.
    Filler,
    /// "no, I mean": what follows replaces what came before.
    Correction,
    Other,
}

#[derive(Clone, Debug)]
pub(super) struct Placed {
    pub piece: Piece,
    pub span: Range<usize>,
}

pub(super) struct Token {
    /// Lower case; one Chinese character; a run of ASCII digits.
    pub text: String,
    pub span: Range<usize>,
}

/// All digits of a text in order, whatever stands between them.
pub fn digits_of(text: &str) -> String {
    let digits = |placed: Placed| match placed.piece {
        Piece::Digits { text, .. } => Some(text),
        _ => None,
    };
    pieces(text).into_iter().filter_map(digits).collect()
}

pub(super) fn pieces(text: &str) -> Vec<Placed> {
    let tokens = tokens(text);
    let words: Vec<&str> = tokens.iter().map(|token| token.text.as_str()).collect();
    let mut pieces: Vec<Placed> = Vec::new();
    let mut at = 0;
    while at < words.len() {
        let rest = &words[at..];
        let (piece, length) = if let Some(length) = date_or_time(text, &tokens[at..]).or_else(|| month_and_year(rest)) {
            (Piece::Other, length)
        } else if let Some((digits, length)) = said_when(at.checked_sub(1).map_or("", |at| words[at]), rest) {
            (Piece::Digits { text: digits, quantity: true }, length)
        } else if let Some((digits, length)) = thousands(text, &tokens[at..], words.get(at + 1..).unwrap_or_default()) {
            (Piece::Digits { text: digits, quantity: true }, length)
        } else if let Some((cue, length)) = cue(rest).filter(|(_, length)| *length > 1) {
            (Piece::Cue(cue), length) // "one time", 一次性
        } else if let Some((digits, length, scaled)) = group(rest) {
            let (from, to) = (tokens[at].span.start, tokens[at + length - 1].span.end);
            let quantity = scaled || amount(text, from, to, words.get(at + length).copied());
            (Piece::Digits { text: digits, quantity }, length)
        } else if let Some((cue, length)) = cue(rest) {
            (Piece::Cue(cue), length)
        } else if let Some(length) = correction(rest) {
            (Piece::Correction, length)
        } else if rest[0] == "once"
            && (pieces.last().is_some_and(|last| digits(&last.piece)) || group(&rest[1..]).is_some())
        {
            (Piece::Digits { text: "11".into(), quantity: false }, 1) // in English one says so of anything
        } else if let Some(c) = sounds_like(rest[0]).filter(|_| between_digits(&pieces, &words[at + 1..])) {
            (Piece::Digits { text: c.into(), quantity: false }, 1)
        } else if rest[0] == "x"
            && pieces.last().is_some_and(|last| digits(&last.piece))
            && (digits_before(&pieces) == 17 || rest.len() == 1)
        {
            (Piece::Digits { text: "X".into(), quantity: false }, 1)
        } else if let Some(length) = starts(FILLERS, rest) {
            (Piece::Filler, length)
        } else {
            (Piece::Other, 1)
        };
        pieces.push(Placed { piece, span: tokens[at].span.start..tokens[at + length - 1].span.end });
        at += length;
    }
    pieces
}

fn digits(piece: &Piece) -> bool {
    matches!(piece, Piece::Digits { .. })
}

/// Digits up to here with nothing else between.
fn digits_before(pieces: &[Placed]) -> usize {
    let run = pieces.iter().rev().map_while(|placed| match &placed.piece {
        Piece::Digits { text, .. } => Some(text.len()),
        Piece::Filler => Some(0),
        _ => None,
    });
    run.sum()
}

/// After a digit by itself, and before one (or after several).
fn between_digits(before: &[Placed], after: &[&str]) -> bool {
    let single =
        matches!(before.last(), Some(Placed { piece: Piece::Digits { text, quantity: false }, .. }) if text.len() == 1);
    let next = !after.is_empty()
        && (group(after).is_some_and(|(digits, ..)| digits.len() <= 3) || sounds_like(after[0]).is_some());
    single && (next || digits_before(before) >= 3)
}

fn tokens(text: &str) -> Vec<Token> {
    let mut tokens: Vec<Token> = Vec::new();
    #[derive(PartialEq, Clone, Copy)]
    enum Class {
        Digit,
        Letter,
        Han,
        None,
    }
    let mut last = Class::None;
    for (at, c) in text.char_indices() {
        let plain = other_digit(c).unwrap_or_else(|| plain(c));
        let class = match plain {
            '\'' | '\u{2019}' if last == Class::Letter => continue,
            c if c.is_ascii_digit() => Class::Digit,
            c if is_han(c) => Class::Han,
            c if c.is_alphanumeric() => Class::Letter,
            _ => Class::None,
        };
        let end = at + c.len_utf8();
        match tokens.last_mut() {
            Some(token) if class == last && matches!(class, Class::Digit | Class::Letter) => {
                token.text.extend(plain.to_lowercase());
                token.span.end = end;
            }
            _ if class == Class::None => {}
            _ => tokens.push(Token { text: plain.to_lowercase().collect(), span: at..end }),
        }
        last = class;
    }
    tokens
}

/// Digits of other scripts (Unicode: Nd, ten in a row from each zero), circled, raised and lowered ones.
fn other_digit(c: char) -> Option<char> {
    const ZEROS: [u32; 41] = [
        0x660, 0x6F0, 0x7C0, 0x966, 0x9E6, 0xA66, 0xAE6, 0xB66, 0xBE6, 0xC66, 0xCE6, 0xD66, 0xDE6, 0xE50, 0xED0, 0xF20,
        0x1040, 0x1090, 0x17E0, 0x1810, 0x1946, 0x19D0, 0x1A80, 0x1A90, 0x1B50, 0x1BB0, 0x1C40, 0x1C50, 0x2070, 0x2080,
        0x245F, 0x2473, 0xA620, 0xA8D0, 0xA900, 0xA9D0, 0xAA50, 0xABF0, 0x1D7CE, 0x1D7D8, 0x1D7E2,
    ];
    let latin = match c {
        '¹' => Some(1),
        '²' => Some(2),
        '³' => Some(3),
        '⓪' => Some(0),
        _ => None,
    };
    let at = c as u32;
    if c.is_ascii() {
        return None;
    }
    let digit = latin.or_else(|| {
        let zero = ZEROS.iter().find(|zero| (**zero..**zero + 10).contains(&at))?;
        // What stands where a zero or a one would, of those that have none there.
        let none = matches!(at, 0x245F | 0x2473 | 0x2071..=0x2073);
        (!none).then_some(at - zero)
    })?;
    char::from_digit(digit, 10)
}

/// The digits that begin here, how many words they take, and whether they are a numeral of hundreds and more.
pub(super) fn group(words: &[&str]) -> Option<(String, usize, bool)> {
    let plain = |(digits, length): (String, usize)| (digits, length, false);
    if words.is_empty() {
        return None;
    }
    repeated(words)
        .map(plain)
        .or_else(|| mandarin(words))
        .or_else(|| english(words))
        .or_else(|| spanish(words))
        .or_else(|| tens(words).map(|(n, length)| (n.to_string(), length, false)))
        .or_else(|| digit(words[0]).map(|c| (c.to_string(), 1, false)))
        .or_else(|| words[0].chars().all(|c| c.is_ascii_digit()).then(|| (words[0].to_owned(), 1, false)))
}

/// What recognisers write for a digit; it counts among digits only.
fn sounds_like(word: &str) -> Option<char> {
    Some(match word {
        "won" | "wun" | "衣" | "医" | "已" => '1',
        "to" | "too" | "tu" | "而" | "儿" | "耳" => '2',
        "tree" | "free" | "散" | "伞" => '3',
        "for" | "fore" | "是" | "事" | "时" | "死" | "似" => '4',
        "hive" | "武" | "无" | "午" | "我" => '5',
        "sex" | "sics" | "sicks" | "留" | "流" | "刘" => '6',
        "期" | "起" | "其" | "气" => '7',
        "ate" | "aid" | "爸" | "吧" | "把" => '8',
        "nein" | "line" | "酒" | "久" | "就" => '9',
        "hero" | "owe" | "领" | "另" | "您" => '0',
        _ => return None,
    })
}

/// "double five", "triple oh", 两个五.
fn repeated(words: &[&str]) -> Option<(String, usize)> {
    let (times, skip) = match words {
        ["double", ..] => (2, 1),
        ["triple" | "treble", ..] => (3, 1),
        ["quadruple", ..] => (4, 1),
        [n, "个" | "個", ..] => (digit(n).filter(|c| ('2'..='9').contains(c))?.to_digit(10)? as usize, 2),
        _ => return None,
    };
    digit(words.get(skip)?).map(|c| (c.to_string().repeat(times), skip + 1))
}

/// "fourteen", "twenty", "twenty three".
pub(super) fn tens(words: &[&str]) -> Option<(u32, usize)> {
    if let Some(n) = teen(words[0]) {
        return Some((n, 1));
    }
    let n = ten(words[0])?;
    match words.get(1).and_then(|word| unit(word)) {
        Some(unit) => Some((n + unit, 2)),
        None => Some((n, 1)),
    }
}

pub(super) fn unit(word: &str) -> Option<u32> {
    digit(word).filter(|_| word.is_ascii()).and_then(|c| c.to_digit(10)).filter(|&n| n > 0)
}

/// "four hundred", "four hundred and twelve", "forty one hundred", "two thousand three hundred".
pub(super) fn english(words: &[&str]) -> Option<(String, usize, bool)> {
    let below_hundred = |words: &[&str]| -> Option<(u32, usize)> {
        let first = words.first()?;
        tens(words).or_else(|| unit(first).map(|n| (n, 1)))
    };
    let (mut total, mut at, mut scaled) = (0, 0, false);
    for (scale, name) in [(1000, "thousand"), (100, "hundred")] {
        if let Some((n, length)) = words.get(at..).and_then(below_hundred)
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
    if let Some((n, length)) = words.get(at + skip..).and_then(below_hundred) {
        total += n;
        at += skip + length;
    }
    Some((total.to_string(), at, true))
}

/// "cuarenta y cinco", "dieciséis", "quinientos treinta y nueve", "cuatro mil quinientos". Not "once": see `pieces`.
pub(super) fn spanish(words: &[&str]) -> Option<(String, usize, bool)> {
    const TEENS: [&str; 20] = [
        "diez",
        "",
        "doce",
        "trece",
        "catorce",
        "quince",
        "dieciseis",
        "diecisiete",
        "dieciocho",
        "diecinueve",
        "veinte",
        "veintiuno",
        "veintidos",
        "veintitres",
        "veinticuatro",
        "veinticinco",
        "veintiseis",
        "veintisiete",
        "veintiocho",
        "veintinueve",
    ];
    const TENS: [&str; 7] = ["treinta", "cuarenta", "cincuenta", "sesenta", "setenta", "ochenta", "noventa"];
    const HUNDREDS: [&str; 9] = [
        "ciento",
        "doscientos",
        "trescientos",
        "cuatrocientos",
        "quinientos",
        "seiscientos",
        "setecientos",
        "ochocientos",
        "novecientos",
    ];
    let place = |names: &[&str], at: usize| {
        let word: String = words.get(at)?.chars().map(unaccented).collect();
        names.iter().position(|name| !name.is_empty() && *name == word).map(|place| place as u32)
    };
    let unit = |at: usize| words.get(at).and_then(|word| unit(word)).filter(|_| words[at].len() > 1);
    let below_hundred = |at: usize| -> Option<(u32, usize)> {
        if let Some(n) = place(&TEENS, at) {
            return Some((n + 10, 1));
        }
        let n = (place(&TENS, at)? + 3) * 10;
        match unit(at + 2).filter(|_| words[at + 1] == "y") {
            Some(unit) => Some((n + unit, 3)),
            None => Some((n, 1)),
        }
    };
    let below_thousand = |at: usize| -> Option<(u32, usize)> {
        let hundred =
            if words.get(at) == Some(&"cien") { Some(100) } else { place(&HUNDREDS, at).map(|n| (n + 1) * 100) };
        let Some(hundred) = hundred else { return below_hundred(at) };
        let eleven = (words.get(at + 1) == Some(&"once")).then_some((11, 1));
        let rest = eleven.or_else(|| below_hundred(at + 1)).or_else(|| unit(at + 1).map(|n| (n, 1)));
        rest.map_or(Some((hundred, 1)), |(n, length)| Some((hundred + n, length + 1)))
    };
    let thousands = match (words[0], below_thousand(0).or_else(|| unit(0).map(|n| (n, 1)))) {
        ("mil", _) => Some((1, 0)),
        (_, first) => first.filter(|(_, length)| words.get(*length) == Some(&"mil")),
    };
    let Some((thousand, length)) = thousands else {
        return below_thousand(0).map(|(n, length)| (n.to_string(), length, n >= 100));
    };
    let at = length + 1;
    let (rest, length) = below_thousand(at).or_else(|| unit(at).map(|n| (n, 1))).unwrap_or((0, 0));
    Some(((thousand * 1_000 + rest).to_string(), at + length, true))
}

fn unaccented(c: char) -> char {
    match c {
        'á' => 'a',
        'é' => 'e',
        'í' => 'i',
        'ó' => 'o',
        'ú' => 'u',
        c => c,
    }
}

/// 二十三, 四百一十二, 三千零五, 一万二: a numeral, its scale first (十二) or second.
fn mandarin(words: &[&str]) -> Option<(String, usize, bool)> {
    let scale = |word: &str| match word {
        "十" | "拾" => Some(10),
        "百" | "佰" => Some(100),
        "千" | "仟" => Some(1_000),
        "万" | "萬" => Some(10_000),
        _ => None,
    };
    let han = |word: &str| digit(word).filter(|_| !word.is_ascii()).and_then(|c| c.to_digit(10)).map(u64::from);
    let begins =
        words[0] == "十" || (han(words[0]).is_some() && words.get(1).is_some_and(|word| scale(word).is_some()));
    if !begins {
        return None;
    }
    let (mut total, mut section, mut at, mut last, mut largest) = (0u64, 0u64, 0, 100_000u64, 0);
    while at < words.len() {
        let n = han(words[at]);
        let scale_at = at + usize::from(n.is_some());
        match (n, words.get(scale_at).and_then(|word| scale(word))) {
            (n, Some(10_000)) if last > 10_000 || section > 0 => {
                total = total.saturating_add(section).saturating_add(n.unwrap_or(0)).saturating_mul(10_000);
                (section, last, largest, at) = (0, 10_000, 10_000, scale_at + 1);
            }
            // 四十一十一 is 41 and 11.
            (Some(n), Some(10)) if last == 10 && n > 0 => {
                section += n;
                at += 1;
                break;
            }
            (n, Some(by)) if by < last => {
                section += n.unwrap_or(1) * by;
                (last, largest, at) = (by, largest.max(by), scale_at + 1);
            }
            (Some(0), _) if last > 10 && words.get(at + 1).is_some_and(|word| han(word).is_some_and(|n| n > 0)) => {
                last = last.min(100);
                at += 1;
            }
            (Some(n), None) if n > 0 && (last == 10 || words[at - 1] == "零") => {
                section += n;
                at += 1;
                break;
            }
            // 四百五 is 450.
            (Some(n), None) if n > 0 && (100..10_000).contains(&last) => {
                section += n * last / 10;
                at += 1;
                break;
            }
            _ => break,
        }
    }
    Some((total.saturating_add(section).to_string(), at, largest >= 100))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_are_read_however_they_are_said() {
        for (text, digits) in [
            ("4111-1111 1111.1111", "4111111111111111"),
            ("four one double one, triple one", "4111111"),
            ("forty-one eleven twenty two oh five", "41112205"),
            ("forty one hundred eleven", "4111"),
            ("four won for to five", "41425"),
            ("幺三八，零零幺三，八零零零", "13800138000"),
            ("两个五零三个七", "550777"),
            ("四十一十一", "4111"),
            ("四千一百一十一", "4111"),
            ("４１１１", "4111"),
            ("uno dos tres", "123"),
            ("cuarenta y cinco, treinta y nueve, cincuenta y siete, ochenta y siete", "45395787"),
            ("dieciséis, once, veintidós, cero cuatro, sesenta", "1611220460"),
            ("cuatro mil quinientos treinta y nueve, cinco mil setecientos ochenta y siete", "45395787"),
            ("ciento once y cien", "111100"),
            ("mil doscientos tres", "1203"),
            ("٤٥٣٩ ۵۷۸۷ ६३६२ １４８６", "4539578763621486"),
            ("④⑤③⑨ ⁵⁷⁸⁷ ₁₂₃ ๑๒ 𝟜𝟝 ⓪①", "45395787123124501"),
            ("四是一三", "4413"),
        ] {
            assert_eq!(digits_of(text), digits, "{text}");
        }
        assert_eq!(digits_of("at 9:30 on 21/11/2026 or 2026-11-22, may 1st, 2020, from 3/6"), "");
        assert_eq!(digits_of("078-05-1120"), "078051120");
        assert_eq!(digits_of("I said so once, and once more"), "", "an English word first");
    }
}

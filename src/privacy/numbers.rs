//! Numbers in a transcript, however they are written or said, with the bytes they stand on: "4111-1111", "four one
//! double one", "forty-one eleven", 幺三八两个零, 四十一. Wider than `dialog::slots`, which reads a value that was asked
//! for: what is only probably a digit counts here, for here a miss is a leak.

use std::ops::Range;

use crate::dialog::numerals::{digit, month, teen, ten};
use crate::dialog::slots::correction;
use crate::dialog::words::{is_han, plain};

/// What the word before (or after) a number says it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Cue {
    /// An account, an order: something the operator works with.
    Reference,
    Phone,
    /// "code": of an order, or one-time.
    Code,
    NationalId,
    Card,
    /// PIN, password, verification code.
    Secret,
}

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

struct Token {
    /// Lower case; one Chinese character; a run of ASCII digits.
    text: String,
    span: Range<usize>,
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
        let (piece, length) = if let Some(length) = date_or_time(text, &tokens[at..]) {
            (Piece::Other, length)
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
        let plain = plain(c);
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

/// The digits that begin here, how many words they take, and whether they are a numeral of hundreds and more.
fn group(words: &[&str]) -> Option<(String, usize, bool)> {
    let plain = |(digits, length): (String, usize)| (digits, length, false);
    repeated(words)
        .map(plain)
        .or_else(|| mandarin(words))
        .or_else(|| english(words))
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
fn tens(words: &[&str]) -> Option<(u32, usize)> {
    if let Some(n) = teen(words[0]) {
        return Some((n, 1));
    }
    let n = ten(words[0])?;
    match words.get(1).and_then(|word| unit(word)) {
        Some(unit) => Some((n + unit, 2)),
        None => Some((n, 1)),
    }
}

fn unit(word: &str) -> Option<u32> {
    digit(word).filter(|_| word.is_ascii()).and_then(|c| c.to_digit(10)).filter(|&n| n > 0)
}

/// "four hundred", "four hundred and twelve", "forty one hundred", "two thousand three hundred".
fn english(words: &[&str]) -> Option<(String, usize, bool)> {
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

/// "9:30", "21/11/2026", "2026-11-21": how many tokens it takes.
fn date_or_time(text: &str, tokens: &[Token]) -> Option<usize> {
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
fn thousands(text: &str, tokens: &[Token], after: &[&str]) -> Option<(String, usize)> {
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
fn amount(text: &str, from: usize, to: usize, next: Option<&str>) -> bool {
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

fn starts(phrases: &[&[&str]], words: &[&str]) -> Option<usize> {
    phrases.iter().filter(|phrase| words.starts_with(phrase)).map(|phrase| phrase.len()).max()
}

fn cue(words: &[&str]) -> Option<(Cue, usize)> {
    let found = CUES.iter().filter_map(|(cue, phrases)| starts(phrases, words).map(|length| (*cue, length)));
    found.max_by_key(|(cue, length)| (*length, *cue))
}

const FILLERS: &[&[&str]] = &[
    &["um"],
    &["uh"],
    &["er"],
    &["erm"],
    &["ah"],
    &["and"],
    &["then"],
    &["dash"],
    &["hyphen"],
    &["space"],
    &["comma"],
    &["dot"],
    &["point"],
    &["slash"],
    &["followed"],
    &["by"],
    &["please"],
    &["okay"],
    &["ok"],
    &["next"],
    &["plus"],
    &["呃"],
    &["嗯"],
    &["然", "后"],
    &["杠"],
    &["啊"],
    &["接", "着"],
    &["再"],
    &["那", "个"],
    &["空", "格"],
    &["加"],
    &["y"],
];

const CUES: &[(Cue, &[&[&str]])] = &[
    (
        Cue::Secret,
        &[
            &["pin"],
            &["pins"],
            &["passcode"],
            &["password"],
            &["passphrase"],
            &["otp"],
            &["cvv"],
            &["cvc"],
            &["cvv2"],
            &["security", "code"],
            &["access", "code"],
            &["one", "time"],
            &["onetime"],
            &["verification"],
            &["verify"],
            &["authentication"],
            &["authenticator"],
            &["confirmation", "code"],
            &["secret"],
            &["login", "code"],
            &["texted"],
            &["text", "message"],
            &["sms"],
            &["expiry"],
            &["expires"],
            &["expiration"],
            &["密", "码"],
            &["密", "碼"],
            &["验", "证"],
            &["驗", "證"],
            &["校", "验"],
            &["动", "态"],
            &["動", "態"],
            &["口", "令"],
            &["安", "全", "码"],
            &["短", "信"],
            &["一", "次", "性"],
            &["取", "款"],
            &["有", "效", "期"],
            &["clave"],
            &["contraseña"],
            &["verificación"],
        ],
    ),
    (
        Cue::Card,
        &[
            &["card"],
            &["cards"],
            &["visa"],
            &["mastercard"],
            &["amex"],
            &["debit"],
            &["credit"],
            &["american", "express"],
            &["卡"],
            &["卡", "号"],
            &["卡", "號"],
            &["信", "用", "卡"],
            &["银", "行", "卡"],
            &["储", "蓄", "卡"],
            &["tarjeta"],
        ],
    ),
    (
        Cue::NationalId,
        &[
            &["ssn"],
            &["social"],
            &["social", "security"],
            &["passport"],
            &["national", "id"],
            &["id", "number"],
            &["identity"],
            &["identification"],
            &["national", "insurance"],
            &["身", "份"],
            &["证", "件"],
            &["證", "件"],
            &["护", "照"],
            &["dni"],
            &["nie"],
        ],
    ),
    (Cue::Code, &[&["code"], &["codes"], &["代", "码"], &["代", "碼"], &["código"]]),
    (
        Cue::Phone,
        &[
            &["phone"],
            &["telephone"],
            &["mobile"],
            &["cell"],
            &["cellphone"],
            &["call", "me"],
            &["reach", "me"],
            &["call", "back"],
            &["callback"],
            &["电", "话"],
            &["電", "話"],
            &["手", "机"],
            &["手", "機"],
            &["teléfono"],
            &["móvil"],
        ],
    ),
    (
        Cue::Reference,
        &[
            &["account"],
            &["order"],
            &["orders"],
            &["reference"],
            &["tracking"],
            &["parcel"],
            &["package"],
            &["shipment"],
            &["booking"],
            &["reservation"],
            &["invoice"],
            &["case"],
            &["ticket"],
            &["customer", "number"],
            &["policy"],
            &["flight"],
            &["membership"],
            &["账"],
            &["帐"],
            &["賬"],
            &["账", "号"],
            &["账", "户"],
            &["订", "单"],
            &["訂", "單"],
            &["单", "号"],
            &["單", "號"],
            &["运", "单"],
            &["快", "递"],
            &["包", "裹"],
            &["预", "约"],
            &["编", "号"],
            &["会", "员"],
            &["保", "单"],
            &["航", "班"],
            &["cuenta"],
            &["pedido"],
            &["referencia"],
        ],
    ),
];

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
            ("四是一三", "4413"),
        ] {
            assert_eq!(digits_of(text), digits, "{text}");
        }
        assert_eq!(digits_of("at 9:30 on 21/11/2026 or 2026-11-22, may 1st, 2020, from 3/6"), "");
        assert_eq!(digits_of("078-05-1120"), "078051120");
    }
}

//! Amounts of money: "three dollars fifty", "three fifty", "a hundred and twenty pounds", "fifty cents", `$3.50`,
//! 三块五, 十二块零五分, 五毛, 两万元. Values are as templates read them: `3.50 USD`.

use super::number::{Number, cardinal, number};

/// An amount in hundredths, its currency (ISO 4217) where one is said, how many words it takes.
pub fn money(words: &[&str]) -> Option<(u64, Option<&'static str>, usize)> {
    if let Some(sign) = words.first().and_then(|word| sign(word)) {
        let (number, length) = number(&words[1..])?;
        return Some((hundredths(&number)?, Some(sign), length + 1));
    }
    if let Some(found) = mandarin(words) {
        return Some(found);
    }
    let (first, at) = number(words)?;
    let rest = &words[at..];
    if let Some((small, "")) = rest.first().and_then(|word| unit(word)).filter(|(_, kind)| kind.is_empty()) {
        // "fifty cents"
        return Some((first.whole, small, at + 1));
    }
    match rest.first().and_then(|word| unit(word)) {
        Some((currency, _)) => {
            let and = usize::from(rest.get(1) == Some(&"and"));
            let tail = &rest[1 + and..];
            let cents = cardinal(tail).filter(|(n, _)| *n < 100 && first.fraction.is_empty());
            let amount = hundredths(&first)?;
            match cents {
                Some((n, length)) => {
                    let named = tail.get(length).and_then(|word| unit(word)).is_some_and(|(_, kind)| kind.is_empty());
                    // "three dollars and two coffees": only with the word, or "three dollars fifty".
                    if named || (and == 0 && n >= 10) {
                        let end = at + 1 + and + length + usize::from(named);
                        return Some((amount + n, currency, end));
                    }
                    Some((amount, currency, at + 1))
                }
                None => Some((amount, currency, at + 1)),
            }
        }
        None => {
            // "three fifty", "twelve ninety nine".
            let cents = cardinal(rest).filter(|(n, _)| (10..100).contains(n));
            match cents {
                Some((n, length)) if first.fraction.is_empty() && first.whole < 100 => {
                    let named = rest.get(length).and_then(|word| unit(word)).filter(|(_, kind)| !kind.is_empty());
                    let currency = named.and_then(|(currency, _)| currency);
                    Some((first.whole * 100 + n, currency, at + length + usize::from(named.is_some())))
                }
                _ => Some((hundredths(&first)?, None, at)),
            }
        }
    }
}

/// `3.50 USD`.
pub fn written(hundredths: u64, currency: &str) -> String {
    format!("{}.{:02} {currency}", hundredths / 100, hundredths % 100)
}

fn hundredths(number: &Number) -> Option<u64> {
    let fraction: u64 = match number.fraction.len() {
        0 => 0,
        1 => number.fraction.parse::<u64>().ok()? * 10,
        _ => number.fraction.get(..2)?.parse().ok()?,
    };
    number.whole.checked_mul(100)?.checked_add(fraction)
}

fn sign(word: &str) -> Option<&'static str> {
    Some(match word {
        "$" => "USD",
        "£" => "GBP",
        "€" => "EUR",
        "¥" => "CNY",
        _ => return None,
    })
}

/// A currency's word; the empty kind is a hundredth of one.
fn unit(word: &str) -> Option<(Option<&'static str>, &'static str)> {
    Some(match word {
        "dollar" | "dollars" | "bucks" | "buck" => (None, "dollar"),
        "usd" => (Some("USD"), "usd"),
        "pound" | "pounds" | "quid" => (Some("GBP"), "pound"),
        "euro" | "euros" => (Some("EUR"), "euro"),
        "yuan" | "renminbi" | "rmb" => (Some("CNY"), "yuan"),
        "cent" | "cents" | "penny" | "pence" | "pennies" => (None, ""),
        _ => return None,
    })
}

/// 三块五毛二, 十二元零五分, 五毛, 三百美元.
fn mandarin(words: &[&str]) -> Option<(u64, Option<&'static str>, usize)> {
    let (first, at) = number(words)?;
    let rest = &words[at..];
    let (currency, name) = match rest {
        ["块" | "塊", "钱" | "錢", ..] => (None, 2),
        ["块" | "塊" | "元" | "圆", ..] => (None, 1),
        ["人", "民", "币" | "幣", ..] => (Some("CNY"), 3),
        ["美", "元" | "金", ..] => (Some("USD"), 2),
        ["欧" | "歐", "元", ..] => (Some("EUR"), 2),
        ["港", "币" | "幣" | "元", ..] => (Some("HKD"), 2),
        ["英", "镑" | "鎊", ..] => (Some("GBP"), 2),
        ["毛" | "角", ..] => {
            let (fen, more) = small_change(&rest[1..], 1);
            let end = at + 1 + more;
            let money = usize::from(matches!(words.get(end), Some(&"钱" | &"錢")));
            return Some((first.whole * 10 + fen, None, end + money));
        }
        ["分", "钱" | "錢", ..] => return Some((first.whole, None, at + 2)),
        _ => return None,
    };
    let (change, more) = match first.fraction.is_empty() {
        true => small_change(&rest[name..], 10),
        false => (0, 0),
    };
    let end = at + name + more;
    let money = usize::from(matches!(words.get(end), Some(&"钱" | &"錢")));
    Some((hundredths(&first)? + change, currency, end + money))
}

/// What follows 块: 五 (fifty), 五毛二, 零五分, 零五毛, 半. `scale`: what a bare digit counts for.
fn small_change(words: &[&str], scale: u64) -> (u64, usize) {
    let one =
        |word: &&str| cardinal(&[word]).map(|(n, _)| n).filter(|n| *n < 10 && !word.is_ascii() || word.len() == 1);
    match words {
        ["零", digit, "毛" | "角", ..] if scale == 10 && one(digit).is_some() => (one(digit).unwrap_or(0) * 10, 3),
        ["半", ..] if !words.get(1).is_some_and(|w| matches!(*w, "个" | "個" | "小" | "天" | "年" | "月")) => {
            (scale * 5, 1)
        }
        ["零", digit, "分", ..] if one(digit).is_some() => (one(digit).unwrap_or(0), 3),
        ["零", digit, ..] if one(digit).is_some() => (one(digit).unwrap_or(0), 2),
        [digit, "毛" | "角", rest @ ..] if scale == 10 && one(digit).is_some() => {
            let (fen, more) = small_change(rest, 1);
            (one(digit).unwrap_or(0) * 10 + fen, 2 + more)
        }
        [digit, "分", ..] if one(digit).is_some() => (one(digit).unwrap_or(0), 2),
        [digit, next, "分" | "毛" | "角", ..] if one(digit).is_some() && one(next).is_some() => (0, 0),
        [digit, ..]
            if one(digit).is_some() && !words.get(1).is_some_and(|w| matches!(*w, "个" | "杯" | "份" | "点")) =>
        {
            (one(digit).unwrap_or(0) * scale, 1)
        }
        _ => (0, 0),
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
        let found = money(&words).filter(|found| found.2 == words.len());
        assert_eq!(found.map(|(n, c, _)| written(n, c.unwrap_or("-"))).as_deref(), Some(wanted), "{text}: {words:?}");
    }

    #[test]
    fn english_amounts() {
        for (text, wanted) in [
            ("three dollars fifty", "3.50 -"),
            ("three dollars and fifty cents", "3.50 -"),
            ("three fifty", "3.50 -"),
            ("twelve ninety-nine", "12.99 -"),
            ("$3.50", "3.50 USD"),
            ("$1,250", "1250.00 USD"),
            ("a hundred and twenty pounds", "120.00 GBP"),
            ("fifty cents", "0.50 -"),
            ("2.5 euros", "2.50 EUR"),
            ("three pounds and five pence", "3.05 GBP"),
            ("fifty", "50.00 -"),
            ("twenty bucks", "20.00 -"),
            ("two and a half thousand", "2500.00 -"),
            ("2.5 million dollars", "2500000.00 -"),
            ("$1.2 million", "1200000.00 USD"),
        ] {
            reads(text, wanted);
        }
    }

    #[test]
    fn mandarin_amounts() {
        for (text, wanted) in [
            ("三块五", "3.50 -"),
            ("三块五毛", "3.50 -"),
            ("三块五毛二", "3.52 -"),
            ("十二块零五分", "12.05 -"),
            ("五毛", "0.50 -"),
            ("五毛钱", "0.50 -"),
            ("三块钱", "3.00 -"),
            ("两万元", "20000.00 -"),
            ("三百美元", "300.00 USD"),
            ("3块5", "3.50 -"),
            ("一百二十块", "120.00 -"),
            ("12.5元", "12.50 -"),
            ("1.5万元", "15000.00 -"),
            ("3万5000元", "35000.00 -"),
            ("三百块零五毛", "300.50 -"),
            ("三块半", "3.50 -"),
        ] {
            reads(text, wanted);
        }
    }
}

//! Numerals as English words, for their sound.

use super::super::numerals::{ONES, TENS};

/// "20" is `["twenty"]`, "7.5" `["seven", "point", "five"]`; long ones digit by digit.
pub fn number(token: &str) -> Vec<&'static str> {
    let (whole, fraction) = token.split_once('.').unwrap_or((token, ""));
    let mut words = match whole.parse::<u32>() {
        Ok(n) if whole.len() <= 4 && (whole.len() == 1 || !whole.starts_with('0')) => cardinal(n),
        _ => digits(whole),
    };
    if !fraction.is_empty() {
        words.push("point");
        words.extend(digits(fraction));
    }
    words
}

fn digits(text: &str) -> Vec<&'static str> {
    text.bytes().filter(u8::is_ascii_digit).map(|b| ONES[usize::from(b - b'0')]).collect()
}

/// Below ten thousand.
fn cardinal(n: u32) -> Vec<&'static str> {
    match n {
        0..20 => vec![ONES[n as usize]],
        20..100 if n.is_multiple_of(10) => vec![TENS[n as usize / 10]],
        20..100 => vec![TENS[n as usize / 10], ONES[n as usize % 10]],
        _ => {
            let (scale, name) = if n >= 1000 { (1000, "thousand") } else { (100, "hundred") };
            let mut words = cardinal(n / scale);
            words.push(name);
            if !n.is_multiple_of(scale) {
                words.extend(cardinal(n % scale));
            }
            words
        }
    }
}

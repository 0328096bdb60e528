//! A transcript as tokens for reading values: words in lower case, one token a Chinese character, and numbers as they
//! are written (`3.50`, `10:30`, `2026-11-03`), their thousands' commas and full-width forms made plain. "20oz", "3pm"
//! and "$5" are two tokens each.

use super::super::words::{is_han, plain};

/// The tokens of a text.
pub fn tokens(text: &str) -> Vec<String> {
    written(text).into_iter().map(|token| token.to_lowercase()).collect()
}

/// The same in the case they were written in: recognisers write letters that were spelled in capitals.
pub fn written(text: &str) -> Vec<String> {
    let chars: Vec<char> = text.chars().map(plain).collect();
    let mut tokens: Vec<String> = Vec::new();
    let mut open = String::new();
    let mut push = |open: &mut String| {
        if !open.is_empty() {
            tokens.push(std::mem::take(open));
        }
    };
    let digit = |at: usize| chars.get(at).is_some_and(char::is_ascii_digit);
    for (at, &c) in chars.iter().enumerate() {
        let in_number = open.ends_with(|c: char| c.is_ascii_digit());
        match c {
            '\'' | '’' => {} // "o'clock" is one word
            ',' if in_number && is_thousands(&chars[at + 1..]) => {}
            '.' | ':' | '/' | '-' if in_number && digit(at + 1) => open.push(c),
            '：' if in_number && digit(at + 1) => open.push(':'),
            c if is_han(c) || matches!(c, '$' | '£' | '€' | '¥' | '￥' | '+' | '%') => {
                push(&mut open);
                open.push(if c == '￥' { '¥' } else { c });
                push(&mut open);
            }
            c if c.is_alphanumeric() => {
                let number = c.is_ascii_digit();
                let after_number = open.ends_with(|c: char| !c.is_alphabetic());
                if !open.is_empty() && number != after_number {
                    push(&mut open);
                }
                open.push(c);
            }
            _ => push(&mut open),
        }
    }
    push(&mut open);
    // "1st", "22nd": one token again.
    let mut joined: Vec<String> = Vec::with_capacity(tokens.len());
    for token in tokens {
        match joined.last_mut() {
            Some(before)
                if matches!(token.as_str(), "st" | "nd" | "rd" | "th")
                    && before.bytes().all(|b| b.is_ascii_digit()) =>
            {
                before.push_str(&token);
            }
            _ => joined.push(token),
        }
    }
    joined
}

/// Exactly three digits follow.
fn is_thousands(rest: &[char]) -> bool {
    rest.iter().take_while(|c| c.is_ascii_digit()).count() == 3
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_stay_whole_and_units_come_off() {
        assert_eq!(tokens("At 10:30, $1,250.50 please."), ["at", "10:30", "$", "1250.50", "please"]);
        assert_eq!(tokens("20oz at 3pm on the 1st"), ["20", "oz", "at", "3", "pm", "on", "the", "1st"]);
        assert_eq!(tokens("３块５，2026年11月3号"), ["3", "块", "5", "2026", "年", "11", "月", "3", "号"]);
        assert_eq!(tokens("three o'clock, twenty-one"), ["three", "oclock", "twenty", "one"]);
        assert_eq!(tokens("SF-123, 555-0199, 2026-11-03"), ["sf", "123", "555-0199", "2026-11-03"]);
        assert_eq!(tokens("1,2,3"), ["1", "2", "3"]);
    }
}

//! Parts of addresses, and numbers of telephones: strings of digits and letters of known shapes.

use super::super::numerals::digit;
use super::INSIDE;
use super::code;
use super::digits;
use super::number::cardinal;

/// A string of digits that begins here, with its length: "four oh seven", "555-0199", 一三八零零. All lengths at which
/// it may end.
pub fn digit_runs(words: &[&str], joined: bool) -> Vec<(String, usize)> {
    let words = &words[..words.len().min(SCANNED)];
    let mut runs: Vec<(String, usize)> = Vec::new();
    let (mut text, mut at) = (String::new(), 0);
    let mut before_and = None;
    while at < words.len() && text.len() < LONGEST {
        let dashed = words[at].contains('-') && words[at].bytes().all(|b| b.is_ascii_digit() || b == b'-');
        let piece = match dashed {
            true => Some((words[at].replace('-', ""), 1)),
            false => digits::number(&words[at..], joined),
        };
        match piece {
            Some((chars, length)) => {
                text.push_str(&chars);
                at += length;
                runs.push((text.clone(), at));
            }
            None if !text.is_empty() && INSIDE.contains(&words[at]) => {
                if words[at] == "and" {
                    before_and = Some(runs.len());
                }
                at += 1;
            }
            None => {
                // "555 0199 and three people": what counts something is no part of it.
                if let Some(before) = before_and.filter(|before| before + 1 == runs.len() && counted(words[at])) {
                    runs.truncate(before);
                }
                break;
            }
        }
    }
    runs
}

/// Whether a number before this word counts it.
fn counted(next: &str) -> bool {
    const GOES_ON: &[&str] =
        &["is", "thats", "that", "thank", "thanks", "yes", "ok", "okay", "right", "for", "i", "my"];
    !GOES_ON.contains(&next)
}

/// No value has more characters: the greatest `max` of a configuration.
const LONGEST: usize = 64;
/// Words looked at for one, hesitations and all.
const SCANNED: usize = 4 * LONGEST;

/// A string of letters and digits that begins here; `written`: the words in their own case.
pub fn code_runs(words: &[&str], written: &[&str]) -> Vec<(String, usize)> {
    let words = &words[..words.len().min(SCANNED)];
    let mut runs = Vec::new();
    let (mut text, mut at) = (String::new(), 0);
    while at < words.len() && text.len() < LONGEST {
        let rest = &words[at..];
        let piece = code::explained(rest).map(|(letter, length)| (letter.to_string(), length));
        match piece.or_else(|| code::chars(rest, written[at])) {
            // An article is a letter only among others.
            Some(_)
                if text.is_empty()
                    && matches!(rest[0], "a" | "i" | "an")
                    && written[at].len() == 1
                    && rest.get(1).is_none_or(|next| digit(next).is_none()) =>
            {
                break;
            }
            Some((chars, length)) => {
                text.push_str(&chars);
                at += length;
                runs.push((text.clone(), at));
            }
            None if !text.is_empty() && INSIDE.contains(&rest[0]) => at += 1,
            None => break,
        }
    }
    runs
}

/// A telephone number: seven to fifteen digits (ITU-T E.164), with "plus" before where it is said.
pub fn phone(words: &[&str]) -> Option<(String, usize)> {
    let plus = usize::from(matches!(words.first(), Some(&"plus" | &"+" | &"加")));
    let runs = digit_runs(words.get(plus..)?, true);
    let (text, length) = runs.into_iter().rfind(|(text, _)| (7..=15).contains(&text.len()))?;
    Some((if plus == 1 { format!("+{text}") } else { text }, length + plus))
}

/// "twelve", "number 12 B", "twelve forty two", 一百二十号.
pub fn street_number(words: &[&str]) -> Option<(String, usize)> {
    let skip = usize::from(matches!(words.first(), Some(&"number")));
    let rest = words.get(skip..).filter(|rest| !rest.is_empty())?;
    let runs = digit_runs(rest, true).into_iter().rfind(|(text, _)| text.len() <= 6 && !text.starts_with('0'));
    let whole =
        cardinal(rest).map(|(n, length)| (n.to_string(), length)).filter(|(text, _)| text.len() <= 6 && text != "0");
    let (mut text, mut length) = [runs, whole].into_iter().flatten().max_by_key(|(_, length)| *length)?;
    if let Some(letter) = rest.get(length).filter(|word| word.len() == 1 && word.as_bytes()[0].is_ascii_lowercase()) {
        // "12 a week": the article is no letter of a house, unless nothing follows it.
        if *letter != "a" && *letter != "i" || rest.len() == length + 1 {
            text.push_str(&letter.to_uppercase());
            length += 1;
        }
    }
    length += usize::from(matches!(rest.get(length), Some(&"号" | &"號")));
    Some((text, length + skip))
}

/// Shapes of postcodes: `9` a digit, `A` a letter, a space as written. (Universal Postal Union, addressing systems.)
pub const POSTCODES: &[(&str, &[&str])] = &[
    ("at", &["9999"]),
    ("au", &["9999"]),
    ("be", &["9999"]),
    ("br", &["99999999"]),
    ("ca", &["A9A 9A9"]),
    ("ch", &["9999"]),
    ("cn", &["999999"]),
    ("de", &["99999"]),
    ("dk", &["9999"]),
    ("es", &["99999"]),
    ("fr", &["99999"]),
    ("gb", &["A9 9AA", "A99 9AA", "AA9 9AA", "AA99 9AA", "A9A 9AA", "AA9A 9AA"]),
    ("in", &["999999"]),
    ("it", &["99999"]),
    ("jp", &["9999999"]),
    ("kr", &["99999"]),
    ("mx", &["99999"]),
    ("nl", &["9999 AA"]),
    ("pl", &["99999"]),
    ("pt", &["9999999"]),
    ("se", &["99999"]),
    ("sg", &["999999"]),
    ("us", &["99999"]),
];

/// A postcode that begins here, as it is written in that country.
pub fn postcode(country: &str, words: &[&str], written: &[&str]) -> Option<(String, usize)> {
    let shapes = POSTCODES.iter().find(|(known, _)| *known == country)?.1;
    let letters = shapes.iter().any(|shape| shape.contains('A'));
    let runs = if letters { code_runs(words, written) } else { digit_runs(words, true) };
    runs.into_iter()
        .rev()
        .find_map(|(text, length)| shapes.iter().find_map(|shape| shaped(&text, shape)).map(|text| (text, length)))
}

fn shaped(text: &str, shape: &str) -> Option<String> {
    let mut chars = text.chars();
    let mut written = String::new();
    for sign in shape.chars() {
        let c = match sign {
            ' ' => {
                written.push(' ');
                continue;
            }
            _ => chars.next()?,
        };
        let fits = match sign {
            '9' => c.is_ascii_digit(),
            _ => c.is_ascii_alphabetic() || c == '0',
        };
        if !fits {
            return None;
        }
        // Where a letter stands, "oh" was no zero.
        written.push(if sign == 'A' && c == '0' { 'O' } else { c.to_ascii_uppercase() });
    }
    chars.next().is_none().then_some(written)
}

#[cfg(test)]
mod tests {
    use super::super::tokens::{tokens, written};
    use super::*;

    fn with<T>(text: &str, read: impl Fn(&[&str], &[&str]) -> T) -> T {
        let (tokens, written) = (tokens(text), written(text));
        let words: Vec<&str> = tokens.iter().map(String::as_str).collect();
        read(&words, &written.iter().map(String::as_str).collect::<Vec<_>>())
    }

    #[test]
    fn numbers_of_telephones_and_houses() {
        let phone = |text| with(text, |words, _| phone(words).map(|(text, _)| text));
        assert_eq!(phone("oh two oh, seven one two three, double four five six").as_deref(), Some("02071234456"));
        assert_eq!(phone("plus 44 20 7123 4567").as_deref(), Some("+442071234567"));
        assert_eq!(phone("555-0199 1").as_deref(), Some("55501991"));
        assert_eq!(phone("幺三八零零幺三八零零零").as_deref(), Some("13800138000"));
        assert_eq!(phone("five five five"), None);
        assert_eq!(phone("555-0199 and 3 people").as_deref(), Some("5550199"));
        assert_eq!(phone("555 01 99 and twelve people please").as_deref(), Some("5550199"));
        assert_eq!(phone("five five five oh one nine and nine").as_deref(), Some("5550199"));
        assert_eq!(phone("five five five oh one nine and nine thank you").as_deref(), Some("5550199"));
        let house = |text| with(text, |words, _| street_number(words).map(|(text, _)| text));
        assert_eq!(house("twelve B").as_deref(), Some("12B"));
        assert_eq!(house("number forty two").as_deref(), Some("42"));
        assert_eq!(house("twelve forty two").as_deref(), Some("1242"));
        assert_eq!(house("a hundred and five").as_deref(), Some("105"));
        assert_eq!(house("一百二十号").as_deref(), Some("120"));
        assert_eq!(house("12 a week").as_deref(), Some("12"));
    }

    #[test]
    fn a_caller_who_counts_without_end_is_followed_only_so_far() {
        let words = vec!["nine"; 1_000];
        assert_eq!(digit_runs(&words, true).len(), LONGEST);
        assert!(code_runs(&words, &words).len() <= LONGEST);
    }

    #[test]
    fn postcodes_are_written_as_their_country_does() {
        let read =
            |country: &str, text| with(text, |words, written| postcode(country, words, written).map(|(text, _)| text));
        assert_eq!(read("us", "nine oh two one oh").as_deref(), Some("90210"));
        assert_eq!(read("gb", "S W one A one A A").as_deref(), Some("SW1A 1AA"));
        assert_eq!(read("gb", "SW1A 1AA").as_deref(), Some("SW1A 1AA"));
        assert_eq!(read("gb", "bravo november one six alpha bravo").as_deref(), Some("BN1 6AB"));
        assert_eq!(read("nl", "1012 A B").as_deref(), Some("1012 AB"));
        assert_eq!(read("cn", "一零零零八零").as_deref(), Some("100080"));
        assert_eq!(read("us", "nine oh two one").as_deref(), None);
    }
}

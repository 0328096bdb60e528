//! Letters and digits as people spell them: "S F one two", "A as in alpha", "bravo charlie", "double u".

use super::super::numerals::digit;
use super::super::words::{Word, Words};
use super::{INSIDE, Item, assemble, correction, digits};

/// ICAO spelling alphabet (Annex 10 volume II, 5.2.1.3), with the usual variant spellings.
const ALPHABET: [(&str, char); 29] = [
    ("alpha", 'A'),
    ("alfa", 'A'),
    ("bravo", 'B'),
    ("charlie", 'C'),
    ("delta", 'D'),
    ("echo", 'E'),
    ("foxtrot", 'F'),
    ("golf", 'G'),
    ("hotel", 'H'),
    ("india", 'I'),
    ("juliet", 'J'),
    ("juliett", 'J'),
    ("kilo", 'K'),
    ("lima", 'L'),
    ("mike", 'M'),
    ("november", 'N'),
    ("oscar", 'O'),
    ("papa", 'P'),
    ("quebec", 'Q'),
    ("romeo", 'R'),
    ("sierra", 'S'),
    ("tango", 'T'),
    ("uniform", 'U'),
    ("victor", 'V'),
    ("whiskey", 'W'),
    ("whisky", 'W'),
    ("xray", 'X'),
    ("yankee", 'Y'),
    ("zulu", 'Z'),
];

/// The names of letters, as recognisers write them.
fn letter_name(word: &str) -> Option<char> {
    Some(match word {
        "ay" => 'A',
        "bee" => 'B',
        "cee" => 'C',
        "dee" => 'D',
        "ef" | "eff" => 'F',
        "gee" => 'G',
        "aitch" => 'H',
        "jay" => 'J',
        "kay" => 'K',
        "el" | "ell" => 'L',
        "em" => 'M',
        "en" => 'N',
        "pee" => 'P',
        "cue" | "queue" => 'Q',
        "ar" => 'R',
        "ess" => 'S',
        "tee" => 'T',
        "vee" => 'V',
        "ex" => 'X',
        "wye" => 'Y',
        "zee" | "zed" => 'Z',
        _ => return None,
    })
}

/// Ordinary words that sound like a letter.
fn homophone(word: &str) -> Option<char> {
    Some(match word {
        "be" => 'B',
        "see" | "sea" => 'C',
        "are" => 'R',
        "pea" => 'P',
        "tea" => 'T',
        "you" => 'U',
        "why" => 'Y',
        "to" | "too" => '2',
        "for" => '4',
        "ate" => '8',
        "won" => '1',
        _ => return None,
    })
}

/// The code in a sentence, upper case, `min..=max` characters. "oh" and a bare "o" are read as zero, which codes
/// use and the letter they avoid; the letter is "oscar" or "O as in ...".
pub fn code(text: &str, min: usize, max: usize) -> Option<String> {
    let words = Words::of(text);
    let words: Vec<&Word> = words.iter().collect();
    let items = items(&words);
    assemble(&items, min, max).or_else(|| {
        // "it's a five b": the article is no letter.
        let at = items.iter().position(|item| matches!(item, Item::Chars(chars) if chars == "A" || chars == "I"))?;
        let first = items.iter().position(|item| matches!(item, Item::Chars(_)))?;
        (at == first).then(|| assemble(&items[at + 1..], min, max)).flatten()
    })
}

fn items(words: &[&Word]) -> Vec<Item> {
    let texts: Vec<&str> = words.iter().map(|word| word.text.as_str()).collect();
    let mut items = Vec::new();
    let mut at = 0;
    while at < texts.len() {
        let rest = &texts[at..];
        let explained = explained(rest);
        if let Some((letter, length)) = explained {
            items.push(Item::Chars(letter.into()));
            at += length;
        } else if let Some(length) = correction(rest) {
            items.push(Item::Correction);
            at += length;
        } else if let Some((chars, length)) = chars(rest, &words[at].written) {
            items.push(Item::Chars(chars));
            at += length;
        } else {
            match homophone(rest[0]) {
                Some(c) => items.push(Item::Perhaps(c)),
                None if INSIDE.contains(&rest[0]) || matches!(rest[0], "capital" | "letter" | "the" | "字" | "母") => {
                }
                None => items.push(Item::Other),
            }
            at += 1;
        }
    }
    items
}

/// "B as in bravo", "S for sugar", "D like dog": the word's first letter, for that is what it was said for.
pub(super) fn explained(words: &[&str]) -> Option<(char, usize)> {
    let (word, length) = match words {
        [_, "as", "in", word, ..] => (word, 4),
        [_, "like", "in", word, ..] => (word, 4),
        [_, "for" | "like", word, ..] if word.len() > 2 && digit(word).is_none() => (word, 3),
        _ => return None,
    };
    let spelled =
        words[0].len() <= 3 && (words[0].len() == 1 || letter_name(words[0]).or(homophone(words[0])).is_some());
    let first = word.chars().next().filter(char::is_ascii_alphabetic)?;
    (spelled && digit(words[0]).is_none_or(|c| c == '0')).then(|| (first.to_ascii_uppercase(), length))
}

pub(super) fn chars(words: &[&str], written: &str) -> Option<(String, usize)> {
    if let ["double", "u" | "you", ..] = words {
        return Some(("W".into(), 2));
    }
    if let ["x", "ray", ..] = words {
        return Some(("X".into(), 2));
    }
    if let ["double" | "triple" | "treble", word, ..] = words
        && word.len() == 1
        && word.chars().all(|c| c.is_ascii_alphabetic())
        && *word != "o"
    {
        let times = if words[0] == "double" { 2 } else { 3 };
        return Some((word.to_ascii_uppercase().repeat(times), 2));
    }
    if let Some(number) = digits::number(words, true) {
        return Some(number);
    }
    let word = words[0];
    if let Some((_, letter)) = ALPHABET.iter().find(|(name, _)| *name == word) {
        return Some((letter.to_string(), 1));
    }
    if let Some(letter) = letter_name(word) {
        return Some((letter.into(), 1));
    }
    let ascii = word.chars().all(|c| c.is_ascii_alphanumeric());
    let mixed = ascii && word.chars().any(|c| c.is_ascii_digit());
    let spelled = ascii && written.len() <= 4 && written.chars().all(|c| c.is_ascii_uppercase());
    let single = ascii && word.len() == 1;
    (mixed || spelled || single).then(|| (word.to_ascii_uppercase(), 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn reads(text: &str, wanted: &str) {
        assert_eq!(code(text, wanted.len(), wanted.len()).as_deref(), Some(wanted), "{text}");
    }

    #[test]
    fn codes_are_spelled_in_many_ways() {
        reads("S F one two three", "SF123");
        reads("SF123.", "SF123");
        reads("S-F-1-2-3", "SF123");
        reads("It's SF 1 2 3, please.", "SF123");
        reads("A as in alpha, five, B for bravo", "A5B");
        reads("be as in bravo four", "B4");
        reads("alpha bravo oh seven", "AB07");
        reads("double u five x-ray", "W5X");
        reads("oscar nine", "O9");
        reads("kay tee seven seven", "KT77");
        reads("S see four", "SC4");
        reads("double A one", "AA1");
        reads("it's a five b", "5B");
        reads("my code is A five B", "A5B");
        reads("SF一二三", "SF123");
        reads("单号是 Y T 幺零二", "YT102");
        reads("SF123, no, SF124", "SF124");
    }

    #[test]
    fn what_is_no_code_is_none() {
        for text in ["", "I don't know", "where is my parcel", "S F"] {
            assert_eq!(code(text, 5, 8), None, "{text}");
        }
    }
}

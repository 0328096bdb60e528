//! Values of an operator's list in a sentence: by their words, else by their sound.

use std::collections::{BTreeMap, BTreeSet};

use pinyin::ToPinyin;

use super::super::flow::{ListValue, SlotKind};
use super::super::numerals::digit;
use super::super::prompt::Language;
use super::super::sound::{self, Sounds};
use super::super::words::is_han;
use super::tokens::tokens;

/// A value that these words may mean.
pub struct Mention {
    pub value: usize,
    pub start: usize,
    pub end: usize,
    /// 1 for its own words; else how alike it sounds.
    pub likeness: f32,
    /// How much less alike the next best value sounds there; 1 for its own words.
    pub lead: f32,
    /// Words of its own that are meant.
    pub length: usize,
}

/// What a slot's values may be called, by their place in its list.
pub fn phrases(kind: &SlotKind) -> Vec<(usize, String)> {
    let listed = kind.listed().iter().enumerate();
    let mut phrases: Vec<(usize, String)> =
        listed.clone().flat_map(|(at, value)| value.phrases().map(move |phrase| (at, phrase.to_owned()))).collect();
    if let SlotKind::Name { names } = kind {
        phrases.extend(parts(names));
    }
    phrases
}

/// What a caller may say of them in a language, each once.
pub fn spoken(kind: &SlotKind, language: &Language) -> Vec<String> {
    let mut known = BTreeSet::new();
    let listed = kind.listed().iter().flat_map(|value| value.spoken(language)).map(str::to_owned);
    let parts = match kind {
        SlotKind::Name { names } => parts(names),
        _ => Vec::new(),
    };
    listed.chain(parts.into_iter().map(|(_, part)| part)).filter(|phrase| known.insert(phrase.to_lowercase())).collect()
}

/// Parts of names that only one of them has: "Smith", 王先生.
fn parts(names: &[ListValue]) -> Vec<(usize, String)> {
    let mut parts: BTreeMap<String, Option<usize>> = BTreeMap::new();
    for (at, name) in names.iter().enumerate() {
        let chars: Vec<char> = name.value.chars().collect();
        let own: Vec<String> = match chars.iter().all(|c| is_han(*c)) && (2..=4).contains(&chars.len()) {
            true => {
                let surname: String = chars[..if chars.len() == 4 { 2 } else { 1 }].iter().collect();
                let given: String = chars[surname.chars().count()..].iter().collect();
                let titles = ["先生", "女士", "小姐", "经理", "老师", "医生", "主任"];
                let mut own: Vec<String> = titles.iter().map(|title| format!("{surname}{title}")).collect();
                own.extend(["小", "老"].iter().map(|before| format!("{before}{surname}")));
                if given.chars().count() > 1 {
                    own.push(given);
                }
                own
            }
            false => tokens(&name.value).into_iter().filter(|part| part.chars().count() > 2).collect(),
        };
        for part in own {
            parts.entry(part).and_modify(|other| *other = other.filter(|other| *other == at)).or_insert(Some(at));
        }
    }
    parts.into_iter().filter_map(|(part, at)| Some((at?, part))).collect()
}

/// Every mention of a value. `phrases` as above.
pub fn mentions(phrases: &[(usize, String)], words: &[&str]) -> Vec<Mention> {
    let mut found = Vec::new();
    let mut sounding: Vec<(usize, Sounds, usize)> = Vec::new();
    for (value, phrase) in phrases {
        let phrase = tokens(phrase);
        if phrase.is_empty() {
            continue;
        }
        for start in 0..words.len().saturating_sub(phrase.len() - 1) {
            let window = &words[start..start + phrase.len()];
            let pairs = || window.iter().zip(&phrase);
            let likeness = match pairs().all(|(word, own)| same(word, own)) {
                true => 1.0,
                // Another's own name may be spelled so.
                false if pairs().all(|(word, own)| same(word, own) || misspelled(word, own)) => 0.99,
                false => continue,
            };
            let end = start + phrase.len();
            found.push(Mention { value: *value, start, end, likeness, lead: 1.0, length: phrase.len() });
        }
        let own: Vec<&str> = phrase.iter().map(String::as_str).collect();
        sounding.push((*value, Sounds::of(&own), phrase.len()));
    }
    by_sound(&sounding, words, &mut found);
    // What is said in so many words is not heard a second time in the words around it.
    let exact: Vec<(usize, usize, usize)> =
        found.iter().filter(|one| one.likeness == 1.0).map(|one| (one.value, one.start, one.end)).collect();
    found.retain(|one| {
        one.likeness == 1.0
            || !exact.iter().any(|&(value, start, end)| {
                let around = || (one.start..one.end).filter(|at| !(start..end).contains(at));
                let overlaps = start < one.end && one.start < end;
                overlaps && (value == one.value || around().all(|at| sound::is_small(words[at])))
            })
    });
    found
}

fn by_sound(phrases: &[(usize, Sounds, usize)], words: &[&str], found: &mut Vec<Mention>) {
    let longest = phrases.iter().map(|(.., words)| words + 2).max().unwrap_or(0);
    let parts: Vec<Sounds> = words.iter().map(|word| Sounds::of_one(word)).collect();
    let small: Vec<bool> = words.iter().map(|word| sound::is_small(word)).collect();
    for start in 0..words.len() {
        for end in start + 1..=words.len().min(start + longest) {
            let window = &words[start..end];
            // Words that every sentence has say nothing by themselves.
            if small[start..end].iter().all(|small| *small)
                || window.iter().all(|word| is_numeral(word))
                || window.last().is_some_and(|word| is_joint(word))
            {
                continue;
            }
            let heard = Sounds::joined(&parts[start..end]);
            let (other, most) = run_together(words[start], &parts[start..end]);
            let heard_like = |sounds: &Sounds| {
                let other = other.as_ref().map_or(0.0, |other| other.likeness(sounds).min(most));
                heard.likeness(sounds).max(other)
            };
            let near = |sounds: &Sounds| {
                heard.near_in_length(sounds) || other.as_ref().is_some_and(|other| other.near_in_length(sounds))
            };
            let mut best: Option<(usize, f32)> = None;
            let mut second = 0.0_f32;
            for (value, sounds, length) in phrases {
                if window.len() > length + 2 || !near(sounds) {
                    continue;
                }
                let likeness = heard_like(sounds);
                match best {
                    Some((of, most)) if likeness > most => {
                        second = if of == *value { second } else { most };
                        best = Some((*value, likeness));
                    }
                    Some((of, _)) if of != *value => second = second.max(likeness),
                    Some(_) => {}
                    None => best = Some((*value, likeness)),
                }
            }
            let Some((value, likeness)) = best else { continue };
            let own = phrases.iter().filter(|(of, ..)| *of == value);
            let reaches = |(_, sounds, _): &&(usize, Sounds, usize)| {
                heard_like(sounds) >= likeness && sounds.threshold().is_some_and(|threshold| likeness >= threshold)
            };
            let Some((.., length)) = own.into_iter().find(reaches) else { continue };
            if likeness > second {
                let (likeness, lead) = (likeness.min(0.99), likeness - second);
                found.push(Mention { value, start, end, likeness, lead, length: *length });
            }
        }
    }
}

/// What a window may be whose first word ran together with the word before it, and how alike it may be held at most: "one
/// twenty ounce" is written "120 ounce"; "with skim milk", "whisky milk", which has to be asked about.
fn run_together(first: &str, parts: &[Sounds]) -> (Option<Sounds>, f32) {
    const DOUBTFUL: f32 = 0.85;
    let joined = |first: Sounds| Some(Sounds::joined(&[&[first], &parts[1..]].concat()));
    if let [b'1'..=b'9', b'1'..=b'9', b'0'..=b'9'] = first.as_bytes() {
        return (joined(Sounds::of_one(&first[1..])), 1.0);
    }
    let long = first.len() > "with".len() && first.is_ascii() && !matches!(first, "without" | "within");
    (parts[0].after_with().filter(|_| long).and_then(joined), DOUBTFUL)
}

/// Of all stretches of words that `free` lets be, the one that sounds most like a value, and how alike; at least `least`,
/// and nearer to it than to any other value. An article may have become part of a word: "alette" is a latte.
pub fn nearest(
    phrases: &[(usize, String)],
    words: &[&str],
    free: impl Fn(usize) -> bool,
    least: f32,
) -> Option<Mention> {
    const LEAD: f32 = 0.05;
    let sounds = |phrase: &String| {
        let own = tokens(phrase);
        (Sounds::of(&own.iter().map(String::as_str).collect::<Vec<_>>()), own.len())
    };
    let own: Vec<(usize, (Sounds, usize))> =
        phrases.iter().map(|(value, phrase)| (*value, sounds(phrase))).filter(|(_, (own, _))| own.tells()).collect();
    let longest = own.iter().map(|(_, (_, length))| length + 2).max().unwrap_or(0);
    let parts: Vec<Sounds> = words.iter().map(|word| Sounds::of_one(word)).collect();
    let mut nearest: Option<Mention> = None;
    for start in (0..words.len()).filter(|at| !sound::is_small(words[*at])) {
        for end in start + 1..=words.len().min(start + longest) {
            if !free(end - 1) {
                break;
            }
            let window = &words[start..end];
            if sound::is_small(window[window.len() - 1]) || window.iter().all(|word| is_numeral(word)) {
                continue;
            }
            let heard = Sounds::joined(&parts[start..end]);
            let bare = heard.without_article();
            let likeness = |own: &Sounds| heard.likeness(own).max(bare.as_ref().map_or(0.0, |bare| bare.likeness(own)));
            let near = |own: &Sounds| {
                heard.len().abs_diff(own.len()) as f32 * 0.5 <= (1.0 - least) * heard.len().max(own.len()) as f32
            };
            let scores = own.iter().filter(|(_, (sounds, length))| window.len() <= length + 2 && near(sounds));
            let scores: Vec<(usize, f32, usize)> =
                scores.map(|(value, (own, length))| (*value, likeness(own), *length)).collect();
            let Some(&(value, likeness, length)) = scores.iter().max_by(|a, b| a.1.total_cmp(&b.1)) else { continue };
            let second = scores.iter().filter(|other| other.0 != value).map(|other| other.1).fold(0.0, f32::max);
            let lead = likeness - second;
            if likeness >= least && lead >= LEAD && nearest.as_ref().is_none_or(|best| likeness > best.likeness) {
                nearest = Some(Mention { value, start, end, likeness, lead, length });
            }
        }
    }
    nearest
}

/// Words that begin something else.
fn is_joint(word: &str) -> bool {
    matches!(word, "the" | "an" | "please" | "with" | "and")
}

/// Another number is no mishearing of a number.
fn is_numeral(word: &str) -> bool {
    word.bytes().all(|b| b.is_ascii_digit())
}

/// Recognisers know some words by sound only: "capuccino".
fn misspelled(heard: &str, own: &str) -> bool {
    const LONG: usize = 6; // "late" is no "latte"
    let once = |word: &str| {
        let mut letters: Vec<u8> = word.bytes().collect();
        letters.dedup();
        letters
    };
    let long = |word: &str| word.len() >= LONG && word.bytes().all(|b| b.is_ascii_alphabetic());
    long(heard) && long(own) && once(heard) == once(own)
}

/// The same word: a plural, a numeral, or a character of the same sound counts.
fn same(heard: &str, own: &str) -> bool {
    if heard == own {
        return true;
    }
    let han = |word: &str| word.chars().next().filter(|c| is_han(*c));
    if let (Some(a), Some(b)) = (han(heard), han(own)) {
        return a.to_pinyin().zip(b.to_pinyin()).is_some_and(|(a, b)| a.plain() == b.plain());
    }
    let stem = |word: &str| {
        let stem = word.strip_suffix("es").filter(|stem| stem.ends_with(['s', 'h', 'x']));
        stem.or_else(|| word.strip_suffix('s').filter(|stem| stem.len() > 2 && !stem.ends_with('s')))
            .unwrap_or(word)
            .to_owned()
    };
    if heard.is_ascii() && own.is_ascii() && stem(heard) == stem(own) {
        return true;
    }
    match (sound::numeral(heard), sound::numeral(own)) {
        (Some(a), _) if a == own => true,
        (_, Some(b)) if b == heard => true,
        _ => digit(heard)
            .zip(digit(own))
            .is_some_and(|(a, b)| a == b && heard.chars().count() == 1 && own.chars().count() == 1),
    }
}

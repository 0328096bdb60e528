//! Pronunciations of English words in the alphabet of the Kokoro family of voices (IPA with capitals for
//! diphthongs: A as in "day", I "eye", O "go", W "now", Y "boy"). Dictionaries and rules are those of
//! misaki 0.9.4 (Apache-2.0) as carried by hibari-tts, less its numbers: `spoken` has turned those into words.

use std::collections::HashMap;

use serde::Deserialize;

pub const PRIMARY: char = 'ˈ';
pub const SECONDARY: char = 'ˌ';
const VOWELS: &str = "AIOQWYaiuæɑɒɔəɛɜɪʊʌᵻ";
const CONSONANTS: &str = "bdfhjklmnpstvwzðŋɡɹɾʃʒʤʧθ";
/// Before these a final t is flapped in American speech ("waiting").
const FLAPPING: &str = "AIOWYiuæɑəɛɪɹʊʌ";
const PAUSES: &str = ";:,.!?—…";

/// What the words to come begin with: "the", "a" and "to" change before vowels and pauses.
#[derive(Clone, Copy, Default)]
pub struct Context {
    /// `None`: a pause or the end.
    pub vowel_next: Option<bool>,
    pub to_next: bool,
}

impl Context {
    /// The context in front of a word read as `phonemes`.
    pub fn before(self, phonemes: &str, word: &str) -> Self {
        let first = phonemes.chars().find(|&c| VOWELS.contains(c) || CONSONANTS.contains(c) || PAUSES.contains(c));
        let vowel_next = match first {
            Some(c) if PAUSES.contains(c) => None,
            Some(c) => Some(VOWELS.contains(c)),
            None => self.vowel_next,
        };
        Self { vowel_next, to_next: word.eq_ignore_ascii_case("to") }
    }
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Entry {
    One(Box<str>),
    ByTag(HashMap<Box<str>, Option<Box<str>>>),
}

pub struct Lexicon {
    /// Checked by hand.
    gold: HashMap<Box<str>, Entry>,
    /// Made by machine.
    silver: HashMap<Box<str>, Entry>,
}

impl Lexicon {
    pub fn from_json(gold: &[u8], silver: &[u8]) -> serde_json::Result<Self> {
        Ok(Self { gold: serde_json::from_slice(gold)?, silver: serde_json::from_slice(silver)? })
    }

    /// Phonemes of a word, `None` when neither dictionary nor rules know it.
    pub fn read(&self, word: &str, tag: &str, context: Context) -> Option<String> {
        let stress = if word == word.to_lowercase() {
            None
        } else if word == word.to_uppercase() {
            Some(2.0)
        } else {
            Some(0.5)
        };
        if let Some(special) = self.special(word, tag, stress, context) {
            return Some(special);
        }
        let lower = word.to_lowercase();
        let tail = word.char_indices().nth(1).map_or("", |(at, _)| &word[at..]);
        let plain_case = word == word.to_uppercase() || tail == tail.to_lowercase();
        let lowered = word.chars().count() > 1
            && word.chars().all(|c| c.is_alphabetic() || c == '\'')
            && word != lower
            && (tag != "NNP" || word.chars().count() > 7)
            && find(&self.gold, word).is_none()
            && find(&self.silver, word).is_none()
            && plain_case
            && (find(&self.gold, &lower).is_some()
                || find(&self.silver, &lower).is_some()
                || self.inflected(&lower, tag, stress, context).is_some());
        self.inflected_or_known(if lowered { &lower } else { word }, tag, stress, context)
    }

    fn inflected_or_known(&self, word: &str, tag: &str, stress: Option<f32>, context: Context) -> Option<String> {
        if self.knows(word) {
            return self.look_up(word, Some(tag), stress, context);
        }
        if let Some(stem) = word.strip_suffix("s'").map(|stem| format!("{stem}'s")).filter(|w| self.knows(w)) {
            return self.look_up(&stem, Some(tag), stress, context);
        }
        if let Some(stem) = word.strip_suffix('\'').filter(|stem| self.knows(stem)) {
            return self.look_up(stem, Some(tag), stress, context);
        }
        self.inflected(word, tag, stress, context)
    }

    fn inflected(&self, word: &str, tag: &str, stress: Option<f32>, context: Context) -> Option<String> {
        let stem = |stem: &str| self.look_up(stem, Some(tag), stress, context);
        if let Some(found) = self.stem_s(word) {
            return plural(&stem(&found)?);
        }
        if let Some(found) = self.stem_ed(word) {
            return past(&stem(&found)?);
        }
        let found = self.stem_ing(word)?;
        gerund(&self.look_up(&found, Some(tag), Some(stress.unwrap_or(0.5)), context)?)
    }

    fn stem_s(&self, word: &str) -> Option<String> {
        let n = word.chars().count();
        let one = word.strip_suffix('s').filter(|_| n >= 3)?;
        if !one.ends_with('s') && self.knows(one) {
            return Some(one.into());
        }
        let es = word.strip_suffix("es").filter(|_| n > 4 && !word.ends_with("ies"));
        if let Some(stem) = word.strip_suffix("'s").or(es).filter(|stem| self.knows(stem)) {
            return Some(stem.into());
        }
        word.strip_suffix("ies").filter(|_| n > 4).map(|stem| format!("{stem}y")).filter(|stem| self.knows(stem))
    }

    fn stem_ed(&self, word: &str) -> Option<String> {
        let n = word.chars().count();
        let one = word.strip_suffix('d').filter(|_| n >= 4)?;
        if !one.ends_with('d') && self.knows(one) {
            return Some(one.into());
        }
        let stem = word.strip_suffix("ed").filter(|_| n > 4 && !word.ends_with("eed"))?;
        self.knows(stem).then(|| stem.into())
    }

    fn stem_ing(&self, word: &str) -> Option<String> {
        let n = word.chars().count();
        let stem = word.strip_suffix("ing").filter(|_| n >= 5)?;
        if n > 5 && self.knows(stem) {
            return Some(stem.into());
        }
        let with_e = format!("{stem}e");
        if self.knows(&with_e) {
            return Some(with_e);
        }
        let mut ends = stem.chars().rev();
        let (last, before) = (ends.next()?, ends.next()?);
        let doubled = (last == before && "bcdgklmnprstvxz".contains(last)) || stem.ends_with("ck");
        let shorter = &stem[..stem.len() - last.len_utf8()];
        (n > 5 && doubled && self.knows(shorter)).then(|| shorter.into())
    }

    fn knows(&self, word: &str) -> bool {
        if find(&self.gold, word).is_some() || find(&self.silver, word).is_some() {
            return true;
        }
        if word.is_empty() || !word.chars().all(|c| c.is_ascii_alphabetic()) {
            return false;
        }
        let shouted = word == word.to_uppercase();
        word.len() == 1 || (shouted && find(&self.gold, &word.to_lowercase()).is_some()) || {
            let tail = &word[1..]; // ASCII, as just checked
            tail == tail.to_uppercase()
        }
    }

    fn look_up(&self, word: &str, tag: Option<&str>, stress: Option<f32>, context: Context) -> Option<String> {
        let shouted = word == word.to_uppercase() && find(&self.gold, word).is_none();
        let name = shouted && tag == Some("NNP");
        let lower;
        let word = if shouted {
            lower = word.to_lowercase();
            &lower
        } else {
            word
        };
        let entry = find(&self.gold, word).or_else(|| if name { None } else { find(&self.silver, word) });
        let phonemes = match entry {
            None => None,
            Some(Entry::One(phonemes)) => Some(&**phonemes),
            Some(Entry::ByTag(by_tag)) => {
                let default = || by_tag.get("DEFAULT");
                if context.vowel_next.is_none() && by_tag.contains_key("None") {
                    by_tag.get("None")
                } else {
                    tag.and_then(|tag| by_tag.get(tag).or_else(|| by_tag.get(parent(tag)))).or_else(default)
                }
                .and_then(|phonemes| phonemes.as_deref())
            }
        };
        match phonemes {
            Some(phonemes) if !name || phonemes.contains(PRIMARY) => Some(with_stress(phonemes, stress)),
            _ => self.spelled(word).or_else(|| phonemes.map(|p| with_stress(p, stress))),
        }
    }

    /// Letter by letter, the last one stressed.
    fn spelled(&self, word: &str) -> Option<String> {
        let mut all = String::new();
        for c in word.chars().filter(|c| c.is_alphabetic()) {
            match find(&self.gold, &c.to_uppercase().to_string())? {
                Entry::One(phonemes) => all.push_str(phonemes),
                Entry::ByTag(by_tag) => all.push_str(by_tag.get("DEFAULT")?.as_deref()?),
            }
        }
        let all = with_stress(&all, Some(0.0));
        Some(match all.rsplit_once(SECONDARY) {
            Some((head, last)) => format!("{head}{PRIMARY}{last}"),
            None => all,
        })
    }

    fn special(&self, word: &str, tag: &str, stress: Option<f32>, context: Context) -> Option<String> {
        let gold = |word| match find(&self.gold, word) {
            Some(Entry::One(phonemes)) => Some(String::from(&**phonemes)),
            Some(Entry::ByTag(by_tag)) => by_tag.get("DEFAULT").cloned().flatten().map(String::from),
            None => None,
        };
        let own = |phonemes: &str| Some(phonemes.to_owned());
        match word {
            // A capital A is always the letter: `spoken` writes the article small.
            "A" => own("ˈA"),
            "a" => own("ɐ"),
            "am" | "Am" | "AM" if tag.starts_with("NN") => self.spelled(word),
            "am" if context.vowel_next.is_some() && stress.is_none_or(|s| s <= 0.0) => own("ɐm"),
            "am" | "Am" | "AM" => gold("am"),
            "AN" if tag.starts_with("NN") => self.spelled(word),
            "an" | "An" | "AN" => own("ɐn"),
            "I" if tag == "PRP" => own("ˌI"),
            "by" | "By" | "BY" if parent(tag) == "ADV" => own("bˈI"),
            "to" | "To" => match context.vowel_next {
                None => gold("to"),
                Some(false) => own("tə"),
                Some(true) => own("tʊ"),
            },
            "in" | "In" if context.vowel_next.is_none() || tag != "IN" => own("ˈɪn"),
            "in" | "In" => own("ɪn"),
            "the" | "The" => own(if context.vowel_next == Some(true) { "ði" } else { "ðə" }),
            "used" | "Used" => match find(&self.gold, "used")? {
                Entry::ByTag(by_tag) if matches!(tag, "VBD" | "JJ") && context.to_next => {
                    by_tag.get("VBD").cloned().flatten().map(String::from)
                }
                _ => gold("used"),
            },
            _ => None,
        }
    }
}

/// A small key also answers to its capitalised form and the other way round.
fn find<'a>(words: &'a HashMap<Box<str>, Entry>, word: &str) -> Option<&'a Entry> {
    words.get(word).or_else(|| {
        let mut letters = word.chars();
        let first = letters.next()?;
        let tail = letters.as_str();
        if tail.is_empty() || tail != tail.to_lowercase() {
            return None;
        }
        let other =
            if first.is_lowercase() { first.to_uppercase().to_string() } else { first.to_lowercase().to_string() };
        words.get(format!("{other}{tail}").as_str())
    })
}

fn parent(tag: &str) -> &str {
    match tag {
        tag if tag.starts_with("VB") => "VERB",
        tag if tag.starts_with("NN") => "NOUN",
        tag if tag.starts_with("ADV") || tag.starts_with("RB") => "ADV",
        tag if tag.starts_with("ADJ") || tag.starts_with("JJ") => "ADJ",
        tag => tag,
    }
}

fn plural(stem: &str) -> Option<String> {
    Some(match stem.chars().last()? {
        c if "ptkfθ".contains(c) => format!("{stem}s"),
        c if "szʃʒʧʤ".contains(c) => format!("{stem}ᵻz"),
        _ => format!("{stem}z"),
    })
}

fn past(stem: &str) -> Option<String> {
    let mut ends = stem.chars().rev();
    let last = ends.next()?;
    Some(match (last, ends.next()) {
        ('d', _) => format!("{stem}ᵻd"),
        ('t', None) => format!("{stem}ɪd"),
        ('t', Some(before)) if FLAPPING.contains(before) => format!("{}ɾᵻd", &stem[..stem.len() - 1]),
        ('t', _) => format!("{stem}ᵻd"),
        (c, _) if "pkfθʃsʧ".contains(c) => format!("{stem}t"),
        _ => format!("{stem}d"),
    })
}

fn gerund(stem: &str) -> Option<String> {
    let mut ends = stem.chars().rev();
    Some(match (ends.next()?, ends.next()) {
        ('t', Some(before)) if FLAPPING.contains(before) => format!("{}ɾɪŋ", &stem[..stem.len() - 1]),
        _ => format!("{stem}ɪŋ"),
    })
}

/// Length of a reading as misaki counts it, to find the weaker part of a compound.
pub fn weight(phonemes: &str) -> usize {
    phonemes.chars().map(|c| if "AIOQWYʤʧ".contains(c) { 2 } else { 1 }).sum()
}

/// Raises or lowers the stress of a reading; `None` leaves it.
pub fn with_stress(phonemes: &str, stress: Option<f32>) -> String {
    let Some(stress) = stress else { return phonemes.into() };
    let primary = phonemes.contains(PRIMARY);
    let secondary = phonemes.contains(SECONDARY);
    let voiced = phonemes.contains(|c| VOWELS.contains(c));
    if stress < -1.0 {
        phonemes.replace([PRIMARY, SECONDARY], "")
    } else if stress == -1.0 || (stress <= 0.0 && primary) {
        phonemes.replace(SECONDARY, "").replace(PRIMARY, &SECONDARY.to_string())
    } else if !primary && !secondary && stress >= 0.0 {
        let mark = if stress > 1.0 { PRIMARY } else { SECONDARY };
        // The mark stands right before the first vowel.
        match phonemes.char_indices().find(|(_, c)| VOWELS.contains(*c)) {
            Some((at, _)) if voiced => format!("{}{mark}{}", &phonemes[..at], &phonemes[at..]),
            _ => phonemes.into(),
        }
    } else if stress >= 1.0 && !primary && secondary {
        phonemes.replace(SECONDARY, &PRIMARY.to_string())
    } else {
        phonemes.into()
    }
}

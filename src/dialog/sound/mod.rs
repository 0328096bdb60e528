//! How alike two phrases sound. English is turned into phonemes by rule (`letters`), Chinese into pinyin; the distance
//! between two strings of phonemes costs less where telephone bands and recognisers confuse (r and l, t and d, n and
//! ng, one vowel and another). A recogniser that hears "light rose" wrote down what it heard: the phonemes are nearly
//! those of "light roast". Numerals are compared as words ("20 hours" and "twenty ounce").

mod letters;
mod spell;

use pinyin::ToPinyin;

use super::words::is_han;

/// One phoneme, or one letter of pinyin (from 128 on).
type Phone = u8;
const HAN: u8 = 128;

/// A phrase's sounds.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Sounds(Vec<Phone>);

impl Sounds {
    /// Of tokens (`slots::tokens`).
    pub fn of(tokens: &[&str]) -> Self {
        Self(tokens.iter().flat_map(|token| Self::of_one(token).0).collect())
    }

    /// Of one token.
    pub fn of_one(token: &str) -> Self {
        let mut phones = Vec::new();
        if token.bytes().all(|b| b.is_ascii_digit() || b == b'.') && !token.is_empty() {
            spell::number(token).iter().for_each(|word| phones.extend(letters::phonemes(word)));
        } else if let Some(c) = token.chars().next().filter(|c| is_han(*c)) {
            phones.extend(pinyin(c));
        } else {
            phones.extend(letters::phonemes(token));
        }
        Self(phones)
    }

    /// Of words one after the other.
    pub fn joined(parts: &[Self]) -> Self {
        Self(parts.iter().flat_map(|part| part.0.iter().copied()).collect())
    }

    /// Whether their likeness to a phrase can reach its threshold at all, going by their lengths.
    pub fn near_in_length(&self, phrase: &Self) -> bool {
        let (long, short) = (self.len().max(phrase.len()), self.len().min(phrase.len()));
        // A sound more or less costs half a one at least.
        phrase.threshold().is_some_and(|threshold| (long - short) as f32 * 0.5 <= (1.0 - threshold) * long as f32)
    }

    /// Without the vowel that it begins with, if that may be an article; what is left is long enough to be told.
    pub fn without_article(&self) -> Option<Self> {
        let (first, rest) = self.0.split_first()?;
        let rest = Self(rest.to_vec());
        (matches!(first, b'x' | b'@' | b'V' | b'E') && rest.tells()).then_some(rest)
    }

    /// Without the "with" that it begins with, run together with the next word: "whisky milk".
    pub fn after_with(&self) -> Option<Self> {
        let rest = match self.0.as_slice() {
            [b'w', b'I' | b'i', b'T' | b'D', rest @ ..] | [b'w', b'I' | b'i', rest @ ..] => rest,
            _ => return None,
        };
        (rest.len() > 1).then(|| Self(rest.to_vec()))
    }

    /// Long enough to be told by sound at all.
    pub fn tells(&self) -> bool {
        self.threshold().is_some()
    }

    pub fn len(&self) -> usize {
        self.0.len()
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn is_han(&self) -> bool {
        self.0.first().is_some_and(|phone| *phone >= HAN)
    }

    /// 1: the same, 0: nothing in common.
    pub fn likeness(&self, other: &Self) -> f32 {
        let longest = self.len().max(other.len());
        if longest == 0 { 0.0 } else { (1.0 - distance(&self.0, &other.0) / longest as f32).max(0.0) }
    }

    /// From this likeness on what was heard may have been this phrase: short ones must be heard better. `None`: too
    /// short to be told by sound at all. Chosen on what recognisers made of orders, and on sentences of callers to banks
    /// and assistants that order nothing.
    pub fn threshold(&self) -> Option<f32> {
        if self.is_han() {
            return match self.len() {
                0..=2 => None,
                3..=4 => Some(0.87),
                5..=7 => Some(0.8),
                _ => Some(0.75),
            };
        }
        match self.len() {
            0..=2 => None,
            3 => Some(0.84),
            4 => Some(0.75),
            5..=6 => Some(0.74),
            _ => Some(0.7),
        }
    }
}

/// The one word of a numeral: "twenty" for `20`.
pub fn numeral(token: &str) -> Option<&'static str> {
    let digits = !token.is_empty() && token.bytes().all(|b| b.is_ascii_digit());
    match spell::number(token).as_slice() {
        [word] if digits => Some(word),
        _ => None,
    }
}

/// Small words that stand in every sentence: alone, their sound means nothing.
pub fn is_small(word: &str) -> bool {
    const SMALL: &[&str] = &[
        "a", "an", "and", "are", "as", "at", "be", "but", "by", "can", "could", "do", "does", "did", "for", "from",
        "get", "give", "have", "has", "had", "hello", "hey", "hi", "how", "i", "id", "if", "ill", "im", "in", "is",
        "it", "its", "ive", "just", "let", "like", "make", "may", "me", "my", "need", "no", "not", "of", "ok", "okay",
        "on", "or", "our", "please", "so", "some", "thank", "thanks", "that", "thats", "the", "then", "there", "this",
        "to", "too", "um", "uh", "want", "was", "we", "well", "what", "when", "where", "why", "will", "with", "would",
        "yeah", "yes", "you", "your", "been", "am", "any", "all", "one", "out", "up", "us", "they", "them", "he",
        "she", "his", "her", "的", "了", "是", "我", "你", "您", "要", "想", "吗", "呢", "吧", "啊", "请", "有", "在",
        "个", "一", "那", "这",
    ];
    SMALL.contains(&word)
}

/// A character's pinyin without its tone; zh, ch, sh and ng are one each.
fn pinyin(c: char) -> Vec<Phone> {
    let plain = c.to_pinyin().map(|pinyin| pinyin.plain()).unwrap_or_default();
    let one = plain.replace("zh", "Z").replace("ch", "C").replace("sh", "S").replace("ng", "N").replace('ü', "v");
    one.bytes().filter(u8::is_ascii).map(|b| b + HAN).collect()
}

/// Weighted edit distance. A sound that is lost or gained at the end, where telephones swallow most, costs less.
fn distance(a: &[Phone], b: &[Phone]) -> f32 {
    let mut row: Vec<f32> = Vec::with_capacity(b.len() + 1);
    row.push(0.0);
    for (j, phone) in b.iter().enumerate() {
        row.push(row[j] + gap(*phone));
    }
    for &from in a {
        let mut corner = row[0];
        row[0] += gap(from);
        for (j, &to) in b.iter().enumerate() {
            let over = row[j + 1] + gap(from);
            let across = row[j] + gap(to);
            let both = corner + swap(from, to);
            corner = row[j + 1];
            row[j + 1] = over.min(across).min(both);
        }
    }
    row[b.len()]
}

/// What a sound costs that only one of the two has.
fn gap(phone: Phone) -> f32 {
    match phone {
        HAN.. => 1.0,
        b'x' => 0.5,
        b't' | b'd' | b'h' | b'j' | b'r' | b'w' => 0.7,
        _ => 0.9,
    }
}

/// What it costs to hear one for the other.
fn swap(a: Phone, b: Phone) -> f32 {
    if a == b {
        return 0.0;
    }
    if a >= HAN || b >= HAN {
        let pair = [a.wrapping_sub(HAN).min(b.wrapping_sub(HAN)), a.wrapping_sub(HAN).max(b.wrapping_sub(HAN))];
        const MANDARIN: [&[u8; 2]; 9] = [b"Zz", b"Cc", b"Ss", b"ln", b"Nn", b"fh", b"lr", b"uv", b"gk"];
        return if MANDARIN.contains(&&pair) { 0.3 } else { 1.0 };
    }
    let (vowel_a, vowel_b) = (letters::is_vowel(a), letters::is_vowel(b));
    if vowel_a && vowel_b {
        // Neighbours in the mouth; by rule many a vowel is only nearly right.
        const NEAR: [&[u8]; 8] = [b"iIE", b"Iex", b"e@E", b"@aVx", b"aoV", b"oOU", b"uUO", b"VxUR"];
        let near = a == b'x' || b == b'x' || NEAR.iter().any(|set| set.contains(&a) && set.contains(&b));
        return if near { 0.3 } else { 0.6 };
    }
    if vowel_a != vowel_b {
        let glide = matches!(
            (a, b),
            (b'R', b'r')
                | (b'r', b'R')
                | (b'i' | b'I', b'j')
                | (b'j', b'i' | b'I')
                | (b'u' | b'U', b'w')
                | (b'w', b'u' | b'U')
        );
        return if glide { 0.3 } else { 1.2 };
    }
    // Voice is what a telephone loses first, then the place of a hiss or of a nasal.
    const CLOSE: [&[u8]; 14] =
        [b"pb", b"td", b"kg", b"fv", b"TD", b"sz", b"SZ", b"CJ", b"mn", b"nN", b"rl", b"rw", b"fT", b"DV"];
    const AKIN: [&[u8]; 9] = [b"ptk", b"bdg", b"pf", b"fTsSh", b"vDzZ", b"SCJZ", b"mnN", b"Dd", b"lrwj"];
    let both = |set: &&[u8]| set.contains(&a) && set.contains(&b);
    if CLOSE.iter().any(both) {
        0.3
    } else if AKIN.iter().any(both) {
        0.55
    } else {
        1.0
    }
}

#[cfg(test)]
mod tests {
    use super::super::slots::tokens;
    use super::*;

    fn sounds(text: &str) -> Sounds {
        let tokens = tokens(text);
        Sounds::of(&tokens.iter().map(String::as_str).collect::<Vec<_>>())
    }

    fn alike(a: &str, b: &str) -> f32 {
        sounds(a).likeness(&sounds(b))
    }

    #[test]
    fn what_recognisers_make_of_phrases_sounds_like_them() {
        for (heard, meant) in [
            ("light rose", "light roast"),
            ("20 hours", "twenty ounce"),
            ("i smoke", "iced mocha"),
            ("half a moon", "half moon"),
            ("cap a chino", "cappuccino"),
            ("o milk", "oat milk"),
            ("dark roads", "dark roast"),
            ("tea cup", "decaf"),
            ("vanilla sir up", "vanilla syrup"),
            ("查快第", "查快递"),
            ("挂四", "挂失"),
        ] {
            let likeness = alike(heard, meant);
            assert!(likeness >= sounds(meant).threshold().unwrap(), "{heard}, {meant}: {likeness}");
        }
    }

    #[test]
    fn other_words_do_not() {
        for (a, b) in [
            ("balance", "lost card"),
            ("light roast", "dark roast"),
            ("small", "large"),
            ("twelve", "twenty"),
            ("my account", "iced mocha"),
            ("余额", "挂失"),
        ] {
            let likeness = alike(a, b);
            assert!(likeness < sounds(b).threshold().unwrap_or(1.0), "{a}, {b}: {likeness}");
        }
    }
}

//! Transcripts as comparable words: no case, no punctuation, full-width forms made plain, one token a Chinese
//! character. Two Chinese characters are the same token when they sound the same (pinyin without tones), which
//! also makes traditional and simplified writing equal: recognisers mix both and mishear by sound.

use pinyin::ToPinyin;

/// A transcript's words.
#[derive(Clone, Debug, Default)]
pub struct Words(Vec<Word>);

#[derive(Clone, Debug)]
pub struct Word {
    /// Lower case.
    pub text: String,
    /// As written: recognisers write letters that were spelled in capitals.
    pub written: String,
    sound: Option<&'static str>,
}

impl PartialEq for Word {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text || (self.sound.is_some() && self.sound == other.sound)
    }
}

impl Words {
    pub fn of(text: &str) -> Self {
        let mut words = Vec::new();
        let mut open = String::new();
        for c in text.chars().map(plain) {
            match c {
                '\'' | '’' => {} // "I'd" is one word
                c if is_han(c) => {
                    push(&mut words, &mut open);
                    words.push(Word { text: c.into(), written: c.into(), sound: c.to_pinyin().map(|p| p.plain()) });
                }
                c if c.is_alphanumeric() => open.push(c),
                _ => push(&mut words, &mut open),
            }
        }
        push(&mut words, &mut open);
        Self(words)
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn len(&self) -> usize {
        self.0.len()
    }

    pub fn iter(&self) -> std::slice::Iter<'_, Word> {
        self.0.iter()
    }

    /// The words as texts.
    pub fn texts(&self) -> Vec<&str> {
        self.0.iter().map(|word| word.text.as_str()).collect()
    }

    /// Where `phrase` begins, word for word.
    pub fn find(&self, phrase: &Self) -> Option<usize> {
        if phrase.is_empty() {
            return None;
        }
        self.0.windows(phrase.len()).position(|window| window == phrase.0)
    }

    pub fn same_as(&self, other: &Self) -> bool {
        self.0 == other.0
    }

    /// Without the words that `unwanted` names.
    pub fn without(&self, unwanted: &[&str]) -> Self {
        Self(self.0.iter().filter(|word| !unwanted.contains(&word.text.as_str())).cloned().collect())
    }

    /// Likeness by spelling, and for Chinese by sound, 0..=1 (normalised Levenshtein).
    pub fn likeness(&self, other: &Self) -> f64 {
        strsim::normalized_levenshtein(&self.spelled(), &other.spelled())
    }

    /// By sound where it is Chinese: the same for the same words.
    pub fn spelled(&self) -> String {
        self.0.iter().map(|word| word.sound.unwrap_or(&word.text)).collect::<Vec<_>>().join(" ")
    }
}

fn push(words: &mut Vec<Word>, open: &mut String) {
    if !open.is_empty() {
        let written = std::mem::take(open);
        words.push(Word { text: written.to_lowercase(), written, sound: None });
    }
}

/// Full-width forms (U+FF01-FF5E) as their ASCII twins; digits of other scripts stay what they are: recognisers write
/// none.
pub fn plain(c: char) -> char {
    match c {
        '\u{FF01}'..='\u{FF5E}' => char::from_u32(c as u32 - 0xFEE0).unwrap_or(c),
        c => c,
    }
}

/// CJK ideographs, and the zero that is written as a circle.
pub fn is_han(c: char) -> bool {
    matches!(c, '\u{4E00}'..='\u{9FFF}' | '\u{3400}'..='\u{4DBF}' | '〇')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn punctuation_case_and_width_do_not_count() {
        assert!(Words::of("I'd like, MY balance!").same_as(&Words::of("id like my balance")));
        assert_eq!(Words::of("４０７，查询").texts(), ["407", "查", "询"]);
    }

    #[test]
    fn chinese_is_compared_by_sound() {
        assert!(Words::of("轉人工").same_as(&Words::of("转人工")));
        assert_eq!(Words::of("我想查快第").find(&Words::of("快递")), Some(3));
        assert!(!Words::of("不是").same_as(&Words::of("不要")));
    }
}

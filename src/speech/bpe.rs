//! Text to tokens as Whisper learned them: byte pair encoding, a token's number being the rank of its merge. whisper.cpp's
//! own takes the longest token each time, and so spells words as Whisper never does: " cap pu cc ino" for " ca pp ucc ino".
//! What is to be expected has to be spelled as it would be written.

use std::collections::HashMap;
use std::sync::LazyLock;

use regex::Regex;

use super::grammar::TokenId;

/// Within which merges are made (GPT-2's, without its look-ahead for runs of blanks).
static WORDS: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+").expect("a regular expression")
});

/// The tokens of text by their bytes.
pub struct Vocabulary(HashMap<Box<[u8]>, TokenId>);

impl Vocabulary {
    pub fn of<'v>(tokens: impl Iterator<Item = (TokenId, &'v [u8])>) -> Self {
        let mut ids = HashMap::new();
        for (id, bytes) in tokens {
            ids.entry(bytes.into()).or_insert(id);
        }
        Self(ids)
    }

    /// Bytes that the vocabulary lacks are left out.
    pub fn tokens(&self, text: &str) -> Vec<TokenId> {
        WORDS.find_iter(text).flat_map(|word| self.merged(word.as_str().as_bytes())).collect()
    }

    fn merged(&self, word: &[u8]) -> Vec<TokenId> {
        let id = |from: usize, to: usize| self.0.get(&word[from..to]).copied();
        // Where a token begins, and where the last one ends.
        let mut bounds: Vec<usize> = (0..=word.len()).collect();
        loop {
            let pairs = bounds.windows(3).enumerate();
            let ranked = pairs.filter_map(|(at, pair)| Some((id(pair[0], pair[2])?, at)));
            let Some((_, at)) = ranked.min() else { break };
            bounds.remove(at + 1);
        }
        bounds.windows(2).filter_map(|token| id(token[0], token[1])).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn vocabulary(tokens: &[&'static str]) -> Vocabulary {
        let tokens = tokens.iter().enumerate();
        Vocabulary::of(tokens.map(|(id, token)| (id as TokenId, token.as_bytes())))
    }

    #[test]
    fn merges_go_by_rank_and_not_by_length() {
        let some = vocabulary(&["a", "b", "c", "d", " ", "bc", "ab", "abc", "bcd", " d"]);
        assert_eq!(some.tokens("abc"), [7], "a and bc");
        assert_eq!(some.tokens("abcd"), [7, 3], "abc was merged before bcd");
        assert_eq!(some.tokens("abab"), [6, 6]);
        assert_eq!(some.tokens("ab d"), [6, 9], "a blank belongs to the word after it");
    }

    #[test]
    fn words_are_merged_by_themselves_and_unknown_bytes_are_left_out() {
        let some = vocabulary(&["a", "b", ".", "ab", "b.", "ba"]);
        assert_eq!(some.tokens("ab.ba"), [3, 2, 5]);
        assert_eq!(some.tokens("a语b"), [0, 1]);
        assert!(some.tokens("").is_empty());
    }
}

//! Parts of speech (Penn Treebank tags) by an averaged perceptron, for words that are read in two ways
//! ("read", "live", "record") and for "a", "the", "to". Weights and features are those of hibari-tts.

use std::collections::{HashMap, HashSet};

use serde::Deserialize;

pub struct Tagger {
    tags: Vec<Box<str>>,
    /// Words with one dominant tag.
    fixed: HashMap<Box<str>, u8>,
    vocabulary: HashSet<Box<str>>,
    weights: HashMap<Box<str>, Box<[(u8, f32)]>>,
}

#[derive(Deserialize)]
struct Raw {
    tags: Vec<Box<str>>,
    tagdict: HashMap<Box<str>, Box<str>>,
    vocab: HashSet<Box<str>>,
    weights: HashMap<Box<str>, HashMap<Box<str>, f32>>,
}

impl Tagger {
    /// From the package's `tagger.json`.
    pub fn from_json(json: &[u8]) -> serde_json::Result<Self> {
        let raw: Raw = serde_json::from_slice(json)?;
        // Sorted, so that the higher index is also the later name: ties fall to it.
        let mut tags = raw.tags;
        tags.sort();
        let index: HashMap<Box<str>, u8> = tags.iter().enumerate().map(|(i, tag)| (tag.clone(), i as u8)).collect();
        let fixed = raw.tagdict.into_iter().filter_map(|(w, tag)| Some((w, *index.get(&tag)?))).collect();
        let weights = raw
            .weights
            .into_iter()
            .map(|(feature, by_tag)| {
                let mut row: Vec<_> = by_tag.iter().filter_map(|(t, w)| Some((*index.get(t)?, *w))).collect();
                row.sort_by_key(|(tag, _)| *tag); // sums in one order: the same text always gets the same tags
                (feature, row.into())
            })
            .collect();
        Ok(Self { tags, fixed, vocabulary: raw.vocab, weights })
    }

    /// One tag a token.
    pub fn tag(&self, words: &[&str]) -> Vec<&str> {
        let mut context: Vec<String> = vec!["-START2-".into(), "-START-".into()];
        context.extend(words.iter().map(|word| {
            let norm = norm(word);
            if self.vocabulary.contains(norm.as_str()) { norm } else { format!("<{}>", shape(word)) }
        }));
        context.extend(["-END-".into(), "-END2-".into()]);
        let (mut before, mut last) = ("-START2-", "-START-");
        let mut tags = Vec::with_capacity(words.len());
        for (i, word) in words.iter().enumerate() {
            let tag = match self.fixed.get(*word) {
                Some(&tag) => &*self.tags[usize::from(tag)],
                None => self.predict(&features(i, word, &context, last, before)),
            };
            tags.push(tag);
            (before, last) = (last, tag);
        }
        tags
    }

    fn predict(&self, features: &[String]) -> &str {
        let mut scores = vec![0.0f32; self.tags.len()];
        let mut known = false;
        for row in features.iter().filter_map(|feature| self.weights.get(feature.as_str())) {
            known = true;
            for &(tag, weight) in row {
                scores[usize::from(tag)] += weight;
            }
        }
        let best = scores.iter().enumerate().max_by(|a, b| a.1.total_cmp(b.1)).map(|(i, _)| i);
        best.filter(|_| known).map_or("NN", |i| &self.tags[i])
    }
}

fn norm(word: &str) -> String {
    if !word.starts_with('-') && word.contains('-') {
        return "!HYPHEN".into();
    }
    if word.len() == 4 && word.bytes().all(|b| b.is_ascii_digit()) {
        return "!YEAR".into();
    }
    if word.starts_with(|c: char| c.is_ascii_digit()) { "!DIGITS".into() } else { word.to_lowercase() }
}

fn shape(word: &str) -> String {
    if word.chars().all(char::is_alphabetic) {
        let mut rest = word.chars();
        let first_upper = rest.next().is_some_and(char::is_uppercase);
        let rest = rest.as_str();
        return match (first_upper, rest.is_empty()) {
            (true, true) => "X1",
            (true, false) if rest.chars().all(char::is_uppercase) => "XX",
            (true, false) if rest.chars().all(char::is_lowercase) => "Xx",
            (false, _) if rest.chars().all(char::is_lowercase) => "x",
            _ => "xX",
        }
        .into();
    }
    if word.bytes().all(|b| b.is_ascii_digit()) {
        return "d".into();
    }
    let letter = |c: char| match c {
        c if c.is_ascii_digit() => 'd',
        c if c.is_alphabetic() => 'x',
        c => c,
    };
    word.chars().take(4).map(letter).collect()
}

fn features(i: usize, word: &str, context: &[String], last: &str, before: &str) -> [String; 15] {
    let here = i + 2;
    let tail = |word: &str| word.char_indices().rev().nth(2).map_or(0, |(at, _)| at);
    let tail = |word: &'_ str| word[tail(word)..].to_owned();
    [
        "b".into(),
        format!("s3={}", tail(word)),
        format!("p1={}", word.chars().next().unwrap_or(' ')),
        format!("w={}", context[here]),
        format!("sh={}", shape(word)),
        if i == 0 { "i0".into() } else { "i+".into() },
        format!("t-1={last}"),
        format!("t-2={before}"),
        format!("t-12={last},{before}"),
        format!("w-1={}", context[here - 1]),
        format!("s3-1={}", tail(&context[here - 1])),
        format!("w-2={}", context[here - 2]),
        format!("w+1={}", context[here + 1]),
        format!("s3+1={}", tail(&context[here + 1])),
        format!("w+2={}", context[here + 2]),
    ]
}

//! Which passages share a question's keywords, rare ones counting more: BM25 (Robertson and Zaragoza 2009) over words of
//! alphabets and pairs of Han characters, as a share of what a passage of nothing else would reach.

use std::collections::{BTreeMap, BTreeSet};

/// How soon more of the same word stops counting, and how much long passages are held back.
const K1: f32 = 1.2;
const B: f32 = 0.75;

pub struct Keywords {
    passages: Vec<(BTreeMap<String, f32>, f32)>,
    /// Word -> how many passages have it.
    holders: BTreeMap<String, f32>,
    mean_length: f32,
}

impl Keywords {
    pub fn of(texts: impl Iterator<Item = String>) -> Self {
        let mut passages = Vec::new();
        let mut holders: BTreeMap<String, f32> = BTreeMap::new();
        for text in texts {
            let mut counts: BTreeMap<String, f32> = BTreeMap::new();
            words(&text).into_iter().for_each(|word| *counts.entry(word).or_default() += 1.0);
            counts.keys().for_each(|word| *holders.entry(word.clone()).or_default() += 1.0);
            let length = counts.values().sum();
            passages.push((counts, length));
        }
        let mean_length = passages.iter().map(|(_, length)| length).sum::<f32>() / passages.len().max(1) as f32;
        Self { passages, holders, mean_length: mean_length.max(1.0) }
    }

    /// For each passage, 0..=1: how much of the question's keywords stands in it.
    pub fn shares(&self, question: &str) -> Vec<f32> {
        let words: BTreeSet<String> = words(question).into_iter().collect();
        let all: f32 = words.iter().map(|word| self.rarity(word) * (K1 + 1.0)).sum();
        let share = |(counts, length): &(BTreeMap<String, f32>, f32)| {
            let held = words.iter().filter_map(|word| Some((word, *counts.get(word)?)));
            let worth = held.map(|(word, count)| {
                let damp = K1 * (1.0 - B + B * length / self.mean_length);
                self.rarity(word) * count * (K1 + 1.0) / (count + damp)
            });
            (worth.sum::<f32>() / all.max(1e-6)).min(1.0)
        };
        self.passages.iter().map(share).collect()
    }

    fn rarity(&self, word: &str) -> f32 {
        let (all, holders) = (self.passages.len() as f32, self.holders.get(word).copied().unwrap_or(0.0));
        (1.0 + (all - holders + 0.5) / (holders + 0.5)).ln()
    }
}

/// Words without their commonest endings; of Han text each two neighbours.
fn words(text: &str) -> Vec<String> {
    let han = |c: char| ('\u{3400}'..='\u{9fff}').contains(&c);
    let mut words = Vec::new();
    for part in text.to_lowercase().split(|c: char| !c.is_alphanumeric() && c != '\'') {
        let mut run = String::new();
        let mut before: Option<char> = None;
        for c in part.chars().filter(|c| *c != '\'') {
            if !han(c) {
                run.push(c);
                before = None;
                continue;
            }
            if !run.is_empty() {
                words.push(stem(&std::mem::take(&mut run)).to_owned());
            }
            if let Some(before) = before.replace(c) {
                words.push([before, c].iter().collect());
            }
        }
        if !run.is_empty() {
            words.push(stem(&run).to_owned());
        }
    }
    words
}

fn stem(word: &str) -> &str {
    let ends = ["ing", "ies", "ed", "es", "s"];
    let short = |end: &str| word.strip_suffix(end).filter(|stem| stem.chars().count() >= 3);
    ends.iter().find_map(|end| short(end)).unwrap_or(word)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rare_words_find_their_passage_in_both_scripts() {
        let texts =
            ["what does a card cost", "what does a visa application cost", "取件时间是几点", "怎么寄快递到国外"];
        let keywords = Keywords::of(texts.iter().map(|text| (*text).to_owned()));
        let best = |question: &str| {
            let shares = keywords.shares(question);
            assert!(shares.iter().all(|share| (0.0..=1.0).contains(share)), "{shares:?}");
            (0..shares.len()).max_by(|&a, &b| shares[a].total_cmp(&shares[b])).unwrap()
        };
        assert_eq!(best("Visa applications?"), 1);
        assert_eq!(best("几点可以取件"), 2);
        assert_eq!(best("寄到国外"), 3);
        assert_eq!(keywords.shares(""), [0.0; 4]);
        assert_eq!(words("I'm waiting for 2 parcels"), ["im", "wait", "for", "2", "parcel"]);
    }
}

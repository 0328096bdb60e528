//! Sentences that were not understood: gathered, put together and named.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::cluster::clusters;
use super::question::Question;
use super::reading::Missed;
use crate::dialog::values::HIDDEN;
use crate::dialog::words::Words;

/// Where a sentence can be heard again.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Example {
    pub call: String,
    pub step: String,
    /// Ms of the call: from `at_ms` to `to_ms` it was said.
    pub at_ms: u64,
    pub to_ms: u64,
    /// Ms of the recording at which it begins; none where nothing was recorded.
    pub recording_ms: Option<u64>,
}

/// A sentence and every time it was said at a question.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Sentence {
    pub question: Question,
    pub text: String,
    pub language: String,
    pub said: Vec<Example>,
}

/// Sentences that mean the same, at one question.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Cluster {
    pub question: Question,
    /// A name for an intent, from their words.
    pub name: String,
    /// How often any of them was said.
    pub count: usize,
    pub steps: BTreeSet<String>,
    /// The most frequent first.
    pub sentences: Vec<Sentence>,
}

/// Every sentence once a question, whatever its stops and capitals; what was hidden whole says nothing and is left out.
pub fn gathered(missed: impl Iterator<Item = (String, Option<u64>, Missed)>) -> Vec<Sentence> {
    let mut sentences: BTreeMap<(Question, String), Sentence> = BTreeMap::new();
    for (call, recorded_from_ms, missed) in missed {
        let words = Words::of(&missed.text).texts().join(" ");
        if words.is_empty() {
            continue;
        }
        let example = Example {
            call,
            step: missed.step,
            at_ms: missed.start_ms,
            to_ms: missed.end_ms,
            recording_ms: recorded_from_ms.map(|from| missed.start_ms.saturating_sub(from)),
        };
        let Missed { question, text, language, .. } = missed;
        let first = Sentence { question: question.clone(), text, language, said: Vec::new() };
        sentences.entry((question, words)).or_insert(first).said.push(example);
    }
    sentences.into_values().collect()
}

impl Cluster {
    /// Puts the sentences of each question together by `rows` (one each, of length 1), and names the clusters; no name is one
    /// of `taken`. Menus come first, and of each question the most frequent.
    pub fn of(sentences: &[Sentence], rows: &[Vec<f32>], threshold: f32, taken: &BTreeSet<String>) -> Vec<Self> {
        let mut questions: BTreeMap<&Question, Vec<usize>> = BTreeMap::new();
        for (at, sentence) in sentences.iter().enumerate() {
            questions.entry(&sentence.question).or_default().push(at);
        }
        let groups = questions.into_iter().flat_map(|(question, all)| {
            let rows: Vec<Vec<f32>> = all.iter().map(|&at| rows[at].clone()).collect();
            let places = move |members: Vec<usize>| members.into_iter().map(|member| all[member]).collect();
            let groups: Vec<Vec<usize>> = clusters(&rows, threshold).into_iter().map(places).collect();
            groups.into_iter().map(move |members| (question, members))
        });
        let words: Vec<BTreeSet<String>> = sentences.iter().map(|sentence| telling(&sentence.text)).collect();
        let mut found: Vec<Self> = Vec::new();
        for (question, members) in groups {
            let mut own: Vec<Sentence> = members.iter().map(|&at| sentences[at].clone()).collect();
            own.sort_by(|a, b| b.said.len().cmp(&a.said.len()).then_with(|| a.text.cmp(&b.text)));
            let said = || own.iter().flat_map(|sentence| &sentence.said);
            found.push(Self {
                question: question.clone(),
                name: name(&members, &words),
                count: said().count(),
                steps: said().map(|example| example.step.clone()).collect(),
                sentences: own,
            });
        }
        found.sort_by(|a, b| {
            let by_count = || b.count.cmp(&a.count).then_with(|| a.sentences[0].text.cmp(&b.sentences[0].text));
            a.question.cmp(&b.question).then_with(by_count)
        });
        let mut names = taken.clone();
        for cluster in &mut found {
            let plain = cluster.name.clone();
            let mut again = 2;
            while !names.insert(cluster.name.clone()) {
                cluster.name = format!("{plain}_{again}");
                again += 1;
            }
        }
        found
    }
}

/// Words that may tell what a sentence is about.
fn telling(text: &str) -> BTreeSet<String> {
    const EVERYDAY: [&str; 58] = [
        "the", "and", "for", "you", "your", "yours", "are", "was", "were", "can", "could", "would", "will", "want",
        "wanted", "like", "need", "please", "have", "has", "had", "get", "got", "how", "what", "when", "where",
        "which", "who", "why", "with", "from", "about", "into", "this", "that", "there", "here", "some", "any", "not",
        "dont", "cant", "does", "did", "been", "just", "tell", "know", "hello", "its", "ive", "whats", "wheres",
        "theres", "mine", "also", "hey",
    ];
    let said = text.replace(HIDDEN, " ");
    let words = Words::of(&said);
    words
        .texts()
        .into_iter()
        .filter(|word| word.chars().count() > 2 && !EVERYDAY.contains(word))
        .map(str::to_owned)
        .collect()
}

/// The two words that most of the cluster has and others have not; `missed` where there are none (no spaces in the script).
fn name(members: &[usize], words: &[BTreeSet<String>]) -> String {
    let mut own: BTreeMap<&str, usize> = BTreeMap::new();
    members.iter().flat_map(|&at| &words[at]).for_each(|word| *own.entry(word).or_default() += 1);
    let weight = |(word, count): &(&str, usize)| {
        let elsewhere = words.iter().filter(|words| words.contains(*word)).count() - count;
        *count as f64 / (1.0 + elsewhere as f64)
    };
    let mut best: Vec<(&str, usize)> = own.into_iter().collect();
    best.sort_by(|a, b| {
        weight(b).total_cmp(&weight(a)).then_with(|| b.0.len().cmp(&a.0.len())).then_with(|| a.0.cmp(b.0))
    });
    let name: Vec<&str> = best.iter().take(2).map(|(word, _)| *word).collect();
    let name: String = name.join("_").chars().filter(|c| c.is_alphanumeric() || *c == '_').take(48).collect();
    if name.is_empty() { "missed".into() } else { name }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::learn::by_letters;

    fn missed(text: &str, at: u64) -> (String, Option<u64>, Missed) {
        let missed = Missed {
            question: Question::Menu,
            step: "menu".into(),
            text: text.into(),
            language: "en".into(),
            start_ms: at,
            end_ms: at + 900,
        };
        (format!("call-{at}"), Some(200), missed)
    }

    #[test]
    fn a_sentence_said_twice_is_one_and_can_be_heard_each_time() {
        let sentences = gathered(
            [missed("Can I pay by card?", 1_000), missed("can i pay by card", 2_000), missed("...", 3_000)].into_iter(),
        );
        assert_eq!(sentences.len(), 1);
        let offsets: Vec<Option<u64>> = sentences[0].said.iter().map(|example| example.recording_ms).collect();
        assert_eq!(offsets, [Some(800), Some(1_800)]);
    }

    #[test]
    fn names_are_of_what_only_they_say_and_taken_once() {
        let texts =
            ["I want insurance for my bike", "bike insurance please", "do you do bike insurance", "my parrot escaped"];
        let sentences = gathered(texts.iter().enumerate().map(|(at, text)| missed(text, 1_000 * at as u64)));
        let rows: Vec<Vec<f32>> = sentences.iter().map(|sentence| by_letters(&sentence.text)).collect();
        let names = |taken: &[&str]| {
            let taken = taken.iter().map(|name| (*name).to_owned()).collect();
            Cluster::of(&sentences, &rows, 0.3, &taken).into_iter().map(|cluster| cluster.name).collect::<Vec<_>>()
        };
        assert_eq!(names(&[]), ["insurance_bike", "escaped_parrot"]);
        assert_eq!(names(&["insurance_bike"])[0], "insurance_bike_2");
    }

    #[test]
    fn what_was_asked_otherwise_stays_apart() {
        let at_slot = |at: u64| {
            let (call, from, missed) = missed("my parrot escaped", at);
            (call, from, Missed { question: Question::Slot { step: "pet".into(), slot: "animal".into() }, ..missed })
        };
        let all = [at_slot(1_000), missed("my parrot escaped", 2_000), at_slot(3_000)];
        let sentences = gathered(all.into_iter());
        let rows: Vec<Vec<f32>> = sentences.iter().map(|sentence| by_letters(&sentence.text)).collect();
        let found = Cluster::of(&sentences, &rows, 0.3, &BTreeSet::new());
        let counts: Vec<(String, usize)> =
            found.iter().map(|cluster| (cluster.question.to_string(), cluster.count)).collect();
        assert_eq!(counts, [("menus".to_owned(), 1), ("pet, slot animal".to_owned(), 2)]);
    }
}

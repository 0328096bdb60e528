//! Sentences that no intent knew: gathered, put together, named, and written as intents to paste into a flow.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use serde::Serialize;

use super::cluster::clusters;
use super::reading::Missed;
use crate::dialog::flow::Flow;
use crate::dialog::values::HIDDEN;
use crate::dialog::words::Words;

/// The fewest examples that an intent may have.
const FEWEST: usize = 3;
/// How many it should have (`docs/configuration.md`).
const ENOUGH: usize = 8;

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

/// A sentence and every time it was said.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Sentence {
    pub text: String,
    pub language: String,
    pub said: Vec<Example>,
}

/// Sentences that mean the same.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Cluster {
    /// A name for an intent, from their words.
    pub name: String,
    /// How often any of them was said.
    pub count: usize,
    pub steps: BTreeSet<String>,
    /// The most frequent first.
    pub sentences: Vec<Sentence>,
}

/// Every sentence once, whatever its stops and capitals; what was hidden whole says nothing and is left out.
pub fn gathered(missed: impl Iterator<Item = (String, Option<u64>, Missed)>) -> Vec<Sentence> {
    let mut sentences: BTreeMap<String, Sentence> = BTreeMap::new();
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
        let Missed { text, language, .. } = missed;
        sentences.entry(words).or_insert_with(|| Sentence { text, language, said: Vec::new() }).said.push(example);
    }
    sentences.into_values().collect()
}

impl Cluster {
    /// Puts sentences together by `rows` (one each, of length 1), and names the clusters; no name is one of `taken`.
    pub fn of(sentences: &[Sentence], rows: &[Vec<f32>], threshold: f32, taken: &BTreeSet<String>) -> Vec<Self> {
        let groups = clusters(rows, threshold);
        let words: Vec<BTreeSet<String>> = sentences.iter().map(|sentence| telling(&sentence.text)).collect();
        let mut found: Vec<Self> = Vec::new();
        for members in &groups {
            let mut own: Vec<Sentence> = members.iter().map(|&at| sentences[at].clone()).collect();
            own.sort_by(|a, b| b.said.len().cmp(&a.said.len()).then_with(|| a.text.cmp(&b.text)));
            let said = || own.iter().flat_map(|sentence| &sentence.said);
            found.push(Self {
                name: name(members, &words),
                count: said().count(),
                steps: said().map(|example| example.step.clone()).collect(),
                sentences: own,
            });
        }
        found.sort_by(|a, b| b.count.cmp(&a.count).then_with(|| a.sentences[0].text.cmp(&b.sentences[0].text)));
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

/// The clusters as a flow's `intents:`. What is masked, what the flow's own intents have as an example already, and
/// clusters of too few sentences stand there as comments.
pub fn intents_yaml(clusters: &[Cluster], flow: &Flow) -> String {
    let plain = |text: &str| text.trim().to_lowercase();
    let mut known: BTreeSet<String> =
        flow.intents.values().flat_map(|intent| &intent.examples).map(|text| plain(text)).collect();
    let mut out = format!(
        "# Sentences that flow {} did not understand. Read them, rename them, and say where each leads.\n",
        flow.name
    );
    let mut intents = String::new();
    for cluster in clusters {
        let texts = cluster.sentences.iter().map(|sentence| sentence.text.trim());
        let fit: Vec<&str> = texts.filter(|text| !text.contains(HIDDEN) && known.insert(plain(text))).collect();
        if fit.is_empty() {
            continue;
        }
        let comment = if fit.len() < FEWEST { "# " } else { "" };
        let steps: Vec<&str> = cluster.steps.iter().map(String::as_str).collect();
        let times = if cluster.count == 1 { "once".into() } else { format!("{} times", cluster.count) };
        let few = match fit.len() {
            0..FEWEST => ", too few sentences for an intent",
            FEWEST..ENOUGH => ", better with eight sentences or more",
            _ => "",
        };
        // Writing to a String cannot fail.
        let _ = write!(
            intents,
            "  # {times}, at {}{few}\n  {comment}{}:\n  {comment}  examples:\n",
            steps.join(", "),
            cluster.name
        );
        for text in fit {
            // JSON's strings are YAML's.
            let _ = writeln!(intents, "  {comment}    - {}", serde_json::Value::from(text));
        }
    }
    let any = intents.lines().any(|line| !line.trim_start().starts_with('#'));
    out += if any { "intents:\n" } else { "# No cluster has sentences enough for an intent.\n" };
    out + &intents
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::learn::by_letters;

    fn missed(text: &str, at: u64) -> (String, Option<u64>, Missed) {
        let missed =
            Missed { step: "menu".into(), text: text.into(), language: "en".into(), start_ms: at, end_ms: at + 900 };
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
}

//! What was not understood, as YAML to paste into a flow: intents for what was said at menus, words for a list's values.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use super::missed::{Cluster, Sentence};
use super::question::Question;
use crate::dialog::flow::{Flow, ListValue, SlotKind, Step};
use crate::dialog::slots::{left, tokens};
use crate::dialog::sound::is_small;
use crate::dialog::values::HIDDEN;
use crate::dialog::words::{Words, is_han};

/// The fewest examples that an intent may have.
const FEWEST: usize = 3;
/// How many it should have (`docs/configuration.md`).
const ENOUGH: usize = 8;

/// The clusters as they may stand in the flow; what cannot stand there is a comment. What is masked, and what the flow
/// has already, is left out.
pub fn yaml(clusters: &[Cluster], flow: &Flow) -> String {
    let name = &flow.name;
    let mut out =
        format!("# Sentences that flow {name} did not understand. Read them, rename them, and say where each leads.\n");
    if let Some(knowledge) = &flow.knowledge {
        let _ = writeln!(out, "# What asks something is perhaps answered best by a page of {}.", knowledge.base);
    }
    out + &intents(clusters, flow) + &Lists::of(clusters, flow).yaml() + &others(clusters, flow)
}

/// `intents:`, of what was said at menus. Clusters of too few sentences stand there as comments.
fn intents(clusters: &[Cluster], flow: &Flow) -> String {
    let plain = |text: &str| text.trim().to_lowercase();
    let mut known: BTreeSet<String> =
        flow.intents.values().flat_map(|intent| &intent.examples).map(|text| plain(text)).collect();
    let mut intents = String::new();
    for cluster in clusters.iter().filter(|cluster| cluster.question == Question::Menu) {
        let texts = cluster.sentences.iter().map(|sentence| sentence.text.trim());
        let fit: Vec<&str> = texts.filter(|text| !text.contains(HIDDEN) && known.insert(plain(text))).collect();
        if fit.is_empty() {
            continue;
        }
        let comment = if fit.len() < FEWEST { "# " } else { "" };
        let steps: Vec<&str> = cluster.steps.iter().map(String::as_str).collect();
        let few = match fit.len() {
            0..FEWEST => ", too few sentences for an intent",
            FEWEST..ENOUGH => ", better with eight sentences or more",
            _ => "",
        };
        // Writing to a String cannot fail.
        let _ = write!(
            intents,
            "  # {}, at {}{few}\n  {comment}{}:\n  {comment}  examples:\n",
            times(cluster.count),
            steps.join(", "),
            cluster.name
        );
        for text in fit {
            let _ = writeln!(intents, "  {comment}    - {}", quoted(text));
        }
    }
    let any = intents.lines().any(|line| !line.trim_start().starts_with('#'));
    let head = if any { "intents:\n" } else { "# No cluster has sentences enough for an intent.\n" };
    head.to_owned() + &intents
}

/// A list of values, by its step and, in a form, its slot.
type Place<'f> = (&'f str, Option<&'f str>);
/// Words and how often they were said.
type Said = BTreeMap<String, usize>;

/// What was said where a value of a list was expected.
#[derive(Default)]
struct Lists<'f> {
    /// By the value that it sounds most like.
    near: BTreeMap<Place<'f>, BTreeMap<usize, (&'f ListValue, Said)>>,
    /// By the question, where it sounds like none.
    far: BTreeMap<&'f Question, Said>,
}

impl<'f> Lists<'f> {
    fn of(clusters: &'f [Cluster], flow: &'f Flow) -> Self {
        let mut lists = Self::default();
        for cluster in clusters {
            let asked = listed(&cluster.question, flow);
            let sentences = cluster.sentences.iter().filter(|sentence| !sentence.text.contains(HIDDEN));
            for sentence in sentences.filter(|_| !asked.is_empty()) {
                lists.add(&cluster.question, &asked, sentence);
            }
        }
        lists
    }

    fn add(&mut self, question: &'f Question, asked: &[(Place<'f>, &'f SlotKind)], sentence: &Sentence) {
        let (text, words) = (Words::of(&sentence.text), tokens(&sentence.text));
        let mut known = asked.iter().flat_map(|(_, kind)| kind.listed()).flat_map(ListValue::phrases);
        if known.any(|phrase| text.find(&Words::of(phrase)).is_some()) {
            return;
        }
        let sounding = asked.iter().enumerate().filter_map(|(at, (_, kind))| {
            let mut found = left(&sentence.text, &[kind], 0, &[])?;
            found.slot = at;
            Some(found)
        });
        let nearest = sounding.reduce(|best, other| if other.likelier(&best) { other } else { best });
        let words = match &nearest {
            Some(found) => joined(&words[found.words.clone()]),
            None => joined(bare(&words)),
        };
        if words.is_empty() {
            return;
        }
        let value = nearest.and_then(|found| {
            let (place, kind) = asked[found.slot];
            let at = kind.listed().iter().position(|value| value.value == found.value)?;
            Some((place, at, &kind.listed()[at]))
        });
        let said = match value {
            Some((place, at, value)) => {
                let values = self.near.entry(place).or_default();
                &mut values.entry(at).or_insert_with(|| (value, Said::new())).1
            }
            None => self.far.entry(question).or_default(),
        };
        *said.entry(words).or_default() += sentence.said.len();
    }

    /// Each value whole, to stand in place of the flow's own line.
    fn yaml(&self) -> String {
        let mut out = String::new();
        if !self.near.is_empty() {
            out += "# What was said for a list's values, with the value that it sounds most like. Each line stands in place of that\n\
                    # value's own. Words that mean another value belong there.\nsteps:\n";
        }
        let mut before = None;
        for ((step, slot), values) in &self.near {
            if before.replace(*step) != Some(*step) {
                let _ = writeln!(out, "  {}:", word(step));
                out += if slot.is_some() { "    slots:\n" } else { "" };
            }
            let indent = match slot {
                Some(slot) => {
                    let _ = writeln!(out, "      - slot: {}\n        values:", word(slot));
                    "          "
                }
                None => {
                    out += "    values:\n";
                    "      "
                }
            };
            for (value, said) in values.values() {
                let _ = writeln!(out, "{indent}- {} # {}", with(value, said), counted(said));
            }
        }
        if !self.far.is_empty() {
            out += "# Sounds like none of the values: words for one of them (`also`), or a value of its own?\n";
        }
        for (question, said) in &self.far {
            let _ = writeln!(out, "#   at {question}: {} # {}", also(said.keys()), counted(said));
        }
        out
    }
}

/// The lists of which a question expects values.
fn listed<'f>(question: &Question, flow: &'f Flow) -> Vec<(Place<'f>, &'f SlotKind)> {
    let (step, asked) = match question {
        Question::Slot { step, slot } => (step, Some(slot)),
        Question::Form { step } => (step, None),
        Question::Menu | Question::ReadBack { .. } => return Vec::new(),
    };
    let mut lists = match flow.steps.get_key_value(step) {
        Some((step, Step::Ask(ask))) if asked == Some(&ask.slot) => vec![((step.as_str(), None), &ask.kind)],
        Some((step, Step::Form(form))) => {
            let slots = form.slots.iter().filter(|own| asked.is_none_or(|slot| *slot == own.slot));
            slots.map(|own| ((step.as_str(), Some(own.slot.as_str())), &own.kind)).collect()
        }
        _ => Vec::new(),
    };
    lists.retain(|(_, kind)| !kind.listed().is_empty());
    lists
}

/// What was said where nothing can be pasted.
fn others(clusters: &[Cluster], flow: &Flow) -> String {
    let mut counts: BTreeMap<&Question, usize> = BTreeMap::new();
    for cluster in clusters {
        if cluster.question != Question::Menu && listed(&cluster.question, flow).is_empty() {
            *counts.entry(&cluster.question).or_default() += cluster.count;
        }
    }
    let mut out = String::new();
    if !counts.is_empty() {
        out += "# Nothing to paste. `frontdesk learn missed` has the sentences: was the question put well, was it heard well?\n";
    }
    for (question, count) in counts {
        let _ = writeln!(out, "#   at {question}: {}", times(count));
    }
    out
}

/// A sentence without the small words before and after what it says: of "I'd like a cortado, please" the cortado.
fn bare(words: &[String]) -> &[String] {
    let begins = words.iter().position(|word| !is_small(word)).unwrap_or(words.len());
    let ends = words.iter().rposition(|word| !is_small(word)).map_or(begins, |last| last + 1);
    &words[begins..ends]
}

/// As one writes them: Chinese without spaces.
fn joined(words: &[String]) -> String {
    let mut text = String::new();
    for word in words {
        let touches = text.is_empty() || (text.ends_with(is_han) && word.starts_with(is_han));
        text += if touches { "" } else { " " };
        text += word;
    }
    text
}

/// A value as the flow has it, with further words for it.
fn with(value: &ListValue, said: &Said) -> String {
    let mut fields = vec![format!("value: {}", word(&value.value))];
    if !value.say.is_empty() {
        let say: Vec<String> = value.say.iter().map(|(language, text)| format!("{language}: {}", word(text))).collect();
        fields.push(format!("say: {{ {} }}", say.join(", ")));
    }
    fields.push(also(value.also.iter().chain(said.keys())));
    format!("{{ {} }}", fields.join(", "))
}

fn also<'w>(words: impl Iterator<Item = &'w String>) -> String {
    let words: Vec<String> = words.map(|text| word(text)).collect();
    format!("also: [{}]", words.join(", "))
}

/// `cortado 3 times, macchiato once`.
fn counted(said: &Said) -> String {
    let each: Vec<String> = said.iter().map(|(words, count)| format!("{words} {}", times(*count))).collect();
    each.join(", ")
}

fn times(count: usize) -> String {
    if count == 1 { "once".into() } else { format!("{count} times") }
}

/// As one writes it: quoted only where YAML could read something else.
fn word(text: &str) -> String {
    const TAKEN: [&str; 8] = ["true", "false", "null", "yes", "no", "on", "off", "y"];
    let plain = text.starts_with(char::is_alphabetic)
        && text.chars().all(|c| c.is_alphanumeric() || matches!(c, ' ' | '_' | '-' | '/'))
        && !text.ends_with(' ')
        && !TAKEN.contains(&text.to_lowercase().as_str());
    if plain { text.to_owned() } else { quoted(text) }
}

/// JSON's strings are YAML's.
fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_words_around_what_is_said_fall_away() {
        let left = |text: &str| joined(bare(&tokens(text)));
        assert_eq!(left("I'd like a cortado, please."), "cortado");
        assert_eq!(left("Give me two flat wits"), "two flat wits");
        assert_eq!(left("我要卡布"), "卡布");
        assert_eq!(left("yes please"), "");
    }

    #[test]
    fn what_yaml_would_read_otherwise_is_quoted() {
        assert_eq!(["flat white", "澳白", "take-away"].map(word), ["flat white", "澳白", "take-away"]);
        assert_eq!(["12 oz", "no", "a: b", "it's #1"].map(word), ["\"12 oz\"", "\"no\"", "\"a: b\"", "\"it's #1\""]);
    }
}

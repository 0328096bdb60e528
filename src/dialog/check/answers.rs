//! Questions: can every answer be given, and told from the others?

use std::collections::BTreeMap;

use super::ways::nearest;
use super::{Problem, ProblemKind, problem};
use crate::dialog::flow::{Ask, Flow, MenuOption, SlotKind, Step};
use crate::dialog::words::Words;

pub(super) fn check(flow: &Flow, problems: &mut Vec<Problem>) {
    for (name, step) in &flow.steps {
        match step {
            Step::Menu { options, .. } => menu(flow, name, options, problems),
            Step::Ask(ask) => question(name, ask, problems),
            Step::Disclose { key: Some(key), .. } if !matches!(key, '1'..='9' | '*' | '#') => {
                let message = format!("key {key} cannot refuse");
                problems.push(problem(name, "key", ProblemKind::BadKey, message, "take 1-9, * or #"));
            }
            Step::Disclose { key: Some(key), next, .. } => {
                if let Some(Step::Menu { options, .. }) = flow.steps.get(next)
                    && options.iter().any(|option| option.key == Some(*key))
                {
                    let message = format!("key {key} chooses an option of the menu that follows");
                    problems.push(problem(name, "key", ProblemKind::DuplicateKey, message, "take another key"));
                }
            }
            _ => {}
        }
    }
}

fn menu(flow: &Flow, name: &str, options: &[MenuOption], problems: &mut Vec<Problem>) {
    if options.is_empty() {
        let message = "a menu without options".to_owned();
        problems.push(problem(name, "options", ProblemKind::EmptyMenu, message, "give it options, or say instead"));
    }
    let mut keys: BTreeMap<char, usize> = BTreeMap::new();
    let mut intents: BTreeMap<&str, usize> = BTreeMap::new();
    let mut phrases: Vec<(Words, usize)> = Vec::new();
    for (at, option) in options.iter().enumerate() {
        let mut tell = |field: &str, kind, message: String, remedy: &str| {
            problems.push(problem(name, format!("options/{at}{field}"), kind, message, remedy));
        };
        if option.key.is_none() && option.intent.is_none() && option.phrases.is_empty() {
            let message = "nothing chooses this option".to_owned();
            tell("", ProblemKind::OptionWithoutWay, message, "give it a key, an intent or phrases");
        }
        match option.key {
            Some('0') => {
                let message = "key 0 always leads to a person".to_owned();
                tell("/key", ProblemKind::KeyZeroTaken, message, "take another key");
            }
            Some(key) if !matches!(key, '1'..='9' | '*' | '#') => {
                let message = format!("a telephone has no key `{key}`");
                tell("/key", ProblemKind::BadKey, message, "take 1-9, * or #");
            }
            Some(key) => {
                if let Some(other) = keys.insert(key, at) {
                    let message = format!("key {key} chooses option {} already", other + 1);
                    tell("/key", ProblemKind::DuplicateKey, message, "take another key");
                }
            }
            None => {}
        }
        if let Some(intent) = &option.intent {
            if !flow.intents.contains_key(intent) {
                let near = nearest(intent, flow.intents.keys());
                let remedy =
                    near.map_or("name an intent of this flow".into(), |near| format!("did you mean `{near}`?"));
                tell("/intent", ProblemKind::UnknownIntent, format!("there is no intent `{intent}`"), &remedy);
            }
            if let Some(other) = intents.insert(intent, at) {
                let message = format!("intent `{intent}` chooses option {} already", other + 1);
                tell("/intent", ProblemKind::DuplicateIntent, message, "one option for one intent");
            }
        }
        for phrase in &option.phrases {
            let words = Words::of(phrase);
            match phrases.iter().find(|(other, by)| *by != at && other.same_as(&words)) {
                Some((_, other)) => {
                    let message = format!("`{phrase}` chooses option {} already", other + 1);
                    tell("/phrases", ProblemKind::DuplicatePhrase, message, "give it to one of them");
                }
                None => phrases.push((words, at)),
            }
        }
    }
}

fn question(name: &str, ask: &Ask, problems: &mut Vec<Problem>) {
    if let SlotKind::Digits { min, max } | SlotKind::Code { min, max } = ask.kind
        && (min == 0 || max < min)
    {
        let message = format!("no answer has {min} to {max} characters");
        let remedy = "give the least (at least 1) and the most";
        problems.push(problem(name, "kind", ProblemKind::BadLength, message, remedy));
    }
    if ask.secret {
        match ask.kind {
            SlotKind::Digits { min, .. } if min >= 3 => {}
            SlotKind::Digits { .. } => {
                let message = "a secret of one or two digits is none, and a lone key asks for a person".to_owned();
                problems.push(problem(name, "kind", ProblemKind::BadLength, message, "ask for three digits or more"));
            }
            _ => {
                let message = "a secret is given by keys only".to_owned();
                problems.push(problem(name, "kind", ProblemKind::SecretNotByKeys, message, "ask for digits"));
            }
        }
    }
}

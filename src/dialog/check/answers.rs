//! Questions: can every answer be given, and told from the others?

use std::collections::{BTreeMap, BTreeSet};

use super::ways::nearest;
use super::{Problem, ProblemKind, problem};
use crate::dialog::choice::bare;
use crate::dialog::flow::{Ask, Flow, Form, MenuOption, SlotKind, Step};
use crate::dialog::sound::Sounds;
use crate::dialog::words::Words;
use crate::dialog::{person, slots};

/// Two sentences this like each other mean the same.
const SAME: f32 = 0.8;

pub(super) fn check(flow: &Flow, problems: &mut Vec<Problem>) {
    let mut told = BTreeSet::new();
    for (name, step) in &flow.steps {
        match step {
            Step::Menu { options, .. } => {
                menu(flow, name, options, problems);
                overlaps(flow, name, options, &mut told, problems);
            }
            Step::Ask(ask) => question(name, ask, problems),
            Step::Form(form) => filled(name, form, problems),
            Step::Disclose { key: Some(key), .. } if !matches!(key, '1'..='9' | '*' | '#') => {
                let message = format!("key {key} cannot refuse");
                problems.push(problem(name, "key", ProblemKind::BadKey, message, "take 1-9, * or #"));
            }
            Step::Disclose { key: Some(key), next, .. } => {
                let taken = match question_after(flow, next) {
                    Some(Step::Menu { options, .. }) if options.iter().any(|option| option.key == Some(*key)) => {
                        "chooses an option of the menu that follows"
                    }
                    Some(Step::Ask(ask)) if key.is_ascii_digit() && ask.kind.is_keyed() => {
                        "may begin the answer to the question that follows"
                    }
                    _ => continue,
                };
                let message = format!("key {key} {taken}");
                problems.push(problem(name, "key", ProblemKind::DuplicateKey, message, "take another key"));
            }
            _ => {}
        }
    }
}

/// Sentences of one option's intent that another option of the menu knows too: which is meant cannot be told.
fn overlaps(
    flow: &Flow,
    name: &str,
    options: &[MenuOption],
    told: &mut BTreeSet<(String, usize)>,
    problems: &mut Vec<Problem>,
) {
    // By what is left of them without the words that surround a choice.
    let mut known: BTreeMap<String, (usize, Option<String>)> = BTreeMap::new();
    let phrases = options.iter().enumerate().flat_map(|(at, option)| option.phrases.iter().map(move |p| (at, None, p)));
    let examples = options.iter().enumerate().flat_map(|(at, option)| {
        let intent = option.intent.as_ref().and_then(|intent| Some((intent, flow.intents.get(intent)?)));
        intent.into_iter().flat_map(move |(name, intent)| {
            intent.examples.iter().enumerate().map(move |(nth, example)| (at, Some((name, nth)), example))
        })
    });
    for (at, example, text) in phrases.chain(examples) {
        let plain = text.trim().to_lowercase();
        let (other, known) =
            known.entry(bare(&Words::of(text)).spelled()).or_insert_with(|| (at, example.map(|_| plain.clone())));
        let Some((intent, nth)) = example.filter(|_| *other != at) else { continue };
        let other = &options[*other];
        // The same intent twice, and a sentence that is twice in the flow, are mistakes of their own.
        let own = other.intent.as_ref() == Some(intent) || known.as_ref() == Some(&plain);
        if own || !told.insert((intent.clone(), nth)) {
            continue; // or another menu has it too
        }
        let by = match (&other.intent, other.phrases.first()) {
            (Some(intent), _) => format!("intent `{intent}`"),
            (None, phrase) => format!("option `{}`", phrase.map_or("", String::as_str)),
        };
        let message = format!("`{text}` is said for {by} too, in the menu `{name}`");
        let field = format!("intents/{intent}/examples/{nth}");
        let remedy = "keep it for one of them: which one is meant could not be told";
        problems.push(problem("", field, ProblemKind::OverlappingIntents, message, remedy));
    }
}

/// Examples of two intents of a menu that mean the same, whatever their words: `meaning` makes rows of length 1 of sentences,
/// whose products tell how like they are.
pub fn alike(flow: &Flow, meaning: &dyn Fn(&[&str]) -> Vec<Vec<f32>>) -> Vec<Problem> {
    let mut problems = Vec::new();
    let mut told: BTreeSet<(&str, usize)> = BTreeSet::new();
    for (menu, step) in &flow.steps {
        let Step::Menu { options, .. } = step else { continue };
        let intents = options.iter().filter_map(|option| flow.intents.get_key_value(option.intent.as_ref()?));
        let examples: Vec<(&str, usize, &str)> = intents
            .flat_map(|(name, intent)| {
                intent.examples.iter().enumerate().map(move |(nth, text)| (&**name, nth, &**text))
            })
            .collect();
        let rows = meaning(&examples.iter().map(|(.., text)| *text).collect::<Vec<_>>());
        let like = |a: usize, b: usize| rows[a].iter().zip(&rows[b]).map(|(a, b)| a * b).sum::<f32>();
        for (at, (intent, nth, text)) in examples.iter().enumerate() {
            let nearest = |own: bool| {
                let others = (0..examples.len()).filter(|other| *other != at && (examples[*other].0 == *intent) == own);
                others.map(|other| (like(at, other), other)).max_by(|a, b| a.0.total_cmp(&b.0))
            };
            let Some((likeness, other)) = nearest(false) else { continue };
            let (of, nth_other, same) = examples[other];
            let own = nearest(true).map_or(f32::MIN, |(own, _)| own);
            if likeness < SAME || likeness <= own || told.contains(&(of, nth_other)) || !told.insert((intent, *nth)) {
                continue; // or it was told from the other side, or of another menu
            }
            let message = format!("`{text}` means what `{same}` of intent `{of}` does, in the menu `{menu}`");
            let field = format!("intents/{intent}/examples/{nth}");
            let remedy = "keep one of them, or say what tells them apart";
            problems.push(problem("", field, ProblemKind::OverlappingIntents, message, remedy));
        }
    }
    problems
}

/// The question that comes next on the way on.
fn question_after<'f>(flow: &'f Flow, mut step: &'f str) -> Option<&'f Step> {
    for _ in 0..flow.steps.len() {
        match flow.steps.get(step)? {
            Step::Say { next, .. } | Step::Disclose { next, .. } | Step::Remember { next, .. } => step = next,
            Step::Hours { open, .. } => step = open,
            question => return Some(question),
        }
    }
    None
}

/// Whether nothing but words stands between this step and the person whom the flow's callers ask for.
fn to_person(flow: &Flow, step: &str) -> bool {
    matches!(question_after(flow, step), Some(Step::Transfer(to)) if to.queue == flow.person.queue)
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
            // Where the option leads to one it is no matter.
            if person::wanted(phrase) && !to_person(flow, &option.next) {
                let message = format!("`{phrase}` asks for a person, at any step");
                tell("/phrases", ProblemKind::ValueIsPerson, message, "take other words for it");
                continue;
            }
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

/// What is wrong with a kind of answer; `field` ends in `kind`.
fn kind(name: &str, field: &str, kind: &SlotKind, problems: &mut Vec<Problem>) {
    let mut tell = |field: String, kind, message: String, remedy: &str| {
        problems.push(problem(name, field, kind, message, remedy));
    };
    match kind {
        SlotKind::Digits { min, max } | SlotKind::Code { min, max } if *min == 0 || max < min => {
            let message = format!("no answer has {min} to {max} characters");
            tell(field.into(), ProblemKind::BadLength, message, "give the least (at least 1) and the most");
        }
        SlotKind::Number { min: Some(min), max: Some(max) } if max < min => {
            let message = format!("no number is from {min} to {max}");
            tell(field.into(), ProblemKind::BadLength, message, "give the least and the most");
        }
        SlotKind::Money { currency } if currency.len() != 3 || !currency.bytes().all(|b| b.is_ascii_uppercase()) => {
            let message = format!("`{currency}` is no currency");
            tell(field.into(), ProblemKind::UnknownUnit, message, "take a code such as USD, EUR, GBP or CNY");
        }
        SlotKind::Postcode { country } if !slots::has_postcodes(country) => {
            let message = format!("the postcodes of `{country}` are not known");
            let remedy = "take one of the countries that the reference names, or ask for a `code`";
            tell(field.into(), ProblemKind::UnknownUnit, message, remedy);
        }
        SlotKind::List { .. } | SlotKind::Name { .. } => list(field, kind, &mut tell),
        _ => {}
    }
}

fn list(field: &str, kind: &SlotKind, tell: &mut dyn FnMut(String, ProblemKind, String, &str)) {
    let listed = kind.listed();
    if listed.is_empty() {
        tell(field.to_owned(), ProblemKind::EmptyList, "a list without values".into(), "give it values");
    }
    let sounds = |words: &str| {
        let tokens = slots::tokens(words);
        Sounds::of(&tokens.iter().map(String::as_str).collect::<Vec<_>>())
    };
    let mut known: Vec<(Words, Sounds, usize, &str)> = Vec::new();
    let values = field.strip_suffix("kind").unwrap_or(field);
    for (at, value) in listed.iter().enumerate() {
        let mut told = false;
        for phrase in value.phrases() {
            let (words, sound) = (Words::of(phrase), sounds(phrase));
            let field = format!("{values}values/{at}");
            if person::wanted(phrase) {
                let message = format!("`{phrase}` asks for a person, at any step");
                tell(field, ProblemKind::ValueIsPerson, message, "take another word for it");
                continue;
            }
            let other = known.iter().find(|(.., by, _)| *by != at);
            if other.is_some()
                && let Some((.., by, _)) = known.iter().find(|(other, _, by, _)| *by != at && other.same_as(&words))
            {
                if !std::mem::replace(&mut told, true) {
                    let message = format!("`{phrase}` stands for value {} already", by + 1);
                    tell(field, ProblemKind::DuplicateValue, message, "give it to one of them");
                }
                continue;
            }
            if let Some((.., by, theirs)) =
                known.iter().find(|(_, other, by, _)| *by != at && !sound.is_empty() && *other == sound)
                && !std::mem::replace(&mut told, true)
            {
                let message = format!("`{phrase}` sounds like `{theirs}`, which is value {}", by + 1);
                tell(field, ProblemKind::SoundAlike, message, "take words that a caller can hear apart");
            }
            known.push((words, sound, at, phrase));
        }
    }
}

fn filled(name: &str, form: &Form, problems: &mut Vec<Problem>) {
    if form.slots.is_empty() {
        let message = "a form without slots".to_owned();
        problems.push(problem(name, "slots", ProblemKind::EmptyList, message, "give it slots, or say instead"));
    }
    for (at, slot) in form.slots.iter().enumerate() {
        kind(name, &format!("slots/{at}/kind"), &slot.kind, problems);
        if let Some(other) = form.slots[..at].iter().position(|other| other.slot == slot.slot) {
            let message = format!("`{}` is slot {} already", slot.slot, other + 1);
            let field = format!("slots/{at}/slot");
            problems.push(problem(name, field, ProblemKind::DuplicateSlot, message, "take another name"));
        }
        if slot.ask.is_none() && matches!(slot.kind, SlotKind::YesNo | SlotKind::Free) {
            let message = format!("`{}` can only be filled by asking for it", slot.slot);
            let field = format!("slots/{at}/slot");
            problems.push(problem(name, field, ProblemKind::SlotNeverAsked, message, "give it a question: `ask`"));
        }
    }
}

fn question(name: &str, ask: &Ask, problems: &mut Vec<Problem>) {
    kind(name, "kind", &ask.kind, problems);
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

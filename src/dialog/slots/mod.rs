//! From a caller's words to a slot's value: one file a kind.

mod address;
mod code;
mod date;
mod digits;
mod list;
mod money;
mod number;
mod read;
mod time;
mod tokens;
mod yes_no;

use chrono::NaiveDate;

pub use code::code;
pub use digits::digits;
pub use list::{phrases, spoken};
pub use number::Number;
pub use read::{Found, Read, is_digit, left, read};
pub use tokens::tokens;
pub use yes_no::{Answer, hints as yes_no_hints, yes_no};

use super::flow::SlotKind;

/// A slot's value as it was read.
#[derive(Clone, Debug, PartialEq)]
pub struct Value {
    pub text: String,
    /// It was said in words that mean it, not only in some that sound so.
    pub sure: bool,
}

/// The value of a slot in a sentence; `None` when it holds none that fits, or several. `today` is the caller's day.
pub fn value(kind: &SlotKind, text: &str, today: NaiveDate) -> Option<Value> {
    let plain = |text| Value { text, sure: true };
    match kind {
        SlotKind::Digits { min, max } => digits(text, *min, *max).map(plain),
        SlotKind::Code { min, max } => code(text, *min, *max).map(plain),
        SlotKind::YesNo => yes_no(text).map(|answer| plain(if answer.yes { YES } else { NO }.to_owned())),
        SlotKind::Free => Some(text.trim().to_owned()).filter(|text| !text.is_empty()).map(plain),
        kind => {
            let read = read(text, &[kind], Some(0), today);
            let values: Vec<&Found> = read.found.iter().filter(|found| !found.negated).collect();
            let sure = values.iter().all(|found| found.sure);
            let text: Vec<&str> = values.iter().map(|found| found.value.as_str()).collect();
            (!text.is_empty()).then(|| Value { text: text.join(MANY), sure })
        }
    }
}

/// Whether the shape of a country's postcodes is known.
pub fn has_postcodes(country: &str) -> bool {
    address::POSTCODES.iter().any(|(known, _)| *known == country)
}

/// Least and most characters of a country's postcodes, spaces not counted, and whether letters are among them.
pub fn postcode_size(country: &str) -> (usize, usize, bool) {
    let shapes = address::POSTCODES.iter().find(|(known, _)| *known == country).map_or(&[][..], |(_, shapes)| shapes);
    let sizes = || shapes.iter().map(|shape| shape.chars().filter(|c| *c != ' ').count());
    let letters = shapes.iter().any(|shape| shape.contains('A'));
    (sizes().min().unwrap_or(1), sizes().max().unwrap_or(10), letters)
}

/// Between the values of a slot that may have many.
pub const MANY: &str = ", ";

/// Values of a yes-or-no slot.
pub const YES: &str = "yes";
pub const NO: &str = "no";

/// One piece of a spoken number or code, or what stands between them.
#[derive(Clone, Debug, PartialEq)]
enum Item {
    /// Digits or letters, certainly meant.
    Chars(String),
    /// A word that sounds like one ("for", "to"): it counts only beside others.
    Perhaps(char),
    /// "no, I mean": what follows replaces what came before.
    Correction,
    /// Any other word: it ends a run.
    Other,
}

/// Puts pieces together to a value of `min..=max` characters: what follows a correction, if that fits; else all of
/// them, if nothing stands between; else the only run that fits.
fn assemble(items: &[Item], min: usize, max: usize) -> Option<String> {
    let fits = |value: &String| (min..=max).contains(&value.chars().count()) && !value.is_empty();
    if let Some(at) = items.iter().rposition(|item| *item == Item::Correction) {
        let tail = &items[at + 1..];
        let something_before = items[..at].iter().any(|item| matches!(item, Item::Chars(_)));
        let something_after = tail.iter().any(|item| matches!(item, Item::Chars(_)));
        return match (something_before, something_after) {
            (_, true) => assemble(tail, min, max),
            // "1 2 3 4, no": taken back, and nothing instead.
            (true, false) => None,
            (false, false) => None,
        };
    }
    for homophones in [false, true] {
        let runs = runs(items, homophones);
        if runs.len() == 1 && fits(&runs[0]) {
            return Some(runs[0].clone());
        }
        let mut fitting = runs.iter().filter(|run| fits(run));
        match (fitting.next(), fitting.next()) {
            (Some(only), None) => return Some(only.clone()),
            (Some(_), Some(_)) => return None, // two numbers: which?
            (None, _) => {
                let all = runs.concat();
                if fits(&all) {
                    return Some(all);
                }
            }
        }
    }
    None
}

/// Runs of characters. With `homophones`, words that sound like one count where they touch a run.
fn runs(items: &[Item], homophones: bool) -> Vec<String> {
    let certain = |item: Option<&Item>| matches!(item, Some(Item::Chars(_)));
    let mut runs = vec![String::new()];
    for (at, item) in items.iter().enumerate() {
        let beside = at > 0 && certain(items.get(at - 1)) || certain(items.get(at + 1));
        let inside = at > 0 && certain(items.get(at - 1)) && certain(items.get(at + 1));
        match item {
            Item::Chars(chars) => runs.last_mut().expect("never empty").push_str(chars), // starts with one run
            Item::Perhaps(c) if inside || (homophones && beside) => runs.last_mut().expect("never empty").push(*c),
            _ => runs.push(String::new()),
        }
    }
    runs.retain(|run| !run.is_empty());
    runs
}

/// Hesitations and small words that may stand inside a number without ending it.
const INSIDE: &[&str] = &[
    "um", "uh", "er", "erm", "and", "then", "dash", "hyphen", "space", "comma", "slash", "followed", "by", "please",
    "呃", "嗯", "然", "后", "杠", "啊",
];

/// How many words from `at` say "what I said was wrong", or none.
pub fn correction(words: &[&str]) -> Option<usize> {
    const PHRASES: &[&[&str]] = &[
        &["i", "mean"],
        &["scratch", "that"],
        &["make", "that"],
        &["no"],
        &["sorry"],
        &["wait"],
        &["correction"],
        &["actually"],
        &["rather"],
        &["不", "对"],
        &["不", "對"],
        &["不", "是"],
        &["错", "了"],
        &["錯", "了"],
        &["说", "错"],
        &["更", "正"],
        &["应", "该", "是"],
        &["應", "該", "是"],
    ];
    PHRASES.iter().find(|phrase| words.starts_with(phrase)).map(|phrase| phrase.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_of_the_past_is_not_to_come() {
        let today = NaiveDate::from_ymd_opt(2026, 11, 23).unwrap();
        let born = |text: &str| value(&SlotKind::Date { past: true }, text, today).map(|value| value.text);
        assert_eq!(born("I was born on December 24th sixty five").as_deref(), Some("1965-12-24"));
        assert_eq!(born("december 24th 2065"), None);
        assert_eq!(born("tomorrow"), None);
    }
}

//! Several slots in one sentence: every value that any of them could take, of which the longest that do not overlap are
//! kept, whatever their order. What follows a correction ("no, I said ...", 不对) replaces what stands before it; what
//! is refused ("no caramel", 不要糖) is marked so.

use std::ops::Range;

use chrono::NaiveDate;

use super::super::flow::SlotKind;
use super::super::sound;
use super::tokens::{tokens, written};
use super::{address, date, list, money, number, time};

/// One value found.
#[derive(Clone, Debug, PartialEq)]
pub struct Found {
    /// Which of the slots that were asked for.
    pub slot: usize,
    pub value: String,
    /// The words that say so.
    pub words: Range<usize>,
    /// Said in so many words, or in some that sound like nothing else.
    pub sure: bool,
    /// "no caramel".
    pub negated: bool,
    weight: f32,
    bare: bool,
}

impl Found {
    /// In words of its own, and not refused.
    pub fn outright(&self) -> bool {
        self.sure && !self.bare && !self.negated
    }

    /// Weighs more.
    pub fn likelier(&self, other: &Self) -> bool {
        self.weight > other.weight
    }
}

/// What a sentence holds.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Read {
    /// In the order they were said.
    pub found: Vec<Found>,
    /// It corrects something: "no, I said fifty".
    pub corrects: bool,
    /// ... or only adds to it: "actually, caramel too".
    pub adds: bool,
    /// Its words, and how many of them the values are.
    pub words: usize,
    pub covered: usize,
}

impl Read {
    /// How much of what was asked for it holds, to choose among readings.
    pub fn weight(&self) -> f32 {
        self.found.iter().map(|found| found.weight).sum()
    }

    /// Adds what was found of a slot that it says nothing of.
    pub fn add(&mut self, found: Found) {
        self.found.push(found);
        self.found.sort_by_key(|found| found.words.start);
    }

    /// Takes from other readings of the same sentence, the likelier ones first, what they say outright of slots for
    /// which this has nothing, or only what sounds like a value. It counts as doubtful.
    pub fn fill_gaps(&mut self, others: &[Read]) {
        let told: Vec<usize> =
            self.found.iter().filter(|have| have.sure || have.negated).map(|have| have.slot).collect();
        let mut filled: Vec<Found> = Vec::new();
        for other in others {
            let gap = |found: &&Found| {
                let taken = filled.iter().any(|have| have.slot == found.slot);
                found.outright() && !told.contains(&found.slot) && !taken
            };
            let more: Vec<Found> = other.found.iter().filter(gap).cloned().collect();
            filled.extend(more);
        }
        self.found.retain(|have| filled.iter().all(|gap| gap.slot != have.slot));
        self.found.extend(filled.into_iter().map(|found| Found { sure: false, ..found }));
    }
}

/// Words after which what is said counts, instead of what was said.
const CORRECTIONS: &[&[&str]] = &[
    &["i", "said"],
    &["i", "mean"],
    &["i", "meant"],
    &["scratch", "that"],
    &["make", "that"],
    &["make", "it"],
    &["change", "that", "to"],
    &["change", "it", "to"],
    &["change", "the"],
    &["nope"],
    &["sorry"],
    &["wait"],
    &["correction"],
    &["actually"],
    &["rather"],
    &["instead"],
    &["不", "对"],
    &["不", "對"],
    &["不", "是"],
    &["错", "了"],
    &["錯", "了"],
    &["说", "错"],
    &["更", "正"],
    &["改", "成"],
    &["改", "为"],
    &["换", "成"],
    &["換", "成"],
    &["我", "说", "的", "是"],
    &["应", "该", "是"],
];
/// Words that refuse what follows within a word or two.
const REFUSALS: &[&[&str]] = &[
    &["not"],
    &["without"],
    &["no"],
    &["minus"],
    &["remove"],
    &["hold"],
    &["skip"],
    &["dont", "want"],
    &["take", "off"],
    &["不", "要"],
    &["不", "加"],
    &["不", "放"],
    &["别", "放"],
    &["别", "加"],
    &["去", "掉"],
    &["没", "有"],
];

/// What was asked for just now is likelier to be what is said.
const ASKED: f32 = 1.3;
/// A number that could be anything's counts less than words of its own, and a time of day least.
const BARE: f32 = 0.6;
const BARE_TIME: f32 = 0.5;

/// Of a sentence that says everything but one slot's value, what is left is likely that: it may be less alike than what
/// stands by itself.
const LEFT: f32 = 0.6;

/// What may stand for a value of `slot` in a sentence in which all else was `found`. Doubtful.
pub fn left(text: &str, slots: &[&SlotKind], slot: usize, found: &[Found]) -> Option<Found> {
    let kind = slots[slot];
    let tokens = tokens(&apart(&plain_no(text), slots));
    let words: Vec<&str> = tokens.iter().map(String::as_str).collect();
    let free = |at: usize| !found.iter().any(|found| found.words.contains(&at));
    let phrases = list::phrases(kind);
    // Two of them, and which? Nor is it what is refused.
    if list::mentions(&phrases, &words).iter().any(|mention| (mention.start..mention.end).all(free)) {
        return None;
    }
    let nearest = list::nearest(&phrases, &words, free, LEFT)?;
    let (value, words, before) =
        (kind.listed()[nearest.value].value.clone(), nearest.start..nearest.end, &words[..nearest.start]);
    let (refused, weight) = (is_refused(before, kind.many()), nearest.likeness);
    (!refused).then_some(Found { slot, value, words, sure: false, negated: false, weight, bare: false })
}

/// Reads the slots in a sentence. `asked` is the one that was asked for just now: what could be several is that.
pub fn read(text: &str, slots: &[&SlotKind], asked: Option<usize>, today: NaiveDate) -> Read {
    let text = apart(&plain_no(text), slots);
    let (tokens, written) = (tokens(&text), written(&text));
    let words: Vec<&str> = tokens.iter().map(String::as_str).collect();
    let cased: Vec<&str> = written.iter().map(String::as_str).collect();
    let corrections = places(&words, CORRECTIONS);
    let mut candidates = Vec::new();
    for (slot, kind) in slots.iter().enumerate() {
        let before = candidates.len();
        find(kind, slot, &words, &cased, today, &mut candidates);
        if asked == Some(slot) {
            candidates[before..].iter_mut().for_each(|found| found.weight *= ASKED);
        }
    }
    for found in &mut candidates {
        found.negated = is_refused(&words[..found.words.start], slots[found.slot].many());
    }
    let mut found = choose(candidates, slots, &corrections);
    if found.iter().all(|found| !found.sure) && is_about_something_else(&words, &found) {
        found.clear();
    }
    const ADDING: &[&str] = &["add", "also", "too", "plus", "another", "with", "加", "再", "还", "也"];
    let adds = words.iter().any(|word| ADDING.contains(word));
    let covered = found.iter().map(|found| found.words.len()).sum();
    Read { found, corrects: !corrections.is_empty(), adds, words: words.len(), covered }
}

/// What only sounds like a value, among as many words that are none, is none either.
fn is_about_something_else(words: &[&str], found: &[Found]) -> bool {
    let covered = |at: usize| found.iter().any(|found| found.words.contains(&at));
    let content = |inside: bool| {
        let words = words.iter().enumerate();
        words.filter(|(at, word)| covered(*at) == inside && !sound::is_small(word)).count()
    };
    content(false) >= content(true)
}

/// "No, large" is an answer, "no large" refuses: the comma is all that tells, and tokens have none.
fn plain_no(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut word = String::new();
    for c in text.chars().chain(std::iter::once(' ')) {
        if c.is_alphanumeric() {
            word.push(c);
            continue;
        }
        let ends = matches!(c, ',' | '.' | ';' | '!' | '，' | '。');
        plain.push_str(if ends && word.eq_ignore_ascii_case("no") { "nope" } else { &word });
        word.clear();
        plain.push(c);
    }
    plain
}

/// A number of a single digit.
pub fn is_digit(kind: &SlotKind) -> bool {
    matches!(kind, SlotKind::Number { max: Some(max), .. } if *max < 10.0)
}

/// Where all that could be counted has a single digit, "65521" and "6-5-521" are five of them.
fn apart(text: &str, slots: &[&SlotKind]) -> String {
    let listed = |kind: &SlotKind| !kind.listed().is_empty() || matches!(kind, SlotKind::YesNo | SlotKind::Free);
    let digits = slots.iter().filter(|kind| is_digit(kind)).count();
    if digits < 2 || !slots.iter().all(|kind| is_digit(kind) || listed(kind)) {
        return text.to_owned();
    }
    text.chars().map(|c| if c.is_ascii_digit() { format!(" {c} ") } else { c.to_string() }).collect()
}

/// Ends of phrases in a sentence.
fn places(words: &[&str], phrases: &[&[&str]]) -> Vec<usize> {
    let ends = (0..words.len())
        .filter_map(|at| phrases.iter().find(|phrase| words[at..].starts_with(phrase)).map(|phrase| at + phrase.len()));
    ends.collect()
}

fn is_refused(before: &[&str], many: bool) -> bool {
    const BETWEEN: &[&str] = &["the", "any", "a", "an", "that", "my", "want", "那", "个"];
    let mut before = before;
    while let Some((last, rest)) = before.split_last() {
        if !BETWEEN.contains(last) {
            break;
        }
        before = rest;
    }
    REFUSALS
        .iter()
        .filter(|phrase| many || phrase.len() > 1 || phrase[0] != "no")
        .any(|phrase| before.ends_with(phrase))
}

/// Everything in a sentence that a slot of this kind could take.
fn find(kind: &SlotKind, slot: usize, words: &[&str], cased: &[&str], today: NaiveDate, candidates: &mut Vec<Found>) {
    // Words of its own count more than a number that could be anything's.
    let mut put = |value: String, words: Range<usize>, weight: f32, sure: bool, bare: bool| {
        candidates.push(Found { slot, value, words, sure, negated: false, weight, bare });
    };
    if !kind.listed().is_empty() {
        for mention in list::mentions(&list::phrases(kind), words) {
            let by_sound = mention.likeness < 1.0;
            let sure = !by_sound || (mention.likeness >= 0.88 && mention.lead >= 0.1);
            let weight = mention.length.min(mention.end - mention.start) as f32 * mention.likeness.powi(4);
            put(kind.listed()[mention.value].value.clone(), mention.start..mention.end, weight, sure, false);
        }
        return;
    }
    let mut push = |value: String, words: Range<usize>, quality: f32, sure: bool| {
        let weight = words.len() as f32 * quality;
        put(value, words, weight, sure, quality < 1.0);
    };
    let mut refused = 0;
    for start in 0..words.len() {
        let rest = &words[start..];
        match kind {
            SlotKind::Number { min, max } => {
                if let Some((number, length)) = number::number(rest).filter(|_| !is_pronoun(words, start)) {
                    let value: f64 = number.text().parse().unwrap_or(f64::NAN);
                    if min.is_none_or(|min| value >= min) && max.is_none_or(|max| value <= max) {
                        push(number.text(), start..start + length, BARE, true);
                    }
                }
            }
            SlotKind::Date { past } => {
                if let Some((date, length)) = date::date(rest, today, *past).filter(|_| start >= refused) {
                    if *past && date > today {
                        refused = start + length; // nor is a part of it meant
                        continue;
                    }
                    push(date.to_string(), start..start + length, 1.0, true);
                }
            }
            SlotKind::Time => {
                if let Some(((hour, minute), length, said)) =
                    time::time(&words[..start], rest).filter(|_| !is_pronoun(words, start))
                {
                    push(
                        format!("{hour:02}:{minute:02}"),
                        start..start + length,
                        if said { 1.0 } else { BARE_TIME },
                        true,
                    );
                }
            }
            SlotKind::Money { currency } => {
                if let Some((amount, said, length)) = money::money(rest).filter(|_| !is_pronoun(words, start)) {
                    let plain = number::number(rest).is_some_and(|(_, only)| only == length);
                    let text = money::written(amount, said.unwrap_or(currency));
                    push(text, start..start + length, if plain { BARE } else { 1.0 }, true);
                }
            }
            SlotKind::Phone => {
                if let Some((text, length)) = address::phone(rest) {
                    push(text, start..start + length, 1.0, true);
                }
            }
            SlotKind::StreetNumber => {
                if let Some((text, length)) = address::street_number(rest).filter(|_| !is_pronoun(words, start)) {
                    push(text, start..start + length, BARE, true);
                }
            }
            SlotKind::Postcode { country } => {
                if let Some((text, length)) = address::postcode(country, rest, &cased[start..]) {
                    push(text, start..start + length, 1.0, true);
                }
            }
            SlotKind::Digits { min, max } => {
                let runs = [true, false].map(|joined| address::digit_runs(rest, joined));
                let fits = |(text, _): &(String, usize)| (*min..=*max).contains(&text.len());
                if let Some((text, length)) = runs.into_iter().flatten().filter(fits).max_by_key(|(_, length)| *length)
                {
                    push(text, start..start + length, if text_is_long(*min) { 1.0 } else { BARE }, true);
                }
            }
            SlotKind::Code { min, max } => {
                let runs = address::code_runs(rest, &cased[start..]);
                let fits = |(text, _): &(String, usize)| (*min..=*max).contains(&text.len());
                if let Some((text, length)) = runs.into_iter().rfind(fits) {
                    push(text, start..start + length, if text_is_long(*min) { 1.0 } else { BARE }, true);
                }
            }
            SlotKind::YesNo | SlotKind::Free | SlotKind::List { .. } | SlotKind::Name { .. } => {}
        }
    }
}

fn text_is_long(min: usize) -> bool {
    min >= 4
}

/// "the large one" counts nothing.
fn is_pronoun(words: &[&str], at: usize) -> bool {
    const COUNTING: &[&str] = &[
        "just", "only", "for", "is", "its", "need", "want", "like", "take", "have", "make", "it", "said", "get",
        "number", "and", "at", "about", "to", "by", "from", "actually", "nope", "mean", "of", "um", "uh", "yes", "or",
        "than",
    ];
    words[at] == "one"
        && at > 0
        && words.get(at + 1).is_none_or(|next| !next.ends_with("s"))
        && !COUNTING.contains(&words[at - 1])
}

/// Said outright goes before what only sounds so, words of its own before a number that could be anything.
fn rank(found: &Found) -> (bool, bool) {
    (found.sure, !found.bare)
}

/// The best that do not overlap, in the order they were said. A slot takes one, unless it may have many.
fn choose(mut candidates: Vec<Found>, slots: &[&SlotKind], corrections: &[usize]) -> Vec<Found> {
    candidates.sort_by(|a, b| {
        b.weight.total_cmp(&a.weight).then(a.words.start.cmp(&b.words.start)).then(a.slot.cmp(&b.slot))
    });
    let mut taken: Vec<Found> = Vec::new();
    // Values of one slot that were said one after the other; which of them is meant is told below.
    let mut spans: Vec<Range<usize>> = Vec::new();
    let overlaps = |spans: &[Range<usize>], words: &Range<usize>| {
        spans.iter().any(|span| span.start < words.end && words.start < span.end)
    };
    for found in &candidates {
        if overlaps(&spans, &found.words) {
            continue;
        }
        // Nothing doubtful for a slot that has something better, unless that was taken back.
        let outranked = taken.iter().any(|have| {
            let corrected = corrections.iter().any(|at| have.words.end <= *at && *at <= found.words.start);
            have.slot == found.slot && rank(have) > rank(found) && !corrected && !have.negated
        });
        if outranked && !slots[found.slot].many() {
            continue;
        }
        // Of slots alike, the first that has none yet.
        let same = |other: &&Found| other.words == found.words && other.value == found.value;
        let free = candidates
            .iter()
            .filter(same)
            .find(|other| slots[other.slot].many() || !taken.iter().any(|have| have.slot == other.slot));
        let found = free.unwrap_or(found);
        spans.push(found.words.clone());
        taken.push(found.clone());
    }
    taken.sort_by_key(|found| found.words.start);
    let mut kept: Vec<Found> = Vec::new();
    for found in taken {
        let many = slots[found.slot].many();
        let corrected = |have: &Found| corrections.iter().any(|at| have.words.end <= *at && *at <= found.words.start);
        if !many && let Some(at) = kept.iter().position(|have| have.slot == found.slot) {
            if found.negated {
                continue;
            }
            let have = &kept[at];
            if have.value == found.value {
                continue;
            }
            if corrected(have) || have.negated || rank(&found) > rank(have) {
                kept[at] = found;
            } else if rank(&found) == rank(have) && !found.sure {
                if found.weight > have.weight {
                    kept[at] = found;
                }
            } else if rank(&found) == rank(have) {
                kept[at].value.clear(); // two of them, and which?
                kept[at].words = found.words;
            }
            continue;
        }
        if many {
            // "caramel, no, I mean cinnamon": what stands right before the correction is taken back.
            if let Some(at) = corrections.iter().copied().rfind(|at| *at <= found.words.start)
                && !kept.iter().any(|have| have.words.start >= at)
                && let Some(last) = kept.iter().filter(|have| have.words.end <= at).map(|have| have.words.end).max()
            {
                kept.retain(|have| have.slot != found.slot || have.words.end != last);
            }
            kept.retain(|have| have.slot != found.slot || have.value != found.value);
        }
        kept.push(found);
    }
    kept.retain(|found| !found.value.is_empty());
    kept.sort_by_key(|found| found.words.start);
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn single_digits_come_apart_where_nothing_else_is_counted() {
        let today = NaiveDate::from_ymd_opt(2026, 3, 2).unwrap();
        let number = |max| SlotKind::Number { min: Some(0.0), max: Some(max) };
        let values = |text: &str, kinds: &[SlotKind]| -> Vec<String> {
            let kinds: Vec<&SlotKind> = kinds.iter().collect();
            read(text, &kinds, None, today).found.into_iter().map(|found| found.value).collect()
        };
        let three = [number(9.0), number(9.0), number(9.0)];
        for text in ["652.", "6-5-2", "6, 52", "six, 5.2", "Gate 6, floor 52"] {
            assert_eq!(values(text, &three), ["6", "5", "2"], "{text}");
        }
        assert_eq!(values("52", &[number(99.0), number(9.0)]), ["52"]);
        assert!(values("52", &[number(9.0)]).is_empty(), "one is asked for");
        assert_eq!(values("5 at 10:30", &[number(9.0), SlotKind::Time]).len(), 2);
    }
}

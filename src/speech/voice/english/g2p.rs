//! English words to phonemes: tokens, tags, lexicon, and a small network for words no dictionary has.
//! The text is already words (`spoken`): no digits, amounts or abbreviations reach this file.
//! Method and data are those of misaki and hibari-tts (Apache-2.0), in our own words.

use std::collections::HashMap;
use std::path::Path;

use rten::Model;
use rten_tensor::NdTensor;
use rten_tensor::prelude::*;
use serde::Deserialize;

use super::lexicon::{self, Context, Lexicon, with_stress};
use super::tagger::Tagger;
use super::{LoadError, gunzip, one_thread};

pub struct G2p {
    tagger: Tagger,
    lexicon: Lexicon,
    unknown: UnknownWords,
}

struct Token<'t> {
    text: &'t str,
    tag: &'t str,
    /// A blank follows.
    space: bool,
    phonemes: Option<String>,
}

impl G2p {
    pub fn load(folder: &Path) -> Result<Self, LoadError> {
        let lexicon = Lexicon::from_json(
            &gunzip(&folder.join("lexicon_us_gold.json.gz"))?,
            &gunzip(&folder.join("lexicon_us_silver.json.gz"))?,
        )?;
        let tagger = Tagger::from_json(&gunzip(&folder.join("tagger.json.gz"))?)?;
        Ok(Self { tagger, lexicon, unknown: UnknownWords::load(folder)? })
    }

    /// Phonemes of one sentence, with its punctuation.
    pub fn phonemes(&self, text: &str) -> String {
        let text = text.replace(['‘', '’'], "'");
        let pairs = tokens(&text);
        let words: Vec<&str> = pairs.iter().map(|(text, _)| *text).collect();
        let tags = self.tagger.tag(&words);
        let tokens = pairs.iter().zip(tags).map(|(&(text, space), tag)| {
            let hyphen = text == "'" || (text == "-" && !space);
            let mark = (!hyphen && !text.contains(char::is_alphanumeric)).then(|| punctuation(text));
            Token { text, tag, space, phonemes: mark }
        });
        let mut groups = groups(tokens.collect());
        let mut context = Context::default();
        for group in groups.iter_mut().rev() {
            context = self.read_group(group, context);
        }
        let mut out = String::new();
        for group in &groups {
            for token in group {
                out.push_str(token.phonemes.as_deref().unwrap_or_default());
            }
            if group.last().is_some_and(|token| token.space) {
                out.push(' ');
            }
        }
        // The voice's alphabet has T for the flap, t for the glottal stop.
        out.trim().replace('ɾ', "T").replace('ʔ', "t")
    }

    /// Reads tokens written together ("don't", "check-in"): as a whole when the lexicon has it, else its
    /// longest known endings one after another, else (one part is unknown) all of it by the network.
    fn read_group(&self, group: &mut [Token], mut context: Context) -> Context {
        if let [token] = group {
            if token.phonemes.is_none() {
                token.phonemes =
                    self.lexicon.read(token.text, token.tag, context).or_else(|| self.unknown.read(token.text));
            }
            return context.before(token.phonemes.as_deref().unwrap_or_default(), token.text);
        }
        let (mut left, mut right) = (0, group.len());
        while left < right {
            let joined: String = group[left..right].iter().map(|token| token.text).collect();
            let tag = heaviest(&group[left..right]);
            let open = group[left..right].iter().all(|token| token.phonemes.is_none());
            let read = if open { self.lexicon.read(&joined, tag, context) } else { None };
            if let Some(phonemes) = read {
                context = context.before(&phonemes, &joined);
                for token in &mut group[left + 1..right] {
                    token.phonemes = Some(String::new());
                }
                group[left].phonemes = Some(phonemes);
                (left, right) = (0, left);
            } else if left + 1 < right {
                left += 1;
            } else {
                (left, right) = (0, right - 1);
                if matches!(group[right].text, "-" | "'") {
                    group[right].phonemes = Some(String::new());
                } else if group[right].phonemes.is_none() {
                    let whole: String = group.iter().map(|token| token.text).collect();
                    let parts = whole.split('-').filter_map(|part| self.unknown.read(part));
                    let phonemes = parts.collect::<Vec<_>>().join(" ");
                    let context = context.before(&phonemes, &whole);
                    group.iter_mut().for_each(|token| token.phonemes = Some(String::new()));
                    group[0].phonemes = Some(phonemes);
                    return context;
                }
            }
        }
        soften(group);
        context
    }
}

/// A compound has one main stress: its lighter half of parts is lowered.
fn soften(group: &mut [Token]) {
    let mut parts: Vec<(bool, usize, usize)> = Vec::new();
    for (i, token) in group.iter().enumerate() {
        if let Some(phonemes) = token.phonemes.as_deref().filter(|p| !p.is_empty()) {
            parts.push((phonemes.contains(lexicon::PRIMARY), lexicon::weight(phonemes), i));
        }
    }
    let lower = |group: &mut [Token], i: usize| {
        let phonemes = group[i].phonemes.take().unwrap_or_default();
        group[i].phonemes = Some(with_stress(&phonemes, Some(-0.5)));
    };
    if let [(_, _, first), (_, _, second)] = parts[..]
        && group[first].text.chars().count() == 1
    {
        lower(group, second);
        return;
    }
    let stressed = parts.iter().filter(|(primary, _, _)| *primary).count();
    if parts.len() < 2 || stressed <= parts.len().div_ceil(2) {
        return;
    }
    parts.sort_unstable();
    for &(_, _, i) in &parts[..parts.len() / 2] {
        lower(group, i);
    }
}

/// The tag of the part with most letters, capitals counted twice.
fn heaviest<'t>(group: &[Token<'t>]) -> &'t str {
    let weight = |token: &Token| token.text.chars().map(|c| if c.is_uppercase() { 2 } else { 1 }).sum::<usize>();
    let mut best = &group[0];
    for token in &group[1..] {
        if weight(token) > weight(best) {
            best = token;
        }
    }
    best.tag
}

/// Words written together form a group; a blank or a mark ends it.
fn groups(tokens: Vec<Token>) -> Vec<Vec<Token>> {
    let mut groups: Vec<Vec<Token>> = Vec::new();
    let mut open = false;
    for token in tokens {
        let mark = token.phonemes.is_some();
        let joins = open && !mark;
        open = !mark && !token.space;
        match groups.last_mut() {
            Some(group) if joins => group.push(token),
            _ => groups.push(vec![token]),
        }
    }
    groups
}

/// What the voice knows of a mark: its pauses and tunes.
fn punctuation(mark: &str) -> String {
    let pause = |c| match c {
        ';' | ':' | ',' | '.' | '!' | '?' | '…' => Some(c),
        '—' | '–' => Some('—'),
        '(' | ')' => Some(','),
        _ => None,
    };
    mark.chars().filter_map(pause).collect()
}

/// Words, contractions' parts and marks; `true` where a blank follows.
fn tokens(text: &str) -> Vec<(&str, bool)> {
    let mut out = Vec::new();
    for chunk in text.split_whitespace() {
        let begin = out.len();
        let mut from = 0;
        let mut before: Option<char> = None;
        for (at, c) in chunk.char_indices() {
            let apostrophe = c == '\'' && before.is_some_and(char::is_alphanumeric);
            if !(c.is_alphanumeric() || apostrophe) {
                if from < at {
                    word_parts(&chunk[from..at], &mut out);
                }
                out.push((&chunk[at..at + c.len_utf8()], false));
                from = at + c.len_utf8();
            }
            before = Some(c);
        }
        if from < chunk.len() {
            word_parts(&chunk[from..], &mut out);
        }
        if out.len() > begin
            && let Some(last) = out.last_mut()
        {
            last.1 = true;
        }
    }
    if let Some(last) = out.last_mut() {
        last.1 = false;
    }
    out
}

/// "don't" is do + n't to the tagger, "iPhone" i + Phone.
fn word_parts<'t>(word: &'t str, out: &mut Vec<(&'t str, bool)>) {
    const ENDINGS: [&str; 8] = ["n't", "'ll", "'ve", "'re", "'s", "'d", "'m", "'"];
    let ending = ENDINGS.iter().find(|e| word.len() > e.len() && word.to_ascii_lowercase().ends_with(*e));
    let (stem, ending) = word.split_at(word.len() - ending.map_or(0, |e| e.len()));
    let mut from = 0;
    let mut before = None;
    for (at, c) in stem.char_indices() {
        if before.is_some_and(char::is_lowercase) && c.is_uppercase() {
            out.push((&stem[from..at], false));
            from = at;
        }
        before = Some(c);
    }
    if from < stem.len() {
        out.push((&stem[from..], false));
    }
    if !ending.is_empty() {
        out.push((ending, false));
    }
}

/// A character network (CTC) that reads words no dictionary has: names, brands.
struct UnknownWords {
    model: Model,
    inputs: HashMap<char, i32>,
    outputs: Vec<char>,
    longest: usize,
}

#[derive(Deserialize)]
struct UnknownMeta {
    r#in: Vec<char>,
    out: Vec<char>,
    maxlen: usize,
}

impl UnknownWords {
    fn load(folder: &Path) -> Result<Self, LoadError> {
        let meta: UnknownMeta = serde_json::from_slice(&std::fs::read(folder.join("oov.json"))?)?;
        let inputs = meta.r#in.iter().zip(1..).map(|(&c, id)| (c, id)).collect();
        let model = Model::load_file(folder.join("oov.onnx"))?;
        Ok(Self { model, inputs, outputs: meta.out, longest: meta.maxlen })
    }

    fn read(&self, word: &str) -> Option<String> {
        let ids: Vec<i32> = word.chars().filter_map(|c| self.inputs.get(&c).copied()).take(self.longest).collect();
        if ids.is_empty() {
            return None;
        }
        let input = NdTensor::from_data([1, ids.len()], ids);
        let found = self.model.run_one(input.view().into(), Some(one_thread()));
        let found: NdTensor<i32, 2> = found.ok()?.try_into().ok()?;
        let (mut phonemes, mut before) = (String::new(), 0);
        for &id in found.iter() {
            if id != before && id != 0 {
                phonemes.extend(usize::try_from(id - 1).ok().and_then(|at| self.outputs.get(at)));
            }
            before = id;
        }
        Some(phonemes)
    }
}

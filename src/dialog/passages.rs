//! What a knowledge base holds: passages in the operators' own words, and how a markdown page is cut into them. Nothing is
//! said to a caller that does not stand here.

use serde::{Deserialize, Serialize};

use super::words::is_han;

/// One answer, and what it answers.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Passage {
    /// Where it stands: the file, and the heading or the number of the pair (`fees.md#Cash machines abroad`).
    pub source: String,
    /// Ways to ask for it; of a page, its headings.
    pub questions: Vec<String>,
    /// What is said, as it is.
    pub answer: String,
}

/// Letters of an answer that are said; what is longer ends with its last whole sentence before.
const LONGEST: usize = 400;

/// The passages of a markdown page (CommonMark): one a heading with text below it, read as a voice would read it, without
/// marks, links' targets, tables, code and pictures.
pub fn markdown(file: &str, page: &str) -> Vec<Passage> {
    let mut passages: Vec<Passage> = Vec::new();
    let mut headings: Vec<(usize, String)> = Vec::new();
    let mut text = String::new();
    let mut fenced = false;
    let mut close = |headings: &[(usize, String)], text: &mut String| {
        let answer = shortened(std::mem::take(text).trim());
        if let (Some((_, heading)), false) = (headings.last(), answer.is_empty()) {
            let mut questions = vec![heading.clone()];
            if headings.len() > 1 {
                questions.push(headings.iter().map(|(_, heading)| heading.as_str()).collect::<Vec<_>>().join(": "));
            }
            passages.push(Passage { source: format!("{file}#{heading}"), questions, answer });
        }
    };
    for line in page.lines() {
        let line = line.trim();
        if line.starts_with("```") || line.starts_with("~~~") {
            fenced = !fenced;
            continue;
        }
        if fenced || line.starts_with('|') || line.starts_with("<!--") {
            continue;
        }
        let level = line.chars().take_while(|c| *c == '#').count();
        if (1..=6).contains(&level) && line[level..].starts_with(' ') {
            close(&headings, &mut text);
            headings.retain(|(above, _)| *above < level);
            headings.push((level, spoken(line[level..].trim().trim_end_matches('#').trim())));
            continue;
        }
        let (item, words) = match list_item(line) {
            Some(words) => (true, words),
            None => (false, line.trim_start_matches('>').trim()),
        };
        let words = spoken(words);
        if words.is_empty() {
            continue;
        }
        // A heading's or an item's words end a sentence, whatever the writer thought.
        if item && !text.is_empty() && !ends(&text) {
            text.push(if words.chars().any(is_han) { '。' } else { '.' });
        }
        if !text.is_empty() && !text.ends_with(is_han_mark) {
            text.push(' ');
        }
        text.push_str(&words);
    }
    close(&headings, &mut text);
    passages
}

/// An item of a list, without its mark.
fn list_item(line: &str) -> Option<&str> {
    let bullet = ["- ", "* ", "+ "].iter().find_map(|mark| line.strip_prefix(mark));
    let numbered = || {
        let (number, rest) = line.split_once(['.', ')'])?;
        (!number.is_empty() && number.len() <= 3 && number.bytes().all(|b| b.is_ascii_digit()) && rest.starts_with(' '))
            .then(|| rest.trim())
    };
    bullet.map(str::trim).or_else(numbered)
}

/// Without emphasis, code marks, pictures, and links but for their words.
fn spoken(line: &str) -> String {
    let mut words = String::with_capacity(line.len());
    let mut rest = line;
    while let Some(c) = rest.chars().next() {
        let after = &rest[c.len_utf8()..];
        rest = match c {
            '\\' if after.starts_with(|c: char| c.is_ascii_punctuation()) => {
                words.push_str(&after[..1]);
                &after[1..]
            }
            '*' | '`' => after,
            '!' if after.starts_with('[') => link(after).map_or(after, |(_, after)| after),
            '[' => match link(rest) {
                Some((label, after)) => {
                    words.push_str(&spoken(label));
                    after
                }
                None => after,
            },
            ']' => after,
            c => {
                words.push(c);
                after
            }
        };
    }
    words.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// `[label](target)` or `[label][name]` at the beginning: the label, and what comes after.
fn link(text: &str) -> Option<(&str, &str)> {
    let (label, after) = text.strip_prefix('[')?.split_once(']')?;
    let close = match after.chars().next()? {
        '(' => ')',
        '[' => ']',
        _ => return None,
    };
    let end = after.find(close)?;
    Some((label, &after[end + 1..]))
}

/// At most `LONGEST` characters, whole sentences if there is one.
fn shortened(text: &str) -> String {
    if text.chars().count() <= LONGEST {
        return text.to_owned();
    }
    let cut: String = text.chars().take(LONGEST).collect();
    let mut end = cut.char_indices().filter(|(at, c)| {
        let next = cut[at + c.len_utf8()..].chars().next();
        is_han_mark(*c) || (matches!(c, '.' | '!' | '?') && next.is_none_or(char::is_whitespace))
    });
    match end.next_back() {
        Some((at, c)) => cut[..at + c.len_utf8()].to_owned(),
        None => cut.rsplit_once(' ').map_or(cut.clone(), |(head, _)| head.to_owned()),
    }
}

fn ends(text: &str) -> bool {
    text.ends_with(['.', '!', '?', ':', ';', ',']) || text.ends_with(is_han_mark)
}

fn is_han_mark(c: char) -> bool {
    "。！？：；，、".contains(c)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_becomes_what_a_voice_can_say() {
        let page = "# Fees\n\n## Cash machines abroad\n\nWithdrawals abroad cost **two percent**, at least 3 dollars; see the\n\
            [price list](https://example.com/list.pdf).\n\n- Visa\n- Mastercard\n\n| a | b |\n\n```\ncode\n```\n\n### In Canada\n\nFree.\n\n## Empty\n";
        let passages = markdown("fees.md", page);
        assert_eq!(passages.len(), 2);
        assert_eq!(
            passages[0],
            Passage {
                source: "fees.md#Cash machines abroad".into(),
                questions: vec!["Cash machines abroad".into(), "Fees: Cash machines abroad".into()],
                answer: "Withdrawals abroad cost two percent, at least 3 dollars; see the price list. Visa. Mastercard"
                    .into(),
            }
        );
        assert_eq!(passages[1].questions[1], "Fees: Cash machines abroad: In Canada");
        assert_eq!(passages[1].answer, "Free.");
    }

    #[test]
    fn a_long_section_ends_with_a_whole_sentence() {
        let page = format!("# 说明\n{}\n", "快递一般三天送到。".repeat(80));
        let answer = &markdown("a.md", &page)[0].answer;
        assert!(answer.ends_with('。') && answer.chars().count() <= LONGEST && answer.chars().count() > 350);
        let page = format!("# More\n{}", "word ".repeat(500));
        assert!(markdown("b.md", &page)[0].answer.ends_with("word"));
        for odd in ["# a\n[x](", "# a\n![", "#\n\\", "####### no", "# a\n* \n1.", "```"] {
            markdown("odd.md", odd);
        }
    }
}

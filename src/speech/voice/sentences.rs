//! A prompt cut into what is spoken in one go: sentences of its words, and recordings.

use super::spoken;
use crate::dialog::{Language, Piece, Prompt};

#[derive(Clone, Debug, PartialEq)]
pub enum Part {
    Words {
        text: String,
        /// Made of running text alone: the operator's own words, the same for every caller.
        fixed: bool,
    },
    Recording(String),
}

/// The parts of a prompt in order. A sentence that a value takes part in is not fixed.
pub fn parts(prompt: &Prompt) -> Vec<Part> {
    let mut parts = Vec::new();
    let mut run = Run::default();
    for piece in &prompt.pieces {
        match (piece, spoken::words(piece, &prompt.language)) {
            (Piece::Recording(path), _) => {
                run.end(&prompt.language, &mut parts);
                parts.push(Part::Recording(path.clone()));
            }
            (piece, Some(words)) => run.add(&words, matches!(piece, Piece::Text(_)), &prompt.language),
            (_, None) => {}
        }
    }
    run.end(&prompt.language, &mut parts);
    parts
}

/// Words between recordings.
#[derive(Default)]
struct Run {
    text: String,
    /// Byte ranges of values.
    values: Vec<std::ops::Range<usize>>,
}

impl Run {
    fn add(&mut self, words: &str, fixed: bool, language: &Language) {
        let joined =
            language.as_str() == "zh" || self.text.is_empty() || words.starts_with([',', '.', ';', ':', '!', '?']);
        if !joined {
            self.text.push(' ');
        }
        let from = self.text.len();
        self.text.push_str(words);
        if !fixed {
            self.values.push(from..self.text.len());
        }
    }

    fn end(&mut self, language: &Language, parts: &mut Vec<Part>) {
        let run = std::mem::take(self);
        let mut from = 0;
        for end in ends(&run.text, language).into_iter().chain([run.text.len()]) {
            let text = run.text[from..end].trim();
            if text.contains(char::is_alphanumeric) {
                let fixed = !run.values.iter().any(|value| value.start < end && value.end > from);
                parts.push(Part::Words { text: text.into(), fixed });
            }
            from = end;
        }
    }
}

/// Byte positions behind each sentence. Mandarin is spoken clause by clause: its voice is the slower one, and
/// the first clause shall be heard early.
fn ends(text: &str, language: &Language) -> Vec<usize> {
    let mandarin = language.as_str() == "zh";
    let mut ends = Vec::new();
    let mut since = 0;
    for (at, c) in text.char_indices() {
        since += 1;
        let next = text[at + c.len_utf8()..].chars().next();
        let end = match c {
            '.' | '!' | '?' | '…' => next.is_none_or(char::is_whitespace) || mandarin,
            '。' | '！' | '？' | '\n' => true,
            '；' | ';' => mandarin,
            // A clause of a word or two is not worth a breath.
            '，' | '：' | ',' | ':' => mandarin && since > 6,
            _ => false,
        };
        if end {
            ends.push(at + c.len_utf8());
            since = 0;
        }
    }
    ends
}

#[cfg(test)]
mod tests {
    use super::*;

    fn prompt(language: &str, pieces: Vec<Piece>) -> Prompt {
        Prompt { language: Language::new(language), pieces }
    }

    fn words(text: &str, fixed: bool) -> Part {
        Part::Words { text: text.into(), fixed }
    }

    #[test]
    fn a_sentence_with_a_value_is_not_fixed() {
        let pieces = vec![
            Piece::Text("Welcome back. Your balance is ".into()),
            Piece::Money("12.50 USD".into()),
            Piece::Text(". Anything else?".into()),
        ];
        let expected = [
            words("Welcome back.", true),
            words("Your balance is twelve dollars and fifty cents.", false),
            words("Anything else?", true),
        ];
        assert_eq!(parts(&prompt("en", pieces)), expected);
    }

    #[test]
    fn abbreviations_end_no_sentence() {
        let pieces = vec![Piece::Text("Dr. Smith is in at 3 p.m. on Monday. Please hold.".into())];
        let expected = [words("Doctor Smith is in at three P M on Monday.", true), words("Please hold.", true)];
        assert_eq!(parts(&prompt("en", pieces)), expected);
    }

    #[test]
    fn a_recording_stands_alone() {
        let pieces =
            vec![Piece::Text("One moment.".into()), Piece::Recording("jingle.wav".into()), Piece::Text("Hi.".into())];
        let expected = [words("One moment.", true), Part::Recording("jingle.wav".into()), words("Hi.", true)];
        assert_eq!(parts(&prompt("en", pieces)), expected);
    }

    #[test]
    fn mandarin_is_cut_at_clauses() {
        let pieces = vec![Piece::Text("您好，欢迎致电客户服务中心，请按一。".into())];
        let expected = [words("您好，欢迎致电客户服务中心，", true), words("请按一。", true)];
        assert_eq!(parts(&prompt("zh", pieces)), expected);
    }
}

//! A long turn is read in parts: what came before an inner pause is read while the caller goes on, so that only the
//! tail is left to be read at the end.

use tokio_util::sync::DropGuard;

use super::session::Unheard;
use crate::speech::{Hearing, Samples, TurnId};

/// Sound before a pause that is worth a part of its own, samples at 16 kHz.
const WORTH: usize = 5 * 16_000;

/// What was, or is being, read of the turn that goes on.
#[derive(Default)]
pub struct Parts {
    parts: Vec<Part>,
    /// Samples of the turn that they cover.
    covered: usize,
}

struct Part {
    id: TurnId,
    text: Option<Result<Hearing, Unheard>>,
    /// Its reading goes on while this lives.
    _wanted: DropGuard,
}

impl Parts {
    /// Words were read in one of them, or may be yet.
    pub fn has_words(&self) -> bool {
        let words = |text: &Result<Hearing, Unheard>| text.as_ref().is_ok_and(|hearing| !hearing.text.is_empty());
        self.parts.iter().any(|part| part.text.as_ref().is_none_or(words))
    }

    /// The sound that no part covers.
    pub fn rest(&self, turn: &Samples) -> Samples {
        if self.covered == 0 { turn.clone() } else { turn[self.covered.min(turn.len())..].into() }
    }

    /// The caller goes on after a pause: keeps its reading, begun or done, if the turn of `samples` up to there was
    /// long enough. Otherwise the reading is given up.
    pub fn keep(
        &mut self,
        id: TurnId,
        text: Option<Result<Hearing, Unheard>>,
        wanted: DropGuard,
        samples: usize,
    ) -> bool {
        let worth = samples.saturating_sub(self.covered) >= WORTH;
        if worth {
            self.covered = samples;
            self.parts.push(Part { id, text, _wanted: wanted });
        }
        worth
    }

    /// Takes a part's text; false when it is none of these.
    pub fn heard(&mut self, id: TurnId, text: &Result<Hearing, Unheard>) -> bool {
        let part = self.parts.iter_mut().find(|part| part.id == id);
        part.map(|part| part.text = Some(text.clone())).is_some()
    }

    /// All parts are read.
    pub fn read(&self) -> bool {
        self.parts.iter().all(|part| part.text.is_some())
    }

    pub fn clear(&mut self) {
        *self = Self::default();
    }

    /// The whole turn's text, `last` being that of the rest.
    pub fn with(&self, last: &Result<Hearing, Unheard>) -> Result<Hearing, Unheard> {
        if self.parts.is_empty() {
            return last.clone();
        }
        let all = self.parts.iter().filter_map(|part| part.text.as_ref()).chain([last]);
        let heard: Vec<&Hearing> =
            all.filter_map(|text| text.as_ref().ok()).filter(|hearing| !hearing.text.is_empty()).collect();
        let Some((first, more)) = heard.split_first() else { return last.clone() };
        let texts: Vec<&str> = heard.iter().map(|part| part.text.as_str()).collect();
        let other = |at: usize, text: &str| {
            let mut texts = texts.clone();
            texts[at] = text;
            joined(&texts)
        };
        // One part read otherwise at a time.
        let parts = heard.iter().enumerate();
        let alternatives = parts.flat_map(|(at, part)| part.alternatives.iter().map(move |text| (at, text)));
        let alternatives = alternatives.map(|(at, text)| other(at, text)).collect();
        let mut whole = Hearing { text: joined(&texts), alternatives, ..(*first).clone() };
        for part in more {
            whole.confidence = whole.confidence.min(part.confidence);
            whole.no_speech = whole.no_speech.min(part.no_speech);
            whole.cpu_s += part.cpu_s;
        }
        Ok(whole)
    }
}

fn joined(texts: &[&str]) -> String {
    let mut whole = String::new();
    for text in texts {
        if !whole.is_empty() && !whole.ends_with(wide) && !text.starts_with(wide) {
            whole.push(' ');
        }
        whole.push_str(text);
    }
    whole
}

/// Written without spaces.
fn wide(c: char) -> bool {
    c >= '\u{3000}'
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dialog::Language;
    use tokio_util::sync::CancellationToken;

    fn hearing(text: &str, confidence: f32) -> Result<Hearing, Unheard> {
        let (text, language) = (text.to_owned(), Language::new("en"));
        Ok(Hearing { text, alternatives: Vec::new(), confidence, no_speech: 0.0, language, cpu_s: 0.1 })
    }

    #[test]
    fn only_the_tail_of_a_long_turn_is_left_to_read() {
        let wanted = || CancellationToken::new().drop_guard();
        let mut parts = Parts::default();
        assert!(!parts.keep(0, None, wanted(), 2 * 16_000), "too little to be worth it");
        assert!(parts.keep(1, None, wanted(), 6 * 16_000));
        assert!(!parts.keep(2, None, wanted(), 8 * 16_000), "too little more");
        assert_eq!(parts.rest(&vec![0.0; 9 * 16_000].into()).len(), 3 * 16_000);
        assert!(!parts.read());
        assert!(parts.heard(1, &hearing("My card is gone", 0.9)) && !parts.heard(2, &hearing("x", 0.9)));
        assert!(parts.read());
        let whole = parts.with(&hearing("and I need a new one.", 0.7)).unwrap();
        assert_eq!((whole.text.as_str(), whole.confidence), ("My card is gone and I need a new one.", 0.7));
        assert_eq!(parts.with(&Err(Unheard)).unwrap().text, "My card is gone");
        let last = hearing("and I need a new one.", 0.7)
            .map(|last| Hearing { alternatives: vec!["我要换".into()], ..last });
        assert_eq!(parts.with(&last).unwrap().alternatives, ["My card is gone我要换"]);
    }
}

//! A long turn is read in parts: what came before an inner pause is read while the caller goes on, so that only the
//! tail is left to be read at the end. The pause may have been one within a word: a short tail that is read poorly is
//! read once more, in one piece with the part before it.

use tokio_util::sync::DropGuard;

use super::session::Unheard;
use crate::speech::{Hearing, Samples, TurnId};

/// Sound before a pause that is worth a part of its own, samples at 16 kHz.
const WORTH: usize = 5 * 16_000;
/// A tail of fewer samples than this may be the rest of a word...
const TAIL: usize = 2 * 16_000;
/// ...if it is read with less confidence.
const POOR: f32 = 0.6;

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
    /// Samples of the turn before it.
    from: usize,
    /// Its reading goes on while this lives.
    _wanted: DropGuard,
}

impl Parts {
    /// Words were read in one of them, or may be yet.
    pub fn has_words(&self) -> bool {
        self.parts.iter().any(|part| part.text.as_ref().is_none_or(|text| words(text).is_some()))
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
            let from = std::mem::replace(&mut self.covered, samples);
            self.parts.push(Part { id, text, from, _wanted: wanted });
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

    /// The sound of the last part and the tail in one piece, where the pause between them may have cut a word in two.
    pub fn uncut(&self, turn: &Samples, tail: &Result<Hearing, Unheard>) -> Option<Samples> {
        let (part, tail) = (self.parts.last()?, tail.as_ref().ok()?);
        let rest = turn.len().saturating_sub(self.covered);
        let poor = rest < TAIL && tail.confidence < POOR && !tail.text.is_empty();
        (poor && part.text.is_some()).then(|| turn[part.from.min(turn.len())..].into())
    }

    /// The whole turn's text, `tail` being that of the rest, and `uncut` that of the rest in one piece with the last part:
    /// the better heard counts.
    pub fn with(
        &self,
        tail: &Result<Hearing, Unheard>,
        uncut: Option<&Result<Hearing, Unheard>>,
    ) -> Result<Hearing, Unheard> {
        let read: Vec<&Result<Hearing, Unheard>> = self.parts.iter().filter_map(|part| part.text.as_ref()).collect();
        let (last, before) = read.split_last().map_or((None, &[][..]), |(last, before)| (Some(*last), before));
        let cut: Vec<&Hearing> = last.into_iter().chain([tail]).filter_map(words).collect();
        let poorest = cut.iter().map(|piece| piece.confidence).fold(1.0, f32::min);
        let better = uncut.and_then(words).filter(|uncut| uncut.confidence > poorest);
        let before = before.iter().filter_map(|part| words(part));
        let heard: Vec<&Hearing> = before.chain(better.map_or(cut, |better| vec![better])).collect();
        let Some((first, more)) = heard.split_first() else { return tail.clone() };
        if more.is_empty() {
            return Ok((*first).clone());
        }
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

/// What was read, if that is anything.
fn words(text: &Result<Hearing, Unheard>) -> Option<&Hearing> {
    text.as_ref().ok().filter(|hearing| !hearing.text.is_empty())
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
        let whole = parts.with(&hearing("and I need a new one.", 0.7), None).unwrap();
        assert_eq!((whole.text.as_str(), whole.confidence), ("My card is gone and I need a new one.", 0.7));
        assert_eq!(parts.with(&Err(Unheard), None).unwrap().text, "My card is gone");
        let last = hearing("and I need a new one.", 0.7)
            .map(|last| Hearing { alternatives: vec!["我要换".into()], ..last });
        assert_eq!(parts.with(&last, None).unwrap().alternatives, ["My card is gone我要换"]);
    }

    #[test]
    fn a_short_tail_read_poorly_is_read_with_what_came_before_it() {
        let wanted = || CancellationToken::new().drop_guard();
        let turn = |s: usize| Samples::from(vec![0.0; s * 16_000]);
        let poor = hearing("trot", 0.1);
        let mut parts = Parts::default();
        assert_eq!(parts.uncut(&turn(1), &poor), None, "there is nothing before it");
        assert!(parts.keep(1, Some(hearing("At eight,", 0.3)), wanted(), 6 * 16_000));
        assert!(parts.keep(2, Some(hearing("fox.", 0.9)), wanted(), 12 * 16_000));
        assert_eq!(parts.uncut(&turn(13), &hearing("trot", 0.7)), None, "it is well heard");
        assert_eq!(parts.uncut(&turn(15), &poor), None, "it is long enough");
        assert_eq!(parts.uncut(&turn(13), &hearing("", 0.1)), None, "it is nothing");
        assert_eq!(parts.uncut(&turn(13), &poor).unwrap().len(), 7 * 16_000);
        let whole = |uncut: Option<&Result<Hearing, Unheard>>| parts.with(&poor, uncut).unwrap().text;
        assert_eq!(whole(Some(&hearing("foxtrot", 0.2))), "At eight, foxtrot");
        assert_eq!(whole(Some(&hearing("fog", 0.05))), "At eight, fox. trot");
        for nothing in [None, Some(&Err(Unheard)), Some(&hearing("", 0.9))] {
            assert_eq!(whole(nothing), "At eight, fox. trot");
        }
        // Where the part before it held no words, there is nothing to put in its place.
        let mut parts = Parts::default();
        assert!(parts.keep(1, Some(hearing("", 0.0)), wanted(), 6 * 16_000));
        assert_eq!(parts.with(&poor, Some(&hearing("foxtrot", 0.2))).unwrap().text, "foxtrot");
    }
}

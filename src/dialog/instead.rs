//! What callers may choose where no person takes their call, by the keys and words that the built-in texts name. Every
//! language's words count on every line.

use super::choice::{self, Choice};
use super::flow::MenuOption;
use super::words::Words;

/// What there is instead of a person now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Choose {
    Callback,
    Message,
    Wait,
}

const CALLBACK: &[&str] = &[
    "call me back",
    "call back",
    "callback",
    "call me",
    "ring me back",
    "phone me",
    "回电",
    "回拨",
    "回电话",
    "打给我",
    "llámame",
    "llámenme",
    "que me llamen",
    "devolver la llamada",
];
const MESSAGE: &[&str] = &["message", "leave a message", "voicemail", "留言", "留个言", "mensaje", "dejar un mensaje"];
const WAIT: &[&str] = &[
    "wait",
    "keep waiting",
    "i'll wait",
    "hold",
    "stay on the line",
    "keep trying",
    "等待",
    "继续等",
    "等",
    "esperar",
    "espero",
    "seguir esperando",
];

impl Choose {
    pub const ALL: [Self; 3] = [Self::Callback, Self::Message, Self::Wait];

    pub fn key(self) -> char {
        match self {
            Self::Callback => '1',
            Self::Message => '2',
            Self::Wait => '3',
        }
    }

    pub fn name(self) -> &'static str {
        match self {
            Self::Callback => "callback",
            Self::Message => "message",
            Self::Wait => "wait",
        }
    }

    fn phrases(self) -> &'static [&'static str] {
        match self {
            Self::Callback => CALLBACK,
            Self::Message => MESSAGE,
            Self::Wait => WAIT,
        }
    }
}

/// What of `offered` a sentence chooses.
pub fn chosen(offered: &[Choose], text: &str) -> Option<Choose> {
    let option = |choose: &Choose| MenuOption {
        key: Some(choose.key()),
        intent: None,
        phrases: choose.phrases().iter().map(|phrase| (*phrase).to_owned()).collect(),
        next: String::new(),
    };
    match choice::choose(&offered.iter().map(option).collect::<Vec<_>>(), text) {
        Choice::Sure(at) | Choice::Mentioned(at) => Some(offered[at]).filter(|choose| !refused(*choose, text)),
        Choice::Open => None,
    }
}

/// "I can't wait", 不等了: the words are there, and are not wanted.
fn refused(choose: Choose, text: &str) -> bool {
    const REFUSING: &[&str] = &["not", "dont", "cant", "cannot", "wont", "never", "不", "别", "沒", "没", "no"];
    const NEAR: usize = 3;
    let words = Words::of(text);
    let texts = words.texts();
    // "No, I'll wait" refuses something else.
    let from = usize::from(texts.first() == Some(&"no"));
    choose.phrases().iter().filter_map(|phrase| words.find(&Words::of(phrase))).any(|at| {
        let before = &texts[at.saturating_sub(NEAR).max(from).min(at)..at];
        before.iter().any(|word| REFUSING.contains(word))
    })
}

/// Words for the recogniser to expect.
pub fn phrases(offered: &[Choose]) -> Vec<String> {
    offered.iter().flat_map(|choose| choose.phrases()).map(|phrase| (*phrase).to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_offered_is_chosen_by_its_words_and_nothing_else_is() {
        let heard = |text| chosen(&Choose::ALL, text);
        for refusal in ["I can't wait", "I don't want to wait any more", "不等了", "我不想等了", "don't call me"]
        {
            assert_eq!(heard(refusal), None, "{refusal}");
        }
        assert_eq!(heard("no, I'll wait"), Some(Choose::Wait));
        assert_eq!(heard("call me back please"), Some(Choose::Callback));
        assert_eq!(heard("I'd like to leave a message"), Some(Choose::Message));
        assert_eq!(heard("press three"), Some(Choose::Wait));
        assert_eq!(heard("给我回电吧"), Some(Choose::Callback));
        assert_eq!(heard("我要留言"), Some(Choose::Message));
        assert_eq!(heard("继续等"), Some(Choose::Wait));
        assert_eq!(heard("dejar un mensaje"), Some(Choose::Message));
        assert_eq!(heard("what a lovely day"), None);
        assert_eq!(chosen(&[Choose::Message], "call me back"), None);
    }
}

//! Sounds of attention: "uh-huh", "right", "嗯". Said into a prompt they ask for nothing; as the answer to a question
//! that is over they may mean yes, and that is for others to read.

use super::words::Words;

const SOUNDS: &[&str] = &[
    "uh", "huh", "uhhuh", "mm", "mmm", "mhm", "mmhmm", "all", "hmm", "hm", "um", "ah", "aha", "oh", "ooh", "ok",
    "okay", "k", "right", "yeah", "yep", "yup", "yes", "sure", "alright", "fine", "good", "great", "cool", "nice",
    "really", "wow", "gotcha", "oic", "vale", "claro", "sí", "ajá",
];
/// As whole sentences only.
const PHRASES: &[&[&str]] = &[
    &["i", "see"],
    &["got", "it"],
    &["all", "right"],
    &["of", "course"],
    &["i", "understand"],
    &["sounds", "good"],
    &["go", "on"],
    &["thats", "right"],
    &["thank", "you"],
    &["thanks"],
];
const HAN: &str = "嗯哦噢喔啊呃唔欸诶哎对對好行是的了吧呢那这樣样明白知道我嗨喽哈";
/// Longer than this nobody hums; "right, right, right" is soon said.
const WORDS: usize = 12;

/// Whether these words only say "I am listening".
pub fn is(text: &str) -> bool {
    let words = Words::of(text);
    let texts = words.texts();
    if texts.is_empty() || texts.len() > WORDS {
        return false;
    }
    let sound = |word: &&str| SOUNDS.contains(word) || word.chars().all(|c| HAN.contains(c));
    let mut at = 0;
    while at < texts.len() {
        let phrase = PHRASES.iter().find(|phrase| texts[at..].starts_with(phrase));
        match phrase {
            Some(phrase) => at += phrase.len(),
            None if sound(&texts[at]) => at += 1,
            None => return false,
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attention_is_no_request() {
        for text in [
            "Uh-huh.",
            "Mm-hmm.",
            "OK.",
            "Right, right.",
            "Oh, I see.",
            "Yeah, okay.",
            "嗯。",
            "嗯嗯",
            "好的",
            "对对",
            "哦，是的",
        ] {
            assert!(is(text), "{text}");
        }
    }

    #[test]
    fn whatever_says_more_is_one() {
        for text in [
            "",
            "Wait.",
            "No.",
            "Stop",
            "Okay, but my card is gone",
            "Yes, balance",
            "Hello?",
            "不是",
            "等一下",
            "好，我要挂失",
            "uh, agent",
        ] {
            assert!(!is(text), "{text}");
        }
    }
}

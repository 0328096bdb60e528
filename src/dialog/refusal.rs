//! "Don't analyse my voice": the words by which a caller refuses it. Every language's count on every line.

use std::sync::LazyLock;

use super::words::Words;

/// A refusal whenever it is said.
const OUTRIGHT: &[&str] = &[
    "dont analyse",
    "dont analyze",
    "do not analyse",
    "do not analyze",
    "stop analysing",
    "stop analyzing",
    "not be analysed",
    "not be analyzed",
    "no analysis",
    "不要分析",
    "别分析",
    "不能分析",
    "停止分析",
    "不想被分析",
    "no analice",
    "sin análisis",
];
/// A refusal once the caller was told.
const MEANT: &[&str] = &[
    "i object",
    "i refuse",
    "i dont agree",
    "i do not agree",
    "i dont consent",
    "i do not consent",
    "i dont want that",
    "i dont want this",
    "id rather not",
    "opt out",
    "不同意",
    "不接受",
    "我拒绝",
    "不愿意",
    "no quiero",
    "no acepto",
];

fn phrases(list: &[&str]) -> Vec<Words> {
    list.iter().map(|phrase| Words::of(phrase)).collect()
}

static OUTRIGHT_WORDS: LazyLock<Vec<Words>> = LazyLock::new(|| phrases(OUTRIGHT));
static MEANT_WORDS: LazyLock<Vec<Words>> = LazyLock::new(|| phrases(MEANT));

/// Whether these words refuse the analysis of the voice, without anything having been said of it.
pub fn outright(text: &str) -> bool {
    let words = Words::of(text);
    OUTRIGHT_WORDS.iter().any(|phrase| words.find(phrase).is_some())
}

/// Whether they refuse what the caller has just been told.
pub fn meant(text: &str) -> bool {
    let words = Words::of(text);
    MEANT_WORDS.iter().any(|phrase| words.find(phrase).is_some())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refusals_are_understood_and_requests_are_none() {
        assert!(outright("Please don't analyse my voice.") && outright("请不要分析我的声音"));
        assert!(meant("I'd rather not.") && meant("我不同意"));
        for text in ["my balance please", "I want to dispute a payment", "我要投诉", "no", ""] {
            assert!(!outright(text) && !meant(text), "{text}");
        }
    }
}

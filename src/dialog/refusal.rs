//! "Don't analyse my voice", "don't record this": the words by which a caller refuses it. Every language's count on every
//! line.

use std::sync::LazyLock;

use super::flow::Disclosed;
use super::words::Words;

/// Refusals whenever they are said.
const ANALYSIS: &[&str] = &[
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
const RECORDING: &[&str] = &[
    "dont record",
    "do not record",
    "stop recording",
    "not be recorded",
    "not to be recorded",
    "dont want to be recorded",
    "turn off the recording",
    "不要录音",
    "别录音",
    "停止录音",
    "不想被录音",
    "不能录音",
    "不同意录音",
    "不准录音",
    "no me grabe",
    "no grabe",
    "no quiero que me graben",
    "sin grabar",
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

static ANALYSIS_WORDS: LazyLock<Vec<Words>> = LazyLock::new(|| phrases(ANALYSIS));
static RECORDING_WORDS: LazyLock<Vec<Words>> = LazyLock::new(|| phrases(RECORDING));
static MEANT_WORDS: LazyLock<Vec<Words>> = LazyLock::new(|| phrases(MEANT));

/// Whether these words refuse this, without anything having been said of it.
pub fn outright(text: &str, of: Disclosed) -> bool {
    let words = Words::of(text);
    let phrases = match of {
        Disclosed::Emotion => &ANALYSIS_WORDS,
        Disclosed::Recording => &RECORDING_WORDS,
    };
    phrases.iter().any(|phrase| words.find(phrase).is_some())
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
        use Disclosed::{Emotion, Recording};
        assert!(outright("Please don't analyse my voice.", Emotion) && outright("请不要分析我的声音", Emotion));
        assert!(outright("I don't want to be recorded", Recording) && outright("请不要录音", Recording));
        assert!(!outright("please do not record this", Emotion) && !outright("别分析我", Recording));
        assert!(meant("I'd rather not.") && meant("我不同意"));
        for text in ["my balance please", "I want to dispute a payment", "我要投诉", "my record", "no", ""] {
            assert!(![Emotion, Recording].iter().any(|of| outright(text, *of)) && !meant(text), "{text}");
        }
    }
}

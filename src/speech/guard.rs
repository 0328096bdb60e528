//! What Whisper writes when nobody spoke: sound descriptions in brackets, subtitle credits, loops. Plain rules over
//! the text and its probabilities; a text that fails them is no text.

/// What the rules look at.
pub struct Evidence<'a> {
    pub text: &'a str,
    /// Probability that there was no speech, 0..=1.
    pub no_speech: f32,
    /// Geometric mean of the tokens' probabilities, 0..=1.
    pub certainty: f32,
    pub tokens: usize,
    pub seconds: f32,
}

/// The text without sound descriptions, trimmed; empty when it is not what somebody said.
pub fn spoken(evidence: &Evidence) -> String {
    let text = without_descriptions(evidence.text);
    let text = text.trim();
    let words = words(text);
    let silent = evidence.no_speech > 0.6 && evidence.certainty < 0.4;
    let invented = is_filler(&words) && (evidence.no_speech > 0.25 || evidence.certainty < 0.45);
    if words.is_empty() || silent || invented || went_astray(evidence) || is_credit(&words) {
        return String::new();
    }
    text.to_owned()
}

/// The decoder got lost among words: what it wrote says nothing of what was spoken, nor that nothing was. Nobody says
/// nine tokens a second; whisper.cpp is given up to seven and twelve more. On a short sound it fills them: "Shu'er.
/// Shu'er. Shu'er. Shu'er."
pub fn went_astray(evidence: &Evidence) -> bool {
    let text = without_descriptions(evidence.text);
    let words = words(&text);
    let rushed = evidence.tokens > 12 && evidence.tokens as f32 > 9.0 * evidence.seconds;
    !words.is_empty() && !is_credit(&words) && (rushed || loops(&text))
}

/// A sentence that the decoder, at its end, began again, up to where it ran out of tokens: the sentence. A number may
/// be such by itself, and what goes round more often than that is a loop.
pub fn once(text: &str) -> &str {
    const SENTENCE: usize = 5;
    let words = words_at(text);
    let number = |unit: usize| words[..unit].iter().all(|(word, _)| is_digit(word));
    let unit = (1..=words.len() / 2).find(|&unit| repeats(&words, unit));
    match unit.filter(|&unit| unit >= SENTENCE && words.len() < 3 * unit && !number(unit)) {
        Some(unit) => &text[..words[unit - 1].1],
        None => text,
    }
}

/// A word or two that the decoder, out of sound, wrote over and over, faster than anybody speaks: said once. A short sound
/// does that to it ("9 9 9 9 9 9 9" for a nine of half a second).
pub fn unhurried(text: &str, seconds: f32) -> &str {
    const WORD: f32 = 2.0; // no longer than this with the silence about it
    const FASTEST: f32 = 5.0; // words a second
    let words = words_at(text);
    if seconds > WORD || (words.len() as f32) < FASTEST * seconds {
        return text;
    }
    match (1..=2).find(|&unit| words.len() > 2 * unit && repeats(&words, unit)) {
        Some(unit) => &text[..words[unit - 1].1],
        None => text,
    }
}

/// The first half of a number, before a pause, that the decoder wrote twice since the whole has as many digits: the half.
/// Who says a number with two halves alike says them slower than that, or once more.
pub fn half_of_it(text: &str, seconds: f32) -> &str {
    const FASTEST: f32 = 2.6; // digits a second, with the silence about them
    let words = words_at(text);
    let half = words.len() / 2;
    let twice = half > 1 && words.len() == 2 * half && repeats(&words, half);
    if twice && words.len() as f32 > FASTEST * seconds { &text[..words[half - 1].1] } else { text }
}

/// Nothing but so many words over and over; the last round may be cut off.
fn repeats(words: &[(String, usize)], unit: usize) -> bool {
    words.iter().skip(unit).zip(words).all(|((word, _), (before, _))| word == before)
}

/// Cuts `[MUSIC]`, `(static)` and notes. An unclosed bracket reaches to the end.
fn without_descriptions(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut until = None;
    for c in text.chars() {
        match (until, c) {
            (Some(end), c) if c == end => until = None,
            (Some(_), _) => {}
            (None, '[') => until = Some(']'),
            (None, '(') => until = Some(')'),
            (None, '【') => until = Some('】'),
            (None, '（') => until = Some('）'),
            (None, '♪' | '♫' | '♬') => {}
            (None, c) => out.push(c),
        }
    }
    out
}

fn words(text: &str) -> Vec<String> {
    words_at(text).into_iter().map(|(word, _)| word).collect()
}

/// Words, and the byte after each.
fn words_at(text: &str) -> Vec<(String, usize)> {
    let ideograph = |c: char| ('\u{3040}'..='\u{9fff}').contains(&c);
    let mut words = Vec::new();
    let mut word = String::new();
    for (at, c) in text.char_indices().chain([(text.len(), ' ')]) {
        if c.is_alphanumeric() && !ideograph(c) {
            word.extend(c.to_lowercase());
        } else if c != '\'' && c != '’' {
            if !word.is_empty() {
                words.push((std::mem::take(&mut word), at));
            }
            if ideograph(c) {
                words.push((c.to_string(), at + c.len_utf8()));
            }
        }
    }
    words
}

/// Texts that Whisper's subtitles taught it to put where there is no speech.
const FILLERS: [&str; 22] = [
    "you",
    "thank you",
    "thanks",
    "thank you very much",
    "thank you so much",
    "thank you for watching",
    "thanks for watching",
    "thank you for your time",
    "thank you for listening",
    "please subscribe",
    "bye",
    "bye bye",
    "so",
    "oh",
    "hmm",
    "um",
    "okay",
    "the end",
    "i'm going to go to the bathroom",
    "谢谢",
    "谢谢大家",
    "謝謝",
];
/// Never said to a bank: out, however sure Whisper is.
const CREDITS: [&str; 9] = [
    "thanks for watching",
    "thank you for watching",
    "subtitles by",
    "字幕",
    "订阅",
    "訂閱",
    "点赞",
    "點贊",
    "amara org",
];

fn is_credit(words: &[String]) -> bool {
    CREDITS.iter().any(|c| words.join(" ").contains(c) || words.concat().contains(c))
}

fn is_filler(words: &[String]) -> bool {
    let text = words.join(" ");
    let dense = words.concat();
    FILLERS.iter().any(|f| {
        let f = f.replace('\'', "");
        f == text || f == dense
    })
}

/// The same one to sixteen words over and over, to the end: a decoder's loop, not a caller's speech. Digits may
/// repeat more ("zero zero zero zero").
pub fn loops(text: &str) -> bool {
    let words = words(text);
    (1..=16).any(|unit| {
        // The last round may be cut off.
        let Some(whole) = words.len().checked_sub(unit) else { return false };
        let times = (whole.saturating_sub(unit)..=whole).map(|at| {
            let (head, tail) = (&words[..at + unit], &words[at..at + unit]);
            let rest = &words[at + unit..];
            if tail.starts_with(rest) { head.rchunks(unit).take_while(|chunk| *chunk == tail).count() } else { 0 }
        });
        let times = times.max().unwrap_or(0);
        let tail = &words[whole..];
        let digits = tail.iter().all(|word| is_digit(word));
        times >= if digits { 12 } else { (9usize.saturating_sub(unit)).max(3) }
    })
}

/// Two of the phrases that Whisper was told to expect, one right after the other as they stood there: it repeats what it
/// was told where it hears nothing that it knows. Nobody names two choices of a menu in its order.
pub fn parrots(text: &str, told: &[&str]) -> bool {
    let heard = words(text).join(" ");
    let told: Vec<String> = told.iter().map(|phrase| words(phrase).join(" ")).collect();
    let both = |pair: &[String]| {
        pair.iter().all(|phrase| !phrase.is_empty())
            && format!(" {heard} ").contains(&format!(" {} {} ", pair[0], pair[1]))
    };
    told.windows(2).any(both)
}

fn is_digit(word: &str) -> bool {
    word.chars().all(char::is_numeric) || DIGITS.contains(&word)
}

const DIGITS: [&str; 22] = [
    "zero", "oh", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "零", "一", "二", "三", "四",
    "五", "六", "七", "八", "九", "幺",
];

#[cfg(test)]
mod tests {
    use super::*;

    fn kept(text: &str, no_speech: f32, certainty: f32) -> String {
        spoken(&Evidence { text, no_speech, certainty, tokens: text.split(' ').count(), seconds: 3.0 })
    }

    #[test]
    fn descriptions_are_no_speech() {
        assert_eq!(kept(" [MUSIC]", 0.1, 0.9), "");
        assert_eq!(kept("(static)", 0.1, 0.9), "");
        assert_eq!(kept(" ♪♪♪", 0.1, 0.9), "");
        assert_eq!(kept(" Hello. (sighs) My card is gone.", 0.1, 0.9), "Hello.  My card is gone.");
    }

    #[test]
    fn thanks_are_believed_only_with_a_voice() {
        assert_eq!(kept("Thank you.", 0.02, 0.9), "Thank you.");
        assert_eq!(kept("Thank you.", 0.5, 0.9), "");
        assert_eq!(kept("Thanks for watching!", 0.01, 0.99), "");
    }

    #[test]
    fn what_whisper_was_told_is_not_what_was_said() {
        let told = ["转人工", "接线员", "挂失"];
        assert!(parrots("好, 转人工, 接线员员员员", &told) && parrots("转人工，接线员。", &told));
        assert!(!parrots("转人工", &told) && !parrots("我要转人工", &told) && !parrots("挂失，接线员", &told));
        assert!(parrots("Opening hours, a lost card.", &["opening hours", "a lost card"]));
        assert!(!parrots("Opening hours or a lost card", &["opening hours", "a lost card"]));
        assert!(!parrots("", &["", ""]) && !parrots("hello", &[]));
    }

    #[test]
    fn a_sentence_begun_again_is_said_once() {
        let order = "Hot, one small chai tea with soy milk, and sugar";
        assert_eq!(
            once(&format!("{order}. hot one small chai tea with soy milk and sugar. hot one small chai")),
            order
        );
        assert_eq!(once("我的卡丢了，我的卡丢了，我的"), "我的卡丢了");
        let loops = format!("{order}. {order}. {order}.");
        for same in [order, &loops, &"No, ".repeat(11), "4 0 7 1 2 3 4 0 7 1 2 3", "no no no no no no no", ""] {
            assert_eq!(once(same), same);
        }
    }

    #[test]
    fn a_word_over_and_over_on_a_short_sound_is_said_once() {
        assert_eq!(unhurried(" 9. 9. 9. 9. 9. 9", 1.0), " 9");
        assert_eq!(unhurried("Four. Four. Four. Four. Four", 0.9), "Four");
        assert_eq!(unhurried("六六六六六六", 1.0), "六");
        for (same, seconds) in
            [("no no no no", 1.2), ("9 9 9", 1.0), ("4 0 7 1 2 3", 1.0), ("9 9 9 9 9 9", 2.4), ("", 0.5)]
        {
            assert_eq!(unhurried(same, seconds), same);
        }
    }

    #[test]
    fn half_a_number_is_not_doubled() {
        assert_eq!(half_of_it(" 4, 0, 5. 4, 0, 5", 1.9), " 4, 0, 5");
        assert_eq!(half_of_it("4, 0, 5, 4, 0, 5", 2.6), "4, 0, 5, 4, 0, 5", "said so");
        for same in ["4, 0, 5, 4, 0, 6", "4 0 5 4 0", "7, 7", ""] {
            assert_eq!(half_of_it(same, 0.5), same);
        }
    }

    #[test]
    fn loops_are_out_and_digits_are_not() {
        assert_eq!(kept(&"I want. ".repeat(9), 0.0, 0.9), "");
        assert!(loops("Press 1 to enter a number. Press 1 to enter a number. Press 1 to enter a number. Press 1"));
        assert_eq!(kept("no no no no", 0.0, 0.9), "no no no no");
        assert_eq!(kept("0 0 0 0 0 0 0 0", 0.0, 0.9), "0 0 0 0 0 0 0 0");
        assert_eq!(kept(&"我".repeat(30), 0.0, 0.9), "");
        assert_eq!(kept("我的卡丢了", 0.0, 0.9), "我的卡丢了");
    }
}

//! Which option of a menu did these words choose?

use super::flow::MenuOption;
use super::numerals;
use super::sound::Sounds;
use super::words::Words;

/// What a sentence says about a menu.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Choice {
    /// This option, surely.
    Sure(usize),
    /// The sentence mentions this option (and no other) among other things: good enough when nothing better is known.
    Mentioned(usize),
    Open,
}

/// Words that surround a choice without changing it.
const FILLERS: &[&str] = &[
    "um", "uh", "er", "please", "hi", "hello", "yes", "yeah", "i", "id", "im", "want", "would", "like", "to", "the",
    "a", "an", "my", "need", "some", "help", "with", "about", "for", "it", "its", "is", "me", "can", "you", "check",
    "请", "我", "想", "要", "的", "吧", "一", "下", "你", "好", "呃", "嗯", "那", "个",
];
/// Words around a key spoken as a number.
const AROUND_KEYS: &[&str] = &[
    "press", "option", "number", "key", "choice", "please", "the", "um", "uh", "按", "选", "择", "選", "擇", "第",
    "号", "號", "项", "項", "键", "鍵", "个", "個", "请", "我",
];
/// A sentence may be this much longer than the phrase in it and still be a plain choice.
const SURROUNDING: usize = 4;
/// Likeness from which a misheard phrase counts, for phrases of five letters and more.
const NEAR: f64 = 0.8;

/// Phrases of fewer phonemes than this are not told by sound: nobody reads a choice back.
const LONG_ENOUGH: usize = 5;
/// And it must sound this much less like any other option.
const LEAD: f32 = 0.15;

/// A sentence without the words that surround a choice; all of it where it has no others.
pub fn bare(words: &Words) -> Words {
    let bare = words.without(FILLERS);
    if bare.is_empty() { words.clone() } else { bare }
}

/// Reads a sentence against a menu's phrases, and keys spoken as numbers.
pub fn choose(options: &[MenuOption], text: &str) -> Choice {
    let words = Words::of(text);
    if words.is_empty() {
        return Choice::Open;
    }
    if let Some(key) = spoken_key(&words)
        && let Some(at) = options.iter().position(|option| option.key == Some(key))
    {
        return Choice::Sure(at);
    }
    let phrases: Vec<(usize, Words)> = options
        .iter()
        .enumerate()
        .flat_map(|(at, option)| option.phrases.iter().map(move |phrase| (at, Words::of(phrase))))
        .filter(|(_, phrase)| !phrase.is_empty())
        .collect();
    let bare = words.without(FILLERS);
    for (at, phrase) in &phrases {
        let bare_phrase = phrase.without(FILLERS);
        if words.same_as(phrase) || (!bare_phrase.is_empty() && bare.same_as(&bare_phrase)) {
            return Choice::Sure(*at);
        }
    }
    let mentioned: Vec<_> = phrases.iter().filter(|(_, phrase)| words.find(phrase).is_some()).collect();
    if let Some((at, phrase)) = mentioned.iter().max_by_key(|(_, phrase)| phrase.len()) {
        let others = mentioned.iter().any(|(other, shorter)| other != at && phrase.find(shorter).is_none());
        return match others {
            true => Choice::Open,
            false if words.len() <= phrase.len() + SURROUNDING => Choice::Sure(*at),
            false => Choice::Mentioned(*at),
        };
    }
    let near =
        |phrase: &Words| if phrase.len() == 1 && phrase.texts()[0].len() < 5 { 0.0 } else { bare.likeness(phrase) };
    let near = phrases.iter().map(|(at, phrase)| (*at, near(phrase))).filter(|(_, likeness)| *likeness >= NEAR);
    match near.max_by(|a, b| a.1.total_cmp(&b.1)) {
        Some((at, _)) => Choice::Sure(at),
        None => sounding(options, &bare).map_or(Choice::Open, Choice::Sure),
    }
}

/// The option that a short sentence sounds like, and no other nearly so much.
fn sounding(options: &[MenuOption], bare: &Words) -> Option<usize> {
    let sounds = |words: &Words| Sounds::of(&words.texts());
    let heard = sounds(bare);
    let alike = |option: &MenuOption| {
        let phrases = option.phrases.iter().map(|phrase| sounds(&Words::of(phrase)));
        let alike = phrases.filter(|phrase| phrase.len() >= LONG_ENOUGH).map(|phrase| {
            let likeness = heard.likeness(&phrase);
            (likeness, phrase.threshold().is_some_and(|threshold| likeness >= threshold))
        });
        alike.max_by(|a, b| a.0.total_cmp(&b.0)).unwrap_or((0.0, false))
    };
    if bare.len() > SURROUNDING {
        return None;
    }
    let mut scores: Vec<(usize, (f32, bool))> = options.iter().map(alike).enumerate().collect();
    scores.sort_by(|a, b| b.1.0.total_cmp(&a.1.0));
    let (at, (best, enough)) = *scores.first()?;
    let second = scores.get(1).map_or(0.0, |(_, (likeness, _))| *likeness);
    (enough && best - second >= LEAD).then_some(at)
}

/// "two", "press two", "number two please", "第二个": the key that was said.
pub fn spoken_key(words: &Words) -> Option<char> {
    let texts: Vec<&str> =
        words.iter().map(|word| word.text.as_str()).filter(|word| !AROUND_KEYS.contains(word)).collect();
    match texts.as_slice() {
        ["first"] | ["first", "one"] => Some('1'),
        ["second"] | ["second", "one"] => Some('2'),
        ["third"] | ["third", "one"] => Some('3'),
        ["star"] | ["asterisk"] | ["星"] => Some('*'),
        ["hash"] | ["pound"] | ["井"] => Some('#'),
        [word] => numerals::digit(word),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options() -> Vec<MenuOption> {
        let option = |key, phrases: &[&str]| MenuOption {
            key: Some(key),
            intent: None,
            phrases: phrases.iter().map(|p| (*p).to_owned()).collect(),
            next: String::new(),
        };
        vec![
            option('1', &["balance", "account balance", "查余额", "余额"]),
            option('2', &["lost card", "stolen card", "挂失"]),
            option('3', &["opening hours", "营业时间"]),
        ]
    }

    #[test]
    fn phrases_choose_whatever_the_transcript_looks_like() {
        let options = options();
        for (text, wanted) in [
            ("Balance.", 0),
            ("I'd like my account balance, please.", 0),
            ("I LOST CARD", 1),
            ("Opening ours", 2),
            ("openning hours", 2),
            ("查餘額", 0),
            ("我要挂失", 1),
            ("营业时间。", 2),
        ] {
            assert_eq!(choose(&options, text), Choice::Sure(wanted), "{text}");
        }
    }

    #[test]
    fn misheard_phrases_are_known_by_their_sound() {
        let options = options();
        for (text, wanted) in
            [("ballance is", 0), ("lost guard", 1), ("stole in card", 1), ("open in hours", 2), ("挂十", 1)]
        {
            assert_eq!(choose(&options, text), Choice::Sure(wanted), "{text}");
        }
        for text in ["my mortgage", "transfer", "what", "good morning", "转账"] {
            assert_eq!(choose(&options, text), Choice::Open, "{text}");
        }
    }

    #[test]
    fn keys_may_be_spoken() {
        let options = options();
        for (text, wanted) in
            [("Two.", 1), ("press 3", 2), ("number one please", 0), ("第二个", 1), ("按三", 2), ("the second one", 1)]
        {
            assert_eq!(choose(&options, text), Choice::Sure(wanted), "{text}");
        }
        assert_eq!(choose(&options, "nine"), Choice::Open);
    }

    #[test]
    fn what_is_not_clear_stays_open() {
        let options = options();
        for text in ["", "hello", "my cat is ill", "the balance on my lost card", "what time is it"] {
            assert_eq!(choose(&options, text), Choice::Open, "{text}");
        }
        let long = "well the thing is that last week I looked and my balance did not look right at all";
        assert_eq!(choose(&options, long), Choice::Mentioned(0));
    }
}

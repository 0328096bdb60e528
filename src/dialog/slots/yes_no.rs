//! Yes or no, and what is said with it: "no, it's four oh eight".

use super::super::words::Words;

/// A yes or a no, and the words that came with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    pub yes: bool,
    /// Everything else that was said, as written.
    pub rest: String,
}

/// Longest first: "not right" is no "right".
const NO: &[&[&str]] = &[
    &["that", "is", "not", "right"],
    &["thats", "not", "right"],
    &["thats", "not", "correct"],
    &["that", "is", "wrong"],
    &["thats", "wrong"],
    &["its", "wrong"],
    &["not", "quite"],
    &["not", "right"],
    &["not", "correct"],
    &["not", "really"],
    &["thats", "all"],
    &["that", "is", "all"],
    &["nothing"],
    &["im", "good"],
    &["im", "fine"],
    &["goodbye"],
    &["bye"],
    &["no", "thanks"],
    &["no", "thank", "you"],
    &["nope"],
    &["nah"],
    &["wrong"],
    &["incorrect"],
    &["negative"],
    &["no"],
    &["不", "对"],
    &["不", "對"],
    &["不", "是"],
    &["不", "正", "确"],
    &["不", "正", "確"],
    &["不", "用"],
    &["不", "要"],
    &["不", "行"],
    &["不", "好"],
    &["不", "了"],
    &["没", "有"],
    &["没", "了"],
    &["没", "别"],
    &["没", "事"],
    &["有", "问", "题"],
    &["有", "問", "題"],
    &["有", "误"],
    &["有", "誤"],
    &["再", "见"],
    &["沒", "有"],
    &["沒", "了"],
    &["错", "了"],
    &["錯", "了"],
    &["错"],
    &["錯"],
    &["否"],
    &["不"],
];
const YES: &[&[&str]] = &[
    &["that", "is", "right"],
    &["that", "is", "correct"],
    &["thats", "right"],
    &["thats", "correct"],
    &["of", "course"],
    &["go", "ahead"],
    &["yes"],
    &["yeah"],
    &["yep"],
    &["yup"],
    &["yea"],
    &["correct"],
    &["right"],
    &["sure"],
    &["okay"],
    &["ok"],
    &["affirmative"],
    &["exactly"],
    &["absolutely"],
    &["mhm"],
    &["sí"],
    &["si"],
    &["claro"],
    &["correcto"],
    &["vale"],
    &["没", "错"],
    &["沒", "錯"],
    &["没", "有", "问", "题"],
    &["沒", "有", "問", "題"],
    &["没", "问", "题"],
    &["沒", "問", "題"],
    &["正", "确"],
    &["正", "確"],
    &["是", "的"],
    &["对", "的"],
    &["對", "的"],
    &["好", "的"],
    &["可", "以"],
    &["愿", "意"],
    &["願", "意"],
    &["有", "的"],
    &["有"],
    &["是"],
    &["对"],
    &["對"],
    &["好"],
    &["嗯"],
    &["行"],
    &["要"],
];

/// Words that begin like a yes and are none: 好像 seems, 对方 the other side, 对不起 sorry.
const LEAD_ON: &[&[&str]] = &[&["好", "像"], &["对", "方"], &["對", "方"], &["对", "不", "起"], &["對", "不", "起"]];
/// "I want" and "there is" are a yes by themselves alone, not before what is wanted.
const LOOSE: [&str; 2] = ["要", "有"];
/// Characters with which they may still be one: 要，谢谢.
const LOOSE_LENGTH: usize = 3;

/// What a caller is likely to say to a question of that kind, for the ear.
pub fn hints(language: &str) -> &'static [&'static str] {
    match language {
        "zh" => &["是的", "对", "不是", "不对"],
        "es" => &["sí", "no"],
        _ => &["yes", "yes that's right", "no"],
    }
}

/// Reads a yes or no that opens the sentence, or the only one in it. `None` when there is neither, or both.
pub fn yes_no(text: &str) -> Option<Answer> {
    let words = Words::of(text);
    let texts = words.texts();
    let mut found: Vec<(usize, usize, bool)> = Vec::new();
    let mut at = 0;
    while at < texts.len() {
        let rest = &texts[at..];
        let loose = LOOSE.contains(&rest[0]) && rest.len() > LOOSE_LENGTH;
        if let Some(other) = LEAD_ON.iter().find(|other| rest.starts_with(other)) {
            at += other.len();
            continue;
        }
        let hit = |list: &[&[&str]]| list.iter().filter(|phrase| rest.starts_with(phrase)).map(|p| p.len()).max();
        // The longer phrase wins: 没错 is a yes, 没有 a no.
        match (hit(NO), hit(YES)) {
            (no, yes) if no > yes => {
                found.push((at, no.unwrap_or(1), false));
                at += no.unwrap_or(1);
            }
            (_, Some(1)) if loose => at += 1,
            (_, Some(length)) => {
                match denied(&texts[..at], texts[at + length - 1]) {
                    None => found.push((at, length, true)),
                    Some(true) => found.push((at, length, false)),
                    Some(false) => {}
                }
                at += length;
            }
            _ => at += 1,
        }
    }
    // Hesitations before it do not count: "um, no".
    const BEFORE: &[&str] = &["um", "uh", "er", "well", "oh", "哦", "啊", "呃", "那", "i", "think", "so", "嗯"];
    let first = *found.first()?;
    let agrees = found.iter().all(|(_, _, yes)| *yes == first.2);
    let opens = texts[..first.0].iter().all(|word| BEFORE.contains(word));
    // "no, that's right" says both; "no, it's two ... right?" opens with what counts.
    // (不对，是四零八 goes on with the right value.)
    let adjacent = found.get(1).is_some_and(|&(at, length, yes)| {
        let goes_on = texts[at] == "是" && length == 1 && texts.len() > at + 1;
        yes != first.2 && at == first.0 + first.1 && !goes_on
    });
    // A hum and then a no is a no.
    if texts[first.0] == "嗯" && !agrees {
        let second = found[1];
        return Some(Answer { yes: second.2, rest: rest(&texts, second.0 + second.1) });
    }
    ((agrees || opens) && !adjacent).then(|| Answer { yes: first.2, rest: rest(&texts, first.0 + first.1) })
}

/// Whether words before a yes deny it: "that isn't right" is a no, "I'm not sure" is neither.
fn denied(before: &[&str], yes: &str) -> Option<bool> {
    const DENY: &[&str] = &["not", "isnt", "dont", "doesnt", "cant", "wasnt", "arent", "never"];
    let near = &before[before.len().saturating_sub(4)..];
    let at = near.iter().rposition(|word| DENY.contains(word))?;
    if at > 0 && near[at - 1] == "why" {
        return None;
    }
    match yes {
        "right" | "correct" => Some(true),
        "sure" | "okay" | "ok" | "exactly" | "absolutely" => Some(false),
        _ => None,
    }
}

fn rest(texts: &[&str], from: usize) -> String {
    texts[from..].join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(text: &str) -> Option<bool> {
        yes_no(text).map(|answer| answer.yes)
    }

    #[test]
    fn mandarin_objections_are_no_consent() {
        for no in ["有问题", "号码有误", "好像不对", "好像错了", "对方号码错了", "对不起，不是"]
        {
            assert_eq!(said(no), Some(false), "{no}");
        }
        for neither in ["我要换个号码", "有一个问题想问"] {
            assert_ne!(said(neither), Some(true), "{neither}");
        }
        for yes in ["没有问题", "没问题", "要", "要，谢谢", "我要", "有", "有的", "对", "好的，谢谢"]
        {
            assert_eq!(said(yes), Some(true), "{yes}");
        }
    }

    #[test]
    fn what_is_denied_is_no_yes() {
        for no in ["That isn't right", "I don't think that's right", "That can't be right", "no, that's not correct"] {
            assert_eq!(said(no), Some(false), "{no}");
        }
        for neither in ["I'm not sure", "not exactly"] {
            assert_eq!(said(neither), None, "{neither}");
        }
        assert_eq!((said("Why not, sure"), said("That's right")), (Some(true), Some(true)));
    }

    #[test]
    fn yes_in_many_words() {
        for text in [
            "Yes.",
            "yeah that's right",
            "Correct!",
            "um, yes please",
            "That is correct",
            "okay",
            "是的",
            "对",
            "對。",
            "没错",
            "嗯",
            "好的",
            "可以",
            "没问题",
            "I think so, yes",
        ] {
            assert_eq!(said(text), Some(true), "{text}");
        }
    }

    #[test]
    fn no_in_many_words() {
        for text in [
            "No.",
            "nope",
            "That's not right",
            "not correct",
            "that's wrong",
            "no it isn't",
            "不是",
            "不对",
            "不對",
            "错了",
            "不",
            "嗯，不对",
            "不用了",
            "没了",
            "没有了，谢谢",
            "no that's all, thanks",
            "Nothing else.",
        ] {
            assert_eq!(said(text), Some(false), "{text}");
        }
    }

    #[test]
    fn neither_or_both_is_no_answer() {
        for text in ["", "what", "no, that's right", "four oh seven", "再说一遍"] {
            assert_eq!(said(text), None, "{text}");
        }
    }

    #[test]
    fn a_correction_comes_with_the_no() {
        let answer = yes_no("No, it's four oh eight.").unwrap();
        assert_eq!((answer.yes, answer.rest.as_str()), (false, "its four oh eight"));
        let answer = yes_no("不对，是四零八").unwrap();
        assert_eq!((answer.yes, super::super::digits(&answer.rest, 3, 3).as_deref()), (false, Some("408")));
    }
}

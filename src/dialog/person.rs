//! "A person, please": the words that, at any step, lead to one. Every language's words count on every line, for
//! nobody checks which language a desperate caller speaks.

use std::sync::LazyLock;

use super::words::Words;

/// Words that are a wish for a person by themselves, and anywhere in a short sentence.
const ENGLISH: &[&str] = &[
    "agent",
    "agents",
    "operator",
    "operators",
    "representative",
    "representatives",
    "human",
    "human being",
    "person",
    "real person",
    "live person",
    "someone",
    "somebody",
    "customer service",
    "receptionist",
    "advisor",
    "adviser",
    "colleague",
    "a member of staff",
    "real human",
    "live agent",
];
const MANDARIN: &[&str] = &["人工", "接线员", "客服", "真人", "话务员", "找个人", "跟人说", "和人说", "转接", "服务员"];
const SPANISH: &[&str] = &["agente", "operador", "operadora", "una persona", "representante", "un humano"];

/// Words that by themselves mean something else: they need one of `ASKING` before them.
const WEAK: &[&str] = &["someone", "somebody", "person", "colleague", "human", "服务员"];
const ASKING: &[&str] = &[
    "speak", "talk", "transfer", "connect", "get", "give", "want", "need", "like", "put", "a", "real", "live",
    "please", "through", "with", "to",
];
/// A refusal within the three words before takes the wish back.
const REFUSING: &[&str] = &["no", "not", "dont", "without", "never", "不", "别", "無", "无"];

/// Sentences longer than this (words, Chinese characters) are about something else that mentions a person,
/// unless they ask for one outright.
const SHORT: usize = 9;

static PHRASES: LazyLock<Vec<(Words, bool)>> = LazyLock::new(|| {
    let all = ENGLISH.iter().chain(MANDARIN).chain(SPANISH);
    all.map(|phrase| (Words::of(phrase), WEAK.contains(phrase))).collect()
});
const OUTRIGHT: &[&str] = &["speak", "talk", "transfer", "connect", "转", "轉", "接", "找", "叫", "要"];

/// Whether the sentence asks for a person.
pub fn wanted(text: &str) -> bool {
    let words = Words::of(text);
    let texts = words.texts();
    PHRASES.iter().any(|(phrase, weak)| {
        let Some(at) = words.find(phrase) else { return false };
        let before = &texts[..at];
        let near = &before[before.len().saturating_sub(3)..];
        if near.iter().any(|word| REFUSING.contains(word)) {
            return false;
        }
        let alone = words.len() == phrase.len();
        let asks = before[before.len().saturating_sub(6)..].iter().any(|word| ASKING.contains(word));
        let outright = before.iter().any(|word| OUTRIGHT.contains(word));
        match weak {
            true => alone || (asks && (outright || words.len() <= SHORT)),
            false => words.len() <= SHORT || outright,
        }
    })
}

/// Oaths, whomever they are meant for; milder ones ("damn", "hell") are about the weather as often as about us.
pub const OATHS: &[&str] = &[
    "bullshit",
    "shit",
    "fuck",
    "fucking",
    "fucked",
    "asshole",
    "bastard",
    "bastards",
    "bitch",
    "idiot",
    "idiots",
    "moron",
    "morons",
    "stupid",
    "shut up",
    "screw you",
    "piss off",
    "他妈的",
    "妈的",
    "他妈",
    "混蛋",
    "王八蛋",
    "滚蛋",
    "去死",
    "傻逼",
    "操你",
    "废物",
    "白痴",
    "神经病",
    "有病吧",
    "放屁",
    "狗屁",
];
/// Oaths at somebody, and those of other languages.
const FURTHER: &[&str] = &[
    "fucks",
    "fucker",
    "arsehole",
    "damn you",
    "go to hell",
    "mierda",
    "joder",
    "idiota",
    "imbécil",
    "estúpido",
    "estúpida",
    "cabrón",
    "puta",
];
/// Whom an oath in a longer sentence has to be meant for.
const US: &[&str] = &[
    "you",
    "your",
    "youre",
    "bot",
    "robot",
    "machine",
    "computer",
    "thing",
    "system",
    "你",
    "你们",
    "您",
    "机器",
    "机器人",
    "电脑",
    "tú",
    "tu",
    "máquina",
    "robot",
];
/// Words (Chinese characters) of a sentence that is hardly more than an oath.
const OATH: usize = 4;

static SWEARING: LazyLock<[Vec<Words>; 2]> =
    LazyLock::new(|| [&[OATHS, FURTHER][..], &[US]].map(|lists| lists.concat().into_iter().map(Words::of).collect()));

/// Whether the sentence swears at who listens, rather than about something else: "this stupid machine", not "I did
/// something stupid with my card".
pub fn sworn_at(text: &str) -> bool {
    let words = Words::of(text);
    let [oaths, us] = &*SWEARING;
    // By what is written: 去死 sounds like 去四, to the fourth floor.
    let said = words.texts();
    let stands = |phrase: &Words| said.windows(phrase.len()).any(|part| part == phrase.texts());
    let has = |phrases: &[Words]| phrases.iter().any(stands);
    has(oaths) && (words.len() <= OATH || has(us))
}

/// A sentence that asks for a person in a call's language and says nothing else, for logs that must keep nothing.
pub fn plain_wish(text: &str) -> &'static str {
    if text.chars().any(super::words::is_han) { "人工" } else { "agent" }
}

/// The same of one that swears at the bot.
pub fn plain_oath(text: &str) -> &'static str {
    if text.chars().any(super::words::is_han) { "去死" } else { "shut up" }
}

/// Words for the recogniser to expect, in this language.
pub fn hints(language: &str) -> &'static [&'static str] {
    match language {
        "zh" => &["人工", "转人工", "接线员"],
        "es" => &["agente", "operador"],
        _ => &["agent", "operator", "representative"],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn swearing_at_the_bot_is_told_from_swearing() {
        assert!([plain_oath("shit"), plain_oath("混蛋")].into_iter().all(sworn_at));
        for text in [
            "Fuck you, stupid bot!",
            "shut up",
            "oh, for fuck's sake",
            "this stupid machine",
            "你这个混蛋",
            "他妈的",
            "vete a la mierda",
        ] {
            assert!(sworn_at(text), "{text}");
        }
        for text in [
            "I did something stupid, I left my card in a taxi",
            "where the hell is my parcel",
            "damn",
            "a large latte",
            "我的卡丢了",
            "shih tzu",
            "去四楼",
        ] {
            assert!(!sworn_at(text), "{text}");
        }
    }

    #[test]
    fn callers_ask_for_a_person_in_many_words() {
        for text in [
            "Agent.",
            "operator",
            "A person, please!",
            "I want to talk to a real person.",
            "Representative",
            "can you put me through to somebody",
            "I'd like to speak to someone about my mortgage and my two credit cards please",
            "customer service",
            "人工",
            "轉人工。",
            "转人工服务",
            "我要找接线员",
            "接客服",
            "quiero una persona",
        ] {
            assert!(wanted(text), "{text}");
        }
    }

    #[test]
    fn not_every_mention_of_a_person_is_a_wish_for_one() {
        for text in [
            "",
            "I am calling for my wife's estate, her travel agent said the account has been closed",
            "somebody stole my card",
            "no agent",
            "I don't want an agent",
            "not a person",
            "不要人工",
            "人",
            "我的包裹在哪里",
            "check my balance",
        ] {
            assert!(!wanted(text), "{text}");
        }
    }

    #[test]
    fn the_plain_wish_is_a_wish() {
        assert!(wanted(plain_wish("my pin is 1234, agent")) && wanted(plain_wish("转人工")));
    }
}

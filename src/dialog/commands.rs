//! What a caller may say at any question, whatever it asks: help, once more, slower, back, from the start, another
//! language. A sentence is one of these only when it says nothing else; every language's words count on every line.
//! What the operator's own step offers in the same words goes before it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use serde::{Deserialize, Serialize};

use super::Language;
use super::flow::{MenuOption, SlotKind};
use super::slots;
use super::words::Words;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Command {
    Help,
    Repeat,
    Slower,
    /// To the question before, its answer forgotten.
    Back,
    StartOver,
    /// In another of the flow's languages.
    Language,
}

/// What an operator changed about a flow's commands.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Commands {
    pub off: BTreeSet<Command>,
    /// Further words, in any language.
    pub words: BTreeMap<Command, Vec<String>>,
}

/// A command that was said; with the tag of the language that it names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Said {
    pub command: Command,
    pub language: Option<&'static str>,
}

const WORDS: &[(Command, &[&str])] = &[
    (
        Command::Help,
        &[
            "help",
            "help me",
            "i need help",
            "what can i say",
            "what can i do",
            "what are my options",
            "what are the options",
            "options",
            "i dont understand",
            "i dont know what to say",
            "how does this work",
            "帮助",
            "帮帮我",
            "我不明白",
            "我不懂",
            "我能说什么",
            "我该怎么说",
            "有什么选项",
            "ayuda",
            "ayúdeme",
            "no entiendo",
            "qué puedo decir",
            "opciones",
        ],
    ),
    (
        Command::Repeat,
        &[
            "repeat",
            "repeat that",
            "repeat the question",
            "say that again",
            "say it again",
            "again",
            "once more",
            "one more time",
            "come again",
            "pardon",
            "pardon me",
            "excuse me",
            "what",
            "what did you say",
            "what was that",
            "what was the question",
            "i didnt catch that",
            "i didnt hear",
            "i didnt hear you",
            "i didnt get that",
            "i missed that",
            "再说一遍",
            "再说一次",
            "再来一遍",
            "重复",
            "重复一遍",
            "没听清",
            "我没听清楚",
            "没听见",
            "什么",
            "你说什么",
            "repita",
            "repetir",
            "otra vez",
            "una vez más",
            "cómo",
            "qué",
            "qué dijo",
            "no le oí",
            "no escuché",
        ],
    ),
    (
        Command::Slower,
        &[
            "slower",
            "more slowly",
            "slowly",
            "speak slowly",
            "speak slower",
            "speak more slowly",
            "talk slower",
            "slow down",
            "too fast",
            "thats too fast",
            "you are too fast",
            "not so fast",
            "慢一点",
            "慢点",
            "慢一些",
            "说慢一点",
            "说慢点",
            "讲慢一点",
            "慢慢说",
            "太快了",
            "más despacio",
            "más lento",
            "despacio",
            "demasiado rápido",
        ],
    ),
    (
        Command::Back,
        &[
            "back",
            "go back",
            "one step back",
            "step back",
            "go one step back",
            "undo",
            "previous",
            "previous question",
            "go back to the previous question",
            "the question before",
            "返回",
            "回去",
            "退回",
            "上一步",
            "返回上一步",
            "回到上一步",
            "上一个问题",
            "atrás",
            "volver",
            "volver atrás",
            "regresar",
            "la pregunta anterior",
        ],
    ),
    (
        Command::StartOver,
        &[
            "start over",
            "start again",
            "lets start over",
            "begin again",
            "restart",
            "from the beginning",
            "start from the beginning",
            "from the start",
            "main menu",
            "back to the main menu",
            "go back to the main menu",
            "back to the beginning",
            "重新开始",
            "从头开始",
            "从头来",
            "重来",
            "主菜单",
            "回到主菜单",
            "返回主菜单",
            "empezar de nuevo",
            "volver a empezar",
            "desde el principio",
            "menú principal",
        ],
    ),
    (
        Command::Language,
        &[
            "change language",
            "change the language",
            "switch language",
            "another language",
            "other language",
            "a different language",
            "换语言",
            "换一种语言",
            "切换语言",
            "其他语言",
            "cambiar idioma",
            "cambiar de idioma",
            "otro idioma",
        ],
    ),
];

/// Names of languages, each in some of the others' words.
const LANGUAGES: &[(&str, &[&str])] = &[
    ("en", &["english", "英语", "英文", "inglés"]),
    ("zh", &["chinese", "mandarin", "中文", "普通话", "汉语", "国语", "chino", "mandarín"]),
    ("es", &["spanish", "español", "castellano", "西班牙语"]),
    ("de", &["german", "deutsch", "德语", "alemán"]),
    ("fr", &["french", "français", "法语", "francés"]),
];
/// What may stand before one.
const SPEAKING: &[&str] = &[
    "in", "speak", "switch", "change", "talk", "continue", "do", "en", "hablar", "hablo", "说", "讲", "用", "换", "成",
];

/// Words around a command that change nothing.
const FILLERS: &[&str] = &[
    "please", "can", "could", "would", "you", "we", "i", "id", "like", "to", "want", "just", "um", "uh", "er", "me",
    "the", "that", "it", "for", "sorry", "ok", "okay", "well", "hey", "hello", "a", "bit", "little", "please", "do",
    "请", "麻", "烦", "你", "您", "能", "可", "以", "吗", "嗎", "一", "下", "我", "想", "要", "吧", "呃", "嗯", "啊",
    "那", "就", "了", "por", "favor", "puede", "podría", "usted", "quiero", "lo", "le",
];

type Phrases = Vec<(Command, Words, Words)>;

static BUILT_IN: LazyLock<Phrases> = LazyLock::new(|| {
    let all = WORDS.iter().flat_map(|(command, phrases)| phrases.iter().map(|phrase| phrase_of(*command, phrase)));
    all.collect()
});
static NAMED: LazyLock<Vec<(&str, Words)>> = LazyLock::new(|| {
    LANGUAGES.iter().flat_map(|(tag, names)| names.iter().map(|name| (*tag, Words::of(name)))).collect()
});

fn phrase_of(command: Command, phrase: &str) -> (Command, Words, Words) {
    let words = Words::of(phrase);
    let bare = words.without(FILLERS);
    (command, words, bare)
}

/// The command that a sentence is, by the built-in words and the operator's own.
pub fn said(text: &str, commands: &Commands) -> Option<Said> {
    let words = Words::of(text);
    if words.is_empty() {
        return None;
    }
    let bare = words.without(FILLERS);
    let is =
        |(_, whole, core): &&(Command, Words, Words)| words.same_as(whole) || (!core.is_empty() && bare.same_as(core));
    let own =
        commands.words.iter().flat_map(|(command, phrases)| phrases.iter().map(|phrase| phrase_of(*command, phrase)));
    let own: Phrases = own.collect();
    let plain = own.iter().find(is).or_else(|| BUILT_IN.iter().find(is));
    let said = match plain {
        Some((command, ..)) => Said { command: *command, language: None },
        None => Said { command: Command::Language, language: Some(named(&bare)?) },
    };
    (!commands.off.contains(&said.command)).then_some(said)
}

/// "English", "in English please", 说中文.
fn named(bare: &Words) -> Option<&'static str> {
    let rest = bare.without(SPEAKING);
    NAMED.iter().find(|(_, name)| rest.same_as(name)).map(|(tag, _)| *tag)
}

/// The language to go on in: the one that was named, else the next of them.
pub fn language<'l>(named: Option<&str>, languages: &'l [Language]) -> Option<&'l Language> {
    match named {
        Some(tag) => languages.iter().find(|language| language.as_str().split('-').next() == Some(tag)),
        None => languages.get(1), // the present one stands first
    }
}

/// Whether an option of a menu is called so.
pub fn is_option(options: &[MenuOption], text: &str) -> bool {
    is_called(options.iter().flat_map(|option| option.phrases.iter().map(String::as_str)), text)
}

/// Whether it is among the values of a slot.
pub fn is_value(kind: &SlotKind, text: &str) -> bool {
    let phrases = slots::phrases(kind);
    is_called(phrases.iter().map(|(_, phrase)| phrase.as_str()), text)
}

/// Whether these phrases have the sentence among them.
pub fn is_called<'p>(mut phrases: impl Iterator<Item = &'p str>, text: &str) -> bool {
    let words = Words::of(text);
    phrases.any(|phrase| {
        let phrase = Words::of(phrase);
        words.same_as(&phrase) || words.find(&phrase).is_some()
    })
}

/// Words that give the command and say nothing else, for logs that must keep nothing.
pub fn plain_words(said: Said) -> &'static str {
    let all = |command| WORDS.iter().find(|(known, _)| *known == command).map_or("", |(_, phrases)| phrases[0]);
    match said.language {
        Some(tag) => LANGUAGES.iter().find(|(known, _)| *known == tag).map_or("", |(_, names)| names[0]),
        None => all(said.command),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn command(text: &str) -> Option<Command> {
        said(text, &Commands::default()).map(|said| said.command)
    }

    #[test]
    fn commands_are_said_in_three_languages() {
        for (text, wanted) in [
            ("Help!", Command::Help),
            ("what can I say?", Command::Help),
            ("帮助", Command::Help),
            ("no entiendo", Command::Help),
            ("Can you repeat that, please?", Command::Repeat),
            ("Sorry, what did you say?", Command::Repeat),
            ("Pardon?", Command::Repeat),
            ("请再说一遍", Command::Repeat),
            ("您能再说一次吗", Command::Repeat),
            ("repita por favor", Command::Repeat),
            ("Could you speak a little slower?", Command::Slower),
            ("slow down please", Command::Slower),
            ("请说慢一点", Command::Slower),
            ("más despacio, por favor", Command::Slower),
            ("go back", Command::Back),
            ("I want to go back please", Command::Back),
            ("返回上一步", Command::Back),
            ("Start over.", Command::StartOver),
            ("main menu", Command::StartOver),
            ("重新开始吧", Command::StartOver),
            ("empezar de nuevo", Command::StartOver),
            ("English, please", Command::Language),
            ("can we speak English", Command::Language),
            ("请说中文", Command::Language),
            ("change language", Command::Language),
        ] {
            assert_eq!(command(text), Some(wanted), "{text}");
        }
    }

    #[test]
    fn a_sentence_that_says_more_is_none() {
        for text in [
            "",
            "I need help with my card",
            "the parcel came back",
            "please send it back",
            "no, go back to four oh eight",
            "I repeat, four oh seven",
            "my English teacher lost her card",
            "slow delivery",
            "what does a ticket cost",
            "please",
            "我想查余额",
            "yes",
            "no",
        ] {
            assert_eq!(command(text), None, "{text}");
        }
    }

    #[test]
    fn an_operator_adds_words_and_switches_commands_off() {
        let own = Commands {
            off: [Command::Back].into(),
            words: [(Command::Repeat, vec!["say what now".to_owned()])].into(),
        };
        assert_eq!(said("go back", &own), None);
        assert_eq!(said("say what now?", &own).map(|said| said.command), Some(Command::Repeat));
    }

    #[test]
    fn plain_words_give_the_same_command() {
        for (command, _) in WORDS {
            let one = Said { command: *command, language: None };
            assert_eq!(said(plain_words(one), &Commands::default()), Some(one));
        }
        let one = Said { command: Command::Language, language: Some("zh") };
        assert_eq!(said(plain_words(one), &Commands::default()), Some(one));
    }
}

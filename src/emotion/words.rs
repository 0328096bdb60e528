//! What a caller's words and pace say of their distress: complaints, oaths, threats, repeating oneself, talking faster
//! than before. A second score beside the voice's, never mixed with it; English and Mandarin, and what operators add.
//! A plain value; the words are those that the recogniser wrote, so a wrong word counts for as little as it weighs.

use std::collections::{BTreeSet, VecDeque};

use serde::{Deserialize, Serialize};

use crate::dialog::person::OATHS;
use crate::dialog::words::{Words, is_han};

/// What a sign is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WordSignKind {
    /// "ridiculous", "third time", "受不了"
    Complaint,
    /// An oath.
    Swearing,
    /// "lawyer", "ombudsman", "曝光"
    Threat,
    /// "fraud", "scam", "骗子"
    Fraud,
    /// "your manager", "找你们领导"
    Superior,
    /// The same again.
    Repetition,
    /// Faster than at the beginning of the call.
    Pace,
}

impl WordSignKind {
    /// How much one sign says, 0..=1.
    fn weight(self) -> f32 {
        match self {
            WordSignKind::Swearing | WordSignKind::Threat => 0.45,
            WordSignKind::Complaint => 0.35,
            WordSignKind::Superior => 0.35,
            WordSignKind::Fraud => 0.25,
            WordSignKind::Repetition => 0.25,
            WordSignKind::Pace => 0.12,
        }
    }
}

/// One sign of distress in what was said.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WordSign {
    pub kind: WordSignKind,
    /// The words, as listed; empty for what is no word.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub words: String,
}

/// `threat "lawyer"`
impl std::fmt::Display for WordSign {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let kind = match self.kind {
            WordSignKind::Complaint => "complaint",
            WordSignKind::Swearing => "oath",
            WordSignKind::Threat => "threat",
            WordSignKind::Fraud => "fraud",
            WordSignKind::Superior => "asks for a superior",
            WordSignKind::Repetition => "said again",
            WordSignKind::Pace => "faster than before",
        };
        if self.words.is_empty() { f.write_str(kind) } else { write!(f, "{kind} \"{}\"", self.words) }
    }
}

/// Words and phrases of an operator, besides the built-in ones; any language.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Lists {
    pub complaint: Vec<String>,
    pub swearing: Vec<String>,
    pub threat: Vec<String>,
    pub fraud: Vec<String>,
    pub superior: Vec<String>,
}

/// What stands of the score when a turn without a sign follows.
const FADES: f32 = 0.6;
/// Utterances that may be repeated.
const REMEMBERED: usize = 4;
/// So alike (shared words over all words) is the same again.
const ALIKE: f32 = 0.6;
/// Shorter answers are repeated for other reasons.
const TELLING: usize = 3;
/// The pace of this many turns is the caller's own; a turn is faster when it is this many times as fast.
const OWN_TURNS: usize = 2;
const FASTER: f32 = 1.4;
/// Pace of shorter speech is chance, ms.
const PACED_MS: u64 = 1_200;

const BUILT_IN: &[(WordSignKind, &[&str])] = &[
    (
        WordSignKind::Complaint,
        &[
            "ridiculous",
            "unacceptable",
            "outrageous",
            "disgusting",
            "disgrace",
            "disgraceful",
            "terrible",
            "horrible",
            "awful",
            "pathetic",
            "appalling",
            "nonsense",
            "joke",
            "useless",
            "incompetent",
            "fed up",
            "sick of",
            "sick and tired",
            "had enough",
            "waste of time",
            "wasting my time",
            "how many times",
            "third time",
            "fourth time",
            "hundredth time",
            "again and again",
            "over and over",
            "still waiting",
            "been waiting",
            "nobody helps",
            "no one helps",
            "nobody listens",
            "not listening",
            "are you deaf",
            "you people",
            "angry",
            "furious",
            "upset",
            "frustrated",
            "frustrating",
            "what is wrong with you",
            "worst service",
            "for the last time",
            "complain",
            "complaint",
            "complaining",
            "太过分",
            "受不了",
            "受够了",
            "什么态度",
            "态度太差",
            "态度差",
            "太差了",
            "太慢了",
            "气死",
            "生气",
            "烦死",
            "烦不烦",
            "有完没完",
            "几遍",
            "多少遍",
            "多少次",
            "说了多少",
            "搞什么",
            "什么玩意",
            "没人管",
            "没用的东西",
            "荒唐",
            "离谱",
            "浪费时间",
            "浪费我的时间",
            "忍无可忍",
            "岂有此理",
            "不像话",
            "投诉",
            "差评",
            "等了半天",
            "等了这么久",
            "等多久",
        ],
    ),
    (WordSignKind::Swearing, &["damn", "dammit", "goddamn", "hell", "bloody hell", "crap"]),
    (WordSignKind::Swearing, OATHS),
    (WordSignKind::Swearing, &["pissed", "扯淡"]),
    (
        WordSignKind::Threat,
        &[
            "lawyer",
            "lawyers",
            "attorney",
            "solicitor",
            "sue",
            "suing",
            "legal action",
            "take you to court",
            "see you in court",
            "ombudsman",
            "regulator",
            "consumer protection",
            "report you",
            "the press",
            "the newspaper",
            "bad review",
            "close my account",
            "cancel my account",
            "cancel everything",
            "never use you again",
            "律师",
            "起诉",
            "告你们",
            "法院",
            "打官司",
            "消协",
            "消费者协会",
            "工商局",
            "银监会",
            "一二三一五",
            "12315",
            "报警",
            "曝光",
            "找记者",
            "媒体",
            "注销",
            "再也不用",
        ],
    ),
    (
        WordSignKind::Fraud,
        &[
            "fraud",
            "fraudulent",
            "scam",
            "scammed",
            "scammers",
            "cheated",
            "cheating",
            "ripped off",
            "rip off",
            "thieves",
            "robbed",
            "stole my money",
            "stealing my money",
            "诈骗",
            "欺诈",
            "骗子",
            "骗人",
            "骗钱",
            "被骗",
            "坑人",
            "坑我",
            "黑心",
            "霸王条款",
            "偷钱",
        ],
    ),
    (
        WordSignKind::Superior,
        &[
            "your manager",
            "a manager",
            "the manager",
            "your supervisor",
            "a supervisor",
            "your boss",
            "someone in charge",
            "somebody in charge",
            "person in charge",
            "你们领导",
            "你领导",
            "你们经理",
            "找经理",
            "叫经理",
            "你们主管",
            "找主管",
            "负责人",
            "管事的",
            "你们老板",
        ],
    ),
];

/// Listens to one caller's words.
#[derive(Clone, Debug)]
pub struct Wording {
    phrases: Vec<(WordSignKind, Vec<String>, String)>,
    said: VecDeque<BTreeSet<String>>,
    /// Words or characters a second, of the first turns.
    paces: Vec<f32>,
    score: f32,
    signs: Vec<WordSign>,
}

impl Wording {
    pub fn new(lists: Lists) -> Self {
        let built_in = BUILT_IN.iter().flat_map(|(kind, list)| list.iter().map(|words| (*kind, (*words).to_owned())));
        let Lists { complaint, swearing, threat, fraud, superior } = lists;
        let own = [
            (WordSignKind::Complaint, complaint),
            (WordSignKind::Swearing, swearing),
            (WordSignKind::Threat, threat),
            (WordSignKind::Fraud, fraud),
            (WordSignKind::Superior, superior),
        ];
        let own = own.into_iter().flat_map(|(kind, list)| list.into_iter().map(move |words| (kind, words)));
        let phrases = built_in.chain(own).map(|(kind, words)| (kind, texts(&words), words));
        Self {
            phrases: phrases.filter(|(_, texts, _)| !texts.is_empty()).collect(),
            said: VecDeque::new(),
            paces: Vec::new(),
            score: 0.0,
            signs: Vec::new(),
        }
    }

    /// Takes a turn in; the signs in it.
    pub fn hear(&mut self, text: &str, start_ms: u64, end_ms: u64) -> Vec<WordSign> {
        let words = texts(text);
        if words.is_empty() {
            return Vec::new();
        }
        let mut signs: Vec<WordSign> = Vec::new();
        for (kind, phrase, listed) in &self.phrases {
            let told = words.windows(phrase.len()).any(|window| window == phrase.as_slice());
            // "complaint" and "complain" in one breath, or a phrase within another, are one sign.
            let within = signs.iter().any(|sign| sign.words.contains(listed.as_str()));
            if told && !within && signs.iter().filter(|sign| sign.kind == *kind).count() < 2 {
                signs.push(WordSign { kind: *kind, words: listed.clone() });
            }
        }
        if self.repeats(&words) {
            signs.push(WordSign { kind: WordSignKind::Repetition, words: String::new() });
        }
        if self.hurries(&words, end_ms.saturating_sub(start_ms)) {
            signs.push(WordSign { kind: WordSignKind::Pace, words: String::new() });
        }
        let calm = signs.iter().fold(1.0, |calm: f32, sign| calm * (1.0 - sign.kind.weight()));
        self.score = 1.0 - (1.0 - FADES * self.score) * calm;
        if !signs.is_empty() {
            self.signs.clone_from(&signs);
        }
        signs
    }

    /// 0..=1, of this turn and, fading, of those before.
    pub fn score(&self) -> f32 {
        self.score
    }

    /// The last signs there were.
    pub fn signs(&self) -> &[WordSign] {
        &self.signs
    }

    /// Digits and single words (an account number, "yes") are repeated because they were asked for again.
    fn repeats(&mut self, words: &[String]) -> bool {
        let telling: BTreeSet<String> =
            words.iter().filter(|word| !word.chars().all(|c| c.is_ascii_digit())).cloned().collect();
        if telling.len() < TELLING {
            return false;
        }
        let alike = |said: &BTreeSet<String>| {
            let shared = said.intersection(&telling).count() as f32;
            shared / said.union(&telling).count() as f32 >= ALIKE
        };
        let again = self.said.iter().any(alike);
        self.said.push_back(telling);
        if self.said.len() > REMEMBERED {
            self.said.pop_front();
        }
        again
    }

    fn hurries(&mut self, words: &[String], ms: u64) -> bool {
        if ms < PACED_MS || words.len() < TELLING {
            return false;
        }
        let pace = words.len() as f32 * 1_000.0 / ms as f32;
        if self.paces.len() < OWN_TURNS {
            self.paces.push(pace);
            return false;
        }
        pace > FASTER * self.paces.iter().sum::<f32>() / self.paces.len() as f32
    }
}

/// Lower-case words, Chinese characters one by one. Compared as written, not by sound: an oath is too near to many a
/// harmless word.
fn texts(text: &str) -> Vec<String> {
    let written: String = text.chars().map(|c| if is_han(c) { c } else { c.to_ascii_lowercase() }).collect();
    Words::of(&written).texts().into_iter().map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kinds(wording: &mut Wording, text: &str) -> Vec<WordSignKind> {
        wording.hear(text, 0, 2_500).into_iter().map(|sign| sign.kind).collect()
    }

    #[test]
    fn signs_are_found_in_both_languages() {
        use WordSignKind::*;
        for (text, wanted) in [
            ("This is ridiculous!", vec![Complaint]),
            ("I've had enough, get me your manager.", vec![Complaint, Superior]),
            ("I'll call my lawyer, you are thieves.", vec![Threat, Fraud]),
            ("Where is my damn money", vec![Swearing]),
            ("这也太过分了，我要找律师起诉你们。", vec![Complaint, Threat, Threat]),
            ("你们就是骗子", vec![Fraud]),
            ("他妈的，叫你们领导来。", vec![Swearing, Superior]),
            ("I'd like to hear my balance, please.", vec![]),
            ("我想查一下我的快递到哪儿了", vec![]),
            ("hello, shell and class issue", vec![]),
        ] {
            assert_eq!(kinds(&mut Wording::new(Lists::default()), text), wanted, "{text}");
        }
    }

    #[test]
    fn an_operators_words_count_too() {
        let lists =
            Lists { complaint: vec!["Gurkensalat".into()], threat: vec!["银保监".into()], ..Lists::default() };
        let mut wording = Wording::new(lists);
        assert_eq!(kinds(&mut wording, "das ist Gurkensalat"), [WordSignKind::Complaint]);
        assert_eq!(kinds(&mut wording, "我要打给银保监会"), [WordSignKind::Threat]);
    }

    #[test]
    fn saying_it_again_is_a_sign_and_a_number_given_again_is_none() {
        let mut wording = Wording::new(Lists::default());
        assert!(kinds(&mut wording, "my parcel has not arrived").is_empty());
        assert_eq!(kinds(&mut wording, "my parcel has still not arrived"), [WordSignKind::Repetition]);
        assert!(kinds(&mut wording, "1 2 3 4 5 6").is_empty());
        assert!(kinds(&mut wording, "1 2 3 4 5 6").is_empty());
        assert!(kinds(&mut wording, "yes").is_empty() && kinds(&mut wording, "yes").is_empty());
    }

    #[test]
    fn talking_much_faster_than_before_is_a_sign() {
        let mut wording = Wording::new(Lists::default());
        let calm = |n: &str| format!("I would like to ask about number {n}");
        assert!(wording.hear(&calm("one"), 0, 3_000).is_empty());
        wording.hear("and could you tell me the hours too", 5_000, 8_000);
        let signs = wording.hear("so where is it then I asked you for it last week already", 9_000, 11_000);
        assert_eq!(signs, [WordSign { kind: WordSignKind::Pace, words: String::new() }]);
    }

    #[test]
    fn the_score_adds_up_and_fades() {
        let mut wording = Wording::new(Lists::default());
        wording.hear("there was a fraud on my card", 0, 2_000);
        assert!(wording.score() < 0.3, "a matter is no mood: {}", wording.score());
        wording.hear("this is ridiculous and I want your manager", 5_000, 7_500);
        let high = wording.score();
        assert!((0.5..1.0).contains(&high), "{high}");
        for text in
            ["my balance please", "five four seven one", "the other account then", "thank you that is all", "yes"]
        {
            wording.hear(text, 0, 2_000);
        }
        assert!(wording.score() < 0.1, "{}", wording.score());
    }
}

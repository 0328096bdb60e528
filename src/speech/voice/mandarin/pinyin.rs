//! Mandarin text to syllables with tones as spoken: words (jieba), readings (a phrase dictionary, our own
//! list of call-centre words first, then each character's usual one), rules for the small words that have
//! several, and the tone changes of 一, 不 and of third tones in a row.

use std::collections::HashMap;

use jieba_rs::Jieba;
use pinyin::ToPinyin;

/// A syllable as spoken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Syllable {
    /// Pinyin without tone, ü as v: `nv`, `zhong`; `er` for the retroflex ending.
    pub sound: String,
    /// 1 to 4, 5 is neutral.
    pub tone: u8,
    /// First of its word.
    pub begins: bool,
}

/// What a clause is made of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unit {
    Syllable(Syllable),
    /// A comma or the like.
    Pause,
}

pub struct Reader {
    words: Jieba,
    phrases: HashMap<Box<str>, Box<[Reading]>>,
    longest: usize,
}

/// Sound and tone.
type Reading = (Box<str>, u8);

impl Reader {
    /// `phrases`: pypinyin's `phrases_dict.json`.
    pub fn from_json(phrases: &[u8]) -> serde_json::Result<Self> {
        let raw: HashMap<String, Vec<Vec<String>>> = serde_json::from_slice(phrases)?;
        let mut words = Jieba::new();
        let mut phrases: HashMap<Box<str>, Box<[Reading]>> = HashMap::with_capacity(raw.len());
        for (phrase, syllables) in raw {
            let read: Vec<Reading> = syllables.iter().filter_map(|s| marked(s.first()?)).collect();
            if read.len() == phrase.chars().count() {
                phrases.insert(phrase.into(), read.into());
            }
        }
        for line in OWN.lines() {
            let mut parts = line.split_whitespace();
            let Some(word) = parts.next() else { continue };
            let read: Vec<Reading> = parts.filter_map(numbered).collect();
            debug_assert_eq!(read.len(), word.chars().count(), "{word}");
            if word.chars().count() > 1 {
                words.add_word(word, None, None);
            }
            phrases.insert(word.into(), read.into());
        }
        let longest = phrases.keys().map(|p| p.chars().count()).max().unwrap_or(1);
        Ok(Self { words, phrases, longest })
    }

    /// Everything that is no Chinese character and no mark is passed over.
    pub fn read(&self, text: &str) -> Vec<Unit> {
        let mut out: Vec<(Option<char>, Unit)> = Vec::new();
        let tokens = self.words.cut(text, false);
        let words: Vec<&str> = tokens.iter().map(|token| token.word).collect();
        for (i, word) in words.iter().enumerate() {
            if !word.chars().any(is_han) {
                if word.contains(['，', '、', '；', '：', '。', '！', '？', ',', ';', ':', '.', '!', '?', '—', '…'])
                {
                    out.push((None, Unit::Pause));
                }
                continue;
            }
            let chars: Vec<char> = word.chars().filter(|&c| is_han(c)).collect();
            let word: String = chars.iter().collect();
            let before = i.checked_sub(1).map_or("", |i| words[i]);
            let after = words.get(i + 1).copied().unwrap_or_default();
            for (n, (sound, tone)) in self.word(&word, &chars, before, after).into_iter().enumerate() {
                let syllable = Syllable { sound: sound.into(), tone, begins: n == 0 };
                out.push((chars.get(n).copied(), Unit::Syllable(syllable)));
            }
        }
        change_yi_and_bu(&mut out);
        change_third_tones(&mut out);
        out.into_iter().map(|(_, unit)| unit).collect()
    }

    fn word(&self, word: &str, chars: &[char], before: &str, after: &str) -> Vec<Reading> {
        if let [single] = chars
            && let Some(reading) = by_neighbours(*single, before, after)
        {
            return vec![numbered(reading).unwrap_or_else(|| usual(*single))];
        }
        if let Some(reading) = self.phrases.get(word) {
            return reading.to_vec();
        }
        // The longest phrases in it, from the left.
        let mut out = Vec::new();
        let mut at = 0;
        while at < chars.len() {
            let longest = (2..=self.longest.min(chars.len() - at)).rev().find_map(|len| {
                let part: String = chars[at..at + len].iter().collect();
                self.phrases.get(part.as_str())
            });
            let single = || self.phrases.get(chars[at].to_string().as_str()).map(|r| r[0].clone());
            match longest {
                Some(reading) => {
                    out.extend_from_slice(reading);
                    at += reading.len();
                }
                None => {
                    out.push(single().unwrap_or_else(|| usual(chars[at])));
                    at += 1;
                }
            }
        }
        out
    }
}

fn is_han(c: char) -> bool {
    matches!(c, '\u{4e00}'..='\u{9fff}' | '\u{3400}'..='\u{4dbf}' | '〇')
}

/// The usual reading of a character; an unknown one is silent in effect ("en", neutral).
fn usual(c: char) -> Reading {
    c.to_pinyin().and_then(|p| numbered(&p.with_tone_num_end().replace('ü', "v"))).unwrap_or(("en".into(), 5))
}

/// Small words whose reading hangs on what stands beside them.
fn by_neighbours(c: char, before: &str, after: &str) -> Option<&'static str> {
    let next = after.chars().next().unwrap_or(' ');
    let last = before.chars().next_back().unwrap_or(' ');
    Some(match c {
        '为' if "您你我他她它们了什何此其客用大顾避方".contains(next) => "wei4",
        '为' => "wei2",
        '得' if "您你我他都就也还总可只非必".contains(last) => "dei3",
        '得' => "de5",
        '地' if is_han(last) && is_han(next) && !"此当本各外内异".contains(last) => "de5",
        '地' => "di4",
        '还' if "要请已已经将未先应归款".contains(last) && "款钱清贷书给".contains(next) => "huan2",
        '还' if "款钱清贷".contains(next) => "huan2",
        '还' => "hai2",
        '只' if is_numeral(last) => "zhi1",
        '只' => "zhi3",
        '长' if "米厘公里度".contains(last) => "chang2",
        '重' if "公斤千克吨".contains(last) || "达约为是".contains(next) => "zhong4",
        '重' if is_han(next) => "chong2",
        '行' if "本我他跨各总分支该贵同开".contains(last) => "hang2",
        '行' => "xing2",
        '了' if last == '不' => "liao3",
        '种' if "多各几这那哪何某".contains(last) || is_numeral(last) => "zhong3",
        '数' => "shu4",
        '都' => "dou1",
        '着' => "zhe5",
        _ => return None,
    })
}

fn is_numeral(c: char) -> bool {
    "〇零一二三四五六七八九十百千万亿两几数".contains(c)
}

/// 一 is yi2 before a fourth tone and yi4 before the others, but stays yi1 as a digit, an ordinal and at the end;
/// 不 is bu2 before a fourth tone.
fn change_yi_and_bu(units: &mut [(Option<char>, Unit)]) {
    for i in 0..units.len() {
        let next = units.get(i + 1).and_then(|(c, unit)| match unit {
            Unit::Syllable(s) => Some((*c, s.tone)),
            Unit::Pause => None,
        });
        let last = i.checked_sub(1).and_then(|i| units[i].0).unwrap_or(' ');
        let after_next = units.get(i + 2).and_then(|(c, _)| *c).unwrap_or(' ');
        let (c, Unit::Syllable(syllable)) = &mut units[i] else { continue };
        match (*c, next) {
            (Some('不'), Some((_, 4))) => syllable.tone = 2,
            (Some('不'), _) => syllable.tone = 4,
            (Some('一'), Some((following, tone))) => {
                let following = following.unwrap_or(' ');
                let scale = "百千万亿".contains(following);
                // 一点 is a time or "a little", 一点五 a number.
                let digit = is_numeral(following) && !scale
                    || "月号楼号零幺".contains(following)
                    || (following == '点' && is_numeral(after_next) && !"十二三四五".contains(after_next))
                    || "第周期初按选零点".contains(last)
                    || (is_numeral(last) && !scale);
                syllable.tone = match (digit, tone) {
                    (true, _) => 1,
                    (false, 4) => 2,
                    // 看一看, 等一等: between the same verb it is neutral.
                    (false, _) if last == following => 5,
                    (false, 5) if following == '个' => 2,
                    (false, _) => 4,
                };
            }
            (Some('一'), None) => syllable.tone = 1,
            _ => {}
        }
    }
}

/// Of third tones in a row all but the last rise: in a word always, across words when one of them is short.
fn change_third_tones(units: &mut [(Option<char>, Unit)]) {
    let third = |unit: &(Option<char>, Unit)| matches!(&unit.1, Unit::Syllable(s) if s.tone == 3);
    let begins = |unit: &(Option<char>, Unit)| matches!(&unit.1, Unit::Syllable(s) if s.begins);
    // Inside words first, from the left: 展览馆 zhan2 lan2 guan3.
    for i in 1..units.len() {
        if third(&units[i - 1]) && third(&units[i]) && !begins(&units[i]) {
            rise(&mut units[i - 1]);
        }
    }
    for i in 1..units.len() {
        let single =
            |at: usize| begins(&units[at]) && units.get(at + 1).is_none_or(|u| begins(u) || u.1 == Unit::Pause);
        if third(&units[i - 1]) && third(&units[i]) && begins(&units[i]) && (single(i - 1) || single(i)) {
            rise(&mut units[i - 1]);
        }
    }
}

fn rise(unit: &mut (Option<char>, Unit)) {
    if let Unit::Syllable(syllable) = &mut unit.1 {
        syllable.tone = 2;
    }
}

/// "hang2" as sound and tone.
fn numbered(syllable: &str) -> Option<Reading> {
    let tone = syllable.chars().next_back()?.to_digit(10);
    let sound = syllable.trim_end_matches(|c: char| c.is_ascii_digit());
    (!sound.is_empty()).then(|| (sound.into(), tone.map_or(5, |t| t as u8).clamp(1, 5)))
}

/// "háng" as sound and tone.
fn marked(syllable: &str) -> Option<Reading> {
    const MARKS: [(&str, char); 7] =
        [("āáǎà", 'a'), ("ēéěè", 'e'), ("īíǐì", 'i'), ("ōóǒò", 'o'), ("ūúǔù", 'u'), ("ǖǘǚǜ", 'v'), ("ńňǹ", 'n')];
    let mut tone = 5;
    let mut sound = String::new();
    for c in syllable.chars() {
        let found = MARKS.iter().find_map(|(marks, plain)| Some((marks.chars().position(|m| m == c)?, *plain)));
        match (found, c) {
            (Some((at, 'n')), _) => {
                tone = at as u8 + 2;
                sound.push('n');
            }
            (Some((at, plain)), _) => {
                tone = at as u8 + 1;
                sound.push(plain);
            }
            (None, 'ü') => sound.push('v'),
            (None, 'ɡ') => sound.push('g'),
            (None, 'a'..='z') => sound.push(c),
            (None, _) => return None,
        }
    }
    (!sound.is_empty()).then(|| (sound.into(), tone))
}

/// Readings that the dictionary lacks or has otherwise than a call-centre says them.
const OWN: &str = include_str!("readings.txt");

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> String {
        let phrases = std::fs::read(crate::models::file("tts-zh-phrases.json").unwrap()).unwrap();
        let units = Reader::from_json(&phrases).unwrap().read(text);
        let shown = units.iter().map(|unit| match unit {
            Unit::Syllable(s) => format!("{}{}", s.sound, s.tone),
            Unit::Pause => ",".into(),
        });
        shown.collect::<Vec<_>>().join(" ")
    }

    /// Readings by the context, as a dictionary of spoken Mandarin (现代汉语词典) gives them.
    #[test]
    fn characters_with_several_readings() {
        let cases = [
            ("银行行长", "yin2 hang2 hang2 zhang3"),
            ("他行卡不行", "ta1 hang2 ka3 bu4 xing2"),
            ("通话时长", "tong1 hua4 shi2 chang2"),
            ("请重新输入", "qing3 chong2 xin1 shu1 ru4"),
            ("包裹重量", "bao1 guo3 zhong4 liang4"),
            ("还款日还没到", "huan2 kuan3 ri4 hai2 mei2 dao4"),
            ("您还有一笔欠款", "nin2 hai2 you3 yi4 bi3 qian4 kuan3"),
            ("说得清楚", "shuo1 de5 qing1 chu5"),
            ("您得先挂失", "nin2 dei3 xian1 gua4 shi1"),
            ("获得奖励", "huo4 de2 jiang3 li4"),
            ("收货地址", "shou1 huo4 di4 zhi3"),
            ("慢慢地说", "man4 man4 de5 shuo1"),
            ("我的目的", "wo3 de5 mu4 di4"),
            ("了解了", "liao2 jie3 le5"),
            ("不要着急", "bu2 yao4 zhao2 ji2"),
            ("请拿着", "qing3 na2 zhe5"),
            ("号码和数字", "hao4 ma3 he2 shu4 zi4"),
            ("为您服务", "wei4 nin2 fu2 wu4"),
            ("余额为零", "yu2 e2 wei2 ling2"),
            ("转接人工", "zhuan3 jie1 ren2 gong1"),
            ("调整额度", "tiao2 zheng3 e2 du4"),
            ("都在成都", "dou1 zai4 cheng2 du1"),
            ("便宜又方便", "pian2 yi5 you4 fang1 bian4"),
            ("重庆女儿", "chong2 qing4 nv3 er2"),
        ];
        for (text, expected) in cases {
            assert_eq!(read(text), expected, "{text}");
        }
    }

    #[test]
    fn tones_change_beside_each_other() {
        let cases = [
            ("一个", "yi2 ge4"),
            ("一天", "yi4 tian1"),
            ("一百一十一", "yi4 bai3 yi1 shi2 yi1"),
            ("一万元", "yi2 wan4 yuan2"),
            ("第一次", "di4 yi1 ci4"),
            ("十一月一号", "shi2 yi1 yue4 yi1 hao4"),
            ("请按一", "qing3 an4 yi1"),
            ("星期一", "xing1 qi1 yi1"),
            ("等一等", "deng3 yi5 deng3"),
            ("不是", "bu2 shi4"),
            ("不能", "bu4 neng2"),
            ("你好", "ni2 hao3"),
            ("我想取款", "wo2 xiang3 qu2 kuan3"),
            ("请您稍等", "qing3 nin2 shao1 deng3"),
            ("展览馆", "zhan2 lan2 guan3"),
        ];
        for (text, expected) in cases {
            assert_eq!(read(text), expected, "{text}");
        }
    }
}

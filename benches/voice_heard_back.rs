//! The voices judged by the ear: every line of `acceptance/voice-en.txt` and `acceptance/voice-zh-100.txt` is
//! spoken and transcribed back by the program itself. Prints, with their limits:
//!
//! - English word error rate (limit 5 %), at 24 kHz and over the telephone;
//! - Mandarin error rates by character (for information: the ear is weak in Mandarin) and by toneless syllable, and the
//!   share of the lines whose transcript is nearer by pinyin (edit distance of toneless syllables) to itself than to every other
//!   line of the list (limit 95 %).
//!
//! Exits 1 when a limit is missed. `FRONTDESK_TRANSCRIBER=/path/to/frontdesk` has another build do the hearing,
//! `FRONTDESK_VOICE_OUT=DIR` keeps sound and transcripts there.

use std::path::{Path, PathBuf};
use std::process::Command;

use frontdesk::dialog::Language;
use frontdesk::speech::voice::spoken;
use pinyin::ToPinyin;

const WER_LIMIT: f64 = 0.05;
const NEAREST_LIMIT: f64 = 0.95;

fn main() {
    let frontdesk = PathBuf::from(env!("CARGO_BIN_EXE_frontdesk"));
    let ear = std::env::var_os("FRONTDESK_TRANSCRIBER").map_or(frontdesk.clone(), PathBuf::from);
    let temporary = tempfile::tempdir().expect("a temporary folder");
    let out = std::env::var_os("FRONTDESK_VOICE_OUT").map_or(temporary.path().to_path_buf(), PathBuf::from);
    let mut good = true;

    for telephone in [false, true] {
        let pairs = heard_back(&frontdesk, &ear, "acceptance/voice-en.txt", "en", telephone, &out);
        let (mut errors, mut words) = (0, 0);
        for (said, heard) in &pairs {
            let (said_words, heard_words) = (english(said), english(heard));
            let wrong = distance(&said_words, &heard_words);
            if wrong > 0 {
                println!("  {wrong} of {}: {said}\n        heard: {heard}", said_words.len());
            }
            errors += wrong;
            words += said_words.len();
        }
        let rate = errors as f64 / words as f64;
        let line = if telephone { "telephone (G.711 mu-law)" } else { "24 kHz" };
        println!(
            "English, {line}: WER {:.1} % of {words} words in {} prompts (limit {:.0} %)",
            rate * 100.0,
            pairs.len(),
            WER_LIMIT * 100.0
        );
        let name = if telephone { "telephone" } else { "wide" };
        println!(
            "FIGURE 2.2-voice-wer-en-{name} {:.2} % limit <= {:.0} -- word errors, the English voice heard back by the ear, \
             {} prompts of {words} words, {line}",
            rate * 100.0,
            WER_LIMIT * 100.0,
            pairs.len()
        );
        good &= rate <= WER_LIMIT;
    }

    for telephone in [false, true] {
        let pairs = heard_back(&frontdesk, &ear, "acceptance/voice-zh-100.txt", "zh", telephone, &out);
        let said: Vec<Vec<String>> = pairs.iter().map(|(said, _)| syllables(said)).collect();
        let (mut errors, mut misheard, mut characters, mut nearest) = (0, 0, 0, 0);
        for (own, (text, heard)) in pairs.iter().enumerate() {
            let (said_characters, heard_characters) = (chinese(text), chinese(heard));
            errors += distance(&said_characters, &heard_characters);
            characters += said_characters.len();
            let heard_syllables = syllables(heard);
            let far: Vec<usize> = said.iter().map(|line| distance(line, &heard_syllables)).collect();
            misheard += far[own];
            let others = far.iter().enumerate().filter(|(line, _)| *line != own).map(|(_, far)| *far).min();
            if others.is_none_or(|others| far[own] < others) {
                nearest += 1;
            } else {
                println!("  not nearest: {text}\n        heard: {heard}");
            }
        }
        let share = f64::from(nearest) / pairs.len() as f64;
        let line = if telephone { "telephone (G.711 mu-law)" } else { "24 kHz" };
        println!(
            "Mandarin, {line}: CER {:.1} %, syllables {:.1} %, of {characters}; nearest to itself {nearest} of {} (limit {:.0} %)",
            errors as f64 / characters as f64 * 100.0,
            misheard as f64 / characters as f64 * 100.0,
            pairs.len(),
            NEAREST_LIMIT * 100.0
        );
        let name = if telephone { "telephone" } else { "wide" };
        println!(
            "FIGURE 2.2-voice-cer-zh-{name} {:.1} % -- character errors, the Mandarin voice heard back, {} prompts, {line}",
            errors as f64 / characters as f64 * 100.0,
            pairs.len()
        );
        println!(
            "FIGURE 2.2-voice-syllables-zh-{name} {:.1} % -- errors of toneless syllables, the same prompts, {line}",
            misheard as f64 / characters as f64 * 100.0
        );
        println!(
            "FIGURE 2.2-voice-nearest-zh-{name} {nearest} of-{n} limit >= {:.0} -- transcripts nearest by pinyin to their \
             own prompt, {line}",
            NEAREST_LIMIT * pairs.len() as f64,
            n = pairs.len()
        );
        good &= share >= NEAREST_LIMIT;
    }
    if !good {
        println!("a limit is missed");
        std::process::exit(1);
    }
}

/// Each line of the list and its transcript.
fn heard_back(
    frontdesk: &Path,
    ear: &Path,
    list: &str,
    language: &str,
    telephone: bool,
    out: &Path,
) -> Vec<(String, String)> {
    let list = Path::new(env!("CARGO_MANIFEST_DIR")).join(list);
    let lines: Vec<String> = std::fs::read_to_string(&list).expect("the list").lines().map(String::from).collect();
    let folder = out.join(format!("{language}-{}", if telephone { "telephone" } else { "wide" }));
    let mut speak = Command::new(frontdesk);
    speak.args(["speak", "--lang", language, "--lines"]).arg(&list).arg("--out-dir").arg(&folder);
    if telephone {
        speak.arg("--telephone");
    }
    assert!(speak.status().expect("frontdesk speak").success(), "frontdesk speak failed");

    let files: Vec<PathBuf> = (1..=lines.len()).map(|n| folder.join(format!("{n:03}.wav"))).collect();
    let heard = Command::new(ear).args(["transcribe", "--json", "--lang", language]).args(&files).output();
    let heard = heard.expect("frontdesk transcribe");
    assert!(heard.status.success(), "frontdesk transcribe failed:\n{}", String::from_utf8_lossy(&heard.stderr));
    let texts: Vec<String> = String::from_utf8_lossy(&heard.stdout)
        .lines()
        .map(|line| {
            let line: serde_json::Value = serde_json::from_str(line).expect("a JSON line");
            line["text"].as_str().unwrap_or_default().to_owned()
        })
        .collect();
    assert_eq!(texts.len(), lines.len(), "one transcript a file");
    std::fs::write(folder.join("heard.txt"), texts.join("\n")).expect("transcripts written");
    lines.into_iter().zip(texts).collect()
}

/// Words as spoken: "$12.50" and "twelve dollars and fifty cents" are the same.
fn english(text: &str) -> Vec<String> {
    let mut text = spoken::text(text, &Language::new("en")).to_lowercase().replace('-', " ");
    for (short, long) in
        [("n't", " not"), ("'m", " am"), ("'s", " is"), ("'re", " are"), ("'ll", " will"), ("'ve", " have")]
    {
        text = text.replace(short, long);
    }
    let word = |word: &str| word.chars().filter(|c| c.is_alphanumeric()).collect::<String>();
    text.split_whitespace().map(word).filter(|word| !word.is_empty()).collect()
}

/// Characters as spoken, without marks.
fn chinese(text: &str) -> Vec<char> {
    spoken::text(text, &Language::new("zh")).chars().filter(|c| c.is_alphanumeric()).collect()
}

/// Toneless; simplified and traditional characters share theirs. Other characters stand for themselves.
fn syllables(text: &str) -> Vec<String> {
    let sound = |c: char| c.to_pinyin().map_or(c.to_string(), |p| p.plain().to_string());
    chinese(text).into_iter().map(sound).collect()
}

/// Levenshtein.
fn distance<T: PartialEq>(a: &[T], b: &[T]) -> usize {
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.iter().enumerate() {
        let mut corner = row[0];
        row[0] = i + 1;
        for (j, y) in b.iter().enumerate() {
            let kept = corner + usize::from(x != y);
            corner = row[j + 1];
            row[j + 1] = kept.min(corner + 1).min(row[j] + 1);
        }
    }
    row[b.len()]
}

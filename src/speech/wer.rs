//! Word and character error rates: how far a transcript is from what was said.
//!
//! Both sides are normalised first, as is usual (compare OpenAI's Whisper normaliser): case, punctuation, markup and
//! filler sounds do not count, numbers are written out. Chinese, Japanese and Thai are compared by character.

use std::ops::AddAssign;

use super::voice::spoken::english::tables::{ONES, TENS};

/// Edit counts against a reference; sums over many utterances with `+=`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Errors {
    pub substituted: usize,
    pub deleted: usize,
    pub inserted: usize,
    /// Words (or characters) of the reference.
    pub reference: usize,
}

impl Errors {
    /// Errors a reference word; above 1 when much was inserted, 0 when there was nothing to hear.
    pub fn rate(&self) -> f64 {
        match self.reference {
            0 => 0.0,
            n => self.total() as f64 / n as f64,
        }
    }

    pub fn total(&self) -> usize {
        self.substituted + self.deleted + self.inserted
    }
}

impl AddAssign for Errors {
    fn add_assign(&mut self, other: Self) {
        self.substituted += other.substituted;
        self.deleted += other.deleted;
        self.inserted += other.inserted;
        self.reference += other.reference;
    }
}

/// Compares two texts of a language (BCP 47 primary tag): by word, or by character where words are not spaced.
pub fn errors(reference: &str, heard: &str, language: &str) -> Errors {
    // A row of digits can be meant as a number or one by one; the reading nearer to the reference counts.
    let reading = |r: Digits, h: Digits| align(&tokens(reference, language, r), &tokens(heard, language, h));
    let both = [Digits::Number, Digits::OneByOne];
    let readings = both.iter().flat_map(|&r| both.iter().map(move |&h| (r, h)));
    readings.map(|(r, h)| reading(r, h)).min_by(|a, b| a.rate().total_cmp(&b.rate())).unwrap_or_default()
}

/// True for languages whose error rate is by character.
pub fn by_character(language: &str) -> bool {
    matches!(language, "zh" | "yue" | "ja" | "th" | "lo" | "my" | "km")
}

#[derive(Clone, Copy)]
enum Digits {
    Number,
    OneByOne,
}

/// What is compared: words, or characters.
fn tokens(text: &str, language: &str, digits: Digits) -> Vec<String> {
    let mut text = without_markup(text).to_lowercase();
    if by_character(language) {
        return text.chars().filter(|c| c.is_alphanumeric()).map(chinese_digit).map(String::from).collect();
    }
    if language == "en" {
        text = without_contractions(&text);
    }
    let mut words = Vec::new();
    for word in text.split(|c: char| c.is_whitespace() || matches!(c, '-' | '–' | '—' | '/' | '…')) {
        if language == "en" {
            english(word, digits, &mut words);
        } else {
            words.extend(letters(word));
        }
    }
    if language == "en" {
        words.retain(|w| !matches!(w.as_str(), "uh" | "um" | "mm" | "hmm" | "mhm"));
    }
    words
}

fn letters(word: &str) -> Option<String> {
    let letters: String = word.chars().filter(|c| c.is_alphanumeric()).map(plain_letter).collect();
    (!letters.is_empty()).then_some(letters)
}

/// Accents are often left out of transcripts ("numero"), so they do not count; ñ does.
fn plain_letter(c: char) -> char {
    match c {
        'á' | 'à' | 'â' | 'ä' => 'a',
        'é' | 'è' | 'ê' | 'ë' => 'e',
        'í' | 'ì' | 'î' | 'ï' => 'i',
        'ó' | 'ò' | 'ô' | 'ö' => 'o',
        'ú' | 'ù' | 'û' | 'ü' => 'u',
        c => c,
    }
}

/// As OpenAI's normaliser does, possessives included: both sides are treated alike.
fn without_contractions(text: &str) -> String {
    let text = text.replace('’', "'");
    let text = text.replace("won't", "will not").replace("can't", "can not").replace("cannot", "can not");
    let text = text.replace("let's", "let us");
    CONTRACTIONS.iter().fold(text, |text, (short, long)| text.replace(short, long))
}

const CONTRACTIONS: [(&str, &str); 7] = [
    ("n't", " not"),
    ("'re", " are"),
    ("'s", " is"),
    ("'d", " would"),
    ("'ll", " will"),
    ("'ve", " have"),
    ("'m", " am"),
];

/// Cuts `[ascending tones]`, `<laugh>` and the like; parentheses only lose their signs.
fn without_markup(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut depth = 0usize;
    for c in text.chars() {
        match c {
            '[' | '<' | '【' => depth += 1,
            ']' | '>' | '】' => depth = depth.saturating_sub(1),
            c if depth == 0 => out.push(c),
            _ => {}
        }
    }
    out
}

fn chinese_digit(c: char) -> char {
    match c {
        '0'..='9' => ['零', '一', '二', '三', '四', '五', '六', '七', '八', '九'][c as usize - '0' as usize],
        '〇' => '零',
        '幺' => '一',
        '两' | '兩' => '二',
        c => c,
    }
}

fn english(word: &str, digits: Digits, out: &mut Vec<String>) {
    // Where letters meet digits ("4th", "extension12", "$5", "50%") the parts are words of their own.
    match word {
        "*" => return out.push("star".into()),
        "#" => return out.push("pound".into()),
        _ => {}
    }
    let word: String = word.chars().filter(|c| !matches!(c, '\'' | '’' | ',' | '"')).collect();
    let mut rest = word.trim_matches(|c: char| !c.is_alphanumeric() && !matches!(c, '$' | '%' | '&' | '#'));
    let mut after = None;
    if let Some(amount) = rest.strip_prefix('$') {
        (rest, after) = (amount, Some("dollars"));
    }
    while !rest.is_empty() {
        let number = rest.chars().next().is_some_and(|c| c.is_ascii_digit());
        let end = if number {
            rest.char_indices()
                .find(|&(i, c)| {
                    !(c.is_ascii_digit() || c == '.' && rest[i + 1..].starts_with(|d: char| d.is_ascii_digit()))
                })
                .map_or(rest.len(), |(i, _)| i)
        } else {
            rest.find(|c: char| c.is_ascii_digit()).unwrap_or(rest.len())
        };
        let (part, tail) = rest.split_at(end);
        let ordinal = ["st", "nd", "rd", "th"].into_iter().find(|s| tail == *s);
        match (number, ordinal) {
            (true, Some(_)) => {
                number_words(part, Digits::Number, out);
                if let Some(last) = out.last_mut() {
                    *last = ordinal_word(last);
                }
                return;
            }
            (true, None) => number_words(part, digits, out),
            (false, _) => match part {
                "%" => out.push("percent".into()),
                "&" => out.push("and".into()),
                "ok" => out.push("okay".into()),
                part => out.extend(letters(part)),
            },
        }
        rest = tail;
    }
    out.extend(after.map(String::from));
}

fn number_words(number: &str, digits: Digits, out: &mut Vec<String>) {
    let one_by_one =
        |digits: &str, out: &mut Vec<String>| out.extend(digits.bytes().map(|d| ONES[usize::from(d - b'0')].into()));
    let mut parts = number.split('.');
    let whole = parts.next().unwrap_or_default();
    match (digits, whole.parse::<u64>()) {
        (Digits::Number, Ok(value)) if whole.len() <= 12 && !(whole.len() > 1 && whole.starts_with('0')) => {
            cardinal(value, out);
        }
        _ => one_by_one(whole, out),
    }
    for part in parts {
        out.push("point".into());
        one_by_one(part, out);
    }
}

fn cardinal(n: u64, out: &mut Vec<String>) {
    for (size, name) in [(1_000_000_000, "billion"), (1_000_000, "million"), (1_000, "thousand"), (100, "hundred")] {
        if n >= size {
            cardinal(n / size, out);
            out.push(name.into());
            if !n.is_multiple_of(size) {
                cardinal(n % size, out);
            }
            return;
        }
    }
    if n < 20 {
        out.push(ONES[n as usize].into());
    } else {
        out.push(TENS[n as usize / 10].into());
        if !n.is_multiple_of(10) {
            out.push(ONES[n as usize % 10].into());
        }
    }
}

fn ordinal_word(cardinal: &str) -> String {
    match cardinal {
        "one" => "first".into(),
        "two" => "second".into(),
        "three" => "third".into(),
        "five" => "fifth".into(),
        "eight" => "eighth".into(),
        "nine" => "ninth".into(),
        "twelve" => "twelfth".into(),
        tens if tens.ends_with('y') => format!("{}ieth", &tens[..tens.len() - 1]),
        other => format!("{other}th"),
    }
}

/// Levenshtein alignment with the counts of one best path.
fn align(reference: &[String], heard: &[String]) -> Errors {
    let blank = Errors { reference: reference.len(), ..Errors::default() };
    let mut row: Vec<Errors> = (0..=heard.len()).map(|i| Errors { inserted: i, ..blank }).collect();
    for word in reference {
        let mut diagonal = row[0];
        row[0].deleted += 1;
        for (i, other) in heard.iter().enumerate() {
            let mut best = diagonal;
            best.substituted += usize::from(word != other);
            let deletion = Errors { deleted: row[i + 1].deleted + 1, ..row[i + 1] };
            let insertion = Errors { inserted: row[i].inserted + 1, ..row[i] };
            for other in [deletion, insertion] {
                if other.total() < best.total() {
                    best = other;
                }
            }
            diagonal = std::mem::replace(&mut row[i + 1], best);
        }
    }
    row[heard.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_each_kind_of_error() {
        let errors = errors("press one to mute yourself", "please press one two mute", "en");
        assert_eq!((errors.substituted, errors.deleted, errors.inserted, errors.reference), (1, 1, 1, 5));
        assert_eq!(errors.rate(), 0.6);
    }

    #[test]
    fn writing_does_not_count() {
        for (a, b) in [
            ("Please press 1.", "please press one"),
            ("The 21st of May, 5:30", "the twenty first of may five thirty"),
            ("$5 and 50%", "five dollars and fifty percent"),
            ("It's 1,234.5, I'm sorry", "it is one thousand two hundred thirty four point five i am sorry"),
            ("extension 4 0 1 2", "extension 4012"),
            ("voice-mail [beep]", "Voice mail"),
            ("OK", "okay"),
        ] {
            assert_eq!(errors(a, b, "en").total(), 0, "{a:?} {b:?} {:?}", tokens(a, "en", Digits::Number));
        }
        assert!(errors("one", "two", "en").total() == 1 && errors("", "two", "en").inserted == 1);
    }

    #[test]
    fn chinese_counts_characters() {
        let errors = errors("我的单号是 80。", "我的單號是八零", "zh");
        assert_eq!((errors.substituted, errors.reference), (2, 7));
        assert_eq!(super::errors("numero", "Número.", "es").total(), 0);
    }
}

//! A summary told short: on a telephone's display, and into an agent's ear.

use pinyin::ToPinyin;

use super::FactKind;
use crate::dialog::words::is_han;
use crate::dialog::{Language, Piece, Prompt};

/// Characters on a telephone's display.
const HEADLINE: usize = 60;
/// How long a briefing may take, ms, and how long a voice takes for a word or a digit, and for a Chinese character.
const BRIEFING_MS: usize = 12_000;
const WORD_MS: usize = 400;
const CHARACTER_MS: usize = 220;
/// Words (twice as many Chinese characters) of the caller that a briefing quotes.
const QUOTED: usize = 12;
/// So few words, where the matter is known, add nothing to it.
const TOO_FEW: usize = 3;

impl super::Summary {
    fn last(&self, kind: FactKind) -> Option<&str> {
        self.facts.iter().rfind(|fact| fact.kind == kind).map(|fact| fact.text.as_str())
    }

    fn mandarin(&self) -> bool {
        self.language.starts_with("zh")
    }

    fn upset(&self) -> Option<&str> {
        let now = |text: &str| match self.mandarin() {
            true => (text.ends_with("情绪激动") && !text.contains('曾')).then_some("情绪激动"),
            false => (text == "upset" || text.starts_with("caller sounds upset")).then_some("upset"),
        };
        self.last(FactKind::Sounded).and_then(now)
    }

    /// What is wanted, what is verified, how they sound: at most 60 characters, for a telephone's display. Holds
    /// no collected value.
    pub fn headline(&self) -> String {
        let call = if self.mandarin() { "来电，未说明事由" } else { "call, no reason given" };
        let wanted = self.matter().or(self.last(FactKind::LastWords)).unwrap_or(call);
        let mut parts = vec![wanted];
        parts.extend(self.last(FactKind::Verified));
        parts.extend(self.upset());
        cut(&parts.join(" - "), HEADLINE)
    }

    /// The headline for displays that know ASCII only: Chinese as pinyin.
    pub fn headline_ascii(&self) -> String {
        let mut ascii = String::new();
        for c in self.headline().chars() {
            match c {
                c if c.is_ascii() && !c.is_ascii_control() => ascii.push(c),
                '\u{201c}' | '\u{201d}' => ascii.push('\''),
                '…' => ascii.push_str("..."),
                c => match c.to_pinyin() {
                    Some(sound) => {
                        if !ascii.is_empty() && !ascii.ends_with(' ') {
                            ascii.push(' ');
                        }
                        ascii.push_str(sound.plain());
                        ascii.push(' ');
                    }
                    None => ascii.push(' '),
                },
            }
        }
        let words: Vec<&str> = ascii.split_whitespace().collect();
        cut(&words.join(" "), HEADLINE).replace('…', "...") // which has room for three
    }

    /// What the agent is to settle: the last matter that was named, before the wish for a person.
    fn matter(&self) -> Option<&str> {
        let wanted = || self.facts.iter().filter(|fact| fact.kind == FactKind::Wanted);
        let person = if self.mandarin() { "要求人工服务" } else { "to speak to a person" };
        wanted().rfind(|fact| fact.text != person).or_else(|| wanted().next_back()).map(|fact| fact.text.as_str())
    }

    /// A few spoken sentences for the agent, at most some 12 seconds: what is wanted, what was verified or
    /// collected, what failed, how they sound; their own words where nothing else is known.
    pub fn briefing(&self) -> Prompt {
        let zh = self.mandarin();
        let mut sentences: Vec<Vec<Piece>> = Vec::new();
        if let Some(upset) = self.upset() {
            sentences.push(sentence(if zh { "客户" } else { "The caller sounds " }, upset, zh));
        }
        match self.matter() {
            Some(matter) => sentences.push(sentence(if zh { "事由：" } else { "About: " }, matter, zh)),
            None if self.last(FactKind::LastWords).is_none() => {
                sentences.push(sentence("", if zh { "客户没有说明事由" } else { "The caller gave no reason" }, zh));
            }
            None => {}
        }
        let verified = self.last(FactKind::Verified);
        if let Some(verified) = verified {
            sentences.push(sentence(if zh { "已核实" } else { "Verified: " }, verified, zh));
        }
        for fact in self.facts.iter().filter(|fact| fact.kind == FactKind::Collected) {
            sentences.push(sentence("", &fact.text, zh));
        }
        for fact in self.facts.iter().filter(|fact| fact.kind == FactKind::Tried) {
            sentences.push(sentence("", &fact.text, zh));
        }
        let telling = |words: &&str| self.matter().is_none() || length(words) > TOO_FEW;
        if let Some(words) = self.last(FactKind::LastWords).filter(telling) {
            let intro = if zh { "原话：" } else { "In their words: " };
            sentences.push(sentence(intro, &quote(words), zh));
        }
        let mut left = BRIEFING_MS;
        let mut pieces = Vec::new();
        for sentence in sentences {
            let takes = takes_ms(&sentence);
            if takes <= left {
                left -= takes;
                pieces.extend(sentence);
            }
        }
        Prompt { language: Language::new(&self.language), pieces }
    }
}

/// A sentence, with numbers and codes of three characters and more to be read one by one.
fn sentence(intro: &str, text: &str, zh: bool) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let mut plain = intro.to_owned();
    let mut run = String::new();
    let end = |plain: &mut String, run: &mut String, pieces: &mut Vec<Piece>| {
        let code = run.len() >= 3 && run.chars().any(|c| c.is_ascii_digit());
        if code {
            if !plain.is_empty() {
                pieces.push(Piece::Text(std::mem::take(plain)));
            }
            pieces.push(Piece::Code(std::mem::take(run)));
        } else {
            plain.push_str(&std::mem::take(run));
        }
    };
    for c in text.chars() {
        if c.is_ascii_alphanumeric() {
            run.push(c);
        } else {
            end(&mut plain, &mut run, &mut pieces);
            plain.push(c);
        }
    }
    end(&mut plain, &mut run, &mut pieces);
    plain.push_str(if zh { "。" } else { ". " });
    pieces.push(Piece::Text(plain));
    pieces
}

fn takes_ms(pieces: &[Piece]) -> usize {
    let takes = |piece: &Piece| match piece {
        Piece::Code(code) => WORD_MS * code.chars().count(),
        Piece::Text(text) => CHARACTER_MS * characters(text) + WORD_MS * words(text),
        _ => 0, // a briefing has none
    };
    pieces.iter().map(takes).sum()
}

fn characters(text: &str) -> usize {
    text.chars().filter(|c| is_han(*c)).count()
}

fn words(text: &str) -> usize {
    text.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty()).count()
}

/// Words; of Chinese, half as many as characters.
fn length(text: &str) -> usize {
    words(text) + characters(text).div_ceil(2)
}

/// The beginning of what was said, whole words.
fn quote(words: &str) -> String {
    let words = words.trim_matches(['\u{201c}', '\u{201d}']);
    if words.chars().any(is_han) {
        return words.chars().take(2 * QUOTED).collect();
    }
    words
        .split_whitespace()
        .take(QUOTED)
        .collect::<Vec<_>>()
        .join(" ")
        .trim_end_matches(['.', ',', '?', '!'])
        .to_owned()
}

fn cut(text: &str, limit: usize) -> String {
    // Room for three characters: the ellipsis may have to be written out.
    if text.chars().count() <= limit {
        return text.to_owned();
    }
    text.chars().take(limit - 3).collect::<String>().trim_end().to_owned() + "…"
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::call::{Fact, Summary};

    fn summary(language: &str, facts: &[(FactKind, &str)]) -> Summary {
        let fact = |(kind, text): &(FactKind, &str)| Fact { kind: *kind, text: (*text).into(), entry: 0 };
        Summary { outcome: None, language: language.into(), facts: facts.iter().map(fact).collect() }
    }

    #[test]
    fn a_headline_fits_a_telephone() {
        let facts = [
            (FactKind::Wanted, "balance enquiry"),
            (FactKind::Wanted, "to speak to a person"),
            (FactKind::Collected, "account number: 407123 (confirmed)"),
            (FactKind::Verified, "account number, by bank"),
            (FactKind::Sounded, "upset"),
        ];
        let en = summary("en", &facts);
        assert_eq!(en.headline(), "balance enquiry - account number, by bank - upset");
        let long =
            summary("en", &[(FactKind::LastWords, "a very long story about a card and a shop and a dog and a cat")]);
        assert_eq!(long.headline().chars().count(), 58);
        assert!(long.headline_ascii().len() <= 60 && long.headline_ascii().ends_with("..."));
        assert_eq!(summary("en", &[]).headline(), "call, no reason given");
    }

    #[test]
    fn a_mandarin_headline_has_an_ascii_twin() {
        let zh = summary("zh", &[(FactKind::Wanted, "查询包裹"), (FactKind::Sounded, "情绪激动")]);
        assert_eq!(zh.headline(), "查询包裹 - 情绪激动");
        assert_eq!(zh.headline_ascii(), "cha xun bao guo - qing xu ji dong");
    }

    #[test]
    fn a_briefing_spells_numbers_and_stays_short() {
        let facts = [
            (FactKind::Wanted, "balance enquiry"),
            (FactKind::Collected, "account number: 407123 (confirmed)"),
            (
                FactKind::LastWords,
                "“I would like to know why my balance is lower than I had thought it would be today”",
            ),
        ];
        let briefing = summary("en", &facts).briefing();
        let told = "About: balance enquiry. account number: 407123 (confirmed). \
                    In their words: I would like to know why my balance is lower than I.";
        assert_eq!(briefing.text(), told);
        assert!(briefing.pieces.contains(&Piece::Code("407123".into())));
        assert!(!summary("zh", &[]).briefing().pieces.is_empty());
    }
}

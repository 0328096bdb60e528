//! A transcript without what must be kept nowhere. What a number is, is told by its digits, by the words before and
//! after it, by what was asked, and by the turn before. A number that nobody asked for and nothing explains is masked
//! from six digits on: whether it is half a card number shows too late.

use std::ops::Range;

use super::cues::Cue;
use super::kinds::{Kind, china_id, issued_card, kind_of, luhn};
use super::numbers::{Piece, Placed, pieces};
use crate::dialog::values::HIDDEN;

/// From so many digits on a number that nothing explains is masked.
const LONG: usize = 6;
/// From so many digits on every number is that was not asked for.
const VERY_LONG: usize = 13;
/// Words after which a cue means no number any more.
const NEAR: usize = 12;

/// Numbers that the question accepts.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Wanted {
    /// A number is asked for.
    pub question: bool,
    /// The lengths that it may have.
    pub fits: Vec<(usize, usize)>,
    /// At any other question: lengths of what may be said with a request and is no secret's length.
    pub known: Vec<(usize, usize)>,
}

impl Wanted {
    fn longest(&self) -> usize {
        self.fits.iter().map(|(_, max)| *max).max().unwrap_or(0)
    }
}

/// What the next turn may continue.
#[derive(Clone, Default, PartialEq)]
pub struct Carried {
    pub(super) digits: String,
    masked: bool,
    cue: Option<Cue>,
}

impl std::fmt::Debug for Carried {
    // Digits of a secret.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Carried({} digits)", self.digits.len())
    }
}

impl Carried {
    /// There is nothing to continue.
    pub fn is_empty(&self) -> bool {
        self.digits.is_empty() && self.cue.is_none()
    }

    /// What stands of it is what was asked for then.
    pub fn fits(&self, wanted: &Wanted) -> bool {
        let length = self.shown().len();
        wanted.question && wanted.fits.iter().any(|(min, max)| (*min..=*max).contains(&length))
    }

    /// Digits that were left to stand in the turn before.
    pub fn shown(&self) -> &str {
        if self.masked { "" } else { &self.digits }
    }
}

/// A text without its secrets.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Masked {
    pub text: String,
    /// What was taken out, in order.
    pub found: Vec<Kind>,
    /// It ends what the turn before began: that is to be taken out, too.
    pub completes: bool,
    pub carried: Carried,
}

/// A number with nothing but fillers inside.
struct Run {
    digits: String,
    span: Range<usize>,
    quantity: bool,
    cue: Option<Cue>,
    /// Words since the number before, or since the beginning.
    gap: usize,
    /// Nothing between it and the number before says that it is another one.
    linked: bool,
    hide: Option<Kind>,
}

/// `text` as it may be kept, when `wanted` was asked for and `carried` came before.
pub fn mask(text: &str, wanted: &Wanted, carried: &Carried) -> Masked {
    let pieces = pieces(text);
    let (mut runs, cue) = runs(&pieces, carried.cue);
    let words = pieces.iter().any(|placed| matches!(placed.piece, Piece::Other | Piece::Cue(_)));
    let continues = !carried.digits.is_empty() && runs.first().is_some_and(|run| run.gap <= 2);
    let mut completes = false;
    for (at, run) in runs.iter_mut().enumerate() {
        let before = if at == 0 && continues { Some(carried) } else { None };
        let (hide, ends) = run.judge(wanted, before, words);
        run.hide = hide;
        completes |= ends;
    }
    link(&mut runs, wanted);
    let tail = pieces.iter().rev().take_while(|placed| !matches!(placed.piece, Piece::Digits { .. }));
    let tail = tail.filter(|placed| placed.piece != Piece::Filler).count();
    let carried = match runs.last() {
        Some(run) if tail <= 4 => {
            let begun = if runs.len() == 1 && continues { carried.digits.as_str() } else { "" };
            Carried { digits: format!("{begun}{}", run.digits), masked: run.hide.is_some(), cue: cue.or(run.cue) }
        }
        _ => Carried { cue, ..Carried::default() },
    };
    let found = runs.iter().filter_map(|run| run.hide).collect();
    Masked { text: without(text, &runs), found, completes, carried }
}

/// The part of a turn that goes on: no digit of it is kept, for what it belongs to is not known yet.
pub fn mask_part(text: &str) -> String {
    let (mut runs, _) = runs(&pieces(text), None);
    runs.iter_mut().for_each(|run| run.hide = Some(Kind::Number));
    without(text, &runs)
}

/// A line of a log without card numbers and telephone numbers (`+...`, `sip:...@`), whatever wrote it.
pub fn mask_line(line: &str) -> String {
    let bytes = line.as_bytes();
    let mut out = String::with_capacity(line.len());
    let (mut at, mut kept) = (0, 0);
    while at < bytes.len() {
        let inside = at > 0 && (bytes[at - 1].is_ascii_alphanumeric() || matches!(bytes[at - 1], b'-' | b'.' | b'_'));
        if !bytes[at].is_ascii_digit() || inside {
            at += 1;
            continue;
        }
        let (mut end, mut digits) = (at, String::new());
        for (i, &byte) in bytes.iter().enumerate().skip(at) {
            match byte {
                b'0'..=b'9' => {
                    digits.push(byte as char);
                    end = i + 1;
                }
                b' ' | b'-' if end == i => {}
                _ => break,
            }
        }
        let one = bytes[at..end].iter().all(u8::is_ascii_digit);
        let before = line[..at].trim_end_matches('+');
        let address = ["sip:", "sips:", "tel:"].iter().any(|scheme| before.ends_with(scheme));
        let number = one && (7..=15).contains(&digits.len()) && (bytes[..at].ends_with(b"+") || address);
        let goes_on = bytes.get(end).is_some_and(|byte| byte.is_ascii_alphanumeric() || *byte == b'_');
        if number || (issued_card(&digits) && !goes_on) {
            out.push_str(&line[kept..at]);
            out.push_str(HIDDEN);
            kept = end;
        }
        at = end;
    }
    out.push_str(&line[kept..]);
    out
}

fn runs(pieces: &[Placed], carried: Option<Cue>) -> (Vec<Run>, Option<Cue>) {
    let mut runs: Vec<Run> = Vec::new();
    let mut cue = carried.map(|cue| (cue, 0));
    // Whether the cue stands after the last number.
    let mut open = carried.is_some();
    let (mut gap, mut linked, mut tight) = (0, false, false);
    for (at, placed) in pieces.iter().enumerate() {
        match &placed.piece {
            Piece::Digits { text, quantity } => {
                match runs.last_mut() {
                    Some(run) if tight => {
                        run.digits.push_str(text);
                        run.span.end = placed.span.end;
                        run.quantity = false;
                    }
                    _ => runs.push(Run {
                        digits: text.clone(),
                        span: placed.span.clone(),
                        quantity: *quantity,
                        cue: cue.map(|(cue, _)| cue),
                        gap,
                        linked: linked && gap <= 2,
                        hide: None,
                    }),
                }
                // It holds for what follows at once: "my PIN is one two, hm, three four".
                cue = cue.map(|(cue, _)| (cue, NEAR - 3));
                (gap, linked, tight, open) = (0, true, true, false);
            }
            Piece::Filler => {}
            Piece::Cue(new) => {
                let stronger = cue.filter(|(_, distance)| open && *distance < 3).map_or(*new, |(old, _)| old.max(*new));
                cue = Some((stronger, 0));
                if let Some(run) = runs.last_mut().filter(|run| run.cue.is_none() && gap <= 4 && follows(pieces, at)) {
                    run.cue = Some(*new); // "1234 is my PIN"
                }
                (gap, linked, tight, open) = (gap + 1, false, false, true);
            }
            Piece::Correction | Piece::Other => {
                linked &= placed.piece == Piece::Other;
                (gap, tight) = (gap + 1, false);
                cue = cue.map(|(cue, distance)| (cue, distance + 1)).filter(|(_, distance)| *distance <= NEAR);
            }
        }
    }
    (runs, cue.filter(|_| open).map(|(cue, _)| cue))
}

/// Whether the cue at `at` says what the number before it was: no number of its own follows.
fn follows(pieces: &[Placed], at: usize) -> bool {
    !pieces[at..].iter().take(5).any(|placed| matches!(placed.piece, Piece::Digits { .. }))
}

impl Run {
    /// What it is, if it must be kept nowhere; and whether it was begun in the turn before.
    fn judge(&self, wanted: &Wanted, before: Option<&Carried>, words: bool) -> (Option<Kind>, bool) {
        let length = self.digits.len();
        let cue = self.cue.or(before.and_then(|before| before.cue));
        let hide = |kind| (Some(kind), before.is_some_and(|before| !before.shown().is_empty()));
        let keep = (None, false);
        // A PIN comes in pairs, too: "forty-two", and "seventeen" in the next turn. "I forgot my password 2 days ago".
        let least = match before {
            Some(before) if before.masked => 1,
            _ if !words => 1,
            _ if self.quantity => 3,
            _ => 2,
        };
        if cue == Some(Cue::Secret) && length >= least {
            return hide(Kind::Code);
        }
        let fits = |ranges: &[(usize, usize)]| ranges.iter().any(|(min, max)| (*min..=*max).contains(&length));
        let fit = wanted.question && fits(&wanted.fits);
        let joined = before.map(|before| format!("{}{}", before.digits, self.digits));
        let joined_length = joined.as_ref().map_or(0, String::len);
        // The same number once more is no continuation.
        let again = before.is_some_and(|before| alike(&before.digits, &self.digits));
        let card = |digits: &str| (VERY_LONG..=19).contains(&digits.len()) && luhn(digits);
        if card(&self.digits) && (!fit || issued_card(&self.digits)) {
            return hide(Kind::Card);
        }
        if let Some(joined) = joined.as_deref().filter(|_| !again)
            && card(joined)
            && (!fit || issued_card(joined))
        {
            return hide(Kind::Card);
        }
        if joined.as_deref().is_some_and(china_id) {
            return hide(Kind::NationalId);
        }
        if fit {
            return keep;
        }
        if length >= VERY_LONG {
            return hide(kind_of(&self.digits));
        }
        let by_cue = match cue {
            Some(Cue::Card) => Some(Kind::Card),
            Some(Cue::NationalId) => Some(Kind::NationalId),
            Some(Cue::Code) if !wanted.question => Some(Kind::Code),
            Some(Cue::Phone) if !wanted.question => Some(Kind::Phone),
            _ => None,
        };
        let continued = before.is_some_and(|before| before.masked) && length >= 2;
        if wanted.question {
            // Longer than what is asked for, alone or with the turn before, it is something else.
            let longest = wanted.longest();
            return match by_cue.filter(|_| length >= 4) {
                Some(kind) => hide(kind),
                None if continued || (length >= LONG && length > longest) => hide(kind_of(&self.digits)),
                None if joined_length >= VERY_LONG && !again => hide(Kind::Number),
                None if joined_length >= LONG && length >= 2 && !again => hide(Kind::Number),
                None => keep,
            };
        }
        if self.quantity && !continued {
            return keep;
        }
        match by_cue.filter(|kind| length >= if *kind == Kind::Phone { LONG } else { 4 }) {
            Some(kind) => hide(kind),
            None if continued || (joined_length >= VERY_LONG && !again) => hide(Kind::Number),
            None if cue == Some(Cue::Reference) => keep,
            None if words && fits(&wanted.known) => keep,
            None if length >= LONG => hide(kind_of(&self.digits)),
            None if joined_length >= LONG && !again && length >= 2 => (Some(Kind::Number), false),
            None => keep,
        }
    }
}

/// Numbers with a word or two between them may be one.
fn link(runs: &mut [Run], wanted: &Wanted) {
    let limit = if wanted.question { LONG.max(wanted.longest() + 1) } else { LONG };
    let mut from = 0;
    while from < runs.len() {
        let mut to = from + 1;
        while to < runs.len() && runs[to].linked {
            to += 1;
        }
        let chain = &mut runs[from..to];
        let total: usize = chain.iter().filter(|run| !run.quantity).map(|run| run.digits.len()).sum();
        let reference = chain.iter().all(|run| run.cue == Some(Cue::Reference)) && total < VERY_LONG;
        let fits = |run: &Run| {
            wanted.question && wanted.fits.iter().any(|(min, max)| (*min..=*max).contains(&run.digits.len()))
        };
        let known = chain.iter().any(|run| run.hide.is_none() && run.digits.len() >= LONG) && total < VERY_LONG;
        let whole: String = chain.iter().map(|run| run.digits.as_str()).collect();
        if chain.len() > 1 && issued_card(&whole) {
            chain.iter_mut().for_each(|run| run.hide = Some(Kind::Card));
        }
        if chain.len() > 1 && total >= limit && !reference && !known {
            for run in chain.iter_mut().filter(|run| run.hide.is_none() && !run.quantity && !fits(run)) {
                run.hide = Some(kind_of(&whole));
            }
        }
        from = to;
    }
}

/// Said again, perhaps heard a little differently.
fn alike(a: &str, b: &str) -> bool {
    let same = a.chars().zip(b.chars()).filter(|(a, b)| a == b).count();
    let misheard = if b.len() < LONG { 0 } else { b.len() / 4 };
    a.len().abs_diff(b.len()) <= 1 && same + misheard >= a.len().max(b.len()) && a.len() >= 4
}

fn without(text: &str, runs: &[Run]) -> String {
    let mut out = String::with_capacity(text.len());
    let mut kept = 0;
    for run in runs.iter().filter(|run| run.hide.is_some()) {
        out.push_str(&text[kept..run.span.start]);
        out.push_str(HIDDEN);
        kept = run.span.end;
    }
    out.push_str(&text[kept..]);
    out
}

#[cfg(test)]
mod tests {
    use super::super::numbers::digits_of;
    use super::*;

    fn free(text: &str) -> Masked {
        mask(text, &Wanted::default(), &Carried::default())
    }

    fn asked(text: &str, min: usize, max: usize) -> Masked {
        let wanted = Wanted { question: true, fits: vec![(min, max)], known: vec![] };
        mask(text, &wanted, &Carried::default())
    }

    #[test]
    fn secrets_go_whatever_was_asked() {
        for text in [
            "my card is 4111 1111 1111 1111 thanks",
            "four one double one, one one one one, quadruple one one one one one",
            "forty-one eleven eleven eleven eleven eleven eleven eleven",
            "卡号是四幺幺幺，幺幺幺幺，幺幺幺幺，幺幺幺幺",
            "the PIN is one two three four",
            "it's 4 3 2 1, that's my pin",
            "我的密码是一二三四",
            "验证码 九九八八七七",
            "you sent me a one time code it says 483920",
            "the security code is 123",
            "4111.1111 hm, 1111 and 1111",
        ] {
            for masked in [free(text), asked(text, 6, 8)] {
                assert!(digits_of(&masked.text).len() < 3 && !masked.found.is_empty(), "{text} -> {}", masked.text);
            }
        }
    }

    #[test]
    fn a_pin_in_pairs_goes_pair_by_pair() {
        for text in
            ["my pin is 42 17", "the pin is forty-two, seventeen", "my pin is 42 and then 17", "密码是四十二，十七"]
        {
            assert!(digits_of(&free(text).text).is_empty(), "{text} -> {}", free(text).text);
        }
        for turns in [
            ["my pin is", "forty-two", "seventeen"],
            ["my pin is 42", "it goes on", "17"],
            ["我的密码是", "四十二", "十七"],
        ] {
            let mut carried = Carried::default();
            let mut kept = String::new();
            for turn in turns {
                let masked = mask(turn, &Wanted::default(), &carried);
                kept += &digits_of(&masked.text);
                carried = masked.carried;
            }
            assert_eq!(kept, "", "{turns:?}");
        }
        assert_eq!(free("I forgot my password 2 days ago").text, "I forgot my password 2 days ago");
    }

    #[test]
    fn a_word_before_a_secret_may_be_misheard() {
        // As a telephone's recogniser wrote them.
        for text in [
            "My pen is 5562.",
            "My pen is 567.9.",
            "My 10 is 5591.",
            "My social security number is 5155-4355-6.",
            "My card number is 4184. 6373. 3767. 0367.",
            "The verification code is 577-7-1-39.",
            "念中马是525, 一五",
            "念正马是5929,四星",
            "念就马是5、5、6、4、6、1",
            "宴照马是5-51-5,99",
            "烟著马是525453595",
            "我的密码是5-896",
            "我的线份正好是四四一二三",
            "我的宣传就好是101-0519-5905-2595-58",
            "我的卡号是说要爱 97911273 961",
            "米马是四二一七",
        ] {
            assert!(digits_of(&free(text).text).is_empty(), "{text} -> {}", free(text).text);
        }
        for text in ["我有四二一七个", "我的订单号码是45395787"] {
            assert_eq!(free(text).text, text);
        }
    }

    #[test]
    fn a_date_beside_a_card_stays() {
        for text in [
            "my card expired in March 2024, I want an appointment on the fourteenth of May",
            "my card expired in March twenty twenty-four",
            "I want an appointment in June of 2027, my card expires then",
            "my card has expired since 2024",
            "the card that you sent me in nineteen ninety eight is lost",
            "my card is gone, can I come at ten forty five on May 3rd, 2027",
            "我的卡2024年3月到期了，我想预约",
        ] {
            assert_eq!(free(text).text, text);
        }
        // Which does not let a card's or a PIN's digits through.
        for text in [
            "my pin is 2024",
            "the pin, it was set in March, is 2024",
            "my card 4111 1111 1111 1111 expires March 2024",
        ] {
            assert!(free(text).text.contains(HIDDEN), "{text}");
        }
        assert_eq!(digits_of(&free("card 4111 1111 1111 1111 security code 123 expiry 0327").text), "");
    }

    #[test]
    fn long_numbers_that_nobody_asked_for_go() {
        for text in [
            "407123",
            "five five five one two three four five six seven",
            "my social is 078-05-1120",
            "身份证号 11010519491231002X",
            "打我手机幺三八零零幺三八零零零",
            "it is 411, er, 111 and, well, 111 then",
        ] {
            let masked = free(text);
            assert!(digits_of(&masked.text).is_empty() && !masked.text.contains('X'), "{text} -> {}", masked.text);
        }
        assert_eq!(free("身份证号 11010519491231002X").found, [Kind::NationalId]);
        assert_eq!(free("call 13800138000").found, [Kind::Phone]);
    }

    #[test]
    fn what_is_asked_for_or_explained_stays() {
        for text in ["407123", "four oh seven one two three", "407122, no, 407123", "my code is 407123", "四零七幺二三"]
        {
            assert_eq!(asked(text, 6, 6).text, text);
        }
        for text in [
            "balance for account 407123",
            "where is order number one two three four five six seven eight",
            "我的订单号是一二三四五六七八",
            "I paid $1,500,000 on 21/11/2026 at 9:30 to 10:45",
            "two hundred thousand dollars",
            "三百二十万",
            "I have two cards and one account",
            "my flight at 10 30 on gate 22",
            "一个两个都可以",
        ] {
            assert_eq!(free(text).text, text, "{:?}", pieces(text));
        }
        let menu = Wanted { question: false, fits: vec![], known: vec![(8, 8)] };
        let said = "I want to track 12345678";
        assert_eq!(mask(said, &menu, &Carried::default()).text, said);
        assert_eq!(mask("12345678", &menu, &Carried::default()).text, HIDDEN);
    }

    #[test]
    fn a_number_goes_on_in_the_next_turn() {
        let first = free("my credit card number is");
        let next = mask("four one one one", &Wanted::default(), &first.carried);
        assert_eq!(next.text, HIDDEN);
        let next = mask("one one", &Wanted::default(), &next.carried);
        assert_eq!((next.text.as_str(), next.completes), (HIDDEN, false));
        // Half of it looked like an order's number.
        let first = free("order 45395787");
        assert!(first.found.is_empty());
        let next = mask("6362 1486", &Wanted::default(), &first.carried);
        assert_eq!((next.text.as_str(), next.completes), (HIDDEN, true));
        // Asked for, misheard and said again.
        let wanted = Wanted { question: true, fits: vec![(8, 8)], known: vec![] };
        let first = mask("12345678", &wanted, &Carried::default());
        assert_eq!(mask("12345679", &wanted, &first.carried).text, "12345679");
        let pin = free("my pin is");
        assert_eq!(mask("1 2 3 4", &wanted, &pin.carried).text, HIDDEN);
    }

    #[test]
    fn parts_hold_no_digit() {
        assert_eq!(mask_part("yes four one, and 22 apples"), "yes *** apples");
        assert_eq!(mask_part("没有"), "没有");
    }

    #[test]
    fn log_lines_lose_numbers_of_people() {
        assert_eq!(mask_line("from sip:+442071234567@host to 4111 1111 1111 1111."), "from sip:+***@host to ***.");
        let line = "call 01993a2e-4c1f-7000-8000-4111111111111111 took 1763758030123456 ns, 4111111111111112";
        assert_eq!(mask_line(line), line);
    }
}

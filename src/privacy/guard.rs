//! One caller's words and keys, one after the other: numbers that go on in the next turn, cards keyed where nobody
//! asked for one. What is found too late is said as a time since when all is to be forgotten.

use super::kinds::{Kind, china_id, issued_card, luhn};
use super::mask::{Carried, Masked, Wanted, mask};

/// Two turns further apart than this hold two numbers, ms.
const TURNS: u64 = 20_000;
/// Keys further apart than this are two rows: a menu may be given keys again.
const ROW: u64 = 3_000;
/// Rows further apart than this belong to two things: a card is read off in groups, ms.
const ROWS: u64 = 20_000;
/// Keys in a row that a menu may be given at once; what follows as fast is no choice but a number.
const AHEAD: usize = 3;
/// A number this much like the one before is that one, heard once more.
const AGAIN: f64 = 0.6;
/// Sound around a secret that is silenced as well, ms.
const AROUND: u64 = 300;

/// Follows one caller.
#[derive(Default)]
pub struct Guard {
    turn: Carried,
    /// Where the number that may go on began, and the end of the last turn, ms of the call.
    turn_from: u64,
    turn_to: u64,
    /// At which step it was, and whether its number is what was asked for there.
    step: String,
    answered: bool,
    keys: Vec<Pressed>,
    /// Where the keys begin that came without a pause.
    row: usize,
    /// The keys that go on are a card's.
    card: bool,
}

struct Pressed {
    at_ms: u64,
    key: char,
    /// A number was asked for.
    asked: bool,
    /// At which step.
    step: String,
}

/// What may be known of a turn.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Spoken {
    /// In the order given.
    pub readings: Vec<String>,
    pub found: Vec<Kind>,
    /// What was known since then holds the beginning of what was found.
    pub forget_since: Option<u64>,
    /// Sound to be silenced, ms of the call.
    pub blank: Option<(u64, u64)>,
}

/// What may be known of a key.
#[derive(Clone, Debug, PartialEq)]
pub struct Keyed {
    /// The call is told.
    pub pass: bool,
    pub found: Option<Kind>,
    pub forget_since: Option<u64>,
    pub blank: Option<(u64, u64)>,
}

impl Guard {
    /// A turn from `from_ms` to `to_ms` at a step of this name, its readings best first.
    pub fn spoken(&mut self, from_ms: u64, to_ms: u64, readings: &[&str], wanted: &Wanted, step: &str) -> Spoken {
        if from_ms > self.turn_to + TURNS || (self.answered && step != self.step) {
            self.turn = Carried::default();
        }
        // "I forgot my password" says nothing of the account number that is asked for next.
        if step != self.step && wanted.question && self.turn.digits.is_empty() {
            self.turn = Carried::default();
        }
        // The number asked for, said once more and heard a little otherwise, is no half of a longer one.
        let again = |text: &&str| {
            let alone = mask(text, wanted, &Carried::default());
            let (before, now) = (self.turn.shown(), alone.carried.shown());
            let alike = alone.carried.fits(wanted) && strsim::normalized_levenshtein(before, now) >= AGAIN;
            let digit_lost =
                self.turn.fits(wanted) && now.len() + 1 == before.len() && strsim::levenshtein(before, now) == 1;
            alone.found.is_empty() && !now.is_empty() && (alike || digit_lost)
        };
        if step == self.step && readings.first().is_some_and(again) {
            self.turn = Carried::default();
        }
        let masked: Vec<Masked> = readings.iter().map(|text| mask(text, wanted, &self.turn)).collect();
        let found: Vec<Kind> =
            masked.iter().find(|masked| !masked.found.is_empty()).map_or(Vec::new(), |masked| masked.found.clone());
        let forget_since = masked.iter().any(|masked| masked.completes).then_some(self.turn_from);
        let begins = self.turn.is_empty();
        if let Some(best) = masked.first() {
            self.turn = best.carried.clone();
        }
        if begins || self.turn.is_empty() {
            self.turn_from = from_ms;
        }
        self.turn_to = to_ms;
        self.answered = self.turn.fits(wanted);
        if step != self.step {
            self.step = step.to_owned();
        }
        let from = forget_since.unwrap_or(from_ms).saturating_sub(AROUND);
        let blank = (!found.is_empty()).then_some((from, to_ms + AROUND));
        Spoken { readings: masked.into_iter().map(|masked| masked.text).collect(), found, forget_since, blank }
    }

    /// A key (`0`-`9`, `*`, `#`) at a step of this name; `asked`: a number, or a secret, is being keyed there.
    pub fn key(&mut self, now_ms: u64, key: char, asked: bool, step: &str) -> Keyed {
        match self.keys.last().map_or(0, |last| now_ms.saturating_sub(last.at_ms)) {
            apart if apart > ROWS => self.keys_over(),
            apart if apart > ROW => (self.row, self.card) = (self.keys.len(), false),
            _ => {}
        }
        let pass = Keyed { pass: true, found: None, forget_since: None, blank: None };
        if !key.is_ascii_digit() {
            return pass;
        }
        self.keys.push(Pressed { at_ms: now_ms, key, asked, step: step.to_owned() });
        let here = Some((now_ms.saturating_sub(AROUND), now_ms + AROUND));
        if self.card {
            return Keyed { pass: false, found: None, forget_since: None, blank: here };
        }
        if let Some(from) = self.card_begins() {
            self.card = true;
            let since = self.keys[from].at_ms;
            let blank = Some((since.saturating_sub(AROUND), now_ms + AROUND));
            return Keyed { pass: false, found: Some(Kind::Card), forget_since: Some(since), blank };
        }
        let row = &self.keys[self.row..];
        let unasked = row.iter().rev().take_while(|pressed| !pressed.asked).count();
        let same = row.iter().all(|pressed| pressed.key == key);
        if unasked > AHEAD && !same && key != '0' {
            // Keyed wrongly, perhaps, but nothing that a flow wants has this many keys.
            if row.len() >= 13 {
                self.card = true;
                let since = row[0].at_ms;
                let blank = Some((since.saturating_sub(AROUND), now_ms + AROUND));
                return Keyed { pass: false, found: Some(Kind::Number), forget_since: Some(since), blank };
            }
            return Keyed { pass: false, found: Some(Kind::Number), forget_since: None, blank: here };
        }
        pass
    }

    /// The keys that were gathered by `now_ms` are no answer: since when they were pressed.
    pub fn keys_came_to_nothing(&mut self, now_ms: u64) -> Option<u64> {
        let gathered = self.keys.iter().rev().take_while(|pressed| pressed.asked).last().map(|pressed| pressed.at_ms);
        self.keys_over();
        gathered.filter(|at| now_ms < at + 60_000)
    }

    fn keys_over(&mut self) {
        self.keys.clear();
        (self.row, self.card) = (0, false);
    }

    /// Where a card number begins that the last key ends: with a row of keys, or with a step's.
    fn card_begins(&self) -> Option<usize> {
        let lengths = (13..=19).filter(|length| *length <= self.keys.len());
        lengths.map(|length| self.keys.len() - length).find(|&at| {
            let keys = &self.keys[at..];
            let begins = at == 0 || self.keys[at].step != self.keys[at - 1].step || self.parted(at);
            let digits: String = keys.iter().map(|pressed| pressed.key).collect();
            let unasked = keys.iter().filter(|pressed| !pressed.asked).count();
            let known = match at < self.row {
                true => issued_card(&digits) && self.in_groups(at),
                false => luhn(&digits) && (issued_card(&digits) || unasked > AHEAD),
            };
            begins && (known || china_id(&digits)) && !self.chosen_one_by_one(at)
        })
    }

    /// There is a pause before the key at this place.
    fn parted(&self, at: usize) -> bool {
        at > 0 && self.keys[at].at_ms > self.keys[at - 1].at_ms + ROW
    }

    /// The keys from there on are choices of menus, hardly two of them in a row: by and by they make any number.
    fn chosen_one_by_one(&self, from: usize) -> bool {
        let lone = (from..self.keys.len()).filter(|&at| {
            let begins = at == from || self.parted(at);
            begins && !self.keys[at].asked && (at + 1 == self.keys.len() || self.parted(at + 1))
        });
        2 * lone.count() > self.keys.len() - from
    }

    /// The rows of keys from there on may be one card's: they are keyed where one number, or none, is asked for, or in groups
    /// as they stand on cards. An answer after the other is no card, nor is one that is keyed twice.
    fn in_groups(&self, from: usize) -> bool {
        let mut starts = vec![from];
        starts.extend((from + 1..self.keys.len()).filter(|at| self.parted(*at)));
        starts.push(self.keys.len());
        let groups: Vec<&[Pressed]> = starts.windows(2).map(|pair| &self.keys[pair[0]..pair[1]]).collect();
        let lengths: Vec<usize> = groups.iter().map(|group| group.len()).collect();
        let printed = matches!(lengths.as_slice(), [4, 4, 4, 1..=4] | [4, 4, 4, 4, 1..=3] | [4, 6, 4 | 5]);
        let step = self.keys[from..].iter().find(|pressed| pressed.asked).map(|pressed| &pressed.step);
        let one = self.keys[from..].iter().all(|pressed| !pressed.asked || Some(&pressed.step) == step);
        let again = |pair: &[&[Pressed]]| pair[0].iter().map(|key| key.key).eq(pair[1].iter().map(|key| key.key));
        printed || (one && !groups.windows(2).any(again))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn press(guard: &mut Guard, from_ms: u64, keys: &str, asked: bool, step: &str) -> (String, Option<u64>) {
        let mut passed = String::new();
        let mut forget = None;
        for (n, key) in keys.chars().enumerate() {
            let keyed = guard.key(from_ms + 250 * n as u64, key, asked, step);
            if keyed.pass {
                passed.push(key);
            }
            forget = forget.or(keyed.forget_since);
        }
        (passed, forget)
    }

    #[test]
    fn a_password_forgotten_says_nothing_of_the_account_number() {
        let mut guard = Guard::default();
        guard.spoken(0, 1_000, &["I forgot my password"], &Wanted::default(), "menu");
        let account = Wanted { question: true, fits: vec![(6, 6)], known: vec![] };
        assert_eq!(guard.spoken(5_000, 7_000, &["407123"], &account, "account").readings, ["407123"]);
    }

    #[test]
    fn a_card_keyed_into_a_menu_does_not_get_far() {
        let mut guard = Guard::default();
        assert_eq!(press(&mut guard, 1_000, "4539578763621486", false, "menu"), ("453".into(), Some(1_000)));
        // After a pause keys choose again.
        assert_eq!(press(&mut guard, 12_000, "12", false, "menu"), ("12".into(), None));
        assert_eq!(press(&mut guard, 60_000, "12", false, "menu"), ("12".into(), None));
        assert_eq!(press(&mut Guard::default(), 0, "1111111", false, "menu").0, "1111111", "impatience");
    }

    #[test]
    fn a_card_keyed_for_an_account_is_forgotten() {
        let mut guard = Guard::default();
        assert_eq!(press(&mut guard, 0, "453957", true, "account").0, "453957");
        let (passed, forget) = press(&mut guard, 1_500, "8763621486", false, "confirm");
        assert_eq!((passed.as_str(), forget), ("876", Some(0)));
    }

    #[test]
    fn a_card_keyed_in_groups_is_forgotten_from_its_first() {
        let card = ["4539", "5787", "6362", "1486"];
        for step in ["account", "menu"] {
            let (mut guard, mut forget) = (Guard::default(), Vec::new());
            for (n, group) in card.into_iter().enumerate() {
                forget.push(press(&mut guard, 1_000 + 6_000 * n as u64, group, step == "account", step).1);
            }
            assert_eq!(forget, [None, None, None, Some(1_000)], "{step}");
        }
        // Each group was taken for an answer.
        let (mut guard, mut forget) = (Guard::default(), None);
        for (n, group) in card.into_iter().enumerate() {
            forget = press(&mut guard, 6_000 * n as u64, group, true, &format!("question {n}")).1;
        }
        assert_eq!(forget, Some(0));
        // Two answers that make a card's number by chance; and much later.
        let mut guard = Guard::default();
        for (at, keys, step) in [(0, "45395787", "account"), (6_000, "63621486", "order")] {
            assert_eq!(press(&mut guard, at, keys, true, step), (keys.into(), None));
        }
        let mut guard = Guard::default();
        for (at, keys) in [(0, "45395787"), (60_000, "63621486")] {
            assert_eq!(press(&mut guard, at, keys, true, "account"), (keys.into(), None));
        }
    }

    #[test]
    fn choices_one_after_the_other_are_no_card() {
        let mut guard = Guard::default();
        for (n, key) in "4525726535265".char_indices() {
            let passed = press(&mut guard, 6_000 * n as u64, &key.to_string(), false, "menu");
            assert_eq!(passed, (key.to_string(), None), "key {n}");
        }
    }

    #[test]
    fn who_knows_the_way_keys_ahead() {
        let mut guard = Guard::default();
        assert_eq!(press(&mut guard, 0, "1", false, "menu").0, "1");
        assert_eq!(press(&mut guard, 250, "407123", true, "account"), ("407123".into(), None));
        assert_eq!(press(&mut guard, 1_750, "1", false, "account"), ("1".into(), None));
    }

    #[test]
    fn a_number_over_two_turns_is_forgotten_and_silenced() {
        let (mut guard, wanted) = (Guard::default(), Wanted::default());
        let first = guard.spoken(1_000, 3_000, &["my order is 45395787"], &wanted, "");
        assert_eq!(first.readings, ["my order is 45395787"]);
        let second = guard.spoken(4_000, 6_000, &["6362 1486"], &wanted, "");
        assert_eq!(second.readings, ["***"]);
        assert_eq!((second.forget_since, second.blank), (Some(1_000), Some((700, 6_300))));
        let wanted = Wanted { question: true, fits: vec![(6, 6)], known: vec![] };
        let mut retried = Guard::default();
        retried.spoken(1_000, 3_000, &["0 1 5 6 1 9"], &wanted, "account");
        let again = retried.spoken(8_000, 10_000, &["0 1 3 6 1 9"], &wanted, "account");
        assert_eq!((again.readings, again.forget_since), (vec!["0 1 3 6 1 9".to_owned()], None));
        let poorly = retried.spoken(14_000, 16_000, &["0 1 3 6 9"], &wanted, "account");
        assert_eq!(
            (poorly.readings, poorly.forget_since),
            (vec!["0 1 3 6 9".to_owned()], None),
            "a digit was not heard"
        );
        let half = retried.spoken(20_000, 22_000, &["8 7 6 2 3"], &wanted, "account");
        assert_eq!((half.readings, half.forget_since), (vec!["***".to_owned()], Some(14_000)), "another number");
        let mut telephone = Guard::default();
        telephone.spoken(1_000, 3_000, &["138001"], &wanted, "account");
        assert_eq!(telephone.spoken(5_000, 7_000, &["38000"], &wanted, "account").forget_since, Some(1_000));
        let (mut pin, any) = (Guard::default(), Wanted { question: true, fits: vec![(1, 12)], known: vec![] });
        pin.spoken(1_000, 3_000, &["my PIN is"], &any, "guests");
        pin.spoken(5_000, 7_000, &["hold on"], &any, "guests");
        assert_eq!(pin.spoken(9_000, 11_000, &["4217"], &any, "guests").readings, ["***"]);
        let much_later = guard.spoken(60_000, 61_000, &["10"], &wanted, "");
        assert_eq!(much_later.readings, ["10"]);
    }
}

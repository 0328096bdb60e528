//! What a flow decides by: tests of single values, and what is made of them by "all", "any" and "not". What is not there
//! is neither above nor below, before nor after anything.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use chrono::{NaiveDate, TimeDelta};
use serde::{Deserialize, Serialize};

use super::types::Known;
use super::values::Values;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Condition {
    Value { variable: String, test: Test },
    All { all: Vec<Condition> },
    Any { any: Vec<Condition> },
    Not { not: Box<Condition> },
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Test {
    /// Capitals do not count.
    Is(String),
    IsNot(String),
    In(Vec<String>),
    Set,
    NotSet,
    Above(Limit),
    Below(Limit),
    AtLeast(Limit),
    AtMost(Limit),
    Before(Day),
    After(Day),
}

/// What a number or an amount is compared with.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Limit {
    /// Numbers, and amounts of any currency.
    Number(f64),
    /// Amounts of this currency (ISO 4217) alone.
    Money { amount: f64, currency: String },
}

/// A day that dates are compared with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Day {
    On(NaiveDate),
    /// So many days after the day of the call.
    Today(i32),
}

impl Condition {
    /// On the day of the call, by the flow's clock.
    pub fn holds(&self, values: &Values, today: NaiveDate) -> bool {
        match self {
            Self::Value { variable, test } => test.holds(values.tested(variable), today),
            Self::All { all } => all.iter().all(|one| one.holds(values, today)),
            Self::Any { any } => any.iter().any(|one| one.holds(values, today)),
            Self::Not { not } => !not.holds(values, today),
        }
    }

    /// The values that are surely there where it holds, or where it does not.
    pub fn proves(&self, holds: bool) -> BTreeSet<&str> {
        let (each, every) = match self {
            Self::Value { variable, test } => {
                let absent = matches!(test, Test::NotSet | Test::IsNot(_));
                return (holds != absent).then_some(variable.as_str()).into_iter().collect();
            }
            Self::Not { not } => return not.proves(!holds),
            Self::All { all } => (all, holds),
            Self::Any { any } => (any, !holds),
        };
        let each = each.iter().map(|one| one.proves(holds));
        let both = |a: BTreeSet<_>, b| if every { &a | &b } else { &a & &b };
        each.reduce(both).unwrap_or_default()
    }

    /// Every test in it: what stands before it (`all/1/`; nothing where it is the whole), the value, the test.
    pub fn tests(&self) -> Vec<(String, &str, &Test)> {
        match self {
            Self::Value { variable, test } => vec![(String::new(), variable, test)],
            Self::All { all } => all.iter().enumerate().flat_map(|(at, one)| one.within(format!("all/{at}"))).collect(),
            Self::Any { any } => any.iter().enumerate().flat_map(|(at, one)| one.within(format!("any/{at}"))).collect(),
            Self::Not { not } => not.within("not".to_owned()),
        }
    }

    fn within(&self, key: String) -> Vec<(String, &str, &Test)> {
        let tests = self.tests().into_iter();
        tests.map(|(place, variable, test)| (format!("{key}/{place}"), variable, test)).collect()
    }
}

impl Test {
    /// `value`: none where there is none.
    fn holds(&self, value: Option<&str>, today: NaiveDate) -> bool {
        let is = |wanted: &String| value.is_some_and(|value| value.eq_ignore_ascii_case(wanted));
        let amount = |limit: &Limit, fits: fn(f64, f64) -> bool| {
            let compared = value.and_then(|value| limit.compared(value));
            compared.is_some_and(|(amount, limit)| fits(amount, limit))
        };
        let day = |day: &Day| Some((date(value?)?, day.on(today)?));
        match self {
            Self::Is(wanted) => is(wanted),
            Self::IsNot(unwanted) => !is(unwanted),
            Self::In(wanted) => wanted.iter().any(is),
            Self::Set => value.is_some_and(|value| !value.is_empty()),
            Self::NotSet => value.is_none_or(str::is_empty),
            Self::Above(limit) => amount(limit, |amount, limit| amount > limit),
            Self::Below(limit) => amount(limit, |amount, limit| amount < limit),
            Self::AtLeast(limit) => amount(limit, |amount, limit| amount >= limit),
            Self::AtMost(limit) => amount(limit, |amount, limit| amount <= limit),
            Self::Before(limit) => day(limit).is_some_and(|(value, limit)| value < limit),
            Self::After(limit) => day(limit).is_some_and(|(value, limit)| value > limit),
        }
    }

    /// As an operator writes it.
    pub fn key(&self) -> &'static str {
        match self {
            Self::Is(_) => "is",
            Self::IsNot(_) => "is_not",
            Self::In(_) => "in",
            Self::Set | Self::NotSet => "known",
            Self::Above(_) => "above",
            Self::Below(_) => "below",
            Self::AtLeast(_) => "at_least",
            Self::AtMost(_) => "at_most",
            Self::Before(_) => "before",
            Self::After(_) => "after",
        }
    }

    /// Why it never holds of `value`, which is one of `known`; none: it may.
    pub fn never_of(&self, known: &[Known], value: &str) -> Option<String> {
        let one = known.first()?;
        let words = match self {
            Self::Is(word) | Self::IsNot(word) => std::slice::from_ref(word),
            Self::In(words) => words,
            Self::Set | Self::NotSet => return None,
            Self::Above(limit) | Self::Below(limit) | Self::AtLeast(limit) | Self::AtMost(limit) => {
                let money = matches!(limit, Limit::Money { .. });
                let compares = |money| known.iter().any(|known| known.compares(money));
                return match (compares(money), compares(false)) {
                    (true, _) => None,
                    (false, true) => Some(format!("`{value}` is {one}, and no amount of money")),
                    (false, false) => Some(format!("`{value}` is {one}: nothing that is more or less")),
                };
            }
            Self::Before(_) | Self::After(_) => {
                let dated = known.iter().any(Known::is_dated);
                return (!dated).then(|| format!("`{value}` is {one}, and no date"));
            }
        };
        let wrong = words.iter().find(|word| !known.iter().any(|known| known.may_be(word)))?;
        Some(format!("`{wrong}` is nothing that `{value}` may be"))
    }
}

impl Limit {
    /// The value's number and the limit's, where they can be compared.
    fn compared(&self, value: &str) -> Option<(f64, f64)> {
        let (number, unit) = match value.trim().split_once(' ') {
            Some((number, unit)) => (number, Some(unit.trim())),
            None => (value.trim(), None),
        };
        let number = number.parse().ok()?;
        match (self, unit) {
            (Self::Number(limit), None) => Some((number, *limit)),
            (Self::Number(limit), Some(unit)) => is_currency(unit).then_some((number, *limit)),
            (Self::Money { amount, currency }, Some(unit)) => {
                unit.eq_ignore_ascii_case(currency).then_some((number, *amount))
            }
            (Self::Money { .. }, None) => None,
        }
    }
}

impl FromStr for Limit {
    type Err = ();

    /// `100`, `-2.5`, `100 EUR`.
    fn from_str(text: &str) -> Result<Self, ()> {
        let number = |text: &str| text.parse::<f64>().ok().filter(|number| number.is_finite()).ok_or(());
        match text.trim().split_once(' ') {
            None => Ok(Self::Number(number(text.trim())?)),
            Some((amount, currency)) if is_currency(currency.trim()) => {
                Ok(Self::Money { amount: number(amount)?, currency: currency.trim().to_owned() })
            }
            Some(_) => Err(()),
        }
    }
}

fn is_currency(text: &str) -> bool {
    text.len() == 3 && text.bytes().all(|c| c.is_ascii_uppercase())
}

impl Day {
    fn on(self, today: NaiveDate) -> Option<NaiveDate> {
        match self {
            Self::On(date) => Some(date),
            Self::Today(days) => today.checked_add_signed(TimeDelta::days(days.into())),
        }
    }
}

impl FromStr for Day {
    type Err = String;

    /// `2026-12-25`, `today`, `today+30`, `today-7`.
    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("\"{text}\" is no day");
        match text.trim().strip_prefix("today") {
            None => text.trim().parse().map(Self::On).map_err(|_| wrong()),
            Some("") => Ok(Self::Today(0)),
            Some(days) if days.starts_with(['+', '-']) => days.parse().map(Self::Today).map_err(|_| wrong()),
            Some(_) => Err(wrong()),
        }
    }
}

/// As it is read in a picture of the flow: `balance below 0`, `vip is yes and not (open known)`.
impl fmt::Display for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let joined = |f: &mut fmt::Formatter<'_>, each: &[Self], word: &str| {
            each.iter().enumerate().try_for_each(|(at, one)| {
                let word = if at == 0 { "" } else { word };
                match one {
                    Self::Value { .. } => write!(f, "{word}{one}"),
                    _ => write!(f, "{word}({one})"),
                }
            })
        };
        match self {
            Self::Value { variable, test } => write!(f, "{variable} {test}"),
            Self::All { all } => joined(f, all, " and "),
            Self::Any { any } => joined(f, any, " or "),
            Self::Not { not } => write!(f, "not ({not})"),
        }
    }
}

impl fmt::Display for Test {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Is(value) => write!(f, "is {value}"),
            Self::IsNot(value) => write!(f, "is not {value}"),
            Self::In(values) => write!(f, "is {}", values.join(" or ")),
            Self::Set => f.write_str("is known"),
            Self::NotSet => f.write_str("is not known"),
            Self::Above(limit) => write!(f, "above {limit}"),
            Self::Below(limit) => write!(f, "below {limit}"),
            Self::AtLeast(limit) => write!(f, "at least {limit}"),
            Self::AtMost(limit) => write!(f, "at most {limit}"),
            Self::Before(day) => write!(f, "before {day}"),
            Self::After(day) => write!(f, "after {day}"),
        }
    }
}

impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(number) => number.fmt(f),
            Self::Money { amount, currency } => write!(f, "{amount} {currency}"),
        }
    }
}

impl fmt::Display for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::On(date) => date.fmt(f),
            Self::Today(0) => f.write_str("today"),
            Self::Today(days) => write!(f, "today{days:+}"),
        }
    }
}

impl TryFrom<String> for Day {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl From<Day> for String {
    fn from(day: Day) -> Self {
        day.to_string()
    }
}

/// The day of a date (`2026-11-03`) or of a moment as it is written (`2026-11-03T10:00:00Z`).
pub(super) fn date(value: &str) -> Option<NaiveDate> {
    let value = value.trim();
    let day = value.split(['T', ' ']).next().unwrap_or(value);
    day.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values() -> Values {
        let mut values = Values::default();
        for (name, value) in [
            ("balance", "-12.50 EUR"),
            ("points", "120"),
            ("due", "2026-11-03"),
            ("opened", "2026-11-20T10:00:00Z"),
            ("tier", "Gold"),
            ("nothing", ""),
        ] {
            values.set(name, value.into());
        }
        values.set_secret("pin", "1234".into());
        values
    }

    fn value(variable: &str, test: Test) -> Condition {
        Condition::Value { variable: variable.into(), test }
    }

    fn holds(variable: &str, test: Test) -> bool {
        value(variable, test).holds(&values(), "2026-11-23".parse().unwrap())
    }

    #[test]
    fn numbers_and_amounts_are_compared_as_such() {
        let limit = |text: &str| text.parse::<Limit>().unwrap();
        assert!(holds("points", Test::Above(limit("119.5"))) && !holds("points", Test::Above(limit("120"))));
        assert!(holds("points", Test::AtLeast(limit("120"))) && holds("points", Test::AtMost(limit("120"))));
        assert!(holds("balance", Test::Below(limit("0"))) && holds("balance", Test::Below(limit("-12.49 EUR"))));
        assert!(!holds("balance", Test::Below(limit("0 USD"))) && !holds("points", Test::Above(limit("0 EUR"))));
        for neither in ["tier", "nothing", "unknown", "due"] {
            assert!(
                !holds(neither, Test::Below(limit("1"))) && !holds(neither, Test::AtLeast(limit("0"))),
                "{neither}"
            );
        }
        for wrong in ["", "many", "1 euro", "nan", "1 2 EUR"] {
            assert!(wrong.parse::<Limit>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn dates_are_compared_with_a_day_or_the_day_of_the_call() {
        let day = |text: &str| text.parse::<Day>().unwrap();
        assert!(holds("due", Test::Before(day("today"))) && !holds("due", Test::After(day("2026-11-03"))));
        assert!(holds("opened", Test::After(day("today-4"))) && !holds("opened", Test::Before(day("today-3"))));
        assert!(!holds("tier", Test::Before(day("today"))) && !holds("unknown", Test::After(day("2000-01-01"))));
        for wrong in ["", "tomorrow", "today 3", "2026-02-30", "today+"] {
            assert!(wrong.parse::<Day>().is_err(), "{wrong}");
        }
        assert!(!holds("due", Test::Before(day("today+2147483647"))), "no such day, and no panic");
    }

    #[test]
    fn words_are_compared_without_capitals_and_a_secret_with_nothing() {
        assert!(
            holds("tier", Test::Is("gold".into())) && holds("tier", Test::In(vec!["silver".into(), "GOLD".into()]))
        );
        assert!(holds("unknown", Test::IsNot("x".into())) && holds("nothing", Test::NotSet));
        assert!(holds("pin", Test::Set) && !holds("pin", Test::Is("1234".into())));
        assert!(!holds("pin", Test::Above(Limit::Number(0.0))));
    }

    #[test]
    fn conditions_are_joined_and_tell_what_they_prove() {
        let gold = || value("tier", Test::Is("gold".into()));
        let unknown = || value("unknown", Test::Set);
        let both = Condition::All { all: vec![gold(), unknown()] };
        let either = Condition::Any { any: vec![gold(), unknown()] };
        let neither = Condition::Not { not: Box::new(either.clone()) };
        let today = "2026-11-23".parse().unwrap();
        let all = [&both, &either, &neither].map(|condition| condition.holds(&values(), today));
        assert_eq!(all, [false, true, false]);
        assert_eq!(both.proves(true), ["tier", "unknown"].into());
        assert!(both.proves(false).is_empty() && either.proves(true).is_empty());
        let absent = Condition::Any { any: vec![value("a", Test::NotSet), value("b", Test::NotSet)] };
        assert_eq!(absent.proves(false), ["a", "b"].into());
        assert_eq!(Condition::Not { not: Box::new(absent) }.proves(true), ["a", "b"].into());
        let places: Vec<String> =
            Condition::All { all: vec![gold(), neither] }.tests().into_iter().map(|test| test.0).collect();
        assert_eq!(places, ["all/0/", "all/1/not/any/0/", "all/1/not/any/1/"]);
    }

    #[test]
    fn a_condition_of_an_older_flow_is_still_read() {
        let old = serde_json::json!({ "variable": "balance", "test": { "above": 0.0 } });
        let read: Condition = serde_json::from_value(old.clone()).unwrap();
        assert_eq!(read, value("balance", Test::Above(Limit::Number(0.0))));
        assert_eq!(serde_json::to_value(read).unwrap(), old);
        let day = value("due", Test::Before(Day::Today(-7)));
        assert_eq!(serde_json::from_value::<Condition>(serde_json::to_value(&day).unwrap()).unwrap(), day);
    }
}

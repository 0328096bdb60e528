//! What values are, and what follows for how they are filled, read out and compared.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::condition::{Limit, date};
use super::flow::{SlotKind, dialled};
use super::slots::{NO, YES};
use super::template::ReadAs;

/// What a value is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Type {
    /// Any words.
    Text,
    /// `3.5`.
    Number,
    /// An amount with its currency (ISO 4217): `12.50 EUR`.
    Money,
    /// `2026-11-03`, whatever time of day may follow.
    Date,
    /// `15:30`, whatever seconds may follow.
    Time,
    /// `+44 20 7946 0012`.
    Phone,
    /// Said sign by sign: `B4711`.
    Code,
    /// `yes` or `no`.
    YesNo,
}

impl Type {
    /// What answers of a kind are; none: whatever its own values are.
    fn of(kind: &SlotKind) -> Option<Self> {
        Some(match kind {
            SlotKind::Digits { .. } | SlotKind::Code { .. } | SlotKind::StreetNumber | SlotKind::Postcode { .. } => {
                Self::Code
            }
            SlotKind::YesNo => Self::YesNo,
            SlotKind::Number { .. } => Self::Number,
            SlotKind::Date { .. } => Self::Date,
            SlotKind::Time => Self::Time,
            SlotKind::Money { .. } => Self::Money,
            SlotKind::Phone => Self::Phone,
            SlotKind::Free | SlotKind::List { .. } | SlotKind::Name { .. } => return None,
        })
    }

    /// Whether this is such a value, as it is kept.
    pub fn admits(self, value: &str) -> bool {
        let value = value.trim();
        match self {
            Self::Text => true,
            Self::Number => value.parse::<f64>().is_ok_and(f64::is_finite),
            Self::Money => matches!(value.parse(), Ok(Limit::Money { .. })),
            Self::Date => date(value).is_some(),
            Self::Time => time(value),
            Self::Phone => dialled(value).is_some(),
            Self::Code => value.chars().any(char::is_alphanumeric),
            Self::YesNo => [YES, NO].iter().any(|known| known.eq_ignore_ascii_case(value)),
        }
    }

    /// Whether such a value makes sense when it is read so.
    fn reads(self, read: ReadAs) -> bool {
        match read {
            ReadAs::Words => true,
            ReadAs::Code => matches!(self, Self::Text | Self::Number | Self::Phone | Self::Code),
            ReadAs::Phone => matches!(self, Self::Phone | Self::Code),
            ReadAs::Number => matches!(self, Self::Number | Self::Code),
            ReadAs::Money => self == Self::Money,
            ReadAs::Date => self == Self::Date,
            ReadAs::Time => self == Self::Time,
        }
    }
}

fn time(value: &str) -> bool {
    let mut parts = value.split(':').map(|part| (part.len() == 2).then(|| part.parse::<u8>().ok()).flatten());
    let (hour, minute) = (parts.next().flatten(), parts.next().flatten());
    hour.is_some_and(|hour| hour < 24) && minute.is_some_and(|minute| minute < 60) && parts.all(|part| part.is_some())
}

/// "is a number": for messages.
impl fmt::Display for Type {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Text => "a text",
            Self::Number => "a number",
            Self::Money => "an amount of money",
            Self::Date => "a date",
            Self::Time => "a time of day",
            Self::Phone => "a telephone number",
            Self::Code => "a code",
            Self::YesNo => "yes or no",
        })
    }
}

/// What is known of a value before any call.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Known<'f> {
    /// The flow says so.
    Typed(Type),
    /// It is asked for as this.
    Asked(&'f SlotKind),
    /// These words.
    Written(&'f str),
}

impl Known<'_> {
    /// Whether it is always such a value.
    pub fn is(&self, of: Type) -> bool {
        match self {
            _ if of == Type::Text => true,
            Self::Typed(own) => *own == of,
            Self::Asked(SlotKind::Digits { .. }) => matches!(of, Type::Code | Type::Number),
            Self::Asked(kind) => match Type::of(kind) {
                Some(own) => own == of,
                None => self.all(|value| of.admits(value)),
            },
            Self::Written(words) => of.admits(words),
        }
    }

    /// Whether it makes sense when it is read so.
    pub fn reads(&self, read: ReadAs) -> bool {
        let meant = match read {
            ReadAs::Words | ReadAs::Code => Type::Text,
            ReadAs::Phone => Type::Phone,
            ReadAs::Number => Type::Number,
            ReadAs::Money => Type::Money,
            ReadAs::Date => Type::Date,
            ReadAs::Time => Type::Time,
        };
        let fits = |value: &str| meant.admits(value);
        match self {
            Self::Typed(own) => own.reads(read),
            Self::Asked(kind) => match Type::of(kind) {
                Some(own) => own.reads(read),
                None => self.all(fits),
            },
            Self::Written(words) => fits(words),
        }
    }

    /// Whether it may be this.
    pub fn may_be(&self, value: &str) -> bool {
        match self {
            Self::Typed(own) => own.admits(value),
            Self::Asked(SlotKind::Free | SlotKind::List { many: true, .. }) => true,
            Self::Asked(kind) => match Type::of(kind) {
                Some(own) => own.admits(value),
                None => kind.listed().iter().any(|known| known.value.eq_ignore_ascii_case(value)),
            },
            Self::Written(words) => words.trim().eq_ignore_ascii_case(value),
        }
    }

    /// Whether it may be more or less than a number, or than an amount of money.
    pub fn compares(&self, money: bool) -> bool {
        let number = |value: &str| (!money && Type::Number.admits(value)) || Type::Money.admits(value);
        match self {
            Self::Typed(own) => *own == Type::Money || (*own == Type::Number && !money),
            Self::Asked(SlotKind::Free | SlotKind::Money { .. }) => true,
            Self::Asked(SlotKind::Number { .. } | SlotKind::Digits { .. }) => !money,
            Self::Asked(kind) => kind.listed().iter().any(|value| number(&value.value)),
            Self::Written(words) => number(words),
        }
    }

    /// Whether it may be before or after a day.
    pub fn is_dated(&self) -> bool {
        match self {
            Self::Typed(own) => *own == Type::Date,
            Self::Asked(SlotKind::Free | SlotKind::Date { .. }) => true,
            Self::Asked(kind) => kind.listed().iter().any(|value| Type::Date.admits(&value.value)),
            Self::Written(words) => Type::Date.admits(words),
        }
    }

    /// Of every value of its list; of one without a list, which may be anything, too.
    fn all(&self, fits: impl Fn(&str) -> bool) -> bool {
        match self {
            Self::Asked(kind) => kind.listed().iter().all(|value| fits(&value.value)),
            _ => true,
        }
    }
}

/// "is a date", "is \"apple\"": for messages.
impl fmt::Display for Known<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Typed(own) => own.fmt(f),
            Self::Asked(SlotKind::Digits { .. }) => f.write_str("digits"),
            Self::Asked(kind) => match Type::of(kind) {
                Some(own) => own.fmt(f),
                None if kind.listed().is_empty() => f.write_str("whatever is said"),
                None => f.write_str("one of a list"),
            },
            Self::Written(words) => write!(f, "\"{words}\""),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dialog::flow::ListValue;

    #[test]
    fn a_type_admits_its_values_and_no_others() {
        let cases = [
            (Type::Number, &["3.5", "-2", "0042"][..], &["", "three", "12.50 EUR", "inf"][..]),
            (Type::Money, &["12.50 EUR", "-1 USD"], &["12.50", "EUR", "12.50 euro"]),
            (Type::Date, &["2026-11-03", "2026-11-03T10:00:00Z"], &["2026-02-30", "tomorrow", "3.11.2026"]),
            (Type::Time, &["15:30", "00:00:59"], &["24:00", "9:5", "noon", "12:60", "12"]),
            (Type::Phone, &["+44 20 7946 0012", "110"], &["12", "no", "+"]),
            (Type::Code, &["B4711", "12-A"], &["", "--"]),
            (Type::YesNo, &["yes", "No"], &["maybe", ""]),
            (Type::Text, &["anything", ""], &[]),
        ];
        for (kind, good, bad) in cases {
            good.iter().for_each(|value| assert!(kind.admits(value), "{kind}: {value}"));
            bad.iter().for_each(|value| assert!(!kind.admits(value), "{kind}: {value}"));
        }
    }

    #[test]
    fn a_list_is_what_all_its_values_are() {
        let list = |values: &[&str]| {
            let value = |value: &&str| ListValue { value: (*value).into(), ..ListValue::default() };
            SlotKind::List { values: values.iter().map(value).collect(), many: false }
        };
        let (sizes, hours) = (list(&["8", "12"]), list(&["09:00", "noon"]));
        assert!(Known::Asked(&sizes).is(Type::Number) && Known::Asked(&sizes).reads(ReadAs::Number));
        assert!(!Known::Asked(&hours).is(Type::Time) && !Known::Asked(&hours).reads(ReadAs::Time));
        assert!(Known::Asked(&sizes).may_be("8") && !Known::Asked(&sizes).may_be("9"));
        assert!(Known::Asked(&sizes).compares(false) && !Known::Asked(&sizes).is_dated());
    }
}

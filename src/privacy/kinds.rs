//! What a string of digits is, by its digits alone.

/// Kinds of numbers that are kept out of every sink. `Code` is a PIN, a one-time code, a card's security code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    Card,
    Code,
    NationalId,
    Phone,
    /// A long number that nobody asked for.
    Number,
}

impl Kind {
    /// For metrics.
    pub fn name(self) -> &'static str {
        match self {
            Kind::Card => "card",
            Kind::Code => "code",
            Kind::NationalId => "national_id",
            Kind::Phone => "phone",
            Kind::Number => "number",
        }
    }
}

/// A kind and how to tell it by its digits (an `X` may end them). The list to extend for other countries' ids.
type Rule = (Kind, fn(&str) -> bool);
const RULES: [Rule; 4] = [
    (Kind::NationalId, china_id),
    (Kind::Card, card_number),
    (Kind::Phone, china_mobile),
    (Kind::NationalId, us_social_security),
];

/// The first kind whose rule these digits keep; `Number` for none.
pub fn kind_of(digits: &str) -> Kind {
    RULES.iter().find(|(_, rule)| rule(digits)).map_or(Kind::Number, |(kind, _)| *kind)
}

/// ISO/IEC 7812-1, annex B.
pub fn luhn(digits: &str) -> bool {
    let mut sum = 0;
    for (at, c) in digits.chars().rev().enumerate() {
        let Some(digit) = c.to_digit(10) else { return false };
        sum += if at % 2 == 1 { digit * 2 / 10 + digit * 2 % 10 } else { digit };
    }
    sum % 10 == 0 && !digits.is_empty()
}

/// 12 to 19 digits (ISO/IEC 7812-1) with their check digit.
pub fn card_number(digits: &str) -> bool {
    (12..=19).contains(&digits.len()) && luhn(digits)
}

/// A card number that begins as those of the issuers that telephones meet do.
pub fn issued_card(digits: &str) -> bool {
    let prefix = |n: usize| digits.get(..n).and_then(|text| text.parse::<u32>().ok()).unwrap_or(0);
    let length = digits.len();
    let issuer = match (prefix(1), prefix(2), prefix(3), prefix(4)) {
        (4, ..) => matches!(length, 13 | 16 | 19),            // Visa
        (_, 34 | 37, ..) => length == 15,                     // American Express
        (_, 51..=55, ..) | (.., 2221..=2720) => length == 16, // Mastercard
        (_, 62 | 81, ..) => (16..=19).contains(&length),      // UnionPay
        (.., 3528..=3589) => (16..=19).contains(&length),     // JCB
        (.., 6011) | (_, _, 644..=649, _) | (_, 65, ..) => (16..=19).contains(&length), // Discover
        (_, 36 | 38 | 39, ..) | (_, _, 300..=305, _) => (14..=19).contains(&length), // Diners Club
        (_, 50 | 56..=69, ..) => (12..=19).contains(&length), // Maestro and national ones
        _ => false,
    };
    issuer && luhn(digits)
}

/// GB 11643-1999: 17 digits with region (GB/T 2260), date of birth and sequence, and a check character (0-9 or X).
pub fn china_id(digits: &str) -> bool {
    let chars: Vec<char> = digits.chars().collect();
    if chars.len() != 18 || !chars[..17].iter().all(char::is_ascii_digit) {
        return false;
    }
    // A tenth of all numbers has the right check character; hardly any by chance has place and day, too.
    let number = |span: std::ops::Range<usize>| digits[span].parse::<u32>().unwrap_or(0);
    let province = matches!(number(0..2), 11..=15 | 21..=23 | 31..=37 | 41..=46 | 50..=54 | 61..=65 | 71 | 81..=83);
    let days = match (number(10..12), number(6..10)) {
        (2, year) if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        (2, _) => 28,
        (4 | 6 | 9 | 11, _) => 30,
        (1..=12, _) => 31,
        _ => 0,
    };
    if !province || !(1850..=2100).contains(&number(6..10)) || !(1..=days).contains(&number(12..14)) {
        return false;
    }
    const WEIGHTS: [u32; 17] = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2];
    let sum: u32 = chars.iter().zip(WEIGHTS).map(|(c, weight)| c.to_digit(10).unwrap_or(0) * weight).sum();
    "10X98765432".chars().nth((sum % 11) as usize) == Some(chars[17].to_ascii_uppercase())
}

/// Eleven digits that begin with 13 to 19.
fn china_mobile(digits: &str) -> bool {
    digits.len() == 11 && digits.starts_with('1') && !matches!(digits.as_bytes()[1], b'0' | b'1' | b'2')
}

/// Nine digits in the ranges that are issued (SSA: no area 000, 666 or 900-999, no group 00, no serial 0000).
fn us_social_security(digits: &str) -> bool {
    digits.len() == 9
        && digits.is_ascii()
        && !matches!(&digits[..3], "000" | "666")
        && !digits.starts_with('9')
        && &digits[3..5] != "00"
        && &digits[5..] != "0000"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_told_by_their_check_digits() {
        assert!(luhn("4111111111111111") && luhn("79927398713") && !luhn("4111111111111112") && !luhn(""));
        assert!(issued_card("4111111111111111") && issued_card("378282246310005") && issued_card("6200000000000005"));
        assert!(!issued_card("1111111111111117"));
        assert!(china_id("11010519491231002X") && !china_id("110105194912310021"));
        // Right check characters of no place and no day.
        for digits in ["190105194912310022", "110105194913310028", "110105194902290020", "110105304912310020"] {
            let right = (0..=10)
                .filter(|check| china_id(&format!("{}{}", &digits[..17], "0123456789X".chars().nth(*check).unwrap())));
            assert_eq!(right.count(), 0, "{digits}");
        }
        assert_eq!(
            (0..10).filter(|check| china_id(&format!("11010520000229001{check}"))).count(),
            1,
            "a leap year's day"
        );
        assert_eq!(kind_of("11010519491231002x"), Kind::NationalId);
        assert_eq!(kind_of("13800138000"), Kind::Phone);
        assert_eq!(kind_of("078051120"), Kind::NationalId);
        assert_eq!(kind_of("666051120"), Kind::Number);
    }
}

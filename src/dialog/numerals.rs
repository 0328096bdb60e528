//! The words of numbers and months, once for everything that reads or says them: values of slots, what privacy looks
//! for, likeness by sound, the voices, the judge of summaries.

/// Zero to nineteen.
pub const ONES: [&str; 20] = [
    "zero",
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
    "thirteen",
    "fourteen",
    "fifteen",
    "sixteen",
    "seventeen",
    "eighteen",
    "nineteen",
];
/// By their first digit; none below twenty.
pub const TENS: [&str; 10] = ["", "", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"];
/// As they are written.
pub const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

/// One digit, as a word of any of the languages.
pub fn digit(word: &str) -> Option<char> {
    Some(match word {
        "zero" | "oh" | "o" | "nought" | "naught" | "nil" | "零" | "〇" | "洞" | "cero" => '0',
        "one" | "一" | "壹" | "幺" | "么" | "妖" | "腰" | "邀" | "uno" => '1',
        "two" | "二" | "贰" | "两" | "兩" | "貳" | "dos" => '2',
        "three" | "三" | "叁" | "tres" => '3',
        "four" | "四" | "肆" | "cuatro" => '4',
        "five" | "fife" | "五" | "伍" | "cinco" => '5',
        "six" | "六" | "陆" | "seis" => '6',
        "seven" | "七" | "柒" | "拐" | "siete" => '7',
        "eight" | "八" | "捌" | "ocho" => '8',
        "nine" | "niner" | "九" | "玖" | "勾" | "nueve" => '9',
        _ => return word.parse::<char>().ok().filter(char::is_ascii_digit),
    })
}

/// "ten" to "nineteen".
pub fn teen(word: &str) -> Option<u32> {
    ONES.iter().zip(0..).skip(10).find_map(|(teen, n)| (*teen == word).then_some(n))
}

/// "twenty" to "ninety".
pub fn ten(word: &str) -> Option<u32> {
    let word = if word == "fourty" { "forty" } else { word };
    TENS.iter().zip(0..).skip(2).find_map(|(ten, n)| (*ten == word).then_some(n * 10))
}

/// A month by its whole name, in any case, as 1 to 12.
pub fn month(word: &str) -> Option<u32> {
    MONTHS.iter().zip(1..).find_map(|(month, n)| month.eq_ignore_ascii_case(word).then_some(n))
}

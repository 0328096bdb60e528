//! Secrets as callers tell them, and a search for what stayed of them. Neither uses the product's own reading of
//! numbers: what that misses has to be found here.
#![allow(dead_code)] // each test uses what it needs

use frontdesk::call::Event;
use frontdesk::dialog::flow::{Message, Step};
use serde_json::Value;

use super::{Script, flows};

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Secret {
    Card,
    Pin,
    OneTimeCode,
    ChinaId,
    SocialSecurity,
    Phone,
}

pub const ALL: [Secret; 6] =
    [Secret::Card, Secret::Pin, Secret::OneTimeCode, Secret::ChinaId, Secret::SocialSecurity, Secret::Phone];

/// SplitMix64 (Steele, Lea, Flood 2014): the same secrets in every run.
pub struct Random(pub u64);

impl Random {
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    pub fn below(&mut self, limit: usize) -> usize {
        (self.next() % limit as u64) as usize
    }

    pub fn pick<'a, T: ?Sized>(&mut self, from: &[&'a T]) -> &'a T {
        from[self.below(from.len())]
    }

    fn digits(&mut self, count: usize) -> String {
        (0..count).map(|_| char::from(b'0' + self.below(10) as u8)).collect()
    }
}

/// Its digits (a Chinese id may end in X).
pub fn make(secret: Secret, random: &mut Random) -> String {
    match secret {
        Secret::Card => {
            let (prefix, length) = *random.pick(&[
                &("4", 16),
                &("52", 16),
                &("37", 15),
                &("6222", 16),
                &("6217", 19),
                &("6011", 16),
                &("4", 13),
                &("36", 14),
                &("3530", 16),
            ]);
            let body = format!("{prefix}{}", random.digits(length - prefix.len() - 1));
            let sum: u32 = body
                .bytes()
                .rev()
                .enumerate()
                .map(|(at, byte)| {
                    let digit = u32::from(byte - b'0');
                    if at % 2 == 0 { digit * 2 / 10 + digit * 2 % 10 } else { digit }
                })
                .sum();
            format!("{body}{}", (10 - sum % 10) % 10)
        }
        Secret::Pin => random.digits(4),
        Secret::OneTimeCode => random.digits(6),
        Secret::ChinaId => {
            let region = *random.pick(&[&"110105", &"310101", &"440305"]);
            let born = format!("{}{:02}{:02}", 1950 + random.below(50), 1 + random.below(12), 1 + random.below(28));
            let body = format!("{region}{born}{}", random.digits(3));
            let sum: u32 =
                body.bytes().enumerate().map(|(at, byte)| u32::from(byte - b'0') * (1 << (17 - at)) % 11).sum();
            format!("{body}{}", ["1", "0", "X", "9", "8", "7", "6", "5", "4", "3", "2"][(sum % 11) as usize])
        }
        Secret::SocialSecurity => {
            format!("{:03}{:02}{:04}", 1 + random.below(665), 1 + random.below(99), 1 + random.below(9_999))
        }
        Secret::Phone => match random.below(2) {
            0 => format!("1{}{}", 3 + random.below(7), random.digits(9)),
            _ => format!("{}{}{}", 2 + random.below(8), random.digits(2), random.digits(7)),
        },
    }
}

const ENGLISH: [&str; 10] = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"];
const TEENS: [&str; 10] =
    ["ten", "eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen"];
const TENS: [&str; 8] = ["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"];
const MANDARIN: [&str; 10] = ["零", "一", "二", "三", "四", "五", "六", "七", "八", "九"];

fn number(c: char) -> usize {
    c.to_digit(10).unwrap_or(0) as usize
}

/// Digits in one of the ways that people say, and recognisers write, them.
pub fn tell(digits: &str, language: &str, random: &mut Random) -> String {
    let (digits, last) = digits.strip_suffix('X').map_or((digits, ""), |body| (body, " X"));
    let chars: Vec<char> = digits.chars().collect();
    let groups = |size: usize, between: &str| {
        chars.chunks(size).map(|group| group.iter().collect::<String>()).collect::<Vec<_>>().join(between)
    };
    let told = match (random.below(9), language) {
        (0, _) => digits.to_owned(),
        (1, _) => groups(4, " "),
        (2, _) => groups(4, "-"),
        (3, _) => groups(1, " "),
        (4, _) => groups(3, ", "),
        (5, "zh") => chars.iter().map(|c| MANDARIN[number(*c)]).collect(),
        (6, "zh") => chars
            .iter()
            .map(|c| {
                if *c == '1' {
                    "幺"
                } else if *c == '2' {
                    "两"
                } else {
                    MANDARIN[number(*c)]
                }
            })
            .collect(),
        (7, "zh") => in_threes(&chars, "，"),
        (_, "zh") => repeated(
            &chars,
            |c| MANDARIN[number(c)].into(),
            |times, c| format!("{}个{}", MANDARIN[times], MANDARIN[number(c)]),
            "",
        ),
        (5, _) => chars.iter().map(|c| ENGLISH[number(*c)]).collect::<Vec<_>>().join(" "),
        (6, _) => {
            let word = |c: char| if c == '0' { "oh".into() } else { ENGLISH[number(c)].to_owned() };
            repeated(&chars, word, |times, c| format!("{} {}", ["double", "triple"][times - 2], word(c)), " ")
        }
        (7, _) => pairs(&chars),
        (_, _) => chars
            .chunks(4)
            .map(|group| group.iter().map(|c| ENGLISH[number(*c)]).collect::<Vec<_>>().join(" "))
            .collect::<Vec<_>>()
            .join(*random.pick(&[&", um, ", &", and then ", &". ", &" dash "])),
    };
    told + last
}

fn in_threes(chars: &[char], between: &str) -> String {
    let group = |group: &[char]| group.iter().map(|c| MANDARIN[number(*c)]).collect::<String>();
    chars.chunks(3).map(group).collect::<Vec<_>>().join(between)
}

/// Two or three of the same are said as such.
fn repeated(
    chars: &[char],
    one: impl Fn(char) -> String,
    many: impl Fn(usize, char) -> String,
    between: &str,
) -> String {
    let mut words = Vec::new();
    let mut at = 0;
    while at < chars.len() {
        let times = chars[at..].iter().take(3).take_while(|c| **c == chars[at]).count();
        words.push(if times > 1 { many(times, chars[at]) } else { one(chars[at]) });
        at += times;
    }
    words.join(between)
}

/// "forty-one eleven oh five".
fn pairs(chars: &[char]) -> String {
    let say = |pair: &[char]| match pair {
        ['0', b] => format!("oh {}", ENGLISH[number(*b)]),
        ['1', b] => TEENS[number(*b)].to_owned(),
        [a, '0'] => TENS[number(*a) - 2].to_owned(),
        [a, b] => format!("{}-{}", TENS[number(*a) - 2], ENGLISH[number(*b)]),
        rest => rest.iter().map(|c| ENGLISH[number(*c)]).collect(),
    };
    chars.chunks(2).map(say).collect::<Vec<_>>().join(" ")
}

/// A sentence around it; `{}` is where it stands.
pub fn sentence(secret: Secret, language: &str, random: &mut Random) -> &'static str {
    let english: &[&'static str] = match secret {
        Secret::Card => {
            &["my card number is {}", "{}", "it's {} on my visa", "yeah so the credit card, that's {} okay"]
        }
        Secret::Pin => &["my PIN is {}", "the pin is {}, I think", "{} is my PIN", "password {}"],
        Secret::OneTimeCode => {
            &["the code you texted me is {}", "my one time code is {}", "{}", "verification code {}"]
        }
        Secret::ChinaId => &["my Chinese ID number is {}", "{}"],
        Secret::SocialSecurity => &["my social security number is {}", "{}", "my social is {}"],
        Secret::Phone => &["you can reach me on {}", "my phone number is {}", "{}", "call me back at {}"],
    };
    let mandarin: &[&'static str] = match secret {
        Secret::Card => &["我的卡号是{}", "{}", "信用卡号码{}，对", "我用的是银行卡，{}"],
        Secret::Pin => &["我的密码是{}", "密码{}", "{}是我的密码"],
        Secret::OneTimeCode => &["验证码是{}", "{}", "短信收到的是{}"],
        Secret::ChinaId => &["身份证号{}", "我的身份证是{}", "{}"],
        Secret::SocialSecurity => &["{}", "我的社保证件号码是{}"],
        Secret::Phone => &["我的手机号是{}", "请打我电话{}", "{}"],
    };
    random.pick(if language == "zh" { mandarin } else { english })
}

/// Where in a call it is told.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Place {
    Menu,
    FreeQuestion,
    NumbersQuestion,
    Message,
}

/// One caller who tells a secret once, to a menu or a question.
pub fn call(secret: Secret, digits: &str, language: &str, shielded: bool, random: &mut Random) -> Script {
    let place = [Place::Menu, Place::FreeQuestion, Place::NumbersQuestion][random.below(3)];
    call_at(place, secret, digits, language, shielded, random)
}

/// One caller who tells a secret there.
pub fn call_at(
    place: Place,
    secret: Secret,
    digits: &str,
    language: &str,
    shielded: bool,
    random: &mut Random,
) -> Script {
    let mut flow = if language == "zh" { flows::parcel() } else { flows::bank() };
    if place == Place::Message {
        let message = Message { queue: flow.person.queue.clone(), say: None, next: None };
        flow.steps.insert("leave_it".into(), Step::Message(message));
        flow.start = "leave_it".into();
    }
    let mut call = Script::new(flow);
    if !shielded {
        call.shield = None;
    }
    match (place, language) {
        (Place::Menu | Place::Message, _) => {}
        (Place::FreeQuestion, "zh") => drop(call.keys("2").quiet()),
        (Place::FreeQuestion, _) => drop(call.keys("4").quiet()),
        (Place::NumbersQuestion, _) => drop(call.keys("1").quiet()),
    }
    let number = place == Place::NumbersQuestion;
    let way = random.below(4);
    // Keys are keys: the first of a telephone number may choose from a menu, the next be an account's.
    let keyed = match secret {
        _ if place == Place::Message => false, // none is looked at
        Secret::Card => true,
        Secret::Pin => false,
        Secret::OneTimeCode => !number,
        _ => place == Place::FreeQuestion && !digits.ends_with('X'),
    };
    if way == 0 && keyed {
        call.presses(digits);
    } else if way == 1 && digits.len() > 8 {
        // In up to four turns, the caller's own words before the first.
        let size = digits.len().div_ceil(2 + random.below(3));
        let chars: Vec<char> = digits.chars().collect();
        for (n, part) in chars.chunks(size).enumerate() {
            let part = tell(&part.iter().collect::<String>(), language, random);
            let words = if n == 0 { sentence(secret, language, random) } else { "{}" };
            call.interrupts(&words.replace("{}", &part));
        }
    } else {
        // A bare code of the length that is asked for is what is asked for.
        let mut words = sentence(secret, language, random);
        while number && words == "{}" && secret == Secret::OneTimeCode {
            words = sentence(secret, language, random);
        }
        let told = words.replace("{}", &tell(digits, language, random));
        call.tell(Event::HeardPart { text: told.chars().take(told.chars().count() * 2 / 3).collect() });
        call.interrupts(&told);
    }
    call.wait(20_000).tell(Event::CallerHungUp);
    call
}

/// Every digit of a text in order, however it is written: figures of any width, digit words, tens and teens, doubles.
pub fn digit_stream(text: &str) -> String {
    let mut stream = String::new();
    let mut word = String::new();
    let mut words: Vec<String> = Vec::new();
    for c in text.chars().chain([' ']) {
        let c = if ('\u{FF01}'..='\u{FF5E}').contains(&c) { char::from_u32(c as u32 - 0xFEE0).unwrap_or(c) } else { c };
        if c.is_ascii_alphabetic() {
            word.push(c.to_ascii_lowercase());
        } else {
            if !word.is_empty() {
                words.push(std::mem::take(&mut word));
            }
            if c.is_ascii_digit() || !c.is_ascii() {
                words.push(c.into());
            }
        }
    }
    let one = |word: &str| -> Option<char> {
        let at = ENGLISH
            .iter()
            .position(|digit| *digit == word)
            .or_else(|| MANDARIN.iter().position(|digit| *digit == word));
        let at = at.or(match word {
            "oh" | "o" | "〇" => Some(0),
            "幺" => Some(1),
            "两" => Some(2),
            _ => None,
        });
        at.map(|at| char::from(b'0' + at as u8)).or_else(|| word.parse().ok().filter(char::is_ascii_digit))
    };
    let mut at = 0;
    while at < words.len() {
        let word = words[at].as_str();
        let next = words.get(at + 1).and_then(|next| one(next));
        let times = match word {
            "double" => 2,
            "triple" => 3,
            _ => 0,
        };
        if let (2.., Some(digit)) = (times, next) {
            stream.extend(std::iter::repeat_n(digit, times));
            at += 2;
        } else if let (Some(times), Some("个"), Some(digit)) =
            (one(word), words.get(at + 1).map(String::as_str), words.get(at + 2).and_then(|word| one(word)))
        {
            stream.extend(std::iter::repeat_n(digit, number(times)));
            at += 3;
        } else if let Some(ten) = TENS.iter().position(|ten| *ten == word) {
            stream.push(char::from(b'2' + ten as u8));
            match next.filter(|digit| *digit != '0' && words[at + 1].len() > 2) {
                Some(unit) => {
                    stream.push(unit);
                    at += 1;
                }
                None => stream.push('0'),
            }
            at += 1;
        } else if let Some(teen) = TEENS.iter().position(|teen| *teen == word) {
            stream += &format!("1{teen}");
            at += 1;
        } else {
            stream.extend(one(word));
            at += 1;
        }
    }
    stream
}

/// All texts of a JSON value: not its numbers (times, scores), which would be mistaken for digits of a secret.
pub fn texts(value: &Value, into: &mut Vec<String>) {
    match value {
        Value::String(text) => into.push(text.clone()),
        Value::Array(items) => items.iter().for_each(|item| texts(item, into)),
        Value::Object(fields) => fields.values().for_each(|field| texts(field, into)),
        _ => {}
    }
}

/// The longest part of the secret, of six digits and more (or the whole, when it is shorter), in a stream of digits.
pub fn leaked(digits: &str, stream: &str) -> Option<String> {
    let digits = digits.trim_end_matches('X');
    let shortest = digits.len().min(6);
    (shortest..=digits.len())
        .rev()
        .flat_map(|length| (0..=digits.len() - length).map(move |at| &digits[at..at + length]))
        .find(|part| stream.contains(part))
        .map(str::to_owned)
}

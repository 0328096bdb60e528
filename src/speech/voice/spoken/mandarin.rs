//! Mandarin as it is said on the telephone: 两 before measures, 幺 for one in numbers that are dictated,
//! letters left as capitals for the voice to name.

use std::sync::LazyLock;

use chrono::{Datelike, NaiveDate};
use regex::Regex;

use super::{Rule, amount, date, rewrite, time, units_and_cents};
use crate::dialog::Piece;

const DIGITS: [&str; 10] = ["零", "一", "二", "三", "四", "五", "六", "七", "八", "九"];
/// Code, unit, tenth and hundredth (yuan) or hundredth alone.
const CURRENCIES: [(&str, &str, &str); 24] = [
    ("CNY", "元", "分"),
    ("RMB", "元", "分"),
    ("USD", "美元", "美分"),
    ("EUR", "欧元", "欧分"),
    ("GBP", "英镑", "便士"),
    ("JPY", "日元", "钱"),
    ("HKD", "港元", "港分"),
    ("TWD", "新台币", "分"),
    ("MOP", "澳门元", "分"),
    ("SGD", "新加坡元", "分"),
    ("CAD", "加元", "加分"),
    ("AUD", "澳元", "澳分"),
    ("NZD", "新西兰元", "分"),
    ("CHF", "瑞士法郎", "生丁"),
    ("KRW", "韩元", "钱"),
    ("THB", "泰铢", "萨当"),
    ("INR", "卢比", "派萨"),
    ("RUB", "卢布", "戈比"),
    ("MYR", "林吉特", "仙"),
    ("PHP", "菲律宾比索", "分"),
    ("VND", "越南盾", "分"),
    ("SEK", "瑞典克朗", "欧尔"),
    ("BRL", "雷亚尔", "分"),
    ("ZAR", "兰特", "分"),
];
const UNITS: [(&str, &str); 30] = [
    ("km/h", "公里每小时"),
    ("m/s", "米每秒"),
    ("km²", "平方公里"),
    ("m²", "平方米"),
    ("㎡", "平方米"),
    ("m³", "立方米"),
    ("km", "公里"),
    ("cm", "厘米"),
    ("mm", "毫米"),
    ("kg", "公斤"),
    ("KG", "公斤"),
    ("Kg", "公斤"),
    ("mg", "毫克"),
    ("ml", "毫升"),
    ("mL", "毫升"),
    ("kWh", "千瓦时"),
    ("kW", "千瓦"),
    ("mAh", "毫安时"),
    ("GHz", "吉赫"),
    ("MHz", "兆赫"),
    ("Hz", "赫兹"),
    ("Mbps", "兆每秒"),
    ("MB", "兆"),
    ("℃", "摄氏度"),
    ("°C", "摄氏度"),
    ("°", "度"),
    ("min", "分钟"),
    ("g", "克"),
    ("m", "米"),
    ("L", "升"),
];
/// Before these two is 两.
const MEASURES: &str = "个位天年小点次件张条笔种名家周块元万千百亿台部份本只封箱包杯瓶斤公吨米里页项起户人岁遍倍秒\
                        美欧英日港澳加盒套间座辆艘头匹支根颗粒片群批班站节场首句段道步分钟季袋栋层晚夜";

pub fn words(piece: &Piece) -> String {
    match piece {
        Piece::Text(value) => text(value),
        Piece::Code(value) => code(value),
        Piece::Phone(value) => phone(value),
        Piece::Number(value) => plain_number(value).unwrap_or_else(|| text(value)),
        Piece::Money(value) => money(value).unwrap_or_else(|| text(value)),
        Piece::Date(value) => date(value).map(calendar_date).unwrap_or_else(|| text(value)),
        Piece::Time(value) => time(value).map(|(h, m)| clock(h, m)).unwrap_or_else(|| text(value)),
        Piece::Recording(_) => String::new(),
    }
}

pub fn text(text: &str) -> String {
    // Digits and letters begin where none stands before; everything else anywhere.
    let begins = |before: Option<char>, here: char| match before {
        Some(b) if b.is_ascii_alphanumeric() => !(here.is_ascii_alphanumeric() || "-.,".contains(here)),
        _ => true,
    };
    let mut flat: String = text.chars().map(plain_mark).collect();
    while let Some(at) = COLON.find(&flat).map(|found| found.start() + 1) {
        flat.replace_range(at..at + '：'.len_utf8(), ":");
    }
    let read = rewrite(&flat, &RULES, begins);
    // What no rule has read.
    let named: String =
        read.chars().map(|c| c.to_digit(10).map_or(c.to_string(), |d| DIGITS[d as usize].into())).collect();
    spaced_out(&named)
}

/// Full-width letters, digits and signs as plain ones; marks of the sentence as Chinese ones.
fn plain_mark(c: char) -> char {
    match c {
        '，' | '：' | '；' | '！' | '？' | '。' | '、' => c,
        '\u{ff01}'..='\u{ff5e}' => char::from_u32(c as u32 - 0xfee0).unwrap_or(c),
        '−' | '‑' => '-',
        '￥' => '¥',
        '\u{a0}' | '\u{3000}' | '\u{202f}' => ' ',
        '〜' => '~',
        c => c,
    }
}

/// Blanks only between Latin words; plain marks as Chinese ones.
fn spaced_out(text: &str) -> String {
    let chars: Vec<char> = text.chars().collect();
    let mut out = String::with_capacity(text.len());
    for (i, &c) in chars.iter().enumerate() {
        let last = out.chars().next_back();
        let next = chars[i + 1..].iter().find(|c| !c.is_whitespace());
        match c {
            c if c.is_whitespace() => {
                let latin = |c: Option<char>| c.is_some_and(|c| c.is_ascii_alphanumeric());
                if latin(last) && latin(next.copied()) {
                    out.push(' ');
                }
            }
            ',' => out.push('，'),
            '!' => out.push('！'),
            '?' => out.push('？'),
            ';' => out.push('；'),
            ':' => out.push('：'),
            '.' if !next.is_some_and(|c| c.is_ascii_alphanumeric()) => out.push('。'),
            c => out.push(c),
        }
    }
    out.trim().into()
}

/// A wide colon in a time.
static COLON: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"\d：\d").expect("a constant pattern"));

static RULES: LazyLock<Vec<Rule>> = LazyLock::new(|| {
    const NUMBER: &str = r"\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?";
    let units = UNITS.iter().map(|u| regex::escape(u.0)).collect::<Vec<_>>().join("|");
    let codes = CURRENCIES.iter().map(|c| c.0).collect::<Vec<_>>().join("|");
    let names = "美元|欧元|英镑|日元|港元|港币|澳元|加元|韩元|泰铢|卢布";
    vec![
        Rule::new(r"[A-Za-z0-9_.+-]+@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+", |c, _| Some(address(&c[0]))),
        Rule::new(r"https?://([A-Za-z0-9.-]+(?:/[A-Za-z0-9._/-]*)?)", |c, _| {
            Some(address(c[1].trim_end_matches(['/', '.'])))
        }),
        Rule::new(
            r"(?:www\.)?[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*\.(?:com|cn|net|org|gov|edu)\b(?:/[A-Za-z0-9._/-]*)?",
            |c, _| Some(address(c[0].trim_end_matches(['/', '.']))),
        ),
        // What is dictated: after its name.
        Rule::new(
            r"(尾号|卡号|账号|帐号|账户号?|单号|运单号?|订单号?|编号|工号|验证码|取件码|密码|分机号?|邮编|航班|车牌号?|房间号|代码|证件号码?|身份证号?)((?:后四位)?(?:是|为|：|:)?\s?)([A-Za-z]{0,4}\d[A-Za-z0-9-]*)",
            |c, _| Some(format!("{}{}{}", &c[1], c[2].trim(), code(&c[3]))),
        ),
        // Telephone numbers.
        Rule::new(r"\+86[ -]?(1\d{10}|[\d -]{8,14}\d)", |c, _| Some(format!("加八六，{}", phone(&c[1])))),
        Rule::new(r"1[3-9]\d[ -]?\d{4}[ -]?\d{4}", |c, rest| whole(rest).then(|| phone(&c[0]))),
        Rule::new(r"[48]00-?\d{3}-?\d{4}|[48]00-\d{4}-\d{3}|[48]00-\d{7}", |c, rest| whole(rest).then(|| phone(&c[0]))),
        Rule::new(r"\(?0\d{2,3}\)?[- ]\d{7,8}", |c, rest| whole(rest).then(|| phone(&c[0]))),
        Rule::new(r"(?:95\d{3}|10[01]\d{2}|12[13]\d{2}|11[0249]|12[0-2])", |c, rest| {
            // 110元 is an amount, 10086 a service.
            (whole(rest) && !rest.starts_with(|c: char| "元块个天年月日万亿.%,点分".contains(c))).then(|| named(&c[0]))
        }),
        // Dates.
        Rule::new(r"(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})", |c, rest| {
            ymd(&c[1], &c[2], &c[3]).filter(|_| whole(rest)).map(calendar_date)
        }),
        Rule::new(r"(\d{4})年", |c, _| Some(format!("{}年", plain_digits(&c[1])))),
        Rule::new(r"(\d{1,2})月(?:(\d{1,2})([日号]))?", |c, _| {
            let month = ordinal(c[1].parse().ok().filter(|m| (1..=12).contains(m))?);
            let day = c.get(2).and_then(|day| Some(ordinal(day.as_str().parse().ok()?))).unwrap_or_default();
            Some(format!("{month}月{day}{}", c.get(3).map_or("", |m| m.as_str())))
        }),
        Rule::new(r"(\d{1,2})([日号])", |c, _| Some(format!("{}{}", ordinal(c[1].parse().ok()?), &c[2]))),
        // Times.
        Rule::new(r"24/7|7[×xX*]24(?:小时)?", |_, _| Some("七乘二十四小时".into())),
        Rule::new(r"(\d{1,2}:\d{2})(?::\d{2})?\s?[-~—至到]+\s?(\d{1,2}:\d{2})(?::\d{2})?", |c, _| {
            let ((h1, m1), (h2, m2)) = (hours(&c[1])?, hours(&c[2])?);
            Some(format!("{}到{}", bare_clock(h1, m1), bare_clock(h2, m2)))
        }),
        Rule::new(r"(\d{1,2}:\d{2})(?::\d{2})?", |c, _| hours(&c[1]).map(|(h, m)| bare_clock(h, m))),
        Rule::new(r"(\d{1,2})(?::(\d{2}))?\s?([AaPp])\.?[Mm]\.?", |c, _| {
            let hour: u32 = c[1].parse().ok().filter(|h| (1..=12).contains(h))?;
            let minute: u32 = c.get(2).map_or(Some(0), |m| m.as_str().parse().ok())?;
            let afternoon = c[3].eq_ignore_ascii_case("p");
            Some(clock(hour % 12 + if afternoon { 12 } else { 0 }, minute.min(59)))
        }),
        // Amounts.
        Rule::new(&format!(r"(-?)(¥|US\$|HK\$|\$|€|£)\s?({NUMBER})(万|亿)?"), |c, _| {
            let unit = match &c[2] {
                "¥" => "元",
                "HK$" => "港元",
                "€" => "欧元",
                "£" => "英镑",
                _ => "美元",
            };
            Some(format!("{}{}", minus(&c[1]), priced(&c[3], c.get(4).map(|m| m.as_str()), unit)?))
        }),
        Rule::new(&format!(r"(?:{codes})\s?({NUMBER})"), |c, _| money(&format!("{} {}", &c[1], &c[0][..3]))),
        Rule::new(&format!(r"(-?)({NUMBER})\s?({codes})\b"), |c, _| money(&format!("{}{} {}", &c[1], &c[2], &c[3]))),
        Rule::new(&format!(r"(-?)({NUMBER})(万|亿)?({names}|元|块钱|块)"), |c, _| {
            Some(format!("{}{}", minus(&c[1]), priced(&c[2], c.get(3).map(|m| m.as_str()), &c[4])?))
        }),
        // Shares, parts, ranges.
        Rule::new(&format!(r"({NUMBER})\s?%?\s?[-~—至到]\s?({NUMBER})\s?%"), |c, _| {
            Some(format!("百分之{}到百分之{}", decimal(&c[1])?, decimal(&c[2])?))
        }),
        Rule::new(&format!(r"([-+]?)({NUMBER})\s?%"), |c, _| {
            Some(format!("{}百分之{}", minus(&c[1]), decimal(&c[2])?))
        }),
        Rule::new(&format!(r"({NUMBER})\s?‰"), |c, _| Some(format!("千分之{}", decimal(&c[1])?))),
        Rule::new(r"(\d{1,4})/(\d{1,4})", |c, rest| {
            let (upper, lower): (u64, u64) = (c[1].parse().ok()?, c[2].parse().ok()?);
            (whole(rest) && lower > 0).then(|| format!("{}分之{}", ordinal(lower), ordinal(upper)))
        }),
        Rule::new(&format!(r"({NUMBER})\s?[-~—]\s?({NUMBER})({units})?"), |c, rest| {
            if rest.starts_with('-') && rest[1..].starts_with(|c: char| c.is_ascii_digit()) {
                return None;
            }
            let unit = c.get(3).and_then(|u| UNITS.iter().find(|unit| unit.0 == u.as_str())).map_or("", |unit| unit.1);
            let after = format!("{unit}{rest}");
            Some(format!("{}到{}{unit}", counted(&c[1], &after)?, counted(&c[2], &after)?))
        }),
        Rule::new(r"\d+(?:-\d+){2,}", |c, _| Some(phone(&c[0]))),
        Rule::new(r"\d+(?:\.\d+){2,}", |c, _| {
            let parts: Option<Vec<_>> = c[0].split('.').map(big).collect();
            Some(parts?.join("点"))
        }),
        Rule::new(&format!(r"([-+]?)({NUMBER})\s?({units})"), |c, rest| {
            if rest.starts_with(|c: char| c.is_ascii_alphanumeric()) {
                return None;
            }
            let unit = UNITS.iter().find(|unit| unit.0 == &c[3])?.1;
            let minus = if unit == "摄氏度" && &c[1] == "-" { "零下" } else { minus(&c[1]) };
            Some(format!("{minus}{}{unit}", counted(&c[2], unit)?))
        }),
        // Ordinals, keys, floors.
        Rule::new(r"第\s?(\d{1,6})", |c, _| Some(format!("第{}", ordinal(c[1].parse().ok()?)))),
        Rule::new(r"(?:No\.|NO\.|№)\s?(\d{1,6})", |c, _| Some(format!("{}号", ordinal(c[1].parse().ok()?)))),
        Rule::new(r"#(\d{1,6})", |c, _| Some(format!("{}号", ordinal(c[1].parse().ok()?)))),
        Rule::new(r"([按选])\s?(\d)", |c, _| Some(format!("{}{}", &c[1], plain_digits(&c[2])))),
        Rule::new(r"(\d{3,5})(室|房)", |c, _| Some(format!("{}{}", named(&c[1]), &c[2]))),
        Rule::new(r"(\d{1,3})(号|楼|路|栋|单元|室)", |c, _| {
            Some(format!("{}{}", ordinal(c[1].parse().ok()?), &c[2]))
        }),
        // Codes and what remains.
        Rule::new(r"[A-Za-z]+-?\d[A-Za-z0-9-]*|\d+[A-Za-z][A-Za-z0-9-]*", |c, _| {
            Some(code(c[0].trim_end_matches('-')))
        }),
        Rule::new(&format!(r"([-+]?)({NUMBER})"), |c, rest| Some(format!("{}{}", minus(&c[1]), counted(&c[2], rest)?))),
        Rule::new(r"\s?&\s?", |_, _| Some("和".into())),
        Rule::new(r"\s?@\s?", |_, _| Some("艾特".into())),
        Rule::new(r"\s?\+\s?", |_, _| Some("加".into())),
        Rule::new(r"\s?=\s?", |_, _| Some("等于".into())),
        Rule::new(r"\s?×\s?", |_, _| Some("乘".into())),
        Rule::new(r"#\s?号?", |_, _| Some("井号".into())),
        Rule::new(r"\*\s?号?", |_, _| Some("星号".into())),
        Rule::new(r"%", |_, _| Some("百分号".into())),
        Rule::new(r"[—–~]+|[/_|\\^]", |_, _| Some("，".into())),
        Rule::new(r#"["“”‘’「」『』《》〈〉【】\[\]()（）{}™®©•·]"#, |_, _| {
            Some(String::new())
        }),
    ]
});

/// No digit or letter goes on.
fn whole(rest: &str) -> bool {
    !rest.starts_with(|c: char| c.is_ascii_alphanumeric())
}

fn minus(sign: &str) -> &'static str {
    match sign {
        "-" => "负",
        "+" => "加",
        _ => "",
    }
}

/// 二〇二六 as 二零二六.
fn plain_digits(digits: &str) -> String {
    digits.chars().filter_map(|c| c.to_digit(10)).map(|d| DIGITS[d as usize]).collect()
}

/// Digits as they are dictated: one is 幺.
fn named(digits: &str) -> String {
    plain_digits(digits).replace('一', "幺")
}

/// A number with its powers of ten; two is 两 before hundreds and higher.
fn cardinal(n: u64) -> String {
    if n == 0 {
        return DIGITS[0].into();
    }
    const SCALES: [&str; 5] = ["", "万", "亿", "万亿", "亿亿"];
    let mut out = String::new();
    let mut gap = false;
    for scale in (0..5).rev() {
        let group = n / 10u64.pow(4 * scale as u32) % 10_000;
        if group == 0 {
            gap = !out.is_empty();
            continue;
        }
        if !out.is_empty() && (gap || group < 1_000) {
            out.push('零');
        }
        out.push_str(&match group {
            2 if scale > 0 => "两".into(),
            group => below_ten_thousand(group, out.is_empty()),
        });
        out.push_str(SCALES[scale]);
        gap = false;
    }
    out
}

/// `first`: nothing stands before, so that ten is 十 and not 一十.
fn below_ten_thousand(n: u64, first: bool) -> String {
    let mut out = String::new();
    let mut gap = false;
    for (unit, name) in [(1_000, "千"), (100, "百"), (10, "十"), (1, "")] {
        let digit = n / unit % 10;
        if digit == 0 {
            gap = !out.is_empty();
            continue;
        }
        if gap {
            out.push('零');
            gap = false;
        }
        match (digit, unit) {
            (1, 10) if out.is_empty() && first => {}
            (2, 100 | 1_000) => out.push('两'),
            (digit, _) => out.push_str(DIGITS[digit as usize]),
        }
        out.push_str(name);
    }
    out
}

/// Where two is always 二: months, days, floors, keys.
fn ordinal(n: u64) -> String {
    cardinal(n)
}

fn big(digits: &str) -> Option<String> {
    Some(digits.parse().map_or_else(|_| plain_digits(digits), cardinal))
}

fn decimal(number: &str) -> Option<String> {
    let number = number.replace(',', "");
    match number.split_once('.') {
        Some((whole, decimals)) => Some(format!("{}点{}", big(whole)?, plain_digits(decimals))),
        None => big(&number),
    }
}

/// A number in running text, given what follows it.
fn counted(number: &str, rest: &str) -> Option<String> {
    let next = rest.trim_start().chars().next().unwrap_or(' ');
    let digits = !number.contains(['.', ',']);
    if digits
        && (number.len() >= 7 && !"元块个万亿人次美".contains(next) || number.len() > 1 && number.starts_with('0'))
    {
        return Some(grouped(number));
    }
    if number == "2" && MEASURES.contains(next) && !next.is_whitespace() {
        return Some("两".into());
    }
    decimal(number)
}

fn plain_number(value: &str) -> Option<String> {
    let value = value.trim();
    let (sign, number) = value.strip_prefix(['-', '−']).map_or(("", value), |number| ("负", number));
    let plain = number.contains(|c: char| c.is_ascii_digit())
        && number.chars().all(|c| c.is_ascii_digit() || c == ',' || c == '.')
        && number.matches('.').count() < 2
        && number.starts_with(|c: char| c.is_ascii_digit());
    if plain { Some(format!("{sign}{}", decimal(number)?)) } else { None }
}

fn money(value: &str) -> Option<String> {
    let amount = amount(value)?;
    let code = amount.code.to_ascii_uppercase();
    let sign = if amount.negative { "负" } else { "" };
    let Some((_, unit, hundredth)) = CURRENCIES.iter().find(|c| c.0 == code) else {
        let number = if amount.cents == 0 {
            cardinal(amount.units)
        } else {
            decimal(&format!("{}.{:02}", amount.units, amount.cents))?
        };
        return Some(format!("{sign}{number}{code}"));
    };
    Some(format!("{sign}{}", units_in_words(amount.units, amount.cents, unit, hundredth)))
}

fn units_in_words(units: u64, cents: u32, unit: &str, hundredth: &str) -> String {
    let two = |n: u64| if n == 2 { "两".into() } else { cardinal(n) };
    let mut out = String::new();
    if units > 0 || cents == 0 {
        out = format!("{}{unit}", two(units));
    }
    if cents == 0 {
        return out;
    }
    if !matches!(unit, "元" | "块" | "块钱" | "港元" | "新台币") {
        return format!("{out}{}{hundredth}", two(cents.into()));
    }
    let (tenths, hundredths) = (cents / 10, cents % 10);
    if tenths > 0 {
        out.push_str(&format!("{}角", if out.is_empty() { two(tenths.into()) } else { cardinal(tenths.into()) }));
    } else if !out.is_empty() {
        out.push('零');
    }
    if hundredths > 0 {
        out.push_str(&format!(
            "{}分",
            if out.is_empty() { two(hundredths.into()) } else { cardinal(hundredths.into()) }
        ));
    }
    out
}

/// "12.5元", "3.2亿美元".
fn priced(number: &str, scale: Option<&str>, unit: &str) -> Option<String> {
    let number = number.replace(',', "");
    if let Some(scale) = scale {
        let number = if number == "2" { "两".into() } else { decimal(&number)? };
        return Some(format!("{number}{scale}{unit}"));
    }
    let hundredth = CURRENCIES.iter().find(|c| c.1 == unit).map_or("分", |c| c.2);
    let decimals = number.split_once('.').map_or(0, |(_, d)| d.len());
    if decimals > 2 {
        return Some(format!("{}{unit}", decimal(&number)?));
    }
    let (units, cents) = units_and_cents(&number)?;
    Some(units_in_words(units, cents, unit, hundredth))
}

fn ymd(year: &str, month: &str, day: &str) -> Option<NaiveDate> {
    NaiveDate::from_ymd_opt(year.parse().ok()?, month.parse().ok()?, day.parse().ok()?)
}

fn calendar_date(date: NaiveDate) -> String {
    let year = plain_digits(&date.year().to_string());
    format!("{year}年{}月{}日", ordinal(date.month().into()), ordinal(date.day().into()))
}

/// Hour and minute, 24:00 staying 24.
fn hours(text: &str) -> Option<(u32, u32)> {
    let hour: u32 = text.split(':').next()?.parse().ok()?;
    time(text).map(|(_, minute)| (hour, minute))
}

/// 14:05 as 下午两点零五分.
fn clock(hour: u32, minute: u32) -> String {
    let part = match hour {
        0..=4 => "凌晨",
        5..=7 => "早上",
        8..=11 => "上午",
        12 => "中午",
        13..=17 => "下午",
        _ => "晚上",
    };
    let twelve = if hour > 12 { hour - 12 } else { hour };
    let minutes = match minute {
        30 => "半".into(),
        minute => minutes(minute),
    };
    format!("{part}{}点{minutes}", hour_word(twelve))
}

/// As written, in running text: 14:30 as 十四点三十分.
fn bare_clock(hour: u32, minute: u32) -> String {
    format!("{}点{}", hour_word(hour), minutes(minute))
}

fn hour_word(hour: u32) -> String {
    if hour == 2 { "两".into() } else { cardinal(hour.into()) }
}

fn minutes(minute: u32) -> String {
    match minute {
        0 => String::new(),
        1..=9 => format!("零{}分", cardinal(minute.into())),
        _ => format!("{}分", cardinal(minute.into())),
    }
}

/// Letters as capitals, digits as dictated, in groups with pauses.
fn code(value: &str) -> String {
    let mut out = String::new();
    let value: Vec<char> = value.chars().map(plain_mark).collect();
    let mut run = String::new();
    for (i, &c) in value.iter().enumerate() {
        if c.is_ascii_digit() {
            run.push(c);
            if value.get(i + 1).is_some_and(char::is_ascii_digit) {
                continue;
            }
            out.push_str(&grouped(&run));
            run.clear();
            continue;
        }
        match c {
            c if c.is_ascii_alphabetic() => out.push(c.to_ascii_uppercase()),
            c if c.is_alphabetic() => out.push(c),
            '#' => out.push_str("井号"),
            '*' => out.push_str("星号"),
            '/' => out.push_str("斜杠"),
            '.' => out.push('点'),
            '_' => out.push_str("下划线"),
            '-' | '–' => out.push('杠'),
            _ if out.is_empty() || out.ends_with('，') => {}
            _ => out.push('，'),
        }
    }
    out.trim_end_matches('，').into()
}

/// Fours where they fit, else threes with a rest of two to four.
fn grouped(run: &str) -> String {
    // By characters: what stands in a code need not be ASCII.
    let run: Vec<char> = run.chars().collect();
    let size = if run.len().is_multiple_of(4) { 4 } else { 3 };
    let mut parts = Vec::new();
    let mut rest = run.as_slice();
    while rest.len() > 4 && run.len() > 5 {
        let (group, after) = rest.split_at(size);
        parts.push(named(&String::from_iter(group)));
        rest = after;
    }
    parts.push(named(&String::from_iter(rest)));
    parts.join("，")
}

/// Mobile numbers 3-4-4, others as written, else in groups.
fn phone(value: &str) -> String {
    let plus = value.trim_start().starts_with('+');
    let mut groups: Vec<String> =
        value.split(|c: char| !c.is_ascii_digit()).filter(|g| !g.is_empty()).map(String::from).collect();
    let mut country = if plus { "加" } else { "" };
    let mut home = !plus;
    if plus && let Some(rest) = groups.first().and_then(|g| g.strip_prefix("86")).map(String::from) {
        (country, home) = ("加八六，", true);
        if rest.is_empty() { drop(groups.remove(0)) } else { groups[0] = rest }
    }
    let all: String = groups.concat();
    let cut = |sizes: &[usize]| {
        let mut at = 0;
        sizes.iter().map(|size| (named(&all[at..at + size]), at += size).0).collect::<Vec<_>>().join("，")
    };
    let words = match (all.len(), &all) {
        (11, all) if home && all.starts_with('1') => cut(&[3, 4, 4]),
        (10, all) if home && (all.starts_with("400") || all.starts_with("800")) => cut(&[3, 3, 4]),
        _ => groups.iter().map(|g| grouped(g)).collect::<Vec<_>>().join("，"),
    };
    format!("{country}{words}")
}

/// A web or mail address: marks by name, digits dictated.
fn address(address: &str) -> String {
    let mut out = String::new();
    for part in address.split_inclusive(|c: char| !c.is_ascii_alphanumeric()) {
        let word = part.trim_end_matches(|c: char| !c.is_ascii_alphanumeric());
        let spelled = word == "www" || word.len() < 3 || word.contains(|c: char| c.is_ascii_digit());
        out.push_str(&if spelled { code(word) } else { word.into() });
        out.push_str(match &part[word.len()..] {
            "@" => "艾特",
            "." => "点",
            "-" => "杠",
            "_" => "下划线",
            "/" => "斜杠",
            "+" => "加",
            _ => "",
        });
    }
    out
}

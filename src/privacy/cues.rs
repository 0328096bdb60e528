//! Words that say what a number is, and words that may stand inside of one.

use std::sync::LazyLock;

use pinyin::ToPinyin;

use crate::dialog::numerals::digit;
use crate::dialog::words::is_han;

/// What the word before (or after) a number says it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Cue {
    /// An account, an order: something the operator works with.
    Reference,
    Phone,
    /// "code": of an order, or one-time.
    Code,
    NationalId,
    Card,
    /// PIN, password, verification code.
    Secret,
}

/// The cue that these words begin with, and how many they are.
pub(super) fn cue(words: &[&str]) -> Option<(Cue, usize)> {
    let found = CUES.iter().filter_map(|(cue, phrases)| starts(phrases, words).map(|length| (*cue, length)));
    found.max_by_key(|(cue, length)| (*length, *cue)).or_else(|| cue_by_sound(words))
}

/// A recogniser writes a character of the same sound, or nearly: 线份正 for 身份证. What explains a number is not guessed.
fn cue_by_sound(words: &[&str]) -> Option<(Cue, usize)> {
    static SOUNDS: LazyLock<Vec<(Cue, Vec<String>)>> = LazyLock::new(|| {
        let cues = CUES.iter().filter(|(cue, _)| *cue != Cue::Reference);
        let phrases = cues.flat_map(|(cue, phrases)| phrases.iter().map(|phrase| (*cue, *phrase)));
        // 马是 is 码是 misheard; by sound it would be any number's: 订单号码是.
        let sounds =
            phrases.filter(|(_, phrase)| phrase.len() > 1 && !phrase.ends_with(&["是"])).filter_map(|(cue, phrase)| {
                let sounds: Option<Vec<String>> = phrase.iter().map(|word| sound(word)).collect();
                Some((cue, sounds?))
            });
        sounds.collect()
    });
    let here: Vec<String> =
        words.iter().take(3).map_while(|word| sound(word).filter(|_| digit(word).is_none())).collect();
    let found = SOUNDS.iter().filter(|(_, sounds)| here.starts_with(sounds)).map(|(cue, sounds)| (*cue, sounds.len()));
    found.max_by_key(|(cue, length)| (*length, *cue))
}

/// Pinyin of one character without its tone, sounds that telephones blur made one.
fn sound(word: &str) -> Option<String> {
    let mut chars = word.chars();
    let pinyin = chars.next().filter(|c| is_han(*c))?.to_pinyin()?.plain();
    let near = [("zh", "z"), ("ch", "c"), ("sh", "s"), ("ng", "n"), ("on", "en")];
    chars.next().is_none().then(|| near.iter().fold(pinyin.to_owned(), |sound, (a, b)| sound.replace(a, b)))
}

pub(super) fn starts(phrases: &[&[&str]], words: &[&str]) -> Option<usize> {
    phrases.iter().filter(|phrase| words.starts_with(phrase)).map(|phrase| phrase.len()).max()
}

pub(super) const FILLERS: &[&[&str]] = &[
    &["um"],
    &["uh"],
    &["er"],
    &["erm"],
    &["ah"],
    &["and"],
    &["then"],
    &["dash"],
    &["hyphen"],
    &["space"],
    &["comma"],
    &["dot"],
    &["point"],
    &["slash"],
    &["followed"],
    &["by"],
    &["please"],
    &["okay"],
    &["ok"],
    &["next"],
    &["plus"],
    &["呃"],
    &["嗯"],
    &["然", "后"],
    &["杠"],
    &["啊"],
    &["接", "着"],
    &["再"],
    &["那", "个"],
    &["空", "格"],
    &["加"],
    &["y"],
];

const CUES: &[(Cue, &[&[&str]])] = &[
    (
        Cue::Secret,
        &[
            &["pin"],
            &["pins"],
            // As a telephone's recogniser writes it.
            &["my", "pen"],
            &["my", "penn"],
            &["my", "10", "is"],
            &["my", "ten", "is"],
            &["my", "bin"],
            &["my", "pain"],
            &["my", "pan"],
            &["my", "spin"],
            &["pen", "is"],
            &["pen", "code"],
            &["pen", "number"],
            &["passcode"],
            &["password"],
            &["passphrase"],
            &["otp"],
            &["cvv"],
            &["cvc"],
            &["cvv2"],
            &["security", "code"],
            &["access", "code"],
            &["one", "time"],
            &["onetime"],
            &["verification"],
            &["verify"],
            &["authentication"],
            &["authenticator"],
            &["confirmation", "code"],
            &["secret"],
            &["login", "code"],
            &["texted"],
            &["text", "message"],
            &["sms"],
            &["密", "码"],
            &["密", "碼"],
            &["验", "证"],
            &["证", "码"],
            &["驗", "證"],
            &["校", "验"],
            &["动", "态"],
            &["動", "態"],
            &["口", "令"],
            &["安", "全", "码"],
            &["短", "信"],
            &["一", "次", "性"],
            &["取", "款"],
            &["clave"],
            &["contraseña"],
            &["verificación"],
        ],
    ),
    (
        Cue::Card,
        &[
            &["card"],
            &["cards"],
            &["visa"],
            &["mastercard"],
            &["amex"],
            &["debit"],
            &["credit"],
            &["american", "express"],
            &["卡"],
            &["卡", "号"],
            &["卡", "號"],
            &["信", "用", "卡"],
            &["银", "行", "卡"],
            &["储", "蓄", "卡"],
            &["tarjeta"],
        ],
    ),
    (
        Cue::NationalId,
        &[
            &["ssn"],
            &["social"],
            &["social", "security"],
            &["passport"],
            &["national", "id"],
            &["id", "number"],
            &["identity"],
            &["identification"],
            &["national", "insurance"],
            &["身", "份"],
            &["份", "证"],
            &["证", "件"],
            &["證", "件"],
            &["护", "照"],
            &["dni"],
            &["nie"],
        ],
    ),
    (
        Cue::Code,
        &[
            &["code"],
            &["codes"],
            &["代", "码"],
            &["代", "碼"],
            &["马", "是"],
            &["吗", "是"],
            &["妈", "是"],
            &["código"],
        ],
    ),
    (
        Cue::Phone,
        &[
            &["phone"],
            &["telephone"],
            &["mobile"],
            &["cell"],
            &["cellphone"],
            &["call", "me"],
            &["reach", "me"],
            &["call", "back"],
            &["callback"],
            &["电", "话"],
            &["電", "話"],
            &["手", "机"],
            &["手", "機"],
            &["teléfono"],
            &["móvil"],
        ],
    ),
    (
        Cue::Reference,
        &[
            &["account"],
            &["order"],
            &["orders"],
            &["reference"],
            &["tracking"],
            &["parcel"],
            &["package"],
            &["shipment"],
            &["booking"],
            &["reservation"],
            &["invoice"],
            &["case"],
            &["ticket"],
            &["customer", "number"],
            &["policy"],
            &["flight"],
            &["membership"],
            &["账"],
            &["帐"],
            &["賬"],
            &["账", "号"],
            &["账", "户"],
            &["订", "单"],
            &["訂", "單"],
            &["单", "号"],
            &["單", "號"],
            &["运", "单"],
            &["快", "递"],
            &["包", "裹"],
            &["预", "约"],
            &["编", "号"],
            &["会", "员"],
            &["保", "单"],
            &["航", "班"],
            &["cuenta"],
            &["pedido"],
            &["referencia"],
        ],
    ),
];

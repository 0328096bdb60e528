//! English letters to phonemes by rule, in the manner of Elovitz, Johnson, McHugh and Shore, "Letter-to-sound rules for
//! automatic translation of English text to phonetics" (NRL report 7948, 1976): the first rule whose letters and
//! surroundings fit reads them. Common words that no rule reads stand in a list of their own. One ASCII letter a phoneme:
//! vowels `i` beat, `I` bit, `E` bait, `e` bet, `@` bat, `a` father, `o` bought, `O` boat, `u` boot, `U` book, `V` but,
//! `x` about, `R` bird, `A` bite, `W` bout, `Y` boy; consonants as written, and `T` thin, `D` then, `S` she, `Z` measure,
//! `C` church, `J` judge, `N` sing, `j` yes.

use std::collections::HashMap;
use std::sync::LazyLock;

pub fn is_vowel(phone: u8) -> bool {
    b"iIEe@aoOuUVxRAWY".contains(&phone)
}

/// The phonemes of a word in lower case; of what is not in Latin letters, none.
pub fn phonemes(word: &str) -> Vec<u8> {
    static KNOWN: LazyLock<HashMap<&str, &str>> = LazyLock::new(|| WORDS.iter().copied().collect());
    if let Some(phones) = KNOWN.get(word) {
        return phones.bytes().collect();
    }
    if word.len() == 1 {
        return by_name(word.as_bytes()[0]).bytes().collect();
    }
    let letters: Vec<u8> = word.chars().map(unaccented).filter(u8::is_ascii_lowercase).collect();
    let mut phones: Vec<u8> = Vec::new();
    let mut at = 0;
    while at < letters.len() {
        let rules = RULES.iter().filter(|rule| rule.letters.as_bytes()[0] == letters[at]);
        let rule = rules.into_iter().find(|rule| rule.fits(&letters, at));
        match rule {
            Some(rule) => {
                phones.extend(rule.phones.bytes());
                at += rule.letters.len();
            }
            None => at += 1,
        }
    }
    phones.dedup_by(|b, a| a == b && !is_vowel(*a)); // "happy" has one p
    phones
}

/// What people call a letter.
fn by_name(letter: u8) -> &'static str {
    const NAMES: [&str; 26] = [
        "E", "bi", "si", "di", "i", "ef", "Ji", "EC", "A", "JE", "kE", "el", "em", "en", "O", "pi", "kju", "ar", "es",
        "ti", "ju", "vi", "dVbxlju", "eks", "wA", "zi",
    ];
    match letter {
        b'a'..=b'z' => NAMES[usize::from(letter - b'a')],
        _ => "",
    }
}

fn unaccented(c: char) -> u8 {
    match c {
        'à' | 'á' | 'â' | 'ä' => b'a',
        'é' | 'è' | 'ê' | 'ë' => b'e',
        'í' | 'ï' | 'î' => b'i',
        'ó' | 'ö' | 'ô' => b'o',
        'ú' | 'ü' => b'u',
        'ç' => b's',
        'ñ' => b'n',
        c => u8::try_from(c).unwrap_or(b'-'),
    }
}

struct Rule {
    before: &'static str,
    letters: &'static str,
    after: &'static str,
    phones: &'static str,
}

impl Rule {
    fn fits(&self, word: &[u8], at: usize) -> bool {
        let letters = self.letters.as_bytes();
        word[at..].starts_with(letters)
            && before(self.before, &word[..at])
            && after(self.after, &word[at + letters.len()..])
    }
}

fn is_vowel_letter(letter: u8) -> bool {
    b"aeiouy".contains(&letter)
}

/// Surroundings: `_` the word's end, `#` vowels (one or more), `:` consonants (none or more), `^` a consonant, `+` a
/// front vowel (e, i, y), `%` an ending (e, er, ers, es, ed, ing, ely), `&` a hiss (s, c, g, z, x, j, ch, sh), any
/// other letter itself.
fn after(pattern: &str, rest: &[u8]) -> bool {
    let Some(&sign) = pattern.as_bytes().first() else { return true };
    let tail = &pattern[1..];
    match sign {
        b'_' => rest.is_empty(),
        b'#' => {
            let vowels = rest.iter().take_while(|letter| is_vowel_letter(**letter)).count();
            vowels > 0 && (1..=vowels).rev().any(|n| after(tail, &rest[n..]))
        }
        b':' => {
            let consonants = rest.iter().take_while(|letter| !is_vowel_letter(**letter)).count();
            (0..=consonants).rev().any(|n| after(tail, &rest[n..]))
        }
        b'^' => rest.first().is_some_and(|letter| !is_vowel_letter(*letter)) && after(tail, &rest[1..]),
        b'+' => rest.first().is_some_and(|letter| b"eiy".contains(letter)) && after(tail, &rest[1..]),
        b'%' => [&b"e"[..], b"er", b"ers", b"es", b"ed", b"ing", b"ings", b"ely"].contains(&rest),
        letter => rest.first() == Some(&letter) && after(tail, &rest[1..]),
    }
}

/// The same, read from the end.
fn before(pattern: &str, rest: &[u8]) -> bool {
    let Some(&sign) = pattern.as_bytes().last() else { return true };
    let tail = &pattern[..pattern.len() - 1];
    let shorter = |n: usize| &rest[..rest.len() - n];
    match sign {
        b'_' => rest.is_empty(),
        b'#' => {
            let vowels = rest.iter().rev().take_while(|letter| is_vowel_letter(**letter)).count();
            vowels > 0 && (1..=vowels).rev().any(|n| before(tail, shorter(n)))
        }
        b':' => {
            let consonants = rest.iter().rev().take_while(|letter| !is_vowel_letter(**letter)).count();
            (0..=consonants).rev().any(|n| before(tail, shorter(n)))
        }
        b'^' => rest.last().is_some_and(|letter| !is_vowel_letter(*letter)) && before(tail, shorter(1)),
        b'+' => rest.last().is_some_and(|letter| b"eiy".contains(letter)) && before(tail, shorter(1)),
        b'&' => {
            (rest.last().is_some_and(|letter| b"scgzxj".contains(letter))
                || rest.ends_with(b"ch")
                || rest.ends_with(b"sh"))
                && before(tail, shorter(1))
        }
        letter => rest.last() == Some(&letter) && before(tail, shorter(1)),
    }
}

const fn r(before: &'static str, letters: &'static str, after: &'static str, phones: &'static str) -> Rule {
    Rule { before, letters, after, phones }
}

#[rustfmt::skip]
const RULES: &[Rule] = &[
    // a
    r("_", "a", "_", "x"), r("_", "are", "_", "ar"), r("_", "ar", "o", "xr"), r("", "ar", "#", "er"),
    r("^", "as", "#", "Es"), r("", "a", "wa", "x"), r("", "aw", "", "o"), r("_:", "any", "", "eni"),
    r("", "a", "^+#", "E"), r("#:", "ally", "", "xli"), r("_", "al", "#", "xl"), r("", "again", "", "xgen"),
    r("#:", "ag", "e", "IJ"), r("", "a", "^+:#", "@"), r("_:", "a", "^+_", "E"), r("", "a", "^%", "E"),
    r("", "a", "ble", "E"),
    r("_", "arr", "", "xr"), r("", "arr", "", "er"), r("_:", "ar", "_", "ar"), r("#:", "ard", "_", "Rd"),
    r("", "ar", "_", "ar"), r("", "ar", "", "ar"),
    r("", "air", "", "er"), r("", "ai", "", "E"), r("", "ay", "", "E"), r("", "au", "", "o"),
    r("#:", "al", "_", "xl"),
    r("#:", "als", "_", "xlz"), r("", "alk", "", "ok"), r("", "alm", "", "am"), r("", "al", "^", "ol"),
    r("_:", "able", "", "Ebxl"), r("", "able", "", "xbxl"),
    r("", "ang", "+", "EnJ"), r("", "ache", "", "Ek"), r("", "atch", "", "@C"), r("", "all", "", "ol"),
    r("", "a", "_", "x"), r("w", "a", "s", "a"), r("w", "a", "t", "a"), r("w", "a", "n", "a"),
    r("", "a", "", "@"),
    // b
    r("_", "be", "^#", "bI"), r("", "being", "", "biIN"), r("_", "both", "_", "bOT"), r("_", "bus", "#", "bIz"),
    r("", "buil", "", "bIl"), r("m", "b", "_", ""), r("", "bt", "_", "t"), r("", "b", "", "b"),
    // c
    r("_", "ch", "^", "k"), r("", "ch", "em", "k"), r("", "chaic", "", "kEik"), r("", "cch", "", "k"),
    r("", "ch", "", "C"), r("_s", "ci", "#", "sA"), r("", "ci", "a", "S"), r("", "ci", "o", "S"),
    r("", "ci", "en", "S"), r("", "cc", "+", "ks"), r("", "c", "+", "s"), r("", "ck", "", "k"),
    r("", "com", "%", "kVm"), r("", "c", "", "k"),
    // d
    r("#:", "ded", "_", "dId"), r("", "dge", "", "J"), r("", "dg", "+", "J"), r("_", "de", "^#", "dI"),
    r("_", "do", "_", "du"), r("_", "doing", "", "duIN"), r("_", "dow", "", "dW"), r("", "du", "a", "Ju"),
    r("", "d", "", "d"),
    // e
    r("#:", "e", "_", ""), r("_:", "e", "_", "i"), r("t", "ed", "_", "Id"), r("d", "ed", "_", "Id"),
    r("p", "ed", "_", "t"), r("k", "ed", "_", "t"), r("ss", "ed", "_", "t"), r("sh", "ed", "_", "t"),
    r("ch", "ed", "_", "t"), r("f", "ed", "_", "t"), r("c", "ed", "_", "t"), r("#:", "ed", "_", "d"),
    r("", "ev", "er", "ev"),
    r("", "eri", "#", "Iri"), r("", "eri", "", "erI"), r("#:", "er", "#", "R"), r("", "err", "", "er"),
    r("", "er", "#", "er"), r("", "er", "", "R"), r("_", "even", "", "ivxn"), r("#:", "e", "w", ""),
    r("t", "ew", "", "u"), r("s", "ew", "", "u"), r("r", "ew", "", "u"), r("d", "ew", "", "u"), r("l", "ew", "", "u"),
    r("n", "ew", "", "u"), r("ch", "ew", "", "u"), r("", "ew", "", "ju"), r("", "e", "o", "i"),
    r("s", "es", "_", "Iz"), r("c", "es", "_", "Iz"), r("g", "es", "_", "Iz"), r("z", "es", "_", "Iz"),
    r("x", "es", "_", "Iz"), r("ch", "es", "_", "Iz"), r("sh", "es", "_", "Iz"),
    r("p", "es", "_", "s"), r("t", "es", "_", "s"), r("k", "es", "_", "s"), r("f", "es", "_", "s"),
    r("#:", "es", "_", "z"), r("#:", "ely", "_", "li"), r("#:", "ement", "", "ment"), r("", "eful", "", "fUl"),
    r("", "ee", "", "i"),
    r("", "earn", "", "Rn"), r("_", "ear", "^", "R"), r("", "ear", "_", "Ir"), r("", "ear", "", "Ir"),
    r("", "ead", "", "ed"), r("#:", "ea", "_", "ix"), r("", "easu", "", "eZ"), r("", "ea", "su", "e"),
    r("", "eather", "", "eDR"), r("", "ealth", "", "elT"), r("", "eakfa", "", "ekfx"), r("", "ea", "", "i"),
    r("", "eigh", "", "E"), r("", "ei", "", "i"), r("_", "eye", "", "A"), r("", "ey", "", "i"), r("", "eu", "", "ju"),
    r("#:", "en", "_", "xn"), r("#:", "el", "_", "xl"), r("#:", "ent", "_", "xnt"), r("#:", "ence", "_", "xns"),
    r("#:", "et", "_", "It"), r("", "e", "^^", "e"), r("_:", "e", "^e_", "i"), r("#:", "e", "^+", "x"),
    r("_:", "e", "^o", "i"), r("", "e", "", "e"),
    // f
    r("", "ful", "_", "fxl"), r("", "f", "", "f"),
    // g
    r("", "giv", "", "gIv"), r("_", "g", "i^", "g"), r("", "ge", "t", "ge"), r("su", "gges", "", "gJes"),
    r("", "gg", "", "g"), r("_", "gh", "", "g"), r("#", "gh", "", ""), r("_", "gn", "", "n"), r("i", "gn", "_", "n"),
    r("", "great", "", "grEt"), r("", "gu", "e_", "g"), r("_", "gu", "+", "g"), r("", "g", "+", "J"),
    r("", "g", "", "g"),
    // h
    r("_", "hav", "", "h@v"), r("_", "here", "", "hir"), r("_", "hour", "", "Wr"), r("", "how", "", "hW"),
    r("", "h", "#", "h"), r("", "h", "", ""),
    // i
    r("_", "in", "", "In"), r("_", "i", "_", "A"), r("", "igh", "", "A"), r("", "ild", "_", "Ald"),
    r("", "ind", "_", "And"), r("", "ied", "_", "id"), r("_:", "ied", "_", "Ad"), r("_:", "ies", "_", "Az"),
    r("", "ies", "_", "iz"), r("_:", "ie", "_", "A"), r("", "ier", "", "iR"), r("", "ie", "t", "Ae"),
    r("", "ie", "", "i"), r("", "ique", "_", "ik"), r("", "ir", "#", "Ar"), r("", "ir", "", "R"),
    r("", "ign", "_", "An"),
    r("", "i", "te_", "A"), r("#:", "ive", "_", "Iv"), r("#:", "ine", "_", "in"), r("#:", "ice", "_", "Is"),
    r("", "ice", "", "As"), r("", "i", "^%", "A"), r("", "iz", "%", "Az"), r("", "is", "%", "Az"),
    r("_:", "i", "^ing", "A"), r("_:", "i", "^+:#", "I"), r("#:^", "i", "^+", "I"), r("", "ious", "", "ixs"),
    r("", "ia", "", "ix"), r("", "io", "", "iO"), r("", "i", "_", "i"), r("_", "i", "^o", "A"),
    r("_:", "i", "^#", "A"), r("", "i", "", "I"),
    r("", "j", "", "J"),
    r("_", "kn", "", "n"), r("", "k", "", "k"),
    r("", "lo", "c#", "lO"), r("l", "l", "", ""), r("#:^", "l", "%", "xl"), r("", "lead", "", "lid"),
    r("", "l", "", "l"),
    r("", "mov", "", "muv"), r("", "m", "", "m"),
    r("e", "ng", "+", "nJ"), r("", "ng", "r", "Ng"), r("", "ng", "#", "Ng"), r("", "ngl", "%", "Ngxl"),
    r("", "ng", "", "N"), r("", "nk", "", "Nk"), r("", "n", "", "n"),
    // o
    r("", "of", "_", "xv"), r("", "orough", "", "RO"), r("#:", "or", "_", "R"), r("#:", "ors", "_", "Rz"),
    r("", "or", "", "or"), r("_", "one", "", "wVn"), r("", "oar", "", "or"), r("", "oa", "", "O"),
    r("_:", "oe", "_", "O"), r("", "ow", "el", "W"), r("", "ow", "er", "W"), r("", "own", "_", "Wn"),
    r("", "ow", "d", "W"), r("_:", "ow", "_", "W"), r("#:", "ow", "", "O"), r("sl", "ow", "", "O"),
    r("", "ow", "", "O"), r("_", "over", "", "OvR"), r("", "ov", "", "Vv"), r("", "o", "^%", "O"),
    r("", "o", "^en", "O"), r("", "o", "^i#", "O"), r("", "ol", "d", "Ol"), r("", "ol", "k", "O"),
    r("", "ough", "t", "o"), r("", "ough", "", "Vf"), r("_", "ou", "", "W"), r("h", "ou", "s#", "W"),
    r("", "ous", "_", "xs"), r("", "our", "_", "or"), r("", "our", "", "or"), r("", "ould", "", "Ud"),
    r("", "oup", "", "up"), r("", "ou", "", "W"), r("", "oy", "", "Y"), r("", "oing", "", "OIN"),
    r("", "oi", "", "Y"), r("", "oor", "", "or"), r("", "ook", "", "Uk"), r("", "ood", "", "Ud"),
    r("", "oo", "", "u"), r("", "o", "_", "O"), r("_", "o", "nly", "O"), r("_", "once", "", "wVns"),
    r("c", "o", "n", "a"), r("", "o", "st_", "O"), r("", "o", "st", "a"), r("#:^", "om", "", "xm"),
    r("#:", "on", "_", "xn"), r("_:", "o", "^a_", "O"), r("_:", "o", "^o_", "O"), r("", "other", "", "VDR"),
    r("", "ong", "", "oN"), r("", "oss", "_", "os"), r("", "o", "^^", "a"), r("_:", "o", "^#", "O"),
    r("", "o", "e", "O"), r("", "o", "", "a"),
    // p
    r("", "ph", "", "f"), r("", "peop", "", "pip"), r("", "put", "_", "pUt"), r("_", "ps", "", "s"),
    r("", "p", "", "p"),
    r("", "quar", "", "kwor"), r("", "que", "_", "k"), r("", "qu", "", "kw"), r("", "q", "", "k"),
    r("_", "re", "^#", "rI"), r("", "rh", "", "r"), r("", "r", "", "r"),
    // s
    r("", "sh", "", "S"), r("#", "sion", "", "Zxn"), r("", "ssion", "", "Sxn"), r("", "sion", "", "Sxn"),
    r("", "some", "", "sVm"), r("#", "sur", "#", "ZR"), r("", "sur", "#", "SR"), r("#", "su", "#", "Zu"),
    r("#", "ssu", "#", "Su"), r("#", "sed", "_", "zd"), r("#", "s", "e_", "z"), r("#", "s", "#", "z"),
    r("", "said", "", "sed"), r("", "s", "s", ""), r("#&", "s", "_", "Iz"),
    r("b", "s", "_", "z"), r("d", "s", "_", "z"), r("g", "s", "_", "z"), r("l", "s", "_", "z"), r("m", "s", "_", "z"),
    r("n", "s", "_", "z"), r("r", "s", "_", "z"), r("v", "s", "_", "z"), r("w", "s", "_", "z"), r("y", "s", "_", "z"),
    r("#:^#", "s", "_", "z"), r("u", "s", "_", "s"), r("_:#", "s", "_", "z"), r("", "sch", "", "sk"),
    r("", "sc", "+", "s"), r("", "sth", "m", "z"), r("", "stle", "_", "sxl"), r("", "sten", "_", "sxn"),
    r("", "s", "", "s"),
    // t
    r("_", "the", "_", "Dx"), r("_", "to", "_", "tu"), r("_", "that", "_", "D@t"), r("_", "this", "_", "DIs"),
    r("_", "they", "", "DE"), r("_", "there", "", "Der"), r("_", "then", "", "Den"), r("_", "them", "", "Dem"),
    r("_", "than", "", "D@n"), r("_", "these", "_", "Diz"), r("_", "those", "", "DOz"), r("", "ther", "", "DR"),
    r("", "their", "", "Der"), r("", "through", "", "Tru"), r("", "th", "e_", "D"), r("", "thing", "", "TIN"),
    r("", "th", "", "T"), r("#:", "ted", "_", "tId"), r("s", "ti", "#n", "C"), r("", "ti", "o", "S"),
    r("", "tien", "", "Sxn"), r("", "tia", "", "Sx"), r("", "tur", "#", "CR"), r("", "tu", "a", "Cu"),
    r("_", "two", "", "tu"), r("", "tch", "", "C"), r("", "t", "", "t"),
    // u
    r("_", "un", "i", "jun"), r("_", "un", "", "Vn"), r("_", "upon", "", "xpan"), r("t", "ur", "#", "Ur"),
    r("s", "ur", "#", "Ur"), r("r", "ur", "#", "Ur"), r("", "ur", "#", "jUr"), r("", "ur", "", "R"),
    r("q", "u", "", "w"), r("_:", "uy", "", "A"), r("g", "u", "#", ""), r("#n", "u", "", "ju"),
    r("t", "u", "^%", "u"), r("s", "u", "^%", "u"), r("r", "u", "^%", "u"), r("d", "u", "^%", "u"),
    r("l", "u", "^%", "u"), r("j", "u", "^#", "u"), r("", "ui", "", "u"), r("", "ue", "_", "u"),
    r("", "u", "^^", "V"), r("", "u", "^_", "V"), r("", "u", "^ #", "ju"), r("r", "u", "", "u"), r("l", "u", "", "u"),
    r("d", "u", "", "u"), r("", "u", "_", "u"), r("", "u", "^#", "ju"), r("", "u", "", "V"),
    r("", "view", "", "vju"), r("", "v", "", "v"),
    // w
    r("_", "were", "", "wR"), r("", "wa", "sh", "wa"), r("", "war", "", "wor"), r("", "wor", "^", "wR"),
    r("_", "wr", "", "r"), r("", "what", "", "wat"), r("", "whol", "", "hOl"), r("", "who", "", "hu"),
    r("", "wh", "", "w"), r("#", "w", "_", ""), r("", "w", "", "w"),
    r("_", "x", "", "z"), r("", "x", "", "ks"),
    // y
    r("", "young", "", "jVN"), r("_", "you", "", "ju"), r("_", "yes", "", "jes"), r("_", "y", "", "j"),
    r("#:^", "y", "_", "i"), r("#:^", "y", "i", "i"), r("_:", "y", "_", "A"), r("_:", "y", "#", "A"),
    r("_:", "y", "^+:#", "I"), r("_:", "y", "^#", "A"), r("", "y", "#", "j"), r("#", "y", "", ""),
    r("", "y", "", "I"),
    r("t", "z", "", "s"), r("zz", "a", "", "x"), r("", "z", "", "z"),
];

/// Words that the rules misread and callers say often.
#[rustfmt::skip]
const WORDS: &[(&str, &str)] = &[
    ("one", "wVn"), ("two", "tu"), ("eight", "Et"), ("eleven", "Ilevxn"), ("seven", "sevxn"), ("four", "for"),
    ("forty", "forti"),
    ("hundred", "hVndrxd"), ("thousand", "TWzxnd"), ("once", "wVns"), ("twice", "twAs"), ("of", "xv"), ("is", "Iz"),
    ("was", "wVz"),
    ("has", "h@z"), ("his", "hIz"), ("as", "@z"), ("to", "tu"), ("do", "du"), ("does", "dVz"), ("done", "dVn"),
    ("gone", "gon"),
    ("have", "h@v"), ("give", "gIv"), ("live", "lIv"), ("love", "lVv"), ("some", "sVm"), ("come", "kVm"),
    ("none", "nVn"),
    ("said", "sed"), ("says", "sez"), ("any", "eni"), ("many", "meni"), ("money", "mVni"), ("honey", "hVni"),
    ("monday", "mVndE"),
    ("sugar", "SUgR"), ("coffee", "kofi"), ("caramel", "kerxmxl"), ("chocolate", "Coklxt"), ("mocha", "mOkx"),
    ("latte", "latE"),
    ("cappuccino", "kapxCinO"), ("espresso", "espresO"), ("americano", "xmerIkanO"), ("macchiato", "mokiatO"),
    ("decaf", "dik@f"),
    ("cinnamon", "sInxmxn"), ("vanilla", "vxnIlx"), ("hazelnut", "hEzxlnVt"), ("almond", "amxnd"), ("oat", "Ot"),
    ("soy", "sY"),
    ("iced", "Ast"), ("syrup", "sIrxp"), ("whipped", "wIpt"), ("cream", "krim"), ("medium", "midixm"),
    ("large", "larJ"), ("venti", "venti"),
    ("tea", "ti"), ("chai", "CA"), ("juice", "Jus"), ("cheese", "Ciz"), ("chicken", "CIkxn"), ("beef", "bif"),
    ("bread", "bred"),
    ("pizza", "pitsx"), ("salad", "s@lxd"), ("onion", "Vnjxn"), ("onions", "Vnjxnz"), ("tomato", "txmEtO"),
    ("vegetable", "veJtxbxl"), ("vegan", "vigxn"),
    ("woman", "wUmxn"), ("women", "wImxn"), ("people", "pipxl"), ("business", "bIznxs"), ("friend", "frend"),
    ("heart", "hart"),
    ("great", "grEt"), ("break", "brEk"), ("steak", "stEk"), ("bear", "ber"), ("wear", "wer"), ("pear", "per"),
    ("head", "hed"),
    ("ready", "redi"), ("heavy", "hevi"), ("weather", "weDR"), ("instead", "Insted"), ("breakfast", "brekfxst"),
    ("lead", "lid"), ("read", "rid"), ("please", "pliz"),
    ("blood", "blVd"), ("flood", "flVd"), ("food", "fud"), ("good", "gUd"), ("wood", "wUd"), ("book", "bUk"),
    ("door", "dor"), ("floor", "flor"), ("poor", "por"),
    ("through", "Tru"), ("though", "DO"), ("enough", "InVf"), ("rough", "rVf"), ("cough", "kof"), ("thought", "Tot"),
    ("bought", "bot"),
    ("know", "nO"), ("known", "nOn"), ("own", "On"), ("show", "SO"), ("low", "lO"), ("slow", "slO"), ("grow", "grO"),
    ("blow", "blO"), ("snow", "snO"), ("yellow", "jelO"), ("window", "wIndO"),
    ("now", "nW"), ("how", "hW"), ("cow", "kW"), ("brown", "brWn"), ("down", "dWn"), ("town", "tWn"),
    ("allow", "xlW"),
    ("half", "h@f"), ("calf", "k@f"), ("talk", "tok"), ("walk", "wok"), ("salt", "solt"), ("want", "want"),
    ("water", "wotR"), ("watch", "waC"), ("what", "wVt"), ("wash", "waS"), ("warm", "worm"),
    ("quarter", "kwortR"), ("ounce", "Wns"), ("ounces", "WnsIz"), ("hour", "WR"), ("hours", "WRz"), ("our", "WR"),
    ("pound", "pWnd"), ("oz", "Wnsxz"), ("ml", "milxlitR"),
    ("account", "xkWnt"), ("balance", "b@lxns"), ("card", "kard"), ("credit", "kredIt"), ("debit", "debIt"),
    ("payment", "pEmxnt"), ("transfer", "tr@nsfR"), ("address", "@dres"), ("number", "nVmbR"),
    ("street", "strit"), ("road", "rOd"), ("avenue", "@vxnu"), ("appointment", "xpYntmxnt"), ("order", "ordR"),
    ("parcel", "parsxl"), ("delivery", "dxlIvRi"),
    ("there", "Der"), ("where", "wer"), ("were", "wR"), ("their", "Der"), ("they", "DE"), ("been", "bIn"),
    ("being", "biIN"), ("be", "bi"), ("he", "hi"), ("she", "Si"), ("me", "mi"), ("we", "wi"),
    ("who", "hu"), ("whole", "hOl"), ("you", "ju"), ("your", "jor"), ("yours", "jorz"), ("could", "kUd"),
    ("would", "wUd"), ("should", "SUd"), ("my", "mA"), ("by", "bA"), ("buy", "bA"), ("eye", "A"),
    ("the", "Dx"), ("a", "x"), ("an", "@n"), ("and", "@nd"), ("i", "A"), ("im", "Am"), ("id", "Ad"), ("ill", "Al"),
    ("ive", "Av"), ("its", "Its"), ("thats", "D@ts"), ("dont", "dOnt"), ("wont", "wOnt"), ("cant", "k@nt"),
    ("youre", "jor"),
    ("only", "Onli"), ("over", "OvR"), ("open", "Opxn"), ("other", "VDR"), ("another", "xnVDR"), ("mother", "mVDR"),
    ("brother", "brVDR"), ("both", "bOT"), ("most", "mOst"), ("post", "pOst"), ("roast", "rOst"), ("rose", "rOz"),
    ("lose", "luz"), ("move", "muv"), ("prove", "pruv"), ("shoe", "Su"), ("put", "pUt"), ("push", "pUS"),
    ("pull", "pUl"), ("full", "fUl"), ("busy", "bIzi"), ("build", "bIld"), ("machine", "mxSin"), ("school", "skul"),
    ("doctor", "daktR"), ("color", "kVlR"), ("colour", "kVlR"), ("use", "juz"), ("used", "juzd"), ("sure", "SUr"),
    ("sir", "sR"),
    ("question", "kwesCxn"), ("picture", "pIkCR"), ("minute", "mInxt"), ("idea", "Adix"), ("area", "erix"),
    ("fruit", "frut"), ("juicy", "Jusi"), ("muffin", "mVfIn"), ("bagel", "bEgxl"), ("croissant", "krwxsant"),
    ("scone", "skOn"), ("donut", "dOnVt"), ("cookie", "kUki"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_read_words_that_no_list_has() {
        for (word, phones) in [
            ("light", "lAt"),
            ("ice", "As"),
            ("smoke", "smOk"),
            ("small", "smol"),
            ("table", "tEbxl"),
            ("station", "stESxn"),
            ("shipping", "SIpIN"),
            ("knee", "ni"),
            ("phone", "fOn"),
            ("judge", "JVJ"),
            ("twenty", "twenti"),
            ("make", "mEk"),
        ] {
            assert_eq!(String::from_utf8(phonemes(word)).unwrap(), phones, "{word}");
        }
    }

    #[test]
    fn nothing_breaks_it() {
        for word in ["", "-", "ß", "北", "zzzzzz", "hmmm", "e", "ee", "é", "1"] {
            phonemes(word);
        }
    }
}

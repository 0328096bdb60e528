//! What recognisers make of an order's words is known by its sound; what callers say of other matters is not.

use chrono::NaiveDate;
use frontdesk::dialog::flow::{ListValue, SlotKind};
use frontdesk::dialog::slots::{self, Read};

/// The lists of a coffee house.
const LISTS: [&[&str]; 5] = [
    &["eight ounce", "twelve ounce", "sixteen ounce", "twenty ounce", "small", "medium", "large"],
    &[
        "latte",
        "cappuccino",
        "americano",
        "espresso",
        "flat white",
        "iced mocha",
        "cold brew",
        "drip coffee",
        "chai tea",
        "green tea",
        "hot chocolate",
    ],
    &["light roast", "medium roast", "dark roast", "half caf", "decaf"],
    &["whole milk", "skim milk", "oat milk", "almond milk", "soy milk"],
    &[
        "vanilla syrup",
        "caramel",
        "hazelnut syrup",
        "whipped cream",
        "extra shot",
        "cinnamon",
        "honey",
        "sugar",
        "extra ice",
    ],
];

/// As written down, and what was said.
#[rustfmt::skip]
const MISHEARD: &[(&str, &str)] = &[
    ("lot a", "latte"), ("lattie", "latte"), ("ladder", "latte"), ("lotte", "latte"), ("cup of chino", "cappuccino"),
    ("cap a chino", "cappuccino"), ("american oh", "americano"), ("express oh", "espresso"), ("expresso", "espresso"),
    ("flat wide", "flat white"), ("flat why", "flat white"), ("called brew", "cold brew"),
    ("cold brute", "cold brew"), ("drip copy", "drip coffee"), ("trip coffee", "drip coffee"), ("chai t", "chai tea"),
    ("shy tea", "chai tea"), ("hot chocolates", "hot chocolate"), ("carmel", "caramel"), ("caramel", "caramel"),
    ("karma", "caramel"), ("vanilla serve", "vanilla syrup"), ("vanilla sir up", "vanilla syrup"),
    ("hazel nut syrup", "hazelnut syrup"), ("whip cream", "whipped cream"), ("wiped cream", "whipped cream"),
    ("sin a man", "cinnamon"), ("old milk", "oat milk"), ("note milk", "oat milk"), ("oh milk", "oat milk"),
    ("goat milk", "oat milk"), ("almond mill", "almond milk"), ("soil milk", "soy milk"), ("soy mil", "soy milk"),
    ("skin milk", "skim milk"), ("hole milk", "whole milk"), ("dark rose", "dark roast"),
    ("light rose", "light roast"), ("light roads", "light roast"), ("like roast", "light roast"),
    ("medium rose", "medium roast"), ("sixteen hours", "sixteen ounce"), ("20 hours", "twenty ounce"),
    ("12 hours", "twelve ounce"), ("20 announce", "twenty ounce"), ("eight ounces", "eight ounce"),
    ("d calf", "decaf"), ("the calf", "decaf"), ("decalf", "decaf"), ("half calf", "half caf"),
    ("have caf", "half caf"), ("i smoke", "iced mocha"), ("i smoker", "iced mocha"), ("ice mocker", "iced mocha"),
    ("a smoker", "iced mocha"), ("iced mocca", "iced mocha"), ("smell", "small"), ("lodge", "large"),
    ("lark", "large"), ("barge", "large"), ("media", "medium"), ("medium", "medium"), ("hunny", "honey"),
    ("shugar", "sugar"), ("extra shock", "extra shot"), ("extra eyes", "extra ice"), ("green t", "green tea"),
    ("i'd like a i smoke a with old milk", "iced mocha"), ("can i get a 20 hours light rose", "light roast"),
];

/// Sentences of callers who order nothing.
const OTHERS: &[&str] = &[
    "I want to check the balance of my account",
    "what is the exchange rate for euros today",
    "my card was declined at the shop this morning",
    "how do I reset my password",
    "can you tell me your opening hours",
    "please transfer two hundred dollars to my savings",
    "there is a payment I do not recognise on my statement",
    "when will my new card arrive",
    "is it going to rain tomorrow",
    "set an alarm for seven",
    "what's the capital of France",
    "tell me a joke",
    "play some jazz",
    "how many days until Christmas",
    "the weather is nice",
    "my dog is green",
    "never mind",
    "who are you",
    "can you repeat that",
    "I don't know",
];

fn read(text: &str) -> Read {
    let value = |word: &&str| ListValue { value: (*word).to_owned(), ..ListValue::default() };
    let kinds = LISTS.map(|list| SlotKind::List { values: list.iter().map(value).collect(), many: false });
    let today = NaiveDate::from_ymd_opt(2026, 11, 23).unwrap();
    slots::read(text, &kinds.iter().collect::<Vec<_>>(), None, today)
}

#[test]
fn misheard_words_are_found() {
    let missed: Vec<_> =
        MISHEARD.iter().filter(|(heard, meant)| !read(heard).found.iter().any(|found| found.value == *meant)).collect();
    // Ladders are lattes by context alone.
    assert!(missed.len() * 100 <= 8 * MISHEARD.len(), "{} of {}: {missed:?}", missed.len(), MISHEARD.len());
    for (heard, meant) in [("light rose", "light roast"), ("20 hours", "twenty ounce"), ("i smoke", "iced mocha")] {
        let found: Vec<String> = read(heard).found.into_iter().map(|found| found.value).collect();
        assert_eq!(found, [meant], "{heard}");
    }
}

#[test]
fn words_that_ran_together_are_found() {
    for (heard, meant) in [
        ("hi, 120 ounce chai tea", ["twenty ounce", "chai tea"]),
        ("112 ounce latte", ["twelve ounce", "latte"]),
        ("one large americano, whisky milk", ["large", "americano"]),
    ] {
        let found: Vec<String> = read(heard).found.into_iter().map(|found| found.value).collect();
        assert_eq!(found[..2], meant, "{heard}");
    }
    let whisky = read("one large americano, whisky milk").found.pop().unwrap();
    assert_eq!((whisky.value.as_str(), whisky.sure), ("skim milk", false));
    assert_eq!(read("a latte without milk").found.len(), 1, "is without");
}

#[test]
fn other_matters_are_no_order() {
    for text in OTHERS {
        assert_eq!(read(text).found, [], "{text}");
    }
}

#[test]
fn what_was_only_alike_is_never_sure() {
    for text in ["light rose", "old milk", "lodge"] {
        assert!(read(text).found.iter().all(|found| !found.sure), "{text}");
    }
    assert!(read("a large iced mocha").found.iter().all(|found| found.sure));
}

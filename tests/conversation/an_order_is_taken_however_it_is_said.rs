//! Forms: whatever of an order a sentence holds is taken, only what is missing is asked for, what was heard poorly is
//! read back, and corrections count at any time.

use frontdesk::call::*;
use frontdesk::dialog::Expect;
use frontdesk::dialog::flow::Step;

use crate::script::flows::cafe;
use crate::script::{MONDAY, Script};

/// At the order's first question.
fn order() -> Script {
    let mut script = Script::at(cafe(), MONDAY);
    script.keys("1");
    assert_eq!(script.last_said(), "What would you like?");
    script
}

/// The last word on a slot.
fn slot(script: &Script, name: &str) -> Option<String> {
    let mut notes: Vec<&Note> = script.notes().collect();
    notes.reverse();
    notes.into_iter().find_map(|note| match note {
        Note::Slot { slot, value, .. } if slot == name => Some(value.clone()),
        _ => None,
    })
}

#[track_caller]
fn has(script: &Script, wanted: &[(&str, &str)]) {
    for (name, value) in wanted {
        assert_eq!(slot(script, name).as_deref(), Some(*value), "{name}; {:?}", script.said());
    }
}

#[test]
fn one_sentence_says_it_all() {
    let mut script = order();
    script.says("I'd like a large latte, dark roast, with oat milk and caramel please.");
    has(
        &script,
        &[("size", "twenty ounce"), ("drink", "latte"), ("roast", "dark roast"), ("extras", "oat milk, caramel")],
    );
    assert_eq!(script.last_said(), "A twenty ounce latte, dark roast, oat milk and caramel.");
}

#[test]
fn in_any_order_and_only_what_is_missing_is_asked_for() {
    let mut script = order();
    script.says("Dark roast. A cappuccino.");
    assert_eq!(script.last_said(), "What size?");
    script.says("small");
    assert_eq!(script.last_said(), "Anything extra?");
    script.says("No, thanks.");
    has(&script, &[("size", "twelve ounce"), ("drink", "cappuccino"), ("roast", "dark roast"), ("extras", "")]);
    assert_eq!(script.last_said(), "A twelve ounce cappuccino, dark roast, no extras.");
}

#[test]
fn a_question_may_be_answered_with_more_than_was_asked() {
    let mut script = order();
    script.says("a latte");
    assert_eq!(script.last_said(), "What size?");
    script.says("large, light roast, and vanilla");
    assert_eq!(script.last_said(), "A twenty ounce latte, light roast, vanilla syrup.");
}

#[test]
fn what_chose_the_menu_option_is_not_asked_for_again() {
    let mut script = Script::at(cafe(), MONDAY);
    let said = "I'd like to order a large dark roast cappuccino with cinnamon";
    script.intents.insert(said.into(), vec![("order".into(), 0.9)]);
    script.says(said);
    assert_eq!(script.last_said(), "A twenty ounce cappuccino, dark roast, cinnamon.");
}

#[test]
fn a_correction_replaces_what_was_said() {
    let mut script = order();
    script.says("A small latte, dark roast.");
    assert_eq!(script.last_said(), "Anything extra?");
    script.says("Make it large instead.");
    has(&script, &[("size", "twenty ounce")]);
    assert_eq!(script.last_said(), "Anything extra?");
    script.says("caramel, no, I mean cinnamon");
    has(&script, &[("extras", "cinnamon")]);

    let mut script = order();
    script.says("twelve lattes, no, I said fifty");
    has(&script, &[("count", "50"), ("drink", "latte")]);
}

#[test]
fn several_are_added_and_taken_away() {
    let mut script = order();
    script.says("A large latte with oat milk, caramel and whipped cream");
    assert_eq!(script.last_said(), "Which roast?");
    script.says("dark roast, and no caramel");
    assert_eq!(script.last_said(), "A twenty ounce latte, dark roast, oat milk and whipped cream.");
}

#[test]
fn misheard_words_are_matched_by_sound_and_read_back_where_unsure() {
    for (heard, name, value) in [
        ("light rose", "roast", "light roast"),
        ("20 hours", "size", "twenty ounce"),
        ("i smoke", "drink", "iced mocha"),
        ("I want an i smoke a", "drink", "iced mocha"),
        ("cap a chino", "drink", "cappuccino"),
        ("a capuccino", "drink", "cappuccino"),
        ("大背", "size", "twenty ounce"),
    ] {
        let mut script = order();
        script.says(heard);
        has(&script, &[(name, value)]);
    }
    // What is only alike is read back before it is used.
    let mut script = order();
    script.says("a large latte with caramel").says("light rose");
    assert_eq!(script.last_said(), "I heard light roast. Is that right?");
    script.says("yes");
    assert_eq!(script.last_said(), "A twenty ounce latte, light roast, caramel.");
}

#[test]
fn what_was_heard_poorly_is_read_back() {
    let mut script = order();
    script.says("a latte, dark roast, no extras, with cinnamon");
    script.quiet().murmurs("small", 0.45);
    assert_eq!(script.last_said(), "I heard twelve ounce. Is that right?");
    script.says("No, large.");
    has(&script, &[("size", "twenty ounce")]);
    assert_eq!(script.last_said(), "A twenty ounce latte, dark roast, cinnamon.");
}

#[test]
fn a_no_without_more_asks_for_it_again() {
    let mut script = order();
    script.says("a latte, dark roast, with cinnamon").quiet().murmurs("small", 0.45).says("no");
    assert!(script.last_said().contains("I misheard. Once more, please. What size?"), "{}", script.last_said());
    script.says("large");
    assert_eq!(script.last_said(), "A twenty ounce latte, dark roast, cinnamon.");
}

#[test]
fn a_table_is_booked_and_read_back() {
    let mut script = Script::at(cafe(), MONDAY);
    script.keys("2").says("next Tuesday at half past seven in the evening");
    has(&script, &[("day", "2026-12-01"), ("hour", "19:30")]);
    assert_eq!(script.last_said(), "What is your telephone number?");
    script.says("oh two oh, seven one two three, four five six seven");
    assert_eq!(script.last_said(), "2026-12-01 at 19:30, your number is 02071234567. Is that right?");
    script.says("No.");
    assert_eq!(script.last_said(), "What should I change?");
    script.says("Wednesday instead");
    assert_eq!(script.last_said(), "2026-11-25 at 19:30, your number is 02071234567. Is that right?");
    script.says("no, at eight pm");
    assert_eq!(script.last_said(), "2026-11-25 at 20:00, your number is 02071234567. Is that right?");
    script.says("Yes, that's right.");
    assert_eq!(script.last_said(), "See you then.");
    let collected = script.facts(FactKind::Collected);
    assert!(collected.iter().any(|fact| fact.contains("20:00") && fact.contains("confirmed")), "{collected:?}");
}

#[test]
fn what_a_form_asks_for_may_be_keyed() {
    let asked = || {
        let mut script = Script::at(cafe(), MONDAY);
        script.keys("2").says("next Tuesday at half past seven in the evening");
        assert_eq!(script.last_said(), "What is your telephone number?");
        script
    };
    let mut script = asked();
    script.keys("02071234567#").quiet();
    assert_eq!(script.last_said(), "2026-12-01 at 19:30, your number is 02071234567. Is that right?");
    script.keys("1").quiet();
    assert_eq!(script.last_said(), "See you then.");
    let mut script = asked();
    script.keys("020*02071234568#").quiet();
    assert!(script.last_said().contains("02071234568"), "begun anew: {}", script.last_said());
    for zeros in ["0", "00"] {
        let mut script = asked();
        script.keys(zeros).wait(6_000);
        assert!(script.queue().is_some(), "{zeros}: {:?}", script.said());
    }
}

#[test]
fn values_of_every_kind_are_read_in_a_question_of_their_own() {
    let mut script = Script::at(cafe(), MONDAY);
    script.keys("3").says("three fifty");
    has(&script, &[("amount", "3.50 USD")]);
    script.says("it was Okafor, I think");
    has(&script, &[("whom", "Ben Okafor")]);
    assert_eq!(script.last_said(), "3.50 USD, and Ben Okafor. You will have it back.");
}

#[test]
fn a_name_that_two_have_is_asked_again() {
    let mut script = Script::at(cafe(), MONDAY);
    script.keys("3").says("five dollars").says("Ben");
    assert!(
        script.last_said().ends_with("Just say it in your own words. For a person, press 0."),
        "{}",
        script.last_said()
    );
}

#[test]
fn two_failures_and_a_wish_lead_to_a_person_from_a_form() {
    for at in ["", "a latte", "a large latte, dark roast"] {
        let mut script = order();
        if !at.is_empty() {
            script.says(at);
        }
        script.says("the weather is nice").says("my dog is green");
        assert_eq!(script.queue(), Some("service"), "after {at:?}");

        let mut script = order();
        if !at.is_empty() {
            script.says(at);
        }
        script.says("I want to talk to somebody");
        assert_eq!(script.queue(), Some("service"));
        let mut script = order();
        script.keys("0");
        assert_eq!(script.queue(), Some("service"));
    }
    // A correction that is misheard again and again is no circle either.
    let mut script = order();
    script.says("a latte, dark roast, with cinnamon").quiet().murmurs("small", 0.45);
    script.says("no").says("my dog is green");
    assert_eq!(script.queue(), Some("service"));
}

#[test]
fn orders_are_taken_in_mandarin() {
    let mut script = order();
    script.says("我要一个大杯拿铁，加燕麦奶和焦糖，不要香草");
    has(&script, &[("size", "twenty ounce"), ("drink", "latte"), ("extras", "oat milk, caramel")]);
    script.says("不对，改成小杯");
    has(&script, &[("size", "twelve ounce")]);
    let mut script = Script::at(cafe(), MONDAY);
    script.keys("2").says("下周二下午三点半，电话是幺三八零零幺三八零零零");
    assert_eq!(script.last_said(), "2026-12-01 at 15:30, your number is 13800138000. Is that right?");
}

#[test]
fn the_ear_is_told_what_may_be_said() {
    let mut script = order();
    let (phrases, several) = listens(&script);
    assert!(phrases.contains(&"twenty ounce".to_owned()) && phrases.contains(&"oat milk".to_owned()));
    assert!(several, "all is missing: who pauses goes on");
    script.says("Dark roast. A cappuccino.");
    assert_eq!(script.last_said(), "What size?");
    assert!(!listens(&script).1);
}

fn listens(script: &Script) -> (Vec<String>, bool) {
    let last = script.actions.iter().rev().find_map(|action| match action {
        Action::Listen { expect: Expect::Values { lists, several }, .. } => Some((lists.concat(), *several)),
        _ => None,
    });
    last.unwrap()
}

#[test]
fn a_sentence_that_holds_all_is_whole() {
    let asked = |without: &[&str]| {
        let mut flow = cafe();
        if let Some(Step::Form(form)) = flow.steps.get_mut("order") {
            form.slots.retain(|slot| !without.contains(&slot.slot.as_str()));
        }
        let mut script = Script::at(flow, MONDAY);
        script.keys("1").quiet();
        script
    };
    let weight = |script: &Script, text, confidence| script.call.weigh(text, confidence);
    let (script, all) = (asked(&["extras", "count"]), "a large latte, dark roast");
    assert_eq!(weight(&script, "a large latte", 0.9), Weight::Part);
    assert_eq!(weight(&script, all, 0.9), Weight::Complete);
    assert_eq!(weight(&script, all, 0.5), Weight::Words);
    assert_eq!(weight(&asked(&["extras"]), all, 0.9), Weight::Words, "two of them");
    let with_caramel = "a large latte, dark roast, with caramel";
    assert_eq!(weight(&asked(&["count"]), with_caramel, 0.9), Weight::Words, "and with whipped cream");
    // What is said into the question that follows is no cough where it says two values.
    let mut script = asked(&[]);
    script.says("a cappuccino");
    assert_eq!(
        ["large, dark roast", "large duck tail"].map(|text| weight(&script, text, 0.16)),
        [Weight::Words, Weight::Nothing]
    );
    // Asked for the size, the caller says all of it again: the size may yet come.
    let again = ["a cappuccino, dark roast", "a cappuccino", "dark roast, a large cappuccino"];
    assert_eq!(again.map(|text| weight(&script, text, 0.9)), [Weight::Part, Weight::Words, Weight::Words]);
}

#[test]
fn another_reading_counts_where_it_says_more() {
    let mut script = order();
    script.says("a latte, dark roast, with cinnamon").quiet();
    let start_ms = script.now;
    script.now += 1_000;
    script.tell(Event::SpeechStarted);
    script.tell(Event::Heard(Utterance {
        text: "lodge".into(),
        alternatives: vec!["large".into()],
        confidence: 0.8,
        language: "en".into(),
        start_ms,
        end_ms: script.now,
    }));
    has(&script, &[("size", "twenty ounce")]);
}

#[test]
fn each_reading_fills_what_the_others_lack() {
    let mut script = order();
    script.quiet();
    script.tell(Event::SpeechStarted);
    script.heard("A large, tock toast, lotty", &["A lodge, dark roast, lotty", "A barge, tock toast, latte"], 0.7);
    has(&script, &[("size", "twenty ounce"), ("roast", "dark roast"), ("drink", "latte")]);
    // The likelier reading first, and it is read back.
    let mut script = order();
    script.quiet();
    script.tell(Event::SpeechStarted);
    script.heard("a barge latte, tock toast", &["a large latte, tock toast", "a small latte, tock toast"], 0.7);
    has(&script, &[("size", "twenty ounce"), ("drink", "latte")]);
    script.says("light roast").says("no").quiet();
    assert_eq!(script.last_said(), "I heard twenty ounce. Is that right?");
    // "And make it" corrects nothing as long as nothing was said.
    let mut script = order();
    script.quiet();
    script.heard("a lodge latte and make it dark roast", &["a large latte and make it duck toast"], 0.7);
    has(&script, &[("size", "twenty ounce"), ("drink", "latte"), ("roast", "dark roast")]);
    // A correction is one reading's own.
    let mut script = order();
    script.says("a small latte").quiet();
    script.heard("nope, I said a large cappuccino with oat milk", &["a large one, dark roast"], 0.9);
    has(&script, &[("size", "twenty ounce"), ("drink", "cappuccino"), ("extras", "oat milk")]);
    assert_eq!(slot(&script, "roast"), None);
}

#[test]
fn what_is_left_of_a_sentence_is_what_it_lacks() {
    // In the first sentence, of the one thing that is missing; and it is read back.
    let mut script = order();
    script.says("Hi, one small light with oat milk and make it medium roast.").quiet();
    assert_eq!(slot(&script, "drink").as_deref(), Some("latte"));
    assert_eq!(script.last_said(), "I heard latte. Is that right?");
    // "A" became part of the word.
    let mut script = order();
    script.says("Alette, twenty ounce, medium roast, caramel.");
    has(&script, &[("drink", "latte")]);
    // Where two are missing, or hardly anything was said, nothing is guessed.
    for said in ["one small light, please", "one light, medium roast", "light"] {
        let mut script = order();
        script.says(said);
        assert_eq!(slot(&script, "drink"), None, "{said}");
    }
    // Nor of what is not like it.
    let mut script = order();
    script.says("something small, dark roast with caramel, for my wife, to go");
    assert_eq!((slot(&script, "drink"), script.last_said()), (None, "Which drink?".into()));
    // Nor where two were named, or what is like it was refused.
    for said in ["a small latte or mocha, dark roast with caramel", "small, dark roast with caramel, not a light"] {
        let mut script = order();
        script.says(said).quiet();
        assert_eq!((slot(&script, "drink"), script.last_said()), (None, "Which drink?".into()), "{said}");
    }
    // Asked for it, the caller says it all again.
    let mut script = order();
    script.says("a small, dark roast with caramel").quiet();
    script.says("a small light, dark roast with caramel, to go").quiet();
    has(&script, &[("drink", "latte"), ("size", "twelve ounce"), ("roast", "dark roast")]);
}

#[test]
fn another_reading_of_one_value_says_nothing_of_the_others() {
    let mut script = order();
    script.says("a cappuccino with cinnamon").quiet();
    assert_eq!(script.last_said(), "What size?");
    script.heard("a large", &["a latte", "light roast", "caramel"], 0.7);
    has(&script, &[("size", "twenty ounce"), ("drink", "cappuccino"), ("extras", "cinnamon")]);
    assert_eq!(slot(&script, "roast"), None);
}

#[test]
fn a_change_that_cannot_be_heard_never_reads_the_old_values_back() {
    let mut script = Script::at(cafe(), MONDAY);
    script.keys("2").says("next Tuesday at half past seven in the evening");
    script.says("oh two oh, seven one two three, four five six seven").says("No.").quiet();
    assert_eq!(script.last_said(), "What should I change?");
    script.murmurs("Wednesday at eight pm", 0.1).quiet();
    assert_eq!(script.last_said(), "I'll put you through to a colleague.", "the no was a failure, too");
    has(&script, &[("day", "2026-12-01"), ("hour", "19:30")]);
}

#[test]
fn several_values_heard_poorly_are_read_back_and_one_is_asked_for_again() {
    let hears = |text: &str, confidence: f32| {
        let mut script = order();
        script.quiet();
        script.tell(Event::SpeechStarted);
        script.heard(text, &[], confidence);
        script
    };
    let script = hears("US a large latte, tock host, with no extras", 0.1);
    has(&script, &[("size", "twenty ounce"), ("drink", "latte")]);
    for (text, confidence) in [("a host, latte", 0.1), ("a large latte", 0.02)] {
        let script = hears(text, confidence);
        assert_eq!((slot(&script, "drink"), slot(&script, "size")), (None, None), "{text}");
    }
    has(
        &hears("a large latte, dark roast", 0.01),
        &[("size", "twenty ounce"), ("drink", "latte"), ("roast", "dark roast")],
    );
    let read_back = || {
        let mut script = hears("a large latte, dark roast", 0.1);
        assert_eq!(script.last_said(), "Anything extra?");
        script.says("no").quiet();
        assert_eq!(script.last_said(), "I heard twenty ounce, latte, dark roast. Is that right?");
        script
    };
    // What puts it right may be heard as poorly, what agrees may not.
    let mut script = read_back();
    script.murmurs("a large latte", 0.1).quiet();
    assert!(script.last_said().starts_with("Sorry, I couldn't hear that."), "{}", script.last_said());
    let mut script = read_back();
    script.murmurs("a small cappuccino", 0.1).quiet();
    has(&script, &[("size", "twelve ounce"), ("drink", "cappuccino")]);
    // Nor does it change what was heard well.
    let mut script = order();
    script.says("a large latte").quiet();
    script.murmurs("a small mocha", 0.1).quiet();
    has(&script, &[("size", "twenty ounce"), ("drink", "latte")]);
}

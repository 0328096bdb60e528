//! Conversations with the bot, by speech and by keys, in both languages.

use crate::script;
use frontdesk::call::{Action, BackendFailure, Cause, Event, FactKind, Note, Outcome, Weight};
use frontdesk::dialog::flow::{Fetch, Form, FormSlot, SlotKind, Step};
use frontdesk::dialog::{Expect, Piece};
use script::{Script, flows};
use serde_json::json;

fn bank() -> Script {
    let mut script = Script::new(flows::bank());
    script.backends.insert("accounts".into(), Ok(json!({ "balance": "1234.50 GBP" })));
    script
}

#[test]
fn a_balance_by_speech_and_keys() {
    let mut call = bank();
    call.says("Balance, please.").says("Four oh seven one two three.");
    assert_eq!(call.last_said(), "I heard 407123. Is that right?");
    call.says("Yes.").quiet();
    assert_eq!(call.last_said(), "Please key in your PIN.");
    call.keys("9876#").quiet();
    assert!(call.said().contains(&"Your balance is 1234.50 GBP.".to_owned()), "{:?}", call.said());
    let spoken = call.actions.iter().any(|action| match action {
        Action::Say { words, .. } => words.pieces.contains(&Piece::Money("1234.50 GBP".into())),
        _ => false,
    });
    assert!(spoken);
    let fetched = &call.fetches[0].2;
    assert_eq!((fetched["account"].as_str(), fetched["pin"].as_str()), ("407123", "9876"));
    call.tell(Event::CallerHungUp);
    let (summary, cause) = call.finished().unwrap();
    assert_eq!((cause, summary.outcome), (Cause::CallerHungUp, Some(Outcome::Contained)));
    assert_eq!(call.facts(FactKind::Open), Vec::<String>::new());
}

#[test]
fn a_sentence_is_understood_by_its_scores() {
    let mut call = bank();
    let sentence = "Somebody took my wallet";
    call.intents.insert(sentence.into(), vec![("lost_card".into(), 0.9), ("balance".into(), 0.05)]);
    call.says(sentence);
    assert_eq!(call.last_said(), "Shall I block your card now?");
    assert_eq!(call.facts(FactKind::Wanted), ["lost card"]);
    // Too close to call: asked again.
    let mut call = bank();
    call.intents.insert("money".into(), vec![("lost_card".into(), 0.55), ("balance".into(), 0.52)]);
    call.says("money");
    assert!(call.last_said().starts_with("Sorry, I didn't quite understand."), "{}", call.last_said());
}

#[test]
fn a_request_during_the_greeting_needs_no_menu() {
    let mut call = bank();
    call.interrupts("I'd like my balance");
    assert_eq!(call.said(), ["Welcome to Harbour Bank.", "What is your account number?"]);
    assert!(call.notes().any(|note| *note == Note::Interrupted));
    // What is said into the greeting and means nothing is no failed attempt.
    let mut call = bank();
    call.interrupts("hello is that the bank speaking");
    assert!(call.last_said().starts_with("What can I do for you?"), "{}", call.last_said());
}

#[test]
fn keys_pressed_ahead_count_for_the_next_question() {
    let mut call = bank();
    call.presses("1407123");
    assert_eq!(call.last_said(), "I heard 407123. Is that right?");
    call.presses("1").quiet();
    assert_eq!(call.last_said(), "Please key in your PIN.");
}

#[test]
fn a_correction_is_read_back_in_its_turn() {
    let mut call = bank();
    call.says("balance").says("four oh seven one two three").says("No, it's four oh eight one two three.");
    assert_eq!(call.last_said(), "I heard 408123. Is that right?");
    call.says("that's right").quiet();
    assert_eq!(call.facts(FactKind::Collected), ["account number: 408123 (confirmed)"]);
    // A bare no asks again.
    let mut call = bank();
    call.says("balance").says("407123").says("no");
    assert!(call.last_said().starts_with("Sorry, I misheard."), "{}", call.last_said());
    assert_eq!(call.facts(FactKind::Collected), Vec::<String>::new());
}

#[test]
fn a_number_said_again_and_heard_poorly_again_is_read_back() {
    let asked = || {
        let mut call = bank();
        call.says("balance").says("four oh seven one two three").quiet();
        assert_eq!(call.last_said(), "I heard 407123. Is that right?");
        call
    };
    // However poorly, where both hearings nearly agree; else as poorly as the first time.
    for (text, other, confidence, heard) in [
        ("407128", "", 0.01, "407128"),
        ("what for", "4 0 7 1 2 8", 0.02, "407128"),
        ("981123", "4 0 7 1 2 8", 0.2, "407128"),
        ("981123", "", 0.2, "981123"),
    ] {
        let mut call = asked();
        call.heard(text, &[other], confidence).quiet();
        assert_eq!(call.last_said(), format!("I heard {heard}. Is that right?"), "{text}");
    }
    for (text, confidence) in [("981123", 0.02), ("407123", 0.02), ("yes", 0.02)] {
        let mut call = asked();
        call.murmurs(text, confidence).quiet();
        assert!(call.last_said().starts_with("Sorry, I couldn't hear that."), "{text}: {}", call.last_said());
    }
}

#[test]
fn half_a_number_read_as_a_whole_one_ends_no_turn() {
    let mut call = bank();
    call.says("balance").quiet();
    let weight = |call: &Script, text: &str, confidence| call.call.weigh(text, confidence);
    assert_eq!(weight(&call, "4, 0, 4, 0, 4, 0", 0.65), Weight::Words, "it may repeat itself");
    assert_eq!(weight(&call, "407123", 0.95), Weight::Complete);
    assert_eq!(weight(&call, "an operator", 0.65), Weight::Complete);
    call.says("four oh seven one two three").quiet();
    assert_eq!(weight(&call, "yes", 0.65), Weight::Complete);
    assert_eq!(weight(&call, "407123", 0.65), Weight::Words);
    assert_eq!(["407128", "4 0 7", "yes", "no, 407128"].map(|text| call.call.spells(text)), [true, true, false, false]);
}

#[test]
fn a_value_heard_poorly_is_read_back_even_unasked() {
    let mut flow = flows::bank();
    if let Some(frontdesk::dialog::flow::Step::Ask(ask)) = flow.steps.get_mut("account") {
        ask.confirm = None;
    }
    let mut call = Script::new(flow.clone());
    call.says("balance").quiet().murmurs("four oh seven one two three", 0.45);
    assert_eq!(call.last_said(), "I heard 407123. Is that right?");
    let mut call = Script::new(flow);
    call.says("balance").quiet().murmurs("four oh seven one two three", 0.9);
    assert_eq!(call.last_said(), "Please key in your PIN.");
}

#[test]
fn what_was_hardly_heard_is_not_acted_upon() {
    let mut call = bank();
    call.quiet().murmurs("balance", 0.05);
    assert!(call.last_said().starts_with("Sorry, I couldn't hear that."), "{}", call.last_said());
    let mut call = bank();
    call.quiet().murmurs("balance", 0.1);
    assert_eq!(call.last_said(), "I heard balance enquiry. Is that right?");
}

#[test]
fn a_failed_attempt_is_asked_again_in_other_words() {
    let mut call = bank();
    call.says("balance").says("I don't remember");
    let again = "Sorry, I didn't quite understand. What is your account number? \
                 Please say it digit by digit, or key it in and press hash.";
    assert_eq!(call.last_said(), again);
}

#[test]
fn noise_that_cut_a_prompt_lets_it_be_said_again() {
    let mut call = bank();
    call.tell(Event::SpeechStarted).wait(800).tell(Event::NotHeard);
    assert_eq!(call.said(), ["Welcome to Harbour Bank.", "Welcome to Harbour Bank."]);
    call.tell(Event::SpeechStarted); // this time it is said to its end
    assert_eq!(call.said().len(), 2);
    call.wait(3_000).tell(Event::NotHeard);
    assert!(call.last_said().starts_with("What can I do for you?"), "{}", call.last_said());
}

#[test]
fn a_slow_backend_is_explained() {
    let mut call = bank();
    call.backend_ms = 4_000;
    call.says("balance").says("407123").says("yes").keys("9876#").wait(2_500);
    assert_eq!(call.last_said(), "Let me look that up.");
    call.wait(5_000);
    assert!(call.said().contains(&"Your balance is 1234.50 GBP.".to_owned()));
}

#[test]
fn nobody_waits_in_silence_for_what_they_meant() {
    let sentence = "Somebody took my wallet";
    let slow = |meaning_ms: u64| {
        let mut call = bank();
        call.intents.insert(sentence.into(), vec![("lost_card".into(), 0.9), ("balance".into(), 0.05)]);
        call.quiet();
        call.meaning_ms = meaning_ms;
        call
    };
    let moment = |call: &Script| call.said().iter().filter(|said| *said == "One moment, please.").count();
    let mut call = slow(1_000);
    call.says(sentence).wait(2_000);
    assert_eq!((call.last_said().as_str(), moment(&call)), ("Shall I block your card now?", 0));
    let mut call = slow(2_600);
    call.says(sentence).wait(1_800);
    assert_eq!(call.last_said(), "One moment, please.");
    call.wait(3_000);
    assert_eq!((call.last_said().as_str(), moment(&call)), ("Shall I block your card now?", 1));
    // What comes while that is said waits for its end, and what never comes is given up.
    let mut call = slow(1_600);
    call.says(sentence).wait(1_650);
    assert_eq!(call.last_said(), "One moment, please.");
    call.wait(3_000);
    assert_eq!(call.last_said(), "Shall I block your card now?");
    let mut call = slow(60_000);
    call.says(sentence).wait(6_000);
    assert!(call.last_said().starts_with("Sorry, I didn't quite understand."), "{}", call.last_said());
    // Who says it otherwise meanwhile is answered.
    let mut call = slow(60_000);
    call.says(sentence).wait(1_600).interrupts("balance");
    assert_eq!(call.last_said(), "What is your account number?");
}

#[test]
fn backends_one_after_another_are_explained_as_one() {
    let mut flow = flows::bank();
    let Some(Step::Fetch(first)) = flow.steps.get_mut("balance") else { panic!("the bank asks for a balance") };
    let second = Fetch { wait: None, ..first.clone() };
    first.next = "again".into();
    flow.steps.insert("again".into(), Step::Fetch(second));
    let mut call = Script::new(flow);
    call.backends.insert("accounts".into(), Ok(json!({ "balance": "1234.50 GBP" })));
    call.backend_ms = 1_300;
    call.says("balance").says("407123").says("yes").keys("9876#").wait(2_000);
    assert_eq!(call.last_said(), "One moment, please.");
}

#[test]
fn a_broken_backend_leads_to_a_person_with_an_apology() {
    for failure in [BackendFailure::Down, BackendFailure::Timeout, BackendFailure::Malformed] {
        let mut call = bank();
        call.backends.insert("accounts".into(), Err(failure));
        call.says("balance").says("407123").says("yes").keys("9876#").quiet();
        assert_eq!(call.queue(), Some("service"));
        assert_eq!(
            call.last_said(),
            "I'm sorry, something isn't working on our side. I'll put you through to a colleague."
        );
    }
    // An answer without what it should hold is as good as none.
    let mut call = bank();
    call.backends.insert("accounts".into(), Ok(json!({ "balances": [] })));
    call.says("balance").says("407123").says("yes").keys("9876#").quiet();
    assert_eq!(call.queue(), Some("service"));
    // One that never answers is given up.
    let mut call = bank();
    call.backends.clear();
    call.says("balance").says("407123").says("yes").keys("9876#").wait(60_000);
    assert_eq!(call.queue(), Some("service"));
}

#[test]
fn an_unknown_account_is_said_to_be_unknown() {
    let mut call = bank();
    call.backends.insert("accounts".into(), Err(BackendFailure::NotFound));
    call.says("balance").says("407123").says("yes").keys("9876#").quiet();
    assert!(call.said().contains(&"I could not find that account with that PIN.".to_owned()));
    assert_eq!(call.facts(FactKind::Open), ["balance enquiry: not settled"]);
}

#[test]
fn outside_opening_hours_the_caller_is_told() {
    let mut call = Script::at(flows::bank(), script::SUNDAY);
    call.wait(20_000);
    assert!(call.finished().is_some());
    assert_eq!(call.said()[0], "The bank is closed. Say what it is about, and we will call you on a weekday.");
}

#[test]
fn a_parcel_in_mandarin() {
    let mut call = Script::new(flows::parcel());
    call.backends.insert("parcels".into(), Ok(json!({ "status": "正在派送", "date": "2026-11-24" })));
    call.says("我想查快递").says("幺二三四五六七八。");
    assert_eq!(call.last_said(), "单号是12345678，对吗？");
    call.says("不对，是幺二三四五六七九").says("对的").quiet();
    assert!(call.said().contains(&"您的包裹正在派送，预计2026-11-24送达。".to_owned()), "{:?}", call.said());
    call.says("没有了，谢谢").wait(20_000);
    let (summary, cause) = call.finished().unwrap();
    assert_eq!((cause, summary.outcome), (Cause::Completed, Some(Outcome::Contained)));
    assert_eq!(call.facts(FactKind::Verified), ["单号，由parcels核实"]);
}

#[test]
fn a_number_is_one_of_a_few_where_its_bounds_say_so() {
    let expected = |min: f64, max: f64| {
        let mut flow = flows::bank();
        if let Some(Step::Ask(ask)) = flow.steps.get_mut("account") {
            (ask.kind, ask.confirm) = (SlotKind::Number { min: Some(min), max: Some(max) }, None);
        }
        let mut call = Script::new(flow);
        call.says("balance").quiet();
        call.actions.iter().rev().find_map(|action| match action {
            Action::Listen { expect, .. } => Some(expect.clone()),
            _ => None,
        })
    };
    let few = ["two", "three", "four"].map(str::to_owned).into();
    assert_eq!(expected(2.0, 4.0), Some(Expect::Choice { phrases: few }));
    assert_eq!(expected(2.0, 400.0), Some(Expect::Values { lists: Vec::new(), several: false }));
}

#[test]
fn a_form_of_single_digits_is_heard_as_a_number() {
    let slot = |name: &str, max: f64| FormSlot {
        slot: name.into(),
        kind: SlotKind::Number { min: Some(0.0), max: Some(max) },
        ask: Some(flows::en(&format!("Which {name}?"))),
        again: None,
        label: Default::default(),
    };
    let heard = |slots: Vec<FormSlot>| {
        let mut flow = flows::bank();
        let form = Form { prompt: flows::en("Which ones?"), again: None, slots, confirm: None, next: "menu".into() };
        flow.steps.insert("menu".into(), Step::Form(form));
        let mut call = Script::new(flow);
        call.quiet();
        call
    };
    let listens = |call: &Script| {
        call.actions.iter().rev().find_map(|action| match action {
            Action::Listen { expect, .. } => Some(expect.clone()),
            _ => None,
        })
    };
    let mut call = heard(vec![slot("gate", 9.0), slot("floor", 9.0), slot("row", 9.0)]);
    assert_eq!(listens(&call), Some(Expect::Digits { min: 3, max: 3 }));
    call.says("652");
    assert_eq!(call.facts(FactKind::Collected), ["gate: 6", "floor: 5", "row: 2"]);
    let call = heard(vec![slot("gate", 9.0), slot("seat", 40.0)]);
    assert!(matches!(listens(&call), Some(Expect::Values { several: true, .. })));
}

#[test]
fn the_ear_is_told_what_is_expected() {
    let mut call = bank();
    call.says("balance").says("407123");
    let listens = call.actions.iter().filter_map(|action| match action {
        Action::Listen { expect, hints, .. } => Some((expect, hints)),
        _ => None,
    });
    let (mut expected, hints): (Vec<&Expect>, Vec<_>) = listens.unzip();
    expected.dedup();
    let digits = Expect::Digits { min: 6, max: 6 };
    assert_eq!(expected, [&Expect::Request, &digits, &Expect::Confirm { of: Box::new(digits.clone()) }]);
    let named = |hints: &Vec<String>| hints.iter().any(|hint| hint == "balance");
    assert!(named(hints[0]), "the menu's phrases, from the greeting on: {hints:?}");
    assert!(!hints[1..].iter().any(|hints| named(hints)), "and no longer than the menu: {hints:?}");
}

#[test]
fn without_speech_the_keys_remain() {
    let mut call = bank();
    call.quiet().tell(Event::SpeechUnavailable);
    assert!(call.last_said().starts_with("I can't hear you properly"), "{}", call.last_said());
    call.keys("1").keys("407123").keys("1").keys("9876#").quiet();
    assert!(call.said().contains(&"Your balance is 1234.50 GBP.".to_owned()), "{:?}", call.said());
    let listens = |action: &Action| matches!(action, Action::Listen { .. });
    let stopped = call.actions.iter().position(|action| *action == Action::StopListening).unwrap();
    assert!(!call.actions[stopped..].iter().any(listens));
    // A question that only words can answer leads to a person.
    let mut call = bank();
    call.quiet().tell(Event::SpeechUnavailable).keys("4");
    assert_eq!(call.queue(), Some("service"));
}

#[test]
fn more_than_a_yes_is_taken_to_the_menu() {
    let told = || {
        let mut call = Script::new(flows::parcel());
        call.backends.insert("parcels".into(), Ok(json!({ "status": "正在派送", "date": "2026-11-24" })));
        call.says("查包裹").says("12345678").says("对").quiet();
        assert_eq!(call.last_said(), "还有别的需要吗？");
        call
    };
    for words in ["有，要问价格", "是的，问一下价格", "价格"] {
        let mut call = told();
        call.says(words);
        assert_eq!(call.last_said(), "首重一公斤十二元，续重每公斤五元。", "{words}");
    }
    let mut call = told();
    call.says("是的，今天天气真不错");
    assert!(call.last_said().starts_with("请问有什么可以帮您？"), "{}", call.last_said());
}

#[test]
fn a_flow_of_two_languages_speaks_the_one_of_the_line() {
    let mut flow = flows::bank();
    if let Some(frontdesk::dialog::flow::Step::Say { say, .. }) = flow.steps.get_mut("greeting") {
        say.texts.insert(frontdesk::dialog::Language::new("zh"), "欢迎致电海港银行。".into());
    }
    let call = Script::new(flow.in_language(&frontdesk::dialog::Language::new("zh")));
    assert_eq!(call.said(), ["欢迎致电海港银行。"]);
}

#[test]
fn a_hash_after_the_last_digit_confirms_nothing() {
    let mut call = Script::new(flows::bank());
    call.says("balance").presses("407123").wait(400).presses("#");
    assert!(
        !call.notes().any(|note| matches!(note, Note::Slot { confirmed: true, .. })),
        "{:#?}",
        call.call.timeline()
    );
    call.quiet().presses("1");
    assert!(call.notes().any(|note| matches!(note, Note::Slot { confirmed: true, .. })));
}

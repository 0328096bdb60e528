//! The examples to copy, walked as callers walk them; replies as `examples/backend` gives them.

use std::path::PathBuf;

use crate::script;
use frontdesk::call::{Action, BackendFailure, Cause, FactKind};
use frontdesk::config::{self, Secrets};
use frontdesk::dialog::{Piece, flow::Step};
use script::{MONDAY, SUNDAY, Script};
use serde_json::json;

fn call(config: &str, flow: &str, moment: &str) -> Script {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("config").join(config);
    let config = config::load_with(&path, Secrets::Optional).unwrap_or_else(|problems| panic!("{problems}"));
    Script::at((*config.flows[flow]).clone(), moment)
}

fn bank() -> Script {
    let mut call = call("bank.yaml", "bank", MONDAY);
    let reply = json!({ "account": "314159", "balance": "1234.50", "currency": "USD", "name": "Ada Lovelace" });
    call.backends.insert("balance".into(), Ok(reply));
    call
}

fn parcel(status: &str) -> Script {
    let mut call = call("parcel.yaml", "parcel", MONDAY);
    let reply = json!({ "number": "88001234", "status": status, "city": "上海", "eta": "2026-11-23" });
    call.backends.insert("parcel".into(), Ok(reply));
    call
}

#[test]
fn the_bank_tells_a_balance_with_its_currency() {
    let mut call = bank();
    call.says("balance please").says("three one four one five nine");
    assert_eq!(call.last_said(), "I have 314159. Is that right?");
    call.says("yes").quiet();
    let money = Piece::Money("1234.50 USD".into());
    let told = |action: &Action| matches!(action, Action::Say { words, .. } if words.pieces.contains(&money));
    assert_eq!(call.count(told), 1, "{:?}", call.said());
    assert_eq!(call.fetches[0].2["account"], "314159");
    call.says("no thank you").quiet();
    assert_eq!(call.finished().unwrap().1, Cause::Completed);
    assert_eq!(call.last_said(), "Thank you for calling Harbour Bank. Goodbye.");
}

#[test]
fn the_bank_takes_keys_alone() {
    let mut call = bank();
    call.keys("1").keys("314159").keys("1").quiet();
    assert!(call.said().iter().any(|text| text.starts_with("Your balance is")), "{:?}", call.said());
    call.keys("2").quiet();
    assert_eq!(call.finished().unwrap().1, Cause::Completed);
}

#[test]
fn a_lost_card_goes_to_someone_who_can_block_it_first() {
    let mut call = bank();
    let words = "somebody took my purse";
    call.intents.insert(words.into(), vec![("lost_card".into(), 0.9)]);
    call.says(words).quiet();
    assert_eq!(call.queue(), Some("cards"));
    let urgent = |action: &Action| {
        let text = format!("{action:?}");
        text.contains("Enter") && text.contains("priority: 10") && text.contains("cards")
    };
    assert_eq!(call.count(urgent), 1);
    assert_eq!(call.facts(FactKind::Wanted), ["lost or stolen card"]);
}

#[test]
fn an_unknown_account_is_asked_once_more_and_then_a_person_looks() {
    let mut call = bank();
    call.backends.insert("balance".into(), Err(BackendFailure::NotFound));
    call.keys("1").keys("000000").keys("1").quiet();
    let said = call.said();
    assert_eq!(said[said.len() - 2], "I can't find an account with the number 000000. Let's try once more.");
    assert_eq!(said[said.len() - 1], "Please key in your six digit account number.");
    call.keys("000001").quiet();
    assert_eq!(call.queue(), Some("front-desk"));
}

#[test]
fn a_dead_back_office_leads_to_a_person() {
    let mut call = bank();
    call.backends.insert("balance".into(), Err(BackendFailure::Down));
    call.keys("1").keys("314159").keys("1").quiet();
    assert_eq!(call.queue(), Some("front-desk"));
    assert!(
        call.said().iter().any(|text| text.starts_with("I'm sorry, I can't reach your account")),
        "{:?}",
        call.said()
    );
}

#[test]
fn opening_hours_are_those_of_the_moment() {
    let mut now = call("bank.yaml", "bank", "2026-11-23T15:00:00Z"); // ten in the morning in New York
    now.keys("3").quiet();
    assert!(now.said().iter().any(|text| text.contains("is open right now")), "{:?}", now.said());
    let mut sunday = call("bank.yaml", "bank", SUNDAY);
    sunday.keys("3").quiet();
    assert!(sunday.said().iter().any(|text| text.contains("is closed at the moment")), "{:?}", sunday.said());
}

#[test]
fn the_carrier_tells_where_a_parcel_is() {
    for (status, told) in [
        ("派送中", "您的快递已经到上海了，快递员正在派送，请您保持电话畅通。"),
        ("已签收", "您的快递已经在上海签收了。"),
        ("等待取件", "您的快递已经到上海的网点，您可以随时去取。"),
    ] {
        let mut call = parcel(status);
        call.says("我要查快递").says("八八零零一二三四");
        assert_eq!(call.last_said(), "您的运单号是88001234，对吗？");
        call.says("对").quiet();
        assert!(call.said().iter().any(|text| text.contains(told)), "{status}: {:?}", call.said());
        call.says("没有了").quiet();
        assert_eq!(call.finished().unwrap().1, Cause::Completed, "{:?}", call.said());
    }
    let mut call = parcel("运输中");
    call.keys("1").keys("88001234").keys("1").quiet();
    let date = Piece::Date("2026-11-23".into());
    assert_eq!(call.count(|action| matches!(action, Action::Say { words, .. } if words.pieces.contains(&date))), 1);
}

#[test]
fn a_parcel_in_trouble_and_a_complaint_reach_a_person() {
    let mut trouble = parcel("派送失败");
    trouble.keys("1").keys("88001234").keys("1").quiet();
    assert_eq!(trouble.queue(), Some("service"));
    let mut complaint = parcel("派送中");
    complaint.says("我要投诉").quiet();
    assert_eq!(complaint.queue(), Some("service"));
    assert_eq!(complaint.facts(FactKind::Wanted), ["投诉"]);
}

#[test]
fn zero_and_a_wish_lead_to_a_person_from_the_first_question() {
    for (config, flow, wish) in [
        ("bank.yaml", "bank", "can I speak to a person"),
        ("parcel.yaml", "parcel", "转人工"),
        ("spanish.yaml", "recepcion", "una persona por favor"),
    ] {
        let mut pressed = call(config, flow, MONDAY);
        pressed.keys("0").quiet();
        let queue = pressed.flow.person.queue.clone();
        assert_eq!(pressed.queue(), Some(queue.as_str()), "{config}");
        let mut said = call(config, flow, MONDAY);
        said.says(wish).quiet();
        assert_eq!(said.queue(), Some(queue.as_str()), "{config}");
    }
}

#[test]
fn spanish_is_spoken_by_recordings() {
    let mut call = call("spanish.yaml", "recepcion", MONDAY);
    call.quiet();
    let Some(Step::Menu { .. }) = call.flow.steps.get("menu") else { panic!("the flow begins with its menu") };
    let recorded = |action: &Action| matches!(action, Action::Say { words, .. } if matches!(&words.pieces[..], [Piece::Recording(file)] if file.ends_with("prompts/es/operator.wav")));
    assert_eq!(call.count(recorded), 1);
    assert_eq!(call.last_said(), "Marque cero para hablar con la operadora.");
}

fn cafe() -> Script {
    let mut call = call("cafe.yaml", "cafe", MONDAY);
    call.backends.insert("orders".into(), Ok(json!({ "drink": "latte", "minutes": 10 })));
    call
}

#[test]
fn the_cafe_takes_an_order_from_one_sentence() {
    let mut call = cafe();
    call.keys("1").says("I'd like a large iced mocha with oat milk and caramel, no, make that cinnamon");
    assert_eq!(call.last_said(), "A large iced mocha with oat milk, no roast, cinnamon. Is that right?");
    call.says("light roast please");
    assert_eq!(call.last_said(), "A large iced mocha with oat milk, light roast, cinnamon. Is that right?");
    call.says("yes").says("Maria").quiet();
    assert!(
        call.said().iter().any(|text| text == "Your large iced mocha will be ready in 10 minutes."),
        "{:?}",
        call.said()
    );
    let sent = &call.fetches[0].2;
    assert_eq!(
        (sent["size"].as_str(), sent["extras"].as_str(), sent["name"].as_str()),
        ("twenty ounce", "cinnamon", "Maria")
    );
}

#[test]
fn the_cafe_hears_what_was_meant() {
    let mut call = cafe();
    call.keys("1").says("20 hours i smoke a light rose").says("oat milk").says("no");
    assert!(
        call.last_said().starts_with("A large iced mocha with oat milk, light roast, no extras."),
        "{}",
        call.last_said()
    );
}

#[test]
fn the_cafe_takes_an_order_in_mandarin() {
    let mut call = cafe();
    call.keys("1").says("我要一个大杯拿铁，燕麦奶，加焦糖");
    let sent = |call: &Script, slot: &str| {
        call.call.timeline().iter().rev().find_map(|entry| match &entry.note {
            frontdesk::call::Note::Slot { slot: name, value, .. } if name == slot => Some(value.clone()),
            _ => None,
        })
    };
    for (slot, value) in [("size", "twenty ounce"), ("drink", "latte"), ("milk", "oat milk"), ("extras", "caramel")] {
        assert_eq!(sent(&call, slot).as_deref(), Some(value), "{slot}");
    }
}

#[test]
fn a_table_is_asked_for_in_one_breath() {
    let mut call = cafe();
    call.keys("2")
        .says("Friday at half past three for four people, my number is five five five, oh one nine nine, double two");
    assert_eq!(call.last_said(), "A table for 4 on 2026-11-27 at 15:30. Your number is 555019922. Is that right?");
    call.says("no, for five").says("yes").quiet();
    assert_eq!(call.queue(), Some("counter"));
}

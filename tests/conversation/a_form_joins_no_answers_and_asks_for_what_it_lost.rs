//! Two answers of one form are two numbers, whatever they would be as one; and a value that proved to be a secret is no
//! answer any more: the form asks for it again.

use frontdesk::call::*;
use frontdesk::dialog::flow::{Flow, Form, FormSlot, SlotKind, Step};

use crate::script::flows::{cafe, en, label};
use crate::script::{MONDAY, Script};

/// Two numbers of these lengths, one after the other.
fn numbers(lengths: [usize; 2]) -> Flow {
    let field = |slot: &str, length| FormSlot {
        slot: slot.into(),
        kind: SlotKind::Digits { min: length, max: length },
        ask: Some(en(&format!("What is the {slot} number?"))),
        again: None,
        label: label("en", slot),
    };
    let mut flow = cafe();
    let form = Form {
        prompt: en("What is it about?"),
        again: None,
        slots: vec![field("meter", lengths[0]), field("order", lengths[1])],
        confirm: None,
        next: "booked".into(),
    };
    flow.steps.insert("table".into(), Step::Form(form));
    flow
}

fn values(script: &Script) -> Vec<(String, String)> {
    let slot = |note: &Note| match note {
        Note::Slot { slot, value, .. } => Some((slot.clone(), value.clone())),
        _ => None,
    };
    script.notes().filter_map(slot).collect()
}

#[test]
fn two_answers_stay_two() {
    // As one they would be a person's id, and a card's number.
    for [meter, order] in [["11010520", "0002290013"], ["45395787", "63621486"]] {
        let mut script = Script::at(numbers([meter.len(), order.len()]), MONDAY);
        script.keys("2").says("I have a question").says(meter);
        assert_eq!(script.last_said(), "What is the order number?");
        script.says(order);
        assert_eq!(values(&script), [("meter".into(), meter.into()), ("order".into(), order.into())]);
        assert_eq!(script.last_said(), "See you then.");
    }
}

#[test]
fn what_was_forgotten_is_asked_for_again() {
    let mut script = Script::at(numbers([8, 6]), MONDAY);
    script.keys("2").says("I have a question");
    let since_ms = script.now;
    script.says("45395787").tell(Event::Forget { since_ms });
    assert_eq!(script.last_said(), "What is the order number?");
    script.says("407123");
    assert_eq!(script.last_said(), "What is the meter number?", "it was lost");
    script.says("11010520");
    assert_eq!(script.last_said(), "See you then.");
    assert_eq!(values(&script).last(), Some(&("meter".into(), "11010520".into())));
}

//! A value that is read back: put right with a yes as well as with a no, and a caller who is never content reaches a
//! person.

use crate::script::flows::{bank, cafe};
use crate::script::{MONDAY, Script};

#[test]
fn a_yes_with_another_value_is_no_yes() {
    let mut script = Script::at(bank(), MONDAY);
    script.says("balance").says("four oh seven one two three");
    assert!(script.last_said().contains("407123"), "{}", script.last_said());
    script.says("Right, make that four oh nine one two three");
    assert!(script.last_said().contains("409123"), "{}", script.last_said());
    script.says("Yes, four oh nine one two three");
    assert!(!script.last_said().contains("Is that right?"), "{}", script.last_said());
}

#[test]
fn what_was_wrong_once_is_not_read_back_again_where_something_else_may_have_been_said() {
    let mut script = Script::at(bank(), MONDAY);
    script.says("balance").says("four oh seven one two three").says("no").quiet();
    script.says_one_of("407123", &["401123"]);
    assert!(script.last_said().contains("401123"), "{}", script.last_said());
    // Nothing else: the no may have been a mistake.
    let mut script = Script::at(bank(), MONDAY);
    script.says("balance").says("four oh seven one two three").says("no").quiet();
    script.says("four oh seven one two three");
    assert!(script.last_said().contains("407123"), "{}", script.last_said());
}

#[test]
fn who_says_no_to_a_form_again_and_again_reaches_a_person() {
    let mut script = Script::at(cafe(), MONDAY);
    script.says("coffee").says("a latte, dark roast, with cinnamon").quiet();
    for times in 0.. {
        assert!(times < 10, "never a person: {:?}", script.said());
        script.murmurs("small", 0.45).says("no").quiet();
        if script.queue().is_some() {
            break;
        }
    }
}

#[test]
fn who_puts_a_form_right_without_end_reaches_a_person() {
    let mut script = Script::at(cafe(), MONDAY);
    script.keys("2").says("next Tuesday at half past seven in the evening");
    script.says("oh two oh, seven one two three, four five six seven");
    for times in 0.. {
        assert!(times < 20, "never a person: {:?}", script.said());
        script.says(["no, at eight pm", "no, at nine pm"][times % 2]).quiet();
        if script.queue().is_some() {
            assert!(times >= 3, "each slot may be put right");
            break;
        }
    }
}

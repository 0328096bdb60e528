//! Silence is not failure: the caller is asked again, once, and then let go politely.

use crate::script;
use frontdesk::call::{Action, Cause, Note, Outcome};
use script::{Script, flows};

#[test]
fn a_silent_caller_is_asked_twice() {
    let mut call = Script::new(flows::bank());
    call.wait(60_000);
    let said = call.said();
    assert_eq!(said.len(), 4, "{said:?}");
    assert!(said[1].starts_with("What can I do for you?"));
    assert!(said[2].starts_with("Are you still there? What can I do for you?"));
    assert_eq!(said[3], "Thank you for calling. Goodbye.");
    let (summary, cause) = call.finished().unwrap();
    assert_eq!((cause, summary.outcome), (Cause::Silent, Some(Outcome::Abandoned)));
    assert_eq!(call.count(|action| *action == Action::HangUp { cause: Cause::Silent }), 1);
}

#[test]
fn any_sign_of_life_counts() {
    let mut call = Script::new(flows::bank());
    call.says("balance");
    for _ in 0..5 {
        call.quiet().wait(7_000); // silent once
        assert!(call.last_said().starts_with("Are you still there?"), "{}", call.last_said());
        call.quiet().presses("4*"); // begins anew
        call.wait(6_000); // and gives up: a failed attempt
        if call.queue().is_some() {
            break;
        }
    }
    assert!(call.finished().is_none());
    let silences = call.notes().filter(|note| **note == Note::Silence).count();
    assert_eq!(silences, 2, "with keys between them");
}

#[test]
fn a_prompt_is_heard_out_before_silence_counts() {
    let mut call = Script::new(flows::bank());
    call.quiet();
    let asked = call.now;
    call.wait(5_900);
    assert!(!call.notes().any(|note| *note == Note::Silence));
    call.wait(200);
    assert!(call.notes().any(|note| *note == Note::Silence), "6 s after {asked}");
}

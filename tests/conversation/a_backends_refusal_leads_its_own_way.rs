//! A backend that will not do what it is asked says why, and the flow goes its own way; without such a way it counts as a
//! failure. What came to nothing that anybody knows of is asked for once more under the same name, and only that.

use frontdesk::call::{Action, BackendFailure, FactKind, Note, Reply, RequestId};
use frontdesk::dialog::check;
use frontdesk::dialog::flow::{Flow, Refused, Step};
use serde_json::json;

use crate::script::Script;
use crate::script::flows;

/// The bank, whose accounts may be refused; it asks for no PIN.
fn bank(refused: Option<Refused>) -> Flow {
    let mut flow = flows::bank();
    let blocked = Step::Say { say: flows::en("The bank says: {reason}."), next: "menu".into() };
    if refused.is_some() {
        flow.steps.insert("blocked".into(), blocked);
    }
    flow.steps.remove("pin");
    for step in flow.steps.values_mut() {
        match step {
            Step::Ask(ask) if ask.slot == "account" => ask.next = "balance".into(),
            Step::Fetch(fetch) => {
                fetch.refused = refused.clone();
                fetch.with.remove("pin");
            }
            _ => {}
        }
    }
    assert_eq!(check(&flow), []);
    flow
}

fn asked(flow: Flow) -> Script {
    let mut call = Script::new(flow);
    call.says("balance").says("one two three four five six").says("yes");
    call
}

#[test]
fn a_refusal_is_told_in_the_backends_own_words() {
    let refused = Refused { save: [("reason".into(), "/detail".into())].into(), next: "blocked".into() };
    let mut call = Script::new(bank(Some(refused)));
    call.refusals.insert("accounts".into(), json!({ "detail": "this account is closed" }));
    call.says("balance").says("one two three four five six").says("yes").wait(8_000);
    assert!(call.said().iter().any(|said| said == "The bank says: this account is closed."), "{:?}", call.said());
    let refused = |note: &Note| matches!(note, Note::Reply { failure: Some(BackendFailure::Refused), .. });
    assert!(call.notes().any(refused));
    assert_eq!(call.facts(FactKind::Tried), ["balance look-up: refused"]);
}

#[test]
fn a_refusal_without_a_way_of_its_own_is_a_failure() {
    let mut call = Script::new(bank(None));
    call.refusals.insert("accounts".into(), json!(null));
    call.says("balance").says("one two three four five six").says("yes").wait(3_000);
    let mut failing = Script::new(bank(None));
    failing.backends.insert("accounts".into(), Err(BackendFailure::Down));
    failing.says("balance").says("one two three four five six").says("yes").wait(3_000);
    assert_eq!(call.last_said(), failing.last_said());
}

#[test]
fn a_log_with_a_refusal_reads_as_logs_always_did() {
    let reply = |reply: Reply| serde_json::to_value(reply).unwrap();
    assert_eq!(reply(Reply::Found(json!({ "a": 1 }))), json!({ "Ok": { "a": 1 } }));
    assert_eq!(reply(Reply::Failed(BackendFailure::Down)), json!({ "Err": "down" }));
    assert_eq!(reply(Reply::Refused(json!(null))), json!({ "Refused": null }));
}

/// Which requests repeat which.
fn repeats(call: &Script) -> Vec<(RequestId, Option<RequestId>)> {
    let fetch = |action: &Action| match action {
        Action::Fetch { request, repeats, .. } => Some((*request, *repeats)),
        _ => None,
    };
    call.actions.iter().filter_map(fetch).collect()
}

#[test]
fn only_what_came_to_nothing_is_the_same_request_again() {
    let mut flow = bank(None);
    for step in flow.steps.values_mut() {
        if let Step::Fetch(fetch) = step {
            fetch.failed = "account".into();
        }
    }
    let mut call = asked(flow);
    let first = repeats(&call)[0].0;
    let once_more = |call: &mut Script, reply: Reply, number: &str| {
        let (request, ..) = call.fetches.last().unwrap().clone();
        call.tell(frontdesk::call::Event::Replied { request, reply });
        call.says(number).says("yes");
        repeats(call).pop().unwrap().1
    };
    let lost = || Reply::Failed(BackendFailure::Timeout);
    let number = "one two three four five six";
    assert_eq!(once_more(&mut call, lost(), number), Some(first));
    assert_eq!(once_more(&mut call, lost(), number), Some(first), "the first of all");
    assert_eq!(once_more(&mut call, lost(), "six five four three two one"), None, "another question");
    assert_eq!(
        once_more(&mut call, Reply::Refused(json!(null)), "six five four three two one"),
        None,
        "it was answered"
    );
}

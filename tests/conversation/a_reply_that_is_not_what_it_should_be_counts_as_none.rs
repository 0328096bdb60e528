//! A flow says what its values are: a backend's reply that holds something else goes the way of a failure, and is not said.

use frontdesk::call::{BackendFailure, Event, Note, Reply};
use frontdesk::dialog::types::Type;
use serde_json::{Value, json};

use crate::script::{Script, flows};

/// The bank, asked for a balance, of which the backend says this.
fn told(balance: Value) -> Script {
    let mut flow = flows::bank();
    flow.types.insert("balance".into(), Type::Money);
    assert_eq!(frontdesk::dialog::check(&flow), []);
    let mut call = Script::new(flow);
    call.says("balance").says("four seven one one four two").says("yes").keys("123456");
    let (request, ..) = call.fetches.last().expect("the backend is asked").clone();
    call.tell(Event::Replied { request, reply: Reply::Found(json!({ "balance": balance })) });
    call
}

#[test]
fn only_what_it_should_be_is_said() {
    let mut call = told(json!("12.50 EUR"));
    call.quiet();
    assert!(call.said().iter().any(|said| said.contains("12.50 EUR")), "{:#?}", call.said());
    for wrong in [json!("see your statement"), json!(12.5), json!({ "error": 7 }), json!(["12.50 EUR", "3 EUR"])] {
        let mut call = told(wrong.clone());
        call.quiet();
        assert_eq!(call.queue(), Some("service"), "{wrong}: {:#?}", call.said());
        assert!(!call.said().iter().any(|said| said.contains("Your balance is")), "{wrong}");
        let failures = call.notes().filter_map(|note| match note {
            Note::Reply { failure, .. } => *failure,
            _ => None,
        });
        assert_eq!(failures.collect::<Vec<_>>(), [BackendFailure::Malformed], "{wrong}");
    }
}

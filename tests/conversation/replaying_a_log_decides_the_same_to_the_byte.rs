//! A call's event log, written as JSON lines, read back and replayed, gives the same actions byte for byte; a log
//! with a masked PIN does too, though the PIN is not in it.

use crate::script;
use frontdesk::call::{BackendFailure, Event, Logged, replay, replay_log};
use frontdesk::media::Key;
use script::{Script, flows};
use serde_json::json;

fn lines(log: &[Logged]) -> String {
    log.iter().map(|line| serde_json::to_string(line).unwrap() + "\n").collect()
}

fn calls() -> Vec<Script> {
    let bank = || {
        let mut call = Script::new(flows::bank());
        call.backends
            .insert("accounts".into(), Ok(json!({ "balance": { "amount": 12.5, "currency": "GBP" }, "z": 1, "a": 2 })));
        call
    };
    let mut balance = bank();
    balance.says("Balance").says("four oh seven one two three").says("yes").keys("9276#").quiet();
    balance.says("I want a person").connect("ann").wait(10_000).tell(Event::CallerHungUp);
    let mut ahead = bank();
    ahead.presses("1407123").presses("1").presses("9276").wait(20_000).tell(Event::CallerHungUp);
    let mut lone = bank();
    lone.presses("1407123").presses("1").presses("7").wait(20_000).tell(Event::NobodyThere).wait(20_000);
    let mut zero = bank();
    zero.presses("1407123").presses("1").presses("0").wait(20_000).tell(Event::NobodyThere).wait(20_000);
    let mut spoken = bank();
    spoken.presses("1407123").presses("1").says("nine two seven six").says("my pin is 9276, get me an agent");
    spoken.tell(Event::CallerHungUp);
    let mut parcel = Script::new(flows::parcel());
    parcel.backends.insert("parcels".into(), Err(BackendFailure::Down));
    parcel.intents.insert("我的快递呢".into(), vec![("status".into(), 0.123_456_7), ("address".into(), 0.9)]);
    parcel.says("我的快递呢").says("查包裹").says("幺二三四五六七八").says("对").quiet().connect("小李").wait(1_000);
    parcel.tell(Event::AgentHungUp).wait(20_000);
    vec![balance, ahead, lone, zero, spoken, parcel]
}

#[test]
fn byte_for_byte() {
    for call in calls() {
        let written = lines(&call.lines);
        let read: Vec<Logged> = written.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(read, call.lines, "nothing is lost on the way to JSON and back");
        let again = lines(&replay_log(call.flow.clone(), &read));
        assert!(written == again, "decides otherwise:\n{}", difference(&written, &again));
        // With the events as they were, the actions are those of the call itself.
        let actions: Vec<_> = replay(call.flow.clone(), &call.log).concat();
        assert_eq!(serde_json::to_string(&actions).unwrap(), serde_json::to_string(&call.actions).unwrap());
    }
}

fn difference(a: &str, b: &str) -> String {
    let pair = a.lines().zip(b.lines()).find(|(a, b)| a != b);
    pair.map(|(a, b)| format!("{a}\n{b}")).unwrap_or_default()
}

#[test]
fn what_is_masked_is_not_in_the_log() {
    for call in calls().iter().take(5) {
        let written = lines(&call.lines);
        assert!(written.contains("\"mask\""));
        assert!(!written.contains("9276") && !written.contains("nine two"), "the PIN");
        let keys: String = call
            .lines
            .iter()
            .filter_map(|line| match line.event {
                Event::Key { key } => Some(Key::as_char(key)),
                _ => None,
            })
            .collect();
        assert!(!keys.contains("92") && !keys.contains("27"), "{keys}");
    }
}

#[test]
fn another_flow_decides_otherwise() {
    let call = &calls()[0];
    let mut flow = flows::bank();
    flow.attempts = 1;
    flow.start = "menu".into();
    let again = replay_log(std::sync::Arc::new(flow), &call.lines);
    assert_ne!(lines(&again), lines(&call.lines), "the comparison above can fail");
}

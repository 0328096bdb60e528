//! The agent sends the caller back to the bot for a PIN and waits. However that ends, nobody is lost.

use frontdesk::call::*;
use frontdesk::config;

use crate::script::flows::bank_with_pin;
use crate::script::{MONDAY, Script};

/// Ann talks to the caller and has sent them for the PIN.
fn sent() -> Script {
    let mut call = Script::at(bank_with_pin(), MONDAY);
    call.keys("0").connect("ann");
    call.tell(Event::DeskStepAsked { step: "pin".into() });
    assert_eq!(call.last_said(), "Please key in your card's PIN.");
    call
}

fn over(call: &Script) -> Option<bool> {
    call.notes().find_map(|note| match note {
        Note::DeskStepOver { done, .. } => Some(*done),
        _ => None,
    })
}

fn connections(call: &Script) -> usize {
    call.count(|action| matches!(action, Action::Connect)) - call.count(|action| matches!(action, Action::Disconnect))
}

fn released(call: &Script) -> usize {
    call.count(|action| matches!(action, Action::ReleaseAgent { agent } if agent == "ann"))
}

#[test]
fn the_caller_comes_back_with_what_was_asked() {
    let mut call = sent();
    assert_eq!(connections(&call), 0, "the agent hears no PIN");
    call.keys("4711").quiet();
    assert_eq!((over(&call), connections(&call), released(&call)), (Some(true), 1, 0));
    let slot = |note: &&Note| matches!(note, Note::Slot { slot, value, .. } if slot == "card_pin" && value == "***");
    assert_eq!(call.notes().filter(slot).count(), 1, "the desk sees that it was given, and not what");
    let opened = call.actions.iter().filter(|action| matches!(action, Action::Mask)).count();
    let closed = call.actions.iter().filter(|action| matches!(action, Action::Unmask)).count();
    assert_eq!((opened, closed), (1, 1));
    call.tell(Event::AgentHungUp).quiet();
    assert_eq!(call.finished().unwrap().1, Cause::AgentHungUp);
}

#[test]
fn a_wish_for_a_person_silence_and_a_broken_voice_lead_back_to_the_agent() {
    let ends: [fn(&mut Script) -> &mut Script; 4] = [
        |call| call.says("I want to talk to a person"),
        |call| call.quiet().wait(60_000),
        |call| call.tell(Event::VoiceFailed { prompt: voiced(call) }),
        |call| call.tell(Event::DeskStepOver),
    ];
    for (n, end) in ends.into_iter().enumerate() {
        let mut call = sent();
        end(&mut call);
        assert_eq!((over(&call), connections(&call), released(&call)), (Some(false), 1, 0), "{n}");
        assert!(matches!(call.notes().last(), Some(Note::Connected { agent }) if agent == "ann"), "{n}");
        let queued = call.count(|action| matches!(action, Action::Queue(QueueRequest::Enter { .. })));
        assert_eq!(queued, 1, "{n}: no other agent is sought");
    }
}

/// The prompt that is being said.
fn voiced(call: &Script) -> PromptId {
    let said = call.actions.iter().rev().find_map(|action| match action {
        Action::Say { prompt, .. } => Some(*prompt),
        _ => None,
    });
    said.unwrap()
}

#[test]
fn an_agent_who_leaves_meanwhile_costs_the_caller_nothing() {
    // The survey is said to its end, and then goodbye.
    let mut call = sent();
    call.tell(Event::AgentHungUp);
    assert_eq!(released(&call), 1);
    call.keys("4711").quiet();
    assert_eq!((over(&call), call.finished().unwrap().1), (Some(true), Cause::AgentHungUp));

    // Who wants a person gets another; so does everybody whose agent was lost.
    for (gone, wish) in [
        (Event::AgentHungUp, "a person please"),
        (Event::AgentFailed { agent: "ann".into(), failure: AgentFailure::Unreachable }, ""),
    ] {
        let mut call = sent();
        call.tell(gone);
        match wish {
            "" => call.keys("4711").quiet(),
            wish => call.says(wish).quiet(),
        };
        let queued = call.count(|action| matches!(action, Action::Queue(QueueRequest::Enter { .. })));
        assert_eq!((queued, released(&call), connections(&call)), (2, 1, 0), "{wish}");
        call.connect("bob");
        assert_eq!(connections(&call), 1);
    }
}

#[test]
fn a_caller_who_hangs_up_frees_the_agent_who_waits() {
    let mut call = sent();
    call.tell(Event::CallerHungUp);
    let done = |action: &Action| matches!(action, Action::Queue(QueueRequest::Done { agent }) if agent == "ann");
    assert_eq!((released(&call), call.count(done)), (1, 1));
    assert_eq!(call.finished().unwrap().1, Cause::CallerHungUp);
}

#[test]
fn what_the_flow_does_not_offer_changes_nothing() {
    let mut call = Script::at(bank_with_pin(), MONDAY);
    call.keys("0").connect("ann");
    call.tell(Event::DeskStepAsked { step: "survey".into() }).tell(Event::DeskStepOver);
    assert_eq!((over(&call), connections(&call)), (None, 1));
}

const HOUSE: &str = r#"
agents:
  anna: { uri: "sip:anna@10.0.0.1", queues: [desk] }
queues:
  desk: {}
lines:
  main: { numbers: ["100"], flow: shop }
flows:
  - flow: shop
    language: en
    person: { queue: desk }
    start: desk
    desk_steps: { account: identify }
    steps:
      desk: { transfer: desk }
  - flow: identify
    language: en
    person: { queue: desk }
    start: ask
    steps:
      ask: { ask: "Your account, please?", slot: account, type: digits, length: 4, next: back }
      back: { return: true }
"#;

#[test]
fn what_the_desk_offers_are_flows_that_return() {
    let loaded = |text: &str| {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("config.yaml");
        std::fs::write(&path, text).unwrap();
        config::load(&path)
    };
    let flow = loaded(HOUSE).unwrap_or_else(|problems| panic!("{problems}")).flows["shop"].as_ref().clone();
    let mut call = Script::at(flow, MONDAY);
    call.quiet().connect("anna").tell(Event::DeskStepAsked { step: "account".into() });
    call.keys("1234").quiet();
    assert_eq!((over(&call), connections(&call)), (Some(true), 1));

    for (right, wrong, told) in [
        ("account: identify }", "account: identity }", "there is no flow `identity`"),
        ("account: identify }", "account: shop }", "calls itself"),
        ("{ account: identify }", "{ \"my account\": identify }", "cannot be a name"),
        ("\"Your account, please?\"", "\"Your account, {name}?\"", "nothing fills `name`"),
    ] {
        let problems = loaded(&HOUSE.replace(right, wrong)).expect_err(wrong).to_string();
        assert!(problems.contains(told), "{told}: {problems}");
    }
}

//! Where no person takes the call the caller has an honest choice: a callback on a number read back, a message, or to
//! wait where somebody is there to wait for. Nothing is promised before it is kept.

use crate::script;
use frontdesk::call::*;
use frontdesk::dialog::Language;
use frontdesk::dialog::flow::*;
use script::{MONDAY, Script, flows};

fn instead(mut flow: Flow) -> Flow {
    let queues = ["front-desk", "cards", "parcels", &flow.person.queue.clone()].map(str::to_owned);
    let may = Instead { callback: Some(vec!["+4420*".into(), "020*".into(), "138*".into()]), message: true };
    flow.instead = queues.into_iter().map(|queue| (queue, may.clone())).collect();
    flow
}

/// A caller who asked for a person whom nobody is there to be.
fn nobody() -> Script {
    let mut call = Script::new(instead(flows::bank()));
    call.says("an agent please");
    call.tell(Event::NobodyThere).quiet();
    call
}

fn kept(call: &Script) -> Option<&Promise> {
    call.actions.iter().find_map(|action| match action {
        Action::KeepCallback(promise) => Some(&**promise),
        _ => None,
    })
}

fn message(call: &Script) -> Option<&LeftMessage> {
    call.actions.iter().find_map(|action| match action {
        Action::KeepMessage(message) => Some(message),
        _ => None,
    })
}

fn outcome(call: &Script) -> Option<Outcome> {
    call.finished().and_then(|(summary, _)| summary.outcome)
}

#[test]
fn a_callback_on_the_callers_own_number_needs_a_yes_to_it() {
    let mut call = nobody();
    let said = call.last_said();
    assert!(said.contains("nobody is there") && said.contains("press 1") && said.contains("press 2"), "{said}");
    assert!(!said.contains("keep waiting"), "nobody to wait for: {said}");
    call.says("call me back please");
    assert!(call.last_said().contains("call you back on"), "{}", call.last_said());
    assert!(kept(&call).is_none(), "no consent yet");
    call.says("yes");
    let promise = kept(&call).unwrap().clone();
    assert_eq!((promise.number.as_str(), promise.queue.as_str()), ("+442071234567", "service"));
    assert!(!call.said().iter().any(|said| said.contains("keep your place")), "not promised before it is kept");
    call.tell(Event::CallbackKept { position: 3, estimate_s: Some(600) }).quiet();
    let said = call.last_said();
    assert!(said.contains("keep your place") && said.contains("10 minutes"), "{said}");
    assert_eq!(outcome(&call), Some(Outcome::Promised));
    assert!(call.facts(FactKind::Open).contains(&"to be called back: +442071234567".to_owned()));
}

#[test]
fn another_number_is_asked_for_read_back_and_must_be_allowed() {
    let mut call = nobody();
    call.keys("1").quiet();
    call.keys("2").quiet();
    assert!(call.last_said().contains("which number"), "{}", call.last_said());
    call.keys("0900123456#").quiet();
    assert!(call.last_said().contains("can't call that number"), "{}", call.last_said());
    call.says("oh two oh seven one two three four five six eight").quiet();
    assert!(call.last_said().contains("Shall we call you back"), "{}", call.last_said());
    call.keys("1");
    assert_eq!(kept(&call).unwrap().number, "02071234568");
}

#[test]
fn who_withholds_the_number_is_asked_for_one() {
    let caller = Caller { number: "+442071234567".into(), withheld: true, line: "main".into(), ..Caller::default() };
    let mut call = Script::from(instead(flows::bank()), MONDAY, caller);
    call.says("an agent please").tell(Event::NobodyThere);
    call.keys("1").quiet();
    assert!(call.last_said().contains("which number"), "{}", call.last_said());
}

#[test]
fn who_is_to_be_called_back_already_is_told_so() {
    let mut call = nobody();
    call.says("call me back please").says("yes");
    call.tell(Event::CallbackStands).tell(Event::CallbackKept { position: 1, estimate_s: Some(600) }).quiet();
    let said = call.last_said();
    assert!(said.contains("call you back on that number already") && said.contains("10 minutes"), "{said}");
    assert_eq!(outcome(&call), Some(Outcome::Promised));
}

#[test]
fn a_callback_that_cannot_be_kept_is_not_promised() {
    let mut call = nobody();
    call.keys("1").keys("1").tell(Event::CallbackRefused).quiet();
    let said = call.last_said();
    assert!(
        said.contains("something isn't working") && said.contains("press 2") && !said.contains("press 1"),
        "{said}"
    );
}

#[test]
fn a_message_is_kept_however_it_ends() {
    // By silence.
    let mut call = nobody();
    call.says("I'd like to leave a message").quiet();
    assert!(call.last_said().contains("leave your message"));
    assert!(call.actions.contains(&Action::Record));
    call.murmurs("This is Jo Doe", 0.9).wait(500).murmurs("my card was swallowed", 0.8).wait(10_000);
    let left = message(&call).unwrap();
    assert_eq!((left.queue.as_str(), left.text.as_str()), ("service", "This is Jo Doe my card was swallowed"));
    assert!(left.to_ms > left.from_ms);
    assert!(call.said().iter().any(|said| said.contains("has been recorded")));
    assert_eq!(outcome(&call), Some(Outcome::Promised));
    // By a key.
    let mut call = nobody();
    call.keys("2").quiet().murmurs("call Jo", 0.9).presses("#").quiet();
    assert_eq!(message(&call).unwrap().text, "call Jo");
    // By hanging up in mid-sentence: what was said last is still read.
    let mut call = nobody();
    call.keys("2").quiet();
    call.tell(Event::SpeechStarted);
    call.tell(Event::CallerHungUp);
    assert!(call.finished().is_none(), "the last words are being read");
    call.murmurs("the lift is stuck", 0.9);
    assert_eq!(message(&call).unwrap().text, "the lift is stuck");
    assert_eq!(call.finished().unwrap().1, Cause::CallerHungUp);
    assert_eq!(outcome(&call), Some(Outcome::Promised));
    // Without a recogniser there is the sound.
    let mut call = nobody();
    call.keys("2").quiet();
    call.tell(Event::SpeechUnavailable).wait(3_000).presses("#").quiet();
    assert_eq!(message(&call).unwrap().text, "");
    // And silence is none.
    let mut call = nobody();
    call.keys("2").quiet().wait(20_000);
    assert_eq!(message(&call), None);
    assert!(call.finished().is_some());
}

#[test]
fn a_long_wait_may_be_waited_on() {
    let mut call = Script::new(instead(flows::bank()));
    call.says("an agent please").tell(Event::WaitOver).quiet();
    let said = call.last_said();
    assert!(said.contains("still on the phone") && said.contains("press 3"), "{said}");
    let entered = |call: &Script| call.count(|action| matches!(action, Action::Queue(QueueRequest::Enter { .. })));
    call.says("I'll wait");
    assert_eq!(entered(&call), 2);
    call.connect("ann");
    assert_eq!(call.count(|action| *action == Action::Connect), 1);
    // "0" means the same here.
    let mut call = Script::new(instead(flows::bank()));
    call.says("an agent please").tell(Event::WaitOver).keys("0");
    assert_eq!(entered(&call), 2);
}

#[test]
fn who_is_invited_while_waiting_keeps_the_place_until_it_is_settled() {
    let waits = || {
        let mut call = Script::new(instead(flows::bank()));
        call.says("an agent please").quiet();
        call.tell(Event::Waiting { position: 4, estimate_s: Some(900) }).wait(8_000);
        call.tell(Event::CallbackOffered).quiet();
        call
    };
    let mut call = waits();
    assert!(call.last_said().contains("press 1"), "{}", call.last_said());
    call.keys("1").quiet();
    assert!(call.last_said().contains("call you back on"), "{}", call.last_said());
    let left = |call: &Script| call.count(|action| *action == Action::Queue(QueueRequest::Leave));
    assert_eq!(left(&call), 0, "the place is kept");
    call.keys("1").tell(Event::CallbackKept { position: 4, estimate_s: None }).quiet();
    assert_eq!(outcome(&call), Some(Outcome::Promised));
    assert_eq!(left(&call), 1, "the line is free; the floor keeps the place of who is to be called back");
    // An agent who becomes free meanwhile takes the call.
    let mut call = waits();
    call.keys("1").quiet().connect("ann");
    assert_eq!(call.count(|action| *action == Action::Connect), 1);
    // Or one whose promise is being written down does not, and it is no fault of theirs.
    let mut call = waits();
    call.keys("11").tell(Event::AgentFound { agent: "ann".into(), brief: true });
    let not_wanted = QueueRequest::NotTaken { agent: "ann".into(), failure: AgentFailure::NotWanted };
    assert_eq!(call.count(|action| *action == Action::Queue(not_wanted.clone())), 1, "{:?}", call.said());
    // A caller who says something else just waits on, and so does who speaks to somebody in the room.
    for aside in ["what a nice tune", "okay I'll be there in a minute"] {
        let mut call = waits();
        call.says(aside).connect("ann");
        assert_eq!(call.count(|action| *action == Action::Connect), 1, "{aside}");
    }
    // Who chose it and then says nothing, wants a person or not to be called after all keeps the place.
    for changed in ["", "an agent please", "no"] {
        let mut call = waits();
        call.keys("1").quiet();
        match changed {
            "" => call.wait(60_000),
            words => call.says(words).quiet(),
        };
        if changed == "no" {
            call.says("no").says("no").quiet(); // which number?
        }
        assert!(call.finished().is_none() && left(&call) == 0, "{changed}: {:?}", call.said());
        call.connect("ann");
        assert_eq!(call.count(|action| *action == Action::Connect), 1, "{changed}");
    }
}

#[test]
fn two_failures_leave_a_message_and_two_silences_or_a_no_end_it() {
    let mut call = nobody();
    call.says("purple elephants").says("purple elephants").quiet();
    assert!(call.last_said().contains("leave your message"), "{}", call.last_said());
    let mut call = nobody();
    call.wait(60_000);
    assert_eq!(call.finished().unwrap().1, Cause::NoAgent);
    let mut call = nobody();
    call.says("no thank you").quiet();
    assert_eq!(call.finished().unwrap().1, Cause::NoAgent);
}

#[test]
fn it_is_offered_in_mandarin_and_not_in_a_language_without_words_for_it() {
    let mut call = Script::new(instead(flows::parcel()));
    call.says("人工").tell(Event::NobodyThere).quiet();
    assert!(call.last_said().contains("回电") && call.last_said().contains("留言"), "{}", call.last_said());
    call.says("我要留言").quiet().murmurs("包裹坏了", 0.9).presses("#");
    assert_eq!(message(&call).unwrap().text, "包裹坏了");

    let mut flow = instead(flows::bank());
    flow.language = Language::new("es");
    let mut call = Script::new(flow);
    call.tell(Event::Key { key: frontdesk::media::Key::new('0').unwrap() });
    call.tell(Event::NobodyThere).quiet();
    assert_eq!(call.finished().unwrap().1, Cause::NoAgent, "nothing is offered that cannot be said");
}

#[test]
fn a_step_offers_a_callback_or_takes_a_message_and_goes_on() {
    let callback = |declined: Option<&str>| {
        let mut flow = instead(flows::bank());
        let to = flows::transfer("front-desk", &[]);
        let step = Callback { to, next: Some("bye".into()), declined: declined.map(str::to_owned) };
        flow.steps.insert("bye".into(), Step::HangUp { say: flows::en("So long.") });
        flow.steps.insert("no".into(), Step::HangUp { say: flows::en("As you like.") });
        flow.steps.insert("back".into(), Step::Callback(step));
        flow.start = "back".into();
        Script::new(flow)
    };
    let mut call = callback(None);
    call.says("yes").tell(Event::CallbackKept { position: 1, estimate_s: None }).quiet();
    assert!(call.last_said().contains("keep your place") && call.last_said().contains("So long"));
    assert_eq!(call.finished().unwrap().1, Cause::Completed);
    for wish in ["agent", "0"] {
        let mut call = callback(Some("no"));
        match wish {
            "0" => call.keys("0"),
            words => call.says(words),
        };
        assert!(call.quiet().queue().is_some(), "a person, at any time: {wish}: {:?}", call.said());
    }
    let mut call = callback(None);
    call.quiet().murmurs("yes", 0.05).quiet();
    assert!(kept(&call).is_none(), "what was hardly heard is no consent");
    let mut call = callback(Some("no"));
    call.says("no").quiet().wait(60_000);
    assert!(call.last_said().contains("As you like"), "{:?}", call.said());

    let mut flow = instead(flows::bank());
    let step = Message { queue: "front-desk".into(), say: Some(flows::en("Speak after me.")), next: None };
    flow.steps.insert("tell".into(), Step::Message(step));
    flow.start = "tell".into();
    let mut call = Script::new(flow.clone());
    call.quiet().murmurs("hello there", 0.9).presses("#").quiet();
    assert_eq!(message(&call).unwrap().text, "hello there");
    assert_eq!(call.finished().unwrap().1, Cause::Completed);
    // A person after all, by the key or by word; what was said so far is kept.
    let mut call = Script::new(flow.clone());
    call.presses("0").quiet();
    assert!(call.queue().is_some() && message(&call).is_none(), "{:?}", call.said());
    let mut call = Script::new(flow.clone());
    call.quiet().murmurs("hello there", 0.9).presses("0").quiet();
    assert!(call.queue().is_some() && message(&call).unwrap().text == "hello there", "{:?}", call.said());
    let mut call = Script::new(flow.clone());
    call.quiet().murmurs("an operator, please", 0.9).quiet();
    assert!(call.queue().is_some() && message(&call).is_none(), "{:?}", call.said());
    let mut call = Script::new(flow);
    call.quiet().murmurs("please have an agent call my wife about the house", 0.9).murmurs("an agent", 0.9);
    call.presses("#").quiet();
    assert!(call.queue().is_none() && message(&call).is_some(), "that is a message: {:?}", call.said());
}

#[test]
fn who_is_called_back_goes_to_an_agent_who_knows_why() {
    let fact = Fact { kind: FactKind::Wanted, text: "balance enquiry".into(), entry: 5 };
    let back = CalledBack {
        call: "earlier".into(),
        queue: "front-desk".into(),
        skills: vec![],
        priority: 0,
        language: Language::new("en"),
        recorded: true,
        facts: vec![fact],
    };
    let caller =
        Caller { number: "02071".into(), line: "main".into(), called_back: Some(Box::new(back)), ..Caller::default() };
    let mut call = Script::from(instead(flows::bank()), MONDAY, caller);
    assert!(call.last_said().contains("you asked us to call you back"));
    assert_eq!(call.count(|action| *action == Action::Queue(QueueRequest::CalledBack)), 1);
    assert_eq!(call.queue(), None, "it has its place");
    call.connect("ann");
    let summary = call.actions.iter().find_map(|action| match action {
        Action::RingAgent { summary, .. } => Some(summary.headline()),
        _ => None,
    });
    assert_eq!(summary.as_deref(), Some("balance enquiry"));
    assert_eq!(replay(call.flow.clone(), &call.log).concat(), call.actions);
}

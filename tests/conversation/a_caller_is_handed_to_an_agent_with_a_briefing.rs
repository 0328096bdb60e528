//! The handoff, and everything that may go wrong with it.

use crate::script;
use frontdesk::call::{Action, AgentFailure, Cause, Event, FactKind, Note, Outcome, QueueRequest};
use script::{Script, flows};

fn waiting() -> Script {
    let mut call = Script::new(flows::bank());
    call.says("balance").says("407123").says("yes").quiet().interrupts("I'd rather talk to a person about this");
    call
}

fn queue(call: &Script) -> Vec<QueueRequest> {
    let requests = call.actions.iter().filter_map(|action| match action {
        Action::Queue(request) => Some(request.clone()),
        _ => None,
    });
    requests.collect()
}

fn found(call: &mut Script, agent: &str) {
    call.now += 50;
    call.tell(Event::AgentFound { agent: agent.into(), brief: true });
}

#[test]
fn all_goes_well() {
    let mut call = waiting();
    assert_eq!(call.last_said(), "I'll put you through to a colleague.");
    assert_eq!(call.count(|action| *action == Action::PlayWaiting), 1);
    found(&mut call, "ann");
    let Some(Action::RingAgent { agent, summary }) =
        call.actions.iter().find(|a| matches!(a, Action::RingAgent { .. }))
    else {
        panic!("nobody is rung");
    };
    assert_eq!(agent, "ann");
    assert_eq!(summary.headline(), "balance enquiry");
    assert!(summary.facts.iter().any(|fact| fact.text == "account number: 407123 (confirmed)"));
    call.wait(3_000).tell(Event::AgentAnswered);
    let briefing = call.actions.iter().find_map(|action| match action {
        Action::Brief { words } => Some(words.text()),
        _ => None,
    });
    let briefing = briefing.unwrap();
    assert!(briefing.starts_with("About: balance enquiry. account number: 407123 (confirmed)."), "{briefing}");
    assert_eq!(call.count(|action| *action == Action::Connect), 0, "the agent is still listening");
    let before = call.actions.len();
    call.tell(Event::Briefed);
    let actions: Vec<&Action> =
        call.actions[before..].iter().filter(|a| !matches!(a, Action::Note(_) | Action::CancelTimer { .. })).collect();
    assert_eq!(actions, [&Action::StopWaiting, &Action::Connect]);
    call.wait(120_000).tell(Event::AgentHungUp).wait(20_000);
    let (summary, cause) = call.finished().unwrap();
    assert_eq!((cause, summary.outcome), (Cause::AgentHungUp, Some(Outcome::HandedOver)));
    let requests = queue(&call);
    assert!(matches!(&requests[0], QueueRequest::Enter { queue, .. } if queue == "service"));
    assert_eq!(
        requests[1..],
        [QueueRequest::Taken { agent: "ann".into() }, QueueRequest::Done { agent: "ann".into() }]
    );
}

#[test]
fn without_a_briefing_both_are_connected_at_once() {
    let mut call = waiting();
    call.tell(Event::AgentFound { agent: "ann".into(), brief: false }).tell(Event::AgentAnswered);
    assert_eq!(call.count(|action| *action == Action::Connect), 1);
    assert_eq!(call.count(|action| matches!(action, Action::Brief { .. })), 0);
}

#[test]
fn who_does_not_take_it_is_followed_by_the_next() {
    for failure in [AgentFailure::NoAnswer, AgentFailure::Busy, AgentFailure::Declined, AgentFailure::Unreachable] {
        let mut call = waiting();
        found(&mut call, "ann");
        call.wait(1_000).tell(Event::AgentFailed { agent: "ann".into(), failure });
        assert_eq!(queue(&call).last(), Some(&QueueRequest::NotTaken { agent: "ann".into(), failure }));
        found(&mut call, "bob");
        call.tell(Event::AgentAnswered).tell(Event::Briefed);
        assert!(call.notes().any(|note| *note == Note::Connected { agent: "bob".into() }));
        assert_eq!(call.facts(FactKind::Tried).len(), 2, "{:?}", call.facts(FactKind::Tried));
    }
}

#[test]
fn an_agent_who_hangs_up_during_the_briefing_is_followed_by_the_next() {
    let mut call = waiting();
    found(&mut call, "ann");
    call.tell(Event::AgentAnswered).wait(1_000).tell(Event::AgentHungUp);
    let failure = AgentFailure::LeftEarly;
    assert_eq!(queue(&call).last(), Some(&QueueRequest::NotTaken { agent: "ann".into(), failure }));
    assert_eq!(call.count(|action| *action == Action::Connect), 0);
    found(&mut call, "bob");
    call.tell(Event::AgentAnswered).tell(Event::Briefed);
    assert_eq!(call.count(|action| *action == Action::Connect), 1);
}

#[test]
fn an_offer_taken_back_while_it_is_answered_changes_nothing() {
    let mut call = waiting();
    found(&mut call, "ann");
    call.tell(Event::AgentAnswered);
    call.tell(Event::AgentFailed { agent: "ann".into(), failure: AgentFailure::NoAnswer });
    call.tell(Event::AgentFailed { agent: "ann".into(), failure: AgentFailure::Busy }).tell(Event::Briefed);
    assert_eq!(call.count(|action| *action == Action::Connect), 1);
    call.tell(Event::AgentFailed { agent: "ann".into(), failure: AgentFailure::Busy });
    assert_eq!(call.count(|action| matches!(action, Action::ReleaseAgent { .. } | Action::Disconnect)), 0);
}

#[test]
fn a_briefing_that_never_ends_does_not_keep_the_caller() {
    let mut call = waiting();
    found(&mut call, "ann");
    call.tell(Event::AgentAnswered).wait(40_000);
    assert_eq!(call.count(|action| *action == Action::Connect), 1);
}

#[test]
fn a_caller_who_hangs_up_first_stops_the_phone() {
    let mut call = waiting();
    found(&mut call, "ann");
    call.tell(Event::CallerHungUp);
    assert_eq!(call.count(|action| *action == Action::ReleaseAgent { agent: "ann".into() }), 1);
    assert_eq!(queue(&call).last(), Some(&QueueRequest::Leave));
    assert_eq!(call.finished().unwrap().0.outcome, Some(Outcome::Abandoned));
    assert_eq!(call.facts(FactKind::Open), ["balance enquiry: not settled", "to speak to a person: not reached"]);
}

#[test]
fn when_nobody_is_there_the_caller_is_told_so() {
    let mut call = waiting();
    call.tell(Event::NobodyThere).wait(20_000);
    let goodbye = "I'm sorry, nobody is there to take your call right now. Please try again later. Thank you for calling. Goodbye.";
    assert_eq!(call.last_said(), goodbye);
    assert_eq!(call.finished().unwrap().1, Cause::NoAgent);
    assert_eq!(call.finished().unwrap().0.outcome, Some(Outcome::Unserved));
}

#[test]
fn after_a_long_wait_the_caller_decides() {
    let mut call = waiting();
    call.tell(Event::WaitOver);
    assert_eq!(call.last_said(), "I'm sorry, everybody is still on the phone. Shall I keep trying?");
    call.says("yes please");
    assert_eq!(queue(&call).iter().filter(|request| matches!(request, QueueRequest::Enter { .. })).count(), 2);
    call.connect("ann");
    assert_eq!(call.count(|action| *action == Action::Connect), 1);
    for (answer, keys) in [("no thanks", ""), ("", "2")] {
        let mut call = waiting();
        call.tell(Event::WaitOver);
        if keys.is_empty() {
            call.says(answer)
        } else {
            call.keys(keys)
        };
        call.wait(20_000);
        assert_eq!(call.finished().unwrap().1, Cause::NoAgent);
    }
    // Silence is an answer too.
    let mut call = waiting();
    call.tell(Event::WaitOver).wait(60_000);
    assert_eq!(call.finished().unwrap().1, Cause::NoAgent);
}

#[test]
fn a_waiting_caller_hears_where_they_stand_but_not_all_the_time() {
    let mut call = waiting();
    call.quiet().tell(Event::Waiting { position: 3, estimate_s: Some(170) });
    call.wait(8_000);
    let place = "All my colleagues are on the phone just now. Please stay on the line. \
                 You are number 3 in the queue. The wait is about 3 minutes.";
    assert_eq!(call.last_said(), place);
    let said = call.said().len();
    call.wait(70_000);
    assert_eq!(call.said().len(), said, "nothing new");
    call.tell(Event::Waiting { position: 1, estimate_s: None }).wait(31_000);
    assert_eq!(call.last_said(), "You are next in line.");
    call.wait(600_000);
    let often = call.said().len() - said;
    assert!((4..=8).contains(&often), "{often} times in ten minutes");
}

#[test]
fn an_agent_found_too_late_is_given_back() {
    let mut call = waiting();
    call.tell(Event::NobodyThere);
    found(&mut call, "ann");
    let failure = AgentFailure::NotWanted;
    assert_eq!(queue(&call).last(), Some(&QueueRequest::NotTaken { agent: "ann".into(), failure }));
    assert_eq!(call.count(|action| matches!(action, Action::RingAgent { .. })), 0);
}

#[test]
fn an_agent_lost_in_mid_conversation_is_replaced() {
    let mut call = waiting();
    call.connect("ann").wait(30_000);
    let before = call.actions.len();
    call.tell(Event::AgentFailed { agent: "ann".into(), failure: AgentFailure::Unreachable });
    let after = &call.actions[before..];
    assert!(after.contains(&Action::Disconnect) && after.contains(&Action::PlayWaiting), "{after:?}");
    assert!(call.last_said().starts_with("I'm sorry, something isn't working on our side."), "{}", call.last_said());
    assert!(matches!(queue(&call).last(), Some(QueueRequest::NotTaken { agent, .. }) if agent == "ann"));
    call.connect("bob").wait(5_000).tell(Event::AgentHungUp).wait(20_000);
    assert_eq!(call.finished().unwrap().0.outcome, Some(Outcome::HandedOver));
}

#[test]
fn a_voice_that_fails_gives_the_caller_to_a_person() {
    let mut call = Script::new(flows::bank());
    let prompt = call.actions.iter().find_map(|action| match action {
        Action::Say { prompt, .. } => Some(*prompt),
        _ => None,
    });
    call.tell(Event::VoiceFailed { prompt: prompt.unwrap() });
    assert_eq!(call.queue(), Some("service"));
    assert!(call.notes().any(|note| matches!(note, Note::PersonWanted { reason } if reason == "the voice failed")));
}

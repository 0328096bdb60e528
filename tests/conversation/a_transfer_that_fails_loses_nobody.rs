//! Transfers by REFER, out and in, as the call decides them: who is rung, told and let go, and where the caller is at
//! the end of each way it may go wrong.

use crate::script;
use frontdesk::call::{Action, AgentFailure, Cause, Destination, Event, HandoffBy, Note, Outcome, QueueRequest};
use script::{Script, flows};

/// In the queue, whose agents are reached so.
fn waiting(by: HandoffBy) -> Script {
    let mut call = Script::new(flows::bank());
    call.says("operator").quiet();
    call.tell(Event::HandoffBy { by });
    call
}

/// Talking to ann.
fn connected() -> Script {
    let mut call = waiting(HandoffBy::Bridge);
    call.connect("ann");
    call
}

fn ben() -> Destination {
    Destination::Agent { agent: "ben".into() }
}

/// What was asked of the outside since `from`, without notes and timers.
fn since(call: &Script, from: usize) -> Vec<Action> {
    let quiet = |action: &&Action| {
        !matches!(action, Action::Note(_) | Action::SetTimer { .. } | Action::CancelTimer { .. } | Action::Say { .. })
    };
    call.actions[from..].iter().filter(quiet).cloned().collect()
}

fn done(agent: &str) -> Action {
    Action::Queue(QueueRequest::Done { agent: agent.into() })
}

fn release(agent: &str) -> Action {
    Action::ReleaseAgent { agent: agent.into() }
}

fn answer(status: u16) -> Action {
    Action::AnswerTransfer { status }
}

#[test]
fn a_caller_is_sent_to_the_agent() {
    let mut call = waiting(HandoffBy::Refer);
    let from = call.actions.len();
    call.tell(Event::AgentFound { agent: "ann".into(), brief: true });
    assert_eq!(since(&call, from), [Action::ReferCaller { agent: "ann".into(), attended: false }]);
    call.tell(Event::Referred { agent: "ann".into() });
    let (summary, cause) = call.finished().unwrap();
    assert_eq!((cause, summary.outcome), (Cause::Transferred, Some(Outcome::HandedOver)));
    assert!(since(&call, from).contains(&Action::Queue(QueueRequest::Taken { agent: "ann".into() })));
    assert!(since(&call, from).contains(&Action::Queue(QueueRequest::Leave)), "which frees the agent");
    assert!(since(&call, from).contains(&Action::HangUp { cause: Cause::Transferred }));
}

#[test]
fn a_caller_whose_telephone_does_not_go_is_bridged() {
    let mut call = waiting(HandoffBy::Refer);
    call.tell(Event::AgentFound { agent: "ann".into(), brief: false });
    let from = call.actions.len();
    call.tell(Event::ReferFailed { agent: "ann".into(), status: 603 });
    assert!(matches!(&since(&call, from)[..], [Action::RingAgent { agent, .. }] if agent == "ann"));
    call.tell(Event::AgentAnswered);
    assert_eq!(call.count(|action| *action == Action::Connect), 1);
    // And one of whom nothing is ever heard.
    let mut call = waiting(HandoffBy::Refer);
    call.tell(Event::AgentFound { agent: "ann".into(), brief: false });
    let from = call.actions.len();
    call.wait(100_000);
    assert!(matches!(&since(&call, from)[..], [Action::RingAgent { .. }]), "{:?}", since(&call, from));
}

#[test]
fn an_agent_withdrawn_meanwhile_is_not_rung_after_a_failed_refer() {
    let mut call = waiting(HandoffBy::Refer);
    call.tell(Event::AgentFound { agent: "ann".into(), brief: false });
    call.tell(Event::AgentFailed { agent: "ann".into(), failure: AgentFailure::NoAnswer });
    let from = call.actions.len();
    call.tell(Event::ReferFailed { agent: "ann".into(), status: 408 });
    let not_taken = QueueRequest::NotTaken { agent: "ann".into(), failure: AgentFailure::NoAnswer };
    assert_eq!(since(&call, from), [Action::Queue(not_taken)]);
}

#[test]
fn an_agent_is_briefed_and_the_callers_telephone_takes_our_place() {
    let mut call = waiting(HandoffBy::Attended);
    let from = call.actions.len();
    call.connect("ann");
    assert!(since(&call, from).contains(&Action::ReferCaller { agent: "ann".into(), attended: true }));
    assert_eq!(call.count(|action| *action == Action::Connect), 0);
    // The agent's telephone says goodbye to us as it is replaced.
    call.tell(Event::AgentHungUp).tell(Event::Referred { agent: "ann".into() });
    assert_eq!(call.finished().unwrap().1, Cause::Transferred);
    assert!(since(&call, from).contains(&done("ann")));
}

#[test]
fn an_attended_one_that_fails_is_bridged_or_goes_back_to_the_queue() {
    let mut call = waiting(HandoffBy::Attended);
    call.connect("ann");
    call.tell(Event::ReferFailed { agent: "ann".into(), status: 501 });
    assert_eq!(call.count(|action| *action == Action::Connect), 1);
    let mut call = waiting(HandoffBy::Attended);
    call.connect("ann");
    let from = call.actions.len();
    call.tell(Event::AgentHungUp).wait(15_000);
    let not_taken = QueueRequest::NotTaken { agent: "ann".into(), failure: AgentFailure::LeftEarly };
    assert!(since(&call, from).contains(&Action::Queue(not_taken)), "{:?}", since(&call, from));
    assert!(call.finished().is_none());
}

#[test]
fn an_agent_has_the_caller_connected_to_another() {
    let mut call = connected();
    let from = call.actions.len();
    call.tell(Event::TransferAsked { to: Some(ben()) });
    let asked = since(&call, from);
    assert!(
        matches!(&asked[..], [Action::Disconnect, Action::PlayWaiting, Action::RingTarget { to, .. }] if *to == ben())
    );
    let from = call.actions.len();
    call.tell(Event::TargetRinging).tell(Event::TargetAnswered);
    let put_through = Action::ConnectTarget { name: "ben".into() };
    let expected = [answer(180), answer(200), release("ann"), done("ann"), Action::StopWaiting, put_through];
    assert_eq!(since(&call, from), expected);
    call.tell(Event::AgentHungUp).quiet();
    assert_eq!(call.finished().unwrap().1, Cause::AgentHungUp);
    assert!(call.notes().any(|note| matches!(note, Note::Connected { agent } if agent == "ben")));
}

#[test]
fn a_caller_whom_nobody_takes_goes_back_to_the_agent_or_the_queue() {
    for (failure, status) in
        [(AgentFailure::Busy, 486), (AgentFailure::Declined, 603), (AgentFailure::Unreachable, 480)]
    {
        let mut call = connected();
        call.tell(Event::TransferAsked { to: Some(ben()) });
        let from = call.actions.len();
        call.tell(Event::TargetFailed { failure });
        assert_eq!(since(&call, from), [answer(status), Action::StopWaiting, Action::Connect]);
    }
    // The agent did not wait.
    let mut call = connected();
    call.tell(Event::TransferAsked { to: Some(ben()) }).tell(Event::AgentHungUp);
    let from = call.actions.len();
    call.wait(50_000);
    let back = since(&call, from);
    assert_eq!(back[..2], [Action::ReleaseTarget, answer(408)]);
    assert!(matches!(&back[2], Action::Queue(QueueRequest::Enter { .. })), "{back:?}");
    call.connect("carl");
    assert!(call.notes().any(|note| matches!(note, Note::Connected { agent } if agent == "carl")));
}

#[test]
fn a_caller_is_sent_to_another_queue() {
    let mut call = connected();
    let from = call.actions.len();
    call.tell(Event::TransferAsked { to: Some(Destination::Queue { queue: "cards".into() }) });
    let moved = since(&call, from);
    let expected = [Action::Disconnect, answer(200), release("ann"), done("ann"), Action::PlayWaiting];
    assert_eq!(moved[..5], expected);
    assert!(matches!(&moved[5], Action::Queue(QueueRequest::Enter { queue, .. }) if queue == "cards"), "{moved:?}");
}

#[test]
fn what_the_rules_do_not_know_changes_nothing() {
    let mut call = connected();
    for to in [None, Some(Destination::Agent { agent: "ann".into() })] {
        let from = call.actions.len();
        call.tell(Event::TransferAsked { to });
        assert_eq!(since(&call, from), [answer(403)]);
    }
    // Nor one that comes before the caller is put through.
    let mut early = waiting(HandoffBy::Bridge);
    early.tell(Event::AgentFound { agent: "ann".into(), brief: true }).tell(Event::AgentAnswered);
    let from = early.actions.len();
    early.tell(Event::TransferAsked { to: Some(ben()) });
    assert_eq!(since(&early, from), [answer(403)]);
}

#[test]
fn a_caller_who_leaves_during_a_transfer_leaves_nobody_ringing() {
    let mut call = connected();
    call.tell(Event::TransferAsked { to: Some(ben()) });
    let from = call.actions.len();
    call.tell(Event::CallerHungUp);
    let let_go = since(&call, from);
    assert_eq!(let_go[..3], [Action::ReleaseTarget, release("ann"), done("ann")]);
}

#[test]
fn another_telephone_takes_the_agents_place() {
    let mut call = connected();
    let from = call.actions.len();
    call.tell(Event::AgentReplaced { agent: "ben".into() });
    assert_eq!(since(&call, from), [done("ann")]);
    let from = call.actions.len();
    call.tell(Event::AgentHungUp);
    assert!(since(&call, from).contains(&release("ben")), "{:?}", since(&call, from));
}

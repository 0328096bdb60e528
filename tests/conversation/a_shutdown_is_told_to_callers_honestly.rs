//! Drain: who talks to the bot is put through, who waits goes on waiting, all within the time.

use crate::script;
use frontdesk::call::{Action, Cause, Event, Note, Outcome};
use script::{Script, flows};

#[test]
fn a_caller_with_the_bot_is_told_and_put_through() {
    let mut call = Script::new(flows::bank());
    call.quiet().tell(Event::Drain { within_ms: 120_000 });
    let told = "I'm sorry, I have to stop for maintenance. I'll put you through to a colleague.";
    assert_eq!(call.last_said(), told);
    call.connect("ann").wait(30_000).tell(Event::CallerHungUp);
    assert_eq!(call.finished().unwrap().0.outcome, Some(Outcome::HandedOver));
}

#[test]
fn what_is_being_said_is_said_to_its_end() {
    let mut call = Script::new(flows::bank());
    call.tell(Event::Drain { within_ms: 120_000 });
    assert_eq!(call.said(), ["Welcome to Harbour Bank."]);
    call.wait(3_000);
    assert!(call.last_said().starts_with("I'm sorry, I have to stop"));
    assert_eq!(call.count(|action| *action == Action::StopSaying), 0);
}

#[test]
fn who_reaches_nobody_in_time_is_told_so() {
    let mut call = Script::new(flows::bank());
    call.quiet().tell(Event::Drain { within_ms: 60_000 }).wait(60_000);
    assert!(call.last_said().starts_with("I'm sorry, we have to end this call for maintenance."));
    let (summary, cause) = call.finished().unwrap();
    assert_eq!((cause, summary.outcome), (Cause::Shutdown, Some(Outcome::Unserved)));
    // The goodbye was said before the time was over.
    let said = call.log.iter().rfind(|(_, event)| matches!(event, Event::Said { .. })).unwrap().0;
    assert!(said < 60_000 + call.log[2].0, "{said}");
}

#[test]
fn nobody_there_during_a_shutdown_is_a_shutdown() {
    let mut call = Script::new(flows::bank());
    call.quiet().tell(Event::Drain { within_ms: 60_000 }).tell(Event::NobodyThere).wait(20_000);
    assert_eq!(call.finished().unwrap().1, Cause::Shutdown);
}

#[test]
fn two_people_talking_have_the_time_to_its_end() {
    let mut call = Script::new(flows::bank());
    call.says("agent").connect("ann").wait(10_000).tell(Event::Drain { within_ms: 60_000 });
    call.wait(54_000);
    assert!(call.finished().is_none());
    call.wait(6_000);
    assert_eq!(call.finished().unwrap().1, Cause::Shutdown);
    assert_eq!(call.notes().filter(|note| **note == Note::Drain).count(), 1);
}

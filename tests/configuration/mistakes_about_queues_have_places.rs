//! What an operator gets wrong about queues is told with its place and what was expected; a right configuration comes out as
//! it was meant.

use std::time::Duration;

use crate::loaded;
use frontdesk::acd::{Outlet, Overflow, Reason, Sticky, Strategy, When};

const FLOW: &str = r#"
flows:
  - flow: hello
    language: en
    person: { queue: desk }
    start: welcome
    steps:
      welcome: { say: "Welcome.", next: desk }
      desk: { transfer: desk }
lines:
  main: { numbers: ["100"], flow: hello }
"#;

#[test]
fn every_mistake_has_its_place() {
    let text = r#"
agents:
  anna: { uri: "sip:anna@10.0.0.1", queues: [desk, help], skills: [cards], skill_levels: { card: 3 } }
queues:
  desk: { overflow: { to: desk, after_s: 5 } }
  help: { overflow: { to: desks } }
"#;
    let told = loaded(&format!("{text}{FLOW}")).unwrap_err().to_string();
    for expected in [
        "3:92: there is no skill `card`",
        "5:27: queue `desk` cannot help itself (expected another queue)",
        "6:27: there is no queue `desks`",
        "queue `help` overflows at no time (expected some of `after_s`, `calls` and `closed`)",
    ] {
        assert!(told.contains(expected), "{expected} is not in\n{told}");
    }
    let told = loaded(&format!("{}{FLOW}", text.replace("card: 3", "cards: 11"))).unwrap_err().to_string();
    assert!(told.contains("1 to 10"), "{told}");
}

/// Callers out of hours need an honest choice.
#[test]
fn a_queue_that_closes_offers_something() {
    let agents = "agents: { anna: { uri: \"sip:anna@10.0.0.1\", queues: [desk, help] } }\n";
    let hours = "hours: { zone: Europe/London, mon-fri: \"09:00-17:00\" }";
    let told = |desk: &str, flow: &str| {
        let config = loaded(&format!("{agents}queues:\n  desk: {{ {desk} }}\n  help: {{}}\n{flow}"));
        config.map_err(|problems| problems.to_string())
    };
    let nothing = told(&format!("messages: false, {hours}"), FLOW).unwrap_err();
    let expected =
        "3:28: queue `desk` has nothing to offer who calls outside its hours (expected a `callback` or `messages`)";
    assert!(nothing.contains(expected), "{nothing}");
    let callback = "callback: { trunk: carrier, numbers: [\"+44*\"] }";
    let trunks = format!("{FLOW}trunks: {{ carrier: {{ host: 192.0.2.1 }} }}\n");
    assert!(told(&format!("messages: false, {callback}, {hours}"), &trunks).is_ok());
    assert!(told(hours, FLOW).unwrap().queues["desk"].hours.is_some(), "a message may be left");
    // No words for it in Spanish.
    let spanish =
        FLOW.replace("language: en", "language: es").replace("\"Welcome.\"", "{ file: hola.wav, text: Hola. }");
    let silent = told(hours, &spanish).unwrap_err();
    assert!(silent.contains("who calls queue `desk` outside its hours is offered nothing in `es`"), "{silent}");

    let never = told("overflow: { to: help, closed: true }", FLOW).unwrap_err();
    assert!(never.contains("queue `desk` is never closed (expected the queue's `hours`)"), "{never}");
    let other = told(&format!("overflow: {{ to: help, closed: true }}, {hours}, handling_s: 240"), FLOW).unwrap();
    assert_eq!(other.queues["desk"].overflow, [Overflow { when: When::Closed, to: Outlet::Queue("help".into()) }]);
    assert_eq!(other.queues["desk"].handling, Some(Duration::from_secs(240)));
}

#[test]
fn what_is_more_than_a_call_can_be_told_and_comes_to_something() {
    let agents =
        "agents: { anna: { uri: \"sip:anna@10.0.0.1\", queues: [desk, help] } }\nqueues: { desk: {}, help: {} }\n";
    let flow = FLOW
        .replace("start: welcome", "start: welcome\n    intents: { stolen: { examples: [a, b, c, d, e, f, g, h] } }");
    let flow = flow.replace(
        "{ say: \"Welcome.\", next: desk }",
        "{ menu: \"What is it?\", options: [{ key: 1, intent: stolen, next: desk }] }",
    );
    let told =
        |escalate: &str| loaded(&format!("{agents}escalate:\n{escalate}{flow}")).map_err(|told| told.to_string());
    let wrong = r#"  vip: { numbers: ["+44x"], words: true, points: 1 }
  distress: { points: 5 }
  complaint: { points: 5 }
  fraud: { intents: [stollen], queue: halp }
"#;
    let wrong = told(wrong).unwrap_err();
    for expected in [
        "4:20: \"+44x\" is no beginning of telephone numbers",
        "4:36: no words tell of `vip` (expected `words` at `complaint` and `fraud` only)",
        "5:3: no line listens for how callers sound or what they say of it (expected an `emotion` policy)",
        "6:3: nothing shows that a call is `complaint` (expected some of `intents`, `words` and `numbers`)",
        "7:22: there is no intent `stollen`",
        "7:39: there is no queue `halp`",
    ] {
        assert!(wrong.contains(expected), "{expected} is not in\n{wrong}");
    }
    let idle = told("  fraud: { intents: [stolen] }\n").unwrap_err();
    assert!(idle.contains("nothing comes of `fraud` (expected `queue`, `points` or both)"), "{idle}");
    let right =
        told("  fraud: { intents: [stolen], queue: help, points: 20 }\n  vip: { numbers: [\"+44*\"], points: 1 }\n");
    let right = right.unwrap().escalate;
    assert_eq!((right[&Reason::Fraud].points, right[&Reason::Fraud].queue.as_deref()), (20, Some("help")));
    assert_eq!(right[&Reason::Vip].numbers, ["+44*"]);
}

#[test]
fn a_right_configuration_comes_out_as_meant() {
    let text = r#"
agents:
  anna: { uri: "sip:anna@10.0.0.1", queues: [desk, help], skills: [cards, loans], skill_levels: { cards: 9 } }
queues:
  desk:
    strategy: best_skill
    max_calls: 20
    overflow: { to: help, after_s: 60, calls: 10 }
    same_agent: { within_h: 24, wait_s: 30 }
  help: {}
priority_point_s: 30
"#;
    let config = loaded(&format!("{text}{FLOW}")).unwrap();
    let levels: Vec<(&str, u8)> = config.agents["anna"].skill_levels.iter().map(|(s, l)| (s.as_str(), *l)).collect();
    assert_eq!(levels, [("cards", 9), ("loans", 5)]);
    let desk = &config.queues["desk"];
    assert_eq!((desk.strategy, desk.max_calls), (Strategy::BestSkill, Some(20)));
    let to = |when| Overflow { when, to: Outlet::Queue("help".into()) };
    assert_eq!(desk.overflow, [to(When::Waited(60_000)), to(When::Length(10))]);
    assert_eq!(desk.same_agent, Some(Sticky { within_ms: 86_400_000, hold_ms: 30_000 }));
    assert_eq!(config.queues["help"].strategy, Strategy::LongestIdle);
    assert_eq!(config.priority_point, Some(Duration::from_secs(30)));
}

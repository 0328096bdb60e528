//! What an operator gets wrong about queues is told with its place and what was expected; a right configuration comes out as
//! it was meant.

use std::time::Duration;

use crate::loaded;
use frontdesk::acd::{Outlet, Overflow, Sticky, Strategy, When};

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
        "queue `help` overflows at no time (expected `after_s`, `calls` or both)",
    ] {
        assert!(told.contains(expected), "{expected} is not in\n{told}");
    }
    let told = loaded(&format!("{}{FLOW}", text.replace("card: 3", "cards: 11"))).unwrap_err().to_string();
    assert!(told.contains("1 to 10"), "{told}");
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

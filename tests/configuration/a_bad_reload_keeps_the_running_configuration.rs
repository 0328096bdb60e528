//! A changed file takes effect as a whole or not at all, and never by moving an address under live calls.

use frontdesk::config;

const GOOD: &str = r#"
lines: { main: { numbers: ["100"], flow: hello } }
agents: { anna: { uri: "sip:anna@127.0.0.1:5070", queues: [desk] } }
queues: { desk: {} }
flows:
  - flow: hello
    language: en
    person: { queue: desk }
    start: welcome
    steps:
      welcome: { say: Welcome., next: desk }
      desk: { transfer: desk }
"#;

#[test]
fn a_bad_reload_keeps_the_running_configuration() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("config.yaml");
    std::fs::write(&path, GOOD).unwrap();
    let running = config::load(&path).unwrap_or_else(|problems| panic!("{problems}"));
    let before = running.clone();

    std::fs::write(&path, GOOD.replace("next: desk", "next: dsk")).unwrap();
    let problems = config::reload(&path, &running).unwrap_err();
    assert_eq!(problems.0.len(), 1, "{problems}");
    assert_eq!(running, before);

    std::fs::write(&path, GOOD.replace("Welcome.", "Good day.")).unwrap();
    let next = config::reload(&path, &running).unwrap_or_else(|problems| panic!("{problems}"));
    assert_ne!(next.flows["hello"], running.flows["hello"]);
    assert_eq!(next.queues, running.queues);
}

#[test]
fn what_cannot_change_under_live_calls_is_a_mistake() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("config.yaml");
    std::fs::write(&path, GOOD).unwrap();
    let running = config::load(&path).unwrap_or_else(|problems| panic!("{problems}"));

    std::fs::write(&path, format!("{GOOD}sip: {{ listen: \"127.0.0.1:5099\" }}\n")).unwrap();
    let problems = config::reload(&path, &running).unwrap_err();
    assert_eq!(problems.0.len(), 1, "{problems}");
    let text = problems.to_string();
    assert!(text.contains("13:16: `sip.listen` cannot change while calls are up"), "{text}");
}

#[test]
fn relays_change_while_people_are_logged_in() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("config.yaml");
    let with = |relay: &str, hours: u32| {
        let relays = format!("[{{ urls: [\"stun:{relay}.example.org\"] }}]");
        format!("{GOOD}browser: {{ lines: [main], ice_servers: {relays} }}\nconsole: {{ session_h: {hours} }}\n")
    };
    std::fs::write(&path, with("old", 12)).unwrap();
    let running = config::load(&path).unwrap_or_else(|problems| panic!("{problems}"));

    std::fs::write(&path, with("new", 12)).unwrap();
    let next = config::reload(&path, &running).unwrap_or_else(|problems| panic!("{problems}"));
    assert_eq!(next.console.unwrap().ice_servers[0].urls, ["stun:new.example.org"]);

    std::fs::write(&path, with("new", 8)).unwrap();
    let text = config::reload(&path, &running).unwrap_err().to_string();
    assert!(text.contains("`console` cannot change while people are logged in"), "{text}");
}

//! `console` opens the agents' desk: to this machine unless it is said, never to others in the clear, and who talks by it has one.

use frontdesk::config::{Config, Phone, Problems};

use crate::loaded;

fn with(console: &str, ben: &str) -> Result<Config, Problems> {
    loaded(&format!(
        r#"{console}
lines: {{ main: {{ numbers: ["100"], flow: hello }} }}
agents: {{ anna: {{ uri: "sip:anna@127.0.0.1:5070", queues: [desk] }}, ben: {{ {ben}, queues: [desk] }} }}
queues: {{ desk: {{}} }}
flows:
  - {{ flow: hello, language: en, person: {{ queue: desk }}, start: desk, steps: {{ desk: {{ transfer: desk }} }} }}
"#
    ))
}

#[test]
fn a_desk_is_this_machines_by_default() {
    let config = with("console: {}", "desk: true").unwrap_or_else(|problems| panic!("{problems}"));
    assert_eq!(config.agents["ben"].phone, Phone::Desk);
    let console = config.console.unwrap();
    assert!(console.listen.ip().is_loopback() && console.udp.is_some_and(|(udp, _)| udp.ip().is_loopback()));
    assert!(console.transcript && console.dispositions.contains(&"settled".to_owned()));
    // Callers' pages lend their socket and their relays.
    let browser = "browser: { lines: [main], ice_servers: [{ urls: [\"stun:stun.example.org\"] }] }\nconsole: {}";
    let console = with(browser, "desk: true").unwrap_or_else(|problems| panic!("{problems}")).console.unwrap();
    assert!(console.udp.is_none() && console.ice_servers.len() == 1);
    assert!(with("", "uri: \"sip:ben@127.0.0.1\"").is_ok_and(|config| config.console.is_none()));
}

#[test]
fn every_mistake_is_told() {
    for (console, ben, words) in [
        ("", "desk: true", "there is no desk for agent `ben`"),
        ("console: {}", "desk: true, uri: \"sip:ben@127.0.0.1\"", "has a telephone and `desk`"),
        ("console: {}", "desk: false", "has no telephone"),
        ("console: { listen: \"0.0.0.0:9062\" }", "desk: true", "passwords would come to 0.0.0.0:9062 in the clear"),
        ("console: { tls: { certificate: a.pem, key: b.pem } }", "desk: true", "there is no file"),
        ("console: { dispositions: [\"\"] }", "desk: true", "cannot be chosen"),
        ("browser: { lines: [main] }\nconsole: { external: [192.0.2.1] }", "desk: true", "has its own `external`"),
        ("console: { session_h: 0 }", "desk: true", "session_h"),
    ] {
        let problems = with(console, ben).unwrap_err();
        assert!(problems.to_string().contains(words), "{console} {ben}: {problems}");
    }
}

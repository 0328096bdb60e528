//! `browser` opens a door to strangers: nothing is open that was not said, and every mistake is told.

use frontdesk::config::{Config, Problems};

use crate::loaded;

fn with(browser: &str) -> Result<Config, Problems> {
    loaded(&format!(
        r#"{browser}
lines: {{ main: {{ numbers: ["100"], flow: hello }} }}
agents: {{ anna: {{ uri: "sip:anna@127.0.0.1:5070", queues: [desk] }} }}
queues: {{ desk: {{}} }}
flows:
  - {{ flow: hello, language: en, person: {{ queue: desk }}, start: desk, steps: {{ desk: {{ transfer: desk }} }} }}
"#
    ))
}

#[test]
fn nobody_calls_by_browser_unless_it_is_said() {
    assert_eq!(with("").unwrap_or_else(|problems| panic!("{problems}")).browser, None);
    let config = with("browser: { lines: [main] }").unwrap_or_else(|problems| panic!("{problems}"));
    let browser = config.browser.unwrap();
    assert!(browser.listen.ip().is_loopback() && browser.udp.ip().is_loopback());
    assert!(browser.origins.is_empty() && browser.ice_servers.is_empty());
}

#[test]
fn every_mistake_is_told() {
    for (wrong, words) in [
        ("lines: [mian]", "there is no line `mian`"),
        ("listen: \"127.0.0.1:0\"", "no line that browsers may call"),
        ("lines: [main], listen: \"0.0.0.0:9061\"", "browsers give no microphone"),
        ("lines: [main], tls: { certificate: a.pem, key: b.pem }", "there is no file"),
        ("lines: [main], origins: [\"https://example.org/shop\"]", "is not how a browser names a site"),
        ("lines: [main], origins: [\"ftp://example.org\"]", "is no web address"),
        ("lines: [main], external: [here]", "is no address the outside could use"),
        ("lines: [main], external: [192.0.2.1, 192.0.2.2]", "a second address of this family"),
        ("lines: [main], proxies: [nginx]", "is no address or network"),
        ("lines: [main], ice_servers: [{ urls: [\"https://turn\"] }]", "is no STUN or TURN server"),
        ("lines: [main], ice_servers: [{ urls: [\"turn:a\"], username: x }]", "half a login"),
    ] {
        let problems = with(&format!("browser: {{ {wrong} }}")).unwrap_err();
        assert!(problems.to_string().contains(words), "{wrong}: {problems}");
    }
    let behind =
        "browser: { lines: [main], listen: \"0.0.0.0:9061\", proxies: [10.0.0.1], origins: [\"https://example.org\"] }";
    with(behind).unwrap_or_else(|problems| panic!("{problems}"));
}

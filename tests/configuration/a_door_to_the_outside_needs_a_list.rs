//! Nothing listens to more than this machine unless it is said to whom.

use frontdesk::config::{Config, Problems};

use crate::loaded;

fn with(section: &str) -> Result<Config, Problems> {
    loaded(&format!(
        r#"{section}
lines: {{ main: {{ numbers: ["100"], flow: hello }} }}
agents: {{ anna: {{ uri: "sip:anna@127.0.0.1:5070", queues: [desk] }} }}
queues: {{ desk: {{}} }}
flows:
  - {{ flow: hello, language: en, person: {{ queue: desk }}, start: desk, steps: {{ desk: {{ transfer: desk }} }} }}
"#
    ))
}

#[test]
fn a_door_to_the_outside_needs_a_list() {
    for open in [
        "sip: { listen: \"0.0.0.0:5060\" }",
        "sip: { listen: \"192.0.2.1:5060\", allow: [] }",
        "http: { listen: \"[::]:9060\" }",
    ] {
        let problems = with(open).unwrap_err();
        assert_eq!(problems.0.len(), 1, "{problems}");
        assert!(problems.to_string().contains("is open to everybody"), "{problems}");
    }
    for shut in ["sip: { listen: \"127.0.0.1:5060\" }", "sip: { listen: \"[::1]:5060\" }", "http: { listen: off }", ""]
    {
        with(shut).unwrap_or_else(|problems| panic!("{problems}"));
    }
}

#[test]
fn the_list_says_who_may_come_in() {
    let config = with("sip: { listen: \"0.0.0.0:5060\", allow: [192.0.2.0/24] }")
        .unwrap_or_else(|problems| panic!("{problems}"));
    assert!(config.sip.allows("192.0.2.77".parse().unwrap()));
    assert!(!config.sip.allows("198.51.100.1".parse().unwrap()));
    let config = with("").unwrap_or_else(|problems| panic!("{problems}"));
    assert!(config.sip.allows("127.0.0.1".parse().unwrap()) && !config.sip.allows("192.0.2.77".parse().unwrap()));
}

#[test]
fn no_value_of_a_caller_chooses_a_host() {
    for (url, words) in [
        ("http://{host}/x", "what callers say would choose the host"),
        ("http://127.0.0.1/{x:code}", "`x` is not read out here"),
        ("http://127.0.0.1/{x", "a `{` has no `}` after it"),
        ("file:///etc/passwd", "is no web address"),
    ] {
        let problems = with(&format!("backends: {{ b: {{ url: \"{url}\" }} }}")).unwrap_err();
        assert_eq!(problems.0.len(), 1, "{problems}");
        assert!(problems.to_string().contains(words), "{problems}");
    }
}

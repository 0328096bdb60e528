//! A way to a person leads nowhere when nobody there speaks the caller's language: `check` says so.

use frontdesk::config::{Config, Problems};

use crate::loaded;

fn with(languages: &str) -> Result<Config, Problems> {
    loaded(&format!(
        r#"
lines: {{ main: {{ numbers: ["100"], flow: hello }} }}
agents: {{ anna: {{ uri: "sip:anna@127.0.0.1:5070", queues: [desk], languages: [{languages}] }} }}
queues: {{ desk: {{}} }}
flows:
  - {{ flow: hello, language: en, person: {{ queue: desk }}, start: desk, steps: {{ desk: {{ transfer: desk }} }} }}
"#
    ))
}

#[test]
fn a_line_is_staffed_in_its_language() {
    let problems = with("zh").unwrap_err();
    assert_eq!(problems.0.len(), 1, "{problems}");
    assert!(problems.to_string().contains("nobody in queue `desk` speaks `en`"), "{problems}");
    assert_eq!(problems.0[0].place.line, 2);
    with("").unwrap();
    with("zh, en").unwrap();
}

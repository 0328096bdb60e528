//! The reference in docs/configuration.md is what the schema says, key by key.
//! After a change: `UPDATE_DOCS=1 cargo test --test the_reference_names_every_key` writes it anew.

use std::fmt::Write;

use frontdesk::config;
use serde_json::Value;

/// The schema's types in the order of reading, with their headings.
const SECTIONS: &[(&str, &str)] = &[
    ("", "The file"),
    ("Line", "A line"),
    ("Emotion", "emotion"),
    ("Reaction", "A reaction"),
    ("Voice", "A threshold"),
    ("DistressWords", "Words of distress"),
    ("Agent", "An agent"),
    ("Queue", "A queue"),
    ("Overflow", "overflow"),
    ("SameAgent", "same_agent"),
    ("Callback", "Calling back"),
    ("Escalate", "escalate"),
    ("Escalation", "An escalation"),
    ("Knowledge", "A knowledge base"),
    ("Backend", "A backend"),
    ("Webhook", "A webhook"),
    ("People", "people"),
    ("Secret", "A secret"),
    ("Recording", "A sound"),
    ("Sip", "sip"),
    ("Tls", "tls"),
    ("Limits", "limits"),
    ("Trunk", "A trunk"),
    ("Records", "records"),
    ("Speech", "speech"),
    ("SpeechLanguage", "A language of speech"),
    ("Http", "http"),
    ("Browser", "browser"),
    ("Console", "console"),
    ("Certificate", "A certificate"),
    ("IceServer", "An ICE server"),
    ("Llm", "llm"),
    ("Flow", "A flow"),
    ("Type", "A type"),
    ("FreeQuestions", "Free questions"),
    ("Commands", "commands"),
    ("Command", "A command"),
    ("Person", "person"),
    ("Intent", "An intent"),
    ("Hours", "Opening hours"),
    ("Texts", "texts"),
    ("Text", "A text"),
    ("Label", "A label"),
    ("Step", "A step"),
    ("Say", "say"),
    ("Disclose", "disclose"),
    ("Disclosed", "What is disclosed"),
    ("Menu", "menu"),
    ("MenuOption", "An option of a menu"),
    ("Ask", "ask"),
    ("Form", "form"),
    ("FormSlot", "A slot of a form"),
    ("ListValue", "A value of a list"),
    ("Fetch", "fetch"),
    ("Refused", "refused"),
    ("Attempts", "attempts"),
    ("Remember", "remember"),
    ("Decide", "decide"),
    ("Case", "A case of a decision"),
    ("Condition", "A condition"),
    ("Experiment", "experiment"),
    ("ByHours", "hours"),
    ("Transfer", "transfer"),
    ("CallbackStep", "callback"),
    ("MessageStep", "message"),
    ("Call", "call"),
    ("Return", "return"),
    ("HangUp", "hang_up"),
];

const BEGIN: &str = "<!-- reference: written by the_reference_names_every_key -->\n";
const END: &str = "<!-- end of reference -->\n";

#[test]
fn the_reference_names_every_key() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/configuration.md");
    let page = std::fs::read_to_string(path).unwrap();
    let (before, rest) = page.split_once(BEGIN).expect("the page has the reference's beginning");
    let (written, after) = rest.split_once(END).expect("the page has the reference's end");
    let reference = reference(config::schema());
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(path, format!("{before}{BEGIN}{reference}{END}{after}")).unwrap();
    } else {
        let hint = "docs/configuration.md is behind: UPDATE_DOCS=1 cargo test --test the_reference_names_every_key";
        assert_eq!(written, reference, "{hint}");
    }
}

#[test]
fn a_flow_file_has_the_shape_of_a_flow_written_in_place() {
    let (inside, alone) = (&config::schema()["$defs"]["Flow"], config::flow_schema());
    assert_eq!(inside["properties"], alone["properties"]);
    assert_eq!(inside["required"], alone["required"]);
}

fn reference(schema: &Value) -> String {
    let types = schema["$defs"].as_object().unwrap();
    for name in types.keys() {
        assert!(SECTIONS.iter().any(|(known, _)| known == name), "`{name}` has no place in the reference");
    }
    let mut page = String::new();
    for (name, heading) in SECTIONS {
        let section = if name.is_empty() { schema } else { &types[*name] };
        let description = plain(section["description"].as_str().unwrap_or_default());
        write!(page, "\n### {heading}\n\n{description}\n").unwrap();
        keys(section, &mut page);
    }
    page.push('\n');
    page
}

/// The table of an object's keys; those that must be given come first.
fn keys(section: &Value, page: &mut String) {
    let alternatives = section["anyOf"].as_array();
    let objects =
        alternatives.map_or(vec![section], |all| all.iter().filter(|one| one["properties"].is_object()).collect());
    let mut rows: Vec<(bool, String, String)> = vec![];
    for object in &objects {
        let required = |key: &str| object["required"].as_array().is_some_and(|all| all.iter().any(|one| one == key));
        for (kind, keys) in [("properties", ""), ("patternProperties", "pattern")] {
            for (key, value) in object[kind].as_object().into_iter().flatten() {
                let shown = match (keys, key.contains("mon|")) {
                    ("", _) => format!("`{key}`"),
                    (_, true) => "`mon`, `mon-fri`, ...".to_owned(),
                    (_, false) => "`en`, `zh`, ...".to_owned(),
                };
                let must = keys.is_empty() && objects.len() == 1 && required(key);
                let description = plain(value["description"].as_str().unwrap_or_default());
                rows.push((!must, shown, format!("{} | {description}", what(value))));
            }
        }
    }
    if rows.is_empty() {
        return;
    }
    rows.sort_by_key(|row| row.0);
    page.push_str("\n| key | | is | |\n|---|---|---|---|\n");
    for (optional, key, rest) in rows {
        writeln!(page, "| {key} | {} | {rest} |", if optional { "" } else { "needed" }).unwrap();
    }
}

/// What a value may be, in words, with a link to its own section.
fn what(value: &Value) -> String {
    if let Some(name) = value["$ref"].as_str().and_then(|path| path.rsplit('/').next()) {
        let heading = SECTIONS.iter().find(|(known, _)| *known == name).unwrap().1;
        let link = heading.to_lowercase().replace(' ', "-");
        return format!("[{}](#{link})", heading.trim_start_matches("A ").trim_start_matches("An "));
    }
    if let Some(alternatives) = value["anyOf"].as_array() {
        let mut all: Vec<String> = alternatives.iter().map(what).filter(|one| !one.is_empty()).collect();
        all.dedup();
        return all.join(" or ");
    }
    if let Some(options) = value["enum"].as_array() {
        let list: Vec<String> = options.iter().filter_map(Value::as_str).map(|one| format!("`{one}`")).collect();
        return list.join(", ");
    }
    let kinds = match &value["type"] {
        Value::String(one) => vec![one.as_str()],
        Value::Array(several) => several.iter().filter_map(Value::as_str).collect(),
        _ => vec![],
    };
    let range = match (&value["minimum"], &value["maximum"]) {
        (Value::Null, _) | (_, Value::Null) => String::new(),
        (least, most) => format!(" {least} to {most}"),
    };
    let words = kinds.into_iter().filter_map(|kind| {
        Some(match kind {
            "string" => "text".to_owned(),
            "integer" => format!("whole number{range}"),
            "number" => format!("number{range}"),
            "boolean" => "`true` or `false`".to_owned(),
            "array" => format!("list of {}", what(&value["items"])),
            "object" if value["additionalProperties"].is_object() => {
                format!("name: {}", what(&value["additionalProperties"]))
            }
            "object" => "mapping".to_owned(),
            _ => return None,
        })
    });
    words.collect::<Vec<_>>().join(" or ")
}

fn plain(text: &str) -> String {
    text.replace('\n', " ").replace('|', "\\|")
}

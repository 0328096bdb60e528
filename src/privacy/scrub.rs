//! Takes digits out of what was written down already, when they prove to be a secret's beginning.

use serde_json::Value;

use super::mask::mask_part;
use super::numbers::digits_of;

/// Fields that name things; their values stay.
const NAMES: &[&str] = &[
    "call", "at", "step", "queue", "agent", "backend", "language", "line", "trunk", "skills", "slot", "label", "event",
    "action", "timer", "because", "hash", "intent", "intents", "id", "name",
];

/// Every number of three digits and more in the texts of an entry, an event or a list of actions becomes `***`, every
/// key a 1: as many keys decide the same where a number is keyed.
pub fn scrub(value: &mut Value) {
    match value {
        Value::String(text) if digits_of(text).len() >= 3 => *text = mask_part(text),
        Value::Array(items) => items.iter_mut().for_each(scrub),
        Value::Object(fields) if fields.contains_key("dialled") => {} // who calls, as the network says it
        Value::Object(fields) => {
            // An event and an action stand under the names that tell them apart, too.
            let names = |name: &str, field: &Value| NAMES.contains(&name) && !field.is_object();
            for (name, field) in fields.iter_mut().filter(|(name, field)| !names(name, field)) {
                match field {
                    Value::Object(values) if name == "with" => values.values_mut().for_each(scrub), // of any name
                    Value::String(key) if name == "key" => *key = "1".into(),
                    field => scrub(field),
                }
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn numbers_and_keys_go_and_names_stay() {
        let mut entry = json!({ "seq": 4, "at_ms": 412345, "event": "utterance", "text": "order 45395787 in 2 days",
            "alternatives": ["四五三九"], "language": "en" });
        scrub(&mut entry);
        assert_eq!(entry["text"], "order *** in *** days");
        assert_eq!((&entry["alternatives"][0], &entry["at_ms"]), (&json!("***"), &json!(412345)));
        let mut key = json!({ "event": "key", "key": "4" });
        scrub(&mut key);
        assert_eq!(key, json!({ "event": "key", "key": "1" }));
        let mut line = json!({ "at_ms": 1, "event": key, "actions": [{ "action": "note", "text": "45395787" }] });
        scrub(&mut line);
        assert_eq!(line["actions"][0], json!({ "action": "note", "text": "***" }));
    }
}

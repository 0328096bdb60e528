//! What a call knows: the values collected and fetched, the texts rendered with them, the tests made of them.

use std::collections::BTreeMap;

use serde_json::Value as Json;

use super::flow::Text;
use super::template::{self, Part, ReadAs};
use super::{Language, Piece};

/// Shown instead of what is kept nowhere. No letters, so that no phrase of a menu is found in it.
pub const HIDDEN: &str = "***";

/// `yes` once a fetch step that `verifies` something was answered well; not there before, nor after it was not.
pub const VERIFIED: &str = "verified";

/// Values that every call has, besides those that its flow fills.
pub const BUILT_IN: [&str; 9] = [
    "caller_number",
    "caller_name",
    "caller_withheld",
    "caller_asserted",
    "dialled",
    "line",
    "trunk",
    "diverted_from",
    "diverted_reason",
];

/// The values of one call, by name.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Values(BTreeMap<String, Kept>);

#[derive(Clone, PartialEq)]
struct Kept {
    text: String,
    secret: bool,
    /// How texts say it, by language, where that is not as it is kept.
    said: BTreeMap<Language, String>,
}

impl std::fmt::Debug for Kept {
    // Values are personal data, or worse.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(if self.secret { "secret" } else { "value" })
    }
}

impl Values {
    pub fn set(&mut self, name: &str, text: String) {
        self.0.insert(name.to_owned(), Kept { text, secret: false, said: BTreeMap::new() });
    }

    /// Keeps a value that texts say in other words.
    pub fn set_said(&mut self, name: &str, text: String, said: BTreeMap<Language, String>) {
        self.0.insert(name.to_owned(), Kept { text, secret: false, said });
    }

    /// Keeps a value that may only be sent to a backend.
    pub fn set_secret(&mut self, name: &str, text: String) {
        self.0.insert(name.to_owned(), Kept { text, secret: true, said: BTreeMap::new() });
    }

    pub fn clear(&mut self, name: &str) {
        self.0.remove(name);
    }

    /// A value that may be shown; a secret is as good as not there.
    pub fn shown(&self, name: &str) -> Option<&str> {
        self.0.get(name).filter(|kept| !kept.secret).map(|kept| kept.text.as_str())
    }

    /// The pieces to speak of a text in `language` and, where it was recorded, the words of the recording.
    /// A value that is not there is left out.
    pub fn render(&self, text: &Text, language: &Language) -> Rendered {
        self.render_with(text, language, &[])
    }

    /// The same, with values of its own: the pieces that stand for a name.
    pub fn render_with(&self, text: &Text, language: &Language, own: &[(&str, Vec<Piece>)]) -> Rendered {
        let template = text.texts.get(language);
        let words = template.map(|template| self.pieces(template, language, own)).unwrap_or_default();
        match text.recordings.get(language) {
            Some(file) => Rendered { pieces: vec![Piece::Recording(file.clone())], words: Some(words) },
            None => Rendered { pieces: words, words: None },
        }
    }

    /// A backend's parameter, and whether a secret went into it.
    pub fn parameter(&self, template: &str) -> (String, bool) {
        let mut secret = false;
        let mut text = String::new();
        for part in template::parse(template).unwrap_or_default() {
            match part {
                Part::Text(words) => text.push_str(&words),
                Part::Value { name, .. } => {
                    if let Some(kept) = self.0.get(&name) {
                        secret |= kept.secret;
                        text.push_str(&kept.text);
                    }
                }
            }
        }
        (text, secret)
    }

    /// What tests of it see: of a secret only that it is there.
    pub fn tested(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(|kept| if kept.secret { HIDDEN } else { kept.text.as_str() })
    }

    /// Keeps what these templates come to, all of them by what was known before. One value alone is kept as it is, with how it
    /// is said; what a secret goes into is one; what comes to nothing is not there.
    pub fn remember(&mut self, templates: &BTreeMap<String, String>) {
        let kept = |template: &String| match template::parse(template).unwrap_or_default().as_slice() {
            [Part::Value { name, .. }] => self.0.get(name).cloned(),
            _ => {
                let (text, secret) = self.parameter(template);
                Some(Kept { text, secret, said: BTreeMap::new() })
            }
        };
        let values: Vec<(&String, Option<Kept>)> = templates.iter().map(|(name, from)| (name, kept(from))).collect();
        for (name, value) in values {
            match value.filter(|kept| !kept.text.is_empty()) {
                Some(value) => self.0.insert(name.clone(), value),
                None => self.0.remove(name),
            };
        }
    }

    fn pieces(&self, template: &str, language: &Language, own: &[(&str, Vec<Piece>)]) -> Vec<Piece> {
        let parts = template::parse(template).unwrap_or_default();
        let pieces = |part| match part {
            Part::Text(words) => vec![Piece::Text(words)],
            Part::Value { name, read } => match own.iter().find(|(known, _)| *known == name) {
                Some((_, pieces)) => pieces.clone(),
                None => self.piece(&name, read, language).into_iter().collect(),
            },
        };
        parts.into_iter().flat_map(pieces).collect()
    }

    /// A value as it is spoken; none for what is not there or a secret.
    pub fn piece(&self, name: &str, read: ReadAs, language: &Language) -> Option<Piece> {
        let kept = self.0.get(name).filter(|kept| !kept.secret)?;
        Some(match (read, kept.said.get(language)) {
            (ReadAs::Words, Some(said)) => Piece::Text(said.clone()),
            (read, _) => read.piece(kept.text.clone()),
        })
    }
}

/// A text ready to be spoken.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Rendered {
    pub pieces: Vec<Piece>,
    /// The words of a recording, for the transcript.
    pub words: Option<Vec<Piece>>,
}

/// A reply's value as the flow keeps it: text as it is, numbers and truth values as written, an amount with its
/// currency (`{"amount": "12.50", "currency": "EUR"}`) as `12.50 EUR`, lists joined by commas. `None` for null.
pub fn from_json(value: &Json) -> Option<String> {
    match value {
        Json::Null => None,
        Json::String(text) => Some(text.clone()),
        Json::Bool(_) | Json::Number(_) => Some(value.to_string()),
        Json::Array(items) => Some(items.iter().filter_map(from_json).collect::<Vec<_>>().join(", ")),
        Json::Object(fields) => match (fields.get("amount").and_then(from_json), fields.get("currency")) {
            (Some(amount), Some(Json::String(currency))) => Some(format!("{amount} {currency}")),
            _ => Some(value.to_string()),
        },
    }
}

/// What a reply says at JSON pointers (RFC 6901), joined by spaces (an amount and its currency); null at one of them is none.
/// Outer none: it has no such place.
pub fn at(pointers: &str, reply: &Json) -> Option<Option<String>> {
    let values: Vec<Option<String>> =
        pointers.split(' ').map(|pointer| reply.pointer(pointer).map(from_json)).collect::<Option<_>>()?;
    Some(values.into_iter().collect::<Option<Vec<String>>>().map(|values| values.join(" ")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn text(words: &str) -> Text {
        Text { texts: [(Language::new("en"), words.to_owned())].into(), recordings: BTreeMap::new() }
    }

    #[test]
    fn a_value_is_read_as_the_template_says_and_a_missing_one_left_out() {
        let mut values = Values::default();
        values.set("account", "407".into());
        let rendered = values.render(&text("Account {account:code}{nothing}."), &Language::new("en"));
        assert_eq!(
            rendered.pieces,
            [Piece::Text("Account ".into()), Piece::Code("407".into()), Piece::Text(".".into())]
        );
    }

    #[test]
    fn a_secret_is_sent_but_never_spoken() {
        let mut values = Values::default();
        values.set_secret("pin", "1234".into());
        assert_eq!(values.shown("pin"), None);
        assert!(values.render(&text("{pin}"), &Language::new("en")).pieces.is_empty());
        assert_eq!(values.parameter("p={pin}"), ("p=1234".into(), true));
        assert!(!format!("{values:?}").contains("1234"));
    }

    #[test]
    fn what_is_remembered_is_made_of_what_was_known_before() {
        let english = Language::new("en");
        let mut values = Values::default();
        values.set("first", "1".into());
        values.set("second", "2".into());
        values.set_said("size", "l".into(), [(english.clone(), "large".into())].into());
        values.set_secret("pin", "1234".into());
        let templates = [
            ("first", "{second}"),
            ("second", "{first}"),
            ("order", "a {size}, {first} times"),
            ("usual", "{size}"),
            ("code", "x{pin}"),
            ("nothing", "{unknown}"),
        ];
        values.remember(&templates.map(|(name, from)| (name.to_owned(), from.to_owned())).into());
        let shown = ["first", "second", "order", "usual", "code", "nothing"].map(|name| values.shown(name));
        assert_eq!(shown, [Some("2"), Some("1"), Some("a l, 1 times"), Some("l"), None, None]);
        assert_eq!(values.parameter("{code}"), ("x1234".into(), true));
        assert_eq!(values.piece("usual", ReadAs::Words, &english), Some(Piece::Text("large".into())));
    }

    #[test]
    fn replies_become_text() {
        assert_eq!(from_json(&json!(12)), Some("12".into()));
        assert_eq!(from_json(&json!({"amount": 12.5, "currency": "EUR"})), Some("12.5 EUR".into()));
        assert_eq!(from_json(&json!(["a", null, 2])), Some("a, 2".into()));
        assert_eq!(from_json(&json!(null)), None);
    }
}

//! Templates of texts: `{name}` or `{name:how}` where a value goes, `{{` and `}}` for braces.

use std::fmt;

use super::Piece;

/// A part of a template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Part {
    Text(String),
    Value { name: String, read: ReadAs },
}

/// How a value is read out: the part after the colon.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ReadAs {
    /// As running text.
    #[default]
    Words,
    Code,
    Phone,
    Number,
    Money,
    Date,
    Time,
}

impl ReadAs {
    /// Every way, by its name in templates.
    pub const NAMED: [(&str, Self); 6] = [
        ("code", Self::Code),
        ("phone", Self::Phone),
        ("number", Self::Number),
        ("money", Self::Money),
        ("date", Self::Date),
        ("time", Self::Time),
    ];

    /// Its name in templates; running text has none.
    pub fn name(self) -> &'static str {
        Self::NAMED.iter().find(|(_, read)| *read == self).map_or("", |(name, _)| name)
    }

    /// The piece of a prompt that reads `value` this way.
    pub fn piece(self, value: String) -> Piece {
        match self {
            Self::Words => Piece::Text(value),
            Self::Code => Piece::Code(value),
            Self::Phone => Piece::Phone(value),
            Self::Number => Piece::Number(value),
            Self::Money => Piece::Money(value),
            Self::Date => Piece::Date(value),
            Self::Time => Piece::Time(value),
        }
    }
}

/// What is wrong with a template, in an operator's words.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TemplateError {
    #[error("a `{{` has no `}}` after it (write `{{{{` for a brace)")]
    Open,
    #[error("a `}}` has no `{{` before it (write `}}}}` for a brace)")]
    Close,
    #[error("`{{{0}}}` is no name: letters, digits and `_`")]
    Name(String),
    #[error("`{{{name}:{how}}}`: `{how}` is no way to read a value; there are code, phone, number, money, date, time")]
    How { name: String, how: String },
}

/// Takes a template apart.
pub fn parse(template: &str) -> Result<Vec<Part>, TemplateError> {
    let mut parts = Vec::new();
    let mut text = String::new();
    let mut rest = template;
    while let Some(at) = rest.find(['{', '}']) {
        text.push_str(&rest[..at]);
        let brace = &rest[at..at + 1];
        let after = &rest[at + 1..];
        if let Some(tail) = after.strip_prefix(brace) {
            text.push_str(brace);
            rest = tail;
            continue;
        }
        if brace == "}" {
            return Err(TemplateError::Close);
        }
        let end = after.find('}').ok_or(TemplateError::Open)?;
        if !text.is_empty() {
            parts.push(Part::Text(std::mem::take(&mut text)));
        }
        parts.push(value(&after[..end])?);
        rest = &after[end + 1..];
    }
    text.push_str(rest);
    if !text.is_empty() {
        parts.push(Part::Text(text));
    }
    Ok(parts)
}

fn value(inside: &str) -> Result<Part, TemplateError> {
    let (name, how) = inside.split_once(':').map_or((inside, None), |(name, how)| (name, Some(how.trim())));
    let name = name.trim();
    if name.is_empty() || !name.chars().all(|c| c.is_alphanumeric() || c == '_') {
        return Err(TemplateError::Name(inside.to_owned()));
    }
    let read = match how {
        None => ReadAs::Words,
        Some(how) => ReadAs::NAMED
            .iter()
            .find(|(named, _)| *named == how)
            .map(|(_, read)| *read)
            .ok_or_else(|| TemplateError::How { name: name.to_owned(), how: how.to_owned() })?,
    };
    Ok(Part::Value { name: name.to_owned(), read })
}

/// The names of the values a template needs; none when it is malformed.
pub fn names(template: &str) -> Vec<String> {
    let parts = parse(template).unwrap_or_default();
    parts
        .into_iter()
        .filter_map(|part| match part {
            Part::Value { name, .. } => Some(name),
            Part::Text(_) => None,
        })
        .collect()
}

impl fmt::Display for ReadAs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(Self::NAMED.iter().find(|(_, read)| read == self).map_or("words", |(name, _)| name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_stand_where_they_are_named() {
        assert_eq!(
            parse("Your balance is {balance:money}, {name}."),
            Ok(vec![
                Part::Text("Your balance is ".into()),
                Part::Value { name: "balance".into(), read: ReadAs::Money },
                Part::Text(", ".into()),
                Part::Value { name: "name".into(), read: ReadAs::Words },
                Part::Text(".".into()),
            ])
        );
    }

    #[test]
    fn doubled_braces_are_braces() {
        assert_eq!(parse("a {{b}} c"), Ok(vec![Part::Text("a {b} c".into())]));
    }

    #[test]
    fn what_is_wrong_is_said() {
        assert_eq!(parse("a {b"), Err(TemplateError::Open));
        assert_eq!(parse("a } b"), Err(TemplateError::Close));
        assert_eq!(parse("{}"), Err(TemplateError::Name(String::new())));
        assert_eq!(parse("{a:loud}"), Err(TemplateError::How { name: "a".into(), how: "loud".into() }));
        let message = parse("{a:loud}").unwrap_err().to_string();
        assert!(message.starts_with("`{a:loud}`: `loud` is no way"), "{message}");
        assert!(TemplateError::Open.to_string().starts_with("a `{` has no `}` after it (write `{{`"));
    }
}

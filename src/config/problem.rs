//! What is wrong with a configuration: one value a mistake, with its place in the operator's own file.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use serde::Serialize;

/// Everything that is wrong, in the order of the files.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(transparent)]
pub struct Problems(pub Vec<Problem>);

/// One mistake: what was found where, what was expected instead, and what to do.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Problem {
    #[serde(flatten)]
    pub place: Place,
    /// What was found.
    pub message: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expected: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub remedy: Option<String>,
}

/// Where in which file.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Place {
    /// As the operator named it.
    pub file: Arc<PathBuf>,
    /// From 1.
    pub line: usize,
    /// From 1, in characters.
    pub column: usize,
    /// Characters meant, on that line; at least 1.
    #[serde(skip)]
    pub length: usize,
    /// The line itself, to be shown; empty when it may hold a secret.
    #[serde(skip)]
    pub source: Arc<str>,
}

impl Problem {
    pub fn new(place: Place, message: impl Into<String>) -> Self {
        Self { place, message: message.into(), expected: None, remedy: None }
    }

    pub fn expected(mut self, expected: impl Into<String>) -> Self {
        self.expected = Some(expected.into());
        self
    }

    pub fn remedy(mut self, remedy: impl Into<String>) -> Self {
        self.remedy = Some(remedy.into());
        self
    }

    /// Adds "did you mean ...?" when one of `names` is near `wrong`, else lists them when they are few.
    pub fn suggest<'n>(self, wrong: &str, names: impl IntoIterator<Item = &'n str>) -> Self {
        let names: Vec<&str> = names.into_iter().collect();
        if let Some(near) = nearest(wrong, &names) {
            let remedy = format!("did you mean `{near}`?");
            return self.remedy(remedy);
        }
        if names.is_empty() || names.len() > 8 || self.remedy.is_some() {
            return self;
        }
        let list: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
        self.remedy(format!("there is {}", list.join(", ")))
    }
}

impl fmt::Display for Problem {
    /// `file:line:column: message (expected ...); remedy`, on one line.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Place { file, line, column, .. } = &self.place;
        write!(f, "{}:{line}:{column}: {}", file.display(), self.message)?;
        if let Some(expected) = &self.expected {
            write!(f, " (expected {expected})")?;
        }
        if let Some(remedy) = &self.remedy {
            write!(f, "; {remedy}")?;
        }
        Ok(())
    }
}

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for problem in &self.0 {
            writeln!(f, "{problem}")?;
        }
        match self.0.len() {
            1 => f.write_str("1 problem"),
            n => write!(f, "{n} problems"),
        }
    }
}

impl std::error::Error for Problems {}

/// The name most like `wrong`, if any is near enough to be a slip of the fingers.
fn nearest<'n>(wrong: &str, names: &[&'n str]) -> Option<&'n str> {
    let plain = |text: &str| text.to_lowercase().replace(['-', '_', ' '], "");
    let wrong = plain(wrong);
    if wrong.is_empty() {
        return None;
    }
    let slips = |name: &str| strsim::damerau_levenshtein(&wrong, &plain(name));
    let (near, distance) = names.iter().map(|&name| (name, slips(name))).min_by_key(|&(_, slips)| slips)?;
    let length = wrong.chars().count().max(near.chars().count());
    let contained = wrong.chars().count() >= 4 && (plain(near).contains(&wrong) || wrong.contains(&plain(near)));
    (distance <= (length / 3).clamp(1, 3) || contained && near.chars().count() >= 4).then_some(near)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_name_is_a_slip_away() {
        let names = ["next", "say", "menu", "front-desk", "not_found"];
        assert_eq!(nearest("nxt", &names), Some("next"));
        assert_eq!(nearest("frontdesk", &names), Some("front-desk"));
        assert_eq!(nearest("notfound", &names), Some("not_found"));
        assert_eq!(nearest("balance", &names), None);
        assert_eq!(nearest("", &names), None);
        assert_eq!(nearest("x", &[]), None);
    }
}

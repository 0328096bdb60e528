//! Is the file of the right shape? JSON Schema (2020-12) decides; its findings are put into an operator's words
//! and at their place in the file. What is misshapen is then cut out, so that the rest can still be checked.

use std::sync::LazyLock;

use jsonschema::error::{TypeKind, ValidationError, ValidationErrorKind};
use jsonschema::{JsonType, Validator};
use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::problem::Problem;
use super::raw;
use super::raw_flow::{self, STEP_KINDS};
use super::raw_scenario;
use super::tree::{At, Node, Source};

/// A kind of file: its schema, ready to judge.
pub(super) struct Shape {
    pub schema: Value,
    validator: Validator,
}

/// The shape of a configuration, flows written in place included.
pub(super) static CONFIG: LazyLock<Shape> = LazyLock::new(Shape::of::<raw::File>);
/// The shape of a flow file.
pub(super) static FLOW: LazyLock<Shape> = LazyLock::new(Shape::of::<raw_flow::Flow>);

/// The shape of a file of question-answer pairs.
pub(super) static PAIRS: LazyLock<Shape> = LazyLock::new(Shape::of::<raw::Pairs>);
/// The shape of a file of dialogue tests.
pub(super) static SCENARIOS: LazyLock<Shape> = LazyLock::new(Shape::of::<raw_scenario::File>);

/// What is left after cutting can be read; more rounds than this are never needed, as each cuts something.
const MAX_ROUNDS: usize = 100;

impl Shape {
    fn of<T: JsonSchema>() -> Self {
        let schema = schemars::schema_for!(T).to_value();
        let validator = jsonschema::validator_for(&schema);
        Self { validator: validator.expect("the schema of our own types is valid"), schema }
    }

    /// Reports all that is misshapen below `node`, cuts it out, and reads what is left.
    pub fn read<T: DeserializeOwned>(
        &self,
        source: &Source,
        node: &mut Node,
        problems: &mut Vec<Problem>,
    ) -> Option<T> {
        for round in 0..MAX_ROUNDS {
            let json = node.to_json();
            let mut findings = vec![];
            for error in self.validator.iter_errors(&json) {
                self.explain(&error, At::root(source, node), &mut findings);
            }
            if findings.is_empty() {
                return match serde_json::from_value(json) {
                    Ok(read) => Some(read),
                    Err(error) => {
                        problems.push(At::root(source, node).problem(format!("not readable: {error}")));
                        None
                    }
                };
            }
            let mut cuts: Vec<Vec<String>> = vec![];
            for Finding { problem, cut } in findings {
                if round == 0 {
                    problems.push(problem);
                }
                cuts.push(cut);
            }
            // From the back, so that no cut moves another's index.
            cuts.sort_by_cached_key(|cut| {
                let number = |step: &String| (step.parse().unwrap_or(usize::MAX), step.clone());
                std::cmp::Reverse(cut.iter().map(number).collect::<Vec<_>>())
            });
            cuts.dedup();
            if cuts.iter().any(Vec::is_empty) {
                return None; // the root itself
            }
            cuts.iter().for_each(|cut| node.remove(cut));
        }
        None
    }

    fn explain(&self, error: &ValidationError, root: At, findings: &mut Vec<Finding>) {
        use ValidationErrorKind as K;
        let path = steps(error);
        let at = root.follow(path.iter().map(String::as_str));
        let name = called(&path);
        let secret = is_secret(&path);
        let found = if secret { "a value".to_owned() } else { describe(error.instance()) };
        let place = if secret { at.secret_place() } else { at.place() };
        let problem = |message: String| Problem::new(place.clone(), message);
        let mut find = |problem: Problem| findings.push(Finding { problem, cut: path.clone() });
        match error.kind() {
            K::AdditionalProperties { unexpected } => {
                for key in unexpected {
                    let problem = self.unknown_key(error, at, key);
                    findings.push(Finding { problem, cut: path.iter().cloned().chain([key.clone()]).collect() });
                }
            }
            K::Required { property } => {
                let key = property.as_str().unwrap_or_default();
                let problem = Problem::new(at.name_place(), format!("{} lacks `{key}`", subject(&path)));
                find(match self.description(error, key) {
                    Some(description) => problem.expected(format!("`{key}`: {description}")),
                    None => problem.expected(format!("`{key}`")),
                });
            }
            K::AnyOf { context } | K::OneOfNotValid { context } => self.explain_union(error, context, root, findings),
            K::Type { kind } => {
                let problem = problem(format!("{name} is {found}")).expected(wanted(kind));
                find(match (kind, error.instance().as_ref()) {
                    (_, Value::String(text)) if expects_number(kind) && text.parse::<f64>().is_ok() => {
                        problem.remedy("remove the quotes")
                    }
                    (TypeKind::Single(JsonType::Array), Value::String(_)) if !secret => {
                        problem.remedy(format!("write `[{}]`", found.trim_matches('"')))
                    }
                    _ => problem,
                });
            }
            K::Enum { options } => {
                let options: Vec<&str> = options.as_array().into_iter().flatten().filter_map(Value::as_str).collect();
                let list: Vec<String> = options.iter().map(|option| format!("`{option}`")).collect();
                let expected = if list.len() == 1 { list[0].clone() } else { format!("one of {}", list.join(", ")) };
                let problem = problem(format!("{name} is {found}")).expected(expected);
                find(match error.instance().as_str() {
                    Some(wrong) => problem.suggest(wrong, options.clone().into_iter().filter(|_| options.len() > 1)),
                    None => problem,
                });
            }
            K::Minimum { limit } => {
                find(problem(format!("{name} is {found}")).expected(self.range(error, limit, "at least")))
            }
            K::Maximum { limit } => {
                find(problem(format!("{name} is {found}")).expected(self.range(error, limit, "at most")))
            }
            K::MinItems { limit } if *limit > 1 => {
                let found = error.instance().as_array().map_or(0, Vec::len);
                find(problem(format!("{name} has {found} of at least {limit}")).expected(format!("{limit} or more")));
            }
            K::MinItems { .. } | K::MinProperties { .. } => {
                find(problem(format!("{name} is empty")).expected("at least one"))
            }
            K::MinLength { .. } => find(problem(format!("{name} is empty")).expected("a text")),
            other => find(problem(format!("{name} does not fit: {}", other.keyword()))),
        }
    }

    /// A value may have several shapes: explains it by the one that its author most likely had in mind.
    fn explain_union(
        &self,
        error: &ValidationError,
        branches: &[Vec<ValidationError>],
        root: At,
        findings: &mut Vec<Finding>,
    ) {
        let path = steps(error);
        let at = root.follow(path.iter().map(String::as_str));
        let here = |e: &ValidationError| e.instance_path() == error.instance_path();
        let fits = |branch: &[ValidationError]| {
            !branch.iter().any(|e| {
                here(e) && matches!(e.kind(), ValidationErrorKind::Type { .. } | ValidationErrorKind::Enum { .. })
            })
        };
        let possible: Vec<&Vec<ValidationError>> = branches.iter().filter(|branch| fits(branch)).collect();
        let kind_missing = |e: &ValidationError| {
            matches!(e.kind(), ValidationErrorKind::Required { property }
                if here(e) && property.as_str().is_some_and(|key| STEP_KINDS.contains(&key)))
        };
        if !possible.is_empty() && possible.len() > 2 && possible.iter().all(|branch| branch.iter().any(kind_missing)) {
            let list: Vec<String> = STEP_KINDS.iter().map(|kind| format!("`{kind}`")).collect();
            let mut problem =
                at.problem(format!("{} does nothing", subject(&path))).expected(format!("one of {}", list.join(", ")));
            for (name, _) in at.entries() {
                let near = problem.clone().suggest(&name.text, STEP_KINDS);
                if near.remedy.as_ref().is_some_and(|remedy| remedy.starts_with("did")) {
                    problem = Problem { place: at.place_of(&name.text), ..near };
                    break;
                }
            }
            findings.push(Finding { problem, cut: path });
            return;
        }
        let cost = |branch: &[ValidationError]| -> usize {
            let one = |e: &ValidationError| match e.kind() {
                ValidationErrorKind::AdditionalProperties { unexpected } => unexpected.len(),
                _ if kind_missing(e) => 1000,
                ValidationErrorKind::Required { .. } => 3,
                _ => 1,
            };
            branch.iter().map(one).sum()
        };
        match possible.into_iter().min_by_key(|branch| cost(branch)) {
            Some(branch) => branch.iter().for_each(|error| self.explain(error, root, findings)),
            None => {
                let secret = is_secret(&path);
                let (found, place) = match secret {
                    true => ("written out".to_owned(), at.secret_place()),
                    false => (describe(error.instance()), at.place()),
                };
                let mut problem = Problem::new(place, format!("{} is {found}", called(&path)));
                problem = if path.last().is_some_and(|last| last == "waiting") {
                    problem.expected("`ringing`, or a sound file: `{ file: PATH }`")
                } else if secret {
                    problem
                        .expected("where to find the secret")
                        .remedy("write `{ env: NAME }` or `{ file: PATH }`, and keep it out of the configuration")
                } else {
                    problem.expected(alternatives(branches))
                };
                findings.push(Finding { problem, cut: path });
            }
        }
    }

    fn unknown_key(&self, error: &ValidationError, at: At, key: &str) -> Problem {
        let place = at.place_of(key);
        let schema = self.parent(error);
        let known: Vec<&str> = match schema.get("properties") {
            Some(Value::Object(properties)) => properties.keys().map(String::as_str).collect(),
            _ => vec![],
        };
        let kind = |name: &str| STEP_KINDS.contains(&name);
        if kind(key)
            && let Some(own) = known.iter().find(|name| kind(name))
        {
            return Problem::new(place, format!("`{key}` in a step that has `{own}`"))
                .expected("one kind of step at a time")
                .remedy(format!("make `{key}` a step of its own, and lead here or there by `next`"));
        }
        if key == "<<" {
            return Problem::new(place, "merging by `<<` is not understood").remedy("write the keys out");
        }
        let free: Vec<&str> = known.iter().copied().filter(|name| at.find(name).is_none()).collect();
        let problem = Problem::new(place, format!("unknown key `{key}`"));
        match schema.get("patternProperties").and_then(Value::as_object).and_then(|map| map.keys().next()) {
            Some(pattern) if pattern.contains("mon|") => problem
                .expected("`zone`, `closed`, a day (`sat`) or a range of days (`mon-fri`)")
                .suggest(key, ["zone", "closed", "mon-fri", "mon", "tue", "wed", "thu", "fri", "sat", "sun"]),
            Some(_) => problem.expected("a language, such as `en` or `zh`, or `file`"),
            None => {
                let list: Vec<String> = known.iter().map(|name| format!("`{name}`")).collect();
                let mut problem = problem.suggest(key, free);
                if problem.remedy.as_ref().is_none_or(|remedy| remedy.starts_with("there is")) {
                    problem.remedy = Some("remove it".into());
                }
                problem.expected(format!("one of {}", list.join(", ")))
            }
        }
    }

    /// The schema object whose keyword failed.
    fn parent(&self, error: &ValidationError) -> &Value {
        let path = error.schema_path().as_str();
        let parent = path.rsplit_once('/').map_or("", |(parent, _)| parent);
        self.schema.pointer(parent).unwrap_or(&Value::Null)
    }

    /// The first sentence of a property's documentation.
    fn description(&self, error: &ValidationError, key: &str) -> Option<String> {
        let path = error.schema_path().as_str();
        let object = self.schema.pointer(path.strip_suffix("/required")?)?;
        let text = object.pointer(&format!("/properties/{key}/description"))?.as_str()?;
        let first = text.split_inclusive('.').next()?.trim_end_matches('.');
        let mut letters = first.chars();
        let lower = letters.next()?.to_lowercase().to_string();
        Some(lower + letters.as_str())
    }

    /// Both ends of a range, when both are known.
    fn range(&self, error: &ValidationError, limit: &Value, words: &str) -> String {
        let schema = self.parent(error);
        match (schema.get("minimum"), schema.get("maximum")) {
            (Some(min), Some(max)) => format!("{min} to {max}"),
            _ => format!("{words} {limit}"),
        }
    }
}

/// A problem, and the path of what has to go for the rest to be readable.
struct Finding {
    problem: Problem,
    cut: Vec<String>,
}

fn steps(error: &ValidationError) -> Vec<String> {
    error.instance_path().segments().map(|segment| segment.to_string()).collect()
}

/// Whether a path leads to a secret.
fn is_secret(path: &[String]) -> bool {
    let last = path.last().map(String::as_str);
    matches!(last, Some("password" | "signing_secret"))
        || path.first().map(String::as_str) == Some("llm") && last == Some("key")
        || path.iter().any(|step| step == "ice_servers") && last == Some("secret")
        || path.iter().rev().nth(1).map(String::as_str) == Some("headers")
}

/// What a path's value is called: `next`, or "item 3 of `queues`".
fn called(path: &[String]) -> String {
    match path {
        [] => "the file".into(),
        [.., list, index] if index.parse::<usize>().is_ok() => {
            format!("item {} of `{list}`", index.parse::<usize>().map_or(0, |index| index + 1))
        }
        [.., name] => format!("`{name}`"),
    }
}

/// What a path's mapping is: "step `menu`", "item 2 of `options`".
fn subject(path: &[String]) -> String {
    match path {
        [] => "the file".into(),
        [.., kind, name] if name.parse::<usize>().is_err() => match kind.as_str() {
            "steps" => format!("step `{name}`"),
            "lines" => format!("line `{name}`"),
            "agents" => format!("agent `{name}`"),
            "queues" => format!("queue `{name}`"),
            "backends" => format!("backend `{name}`"),
            "intents" => format!("intent `{name}`"),
            "hours" => format!("hours `{name}`"),
            _ => format!("`{name}`"),
        },
        _ => called(path),
    }
}

fn describe(value: &Value) -> String {
    match value {
        Value::Null => "nothing".into(),
        Value::String(text) if text.chars().count() > 40 => {
            format!("\"{}…\"", text.chars().take(40).collect::<String>())
        }
        Value::String(text) => format!("\"{text}\""),
        Value::Array(_) => "a list".into(),
        Value::Object(_) => "a mapping".into(),
        other => format!("`{other}`"),
    }
}

fn wanted(kind: &TypeKind) -> String {
    let types: Vec<JsonType> = match kind {
        TypeKind::Single(one) => vec![*one],
        TypeKind::Multiple(many) => many.iter().collect(),
    };
    let words: Vec<&str> = types.iter().filter_map(type_name).collect();
    words.join(" or ")
}

fn type_name(kind: &JsonType) -> Option<&'static str> {
    Some(match kind {
        JsonType::Array => "a list",
        JsonType::Boolean => "`true` or `false`",
        JsonType::Integer => "a whole number",
        JsonType::Number => "a number",
        JsonType::Object => "a mapping of `key: value`",
        JsonType::String => "a text",
        JsonType::Null => return None, // leaving it out says the same
    })
}

fn expects_number(kind: &TypeKind) -> bool {
    let number = |kind: &JsonType| matches!(kind, JsonType::Integer | JsonType::Number);
    match kind {
        TypeKind::Single(one) => number(one),
        TypeKind::Multiple(many) => many.iter().any(|one| number(&one)),
    }
}

/// The shapes that a union offers.
fn alternatives(branches: &[Vec<ValidationError>]) -> String {
    let mut words: Vec<String> = vec![];
    for error in branches.iter().flatten() {
        let word = match error.kind() {
            ValidationErrorKind::Type { kind } => wanted(kind),
            _ => continue,
        };
        if !word.is_empty() && !words.contains(&word) {
            words.push(word);
        }
    }
    words.join(" or ")
}

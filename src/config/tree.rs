//! YAML 1.2 as a tree that knows its places. Built from the parser's events, not by a loader, so that every
//! duplicate key is found in one go and nesting, aliases and size are bounded before anything is allocated.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use saphyr::Scalar;
use saphyr_parser::{Event, Marker, Parser, ScalarStyle, ScanError, Span};
use serde_json::Value;

use super::problem::{Place, Problem};

/// Bytes of one file.
const MAX_BYTES: u64 = 4 << 20;
/// Levels of nesting; a flow needs about eight.
const MAX_DEPTH: usize = 48;
/// Nodes of one file, after aliases.
const MAX_NODES: usize = 200_000;

/// A file's text, as the operator named it.
#[derive(Debug)]
pub(super) struct Source {
    pub path: Arc<PathBuf>,
    text: String,
}

#[derive(Clone, Debug)]
pub(super) struct Node {
    span: Span,
    pub kind: Kind,
}

#[derive(Clone, Debug)]
pub(super) enum Kind {
    Scalar(Value),
    List(Vec<Node>),
    Map(Vec<(Name, Node)>),
}

/// The key of a mapping's entry.
#[derive(Clone, Debug)]
pub(super) struct Name {
    pub text: String,
    span: Span,
}

/// A node on the way through a tree. Going to where nothing is stays put, so a place is always near.
#[derive(Clone, Copy)]
pub(super) struct At<'t> {
    source: &'t Source,
    pub node: &'t Node,
    /// The key it stands under, if it does.
    name: Option<&'t Name>,
}

impl<'t> At<'t> {
    pub fn root(source: &'t Source, node: &'t Node) -> Self {
        Self { source, node, name: None }
    }

    /// The value under `key`, if there is one.
    pub fn find(self, key: &str) -> Option<At<'t>> {
        self.entries().find(|(name, _)| name.text == key).map(|(_, at)| at)
    }

    /// The value under `key`, else this node.
    pub fn get(self, key: &str) -> At<'t> {
        self.find(key).unwrap_or(self)
    }

    /// The `index`th item, else this node.
    pub fn item(self, index: usize) -> At<'t> {
        let Kind::List(items) = &self.node.kind else { return self };
        items.get(index).map_or(self, |node| Self { node, name: None, ..self })
    }

    /// A mapping's entries; none when it is something else.
    pub fn entries(self) -> impl Iterator<Item = (&'t Name, At<'t>)> {
        let entries = if let Kind::Map(entries) = &self.node.kind { entries.as_slice() } else { &[] };
        entries.iter().map(move |(name, node)| (name, Self { node, name: Some(name), ..self }))
    }

    /// A sequence's items; none when it is something else.
    pub fn items(self) -> impl Iterator<Item = At<'t>> {
        let items = if let Kind::List(items) = &self.node.kind { items.as_slice() } else { &[] };
        items.iter().map(move |node| Self { node, name: None, ..self })
    }

    pub fn text(self) -> Option<&'t str> {
        if let Kind::Scalar(Value::String(text)) = &self.node.kind { Some(text) } else { None }
    }

    /// Follows the segments of a JSON pointer.
    pub fn follow<'s>(self, path: impl IntoIterator<Item = &'s str>) -> At<'t> {
        path.into_iter().fold(self, |at, step| match &at.node.kind {
            Kind::List(_) => step.parse().map_or(at, |index| at.item(index)),
            _ => at.get(step),
        })
    }

    /// Where the value stands.
    pub fn place(self) -> Place {
        self.source.place(self.node.span)
    }

    /// Where the key `key` stands, else where this node does.
    pub fn place_of(self, key: &str) -> Place {
        let name = self.entries().find(|(name, _)| name.text == key);
        name.map_or_else(|| self.place(), |(name, _)| self.source.place(name.span))
    }

    /// Where its own key stands, else the value.
    pub fn name_place(self) -> Place {
        self.name.map_or_else(|| self.place(), |name| self.source.place(name.span))
    }

    /// Where the value stands, without showing what stands there.
    pub fn secret_place(self) -> Place {
        Place { source: "".into(), ..self.place() }
    }

    pub fn problem(self, message: impl Into<String>) -> Problem {
        Problem::new(self.place(), message)
    }

    /// A problem with a part of this text, where that can be found on its first line.
    pub fn problem_at(self, part: &str, message: impl Into<String>) -> Problem {
        let mut place = self.place();
        let from = place.source.char_indices().nth(place.column - 1).map_or(place.source.len(), |(index, _)| index);
        if let Some(offset) = place.source[from..].find(part) {
            place.column += place.source[from..from + offset].chars().count();
            place.length = part.chars().count();
        }
        Problem::new(place, message)
    }

    pub fn file(self) -> &'t Path {
        &self.source.path
    }
}

impl Source {
    /// Reads a file. `shown` is the name that problems carry.
    pub fn read(path: &Path) -> Result<Self, Problem> {
        let empty = Self { path: Arc::new(path.to_owned()), text: String::new() };
        let cannot = |message: String| Problem::new(empty.place(Span::default()), message);
        let unreadable = |error: std::io::Error| {
            let problem = cannot(format!("the file cannot be read: {error}")).expected("a readable YAML file");
            match (error.kind(), path.parent()) {
                (std::io::ErrorKind::NotFound, Some(folder)) => problem.remedy(files_in(folder)),
                _ => problem,
            }
        };
        let size = std::fs::metadata(path).map_err(unreadable)?;
        if size.is_dir() {
            return Err(cannot("this is a folder".into()).expected("a YAML file"));
        }
        if size.len() > MAX_BYTES {
            return Err(cannot(format!("the file has {} bytes", size.len()))
                .expected(format!("at most {MAX_BYTES}"))
                .remedy("split it, and name the parts under `include`"));
        }
        Self::from_bytes(path, std::fs::read(path).map_err(unreadable)?)
    }

    pub fn from_bytes(path: &Path, bytes: Vec<u8>) -> Result<Self, Problem> {
        let path = Arc::new(path.to_owned());
        match String::from_utf8(bytes) {
            Ok(text) => Ok(Self { path, text: text.strip_prefix('\u{feff}').map(str::to_owned).unwrap_or(text) }),
            Err(error) => {
                let good = error.utf8_error().valid_up_to();
                let byte = error.as_bytes()[good]; // an error means a byte at `valid_up_to`
                let before = String::from_utf8_lossy(&error.as_bytes()[..good]).into_owned();
                let line = before.matches('\n').count() + 1;
                let column = before.rsplit('\n').next().map_or(0, |last| last.chars().count());
                let source = Self { path, text: before };
                let mark = Marker::new(0, line, column);
                Err(Problem::new(source.place(Span::empty(mark)), format!("byte 0x{byte:02x} is not UTF-8"))
                    .expected("text in UTF-8")
                    .remedy("save the file as UTF-8"))
            }
        }
    }

    /// The scanner may see a mistake only at the end of the file, a line behind the last: the end of that is shown.
    fn place(&self, span: Span) -> Place {
        let (start, end) = (span.start, span.end);
        let lines = self.text.replace("\r\n", "\n").split(['\n', '\r']).count();
        let line = start.line().clamp(1, lines);
        let source = self.line(line);
        let width = source.chars().count();
        let column = if start.line() > lines { width } else { start.col().min(width) };
        let length = if end.line() == start.line() { end.col() } else { width }.saturating_sub(column);
        Place {
            file: self.path.clone(),
            line,
            column: column + 1,
            length: length.max(1),
            source: if holds_secret(source) { "".into() } else { source.trim_end().into() },
        }
    }

    /// A line's text, counted from 1 and ended as YAML ends lines: by LF, CR or both.
    fn line(&self, number: usize) -> &str {
        let mut rest = self.text.as_str();
        for _ in 1..number {
            let Some(end) = rest.find(['\n', '\r']) else { return "" };
            rest = rest[end..].strip_prefix("\r\n").unwrap_or(&rest[end + 1..]);
        }
        &rest[..rest.find(['\n', '\r']).unwrap_or(rest.len())]
    }

    /// The tree of the text's only document. Problems that leave a tree (duplicate keys) are added to `problems`
    /// and the tree returned; others leave none.
    pub fn parse(&self, problems: &mut Vec<Problem>) -> Option<Node> {
        let mut builder = Builder { source: self, problems, stack: vec![], anchors: HashMap::new(), nodes: 0 };
        let mut parser = Parser::new_from_str(&self.text);
        let mut root = None;
        while let Some(event) = parser.next_event() {
            match event {
                Ok((event, span)) => match builder.take(event, span) {
                    Ok(None) => {}
                    Ok(Some(node)) if root.is_none() => root = Some(node),
                    Ok(Some(node)) => {
                        let problem = Problem::new(self.place(node.span), "a second YAML document begins here");
                        problems.push(problem.expected("one document a file").remedy("remove the `---` before it"));
                        return root;
                    }
                    Err(problem) => {
                        problems.push(problem);
                        return None;
                    }
                },
                Err(error) => {
                    let problem = self.explain(&error);
                    problems.push(problem);
                    return None;
                }
            }
        }
        if root.is_none() {
            problems.push(Problem::new(self.place(Span::default()), "the file is empty").expected("a configuration"));
        }
        root
    }

    /// A scanner's complaint in words for the person who wrote the file.
    fn explain(&self, error: &ScanError) -> Problem {
        let mark = *error.marker();
        let line = self.line(mark.line());
        let indent: String = line.chars().take_while(|c| c.is_whitespace()).collect();
        let problem = |text: &str| Problem::new(self.place(Span::empty(mark)), text);
        if let Some(column) = indent.chars().position(|c| c == '\t') {
            let tab = Marker::new(0, mark.line(), column);
            return Problem::new(self.place(Span::empty(tab)), "a tab is used to indent")
                .expected("spaces")
                .remedy("replace each tab by two spaces");
        }
        let info = error.info();
        let has = |part: &str| info.contains(part);
        if has("mapping values are not allowed") {
            problem("a `:` does not belong here").expected("one `key: value` a line").remedy(
                "put a text that holds `: ` in \"quotes\", or check the indentation of this line and the one above",
            )
        } else if has("could not find expected ':'") || has("simple key expect") || has("simple key expected") {
            problem("a key without its `:`").expected("`key: value`")
        } else if has("found character that cannot start any token") || has("unexpected character") {
            problem("this character cannot stand here unquoted").remedy("put the text in \"quotes\"")
        } else if has("quoted scalar") || has("unexpected end of stream") {
            problem("a quoted text is not closed").expected("a closing quote")
        } else if has("unprintable character") {
            problem("a character that is not printable")
                .expected("text")
                .remedy("remove it, or write it in \"quotes\" as `\\x..`")
        } else if has("',' or") || has("expected node content") || has("invalid indentation in flow") {
            problem("a `[` or `{` is not closed before this")
                .expected("`,` and a further value, or the closing bracket")
        } else if has("unknown anchor") {
            problem("an alias `*name` without its anchor `&name`")
                .remedy("put a text that begins with `*` in \"quotes\"")
        } else if has("recursion limit") {
            problem("brackets are nested too deeply").expected(format!("at most {MAX_DEPTH} levels"))
        } else {
            problem(&format!("not readable as YAML: {info}")).remedy("check brackets, quotes and indentation here")
        }
    }
}

/// The tree under construction.
struct Builder<'s> {
    source: &'s Source,
    problems: &'s mut Vec<Problem>,
    stack: Vec<Open>,
    anchors: HashMap<usize, Node>,
    nodes: usize,
}

/// A collection whose end has not come.
struct Open {
    node: Node,
    anchor: usize,
    /// A mapping's key that waits for its value; `None` where the key is unusable and already reported.
    key: Option<Option<Name>>,
}

impl Builder<'_> {
    /// The document's root when this event completes it.
    fn take(&mut self, event: Event, span: Span) -> Result<Option<Node>, Problem> {
        let problem = |text: &str| Problem::new(self.source.place(span), text);
        let (anchor, tag, kind) = match event {
            Event::SequenceStart(anchor, tag) => (anchor, tag, Kind::List(vec![])),
            Event::MappingStart(anchor, tag) => (anchor, tag, Kind::Map(vec![])),
            Event::Scalar(text, style, anchor, tag) => (anchor, tag, Kind::Scalar(scalar(&text, style))),
            Event::SequenceEnd | Event::MappingEnd => {
                let Some(mut open) = self.stack.pop() else { return Ok(None) };
                open.node.span.end = span.start;
                return self.place(open.node, open.anchor);
            }
            Event::Alias(anchor) => {
                let Some(node) = self.anchors.get(&anchor) else {
                    return Err(problem("an alias `*name` without its anchor `&name`"));
                };
                let node = Node { span, kind: node.kind.clone() };
                self.count(&node, span)?;
                return self.place(node, 0);
            }
            _ => return Ok(None),
        };
        if let Some(tag) = tag {
            return Err(problem(&format!("the tag `{tag}` has no meaning here")).remedy("remove it"));
        }
        let node = Node { span, kind };
        self.count(&node, span)?;
        if matches!(node.kind, Kind::Scalar(_)) {
            return self.place(node, anchor);
        }
        if self.stack.len() == MAX_DEPTH {
            return Err(Problem::new(self.source.place(span), "nested too deeply")
                .expected(format!("at most {MAX_DEPTH} levels")));
        }
        self.stack.push(Open { node, anchor, key: None });
        Ok(None)
    }

    /// Hangs a complete node where it belongs.
    fn place(&mut self, node: Node, anchor: usize) -> Result<Option<Node>, Problem> {
        if anchor > 0 {
            self.count(&node, node.span)?;
            self.anchors.insert(anchor, node.clone());
        }
        let Some(open) = self.stack.last_mut() else { return Ok(Some(node)) };
        match (&mut open.node.kind, open.key.take()) {
            (Kind::List(items), _) => items.push(node),
            (Kind::Map(entries), Some(Some(name))) => match entries.iter().find(|(other, _)| other.text == name.text) {
                Some((first, _)) => {
                    let message = format!("`{}` is given twice", name.text);
                    let problem = Problem::new(self.source.place(name.span), message)
                        .expected("each key once")
                        .remedy(format!("it stands in line {} already: remove or rename one", first.span.start.line()));
                    self.problems.push(problem);
                }
                None => entries.push((name, node)),
            },
            (Kind::Map(_), Some(None)) => {}
            (Kind::Map(_), None) => open.key = Some(name(self.source, self.problems, node)),
            (Kind::Scalar(_), _) => {} // a scalar is never open
        }
        Ok(None)
    }

    /// Adds a node and all below it to the bill.
    fn count(&mut self, node: &Node, span: Span) -> Result<(), Problem> {
        let mut open = vec![node];
        while let Some(node) = open.pop() {
            self.nodes += 1;
            if self.nodes > MAX_NODES {
                return Err(Problem::new(self.source.place(span), "the file holds too much, or its aliases multiply")
                    .expected(format!("at most {MAX_NODES} values")));
            }
            match &node.kind {
                Kind::List(items) => open.extend(items),
                Kind::Map(entries) => open.extend(entries.iter().map(|(_, node)| node)),
                Kind::Scalar(_) => {}
            }
        }
        Ok(())
    }
}

/// A node as a mapping's key.
fn name(source: &Source, problems: &mut Vec<Problem>, node: Node) -> Option<Name> {
    let text = match node.kind {
        Kind::Scalar(Value::String(text)) => text,
        Kind::Scalar(Value::Null) => String::new(),
        Kind::Scalar(other) => other.to_string(),
        Kind::List(_) | Kind::Map(_) => {
            let problem = Problem::new(source.place(node.span), "a list or mapping is used as a key")
                .expected("a name")
                .remedy("put a text that begins with `{` or `[` in \"quotes\"");
            problems.push(problem);
            return None;
        }
    };
    Some(Name { text, span: node.span })
}

/// A scalar's value by YAML 1.2's core schema, with one exception: an integer that is not written as a number
/// prints (`+4930`, `0800`) is a text, so that no telephone number loses a digit.
fn scalar(text: &str, style: ScalarStyle) -> Value {
    if style != ScalarStyle::Plain {
        return Value::from(text);
    }
    match Scalar::parse_from_cow(text.into()) {
        Scalar::Null => Value::Null,
        Scalar::Boolean(value) => Value::from(value),
        Scalar::Integer(value) if value.to_string() == text => Value::from(value),
        Scalar::FloatingPoint(value) if value.is_finite() && text.contains('.') => Value::from(value.into_inner()),
        _ => Value::from(text),
    }
}

impl Node {
    pub fn to_json(&self) -> Value {
        match &self.kind {
            Kind::Scalar(value) => value.clone(),
            Kind::List(items) => items.iter().map(Node::to_json).collect(),
            Kind::Map(entries) => entries
                .iter()
                .map(|(name, node)| (name.text.clone(), node.to_json()))
                .collect::<serde_json::Map<_, _>>()
                .into(),
        }
    }

    /// Takes out what stands at a path. Nothing there: nothing done.
    pub fn remove(&mut self, path: &[String]) {
        let Some((last, way)) = path.split_last() else { return };
        let mut node = self;
        for step in way {
            let next = match &mut node.kind {
                Kind::List(items) => step.parse().ok().and_then(|index: usize| items.get_mut(index)),
                Kind::Map(entries) => entries.iter_mut().find(|(name, _)| name.text == *step).map(|(_, node)| node),
                Kind::Scalar(_) => None,
            };
            let Some(next) = next else { return };
            node = next;
        }
        match &mut node.kind {
            Kind::List(items) => {
                if let Some(index) = last.parse().ok().filter(|&index: &usize| index < items.len()) {
                    items.remove(index);
                }
            }
            Kind::Map(entries) => entries.retain(|(name, _)| name.text != *last),
            Kind::Scalar(_) => {}
        }
    }
}

/// Whether a line may hold a secret that its author wrote out, under a name that is right or nearly so.
fn holds_secret(line: &str) -> bool {
    const NAMES: [&str; 6] = ["passw", "secret", "token", "authorization", "api_key", "api-key"];
    let line = line.to_lowercase();
    NAMES.iter().any(|name| {
        let value =
            line.split_once(name).and_then(|(_, rest)| rest.split_once(':')).map(|(_, value)| value.trim_start());
        value.is_some_and(|value| !value.is_empty() && !value.starts_with('{'))
    })
}

/// The YAML files of a folder, for someone who misspelt one.
fn files_in(folder: &Path) -> String {
    let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    let mut names: Vec<String> = std::fs::read_dir(folder)
        .into_iter()
        .flatten()
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .filter(|name| name.ends_with(".yaml") || name.ends_with(".yml"))
        .collect();
    names.sort();
    names.truncate(8);
    if names.is_empty() {
        format!("there is no YAML file in {}", folder.display())
    } else {
        format!("in {} there is {}", folder.display(), names.join(", "))
    }
}

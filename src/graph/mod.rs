//! A flow as a picture: its steps as boxes, where they lead as arrows, in SVG. Pure: the same flow gives the same bytes.
//!
//! `layout` finds the places (Sugiyama's layers), `svg` draws. What is true at every question, the way to a person, is
//! drawn once, beside the rest; a flow that is called is one box.

mod layout;
mod svg;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

pub(crate) use svg::escaped;

use crate::dialog::flow::{Flow, MenuOption, Step, Text, Transfer};

/// The flow `name` of these as an SVG document. A flow that others call is drawn as it stands in them, with its way back.
/// Nothing where there is no such flow.
pub fn draw(flows: &BTreeMap<String, Arc<Flow>>, name: &str) -> Option<String> {
    let flow = flows.get(name)?;
    let inside = flows.values().filter(|other| other.name != name).find_map(|other| {
        let (step, _) = other.steps.iter().find(|(step, _)| called(other, step, flows) == Some(name))?;
        Some((other, format!("{step}/")))
    });
    let (flow, prefix) = inside.as_ref().map_or((flow, ""), |(other, prefix)| (other, prefix.as_str()));
    Some(svg::svg(&Graph::of(flow, prefix, name, flows)))
}

/// The flow that a step calls: the one whose steps stand below its name.
fn called<'f>(flow: &Flow, step: &str, flows: &'f BTreeMap<String, Arc<Flow>>) -> Option<&'f str> {
    let Step::Decide { branches, otherwise } = flow.steps.get(step)? else { return None };
    let start = otherwise.strip_prefix(step)?.strip_prefix('/').filter(|_| branches.is_empty())?;
    let below = |name: &String| Some(name.strip_prefix(step)?.strip_prefix('/')?.to_owned());
    let steps: BTreeSet<String> = flow.steps.keys().filter_map(below).collect();
    let same = |other: &&Arc<Flow>| other.start == start && other.steps.keys().eq(&steps);
    flows.values().find(same).map(|other| other.name.as_str())
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    Start,
    Say,
    Disclose,
    Menu,
    Ask,
    Form,
    Fetch,
    Remember,
    Experiment,
    Decide,
    Hours,
    Transfer,
    Callback,
    Message,
    Call,
    Return,
    HangUp,
    /// Whichever question the caller is at.
    Anywhere,
    /// Stands for a box far above, by its name.
    GoTo,
}

impl Kind {
    /// The word on the box, that of the configuration.
    fn word(self) -> &'static str {
        match self {
            Self::Start => "start",
            Self::Say => "say",
            Self::Disclose => "disclose",
            Self::Menu => "menu",
            Self::Ask => "ask",
            Self::Form => "form",
            Self::Fetch => "fetch",
            Self::Remember => "remember",
            Self::Experiment => "experiment",
            Self::Decide => "decide",
            Self::Hours => "hours",
            Self::Transfer => "transfer",
            Self::Callback => "callback",
            Self::Message => "message",
            Self::Call => "call",
            Self::Return => "return",
            Self::HangUp => "hang up",
            Self::Anywhere => "at any question",
            Self::GoTo => "go to",
        }
    }
}

struct Node {
    /// The step's name; of a `GoTo` that of the step meant. Empty where no step stands behind it.
    name: String,
    kind: Kind,
    /// What is said, asked or done.
    text: String,
}

struct Edge {
    from: usize,
    to: usize,
    /// One a way: several options may lead to one step.
    labels: Vec<String>,
    /// Taken only when something fails.
    failure: bool,
}

struct Graph {
    title: String,
    nodes: Vec<Node>,
    edges: Vec<Edge>,
    /// The two boxes of the way to a person: last of the nodes, joined by the last edge.
    person: usize,
}

impl Graph {
    /// The steps of `flow` whose names begin with `prefix`; what they call is one box each.
    fn of(flow: &Flow, prefix: &str, title: &str, flows: &BTreeMap<String, Arc<Flow>>) -> Self {
        let mut graph = Self { title: title.to_owned(), nodes: Vec::new(), edges: Vec::new(), person: 0 };
        let start = match prefix.strip_suffix('/').and_then(|step| flow.steps.get(step)) {
            Some(Step::Decide { otherwise, .. }) => otherwise,
            _ => &flow.start,
        };
        graph.add("", Kind::Start, String::new());
        let own = |name: &str| name.strip_prefix(prefix).is_some_and(|name| !name.contains('/'));
        let mut at = BTreeMap::new();
        for (name, step) in flow.steps.iter().filter(|(name, _)| own(name)) {
            let callee = called(flow, name, flows);
            let kind = match (callee, step) {
                (Some(_), _) => Kind::Call,
                (None, Step::Decide { branches, otherwise }) if branches.is_empty() && !own(otherwise) => Kind::Return,
                (None, step) => kind(step),
            };
            let text = callee.map_or_else(|| text(flow, step), |callee| format!("flow {callee}"));
            at.insert(name.as_str(), graph.add(&name[prefix.len()..], kind, text));
        }
        let mut goodbye = None;
        let mut ways = vec![(0, Way::to(start))];
        for (name, &from) in &at {
            let step = &flow.steps[*name];
            match graph.nodes[from].kind {
                Kind::Call => ways.extend(after(flow, name).map(|next| (from, Way::to(next)))),
                Kind::Return => {}
                _ => ways.extend(leads(flow, step).into_iter().map(|way| (from, way))),
            }
        }
        for (from, way) in ways {
            let to = match way.to {
                Some(to) => at.get(to).copied(),
                None => {
                    Some(*goodbye.get_or_insert_with(|| graph.add("", Kind::HangUp, words(flow, &flow.lines.goodbye))))
                }
            };
            if let Some(to) = to {
                graph.join(from, to, way.label, way.failure);
            }
        }
        graph.go_to_far_ones();
        graph.person = graph.nodes.len();
        let failed = match flow.attempts {
            0 | 1 => "an answer".into(),
            attempts => format!("{attempts} answers"),
        };
        let wish = format!("\u{201c}a person, please\u{201d}, key 0, or {failed} not understood");
        let from = graph.add("", Kind::Anywhere, wish);
        let to = graph.add("", Kind::Transfer, queue(&flow.person));
        graph.join(from, to, String::new(), false);
        graph
    }

    fn add(&mut self, name: &str, kind: Kind, text: String) -> usize {
        self.nodes.push(Node { name: name.to_owned(), kind, text });
        self.nodes.len() - 1
    }

    fn join(&mut self, from: usize, to: usize, label: String, failure: bool) {
        match self.edges.iter_mut().find(|edge| (edge.from, edge.to, edge.failure) == (from, to, failure)) {
            Some(edge) => edge.labels.push(label),
            None => self.edges.push(Edge { from, to, labels: vec![label], failure }),
        }
    }

    /// An edge that leads back, or to a box far above, ends in a note that names it: such lines would cross all others.
    fn go_to_far_ones(&mut self) {
        /// Levels above.
        const FAR: usize = 3;
        let level = self.levels();
        let mut taken: Vec<(usize, usize)> = Vec::new();
        // As callers come to them: what leads back is then what closes a circle.
        let mut order: Vec<usize> = (0..self.edges.len()).collect();
        order.sort_by_key(|&at| level[self.edges[at].from]);
        for at in order {
            let Edge { from, to, .. } = self.edges[at];
            if level[from] >= level[to] + FAR || leads_to(&taken, to, from) {
                let (name, text) = (self.nodes[to].name.clone(), self.edges[at].labels.join(", "));
                self.edges[at].labels.clear();
                self.edges[at].to = self.add(&name, Kind::GoTo, text);
            } else {
                taken.push((from, to));
            }
        }
    }

    /// Edges between each node and the start at least.
    fn levels(&self) -> Vec<usize> {
        let mut level = vec![usize::MAX; self.nodes.len()];
        level[0] = 0;
        let mut open = VecDeque::from([0]);
        while let Some(from) = open.pop_front() {
            for edge in self.edges.iter().filter(|edge| edge.from == from) {
                if level[edge.to] == usize::MAX {
                    level[edge.to] = level[from] + 1;
                    open.push_back(edge.to);
                }
            }
        }
        // What no way leads to stands beside the start.
        level.iter_mut().filter(|level| **level == usize::MAX).for_each(|level| *level = 0);
        level
    }
}

fn leads_to(edges: &[(usize, usize)], from: usize, to: usize) -> bool {
    let (mut seen, mut open) = (BTreeSet::from([from]), vec![from]);
    while let Some(at) = open.pop() {
        if at == to {
            return true;
        }
        open.extend(edges.iter().filter(|edge| edge.0 == at && seen.insert(edge.1)).map(|edge| edge.1));
    }
    false
}

/// Where a step leads, and when.
struct Way<'f> {
    /// None: the call ends with the flow's goodbye.
    to: Option<&'f str>,
    label: String,
    failure: bool,
}

impl<'f> Way<'f> {
    fn to(next: &'f str) -> Self {
        Self { to: Some(next), label: String::new(), failure: false }
    }

    fn when(self, label: impl Into<String>) -> Self {
        Self { label: label.into(), ..self }
    }

    fn failing(self, label: &str) -> Self {
        Self { label: label.to_owned(), failure: true, ..self }
    }
}

fn leads<'f>(flow: &'f Flow, step: &'f Step) -> Vec<Way<'f>> {
    let or_goodbye = |next: &'f Option<String>| Way { to: next.as_deref(), label: String::new(), failure: false };
    match step {
        Step::Say { next, .. } | Step::Disclose { next, .. } => vec![Way::to(next)],
        Step::Ask(ask) => vec![Way::to(&ask.next)],
        Step::Form(form) => vec![Way::to(&form.next)],
        Step::Menu { options, .. } => {
            let mut ways: Vec<Way<'_>> =
                options.iter().map(|option| Way::to(&option.next).when(chosen_by(option))).collect();
            let answered = flow.knowledge.as_ref().and_then(|free| free.next.as_deref());
            ways.extend(answered.map(|next| Way::to(next).when("answered from the pages")));
            ways
        }
        Step::Fetch(fetch) => {
            let mut ways = vec![Way::to(&fetch.next), Way::to(&fetch.not_found).failing("not found")];
            ways.extend(fetch.refused.as_ref().map(|refused| Way::to(&refused.next).failing("refused")));
            ways.push(Way::to(&fetch.failed).failing("failed"));
            ways
        }
        Step::Remember { next, .. } => vec![Way::to(next)],
        Step::Experiment { ways } => {
            ways.iter().map(|(to, percent)| Way::to(to).when(format!("{percent} %"))).collect()
        }
        Step::Decide { branches, otherwise } => {
            let mut ways: Vec<Way<'_>> =
                branches.iter().map(|branch| Way::to(&branch.next).when(branch.when.to_string())).collect();
            let label = if branches.is_empty() { "" } else { "otherwise" };
            ways.push(Way::to(otherwise).when(label));
            ways
        }
        Step::Hours { open, closed, .. } => vec![Way::to(open).when("open"), Way::to(closed).when("closed")],
        Step::Callback(callback) => {
            vec![or_goodbye(&callback.next).when("agreed"), or_goodbye(&callback.declined).when("declined")]
        }
        Step::Message(message) => vec![or_goodbye(&message.next)],
        Step::Transfer(_) | Step::HangUp { .. } => Vec::new(),
    }
}

/// Where the flow that `step` calls returns to.
fn after<'f>(flow: &'f Flow, step: &str) -> Option<&'f str> {
    let inside = |name: &str| name.strip_prefix(step).is_some_and(|name| name.starts_with('/'));
    flow.steps.iter().filter(|(name, _)| inside(name)).find_map(|(_, step)| match step {
        Step::Decide { branches, otherwise } if branches.is_empty() && !inside(otherwise) => Some(otherwise.as_str()),
        _ => None,
    })
}

/// `1 · balance`: the key, and the intent or else the first phrase.
fn chosen_by(option: &MenuOption) -> String {
    let key = option.key.map(String::from);
    let words =
        option.intent.clone().or_else(|| option.phrases.first().map(|phrase| format!("\u{201c}{phrase}\u{201d}")));
    key.into_iter().chain(words).collect::<Vec<_>>().join(" \u{b7} ")
}

fn kind(step: &Step) -> Kind {
    match step {
        Step::Say { .. } => Kind::Say,
        Step::Disclose { .. } => Kind::Disclose,
        Step::Menu { .. } => Kind::Menu,
        Step::Ask(_) => Kind::Ask,
        Step::Form(_) => Kind::Form,
        Step::Fetch(_) => Kind::Fetch,
        Step::Remember { .. } => Kind::Remember,
        Step::Experiment { .. } => Kind::Experiment,
        Step::Decide { .. } => Kind::Decide,
        Step::Hours { .. } => Kind::Hours,
        Step::Transfer(_) => Kind::Transfer,
        Step::Callback(_) => Kind::Callback,
        Step::Message(_) => Kind::Message,
        Step::HangUp { .. } => Kind::HangUp,
    }
}

fn text(flow: &Flow, step: &Step) -> String {
    match step {
        Step::Say { say, .. } | Step::Disclose { say, .. } | Step::HangUp { say } => words(flow, say),
        Step::Menu { prompt, .. } => words(flow, prompt),
        Step::Ask(ask) => words(flow, &ask.prompt),
        Step::Form(form) => words(flow, &form.prompt),
        Step::Fetch(fetch) => format!("backend {}", fetch.backend),
        Step::Remember { values, .. } => {
            values.iter().map(|(name, text)| format!("{name} = {text}")).collect::<Vec<_>>().join(", ")
        }
        Step::Experiment { .. } => String::new(),
        Step::Decide { branches, .. } => {
            let values: BTreeSet<&str> =
                branches.iter().flat_map(|branch| branch.when.tests()).map(|(_, value, _)| value).collect();
            values.into_iter().collect::<Vec<_>>().join(", ")
        }
        Step::Hours { hours, .. } => hours.clone(),
        Step::Transfer(to) => queue(to),
        Step::Callback(callback) => queue(&callback.to),
        Step::Message(message) => format!("queue {}", message.queue),
    }
}

fn queue(to: &Transfer) -> String {
    let skills = if to.skills.is_empty() { String::new() } else { format!(", skills {}", to.skills.join(", ")) };
    let priority = if to.priority == 0 { String::new() } else { format!(", priority {:+}", to.priority) };
    format!("queue {}{skills}{priority}", to.queue)
}

/// What is said, in the flow's own language; of a recording without words the file's name.
fn words(flow: &Flow, text: &Text) -> String {
    let own = text.texts.get(&flow.language).or_else(|| text.texts.values().next());
    let file = || text.recordings.get(&flow.language).or_else(|| text.recordings.values().next());
    let name = |path: &String| path.rsplit('/').next().unwrap_or_default().to_owned();
    own.cloned().or_else(|| file().map(name)).unwrap_or_default()
}

//! The drawing itself: one SVG document that stands alone, light or dark as its reader's screen is. Each box has its kind
//! as a colour and as a word, each arrow that is taken only on failure is dashed: it reads in black and white.

use std::fmt::Write as _;

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use super::layout::{Layout, Plan, PlanEdge, Route, place};
use super::{Edge, Graph, Kind, Node};

/// Pixels of a column (a Latin letter) in text of one pixel's size; wide letters (CJK) have two.
const COLUMN: f64 = 0.56;
/// Columns of the widest line of a box, and lines of what is said.
const COLUMNS: usize = 30;
const LINES: usize = 3;
const MARGIN: f64 = 24.0;
const STYLE: &str = "\
:root{--paper:#fff;--ink:#1d2733;--soft:#55616e;--line:#6b7a8c;--box:#f7f9fb;--talk:#2f6db5;--ask:#2e7d46;--work:#8a5a00;--person:#a3338c;--end:#6b4fa0}\
@media(prefers-color-scheme:dark){:root{--paper:#12161c;--ink:#e8edf3;--soft:#a9b4c0;--line:#8593a3;--box:#1b222b;--talk:#79b0f2;--ask:#6fce8b;--work:#e3b15a;--person:#ee8fd8;--end:#b79df0}}\
svg{background:var(--paper);font-family:system-ui,'Noto Sans','Noto Sans CJK SC',sans-serif;font-size:12px}\
.paper{fill:var(--paper)}text{fill:var(--ink)}\
.box{fill:var(--box);stroke:var(--c);stroke-width:1.5}\
.kind{fill:var(--c);font-size:10px;font-weight:700;letter-spacing:.06em}.name{font-size:13px;font-weight:600}.said{fill:var(--soft)}\
.say,.disclose{--c:var(--talk)}.menu,.ask,.form{--c:var(--ask)}.fetch,.remember,.experiment,.decide,.hours,.call,.return{--c:var(--work)}\
.transfer,.callback,.message,.anywhere{--c:var(--person)}.hang-up{--c:var(--end)}.start,.go-to{--c:var(--line)}\
.go-to .box,.anywhere .box{stroke-dasharray:2 3}\
.way{fill:none;stroke:var(--line);stroke-width:1.4;marker-end:url(#arrow)}.failure .way{stroke-dasharray:6 4}\
.tip{fill:var(--line)}.label rect{fill:var(--paper)}.label text{text-anchor:middle;font-size:11.5px}\
.title{font-size:18px;font-weight:600}a:hover .box{stroke-width:2.5}";

/// A box before it has a place.
struct Drawn<'g> {
    node: &'g Node,
    name: String,
    lines: Vec<String>,
    size: (f64, f64),
}

pub(super) fn svg(graph: &Graph) -> String {
    let drawn: Vec<Drawn<'_>> = graph.nodes.iter().map(Drawn::of).collect();
    let labels: Vec<Vec<String>> = graph.edges.iter().map(labels).collect();
    let (flow, person) = drawn.split_at(graph.person);
    let (ways, _) = graph.edges.split_at(graph.edges.len().saturating_sub(1)); // the last is the person's
    let sizes: Vec<(f64, f64)> = flow.iter().map(|drawn| drawn.size).collect();
    let edges: Vec<PlanEdge> = ways
        .iter()
        .zip(&labels)
        .map(|(edge, lines)| PlanEdge { from: edge.from, to: edge.to, label: label_size(lines) })
        .collect();
    let layout = beside(place(&Plan { boxes: &sizes, edges: &edges }), &sizes, person);

    let top = MARGIN + 34.0;
    let (width, height) = (layout.size.0.max(320.0) + 2.0 * MARGIN, layout.size.1 + top + MARGIN);
    let mut out = String::new();
    let title = escaped(&format!("Flow {}", graph.title));
    let steps = graph.nodes.iter().filter(|node| !node.name.is_empty() && node.kind != Kind::GoTo).count();
    let told = escaped(&format!(
        "{steps} steps of a telephone conversation, from the start at the top. Solid arrows are the usual way, dashed ones are \
         taken when something fails. A person can be asked for at any question."
    ));
    // Writing to a String cannot fail.
    let _ = write!(
        out,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width:.0}\" height=\"{height:.0}\" viewBox=\"0 0 {width:.0} {height:.0}\" \
         role=\"img\" aria-labelledby=\"title desc\">\n<title id=\"title\">{title}</title>\n<desc id=\"desc\">{told}</desc>\n\
         <style>{STYLE}</style>\n<defs><marker id=\"arrow\" viewBox=\"0 0 8 8\" refX=\"7.5\" refY=\"4\" markerWidth=\"8\" \
         markerHeight=\"8\" orient=\"auto\"><path class=\"tip\" d=\"M0 0L8 4L0 8z\"/></marker></defs>\n\
         <rect class=\"paper\" width=\"{width:.0}\" height=\"{height:.0}\"/>\n\
         <text class=\"title\" x=\"{MARGIN}\" y=\"{:.0}\">{title}</text>\n<g transform=\"translate({MARGIN} {top})\">\n",
        MARGIN + 14.0
    );
    for ((edge, route), labels) in graph.edges.iter().zip(&layout.ways).zip(&labels) {
        arrow(&mut out, graph, edge, route, labels);
    }
    for (drawn, centre) in drawn.iter().zip(&layout.boxes) {
        drawn.draw(&mut out, *centre);
    }
    out.push_str("</g>\n</svg>\n");
    out
}

/// Puts the way to a person at the top, left of the start: where there is no room, all else moves to the right.
fn beside(mut layout: Layout, sizes: &[(f64, f64)], person: &[Drawn<'_>]) -> Layout {
    const BETWEEN: f64 = 36.0;
    let wide = person.iter().map(|drawn| drawn.size.0).fold(0.0, f64::max);
    let mut y = 0.0;
    let mut places = Vec::new();
    for drawn in person {
        places.push((wide / 2.0, y + drawn.size.1 / 2.0));
        y += drawn.size.1 + BETWEEN;
    }
    let tall = y - BETWEEN;
    let boxes = layout.boxes.iter().zip(sizes).filter(|((_, y), size)| y - size.1 / 2.0 < tall + BETWEEN);
    let points = layout.ways.iter().flat_map(|way| &way.points).filter(|(_, y)| *y < tall + BETWEEN);
    let left =
        boxes.map(|((x, _), size)| x - size.0 / 2.0).chain(points.map(|(x, _)| *x)).fold(f64::INFINITY, f64::min);
    let shift = (wide + BETWEEN - left).max(0.0);
    let points = layout.ways.iter_mut().flat_map(|way| way.points.iter_mut().chain([&mut way.label]));
    layout.boxes.iter_mut().chain(points).for_each(|(x, _)| *x += shift);
    if let [from, to] = person {
        let points = vec![(wide / 2.0, from.size.1), (wide / 2.0, from.size.1 + BETWEEN)];
        layout.ways.push(Route { points, label: (0.0, 0.0) });
        layout.size = ((layout.size.0 + shift).max(wide), layout.size.1.max(from.size.1 + BETWEEN + to.size.1));
    }
    layout.boxes.extend(places);
    layout
}

impl<'g> Drawn<'g> {
    fn of(node: &'g Node) -> Self {
        let name = match node.kind {
            Kind::GoTo => format!("\u{2191} {}", node.name),
            _ => node.name.clone(),
        };
        let name = wrapped(&name, COLUMNS, 1).concat();
        let lines = wrapped(&node.text, COLUMNS, LINES);
        let columns = |text: &String, size: f64| text.width() as f64 * COLUMN * size;
        let widest =
            lines.iter().map(|line| columns(line, 12.5)).chain([columns(&name, 15.5), word(node).len() as f64 * 8.0]);
        let width = widest.fold(52.0, f64::max) + 26.0;
        let height = 24.0 + if name.is_empty() { 0.0 } else { 17.0 } + 15.0 * lines.len() as f64;
        Self { node, name, lines, size: (width.ceil(), height) }
    }

    fn draw(&self, out: &mut String, (x, y): (f64, f64)) {
        let Self { node, size: (width, height), .. } = self;
        let (left, top) = (x - width / 2.0, y - height / 2.0);
        let link = node.kind == Kind::GoTo;
        let name = escaped(&node.name);
        let class = node.kind.class();
        let told = format!("{} {}: {}", node.kind.word(), node.name, node.text);
        if link {
            let _ = write!(out, "<a href=\"#step-{name}\">");
        }
        let whose = match (node.name.is_empty(), link) {
            (true, _) => String::new(),
            (false, true) => format!(" data-goes-to=\"{name}\""),
            (false, false) => format!(" id=\"step-{name}\" data-step=\"{name}\""),
        };
        let _ = write!(
            out,
            "<g class=\"step {class}\"{whose}><title>{}</title><rect class=\"box\" x=\"{left:.1}\" y=\"{top:.1}\" \
             width=\"{width:.0}\" height=\"{height:.0}\" rx=\"{}\"/>",
            escaped(told.trim()),
            if matches!(node.kind, Kind::Start | Kind::HangUp | Kind::GoTo) { 14 } else { 6 }
        );
        let _ =
            write!(out, "<text class=\"kind\" x=\"{:.1}\" y=\"{:.1}\">{}</text>", left + 13.0, top + 16.0, word(node));
        let mut y = top + 16.0;
        if !self.name.is_empty() {
            y += 17.0;
            let _ = write!(
                out,
                "<text class=\"name\" x=\"{:.1}\" y=\"{y:.1}\">{}</text>",
                left + 13.0,
                escaped(&self.name)
            );
        }
        for line in &self.lines {
            y += 15.0;
            let _ = write!(out, "<text class=\"said\" x=\"{:.1}\" y=\"{y:.1}\">{}</text>", left + 13.0, escaped(line));
        }
        out.push_str(if link { "</g></a>\n" } else { "</g>\n" });
    }
}

fn word(node: &Node) -> String {
    node.kind.word().to_uppercase()
}

impl Kind {
    fn class(self) -> &'static str {
        match self {
            Self::Anywhere => "anywhere",
            Self::HangUp => "hang-up",
            Self::GoTo => "go-to",
            kind => kind.word(),
        }
    }
}

fn arrow(out: &mut String, graph: &Graph, edge: &Edge, route: &Route, labels: &[String]) {
    let (from, to) = (&graph.nodes[edge.from].name, &graph.nodes[edge.to].name);
    let class = if edge.failure { "edge failure" } else { "edge" };
    let _ = write!(out, "<g class=\"{class}\" data-from=\"{}\" data-to=\"{}\">", escaped(from), escaped(to));
    let mut path = String::new();
    for (at, (x, y)) in route.points.iter().enumerate() {
        let _ = match at.checked_sub(1).map(|before| route.points[before]) {
            None => write!(path, "M{x:.1} {y:.1}"),
            Some((before, _)) if (before - x).abs() < 0.5 => write!(path, "L{x:.1} {y:.1}"),
            Some((before, above)) => {
                let middle = (above + y) / 2.0;
                write!(path, "C{before:.1} {middle:.1} {x:.1} {middle:.1} {x:.1} {y:.1}")
            }
        };
    }
    let _ = write!(out, "<path class=\"way\" d=\"{path}\"/>");
    if !labels.is_empty() {
        let (width, height) = label_size(labels);
        let ((x, y), top) = (route.label, route.label.1 - height / 2.0);
        let _ = write!(
            out,
            "<g class=\"label\"><rect x=\"{:.1}\" y=\"{top:.1}\" width=\"{width:.1}\" height=\"{height:.1}\" rx=\"3\"/>",
            x - width / 2.0
        );
        let first = y - height / 2.0 + 12.5;
        for (at, line) in labels.iter().enumerate() {
            let _ = write!(out, "<text x=\"{x:.1}\" y=\"{:.1}\">{}</text>", first + 14.0 * at as f64, escaped(line));
        }
        out.push_str("</g>");
    }
    out.push_str("</g>\n");
}

/// What is written on an edge, a line each.
fn labels(edge: &Edge) -> Vec<String> {
    let labels = edge.labels.iter().filter(|label| !label.is_empty());
    labels.flat_map(|label| wrapped(label, COLUMNS, 2)).collect()
}

fn label_size(lines: &[String]) -> (f64, f64) {
    let columns = lines.iter().map(|line| line.width()).max().unwrap_or(0) as f64;
    if lines.is_empty() { (0.0, 0.0) } else { (columns * COLUMN * 11.5 + 8.0, 14.0 * lines.len() as f64 + 3.0) }
}

/// Lines of at most so many columns, broken at spaces and between wide letters; what is left over ends in an ellipsis.
fn wrapped(text: &str, columns: usize, most: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    let mut line = String::new();
    for piece in pieces(text) {
        if line.width() + piece.trim_end().width() > columns && !line.trim().is_empty() {
            lines.push(line.trim_end().to_owned());
            line = String::new();
        }
        line.push_str(piece);
        while line.trim_end().width() > columns {
            let cut = cut(&line, columns);
            lines.push(line[..cut].to_owned());
            line = line[cut..].to_owned();
        }
    }
    if !line.trim().is_empty() {
        lines.push(line.trim_end().to_owned());
    }
    if lines.len() > most {
        lines.truncate(most);
        if let Some(last) = lines.last_mut() {
            let cut = cut(last, columns.saturating_sub(1));
            last.truncate(cut);
            let end = last.trim_end().len();
            last.truncate(end);
            last.push('\u{2026}');
        }
    }
    lines
}

/// Where a line is to be broken: words with the space behind them, wide letters each.
fn pieces(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = text.trim();
    std::iter::from_fn(move || {
        let mut end = 0;
        let mut chars = rest.chars().peekable();
        while let Some(c) = chars.next() {
            end += c.len_utf8();
            // No line begins with a stop.
            let stop = chars.peek().is_some_and(|c| {
                "\u{ff0c}\u{3002}\u{ff01}\u{ff1f}\u{3001}\u{ff1b}\u{ff1a}\u{ff09}\u{201d}".contains(*c)
            });
            if !stop && (c.is_whitespace() || c.width().unwrap_or(0) > 1) {
                break;
            }
        }
        let (piece, left) = rest.split_at(end);
        rest = left;
        (!piece.is_empty()).then_some(piece)
    })
}

/// Bytes that fill so many columns at most, one letter at least.
fn cut(text: &str, columns: usize) -> usize {
    let (mut width, mut end) = (0, 0);
    for c in text.chars() {
        width += c.width().unwrap_or(0);
        if width > columns && end > 0 {
            break;
        }
        end += c.len_utf8();
    }
    end
}

/// As XML text or attribute; control characters, which XML has not, are left out.
pub(crate) fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\n' | '\t' => out.push(' '),
            c if c.is_control() => {}
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_broken_by_columns_and_end_in_an_ellipsis() {
        assert_eq!(wrapped("Please tell me your account number", 16, 3), ["Please tell me", "your account", "number"]);
        assert_eq!(wrapped("Please tell me your account number", 16, 2), ["Please tell me", "your account\u{2026}"]);
        assert_eq!(wrapped("请说出您的八位运单号", 8, 3), ["请说出您", "的八位运", "单号"]);
        assert_eq!(wrapped("请说出您，的", 8, 3), ["请说出", "您，的"]);
        assert_eq!(wrapped("abcdefghij", 4, 2), ["abcd", "efg\u{2026}"]);
        assert_eq!(wrapped("  ", 4, 2), Vec::<String>::new());
    }

    #[test]
    fn nothing_breaks_the_markup() {
        assert_eq!(escaped("<a> & \"b\"\u{7}\n"), "&lt;a&gt; &amp; &quot;b&quot; ");
    }
}

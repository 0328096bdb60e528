//! Places for boxes in layers, and ways for the arrows between them: Sugiyama, Tagawa and Toda (1981). Layers by the
//! longest way from the top, fewer crossings by barycentres and swaps of neighbours, columns by least squares with the
//! boxes' distances kept (pool adjacent violators, layer by layer).
//!
//! Own code: of the crates, `rust-sugiyama` tells where boxes stand but not which way arrows go around them, and
//! `layout-rs` panics where its own expectations fail.

/// Between boxes of a layer, and between layers, in pixels.
const GAP: (f64, f64) = (26.0, 22.0);
const SWEEPS: usize = 24;
const ROUNDS: usize = 200;

/// What is to be placed: sizes in pixels, edges from above to below, without circles.
pub struct Plan<'p> {
    pub boxes: &'p [(f64, f64)],
    pub edges: &'p [PlanEdge],
}

#[derive(Clone, Copy)]
pub struct PlanEdge {
    pub from: usize,
    pub to: usize,
    /// Size of what is written on it; none: (0, 0).
    pub label: (f64, f64),
}

#[derive(Debug, Default)]
pub struct Layout {
    pub size: (f64, f64),
    /// Centre of each box.
    pub boxes: Vec<(f64, f64)>,
    pub ways: Vec<Route>,
}

#[derive(Clone, Debug, Default)]
pub struct Route {
    /// From the lower side of a box to the upper side of another; x, y.
    pub points: Vec<(f64, f64)>,
    /// Centre of the label.
    pub label: (f64, f64),
}

/// A box, a label, or a place where an arrow goes through a layer.
#[derive(Clone, Copy)]
struct Vertex {
    layer: usize,
    size: (f64, f64),
    /// Neither box nor label.
    bend: bool,
    x: f64,
}

impl Vertex {
    /// Between its middle and that of a neighbour.
    fn apart(&self, other: &Self) -> f64 {
        (self.size.0 + other.size.0) / 2.0 + if self.bend && other.bend { GAP.0 / 2.0 } else { GAP.0 }
    }
}

struct Layers {
    vertices: Vec<Vertex>,
    /// Vertices from left to right.
    order: Vec<Vec<usize>>,
    /// Each edge's vertices, from the upper box to the lower one.
    chains: Vec<Vec<usize>>,
    above: Vec<Vec<usize>>,
    below: Vec<Vec<usize>>,
}

pub fn place(plan: &Plan<'_>) -> Layout {
    let mut layers = Layers::new(plan);
    layers.untangle();
    layers.align();
    layers.layout(plan)
}

impl Layers {
    /// Boxes stand in even layers; labels and bends fill the layers between.
    fn new(plan: &Plan<'_>) -> Self {
        let layer = layers_of(plan);
        let vertex = |layer, size, bend| Vertex { layer, size, bend, x: 0.0 };
        let mut vertices: Vec<Vertex> =
            plan.boxes.iter().zip(&layer).map(|(size, layer)| vertex(2 * layer, *size, false)).collect();
        let mut chains = Vec::new();
        for edge in plan.edges {
            let mut chain = vec![edge.from];
            for between in 2 * layer[edge.from] + 1..2 * layer[edge.to] {
                let labelled = chain.len() == 1 && edge.label.0 > 0.0;
                vertices.push(vertex(between, if labelled { edge.label } else { (0.0, 0.0) }, !labelled));
                chain.push(vertices.len() - 1);
            }
            chain.push(edge.to);
            chains.push(chain);
        }
        let (mut above, mut below) = (vec![Vec::new(); vertices.len()], vec![Vec::new(); vertices.len()]);
        for pair in chains.iter().flat_map(|chain| chain.windows(2)) {
            below[pair[0]].push(pair[1]);
            above[pair[1]].push(pair[0]);
        }
        let deepest = vertices.iter().map(|vertex| vertex.layer).max().unwrap_or(0);
        let mut layers = Self { vertices, order: vec![Vec::new(); deepest + 1], chains, above, below };
        // As they are found from the top, depth first: then what follows an option stands below it.
        let mut seen = vec![false; layers.vertices.len()];
        for top in 0..layers.vertices.len() {
            if layers.above[top].is_empty() {
                layers.find(top, &mut seen);
            }
        }
        layers
    }

    fn find(&mut self, top: usize, seen: &mut [bool]) {
        let mut open = vec![top];
        while let Some(at) = open.pop() {
            if !std::mem::replace(&mut seen[at], true) {
                self.order[self.vertices[at].layer].push(at);
                open.extend(self.below[at].iter().rev());
            }
        }
    }

    /// Fewer crossings.
    fn untangle(&mut self) {
        let mut best = (self.crossings(), self.order.clone());
        for sweep in 0..SWEEPS {
            let downwards = sweep % 2 == 0;
            let layers = self.order.len();
            for step in 1..layers {
                let layer = if downwards { step } else { layers - 1 - step };
                self.sort_by_barycentre(layer, downwards);
            }
            self.swap_neighbours();
            let crossings = self.crossings();
            if crossings < best.0 {
                best = (crossings, self.order.clone());
            }
        }
        self.order = best.1;
    }

    fn sort_by_barycentre(&mut self, layer: usize, downwards: bool) {
        let beside = if downwards { layer - 1 } else { layer + 1 };
        let place = self.places(beside);
        let neighbours = if downwards { &self.above } else { &self.below };
        let mut keyed: Vec<(f64, usize)> = Vec::new();
        for (at, &vertex) in self.order[layer].iter().enumerate() {
            let near = &neighbours[vertex];
            let sum: f64 = near.iter().map(|&near| place[near] as f64).sum();
            // Who has no neighbour stays where it is.
            keyed.push((if near.is_empty() { at as f64 } else { sum / near.len() as f64 }, vertex));
        }
        keyed.sort_by(|a, b| a.0.total_cmp(&b.0));
        self.order[layer] = keyed.into_iter().map(|(_, vertex)| vertex).collect();
    }

    fn swap_neighbours(&mut self) {
        for layer in 0..self.order.len() {
            let above = if layer > 0 { self.places(layer - 1) } else { Vec::new() };
            let below = if layer + 1 < self.order.len() { self.places(layer + 1) } else { Vec::new() };
            for _ in 0..self.order[layer].len() {
                let mut swapped = false;
                for at in 1..self.order[layer].len() {
                    let (left, right) = (self.order[layer][at - 1], self.order[layer][at]);
                    let crossings = |a: usize, b: usize| {
                        crossed(&self.above[a], &self.above[b], &above)
                            + crossed(&self.below[a], &self.below[b], &below)
                    };
                    if crossings(right, left) < crossings(left, right) {
                        self.order[layer].swap(at - 1, at);
                        swapped = true;
                    }
                }
                if !swapped {
                    break;
                }
            }
        }
    }

    fn crossings(&self) -> usize {
        let mut crossings = 0;
        for layer in 1..self.order.len() {
            let (place, row) = (self.places(layer), &self.order[layer - 1]);
            for (at, &left) in row.iter().enumerate() {
                crossings += row[at + 1..]
                    .iter()
                    .map(|&right| crossed(&self.below[left], &self.below[right], &place))
                    .sum::<usize>();
            }
        }
        crossings
    }

    /// By vertex: how far from the left it stands, where it is of this layer.
    fn places(&self, layer: usize) -> Vec<usize> {
        let mut place = vec![0; self.vertices.len()];
        for (at, &vertex) in self.order[layer].iter().enumerate() {
            place[vertex] = at;
        }
        place
    }

    /// Columns: each layer in turn as near as it can be to the layers beside it.
    fn align(&mut self) {
        for row in 0..self.order.len() {
            self.settle(row);
        }
        for round in 0..ROUNDS {
            for step in 0..self.order.len() {
                self.settle(if round % 2 == 0 { step } else { self.order.len() - 1 - step });
            }
        }
        for run in self.runs() {
            self.straighten(&run);
        }
        let left = self.vertices.iter().map(|vertex| vertex.x - vertex.size.0 / 2.0).fold(f64::INFINITY, f64::min);
        self.vertices.iter_mut().for_each(|vertex| vertex.x -= left);
    }

    /// What hangs together without a branch, from above to below: an arrow's bends, boxes with one way in and one out.
    fn runs(&self) -> Vec<Vec<usize>> {
        let only = |near: &[usize]| if let [near] = near { Some(*near) } else { None };
        let next = |at: usize| only(&self.below[at]).filter(|&below| self.above[below].len() == 1);
        let begins = |at: &usize| only(&self.above[*at]).is_none_or(|above| next(above) != Some(*at));
        let run = |at| std::iter::successors(Some(at), |&at| next(at)).collect();
        (0..self.vertices.len()).filter(begins).map(run).collect()
    }

    /// Puts as much of a run as there is room for on one line, and then the rest.
    fn straighten(&mut self, run: &[usize]) {
        let mut rest = run;
        while !rest.is_empty() {
            let (mut room, mut length) = ((f64::NEG_INFINITY, f64::INFINITY), 0);
            for &at in rest {
                let own = self.room(at);
                let both = (room.0.max(own.0), room.1.min(own.1));
                if both.0 > both.1 && length > 0 {
                    break;
                }
                (room, length) = (both, length + 1);
            }
            let (line, after) = rest.split_at(length);
            let mean = line.iter().map(|&at| self.vertices[at].x).sum::<f64>() / length as f64;
            if room.0 <= room.1 {
                line.iter().for_each(|&at| self.vertices[at].x = mean.clamp(room.0, room.1));
            }
            rest = after;
        }
    }

    /// Between the neighbours in its layer.
    fn room(&self, at: usize) -> (f64, f64) {
        let row = &self.order[self.vertices[at].layer];
        let place = row.iter().position(|&other| other == at).unwrap_or(0);
        let apart = |other: usize| self.vertices[at].apart(&self.vertices[other]);
        let left = place.checked_sub(1).map(|left| self.vertices[row[left]].x + apart(row[left]));
        let right = row.get(place + 1).map(|&right| self.vertices[right].x - apart(right));
        (left.unwrap_or(f64::NEG_INFINITY), right.unwrap_or(f64::INFINITY))
    }

    fn settle(&mut self, row: usize) {
        let row = &self.order[row];
        let (mut offset, mut wanted, mut last) = (0.0, Vec::new(), None);
        for &at in row {
            let vertex = &self.vertices[at];
            if let Some(last) = last.replace(*vertex) {
                offset += vertex.apart(&last);
            }
            let (mut sum, mut weights) = (0.0, 0.0);
            for &near in self.above[at].iter().chain(&self.below[at]) {
                // Long arrows are straight before boxes are in the middle.
                let weight = match (vertex.bend, self.vertices[near].bend) {
                    (true, true) => 8.0,
                    (true, false) | (false, true) => 2.0,
                    _ => 1.0,
                };
                sum += weight * self.vertices[near].x;
                weights += weight;
            }
            let x = if weights > 0.0 { sum / weights } else { vertex.x };
            wanted.push((x - offset, weights.max(1e-3), offset));
        }
        let places = isotonic(wanted.iter().map(|(x, weight, _)| (*x, *weight)));
        for ((&at, x), (_, _, offset)) in row.iter().zip(places).zip(&wanted) {
            self.vertices[at].x = x + offset;
        }
    }

    fn layout(&self, plan: &Plan<'_>) -> Layout {
        let height = |row: &Vec<usize>| row.iter().map(|&at| self.vertices[at].size.1).fold(0.0, f64::max);
        let mut y = 0.0;
        let mut rows = Vec::new();
        for row in &self.order {
            let height = height(row);
            rows.push((y, y + height));
            y += height + GAP.1;
        }
        let centre = |at: usize| {
            let (top, bottom) = rows[self.vertices[at].layer];
            (self.vertices[at].x, (top + bottom) / 2.0)
        };
        let mut ways = Vec::new();
        for (chain, edge) in self.chains.iter().zip(plan.edges) {
            let mut points = Vec::new();
            let (from, to) = (centre(edge.from), centre(edge.to));
            let port = |at: usize, near: &[usize], other: usize| {
                port(
                    self.vertices[at].x,
                    plan.boxes[at].0,
                    near.iter().map(|&near| (self.vertices[near].x, near)),
                    other,
                )
            };
            let (first, last) = (chain[1], chain[chain.len() - 2]);
            points.push((port(edge.from, &self.below[edge.from], first), from.1 + plan.boxes[edge.from].1 / 2.0));
            for &at in &chain[1..chain.len() - 1] {
                let (top, bottom) = rows[self.vertices[at].layer];
                points.push((self.vertices[at].x, top));
                if bottom > top {
                    points.push((self.vertices[at].x, bottom));
                }
            }
            points.push((port(edge.to, &self.above[edge.to], last), to.1 - plan.boxes[edge.to].1 / 2.0));
            let label = chain.get(1).filter(|_| edge.label.0 > 0.0).map(|&at| centre(at)).unwrap_or_default();
            ways.push(Route { points, label });
        }
        let right = self.vertices.iter().map(|vertex| vertex.x + vertex.size.0 / 2.0).fold(0.0, f64::max);
        Layout { size: (right, (y - GAP.1).max(0.0)), boxes: (0..plan.boxes.len()).map(centre).collect(), ways }
    }
}

/// The longest way from the top, in edges; each box as high as it can be.
fn layers_of(plan: &Plan<'_>) -> Vec<usize> {
    let mut layer = vec![0; plan.boxes.len()];
    for _ in 0..plan.boxes.len() {
        let mut moved = false;
        for edge in plan.edges {
            if layer[edge.to] <= layer[edge.from] {
                layer[edge.to] = layer[edge.from] + 1;
                moved = true;
            }
        }
        if !moved {
            break;
        }
    }
    layer
}

/// Crossings between the edges of a vertex and those of one to its right.
fn crossed(left: &[usize], right: &[usize], place: &[usize]) -> usize {
    left.iter().map(|&a| right.iter().filter(|&&b| place[b] < place[a]).count()).sum()
}

/// Where on a box's side an arrow begins or ends: they share its middle, in the order in which they go away.
fn port(x: f64, width: f64, near: impl Iterator<Item = (f64, usize)>, other: usize) -> f64 {
    let mut near: Vec<(f64, usize)> = near.collect();
    near.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
    let at = near.iter().position(|(_, near)| *near == other).unwrap_or(0);
    let step = (width * 0.6 / near.len().max(1) as f64).min(22.0);
    x + (at as f64 - (near.len() as f64 - 1.0) / 2.0) * step
}

/// The rising sequence nearest to these values by weighted least squares: neighbours out of order share their mean.
fn isotonic(values: impl Iterator<Item = (f64, f64)>) -> Vec<f64> {
    let mut pools: Vec<(f64, f64, usize)> = Vec::new();
    for (value, weight) in values {
        let mut pool = (value, weight, 1);
        while let Some(last) = pools.pop_if(|last| last.0 > pool.0) {
            let weight = last.1 + pool.1;
            pool = ((last.0 * last.1 + pool.0 * pool.1) / weight, weight, last.2 + pool.2);
        }
        pools.push(pool);
    }
    pools.into_iter().flat_map(|(value, _, count)| std::iter::repeat_n(value, count)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neighbours_out_of_order_share_their_mean() {
        let values = [(1.0, 1.0), (5.0, 1.0), (2.0, 2.0), (7.0, 1.0)];
        assert_eq!(isotonic(values.into_iter()), [1.0, 3.0, 3.0, 7.0]);
    }

    #[test]
    fn boxes_of_a_tree_stand_apart_below_their_parent_and_cross_nothing() {
        let boxes = [(100.0, 40.0); 7];
        let edge = |from, to| PlanEdge { from, to, label: (30.0, 14.0) };
        // Children given crosswise.
        let edges = [edge(0, 2), edge(0, 1), edge(1, 5), edge(2, 3), edge(1, 6), edge(2, 4)];
        let plan = Plan { boxes: &boxes, edges: &edges };
        let mut layers = Layers::new(&plan);
        layers.untangle();
        assert_eq!(layers.crossings(), 0);
        let layout = place(&plan);
        let (top, left, right) = (layout.boxes[0], layout.boxes[2], layout.boxes[1]);
        assert!(top.1 < left.1 && left.1 == right.1 && (right.0 - left.0).abs() >= 126.0, "{layout:?}");
        assert!((top.0 - (left.0 + right.0) / 2.0).abs() < 1.0, "{layout:?}");
        assert!(layout.ways.iter().all(|way| way.points.windows(2).all(|pair| pair[0].1 <= pair[1].1)), "{layout:?}");
    }
}

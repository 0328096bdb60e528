//! The head on the embeddings: multinomial logistic regression with an L2 penalty, trained by L-BFGS (Nocedal and
//! Wright 2006, algorithms 7.4 and 3.1). Deterministic: the same examples give the same numbers.

use serde::{Deserialize, Serialize};

use crate::answers::e5::dot;

/// A linear layer and a softmax.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Head {
    width: usize,
    /// `width` weights and a bias for each class.
    weights: Vec<f32>,
}

/// What to learn from: one row an example, which class it is of, how much it counts.
pub struct Examples<'a> {
    pub rows: Vec<&'a [f32]>,
    pub classes: Vec<usize>,
    pub weights: Vec<f32>,
}

/// Past steps that shape the next one.
const MEMORY: usize = 8;
const STEPS: usize = 120;
/// Stop when a step gains less of the loss than this.
const ENOUGH: f64 = 1e-5;

impl Head {
    /// Learns `classes` classes; `penalty` is the L2 penalty per weight, relative to the mean loss of an example.
    pub fn train(examples: &Examples<'_>, classes: usize, penalty: f32, threads: usize) -> Self {
        let width = examples.rows.first().map_or(0, |row| row.len());
        let mut head = Self { width, weights: vec![0.0; classes * (width + 1)] };
        let mut history: Vec<(Vec<f32>, Vec<f32>, f64)> = Vec::new();
        let (mut loss, mut gradient) = head.loss(examples, penalty, threads);
        for _ in 0..STEPS {
            let direction = downhill(&gradient, &history);
            let slope = product(&direction, &gradient);
            if slope > -1e-12 {
                break;
            }
            let mut step = if history.is_empty() { (1.0 / (-slope).sqrt()).min(1.0) as f32 } else { 1.0 };
            let before = head.weights.clone();
            let (new_loss, new_gradient) = loop {
                for ((to, from), d) in head.weights.iter_mut().zip(&before).zip(&direction) {
                    *to = from + step * d;
                }
                let tried = head.loss(examples, penalty, threads);
                if tried.0 <= loss + 1e-4 * f64::from(step) * slope || step < 1e-6 {
                    break tried;
                }
                step *= 0.5;
            };
            let moved: Vec<f32> = head.weights.iter().zip(&before).map(|(a, b)| a - b).collect();
            let turned: Vec<f32> = new_gradient.iter().zip(&gradient).map(|(a, b)| a - b).collect();
            let curvature = product(&moved, &turned);
            if curvature > 1e-10 {
                if history.len() == MEMORY {
                    history.remove(0);
                }
                history.push((moved, turned, 1.0 / curvature));
            }
            let gained = loss - new_loss;
            (loss, gradient) = (new_loss, new_gradient);
            if gained < ENOUGH * loss.max(1e-3) {
                break;
            }
        }
        head
    }

    /// One number a class; the softmax of them (over a temperature) is how likely each is.
    pub fn logits(&self, row: &[f32]) -> Vec<f32> {
        self.weights.chunks_exact(self.width + 1).map(|w| dot(&w[..self.width], row) + w[self.width]).collect()
    }

    /// Whether it has so many inputs and classes (for what was read from a file).
    pub fn fits(&self, width: usize, classes: usize) -> bool {
        self.width == width && self.weights.len() == classes * (width + 1)
    }

    /// Mean weighted cross-entropy plus penalty, and its gradient.
    fn loss(&self, examples: &Examples<'_>, penalty: f32, threads: usize) -> (f64, Vec<f32>) {
        let total: f32 = examples.weights.iter().sum();
        let chunk = examples.rows.len().div_ceil(threads.max(1)).max(64);
        let parts: Vec<(f64, Vec<f32>)> = std::thread::scope(|scope| {
            let starts: Vec<usize> = (0..examples.rows.len()).step_by(chunk).collect();
            let work = |start: usize| self.loss_of(examples, start..(start + chunk).min(examples.rows.len()), total);
            let handles: Vec<_> = starts.iter().skip(1).map(|&start| scope.spawn(move || work(start))).collect();
            let first = starts.first().map(|&start| work(start));
            let join = |handle: std::thread::ScopedJoinHandle<'_, _>| {
                handle.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)) // a bug here goes on as one
            };
            first.into_iter().chain(handles.into_iter().map(join)).collect()
        });
        let mut loss = 0.0;
        let mut gradient = vec![0.0; self.weights.len()];
        for (part, slope) in parts {
            loss += part;
            gradient.iter_mut().zip(&slope).for_each(|(to, g)| *to += g);
        }
        for (class, slope) in self.weights.chunks_exact(self.width + 1).zip(gradient.chunks_exact_mut(self.width + 1)) {
            for (w, g) in class[..self.width].iter().zip(slope) {
                loss += f64::from(0.5 * penalty * w * w);
                *g += penalty * w;
            }
        }
        (loss, gradient)
    }

    fn loss_of(&self, examples: &Examples<'_>, range: std::ops::Range<usize>, total: f32) -> (f64, Vec<f32>) {
        let mut loss = 0.0;
        let mut gradient = vec![0.0; self.weights.len()];
        for i in range {
            let (row, class, weight) = (examples.rows[i], examples.classes[i], examples.weights[i] / total);
            let mut p = self.logits(row);
            softmax(&mut p, 1.0);
            loss -= f64::from(weight) * f64::from(p[class].max(1e-30)).ln();
            p[class] -= 1.0;
            for (p, slope) in p.iter().zip(gradient.chunks_exact_mut(self.width + 1)) {
                let p = p * weight;
                if p.abs() < 1e-10 {
                    continue; // most classes of a trained head
                }
                slope[..self.width].iter_mut().zip(row).for_each(|(g, x)| *g += p * x);
                slope[self.width] += p;
            }
        }
        (loss, gradient)
    }
}

/// In place: exponentials of `x / temperature` that sum to 1.
pub fn softmax(x: &mut [f32], temperature: f32) {
    let max = x.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let mut sum = 0.0;
    for x in x.iter_mut() {
        *x = ((*x - max) / temperature).exp();
        sum += *x;
    }
    x.iter_mut().for_each(|x| *x /= sum);
}

/// The gradient turned by the approximate inverse curvature, downwards.
fn downhill(gradient: &[f32], history: &[(Vec<f32>, Vec<f32>, f64)]) -> Vec<f32> {
    let mut q: Vec<f32> = gradient.iter().map(|g| -g).collect();
    let mut alphas = Vec::with_capacity(history.len());
    for (moved, turned, rho) in history.iter().rev() {
        let alpha = rho * product(moved, &q);
        q.iter_mut().zip(turned).for_each(|(q, y)| *q -= alpha as f32 * y);
        alphas.push(alpha);
    }
    if let Some((_, turned, rho)) = history.last() {
        let scale = (1.0 / (rho * product(turned, turned))) as f32;
        q.iter_mut().for_each(|q| *q *= scale);
    }
    for ((moved, turned, rho), alpha) in history.iter().zip(alphas.into_iter().rev()) {
        let beta = rho * product(turned, &q);
        q.iter_mut().zip(moved).for_each(|(q, s)| *q += (alpha - beta) as f32 * s);
    }
    q
}

fn product(a: &[f32], b: &[f32]) -> f64 {
    a.chunks(1024).zip(b.chunks(1024)).map(|(a, b)| f64::from(dot(a, b))).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_clouds_are_told_apart_and_twice_the_same() {
        let mut seed = 1_u32;
        let mut noise = || {
            seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (seed >> 8) as f32 / (1 << 24) as f32 - 0.5
        };
        let centres = [[1.0, 0.0, 0.0, 0.2], [0.0, 1.0, 0.0, -0.2], [0.0, 0.0, 1.0, 0.0]];
        let rows: Vec<(usize, Vec<f32>)> =
            (0..300).map(|i| (i % 3, centres[i % 3].iter().map(|c| c + 0.6 * noise()).collect())).collect();
        let examples = |rows: &'static [(usize, Vec<f32>)]| Examples {
            rows: rows.iter().map(|(_, row)| row.as_slice()).collect(),
            classes: rows.iter().map(|(class, _)| *class).collect(),
            weights: vec![1.0; rows.len()],
        };
        let rows: &'static [(usize, Vec<f32>)] = Vec::leak(rows);
        let (learn, test) = rows.split_at(150);
        let head = Head::train(&examples(learn), 3, 1e-4, 1);
        let best = |row: &[f32]| {
            let logits = head.logits(row);
            (0..3).max_by(|&a, &b| logits[a].total_cmp(&logits[b])).unwrap()
        };
        let right = test.iter().filter(|(class, row)| best(row) == *class).count();
        assert!(right >= 148, "{right} of 150");
        assert_eq!(head.weights, Head::train(&examples(learn), 3, 1e-4, 1).weights);

        // At the minimum the gradient is nothing.
        let (loss, gradient) = head.loss(&examples(learn), 1e-4, 2);
        assert!(loss < 0.1 && gradient.iter().all(|g| g.abs() < 2e-3), "{loss}");
    }
}

//! Within-class whitening: directions in which sentences of one intent differ among themselves count less, so that what is
//! left tells intents apart (Hastie, Tibshirani and Friedman 2009, 4.3.2). The covariance is shrunk to a multiple of the
//! identity, wholly so while there are few examples: then it changes nothing.

use serde::{Deserialize, Serialize};

use crate::answers::e5::dot;

/// The least share of the identity, with any number of examples.
const SHRUNK: f32 = 0.7;
/// How many examples halve the way there.
const HALF: f32 = 100.0;

/// A linear map, then to length 1.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Whitening {
    /// The inverse of the Cholesky factor of the covariance: `width` rows of which row i has i + 1 numbers.
    lower: Vec<f32>,
    width: usize,
}

/// How much `examples` examples are believed, against none at all: 0..1.
pub fn belief(examples: usize) -> f32 {
    examples as f32 / (examples as f32 + HALF)
}

impl Whitening {
    /// Of rows and their classes (`0..classes`; others are left out).
    pub fn of(set: &[(usize, &[f32])], classes: usize) -> Self {
        let width = set.first().map_or(0, |(_, row)| row.len());
        let inside = || set.iter().filter(|(class, _)| *class < classes);
        let mut sizes = vec![0_usize; classes];
        let mut means = vec![vec![0.0_f32; width]; classes];
        for (class, row) in inside() {
            sizes[*class] += 1;
            means[*class].iter_mut().zip(*row).for_each(|(m, x)| *m += x);
        }
        for (mean, &size) in means.iter_mut().zip(&sizes) {
            mean.iter_mut().for_each(|m| *m /= size.max(1) as f32);
        }
        let mut covariance = vec![0.0_f32; width * width];
        let mut apart = vec![0.0_f32; width];
        for (class, row) in inside() {
            for ((a, x), m) in apart.iter_mut().zip(*row).zip(&means[*class]) {
                *a = x - m;
            }
            for (i, to) in covariance.chunks_exact_mut(width.max(1)).enumerate() {
                let a = apart[i];
                to[..=i].iter_mut().zip(&apart).for_each(|(to, b)| *to += a * b);
            }
        }
        let examples: usize = sizes.iter().sum();
        let spread = (0..width).map(|i| covariance[i * width + i]).sum::<f32>() / width.max(1) as f32;
        if spread <= 0.0 {
            return Self::none(width);
        }
        // Scaled so that the mean variance is 1.
        let own = (1.0 - SHRUNK) * belief(examples);
        let at = |i: usize, j: usize| {
            let identity = if i == j { 1.0 - own } else { 0.0 };
            f64::from(own * covariance[i * width + j] / spread + identity)
        };
        Self { lower: inverse(&cholesky(width, at), width), width }
    }

    /// Changes nothing.
    fn none(width: usize) -> Self {
        let lower = (0..width).flat_map(|i| (0..=i).map(move |j| if i == j { 1.0 } else { 0.0 })).collect();
        Self { lower, width }
    }

    pub fn apply(&self, row: &[f32]) -> Vec<f32> {
        let mut to = Vec::with_capacity(self.width);
        let mut rest = self.lower.as_slice();
        for i in 0..self.width {
            let (weights, after) = rest.split_at(i + 1);
            to.push(dot(weights, &row[..=i]));
            rest = after;
        }
        let length = dot(&to, &to).max(1e-12).sqrt();
        to.iter_mut().for_each(|x| *x /= length);
        to
    }

    /// Whether it fits embeddings of this width (for what was read from a file).
    pub fn fits(&self, width: usize) -> bool {
        self.width == width && self.lower.len() == width * (width + 1) / 2
    }
}

/// Row `i` of a packed lower triangle.
fn row(i: usize) -> std::ops::Range<usize> {
    i * (i + 1) / 2..(i + 1) * (i + 2) / 2
}

/// The lower triangle whose product with its own transpose is the (positive definite) matrix `at`.
fn cholesky(width: usize, at: impl Fn(usize, usize) -> f64) -> Vec<f64> {
    let mut lower = Vec::with_capacity(width * (width + 1) / 2);
    for i in 0..width {
        for j in 0..=i {
            let start = row(i).start;
            let sum: f64 = (0..j).map(|k| lower[start + k] * lower[row(j).start + k]).sum();
            let rest = at(i, j) - sum;
            lower.push(if i == j { rest.max(1e-12).sqrt() } else { rest / lower[row(j).end - 1] });
        }
    }
    lower
}

/// The inverse of a packed lower triangle, which is one as well.
fn inverse(lower: &[f64], width: usize) -> Vec<f32> {
    let mut inverse = vec![0.0_f64; lower.len()];
    for i in 0..width {
        let own = &lower[row(i)];
        let diagonal = own[i];
        inverse[row(i).start + i] = 1.0 / diagonal;
        for k in 0..i {
            let factor = own[k] / diagonal;
            for j in 0..=k {
                inverse[row(i).start + j] -= factor * inverse[row(k).start + j];
            }
        }
    }
    inverse.into_iter().map(|x| x as f32).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn noise(seed: &mut u32) -> f32 {
        *seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (*seed >> 8) as f32 / (1 << 24) as f32 - 0.5
    }

    #[test]
    fn what_differs_within_classes_counts_less() {
        // Two classes apart along x; within each, y is ten times as wide as x.
        let mut seed = 3;
        let rows: Vec<(usize, Vec<f32>)> = (0..2_000)
            .map(|i| {
                let class = i % 2;
                let x = if class == 0 { 1.0 } else { -1.0 };
                (class, vec![x + 0.1 * noise(&mut seed), noise(&mut seed), 0.1 * noise(&mut seed)])
            })
            .collect();
        let set: Vec<(usize, &[f32])> = rows.iter().map(|(class, row)| (*class, row.as_slice())).collect();
        let whitening = Whitening::of(&set, 2);
        let (x, y) = (whitening.apply(&[1.0, 0.0, 0.0]), whitening.apply(&[1.0, 1.0, 0.0]));
        assert!((dot(&x, &x) - 1.0).abs() < 1e-5 && whitening.fits(3));
        assert!(dot(&x, &y) > 0.75, "{x:?} {y:?}: before, their cosine was 0.71");
        // The covariance of two classes is that about each one's own mean: x is not what differs.
        assert!(x[0] > 0.99);
    }

    #[test]
    fn few_examples_change_hardly_anything() {
        let mut seed = 9;
        let rows: Vec<Vec<f32>> = (0..8).map(|_| (0..16).map(|_| noise(&mut seed)).collect()).collect();
        let set: Vec<(usize, &[f32])> = rows.iter().enumerate().map(|(i, row)| (i % 2, row.as_slice())).collect();
        let whitening = Whitening::of(&set, 2);
        for row in &rows {
            let length = dot(row, row).sqrt();
            assert!(dot(&whitening.apply(row), row) / length > 0.98);
        }
        // One example each has no spread at all.
        let alone = Whitening::of(&set[..2], 2);
        assert!(alone.apply(&rows[0]).iter().zip(&rows[0]).all(|(a, b)| (a * b) >= 0.0));
    }
}

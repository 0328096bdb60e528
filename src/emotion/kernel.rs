//! A kernel machine beside the networks: random Fourier features of a Gaussian kernel (Rahimi & Recht 2007) under ridge
//! regression on the classes (a least-squares support vector machine, Suykens & Vandewalle 1999). Solved, not descended
//! to: it errs elsewhere than the networks do.

use rand::rngs::Xoshiro256PlusPlus;

use super::model::{INPUTS, OUTPUTS};
use super::net::{Layer, normal};

/// Directions drawn; each gives a cosine and a sine.
pub(super) const DIRECTIONS: usize = 512;
/// With the constant.
const WAVES: usize = 2 * DIRECTIONS + 1;
/// The kernel's `gamma` times the number of inputs (scaled to spread 1).
const GAMMA: f32 = 0.3;
/// Ridge, as a share of the examples' weight.
const RIDGE: f64 = 4e-4;
/// Rows taken into the sums at once.
const BLOCK: usize = 8;

#[derive(Clone, Debug, PartialEq)]
pub(super) struct Kernel {
    /// `INPUTS` to `DIRECTIONS`, no bias.
    pub directions: Layer,
    /// Cosines, then sines, to `OUTPUTS`.
    pub heads: Layer,
}

impl Kernel {
    /// Directions drawn; it answers nothing yet.
    pub fn random(random: &mut Xoshiro256PlusPlus) -> Self {
        let width = (2.0 * GAMMA / INPUTS as f32).sqrt();
        let weights = (0..INPUTS * DIRECTIONS).map(|_| normal(random) * width).collect();
        Self {
            directions: Layer { inputs: INPUTS, outputs: DIRECTIONS, weights, bias: vec![0.0; DIRECTIONS] },
            heads: Layer {
                inputs: 2 * DIRECTIONS,
                outputs: OUTPUTS,
                weights: vec![0.0; 2 * DIRECTIONS * OUTPUTS],
                bias: vec![0.0; OUTPUTS],
            },
        }
    }

    pub fn run(&self, input: &[f32]) -> Vec<f32> {
        let mut out = vec![0.0; OUTPUTS];
        self.heads.forward(&self.waves(input)[..2 * DIRECTIONS], &mut out);
        out
    }

    /// How fast output `which` changes with each input, at `input`.
    pub fn gradient(&self, input: &[f32], which: usize) -> Vec<f32> {
        let waves = self.waves(input);
        let head = |wave: usize| self.heads.weights[wave * OUTPUTS + which];
        let slope: Vec<f32> =
            (0..DIRECTIONS).map(|n| waves[n] * head(DIRECTIONS + n) - waves[DIRECTIONS + n] * head(n)).collect();
        let mut before = vec![0.0; INPUTS];
        self.directions.backward(&slope, &mut before);
        before
    }

    /// Cosines, sines and the constant, of length 1 without the constant.
    fn waves(&self, input: &[f32]) -> Vec<f32> {
        let mut turns = vec![0.0; DIRECTIONS];
        self.directions.forward(input, &mut turns);
        let share = (DIRECTIONS as f32).sqrt().recip();
        let mut waves = Vec::with_capacity(WAVES);
        waves.extend(turns.iter().map(|turn| turn.cos() * share));
        waves.extend(turns.iter().map(|turn| turn.sin() * share));
        waves.push(1.0);
        waves
    }
}

/// What the regression needs to know of some examples; sums of disjoint sets add up.
#[derive(Clone)]
pub(super) struct Sums {
    /// `WAVES` x `WAVES`, the upper half.
    squares: Vec<f32>,
    /// `WAVES` x `OUTPUTS`.
    answers: Vec<f32>,
    weight: f64,
    /// Rows that wait for a whole block, already times the root of their weight.
    waiting: Vec<f32>,
}

impl Sums {
    pub fn new() -> Self {
        Self {
            squares: vec![0.0; WAVES * WAVES],
            answers: vec![0.0; WAVES * OUTPUTS],
            weight: 0.0,
            waiting: Vec::with_capacity(BLOCK * WAVES),
        }
    }

    pub fn take(&mut self, kernel: &Kernel, input: &[f32], wanted: &[f32; OUTPUTS], weight: f32) {
        let root = weight.sqrt();
        let waves = kernel.waves(input);
        self.waiting.extend(waves.iter().map(|wave| wave * root));
        for (sums, wave) in self.answers.chunks_exact_mut(OUTPUTS).zip(&waves) {
            sums.iter_mut().zip(wanted).for_each(|(sum, wanted)| *sum += weight * wave * wanted);
        }
        self.weight += f64::from(weight);
        if self.waiting.len() == BLOCK * WAVES {
            self.settle();
        }
    }

    /// Takes the waiting rows in; a block at once, as the sums are larger than a cache.
    pub fn settle(&mut self) {
        self.waiting.resize(BLOCK * WAVES, 0.0);
        let rows: [&[f32]; BLOCK] = std::array::from_fn(|n| &self.waiting[n * WAVES..][..WAVES]);
        for (i, sums) in self.squares.chunks_exact_mut(WAVES).enumerate() {
            let here = rows.map(|row| row[i]);
            let [a, b, c, d, e, f, g, h] = rows.map(|row| &row[i..]);
            for (j, sum) in sums[i..].iter_mut().enumerate() {
                *sum += (here[0] * a[j] + here[1] * b[j] + here[2] * c[j] + here[3] * d[j])
                    + (here[4] * e[j] + here[5] * f[j] + here[6] * g[j] + here[7] * h[j]);
            }
        }
        self.waiting.clear();
    }

    /// Both sets', as both settled.
    pub fn add(&mut self, other: &Sums) {
        self.squares.iter_mut().zip(&other.squares).for_each(|(a, b)| *a += b);
        self.answers.iter_mut().zip(&other.answers).for_each(|(a, b)| *a += b);
        self.weight += other.weight;
    }

    /// Heads that answer these examples best, short of learning them by heart.
    pub fn solve(&self, kernel: &mut Kernel) {
        // Cholesky's root of the squares, below the diagonal, in doubles.
        let n = WAVES;
        let mut root = vec![0.0f64; n * n];
        for i in 0..n {
            for j in 0..=i {
                let square = f64::from(self.squares[j * n + i]) + if i == j { RIDGE * self.weight + 1e-9 } else { 0.0 };
                let (row, other) = (&root[i * n..][..j], &root[j * n..][..j]);
                let rest = square - dot(row, other);
                root[i * n + j] = if i == j { rest.max(1e-12).sqrt() } else { rest / root[j * n + j] };
            }
        }
        for out in 0..OUTPUTS {
            let mut x: Vec<f64> = self.answers.iter().skip(out).step_by(OUTPUTS).map(|&sum| f64::from(sum)).collect();
            for i in 0..n {
                x[i] = (x[i] - dot(&root[i * n..][..i], &x[..i])) / root[i * n + i];
            }
            for i in (0..n).rev() {
                x[i] /= root[i * n + i];
                let (here, row) = (x[i], &root[i * n..][..i]);
                x[..i].iter_mut().zip(row).for_each(|(x, r)| *x -= here * r);
            }
            kernel.heads.bias[out] = x[n - 1] as f32;
            for (wave, value) in x[..n - 1].iter().enumerate() {
                kernel.heads.weights[wave * OUTPUTS + out] = *value as f32;
            }
        }
    }
}

/// Four sums side by side, so that it is done in vectors.
fn dot(a: &[f64], b: &[f64]) -> f64 {
    let (fours_a, fours_b) = (a.chunks_exact(4), b.chunks_exact(4));
    let rest: f64 = fours_a.remainder().iter().zip(fours_b.remainder()).map(|(a, b)| a * b).sum();
    let mut sums = [0.0; 4];
    for (a, b) in fours_a.zip(fours_b) {
        for n in 0..4 {
            sums[n] += a[n] * b[n];
        }
    }
    rest + sums.iter().sum::<f64>()
}

#[cfg(test)]
mod tests {
    use rand::{RngExt, SeedableRng};

    use super::*;

    #[test]
    fn a_ring_around_a_disc_is_learnt_and_the_gradient_is_the_slope() {
        let mut random = Xoshiro256PlusPlus::seed_from_u64(2);
        let mut kernel = Kernel::random(&mut random);
        let place = |angle: f32, radius: f32| {
            // The plane is spread over all inputs, as the kernel's width is meant for all.
            let mut input = vec![0.0; INPUTS];
            for (n, x) in input.iter_mut().enumerate() {
                *x = radius * if n % 2 == 0 { angle.cos() } else { angle.sin() };
            }
            input
        };
        let mut halves = [Sums::new(), Sums::new()];
        for n in 0..400 {
            let inside = n % 2 == 0;
            let radius = if inside { random.random_range(0.0..0.8) } else { random.random_range(1.6..2.4) };
            let wanted = [if inside { 1.0 } else { -1.0 }; OUTPUTS];
            halves[n / 200].take(&kernel, &place(n as f32, radius), &wanted, 1.0);
        }
        halves.iter_mut().for_each(Sums::settle);
        let [mut sums, other] = halves;
        sums.add(&other);
        sums.solve(&mut kernel);
        for n in 0..20 {
            let angle = 0.3 + n as f32 * 0.7;
            assert!(kernel.run(&place(angle, 0.5))[0] > 0.3 && kernel.run(&place(angle, 2.0))[7] < -0.3);
        }
        let input = place(1.0, 1.2);
        let gradient = kernel.gradient(&input, 3);
        for n in [0, 7, INPUTS - 1] {
            let at = |shift: f32| {
                let mut moved = input.clone();
                moved[n] += shift;
                kernel.run(&moved)[3]
            };
            let slope = (at(0.05) - at(-0.05)) / 0.1;
            assert!((slope - gradient[n]).abs() < 2e-3, "{n}: {slope} {}", gradient[n]);
        }
    }
}

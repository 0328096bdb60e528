//! The classifier's heart: random Fourier features of a Gaussian kernel (Rahimi & Recht 2007) under ridge regression on
//! the classes (a least-squares support vector machine, Suykens & Vandewalle 1999). Solved, not descended to: the same
//! recordings give the same answers within seconds. One set of answers for quiet lines, one for noisy ones.

use rand::rngs::Xoshiro256PlusPlus;
use rand::{Rng, SeedableRng};

use super::model::OUTPUTS;

/// Directions drawn; each gives a cosine and a sine.
pub(super) const DIRECTIONS: usize = 768;
/// With the constant.
pub(super) const WAVES: usize = 2 * DIRECTIONS + 1;
/// Kinds of line: quiet, noisy.
pub(super) const KINDS: usize = 2;
/// The kernel's `gamma` times the number of inputs (scaled to spread 1).
const GAMMA: f32 = 0.2;
/// Directions are held in steps of this share of their spread.
const STEP: f32 = 1.0 / 32.0;
/// Ridge, as a share of the examples' weight.
const RIDGE: f64 = 4e-4;

#[derive(Clone, Debug, PartialEq)]
pub(super) struct Kernel {
    /// Its directions are drawn by this number: a file need not hold them.
    pub seed: u64,
    /// A row of `DIRECTIONS` for each input, in steps: a reading is as quick as they are read from memory.
    directions: Vec<i8>,
    /// What a step is worth, by input.
    steps: Vec<f32>,
    /// By kind of line.
    pub heads: [Head; KINDS],
}

/// Answers to the waves: those all recordings have in common (`OUTPUTS`), how much a voice is of each manner, and how
/// each manner differs (`OUTPUTS` each). A manner is what one corpus has in common: its language, its way of acting.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Head {
    pub manners: usize,
    /// `WAVES` rows of `width(manners)`.
    pub weights: Vec<f32>,
}

/// What a head makes of a voice.
#[derive(Clone, Debug)]
pub(super) struct Answer {
    pub out: [f32; OUTPUTS],
    /// How much it is of each manner, 0..=1.
    pub manners: Vec<f32>,
}

/// How much the machine that knows no baseline counts where there is one.
pub(super) const PLAIN: f32 = 0.4;

impl Answer {
    /// Lets the answer of the machine that knows no baseline count.
    pub fn mix(&mut self, plain: &Answer) {
        let joined =
            self.out.iter_mut().zip(plain.out).chain(self.manners.iter_mut().zip(plain.manners.iter().copied()));
        joined.for_each(|(own, plain)| *own += PLAIN * (plain - *own));
    }
}

/// The sum of the products; eight sums side by side, so that it is done in vectors.
fn along(row: &[i8], slope: &[f32]) -> f32 {
    let mut sums = [0.0f32; 8];
    for (row, slope) in row.chunks_exact(8).zip(slope.chunks_exact(8)) {
        for n in 0..8 {
            sums[n] += f32::from(row[n]) * slope[n];
        }
    }
    sums.iter().sum()
}

/// Answers of a head.
pub(super) fn width(manners: usize) -> usize {
    OUTPUTS + manners * (1 + OUTPUTS)
}

impl Kernel {
    /// Directions drawn by `seed`, for inputs that count by `shares` (1 in the mean square).
    pub fn new(seed: u64, shares: &[f32], heads: [Head; KINDS]) -> Self {
        let mut random = Xoshiro256PlusPlus::seed_from_u64(seed);
        let width = STEP * (2.0 * GAMMA / shares.len() as f32).sqrt();
        // `as` saturates: beyond four spreads there is next to nothing.
        let directions = (0..shares.len() * DIRECTIONS).map(|_| (normal(&mut random) / STEP).round() as i8).collect();
        Self { seed, directions, steps: shares.iter().map(|share| share * width).collect(), heads }
    }

    /// Without answers yet.
    pub fn blank(seed: u64, shares: &[f32]) -> Self {
        Self::new(seed, shares, [Head::new(0), Head::new(0)])
    }

    /// The answers for a quiet and for a noisy line.
    pub fn run(&self, waves: &[f32]) -> [Answer; KINDS] {
        std::array::from_fn(|kind| self.heads[kind].answer(waves))
    }

    /// How fast output `which` changes with each input, there where these are the waves, where the kinds' answers count by
    /// `shares` and manners are held.
    pub fn gradient(&self, waves: &[f32], which: usize, shares: [f32; KINDS]) -> Vec<f32> {
        let mut of_wave = vec![0.0; WAVES];
        for (head, share) in self.heads.iter().zip(shares) {
            let manners = head.shares(&head.all(waves));
            for (sum, row) in of_wave.iter_mut().zip(head.weights.chunks_exact(width(head.manners))) {
                let own = row[OUTPUTS + head.manners..].chunks_exact(OUTPUTS).zip(&manners);
                *sum += share * (row[which] + own.map(|(own, manner)| manner * own[which]).sum::<f32>());
            }
        }
        let slope: Vec<f32> =
            (0..DIRECTIONS).map(|n| waves[n] * of_wave[DIRECTIONS + n] - waves[DIRECTIONS + n] * of_wave[n]).collect();
        let rows = self.directions.chunks_exact(DIRECTIONS).zip(&self.steps);
        rows.map(|(row, step)| step * along(row, &slope)).collect()
    }

    /// For each of the inputs (one after the other): cosines, sines and the constant, of length 1 without the constant.
    pub fn waves(&self, inputs: &[f32]) -> Vec<f32> {
        let columns = self.steps.len();
        let rows = inputs.len() / columns;
        let mut turns = vec![0.0; rows * DIRECTIONS];
        if rows == 1 {
            for ((input, step), row) in inputs.iter().zip(&self.steps).zip(self.directions.chunks_exact(DIRECTIONS)) {
                let times = input * step;
                turns.iter_mut().zip(row).for_each(|(turn, &steps)| *turn += times * f32::from(steps));
            }
        } else {
            let by_input = self.directions.chunks_exact(DIRECTIONS).zip(&self.steps);
            let directions: Vec<f32> =
                by_input.flat_map(|(row, step)| row.iter().map(move |&steps| f32::from(steps) * step)).collect();
            let directions = Matrix { numbers: &directions, rows: columns, columns: DIRECTIONS };
            multiply(1.0, Matrix { numbers: inputs, rows, columns }.whole(), directions.whole(), &mut turns);
        }
        let share = (DIRECTIONS as f32).sqrt().recip();
        let mut waves = Vec::with_capacity(rows * WAVES);
        for turns in turns.chunks_exact(DIRECTIONS) {
            waves.extend(turns.iter().map(|turn| turn.cos() * share));
            waves.extend(turns.iter().map(|turn| turn.sin() * share));
            waves.push(1.0);
        }
        waves
    }
}

impl Head {
    pub fn new(manners: usize) -> Self {
        Self { manners, weights: vec![0.0; WAVES * width(manners)] }
    }

    /// What all have in common, and each manner's difference as far as the voice is of it.
    pub fn answer(&self, waves: &[f32]) -> Answer {
        let all = self.all(waves);
        let manners = self.shares(&all);
        let mut out: [f32; OUTPUTS] = std::array::from_fn(|n| all[n]);
        for (own, share) in all[OUTPUTS + self.manners..].chunks_exact(OUTPUTS).zip(&manners) {
            out.iter_mut().zip(own).for_each(|(out, own)| *out += share * own);
        }
        Answer { out, manners }
    }

    fn all(&self, waves: &[f32]) -> Vec<f32> {
        let width = width(self.manners);
        let mut all = vec![0.0; width];
        for (x, row) in waves.iter().zip(self.weights.chunks_exact(width)) {
            all.iter_mut().zip(row).for_each(|(out, w)| *out += x * w);
        }
        all
    }

    /// A voice like none of them is hardly of any: then what all have in common answers nearly alone.
    fn shares(&self, all: &[f32]) -> Vec<f32> {
        // From -1 (certainly of others) to 1.
        let share = |told: &f32| ((told + 1.0) / 2.0).clamp(0.0, 1.0).powi(2);
        all[OUTPUTS..OUTPUTS + self.manners].iter().map(share).collect()
    }
}

/// A draw from the normal distribution (Box & Muller 1958). Of the generator's own bits: files rely on the same draws in
/// every version.
fn normal(random: &mut Xoshiro256PlusPlus) -> f32 {
    let mut share = || (random.next_u64() >> 40) as f32 / (1u32 << 24) as f32;
    let (a, b) = (share(), share());
    (-2.0 * (1.0 - a).ln()).sqrt() * (std::f32::consts::TAU * b).cos()
}

/// What the regression needs to know of some examples; sums of disjoint sets add up.
#[derive(Clone)]
pub(super) struct Sums {
    /// `WAVES` x `WAVES`.
    squares: Vec<f32>,
    /// `WAVES` x answers.
    answers: Vec<f32>,
    weight: f64,
}

impl Sums {
    /// Of at least one row of waves, wanted answers (equally many to a row) and how much each row counts.
    pub fn of(waves: &[f32], wanted: &[f32], weights: &[f32]) -> Self {
        let rows = weights.len();
        let outputs = wanted.len() / rows;
        let weighted: Vec<f32> =
            waves.chunks_exact(WAVES).zip(weights).flat_map(|(row, w)| row.iter().map(move |x| w * x)).collect();
        let mut sums = Self::none(outputs);
        sums.weight = weights.iter().map(|&weight| f64::from(weight)).sum();
        let weighted = Matrix { numbers: &weighted, rows, columns: WAVES };
        multiply(1.0, weighted.turned(), Matrix { numbers: waves, rows, columns: WAVES }.whole(), &mut sums.squares);
        let wanted = Matrix { numbers: wanted, rows, columns: outputs };
        multiply(1.0, weighted.turned(), wanted.whole(), &mut sums.answers);
        sums
    }

    /// Of no rows.
    pub fn none(outputs: usize) -> Self {
        Self { squares: vec![0.0; WAVES * WAVES], answers: vec![0.0; WAVES * outputs], weight: 0.0 }
    }

    /// Both sets'.
    pub fn add(&mut self, other: &Sums) {
        self.squares.iter_mut().zip(&other.squares).for_each(|(a, b)| *a += b);
        self.answers.iter_mut().zip(&other.answers).for_each(|(a, b)| *a += b);
        self.weight += other.weight;
    }

    /// Answers to the waves (`WAVES` x answers) that suit these examples best, short of learning them by heart: those
    /// nearest to `before` in the sense of the ridge.
    pub fn solve(&self, before: Option<&[f32]>) -> Vec<f32> {
        let outputs = self.answers.len() / WAVES;
        let mut answers = self.answers.clone();
        if let Some(before) = before {
            let squares = Matrix { numbers: &self.squares, rows: WAVES, columns: WAVES };
            let before = Matrix { numbers: before, rows: WAVES, columns: outputs };
            multiply(-1.0, squares.whole(), before.whole(), &mut answers);
        }
        let mut root = self.squares.clone();
        let ridge = (RIDGE * self.weight + 1e-9) as f32;
        (0..WAVES).for_each(|n| root[n * WAVES + n] += ridge);
        cholesky(&mut root);
        let n = WAVES;
        let mut x = vec![0.0f64; n];
        for out in 0..outputs {
            for i in 0..n {
                let row = &root[i * n..][..i];
                let sum: f64 = row.iter().zip(&x).map(|(r, x)| f64::from(*r) * x).sum();
                x[i] = (f64::from(answers[i * outputs + out]) - sum) / f64::from(root[i * n + i]);
            }
            for i in (0..n).rev() {
                x[i] /= f64::from(root[i * n + i]);
                let (here, row) = (x[i], &root[i * n..][..i]);
                x[..i].iter_mut().zip(row).for_each(|(x, r)| *x -= here * f64::from(*r));
            }
            for i in 0..n {
                answers[i * outputs + out] = x[i] as f32;
            }
        }
        if let Some(before) = before {
            answers.iter_mut().zip(before).for_each(|(answer, before)| *answer += before);
        }
        answers
    }
}

/// Columns of the root made at once.
const PANEL: usize = 48;

/// Cholesky's root below the diagonal, in place of a positive definite matrix of `WAVES` rows; what is above it is left
/// undefined. Single precision suffices: the ridge holds the condition under some ten thousand.
fn cholesky(matrix: &mut [f32]) {
    let n = WAVES;
    for first in (0..n).step_by(PANEL) {
        let end = (first + PANEL).min(n);
        for i in first..n {
            for j in first..end.min(i + 1) {
                let (done, row) = matrix.split_at(i * n);
                let other = if i == j { &row[..n] } else { &done[j * n..][..n] };
                let sum: f32 = row[first..j].iter().zip(&other[first..j]).map(|(a, b)| a * b).sum();
                let (rest, diagonal) = (row[j] - sum, other[j]);
                matrix[i * n + j] = if i == j { rest.max(1e-12).sqrt() } else { rest / diagonal };
            }
        }
        // What the panel takes from all that is below and right of it.
        if end < n {
            let panel: Vec<f32> = (end..n).flat_map(|i| matrix[i * n + first..i * n + end].to_vec()).collect();
            let panel = Matrix { numbers: &panel, rows: n - end, columns: end - first };
            let mut taken = vec![0.0; (n - end) * (n - end)];
            multiply(1.0, panel.whole(), panel.turned(), &mut taken);
            for (i, taken) in (end..n).zip(taken.chunks_exact(n - end)) {
                matrix[i * n + end..(i + 1) * n].iter_mut().zip(taken).for_each(|(x, taken)| *x -= taken);
            }
        }
    }
}

/// Numbers, row by row.
struct Matrix<'a> {
    numbers: &'a [f32],
    rows: usize,
    columns: usize,
}

/// A matrix as it is read: with rows and columns changed over or not.
struct View<'a> {
    numbers: &'a [f32],
    rows: usize,
    columns: usize,
    row_step: isize,
    column_step: isize,
}

impl<'a> Matrix<'a> {
    fn whole(&self) -> View<'a> {
        let (rows, columns) = (self.rows, self.columns);
        View { numbers: self.numbers, rows, columns, row_step: columns as isize, column_step: 1 }
    }

    fn turned(&self) -> View<'a> {
        let (rows, columns) = (self.columns, self.rows);
        View { numbers: self.numbers, rows, columns, row_step: 1, column_step: rows as isize }
    }
}

/// Adds `times` the product of `a` and `b` to `to`.
fn multiply(times: f32, a: View, b: View, to: &mut [f32]) {
    assert_eq!(a.numbers.len(), a.rows * a.columns);
    assert_eq!(b.numbers.len(), b.rows * b.columns);
    assert_eq!((a.columns, to.len()), (b.rows, a.rows * b.columns));
    let (a_at, b_at, to_at) = (a.numbers.as_ptr(), b.numbers.as_ptr(), to.as_mut_ptr());
    // SAFETY: by the asserts and the two ways to make a view, every index the steps reach lies within its slice; `to` is
    // borrowed for itself alone.
    unsafe {
        matrixmultiply::sgemm(
            a.rows,
            a.columns,
            b.columns,
            times,
            a_at,
            a.row_step,
            a.column_step,
            b_at,
            b.row_step,
            b.column_step,
            1.0,
            to_at,
            b.columns as isize,
            1,
        );
    }
}

#[cfg(test)]
mod tests {
    use rand::RngExt;

    use super::*;

    const INPUTS: usize = 300;

    #[test]
    fn a_ring_around_a_disc_is_learnt_and_the_gradient_is_the_slope() {
        let mut random = Xoshiro256PlusPlus::seed_from_u64(2);
        let mut kernel = Kernel::blank(3, &[1.0; INPUTS]);
        let place = |angle: f32, radius: f32| {
            // The plane is spread over all inputs, as the kernel's width is meant for all.
            let mut input = vec![0.0; INPUTS];
            for (n, x) in input.iter_mut().enumerate() {
                *x = radius * if n % 2 == 0 { angle.cos() } else { angle.sin() };
            }
            input
        };
        let examples: Vec<Vec<f32>> = (0..400)
            .map(|n| {
                let inside = n % 2 == 0;
                let radius = if inside { random.random_range(0.0..0.8) } else { random.random_range(1.6..2.4) };
                place(n as f32, radius)
            })
            .collect();
        let wanted: Vec<f32> = (0..200).flat_map(|n| [if n % 2 == 0 { 1.0 } else { -1.0 }; OUTPUTS]).collect();
        let mut halves: Vec<Sums> =
            examples.chunks(200).map(|half| Sums::of(&kernel.waves(&half.concat()), &wanted, &[1.0; 200])).collect();
        let other = halves.remove(1);
        halves[0].add(&other);
        kernel.heads[1].weights = halves[0].solve(None);
        for n in 0..20 {
            let angle = 0.3 + n as f32 * 0.7;
            let [quiet, inside] = kernel.run(&kernel.waves(&place(angle, 0.5)));
            assert_eq!(quiet.out, [0.0; OUTPUTS], "only the other kind was taught");
            assert!(inside.out[0] > 0.3 && kernel.run(&kernel.waves(&place(angle, 2.0)))[1].out[7] < -0.3);
        }
        // Taught again from what it knows, it can only come nearer to what was wanted.
        let error = |head: &Head| -> f32 {
            let pairs = examples.iter().zip([1.0, -1.0].into_iter().cycle());
            pairs.map(|(input, wanted)| (head.answer(&kernel.waves(input)).out[0] - wanted).powi(2)).sum()
        };
        let again = Head { manners: 0, weights: halves[0].solve(Some(&kernel.heads[1].weights)) };
        assert!(error(&again) < error(&kernel.heads[1]) && error(&kernel.heads[1]) < 40.0);
        kernel.heads[0] = kernel.heads[1].clone();
        kernel.heads[0].weights.iter_mut().for_each(|w| *w *= 3.0);
        let input = place(1.0, 1.2);
        let shares = [0.25, 0.5];
        let gradient = kernel.gradient(&kernel.waves(&input), 3, shares);
        for n in [0, 7, INPUTS - 1] {
            let at = |shift: f32| {
                let mut moved = input.clone();
                moved[n] += shift;
                let out = kernel.run(&kernel.waves(&moved));
                shares[0] * out[0].out[3] + shares[1] * out[1].out[3]
            };
            let slope = (at(0.05) - at(-0.05)) / 0.1;
            assert!((slope - gradient[n]).abs() < 2e-3, "{n}: {slope} {}", gradient[n]);
        }
    }

    #[test]
    fn the_root_times_itself_is_the_matrix() {
        let mut random = Xoshiro256PlusPlus::seed_from_u64(4);
        let rows = 40;
        let numbers: Vec<f32> = (0..rows * WAVES).map(|_| normal(&mut random)).collect();
        let mut whole = vec![0.0; WAVES * WAVES];
        let matrix = Matrix { numbers: &numbers, rows, columns: WAVES };
        multiply(1.0, matrix.turned(), matrix.whole(), &mut whole);
        (0..WAVES).for_each(|n| whole[n * WAVES + n] += 1.0);
        let mut root = whole.clone();
        cholesky(&mut root);
        for (i, j) in [(0, 0), (7, 3), (200, 47), (200, 48), (WAVES - 1, 700), (WAVES - 1, WAVES - 1)] {
            let found: f32 = (0..=j.min(i)).map(|k| root[i * WAVES + k] * root[j * WAVES + k]).sum();
            assert!((found - whole[i * WAVES + j]).abs() < 1e-2, "{i} {j}: {found} {}", whole[i * WAVES + j]);
        }
    }

    #[test]
    fn a_manner_speaks_only_for_voices_of_it() {
        let mut head = Head::new(1);
        let row = |common: f32, share: f32, own: f32| {
            let mut row = vec![common; OUTPUTS];
            row.push(share);
            row.extend([own; OUTPUTS]);
            row
        };
        // The constant says 1 for all, the first cosine how much a voice is of the manner, which adds 2.
        head.weights[(WAVES - 1) * width(1)..].copy_from_slice(&row(1.0, 0.0, 2.0));
        head.weights[..width(1)].copy_from_slice(&row(0.0, 1.0, 0.0));
        let mut waves = vec![0.0; WAVES];
        waves[WAVES - 1] = 1.0;
        for (like, wanted) in [(-2.0, 1.0), (-1.0, 1.0), (0.0, 1.5), (1.0, 3.0), (4.0, 3.0)] {
            waves[0] = like;
            assert_eq!(head.answer(&waves).out, [wanted; OUTPUTS], "{like}");
        }
    }
}

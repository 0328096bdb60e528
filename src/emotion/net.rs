//! A small feed-forward network, forward and backward: enough for a classifier of a few hundred figures, small enough
//! to be trained where it runs. Adam (Kingma & Ba 2015) with decoupled weight decay (Loshchilov & Hutter 2019).

use rand::rngs::Xoshiro256PlusPlus;
use rand::{Rng, RngExt};

/// Layers with rectifiers between them; the last is linear.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Net {
    pub layers: Vec<Layer>,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) struct Layer {
    pub inputs: usize,
    pub outputs: usize,
    /// `inputs` rows of `outputs`.
    pub weights: Vec<f32>,
    pub bias: Vec<f32>,
}

impl Net {
    /// He initialisation (He et al. 2015).
    pub fn random(sizes: &[usize], random: &mut Xoshiro256PlusPlus) -> Self {
        let layers = sizes.windows(2).map(|pair| {
            let (inputs, outputs) = (pair[0], pair[1]);
            let width = (2.0 / inputs as f32).sqrt();
            let weights = (0..inputs * outputs).map(|_| normal(random) * width).collect();
            Layer { inputs, outputs, weights, bias: vec![0.0; outputs] }
        });
        Self { layers: layers.collect() }
    }

    pub fn run(&self, input: &[f32]) -> Vec<f32> {
        let mut now = input.to_vec();
        for (n, layer) in self.layers.iter().enumerate() {
            let mut next = vec![0.0; layer.outputs];
            layer.forward(&now, &mut next);
            if n + 1 < self.layers.len() {
                next.iter_mut().for_each(|x| *x = x.max(0.0));
            }
            now = next;
        }
        now
    }

    /// How fast output `which` changes with each input, at `input`.
    pub fn gradient(&self, input: &[f32], which: usize) -> Vec<f32> {
        let mut values = vec![input.to_vec()];
        for layer in &self.layers {
            let mut next = vec![0.0; layer.outputs];
            layer.forward(&values[values.len() - 1], &mut next);
            next.iter_mut().for_each(|x| *x = x.max(0.0));
            values.push(next);
        }
        let mut slope = vec![0.0; self.layers[self.layers.len() - 1].outputs];
        slope[which] = 1.0;
        for (n, layer) in self.layers.iter().enumerate().rev() {
            let mut before = vec![0.0; layer.inputs];
            layer.backward(&slope, &mut before);
            if n > 0 {
                before.iter_mut().zip(&values[n]).filter(|(_, x)| **x <= 0.0).for_each(|(slope, _)| *slope = 0.0);
            }
            slope = before;
        }
        slope
    }
}

impl Layer {
    pub fn forward(&self, input: &[f32], output: &mut [f32]) {
        output.copy_from_slice(&self.bias);
        for (x, row) in input.iter().zip(self.weights.chunks_exact(self.outputs)) {
            if *x != 0.0 {
                output.iter_mut().zip(row).for_each(|(out, w)| *out += x * w);
            }
        }
    }

    pub fn backward(&self, slope: &[f32], before: &mut [f32]) {
        for (out, row) in before.iter_mut().zip(self.weights.chunks_exact(self.outputs)) {
            *out = row.iter().zip(slope).map(|(w, s)| w * s).sum();
        }
    }
}

/// Learns one network, batch by batch.
pub(super) struct Learner {
    pub net: Net,
    gradient: Net,
    first: Net,
    second: Net,
    steps: i32,
    /// Values of each layer, and the slopes going back.
    values: Vec<Vec<f32>>,
    slopes: Vec<Vec<f32>>,
    /// Share of hidden units left out at each step.
    drop: f32,
}

impl Learner {
    pub fn new(net: Net, drop: f32) -> Self {
        let mut zero = net.clone();
        for layer in &mut zero.layers {
            layer.weights.fill(0.0);
            layer.bias.fill(0.0);
        }
        let widths: Vec<usize> =
            std::iter::once(net.layers[0].inputs).chain(net.layers.iter().map(|layer| layer.outputs)).collect();
        let room: Vec<Vec<f32>> = widths.iter().map(|&width| vec![0.0; width]).collect();
        Self {
            net,
            gradient: zero.clone(),
            first: zero.clone(),
            second: zero,
            steps: 0,
            values: room.clone(),
            slopes: room,
            drop,
        }
    }

    /// Takes one example into the batch; `loss` sees the outputs and writes their slopes.
    pub fn take(&mut self, input: &[f32], random: &mut Xoshiro256PlusPlus, loss: impl FnOnce(&[f32], &mut [f32])) {
        let last = self.net.layers.len();
        self.values[0].copy_from_slice(input);
        let keep = 1.0 / (1.0 - self.drop);
        let limit = (self.drop * u32::MAX as f32) as u32;
        for (n, layer) in self.net.layers.iter().enumerate() {
            let (before, after) = self.values.split_at_mut(n + 1);
            layer.forward(&before[n], &mut after[0]);
            if n + 1 < last {
                for x in &mut after[0] {
                    *x = if *x <= 0.0 || random.next_u32() < limit { 0.0 } else { *x * keep };
                }
            }
        }
        loss(&self.values[last], &mut self.slopes[last]);
        for n in (0..last).rev() {
            let (before, after) = self.slopes.split_at_mut(n + 1);
            let (slope, sums) = (&after[0], &mut self.gradient.layers[n]);
            for (x, row) in self.values[n].iter().zip(sums.weights.chunks_exact_mut(slope.len())) {
                if *x != 0.0 {
                    row.iter_mut().zip(slope).for_each(|(sum, s)| *sum += x * s);
                }
            }
            sums.bias.iter_mut().zip(slope).for_each(|(sum, s)| *sum += s);
            if n > 0 {
                self.net.layers[n].backward(slope, &mut before[n]);
                for (slope, x) in before[n].iter_mut().zip(&self.values[n]) {
                    *slope = if *x > 0.0 { *slope * keep } else { 0.0 };
                }
            }
        }
    }

    /// One step along the batch's gradient, of `batch` examples.
    pub fn step(&mut self, batch: usize, rate: f32, decay: f32) {
        self.steps += 1;
        let (c1, c2) = (1.0 - 0.9f32.powi(self.steps), 1.0 - 0.999f32.powi(self.steps));
        let share = 1.0 / batch.max(1) as f32;
        let update = |w: &mut [f32], g: &mut [f32], m: &mut [f32], v: &mut [f32], decay: f32| {
            for (((w, g), m), v) in w.iter_mut().zip(g).zip(m).zip(v) {
                let slope = *g * share;
                *g = 0.0;
                *m = 0.9 * *m + 0.1 * slope;
                *v = 0.999 * *v + 0.001 * slope * slope;
                *w -= rate * (*m / c1 / ((*v / c2).sqrt() + 1e-8) + decay * *w);
            }
        };
        for (((layer, g), m), v) in self
            .net
            .layers
            .iter_mut()
            .zip(&mut self.gradient.layers)
            .zip(&mut self.first.layers)
            .zip(&mut self.second.layers)
        {
            update(&mut layer.weights, &mut g.weights, &mut m.weights, &mut v.weights, decay);
            update(&mut layer.bias, &mut g.bias, &mut m.bias, &mut v.bias, 0.0);
        }
    }
}

/// A draw from the normal distribution (Box & Muller 1958).
pub(super) fn normal(random: &mut Xoshiro256PlusPlus) -> f32 {
    let (a, b): (f32, f32) = (random.random(), random.random());
    (-2.0 * (1.0 - a).ln()).sqrt() * (std::f32::consts::TAU * b).cos()
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;

    use super::*;

    #[test]
    fn the_gradient_is_the_slope() {
        let mut random = Xoshiro256PlusPlus::seed_from_u64(3);
        let net = Net::random(&[6, 9, 5, 2], &mut random);
        let input: Vec<f32> = (0..6).map(|n| (n as f32 * 1.7).sin()).collect();
        let gradient = net.gradient(&input, 1);
        for n in 0..6 {
            let at = |shift: f32| {
                let mut moved = input.clone();
                moved[n] += shift;
                net.run(&moved)[1]
            };
            let slope = (at(1e-3) - at(-1e-3)) / 2e-3;
            assert!((slope - gradient[n]).abs() < 1e-2, "{n}: {slope} {}", gradient[n]);
        }
    }

    #[test]
    fn exclusive_or_is_learnt() {
        let mut random = Xoshiro256PlusPlus::seed_from_u64(5);
        let mut learner = Learner::new(Net::random(&[2, 16, 1], &mut random), 0.0);
        for _ in 0..500 {
            for (a, b) in [(0.0, 0.0), (0.0, 1.0), (1.0, 0.0), (1.0, 1.0)] {
                let wanted = if a == b { 0.0 } else { 1.0 };
                learner.take(&[a, b], &mut random, |out, slope| slope[0] = out[0] - wanted);
            }
            learner.step(4, 0.01, 0.0);
        }
        for (a, b, wanted) in [(0.0, 0.0, 0.0), (0.0, 1.0, 1.0), (1.0, 0.0, 1.0), (1.0, 1.0, 0.0)] {
            let found = learner.net.run(&[a, b])[0];
            assert!((found - wanted).abs() < 0.1, "{a} {b}: {found}");
        }
    }
}

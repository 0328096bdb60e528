//! Silero VAD's network (MIT, version 6, 16 kHz branch), written out: spectrum, four convolutions, one LSTM cell.
//!
//! Upstream's ONNX file takes 300-500 us a chunk in `rten`, most of it overhead; a media thread has 100 us. The
//! arithmetic is upstream's (`tinygrad_model.py` in its package); scores agree to 1e-4.

use std::sync::{Arc, LazyLock};

use rustfft::num_complex::Complex;
use rustfft::{Fft, FftPlanner};

/// Samples in a chunk, and those before it that the network sees again.
pub const CHUNK: usize = 512;
const CONTEXT: usize = 64;
/// The chunk is mirrored at its end by this much.
const MIRRORED: usize = 64;
const WINDOW: usize = 256;
const HOP: usize = 128;
const FRAMES: usize = (CONTEXT + CHUNK + MIRRORED - WINDOW) / HOP + 1;
const BINS: usize = WINDOW / 2 + 1;
const STATE: usize = 128;

static FILE: &[u8] = include_bytes!("../../../models/silero-vad/silero_vad_16k.safetensors");
// The file is part of the program; a test loads it.
static WEIGHTS: LazyLock<Weights> = LazyLock::new(|| Weights::parse(FILE).expect("the embedded weights"));

/// The network with its memory of one stream.
pub struct Silero {
    weights: &'static Weights,
    /// The last `CONTEXT` samples, then the chunk, then its mirror image.
    sound: [f32; CONTEXT + CHUNK + MIRRORED],
    hidden: [f32; STATE],
    cell: [f32; STATE],
    spectrum: [Complex<f32>; WINDOW],
    scratch: Vec<Complex<f32>>,
}

impl Silero {
    pub fn new() -> Self {
        let weights: &Weights = &WEIGHTS;
        Self {
            sound: [0.0; CONTEXT + CHUNK + MIRRORED],
            hidden: [0.0; STATE],
            cell: [0.0; STATE],
            spectrum: [Complex::default(); WINDOW],
            scratch: vec![Complex::default(); weights.fft.get_inplace_scratch_len()],
            weights,
        }
    }

    /// How likely the chunk (16 kHz, full scale 1.0) holds speech, 0..=1. Allocates nothing.
    pub fn score(&mut self, chunk: impl Iterator<Item = f32>) -> f32 {
        self.sound.copy_within(CHUNK..CHUNK + CONTEXT, 0);
        self.sound[CONTEXT..CONTEXT + CHUNK].iter_mut().zip(chunk).for_each(|(to, from)| *to = from);
        for i in 0..MIRRORED {
            self.sound[CONTEXT + CHUNK + i] = self.sound[CONTEXT + CHUNK - 2 - i];
        }

        let magnitudes = self.magnitudes();
        let w = self.weights;
        let x: [[f32; 128]; 4] = w.conv1.run(&magnitudes, 1);
        let x: [[f32; 64]; 2] = w.conv2.run(&x, 2);
        let x: [[f32; 64]; 1] = w.conv3.run(&x, 2);
        let [x]: [[f32; 128]; 1] = w.conv4.run(&x, 1);

        let mut gates = w.gate_bias;
        add_product(&mut gates, &w.input_gates, &x);
        add_product(&mut gates, &w.hidden_gates, &self.hidden);
        let mut out = w.final_bias;
        for i in 0..STATE {
            let [input, forget, new, output] = [0, 1, 2, 3].map(|gate| gates[gate * STATE + i]);
            self.cell[i] = sigmoid(forget) * self.cell[i] + sigmoid(input) * new.tanh();
            self.hidden[i] = sigmoid(output) * self.cell[i].tanh();
            out += w.last[i] * self.hidden[i].max(0.0);
        }
        sigmoid(out)
    }

    fn magnitudes(&mut self) -> [[f32; BINS]; FRAMES] {
        let mut magnitudes = [[0.0; BINS]; FRAMES];
        // The transform is complex and the sound is not: two frames go through at once.
        for (pair, [first, second]) in magnitudes.as_chunks_mut::<2>().0.iter_mut().enumerate() {
            let at = pair * 2 * HOP;
            for (i, slot) in self.spectrum.iter_mut().enumerate() {
                let window = self.weights.window[i];
                *slot = Complex::new(self.sound[at + i] * window, self.sound[at + HOP + i] * window);
            }
            self.weights.fft.process_with_scratch(&mut self.spectrum, &mut self.scratch);
            for (bin, (first, second)) in first.iter_mut().zip(second).enumerate() {
                let (a, b) = (self.spectrum[bin], self.spectrum[(WINDOW - bin) % WINDOW].conj());
                *first = ((a + b) * 0.5).norm();
                *second = ((a - b) * 0.5).norm();
            }
        }
        magnitudes
    }
}

fn sigmoid(x: f32) -> f32 {
    1.0 / (1.0 + (-x).exp())
}

/// `sums += matrix * inputs`, the matrix stored input by input: whole rows are added, which any compiler vectorises.
fn add_product(sums: &mut [f32], matrix: &[f32], inputs: &[f32]) {
    let n = sums.len();
    let (fours, rest) = inputs.as_chunks::<4>();
    let mut rows = matrix.chunks_exact(n);
    for x in fours {
        let [Some(a), Some(b), Some(c), Some(d)] = [rows.next(), rows.next(), rows.next(), rows.next()] else { return };
        for ((((sum, a), b), c), d) in sums.iter_mut().zip(a).zip(b).zip(c).zip(d) {
            *sum += x[0] * a + x[1] * b + x[2] * c + x[3] * d;
        }
    }
    for (x, row) in rest.iter().zip(rows) {
        sums.iter_mut().zip(row).for_each(|(sum, w)| *sum += x * w);
    }
}

/// A convolution over time of width 3, padded by one, with ReLU.
struct Conv {
    /// Tap by tap, input by input, a row of outputs.
    taps: [Vec<f32>; 3],
    bias: Vec<f32>,
}

impl Conv {
    fn run<const I: usize, const O: usize, const N: usize, const M: usize>(
        &self,
        input: &[[f32; I]; N],
        stride: usize,
    ) -> [[f32; O]; M] {
        let mut output = [[0.0; O]; M];
        for (at, sums) in output.iter_mut().enumerate() {
            sums.copy_from_slice(&self.bias);
            for (tap, matrix) in self.taps.iter().enumerate() {
                if let Some(frame) = (at * stride + tap).checked_sub(1).and_then(|i| input.get(i)) {
                    add_product(sums, matrix, frame);
                }
            }
            sums.iter_mut().for_each(|s| *s = s.max(0.0));
        }
        output
    }
}

struct Weights {
    window: Vec<f32>,
    fft: Arc<dyn Fft<f32>>,
    conv1: Conv,
    conv2: Conv,
    conv3: Conv,
    conv4: Conv,
    input_gates: Vec<f32>,
    hidden_gates: Vec<f32>,
    gate_bias: [f32; 4 * STATE],
    last: [f32; STATE],
    final_bias: f32,
}

impl Weights {
    /// A safetensors file: the length of a JSON table of contents, the table, the numbers.
    fn parse(file: &[u8]) -> Option<Self> {
        let (length, rest) = file.split_first_chunk::<8>()?;
        let (table, data) = rest.split_at_checked(usize::try_from(u64::from_le_bytes(*length)).ok()?)?;
        let table: serde_json::Value = serde_json::from_slice(table).ok()?;
        let tensor = |name: &str, size: usize| -> Option<Vec<f32>> {
            let span = table.get(name)?.get("data_offsets")?;
            let [from, to] = [span.get(0)?.as_u64()?, span.get(1)?.as_u64()?];
            let bytes = data.get(from as usize..to as usize)?;
            let values: Vec<f32> =
                bytes.chunks_exact(4).map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]])).collect();
            (values.len() == size).then_some(values)
        };
        let conv = |name: &str, inputs: usize, outputs: usize| -> Option<Conv> {
            let weight = tensor(&format!("{name}.weight"), outputs * inputs * 3)?;
            let tap = |tap: usize| {
                let at = move |i: usize, o: usize| (o * inputs + i) * 3 + tap;
                (0..inputs).flat_map(|i| (0..outputs).map(move |o| at(i, o))).map(|at| weight[at]).collect()
            };
            Some(Conv { taps: [tap(0), tap(1), tap(2)], bias: tensor(&format!("{name}.bias"), outputs)? })
        };
        let gates = |name: &str| -> Option<Vec<f32>> {
            let weight = tensor(name, 4 * STATE * STATE)?;
            Some((0..STATE).flat_map(|i| (0..4 * STATE).map(move |o| o * STATE + i)).map(|at| weight[at]).collect())
        };
        let mut gate_bias = [0.0; 4 * STATE];
        for name in ["lstm_cell.bias_ih", "lstm_cell.bias_hh"] {
            gate_bias.iter_mut().zip(tensor(name, 4 * STATE)?).for_each(|(sum, b)| *sum += b);
        }
        Some(Self {
            // The basis of a windowed Fourier transform: its first row, frequency 0, is the window.
            window: tensor("stft_conv.weight", 2 * BINS * WINDOW)?[..WINDOW].to_vec(),
            fft: FftPlanner::new().plan_fft_forward(WINDOW),
            conv1: conv("conv1", BINS, 128)?,
            conv2: conv("conv2", 128, 64)?,
            conv3: conv("conv3", 64, 64)?,
            conv4: conv("conv4", 64, 128)?,
            input_gates: gates("lstm_cell.weight_ih")?,
            hidden_gates: gates("lstm_cell.weight_hh")?,
            gate_bias,
            last: tensor("final_conv.weight", STATE)?.try_into().ok()?,
            final_bias: *tensor("final_conv.bias", 1)?.first()?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_embedded_weights_load() {
        assert!(Weights::parse(FILE).is_some());
        assert!(Weights::parse(&FILE[..1000]).is_none());
    }

    #[test]
    fn silence_and_hum_are_no_speech() {
        let mut silero = Silero::new();
        for chunk in 0..30 {
            let hum = |i: usize| 0.1 * (std::f32::consts::TAU * 50.0 * (chunk * CHUNK + i) as f32 / 16_000.0).sin();
            let score = silero.score((0..CHUNK).map(hum));
            assert!(score < 0.1, "{score} at {chunk}");
        }
    }
}

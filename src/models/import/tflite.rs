//! Reading of TensorFlow Lite files: operators in order and constant tensors, nothing else. The format is a
//! flatbuffer (schema `tensorflow/lite/schema/schema.fbs`); field numbers below are the schema's. Every offset
//! is checked: a damaged file is an error.

/// A tensor's kind of numbers, of those we read (`TensorType`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    F32,
    I8,
    Other,
}

pub struct Tensor<'a> {
    pub shape: Vec<usize>,
    pub kind: Kind,
    /// Little endian; empty when the tensor is computed.
    pub data: &'a [u8],
    /// Of int8 tensors: value = scale * byte.
    pub scale: f32,
}

/// `BuiltinOperator`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Op(pub i32);

impl Op {
    pub const ADD: Self = Self(0);
    pub const CONV_2D: Self = Self(3);
    pub const FULLY_CONNECTED: Self = Self(9);
    pub const MUL: Self = Self(18);
    pub const GATHER: Self = Self(36);
    pub const SUB: Self = Self(41);
    pub const TRANSPOSE_CONV: Self = Self(67);
    pub const DEQUANTIZE: Self = Self(6);
}

pub struct Operator {
    pub op: Op,
    /// Indices of tensors; -1 is none.
    pub inputs: Vec<i32>,
}

pub struct Graph<'a> {
    pub tensors: Vec<Tensor<'a>>,
    pub operators: Vec<Operator>,
}

/// The only subgraph of a file; `None` for anything that is no such file.
pub fn read(bytes: &[u8]) -> Option<Graph<'_>> {
    if bytes.get(4..8)? != b"TFL3" {
        return None;
    }
    let model = Table::at(bytes, u32_at(bytes, 0)? as usize)?;
    let codes: Vec<Op> = model
        .tables(1)?
        .iter()
        .map(|code| {
            // Codes above 127 stand in the newer field only.
            let old = code.field(0).map_or(0, |at| i32::from(bytes.get(at).copied().unwrap_or(0) as i8));
            let new = code.field(3).and_then(|at| u32_at(bytes, at)).unwrap_or(0) as i32;
            Op(old.max(new))
        })
        .collect();
    let buffers: Vec<&[u8]> = model.tables(4)?.iter().map(|buffer| buffer.bytes(0).unwrap_or_default()).collect();
    let graph = model.tables(2)?.into_iter().next()?;
    let tensors = graph.tables(0)?.into_iter().map(|tensor| {
        let shape =
            tensor.ints(0).unwrap_or_default().iter().map(|&n| usize::try_from(n).ok()).collect::<Option<_>>()?;
        let kind = match tensor.field(1).and_then(|at| bytes.get(at)).unwrap_or(&0) {
            0 => Kind::F32,
            9 => Kind::I8,
            _ => Kind::Other,
        };
        let buffer = tensor.field(2).and_then(|at| u32_at(bytes, at)).unwrap_or(0);
        let data = *buffers.get(buffer as usize)?;
        let scale = tensor.table(4).and_then(|q| q.ints(2)).and_then(|s| s.first().copied());
        Some(Tensor { shape, kind, data, scale: scale.map_or(1.0, |bits| f32::from_bits(bits as u32)) })
    });
    let operators = graph.tables(3)?.into_iter().map(|operator| {
        let code = operator.field(0).and_then(|at| u32_at(bytes, at)).unwrap_or(0);
        Some(Operator { op: *codes.get(code as usize)?, inputs: operator.ints(1)? })
    });
    Some(Graph { tensors: tensors.collect::<Option<_>>()?, operators: operators.collect::<Option<_>>()? })
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_le_bytes(bytes.get(at..at.checked_add(4)?)?.try_into().ok()?))
}

fn u16_at(bytes: &[u8], at: usize) -> Option<usize> {
    Some(u16::from_le_bytes(bytes.get(at..at.checked_add(2)?)?.try_into().ok()?).into())
}

/// A flatbuffer table: a signed offset back to its list of field positions.
#[derive(Clone, Copy)]
struct Table<'a> {
    bytes: &'a [u8],
    at: usize,
    fields: usize,
}

impl<'a> Table<'a> {
    fn at(bytes: &'a [u8], at: usize) -> Option<Self> {
        let back = u32_at(bytes, at)? as i32;
        let fields = usize::try_from(i64::try_from(at).ok()? - i64::from(back)).ok()?;
        Some(Self { bytes, at, fields })
    }

    /// Place of a field's value; `None` when it has its default.
    fn field(&self, number: usize) -> Option<usize> {
        let entry = 4 + 2 * number;
        if entry >= u16_at(self.bytes, self.fields)? {
            return None;
        }
        let offset = u16_at(self.bytes, self.fields + entry)?;
        (offset != 0).then_some(self.at + offset)
    }

    /// Place behind a field's offset.
    fn target(&self, number: usize) -> Option<usize> {
        let at = self.field(number)?;
        at.checked_add(u32_at(self.bytes, at)? as usize)
    }

    fn table(&self, number: usize) -> Option<Table<'a>> {
        Table::at(self.bytes, self.target(number)?)
    }

    fn tables(&self, number: usize) -> Option<Vec<Table<'a>>> {
        let at = self.target(number)?;
        let count = u32_at(self.bytes, at)? as usize;
        let entry = |n: usize| {
            let at = at + 4 + 4 * n;
            Table::at(self.bytes, at.checked_add(u32_at(self.bytes, at)? as usize)?)
        };
        (count <= self.bytes.len() / 4).then(|| (0..count).map(entry).collect())?
    }

    /// A vector of 32-bit numbers.
    fn ints(&self, number: usize) -> Option<Vec<i32>> {
        let at = self.target(number)?;
        let count = u32_at(self.bytes, at)? as usize;
        let all = self.bytes.get(at + 4..(at + 4).checked_add(count.checked_mul(4)?)?)?;
        Some(all.chunks_exact(4).map(|b| i32::from_le_bytes([b[0], b[1], b[2], b[3]])).collect())
    }

    fn bytes(&self, number: usize) -> Option<&'a [u8]> {
        let at = self.target(number)?;
        let count = u32_at(self.bytes, at)? as usize;
        self.bytes.get(at + 4..(at + 4).checked_add(count)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        /// Whatever follows the file's mark is read or refused, never a panic.
        #[test]
        fn damaged_files_are_refused(mut bytes in proptest::collection::vec(any::<u8>(), 8..400), small in 0..2) {
            if small == 1 {
                bytes.iter_mut().for_each(|b| *b %= 16); // offsets that stay inside
            }
            bytes[4..8].copy_from_slice(b"TFL3");
            let _ = read(&bytes);
        }
    }
}

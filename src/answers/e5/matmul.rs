//! Products of 4-bit weights and 8-bit activations: a weight is `scale * (q - 8)`, q in 0..=15, one f16 scale for 32;
//! an activation is `scale * a`, a in -127..=127, one f32 scale for 32. Weights are kept one byte each, eight outputs
//! side by side, so that a processor's register holds four inputs of eight outputs and no sum crosses its lanes.
//! AVX2 where the processor has it, plain loops elsewhere.

/// Weights that share a scale.
pub const BLOCK: usize = 32;
/// An f16 scale, then 16 bytes: byte j holds weight j low and weight j + 16 high (ggml's Q4_0).
pub const BLOCK_BYTES: usize = 18;

/// Outputs computed together.
const LANES: usize = 8;
/// Bytes of a block's weights for all lanes.
const TILE: usize = BLOCK * LANES;

/// A layer's weights and its bias, in groups of eight outputs.
pub struct Matrix {
    columns: usize,
    /// By group, block, four inputs, lane, input: 0..=15.
    weights: Vec<u8>,
    /// By group, block, lane.
    scales: Vec<f32>,
    bias: Vec<f32>,
}

/// Rows of activations, quantised.
#[derive(Default)]
pub struct Activations {
    rows: usize,
    values: Vec<i8>,
    /// By block: its scale, and -8 * scale * sum, which is what the weights' own offset comes to.
    scales: Vec<(f32, f32)>,
}

impl Matrix {
    /// `blocks`: rows of `columns` weights, as many as `bias` has numbers, a multiple of 8.
    pub fn new(blocks: &[u8], columns: usize, bias: Vec<f32>) -> Self {
        let in_row = columns / BLOCK;
        let mut weights = vec![0; bias.len() * columns];
        let mut scales = vec![0.0; bias.len() * in_row];
        for (i, block) in blocks.chunks_exact(BLOCK_BYTES).enumerate() {
            let (row, tile) = (i / in_row, i / in_row / LANES * in_row + i % in_row);
            let lane = row % LANES;
            scales[tile * LANES + lane] = scale(block);
            let weights = &mut weights[tile * TILE..][..TILE];
            let mut put = |input: usize, q: u8| weights[input / 4 * 4 * LANES + lane * 4 + input % 4] = q;
            for (j, byte) in block[2..].iter().enumerate() {
                put(j, byte & 15);
                put(j + BLOCK / 2, byte >> 4);
            }
        }
        Self { columns, weights, scales, bias }
    }

    pub fn columns(&self) -> usize {
        self.columns
    }

    /// `to` becomes, row by row, the product of each row of `x` with the weights, plus the bias.
    pub fn multiply(&self, x: &Activations, to: &mut Vec<f32>) {
        to.clear();
        to.resize(x.rows * self.bias.len(), 0.0);
        #[cfg(target_arch = "x86_64")]
        if std::arch::is_x86_feature_detected!("avx2") && std::arch::is_x86_feature_detected!("fma") {
            // SAFETY: the processor has the instructions.
            return unsafe { self.multiply_avx2(x, to) };
        }
        self.multiply_plain(x, to);
    }

    fn multiply_plain(&self, x: &Activations, to: &mut [f32]) {
        self.each(x, to, |bias, tiles, to| {
            let mut sums = *bias;
            for (weights, scales, values, (scale, offset)) in tiles {
                let mut products = [0_i32; LANES];
                for (weights, values) in weights.as_chunks::<{ 4 * LANES }>().0.iter().zip(values.as_chunks::<4>().0) {
                    for (product, weights) in products.iter_mut().zip(weights.as_chunks::<4>().0) {
                        *product += weights.iter().zip(values).map(|(&w, &a)| i32::from(w) * i32::from(a)).sum::<i32>();
                    }
                }
                for ((sum, product), w) in sums.iter_mut().zip(products).zip(scales) {
                    *sum += w * (scale * product as f32 + offset);
                }
            }
            *to = sums;
        });
    }

    #[cfg(target_arch = "x86_64")]
    #[target_feature(enable = "avx2,fma")]
    fn multiply_avx2(&self, x: &Activations, to: &mut [f32]) {
        use std::arch::x86_64::*;
        self.each(x, to, |bias, tiles, to| {
            let ones = _mm256_set1_epi16(1);
            // SAFETY (here and below): unaligned loads and a store, each of as many bytes as the array it points to.
            let mut sums = unsafe { _mm256_loadu_ps(bias.as_ptr()) };
            for (weights, scales, values, (scale, offset)) in tiles {
                let mut products = _mm256_setzero_si256();
                for (weights, values) in weights.as_chunks::<{ 4 * LANES }>().0.iter().zip(values.as_chunks::<4>().0) {
                    let weights = unsafe { _mm256_loadu_si256(weights.as_ptr().cast()) };
                    let values = _mm256_set1_epi32(i32::from_ne_bytes(values.map(|value| value as u8)));
                    // 8 times 2 * 15 * 127 fits 16 bits: nothing overflows.
                    products = _mm256_add_epi16(products, _mm256_maddubs_epi16(weights, values));
                }
                let products = _mm256_cvtepi32_ps(_mm256_madd_epi16(products, ones));
                let products = _mm256_fmadd_ps(products, _mm256_set1_ps(scale), _mm256_set1_ps(offset));
                sums = _mm256_fmadd_ps(products, unsafe { _mm256_loadu_ps(scales.as_ptr()) }, sums);
            }
            unsafe { _mm256_storeu_ps(to.as_mut_ptr(), sums) };
        });
    }

    /// Calls `lanes` for each group of outputs and each row: with their bias, the tiles to sum (weights, scales, values,
    /// the values' scale and offset), and where the sums go.
    #[inline(always)]
    fn each<'a>(
        &'a self,
        x: &'a Activations,
        to: &mut [f32],
        lanes: impl Fn(&[f32; LANES], Tiles<'a>, &mut [f32; LANES]),
    ) {
        let (in_row, outputs) = (self.columns / BLOCK, self.bias.len());
        let weights = self.weights.as_chunks::<TILE>().0.chunks_exact(in_row);
        let scales = self.scales.as_chunks::<LANES>().0.chunks_exact(in_row);
        for (group, ((bias, weights), scales)) in
            self.bias.as_chunks::<LANES>().0.iter().zip(weights).zip(scales).enumerate()
        {
            let rows = x.values.as_chunks::<BLOCK>().0.chunks_exact(in_row).zip(x.scales.chunks_exact(in_row));
            for ((values, value_scales), to) in rows.zip(to.chunks_exact_mut(outputs)) {
                let tiles = Tiles { weights, scales, values, value_scales, at: 0 };
                lanes(bias, tiles, &mut to.as_chunks_mut::<LANES>().0[group]);
            }
        }
    }
}

/// One group of outputs against one row of activations, block by block.
struct Tiles<'a> {
    weights: &'a [[u8; TILE]],
    scales: &'a [[f32; LANES]],
    values: &'a [[i8; BLOCK]],
    value_scales: &'a [(f32, f32)],
    at: usize,
}

impl<'a> Iterator for Tiles<'a> {
    type Item = (&'a [u8; TILE], &'a [f32; LANES], &'a [i8; BLOCK], (f32, f32));

    #[inline(always)]
    fn next(&mut self) -> Option<Self::Item> {
        let at = self.at;
        self.at += 1;
        Some((self.weights.get(at)?, self.scales.get(at)?, self.values.get(at)?, *self.value_scales.get(at)?))
    }
}

impl Activations {
    /// Takes rows of `columns` numbers.
    pub fn quantize(&mut self, x: &[f32], columns: usize) {
        self.rows = x.len() / columns;
        self.values.clear();
        self.scales.clear();
        for block in x.chunks_exact(BLOCK) {
            let largest = block.iter().fold(0.0_f32, |max, x| max.max(x.abs()));
            let scale = largest / 127.0;
            let inverse = if scale > 0.0 { 1.0 / scale } else { 0.0 };
            let mut sum = 0_i32;
            self.values.extend(block.iter().map(|x| {
                let value = (x * inverse).round_ties_even() as i8; // saturates
                sum += i32::from(value);
                value
            }));
            self.scales.push((scale, -8.0 * scale * sum as f32));
        }
    }
}

/// Row `row` of a matrix of 4-bit weights, as floats.
pub fn expand_row(blocks: &[u8], row: usize, to: &mut [f32]) {
    let bytes = to.len() / BLOCK * BLOCK_BYTES;
    let blocks = &blocks[row * bytes..][..bytes];
    for (block, to) in blocks.chunks_exact(BLOCK_BYTES).zip(to.chunks_exact_mut(BLOCK)) {
        let scale = scale(block);
        for (j, byte) in block[2..].iter().enumerate() {
            to[j] = f32::from(i16::from(byte & 15) - 8) * scale;
            to[j + BLOCK / 2] = f32::from(i16::from(byte >> 4) - 8) * scale;
        }
    }
}

/// Sum of products; eight partial sums, so that it vectorises.
#[inline]
pub fn dot(a: &[f32], b: &[f32]) -> f32 {
    let (a, b) = (a.as_chunks::<8>(), b.as_chunks::<8>());
    let mut sums = [0.0; 8];
    for (a, b) in a.0.iter().zip(b.0) {
        for (sum, (a, b)) in sums.iter_mut().zip(a.iter().zip(b)) {
            *sum += a * b;
        }
    }
    let rest: f32 = a.1.iter().zip(b.1).map(|(a, b)| a * b).sum();
    sums.iter().sum::<f32>() + rest
}

fn scale(block: &[u8]) -> f32 {
    f16(u16::from_le_bytes([block[0], block[1]]))
}

/// IEEE 754 half precision to single.
fn f16(bits: u16) -> f32 {
    let sign = if bits >> 15 == 1 { -1.0 } else { 1.0 };
    let (exponent, mantissa) = (i32::from(bits >> 10 & 31), f32::from(bits & 1023));
    sign * match exponent {
        0 => mantissa * 2.0_f32.powi(-24),
        31 if mantissa == 0.0 => f32::INFINITY,
        31 => f32::NAN,
        _ => (1.0 + mantissa / 1024.0) * 2.0_f32.powi(exponent - 15),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn noise(n: usize, seed: u32) -> impl Iterator<Item = u8> {
        (0..n as u32).map(move |i| ((i ^ seed).wrapping_mul(2_654_435_761) >> 13) as u8)
    }

    /// 16 rows of 64 weights with a scale of 2^-6, and three rows of activations.
    fn product() -> (Vec<u8>, Matrix, Vec<f32>) {
        let mut blocks: Vec<u8> = noise(16 * 2 * BLOCK_BYTES, 7).collect();
        for block in blocks.chunks_exact_mut(BLOCK_BYTES) {
            block[..2].copy_from_slice(&0x2400_u16.to_le_bytes());
        }
        let matrix = Matrix::new(&blocks, 64, (0..16).map(|i| i as f32 / 4.0 - 2.0).collect());
        (blocks, matrix, noise(3 * 64, 99).map(|byte| f32::from(byte) / 64.0 - 2.0).collect())
    }

    #[test]
    fn products_are_those_of_the_expanded_weights() {
        let (blocks, matrix, x) = product();
        let mut activations = Activations::default();
        activations.quantize(&x, 64);
        let (mut fast, mut plain) = (Vec::new(), vec![0.0; 48]);
        matrix.multiply(&activations, &mut fast);
        matrix.multiply_plain(&activations, &mut plain);
        for row in 0..3 {
            for output in 0..16 {
                let mut weights = [0.0; 64];
                expand_row(&blocks, output, &mut weights);
                let exact = matrix.bias[output] + dot(&weights, &x[row * 64..][..64]);
                let (fast, plain) = (fast[row * 16 + output], plain[row * 16 + output]);
                assert!((fast - plain).abs() < 1e-4, "{fast} {plain}");
                assert!((plain - exact).abs() < 0.05, "{plain} is not {exact}: more than rounding to 8 bits explains");
            }
        }
    }

    #[test]
    fn half_precision_is_read_right() {
        for (bits, value) in [(0x3c00, 1.0), (0xc000, -2.0), (0x3555, 0.333_251_95), (0x0001, 5.960_464_5e-8), (0, 0.0)]
        {
            assert_eq!(f16(bits), value, "{bits:#x}");
        }
        assert!(f16(0x7c00).is_infinite() && f16(0x7e00).is_nan());
    }
}

//! Products of 4-bit weights and 8-bit activations: a weight is `scale * (q - 8)`, q in 0..=15, one f16 scale for 32;
//! an activation is `scale * a`, a in -127..=127, one f32 scale for 32. Integer products are summed a block at a
//! time. AVX2 where the processor has it, plain loops elsewhere.

/// Weights that share a scale.
pub const BLOCK: usize = 32;
/// An f16 scale, then 16 bytes: byte j holds weight j low and weight j + 16 high (ggml's Q4_0).
pub const BLOCK_BYTES: usize = 18;

/// A layer's weights, one byte each (0..=15), row by row, and its bias.
pub struct Matrix {
    columns: usize,
    weights: Vec<u8>,
    scales: Vec<f32>,
    bias: Vec<f32>,
}

/// Rows of activations, quantised.
#[derive(Default)]
pub struct Activations {
    rows: usize,
    values: Vec<i8>,
    scales: Vec<f32>,
    /// -8 * scale * sum of the block: what the weights' offset comes to.
    offsets: Vec<f32>,
}

impl Matrix {
    /// `blocks`: rows of `columns` weights, as many as `bias` has numbers.
    pub fn new(blocks: &[u8], columns: usize, bias: Vec<f32>) -> Self {
        let mut weights = vec![0; bias.len() * columns];
        let mut scales = Vec::with_capacity(weights.len() / BLOCK);
        for (block, weights) in blocks.chunks_exact(BLOCK_BYTES).zip(weights.chunks_exact_mut(BLOCK)) {
            scales.push(scale(block));
            let (low, high) = weights.split_at_mut(BLOCK / 2);
            for ((low, high), byte) in low.iter_mut().zip(high).zip(&block[2..]) {
                (*low, *high) = (byte & 15, byte >> 4);
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
        self.each(x, to, |weights, scales, values, value_scales| {
            let blocks = weights.chunks_exact(BLOCK).zip(values.chunks_exact(BLOCK)).zip(scales).zip(value_scales);
            blocks
                .map(|(((weights, values), w), a)| {
                    let sum: i32 = weights.iter().zip(values).map(|(&w, &a)| i32::from(w) * i32::from(a)).sum();
                    sum as f32 * w * a
                })
                .sum()
        });
    }

    #[cfg(target_arch = "x86_64")]
    #[target_feature(enable = "avx2,fma")]
    fn multiply_avx2(&self, x: &Activations, to: &mut [f32]) {
        use std::arch::x86_64::*;
        self.each(x, to, |weights, scales, values, value_scales| {
            let ones = _mm256_set1_epi16(1);
            let mut sums = _mm256_setzero_ps();
            let blocks = weights.as_chunks::<BLOCK>().0.iter().zip(values.as_chunks::<BLOCK>().0);
            for ((weights, values), (w, a)) in blocks.zip(scales.iter().zip(value_scales)) {
                // SAFETY: both point to 32 bytes.
                let (weights, values) = unsafe {
                    (_mm256_loadu_si256(weights.as_ptr().cast()), _mm256_loadu_si256(values.as_ptr().cast()))
                };
                // 15 * 127 * 2 fits 16 bits: nothing saturates.
                let products = _mm256_madd_epi16(_mm256_maddubs_epi16(weights, values), ones);
                sums = _mm256_fmadd_ps(_mm256_cvtepi32_ps(products), _mm256_set1_ps(w * a), sums);
            }
            let half = _mm_add_ps(_mm256_castps256_ps128(sums), _mm256_extractf128_ps::<1>(sums));
            let quarter = _mm_add_ps(half, _mm_movehl_ps(half, half));
            _mm_cvtss_f32(_mm_add_ss(quarter, _mm_shuffle_ps::<1>(quarter, quarter)))
        });
    }

    /// Fills `to` by `product(weights, scales, values, scales)` of each row with each column.
    #[inline(always)]
    fn each(&self, x: &Activations, to: &mut [f32], product: impl Fn(&[u8], &[f32], &[i8], &[f32]) -> f32) {
        let (columns, blocks, outputs) = (self.columns, self.columns / BLOCK, self.bias.len());
        for (output, bias) in self.bias.iter().enumerate() {
            let weights = &self.weights[output * columns..][..columns];
            let scales = &self.scales[output * blocks..][..blocks];
            for row in 0..x.rows {
                let values = &x.values[row * columns..][..columns];
                let value_scales = &x.scales[row * blocks..][..blocks];
                let offset = dot(scales, &x.offsets[row * blocks..][..blocks]);
                to[row * outputs + output] = bias + offset + product(weights, scales, values, value_scales);
            }
        }
    }
}

impl Activations {
    /// Takes rows of `columns` numbers.
    pub fn quantize(&mut self, x: &[f32], columns: usize) {
        self.rows = x.len() / columns;
        self.values.clear();
        self.scales.clear();
        self.offsets.clear();
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
            self.scales.push(scale);
            self.offsets.push(-8.0 * scale * sum as f32);
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

    /// 5 rows of 64 weights with a scale of 2^-6, and three rows of activations.
    fn product() -> (Vec<u8>, Matrix, Vec<f32>) {
        let mut blocks: Vec<u8> = noise(5 * 2 * BLOCK_BYTES, 7).collect();
        for block in blocks.chunks_exact_mut(BLOCK_BYTES) {
            block[..2].copy_from_slice(&0x2400_u16.to_le_bytes());
        }
        let matrix = Matrix::new(&blocks, 64, vec![0.5, -0.5, 0.0, 1.0, 2.0]);
        (blocks, matrix, noise(3 * 64, 99).map(|byte| f32::from(byte) / 64.0 - 2.0).collect())
    }

    #[test]
    fn products_are_those_of_the_expanded_weights() {
        let (blocks, matrix, x) = product();
        let mut activations = Activations::default();
        activations.quantize(&x, 64);
        let (mut fast, mut plain) = (Vec::new(), vec![0.0; 15]);
        matrix.multiply(&activations, &mut fast);
        matrix.multiply_plain(&activations, &mut plain);
        for row in 0..3 {
            for output in 0..5 {
                let mut weights = [0.0; 64];
                expand_row(&blocks, output, &mut weights);
                let exact = matrix.bias[output] + dot(&weights, &x[row * 64..][..64]);
                let (fast, plain) = (fast[row * 5 + output], plain[row * 5 + output]);
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

//! The unit of sound: 20 ms of mono 16-bit samples with their rate beside them, on the stack.

/// Milliseconds in a frame.
pub const FRAME_MS: u32 = 20;
/// Samples in a frame at 48 kHz, the highest rate a line may have.
pub const MAX_SAMPLES: usize = 960;

/// 20 ms of mono sound. Copying one allocates nothing.
#[derive(Clone, Copy)]
pub struct Frame {
    rate: u32,
    samples: [i16; MAX_SAMPLES],
}

impl Frame {
    /// Silence at `rate` Hz (8 000, 16 000, 24 000 or 48 000; anything above 48 000 is a bug of the caller).
    pub fn silence(rate: u32) -> Self {
        debug_assert!(rate > 0 && rate <= 48_000 && rate.is_multiple_of(50), "frame rate {rate}");
        Self { rate, samples: [0; MAX_SAMPLES] }
    }

    /// A frame from exactly `rate / 50` samples; shorter input is padded with silence, longer is cut.
    pub fn from_samples(rate: u32, samples: &[i16]) -> Self {
        let mut frame = Self::silence(rate);
        let n = samples.len().min(frame.len());
        frame.samples[..n].copy_from_slice(&samples[..n]);
        frame
    }

    /// Samples a second.
    pub fn rate(&self) -> u32 {
        self.rate
    }

    /// Number of samples: a fiftieth of the rate.
    #[allow(clippy::len_without_is_empty)] // a frame is never empty
    pub fn len(&self) -> usize {
        (self.rate / 50) as usize
    }

    /// The samples, i16, full scale 32 767.
    pub fn samples(&self) -> &[i16] {
        &self.samples[..self.len()]
    }

    /// The samples, to write.
    pub fn samples_mut(&mut self) -> &mut [i16] {
        let n = self.len();
        &mut self.samples[..n]
    }

    /// Root mean square over full scale, 0..=1.
    pub fn level(&self) -> f32 {
        let sum: f64 = self.samples().iter().map(|&s| f64::from(s) * f64::from(s)).sum();
        ((sum / self.len() as f64).sqrt() / 32_768.0) as f32
    }
}

impl std::fmt::Debug for Frame {
    // Never the samples: a caller's voice is personal data.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Frame({} Hz, level {:.3})", self.rate, self.level())
    }
}

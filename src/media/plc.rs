//! Concealment of lost sound by repeating the voice's last pitch periods and letting them fade, in the manner
//! of ITU-T G.711 Appendix I. Unlike there, no delay is added to smooth the seam where a loss begins: the jump
//! left at that seam is added to the first 2 ms and decays.

/// Follows what is heard, and invents what is not. Allocates only when built.
pub struct Concealment {
    /// Samples in 10 ms.
    ten_ms: usize,
    /// The newest samples, oldest first.
    history: Vec<i16>,
    /// Samples invented since the last one heard; 0 outside a loss.
    invented: usize,
    lag: usize,
    /// Pitch periods in the loop, 1 to 3: a single period repeated too long sounds like a buzzer.
    periods: usize,
    looped: Vec<i16>,
    at: usize,
    /// Seam between what was heard and the loop.
    jump: f32,
    scratch: Vec<i16>,
}

/// Full level for 10 ms, then a fifth less every 10 ms: silent after 60 ms (Appendix I, I.2.7).
const FADE_STEPS: f32 = 5.0;

impl Concealment {
    /// For sound of `rate` Hz.
    pub fn new(rate: u32) -> Self {
        let ten_ms = (rate / 100) as usize;
        Self {
            ten_ms,
            history: vec![0; ten_ms * 5],
            invented: 0,
            lag: ten_ms,
            periods: 1,
            looped: vec![0; ten_ms * 9 / 2],
            at: 0,
            jump: 0.0,
            scratch: vec![0; ten_ms],
        }
    }

    /// Takes note of sound that arrived; after a loss its beginning is blended with the end of what was invented.
    pub fn heard(&mut self, samples: &mut [i16]) {
        if self.invented > 0 {
            // A quarter period, and 4 ms for every 10 ms that were lost (I.2.8).
            let n = (self.lag / 4 + self.invented * 2 / 5).min(self.ten_ms).min(samples.len());
            for (i, sample) in samples[..n].iter_mut().enumerate() {
                let weight = (i + 1) as f32 / (n + 1) as f32;
                *sample = blend(self.invent(), *sample, weight);
            }
            self.invented = 0;
        }
        self.remember(samples);
    }

    /// Fills a hole.
    pub fn conceal(&mut self, hole: &mut [i16]) {
        for sample in hole.iter_mut() {
            *sample = self.invent();
        }
        self.remember(hole);
    }

    /// Forgets what was heard.
    pub fn reset(&mut self) {
        self.history.fill(0);
        self.invented = 0;
    }

    /// A loss has lasted so long that only silence is left.
    pub fn faded(&self) -> bool {
        self.invented >= self.ten_ms * 6
    }

    fn invent(&mut self) -> i16 {
        if self.invented == 0 {
            self.begin();
        } else if self.invented == self.ten_ms || self.invented == self.ten_ms * 2 {
            self.lengthen();
        }
        let gain = 1.0 - (self.invented as f32 / self.ten_ms as f32 - 1.0).max(0.0) / FADE_STEPS;
        let seam = 1.0 - self.invented as f32 / (self.ten_ms as f32 / 5.0);
        self.invented += 1;
        if gain <= 0.0 {
            return 0;
        }
        let sample = f32::from(self.looped[self.at]) + self.jump * seam.max(0.0);
        self.at = (self.at + 1) % (self.lag * self.periods);
        (sample * gain) as i16
    }

    fn begin(&mut self) {
        self.lag = self.pitch();
        self.periods = 1;
        self.at = 0;
        self.fill_loop();
        let end = self.history.len();
        self.jump = f32::from(self.history[end - 1]) - f32::from(self.history[end - 1 - self.lag]);
        self.scratch[..].fill(0);
    }

    /// One more period into the loop, blended over a quarter period.
    fn lengthen(&mut self) {
        let (n, length) = (self.lag / 4, self.lag * self.periods);
        for i in 0..n {
            self.scratch[i] = self.looped[(self.at + i) % length];
        }
        self.periods += 1;
        self.at %= self.lag;
        self.fill_loop();
        for i in 0..n {
            let at = (self.at + i) % (self.lag * self.periods);
            self.looped[at] = blend(self.scratch[i], self.looped[at], (i + 1) as f32 / (n + 1) as f32);
        }
    }

    /// The newest periods, their end bent so that it leads back to their beginning.
    fn fill_loop(&mut self) {
        // What was invented so far stands at the end of the history too, and a period on is what it continued.
        let (n, bend) = (self.lag * self.periods, self.lag / 4);
        let end = self.history.len();
        let start = end - n;
        self.looped[..n].copy_from_slice(&self.history[start..]);
        for i in 0..bend {
            let weight = (i + 1) as f32 / (bend + 1) as f32;
            self.looped[n - bend + i] = blend(self.history[end - bend + i], self.history[start - bend + i], weight);
        }
    }

    /// The lag (5 to 15 ms: voices of 66 to 200 Hz, or an octave of a higher one) at which the last 20 ms repeat best.
    fn pitch(&self) -> usize {
        let (window, end) = (self.ten_ms * 2, self.history.len());
        best_lag(self.ten_ms / 2, self.ten_ms * 3 / 2, |lag| {
            similarity(&self.history[end - window..], &self.history[end - window - lag..end - lag])
        })
        .0
    }

    fn remember(&mut self, samples: &[i16]) {
        let room = self.history.len();
        let new = &samples[samples.len().saturating_sub(room)..];
        self.history.copy_within(new.len().., 0);
        self.history[room - new.len()..].copy_from_slice(new);
    }
}

/// The lag in a range of the highest similarity, searched in even steps first; with that similarity.
pub(super) fn best_lag(low: usize, high: usize, similarity: impl Fn(usize) -> f32) -> (usize, f32) {
    let mut best = (low, f32::MIN);
    let consider = |best: &mut (usize, f32), lag| {
        let value = similarity(lag);
        if value > best.1 {
            *best = (lag, value);
        }
    };
    for lag in (low..=high).step_by(2) {
        consider(&mut best, lag);
    }
    let coarse = best.0;
    for lag in [coarse.saturating_sub(1).max(low), (coarse + 1).min(high)] {
        consider(&mut best, lag);
    }
    best
}

/// Normalised cross-correlation, -1..=1; 0 when either side is silent.
pub(super) fn similarity(a: &[i16], b: &[i16]) -> f32 {
    let (mut ab, mut aa, mut bb) = (0.0f32, 0.0f32, 0.0f32);
    for (&a, &b) in a.iter().zip(b) {
        let (a, b) = (f32::from(a), f32::from(b));
        ab += a * b;
        aa += a * a;
        bb += b * b;
    }
    let energy = (aa * bb).sqrt();
    if energy > 0.0 { ab / energy } else { 0.0 }
}

/// From `a` (weight 0) to `b` (weight 1).
pub(super) fn blend(a: i16, b: i16, weight: f32) -> i16 {
    (f32::from(a) * (1.0 - weight) + f32::from(b) * weight) as i16
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A voiced sound: harmonics of `hz` that fall off, 8 kHz.
    fn voice(hz: f64, n: usize) -> Vec<i16> {
        (0..n)
            .map(|n| {
                let t = n as f64 / 8_000.0 * std::f64::consts::TAU * hz;
                (6_000.0 * (1..8).map(|k| (t * f64::from(k)).sin() / f64::from(k)).sum::<f64>() / 1.5) as i16
            })
            .collect()
    }

    fn rms(s: &[i16]) -> f64 {
        (s.iter().map(|&v| f64::from(v).powi(2)).sum::<f64>() / s.len() as f64).sqrt()
    }

    #[test]
    fn one_lost_frame_of_a_voice_is_nearly_the_voice() {
        for hz in [80.0, 110.0, 150.0, 190.0, 230.0] {
            let mut whole = voice(hz, 1_600);
            let original = whole.clone();
            let mut plc = Concealment::new(8_000);
            plc.heard(&mut whole[..800]);
            plc.conceal(&mut whole[800..960]);
            plc.heard(&mut whole[960..]);
            let error: Vec<i16> = original.iter().zip(&whole).map(|(a, b)| a.saturating_sub(*b)).collect();
            // The fade alone costs 10 % of the level in the second half.
            let ratio = rms(&error[800..960]) / rms(&original[800..960]);
            assert!(ratio < 0.35, "{hz} Hz: error {ratio:.2} of the voice");
            assert_eq!(whole[1_100..], original[1_100..], "and what is heard later is untouched");
        }
    }

    #[test]
    fn a_long_loss_fades_to_silence_in_60_ms_and_stays_silent() {
        let mut plc = Concealment::new(8_000);
        plc.heard(&mut voice(120.0, 800));
        let mut hole = vec![1; 8_000];
        let mut level = vec![];
        for frame in hole.chunks_mut(80) {
            plc.conceal(frame);
            level.push(rms(frame));
        }
        assert!(level[0] > 1_000.0 && level[3] > 200.0 && level[3] < level[0] && level[5] < level[3]);
        assert!(level[6..].iter().all(|&l| l == 0.0) && plc.faded());
    }

    #[test]
    fn seams_do_not_click() {
        let mut whole = voice(137.0, 2_400);
        let steepest = |s: &[i16]| s.windows(2).map(|w| (i32::from(w[0]) - i32::from(w[1])).abs()).max().unwrap();
        let natural = steepest(&whole);
        let mut plc = Concealment::new(8_000);
        plc.heard(&mut whole[..853]);
        for at in [853, 933, 1_013, 1_093] {
            plc.conceal(&mut whole[at..at + 80]);
        }
        plc.heard(&mut whole[1_173..]);
        assert!(steepest(&whole) <= natural * 5 / 4, "{} against {natural}", steepest(&whole));
    }

    #[test]
    fn silence_and_other_rates_are_concealed_too() {
        let mut hole = [7; 160];
        Concealment::new(8_000).conceal(&mut hole);
        assert_eq!(hole, [0; 160]);
        for rate in [16_000, 24_000, 48_000] {
            let mut plc = Concealment::new(rate);
            plc.heard(&mut voice(120.0, 960));
            let mut hole = vec![0; rate as usize / 10];
            plc.conceal(&mut hole);
            assert!(plc.faded() && rms(&hole) > 100.0);
        }
    }
}

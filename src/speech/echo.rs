//! Is what comes from the caller's side only our own prompt, heard back? A telephone on a table, a speakerphone, a bad
//! hybrid return it 20-300 ms late and weaker. Who knows what was played can tell.
//!
//! An adaptive filter learns the way of the echo (partitioned block NLMS in the frequency domain, overlap-save: Soo and
//! Pang 1990) and explains what it can of each frame; what is louder than any echo is a voice, what is explained is none,
//! and between these stands the level at which echo was met so far. WebRTC's AEC3 (crate `sonora`) was tried: it
//! cancels better and earlier, which a gate need not, lets voices through 100 ms later, allocates 70 times a frame and
//! takes several times as long. The recogniser gets the sound untouched.

use std::sync::Arc;

use rustfft::num_complex::Complex;
use rustfft::{Fft, FftPlanner};

use crate::media::{Converter, Frame};

const RATE: u32 = 8_000;
/// A frame of 20 ms.
const STEP: usize = 160;
const SIZE: usize = 2 * STEP;
/// Partitions of the filter: half a second of echo.
const PARTS: usize = 25;
/// Echo may come this long after the sound, in frames.
const TAIL: usize = 30;
/// An echo is at least this much weaker than the loudest just played, as power (-9 dB).
const WEAKER: f32 = 0.126;
/// Less than this share of a frame's power is left where it is echo (-6 dB).
const LEFT: f32 = 0.25;
/// How fast the filter learns, 0..1.
const PACE: f32 = 0.6;
/// Echo is first taken to be this strong (-14 dB), and forgotten at 4 dB a second of loud prompt without any: at 8 dB the
/// echo of a prompt was taken for a voice before the filter had learned its way.
const COUPLING: f32 = 0.04;
const FORGETTING: f32 = 0.982;
/// Powers: below the first a prompt says nothing about its echo (-40 dB), below the second a frame is silence.
const AUDIBLE: f32 = 1e-4;
const SILENCE: f32 = 1e-8;

type Bins = [Complex<f32>; SIZE];
const NOTHING: Complex<f32> = Complex { re: 0.0, im: 0.0 };

/// The gate of one call. Hearing a frame allocates nothing.
pub struct EchoGate {
    forward: Arc<dyn Fft<f32>>,
    back: Arc<dyn Fft<f32>>,
    scratch: Box<[Complex<f32>]>,
    /// The echo's way, in partitions of a frame, spectra.
    filter: Box<[Bins]>,
    /// Spectra of the last frames played, a ring whose newest is at `at`; their sum of powers by bin.
    played: Box<[Bins]>,
    powers: [f32; SIZE],
    at: usize,
    /// The partition whose wrap-around was cut off last.
    trimmed: usize,
    last: [f32; STEP],
    /// Power of the last frames played, newest first.
    loud: [f32; TAIL],
    /// Frames since something was played.
    quiet: usize,
    /// The strongest echo met lately, against the loudest just played.
    coupling: f32,
    down: [Converter; 2],
}

impl EchoGate {
    pub fn new() -> Self {
        let mut planner = FftPlanner::new();
        let (forward, back) = (planner.plan_fft_forward(SIZE), planner.plan_fft_inverse(SIZE));
        let scratch = forward.get_inplace_scratch_len().max(back.get_inplace_scratch_len());
        Self {
            forward,
            back,
            scratch: vec![NOTHING; scratch].into(),
            filter: vec![[NOTHING; SIZE]; PARTS].into(),
            played: vec![[NOTHING; SIZE]; PARTS].into(),
            powers: [0.0; SIZE],
            at: 0,
            trimmed: 0,
            last: [0.0; STEP],
            loud: [0.0; TAIL],
            quiet: TAIL,
            coupling: COUPLING,
            down: [Converter::default(), Converter::default()],
        }
    }

    /// Whether `heard` may hold the caller's own voice, `played` being what was sent just before. Frames of any rate.
    pub fn hears_somebody(&mut self, heard: &Frame, played: &Frame) -> bool {
        if self.quiet >= TAIL && played.samples().iter().all(|&sample| sample == 0) {
            return true; // all that is remembered is silence already
        }
        let (heard, played) = (self.samples(0, heard), self.samples(1, played));
        let sounding = power(&played);
        self.quiet = if sounding > 0.0 { 0 } else { self.quiet.saturating_add(1) };
        self.loud.rotate_right(1);
        self.loud[0] = sounding;
        self.note(&played);
        if self.quiet >= TAIL {
            return true; // nothing to come back
        }
        let came = power(&heard);
        let loudest = self.loud.iter().copied().fold(0.0, f32::max);
        if came > loudest * WEAKER {
            return true;
        }
        let left = self.left(&heard, came > SILENCE);
        let weaker = came / loudest; // not 0: something was played within the tail
        if left < came * LEFT {
            if loudest > AUDIBLE {
                self.coupling = self.coupling.max(weaker.min(WEAKER / 2.0));
            }
            return false;
        }
        if loudest > AUDIBLE {
            self.coupling = (self.coupling * FORGETTING).max(AUDIBLE);
        }
        weaker > 2.0 * self.coupling
    }

    /// Takes a frame played into the ring of spectra.
    fn note(&mut self, played: &[f32; STEP]) {
        let mut bins = [NOTHING; SIZE];
        for (bin, &sample) in bins.iter_mut().zip(self.last.iter().chain(played)) {
            bin.re = sample;
        }
        self.last = *played;
        self.forward.process_with_scratch(&mut bins, &mut self.scratch);
        self.at = (self.at + PARTS - 1) % PARTS;
        let oldest = &mut self.played[self.at];
        for ((power, bin), old) in self.powers.iter_mut().zip(&bins).zip(oldest.iter()) {
            *power = (*power + bin.norm_sqr() - old.norm_sqr()).max(0.0);
        }
        *oldest = bins;
    }

    /// Power of what the filter cannot explain; it learns from it.
    fn left(&mut self, heard: &[f32; STEP], learns: bool) -> f32 {
        let mut echo = [NOTHING; SIZE];
        for (part, way) in self.filter.iter().enumerate() {
            let played = &self.played[(self.at + part) % PARTS];
            for ((sum, x), w) in echo.iter_mut().zip(played).zip(way) {
                *sum += x * w;
            }
        }
        self.back.process_with_scratch(&mut echo, &mut self.scratch);
        let mut error = [NOTHING; SIZE];
        let mut left = 0.0;
        for i in 0..STEP {
            let difference = heard[i] - echo[STEP + i].re / SIZE as f32;
            error[STEP + i].re = difference;
            left += difference * difference;
        }
        if learns {
            self.learn(error);
        }
        left / STEP as f32
    }

    fn learn(&mut self, mut error: Bins) {
        const FLOOR: f32 = 1e-4 * SIZE as f32;
        self.forward.process_with_scratch(&mut error, &mut self.scratch);
        for (bin, power) in error.iter_mut().zip(&self.powers) {
            *bin *= PACE / (power + FLOOR);
        }
        for (part, way) in self.filter.iter_mut().enumerate() {
            let played = &self.played[(self.at + part) % PARTS];
            for ((w, x), e) in way.iter_mut().zip(played).zip(&error) {
                *w += x.conj() * e;
            }
        }
        // A partition is a frame long: what wraps around is cut off, for three of them in turn.
        for _ in 0..3 {
            self.trimmed = (self.trimmed + 1) % PARTS;
            let way = &mut self.filter[self.trimmed];
            self.back.process_with_scratch(way, &mut self.scratch);
            way[..STEP].iter_mut().for_each(|tap| *tap /= SIZE as f32);
            way[STEP..].fill(NOTHING);
            self.forward.process_with_scratch(way, &mut self.scratch);
        }
    }

    /// A frame's samples at our rate, full scale 1.0.
    fn samples(&mut self, side: usize, frame: &Frame) -> [f32; STEP] {
        let mut narrow = Frame::silence(RATE);
        self.down[side].run(frame, &mut narrow);
        let mut samples = [0.0; STEP];
        samples.iter_mut().zip(narrow.samples()).for_each(|(to, &from)| *to = f32::from(from) / 32_768.0);
        samples
    }
}

impl Default for EchoGate {
    fn default() -> Self {
        Self::new()
    }
}

/// Mean square.
fn power(samples: &[f32]) -> f32 {
    samples.iter().map(|s| s * s).sum::<f32>() / samples.len().max(1) as f32
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::media::file;

    fn speech(name: &str) -> Vec<i16> {
        file::read(format!("audio_fixtures/{name}")).unwrap().at_rate(8_000).samples
    }

    /// Share of the caller's loud frames from `from_ms` on that pass, an echo of the prompt `delay` ms late and
    /// `gain` as loud being mixed in.
    fn passing(near: &[i16], from_ms: usize, delay: usize, gain: f32) -> f32 {
        let prompt = speech("asterisk/en-hours.wav");
        let prompt: Vec<i16> = prompt.iter().cycle().take(40_000).copied().collect();
        let mut gate = EchoGate::new();
        let (mut loud, mut passed) = (0, 0);
        for (n, played) in prompt.chunks_exact(160).enumerate() {
            let voice =
                |i: usize| (n * 160 + i).checked_sub(from_ms * 8).and_then(|at| near.get(at)).copied().unwrap_or(0);
            let echo = |i: usize| (n * 160 + i).checked_sub(delay * 8).map_or(0.0, |at| f32::from(prompt[at]) * gain);
            let heard: Vec<i16> = (0..160).map(|i| echo(i) as i16 + voice(i)).collect();
            let wanted: Vec<i16> = if near.is_empty() { heard.clone() } else { (0..160).map(voice).collect() };
            let passes = gate.hears_somebody(&Frame::from_samples(8_000, &heard), &Frame::from_samples(8_000, played));
            let loud_enough = if near.is_empty() { 1_000.0 } else { 100_000.0 }; // -60 and -40 dBov
            if wanted.iter().map(|&s| f32::from(s).powi(2)).sum::<f32>() > 160.0 * loud_enough {
                loud += 1;
                passed += usize::from(passes);
            }
        }
        passed as f32 / loud.max(1) as f32
    }

    #[test]
    fn our_own_prompt_is_nobody() {
        for delay in [20, 60, 150, 300] {
            let passing = passing(&[], 0, delay, 0.1);
            assert!(passing < 0.03, "{delay} ms: {passing}");
        }
    }

    #[test]
    fn a_caller_is_heard_through_the_echo() {
        let caller = speech("pocketsphinx/goforward.wav");
        let caller = &caller[8_000 / 10..];
        let passing = passing(caller, 1_500, 150, 0.1);
        assert!(passing > 0.7, "{passing}");
    }

    #[test]
    fn without_a_prompt_everything_passes() {
        let mut gate = EchoGate::new();
        let nothing = Frame::silence(8_000);
        assert!((0..100).all(|_| gate.hears_somebody(&Frame::from_samples(8_000, &[3; 160]), &nothing)));
    }
}

//! From the descriptors of every 10 ms to figures for an utterance: means, spreads, percentiles, movement, and the
//! rhythm of voice and pause. The line's level counts only against the caller's own baseline (`Features::LEVEL`).

use std::sync::OnceLock;

use super::descriptors::{Frame, LLDS, Lld};
use super::encoder::TIMBRE;
use super::features::KEPT;

/// How many figures the descriptors give, and with the timbre's how many describe an utterance.
pub const FIGURES: usize = CONTOURS * STATISTICS.len() + 2 * LOUD + LAGGED.len() * LAGS.len() + OTHERS.len();
pub const FEATURES: usize = FIGURES + TIMBRE;

/// Statistics of a voice over some speech, each in its natural unit (`names` says which).
#[derive(Clone, Debug, PartialEq)]
pub struct Figures {
    pub values: [f32; FIGURES],
    /// Speech they were taken from (pauses not counted), ms.
    pub speech_ms: u32,
}

/// All that describes a voice over some speech: the figures, then its timbre.
#[derive(Clone, Debug, PartialEq)]
pub struct Features {
    pub values: [f32; FEATURES],
    /// As the figures'.
    pub speech_ms: u32,
}

impl Features {
    /// The place of the mean level: it says more of the line than of the voice, so models look at it only as a
    /// difference to the caller's baseline.
    pub const LEVEL: usize = 0;
    /// The place of how far the voice is over the line's noise, dB, at most `CLEAN`.
    pub const OVER_NOISE: usize = FIGURES - 1;

    pub(super) fn new(figures: &Figures, timbre: &[f32; TIMBRE]) -> Self {
        let mut values = [0.0; FEATURES];
        values[..FIGURES].copy_from_slice(&figures.values);
        values[FIGURES..].copy_from_slice(timbre);
        Self { values, speech_ms: figures.speech_ms }
    }

    /// How noisy the line is: 0 for a clean one, 1 where the voice is no louder than the noise.
    pub(super) fn noisiness(&self) -> f32 {
        1.0 - self.values[Self::OVER_NOISE] / CLEAN
    }
}

/// The features' names, in order.
pub fn names() -> &'static [String] {
    static NAMES: OnceLock<Vec<String>> = OnceLock::new();
    NAMES.get_or_init(|| {
        let mut names = Vec::with_capacity(FEATURES);
        for contour in 0..CONTOURS {
            names.extend(STATISTICS.iter().map(|statistic| format!("{}, {statistic}", word(contour))));
        }
        names.extend((1..LLDS).map(|contour| format!("{}, in loud voice", word(contour))));
        names.extend((1..LLDS).map(|contour| format!("{}, spread in loud voice", word(contour))));
        for lld in LAGGED {
            names.extend(LAGS.iter().map(|lag| format!("{}, change in {} ms", word(lld as usize), lag * 10)));
        }
        names.extend(OTHERS.iter().map(|&name| name.into()));
        names.extend((1..=TIMBRE / 2).map(|n| format!("timbre {n}, mean")));
        names.extend((1..=TIMBRE / 2).map(|n| format!("timbre {n}, spread")));
        names
    })
}

const CONTOURS: usize = LLDS;
const LOUD: usize = LLDS - 1;
const STATISTICS: [&str; 6] = ["mean", "spread", "10th percentile", "median", "90th percentile", "movement"];
/// Contours whose change over longer times counts, and the times, frames.
const LAGGED: [Lld; 4] = [Lld::Level, Lld::Pitch, Lld::Alpha, Lld::Centroid];
const LAGS: [usize; 3] = [4, 10, 24];
const OTHERS: [&str; 18] = [
    "pitch, rising",
    "pitch, falling",
    "pitch, trend over the utterance",
    "pitch, range within a stretch of voice",
    "pitch, share of the time rising",
    "pitch and level together",
    "spectral balance and level together",
    "level, rising",
    "level, falling",
    "voice, share of speech",
    "stretches of voice a second",
    "stretch of voice, mean length",
    "stretch of voice, spread of length",
    "pauses, share",
    "pause, mean length",
    "syllables a second",
    "voice breaks",
    "voice over the line's noise",
];
/// A voice so far over the noise is a clean one, dB: how clean says more of the room than of the voice.
const CLEAN: f32 = 25.0;

fn word(contour: usize) -> String {
    const WORDS: [&str; Lld::Cepstrum1 as usize] = [
        "level",
        "pitch",
        "harmonicity",
        "jitter",
        "shimmer",
        "spectral balance",
        "Hammarberg index",
        "slope below 1 kHz",
        "slope above 1 kHz",
        "brightness",
        "spectral flux",
        "flatness",
        "cepstral peak",
        "first formant",
        "second formant",
        "third formant",
    ];
    match WORDS.get(contour) {
        Some(word) => (*word).into(),
        None => format!("cepstrum {}", contour - WORDS.len() + 1),
    }
}

/// Whether a descriptor exists in voiced frames alone.
fn of_voice(contour: usize) -> bool {
    (Lld::Pitch as usize..=Lld::SlopeHigh as usize).contains(&contour)
        || (Lld::Formant1 as usize..=Lld::Formant3 as usize).contains(&contour)
}

/// Room to work in, made once.
#[derive(Clone)]
pub(super) struct Scratch {
    /// Frames between the first and the last speech.
    frames: Vec<Frame>,
    speech: Vec<bool>,
    contour: Vec<f32>,
    sorted: Vec<f32>,
}

impl Scratch {
    pub fn new() -> Self {
        Self {
            frames: Vec::with_capacity(KEPT),
            speech: Vec::with_capacity(KEPT),
            contour: Vec::with_capacity(KEPT),
            sorted: Vec::with_capacity(KEPT),
        }
    }
}

/// Speech must last so long, frames.
const ENOUGH: usize = 40;

/// The lowest level of speech among these, dB.
pub(super) fn speech_level(old: &[Frame], new: &[Frame], floor: f32) -> f32 {
    threshold(old.iter().chain(new), floor).0
}

/// Levels from this on are speech: over the line's noise (unless the voice never lets it be heard), and not too far
/// below the voice's own peaks. Also how many frames reach it.
fn threshold<'a>(frames: impl Iterator<Item = &'a Frame>, floor: f32) -> (f32, usize) {
    let mut histogram = [0usize; 101];
    for frame in frames {
        histogram[(-frame.values[0]).clamp(0.0, 100.0) as usize] += 1;
    }
    let all: usize = histogram.iter().sum();
    let mut seen = 0;
    let peak = histogram.iter().position(|&count| {
        seen += count;
        seen * 20 > all
    });
    let peak = -(peak.unwrap_or(100) as f32);
    let threshold = (peak - 26.0).max((floor + 4.0).min(peak - 10.0)).max(-75.0);
    let reaching = histogram[..=(-threshold).clamp(0.0, 100.0) as usize].iter().sum();
    (threshold, reaching)
}

pub(super) fn speech_ms(old: &[Frame], new: &[Frame], floor: f32) -> u32 {
    let voiced = old.iter().chain(new).filter(|frame| frame.voiced).count();
    let speech = threshold(old.iter().chain(new), floor).1;
    // Steady noise reaches its own threshold; no speech is without voice.
    if voiced * 5 < speech { 0 } else { speech as u32 * 10 }
}

pub(super) fn figures(old: &[Frame], new: &[Frame], floor: f32, scratch: &mut Scratch) -> Option<Figures> {
    let (threshold, _) = threshold(old.iter().chain(new), floor);
    let Scratch { frames, speech, contour, sorted } = scratch;
    frames.clear();
    frames.extend(old.iter().chain(new).copied());
    let is_speech = |frame: &Frame| frame.values[0] >= threshold;
    let first = frames.iter().position(is_speech)?;
    let last = frames.iter().rposition(is_speech)?;
    frames.truncate(last + 1);
    let frames = &frames[first..];
    speech.clear();
    speech.extend(frames.iter().map(is_speech));
    let spoken = speech.iter().filter(|&&yes| yes).count();
    let voiced = frames.iter().zip(&*speech).filter(|(frame, speech)| **speech && frame.voiced).count();
    if spoken < ENOUGH || voiced < ENOUGH / 4 {
        return None;
    }

    let mut out = Sink { values: [0.0; FIGURES], at: 0 };
    let mut level = 0.0;
    for lld in 0..CONTOURS {
        let counts = |n: usize| speech[n] && (!of_voice(lld) || frames[n].voiced);
        contour.clear();
        contour.extend((0..frames.len()).filter(|&n| counts(n)).map(|n| frames[n].values[lld]));
        let (mean, spread) = mean_and_spread(contour);
        sorted.clear();
        sorted.extend_from_slice(contour);
        let base = if lld == Lld::Level as usize { mean } else { 0.0 };
        let [low, middle, high] = percentiles(sorted, [0.1, 0.5, 0.9]).map(|value| value - base);
        let (mut moved, mut steps) = (0.0, 0.0);
        for n in 1..frames.len() {
            if counts(n) && counts(n - 1) {
                moved += (frames[n].values[lld] - frames[n - 1].values[lld]).abs();
                steps += 1.0;
            }
        }
        [mean, spread, low, middle, high, moved / f32::max(steps, 1.0)].into_iter().for_each(|v| out.put(v));
        if lld == Lld::Level as usize {
            level = mean;
        }
    }

    // The loudest third of the voiced frames: least touched by noise, most by effort.
    sorted.clear();
    sorted.extend((0..frames.len()).filter(|&n| speech[n] && frames[n].voiced).map(|n| frames[n].values[0]));
    let at = sorted.len() * 2 / 3;
    let loud_from = *sorted.select_nth_unstable_by(at, f32::total_cmp).1;
    let mut sums = [0.0; LLDS];
    let mut squares = [0.0; LLDS];
    let mut count = 0.0;
    for (frame, speech) in frames.iter().zip(&*speech) {
        if *speech && frame.voiced && frame.values[0] >= loud_from {
            for ((sum, squares), value) in sums.iter_mut().zip(&mut squares).zip(&frame.values) {
                *sum += value;
                *squares += value * value;
            }
            count += 1.0;
        }
    }
    sums[1..].iter().for_each(|sum| out.put(sum / count));
    let spread = |(sum, squares): (&f32, &f32)| (squares / count - (sum / count).powi(2)).max(0.0).sqrt();
    sums[1..].iter().zip(&squares[1..]).for_each(|pair| out.put(spread(pair)));

    for lld in LAGGED {
        for lag in LAGS {
            let counts = |n: usize| speech[n] && (!of_voice(lld as usize) || frames[n].voiced);
            let (mut change, mut pairs) = (0.0, 0.0);
            for n in lag..frames.len() {
                if counts(n) && counts(n - lag) {
                    change += (frames[n].values[lld as usize] - frames[n - lag].values[lld as usize]).abs();
                    pairs += 1.0;
                }
            }
            out.put(change / f32::max(pairs, 1.0));
        }
    }
    melody(frames, speech, level, &mut out);
    rhythm(frames, speech, &mut out);
    out.put((level - floor).clamp(0.0, CLEAN));
    debug_assert_eq!(out.at, FIGURES);
    // A figure that is no number (it cannot be, from finite samples) must not reach a model.
    out.values.iter_mut().filter(|value| !value.is_finite()).for_each(|value| *value = 0.0);
    Some(Figures { values: out.values, speech_ms: spoken as u32 * 10 })
}

/// Which way pitch and level go.
fn melody(frames: &[Frame], speech: &[bool], level: f32, out: &mut Sink) {
    let voiced = |n: usize| speech[n] && frames[n].voiced;
    let value = |n: usize, lld: Lld| frames[n].values[lld as usize];
    let ((mut up, mut ups), (mut down, mut downs)) = ((0.0, 0.0), (0.0, 0.0));
    let ((mut louder, mut louders), (mut quieter, mut quieters)) = ((0.0, 0.0), (0.0, 0.0));
    let (mut ranges, mut stretches) = (0.0, 0.0);
    let mut stretch: Option<(f32, f32)> = None;
    for n in 0..frames.len() {
        if n > 0 && voiced(n) && voiced(n - 1) {
            let step = value(n, Lld::Pitch) - value(n - 1, Lld::Pitch);
            // More than three semitones in 10 ms is a mistake of the octave.
            if step.abs() < 3.0 {
                let (sum, count) = if step > 0.0 { (&mut up, &mut ups) } else { (&mut down, &mut downs) };
                *sum += step.abs();
                *count += 1.0;
            }
        }
        if n > 0 && speech[n] && speech[n - 1] {
            let step = value(n, Lld::Level) - value(n - 1, Lld::Level);
            let (sum, count) = if step > 0.0 { (&mut louder, &mut louders) } else { (&mut quieter, &mut quieters) };
            *sum += step.abs();
            *count += 1.0;
        }
        stretch = match (voiced(n), stretch) {
            (true, None) => Some((value(n, Lld::Pitch), value(n, Lld::Pitch))),
            (true, Some((low, high))) => Some((low.min(value(n, Lld::Pitch)), high.max(value(n, Lld::Pitch)))),
            (false, Some((low, high))) => {
                ranges += high - low;
                stretches += 1.0;
                None
            }
            (false, None) => None,
        };
    }
    if let Some((low, high)) = stretch {
        ranges += high - low;
        stretches += 1.0;
    }
    let places = || (0..frames.len()).filter(|&n| voiced(n));
    let time = |n: usize| n as f32 / 100.0;
    let (trend, _) = line(places().map(|n| (time(n), value(n, Lld::Pitch))));
    let (_, with_pitch) = line(places().map(|n| (value(n, Lld::Level) - level, value(n, Lld::Pitch))));
    let (_, with_balance) = line(places().map(|n| (value(n, Lld::Level) - level, value(n, Lld::Alpha))));
    out.put(up / f32::max(ups, 1.0));
    out.put(down / f32::max(downs, 1.0));
    out.put(trend);
    out.put(ranges / f32::max(stretches, 1.0));
    out.put(ups / f32::max(ups + downs, 1.0));
    out.put(with_pitch);
    out.put(with_balance);
    out.put(louder / f32::max(louders, 1.0));
    out.put(quieter / f32::max(quieters, 1.0));
}

/// How voice, pauses and syllables follow each other.
fn rhythm(frames: &[Frame], speech: &[bool], out: &mut Sink) {
    let seconds = frames.len() as f32 / 100.0;
    let spoken = speech.iter().filter(|&&yes| yes).count() as f32;
    let voiced = frames.iter().zip(speech).filter(|(frame, speech)| **speech && frame.voiced).count() as f32;
    out.put(voiced / spoken);
    let voice = runs(frames.len(), |n| speech[n] && frames[n].voiced, 1);
    out.put(voice.count / seconds);
    out.put(voice.mean);
    out.put(voice.spread);
    // Under 60 ms is a stop consonant, not a pause.
    let pauses = runs(frames.len(), |n| !speech[n], 6);
    out.put(pauses.count * pauses.mean / seconds);
    out.put(pauses.mean);
    // A syllable is a peak of the smoothed level, 2.5 dB over the dips beside it.
    let smooth = |n: usize| {
        let near = &frames[n.saturating_sub(3)..(n + 4).min(frames.len())];
        near.iter().map(|frame| frame.values[0]).sum::<f32>() / near.len() as f32
    };
    let (mut peaks, mut rising, mut extreme) = (0.0, true, f32::MIN);
    for (n, _) in speech.iter().enumerate().filter(|(_, speech)| **speech) {
        let level = smooth(n);
        match rising {
            true if level < extreme - 2.5 => {
                peaks += 1.0;
                (rising, extreme) = (false, level);
            }
            true => extreme = extreme.max(level),
            false if level > extreme + 2.5 => (rising, extreme) = (true, level),
            false => extreme = extreme.min(level),
        }
    }
    out.put(peaks / (spoken / 100.0));
    let breaks = (1..frames.len()).filter(|&n| speech[n] && frames[n - 1].voiced && !frames[n].voiced).count() as f32;
    out.put(breaks / (spoken / 100.0));
}

struct Runs {
    count: f32,
    /// Of their lengths, s.
    mean: f32,
    spread: f32,
}

fn runs(frames: usize, inside: impl Fn(usize) -> bool, shortest: usize) -> Runs {
    let (mut count, mut sum, mut squares, mut length) = (0.0f32, 0.0f32, 0.0f32, 0usize);
    for n in 0..=frames {
        if n < frames && inside(n) {
            length += 1;
            continue;
        }
        if length >= shortest {
            let seconds = length as f32 / 100.0;
            count += 1.0;
            sum += seconds;
            squares += seconds * seconds;
        }
        length = 0;
    }
    let mean = sum / count.max(1.0);
    Runs { count, mean, spread: (squares / count.max(1.0) - mean * mean).max(0.0).sqrt() }
}

fn mean_and_spread(values: &[f32]) -> (f32, f32) {
    let n = values.len().max(1) as f32;
    let mean = values.iter().sum::<f32>() / n;
    (mean, (values.iter().map(|v| (v - mean).powi(2)).sum::<f32>() / n).sqrt())
}

/// The values at three shares of the order, rising, without sorting all; `values` (not empty) are moved about.
fn percentiles(values: &mut [f32], shares: [f32; 3]) -> [f32; 3] {
    let mut from = 0;
    let top = values.len() - 1;
    shares.map(|share| {
        let at = (top as f32 * share).round() as usize;
        let value = *values[from..].select_nth_unstable_by(at - from, f32::total_cmp).1;
        from = at;
        value
    })
}

/// Slope of the least-squares line and the correlation.
fn line(points: impl Iterator<Item = (f32, f32)> + Clone) -> (f32, f32) {
    let n = points.clone().count().max(1) as f32;
    let (mx, my) = points.clone().fold((0.0, 0.0), |(a, b), (x, y)| (a + x / n, b + y / n));
    let (sxx, syy, sxy) = points.fold((1e-6, 1e-6, 0.0), |(a, b, c), (x, y)| {
        let (x, y) = (x - mx, y - my);
        (a + x * x, b + y * y, c + x * y)
    });
    (sxy / sxx, sxy / (sxx * syy).sqrt())
}

struct Sink {
    values: [f32; FIGURES],
    at: usize,
}

impl Sink {
    fn put(&mut self, value: f32) {
        self.values[self.at] = value;
        self.at += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_feature_has_its_own_name() {
        let distinct: std::collections::BTreeSet<_> = names().iter().collect();
        assert_eq!((names().len(), distinct.len()), (FEATURES, FEATURES));
        assert_eq!(names()[Features::LEVEL], "level, mean");
        assert_eq!(names()[Features::OVER_NOISE], "voice over the line's noise");
    }

    #[test]
    fn louder_speech_moves_the_level_alone() {
        let frame = |n: usize, gain: f32| {
            let mut values = std::array::from_fn(|k| ((n * 7 + k * 13) % 23) as f32 / 10.0);
            values[0] = -30.0 + gain + ((n * 5) % 11) as f32;
            Frame { values, voiced: n % 10 < 7 }
        };
        let frames = |gain| (0..200).map(|n| frame(n, gain)).collect::<Vec<_>>();
        let mut scratch = Scratch::new();
        let quiet = figures(&frames(0.0), &[], -70.0, &mut scratch).unwrap();
        let loud = figures(&frames(12.0), &[], -70.0, &mut scratch).unwrap();
        for (n, (a, b)) in quiet.values.iter().zip(&loud.values).enumerate() {
            let change = if n == Features::LEVEL { 12.0 } else { 0.0 };
            assert!((b - a - change).abs() < 1e-2, "{}: {a} {b}", names()[n]);
        }
    }
}

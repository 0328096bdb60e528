//! Keys as tones in the sound, at each limit of ITU-T Q.24 (as issue and reference give them: 40 ms of tone and of gap,
//! twist of 8 dB normal and 4 dB reverse, 1.5 % off accepted and 3.5 % refused, 15 dB above noise, 26 dB of levels),
//! synthesised, through mu-law and A-law, wherever a tone begins within a frame.

use frontdesk::media::{Codec, Frame, Key, Resampler, dtmf};

const ALL: &str = "147*2580369#ABCD1155";

/// A row of keys as a line may bring it.
#[derive(Clone, Copy)]
struct Line {
    codec: Codec,
    tone_ms: f64,
    gap_ms: f64,
    /// Of the louder tone.
    dbm0: f64,
    /// Column above row, dB.
    twist: f64,
    /// Of row and column, %.
    off: (f64, f64),
    /// Power of both tones above that of white noise, dB.
    signal_to_noise: f64,
}

const GOOD: Line = Line {
    codec: Codec::Pcmu,
    tone_ms: 40.0,
    gap_ms: 40.0,
    dbm0: -10.0,
    twist: 0.0,
    off: (0.0, 0.0),
    signal_to_noise: 60.0,
};

impl Line {
    /// What arrives, 8 kHz, after 100 ms and a part of a frame.
    fn brings(&self, keys: &str, random: &mut Random) -> Vec<i16> {
        let mut sound = vec![0.0; 800 + (random.next() * 160.0) as usize];
        // A sine of +3.17 dBm0 fills the scale of mu-law, +3.14 dBm0 that of A-law.
        let amplitude = |dbm0: f64| 10f64.powf((dbm0 - 3.17) / 20.0);
        let row = amplitude(self.dbm0 - self.twist.max(0.0));
        let column = amplitude(self.dbm0 + self.twist.min(0.0));
        for key in keys.chars() {
            let (low, high) = Key::new(key).unwrap().hertz();
            let (low, high) =
                (f64::from(low) * (1.0 + self.off.0 / 100.0), f64::from(high) * (1.0 + self.off.1 / 100.0));
            let (p, q) = (random.next() * std::f64::consts::TAU, random.next() * std::f64::consts::TAU);
            for n in 0..(self.tone_ms * 8.0) as usize {
                let angle = n as f64 / 8_000.0 * std::f64::consts::TAU;
                sound.push(row * (angle * low + p).sin() + column * (angle * high + q).sin());
            }
            sound.resize(sound.len() + (self.gap_ms * 8.0) as usize, 0.0);
        }
        sound.resize(sound.len().next_multiple_of(160) + 800, 0.0);
        let power = (row * row + column * column) / 2.0;
        let noise = (power / 10f64.powf(self.signal_to_noise / 10.0)).sqrt();
        let samples: Vec<i16> = sound.iter().map(|s| ((s + noise * random.normal()) * 32_767.0) as i16).collect();
        through(self.codec, &samples)
    }

    /// Keys counted in `rounds` times all keys; each round begins elsewhere in a frame.
    fn counted(&self, rounds: usize) -> Vec<String> {
        let mut random = Random(0x9e37_79b9_7f4a_7c15);
        (0..rounds).map(|_| heard(&self.brings(ALL, &mut random))).collect()
    }
}

fn through(codec: Codec, samples: &[i16]) -> Vec<i16> {
    let mut payload = vec![0; samples.len()];
    let mut back = vec![0; samples.len()];
    codec.encoder().encode(samples, &mut payload);
    codec.decoder().decode(&payload, &mut back);
    back
}

fn heard(samples: &[i16]) -> String {
    let mut detector = dtmf::Detector::new();
    let frames = samples.chunks_exact(160).map(|chunk| Frame::from_samples(8_000, chunk));
    frames.filter_map(|frame| detector.hear(&frame, false).pressed).map(Key::as_char).collect()
}

/// A fixed row of numbers, so that a failure can be repeated.
struct Random(u64);

impl Random {
    /// 0..1
    fn next(&mut self) -> f64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) as f64 / (1u64 << 53) as f64
    }

    fn normal(&mut self) -> f64 {
        let (a, b) = (self.next().max(1e-12), self.next());
        (-2.0 * a.ln()).sqrt() * (std::f64::consts::TAU * b).cos()
    }
}

fn each_codec(lines: impl IntoIterator<Item = (String, Line)>, expected: &str) {
    for (what, line) in lines {
        for codec in [Codec::Pcmu, Codec::Pcma] {
            for (round, keys) in (Line { codec, ..line }).counted(20).into_iter().enumerate() {
                assert_eq!(keys, expected, "{what}, {codec:?}, round {round}");
            }
        }
    }
}

#[test]
fn all_keys_at_every_limit() {
    let mut lines = vec![("40 ms of tone, 40 ms of gap".into(), GOOD)];
    for dbm0 in [-3.0, -10.0, -20.0, -29.0] {
        lines.push((format!("{dbm0} dBm0 a tone"), Line { dbm0, ..GOOD }));
    }
    for twist in [-8.0, -4.0, 4.0] {
        for signal_to_noise in [60.0, 15.0] {
            let line = Line { twist, signal_to_noise, ..GOOD };
            lines.push((format!("twist {twist} dB, {signal_to_noise} dB above noise"), line));
        }
    }
    for (row, column) in
        [(1.5, 0.0), (-1.5, 0.0), (0.0, 1.5), (0.0, -1.5), (1.5, 1.5), (-1.5, -1.5), (1.5, -1.5), (-1.5, 1.5)]
    {
        for (twist, signal_to_noise) in [(0.0, 60.0), (-8.0, 15.0), (4.0, 15.0)] {
            let line = Line { off: (row, column), twist, signal_to_noise, ..GOOD };
            lines.push((format!("{row} and {column} % off, twist {twist}, {signal_to_noise} dB above noise"), line));
        }
    }
    for (tone_ms, gap_ms) in [(40.0, 200.0), (100.0, 40.0), (65.0, 65.0), (1_000.0, 40.0)] {
        lines.push((format!("{tone_ms} ms of tone, {gap_ms} ms of gap"), Line { tone_ms, gap_ms, ..GOOD }));
    }
    // The corner of all.
    let corner = Line { dbm0: -21.0, twist: -8.0, off: (1.5, -1.5), signal_to_noise: 15.0, ..GOOD };
    lines.push(("the row at -21 dBm0, the column at -29, off, in noise".into(), corner));
    each_codec(lines, ALL);
}

#[test]
fn no_key_beyond_the_limits() {
    let mut lines = vec![];
    for off in [3.5, -3.5, 5.0, -5.0] {
        for (tone_ms, signal_to_noise) in [(40.0, 60.0), (500.0, 60.0), (500.0, 15.0)] {
            let line = Line { tone_ms, signal_to_noise, ..GOOD };
            lines.push((format!("row {off} % off, {tone_ms} ms"), Line { off: (off, 0.0), ..line }));
            lines.push((format!("column {off} % off, {tone_ms} ms"), Line { off: (0.0, off), ..line }));
        }
    }
    lines.push(("20 ms of tone".into(), Line { tone_ms: 20.0, ..GOOD }));
    lines.push(("a twist of -12 dB".into(), Line { twist: -12.0, tone_ms: 100.0, ..GOOD }));
    lines.push(("a reverse twist of 8 dB".into(), Line { twist: 8.0, tone_ms: 100.0, ..GOOD }));
    lines.push(("-45 dBm0".into(), Line { dbm0: -45.0, tone_ms: 100.0, ..GOOD }));
    lines.push(("one tone alone".into(), Line { twist: -60.0, tone_ms: 500.0, ..GOOD }));
    each_codec(lines, "");
}

/// The first two harmonics of a scream, which come near "6", "3" or "9": an octave apart, and never still.
#[test]
fn a_voice_that_wavers_near_an_octave_is_no_key() {
    for key in "369".chars() {
        let (row, column) = Key::new(key).unwrap().hertz();
        for waver in [9.5, 10.0] {
            let (mut sound, mut low, mut high) = (vec![0i16; 1_600], 0.0, 0.0);
            for n in 0..2_400 {
                let swing = waver * (f64::from(n) / 8_000.0 * 30.0 * std::f64::consts::TAU).sin();
                low += (f64::from(row) * 0.984 + swing) / 8_000.0;
                high += (f64::from(column) * 1.015 + swing) / 8_000.0;
                let wave = |turns: f64| (turns * std::f64::consts::TAU).sin();
                sound.push((6_000.0 * (wave(low) + wave(high))) as i16);
            }
            sound.resize(sound.len() + 1_600, 0);
            assert_eq!(heard(&through(Codec::Pcmu, &sound)), "", "{key}, {waver} Hz");
        }
    }
}

#[test]
fn a_hole_of_ten_milliseconds_does_not_make_two_of_one() {
    for at_ms in [40, 45, 50, 55, 60] {
        let mut random = Random(7);
        let mut sound = Line { tone_ms: 120.0, ..GOOD }.brings("5", &mut random);
        let begin = sound.iter().position(|s| s.unsigned_abs() > 300).unwrap() + at_ms * 8;
        sound[begin..begin + 80].fill(0);
        assert_eq!(heard(&sound), "5", "a hole after {at_ms} ms");
    }
}

#[test]
fn a_key_held_for_a_minute_is_one_press() {
    let line = Line { tone_ms: 60_000.0, signal_to_noise: 15.0, ..GOOD };
    assert_eq!(heard(&line.brings("9", &mut Random(3))), "9");
}

#[test]
fn the_tones_of_ours_are_keys_at_every_rate() {
    for rate in [8_000, 16_000, 48_000] {
        let (mut tones, mut detector, mut keys) = (dtmf::Tones::new(), dtmf::Detector::new(), String::new());
        assert!(ALL.chars().all(|key| tones.press(Key::new(key).unwrap())));
        let mut down = Resampler::new(rate, 8_000).unwrap();
        let mut steepest = 0;
        loop {
            let mut frame = Frame::silence(rate);
            let goes_on = tones.next(&mut frame);
            keys.extend(detector.hear(&frame, false).pressed.map(Key::as_char));
            let mut narrow = Frame::silence(8_000);
            down.run(&frame, &mut narrow);
            let pairs = narrow.samples().windows(2).map(|pair| (i32::from(pair[0]) - i32::from(pair[1])).abs());
            steepest = steepest.max(pairs.max().unwrap());
            if !goes_on {
                break;
            }
        }
        assert_eq!(keys, ALL, "{rate} Hz");
        // Two sines of -11 and -9 dBm0: 6 400 and 8 050 at 941 and 1 633 Hz climb 14 100 a sample at most.
        assert!(steepest < 14_500, "{steepest}: no clicks");
    }
    let mut tones = dtmf::Tones::new();
    assert_eq!((0..40).filter(|_| tones.press(Key::new('1').unwrap())).count(), 32, "a full queue says so");
}

#[test]
fn tones_are_reported_as_such_from_their_first_frames_to_their_last() {
    let sound = Line { tone_ms: 100.0, gap_ms: 200.0, ..GOOD }.brings("42", &mut Random(11));
    let mut detector = dtmf::Detector::new();
    let mut left = 0;
    for chunk in sound.chunks_exact(160) {
        let heard = detector.hear(&Frame::from_samples(8_000, chunk), false);
        left += if heard.tone { 0 } else { chunk.iter().filter(|s| s.unsigned_abs() > 300).count() };
    }
    assert!(left <= 2 * 20 * 8, "{left} samples of two tones pass as something else: 20 ms each at most");
}

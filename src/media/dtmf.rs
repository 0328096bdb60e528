//! Keys as the two tones a telephone sends in the sound itself (ITU-T Q.23), found within the limits of ITU-T Q.24,
//! and made, for phones that know no other keys.
//!
//! Every 5 ms a Hann window over the last 20 ms is taken at the eight frequencies by Goertzel's recursion. How far a
//! tone's phase moves from window to window gives its frequency to about 1 Hz, so that 1.5 % off is told from 3.5 % off
//! within a tone of 40 ms, which window length alone cannot do. What speech hardly ever is for 35 ms: two steady
//! tones, of the right frequencies, of like loudness, with nothing beside them.

use std::f32::consts::{PI, TAU};

use super::{Converter, Frame, Key};

/// Rows and columns of the keypad, Hz (Q.23).
pub const ROWS: [f32; 4] = [697.0, 770.0, 852.0, 941.0];
pub const COLUMNS: [f32; 4] = [1_209.0, 1_336.0, 1_477.0, 1_633.0];
const KEYPAD: [[char; 4]; 4] = [['1', '2', '3', 'A'], ['4', '5', '6', 'B'], ['7', '8', '9', 'C'], ['*', '0', '#', 'D']];

const RATE: u32 = 8_000;
/// Samples between two looks, and under one.
const HOP: usize = 40;
const WINDOW: usize = 160;
/// Weakest tone heard: mean square, full scale 1.0; -36 dBm0, as a sine of +3.17 dBm0 fills the scale. Q.24's range of
/// 26 dB ends at -29 dBm0.
const WEAKEST: f32 = 5.6e-5;
/// Share of the two tones in all energy: a window filled to three quarters by a tone leaves 0.84 of it, ...
const PURE: f32 = 0.78;
/// ... and a signal-to-noise ratio of 15 dB 0.97, in a window within the tone. A tone of 40 ms has four or five of those.
const PUREST: f32 = 0.92;
const PUREST_LOOKS: u32 = 4;
/// The same while a key is down.
const STILL_PURE: f32 = 0.6;
/// Row above column and column above row, as ratios of power: Q.24's 8 and 4 dB and a little, over a press; in one look
/// noise adds more.
const NORMAL_TWIST: f32 = 8.0;
const REVERSE_TWIST: f32 = 3.2;
const LOOK_TWIST: f32 = 1.6;
/// Off the nominal frequency, of which 1.5 % is to be accepted and 3.5 % to be refused: over a press, and in one hop.
const OFF: f32 = 0.021;
const HOP_OFF: f32 = 0.04;
/// Row and column against each other: 1.5 % either way. Two harmonics of a voice (2 : 1, 3 : 2) are 4 % off every key.
const RATIO_OFF: f32 = 0.034;
/// How well the turns agree: a voice glides, a tone of 15 dB above noise wavers by 0.07 rad a hop.
const STILL: f32 = 0.985;
/// Row and column so far towards each other's octave may be a scream's first two harmonics, which waver more than any tone
/// does: 1 key was heard in 9 hours of speech, a third of it acted, before this was asked.
const NEAR_OCTAVE: f32 = -0.025;
const STILL_NEAR_OCTAVE: f32 = 0.993;
/// A press is so many looks in a row: as many see a tone of 40 ms wherever it begins, and fewer one of 24 ms.
const PRESS: u32 = 5;
/// So many looks without it, and the key is up: a gap of 40 ms is 9, a hole of 20 ms is 6 at most.
const RELEASE: u32 = 7;
/// Loudest to softest look of a press, ratio of power: tones are steady, also where the window's edge cuts them.
const STEADY: f32 = 2.0;

/// What a stretch of sound held.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Heard {
    /// A key went down in it.
    pub pressed: Option<Key>,
    /// It is, at least in part, the sound of a key (which may turn out too short to be one).
    pub tone: bool,
    /// A key is down, or was until a moment ago.
    pub down: bool,
}

/// Hears keys in one stream of sound. Allocates at the first frame of another rate than 8 kHz only.
pub struct Detector {
    down: Converter,
    /// The last 20 ms, full scale 1.0.
    sound: [f32; WINDOW],
    /// Waits for a whole hop, at the end of `sound`.
    partial: usize,
    window: [f32; WINDOW],
    bank: Bank,
    /// Spectrum of the last look.
    last: Spectrum,
    /// Looks until what was made up has left the window.
    made_up: u32,
    state: State,
}

impl Default for Detector {
    fn default() -> Self {
        Self::new()
    }
}

#[derive(Clone, Copy)]
enum State {
    Idle,
    Maybe(Candidate),
    Down { key: (usize, usize), missed: u32, next: Option<Candidate> },
}

/// A key that may be going down.
#[derive(Clone, Copy)]
struct Candidate {
    key: (usize, usize),
    looks: u32,
    purest: u32,
    /// Turns of the row's and the column's phase a hop, weighted by power.
    turn: [(f32, f32); 2],
    /// The same without their directions: as long as the sum above where the frequency stands still.
    turned: [f32; 2],
    /// Sums of the row's and the column's power.
    power: [f32; 2],
    softest: f32,
    loudest: f32,
}

impl Detector {
    pub fn new() -> Self {
        Self {
            down: Converter::default(),
            sound: [0.0; WINDOW],
            partial: 0,
            window: std::array::from_fn(|n| 0.5 - 0.5 * (TAU * (n as f32 + 0.5) / WINDOW as f32).cos()),
            bank: Bank::new(),
            last: Spectrum::default(),
            made_up: 0,
            state: State::Idle,
        }
    }

    /// Takes the next 20 ms. `made_up`: they were concealed, so that they neither begin nor end a press.
    pub fn hear(&mut self, frame: &Frame, made_up: bool) -> Heard {
        let mut narrow = Frame::silence(RATE);
        self.down.run(frame, &mut narrow);
        self.samples(narrow.samples(), made_up)
    }

    /// Takes samples of 8 kHz, any number of them; of several presses in one go the last is given.
    fn samples(&mut self, samples: &[i16], made_up: bool) -> Heard {
        let mut heard = Heard::default();
        let mut rest = samples;
        while !rest.is_empty() {
            let n = rest.len().min(HOP - self.partial);
            self.sound.copy_within(n.., 0);
            for (to, &from) in self.sound[WINDOW - n..].iter_mut().zip(rest) {
                *to = f32::from(from) / 32_768.0;
            }
            rest = &rest[n..];
            self.partial += n;
            if self.partial == HOP {
                self.partial = 0;
                self.look(made_up, &mut heard);
            }
        }
        heard.down = matches!(self.state, State::Down { .. });
        heard
    }

    fn look(&mut self, made_up: bool, heard: &mut Heard) {
        self.made_up = if made_up { (WINDOW / HOP) as u32 } else { self.made_up.saturating_sub(1) };
        let now = Spectrum::of(&self.bank, &self.window, &self.sound);
        let found = self.judge(&now);
        self.last = now;
        let unsure = self.made_up > 0;
        self.state = match self.state {
            State::Idle => match found.filter(|_| !unsure) {
                Some(tone) => State::Maybe(Candidate::begin(tone)),
                None => State::Idle,
            },
            State::Maybe(candidate) => match candidate.goes_on(found, unsure) {
                Some(candidate) if candidate.is_press() => {
                    heard.pressed = Some(candidate.name());
                    State::Down { key: candidate.key, missed: 0, next: None }
                }
                Some(candidate) => State::Maybe(candidate),
                None => found.filter(|_| !unsure).map_or(State::Idle, |tone| State::Maybe(Candidate::begin(tone))),
            },
            State::Down { key, missed, next } => {
                let same = now.purity_at(key) >= STILL_PURE && now.power_at(key) >= WEAKEST;
                let next = match next {
                    Some(candidate) => candidate.goes_on(found, unsure),
                    None => found.filter(|tone| tone.key != key && !unsure).map(Candidate::begin),
                };
                let missed = match (same, unsure) {
                    (true, _) => 0,
                    (false, true) => missed,
                    (false, false) => missed + 1,
                };
                match next {
                    Some(next) if next.is_press() => {
                        heard.pressed = Some(next.name());
                        State::Down { key: next.key, missed: 0, next: None }
                    }
                    Some(next) if missed >= RELEASE => State::Maybe(next),
                    None if missed >= RELEASE => State::Idle,
                    next => State::Down { key, missed, next },
                }
            }
        };
        heard.tone |= match &self.state {
            State::Idle => false,
            // One look is like a key now and then in speech, two hardly ever.
            State::Maybe(candidate) => candidate.looks > 1,
            State::Down { .. } => true,
        };
    }

    /// The pair of tones in this look, if it is one.
    fn judge(&self, now: &Spectrum) -> Option<Tone> {
        let key = (loudest(&now.power[..4]), loudest(&now.power[4..]));
        let (row, column) = (key.0, key.1 + 4);
        let turn = [row, column].map(|n| {
            let (re, im) = now.turn(&self.last, n);
            // Against the nominal frequency.
            let (cos, sin) = self.bank.hop[n];
            (re * cos + im * sin, im * cos - re * sin)
        });
        let off = [row, column].map(|n| hertz(turn[usize::from(n > 3)]) / FREQUENCIES[n]);
        let power = [row, column].map(|n| now.power[n] * droop(off[usize::from(n > 3)] * FREQUENCIES[n]));
        let fits = off.iter().all(|off| off.abs() <= HOP_OFF)
            && power[0].min(power[1]) >= WEAKEST
            && power[0] <= power[1] * NORMAL_TWIST * LOOK_TWIST
            && power[1] <= power[0] * REVERSE_TWIST * LOOK_TWIST
            && power[0] + power[1] >= PURE * now.energy;
        let pure = power[0] + power[1] >= PUREST * now.energy;
        fits.then_some(Tone { key, turn, power, pure })
    }
}

/// Two tones in one look.
#[derive(Clone, Copy)]
struct Tone {
    key: (usize, usize),
    turn: [(f32, f32); 2],
    /// Of row and column.
    power: [f32; 2],
    pure: bool,
}

impl Candidate {
    fn begin(tone: Tone) -> Self {
        // Its turn came partly from before: it does not count.
        Self {
            key: tone.key,
            looks: 1,
            purest: u32::from(tone.pure),
            turn: [(0.0, 0.0); 2],
            turned: [0.0; 2],
            power: tone.power,
            softest: tone.power[0] + tone.power[1],
            loudest: tone.power[0] + tone.power[1],
        }
    }

    /// After one more look; `None` when it was none.
    fn goes_on(mut self, found: Option<Tone>, unsure: bool) -> Option<Self> {
        let Some(tone) = found.filter(|tone| tone.key == self.key) else { return unsure.then_some(self) };
        if unsure {
            return Some(self);
        }
        self.looks += 1;
        self.purest += u32::from(tone.pure);
        for (sum, turn) in self.turn.iter_mut().zip(tone.turn) {
            (sum.0, sum.1) = (sum.0 + turn.0, sum.1 + turn.1);
        }
        for (sum, turn) in self.turned.iter_mut().zip(tone.turn) {
            *sum += turn.0.hypot(turn.1);
        }
        let power = tone.power[0] + tone.power[1];
        self.power = [self.power[0] + tone.power[0], self.power[1] + tone.power[1]];
        (self.softest, self.loudest) = (self.softest.min(power), self.loudest.max(power));
        (self.loudest <= self.softest * STEADY).then_some(self)
    }

    fn is_press(&self) -> bool {
        let row = hertz(self.turn[0]) / ROWS[self.key.0];
        let column = hertz(self.turn[1]) / COLUMNS[self.key.1];
        let seen = self.looks >= PRESS && self.purest >= PUREST_LOOKS;
        let like = self.power[0] <= self.power[1] * NORMAL_TWIST && self.power[1] <= self.power[0] * REVERSE_TWIST;
        let needed = if row - column < NEAR_OCTAVE { STILL_NEAR_OCTAVE } else { STILL };
        let still = self.turn.iter().zip(self.turned).all(|(turn, all)| turn.0.hypot(turn.1) >= needed * all);
        seen && like && still && row.abs() <= OFF && column.abs() <= OFF && (row - column).abs() <= RATIO_OFF
    }

    fn name(&self) -> Key {
        Key::from_keypad(self.key)
    }
}

impl Key {
    fn from_keypad((row, column): (usize, usize)) -> Self {
        // Every character of the keypad is a key.
        Key::new(KEYPAD[row][column]).unwrap_or_else(|| unreachable!("the keypad has keys only"))
    }

    /// Frequencies of its row and column, Hz (Q.23).
    pub fn hertz(self) -> (f32, f32) {
        let at = KEYPAD.iter().flatten().position(|&key| key == self.as_char()).unwrap_or(0); // it has every key
        (ROWS[at / 4], COLUMNS[at % 4])
    }
}

/// Sends presses as tones, in place of other sound. `next` allocates nothing.
#[derive(Debug, Default)]
pub struct Tones {
    waiting: [Option<Key>; 32],
    len: usize,
    /// Frames of the first key that were sent.
    frames: u32,
}

/// Frames that a key sounds and that follow it in silence: 100 and 80 ms, twice what Q.24 lets a receiver demand.
const SOUNDS: u32 = 5;
const RESTS: u32 = 4;
/// Level of row and column, dBm0: the higher tone, which lines weaken more, leaves 2 dB stronger (ETSI ES 201 235-2).
const LEVELS: (f32, f32) = (-11.0, -9.0);
/// Each end is ramped this long, seconds.
const RAMP_S: f32 = 0.002;

impl Tones {
    pub fn new() -> Self {
        Self::default()
    }

    /// Presses a key after those already waiting; false when 32 wait and it was dropped.
    pub fn press(&mut self, key: Key) -> bool {
        let free = self.waiting.get_mut(self.len);
        let room = free.is_some();
        if let Some(free) = free {
            *free = Some(key);
            self.len += 1;
        }
        room
    }

    /// The key that is being sent; until it is `None` nothing else is heard.
    pub fn sending(&self) -> Option<Key> {
        self.waiting[0]
    }

    /// The next 20 ms at the frame's rate; false when there is no key to send.
    pub fn next(&mut self, frame: &mut Frame) -> bool {
        let Some(key) = self.waiting[0] else { return false };
        frame.samples_mut().fill(0);
        if self.frames < SOUNDS {
            tone(key, LEVELS, self.frames as usize * frame.len(), SOUNDS as usize * frame.len(), frame);
        }
        self.frames += 1;
        if self.frames == SOUNDS + RESTS {
            self.frames = 0;
            self.waiting.rotate_left(1);
            self.len -= 1;
            self.waiting[self.len..].fill(None);
        }
        true
    }
}

/// Samples `from..` of a tone that is `len` samples long.
fn tone(key: Key, (row_db, column_db): (f32, f32), from: usize, len: usize, frame: &mut Frame) {
    let rate = frame.rate() as f32;
    let (row, column) = key.hertz();
    let amplitude = |dbm0: f32| 10f32.powf((dbm0 - 3.17) / 20.0) * 32_767.0;
    let (low, high) = (amplitude(row_db), amplitude(column_db));
    for (n, sample) in frame.samples_mut().iter_mut().enumerate() {
        let at = from + n;
        let seconds = at as f32 / rate;
        let ramp = (at.min(len - at) as f32 / (RAMP_S * rate)).min(1.0);
        *sample = (ramp * (low * (TAU * row * seconds).sin() + high * (TAU * column * seconds).sin())) as i16;
    }
}

const FREQUENCIES: [f32; 8] = [ROWS[0], ROWS[1], ROWS[2], ROWS[3], COLUMNS[0], COLUMNS[1], COLUMNS[2], COLUMNS[3]];

/// Goertzel's constants at the eight frequencies.
struct Bank {
    double_cos: [f32; 8],
    cos: [f32; 8],
    sin: [f32; 8],
    /// What a hop turns the phase.
    hop: [(f32, f32); 8],
}

impl Bank {
    fn new() -> Self {
        let step = FREQUENCIES.map(|hz| f64::from(hz) * std::f64::consts::TAU / f64::from(RATE));
        Self {
            double_cos: step.map(|step| 2.0 * step.cos() as f32),
            cos: step.map(|step| step.cos() as f32),
            sin: step.map(|step| step.sin() as f32),
            hop: step.map(|step| {
                let turn = step * HOP as f64;
                (turn.cos() as f32, turn.sin() as f32)
            }),
        }
    }
}

/// One look: at each frequency the amplitude with its phase and the mean square of a sine of that amplitude; and the
/// mean square of everything under the window.
#[derive(Clone, Copy, Default)]
struct Spectrum {
    re: [f32; 8],
    im: [f32; 8],
    power: [f32; 8],
    energy: f32,
}

impl Spectrum {
    fn of(bank: &Bank, window: &[f32; WINDOW], sound: &[f32; WINDOW]) -> Self {
        let (mut s1, mut s2) = ([0.0f32; 8], [0.0f32; 8]);
        let mut energy = 0.0;
        for (sample, weight) in sound.iter().zip(window) {
            let weighted = sample * weight;
            energy += weighted * weighted;
            for n in 0..8 {
                let s0 = weighted + bank.double_cos[n] * s1[n] - s2[n];
                (s2[n], s1[n]) = (s1[n], s0);
            }
        }
        let re: [f32; 8] = std::array::from_fn(|n| s1[n] - bank.cos[n] * s2[n]);
        let im: [f32; 8] = std::array::from_fn(|n| bank.sin[n] * s2[n]);
        // A Hann window's weights have the mean 1/2 and the mean square 3/8.
        let amplitude = 2.0 / (0.5 * WINDOW as f32);
        let power = std::array::from_fn(|n| 0.5 * amplitude * amplitude * (re[n] * re[n] + im[n] * im[n]));
        Self { re, im, power, energy: energy / (0.375 * WINDOW as f32) }
    }

    /// How far frequency `n` turned since `before`, times the product of both amplitudes.
    fn turn(&self, before: &Spectrum, n: usize) -> (f32, f32) {
        (self.re[n] * before.re[n] + self.im[n] * before.im[n], self.im[n] * before.re[n] - self.re[n] * before.im[n])
    }

    fn power_at(&self, (row, column): (usize, usize)) -> f32 {
        self.power[row].min(self.power[column + 4])
    }

    fn purity_at(&self, (row, column): (usize, usize)) -> f32 {
        (self.power[row] + self.power[column + 4]) / self.energy.max(f32::MIN_POSITIVE)
    }
}

fn loudest(powers: &[f32]) -> usize {
    (1..powers.len()).fold(0, |best, n| if powers[n] > powers[best] { n } else { best })
}

/// The frequency that turns so far in a hop.
fn hertz((re, im): (f32, f32)) -> f32 {
    im.atan2(re) * RATE as f32 / (TAU * HOP as f32)
}

/// What the window takes from the power of a tone `off` Hz beside the frequency looked at, undone: one over the square of
/// the Hann window's transform, sinc(x) / (1 - x^2).
fn droop(off: f32) -> f32 {
    let x = (off * WINDOW as f32 / RATE as f32).abs().clamp(1e-3, 0.9);
    let response = (PI * x).sin() / (PI * x) / (1.0 - x * x);
    1.0 / (response * response)
}

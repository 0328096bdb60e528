//! Turn taking on the caller's side: frames in; beginnings, pauses and ends of turns out. Sans-IO, one a call.
//!
//! A pause hands the turn so far to the recogniser and the turn model ahead of time; the end of the turn is then
//! decided by how long the silence lasts and what the model makes of it (`by_silence`), what was understood so far
//! (`by_meaning`) and how long the turn has become (`by_length`).

mod background;
mod by_length;
mod by_meaning;
mod by_silence;

use std::collections::VecDeque;

use self::background::{Background, power};
use super::samples::Samples;
use super::vad::{Activity, ActivitySettings, CHUNK, CHUNK_MS, Change, Vad};
use crate::dialog::Expect;
use crate::media::{Converter, Frame};

/// Names a pause: the turn as it was at that moment.
pub type TurnId = u32;

/// How turns are cut; the defaults suit a telephone.
#[derive(Clone, Debug, PartialEq)]
pub struct ListenerSettings {
    pub activity: ActivitySettings,
    /// Sound kept from before the first voice, ms: soft consonants come before it.
    pub preroll_ms: u32,
    /// Silence that counts as a pause and starts the recogniser, ms.
    pub pause_ms: u32,
    /// The same while a prompt waits for the text: half a word is not to decide what becomes of it.
    pub waited_pause_ms: u32,
    /// A turn that has gone on without a pause for so long is worth a reading: it may be other people's talk, ms.
    pub unbroken_ms: u32,
    /// The same while a prompt waits, ms.
    pub waited_unbroken_ms: u32,
    /// Longest turn, ms; below the 30 s that the recogniser hears at once.
    pub longest_ms: u32,
}

impl Default for ListenerSettings {
    fn default() -> Self {
        Self {
            activity: ActivitySettings::default(),
            preroll_ms: 320,
            pause_ms: 64,
            waited_pause_ms: 96,
            unbroken_ms: 6_000,
            waited_unbroken_ms: 2_500,
            longest_ms: 28_000,
        }
    }
}

/// What was heard. Sound is 16 kHz mono, full scale 1.0, with a little silence before and after.
#[derive(Clone, Debug, PartialEq)]
pub enum Heard {
    SpeechStarted,
    /// The caller paused; this may be the whole turn, and reading it may begin.
    Paused {
        turn: Samples,
        start_ms: u64,
        end_ms: u64,
        id: TurnId,
    },
    /// The pause lasts: time for the turn model's word, `turn_probability`, and later for another if it was not sure.
    Lasting {
        turn: Samples,
        id: TurnId,
    },
    /// The turn goes on and on: what is it so far? To be answered by `Listener::background` if it is nothing, or
    /// nothing new, else by `Listener::ask_again`.
    Unbroken {
        turn: Samples,
        id: TurnId,
    },
    /// The caller goes on: what the last `Paused` gave was not the whole turn.
    Resumed,
    /// The turn is over. Its sound is that of the `Paused` of the same id, if there was one.
    TurnEnded {
        id: TurnId,
        audio: Samples,
        start_ms: u64,
        end_ms: u64,
    },
}

/// What one frame brought, in order.
pub type Events = std::iter::Flatten<std::array::IntoIter<Option<Heard>, 3>>;

/// Hears one caller.
pub struct Listener {
    settings: ListenerSettings,
    expect: Expect,
    vad: Vad,
    activity: Activity,
    up: Converter,
    /// Samples that do not fill a chunk yet, at the end of `sound`.
    partial: usize,
    /// 16 kHz: the pre-roll, or the turn so far with its pre-roll.
    sound: VecDeque<i16>,
    /// Sample number, over the call, of the first in `sound`.
    first: u64,
    /// Ms of the call at sample 0, as of the last frame.
    origin_ms: i64,
    turn: Option<Turn>,
    next_id: TurnId,
    background: Background,
    /// A prompt waits for what is read.
    waited_for: bool,
}

struct Turn {
    start_ms: u64,
    /// Mean square of the loudest chunk.
    loudest: f32,
    /// Chunks since the beginning, or since it was asked what this is.
    unasked: u32,
    /// Sample numbers, over the call, where it was asked what this is, the last time and the time before.
    asked: [Option<u64>; 2],
    /// To the last time there is no answer yet.
    unanswered: bool,
    pause: Option<Pause>,
}

impl Turn {
    fn new(start_ms: u64) -> Self {
        Self { start_ms, loudest: 0.0, unasked: 0, asked: [None; 2], unanswered: false, pause: None }
    }
}

struct Pause {
    id: TurnId,
    audio: Samples,
    end_ms: u64,
    /// That the turn is over, as the turn model sees it; the higher word of two.
    probability: Option<f32>,
    /// How often the turn model was asked.
    judged: usize,
    /// After how much silence it was asked last.
    judged_ms: u32,
    /// The text is there.
    read: bool,
    meaning: Option<Meaning>,
}

/// What a reading of a turn that may not be over yet says about what is still to come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Meaning {
    /// It can mean only one thing, whatever follows.
    Complete,
    /// It is less than was asked for: three of four digits.
    Unfinished,
    /// The same of several values in a sentence: the caller may leave the rest for later.
    Part,
}

const RATE: u32 = 16_000;
/// What is this much (28 dB, as mean squares) below the loudest of the turn is silence, even where voice activity has
/// not noticed yet: it lags by 90 ms. On a line as noisy as that voice activity alone decides.
const SILENT: f32 = 0.001_6;
const SAMPLES_A_MS: u64 = 16;

impl Listener {
    pub fn new(settings: ListenerSettings) -> Self {
        let preroll = (settings.preroll_ms as usize + 200) * SAMPLES_A_MS as usize;
        Self {
            activity: Activity::new(settings.activity),
            expect: Expect::Free,
            vad: Vad::new(),
            up: Converter::default(),
            partial: 0,
            sound: VecDeque::with_capacity(preroll),
            first: 0,
            origin_ms: 0,
            turn: None,
            next_id: 0,
            background: Background::default(),
            waited_for: false,
            settings,
        }
    }

    /// What the caller was asked for; decides how long a pause may be.
    pub fn expect(&mut self, expect: Expect) {
        self.expect = expect;
    }

    /// A prompt that the caller speaks into waits, or does no more.
    pub fn waited_for(&mut self, waits: bool) {
        self.waited_for = waits;
    }

    /// Takes 20 ms of sound that begin at `now_ms` of the call, of any rate. Allocates at the events only, and now
    /// and then while a turn grows.
    pub fn hear(&mut self, now_ms: u64, frame: &Frame) -> Events {
        self.hear_gated(now_ms, frame, true)
    }

    /// As `hear`; while `audible` is false the sound is kept, but nothing in it is taken for the caller's voice.
    pub fn hear_gated(&mut self, now_ms: u64, frame: &Frame, audible: bool) -> Events {
        let mut events = Collected::default();
        let wide = self.widened(frame);
        let heard = self.first + self.sound.len() as u64;
        self.origin_ms = now_ms as i64 - (heard / SAMPLES_A_MS) as i64;
        self.sound.extend(wide.samples());
        self.partial += wide.len();
        while self.partial >= CHUNK {
            let at = self.sound.len() - self.partial;
            let mut chunk = [0; CHUNK];
            chunk.iter_mut().zip(self.sound.range(at..at + CHUNK)).for_each(|(to, &from)| *to = from);
            self.partial -= CHUNK;
            let score = self.vad.score(&chunk);
            let power = power(&chunk);
            let silent = match &self.turn {
                Some(turn) => turn.loudest * SILENT,
                None => {
                    self.background.follow(power);
                    0.0
                }
            };
            let faint = power < silent.max(self.background.threshold());
            let change = self.activity.hear(if audible && !faint { score } else { 0.0 });
            self.step(change, power, &mut events);
        }
        events.into_iter()
    }

    /// The turn model's word on a pause: how likely it ended the turn, 0..=1. Heeded only while that pause lasts; it may
    /// be what the end waited for.
    pub fn turn_probability(&mut self, id: TurnId, probability: f32) -> Option<Heard> {
        let pause = self.pause_of(id)?;
        pause.probability = Some(pause.probability.map_or(probability, |before| before.max(probability)));
        self.decide()
    }

    /// What the turn says as far as it was read at a pause; heeded as `turn_probability` is.
    pub fn meaning(&mut self, id: TurnId, meaning: Option<Meaning>) -> Option<Heard> {
        let pause = self.pause_of(id)?;
        (pause.read, pause.meaning) = (true, meaning);
        self.decide()
    }

    /// What came between the last two questions what this is, or until the first, or up to now where none was put, is
    /// nothing that is said to us: what does not stand out of it is not heard any more. Ends the turn where nothing else
    /// is left of it; otherwise a new one begins with what came since, and this is true.
    pub fn background(&mut self) -> bool {
        let Some(turn) = self.turn.take() else { return false };
        let heard = (self.sound.len() - self.partial) as u64;
        let (to, from) = (turn.asked[0].unwrap_or(self.first + heard), turn.asked[1].unwrap_or(self.first));
        let at = |sample: u64| (sample.saturating_sub(self.first)).min(heard) as usize;
        let (from, to, heard) = (at(from), at(to), heard as usize);
        let sound = self.sound.make_contiguous();
        self.background.learn(&sound[from..to.max(from)]);
        let loudest = sound[to..heard].chunks(CHUNK).map(power).fold(0.0, f32::max);
        let goes_on = loudest >= self.background.threshold() && turn.pause.is_none();
        if goes_on {
            let begins = to.saturating_sub(self.settings.preroll_ms as usize * SAMPLES_A_MS as usize);
            self.sound.drain(..begins);
            self.first += begins as u64;
            let start_ms = self.ms(self.first + (to - begins) as u64);
            self.turn = Some(Turn { loudest, ..Turn::new(start_ms) });
        } else {
            self.activity.rest();
            self.forget();
        }
        goes_on
    }

    /// The turn that goes on and on may be the caller's; whether there is more of it is to be asked later.
    pub fn ask_again(&mut self) {
        if let Some(turn) = &mut self.turn {
            (turn.unasked, turn.unanswered) = (0, false);
        }
    }

    /// No more sound will come: ends the turn that is open.
    pub fn finish(&mut self) -> Option<Heard> {
        self.end()
    }

    pub fn turn_start_ms(&self) -> Option<u64> {
        self.turn.as_ref().map(|turn| turn.start_ms)
    }

    fn pause_of(&mut self, id: TurnId) -> Option<&mut Pause> {
        self.turn.as_mut().and_then(|turn| turn.pause.as_mut()).filter(|pause| pause.id == id)
    }

    fn widened(&mut self, frame: &Frame) -> Frame {
        let mut wide = Frame::silence(RATE);
        self.up.run(frame, &mut wide);
        wide
    }

    /// After each chunk.
    fn step(&mut self, change: Change, power: f32, events: &mut Collected) {
        let chunk_end = self.first + (self.sound.len() - self.partial) as u64;
        if let Change::Began { chunks } = change {
            let start = chunk_end.saturating_sub(u64::from(chunks) * CHUNK as u64);
            let start_ms = self.ms(start);
            self.turn = Some(Turn::new(start_ms));
            self.background.interrupted();
            events.push(Heard::SpeechStarted);
        }
        let Some(turn) = &mut self.turn else {
            self.forget();
            return;
        };
        let silence_ms = self.activity.silent() * CHUNK_MS;
        if silence_ms == 0 {
            turn.loudest = turn.loudest.max(power);
        }
        turn.unasked += 1;
        let unasked_ms = turn.unasked * CHUNK_MS;
        let ListenerSettings { pause_ms, waited_pause_ms, unbroken_ms: plain_ms, waited_unbroken_ms, .. } =
            self.settings;
        let (pause_ms, mut askable_ms) =
            if self.waited_for { (waited_pause_ms, waited_unbroken_ms) } else { (pause_ms, plain_ms) };
        if turn.asked[0].is_some() {
            askable_ms = waited_unbroken_ms; // words were made of it: are there more of them?
        }
        match &turn.pause {
            Some(_) if silence_ms == 0 => {
                turn.pause = None;
                events.push(Heard::Resumed);
            }
            None if silence_ms >= pause_ms => self.pause(chunk_end, silence_ms, events),
            None if unasked_ms >= askable_ms && !turn.unanswered => {
                (turn.unanswered, turn.asked) = (true, [Some(chunk_end), turn.asked[0]]);
                let id = self.named();
                events.push(Heard::Unbroken { turn: self.turn_sound(), id });
            }
            _ => {}
        }
        if let Some(event) = self.decide() {
            events.push(event);
        }
    }

    fn named(&mut self) -> TurnId {
        let id = self.next_id;
        self.next_id = id.wrapping_add(1);
        id
    }

    /// Whether the turn is over by now, or the turn model is to say.
    fn decide(&mut self) -> Option<Heard> {
        let silence_ms = self.activity.silent() * CHUNK_MS;
        let length_ms = (self.sound.len() as u64 / SAMPLES_A_MS) as u32;
        let spoken_ms = length_ms.saturating_sub(silence_ms);
        let over = self.turn.as_ref()?.pause.as_ref().is_some_and(|pause| {
            let needed = by_silence::needed_ms(&self.expect, pause.probability, spoken_ms);
            let needed = by_meaning::adjusted_ms(needed, pause.meaning, spoken_ms);
            let needed = by_length::adjusted_ms(needed, length_ms, &self.settings);
            silence_ms >= needed.max(self.settings.pause_ms)
        });
        match over || length_ms >= self.settings.longest_ms {
            true => self.end(),
            false => self.judge(silence_ms, spoken_ms),
        }
    }

    fn judge(&mut self, silence_ms: u32, spoken_ms: u32) -> Option<Heard> {
        let pause = self.turn.as_mut()?.pause.as_mut()?;
        let due = *by_silence::JUDGED_MS.get(pause.judged)?;
        let due = match pause.judged {
            0 if pause.read => due,
            0 => by_silence::READ_FIRST_MS,
            _ => due.max(pause.judged_ms + by_silence::JUDGED_AGAIN_MS),
        };
        if silence_ms < due || !by_silence::worth_judging(&self.expect, pause.probability, spoken_ms) {
            return None;
        }
        (pause.judged, pause.judged_ms) = (pause.judged + 1, silence_ms);
        let id = pause.id;
        Some(Heard::Lasting { turn: self.turn_sound(), id })
    }

    fn pause(&mut self, chunk_end: u64, silence_ms: u32, events: &mut Collected) {
        let end_ms = self.ms(chunk_end).saturating_sub(silence_ms.into());
        let audio = self.turn_sound();
        let id = self.named();
        if let Some(turn) = &mut self.turn {
            turn.pause = Some(Pause {
                id,
                audio: audio.clone(),
                end_ms,
                probability: None,
                judged: 0,
                judged_ms: 0,
                read: false,
                meaning: None,
            });
            events.push(Heard::Paused { turn: audio, start_ms: turn.start_ms, end_ms, id });
        }
    }

    fn end(&mut self) -> Option<Heard> {
        let turn = self.turn.take()?;
        let (id, audio, end_ms) = match turn.pause {
            Some(pause) => (pause.id, pause.audio, pause.end_ms),
            None => {
                // Cut off in the middle of speech.
                let id = self.named();
                (id, self.turn_sound(), self.ms(self.first + self.sound.len() as u64))
            }
        };
        self.activity.rest();
        // What follows belongs to the next turn.
        let keep = self.partial;
        self.first += (self.sound.len() - keep) as u64;
        self.sound.drain(..self.sound.len() - keep);
        Some(Heard::TurnEnded { id, audio, start_ms: turn.start_ms, end_ms })
    }

    fn turn_sound(&self) -> Samples {
        self.sound.range(..self.sound.len() - self.partial).map(|&s| f32::from(s) / 32_768.0).collect()
    }

    /// Between turns only the pre-roll is kept, and what a beginning may reach back to.
    fn forget(&mut self) {
        let keep = (self.settings.preroll_ms + 4 * CHUNK_MS) as usize * SAMPLES_A_MS as usize + self.partial;
        let drop = self.sound.len().saturating_sub(keep);
        self.sound.drain(..drop);
        self.first += drop as u64;
    }

    fn ms(&self, sample: u64) -> u64 {
        (self.origin_ms + (sample / SAMPLES_A_MS) as i64).max(0) as u64
    }
}

/// At most three events: a frame ends at most one chunk, which brings at most a beginning, a pause, its lasting or a resumption, and an end.
#[derive(Default)]
struct Collected {
    events: [Option<Heard>; 3],
    len: usize,
}

impl Collected {
    fn push(&mut self, event: Heard) {
        self.events[self.len] = Some(event);
        self.len += 1;
    }
    fn into_iter(self) -> Events {
        self.events.into_iter().flatten()
    }
}

//! One caller's voice during a call: which frames are theirs, when a reading is due, and their own calm voice as a
//! baseline. Runs on the media beat without allocating, but for what a reading is made of; the model itself runs on a thread of
//! its own (`Judge`), and its answers come back by `felt`.
//!
//! A frame counts while the listener hears a turn of the caller's, unless we play something (its echo would be taken for
//! them), a key was pressed, or what comes is music.

use std::future::Future;
use std::sync::{Arc, Mutex};

use super::music::Music;
use super::policy::round;
use super::{Baseline, Card, Encoder, Error, Extractor, Features, Heard, Model, RATE, Timbre};
use crate::call::Reading;
use crate::media::{Frame, Resampler};
use crate::speech::{Overloaded, Pool, Stopped, Work};

/// The first reading is due after this much speech, ms, and another after so much more each time.
const FIRST_MS: u32 = TELLING_MS;
const EVERY_MS: u32 = 1_000;
/// A frame waits so long before it counts, so that a key or music can take it back; what waits at the beginning of a
/// turn is its beginning, which the listener noticed late.
const LAG: usize = 5;
const PREROLL: usize = 14;
/// An echo of ours comes back within this time, ms.
const ECHO_MS: u64 = 300;
/// A key is heard as sound around its event, ms.
const KEY_MS: u64 = 250;
/// Utterances with less distress than this are calm: the first of them make the baseline,
const CALM: f32 = 0.45;
/// as soon as they hold this much speech, ms,
const BASELINE_MS: u32 = 2_000;
/// and until there are so many.
const BASELINE_TURNS: u32 = 4;
/// Utterances with less speech tell little of a voice, ms.
const TELLING_MS: u32 = 700;
/// Readings that may wait for the model's thread, of all calls.
const QUEUE: usize = 256;

/// A voice to be judged.
#[derive(Debug)]
pub struct Feel {
    /// Names the reading; grows.
    pub id: u32,
    pub heard: Box<Heard>,
    /// The utterance's so far; the judge alone looks into it.
    pub timbre: Arc<Mutex<Timbre>>,
    pub baseline: Option<Arc<Baseline>>,
}

impl Feel {
    pub fn judge(self, model: &Model, encoder: &mut Encoder) -> Felt {
        let mut timbre = self.timbre.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        let features = Box::new(encoder.features(&self.heard, &mut timbre));
        let reading = model.read(&features, self.baseline.as_deref());
        Felt { id: self.id, features, reading }
    }
}

/// What the model made of it.
#[derive(Debug)]
pub struct Felt {
    pub id: u32,
    pub features: Box<Features>,
    pub reading: Reading,
}

/// The model on its own thread, for all calls. A full queue costs a reading.
pub struct Judge {
    pool: Pool<Feel, Felt>,
    card: Card,
}

impl Judge {
    /// Starts the installed model.
    pub fn installed() -> Result<Self, Error> {
        Ok(Self::start(Model::installed()?))
    }

    pub fn start(model: Model) -> Self {
        let card = model.card.clone();
        let model = Arc::new(model);
        let pool = Pool::start("emotion", 1, QUEUE, move || {
            let (model, mut encoder) = (model.clone(), Encoder::new());
            let work: Work<Feel, Felt> = Box::new(move |feel, _| Some(feel.judge(&model, &mut encoder)));
            Ok::<_, std::convert::Infallible>(work)
        });
        let Ok(pool) = pool; // nothing can fail
        Self { pool, card }
    }

    /// What the model says of itself.
    pub fn card(&self) -> &Card {
        &self.card
    }

    pub fn feel(&self, feel: Feel) -> Result<impl Future<Output = Result<Felt, Stopped>> + use<>, Overloaded> {
        self.pool.submit(feel)
    }
}

/// Listens to how one caller sounds.
pub struct Live {
    extractor: Extractor,
    timbre: Arc<Mutex<Timbre>>,
    resampler: Option<Resampler>,
    music: Music,
    /// Frames that do not count yet, oldest first, and how many.
    waiting: [Frame; PREROLL],
    n: usize,
    /// Nothing counts before, ms of the call.
    deaf_until_ms: u64,
    /// The last reading answered.
    since: u32,
    next: u32,
    turn: Option<Turn>,
    /// Asked and not answered yet, oldest first.
    asked: Vec<Asked>,
    /// The last pause's reading: the utterance's, should it be over.
    paused: Option<(Reading, Box<Features>)>,
    baseline: Baseline,
    baseline_ms: u32,
    shared: Option<Arc<Baseline>>,
}

#[derive(Clone, Copy)]
struct Turn {
    start_ms: u64,
    /// Speech at the last reading, ms.
    read_ms: u32,
}

struct Asked {
    id: u32,
    start_ms: u64,
    end_ms: u64,
    why: Due,
    own_voice: bool,
}

/// Why a reading is made.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Due {
    /// The utterance goes on.
    Meanwhile,
    /// It paused: kept until it goes on or is over.
    Pause,
    /// It is over.
    Whole,
}

impl Live {
    /// For frames of `rate` samples a second.
    pub fn new(rate: u32) -> Self {
        Self {
            extractor: Extractor::new(),
            timbre: Arc::default(),
            resampler: (rate != RATE).then(|| Resampler::new(rate, RATE).ok()).flatten(),
            music: Music::default(),
            waiting: [Frame::silence(RATE); PREROLL],
            n: 0,
            deaf_until_ms: 0,
            since: 0,
            next: 0,
            turn: None,
            asked: Vec::with_capacity(8),
            paused: None,
            baseline: Baseline::default(),
            baseline_ms: 0,
            shared: None,
        }
    }

    /// Takes 20 ms from the caller's side. `playing`: they hear something of ours. A reading may be due.
    pub fn hear(&mut self, now_ms: u64, frame: &Frame, playing: bool) -> Option<Feel> {
        if playing {
            self.deaf_until_ms = self.deaf_until_ms.max(now_ms + ECHO_MS);
        }
        if now_ms < self.deaf_until_ms {
            self.n = 0;
            return None;
        }
        let mut narrow = Frame::silence(RATE);
        match &mut self.resampler {
            Some(resampler) if frame.rate() != RATE => resampler.run(frame, &mut narrow),
            _ if frame.rate() == RATE => narrow = *frame,
            _ => return None, // no port has such a rate
        }
        self.music.hear(narrow.samples());
        let lag = if self.turn.is_some() { LAG } else { PREROLL - 1 };
        self.count(lag);
        self.waiting[self.n] = narrow;
        self.n += 1;
        let turn = self.turn?;
        let due_ms = if turn.read_ms == 0 { FIRST_MS } else { turn.read_ms + EVERY_MS };
        if self.extractor.speech_ms() < due_ms || self.music.plays() {
            return None;
        }
        self.ask(Due::Meanwhile, now_ms)
    }

    /// The caller begins to speak.
    pub fn began(&mut self, now_ms: u64) {
        self.extractor.reset();
        self.timbre = Arc::default();
        self.paused = None;
        let start_ms = now_ms.saturating_sub(20 * self.n as u64);
        self.turn = Some(Turn { start_ms, read_ms: 0 });
    }

    /// They paused. `start_ms` is the turn's, as the listener has it by now.
    pub fn paused(&mut self, now_ms: u64, start_ms: u64) -> Option<Feel> {
        self.turn.as_mut()?.start_ms = start_ms;
        self.count(0);
        if self.music.plays() {
            return None;
        }
        self.ask(Due::Pause, now_ms)
    }

    /// They go on.
    pub fn resumed(&mut self) {
        self.paused = None;
        self.asked.iter_mut().filter(|asked| asked.why == Due::Pause).for_each(|asked| asked.why = Due::Meanwhile);
    }

    /// It was nobody who speaks to us.
    pub fn passed(&mut self) {
        (self.turn, self.paused) = (None, None);
    }

    /// The utterance is over: its reading, if the pause before it brought one already.
    pub fn over(&mut self, now_ms: u64) -> (Option<Reading>, Option<Feel>) {
        let Some(turn) = self.turn.take() else { return (None, None) };
        if let Some((reading, features)) = self.paused.take() {
            return (Some(self.whole(reading, &features)), None);
        }
        if let Some(asked) = self.asked.iter_mut().rev().find(|asked| asked.why == Due::Pause) {
            asked.why = Due::Whole; // under way
            return (None, None);
        }
        self.turn = Some(turn);
        self.count(0);
        let feel = if self.music.plays() { None } else { self.ask(Due::Whole, now_ms) };
        self.turn = None;
        (None, feel)
    }

    /// A key was pressed: neither what comes around it nor what was heard of this utterance is sure to be a voice.
    pub fn key(&mut self, now_ms: u64) {
        self.n = 0;
        self.deaf_until_ms = self.deaf_until_ms.max(now_ms + KEY_MS);
    }

    /// The model's answer; the reading, where it is to be told.
    pub fn felt(&mut self, felt: Felt) -> Option<Reading> {
        let at = self.asked.iter().position(|asked| asked.id == felt.id)?;
        let asked = self.asked.remove(at);
        if felt.id < self.since {
            return None; // a later one was there first
        }
        self.since = felt.id;
        let reading = Reading {
            distress: round(felt.reading.distress),
            arousal: round(felt.reading.arousal),
            valence: round(felt.reading.valence),
            probabilities: felt.reading.probabilities.into_iter().map(|(class, p)| (class, round(p))).collect(),
            signs: felt
                .reading
                .signs
                .into_iter()
                .map(|sign| crate::call::Sign { deviation: round(sign.deviation), weight: round(sign.weight), ..sign })
                .collect(),
            speech_ms: felt.features.speech_ms,
            start_ms: asked.start_ms,
            end_ms: asked.end_ms,
            whole: false,
            own_voice: asked.own_voice,
        };
        match asked.why {
            Due::Meanwhile => Some(reading),
            Due::Pause => {
                self.paused = Some((reading, felt.features));
                None
            }
            Due::Whole => Some(self.whole(reading, &felt.features)),
        }
    }

    /// No answer will come.
    pub fn unfelt(&mut self, id: u32) {
        self.asked.retain(|asked| asked.id != id);
    }

    fn ask(&mut self, why: Due, now_ms: u64) -> Option<Feel> {
        let turn = self.turn.as_mut()?;
        if why != Due::Pause {
            turn.read_ms = self.extractor.speech_ms(); // a pause's may never be told
        }
        let start_ms = turn.start_ms;
        let heard = Box::new(self.extractor.heard(why != Due::Meanwhile)?);
        if self.asked.len() == self.asked.capacity() {
            self.asked.remove(0); // its answer is seconds late
        }
        let id = self.next;
        self.next = self.next.wrapping_add(1);
        self.asked.push(Asked { id, start_ms, end_ms: now_ms, why, own_voice: self.shared.is_some() });
        let timbre = self.timbre.clone();
        Some(Feel { id, heard, timbre, baseline: self.shared.clone() })
    }

    /// The reading of a whole utterance; a calm one may tell what is usual for this caller.
    fn whole(&mut self, mut reading: Reading, features: &Features) -> Reading {
        reading.whole = true;
        let calm = reading.distress < CALM && features.speech_ms >= TELLING_MS;
        if calm && self.baseline.utterances() < BASELINE_TURNS {
            self.baseline.add(features);
            self.baseline_ms += features.speech_ms;
            if self.baseline_ms >= BASELINE_MS {
                self.shared = Some(Arc::new(self.baseline.clone()));
            }
        }
        reading
    }

    /// Lets all but the last `keep` frames count: for the caller's while they speak, else they are let go.
    fn count(&mut self, keep: usize) {
        let out = self.n.saturating_sub(keep);
        if self.turn.is_some() {
            for frame in &self.waiting[..out] {
                self.extractor.push(frame.samples());
            }
        }
        self.waiting.copy_within(out..self.n, 0);
        self.n -= out;
    }
}

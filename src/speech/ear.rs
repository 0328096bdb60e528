//! The ear: speech-to-text on a bounded pool of threads over one model. When it is full it says so at once and the
//! call goes on by keys; it never queues without limit.

use std::future::Future;
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use super::apart::apart;
use super::cpu::{cores, thread_cpu};
use super::grammar::Grammar;
use super::guard;
use super::pool::{self, Overloaded, Pool, Work};
use super::samples::Samples;
use super::whisper::{Expected, FAITHFUL, Job, Model, RATE, Reader, Reading, Room, certainty, known};
use crate::dialog::words::Words;
use crate::dialog::{Expect, Language, person};
use crate::models;

/// Size of the ear.
#[derive(Clone, Debug)]
pub struct EarSettings {
    /// A ggml Whisper file.
    pub model: PathBuf,
    /// Threads, each with about 100 MB for itself (base model).
    pub workers: usize,
    /// Utterances that may wait for a thread.
    pub queue: usize,
    /// Other readings to look for where Whisper was unsure; each costs some decoding.
    pub alternatives: usize,
}

impl EarSettings {
    /// The default model as `frontdesk models fetch` installed it; one thread a core, one core left to the media.
    pub fn installed() -> Result<Self, models::Error> {
        let workers = cores().saturating_sub(1).max(1);
        Ok(Self { model: models::file(DEFAULT_MODEL)?, workers, queue: 4 * workers, alternatives: 2 })
    }
}

/// Whisper base, all languages, 8-bit.
pub const DEFAULT_MODEL: &str = "whisper-base-q8_0.bin";

/// What keeps an utterance from becoming text.
#[derive(Debug, thiserror::Error)]
pub enum HearError {
    #[error("{path} is not a speech model that can be loaded: {reason}")]
    Model { path: PathBuf, reason: String },
    #[error("the speech model knows no language {0:?}")]
    Language(String),
    #[error("the recogniser failed: {0}")]
    Failed(String),
    #[error(transparent)]
    Stopped(#[from] pool::Stopped),
}

/// One utterance to be read.
#[derive(Clone, Debug)]
pub struct HearRequest {
    /// Mono, 16 kHz, full scale 1.0; at most 30 s.
    pub audio: Samples,
    /// `None`: find out, at the price of a second encoder pass.
    pub language: Option<Language>,
    /// Words that are likely to come up, in the caller's language: names of products, of the menu's choices.
    pub hints: Vec<String>,
    pub expect: Expect,
    /// Sentences that callers are known to say here: a turn that sounds like one of them is read as that.
    pub likely: Arc<[String]>,
    /// The language may be another of these: where the sound says so clearly, it is read in that one.
    pub languages: Vec<Language>,
}

/// One utterance, read.
#[derive(Clone, Debug, PartialEq)]
pub struct Hearing {
    /// As Whisper wrote it, trimmed; empty when nobody said anything. Mandarin in simplified characters.
    pub text: String,
    /// Other readings, likeliest first; only where Whisper was unsure.
    pub alternatives: Vec<String>,
    /// Rough chance that every word is right, 0..=1, by the tokens' probabilities.
    pub confidence: f32,
    /// Probability that there was no speech, 0..=1.
    pub no_speech: f32,
    /// What it was read in.
    pub language: Language,
    /// CPU seconds spent.
    pub cpu_s: f32,
}

/// Whisper on a pool of threads. Dropping it stops them; what waits then ends in `HearError::Stopped`.
pub struct Ear {
    pool: Pool<HearRequest, Result<Hearing, HearError>>,
}

impl Ear {
    /// Loads the model and starts the threads; returns when all are ready.
    pub fn open(settings: &EarSettings) -> Result<Self, HearError> {
        let model = Model::load(&settings.model)?;
        let alternatives = settings.alternatives;
        let pool = Pool::start("ear", settings.workers, settings.queue, move || {
            let mut reader = Reader::new(model.clone())?;
            let work: Work<_, _> =
                Box::new(move |request, cancelled| hear(&mut reader, &request, alternatives, cancelled).transpose());
            Ok::<_, HearError>(work)
        })?;
        Ok(Self { pool })
    }

    /// Queues an utterance. Dropping the `Pending` takes it back: a waiting one is never begun, a running one is
    /// left at the next pass.
    pub fn hear(&self, request: HearRequest) -> Result<Pending, Overloaded> {
        self.pool.submit(request).map(|answer| Pending { answer })
    }

    /// Utterances that wait for a thread.
    pub fn waiting(&self) -> usize {
        self.pool.waiting()
    }
}

/// A text to come.
pub struct Pending {
    answer: pool::Pending<Result<Hearing, HearError>>,
}

impl Pending {
    /// Waits on this thread; not to be called inside the async runtime.
    pub fn wait(self) -> Result<Hearing, HearError> {
        self.answer.wait()?
    }
}

impl Future for Pending {
    type Output = Result<Hearing, HearError>;
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        Pin::new(&mut self.answer).poll(cx).map(|answer| answer?)
    }
}

fn hear(
    reader: &mut Reader,
    request: &HearRequest,
    alternatives: usize,
    cancelled: &dyn Fn() -> bool,
) -> Result<Option<Hearing>, HearError> {
    let (began, before) = (Instant::now(), thread_cpu());
    let threads = threads(cores(), running());
    let candidates: Vec<&'static str> = request.languages.iter().filter_map(|tag| known(tag.as_str())).collect();
    let grammar = grammar(reader, request);
    let mut job = Job {
        audio: &request.audio,
        language: request.language.as_ref().map(Language::as_str),
        hint: &hint_text(request),
        // Only values are read from them; a sentence in somebody's own words is taken as it is.
        alternatives: match request.expect {
            Expect::Free | Expect::Request | Expect::Choice { .. } => 0,
            _ => alternatives,
        },
        grammar: grammar.as_deref(),
        phrases: match grammar.as_deref() {
            Some(Grammar::Sentences(phrases)) if matches!(request.expect, Expect::Values { .. }) => Some(phrases),
            _ => None,
        },
        leans_again: matches!(request.expect, Expect::Values { several: true, .. }),
        room: Room::Fitted,
        candidates: &candidates,
        threads,
        cancelled,
    };
    let Some(mut reading) = reader.read(&job)? else { return Ok(None) };
    if let Some(other) = another_language(&reading, request.audio.len()) {
        job.language = Some(other);
        let Some(again) = reader.read(&job)? else { return Ok(None) };
        reading = again;
    }
    if guard::parrots(&reading.text, &told(request)) {
        job.hint = "";
        let Some(again) = reader.read(&job)? else { return Ok(None) };
        reading = again;
    }
    if guard::loops(&reading.text) {
        // Now and then a fitted context sets the decoder going round, or what it leans towards; a wider one breaks it.
        job.room = Room::Wide;
        job.phrases = None;
        job.leans_again = false;
        job.language = Some(reading.language);
        let Some(again) = reader.read(&job)? else { return Ok(None) };
        reading = again;
    }
    if let Some(longest) = longest(request).filter(|_| is_doubtful_number(&reading))
        && let Some(wider) =
            apart(&request.audio, longest.saturating_sub(1)).filter(|wider| wider.len() <= MOST_SAMPLES)
    {
        job.audio = &wider;
        job.language = Some(reading.language);
        let Some(again) = reader.read(&job)? else { return Ok(None) };
        reading = likelier_number(reading, again);
    }
    if matches!(request.expect, Expect::Values { several: true, .. }) {
        reading.alternatives.retain(|(text, _)| !guard::parrots(text, &told(request)));
    }
    // The other threads work, or spin, as long as this one.
    let cpu_s = (thread_cpu() - before).as_secs_f32() * threads as f32;
    let seconds = request.audio.len() as f32 / RATE as f32;
    tracing::debug!(threads, seconds, wall_ms = began.elapsed().as_millis() as u64, cpu_s, "read");
    Ok(Some(hearing(&reading, &request.expect, seconds, cpu_s)))
}

/// Threads for one utterance: a caller alone need not wait for one core while others idle. Where something else runs
/// on every core one is best: several wait for each other, and win nothing. (The text does not depend on it.)
fn threads(cores: usize, running: usize) -> usize {
    const MOST: usize = 4;
    (cores + 1).saturating_sub(running.max(1)).clamp(1, MOST)
}

/// Threads of all processes that run or want to for longer than a moment, this one included. Linux says so; elsewhere
/// every core counts as busy. A pause of the caller wakes several that are done at once: hence the least of some looks.
fn running() -> usize {
    const LOOKS: usize = 4;
    const BETWEEN: Duration = Duration::from_millis(1);
    let look = || {
        let load = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
        load.split(' ').nth(3).and_then(|tasks| tasks.split('/').next()?.parse().ok()).unwrap_or(usize::MAX)
    };
    let mut least = look();
    for _ in 1..LOOKS {
        if least <= 1 {
            break;
        }
        std::thread::sleep(BETWEEN);
        least = least.min(look());
    }
    least
}

/// The language in which a turn should be read instead. Whisper names it well from a sentence, poorly from a word:
/// a short turn has to sound like it almost for certain.
fn another_language(reading: &Reading, samples: usize) -> Option<&'static str> {
    const LONG: usize = 2 * RATE as usize; // half a second of it silence
    let needed = if samples >= LONG { 0.8 } else { 0.97 };
    let best = reading.languages.iter().max_by(|a, b| a.1.total_cmp(&b.1))?;
    (best.0 != reading.language && best.1 >= needed && reading.no_speech < SPOKEN).then_some(best.0)
}

/// What is asked for, or what is read back and may be said again.
fn asked(expect: &Expect) -> &Expect {
    match expect {
        Expect::Confirm { of } => of,
        expect => expect,
    }
}

/// Signs of the number or code that is asked for, at most.
fn longest(request: &HearRequest) -> Option<usize> {
    match asked(&request.expect) {
        Expect::Digits { max, .. } | Expect::Code { max, .. } => Some(*max),
        _ => None,
    }
}

/// A number was said, or something that could be one, and it is not sure which.
fn is_doubtful_number(reading: &Reading) -> bool {
    let sure = likely_signs(reading).is_some_and(|signs| signs >= SURE_SIGNS);
    !sure && (!reading.expected.is_empty() || reading.text.bytes().any(|byte| byte.is_ascii_digit()))
}

/// How likely the digits of a reading are, where they may be what was said.
fn likely_signs(reading: &Reading) -> Option<f32> {
    reading.expected.first().filter(|best| best.odds >= LIKELY_ODDS)?.signs
}

/// Of a number as it was said and pulled apart the latter, unless its digits are much less likely; what the other one says
/// is an alternative. (Of 120 numbers read without the grammar 33 were right only pulled apart, 5 only as they were said.)
fn likelier_number(one: Reading, apart: Reading) -> Reading {
    let signs = |reading: &Reading| likely_signs(reading).unwrap_or(0.0);
    let (mut best, other) = if signs(&apart) > signs(&one) / 2.0 { (apart, one) } else { (one, apart) };
    let text = other.expected.first().map_or(other.text, |expected| expected.text.clone());
    best.alternatives.insert(0, (text, f32::NEG_INFINITY));
    best
}

/// What the turn is likely to be, where the step knows that.
fn grammar(reader: &mut Reader, request: &HearRequest) -> Option<Arc<Grammar>> {
    let asked = asked(&request.expect);
    let phrases = match asked {
        Expect::Digits { min, max } => {
            return Some(Arc::new(Grammar::Signs { min: *min, max: *max, letters: false }));
        }
        Expect::Code { min, max } => return Some(Arc::new(Grammar::Signs { min: *min, max: *max, letters: true })),
        Expect::Choice { .. } | Expect::Values { .. } | Expect::Request => asked.phrases(LEANS),
        Expect::YesNo | Expect::Free | Expect::Confirm { .. } => return None,
    };
    let likely: &[String] = if request.expect == Expect::Request { &request.likely } else { &[] };
    let more = request.hints.iter().chain(likely).map(String::as_str);
    Some(reader.sentences(phrases.into_iter().chain(more)))
}

fn hearing(reading: &Reading, expect: &Expect, seconds: f32, cpu_s: f32) -> Hearing {
    let certainty = certainty(&reading.tokens);
    let tokens = reading.tokens.len();
    let evidence = guard::Evidence { text: &reading.text, no_speech: reading.no_speech, certainty, tokens, seconds };
    let judged = |text: &str| {
        let spoken = guard::spoken(&guard::Evidence { text, ..evidence });
        // Whisper writes Mandarin in traditional characters as often as not; what is compared with it is in simplified
        // ones. (A prompt in simplified characters, tried instead, left some traditional ones and heard no better.)
        if reading.language == "zh" { fast2s::convert(&spoken) } else { spoken }
    };
    let free = judged(&reading.text);
    let several = matches!(expect, Expect::Values { several: true, .. });
    let expected = if !free.is_empty() {
        as_expected(&reading.expected).filter(|(text, _)| !several || words(&free) <= words(text) + ASIDES)
    } else if *expect == Expect::Request && reading.no_speech < SPOKEN && guard::went_astray(&evidence) {
        // "No, no, no, no, no" for "none of those". A wish for a person would be heeded without a question.
        let said = as_expected(&reading.expected).filter(|(text, _)| !person::wanted(text));
        said.map(|(text, chance)| (text, ASTRAY * chance)).filter(|(_, chance)| *chance >= SOMETHING)
    } else {
        None
    };
    let (text, confidence) = match &expected {
        Some((text, chance)) => (text.clone(), *chance),
        None if free.is_empty() => (String::new(), 0.0),
        None => (free.clone(), confidence(certainty)),
    };
    let mut alternatives: Vec<String> = Vec::new();
    let others = reading.alternatives.iter().map(|(other, _)| judged(other));
    let likely = |other: &&Expected| match &expected {
        Some(_) => other.odds >= LIKELY_ODDS,
        // A menu asks whether such a thing is meant. A value would be taken from it as though it had been written.
        None => *expect == Expect::Request && other.certainty >= GUESSED,
    };
    let near = reading.expected.iter().filter(likely).map(|other| other.text.clone());
    for other in near.chain([free.clone()]).chain(others) {
        if !text.is_empty() && !other.is_empty() && other != text && !alternatives.contains(&other) {
            alternatives.push(other);
        }
    }
    Hearing {
        confidence,
        text,
        alternatives,
        no_speech: reading.no_speech,
        language: Language::new(reading.language),
        cpu_s,
    }
}

/// Chance that every word is right. On 135 Asterisk prompts over mu-law the geometric mean of the token probabilities
/// was that chance from .75 on (.75-.9: 76 % right, above .9: 96 %) and far too kind below (1 of 9 right): bent there.
fn confidence(certainty: f32) -> f32 {
    if certainty >= FAITHFUL { certainty } else { certainty * (certainty / FAITHFUL).powi(3) }
}

/// A text of the grammar further than this from what was written freely is something else. Of 54 menu choices and 84
/// other sentences in five voices, 15 dB above babble, 52 of the former were nearer than -6 and of the latter none than
/// -10; of 200 numbers of six digits all but two (both misheard) were nearer than -3.
const LIKELY_ODDS: f32 = -5.0;

/// Somebody spoke where Whisper's probability of no speech is below this.
const SPOKEN: f32 = 0.5;
/// Where the decoder got lost, the odds compare what was expected with nothing that was said: a menu may ask whether it
/// was, and acts upon it no sooner (the call's `HEARD`).
const ASTRAY: f32 = 0.29;

/// Where nothing could be made out the free text is as unlikely as any other, and odds say little: "block my card" was as
/// likely as "Both card are going to lower the drink" for mortgage rates asked after in babble. A text expected is none
/// below the first certainty, and no doubt is cast on it from the second on.
const UNHEARD: f32 = 0.12;
const HEARD: f32 = 0.3;
/// Nor is it one below this chance: noise made an "operator" of .01 too often, and a wish for a person is always heeded.
const SOMETHING: f32 = 0.05;
/// From this certainty on, a text expected that is too far from what was written freely is worth a question.
const GUESSED: f32 = 0.2;

/// A number whose digits are less likely than this, all together, is read once more, pulled apart.
const SURE_SIGNS: f32 = 0.9;
/// The recogniser takes 30 s.
const MOST_SAMPLES: usize = 30 * RATE as usize;

/// Where several values are asked for, a text with more words beside an expected one may hold others: "June, April, at 9
/// am, call forwarding" was poorly heard, and taken for "June".
const ASIDES: usize = 2;

fn words(text: &str) -> usize {
    Words::of(text).len()
}

/// The text of the grammar that was said, if it was one, and the chance that it is right.
fn as_expected(expected: &[Expected]) -> Option<(String, f32)> {
    let best = expected.first().filter(|best| best.odds >= LIKELY_ODDS)?;
    if let Some(signs) = best.signs {
        return Some((best.text.clone(), chance_of_signs(signs)));
    }
    let rivals = expected.iter().filter(|other| other.text != best.text).map(|other| (other.odds - best.odds).exp());
    let among = 1.0 / (1.0 + rivals.sum::<f32>());
    let plain = ((best.certainty - UNHEARD) / (HEARD - UNHEARD)).clamp(0.0, 1.0);
    let chance = plain * among / (1.0 + (LIKELY_ODDS - best.odds).exp());
    (chance >= SOMETHING).then(|| (best.text.clone(), chance))
}

/// The chance that a whole number is right, by the product of its signs' probabilities: as counted on 200 numbers of
/// six digits by four speakers over mu-law (`acceptance/46-spoken` has the list).
fn chance_of_signs(product: f32) -> f32 {
    const COUNTED: [(f32, f32); 7] =
        [(0.0, 0.0), (0.06, 0.15), (0.15, 0.5), (0.3, 0.8), (0.6, 0.88), (0.8, 0.97), (1.0, 1.0)];
    let above = COUNTED.iter().position(|(x, _)| product <= *x).unwrap_or(COUNTED.len() - 1).max(1);
    let ((x0, y0), (x1, y1)) = (COUNTED[above - 1], COUNTED[above]);
    y0 + (y1 - y0) * ((product - x0) / (x1 - x0)).clamp(0.0, 1.0)
}

/// Phrases that Whisper is told to expect; more would crowd out what it hears.
const TOLD: usize = 48;
/// Phrases that it leans on.
const LEANS: usize = 240;

/// Phrases that Whisper is told to expect.
fn told(request: &HearRequest) -> Vec<&str> {
    let mandarin = request.language.as_ref().is_some_and(|language| language.as_str().starts_with("zh"));
    if matches!(request.expect, Expect::Digits { .. }) && !mandarin {
        // How digits are written, one by one: of 80 numbers 64 are read right then, 57 without. Other digits do no better.
        return vec!["4, 0, 7", "1, 2, 3"];
    }
    request.hints.iter().map(String::as_str).chain(request.expect.phrases(TOLD)).collect()
}

/// The same, as something that was said before.
fn hint_text(request: &HearRequest) -> String {
    let phrases = told(request);
    match phrases.is_empty() {
        true => String::new(),
        false => format!(" {}.", phrases.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reading(language: &'static str, text: &str, other: &str) -> Reading {
        let tokens = vec![super::super::whisper::Token { id: 0, p: 0.9, other: None }];
        let alternatives = vec![(other.to_owned(), -0.3)];
        Reading {
            text: text.into(),
            tokens,
            alternatives,
            expected: Vec::new(),
            no_speech: 0.0,
            language,
            languages: Vec::new(),
            fell_back: false,
        }
    }

    #[test]
    fn idle_cores_are_used_and_busy_ones_left_alone() {
        assert_eq!([1, 2, 3, 9].map(|running| threads(4, running)), [4, 3, 2, 1]);
        assert_eq!((threads(1, 1), threads(64, 1), threads(2, 0), threads(2, usize::MAX)), (1, 4, 2, 1));
    }

    #[test]
    fn another_language_must_be_heard_clearly() {
        let of = |p: f32, no_speech| Reading {
            languages: vec![("en", 1.0 - p), ("zh", p)],
            no_speech,
            ..reading("en", "", "")
        };
        let seconds = |s: f32| (s * RATE as f32) as usize;
        assert_eq!(another_language(&of(0.9, 0.0), seconds(3.0)), Some("zh"));
        assert_eq!(another_language(&of(0.9, 0.0), seconds(1.0)), None, "a word is not enough");
        assert_eq!(another_language(&of(0.98, 0.0), seconds(1.0)), Some("zh"));
        assert_eq!(another_language(&of(0.9, 0.9), seconds(3.0)), None, "nobody spoke");
        assert_eq!(another_language(&reading("en", "", ""), seconds(3.0)), None, "nobody asked");
    }

    #[test]
    fn what_sounds_like_something_expected_is_read_as_that() {
        let expected = |text: &str, odds, signs| Expected { text: text.into(), odds, certainty: 0.6, signs };
        let of = |expected| Reading { expected, ..reading("en", "Loves curry.", "Love scurry.") };
        let near = hearing(&of(vec![expected("lost card", -1.5, None)]), &Expect::Free, 1.0, 0.0);
        assert_eq!((near.text.as_str(), near.confidence > 0.9), ("lost card", true));
        assert_eq!(near.alternatives, ["Loves curry.", "Love scurry."], "what was written freely is kept");
        let far = hearing(&of(vec![expected("lost card", -8.0, None)]), &Expect::Free, 1.0, 0.0);
        assert_eq!(far.text, "Loves curry.");
        let order = Expect::Values { lists: Vec::new(), several: true };
        let long = Reading {
            expected: vec![expected("june", -1.5, None)],
            ..reading("en", "june, april, at nine am, call forwarding", "june")
        };
        assert_eq!(hearing(&long, &order, 5.0, 0.0).text, long.text, "there is more in it");
        let short = Reading { text: "uh jude, please".into(), ..long };
        assert_eq!(hearing(&short, &order, 1.0, 0.0).text, "june");
        let asked = hearing(&of(vec![expected("lost card", -8.0, None)]), &Expect::Request, 1.0, 0.0);
        assert_eq!(
            (asked.text.as_str(), asked.alternatives[0].as_str()),
            ("Loves curry.", "lost card"),
            "a menu may ask"
        );
        assert!(!far.alternatives.contains(&"lost card".to_owned()), "no value is read from it");
        let noise = Expected { certainty: 0.08, ..expected("lost card", 0.0, None) };
        assert_eq!(hearing(&of(vec![noise]), &Expect::Free, 1.0, 0.0).text, "Loves curry.", "either is as unlikely");
        let lost = |phrase: &str, no_speech| Reading {
            no_speech,
            expected: vec![expected(phrase, 2.5, None)],
            ..reading("en", &"No, ".repeat(11), "")
        };
        let heard = |lost: &Reading, expect| hearing(lost, &expect, 1.2, 0.0);
        let asked = heard(&lost("none of those", 0.3), Expect::Request);
        assert_eq!((asked.text.as_str(), asked.confidence > 0.1 && asked.confidence < 0.3), ("none of those", true));
        assert_eq!(heard(&lost("none of those", 0.7), Expect::Request).text, "", "nobody spoke");
        assert_eq!(heard(&lost("none of those", 0.3), Expect::Free).text, "", "nobody would ask");
        assert_eq!(heard(&lost("operator", 0.3), Expect::Request).text, "", "it would be heeded unasked");
        let jingle = Reading { text: "♪♪♪♪".into(), ..lost("none of those", 0.3) };
        assert_eq!(heard(&jingle, Expect::Request).text, "", "no words");
        let rivals = vec![expected("open an account", -1.0, None), expected("close an account", -1.2, None)];
        assert!(hearing(&of(rivals), &Expect::Free, 1.0, 0.0).confidence < 0.6, "either");
        let number = hearing(&of(vec![expected("4, 0, 7", 0.0, Some(0.25))]), &Expect::Free, 1.0, 0.0);
        assert!(number.text == "4, 0, 7" && (0.5..0.9).contains(&number.confidence), "{number:?}");
    }

    #[test]
    fn mandarin_is_written_in_simplified_characters() {
        let heard = hearing(
            &reading("zh", "我們會在三個工作日內給您回電。", "我们会在三個工作日内给您回电。"),
            &Expect::Free,
            3.0,
            0.0,
        );
        assert_eq!(heard.text, "我们会在三个工作日内给您回电。");
        assert!(heard.alternatives.is_empty(), "the other reading differs in writing alone: {:?}", heard.alternatives);
        assert_eq!(hearing(&reading("ja", "電話を留守", "電話"), &Expect::Free, 3.0, 0.0).text, "電話を留守");
    }
}

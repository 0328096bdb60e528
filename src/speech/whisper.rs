//! The only file that knows whisper-rs: one utterance in, tokens with probabilities out. No policy here.
//!
//! Works around what is broken or missing in whisper-rs 0.16 / whisper.cpp 1.8.3: `set_language` leaks (parameters are
//! made once a language and cloned), `set_initial_prompt` leaks (tokens instead), `tokenize` spells as Whisper does
//! not, language detection ignores `audio_ctx`, decoder 0 keeps its random state between utterances.

use std::collections::HashMap;
use std::ffi::{c_int, c_void};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::Path;
use std::sync::Arc;

use whisper_rs::{
    FullParams, SamplingStrategy, WhisperContext, WhisperContextParameters, WhisperState, WhisperSysContext,
    WhisperSysState, WhisperTokenData, WhisperTokenId,
};

use super::HearError;
use super::bpe::Vocabulary;
use super::grammar::{Grammar, Numerals, Sentences};
use super::guard;
use crate::dialog::words::is_han;

/// Whisper's codes of languages with their probabilities.
pub type Languages = Vec<(&'static str, f32)>;

/// Samples a second of everything Whisper hears.
pub const RATE: u32 = 16_000;
/// Positions of the encoder's context in a second of sound.
const CONTEXT_A_SECOND: usize = 50;
/// Whisper makes nothing of less than 100 ms.
const SHORTEST: usize = RATE as usize / 10 + 160;
/// Prompt tokens that precede a text: half the text context is whisper.cpp's own bound.
const MAX_HINT_TOKENS: usize = 200;

/// A loaded model, shared by all readers.
pub struct Model {
    context: WhisperContext,
    vocabulary: Vocabulary,
    numerals: Numerals,
}

impl Model {
    /// Loads a ggml file.
    pub fn load(path: &Path) -> Result<Arc<Self>, HearError> {
        whisper_rs::install_logging_hooks();
        let mut parameters = WhisperContextParameters::new();
        parameters.use_gpu(false).flash_attn(false); // flash attention is slower on CPUs
        let context = WhisperContext::new_with_params(path, parameters)
            .map_err(|e| HearError::Model { path: path.to_owned(), reason: e.to_string() })?;
        let token = |id| Some((id, context.token_to_bytes(id).ok()?));
        let vocabulary = Vocabulary::of((0..context.token_eot()).filter_map(token));
        let numerals = Numerals::of((0..context.token_eot()).filter_map(token));
        Ok(Arc::new(Self { context, vocabulary, numerals }))
    }

    /// False for the English-only models.
    pub fn multilingual(&self) -> bool {
        self.context.is_multilingual()
    }

    fn tokens_of(&self, text: &str) -> Vec<WhisperTokenId> {
        let tokens = self.vocabulary.tokens(text);
        tokens[tokens.len().saturating_sub(MAX_HINT_TOKENS)..].to_vec()
    }

    /// Sentences as Whisper would write them: with and without a capital, a full stop, a question mark.
    pub fn sentences<'s>(&self, sentences: impl Iterator<Item = &'s str>) -> Grammar {
        let stops = [".", "?", "。", "？"].map(|stop| self.tokens_of(stop));
        let mut grammar = Sentences::default();
        for sentence in sentences {
            let mut rest = sentence.chars();
            let Some(first) = rest.next() else { continue };
            let (forms, stops) = match is_han(first) {
                true => (vec![sentence.to_owned()], &stops[2..]),
                false => {
                    let capital: String = first.to_uppercase().chain(rest).collect();
                    (vec![format!(" {sentence}"), format!(" {capital}")], &stops[..2])
                }
            };
            let spelled = forms.iter().map(|form| self.tokens_of(form));
            let stopped = |tokens: Vec<WhisperTokenId>| {
                let with = stops.iter().map(|stop| [&tokens[..], stop].concat()).collect::<Vec<_>>();
                with.into_iter().chain([tokens])
            };
            grammar.add(sentence, spelled.flat_map(stopped).collect::<Vec<_>>());
        }
        Grammar::Sentences(grammar)
    }

    fn text_of(&self, tokens: &[WhisperTokenId]) -> String {
        let bytes: Vec<u8> =
            tokens.iter().filter_map(|&t| self.context.token_to_bytes(t).ok()).flatten().copied().collect();
        String::from_utf8_lossy(&bytes).into_owned()
    }
}

/// What to read, and how.
pub struct Job<'a> {
    /// Mono, 16 kHz, full scale 1.0.
    pub audio: &'a [f32],
    /// A language Whisper knows; `None` to find out.
    pub language: Option<&'a str>,
    /// Text that might have been said before: its words become likelier.
    pub hint: &'a str,
    /// Other readings wanted at most.
    pub alternatives: usize,
    /// What the text is likely to be: it is then also read as nothing else.
    pub grammar: Option<&'a Grammar>,
    /// Phrases that are likely within it.
    pub phrases: Option<&'a Sentences>,
    /// Where the first reading is unsure, one more leans on them more, and one does without the hint.
    pub leans_again: bool,
    pub room: Room,
    /// Languages to weigh against each other, for `Reading::languages`; costs nothing.
    pub candidates: &'a [&'static str],
    /// Threads to compute with, for this one utterance. The text does not depend on it.
    pub threads: usize,
    /// Looked at between passes: nobody waits for the text any more.
    pub cancelled: &'a dyn Fn() -> bool,
}

impl Job<'_> {
    fn seconds(&self) -> f32 {
        self.audio.len() as f32 / RATE as f32
    }
}

/// How much more than the utterance the encoder sees: cost grows with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Room {
    Fitted,
    Wide,
}

/// A token of the text and how sure Whisper was of it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Token {
    pub id: WhisperTokenId,
    /// 0..=1.
    pub p: f32,
    /// The second choice there.
    pub other: Option<(WhisperTokenId, f32)>,
}

impl Token {
    fn log_p(&self) -> f32 {
        self.p.max(1e-9).ln()
    }
}

/// What was read.
#[derive(Clone, Debug, PartialEq)]
pub struct Reading {
    /// As Whisper wrote it, untrimmed.
    pub text: String,
    pub tokens: Vec<Token>,
    /// Other readings with their mean log probabilities, likeliest first.
    pub alternatives: Vec<(String, f32)>,
    /// The likeliest texts of the job's grammar, likeliest first.
    pub expected: Vec<Expected>,
    /// Probability that there was no speech at all, 0..=1.
    pub no_speech: f32,
    /// Tag as Whisper has it, `en`, `zh`.
    pub language: &'static str,
    /// How likely each of the job's candidates is the language spoken, of one another, 0..=1.
    pub languages: Languages,
    /// The first decoding was not good enough and was repeated at a higher temperature.
    pub fell_back: bool,
}

/// A text of the grammar.
#[derive(Clone, Debug, PartialEq)]
pub struct Expected {
    /// A sentence as it was given; signs as Whisper wrote them, trimmed.
    pub text: String,
    /// Logarithm of its probability against that of the text written freely: 0 is the same, -10 something else.
    pub odds: f32,
    /// Geometric mean of its tokens' probabilities, 0..=1.
    pub certainty: f32,
    /// Of a number or a code: the product of its digits' and letters' probabilities, 0..=1.
    pub signs: Option<f32>,
}

/// Reads one utterance at a time; costs about 100 MB (base) and 50-100 ms to make. Stays on its thread.
pub struct Reader {
    model: Arc<Model>,
    state: WhisperState,
    params: HashMap<String, FullParams<'static, 'static>>,
    /// What the decoder holds the keys and values of, from the first token on.
    held: Vec<WhisperTokenId>,
    /// Grammars of late, the last one last, by what they were made of.
    grammars: Vec<(u64, Arc<Grammar>)>,
}

/// Grammars a reader keeps; one has some thousand nodes at most.
const GRAMMARS: usize = 32;

impl Reader {
    pub fn new(model: Arc<Model>) -> Result<Self, HearError> {
        let state = model.context.create_state().map_err(failed)?;
        Ok(Self { model, state, params: HashMap::new(), held: Vec::new(), grammars: Vec::new() })
    }

    /// A grammar of sentences; those of late are kept.
    pub fn sentences<'s>(&mut self, sentences: impl Iterator<Item = &'s str> + Clone) -> Arc<Grammar> {
        let mut hasher = DefaultHasher::new();
        sentences.clone().for_each(|sentence| sentence.hash(&mut hasher));
        let key = hasher.finish();
        if let Some(at) = self.grammars.iter().position(|(of, _)| *of == key) {
            let found = self.grammars.remove(at);
            self.grammars.push(found);
        } else {
            if self.grammars.len() >= GRAMMARS {
                self.grammars.remove(0);
            }
            self.grammars.push((key, Arc::new(self.model.sentences(sentences))));
        }
        self.grammars.last().expect("one was pushed").1.clone()
    }

    /// Reads an utterance of up to 30 s on this thread alone. `None` when it was cancelled.
    pub fn read(&mut self, job: &Job) -> Result<Option<Reading>, HearError> {
        if job.audio.len() < SHORTEST {
            return Ok(Some(nothing(job)));
        }
        let language = match job.language {
            _ if !self.model.multilingual() => "en",
            Some(tag) => known(tag).ok_or_else(|| HearError::Language(tag.into()))?,
            None => self.detect(job)?,
        };
        let hint = self.model.tokens_of(job.hint);
        let mut params = self.params_for(language);
        let context = context_for(job.audio.len(), language, job.room).min(self.model.context.n_audio_ctx() as usize);
        params.set_audio_ctx(context as c_int);
        params.set_max_tokens((job.audio.len() * 7 / RATE as usize + 12) as c_int);
        params.set_tokens(&hint);
        params.set_n_threads(job.threads.max(1) as c_int);
        let end = self.model.context.token_eot();
        let phrases = job.phrases.map(std::ptr::from_ref);
        let mut watch = Watch { phrases, passes: 0, others: Vec::new(), total: 0.0, end };
        // SAFETY: both callbacks get pointers to `watch` and `job`, which outlive `full`; nothing else touches
        // `watch` meanwhile, since one thread does it all.
        unsafe {
            params.set_filter_logits_callback(Some(watch_logits));
            params.set_filter_logits_callback_user_data((&raw mut watch).cast());
            params.set_abort_callback(Some(is_cancelled));
            params.set_abort_callback_user_data((job as *const Job).cast_mut().cast());
        }
        self.held.clear();
        let done = self.state.full(params, job.audio);
        if (job.cancelled)() {
            return Ok(None);
        }
        done.map_err(failed)?;

        let mut tokens = Vec::new();
        let mut text = String::new();
        for segment in self.state.as_iter() {
            text += &segment.to_str_lossy().map_err(failed)?;
            for i in 0..segment.n_tokens() {
                let data = segment.get_token(i).map(|t| t.token_data());
                tokens.extend(data.filter(|d| d.id < watch.end).map(|d| Token { id: d.id, p: d.p, other: None }));
            }
        }
        // A code may well have two halves alike.
        let sentence = !matches!(job.grammar, Some(Grammar::Signs { .. }));
        let once = if sentence { guard::once(&text) } else { &text };
        let seconds = job.seconds();
        let long_code = matches!(job.grammar, Some(Grammar::Signs { min, .. }) if *min > 1);
        let begun_again = match long_code {
            true => guard::half_of_it(once, seconds),
            false => guard::unhurried(once, seconds),
        };
        let begun_again = begun_again.len();
        let cut = begun_again < text.len();
        if cut {
            let ids: Vec<WhisperTokenId> = tokens.iter().map(|t| t.id).collect();
            let whole = |n: &usize| self.model.text_of(&ids[..*n]).len() >= begun_again;
            tokens.truncate((0..ids.len()).find(whole).unwrap_or(ids.len()));
            text.truncate(begun_again);
        }
        let fell_back = watch.passes > 1;
        if !fell_back && watch.others.len() >= tokens.len() {
            tokens.iter_mut().zip(&watch.others).for_each(|(t, &o)| t.other = Some(o));
        }
        let (no_speech, languages) = self.first_step(job)?;
        let alternatives = self.alternatives(job, language, &hint, &tokens);
        let expected = match job.grammar {
            // Other sentences are not worth the wait where this one is sure and long.
            Some(Grammar::Sentences(_)) if certainty(&tokens) >= SURE && tokens.len() > SHORT => Vec::new(),
            Some(grammar) => {
                let prompt = self.prompt(language, &hint);
                // A warmer decoding has probabilities of its own: the same text is weighed as the grammar's are.
                let free = if fell_back || cut { self.log_probability(&prompt, &tokens)? } else { watch.total };
                self.expected(job, grammar, &prompt, free)
            }
            None => Vec::new(),
        };
        if fell_back {
            // The random state of decoder 0 has moved on: with a fresh state the next text depends on its sound alone.
            self.state = self.model.context.create_state().map_err(failed)?;
            self.held.clear();
        }
        Ok(Some(Reading { text, tokens, alternatives, expected, no_speech, language, languages, fell_back }))
    }

    /// Probability that nobody speaks, from the very first step, as OpenAI has it (whisper.cpp takes the last prompt
    /// token's, which says nothing when timestamps are off), and those of the candidate languages, which stand there too.
    fn first_step(&mut self, job: &Job) -> Result<(f32, Languages), HearError> {
        let whisper = &self.model.context;
        decode(&mut self.state, &mut self.held, 0, &[whisper.token_sot()], job.threads.max(1))?;
        let logits = self.state.get_logits().map_err(failed)?;
        let no_speech = share(logits, [whisper.token_nosp()].into_iter());
        let ids = job.candidates.iter().filter_map(|tag| Some((*tag, whisper_rs::get_lang_id(tag)?)));
        let of: Vec<(&'static str, WhisperTokenId)> = ids.map(|(tag, id)| (tag, whisper.token_lang(id))).collect();
        let all = share(logits, of.iter().map(|(_, id)| *id)).max(f32::MIN_POSITIVE);
        Ok((no_speech, of.iter().map(|&(tag, id)| (tag, share(logits, [id].into_iter()) / all)).collect()))
    }

    /// The language of the utterance. Costs an encoder pass: whisper.cpp does not reuse it.
    fn detect(&mut self, job: &Job) -> Result<&'static str, HearError> {
        let mut params = self.params_for("en");
        params.set_audio_ctx(
            context_for(job.audio.len(), "", job.room).min(self.model.context.n_audio_ctx() as usize) as c_int
        );
        // SAFETY: the callback uses no data. It stops `full` right after it has noted sound and `audio_ctx`, which is
        // the only way to set the latter for `lang_detect`.
        unsafe { params.set_start_encoder_callback(Some(stop)) };
        self.held.clear();
        self.state.full(params, job.audio).map_err(failed)?;
        let (id, _) = self.state.lang_detect(0, 1).map_err(failed)?;
        whisper_rs::get_lang_str(id).ok_or_else(|| HearError::Failed("unknown language".into()))
    }

    fn params_for(&mut self, language: &'static str) -> FullParams<'static, 'static> {
        let make = || {
            let mut params = FullParams::new(SamplingStrategy::Greedy { best_of: 1 });
            params.set_language(Some(language)); // leaks its copy: once a language and reader
            params.set_no_context(true);
            params.set_no_timestamps(true);
            params.set_single_segment(true);
            params.set_print_special(false);
            params.set_print_progress(false);
            params.set_print_realtime(false);
            params.set_print_timestamps(false);
            params.set_temperature_inc(0.4);
            params.set_entropy_thold(2.4);
            params
        };
        self.params.entry(language.into()).or_insert_with(make).clone()
    }

    /// Other readings: at the tokens where a second choice was close, that choice, and what then follows. The
    /// encoder's work is reused. Best effort: an error only means fewer of them.
    fn alternatives(
        &mut self,
        job: &Job,
        language: &str,
        hint: &[WhisperTokenId],
        tokens: &[Token],
    ) -> Vec<(String, f32)> {
        if job.alternatives == 0 || certainty(tokens) >= SURE {
            return Vec::new();
        }
        let mut forks: Vec<(usize, WhisperTokenId, f32)> = tokens
            .iter()
            .enumerate()
            .filter_map(|(i, t)| t.other.map(|(id, p)| (i, id, p / t.p.max(1e-6))))
            .filter(|&(_, _, odds)| odds > CLOSE)
            .collect();
        forks.sort_by(|a, b| b.2.total_cmp(&a.2));
        forks.truncate(job.alternatives);

        let model = self.model.clone();
        let whisper = &model.context;
        let prompt = self.prompt(language, hint);
        let limit = tokens.len() + 8;
        let mut readings: Vec<(String, f32)> = Vec::new();
        let read_out = |mut path: Vec<Token>| {
            path.retain(|t| t.id < whisper.token_eot());
            let ids: Vec<WhisperTokenId> = path.iter().map(|t| t.id).collect();
            let mean = path.iter().map(|t| t.p.max(1e-6).ln()).sum::<f32>() / path.len().max(1) as f32;
            (model.text_of(&ids), mean)
        };
        for (at, other, odds) in forks {
            if (job.cancelled)() {
                break;
            }
            let mut path: Vec<Token> = tokens[..at].to_vec();
            let p = (tokens[at].p * odds).min(1.0);
            path.push(Token { id: other, p, other: None });
            if self.go_on(&prompt, &mut path, limit, best(job, 1.0)).is_err() {
                break;
            }
            readings.push(read_out(path));
        }
        readings.sort_by(|a, b| b.1.total_cmp(&a.1));
        // Their probabilities compare with no others. What was told helps where little is heard, and stands in the way
        // elsewhere: of "Tuesday, April" it made "june, april".
        let untold = (!hint.is_empty()).then(|| (self.prompt(language, &[]), 1.0, limit + UNTOLD));
        let poor = job.leans_again && certainty(tokens) < FAITHFUL && tokens.len() <= SENTENCE;
        for (prompt, by, limit) in std::iter::once((prompt, POORLY, limit)).chain(untold).filter(|_| poor) {
            let mut path = Vec::new();
            if !(job.cancelled)() && self.go_on(&prompt, &mut path, limit, best(job, by)).is_ok() {
                let (text, mean) = read_out(path);
                readings.push((guard::once(&text).to_owned(), mean));
            }
        }
        readings
    }

    /// What precedes a text: the hint, the language, the task.
    fn prompt(&self, language: &str, hint: &[WhisperTokenId]) -> Vec<WhisperTokenId> {
        let whisper = &self.model.context;
        let mut prompt = Vec::new();
        if !hint.is_empty() {
            prompt.push(whisper.token_prev());
            prompt.extend(hint);
        }
        prompt.push(whisper.token_sot());
        if self.model.multilingual() {
            let id = whisper_rs::get_lang_id(language).unwrap_or(0); // known: it was just read in this language
            prompt.extend([whisper.token_lang(id), whisper.token_transcribe()]);
        }
        prompt.push(whisper.token_not());
        prompt
    }

    /// The likeliest texts of a grammar, likeliest first: the greedy path through it and, where that is doubtful, the ways
    /// that leave a path found, the most promising first. `free` is the log probability of the text written freely.
    /// Best effort.
    fn expected(&mut self, job: &Job, grammar: &Grammar, prompt: &[WhisperTokenId], free: f32) -> Vec<Expected> {
        let model = self.model.clone();
        let mut found: Vec<Expected> = Vec::new();
        let mut open = vec![Way::default()];
        let (mut passes, mut least) = (0, free + FAR);
        while passes < PASSES && !(job.cancelled)() {
            let most = (0..open.len()).max_by(|&a, &b| open[a].promise.total_cmp(&open[b].promise));
            let Some(way) = most.map(|at| open.swap_remove(at)).filter(|way| way.promise >= least) else { break };
            let Ok((path, forks)) = self.within(grammar, prompt, way.path, least) else { break };
            passes += path.len();
            open.extend(forks);
            let Some(text) = judged(&model, grammar, &path, free) else { continue };
            if text.signs.is_some() && guard::half_of_it(&text.text, job.seconds()) != text.text {
                continue;
            }
            least = least.max(free + text.odds + NEAR);
            let sure = text.signs.map_or(text.odds >= -1.0, |signs| signs >= 0.5);
            found.push(text);
            if found.len() == 1 && sure {
                break;
            }
        }
        found.sort_by(|a, b| b.odds.total_cmp(&a.odds));
        found
    }

    /// Decodes within a grammar from `path` on, the likeliest way, to the end of the text, or to where it is less likely
    /// than `least`; and the ways that could have been gone instead.
    fn within(
        &mut self,
        grammar: &Grammar,
        prompt: &[WhisperTokenId],
        mut path: Vec<Token>,
        least: f32,
    ) -> Result<(Vec<Token>, Vec<Way>), HearError> {
        let model = self.model.clone();
        let end = model.context.token_eot();
        let mut others: Vec<(usize, Token)> = Vec::new();
        let allowed = |path: &[Token], logits: &[f32]| {
            let so_far = log_p(path);
            if so_far < least {
                return None;
            }
            let all = log_sum(logits);
            let token = |id: WhisperTokenId| Token { id, p: (logits[id as usize] - all).exp(), other: None };
            let mut allowed = grammar.next(&model.numerals, path.iter().map(|t| t.id), end).into_iter().map(token);
            let mut best = allowed.next()?;
            for mut other in allowed {
                if other.p > best.p {
                    std::mem::swap(&mut other, &mut best);
                }
                if so_far + other.log_p() >= least {
                    others.push((path.len(), other));
                }
            }
            Some(best)
        };
        self.go_on(prompt, &mut path, usize::MAX, allowed)?;
        let whole = path.last().is_some_and(|t| t.id == end);
        // All numbers go on alike: what follows another sign is about as likely as it is here. Sentences do not.
        let alike = whole && matches!(grammar, Grammar::Signs { .. });
        let ways = others.into_iter().filter_map(|(at, token)| {
            let rest = if alike { log_p(&path[at + 1..]) } else { 0.0 };
            let promise = log_p(&path[..at]) + token.log_p() + rest;
            let way = || Way { path: path[..at].iter().copied().chain([token]).collect(), promise };
            (promise >= least).then(way)
        });
        let ways = ways.collect();
        Ok((path, ways))
    }

    /// Log probability of a text, its end included.
    fn log_probability(&mut self, prompt: &[WhisperTokenId], text: &[Token]) -> Result<f32, HearError> {
        let end = self.model.context.token_eot();
        let told = |path: &[Token], logits: &[f32]| {
            let id = text.get(path.len()).map_or(end, |token| token.id);
            Some(Token { id, p: (logits[id as usize] - log_sum(logits)).exp(), other: None })
        };
        let mut path = Vec::new();
        self.go_on(prompt, &mut path, usize::MAX, told)?;
        Ok(log_p(&path))
    }

    /// Decodes from `prompt` and `path` on, by what `next` makes of the path and the logits of the text's tokens and their
    /// end: to the end of the text, which is put down too, to `limit` tokens, or to where `next` has none.
    fn go_on(
        &mut self,
        prompt: &[WhisperTokenId],
        path: &mut Vec<Token>,
        limit: usize,
        mut next: impl FnMut(&[Token], &[f32]) -> Option<Token>,
    ) -> Result<(), HearError> {
        let end = self.model.context.token_eot();
        let goes_on = |path: &[Token]| path.len() < limit && path.last().is_none_or(|t| t.id < end);
        if !goes_on(path) {
            return Ok(());
        }
        let past: Vec<WhisperTokenId> = prompt.iter().copied().chain(path.iter().map(|t| t.id)).collect();
        // The last token goes by itself: `get_logits` yields the first row, which is the wanted one only then.
        let (last, before) = past.split_last().expect("a prompt is never empty");
        // What the ways of one search have in common (the prompt, at least) is decoded once.
        let common = before.iter().zip(&self.held).take_while(|(a, b)| a == b).count();
        if common < before.len() {
            decode(&mut self.state, &mut self.held, common, &before[common..], 1)?;
        }
        let (mut last, mut n_past) = (*last, before.len());
        while goes_on(path) {
            decode(&mut self.state, &mut self.held, n_past, &[last], 1)?;
            let logits = &self.state.get_logits().map_err(failed)?[..=end as usize];
            let Some(token) = next(path, logits) else { break };
            (last, n_past) = (token.id, n_past + 1);
            path.push(token);
        }
        Ok(())
    }
}

/// Decodes `tokens` after the first `past` of what is held; the rest of that is forgotten.
fn decode(
    state: &mut WhisperState,
    held: &mut Vec<WhisperTokenId>,
    past: usize,
    tokens: &[WhisperTokenId],
    threads: usize,
) -> Result<(), HearError> {
    held.truncate(past);
    state.decode(tokens, past, threads).map_err(failed)?;
    held.extend(tokens);
    Ok(())
}

/// A way through a grammar, not gone to its end.
#[derive(Default)]
struct Way {
    path: Vec<Token>,
    /// Log probability that its end may have.
    promise: f32,
}

/// A text of a grammar so much less likely than the free one, in log probability, is not looked for.
const FAR: f32 = -10.0;
/// Nor one so much less likely than the best that was found.
const NEAR: f32 = -2.5;
/// Passes of the decoder that looking for texts of a grammar may take, about.
const PASSES: usize = 40;

/// What a path to the end of the text stands for.
fn judged(model: &Model, grammar: &Grammar, path: &[Token], free: f32) -> Option<Expected> {
    let end = model.context.token_eot();
    let (last, signs) = path.split_last()?;
    if last.id != end {
        return None;
    }
    let ids = signs.iter().map(|t| t.id);
    let (text, signs) = match grammar {
        Grammar::Sentences(sentences) => (sentences.text(ids)?.to_owned(), None),
        Grammar::Signs { .. } => {
            let text = model.text_of(&ids.collect::<Vec<_>>());
            let spelled = signs.iter().filter(|t| model.numerals.is_sign(t.id)).map(Token::log_p);
            (text.trim_matches([' ', ',', '-', '.']).to_owned(), Some(spelled.sum::<f32>().exp()))
        }
    };
    Some(Expected { text, odds: log_p(path) - free, certainty: certainty(path), signs })
}

fn log_p(path: &[Token]) -> f32 {
    path.iter().map(Token::log_p).sum()
}

/// Geometric mean of the tokens' probabilities.
pub fn certainty(tokens: &[Token]) -> f32 {
    let n = tokens.len().max(1) as f32;
    (tokens.iter().map(|t| t.p.max(1e-6).ln()).sum::<f32>() / n).exp()
}

/// The likeliest token, where the text leans by so much towards the job's phrases.
fn best(job: &Job, by: f32) -> impl FnMut(&[Token], &[f32]) -> Option<Token> {
    let phrases = job.phrases;
    let mut leant = Vec::new();
    move |path, logits| {
        leant.clear();
        leant.extend_from_slice(logits);
        if let Some(phrases) = phrases {
            phrases.lean(path.iter().map(|token| token.id), by, &mut leant);
        }
        let [(id, p), _] = two_best(&leant);
        Some(Token { id, p, other: None })
    }
}

/// Below this certainty a text is right less often than it seems.
pub const FAITHFUL: f32 = 0.75;
/// One more reading of it leans so much more on the job's phrases, if it is no longer than that, in tokens.
const POORLY: f32 = 2.0;
const SENTENCE: usize = 48;
/// A text that was told nothing is written out more fully: so many tokens more.
const UNTOLD: usize = 16;
/// From this certainty on, other readings are not worth the wait: 96 of 100 such texts are right.
const SURE: f32 = 0.9;
/// Tokens of a text so short that a sure one may yet be wrong: "my family" for "my balance".
const SHORT: usize = 4;
/// A second choice at least this likely, against the first, is worth following.
const CLOSE: f32 = 0.08;

/// Encoder positions for an utterance: all of it and some seconds of silence, in steps of 128. With too little
/// silence Whisper misses the end of short utterances and goes round in loops (measured: `benches/ear.rs`).
/// Languages other than English want more room (Mandarin digits were dropped at 384 positions and right at 1500).
fn context_for(samples: usize, language: &str, room: Room) -> usize {
    let sound = CONTEXT_A_SECOND * samples / RATE as usize;
    let silence = if room == Room::Fitted { 192 } else { 640 };
    let needed = if language == "en" { sound + silence } else { 2 * sound + silence + 128 };
    needed.next_multiple_of(128)
}

fn nothing(job: &Job) -> Reading {
    Reading {
        text: String::new(),
        tokens: Vec::new(),
        alternatives: Vec::new(),
        expected: Vec::new(),
        no_speech: 1.0,
        languages: Vec::new(),
        language: job.language.and_then(known).unwrap_or("en"),
        fell_back: false,
    }
}

/// The share of the probability that these tokens have.
fn share(logits: &[f32], ids: impl Iterator<Item = WhisperTokenId>) -> f32 {
    let all = log_sum(logits);
    ids.filter_map(|id| logits.get(id as usize)).map(|&l| (l - all).exp()).sum()
}

/// What logits are measured by: less this, they are logarithms of probabilities.
fn log_sum(logits: &[f32]) -> f32 {
    let top = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    top + logits.iter().map(|&l| (l - top).exp()).sum::<f32>().ln()
}

pub fn known(tag: &str) -> Option<&'static str> {
    whisper_rs::get_lang_id(tag).and_then(whisper_rs::get_lang_str)
}

fn failed(error: whisper_rs::WhisperError) -> HearError {
    HearError::Failed(error.to_string())
}

/// The two likeliest of the tokens these logits belong to.
fn two_best(logits: &[f32]) -> [(WhisperTokenId, f32); 2] {
    let (mut first, mut second) = ((0, f32::NEG_INFINITY), (0, f32::NEG_INFINITY));
    for (id, &logit) in logits.iter().enumerate() {
        if logit > first.1 {
            second = first;
            first = (id as WhisperTokenId, logit);
        } else if logit > second.1 {
            second = (id as WhisperTokenId, logit);
        }
    }
    let sum: f32 = logits.iter().map(|&l| (l - first.1).exp()).sum();
    [(first.0, 1.0 / sum), (second.0, (second.1 - first.1).exp() / sum)]
}

/// What the callbacks note during one `full`.
struct Watch {
    /// The job's, which outlives it.
    phrases: Option<*const Sentences>,
    /// Decodings begun: more than one after a fallback.
    passes: usize,
    /// Second choices, token by token, of the first decoding.
    others: Vec<(WhisperTokenId, f32)>,
    /// Log probability of the last decoding so far, its end included.
    total: f32,
    end: WhisperTokenId,
}

unsafe extern "C" fn watch_logits(
    _: *mut WhisperSysContext,
    _: *mut WhisperSysState,
    tokens: *const WhisperTokenData,
    n_tokens: c_int,
    logits: *mut f32,
    user: *mut c_void,
) {
    // SAFETY: `user` is the `Watch` of the running `read`; `logits` is the vocabulary, text tokens and their end first.
    let watch = unsafe { &mut *user.cast::<Watch>() };
    // SAFETY: as above.
    let logits = unsafe { std::slice::from_raw_parts_mut(logits, watch.end as usize + 1) };
    if let Some(phrases) = watch.phrases {
        // SAFETY: `tokens` are the text so far; the phrases are the running job's.
        let (so_far, phrases) = match n_tokens {
            0 => (&[][..], unsafe { &*phrases }),
            n => unsafe { (std::slice::from_raw_parts(tokens, n as usize), &*phrases) },
        };
        phrases.lean(so_far.iter().map(|token| token.id), 1.0, logits);
    }
    if n_tokens == 0 {
        watch.passes += 1;
        watch.total = 0.0;
    }
    let [first, second] = two_best(logits);
    watch.total += first.1.max(1e-9).ln();
    if watch.passes == 1 {
        watch.others.push(second);
    }
}

unsafe extern "C" fn is_cancelled(user: *mut c_void) -> bool {
    // SAFETY: `user` is the `Job` of the running `read`.
    let job = unsafe { &*user.cast::<Job>() };
    (job.cancelled)()
}

unsafe extern "C" fn stop(_: *mut WhisperSysContext, _: *mut WhisperSysState, _: *mut c_void) -> bool {
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_context_covers_the_utterance() {
        assert_eq!(context_for(0, "en", Room::Fitted), 256);
        assert_eq!(context_for(24 * 1600, "en", Room::Fitted), 384); // 2.4 s: 120 + 192
        assert_eq!(context_for(5 * 16_000, "en", Room::Fitted), 512); // 250 + 192
        assert!(context_for(16_000, "zh", Room::Fitted) > 384);
        assert!(context_for(16_000, "en", Room::Wide) > context_for(16_000, "en", Room::Fitted));
    }

    #[test]
    fn the_two_best_are_probabilities() {
        let [first, second] = two_best(&[0.0, 3.0, 1.0, -5.0]);
        assert_eq!((first.0, second.0), (1, 2));
        assert!(first.1 > second.1 && first.1 + second.1 < 1.0);
    }
}

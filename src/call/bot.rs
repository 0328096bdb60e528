//! The bot's side of a call: walking the flow from step to step, and what may interrupt it. How answers are read
//! is in `question`.

use std::collections::BTreeMap;

use super::state::{Call, Goal, Phase, Speaking};
use super::{Action, BackendFailure, Cause, Event, Note, Reply, RequestId, TimerId, Understanding};
use crate::dialog::commands::{Command, Said};
use crate::dialog::flow::{Ask, DESK_RETURN, Fetch, Flow, SlotKind, Step, decided};
use crate::dialog::slots::YES;
use crate::dialog::values::{Rendered, VERIFIED, at};
use crate::dialog::{Expect, experiment, person};
use crate::media::Key;

/// A backend, one after another, or finding out what was meant, may take this long before the caller hears that we are on it.
const PATIENCE_MS: u64 = 1_500;
/// And then again this often.
const STILL_MS: u64 = 8_000;
/// A backend that has not answered by then never will. (Backends have shorter limits of their own.)
const FETCH_LIMIT_MS: u64 = 40_000;
/// A turn that began is over by then, whatever became of it.
pub(super) const TURN_LIMIT_MS: u64 = 60_000;
/// Steps taken without a sign from the caller, before the flow counts as lost in a loop.
const MOVES: u32 = 50;
/// A `#` that follows keys complete by their number within this time ends nothing else.
const HASH_MS: u64 = 3_000;

/// Where in its flow a call is.
#[derive(Default)]
pub(super) struct Bot {
    pub step: String,
    pub stage: Stage,
    /// Failed attempts at this step's question.
    pub attempts: u32,
    /// Values that were read back and were wrong: heard once more, they are still wrong.
    pub denied: Vec<String>,
    /// The menu has asked whether it heard right.
    pub asked_whether: bool,
    /// Silences in a row at this step's question.
    pub silences: u32,
    /// Keys gathered for this step's question.
    pub keys: String,
    /// When keys were complete by their number: a `#` just after them belongs to them.
    pub complete_ms: Option<u64>,
    /// The caller is speaking, or what they said is being read.
    pub hearing: bool,
    /// What was cut when the caller began to speak.
    cut: Option<Vec<Rendered>>,
    /// A prompt was cut by noise once; it is not cut again.
    noisy: bool,
    moves: u32,
    /// How far the step's form is.
    pub form: super::form::Filling,
    /// The sentence that led here, and how sure it was heard: it may hold answers to the next question.
    pub carried: Option<(String, f32)>,
}

#[derive(Default)]
pub(super) enum Stage {
    #[default]
    Walking,
    Saying {
        next: String,
    },
    Asking,
    /// Reading back a value.
    Confirming {
        value: String,
    },
    /// Waiting for the meaning of a sentence.
    Understanding {
        request: RequestId,
        text: String,
        /// How well it was heard.
        confidence: f32,
        /// The option that it mentions.
        mentioned: Option<usize>,
        /// Whether it counts as an attempt: not when the question had yet to be asked.
        counts: bool,
        /// Then the call goes on without it.
        until_ms: u64,
        told: bool,
        /// Came while the caller was being told to wait.
        came: Option<Understanding>,
    },
    Fetching {
        request: RequestId,
        since_ms: u64,
        told: bool,
        /// Came while the caller was being told to wait.
        reply: Option<Reply>,
    },
}

/// What walking came to.
#[derive(PartialEq)]
enum Walked {
    /// A question that has yet to be asked.
    Question,
    /// Something else, that has begun.
    Begun,
}

impl Call {
    /// Goes to a step and does what it says.
    pub(super) fn enter(&mut self, step: &str) {
        if self.walk(step) == Walked::Question && !self.answered_ahead() {
            self.ask();
        }
    }

    /// Walks from `step` to the first that waits for something. Questions are not yet asked.
    fn walk(&mut self, step: &str) -> Walked {
        let flow = self.flow.clone();
        let mut name = step;
        loop {
            let Phase::Bot(bot) = &mut self.phase else { return Walked::Begun };
            let (moves, complete_ms, carried) = (bot.moves + 1, bot.complete_ms, bot.carried.take());
            *bot = Bot { step: name.to_owned(), moves, complete_ms, carried, ..Bot::default() };
            let step = flow.steps.get(name).filter(|_| moves <= MOVES);
            let Some(step) = step else {
                // `check` refuses flows that can come here.
                self.seek_person("the flow has no way on", None);
                return Walked::Begun;
            };
            if name == DESK_RETURN && self.back_to_agent(true) {
                return Walked::Begun;
            }
            self.note(Note::Step { step: name.to_owned() });
            if !matches!(step, Step::Disclose { .. }) {
                self.disclosed();
            }
            if self.drain_waits() && !matches!(step, Step::Transfer(_) | Step::HangUp { .. }) {
                self.tell_of_drain();
                return Walked::Begun;
            }
            match step {
                Step::Say { say, next } => {
                    let words = self.words(say);
                    self.commanded.told(name);
                    self.set_stage(Stage::Saying { next: next.clone() });
                    // Callers who know the way answer the menu that follows.
                    self.listen(Expect::Request, self.menu_hints(next));
                    if self.say(vec![words], true) {
                        return Walked::Begun;
                    }
                    name = next;
                }
                Step::Disclose { say, of, key, next } => {
                    if self.discloses(of, *key) {
                        let words = self.words(say);
                        self.commanded.told(name);
                        self.set_stage(Stage::Saying { next: next.clone() });
                        self.listen(Expect::Request, self.menu_hints(next));
                        if self.say(vec![words], true) {
                            return Walked::Begun;
                        }
                    }
                    name = next;
                }
                Step::Menu { .. } | Step::Ask(_) | Step::Form(_) => {
                    if let Step::Form(form) = step {
                        self.begin_form(form);
                        if self.served.goal == Goal::Chosen {
                            self.served.told = false;
                        }
                    }
                    if let Step::Ask(ask) = step {
                        if self.served.goal == Goal::Chosen && ask.kind != SlotKind::YesNo {
                            self.served.told = false;
                        }
                        self.mask(ask.secret);
                    }
                    if self.keys_only && !answered_by_keys(step) {
                        self.seek_person("the recogniser is not available", None);
                        return Walked::Begun;
                    }
                    self.commanded.asked(name);
                    self.set_stage(Stage::Asking);
                    return Walked::Question;
                }
                Step::Fetch(fetch) => match self.all_spent(name, fetch) {
                    Some(spent) => name = spent,
                    None => {
                        self.fetch(fetch);
                        return Walked::Begun;
                    }
                },
                Step::Decide { branches, otherwise } => {
                    name = decided(branches, otherwise, &self.values, self.today());
                }
                Step::Remember { values, next } => {
                    self.values.remember(values);
                    name = next;
                }
                Step::Experiment { ways } => {
                    let Some(way) = experiment::way(ways, name, &self.who) else {
                        self.seek_person("the flow has no way on", None);
                        return Walked::Begun;
                    };
                    self.note(Note::Experiment { step: name.to_owned(), way: way.to_owned() });
                    name = way;
                }
                Step::Hours { hours, open, closed } => {
                    let hours = flow.hours.get(hours);
                    name = if hours.is_none_or(|hours| hours.open_at(self.now())) { open } else { closed };
                }
                Step::Transfer(transfer) => {
                    self.transfer(transfer.clone());
                    return Walked::Begun;
                }
                // Not over the head of an agent who waits.
                Step::Callback(_) | Step::Message(_) if self.back_to_agent(false) => return Walked::Begun,
                Step::Callback(callback) => {
                    self.begin_callback(callback);
                    return Walked::Begun;
                }
                Step::Message(message) => {
                    self.begin_message(message);
                    return Walked::Begun;
                }
                Step::HangUp { say } => {
                    let words = self.words(say);
                    self.close_with(vec![words], Cause::Completed);
                    return Walked::Begun;
                }
            }
        }
    }

    /// The caller's day, by the flow's clock.
    pub(super) fn today(&self) -> chrono::NaiveDate {
        self.now().with_timezone(&self.flow.zone()).date_naive()
    }

    /// The wall clock's time.
    fn now(&self) -> chrono::DateTime<chrono::Utc> {
        let since = chrono::TimeDelta::try_milliseconds(i64::try_from(self.now_ms).unwrap_or(i64::MAX));
        since.and_then(|since| self.arrived_at.checked_add_signed(since)).unwrap_or(self.arrived_at)
    }

    pub(super) fn bot(&mut self, event: Event, said: Option<Speaking>) {
        match event {
            Event::Said { finished, .. } if said.is_some() => self.bot_said(finished),
            Event::SpeechStarted => self.speech_started(),
            Event::Heard(utterance) => {
                self.turn_over();
                self.follow_language(&utterance.language);
                self.heard(utterance);
            }
            Event::NotHeard => {
                self.turn_over();
                self.not_heard();
            }
            Event::Key { key } => self.key(key),
            Event::Timer { timer } => self.bot_timer(timer),
            Event::Understood { request, understanding } => self.understood(request, &understanding),
            Event::Replied { request, reply } => self.replied(request, reply),
            event if self.aside(&event) => {}
            event => self.refuse_agent(event),
        }
    }

    fn bot_said(&mut self, finished: bool) {
        let drain = self.drain_waits();
        let Phase::Bot(bot) = &mut self.phase else { return };
        if matches!(bot.stage, Stage::Saying { .. }) && finished && self.served.goal != Goal::None {
            self.served.told = true;
        }
        if drain && !matches!(bot.stage, Stage::Fetching { .. }) {
            return self.tell_of_drain();
        }
        match &mut bot.stage {
            Stage::Saying { next } => {
                let next = std::mem::take(next);
                if !bot.hearing {
                    self.enter(&next);
                } else {
                    bot.stage = Stage::Saying { next }; // until the turn is over
                }
            }
            Stage::Asking | Stage::Confirming { .. } if !bot.hearing && bot.keys.is_empty() => {
                self.set_timer(TimerId::Silence, self.flow.silence_ms);
            }
            _ => self.heard_out(),
        }
    }

    /// That we are on it was said: what came meanwhile is taken up.
    pub(super) fn heard_out(&mut self) {
        let Phase::Bot(bot) = &mut self.phase else { return };
        match &mut bot.stage {
            Stage::Fetching { request, reply, .. } => match reply.take() {
                Some(reply) => {
                    let request = *request;
                    self.replied(request, reply);
                }
                None => self.set_timer(TimerId::Patience, STILL_MS),
            },
            Stage::Understanding { request, came, .. } => {
                if let Some(came) = came.take() {
                    let request = *request;
                    self.understood(request, &came);
                }
            }
            _ => {}
        }
    }

    fn speech_started(&mut self) {
        if self.keys_only {
            return;
        }
        let Phase::Bot(bot) = &mut self.phase else { return };
        if !matches!(bot.stage, Stage::Saying { .. } | Stage::Asking | Stage::Confirming { .. }) {
            return;
        }
        bot.hearing = true;
        let cut = self.interrupt();
        if let Phase::Bot(bot) = &mut self.phase
            && cut.is_some()
        {
            bot.cut = cut;
        }
        self.set_timer(TimerId::Silence, TURN_LIMIT_MS);
    }

    /// What the caller said is here, or lost.
    fn turn_over(&mut self) {
        self.cancel_timer(TimerId::Silence);
        if let Phase::Bot(bot) = &mut self.phase {
            bot.hearing = false;
            bot.silences = 0;
            bot.moves = 0;
        }
    }

    /// Noise, or words that could not be read. A prompt that it cut is said again, this time to its end.
    pub(super) fn not_heard(&mut self) {
        self.note(Note::NotHeard);
        if self.leave_if_due() {
            return;
        }
        let Phase::Bot(bot) = &mut self.phase else { return };
        let cut = bot.cut.take();
        match (&bot.stage, cut) {
            (Stage::Saying { .. } | Stage::Asking | Stage::Confirming { .. }, Some(cut)) if !bot.noisy => {
                bot.noisy = true;
                if bot.keys.is_empty() && !self.say(cut, false) {
                    self.set_timer(TimerId::Silence, self.flow.silence_ms);
                }
            }
            (Stage::Saying { next }, _) if self.speaking.is_none() => {
                let next = next.clone();
                self.enter(&next);
            }
            (Stage::Asking | Stage::Confirming { .. }, _) if bot.keys.is_empty() => {
                let apology = self.flow.lines.not_heard.clone();
                self.failed(&apology);
            }
            _ => {}
        }
    }

    fn key(&mut self, key: Key) {
        let now = self.now_ms;
        let Phase::Bot(bot) = &mut self.phase else { return };
        bot.moves = 0;
        if bot.complete_ms.take().is_some_and(|at| key.as_char() == '#' && now <= at + HASH_MS) {
            return;
        }
        if self.refuses_by_key(key) {
            return;
        }
        let Phase::Bot(bot) = &mut self.phase else { return };
        if key.as_char() != '*' {
            self.commanded.answered();
        }
        match &bot.stage {
            // Callers who know the way press keys ahead: they count for the question that follows.
            Stage::Saying { next } => {
                let next = next.clone();
                if self.interrupt().is_none() && self.speaking.is_some() {
                    return; // a prompt that is not to be cut
                }
                if key.as_char() == '*' && self.star_repeats() {
                    self.note(Note::Dtmf { key });
                    self.command(Said { command: Command::Repeat, language: None });
                    return;
                }
                self.key_ahead(&next, key);
            }
            Stage::Asking | Stage::Confirming { .. } | Stage::Understanding { .. } => self.answer_key(key),
            Stage::Fetching { .. } => {
                self.note(Note::Dtmf { key });
                if key.as_char() == '0' {
                    self.seek_person("key 0", None);
                }
            }
            Stage::Walking => {}
        }
    }

    fn key_ahead(&mut self, next: &str, key: Key) {
        let mut next = self.past_disclosure(next);
        while let Some(Step::Say { next: after, .. }) = self.flow.steps.get(&next)
            && let Phase::Bot(bot) = &mut self.phase
            && bot.moves < MOVES
        {
            bot.moves += 1;
            let after = after.clone();
            next = self.past_disclosure(&after);
        }
        let to = self.flow.after_deciding(&next, &self.values, self.today());
        match self.flow.steps.get(to) {
            Some(Step::Menu { .. } | Step::Ask(_) | Step::Form(_)) => {
                if self.walk_to_question(&next) {
                    self.answer_key(key);
                }
            }
            _ if key.as_char() == '0' => {
                self.note(Note::Dtmf { key });
                self.seek_person("key 0", None);
            }
            _ => {
                self.note(Note::Dtmf { key });
                self.enter(&next);
            }
        }
    }

    /// The caller spoke while something was said: a request for the menu that follows, or words that want nothing.
    pub(super) fn heard_ahead(&mut self, next: &str) -> bool {
        let next = &self.past_disclosure(next);
        if !matches!(self.flow.steps.get(next), Some(Step::Menu { .. })) {
            self.enter(next);
            return false;
        }
        self.walk_to_question(next)
    }

    /// Walks on and, if that comes to a question, makes ready for an answer that was given already.
    pub(super) fn walk_to_question(&mut self, step: &str) -> bool {
        let question = self.walk(step) == Walked::Question;
        if question {
            self.expect_answer();
        }
        question
    }

    fn bot_timer(&mut self, timer: TimerId) {
        let Phase::Bot(bot) = &mut self.phase else { return };
        match (timer, &mut bot.stage) {
            (TimerId::Silence, _) if bot.hearing => {
                self.turn_over();
                self.not_heard();
            }
            (TimerId::Silence, Stage::Asking | Stage::Confirming { .. }) => self.silence(),
            (TimerId::InterKey, Stage::Asking) => self.keys_done(),
            (TimerId::Patience, Stage::Understanding { request, until_ms, told, came, .. }) => {
                let (request, left_ms) = (*request, until_ms.saturating_sub(self.now_ms));
                if left_ms == 0 {
                    let came = came.take().unwrap_or_default();
                    return self.understood(request, &came);
                }
                *told = true;
                let words = self.words(&self.flow.lines.patience);
                self.say(vec![words], true);
                self.set_timer(TimerId::Patience, left_ms);
            }
            (TimerId::Patience, Stage::Fetching { request, since_ms, told, .. }) => {
                let request = *request;
                if self.now_ms >= *since_ms + FETCH_LIMIT_MS {
                    return self.replied(request, Reply::Failed(BackendFailure::Timeout));
                }
                let again = std::mem::replace(told, true);
                let step = bot.step.clone();
                let lines = &self.flow.lines;
                let text = match self.flow.steps.get(&step) {
                    _ if again => &lines.still_looking,
                    Some(Step::Fetch(Fetch { wait: Some(wait), .. })) => wait,
                    _ => &lines.patience,
                };
                let words = self.words(text);
                if !self.say(vec![words], true) {
                    self.set_timer(TimerId::Patience, STILL_MS);
                }
            }
            _ => {}
        }
    }

    fn fetch(&mut self, fetch: &Fetch) {
        let request = self.new_request();
        let Phase::Bot(bot) = &mut self.phase else { return };
        if self.served.goal == Goal::Chosen {
            self.served.told = false;
        }
        bot.stage = Stage::Fetching { request, since_ms: self.now_ms, told: false, reply: None };
        let step = bot.step.clone();
        self.note(Note::Fetch { step: step.clone(), backend: fetch.backend.clone() });
        self.listen(Expect::Request, self.person_hints());
        let parameters = fetch.with.iter().map(|(name, template)| (name.clone(), self.values.parameter(template)));
        let parameters: Vec<(String, (String, bool))> = parameters.collect();
        let secret = parameters.iter().any(|(_, (_, secret))| *secret);
        self.mask(secret);
        let with: BTreeMap<String, String> = parameters.into_iter().map(|(name, (value, _))| (name, value)).collect();
        // A log holds no secrets: nothing may be decided by one.
        let repeats = if secret { None } else { self.repeats(step, &with, request) };
        self.act(Action::Fetch { request, backend: fetch.backend.clone(), with, repeats });
        self.mask(false);
        let patience_ms = self.patience_ms();
        self.set_timer(TimerId::Patience, patience_ms);
    }

    /// How long a caller who hears nothing from now on may be left to wait without a word.
    pub(super) fn patience_ms(&mut self) -> u64 {
        let since_ms = *self.unheard_since_ms.get_or_insert(self.now_ms);
        (since_ms + PATIENCE_MS).saturating_sub(self.now_ms)
    }

    /// The step for who has no try left at a backend.
    fn all_spent<'f>(&self, step: &str, fetch: &'f Fetch) -> Option<&'f str> {
        let attempts = fetch.attempts.as_ref()?;
        (self.spent.get(step).is_some_and(|spent| *spent >= attempts.most)).then_some(&attempts.spent)
    }

    /// The request that sent the same before, if it came to nothing that anybody knows of.
    fn repeats(&mut self, step: String, with: &BTreeMap<String, String>, request: RequestId) -> Option<RequestId> {
        match self.in_doubt.get(&step) {
            Some((sent, first)) if sent == with => Some(*first),
            _ => {
                self.in_doubt.insert(step, (with.clone(), request));
                None
            }
        }
    }

    fn replied(&mut self, request: RequestId, reply: Reply) {
        let speaking = self.speaking.is_some();
        let Phase::Bot(bot) = &mut self.phase else { return };
        match &mut bot.stage {
            Stage::Fetching { request: asked, reply: kept, .. } if *asked == request => {
                if speaking {
                    *kept = Some(reply); // once the caller has heard us out
                    return;
                }
            }
            _ => return,
        }
        let step = bot.step.clone();
        let flow = self.flow.clone();
        let Some(Step::Fetch(fetch)) = flow.steps.get(&step) else { return };
        self.cancel_timer(TimerId::Patience);
        let came = outcome(&flow, fetch, &reply);
        // Whether it was done nobody knows, a reply that makes no sense included.
        if !matches!(came.failure, Some(BackendFailure::Timeout | BackendFailure::Down | BackendFailure::Malformed)) {
            self.in_doubt.remove(&step);
        }
        self.note(Note::Reply { step: step.clone(), backend: fetch.backend.clone(), failure: came.failure });
        for (name, value) in came.values {
            match value {
                Some(value) => self.values.set(&name, value),
                None => self.values.clear(&name),
            }
        }
        let mut next = came.next;
        if fetch.verifies.is_some() {
            match came.failure {
                None => self.values.set(VERIFIED, YES.into()),
                Some(_) => self.values.clear(VERIFIED),
            }
        }
        if came.failure.is_none() {
            self.served.goal = Goal::Fetched;
            self.commanded.done();
        } else {
            self.served.goal = Goal::None;
            self.served.told = false;
            if matches!(came.failure, Some(BackendFailure::NotFound | BackendFailure::Refused)) {
                *self.spent.entry(step.clone()).or_default() += 1;
                next = self.all_spent(&step, fetch).unwrap_or(next);
            }
            let wordless = matches!(flow.steps.get(next), Some(Step::Transfer(transfer)) if transfer.say.is_none());
            if wordless && came.failure != Some(BackendFailure::NotFound) && next == fetch.failed {
                let sorry = self.words(&flow.lines.sorry);
                self.preface.push(sorry);
            }
        }
        self.enter(next);
    }

    /// The recogniser is gone in the middle of the flow.
    pub(super) fn bot_lost_speech(&mut self) {
        let flow = self.flow.clone();
        let notice = self.words(&flow.lines.keys_only);
        let Phase::Bot(bot) = &mut self.phase else { return };
        bot.hearing = false;
        match (&bot.stage, flow.steps.get(&bot.step)) {
            (Stage::Saying { .. } | Stage::Fetching { .. } | Stage::Walking, _) => {
                let resume = matches!(bot.stage, Stage::Saying { .. }) && self.speaking.is_none();
                let cut = bot.cut.take();
                self.preface.push(notice);
                if resume {
                    // The prompt was cut by a turn that will not be read.
                    self.cancel_timer(TimerId::Silence);
                    self.say(cut.unwrap_or_default(), true);
                }
            }
            (_, Some(step)) if answered_by_keys(step) => {
                if !matches!(bot.stage, Stage::Confirming { .. }) {
                    bot.stage = Stage::Asking;
                }
                let gathering = !bot.keys.is_empty();
                self.cancel_timer(TimerId::Patience);
                if !gathering {
                    self.cancel_timer(TimerId::Silence);
                    self.interrupt();
                    self.preface.push(notice);
                    self.ask();
                }
            }
            _ => self.seek_person("the recogniser is not available", None),
        }
    }

    pub(super) fn set_stage(&mut self, stage: Stage) {
        if let Phase::Bot(bot) = &mut self.phase {
            bot.stage = stage;
        }
    }

    /// What may be said where this step comes next: a menu's phrases, the wish for a person.
    pub(super) fn menu_hints(&self, step: &str) -> Vec<String> {
        let options = match self.flow.steps.get(step) {
            Some(Step::Menu { options, .. }) => options.as_slice(),
            _ => &[],
        };
        let phrases = options.iter().flat_map(|option| option.phrases.iter().cloned());
        phrases.chain(self.person_hints()).collect()
    }

    pub(super) fn person_hints(&self) -> Vec<String> {
        person::hints(self.language().as_str()).iter().map(|hint| (*hint).to_owned()).collect()
    }
}

/// What a reply comes to.
struct Outcome<'f> {
    failure: Option<BackendFailure>,
    values: Vec<(String, Option<String>)>,
    next: &'f str,
}

fn outcome<'f>(flow: &Flow, fetch: &'f Fetch, reply: &Reply) -> Outcome<'f> {
    let failed = |failure| {
        let next = if failure == BackendFailure::NotFound { &fetch.not_found } else { &fetch.failed };
        Outcome { failure: Some(failure), values: Vec::new(), next }
    };
    match (reply, &fetch.refused) {
        (Reply::Found(said), _) => {
            // A value that is not what it should be is as bad as one that is not there.
            let values = fetch.save.iter().map(|(name, pointers)| {
                let value = at(pointers, said)?;
                value.as_ref().is_none_or(|value| flow.admits(name, value)).then(|| (name.clone(), value))
            });
            match values.collect::<Option<_>>() {
                Some(values) => Outcome { failure: None, values, next: &fetch.next },
                None => failed(BackendFailure::Malformed),
            }
        }
        (Reply::Refused(said), Some(refused)) => {
            let value =
                |name: &String, pointers: &str| at(pointers, said).flatten().filter(|value| flow.admits(name, value));
            let values = refused.save.iter().map(|(name, pointers)| (name.clone(), value(name, pointers))).collect();
            Outcome { failure: Some(BackendFailure::Refused), values, next: &refused.next }
        }
        (Reply::Refused(_), None) => failed(BackendFailure::Refused),
        (Reply::Failed(failure), _) => failed(*failure),
    }
}

/// Whether a question can be answered without being heard.
fn answered_by_keys(step: &Step) -> bool {
    match step {
        Step::Menu { options, .. } => options.iter().any(|option| option.key.is_some()),
        Step::Ask(Ask { kind: SlotKind::Digits { .. } | SlotKind::Phone | SlotKind::YesNo, .. }) => true,
        Step::Ask(_) | Step::Form(_) => false,
        _ => true,
    }
}

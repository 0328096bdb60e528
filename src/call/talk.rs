//! A call without sound: what the engine does, reduced to moments. Prompts last as long as it takes to read them, timers
//! fire when they are due, and whoever asks says what the intents are and what the backends reply. A conversation of
//! minutes takes microseconds, and twice the same words take the same way.

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::{DateTime, Utc};

use super::{
    Action, Call, Caller, Cause, Entry, Event, PromptId, QueueRequest, Reading, Reply, TimerId, Understanding,
    Utterance,
};
use crate::dialog::flow::Flow;
use crate::dialog::{Expect, Language, words};
use crate::media::Key;

/// What the call asks of the outside.
pub trait World {
    fn understand(&mut self, text: &str, intents: &[String]) -> Understanding;
    /// A backend's reply and how long it takes, ms.
    fn fetch(&mut self, backend: &str, with: &BTreeMap<String, String>) -> (u64, Reply);
    /// The queue whose people take a caller of this one; none: nobody is there.
    fn taken_by(&self, queue: &str) -> Option<String> {
        Some(queue.to_owned())
    }
}

/// One call and its clock.
pub struct Talk<W> {
    flow: Arc<Flow>,
    call: Call,
    now_ms: u64,
    timers: BTreeMap<TimerId, u64>,
    saying: Option<(PromptId, u64)>,
    due: Vec<(u64, Event)>,
    told: usize,
    ended: Option<End>,
    listening: Option<Listening>,
    /// The number that is to be called back.
    pub promised: Option<String>,
    /// The message that was left.
    pub left: Option<String>,
    pub world: W,
}

/// What the call listens for.
#[derive(Clone, Debug)]
pub struct Listening {
    pub expect: Expect,
    pub language: Language,
    pub hints: Vec<String>,
}

/// How the bot's part of the call ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum End {
    /// A person would take over, of this queue.
    Person {
        queue: String,
    },
    HungUp(Cause),
}

/// Milliseconds that a prompt takes: a breath, and each letter.
const BREATH: u64 = 500;
const LETTER: u64 = 60;
/// How long the intents take to be found.
const UNDERSTOOD: u64 = 40;
/// Nothing that a caller waits for takes longer than this: what has not happened by then never will.
const PATIENCE: u64 = 120_000;

impl<W: World> Talk<W> {
    /// A call that arrives now, `at` by the clock on the wall.
    pub fn new(flow: Arc<Flow>, caller: Caller, at: DateTime<Utc>, world: W) -> Self {
        let mut talk = Self {
            call: Call::new(flow.clone()),
            flow,
            now_ms: 0,
            timers: BTreeMap::new(),
            saying: None,
            due: Vec::new(),
            told: 0,
            ended: None,
            listening: None,
            promised: None,
            left: None,
            world,
        };
        talk.tell(Event::Arrived { call: "talk".into(), caller, at });
        talk.settle();
        talk
    }

    /// Milliseconds since the call arrived.
    pub fn now_ms(&self) -> u64 {
        self.now_ms
    }

    pub fn ended(&self) -> Option<&End> {
        self.ended.as_ref()
    }

    /// The whole timeline so far.
    pub fn timeline(&self) -> &[Entry] {
        self.call.timeline()
    }

    /// What has happened since this was last asked.
    pub fn news(&mut self) -> Vec<Entry> {
        let news = self.call.timeline()[self.told..].to_vec();
        self.told += news.len();
        news
    }

    /// What the caller's next words are expected to be, where the call wants to hear any.
    pub fn listening(&self) -> Option<&Listening> {
        self.listening.as_ref()
    }

    /// The caller hears the bot out and says this.
    pub fn says(&mut self, text: &str) {
        let said = Utterance {
            text: text.into(),
            alternatives: Vec::new(),
            confidence: 0.9,
            language: self.language_of(text).to_string(),
            start_ms: 0,
            end_ms: 0,
        };
        self.speaks(Some(said), 1_000 + 50 * text.chars().count() as u64);
    }

    /// The caller hears the bot out and speaks for so long; what is heard is this, its times aside, or no words.
    pub fn speaks(&mut self, heard: Option<Utterance>, length_ms: u64) {
        self.now_ms += 200;
        self.tell(Event::SpeechStarted);
        let start_ms = self.now_ms;
        self.now_ms += length_ms;
        let end_ms = self.now_ms;
        self.now_ms += 300;
        self.tell(match heard {
            Some(heard) => Event::Heard(Utterance { start_ms, end_ms, ..heard }),
            None => Event::NotHeard,
        });
        self.settle();
    }

    /// As a recogniser would name it: by its script, where that is not the one of the language spoken now.
    pub fn language_of(&self, text: &str) -> Language {
        let now = self.call.language().clone();
        let han = text.chars().any(words::is_han);
        let written = |language: &Language| language.as_str().starts_with("zh") == han;
        if written(&now) || !text.chars().any(char::is_alphabetic) {
            return now;
        }
        self.flow.languages().into_iter().find(written).unwrap_or(now)
    }

    /// The caller makes a sound that is no words.
    pub fn mumbles(&mut self) {
        self.speaks(None, 1_000);
    }

    /// The caller presses these keys; what is no key of a telephone is left out.
    pub fn presses(&mut self, keys: &str) {
        for key in keys.chars().filter_map(Key::new) {
            self.now_ms += 250;
            self.tell(Event::Key { key });
        }
        // Keys that could be more are over after a pause.
        while let Some(&at) = self.timers.get(&TimerId::InterKey) {
            if !self.happen(at) {
                break;
            }
        }
        self.settle();
    }

    /// The caller says nothing until that is noticed.
    pub fn is_silent(&mut self) {
        if let Some(&at) = self.timers.get(&TimerId::Silence) {
            while self.timers.get(&TimerId::Silence) == Some(&at) && self.happen(at) {}
        }
        self.settle();
    }

    /// The caller's voice sounds like this for three seconds; words follow by `says`.
    pub fn sounds(&mut self, distress: f32) {
        let start_ms = self.now_ms;
        for second in 1..=3_u32 {
            self.now_ms += 1_000;
            self.tell(Event::Emotion(Reading {
                distress,
                speech_ms: second * 1_000,
                start_ms,
                end_ms: self.now_ms,
                whole: second == 3,
                ..Reading::default()
            }));
        }
    }

    pub fn hangs_up(&mut self) {
        self.tell(Event::CallerHungUp);
    }

    fn tell(&mut self, event: Event) {
        if self.ended.is_some() {
            return;
        }
        for action in self.call.handle(self.now_ms, event) {
            match action {
                Action::Say { prompt, words, .. } => {
                    let length = BREATH + LETTER * words.text().chars().count() as u64;
                    self.saying = Some((prompt, self.now_ms + length));
                }
                Action::StopSaying => self.saying = None,
                Action::SetTimer { timer, after_ms } => {
                    self.timers.insert(timer, self.now_ms + after_ms);
                }
                Action::CancelTimer { timer } => {
                    self.timers.remove(&timer);
                }
                Action::Listen { expect, language, hints } => {
                    self.listening = Some(Listening { expect, language, hints });
                }
                Action::StopListening => self.listening = None,
                Action::Understand { request, text, intents, .. } => {
                    let understanding = self.world.understand(&text, &intents);
                    self.due.push((self.now_ms + UNDERSTOOD, Event::Understood { request, understanding }));
                }
                Action::Fetch { request, backend, with, .. } => {
                    let (after_ms, reply) = self.world.fetch(&backend, &with);
                    self.due.push((self.now_ms + after_ms, Event::Replied { request, reply }));
                }
                Action::Queue(QueueRequest::Enter { queue, .. }) => match self.world.taken_by(&queue) {
                    Some(queue) => self.ended = Some(End::Person { queue }),
                    None => self.due.push((self.now_ms + UNDERSTOOD, Event::NobodyThere)),
                },
                Action::KeepCallback(promise) => {
                    self.promised = Some(promise.number);
                    let kept = Event::CallbackKept { position: 1, estimate_s: None };
                    self.due.push((self.now_ms + UNDERSTOOD, kept));
                }
                Action::KeepMessage(message) => self.left = Some(message.text),
                Action::Finished { cause, .. } => {
                    self.ended.get_or_insert(End::HungUp(cause));
                }
                _ => {}
            }
        }
    }

    /// The next thing that happens by itself, until `until`.
    fn happen(&mut self, until: u64) -> bool {
        let said = self.saying.map(|(_, at)| at);
        let timer = self.timers.iter().min_by_key(|(_, at)| **at).map(|(timer, at)| (*at, *timer));
        let due = self.due.iter().enumerate().min_by_key(|(_, (at, _))| *at).map(|(i, (at, _))| (*at, i));
        let next = [said, timer.map(|timer| timer.0), due.map(|due| due.0)].into_iter().flatten().min();
        let Some(next) = next.filter(|next| *next <= until && self.ended.is_none()) else { return false };
        self.now_ms = self.now_ms.max(next);
        match (due, self.saying, timer) {
            (Some((at, i)), ..) if at == next => {
                let (_, event) = self.due.remove(i);
                self.tell(event);
            }
            (_, Some((prompt, at)), _) if at == next => {
                self.saying = None;
                self.tell(Event::Said { prompt, finished: true });
            }
            (.., Some((_, timer))) => {
                self.timers.remove(&timer);
                self.tell(Event::Timer { timer });
            }
            _ => return false,
        }
        true
    }

    /// Lets everything be said and answered that is under way; the caller's silence does not yet count.
    fn settle(&mut self) {
        let limit = self.now_ms + PATIENCE;
        while self.ended.is_none() && (self.saying.is_some() || !self.due.is_empty()) {
            let said = self.saying.map(|(_, at)| at);
            let due = self.due.iter().map(|(at, _)| *at).min();
            let next = [said, due].into_iter().flatten().min().unwrap_or(limit);
            if next > limit || !self.happen(next) {
                break;
            }
        }
    }
}

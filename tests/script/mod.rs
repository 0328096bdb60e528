//! A call without sound: what the engine does, reduced to moments. Prompts last as long as it takes to read them,
//! timers fire when they are due, backends and the intent model answer from a script.
#![allow(dead_code)] // each test uses what it needs

pub mod flows;
pub mod secrets;

use std::collections::BTreeMap;
use std::sync::Arc;

use frontdesk::call::*;
use frontdesk::dialog::flow::Flow;
use frontdesk::media::Key;
use frontdesk::privacy::scrub;
use serde_json::Value;

/// Monday 23 November 2026, 10:00 in London.
pub const MONDAY: &str = "2026-11-23T10:00:00Z";
/// Sunday.
pub const SUNDAY: &str = "2026-11-22T10:00:00Z";

pub struct Script {
    pub flow: Arc<Flow>,
    pub call: Call,
    pub now: u64,
    pub log: Vec<(u64, Event)>,
    pub lines: Vec<Logged>,
    pub actions: Vec<Action>,
    timers: BTreeMap<TimerId, u64>,
    saying: Option<(PromptId, u64)>,
    masked: bool,
    /// Stands before the call, as in the engine.
    pub shield: Option<Shield>,
    /// Sound that the recording is silenced for, ms of the call.
    pub blanks: Vec<(u64, u64)>,
    /// Replies by backend; one that is not there never answers.
    pub backends: BTreeMap<String, Result<Value, BackendFailure>>,
    /// What backends refuse with instead.
    pub refusals: BTreeMap<String, Value>,
    /// How long backends take.
    pub backend_ms: u64,
    pub meaning_ms: u64,
    /// Intent scores by sentence.
    pub intents: BTreeMap<String, Vec<(String, f32)>>,
    due: Vec<(u64, Event)>,
    /// The bot's last request to be answered, for late replies.
    pub fetches: Vec<(RequestId, String, BTreeMap<String, String>)>,
}

impl Script {
    pub fn new(flow: Flow) -> Self {
        Self::at(flow, MONDAY)
    }

    /// A call that arrives at a moment.
    pub fn at(flow: Flow, moment: &str) -> Self {
        let caller = Caller {
            number: "+442071234567".into(),
            name: Some("Jo Doe".into()),
            dialled: "1000".into(),
            line: "main".into(),
            ..Caller::default()
        };
        Self::from(flow, moment, caller)
    }

    /// A call from a caller.
    pub fn from(flow: Flow, moment: &str, caller: Caller) -> Self {
        let flow = Arc::new(flow);
        let mut script = Self {
            call: Call::new(flow.clone()),
            flow,
            now: 0,
            log: Vec::new(),
            lines: Vec::new(),
            actions: Vec::new(),
            timers: BTreeMap::new(),
            saying: None,
            masked: false,
            shield: Some(Shield::default()),
            blanks: Vec::new(),
            backends: BTreeMap::new(),
            refusals: BTreeMap::new(),
            backend_ms: 300,
            meaning_ms: 40,
            intents: BTreeMap::new(),
            due: Vec::new(),
            fetches: Vec::new(),
        };
        script.tell(Event::Arrived { call: "c1".into(), caller, at: moment.parse().unwrap() });
        script
    }

    pub fn tell(&mut self, event: Event) -> &mut Self {
        let admitted = match &mut self.shield {
            Some(shield) => shield.admit(&self.call, self.now, event),
            None => Admitted { events: vec![event], ..Admitted::default() },
        };
        self.blanks.extend(admitted.blank);
        for event in admitted.events {
            self.told(event);
        }
        self
    }

    fn told(&mut self, event: Event) -> &mut Self {
        let actions = self.call.handle(self.now, event.clone());
        self.lines.push(Logged::new(self.now, event.clone(), &actions, self.masked));
        self.log.push((self.now, event));
        for action in actions {
            match &action {
                Action::Say { prompt, words, .. } => {
                    let length = 500 + 60 * words.text().chars().count() as u64;
                    self.saying = Some((*prompt, self.now + length));
                }
                Action::StopSaying => self.saying = None,
                Action::SetTimer { timer, after_ms } => {
                    self.timers.insert(*timer, self.now + after_ms);
                }
                Action::CancelTimer { timer } => {
                    self.timers.remove(timer);
                }
                Action::Mask => self.masked = true,
                Action::Unmask => self.masked = false,
                Action::Forget { since_ms } => {
                    for line in self.lines.iter_mut().filter(|line| line.at_ms >= *since_ms) {
                        let mut json = serde_json::to_value(&*line).unwrap();
                        scrub(&mut json);
                        *line = serde_json::from_value(json).unwrap();
                    }
                }
                Action::Understand { request, text, intents, .. } => {
                    let scores = self.intents.get(text).cloned().unwrap_or_default();
                    let scores = scores.into_iter().filter(|(intent, _)| intents.contains(intent));
                    let intents = scores.map(|(intent, score)| IntentScore { intent, score }).collect();
                    let understanding = Understanding { intents, threshold: 0.5, answer: None };
                    self.due.push((self.now + self.meaning_ms, Event::Understood { request: *request, understanding }));
                }
                Action::Fetch { request, backend, with, .. } => {
                    self.fetches.push((*request, backend.clone(), with.clone()));
                    let refusal = self.refusals.get(backend).cloned().map(Reply::Refused);
                    let reply = || self.backends.get(backend).cloned().map(Reply::from);
                    if let Some(reply) = refusal.or_else(reply) {
                        let event = Event::Replied { request: *request, reply };
                        self.due.push((self.now + self.backend_ms, event));
                    }
                }
                _ => {}
            }
            self.actions.push(action);
        }
        self
    }

    /// The next thing that happens by itself, until `until`.
    fn happen(&mut self, until: u64) -> bool {
        let said = self.saying.map(|(_, at)| at);
        let timer = self.timers.iter().min_by_key(|(_, at)| **at).map(|(timer, at)| (*at, *timer));
        let due = self.due.iter().enumerate().min_by_key(|(_, (at, _))| *at).map(|(i, (at, _))| (*at, i));
        let next = [said, timer.map(|t| t.0), due.map(|d| d.0)].into_iter().flatten().min();
        let Some(next) = next.filter(|next| *next <= until) else { return false };
        self.now = self.now.max(next);
        if due.is_some_and(|(at, _)| at == next) {
            let (_, event) = self.due.remove(due.unwrap().1);
            self.tell(event);
        } else if said == Some(next) {
            let (prompt, _) = self.saying.take().unwrap();
            self.tell(Event::Said { prompt, finished: true });
        } else if let Some((_, timer)) = timer {
            self.timers.remove(&timer);
            self.tell(Event::Timer { timer });
        }
        true
    }

    /// Lets time pass.
    pub fn wait(&mut self, ms: u64) -> &mut Self {
        let until = self.now + ms;
        while self.happen(until) {}
        self.now = until;
        self
    }

    /// Lets everything be said and answered that is under way, but no timer of the caller's silence fire.
    pub fn quiet(&mut self) -> &mut Self {
        while self.saying.is_some() || !self.due.is_empty() {
            let said = self.saying.map(|(_, at)| at);
            let due = self.due.iter().map(|(at, _)| *at).min();
            let next = [said, due].into_iter().flatten().min().unwrap();
            self.happen(next);
        }
        self
    }

    /// The caller hears the bot out and speaks.
    pub fn says(&mut self, text: &str) -> &mut Self {
        self.quiet();
        self.interrupts(text)
    }

    /// The caller speaks at once.
    pub fn interrupts(&mut self, text: &str) -> &mut Self {
        self.now += 200;
        self.tell(Event::SpeechStarted);
        self.murmurs(text, 0.9)
    }

    /// The caller is heard with this confidence.
    pub fn murmurs(&mut self, text: &str, confidence: f32) -> &mut Self {
        self.heard(text, &[], confidence)
    }

    /// The caller hears the bot out, and what is said could also have been one of these.
    pub fn says_one_of(&mut self, text: &str, others: &[&str]) -> &mut Self {
        self.quiet();
        self.now += 200;
        self.tell(Event::SpeechStarted);
        self.heard(text, others, 0.9)
    }

    /// The caller is heard with this confidence, and what is said could also have been one of these.
    pub fn heard(&mut self, text: &str, others: &[&str], confidence: f32) -> &mut Self {
        let start_ms = self.now;
        self.now += 1_000 + 50 * text.chars().count() as u64;
        let utterance = Utterance {
            text: text.into(),
            alternatives: others.iter().map(|other| (*other).to_owned()).collect(),
            confidence,
            language: self.flow.language.to_string(),
            start_ms,
            end_ms: self.now,
        };
        self.now += 300;
        self.tell(Event::Heard(utterance));
        let soon = self.now + 100; // the intent model
        while self.due.iter().any(|(at, _)| *at <= soon) {
            self.happen(soon);
        }
        self
    }

    /// The caller hears the bot out and presses keys.
    pub fn keys(&mut self, keys: &str) -> &mut Self {
        self.quiet();
        self.presses(keys)
    }

    /// The caller presses keys at once.
    pub fn presses(&mut self, keys: &str) -> &mut Self {
        for key in keys.chars() {
            self.now += 250;
            self.tell(Event::Key { key: Key::new(key).unwrap() });
        }
        self
    }

    /// What the bot has said so far, prompt by prompt.
    pub fn said(&self) -> Vec<String> {
        let said = self.notes().filter_map(|note| match note {
            Note::Say { text } => Some(text.clone()),
            _ => None,
        });
        said.collect()
    }

    pub fn last_said(&self) -> String {
        self.said().pop().unwrap_or_default()
    }

    pub fn notes(&self) -> impl Iterator<Item = &Note> {
        self.call.timeline().iter().map(|entry| &entry.note)
    }

    /// The queue that the call is in or was last sent to.
    pub fn queue(&self) -> Option<&str> {
        self.actions.iter().rev().find_map(|action| match action {
            Action::Queue(QueueRequest::Enter { queue, .. }) => Some(queue.as_str()),
            _ => None,
        })
    }

    pub fn finished(&self) -> Option<(&Summary, Cause)> {
        self.actions.iter().rev().find_map(|action| match action {
            Action::Finished { summary, cause } => Some((&**summary, *cause)),
            _ => None,
        })
    }

    /// The values of facts of a kind, so far or at the end.
    pub fn facts(&self, kind: FactKind) -> Vec<String> {
        let summary = summarise(&self.flow, self.call.timeline());
        summary.facts.into_iter().filter(|fact| fact.kind == kind).map(|fact| fact.text).collect()
    }

    /// An agent takes the call.
    pub fn connect(&mut self, agent: &str) -> &mut Self {
        self.now += 100;
        self.tell(Event::AgentFound { agent: agent.into(), brief: true });
        self.now += 100;
        self.tell(Event::AgentRinging);
        self.now += 2_000;
        self.tell(Event::AgentAnswered);
        self.now += 4_000;
        self.tell(Event::Briefed)
    }

    /// The number of actions like this.
    pub fn count(&self, like: impl Fn(&Action) -> bool) -> usize {
        self.actions.iter().filter(|action| like(action)).count()
    }
}

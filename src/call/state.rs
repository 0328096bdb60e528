//! The call itself: its phase, what it knows, and the few things every phase does (say, note, set timers).

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::aside::Aside;
use super::bot::Bot;
use super::caring::Feeling;
use super::commands::Commanded;
use super::consent::Consent;
use super::handoff::Handoff;
use super::instead::Instead;
use super::number::comparable;
use super::{
    Action, CallId, Caller, Cause, Entry, Event, Note, Outcome, PromptId, RequestId, Talker, TimerId, Utterance,
};
use crate::dialog::flow::{Flow, Text};
use crate::dialog::values::{Rendered, Values};
use crate::dialog::{Expect, Language, Piece, Prompt};

/// One call from its arrival to its end.
pub struct Call {
    pub(super) flow: Arc<Flow>,
    pub(super) now_ms: u64,
    pub(super) phase: Phase,
    pub(super) values: Values,
    /// Who calls, for experiments: the number; of a caller who shows none, the call.
    pub(super) who: String,
    pub(super) arrived_at: chrono::DateTime<chrono::Utc>,
    /// The recogniser is not there.
    pub(super) keys_only: bool,
    /// The engine shuts down.
    pub(super) drain: Option<Drain>,
    pub(super) served: Served,
    /// The prompt that runs, if one does.
    pub(super) speaking: Option<Speaking>,
    /// Said at the beginning of the next prompt.
    pub(super) preface: Vec<Rendered>,
    /// What the ear was told last.
    pub(super) listening: Option<(Expect, Language, Vec<String>)>,
    pub(super) masked: bool,
    pub(super) feeling: Feeling,
    pub(super) consent: Consent,
    pub(super) commanded: Commanded,
    /// An agent waits while the caller goes through some steps.
    pub(super) aside: Option<Aside>,
    /// Answers of "not found" and "refused", by fetch step.
    pub(super) spent: BTreeMap<String, u32>,
    /// By step: what was sent to a backend of which nobody knows whether it was done, and the request that first sent it.
    pub(super) in_doubt: BTreeMap<String, (BTreeMap<String, String>, RequestId)>,
    /// Backends, one after another, or a meaning are waited for since then, and the caller has heard nothing of it.
    pub(super) unheard_since_ms: Option<u64>,
    pub(super) notes: Vec<Entry>,
    actions: Vec<Action>,
    timers: BTreeSet<TimerId>,
    prompts: PromptId,
    requests: RequestId,
}

pub(super) enum Phase {
    /// Nothing has arrived.
    New,
    Bot(Bot),
    Handoff(Handoff),
    /// Nobody takes the call: what else there is.
    Instead(Box<Instead>),
    /// The last prompt is being said.
    Closing(Cause),
    Ended,
}

/// The engine shuts down.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Drain {
    /// The caller is told as soon as the prompt that runs is over.
    ToTell,
    Told,
}

/// What has come of the call so far.
#[derive(Clone, Copy, Default)]
pub(super) struct Served {
    pub goal: Goal,
    /// The caller was told what they wanted to know, to the end.
    pub told: bool,
    /// A person and the caller heard each other.
    pub connected: bool,
    /// A callback or a message is kept.
    pub promised: bool,
}

/// What there is to tell the caller.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Goal {
    #[default]
    None,
    /// They chose something: what is said next may be it, unless more is asked or fetched before.
    Chosen,
    /// A backend answered.
    Fetched,
}

pub(super) struct Speaking {
    pub prompt: PromptId,
    pub interruptible: bool,
    /// To say it again when it was cut for nothing.
    pub said: Vec<Rendered>,
}

impl Call {
    /// A call that follows `flow` in the flow's language.
    pub fn new(flow: Arc<Flow>) -> Self {
        let feeling = Feeling::of(&flow);
        Self {
            flow,
            now_ms: 0,
            phase: Phase::New,
            values: Values::default(),
            who: String::new(),
            arrived_at: chrono::DateTime::UNIX_EPOCH,
            keys_only: false,
            drain: None,
            served: Served::default(),
            speaking: None,
            preface: Vec::new(),
            listening: None,
            masked: false,
            feeling,
            consent: Consent::default(),
            commanded: Commanded::default(),
            aside: None,
            spent: BTreeMap::new(),
            in_doubt: BTreeMap::new(),
            unheard_since_ms: None,
            notes: Vec::new(),
            actions: Vec::new(),
            timers: BTreeSet::new(),
            prompts: 0,
            requests: 0,
        }
    }

    /// Tells the call what happened, `now_ms` after it arrived, and what it wants done. Every event is harmless in
    /// every state: what comes too late is ignored. After `Action::Finished` there are no more actions.
    pub fn handle(&mut self, now_ms: u64, event: Event) -> Vec<Action> {
        self.now_ms = self.now_ms.max(now_ms);
        if let Event::Timer { timer } = event
            && !self.timers.remove(&timer)
        {
            return Vec::new(); // cancelled meanwhile
        }
        let said = match event {
            Event::Said { prompt, .. } | Event::VoiceFailed { prompt } => {
                match self.speaking.take_if(|speaking| speaking.prompt == prompt) {
                    None => return Vec::new(), // replaced or stopped meanwhile
                    some => some,
                }
            }
            _ => None,
        };
        if let Some(said) = &said {
            self.was_told(said.prompt);
        }
        if let (Event::Heard(words) | Event::Overheard { who: Talker::Caller, utterance: words }, false) =
            (&event, matches!(self.phase, Phase::Bot(_) | Phase::Ended))
        {
            self.refuses_in_passing(words);
        }
        match (&self.phase, event) {
            (Phase::Ended, _) => {}
            (Phase::Instead(_), Event::CallerHungUp) => self.hung_up_instead(),
            (_, Event::CallerHungUp) => self.end(Cause::CallerHungUp),
            (Phase::New, Event::Arrived { call, caller, at }) => self.arrived(call, caller, at),
            (Phase::New, _) | (_, Event::Arrived { .. }) => {}
            (_, Event::MediaLost) => self.end(Cause::MediaLost),
            (_, Event::Drain { within_ms }) => self.drain(within_ms),
            (_, Event::Timer { timer: TimerId::Drain }) => self.drain_over(),
            (_, Event::Emotion(reading)) => self.sounded(reading),
            (_, Event::HeardPart { text }) => {
                if !self.masked {
                    self.note(Note::Part { text });
                }
            }
            (_, Event::Overheard { who, utterance: Utterance { text, start_ms, end_ms, .. } }) => {
                self.note(Note::Overheard { who, text, start_ms, end_ms });
            }
            (_, Event::RecordingRefused) => self.recording_refused(),
            (_, Event::ThirdJoined { third }) => self.note(Note::ThirdJoined { third }),
            (_, Event::ThirdLeft { third }) => self.note(Note::ThirdLeft { third }),
            (_, Event::Supervised { supervisor, part }) => self.note(Note::Supervised { supervisor, part }),
            (_, Event::Forget { since_ms }) => self.forget(since_ms),
            (_, Event::CarriedOn { because }) => self.note(Note::CarriedOn { because }),
            (_, Event::SpeechUnavailable) => self.speech_unavailable(),
            // Nobody is left in silence: a person speaks for the voice.
            (Phase::Instead(_), event) => self.instead(event, said.is_some()),
            (Phase::Bot(_), Event::VoiceFailed { .. }) => self.seek_person("the voice failed", None),
            (Phase::Closing(cause), Event::VoiceFailed { .. }) => {
                let cause = *cause;
                self.end(cause);
            }
            (Phase::Bot(_), event) => self.bot(event, said),
            (Phase::Handoff(_), event) => self.handoff(event, said),
            (Phase::Closing(cause), Event::Said { .. } | Event::Timer { .. }) => {
                let cause = *cause;
                // A flow's last words may be what the caller wanted to know.
                self.served.told |= cause == Cause::Completed && self.served.goal != Goal::None;
                self.end(cause);
            }
            (Phase::Closing(_), event) => self.refuse_agent(event),
        }
        std::mem::take(&mut self.actions)
    }

    /// What callers go ahead of others by in every queue, from what is known of them and how they feel.
    pub(super) fn ahead(&self) -> i32 {
        let name = self.flow.people.as_ref().and_then(|people| people.priority.as_ref());
        let known = name.and_then(|name| self.commanded.given(name)?.trim().parse::<i32>().ok());
        known.map_or(0, |known| known.clamp(-100, 100)) + self.feeling.raise()
    }

    /// The timeline so far.
    pub fn timeline(&self) -> &[Entry] {
        &self.notes
    }

    /// The call is over.
    pub fn finished(&self) -> bool {
        matches!(self.phase, Phase::Ended)
    }

    fn arrived(&mut self, call: CallId, caller: Caller, at: chrono::DateTime<chrono::Utc>) {
        self.arrived_at = at;
        self.who = caller.shown_number().map_or(call, comparable);
        self.values.set("caller_number", caller.number.clone());
        self.values.set("dialled", caller.dialled.clone());
        self.values.set("line", caller.line.clone());
        // What the network does not tell is empty in texts, and `known: false` where a flow decides.
        let told = [
            ("caller_name", &caller.name),
            ("trunk", &caller.trunk),
            ("diverted_from", &caller.diverted_from),
            ("diverted_reason", &caller.diverted_reason),
        ];
        for (name, value) in told {
            if let Some(value) = value {
                self.values.set(name, value.clone());
            }
        }
        for (name, is) in [("caller_withheld", caller.withheld), ("caller_asserted", caller.asserted)] {
            self.values.set(name, if is { "yes" } else { "no" }.into());
        }
        for (name, value) in caller.on_file.iter().filter(|(name, value)| self.flow.admits(name, value)) {
            self.values.set(name, value.clone());
        }
        self.commanded.arrived(self.values.clone());
        let called_back = caller.called_back.clone();
        self.note(Note::Arrived(caller));
        self.record_untold(called_back.as_deref());
        self.act(Action::Answer);
        self.note(Note::Answered);
        if let Some(called_back) = called_back {
            return self.called_back(*called_back);
        }
        self.begin_untold();
        let start = self.flow.start.clone();
        self.phase = Phase::Bot(Bot::default());
        self.enter(&start);
    }

    fn speech_unavailable(&mut self) {
        if std::mem::replace(&mut self.keys_only, true) {
            return;
        }
        self.note(Note::SpeechUnavailable);
        self.stop_listening();
        match self.phase {
            Phase::Bot(_) => self.bot_lost_speech(),
            Phase::Handoff(_) => self.offer_lost_speech(),
            Phase::Instead(_) => self.instead_lost_speech(),
            _ => {}
        }
    }

    pub(super) fn act(&mut self, action: Action) {
        self.actions.push(action);
    }

    pub(super) fn note(&mut self, note: Note) {
        let entry = Entry { seq: self.notes.len() as u32, at_ms: self.now_ms, note };
        self.notes.push(entry.clone());
        self.act(Action::Note(entry));
    }

    /// Renders one of the flow's own texts, or one of `FlowTexts`, in the flow's language.
    pub(super) fn words(&self, text: &Text) -> Rendered {
        self.values.render(text, &self.flow.language)
    }

    /// Says it, after what stands before it; `false` when there is nothing to say.
    pub(super) fn say(&mut self, texts: Vec<Rendered>, interruptible: bool) -> bool {
        let told = self.told_ahead(self.prompts + 1);
        let preface = std::mem::take(&mut self.preface);
        let said: Vec<Rendered> = told.into_iter().chain(preface).chain(texts).collect();
        self.speaking = None;
        let mut pieces = Vec::new();
        let mut words = Vec::new();
        for text in &said {
            if !pieces.is_empty() && !text.pieces.is_empty() {
                pieces.push(Piece::Text(" ".into()));
                words.push(Piece::Text(" ".into()));
            }
            pieces.extend(text.pieces.iter().cloned());
            words.extend(text.words.as_ref().unwrap_or(&text.pieces).iter().cloned());
        }
        if pieces.is_empty() {
            return false;
        }
        self.unheard_since_ms = None;
        self.prompts += 1;
        let language = self.flow.language.clone();
        let text = Prompt { language: language.clone(), pieces: words }.text();
        self.note(Note::Say { text });
        let words = Prompt { language, pieces };
        let slower = self.commanded.slower;
        self.act(Action::Say { prompt: self.prompts, words, interruptible, slower });
        self.speaking = Some(Speaking { prompt: self.prompts, interruptible, said });
        true
    }

    /// Stops the prompt that runs; what was cut is noted and given back.
    pub(super) fn interrupt(&mut self) -> Option<Vec<Rendered>> {
        let cut = self.speaking.take_if(|speaking| speaking.interruptible)?;
        self.act(Action::StopSaying);
        self.note(Note::Interrupted);
        self.was_told(cut.prompt);
        Some(cut.said)
    }

    pub(super) fn listen(&mut self, expect: Expect, hints: Vec<String>) {
        let told = (expect, self.flow.language.clone(), hints);
        if self.keys_only || self.listening.as_ref() == Some(&told) {
            return;
        }
        let (expect, language, hints) = told.clone();
        self.listening = Some(told);
        self.act(Action::Listen { expect, language, hints });
    }

    /// The caller speaks another of the flow's languages: from here on we do, too.
    pub(super) fn follow_language(&mut self, tag: &str) {
        let language = Language::new(tag);
        let known = self.flow.detect_language && language != self.flow.language;
        if !known || !self.flow.languages().contains(&language) {
            return;
        }
        self.flow = Arc::new(self.flow.in_language(&language));
        self.note(Note::Language { language: tag.to_owned() });
    }

    pub(super) fn stop_listening(&mut self) {
        if self.listening.take().is_some() {
            self.act(Action::StopListening);
        }
    }

    pub(super) fn set_timer(&mut self, timer: TimerId, after_ms: u64) {
        self.timers.insert(timer);
        self.act(Action::SetTimer { timer, after_ms });
    }

    pub(super) fn cancel_timer(&mut self, timer: TimerId) {
        if self.timers.remove(&timer) {
            self.act(Action::CancelTimer { timer });
        }
    }

    /// Cancels all but the drain's.
    pub(super) fn cancel_timers(&mut self) {
        for timer in self.timers.clone() {
            if timer != TimerId::Drain {
                self.cancel_timer(timer);
            }
        }
    }

    pub(super) fn new_request(&mut self) -> RequestId {
        self.requests += 1;
        self.requests
    }

    pub(super) fn mask(&mut self, masked: bool) {
        if self.masked != masked {
            self.masked = masked;
            self.act(if masked { Action::Mask } else { Action::Unmask });
        }
    }

    pub(super) fn language(&self) -> &Language {
        &self.flow.language
    }

    pub(super) fn outcome(&self, cause: Cause) -> Outcome {
        match cause {
            _ if self.served.connected => Outcome::HandedOver,
            _ if self.served.promised => Outcome::Promised,
            _ if self.served.told => Outcome::Contained,
            Cause::CallerHungUp | Cause::MediaLost | Cause::Silent => Outcome::Abandoned,
            _ => Outcome::Unserved,
        }
    }
}

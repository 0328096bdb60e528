//! What there is where no person takes the call: a callback on a number that the caller agrees to, a message, or to wait
//! on. Also the steps of a flow that offer one of these, and the beginning of the call in which we call back.
//!
//! Consent is a yes to the number read back. Nobody is told that a callback is kept before it is (`Event::CallbackKept`),
//! and a message is kept however it ends: by `#`, by silence, or by hanging up.

mod callback;
mod message;

use super::bot::{Bot, TURN_LIMIT_MS};
use super::consent::BARE;
use super::handoff::{self, Handoff};
use super::question::HEARD;
use super::state::{Call, Phase};
use super::{Action, Cause, Event, Note, QueueRequest, TimerId, Utterance};
use crate::dialog::flow::{SlotKind, Text, Transfer};
use crate::dialog::instead::{Choose, chosen, phrases};
use crate::dialog::slots::{self, yes_no};
use crate::dialog::values::{Rendered, Values};
use crate::dialog::words::Words;
use crate::dialog::{Expect, person};

/// A message that is ended by a key is at least so long.
const SHORTEST_MS: u64 = 2_000;
/// Silence after words of a message that ends it.
const MESSAGE_OVER_MS: u64 = 4_000;
/// The last words of who hung up are read by then.
const LAST_WORDS_MS: u64 = 15_000;
/// The pause that ends a number's keys.
const INTER_KEY_MS: u64 = 4_000;
/// Fewer digits are no telephone number, and no more are.
const DIGITS: std::ops::RangeInclusive<usize> = 5..=15;
/// Questions not understood, and silences, after which no more is asked.
const FAILURES: u32 = 2;

/// A call that no person takes.
pub(super) struct Instead {
    to: Transfer,
    pub stage: Stage,
    offered: Vec<Choose>,
    /// Why: said before what is offered.
    intro: Option<Text>,
    /// Its place in the queue, while it has one.
    queued: Option<Box<Handoff>>,
    /// The flow's own step offered this, and goes on here.
    own: bool,
    next: Option<String>,
    declined: Option<String>,
    failures: u32,
    silences: u32,
    keys: String,
    number: String,
    /// The caller is speaking, or what they said is being read.
    hearing: bool,
    /// What is agreed on was promised in an earlier call.
    stands: bool,
    /// The caller hung up, and their last words are being read.
    left: bool,
    /// A message: since when, whether anything was said, and what.
    from_ms: u64,
    spoke: bool,
    pub words: Vec<String>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Stage {
    /// A callback, a message, or to wait?
    Choosing,
    /// On which number?
    Number,
    /// On this one?
    Confirming,
    /// It is being written down.
    Keeping,
    /// How to leave a message is being said.
    Inviting,
    Recording,
}

impl Instead {
    fn new(to: Transfer, stage: Stage, offered: Vec<Choose>) -> Self {
        Self {
            to,
            stage,
            offered,
            intro: None,
            queued: None,
            own: false,
            next: None,
            declined: None,
            failures: 0,
            silences: 0,
            keys: String::new(),
            number: String::new(),
            hearing: false,
            stands: false,
            left: false,
            from_ms: 0,
            spoke: false,
            words: Vec::new(),
        }
    }

    pub fn queued(&self) -> bool {
        self.queued.is_some()
    }

    /// Whether what is said may be a telephone number.
    pub fn takes_number(&self) -> bool {
        matches!(self.stage, Stage::Number | Stage::Confirming)
    }

    /// Whether the keys that come are a number's, and whether those gathered are one.
    pub fn gathers(&self) -> Option<bool> {
        (self.stage == Stage::Number).then(|| self.keys.len() <= 1 || DIGITS.contains(&self.keys.len()))
    }
}

impl Call {
    /// What callers of this queue may have instead of a person, in words that the call's language has.
    fn offers_instead(&self, queue: &str, may_wait: bool) -> Vec<Choose> {
        let (callback, message) = self.flow.offers(queue, self.language());
        let mut offers = Vec::new();
        if callback {
            offers.push(Choose::Callback);
        }
        if message {
            offers.push(Choose::Message);
        }
        if may_wait && !offers.is_empty() && self.flow.lines.offer_wait.is_in(self.language()) {
            offers.push(Choose::Wait);
        }
        offers
    }

    /// The queue gave up on the call. False where there is nothing instead.
    pub(super) fn offer_instead(&mut self, may_wait: bool) -> bool {
        let Phase::Handoff(handoff) = &self.phase else { return false };
        let to = handoff.transfer.clone();
        let offered = self.offers_instead(&to.queue, may_wait);
        if offered.is_empty() || self.drain.is_some() {
            return false;
        }
        self.cancel_timers();
        self.stop_waiting();
        self.stop_speaking();
        let lines = &self.flow.lines;
        let intro = if may_wait { lines.long_wait.clone() } else { lines.nobody_there.clone() };
        let instead = Instead { intro: Some(intro), ..Instead::new(to, Stage::Choosing, offered) };
        self.phase = Phase::Instead(Box::new(instead));
        self.choose();
        true
    }

    fn waiting_one(&mut self) -> Option<&mut Instead> {
        match &mut self.phase {
            Phase::Instead(instead) => Some(instead),
            _ => None,
        }
    }

    fn stop_speaking(&mut self) {
        if self.speaking.take().is_some() {
            self.act(Action::StopSaying);
        }
    }

    /// Asks what is to be asked at this stage.
    fn choose(&mut self) {
        let Phase::Instead(instead) = &self.phase else { return };
        let (stage, offered) = (instead.stage, instead.offered.clone());
        let lines = self.flow.lines.clone();
        let mut texts = Vec::new();
        let expect = match stage {
            Stage::Choosing => {
                texts.extend(instead.intro.as_ref().map(|intro| self.words(intro)));
                let choices = offered.iter().map(|choose| choose.name().to_owned()).collect();
                self.note(Note::Offered { choices });
                for choose in &offered {
                    texts.push(self.words(match choose {
                        Choose::Callback => &lines.offer_callback,
                        Choose::Message => &lines.offer_message,
                        Choose::Wait => &lines.offer_wait,
                    }));
                }
                Expect::Choice { phrases: phrases(&offered) }
            }
            Stage::Number => {
                texts.push(self.words(&lines.ask_number));
                if instead.failures > 0 {
                    texts.push(self.words(&lines.hint_digits));
                }
                super::form::expected(&SlotKind::Phone, self.language())
            }
            Stage::Confirming => {
                let mut values = Values::default();
                values.set("number", instead.number.clone());
                texts.push(values.render(&lines.callback_number, self.language()));
                if instead.failures > 0 {
                    texts.push(self.words(&lines.hint_yes_no));
                }
                Expect::YesNo
            }
            Stage::Keeping | Stage::Inviting | Stage::Recording => return,
        };
        self.listen(expect, Vec::new());
        if !self.say(texts, true) {
            self.set_timer(TimerId::Silence, self.flow.silence_ms);
        }
    }

    /// The caller has chosen.
    fn take(&mut self, choose: Choose) {
        let own_number = self.values.shown("caller_number").map(str::to_owned).unwrap_or_default();
        let withheld = self.values.shown("caller_withheld") == Some(slots::YES);
        let (flow, now) = (self.flow.clone(), self.now_ms);
        let Some(instead) = self.waiting_one() else { return };
        instead.failures = 0;
        instead.silences = 0;
        match choose {
            Choose::Callback => {
                let may = flow.instead.get(&instead.to.queue).is_some_and(|may| may.calls(&own_number));
                instead.stage = if may && !withheld { Stage::Confirming } else { Stage::Number };
                if instead.stage == Stage::Confirming {
                    instead.number = own_number;
                }
                self.choose();
            }
            Choose::Message => {
                instead.stage = Stage::Inviting;
                instead.from_ms = now;
                let say = instead.to.say.clone().filter(|_| instead.own);
                let text = say.unwrap_or_else(|| flow.lines.message_now.clone());
                let leaves = instead.queued.take().is_some();
                if leaves {
                    self.act(Action::Queue(QueueRequest::Leave));
                }
                self.cancel_timers();
                self.act(Action::Record);
                self.listen(Expect::Free, Vec::new());
                let words = self.words(&text);
                if !self.say(vec![words], true) {
                    self.record();
                }
            }
            Choose::Wait => {
                let (to, queued) = (instead.to.clone(), instead.queued.take());
                self.stop_listening();
                self.cancel_timers();
                let patience = flow.lines.patience.clone();
                match queued {
                    Some(handoff) => {
                        self.phase = Phase::Handoff(*handoff);
                        let words = self.words(&patience);
                        self.say(vec![words], true);
                        self.play_waiting();
                        self.set_timer(TimerId::QueueLimit, handoff::QUEUE_LIMIT_MS);
                        self.set_timer(TimerId::Comfort, handoff::FIRST_COMFORT_MS);
                    }
                    None => self.begin_handoff(to, &patience),
                }
            }
        }
    }

    pub(super) fn instead(&mut self, event: Event, said: bool) {
        let Phase::Instead(instead) = &mut self.phase else { return };
        if instead.left {
            match event {
                Event::Heard(utterance) => self.dictated(utterance),
                Event::NotHeard | Event::Timer { .. } => {}
                event => return self.refuse_agent(event),
            }
            return self.end(Cause::CallerHungUp);
        }
        match event {
            Event::Said { .. } | Event::VoiceFailed { .. } if said => match instead.stage {
                Stage::Inviting => self.record(),
                Stage::Choosing | Stage::Number | Stage::Confirming if !instead.hearing && instead.keys.is_empty() => {
                    self.set_timer(TimerId::Silence, self.flow.silence_ms);
                }
                _ => {}
            },
            Event::SpeechStarted => {
                if instead.stage == Stage::Keeping {
                    return; // nobody listens
                }
                instead.hearing = true;
                match instead.stage {
                    Stage::Inviting => {
                        self.interrupt();
                        self.record();
                    }
                    _ => drop(self.interrupt()),
                }
                if let Some(instead) = self.waiting_one() {
                    instead.spoke = true;
                }
                self.set_timer(TimerId::Silence, TURN_LIMIT_MS);
            }
            Event::Heard(utterance) => {
                instead.hearing = false;
                self.cancel_timer(TimerId::Silence);
                match instead_stage(&self.phase) {
                    Some(Stage::Recording) if self.wants_a_person_instead(&utterance) => {
                        self.note(Note::Utterance(utterance));
                        self.person_instead();
                    }
                    Some(Stage::Recording) => {
                        self.dictated(utterance);
                        self.set_timer(TimerId::Silence, MESSAGE_OVER_MS);
                    }
                    Some(Stage::Choosing | Stage::Number | Stage::Confirming) => {
                        let (text, confidence) = (utterance.text.clone(), utterance.confidence);
                        self.note(Note::Utterance(utterance));
                        if confidence < HEARD && !person::wanted(&text) {
                            let apology = self.flow.lines.not_heard.clone();
                            return self.unclear(&apology);
                        }
                        self.answered_instead(&text);
                    }
                    _ => self.note(Note::Utterance(utterance)),
                }
            }
            Event::NotHeard => {
                instead.hearing = false;
                self.cancel_timer(TimerId::Silence);
                self.note(Note::NotHeard);
                match instead_stage(&self.phase) {
                    Some(Stage::Recording) => self.set_timer(TimerId::Silence, MESSAGE_OVER_MS),
                    Some(Stage::Choosing | Stage::Number | Stage::Confirming) => {
                        let apology = self.flow.lines.not_heard.clone();
                        self.unclear(&apology);
                    }
                    _ => {}
                }
            }
            Event::Key { key } => {
                self.note(Note::Dtmf { key });
                self.keyed_instead(key.as_char());
            }
            Event::Timer { timer: TimerId::Silence } => match instead.stage {
                Stage::Recording => self.message_over(),
                Stage::Choosing | Stage::Number | Stage::Confirming if instead.hearing => {
                    instead.hearing = false;
                    let apology = self.flow.lines.not_heard.clone();
                    self.unclear(&apology);
                }
                Stage::Choosing | Stage::Number | Stage::Confirming => {
                    self.note(Note::Silence);
                    let silent = self.waiting_one().is_some_and(|instead| {
                        instead.silences += 1;
                        instead.silences >= FAILURES
                    });
                    if silent {
                        return self.parted();
                    }
                    let still_there = self.words(&self.flow.lines.silence);
                    self.preface.push(still_there);
                    self.choose();
                }
                Stage::Keeping | Stage::Inviting => {}
            },
            Event::Timer { timer: TimerId::InterKey } if instead.stage == Stage::Number => self.number_keyed(),
            Event::Timer { timer: TimerId::QueueLimit } if instead.stage == Stage::Recording => self.message_over(),
            Event::Timer { timer: TimerId::Patience } if instead.stage == Stage::Keeping => self.not_kept(),
            Event::CallbackRefused if instead.stage == Stage::Keeping => self.not_kept(),
            Event::CallbackStands if instead.stage == Stage::Keeping => instead.stands = true,
            Event::CallbackKept { estimate_s, .. } if instead.stage == Stage::Keeping => self.kept(estimate_s),
            // Out of the queue meanwhile: what was begun goes on.
            Event::NobodyThere | Event::WaitOver => instead.queued = None,
            Event::AgentFound { .. } if instead.queued.is_some() && instead.stage != Stage::Keeping => {
                let handoff = instead.queued.take();
                self.cancel_timers();
                self.stop_listening();
                self.stop_speaking();
                if let Some(handoff) = handoff {
                    self.phase = Phase::Handoff(*handoff);
                    self.play_waiting();
                    self.set_timer(TimerId::QueueLimit, handoff::QUEUE_LIMIT_MS);
                    self.handoff(event, None);
                }
            }
            event => self.refuse_agent(event),
        }
    }

    fn answered_instead(&mut self, text: &str) {
        if person::wanted(text) && self.person_instead() {
            return;
        }
        let today = self.today();
        let Some(instead) = self.waiting_one() else { return };
        let answer = yes_no(text);
        match instead.stage {
            Stage::Choosing => {
                let only = (instead.offered.len() == 1).then(|| instead.offered[0]);
                let choose = chosen(&instead.offered, text)
                    .or(only.filter(|_| answer.as_ref().is_some_and(|answer| answer.yes)));
                match choose {
                    Some(choose) => self.take(choose),
                    None if answer.is_some_and(|answer| !answer.yes) => self.parted(),
                    None => self.misunderstood(),
                }
            }
            Stage::Number => match slots::value(&SlotKind::Phone, text, today) {
                Some(value) => self.numbered(value.text),
                None => self.misunderstood(),
            },
            Stage::Confirming => {
                let rest = answer.as_ref().map_or(text, |answer| answer.rest.as_str());
                let other = slots::value(&SlotKind::Phone, rest, today).map(|value| value.text);
                match (answer.as_ref().map(|answer| answer.yes), other) {
                    (_, Some(other)) if other != instead.number => self.numbered(other),
                    (Some(true), _) => self.keep(),
                    (Some(false), _) => {
                        instead.stage = Stage::Number;
                        self.choose();
                    }
                    (None, _) => self.misunderstood(),
                }
            }
            Stage::Keeping | Stage::Inviting | Stage::Recording => {}
        }
    }

    /// A person is wanted: on in the queue for who waits there, to one for whom the flow offered a callback. False where there
    /// is nobody: that is why something else is offered.
    fn person_instead(&mut self) -> bool {
        let Some(instead) = self.waiting_one() else { return false };
        let waits = instead.queued.is_some() || instead.offered.contains(&Choose::Wait);
        let own = instead.own;
        if waits {
            self.interrupt();
            self.take(Choose::Wait);
        } else if own {
            self.interrupt();
            self.cancel_timers();
            self.seek_person("asked for a person", None);
        }
        waits || own
    }

    /// "An operator, please" is no message, if it is the first that is said of one that the flow asked for.
    fn wants_a_person_instead(&mut self, said: &Utterance) -> bool {
        let first = self.waiting_one().is_some_and(|instead| instead.own && instead.words.is_empty());
        first && Words::of(&said.text).len() <= BARE && person::wanted(&said.text)
    }

    fn keyed_instead(&mut self, key: char) {
        self.cancel_timer(TimerId::Silence);
        let now = self.now_ms;
        if key == '0' && matches!(instead_stage(&self.phase), Some(Stage::Choosing | Stage::Confirming)) {
            if !self.person_instead() {
                self.misunderstood();
            }
            return;
        }
        let Some(instead) = self.waiting_one() else { return };
        // Keys instead of words: what is being read of those counts no more.
        instead.hearing &= matches!(instead.stage, Stage::Inviting | Stage::Recording);
        match (instead.stage, key) {
            (Stage::Keeping, _) => {}
            (Stage::Inviting | Stage::Recording, '#') => {
                // Whoever ends it has said something, whether it could be read or not.
                instead.spoke |= now >= instead.from_ms + SHORTEST_MS;
                instead.stage = Stage::Recording;
                self.interrupt();
                self.message_over();
            }
            (Stage::Inviting | Stage::Recording, '0') if instead.own => {
                // What was said so far is not lost.
                instead.spoke &= !instead.words.is_empty() || now >= instead.from_ms + SHORTEST_MS;
                self.keep_message();
                self.person_instead();
            }
            (Stage::Inviting | Stage::Recording, _) => {
                if instead.stage == Stage::Recording && !self.keys_only {
                    self.set_timer(TimerId::Silence, TURN_LIMIT_MS);
                }
            }
            (Stage::Choosing, key) => match instead.offered.iter().find(|choose| choose.key() == key).copied() {
                Some(choose) => {
                    self.interrupt();
                    self.take(choose);
                }
                None => self.misunderstood(),
            },
            (Stage::Confirming, '1' | '#') => {
                self.interrupt();
                self.keep();
            }
            (Stage::Confirming, '2') => {
                instead.stage = Stage::Number;
                self.interrupt();
                self.choose();
            }
            (Stage::Confirming, _) => self.misunderstood(),
            (Stage::Number, '#') => self.number_keyed(),
            (Stage::Number, key) => {
                match key {
                    '*' => instead.keys.clear(),
                    key => instead.keys.push(key),
                }
                self.interrupt();
                self.set_timer(TimerId::InterKey, INTER_KEY_MS);
            }
        }
    }

    fn misunderstood(&mut self) {
        let apology = self.flow.lines.not_understood.clone();
        self.unclear(&apology);
    }

    /// Asks once more; then a message, which needs no understanding.
    fn unclear(&mut self, apology: &Text) {
        self.interrupt();
        let Some(instead) = self.waiting_one() else { return };
        instead.keys.clear();
        instead.failures += 1;
        if instead.failures < FAILURES {
            let apology = self.words(apology);
            self.preface.push(apology);
            return self.choose();
        }
        if instead.queued.is_some() {
            return self.take(Choose::Wait);
        }
        match instead.offered.contains(&Choose::Message) {
            true => self.take(Choose::Message),
            false => self.parted(),
        }
    }

    /// On with the flow, or goodbye.
    fn done_instead(&mut self, texts: Vec<Rendered>) {
        self.stop_listening();
        self.cancel_timers();
        let Some(instead) = self.waiting_one() else { return };
        match instead.next.take() {
            Some(next) => {
                self.phase = Phase::Bot(Bot::default());
                self.preface.extend(texts);
                self.enter(&next);
            }
            None => {
                let goodbye = self.words(&self.flow.lines.goodbye);
                self.close_with(texts.into_iter().chain([goodbye]).collect(), Cause::Completed);
            }
        }
    }

    /// None of it is wanted. Who has a place in the queue keeps it.
    fn parted(&mut self) {
        if self.waiting_one().is_some_and(|instead| instead.queued.is_some()) {
            self.interrupt();
            return self.take(Choose::Wait);
        }
        self.stop_listening();
        self.cancel_timers();
        self.interrupt();
        let Some(instead) = self.waiting_one() else { return };
        let (declined, cause) = (instead.declined.take(), if instead.own { Cause::Completed } else { Cause::NoAgent });
        match declined {
            Some(step) => {
                self.phase = Phase::Bot(Bot::default());
                self.enter(&step);
            }
            None => {
                let goodbye = self.flow.lines.goodbye.clone();
                self.close(&[&goodbye], cause);
            }
        }
    }

    /// A message's last words are still being read.
    pub(super) fn hung_up_instead(&mut self) {
        let Some(instead) = self.waiting_one() else { return };
        if instead.left {
            return;
        }
        if instead.stage == Stage::Recording && instead.hearing {
            instead.left = true;
            self.cancel_timers();
            return self.set_timer(TimerId::Patience, LAST_WORDS_MS);
        }
        self.end(Cause::CallerHungUp);
    }

    pub(super) fn instead_lost_speech(&mut self) {
        let Some(instead) = self.waiting_one() else { return };
        instead.hearing = false;
        match instead.stage {
            Stage::Recording => {
                instead.spoke = true;
                let left = instead.left;
                self.cancel_timer(TimerId::Silence);
                if left {
                    self.end(Cause::CallerHungUp);
                }
            }
            Stage::Choosing | Stage::Number | Stage::Confirming => {
                self.cancel_timer(TimerId::Silence);
                self.interrupt();
                self.choose();
            }
            Stage::Keeping | Stage::Inviting => {}
        }
    }
}

fn instead_stage(phase: &Phase) -> Option<Stage> {
    match phase {
        Phase::Instead(instead) => Some(instead.stage),
        _ => None,
    }
}

//! A callback: who may have one, on which number, and what is said when it is kept; and the beginning of the call in which we
//! call back.

use std::sync::Arc;

use super::{DIGITS, Instead, Stage};
use crate::call::handoff::{self, Handoff};
use crate::call::question::{HEARD, HEARD_WELL};
use crate::call::state::{Call, Phase};
use crate::call::{Action, CalledBack, Event, Note, Promise, QueueRequest, TimerId, summarise};
use crate::dialog::Expect;
use crate::dialog::flow::{Callback, Transfer};
use crate::dialog::instead::{Choose, chosen, phrases};
use crate::dialog::slots::yes_no;
use crate::dialog::values::{Rendered, Values};

/// The records answer in milliseconds.
const KEEP_LIMIT_MS: u64 = 8_000;

impl Call {
    /// The wait is long: while it goes on, the caller may choose to be called back.
    pub(in crate::call) fn invite_callback(&mut self) {
        let Phase::Handoff(handoff) = &self.phase else { return };
        let mut offered = self.offers_instead(&handoff.transfer.queue, false);
        offered.retain(|choose| *choose == Choose::Callback);
        if offered.is_empty() || self.drain.is_some() {
            return;
        }
        if let Phase::Handoff(handoff) = &mut self.phase {
            handoff.invited = true;
        }
        self.note(Note::Offered { choices: vec![Choose::Callback.name().to_owned()] });
        self.listen(Expect::Choice { phrases: phrases(&offered) }, Vec::new());
        let lines = self.flow.lines.clone();
        let texts = vec![self.words(&lines.long_wait), self.words(&lines.offer_callback)];
        self.say(texts, true);
    }

    /// What a caller says or keys who waits and was invited to be called back.
    pub(in crate::call) fn invited(&mut self, event: Event) {
        let wanted = match event {
            Event::Key { key } => {
                self.note(Note::Dtmf { key });
                key.as_char() == Choose::Callback.key()
            }
            Event::Heard(utterance) => {
                let (text, confidence) = (utterance.text.clone(), utterance.confidence);
                self.note(Note::Utterance(utterance));
                // Who waits may also speak to somebody in the room: "okay" among other words is not for us.
                let agreed = || yes_no(&text).is_some_and(|answer| answer.yes && answer.rest.is_empty());
                confidence >= HEARD && chosen(&[Choose::Callback], &text).is_some()
                    || confidence >= HEARD_WELL && agreed()
            }
            Event::SpeechStarted => {
                self.interrupt();
                false
            }
            _ => false,
        };
        if !wanted {
            return;
        }
        self.cancel_timers();
        self.stop_speaking();
        self.stop_waiting();
        let Phase::Handoff(handoff) = std::mem::replace(&mut self.phase, Phase::New) else { return };
        let to = handoff.transfer.clone();
        let offered = self.offers_instead(&to.queue, true);
        let instead = Instead { queued: Some(Box::new(handoff)), ..Instead::new(to, Stage::Choosing, offered) };
        self.phase = Phase::Instead(Box::new(instead));
        self.take(Choose::Callback);
    }

    /// A step of the flow offers a callback.
    pub(in crate::call) fn begin_callback(&mut self, step: &Callback) {
        let offered = self.offers_instead(&step.to.queue, false);
        if !offered.contains(&Choose::Callback) {
            // `config` lets no flow offer what its queue has not.
            return self.transfer(step.to.clone());
        }
        let instead = Instead {
            own: true,
            next: step.next.clone(),
            declined: step.declined.clone(),
            ..Instead::new(step.to.clone(), Stage::Choosing, offered)
        };
        let opening: Option<Rendered> = step.to.say.as_ref().map(|say| self.words(say));
        self.let_go();
        self.phase = Phase::Instead(Box::new(instead));
        self.preface.extend(opening);
        self.take(Choose::Callback);
    }

    /// The first thing in a call that is a callback: its place in the queue is kept.
    pub(in crate::call) fn called_back(&mut self, back: CalledBack) {
        let CalledBack { queue, skills, priority, language, .. } = back;
        if language != self.flow.language && self.flow.languages().contains(&language) {
            self.flow = Arc::new(self.flow.in_language(&language));
        }
        self.note(Note::Transfer { queue: queue.clone(), skills: skills.clone(), priority });
        self.phase = Phase::Handoff(Handoff::new(Transfer { queue, skills, priority, say: None }));
        let hello = self.flow.lines.called_back.clone();
        let hello = if hello.is_in(self.language()) { hello } else { self.flow.lines.to_person.clone() };
        let words = self.words(&hello);
        self.say(vec![words], true);
        self.play_waiting();
        self.act(Action::Queue(QueueRequest::CalledBack));
        self.set_timer(TimerId::QueueLimit, handoff::QUEUE_LIMIT_MS);
    }

    pub(super) fn number_keyed(&mut self) {
        self.cancel_timer(TimerId::InterKey);
        let Some(instead) = self.waiting_one() else { return };
        let keys = std::mem::take(&mut instead.keys);
        match DIGITS.contains(&keys.len()) {
            true => self.numbered(keys),
            false if keys == "0" && self.person_instead() => {}
            false => self.misunderstood(),
        }
    }

    /// A number to be called on: read back, if it may be called.
    pub(super) fn numbered(&mut self, number: String) {
        let flow = self.flow.clone();
        let Some(instead) = self.waiting_one() else { return };
        if !flow.instead.get(&instead.to.queue).is_some_and(|may| may.calls(&number)) {
            instead.stage = Stage::Number;
            return self.unclear(&flow.lines.number_refused);
        }
        instead.number = number;
        instead.keys.clear();
        instead.stage = Stage::Confirming;
        self.cancel_timer(TimerId::InterKey);
        self.interrupt();
        self.choose();
    }

    /// Agreed: to be written down before anything is promised.
    pub(super) fn keep(&mut self) {
        let language = self.language().clone();
        let summary = summarise(&self.flow, &self.notes);
        self.stop_listening();
        let recorded = self.is_recorded();
        let Some(instead) = self.waiting_one() else { return };
        instead.stage = Stage::Keeping;
        let promise = Promise {
            queue: instead.to.queue.clone(),
            skills: instead.to.skills.clone(),
            language,
            priority: instead.to.priority,
            number: instead.number.clone(),
            recorded,
            summary,
        };
        self.cancel_timers();
        self.act(Action::KeepCallback(Box::new(promise)));
        self.set_timer(TimerId::Patience, KEEP_LIMIT_MS);
    }

    pub(super) fn kept(&mut self, estimate_s: Option<u32>) {
        let Some(instead) = self.waiting_one() else { return };
        let (queue, number) = (instead.to.queue.clone(), instead.number.clone());
        let stands = instead.stands;
        instead.queued = None;
        self.note(Note::Callback { queue, number });
        self.served.promised = true;
        let lines = self.flow.lines.clone();
        let mut texts = vec![self.words(if stands { &lines.callback_stands } else { &lines.callback_kept })];
        if let Some(estimate) = estimate_s.filter(|&estimate| estimate >= handoff::WORTH_SAYING_S) {
            let mut values = Values::default();
            values.set("minutes", estimate.div_ceil(60).to_string());
            texts.push(values.render(&lines.estimate, self.language()));
        }
        self.done_instead(texts);
    }

    pub(super) fn not_kept(&mut self) {
        let sorry = self.words(&self.flow.lines.sorry);
        let Some(instead) = self.waiting_one() else { return };
        instead.offered.retain(|choose| *choose != Choose::Callback);
        instead.intro = None;
        instead.stage = Stage::Choosing;
        let nothing = instead.offered.is_empty();
        self.preface.push(sorry);
        if nothing { self.parted() } else { self.choose() }
    }
}

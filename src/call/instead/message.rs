//! A message: recorded from the first word on, and written down however it ends.

use super::{Instead, Stage, instead_stage};
use crate::call::state::{Call, Phase};
use crate::call::{Action, LeftMessage, Note, TimerId, Utterance};
use crate::dialog::flow::{Message, Transfer};
use crate::dialog::instead::Choose;

/// The longest message.
const MESSAGE_MS: u64 = 180_000;
/// Words said over the invitation are known so late, at most.
const LATE_MS: u64 = 2_000;

impl Call {
    /// Whether a message is being taken: what is heard now is to be kept, whether calls are recorded or not.
    pub fn takes_message(&self) -> bool {
        matches!(instead_stage(&self.phase), Some(Stage::Inviting | Stage::Recording))
    }

    /// A step of the flow takes a message.
    pub(in crate::call) fn begin_message(&mut self, step: &Message) {
        let to = Transfer { queue: step.queue.clone(), skills: Vec::new(), priority: 0, say: step.say.clone() };
        let instead =
            Instead { own: true, next: step.next.clone(), ..Instead::new(to, Stage::Inviting, vec![Choose::Message]) };
        self.let_go();
        self.phase = Phase::Instead(Box::new(instead));
        self.take(Choose::Message);
    }

    /// The message begins.
    pub(super) fn record(&mut self) {
        let now = self.now_ms;
        let keys_only = self.keys_only;
        let silence = self.flow.silence_ms;
        let Some(instead) = self.waiting_one() else { return };
        if instead.stage == Stage::Recording {
            return;
        }
        instead.stage = Stage::Recording;
        instead.from_ms = if instead.hearing { now.saturating_sub(LATE_MS).max(instead.from_ms) } else { now };
        // Nobody listens for words: it ends by a key, by hanging up, or by its length.
        instead.spoke = keys_only;
        self.set_timer(TimerId::QueueLimit, MESSAGE_MS);
        if !keys_only {
            self.set_timer(TimerId::Silence, silence);
        }
    }

    /// A part of a message.
    pub(super) fn dictated(&mut self, utterance: Utterance) {
        let (text, start_ms) = (utterance.text.trim().to_owned(), utterance.start_ms);
        self.note(Note::Utterance(utterance));
        if let Some(instead) = self.waiting_one()
            && !text.is_empty()
        {
            // Long words over the invitation were known for words only when they were over.
            instead.from_ms = instead.from_ms.min(start_ms);
            instead.spoke = true;
            instead.words.push(text);
        }
    }

    /// What is recorded so far is the message.
    pub(super) fn message_over(&mut self) {
        let kept = self.keep_message();
        let texts = match kept {
            true => vec![self.words(&self.flow.lines.message_kept)],
            false => Vec::new(),
        };
        self.done_instead(texts);
    }

    /// Writes the message down, if there is one. True when there is.
    pub(in crate::call) fn keep_message(&mut self) -> bool {
        let now = self.now_ms;
        let Some(instead) = self.waiting_one() else { return false };
        if instead.stage != Stage::Recording || !std::mem::take(&mut instead.spoke) {
            return false;
        }
        let message = LeftMessage {
            queue: instead.to.queue.clone(),
            from_ms: instead.from_ms,
            to_ms: now,
            text: instead.words.join(" "),
        };
        let LeftMessage { queue, from_ms, to_ms, text } = message.clone();
        self.note(Note::Message { queue, from_ms, to_ms, text });
        self.act(Action::KeepMessage(message));
        self.served.promised = true;
        true
    }
}

//! What a call makes of how its caller sounds and what they say: readings and words go to the line's policy
//! (`emotion::policy`), its reactions into the conversation, each with its reasons on the timeline.

use super::bot::Stage;
use super::consent::BARE;
use super::handoff;
use super::question::HEARD;
use super::state::{Call, Phase};
use super::{Action, Note, QueueRequest, Reading, Utterance};
use crate::dialog::Piece;
use crate::dialog::flow::{Flow, SlotKind, Step, Text};
use crate::dialog::slots::yes_no;
use crate::dialog::values::Rendered;
use crate::dialog::words::Words;
use crate::emotion::policy::{Care, Outcome, Reaction, Why};

/// Why a person is sought for a caller who did not ask.
pub(super) const UPSET: &str = "the caller is upset";

/// What a call knows of its caller's feelings.
#[derive(Default)]
pub(super) struct Feeling {
    /// None: the line has no policy, or the caller refused.
    care: Option<Care>,
    on: bool,
    /// A person is to be offered with the next question.
    offer: bool,
    /// And was, with this one.
    offered: bool,
    /// To a person, once the turn is over.
    leave: bool,
    /// A person was sought without being asked for.
    sought: bool,
}

impl Feeling {
    pub fn of(flow: &Flow) -> Self {
        Self { care: flow.emotion.clone().map(Care::new), ..Self::default() }
    }

    /// What every queue's priority is raised by.
    pub fn raise(&self) -> i32 {
        self.care.as_ref().map_or(0, Care::raise)
    }

    /// What of it a caller can still refuse.
    pub fn cares(&self) -> bool {
        self.care.is_some()
    }

    /// `false` where it is already so.
    pub fn begin(&mut self) -> bool {
        self.cares() && !std::mem::replace(&mut self.on, true)
    }

    /// The caller refused; whether anything was under way.
    pub fn end(&mut self) -> bool {
        std::mem::take(self).on
    }

    /// What was said or pressed is no answer to the offer of a person.
    pub fn pass_offer(&mut self) {
        self.offered = false;
    }

    /// Nobody is there to be offered.
    pub fn forget_offer(&mut self) {
        (self.offer, self.offered) = (false, false);
    }

    /// Questions are to be short.
    pub fn shorter(&self) -> bool {
        self.care.as_ref().is_some_and(|care| care.has(Reaction::Shorter))
    }
}

impl Call {
    /// How the caller sounds.
    pub(super) fn sounded(&mut self, reading: Reading) {
        let Feeling { care: Some(care), on: true, .. } = &mut self.feeling else {
            if self.flow.emotion.is_none() {
                self.note(Note::Emotion(reading)); // a log from before there were policies
            }
            return; // refused, and this was under way
        };
        let outcome = care.sounded(&reading);
        self.note(Note::Emotion(reading));
        self.react(outcome);
        let ready = match &self.phase {
            Phase::Bot(bot) => {
                !bot.hearing && matches!(bot.stage, Stage::Saying { .. } | Stage::Asking | Stage::Confirming { .. })
            }
            _ => false,
        };
        if ready {
            self.leave_if_due();
        }
    }

    /// What the caller said, for what it tells of their mood.
    pub(super) fn worded(&mut self, utterance: &Utterance) {
        let Feeling { care: Some(care), on: true, .. } = &mut self.feeling else { return };
        if utterance.confidence < HEARD {
            return;
        }
        let (score, signs, outcome) = care.said(utterance);
        if !signs.is_empty() {
            self.note(Note::Wording { score, signs });
        }
        self.react(outcome);
    }

    fn react(&mut self, outcome: Outcome) {
        if let Some(mood) = outcome.mood {
            self.note(Note::Mood(mood));
        }
        let leaves = outcome.reactions.iter().any(|(reaction, _)| *reaction == Reaction::Transfer);
        for (reaction, why) in outcome.reactions {
            let pointless = match reaction {
                // On the way to a person already, or about to be.
                Reaction::Comfort | Reaction::Shorter => !matches!(self.phase, Phase::Bot(_)),
                Reaction::Offer => leaves || !matches!(self.phase, Phase::Bot(_)),
                Reaction::Transfer => !matches!(self.phase, Phase::Bot(_)),
                Reaction::Priority | Reaction::Alert => false,
            };
            if !pointless {
                self.note(Note::Reaction { reaction, why: Box::new(why.clone()) });
                self.do_for_them(reaction, why);
            }
        }
    }

    fn do_for_them(&mut self, reaction: Reaction, why: Why) {
        match reaction {
            Reaction::Comfort => {
                let comfort = self.words(&self.flow.lines.comfort);
                self.preface.push(comfort);
            }
            Reaction::Shorter => {} // `shorter` asks
            Reaction::Priority => {
                let raise = self.feeling.raise();
                if let Phase::Handoff(handoff) = &mut self.phase {
                    handoff.transfer.priority += raise;
                    let priority = handoff.transfer.priority;
                    if matches!(handoff.stage, handoff::Stage::Waiting) {
                        self.act(Action::Queue(QueueRequest::Raise { priority }));
                    }
                }
            }
            Reaction::Offer => self.feeling.offer = true,
            Reaction::Alert => self.act(Action::Alert { reason: UPSET.into(), why: Box::new(why) }),
            Reaction::Transfer => self.feeling.leave = true,
        }
    }

    /// To a person at once, if the policy has decided so.
    pub(super) fn leave_if_due(&mut self) -> bool {
        if !std::mem::take(&mut self.feeling.leave) {
            return false;
        }
        self.feeling.sought = true;
        self.seek_for_them();
        true
    }

    /// An upset caller who says nothing more is taken to a person, not let go; once.
    pub(super) fn silent_and_upset(&mut self) -> bool {
        let upset = self.feeling.care.as_ref().is_some_and(Care::upset);
        if !upset || std::mem::replace(&mut self.feeling.sought, true) {
            return false;
        }
        self.seek_for_them();
        true
    }

    fn seek_for_them(&mut self) {
        let back = match &self.phase {
            Phase::Bot(bot) => match &bot.stage {
                Stage::Saying { next } => next.clone(),
                _ => bot.step.clone(),
            },
            _ => return,
        };
        self.seek_person(UPSET, None);
        if let Phase::Handoff(handoff @ handoff::Handoff { stage: handoff::Stage::Waiting, .. }) = &mut self.phase {
            handoff.back = Some(back);
        }
    }

    /// Before a question: the offer of a person, where a yes means nothing else.
    pub(super) fn offer_person(&mut self) {
        let Phase::Bot(bot) = &self.phase else { return };
        let taken = match (&bot.stage, self.flow.steps.get(&bot.step)) {
            (Stage::Confirming { .. }, _) => true,
            (_, Some(Step::Ask(ask))) => ask.kind == SlotKind::YesNo || ask.secret,
            _ => false,
        };
        if self.feeling.offer && !taken {
            self.feeling.offer = false;
            self.feeling.offered = true;
            let offer = self.words(&self.flow.lines.offer_person);
            self.preface.push(offer);
        }
    }

    /// Whether this answers the offer of a person; what it leads to is done.
    pub(super) fn answers_offer(&mut self, text: &str) -> bool {
        if !std::mem::take(&mut self.feeling.offered) || Words::of(text).len() > BARE {
            return false;
        }
        match yes_no(text) {
            Some(answer) if answer.yes => {
                self.seek_person("a person was offered", None);
                true
            }
            Some(_) => {
                self.ask();
                true
            }
            None => false,
        }
    }

    /// A menu's question: short for callers in distress.
    pub(super) fn question(&self, prompt: &Text, short: Option<&Text>) -> Rendered {
        match short {
            _ if !self.feeling.shorter() => self.words(prompt),
            Some(short) => self.words(short),
            None => first_sentence(self.words(prompt)),
        }
    }
}

/// What stands before the second sentence. A recording is whole.
fn first_sentence(text: Rendered) -> Rendered {
    if text.words.is_some() {
        return text;
    }
    let mut pieces = Vec::new();
    for piece in text.pieces {
        let end = match &piece {
            Piece::Text(words) => sentence_end(words),
            _ => None,
        };
        match (piece, end) {
            (Piece::Text(words), Some(end)) => {
                pieces.push(Piece::Text(words[..end].to_owned()));
                break;
            }
            (piece, _) => pieces.push(piece),
        }
    }
    Rendered { pieces, words: None }
}

/// Where the first sentence ends, if another follows.
fn sentence_end(words: &str) -> Option<usize> {
    let mut chars = words.char_indices().peekable();
    while let Some((at, c)) = chars.next() {
        let after = chars.peek().map(|(_, c)| *c);
        let ends = match c {
            '。' | '？' | '！' => after.is_some(),
            '?' | '!' | '.' => after == Some(' '),
            _ => false,
        };
        if ends {
            return Some(at + c.len_utf8());
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn first(words: &str) -> String {
        let text = Rendered { pieces: vec![Piece::Text(words.into())], words: None };
        let Some(Piece::Text(words)) = first_sentence(text).pieces.pop() else { panic!("it is text") };
        words
    }

    #[test]
    fn a_question_is_cut_to_its_first_sentence() {
        assert_eq!(first("How can I help you? Or press 1."), "How can I help you?");
        assert_eq!(first("请问您需要什么帮助？您可以直接说。"), "请问您需要什么帮助？");
        assert_eq!(first("Balance is 3.5 percent, or a person?"), "Balance is 3.5 percent, or a person?");
    }
}

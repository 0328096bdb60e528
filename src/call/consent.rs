//! What is done with a caller's voice: analysing how it sounds, recording it. Where a flow tells of it (`Step::Disclose`),
//! nothing is done before, nor after the caller refuses.

use std::collections::BTreeSet;

use super::bot::Stage;
use super::state::{Call, Phase};
use super::{Action, Note};
use crate::dialog::flow::{Disclosed, SlotKind, Step};
use crate::dialog::refusal;
use crate::dialog::slots::yes_no;
use crate::dialog::words::Words;
use crate::media::Key;

/// A bare yes or no has at most so many words.
pub(super) const BARE: usize = 4;

const ALL: [Disclosed; 2] = [Disclosed::Recording, Disclosed::Emotion];

/// What a call's caller was told and refused.
#[derive(Default)]
pub(super) struct Consent {
    /// May be refused by a no, or by the key, until the question after it is answered.
    told: Vec<Told>,
    /// The caller was told of recording, and it has begun.
    records: bool,
    no_recording: bool,
}

struct Told {
    of: BTreeSet<Disclosed>,
    key: Option<char>,
}

impl Call {
    /// What no step discloses (it is disclosed elsewhere) is done from the first word.
    pub(super) fn begin_untold(&mut self) {
        if !self.flow.discloses(Disclosed::Emotion) {
            self.analyse();
        }
    }

    fn analyse(&mut self) {
        if self.feeling.begin() {
            self.act(Action::Analyse { on: true });
        }
    }

    /// What there is to refuse.
    fn refusable(&self) -> BTreeSet<Disclosed> {
        let is = |what: &Disclosed| match what {
            Disclosed::Emotion => self.feeling.cares(),
            Disclosed::Recording => self.flow.recorded && !self.consent.no_recording,
        };
        ALL.into_iter().filter(is).collect()
    }

    /// The caller is being told; `false` where there is nothing to tell, for nothing of it is done.
    pub(super) fn discloses(&mut self, of: &BTreeSet<Disclosed>, key: Option<char>) -> bool {
        let of: BTreeSet<_> = self.refusable().intersection(of).copied().collect();
        let some = !of.is_empty();
        if some {
            self.consent.told.push(Told { of, key });
        }
        some
    }

    /// The step after disclosures that the caller answers before they began: they are told with what is said next.
    pub(super) fn past_disclosure(&mut self, step: &str) -> String {
        let flow = self.flow.clone();
        let mut step = step;
        for _ in 0..flow.steps.len() {
            let Some(Step::Disclose { say, of, key, next }) = flow.steps.get(step) else { break };
            let told: BTreeSet<_> = self.consent.told.iter().flat_map(|told| &told.of).copied().collect();
            if told.is_disjoint(of) && self.discloses(of, *key) {
                let words = self.words(say);
                self.preface.push(words);
            }
            step = next;
        }
        step.to_owned()
    }

    /// The caller has been told.
    pub(super) fn disclosed(&mut self) {
        let told: BTreeSet<_> = self.consent.told.iter().flat_map(|told| &told.of).copied().collect();
        if told.contains(&Disclosed::Emotion) {
            self.analyse();
        }
        if told.contains(&Disclosed::Recording) && !std::mem::replace(&mut self.consent.records, true) {
            self.act(Action::RecordCall);
        }
    }

    /// Whether this, begun at `start_ms`, refuses what is done with the voice; what it leads to is done.
    pub(super) fn refuses(&mut self, text: &str, start_ms: u64) -> bool {
        let Phase::Bot(bot) = &self.phase else { return false };
        let step = self.flow.steps.get(&bot.step);
        let no_means_it = match (&bot.stage, step) {
            (Stage::Saying { .. }, Some(Step::Disclose { .. })) => true,
            (Stage::Asking, Some(Step::Ask(ask))) => ask.kind != SlotKind::YesNo,
            (Stage::Asking, _) => true,
            _ => false,
        };
        let asking = matches!(bot.stage, Stage::Asking);
        let refusable = self.refusable();
        let mut refused: BTreeSet<_> =
            refusable.iter().copied().filter(|what| refusal::outright(text, *what)).collect();
        if !self.consent.told.is_empty() {
            let bare_no = || Words::of(text).len() <= BARE && yes_no(text).is_some_and(|answer| !answer.yes);
            if refused.is_empty() && (refusal::meant(text) || (no_means_it && bare_no())) {
                refused = self.consent.told.iter().flat_map(|told| &told.of).copied().collect();
            }
        }
        refused.retain(|what| refusable.contains(what));
        if !refused.is_empty() {
            self.refuse(&refused, start_ms);
            return true;
        }
        if asking {
            self.consent.told.clear(); // the question after it is answered
        }
        false
    }

    /// As `refuses`, by a key.
    pub(super) fn refuses_by_key(&mut self, key: Key) -> bool {
        self.feeling.pass_offer();
        let by_it = self.consent.told.iter().filter(|told| told.key == Some(key.as_char()));
        let refused: BTreeSet<_> = by_it.flat_map(|told| &told.of).copied().collect();
        let refuses = !refused.is_empty();
        if refuses {
            self.note(Note::Dtmf { key });
            self.refuse(&refused, self.now_ms);
        } else if matches!(&self.phase, Phase::Bot(bot) if matches!(bot.stage, Stage::Asking)) {
            self.consent.told.clear();
        }
        refuses
    }

    fn refuse(&mut self, refused: &BTreeSet<Disclosed>, start_ms: u64) {
        self.interrupt();
        if refused.contains(&Disclosed::Recording) {
            let just_told = self.consent.told.iter().any(|told| told.of.contains(&Disclosed::Recording));
            self.note(Note::RecordingRefused);
            self.consent.no_recording = true;
            // Who refuses when told of it never agreed.
            self.act(Action::StopRecording { since_ms: if just_told { 0 } else { start_ms } });
            let promise = self.words(&self.flow.lines.not_recorded);
            self.preface.push(promise);
        }
        if refused.contains(&Disclosed::Emotion) {
            self.note(Note::EmotionRefused);
            if self.feeling.end() {
                self.act(Action::Analyse { on: false });
            }
            let promise = self.words(&self.flow.lines.not_analysed);
            self.preface.push(promise);
        }
        for told in &mut self.consent.told {
            told.of.retain(|what| !refused.contains(what));
        }
        self.consent.told.retain(|told| !told.of.is_empty());
        let Phase::Bot(bot) = &self.phase else { return };
        match &bot.stage {
            Stage::Saying { next } if self.speaking.is_none() => {
                let next = next.clone();
                self.enter(&next);
            }
            Stage::Asking | Stage::Confirming { .. } => self.ask(),
            _ => {} // said with what comes next
        }
    }
}

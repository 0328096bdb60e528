//! What is done with a caller's voice: analysing how it sounds, recording it. Where a flow tells of it (`Step::Disclose`),
//! nothing is done before, nor after the caller refuses.

use std::collections::BTreeSet;

use super::bot::Stage;
use super::state::{Call, Phase};
use super::{Action, CalledBack, Note, PromptId, Utterance};
use crate::dialog::flow::{Disclosed, SlotKind, Step};
use crate::dialog::refusal;
use crate::dialog::slots::yes_no;
use crate::dialog::values::Rendered;
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
    /// From when on they were told so, ms of the call.
    told_ms: Option<u64>,
    /// The caller was faster than the disclosure: it goes before what is said next.
    ahead: Vec<(Told, Rendered)>,
    /// The prompt that says it.
    telling: Option<PromptId>,
    /// Recording has begun.
    records: bool,
    no_recording: bool,
}

struct Told {
    of: BTreeSet<Disclosed>,
    key: Option<char>,
}

/// All that these tell of.
fn all<'t>(told: impl IntoIterator<Item = &'t Told>) -> BTreeSet<Disclosed> {
    told.into_iter().flat_map(|told| &told.of).copied().collect()
}

/// What these words refuse, whatever the caller was told.
fn outright(refusable: &BTreeSet<Disclosed>, text: &str) -> BTreeSet<Disclosed> {
    refusable.iter().copied().filter(|what| refusal::outright(text, *what)).collect()
}

impl Call {
    /// What no step discloses (it is disclosed elsewhere) is done from the first word.
    pub(super) fn begin_untold(&mut self) {
        if !self.flow.discloses(Disclosed::Emotion) {
            self.analyse();
        }
    }

    /// Nor is a recording disclosed to who is called back: the earlier call settled it.
    pub(super) fn record_untold(&mut self, called_back: Option<&CalledBack>) {
        self.consent.no_recording = called_back.is_some_and(|earlier| !earlier.recorded);
        let agreed = called_back.map_or(!self.flow.discloses(Disclosed::Recording), |earlier| earlier.recorded);
        if agreed && self.flow.recorded {
            self.begin_recording();
        }
    }

    fn begin_recording(&mut self) {
        if !self.consent.no_recording && !std::mem::replace(&mut self.consent.records, true) {
            self.act(Action::RecordCall);
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
        let of = &self.refusable() & of;
        let some = !of.is_empty();
        if some {
            self.tell(Told { of, key });
        }
        some
    }

    fn tell(&mut self, told: Told) {
        self.consent.told_ms.get_or_insert(self.now_ms);
        self.consent.told.push(told);
    }

    /// The step after disclosures that the caller answers before they began: they are told with what is said next.
    pub(super) fn past_disclosure(&mut self, step: &str) -> String {
        let flow = self.flow.clone();
        let mut step = step;
        for _ in 0..flow.steps.len() {
            let Some(Step::Disclose { say, of, key, next }) = flow.steps.get(step) else { break };
            let ahead = self.consent.ahead.iter().map(|(told, _)| told);
            let told = all(self.consent.told.iter().chain(ahead));
            let of = &self.refusable() & of;
            if !of.is_empty() && told.is_disjoint(&of) {
                let words = self.words(say);
                self.consent.ahead.push((Told { of, key: *key }, words));
            }
            step = next;
        }
        step.to_owned()
    }

    /// What the caller was to be told goes before what is said next, if that asks them anything.
    pub(super) fn told_ahead(&mut self, prompt: PromptId) -> Vec<Rendered> {
        if !matches!(self.phase, Phase::Bot(_)) || self.consent.ahead.is_empty() {
            return Vec::new();
        }
        self.consent.telling = Some(prompt);
        let (told, words): (Vec<_>, Vec<_>) = std::mem::take(&mut self.consent.ahead).into_iter().unzip();
        told.into_iter().for_each(|told| self.tell(told));
        words
    }

    /// A prompt was said, or as much of it as the caller wanted to hear.
    pub(super) fn was_told(&mut self, prompt: PromptId) {
        if self.consent.telling.take_if(|telling| *telling == prompt).is_some() && matches!(self.phase, Phase::Bot(_)) {
            self.disclosed();
        }
    }

    /// The question after it is answered: who does that over our words has heard enough of them.
    fn heard_enough(&mut self) {
        self.consent.telling = None;
        self.disclosed();
        self.past_refusing();
    }

    /// What the caller is told is over: a no means something else from here on.
    pub(super) fn past_refusing(&mut self) {
        self.consent.told.clear();
        self.consent.ahead.clear();
        (self.consent.told_ms, self.consent.telling) = (None, None);
    }

    /// The call is recorded, and may be when the caller is called back.
    pub(super) fn is_recorded(&self) -> bool {
        self.consent.records && !self.consent.no_recording
    }

    /// The caller has been told.
    pub(super) fn disclosed(&mut self) {
        if self.consent.telling.is_some() {
            return; // it is still being said
        }
        let told = all(&self.consent.told);
        if told.contains(&Disclosed::Emotion) {
            self.analyse();
        }
        if told.contains(&Disclosed::Recording) {
            self.begin_recording();
        }
    }

    /// Whether this, begun at `start_ms`, refuses what is done with the voice; what it leads to is done.
    pub(super) fn refuses(&mut self, text: &str, start_ms: u64) -> bool {
        let Phase::Bot(bot) = &self.phase else { return false };
        let step = self.flow.steps.get(&bot.step);
        let yes_or_no = match step {
            Some(Step::Ask(ask)) => ask.kind == SlotKind::YesNo,
            Some(Step::Form(form)) => {
                let asked = bot.form.asked.and_then(|at| form.slots.get(at));
                asked.is_some_and(|slot| slot.kind == SlotKind::YesNo)
            }
            _ => self.offers(text),
        };
        let asking = matches!(bot.stage, Stage::Asking);
        let no_means_it = match &bot.stage {
            Stage::Saying { .. } => matches!(step, Some(Step::Disclose { .. })),
            _ => asking && !yes_or_no,
        };
        let refusable = self.refusable();
        let mut refused = outright(&refusable, text);
        if !self.consent.told.is_empty() {
            let bare_no = || Words::of(text).len() <= BARE && yes_no(text).is_some_and(|answer| !answer.yes);
            let meant = refusal::meant(text) && !(asking && yes_or_no);
            if refused.is_empty() && (meant || (no_means_it && bare_no())) {
                refused = &all(&self.consent.told) & &refusable;
            }
        }
        if !refused.is_empty() {
            self.refuse(&refused, start_ms);
            return true;
        }
        if asking {
            self.heard_enough();
        }
        false
    }

    /// Words by which a caller refuses it whoever they talk to, or wait for: heeded at once, and not answered.
    pub(super) fn refuses_in_passing(&mut self, said: &Utterance) {
        let refused = outright(&self.refusable(), &said.text);
        self.stop(&refused, said.start_ms);
    }

    /// The agent passes it on that the caller does not want to be recorded.
    pub(super) fn recording_refused(&mut self) {
        let refused = &self.refusable() & &BTreeSet::from([Disclosed::Recording]);
        self.stop(&refused, self.now_ms);
    }

    /// As `refuses`, by a key.
    pub(super) fn refuses_by_key(&mut self, key: Key) -> bool {
        self.feeling.pass_offer();
        if self.masked {
            return false; // a part of a secret
        }
        let refused = all(self.consent.told.iter().filter(|told| told.key == Some(key.as_char())));
        let refuses = !refused.is_empty();
        if refuses {
            self.note(Note::Dtmf { key });
            self.refuse(&refused, self.now_ms);
        } else if matches!(&self.phase, Phase::Bot(bot) if matches!(bot.stage, Stage::Asking)) {
            self.heard_enough();
        }
        refuses
    }

    /// Nothing of it is done from here on.
    fn stop(&mut self, refused: &BTreeSet<Disclosed>, start_ms: u64) {
        if refused.contains(&Disclosed::Recording) {
            let just_told = all(&self.consent.told).contains(&Disclosed::Recording);
            self.note(Note::RecordingRefused);
            self.consent.no_recording = true;
            // Who refuses when told of it never agreed.
            let since_ms = self.consent.told_ms.filter(|_| just_told).unwrap_or(start_ms);
            self.act(Action::StopRecording { since_ms });
        }
        if refused.contains(&Disclosed::Emotion) {
            self.note(Note::EmotionRefused);
            if self.feeling.end() {
                self.act(Action::Analyse { on: false });
            }
        }
        for told in self.consent.told.iter_mut().chain(self.consent.ahead.iter_mut().map(|(told, _)| told)) {
            told.of.retain(|what| !refused.contains(what));
        }
        self.consent.told.retain(|told| !told.of.is_empty());
        self.consent.ahead.retain(|(told, _)| !told.of.is_empty());
    }

    fn refuse(&mut self, refused: &BTreeSet<Disclosed>, start_ms: u64) {
        let cut = self.interrupt().is_some();
        self.stop(refused, start_ms);
        let lines = self.flow.lines.clone();
        for (what, promise) in [(Disclosed::Recording, &lines.not_recorded), (Disclosed::Emotion, &lines.not_analysed)]
        {
            if refused.contains(&what) {
                let promise = self.words(promise);
                self.preface.push(promise);
            }
        }
        let Phase::Bot(bot) = &self.phase else { return };
        match &bot.stage {
            Stage::Saying { next } if self.speaking.is_none() => {
                let next = next.clone();
                self.enter(&next);
            }
            Stage::Asking | Stage::Confirming { .. } => self.ask(),
            // "One moment": said with what comes next, which may have come.
            Stage::Understanding { .. } | Stage::Fetching { .. } if cut => self.heard_out(),
            _ => {}
        }
    }
}

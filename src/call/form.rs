//! Forms: several slots, filled by whatever a sentence holds of them, asked for one by one where it holds nothing;
//! read back where the flow says so or where something was heard poorly; corrected at any time.

use std::collections::{BTreeMap, BTreeSet};

use super::bot::{Bot, Stage};
use super::question::{HEARD, HEARD_WELL};
use super::state::{Call, Phase};
use super::{Note, Utterance, Weight};
use crate::dialog::flow::{Form, FormSlot, SlotKind, Step};
use crate::dialog::numerals::ONES;
use crate::dialog::slots::{self, Found, MANY, Read, yes_no};
use crate::dialog::template::ReadAs;
use crate::dialog::values::Rendered;
use crate::dialog::{Expect, Language, Piece};

/// How far a form is.
#[derive(Default)]
pub(super) struct Filling {
    /// Slots that have their value, by place; an optional one may have none and still be done with.
    given: BTreeSet<usize>,
    /// Those of them that were heard poorly, or only by sound.
    poor: BTreeSet<usize>,
    /// The slot that is asked for; none: the form's own question.
    pub asked: Option<usize>,
    /// What was read back is wrong, and the caller is asked what.
    changing: bool,
    /// Slots in the order in which they were given.
    order: Vec<usize>,
    /// How often what was read back was wrong, whatever became of it.
    denials: u32,
    /// And how often the caller said at once what is right.
    corrections: u32,
}

/// Below this confidence not even two values are taken from a sentence, but three: what was expected may be all that
/// the recogniser knew of it.
const FAINT: f32 = 0.03;

/// Slots of which a sentence says values outright.
fn outright(read: &Read) -> BTreeSet<usize> {
    read.found.iter().filter(|found| found.outright()).map(|found| found.slot).collect()
}

impl Call {
    fn form(&self) -> Option<(Form, &Filling)> {
        let Phase::Bot(bot) = &self.phase else { return None };
        match self.flow.steps.get(&bot.step) {
            Some(Step::Form(form)) => Some((form.clone(), &bot.form)),
            _ => None,
        }
    }

    fn filling(&mut self) -> Option<&mut Filling> {
        match &mut self.phase {
            Phase::Bot(bot) => Some(&mut bot.form),
            _ => None,
        }
    }

    /// A form begins: what its slots had before is gone.
    pub(super) fn begin_form(&mut self, form: &Form) {
        form.slots.iter().for_each(|slot| self.values.clear(&slot.slot));
    }

    /// What a form asks now.
    pub(super) fn form_question(&self) -> Vec<Rendered> {
        let Some((form, filling)) = self.form() else { return Vec::new() };
        let lines = &self.flow.lines;
        let confirming = matches!(&self.phase, Phase::Bot(Bot { stage: Stage::Confirming { .. }, .. }));
        let ask_for = |at: usize| {
            let slot = form.slots.get(at)?;
            Some(self.wording(slot.ask.as_ref()?, slot.again.as_ref()))
        };
        match (confirming, filling.asked.and_then(ask_for)) {
            (true, _) => match &form.confirm {
                Some(confirm) => vec![self.words(confirm)],
                None => {
                    let slots = filling.poor.iter().filter_map(|at| form.slots.get(*at));
                    vec![self.read_back(slots.map(|slot| (slot.slot.as_str(), slot.kind.read_as())))]
                }
            },
            _ if filling.changing => vec![self.words(&lines.what_to_change)],
            (false, Some(ask)) => vec![self.words(ask)],
            (false, None) => vec![self.words(self.wording(&form.prompt, form.again.as_ref()))],
        }
    }

    /// Callers who are asked what to change need not be told how to answer.
    pub(super) fn changes_form(&self) -> bool {
        self.form().is_some_and(|(_, filling)| filling.changing)
    }

    /// "I heard ... Is that right?"
    pub(super) fn read_back<'a>(&self, slots: impl Iterator<Item = (&'a str, ReadAs)>) -> Rendered {
        let mut pieces: Vec<Piece> = Vec::new();
        for (slot, read) in slots {
            if !pieces.is_empty() {
                pieces.push(Piece::Text(if self.is_mandarin() { "，" } else { ", " }.into()));
            }
            pieces.extend(self.values.piece(slot, read, self.language()));
        }
        self.values.render_with(&self.flow.lines.read_back, self.language(), &[("value", pieces)])
    }

    fn is_mandarin(&self) -> bool {
        self.language().as_str().starts_with("zh")
    }

    /// What a form listens for.
    pub(super) fn form_expects(&self) -> Option<Expect> {
        let (form, filling) = self.form()?;
        let asked = filling.asked.and_then(|at| form.slots.get(at));
        let own = asked.map(|slot| expected(&slot.kind, self.language()));
        if let Some(
            Expect::YesNo | Expect::Free | Expect::Digits { .. } | Expect::Code { .. } | Expect::Choice { .. },
        ) = own
        {
            return own;
        }
        let several = self.several_missing(&form, filling);
        if several && form.slots.iter().all(|slot| slots::is_digit(&slot.kind)) {
            let missing = form.slots.len() - filling.given.len();
            return Some(Expect::Digits { min: missing, max: missing });
        }
        let others = form.slots.iter().filter(|slot| asked.is_none_or(|asked| asked.slot != slot.slot));
        let mut lists = match own {
            Some(Expect::Values { lists, .. }) => lists,
            _ => Vec::new(),
        };
        lists.extend(others.map(|slot| slots::spoken(&slot.kind, self.language())));
        lists.retain(|list| !list.is_empty());
        Some(Expect::Values { lists, several })
    }

    /// The form's own question, to be answered by a sentence with several values.
    fn several_missing(&self, form: &Form, filling: &Filling) -> bool {
        let missing = |&at: &usize| form.slots[at].ask.is_some() && !filling.given.contains(&at);
        filling.asked.is_none() && (0..form.slots.len()).filter(missing).nth(1).is_some()
    }

    /// What a sentence weighs as an answer to a form.
    pub(super) fn form_weight(&self, text: &str) -> Option<Weight> {
        let (form, filling) = self.form()?;
        let kinds: Vec<&SlotKind> = form.slots.iter().map(|slot| &slot.kind).collect();
        let read = slots::read(text, &kinds, None, self.today());
        let found = |at| read.found.iter().any(|found| found.slot == at && found.sure && !found.negated);
        let has = |at| filling.given.contains(&at) || found(at);
        // A number may go on, and there may be more extras.
        let closed = |at: usize| filling.given.contains(&at) || !kinds[at].listed().is_empty() && !kinds[at].many();
        let outright = outright(&read).len();
        let weight = match self.several_missing(&form, filling) {
            // Asked for one thing, the caller says all of it again.
            false if self.asks() && outright > 1 && filling.asked.is_some_and(|at| !found(at)) => Weight::Part,
            false => Weight::Words,
            true if (0..kinds.len()).all(|at| has(at) && closed(at)) => Weight::Complete,
            true if (0..kinds.len()).all(|at| has(at) || form.slots[at].ask.is_none()) => Weight::Words,
            true => Weight::Part,
        };
        (!read.found.is_empty()).then_some(weight)
    }

    /// Reads an answer to a form; `counts` is false when it was given before it was asked for. `false` where that held
    /// nothing.
    pub(super) fn answer_form(&mut self, utterance: &Utterance, counts: bool) -> bool {
        let Some((form, filling)) = self.form() else { return false };
        let asked = filling.asked;
        let (changing, slot) = (filling.changing, asked.and_then(|at| form.slots.get(at)));
        let read = self.best_reading(&form, asked, utterance);
        let well = utterance.confidence >= HEARD_WELL;
        if read.found.is_empty() {
            let text = utterance.text.trim();
            let answer = yes_no(text);
            let value = match slot.map(|slot| &slot.kind) {
                Some(kind @ (SlotKind::YesNo | SlotKind::Free)) => {
                    slots::value(kind, text, self.today()).map(|value| value.text)
                }
                // "Anything extra?" - "No, thanks."
                Some(kind) if kind.many() && answer.is_some_and(|answer| !answer.yes) => Some(String::new()),
                _ => None,
            };
            return match (value, asked) {
                (Some(value), Some(at)) => {
                    let free = matches!(form.slots[at].kind, SlotKind::Free);
                    self.fill(&form.slots[at], at, value, well || free);
                    self.go_on_with_form();
                    true
                }
                _ if counts => {
                    self.not_understood();
                    true
                }
                _ => false,
            };
        }
        let read = self.not_against_better(read, utterance.confidence);
        if read.found.is_empty() && counts {
            let apology = self.flow.lines.not_heard.clone();
            self.failed(&apology);
            return true;
        }
        let changed = self.apply(&form, &read, well);
        if changed || changing {
            self.go_on_with_form();
        } else if counts {
            self.not_understood(); // what was asked for is not in it
        } else {
            return false;
        }
        true
    }

    /// The reading that holds most of what the form asks for; what others say outright fills its gaps. What the first
    /// does not say is doubtful.
    fn best_reading(&self, form: &Form, asked: Option<usize>, utterance: &Utterance) -> Read {
        let kinds: Vec<&SlotKind> = form.slots.iter().map(|slot| &slot.kind).collect();
        let today = self.today();
        let texts = std::iter::once(&utterance.text).chain(&utterance.alternatives);
        let readings: Vec<Read> = texts.map(|text| slots::read(text, &kinds, asked, today)).collect();
        let first = &readings[0];
        let names = |read: &Read, at| read.found.iter().any(|found| found.slot == at && found.sure && !found.negated);
        let answers = |read: &Read| asked.is_none_or(|at| names(read, at));
        let mut best = first.clone();
        for other in &readings[1..] {
            // The first reading is the likelier one: another must hold clearly more, and lose no answer to what was asked.
            if other.weight() > best.weight() + 0.5 && (answers(other) || !answers(&best)) {
                best = other.clone();
            }
        }
        // Later on, what another reading has is rather a mishearing of the one thing that was said.
        if asked.is_none() && self.form().is_some_and(|(_, filling)| filling.given.is_empty()) {
            best.fill_gaps(&readings);
        }
        if let Some(at) = self.only_missing(form, asked, &best)
            && readings.iter().all(|read| read.found.iter().all(|found| found.slot != at))
        {
            let texts = std::iter::once(&utterance.text).chain(&utterance.alternatives).zip(&readings);
            let lacking = texts.filter(|(_, read)| outright(read).len() > 1);
            let left = lacking.filter_map(|(text, read)| slots::left(text, &kinds, at, &read.found));
            // Of several as like, the likelier reading's.
            if let Some(left) = left.reduce(|best, other| if other.likelier(&best) { other } else { best }) {
                best.add(left);
            }
        }
        for found in &mut best.found {
            let same = |own: &Found| own.slot == found.slot && own.value == found.value && own.sure;
            found.sure &= first.found.iter().any(same);
        }
        best
    }

    /// The one slot of a list that a sentence with values of several others lacks: the one that is asked for, or the only
    /// one that was not given.
    fn only_missing(&self, form: &Form, asked: Option<usize>, read: &Read) -> Option<usize> {
        let (_, filling) = self.form()?;
        let missing = |&at: &usize| {
            let slot = &form.slots[at];
            let given = filling.given.contains(&at) && asked != Some(at);
            slot.ask.is_some() && !given && read.found.iter().all(|found| found.slot != at)
        };
        let at = match asked {
            Some(at) => Some(at).filter(missing),
            None => {
                let mut all = (0..form.slots.len()).filter(missing);
                all.next().filter(|_| all.next().is_none())
            }
        };
        at.filter(|&at| outright(read).len() > 1 && !form.slots[at].kind.listed().is_empty())
    }

    /// Values of two or three slots said outright come about by no accident, however poorly the rest was heard: to read them
    /// back costs no more than to ask again.
    pub(super) fn says_several(&self, text: &str, confidence: f32) -> bool {
        let Some((form, filling)) = self.form() else { return false };
        let kinds: Vec<&SlotKind> = form.slots.iter().map(|slot| &slot.kind).collect();
        let read = slots::read(text, &kinds, filling.asked, self.today());
        outright(&read).len() > if confidence < FAINT { 2 } else { 1 }
    }

    /// Without what is too poorly heard to change a value that was heard well.
    fn not_against_better(&self, mut read: Read, confidence: f32) -> Read {
        if let (true, Some((_, filling))) = (confidence < HEARD, self.form()) {
            read.found.retain(|found| !filling.given.contains(&found.slot) || filling.poor.contains(&found.slot));
        }
        read
    }

    /// Puts what was found in its slots; whether that changed anything.
    fn apply(&mut self, form: &Form, read: &Read, well: bool) -> bool {
        let mut changed = false;
        let mut begun: BTreeSet<usize> = BTreeSet::new();
        for found in &read.found {
            let Some(slot) = form.slots.get(found.slot) else { continue };
            let now = self.values.shown(&slot.slot).unwrap_or_default().to_owned();
            let value = match slot.kind.many() {
                true => {
                    let replaced = read.corrects && !read.adds && !found.negated && begun.insert(found.slot);
                    several(if replaced { "" } else { &now }, found)
                }
                false if !found.negated => found.value.clone(),
                false if now == found.value => {
                    self.empty(slot, found.slot);
                    changed = true;
                    continue;
                }
                false => continue,
            };
            let given = self.filling().is_some_and(|filling| filling.given.contains(&found.slot));
            if given && value == now {
                continue;
            }
            changed = true;
            self.fill(slot, found.slot, value, well && found.sure);
        }
        changed
    }

    fn empty(&mut self, slot: &FormSlot, at: usize) {
        if let Some(filling) = self.filling() {
            filling.given.remove(&at);
            filling.poor.remove(&at);
        }
        self.values.clear(&slot.slot);
        self.note(Note::Slot { slot: slot.slot.clone(), value: String::new(), confirmed: false });
    }

    /// These slots' values proved to be secrets: a form that has them asks for them again.
    pub(super) fn forget_given(&mut self, lost: &[String]) {
        let Some((form, _)) = self.form() else { return };
        let Some(filling) = self.filling() else { return };
        for (at, _) in form.slots.iter().enumerate().filter(|(_, slot)| lost.contains(&slot.slot)) {
            filling.given.remove(&at);
            filling.poor.remove(&at);
        }
    }

    /// The slot that was asked for was keyed.
    pub(super) fn form_keyed(&mut self, form: &Form, value: String) {
        let Some(at) = self.filling().and_then(|filling| filling.asked) else { return };
        let Some(slot) = form.slots.get(at) else { return };
        self.fill(slot, at, value, true);
        self.go_on_with_form();
    }

    fn fill(&mut self, slot: &FormSlot, at: usize, value: String, sure: bool) {
        let said = self.said(&slot.kind, &slot.label, &value);
        self.values.set_said(&slot.slot, value.clone(), said);
        self.note(Note::Slot { slot: slot.slot.clone(), value, confirmed: false });
        let Phase::Bot(bot) = &mut self.phase else { return };
        bot.form.order.retain(|given| *given != at);
        bot.form.order.push(at);
        if bot.form.given.insert(at) {
            bot.attempts = 0; // on to something else
        }
        match sure {
            true => bot.form.poor.remove(&at),
            false => bot.form.poor.insert(at),
        };
    }

    /// How texts say a value of a list, in each language of the flow.
    pub(super) fn said(
        &self,
        kind: &SlotKind,
        label: &BTreeMap<Language, String>,
        value: &str,
    ) -> BTreeMap<Language, String> {
        let listed = kind.listed();
        if listed.is_empty() {
            return BTreeMap::new();
        }
        let in_language = |language: Language| {
            let han = language.as_str().starts_with("zh");
            let words: Vec<&str> = value
                .split(MANY)
                .filter_map(|one| listed.iter().find(|value| value.value == one))
                .map(|value| value.said_in(&language))
                .collect();
            let label = label.get(&language).map_or("", String::as_str);
            let text = match words.as_slice() {
                [] if han => format!("不要{label}"),
                [] => format!("no {label}"),
                [one] => (*one).to_owned(),
                words if han => words.join("、"),
                [most @ .., last] if language.as_str() == "en" => format!("{} and {last}", most.join(", ")),
                words => words.join(", "),
            };
            (language, text)
        };
        self.flow.languages().into_iter().map(in_language).collect()
    }

    /// Asks for what is missing, reads back, or is done.
    pub(super) fn go_on_with_form(&mut self) {
        let Some((form, filling)) = self.form() else { return };
        let missing = (0..form.slots.len()).find(|at| !filling.given.contains(at) && form.slots[*at].ask.is_some());
        let reads_back = form.confirm.is_some() || !filling.poor.is_empty();
        if let Some(filling) = self.filling() {
            filling.asked = missing;
            filling.changing = false;
        }
        if missing.is_some() {
            self.set_stage(Stage::Asking);
            return self.ask();
        }
        for (at, slot) in form.slots.iter().enumerate() {
            if self.filling().is_some_and(|filling| !filling.given.contains(&at)) {
                let said = self.said(&slot.kind, &slot.label, "");
                self.values.set_said(&slot.slot, String::new(), said);
            }
        }
        if reads_back {
            self.set_stage(Stage::Confirming { value: String::new() });
            return self.ask();
        }
        self.enter(&form.next);
    }

    /// An answer to what was read back of a form: yes, no, or what is right instead.
    pub(super) fn confirm_form(&mut self, utterance: &Utterance) {
        let faint = utterance.confidence < HEARD;
        if faint && !self.says_several(&utterance.text, utterance.confidence) {
            let apology = self.flow.lines.not_heard.clone();
            return self.failed(&apology);
        }
        let Some((form, filling)) = self.form() else { return };
        let answer = yes_no(&utterance.text).map(|answer| answer.yes);
        let read = self.best_reading(&form, filling.asked, utterance);
        let read = self.not_against_better(read, utterance.confidence);
        let same = |found: &Found| {
            let now = self.values.shown(&form.slots[found.slot].slot).unwrap_or_default();
            match form.slots[found.slot].kind.many() {
                true => now.split(MANY).any(|one| one == found.value) != found.negated,
                false => (now == found.value) != found.negated,
            }
        };
        let agrees = answer == Some(true);
        let other = read.found.iter().any(|found| !same(found) && (found.sure || !agrees));
        // Each slot may be put right, and then some; not without end.
        let most = form.slots.len() as u32 + self.flow.attempts.max(1);
        match answer {
            _ if other => {
                let Some(filling) = self.filling() else { return };
                filling.corrections += 1;
                if filling.corrections > most {
                    return self.seek_person("not understood", None);
                }
                self.apply(&form, &read, utterance.confidence >= HEARD_WELL);
                self.go_on_with_form();
            }
            _ if faint => {
                let apology = self.flow.lines.not_heard.clone();
                self.failed(&apology);
            }
            Some(true) => self.form_confirmed(),
            Some(false) => self.form_denied(),
            None if !read.found.is_empty() && !read.corrects => self.form_confirmed(),
            None if !read.found.is_empty() => self.form_denied(),
            None => self.not_understood(),
        }
    }

    pub(super) fn form_confirmed(&mut self) {
        let Some((form, _)) = self.form() else { return };
        for slot in &form.slots {
            let value = self.values.shown(&slot.slot).unwrap_or_default().to_owned();
            if !value.is_empty() {
                self.note(Note::Slot { slot: slot.slot.clone(), value, confirmed: true });
            }
        }
        self.enter(&form.next);
    }

    /// It is wrong, and the caller did not say what.
    pub(super) fn form_denied(&mut self) {
        let attempts = self.flow.attempts.max(1);
        let Some(filling) = self.filling() else { return };
        filling.denials += 1;
        if filling.denials >= attempts {
            return self.seek_person("not understood", None);
        }
        let Some((form, filling)) = self.form() else { return };
        if form.confirm.is_none() {
            // Only what was heard poorly was read back: that is asked for again.
            let poor: Vec<usize> = filling.poor.iter().copied().collect();
            poor.into_iter().for_each(|at| self.empty(&form.slots[at], at));
            let missing = self.first_missing(&form);
            if let Some(filling) = self.filling() {
                filling.asked = missing;
            }
        } else if let Some(filling) = self.filling() {
            (filling.changing, filling.asked) = (true, None);
        }
        self.set_stage(Stage::Asking);
        let lines = self.flow.lines.clone();
        let apology = if form.confirm.is_some() { Default::default() } else { lines.misheard };
        self.failed(&apology);
    }

    /// What was given last is forgotten, and asked for again. `false` where nothing was given yet.
    pub(super) fn form_back(&mut self) -> bool {
        let Some((form, filling)) = self.form() else { return false };
        let Some(at) = filling.order.last().copied() else { return false };
        self.empty(&form.slots[at], at);
        let Some(filling) = self.filling() else { return false };
        filling.order.pop();
        (filling.changing, filling.asked) = (false, Some(at));
        if form.slots[at].ask.is_some() {
            self.set_stage(Stage::Asking);
            self.ask();
        } else {
            self.go_on_with_form();
        }
        true
    }

    fn first_missing(&self, form: &Form) -> Option<usize> {
        let Phase::Bot(bot) = &self.phase else { return None };
        (0..form.slots.len()).find(|at| !bot.form.given.contains(at) && form.slots[*at].ask.is_some())
    }
}

/// A value more, or one less, of several; in the order they were said.
fn several(now: &str, found: &Found) -> String {
    let mut values: Vec<&str> = now.split(MANY).filter(|one| !one.is_empty() && *one != found.value).collect();
    if !found.negated {
        values.push(&found.value);
    }
    values.join(MANY)
}

/// What a kind of answer makes the ear listen for.
pub(super) fn expected(kind: &SlotKind, language: &Language) -> Expect {
    match kind {
        SlotKind::Digits { min, max } => Expect::Digits { min: *min, max: *max },
        SlotKind::Code { min, max } => Expect::Code { min: *min, max: *max },
        SlotKind::YesNo => Expect::YesNo,
        SlotKind::Free => Expect::Free,
        SlotKind::Phone => Expect::Digits { min: 7, max: 15 },
        SlotKind::Postcode { country } => match slots::postcode_size(country) {
            (min, max, true) => Expect::Code { min, max },
            (min, max, false) => Expect::Digits { min, max },
        },
        SlotKind::Number { min, max } => match small_numbers(*min, *max, language) {
            Some(phrases) => Expect::Choice { phrases },
            None => Expect::Values { lists: Vec::new(), several: false },
        },
        SlotKind::Date { .. } | SlotKind::Time | SlotKind::Money { .. } | SlotKind::StreetNumber => {
            Expect::Values { lists: Vec::new(), several: false }
        }
        SlotKind::List { .. } | SlotKind::Name { .. } => {
            Expect::Values { lists: vec![slots::spoken(kind, language)], several: false }
        }
    }
}

/// The words of all numbers within these bounds, where they are few: one word alone is heard poorly unless it is known which
/// it may be.
fn small_numbers(min: Option<f64>, max: Option<f64>, language: &Language) -> Option<Vec<String>> {
    let (min, max) = (min?.ceil().max(0.0) as usize, max?);
    let few = language.as_str() == "en" && max < ONES.len() as f64;
    few.then(|| ONES.iter().take(max as usize + 1).skip(min).map(|word| (*word).to_owned()).collect())
}

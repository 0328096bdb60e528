//! Questions and their answers: asking, asking again in other words, choices and values.

use super::bot::{Bot, Stage};
use super::form;
use super::meant::matter;
use super::state::{Call, Goal, Phase};
use super::{Action, Answer, Cause, IntentScore, Note, RequestId, TimerId, Understanding, Utterance};
use crate::dialog::choice::{self, Choice};
use crate::dialog::flow::{Ask, MenuOption, SlotKind, Step, Text};
use crate::dialog::slots::{self, yes_no};
use crate::dialog::values::{HIDDEN, Rendered};
use crate::dialog::words::Words;
use crate::dialog::{Expect, Piece, person};

/// Below this confidence of the recogniser nothing is acted upon, except a wish for a person.
pub(super) const HEARD: f32 = 0.3;
/// Below this a value is read back even where the flow does not ask for it.
pub(super) const HEARD_WELL: f32 = 0.6;
/// The same for numbers and codes, in which every sign counts. One that has the right length may be heard poorly: it
/// costs no more to read it back than to ask again.
const SPELLED_WELL: f32 = 0.9;
pub(super) const SPELLED: f32 = 0.1;
/// The best intent must lead the second by this much.
const MARGIN: f32 = 0.05;
/// A sentence of so many words that neither intents nor the knowledge base know is a question for a person.
const QUESTION: usize = 5;
/// Scores that are written down.
const SCORES: usize = 5;
/// The intent model answers in tens of milliseconds; after this long the call goes on without.
const UNDERSTAND_LIMIT_MS: u64 = 3_000;
/// Silences in a row after which a caller is let go.
const SILENCES: u32 = 2;
/// Why a person is sought for who swears at the bot.
const SWORE: &str = "swore at the bot";
/// Why a person is sought for a question that nothing is known about.
pub(super) const UNKNOWN: &str = "no answer is known";

impl Call {
    pub(super) fn step(&self) -> Option<&Step> {
        match &self.phase {
            Phase::Bot(bot) => self.flow.steps.get(&bot.step),
            _ => None,
        }
    }

    pub(super) fn bot_mut(&mut self) -> Option<&mut Bot> {
        match &mut self.phase {
            Phase::Bot(bot) => Some(bot),
            _ => None,
        }
    }

    /// Asks the step's question, or reads the value back.
    pub(super) fn ask(&mut self) {
        self.expect_answer();
        let failed = !self.preface.is_empty() && self.bot_mut().is_some_and(|bot| bot.attempts > 0);
        let last_chance = failed && self.attempts_left() <= 1 && !self.feeling.shorter();
        self.offer_person();
        let helping = std::mem::take(&mut self.commanded.helping);
        let Phase::Bot(bot) = &self.phase else { return };
        let lines = &self.flow.lines;
        let mut texts = Vec::new();
        let hint = match (&bot.stage, self.step()) {
            (Stage::Confirming { .. }, Some(Step::Ask(ask))) => {
                match &ask.confirm {
                    Some(confirm) => texts.push(self.words(confirm)),
                    None => texts.push(self.read_back(std::iter::once((ask.slot.as_str(), ask.kind.read_as())))),
                }
                Some(&lines.hint_yes_no)
            }
            (Stage::Confirming { .. }, Some(Step::Form(_))) => {
                texts.extend(self.form_question());
                Some(&lines.hint_yes_no)
            }
            // Keys mean there what the menu says.
            (Stage::Confirming { value }, Some(Step::Menu { .. })) => {
                texts.push(self.whether_meant(value));
                Some(&lines.hint_menu)
            }
            (_, Some(Step::Form(_))) => {
                texts.extend(self.form_question());
                (!self.changes_form()).then_some(&lines.hint_free)
            }
            (_, Some(Step::Menu { prompt, again, short, .. })) => {
                texts.push(self.question(self.wording(prompt, again.as_ref()), short.as_ref()));
                Some(&lines.hint_menu)
            }
            (_, Some(Step::Ask(ask))) => {
                texts.push(self.words(self.wording(&ask.prompt, ask.again.as_ref())));
                Some(match ask.kind {
                    _ if ask.secret => &lines.hint_secret,
                    SlotKind::Digits { .. } | SlotKind::Phone => &lines.hint_digits,
                    SlotKind::Code { .. } | SlotKind::Postcode { .. } => &lines.hint_code,
                    SlotKind::YesNo => &lines.hint_yes_no,
                    _ => &lines.hint_free,
                })
            }
            _ => None,
        };
        if let Some(hint) = hint.filter(|_| (last_chance || helping) && !self.keys_only) {
            let hint = self.words(hint);
            // Where a language has no hint, that stands in for it; who asked for help was understood.
            if !helping || hint != self.words(&lines.not_understood) {
                texts.push(hint);
            }
        }
        self.commanded.once_more = false;
        if !self.say(texts, true) {
            self.set_timer(TimerId::Silence, self.flow.silence_ms);
        }
    }

    /// A question in the operator's other words where it is asked again, unless the caller wants to hear it once more.
    pub(super) fn wording<'t>(&self, prompt: &'t Text, again: Option<&'t Text>) -> &'t Text {
        let Phase::Bot(bot) = &self.phase else { return prompt };
        let retry = bot.attempts + bot.silences > 0 && !self.commanded.once_more;
        again.filter(|_| retry).unwrap_or(prompt)
    }

    /// Tells the ear what is expected.
    pub(super) fn expect_answer(&mut self) {
        let person = self.person_hints();
        let Phase::Bot(bot) = &self.phase else { return };
        let (expect, hints) = match (&bot.stage, self.step()) {
            (Stage::Confirming { .. }, Some(Step::Ask(ask))) if ask.kind.is_spelled() => {
                (Expect::Confirm { of: Box::new(form::expected(&ask.kind, self.language())) }, person)
            }
            (Stage::Confirming { .. }, Some(Step::Ask(_) | Step::Form(_))) => (Expect::YesNo, person),
            (stage, Some(Step::Menu { options, .. })) => {
                let asked_whether = matches!(stage, Stage::Confirming { .. });
                let yes_no = if asked_whether { slots::yes_no_hints(self.language().as_str()) } else { &[] };
                let yes_no = yes_no.iter().map(|&hint| hint.to_owned());
                let phrases = yes_no.chain(self.menu_hints(&bot.step)).collect();
                match options.iter().any(|option| option.intent.is_some()) {
                    true => (Expect::Request, phrases),
                    false => (Expect::Choice { phrases }, Vec::new()),
                }
            }
            (_, Some(Step::Ask(ask))) if ask.secret => (Expect::Choice { phrases: person.clone() }, person),
            (_, Some(Step::Ask(ask))) => (form::expected(&ask.kind, self.language()), person),
            (_, Some(Step::Form(_))) => match self.form_expects() {
                Some(expect) => (expect, person),
                None => return,
            },
            _ => return,
        };
        self.listen(expect, hints);
    }

    pub(super) fn attempts_left(&self) -> u32 {
        match &self.phase {
            Phase::Bot(bot) => self.flow.attempts.max(1).saturating_sub(bot.attempts),
            _ => 0,
        }
    }

    /// One more failed attempt: asks again, or takes the caller to a person.
    pub(super) fn failed(&mut self, apology: &Text) {
        self.forget_keys();
        let Some(bot) = self.bot_mut() else { return };
        bot.attempts += 1;
        if !matches!(bot.stage, Stage::Confirming { .. }) {
            bot.stage = Stage::Asking;
        }
        self.interrupt();
        if self.attempts_left() == 0 {
            return self.seek_person("not understood", None);
        }
        let apology = self.words(apology);
        self.preface.push(apology);
        self.ask();
    }

    pub(super) fn forget_keys(&mut self) {
        self.cancel_timer(TimerId::InterKey);
        if let Some(bot) = self.bot_mut() {
            bot.keys.clear();
        }
    }

    pub(super) fn not_understood(&mut self) {
        let apology = self.flow.lines.not_understood.clone();
        self.failed(&apology);
    }

    /// Neither a word nor a key after a question.
    pub(super) fn silence(&mut self) {
        self.note(Note::Silence);
        let Some(bot) = self.bot_mut() else { return };
        bot.silences += 1;
        let enough = bot.silences >= SILENCES;
        if enough && self.silent_and_upset() {
            return;
        }
        let lines = &self.flow.lines;
        if enough {
            let goodbye = lines.goodbye.clone();
            return self.close(&[&goodbye], Cause::Silent);
        }
        let still_there = self.words(&lines.silence);
        self.preface.push(still_there);
        self.ask();
    }

    pub(super) fn heard(&mut self, utterance: Utterance) {
        if self.masked {
            return self.heard_while_masked(&utterance);
        }
        let text = utterance.text.clone();
        self.note(Note::Utterance(utterance.clone()));
        if self.refuses(&text, utterance.start_ms) {
            return;
        }
        self.worded(&utterance);
        if person::wanted(&text) {
            return self.seek_person("asked for a person", None);
        }
        if self.swears(&text, utterance.confidence) {
            return self.seek_person(SWORE, None);
        }
        if self.leave_if_due() || self.answers_offer(&text) || self.commanded(&text, utterance.confidence) {
            return;
        }
        self.commanded.answered();
        let Some(bot) = self.bot_mut() else { return };
        match &bot.stage {
            Stage::Saying { next } => {
                let next = next.clone();
                self.interrupt();
                if self.speaking.is_none() && self.heard_ahead(&next) {
                    self.answer(&utterance, false);
                }
            }
            Stage::Asking => self.answer(&utterance, true),
            Stage::Understanding { .. } => {
                bot.stage = Stage::Asking;
                self.cancel_timer(TimerId::Patience);
                self.interrupt();
                self.answer(&utterance, true);
            }
            Stage::Confirming { value } => {
                let value = value.clone();
                self.confirm(&value, &utterance);
            }
            Stage::Fetching { .. } | Stage::Walking => {}
        }
    }

    /// Whether the caller swears at the bot, where the flow cares. What was hardly heard may have been something else.
    pub(super) fn swears(&self, text: &str, confidence: f32) -> bool {
        self.flow.swearing && confidence >= HEARD_WELL && person::sworn_at(text)
    }

    /// What is said while a secret is asked for is kept nowhere; only a wish for a person counts.
    fn heard_while_masked(&mut self, utterance: &Utterance) {
        self.refuses_in_passing(utterance);
        self.past_refusing();
        if person::wanted(&utterance.text) {
            return self.seek_person("asked for a person", None);
        }
        if self.swears(&utterance.text, utterance.confidence) {
            return self.seek_person(SWORE, None);
        }
        if utterance.confidence >= HEARD && self.commanded_while_masked(&utterance.text) {
            return;
        }
        self.note(Note::NotHeard);
        let hint = self.flow.lines.hint_secret.clone();
        self.failed(&hint);
    }

    /// Reads an answer; `counts` is false when the question had yet to be asked.
    pub(super) fn answer(&mut self, utterance: &Utterance, counts: bool) {
        self.interrupt();
        self.forget_keys(); // words instead
        let spelled = matches!(self.step(), Some(Step::Ask(ask)) if ask.kind.is_spelled());
        let least = if spelled { SPELLED } else { HEARD };
        let faint = utterance.confidence < least && !self.says_several(&utterance.text, utterance.confidence);
        if faint || utterance.text.trim().is_empty() {
            let apology = self.flow.lines.not_heard.clone();
            return match counts {
                true if self.asks_whether_meant(utterance) => {}
                true => self.failed(&apology),
                false => self.ask(),
            };
        }
        let flow = self.flow.clone();
        let Phase::Bot(bot) = &self.phase else { return };
        match flow.steps.get(&bot.step) {
            Some(Step::Menu { options, .. }) => {
                self.answer_menu(options, &utterance.text, utterance.confidence, counts);
            }
            Some(Step::Form(_)) if self.answer_form(utterance, counts) => {}
            Some(Step::Form(_)) => self.ask(),
            Some(Step::Ask(ask)) => {
                if ask.kind == SlotKind::YesNo && self.said_more_than_yes(ask, utterance) {
                    return;
                }
                let readings = std::iter::once(&utterance.text).chain(&utterance.alternatives);
                let today = self.today();
                // A reading that says it outright goes before one that only sounds so.
                let values: Vec<slots::Value> =
                    readings.filter_map(|text| slots::value(&ask.kind, text, today)).collect();
                // What was wrong already goes last: who says no by mistake may yet say it again.
                let Phase::Bot(bot) = &self.phase else { return };
                let best = values.iter().min_by_key(|value| (bot.denied.contains(&value.text), !value.sure));
                match best {
                    Some(value) => {
                        let well = if ask.kind.is_spelled() { SPELLED_WELL } else { HEARD_WELL };
                        let sure = value.sure && utterance.confidence >= well;
                        self.filled(ask, value.text.clone(), sure);
                    }
                    None => self.not_understood(),
                }
            }
            _ => {}
        }
    }

    /// "Is there anything else?" - "Yes, I lost my card", or just "I lost my card": where a yes would lead to a menu,
    /// the rest is taken there, and counts for nothing if it means nothing.
    fn said_more_than_yes(&mut self, ask: &Ask, utterance: &Utterance) -> bool {
        let (rest, yes) = match yes_no(&utterance.text) {
            Some(answer) if answer.yes => (answer.rest, true),
            Some(_) => return false,
            None => (utterance.text.clone(), false),
        };
        let flow = self.flow.clone();
        let mut values = self.values.clone();
        values.set(&ask.slot, slots::YES.into());
        let Some(Step::Menu { options, .. }) = flow.steps.get(flow.after_deciding(&ask.next, &values, self.today()))
        else {
            return false;
        };
        let clear = matches!(choice::choose(options, &rest), Choice::Sure(_));
        let worth_trying = clear || (yes && Words::of(&rest).len() > 1);
        if !worth_trying {
            return false;
        }
        self.values.set(&ask.slot, slots::YES.into());
        self.note(Note::Slot { slot: ask.slot.clone(), value: slots::YES.into(), confirmed: false });
        if self.walk_to_question(&ask.next) {
            self.answer_menu(options, &rest, utterance.confidence, false);
        }
        true
    }

    fn answer_menu(&mut self, options: &[MenuOption], text: &str, confidence: f32, counts: bool) {
        let mentioned = match choice::choose(options, text) {
            Choice::Sure(at) if self.asks_in_doubt(&options[at], confidence) => return,
            Choice::Sure(at) => {
                // "Two" is a key, and no number of anything.
                if choice::spoken_key(&Words::of(text)).is_none() {
                    self.carry(text, confidence);
                }
                return self.chosen(&options[at]);
            }
            Choice::Mentioned(at) => Some(at),
            Choice::Open => None,
        };
        if let Some(option) = self.exemplified(options, text) {
            if self.asks_in_doubt(option, confidence) {
                return;
            }
            let intent = option.intent.clone().unwrap_or_default();
            return self.requested(option, vec![IntentScore { intent, score: 1.0 }], text, confidence);
        }
        let intents: Vec<String> = options.iter().filter_map(|option| option.intent.clone()).collect();
        if intents.is_empty() && self.flow.knowledge.is_none() {
            return match mentioned {
                Some(at) => {
                    self.carry(text, confidence);
                    self.chosen(&options[at]);
                }
                None if counts && self.asks_whether_last_words_meant() => {}
                None if counts => self.not_understood(),
                None => self.ask(),
            };
        }
        let request = self.new_request();
        let model_ms = self.flow.knowledge.as_ref().and_then(|free| free.model_ms).unwrap_or(0);
        let until_ms = self.now_ms + UNDERSTAND_LIMIT_MS + model_ms;
        let text = text.to_owned();
        self.set_stage(Stage::Understanding {
            request,
            text: text.clone(),
            confidence,
            mentioned,
            counts,
            until_ms,
            told: false,
            came: None,
        });
        let language = self.language().clone();
        self.act(Action::Understand { request, text, intents, language });
        let patience_ms = self.patience_ms();
        self.set_timer(TimerId::Patience, patience_ms);
    }

    /// The option whose intent has this very sentence as an example.
    pub(super) fn exemplified<'o>(&self, options: &'o [MenuOption], text: &str) -> Option<&'o MenuOption> {
        let said = Words::of(text);
        let examples = |intent: &String| self.flow.intents.get(intent).map_or(&[][..], |intent| &intent.examples);
        // Stops and capitals alone may make a difference in length.
        let near = |example: &&String| example.len().abs_diff(text.len()) <= 3;
        let same = |example: &String| Words::of(example).iter().eq(said.iter());
        options.iter().find(|option| {
            let examples = option.intent.as_ref().map_or(&[][..], examples);
            examples.iter().filter(near).any(same)
        })
    }

    /// What was asked for is known.
    fn requested(&mut self, option: &MenuOption, scores: Vec<IntentScore>, text: &str, confidence: f32) {
        match &option.intent {
            Some(intent) => self.note(Note::Intent { chosen: Some(intent.clone()), scores }),
            None => self.note(Note::Choice { option: name(option) }),
        }
        self.served.chose();
        self.carry(text, confidence);
        self.enter(&option.next);
    }

    pub(super) fn understood(&mut self, request: RequestId, understanding: &Understanding) {
        let flow = self.flow.clone();
        let speaking = self.speaking.is_some();
        let Phase::Bot(Bot { stage, step, denied, .. }) = &mut self.phase else { return };
        let Stage::Understanding { request: asked, text, confidence, mentioned, counts, told, came, .. } = stage else {
            return;
        };
        let Some(Step::Menu { options, .. }) = flow.steps.get(step) else { return };
        if *asked != request {
            return;
        }
        if speaking && *told {
            *came = Some(understanding.clone()); // once the caller has heard us out
            return;
        }
        // "No, I haven't lost my card" is like an example of what it denies.
        let denied = denied.clone();
        let is_denied = |matter: &str| denied.iter().any(|denied| denied == matter);
        let mentioned = mentioned.filter(|&at| !is_denied(matter(&options[at])));
        let mut scores = understanding.intents.clone();
        scores.retain(|score| options.iter().any(|option| option.intent.as_ref() == Some(&score.intent)));
        let (text, confidence, counts) = (text.clone(), *confidence, *counts);
        self.cancel_timer(TimerId::Patience);
        scores.sort_by(|a, b| b.score.total_cmp(&a.score));
        let of = |intent: &str| options.iter().position(|option| option.intent.as_deref() == Some(intent));
        let best = scores.first().filter(|best| !is_denied(&best.intent)).and_then(|best| of(&best.intent));
        let clear = scores.first().is_some_and(|best| {
            let second = scores.get(1).map_or(0.0, |second| second.score);
            best.score >= understanding.threshold && best.score - second >= MARGIN
        });
        // What the sentence mentions decides where the scores do not contradict it.
        let chosen = best.filter(|_| clear).or(mentioned.filter(|_| best.is_none() || best == mentioned));
        // A better answer from the flow's pages than an intent that no word of an option speaks for.
        let sure = scores.first().map_or(0.0, |best| best.score);
        let answer = understanding.answer.as_ref().filter(|answer| {
            flow.knowledge.is_some() && (chosen.is_none() || (mentioned.is_none() && answer.score > sure))
        });
        scores.truncate(SCORES);
        if let Some(answer) = answer {
            self.note(Note::Intent { chosen: None, scores });
            return self.answer_freely(answer);
        }
        match chosen {
            Some(at) if self.asks_in_doubt(&options[at], confidence) => {}
            Some(at) => self.requested(&options[at], scores, &text, confidence),
            None => {
                self.note(Note::Intent { chosen: None, scores });
                self.set_stage(Stage::Asking);
                let unknown = flow.knowledge.is_some() && *understanding != Understanding::default();
                match counts {
                    true if self.asks_whether_last_words_meant() => {}
                    true if unknown && self.asked_much() => self.seek_person(UNKNOWN, None),
                    true => self.not_understood(),
                    false => self.ask(),
                }
            }
        }
    }

    /// What chose an option may hold more: "my balance, the account is 407123".
    fn carry(&mut self, text: &str, confidence: f32) {
        if let Some(bot) = self.bot_mut() {
            bot.carried = Some((text.to_owned(), confidence));
        }
    }

    /// Whether the sentence that led to this question answers it, too; what that leads to is done.
    pub(super) fn answered_ahead(&mut self) -> bool {
        let flow = self.flow.clone();
        let Some(bot) = self.bot_mut() else { return false };
        let Some((text, confidence)) = bot.carried.take() else { return false };
        let step = flow.steps.get(&bot.step);
        if confidence < HEARD || self.keys_only {
            return false;
        }
        match step {
            Some(Step::Form(_)) => {
                let utterance = Utterance { text, confidence, ..Utterance::default() };
                self.answer_form(&utterance, false)
            }
            // Short numbers are said of many things.
            Some(Step::Ask(ask)) if !ask.secret && tells_itself(&ask.kind) => {
                match slots::value(&ask.kind, &text, self.today()).filter(|value| value.sure) {
                    Some(value) => {
                        self.filled(ask, value.text, false); // it was not asked for: read back
                        true
                    }
                    None => false,
                }
            }
            _ => false,
        }
    }

    /// Says what the knowledge base has, as it stands there.
    fn answer_freely(&mut self, answer: &Answer) {
        let Phase::Bot(bot) = &self.phase else { return };
        let next = self.flow.knowledge.as_ref().and_then(|free| free.next.clone()).unwrap_or_else(|| bot.step.clone());
        self.note(Note::AnsweredFrom { source: answer.source.clone(), score: answer.score });
        let words = Rendered { pieces: vec![Piece::Text(answer.text.clone())], words: None };
        self.commanded.answered_from_pages(words.clone());
        self.served.chose();
        self.set_stage(Stage::Saying { next: next.clone() });
        self.listen(Expect::Request, self.person_hints());
        if !self.say(vec![words], true) {
            self.enter(&next);
        }
    }

    /// The caller's last words are a whole question, not a word that was not caught.
    fn asked_much(&self) -> bool {
        self.last_words().is_some_and(|utterance| Words::of(&utterance.text).len() >= QUESTION)
    }

    /// An option was chosen outright, by key or by phrase.
    pub(super) fn chosen(&mut self, option: &MenuOption) {
        match &option.intent {
            Some(intent) => self.note(Note::Intent { chosen: Some(intent.clone()), scores: Vec::new() }),
            None => self.note(Note::Choice { option: name(option) }),
        }
        self.served.chose();
        self.enter(&option.next);
    }

    /// A slot has its value; it is read back where the flow says so, or where it was heard poorly.
    pub(super) fn filled(&mut self, ask: &Ask, value: String, sure: bool) {
        if ask.secret {
            self.values.set_secret(&ask.slot, value);
            self.mask(false);
            self.note(Note::Slot { slot: ask.slot.clone(), value: HIDDEN.into(), confirmed: false });
            return self.enter(&ask.next);
        }
        let said = self.said(&ask.kind, &ask.label, &value);
        self.values.set_said(&ask.slot, value.clone(), said);
        self.note(Note::Slot { slot: ask.slot.clone(), value: value.clone(), confirmed: false });
        if ask.confirm.is_some() || (is_value(&ask.kind) && !sure) {
            self.set_stage(Stage::Confirming { value });
            self.ask();
        } else {
            self.enter(&ask.next);
        }
    }
}

impl super::state::Served {
    fn chose(&mut self) {
        self.goal = Goal::Chosen;
        self.told = false;
    }
}

/// Read back when it was heard poorly: not what is a yes or a no, or a story.
pub(super) fn is_value(kind: &SlotKind) -> bool {
    !matches!(kind, SlotKind::YesNo | SlotKind::Free)
}

/// An answer that is known for what it is wherever it is said.
fn tells_itself(kind: &SlotKind) -> bool {
    match kind {
        SlotKind::Digits { min, .. } | SlotKind::Code { min, .. } => *min >= 4,
        SlotKind::YesNo | SlotKind::Free | SlotKind::Number { .. } | SlotKind::StreetNumber => false,
        _ => true,
    }
}

/// How the timeline names an option that stands for no intent.
fn name(option: &MenuOption) -> String {
    option.phrases.first().cloned().or(option.key.map(String::from)).unwrap_or_else(|| option.next.clone())
}

//! Commands that a caller may give at any question (`dialog::commands`): the question once more, with its hint, slower,
//! in another language, the one before, the flow from its start. None counts as a failed attempt; a caller who gives
//! one after the other is taken to a person.

use std::sync::Arc;

use super::bot::{Bot, Stage};
use super::question::HEARD;
use super::state::{Call, Goal, Phase};
use super::{Note, TimerId};
use crate::dialog::commands::{self, Command, Commands, Said};
use crate::dialog::flow::Step;
use crate::dialog::values::{Rendered, Values};
use crate::dialog::words::Words;

/// Commands without an answer between them, and in a whole call, after which a person is sought.
const IN_A_ROW: u32 = 4;
const IN_ALL: u32 = 20;
/// Why.
pub(super) const LOST: &str = "asked again and again";

/// What commands need to know of a call.
#[derive(Default)]
pub(super) struct Commanded {
    /// Prompts are said slower from here on.
    pub slower: bool,
    /// The question is asked with its hint.
    pub helping: bool,
    /// It is asked because the caller wants to hear it, in its first words.
    pub once_more: bool,
    /// Told since the caller's last answer.
    told: Vec<Told>,
    /// Questions that the caller came by since something was last fetched for them, the present one last.
    trail: Vec<String>,
    /// What was known when the call arrived.
    given: Values,
    in_a_row: u32,
    in_all: u32,
}

enum Told {
    Step(String),
    Answer(Rendered),
}

impl Commanded {
    pub fn arrived(&mut self, given: Values) {
        self.given = given;
    }

    /// What was known when the call arrived.
    pub fn given(&self, name: &str) -> Option<&str> {
        self.given.shown(name)
    }

    pub fn told(&mut self, step: &str) {
        if !matches!(self.told.last(), Some(Told::Step(last)) if last == step) {
            self.told.push(Told::Step(step.to_owned()));
        }
    }

    pub fn answered_from_pages(&mut self, answer: Rendered) {
        self.told.push(Told::Answer(answer));
    }

    pub fn asked(&mut self, step: &str) {
        if self.trail.last().is_none_or(|last| last != step) {
            self.trail.push(step.to_owned());
        }
    }

    /// What was done is done: no way leads back before it.
    pub fn done(&mut self) {
        self.trail.clear();
    }

    /// The caller said something else than a command.
    pub fn answered(&mut self) {
        self.told.clear();
        self.in_a_row = 0;
    }
}

impl Call {
    /// Whether these words are a command, and none of what the step offers; what it leads to is done.
    pub(super) fn commanded(&mut self, text: &str, confidence: f32) -> bool {
        let said = commands::said(text, &self.flow.commands).filter(|_| confidence >= HEARD);
        said.filter(|_| !self.offers(text)).is_some_and(|said| self.command(said))
    }

    /// While a secret is asked for only the built-in words count: a log that keeps nothing else replays the same.
    pub(super) fn commanded_while_masked(&mut self, text: &str) -> bool {
        let built_in = Commands { off: self.flow.commands.off.clone(), ..Commands::default() };
        commands::said(text, &built_in).is_some_and(|said| self.command(said))
    }

    /// Whether `*` says the question once more here.
    pub(super) fn star_repeats(&self) -> bool {
        let Phase::Bot(bot) = &self.phase else { return false };
        let step = match &bot.stage {
            Stage::Saying { next } => self.flow.steps.get(next),
            _ => self.flow.steps.get(&bot.step),
        };
        let taken = match step {
            Some(Step::Menu { options, .. }) => options.iter().any(|option| option.key == Some('*')),
            _ => !bot.keys.is_empty(), // there it begins the entry anew
        };
        !taken && !self.flow.commands.off.contains(&Command::Repeat)
    }

    /// Whether the operator's own step has the sentence among its answers.
    pub(super) fn offers(&self, text: &str) -> bool {
        let Phase::Bot(bot) = &self.phase else { return false };
        let step = match &bot.stage {
            Stage::Saying { next } => self.flow.steps.get(next),
            Stage::Asking | Stage::Understanding { .. } => self.flow.steps.get(&bot.step),
            _ => None,
        };
        match step {
            Some(Step::Menu { options, .. }) => {
                let words = Words::of(text);
                let intents = options.iter().filter_map(|option| self.flow.intents.get(option.intent.as_ref()?));
                let mut examples = intents.flat_map(|intent| &intent.examples);
                commands::is_option(options, text) || examples.any(|example| Words::of(example).same_as(&words))
            }
            Some(Step::Ask(ask)) => commands::is_value(&ask.kind, text),
            Some(Step::Form(form)) => form.slots.iter().any(|slot| commands::is_value(&slot.kind, text)),
            _ => false,
        }
    }

    pub(super) fn command(&mut self, said: Said) -> bool {
        let Phase::Bot(bot) = &self.phase else { return false };
        if matches!(bot.stage, Stage::Fetching { .. } | Stage::Walking) {
            return false;
        }
        let languages = self.flow.languages();
        let language = commands::language(said.language, &languages);
        if said.command == Command::Language && language.is_none() {
            return false; // there is no other
        }
        self.note(Note::Command { command: said.command });
        self.interrupt();
        self.forget_keys();
        self.cancel_timer(TimerId::Patience);
        self.commanded.in_a_row += 1;
        self.commanded.in_all += 1;
        if self.commanded.in_a_row > IN_A_ROW || self.commanded.in_all > IN_ALL {
            self.seek_person(LOST, None);
            return true;
        }
        match said.command {
            Command::Help => {
                self.commanded.helping = true;
                self.once_more();
            }
            Command::Repeat => self.once_more(),
            Command::Slower => {
                self.commanded.slower = true;
                self.once_more();
            }
            Command::Language => {
                if let Some(language) = language.filter(|language| **language != self.flow.language) {
                    self.flow = Arc::new(self.flow.in_language(language));
                    self.note(Note::Language { language: language.to_string() });
                }
                self.once_more();
            }
            Command::Back => self.back(),
            Command::StartOver => self.start_over(),
        }
        true
    }

    /// What was told since the caller's last answer, and the question.
    fn once_more(&mut self) {
        let told: Vec<Rendered> = self.commanded.told.iter().filter_map(|told| self.rendered(told)).collect();
        self.commanded.once_more = true;
        let Phase::Bot(bot) = &mut self.phase else { return };
        match &bot.stage {
            Stage::Saying { next } => {
                let next = next.clone();
                if !self.say(told, true) {
                    self.enter(&next);
                }
            }
            Stage::Confirming { .. } => self.ask(),
            _ => {
                bot.stage = Stage::Asking;
                self.preface.extend(told);
                self.ask();
            }
        }
    }

    fn rendered(&self, told: &Told) -> Option<Rendered> {
        match told {
            Told::Answer(answer) => Some(answer.clone()),
            Told::Step(step) => match self.flow.steps.get(step)? {
                Step::Say { say, .. } | Step::Disclose { say, .. } => Some(self.words(say)),
                _ => None,
            },
        }
    }

    /// To the question before, its answer forgotten; the first one is asked once more.
    fn back(&mut self) {
        let flow = self.flow.clone();
        let Phase::Bot(Bot { stage, step, .. }) = &self.phase else { return };
        let (step, saying, confirming) =
            (step.clone(), matches!(stage, Stage::Saying { .. }), matches!(stage, Stage::Confirming { .. }));
        match flow.steps.get(&step) {
            Some(Step::Ask(ask)) if confirming => {
                self.taken_back(&ask.slot);
                self.set_stage(Stage::Asking);
                return self.ask();
            }
            Some(Step::Menu { .. }) if confirming => {
                self.set_stage(Stage::Asking);
                return self.ask();
            }
            Some(Step::Form(_)) if self.form_back() => return,
            _ if saying => {} // the question before is the last one
            _ => {
                self.commanded.trail.pop();
            }
        }
        let Some(before) = self.commanded.trail.pop() else {
            self.commanded.asked(&step);
            return self.once_more();
        };
        match flow.steps.get(&before) {
            Some(Step::Ask(ask)) => self.taken_back(&ask.slot),
            Some(Step::Menu { .. }) if self.served.goal == Goal::Chosen => self.served.goal = Goal::None,
            _ => {}
        }
        self.go(&before);
    }

    fn start_over(&mut self) {
        if let Some(start) = self.aside_start() {
            self.commanded.trail.clear();
            return self.go(&start);
        }
        self.values = self.commanded.given.clone();
        self.commanded.trail.clear();
        self.served.goal = Goal::None;
        let start = self.flow.start.clone();
        self.go(&start);
    }

    fn go(&mut self, step: &str) {
        self.mask(false);
        self.commanded.told.clear();
        if let Phase::Bot(bot) = &mut self.phase {
            bot.carried = None;
        }
        self.enter(step);
    }
}

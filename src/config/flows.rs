//! Does a well-shaped flow make sense? Turns it into `dialog::flow::Flow`, every name resolved.

mod called;
mod decide;
mod slots;

use std::collections::{BTreeMap, BTreeSet};

use chrono::NaiveDate;

use super::check::{beside, is_name, known_language, models, sound_problem, unknown_language};
use super::problem::Problem;
use super::raw::Word;
use super::raw_flow::{self as raw, Label, Spoken};
use super::tree::At;
use super::{Agent, Backend, Meaning, Queue, Speech, builtin, proof};
use crate::dialog::commands::{Command, Commands};
use crate::dialog::flow::{
    Attempts, Callback, Disclosed, Fetch, Flow, FlowTexts, FreeQuestions, Hours, Instead, Intent, KnownPeople,
    MenuOption, Message, Refused, Step, Text, Transfer,
};
use crate::dialog::types::Type;
use crate::dialog::values::VERIFIED;
use crate::dialog::{Language, person, template};
pub(super) use called::{Called, Written, called};

/// What a flow may refer to. The names include those whose definition is faulty.
pub(super) struct House<'h> {
    /// What a flow may call.
    pub flows: BTreeMap<&'h str, Written<'h>>,
    pub flow_names: BTreeSet<&'h str>,
    /// Flows that others call.
    pub called: BTreeSet<&'h str>,
    pub queues: &'h BTreeMap<String, Queue>,
    pub queue_names: BTreeSet<&'h str>,
    pub agents: &'h BTreeMap<String, Agent>,
    /// No agent is faulty: what none has, nobody has.
    pub agents_known: bool,
    pub backends: &'h BTreeMap<String, Backend>,
    pub backend_names: BTreeSet<&'h str>,
    pub people: Option<&'h super::People>,
    pub knowledge_names: BTreeSet<&'h str>,
    /// There is a language model.
    pub llm: bool,
    pub speech: &'h Speech,
    /// Examples are compared by it.
    pub meaning: Option<Meaning<'h>>,
}

/// The languages a flow speaks, its own first.
pub(super) fn languages(flow: &Flow) -> Vec<Language> {
    flow.languages()
}

/// The flow, as good as it can be made. `whole` is the same flow with what is misshapen in it.
pub(super) fn check<'h>(written: Written<'h>, house: &House<'h>, problems: &mut Vec<Problem>) -> Flow {
    let Written { raw, at, whole } = written;
    let mut languages = vec![];
    let tags = [(&raw.language, at.get("language"))].into_iter();
    for (tag, at) in tags.chain(raw.languages.iter().zip(at.get("languages").items())) {
        let language = Language::new(tag);
        if !known_language(tag) && !house.speech.languages.contains_key(&language) {
            problems.push(unknown_language(at.problem(format!("\"{tag}\" is no language")), tag));
        }
        if !languages.contains(&language) {
            languages.push(language);
        }
    }
    let (flow, called) = Checker { languages, house, problems }.flow(written);
    // What is only ever called may use what its callers know: it is proven as a part of them.
    if !(called::returns(raw) && house.called.contains(raw.flow.as_str())) {
        proof::check(&flow, at, whole, &called, house.meaning, problems);
    }
    flow
}

struct Checker<'c, 'h> {
    languages: Vec<Language>,
    house: &'c House<'h>,
    problems: &'c mut Vec<Problem>,
}

impl<'h> Checker<'_, 'h> {
    fn flow(&mut self, written: Written<'h>) -> (Flow, Called<'h>) {
        let Written { raw, at, .. } = written;
        if !is_name(&raw.flow) {
            let problem = at.get("flow").problem(format!("\"{}\" cannot be a name", raw.flow));
            self.problems.push(problem.expected("letters, digits, `-`, `_` and `.`, without spaces"));
        }
        let person = Person { skills: &raw.person.skills, priority: raw.person.priority, say: raw.person.say.as_ref() };
        let person = self.transfer(&raw.person.queue, person, at.get("person"), "queue");
        let intents = self.intents(&raw.intents, at.get("intents"));
        let hours = raw.hours.iter().filter_map(|(name, hours)| {
            let at = at.get("hours");
            self.name(name, at);
            Some((name.clone(), opening_hours(hours, at.get(name), self.problems)?))
        });
        let hours = hours.collect();
        for name in raw.steps.keys() {
            self.name(name, at.get("steps"));
        }
        let mut flow = Flow {
            personal: self.house.people.map(|people| people.names.clone()).unwrap_or_default(),
            people: self
                .house
                .people
                .map(|people| KnownPeople { values: people.names.clone(), priority: people.priority.clone() }),
            desk_steps: BTreeMap::new(),
            instead: BTreeMap::new(),
            name: raw.flow.clone(),
            language: self.languages[0].clone(), // `check` puts the flow's own first
            start: raw.start.clone(),
            steps: BTreeMap::new(),
            intents,
            hours,
            person,
            lines: self.words(&raw.texts, at),
            attempts: raw.attempts.unwrap_or(builtin::ATTEMPTS),
            silence_ms: raw.silence_s.map_or(builtin::SILENCE_MS, |seconds| seconds * 1000),
            swearing: raw.swearing == raw::Swearing::Person,
            types: types(raw),
            recorded: false, // the house's
            emotion: None,   // the line's
            detect_language: raw.detect_language,
            commands: self.commands(&raw.commands, at.get("commands")),
            knowledge: raw.knowledge.as_ref().map(|free| self.free_questions(free, &raw.steps, at.get("knowledge"))),
        };
        let called = self.steps(written, &mut flow);
        flow.instead = self.instead(&flow);
        (flow, called)
    }

    /// What there is instead of a person, for each queue that the flow leads to.
    fn instead(&self, flow: &Flow) -> BTreeMap<String, Instead> {
        let queues = flow.steps.values().filter_map(|step| match step {
            Step::Transfer(to) | Step::Callback(Callback { to, .. }) => Some(&to.queue),
            Step::Message(message) => Some(&message.queue),
            _ => None,
        });
        let known = queues.chain([&flow.person.queue]).filter_map(|name| self.house.queues.get(name));
        let instead = |queue: &Queue| Instead {
            callback: queue.callback.as_ref().map(|callback| callback.numbers.clone()),
            message: queue.messages,
        };
        known.map(|queue| (queue.name.clone(), instead(queue))).collect()
    }

    fn commands(&mut self, raw: &raw::Commands, at: At) -> Commands {
        let each = [
            (Command::Help, "help", &raw.help),
            (Command::Repeat, "repeat", &raw.repeat),
            (Command::Slower, "slower", &raw.slower),
            (Command::Back, "back", &raw.back),
            (Command::StartOver, "start_over", &raw.start_over),
            (Command::Language, "language", &raw.language),
        ];
        let mut commands = Commands::default();
        for (command, key, given) in each {
            match given {
                None | Some(raw::Command::Known(true)) => {}
                Some(raw::Command::Known(false)) => {
                    commands.off.insert(command);
                }
                Some(raw::Command::Words(words)) => {
                    for (word, at) in words.iter().zip(at.get(key).items()) {
                        if !word.0.chars().any(char::is_alphanumeric) {
                            let problem = at.problem(format!("\"{}\" is no word", word.0));
                            self.problems.push(problem.expected("words that callers say"));
                        } else if person::wanted(&word.0) {
                            let problem = at.problem(format!("\"{}\" asks for a person", word.0));
                            self.problems.push(problem.expected("words that ask for something else"));
                        }
                    }
                    commands.words.insert(command, words.iter().map(|word| word.0.trim().to_owned()).collect());
                }
            }
        }
        commands
    }

    fn free_questions(
        &mut self,
        free: &raw::FreeQuestions,
        steps: &BTreeMap<String, raw::Step>,
        at: At,
    ) -> FreeQuestions {
        let known = &self.house.knowledge_names;
        if !known.contains(free.base.as_str()) {
            let problem = at.get("base").problem(format!("there is no knowledge base `{}`", free.base));
            let problem = problem.expected("a name under `knowledge` of the configuration");
            self.problems.push(problem.suggest(&free.base, known.iter().copied()));
        }
        if let Some(next) = free.next.as_ref().filter(|next| !steps.contains_key(*next)) {
            let problem = at.get("next").problem(format!("there is no step `{next}`"));
            let problem = problem.expected("a step of this flow");
            self.problems.push(problem.suggest(next, steps.keys().map(String::as_str)));
        }
        if free.model && !self.house.llm {
            let problem = at.get("model").problem("there is no language model to ask");
            self.problems.push(problem.expected("an `llm` in the configuration"));
        }
        let model_ms = free.model.then_some(free.within_ms.unwrap_or(builtin::MODEL_MS));
        FreeQuestions { base: free.base.clone(), next: free.next.clone(), model_ms }
    }

    fn step(&mut self, step: &raw::Step, at: At) -> Step {
        match step {
            raw::Step::Say(step) => Step::Say { say: self.text(&step.say, at.get("say")), next: step.next.clone() },
            raw::Step::Disclose(step) => {
                let key = self.key(step.key.as_ref(), at);
                let of = step.of.iter().map(|what| match what {
                    raw::Disclosed::Emotion => Disclosed::Emotion,
                    raw::Disclosed::Recording => Disclosed::Recording,
                });
                let say = self.text(&step.disclose, at.get("disclose"));
                Step::Disclose { say, of: of.collect(), key, next: step.next.clone() }
            }
            raw::Step::Menu(menu) => {
                let prompt = self.text(&menu.menu, at.get("menu"));
                let short = menu.short.as_ref().map(|short| self.text(short, at.get("short")));
                let again = self.again(menu.again.as_ref(), at);
                Step::Menu { prompt, again, short, options: self.options(&menu.options, at.get("options")) }
            }
            raw::Step::Ask(ask) => Step::Ask(self.ask(ask, at)),
            raw::Step::Form(form) => Step::Form(self.form(form, at)),
            raw::Step::Fetch(fetch) => Step::Fetch(self.fetch(fetch, at)),
            raw::Step::Remember(step) => self.remember(step, at),
            raw::Step::Decide(step) => self.decide(step, at),
            raw::Step::Experiment(step) => self.experiment(step, at),
            raw::Step::Hours(step) => {
                Step::Hours { hours: step.hours.clone(), open: step.open.clone(), closed: step.closed.clone() }
            }
            raw::Step::Transfer(step) => {
                let person = Person { skills: &step.skills, priority: step.priority, say: step.say.as_ref() };
                Step::Transfer(self.transfer(&step.transfer, person, at, "transfer"))
            }
            raw::Step::Callback(step) => {
                let person = Person { skills: &step.skills, priority: step.priority, say: step.say.as_ref() };
                let to = self.transfer(&step.callback, person, at, "callback");
                if self.house.queues.get(&step.callback).is_some_and(|queue| queue.callback.is_none()) {
                    let problem = at.get("callback").problem(format!("queue `{}` calls nobody back", step.callback));
                    self.problems.push(problem.expected("a queue with a `callback`"));
                }
                Step::Callback(Callback { to, next: step.next.clone(), declined: step.declined.clone() })
            }
            raw::Step::Message(step) => {
                let nobody = Person { skills: &[], priority: 0, say: None };
                let Transfer { queue, .. } = self.transfer(&step.message, nobody, at, "message");
                let say = step.say.as_ref().map(|say| self.text(say, at.get("say")));
                Step::Message(Message { queue, say, next: step.next.clone() })
            }
            // Put in their place by `called`.
            raw::Step::Call(_) | raw::Step::Return(_) => Step::Decide { branches: vec![], otherwise: String::new() },
            raw::Step::HangUp(step) => Step::HangUp { say: self.text(&step.hang_up, at.get("hang_up")) },
        }
    }

    fn options(&mut self, options: &[raw::MenuOption], at: At) -> Vec<MenuOption> {
        let mut checked = vec![];
        for (option, at) in options.iter().zip(at.items()) {
            let key = self.key(option.key.as_ref(), at);
            for (phrase, at) in option.phrases.iter().zip(at.get("phrases").items()) {
                if phrase.0.trim().is_empty() {
                    self.problems.push(at.problem("a phrase is empty").expected("words that callers say"));
                }
            }
            checked.push(MenuOption {
                key,
                intent: option.intent.clone(),
                phrases: option.phrases.iter().map(|phrase| phrase.0.trim().to_owned()).collect(),
                next: option.next.clone(),
            });
        }
        checked
    }

    /// A key of the telephone, as `key` of a step or an option.
    fn key(&mut self, key: Option<&Word>, at: At) -> Option<char> {
        let key = key?;
        let known = one_char(&key.0);
        if known.is_none() {
            let problem = at.get("key").problem(format!("a telephone has no key \"{}\"", key.0));
            self.problems.push(problem.expected("1-9, `*` or `#`"));
        }
        known
    }

    fn fetch(&mut self, fetch: &raw::Fetch, at: At) -> Fetch {
        let backend = fetch.fetch.as_str();
        if !self.house.backend_names.contains(backend) {
            let problem = at.get("fetch").problem(format!("there is no backend `{backend}`"));
            let problem = problem.expected("a name under `backends`");
            self.problems.push(problem.suggest(backend, self.house.backend_names.iter().copied()));
        }
        let wanted = self.house.backends.get(backend).map(|backend| template::names(&backend.url)).unwrap_or_default();
        for name in wanted.into_iter().filter(|name| !fetch.with.contains_key(name)) {
            let place = if at.find("with").is_some() { at.place_of("with") } else { at.place_of("fetch") };
            let problem = Problem::new(place, format!("backend `{backend}` is not told its `{name}`"));
            self.problems.push(problem.expected(format!("`with: {{ {name}: ... }}`")));
        }
        self.saved(&fetch.save, at.get("save"));
        let refused = fetch.refused.as_ref().map(|refused| {
            self.saved(&refused.save, at.get("refused").get("save"));
            Refused { save: refused.save.clone(), next: refused.next.clone() }
        });
        Fetch {
            backend: backend.into(),
            with: fetch.with.iter().map(|(name, template)| (name.clone(), template.0.clone())).collect(),
            save: fetch.save.clone(),
            wait: fetch.wait.as_ref().map(|wait| self.text(wait, at.get("wait"))),
            verifies: fetch.verifies.clone(),
            label: self.label(&fetch.label, backend, at.get("label")),
            next: fetch.next.clone(),
            not_found: fetch.not_found.clone(),
            refused,
            attempts: fetch
                .attempts
                .as_ref()
                .map(|attempts| Attempts { most: attempts.most, spent: attempts.spent.clone() }),
            failed: fetch.failed.clone(),
        }
    }

    /// Names of values, and where in a reply they stand.
    fn saved(&mut self, save: &BTreeMap<String, String>, at: At) {
        for (name, pointer) in save {
            self.variable(name, at.place_of(name));
            for part in pointer.split(' ').filter(|part| !pointer.is_empty() && !part.starts_with('/')) {
                let problem = at.get(name).problem(format!("\"{part}\" is no place in a reply"));
                let problem = problem.expected("a JSON pointer, such as `/balance`, or several with a space between");
                self.problems.push(if part.is_empty() { problem } else { problem.remedy(format!("write `/{part}`")) });
            }
        }
    }

    fn transfer(&mut self, queue: &str, person: Person, at: At, key: &str) -> Transfer {
        let house = self.house;
        if !house.queue_names.contains(queue) {
            let problem = at.get(key).problem(format!("there is no queue `{queue}`"));
            let problem = problem.expected("a name under `queues`");
            self.problems.push(problem.suggest(queue, house.queue_names.iter().copied()));
        } else if let (Some(known), true, false) =
            (house.queues.get(queue), house.agents_known, person.skills.is_empty())
        {
            let skills = person.skills.iter().chain(&known.skills).cloned().collect();
            self.problems.extend(unable(queue, &skills, house.agents, at.get("skills")));
        }
        Transfer {
            queue: queue.into(),
            skills: person.skills.to_vec(),
            priority: person.priority,
            say: person.say.map(|say| self.text(say, at.get("say"))),
        }
    }

    fn intents(&mut self, raw: &BTreeMap<String, raw::Intent>, at: At) -> BTreeMap<String, Intent> {
        let mut sentences: BTreeMap<String, &str> = BTreeMap::new();
        let mut intents = BTreeMap::new();
        for (name, intent) in raw {
            self.name(name, at);
            let at = at.get(name);
            for (example, at) in intent.examples.iter().zip(at.get("examples").items()) {
                let plain = example.trim().to_lowercase();
                if plain.is_empty() {
                    self.problems.push(at.problem("an example is empty").expected("a sentence that callers say"));
                } else if let Some(other) = sentences.insert(plain, name) {
                    let problem = at.problem(format!("\"{example}\" is an example of `{other}` already"));
                    self.problems.push(problem.expected("each sentence once"));
                }
            }
            let label = self.label(&intent.label, name, at.get("label"));
            intents.insert(name.clone(), Intent { label, examples: intent.examples.clone() });
        }
        intents
    }

    /// The flow's own words where given, else the built-in ones, else what stands in for them.
    fn words(&mut self, raw: &raw::Texts, at: At) -> FlowTexts {
        let mut words = FlowTexts::default();
        let mut texts: BTreeMap<&str, Text> = BTreeMap::new();
        let mut missing: BTreeMap<Language, Vec<String>> = BTreeMap::new();
        for (word, place) in raw.each().into_iter().zip(raw::Texts::places(&mut words)) {
            let text = match word.given {
                Some(given) => self.text(given, at.get("texts").get(word.key)),
                None => {
                    let mut text = std::mem::take(place);
                    text.texts.retain(|language, _| self.languages.contains(language));
                    for language in &self.languages {
                        if text.texts.contains_key(language) {
                            continue;
                        }
                        match word.other {
                            Some(other) => {
                                let other = &texts[other]; // it stands above
                                other
                                    .texts
                                    .get(language)
                                    .map(|words| text.texts.insert(language.clone(), words.clone()));
                                let recording = other.recordings.get(language);
                                recording.map(|file| text.recordings.insert(language.clone(), file.clone()));
                            }
                            None if FlowTexts::INSTEAD.contains(&word.key) => {}
                            None => missing.entry(language.clone()).or_default().push(format!("`{}`", word.key)),
                        }
                    }
                    text
                }
            };
            *place = text.clone();
            texts.insert(word.key, text);
        }
        for (language, keys) in missing.into_iter().filter(|(language, _)| known_language(language.as_str())) {
            let place = if at.find("texts").is_some() { at.place_of("texts") } else { at.get("language").place() };
            let problem = Problem::new(place, format!("no words are built in for `{language}`"));
            self.problems.push(problem.expected(format!("under `texts`: {}", keys.join(", "))));
        }
        words
    }

    /// A text or recording in every language of the flow.
    fn text(&mut self, raw: &raw::Text, at: At) -> Text {
        let own = self.languages[0].clone(); // `check` puts the flow's own first
        let mut text = Text::default();
        match raw {
            raw::Text::One(words) => self.words_in(&own, words, at, &mut text),
            raw::Text::Recording(recording) => self.recording_in(&own, recording, at, &mut text),
            raw::Text::Each(each) => {
                for (tag, spoken) in each {
                    let language = Language::new(tag);
                    if !self.languages.contains(&language) {
                        let list: Vec<&str> = self.languages.iter().map(Language::as_str).collect();
                        let problem = Problem::new(at.place_of(tag), format!("the flow does not speak `{tag}`"));
                        let problem = problem.expected(format!("one of {}", list.join(", ")));
                        self.problems.push(problem.remedy(format!("name `{tag}` under the flow's `languages`")));
                        continue;
                    }
                    match spoken {
                        Spoken::Text(words) => self.words_in(&language, words, at.get(tag), &mut text),
                        Spoken::Recording(recording) => self.recording_in(&language, recording, at.get(tag), &mut text),
                    }
                }
            }
        }
        let missing: Vec<&str> = self
            .languages
            .iter()
            .filter(|language| !text.texts.contains_key(language) && !text.recordings.contains_key(language))
            .map(Language::as_str)
            .collect();
        if !missing.is_empty() {
            let problem = at.problem(format!("this is not said in {}", missing.join(", ")));
            self.problems.push(problem.expected("every language of the flow").remedy("write `{ en: ..., zh: ... }`"));
        }
        text
    }

    fn words_in(&mut self, language: &Language, words: &str, at: At, text: &mut Text) {
        if models(self.house.speech, language).voice.is_none() {
            let problem = at.problem(format!("there is no voice for `{language}` to say this"));
            self.problems.push(problem.expected("a recording: `{ file: ... }`"));
        }
        text.texts.insert(language.clone(), words.into());
    }

    fn recording_in(&mut self, language: &Language, recording: &raw::Recorded, at: At, text: &mut Text) {
        let path = beside(at.file(), &recording.file);
        self.problems.extend(sound_problem(&path, at.get("file")));
        text.recordings.insert(language.clone(), path.to_string_lossy().into_owned());
        if let Some(words) = &recording.text {
            text.texts.insert(language.clone(), words.clone());
        }
    }

    fn label(&mut self, label: &Option<Label>, otherwise: &str, at: At) -> BTreeMap<Language, String> {
        let own = self.languages[0].clone(); // `check` puts the flow's own first
        match label {
            None => [(own, otherwise.replace(['_', '-'], " "))].into(),
            Some(Label::One(words)) => [(own, words.clone())].into(),
            Some(Label::Each(each)) => {
                let labels: BTreeMap<_, _> =
                    each.iter().map(|(tag, words)| (Language::new(tag), words.clone())).collect();
                if !labels.contains_key(&own) {
                    self.problems
                        .push(at.problem(format!("this is not said in {own}")).expected("the flow's own language"));
                }
                labels
            }
        }
    }

    /// Reports a name under `at` that cannot be one.
    fn name(&mut self, name: &str, at: At) {
        if !is_name(name) {
            let problem = Problem::new(at.place_of(name), format!("\"{name}\" cannot be a name"));
            self.problems.push(problem.expected("letters, digits, `-`, `_` and `.`, without spaces"));
        }
    }

    fn variable(&mut self, name: &str, place: super::Place) {
        if !is_variable(name) {
            let problem = Problem::new(place, format!("\"{name}\" cannot be the name of a value"));
            self.problems.push(problem.expected("letters, digits and `_`, beginning with a letter"));
        } else if name == VERIFIED {
            let problem = Problem::new(place, "only a backend makes a call `verified`");
            self.problems.push(problem.expected("another name").remedy("give a fetch step `verifies`"));
        }
    }
}

pub(super) fn opening_hours(raw: &raw::Hours, at: At, problems: &mut Vec<Problem>) -> Option<Hours> {
    let zone: Option<chrono_tz::Tz> = raw.zone.parse().ok();
    if zone.is_none() {
        let problem = at.get("zone").problem(format!("there is no time zone \"{}\"", raw.zone));
        let zones = chrono_tz::TZ_VARIANTS.iter().map(|zone| zone.name());
        problems.push(problem.expected("an IANA name, such as `Europe/Berlin`").suggest(&raw.zone, zones));
    }
    let mut week: [Vec<(u16, u16)>; 7] = Default::default();
    for (days, spans) in &raw.days {
        let spans = match spans {
            raw::Spans::One(span) => vec![(span, at.get(days))],
            raw::Spans::Many(spans) => spans.iter().zip(at.get(days).items()).collect(),
        };
        for (text, at) in spans {
            let Some(span) = span(text) else {
                let problem = at.problem(format!("\"{text}\" is no span of a day"));
                problems.push(problem.expected("from-to, such as `\"09:00-17:00\"`, at most to 24:00"));
                continue;
            };
            for day in range_of_days(days) {
                let end = |span: &(u16, u16)| if span.1 <= span.0 { 24 * 60 } else { span.1 };
                if week[day].iter().any(|other| span.0 < end(other) && other.0 < end(&span)) {
                    let problem = at.problem(format!("\"{text}\" overlaps other hours of {}", DAYS[day]));
                    problems.push(problem.expected("each hour of a day once"));
                    break;
                }
                week[day].push(span);
            }
        }
    }
    week.iter_mut().for_each(|spans| spans.sort());
    let mut closed = vec![];
    for (date, at) in raw.closed.iter().zip(at.get("closed").items()) {
        match date.parse::<NaiveDate>() {
            Ok(date) => closed.push(date),
            Err(_) => {
                let problem = at.problem(format!("\"{date}\" is no date"));
                problems.push(problem.expected("year-month-day, such as `2026-12-25`"));
            }
        }
    }
    Some(Hours { zone: zone?, week, closed })
}

/// What a flow says that its values are.
pub(super) fn types(raw: &raw::Flow) -> BTreeMap<String, Type> {
    let of = |of: &raw::Type| match of {
        raw::Type::Text => Type::Text,
        raw::Type::Number => Type::Number,
        raw::Type::Money => Type::Money,
        raw::Type::Date => Type::Date,
        raw::Type::Time => Type::Time,
        raw::Type::Phone => Type::Phone,
        raw::Type::Code => Type::Code,
        raw::Type::YesNo => Type::YesNo,
    };
    raw.types.iter().map(|(name, raw)| (name.clone(), of(raw))).collect()
}

/// What `person` and a `transfer` step have in common.
struct Person<'p> {
    skills: &'p [String],
    priority: i32,
    say: Option<&'p raw::Text>,
}

const DAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

/// What is wrong when no single member of a queue has all `skills`.
pub(super) fn unable(
    queue: &str,
    skills: &BTreeSet<String>,
    agents: &BTreeMap<String, Agent>,
    at: At,
) -> Option<Problem> {
    let members: Vec<&Agent> = agents.values().filter(|agent| agent.queues.contains(queue)).collect();
    if members.is_empty() || members.iter().any(|agent| skills.is_subset(&agent.skills)) {
        return None; // an empty queue is reported on its own
    }
    let known: BTreeSet<&str> = members.iter().flat_map(|agent| agent.skills.iter().map(String::as_str)).collect();
    let unknown = skills.iter().enumerate().find(|(_, skill)| !known.contains(skill.as_str()));
    Some(match unknown {
        Some((_, skill)) => {
            let at = at.items().find(|item| item.text() == Some(skill)).unwrap_or(at);
            let problem = at.problem(format!("nobody in queue `{queue}` has the skill `{skill}`"));
            problem.expected("a skill of one of its agents").suggest(skill, known)
        }
        None => {
            let list: Vec<&str> = skills.iter().map(String::as_str).collect();
            at.problem(format!("nobody in queue `{queue}` has all of {}", list.join(", ")))
                .expected("one agent who has them")
        }
    })
}

/// Transfers of a flow whose queue has members enough, but none who speaks the line's language.
pub(super) fn unspoken(
    flow: &Flow,
    language: &Language,
    agents: &BTreeMap<String, Agent>,
    queues: &BTreeMap<String, Queue>,
    at: At,
) -> Vec<Problem> {
    let transfers = flow.steps.values().filter_map(|step| match step {
        Step::Transfer(transfer) => Some(transfer),
        _ => None,
    });
    let mut seen = BTreeSet::new();
    let mut problems = vec![];
    for transfer in transfers.chain([&flow.person]) {
        let Some(queue) = queues.get(&transfer.queue) else { continue }; // reported on its own
        let skills: BTreeSet<String> = transfer.skills.iter().chain(&queue.skills).cloned().collect();
        let able: Vec<&Agent> = agents
            .values()
            .filter(|agent| agent.queues.contains(&queue.name) && skills.is_subset(&agent.skills))
            .collect();
        let spoken = able.iter().any(|agent| agent.languages.is_empty() || agent.languages.contains(language));
        if !able.is_empty() && !spoken && seen.insert((queue.name.clone(), skills.clone())) {
            let with = match skills.is_empty() {
                true => String::new(),
                false => format!(" with {}", skills.iter().map(String::as_str).collect::<Vec<_>>().join(", ")),
            };
            let message =
                format!("nobody in queue `{}`{with} speaks `{language}`, the language of this line", queue.name);
            let problem = Problem::new(at.name_place(), message).expected("an agent who does");
            problems.push(problem.remedy(format!("add `{language}` to the `languages` of an agent of the queue")));
        }
    }
    problems
}

/// Languages of a flow in which who calls a closed queue would be offered nothing, shown at the line.
pub(super) fn unoffered(flow: &Flow, queues: &BTreeMap<String, Queue>, at: At) -> Vec<Problem> {
    let mut problems = vec![];
    for queue in flow.instead.keys().filter_map(|name| queues.get(name)) {
        // One that offers nothing in any language is reported on its own.
        let closes = queue.hours.is_some() && (queue.messages || queue.callback.is_some());
        for language in languages(flow).into_iter().filter(|_| closes) {
            if flow.offers(&queue.name, &language) == (false, false) {
                let found =
                    format!("who calls queue `{}` outside its hours is offered nothing in `{language}`", queue.name);
                let problem = Problem::new(at.name_place(), found);
                let expected = format!(
                    "words for `offer_message`, `message_now` and `message_kept` in the `texts` of flow `{}`",
                    flow.name
                );
                problems.push(problem.expected(expected));
            }
        }
    }
    problems
}

fn one_char(text: &str) -> Option<char> {
    let mut chars = text.chars();
    chars.next().filter(|_| chars.next().is_none())
}

pub(super) fn is_variable(name: &str) -> bool {
    name.starts_with(|c: char| c.is_alphabetic()) && name.chars().all(|c| c.is_alphanumeric() || c == '_')
}

/// `mon-fri` as indices; over the weekend when it is written so (`sat-mon`).
fn range_of_days(days: &str) -> Vec<usize> {
    let index = |day: &str| DAYS.iter().position(|known| *known == day);
    let (first, last) = days.split_once('-').unwrap_or((days, days));
    match (index(first), index(last)) {
        (Some(first), Some(last)) => (0..=(last + 7 - first) % 7).map(|step| (first + step) % 7).collect(),
        _ => vec![], // the shape admits days only
    }
}

/// `09:00-17:00` as minutes of the day; `22:00-06:00` runs past midnight.
fn span(text: &str) -> Option<(u16, u16)> {
    let minutes = |text: &str| -> Option<u16> {
        let (hours, minutes) = text.trim().split_once(':')?;
        let digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit()) && (1..=2).contains(&text.len());
        if !digits(hours) || minutes.len() != 2 || !digits(minutes) {
            return None;
        }
        let (hours, minutes): (u16, u16) = (hours.parse().ok()?, minutes.parse().ok()?);
        (minutes < 60 && hours * 60 + minutes <= 24 * 60).then_some(hours * 60 + minutes)
    };
    let (from, to) = text.split_once('-')?;
    let span = (minutes(from)?, minutes(to)?);
    (span.0 != span.1).then_some(span)
}

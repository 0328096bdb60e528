//! Texts: is each there in every language, and every value in it filled on every way to it?

use std::collections::{BTreeMap, BTreeSet};

use super::{Problem, ProblemKind, problem, ways};
use crate::dialog::flow::{Callback, Flow, FlowTexts, Step, Text};
use crate::dialog::template;
use crate::dialog::values::{BUILT_IN, VERIFIED};
use crate::dialog::{Language, Piece, Prompt};

pub(super) fn check(flow: &Flow, problems: &mut Vec<Problem>) {
    let uses = flow.steps.iter().map(|(name, step)| (name.as_str(), uses(step))).collect::<Vec<_>>();
    languages(flow, &uses, problems);
    values(flow, &uses, problems);
}

/// Everything a flow may say, in its language, as its template stands: a value is held by a number's place. For making
/// sentences without values ahead of the first call.
pub fn prompts(flow: &Flow) -> Vec<Prompt> {
    let steps = flow.steps.values().flat_map(uses).filter_map(|used| used.text);
    let own = own_texts(&flow.lines).into_iter().map(|(_, text, _)| text);
    let prompt = |text: &Text| {
        let pieces = match (text.recordings.get(&flow.language), text.texts.get(&flow.language)) {
            (Some(file), _) => vec![Piece::Recording(file.clone())],
            (None, Some(template)) => {
                let part = |part| match part {
                    template::Part::Text(words) => Piece::Text(words),
                    template::Part::Value { .. } => Piece::Number("0".to_owned()),
                };
                template::parse(template).unwrap_or_default().into_iter().map(part).collect()
            }
            (None, None) => return None,
        };
        Some(Prompt { language: flow.language.clone(), pieces })
    };
    steps.chain(&flow.person.say).chain(own).filter_map(prompt).collect()
}

/// A template in a step, and where it stands.
pub(super) struct Use<'a> {
    pub field: String,
    /// None for what is sent to a backend, or kept, and not spoken.
    pub text: Option<&'a Text>,
    pub templates: Vec<&'a str>,
    /// Filled by the step itself before this is said.
    own: Vec<&'a str>,
}

fn spoken<'a>(field: &str, text: &'a Text) -> Use<'a> {
    Use {
        field: field.to_owned(),
        text: Some(text),
        templates: text.texts.values().map(String::as_str).collect(),
        own: Vec::new(),
    }
}

fn unspoken(field: String, template: &str) -> Use<'_> {
    Use { field, text: None, templates: vec![template], own: Vec::new() }
}

pub(super) fn uses(step: &Step) -> Vec<Use<'_>> {
    match step {
        Step::Say { say, .. } | Step::Disclose { say, .. } | Step::HangUp { say } => vec![spoken("say", say)],
        Step::Menu { prompt, again, short, .. } => {
            let others = again.iter().map(|text| spoken("again", text));
            let others = others.chain(short.iter().map(|text| spoken("short", text)));
            std::iter::once(spoken("prompt", prompt)).chain(others).collect()
        }
        Step::Ask(ask) => {
            let confirm = ask.confirm.iter().map(|text| Use { own: vec![&ask.slot], ..spoken("confirm", text) });
            let again = ask.again.iter().map(|text| spoken("again", text));
            std::iter::once(spoken("prompt", &ask.prompt)).chain(again).chain(confirm).collect()
        }
        Step::Form(form) => {
            let all: Vec<&str> = form.slots.iter().map(|slot| slot.slot.as_str()).collect();
            let asks = form.slots.iter().enumerate().flat_map(|(at, slot)| {
                let texts = [("ask", &slot.ask), ("again", &slot.again)];
                texts
                    .into_iter()
                    .filter_map(move |(key, text)| Some(spoken(&format!("slots/{at}/{key}"), text.as_ref()?)))
            });
            let again = form.again.iter().map(|text| spoken("again", text));
            let confirm = form.confirm.iter().map(|text| Use { own: all.clone(), ..spoken("confirm", text) });
            std::iter::once(spoken("prompt", &form.prompt)).chain(again).chain(asks).chain(confirm).collect()
        }
        Step::Fetch(fetch) => {
            let sent = fetch.with.iter().map(|(name, template)| unspoken(format!("with/{name}"), template));
            sent.chain(fetch.wait.iter().map(|text| spoken("wait", text))).collect()
        }
        Step::Transfer(transfer) | Step::Callback(Callback { to: transfer, .. }) => {
            transfer.say.iter().map(|text| spoken("say", text)).collect()
        }
        Step::Message(message) => message.say.iter().map(|text| spoken("say", text)).collect(),
        Step::Remember { values, .. } => {
            let kept = values.iter().map(|(name, template)| unspoken(format!("values/{name}"), template));
            kept.collect()
        }
        Step::Decide { .. } | Step::Experiment { .. } | Step::Hours { .. } => Vec::new(),
    }
}

/// Every language in which some step speaks, in which therefore all must.
fn languages(flow: &Flow, uses: &[(&str, Vec<Use<'_>>)], problems: &mut Vec<Problem>) {
    let mut languages: BTreeSet<&Language> = BTreeSet::from([&flow.language]);
    for text in uses.iter().flat_map(|(_, uses)| uses).filter_map(|used| used.text) {
        languages.extend(text.texts.keys().chain(text.recordings.keys()));
    }
    let missing = |text: &Text| {
        let missing = languages.iter().filter(|l| !text.texts.contains_key(**l) && !text.recordings.contains_key(**l));
        missing.map(|language| language.to_string()).collect::<Vec<_>>().join(", ")
    };
    let remedy = "give every text in every language of the flow";
    for (name, uses) in uses {
        for used in uses {
            let lacks = used.text.map(&missing).unwrap_or_default();
            if !lacks.is_empty() {
                let message = format!("this text is missing in {lacks}");
                problems.push(problem(name, &used.field, ProblemKind::MissingLanguage, message, remedy));
            }
        }
    }
    if let Some(say) = &flow.person.say
        && !missing(say).is_empty()
    {
        let message = format!("this text is missing in {}", missing(say));
        problems.push(problem("", "person/say", ProblemKind::MissingLanguage, message, remedy));
    }
    let mut own = own_texts(&flow.lines);
    own.retain(|(name, ..)| !FlowTexts::INSTEAD.contains(name));
    let lacking: Vec<&str> =
        own.iter().filter(|(_, text, _)| !missing(text).is_empty()).map(|(name, ..)| *name).collect();
    if !lacking.is_empty() {
        let lacks = own.iter().map(|(_, text, _)| missing(text)).find(|lacks| !lacks.is_empty()).unwrap_or_default();
        let message = format!("in {lacks} there are no words for {}", lacking.join(", "));
        let remedy = "give them under `texts` (only English and Mandarin are built in)";
        problems.push(problem("", "lines", ProblemKind::MissingLanguage, message, remedy));
    }
}

/// The flow's own texts, their names, and the values that each may have.
fn own_texts(lines: &FlowTexts) -> Vec<(&'static str, &Text, &'static [&'static str])> {
    let FlowTexts {
        not_heard,
        not_understood,
        silence,
        to_person,
        all_busy,
        no_agent,
        goodbye,
        sorry,
        keys_only,
        hint_menu,
        hint_digits,
        hint_code,
        hint_yes_no,
        hint_free,
        hint_secret,
        read_back,
        misheard,
        what_to_change,
        patience,
        still_looking,
        position,
        next_in_line,
        estimate,
        still_busy,
        drain,
        drain_to_person,
        comfort,
        offer_person,
        nobody_yet,
        not_analysed,
        not_recorded,
        nobody_there,
        long_wait,
        offer_callback,
        offer_message,
        offer_wait,
        callback_number,
        ask_number,
        number_refused,
        callback_kept,
        callback_stands,
        message_now,
        message_kept,
        called_back,
    } = lines;
    vec![
        ("not_heard", not_heard, &[]),
        ("not_understood", not_understood, &[]),
        ("silence", silence, &[]),
        ("to_person", to_person, &[]),
        ("all_busy", all_busy, &[]),
        ("no_agent", no_agent, &[]),
        ("goodbye", goodbye, &[]),
        ("sorry", sorry, &[]),
        ("keys_only", keys_only, &[]),
        ("hint_menu", hint_menu, &[]),
        ("hint_digits", hint_digits, &[]),
        ("hint_code", hint_code, &[]),
        ("hint_yes_no", hint_yes_no, &[]),
        ("hint_free", hint_free, &[]),
        ("hint_secret", hint_secret, &[]),
        ("read_back", read_back, &["value"]),
        ("misheard", misheard, &[]),
        ("what_to_change", what_to_change, &[]),
        ("patience", patience, &[]),
        ("still_looking", still_looking, &[]),
        ("position", position, &["position"]),
        ("next_in_line", next_in_line, &[]),
        ("estimate", estimate, &["minutes"]),
        ("still_busy", still_busy, &[]),
        ("drain", drain, &[]),
        ("drain_to_person", drain_to_person, &[]),
        ("comfort", comfort, &[]),
        ("offer_person", offer_person, &[]),
        ("nobody_yet", nobody_yet, &[]),
        ("not_analysed", not_analysed, &[]),
        ("not_recorded", not_recorded, &[]),
        ("nobody_there", nobody_there, &[]),
        ("long_wait", long_wait, &[]),
        ("offer_callback", offer_callback, &[]),
        ("offer_message", offer_message, &[]),
        ("offer_wait", offer_wait, &[]),
        ("callback_number", callback_number, &["number"]),
        ("ask_number", ask_number, &[]),
        ("number_refused", number_refused, &[]),
        ("callback_kept", callback_kept, &[]),
        ("callback_stands", callback_stands, &[]),
        ("message_now", message_now, &[]),
        ("message_kept", message_kept, &[]),
        ("called_back", called_back, &[]),
    ]
}

fn values(flow: &Flow, uses: &[(&str, Vec<Use<'_>>)], problems: &mut Vec<Problem>) {
    let filled = filled(flow);
    let people = flow.people.iter().flat_map(|people| &people.values).map(String::as_str);
    let ever: BTreeSet<&str> = flow.steps.values().flat_map(fills).chain(BUILT_IN).chain(people).collect();
    let secret = secrets(flow);
    for (step, uses) in uses {
        for used in uses {
            for template in &used.templates {
                if let Err(error) = template::parse(template) {
                    let remedy = "values are written `{name}` or `{name:code}`";
                    problems.push(problem(step, &used.field, ProblemKind::BadTemplate, error.to_string(), remedy));
                }
            }
            let names: BTreeSet<String> =
                used.templates.iter().flat_map(|template| template::names(template)).collect();
            for name in &names {
                if used.text.is_some() && secret.contains(name.as_str()) {
                    let message = format!("`{name}` is a secret and is never spoken");
                    let remedy = "leave it out: it can only be sent to a backend";
                    problems.push(problem(step, &used.field, ProblemKind::SecretSpoken, message, remedy));
                } else if !ever.contains(name.as_str()) {
                    let message = format!("nothing fills `{name}`");
                    let built_in = BUILT_IN.join(", ");
                    let remedy = format!("name a slot that is asked, a value that a fetch saves, or one of {built_in}");
                    problems.push(problem(step, &used.field, ProblemKind::UnknownValue, message, &remedy));
                } else if !used.own.contains(&name.as_str())
                    && filled.get(step).is_some_and(|filled| !filled.contains(name.as_str()))
                {
                    let message = format!("`{name}` is not filled on every way to this step");
                    let remedy = "ask or fetch it before, or come here only where `decide` knows it";
                    problems.push(problem(step, &used.field, ProblemKind::UnfilledValue, message, remedy));
                }
            }
        }
    }
    for (name, step) in &flow.steps {
        let tested: Vec<(String, &str)> = match step {
            Step::Decide { branches, .. } => {
                let tests = branches.iter().enumerate().flat_map(|(at, branch)| {
                    let tests = branch.when.tests().into_iter();
                    tests.map(move |(within, value, _)| (format!("branches/{at}/{within}variable"), value))
                });
                tests.collect()
            }
            Step::Fetch(fetch) => fetch.verifies.iter().map(|slot| ("verifies".to_owned(), slot.as_str())).collect(),
            _ => Vec::new(),
        };
        for (field, value) in tested.into_iter().filter(|(_, value)| !ever.contains(value)) {
            let message = format!("nothing fills `{value}`");
            let remedy = "name a slot that is asked or a value that a fetch saves";
            problems.push(problem(name, field, ProblemKind::UnknownValue, message, remedy));
        }
    }
    for (name, text, allowed) in own_texts(&flow.lines) {
        for template in text.texts.values() {
            match template::parse(template) {
                Err(error) => {
                    let remedy = "values are written `{name}` or `{name:code}`";
                    problems.push(problem(
                        "",
                        format!("lines/{name}"),
                        ProblemKind::BadTemplate,
                        error.to_string(),
                        remedy,
                    ));
                }
                Ok(_) => {
                    let known =
                        |value: &String| allowed.contains(&value.as_str()) || BUILT_IN.contains(&value.as_str());
                    for value in template::names(template).into_iter().filter(|value| !known(value)) {
                        let message = format!("`{value}` is not known here");
                        let remedy = "this text may be said at any step: leave the value out";
                        problems.push(problem("", format!("lines/{name}"), ProblemKind::UnknownValue, message, remedy));
                    }
                }
            }
        }
    }
}

/// Values that are kept nowhere: what is asked as a secret, and what is remembered of it.
fn secrets(flow: &Flow) -> BTreeSet<&str> {
    let asked = flow.steps.values().filter_map(|step| match step {
        Step::Ask(ask) if ask.secret => Some(ask.slot.as_str()),
        _ => None,
    });
    let asked = asked.collect();
    flow.made_of(asked)
}

/// What a step can fill.
pub(crate) fn fills(step: &Step) -> Vec<&str> {
    match step {
        Step::Ask(ask) => vec![&ask.slot],
        Step::Form(form) => form.slots.iter().map(|slot| slot.slot.as_str()).collect(),
        Step::Remember { values, .. } => values.keys().map(String::as_str).collect(),
        Step::Fetch(fetch) => {
            let refused = fetch.refused.iter().flat_map(|refused| refused.save.keys());
            let verified = fetch.verifies.iter().map(|_| VERIFIED);
            fetch.save.keys().chain(refused).map(String::as_str).chain(verified).collect()
        }
        _ => Vec::new(),
    }
}

/// What is filled on every way to each step that can be reached: the meet over all ways, from the whole downwards.
fn filled(flow: &Flow) -> BTreeMap<&str, BTreeSet<&str>> {
    let mut filled: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    filled.extend(flow.entries().map(|entry| (entry, BUILT_IN.into())));
    let mut open: Vec<&str> = flow.entries().collect();
    while let Some(name) = open.pop() {
        let Some(step) = flow.steps.get(name) else { continue };
        let here = filled.get(name).cloned().unwrap_or_default();
        for (way, more) in ways(step).into_iter().zip(gains(step)) {
            let there: BTreeSet<&str> = here.iter().copied().chain(more).collect();
            match filled.get_mut(way.to) {
                None => {
                    filled.insert(way.to, there);
                    open.push(way.to);
                }
                Some(known) => {
                    let met: BTreeSet<&str> = known.intersection(&there).copied().collect();
                    if met.len() < known.len() {
                        *known = met;
                        open.push(way.to);
                    }
                }
            }
        }
    }
    filled
}

/// What each of a step's ways adds, in the order of `ways`.
fn gains<'f>(step: &'f Step) -> Vec<Vec<&'f str>> {
    match step {
        Step::Fetch(fetch) => {
            let names = |save: &'f BTreeMap<String, String>| save.keys().map(String::as_str).collect::<Vec<_>>();
            let refused = fetch.refused.as_ref().map(|refused| names(&refused.save));
            let spent = fetch.attempts.iter().map(|_| Vec::new());
            let verified = fetch.verifies.iter().map(|_| VERIFIED);
            let found: Vec<&str> = names(&fetch.save).into_iter().chain(verified).collect();
            [found, Vec::new(), Vec::new()].into_iter().chain(refused).chain(spent).collect()
        }
        Step::Decide { branches, .. } => {
            // What a branch's condition proves is known on its way; what its failing proves, on all that follow.
            let mut known: BTreeSet<&str> = BTreeSet::new();
            let mut gains = Vec::new();
            for branch in branches {
                gains.push(known.union(&branch.when.proves(true)).copied().collect());
                known.extend(branch.when.proves(false));
            }
            gains.push(known.into_iter().collect());
            gains
        }
        step => ways(step).iter().map(|_| fills(step)).collect(),
    }
}

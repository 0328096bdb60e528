//! The summary: facts read off the timeline, each pointing to its entry. No language model, nothing that the
//! timeline does not say; the same timeline gives the same summary.

mod phrases;
mod telling;

use super::{AgentFailure, BackendFailure, Cause, Entry, Fact, FactKind, Note, Reading, Summary, Utterance};
use crate::dialog::flow::{Ask, Fetch, Flow, SlotKind, Step};
use crate::dialog::values::HIDDEN;
use crate::dialog::{Language, commands, person, slots, words::Words};
use phrases::Phrases;

/// From this distress on a caller sounds upset (`Reading::distress`) where no policy tells moods.
const UPSET: f32 = 0.6;
/// An utterance heard worse than this is not quoted.
const QUOTABLE: f32 = 0.3;
/// A wish for a person of up to so many words says nothing else.
const BARE_WISH: usize = 8;
/// A yes or no of up to so many words is an answer, not a request.
const BARE_ANSWER: usize = 3;

/// The summary of a call so far. `outcome` is set when the call is over.
pub fn summarise(flow: &Flow, timeline: &[Entry]) -> Summary {
    let reader = Reader { flow, timeline, say: Phrases::of(&flow.language) };
    let mut facts = Vec::new();
    reader.caller(&mut facts);
    reader.wanted(&mut facts);
    reader.collected(&mut facts);
    reader.tried(&mut facts);
    reader.sounded(&mut facts);
    reader.open(&mut facts);
    reader.last_words(&mut facts);
    facts.sort_by_key(|fact| fact.kind); // stable: within a kind as they happened
    Summary { outcome: None, language: flow.language.to_string(), facts }
}

struct Reader<'a> {
    flow: &'a Flow,
    timeline: &'a [Entry],
    say: &'static Phrases,
}

impl Reader<'_> {
    fn caller(&self, facts: &mut Vec<Fact>) {
        for entry in self.timeline {
            if let Note::Arrived(caller) = &entry.note {
                let number = if caller.number.is_empty() { self.say.withheld } else { &caller.number };
                let name = caller.name.iter().filter(|name| !name.is_empty() && **name != caller.number);
                let mut parts: Vec<&str> = name.map(String::as_str).chain([number]).collect();
                let line = (self.say.line)(&caller.line);
                if !caller.line.is_empty() {
                    parts.push(&line);
                }
                facts.push(fact(FactKind::Caller, entry, parts.join(", ")));
                // What the earlier call came to, for who takes this one.
                for earlier in caller.called_back.iter().flat_map(|back| &back.facts) {
                    if !matches!(earlier.kind, FactKind::Caller) {
                        facts.push(fact(earlier.kind, entry, earlier.text.clone()));
                    }
                }
            }
        }
    }

    fn wanted(&self, facts: &mut Vec<Fact>) {
        for (entry, what) in self.wants() {
            facts.push(fact(FactKind::Wanted, entry, what));
        }
        // Who asks for a person again and again wants one thing.
        if let Some((entry, _)) = self.person_wishes().next() {
            facts.push(fact(FactKind::Wanted, entry, self.say.a_person.to_owned()));
        }
    }

    /// What was chosen, in order.
    fn wants(&self) -> impl Iterator<Item = (&Entry, String)> {
        self.timeline.iter().filter_map(|entry| match &entry.note {
            Note::Intent { chosen: Some(intent), .. } => Some((entry, self.intent(intent))),
            Note::Choice { option } => Some((entry, option.clone())),
            _ => None,
        })
    }

    fn person_wishes(&self) -> impl Iterator<Item = (&Entry, &str)> {
        self.timeline.iter().filter_map(|entry| match &entry.note {
            Note::PersonWanted { reason } if matches!(reason.as_str(), "asked for a person" | "key 0") => {
                Some((entry, reason.as_str()))
            }
            _ => None,
        })
    }

    /// The last word on each slot.
    fn collected(&self, facts: &mut Vec<Fact>) {
        let mut seen = Vec::new();
        for entry in self.timeline.iter().rev() {
            let Note::Slot { slot, value, confirmed } = &entry.note else { continue };
            if seen.contains(&slot) {
                continue;
            }
            seen.push(slot);
            if value.is_empty() {
                continue; // taken back
            }
            let ask = self.asks().find(|ask| ask.slot == *slot);
            let label = ask.as_ref().and_then(|ask| self.label(ask.label)).unwrap_or_else(|| plain_name(slot));
            let value = match value.as_str() {
                HIDDEN => self.say.kept_nowhere,
                slots::YES if ask.as_ref().is_some_and(|ask| *ask.kind == SlotKind::YesNo) => self.say.yes,
                slots::NO if ask.as_ref().is_some_and(|ask| *ask.kind == SlotKind::YesNo) => self.say.no,
                value => value,
            };
            let asked_back = ask.is_some_and(|ask| ask.read_back);
            let sure = match (confirmed, asked_back) {
                (true, _) => self.say.confirmed,
                (false, true) => self.say.not_confirmed,
                (false, false) => "",
            };
            facts.push(fact(FactKind::Collected, entry, (self.say.value)(&label, value) + sure));
        }
        facts.sort_by_key(|fact| (fact.kind, fact.entry));
    }

    fn tried(&self, facts: &mut Vec<Fact>) {
        for entry in self.timeline {
            match &entry.note {
                Note::Reply { step, backend, failure } => {
                    let fetch = self.fetch(step);
                    let what = fetch.and_then(|f| self.label(&f.label)).unwrap_or_else(|| plain_name(backend));
                    let outcome = failure.map_or(self.say.done, |failure| self.say.backend_failure(failure));
                    facts.push(fact(FactKind::Tried, entry, (self.say.value)(&what, outcome)));
                    if let (None, Some(slot)) = (failure, fetch.and_then(|fetch| fetch.verifies.as_ref())) {
                        let ask = self.asks().find(|ask| ask.slot == *slot);
                        let label = ask.and_then(|ask| self.label(ask.label)).unwrap_or_else(|| plain_name(slot));
                        facts.push(fact(FactKind::Verified, entry, (self.say.verified)(&label, backend)));
                    }
                }
                Note::PersonWanted { reason } => {
                    if let Some(why) = self.say.reason(reason) {
                        facts.push(fact(FactKind::Tried, entry, why.to_owned()));
                    }
                }
                Note::Callback { number, .. } => {
                    facts.push(fact(FactKind::Open, entry, (self.say.value)(self.say.call_back, number)));
                }
                Note::Message { .. } => facts.push(fact(FactKind::Open, entry, self.say.message.to_owned())),
                Note::SpeechUnavailable => facts.push(fact(FactKind::Tried, entry, self.say.no_speech.to_owned())),
                Note::AgentFailed { agent, failure } => {
                    facts.push(fact(FactKind::Tried, entry, (self.say.value)(agent, self.say.agent_failure(*failure))));
                }
                Note::Connected { agent } => {
                    facts.push(fact(FactKind::Tried, entry, (self.say.value)(agent, self.say.connected)));
                }
                Note::Ended { cause } => {
                    if let Some(why) = self.say.cause(*cause) {
                        facts.push(fact(FactKind::Tried, entry, why.to_owned()));
                    }
                }
                _ => {}
            }
        }
    }

    /// Since when they sound upset; else, when it was looked at, that they do not.
    fn sounded(&self, facts: &mut Vec<Fact>) {
        let mut moods = self.timeline.iter().filter_map(|entry| match &entry.note {
            Note::Mood(mood) => Some((entry, mood)),
            _ => None,
        });
        if let Some((entry, upset)) = moods.clone().rfind(|(_, mood)| mood.upset) {
            let text = match moods.find(|(later, mood)| later.seq > entry.seq && !mood.upset) {
                Some((calm, _)) => (self.say.upset_once)(&clock(upset.since_ms), &clock(calm.at_ms)),
                None => (self.say.upset_since)(&clock(upset.since_ms)),
            };
            return facts.push(fact(FactKind::Sounded, entry, text));
        }
        let readings = self.timeline.iter().filter_map(|entry| match &entry.note {
            Note::Emotion(reading) => Some((entry, reading)),
            _ => None,
        });
        let worst = readings.max_by(|(_, a): &(_, &Reading), (_, b)| a.distress.total_cmp(&b.distress));
        if let Some((entry, reading)) = worst {
            let upset = self.flow.emotion.is_none() && reading.distress >= UPSET;
            let text = if upset { self.say.upset } else { self.say.calm };
            facts.push(fact(FactKind::Sounded, entry, text.to_owned()));
        }
    }

    /// What was wanted and not settled, and a person who was not reached.
    fn open(&self, facts: &mut Vec<Fact>) {
        let wants: Vec<(&Entry, String)> = self.wants().collect();
        for (at, (entry, what)) in wants.iter().enumerate() {
            let from = entry.seq as usize + 1;
            let to = wants.get(at + 1).map_or(self.timeline.len(), |(next, _)| next.seq as usize);
            // Asked for again: the later time counts.
            let again = wants[at + 1..].iter().any(|(_, later)| later == what);
            if !again && !self.settled(&self.timeline[from..to]) {
                facts.push(fact(FactKind::Open, entry, (self.say.value)(what, self.say.not_settled)));
            }
        }
        let reached = self.timeline.iter().any(|entry| matches!(entry.note, Note::Connected { .. }));
        if let Some((entry, _)) = self.person_wishes().last()
            && !reached
        {
            facts.push(fact(FactKind::Open, entry, (self.say.value)(self.say.a_person, self.say.not_reached)));
        }
    }

    /// Whether what follows a wish settled it: the last backend asked gave an answer and something was said after
    /// it; or, where none was asked and nothing collected, something was said that was no question.
    fn settled(&self, after: &[Entry]) -> bool {
        let mut step = None;
        let mut settled = false;
        let mut gathering = false;
        for entry in after {
            match &entry.note {
                Note::Step { step: name } => {
                    step = self.flow.steps.get(name);
                    let gathers = match step {
                        Some(Step::Ask(Ask { kind, .. })) => *kind != SlotKind::YesNo,
                        Some(Step::Form(_)) => true,
                        _ => false,
                    };
                    gathering |= gathers && !settled;
                }
                Note::Fetch { .. } => (settled, gathering) = (false, true),
                Note::Reply { failure: None, .. } => gathering = false,
                Note::Reply { .. } => gathering = true,
                Note::Say { .. } if !gathering => {
                    settled |= matches!(step, Some(Step::Say { .. } | Step::HangUp { .. }));
                }
                Note::Interrupted => {}
                _ => {}
            }
        }
        settled
    }

    fn last_words(&self, facts: &mut Vec<Fact>) {
        let mut step = None;
        let mut request: Option<(&Entry, &Utterance)> = None;
        let mut bare_wish = None;
        for entry in self.timeline {
            match &entry.note {
                Note::Step { step: name } => step = self.flow.steps.get(name),
                Note::Utterance(said) if said.confidence >= QUOTABLE && !said.text.trim().is_empty() => {
                    let wish = person::wanted(&said.text);
                    let own_words = match step {
                        Some(Step::Ask(ask)) => wish || ask.kind == SlotKind::Free,
                        Some(Step::Form(_)) => wish,
                        _ => true,
                    };
                    let words = Words::of(&said.text).len();
                    let answer = words <= BARE_ANSWER && slots::yes_no(&said.text).is_some();
                    if wish && words <= BARE_WISH {
                        bare_wish = Some((entry, said));
                    } else if own_words && !answer && commands::said(&said.text, &self.flow.commands).is_none() {
                        request = Some((entry, said));
                    }
                }
                _ => {}
            }
        }
        if let Some((entry, said)) = request.or(bare_wish) {
            facts.push(fact(FactKind::LastWords, entry, (self.say.quote)(said.text.trim())));
        }
    }

    /// Every slot that the flow asks for.
    fn asks(&self) -> impl Iterator<Item = Asked<'_>> {
        self.flow.steps.values().flat_map(|step| match step {
            Step::Ask(ask) => {
                vec![Asked { slot: &ask.slot, label: &ask.label, kind: &ask.kind, read_back: ask.confirm.is_some() }]
            }
            Step::Form(form) => {
                let asked = form.slots.iter().map(|slot| Asked {
                    slot: &slot.slot,
                    label: &slot.label,
                    kind: &slot.kind,
                    read_back: form.confirm.is_some(),
                });
                asked.collect()
            }
            _ => Vec::new(),
        })
    }

    fn fetch(&self, step: &str) -> Option<&Fetch> {
        match self.flow.steps.get(step) {
            Some(Step::Fetch(fetch)) => Some(fetch),
            _ => None,
        }
    }

    fn intent(&self, name: &str) -> String {
        let label = self.flow.intents.get(name).and_then(|intent| self.label(&intent.label));
        label.unwrap_or_else(|| plain_name(name))
    }

    /// A label in the flow's language, or in any.
    fn label(&self, label: &std::collections::BTreeMap<Language, String>) -> Option<String> {
        label.get(&self.flow.language).or_else(|| label.values().next()).cloned()
    }
}

/// A slot, by an ask or a form.
struct Asked<'f> {
    slot: &'f str,
    label: &'f std::collections::BTreeMap<Language, String>,
    kind: &'f SlotKind,
    read_back: bool,
}

fn fact(kind: FactKind, entry: &Entry, text: String) -> Fact {
    Fact { kind, text, entry: entry.seq }
}

/// Milliseconds of the call as `0:42`.
fn clock(ms: u64) -> String {
    format!("{}:{:02}", ms / 60_000, ms / 1_000 % 60)
}

/// `lost_card` as a reader would write it.
fn plain_name(name: &str) -> String {
    name.replace('_', " ")
}

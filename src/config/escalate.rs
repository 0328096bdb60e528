//! Calls that are more than a call: can it be told, and does something come of it?

use std::collections::{BTreeMap, BTreeSet};

use super::check::Checker;
use super::problem::Problem;
use super::raw_escalate as raw;
use super::tree::At;
use super::{Escalation, Line};
use crate::acd::Reason;
use crate::dialog::flow::Flow;

impl Checker<'_> {
    pub(super) fn escalate(
        &mut self,
        flows: &BTreeMap<String, Flow>,
        lines: &BTreeMap<String, Line>,
    ) -> BTreeMap<Reason, Escalation> {
        let Some((raw, at)) = self.single("escalate", |file| file.escalate.as_ref()) else { return BTreeMap::new() };
        let listened = lines.values().any(|line| line.emotion.is_some()) || lines.len() < self.names("lines").len();
        let intents: BTreeSet<&str> = flows.values().flat_map(|flow| flow.intents.keys().map(String::as_str)).collect();
        // A flow that could not be read may have what is looked for.
        let intents = (flows.len() == self.flow_names().len() && self.gathered.flows_complete).then_some(intents);
        let mut all = BTreeMap::new();
        for (key, reason, raw) in [
            ("vip", Reason::Vip, &raw.vip),
            ("distress", Reason::Distress, &raw.distress),
            ("complaint", Reason::Complaint, &raw.complaint),
            ("fraud", Reason::Fraud, &raw.fraud),
        ] {
            let Some(raw) = raw else { continue };
            let at_key = at.get(key);
            self.signs(key, reason, raw, listened, at_key, at);
            self.number_patterns(&raw.numbers, at_key);
            for (intent, at) in raw.intents.iter().zip(at_key.get("intents").items()) {
                if let Some(known) = &intents {
                    self.resolve("intent", intent, at, known);
                }
            }
            if let Some(queue) = &raw.queue {
                let known = self.names("queues");
                self.resolve("queue", queue, at_key.get("queue"), &known);
            }
            if raw.queue.is_none() && raw.points.is_none() {
                let problem = Problem::new(at.place_of(key), format!("nothing comes of `{key}`"));
                self.problems.push(problem.expected("`queue`, `points` or both"));
            }
            let escalation = Escalation {
                numbers: raw.numbers.iter().map(|number| number.0.clone()).collect(),
                intents: raw.intents.iter().cloned().collect(),
                words: raw.words.unwrap_or(false),
                queue: raw.queue.clone(),
                points: raw.points.unwrap_or(0),
            };
            all.insert(reason, escalation);
        }
        all
    }

    /// Something must show it, and nothing that never comes.
    fn signs(&mut self, key: &str, reason: Reason, raw: &raw::Escalation, listened: bool, at_key: At, at: At) {
        let tell = matches!(reason, Reason::Complaint | Reason::Fraud);
        let words = tell && raw.words == Some(true);
        if !tell && raw.words == Some(true) {
            let problem = at_key.get("words").problem(format!("no words tell of `{key}`"));
            self.problems.push(problem.expected("`words` at `complaint` and `fraud` only"));
        }
        if (words || reason == Reason::Distress) && !listened {
            let place = if words { at_key.place_of("words") } else { at.place_of(key) };
            let problem = Problem::new(place, "no line listens for how callers sound or what they say of it");
            self.problems.push(problem.expected("an `emotion` policy").remedy("write `emotion: {}`"));
        }
        if reason != Reason::Distress && !words && raw.numbers.is_empty() && raw.intents.is_empty() {
            let problem = Problem::new(at.place_of(key), format!("nothing shows that a call is `{key}`"));
            let expected = match reason {
                Reason::Vip => "`numbers`, `intents` or both",
                _ => "some of `intents`, `words` and `numbers`",
            };
            self.problems.push(problem.expected(expected));
        }
    }
}

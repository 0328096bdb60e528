//! One call as desks and walls show it: how far it is, its lines, its summary.

use std::collections::BTreeSet;

use chrono::Utc;
use serde_json::{Value, json};

use super::Call;
use crate::call::{Caller, Note};
use crate::privacy::scrub;

impl Call {
    pub(super) fn follow(&mut self, note: &Note) {
        match note {
            Note::Transfer { queue, .. } => {
                (self.queue, self.stage) = (Some(queue.clone()), "waiting");
                self.waits_since = Some(Utc::now());
            }
            Note::AgentRinging { .. } => self.stage = "ringing",
            Note::AgentFailed { .. } if self.stage != "bot" => self.stage = "waiting",
            Note::Connected { .. } => (self.stage, self.waits_since) = ("person", None),
            Note::Callback { .. } | Note::Message { .. } => (self.stage, self.waits_since) = ("bot", None),
            Note::Step { .. } => self.stage = "bot",
            Note::Emotion(reading) => self.distress = Some(reading.distress),
            _ => {}
        }
    }

    /// The numbers in what was told since then are taken out, and out of what the summary makes of it.
    pub(super) fn forget(&mut self, since_ms: u64) {
        let mut lost = BTreeSet::new();
        for (_, line) in self.entries.iter_mut().filter(|(at_ms, _)| *at_ms >= since_ms) {
            scrub(line);
            lost.insert(line["seq"].as_u64());
        }
        let Some(summary) = &mut self.summary else { return };
        scrub(&mut summary["headline"]);
        let facts = summary["facts"].as_array_mut();
        facts.into_iter().flatten().filter(|fact| lost.contains(&fact["seq"].as_u64())).for_each(scrub);
    }

    pub(super) fn who(&self) -> Value {
        let Caller { number, name, line, withheld, dialled, .. } = &self.caller;
        let number = if *withheld { "" } else { number };
        json!({ "number": number, "name": name, "line": line, "dialled": dialled })
    }

    pub(super) fn json(&self, id: &str, agent: &str, by_browser: bool) -> Value {
        let party = self.parties.get(agent);
        let lines: Vec<&Value> = self.entries.iter().map(|(_, line)| line).collect();
        json!({
            "call": id, "started": self.started, "caller": self.who(), "queue": self.queue,
            "stage": if party.is_some_and(|party| party.talks) { "talking" } else { "ringing" },
            "by": if by_browser { "browser" } else { "phone" },
            "desk_steps": self.desk_steps, "knowledge": self.meaning.is_some(), "summary": self.summary, "lines": lines, "party": party.map(|party| self.party(party)),
        })
    }

    pub(super) fn brief(&self, id: &str) -> Value {
        let talks = self.parties.iter().find(|(_, party)| party.talks).or(self.parties.iter().next());
        json!({
            "call": id, "started": self.started, "caller": self.who(), "queue": self.queue, "stage": self.stage,
            "agent": talks.map(|(name, _)| name), "distress": self.distress, "alert": self.alert,
            "waits_since": self.waits_since, "supervisor": self.supervisor(),
        })
    }
}

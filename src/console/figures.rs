//! The day's figures of the wall, counted as calls go by: how many came, waited, were answered in time or gave up. They begin
//! with the engine, and anew every midnight (UTC).

use std::collections::{BTreeMap, HashMap};

use chrono::{DateTime, NaiveDate, Utc};
use serde_json::{Value, json};

use crate::call::Note;

/// Answered within so many seconds counts as in time: the usual 80 % in 20 s are held against it.
const IN_TIME_S: f64 = 20.0;

#[derive(Default)]
pub struct Figures {
    day: Option<NaiveDate>,
    since: Option<DateTime<Utc>>,
    calls: u64,
    /// Over without a person being asked for.
    contained: u64,
    ended: u64,
    queues: BTreeMap<String, Queue>,
    /// Calls that are up: the queue they wait in and since when, and whether they were ever in one.
    open: HashMap<String, Open>,
}

#[derive(Default)]
struct Open {
    waits: Option<(String, DateTime<Utc>)>,
    asked: bool,
}

#[derive(Default)]
struct Queue {
    answered: u64,
    in_time: u64,
    abandoned: u64,
    waited_s: f64,
}

impl Figures {
    pub fn note(&mut self, call: &str, note: &Note, now: DateTime<Utc>) {
        if self.day != Some(now.date_naive()) {
            let open = std::mem::take(&mut self.open);
            *self = Self { day: Some(now.date_naive()), since: Some(now), open, ..Self::default() };
        }
        match note {
            Note::Arrived(_) => {
                self.calls += 1;
                self.open.insert(call.to_owned(), Open::default());
            }
            Note::Transfer { queue, .. } => {
                if let Some(open) = self.open.get_mut(call) {
                    *open = Open { waits: Some((queue.clone(), now)), asked: true };
                }
            }
            Note::Connected { .. } => {
                if let Some((queue, since)) = self.open.get_mut(call).and_then(|open| open.waits.take()) {
                    let waited_s = (now - since).num_milliseconds() as f64 / 1e3;
                    let queue = self.queues.entry(queue).or_default();
                    queue.answered += 1;
                    queue.in_time += u64::from(waited_s <= IN_TIME_S);
                    queue.waited_s += waited_s;
                }
            }
            _ => {}
        }
    }

    pub fn end(&mut self, call: &str) {
        let Some(open) = self.open.remove(call) else { return };
        self.ended += 1;
        self.contained += u64::from(!open.asked);
        if let Some((queue, _)) = open.waits {
            self.queues.entry(queue).or_default().abandoned += 1;
        }
    }

    pub fn of(&self, queue: &str) -> Value {
        self.queues.get(queue).unwrap_or(&Queue::default()).json()
    }

    pub fn json(&self) -> Value {
        let all = self.queues.values().fold(Queue::default(), |all, one| Queue {
            answered: all.answered + one.answered,
            in_time: all.in_time + one.in_time,
            abandoned: all.abandoned + one.abandoned,
            waited_s: all.waited_s + one.waited_s,
        });
        let mut json = all.json();
        json["since"] = json!(self.since);
        json["calls"] = json!(self.calls);
        json["contained"] = json!(share(self.contained, self.ended));
        json
    }
}

impl Queue {
    fn json(&self) -> Value {
        let waited = (self.answered > 0).then(|| self.waited_s / self.answered as f64);
        json!({
            "answered": self.answered, "abandoned": self.abandoned,
            "service_level": share(self.in_time, self.answered + self.abandoned), "waited_s": waited,
        })
    }
}

fn share(part: u64, whole: u64) -> Option<f64> {
    (whole > 0).then(|| part as f64 / whole as f64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::call::Caller;
    use chrono::TimeDelta;

    #[test]
    fn a_day_of_three_calls() {
        let (mut figures, now) = (Figures::default(), DateTime::from_timestamp(1_800_000_000, 0).unwrap());
        let after = |seconds| now + TimeDelta::seconds(seconds);
        let into = || Note::Transfer { queue: "desk".into(), skills: vec![], priority: 0 };
        for call in ["contained", "answered", "abandoned"] {
            figures.note(call, &Note::Arrived(Caller::default()), now);
        }
        figures.end("contained");
        figures.note("answered", &into(), after(1));
        figures.note("abandoned", &into(), after(2));
        figures.note("answered", &Note::Connected { agent: "anna".into() }, after(13));
        figures.end("answered");
        figures.end("abandoned");
        let told = figures.json();
        assert_eq!((&told["calls"], &told["answered"], &told["abandoned"]), (&json!(3), &json!(1), &json!(1)));
        assert_eq!((&told["service_level"], &told["waited_s"]), (&json!(0.5), &json!(12.0)));
        assert_eq!(told["contained"], json!(1.0 / 3.0));
        assert_eq!(figures.of("desk")["answered"], json!(1));
        figures.note("next", &Note::Arrived(Caller::default()), after(86_400));
        assert_eq!(figures.json()["calls"], json!(1), "a new day");
    }
}

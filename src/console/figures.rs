//! The day's figures of the wall, counted as calls go by: how many came, waited, were answered in time or gave up. They begin
//! with the engine, and anew every midnight of the operator's zone.

use std::collections::{BTreeMap, HashMap};

use chrono::{DateTime, NaiveDate, Utc};
use chrono_tz::Tz;
use serde_json::{Value, json};

use super::outlook::slot;
use crate::acd::forecast::SLOTS;
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
    slots: BTreeMap<usize, Slot>,
    zone: Tz,
    /// Calls that are up: the queue they wait in and since when, and whether they were ever in one.
    open: HashMap<String, Open>,
}

#[derive(Default)]
struct Open {
    waits: Option<(String, DateTime<Utc>)>,
    asked: bool,
}

/// A half-hour of the day.
#[derive(Default)]
struct Slot {
    calls: u64,
    ended: u64,
    contained: u64,
    left: u64,
    in_time: u64,
}

#[derive(Default)]
struct Queue {
    answered: u64,
    in_time: u64,
    abandoned: u64,
    waited_s: f64,
}

impl Figures {
    /// Days begin at this zone's midnight.
    pub fn in_zone(&mut self, zone: Tz) {
        self.zone = zone;
    }

    /// The half-hour that it is now, of a day that begins with it if need be.
    fn slot(&mut self, now: DateTime<Utc>) -> &mut Slot {
        let local = now.with_timezone(&self.zone);
        if self.day != Some(local.date_naive()) {
            let (open, zone) = (std::mem::take(&mut self.open), self.zone);
            *self = Self { day: Some(local.date_naive()), since: Some(now), open, zone, ..Self::default() };
        }
        self.slots.entry(slot(&local)).or_default()
    }

    pub fn note(&mut self, call: &str, note: &Note, now: DateTime<Utc>) {
        let slot = self.slot(now);
        match note {
            Note::Arrived(_) => {
                slot.calls += 1;
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
                    let in_time = u64::from(waited_s <= IN_TIME_S);
                    queue.answered += 1;
                    queue.in_time += in_time;
                    queue.waited_s += waited_s;
                    let slot = self.slot(now);
                    slot.left += 1;
                    slot.in_time += in_time;
                }
            }
            // Who is to be called back, or left a message, has not given up.
            Note::Callback { .. } | Note::Message { .. } => {
                self.open.get_mut(call).map(|open| open.waits.take());
            }
            _ => {}
        }
    }

    pub fn end(&mut self, call: &str, now: DateTime<Utc>) {
        let Some(open) = self.open.remove(call) else { return };
        let (contained, gave_up) = (u64::from(!open.asked), u64::from(open.waits.is_some()));
        let slot = self.slot(now);
        slot.ended += 1;
        slot.contained += contained;
        slot.left += gave_up;
        self.ended += 1;
        self.contained += contained;
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

    /// The day by half-hours: calls that came, the share answered in time of those that left their queue, and the share settled
    /// without a person of those that ended.
    pub fn day(&self) -> Value {
        let nothing = Slot::default();
        let all = || (0..SLOTS).map(|slot| self.slots.get(&slot).unwrap_or(&nothing));
        json!({
            "calls": all().map(|slot| slot.calls).collect::<Vec<_>>(),
            "service_level": all().map(|slot| share(slot.in_time, slot.left)).collect::<Vec<_>>(),
            "contained": all().map(|slot| share(slot.contained, slot.ended)).collect::<Vec<_>>(),
        })
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
    fn who_was_promised_a_callback_has_not_given_up() {
        let (mut figures, now) = (Figures::default(), DateTime::from_timestamp(1_800_000_000, 0).unwrap());
        let into = Note::Transfer { queue: "desk".into(), skills: vec![], priority: 0 };
        let promised = Note::Callback { queue: "desk".into(), number: "5551234".into() };
        let message = Note::Message { queue: "desk".into(), from_ms: 0, to_ms: 5_000, text: String::new() };
        for (call, instead) in [("called back", Some(promised)), ("heard", Some(message)), ("gone", None)] {
            figures.note(call, &Note::Arrived(Caller::default()), now);
            figures.note(call, &into, now);
            instead.into_iter().for_each(|note| figures.note(call, &note, now));
            figures.end(call, now);
        }
        assert_eq!((&figures.json()["calls"], &figures.json()["abandoned"]), (&json!(3), &json!(1)));
        assert_eq!(figures.json()["contained"], json!(0.0), "each had asked for a person");
    }

    #[test]
    fn a_day_of_three_calls() {
        let (mut figures, now) = (Figures::default(), DateTime::from_timestamp(1_800_000_000, 0).unwrap());
        let after = |seconds| now + TimeDelta::seconds(seconds);
        let into = || Note::Transfer { queue: "desk".into(), skills: vec![], priority: 0 };
        for call in ["contained", "answered", "abandoned"] {
            figures.note(call, &Note::Arrived(Caller::default()), now);
        }
        figures.end("contained", now);
        figures.note("answered", &into(), after(1));
        figures.note("abandoned", &into(), after(2));
        figures.note("answered", &Note::Connected { agent: "anna".into() }, after(13));
        figures.end("answered", after(14));
        figures.end("abandoned", after(1_800));
        let told = figures.json();
        assert_eq!((&told["calls"], &told["answered"], &told["abandoned"]), (&json!(3), &json!(1), &json!(1)));
        assert_eq!((&told["service_level"], &told["waited_s"]), (&json!(0.5), &json!(12.0)));
        assert_eq!(told["contained"], json!(1.0 / 3.0));
        assert_eq!(figures.of("desk")["answered"], json!(1));
        // 8:00 and after, UTC.
        let day = figures.day();
        assert_eq!((&day["calls"][16], &day["calls"][17]), (&json!(3), &json!(0)));
        assert_eq!((&day["service_level"][16], &day["service_level"][17]), (&json!(1.0), &json!(0.0)));
        assert_eq!((&day["contained"][16], &day["contained"][15]), (&json!(0.5), &json!(null)));
        figures.note("next", &Note::Arrived(Caller::default()), after(86_400));
        assert_eq!(figures.json()["calls"], json!(1), "a new day");
    }
}

//! What a call lets its page show: captions of both sides and where the call stands. Kept until the call ends, so that a page
//! that lost its connection catches up.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use axum::response::sse::Event;
use futures_util::stream::{self, Stream};
use serde::Serialize;
use tokio::sync::watch;

/// Events kept: more than any call has that is not stuck.
const KEPT: usize = 2_000;
/// The longest caption, letters.
const LONGEST: usize = 2_000;

/// Cheap to clone.
#[derive(Clone)]
pub struct Screen(Arc<Inner>);

struct Inner {
    events: Mutex<Events>,
    /// Rises with every event.
    changed: watch::Sender<u64>,
}

#[derive(Default)]
struct Events {
    kept: VecDeque<(u64, &'static str, String)>,
    last: u64,
    ended: bool,
}

/// Who says it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Who {
    Bot,
    Caller,
    /// The person whom the caller talks to.
    Person,
}

/// Where the call stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "stage", rename_all = "snake_case")]
pub enum Stage {
    /// The bot talks.
    Answered,
    /// What was being said last was cut off by the caller.
    Interrupted,
    /// In a queue for a person.
    Waiting {
        position: Option<u32>,
        estimate_s: Option<u32>,
    },
    /// A person's telephone rings.
    Ringing,
    /// A person is there.
    Person,
    /// The call goes on in another language.
    Language {
        language: String,
    },
    /// The caller's network is gone, or back.
    Lost,
    Back,
    /// No call could be had: try again.
    Refused,
    Ended,
}

#[derive(Serialize)]
struct Caption<'a> {
    who: Who,
    text: &'a str,
}

impl Default for Screen {
    fn default() -> Self {
        Self(Arc::new(Inner { events: Mutex::default(), changed: watch::channel(0).0 }))
    }
}

impl Screen {
    pub fn caption(&self, who: Who, text: &str) {
        let end = text.char_indices().nth(LONGEST).map_or(text.len(), |(at, _)| at);
        self.add("caption", &Caption { who, text: &text[..end] }, false);
    }

    pub fn stage(&self, stage: &Stage) {
        self.add("stage", stage, matches!(stage, Stage::Ended | Stage::Refused));
    }

    fn add(&self, kind: &'static str, what: &impl Serialize, last: bool) {
        let Ok(json) = serde_json::to_string(what) else { return }; // texts and numbers: always has a form
        let number = {
            let mut events = self.0.events.lock().unwrap_or_else(PoisonError::into_inner); // a queue, never half changed
            if events.ended {
                return;
            }
            events.ended = last;
            events.last += 1;
            let number = events.last;
            events.kept.push_back((number, kind, json));
            if events.kept.len() > KEPT {
                events.kept.pop_front();
            }
            number
        };
        self.0.changed.send_replace(number);
    }

    /// Server-sent events from the one after `seen` on, to the call's end.
    pub fn follow(&self, seen: u64) -> impl Stream<Item = Result<Event, std::convert::Infallible>> + Send + use<> {
        let changed = self.0.changed.subscribe();
        stream::unfold((self.clone(), changed, seen), async |(screen, mut changed, seen)| {
            loop {
                match screen.after(seen) {
                    Next::Event(number, kind, json) => {
                        let event = Event::default().id(number.to_string()).event(kind).data(json);
                        return Some((Ok(event), (screen, changed, number)));
                    }
                    Next::End => return None,
                    Next::Nothing => changed.changed().await.ok()?,
                }
            }
        })
    }

    fn after(&self, seen: u64) -> Next {
        let events = self.0.events.lock().unwrap_or_else(PoisonError::into_inner); // likewise
        match events.kept.iter().find(|(number, ..)| *number > seen) {
            Some((number, kind, json)) => Next::Event(*number, kind, json.clone()),
            None if events.ended => Next::End,
            None => Next::Nothing,
        }
    }
}

enum Next {
    Event(u64, &'static str, String),
    Nothing,
    End,
}

#[cfg(test)]
mod tests {
    use futures_util::StreamExt;

    use super::*;

    #[tokio::test]
    async fn a_page_sees_all_from_where_it_was_to_the_end() {
        let screen = Screen::default();
        screen.stage(&Stage::Answered);
        screen.caption(Who::Bot, "Welcome");
        let (whole, rest) = (screen.follow(0), screen.follow(1));
        screen.caption(Who::Caller, &"long ".repeat(1_000));
        screen.stage(&Stage::Ended);
        screen.caption(Who::Bot, "after the end");
        assert_eq!(whole.count().await, 4);
        assert_eq!(rest.count().await, 3);
        assert_eq!(screen.follow(99).count().await, 0, "nothing follows the end");
    }
}

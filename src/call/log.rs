//! The event log: what a call was told and what it decided, one line each; and its replay, which must decide the
//! same. What is keyed or said while `Action::Mask` is in force is replaced by something that decides the same.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::{Action, Call, Entry, Event, Note, Utterance};
use crate::dialog::commands::{self, Commands};
use crate::dialog::flow::Flow;
use crate::dialog::person;
use crate::dialog::values::HIDDEN;
use crate::media::Key;

/// A line of the event log.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Logged {
    /// Milliseconds since the call arrived.
    pub at_ms: u64,
    pub event: Event,
    pub actions: Vec<Action>,
}

impl Logged {
    /// A line for an event and the actions it caused. `masked`: `Action::Mask` was in force when it came.
    pub fn new(at_ms: u64, event: Event, actions: &[Action], masked: bool) -> Self {
        let mut now_masked = masked;
        let hide = |action: &Action| {
            match action {
                Action::Mask => now_masked = true,
                Action::Unmask => now_masked = false,
                _ => {}
            }
            match action {
                Action::Fetch { request, backend, with, repeats } if now_masked => Action::Fetch {
                    request: *request,
                    backend: backend.clone(),
                    with: with.keys().map(|name| (name.clone(), HIDDEN.to_owned())).collect(),
                    repeats: *repeats,
                },
                action => action.clone(),
            }
        };
        let actions: Vec<Action> = actions.iter().map(hide).collect();
        // A key pressed ahead of a secret's question belongs to the secret: the call did not write it down.
        let noted = |action: &Action| matches!(action, Action::Note(Entry { note: Note::Dtmf { .. }, .. }));
        let ahead = matches!(event, Event::Key { .. }) && now_masked && !actions.iter().any(noted);
        let masked = masked || ahead;
        Self { at_ms, event: if masked { masked_event(event) } else { event }, actions }
    }
}

fn masked_event(event: Event) -> Event {
    match event {
        Event::Key { key } if key.as_char().is_ascii_digit() => {
            Event::Key { key: Key::new('1').expect("a telephone has a 1") }
        }
        Event::Heard(utterance) => {
            let command = || commands::said(&utterance.text, &Commands::default()).map(commands::plain_words);
            let text = match &utterance.text {
                text if person::wanted(text) => person::plain_wish(text),
                text if person::sworn_at(text) => person::plain_oath(text),
                _ => command().unwrap_or_default(),
            };
            let text = text.to_owned();
            Event::Heard(Utterance { text, alternatives: Vec::new(), ..utterance })
        }
        Event::HeardPart { .. } => Event::HeardPart { text: String::new() },
        event => event,
    }
}

/// The actions for each event of a log (milliseconds since arrival, event), by a new call.
pub fn replay(flow: Arc<Flow>, log: &[(u64, Event)]) -> Vec<Vec<Action>> {
    let mut call = Call::new(flow);
    log.iter().map(|(at_ms, event)| call.handle(*at_ms, event.clone())).collect()
}

/// Replays a log as it was written: the result is equal to the log, byte by byte once serialised, if the call
/// decides as it did.
pub fn replay_log(flow: Arc<Flow>, log: &[Logged]) -> Vec<Logged> {
    let mut call = Call::new(flow);
    let mut masked = false;
    let mut lines = Vec::with_capacity(log.len());
    for Logged { at_ms, event, .. } in log {
        let actions = call.handle(*at_ms, event.clone());
        lines.push(Logged::new(*at_ms, event.clone(), &actions, masked));
        for action in &actions {
            match action {
                Action::Mask => masked = true,
                Action::Unmask => masked = false,
                _ => {}
            }
        }
    }
    lines
}

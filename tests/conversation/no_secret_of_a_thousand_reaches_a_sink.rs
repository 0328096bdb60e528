//! A thousand each of card numbers, PINs, one-time codes, ids and telephone numbers, said and keyed in two languages at
//! every kind of question, whole and over several turns: none is in the event log, the timeline, the summary, what the
//! intent model, the agent and the supervisor are told, or a backend's parameters, in any grouping, in figures or words,
//! nor any six digits of it. The same search finds them all when nothing stands before the call.

use std::collections::BTreeMap;

use crate::script::secrets::{self, ALL, Random, Secret};
use crate::script::{Script, flows};
use frontdesk::call::{Action, Event, Note, summarise};

/// Of each kind, in each of two languages.
const EACH: usize = 500;

/// Streams of digits, by the sink that they came from.
fn sinks(call: &Script) -> Vec<(&'static str, String)> {
    let mut streams = Vec::new();
    let mut add = |sink: &'static str, value: serde_json::Value| {
        let mut texts = Vec::new();
        secrets::texts(&value, &mut texts);
        let own = "+442071234567"; // the caller's number, which the network tells
        streams.extend(texts.iter().map(|text| (sink, secrets::digit_stream(&text.replace(own, "")))));
    };
    for line in call.lines.iter().filter(|line| !matches!(line.event, Event::Arrived { .. })) {
        add("event log", serde_json::to_value(line).unwrap());
    }
    add("timeline", serde_json::to_value(&call.call.timeline()[1..]).unwrap());
    add("summary", serde_json::to_value(summarise(&call.flow, call.call.timeline())).unwrap());
    for action in &call.actions {
        match action {
            Action::Understand { text, .. } => add("intent model", text.as_str().into()),
            Action::Fetch { with, .. } => add("backend", serde_json::to_value(with).unwrap()),
            Action::Alert { reason, why } => add("alert", serde_json::json!([reason, why])),
            Action::RingAgent { summary, .. } => add("agent", serde_json::to_value(&summary.facts[1..]).unwrap()),
            _ => {}
        }
    }
    // One after the other: what was keyed, and what was said.
    let keys = |log: &mut dyn Iterator<Item = Option<char>>| log.flatten().collect::<String>();
    streams.push((
        "keys in the log",
        keys(&mut call.lines.iter().map(|line| match line.event {
            Event::Key { key } => Some(key.as_char()),
            _ => None,
        })),
    ));
    streams.push((
        "keys in the timeline",
        keys(&mut call.notes().map(|note| match note {
            Note::Dtmf { key } => Some(key.as_char()),
            _ => None,
        })),
    ));
    let said = call.notes().filter_map(|note| match note {
        Note::Utterance(utterance) => Some(secrets::digit_stream(&utterance.text)),
        _ => None,
    });
    streams.push(("turns", said.collect()));
    streams
}

/// How many callers' secrets were found, and some of them.
fn leaks(shielded: bool, each: usize) -> (BTreeMap<Secret, usize>, Vec<String>) {
    let (mut random, mut found, mut shown) = (Random(5), BTreeMap::new(), Vec::new());
    for secret in ALL {
        for n in 0..2 * each {
            let language = if n % 2 == 0 { "en" } else { "zh" };
            let digits = secrets::make(secret, &mut random);
            let call = secrets::call(secret, &digits, language, shielded, &mut random);
            // Keys that were asked for and confirmed went where the operator sends them before they proved to be more.
            let keyed = call.notes().any(|note| matches!(note, Note::Dtmf { .. }));
            let mut sinks = sinks(&call).into_iter().filter(|(sink, _)| !keyed || *sink != "backend");
            let leak = sinks.find_map(|(sink, stream)| Some((sink, secrets::leaked(&digits, &stream)?)));
            if let Some((sink, part)) = leak {
                *found.entry(secret).or_insert(0) += 1;
                let said: Vec<&str> = call
                    .notes()
                    .filter_map(|note| match note {
                        Note::Utterance(utterance) => Some(utterance.text.as_str()),
                        _ => None,
                    })
                    .collect();
                shown.push(format!("{secret:?} {digits} ({language}): {part} in the {sink}; said {said:?}"));
            }
        }
    }
    (found, shown)
}

#[test]
fn no_secret_of_a_thousand_reaches_a_sink() {
    let (found, shown) = leaks(true, EACH);
    assert!(found.is_empty(), "{found:?}\n{}", shown.iter().take(40).cloned().collect::<Vec<_>>().join("\n"));
}

#[test]
fn the_search_finds_what_nothing_keeps_out() {
    let each = 40;
    let (found, _) = leaks(false, each);
    for secret in ALL {
        // A wish taken for something else, a key that ended the call: not every caller gets to the end.
        let count = found.get(&secret).copied().unwrap_or(0);
        assert!(count * 10 >= 2 * each * 8, "{secret:?}: only {count} of {} found", 2 * each);
    }
}

#[test]
fn the_sound_of_a_secret_is_silenced() {
    let mut call = Script::new(flows::bank());
    let from = call.quiet().now + 200;
    call.interrupts("my card number is 4539 5787 6362 1486");
    let (start, end) = call.blanks[0];
    assert!(start <= from && end >= call.now - 300, "{:?}", call.blanks);
    let mut keyed = Script::new(flows::bank());
    let from = keyed.quiet().now;
    keyed.presses("4539578763621486");
    let silenced = |at: u64| keyed.blanks.iter().any(|(start, end)| (*start..*end).contains(&at));
    assert!((0..16).all(|n| silenced(from + 250 * (n + 1))), "{:?}", keyed.blanks);
}

#[test]
fn a_secret_said_before_it_is_asked_for_is_not_noted() {
    let mut flow = flows::bank();
    flow.steps.insert(
        "greeting".into(),
        frontdesk::dialog::flow::Step::Say { say: flows::en("Welcome."), next: "pin".into() },
    );
    let mut call = Script::new(flow);
    call.interrupts("one two three four").wait(5_000);
    let all = serde_json::to_string(&(call.call.timeline(), &call.lines)).unwrap();
    assert!(!all.contains("two three"), "{all}");
    assert!(!call.blanks.is_empty());
}

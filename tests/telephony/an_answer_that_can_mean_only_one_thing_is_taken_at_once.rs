//! How long a silence ends a turn depends on what was asked and on what was understood so far: four digits of four need
//! no waiting, three do; a menu's phrase needs less than a story.

use crate::common;
use common::heard::{Heard, digits, fixture, noted, waits};
use frontdesk::call::Note;

const DIGITS: &str = r#"language: en
person: { queue: desk }
start: code
steps:
  code: { ask: Which code?, slot: code, type: digits, length: 4, next: bye }
  bye: { hang_up: Goodbye. }
"#;

#[tokio::test]
async fn an_answer_that_can_mean_only_one_thing_is_taken_at_once() {
    let house = Heard::by(DIGITS).await;
    let call = house.call(&[(3_000, &digits("7294", 60))], &[]).await;
    let said = waits(&call);
    assert!(noted(&call, |note| matches!(note, Note::Slot { value, .. } if value == "7294")), "{:#?}", call.timeline);
    assert!(said[0].1 <= 320, "{said:?}");

    // The caller looks up the last one.
    let three = digits("729", 60);
    let at = 3_000 + three.samples.len() as u64 / 8 + 900;
    let call = house.call(&[(3_000, &three), (at, &digits("4", 0))], &[]).await;
    assert!(noted(&call, |note| matches!(note, Note::Slot { value, .. } if value == "7294")), "{:#?}", call.timeline);
}

#[tokio::test]
async fn a_long_turn_is_read_while_it_lasts() {
    let flow = "language: en\nperson: { queue: desk }\nstart: story\nsteps:\n  \
                story: { ask: Go on., slot: story, type: free, next: bye }\n  bye: { hang_up: Goodbye. }\n";
    let house = Heard::by(flow).await;
    let (mut first, second) = (fixture("pocketsphinx/librivox-0880.wav"), fixture("asterisk/en-vm-reachoper.wav"));
    first.samples.extend(fixture("pocketsphinx/librivox-0930.wav").samples);
    let at = 2_500 + first.samples.len() as u64 / 8 + 300;
    let call = house.call(&[(2_500, &first), (at, &second)], &[]).await;
    let parts: Vec<&String> = call
        .timeline
        .iter()
        .filter_map(|entry| match &entry.note {
            Note::Part { text } => Some(text),
            _ => None,
        })
        .collect();
    let said = waits(&call);
    assert!(!parts.is_empty(), "{:#?}", call.timeline);
    let [(text, _)] = &said[..] else { panic!("{said:?}") };
    assert!(text.starts_with(parts[0].as_str()) && text.to_lowercase().contains("operator"), "{text}");
}

//! Where the flow says so, it goes on in another of its languages when the caller speaks that one.

use crate::common;
use crate::script;
use common::heard::{Heard, fixture, noted};
use frontdesk::call::{Action, Event, Note, Utterance};
use frontdesk::dialog::Language;
use script::{Script, flows};

const FLOW: &str = r#"language: en
languages: [zh]
detect_language: true
person: { queue: desk }
start: story
steps:
  story: { ask: { en: What can I do for you?, zh: 请问您有什么需要？ }, slot: story, type: free, next: bye }
  bye: { hang_up: { en: Goodbye., zh: 再见。 } }
"#;

fn said(call: &frontdesk::engine::Replayed) -> Vec<&str> {
    call.timeline
        .iter()
        .filter_map(|entry| match &entry.note {
            Note::Say { text } => Some(text.as_str()),
            _ => None,
        })
        .collect()
}

#[tokio::test]
async fn a_caller_who_speaks_another_language_is_answered_in_it() {
    let house = Heard::by(FLOW).await;
    let mandarin = house.says("zh", "我想查询一下我的快递什么时候能够送到。").await;
    let call = house.call(&[(3_000, &mandarin)], &[]).await;
    assert_eq!(said(&call).last(), Some(&"再见。"), "{:#?}", call.timeline);
    assert!(noted(&call, |note| matches!(note, Note::Utterance(u) if u.language == "zh" && u.text.contains("快"))));
    assert!(noted(&call, |note| matches!(note, Note::Language { language } if language == "zh")));

    let call = house.call(&[(3_000, &fixture("asterisk/en-vm-reachoper.wav"))], &[]).await;
    assert!(said(&call).iter().all(|text| text.is_ascii()), "{:#?}", call.timeline);
}

fn utterance(text: &str, language: &str) -> Event {
    let (text, language) = (text.into(), language.into());
    Event::Heard(Utterance { text, language, confidence: 0.9, start_ms: 100, end_ms: 900, ..Utterance::default() })
}

#[test]
fn the_call_switches_only_where_it_may() {
    let languages = |detect_language: bool, heard: &str| {
        let mut flow = frontdesk::dialog::flow::Flow { detect_language, ..flows::bank() };
        flow.lines.goodbye.texts.insert(Language::new("zh"), "再见。".into());
        let mut call = Script::new(flow);
        call.quiet().tell(utterance("今天天气很好", heard)).wait(4_000);
        let spoken = call.actions.iter().rev().find_map(|action| match action {
            Action::Say { words, .. } => Some(words.language.clone()),
            _ => None,
        });
        spoken.unwrap()
    };
    let (en, zh) = (Language::new("en"), Language::new("zh"));
    assert_eq!(languages(true, "zh"), zh);
    assert_eq!(languages(false, "zh"), en);
    assert_eq!(languages(true, "fr"), en, "a language that the flow does not speak");
}
